//! The calls that look something up: regions, addresses, gateways and what is behind them, restorable times, analysis.

use serde_json::{Value, json};

use super::call::Call;
use super::list::{self, Page, Sizes};
use super::plan::Plan;
use super::rows::SetStatus;
use super::source::REGIONS;
use super::{Answer, Dbs, codes, millis, payload};
use crate::sim::world::World;

impl Dbs {
    pub(super) fn small_call(&mut self, world: &mut World, call: &Call) -> Answer {
        match call.action {
            "DescribeBackupPlanBilling" => self.billing(call),
            "DescribeRegions" => Ok(payload(json!({"Regions": {"RegionCode": REGIONS}}))),
            "DescribeNodeCidrList" => {
                region(call)?;
                Ok(payload(json!({
                    "InternetIPs": {"InternetIP": ["47.96.39.0/24", "118.31.246.0/24"]},
                    "IntranetIPs": {"IntranetIP": ["100.104.175.0/24", "11.193.54.0/24"]},
                })))
            }
            "CreateGetDBListFromAgentTask" => {
                let gateway = call.number("BackupGatewayId").unwrap_or(0);
                let index = self
                    .sources
                    .gateways
                    .iter()
                    .position(|known| known.id == gateway)
                    .ok_or_else(|| {
                        codes::BAD_VALUE.saying("The specified BackupGatewayId does not exist.")
                    })?;
                let names = self
                    .sources
                    .all
                    .iter()
                    .filter(|source| source.gateway == Some(index))
                    .map(|source| source.name.clone())
                    .collect();
                self.agent_tasks.push(names);
                Ok(payload(json!({"TaskId": self.agent_tasks.len()})))
            }
            "GetDBListFromAgent" => {
                let task = call
                    .number("TaskId")
                    .and_then(|id| usize::try_from(id - 1).ok());
                let names = task
                    .and_then(|task| self.agent_tasks.get(task))
                    .ok_or_else(|| {
                        codes::BAD_VALUE.saying("The specified TaskId does not exist.")
                    })?;
                Ok(payload(json!({"DbList": {"dbName": names}})))
            }
            "DescribeRestoreRangeInfo" => self.restore_range(world, call),
            "DescribeDLAService" => {
                self.acted_on(call)?;
                Ok(payload(
                    json!({"State": "Closed", "AutoAdd": false, "HaveJobFailed": false}),
                ))
            }
            // Success as a text and ErrorCode instead of ErrCode: this answer alone.
            _ => Ok(payload(json!({"Data": "true", "ErrorCode": ""}))),
        }
    }

    pub(super) fn list_gateways(&self, world: &World, call: &Call) -> Answer {
        region(call)?;
        let page = Page::of(world, call, Sizes::Three)?;
        let wanted: Vec<_> = self
            .sources
            .gateways
            .iter()
            .filter(|gateway| gateway.region == call.word("Region"))
            .filter(|gateway| {
                call.text("Identifier")
                    .is_none_or(|ids| ids.split(',').any(|id| id.trim() == gateway.identifier))
            })
            .collect();
        let total = wanted.len();
        let rows = list::ordered(world, wanted.into_iter());
        Ok(page.payload(world, "BackupGateway", total, rows, |gateway| {
            let state = self.sources.gateway_state(world, gateway);
            let server = world.fleet.get(&gateway.server);
            // A beat a quarter of a minute, for as long as it is there.
            let beat = millis(world.now()) / 15_000 * 15_000;
            let last = match (state, gateway.last) {
                ("ONLINE" | "UPGRADING", _) => beat,
                (_, Some(last)) => millis(last),
                (_, None) => beat - 3_600_000,
            };
            json!({
                // A text here, a number everywhere else.
                "BackupGatewayId": gateway.id.to_string(), "Identifier": gateway.identifier,
                "DisplayName": gateway.name, "BackupGatewayStatus": state, "Region": gateway.region,
                "SourceEndpointHostname": server.map_or("", |server| server.name.as_str()),
                "SourceEndpointIntranetIP": server.map_or("", |server| server.private_ip.as_str()),
                "SourceEndpointInternetIP": "", "BackupGatewayCreateTime": millis(gateway.created),
                "LastHeartbeatTime": last,
            })
        }))
    }

    fn restore_range(&self, world: &World, call: &Call) -> Answer {
        let number = self.listed_plan(call)?;
        let begin = call.number("BeginTimestampForRestore").unwrap_or(0);
        let end = call.number("EndTimestampForRestore").unwrap_or(i64::MAX);
        let Some(plan) = self.plans.get(number) else {
            return Err(codes::cannot());
        };
        let rows = self.ranges(plan, begin, end);
        Ok(payload(
            json!({"Items": list::items(world, "DBSRecoverRange", rows)}),
        ))
    }

    /// The range that the log covers, or the points of the full backups where there is none.
    fn ranges(&self, plan: &Plan, begin: i64, end: i64) -> Vec<Value> {
        let sets: Vec<Value> = plan
            .sets
            .iter()
            .filter_map(|set| Some((*set, self.set(*set)?)))
            .filter(|(_, row)| row.status == SetStatus::Finish && (begin..=end).contains(&row.ended))
            .map(|(set, row)| {
                json!({"BackupSetId": self.set_id(set), "StartTime": row.started, "EndTime": row.ended})
            })
            .collect();
        let times = |key: &str| {
            sets.iter()
                .filter_map(|set| set[key].as_i64())
                .collect::<Vec<_>>()
        };
        let (Some(first), Some(last)) = (
            times("EndTime").first().copied(),
            times("EndTime").last().copied(),
        ) else {
            return Vec::new();
        };
        let logged = plan
            .increments
            .iter()
            .rev()
            .find(|row| row.to > 0 && row.whole);
        let (kind, until) = match logged.filter(|_| plan.log) {
            Some(row) => ("range", row.to.max(last).min(end)),
            None => ("point", last),
        };
        vec![json!({
            "RangeType": kind, "BeginTimestampForRestore": first, "EndTimestampForRestore": until,
            "SourceEndpointInstanceID": plan.source.instance, "SourceEndpointInstanceType": plan.source.kind,
            "FullBackupList": {"FullBackupDetail": sets},
        })]
    }
}

/// Checks the region of a call.
fn region(call: &Call) -> Result<(), codes::Refusal> {
    // A page of the documents names regions that do not exist: those have nothing in them.
    if call.word("Region").len() > 64 {
        return Err(codes::BAD_VALUE.saying("The specified Region is not valid."));
    }
    Ok(())
}
