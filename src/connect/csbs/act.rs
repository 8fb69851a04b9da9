//! What an operator can do in CSBS: back up, run a policy, repeat, delete, turn schedules on and off, restore.

use serde::{Deserialize, Serialize};

use super::Csbs;
use super::item::Facet;
use super::known::Sent;
use super::policy::PolicyRow;
use crate::connect::Progress;
use crate::connect::decode::{Loose, Text};
use crate::connect::http::{Call, Reply};
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Input, InputKind, Intent, Phase, Prepared, Ref,
    SendOutcome, Target, TargetKind, Timestamp, Verb, clean,
};

/// The resource type where a record names none (API reference, creating a backup for a resource).
pub(super) const SERVER: &str = "OS::Nova::Server";

static NAME: [Input; 1] = [Input {
    name: "backup_name",
    ask: "Name of the backup (letters, digits, - and _; empty: the service makes one)",
    kind: InputKind::Text,
    required: false,
}];

pub(super) static ACTIONS: [ActionSpec; 8] = [
    ActionSpec {
        inputs: &NAME,
        ..spec(
            "back-up",
            Verb::Trigger,
            "Back up this server now",
            TargetKind::Device,
        )
    },
    spec(
        "run-policy",
        Verb::Trigger,
        "Run this policy now",
        TargetKind::Policy,
    ),
    spec(
        "back-up-again",
        Verb::Retry,
        "Back up this server again",
        TargetKind::Task,
    ),
    spec(
        "delete-failed",
        Verb::Clear,
        "Delete this failed backup",
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
    pub call: Option<Call>,
    /// The server that is backed up or restored.
    pub server: String,
    /// The policy that runs or changes.
    pub policy: String,
    pub policy_name: String,
    /// The item that is deleted or restored.
    pub item: String,
    /// The name given to the backup.
    pub name: String,
    /// What the schedule is turned to.
    pub enabled: Option<bool>,
}

pub(super) fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    let backup = target.operation == Facet::Backup.operation();
    let live = target.phase.is_live();
    match action.id {
        "back-up-again" if !backup => {
            Err("only backups are repeated; a restore or a deletion is started anew".into())
        }
        "back-up-again" if live => Err("the backup has not ended".into()),
        "back-up-again" if target.phase == Phase::Succeeded => {
            Err("the backup is good; back the server up from the devices".into())
        }
        "back-up-again" if target.device.id.is_empty() => {
            Err("the record doesn't say which server it was".into())
        }
        "delete-failed" | "delete-backup" | "restore" if live => {
            Err("something is going on with this backup (CSBS.2003)".into())
        }
        "delete-failed" if target.phase != Phase::Failed => Err("the backup has not failed".into()),
        "delete-backup" if target.native_status == "deleted" => Err("it is deleted".into()),
        "delete-backup" if target.phase == Phase::Failed && backup => {
            Err("it failed: delete it as a failed backup".into())
        }
        "restore" if target.native_status != "available" => {
            Err("only an available backup can be restored".into())
        }
        "enable" | "disable" => {
            let on = serde_json::from_str::<PolicyRow<'_>>(&target.raw)
                .ok()
                .and_then(|p| p.enabled());
            match (action.id, on) {
                ("enable", Some(true)) => Err("its schedule is on already".into()),
                ("disable", Some(false)) => Err("its schedule is off already".into()),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

pub(super) fn refused(what: impl Into<String>, place: &str, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, place, advice)
}

impl Csbs {
    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let draft = match intent.action {
            "back-up" => self.draft_back_up(intent).await?,
            "run-policy" => self.draft_run(intent).await?,
            "back-up-again" => self.draft_again(intent).await?,
            "delete-failed" | "delete-backup" => self.draft_delete(intent).await?,
            "restore" => self.draft_restore(intent).await?,
            "enable" | "disable" => self.draft_switch(intent).await?,
            other => {
                return Err(Fault::new(
                    FaultKind::NotOffered,
                    format!("CSBS has no action '{other}'"),
                    "",
                    "This is a mistake in keepwatch: please report it.",
                ));
            }
        };
        let mut requests = Vec::new();
        if let Some(call) = &draft.plan.call {
            requests.push(self.session.preview(call, "").await?);
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
        _progress: Progress<'_>,
    ) -> SendOutcome {
        let plan = match prepared.own_plan::<Plan>() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        let Some(call) = &plan.call else {
            return SendOutcome::NotSent {
                fault: refused("nothing was prepared", "", "Prepare it again."),
            };
        };
        let now = self.session.service_now();
        let sent = Sent {
            plan: prepared.plan.to_string(),
            at: now,
            ours: Timestamp::now(),
        };
        self.known(|known| known.note_sent(sent));
        let follow = match prepared.intent.action {
            "enable" | "disable" => Follow::default(),
            "delete-failed" | "delete-backup" => Follow {
                task_ids: vec![Facet::Delete.task_id(&plan.item)],
                expects_task: true,
                ..Follow::default()
            },
            "restore" => Follow {
                task_ids: vec![Facet::Restore.task_id(&plan.item)],
                expects_task: true,
                ..Follow::default()
            },
            _ => Follow {
                device_id: plan.server.clone(),
                policy_id: if plan.server.is_empty() {
                    plan.policy.clone()
                } else {
                    String::new()
                },
                operations: vec![Facet::Backup.operation().into()],
                since: Some(now),
                expects_task: true,
                ..Follow::default()
            },
        };
        match self.session.act(call, follow).await {
            SendOutcome::Accepted { answer, mut follow }
                if prepared.intent.action.starts_with("back-up")
                    || prepared.intent.action == "run-policy" =>
            {
                // The answer names the run; its backups are listed under it at once.
                if let Some(run) = run_id(&answer.body) {
                    if !plan.policy.is_empty() {
                        let policy = Ref::new(plan.policy.as_str(), plan.policy_name.as_str());
                        self.known(|known| known.runs.learn(&run, &policy, None));
                    }
                    follow.task_ids = self.items_of_run(&run).await;
                }
                SendOutcome::Accepted { answer, follow }
            }
            other => other,
        }
    }

    /// Ids of the backups of one run; none when the service doesn't tell now.
    async fn items_of_run(&self, checkpoint_id: &str) -> Vec<String> {
        let call = Call::get(&["checkpoint_items"]).with("checkpoint_id", checkpoint_id);
        let Ok(reply) = self.session.ask(&call).await else {
            return Vec::new();
        };
        let ids = super::seek::items(&reply).unwrap_or_default();
        ids.into_iter()
            .filter(|i| i.checkpoint_id == checkpoint_id)
            .map(|i| i.id)
            .collect()
    }
}

/// The run that an accepted backup began.
fn run_id(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        checkpoint: Loose<Checkpoint<'a>>,
    }
    #[derive(Deserialize)]
    struct Checkpoint<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }
    let answer: Answer<'_> = serde_json::from_str(body).ok()?;
    let id = answer.checkpoint.0?.id.owned();
    (!id.is_empty()).then_some(id)
}

pub(super) fn gone() -> Fault {
    refused("the backup is gone", "", "Somebody has deleted it.")
}

pub(super) fn unreadable(e: &serde_json::Error, reply: &Reply) -> Fault {
    Fault::new(
        FaultKind::Garbled,
        format!("the record can't be read: {}", clean(&e.to_string())),
        reply.place.clone(),
        "Look at the raw record.",
    )
}
