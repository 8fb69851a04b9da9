//! The lists of full backups, increments, restores and prechecks, and DescribeJobErrorCode.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::list::{self, Page, Sizes, Span};
use super::plan::Precheck;
use super::rows::{Increment, Restore, RestoreStatus, SetStatus, percent};
use super::{Answer, Dbs, codes, millis, payload, tag};
use crate::sim::world::World;

/// Fields of a full backup that came in March 2026.
const NEW_FULL: [&str; 12] = [
    "LogicalStructureBackupProgress",
    "LogicalFullBackupProgress",
    "BackupGatewayIdentifier",
    "CrossAliyunId",
    "SourceEndpointHost",
    "SourceEndpointPort",
    "SourceEndpointRegion",
    "SourceEndpointInstanceId",
    "SourceEndpointInstanceType",
    "SourceEndpointUserName",
    "SourceEndpointEnableSsl",
    "StorageEncryptMethod",
];
/// Fields of an increment that came then.
const NEW_INCREMENT: [&str; 5] = [
    "SourceEndpointHost",
    "SourceEndpointPort",
    "SourceEndpointRegion",
    "SourceEndpointInstanceId",
    "SourceEndpointInstanceType",
];
/// Fields of a restore that came then.
const NEW_RESTORE: [&str; 5] = [
    "RestoreDestinationMode",
    "DestinationEndpointHost",
    "DestinationEndpointPort",
    "DestinationEndpointEnableSsl",
    "BackupGatewayIdentifier",
];

const DAY: i64 = 86_400_000;

impl Dbs {
    pub(super) fn list_sets(&self, world: &World, call: &Call) -> Answer {
        let number = self.listed_plan(call)?;
        let page = Page::of(world, call, Sizes::Three)?;
        let span = Span::of(world, call);
        let Some(plan) = self.plans.get(number) else {
            return Ok(Map::new());
        };
        let row = |set: u64| self.set_json(world, number, set);
        let plain = span.is_all()
            && call.text("BackupSetId").is_none()
            && call.text("BackupSetStatus").is_none();
        if plain {
            let rows = list::ordered(world, plan.sets.iter().copied());
            return Ok(page.payload(world, "FullBackupFile", plan.sets.len(), rows, row));
        }
        let wanted: Vec<u64> = plan
            .sets
            .iter()
            .copied()
            .filter(|set| {
                self.set(*set).is_some_and(|shown| {
                    span.holds(shown.created)
                        && call
                            .text("BackupSetStatus")
                            .is_none_or(|word| word == shown.status.word())
                        && call
                            .text("BackupSetId")
                            .is_none_or(|id| id == self.set_id(*set))
                })
            })
            .collect();
        let total = wanted.len();
        let rows = list::ordered(world, wanted.into_iter());
        Ok(page.payload(world, "FullBackupFile", total, rows, row))
    }

    fn set_json(&self, world: &World, number: usize, set: u64) -> Value {
        let (Some(plan), Some(row)) = (self.plans.get(number), self.set(set)) else {
            return Value::Null;
        };
        let now = millis(world.now());
        let address = plan.source.address();
        let done = row.status == SetStatus::Finish;
        let gateway = self
            .sources
            .gateways
            .iter()
            .find(|gateway| gateway.id == plan.source.gateway);
        let mut shown = json!({
            "BackupSetId": self.set_id(set),
            "BackupStatus": row.odd.as_deref().unwrap_or(row.status.word()),
            "ErrMessage": match row.reason {
                Some(reason) => reason.raw(&address),
                None => list::no_error(world).to_owned(),
            },
            "BackupObjects": plan.objects, "BackupSize": if done { row.bytes } else { 0 },
            "CreateTime": row.created, "FinishTime": row.ended,
            "StartTime": row.started, "EndTime": if done { row.ended } else { 0 },
            "BackupSetExpiredTime": if done { row.ended + plan.retention[0] * DAY } else { 0 },
            "SourceEndpointIpPort": address,
            "StorageMethod": if done { "Standard" } else { "UNKNOWN" },
            "BackupGatewayIdentifier": gateway.map_or("", |gateway| gateway.identifier.as_str()),
            "SourceEndpointHost": plan.source.host, "SourceEndpointPort": plan.source.port,
            "SourceEndpointRegion": plan.source.region,
            // A small d here, a capital one in plans.
            "SourceEndpointInstanceId": plan.source.instance,
            "SourceEndpointInstanceType": plan.source.kind,
            "SourceEndpointUserName": plan.source.user,
            "SourceEndpointEnableSsl": plan.source.ssl,
            "StorageEncryptMethod": plan.encrypt,
        });
        if let Some(shown) = shown.as_object_mut()
            && plan.logical()
        {
            let whole = row.percent(now);
            let structure = (whole * 10).min(100);
            let data = if done {
                100
            } else {
                ((whole - 10) * 10 / 9).max(0)
            };
            shown.insert("LogicalStructureBackupProgress".into(), structure.into());
            shown.insert("LogicalFullBackupProgress".into(), data.into());
        }
        list::dated(world, shown, &NEW_FULL)
    }

    pub(super) fn list_increments(&self, world: &World, call: &Call) -> Answer {
        let number = self.listed_plan(call)?;
        let page = Page::of(world, call, Sizes::Three)?;
        let span = Span::of(world, call);
        let Some(plan) = self.plans.get(number) else {
            return Ok(Map::new());
        };
        let wanted: Vec<&Increment> = plan
            .increments
            .iter()
            .filter(|row| span.holds(row.from))
            .collect();
        let now = millis(world.now());
        let shows_storage = call.flag("ShowStorageType") != Some(false);
        let total = wanted.len();
        let rows = list::ordered(world, wanted.into_iter());
        let name = "IncrementBackupFile";
        Ok(page.payload(world, name, total, rows, |row| {
            let whole = row.to > 0 && row.whole;
            let mut shown = json!({
                "BackupSetId": self.id("1", tag::INCREMENT, row.number),
                "BackupSetJobId": self.id("1", tag::INCREMENT_JOB, row.number),
                "BackupStatus": row.word(now), "BackupSize": row.bytes,
                "StartTime": row.from, "EndTime": row.to,
                "BackupSetExpiredTime": if whole { row.to + 7 * DAY } else { 0 },
                "SourceEndpointIpPort": plan.source.address(),
                "SourceEndpointHost": plan.source.host, "SourceEndpointPort": plan.source.port,
                "SourceEndpointRegion": plan.source.region,
                "SourceEndpointInstanceId": plan.source.instance,
                "SourceEndpointInstanceType": plan.source.kind,
            });
            if let Some(shown) = shown.as_object_mut()
                && shows_storage
            {
                let method = if whole { "Standard" } else { "UNKNOWN" };
                shown.insert("StorageMethod".into(), method.into());
            }
            list::dated(world, shown, &NEW_INCREMENT)
        }))
    }

    pub(super) fn list_restores(&self, world: &World, call: &Call) -> Answer {
        let page = Page::of(world, call, Sizes::Any)?;
        let span = Span::of(world, call);
        let numbers: Vec<usize> = match (call.text("BackupPlanId"), call.text("RestoreTaskId")) {
            (Some(_), Some(_)) => {
                return Err(codes::BAD_VALUE
                    .saying("BackupPlanId and RestoreTaskId can't be specified together."));
            }
            (Some(_), None) => {
                let plan = self.listed_plan(call)?;
                let plan = self.plans.get(plan);
                plan.into_iter()
                    .flat_map(|plan| &plan.restores)
                    .map(|number| *number as usize)
                    .collect()
            }
            (None, Some(ids)) => {
                let found: Vec<usize> = ids
                    .split(',')
                    .filter_map(|id| self.restore_number(id.trim()))
                    .collect();
                if found.is_empty() {
                    return Err(
                        codes::BAD_VALUE.saying("The specified RestoreTaskId does not exist.")
                    );
                }
                found
            }
            (None, None) => return Err(codes::missing("BackupPlanId")),
        };
        let wanted: Vec<usize> = numbers
            .into_iter()
            .filter(|number| {
                self.restores
                    .get(*number)
                    .is_some_and(|row| span.holds(row.created))
            })
            .collect();
        let total = wanted.len();
        let rows = list::ordered(world, wanted.into_iter());
        Ok(
            page.payload(world, "RestoreTaskDetail", total, rows, |number| {
                self.restores
                    .get(number)
                    .map_or(Value::Null, |row| self.restore_json(world, number, row))
            }),
        )
    }

    /// The word for a restore's status.
    pub(super) fn restore_word<'a>(&self, world: &'a World, row: &'a Restore) -> &'a str {
        if let Some(odd) = &row.odd {
            return odd;
        }
        match row.status {
            RestoreStatus::Init => "init",
            RestoreStatus::CheckPass => "check_pass",
            RestoreStatus::Running => "running",
            RestoreStatus::Pause => "pause",
            RestoreStatus::Stop => "stop",
            RestoreStatus::Done => world.switches.get("dbs.restore_done"),
        }
    }

    fn restore_json(&self, world: &World, number: usize, row: &Restore) -> Value {
        let to = &row.to;
        let address = to.address();
        let now = if row.ended > 0 {
            row.ended
        } else {
            millis(world.now())
        };
        let whole = match row.status {
            RestoreStatus::Done => 100,
            RestoreStatus::Init | RestoreStatus::CheckPass => 0,
            _ => percent(row.started, row.due, now),
        };
        let logical = self
            .plans
            .get(row.plan as usize)
            .is_none_or(|plan| plan.logical());
        // Structure first, then data, then the rest of the structure.
        let part = |from: i64, to: i64| ((whole - from) * 100 / (to - from)).clamp(0, 100);
        let mut shown = json!({
            "RestoreTaskId": self.restore_id(number), "RestoreTaskName": row.name,
            "BackupPlanId": self.plan_id(row.plan as usize),
            "BackupSetId": row.set.map_or_else(String::new, |set| self.set_id(set)),
            "RestoreStatus": self.restore_word(world, row),
            "RestoreTaskCreateTime": row.created, "RestoreTaskFinishTime": row.ended,
            "RestoreTime": row.point, "RestoreObjects": row.objects, "RestoreDir": row.dir,
            "ErrMessage": match row.reason {
                Some(reason) => reason.raw(&address),
                None => list::no_error(world).to_owned(),
            },
            "DestinationEndpointInstanceType": to.kind, "DestinationEndpointInstanceID": to.instance,
            "DestinationEndpointRegion": to.region, "DestinationEndpointIpPort": address,
            "DestinationEndpointDatabaseName": to.database, "DestinationEndpointUserName": to.user,
            "DestinationEndpointOracleSID": to.sid, "BackupGatewayId": to.gateway,
            "DestinationEndpointHost": to.host, "DestinationEndpointPort": to.port,
            "DestinationEndpointEnableSsl": to.ssl, "RestoreDestinationMode": row.mode,
        });
        if let Some(shown) = shown.as_object_mut() {
            if logical {
                shown.insert("FullStruforeRestoreProgress".into(), part(0, 10).into());
                shown.insert("FullDataRestoreProgress".into(), part(10, 90).into());
                shown.insert("FullStruAfterRestoreProgress".into(), part(90, 100).into());
                shown.insert("ContinuousRestoreProgress".into(), 0.into());
            } else if world.switches.on("dbs.new_fields") {
                shown.insert(
                    "PhysicalFullBackupRecoverProgress".into(),
                    part(0, 80).into(),
                );
                shown.insert(
                    "PhysicalDatabaseOnlineProgress".into(),
                    part(80, 100).into(),
                );
            }
        }
        list::dated(world, shown, &NEW_RESTORE)
    }

    pub(super) fn list_checks(&self, world: &World, call: &Call) -> Answer {
        let (check, address, objects) =
            match (call.text("BackupPlanId"), call.text("RestoreTaskId")) {
                (Some(_), Some(_)) => {
                    return Err(codes::BAD_VALUE
                        .saying("BackupPlanId and RestoreTaskId can't be specified together."));
                }
                (None, None) => return Err(codes::missing("BackupPlanId")),
                (Some(_), None) => {
                    let plan = self.plans.get(self.listed_plan(call)?);
                    plan.map_or((None, String::new(), true), |plan| {
                        (plan.precheck.as_ref(), plan.source.address(), plan.log)
                    })
                }
                (None, Some(id)) => {
                    let number = self.restore_number(id).ok_or_else(|| {
                        codes::BAD_VALUE.saying("The specified RestoreTaskId does not exist.")
                    })?;
                    self.restores
                        .get(number)
                        .map_or((None, String::new(), true), |row| {
                            (Some(&row.precheck), row.to.address(), false)
                        })
                }
            };
        let Some(check) = check else {
            return Ok(payload(json!({
                "Items": list::items(world, "PreCheckProgressDetail", Vec::new()),
            })));
        };
        let now = millis(world.now());
        let (status, progress) = match &check.verdict {
            None => ("running", percent(check.begun, check.ends, now)),
            Some(Ok(())) => ("finish", 100),
            Some(Err(_)) => ("failed", 100),
        };
        let rows = self.check_items(check, &address, objects);
        Ok(payload(json!({
            "Status": status, "Progress": progress,
            "Items": list::items(world, "PreCheckProgressDetail", rows),
        })))
    }

    /// The one item whose name is known.
    fn check_items(&self, check: &Precheck, address: &str, log: bool) -> Vec<Value> {
        use super::reasons::Reason;
        let (state, text) = match &check.verdict {
            None => ("running", String::new()),
            Some(Ok(())) if log => ("finish", String::new()),
            Some(Ok(())) => ("warning", "increments are off".to_owned()),
            Some(Err(reason @ Reason::NoBinlog)) => ("failed", reason.raw(address)),
            // Something was thrown before the check could say anything.
            Some(Err(reason)) => ("catched", reason.raw(address)),
        };
        let ends = if check.verdict.is_some() {
            check.ends
        } else {
            0
        };
        vec![json!({
            "JobId": self.id("1", tag::CHECK, check.job), "Item": "CHECK_BINLOG_ON",
            "Names": "CHECK_BINLOG_ON_DETAIL", "OrderNum": "1", "State": state, "ErrMsg": text,
            "BootTime": check.begun, "FinishTime": ends,
        })]
    }

    pub(super) fn job_error(&self, call: &Call) -> Answer {
        let id = call.word("TaskId");
        let language = call.text("Language").unwrap_or("en");
        if !matches!(language, "en" | "cn") {
            return Err(codes::invalid("Language", "it takes en or cn"));
        }
        let (state, reason, job_type) = if let Some(set) = self.set_number(id) {
            let row = self.set(set).ok_or_else(|| codes::no_job(id))?;
            (row.status.word(), row.reason, Some("cbs_backup_sub_full"))
        } else if let Some(number) = self.restore_number(id) {
            let row = self.restores.get(number).ok_or_else(|| codes::no_job(id))?;
            let word = match row.status {
                RestoreStatus::Stop => "stop",
                RestoreStatus::Init => "init",
                RestoreStatus::CheckPass => "check_pass",
                RestoreStatus::Running => "running",
                RestoreStatus::Pause => "pause",
                RestoreStatus::Done => "finish",
            };
            (word, row.reason, None)
        } else {
            return Err(codes::no_job(id));
        };
        let mut item = payload(json!({
            "JobId": id, "JobState": state, "Language": language,
            // The only value that was ever published.
            "ErrorCode": if reason.is_some() { "failed" } else { "" },
            "ErrorMessage": reason.map_or("", |reason| reason.text(language)),
        }));
        if let Some(job_type) = job_type {
            item.insert("JobType".into(), job_type.into());
        }
        Ok(payload(json!({"Item": item})))
    }
}
