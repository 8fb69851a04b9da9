//! What the service begins with: plans over the fleet with their schedules, and a history of runs over the past 30 days
//! in which disks were out of reach for some hours, the operation engine stood still for a few, and one plan names a disk
//! that nobody has any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::checkpoint::{Checkpoint, Graph, Status};
use super::flow::{GIGABYTES, PROJECT, SERVER, VOLUME, named};
use super::log::{Log, Operation as Kind};
use super::operation::Operation;
use super::plan::{Plan, Resource, Snapshot};
use super::provider::Provider;
use super::quota::default_name;
use super::restore::Check;
use super::{Karbor, small, tag};
use crate::sim::world::World;

const HISTORY_DAYS: i64 = 30;
/// The plan that nobody can run.
const EVERYTHING: &str = "whole-project";
/// Servers of one plan.
const GROUP: usize = 24;
/// Beyond so many tasks the deletions of old checkpoints are left out of the log.
const LONG: usize = 50_000;

/// How often the servers of a role are protected, and for how many days; `None` leaves them without a plan.
fn rhythm(role: &str) -> Option<(&'static str, i64)> {
    Some(match role {
        "db" | "erp" => ("six-hourly", 7),
        "web" | "app" | "auth" | "file" | "sap" => ("nightly", 14),
        "mail" | "cache" | "mon" | "rac" | "edge" => ("weekly", 30),
        _ => return None,
    })
}

fn rule(rhythm: &str) -> &'static str {
    match rhythm {
        "six-hourly" => "FREQ=DAILY;BYHOUR=1,7,13,19;BYMINUTE=20;BYSECOND=0",
        "nightly" => "FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0",
        _ => "FREQ=WEEKLY;BYDAY=SU;BYHOUR=4;BYMINUTE=30;BYSECOND=0",
    }
}

/// A line of the history, before it is in order.
struct Past {
    at: i64,
    ended: Option<i64>,
    kind: Kind,
    status: Status,
    checkpoint: usize,
    restore: Option<usize>,
}

impl Karbor {
    /// Declares the limits, and furnishes the service when the world is furnished.
    pub(super) fn seed(&mut self, world: &mut World) {
        world.quotas.declare(&default_name("plans"), 50);
        world.quotas.declare(&default_name("checkpoints"), -1);
        world.quotas.declare(GIGABYTES, -1);
        if !world.options.furnished {
            return;
        }
        let schedules = self.seed_plans(world);
        if world.options.tasks > 0 {
            self.seed_history(world, &schedules);
        }
        let project = world.account.project_id.clone();
        let plans = self.usage.plans;
        if plans > 40 {
            self.limits
                .entry(project)
                .or_default()
                .insert("plans".into(), plans * 6 / 5);
        }
    }

    /// Makes triggers, plans and scheduled operations; answers each plan's trigger and days of retention.
    fn seed_plans(&mut self, world: &mut World) -> BTreeMap<usize, (usize, i64)> {
        let mut triggers = BTreeMap::new();
        for rhythm in ["six-hourly", "nightly", "weekly"] {
            triggers.insert(rhythm, self.seed_trigger(world, rhythm));
        }
        let mut groups: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
        for server in world.fleet.servers() {
            let role = server.name.split('-').nth(1).unwrap_or("misc");
            let it = named(SERVER, &server.id, &server.name);
            groups.entry(role.to_owned()).or_default().push(it);
        }
        let mut schedules = BTreeMap::new();
        for (role, servers) in groups {
            let Some((rhythm, days)) = rhythm(&role) else {
                continue;
            };
            for (index, part) in servers.chunks(GROUP).enumerate() {
                let name = match index {
                    0 => format!("{role}-servers"),
                    index => format!("{role}-servers-{}", index + 1),
                };
                let about = format!("{rhythm} backup of the {role} servers");
                let plan =
                    self.seed_plan(world, &name, Some(&about), Provider::Infra, part.to_vec());
                if let Some(trigger) = triggers.get(rhythm) {
                    self.seed_operation(
                        world,
                        &format!("{name}-{rhythm}"),
                        plan,
                        *trigger,
                        Some(days),
                    );
                    schedules.insert(plan, (*trigger, days));
                }
            }
        }
        let nightly = triggers.get("nightly").copied().unwrap_or(0);
        // A disk that somebody deleted without telling the plan.
        let gone = vec![named(VOLUME, &world.uuid(), "legacy-reports-data")];
        let plan = self.seed_plan(world, "legacy-reports", None, Provider::Infra, gone);
        self.seed_operation(world, "legacy-reports-nightly", plan, nightly, None);
        schedules.insert(plan, (nightly, 30));
        if let Some(server) = world.fleet.servers().first() {
            let some = vec![named(SERVER, &server.id, &server.name)];
            let about = Some("tries the schedule out, protects nothing");
            let weekly = triggers.get("weekly").copied().unwrap_or(0);
            let plan = self.seed_plan(world, "dry-run", about, Provider::Noop, some);
            self.seed_operation(world, "dry-run-weekly", plan, weekly, None);
            schedules.insert(plan, (weekly, 30));
        }
        // The whole project, which no plugin here can protect: running it leaves something behind that never ends.
        let account = &world.account;
        let all = vec![named(PROJECT, &account.project_id, &account.project)];
        self.seed_plan(world, EVERYTHING, None, Provider::Infra, all);
        // A schedule whose plan was deleted goes on firing.
        let old = vec![named(VOLUME, &world.uuid(), "erp-old-data")];
        let plan = self.seed_plan(world, "erp-old", None, Provider::Infra, old);
        self.seed_operation(world, "erp-old-nightly", plan, nightly, None);
        if let Some(plan) = self.plans.get_mut(plan) {
            plan.deleted = true;
        }
        self.usage.plans -= 1;
        schedules
    }

    fn seed_trigger(&mut self, world: &mut World, rhythm: &str) -> usize {
        let begun = world.now() - TimeDelta::days(HISTORY_DAYS + 60);
        let pattern = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{}\r\nEND:VEVENT\r\nEND:VCALENDAR",
            rule(rhythm)
        );
        let start = begun.format("%Y-%m-%d 00:00:00").to_string();
        let mut properties = Map::new();
        for (key, value) in [
            ("format", "calendar"),
            ("pattern", pattern.as_str()),
            ("start_time", start.as_str()),
            ("window", "1800"),
        ] {
            properties.insert(key.into(), value.into());
        }
        match self.verify(world, &properties) {
            Ok(armed) => self.add_trigger(world, rhythm.to_owned(), properties, armed),
            // A window or interval beyond what this was written for: no trigger then.
            Err(_) => usize::MAX,
        }
    }

    fn seed_plan(
        &mut self,
        world: &World,
        name: &str,
        about: Option<&str>,
        provider: Provider,
        resources: Vec<Resource>,
    ) -> usize {
        let created = world.now() - TimeDelta::days(HISTORY_DAYS + 60);
        let number = self.plans.len();
        self.add_plan(Plan {
            now: Arc::new(Snapshot {
                plan: number,
                name: name.to_owned(),
                provider,
                resources,
            }),
            description: about.map(str::to_owned),
            status: Some("suspended".to_owned()),
            parameters: json!({}),
            created: created.timestamp_micros(),
            deleted: false,
        })
    }

    fn seed_operation(
        &mut self,
        world: &World,
        name: &str,
        plan: usize,
        trigger: usize,
        days: Option<i64>,
    ) {
        let provider = self
            .plans
            .get(plan)
            .map_or(Provider::Infra, |it| it.now.provider);
        let mut definition = Map::new();
        definition.insert(
            "plan_id".into(),
            self.ids.uuid(tag::PLAN, plan as u64).into(),
        );
        definition.insert("provider_id".into(), provider.id().into());
        if let Some(days) = days {
            definition.insert("retention_duration".into(), days.to_string().into());
        }
        self.operations.push(Operation {
            name: name.to_owned(),
            description: None,
            kind: match days {
                Some(_) => "retention_protect".to_owned(),
                None => "protect".to_owned(),
            },
            trigger,
            definition,
            created: world.now().timestamp_micros(),
            deleted: false,
        });
    }

    fn seed_history(&mut self, world: &mut World, schedules: &BTreeMap<usize, (usize, i64)>) {
        let now = world.now();
        let begun = now - TimeDelta::days(HISTORY_DAYS);
        let outages = outages(world, begun);
        let still = begun + TimeDelta::hours(world.rng.i64(100..600));
        let mut runs = self.runs(world, schedules, begun, now);
        // The engine stood still: no run, and no trace of the ones that should have been.
        runs.retain(|(at, _)| *at < still || *at > still + TimeDelta::hours(7));
        let live = (2_000 / schedules.len().max(1)).clamp(3, 40);
        let graphs: BTreeMap<usize, Arc<Graph>> = schedules
            .keys()
            .filter_map(|plan| Some((*plan, self.plans.get(*plan)?.now.clone())))
            .filter_map(|(plan, now)| {
                Some((plan, Arc::new(self.graph(world, &now.resources).ok()?)))
            })
            .collect();
        let mut newer: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, plan) in &runs {
            *newer.entry(*plan).or_default() += 1;
        }
        let mut past = Vec::new();
        for (at, plan) in runs {
            let (Some(row), Some(graph)) = (self.plans.get(plan), graphs.get(&plan)) else {
                continue;
            };
            let snapshot = row.now.clone();
            let left = newer.entry(plan).or_default();
            *left = left.saturating_sub(1);
            let days = schedules.get(&plan).map_or(30, |(_, days)| *days);
            let away = outages.iter().any(|(from, to)| *from <= at && at <= *to);
            let infra = snapshot.provider == Provider::Infra;
            let gone = snapshot.name == "legacy-reports";
            let failed = gone || (away && infra);
            let old = (now - at).num_days() > days || *left >= live;
            let seconds = match (failed, infra) {
                (true, _) => world.rng.i64(2..40),
                (false, false) => 1,
                (false, true) => world.rng.i64(60..1_500),
            };
            let start = at.timestamp_micros() + world.rng.i64(100_000..14_000_000);
            let end = (start + seconds * 1_000_000 + world.rng.i64(0..999_999))
                .min(now.timestamp_micros());
            let ran = if failed {
                Status::Error
            } else {
                Status::Available
            };
            let stays = !old || (gone && *left < live);
            let number = self.add_checkpoint(Checkpoint {
                plan: snapshot,
                graph: Some(graph.clone()),
                created: start,
                status: if stays { ran } else { Status::Deleted },
                lacking: failed,
                copy: false,
            });
            past.push(Past {
                at: start,
                ended: Some(end),
                kind: Kind::Protect,
                status: ran,
                checkpoint: number,
                restore: None,
            });
            let deleted = start + (days + 1) * 86_400_000_000 + 20_000_000;
            if !stays && world.options.tasks <= LONG && deleted < now.timestamp_micros() {
                past.push(Past {
                    at: deleted,
                    ended: Some(deleted + 16_000_000),
                    kind: Kind::Protect,
                    status: Status::Deleted,
                    checkpoint: number,
                    restore: None,
                });
            }
        }
        self.usage.checkpoints = i64::try_from(self.alive.len()).unwrap_or(i64::MAX);
        self.seed_oddities(world, &mut past);
        self.seed_restores(world, &mut past);
        past.sort_by_key(|line| line.at);
        for line in past {
            let Some(checkpoint) = self.checkpoints.get(line.checkpoint) else {
                continue;
            };
            let plan = small(checkpoint.plan.plan);
            let provider = checkpoint.plan.provider;
            self.add_log(Log {
                operation: line.kind,
                status: line.status,
                provider,
                checkpoint: small(line.checkpoint),
                plan: (line.kind == Kind::Protect).then_some(plan),
                restore: line.restore.map(small),
                started: line.at,
                ended: line.ended,
            });
        }
    }

    /// When which plan ran, oldest first: by the schedules, and by hand for what is still missing.
    fn runs(
        &self,
        world: &mut World,
        schedules: &BTreeMap<usize, (usize, i64)>,
        begun: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, usize)> {
        let mut runs = Vec::new();
        for (plan, (trigger, _)) in schedules {
            let armed = self.triggers.get(*trigger).and_then(|it| it.armed.as_ref());
            let points = armed
                .map(|armed| armed.between(begun, now))
                .unwrap_or_default();
            runs.extend(points.into_iter().map(|at| (at, *plan)));
        }
        let plans: Vec<usize> = schedules.keys().copied().collect();
        let span = (now - begun).num_seconds().max(1);
        while runs.len() < world.options.tasks && !plans.is_empty() {
            let plan = world.rng.choice(&plans).copied().unwrap_or(0);
            let at = begun + TimeDelta::seconds(world.rng.i64(0..span));
            runs.push((at, plan));
        }
        runs.sort_unstable();
        // The newest, as many as there may be lines of the log; a run whose checkpoint has expired since takes two.
        let mut lines = 0;
        let mut first = runs.len();
        for (at, plan) in runs.iter().rev() {
            let days = schedules.get(plan).map_or(30, |(_, days)| *days);
            let expired = world.options.tasks <= LONG && (now - *at).num_days() > days;
            lines += 1 + usize::from(expired);
            if lines > world.options.tasks {
                break;
            }
            first -= 1;
        }
        runs.drain(..first);
        runs
    }

    /// Two checkpoints that could not be deleted, and one that protects for good.
    fn seed_oddities(&mut self, world: &mut World, past: &mut Vec<Past>) {
        let now = world.now().timestamp_micros();
        let failed: Vec<usize> = self
            .alive
            .iter()
            .filter(|number| {
                self.checkpoints.get(**number).is_some_and(|it| {
                    it.status == Status::Error && it.created < now - 2 * 86_400_000_000
                })
            })
            .take(2)
            .copied()
            .collect();
        for number in failed {
            let Some(checkpoint) = self.checkpoints.get_mut(number) else {
                continue;
            };
            checkpoint.status = Status::ErrorDeleting;
            let at = checkpoint.created + 86_400_000_000;
            past.push(Past {
                at,
                ended: Some(at + 3_000_000),
                kind: Kind::Protect,
                status: Status::ErrorDeleting,
                checkpoint: number,
                restore: None,
            });
        }
        let all = self.plans.iter().find(|plan| plan.now.name == EVERYTHING);
        if let Some(plan) = all.map(|plan| plan.now.clone()) {
            let at = now - 12 * 86_400_000_000 - 1_234_567;
            let graph = self.graph(world, &plan.resources).unwrap_or_default();
            let number = self.add_checkpoint(Checkpoint {
                plan,
                graph: Some(Arc::new(graph)),
                created: at,
                status: Status::Protecting,
                lacking: false,
                copy: false,
            });
            past.push(Past {
                at,
                ended: None,
                kind: Kind::Protect,
                status: Status::Protecting,
                checkpoint: number,
                restore: None,
            });
        }
    }

    /// A few restores, the first of which failed, and a verification.
    fn seed_restores(&mut self, world: &mut World, past: &mut Vec<Past>) {
        let now = world.now().timestamp_micros();
        let good: Vec<usize> = self
            .alive
            .iter()
            .filter(|number| {
                self.checkpoints.get(**number).is_some_and(|it| {
                    it.status == Status::Available && it.plan.provider == Provider::Infra
                })
            })
            .copied()
            .collect();
        let count = (world.options.tasks / 60).clamp(1, 8);
        let each = (good.len() / count).max(1);
        for (index, number) in good.iter().step_by(each).take(count).enumerate() {
            let Some(checkpoint) = self.checkpoints.get(*number) else {
                continue;
            };
            let at = (checkpoint.created + 7_200_000_000).min(now - 900_000_000);
            let failed = index == 0;
            let graph = checkpoint.graph.clone().unwrap_or_default();
            let status = if failed {
                Status::Fail
            } else {
                Status::Success
            };
            let (word, reason) = if failed {
                ("error", "Error creating volume")
            } else {
                ("available", "")
            };
            let verified = index == 1;
            let mut resources = BTreeMap::new();
            let mut reasons = BTreeMap::new();
            for node in &graph.0 {
                let it = &node.resource;
                if failed && it.kind == SERVER {
                    continue;
                }
                let id = if verified {
                    it.id.clone()
                } else {
                    world.uuid()
                };
                let key = format!("{}#{id}", it.kind);
                resources.insert(key.clone(), word.to_owned());
                reasons.insert(key, reason.to_owned());
            }
            let check = Check {
                provider: Provider::Infra.id().to_owned(),
                checkpoint: self.ids.uuid(tag::CHECKPOINT, *number as u64),
                target: None,
                parameters: Value::Object(Map::new()),
                status,
                resources,
                reasons,
                disks: Vec::new(),
                created: at,
            };
            let (kind, restore) = if verified {
                self.verifications.push(check);
                (Kind::Verify, None)
            } else {
                self.restores.push(check);
                (Kind::Restore, Some(self.restores.len() - 1))
            };
            past.push(Past {
                at,
                ended: Some(at + world.rng.i64(60_000_000..800_000_000)),
                kind,
                status,
                checkpoint: *number,
                restore,
            });
        }
    }
}

/// When the disk service could not be reached: three times, for an hour or three.
fn outages(world: &mut World, begun: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    (0..3)
        .map(|index| {
            // Nights and evenings, when most runs are due.
            let day = begun + TimeDelta::days(3 + index * 10 + world.rng.i64(0..6));
            let midnight = day.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
            let from = midnight + TimeDelta::minutes(world.rng.i64(50..110));
            (from, from + TimeDelta::minutes(world.rng.i64(60..180)))
        })
        .collect()
}
