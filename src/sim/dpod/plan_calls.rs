//! The six calls on plans, the only ones of this interface that a backup console can use.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Dpod;
use super::plan::{Family, Plan};
use crate::sim::http::Response;
use crate::sim::world::World;

impl Dpod {
    /// `GET /op/api/v1/{family}/`: no envelope, four members a plan.
    pub(super) fn list_plans(&self, world: &World, family: Family) -> Response {
        let switches = &world.switches;
        let shown = |plan: &&Plan| {
            plan.family == family && (plan.enabled || switches.on("dpod.disabled_listed"))
        };
        let mut plans: Vec<Value> = self
            .plans
            .iter()
            .filter(shown)
            .map(|plan| plan_json(world, plan))
            .collect();
        if let (true, [first, second, ..]) = (switches.on("dpod.same_uri"), plans.as_mut_slice()) {
            second["URI"] = first["URI"].clone();
        }
        Response::json(200, &json!({"plans": plans}))
    }

    /// `POST /op/api/v1/{family}/{reference}/execute`: SUCCESS means queued, also for a plan that will never run.
    pub(super) fn execute_plan(
        &mut self,
        world: &mut World,
        family: Family,
        reference: &str,
    ) -> Response {
        let found = self
            .plans
            .iter()
            .position(|plan| plan.family == family && plan.reference == reference);
        let mut body;
        let status = match found {
            Some(number) => {
                world.count("dpod.execute");
                self.enqueue(world, number);
                body = json!({
                    "resultCode": "SUCCESS", "resultErrorCode": "SUCCESS", "resultMessage": family.queued(),
                });
                200
            }
            None => {
                body = json!({
                    "resultCode": "ERROR", "resultErrorCode": "PLAN_NOT_FOUND",
                    "resultMessage": family.not_found(reference),
                });
                match world.switches.get("dpod.not_found_status") {
                    "404" => 404,
                    _ => 200,
                }
            }
        };
        if world.switches.on("dpod.extra_fields") {
            body["requestTime"] = world.now().timestamp_millis().into();
        }
        Response::json(status, &body)
    }
}

fn plan_json(world: &World, plan: &Plan) -> Value {
    let reference = match world.switches.get("dpod.uri") {
        "encoded" => utf8_percent_encode(&plan.reference, NON_ALPHANUMERIC).to_string(),
        _ => plan.reference.clone(),
    };
    let mut body = json!({
        "name": plan.name, "description": plan.description,
        "URI": format!("/op/api/v1/{}/{reference}", plan.family.path()), "lastUpdateTime": plan.updated,
    });
    if world.switches.on("dpod.extra_fields") {
        body["owner"] = json!({"name": "admin", "roles": [1, 2]});
        body["locked"] = Value::Null;
    }
    body
}
