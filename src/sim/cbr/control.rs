//! The part of `/_sim/` that only this service has:
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/cbr` | how many tasks and backups in which status, vaults, policies, whether the link is down |
//! | POST `/_sim/cbr` | `{"link_down": bool}`: the other region can't be reached |
//! | POST `/_sim/cbr/backups/{id}` | `{"image": bool}` registers or removes an image; `{"status": word}` shows that word instead of the real status (`null` ends it) |
//! | POST `/_sim/cbr/vaults/{id}` | `{"status": word}`; `{"used_mb": n}` |
//! | GET `/_sim/cbr/policies/{id}` | `{"next"}`: when it will run next |
//! | GET `/_sim/cbr/shares` | the SFS Turbo file systems |
//! | POST `/_sim/cbr/shares/{id or name}` | `{"status": word}` |
//! | GET, POST `/_sim/cbr/remotes` | vaults of the other region; `{"id", "used_mb"}` changes one |

use serde_json::{Map, Value, json};

use super::backup::Status;
use super::log::Status as LogStatus;
use super::vault::State;
use super::{Cbr, OTHER_REGION, tag};
use crate::sim::control::{refused, unknown};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Cbr {
    pub(super) fn control_call(
        &mut self,
        world: &mut World,
        path: &[&str],
        request: &Request,
    ) -> Response {
        let body = request.json().unwrap_or_default();
        let answer = match (request.method.as_str(), path) {
            ("GET" | "POST", ["cbr"]) => {
                if let Some(down) = body.get("link_down").and_then(Value::as_bool) {
                    self.link_down = down;
                }
                Ok(self.state())
            }
            ("POST", ["cbr", "backups", id]) => self.set_backup(id, &body),
            ("POST", ["cbr", "vaults", id]) => self.set_vault(id, &body),
            ("GET", ["cbr", "policies", id]) => self.next_run(world, id),
            ("GET", ["cbr", "shares"]) => {
                Ok(self.shares.iter().map(|share| share.to_json()).collect())
            }
            ("POST", ["cbr", "shares", id]) => self.set_share(id, &body),
            ("GET", ["cbr", "remotes"]) => Ok(self.remotes_json()),
            ("POST", ["cbr", "remotes"]) => self.set_remote(&body),
            _ => return unknown(path),
        };
        match answer {
            Ok(body) => Response::json(200, &body),
            Err(why) => refused(400, why),
        }
    }

    fn state(&self) -> Value {
        let mut backups = Map::new();
        let mut odd = 0;
        for status in Status::ALL {
            if let Some(slot) = status.slot() {
                odd += self.backups.count(slot);
                backups.insert(status.word().to_owned(), self.backups.count(slot).into());
            }
        }
        backups.insert("available".into(), (self.backups.live() - odd).into());
        let mut logs = Map::new();
        for status in LogStatus::ALL {
            if let Some(slot) = status.slot() {
                logs.insert(status.word().to_owned(), self.logs.count(slot).into());
            }
        }
        logs.insert("all".into(), self.logs.live().into());
        json!({
            "backups": backups, "operation_logs": logs, "vaults": self.vaults.len(),
            "policies": self.policies.len(), "checkpoints": self.checkpoints.live(), "link_down": self.link_down,
        })
    }

    fn set_backup(&mut self, id: &str, body: &Value) -> Result<Value, String> {
        let number = self.backup_number(id).ok_or("there is no such backup")?;
        let image = self.ids.uuid(tag::IMAGE, number);
        self.backups.change(number, |backup| {
            if let Some(registered) = body.get("image").and_then(Value::as_bool) {
                backup.extra_mut().image = registered.then_some(image);
            }
            if let Some(word) = body.get("status") {
                backup.extra_mut().odd_status = word.as_str().map(str::to_owned);
            }
        });
        Ok(json!({}))
    }

    fn set_vault(&mut self, id: &str, body: &Value) -> Result<Value, String> {
        let number = self.vault_number(id).ok_or("there is no such vault")?;
        let vault = self
            .vaults
            .get_mut(&number)
            .ok_or("there is no such vault")?;
        if let Some(word) = body.get("status").and_then(Value::as_str) {
            vault.state = State::from_word(word).ok_or("status is no state of a vault")?;
        }
        if let Some(used) = body.get("used_mb").and_then(Value::as_u64) {
            vault.used_mb = used;
        }
        Ok(json!({"status": vault.state.word(), "used_mb": vault.used_mb}))
    }

    fn next_run(&self, world: &World, id: &str) -> Result<Value, String> {
        let policy = self
            .policy_number(id)
            .and_then(|number| self.policies.get(&number))
            .ok_or("there is no such policy")?;
        let next = policy
            .enabled
            .then(|| policy.schedule.next(world.now(), policy.first_day()));
        Ok(json!({"next": next.flatten()}))
    }

    fn set_share(&mut self, id: &str, body: &Value) -> Result<Value, String> {
        let share = self
            .shares
            .iter_mut()
            .find(|share| share.id == id || share.name == id)
            .ok_or("there is no such file system")?;
        if let Some(word) = body.get("status").and_then(Value::as_str) {
            word.clone_into(&mut share.status);
        }
        Ok(share.to_json())
    }

    fn remotes_json(&self) -> Value {
        self.remotes
            .iter()
            .map(|remote| {
                json!({
                    "id": remote.id, "name": remote.name, "project_id": remote.project, "region": OTHER_REGION,
                    "size_gb": remote.size_gb, "used_mb": remote.used_mb, "replicas": remote.replicas,
                })
            })
            .collect()
    }

    fn set_remote(&mut self, body: &Value) -> Result<Value, String> {
        let id = body
            .get("id")
            .and_then(Value::as_str)
            .ok_or("id is missing")?;
        let remote = self
            .remotes
            .iter_mut()
            .find(|remote| remote.id == id)
            .ok_or("there is no such vault")?;
        if let Some(used) = body.get("used_mb").and_then(Value::as_u64) {
            remote.used_mb = used;
        }
        Ok(self.remotes_json())
    }
}
