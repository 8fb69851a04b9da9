//! Whether what happens is written down.

use std::path::PathBuf;

use crate::model::Timestamp;

/// Where history is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In this file.
    File(PathBuf),
    /// In memory, for this run only.
    Memory,
    /// Nowhere, for this reason.
    Off(&'static str),
}

/// Whether history is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryState {
    /// Yes.
    Writing,
    /// No: it failed and is tried again.
    Failing {
        /// Since when.
        since: Timestamp,
        /// Why, and what the person can do.
        error: HistoryError,
    },
    /// It is switched off.
    Off,
}

/// What the faces show of history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryHealth {
    /// Where it is kept.
    pub place: Place,
    /// Whether it is written.
    pub state: HistoryState,
    /// Events taken and not yet saved.
    pub waiting: usize,
    /// When everything taken so far was last saved.
    pub saved_at: Option<Timestamp>,
    /// Events that had to be given up because too many waited.
    pub lost: u64,
    /// What the person has to know of this run, oldest first: a damaged file that was set aside …
    pub notices: Vec<String>,
}

impl HistoryHealth {
    /// True when what happens is not written although it should be.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        matches!(self.state, HistoryState::Failing { .. })
    }
}

/// Why history can't be read or written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}{}{}", if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) }, if self.advice.is_empty() { String::new() } else { format!(". {}", self.advice) })]
pub struct HistoryError {
    /// What failed.
    pub what: String,
    /// The file.
    pub place: String,
    /// What the person can do.
    pub advice: String,
    /// The disk is full.
    pub full: bool,
    /// The file is no database of ours, or no whole one.
    pub damaged: bool,
}

impl HistoryError {
    /// An error with its sentence and what can be done.
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: String::new(),
            advice: advice.into(),
            full: false,
            damaged: false,
        }
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}
