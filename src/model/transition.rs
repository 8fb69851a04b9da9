//! A task seen to change.

use super::{Phase, Timestamp};

/// A task seen to go from one native status to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The status before; `None` when the task was new to us.
    pub from: Option<String>,
    /// The status now.
    pub to: String,
    /// The phase before; `None` when the task was new to us.
    pub from_phase: Option<Phase>,
    /// The phase now.
    pub to_phase: Phase,
    /// When keepwatch saw it.
    pub seen_at: Timestamp,
    /// When it happened by the service's own clock, where the record tells.
    pub reported_at: Option<Timestamp>,
}
