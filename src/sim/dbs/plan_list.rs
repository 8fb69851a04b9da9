//! DescribeBackupPlanList.

use serde_json::{Value, json};

use super::call::Call;
use super::list::{self, Page, Sizes};
use super::plan::{Plan, PlanStatus};
use super::rows::SetStatus;
use super::{Answer, Dbs, codes, millis};
use crate::sim::world::World;

/// Fields that came in March 2026.
const NEW: [&str; 15] = [
    "BackupPlanRegion",
    "InstanceChargeType",
    "InstanceExpiredTimestamp",
    "SourceEndpointHost",
    "SourceEndpointPort",
    "SourceEndpointEnableSsl",
    "IncrementBackupRetentionPeriod",
    "IncrementDuplicationInfrequentAccessPeriod",
    "IncrementDuplicationArchivePeriod",
    "LogBackupRetentionPeriod",
    "LogDuplicationInfrequentAccessPeriod",
    "LogDuplicationArchivePeriod",
    "StorageEncryptMethod",
    "EnableMysqlPhysicalBackupBinLog",
    "BackupGatewayIdentifier",
];

impl Dbs {
    pub(super) fn list_plans(&self, world: &World, call: &Call) -> Answer {
        let page = Page::of(world, call, Sizes::Any)?;
        let ids: Option<Vec<usize>> = call.text("BackupPlanId").map(|ids| {
            ids.split(',')
                .filter_map(|id| self.plan_number(id.trim()))
                .collect()
        });
        if ids.as_ref().is_some_and(Vec::is_empty) {
            return Err(codes::BAD_VALUE.saying("The specified BackupPlanId does not exist."));
        }
        if let Some(status) = call.text("BackupPlanStatus")
            && !PlanStatus::ALL.iter().any(|known| known.word() == status)
        {
            return Err(codes::BAD_VALUE.saying("The specified BackupPlanStatus is not valid."));
        }
        let same = |name: &str, value: &str| call.text(name).is_none_or(|wanted| wanted == value);
        let wanted = |number: &usize| {
            let Some(plan) = self.plans.get(*number).filter(|plan| !plan.released) else {
                return false;
            };
            ids.as_ref().is_none_or(|ids| ids.contains(number))
                && call
                    .text("BackupPlanName")
                    .is_none_or(|name| plan.name.contains(name))
                && same("BackupPlanStatus", plan.status.word())
                && same("Region", &plan.region)
                && same("ResourceGroupId", &plan.resource_group)
                && same("BackupMethod", &plan.method)
        };
        let numbers: Vec<usize> = (0..self.plans.len()).filter(wanted).collect();
        let total = numbers.len();
        let rows = list::ordered(world, numbers.into_iter());
        Ok(
            page.payload(world, "BackupPlanDetail", total, rows, |number| {
                self.plans
                    .get(number)
                    .map_or(Value::Null, |plan| self.plan_json(world, number, plan))
            }),
        )
    }

    fn plan_json(&self, world: &World, number: usize, plan: &Plan) -> Value {
        let source = &plan.source;
        let address = source.address();
        let gateway = self
            .sources
            .gateways
            .iter()
            .find(|gateway| gateway.id == source.gateway);
        let upper = world.switches.get("dbs.period_case") == "upper";
        let [keep, ia, archive] = plan.retention;
        let done = |set: &&u64| {
            self.set(**set)
                .is_some_and(|set| set.status == SetStatus::Finish)
        };
        let first = plan.sets.iter().find(done).and_then(|set| self.set(*set));
        let last = plan
            .sets
            .iter()
            .rev()
            .find(done)
            .and_then(|set| self.set(*set));
        let until = plan
            .increments
            .iter()
            .rev()
            .find(|increment| increment.to > 0 && increment.whole)
            .map(|increment| increment.to)
            .max(last.map(|set| set.ended));
        let error = match plan.error {
            Some(reason) => reason.raw(&address),
            None => list::no_error(world).to_owned(),
        };
        let mut row = json!({
            "BackupPlanId": self.plan_id(number), "BackupPlanName": plan.name,
            "BackupPlanStatus": plan.status.word(), "BackupPlanCreateTime": millis(plan.created),
            "BackupPlanRegion": plan.region, "DatabaseType": plan.db_type, "BackupMethod": plan.method,
            "InstanceClass": plan.class,
            "InstanceChargeType": if plan.prepaid { "PREPAY" } else { "POSTPAY" },
            "InstanceExpiredTimestamp": if plan.prepaid { millis(plan.expires) } else { 0 },
            "SourceEndpointInstanceType": source.kind, "SourceEndpointInstanceID": source.instance,
            "SourceEndpointRegion": source.region, "SourceEndpointIpPort": address,
            "SourceEndpointHost": source.host, "SourceEndpointPort": source.port,
            "SourceEndpointDatabaseName": source.database, "SourceEndpointUserName": source.user,
            "SourceEndpointOracleSID": source.sid, "SourceEndpointEnableSsl": source.ssl,
        });
        let rest = json!({
            "BackupObjects": plan.objects, "BackupPeriod": plan.rhythm.words(upper),
            "BackupStartTime": plan.rhythm.time.format("%H:%M").to_string(),
            "BackupRetentionPeriod": keep, "DuplicationInfrequentAccessPeriod": ia,
            "DuplicationArchivePeriod": archive,
            "BackupStorageType": plan.storage_type, "StorageEncryptMethod": plan.encrypt,
            "OSSBucketName": plan.bucket, "OSSBucketRegion": plan.region,
            "EnableBackupLog": plan.log, "EnableMysqlPhysicalBackupBinLog": plan.log && !plan.logical(),
            "BeginTimestampForRestore": first.map_or(0, |set| set.ended),
            "EndTimestampForRestore": until.unwrap_or(0),
            "BackupGatewayId": source.gateway,
            "BackupGatewayIdentifier": gateway.map_or("", |gateway| gateway.identifier.as_str()),
            "CrossAliyunId": plan.cross[0], "CrossRoleName": plan.cross[1],
            "ResourceGroupId": plan.resource_group, "ErrMessage": error,
            "OpenBackupSetAutoDownload": plan.download.auto,
            "BackupSetDownloadDir": plan.download.dir,
            "BackupSetDownloadTargetType": plan.download.target,
            "BackupSetDownloadGatewayId": plan.download.gateway,
            "BackupSetDownloadFullDataFormat": plan.download.full,
            "BackupSetDownloadIncrementDataFormat": plan.download.increment,
        });
        if let Some(row) = row.as_object_mut() {
            row.extend(super::payload(rest));
            for prefix in ["Increment", "Log"] {
                // Numbers as texts, unlike their namesakes for full backups.
                for (name, days) in [
                    ("BackupRetentionPeriod", 7),
                    ("DuplicationInfrequentAccessPeriod", 0),
                    ("DuplicationArchivePeriod", 0),
                ] {
                    row.insert(format!("{prefix}{name}"), i64::to_string(&days).into());
                }
            }
        }
        list::dated(world, row, &NEW)
    }
}
