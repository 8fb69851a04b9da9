//! The filter line of the pane in focus.

use crate::query::{Completion, QueryError};

use super::super::super::line::Line;

/// A filter being typed.
#[derive(Debug)]
pub struct FilterLine {
    /// What is typed.
    pub line: Line,
    /// What is wrong with it, and where; the last good result stays on screen.
    pub error: Option<QueryError>,
    /// What could be typed next.
    pub completions: Vec<Completion>,
    /// Which of them was put in last, when the operator goes through them.
    pub chosen: Option<usize>,
    /// The filter before, for leaving it.
    pub before: String,
    /// Which earlier filter stands in the line, counted from the newest.
    pub recalled: Option<usize>,
}

impl FilterLine {
    /// A line with the filter in force.
    #[must_use]
    pub fn new(filter: &str) -> Self {
        Self {
            line: Line::new(filter),
            error: None,
            completions: Vec::new(),
            chosen: None,
            before: filter.to_owned(),
            recalled: None,
        }
    }
}
