//! Failed jobs that somebody took: who, since when, until when, and whether that still holds.
//!
//! An acknowledgement is about one task. It ends by itself when the same thing (the same operation on the same
//! device, for the same policy as far as both tell one) fails again and nobody took that failure, when the task's
//! own status changes, or when its time runs out; it is resolved when the same thing succeeds later. What failed
//! stays failed in every count and statistic.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use uuid::Uuid;

use super::changed::FieldSet;
use super::history::{Remark, RemarkKind, Sort};
use super::slots::NOWHERE;
use super::symbols::Sym;
use super::tasks::{self, Row, at};
use super::{Store, TaskRow};
use crate::model::{Phase, ServiceId, Timestamp};
use crate::query::Field;

/// An acknowledgement of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ack {
    /// The remark's id, to take it back by.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub operator: String,
    /// What was said; may be empty.
    pub text: String,
    /// Until when it holds.
    pub until: Option<Timestamp>,
    /// The task's status word when it was acknowledged; empty where that was not told.
    pub status: String,
}

/// Whether an acknowledgement still holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AckState {
    /// Somebody has it.
    Holding,
    /// The same thing succeeded later: nothing is left to do.
    Resolved,
    /// The same thing failed again since.
    FailedAgain,
    /// The task's own status changed since.
    Changed,
    /// Its time ran out.
    RanOut,
}

impl AckState {
    /// True while the job needs nobody's attention.
    #[must_use]
    pub const fn is_acknowledged(self) -> bool {
        matches!(self, Self::Holding | Self::Resolved)
    }

    /// The word for it, as in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holding => "holding",
            Self::Resolved => "resolved",
            Self::FailedAgain => "failed again",
            Self::Changed => "changed since",
            Self::RanOut => "ran out",
        }
    }
}

/// The acknowledgements and notes that are known.
#[derive(Default)]
pub(super) struct Acks {
    /// By service and task.
    known: HashMap<(u16, Box<str>), Ack>,
    /// Notes by service and task, oldest first.
    notes: HashMap<(u16, Box<str>), Vec<Remark>>,
    /// Those of tasks that are held.
    rows: BTreeMap<u32, AckState>,
    /// Devices and policies whose tasks decide.
    devices: super::bits::Bits,
    policies: super::bits::Bits,
    /// Something happened that may decide one.
    dirty: bool,
    /// When the next one runs out.
    ends: Option<Timestamp>,
}

/// Two of what a task worked on are the same as far as both tell one.
const fn alike(a: u32, b: u32) -> bool {
    a == b || a == NOWHERE || b == NOWHERE
}

impl Store {
    /// A task came or changed: it may bear on an acknowledgement.
    pub(super) fn heed_acks(&mut self, new: bool, row: &Row) {
        let acks = &self.acks;
        if acks.known.is_empty() || acks.dirty {
            return;
        }
        self.acks.dirty = acks.devices.has(self.devices.shown(row.device))
            || acks.policies.has(self.policies.shown(row.policy))
            || (new && acks.rows.len() < acks.known.len());
    }

    /// Replaces everything known of acknowledgements and notes by what these remarks, oldest first, say.
    pub fn set_remarks(&mut self, remarks: &[Remark], now: Timestamp) {
        let taken_back: hashbrown::HashSet<Uuid> =
            remarks.iter().filter_map(|r| r.takes_back).collect();
        let mut known = HashMap::new();
        let mut notes: HashMap<_, Vec<Remark>> = HashMap::new();
        let standing = remarks
            .iter()
            .filter(|r| r.subject.sort == Sort::Task && !taken_back.contains(&r.id));
        for remark in standing {
            let named = |s: &&super::ServiceState| *s.service.name == *remark.subject.service;
            let Some(service) = self.services.iter().find(named).map(|s| s.service.id) else {
                continue;
            };
            let key = (service.0, remark.subject.id.as_str().into());
            match remark.kind {
                RemarkKind::Acknowledged => {
                    let ack = Ack {
                        id: remark.id,
                        at: remark.at,
                        operator: remark.operator.clone(),
                        text: remark.text.clone(),
                        until: remark.until,
                        status: remark.status.clone(),
                    };
                    known.insert(key, ack);
                }
                RemarkKind::Note => notes.entry(key).or_default().push(remark.clone()),
                RemarkKind::Withdrawn => {}
            }
        }
        let noted = self.acks.notes != notes;
        if noted || self.acks.known != known {
            self.acks.notes = notes;
            self.acks.known = known;
            self.acks.dirty = true;
        }
        self.clock = self.clock.max(now);
        if self.review_acks() || noted {
            self.generation += 1;
        }
    }

    /// Lets what runs out at this instant run out; true when something visible changed.
    pub fn run_out(&mut self, now: Timestamp) -> bool {
        self.clock = self.clock.max(now);
        if self.acks.ends.is_none_or(|t| t > now) {
            return false;
        }
        self.acks.dirty = true;
        let changed = self.review_acks();
        self.generation += u64::from(changed);
        changed
    }

    /// When the next acknowledgement runs out.
    #[must_use]
    pub const fn next_run_out(&self) -> Option<Timestamp> {
        self.acks.ends
    }

    /// Decides anew which acknowledgements hold, where something happened that bears on them; true when one of
    /// them changed.
    pub(super) fn review_acks(&mut self) -> bool {
        if !std::mem::take(&mut self.acks.dirty) {
            return false;
        }
        let now = self.clock;
        self.acks.devices = super::bits::Bits::default();
        self.acks.policies = super::bits::Bits::default();
        let mut rows: Vec<(i64, u32)> = Vec::new();
        for (service, id) in self.acks.known.keys() {
            let Some(row) = self.tasks.find(*service, id) else {
                continue;
            };
            rows.push((at(&self.tasks.when, row, tasks::NEVER), row));
            let held = self.tasks.row(row);
            if held.device != NOWHERE {
                self.acks.devices.insert(self.devices.shown(held.device));
            } else if held.policy != NOWHERE {
                self.acks.policies.insert(self.policies.shown(held.policy));
            }
        }
        // the newest first: whether a newer failure was taken is known then
        rows.sort_unstable_by(|a, b| b.cmp(a));
        let before = std::mem::take(&mut self.acks.rows);
        self.acks.ends = None;
        for (_, row) in rows {
            let Some(ack) = self.ack_of(row) else {
                continue;
            };
            let until = ack.until;
            let state = self.judge(row, ack, now);
            if state == AckState::Holding {
                self.acks.ends = [self.acks.ends, until].into_iter().flatten().min();
            }
            self.acks.rows.insert(row, state);
        }
        let now_or_before: BTreeSet<u32> = before
            .keys()
            .chain(self.acks.rows.keys())
            .copied()
            .collect();
        let moved: Vec<u32> = now_or_before
            .into_iter()
            .filter(|row| before.get(row) != self.acks.rows.get(row))
            .collect();
        for &row in &moved {
            let flags = at(&self.tasks.flags, row, tasks::DEAD);
            let taken = self
                .acks
                .rows
                .get(&row)
                .is_some_and(|s| s.is_acknowledged());
            let after = flags & !tasks::ACKED | if taken { tasks::ACKED } else { 0 };
            tasks::set(&mut self.tasks.flags, row, after);
            self.task_changes
                .note_reckoned(row, FieldSet::of(Field::Ack));
        }
        !moved.is_empty()
    }

    fn ack_of(&self, row: u32) -> Option<&Ack> {
        let service = at(&self.tasks.service, row, u16::MAX);
        let key = (service, self.tasks.ids.get(row).into());
        self.acks.known.get(&key)
    }

    fn judge(&self, row: u32, ack: &Ack, now: Timestamp) -> AckState {
        let held = self.tasks.row(row);
        let mut again = false;
        for other in self.later_of_the_same(row, &held) {
            match at(&self.tasks.phase, other, Phase::Unknown) {
                Phase::Succeeded => return AckState::Resolved,
                phase if phase.needs_person() => {
                    again |= self.acks.rows.get(&other) != Some(&AckState::Holding);
                }
                _ => {}
            }
        }
        let status = self.symbols.get(held.status);
        if again {
            AckState::FailedAgain
        } else if !held.phase.needs_person() || (!ack.status.is_empty() && ack.status != status) {
            AckState::Changed
        } else if ack.until.is_some_and(|t| t <= now) {
            AckState::RanOut
        } else {
            AckState::Holding
        }
    }

    /// Later executions of the same thing.
    fn later_of_the_same(&self, row: u32, held: &Row) -> Vec<u32> {
        let key = |row: u32| (at(&self.tasks.when, row, tasks::NEVER), row);
        let all: Vec<u32> = if held.device != NOWHERE {
            self.devices.tasks(held.device).collect()
        } else if held.policy != NOWHERE {
            self.policies.tasks(held.policy).collect()
        } else {
            return Vec::new();
        };
        let protects = |operation: &Sym| self.protecting.get(operation).copied().unwrap_or(true);
        all.into_iter()
            .filter(|&other| key(other) > key(row))
            .filter(|&other| {
                let o = self.tasks.row(other);
                alike(o.policy, held.policy)
                    && (o.operation == held.operation
                        || (protects(&o.operation) && protects(&held.operation)))
            })
            .collect()
    }

    /// When the same thing first succeeded after this task, where it did.
    #[must_use]
    pub fn succeeded_since(&self, row: TaskRow) -> Option<Timestamp> {
        let held = self.tasks.row(row.0);
        self.later_of_the_same(row.0, &held)
            .into_iter()
            .filter(|other| at(&self.tasks.phase, *other, Phase::Unknown) == Phase::Succeeded)
            .filter_map(|other| super::groups::happened(self, TaskRow(other)))
            .min()
    }

    /// The acknowledgement of a task and whether it holds.
    #[must_use]
    pub fn ack(&self, row: TaskRow) -> Option<(&Ack, AckState)> {
        let state = self.acks.rows.get(&row.0)?;
        Some((self.ack_of(row.0)?, *state))
    }

    /// Notes about a task, oldest first.
    #[must_use]
    pub fn notes(&self, service: ServiceId, task: &str) -> &[Remark] {
        self.acks
            .notes
            .get(&(service.0, task.into()))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Ref, Rows, Service, Task};
    use crate::query::{Noun, Query};
    use crate::store::View;
    use crate::store::history::Subject;

    const S: ServiceId = ServiceId(0);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + minutes * 60)
    }

    fn store() -> Store {
        Store::new(vec![Service {
            id: S,
            name: "otc-eu".into(),
            kind: Kind("csbs"),
            embedded: false,
            read_only: false,
        }])
    }

    fn task(id: &str, phase: Phase, started: i64) -> Task {
        Task {
            id: id.into(),
            device: Some(Ref::new("d1", "ecs-1")),
            policy: Some(Ref::new("p1", "nightly")),
            operation: "backup".into(),
            native_status: phase.word().into(),
            phase,
            started_at: Some(at(started)),
            ended_at: (!phase.is_live()).then(|| at(started + 1)),
            ..Task::default()
        }
    }

    fn tell(store: &mut Store, task: Task) {
        let rows = Rows {
            tasks: vec![task],
            ..Rows::default()
        };
        store.apply(S, "tasks", 0, rows, at(0));
    }

    fn ack(id: &str) -> Remark {
        let subject = Subject::new("otc-eu", Sort::Task, id);
        Remark::new(RemarkKind::Acknowledged, subject, "known", at(10)).while_status("failed")
    }

    fn state(store: &Store, id: &str) -> Option<AckState> {
        let row = store.find_task(S, id).expect("a task");
        let state = store.ack(row).map(|(_, state)| state);
        let taken = state.is_some_and(AckState::is_acknowledged);
        assert_eq!(store.task(row).is_acknowledged(), taken);
        state
    }

    #[test]
    fn a_taken_job_is_still_failed_and_can_be_asked_for() {
        let mut store = store();
        tell(&mut store, task("t1", Phase::Failed, 0));
        let mut open = View::new(Noun::Failed);
        open.set_query(Query::parse("ack:no").expect("a query"));
        let mut hiding = View::new(Noun::Failed);
        hiding.hide_acknowledged(true);
        for view in [&mut open, &mut hiding] {
            view.refresh(&store, at(10));
            assert_eq!(view.len(), 1);
        }
        let generation = store.generation();
        store.set_remarks(&[ack("t1")], at(10));
        assert!(store.generation() > generation);
        assert_eq!(state(&store, "t1"), Some(AckState::Holding));
        for view in [&mut open, &mut hiding] {
            view.refresh(&store, at(10));
            assert_eq!(view.len(), 0);
        }
        let counts = store.counts(at(10));
        assert_eq!(
            (counts.failed, counts.acknowledged, counts.open()),
            (1, 1, 0)
        );
        let device = store.task(TaskRow(0)).device_row().expect("a device");
        assert_eq!(store.device(device).stats().streak, 1, "statistics keep it");
        let taken = ack("t1");
        store.set_remarks(&[taken.clone(), taken.withdrawal("", at(11))], at(11));
        assert_eq!(state(&store, "t1"), None);
        open.refresh(&store, at(11));
        assert_eq!(open.len(), 1);
    }

    #[test]
    fn another_failure_of_the_same_thing_ends_it_until_that_is_taken_too() {
        let mut store = store();
        store.set_remarks(&[ack("t1")], at(10));
        tell(&mut store, task("t1", Phase::Failed, 0));
        assert_eq!(
            state(&store, "t1"),
            Some(AckState::Holding),
            "it came later"
        );
        tell(&mut store, task("t2", Phase::Running, 20));
        assert_eq!(state(&store, "t1"), Some(AckState::Holding));
        let mut other = task("t3", Phase::Failed, 21);
        other.policy = Some(Ref::new("p2", "weekly"));
        tell(&mut store, other);
        assert_eq!(
            state(&store, "t1"),
            Some(AckState::Holding),
            "another policy"
        );
        tell(&mut store, task("t2", Phase::Failed, 20));
        assert_eq!(state(&store, "t1"), Some(AckState::FailedAgain));
        store.set_remarks(&[ack("t1"), ack("t2")], at(30));
        assert_eq!(state(&store, "t1"), Some(AckState::Holding));
        assert_eq!(state(&store, "t2"), Some(AckState::Holding));
    }

    #[test]
    fn a_later_success_resolves_it_for_good() {
        let mut store = store();
        tell(&mut store, task("t1", Phase::Failed, 0));
        store.set_remarks(&[ack("t1")], at(10));
        let mut restore = task("t2", Phase::Succeeded, 15);
        restore.operation = "restore".into();
        tell(&mut store, restore);
        assert_eq!(state(&store, "t1"), Some(AckState::Holding), "no backup");
        tell(&mut store, task("t3", Phase::Succeeded, 20));
        assert_eq!(state(&store, "t1"), Some(AckState::Resolved));
        tell(&mut store, task("t4", Phase::Failed, 30));
        assert_eq!(state(&store, "t1"), Some(AckState::Resolved));
        assert_eq!(store.counts(at(31)).open(), 1, "the new one");
    }

    #[test]
    fn it_ends_with_its_time_and_with_the_status_that_it_was_about() {
        let mut store = store();
        tell(&mut store, task("t1", Phase::Failed, 0));
        store.set_remarks(&[ack("t1").until(at(60))], at(10));
        assert_eq!(store.next_run_out(), Some(at(60)));
        assert!(!store.run_out(at(59)));
        assert!(store.run_out(at(60)));
        assert_eq!(state(&store, "t1"), Some(AckState::RanOut));
        assert_eq!(store.next_run_out(), None);
        store.set_remarks(&[ack("t1")], at(61));
        assert_eq!(state(&store, "t1"), Some(AckState::Holding));
        let mut moved = task("t1", Phase::Uncertain, 0);
        moved.native_status = "lost contact".into();
        tell(&mut store, moved);
        assert_eq!(state(&store, "t1"), Some(AckState::Changed));
    }
}
