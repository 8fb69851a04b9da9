//! What others do meanwhile: colleagues who start backups and restores, and servers that go down for a while, so that
//! running backups fail for a reason and succeed again later. Its pace is the world's change rate.

use chrono::TimeDelta;

use super::backups::Status;
use super::checks::{self, Restore};
use super::run::Order;
use super::{Csbs, what};
use crate::sim::fleet::ServerState;
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
    /// Backups before this number were looked at for deletion.
    oldest: u64,
}

/// Above that rate at most so many backups run at once.
const MOST_RUNNING: f64 = 2000.0;

impl Csbs {
    /// Gets it going, with a few backups already under way.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| !world.fleet.servers().is_empty()) else {
            return;
        };
        self.traffic.pace = pace;
        for _ in 0..4 {
            self.someone_backs_up(world, None);
        }
        let running: Vec<u64> = self.backups.with_status(Status::Protecting).collect();
        for number in running {
            let ago = world.rng.i64(0..40_000_000);
            if let Some(backup) = self.backups.get_mut(number) {
                backup.since -= ago;
            }
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
            let leaving = self.backups.count(Status::Deleting);
            let made = if self.backups.live() - leaving > population {
                self.oldest_goes(world)
            } else if crowded || dice >= 30 {
                let seconds = crowded.then(|| {
                    let fitting = MOST_RUNNING * 4.0 / self.traffic.pace.rate();
                    fitting.clamp(0.5, 60.0) * (0.5 + world.rng.f64())
                });
                self.someone_backs_up(world, seconds)
            } else if dice < 12 {
                self.server_goes_down(world)
            } else if dice < 22 {
                self.someone_restores(world)
            } else {
                self.someone_runs_a_policy(world)
            };
            self.traffic.pace.made(made);
        }
        self.next_turn(world);
    }

    /// A backup by hand; costs two changes.
    fn someone_backs_up(&mut self, world: &mut World, seconds: Option<f64>) -> f64 {
        for _ in 0..4 {
            let Some(id) = any_server(world) else { break };
            let allowed = match seconds {
                Some(_) => checks::protectable(world, &id, "OS::Nova::Server"),
                None => self.may_begin(world, &id),
            };
            if allowed.is_ok() {
                let order = Order {
                    incremental: true,
                    seconds,
                    ..Order::default()
                };
                self.begin_backups(world, &[id], &order);
                return 2.0;
            }
        }
        1.0
    }

    fn someone_runs_a_policy(&mut self, world: &mut World) -> f64 {
        let numbers: Vec<u32> = self.policies.keys().copied().collect();
        let Some(number) = world.rng.choice(numbers) else {
            return 1.0;
        };
        let Some(policy) = self
            .policies
            .get(&number)
            .filter(|policy| policy.run.is_none())
        else {
            return 1.0;
        };
        let servers: Vec<String> = policy
            .resources
            .iter()
            .map(|server| server.id.clone())
            .collect();
        let fine = servers
            .iter()
            .filter(|id| self.may_begin(world, id).is_ok())
            .count();
        if fine == 0 || fine * 2 < servers.len() {
            return 1.0;
        }
        self.run_policy(world, number, &servers, false, "");
        2.0 * servers.len() as f64
    }

    fn someone_restores(&mut self, world: &mut World) -> f64 {
        let range = self.backups.range();
        let recent = range.end.saturating_sub(200).max(range.start)..range.end;
        if recent.is_empty() {
            return 1.0;
        }
        for _ in 0..4 {
            let item = world.rng.u64(recent.clone());
            let Some(saved) = self
                .backups
                .get(item)
                .and_then(|backup| self.backups.snapshot(backup))
            else {
                continue;
            };
            let server_id = saved.server_id.clone();
            let disks = saved.volumes.iter().enumerate();
            let restore = Restore {
                item,
                volumes: disks
                    .map(|(index, disk)| (self.disk_backup_id(item, index), disk.id.clone()))
                    .collect(),
                server_id: server_id.clone(),
            };
            if !self.busy.contains_key(&server_id)
                && checks::restorable(world, self, &restore).is_ok()
            {
                self.begin_restore(world, item, &server_id, true);
                return 2.0;
            }
        }
        1.0
    }

    /// A server that is just being backed up is switched off, for a few minutes.
    fn server_goes_down(&mut self, world: &mut World) -> f64 {
        if self.asleep.len() >= 2 {
            return 1.0;
        }
        let busy: Vec<u64> = world
            .fleet
            .servers()
            .iter()
            .enumerate()
            .filter(|(_, server)| {
                server.state == ServerState::Active
                    && server.held_by.is_empty()
                    && self.busy.contains_key(&server.id)
            })
            .map(|(index, _)| index as u64)
            .collect();
        let Some(index) = world.rng.choice(busy) else {
            return 1.0;
        };
        self.switch(world, index, ServerState::Active, ServerState::Stopped);
        self.asleep.insert(index);
        let minutes = TimeDelta::seconds(world.rng.i64(90..240));
        world.schedule_in(self.service, minutes, what::REVIVE, index);
        world.count("csbs.traffic.server_down");
        2.0
    }

    /// A server that was switched off comes back, unless somebody else changed it meanwhile.
    pub(super) fn revive(&mut self, world: &mut World, index: u64) {
        if self.asleep.remove(&index) {
            self.switch(world, index, ServerState::Stopped, ServerState::Active);
        }
    }

    fn switch(&self, world: &mut World, index: u64, from: ServerState, to: ServerState) {
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

    /// The oldest backup that nobody needs is deleted; costs two changes.
    fn oldest_goes(&mut self, world: &mut World) -> f64 {
        let range = self.backups.range();
        let oldest = (self.traffic.oldest.max(range.start)..range.end)
            .take(64)
            .find(|number| {
                self.backups
                    .get(*number)
                    .is_some_and(|backup| !backup.status.busy())
            });
        // What was busy when it was looked at gets its chance in the next round.
        self.traffic.oldest = oldest.map_or(0, |number| number + 1);
        match oldest {
            Some(number) => {
                self.begin_delete(world, number, false);
                2.0
            }
            None => 1.0,
        }
    }
}

fn any_server(world: &mut World) -> Option<String> {
    let count = world.fleet.servers().len();
    let index = world.rng.usize(0..count.max(1));
    world
        .fleet
        .servers()
        .get(index)
        .map(|server| server.id.clone())
}
