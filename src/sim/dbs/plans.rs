//! Calls that start, stop and release plans, and those that pay for them.

use chrono::TimeDelta;
use serde_json::json;

use super::call::Call;
use super::plan::{PlanStatus, Then};
use super::{Answer, Dbs, codes, payload, plan_payload, what};
use crate::sim::http::Request;
use crate::sim::world::World;

impl Dbs {
    pub(super) fn start_backup_plan(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let number = self.acted_on(call)?;
        let Some(plan) = self.plans.get(number) else {
            return Err(codes::cannot());
        };
        let checking = plan
            .precheck
            .as_ref()
            .is_some_and(|check| check.verdict.is_none());
        let mut set = None;
        match (plan.status, plan.needs_check) {
            (PlanStatus::Wait | PlanStatus::Locked, _) => return Err(codes::cannot()),
            _ if checking => return Err(codes::cannot()),
            (PlanStatus::Running, true) => self.begin_check(world, number, Then::GoOn),
            (PlanStatus::Init | PlanStatus::Stop, _) | (_, true) => {
                self.begin_check(world, number, Then::Start);
            }
            (PlanStatus::CheckPass | PlanStatus::Pause, false) => {
                set = self.enter_service(world, number, true, &request.id);
            }
            // What the real service does here nobody has written down.
            (PlanStatus::Running, false) => match world.switches.get("dbs.start_running") {
                "refuse" => return Err(codes::cannot()),
                "nothing" => {}
                _ if self.under_way(plan) => return Err(codes::cannot()),
                _ => set = self.begin_full(world, number, None, &request.id),
            },
        }
        world.note(json!({
            "what": "dbs.plan.started", "request_id": request.id, "plan": self.plan_id(number),
        }));
        let mut answer = plan_payload(call.word("BackupPlanId"));
        if let Some(set) = set {
            answer.insert("CreatedFullBackupsetId".into(), self.set_id(set).into());
        }
        Ok(answer)
    }

    pub(super) fn stop_backup_plan(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let all = match call.word("StopMethod") {
            "ALL" => true,
            "PLAN" => false,
            _ => return Err(codes::BAD_VALUE.saying("The specified StopMethod is not valid.")),
        };
        let number = self.acted_on(call)?;
        let status = self.plans.get(number).map(|plan| plan.status);
        // A plan whose schedule was stopped may still have jobs to stop.
        if !matches!(
            status,
            Some(PlanStatus::Running | PlanStatus::Pause | PlanStatus::Stop)
        ) {
            return Err(codes::cannot());
        }
        self.pause(world, number, all);
        world.note(json!({
            "what": if all { "dbs.plan.stopped_all" } else { "dbs.plan.stopped" },
            "request_id": request.id, "plan": self.plan_id(number),
        }));
        Ok(plan_payload(call.word("BackupPlanId")))
    }

    pub(super) fn release_backup_plan(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let number = self.acted_on(call)?;
        if self.plans.get(number).is_none_or(|plan| plan.prepaid) {
            return Err(codes::cannot());
        }
        self.pause(world, number, true);
        if let Some(plan) = self.plans.get_mut(number) {
            plan.released = true;
        }
        world.note(json!({
            "what": "dbs.plan.released", "request_id": request.id, "plan": self.plan_id(number),
        }));
        Ok(plan_payload(call.word("BackupPlanId")))
    }

    pub(super) fn pay(&mut self, world: &mut World, call: &Call) -> Answer {
        let number = self.acted_on(call)?;
        let order = self.order(world);
        let now = world.now();
        let Some(plan) = self.plans.get_mut(number) else {
            return Err(codes::cannot());
        };
        if call.action == "UpgradeBackupPlan" {
            let class = call.word("InstanceClass");
            if !super::configure::CLASSES.contains(&class) {
                return Err(codes::BAD_VALUE.saying("The specified InstanceClass is not valid."));
            }
            class.clone_into(&mut plan.class);
        } else {
            if !plan.prepaid {
                return Err(codes::cannot());
            }
            let days = match call.word("Period") {
                "Year" => 365,
                "Month" => 30,
                _ => return Err(codes::BAD_VALUE.saying("The specified Period is not valid.")),
            };
            let used = call.number("UsedTime").unwrap_or(1).clamp(1, 60);
            plan.expires = plan.expires.max(now) + TimeDelta::days(days * used);
            let expires = plan.expires;
            if plan.status == PlanStatus::Locked {
                plan.status = PlanStatus::Pause;
                plan.error = None;
            }
            world.schedule(self.service, expires, what::EXPIRE, number as u64);
        }
        let mut answer = plan_payload(call.word("BackupPlanId"));
        answer.insert("OrderId".into(), order.into());
        Ok(answer)
    }

    /// The number of an order.
    pub(super) fn order(&self, world: &mut World) -> String {
        format!("2{:014}", world.rng.u64(..) % 100_000_000_000_000)
    }

    pub(super) fn billing(&self, call: &Call) -> Answer {
        let number = self.acted_on(call)?;
        let Some(plan) = self.plans.get(number) else {
            return Err(codes::cannot());
        };
        let full: u64 = plan
            .sets
            .iter()
            .filter_map(|set| self.set(*set))
            .filter(|set| set.status == super::rows::SetStatus::Finish)
            .map(|set| set.bytes)
            .sum();
        let increments: u64 = plan.increments.iter().map(|row| row.bytes).sum();
        let free = 500_u64 << 30;
        let created = super::millis(plan.created);
        let expires = super::millis(plan.expires);
        Ok(payload(json!({"Item": {
            "BuyChargeType": if plan.prepaid { "PREPAY" } else { "POSTPAY" }, "BuySpec": plan.class,
            "IsExpired": plan.status == PlanStatus::Locked, "IsFreeBytesUnlimited": false,
            "BuyCreateTimestamp": created, "BuyExpiredTimestamp": if plan.prepaid { expires } else { 0 },
            "QuotaStartTimestamp": created, "QuotaEndTimestamp": created + 30 * 86_400_000_i64,
            "FullStorageSize": full, "ContStorageSize": increments,
            "UsedFullBytes": full, "UsedIncrementBytes": increments,
            "TotalFreeBytes": free, "PaiedBytes": (full + increments).saturating_sub(free),
        }})))
    }
}
