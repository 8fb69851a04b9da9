//! What the service begins with: file systems and vaults abroad always; in a furnished world an estate of vaults and
//! policies over the fleet, and a past.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::policy::Policy;
use super::resource::{Share, Sort};
use super::schedule::Schedule;
use super::vault::{Applied, Bound, Vault};
use super::{Cbr, OTHER_REGION, QUOTA_POLICIES, QUOTA_SNAPSHOTS, QUOTA_VAULTS, Remote};
use crate::sim::world::World;

/// Servers of one vault; the service allows 256.
const GROUP: usize = 48;

/// Policies of the estate: name, whether it is on, rule, and what it keeps.
const POLICIES: &[(&str, bool, &str, Keep)] = &[
    (
        "hourly-front",
        true,
        "FREQ=DAILY;BYHOUR=*;BYMINUTE=5",
        Keep::Days(30),
    ),
    (
        "hourly-data",
        true,
        "FREQ=DAILY;BYHOUR=*;BYMINUTE=35",
        Keep::Days(30),
    ),
    (
        "six-hourly",
        true,
        "FREQ=DAILY;BYHOUR=1,7,13,19;BYMINUTE=20",
        Keep::Days(30),
    ),
    (
        "nightly",
        true,
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=10",
        Keep::Days(90),
    ),
    (
        "nightly-few",
        true,
        "FREQ=DAILY;INTERVAL=1;BYHOUR=3;BYMINUTE=0",
        Keep::Newest(14),
    ),
    (
        "weekly",
        false,
        "FREQ=WEEKLY;BYDAY=SU;BYHOUR=4;BYMINUTE=0",
        Keep::LongTerm,
    ),
    (
        "archive-old",
        false,
        "FREQ=WEEKLY;BYDAY=SA;BYHOUR=5;BYMINUTE=0",
        Keep::Forever,
    ),
];
/// The policy that replicates, and its rule.
const ABROAD: (&str, &str) = ("nightly-abroad", "FREQ=DAILY;BYHOUR=22;BYMINUTE=15");

#[derive(Debug, Clone, Copy)]
enum Keep {
    Days(i64),
    Newest(i64),
    LongTerm,
    Forever,
}

impl Keep {
    fn definition(self) -> Value {
        match self {
            Self::Days(days) => json!({
                "retention_duration_days": days, "max_backups": -1, "day_backups": 0, "week_backups": 0,
                "month_backups": 0, "year_backups": 0, "timezone": "UTC+01:00",
            }),
            Self::Newest(most) => json!({
                "retention_duration_days": -1, "max_backups": most, "day_backups": 0, "week_backups": 0,
                "month_backups": 0, "year_backups": 0, "timezone": "UTC+01:00",
            }),
            Self::LongTerm => json!({
                "retention_duration_days": -1, "max_backups": 4, "day_backups": 0, "week_backups": 4,
                "month_backups": 12, "year_backups": 2, "timezone": "UTC+01:00",
            }),
            Self::Forever => json!({"retention_duration_days": -1, "max_backups": -1}),
        }
    }
}

/// The vault that is full since a few days.
pub(super) const FULL: &str = "vault-file";

/// The policy of the servers of a role; `None` leaves them without a vault.
fn policy_of(role: &str) -> Option<&'static str> {
    Some(match role {
        "web" | "app" => "hourly-front",
        "db" | "erp" => "hourly-data",
        "cache" | "queue" | "rac" => "six-hourly",
        "file" | "auth" | "edge" | "sap" => "nightly",
        "mail" => "nightly-few",
        "ci" | "pxe" => "weekly",
        _ => return None,
    })
}

/// The role in a name such as `ecs-web-01`.
fn role(name: &str) -> &str {
    name.split('-').nth(1).unwrap_or("misc")
}

impl Cbr {
    /// Declares the limits, and furnishes the service when the world is furnished.
    pub(super) fn seed(&mut self, world: &mut World) {
        for quota in QUOTA_POLICIES {
            world.quotas.declare(quota, 32);
        }
        world.quotas.declare(QUOTA_VAULTS, -1);
        world.quotas.declare(QUOTA_SNAPSHOTS, -1);
        self.seed_surroundings(world);
        if !world.options.furnished {
            return;
        }
        let policies = self.seed_policies(world);
        self.seed_vaults(world, &policies);
        self.seed_history(world);
        self.fit_sizes();
    }

    fn seed_surroundings(&mut self, world: &mut World) {
        let count = (world.options.devices / 16).clamp(2, 40);
        for index in 0..count {
            let kind = ["home", "media", "build", "reports"]
                .get(index % 4)
                .copied();
            let share = Share {
                id: world.uuid(),
                name: format!("sfs-{}-{:02}", kind.unwrap_or("home"), index / 4 + 1),
                az: "eu-de-01".to_owned(),
                size_gb: 500 * (1 + world.rng.u32(0..4)),
                filled: world.rng.u32(10..80),
                status: "available".to_owned(),
            };
            self.shares.push(share);
        }
        let project = world.hex32();
        for (name, replicas) in [("replicas-eu-nl", true), ("vault-eu-nl", false)] {
            self.remotes.push(Remote {
                id: world.uuid(),
                name: name.to_owned(),
                project: project.clone(),
                size_gb: 20_000,
                used_mb: 0,
                replicas,
            });
        }
    }

    fn seed_policies(&mut self, world: &mut World) -> BTreeMap<&'static str, u64> {
        let hours: Vec<String> = (0..24).map(|hour: u32| hour.to_string()).collect();
        let mut made = BTreeMap::new();
        for (name, enabled, rule, keep) in POLICIES {
            let rule = rule.replace('*', &hours.join(","));
            let definition = keep.definition();
            if let Some(policy) = policy(world, name, *enabled, &rule, definition, false) {
                made.insert(*name, self.add_policy(world, policy));
            }
        }
        let project = self.remotes.first().map(|remote| remote.project.clone());
        let definition = json!({
            "retention_duration_days": 30, "max_backups": -1, "destination_region": OTHER_REGION,
            "destination_project_id": project,
        });
        let (name, rule) = ABROAD;
        if let Some(policy) = policy(world, name, true, rule, definition, true) {
            made.insert(name, self.add_policy(world, policy));
        }
        made
    }

    fn seed_vaults(&mut self, world: &mut World, policies: &BTreeMap<&'static str, u64>) {
        let mut groups: BTreeMap<String, Vec<Bound>> = BTreeMap::new();
        let mut disks: Vec<Bound> = Vec::new();
        for server in world.fleet.servers() {
            let role = role(&server.name);
            let size = server.volumes.iter().map(|volume| volume.size_gb).sum();
            let bound = Bound::new(server.id.clone(), server.name.clone(), size, Vec::new());
            if policy_of(role).is_some() {
                groups.entry(role.to_owned()).or_default().push(bound);
            } else if role == "search" {
                // These are protected disk by disk, their system disks not at all.
                let data = server.volumes.iter().filter(|disk| !disk.bootable);
                disks.extend(data.map(|disk| {
                    Bound::new(disk.id.clone(), disk.name.clone(), disk.size_gb, Vec::new())
                }));
            }
        }
        for (role, bounds) in groups {
            for (index, chunk) in bounds.chunks(GROUP).enumerate() {
                let name = match index {
                    0 => format!("vault-{role}"),
                    more => format!("vault-{role}-{}", more + 1),
                };
                let number = self.seed_vault(world, name, Sort::Server, chunk.to_vec());
                let policy = policy_of(&role).and_then(|name| policies.get(name));
                self.seed_applied(number, policy, None);
                if role == "db" {
                    let remote = self.remotes.first().map(|remote| remote.id.clone());
                    self.seed_applied(number, policies.get(ABROAD.0), remote);
                }
            }
        }
        for (index, chunk) in disks.chunks(GROUP).enumerate() {
            let name = format!("vault-disks-{:02}", index + 1);
            let number = self.seed_vault(world, name, Sort::Disk, chunk.to_vec());
            self.seed_applied(number, policies.get("six-hourly"), None);
        }
        let shares: Vec<Bound> = self
            .shares
            .iter()
            .map(|share| {
                Bound::new(
                    share.id.clone(),
                    share.name.clone(),
                    share.size_gb,
                    Vec::new(),
                )
            })
            .collect();
        let number = self.seed_vault(world, "vault-shares".to_owned(), Sort::Turbo, shares);
        self.seed_applied(number, policies.get("nightly"), None);
        self.seed_vault(world, "vault-spare".to_owned(), Sort::Server, Vec::new());
    }

    fn seed_vault(
        &mut self,
        world: &mut World,
        name: String,
        sort: Sort,
        bounds: Vec<Bound>,
    ) -> u64 {
        let age = TimeDelta::days(60 + i64::try_from(self.vaults.len()).unwrap_or(0));
        let created = (world.now() - age).timestamp_micros();
        let mut vault = Vault::new(name, sort, 100, created);
        vault.tags = vec![("team".to_owned(), "operations".to_owned())];
        vault.auto_expand = vault.name != FULL;
        vault.resources = bounds;
        self.add_vault(world, vault)
    }

    fn seed_applied(&mut self, vault: u64, policy: Option<&u64>, destination: Option<String>) {
        if let (Some(vault), Some(policy)) = (self.vaults.get_mut(&vault), policy) {
            vault.policies.push(Applied {
                policy: *policy,
                destination,
                shown_from: 0,
            });
        }
    }

    /// Gives the vaults sizes that fit what they hold; that of the files has no room left.
    fn fit_sizes(&mut self) {
        for vault in self.vaults.values_mut() {
            let used = vault.used_mb.div_ceil(1024);
            vault.size_gb = if vault.name == FULL && used > 20 {
                used * 9 / 10
            } else {
                (used * 3 / 2)
                    .max(vault.allocated())
                    .max(100)
                    .next_multiple_of(10)
            };
        }
    }
}

fn policy(
    world: &World,
    name: &str,
    enabled: bool,
    rule: &str,
    definition: Value,
    replication: bool,
) -> Option<Policy> {
    let definition: Map<String, Value> = match definition {
        Value::Object(definition) => definition,
        _ => return None,
    };
    Some(Policy {
        name: name.to_owned(),
        enabled,
        replication,
        definition,
        pattern: vec![rule.to_owned()],
        schedule: Schedule::parse([rule]).ok()?,
        created: (world.now() - TimeDelta::days(45)).timestamp_micros(),
        generation: 0,
    })
}
