//! What one answer of a service holds.

use super::{Device, Policy, Task};

/// Rows decoded from one answer. A feed may carry more than one noun: a Freezer job is a policy and,
/// while it runs, a task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// Devices.
    pub devices: Vec<Device>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Tasks.
    pub tasks: Vec<Task>,
    /// Rows that could not be read; each costs itself only.
    pub bad: Vec<BadRow>,
}

impl Rows {
    /// How many rows of all nouns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.devices.len() + self.policies.len() + self.tasks.len()
    }

    /// True when nothing was decoded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.bad.is_empty()
    }
}

/// A row that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// Which list it stood in and its place there (`checkpoint_items[17]`).
    pub place: String,
    /// What is wrong with it.
    pub why: String,
    /// The row as it came, cleaned and cut to at most 4 KiB.
    pub raw: String,
}
