//! What the service begins with: a policy for nearly every product, and the backups of the past 30 days.

use chrono::{Days, TimeDelta};

use super::backup::{Backup, Reason, Status};
use super::org::{COLLEAGUE, PEOPLE};
use super::policy::{Interval, Policy, Schedule};
use super::{Atlassian, what};
use crate::sim::ids::mix;
use crate::sim::world::World;

const DAY: i64 = 86_400_000;
const HISTORY: i64 = 30 * DAY;

impl Atlassian {
    /// Furnishes the service when the world is furnished, and writes the history that was asked for.
    pub(super) fn seed(&mut self, world: &mut World) {
        self.seed_storages(world);
        if !world.options.furnished {
            return;
        }
        let mut places = Vec::new();
        for (site, it) in self.sites.iter().enumerate() {
            // The sandbox has no policies.
            if site + 1 < self.sites.len() {
                places.extend((0..it.products.len()).map(|product| (site, product)));
            }
        }
        // The last two products are protected by nobody.
        places.truncate(places.len().saturating_sub(2));
        let count = places.len();
        for (index, (site, product)) in places.into_iter().enumerate() {
            self.seed_policy(world, index, count, (site, product));
        }
        self.seed_backups(world);
        for number in 0..self.policies.len() {
            if self.policies.get(number).is_some_and(|it| it.active) {
                self.arm(world, number);
            }
        }
    }

    fn seed_policy(
        &mut self,
        world: &mut World,
        index: usize,
        count: usize,
        (site, product): (usize, usize),
    ) {
        let today = world.now().date_naive();
        let ago = world.rng.u64(40..300);
        let started = today.checked_sub_days(Days::new(ago)).unwrap_or(today);
        // Spread over the day, so that there is always a next one soon.
        let slot = (index * 1440 / count.max(1) + 11) as i64 % 1440 * 60;
        let mut schedule = Schedule {
            interval: Interval::Daily,
            start: started,
            slot,
        };
        let mut active = true;
        let mut rights = true;
        let mut removed = false;
        // A few that need somebody: each state is there, in an organisation that is large enough.
        match index % 16 {
            3 => active = false,
            5 => removed = true,
            6 | 12 => schedule.interval = Interval::Weekly,
            7 => {
                schedule.interval = Interval::Once;
                schedule.start = today.checked_sub_days(Days::new(9)).unwrap_or(today);
                active = false;
            }
            11 => rights = false,
            13 => {
                schedule.interval = Interval::Once;
                schedule.start = today.checked_add_days(Days::new(2)).unwrap_or(today);
            }
            _ => {}
        }
        let name = self.sites.get_mut(site).map_or_else(String::new, |it| {
            let there = it.products.get_mut(product);
            let word = there.map_or("", |it| {
                it.present = index % 16 != 9;
                it.word
            });
            format!("{}-{}", it.name, word.to_lowercase())
        });
        // A site with a bucket of its own keeps its backups there.
        let own = self
            .storages
            .iter()
            .position(|storage| storage.site == Some(site));
        self.policies.push(Policy {
            name,
            site,
            product,
            storage: own.unwrap_or(0),
            includes: [index % 6 != 4, index % 3 != 2, true],
            schedule: (!removed).then_some(schedule),
            active: active && !removed,
            rights,
            next: None,
            created: world.now() - TimeDelta::days(i64::try_from(ago).unwrap_or(40)),
            author: if index.is_multiple_of(3) {
                PEOPLE.first().map_or(COLLEAGUE, |person| person.account)
            } else {
                COLLEAGUE
            }
            .to_owned(),
            backups: Default::default(),
        });
    }

    /// Backups that ended in the past, the oldest first.
    fn seed_backups(&mut self, world: &mut World) {
        let tasks = world.options.tasks;
        let daily = |policy: &&Policy| {
            let interval = policy.schedule.map(|schedule| schedule.interval);
            policy.active && interval == Some(Interval::Daily)
        };
        let daily = self.policies.iter().filter(daily).count();
        if tasks == 0 || daily == 0 {
            return;
        }
        let now = world.now().timestamp_millis();
        // The others add less than a tenth to what the daily ones have.
        let each = (tasks * 9 / 10).div_ceil(daily);
        let mut times: Vec<(i64, usize)> = Vec::new();
        for (number, policy) in self.policies.iter().enumerate() {
            let interval = policy.schedule.map(|schedule| schedule.interval);
            let slot = policy.schedule.map_or(0, |schedule| schedule.slot * 1000);
            let (first, most) = match interval {
                // Its one run is over, or still to come.
                Some(Interval::Once) if policy.active => continue,
                Some(Interval::Once) => (9, 1),
                Some(Interval::Weekly) => (3, each.min(4)),
                // Removed a few days ago.
                None => (6, each.min(24)),
                // Never activated.
                Some(Interval::Daily) if !policy.active => continue,
                Some(Interval::Daily) => (0, each),
            };
            let step = match interval {
                Some(Interval::Weekly) => 7 * DAY,
                _ if most <= 30 => DAY,
                _ => HISTORY / i64::try_from(most).unwrap_or(30),
            };
            let last = (now - first * DAY).div_euclid(DAY) * DAY + slot;
            let last = if last >= now - 1_800_000 {
                last - DAY
            } else {
                last
            };
            times.extend((0..most).map(|back| (last - back as i64 * step, number)));
        }
        times.sort_unstable();
        for (created, number) in times {
            self.seed_backup(world, number, created, now);
        }
    }

    fn seed_backup(&mut self, world: &mut World, number: usize, created: i64, now: i64) {
        let chance = mix(world.rng.u64(..));
        let Some(policy) = self.policies.get_mut(number) else {
            return;
        };
        let Some(product) = self
            .sites
            .get(policy.site)
            .and_then(|site| site.products.get(policy.product))
        else {
            return;
        };
        let age = (now - created) / DAY;
        let reason = if !product.present && age < 4 {
            Some(Reason::NoProduct)
        } else if !policy.rights && age < 7 {
            Some(Reason::Rights)
        } else if policy.storage > 0 && (12..14).contains(&age) {
            Some(Reason::Role)
        } else {
            None
        };
        let (status, share) = match reason {
            None => (Status::Completed, 0.9 + (chance & 255) as f64 / 2560.0),
            Some(Reason::Rights) => (Status::Incomplete, 0.3),
            Some(_) => (Status::Failed, 0.0),
        };
        let length = 60_000 + (chance >> 20) as i64 % 900_000;
        let ended = (created + length).min(now - 1);
        let backup = self.backups.push(Backup {
            policy: u32::try_from(number).unwrap_or(u32::MAX),
            // Those that failed had their three attempts; the records of the first two are not kept.
            attempt: if status == Status::Failed { 3 } else { 1 },
            status,
            created,
            updated: ended,
            due: ended,
            expiry: created + HISTORY,
            gb: product.gb * share,
            storage: u32::try_from(policy.storage).unwrap_or(0),
            reason,
            odd: None,
        });
        policy.backups.push_back(backup);
    }

    /// Runs that are under way when somebody looks first.
    pub(super) fn seed_running(&mut self, world: &mut World) {
        let count = self.policies.len();
        for index in [0, 2, 9, 8] {
            if index >= count {
                continue;
            }
            let Some(number) = self.begin(world, index, 1) else {
                continue;
            };
            let back = world.rng.i64(1_000..9_000);
            if let Some(backup) = self.backups.get_mut(number) {
                backup.created -= back;
                backup.updated -= back;
                backup.due -= back;
                let at = super::instant(backup.due);
                world.schedule(self.service, at, what::STEP, number);
            }
        }
    }
}
