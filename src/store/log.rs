//! Transitions as they were seen: the feed across all services and each task's own past.

use super::TaskRow;
use super::symbols::Sym;
use crate::model::{Phase, Timestamp};

/// So many transitions are held in memory.
const KEPT: usize = 1 << 16;
/// So many stand in the feed.
pub(super) const IN_FEED: usize = 2_000;

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    /// The transition before it of the same task, counted from 1; 0 for none.
    before: u64,
    pub(super) from: Sym,
    pub(super) to: Sym,
    /// `None` when the task was new.
    pub(super) from_phase: Option<Phase>,
    pub(super) to_phase: Phase,
    pub(super) seen_at: Timestamp,
    pub(super) reported_at: Option<Timestamp>,
}

/// A ring of transitions, in the order in which they were seen.
#[derive(Default)]
pub(super) struct Log {
    ring: Vec<Entry>,
    /// How many were ever added.
    count: u64,
    /// The first so many came out of history.
    pub(super) remembered: u64,
}

impl Log {
    /// Adds a transition; `last` is the number of the task's transition before. Gives its number.
    pub(super) fn push(&mut self, last: u64, mut entry: Entry) -> u64 {
        entry.before = last;
        let at = (self.count % KEPT as u64) as usize;
        match self.ring.get_mut(at) {
            Some(slot) => *slot = entry,
            None => self.ring.push(entry),
        }
        self.count += 1;
        self.count
    }

    /// An entry to be filled in by [`Log::push`].
    #[allow(clippy::too_many_arguments)]
    pub(super) const fn entry(
        row: TaskRow,
        from: Sym,
        to: Sym,
        from_phase: Option<Phase>,
        to_phase: Phase,
        seen_at: Timestamp,
        reported_at: Option<Timestamp>,
    ) -> Entry {
        Entry {
            row: row.0,
            before: 0,
            from,
            to,
            from_phase,
            to_phase,
            seen_at,
            reported_at,
        }
    }

    /// The transition with this number (from 1), while it is held.
    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        let index = number.checked_sub(1)?;
        if index >= self.count || self.count - index > KEPT as u64 {
            return None;
        }
        self.ring.get((index % KEPT as u64) as usize)
    }

    /// The texts that the ring refers to.
    pub(super) fn symbols(&self) -> impl Iterator<Item = (Sym, Sym)> + '_ {
        self.ring.iter().map(|e| (e.from, e.to))
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// A task's transitions, newest first, as far as they are held.
    pub(super) fn of(&self, row: u32, last: u64) -> impl Iterator<Item = &Entry> {
        let mut number = last;
        std::iter::from_fn(move || {
            let entry = self.get(number).filter(|e| e.row == row)?;
            number = entry.before;
            Some(entry)
        })
    }
}
