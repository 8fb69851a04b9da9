//! Sending what was confirmed, and looking for what became of it.

use std::time::Duration;

use serde_json::Value;

use super::Sdrs;
use super::known::OwnJob;
use super::prepare::SendPlan;
use super::wire::{Object, is_faulty};
use crate::connect::Progress;
use crate::connect::http::Call;
use crate::model::{
    Fault, FaultKind, Follow, Found, Intent, Prepared, Ref, SendOutcome, TargetKind, Timestamp,
};

/// Between two looks at a resource that a step waits for.
const LOOK: Duration = Duration::from_secs(3);
/// How many looks a step waits: a quarter of an hour.
const LOOKS: u32 = 300;

impl Sdrs {
    pub(super) async fn send_action(
        &self,
        prepared: &Prepared,
        progress: Progress<'_>,
    ) -> SendOutcome {
        let plan: SendPlan = match prepared.own_plan() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        if prepared.intent.action.starts_with("clear") {
            return self.send_clear(prepared, &plan).await;
        }
        let all = plan.calls.len();
        for (number, (call, wait)) in (1..).zip(plan.calls.iter().zip(&plan.waits)) {
            if all > 1 {
                progress(format!(
                    "step {number} of {all}: {} {}",
                    call.method,
                    call.path.join("/")
                ));
            }
            let outcome = self
                .session
                .act(call, self.follow(&prepared.intent, &plan))
                .await;
            let last = number == all;
            let outcome = match outcome {
                SendOutcome::Accepted { answer, mut follow } => {
                    let job = job_id(&answer.body);
                    if last {
                        if let Some(id) = job {
                            self.remember(&id, &prepared.intent, &plan);
                            follow.task_ids = vec![id];
                        }
                        return SendOutcome::Accepted { answer, follow };
                    }
                    None
                }
                other => Some(other),
            };
            if let Some(outcome) = outcome {
                return if number == 1 {
                    outcome
                } else {
                    half_done(outcome, number, all, self.follow(&prepared.intent, &plan))
                };
            }
            if let Some((word, id, states)) = wait
                && let Err(fault) = self.wait_for(word, id, states, progress).await
            {
                let mut fault = fault;
                fault.what = format!(
                    "step {number} of {all} was taken, the next was not sent: {}",
                    fault.what
                );
                // something was sent, so it must not look as if nothing had been
                let follow = self.follow(&prepared.intent, &plan);
                return SendOutcome::Unknown { fault, follow };
            }
        }
        SendOutcome::NotSent {
            fault: Fault::new(
                FaultKind::Config,
                "there is nothing to send",
                "",
                "Prepare it again.",
            ),
        }
    }

    /// Waits until a resource is gone, or in one of the states.
    async fn wait_for(
        &self,
        word: &str,
        id: &str,
        states: &[String],
        progress: Progress<'_>,
    ) -> Result<(), Fault> {
        let Some(object) = Object::read(word) else {
            return Ok(());
        };
        let mut shown = String::new();
        for _ in 0..LOOKS {
            let status = self
                .resource(object, id, |row, _| row.status.owned())
                .await?;
            match status {
                None if states.is_empty() => return Ok(()),
                None => {
                    let what = format!("the {} is gone", object.name());
                    return Err(Fault::new(
                        FaultKind::Refused,
                        what,
                        "",
                        "Look at it in the service's own console.",
                    ));
                }
                Some(status) if states.contains(&status) => return Ok(()),
                Some(status) if is_faulty(&status) && status != "error" && states.is_empty() => {
                    let what = format!("the {} is {status}", object.name());
                    return Err(Fault::new(
                        FaultKind::Refused,
                        what,
                        "",
                        "Read the failed task that it left.",
                    ));
                }
                Some(status) => {
                    if status != shown {
                        progress(format!("the {} is {status}", object.name()));
                        shown = status;
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        let what = format!("the {} did not get there within 15 minutes", object.name());
        Err(Fault::new(
            FaultKind::Timeout,
            what,
            "",
            "Look at it in the service's own console.",
        ))
    }

    /// Clears a failed task. Which id the call wants is not settled by the reference: its sample holds a
    /// resource id, its words say the task's. So the job id goes first, the list is read again, and only when
    /// the row still stands there the resource id follows. A 204 alone is not believed.
    async fn send_clear(&self, prepared: &Prepared, plan: &SendPlan) -> SendOutcome {
        let follow = Follow::default();
        let Some(call) = plan.calls.first() else {
            let fault = Fault::new(
                FaultKind::Config,
                "there is nothing to send",
                "",
                "Prepare it again.",
            );
            return SendOutcome::NotSent { fault };
        };
        let first = self.session.act(call, follow.clone()).await;
        if prepared.intent.action != "clear" {
            return first;
        }
        match &first {
            SendOutcome::Accepted { .. } | SendOutcome::Refused { .. } => {}
            _ => return first,
        }
        match self.still_listed(&prepared.intent).await {
            Ok(false) => match first {
                // the row is gone although the answer refused: somebody was quicker, or it lied
                SendOutcome::Refused { answer, .. } => SendOutcome::Accepted { answer, follow },
                other => other,
            },
            Ok(true) => match resource_id(&prepared.intent.target.raw) {
                Some(id) if id != prepared.intent.target.id => {
                    let again = Call::delete(&["task-center", "failure-jobs", &id]);
                    self.session.act(&again, follow).await
                }
                _ => first,
            },
            Err(_) => first,
        }
    }

    /// Whether the failed task still stands in the task center.
    async fn still_listed(&self, intent: &Intent) -> Result<bool, Fault> {
        let mut scopes = vec![None];
        if !intent.target.policy.id.is_empty() {
            scopes.push(Some(intent.target.policy.id.as_str()));
        }
        for group in scopes {
            let mut call = Call::get(&["task-center", "failure-jobs"])
                .with("limit", "500")
                .with("offset", "0");
            if let Some(group) = group {
                call = call.with("server_group_id", group);
            }
            let reply = self.session.ask(&call).await?;
            let listed: Value = reply.json()?;
            let rows = listed.get("failure_jobs").and_then(Value::as_array);
            let found = rows.into_iter().flatten().any(|row| {
                row.get("job_id").and_then(Value::as_str) == Some(intent.target.id.as_str())
            });
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn follow(&self, intent: &Intent, plan: &SendPlan) -> Follow {
        let (device, policy) = whose(intent, plan);
        Follow {
            task_ids: Vec::new(),
            device_id: device.map(|d| d.id).unwrap_or_default(),
            policy_id: policy.map(|p| p.id).unwrap_or_default(),
            operations: vec![operation(intent)],
            since: Some(self.session.service_now()),
            expects_task: true,
        }
    }

    fn remember(&self, job_id: &str, intent: &Intent, plan: &SendPlan) {
        let (device, policy) = whose(intent, plan);
        let job = OwnJob {
            operation: operation(intent),
            object: Object::read(&plan.object).unwrap_or(Object::Group),
            resource_id: plan.resource_id.clone(),
            device,
            policy,
        };
        self.known().own.insert(job_id.to_owned(), job);
    }

    pub(super) async fn find_action(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let intent = &prepared.intent;
        if intent.action == "clear" {
            return Ok(if self.still_listed(intent).await? {
                Found::Nothing {
                    looked_at: "the task center still lists it".to_owned(),
                }
            } else {
                Found::Done {
                    task_ids: Vec::new(),
                    seen: "the task center no longer lists it".to_owned(),
                }
            });
        }
        if intent.action.starts_with("clear") {
            return Ok(Found::CannotTell {
                why: "the lists may have changed for other reasons; clearing again does no harm"
                    .to_owned(),
            });
        }
        let plan: SendPlan = prepared.own_plan()?;
        let Some(object) = Object::read(&plan.object).filter(|_| !plan.resource_id.is_empty())
        else {
            return self.find_drill(intent).await;
        };
        let now = self
            .resource(object, &plan.resource_id, |row, _| {
                (row.status.owned(), row.updated_at.0)
            })
            .await?;
        let name = object.name();
        if plan.calls.len() > 1
            && now
                .as_ref()
                .is_none_or(|(status, _)| status != before(intent))
        {
            // what the first step does looks like this as well
            let seen = now.map_or_else(|| "gone".to_owned(), |(status, _)| status);
            return Ok(Found::CannotTell {
                why: format!(
                    "the {name} is {seen}, which the first of {} steps alone may have done",
                    plan.calls.len()
                ),
            });
        }
        Ok(match now {
            None => Found::Done {
                task_ids: Vec::new(),
                seen: format!("the {name} is gone"),
            },
            Some((status, updated)) => {
                let changed = status != before(intent)
                    || updated.is_some_and(|at| at >= self.session.by_service(sent_at));
                if changed {
                    Found::Done {
                        task_ids: Vec::new(),
                        seen: format!("the {name} changed to {status}"),
                    }
                } else {
                    Found::Nothing {
                        looked_at: format!("the {name} is still {status}"),
                    }
                }
            }
        })
    }

    async fn find_drill(&self, intent: &Intent) -> Result<Found, Fault> {
        let name = intent.inputs.get("name").map_or("", |n| n.trim());
        let call = Call::get(&["disaster-recovery-drills"])
            .with("server_group_id", intent.target.id.clone())
            .with("name", name);
        let listed: Value = self.session.ask(&call).await?.json()?;
        let rows = listed
            .get("disaster_recovery_drills")
            .and_then(Value::as_array);
        let found = rows
            .into_iter()
            .flatten()
            .any(|row| row.get("name").and_then(Value::as_str) == Some(name));
        Ok(if found {
            Found::Done {
                task_ids: Vec::new(),
                seen: format!("a drill named {name} is there"),
            }
        } else {
            Found::Nothing {
                looked_at: format!("no drill named {name} is listed"),
            }
        })
    }
}

/// The state that the resource was in when the action was prepared.
fn before(intent: &Intent) -> &str {
    match intent.target.native_status.as_str() {
        "startFail" => "error-starting",
        "stopFail" => "error-stopping",
        "reverseFail" => "error-reversing",
        "failoverFail" => "error-failing-over",
        "reprotectFail" => "error-reprotecting",
        "createFail" => "error",
        "deleteFail" => "error-deleting",
        "attachFail" => "error-attaching",
        "detachFail" => "error-detaching",
        "expandFail" => "error-extending",
        "resizeFail" => "error-resizing",
        other => other,
    }
}

fn operation(intent: &Intent) -> String {
    match intent.action {
        "switch-over" => "planned failover",
        "fail-over" => "failover",
        "protect-again" => "re-enable protection",
        "drill" => "drill",
        "enable" => "enable protection",
        "disable" => "disable protection",
        "end-drill" => "end drill",
        _ => intent.target.operation.as_str(),
    }
    .to_owned()
}

/// The device and the group that the action is about.
fn whose(intent: &Intent, plan: &SendPlan) -> (Option<Ref>, Option<Ref>) {
    let target = &intent.target;
    let some = |r: &Ref| {
        if r.id.is_empty() && r.name.is_empty() {
            None
        } else {
            Some(r.clone())
        }
    };
    match target.kind {
        TargetKind::Policy => (None, Some(Ref::new(target.id.clone(), target.name.clone()))),
        TargetKind::Device => (
            Some(Ref::new(target.id.clone(), target.name.clone())),
            some(&target.policy),
        ),
        TargetKind::Task if plan.object == Object::Instance.word() => (
            Some(Ref::new(
                plan.resource_id.clone(),
                target.device.name.clone(),
            )),
            some(&target.policy),
        ),
        TargetKind::Task => (some(&target.device), some(&target.policy)),
    }
}

/// A step failed after others were taken: never "not sent" any more.
fn half_done(outcome: SendOutcome, number: usize, all: usize, follow: Follow) -> SendOutcome {
    let note = |what: &str| {
        format!(
            "{} of {all} steps were taken before this: {what}",
            number - 1
        )
    };
    match outcome {
        SendOutcome::Refused { mut code, answer } => {
            code.message = note(&code.message);
            SendOutcome::Refused { code, answer }
        }
        SendOutcome::NotSent { mut fault } => {
            fault.what = note(&fault.what);
            SendOutcome::Unknown { fault, follow }
        }
        SendOutcome::Unknown { mut fault, follow } => {
            fault.what = note(&fault.what);
            SendOutcome::Unknown { fault, follow }
        }
        accepted => accepted,
    }
}

fn job_id(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let id = answer.get("job_id")?.as_str()?;
    if id.is_empty() {
        None
    } else {
        Some(id.to_owned())
    }
}

fn resource_id(raw: &str) -> Option<String> {
    let record: Value = serde_json::from_str(raw).ok()?;
    record.get("resource_id")?.as_str().map(str::to_owned)
}
