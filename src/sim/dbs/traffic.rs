//! What others do meanwhile: colleagues who start backups and restores, pause plans and go on, and databases that are
//! away for a while, so that jobs fail for a reason and succeed again later. Its pace is the world's change rate.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::plan::PlanStatus;
use super::rows::{Restore, RestoreStatus, SetStatus};
use super::{Dbs, millis, what};
use crate::sim::fleet::ServerState;
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
    /// Restores that are to run once their check has passed.
    pub started: HashSet<u64>,
}

impl Traffic {
    /// How many milliseconds a backup takes in a world in a hurry.
    pub fn in_a_hurry(&self) -> Option<i64> {
        self.pace.hurried(8_000_000.0, 500.0, 60_000.0)
    }
}

impl Dbs {
    /// Gets it going, with a few backups already under way.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| !self.plans.is_empty()) else {
            return;
        };
        self.traffic.pace = pace;
        for _ in 0..3 {
            self.someone_backs_up(world);
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
        let most = world.options.tasks.max(200);
        while self.traffic.pace.is_due() {
            let dice = world.rng.u8(0..100);
            let made = if self.sets.len() > most {
                self.oldest_goes()
            } else if self.traffic.pace.is_busy() || dice < 60 {
                self.someone_backs_up(world)
            } else if dice < 75 {
                self.source_goes_down(world)
            } else if dice < 90 {
                self.someone_restores(world)
            } else {
                self.someone_pauses(world)
            };
            self.traffic.pace.made(made);
        }
        self.next_turn(world);
    }

    /// The oldest set expires; costs one change.
    fn oldest_goes(&mut self) -> f64 {
        if self.sets.front().is_some_and(|set| set.status.under_way()) {
            return 1.0;
        }
        if let Some(set) = self.sets.pop_front() {
            let number = self.first_set;
            self.first_set += 1;
            if let Some(plan) = self.plans.get_mut(set.plan as usize)
                && plan.sets.front() == Some(&number)
            {
                plan.sets.pop_front();
            }
        }
        1.0
    }

    /// A full backup by hand; three changes until it has ended.
    fn someone_backs_up(&mut self, world: &mut World) -> f64 {
        let hurry = self.traffic.in_a_hurry();
        for _ in 0..4 {
            let number = world.rng.usize(0..self.plans.len().max(1));
            let Some(plan) = self.plans.get(number) else {
                return 1.0;
            };
            let fit = plan.status == PlanStatus::Running && !plan.needs_check && !plan.released;
            if fit && (hurry.is_some() || !self.under_way(plan)) {
                self.begin_full(world, number, hurry, "");
                return 3.0;
            }
        }
        1.0
    }

    fn someone_restores(&mut self, world: &mut World) -> f64 {
        let number = world.rng.usize(0..self.plans.len().max(1));
        let found = self.plans.get(number).and_then(|plan| {
            let set = plan.sets.iter().rev().copied().find(|set| {
                self.set(*set)
                    .is_some_and(|set| set.status == SetStatus::Finish)
            })?;
            Some((plan, set)).filter(|_| !plan.released)
        });
        let Some((plan, set)) = found else { return 1.0 };
        let restore = Restore {
            plan: u32::try_from(number).unwrap_or(u32::MAX),
            name: format!("restore-{}", plan.source.database),
            status: RestoreStatus::Init,
            created: millis(world.now()),
            started: 0,
            due: 0,
            ended: 0,
            set: Some(set),
            point: 0,
            objects: plan.objects.clone(),
            dir: String::new(),
            mode: String::new(),
            to: plan.source.clone(),
            precheck: super::plan::Precheck {
                job: 0,
                begun: 0,
                ends: 0,
                verdict: None,
            },
            reason: None,
            odd: None,
        };
        let number = self.add_restore(world, restore);
        self.traffic.started.insert(number as u64);
        3.0
    }

    fn someone_pauses(&mut self, world: &mut World) -> f64 {
        let number = world.rng.usize(0..self.plans.len().max(1));
        match self
            .plans
            .get(number)
            .map(|plan| (plan.status, plan.released))
        {
            Some((PlanStatus::Running, false)) if world.rng.u8(0..4) == 0 => {
                let all = world.rng.bool();
                self.pause(world, number, all);
            }
            Some((PlanStatus::Pause, false)) => {
                self.enter_service(world, number, true, "");
            }
            _ => {}
        }
        1.0
    }

    /// A database does not answer for some minutes.
    fn source_goes_down(&mut self, world: &mut World) -> f64 {
        let index = world.rng.usize(0..self.sources.all.len().max(1));
        let Some(source) = self.sources.all.get_mut(index) else {
            return 1.0;
        };
        if let Some(id) = source.server.clone() {
            match world.fleet.get_mut(&id) {
                Some(server) if server.state == ServerState::Active => {
                    server.state = ServerState::Stopped;
                }
                // Somebody else's doing.
                _ => return 1.0,
            }
        } else if source.down {
            return 1.0;
        } else {
            source.down = true;
        }
        world.count("dbs.traffic.source_down");
        let wait = TimeDelta::seconds(world.rng.i64(120..900));
        world.schedule_in(self.service, wait, what::REVIVE, index as u64);
        1.0
    }

    /// It answers again.
    pub(super) fn revive(&mut self, world: &mut World, id: u64) {
        let Some(source) = self.sources.all.get_mut(id as usize) else {
            return;
        };
        source.down = false;
        if let Some(id) = &source.server
            && let Some(server) = world.fleet.get_mut(id)
            && server.state == ServerState::Stopped
        {
            server.state = ServerState::Active;
        }
    }
}
