//! The feed of transitions across all services.

use super::log::{Entry, IN_FEED};
use super::{Store, TaskRow};
use crate::model::{Phase, Timestamp, Transition};

/// The last transitions across all services; at most two thousand.
#[derive(Clone, Copy)]
pub struct FeedLog<'a> {
    store: &'a Store,
}

/// A transition of the feed with its place and its task.
#[derive(Clone, Copy)]
pub struct Logged<'a> {
    store: &'a Store,
    entry: &'a Entry,
    /// Its number: rises by one with every transition of the run, from 1.
    pub seq: u64,
}

impl<'a> Logged<'a> {
    /// The task.
    #[must_use]
    pub const fn row(&self) -> TaskRow {
        TaskRow(self.entry.row)
    }

    /// The status before; `None` when the task was new to us.
    #[must_use]
    pub fn from(&self) -> Option<&'a str> {
        self.entry
            .from_phase
            .map(|_| self.store.symbols.get(self.entry.from))
    }

    /// The status after.
    #[must_use]
    pub fn to(&self) -> &'a str {
        self.store.symbols.get(self.entry.to)
    }

    /// The phase before; `None` when the task was new to us.
    #[must_use]
    pub const fn from_phase(&self) -> Option<Phase> {
        self.entry.from_phase
    }

    /// The phase after.
    #[must_use]
    pub const fn to_phase(&self) -> Phase {
        self.entry.to_phase
    }

    /// When keepwatch saw it.
    #[must_use]
    pub const fn seen_at(&self) -> Timestamp {
        self.entry.seen_at
    }

    /// When it happened by the service's clock, where the record tells.
    #[must_use]
    pub const fn reported_at(&self) -> Option<Timestamp> {
        self.entry.reported_at
    }

    /// The transition as plain data.
    #[must_use]
    pub fn transition(&self) -> Transition {
        self.store.transition_of(self.entry)
    }
}

impl<'a> FeedLog<'a> {
    pub(super) const fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// How many transitions the feed holds.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.store.log.count()).map_or(IN_FEED, |n| n.min(IN_FEED))
    }

    /// True when no transition was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the newest transition; 0 when there is none.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.store.log.count()
    }

    /// The transitions, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = Logged<'a>> + 'a {
        let store = self.store;
        let last = store.log.count();
        (0..self.len() as u64).filter_map(move |back| logged(store, last - back))
    }

    /// The transitions after this number, oldest first, as far as they are held.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = Logged<'a>> + 'a {
        let store = self.store;
        let last = store.log.count();
        let first = seq.max(last - self.len() as u64) + 1;
        (first..=last).filter_map(move |n| logged(store, n))
    }
}

fn logged(store: &Store, seq: u64) -> Option<Logged<'_>> {
    store.log.get(seq).map(|entry| Logged { store, entry, seq })
}

impl Store {
    pub(super) fn transition_of(&self, e: &Entry) -> Transition {
        Transition {
            from: e.from_phase.map(|_| self.symbols.get(e.from).to_owned()),
            to: self.symbols.get(e.to).to_owned(),
            from_phase: e.from_phase,
            to_phase: e.to_phase,
            seen_at: e.seen_at,
            reported_at: e.reported_at,
        }
    }
}
