//! What the watchers tell.

use crate::connect::{Covers, Page, PollReport, TaskLook};
use crate::model::{Fault, Health, ServiceId, Timestamp};

/// The end of one round of one feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// What a complete round is the whole truth about.
    pub covers: Covers,
    /// How it ended.
    pub outcome: Result<PollReport, Fault>,
}

/// One message from the watchers to the owner of the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchEvent {
    /// A page of a feed.
    Page {
        /// Whose.
        service: ServiceId,
        /// Which list.
        feed: &'static str,
        /// Which page of it.
        number: u32,
        /// What it holds.
        page: Page,
    },
    /// A round ended.
    Round {
        /// Whose.
        service: ServiceId,
        /// Which list.
        feed: &'static str,
        /// How.
        round: Box<Round>,
        /// When, by our clock.
        at: Timestamp,
    },
    /// A look at one task ended.
    Looked {
        /// Whose.
        service: ServiceId,
        /// Which task.
        task_id: String,
        /// What was found.
        look: Box<Result<TaskLook, Fault>>,
    },
    /// A service's health changed, or its newest answer is newer.
    Health {
        /// Whose.
        service: ServiceId,
        /// What it is now.
        health: Health,
    },
}
