//! Runs of vaults: every resource of a vault, or some of them, backed up at once under one checkpoint.

use super::backup::{Backup, Status};
use super::checkpoint::{Checkpoint, Skipped};
use super::codes::{self, Refusal};
use super::log::{Extra, Kind, Log, Status as LogStatus};
use super::resource::{self, Saved};
use super::vault::{Bound, Vault};
use super::work::{Outcome, Plan};
use super::{Cbr, NO_SAVED, NONE, checks, time, what};
use crate::sim::world::World;

/// Why backups begin.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Number of the policy, if one is behind it.
    pub policy: u64,
    /// Whether a schedule was the cause; retention applies to these alone.
    pub auto: bool,
    /// Whether they may build on earlier backups.
    pub incremental: bool,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Days after which a backup by hand goes.
    pub retention_days: Option<i64>,
    /// Ids of the resources; all when absent.
    pub only: Option<Vec<String>>,
    /// The request behind it; empty for the world's own doing.
    pub request_id: String,
    /// How long each takes, for a world in a hurry.
    pub seconds: Option<f64>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            policy: NONE,
            auto: false,
            incremental: true,
            name: None,
            description: None,
            retention_days: None,
            only: None,
            request_id: String::new(),
            seconds: None,
        }
    }
}

impl Cbr {
    /// Whether a backup of a bound resource can begin now; in a world in a hurry also while another one runs.
    pub(super) fn may_begin(
        &self,
        world: &World,
        vault: &Vault,
        bound: &Bound,
        hurried: bool,
    ) -> Result<(), Refusal> {
        if bound.removing {
            return Err(codes::REMOVING.plain());
        }
        if bound.restoring > 0 || self.restoring.contains(&bound.id) {
            return Err(codes::RESTORING.saying(format!("Resource {} is restoring.", bound.id)));
        }
        if bound.protecting > 0 && !hurried {
            return Err(codes::TASK_RUNNING.plain());
        }
        checks::protectable(world, &self.shares, vault.sort, &bound.id, &bound.exclude)
    }

    /// Runs a vault: begins a backup of each resource that can be backed up, and notes the others. The number of the
    /// checkpoint.
    pub(super) fn run_vault(
        &mut self,
        world: &mut World,
        number: u64,
        order: &Order,
    ) -> Option<u64> {
        let vault = self.vaults.get(&number)?;
        let (sort, vault_name, full) = (vault.sort, vault.name.clone(), vault.full());
        let closed = checks::vault_takes_backups(vault).err();
        let mut begun = Vec::new();
        let mut left_out = Vec::new();
        for bound in &vault.resources {
            let wanted = match &order.only {
                Some(only) => only.contains(&bound.id),
                None => !order.auto || bound.auto_protect,
            };
            if !wanted {
                continue;
            }
            let verdict = match &closed {
                Some(refusal) => Err(refusal.clone()),
                None => self.may_begin(world, vault, bound, order.seconds.is_some()),
            };
            let (id, name) = (bound.id.clone(), bound.name.clone());
            match verdict {
                Ok(()) => begun.push((id, bound.exclude.clone())),
                Err(refusal) => left_out.push((id, name, refusal)),
            }
        }
        let now = world.now().timestamp_micros();
        let together = world.switches.get("cbr.logs_per_run") == "vault";
        let checkpoint = self.checkpoints.push(Checkpoint {
            created: now,
            vault: number,
            vault_name,
            sort,
            first: self.backups.range().end,
            count: 0,
            name: order.name.clone(),
            description: order.description.clone(),
            retention_days: order.retention_days,
            skipped: Vec::new(),
            log: None,
        });
        if together && !begun.is_empty() && !full {
            let mut plan = Plan::new(Kind::Backup, number, 0.0);
            plan.checkpoint = checkpoint;
            plan.policy = order.policy;
            let parts = begun.len() as u64;
            plan.extra = Some(Box::new(Extra {
                parts,
                ..Extra::default()
            }));
            let group = self.wait_for_parts(world, plan);
            self.checkpoints
                .change(checkpoint, |point| point.log = Some(group));
        }
        let several = begun.len() > 1;
        for (index, (id, exclude)) in begun.into_iter().enumerate() {
            let saved = self.save(world, number, &id, &exclude);
            let mut plan = Plan::new(Kind::Backup, number, 0.0);
            plan.checkpoint = checkpoint;
            plan.policy = order.policy;
            plan.auto = order.auto;
            plan.saved = saved;
            if full {
                self.record(world, plan, Outcome::Failed(codes::VAULT_FULL.plain()));
                continue;
            }
            let name = order.name.as_ref().map(|name| match several {
                true => format!("{name}-{:04}", index + 1),
                false => name.clone(),
            });
            let log = self.begin_backup(world, plan, order, name);
            self.note(world, "cbr.backup.started", &order.request_id, log);
        }
        for (id, name, refusal) in left_out {
            let mut plan = Plan::new(Kind::Backup, number, 0.0);
            plan.checkpoint = checkpoint;
            plan.policy = order.policy;
            plan.auto = order.auto;
            plan.saved = self.save(world, number, &id, &[]);
            self.record(world, plan, Outcome::Skipped(refusal.clone()));
            self.checkpoints.change(checkpoint, |point| {
                point.skipped.push(Skipped {
                    id,
                    name,
                    code: refusal.code.code,
                    reason: refusal.message,
                });
            });
        }
        Some(checkpoint)
    }

    /// The one task of a run; it waits until its parts run, and ends with the last of them.
    fn wait_for_parts(&mut self, world: &World, plan: Plan) -> u64 {
        let now = world.now().timestamp_micros();
        self.logs.push(Log {
            incremental: plan.incremental,
            auto: plan.auto,
            checkpoint: plan.checkpoint,
            vault: plan.vault,
            policy: plan.policy,
            extra: plan.extra,
            ..Log::of(plan.kind, LogStatus::Waiting, now)
        })
    }

    fn begin_backup(
        &mut self,
        world: &mut World,
        mut plan: Plan,
        order: &Order,
        name: Option<String>,
    ) -> u64 {
        let Some(saved) = self.saved(plan.saved) else {
            return self.record(world, plan, Outcome::Failed(codes::NO_RESOURCE.plain()));
        };
        let (id, full_mb) = (saved.id.clone(), saved.data_mb);
        let chain = self.chains.get(&id).copied().unwrap_or(0);
        let every = self
            .policies
            .get(&plan.policy)
            .and_then(|policy| policy.full_interval());
        let full_due = every.is_some_and(|every| i64::from(chain) % (every + 1) == 0);
        let incremental = order.incremental && chain > 0 && !full_due;
        let size_mb = if incremental {
            full_mb * world.rng.u64(2..9) / 100
        } else {
            full_mb
        };
        plan.seconds = order.seconds.unwrap_or_else(|| {
            let mean = world.switches.number("cbr.backup_seconds");
            let factor = if incremental { 0.6 } else { 1.1 };
            mean * factor * (0.5 + world.rng.f64())
        });
        plan.incremental = incremental;
        let now = world.now().timestamp_micros();
        let prefix = self
            .vaults
            .get(&plan.vault)
            .and_then(|vault| vault.prefix.clone())
            .filter(|_| order.auto);
        let mut backup = Backup {
            created: now,
            updated: now,
            protected: 0,
            expires: 0,
            checkpoint: plan.checkpoint,
            vault: plan.vault,
            saved: plan.saved,
            size_mb: u32::try_from(size_mb).unwrap_or(u32::MAX),
            status: Status::WaitingProtect,
            auto: order.auto,
            incremental,
            extra: None,
        };
        let number = self.backups.range().end;
        let name = match prefix {
            Some(prefix) => Some(format!(
                "{prefix}_{}",
                super::show::usual_name(order.auto, number)
            )),
            None => name,
        };
        if name.is_some() || order.description.is_some() {
            let extra = backup.extra_mut();
            extra.name.clone_from(&name);
            extra.description.clone_from(&order.description);
        }
        self.backups.push(backup);
        let group = self
            .checkpoints
            .change(plan.checkpoint, |point| {
                point.count += 1;
                point.log
            })
            .flatten();
        if let Some(bound) = self
            .vaults
            .get_mut(&plan.vault)
            .and_then(|vault| vault.bound_mut(&id))
        {
            bound.protecting += 1;
        }
        plan.backup = number;
        if name.is_some() || group.is_some() {
            plan.extra = Some(Box::new(Extra {
                backup_name: name,
                hidden_behind: group,
                ..Extra::default()
            }));
        }
        self.begin(world, plan)
    }

    /// A resource as it is now; a new row only when something changed.
    pub(super) fn save(&mut self, world: &World, vault: u64, id: &str, exclude: &[String]) -> u32 {
        let latest = self.latest_saved.get(id).copied();
        let known = latest.and_then(|index| self.saved(index));
        let sort = self.vaults.get(&vault).map(|vault| vault.sort);
        let sort = sort.or(known.map(|saved| saved.sort));
        let now = sort.and_then(|sort| resource::look(world, &self.shares, sort, id, exclude));
        let saved = match (now, known, sort) {
            (Some(now), Some(known), _) if now == *known => return latest.unwrap_or(NO_SAVED),
            (Some(now), ..) => now,
            (None, Some(_), _) => return latest.unwrap_or(NO_SAVED),
            (None, None, Some(sort)) => Saved::lost(sort, id, id),
            (None, None, None) => return NO_SAVED,
        };
        let index = u32::try_from(self.saved.len()).unwrap_or(NO_SAVED);
        self.saved.push(saved);
        self.latest_saved.insert(id.to_owned(), index);
        index
    }

    /// Schedules the next run of an enabled policy.
    pub(super) fn schedule_next(&self, world: &mut World, number: u64) {
        if let Some(policy) = self.policies.get(&number)
            && policy.enabled
            && let Some(at) = policy.schedule.next(world.now(), policy.first_day())
        {
            let id = number << 32 | u64::from(policy.generation);
            world.schedule(self.service, at, what::FIRE, id);
        }
    }

    /// A schedule's point in time has come.
    pub(super) fn fire(&mut self, world: &mut World, id: u64) {
        let number = id >> 32;
        let Some(policy) = self.policies.get(&number) else {
            return;
        };
        if u64::from(policy.generation) != id & 0xFFFF_FFFF || !policy.enabled {
            return;
        }
        let replication = policy.replication;
        self.schedule_next(world, number);
        let vaults: Vec<u64> = self
            .vaults
            .iter()
            .filter(|(_, vault)| vault.policies.iter().any(|one| one.policy == number))
            .filter(|(_, vault)| !vault.resources.is_empty())
            .map(|(vault, _)| *vault)
            .collect();
        for vault in vaults {
            world.count("cbr.policy.run");
            if replication {
                self.replicate_by_policy(world, vault, number);
                continue;
            }
            let order = Order {
                policy: number,
                auto: true,
                ..Order::default()
            };
            self.run_vault(world, vault, &order);
        }
    }

    /// When a backup that is complete now expires; 0 for never.
    pub(super) fn expiry(&self, backup: &Backup, policy: u64) -> i64 {
        let days = if backup.auto {
            self.policies
                .get(&policy)
                .and_then(|policy| policy.retention_days())
        } else {
            self.checkpoints
                .get(backup.checkpoint)
                .and_then(|point| point.retention_days)
                .filter(|days| *days > 0)
        };
        days.map_or(0, |days| {
            backup
                .created
                .saturating_add(days.saturating_mul(time::DAY))
        })
    }
}
