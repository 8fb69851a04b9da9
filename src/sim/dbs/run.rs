//! How plans start, fire and pause, and how their backups begin and end.

use serde_json::json;

use super::plan::{Plan, PlanStatus, Precheck, Then};
use super::reasons::Reason;
use super::rows::{FullSet, Increment, RestoreStatus, SetStatus};
use super::{Dbs, around, instant, millis, what};
use crate::sim::world::World;

/// So many increments of a plan are kept at most.
const INCREMENTS: usize = 2000;
const DAY: i64 = 86_400_000;

/// Two halves of an event's id: the plan, and the generation that the event belongs to.
fn with_generation(plan: usize, generation: u32) -> u64 {
    (plan as u64) << 32 | u64::from(generation)
}

impl Dbs {
    /// Puts a plan into service; begins a full backup when `full`, and says its number.
    pub(super) fn enter_service(
        &mut self,
        world: &mut World,
        number: usize,
        full: bool,
        request_id: &str,
    ) -> Option<u64> {
        let plan = self.plans.get_mut(number)?;
        plan.status = PlanStatus::Running;
        plan.error = None;
        plan.needs_check = false;
        plan.generation += 1;
        plan.log_generation += 1;
        self.schedule_fire(world, number);
        self.begin_log(world, number);
        full.then(|| self.begin_full(world, number, None, request_id))
            .flatten()
    }

    fn schedule_fire(&self, world: &mut World, number: usize) {
        let Some(plan) = self.plans.get(number) else {
            return;
        };
        if let Some(at) = plan.rhythm.next(world.now()) {
            let id = with_generation(number, plan.generation);
            world.schedule(self.service, at, what::FIRE, id);
        }
    }

    /// Schedules the plan anew, after its rhythm has changed.
    pub(super) fn reschedule(&mut self, world: &mut World, number: usize) {
        if let Some(plan) = self.plans.get_mut(number)
            && plan.status == PlanStatus::Running
        {
            plan.generation += 1;
            self.schedule_fire(world, number);
        }
    }

    /// The plan's point in time has come.
    pub(super) fn fire(&mut self, world: &mut World, id: u64) {
        let number = (id >> 32) as usize;
        let Some(plan) = self.plans.get(number) else {
            return;
        };
        let current = with_generation(number, plan.generation) == id;
        if !current || plan.status != PlanStatus::Running || plan.released {
            return;
        }
        // An edit that asked for a check holds the plan until somebody starts it again.
        let held = plan.needs_check;
        let busy = self.under_way(plan);
        self.schedule_fire(world, number);
        if held || busy {
            world.count("dbs.plan.skipped");
        } else {
            world.count("dbs.plan.fired");
            self.begin_full(world, number, None, "");
        }
    }

    /// Whether a full backup of the plan is under way.
    pub(super) fn under_way(&self, plan: &Plan) -> bool {
        plan.sets
            .iter()
            .rev()
            .take(8)
            .any(|set| self.set(*set).is_some_and(|set| set.status.under_way()))
    }

    /// Begins a full backup; `length` in milliseconds is for a world in a hurry.
    pub(super) fn begin_full(
        &mut self,
        world: &mut World,
        number: usize,
        length: Option<i64>,
        request_id: &str,
    ) -> Option<u64> {
        let now = millis(world.now());
        let bytes = {
            let plan = self.plans.get(number)?;
            let source = self.source_of(plan);
            let whole = source
                .and_then(|source| self.sources.all.get(source))
                .map_or(1 << 30, |source| source.bytes);
            whole / 100 * world.rng.u64(70..100)
        };
        let wait = match length {
            Some(length) => length / 4,
            None => {
                (world
                    .switches
                    .number("dbs.schedule_seconds")
                    .clamp(0.0, 1e9)
                    * 1000.0) as i64
            }
        };
        let set = self.first_set + self.sets.len() as u64;
        self.sets.push_back(FullSet {
            plan: u32::try_from(number).unwrap_or(u32::MAX),
            status: SetStatus::Schedule,
            created: now,
            started: 0,
            due: now + wait,
            ended: 0,
            bytes,
            reason: None,
            odd: None,
        });
        self.plans.get_mut(number)?.sets.push_back(set);
        world.schedule(self.service, instant(now + wait), what::SET, set);
        if request_id.is_empty() {
            world.count("dbs.full.started");
        } else {
            world.note(json!({
                "what": "dbs.full.started", "request_id": request_id,
                "plan": self.plan_id(number), "set": self.set_id(set),
            }));
        }
        Some(set)
    }

    /// The source behind a plan's endpoint, if there is one.
    pub(super) fn source_of(&self, plan: &Plan) -> Option<usize> {
        self.sources
            .find(&plan.source.instance, &plan.source.host, &plan.source.port)
    }

    /// What stands in the way of a plan's backups now.
    pub(super) fn trouble(&self, world: &World, plan: &Plan) -> Option<Reason> {
        if plan.status == PlanStatus::Locked {
            return Some(Reason::Expired);
        }
        self.sources.trouble(world, self.source_of(plan), plan.log)
    }

    /// A full backup's present step is over.
    pub(super) fn set_step(&mut self, world: &mut World, set: u64) {
        let now = millis(world.now());
        let Some(row) = self.set(set) else { return };
        if !row.status.under_way() || row.due != now {
            return;
        }
        let (number, waiting) = (row.plan as usize, row.status == SetStatus::Schedule);
        let trouble = self
            .plans
            .get(number)
            .and_then(|plan| self.trouble(world, plan));
        if let Some(reason) = trouble {
            self.set_fails(world, set, reason);
            return;
        }
        if waiting {
            let hurry = self.traffic.in_a_hurry();
            let length = match hurry {
                Some(length) => length,
                None => around(world, "dbs.backup_seconds"),
            };
            if let Some(row) = self.set_mut(set) {
                row.status = SetStatus::Running;
                row.started = now;
                row.due = now + length.max(1);
                let due = instant(row.due);
                world.schedule(self.service, due, what::SET, set);
            }
            return;
        }
        if world.switches.get("dbs.storage") == "down" {
            self.set_fails(world, set, Reason::Storage);
            return;
        }
        if let Some(row) = self.set_mut(set) {
            row.status = SetStatus::Finish;
            row.ended = now;
        }
        if let Some(plan) = self.plans.get_mut(number) {
            plan.proven = true;
            plan.error = None;
        }
        world.count("dbs.full.done");
        self.auto_download(world, number, set);
    }

    fn set_fails(&mut self, world: &mut World, set: u64, reason: Reason) {
        let now = millis(world.now());
        let Some(row) = self.set_mut(set) else { return };
        row.status = SetStatus::Stop;
        row.reason = Some(reason);
        row.ended = now;
        row.bytes = 0;
        if row.started == 0 {
            row.started = now;
        }
        let number = row.plan as usize;
        world.count("dbs.full.failed");
        // A plan that never brought a backup home has failed; one that did keeps its schedule.
        if let Some(plan) = self.plans.get_mut(number)
            && !plan.proven
            && plan.status == PlanStatus::Running
        {
            plan.status = PlanStatus::Stop;
            plan.error = Some(reason);
            plan.generation += 1;
            plan.log_generation += 1;
            world.count("dbs.plan.failed");
            self.close_log(world, number, false);
        }
    }

    /// Begins to collect increments, where the plan wants them.
    pub(super) fn begin_log(&mut self, world: &mut World, number: usize) {
        let now = millis(world.now());
        let Some(plan) = self.plans.get_mut(number) else {
            return;
        };
        // Stopping only the schedule lets this go on; what ends it counts the generation up.
        if !plan.log {
            return;
        }
        let open = plan.increments.back().is_some_and(|last| last.to == 0);
        if !open {
            plan.increments.push_back(Increment {
                number: self.next_increment,
                from: now,
                to: 0,
                bytes: 0,
                whole: false,
            });
            self.next_increment += 1;
        }
        let id = with_generation(number, plan.log_generation);
        let at = instant(now + plan.log_seconds.max(30) * 1000);
        world.schedule(self.service, at, what::LOG, id);
    }

    /// Closes the open increment.
    pub(super) fn close_log(&mut self, world: &mut World, number: usize, whole: bool) {
        let now = millis(world.now());
        let bytes = world.rng.u64(1 << 16..1 << 26);
        let Some(plan) = self.plans.get_mut(number) else {
            return;
        };
        if let Some(last) = plan.increments.back_mut().filter(|last| last.to == 0) {
            last.to = now.max(last.from + 1);
            last.whole = whole;
            last.bytes = if whole { bytes } else { bytes / 3 };
            world.count(if whole {
                "dbs.increment.done"
            } else {
                "dbs.increment.broken"
            });
        }
        let oldest = now - 7 * DAY;
        while plan.increments.len() > INCREMENTS
            || plan
                .increments
                .front()
                .is_some_and(|first| first.to > 0 && first.to < oldest)
        {
            plan.increments.pop_front();
        }
    }

    /// An increment's time is over; the next one begins.
    pub(super) fn log_turn(&mut self, world: &mut World, id: u64) {
        let number = (id >> 32) as usize;
        let Some(plan) = self.plans.get(number) else {
            return;
        };
        let current = with_generation(number, plan.log_generation) == id;
        if !current || plan.released {
            return;
        }
        let whole = self.trouble(world, plan).is_none();
        self.close_log(world, number, whole);
        self.begin_log(world, number);
    }

    /// Begins a plan's precheck.
    pub(super) fn begin_check(&mut self, world: &mut World, number: usize, then: Then) {
        let now = millis(world.now());
        let length = (world
            .switches
            .number("dbs.precheck_seconds")
            .clamp(0.0, 1e9)
            * 1000.0) as i64;
        let job = self.next_check;
        self.next_check += 1;
        let Some(plan) = self.plans.get_mut(number) else {
            return;
        };
        plan.then = then;
        plan.precheck = Some(Precheck {
            job,
            begun: now,
            ends: now + length,
            verdict: None,
        });
        world.schedule(
            self.service,
            instant(now + length),
            what::PLAN_CHECK,
            number as u64,
        );
    }

    /// A plan's precheck is over.
    pub(super) fn plan_checked(&mut self, world: &mut World, id: u64) {
        let number = id as usize;
        let Some(plan) = self.plans.get(number) else {
            return;
        };
        let due = plan
            .precheck
            .as_ref()
            .is_some_and(|check| check.verdict.is_none() && check.ends == millis(world.now()));
        if !due || plan.released {
            return;
        }
        let trouble = self.sources.trouble(world, self.source_of(plan), plan.log);
        let then = plan.then;
        let Some(plan) = self.plans.get_mut(number) else {
            return;
        };
        if let Some(check) = &mut plan.precheck {
            check.verdict = Some(trouble.map_or(Ok(()), Err));
        }
        plan.error = trouble;
        if trouble.is_some() {
            world.count("dbs.precheck.failed");
            plan.status = PlanStatus::Init;
            plan.generation += 1;
            plan.log_generation += 1;
            self.close_log(world, number, false);
            return;
        }
        world.count("dbs.precheck.passed");
        match then {
            Then::Wait => {
                plan.status = PlanStatus::CheckPass;
                plan.needs_check = false;
            }
            Then::Start | Then::GoOn => {
                self.enter_service(world, number, then == Then::Start, "");
            }
        }
    }

    /// Pauses a plan: its schedule, and with `all` its jobs too, restores included.
    pub(super) fn pause(&mut self, world: &mut World, number: usize, all: bool) {
        let Some(plan) = self.plans.get_mut(number) else {
            return;
        };
        plan.status = PlanStatus::Pause;
        plan.generation += 1;
        plan.precheck.take_if(|check| check.verdict.is_none());
        if !all {
            return;
        }
        plan.log_generation += 1;
        let (sets, restores) = (plan.sets.clone(), plan.restores.clone());
        self.close_log(world, number, false);
        for set in sets {
            if let Some(row) = self.set_mut(set).filter(|row| row.status.under_way()) {
                row.status = SetStatus::Pause;
                world.count("dbs.full.paused");
            }
        }
        for restore in restores {
            if let Some(row) = self
                .restores
                .get_mut(restore as usize)
                .filter(|row| row.status == RestoreStatus::Running)
            {
                row.status = RestoreStatus::Pause;
                world.count("dbs.restore.paused");
            }
        }
    }

    /// A subscription's time is over, unless it was renewed.
    pub(super) fn expire(&mut self, world: &mut World, id: u64) {
        let now = world.now();
        if let Some(plan) = self.plans.get_mut(id as usize)
            && plan.prepaid
            && plan.expires <= now
            && !plan.released
        {
            plan.status = PlanStatus::Locked;
            plan.error = Some(Reason::Expired);
            plan.generation += 1;
            plan.log_generation += 1;
            world.count("dbs.plan.locked");
            self.close_log(world, id as usize, false);
        }
    }
}
