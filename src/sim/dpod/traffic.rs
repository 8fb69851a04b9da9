//! What others do meanwhile: colleagues who execute plans from the web console, and gateways and destinations with
//! something wrong for a while, so that tasks fail for a reason and succeed again later. Its pace is the world's
//! change rate.

use chrono::TimeDelta;

use super::device::Damage;
use super::execution::Stage;
use super::plan::Family;
use super::{Dpod, what};
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
    /// How many things are wrong just now.
    wrong: usize,
}

/// The most runs under way at once that colleagues begin.
const MOST: usize = 3;

impl Traffic {
    /// How many milliseconds a step takes in a world in a hurry.
    pub fn in_a_hurry(&self) -> Option<i64> {
        self.pace.hurried(1_000_000.0, 100.0, 30_000.0)
    }
}

impl Dpod {
    /// Gets it going, with plans that run from the first moment on.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| !self.plans.is_empty()) else {
            return;
        };
        self.traffic.pace = pace;
        // One gateway does not do what it is asked to: the first runs show what a failure looks like.
        if let Some(device) = self.site.devices.get_mut(1) {
            device.soma = false;
            world.schedule_in(self.service, TimeDelta::minutes(6), what::MEND, 1);
            self.traffic.wrong = 1;
        }
        for name in [
            "payments-everywhere",
            "lab-secure-nightly",
            "fra-secure-nightly",
        ] {
            let number = self.plans.iter().position(|plan| plan.name == name);
            if let Some(number) = number {
                world.schedule_in(
                    self.service,
                    TimeDelta::zero(),
                    what::EXECUTE,
                    number as u64,
                );
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
        while self.traffic.pace.is_due() {
            let dice = world.rng.u8(0..100);
            let made = if self.traffic.pace.is_busy() || dice < 75 {
                self.someone_executes(world)
            } else {
                self.something_breaks(world)
            };
            self.traffic.pace.made(made);
        }
        self.next_turn(world);
    }

    /// Somebody executes a plan; a change for each of its tasks' steps is roughly what comes of it.
    fn someone_executes(&mut self, world: &mut World) -> f64 {
        let under_way = |it: &&super::execution::Execution| it.stage != Stage::Over;
        let most = if self.traffic.pace.is_busy() {
            40
        } else {
            MOST
        };
        if self.executions.iter().filter(under_way).count() >= most {
            return 1.0;
        }
        let number = world.rng.usize(0..self.plans.len().max(1));
        let Some(plan) = self.plans.get(number) else {
            return 1.0;
        };
        let runs = self
            .executions
            .iter()
            .any(|it| it.plan == number && it.stage != Stage::Over);
        if plan.family != Family::Backup || !plan.enabled || runs {
            return 1.0;
        }
        self.enqueue(world, number);
        4.0
    }

    /// Something goes wrong for some minutes: mostly one gateway, at times the destination.
    fn something_breaks(&mut self, world: &mut World) -> f64 {
        if self.traffic.wrong > self.site.devices.len() / 8 {
            return 1.0;
        }
        let index = world.rng.usize(0..self.site.devices.len().max(1));
        let dice = world.rng.u8(0..20);
        let Some(device) = self.site.devices.get_mut(index) else {
            return 1.0;
        };
        let mut id = index as u64;
        match dice {
            0..4 => device.up = false,
            4..7 => device.soma = false,
            7 => device.temp_full = true,
            8 => device.damage = Some(Damage::Hash),
            9 => device.damage = Some(Damage::Size),
            10 => device.damage = Some(Damage::Empty),
            11 => device.quiesce_sticks = true,
            12 => device.unquiesce_sticks = true,
            13 => device.hangs = true,
            14 => device.cert = false,
            15 => device.set_quiesced(super::task::ALL, true),
            16 => device.lost_backup = true,
            17 => {
                self.site.writable = false;
                id = u64::MAX;
            }
            18 => {
                self.site.full = true;
                id = u64::MAX;
            }
            _ => {
                self.site.restarted = world.now().timestamp_millis();
                return 1.0;
            }
        }
        self.traffic.wrong += 1;
        world.count("dpod.traffic.broken");
        let wait = TimeDelta::seconds(world.rng.i64(150..500));
        world.schedule_in(self.service, wait, what::MEND, id);
        1.0
    }

    /// It is mended.
    pub(super) fn mend(&mut self, id: u64) {
        self.traffic.wrong = self.traffic.wrong.saturating_sub(1);
        if id == u64::MAX {
            self.site.writable = true;
            self.site.full = false;
            return;
        }
        let device = usize::try_from(id)
            .ok()
            .and_then(|index| self.site.devices.get_mut(index));
        if let Some(device) = device {
            device.up = true;
            device.soma = true;
            device.temp_full = false;
            device.damage = None;
            device.quiesce_sticks = false;
            device.unquiesce_sticks = false;
            device.hangs = false;
            device.cert = true;
            device.lost_backup = false;
            if device.work.is_none() {
                device.set_quiesced(super::task::ALL, false);
            }
        }
    }
}
