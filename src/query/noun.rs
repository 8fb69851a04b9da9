//! The lists that a query can be asked of.

use std::fmt;
use std::str::FromStr;

/// A list of the console and of `keepwatch list`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Noun {
    /// What is protected.
    Devices,
    /// What says when and how to back up.
    Policies,
    /// Live tasks: queued, waiting, running.
    Running,
    /// Tasks that need a person: failed, uncertain, and on request skipped and cancelled.
    Failed,
    /// Every task held.
    Tasks,
}

impl Noun {
    /// Every list, in the order of the console's tabs.
    pub const ALL: [Self; 5] = [
        Self::Devices,
        Self::Policies,
        Self::Running,
        Self::Failed,
        Self::Tasks,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Policies => "policies",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Tasks => "tasks",
        }
    }

    /// True when its rows are tasks.
    #[must_use]
    pub const fn is_of_tasks(self) -> bool {
        matches!(self, Self::Running | Self::Failed | Self::Tasks)
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Noun {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|n| n.word() == word).ok_or(())
    }
}
