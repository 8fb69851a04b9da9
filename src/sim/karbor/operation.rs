//! Scheduled operations: which plan a trigger runs. What becomes of a run that is refused is told nowhere.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::bank::Wanted;
use super::checkpoint::Status;
use super::fault::{Answer, Fault};
use super::list::{Cell, Page, Rows, integer, loose, select};
use super::provider::Provider;
use super::python::is_uuid_like;
use super::{Karbor, RETAIN, body, schema, tag, trigger};
use crate::sim::http::{Request, Response};
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// A scheduled operation.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// `protect`, or `retention_protect`, which deletes old checkpoints too.
    pub kind: String,
    /// The trigger's number.
    pub trigger: usize,
    /// Plan, provider and limits, all of them texts.
    pub definition: Map<String, Value>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Whether it was deleted.
    pub deleted: bool,
}

impl Operation {
    fn text(&self, key: &str) -> &str {
        self.definition
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

struct Operations<'a> {
    rows: &'a [Operation],
    ids: Ids,
    world: &'a World,
}

impl Rows for Operations<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "operation_type",
        "user_id",
        "project_id",
        "trigger_id",
        "operation_definition",
        "enabled",
        "created_at",
        "updated_at",
        "deleted_at",
        "deleted",
    ];

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn there(&self, number: usize) -> bool {
        self.rows.get(number).is_some_and(|it| !it.deleted)
    }

    fn find(&self, id: &str) -> Option<usize> {
        super::exact(self.ids, tag::OPERATION, id)
    }

    fn cell(&self, number: usize, column: &str) -> Cell {
        let Some(operation) = self.rows.get(number) else {
            return Cell::Null;
        };
        match column {
            "id" => Cell::Text(self.ids.uuid(tag::OPERATION, number as u64)),
            "name" => Cell::Text(operation.name.clone()),
            "description" => Cell::maybe(operation.description.as_deref()),
            "operation_type" => Cell::Text(operation.kind.clone()),
            "user_id" => Cell::Text(self.world.account.user_id.clone()),
            "project_id" => Cell::Text(self.world.account.project_id.clone()),
            "trigger_id" => Cell::Text(self.ids.uuid(tag::TRIGGER, operation.trigger as u64)),
            "operation_definition" => {
                Cell::Text(body::dumps(&Value::Object(operation.definition.clone())))
            }
            "enabled" => Cell::Number(1),
            "created_at" => Cell::Number(operation.created),
            _ => Cell::Null,
        }
    }
}

impl Karbor {
    fn operation_json(&self, number: usize) -> Value {
        self.operations.get(number).map_or(Value::Null, |it| {
            json!({
                "id": self.ids.uuid(tag::OPERATION, number as u64), "name": it.name, "description": it.description,
                "operation_type": it.kind, "trigger_id": self.ids.uuid(tag::TRIGGER, it.trigger as u64),
                "operation_definition": it.definition, "enabled": true,
            })
        })
    }

    fn operation_number(&self, id: &str) -> Result<usize, Fault> {
        if !is_uuid_like(id) {
            return Err(Fault::bad("Invalid operation id provided."));
        }
        super::exact(self.ids, tag::OPERATION, id)
            .filter(|number| self.operations.get(*number).is_some_and(|it| !it.deleted))
            .ok_or_else(|| Fault::missing(missing(id)))
    }

    /// `GET /scheduled_operations`: they come as `operations`. An offset is read and not heeded.
    pub(super) fn list_operations(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let allowed = [
            "all_tenants",
            "name",
            "operation_type",
            "trigger_id",
            "operation_definition",
        ];
        let mut filters = page.filters(&allowed, self.is_admin(world));
        super::all_tenants(&mut filters)?;
        let operations = Operations {
            rows: &self.operations,
            ids: self.ids,
            world,
        };
        let exact = ["operation_type", "trigger_id"];
        let tests = loose(&filters, &exact, &["name", "operation_definition"])
            .map_err(|_| Fault::unexpected("<class 're.error'>"))?;
        let rows = select(&operations, &page, 0, &tests)
            .map_err(|trouble| trigger::unexpected(trouble, missing))?;
        let rows = rows
            .into_iter()
            .map(|number| self.operation_json(number))
            .collect();
        let keys = ("operations", "scheduled_operations");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /scheduled_operations/{id}`.
    pub(super) fn show_operation(&self, id: &str) -> Answer {
        let number = self.operation_number(id)?;
        let body = json!({"scheduled_operation": self.operation_json(number)});
        Ok(Response::json(200, &body))
    }

    /// `POST /scheduled_operations`.
    pub(super) fn create_operation(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = body::read(request, schema::OPERATION_CREATE)?;
        let info = &body["scheduled_operation"];
        let kind = info["operation_type"].as_str().unwrap_or_default();
        let name = info["name"].as_str().unwrap_or_default();
        if name.is_empty() || kind.is_empty() {
            return Err(Fault::bad(
                "Operation name or type or definition is not provided.",
            ));
        }
        let trigger = self.trigger_number(info["trigger_id"].as_str().unwrap_or_default())?;
        let mut definition = Map::new();
        for (key, value) in info["operation_definition"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let kept =
                body::kept(value).ok_or_else(|| Fault::unexpected("<class 'ValueError'>"))?;
            definition.insert(key.clone(), kept.into());
        }
        self.engine_answers()?;
        if !["protect", "retention_protect"].contains(&kind) {
            return Err(Fault::bad(format!("Invalid operation type: {kind}")));
        }
        let id = |key: &str| {
            definition
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let plan = self
            .plan_number(id("plan_id"))
            .map_err(|fault| Fault::unexpected(fault.message()))?;
        let provider = self.plans.get(plan).map(|it| it.now.provider.id());
        if provider != Some(id("provider_id")) {
            return Err(Fault::bad(
                "Invalid operation definition, reason:Provider_id is conflict",
            ));
        }
        self.operations.push(Operation {
            name: name.to_owned(),
            description: info["description"].as_str().map(str::to_owned),
            kind: kind.to_owned(),
            trigger,
            definition,
            created: world.now().timestamp_micros(),
            deleted: false,
        });
        let number = self.operations.len() - 1;
        let body = json!({"scheduled_operation": self.operation_json(number)});
        Ok(Response::json(200, &body))
    }

    /// `DELETE /scheduled_operations/{id}`.
    pub(super) fn delete_operation(&mut self, id: &str) -> Answer {
        let number = self.operation_number(id)?;
        self.engine_answers()?;
        if let Some(operation) = self.operations.get_mut(number) {
            operation.deleted = true;
        }
        Ok(body::nothing())
    }

    /// Runs what hangs on a trigger. Each asks the service's own interface for a checkpoint; a refusal stays with the
    /// engine. What it says about who asked is lost on the way: the checkpoint calls itself made by hand.
    pub(super) fn run_operations(&mut self, world: &mut World, trigger: usize) {
        for number in 0..self.operations.len() {
            let Some(operation) = self.operations.get(number) else {
                return;
            };
            if operation.deleted || operation.trigger != trigger {
                continue;
            }
            let plan = operation.text("plan_id").to_owned();
            let provider = operation.text("provider_id").to_owned();
            let retains = operation.kind == "retention_protect";
            let id = self.ids.uuid(tag::OPERATION, number as u64);
            match self.make_checkpoint(world, &provider, &plan) {
                Ok(_) => world.count("karbor.schedule.run"),
                Err(fault) => world.note(json!({
                    "what": "karbor.schedule.failed", "operation_id": id, "status": fault.status(),
                    "error": fault.message(),
                })),
            }
            if retains {
                // It looks at what there is once the new checkpoint is under way.
                let wait = TimeDelta::milliseconds(500);
                world.schedule_in(self.service, wait, RETAIN, number as u64);
            }
        }
    }

    /// Deletes what an operation with retention no longer wants.
    pub(super) fn retain(&mut self, world: &mut World, number: usize) {
        let Some(operation) = self.operations.get(number).filter(|it| !it.deleted) else {
            return;
        };
        let limit = |key: &str| match operation.definition.get(key).and_then(Value::as_str) {
            None => Some(-1),
            Some(text) => integer(text),
        };
        // One that is no number makes the engine give up before it has deleted anything.
        let (Some(most), Some(days)) = (limit("max_backups"), limit("retention_duration")) else {
            return;
        };
        let provider = Provider::find(operation.text("provider_id"));
        let plan = super::exact(self.ids, tag::PLAN, operation.text("plan_id"));
        let (Some(provider), Some(plan)) = (provider, plan) else {
            return;
        };
        if most > 0 {
            let kept = usize::try_from(most).unwrap_or(usize::MAX);
            for number in self.available(world, provider, plan).into_iter().skip(kept) {
                let _ = self.remove_checkpoint(world, number);
            }
        }
        if days > 0 {
            let today = world.now();
            for number in self.available(world, provider, plan) {
                let made = self.checkpoints.get(number).map_or(0, |it| it.created);
                let midnight = made.div_euclid(86_400_000_000) * 86_400;
                if (today.timestamp() - midnight) / 86_400 > days {
                    let _ = self.remove_checkpoint(world, number);
                }
            }
        }
    }

    /// A plan's available checkpoints in the order in which the bank lists them. The engine takes that for newest first;
    /// with Swift it is the other way round, and the limit on their number then deletes the newest.
    fn available(&self, world: &World, provider: Provider, plan: usize) -> Vec<usize> {
        let page = Page {
            limit: 1000,
            offset: 0,
            marker: None,
            sort: vec![("created_at".into(), "desc".into())],
            rest: Vec::new(),
        };
        let wanted = Wanted {
            plan: Some(Some(plan)),
            ..Wanted::default()
        };
        let mut numbers = self
            .listed(world, provider, &page, &wanted)
            .unwrap_or_default();
        numbers.retain(|number| {
            self.checkpoints
                .get(*number)
                .is_some_and(|it| it.status == Status::Available)
        });
        numbers
    }
}

fn missing(id: &str) -> String {
    format!("Scheduled Operation {id} could not be found.")
}
