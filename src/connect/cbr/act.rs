//! What an operator can do in CBR, and sending it once.

use serde::{Deserialize, Serialize};

use super::Cbr;
use super::policy::PolicyRow;
use super::protectable::is_unprotected;
use super::started::Started;
use super::vault::ResourceRow;
use crate::connect::Progress;
use crate::connect::decode::Text;
use crate::connect::http::{Call, Reply};
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Input, InputKind, Intent, Phase, Prepared,
    SendOutcome, Target, TargetKind, Verb,
};

static BACKUP: [Input; 2] = [
    Input {
        name: "backup_name",
        ask: "Name of the backup (up to 64 characters; empty: the service makes one)",
        kind: InputKind::Text,
        required: false,
    },
    Input {
        name: "full",
        ask: "A full backup instead of an incremental one? (empty: no)",
        kind: InputKind::YesNo,
        required: false,
    },
];

pub(super) static ACTIONS: [ActionSpec; 11] = [
    ActionSpec {
        inputs: &BACKUP,
        ..spec(
            "back-up",
            Verb::Trigger,
            "Back up this resource now",
            TargetKind::Device,
        )
    },
    ActionSpec {
        inputs: &BACKUP,
        ..spec(
            "run",
            Verb::Trigger,
            "Back up this vault, or this policy's vaults, now",
            TargetKind::Policy,
        )
    },
    spec(
        "back-up-again",
        Verb::Retry,
        "Back up this resource again",
        TargetKind::Task,
    ),
    ActionSpec {
        danger: Danger::TypeName,
        ..spec(
            "delete-again",
            Verb::Retry,
            "Ask for this deletion again",
            TargetKind::Task,
        )
    },
    spec(
        "delete-failed",
        Verb::Delete,
        "Delete what this failed backup left",
        TargetKind::Task,
    ),
    ActionSpec {
        danger: Danger::TypeName,
        ..spec(
            "delete-backup",
            Verb::Delete,
            "Delete this backup",
            TargetKind::Task,
        )
    },
    ActionSpec {
        danger: Danger::TypeName,
        inputs: &super::restore::INPUTS,
        ..spec(
            "restore",
            Verb::Restore,
            "Restore this backup",
            TargetKind::Task,
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "enable",
            Verb::Enable,
            "Turn this policy's schedule on",
            TargetKind::Policy,
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "disable",
            Verb::Disable,
            "Turn this policy's schedule off",
            TargetKind::Policy,
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "resume-resource",
            Verb::Enable,
            "Resume this resource's automatic backup",
            TargetKind::Device,
        )
    },
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "pause-resource",
            Verb::Disable,
            "Pause this resource's automatic backup",
            TargetKind::Device,
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
#[derive(Clone, Serialize, Deserialize, Default)]
pub(super) struct Plan {
    /// One request, or one a vault.
    pub calls: Vec<Call>,
    /// The vault of each request: id and name.
    pub vaults: Vec<(String, String)>,
    /// The resource that is backed up, restored or paused.
    pub device: String,
    /// The policy that changes.
    pub policy: String,
    /// The backup that is deleted or restored.
    pub backup: String,
    /// The name given to the backup.
    pub name: String,
    /// What the schedule is turned to.
    pub enabled: Option<bool>,
}

/// True when a record is a vault's.
pub(super) fn is_vault(raw: &str) -> bool {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        #[allow(dead_code, reason = "only its presence counts")]
        billing: &'a serde_json::value::RawValue,
    }
    serde_json::from_str::<Record<'_>>(raw).is_ok()
}

pub(super) fn refused(what: impl Into<String>, place: &str, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, place, advice)
}

impl Cbr {
    pub(super) fn fits(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        let backup = target.operation == "backup";
        let live = target.phase.is_live();
        let vault = target.kind == TargetKind::Policy && is_vault(&target.raw);
        let enabled = || {
            serde_json::from_str::<PolicyRow<'_>>(&target.raw)
                .ok()
                .and_then(|p| p.enabled.0)
        };
        let no = |why: &str| Err(why.to_owned());
        match action.id {
            "run" if vault && matches!(target.native_status.as_str(), "deleting" | "lock") => {
                Err(format!("the vault is in state {}", target.native_status))
            }
            "back-up" | "pause-resource" | "resume-resource" if is_unprotected(&target.raw) => {
                no("it is in no vault: bind it to one in the vendor's console first")
            }
            "back-up" if target.native_status == "removing" => {
                no("the resource is being taken out of its vault")
            }
            "back-up-again" | "delete-failed" | "delete-backup" if !backup => {
                no("this task is no backup")
            }
            "back-up-again" | "delete-failed" | "delete-backup" | "delete-again" | "restore"
                if live =>
            {
                no("the task has not ended")
            }
            "back-up-again" if target.phase == Phase::Succeeded => {
                no("the backup is good; back the resource up from the devices")
            }
            "back-up-again" if target.device.id.is_empty() => {
                no("the record doesn't say which resource it was")
            }
            "delete-failed" if target.phase == Phase::Skipped => {
                no("it was skipped: it left no backup")
            }
            "delete-failed" if target.phase != Phase::Failed => no("the backup has not failed"),
            "delete-backup" if target.phase == Phase::Failed => {
                no("it failed: delete it as a failed backup")
            }
            "delete-again" if target.operation != "delete" => no("this task is no deletion"),
            "delete-again" if target.phase == Phase::Succeeded => no("the backup is deleted"),
            "restore" if !backup && target.operation != "restore" => {
                no("only a backup can be restored")
            }
            "restore" if backup && target.phase != Phase::Succeeded => {
                no("only a good backup can be restored")
            }
            "enable" | "disable" if vault => {
                no("a vault has no schedule: turn the policy on it on or off")
            }
            "enable" if enabled() == Some(true) => no("its schedule is on already"),
            "disable" if enabled() == Some(false) => no("its schedule is off already"),
            "resume-resource" | "pause-resource" if !self.huawei => no(
                "only Huawei Cloud publishes this call; set the option cloud = \"huawei\" where it is offered",
            ),
            "resume-resource" | "pause-resource" => {
                let on = serde_json::from_str::<ResourceRow<'_>>(&target.raw)
                    .ok()
                    .and_then(|r| r.auto_protect.0);
                match (action.id, on) {
                    ("resume-resource", Some(true)) => no("its automatic backup is on already"),
                    ("pause-resource", Some(false)) => no("its automatic backup is paused already"),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let draft = match intent.action {
            "back-up" => self.draft_back_up(intent).await?,
            "run" => self.draft_run(intent).await?,
            "back-up-again" => self.draft_again(intent).await?,
            "delete-failed" | "delete-backup" | "delete-again" => self.draft_delete(intent).await?,
            "restore" => self.draft_restore(intent).await?,
            "enable" | "disable" => self.draft_switch(intent).await?,
            "resume-resource" | "pause-resource" => self.draft_pause(intent).await?,
            other => {
                return Err(Fault::new(
                    FaultKind::NotOffered,
                    format!("CBR has no action '{other}'"),
                    "",
                    "This is a mistake in keepwatch: please report it.",
                ));
            }
        };
        let mut requests = Vec::new();
        for (n, call) in draft.plan.calls.iter().enumerate() {
            let last = n + 1 == draft.plan.calls.len();
            let then = if last {
                ""
            } else {
                "the next only when this one was accepted"
            };
            requests.push(self.session.preview(call, then).await?);
        }
        Ok(Prepared {
            intent: intent.clone(),
            requests,
            effect: draft.effect,
            warnings: draft.warnings,
            danger: draft.danger,
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(&draft.plan).unwrap_or_default(),
        })
    }

    pub(super) async fn carry_out(
        &self,
        prepared: &Prepared,
        progress: Progress<'_>,
    ) -> SendOutcome {
        let plan = match prepared.own_plan::<Plan>() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        let mut task_ids = Vec::new();
        let mut last = None;
        let all = plan.calls.len();
        for (n, call) in plan.calls.iter().enumerate() {
            let follow = self.follow(prepared.intent.action, &plan);
            let (mut outcome, reply) = self.session.act_and_read(call, follow).await;
            let vault = plan.vaults.get(n);
            if let (Some(reply), Some((vault, name))) = (&reply, vault)
                && call.path.first().is_some_and(|p| p == "checkpoints")
            {
                let started = Started::read(reply);
                if let Some(words) = started.skipped_words(name) {
                    progress(words);
                }
                match started.refusal() {
                    Some(code) => {
                        let answer = reply.answer();
                        outcome = SendOutcome::Refused { code, answer };
                    }
                    None => task_ids.extend(self.logs_of(&started.id, vault, &plan.device).await),
                }
            }
            if let Some(reply) = &reply {
                task_ids.extend(job_id(reply));
            }
            if !matches!(outcome, SendOutcome::Accepted { .. }) {
                return if n == 0 {
                    outcome
                } else {
                    self.half_done(outcome, n, prepared.intent.action, &plan)
                };
            }
            if all > 1 {
                progress(format!("{} of {all} vaults asked", n + 1));
            }
            last = Some(outcome);
        }
        match last {
            Some(SendOutcome::Accepted { answer, mut follow }) => {
                follow.task_ids = task_ids;
                SendOutcome::Accepted { answer, follow }
            }
            _ => SendOutcome::NotSent {
                fault: refused("nothing was prepared", "", "Prepare it again."),
            },
        }
    }

    fn follow(&self, action: &str, plan: &Plan) -> Follow {
        let operation = match action {
            "back-up" | "run" | "back-up-again" => "backup",
            "restore" => "restore",
            "delete-failed" | "delete-backup" | "delete-again" => "delete",
            _ => return Follow::default(),
        };
        let vault = plan.vaults.first().map_or("", |(id, _)| id.as_str());
        Follow {
            device_id: plan.device.clone(),
            policy_id: if plan.device.is_empty() { vault } else { "" }.to_owned(),
            operations: vec![operation.into()],
            since: Some(self.session.service_now()),
            expects_task: true,
            ..Follow::default()
        }
    }

    /// Some vaults were asked and one was not taken: that is neither an acceptance nor a refusal.
    fn half_done(
        &self,
        outcome: SendOutcome,
        done: usize,
        action: &str,
        plan: &Plan,
    ) -> SendOutcome {
        let name = |n: usize| plan.vaults.get(n).map_or("", |(_, name)| name.as_str());
        let accepted: Vec<&str> = (0..done).map(name).collect();
        let left: Vec<&str> = (done + 1..plan.vaults.len()).map(name).collect();
        let mut fault = match outcome {
            SendOutcome::Refused { code, .. } => {
                let what = format!("refused: {} {}", code.code, code.message);
                refused(what, "", "").with_code(code)
            }
            SendOutcome::NotSent { fault } | SendOutcome::Unknown { fault, .. } => fault,
            accepted @ SendOutcome::Accepted { .. } => return accepted,
        };
        let rest = if left.is_empty() {
            String::new()
        } else {
            format!("; not asked: {}", left.join(", "))
        };
        fault.what = format!(
            "backups were requested for {}; for {} it went wrong ({}){rest}",
            accepted.join(", "),
            name(done),
            fault.what
        );
        fault.advice =
            "Look at the running tasks, then back up the other vaults one by one.".into();
        fault.maybe_done = true;
        SendOutcome::Unknown {
            fault,
            follow: self.follow(action, plan),
        }
    }

    /// Ids of the tasks of one run; none when the service doesn't tell now. A run is no filter, and a task may
    /// leave out its vault.
    async fn logs_of(&self, run: &str, vault: &str, device: &str) -> Vec<String> {
        if run.is_empty() {
            return Vec::new();
        }
        let call = Call::get(&["operation-logs"]);
        let call = if device.is_empty() {
            call.with("vault_id", vault)
        } else {
            call.with("resource_id", device)
        };
        let call = call
            .with("operation_type", "backup")
            .with("limit", self.page_size.to_string());
        let Ok(reply) = self.session.ask(&call).await else {
            return Vec::new();
        };
        super::seek::briefs(&reply)
            .unwrap_or_default()
            .into_iter()
            .filter(|log| log.run == run)
            .map(|log| log.id)
            .collect()
    }
}

/// The task that an accepted restore became, where the answer tells.
fn job_id(reply: &Reply) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        job_id: Text<'a>,
    }
    let answer: Answer<'_> = serde_json::from_slice(&reply.body).ok()?;
    (!answer.job_id.is_empty()).then(|| answer.job_id.owned())
}
