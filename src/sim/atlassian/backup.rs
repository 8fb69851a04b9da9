//! Backups: what a policy's runs leave behind, how they go, and the calls that show them.

use std::collections::VecDeque;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::codes::{self, Answer};
use super::page::Page;
use super::policy::{Interval, Policy};
use super::{Atlassian, around, stamp_millis, tag, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Accepted.
    Created,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Nothing was kept.
    Failed,
    /// Not all of it was kept.
    Incomplete,
    /// Too old to be restored.
    Expired,
}

impl Status {
    /// The word on the wire. `CREATED` is documented; the others are inferred from the console's words.
    #[must_use]
    pub fn word(self, world: &World) -> &'static str {
        let title = world.switches.get("atlassian.status_words") == "title";
        match (self, title) {
            (Self::Created, _) => "CREATED",
            (Self::InProgress, false) => "IN_PROGRESS",
            (Self::InProgress, true) => "In Progress",
            (Self::Completed, false) => "COMPLETED",
            (Self::Completed, true) => "Completed",
            (Self::Failed, false) => "FAILED",
            (Self::Failed, true) => "Failed",
            (Self::Incomplete, false) => "INCOMPLETE",
            (Self::Incomplete, true) => "Incomplete",
            (Self::Expired, false) => "EXPIRED",
            (Self::Expired, true) => "Expired",
        }
    }

    /// Whether the work goes on.
    #[must_use]
    pub fn under_way(self) -> bool {
        matches!(self, Self::Created | Self::InProgress)
    }
}

/// Why a job did not go well: always something in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The product was taken off the site.
    NoProduct,
    /// The customer's role does not let the service in any more.
    Role,
    /// The storage was taken out.
    NoStorage,
    /// The policy's author is no admin any more.
    Rights,
    /// A restore's destination holds data already.
    NotEmpty,
    /// A backup or restore runs on the destination.
    Busy,
    /// The backup is over 60 GB: support restores those.
    TooLarge,
}

/// A backup.
#[derive(Debug)]
pub(super) struct Backup {
    /// Whose run it is.
    pub policy: u32,
    /// Which try of the run: 1 to 3.
    pub attempt: u8,
    /// How far it is.
    pub status: Status,
    /// When it was accepted, in milliseconds since 1970, as the times below.
    pub created: i64,
    /// When something about it changed last.
    pub updated: i64,
    /// When its present step ends.
    pub due: i64,
    /// Until when it can be restored.
    pub expiry: i64,
    /// Its size in GB; 0 until it has one.
    pub gb: f64,
    /// Where it went.
    pub storage: u32,
    /// Why it did not go well.
    pub reason: Option<Reason>,
    /// A word that a test wants to see instead of its status.
    pub odd: Option<Box<str>>,
}

/// Backups by number; the oldest go first.
#[derive(Debug, Default)]
pub(super) struct Backups {
    rows: VecDeque<Backup>,
    first: u64,
}

impl Backups {
    /// Adds one; answers its number.
    pub fn push(&mut self, backup: Backup) -> u64 {
        self.rows.push_back(backup);
        self.first + self.rows.len() as u64 - 1
    }

    /// Takes the oldest out.
    pub fn pop(&mut self) -> Option<(u64, Backup)> {
        let backup = self.rows.pop_front()?;
        self.first += 1;
        Some((self.first - 1, backup))
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    /// The backup of that number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Backup> {
        self.rows.get(self.index(number)?)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Backup> {
        let index = self.index(number)?;
        self.rows.get_mut(index)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The oldest.
    #[must_use]
    pub fn first(&self) -> Option<&Backup> {
        self.rows.front()
    }

    /// How many of them are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.rows
            .iter()
            .filter(|backup| backup.status.under_way())
            .count()
    }
}

/// How often a run is tried (documented: up to three attempts).
const ATTEMPTS: u8 = 3;

impl Atlassian {
    /// The backup of that id.
    pub(super) fn backup_number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(tag::BACKUP, id)?;
        self.backups.get(number).map(|_| number)
    }

    /// Whether a backup or restore runs on a product.
    pub(super) fn busy(&self, site: usize, product: usize) -> bool {
        let backs_up = self.policies.iter().any(|policy| {
            (policy.site, policy.product) == (site, product) && self.under_way(policy)
        });
        backs_up
            || self.restores.iter().any(|restore| {
                (restore.site, restore.product) == (site, product)
                    && restore.status == Status::InProgress
            })
    }

    fn under_way(&self, policy: &Policy) -> bool {
        policy
            .backups
            .back()
            .and_then(|number| self.backups.get(*number))
            .is_some_and(|backup| backup.status.under_way())
    }

    /// What stands in the way of a policy's backup.
    pub(super) fn trouble(&self, policy: &Policy) -> Option<Reason> {
        let site = self.sites.get(policy.site)?;
        if !site.products.get(policy.product)?.present {
            return Some(Reason::NoProduct);
        }
        match self.storages.get(policy.storage) {
            None => Some(Reason::NoStorage),
            Some(storage) if storage.gone => Some(Reason::NoStorage),
            Some(storage) if !storage.role_fits => Some(Reason::Role),
            Some(_) => (!policy.rights).then_some(Reason::Rights),
        }
    }

    /// What a job says about its failure. Where a published message fits it is that one; that `statusMessage` holds
    /// it is inferred.
    pub(super) fn status_message(&self, world: &World, policy: usize, reason: Reason) -> String {
        let Some(policy) = self.policies.get(policy) else {
            return String::new();
        };
        let site = self.sites.get(policy.site);
        let cloud = site.map_or("", |site| site.cloud_id.as_str());
        let storage = self.storages.get(policy.storage);
        let storage_id = self.storage_id(policy.storage);
        let (row, text) = match reason {
            Reason::NoProduct => {
                let row = codes::NO_PRODUCT;
                (Some(row), row.text(&[self.product_word(policy), cloud]))
            }
            Reason::Role => {
                let row = codes::ROLE;
                let (tag, role) = storage.map_or(("", ""), |it| (&it.tag, &it.role));
                (Some(row), row.text(&[tag, role]))
            }
            Reason::NoStorage => {
                let row = codes::NO_STORAGE;
                (Some(row), row.text(&[&storage_id]))
            }
            Reason::Rights => (
                None,
                "The policy's author is no longer an organization admin and app admin".to_owned(),
            ),
            Reason::NotEmpty => (None, "The destination product holds user data".to_owned()),
            Reason::Busy => (
                None,
                "Another backup or restore is running on the destination product".to_owned(),
            ),
            Reason::TooLarge => (
                None,
                "Backups over 60 GB are restored through support".to_owned(),
            ),
        };
        match (world.switches.get("atlassian.status_message"), row) {
            ("empty", _) => String::new(),
            ("code", Some(row)) => format!("{}: {text}", row.code),
            _ => text,
        }
    }

    /// A policy's run begins; answers the backup's number. Nothing happens while one runs on the product.
    pub(super) fn begin(&mut self, world: &mut World, number: usize, attempt: u8) -> Option<u64> {
        let policy = self.policies.get(number)?;
        if self.busy(policy.site, policy.product) {
            return None;
        }
        let now = world.now().timestamp_millis();
        let days = world.switches.number("atlassian.retention_days").max(0.0);
        let queue = self
            .traffic
            .in_a_hurry()
            .unwrap_or_else(|| around(world, "atlassian.queue_seconds"));
        let backup = self.backups.push(Backup {
            policy: u32::try_from(number).unwrap_or(u32::MAX),
            attempt,
            status: Status::Created,
            created: now,
            updated: now,
            due: now + queue,
            expiry: now.saturating_add((days * 86_400_000.0) as i64),
            gb: 0.0,
            storage: u32::try_from(policy.storage).unwrap_or(0),
            reason: None,
            odd: None,
        });
        if let Some(policy) = self.policies.get_mut(number) {
            policy.backups.push_back(backup);
        }
        world.note(json!({
            "what": "atlassian.backup.created", "policy": number,
            "backupId": self.ids.uuid(tag::BACKUP, backup),
        }));
        let at = super::instant(now + queue);
        world.schedule(self.service, at, what::STEP, backup);
        Some(backup)
    }

    /// A backup's present step is over.
    pub(super) fn backup_step(&mut self, world: &mut World, number: u64) {
        let now = world.now().timestamp_millis();
        let Some(backup) = self.backups.get(number) else {
            return;
        };
        if backup.due > now || !backup.status.under_way() {
            return;
        }
        let (policy, status) = (backup.policy as usize, backup.status);
        let Some(of) = self.policies.get(policy) else {
            return;
        };
        let trouble = self.trouble(of);
        let gb = self
            .sites
            .get(of.site)
            .and_then(|site| site.products.get(of.product))
            .map_or(0.0, |product| product.gb);
        let slow = if self.product_word(of) == "CONFLUENCE" {
            2
        } else {
            1
        };
        // Lost rights show at the end only: what was read until then stays as it is.
        if status == Status::Created && trouble.is_none_or(|why| why == Reason::Rights) {
            let length = self
                .traffic
                .in_a_hurry()
                .unwrap_or_else(|| around(world, "atlassian.backup_seconds") * slow);
            if let Some(backup) = self.backups.get_mut(number) {
                backup.status = Status::InProgress;
                backup.updated = now;
                backup.due = now + length;
            }
            let at = super::instant(now + length);
            world.schedule(self.service, at, what::STEP, number);
            world.count("atlassian.backup.started");
            return;
        }
        let status = match trouble {
            None => Status::Completed,
            Some(Reason::Rights) => Status::Incomplete,
            Some(_) => Status::Failed,
        };
        let mut attempt = ATTEMPTS;
        if let Some(backup) = self.backups.get_mut(number) {
            backup.status = status;
            backup.updated = now;
            backup.reason = trouble;
            backup.gb = match status {
                Status::Completed => gb,
                Status::Incomplete => gb / 3.0,
                _ => 0.0,
            };
            attempt = backup.attempt;
        }
        world.note(json!({
            "what": match status {
                Status::Completed => "atlassian.backup.completed",
                Status::Incomplete => "atlassian.backup.incomplete",
                _ => "atlassian.backup.failed",
            },
            "backupId": self.ids.uuid(tag::BACKUP, number), "attempt": attempt,
        }));
        if status == Status::Failed && attempt < ATTEMPTS {
            // Atlassian repeats a failed backup by itself (documented).
            let minutes = world.switches.number("atlassian.retry_minutes").max(0.0);
            let at = super::instant(now + (minutes * 60_000.0) as i64);
            world.schedule(self.service, at, what::AGAIN, number);
        } else {
            self.run_is_over(policy);
        }
    }

    /// A failed backup is due to be repeated.
    pub(super) fn again(&mut self, world: &mut World, number: u64) {
        let Some((policy, attempt)) = self
            .backups
            .get(number)
            .map(|backup| (backup.policy as usize, backup.attempt))
        else {
            return;
        };
        let active = self.policies.get(policy).is_some_and(|policy| {
            // A newer run makes it needless.
            policy.active && policy.backups.back() == Some(&number)
        });
        if active {
            self.begin(world, policy, attempt + 1);
        }
    }

    /// A one-time policy is inactive after its run (documented).
    fn run_is_over(&mut self, number: usize) {
        if let Some(policy) = self.policies.get_mut(number)
            && policy
                .schedule
                .is_some_and(|schedule| schedule.interval == Interval::Once)
            && policy.next.is_none()
        {
            policy.active = false;
        }
    }

    /// A policy's slot has come.
    pub(super) fn slot(&mut self, world: &mut World, number: usize) {
        let now = world.now();
        let Some(policy) = self.policies.get_mut(number) else {
            return;
        };
        if !policy.active || policy.next.is_none_or(|at| at > now) {
            return;
        }
        policy.next = policy.schedule.and_then(|schedule| schedule.next(now));
        if let Some(at) = policy.next {
            world.schedule(self.service, at, what::SLOT, number as u64);
        }
        world.count("atlassian.policy.fired");
        self.begin(world, number, 1);
    }

    /// A backup as the service shows it.
    pub(super) fn backup_json(&self, world: &World, number: u64) -> Value {
        let Some(backup) = self.backups.get(number) else {
            return Value::Null;
        };
        let policy = self.policies.get(backup.policy as usize);
        let site = policy.and_then(|policy| self.sites.get(policy.site));
        let over = backup.expiry <= world.now().timestamp_millis();
        let status = match backup.status {
            Status::Completed | Status::Incomplete if over => Status::Expired,
            status => status,
        };
        let message = backup.reason.map_or(String::new(), |reason| {
            self.status_message(world, backup.policy as usize, reason)
        });
        let [attachments, _, users] = policy.map_or([true; 3], |policy| policy.includes);
        // USERS is documented, the others are inferred from the names of the sizes.
        let selections: Vec<&str> = [
            (users, "USERS"),
            (true, "DATA"),
            (attachments, "ATTACHMENTS"),
        ]
        .into_iter()
        .filter_map(|(there, word)| there.then_some(word))
        .collect();
        let mut body = json!({
            "backupId": self.ids.uuid(tag::BACKUP, number),
            "name": policy.map_or("", |policy| policy.name.as_str()),
            "cloudId": site.map_or("", |site| site.cloud_id.as_str()),
            "product": policy.map_or("", |policy| self.product_word(policy)),
            "status": backup.odd.as_deref().unwrap_or_else(|| status.word(world)),
            "statusMessage": message,
            "accountId": policy.map_or("", |policy| policy.author.as_str()),
            "expiryTime": stamp_millis(backup.expiry),
            "selections": selections,
            "createdAt": stamp_millis(backup.created),
            "lastUpdatedAt": stamp_millis(backup.updated),
            "storageId": self.storage_id(backup.storage as usize),
        });
        if backup.gb > 0.0 {
            // The unit is named for the total only; the others are megabytes here.
            let part = |share: f64| (backup.gb * 1000.0 * share).round();
            body["backupSize"] = json!({
                "usersSize": part(0.01), "dataSize": part(0.34), "attachmentsSize": part(0.65),
                "totalBackupSizeInGB": (backup.gb * 100.0).round() / 100.0,
            });
        }
        if site.is_some_and(|site| site.cmk) {
            body["encryptionType"] = "CMK".into();
        }
        body
    }

    /// `GET /policies/{policyId}/backups` (inferred).
    pub(super) fn list_backups(&self, world: &World, request: &Request, id: &str) -> Answer {
        let page = Page::of(world, request)?;
        let number = self.policy_number(id)?;
        Ok(Response::json(200, &self.backups_of(world, number, page)))
    }

    /// The documented envelope around a page of a policy's backups.
    pub(super) fn backups_of(&self, world: &World, number: usize, page: Page) -> Value {
        let Some(policy) = self.policies.get(number) else {
            return Value::Null;
        };
        let rows: Vec<Value> = page
            .cut(policy.backups.iter())
            .into_iter()
            .map(|number| self.backup_json(world, *number))
            .collect();
        json!({"backups": rows, "totalItems": policy.backups.len()})
    }

    /// Backup details (path inferred).
    pub(super) fn show_backup(&self, world: &World, id: &str) -> Answer {
        let number = self
            .backup_number(id)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        Ok(Response::json(200, &self.backup_json(world, number)))
    }

    /// The oldest backup is gone for good, unless it runs.
    pub(super) fn drop_oldest(&mut self) {
        if self
            .backups
            .first()
            .is_some_and(|backup| backup.status.under_way())
        {
            return;
        }
        if let Some((number, backup)) = self.backups.pop()
            && let Some(policy) = self.policies.get_mut(backup.policy as usize)
            && policy.backups.front() == Some(&number)
        {
            policy.backups.pop_front();
        }
    }

    /// Has something happen after so many milliseconds.
    pub(super) fn later(&self, world: &mut World, millis: i64, what: u32, id: u64) {
        world.schedule_in(self.service, TimeDelta::milliseconds(millis), what, id);
    }
}
