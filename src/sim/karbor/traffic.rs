//! What others do meanwhile: colleagues who run plans, delete old checkpoints and restore, and services that are away for a
//! while, so that runs fail for a reason and succeed again later. Its pace is the world's change rate.

use chrono::TimeDelta;
use serde_json::json;

use super::checkpoint::Status;
use super::provider::Provider;
use super::restore::Sort;
use super::{Karbor, MEND, TRAFFIC, tag};
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
}

/// How many checkpoints a busy service keeps of a plan.
const KEPT: usize = 40;
/// What is mended: the disk service.
const CINDER: u64 = 0;
/// What is mended: the bank.
const BANK: u64 = 1;

impl Traffic {
    /// Whether everything has to go faster than disks do.
    pub fn in_a_hurry(&self) -> bool {
        self.pace.is_busy()
    }
}

impl Karbor {
    /// Gets it going, with a few runs already under way.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| !self.plans.is_empty()) else {
            return;
        };
        self.traffic.pace = pace;
        for _ in 0..2 {
            self.someone_runs(world);
        }
        self.next_turn(world);
    }

    fn next_turn(&self, world: &mut World) {
        self.traffic.pace.next_turn(world, self.service, TRAFFIC);
    }

    /// One turn.
    pub(super) fn make_traffic(&mut self, world: &mut World) {
        self.traffic.pace.turn();
        while self.traffic.pace.is_due() {
            let dice = world.rng.u8(0..100);
            let made = if self.too_many() {
                self.someone_deletes(world)
            } else if self.traffic.in_a_hurry() || dice < 50 {
                self.someone_runs(world)
            } else if dice < 70 {
                self.someone_restores(world, Sort::Restore)
            } else if dice < 75 {
                self.someone_restores(world, Sort::Verification)
            } else if dice < 90 {
                self.someone_deletes(world)
            } else if dice < 98 {
                self.goes_away(world, CINDER)
            } else {
                self.goes_away(world, BANK)
            };
            self.traffic.pace.made(made);
        }
        self.next_turn(world);
    }

    /// Whether it is time to delete; what has failed can't be deleted and doesn't count.
    fn too_many(&self) -> bool {
        let most = self.plans.len() * KEPT;
        if self.alive.len() <= most {
            return false;
        }
        let good = self.alive.iter().filter(|number| {
            self.checkpoints
                .get(**number)
                .is_some_and(|it| it.status == Status::Available)
        });
        good.take(most + 1).count() > most
    }

    /// A plan is run by hand; two changes until it has ended.
    fn someone_runs(&mut self, world: &mut World) -> f64 {
        let number = world.rng.usize(0..self.plans.len().max(1));
        let Some(plan) = self.plans.get(number).filter(|plan| !plan.deleted) else {
            return 1.0;
        };
        let now = plan.now.clone();
        let known = |it: &super::plan::Resource| now.provider.protects(&it.kind);
        // Nobody runs by hand what is known to fail.
        let graph = self.graph(world, &now.resources).unwrap_or_default();
        let well = self.trouble(world, now.provider, &graph).is_none();
        if !now.resources.iter().all(known) || !well {
            return 1.0;
        }
        let provider = now.provider.id();
        let id = self.ids.uuid(tag::PLAN, number as u64);
        let _ = self.make_checkpoint(world, provider, &id);
        2.0
    }

    /// The oldest checkpoint that can go goes.
    fn someone_deletes(&mut self, world: &mut World) -> f64 {
        let may = |number: &&usize| {
            self.checkpoints
                .get(**number)
                .is_some_and(|it| it.status == Status::Available)
        };
        if let Some(number) = self.alive.iter().find(may).copied() {
            let _ = self.remove_checkpoint(world, number);
        }
        2.0
    }

    fn someone_restores(&mut self, world: &mut World, sort: Sort) -> f64 {
        let newest: Vec<usize> = self.alive.iter().rev().take(50).copied().collect();
        let good = newest.into_iter().find(|number| {
            self.checkpoints.get(*number).is_some_and(|it| {
                it.status == Status::Available && it.plan.provider == Provider::Infra
            })
        });
        let Some(number) = good else { return 1.0 };
        let given = json!({
            "provider_id": Provider::Infra.id(), "parameters": {},
            "checkpoint_id": self.ids.uuid(tag::CHECKPOINT, number as u64),
        });
        self.begin_check(world, sort, &given);
        2.0
    }

    /// A service can't be reached for some minutes.
    fn goes_away(&mut self, world: &mut World, what: u64) -> f64 {
        let up = if what == CINDER {
            &mut self.cinder_up
        } else {
            &mut self.bank_up
        };
        // Somebody else's doing, or already away.
        if !*up {
            return 1.0;
        }
        *up = false;
        world.count("karbor.traffic.away");
        let wait = TimeDelta::seconds(world.rng.i64(60..420));
        world.schedule_in(self.service, wait, MEND, what);
        1.0
    }

    /// It is back.
    pub(super) fn mend(&mut self, what: u64) {
        if what == CINDER {
            self.cinder_up = true;
        } else {
            self.bank_up = true;
        }
    }
}
