//! Restores: a backup put into a product of a site. Only their operations' names and two error codes are published;
//! paths are inferred, and shapes follow those of backups.

use serde_json::{Value, json};

use super::backup::{Reason, Status};
use super::codes::{self, Answer, Refusal};
use super::page::Page;
use super::{Atlassian, around, object, stamp_millis, tag, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// Seconds that the checks before a restore take.
const CHECKS: i64 = 15;
/// Larger backups are restored through support (documented).
const LARGEST_GB: f64 = 60.0;

/// A restore.
#[derive(Debug)]
pub(super) struct Restore {
    /// What is put back.
    pub backup: u64,
    /// The policy that the backup is of.
    pub policy: usize,
    /// Its size in GB.
    gb: f64,
    /// Where to.
    pub site: usize,
    /// Its place among the site's products.
    pub product: usize,
    /// How far it is; `Created` while the destination is checked.
    pub status: Status,
    /// By whom (an account id).
    account: String,
    /// In milliseconds since 1970, as the times below.
    pub created: i64,
    /// When something about it changed last.
    pub updated: i64,
    /// When its present step ends.
    due: i64,
    /// Why it did not go well.
    pub reason: Option<Reason>,
}

impl Atlassian {
    /// The restore of that id.
    ///
    /// # Errors
    /// 120, which is a 400 here.
    pub(super) fn restore_number(&self, id: &str) -> Result<usize, Refusal> {
        self.ids
            .number(tag::RESTORE, id)
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| *number < self.restores.len())
            .ok_or_else(|| codes::NO_RESTORE.with(&[id]))
    }

    /// Adds a restore and begins its checks.
    pub(super) fn add_restore(
        &mut self,
        world: &mut World,
        backup: u64,
        (site, product): (usize, usize),
        account: &str,
    ) -> Option<usize> {
        let now = world.now().timestamp_millis();
        let of = self.backups.get(backup)?;
        let number = self.restores.len();
        self.restores.push(Restore {
            backup,
            policy: of.policy as usize,
            gb: of.gb,
            site,
            product,
            status: Status::Created,
            account: account.to_owned(),
            created: now,
            updated: now,
            due: now + CHECKS * 1000,
            reason: None,
        });
        self.later(world, CHECKS * 1000, what::RESTORE, number as u64);
        world.count("atlassian.restore.created");
        Some(number)
    }

    /// What the checks find at a restore's destination.
    fn obstacle(&self, restore: &Restore) -> Option<Reason> {
        let product = self
            .sites
            .get(restore.site)?
            .products
            .get(restore.product)?;
        if !product.present {
            return Some(Reason::NoProduct);
        }
        // A Confluence may hold data: what is there already is skipped (documented).
        if product.word == "JIRA" && !product.empty {
            return Some(Reason::NotEmpty);
        }
        if self.busy(restore.site, restore.product) {
            return Some(Reason::Busy);
        }
        (restore.gb > LARGEST_GB).then_some(Reason::TooLarge)
    }

    /// A restore's present step is over.
    pub(super) fn restore_step(&mut self, world: &mut World, number: usize) {
        let now = world.now().timestamp_millis();
        let Some(restore) = self.restores.get(number) else {
            return;
        };
        if restore.due > now || !restore.status.under_way() {
            return;
        }
        let (site, product, status) = (restore.site, restore.product, restore.status);
        let obstacle = match status {
            Status::Created => self.obstacle(restore),
            _ => {
                let there = self.sites.get(site).and_then(|it| it.products.get(product));
                (!there.is_some_and(|product| product.present)).then_some(Reason::NoProduct)
            }
        };
        let begins = status == Status::Created && obstacle.is_none();
        let length = if begins {
            around(world, "atlassian.restore_seconds")
        } else {
            0
        };
        let Some(restore) = self.restores.get_mut(number) else {
            return;
        };
        restore.updated = now;
        restore.reason = obstacle;
        if begins {
            restore.status = Status::InProgress;
            restore.due = now + length;
            self.later(world, length, what::RESTORE, number as u64);
            return;
        }
        restore.status = if obstacle.is_some() {
            Status::Failed
        } else {
            Status::Completed
        };
        if let (None, Some(product)) = (
            obstacle,
            self.sites
                .get_mut(site)
                .and_then(|it| it.products.get_mut(product)),
        ) {
            product.empty = false;
        }
        world.count(if obstacle.is_some() {
            "atlassian.restore.failed"
        } else {
            "atlassian.restore.completed"
        });
    }

    fn restore_json(&self, world: &World, number: usize) -> Value {
        let Some(restore) = self.restores.get(number) else {
            return Value::Null;
        };
        let site = self.sites.get(restore.site);
        let product = site.and_then(|site| site.products.get(restore.product));
        let done = world.switches.get("atlassian.restore_done");
        let status = match restore.status {
            Status::Completed if !done.is_empty() => done,
            status => status.word(world),
        };
        let message = match restore.reason {
            Some(Reason::NoProduct) => codes::NO_PRODUCT.text(&[
                product.map_or("", |product| product.word),
                site.map_or("", |site| site.cloud_id.as_str()),
            ]),
            Some(reason) => self.status_message(world, restore.policy, reason),
            None => String::new(),
        };
        json!({
            "restoreId": self.ids.uuid(tag::RESTORE, number as u64),
            "backupId": self.ids.uuid(tag::BACKUP, restore.backup),
            "cloudId": site.map_or("", |site| site.cloud_id.as_str()),
            "product": product.map_or("", |product| product.word),
            "status": status, "statusMessage": message,
            "accountId": restore.account,
            "createdAt": stamp_millis(restore.created), "lastUpdatedAt": stamp_millis(restore.updated),
        })
    }

    /// `GET /restores` (inferred).
    pub(super) fn list_restores(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let rows: Vec<Value> = page
            .cut(0..self.restores.len())
            .into_iter()
            .map(|number| self.restore_json(world, number))
            .collect();
        Ok(Response::json(
            200,
            &json!({"restores": rows, "totalItems": self.restores.len()}),
        ))
    }

    /// `GET /restores/{restoreId}` (inferred).
    pub(super) fn show_restore(&self, world: &World, id: &str) -> Answer {
        let number = self.restore_number(id)?;
        Ok(Response::json(200, &self.restore_json(world, number)))
    }

    /// `POST /restores` (path inferred; the body is ours: `backupId`, and `cloudId` and `product` of the destination).
    pub(super) fn create_restore(
        &mut self,
        world: &mut World,
        request: &Request,
        account: &str,
    ) -> Answer {
        let body = object(request)?;
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let id = text("backupId").ok_or_else(|| Refusal::field("backupId", "must be a text"))?;
        let backup = self
            .backup_number(id)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        let row = self
            .backups
            .get(backup)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        let now = world.now().timestamp_millis();
        if row.status != Status::Completed || row.expiry <= now {
            return Err(Refusal::ours(422, "The backup can't be restored"));
        }
        let word = match text("product") {
            Some(word) => word,
            None => self
                .policies
                .get(row.policy as usize)
                .map_or("", |policy| self.product_word(policy)),
        };
        let cloud = text("cloudId").ok_or_else(|| Refusal::field("cloudId", "must be a text"))?;
        let site = self.site_number(cloud)?;
        let product = self
            .sites
            .get(site)
            .and_then(|site| {
                let product = site.product(word)?;
                site.products
                    .get(product)
                    .is_some_and(|product| product.present)
                    .then_some(product)
            })
            .ok_or_else(|| codes::NO_PRODUCT.with(&[word, cloud]))?;
        let open = |restore: &Restore| {
            (restore.site, restore.product) == (site, product) && restore.status.under_way()
        };
        if self.restores.iter().any(open) {
            return Err(codes::RESTORE_EXISTS.with(&[]));
        }
        let number = self
            .add_restore(world, backup, (site, product), account)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        Ok(Response::json(202, &self.restore_json(world, number)))
    }

    /// `POST /restores/{restoreId}/revalidate` (inferred, and so is its meaning: the checks of a restore that failed
    /// them run again).
    pub(super) fn revalidate_restore(&mut self, world: &mut World, id: &str) -> Answer {
        let number = self.restore_number(id)?;
        let now = world.now().timestamp_millis();
        let Some(restore) = self.restores.get_mut(number) else {
            return Err(codes::NO_RESTORE.with(&[id]));
        };
        if restore.status.under_way() {
            return Err(codes::RESTORE_EXISTS.with(&[]));
        }
        if restore.status != Status::Failed {
            return Err(Refusal::ours(422, "The restore did not fail"));
        }
        restore.status = Status::Created;
        restore.updated = now;
        restore.due = now + CHECKS * 1000;
        self.later(world, CHECKS * 1000, what::RESTORE, number as u64);
        world.count("atlassian.restore.revalidated");
        Ok(Response::json(202, &self.restore_json(world, number)))
    }
}
