//! Restores and verifications. Either answers 200 even when it can't begin, with the status `fail` and no reason.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::checkpoint::Status;
use super::fault::{Answer, Fault};
use super::flow::{Flow, SERVER, Trouble as Reason, VOLUME, Work};
use super::list::{Cell, Page, Rows, select, strict};
use super::log::{Log, Operation};
use super::plan::texts_of_texts;
use super::provider::{Provider, TYPES};
use super::python::is_uuid_like;
use super::{Karbor, body, schema, tag};
use crate::sim::http::{Request, Response};
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// A restore or a verification.
#[derive(Debug)]
pub(super) struct Check {
    /// The provider that was asked for.
    pub provider: String,
    /// The checkpoint that was asked for.
    pub checkpoint: String,
    /// Where to restore to; a verification has none.
    pub target: Option<String>,
    /// Settings for the plugins, all of them texts.
    pub parameters: Value,
    /// Where it stands.
    pub status: Status,
    /// What became of each resource, by type and id.
    pub resources: BTreeMap<String, String>,
    /// What is said about it.
    pub reasons: BTreeMap<String, String>,
    /// The disks that it makes: id and name.
    pub disks: Vec<(String, String)>,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
}

impl Check {
    fn note(&mut self, kind: &str, id: &str, status: &str, reason: &str) {
        let key = format!("{kind}#{id}");
        self.resources.insert(key.clone(), status.to_owned());
        self.reasons.insert(key, reason.to_owned());
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Restore,
    Verification,
}

impl Sort {
    fn tag(self) -> u8 {
        match self {
            Self::Restore => tag::RESTORE,
            Self::Verification => tag::VERIFICATION,
        }
    }

    /// The key of one, the key of many, and its name in a refusal.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Restore => ("restore", "restores", "Restore"),
            Self::Verification => ("verification", "verifications", "Verification"),
        }
    }
}

struct Checks<'a> {
    rows: &'a [Check],
    sort: Sort,
    ids: Ids,
    project: &'a str,
}

impl Rows for Checks<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "project_id",
        "provider_id",
        "checkpoint_id",
        "restore_target",
        "parameters",
        "status",
        "resources_status",
        "resources_reason",
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
        super::exact(self.ids, self.sort.tag(), id)
    }

    fn cell(&self, number: usize, column: &str) -> Cell {
        let Some(check) = self.rows.get(number) else {
            return Cell::Null;
        };
        match column {
            "id" => Cell::Text(self.ids.uuid(self.sort.tag(), number as u64)),
            "project_id" => Cell::Text(self.project.to_owned()),
            "provider_id" => Cell::Text(check.provider.clone()),
            "checkpoint_id" => Cell::Text(check.checkpoint.clone()),
            "restore_target" => Cell::maybe(check.target.as_deref()),
            "status" => Cell::Text(check.status.word().to_owned()),
            "created_at" => Cell::Number(check.created),
            _ => Cell::Null,
        }
    }
}

impl Karbor {
    fn checks(&self, sort: Sort) -> &Vec<Check> {
        match sort {
            Sort::Restore => &self.restores,
            Sort::Verification => &self.verifications,
        }
    }

    fn checks_mut(&mut self, sort: Sort) -> &mut Vec<Check> {
        match sort {
            Sort::Restore => &mut self.restores,
            Sort::Verification => &mut self.verifications,
        }
    }

    fn check_json(&self, world: &World, sort: Sort, number: usize) -> Value {
        let Some(it) = self.checks(sort).get(number) else {
            return Value::Null;
        };
        let mut row = json!({
            "id": self.ids.uuid(sort.tag(), number as u64), "project_id": world.account.project_id,
            "provider_id": it.provider, "checkpoint_id": it.checkpoint, "parameters": it.parameters,
            "status": it.status.word(), "resources_status": it.resources, "resources_reason": it.reasons,
        });
        if sort == Sort::Restore {
            row["restore_target"] = json!(it.target);
        }
        row
    }

    /// `GET /restores`, `GET /verifications`.
    pub(super) fn list_checks(&self, world: &World, sort: Sort, request: &Request) -> Answer {
        let (_, many, name) = sort.words();
        let page = Page::read(request)?;
        let mut filters = page.filters(&["status"], self.is_admin(world));
        super::all_tenants(&mut filters)?;
        let checks = Checks {
            rows: self.checks(sort),
            sort,
            ids: self.ids,
            project: &world.account.project_id,
        };
        let rows = match strict::<Checks>(&filters)? {
            None => Vec::new(),
            Some(tests) => {
                let missing = |id: &str| Fault::missing(format!("{name} {id} could not be found."));
                select(&checks, &page, page.offset, &tests).map_err(|t| t.told(missing))?
            }
        };
        let rows = rows
            .into_iter()
            .map(|number| self.check_json(world, sort, number))
            .collect();
        let keys = (many, many);
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /restores/{id}`, `GET /verifications/{id}`.
    pub(super) fn show_check(&self, world: &World, sort: Sort, id: &str) -> Answer {
        let (one, _, name) = sort.words();
        if !is_uuid_like(id) {
            return Err(Fault::bad(format!("Invalid {one} id provided.")));
        }
        let number = super::exact(self.ids, sort.tag(), id)
            .filter(|number| *number < self.checks(sort).len())
            .ok_or_else(|| Fault::missing(format!("{name} {id} could not be found.")))?;
        let mut body = json!({});
        body[one] = self.check_json(world, sort, number);
        Ok(Response::json(200, &body))
    }

    /// `POST /restores`, `POST /verifications`.
    pub(super) fn create_check(
        &mut self,
        world: &mut World,
        sort: Sort,
        request: &Request,
    ) -> Answer {
        let schema = match sort {
            Sort::Restore => schema::RESTORE_CREATE,
            Sort::Verification => schema::VERIFICATION_CREATE,
        };
        let (one, _, _) = sort.words();
        let body = body::read(request, schema)?;
        let given = &body[one];
        let number = self.begin_check(world, sort, given);
        let mut body = json!({});
        body[one] = self.check_json(world, sort, number);
        Ok(Response::json(200, &body))
    }

    /// Makes one and sets it going, or lets it fail; answers its number.
    pub(super) fn begin_check(&mut self, world: &mut World, sort: Sort, given: &Value) -> usize {
        let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
        let check = Check {
            provider: text("provider_id"),
            checkpoint: text("checkpoint_id"),
            target: given["restore_target"].as_str().map(str::to_owned),
            parameters: texts_of_texts(&given["parameters"]),
            status: Status::InProgress,
            resources: BTreeMap::new(),
            reasons: BTreeMap::new(),
            disks: Vec::new(),
            created: world.now().timestamp_micros(),
        };
        let found = self.checkpoint_for(sort, &check);
        let number = self.checks(sort).len();
        self.checks_mut(sort).push(check);
        let begun = found.is_some_and(|(provider, checkpoint)| {
            self.run_check(world, sort, number, provider, checkpoint)
        });
        if !begun && let Some(check) = self.checks_mut(sort).get_mut(number) {
            check.status = Status::Fail;
        }
        number
    }

    /// The checkpoint that it is about, if it can be used and the settings fit the plugins.
    fn checkpoint_for(&self, sort: Sort, check: &Check) -> Option<(Provider, usize)> {
        let provider = Provider::find(&check.provider).filter(|_| self.protection.up)?;
        let settings = check.parameters.as_object()?;
        for (key, given) in settings {
            // No provider says what a verification could be told.
            let known = (sort == Sort::Restore).then(|| self.says(provider, "restore_schema"))?;
            let kind = match key.split_once('#') {
                Some((kind, id)) if is_uuid_like(id) => kind,
                Some(_) => return None,
                None => key,
            };
            let known = known.get(kind).filter(|_| TYPES.contains(&kind))?;
            let known = known["properties"].as_object()?;
            if !given
                .as_object()?
                .keys()
                .all(|name| known.contains_key(name))
            {
                return None;
            }
        }
        let number = self
            .checkpoint_number(provider, &check.checkpoint)
            .filter(|_| self.bank_up)?;
        let status = self.checkpoints.get(number)?.status;
        (status == Status::Available).then_some((provider, number))
    }

    /// Sets it going; false when no plugin can do it. Its line of the log is there by then, and stays as it is.
    fn run_check(
        &mut self,
        world: &mut World,
        sort: Sort,
        number: usize,
        provider: Provider,
        checkpoint: usize,
    ) -> bool {
        let log = self.add_log(Log {
            operation: match sort {
                Sort::Restore => Operation::Restore,
                Sort::Verification => Operation::Verify,
            },
            status: Status::InProgress,
            provider,
            checkpoint: super::small(checkpoint),
            plan: None,
            restore: (sort == Sort::Restore).then(|| super::small(number)),
            started: world.now().timestamp_micros(),
            ended: None,
        });
        let graph = self
            .checkpoints
            .get(checkpoint)
            .and_then(|it| it.graph.clone());
        let graph = graph.unwrap_or_default();
        if sort == Sort::Verification {
            if provider == Provider::Noop && !graph.0.is_empty() {
                return false;
            }
            let wait = TimeDelta::milliseconds(world.rng.i64(300..2_000));
            self.schedule(world, wait, Work::Verify(number), checkpoint, log, None);
            return true;
        }
        world.count("karbor.restore.started");
        let mut failed = None;
        if provider == Provider::Infra {
            if let Some(why) = self
                .no_cinder(world)
                .filter(|_| graph.of(VOLUME).next().is_some())
            {
                failed = Some(why);
            } else {
                let originals = graph.of(VOLUME).map(|node| &node.resource.id);
                let disks: Vec<(String, &String)> =
                    originals.map(|id| (world.uuid(), id)).collect();
                if let Some(check) = self.restores.get_mut(number) {
                    for (disk, original) in disks {
                        check.note(VOLUME, &disk, "restoring", "");
                        let name = format!("{}@{original}", check.checkpoint);
                        check.disks.push((disk, name));
                    }
                }
            }
        }
        let wait = match failed {
            Some(_) => TimeDelta::milliseconds(world.rng.i64(100..400)),
            None => self.backup_time(world, provider, &graph),
        };
        let reason = failed.map(|why| Reason {
            why: why.to_owned(),
            lacking: false,
        });
        self.schedule(
            world,
            wait,
            Work::RestoreDisks(number),
            checkpoint,
            log,
            reason,
        );
        true
    }

    /// The disks of a restore are there, or not.
    pub(super) fn disks_restored(&mut self, world: &mut World, flow: Flow, number: usize) {
        let graph = self
            .checkpoints
            .get(flow.checkpoint)
            .and_then(|it| it.graph.clone());
        let graph = graph.unwrap_or_default();
        let infra = self
            .checkpoints
            .get(flow.checkpoint)
            .is_some_and(|it| it.plan.provider == Provider::Infra);
        let disks = infra && graph.of(VOLUME).next().is_some();
        let mut failed = flow.failed.clone().map(|reason| reason.why);
        if failed.is_none() && disks {
            let why = self.no_cinder(world);
            let status = if why.is_some() { "error" } else { "available" };
            let reason = if why.is_some() {
                "Error creating volume"
            } else {
                ""
            };
            failed = why.map(|_| format!("Restore Volume Backup failed: {reason}"));
            if let Some(check) = self.restores.get_mut(number) {
                for (key, value) in &mut check.resources {
                    value.clear();
                    value.push_str(status);
                    check.reasons.insert(key.clone(), reason.to_owned());
                }
            }
            if why.is_none() {
                let made = self
                    .restores
                    .get_mut(number)
                    .map(|it| std::mem::take(&mut it.disks));
                for (id, name) in made.unwrap_or_default() {
                    self.keep(VOLUME, id, name);
                }
            }
        }
        let servers: Vec<String> = graph
            .of(SERVER)
            .map(|node| node.resource.name.clone())
            .collect();
        if infra && failed.is_none() && !servers.is_empty() {
            if !world.switches.on("karbor.nova") {
                failed = Some("Couldn't find the endpoint of service(nova)".into());
            } else {
                let made: Vec<String> = servers.iter().map(|_| world.uuid()).collect();
                if let Some(check) = self.restores.get_mut(number) {
                    for id in &made {
                        check.note(SERVER, id, "restoring", "");
                    }
                }
                let wait = TimeDelta::milliseconds(world.rng.i64(8_000..40_000));
                let work = Work::RestoreServers(number);
                self.schedule(world, wait, work, flow.checkpoint, flow.log, None);
                return;
            }
        }
        self.end_restore(world, &flow, number, failed);
    }

    /// The servers of a restore run.
    pub(super) fn servers_restored(&mut self, world: &mut World, flow: Flow, number: usize) {
        let mut made = Vec::new();
        if let Some(check) = self.restores.get_mut(number) {
            for (key, value) in &mut check.resources {
                if let Some(id) = key.strip_prefix("OS::Nova::Server#") {
                    made.push(id.to_owned());
                    "available".clone_into(value);
                }
            }
        }
        for id in made {
            self.keep(SERVER, id, "karbor-restore-server".to_owned());
        }
        self.end_restore(world, &flow, number, None);
    }

    fn end_restore(
        &mut self,
        world: &mut World,
        flow: &Flow,
        number: usize,
        failed: Option<String>,
    ) {
        let status = if failed.is_some() {
            Status::Fail
        } else {
            Status::Success
        };
        if let Some(check) = self.restores.get_mut(number) {
            check.status = status;
        }
        self.mark_log(world, flow.log, status);
        world.count(&format!("karbor.restore.{}", status.word()));
        if let Some(why) = failed {
            self.tell(world, "restore", flow.checkpoint, &why);
        }
    }

    /// A verification has looked at every backup.
    pub(super) fn verified(&mut self, world: &mut World, flow: Flow, number: usize) {
        let graph = self
            .checkpoints
            .get(flow.checkpoint)
            .and_then(|it| it.graph.clone());
        let graph = graph.unwrap_or_default();
        let why = self
            .no_cinder(world)
            .filter(|_| graph.of(VOLUME).next().is_some());
        if let Some(check) = self.verifications.get_mut(number) {
            for node in graph.of(VOLUME) {
                match why {
                    Some(_) => check.note(
                        VOLUME,
                        &node.resource.id,
                        "error",
                        "Error getting volume backup.",
                    ),
                    None => check.note(VOLUME, &node.resource.id, "available", ""),
                }
            }
            for node in graph.of(SERVER) {
                check.note(SERVER, &node.resource.id, "available", "");
            }
            check.status = if why.is_some() {
                Status::Fail
            } else {
                Status::Success
            };
        }
        let status = self
            .verifications
            .get(number)
            .map_or(Status::Fail, |it| it.status);
        self.mark_log(world, flow.log, status);
        if let Some(why) = why {
            self.tell(world, "verify", flow.checkpoint, why);
        }
    }
}
