//! What only Huawei Cloud offers to look at: what can be protected, how much is stored, vaults of other regions, and
//! when backups expire.

use std::collections::BTreeMap;

use chrono::{Days, FixedOffset, NaiveDate, TimeZone};
use serde_json::{Value, json};

use super::codes::{self, Refusal};
use super::log::{Extra, Kind};
use super::query::{self, Answer, Page, bad};
use super::resource::{self, Share, Sort};
use super::work::{Outcome, Plan};
use super::{Cbr, OTHER_REGION, Remote, checks};
use crate::sim::fleet::{Server, ServerState, Volume};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// A page of protectables holds at most so many.
const MOST_PROTECTABLES: usize = 50;

/// Nova's word for a server's state.
fn server_word(state: ServerState) -> &'static str {
    match state {
        ServerState::Active => "ACTIVE",
        ServerState::Stopped => "SHUTOFF",
        ServerState::Migrating => "MIGRATING",
        ServerState::Error => "ERROR",
        ServerState::Deleted => "DELETED",
    }
}

fn disk_word(volume: &Volume) -> &'static str {
    if volume.broken { "error" } else { "in-use" }
}

impl Cbr {
    /// `GET /protectables/{sort}/instances`.
    pub(super) fn list_protectables(&self, world: &World, request: &Request, sort: &str) -> Answer {
        let sort = protectable_sort(sort)?;
        let Some(sort) = sort else {
            return Ok(Response::json(200, &json!({"instances": []})));
        };
        let page = Page::read(request)?;
        if page.limit > MOST_PROTECTABLES && request.param("limit").is_some() {
            return Err(bad(format!("limit is 1 to {MOST_PROTECTABLES}")));
        }
        let page = Page {
            limit: page.limit.min(MOST_PROTECTABLES),
            ..page
        };
        let param = |key: &str| request.param(key).filter(|text| !text.is_empty());
        let ids: Vec<&str> = match sort {
            Sort::Server => {
                let servers = world.fleet.servers().iter();
                servers
                    .filter(|server| server.state != ServerState::Deleted)
                    .map(|server| server.id.as_str())
                    .collect()
            }
            Sort::Disk => {
                let servers = world.fleet.servers().iter();
                servers
                    .filter(|server| param("server_id").is_none_or(|id| id == server.id))
                    .flat_map(|server| server.volumes.iter())
                    .map(|volume| volume.id.as_str())
                    .collect()
            }
            Sort::Turbo => self.shares.iter().map(|share| share.id.as_str()).collect(),
        };
        let wanted = ids
            .into_iter()
            .filter(|id| param("id").is_none_or(|wanted| wanted == *id))
            .filter(|id| {
                let saved = resource::look(world, &self.shares, sort, id, &[]);
                let named = param("name").is_none_or(|name| {
                    saved
                        .as_ref()
                        .is_some_and(|saved| saved.name.contains(name))
                });
                let of_status = param("status")
                    .is_none_or(|status| self.status_word(world, sort, id) == Some(status));
                named && of_status
            });
        let marker = page.marker.as_deref();
        let (ids, _) = page.cut(wanted, marker.as_ref());
        let rows: Vec<Value> = ids
            .into_iter()
            .filter_map(|id| self.protectable_json(world, sort, id))
            .collect();
        Ok(Response::json(200, &json!({"instances": rows})))
    }

    /// `GET /protectables/{sort}/instances/{id}`.
    pub(super) fn show_protectable(&self, world: &World, sort: &str, id: &str) -> Answer {
        let sort = protectable_sort(sort)?;
        let row = sort.and_then(|sort| self.protectable_json(world, sort, id));
        let unknown = match sort {
            Some(Sort::Server) => codes::NO_SERVER,
            Some(Sort::Disk) => codes::NO_DISK,
            _ => codes::NO_RESOURCE,
        };
        let row = query::known_id(row, id, "instance_id", unknown)?;
        Ok(Response::json(200, &json!({"instance": row})))
    }

    fn status_word<'a>(&'a self, world: &'a World, sort: Sort, id: &str) -> Option<&'a str> {
        match sort {
            Sort::Server => world.fleet.get(id).map(|server| server_word(server.state)),
            Sort::Disk => resource::disk(world, id).map(|(_, disk)| disk_word(disk)),
            Sort::Turbo => self.share(id).map(|share| share.status.as_str()),
        }
    }

    fn share(&self, id: &str) -> Option<&Share> {
        self.shares.iter().find(|share| share.id == id)
    }

    fn protectable_json(&self, world: &World, sort: Sort, id: &str) -> Option<Value> {
        let saved = resource::look(world, &self.shares, sort, id, &[])?;
        let vault = self
            .vaults
            .iter()
            .find(|(_, vault)| vault.bound(id).is_some());
        let verdict = checks::protectable(world, &self.shares, sort, id, &[]).and_then(|()| {
            match vault.and_then(|(_, vault)| vault.bound(id)) {
                Some(bound) if bound.busy() => Err(codes::RESOURCE_STATUS.plain()),
                _ => Ok(()),
            }
        });
        let mut protectable = json!({
            "result": verdict.is_ok(), "code": "", "reason": "",
            "vault": vault.and_then(|(number, _)| self.vault_json(world, *number)),
        });
        if let Err(refusal) = verdict {
            protectable["code"] = refusal.code.code.into();
            protectable["reason"] = refusal.message.as_str().into();
            protectable["message"] = refusal.message.into();
        }
        let (detail, children) = match sort {
            Sort::Server => {
                let server = world.fleet.get(id)?;
                let disks = server.volumes.iter();
                let disks: Vec<Value> = disks.map(|disk| disk_detail(server, disk)).collect();
                (server_detail(world, server), disks)
            }
            Sort::Disk => {
                let (server, volume) = resource::disk(world, id)?;
                (disk_detail(server, volume), Vec::new())
            }
            Sort::Turbo => (self.share(id)?.to_json(), Vec::new()),
        };
        Some(query::dress(
            world,
            json!({
                "id": saved.id, "name": saved.name, "type": sort.resource_type(), "size": saved.size_gb,
                "status": self.status_word(world, sort, id), "children": children, "detail": detail,
                "protectable": protectable,
            }),
        ))
    }

    /// `GET /vaults/summary`: capacity in GB, what is used of it in MB.
    pub(super) fn summary(&self) -> Response {
        let size: u64 = self.vaults.values().map(|vault| vault.size_gb).sum();
        let used: u64 = self.vaults.values().map(|vault| vault.used_mb).sum();
        Response::json(200, &json!({"size": size, "used_size": used}))
    }

    /// `GET /storage_usage`: what the backups of each resource take.
    pub(super) fn storage_usage(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let fits = |key: &str, real: &str| {
            let wanted = request.param(key).filter(|text| !text.is_empty());
            wanted.is_none_or(|wanted| wanted == real)
        };
        let mut usage: BTreeMap<&str, (Sort, &str, u64, u64)> = BTreeMap::new();
        for vault in self.vaults.values() {
            for bound in vault.resources.iter().filter(|bound| bound.backups > 0) {
                let row = usage
                    .entry(&bound.id)
                    .or_insert((vault.sort, &bound.name, 0, 0));
                row.2 += u64::from(bound.backups);
                row.3 += bound.backup_mb;
            }
        }
        let rows: Vec<Value> = usage
            .into_iter()
            .filter(|(id, row)| {
                fits("resource_id", id) && fits("resource_type", row.0.resource_type())
            })
            .map(|(id, (sort, name, count, size))| {
                query::dress(
                    world,
                    json!({
                        "resource_id": id, "resource_name": name, "resource_type": sort.resource_type(),
                        "backup_count": count, "backup_size": size, "backup_size_multiaz": 0,
                    }),
                )
            })
            .collect();
        let (rows, count) = page.cut(rows.into_iter(), None);
        Ok(Response::json(
            200,
            &json!({"resource_count": count, "storage_usage": rows}),
        ))
    }

    /// `GET /vaults/external`: vaults of the other region.
    pub(super) fn list_remotes(&self, world: &World, request: &Request) -> Answer {
        let page = Page::read(request)?;
        let param = |key: &str| request.param(key).filter(|text| !text.is_empty());
        let one = param("vault_id");
        let fits = |remote: &&Remote| match one {
            Some(id) => remote.id == id,
            None => {
                let kind = if remote.replicas {
                    "replication"
                } else {
                    "backup"
                };
                param("region_id").is_none_or(|region| region == OTHER_REGION)
                    && param("external_project_id").is_none_or(|project| project == remote.project)
                    && param("protect_type").is_none_or(|wanted| wanted == kind)
                    && param("objcet_type").is_none_or(|wanted| wanted == "server")
            }
        };
        let rows: Vec<Value> = self
            .remotes
            .iter()
            .filter(fits)
            .map(|remote| remote.to_json(world))
            .collect();
        let (rows, count) = page.cut(rows.into_iter(), None);
        Ok(Response::json(
            200,
            &json!({"vaults": rows, "count": count, "limit": page.limit, "offset": page.offset}),
        ))
    }

    /// `PUT /vaults/{id}/update-backup-expiration-time`.
    pub(super) fn update_expiration(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let vault = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(world, &given, &["expect_expiration_date", "time_zone"], &[])?;
        let day = query::text(&given, "expect_expiration_date")?;
        let date = NaiveDate::parse_from_str(day, "%Y-%m-%d")
            .map_err(|_| bad("expect_expiration_date has the form YYYY-MM-DD"))?;
        let zone = query::optional(&given, "time_zone")?.unwrap_or("UTC+00:00");
        let zone =
            super::policy::zone(zone).ok_or_else(|| bad("time_zone has the form UTC+08:00"))?;
        let expires = end_of(date, zone).ok_or_else(|| bad("that day is out of range"))?;
        if expires <= world.now().timestamp_micros() {
            return Err(bad("expect_expiration_date is over"));
        }
        let changed: Vec<u64> = self
            .backups
            .oldest()
            .filter(|(_, backup)| backup.vault == vault && backup.expires > 0)
            .map(|(number, _)| number)
            .collect();
        for number in &changed {
            let before = self.backups.change(*number, |backup| {
                std::mem::replace(&mut backup.expires, expires)
            });
            self.expiring.remove(&(before.unwrap_or(0), *number));
            self.expiring.insert((expires, *number));
        }
        let mut plan = Plan::new(Kind::UpdateExpiration, vault, 0.0);
        plan.extra = Some(Box::new(Extra {
            total_count: changed.len() as u64,
            expiration_day: day.to_owned(),
            ..Extra::default()
        }));
        let log = self.record(world, plan, Outcome::Success);
        self.note(world, "cbr.update_expiration.started", &request.id, log);
        Ok(Response::json(
            200,
            &json!({
                "affected_backups_count": changed.len(), "new_expiration_day": day,
                "operation_log_id": self.log_id(log),
            }),
        ))
    }
}

/// The end of a day of that zone, in microseconds.
fn end_of(day: NaiveDate, zone: FixedOffset) -> Option<i64> {
    let next = day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?;
    let time = zone.from_local_datetime(&next).single()?;
    Some(time.timestamp_micros())
}

impl Remote {
    fn to_json(&self, world: &World) -> Value {
        let kind = if self.replicas {
            "replication"
        } else {
            "backup"
        };
        query::dress(
            world,
            json!({
                "id": self.id, "name": self.name, "project_id": self.project, "description": null,
                "provider_id": Sort::Server.provider(), "resources": [], "tags": [], "auto_bind": false,
                "bind_rules": {}, "billing": {
                    "status": "available", "size": self.size_gb, "allocated": 0, "used": self.used_mb,
                    "object_type": "server", "protect_type": kind, "charging_mode": "post_paid",
                    "cloud_type": "public", "consistent_level": "crash_consistent",
                    "spec_code": format!("vault.{kind}.server.normal"),
                },
            }),
        )
    }
}

/// The sort of a path; `None` for desktops, which this world has none of.
fn protectable_sort(word: &str) -> Result<Option<Sort>, Refusal> {
    match word {
        "workspace" | "workspace_v2" => Ok(None),
        _ => Sort::of_vault(word)
            .map(Some)
            .ok_or_else(|| codes::RESOURCE_TYPE.plain()),
    }
}

fn server_detail(world: &World, server: &Server) -> Value {
    let volumes = server.volumes.iter();
    json!({
        "id": server.id, "name": server.name, "status": server_word(server.state),
        "tenant_id": world.account.project_id, "OS-EXT-AZ:availability_zone": server.az,
        "flavor": {"vcpus": server.vcpus.to_string(), "ram": server.ram_mb.to_string()},
        "os-extended-volumes:volumes_attached": volumes.map(|disk| json!({"id": disk.id})).collect::<Vec<_>>(),
        "addresses": {"net": [{"addr": server.private_ip, "version": "4"}]},
    })
}

fn disk_detail(server: &Server, volume: &Volume) -> Value {
    json!({
        "id": volume.id, "name": volume.name, "size": volume.size_gb, "status": disk_word(volume),
        "bootable": volume.bootable.to_string(), "multiattach": volume.shared, "encrypted": volume.encrypted,
        "volume_type": volume.volume_type, "availability_zone": server.az,
        "attachments": [{"server_id": server.id, "volume_id": volume.id}],
    })
}
