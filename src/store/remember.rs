//! Taking in what history knew, before any service answers.

use super::fold::Source;
use super::history::{Board, Entry, Happened};
use super::log::Log;
use super::slots::NOWHERE;
use super::{ServiceState, Store, TaskRow, tasks};
use crate::model::{Health, ServiceId, Task, Timestamp};

/// What was taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Remembered {
    /// Tasks.
    pub tasks: usize,
    /// Devices.
    pub devices: usize,
    /// Policies.
    pub policies: usize,
    /// The oldest of the services' last answers: how old what was taken in may be.
    pub oldest: Option<Timestamp>,
}

impl Remembered {
    /// True when nothing was known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tasks + self.devices + self.policies == 0
    }
}

impl Store {
    /// Takes in what was known of the services of this run. What a service told already in this run stays as it
    /// is. Each service that did not answer yet is stale from its last known answer on.
    ///
    /// `feeds`: the lists of each service, in the order of the services, so that what a list no longer shows is
    /// noticed.
    pub fn remember(&mut self, board: Board, feeds: &[Vec<&'static str>]) -> Remembered {
        let mut taken = Remembered::default();
        let ids: Vec<Option<ServiceId>> = board
            .services
            .iter()
            .map(|known| {
                let same = |s: &&ServiceState| {
                    *s.service.name == *known.service.name
                        && s.service.kind.name() == &*known.service.kind
                };
                self.services.iter().find(same).map(|s| s.service.id)
            })
            .collect();
        let id_of = |n: usize| ids.get(n).copied().flatten();
        let named = |id: ServiceId, names: &[String]| -> Vec<&'static str> {
            let known = feeds.get(id.index()).map_or(&[][..], Vec::as_slice);
            known
                .iter()
                .copied()
                .filter(|f| names.iter().any(|n| n == f))
                .collect()
        };
        let answered = |n: usize| board.services.get(n).and_then(|s| s.answered_at);
        for known in board.devices {
            let Some(id) = id_of(known.service) else {
                continue;
            };
            if self.find_device(id, &known.device.id).is_some() {
                continue;
            }
            let at = answered(known.service).unwrap_or_default();
            let (row, _) = self.put_device(id, known.device, at);
            for feed in named(id, &known.feeds) {
                if let Some(state) = self.services.get_mut(id.index()) {
                    state.feed_mut(feed).devices.held.insert(row);
                }
            }
            taken.devices += 1;
        }
        for known in board.policies {
            let Some(id) = id_of(known.service) else {
                continue;
            };
            if self.find_policy(id, &known.policy.id).is_some() {
                continue;
            }
            let at = answered(known.service).unwrap_or_default();
            self.put_policy(id, known.policy, at);
            taken.policies += 1;
        }
        for known in board.tasks {
            let Some(id) = id_of(known.service) else {
                continue;
            };
            if self.find_task(id, &known.task.id).is_some() {
                continue;
            }
            let at = answered(known.service).unwrap_or_default();
            let row = self.remember_task(id, known.task, (known.lost, known.cleared), at);
            if row == NOWHERE {
                continue;
            }
            for feed in named(id, &known.feeds) {
                if let Some(state) = self.services.get_mut(id.index()) {
                    state.feed_mut(feed).tasks.held.insert(row);
                }
            }
            taken.tasks += 1;
        }
        for (known, id) in board.services.iter().zip(&ids) {
            let (Some(id), Some(at)) = (id, known.answered_at) else {
                continue;
            };
            taken.oldest = Some(taken.oldest.map_or(at, |oldest| oldest.min(at)));
            if let Some(state) = self.services.get_mut(id.index()) {
                state.known_at = Some(at);
                if state.health == Health::Connecting {
                    state.health = Health::Stale { since: at };
                }
            }
        }
        self.settle(!taken.is_empty(), false);
        taken
    }

    fn remember_task(
        &mut self,
        id: ServiceId,
        task: Task,
        (lost, cleared): (bool, bool),
        at: Timestamp,
    ) -> u32 {
        let source = Source {
            news: false,
            lists_failed: false,
        };
        let mut row = self.fold(id, None, &task, source, at);
        if self.is_too_old(&row) {
            return NOWHERE;
        }
        if lost {
            row.flags |= tasks::LOST;
        }
        if cleared {
            row.flags |= tasks::CLEARED;
        }
        let number = self.add(id, &task.id, row);
        let first = row.phase.concerns_people();
        self.attic
            .put(number, first, row.when, task.raw, task.facts);
        self.remembered.insert(number);
        number
    }

    /// Takes in transitions that history knew, oldest first, while none was seen in this run.
    pub fn remember_moves(&mut self, entries: &[Entry]) {
        if self.log.count() > 0 {
            return;
        }
        for entry in entries {
            let Happened::Moved {
                task, transition, ..
            } = &entry.happened
            else {
                continue;
            };
            let service = self
                .services
                .iter()
                .find(|s| *s.service.name == *entry.service)
                .map(|s| s.service.id);
            let Some(TaskRow(row)) = service.and_then(|id| self.find_task(id, task)) else {
                continue;
            };
            // what was seen when keepwatch first met a task is no news
            let (Some(from), Some(from_phase)) = (&transition.from, transition.from_phase) else {
                continue;
            };
            let from = self.symbols.intern(from);
            let to = self.symbols.intern(&transition.to);
            let logged = Log::entry(
                TaskRow(row),
                from,
                to,
                Some(from_phase),
                transition.to_phase,
                transition.seen_at,
                transition.reported_at,
            );
            let last = tasks::at(&self.tasks.transition, row, 0);
            let this = self.log.push(last, logged);
            tasks::set(&mut self.tasks.transition, row, this);
        }
        self.log.remembered = self.log.count();
        if self.log.remembered > 0 {
            self.generation += 1;
        }
    }
}
