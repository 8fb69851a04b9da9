//! Calls that make plans and change them.

use chrono::{NaiveTime, TimeDelta};
use serde_json::{Value, json};

use super::call::Call;
use super::codes::{self, Refusal};
use super::plan::{Endpoint, Plan, PlanStatus, Rhythm, Then};
use super::source::HOME;
use super::{Answer, Dbs, payload, plan_payload, what};
use crate::sim::http::Request;
use crate::sim::world::World;

/// Sizes that a plan is sold in.
pub(super) const CLASSES: [&str; 5] = ["micro", "small", "medium", "large", "xlarge"];
const METHODS: [&str; 3] = ["logical", "physical", "duplication"];
const DATABASES: [&str; 10] = [
    "MySQL",
    "MSSQL",
    "Oracle",
    "MariaDB",
    "PostgreSQL",
    "DRDS",
    "MongoDB",
    "Redis",
    "PPAS",
    "FIle",
];
const KINDS: [&str; 6] = ["RDS", "ECS", "Express", "Agent", "DDS", "Other"];

/// One of the words, in the list's own spelling.
fn one_of(call: &Call, name: &str, words: &[&'static str]) -> Result<&'static str, Refusal> {
    let given = call.word(name);
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(given))
        .copied()
        .ok_or_else(|| codes::BAD_VALUE.saying(format!("The specified {name} is not valid.")))
}

/// The endpoint that a call describes, `prefix` being `Source` or `Destination`.
pub(super) fn endpoint(call: &Call, prefix: &str) -> Result<Endpoint, Refusal> {
    let text = |name: &str| call.word(&format!("{prefix}Endpoint{name}")).to_owned();
    let kind = call.word(&format!("{prefix}EndpointInstanceType"));
    if !KINDS
        .iter()
        .chain(&["dg"])
        .any(|known| known.eq_ignore_ascii_case(kind))
    {
        return Err(codes::BAD_VALUE.saying(format!(
            "The specified {prefix}EndpointInstanceType is not valid."
        )));
    }
    // Asked for as RDS, answered as rds.
    let kind = kind.to_lowercase();
    let need = |name: &str, kinds: &[&str]| {
        if kinds.contains(&kind.as_str()) && text(name).is_empty() {
            return Err(codes::missing(&format!("{prefix}Endpoint{name}")));
        }
        Ok(())
    };
    need("InstanceID", &["rds", "ecs", "dds", "express"])?;
    need("IP", &["express", "agent", "other"])?;
    need("Port", &["express", "agent", "other", "ecs"])?;
    need("Region", &["rds", "ecs", "dds", "express", "agent"])?;
    if kind == "agent" && call.number("BackupGatewayId").unwrap_or(0) == 0 {
        return Err(codes::missing("BackupGatewayId"));
    }
    Ok(Endpoint {
        instance: text("InstanceID"),
        region: text("Region"),
        host: text("IP"),
        port: text("Port"),
        database: text("DatabaseName"),
        user: text("UserName"),
        sid: text("OracleSID"),
        ssl: String::new(),
        gateway: call.number("BackupGatewayId").unwrap_or(0),
        kind,
    })
}

/// Checks the JSON text that names databases and tables.
fn objects(text: &str) -> Result<(), Refusal> {
    let fine = serde_json::from_str::<Value>(text).is_ok_and(|value| {
        value
            .as_array()
            .is_some_and(|list| list.iter().all(|row| row["DBName"].is_string()))
    });
    if fine {
        Ok(())
    } else {
        Err(codes::BAD_VALUE.saying("The specified BackupObjects is not valid."))
    }
}

impl Dbs {
    /// Buys a plan.
    fn buy(&mut self, world: &mut World, call: &Call) -> Result<usize, Refusal> {
        let class = one_of(call, "InstanceClass", &CLASSES)?;
        let method = one_of(call, "BackupMethod", &METHODS)?;
        let db_type = one_of(call, "DatabaseType", &DATABASES)?;
        let region = call.text("Region").unwrap_or(HOME).to_owned();
        let mut plan = Plan::bought(
            world.now(),
            region,
            db_type.to_owned(),
            method.to_owned(),
            class.to_owned(),
        );
        call.word("ResourceGroupId")
            .clone_into(&mut plan.resource_group);
        plan.prepaid = !call.word("PayType").eq_ignore_ascii_case("postpay");
        let unit = if call.word("Period").eq_ignore_ascii_case("Month") {
            30
        } else {
            365
        };
        let units = call.number("UsedTime").unwrap_or(1).clamp(1, 60);
        plan.expires = world.now() + TimeDelta::days(unit * units);
        let number = self.plans.len();
        if plan.prepaid {
            world.schedule(self.service, plan.expires, what::EXPIRE, number as u64);
        }
        self.plans.push(plan);
        world.count("dbs.plan.created");
        Ok(number)
    }

    /// Takes over everything about a plan that a call names. Nothing is changed when something is wrong.
    fn configure(&mut self, call: &Call, number: usize) -> Result<(), Refusal> {
        let source = endpoint(call, "Source")?;
        let Some(plan) = self.plans.get(number) else {
            return Err(codes::cannot());
        };
        let secret_free =
            plan.db_type == "Redis" || (source.kind == "agent" && plan.db_type == "MSSQL");
        for (needed, name) in [
            (!secret_free, "SourceEndpointUserName"),
            (!secret_free, "SourceEndpointPassword"),
            (
                matches!(plan.db_type.as_str(), "PostgreSQL" | "MongoDB"),
                "SourceEndpointDatabaseName",
            ),
            (plan.db_type == "Oracle", "SourceEndpointOracleSID"),
        ] {
            if needed && call.text(name).is_none() {
                return Err(codes::missing(name));
            }
        }
        if let Some(text) = call.text("BackupObjects") {
            objects(text)?;
        }
        let rhythm = rhythm(call, &plan.rhythm)?;
        let retention = retention(call, plan.retention)?;
        let source = self.complete(source);
        let Some(plan) = self.plans.get_mut(number) else {
            return Err(codes::cannot());
        };
        plan.source = source;
        plan.rhythm = rhythm;
        plan.retention = retention;
        call.word("BackupPlanName").clone_into(&mut plan.name);
        call.word("BackupObjects").clone_into(&mut plan.objects);
        call.word("BackupStorageType")
            .clone_into(&mut plan.storage_type);
        call.word("OSSBucketName").clone_into(&mut plan.bucket);
        plan.cross = ["CrossAliyunId", "CrossRoleName"].map(|name| call.word(name).to_owned());
        plan.log = call.flag("EnableBackupLog").unwrap_or(false);
        if let Some(seconds) = call.number("BackupLogIntervalSeconds") {
            plan.log_seconds = seconds.clamp(30, 86_400);
        }
        Ok(())
    }

    /// Fills in what the service knows of an instance.
    fn complete(&self, mut endpoint: Endpoint) -> Endpoint {
        let found = self
            .sources
            .find(&endpoint.instance, &endpoint.host, &endpoint.port)
            .and_then(|source| self.sources.all.get(source));
        if let Some(source) = found
            && endpoint.host.is_empty()
        {
            source.host.clone_into(&mut endpoint.host);
            endpoint.port = source.port.to_string();
        }
        endpoint
    }

    pub(super) fn create_plan(&mut self, world: &mut World, call: &Call) -> Answer {
        let number = self.buy(world, call)?;
        let mut answer = plan_payload(&self.plan_id(number));
        answer.insert("OrderId".into(), self.order(world).into());
        Ok(answer)
    }

    pub(super) fn configure_plan(&mut self, world: &mut World, call: &Call) -> Answer {
        let number = self.acted_on(call)?;
        if self.plans.get(number).is_none_or(|plan| {
            !matches!(
                plan.status,
                PlanStatus::Wait | PlanStatus::Init | PlanStatus::CheckPass
            )
        }) {
            return Err(codes::cannot());
        }
        self.configure(call, number)?;
        let then = if call.flag("AutoStartBackup") == Some(true) {
            Then::Start
        } else {
            Then::Wait
        };
        self.begin_check(world, number, then);
        Ok(plan_payload(call.word("BackupPlanId")))
    }

    pub(super) fn create_and_start_plan(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let number = self.buy(world, call)?;
        if let Err(refusal) = self.configure(call, number) {
            // Bought in the same breath: it never was.
            self.plans.truncate(number);
            return Err(refusal);
        }
        self.begin_check(world, number, Then::Start);
        world.note(json!({
            "what": "dbs.plan.created_and_started", "request_id": request.id, "plan": self.plan_id(number),
        }));
        let mut answer = plan_payload(&self.plan_id(number));
        answer.insert("OrderId".into(), self.order(world).into());
        answer.insert("CreateBackupSet".into(), true.into());
        Ok(answer)
    }

    pub(super) fn modify_plan(&mut self, world: &mut World, call: &Call) -> Answer {
        let number = self.acted_on(call)?;
        let Some(plan) = self.plans.get(number) else {
            return Err(codes::cannot());
        };
        if plan.status == PlanStatus::Locked
            || (plan.status == PlanStatus::Wait && call.action != "ModifyBackupPlanName")
        {
            return Err(codes::cannot());
        }
        let source = match call.action {
            "ModifyBackupSourceEndpoint" => Some(self.complete(endpoint(call, "Source")?)),
            _ => None,
        };
        let new_rhythm = rhythm(call, &plan.rhythm)?;
        let new_retention = retention(call, plan.retention)?;
        if let Some(text) = call.text("BackupObjects") {
            objects(text)?;
        }
        let mut close = false;
        let Some(plan) = self.plans.get_mut(number) else {
            return Err(codes::cannot());
        };
        let need = match call.action {
            "ModifyBackupPlanName" => {
                call.word("BackupPlanName").clone_into(&mut plan.name);
                None
            }
            "ModifyBackupSetDownloadRules" => {
                let rule = &mut plan.download;
                rule.auto = call.flag("OpenAutoDownload").unwrap_or(rule.auto);
                rule.gateway = call.number("BackupGatewayId").unwrap_or(rule.gateway);
                for (name, field) in [
                    ("BackupSetDownloadDir", &mut rule.dir),
                    ("BackupSetDownloadTargetType", &mut rule.target),
                    ("FullDataFormat", &mut rule.full),
                    ("IncrementDataFormat", &mut rule.increment),
                ] {
                    if let Some(text) = call.text(name) {
                        text.clone_into(field);
                    }
                }
                None
            }
            "ModifyBackupStrategy" => {
                plan.rhythm = new_rhythm;
                if let Some(seconds) = call.number("BackupLogIntervalSeconds") {
                    plan.log_seconds = seconds.clamp(30, 86_400);
                }
                Some(false)
            }
            "ModifyStorageStrategy" => {
                plan.retention = new_retention;
                Some(false)
            }
            "DisableBackupLog" => {
                plan.log = false;
                close = true;
                Some(false)
            }
            "EnableBackupLog" => {
                let news = !plan.log;
                plan.log = true;
                Some(news)
            }
            "ModifyBackupObjects" => {
                let objects = call.word("BackupObjects");
                let news = plan.objects != objects;
                objects.clone_into(&mut plan.objects);
                Some(news)
            }
            _ => {
                if let Some(source) = source {
                    plan.source = source;
                }
                Some(true)
            }
        };
        // Only a plan that was checked once can need it again.
        let need = need.map(|need| {
            need && matches!(
                plan.status,
                PlanStatus::Running | PlanStatus::CheckPass | PlanStatus::Pause
            )
        });
        plan.needs_check |= need == Some(true);
        if close {
            self.close_log(world, number, true);
        }
        if call.action == "ModifyBackupStrategy" {
            self.reschedule(world, number);
        }
        world.count("dbs.plan.changed");
        let mut answer = plan_payload(call.word("BackupPlanId"));
        if let Some(need) = need {
            answer.extend(payload(json!({"NeedPrecheck": need})));
        }
        Ok(answer)
    }
}

/// The rhythm that a call asks for, in place of the present one.
fn rhythm(call: &Call, present: &Rhythm) -> Result<Rhythm, Refusal> {
    let mut rhythm = present.clone();
    if let Some(text) = call.text("BackupPeriod") {
        let days = Rhythm::days_of(text)
            .ok_or_else(|| codes::BAD_VALUE.saying("The specified BackupPeriod is not valid."))?;
        rhythm = rhythm.on(days);
    }
    if let Some(text) = call.text("BackupStartTime") {
        rhythm.time = NaiveTime::parse_from_str(text, "%H:%M")
            .map_err(|_| codes::BAD_VALUE.saying("The specified BackupStartTime is not valid."))?;
    }
    match call.text("BackupStrategyType") {
        None => {}
        Some("simple") => rhythm.manual = false,
        Some("manual") => rhythm.manual = true,
        Some(_) => {
            return Err(codes::BAD_VALUE.saying("The specified BackupStrategyType is not valid."));
        }
    }
    Ok(rhythm)
}

/// Days of keeping: infrequent access before archive before the end, 0 for never.
fn retention(call: &Call, present: [i64; 3]) -> Result<[i64; 3], Refusal> {
    let [keep, ia, archive] = [
        ("BackupRetentionPeriod", present[0]),
        ("DuplicationInfrequentAccessPeriod", present[1]),
        ("DuplicationArchivePeriod", present[2]),
    ]
    .map(|(name, present)| call.number(name).unwrap_or(present));
    let given = [
        "BackupRetentionPeriod",
        "DuplicationInfrequentAccessPeriod",
        "DuplicationArchivePeriod",
    ]
    .iter()
    .any(|name| call.text(name).is_some());
    let fine = (0..=1825).contains(&keep) && ia < archive && archive < keep;
    if given && !fine {
        return Err(codes::BAD_VALUE.saying("The specified retention periods are not valid."));
    }
    Ok([keep, ia, archive])
}
