//! A backup policy as it comes, and what it says of the site's product that it protects.

use serde::Deserialize;

use super::known::Known;
use super::word::{self, Interval};
use crate::connect::decode::{Flag, Int, Loose, Raw, Text, raw_text, time};
use crate::model::{Device, Due, Policy, Ref, Timestamp};

/// A policy (schema `PublicApiGetBackupPolicyV2Response`). Which fields are required is not published.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PolicyRow<'a> {
    #[serde(borrow)]
    pub policy_id: Text<'a>,
    #[serde(borrow)]
    policy_name: Text<'a>,
    #[serde(borrow)]
    cloud_info: Loose<CloudInfo<'a>>,
    #[serde(borrow)]
    product_type: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    include_attachments: Flag,
    include_personal_spaces: Flag,
    include_users_and_groups: Flag,
    #[serde(borrow)]
    details: Loose<Details<'a>>,
    #[serde(borrow)]
    created_at: Text<'a>,
    #[serde(borrow)]
    created_by: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CloudInfo<'a> {
    #[serde(borrow)]
    cloud_id: Text<'a>,
    #[serde(borrow)]
    cloud_url: Text<'a>,
    #[serde(borrow)]
    cloud_name: Text<'a>,
    #[serde(borrow)]
    encryption_type: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Details<'a> {
    #[serde(borrow)]
    storage_id: Text<'a>,
    #[serde(borrow)]
    backup_details: Loose<BackupDetails<'a>>,
    #[serde(borrow)]
    schedule_details: Loose<ScheduleDetails<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct BackupDetails<'a> {
    #[serde(borrow)]
    last_backup_time: Text<'a>,
    total_available_backups: Int,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ScheduleDetails<'a> {
    #[serde(borrow)]
    interval: Text<'a>,
    #[serde(borrow)]
    start_date: Text<'a>,
    #[serde(borrow)]
    schedule_slot: Text<'a>,
}

impl<'a> PolicyRow<'a> {
    /// Takes over what the record with all details told and this one, out of a list, leaves out.
    pub(super) fn fill(&mut self, whole: PolicyRow<'a>) {
        if self.cloud_info.0.is_none() {
            self.cloud_info = whole.cloud_info;
        }
        if self.product_type.is_empty() {
            self.product_type = whole.product_type;
        }
        let Some(from) = whole.details.0 else { return };
        let details = self.details.0.get_or_insert_default();
        if details.storage_id.is_empty() {
            details.storage_id = from.storage_id;
        }
        if details.backup_details.0.is_none() {
            details.backup_details = from.backup_details;
        }
        if details.schedule_details.0.is_none() {
            details.schedule_details = from.schedule_details;
        }
    }

    /// Whether the record tells of its backups, so that it need not be asked for by itself.
    pub(super) fn tells_backups(&self) -> bool {
        self.backups().is_some_and(|b| {
            !b.last_backup_time.is_empty() || b.total_available_backups.0.is_some()
        })
    }

    fn backups(&self) -> Option<&BackupDetails<'a>> {
        self.details.0.as_ref()?.backup_details.0.as_ref()
    }

    fn schedule(&self) -> Option<&ScheduleDetails<'a>> {
        self.details.0.as_ref()?.schedule_details.0.as_ref()
    }

    /// The interval, where there is a schedule.
    pub(super) fn interval(&self) -> Option<Interval> {
        let schedule = self.schedule()?;
        (!schedule.interval.is_empty()).then(|| Interval::read(schedule.interval.as_str()))
    }

    /// The day on which the schedule starts, where it can be read.
    pub(super) fn start(&self) -> Option<Timestamp> {
        time(self.schedule()?.start_date.as_str())
    }

    /// The schedule in words; empty where there is none.
    pub(super) fn schedule_words(&self) -> String {
        self.schedule().map_or_else(String::new, |s| {
            word::schedule(
                s.interval.as_str(),
                s.start_date.as_str(),
                s.schedule_slot.as_str(),
            )
        })
    }

    /// The site's product: its id in keepwatch and its name. No call lists them.
    pub(super) fn device_ref(&self) -> Option<Ref> {
        let cloud = self.cloud_info.0.as_ref()?;
        device_ref(
            cloud.cloud_id.as_str(),
            site_name(cloud),
            self.product_type.as_str(),
        )
    }

    /// The name people use.
    pub(super) fn name(&self) -> String {
        if !self.policy_name.is_empty() {
            return self.policy_name.owned();
        }
        self.device_ref()
            .map_or_else(|| self.policy_id.owned(), |device| device.name)
    }

    /// The last good backup as the service tells it, unless what is known of the policy's backups speaks against it.
    fn last_success(&self, known: &Known) -> Option<Timestamp> {
        let backups = self.backups()?;
        let told = time(backups.last_backup_time.as_str())?;
        if backups.total_available_backups.0.is_some_and(|n| n < 1) {
            return None;
        }
        known
            .could_be_good(self.policy_id.as_str(), told)
            .then_some(told)
    }

    /// As a policy.
    pub(super) fn policy(&self, raw: Raw<'_>, known: &Known) -> Result<Policy, String> {
        if self.policy_id.is_empty() {
            return Err("policyId is missing".into());
        }
        let within = self.interval().and_then(Interval::due_within_ms);
        let due = within.map(|within_ms| Due {
            within_ms,
            from: time(self.created_at.as_str()).max(self.start()),
        });
        Ok(Policy {
            id: self.policy_id.owned(),
            name: self.name(),
            what: "policy",
            native_status: self.status.owned(),
            enabled: word::enabled(self.status.as_str()),
            schedule: self.schedule_words(),
            last_success: self.last_success(known),
            due,
            device_ids: self.device_ref().map(|d| d.id).into_iter().collect(),
            facts: self.facts(known),
            raw: raw_text(raw),
            ..Policy::default()
        })
    }

    fn facts(&self, known: &Known) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        let mut add = |label: &'static str, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        let yes_no = |flag: &Flag| match flag.0 {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => String::new(),
        };
        if let Some(cloud) = &self.cloud_info.0 {
            add("Site", cloud.cloud_url.owned());
            add("Encryption", cloud.encryption_type.owned());
        }
        add("Product", self.product_type.owned());
        if let Some(details) = &self.details.0 {
            add("Storage", known.storage(details.storage_id.as_str()));
        }
        if let Some(backups) = self.backups() {
            add("Last backup", backups.last_backup_time.owned());
            if let Some(n) = backups.total_available_backups.0 {
                add("Available backups", n.to_string());
            }
        }
        add("Attachments", yes_no(&self.include_attachments));
        add("Personal spaces", yes_no(&self.include_personal_spaces));
        add("Users and groups", yes_no(&self.include_users_and_groups));
        add("Created", self.created_at.owned());
        // when this account loses its rights, the policy's backups do not complete (Set a backup schedule)
        add("Created by", self.created_by.owned());
        facts
    }

    /// The site's product as a device.
    pub(super) fn device(&self, known: &Known) -> Option<Device> {
        let device = self.device_ref()?;
        let cloud = self.cloud_info.0.as_ref()?;
        Some(Device {
            id: device.id,
            name: device.name,
            what: "product of a site",
            place: cloud.cloud_url.owned(),
            policy_ids: vec![self.policy_id.owned()],
            last_success: self.last_success(known),
            ..Device::default()
        })
    }
}

/// The site's name, or its address without the protocol.
fn site_name<'a>(cloud: &'a CloudInfo<'_>) -> &'a str {
    if !cloud.cloud_name.is_empty() {
        return cloud.cloud_name.as_str();
    }
    let url = cloud.cloud_url.as_str();
    url.split_once("://")
        .map_or(url, |(_, host)| host)
        .trim_end_matches('/')
}

/// A site's product: both ids are needed to tell it from others.
pub(super) fn device_ref(cloud_id: &str, site: &str, product: &str) -> Option<Ref> {
    if cloud_id.is_empty() || product.is_empty() {
        return None;
    }
    let site = if site.is_empty() { cloud_id } else { site };
    Some(Ref::new(
        format!("{cloud_id}/{product}"),
        format!("{site} {product}"),
    ))
}
