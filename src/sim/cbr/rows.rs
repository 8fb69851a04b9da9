//! Rows that are made in the order of time and found by a running number: tasks, backups, checkpoints.
//!
//! Numbers never come again, and ids are scrambled numbers (see [`crate::sim::ids`]), so that a million rows need no
//! table of ids. The few rows that are not at rest are indexed by their [`Row::slot`].

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// What can be kept in [`Rows`].
pub(super) trait Row {
    /// Whether the row is there no more; its place is given up once it is the oldest.
    fn gone(&self) -> bool;
    /// When it was made, in microseconds since 1970.
    fn created(&self) -> i64;
    /// In which index it stands, if in any.
    fn slot(&self) -> Option<usize>;
}

/// How many indexes there are.
pub(super) const SLOTS: usize = 8;

/// The rows of one sort.
#[derive(Debug)]
pub(super) struct Rows<T> {
    rows: VecDeque<T>,
    /// Number of the first row.
    base: u64,
    live: usize,
    slots: [BTreeSet<u64>; SLOTS],
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            base: 0,
            live: 0,
            slots: Default::default(),
        }
    }
}

impl<T: Row> Rows<T> {
    /// How many there are.
    pub fn live(&self) -> usize {
        self.live
    }

    /// The numbers in use, some of which may be gone.
    pub fn range(&self) -> Range<u64> {
        self.base..self.base + self.rows.len() as u64
    }

    /// Adds a row and says its number.
    pub fn push(&mut self, row: T) -> u64 {
        let number = self.range().end;
        if let Some(set) = row.slot().and_then(|slot| self.slots.get_mut(slot)) {
            set.insert(number);
        }
        self.live += 1;
        self.rows.push_back(row);
        number
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.base)?).ok()
    }

    /// The row of that number.
    pub fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(self.index(number)?).filter(|row| !row.gone())
    }

    /// Changes a row and keeps the indexes right; what the change answers.
    pub fn change<R>(&mut self, number: u64, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let index = self.index(number)?;
        let row = self.rows.get_mut(index).filter(|row| !row.gone())?;
        let before = row.slot();
        let answer = change(row);
        let (after, gone) = (row.slot(), row.gone());
        if before != after {
            if let Some(set) = before.and_then(|slot| self.slots.get_mut(slot)) {
                set.remove(&number);
            }
            if let Some(set) = after.and_then(|slot| self.slots.get_mut(slot)) {
                set.insert(number);
            }
        }
        if gone {
            self.live -= 1;
            while self.rows.front().is_some_and(Row::gone) {
                self.rows.pop_front();
                self.base += 1;
            }
        }
        Some(answer)
    }

    /// The numbers in one index, oldest first.
    pub fn in_slot(&self, slot: usize) -> impl DoubleEndedIterator<Item = u64> {
        self.slots.get(slot).into_iter().flatten().copied()
    }

    /// How many are in one index.
    pub fn count(&self, slot: usize) -> usize {
        self.slots.get(slot).map_or(0, BTreeSet::len)
    }

    /// The first number that was made at or after `micros`.
    pub fn made_from(&self, micros: i64) -> u64 {
        self.base + self.rows.partition_point(|row| row.created() < micros) as u64
    }

    /// All rows with their numbers, newest first.
    pub fn newest(&self) -> impl Iterator<Item = (u64, &T)> {
        self.range()
            .rev()
            .zip(self.rows.iter().rev())
            .filter(|(_, row)| !row.gone())
    }

    /// All rows with their numbers, oldest first.
    pub fn oldest(&self) -> impl Iterator<Item = (u64, &T)> {
        self.range()
            .zip(self.rows.iter())
            .filter(|(_, row)| !row.gone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Thing(i64, Option<usize>, bool);

    impl Row for Thing {
        fn gone(&self) -> bool {
            self.2
        }
        fn created(&self) -> i64 {
            self.0
        }
        fn slot(&self) -> Option<usize> {
            self.1.filter(|_| !self.2)
        }
    }

    #[test]
    fn indexes_and_the_front_follow_the_rows() {
        let mut rows = Rows::default();
        for n in 0..5 {
            assert_eq!(rows.push(Thing(n * 10, Some(1), false)), n as u64);
        }
        rows.change(1, |row| row.1 = None);
        rows.change(2, |row| row.1 = Some(3));
        assert_eq!(rows.in_slot(1).collect::<Vec<_>>(), [0, 3, 4]);
        assert_eq!((rows.count(3), rows.made_from(25)), (1, 3));
        rows.change(1, |row| row.2 = true);
        assert!(rows.get(1).is_none() && rows.change(1, |_| ()).is_none());
        assert_eq!((rows.live(), rows.range()), (4, 0..5));
        rows.change(0, |row| row.2 = true);
        assert_eq!((rows.live(), rows.range()), (3, 2..5));
        let newest: Vec<u64> = rows.newest().map(|(number, _)| number).collect();
        assert_eq!(newest, [4, 3, 2]);
        assert_eq!(rows.oldest().next().map(|(number, _)| number), Some(2));
        assert_eq!(rows.in_slot(1).collect::<Vec<_>>(), [3, 4]);
    }
}
