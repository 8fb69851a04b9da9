//! What others do meanwhile: colleagues who move schedules, activate and pause policies and try restores in the
//! sandbox, products that go away for a while and roles that do not fit any more, so that backups fail for a reason
//! and succeed again later. Its pace is the world's change rate.

use chrono::TimeDelta;

use super::backup::Status;
use super::org::COLLEAGUE;
use super::policy::Interval;
use super::{Atlassian, what};
use crate::sim::pace::Pace;
use crate::sim::world::World;

/// The pace, and what is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pace: Pace,
    /// How many products and roles are away just now.
    away: usize,
}

impl Traffic {
    /// How many milliseconds a step of a backup takes in a world in a hurry.
    pub fn in_a_hurry(&self) -> Option<i64> {
        self.pace.hurried(8_000_000.0, 500.0, 60_000.0)
    }
}

impl Atlassian {
    /// Gets it going, with a few backups already under way.
    pub(super) fn start_traffic(&mut self, world: &mut World) {
        let Some(pace) = Pace::of(world).filter(|_| !self.policies.is_empty()) else {
            return;
        };
        self.traffic.pace = pace;
        self.seed_running(world);
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
        let most = world.options.tasks.max(200) * 2;
        while self.traffic.pace.is_due() {
            let dice = world.rng.u8(0..100);
            let made = if self.backups.len() > most {
                self.drop_oldest();
                1.0
            } else if self.traffic.pace.is_busy() || dice < 66 {
                self.someone_moves_a_slot(world)
            } else if dice < 78 {
                self.someone_restores(world)
            } else if dice < 85 {
                self.product_goes(world)
            } else if dice < 90 {
                self.role_changes(world)
            } else {
                self.someone_activates(world)
            };
            self.traffic.pace.made(made);
        }
        self.next_turn(world);
    }

    /// Whether enough is broken already: mostly things go well.
    fn enough_trouble(&self) -> bool {
        self.traffic.away > self.policies.len() / 16
    }

    fn any(&self, world: &mut World) -> usize {
        world.rng.usize(0..self.policies.len().max(1))
    }

    /// Somebody edits a schedule and the service assigns a time right now; three changes until the backup has ended.
    fn someone_moves_a_slot(&mut self, world: &mut World) -> f64 {
        for _ in 0..4 {
            let number = self.any(world);
            let picked = self.policies.get(number).is_some_and(|policy| {
                // What is known to fail is mostly left alone until it is mended.
                policy.active && (self.trouble(policy).is_none() || world.rng.u8(0..4) == 0)
            });
            if picked && self.begin(world, number, 1).is_some() {
                return 3.0;
            }
        }
        1.0
    }

    /// Somebody tries a backup out, mostly in the sandbox.
    fn someone_restores(&mut self, world: &mut World) -> f64 {
        let policy = self.any(world);
        let now = world.now().timestamp_millis();
        let Some(policy) = self.policies.get(policy) else {
            return 1.0;
        };
        let Some(backup) = policy.backups.iter().rev().copied().find(|number| {
            self.backups
                .get(*number)
                .is_some_and(|it| it.status == Status::Completed && it.expiry > now)
        }) else {
            return 1.0;
        };
        let word = self.product_word(policy);
        let site = if world.rng.u8(0..5) == 0 {
            policy.site
        } else {
            self.sites.len().saturating_sub(1)
        };
        let Some(product) = self.sites.get(site).and_then(|site| site.product(word)) else {
            return 1.0;
        };
        let open = self.restores.iter().any(|restore| {
            (restore.site, restore.product) == (site, product) && restore.status.under_way()
        });
        if !open {
            self.add_restore(world, backup, (site, product), COLLEAGUE);
            // Whoever tries the next one finds the sandbox emptied.
            let id = (site as u64) << 8 | product as u64;
            world.schedule_in(self.service, TimeDelta::minutes(11), what::EMPTIED, id);
        }
        3.0
    }

    /// The sandbox is emptied again.
    pub(super) fn emptied(&mut self, id: u64) {
        let (site, product) = ((id >> 8) as usize, (id & 255) as usize);
        if site + 1 == self.sites.len()
            && let Some(product) = self
                .sites
                .get_mut(site)
                .and_then(|site| site.products.get_mut(product))
        {
            product.empty = true;
        }
    }

    /// A product is taken off its site for some minutes.
    fn product_goes(&mut self, world: &mut World) -> f64 {
        let number = self.any(world);
        let place = self.policies.get(number).map(|it| (it.site, it.product));
        let Some((site, product)) = place.filter(|_| !self.enough_trouble()) else {
            return 1.0;
        };
        if let Some(it) = self
            .sites
            .get_mut(site)
            .and_then(|site| site.products.get_mut(product))
            && it.present
        {
            it.present = false;
            self.traffic.away += 1;
            world.count("atlassian.traffic.product_gone");
            let wait = TimeDelta::seconds(world.rng.i64(180..480));
            let id = (site as u64) << 8 | product as u64;
            world.schedule_in(self.service, wait, what::PRODUCT_BACK, id);
            self.begin(world, number, 1);
        }
        1.0
    }

    /// It is back.
    pub(super) fn product_back(&mut self, id: u64) {
        self.traffic.away = self.traffic.away.saturating_sub(1);
        let (site, product) = ((id >> 8) as usize, (id & 255) as usize);
        if let Some(product) = self
            .sites
            .get_mut(site)
            .and_then(|site| site.products.get_mut(product))
        {
            product.present = true;
        }
    }

    /// The customer's role does not fit for some minutes.
    fn role_changes(&mut self, world: &mut World) -> f64 {
        if self.storages.len() < 2 || self.enough_trouble() {
            return 1.0;
        }
        let number = world.rng.usize(1..self.storages.len());
        if let Some(storage) = self.storages.get_mut(number)
            && storage.role_fits
        {
            storage.role_fits = false;
            self.traffic.away += 1;
            world.count("atlassian.traffic.role_changed");
            let wait = TimeDelta::seconds(world.rng.i64(180..480));
            world.schedule_in(self.service, wait, what::ROLE_BACK, number as u64);
            let policy = self
                .policies
                .iter()
                .position(|policy| policy.active && policy.storage == number);
            if let Some(policy) = policy {
                self.begin(world, policy, 1);
            }
        }
        1.0
    }

    /// It fits again.
    pub(super) fn role_back(&mut self, id: u64) {
        self.traffic.away = self.traffic.away.saturating_sub(1);
        if let Some(storage) = usize::try_from(id)
            .ok()
            .and_then(|number| self.storages.get_mut(number))
        {
            storage.role_fits = true;
        }
    }

    /// Somebody activates a one-time policy again, or takes a daily one's schedule away and gives it back.
    fn someone_activates(&mut self, world: &mut World) -> f64 {
        let number = self.any(world);
        let today = world.now().date_naive();
        let Some(policy) = self.policies.get_mut(number) else {
            return 1.0;
        };
        let once = policy
            .schedule
            .is_some_and(|schedule| schedule.interval == Interval::Once);
        if policy.active || !once {
            return 1.0;
        }
        if let Some(schedule) = &mut policy.schedule {
            schedule.start = today;
        }
        policy.active = true;
        world.count("atlassian.policy.activated");
        self.arm(world, number);
        3.0
    }
}
