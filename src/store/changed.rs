//! Which fields of a row changed, and which rows changed since.

use std::collections::VecDeque;

use crate::query::Field;

/// A set of fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FieldSet(u32);

impl FieldSet {
    /// No field.
    pub const NONE: Self = Self(0);
    /// Every field: the row is new.
    pub const ALL: Self = Self(u32::MAX);

    /// The set with one field.
    #[must_use]
    pub const fn of(field: Field) -> Self {
        Self(1 << field as u32)
    }

    /// The set with these fields.
    #[must_use]
    pub const fn from_slice(fields: &[Field]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < fields.len() {
            set |= 1 << fields[i] as u32;
            i += 1;
        }
        Self(set)
    }

    /// The same with one field more.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u32)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the field is in the set.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }

    /// True when the sets share a field.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// True when every field is in the other set, too.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// True when no field is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A view that is further behind starts anew.
const FOLLOWED: usize = 1 << 16;
/// One change for so many rows is remembered at most, and as many as views follow at least. History, which is held up at
/// times, goes through all rows where it is further behind: that must not happen in a storm.
const KEPT_SHARE: usize = 4;

/// What a task that is under way changes all the time. History keeps where tasks stood, not how far each was at every
/// poll; it learns of these with what changes next.
const FLEETING: FieldSet = FieldSet::from_slice(&[Field::Progress, Field::Updated, Field::Age]);

/// What moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// The row came, went, or its service tells something else of it.
    Record,
    /// What is reckoned from other rows, or what people say of it.
    Reckoned,
    /// One more list of its service shows it, and it is as it was.
    Lists,
}

/// A change of a row.
#[derive(Clone, Copy)]
struct Change {
    row: u32,
    fields: FieldSet,
    what: What,
}

/// The newest changes of one noun in order.
#[derive(Default)]
pub(super) struct Changes {
    ring: VecDeque<Change>,
    /// The number of the next change.
    next: u64,
    /// The highest row that changed.
    last_row: u32,
}

impl Changes {
    /// A row came, went, or its service tells something else of it.
    pub(super) fn note(&mut self, row: u32, fields: FieldSet) {
        self.push(row, fields, What::Record);
    }

    /// Only what is reckoned from other rows changed: statistics, who took a failed job.
    pub(super) fn note_reckoned(&mut self, row: u32, fields: FieldSet) {
        self.push(row, fields, What::Reckoned);
    }

    /// A list shows the row that did not show it before.
    pub(super) fn note_shown(&mut self, row: u32) {
        self.push(row, FieldSet::NONE, What::Lists);
    }

    fn push(&mut self, row: u32, fields: FieldSet, what: What) {
        self.last_row = self.last_row.max(row);
        if self.ring.len() >= FOLLOWED.max(self.last_row as usize / KEPT_SHARE) {
            self.ring.pop_front();
        }
        self.ring.push_back(Change { row, fields, what });
        self.next += 1;
    }

    /// The number of the next change.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// What a person can see of the changes from this number on; `None` when they are too many, or no longer all known.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = (u32, FieldSet)> + '_> {
        if self.next.checked_sub(number)? > FOLLOWED as u64 {
            return None;
        }
        let seen = self.changes(number)?.filter(|c| c.what != What::Lists);
        Some(seen.map(|c| (c.row, c.fields)))
    }

    /// The rows of the changes from this number on that history keeps; `None` in the place of one that is only
    /// reckoned, or passes; nothing when they are no longer all known.
    pub(super) fn kept_since(&self, number: u64) -> Option<impl Iterator<Item = Option<u32>> + '_> {
        let is_kept = |c: &Change| match c.what {
            What::Record => !c.fields.is_within(FLEETING),
            What::Lists => true,
            What::Reckoned => false,
        };
        let row = move |c: &Change| is_kept(c).then_some(c.row);
        Some(self.changes(number)?.map(row))
    }

    fn changes(&self, number: u64) -> Option<impl Iterator<Item = &Change>> {
        let behind = usize::try_from(self.next.checked_sub(number)?).ok()?;
        let first = self.ring.len().checked_sub(behind)?;
        Some(self.ring.range(first..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_too_far_behind_is_told_so() {
        let mut c = Changes::default();
        let start = c.next();
        for row in 0..10 {
            c.note(row, FieldSet::of(Field::Phase));
        }
        assert_eq!(c.since(start).map(Iterator::count), Some(10));
        assert_eq!(c.since(c.next()).map(Iterator::count), Some(0));
        for row in 0..FOLLOWED as u32 {
            c.note(row, FieldSet::ALL);
        }
        assert!(c.since(start).is_none());
        assert!(c.since(start + 10).is_some());
        assert!(c.kept_since(start).is_none());
    }

    #[test]
    fn of_many_rows_more_changes_are_kept_for_history() {
        let mut c = Changes::default();
        let rows = 6 * FOLLOWED as u32;
        for row in 0..rows {
            c.note(row, FieldSet::ALL);
        }
        let kept = (rows / 4) as usize;
        assert!(kept > FOLLOWED);
        let from = c.next() - kept as u64 + 1;
        assert!(c.since(from).is_none());
        assert_eq!(c.kept_since(from).map(Iterator::count), Some(kept - 1));
        assert!(c.kept_since(from - 10).is_none());
    }
}
