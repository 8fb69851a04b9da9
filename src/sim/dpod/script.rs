//! What DPOD tells the scripts of plans and tasks, argument by argument: its only feed of what runs and how it ended.
//!
//! | n | pre-plan | post-plan | pre-task | post-task |
//! | --- | --- | --- | --- | --- |
//! | 1, 2 | `BACKUP-PLAN PRE` | `BACKUP-PLAN POST` | `BACKUP-TASK PRE` | `BACKUP-TASK POST` |
//! | 3, 4 | plan id, plan name | plan id, plan name | task id, plan name | task id, plan name |
//! | 5, 6 | | status, error or `NONE` | action, gateway | status, error or `NONE` |
//! | 7, 8 | | `FFU FFU` | address, SOMA port | `FFU FFU` |
//! | 9 | | the tasks | domain or `ALL` | (the document is cut off here) |

use super::Dpod;
use super::device::Device;
use super::execution::Execution;
use super::plan::{Family, Plan};
use super::task::Task;
use crate::sim::world::World;

const NONE: &str = "NONE";
/// "For future use".
const FFU: &str = "FFU";

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { NONE } else { text }
}

/// Plans of a family have scripts of that word; for syncs no document says so.
fn plan_word(family: Family) -> Option<&'static str> {
    match family {
        Family::Backup => Some("BACKUP-PLAN"),
        Family::Firmware => Some("FIRMWARE-UPGRADE-PLAN"),
        Family::Sync => None,
    }
}

/// What the script before a plan is told.
pub(super) fn plan_begins(plan: &Plan) -> Option<Vec<String>> {
    let word = plan_word(plan.family).filter(|_| plan.scripts)?;
    Some(texts(&[word, "PRE", &plan.id.to_string(), &plan.name]))
}

/// What the script after a plan is told: the lines are those of its tasks.
pub(super) fn plan_ended(
    plan: &Plan,
    status: &str,
    error: &str,
    list: &str,
) -> Option<Vec<String>> {
    let word = plan_word(plan.family).filter(|_| plan.scripts)?;
    Some(texts(&[
        word,
        "POST",
        &plan.id.to_string(),
        &plan.name,
        status,
        or_none(error),
        FFU,
        FFU,
        list,
    ]))
}

/// What the script before a task is told.
pub(super) fn task_begins(plan: &Plan, device: &Device, task: &Task) -> Vec<String> {
    texts(&[
        "BACKUP-TASK",
        "PRE",
        &task.id.to_string(),
        &plan.name,
        task.action.word(),
        &device.name,
        &device.host,
        &device.port.to_string(),
        &task.domain,
    ])
}

/// What the script after a task is told.
pub(super) fn task_ended(plan: &Plan, task: &Task) -> Vec<String> {
    texts(&[
        "BACKUP-TASK",
        "POST",
        &task.id.to_string(),
        &plan.name,
        task.status,
        or_none(&task.error),
        FFU,
        FFU,
    ])
}

/// The tasks of a backup plan as the script after it is told them.
pub(super) fn list_of<'a>(world: &World, tasks: impl Iterator<Item = &'a Task>) -> String {
    let lines: Vec<String> = tasks.map(Task::line).collect();
    // The published example has a comma before each tilde.
    lines.join(match world.switches.get("dpod.task_list") {
        "flat" => ",",
        _ => ",~",
    })
}

impl Dpod {
    /// The script before a plan.
    pub(super) fn tell_plan_begins(&self, world: &mut World, execution: &Execution) {
        if let Some(args) = self.plans.get(execution.plan).and_then(plan_begins) {
            world.call_hook("dpod.script", args);
        }
    }

    /// The script after a plan.
    pub(super) fn tell_plan_ended(&self, world: &mut World, execution: &Execution) {
        let Some(plan) = self.plans.get(execution.plan) else {
            return;
        };
        let list = match plan.family {
            Family::Firmware => execution.firmware.join("~"),
            _ => list_of(
                world,
                execution.tasks.iter().filter_map(|id| self.tasks.get(id)),
            ),
        };
        if let Some(args) = plan_ended(plan, &execution.status, &execution.error, &list) {
            world.call_hook("dpod.script", args);
        }
    }

    /// The script before a task.
    pub(super) fn tell_task_begins(&self, world: &mut World, task: &Task) {
        let device = task.device.and_then(|index| self.site.devices.get(index));
        if let (Some(plan), Some(device)) = (self.plan_of(task), device) {
            world.call_hook("dpod.script", task_begins(plan, device, task));
        }
    }

    /// The script after a task.
    pub(super) fn tell_task_ended(&self, world: &mut World, task: &Task) {
        if let Some(plan) = self.plan_of(task) {
            world.call_hook("dpod.script", task_ended(plan, task));
        }
    }
}
