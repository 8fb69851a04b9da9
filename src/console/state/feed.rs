//! The feed of transitions: which one is under the cursor.

use crate::store::Store;

use super::super::thing::Thing;

/// The feed's cursor, by the number of a transition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FeedPane {
    /// The transition under the cursor; `None` follows the newest.
    pub at: Option<u64>,
}

/// The numbers of the oldest and the newest transition that are held.
fn held(store: &Store) -> Option<(u64, u64)> {
    let log = store.log();
    let last = log.last_seq();
    let len = u64::try_from(log.len()).ok().filter(|n| *n > 0)?;
    Some((last - len + 1, last))
}

impl FeedPane {
    /// The number of the transition under the cursor: what was there may have been forgotten since.
    #[must_use]
    pub fn number(&self, store: &Store) -> Option<u64> {
        let (first, last) = held(store)?;
        Some(self.at.map_or(last, |n| n.clamp(first, last)))
    }

    /// How many transitions are newer than the one under the cursor.
    #[must_use]
    pub fn newer(&self, store: &Store) -> u64 {
        self.number(store)
            .map_or(0, |n| store.log().last_seq().saturating_sub(n))
    }

    /// Moves by so many transitions; towards the newest is positive. At the newest it follows again.
    pub fn step(&mut self, by: isize, store: &Store) {
        let (Some(at), Some((first, last))) = (self.number(store), held(store)) else {
            return;
        };
        let by = i64::try_from(by).unwrap_or(0);
        let to = at.saturating_add_signed(by).clamp(first, last);
        self.at = (to < last).then_some(to);
    }

    /// Goes to the oldest.
    pub fn first(&mut self, store: &Store) {
        self.at = held(store).map(|(first, _)| first);
    }

    /// Follows the newest.
    pub fn last(&mut self) {
        self.at = None;
    }

    /// The task under the cursor.
    #[must_use]
    pub fn cursor_thing(&self, store: &Store) -> Option<Thing> {
        let number = self.number(store)?;
        let logged = store.log().after(number - 1).next()?;
        Some(Thing::Task(logged.row()))
    }
}
