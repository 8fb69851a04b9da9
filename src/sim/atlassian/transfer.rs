//! Exports, imports and reports. Their errors are published and their paths are not: everything here but those errors
//! is a stand-in of ours, which the switch `atlassian.unlisted_calls` turns off.
//!
//! | call | what |
//! | --- | --- |
//! | POST `/exports` `{"backupId"}` | 202 `{"exportId","status"}` |
//! | GET `/exports/{exportId}?cloudId=` | its state |
//! | GET `/backups/{backupId}/export` | the completed export of a backup |
//! | POST `/imports` `{"backupId","cloudId"}` | 202 `{"importId","status"}`; needs a completed export |
//! | GET `/imports/{importId}?cloudId=` | its state |
//! | GET `/reports/{id}` | the report on a restore that is over |

use serde_json::{Value, json};

use super::backup::Status;
use super::codes::{self, Answer, Refusal, Row};
use super::{Atlassian, object, stamp_millis, tag, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// An export or an import.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The backup that it is of.
    pub backup: u64,
    /// The site that it belongs to.
    pub site: usize,
    /// How far it is.
    pub status: Status,
    /// In milliseconds since 1970.
    pub created: i64,
}

/// Exports or imports: what sets the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Out of the service.
    Export,
    /// Into it.
    Import,
}

impl Direction {
    fn tag(self) -> u8 {
        match self {
            Self::Export => tag::EXPORT,
            Self::Import => tag::IMPORT,
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Export => "exportId",
            Self::Import => "importId",
        }
    }

    /// No such job; of another site; its backup is gone.
    fn errors(self) -> [Row; 3] {
        match self {
            Self::Export => [codes::EXPORT_JOB, codes::EXPORT_SITE, codes::EXPORT_BACKUP],
            Self::Import => [codes::IMPORT_JOB, codes::IMPORT_SITE, codes::IMPORT_BACKUP],
        }
    }
}

impl Atlassian {
    fn transfers(&mut self, direction: Direction) -> &mut Vec<Transfer> {
        match direction {
            Direction::Export => &mut self.exports,
            Direction::Import => &mut self.imports,
        }
    }

    fn named_backup(&self, body: &serde_json::Map<String, Value>) -> Result<u64, Refusal> {
        let id = body
            .get("backupId")
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::field("backupId", "must be a text"))?;
        self.backup_number(id)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))
    }

    fn site_of(&self, backup: u64) -> usize {
        self.backups
            .get(backup)
            .and_then(|backup| self.policies.get(backup.policy as usize))
            .map_or(0, |policy| policy.site)
    }

    fn completed_export(&self, backup: u64) -> Result<usize, Refusal> {
        self.exports
            .iter()
            .rposition(|export| export.backup == backup && export.status == Status::Completed)
            .ok_or_else(|| codes::NO_EXPORT.with(&[&self.ids.uuid(tag::BACKUP, backup)]))
    }

    fn add_transfer(
        &mut self,
        world: &mut World,
        direction: Direction,
        backup: u64,
        site: usize,
    ) -> Response {
        let created = world.now().timestamp_millis();
        let transfers = self.transfers(direction);
        let number = transfers.len();
        transfers.push(Transfer {
            backup,
            site,
            status: Status::InProgress,
            created,
        });
        let millis = (world.switches.number("atlassian.transfer_seconds") * 1000.0) as i64;
        let end = match direction {
            Direction::Export => what::EXPORT,
            Direction::Import => what::IMPORT,
        };
        self.later(world, millis.clamp(0, 1 << 40), end, number as u64);
        Response::json(202, &self.transfer_json(world, direction, number))
    }

    /// An export or import is done.
    pub(super) fn transfer_ends(&mut self, direction: Direction, number: usize) {
        if let Some(transfer) = self.transfers(direction).get_mut(number) {
            transfer.status = Status::Completed;
        }
    }

    fn transfer_json(&self, world: &World, direction: Direction, number: usize) -> Value {
        let transfers = match direction {
            Direction::Export => &self.exports,
            Direction::Import => &self.imports,
        };
        let Some(transfer) = transfers.get(number) else {
            return Value::Null;
        };
        let site = self.sites.get(transfer.site);
        json!({
            direction.id(): self.ids.uuid(direction.tag(), number as u64),
            "backupId": self.ids.uuid(tag::BACKUP, transfer.backup),
            "cloudId": site.map_or("", |site| site.cloud_id.as_str()),
            "status": transfer.status.word(world), "createdAt": stamp_millis(transfer.created),
        })
    }

    /// `POST /exports`: one at a time for a site.
    pub(super) fn create_export(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = object(request)?;
        let backup = self.named_backup(&body)?;
        let site = self.site_of(backup);
        let runs = |export: &Transfer| export.site == site && export.status.under_way();
        if self.exports.iter().any(runs) {
            return Err(codes::EXPORT_RUNS.with(&[]));
        }
        world.count("atlassian.export.created");
        Ok(self.add_transfer(world, Direction::Export, backup, site))
    }

    /// `POST /imports`.
    pub(super) fn create_import(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = object(request)?;
        let backup = self.named_backup(&body)?;
        let cloud = body.get("cloudId").and_then(Value::as_str);
        let site = self.site_number(cloud.unwrap_or_default())?;
        self.completed_export(backup)?;
        world.count("atlassian.import.created");
        Ok(self.add_transfer(world, Direction::Import, backup, site))
    }

    /// `GET /exports/{exportId}` and `GET /imports/{importId}`.
    pub(super) fn show_transfer(
        &mut self,
        world: &World,
        request: &Request,
        direction: Direction,
        id: &str,
    ) -> Answer {
        let [no_job, other_site, no_backup] = direction.errors();
        let number = self
            .ids
            .number(direction.tag(), id)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| no_job.with(&[id]))?;
        let (site, backup) = self
            .transfers(direction)
            .get(number)
            .map(|transfer| (transfer.site, transfer.backup))
            .ok_or_else(|| no_job.with(&[id]))?;
        let cloud = self.sites.get(site).map(|site| site.cloud_id.as_str());
        if let Some(asked) = request.param("cloudId")
            && cloud != Some(asked)
        {
            return Err(other_site.with(&[asked, id]));
        }
        if self.backups.get(backup).is_none() {
            return Err(no_backup.with(&[id]));
        }
        Ok(Response::json(
            200,
            &self.transfer_json(world, direction, number),
        ))
    }

    /// `GET /backups/{backupId}/export`.
    pub(super) fn show_export_of(&self, world: &World, id: &str) -> Answer {
        let backup = self
            .backup_number(id)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        let number = self.completed_export(backup)?;
        Ok(Response::json(
            200,
            &self.transfer_json(world, Direction::Export, number),
        ))
    }

    /// `GET /reports/{id}`: the report on a restore; what a "migration" is nobody says, a restore is our guess.
    pub(super) fn show_report(&self, world: &World, id: &str) -> Answer {
        let missing = || codes::NO_REPORT.with(&[id]);
        let number = self.restore_number(id).map_err(|_| missing())?;
        let restore = self.restores.get(number).ok_or_else(missing)?;
        if restore.status.under_way() {
            return Err(missing());
        }
        Ok(Response::json(
            200,
            &json!({
                "restoreId": id, "status": restore.status.word(world),
                "startedAt": stamp_millis(restore.created), "endedAt": stamp_millis(restore.updated),
            }),
        ))
    }
}
