//! Calls that make and start restores.

use serde_json::{Value, json};

use super::call::Call;
use super::plan::Precheck;
use super::rows::{Restore, RestoreStatus, SetStatus};
use super::{Answer, Dbs, codes, millis, payload};
use crate::sim::http::Request;
use crate::sim::world::World;

impl Dbs {
    pub(super) fn create_restore(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let plan = self.acted_on(call)?;
        let to = super::configure::endpoint(call, "Destination")?;
        let set = match (call.text("BackupSetId"), call.number("RestoreTime")) {
            (Some(_), Some(_)) => {
                return Err(codes::BAD_VALUE
                    .saying("BackupSetId and RestoreTime can't be specified together."));
            }
            (None, None) => return Err(codes::missing("BackupSetId")),
            (Some(id), None) => {
                let of_plan = self.set_number(id).filter(|set| {
                    self.set(*set).is_some_and(|row| {
                        row.plan as usize == plan && row.status == SetStatus::Finish
                    })
                });
                Some(of_plan.ok_or_else(|| {
                    codes::BAD_VALUE.saying("The specified BackupSetId does not exist.")
                })?)
            }
            (None, Some(_)) => None,
        };
        if let Some(text) = call.text("RestoreObjects") {
            let fine = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_array());
            if !fine {
                return Err(codes::BAD_VALUE.saying("The specified RestoreObjects is not valid."));
            }
        }
        let restore = Restore {
            plan: u32::try_from(plan).unwrap_or(u32::MAX),
            name: call.word("RestoreTaskName").to_owned(),
            status: RestoreStatus::Init,
            created: millis(world.now()),
            started: 0,
            due: 0,
            ended: 0,
            set,
            point: call.number("RestoreTime").unwrap_or(0),
            objects: call.word("RestoreObjects").to_owned(),
            dir: call.word("RestoreDir").to_owned(),
            mode: call.word("RestoreDestinationMode").to_owned(),
            to,
            precheck: Precheck {
                job: 0,
                begun: 0,
                ends: 0,
                verdict: None,
            },
            reason: None,
            odd: None,
        };
        let number = self.add_restore(world, restore);
        let id = self.restore_id(number);
        world.note(json!({"what": "dbs.restore.created", "request_id": request.id, "restore": id}));
        Ok(payload(json!({"RestoreTaskId": id})))
    }

    pub(super) fn start_restore_task(
        &mut self,
        world: &mut World,
        call: &Call,
        request: &Request,
    ) -> Answer {
        let id = call.word("RestoreTaskId");
        let number = self.restore_number(id).ok_or_else(|| codes::no_job(id))?;
        let status = self.restores.get(number).map(|restore| restore.status);
        let again = world.switches.get("dbs.start_stopped_restore") == "restart";
        match status {
            Some(RestoreStatus::CheckPass | RestoreStatus::Pause) => {}
            Some(RestoreStatus::Stop) if again => {}
            _ => return Err(codes::cannot()),
        }
        self.run_restore(world, number, &request.id);
        Ok(payload(json!({"RestoreTaskId": id})))
    }
}
