//! How a task goes: from step to step, each as the world lets it. The order is that of the documented flow, with the
//! codes put in by their names.

use serde_json::json;

use super::device::{Damage, Device};
use super::execution::Stage;
use super::plan::{Action, Activity, Plan};
use super::task::Task;
use super::{Dpod, codes, what};
use crate::sim::world::World;

/// What comes next for a task.
enum Next {
    /// A status, which lasts so many milliseconds.
    Go(&'static str, i64),
    /// It failed: what was taken out of service goes back first.
    Fail(&'static str, String),
    /// It is over.
    End(&'static str, String),
    /// It stays where it is for so many milliseconds.
    Stay(i64),
}

use Next::{End, Fail, Go, Stay};

/// How often a task looks whether its gateway is free, or its hanging work ended.
const LOOK: i64 = 10_000;
/// DPOD adds this to the timeouts of quiesce and unquiesce.
const ADDED: i64 = 180_000;

impl Dpod {
    /// The plan of a task.
    pub(super) fn plan_of(&self, task: &Task) -> Option<&Plan> {
        let execution = self.executions.iter().find(|it| it.id == task.execution)?;
        self.plans.get(execution.plan)
    }

    fn activity_of(&self, task: &Task) -> Option<&Activity> {
        self.plan_of(task)?.activities.get(task.activity)
    }

    fn device_of(&self, task: &Task) -> Option<&Device> {
        self.site.devices.get(task.device?)
    }

    /// Lets ready tasks begin, in the order of the queue and as many as there is room for.
    pub(super) fn dispatch(&mut self, world: &mut World) {
        if !self.site.alive {
            self.later(world, LOOK, what::DISPATCH, 0);
            return;
        }
        let most = match self.traffic.in_a_hurry() {
            Some(_) => 64,
            None => world.switches.number("dpod.parallel").max(1.0) as usize,
        };
        let now = world.now();
        let mut at_work = self.tasks.values().filter(|it| it.is_at_work()).count();
        let ready: Vec<u64> = self
            .executions
            .iter()
            .filter(|it| it.stage == Stage::Running)
            .flat_map(|it| it.tasks.iter().copied())
            .filter(|id| {
                self.tasks
                    .get(id)
                    .is_some_and(|task| task.status == codes::READY && !task.over)
            })
            .collect();
        for id in ready {
            if at_work >= most {
                return;
            }
            let Some(task) = self.tasks.get(&id) else {
                continue;
            };
            if task.over {
                continue;
            }
            let execution = task.execution;
            if self.plan_of(task).is_some_and(|plan| !plan.is_open(now)) {
                self.window_closed(world, execution);
                continue;
            }
            at_work += 1;
            let millis = now.timestamp_millis();
            if let Some(task) = self.tasks.get_mut(&id) {
                task.started = Some(millis);
                task.set(codes::SENT, millis);
                task.due = millis + 1_000;
            }
            world.count("dpod.task.started");
            self.later(world, 1_000, what::TASK, id);
            let minutes = world.switches.number("dpod.long_running_minutes").max(0.0);
            self.later(world, (minutes * 60_000.0) as i64, what::LONG, id);
        }
    }

    /// A task's present step is over.
    pub(super) fn task_step(&mut self, world: &mut World, id: u64) {
        let now = world.now().timestamp_millis();
        let next = match self.tasks.get(&id) {
            Some(task) if task.is_at_work() && task.due <= now => self.next(world, id),
            _ => return,
        };
        match next {
            Some(Go(status, millis)) => self.go(world, id, status, millis),
            Some(Stay(millis)) => {
                if let Some(task) = self.tasks.get_mut(&id) {
                    task.due = now + millis;
                }
                self.later(world, millis, what::TASK, id);
            }
            Some(Fail(status, error)) => self.fail(world, id, status, error),
            Some(End(status, error)) => self.end(world, id, status, error),
            None => self.end(world, id, codes::INTERNAL, "The plan is gone".to_owned()),
        }
    }

    fn go(&mut self, world: &mut World, id: u64, status: &'static str, millis: i64) {
        let now = world.now().timestamp_millis();
        if let Some(task) = self.tasks.get_mut(&id)
            && task.status != status
        {
            task.set(status, now);
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.due = now + millis;
        }
        self.later(world, millis, what::TASK, id);
        if status == codes::SCRIPT_WAIT
            && let Some(task) = self.tasks.get(&id)
        {
            self.tell_task_begins(world, task);
        }
        if status == codes::QUIESCE
            && let Some(task) = self.tasks.get_mut(&id)
        {
            task.quiesced = true;
        }
    }

    fn next(&mut self, world: &mut World, id: u64) -> Option<Next> {
        let task = self.tasks.get(&id)?;
        let status = task.status;
        if self.site.broken {
            return Some(End(
                codes::INTERNAL,
                "java.lang.IllegalStateException: no connection to the internal store".to_owned(),
            ));
        }
        let device = self.device_of(task)?.clone();
        let activity = self.activity_of(task)?.clone();
        let stuck = |seconds: f64| ((seconds.max(0.0) * 1000.0) as i64).saturating_add(ADDED);
        let timeout = stuck(world.switches.number("dpod.quiesce_timeout_seconds"));
        Some(match status {
            codes::SENT => Go(codes::STARTED, 1_000),
            codes::STARTED => Go(codes::CHECKS, 2_000),
            codes::CHECKS => match self.checks(task, &activity, &device) {
                Some((code, error)) => Fail(code, error),
                None => self.manifest(world, id, &activity)?,
            },
            codes::MANIFEST_WAIT => self.manifest(world, id, &activity)?,
            codes::SCRIPT_WAIT if !activity.pre_script => Fail(
                codes::SCRIPT_ERROR,
                "The script before the task returned 1".to_owned(),
            ),
            codes::SCRIPT_WAIT => self.after_script(world, &activity),
            codes::QUIESCE => {
                let millis = self.seconds(world, "dpod.quiesce_seconds");
                Go(
                    codes::QUIESCE_WAIT,
                    if device.quiesce_sticks {
                        timeout
                    } else {
                        millis
                    },
                )
            }
            codes::QUIESCE_WAIT if device.quiesce_sticks => Fail(
                codes::QUIESCE_TIMEOUT,
                format!("{} did not quiesce in time", device.name),
            ),
            codes::QUIESCE_WAIT => {
                let (index, domain) = (task.device?, task.domain.clone());
                self.site
                    .devices
                    .get_mut(index)?
                    .set_quiesced(&domain, true);
                self.work(world, &activity)
            }
            codes::EXPORT | codes::UNSAVED_DONE | codes::EXPORT_DONE | codes::EXPORT_UNSAVED => {
                self.exported(world, id, &device)?
            }
            codes::SECURE => self.secured(world, id, &device)?,
            codes::UNQUIESCE | codes::ERROR_UNQUIESCE => {
                let wait = if status == codes::UNQUIESCE {
                    codes::UNQUIESCE_WAIT
                } else {
                    codes::ERROR_UNQUIESCE_WAIT
                };
                let millis = self.seconds(world, "dpod.quiesce_seconds");
                Go(
                    wait,
                    if device.unquiesce_sticks {
                        timeout
                    } else {
                        millis
                    },
                )
            }
            codes::UNQUIESCE_WAIT | codes::ERROR_UNQUIESCE_WAIT => {
                self.unquiesced(world, id, &device)?
            }
            // A failed step is shown for a moment before the gateway is brought back.
            _ if task.failing.is_some() => Go(codes::ERROR_UNQUIESCE, 1_000),
            _ => End(
                codes::INTERNAL,
                format!("Task {id} stands in status {status}"),
            ),
        })
    }

    /// What the checks before the work find.
    fn checks(
        &self,
        task: &Task,
        activity: &Activity,
        device: &Device,
    ) -> Option<(&'static str, String)> {
        let quiesced = device
            .domains
            .iter()
            .any(|domain| domain.name == task.domain && domain.quiesced);
        if !device.up {
            let why = format!("{} ({}) does not answer", device.name, device.host);
            return Some((codes::CHECKS_DEVICE, why));
        }
        if !self.site.mounted {
            return Some((
                codes::CHECKS_DIRECTORY,
                "The backup destination was not found".to_owned(),
            ));
        }
        if self.site.full {
            return Some((
                codes::CHECKS_SPACE,
                "The backup destination is out of space".to_owned(),
            ));
        }
        // The gateway that another task has quiesced for its own work is waited for, not complained about.
        if !activity.quiesce || device.work.is_some() {
            return None;
        }
        match activity.action {
            Action::SecureBackup if device.is_quiesced() => Some((
                codes::CHECKS_QUIESCED,
                format!("A domain of {} is quiesced already", device.name),
            )),
            Action::ExportDomain if quiesced => Some((
                codes::CHECKS_DOMAIN_QUIESCED,
                format!("Domain {} is quiesced already", task.domain),
            )),
            _ => None,
        }
    }

    /// One backup task a gateway: others wait. A secure backup of which DPOD lost track is in the way for good.
    fn manifest(&mut self, world: &mut World, id: u64, activity: &Activity) -> Option<Next> {
        let task = self.tasks.get(&id)?;
        let index = task.device?;
        let device = self.site.devices.get_mut(index)?;
        if device.work.is_some_and(|other| other != id) {
            return Some(Go(codes::MANIFEST_WAIT, LOOK));
        }
        if activity.action == Action::SecureBackup && device.lost_backup {
            return Some(Fail(
                codes::MANIFEST_LOST,
                format!("A secure backup is running on {}", device.name),
            ));
        }
        device.work = Some(id);
        Some(if activity.scripts {
            Go(codes::SCRIPT_WAIT, 2_000)
        } else {
            self.after_script(world, activity)
        })
    }

    fn after_script(&self, world: &mut World, activity: &Activity) -> Next {
        if activity.quiesce {
            Go(codes::QUIESCE, 1_000)
        } else {
            self.work(world, activity)
        }
    }

    fn work(&self, world: &mut World, activity: &Activity) -> Next {
        match activity.action {
            Action::SecureBackup => Go(codes::SECURE, self.seconds(world, "dpod.secure_seconds")),
            Action::ExportDomain => Go(codes::EXPORT, self.seconds(world, "dpod.export_seconds")),
        }
    }

    /// The next step of an export: the saved configuration, then what was not saved if there is any.
    fn exported(&mut self, world: &mut World, id: u64, device: &Device) -> Option<Next> {
        let task = self.tasks.get(&id)?;
        let second = task.status == codes::EXPORT_UNSAVED;
        let pick = |first: &'static str, other: &'static str| if second { other } else { first };
        if matches!(task.status, codes::EXPORT | codes::EXPORT_UNSAVED) {
            if device.hangs {
                return Some(Stay(LOOK));
            }
            return Some(if !device.up || !device.soma {
                Fail(
                    pick(codes::EXPORT_SOMA, codes::UNSAVED_SOMA),
                    format!(
                        "SOMA request to {}:{} was refused",
                        device.host, device.port
                    ),
                )
            } else if device.damage == Some(Damage::Empty) {
                Fail(
                    pick(codes::EXPORT_EMPTY, codes::UNSAVED_EMPTY),
                    format!("The export of domain {} is empty", task.domain),
                )
            } else if !self.site.writable {
                Fail(
                    pick(codes::EXPORT_SAVE, codes::UNSAVED_SAVE),
                    "java.io.IOException: Read-only file system".to_owned(),
                )
            } else {
                Go(pick(codes::EXPORT_DONE, codes::UNSAVED_DONE), 1_000)
            });
        }
        let unsaved = device
            .domains
            .iter()
            .any(|domain| domain.name == task.domain && domain.unsaved);
        if task.status == codes::EXPORT_DONE && unsaved {
            let millis = self.seconds(world, "dpod.export_seconds");
            return Some(Go(codes::EXPORT_UNSAVED, millis));
        }
        Some(self.after_work(task))
    }

    fn secured(&self, _world: &World, id: u64, device: &Device) -> Option<Next> {
        let task = self.tasks.get(&id)?;
        if device.hangs {
            return Some(Stay(LOOK));
        }
        let damaged = |code| {
            let why = format!("Files of {} differ from the manifest", device.name);
            Fail(code, why)
        };
        Some(match device.damage {
            _ if !device.up || !device.soma => Fail(
                codes::SECURE_ERROR,
                format!("{} reports that the secure backup failed", device.name),
            ),
            Some(Damage::Hash) => damaged(codes::SECURE_HASH),
            Some(Damage::Size) => damaged(codes::SECURE_SIZE),
            Some(Damage::Empty) => damaged(codes::SECURE_EMPTY),
            None => self.after_work(task),
        })
    }

    fn after_work(&self, task: &Task) -> Next {
        if task.quiesced {
            Go(codes::UNQUIESCE, 1_000)
        } else {
            self.verdict(task)
        }
    }

    /// After a restart of DPOD in between nothing was downloaded.
    fn verdict(&self, task: &Task) -> Next {
        let lost = task
            .started
            .is_some_and(|started| self.site.restarted > started);
        if lost {
            End(codes::NO_FILES, String::new())
        } else {
            End(codes::SUCCESS, String::new())
        }
    }

    fn unquiesced(&mut self, world: &mut World, id: u64, device: &Device) -> Option<Next> {
        let task = self.tasks.get(&id)?;
        let (index, domain) = (task.device?, task.domain.clone());
        if !device.unquiesce_sticks {
            self.site
                .devices
                .get_mut(index)?
                .set_quiesced(&domain, false);
        }
        let task = self.tasks.get(&id)?;
        let late = || format!("{} did not unquiesce in time", device.name);
        Some(match task.failing {
            Some(_) if device.unquiesce_sticks => End(codes::ERROR_UNQUIESCE_TIMEOUT, late()),
            Some(first) => {
                let last = world.switches.get("dpod.final_status") == "last";
                End(if last { task.status } else { first }, String::new())
            }
            None if device.unquiesce_sticks => {
                if world.switches.get("dpod.unquiesce_timeout") == "success" {
                    self.verdict(task)
                } else {
                    End(codes::UNQUIESCE_TIMEOUT, late())
                }
            }
            None => self.verdict(task),
        })
    }

    /// A step went wrong.
    fn fail(&mut self, world: &mut World, id: u64, status: &'static str, error: String) {
        let quiesced = self.tasks.get(&id).is_some_and(|task| task.quiesced);
        if !quiesced {
            self.end(world, id, status, error);
            return;
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.failing = Some(status);
            task.error = error;
        }
        self.go(world, id, status, 1_000);
    }

    /// A task has run for too long: DPOD marks it as finished and looks no more, whatever the gateway still does.
    pub(super) fn too_long(&mut self, world: &mut World, id: u64) {
        let Some(task) = self.tasks.get(&id).filter(|task| task.is_at_work()) else {
            return;
        };
        let secure = task.status == codes::SECURE;
        if let (true, Some(device)) = (
            secure,
            task.device.and_then(|it| self.site.devices.get_mut(it)),
        ) {
            device.lost_backup = true;
        }
        let why = "The task ran for longer than the configured time".to_owned();
        self.end(world, id, codes::LONG_RUNNING, why);
    }

    /// A task is over.
    fn end(&mut self, world: &mut World, id: u64, status: &'static str, error: String) {
        let now = world.now().timestamp_millis();
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        if task.status != status {
            task.set(status, now);
        }
        task.over = true;
        if task.error.is_empty() {
            task.error = error;
        }
        let (execution, device) = (task.execution, task.device);
        if let Some(device) = device.and_then(|index| self.site.devices.get_mut(index))
            && device.work == Some(id)
        {
            device.work = None;
        }
        let good = status == codes::SUCCESS;
        world.note(json!({
            "what": if good { "dpod.task.succeeded" } else { "dpod.task.failed" }, "task": id, "status": status,
        }));
        let Some(task) = self.tasks.get(&id) else {
            return;
        };
        let plan_halts = self.plan_of(task).is_some_and(|plan| plan.halt);
        let activity = self.activity_of(task);
        let halts = activity.map_or(plan_halts, |it| it.halt.unwrap_or(plan_halts));
        if activity.is_some_and(|it| it.scripts && (it.post_always || !good)) {
            self.tell_task_ended(world, task);
        }
        if !good && halts {
            self.cancel_waiting(world, execution, codes::CANCELED_POLICY);
        }
        self.later(world, 1_000, what::EXECUTION, execution);
        self.later(world, 1_000, what::DISPATCH, 0);
    }
}
