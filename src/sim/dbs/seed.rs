//! What the service begins with: a plan for nearly every database, and jobs of the past 30 days.

use chrono::TimeDelta;
use serde_json::json;

use super::plan::{DownloadRule, Endpoint, Plan, PlanStatus, Precheck, Rhythm};
use super::reasons::Reason;
use super::rows::{FullSet, Increment, Restore, RestoreStatus, SetStatus};
use super::source::Source;
use super::{Dbs, millis, what};
use crate::sim::ids::mix;
use crate::sim::world::World;

const DAY: i64 = 86_400_000;
const HISTORY: i64 = 30 * DAY;

impl Dbs {
    /// Furnishes the service when the world is furnished, and writes the history that was asked for.
    pub(super) fn seed(&mut self, world: &mut World) {
        if world.options.furnished {
            for index in 0..self.sources.all.len() {
                self.seed_plan(world, index);
            }
        }
        self.seed_history(world, world.options.tasks);
        for number in 0..self.plans.len() {
            let Some(plan) = self.plans.get(number) else {
                continue;
            };
            if plan.prepaid {
                world.schedule(self.service, plan.expires, what::EXPIRE, number as u64);
            }
            if plan.status == PlanStatus::Running {
                self.enter_service(world, number, false, "");
            }
        }
    }

    fn seed_plan(&mut self, world: &mut World, index: usize) {
        let count = self.sources.all.len().max(1);
        let Some(source) = self.sources.all.get(index) else {
            return;
        };
        let gateway = source
            .gateway
            .and_then(|gateway| self.sources.gateways.get(gateway));
        let mut plan = plan_of(world, source, index);
        plan.source.gateway = gateway.map_or(0, |gateway| gateway.id);
        // Spread over the day, so that there is always a next one soon.
        let minute = index * 1440 / count + 7;
        plan.rhythm = Rhythm::daily((minute / 60) as u32, (minute % 60) as u32);
        if index % 7 == 3
            && let Some(days) = Rhythm::days_of("Sunday,Wednesday")
        {
            plan.rhythm = plan.rhythm.on(days);
        }
        let now = millis(world.now());
        let checked = |ago: i64, verdict| {
            Some(Precheck {
                job: index as u64,
                begun: now - ago,
                ends: now - ago + 15_000,
                verdict: Some(verdict),
            })
        };
        plan.precheck = checked(60 * DAY, Ok(()));
        // A few that need somebody: each state is there, in a fleet that is large enough.
        match index {
            2 => {
                plan.status = PlanStatus::Init;
                plan.error = Some(Reason::Denied);
                plan.precheck = checked(2 * 3_600_000, Err(Reason::Denied));
                if let Some(source) = self.sources.all.get_mut(index) {
                    source.denied = true;
                }
            }
            4 => plan.status = PlanStatus::Pause,
            6 => {
                plan.status = PlanStatus::Stop;
                plan.error = Some(Reason::Unreachable);
                plan.proven = false;
            }
            8 => {
                plan.status = PlanStatus::Locked;
                plan.error = Some(Reason::Expired);
                plan.expires = world.now() - TimeDelta::days(3);
            }
            10 => plan.status = PlanStatus::CheckPass,
            _ => {}
        }
        self.next_check = index as u64 + 1;
        self.plans.push(plan);
    }

    /// Jobs that ended in the past, evenly spread, the oldest first: mostly full backups, then increments and restores.
    fn seed_history(&mut self, world: &mut World, tasks: usize) {
        let plans: Vec<usize> = (0..self.plans.len())
            .filter(|number| {
                self.plans.get(*number).is_some_and(|plan| {
                    !matches!(plan.status, PlanStatus::Init | PlanStatus::CheckPass)
                })
            })
            .collect();
        if plans.is_empty() || tasks == 0 {
            return;
        }
        let full = tasks * 7 / 10;
        let restores = tasks / 20;
        self.seed_sets(world, &plans, full);
        self.seed_increments(world, tasks - full - restores);
        self.seed_restores(world, &plans, restores);
    }

    fn seed_sets(&mut self, world: &mut World, plans: &[usize], count: usize) {
        let now = millis(world.now());
        let step = (HISTORY / i64::try_from(count.max(1)).unwrap_or(HISTORY)).max(1);
        for index in 0..count {
            let chance = mix(world.rng.u64(..));
            let Some(number) = plans.get((chance % plans.len() as u64) as usize).copied() else {
                continue;
            };
            let (failing, bytes) = match self.plans.get(number) {
                Some(plan) => {
                    let source = self
                        .source_of(plan)
                        .and_then(|source| self.sources.all.get(source));
                    (
                        plan.status == PlanStatus::Stop,
                        source.map_or(1 << 30, |source| source.bytes),
                    )
                }
                None => continue,
            };
            let created = now - HISTORY + step * index as i64 + (chance >> 20) as i64 % step;
            let length = 30_000 + (chance >> 30) as i64 % 900_000;
            let ended = (created + length).min(now - 1);
            // An outage of the storage about a week ago, and now and then a database that was down.
            let outage = index * 60 / count == 46;
            let reason = match chance >> 40 & 63 {
                _ if failing => Some(Reason::Unreachable),
                0..=20 if outage => Some(Reason::Storage),
                0 => Some(Reason::Unreachable),
                1 if chance >> 50 & 1 == 0 => Some(Reason::Denied),
                _ => None,
            };
            let set = self.first_set + self.sets.len() as u64;
            self.sets.push_back(FullSet {
                plan: u32::try_from(number).unwrap_or(u32::MAX),
                status: if reason.is_some() {
                    SetStatus::Stop
                } else {
                    SetStatus::Finish
                },
                created,
                started: (created + 20_000).min(ended),
                due: ended,
                ended,
                bytes: if reason.is_some() {
                    0
                } else {
                    bytes / 100 * (70 + (chance >> 8) % 30)
                },
                reason,
                odd: None,
            });
            if let Some(plan) = self.plans.get_mut(number) {
                plan.sets.push_back(set);
                plan.proven |= reason.is_none();
            }
        }
    }

    fn seed_increments(&mut self, world: &World, count: usize) {
        let logged: Vec<usize> = (0..self.plans.len())
            .filter(|number| self.plans.get(*number).is_some_and(|plan| plan.log))
            .collect();
        let each = count / logged.len().max(1);
        let now = millis(world.now());
        for number in logged {
            for back in (1..=each.min(600)).rev() {
                let next = self.next_increment;
                self.next_increment += 1;
                let Some(plan) = self.plans.get_mut(number) else {
                    continue;
                };
                let step = plan.log_seconds * 1000;
                let from = now - step * back as i64;
                let chance = mix(next);
                plan.increments.push_back(Increment {
                    number: next,
                    from,
                    to: from + step,
                    bytes: (1 << 18) + chance % (1 << 26),
                    whole: chance >> 30 & 31 != 0,
                });
            }
        }
    }

    fn seed_restores(&mut self, world: &mut World, plans: &[usize], count: usize) {
        let now = millis(world.now());
        for index in 0..count {
            let chance = mix(world.rng.u64(..));
            let Some(number) = plans.get((chance % plans.len() as u64) as usize).copied() else {
                continue;
            };
            let Some(plan) = self.plans.get(number) else {
                continue;
            };
            let set = plan.sets.iter().copied().find(|set| {
                self.set(*set)
                    .is_some_and(|set| set.status == SetStatus::Finish)
            });
            let ahead = HISTORY / i64::try_from(count.max(1)).unwrap_or(1);
            let created = now - HISTORY + ahead * index as i64 + 60_000;
            let failed = chance >> 20 & 7 == 0;
            let to = Endpoint {
                ssl: String::new(),
                ..plan.source.clone()
            };
            let restore = Restore {
                plan: u32::try_from(number).unwrap_or(u32::MAX),
                name: format!("drill-{:03}", index + 1),
                status: if failed {
                    RestoreStatus::Stop
                } else {
                    RestoreStatus::Done
                },
                created,
                started: created + 30_000,
                due: created + 400_000,
                ended: created + if failed { 90_000 } else { 400_000 },
                set,
                point: 0,
                objects: json!([{"DBName": plan.source.database, "NewDBName": "drill"}])
                    .to_string(),
                dir: String::new(),
                mode: String::new(),
                to,
                precheck: Precheck {
                    job: self.next_check,
                    begun: created,
                    ends: created + 15_000,
                    verdict: Some(Ok(())),
                },
                reason: failed.then_some(Reason::Destination),
                odd: None,
            };
            self.next_check += 1;
            if let Some(plan) = self.plans.get_mut(number) {
                plan.restores.push(self.restores.len() as u64);
            }
            self.restores.push(restore);
        }
    }
}

fn plan_of(world: &World, source: &Source, index: usize) -> Plan {
    let created = world.now() - TimeDelta::days(60 + (index % 40) as i64);
    let physical = source.kind == "agent" || source.db_type == "Oracle";
    let mut plan = Plan::bought(
        created,
        source.region.to_owned(),
        source.db_type.to_owned(),
        if physical { "physical" } else { "logical" }.to_owned(),
        ["micro", "small", "medium", "large", "xlarge"]
            .get(index % 5)
            .copied()
            .unwrap_or("small")
            .to_owned(),
    );
    plan.name = format!(
        "{}-{}",
        source.db_type.to_lowercase(),
        source.name.replace('_', "-")
    );
    plan.status = PlanStatus::Running;
    plan.prepaid = !index.is_multiple_of(3);
    plan.expires = world.now() + TimeDelta::days(20 + (index * 13 % 300) as i64);
    plan.proven = true;
    plan.log = index.is_multiple_of(2) && source.db_type != "MSSQL";
    plan.objects = json!([{"DBName": source.name}]).to_string();
    plan.resource_group = "rg-acfm-operations".to_owned();
    plan.storage_type = "system".to_owned();
    plan.download = DownloadRule::default();
    plan.source = Endpoint {
        kind: source.kind.to_owned(),
        instance: source.instance.clone(),
        region: source.region.to_owned(),
        host: source.host.clone(),
        port: source.port.to_string(),
        database: source.name.clone(),
        user: source.user.to_owned(),
        sid: if source.db_type == "Oracle" {
            "ORCL".to_owned()
        } else {
            String::new()
        },
        ssl: "false".to_owned(),
        gateway: 0,
    };
    plan
}
