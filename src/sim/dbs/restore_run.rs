//! How restores are checked, run and end, and how downloads end.

use serde_json::json;

use super::plan::Precheck;
use super::reasons::Reason;
use super::rows::{Download, Restore, RestoreStatus};
use super::{Dbs, around, instant, millis, what};
use crate::sim::world::World;

impl Dbs {
    /// Adds a restore; its precheck begins at once.
    pub(super) fn add_restore(&mut self, world: &mut World, mut restore: Restore) -> usize {
        let now = millis(world.now());
        let length = (world
            .switches
            .number("dbs.precheck_seconds")
            .clamp(0.0, 1e9)
            * 1000.0) as i64;
        restore.precheck = Precheck {
            job: self.next_check,
            begun: now,
            ends: now + length,
            verdict: None,
        };
        self.next_check += 1;
        let number = self.restores.len();
        if let Some(plan) = self.plans.get_mut(restore.plan as usize) {
            plan.restores.push(number as u64);
        }
        self.restores.push(restore);
        world.schedule(
            self.service,
            instant(now + length),
            what::RESTORE_CHECK,
            number as u64,
        );
        number
    }

    /// What stands in the way of writing to a restore's destination.
    fn destination_trouble(&self, world: &World, restore: &Restore) -> Option<Reason> {
        let to = &restore.to;
        let source = self.sources.find(&to.instance, &to.host, &to.port);
        match self.sources.trouble(world, source, false) {
            Some(Reason::Unreachable) => Some(Reason::Destination),
            other => other,
        }
    }

    /// A restore's precheck is over.
    pub(super) fn restore_checked(&mut self, world: &mut World, id: u64) {
        let Some(restore) = self.restores.get(id as usize) else {
            return;
        };
        if restore.precheck.verdict.is_some() {
            return;
        }
        let trouble = self.destination_trouble(world, restore);
        if let Some(restore) = self.restores.get_mut(id as usize) {
            restore.precheck.verdict = Some(trouble.map_or(Ok(()), Err));
            restore.reason = trouble;
            if trouble.is_none() {
                restore.status = RestoreStatus::CheckPass;
            }
        }
        if self.traffic.started.remove(&id) && trouble.is_none() {
            self.run_restore(world, id as usize, "");
        }
    }

    /// Lets a restore run.
    pub(super) fn run_restore(&mut self, world: &mut World, number: usize, request_id: &str) {
        let now = millis(world.now());
        let length = around(world, "dbs.restore_seconds").max(1);
        let Some(restore) = self.restores.get_mut(number) else {
            return;
        };
        restore.status = RestoreStatus::Running;
        restore.started = now;
        restore.due = now + length;
        restore.ended = 0;
        restore.reason = None;
        world.schedule(
            self.service,
            instant(now + length),
            what::RESTORE,
            number as u64,
        );
        if request_id.is_empty() {
            world.count("dbs.restore.started");
        } else {
            let id = self.restore_id(number);
            world.note(
                json!({"what": "dbs.restore.started", "request_id": request_id, "restore": id}),
            );
        }
    }

    /// A restore's time is over.
    pub(super) fn restore_ends(&mut self, world: &mut World, id: u64) {
        let now = millis(world.now());
        let Some(restore) = self.restores.get(id as usize) else {
            return;
        };
        if restore.status != RestoreStatus::Running || restore.due != now {
            return;
        }
        let mut trouble = self.destination_trouble(world, restore);
        if world.switches.get("dbs.storage") == "down" {
            trouble = Some(Reason::Storage);
        }
        if let Some(restore) = self.restores.get_mut(id as usize) {
            restore.ended = now;
            restore.reason = trouble;
            restore.status = if trouble.is_some() {
                RestoreStatus::Stop
            } else {
                RestoreStatus::Done
            };
        }
        world.count(if trouble.is_some() {
            "dbs.restore.failed"
        } else {
            "dbs.restore.done"
        });
    }

    /// Adds a download and lets it run.
    pub(super) fn add_download(&mut self, world: &mut World, mut download: Download) -> usize {
        let length = around(world, "dbs.download_seconds").max(16_000);
        download.created = millis(world.now());
        download.due = download.created + length;
        let number = self.downloads.len();
        if let Some(plan) = self.plans.get_mut(download.plan as usize) {
            plan.downloads.push(number as u64);
        }
        let due = instant(download.due);
        self.downloads.push(download);
        world.schedule(self.service, due, what::DOWNLOAD, number as u64);
        number
    }

    /// A finished set goes to the plan's own folder, where its rules say so.
    pub(super) fn auto_download(&mut self, world: &mut World, number: usize, set: u64) {
        let Some(plan) = self.plans.get(number) else {
            return;
        };
        if !plan.download.auto {
            return;
        }
        let download = Download {
            plan: u32::try_from(number).unwrap_or(u32::MAX),
            name: format!("auto-{}", plan.name),
            set: self.set_id(set),
            full: true,
            format: plan.download.full.clone(),
            auto: true,
            created: 0,
            due: 0,
            ended: 0,
            bytes: self.set(set).map_or(0, |set| set.bytes),
            reason: None,
        };
        self.add_download(world, download);
    }

    /// A download's time is over.
    pub(super) fn download_ends(&mut self, world: &mut World, id: u64) {
        let storage = world.switches.get("dbs.storage") == "down";
        let Some(download) = self.downloads.get_mut(id as usize) else {
            return;
        };
        download.ended = download.due;
        download.reason = storage.then_some(Reason::Storage);
        world.count(if storage {
            "dbs.download.failed"
        } else {
            "dbs.download.done"
        });
    }
}
