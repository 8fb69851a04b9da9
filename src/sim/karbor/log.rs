//! Operation logs: the service's only record of what ran when. Why something failed is in none of them.

use chrono::DateTime;
use serde_json::{Value, json};

use super::checkpoint::Status;
use super::fault::{Answer, Fault};
use super::list::{Cell, Page, Rows, select, strict};
use super::provider::Provider;
use super::python::is_uuid_like;
use super::{Karbor, tag};
use crate::sim::http::{Request, Response};
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// What was done. A deletion calls itself a protection too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Protect,
    Restore,
    Verify,
    Copy,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Protect => "protect",
            Self::Restore => "restore",
            Self::Verify => "verify",
            Self::Copy => "copy",
        }
    }
}

/// A line of the log. It is kept small: a busy service has a million of them.
#[derive(Debug)]
pub(super) struct Log {
    /// What was done.
    pub operation: Operation,
    /// Where it stands.
    pub status: Status,
    /// With which provider.
    pub provider: Provider,
    /// The checkpoint's number.
    pub checkpoint: u32,
    /// The plan's number, where the service notes it.
    pub plan: Option<u32>,
    /// The restore's number.
    pub restore: Option<u32>,
    /// When it began, in microseconds since 1970.
    pub started: i64,
    /// When it ended, in the same.
    pub ended: Option<i64>,
}

/// The logs with what their columns need.
struct Logs<'a> {
    rows: &'a [Log],
    ids: Ids,
    project: &'a str,
}

impl Rows for Logs<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "project_id",
        "operation_type",
        "checkpoint_id",
        "plan_id",
        "provider_id",
        "restore_id",
        "scheduled_operation_id",
        "status",
        "started_at",
        "ended_at",
        "error_info",
        "extra_info",
        "created_at",
        "updated_at",
        "deleted_at",
        "deleted",
    ];

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn there(&self, number: usize) -> bool {
        number < self.rows.len()
    }

    fn find(&self, id: &str) -> Option<usize> {
        super::exact(self.ids, tag::LOG, id)
    }

    fn cell(&self, number: usize, column: &str) -> Cell {
        let Some(log) = self.rows.get(number) else {
            return Cell::Null;
        };
        let id = |tag: u8, number: u32| self.ids.uuid(tag, number.into());
        match column {
            "id" => Cell::Text(self.ids.uuid(tag::LOG, number as u64)),
            "project_id" => Cell::Text(self.project.to_owned()),
            "operation_type" => Cell::Text(log.operation.word().to_owned()),
            "checkpoint_id" => Cell::Text(id(tag::CHECKPOINT, log.checkpoint)),
            "plan_id" => Cell::maybe(log.plan.map(|plan| id(tag::PLAN, plan))),
            "provider_id" => Cell::Text(log.provider.id().to_owned()),
            "restore_id" => Cell::maybe(log.restore.map(|restore| id(tag::RESTORE, restore))),
            "status" => Cell::Text(log.status.word().to_owned()),
            "started_at" | "created_at" => Cell::Number(log.started),
            "ended_at" => log.ended.map_or(Cell::Null, Cell::Number),
            _ => Cell::Null,
        }
    }

    fn has(&self, number: usize, column: &str, wanted: &Cell) -> bool {
        match (column, wanted, self.rows.get(number)) {
            // By far the most asked for, of by far the most rows.
            ("status", Cell::Text(word), Some(log)) => log.status.word() == word,
            _ => self.cell(number, column) == *wanted,
        }
    }
}

/// An instant as the service writes it: without a zone, and without a fraction where there is none.
pub(super) fn instant(micros: i64) -> String {
    let at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let format = if at.timestamp_subsec_micros() == 0 {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f"
    };
    at.format(format).to_string()
}

impl Karbor {
    fn log_json(&self, number: usize) -> Value {
        let Some(log) = self.logs.get(number) else {
            return Value::Null;
        };
        let id = |tag: u8, number: u32| self.ids.uuid(tag, number.into());
        json!({
            "id": self.ids.uuid(tag::LOG, number as u64), "operation_type": log.operation.word(),
            "checkpoint_id": id(tag::CHECKPOINT, log.checkpoint),
            "plan_id": log.plan.map(|plan| id(tag::PLAN, plan)), "provider_id": log.provider.id(),
            "restore_id": log.restore.map(|restore| id(tag::RESTORE, restore)), "scheduled_operation_id": null,
            "status": log.status.word(), "started_at": instant(log.started), "ended_at": log.ended.map(instant),
            "error_info": null, "extra_info": null,
        })
    }

    /// `GET /operation_logs`.
    pub(super) fn list_logs(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let allowed = ["checkpoint_id", "plan_id", "restore_id", "status"];
        let mut filters = page.filters(&allowed, self.is_admin(world));
        super::all_tenants(&mut filters)?;
        let logs = Logs {
            rows: &self.logs,
            ids: self.ids,
            project: &world.account.project_id,
        };
        let rows = match strict::<Logs>(&filters)? {
            None => Vec::new(),
            Some(tests) => {
                select(&logs, &page, page.offset, &tests).map_err(|t| t.told(|_| unknown()))?
            }
        };
        let rows = rows
            .into_iter()
            .map(|number| self.log_json(number))
            .collect();
        let keys = ("operation_logs", "operation_logs");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /operation_logs/{id}`.
    pub(super) fn show_log(&self, id: &str) -> Answer {
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid operation log id provided."));
        }
        let number =
            super::exact(self.ids, tag::LOG, id).filter(|number| *number < self.logs.len());
        let number = number.ok_or_else(unknown)?;
        Ok(Response::json(
            200,
            &json!({"operation_log": self.log_json(number)}),
        ))
    }

    /// Adds a line; answers its number.
    pub(super) fn add_log(&mut self, log: Log) -> usize {
        self.logs.push(log);
        self.logs.len() - 1
    }
}

/// 404 for a line that isn't there; the service forgets to fill its own words in.
fn unknown() -> Fault {
    Fault::missing("OperationLog %(restore_id)s could not be found.")
}
