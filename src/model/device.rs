//! What is protected.

use super::Timestamp;

/// A gateway, a server, a database instance, a site's product, a protected instance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// The service's own id; unique within one service.
    pub id: String,
    /// The name people use; the id again where the service knows no name.
    pub name: String,
    /// What sort of thing it is, in the service's field's words: "server", "client", "gateway".
    pub what: &'static str,
    /// The service's own status word, letter for letter; empty when it gives none.
    pub native_status: String,
    /// True when the service itself says that the device can't be backed up now or is faulty.
    pub faulty: bool,
    /// Zone, site or host, where the service tells.
    pub place: String,
    /// Ids of the policies that cover it, where the service tells.
    pub policy_ids: Vec<String>,
    /// True when the service keeps it protected all the time and says that this is in order now
    /// (replication that runs): it counts as good without any backup run.
    pub protected_now: bool,
    /// The last good backup, where the service itself tells (the store also derives it from tasks).
    pub last_success: Option<Timestamp>,
    /// More facts for the detail pane, in order: label and value.
    pub facts: Vec<(&'static str, String)>,
    /// The service's own record, as JSON text.
    pub raw: String,
}
