//! One list on screen: its rows, its cursor, its marks, its filter and its order.
//!
//! The cursor belongs to a row, not to a line. When the list changes, the row stays on the line of the
//! screen where it is; other rows come and go above and below it. A row that leaves the list while the
//! cursor is on it (a task that ended, in the list of running ones) stays in its place until the cursor
//! leaves it.

use std::collections::BTreeSet;

use crate::model::Timestamp;
use crate::query::{Field, Noun, Query, QueryError};
use crate::store::{Store, View};

use super::super::effect::SavedPane;
use super::super::thing::Thing;

/// How often a list is made anew whose filter depends on the time, in milliseconds.
pub const REMAKE_MS: i64 = 10_000;

/// One list on screen.
pub struct Pane {
    /// What it lists.
    pub noun: Noun,
    view: View,
    query: Query,
    /// The row under the cursor.
    cursor: Option<u32>,
    /// Its place in the list, counted with the ghost.
    index: usize,
    /// The place of the first row on screen.
    top: usize,
    /// A row that left the list while the cursor was on it, and its place.
    ghost: Option<(u32, usize)>,
    /// The operator has been here: from then on the cursor follows its row, not the top of the list.
    touched: bool,
    /// Marked rows.
    marks: BTreeSet<u32>,
    /// Where a range of marks begins.
    range_from: Option<u32>,
    /// The field that it is sorted by, largest first or not; `None` for the list's own order.
    sort: Option<(Field, bool)>,
    /// Skipped and cancelled tasks stand among the failed ones.
    also_ended: bool,
    /// Failed jobs that somebody took are left out.
    hides_acknowledged: bool,
    /// Columns scrolled to the right.
    pub columns_from: usize,
    /// The store's generation and the time when the list was made; `None` when it has to be made anew.
    made: Option<(u64, Timestamp)>,
    /// The operator changed the filter, and the list does not follow it yet.
    asked: bool,
}

impl std::fmt::Debug for Pane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pane")
            .field("noun", &self.noun)
            .field("rows", &self.view.len())
            .field("cursor", &self.cursor)
            .field("index", &self.index)
            .field("top", &self.top)
            .field("ghost", &self.ghost)
            .finish_non_exhaustive()
    }
}

impl Pane {
    /// An empty pane.
    #[must_use]
    pub fn new(noun: Noun) -> Self {
        Self {
            noun,
            view: View::new(noun),
            query: Query::all(),
            cursor: None,
            index: 0,
            top: 0,
            ghost: None,
            touched: false,
            marks: BTreeSet::new(),
            range_from: None,
            sort: None,
            also_ended: false,
            hides_acknowledged: false,
            columns_from: 0,
            made: None,
            asked: false,
        }
    }

    // ---- rows

    /// Rows in the list, the one that left it but is still under the cursor included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view.len() + usize::from(self.ghost.is_some())
    }

    /// True when there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that belong to the list.
    #[must_use]
    pub fn count(&self) -> usize {
        self.view.len()
    }

    /// The row at a place.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<u32> {
        match self.ghost {
            Some((row, place)) if at == place => Some(row),
            Some((_, place)) if at > place => self.view.get(at - 1),
            _ => self.view.get(at),
        }
    }

    /// The place of a row.
    #[must_use]
    pub fn position(&self, row: u32) -> Option<usize> {
        match self.ghost {
            Some((ghost, place)) if ghost == row => Some(place),
            Some((_, place)) => self.view.position(row).map(|p| p + usize::from(p >= place)),
            None => self.view.position(row),
        }
    }

    /// True for the row that has left the list.
    #[must_use]
    pub fn is_ghost(&self, row: u32) -> bool {
        self.ghost.is_some_and(|(ghost, _)| ghost == row)
    }

    /// The thing behind a row.
    #[must_use]
    pub const fn thing(&self, row: u32) -> Thing {
        Thing::of(self.noun, row)
    }

    // ---- the cursor

    /// The row under the cursor.
    #[must_use]
    pub const fn cursor(&self) -> Option<u32> {
        self.cursor
    }

    /// The thing under the cursor.
    #[must_use]
    pub fn cursor_thing(&self) -> Option<Thing> {
        self.cursor.map(|row| self.thing(row))
    }

    /// The place of the cursor.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.cursor.map(|_| self.index)
    }

    /// The place of the first row on screen.
    #[must_use]
    pub const fn top(&self) -> usize {
        self.top
    }

    /// Puts the cursor at a place, and the place into a window of `height` lines.
    pub fn go(&mut self, to: usize, height: usize) {
        self.touched = true;
        let to = to.min(self.len().saturating_sub(1));
        self.cursor = self.row(to);
        self.index = to;
        self.drop_ghost();
        // what moves by the operator's own hand may also fill the window again
        self.top = self.top.min(self.len().saturating_sub(height.max(1)));
        self.keep_in(height);
        self.extend_range();
    }

    /// Moves the cursor by so many rows.
    pub fn step(&mut self, by: isize, height: usize) {
        self.go(self.index.saturating_add_signed(by), height);
    }

    /// Puts the cursor on a row, where the list has it.
    pub fn select(&mut self, row: u32, height: usize) -> bool {
        match self.position(row) {
            Some(at) => {
                self.go(at, height);
                true
            }
            None => false,
        }
    }

    /// The operator has done something here: the cursor keeps to its row from now on.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    fn drop_ghost(&mut self) {
        if let Some((row, place)) = self.ghost
            && self.cursor != Some(row)
        {
            self.ghost = None;
            if self.index > place {
                self.index -= 1;
            }
            if self.top > place {
                self.top -= 1;
            }
        }
    }

    /// Scrolls as little as needed to have the cursor in a window of `height` lines.
    pub fn keep_in(&mut self, height: usize) {
        let height = height.max(1);
        if self.index < self.top {
            self.top = self.index;
        } else if self.index >= self.top + height {
            self.top = self.index + 1 - height;
        }
    }

    // ---- the list

    /// Brings the list up to date and keeps the cursor's row on its line.
    pub fn refresh(&mut self, store: &Store, now: Timestamp, height: usize) {
        if self.asked {
            self.refilter(store, now, height);
            return;
        }
        self.made = Some((store.generation(), now));
        if self.view.refresh(store, now) || self.cursor.is_none() {
            self.settle(height);
        }
    }

    /// True when the list has to be made anew: the store has moved on, the filter or the order has
    /// changed, or time alone moves rows in and out.
    #[must_use]
    pub fn is_behind(&self, generation: u64, now: Timestamp) -> bool {
        self.made.is_none_or(|(made, at)| {
            made != generation || (self.depends_on_time() && now.since(at) >= REMAKE_MS)
        })
    }

    /// The store went from one generation to another in a way that doesn't concern the list.
    pub fn skip(&mut self, from: u64, to: u64) {
        if let Some((made, _)) = &mut self.made
            && *made == from
        {
            *made = to;
        }
    }

    /// True when rows can come and go by the passing of time alone.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        self.query.depends_on_time()
    }

    fn settle(&mut self, height: usize) {
        let line = self.index.saturating_sub(self.top);
        let listed = self.cursor.and_then(|row| self.view.position(row));
        match (self.cursor, listed) {
            _ if !self.touched => {
                self.ghost = None;
                self.index = 0;
                self.top = 0;
                self.cursor = self.view.get(0);
                return;
            }
            (_, Some(at)) => {
                self.ghost = None;
                self.index = at;
            }
            (Some(row), None) => {
                let place = self.index.min(self.view.len());
                self.ghost = Some((row, place));
                self.index = place;
            }
            (None, None) => {
                self.ghost = None;
                self.index = 0;
                self.cursor = self.view.get(0);
            }
        }
        self.top = self.index.saturating_sub(line);
        self.keep_in(height);
    }

    // ---- filter and order

    /// The filter in force.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.query.text()
    }

    /// Sets the filter. A row that it hides is let go of: the operator asked for others.
    ///
    /// # Errors
    /// What is wrong with the text; the filter in force stays.
    pub fn set_filter(&mut self, text: &str) -> Result<(), QueryError> {
        let query = Query::parse(text.trim())?;
        if query.text() != self.query.text() {
            self.query = query.clone();
            self.view.set_query(query);
            self.ghost = None;
            self.made = None;
            self.asked = true;
        }
        Ok(())
    }

    /// True when the filter was changed and the list doesn't follow it yet.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.asked
    }

    /// After the operator changed the filter: the cursor stays on its row where that is still listed, else
    /// it goes to the top.
    pub fn refilter(&mut self, store: &Store, now: Timestamp, height: usize) {
        self.asked = false;
        self.view.refresh(store, now);
        self.made = Some((store.generation(), now));
        self.ghost = None;
        match self.cursor.and_then(|row| self.view.position(row)) {
            Some(at) if self.touched => self.index = at,
            _ => {
                self.index = 0;
                self.cursor = self.view.get(0);
            }
        }
        self.top = self.top.min(self.len().saturating_sub(height.max(1)));
        self.keep_in(height);
    }

    /// The field that it is sorted by and whether from the largest down; `None` for its own order.
    #[must_use]
    pub const fn sort(&self) -> Option<(Field, bool)> {
        self.sort
    }

    /// Sorts by a field, or in the list's own order.
    pub fn set_sort(&mut self, sort: Option<(Field, bool)>) {
        if self.sort == sort {
            return;
        }
        self.sort = sort;
        self.made = None;
        match sort {
            Some((field, descending)) => self.view.set_sort(field, descending),
            None => {
                // a fresh view has the list's own order
                self.view = View::new(self.noun);
                self.view.set_query(self.query.clone());
                self.view.include_skipped_cancelled(self.also_ended);
                self.view.hide_acknowledged(self.hides_acknowledged);
            }
        }
    }

    /// Whether skipped and cancelled tasks stand among the failed ones.
    #[must_use]
    pub const fn also_ended(&self) -> bool {
        self.also_ended
    }

    /// Shows or hides skipped and cancelled tasks among the failed ones.
    pub fn set_also_ended(&mut self, on: bool) {
        self.also_ended = on;
        self.view.include_skipped_cancelled(on);
        self.made = None;
    }

    /// Whether failed jobs that somebody took are left out.
    #[must_use]
    pub const fn hides_acknowledged(&self) -> bool {
        self.hides_acknowledged
    }

    /// Leaves out failed jobs that somebody took, or not.
    pub fn set_hides_acknowledged(&mut self, on: bool) {
        self.hides_acknowledged = on;
        self.view.hide_acknowledged(on);
        self.made = None;
    }

    // ---- marks

    /// Marked rows, in the order of their numbers.
    #[must_use]
    pub const fn marks(&self) -> &BTreeSet<u32> {
        &self.marks
    }

    /// Marked rows in the order of the list, those that it doesn't show last.
    #[must_use]
    pub fn marked(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.marks.iter().copied().collect();
        rows.sort_by_key(|row| self.position(*row).unwrap_or(usize::MAX));
        rows
    }

    /// Marked rows that the list doesn't show now.
    #[must_use]
    pub fn marked_out_of_sight(&self) -> usize {
        self.marks
            .iter()
            .filter(|row| self.position(**row).is_none())
            .count()
    }

    /// Marks the row under the cursor, or takes its mark off, and goes on to the next.
    pub fn toggle_mark(&mut self, height: usize) {
        self.touched = true;
        let Some(row) = self.cursor else { return };
        if !self.marks.remove(&row) {
            self.marks.insert(row);
        }
        self.step(1, height);
    }

    /// Begins a range of marks at the cursor, or ends it.
    pub fn toggle_range(&mut self) {
        self.touched = true;
        self.range_from = match self.range_from {
            Some(_) => None,
            None => self.cursor,
        };
        self.extend_range();
    }

    /// True while moving marks rows.
    #[must_use]
    pub const fn in_range(&self) -> bool {
        self.range_from.is_some()
    }

    /// Ends a range; what it marked stays marked.
    pub fn end_range(&mut self) {
        self.range_from = None;
    }

    fn extend_range(&mut self) {
        let Some(from) = self.range_from.and_then(|row| self.position(row)) else {
            return;
        };
        let (a, b) = (from.min(self.index), from.max(self.index));
        for at in a..=b {
            if let Some(row) = self.row(at) {
                self.marks.insert(row);
            }
        }
    }

    /// Marks every row that the filter lets through.
    pub fn mark_all(&mut self) {
        self.touched = true;
        for at in 0..self.view.len() {
            self.marks.extend(self.view.get(at));
        }
    }

    /// Marks the unmarked rows of the list and the other way round; what it doesn't show stays as it is.
    pub fn invert_marks(&mut self) {
        self.touched = true;
        for at in 0..self.view.len() {
            if let Some(row) = self.view.get(at)
                && !self.marks.remove(&row)
            {
                self.marks.insert(row);
            }
        }
    }

    /// Marks these rows too.
    pub fn mark(&mut self, rows: impl IntoIterator<Item = u32>) {
        self.touched = true;
        self.marks.extend(rows);
    }

    /// Takes all marks off.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
        self.range_from = None;
    }

    /// Takes the marks of these rows off.
    pub fn unmark(&mut self, rows: &[u32]) {
        for row in rows {
            self.marks.remove(row);
        }
    }

    /// Every row of the list, in order. For what the operator asks of all of them, not for drawing.
    pub fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.view.len()).filter_map(|at| self.view.get(at))
    }

    // ---- kept between starts

    /// What is kept of it.
    #[must_use]
    pub fn to_save(&self) -> SavedPane {
        SavedPane {
            pane: super::PaneId::of_noun(self.noun).word().to_owned(),
            filter: self.filter().to_owned(),
            sort: self
                .sort
                .map_or_else(String::new, |(field, _)| field.name().to_owned()),
            descending: self.sort.is_some_and(|(_, descending)| descending),
            hides_taken: self.hides_acknowledged,
        }
    }

    /// Takes up what was kept; what no longer makes sense is left out.
    pub fn restore(&mut self, saved: &SavedPane) {
        // a filter that doesn't read any more is no reason to start without a list
        let _ = self.set_filter(&saved.filter);
        if let Some(field) = Field::named(&saved.sort).filter(|f| f.fits(self.noun)) {
            self.set_sort(Some((field, saved.descending)));
        }
    }
}
