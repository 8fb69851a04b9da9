//! What repeating a failed operation takes: the calls in order, read from the resource as it is now.

use serde_json::{Value, json};

use super::Sdrs;
use super::prepare::{Plan, Step, Wait, text_input, wants_yes};
use super::wire::{Object, Resource};
use crate::connect::http::Call;
use crate::model::{Fault, FaultKind, Intent};

/// What a retry needs to know of the resource.
struct Now {
    name: String,
    description: String,
    status: String,
    group_id: String,
    station: String,
    zones: (String, String),
    domain_id: String,
    vpc_id: String,
    dr_type: String,
    source_server: String,
    first_volume: String,
    instance_id: String,
    device: String,
}

impl Now {
    fn read(row: &Resource<'_>) -> Self {
        Self {
            name: row.name.owned(),
            description: row.description.owned(),
            status: row.status.owned(),
            group_id: row.server_group_id.owned(),
            station: row.priority_station.owned(),
            zones: (
                row.source_availability_zone.owned(),
                row.target_availability_zone.owned(),
            ),
            domain_id: row.domain_id.owned(),
            vpc_id: row.source_vpc_id.owned(),
            dr_type: row.dr_type.owned(),
            source_server: row.source_server.owned(),
            // one text with a comma: production disk, DR disk
            first_volume: row
                .volume_ids
                .as_str()
                .split(',')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            instance_id: row.instance_id().to_owned(),
            device: row.device_name().to_owned(),
        }
    }
}

impl Sdrs {
    /// The calls that repeat the failed operation of the intent's task.
    pub(super) async fn plan_retry(&self, intent: &Intent) -> Result<Plan, Fault> {
        let target = &intent.target;
        let failure = target.native_status.as_str();
        let object = Object::read(&target.object).ok_or_else(|| {
            refused(format!(
                "\"{}\" is no sort of resource that is known",
                target.object
            ))
        })?;
        let id = resource_id(&target.raw)
            .ok_or_else(|| refused("the record does not say which resource failed".to_owned()))?;
        let now = self
            .resource(object, &id, |row, _| Now::read(row))
            .await?
            .ok_or_else(|| {
                refused(format!(
                    "the {} is gone: there is nothing to repeat on",
                    object.name()
                ))
            })?;
        // the list of states that allow the deletion of a pair leaves this one out, that of a detachment holds it
        if object == Object::Pair
            && matches!(failure, "createFail" | "deleteFail")
            && now.status == "error-detaching"
        {
            return Err(refused(format!(
                "pair {} is error-detaching, and a pair is not deleted from there: detach it first",
                now.name
            )));
        }
        let here = [object.path(), id.as_str()];
        let action = |body: Value| Call::post(&["server-groups", &id, "action"], body);
        let name = &now.name;
        let mut plan = Plan {
            resource_id: id.clone(),
            object: Some(object),
            ..Plan::default()
        };
        match (failure, object) {
            ("startFail", _) => {
                expect(&now, "error-starting", &mut plan);
                plan.steps
                    .push(Step::job(action(json!({"start-server-group": {}}))));
                plan.effect = format!("Turns protection of group {name} on again.");
            }
            ("reprotectFail", _) => {
                expect(&now, "error-reprotecting", &mut plan);
                plan.steps
                    .push(Step::job(action(json!({"start-server-group": {}}))));
                plan.effect =
                    format!("Turns protection of group {name} on again after its failover.");
                plan.warnings
                    .push("The servers of the DR site must be stopped first.".to_owned());
            }
            ("stopFail", _) => {
                expect(&now, "error-stopping", &mut plan);
                plan.steps
                    .push(Step::job(action(json!({"stop-server-group": {}}))));
                plan.effect = format!(
                    "Turns protection of group {name} off: from then on nothing is replicated."
                );
                plan.type_name = true;
            }
            ("reverseFail", _) => {
                expect(&now, "error-reversing", &mut plan);
                plan.steps.push(Step::job(action(reverse(&now.station)?)));
                plan.effect = format!("Moves production of group {name} to the other site.");
                plan.warnings
                    .push("Stop every production server of the group first.".to_owned());
                plan.type_name = true;
            }
            ("failoverFail", _) => {
                expect(&now, "error-failing-over", &mut plan);
                plan.steps
                    .push(Step::job(action(json!({"failover-server-group": {}}))));
                plan.effect = format!(
                    "Fails group {name} over: production servers are stopped by force, replication stops."
                );
                plan.warnings.push(
                    "Never repeat a failover before somebody looked at both sites.".to_owned(),
                );
                plan.type_name = true;
            }
            ("createFail", Object::Group) => {
                plan.steps.push(Step::gone(
                    Call::delete(&here),
                    Wait::Gone(object, id.clone()),
                ));
                let mut body = json!({
                    "name": now.name,
                    "source_availability_zone": now.zones.0,
                    "target_availability_zone": now.zones.1,
                    "domain_id": now.domain_id,
                    "source_vpc_id": now.vpc_id,
                });
                put(&mut body, "description", &now.description);
                put(&mut body, "dr_type", &now.dr_type);
                plan.steps.push(Step::job(Call::post(
                    &["server-groups"],
                    json!({"server_group": body}),
                )));
                plan.effect = format!(
                    "Deletes the broken group {name} and creates it again with the same settings."
                );
                plan.warnings.push("The reference does not say that a group in error can be deleted; the service may refuse.".to_owned());
                plan.type_name = true;
            }
            ("createFail", Object::Instance) => {
                plan.steps.push(Step::gone(
                    Call {
                        body: Some(json!({})),
                        ..Call::delete(&here)
                    },
                    Wait::Gone(object, id.clone()),
                ));
                let mut body = json!({
                    "server_group_id": now.group_id,
                    "server_id": now.source_server,
                    "name": now.name,
                });
                put(&mut body, "description", &now.description);
                for key in ["flavorRef", "primary_subnet_id", "primary_ip_address"] {
                    put(&mut body, key, text_input(intent, key));
                }
                plan.steps.push(Step::job(Call::post(
                    &["protected-instances"],
                    json!({"protected_instance": body}),
                )));
                plan.effect = format!(
                    "Deletes the broken instance {name} and creates it again for the same server."
                );
                plan.type_name = true;
            }
            ("createFail", Object::Pair) => {
                plan.steps.push(Step::gone(
                    Call {
                        body: Some(json!({"replication": {}})),
                        ..Call::delete(&here)
                    },
                    Wait::Gone(object, id.clone()),
                ));
                let mut body = json!({
                    "server_group_id": now.group_id,
                    "volume_id": now.first_volume,
                    "name": now.name,
                });
                put(&mut body, "description", &now.description);
                plan.steps.push(Step::job(Call::post(
                    &["replications"],
                    json!({"replication": body}),
                )));
                plan.effect = format!(
                    "Deletes the broken pair {name} and creates it again for the same production disk."
                );
                plan.type_name = true;
            }
            ("createFail", Object::Drill) => {
                plan.steps.push(Step::gone(
                    Call::delete(&here),
                    Wait::Gone(object, id.clone()),
                ));
                let mut body = json!({"server_group_id": now.group_id, "name": now.name});
                put(
                    &mut body,
                    "drill_vpc_id",
                    text_input(intent, "drill_vpc_id"),
                );
                plan.steps.push(Step::job(Call::post(
                    &["disaster-recovery-drills"],
                    json!({"disaster_recovery_drill": body}),
                )));
                plan.effect = format!("Deletes the broken drill {name} and starts it again.");
            }
            ("deleteFail", Object::Instance) => {
                expect(&now, "error-deleting", &mut plan);
                let body = json!({
                    "delete_target_server": wants_yes(intent, "delete_target_server"),
                    "delete_target_eip": wants_yes(intent, "delete_target_eip"),
                });
                plan.steps.push(Step::job(Call {
                    body: Some(body),
                    ..Call::delete(&here)
                }));
                plan.effect = format!(
                    "Deletes protected instance {name}: its server is no longer replicated."
                );
            }
            ("deleteFail", Object::Pair) => {
                expect(&now, "error-deleting", &mut plan);
                let body = json!({"replication": {
                    "delete_target_volume": wants_yes(intent, "delete_target_volume"),
                }});
                plan.steps.push(Step::job(Call {
                    body: Some(body),
                    ..Call::delete(&here)
                }));
                plan.effect =
                    format!("Deletes replication pair {name}: its disk is no longer replicated.");
            }
            ("deleteFail", _) => {
                expect(&now, "error-deleting", &mut plan);
                plan.steps.push(Step::job(Call::delete(&here)));
                plan.effect = format!("Deletes {} {name} again.", object.name());
                plan.type_name = true;
            }
            ("attachFail", _) => {
                let instance = or(
                    text_input(intent, "protected_instance_id"),
                    &now.instance_id,
                );
                let device = or(text_input(intent, "device"), &now.device);
                if instance.is_empty() || device.is_empty() {
                    return Err(refused(
                        "the record no longer says which instance and device the pair was for: give both".to_owned(),
                    ));
                }
                plan.steps.push(Step::gone(
                    Call::delete(&["protected-instances", &instance, "detachreplication", &id]),
                    Wait::Status(object, id.clone(), &["available", "protected"]),
                ));
                plan.steps.push(Step::job(Call::post(
                    &["protected-instances", &instance, "attachreplication"],
                    json!({"replicationAttachment": {"replication_id": id, "device": device}}),
                )));
                plan.effect = format!(
                    "Detaches pair {name} and attaches it again as {device}: attaching is not allowed from the state that the failure left."
                );
            }
            ("detachFail", _) => {
                expect(&now, "error-detaching", &mut plan);
                if now.instance_id.is_empty() {
                    return Err(refused(
                        "the pair no longer says which instance it is attached to".to_owned(),
                    ));
                }
                plan.steps.push(Step::job(Call::delete(&[
                    "protected-instances",
                    &now.instance_id,
                    "detachreplication",
                    &id,
                ])));
                plan.effect = format!("Detaches replication pair {name} again.");
                plan.warnings
                    .push("A pair that holds the system disk needs its server stopped.".to_owned());
            }
            ("expandFail", _) => {
                expect(&now, "error-extending", &mut plan);
                let size: u64 = text_input(intent, "new_size")
                    .parse()
                    .map_err(|_| refused("new_size is the new size in whole GB".to_owned()))?;
                plan.steps.push(Step::job(Call::post(
                    &["replications", &id, "action"],
                    json!({"extend-replication": {"new_size": size}}),
                )));
                plan.effect = format!(
                    "Expands both disks of pair {name} to {size} GB. This can't be undone."
                );
            }
            ("resizeFail", _) => {
                expect(&now, "error-resizing", &mut plan);
                let mut body = json!({});
                put(
                    &mut body,
                    "production_flavorRef",
                    text_input(intent, "production_flavorRef"),
                );
                put(
                    &mut body,
                    "dr_flavorRef",
                    text_input(intent, "dr_flavorRef"),
                );
                if body.as_object().is_some_and(serde_json::Map::is_empty) {
                    return Err(refused(
                        "give at least one flavor: the record does not hold the one asked for"
                            .to_owned(),
                    ));
                }
                plan.steps.push(Step::job(Call::post(
                    &["protected-instances", &id, "resize"],
                    json!({"resize": body}),
                )));
                plan.effect = format!("Changes the specifications of instance {name}.");
                plan.warnings
                    .push("The servers to change must be stopped.".to_owned());
            }
            _ => {
                return Err(refused(format!(
                    "no call is known that repeats \"{failure}\""
                )));
            }
        }
        Ok(plan)
    }
}

/// The other side for a planned failover.
pub(super) fn reverse(station: &str) -> Result<Value, Fault> {
    let other = match station {
        "source" => "target",
        "target" => "source",
        odd => {
            return Err(refused(format!(
                "the group does not say which side is live (priority_station \"{odd}\")"
            )));
        }
    };
    Ok(json!({"reverse-server-group": {"priority_station": other}}))
}

/// Warns when the resource has left the state that the failure put it into.
fn expect(now: &Now, state: &str, plan: &mut Plan) {
    if now.status != state {
        plan.warnings.push(format!(
            "It is {} now, not {state}: somebody may have dealt with it already.",
            now.status
        ));
    }
}

fn put(body: &mut Value, key: &str, value: &str) {
    if !value.is_empty()
        && let Some(map) = body.as_object_mut()
    {
        map.insert(key.to_owned(), Value::from(value));
    }
}

fn or(first: &str, second: &str) -> String {
    if first.is_empty() { second } else { first }.to_owned()
}

fn refused(what: String) -> Fault {
    Fault::new(
        FaultKind::Refused,
        what,
        "",
        "Look at the resource in the service's own console.",
    )
}

/// The resource that a failed task's record names.
fn resource_id(raw: &str) -> Option<String> {
    let record: Value = serde_json::from_str(raw).ok()?;
    let id = record.get("resource_id")?.as_str()?;
    if id.is_empty() {
        None
    } else {
        Some(id.to_owned())
    }
}
