//! The part of `/_sim/` that only this service has:
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/csbs` | how many backups in which status, policies, servers being backed up |
//! | POST `/_sim/csbs/items/{id}` | `{"image": bool}` registers or removes an image; `{"status": word}` shows that word instead of the real status (`null` ends it) |
//! | GET `/_sim/csbs/policies/{id}` | `{"next","running"}`: when it will run next, and whether it runs |

use serde_json::{Value, json};

use super::Csbs;
use super::backups::Status;
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Csbs {
    pub(super) fn control_call(
        &mut self,
        world: &mut World,
        path: &[&str],
        request: &Request,
    ) -> Response {
        match (request.method.as_str(), path) {
            ("GET", ["csbs"]) => {
                let mut statuses = serde_json::Map::new();
                for status in Status::ALL {
                    let count = self.backups.count(status);
                    if count > 0 {
                        statuses.insert(status.word().to_owned(), count.into());
                    }
                }
                let others: usize = statuses
                    .values()
                    .filter_map(Value::as_u64)
                    .map(|n| n as usize)
                    .sum();
                statuses.insert("available".into(), (self.backups.live() - others).into());
                Response::json(
                    200,
                    &json!({
                        "backups": self.backups.live(), "statuses": statuses, "policies": self.policies.len(),
                        "busy_servers": self.busy.len(),
                    }),
                )
            }
            ("POST", ["csbs", "items", id]) => self.change_item(world, id, request),
            ("GET", ["csbs", "policies", id]) => {
                let Some(policy) = self
                    .policy_number(id)
                    .and_then(|number| self.policies.get(&number))
                else {
                    return refused(400, "there is no such policy");
                };
                let operation = &policy.operation;
                let next = operation
                    .enabled
                    .then(|| operation.schedule.next(world.now(), operation.first_day()));
                Response::json(
                    200,
                    &json!({"next": next.flatten(), "running": policy.run.is_some()}),
                )
            }
            _ => unknown(path),
        }
    }

    fn change_item(&mut self, world: &mut World, id: &str, request: &Request) -> Response {
        let body = request.json().unwrap_or_default();
        let image = world.uuid();
        let number = self.item_number(id);
        let Some(backup) = number.and_then(|number| self.backups.get_mut(number)) else {
            return refused(400, "there is no such backup");
        };
        if let Some(registered) = body.get("image").and_then(Value::as_bool) {
            backup.extra_mut().image = registered.then_some(image);
        }
        if let Some(word) = body.get("status") {
            backup.extra_mut().odd_status = word.as_str().map(str::to_owned);
        }
        Response::json(200, &json!({}))
    }
}
