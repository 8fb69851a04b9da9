//! One execution: a backup, a restore, a failover, a drill, a deletion.

use super::{CodeRef, Phase, Timestamp};

/// A reference to a device or policy of the same service.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ref {
    /// The service's own id; may be empty where only a name is known.
    pub id: String,
    /// The name as far as the record holds it; may be empty where only the id is known.
    pub name: String,
}

impl Ref {
    /// A reference with id and name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
        }
    }

    /// The name, or the id where there is no name.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

/// Something that was asked of a live task and has not happened yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Asked {
    /// A cancel (abort, stop) was accepted; the task still runs.
    Cancel,
    /// A start was accepted; the task has not started.
    Start,
}

/// One execution as a service reports it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Task {
    /// The service's own id, or one composed by the connector where the service has none; unique
    /// within one service and the same at every poll.
    pub id: String,
    /// The device it works on.
    pub device: Option<Ref>,
    /// The policy it runs for.
    pub policy: Option<Ref>,
    /// What it does, one lower-case word or two: `backup`, `restore`, `delete`, `failover`, `enable protection`.
    pub operation: String,
    /// The service's own status, letter for letter (two fields joined by `/` where it has two).
    pub native_status: String,
    /// Our reading of it.
    pub phase: Phase,
    /// Where inside the task it stands, where the service says so.
    pub step: String,
    /// Percent done, 0 to 100, where the service tells.
    pub progress: Option<u8>,
    /// When it started, by the service's clock.
    pub started_at: Option<Timestamp>,
    /// When the service last changed the record, by its clock.
    pub updated_at: Option<Timestamp>,
    /// When it ended, by the service's clock; `None` while live or not told.
    pub ended_at: Option<Timestamp>,
    /// What went wrong, where the service gives a code or a text.
    pub failure: Option<CodeRef>,
    /// Something asked and not carried out yet.
    pub asked: Option<Asked>,
    /// What the service calls the object (SDRS resource type, for instance); empty when it has one sort only.
    pub object: String,
    /// More facts for the detail pane, in order: label and value.
    pub facts: Vec<(&'static str, String)>,
    /// The service's own record, as JSON text. Connectors fill it; the store keeps it within a budget.
    pub raw: String,
}
