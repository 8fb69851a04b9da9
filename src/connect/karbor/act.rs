//! What an operator can do in Karbor: run a plan, restore a checkpoint, delete one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Karbor;
use super::record::{Checkpoint, LogRow, One};
use crate::connect::http::{Call, Reply};
use crate::model::{
    ActionSpec, CodeRef, Danger, Fault, FaultKind, Follow, Input, InputKind, Intent, Phase,
    Prepared, SendOutcome, Target, TargetKind, Verb, clean,
};

static PARAMETERS: [Input; 1] = [Input {
    name: "parameters",
    ask: "Restore parameters of its provider, as JSON; empty: none",
    kind: InputKind::Text,
    required: false,
}];

pub(super) static ACTIONS: [ActionSpec; 5] = [
    spec(
        "run-plan",
        Verb::Trigger,
        "Run this plan now",
        TargetKind::Policy,
    ),
    spec(
        "run-again",
        Verb::Retry,
        "Run this task's plan again",
        TargetKind::Task,
    ),
    ActionSpec {
        danger: Danger::TypeName,
        inputs: &PARAMETERS,
        ..spec(
            "restore",
            Verb::Restore,
            "Restore this checkpoint",
            TargetKind::Task,
        )
    },
    spec(
        "delete-failed",
        Verb::Delete,
        "Delete this failed checkpoint",
        TargetKind::Task,
    ),
    ActionSpec {
        danger: Danger::TypeName,
        ..spec(
            "delete-checkpoint",
            Verb::Delete,
            "Delete this checkpoint",
            TargetKind::Task,
        )
    },
];

const fn spec(id: &'static str, verb: Verb, label: &'static str, target: TargetKind) -> ActionSpec {
    ActionSpec {
        id,
        verb,
        label,
        target,
        danger: Danger::Confirm,
        safe_to_repeat: false,
        inputs: &[],
    }
}

/// What sending and looking afterwards need to know.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub call: Call,
    pub plan_id: String,
    /// The checkpoint that is restored or deleted.
    pub checkpoint: String,
    pub provider: String,
}

pub(super) fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    let backup = target.operation == "backup";
    let no = |why: &str| Err(why.to_owned());
    match action.id {
        "run-plan" => Ok(()),
        _ if target.phase.is_live() => no("the task has not ended"),
        _ if !backup => no("this task is no backup"),
        "run-again" if target.phase == Phase::Succeeded => {
            no("the backup is good; run the plan from the policies")
        }
        "restore" if target.phase != Phase::Succeeded => {
            no("only an available checkpoint can be restored")
        }
        "delete-failed" if target.phase != Phase::Failed => no("the backup has not failed"),
        "delete-checkpoint" if target.phase == Phase::Failed => {
            no("it failed: delete it as a failed checkpoint")
        }
        _ => Ok(()),
    }
}

pub(super) fn refused(what: impl Into<String>, place: &str, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, place, advice)
}

impl Karbor {
    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let (plan, effect, warnings, danger) = match intent.action {
            "run-plan" => self.draft_run(&intent.target.id).await?,
            "run-again" => {
                let (log_plan, ..) = self.log_of(&intent.target).await?;
                let mut draft = self.draft_run(&log_plan).await?;
                draft.2.push("Karbor gives no reason for the failure: ask for the log of karbor-protection first. The failed checkpoint stays.".into());
                draft
            }
            _ => self.draft_checkpoint(intent).await?,
        };
        Ok(Prepared {
            intent: intent.clone(),
            requests: vec![self.session.preview(&plan.call, "").await?],
            effect,
            warnings,
            danger,
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(&plan).unwrap_or_default(),
        })
    }

    /// Plan, provider and checkpoint of a task: from its record, asked for when we no longer hold it.
    async fn log_of(&self, target: &Target) -> Result<(String, String, String), Fault> {
        let read = |text: &str| {
            let log: LogRow<'_> = serde_json::from_str(text).ok()?;
            Some((
                log.plan_id.owned(),
                log.provider_id.owned(),
                log.checkpoint_id.owned(),
            ))
        };
        if let Some(found) = read(&target.raw) {
            return Ok(found);
        }
        let reply = self
            .one(&["operation_logs", &target.id])
            .await?
            .ok_or_else(|| refused("the task's record is gone", "", "Refresh."))?;
        let one: One<'_> = reply.json()?;
        one.operation_log
            .and_then(|raw| read(raw.get()))
            .ok_or_else(|| {
                refused(
                    "the task's record can't be read",
                    &reply.place,
                    "Look at it.",
                )
            })
    }

    async fn draft_run(&self, plan_id: &str) -> Result<(Plan, String, Vec<String>, Danger), Fault> {
        let gone = || refused("the plan is gone", "", "Refresh: somebody has deleted it.");
        if plan_id.is_empty() {
            return Err(refused(
                "the task's record names no plan",
                "",
                "Run the plan from the policies.",
            ));
        }
        let reply = self.one(&["plans", plan_id]).await?.ok_or_else(gone)?;
        let one: One<'_> = reply.json()?;
        let plan = one.plan.0.ok_or_else(gone)?;
        // Karbor refuses a provider other than the plan's.
        let provider = plan.provider_id.owned();
        let count = plan.devices().len();
        let effect = format!(
            "Backs up the {count} resources of plan \"{}\" into a new checkpoint.",
            plan.label()
        );
        let plan = Plan {
            call: Call::post(
                &["providers", &provider, "checkpoints"],
                json!({"checkpoint": {"plan_id": plan_id}}),
            ),
            plan_id: plan_id.to_owned(),
            checkpoint: String::new(),
            provider,
        };
        Ok((plan, effect, Vec::new(), Danger::Confirm))
    }

    async fn draft_checkpoint(
        &self,
        intent: &Intent,
    ) -> Result<(Plan, String, Vec<String>, Danger), Fault> {
        let (plan_id, provider, id) = self.log_of(&intent.target).await?;
        let gone = || refused("the checkpoint is gone", "", "Somebody has deleted it.");
        let reply = self.checkpoint(&provider, &id).await?.ok_or_else(gone)?;
        let one: One<'_> = reply.json()?;
        let checkpoint: Checkpoint<'_> = one.checkpoint.0.ok_or_else(gone)?;
        let status = checkpoint.status.as_str();
        let of = checkpoint.protection_plan.0.as_ref();
        let whose = of.map_or(plan_id.as_str(), |p| p.label()).to_owned();
        let good = status == "available";
        let restore = intent.action == "restore";
        if restore && !good || !restore && !matches!(status, "available" | "error") {
            return Err(refused(
                format!("the checkpoint is {status}"),
                &reply.place,
                if restore {
                    "Only an available one can be restored."
                } else {
                    "Karbor deletes available and failed ones only."
                },
            ));
        }
        if intent.action == "delete-failed" && good {
            return Err(refused(
                "the checkpoint is available now, not failed",
                &reply.place,
                "Delete it as a checkpoint if it is really not needed.",
            ));
        }
        let (call, effect) = if restore {
            let text = intent.inputs.get("parameters").map_or("", |p| p.trim());
            let parameters: Value = if text.is_empty() {
                json!({})
            } else {
                serde_json::from_str(text).map_err(|e| {
                    refused(
                        format!("the parameters are no JSON: {}", clean(&e.to_string())),
                        "parameters",
                        "Write a JSON object, keyed by resource type or type#id.",
                    )
                })?
            };
            let body = json!({"restore": {"provider_id": provider, "checkpoint_id": id, "parameters": parameters}});
            (
                Call::post(&["restores"], body),
                format!("Restores every resource in checkpoint {id} of plan \"{whose}\"."),
            )
        } else {
            (
                Call::delete(&["providers", &provider, "checkpoints", &id]),
                if good {
                    format!(
                        "Deletes the good checkpoint {id} of plan \"{whose}\". It can't be brought back."
                    )
                } else {
                    format!(
                        "Deletes the failed checkpoint {id} of plan \"{whose}\". The task's record stays."
                    )
                },
            )
        };
        let warnings = if restore {
            vec!["Where the resources are restored to depends on the provider; Karbor gives no reason if it fails.".to_owned()]
        } else {
            Vec::new()
        };
        let plan = Plan {
            call,
            plan_id: of.map_or(plan_id, |p| p.id.owned()),
            checkpoint: id,
            provider,
        };
        Ok((
            plan,
            effect,
            warnings,
            if good {
                Danger::TypeName
            } else {
                Danger::Confirm
            },
        ))
    }

    pub(super) async fn checkpoint(
        &self,
        provider: &str,
        id: &str,
    ) -> Result<Option<Reply>, Fault> {
        self.one(&["providers", provider, "checkpoints", id]).await
    }

    pub(super) async fn carry_out(&self, prepared: &Prepared) -> SendOutcome {
        let plan = match prepared.own_plan::<Plan>() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        let operation = match prepared.intent.action {
            "restore" => "restore",
            "run-plan" | "run-again" => "backup",
            _ => "delete",
        };
        let follow = Follow {
            policy_id: plan.plan_id.clone(),
            operations: vec![operation.into()],
            since: Some(self.session.service_now()),
            expects_task: true,
            ..Follow::default()
        };
        let (outcome, reply) = self.session.act_and_read(&plan.call, follow).await;
        match outcome {
            SendOutcome::Accepted { answer, mut follow } => {
                let one = reply.as_ref().and_then(|r| r.json::<One<'_>>().ok());
                // A restore that could not begin is answered with 200 too.
                if let Some(restore) = one.as_ref().and_then(|o| o.restore.0.as_ref()) {
                    if restore.status.as_str() == "fail" {
                        let mut code = CodeRef::new("fail", restore.reasons()).with_http(200);
                        code.operation = "restore".into();
                        return SendOutcome::Refused { code, answer };
                    }
                    follow.task_ids = self
                        .logs_of("restore_id", restore.id.as_str(), "restore")
                        .await;
                } else {
                    let made = one.as_ref().and_then(|o| o.checkpoint.0.as_ref());
                    let id = made.map_or(plan.checkpoint.as_str(), |c| c.id.as_str());
                    follow.task_ids = self.logs_of("checkpoint_id", id, operation).await;
                }
                SendOutcome::Accepted { answer, follow }
            }
            SendOutcome::Refused { mut code, answer } => {
                super::name_of(&mut code);
                SendOutcome::Refused { code, answer }
            }
            // Karbor answers 500 for a state that it does not allow, and the fault says so.
            SendOutcome::Unknown { fault, follow } => SendOutcome::Unknown {
                fault: super::named(fault),
                follow,
            },
            SendOutcome::NotSent { fault } => SendOutcome::NotSent {
                fault: super::named(fault),
            },
        }
    }

    /// Ids of the logs of one checkpoint or restore; none when the service doesn't tell now.
    async fn logs_of(&self, filter: &str, id: &str, operation: &str) -> Vec<String> {
        if id.is_empty() {
            return Vec::new();
        }
        let call = Call::get(&["operation_logs"]).with(filter, id);
        let Ok(reply) = self.session.ask(&call).await else {
            return Vec::new();
        };
        super::seek::briefs(&reply)
            .unwrap_or_default()
            .into_iter()
            .filter(|log| log.operation == operation && (log.run == id || log.restore == id))
            .map(|log| log.id)
            .collect()
    }
}
