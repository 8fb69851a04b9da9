//! A plan's run: what is checked before its tasks are made, how they are split off, when it is over.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::plan::{Action, Activity, Family, Plan, fits};
use super::task::{ALL, Goal, Task};
use super::{Dpod, codes, what};
use crate::sim::world::World;

/// How many runs are remembered, as the product's own screen does.
const KEPT: usize = 40;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the queue.
    Queued,
    /// Its tasks are being checked.
    Validating,
    /// Its tasks run.
    Running,
    /// Over.
    Over,
}

/// A run of a plan.
#[derive(Debug)]
pub(super) struct Execution {
    /// Its number in the product's own screen.
    pub id: u64,
    /// The plan.
    pub plan: usize,
    /// When it entered the queue, in milliseconds since 1970.
    pub entered: i64,
    /// Where it stands.
    pub stage: Stage,
    /// Its status code.
    pub status: String,
    /// What it says about a failure.
    pub error: String,
    /// Its tasks in order.
    pub tasks: Vec<u64>,
    /// A firmware plan's lines for the script after it.
    pub firmware: Vec<String>,
}

impl Dpod {
    /// Puts a plan into the queue. A disabled one goes in too and never comes out.
    pub(super) fn enqueue(&mut self, world: &mut World, plan: usize) -> bool {
        let waits = |it: &Execution| it.plan == plan && it.stage == Stage::Queued;
        let doubles = world.switches.on("dpod.queue_doubles");
        if !doubles && self.executions.iter().any(waits) {
            return false;
        }
        let Some(it) = self.plans.get(plan).filter(|plan| plan.enabled) else {
            world.count("dpod.plan.disabled");
            return false;
        };
        world.note(json!({"what": "dpod.plan.queued", "plan": it.name}));
        let id = self.next_execution;
        self.next_execution += 1;
        self.executions.push_back(Execution {
            id,
            plan,
            entered: world.now().timestamp_millis(),
            stage: Stage::Queued,
            status: codes::WAITING.to_owned(),
            error: String::new(),
            tasks: Vec::new(),
            firmware: Vec::new(),
        });
        self.forget_old();
        let wait = self.seconds(world, "dpod.queue_seconds");
        self.later(world, wait, what::EXECUTION, id);
        world.schedule_in(self.service, TimeDelta::days(1), what::DAY, id);
        true
    }

    fn forget_old(&mut self) {
        while self.executions.len() > KEPT
            && self
                .executions
                .front()
                .is_some_and(|it| it.stage == Stage::Over)
        {
            for task in self
                .executions
                .pop_front()
                .into_iter()
                .flat_map(|it| it.tasks)
            {
                self.tasks.remove(&task);
            }
        }
    }

    pub(super) fn execution_index(&self, id: u64) -> Option<usize> {
        self.executions.iter().position(|it| it.id == id)
    }

    /// The run of that number, to change it.
    pub(super) fn execution_mut(&mut self, id: u64) -> Option<&mut Execution> {
        let index = self.execution_index(id)?;
        self.executions.get_mut(index)
    }

    /// A run's present stage is over.
    pub(super) fn execution_step(&mut self, world: &mut World, id: u64) {
        let Some((plan, stage)) = self
            .execution_index(id)
            .and_then(|index| self.executions.get(index))
            .map(|it| (it.plan, it.stage))
        else {
            return;
        };
        let Some(plan) = self.plans.get(plan).cloned() else {
            return;
        };
        match stage {
            Stage::Queued if !self.site.alive => self.later(world, 5_000, what::EXECUTION, id),
            Stage::Queued => self.leaves_queue(world, id, &plan),
            Stage::Validating => self.validated(world, id, &plan),
            Stage::Running => self.ends_if_done(world, id),
            Stage::Over => {}
        }
    }

    /// What stops a plan before its tasks are made.
    fn obstacle(&self, world: &World, plan: &Plan) -> Option<&'static str> {
        let backup = plan.family == Family::Backup;
        let short = world.switches.number("dpod.quiesce_timeout_seconds") < 60.0;
        if backup && !self.site.allowed {
            Some(codes::BACKUPS_DISABLED)
        } else if plan.family == Family::Sync && !self.site.allowed {
            Some(codes::SYNCS_DISABLED)
        } else if plan.quiesces() && short {
            Some(codes::PLAN_QUIESCE)
        } else if !plan.is_open(world.now()) {
            Some(codes::PLAN_WINDOW)
        } else if backup && !self.site.mounted {
            Some(codes::PLAN_STORE)
        } else if backup && self.site.full {
            Some(codes::PLAN_SPACE)
        } else {
            None
        }
    }

    fn leaves_queue(&mut self, world: &mut World, id: u64, plan: &Plan) {
        if let Some(code) = self.obstacle(world, plan) {
            let post = world.switches.on("dpod.post_plan_on_stop");
            self.close(world, id, code, post);
            return;
        }
        match plan.family {
            Family::Backup => {
                self.split(world, id, plan);
                if let Some(execution) = self.execution_mut(id) {
                    execution.stage = Stage::Validating;
                }
                self.later(world, 3_000, what::EXECUTION, id);
            }
            Family::Firmware => self.upgrade(world, id, plan),
            // No document says what scripts of sync plans are told.
            Family::Sync => self.close(world, id, codes::SUCCESS, false),
        }
    }

    /// Makes a run's tasks, in the order of its activities; what can't run is made as skipped.
    fn split(&mut self, world: &mut World, id: u64, plan: &Plan) {
        let now = world.now().timestamp_millis();
        let mut halted = false;
        for (place, activity) in plan.activities.iter().enumerate() {
            for (device, device_name, domain) in self.targets(activity) {
                let goal = Goal {
                    activity: place,
                    action: activity.action,
                    device,
                    device_name,
                    domain,
                };
                let task = self.next_task;
                self.next_task += 1;
                let mut it = Task::new(task, id, goal, now);
                let skip = if halted {
                    Some(codes::SKIPPED_POLICY)
                } else {
                    self.skip(activity, &it)
                };
                if let Some(code) = skip {
                    it.set(code, now);
                    it.over = true;
                    world.count("dpod.task.skipped");
                    // Leaving API Connect's domains out is nothing that went wrong: that it halts nothing is ours.
                    let halt = activity.halt.unwrap_or(plan.halt);
                    halted |= halt && code != codes::SKIPPED_APIC;
                }
                self.tasks.insert(task, it);
                if let Some(execution) = self.execution_mut(id) {
                    execution.tasks.push(task);
                }
            }
        }
    }

    /// The gateways and domains that an activity means.
    pub(super) fn targets(&self, activity: &Activity) -> Vec<(Option<usize>, String, String)> {
        let mut targets = Vec::new();
        for (index, device) in self.site.devices.iter().enumerate() {
            if !fits(&activity.devices, &device.name) {
                continue;
            }
            match activity.action {
                Action::SecureBackup => {
                    targets.push((Some(index), device.name.clone(), ALL.to_owned()));
                }
                Action::ExportDomain => {
                    for domain in &device.domains {
                        if fits(&activity.domains, &domain.name) {
                            targets.push((Some(index), device.name.clone(), domain.name.clone()));
                        }
                    }
                }
            }
        }
        if targets.is_empty() {
            let domain = match activity.action {
                Action::SecureBackup => ALL.to_owned(),
                Action::ExportDomain => activity.domains.clone(),
            };
            targets.push((None, activity.devices.clone(), domain));
        }
        targets
    }

    /// Why a task is not to run.
    pub(super) fn skip(&self, activity: &Activity, task: &Task) -> Option<&'static str> {
        let Some(device) = task.device.and_then(|index| self.site.devices.get(index)) else {
            return Some(codes::SKIPPED_PATTERN);
        };
        let secure = activity.action == Action::SecureBackup;
        let apic = device
            .domains
            .iter()
            .any(|domain| domain.name == task.domain && domain.apic);
        if !device.up {
            Some(codes::SKIPPED_DEVICE)
        } else if apic {
            Some(codes::SKIPPED_APIC)
        } else if secure && !device.dr_mode {
            Some(codes::NOT_IN_DR_MODE)
        } else if secure && device.temp_full {
            Some(codes::DEVICE_SPACE)
        } else if secure && !device.cert {
            Some(codes::NO_CERT)
        } else {
            None
        }
    }

    /// A run's tasks are checked: the script before the plan, then they are ready.
    fn validated(&mut self, world: &mut World, id: u64, plan: &Plan) {
        let waiting = self.waiting(id);
        if waiting.is_empty() {
            // All were skipped: the plan stops.
            let post = world.switches.on("dpod.post_plan_on_stop");
            let status = world.switches.get("dpod.plan_status").to_owned();
            self.close(world, id, &status, post);
            return;
        }
        if let Some(execution) = self
            .execution_index(id)
            .and_then(|it| self.executions.get(it))
        {
            self.tell_plan_begins(world, execution);
        }
        let now = world.now().timestamp_millis();
        if plan.scripts && !plan.pre_script {
            for task in waiting {
                self.drop_task(world, task, codes::PLAN_PRE_SCRIPT);
            }
            let status = world.switches.get("dpod.plan_status").to_owned();
            self.close(world, id, &status, true);
            return;
        }
        for task in waiting {
            if let Some(task) = self.tasks.get_mut(&task) {
                task.set(codes::READY, now);
            }
        }
        if let Some(execution) = self.execution_mut(id) {
            execution.stage = Stage::Running;
        }
        world.count("dpod.plan.started");
        if let Some(at) = plan.closes(world.now()) {
            world.schedule(self.service, at, what::WINDOW, id);
        }
        let wait = self.seconds(world, "dpod.queue_seconds") / 2;
        self.later(world, wait, what::DISPATCH, 0);
    }

    /// The tasks of a run that wait to begin.
    pub(super) fn waiting(&self, id: u64) -> Vec<u64> {
        let tasks = self
            .execution_index(id)
            .and_then(|index| self.executions.get(index))
            .map_or(&[][..], |it| it.tasks.as_slice());
        tasks
            .iter()
            .copied()
            .filter(|task| self.tasks.get(task).is_some_and(Task::waits))
            .collect()
    }

    /// A day has passed since a run entered the queue: what still waits is cancelled.
    pub(super) fn day_passed(&mut self, world: &mut World, id: u64) {
        let queued = self
            .execution_mut(id)
            .is_some_and(|it| it.stage == Stage::Queued);
        if queued {
            let post = world.switches.on("dpod.post_plan_on_stop");
            self.close(world, id, codes::PLAN_DAY, post);
            return;
        }
        self.cancel_waiting(world, id, codes::CANCELED_DAY);
    }

    /// A run's window has closed: what still waits is cancelled, what runs goes on.
    pub(super) fn window_closed(&mut self, world: &mut World, id: u64) {
        self.cancel_waiting(world, id, codes::CANCELED_WINDOW);
    }

    /// Cancels what waits of a run.
    pub(super) fn cancel_waiting(&mut self, world: &mut World, id: u64, code: &'static str) {
        let waiting = self.waiting(id);
        if waiting.is_empty() {
            return;
        }
        for task in waiting {
            self.drop_task(world, task, code);
        }
        self.later(world, 1_000, what::EXECUTION, id);
    }

    /// A task ends without ever having begun.
    fn drop_task(&mut self, world: &mut World, id: u64, code: &'static str) {
        let now = world.now().timestamp_millis();
        let told = world.switches.on("dpod.skipped_scripts");
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        task.set(code, now);
        task.over = true;
        world.count("dpod.task.cancelled");
        if told && let Some(task) = self.tasks.get(&id) {
            self.tell_task_ended(world, task);
        }
    }

    /// Ends a run once all its tasks are over.
    fn ends_if_done(&mut self, world: &mut World, id: u64) {
        let done = self
            .execution_index(id)
            .and_then(|index| self.executions.get(index))
            .is_some_and(|it| {
                it.tasks
                    .iter()
                    .all(|task| self.tasks.get(task).is_none_or(|task| task.over))
            });
        if !done {
            return;
        }
        let good = self
            .execution_mut(id)
            .is_some_and(|it| !it.tasks.is_empty())
            && self
                .executions
                .iter()
                .filter(|it| it.id == id)
                .flat_map(|it| &it.tasks)
                .all(|task| {
                    self.tasks
                        .get(task)
                        .is_none_or(|task| task.status == codes::SUCCESS)
                });
        let status = if good {
            codes::SUCCESS.to_owned()
        } else {
            world.switches.get("dpod.plan_status").to_owned()
        };
        self.close(world, id, &status, true);
    }

    /// A run is over.
    fn close(&mut self, world: &mut World, id: u64, status: &str, post: bool) {
        let Some(execution) = self.execution_mut(id) else {
            return;
        };
        if execution.stage == Stage::Over {
            return;
        }
        execution.stage = Stage::Over;
        status.clone_into(&mut execution.status);
        let plan = execution.plan;
        let name = self.plans.get(plan).map_or("", |plan| plan.name.as_str());
        world.note(json!({"what": "dpod.plan.ended", "plan": name, "status": status}));
        if let (true, Some(execution)) = (
            post,
            self.execution_index(id)
                .and_then(|it| self.executions.get(it)),
        ) {
            self.tell_plan_ended(world, execution);
        }
        self.forget_old();
    }

    /// The runs as `/_sim/dpod/executions` shows them.
    pub(super) fn executions_json(&self) -> Value {
        self.executions
            .iter()
            .map(|it| {
                let tasks: Vec<Value> = it
                    .tasks
                    .iter()
                    .filter_map(|id| self.tasks.get(id))
                    .map(Task::to_json)
                    .collect();
                json!({
                    "id": it.id, "entered": it.entered, "plan": self.plans.get(it.plan).map(|plan| plan.name.as_str()),
                    "status": it.status, "over": it.stage == Stage::Over, "tasks": tasks, "firmware": it.firmware,
                })
            })
            .collect()
    }
}
