//! The side path `/_sim/…` of this service.
//!
//! | call | what |
//! | --- | --- |
//! | GET, POST `/_sim/cloud` | any of `{"bank", "cinder", "protection", "engine"}`, each true or false: whether the bank and the disk service can be reached, whether the protection service and the operation engine run |
//! | POST `/_sim/instances/{id}/gone` | a server or disk is deleted behind the service's back |
//!
//! Why something failed stands in the journal (`karbor.log`, `karbor.schedule.failed`), where a real one keeps it in the
//! log files of its processes.

use serde_json::{Value, json};

use super::Karbor;
use crate::sim::control::{refused, unknown};
use crate::sim::fleet::ServerState;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Karbor {
    /// Answers a request under `/_sim/`.
    pub(super) fn steer(
        &mut self,
        world: &mut World,
        path: &[&str],
        request: &Request,
    ) -> Response {
        match path {
            ["cloud"] => {
                let body = request.json().unwrap_or_default();
                let flag = |name: &str| body.get(name).and_then(Value::as_bool);
                self.bank_up = flag("bank").unwrap_or(self.bank_up);
                self.cinder_up = flag("cinder").unwrap_or(self.cinder_up);
                if let Some(up) = flag("protection") {
                    self.protection.turn(world, up);
                }
                if let Some(up) = flag("engine") {
                    let back = up && !self.engine.up;
                    self.engine.turn(world, up);
                    if back {
                        self.catch_up(world);
                    }
                }
                let body = json!({
                    "bank": self.bank_up, "cinder": self.cinder_up, "protection": self.protection.up,
                    "engine": self.engine.up,
                });
                Response::json(200, &body)
            }
            ["instances", id, "gone"] => {
                let server = world.fleet.get_mut(id);
                let found = server
                    .map(|server| server.state = ServerState::Deleted)
                    .is_some();
                if found {
                    return Response::json(200, &json!({}));
                }
                let owner = Self::disk(world, id).map(|(server, _)| server.id.clone());
                let Some(server) = owner.and_then(|owner| world.fleet.get_mut(&owner)) else {
                    return refused(400, format!("there is no server or disk {id:?}"));
                };
                server.volumes.retain(|volume| volume.id != *id);
                Response::json(200, &json!({}))
            }
            path => unknown(path),
        }
    }
}
