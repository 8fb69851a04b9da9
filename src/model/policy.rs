//! What says when and how to back up.

use super::Timestamp;

/// A plan, a backup policy, a protection group, a scheduled job.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The service's own id; unique within one service.
    pub id: String,
    /// The name people use; the id again where the service knows no name.
    pub name: String,
    /// What sort of thing it is: "policy", "plan", "protection group", "job".
    pub what: &'static str,
    /// The service's own status word, letter for letter; empty when it gives none.
    pub native_status: String,
    /// Whether its schedule is on; `None` where the service has no such notion.
    pub enabled: Option<bool>,
    /// True when the service itself reports it in a faulty state.
    pub faulty: bool,
    /// True when it protects all the time and the service says that this is in order now (replication that
    /// runs): it counts as good without any backup run.
    pub protected_now: bool,
    /// The last good backup, where the service itself tells (the store also derives it from tasks).
    pub last_success: Option<Timestamp>,
    /// How often a good backup is due while its schedule is on, where the schedule tells.
    pub due: Option<Due>,
    /// When it fires, in words ("daily 01:00 UTC"); empty when the service tells nothing.
    pub schedule: String,
    /// The next time it fires, where the service tells or the schedule lets us compute it.
    pub next_run: Option<Timestamp>,
    /// Ids of the devices it covers, where the service tells.
    pub device_ids: Vec<String>,
    /// More facts for the detail pane, in order: label and value.
    pub facts: Vec<(&'static str, String)>,
    /// The service's own record, as JSON text.
    pub raw: String,
}

/// How often a good backup is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// Milliseconds after one good backup within which the next one has to come, leeway included.
    pub within_ms: i64,
    /// Counted from here while no good backup is known: when the policy was made.
    pub from: Option<Timestamp>,
}
