//! Taking failed jobs: a note, and until when.

use crate::model::Timestamp;
use crate::query::ahead;
use crate::store::history::{Remark, RemarkKind, Sort, Subject};
use crate::store::{Store, TaskRow};

use super::super::super::line::Line;

/// The questions, in their order, each with what is accepted.
pub const ASKED: [(&str, &str); 2] = [
    (
        "Note for the others",
        "a ticket, a cause, who is at it; or nothing",
    ),
    (
        "Until when",
        "4h, 08:00, 2026-01-31; nothing: until it changes or is given back",
    ),
];

/// Failed jobs about to be taken.
#[derive(Debug)]
pub struct AckForm {
    /// The jobs.
    pub rows: Vec<TaskRow>,
    /// Note and end being typed.
    pub lines: [Line; 2],
    /// The line being typed.
    pub at: usize,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl AckForm {
    /// Nothing typed yet.
    #[must_use]
    pub fn new(rows: Vec<TaskRow>) -> Self {
        Self {
            rows,
            lines: Default::default(),
            at: 0,
            error: None,
        }
    }

    /// The line being typed.
    pub fn line(&mut self) -> Option<&mut Line> {
        self.lines.get_mut(self.at)
    }

    /// What would be said, one remark a job.
    ///
    /// # Errors
    /// What is wrong with the time.
    pub fn remarks(&self, store: &Store, now: Timestamp) -> Result<Vec<Remark>, String> {
        let [note, until] = &self.lines;
        let until = ahead(until.text(), now)?;
        let of = |row: &TaskRow| {
            let task = store.task(*row);
            let subject = Subject::new(task.service_name(), Sort::Task, task.id());
            let remark = Remark::new(RemarkKind::Acknowledged, subject, note.text().trim(), now)
                .while_status(task.native_status());
            match until {
                Some(until) => remark.until(until),
                None => remark,
            }
        };
        Ok(self.rows.iter().map(of).collect())
    }
}
