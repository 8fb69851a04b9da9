//! The side path `/_sim/…` of this service: what no call of the API shows or changes.
//!
//! | call | what |
//! | --- | --- |
//! | GET `/_sim/jobs` | ids of the jobs that run |
//! | GET `/_sim/disks` | free disks |
//! | POST `/_sim/disks` | `{"az","size_gb","name"}` makes a free disk |
//! | POST `/_sim/disks/{id}` | `{"broken","locked"}` of any disk: free, or either of a pair's |
//! | GET, POST `/_sim/instances/{id}` | `{"target_state","frozen"}`: the DR server and the account |
//! | POST `/_sim/pairs/{id}` | `{"in_sync": bool}` ends or starts the copying |
//! | GET, POST `/_sim/site` | `{"link_down": bool}`, `{"broken_storage": [AZ…]}` |

use serde_json::{Value, json};

use super::Sdrs;
use crate::sim::control::{refused, unknown};
use crate::sim::fleet::ServerState;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Sdrs {
    /// Answers a request under `/_sim/`.
    pub fn steer(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        let body = request.json().unwrap_or_default();
        let answer = match (request.method.as_str(), path) {
            ("GET", ["jobs"]) => Ok(self
                .jobs
                .newest()
                .filter(|(_, job)| job.end.is_none())
                .map(|(_, job)| json!({"job_id": job.id, "job_type": job.work.job_type()}))
                .collect()),
            ("GET", ["disks"]) => Ok(self.free_disks()),
            ("POST", ["disks"]) => {
                let az = body.get("az").and_then(Value::as_str).unwrap_or("eu-de-01");
                let name = body.get("name").and_then(Value::as_str).unwrap_or("disk");
                let size = body.get("size_gb").and_then(Value::as_u64).unwrap_or(100);
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                let id = self.site.add_disk(world, az, size, name);
                Ok(json!({"id": id}))
            }
            ("POST", ["disks", id]) => self.set_disk(world, id, &body),
            ("GET" | "POST", ["instances", id]) => self.set_instance(id, &body),
            ("POST", ["pairs", id]) => self.set_pair(world, id, &body),
            ("GET" | "POST", ["site"]) => Ok(self.set_site(&body)),
            _ => return unknown(path),
        };
        match answer {
            Ok(body) => Response::json(200, &body),
            Err(why) => refused(400, why),
        }
    }

    fn free_disks(&self) -> Value {
        self.site
            .disks
            .iter()
            .map(|(id, disk)| {
                json!({
                    "id": id, "az": disk.az, "name": disk.volume.name, "size_gb": disk.volume.size_gb,
                    "broken": disk.volume.broken, "locked": disk.volume.locked,
                    "in_pair": self.used_disks.contains(id),
                })
            })
            .collect()
    }

    fn set_disk(&mut self, world: &mut World, id: &str, body: &Value) -> Result<Value, String> {
        let wanted = |name: &str| body.get(name).and_then(Value::as_bool);
        let pair = self.pairs.newest().find_map(|(key, pair)| {
            (pair.source_disk == id || pair.target_disk == id).then_some(key)
        });
        let mut fields = None;
        if let Some(disk) = self.site.disks.get_mut(id) {
            fields = Some((&mut disk.volume.broken, &mut disk.volume.locked));
        } else if let Some(pair) = pair.and_then(|key| self.pairs.get_mut(key)) {
            if pair.target_disk == id {
                fields = Some((&mut pair.target_broken, &mut pair.target_locked));
            } else if let Some(server) = pair
                .instance
                .and_then(|key| self.instances.get(key))
                .and_then(|it| world.fleet.get_mut(&it.source_server))
            {
                let mut volumes = server.volumes.iter_mut();
                fields = volumes
                    .find(|volume| volume.id == id)
                    .map(|volume| (&mut volume.broken, &mut volume.locked));
            }
        }
        let (broken, locked) = fields.ok_or_else(|| format!("there is no disk {id:?}"))?;
        *broken = wanted("broken").unwrap_or(*broken);
        *locked = wanted("locked").unwrap_or(*locked);
        Ok(json!({"id": id, "broken": *broken, "locked": *locked}))
    }

    fn set_instance(&mut self, id: &str, body: &Value) -> Result<Value, String> {
        let instance = self
            .instances
            .find(id)
            .and_then(|key| self.instances.get_mut(key))
            .ok_or_else(|| format!("there is no instance {id:?}"))?;
        if let Some(word) = body.get("target_state").and_then(Value::as_str) {
            instance.target_state =
                ServerState::from_word(word).ok_or("target_state is no state of a server")?;
        }
        if let Some(frozen) = body.get("frozen").and_then(Value::as_bool) {
            instance.frozen = frozen;
        }
        Ok(json!({
            "id": instance.id, "target_state": instance.target_state.word(), "frozen": instance.frozen,
            "flavors": instance.flavors, "primary_nic": instance.primary_nic,
            "nics": instance.nics.iter().map(|nic| json!({"id": nic.id, "ip": nic.ip})).collect::<Vec<_>>(),
        }))
    }

    fn set_pair(&mut self, world: &World, id: &str, body: &Value) -> Result<Value, String> {
        let now = world.now();
        let pair = self
            .pairs
            .find(id)
            .and_then(|key| self.pairs.get_mut(key))
            .ok_or_else(|| format!("there is no pair {id:?}"))?;
        match body.get("in_sync").and_then(Value::as_bool) {
            Some(true) => pair.copying = Some((now, now)),
            Some(false) => pair.synchronize(now),
            None => {}
        }
        Ok(json!({"id": pair.id, "synced": pair.synced(now)}))
    }

    fn set_site(&mut self, body: &Value) -> Value {
        if let Some(down) = body.get("link_down").and_then(Value::as_bool) {
            self.site.link_down = down;
        }
        if let Some(zones) = body.get("broken_storage").and_then(Value::as_array) {
            self.site.broken_storage = zones
                .iter()
                .filter_map(|zone| zone.as_str().map(str::to_owned))
                .collect();
        }
        json!({
            "link_down": self.site.link_down, "broken_storage": self.site.broken_storage,
            "vpc": self.site.vpc, "edge_vpc": self.site.edge_vpc, "drill_vpcs": self.site.drill_vpcs,
        })
    }
}
