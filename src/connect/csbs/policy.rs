//! A backup policy as it comes.

use serde::Deserialize;

use super::known::{Bound, BoundServer};
use crate::connect::decode::{Flag, Int, Loose, Raw, Text, Time, raw_text};
use crate::connect::schedule::Schedule;
use crate::model::{Policy, Ref, Timestamp};

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OnePolicy<'a> {
    #[serde(borrow)]
    pub policy: Raw<'a>,
}

/// A row of the list (API reference, querying the backup policy list).
#[derive(Deserialize)]
pub(super) struct PolicyRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(default)]
    created_at: Time,
    #[serde(borrow, default)]
    resources: Loose<Vec<Raw<'a>>>,
    #[serde(borrow, default)]
    scheduled_operations: Loose<Vec<Loose<Operation<'a>>>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
}

#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(default)]
    enabled: Flag,
    #[serde(borrow, default)]
    operation_definition: Loose<Definition<'a>>,
    #[serde(borrow, default)]
    trigger: Loose<Trigger<'a>>,
}

/// Numbers come as numbers or as text, truth values too.
#[derive(Deserialize, Default)]
struct Definition<'a> {
    #[serde(default)]
    max_backups: Int,
    #[serde(default)]
    retention_duration_days: Int,
    #[serde(default)]
    permanent: Flag,
    #[serde(default)]
    day_backups: Int,
    #[serde(default)]
    week_backups: Int,
    #[serde(default)]
    month_backups: Int,
    #[serde(default)]
    year_backups: Int,
    #[serde(borrow, default)]
    timezone: Text<'a>,
}

#[derive(Deserialize, Default)]
struct Trigger<'a> {
    #[serde(borrow, default)]
    properties: Loose<Properties<'a>>,
}

#[derive(Deserialize, Default)]
struct Properties<'a> {
    // Not a cleaned text: its line ends are part of the format.
    #[serde(default)]
    pattern: Option<String>,
    #[serde(borrow, default)]
    start_time: Text<'a>,
}

impl PolicyRow<'_> {
    fn operation(&self) -> Option<&Operation<'_>> {
        self.scheduled_operations
            .0
            .iter()
            .flatten()
            .find_map(|o| o.0.as_ref())
    }

    /// Whether its schedule is on. The policy's own status says nothing of it: a healthy enabled policy is
    /// `suspended`.
    pub(super) fn enabled(&self) -> Option<bool> {
        self.operation().and_then(|o| o.enabled.0)
    }

    /// The policy with the servers in it.
    pub(super) fn bound(&self) -> Bound {
        let servers = self
            .resources
            .0
            .iter()
            .flatten()
            .filter_map(|raw| {
                let r: Resource<'_> = serde_json::from_str(raw.get()).ok()?;
                (!r.id.is_empty()).then(|| BoundServer {
                    id: r.id.owned(),
                    name: r.name.owned(),
                    kind: r.kind.or(super::act::SERVER).to_owned(),
                    raw: raw_text(raw),
                })
            })
            .collect();
        Bound {
            policy: Ref::new(self.id.as_str(), self.name.or(self.id.as_str())),
            servers,
        }
    }

    /// The policy in the model's words; `now` (by the service's clock) is where the next run is counted from.
    pub(super) fn policy(&self, raw: Raw<'_>, now: Timestamp) -> Result<Policy, String> {
        if self.id.is_empty() {
            return Err("the id is missing".into());
        }
        let bound = self.bound();
        let operation = self.operation();
        let enabled = self.enabled();
        let trigger = operation.and_then(|o| o.trigger.0.as_ref());
        let properties = trigger.and_then(|t| t.properties.0.as_ref());
        let pattern = properties.and_then(|p| p.pattern.as_deref()).unwrap_or("");
        let schedule = Schedule::read(pattern);
        let mut facts = Vec::new();
        let mut add = |label, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        add("Description", self.description.owned());
        add("Servers", bound.servers.len().to_string());
        if let Some(d) = operation.and_then(|o| o.operation_definition.0.as_ref()) {
            add("Keeps", retention(d));
            add("Retention zone", d.timezone.owned());
        }
        if let Some(p) = properties {
            add("In force since", p.start_time.owned());
        }
        if !pattern.is_empty() {
            add("Times", "read as UTC: the interface names no zone".into());
        }
        add(
            "Created",
            self.created_at
                .0
                .map_or_else(String::new, Timestamp::rfc3339),
        );
        Ok(Policy {
            id: self.id.owned(),
            name: self.name.or(self.id.as_str()).to_owned(),
            what: "policy",
            native_status: self.status.owned(),
            enabled,
            faulty: false,
            protected_now: false,
            schedule: schedule.words(),
            next_run: (enabled == Some(true))
                .then(|| schedule.next(now))
                .flatten(),
            device_ids: bound.servers.into_iter().map(|s| s.id).collect(),
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        })
    }
}

fn retention(d: &Definition<'_>) -> String {
    if d.permanent.is_true() {
        return "all, for ever".into();
    }
    let mut parts = Vec::new();
    for (n, what) in [
        (d.max_backups.0, "backups"),
        (d.retention_duration_days.0, "days"),
        (d.day_backups.0, "daily"),
        (d.week_backups.0, "weekly"),
        (d.month_backups.0, "monthly"),
        (d.year_backups.0, "yearly"),
    ] {
        match n {
            Some(-1) => parts.push(format!("any number of {what}")),
            Some(n) if n > 0 => parts.push(format!("{n} {what}")),
            _ => {}
        }
    }
    if parts.is_empty() {
        "all, for ever".into()
    } else {
        parts.join(", ")
    }
}
