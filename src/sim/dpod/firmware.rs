//! Firmware plans: the scripts before and after the plan are documented, scripts of their tasks are not.

use super::execution::Stage;
use super::plan::Plan;
use super::{Dpod, codes, what};
use crate::sim::world::World;

impl Dpod {
    /// A firmware plan: two gateways at a time, a minute each.
    pub(super) fn upgrade(&mut self, world: &mut World, id: u64, plan: &Plan) {
        let mut lines = Vec::new();
        let mut upgraded = Vec::new();
        for activity in &plan.activities {
            for (index, name, _) in self.targets(activity) {
                let task = self.next_task;
                self.next_task += 1;
                let device = index.and_then(|index| self.site.devices.get(index));
                let before = device.map_or("", |device| device.version.as_str());
                let code = match device {
                    None => codes::SKIPPED_PATTERN,
                    Some(device) if !device.up => codes::SKIPPED_DEVICE,
                    Some(_) if plan.firmware.is_empty() => codes::NO_IMAGE,
                    Some(_) if digits(&plan.firmware) < digits(before) => codes::DOWNGRADE,
                    Some(_) => codes::SUCCESS,
                };
                let after = if code == codes::SUCCESS {
                    upgraded.extend(index);
                    plan.firmware.as_str()
                } else {
                    before
                };
                lines.push(format!("{task},{name},{before},{after},{code}"));
            }
        }
        if let Some(execution) = self.execution_mut(id) {
            execution.firmware = lines;
            execution.stage = Stage::Running;
        }
        if let Some(execution) = self
            .execution_index(id)
            .and_then(|it| self.executions.get(it))
        {
            self.tell_plan_begins(world, execution);
        }
        let seconds = 60_000 * i64::try_from(upgraded.len().div_ceil(2)).unwrap_or(1);
        for index in upgraded {
            if let Some(device) = self.site.devices.get_mut(index) {
                device.version.clone_from(&plan.firmware);
            }
        }
        self.later(world, seconds.max(4_000), what::EXECUTION, id);
    }
}

/// A version's numbers, so that versions can be compared.
fn digits(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}
