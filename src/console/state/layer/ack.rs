//! Taking failed jobs, with a note and until when, or leaving a note alone.

use crate::model::Timestamp;
use crate::query::ahead;
use crate::store::history::{Remark, RemarkKind};
use crate::store::{Store, TaskRow};

use super::super::super::line::Line;

/// The questions when jobs are taken, each with what is accepted.
const TAKING: &[(&str, &str)] = &[
    (
        "Note for the others",
        "a ticket, a cause, who is at it; or nothing",
    ),
    (
        "Until when",
        "4h, 08:00, 2026-01-31; nothing: until it changes or is given back",
    ),
];
/// The question when a note is left.
const NOTING: &[(&str, &str)] = &[(
    "Note for the others",
    "what was tried, a ticket; nobody takes it by that",
)];

/// Failed jobs about to be taken, or noted.
#[derive(Debug)]
pub struct AckForm {
    /// The jobs.
    pub rows: Vec<TaskRow>,
    /// True when only a note is left.
    pub only_note: bool,
    /// The answers being typed: the note, and the end where jobs are taken.
    pub lines: Vec<Line>,
    /// The line being typed.
    pub at: usize,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl AckForm {
    /// Nothing typed yet.
    #[must_use]
    pub fn new(rows: Vec<TaskRow>, only_note: bool) -> Self {
        let mut form = Self {
            rows,
            only_note,
            lines: Vec::new(),
            at: 0,
            error: None,
        };
        form.lines.resize_with(form.asked().len(), Line::default);
        form
    }

    /// The questions in their order, each with what is accepted.
    #[must_use]
    pub const fn asked(&self) -> &'static [(&'static str, &'static str)] {
        if self.only_note { NOTING } else { TAKING }
    }

    /// The line being typed.
    pub fn line(&mut self) -> Option<&mut Line> {
        self.lines.get_mut(self.at)
    }

    /// What would be said, one remark a job.
    ///
    /// # Errors
    /// What is wrong with the note or the time.
    pub fn remarks(&self, store: &Store, now: Timestamp) -> Result<Vec<Remark>, String> {
        let text = |at: usize| self.lines.get(at).map_or("", Line::text);
        let kind = if self.only_note {
            RemarkKind::Note
        } else {
            RemarkKind::Acknowledged
        };
        if self.only_note && text(0).trim().is_empty() {
            return Err("a note says something".to_owned());
        }
        let until = ahead(text(1), now)?;
        let of = |row: &TaskRow| Remark {
            until,
            ..store.task(*row).remark(kind, text(0), now)
        };
        Ok(self.rows.iter().map(of).collect())
    }
}
