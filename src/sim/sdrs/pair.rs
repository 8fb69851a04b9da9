//! Replication pairs: a production disk and its copy at the DR site.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Sdrs;
use super::group::Station;
use super::status::{self, FAILED_OVER, FAULT, INVALID, PROTECTED, Status};
use super::time::{blank, micros};
use crate::sim::table::Row;
use crate::sim::world::World;

/// A replication pair.
#[derive(Debug)]
pub struct Pair {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// The user's words about it.
    pub description: Option<String>,
    /// Its group.
    pub group: u64,
    /// What the last operation left; see [`Sdrs::pair_status`] for what is shown.
    pub status: Status,
    /// The live site.
    pub station: Station,
    /// The instance that it is attached to.
    pub instance: Option<u64>,
    /// The production disk: one of the world's.
    pub source_disk: String,
    /// The DR disk: this service's own.
    pub target_disk: String,
    /// Whether the DR disk is in error.
    pub target_broken: bool,
    /// Whether the DR disk is locked.
    pub target_locked: bool,
    /// Size of both in GB.
    pub size_gb: u32,
    /// `SATA`, `SAS`, `SSD` …
    pub volume_type: &'static str,
    /// Whether it holds the system.
    pub bootable: bool,
    /// From when to when the data is brought in sync; the copying is done once the end is past.
    pub copying: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The code of what made it an error.
    pub failure_detail: Option<&'static str>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// The job that moves it now.
    pub job: Option<u64>,
}

impl Row for Pair {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Pair {
    /// How much of the data is in sync, in per cent.
    #[must_use]
    pub fn synced(&self, now: DateTime<Utc>) -> i64 {
        let Some((since, until)) = self.copying else {
            return 0;
        };
        let total = (until - since).num_milliseconds().max(1);
        ((now - since).num_milliseconds() * 100 / total).clamp(0, 100)
    }

    /// Whether data is being copied at this moment.
    #[must_use]
    pub fn synchronizing(&self, now: DateTime<Utc>) -> bool {
        self.copying.is_some_and(|(_, until)| now < until)
    }

    /// Starts to bring the data in sync: a while that grows with the size.
    pub fn synchronize(&mut self, now: DateTime<Utc>) {
        let seconds = i64::from((self.size_gb / 2).clamp(20, 600));
        self.copying = Some((now, now + chrono::TimeDelta::seconds(seconds)));
    }
}

/// How a pair's two disks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disks {
    /// One is gone.
    pub missing: bool,
    /// The production disk is in error.
    pub source_broken: bool,
    /// The DR disk is in error.
    pub target_broken: bool,
    /// One is locked by another operation.
    pub locked: bool,
}

impl Disks {
    /// Whether either is in error.
    #[must_use]
    pub fn broken(self) -> bool {
        self.source_broken || self.target_broken
    }
}

impl Sdrs {
    /// How a pair's disks are in the world.
    #[must_use]
    pub fn disks(&self, world: &World, pair: &Pair) -> Disks {
        let mut disks = Disks {
            target_broken: pair.target_broken,
            locked: pair.target_locked,
            ..Disks::default()
        };
        let server = pair
            .instance
            .and_then(|key| self.instances.get(key))
            .and_then(|instance| world.fleet.get(&instance.source_server));
        match server {
            Some(server) => {
                let volume = server
                    .volumes
                    .iter()
                    .find(|volume| volume.id == pair.source_disk);
                disks.missing = volume.is_none();
                disks.source_broken = volume.is_some_and(|volume| volume.broken);
                disks.locked |= volume.is_some_and(|volume| volume.locked)
                    || server.held_by.iter().any(|who| !who.starts_with("sdrs"));
            }
            None => match self.site.disks.get(&pair.source_disk) {
                Some(disk) => {
                    disks.source_broken = disk.volume.broken;
                    disks.locked |= disk.volume.locked;
                }
                None => disks.missing = pair.instance.is_none(),
            },
        }
        disks
    }

    /// The status as shown: a deleted disk makes it invalid, one out of order faulty.
    #[must_use]
    pub fn pair_status(&self, world: &World, pair: &Pair) -> Status {
        let settled = !status::moving(pair.status) && !pair.status.starts_with("error");
        if settled && self.disks(world, pair).missing {
            return INVALID;
        }
        if pair.status == PROTECTED && self.fault_level(world, pair) != 0 {
            return FAULT;
        }
        pair.status
    }

    /// 0 when all is well, 2 when the production disk can't be read or written, 5 when the sites' link is down.
    #[must_use]
    pub fn fault_level(&self, world: &World, pair: &Pair) -> u8 {
        if self.site.link_down {
            return 5;
        }
        let disks = self.disks(world, pair);
        let broken = match pair.station {
            Station::Source => disks.source_broken,
            Station::Target => disks.target_broken,
        };
        if broken { 2 } else { 0 }
    }

    /// A pair as the service shows it.
    #[must_use]
    pub fn pair_json(&self, world: &World, pair: &Pair) -> Value {
        let attachment: Vec<Value> = pair
            .instance
            .and_then(|key| {
                let instance = self.instances.get(key)?;
                let device = instance
                    .attachment
                    .iter()
                    .find(|(other, _)| self.pairs.get(*other).is_some_and(|p| p.id == pair.id))
                    .map(|(_, device)| device.as_str());
                Some(json!({"device": device, "protected_instance": instance.id}))
            })
            .into_iter()
            .collect();
        let status = self.pair_status(world, pair);
        let level = self.fault_level(world, pair);
        let time = |time| match world.switches.get("sdrs.pair_time") {
            "blank" => blank(time),
            _ => micros(time),
        };
        let mut body = json!({
            "id": pair.id,
            "name": pair.name,
            "description": pair.description,
            "replication_model": "hypermetro",
            "status": status,
            "progress": self.pair_progress(world, pair),
            "replication_status": match pair.status {
                PROTECTED if pair.synchronizing(world.now()) => "copying",
                PROTECTED if level == 0 => "active",
                FAILED_OVER => "active-stopped",
                _ => "inactive",
            },
            "attachment": attachment,
            "server_group_id": self.groups.get(pair.group).map(|group| &group.id),
            "volume_ids": format!("{},{}", pair.source_disk, pair.target_disk),
            "priority_station": pair.station.word(),
            "fault_level": match world.switches.get("sdrs.fault_level") {
                "number" => json!(level),
                _ => json!(level.to_string()),
            },
            "created_at": time(pair.created),
            "updated_at": time(pair.updated),
            "record_metadata": {
                "multiattach": false, "bootable": pair.bootable,
                "volume_size": pair.size_gb, "volume_type": pair.volume_type,
            },
        });
        if let (status::ERROR, Some(code)) = (status, pair.failure_detail) {
            body["failure_detail"] = code.into();
        }
        body
    }

    fn pair_progress(&self, world: &World, pair: &Pair) -> i64 {
        let group = self.groups.get(pair.group);
        self.job_progress(world, pair.job)
            .or_else(|| self.job_progress(world, group.and_then(|group| group.job)))
            .unwrap_or_else(|| match pair.status {
                PROTECTED => pair.synced(world.now()),
                _ => 0,
            })
    }
}
