//! The nights before the simulation began, as the scripts were told of them.
//!
//! Only what others can see of the past is made: the calls of the scripts. They follow the plans' schedules, and what
//! went wrong went wrong for a reason that holds for the gateway and the night.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

use super::plan::{Action, Activity, Family, Plan};
use super::task::{Goal, Task};
use super::{Dpod, codes, script};
use crate::sim::hook::PastCall;
use crate::sim::world::World;

/// How many days back there is anything.
const DAYS: i64 = 30;

/// What is wrong with a gateway for a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Soma,
    Unquiesce,
    Down,
    Hangs,
    Hash,
    Restart,
    Quiesce,
    Space,
    Certificate,
    Size,
    TempSpace,
    Script,
    ReadOnly,
    Empty,
    Exception,
}

/// In the order in which they come, the latest night's first.
const TROUBLES: [Trouble; 15] = [
    Trouble::Soma,
    Trouble::Unquiesce,
    Trouble::Down,
    Trouble::Hangs,
    Trouble::Hash,
    Trouble::Restart,
    Trouble::Quiesce,
    Trouble::Space,
    Trouble::Certificate,
    Trouble::Size,
    Trouble::TempSpace,
    Trouble::Script,
    Trouble::ReadOnly,
    Trouble::Empty,
    Trouble::Exception,
];

/// A plan's run in the past.
struct Run {
    at: DateTime<Utc>,
    plan: usize,
    /// Each with how long it took in seconds; 0 for one that never began.
    tasks: Vec<(Task, i64)>,
}

impl Run {
    /// When its script was called for the last time.
    fn end(&self) -> DateTime<Utc> {
        let seconds: i64 = self.tasks.iter().map(|(_, seconds)| seconds).sum();
        self.at + TimeDelta::seconds(BEFORE + seconds + AFTER)
    }
}

/// Seconds until a run's tasks are checked.
const BEFORE: i64 = 40;
/// Seconds from the last task's end to the run's.
const AFTER: i64 = 2;

impl Dpod {
    /// Makes the past, as many tasks of it as the options ask for.
    pub(super) fn remember(&mut self, world: &mut World) {
        let service = world
            .services
            .get(self.service.0)
            .map(|line| line.name.clone())
            .unwrap_or_default();
        // Of its own, so that what is to come does not depend on how much there was.
        let mut rng = Rng::with_seed(world.options.seed ^ 0x0064_706f_6400);
        let mut runs = self.past_runs(world, &mut rng);
        runs.sort_by_key(|run| run.at);
        for run in runs {
            let Some(plan) = self.plans.get(run.plan) else {
                continue;
            };
            let (calls, next) = self.calls(world, plan, run, self.next_task);
            self.next_task = next;
            world
                .past_calls
                .extend(calls.into_iter().map(|(at, args)| PastCall {
                    service: service.clone(),
                    at,
                    args,
                }));
        }
        world.past_calls.sort_by_key(|call| call.at);
    }

    /// The runs, the latest first.
    fn past_runs(&self, world: &World, rng: &mut Rng) -> Vec<Run> {
        let (now, wanted) = (world.now(), world.options.tasks);
        let midnight = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let (mut runs, mut made, mut met) = (Vec::new(), 0, 0);
        let mut failed = false;
        for day in 0..DAYS {
            let mut troubles = self.troubles(rng, &mut met);
            let mut plans: Vec<(usize, u32)> = (0..)
                .zip(&self.plans)
                .filter(|(_, plan)| plan.enabled && plan.family == Family::Backup)
                .filter_map(|(number, plan)| Some((number, plan.minute?)))
                .collect();
            plans.sort_by_key(|(_, minute)| std::cmp::Reverse(*minute));
            // Whatever the hour and however little is asked for, the last thing that went wrong is in it.
            let last = plans
                .first()
                .and_then(|(number, _)| self.plans.get(*number));
            let reached = last
                .into_iter()
                .flat_map(|plan| &plan.activities)
                .flat_map(|activity| self.targets(activity))
                .find_map(|(device, ..)| device);
            if let Some(device) = reached.filter(|_| !failed) {
                troubles.insert(device, Trouble::Soma);
            }
            for (number, minute) in plans {
                if made >= wanted {
                    return runs;
                }
                let at = midnight - TimeDelta::days(day) + TimeDelta::minutes(minute.into());
                let Some(plan) = self.plans.get(number) else {
                    continue;
                };
                let tasks = self.past_tasks(plan, &troubles, rng, at);
                let run = Run {
                    at,
                    plan: number,
                    tasks,
                };
                // A plan all of whose tasks are skipped stops before any of its scripts.
                if run.end() < now && run.tasks.iter().any(|(_, seconds)| *seconds > 0) {
                    made += run.tasks.len();
                    failed |= run.tasks.iter().any(|(task, _)| {
                        [codes::SECURE_ERROR, codes::EXPORT_SOMA].contains(&task.status)
                    });
                    runs.push(run);
                }
            }
        }
        runs
    }

    /// What is wrong in a night: something with one gateway in twelve, and with one at least in most nights.
    fn troubles(&self, rng: &mut Rng, met: &mut usize) -> HashMap<usize, Trouble> {
        let count = self.site.devices.len();
        let some = count.div_ceil(12);
        let few = if rng.u8(0..4) == 0 { 0 } else { some };
        (0..few)
            .map(|_| {
                let trouble = TROUBLES.get(*met % TROUBLES.len());
                *met += 1;
                (
                    rng.usize(0..count.max(1)),
                    trouble.copied().unwrap_or(Trouble::Down),
                )
            })
            .collect()
    }

    fn past_tasks(
        &self,
        plan: &Plan,
        troubles: &HashMap<usize, Trouble>,
        rng: &mut Rng,
        at: DateTime<Utc>,
    ) -> Vec<(Task, i64)> {
        let mut tasks = Vec::new();
        // What halts the rest, and how the rest then ends.
        let mut halted = None;
        for (place, activity) in (0..).zip(&plan.activities) {
            for (device, device_name, domain) in self.targets(activity) {
                let goal = Goal {
                    activity: place,
                    action: activity.action,
                    device,
                    device_name,
                    domain,
                };
                let mut task = Task::new(0, 0, goal, at.timestamp_millis());
                let trouble = device.and_then(|index| troubles.get(&index)).copied();
                let skip = halted
                    .or_else(|| self.skip(activity, &task))
                    .or_else(|| skipped(activity, trouble));
                let seconds = match skip {
                    Some(code) => {
                        task.status = code;
                        0
                    }
                    None => self.work_of(activity, &mut task, trouble, rng),
                };
                let good = [codes::SUCCESS, codes::SKIPPED_APIC].contains(&task.status);
                if !good && halted.is_none() && activity.halt.unwrap_or(plan.halt) {
                    halted = Some(match skip {
                        Some(_) => codes::SKIPPED_POLICY,
                        None => codes::CANCELED_POLICY,
                    });
                }
                tasks.push((task, seconds));
            }
        }
        tasks
    }

    /// How a task that began went; answers the seconds it took.
    fn work_of(
        &self,
        activity: &Activity,
        task: &mut Task,
        trouble: Option<Trouble>,
        rng: &mut Rng,
    ) -> i64 {
        let (code, seconds) = outcome(activity, trouble);
        task.status = code;
        let device = task.device.and_then(|index| self.site.devices.get(index));
        let (name, host) = device.map_or(("", ""), |device| (device.name.as_str(), &*device.host));
        task.error = match trouble.filter(|_| code != codes::SUCCESS) {
            None | Some(Trouble::Restart) => String::new(),
            Some(Trouble::Soma) if activity.action == Action::ExportDomain => {
                format!("SOMA request to {host}:5550 was refused")
            }
            Some(Trouble::Soma) => format!("{name} reports that the secure backup failed"),
            Some(Trouble::Unquiesce) => format!("{name} did not unquiesce in time"),
            Some(Trouble::Quiesce) => format!("{name} did not quiesce in time"),
            Some(Trouble::Hangs) => "The task ran for longer than the configured time".to_owned(),
            Some(Trouble::Space) => "The backup destination is out of space".to_owned(),
            Some(Trouble::Script) => "The script before the task returned 1".to_owned(),
            Some(Trouble::ReadOnly) => "java.io.IOException: Read-only file system".to_owned(),
            Some(Trouble::Empty) => format!("The export of domain {} is empty", task.domain),
            Some(Trouble::Exception) => {
                "java.lang.IllegalStateException: no connection to the internal store".to_owned()
            }
            Some(_) => format!("Files of {name} differ from the manifest"),
        };
        let usual = match activity.action {
            Action::SecureBackup => rng.i64(150..420),
            Action::ExportDomain => rng.i64(8..26),
        };
        seconds.unwrap_or(usual + if activity.quiesce { 18 } else { 0 })
    }

    /// What the scripts were told of a run, and the number of the next task.
    fn calls(&self, world: &World, plan: &Plan, run: Run, first: u64) -> (Calls, u64) {
        let mut calls = Vec::new();
        let mut at = run.at + TimeDelta::seconds(BEFORE);
        calls.extend(script::plan_begins(plan).map(|args| (at, args)));
        let mut number = first;
        let mut tasks = run.tasks;
        for (task, seconds) in &mut tasks {
            task.id = number;
            number += 1;
            let device = task.device.and_then(|index| self.site.devices.get(index));
            let activity = plan.activities.get(task.activity);
            let told = *seconds > 0 && activity.is_some_and(|it| it.scripts);
            if let (true, Some(device)) = (told, device) {
                let begins = at + TimeDelta::seconds(1);
                calls.push((begins, script::task_begins(plan, device, task)));
                let ends = at + TimeDelta::seconds(*seconds);
                calls.push((ends, script::task_ended(plan, task)));
            }
            at += TimeDelta::seconds(*seconds);
        }
        at += TimeDelta::seconds(AFTER);
        let all_good = tasks.iter().all(|(task, _)| task.status == codes::SUCCESS);
        let status = if all_good {
            codes::SUCCESS
        } else {
            world.switches.get("dpod.plan_status")
        };
        let list = script::list_of(world, tasks.iter().map(|(task, _)| task));
        calls.extend(script::plan_ended(plan, status, "", &list).map(|args| (at, args)));
        (calls, number)
    }
}

/// What scripts were told, and when.
type Calls = Vec<(DateTime<Utc>, Vec<String>)>;

/// What keeps a task from beginning.
fn skipped(activity: &Activity, trouble: Option<Trouble>) -> Option<&'static str> {
    let secure = activity.action == Action::SecureBackup;
    match trouble? {
        Trouble::Down => Some(codes::SKIPPED_DEVICE),
        Trouble::Certificate if secure => Some(codes::NO_CERT),
        Trouble::TempSpace if secure => Some(codes::DEVICE_SPACE),
        _ => None,
    }
}

/// How a task ends, and after how many seconds where that is not the usual time.
fn outcome(activity: &Activity, trouble: Option<Trouble>) -> (&'static str, Option<i64>) {
    let Some(trouble) = trouble else {
        return (codes::SUCCESS, None);
    };
    let secure = activity.action == Action::SecureBackup;
    let quiesce = activity.quiesce;
    match trouble {
        Trouble::Soma if secure => (codes::SECURE_ERROR, None),
        Trouble::Soma => (codes::EXPORT_SOMA, None),
        Trouble::Unquiesce if quiesce => (codes::UNQUIESCE_TIMEOUT, Some(480)),
        Trouble::Quiesce if quiesce => (codes::QUIESCE_TIMEOUT, Some(270)),
        Trouble::Hangs if secure => (codes::LONG_RUNNING, Some(3_600)),
        Trouble::Hash if secure => (codes::SECURE_HASH, None),
        Trouble::Size if secure => (codes::SECURE_SIZE, None),
        Trouble::Empty if secure => (codes::SECURE_EMPTY, None),
        Trouble::Empty => (codes::EXPORT_EMPTY, None),
        Trouble::Restart => (codes::NO_FILES, None),
        Trouble::Space => (codes::CHECKS_SPACE, Some(4)),
        Trouble::Script => (codes::SCRIPT_ERROR, Some(5)),
        Trouble::ReadOnly if !secure => (codes::EXPORT_SAVE, None),
        Trouble::Exception => (codes::INTERNAL, Some(9)),
        _ => (codes::SUCCESS, None),
    }
}
