//! A policy as it comes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::known::Known;
use crate::connect::decode::{Flag, Int, Loose, Raw, Text, raw_text};
use crate::connect::http::Reply;
use crate::connect::schedule::Schedule;
use crate::model::{Fault, Policy, Timestamp};

/// The list. No paging is documented for it.
#[derive(Deserialize)]
pub(super) struct Policies<'a> {
    #[serde(borrow)]
    pub policies: Vec<Raw<'a>>,
    #[serde(default)]
    pub count: Int,
}

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OnePolicy<'a> {
    #[serde(borrow)]
    pub policy: PolicyRow<'a>,
}

/// A row of the list (CBR API reference, querying policies).
#[derive(Deserialize)]
pub(super) struct PolicyRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(default)]
    pub enabled: Flag,
    #[serde(borrow, default)]
    pub operation_type: Text<'a>,
    #[serde(borrow, default)]
    operation_definition: Loose<Definition<'a>>,
    #[serde(borrow, default)]
    trigger: Loose<Trigger<'a>>,
    /// Empty, null or absent when it hangs on none.
    #[serde(borrow, default)]
    associated_vaults: Loose<Vec<Loose<Link<'a>>>>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow, default)]
    vault_id: Text<'a>,
}

#[derive(Deserialize)]
struct Definition<'a> {
    #[serde(default)]
    retention_duration_days: Int,
    #[serde(default)]
    max_backups: Int,
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
    #[serde(borrow, default)]
    destination_region: Text<'a>,
}

#[derive(Deserialize)]
struct Trigger<'a> {
    #[serde(borrow, default)]
    properties: Loose<Properties<'a>>,
}

#[derive(Deserialize)]
struct Properties<'a> {
    #[serde(borrow, default)]
    pattern: Loose<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    start_time: Text<'a>,
}

/// Names by policy, and policies by vault.
pub(super) type Links = (BTreeMap<String, String>, BTreeMap<String, Vec<String>>);

/// Who hangs on what, from the whole list.
///
/// # Errors
/// The answer is not a list of policies.
pub(super) fn links(reply: &Reply) -> Result<Links, Fault> {
    let list: Policies<'_> = reply.json()?;
    let (mut names, mut links) = (BTreeMap::new(), BTreeMap::<String, Vec<String>>::new());
    for raw in list.policies {
        let Ok(row) = serde_json::from_str::<PolicyRow<'_>>(raw.get()) else {
            continue;
        };
        for vault in row.vaults() {
            links.entry(vault).or_default().push(row.id.owned());
        }
        names.insert(row.id.owned(), row.label().to_owned());
    }
    Ok((names, links))
}

impl PolicyRow<'_> {
    pub(super) fn label(&self) -> &str {
        self.name.or(self.id.as_str())
    }

    /// Ids of the vaults that it hangs on.
    pub(super) fn vaults(&self) -> Vec<String> {
        self.associated_vaults
            .0
            .iter()
            .flatten()
            .filter_map(|l| l.0.as_ref())
            .map(|l| l.vault_id.owned())
            .filter(|id| !id.is_empty())
            .collect()
    }

    /// The policy in the model's words; `now` (by the service's clock) is where the next run is counted from.
    pub(super) fn policy(
        &self,
        raw: Raw<'_>,
        known: &Known,
        now: Timestamp,
    ) -> Result<Policy, String> {
        if self.id.is_empty() {
            return Err("the id is missing".into());
        }
        let schedules: Vec<Schedule> = self
            .trigger
            .0
            .as_ref()
            .and_then(|t| t.properties.0.as_ref()?.pattern.0.as_ref())
            .into_iter()
            .flatten()
            .map(|pattern| Schedule::read(pattern.as_str()))
            .collect();
        let words: Vec<String> = schedules.iter().map(Schedule::words).collect();
        let next = schedules
            .iter()
            .map(|schedule| schedule.next(now))
            .collect::<Option<Vec<_>>>()
            .and_then(|all| all.into_iter().min());
        let vaults = self.vaults();
        let mut device_ids = Vec::new();
        let mut facts = Vec::new();
        for id in &vaults {
            let vault = known.vault(id);
            facts.push(("Vault", vault.map_or(id, |v| &v.name).clone()));
            device_ids.extend(vault.into_iter().flat_map(|v| v.devices.iter().cloned()));
        }
        if vaults.is_empty() {
            facts.push(("Vault", "none: it backs nothing up".to_owned()));
        }
        if let Some(d) = &self.operation_definition.0 {
            facts.push(("Keeps automatic backups", retention(d)));
            if !d.timezone.is_empty() {
                facts.push(("Retention zone", d.timezone.owned()));
            }
            if !d.destination_region.is_empty() {
                facts.push(("Copies to", d.destination_region.owned()));
            }
        }
        if let Some(start) = self
            .trigger
            .0
            .as_ref()
            .and_then(|t| t.properties.0.as_ref())
            .map(|p| p.start_time.owned())
            .filter(|s| !s.is_empty())
        {
            facts.push(("In force since", start));
        }
        let is_backup = matches!(self.operation_type.as_str(), "" | "backup");
        Ok(Policy {
            id: self.id.owned(),
            name: self.label().to_owned(),
            what: if is_backup {
                "policy"
            } else {
                "replication policy"
            },
            native_status: String::new(),
            enabled: self.enabled.0,
            faulty: false,
            protected_now: false,
            schedule: words.join("; "),
            next_run: next.filter(|_| self.enabled.is_true()),
            device_ids,
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        })
    }
}

/// Both limits may be given at once; -1 and nothing both mean no limit.
fn retention(d: &Definition<'_>) -> String {
    let mut parts = Vec::new();
    for (n, what) in [
        (d.max_backups.0, "backups"),
        (d.retention_duration_days.0, "days"),
        (d.day_backups.0, "daily"),
        (d.week_backups.0, "weekly"),
        (d.month_backups.0, "monthly"),
        (d.year_backups.0, "yearly"),
    ] {
        if let Some(n) = n.filter(|n| *n > 0) {
            parts.push(format!("{n} {what}"));
        }
    }
    if parts.is_empty() {
        "for ever".into()
    } else {
        parts.join(", ")
    }
}
