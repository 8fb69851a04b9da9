//! What the service begins with: policies over the fleet, and a history of finished backups over the past 30 days.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::backups::{Backup, Copy, NO_POLICY, Status};
use super::codes::{self, Refusal};
use super::policy::{Operation, Policy, Resource};
use super::schedule::Schedule;
use super::{Csbs, QUOTA_BACKUPS, QUOTA_CAPACITY, QUOTA_POLICIES, checks, run};
use crate::sim::ids::mix;
use crate::sim::world::World;

const HISTORY_DAYS: i64 = 30;
/// Servers of one policy; the service allows 64.
const GROUP: usize = 48;

/// How often the servers of a role are backed up; `None` leaves them without a policy.
fn rhythm(role: &str) -> Option<(&'static str, Rhythm)> {
    Some(match role {
        "web" | "app" | "db" | "erp" | "rac" => ("hourly", Rhythm::Hourly),
        "cache" | "queue" => ("six-hourly", Rhythm::Hours(&[0, 6, 12, 18])),
        "mail" | "file" | "auth" | "edge" | "sap" => ("nightly", Rhythm::Hours(&[2])),
        "ci" | "pxe" => ("weekly", Rhythm::Weekly),
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Rhythm {
    Hourly,
    Hours(&'static [u32]),
    Weekly,
}

impl Rhythm {
    fn pattern(self, minute: u32) -> String {
        let list = |hours: &[u32]| {
            let hours: Vec<String> = hours.iter().map(u32::to_string).collect();
            hours.join(",")
        };
        let rule = match self {
            Self::Hourly => format!(
                "FREQ=DAILY;BYHOUR={};BYMINUTE={minute}",
                list(&(0..24).collect::<Vec<_>>())
            ),
            Self::Hours(hours) => format!("FREQ=DAILY;BYHOUR={};BYMINUTE={minute}", list(hours)),
            Self::Weekly => format!("FREQ=WEEKLY;BYDAY=SU;BYHOUR=3;BYMINUTE={minute}"),
        };
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }
}

/// The role in a name such as `ecs-web-01`.
fn role(name: &str) -> &str {
    name.split('-').nth(1).unwrap_or("misc")
}

impl Csbs {
    /// Declares the limits, and furnishes the service when the world is furnished.
    pub(super) fn seed(&mut self, world: &mut World) {
        let tasks = world.options.tasks;
        let backups = i64::try_from(tasks).unwrap_or(0).saturating_mul(2).max(600);
        world.quotas.declare(QUOTA_BACKUPS, backups);
        world.quotas.declare(QUOTA_CAPACITY, -1);
        world.quotas.declare(QUOTA_POLICIES, 32);
        if world.options.furnished {
            self.seed_policies(world);
        }
        self.seed_history(world, tasks);
    }

    fn seed_policies(&mut self, world: &mut World) {
        let mut groups: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
        for server in world.fleet.servers() {
            groups
                .entry(role(&server.name).to_owned())
                .or_default()
                .push(Resource {
                    id: server.id.clone(),
                    resource_type: server.resource_type.to_owned(),
                    name: server.name.clone(),
                    extra_info: json!({}),
                });
        }
        let mut planned: Vec<(String, Rhythm, bool, Vec<Resource>)> = Vec::new();
        for (role, servers) in groups {
            let Some((word, rhythm)) = rhythm(&role) else {
                continue;
            };
            for (index, chunk) in servers.chunks(GROUP).enumerate() {
                let name = match index {
                    0 => format!("{word}-{role}"),
                    more => format!("{word}-{role}-{}", more + 1),
                };
                planned.push((name, rhythm, role != "ci", chunk.to_vec()));
            }
        }
        planned.push(("archive-old".to_owned(), Rhythm::Weekly, false, Vec::new()));
        let limit = i64::try_from(planned.len() + 8).unwrap_or(i64::MAX).max(32);
        world.quotas.set_limit(QUOTA_POLICIES, limit);
        let count = planned.len().max(1);
        for (index, (name, rhythm, enabled, resources)) in planned.into_iter().enumerate() {
            // Spread over the hour, so that there is always a next one soon.
            let minute = u32::try_from(index * 60 / count).unwrap_or(0);
            let age = TimeDelta::days(40 + i64::try_from(index).unwrap_or(0));
            if let Some(policy) =
                policy(world, name, rhythm.pattern(minute), enabled, resources, age)
            {
                self.add_policy(world, policy);
            }
        }
    }

    /// Backups that ended in the past, evenly spread, the oldest first.
    fn seed_history(&mut self, world: &mut World, tasks: usize) {
        let servers: Vec<(String, u32, Option<Refusal>)> = world
            .fleet
            .servers()
            .iter()
            .map(|server| {
                let trouble = checks::protectable(world, &server.id, server.resource_type).err();
                (server.id.clone(), 0, trouble)
            })
            .collect();
        let mut servers = servers;
        for server in &mut servers {
            server.1 = self.snapshot(world, &server.0);
        }
        if servers.is_empty() || tasks == 0 {
            return;
        }
        let bound: BTreeMap<&str, u32> = self
            .policies
            .iter()
            .flat_map(|(number, policy)| {
                policy
                    .resources
                    .iter()
                    .map(|server| (server.id.as_str(), *number))
            })
            .collect();
        let policies: Vec<u32> = servers
            .iter()
            .map(|server| bound.get(server.0.as_str()).copied().unwrap_or(NO_POLICY))
            .collect();
        let sizes: Vec<u64> = servers
            .iter()
            .map(|server| self.full_mb(server.1))
            .collect();
        let now = world.now().timestamp_micros();
        let span = HISTORY_DAYS * 86_400_000_000;
        let step = (span / i64::try_from(tasks).unwrap_or(i64::MAX)).max(1);
        let mut gigabytes = 0;
        for index in 0..tasks {
            let chance = mix(world.rng.u64(..));
            let pick = (chance % servers.len() as u64) as usize;
            let (Some(server), Some(policy), Some(full)) =
                (servers.get(pick), policies.get(pick), sizes.get(pick))
            else {
                continue;
            };
            let created = now - span
                + step * i64::try_from(index).unwrap_or(0)
                + (chance >> 20) as i64 % step;
            let length = 30_000_000 + (chance >> 30) as i64 % 600_000_000;
            let auto = *policy != NO_POLICY && chance >> 10 & 7 != 0;
            let incremental = self.has_full.contains(&server.0);
            let size_mb = if incremental {
                full * (2 + (chance >> 16 & 7)) / 100
            } else {
                *full
            };
            let mut backup = Backup {
                created,
                since: created,
                ends: (created + length).min(now),
                finished: 0,
                snap: server.1,
                policy: if auto { *policy } else { NO_POLICY },
                size_mb: u32::try_from(size_mb).unwrap_or(u32::MAX),
                offset: 0,
                status: Status::Available,
                copy: Copy::Na,
                auto,
                incremental,
                counted: true,
                extra: None,
            };
            match trouble(server, chance, index, tasks) {
                Some(refusal) => {
                    backup.status = Status::Error;
                    backup.size_mb = 0;
                    run::fail(&mut backup, "backup", &refusal, (chance >> 50) as u8 % 90);
                }
                None => {
                    backup.finished = backup.ends;
                    gigabytes += i64::from(backup.size_mb.div_ceil(1024));
                    if !incremental {
                        self.has_full.insert(server.0.clone());
                    }
                    if !auto && chance >> 13 & 15 == 0 && tasks - index < 5000 {
                        let extra = backup.extra_mut();
                        extra.name = Some(format!("before-upgrade-{:03}", chance >> 17 & 511));
                        extra.description = Some("kept by hand before a change".to_owned());
                        extra.tags = vec![("env".to_owned(), "prod".to_owned())];
                    }
                }
            }
            self.backups.push(backup);
        }
        world
            .quotas
            .take(QUOTA_BACKUPS, i64::try_from(tasks).unwrap_or(0));
        world.quotas.take(QUOTA_CAPACITY, gigabytes);
    }

    /// Size of a full backup of a server as it was.
    pub(super) fn full_mb(&self, snap: u32) -> u64 {
        let disks = self.backups.snapshots.get(snap as usize).into_iter();
        disks
            .flat_map(|saved| &saved.volumes)
            .map(|disk| u64::from(disk.size_gb) * 1024 * u64::from(disk.filled) / 100)
            .sum()
    }
}

/// Why a backup of the past failed: what is wrong with its server for good, or what was wrong for a while.
fn trouble(
    server: &(String, u32, Option<Refusal>),
    chance: u64,
    index: usize,
    tasks: usize,
) -> Option<Refusal> {
    if let Some(refusal) = &server.2 {
        return Some(refusal.clone());
    }
    let percent = chance >> 40 & 127;
    // An outage of half a day about a week ago, and a day of a full quota before that.
    let outage = index * 60 / tasks == 46;
    let full = index * 30 / tasks == 15;
    match percent {
        0..=15 if outage => Some(codes::INTERNAL.with(&["backup"])),
        0..=12 if full => Some(codes::QUOTA.with(&["backups"])),
        0 | 1 => Some(codes::SERVER_BUSY.with(&[&server.0])),
        _ => None,
    }
}

fn policy(
    world: &World,
    name: String,
    pattern: String,
    enabled: bool,
    resources: Vec<Resource>,
    age: TimeDelta,
) -> Option<Policy> {
    let created = world.now() - age;
    let mut definition: Map<String, Value> = Map::new();
    definition.insert("max_backups".into(), (-1).into());
    definition.insert("retention_duration_days".into(), HISTORY_DAYS.into());
    definition.insert("permanent".into(), false.into());
    Some(Policy {
        description: format!("{} servers", resources.len()),
        name,
        created,
        parameters: json!({"common": {}}),
        resources,
        tags: vec![("team".to_owned(), "operations".to_owned())],
        operation: Operation {
            name: "schedule".to_owned(),
            description: String::new(),
            enabled,
            definition,
            schedule: Schedule::parse(&pattern).ok()?,
            pattern,
            start_time: created,
        },
        run: None,
        generation: 0,
    })
}
