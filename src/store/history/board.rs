//! What was known at an instant.

use super::ServiceKey;
use crate::model::{Device, Policy, Task, Timestamp};

/// What was known at an instant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Board {
    /// The instant; `None` for the newest state.
    pub at: Option<Timestamp>,
    /// The services known then.
    pub services: Vec<BoardService>,
    /// The devices listed then.
    pub devices: Vec<BoardDevice>,
    /// The policies listed then.
    pub policies: Vec<BoardPolicy>,
    /// The tasks, newest first.
    pub tasks: Vec<BoardTask>,
    /// True when there were more tasks than asked for.
    pub cut: bool,
}

/// A service as it was known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoardService {
    /// Which.
    pub service: ServiceKey,
    /// Its last answer not after the instant: how old everything of it was.
    pub answered_at: Option<Timestamp>,
}

/// A device as it was known.
#[derive(Clone, PartialEq, Debug)]
pub struct BoardDevice {
    /// On which service (index into [`Board::services`]).
    pub service: usize,
    /// The device.
    pub device: Device,
    /// The lists of the service that showed it.
    pub feeds: Vec<String>,
}

/// A policy as it was known.
#[derive(Clone, PartialEq, Debug)]
pub struct BoardPolicy {
    /// On which service (index into [`Board::services`]).
    pub service: usize,
    /// The policy.
    pub policy: Policy,
    /// The lists of the service that showed it.
    pub feeds: Vec<String>,
}

/// A task as it was known.
#[derive(Clone, PartialEq, Debug)]
pub struct BoardTask {
    /// On which service (index into [`Board::services`]).
    pub service: usize,
    /// The task as far as it is known for that instant.
    pub task: Task,
    /// It was taken off the service's own list of failures (only in the newest state).
    pub cleared: bool,
    /// It was under way and gone at the service (only in the newest state).
    pub lost: bool,
    /// The lists of the service that show it.
    pub feeds: Vec<String>,
    /// How this is known.
    pub how: How,
}

/// How a past state is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum How {
    /// Keepwatch saw it then.
    Seen,
    /// Keepwatch learnt of it later; the service's own times say that it was so.
    ToldLater,
}
