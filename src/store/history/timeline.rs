//! The past of one subject, as a list of what happened.

use uuid::Uuid;

use super::{EventId, KeptAction, Remark, Sort};
use crate::model::{Timestamp, Transition};

/// A stretch of time and a bound on how much is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Not before; `None` for the beginning.
    pub from: Option<Timestamp>,
    /// Before this instant; `None` for the end.
    pub until: Option<Timestamp>,
    /// At most so many entries: the newest.
    pub limit: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            from: None,
            until: None,
            limit: 1_000,
        }
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Its id, unique across machines.
    pub id: EventId,
    /// When keepwatch saw it, by the clock of the machine that wrote it.
    pub at: Timestamp,
    /// On which service; empty for what belongs to none.
    pub service: String,
    /// What.
    pub happened: Happened,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Happened {
    /// A task went from one status to another, or was seen for the first time.
    Moved {
        /// The service's id of the task.
        task: String,
        /// What it does.
        operation: String,
        /// The device's name, or its id; empty where unknown.
        device: String,
        /// The policy's name, or its id; empty where unknown.
        policy: String,
        /// From what to what.
        transition: Transition,
        /// The code of the failure, where it came with one.
        code: String,
    },
    /// A device's or policy's own state changed.
    Changed {
        /// Which sort.
        sort: Sort,
        /// Its id.
        id: String,
        /// The name people use.
        name: String,
        /// The state before, in words; `None` when it was seen for the first time.
        from: Option<String>,
        /// The state after, in words.
        to: String,
    },
    /// A step of an action.
    Acted {
        /// The action's id.
        action: Uuid,
        /// What was confirmed.
        what: Box<KeptAction>,
        /// Who.
        operator: String,
        /// The stage, in a word or two.
        stage: String,
        /// What there is to say of it.
        detail: String,
    },
    /// Somebody said something.
    Remarked(Box<Remark>),
    /// Something about the record itself.
    Incident(String),
}
