//! Who writes.

use std::fs;

use uuid::Uuid;

/// One run of a program that writes history; unique across machines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WriterId(pub Uuid);

/// Who writes, as the audit shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// This run.
    pub writer: WriterId,
    /// The person: `KEEPWATCH_OPERATOR`, else the user's name on this machine.
    pub operator: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
}

impl Identity {
    /// This process, with the names that the environment gives.
    #[must_use]
    pub fn of_this_process() -> Self {
        let named = |name: &str| {
            std::env::var(name)
                .ok()
                .map(|v| crate::model::clean(v.trim()).into_owned())
                .filter(|v| !v.is_empty())
        };
        Self {
            writer: WriterId(super::new_id()),
            operator: ["KEEPWATCH_OPERATOR", "USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(named)
                .or_else(account)
                .unwrap_or_else(|| "unknown".to_owned()),
            host: host(named),
            pid: std::process::id(),
        }
    }
}

/// The user that the process runs as, by the machine's own list: services and cron jobs have no `USER`.
fn account() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let id = ids.split_whitespace().next()?;
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(id)).then(|| crate::model::clean(name).into_owned())
    });
    Some(name.unwrap_or_else(|| format!("uid {id}")))
}

fn host(named: impl Fn(&str) -> Option<String>) -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .map(|text| crate::model::clean(text.trim()).into_owned())
        .find(|name| !name.is_empty())
        .or_else(|| ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(named))
        .unwrap_or_else(|| "unknown".to_owned())
}
