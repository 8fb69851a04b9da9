//! What others do meanwhile: colleagues who start backups, restores and deletions, and servers that are moved for a
//! while, so that running backups fail for a reason and succeed again later. Its pace is the world's change rate.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::backup::Status;
use super::checks::{self, Restore};
use super::log::Status as LogStatus;
use super::resource::Sort;
use super::run::Order;
use super::{Cbr, what};
use crate::sim::fleet::ServerState;
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
    /// Backups before this number were looked at for deletion.
    oldest: u64,
    /// Servers that are being moved, until they are there.
    moving: BTreeSet<u64>,
}

/// Above that rate at most so many backups run at once.
const MOST_RUNNING: f64 = 2000.0;

impl Cbr {
    /// Gets it going, with a few backups already under way.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| {
            self.vaults
                .values()
                .any(|vault| !vault.resources.is_empty())
        }) else {
            return;
        };
        self.traffic.pace = pace;
        for _ in 0..4 {
            self.someone_backs_up(world, None);
        }
        self.next_turn(world);
    }

    fn next_turn(&self, world: &mut World) {
        self.traffic
            .pace
            .next_turn(world, self.service, what::TRAFFIC);
    }

    /// One turn.
    pub(super) fn make_traffic(&mut self, world: &mut World) {
        self.traffic.pace.turn();
        let population = world.options.tasks.max(80);
        let crowded = self.traffic.pace.is_busy();
        while self.traffic.pace.is_due() {
            let dice = world.rng.u8(0..100);
            let leaving = [Status::WaitingDelete, Status::Deleting]
                .into_iter()
                .filter_map(Status::slot)
                .map(|slot| self.backups.count(slot))
                .sum::<usize>();
            let made = if self.backups.live() - leaving > population {
                self.oldest_goes(world)
            } else if crowded || dice >= 30 {
                let seconds = crowded.then(|| {
                    let fitting = MOST_RUNNING * 4.0 / self.traffic.pace.rate();
                    fitting.clamp(0.5, 60.0) * (0.5 + world.rng.f64())
                });
                self.someone_backs_up(world, seconds)
            } else if dice < 12 {
                self.server_moves(world)
            } else {
                self.someone_restores(world)
            };
            self.traffic.pace.made(made);
        }
        self.forget_tasks(population);
        self.next_turn(world);
    }

    /// In a world in a hurry there would soon be no end of tasks.
    fn forget_tasks(&mut self, population: usize) {
        let most = population * 4;
        if self.logs.live() <= most + most / 8 {
            return;
        }
        let over = (self.logs.live() - most) as u64;
        let first = self.logs.range().start;
        let cut = self.logs.get(first + over).map(|log| log.created);
        if let Some(cut) = cut {
            self.drop_logs(cut);
        }
    }

    /// A backup by hand; costs three changes: it waits, it runs, it ends.
    fn someone_backs_up(&mut self, world: &mut World, seconds: Option<f64>) -> f64 {
        for _ in 0..4 {
            let Some((vault, id)) = self.any_bound(world) else {
                break;
            };
            let Some(row) = self.vaults.get(&vault) else {
                break;
            };
            let hurried = seconds.is_some();
            let fine = checks::vault_takes_backups(row).is_ok()
                && !row.full()
                && row
                    .bound(&id)
                    .is_some_and(|bound| self.may_begin(world, row, bound, hurried).is_ok());
            if fine {
                let order = Order {
                    only: Some(vec![id]),
                    seconds,
                    ..Order::default()
                };
                self.run_vault(world, vault, &order);
                return 3.0;
            }
        }
        1.0
    }

    /// Any resource of any vault.
    fn any_bound(&self, world: &mut World) -> Option<(u64, String)> {
        let count: usize = self
            .vaults
            .values()
            .map(|vault| vault.resources.len())
            .sum();
        if count == 0 {
            return None;
        }
        let index = world.rng.usize(0..count);
        self.vaults
            .iter()
            .flat_map(|(number, vault)| vault.resources.iter().map(move |bound| (*number, bound)))
            .nth(index)
            .map(|(number, bound)| (number, bound.id.clone()))
    }

    fn someone_restores(&mut self, world: &mut World) -> f64 {
        let range = self.backups.range();
        let recent = range.end.saturating_sub(200).max(range.start)..range.end;
        if recent.is_empty() {
            return 1.0;
        }
        for _ in 0..4 {
            let number = world.rng.u64(recent.clone());
            let Some(saved) = self
                .backups
                .get(number)
                .and_then(|backup| self.saved(backup.saved))
                .filter(|saved| saved.sort == Sort::Server)
            else {
                continue;
            };
            let disks = saved.disks.iter().enumerate();
            let restore = Restore {
                backup: number,
                target: saved.id.clone(),
                mappings: disks
                    .map(|(index, disk)| (self.disk_id(number, index), disk.id.clone()))
                    .collect(),
                power_on: true,
            };
            if let Ok(name) = checks::restorable(world, self, &restore) {
                let log = self.begin_restore(world, restore, name);
                self.note(world, "cbr.restore.started", "", log);
                return 3.0;
            }
        }
        1.0
    }

    /// A server that is just being backed up is moved to another host, for a few minutes.
    fn server_moves(&mut self, world: &mut World) -> f64 {
        if self.traffic.moving.len() >= 2 {
            return 1.0;
        }
        let running: BTreeSet<&str> = LogStatus::Running
            .slot()
            .into_iter()
            .flat_map(|slot| self.logs.in_slot(slot))
            .filter_map(|number| self.saved(self.logs.get(number)?.saved))
            .filter(|saved| saved.sort == Sort::Server)
            .map(|saved| saved.id.as_str())
            .collect();
        let moved: Vec<u64> = world
            .fleet
            .servers()
            .iter()
            .zip(0..)
            .filter(|(server, _)| {
                server.state == ServerState::Active
                    && server.held_by.is_empty()
                    && running.contains(server.id.as_str())
            })
            .map(|(_, index)| index)
            .collect();
        let Some(index) = world.rng.choice(moved) else {
            return 1.0;
        };
        switch(world, index, ServerState::Active, ServerState::Migrating);
        self.traffic.moving.insert(index);
        let minutes = TimeDelta::seconds(world.rng.i64(90..240));
        world.schedule_in(self.service, minutes, what::CURE, index);
        world.count("cbr.traffic.server_moves");
        2.0
    }

    /// A server that was moved runs again, unless somebody else changed it meanwhile.
    pub(super) fn cure(&mut self, world: &mut World, index: u64) {
        if self.traffic.moving.remove(&index) {
            switch(world, index, ServerState::Migrating, ServerState::Active);
        }
    }

    /// The oldest backup that nobody needs is deleted; costs three changes.
    fn oldest_goes(&mut self, world: &mut World) -> f64 {
        let range = self.backups.range();
        let oldest = (self.traffic.oldest.max(range.start)..range.end)
            .take(64)
            .find(|number| {
                self.backups.get(*number).is_some_and(|backup| {
                    // Nobody makes room in the vault that is full: that is left to the operator.
                    let kept = self
                        .vaults
                        .get(&backup.vault)
                        .is_some_and(|vault| vault.full() && !vault.auto_expand);
                    !kept
                        && matches!(backup.status, Status::Available | Status::Error)
                        && backup.image().is_none()
                        && !backup.copying()
                })
            });
        // What was busy when it was looked at gets its chance in the next round.
        self.traffic.oldest = oldest.map_or(0, |number| number + 1);
        match oldest {
            Some(number) => {
                let plan = self.delete_plan(world, number);
                let log = self.begin_delete(world, plan);
                self.note(world, "cbr.delete.started", "", log);
                3.0
            }
            None => 1.0,
        }
    }
}

fn switch(world: &mut World, index: u64, from: ServerState, to: ServerState) {
    let id = usize::try_from(index)
        .ok()
        .and_then(|index| world.fleet.servers().get(index))
        .map(|server| server.id.clone());
    if let Some(server) = id.and_then(|id| world.fleet.get_mut(&id))
        && server.state == from
    {
        server.state = to;
    }
}
