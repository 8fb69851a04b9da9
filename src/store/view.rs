//! A list of the console: which rows, in which order.

use std::ops::Range;

use super::bits::Bits;
use super::order::Order;
use super::refresh::Place;
use super::{Noun, Store};
use crate::model::Timestamp;
use crate::query::{Field, Query};

/// Rows of one noun that match a query, in order.
///
/// A view is brought up to date by [`View::refresh`], which looks only at the rows that changed since the
/// last time; a new query or a new order looks at all of them.
pub struct View {
    pub(super) noun: Noun,
    pub(super) query: Query,
    pub(super) order: Order,
    pub(super) all_ended_badly: bool,
    pub(super) hides_acknowledged: bool,
    pub(super) rows: Vec<u32>,
    pub(super) members: Bits,
    /// Where the last refresh left off; `None` when everything has to be made anew.
    pub(super) place: Option<Place>,
}

impl View {
    /// A view of everything in the noun's own order.
    #[must_use]
    pub fn new(noun: Noun) -> Self {
        let (field, descending) = Self::default_sort(noun);
        Self {
            noun,
            query: Query::all(),
            order: Order {
                noun,
                field,
                descending,
                now: Timestamp::default(),
            },
            all_ended_badly: false,
            hides_acknowledged: false,
            rows: Vec::new(),
            members: Bits::default(),
            place: None,
        }
    }

    /// A view of what a query finds now, in the noun's own order.
    #[must_use]
    pub fn found(noun: Noun, query: Query, store: &Store, now: Timestamp) -> Self {
        let mut view = Self::new(noun);
        view.set_query(query);
        view.refresh(store, now);
        view
    }

    /// The field and direction in which a noun is sorted unless asked otherwise: failed jobs newest
    /// first, what runs longest on top, devices worst first, policies by name.
    #[must_use]
    pub const fn default_sort(noun: Noun) -> (Field, bool) {
        match noun {
            Noun::Devices => (Field::Streak, true),
            Noun::Policies => (Field::Name, false),
            Noun::Running => (Field::Started, false),
            Noun::Failed => (Field::Ended, true),
            Noun::Tasks => (Field::Started, true),
        }
    }

    /// The list it is of.
    #[must_use]
    pub const fn noun(&self) -> Noun {
        self.noun
    }

    /// The query in force.
    #[must_use]
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The field it is sorted by, and whether largest first.
    #[must_use]
    pub const fn sort(&self) -> (Field, bool) {
        (self.order.field, self.order.descending)
    }

    /// Shows only rows that match, from the next refresh on.
    pub fn set_query(&mut self, query: Query) {
        if self.query != query {
            self.query = query;
            self.place = None;
        }
    }

    /// Sorts by this field, from the next refresh on. Rows without a value come last either way; rows of
    /// the same value are sorted newest first, then by service, name and id.
    pub fn set_sort(&mut self, field: Field, descending: bool) {
        if self.sort() != (field, descending) {
            self.order.field = field;
            self.order.descending = descending;
            self.place = None;
        }
    }

    /// For the failed jobs: whether skipped and cancelled tasks are shown too.
    pub fn include_skipped_cancelled(&mut self, yes: bool) {
        if self.all_ended_badly != yes {
            self.all_ended_badly = yes;
            self.place = None;
        }
    }

    /// Whether skipped and cancelled tasks are shown among the failed jobs.
    #[must_use]
    pub const fn includes_skipped_cancelled(&self) -> bool {
        self.all_ended_badly
    }

    /// For the failed jobs: whether those that somebody took are left out.
    pub fn hide_acknowledged(&mut self, yes: bool) {
        if self.hides_acknowledged != yes {
            self.hides_acknowledged = yes;
            self.place = None;
        }
    }

    /// How many rows it shows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when it shows no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at this place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<u32> {
        self.rows.get(place).copied()
    }

    /// True when the row is shown.
    #[must_use]
    pub fn contains(&self, row: u32) -> bool {
        self.members.has(row)
    }

    /// The place of a row.
    #[must_use]
    pub fn position(&self, row: u32) -> Option<usize> {
        if !self.members.has(row) {
            return None;
        }
        // whole blocks first: comparing without a way out is what processors do best
        let block = self
            .rows
            .chunks(64)
            .position(|block| block.iter().fold(false, |found, r| found | (*r == row)))?;
        let rest = self.rows.get(block * 64..)?;
        rest.iter()
            .position(|&r| r == row)
            .map(|at| block * 64 + at)
    }

    /// The rows at these places, as far as there are any.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> &[u32] {
        let end = range.end.min(self.rows.len());
        self.rows.get(range.start.min(end)..end).unwrap_or(&[])
    }

    /// Brings the view up to date; true when rows came, went or moved.
    pub fn refresh(&mut self, store: &Store, now: Timestamp) -> bool {
        self.bring_up_to_date(store, now)
    }
}

impl Clone for View {
    /// The same rows in the same order; the copy looks at everything once at its next refresh.
    fn clone(&self) -> Self {
        Self {
            noun: self.noun,
            query: self.query.clone(),
            order: self.order,
            all_ended_badly: self.all_ended_badly,
            hides_acknowledged: self.hides_acknowledged,
            rows: self.rows.clone(),
            members: self.members.clone(),
            place: None,
        }
    }
}
