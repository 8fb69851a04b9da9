//! What happens to backups over time: they begin, take their while, and end as the world then allows.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::backups::{Backup, Copy, Failure, NO_POLICY, SavedVolume, Snapshot, Status};
use super::checks;
use super::codes::{self, Refusal};
use super::{Csbs, QUOTA_BACKUPS, QUOTA_CAPACITY, what};
use crate::sim::fleet::Server;
use crate::sim::world::World;

/// Why backups begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// Number of the policy, if one is behind it.
    pub policy: Option<u32>,
    /// Whether its schedule was the cause.
    pub auto: bool,
    /// Whether it may build on an earlier backup.
    pub incremental: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
    /// The request behind it; empty for the world's own doing, which is counted and not noted.
    pub request_id: String,
    /// How long it takes, for a world in a hurry: there a server may have several backups under way.
    pub seconds: Option<f64>,
}

/// How many deletes run at once.
const DELETES_AT_ONCE: usize = 5;

impl Csbs {
    /// Begins a backup of each server, all in one checkpoint; a server that can't be backed up gets one that failed.
    /// Says the number of the first.
    pub(super) fn begin_backups(
        &mut self,
        world: &mut World,
        servers: &[String],
        order: &Order,
    ) -> u64 {
        let first = self.backups.range().end;
        for (offset, id) in servers.iter().enumerate() {
            let allowed = if order.seconds.is_some() {
                checks::protectable(world, id, "OS::Nova::Server")
                    .and_then(|()| checks::room(world, 1))
            } else {
                self.may_begin(world, id)
            };
            let offset = u16::try_from(offset).unwrap_or(u16::MAX);
            let number = self.begin_one(world, id, offset, order, allowed.as_ref().err());
            if order.request_id.is_empty() {
                world.count(if allowed.is_ok() {
                    "csbs.backup.started"
                } else {
                    "csbs.backup.refused"
                });
            } else {
                world.note(json!({
                    "what": if allowed.is_ok() { "csbs.backup.started" } else { "csbs.backup.refused" },
                    "request_id": order.request_id, "item": self.item_id(number), "server": id,
                    "policy": order.policy.map(|policy| self.policy_id(policy)), "auto": order.auto,
                }));
            }
        }
        first
    }

    /// Whether a backup of the server can begin now.
    pub(super) fn may_begin(&self, world: &World, id: &str) -> Result<(), Refusal> {
        let resource_type = world
            .fleet
            .get(id)
            .map_or("", |server| server.resource_type);
        checks::server(world, id)?;
        checks::protectable(world, id, resource_type)?;
        if self.busy.contains_key(id) {
            return Err(codes::SERVER_BUSY.with(&[id]));
        }
        checks::room(world, 1)
    }

    fn begin_one(
        &mut self,
        world: &mut World,
        id: &str,
        offset: u16,
        order: &Order,
        refusal: Option<&Refusal>,
    ) -> u64 {
        let snap = self.snapshot(world, id);
        let full_mb = self.full_mb(snap);
        let incremental = order.incremental && self.has_full.contains(id);
        let size_mb = if incremental {
            full_mb * world.rng.u64(2..9) / 100
        } else {
            full_mb
        };
        let now = world.now().timestamp_micros();
        let seconds = order.seconds.unwrap_or_else(|| {
            let mean = world.switches.number("csbs.backup_seconds");
            let factor = if incremental { 0.6 } else { 1.1 };
            mean * factor * (0.5 + world.rng.f64())
        });
        let mut backup = Backup {
            created: now,
            since: now,
            ends: now.saturating_add(micros(seconds)),
            finished: 0,
            snap,
            policy: order.policy.unwrap_or(NO_POLICY),
            size_mb: u32::try_from(size_mb).unwrap_or(u32::MAX),
            offset,
            status: Status::Protecting,
            copy: Copy::Na,
            auto: order.auto,
            incremental,
            counted: refusal.is_none(),
            extra: None,
        };
        if order.name.is_some() || order.description.is_some() || !order.tags.is_empty() {
            let extra = backup.extra_mut();
            extra.name.clone_from(&order.name);
            extra.description.clone_from(&order.description);
            extra.tags.clone_from(&order.tags);
        }
        if let Some(refusal) = refusal {
            backup.ends = now;
            backup.size_mb = 0;
            fail(&mut backup, "backup", refusal, 0);
            backup.status = Status::Error;
            return self.backups.push(backup);
        }
        world.quotas.take(QUOTA_BACKUPS, 1);
        let due = backup.ends;
        let waits = world.switches.number("csbs.waiting_seconds");
        if waits > 0.0 {
            backup.status = Status::WaitingProtect;
        }
        let number = self.backups.push(backup);
        *self.busy.entry(id.to_owned()).or_default() += 1;
        if waits > 0.0 {
            world.schedule_in(
                self.service,
                TimeDelta::microseconds(micros(waits)),
                what::LEAVE_QUEUE,
                number,
            );
        } else {
            world.schedule(self.service, instant(due), what::END, number);
        }
        number
    }

    /// The snapshot of a server as it is now; a new one only when something changed.
    pub(super) fn snapshot(&mut self, world: &World, id: &str) -> u32 {
        let latest = self.latest_snapshot.get(id).copied();
        let known = latest.and_then(|index| self.backups.snapshots.get(index as usize));
        let snapshot = match (world.fleet.get(id), known) {
            (Some(server), Some(known)) if same(server, known) => return latest.unwrap_or(0),
            (Some(server), _) => take(server),
            (None, Some(_)) => return latest.unwrap_or(0),
            (None, None) => Snapshot {
                server_id: id.to_owned(),
                name: id.to_owned(),
                az: String::new(),
                resource_type: "OS::Nova::Server",
                vcpus: 0,
                ram_mb: 0,
                private_ip: String::new(),
                volumes: Vec::new(),
            },
        };
        let index = u32::try_from(self.backups.snapshots.len()).unwrap_or(u32::MAX);
        self.backups.snapshots.push(snapshot);
        self.latest_snapshot.insert(id.to_owned(), index);
        index
    }

    /// A waiting operation gets its turn.
    pub(super) fn leave_queue(&mut self, world: &mut World, number: u64) {
        let Some(backup) = self.backups.get_mut(number) else {
            return;
        };
        let status = match backup.status {
            Status::WaitingProtect => Status::Protecting,
            Status::WaitingRestore => Status::Restoring,
            Status::WaitingDelete => Status::Deleting,
            _ => return,
        };
        let length = backup.ends.saturating_sub(backup.since);
        backup.since = world.now().timestamp_micros();
        backup.ends = backup.since.saturating_add(length);
        let due = instant(backup.ends);
        self.backups.set_status(number, status);
        world.schedule(self.service, due, what::END, number);
    }

    /// An operation's time is over: it ends as the world now allows.
    pub(super) fn end(&mut self, world: &mut World, number: u64) {
        let Some(backup) = self.backups.get(number) else {
            return;
        };
        if instant(backup.ends) != world.now() {
            // The operation was replaced by another one with its own end.
            return;
        }
        match backup.status {
            Status::Protecting => self.end_backup(world, number),
            Status::Restoring => self.end_restore(world, number),
            Status::Deleting => self.end_delete(world, number),
            _ => {}
        }
    }

    fn end_backup(&mut self, world: &mut World, number: u64) {
        let Some(backup) = self.backups.get(number) else {
            return;
        };
        let (policy, auto) = (backup.policy, backup.auto);
        let size_gb = i64::from(backup.size_mb.div_ceil(1024));
        let server_id = self
            .backups
            .snapshot(backup)
            .map_or_else(String::new, |snapshot| snapshot.server_id.clone());
        let resource_type = world
            .fleet
            .get(&server_id)
            .map_or("OS::Nova::Server", |server| server.resource_type);
        let verdict = checks::backend(world, "backup")
            .and_then(|()| checks::protectable(world, &server_id, resource_type))
            .and_then(|()| {
                if world.quotas.get(QUOTA_CAPACITY).fits(size_gb) {
                    Ok(())
                } else {
                    Err(codes::QUOTA.with(&["backup_capacity"]))
                }
            });
        let percent = world.rng.u8(35..95);
        let now = world.now().timestamp_micros();
        if let Some(backup) = self.backups.get_mut(number) {
            match &verdict {
                Ok(()) => backup.finished = now,
                Err(refusal) => {
                    fail(backup, "backup", refusal, percent);
                    backup.size_mb = 0;
                }
            }
        }
        if let Some(count) = self.busy.get_mut(&server_id) {
            *count -= 1;
            if *count == 0 {
                self.busy.remove(&server_id);
            }
        }
        if verdict.is_ok() {
            world.quotas.take(QUOTA_CAPACITY, size_gb);
            world.count("csbs.backup.done");
            self.has_full.insert(server_id.clone());
            self.backups.set_status(number, Status::Available);
        } else {
            world.count("csbs.backup.failed");
            self.backups.set_status(number, Status::Error);
        }
        if policy != NO_POLICY {
            self.run_lost_one(policy);
            if auto && verdict.is_ok() {
                self.apply_retention(world, policy, &server_id);
            } else {
                self.forget_failed(world, number);
            }
        }
    }

    /// Begins a restore that was checked before.
    pub(super) fn begin_restore(
        &mut self,
        world: &mut World,
        number: u64,
        server_id: &str,
        power_on: bool,
    ) {
        let holder = format!("csbs: restore {}", self.item_id(number));
        if let Some(server) = world.fleet.get_mut(server_id) {
            server.held_by.push(holder);
        }
        let seconds = world.switches.number("csbs.restore_seconds") * (0.5 + world.rng.f64());
        if let Some(backup) = self.backups.get_mut(number) {
            backup.extra_mut().restore = Some((server_id.to_owned(), power_on));
            backup.extra_mut().failure = None;
        }
        self.operate(world, number, Status::Restoring, seconds);
    }

    fn end_restore(&mut self, world: &mut World, number: u64) {
        let item_id = self.item_id(number);
        let Some(backup) = self.backups.get_mut(number) else {
            return;
        };
        let (server_id, power_on) = backup.extra_mut().restore.take().unwrap_or_default();
        let verdict = match world.fleet.get(&server_id) {
            None => Err(codes::NO_SERVER.plain()),
            Some(server) => checks::backend(world, "restore")
                .and_then(|()| checks::target_ready(world, server, &item_id)),
        };
        if let Some(server) = world.fleet.get_mut(&server_id) {
            server.held_by.retain(|holder| !holder.contains(&item_id));
            if verdict.is_ok() {
                server.state = if power_on {
                    crate::sim::fleet::ServerState::Active
                } else {
                    crate::sim::fleet::ServerState::Stopped
                };
            }
        }
        let left_behind = world.switches.get("csbs.failed_restore").to_owned();
        let mut status = Status::Available;
        world.count(if verdict.is_ok() {
            "csbs.restore.done"
        } else {
            "csbs.restore.failed"
        });
        if let Err(refusal) = verdict
            && left_behind != "silent"
        {
            let percent = world.rng.u8(20..90);
            if let Some(backup) = self.backups.get_mut(number) {
                fail(backup, "restore", &refusal, percent);
            }
            if left_behind == "error" {
                status = Status::Error;
            }
        }
        self.backups.set_status(number, status);
    }

    /// Begins to delete; `user` deletes wait for one of five places.
    pub(super) fn begin_delete(&mut self, world: &mut World, number: u64, user: bool) {
        let seconds = world.switches.number("csbs.delete_seconds") * (0.5 + world.rng.f64());
        if user && self.deleting >= DELETES_AT_ONCE {
            self.delete_queue.push_back(number);
            // Documented as a queue; what a queued backup shows is not, so it is the waiting switch's choice.
            let status = if world.switches.number("csbs.waiting_seconds") > 0.0 {
                Status::WaitingDelete
            } else {
                Status::Deleting
            };
            let now = world.now().timestamp_micros();
            if let Some(backup) = self.backups.get_mut(number) {
                backup.since = now;
                // Not due until it leaves the queue.
                backup.ends = i64::MAX;
            }
            self.backups.set_status(number, status);
            return;
        }
        if user {
            self.deleting += 1;
            self.user_deletes.insert(number);
        }
        self.operate(world, number, Status::Deleting, seconds);
    }

    fn end_delete(&mut self, world: &mut World, number: u64) {
        let verdict = checks::backend(world, "delete");
        if let Err(refusal) = &verdict {
            let percent = world.rng.u8(5..60);
            if let Some(backup) = self.backups.get_mut(number) {
                fail(backup, "delete", refusal, percent);
            }
            self.backups.set_status(number, Status::Error);
            world.count("csbs.delete.failed");
        } else {
            if let Some(backup) = self.backups.get(number) {
                if backup.counted {
                    world.quotas.take(QUOTA_BACKUPS, -1);
                }
                world
                    .quotas
                    .take(QUOTA_CAPACITY, -i64::from(backup.size_mb.div_ceil(1024)));
            }
            self.backups.set_status(number, Status::Deleted);
            world.count("csbs.delete.done");
        }
        if self.user_deletes.remove(&number) {
            self.deleting = self.deleting.saturating_sub(1);
            if let Some(next) = self.delete_queue.pop_front() {
                self.begin_delete(world, next, true);
            }
        }
    }

    /// Puts a backup into an operation that ends after `seconds`, perhaps after a wait.
    fn operate(&mut self, world: &mut World, number: u64, status: Status, seconds: f64) {
        let waits = world.switches.number("csbs.waiting_seconds");
        let now = world.now().timestamp_micros();
        let Some(backup) = self.backups.get_mut(number) else {
            return;
        };
        backup.since = now;
        backup.ends = now.saturating_add(micros(seconds));
        let due = instant(backup.ends);
        let waiting = match status {
            Status::Restoring => Status::WaitingRestore,
            _ => Status::WaitingDelete,
        };
        if waits > 0.0 {
            self.backups.set_status(number, waiting);
            let wait = TimeDelta::microseconds(micros(waits));
            world.schedule_in(self.service, wait, what::LEAVE_QUEUE, number);
        } else {
            self.backups.set_status(number, status);
            world.schedule(self.service, due, what::END, number);
        }
    }
}

/// Marks a backup's last operation as failed.
pub(super) fn fail(backup: &mut Backup, op: &'static str, refusal: &Refusal, progress: u8) {
    backup.extra_mut().failure = Some(Failure {
        op,
        code: refusal.code,
        message: refusal.message.clone().into(),
        progress,
    });
}

fn same(server: &Server, known: &Snapshot) -> bool {
    server.name == known.name
        && server.az == known.az
        && server.volumes.len() == known.volumes.len()
        && server
            .volumes
            .iter()
            .zip(&known.volumes)
            .all(|(volume, saved)| volume.id == saved.id && volume.size_gb == saved.size_gb)
}

fn take(server: &Server) -> Snapshot {
    Snapshot {
        server_id: server.id.clone(),
        name: server.name.clone(),
        az: server.az.clone(),
        resource_type: server.resource_type,
        vcpus: server.vcpus,
        ram_mb: server.ram_mb,
        private_ip: server.private_ip.clone(),
        volumes: server.volumes.iter().map(SavedVolume::from).collect(),
    }
}

/// Microseconds, at least one, so that an operation never ends in the instant in which it began.
fn micros(seconds: f64) -> i64 {
    ((seconds * 1e6) as i64).max(1)
}

/// The instant of so many microseconds; what is out of range never comes.
pub(super) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
