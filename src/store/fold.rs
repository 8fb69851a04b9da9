//! What a told task makes of the row held of it.

use super::Store;
use super::slots::{NOWHERE, Slots};
use super::symbols::{Class, Sym, Symbols};
use super::tasks::{self, Failure, NEVER, NO_PERCENT, Row, pack};
use crate::model::{Asked, Phase, Ref, ServiceId, Task, Timestamp};

/// Where a task comes from.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// A task that was not known before is news, not the start.
    pub(super) news: bool,
    /// The feed is the whole truth about failed tasks.
    pub(super) lists_failed: bool,
}

impl Source {
    pub(super) const LOOK_UP: Self = Self {
        news: true,
        lists_failed: false,
    };
}

/// The row of a reference; what a record leaves out does not erase what is known.
fn refer<T>(
    slots: &mut Slots<T>,
    symbols: &mut Symbols,
    service: ServiceId,
    held: u32,
    told: Option<&Ref>,
) -> u32 {
    let Some(told) = told.filter(|r| !r.id.is_empty() || !r.name.is_empty()) else {
        return held;
    };
    if let Some(slot) = slots.get(held) {
        let same_id = symbols.get(slot.id) == told.id;
        let name_known = told.name.is_empty() || symbols.get(slot.name) == told.name;
        if same_id && (name_known || (slot.listed.is_some() && !told.id.is_empty())) {
            return held;
        }
    }
    let id = symbols.intern(&told.id);
    let name = symbols.intern(&told.name);
    slots.refer(service, id, name)
}

impl Store {
    /// The row that a told task makes of the row before. What a record leaves out does not erase what
    /// another list of the service told.
    pub(super) fn fold(
        &mut self,
        id: ServiceId,
        before: Option<Row>,
        task: &Task,
        source: Source,
        now: Timestamp,
    ) -> Row {
        let symbols = &mut self.symbols;
        let held = before.unwrap_or(Row {
            phase: Phase::Unknown,
            flags: 0,
            progress: NO_PERCENT,
            device: NOWHERE,
            policy: NOWHERE,
            operation: Sym::EMPTY,
            status: Sym::EMPTY,
            step: Sym::EMPTY,
            object: Sym::EMPTY,
            failure: 0,
            started: NEVER,
            updated: NEVER,
            ended: NEVER,
            when: NEVER,
        });
        let device = refer(
            &mut self.devices,
            symbols,
            id,
            held.device,
            task.device.as_ref(),
        );
        let policy = refer(
            &mut self.policies,
            symbols,
            id,
            held.policy,
            task.policy.as_ref(),
        );
        let status = symbols.keep_or_intern_in(held.status, &task.native_status, Class::STATUS);
        let moved = before.is_none() || status != held.status || task.phase != held.phase;
        let keep_text = |symbols: &mut Symbols, held: Sym, told: &str, class: Class| {
            if told.is_empty() {
                held
            } else {
                symbols.keep_or_intern_in(held, told, class)
            }
        };
        let operation = keep_text(symbols, held.operation, &task.operation, Class::OPERATION);
        let object = keep_text(symbols, held.object, &task.object, Class::OBJECT);
        let live = task.phase.is_live();
        let step = if moved || !task.step.is_empty() {
            symbols.keep_or_intern_in(held.step, &task.step, Class::STEP)
        } else {
            held.step
        };
        let progress = match task.progress {
            Some(n) => n.min(100),
            None if live && !moved => held.progress,
            None => NO_PERCENT,
        };
        let failure = match &task.failure {
            Some(told) => {
                let f = self.tasks.failures.get(held.failure);
                let new = Failure {
                    code: symbols.keep_or_intern(f.code, &told.code),
                    message: symbols.keep_or_intern(f.message, &told.message),
                    operation: symbols.keep_or_intern(f.operation, &told.operation),
                    http: told.http_status.unwrap_or(0),
                };
                if held.failure != 0 && new == f {
                    held.failure
                } else {
                    self.tasks.failures.intern(new)
                }
            }
            None if moved => 0,
            None => held.failure,
        };
        let told =
            |told: Option<Timestamp>, held: i64| if told.is_some() { pack(told) } else { held };
        let started = told(task.started_at, held.started);
        let updated = told(task.updated_at, held.updated);
        let ended = match task.ended_at {
            Some(t) => t.0,
            None if live || moved => NEVER,
            None => held.ended,
        };
        let when = if started != NEVER {
            started
        } else if held.when != NEVER {
            held.when
        } else {
            pack(task.updated_at.or(task.ended_at).or(Some(now)))
        };
        let mut flags = held.flags & !(tasks::LOST | tasks::THEIR_CANCEL | tasks::THEIR_START);
        if moved {
            flags &= !(tasks::OUR_CANCEL | tasks::OUR_START);
        }
        // a history may go on showing what was cleared; only the list it was cleared from knows better
        if moved || source.lists_failed {
            flags &= !tasks::CLEARED;
        }
        flags |= match task.asked {
            Some(Asked::Cancel) => tasks::THEIR_CANCEL,
            Some(Asked::Start) => tasks::THEIR_START,
            None => 0,
        };
        if before.is_none_or(|b| b.operation != operation) {
            self.learn_operation(operation);
        }
        Row {
            phase: task.phase,
            flags,
            progress,
            device,
            policy,
            operation,
            status,
            step,
            object,
            failure,
            started,
            updated,
            ended,
            when,
        }
    }
}
