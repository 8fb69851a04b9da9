//! Policies: which product of which site is backed up, where to, and when.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Atlassian;
use super::backup::Status;
use super::codes::Refusal;
use super::{stamp, tag};
use crate::sim::world::World;

/// How often a schedule comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    /// One time.
    Once,
    /// Every day.
    Daily,
    /// Every seven days.
    Weekly,
}

impl Interval {
    /// The word on the wire: the first is documented, the others inferred from the console's.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Once => "ONCE",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Once, Self::Daily, Self::Weekly]
            .into_iter()
            .find(|interval| interval.word() == word)
    }
}

/// A schedule: the user chooses the date, the service the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    /// How often.
    pub interval: Interval,
    /// From when on.
    pub start: NaiveDate,
    /// The assigned time, in seconds of the day (UTC).
    pub slot: i64,
}

impl Schedule {
    /// The next time after `now`; `None` for a one-time schedule that is over.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first =
            self.start.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::seconds(self.slot);
        let days = match self.interval {
            Interval::Once => return (first > now).then_some(first),
            Interval::Daily => 1,
            Interval::Weekly => 7,
        };
        if first > now {
            return Some(first);
        }
        let step = days * 86_400;
        let gone = (now - first).num_seconds();
        Some(first + TimeDelta::seconds((gone / step + 1) * step))
    }

    /// The assigned time as text; its form is not published.
    fn slot_text(&self) -> String {
        format!("{:02}:{:02}", self.slot / 3600, self.slot / 60 % 60)
    }
}

/// A policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// The user's name for it.
    pub name: String,
    /// Its site.
    pub site: usize,
    /// Its place among the site's products.
    pub product: usize,
    /// Where the backups go.
    pub storage: usize,
    /// What goes along: attachments, personal spaces, users and groups.
    pub includes: [bool; 3],
    /// When; `None` after somebody removed it.
    pub schedule: Option<Schedule>,
    /// Whether it was activated and is not over.
    pub active: bool,
    /// Whether its author still has the rights that a backup needs.
    pub rights: bool,
    /// When it is due next.
    pub next: Option<DateTime<Utc>>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// By whom (an account id).
    pub author: String,
    /// Its backups, the oldest first.
    pub backups: std::collections::VecDeque<u64>,
}

impl Atlassian {
    /// The policy of that id. What an unknown one gives is not published: 404 is ours.
    pub(super) fn policy_number(&self, id: &str) -> Result<usize, Refusal> {
        self.ids
            .number(tag::POLICY, id)
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| *number < self.policies.len())
            .ok_or_else(|| Refusal::ours(404, format!("Backup policy {id} was not found")))
    }

    /// The site of that cloud id (400 and its words are ours).
    pub(super) fn site_number(&self, cloud: &str) -> Result<usize, Refusal> {
        self.sites
            .iter()
            .position(|site| site.cloud_id == cloud)
            .ok_or_else(|| Refusal::field("cloudId", "names no site of this organization"))
    }

    /// The schedule that a body wishes for, with the time that the service assigns.
    pub(super) fn schedule_of(&self, world: &mut World, wish: &Value) -> Result<Schedule, Refusal> {
        const INTERVAL: &str = "scheduleDetails.interval";
        const START: &str = "scheduleDetails.startDate";
        let interval = wish
            .get("interval")
            .and_then(Value::as_str)
            .and_then(Interval::from_word)
            .ok_or_else(|| Refusal::field(INTERVAL, "must be ONCE, DAILY or WEEKLY"))?;
        let today = world.now().date_naive();
        let start = match wish.get("startDate") {
            None | Some(Value::Null) => today,
            Some(text) => text
                .as_str()
                .and_then(|text| text.get(..10))
                .and_then(|day| day.parse::<NaiveDate>().ok())
                .ok_or_else(|| Refusal::field(START, "must be a date"))?,
        };
        Ok(Schedule {
            interval,
            start,
            slot: world.rng.i64(0..1440) * 60,
        })
    }

    /// Makes a policy wait for its next time. A one-time policy whose date is today or over gets a slot soon.
    pub(super) fn arm(&mut self, world: &mut World, number: usize) {
        let now = world.now();
        let soon = world.switches.number("atlassian.slot_seconds").max(1.0) as i64;
        let Some(policy) = self.policies.get_mut(number) else {
            return;
        };
        let Some(schedule) = &mut policy.schedule else {
            policy.next = None;
            policy.active = false;
            return;
        };
        if schedule.interval == Interval::Once && schedule.start <= now.date_naive() {
            let at = now + TimeDelta::seconds(soon);
            schedule.start = at.date_naive();
            schedule.slot = at.timestamp().rem_euclid(86_400);
        }
        policy.next = schedule.next(now);
        if let Some(at) = policy.next {
            world.schedule(self.service, at, super::what::SLOT, number as u64);
        }
    }

    /// A policy as the service shows it; `storage` and `backups` ask for those parts of `details`.
    pub(super) fn policy_json(
        &self,
        world: &World,
        number: usize,
        storage: bool,
        backups: bool,
    ) -> Value {
        let Some(policy) = self.policies.get(number) else {
            return Value::Null;
        };
        let mut details = json!({});
        if storage {
            details["storageId"] = self.storage_id(policy.storage).into();
        }
        if backups {
            details["backupDetails"] = self.backup_details(world, policy);
        }
        if let Some(schedule) = &policy.schedule {
            details["scheduleDetails"] = json!({
                "interval": schedule.interval.word(), "startDate": schedule.start.to_string(),
                "scheduleSlot": schedule.slot_text(),
            });
        }
        let [attachments, personal, users] = policy.includes;
        json!({
            "policyId": self.ids.uuid(tag::POLICY, number as u64),
            "policyName": policy.name,
            "cloudInfo": self.cloud_info(policy.site),
            "productType": self.product_word(policy),
            // The second word is inferred.
            "status": if policy.active { "ACTIVE" } else { "INACTIVE" },
            "includeAttachments": attachments, "includePersonalSpaces": personal, "includeUsersAndGroups": users,
            "details": details,
            "createdAt": stamp(policy.created), "createdBy": policy.author,
        })
    }

    fn cloud_info(&self, site: usize) -> Value {
        let Some(site) = self.sites.get(site) else {
            return Value::Null;
        };
        let mut info = json!({
            "cloudId": site.cloud_id, "cloudUrl": format!("https://{}.atlassian.net", site.name),
            "cloudName": site.name,
        });
        // No other word than this one is published.
        if site.cmk {
            info["encryptionType"] = "CMK".into();
        }
        info
    }

    fn backup_details(&self, world: &World, policy: &Policy) -> Value {
        let any = world.switches.get("atlassian.last_backup") == "any";
        let now = world.now().timestamp_millis();
        let last = policy
            .backups
            .iter()
            .rev()
            .filter_map(|number| self.backups.get(*number))
            .find(|backup| any || backup.status == Status::Completed);
        let available = policy
            .backups
            .iter()
            .filter_map(|number| self.backups.get(*number))
            .filter(|backup| backup.status == Status::Completed && backup.expiry > now)
            .count();
        let mut details = json!({"totalAvailableBackups": available});
        if let Some(last) = last {
            details["lastBackupTime"] = super::stamp_millis(last.created).into();
        }
        details
    }

    /// The word of a policy's product.
    pub(super) fn product_word(&self, policy: &Policy) -> &'static str {
        self.sites
            .get(policy.site)
            .and_then(|site| site.products.get(policy.product))
            .map_or("", |product| product.word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_find_their_next_time() {
        let now: DateTime<Utc> = "2026-03-05T10:00:00Z".parse().expect("a time");
        let next = |interval, start: &str, slot| {
            let start = start.parse().expect("a date");
            let schedule = Schedule {
                interval,
                start,
                slot,
            };
            schedule.next(now).map(|at| at.to_rfc3339())
        };
        let at = |text: &str| Some(format!("{text}:00+00:00"));
        assert_eq!(
            next(Interval::Daily, "2026-01-01", 3600),
            at("2026-03-06T01:00")
        );
        assert_eq!(
            next(Interval::Daily, "2026-01-01", 36_060),
            at("2026-03-05T10:01")
        );
        assert_eq!(
            next(Interval::Weekly, "2026-02-26", 3600),
            at("2026-03-12T01:00")
        );
        assert_eq!(
            next(Interval::Weekly, "2026-04-01", 0),
            at("2026-04-01T00:00")
        );
        assert_eq!(next(Interval::Once, "2026-03-05", 3600), None);
        assert_eq!(
            next(Interval::Once, "2026-03-06", 3600),
            at("2026-03-06T01:00")
        );
    }
}
