//! DBS, Alibaba Cloud's Database Backup, interface version 2019-03-06: plans that back databases up, in full and by
//! their logs, and restores of what they kept.
//!
//! | file | what |
//! | --- | --- |
//! | `call`, `sign` | a call's action, parameters and signature (both of them) |
//! | `codes`, `xml` | refusals in both error channels; answers as XML |
//! | `source`, `reasons` | the databases and gateways, and why a job fails |
//! | `plan`, `rows` | a plan; full backups, increments, restores, downloads |
//! | `run`, `restore_run` | how jobs begin and end |
//! | `plans`, `configure` | calls that start, stop and release plans; calls that make and change them |
//! | `list`, `plan_list`, `job_lists` | paging; the lists |
//! | `restores`, `downloads`, `small` | calls on restores; on downloads; everything else |
//! | `switches` | the choices that nobody documented |
//! | `seed`, `traffic`, `control` | what it starts with, what others do meanwhile, its part of `/_sim/` |
//!
//! The path is always `/`. What the documents leave open is a switch; what they do not mention is not there: no call
//! cancels or retries one job, and none lists the jobs of all plans.

pub mod call;
mod codes;
mod configure;
mod control;
mod downloads;
mod job_lists;
mod list;
mod plan;
mod plan_list;
mod plans;
mod reasons;
mod restore_run;
mod restores;
mod rows;
mod run;
mod seed;
mod sign;
mod small;
mod source;
mod switches;
mod traffic;
mod xml;

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use call::{Call, Door, request_id};
use codes::Refusal;
use plan::Plan;
use rows::{Download, FullSet, Restore};
use source::{HOME, Sources};

use super::dialect::{Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::ids::Ids;
use super::queue::Event;
use super::service::AuthLine;
use super::world::World;

/// The line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "dbs",
    name: "dbs-hangzhou",
    path: "/",
    catalog: None,
    auth: |world| {
        AuthLine::new("aksk")
            .text("access_key", &world.account.access_key)
            .secret("secret_key", &world.account.secret_key)
            .text("region", HOME)
            // Its history takes a request for each plan and page of runs: nobody waits for that in a demo.
            .bears(6_000)
    },
    switches: switches::ALL,
    make: |world, service| Box::new(Dbs::new(world, service)),
};

/// What a due event asks for; see [`Event::what`].
mod what {
    pub const SET: u32 = 0;
    pub const FIRE: u32 = 1;
    pub const LOG: u32 = 2;
    pub const PLAN_CHECK: u32 = 3;
    pub const RESTORE_CHECK: u32 = 4;
    pub const RESTORE: u32 = 5;
    pub const DOWNLOAD: u32 = 6;
    pub const EXPIRE: u32 = 7;
    pub const TRAFFIC: u32 = 8;
    pub const REVIVE: u32 = 9;
}

/// Sorts of ids.
mod tag {
    pub const PLAN: u8 = 0;
    pub const SET: u8 = 1;
    pub const INCREMENT: u8 = 2;
    pub const INCREMENT_JOB: u8 = 3;
    pub const RESTORE: u8 = 4;
    pub const DOWNLOAD: u8 = 5;
    pub const CHECK: u8 = 6;
}

/// What a client token got the first time.
#[derive(Debug)]
struct Kept {
    at: DateTime<Utc>,
    fingerprint: String,
    answer: Map<String, Value>,
}

/// What an accepted call answers, without the envelope.
type Answer = Result<Map<String, Value>, Refusal>;

/// The service.
struct Dbs {
    service: ServiceId,
    ids: Ids,
    door: Door,
    kept: HashMap<(&'static str, String), Kept>,
    sources: Sources,
    plans: Vec<Plan>,
    sets: VecDeque<FullSet>,
    /// Number of the first of `sets`: older ones are gone.
    first_set: u64,
    next_increment: u64,
    next_check: u64,
    restores: Vec<Restore>,
    downloads: Vec<Download>,
    /// Tasks that ask a gateway for its databases.
    agent_tasks: Vec<Vec<String>>,
    traffic: traffic::Traffic,
}

impl Dbs {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut dbs = Self {
            service,
            ids: Ids::new(world.rng.u64(..)),
            door: Door::new(),
            kept: HashMap::new(),
            sources: Sources::generate(world),
            plans: Vec::new(),
            sets: VecDeque::new(),
            first_set: 0,
            next_increment: 0,
            next_check: 0,
            restores: Vec::new(),
            downloads: Vec::new(),
            agent_tasks: Vec::new(),
            traffic: traffic::Traffic::default(),
        };
        dbs.seed(world);
        dbs.start_traffic(world);
        dbs
    }

    /// The text of an id: a prefix and twelve letters and digits.
    fn id(&self, prefix: &str, tag: u8, number: u64) -> String {
        let mut rest = self.ids.short(tag, number);
        let mut text = [b'0'; 12];
        for place in text.iter_mut().rev() {
            *place = b"0123456789abcdefghijklmnopqrstuvwxyz"
                .get((rest % 36) as usize)
                .copied()
                .unwrap_or(b'0');
            rest /= 36;
        }
        format!("{prefix}{}", String::from_utf8_lossy(&text))
    }

    /// The number behind an id of that sort.
    fn number(&self, prefix: &str, tag: u8, text: &str) -> Option<u64> {
        let digits = text.strip_prefix(prefix)?;
        if digits.len() != 12 || digits.contains('+') {
            return None;
        }
        let short = u64::from_str_radix(digits, 36).ok()?;
        self.ids.from_short(tag, short)
    }

    fn plan_id(&self, number: usize) -> String {
        self.id("dbs", tag::PLAN, number as u64)
    }

    fn set_id(&self, number: u64) -> String {
        self.id("1", tag::SET, number)
    }

    fn restore_id(&self, number: usize) -> String {
        self.id("r1", tag::RESTORE, number as u64)
    }

    /// The plan of that id, unless it was released.
    fn plan_number(&self, id: &str) -> Option<usize> {
        let number = usize::try_from(self.number("dbs", tag::PLAN, id)?).ok()?;
        self.plans
            .get(number)
            .filter(|plan| !plan.released)
            .map(|_| number)
    }

    fn restore_number(&self, id: &str) -> Option<usize> {
        let number = usize::try_from(self.number("r1", tag::RESTORE, id)?).ok()?;
        self.restores.get(number).map(|_| number)
    }

    fn set_number(&self, id: &str) -> Option<u64> {
        let number = self.number("1", tag::SET, id)?;
        self.set(number).map(|_| number)
    }

    fn set(&self, number: u64) -> Option<&FullSet> {
        let index = number.checked_sub(self.first_set)?;
        self.sets.get(usize::try_from(index).ok()?)
    }

    fn set_mut(&mut self, number: u64) -> Option<&mut FullSet> {
        let index = number.checked_sub(self.first_set)?;
        self.sets.get_mut(usize::try_from(index).ok()?)
    }

    /// The plan that a call names, for calls that act on it.
    fn acted_on(&self, call: &Call) -> Result<usize, Refusal> {
        let id = call.word("BackupPlanId");
        self.plan_number(id).ok_or_else(|| codes::no_job(id))
    }

    /// The plan that a list call names.
    fn listed_plan(&self, call: &Call) -> Result<usize, Refusal> {
        let id = call.word("BackupPlanId");
        self.plan_number(id)
            .ok_or_else(|| codes::BAD_VALUE.saying(format!("The backup plan {id} does not exist.")))
    }

    fn route(&mut self, world: &mut World, call: &Call, request: &Request) -> Answer {
        match call.action {
            "DescribeBackupPlanList" => self.list_plans(world, call),
            "DescribeFullBackupList" => self.list_sets(world, call),
            "DescribeIncrementBackupList" => self.list_increments(world, call),
            "DescribeRestoreTaskList" => self.list_restores(world, call),
            "DescribePreCheckProgressList" => self.list_checks(world, call),
            "DescribeBackupSetDownloadTaskList" => self.list_downloads(world, call),
            "DescribeBackupGatewayList" => self.list_gateways(world, call),
            "DescribeJobErrorCode" => self.job_error(call),
            "StartBackupPlan" => self.start_backup_plan(world, call, request),
            "StopBackupPlan" => self.stop_backup_plan(world, call, request),
            "ReleaseBackupPlan" => self.release_backup_plan(world, call, request),
            "CreateBackupPlan" => self.create_plan(world, call),
            "ConfigureBackupPlan" => self.configure_plan(world, call),
            "CreateAndStartBackupPlan" => self.create_and_start_plan(world, call, request),
            "ModifyBackupObjects"
            | "ModifyBackupStrategy"
            | "ModifyStorageStrategy"
            | "ModifyBackupSourceEndpoint"
            | "ModifyBackupPlanName"
            | "ModifyBackupSetDownloadRules"
            | "EnableBackupLog"
            | "DisableBackupLog" => self.modify_plan(world, call),
            "RenewBackupPlan" | "UpgradeBackupPlan" => self.pay(world, call),
            "CreateRestoreTask" => self.create_restore(world, call, request),
            "StartRestoreTask" => self.start_restore_task(world, call, request),
            "CreateFullBackupSetDownload" | "CreateIncrementBackupSetDownload" => {
                self.create_download(world, call)
            }
            _ => self.small_call(world, call),
        }
    }

    /// The call once, however often its token comes.
    fn once(&mut self, world: &mut World, call: &Call, request: &Request) -> Answer {
        let writes = !call.action.starts_with("Describe") && !call.action.starts_with("Get");
        let Some(token) = call.text("ClientToken").filter(|_| writes) else {
            return self.route(world, call, request);
        };
        let key = (call.action, token.to_owned());
        let life = TimeDelta::try_milliseconds(
            (world.switches.number("dbs.client_token_seconds") * 1000.0) as i64,
        )
        .unwrap_or(TimeDelta::MAX);
        let now = world.now();
        self.kept.retain(|_, kept| now - kept.at < life);
        if let Some(kept) = self.kept.get(&key) {
            world.count("dbs.token.replayed");
            if kept.fingerprint != call.fingerprint()
                && world.switches.get("dbs.client_token") == "refuse"
            {
                return Err(codes::invalid(
                    "ClientToken",
                    "it was used with other parameters",
                ));
            }
            return Ok(kept.answer.clone());
        }
        let answer = self.route(world, call, request)?;
        self.kept.insert(
            key,
            Kept {
                at: now,
                fingerprint: call.fingerprint(),
                answer: answer.clone(),
            },
        );
        Ok(answer)
    }
}

/// The envelope of an accepted call around its payload.
fn envelope(world: &World, call: &Call, request: &Request, payload: Map<String, Value>) -> Value {
    let mut body = Map::new();
    body.insert("RequestId".into(), request_id(request).into());
    let sample = world.switches.get("dbs.success_err_code");
    if call.action == "InitializeDbsServiceLinkedRole" {
        // The one answer with another shape: Success is a text here.
        body.insert("Success".into(), "true".into());
    } else {
        // One published sample says 400 and means success.
        let odd = sample == "sample" && call.action == "DescribeRegions";
        body.insert("HttpStatusCode".into(), if odd { 400 } else { 200 }.into());
        body.insert("Success".into(), true.into());
        let texts = match sample {
            "sample" => Some((
                "Param.NotFound",
                "The specified parameter %s value is not valid.",
            )),
            "empty" => Some(("", "")),
            _ => None,
        };
        if let Some((code, message)) = texts {
            body.insert("ErrCode".into(), code.into());
            body.insert("ErrMessage".into(), message.into());
        }
    }
    body.extend(payload);
    Value::Object(body)
}

/// A payload from `json!({…})`.
fn payload(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The payload that most calls on a plan answer.
fn plan_payload(id: &str) -> Map<String, Value> {
    payload(json!({"BackupPlanId": id}))
}

impl Dialect for Dbs {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let xml = Door::wants_xml(request);
        let call = match self.door.open(world, request) {
            Ok(call) => call,
            Err(refusal) => return refusal.response(world, request, xml),
        };
        match self.once(world, &call, request) {
            Ok(payload) => {
                let body = envelope(world, &call, request, payload);
                xml::answer(200, &format!("{}Response", call.action), &body, xml)
            }
            Err(refusal) => refusal.response(world, request, xml),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        match event.what {
            what::SET => self.set_step(world, event.id),
            what::FIRE => self.fire(world, event.id),
            what::LOG => self.log_turn(world, event.id),
            what::PLAN_CHECK => self.plan_checked(world, event.id),
            what::RESTORE_CHECK => self.restore_checked(world, event.id),
            what::RESTORE => self.restore_ends(world, event.id),
            what::DOWNLOAD => self.download_ends(world, event.id),
            what::EXPIRE => self.expire(world, event.id),
            what::TRAFFIC => self.make_traffic(world),
            what::REVIVE => self.revive(world, event.id),
            _ => {}
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.control_call(world, path, request)
    }

    fn fault(&self, world: &World, request: &Request, status: u16) -> Response {
        codes::fault(world, request, status, Door::wants_xml(request))
    }

    /// In milliseconds, in a header of the vendor's own; a date has no place there.
    fn retry_after(&self, response: Response, after: &str) -> Response {
        match after.parse::<u64>() {
            Ok(seconds) => response.with("x-acs-retry-after", (seconds * 1_000).to_string()),
            Err(_) => response,
        }
    }
}

/// Milliseconds since 1970.
fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// The instant of so many milliseconds since 1970.
fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// A duration around the mean of a switch, in milliseconds.
fn around(world: &mut World, switch: &str) -> i64 {
    let mean = world.switches.number(switch).clamp(0.0, 1e9);
    (mean * 1000.0 * (0.6 + 0.8 * world.rng.f64())) as i64
}
