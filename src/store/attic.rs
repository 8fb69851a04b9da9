//! The services' own records and further facts, within a budget of bytes.
//!
//! What needs a person or is under way comes first; of the rest the newest is kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use crate::model::{RecordsFrom, Timestamp};

/// A fact with its label.
pub(super) type Fact = (&'static str, String);

/// How many bytes of records are kept unless said otherwise.
pub(super) const BUDGET: usize = 48 << 20;
/// With less room than this no older record is taken any more: the largest that are usual.
const ROOM: usize = 4 << 10;

/// What is kept of one task.
#[derive(Default)]
struct Kept {
    raw: Box<str>,
    facts: Vec<Fact>,
    first: bool,
    stamp: u32,
}

impl Kept {
    fn bytes(&self) -> usize {
        let facts: usize = self.facts.iter().map(|(_, v)| v.capacity() + 40).sum();
        self.raw.len() + facts + 96
    }
}

/// Records and facts by row.
pub(super) struct Attic {
    kept: HashMap<u32, Kept>,
    bytes: usize,
    budget: usize,
    stamp: u32,
    /// Oldest first: what matters less, then what matters.
    rest: BinaryHeap<Reverse<(i64, u32, u32)>>,
    first: BinaryHeap<Reverse<(i64, u32, u32)>>,
    /// From when on records are kept, for those that make them.
    pub(super) from: RecordsFrom,
}

/// What putting a record away changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    /// Nothing that a person sees.
    Same,
    /// The facts differ.
    Facts,
}

impl Attic {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            kept: HashMap::new(),
            bytes: 0,
            budget,
            stamp: 0,
            rest: BinaryHeap::new(),
            first: BinaryHeap::new(),
            from: RecordsFrom::default(),
        }
    }

    /// Tells those that make records from when on they are kept.
    fn tell_from(&self) {
        let is_full = self.bytes + ROOM > self.budget;
        self.from.set(is_full.then(|| Timestamp(self.oldest())));
    }

    pub(super) fn raw(&self, row: u32) -> Option<&str> {
        self.kept
            .get(&row)
            .map(|k| &*k.raw)
            .filter(|r| !r.is_empty())
    }

    pub(super) fn facts(&self, row: u32) -> &[Fact] {
        self.kept.get(&row).map_or(&[], |k| &k.facts)
    }

    /// Puts a task's record and facts away. `first`: it needs a person or is under way; `when` orders
    /// the others. Facts are merged by their labels, as two lists of a service may tell different ones.
    pub(super) fn put(
        &mut self,
        row: u32,
        first: bool,
        when: i64,
        raw: String,
        facts: Vec<Fact>,
    ) -> Stored {
        let mut stored = Stored::Same;
        if let Some(kept) = self.kept.get_mut(&row) {
            let before = kept.bytes();
            if !raw.is_empty() && *kept.raw != *raw {
                kept.raw = raw.into_boxed_str();
            }
            for (label, value) in facts {
                match kept.facts.iter_mut().find(|(l, _)| *l == label) {
                    Some((_, held)) if *held == value => {}
                    Some((_, held)) => {
                        *held = value;
                        stored = Stored::Facts;
                    }
                    None => {
                        kept.facts.push((label, value));
                        stored = Stored::Facts;
                    }
                }
            }
            let after = kept.bytes();
            let moved = kept.first != first;
            self.bytes = (self.bytes + after).saturating_sub(before);
            if moved {
                self.queue(row, first, when);
            }
            self.shrink();
            self.tell_from();
            return stored;
        }
        if raw.is_empty() && facts.is_empty() {
            return stored;
        }
        let kept = Kept {
            raw: raw.into_boxed_str(),
            facts,
            first,
            stamp: 0,
        };
        let bytes = kept.bytes();
        if self.bytes + bytes > self.budget && !first && self.oldest() >= when {
            return stored;
        }
        self.bytes += bytes;
        self.kept.insert(row, kept);
        self.queue(row, first, when);
        self.shrink();
        self.tell_from();
        stored
    }

    fn oldest(&self) -> i64 {
        self.rest
            .peek()
            .map_or(i64::MAX, |Reverse((when, ..))| *when)
    }

    fn queue(&mut self, row: u32, first: bool, when: i64) {
        self.stamp = self.stamp.wrapping_add(1);
        if let Some(kept) = self.kept.get_mut(&row) {
            kept.first = first;
            kept.stamp = self.stamp;
        }
        let entry = Reverse((when, row, self.stamp));
        if first {
            self.first.push(entry);
        } else {
            self.rest.push(entry);
        }
    }

    fn shrink(&mut self) {
        while self.bytes > self.budget {
            let Some(Reverse((_, row, stamp))) = self.rest.pop().or_else(|| self.first.pop())
            else {
                return;
            };
            if self.kept.get(&row).is_some_and(|k| k.stamp == stamp) {
                self.forget(row);
            }
        }
        // entries of rows that moved on pile up in the queues; sweep them out now and then
        if self.rest.len() + self.first.len() > 2 * self.kept.len() + 1_024 {
            let kept = &self.kept;
            let valid =
                |e: &Reverse<(i64, u32, u32)>| kept.get(&e.0.1).is_some_and(|k| k.stamp == e.0.2);
            self.rest.retain(valid);
            self.first.retain(valid);
        }
    }

    pub(super) fn forget(&mut self, row: u32) {
        if let Some(kept) = self.kept.remove(&row) {
            self.bytes = self.bytes.saturating_sub(kept.bytes());
            self.tell_from();
        }
    }

    /// Whether a record of this row is held.
    #[cfg(test)]
    pub(super) fn has(&self, row: u32) -> bool {
        self.kept.contains_key(&row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_outlives_what_does_not() {
        let mut attic = Attic::new(4_000);
        attic.put(0, true, 0, "f".repeat(500), vec![]);
        for row in 1..100 {
            attic.put(row, false, i64::from(row), "x".repeat(500), vec![]);
        }
        assert!(attic.bytes <= 4_000);
        assert_eq!(attic.raw(0).map(str::len), Some(500));
        assert!(attic.has(99) && !attic.has(1));
        attic.put(500, false, -1, "old".repeat(200), vec![]);
        assert!(!attic.has(500), "older than all that is held");
        assert_eq!(attic.from.get(), Some(Timestamp(attic.oldest())));
        attic.put(99, true, 99, String::new(), vec![]);
        for row in 200..300 {
            attic.put(row, false, i64::from(row), "x".repeat(500), vec![]);
        }
        assert!(attic.has(99), "it came to matter");
    }

    #[test]
    fn records_are_wanted_from_the_oldest_on_that_is_held_once_there_is_no_room() {
        let mut attic = Attic::new(ROOM + 2_000);
        attic.put(1, false, 10, "x".repeat(500), vec![]);
        assert_eq!(attic.from.get(), None);
        for row in 2..20 {
            attic.put(row, false, 10 * i64::from(row), "x".repeat(500), vec![]);
        }
        assert_eq!(attic.from.get(), Some(Timestamp(attic.oldest())));
        for row in 1..20 {
            attic.forget(row);
        }
        assert_eq!(attic.from.get(), None);
    }

    #[test]
    fn facts_are_merged_by_label() {
        let mut attic = Attic::new(4_000);
        let one = |v: &str| vec![("size", v.to_owned())];
        attic.put(1, false, 0, String::new(), one("1 GB"));
        assert_eq!(
            attic.put(1, false, 0, String::new(), one("1 GB")),
            Stored::Same
        );
        assert_eq!(attic.put(1, false, 0, String::new(), vec![]), Stored::Same);
        assert_eq!(
            attic.put(1, false, 0, String::new(), one("2 GB")),
            Stored::Facts
        );
        attic.put(1, false, 0, String::new(), vec![("zone", "a".into())]);
        assert_eq!(attic.facts(1).len(), 2);
    }
}
