//! How tasks begin, run and end. What an end does to the things that the task is about stands in `ending`.

use serde_json::json;

use super::backup::Status as BackupStatus;
use super::codes::Refusal;
use super::log::{Extra, Kind, Log, Status};
use super::{Cbr, NO_SAVED, NONE, QUOTA_SNAPSHOTS, checks, time, what};
use crate::sim::fleet::ServerState;
use crate::sim::ids::mix;
use crate::sim::world::World;

/// What a new task is about.
#[derive(Debug)]
pub(super) struct Plan {
    pub kind: Kind,
    pub vault: u64,
    pub policy: u64,
    pub checkpoint: u64,
    pub backup: u64,
    pub saved: u32,
    pub auto: bool,
    pub incremental: bool,
    /// How long it takes, with a service that is well.
    pub seconds: f64,
    pub extra: Option<Box<Extra>>,
}

impl Plan {
    /// A task about nothing yet.
    pub fn new(kind: Kind, vault: u64, seconds: f64) -> Self {
        Self {
            kind,
            vault,
            policy: NONE,
            checkpoint: NONE,
            backup: NONE,
            saved: NO_SAVED,
            auto: false,
            incremental: false,
            seconds,
            extra: None,
        }
    }
}

/// How a task ends.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Success,
    Failed(Refusal),
    Timeout,
    Skipped(Refusal),
}

impl From<Result<(), Refusal>> for Outcome {
    fn from(verdict: Result<(), Refusal>) -> Self {
        match verdict {
            Ok(()) => Self::Success,
            Err(refusal) => Self::Failed(refusal),
        }
    }
}

/// With a slow backend everything takes so many times as long.
const SLOW: f64 = 50.0;

impl Cbr {
    /// Makes a task that waits, and lets it run when its turn comes. Its number.
    pub(super) fn begin(&mut self, world: &mut World, plan: Plan) -> u64 {
        let now = world.now().timestamp_micros();
        let waits = world.switches.number("cbr.waiting_seconds").max(0.0);
        let slow = world.switches.get("cbr.backend") == "slow";
        let seconds = plan.seconds * if slow { SLOW } else { 1.0 };
        let limit = world.switches.number("cbr.timeout_seconds");
        let overlong = limit > 0.0 && seconds > limit;
        let started = now.saturating_add((waits * 1e6) as i64);
        let length = time::micros(if overlong { limit } else { seconds });
        let number = self.logs.push(Log {
            kind: plan.kind,
            status: Status::Waiting,
            progress: 0,
            incremental: plan.incremental,
            auto: plan.auto,
            overlong,
            created: now,
            started,
            ends: started.saturating_add(length),
            checkpoint: plan.checkpoint,
            vault: plan.vault,
            policy: plan.policy,
            backup: plan.backup,
            saved: plan.saved,
            extra: plan.extra,
        });
        if waits > 0.0 {
            world.schedule(self.service, time::instant(started), what::START, number);
        } else {
            self.start(world, number);
        }
        number
    }

    /// A task that was over before it began.
    pub(super) fn record(&mut self, world: &mut World, plan: Plan, outcome: Outcome) -> u64 {
        let now = world.now().timestamp_micros();
        let number = self.logs.push(Log {
            kind: plan.kind,
            status: Status::Waiting,
            progress: 0,
            incremental: plan.incremental,
            auto: plan.auto,
            overlong: false,
            created: now,
            started: now,
            ends: now,
            checkpoint: plan.checkpoint,
            vault: plan.vault,
            policy: plan.policy,
            backup: plan.backup,
            saved: plan.saved,
            extra: plan.extra,
        });
        self.close(world, number, outcome);
        number
    }

    /// A task's turn has come.
    pub(super) fn start(&mut self, world: &mut World, number: u64) {
        let Some(log) = self.logs.get(number) else {
            return;
        };
        if log.status != Status::Waiting {
            return;
        }
        let (kind, backup, saved, ends) = (log.kind, log.backup, log.saved, log.ends);
        if kind == Kind::Backup && backup != NONE {
            let disks = self.saved(saved).map_or(0, |saved| saved.disks.len());
            if let Err(refusal) = checks::snapshots(world, disks) {
                self.end_backup(world, number, Outcome::Failed(refusal), false);
                return;
            }
            let taken = i64::try_from(disks).unwrap_or(0);
            world.quotas.take(QUOTA_SNAPSHOTS, taken);
        }
        self.logs.change(number, |log| log.status = Status::Running);
        let status = match kind {
            Kind::Backup => Some(BackupStatus::Protecting),
            Kind::Restore => {
                self.stop_target(world, number);
                Some(BackupStatus::Restoring)
            }
            Kind::Delete => Some(BackupStatus::Deleting),
            Kind::Replication => {
                self.set_record(number, "replicating", None);
                None
            }
            _ => None,
        };
        if let Some(status) = status {
            self.backups.change(backup, |backup| backup.status = status);
        }
        if let Some(behind) = self.hidden_behind(number)
            && let Some(group) = self.logs.get(behind)
            && group.status == Status::Waiting
        {
            self.logs.change(behind, |group| {
                group.status = Status::Running;
                group.ends = group.ends.max(ends);
            });
        }
        world.schedule(self.service, time::instant(ends), what::END, number);
    }

    /// A server is shut down before it is restored.
    fn stop_target(&self, world: &mut World, number: u64) {
        let target = self
            .logs
            .get(number)
            .and_then(|log| log.extra.as_ref()?.target.clone());
        if let Some((id, ..)) = target
            && let Some(server) = world.fleet.get_mut(&id)
            && server.state == ServerState::Active
        {
            server.state = ServerState::Stopped;
        }
    }

    /// A task's time is over: it ends as the world now allows.
    pub(super) fn end(&mut self, world: &mut World, number: u64) {
        let Some(log) = self.logs.get(number) else {
            return;
        };
        if log.status != Status::Running || time::instant(log.ends) != world.now() {
            return;
        }
        let overlong = log.overlong;
        match log.kind {
            Kind::Backup => {
                let outcome = self.backup_verdict(world, number);
                let outcome = if overlong { Outcome::Timeout } else { outcome };
                self.end_backup(world, number, outcome, true);
            }
            Kind::Restore => self.end_restore(world, number, overlong),
            Kind::Delete => self.end_delete(world, number, overlong),
            Kind::VaultDelete => self.end_vault_delete(world, number, overlong),
            Kind::RemoveResource => self.end_removal(world, number, overlong),
            Kind::Replication => self.end_replication(world, number, overlong),
            Kind::MigrateResources => self.end_migration(world, number, overlong),
            Kind::UpdateExpiration => self.close(world, number, Outcome::Success),
        }
    }

    /// Writes down how a task ended.
    pub(super) fn close(&mut self, world: &mut World, number: u64, outcome: Outcome) {
        let now = world.now().timestamp_micros();
        let (status, refusal, word) = match outcome {
            Outcome::Success => (Status::Success, None, "done"),
            Outcome::Failed(refusal) => (Status::Failed, Some(refusal), "failed"),
            Outcome::Timeout => (Status::Timeout, None, "timeout"),
            Outcome::Skipped(refusal) => (Status::Skipped, Some(refusal), "skipped"),
        };
        let percent = 10 + (mix(number ^ 0xF00D) % 85) as u8;
        let failure = refusal.clone();
        let Some((kind, behind)) = self.logs.change(number, |log| {
            let ran = log.status == Status::Running;
            log.status = status;
            log.ends = now;
            log.progress = if ran { percent } else { 0 };
            if failure.is_some() {
                log.extra_mut().failure = failure;
            }
            let behind = log.extra.as_ref().and_then(|extra| extra.hidden_behind);
            (log.kind, behind)
        }) else {
            return;
        };
        world.count(&format!("cbr.{}.{word}", kind.word()));
        if let Some(behind) = behind {
            self.part_is_over(world, behind, status, refusal);
        }
    }

    pub(super) fn hidden_behind(&self, number: u64) -> Option<u64> {
        self.logs.get(number)?.extra.as_ref()?.hidden_behind
    }

    /// One part of a run that has one task for all of them is over; the last one ends it.
    fn part_is_over(&mut self, world: &World, group: u64, status: Status, why: Option<Refusal>) {
        let now = world.now().timestamp_micros();
        self.logs.change(group, |log| {
            let extra = log.extra_mut();
            extra.parts = extra.parts.saturating_sub(1);
            if extra.failure.is_none() {
                extra.failure = why;
            }
            let failed = extra.failure.is_some();
            if extra.parts == 0 {
                log.ends = now;
                log.progress = 100;
                log.status = match status {
                    _ if failed => Status::Failed,
                    Status::Timeout => Status::Timeout,
                    _ => Status::Success,
                };
            }
        });
    }

    /// Notes what a request did, for tests that ask.
    pub(super) fn note(&self, world: &mut World, what: &str, request_id: &str, log: u64) {
        if request_id.is_empty() {
            world.count(what);
        } else {
            let log = self.log_id(log);
            world.note(json!({"what": what, "request_id": request_id, "operation_log": log}));
        }
    }
}
