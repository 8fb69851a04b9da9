//! The part of `/_sim/` that only this service has:
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/dbs` | how many plans and jobs there are, and the sources and gateways |
//! | GET `/_sim/dbs/plans/{id}` | `{"next","fires"}`: when it fires next, and whether it does |
//! | POST `/_sim/dbs/sources/{name}` | any of `{"down","denied","binlog": bool}` |
//! | POST `/_sim/dbs/gateways/{identifier}` | `{"state": word}`; `null` lets its server decide again |
//! | POST `/_sim/dbs/jobs/{id}` | `{"status": word}` shows that word instead of the real one; `null` ends it |

use serde_json::{Value, json};

use super::Dbs;
use super::plan::PlanStatus;
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Dbs {
    pub(super) fn control_call(
        &mut self,
        world: &mut World,
        path: &[&str],
        request: &Request,
    ) -> Response {
        let body = request.json().unwrap_or_default();
        match (request.method.as_str(), path) {
            ("GET", ["dbs"]) => Response::json(200, &self.overview(world)),
            ("GET", ["dbs", "plans", id]) => {
                let Some(plan) = self
                    .plan_number(id)
                    .and_then(|number| self.plans.get(number))
                else {
                    return refused(400, "there is no such plan");
                };
                let fires = plan.status == PlanStatus::Running && !plan.needs_check;
                Response::json(
                    200,
                    &json!({"next": plan.rhythm.next(world.now()), "fires": fires}),
                )
            }
            ("POST", ["dbs", "sources", name]) => {
                let Some(source) = self
                    .sources
                    .all
                    .iter_mut()
                    .find(|source| source.name == *name)
                else {
                    return refused(400, "there is no such source");
                };
                for (key, field) in [
                    ("down", &mut source.down),
                    ("denied", &mut source.denied),
                    ("binlog", &mut source.binlog),
                ] {
                    if let Some(value) = body.get(key).and_then(Value::as_bool) {
                        *field = value;
                    }
                }
                Response::json(
                    200,
                    &json!({"name": source.name, "instance": source.instance}),
                )
            }
            ("POST", ["dbs", "gateways", id]) => {
                let now = world.now();
                let Some(gateway) = self
                    .sources
                    .gateways
                    .iter_mut()
                    .find(|gateway| gateway.identifier == *id)
                else {
                    return refused(400, "there is no such gateway");
                };
                gateway.set = body.get("state").and_then(Value::as_str).map(str::to_owned);
                gateway.last = gateway.set.as_ref().map(|_| now);
                Response::json(200, &json!({}))
            }
            ("POST", ["dbs", "jobs", id]) => {
                let word = body.get("status").and_then(Value::as_str).map(Box::from);
                if let Some(set) = self.set_number(id).and_then(|number| self.set_mut(number)) {
                    set.odd = word;
                } else if let Some(restore) = self
                    .restore_number(id)
                    .and_then(|number| self.restores.get_mut(number))
                {
                    restore.odd = word;
                } else {
                    return refused(400, "there is no such job");
                }
                Response::json(200, &json!({}))
            }
            _ => unknown(path),
        }
    }

    fn overview(&self, world: &World) -> Value {
        let sources: Vec<Value> = self
            .sources
            .all
            .iter()
            .map(|source| {
                json!({
                    "name": source.name, "kind": source.kind, "instance": source.instance, "host": source.host,
                    "port": source.port, "type": source.db_type, "region": source.region, "server": source.server,
                })
            })
            .collect();
        let gateways: Vec<Value> = self
            .sources
            .gateways
            .iter()
            .map(|gateway| {
                json!({
                    "id": gateway.id, "identifier": gateway.identifier, "region": gateway.region,
                    "state": self.sources.gateway_state(world, gateway),
                })
            })
            .collect();
        json!({
            "plans": self.plans.iter().filter(|plan| !plan.released).count(), "full": self.sets.len(),
            "running": self.sets.iter().rev().filter(|set| set.status.under_way()).count(),
            "increments": self.plans.iter().map(|plan| plan.increments.len()).sum::<usize>(),
            "restores": self.restores.len(), "downloads": self.downloads.len(),
            "sources": sources, "gateways": gateways,
        })
    }
}
