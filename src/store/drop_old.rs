//! Dropping old tasks beyond a cap: what ended well, and failures that a later good backup of the same device made
//! good. What lives or still needs a person is never dropped, nor the last good backup of anything.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Store;
use super::bits::Bits;
use super::changed::FieldSet;
use super::log::IN_FEED;
use super::outcomes;
use super::parties::outcome_of;
use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{self, NEVER, at, set};
use crate::model::{Phase, Timestamp};

/// The ages of about so many tasks tell how old the oldest are.
const SAMPLE: usize = 4_096;
/// How many tasks are held unless said otherwise.
pub(super) const CAP: usize = 2_000_000;
/// A dropped row's number is not given to another task for so long, in milliseconds: by then no view
/// and no mark means the old one.
const REST_MS: i64 = 5 * 60_000;

/// So many tasks beyond the cap are dropped together.
const fn piece(cap: usize) -> usize {
    cap / 256
}

/// What is known about dropped tasks.
pub(super) struct Dropping {
    cap: usize,
    /// Nothing is looked for before more tasks than this are held: where most failed, little can be dropped, and
    /// looking takes its time.
    beyond: usize,
    /// The oldest tasks, which go next, some at a time: a key never waits until all of them are gone.
    next: BinaryHeap<Reverse<(i64, u32)>>,
    /// Tasks that ended no later than this are not taken in again.
    pub(super) horizon: i64,
    /// Rows whose task was dropped, with the time.
    rest: VecDeque<(Timestamp, u32)>,
}

impl Dropping {
    pub(super) const fn new(cap: usize) -> Self {
        Self {
            cap,
            beyond: cap.saturating_add(piece(cap)),
            next: BinaryHeap::new(),
            horizon: NEVER,
            rest: VecDeque::new(),
        }
    }
}

impl Store {
    /// Holds at most about so many tasks; older ones are dropped, never live ones or failures that nothing made good.
    #[must_use]
    pub fn with_task_cap(mut self, tasks: usize) -> Self {
        self.dropping = Dropping::new(tasks);
        self
    }

    /// A row that may be given to a new task, where one has rested long enough.
    pub(super) fn free_row(&mut self) -> Option<u32> {
        let &(dropped_at, row) = self.dropping.rest.front()?;
        if self.clock.since(dropped_at) < REST_MS {
            return None;
        }
        self.dropping.rest.pop_front();
        let last = at(&self.tasks.transition, row, 0);
        if last != 0 && last + IN_FEED as u64 > self.log.count() {
            // the feed still names it
            self.dropping.rest.push_back((self.clock, row));
            return None;
        }
        Some(row)
    }

    /// True when a task is so old that it would only be dropped again.
    pub(super) fn is_too_old(&self, row: &tasks::Row) -> bool {
        row.when <= self.dropping.horizon && self.is_settled(row)
    }

    /// True for a task that is over and tells nothing that later ones don't: the last good backup of a device or
    /// policy is kept, and so is a failure until the same thing has a good backup again.
    fn is_settled(&self, row: &tasks::Row) -> bool {
        let failed = row.phase.needs_person();
        if row.phase != Phase::Succeeded && !failed {
            return !row.phase.is_live();
        }
        let known = self.protecting.get(&row.operation).copied();
        if !known.unwrap_or_else(|| outcomes::protects(self.symbols.get(row.operation))) {
            return !failed;
        }
        let device = self.devices.get(row.device).map(|slot| &slot.tally);
        let policy = self.policies.get(row.policy).map(|slot| &slot.tally);
        if failed {
            device
                .or(policy)
                .is_some_and(|t| t.has_good_after(row.when))
        } else {
            let mut both = device.into_iter().chain(policy);
            both.all(|t| t.has_good_after(row.when))
        }
    }

    /// True when there are so many tasks that old ones should go.
    pub(super) fn is_full(&self) -> bool {
        self.task_count() > self.dropping.beyond
    }

    /// The oldest tasks of which nothing more has to come, at most so many. Most tasks are settled: only the oldest are
    /// looked at more closely.
    fn oldest_settled(&mut self, wanted: usize) -> Vec<(i64, u32)> {
        let mut settled = self.next_settled(wanted);
        let mut near = wanted.max(self.dropping.cap / 16);
        while settled.len() < wanted {
            // those that were looked at are still there, and come up again
            self.dropping.next = self.oldest(near);
            let all = self.dropping.next.len() == self.task_count();
            settled = self.next_settled(wanted);
            if all {
                break;
            }
            near = near.saturating_mul(4);
        }
        settled
    }

    /// Those of the next ones that can go, at most so many.
    fn next_settled(&mut self, wanted: usize) -> Vec<(i64, u32)> {
        let mut settled = Vec::new();
        while settled.len() < wanted
            && let Some(Reverse((when, row))) = self.dropping.next.pop()
        {
            let is_still = self.alive.has(row) && at(&self.tasks.when, row, NEVER) == when;
            if is_still && self.is_settled(&self.tasks.row(row)) {
                settled.push((when, row));
            }
        }
        settled
    }

    /// About so many of the oldest tasks, found by the ages of some.
    fn oldest(&self, near: usize) -> BinaryHeap<Reverse<(i64, u32)>> {
        let when = |row| at(&self.tasks.when, row, NEVER);
        let every = self.task_count().div_ceil(SAMPLE).max(1);
        let mut sample: Vec<i64> = self.alive.iter().step_by(every).map(when).collect();
        sample.sort_unstable();
        let limit = sample.get(near / every).copied().unwrap_or(i64::MAX);
        let aged = self.alive.iter().map(|row| (when(row), row));
        aged.filter(|(when, _)| *when <= limit)
            .map(Reverse)
            .collect()
    }

    /// Drops the oldest tasks; true when there were any. Statistics have to be up to date, and are not afterwards.
    pub(super) fn drop_old(&mut self) -> bool {
        let held = self.task_count();
        let cap = self.dropping.cap;
        let wanted = held.saturating_sub(cap);
        let old = self.oldest_settled(wanted);
        let more = if old.len() < wanted {
            cap / 16
        } else {
            piece(cap)
        };
        self.dropping.beyond = (held - old.len()).saturating_add(more);
        if old.is_empty() {
            return false;
        }
        let mut dropped = Bits::default();
        let mut slots = (Bits::default(), Bits::default());
        for &(when, row) in &old {
            self.dropping.horizon = self.dropping.horizon.max(when);
            self.dropping.rest.push_back((self.clock, row));
            dropped.insert(row);
            let held = self.tasks.row(row);
            let outcome = outcome_of(row, &held, &self.protecting);
            if held.device != NOWHERE {
                slots.0.insert(held.device);
                self.devices.uncount(held.device, &outcome);
            }
            if held.policy != NOWHERE {
                slots.1.insert(held.policy);
                self.policies.uncount(held.policy, &outcome);
            }
            if let Some(state) = self
                .services
                .get_mut(at(&self.tasks.service, row, u16::MAX) as usize)
                && let Some(n) = state.phases.get_mut(held.phase as usize)
            {
                *n = n.saturating_sub(1);
            }
            self.tasks.ids.remove(&self.tasks.service, row);
            set(&mut self.tasks.flags, row, tasks::DEAD);
            for column in [
                &mut self.tasks.status,
                &mut self.tasks.step,
                &mut self.tasks.object,
            ] {
                set(column, row, Sym::EMPTY);
            }
            set(&mut self.tasks.operation, row, Sym::EMPTY);
            set(&mut self.tasks.failure, row, 0);
            set(&mut self.tasks.device, row, NOWHERE);
            set(&mut self.tasks.policy, row, NOWHERE);
            self.attic.forget(row);
            // history keeps it
            self.task_changes.note_reckoned(row, FieldSet::ALL);
        }
        self.tasks.ids.compact_if_many();
        self.alive.subtract(&dropped);
        self.attention.subtract(&dropped);
        forget(&mut self.devices, &slots.0, &dropped);
        forget(&mut self.policies, &slots.1, &dropped);
        for feed in self.services.iter_mut().flat_map(|s| &mut s.feeds) {
            feed.tasks.held.subtract(&dropped);
            feed.tasks.now.subtract(&dropped);
            for page in &mut feed.pages {
                for row in &mut page.tasks {
                    if *row != NOWHERE && dropped.has(*row) {
                        *row = NOWHERE;
                    }
                }
            }
        }
        true
    }
}

fn forget<T>(slots: &mut Slots<T>, rows: &Bits, dropped: &Bits) {
    for row in rows.iter() {
        if let Some(slot) = slots.get_mut(row) {
            slot.tasks.retain(|t| !dropped.has(*t));
        }
    }
}
