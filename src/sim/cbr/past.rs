//! The past of a furnished world: tasks over 30 days, of which some failed for reasons that held then or hold still.

use super::backup::{Backup, Status};
use super::checkpoint::{Checkpoint, Skipped};
use super::codes::{self, Refusal};
use super::log::{Kind, Log, Status as LogStatus};
use super::resource::Sort;
use super::seed::FULL;
use super::{Cbr, NONE, checks, time};
use crate::sim::ids::mix;
use crate::sim::world::World;

const HISTORY_DAYS: i64 = 30;

/// One run of the past.
#[derive(Debug, Clone, Copy)]
struct Past {
    created: i64,
    vault: u64,
    policy: u64,
    chance: u64,
}

impl Cbr {
    /// Tasks that ended in the past: runs of vaults at the points of their schedules, and some work by hand.
    pub(super) fn seed_history(&mut self, world: &mut World) {
        let tasks = world.options.tasks;
        let runs = self.past_runs(world, tasks);
        let made = self.logs.range().start;
        for run in &runs {
            let left = tasks.saturating_sub((self.logs.range().end - made) as usize);
            if left == 0 {
                break;
            }
            self.past_run(world, *run, left);
            match run.chance >> 24 & 31 {
                0 => self.past_restore(world, *run),
                1 => self.past_delete(*run),
                _ => {}
            }
        }
    }

    /// Runs for about so many tasks, in order of time.
    fn past_runs(&self, world: &mut World, tasks: usize) -> Vec<Past> {
        let vaults: Vec<(u64, usize, u64)> = self
            .vaults
            .iter()
            .filter(|(_, vault)| !vault.resources.is_empty())
            .map(|(number, vault)| {
                let mut policies = vault.policies.iter().map(|one| one.policy);
                let policy = policies.find(|policy| {
                    let row = self.policies.get(policy);
                    row.is_some_and(|row| row.enabled && !row.replication)
                });
                let size = policy.map_or(1, |_| vault.resources.len());
                (*number, size, policy.unwrap_or(NONE))
            })
            .collect();
        let all: usize = vaults.iter().map(|(_, size, _)| size).sum();
        if all == 0 {
            return Vec::new();
        }
        // Some runs are by hand and so of one resource only: rather a few too many.
        let count = (tasks * vaults.len()).div_ceil(all) * 9 / 8 + vaults.len();
        let now = world.now();
        let span = HISTORY_DAYS * time::DAY;
        let step = (span / i64::try_from(count).unwrap_or(i64::MAX)).max(1);
        let begin = now.timestamp_micros() - span;
        let mut runs: Vec<(Past, usize)> = (0..count)
            .filter_map(|index| {
                let chance = mix(world.rng.u64(..));
                let (vault, size, policy) = *vaults.get(index % vaults.len())?;
                let at = begin + step * i64::try_from(index).ok()? + (chance >> 30) as i64 % step;
                let schedule = self.policies.get(&policy);
                let point = schedule
                    .filter(|_| chance >> 8 & 15 != 0)
                    .and_then(|policy| policy.schedule.next(time::instant(at), policy.first_day()));
                let created = point.map_or(at, |point| point.timestamp_micros());
                let (policy, size) = point.map_or((NONE, 1), |_| (policy, size));
                // Nothing of the past may still run.
                let over = created < now.timestamp_micros() - time::DAY / 48;
                let past = Past {
                    created,
                    vault,
                    policy,
                    chance,
                };
                over.then_some((past, size))
            })
            .collect();
        runs.sort_by_key(|(run, _)| run.created);
        // What is too much is cut off where it is oldest.
        let mut left = tasks;
        let mut kept: Vec<Past> = Vec::new();
        for (run, size) in runs.into_iter().rev() {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(size);
            kept.push(run);
        }
        kept.reverse();
        kept
    }

    fn past_run(&mut self, world: &mut World, run: Past, left: usize) {
        let Some(vault) = self.vaults.get(&run.vault) else {
            return;
        };
        let (sort, vault_name) = (vault.sort, vault.name.clone());
        let auto = run.policy != NONE;
        let now = world.now().timestamp_micros();
        let full = vault_name == FULL && auto && run.created > now - 6 * time::DAY;
        let bounds: Vec<(String, String)> = vault
            .resources
            .iter()
            .skip(if auto {
                0
            } else {
                run.chance as usize % vault.resources.len().max(1)
            })
            .take(if auto { left } else { 1 })
            .map(|bound| (bound.id.clone(), bound.name.clone()))
            .collect();
        let checkpoint = self.checkpoints.push(Checkpoint {
            created: run.created,
            vault: run.vault,
            vault_name,
            sort,
            first: self.backups.range().end,
            count: 0,
            name: None,
            description: None,
            retention_days: None,
            skipped: Vec::new(),
            log: None,
        });
        for (id, name) in bounds {
            let chance = mix(run.chance ^ mix(world.rng.u64(..)));
            let saved = self.save(world, run.vault, &id, &[]);
            let lasting = checks::protectable(world, &self.shares, sort, &id, &[]).err();
            let mut log = past_log(Kind::Backup, run, saved, chance);
            log.checkpoint = checkpoint;
            let trouble = match lasting {
                Some(refusal) => Some((LogStatus::Skipped, refusal)),
                None if full => Some((LogStatus::Failed, codes::VAULT_FULL.plain())),
                None => passing_trouble(sort, run, chance, now),
            };
            if let Some((status, refusal)) = trouble {
                let code = refusal.code;
                if status == LogStatus::Skipped {
                    log.started = log.created;
                    log.ends = log.created;
                    let reason = refusal.message.clone();
                    let skipped = Skipped {
                        id,
                        name,
                        code: code.code,
                        reason,
                    };
                    self.checkpoints
                        .change(checkpoint, |point| point.skipped.push(skipped));
                } else if code != codes::VAULT_FULL {
                    log.progress = 10 + (chance >> 44) as u8 % 80;
                    log.backup = self.past_backup(&log, saved, Status::Error, false);
                }
                log.status = status;
                log.extra_mut().failure = Some(refusal);
                self.logs.push(log);
                continue;
            }
            let incremental = self.chains.get(&id).is_some_and(|chain| *chain > 0);
            log.incremental = incremental;
            if chance >> 50 & 255 == 0 {
                log.status = LogStatus::Timeout;
                log.progress = 60;
                log.ends = log.started + 1_800_000_000;
                log.backup = self.past_backup(&log, saved, Status::Error, incremental);
            } else {
                log.backup = self.past_backup(&log, saved, Status::Available, incremental);
                *self.chains.entry(id).or_default() += 1;
            }
            self.logs.push(log);
        }
    }

    /// The backup that a task of the past left.
    fn past_backup(&mut self, log: &Log, saved: u32, status: Status, incremental: bool) -> u64 {
        let good = status == Status::Available;
        let full_mb = self.saved(saved).map_or(0, |saved| saved.data_mb);
        let share = 2 + mix(log.created.unsigned_abs()) % 7;
        let size_mb = match (good, incremental) {
            (false, _) => 0,
            (true, true) => full_mb * share / 100,
            (true, false) => full_mb,
        };
        let mut backup = Backup {
            created: log.created,
            updated: log.ends,
            protected: if good { log.ends } else { 0 },
            expires: 0,
            checkpoint: log.checkpoint,
            vault: log.vault,
            saved,
            size_mb: u32::try_from(size_mb).unwrap_or(u32::MAX),
            status,
            auto: log.auto,
            incremental,
            extra: None,
        };
        if good {
            backup.expires = self.expiry(&backup, log.policy);
        }
        let expires = backup.expires;
        let number = self.backups.push(backup);
        if expires > 0 {
            self.expiring.insert((expires, number));
        }
        self.checkpoints
            .change(log.checkpoint, |point| point.count += 1);
        let id = self.saved(saved).map(|saved| saved.id.clone());
        if let Some(vault) = self.vaults.get_mut(&log.vault) {
            vault.used_mb += size_mb;
            if let Some(bound) = id.and_then(|id| vault.bound_mut(&id)) {
                bound.failed = !good;
                bound.backups += u32::from(good);
                bound.backup_mb += size_mb;
            }
        }
        number
    }

    /// Somebody restored a server from a backup of some time before.
    fn past_restore(&mut self, world: &World, run: Past) {
        let before = run.created - 60_000_000;
        let Some((number, backup)) = self.backups.newest().take(256).find(|(_, backup)| {
            backup.protected > 0
                && backup.protected < before
                && self
                    .saved(backup.saved)
                    .is_some_and(|saved| saved.sort == Sort::Server)
        }) else {
            return;
        };
        let (vault, saved, checkpoint) = (backup.vault, backup.saved, backup.checkpoint);
        let (auto, policy) = (backup.auto, NONE);
        let Some(of) = self.saved(saved) else {
            return;
        };
        let target = (of.id.clone(), of.name.clone(), true);
        let run = Past {
            vault,
            policy,
            ..run
        };
        let mut log = past_log(Kind::Restore, run, saved, mix(run.chance));
        if log.ends > world.now().timestamp_micros() {
            return;
        }
        log.checkpoint = checkpoint;
        log.backup = number;
        log.auto = auto;
        let extra = log.extra_mut();
        extra.target = Some(target);
        if run.chance >> 29 & 3 == 0 {
            extra.failure = Some(codes::TARGET_STATUS.plain());
            log.status = LogStatus::Failed;
            log.progress = 30;
        }
        self.logs.push(log);
    }

    /// Somebody deleted the oldest backup by hand.
    fn past_delete(&mut self, run: Past) {
        let Some((number, backup)) = self
            .backups
            .oldest()
            .find(|(_, backup)| backup.protected > 0 && !backup.auto)
        else {
            return;
        };
        if backup.protected >= run.created {
            return;
        }
        let (vault, policy) = (backup.vault, NONE);
        let run = Past {
            vault,
            policy,
            ..run
        };
        let mut log = past_log(Kind::Delete, run, backup.saved, mix(run.chance));
        log.ends = log.started + 8_000_000;
        log.checkpoint = backup.checkpoint;
        log.auto = false;
        log.backup = number;
        self.drop_backup(number);
        self.logs.push(log);
    }
}

/// A task of the past that went well.
fn past_log(kind: Kind, run: Past, saved: u32, chance: u64) -> Log {
    let started = run.created + 2_000_000;
    let length = 30_000_000 + (chance >> 20) as i64 % 600_000_000;
    Log {
        progress: 100,
        auto: run.policy != NONE,
        started,
        ends: started + length,
        vault: run.vault,
        policy: run.policy,
        saved,
        ..Log::of(kind, LogStatus::Success, run.created)
    }
}

/// What was wrong for a while: half a day on which the service failed, and servers that were just being moved.
fn passing_trouble(sort: Sort, run: Past, chance: u64, now: i64) -> Option<(LogStatus, Refusal)> {
    let days_ago = (now - run.created) / (time::DAY / 2);
    let percent = chance >> 40 & 127;
    let failed = |code: &'static codes::Code| Some((LogStatus::Failed, code.plain()));
    match (percent, sort) {
        (0..=40, _) if days_ago == 13 => failed(codes::UNKNOWN),
        (0 | 1, Sort::Server) => failed(codes::SERVER_STATUS),
        (0, _) => failed(codes::DISK_STATUS),
        (2, _) => Some((LogStatus::Skipped, codes::TASK_RUNNING.plain())),
        (3, Sort::Server) if days_ago > 20 => failed(codes::SNAPSHOTS),
        _ => None,
    }
}
