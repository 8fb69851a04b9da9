//! The stages of an action's life.

use std::fmt;

use uuid::Uuid;

use crate::model::{Answer, CodeRef, Fault, Phase, Timestamp};

/// An action's id, unique across machines, so that histories of several consoles can be merged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ActionId(pub Uuid);

impl ActionId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an action stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The person said yes.
    Confirmed,
    /// The request is on its way; multi-step actions say at which step they are.
    Sending {
        /// The step in words; empty for the only one.
        step: String,
    },
    /// The service took it.
    Accepted {
        /// Its answer.
        answer: Answer,
    },
    /// The service refused it; nothing was done.
    Refused {
        /// Code, HTTP status, text.
        code: CodeRef,
        /// The answer as it came.
        answer: Answer,
    },
    /// Nothing was sent.
    NotSent {
        /// Why.
        fault: Fault,
    },
    /// It was sent and no answer came. It may or may not have been carried out.
    Unknown {
        /// What was lost.
        fault: Fault,
    },
    /// Keepwatch looks in the service for signs of it.
    Looking {
        /// Which look this is, 1 for the first.
        look: u32,
    },
    /// A look found that it was carried out.
    FoundDone {
        /// What was seen.
        seen: String,
    },
    /// The last look found nothing. The person decides.
    FoundNothing {
        /// What was looked at.
        looked_at: String,
    },
    /// The service gives no way to tell.
    CannotTell {
        /// Why.
        why: String,
    },
    /// The task that it became, as it goes.
    Observed {
        /// The service's id of the task.
        task_id: String,
        /// Its phase.
        phase: Phase,
        /// Its own word.
        native_status: String,
    },
    /// It was accepted, yet no task was seen within the time allowed.
    NothingFollowed,
}

impl Stage {
    /// One or two words for lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Sending { .. } => "sending",
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::NotSent { .. } => "not sent",
            Self::Unknown { .. } => "outcome unknown",
            Self::Looking { .. } => "looking",
            Self::FoundDone { .. } => "was carried out",
            Self::FoundNothing { .. } => "no sign of it",
            Self::CannotTell { .. } => "can't tell",
            Self::Observed { phase, .. } => phase.word(),
            Self::NothingFollowed => "nothing followed",
        }
    }

    /// True when nothing more will come. An acceptance is the end only where no task is expected, which
    /// the [`Ledger`](super::Ledger) knows.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::NotSent { .. }
            | Self::FoundNothing { .. }
            | Self::CannotTell { .. }
            | Self::NothingFollowed => true,
            Self::Observed { phase, .. } => phase.is_over(),
            _ => false,
        }
    }
}

/// One step in an action's life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionEvent {
    /// Which action.
    pub id: ActionId,
    /// When, by our clock.
    pub at: Timestamp,
    /// What.
    pub stage: Stage,
    /// How to recognise what it became, where this step tells.
    pub follow: Option<crate::model::Follow>,
}
