//! When policies run, by request and by schedule, and what they keep of what they made.

use serde_json::Value;

use super::backups::{NO_POLICY, Status};
use super::codes::{self, Refusal};
use super::policy::Run;
use super::run::Order;
use super::{Csbs, checks, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

const MICROS_A_DAY: i64 = 86_400_000_000;

impl Csbs {
    /// `POST /providers/{p}/checkpoints`: run a policy now.
    pub(super) fn execute_policy(
        &mut self,
        world: &mut World,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let body = super::body(request)?;
        let given = body.get("checkpoint").unwrap_or(&Value::Null);
        let id = given
            .get("plan_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let number = self
            .policy_number(id)
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        let Some(parameters) = given.get("parameters").filter(|value| value.is_object()) else {
            return Err(codes::BAD_PARAMETER.saying("parameters is missing"));
        };
        let auto = parameters.get("auto_trigger").and_then(Value::as_bool) == Some(true);
        let policy = self
            .policies
            .get(&number)
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        match policy.run {
            Some(Run { auto: true, .. }) => return Err(codes::AUTO_RUNNING.plain()),
            Some(_) => return Err(codes::MANUAL_RUNNING.plain()),
            None => {}
        }
        let mut servers: Vec<String> = policy
            .resources
            .iter()
            .map(|resource| resource.id.clone())
            .collect();
        if let Some(only) = parameters.get("resources").and_then(Value::as_array) {
            let only: Vec<&str> = only.iter().filter_map(Value::as_str).collect();
            if only
                .iter()
                .any(|id| !servers.iter().any(|server| server == id))
            {
                return Err(codes::NO_SERVER.plain());
            }
            servers.retain(|server| only.contains(&server.as_str()));
        }
        checks::room(world, 1)?;
        if world.switches.get("csbs.policy_bad_server") == "skip" {
            servers.retain(|server| self.may_begin(world, server).is_ok());
        }
        if servers
            .iter()
            .all(|server| self.may_begin(world, server).is_err())
        {
            return Err(codes::NOTHING_TO_BACK_UP.plain());
        }
        let first = self.run_policy(world, number, &servers, auto, &request.id);
        let info = if auto {
            None
        } else {
            Some("{\"created_by\": \"manual\"}")
        };
        Ok(Response::json(
            200,
            &self.checkpoint_json(world, first, info),
        ))
    }

    /// Begins a run; says the number of its first backup.
    pub(super) fn run_policy(
        &mut self,
        world: &mut World,
        number: u32,
        servers: &[String],
        auto: bool,
        request_id: &str,
    ) -> u64 {
        let order = Order {
            policy: Some(number),
            auto,
            incremental: true,
            request_id: request_id.to_owned(),
            ..Order::default()
        };
        world.count(if auto {
            "csbs.policy.run.auto"
        } else {
            "csbs.policy.run.manual"
        });
        let first = self.begin_backups(world, servers, &order);
        let begun = (first..self.backups.range().end)
            .filter(|item| {
                self.backups
                    .get(*item)
                    .is_some_and(|backup| backup.status != Status::Error)
            })
            .count();
        if let Some(policy) = self.policies.get_mut(&number) {
            policy.run = u32::try_from(begun)
                .ok()
                .filter(|left| *left > 0)
                .map(|left| Run { left, auto });
        }
        first
    }

    /// One backup of a policy's run is over.
    pub(super) fn run_lost_one(&mut self, number: u32) {
        if let Some(policy) = self.policies.get_mut(&number)
            && let Some(run) = &mut policy.run
        {
            run.left = run.left.saturating_sub(1);
            if run.left == 0 {
                policy.run = None;
            }
        }
    }

    /// Schedules the next run of an enabled policy.
    pub(super) fn schedule_next(&mut self, world: &mut World, number: u32) {
        let Some(policy) = self.policies.get(&number) else {
            return;
        };
        let operation = &policy.operation;
        if operation.enabled
            && let Some(at) = operation.schedule.next(world.now(), operation.first_day())
        {
            let id = u64::from(number) << 32 | u64::from(policy.generation);
            world.schedule(self.service, at, what::FIRE, id);
        }
    }

    /// A schedule's point in time has come.
    pub(super) fn fire(&mut self, world: &mut World, id: u64) {
        let number = (id >> 32) as u32;
        let Some(policy) = self.policies.get(&number) else {
            return;
        };
        if u64::from(policy.generation) != id & 0xFFFF_FFFF || !policy.operation.enabled {
            return;
        }
        let busy = policy.run.is_some();
        let servers: Vec<String> = policy
            .resources
            .iter()
            .map(|resource| resource.id.clone())
            .collect();
        self.schedule_next(world, number);
        if busy || servers.is_empty() {
            world.count("csbs.policy.run.skipped");
            return;
        }
        let first = self.run_policy(world, number, &servers, true, "");
        for item in first..self.backups.range().end {
            if self
                .backups
                .get(item)
                .is_some_and(|backup| backup.status == Status::Error)
            {
                self.forget_failed(world, item);
            }
        }
    }

    /// Deletes what a policy keeps no longer of a server, after an automatic backup of it has ended.
    pub(super) fn apply_retention(&mut self, world: &mut World, number: u32, server_id: &str) {
        let Some(policy) = self.policies.get(&number) else {
            return;
        };
        let (most, days) = (
            policy.operation.max_backups(),
            policy.operation.retention_days(),
        );
        let mut gone = Vec::new();
        if let Some(days) = days {
            let oldest = world.now().timestamp_micros() - days * MICROS_A_DAY;
            let end = self.backups.made_from(oldest);
            gone.extend(
                (self.backups.range().start..end)
                    .filter(|item| self.kept_auto(*item, number, server_id)),
            );
        }
        if let Some(most) = most {
            let kept = self.backups.range().rev();
            let over = kept
                .filter(|item| self.kept_auto(*item, number, server_id))
                .skip(usize::try_from(most).unwrap_or(usize::MAX));
            gone.extend(over);
        }
        gone.sort_unstable();
        gone.dedup();
        for item in gone {
            self.begin_delete(world, item, false);
        }
    }

    fn kept_auto(&self, item: u64, policy: u32, server_id: &str) -> bool {
        self.backups.get(item).is_some_and(|backup| {
            backup.policy == policy
                && backup.auto
                && backup.status == Status::Available
                && self
                    .backups
                    .snapshot(backup)
                    .is_some_and(|saved| saved.server_id == server_id)
        })
    }

    /// Keeps at most so many failed automatic backups of the server of `item` (documented: ten).
    pub(super) fn forget_failed(&mut self, world: &mut World, item: u64) {
        let most = world.switches.number("csbs.keep_failed");
        let Some(server) = self
            .backups
            .get(item)
            .filter(|backup| backup.auto && backup.policy != NO_POLICY)
            .and_then(|backup| self.backups.snapshot(backup))
            .map(|saved| saved.server_id.clone())
        else {
            return;
        };
        if most <= 0.0 {
            return;
        }
        let over: Vec<u64> = self
            .backups
            .with_status(Status::Error)
            .rev()
            .filter(|item| {
                self.backups.get(*item).is_some_and(|backup| {
                    backup.auto
                        && self
                            .backups
                            .snapshot(backup)
                            .is_some_and(|saved| saved.server_id == server)
                })
            })
            .skip(most as usize)
            .collect();
        for item in over {
            self.begin_delete(world, item, false);
        }
    }
}
