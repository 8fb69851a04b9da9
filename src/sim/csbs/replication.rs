//! Replication to another region, which only Huawei's variant offers: regions, copies, records, and the project's
//! settings.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::backups::{Copy, NO_POLICY, Status};
use super::codes::{self, Refusal};
use super::policy::{PROVIDER, tag};
use super::{Csbs, body, item, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

const SOURCE: &str = "cn-north-1";
const DESTINATIONS: [&str; 2] = ["cn-south-1", "cn-east-2"];
/// A copy waits and then runs, so many virtual seconds each.
const STEP_SECONDS: i64 = 20;

/// One copy that was asked for.
#[derive(Debug)]
pub(super) struct Record {
    item: u64,
    checkpoint_id: String,
    region: String,
    project_id: String,
    policy: u32,
    auto: bool,
    created: i64,
}

impl Csbs {
    /// Answers the replication calls; `None` where they aren't offered.
    pub(super) fn replication_call(
        &mut self,
        world: &mut World,
        request: &Request,
        path: &[&str],
    ) -> Option<Result<Response, Refusal>> {
        if world.switches.get("csbs.variant") != "huawei" {
            return None;
        }
        Some(match (request.method.as_str(), path) {
            ("GET", ["replication_capabilities"]) => Ok(Response::json(
                200,
                &json!({"regions": [{"name": SOURCE, "replication_destinations": DESTINATIONS}]}),
            )),
            ("POST", ["providers", _, "checkpoint_items", id, "replicate"]) => {
                self.replicate_one(world, request, id)
            }
            ("POST", ["providers", _, "checkpoints", "replicate"]) => {
                self.replicate_policy(world, request)
            }
            ("GET", ["replication_records"]) => Ok(self.list_records(world)),
            ("GET", ["protect_config"]) => Ok(Response::json(
                200,
                &json!({
                    "id": world.account.project_id, "project_id": world.account.project_id,
                    "dec_enable": false, "dec_capacity": 0, "dec_used_capacity": 0,
                }),
            )),
            _ => return None,
        })
    }

    fn replicate_one(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Result<Response, Refusal> {
        let (region, project) = destination(request)?;
        let number = self
            .item_number(id)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        self.copyable(number, &region)?;
        let record = self.begin_copy(world, request, number, &region, &project, NO_POLICY, false);
        Ok(Response::json(
            200,
            &json!({"replication": {
                "project_id": world.account.project_id, "provider_id": PROVIDER, "checkpoint_item_id": id,
                "source_region": SOURCE, "destination_region": region, "destination_project_id": project,
                "replication_record_id": self.ids.uuid(tag::RECORD, record),
            }}),
        ))
    }

    fn replicate_policy(
        &mut self,
        world: &mut World,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let (region, project) = destination(request)?;
        let body = body(request)?;
        let given = body.get("replication").unwrap_or(&Value::Null);
        let id = given
            .get("policy_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let policy = self
            .policy_number(id)
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        let auto = given.get("auto_trigger").and_then(Value::as_bool) == Some(true);
        let busy = |copy: Copy| matches!(copy, Copy::Waiting | Copy::Copying);
        let mut running = self.records.values().filter(|record| {
            record.policy == policy
                && self
                    .backups
                    .get(record.item)
                    .is_some_and(|backup| busy(backup.copy))
        });
        match running.next() {
            Some(record) if record.auto || auto => {
                return Err(codes::POLICY_COPYING.with(&[&record.region]));
            }
            Some(_) => return Err(codes::COPY_RUNNING.plain()),
            None => {}
        }
        let chosen: Vec<u64> = self
            .backups
            .range()
            .filter(|number| {
                self.backups.get(*number).is_some_and(|backup| {
                    backup.policy == policy
                        && backup.status == Status::Available
                        && backup.copy == Copy::Na
                })
            })
            .collect();
        let mut items = Vec::new();
        for number in chosen {
            let record = self.begin_copy(world, request, number, &region, &project, policy, auto);
            items.push(json!({
                "checkpoint_item_id": self.item_id(number),
                "replication_record_id": self.ids.uuid(tag::RECORD, record),
            }));
        }
        Ok(Response::json(
            200,
            &json!({"replication": {
                "project_id": world.account.project_id, "provider_id": PROVIDER, "source_region": SOURCE,
                "destination_region": region, "destination_project_id": project, "checkpoint_items": items,
            }}),
        ))
    }

    fn copyable(&self, number: u64, region: &str) -> Result<(), Refusal> {
        let id = self.item_id(number);
        let Some(backup) = self.backups.get(number) else {
            return Err(codes::NO_BACKUP.with(&[&id]));
        };
        if backup.status != Status::Available {
            return Err(codes::COPY_STATUS.with(&[&id, backup.status.word()]));
        }
        if backup.copy != Copy::Na {
            return Err(codes::COPIED.with(&[&id, region, backup.copy.word()]));
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "a copy has that many sides")]
    fn begin_copy(
        &mut self,
        world: &mut World,
        request: &Request,
        number: u64,
        region: &str,
        project: &str,
        policy: u32,
        auto: bool,
    ) -> u64 {
        let record = self.records.len() as u64;
        let checkpoint_id = match self.backups.get_mut(number) {
            Some(backup) => {
                backup.copy = Copy::Waiting;
                number.saturating_sub(u64::from(backup.offset))
            }
            None => number,
        };
        self.records.insert(
            record,
            Record {
                item: number,
                checkpoint_id: self.ids.uuid(tag::CHECKPOINT, checkpoint_id),
                region: region.to_owned(),
                project_id: project.to_owned(),
                policy,
                auto,
                created: world.now().timestamp_micros(),
            },
        );
        world.schedule_in(
            self.service,
            TimeDelta::seconds(STEP_SECONDS),
            what::COPY,
            record,
        );
        world.note(json!({
            "what": "csbs.copy.started", "request_id": request.id, "item": self.item_id(number),
        }));
        record
    }

    /// A copy goes on to its next state.
    pub(super) fn copy_step(&mut self, world: &mut World, record: u64) {
        let Some(item) = self.records.get(&record).map(|record| record.item) else {
            return;
        };
        let Some(backup) = self.backups.get_mut(item) else {
            return;
        };
        match backup.copy {
            Copy::Waiting => {
                backup.copy = Copy::Copying;
                world.schedule_in(
                    self.service,
                    TimeDelta::seconds(STEP_SECONDS),
                    what::COPY,
                    record,
                );
            }
            Copy::Copying => backup.copy = Copy::Success,
            Copy::Na | Copy::Success => {}
        }
    }

    /// Only the status `success` of a record is documented: others are not listed before they have it.
    fn list_records(&self, world: &World) -> Response {
        let done = self.records.iter().filter(|(_, record)| {
            let copy = self.backups.get(record.item).map(|backup| backup.copy);
            copy.is_none_or(|copy| copy == Copy::Success)
        });
        let rows: Vec<Value> = done
            .map(|(number, record)| {
                json!({
                    "id": self.ids.uuid(tag::RECORD, *number), "status": "success", "source_region": SOURCE,
                    "source_project_id": world.account.project_id,
                    "source_checkpoint_id": record.checkpoint_id,
                    "source_checkpoint_item_id": self.item_id(record.item),
                    "destination_region": record.region, "destination_project_id": record.project_id,
                    "destination_checkpoint_id": self.ids.uuid(tag::RECORD, number | 1 << 40),
                    "destination_checkpoint_item_id": self.ids.uuid(tag::RECORD, number | 1 << 41),
                    "plan_id": self.policies.contains_key(&record.policy).then(|| self.policy_id(record.policy)),
                    "created_at": item::time(record.created),
                    "extra_info": {
                        "auto_trigger": record.auto, "progress": 100, "fail_reason": "", "fail_code": {},
                    },
                })
            })
            .collect();
        Response::json(
            200,
            &json!({"count": rows.len(), "replication_records": rows}),
        )
    }
}

fn destination(request: &Request) -> Result<(String, String), Refusal> {
    let body = body(request)?;
    let text = |key: &str| {
        body.pointer(&format!("/replication/{key}"))
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| codes::BAD_PARAMETER.saying(format!("{key} is missing")))
    };
    let region = text("destination_region")?;
    if !DESTINATIONS.contains(&region.as_str()) {
        return Err(codes::COPY_REGION.with(&[&region]));
    }
    Ok((region, text("destination_project_id")?))
}
