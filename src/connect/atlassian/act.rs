//! What an operator can do: activate a policy, and have a restore checked again.
//!
//! Nothing else is offered. The current interface lists no call that starts or stops a backup, deletes anything or
//! starts an export; creating and changing are listed by name, and what they are sent is not published.

use serde::{Deserialize, Serialize};

use super::Atlassian;
use super::list;
use super::paths::Op;
use super::policy::PolicyRow;
use super::word::{self, Interval};
use crate::connect::http::Call;
use crate::connect::{Progress, TaskLook};
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Found, Intent, Phase, Prepared, SendOutcome,
    Target, TargetKind, Timestamp, Verb,
};

pub(super) static ACTIONS: [ActionSpec; 2] = [
    ActionSpec {
        id: "activate",
        verb: Verb::Enable,
        label: "Activate this policy",
        target: TargetKind::Policy,
        danger: Danger::Confirm,
        // its answer is a list of backups: whether a second one starts more is not said
        safe_to_repeat: false,
        inputs: &[],
    },
    ActionSpec {
        id: "revalidate",
        verb: Verb::Retry,
        label: "Have this restore checked again",
        target: TargetKind::Task,
        danger: Danger::TypeName,
        safe_to_repeat: false,
        inputs: &[],
    },
];

/// What sending and looking afterwards need to know.
#[derive(Serialize, Deserialize)]
struct Plan {
    call: Call,
    /// The service's word before.
    status: String,
    /// When the service last changed the record before, in milliseconds.
    changed: Option<i64>,
}

fn refused(what: impl Into<String>, place: &str, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, place, advice)
}

const NO_ACCOUNT: &str =
    "the service takes this only with an account id: set the option account_id";
const GUESSED: &str = "its path is not published: set the option path_revalidate to the one in Atlassian's REST reference";
const BY_ITSELF: &str =
    "no call repeats a backup: Atlassian tries again by itself, three times, 30 minutes apart";

impl Atlassian {
    pub(super) fn can(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        let no = |why: &str| Err(why.to_owned());
        match action.id {
            "activate" if word::enabled(&target.native_status) == Some(true) => {
                no("it is active already")
            }
            "activate" if !self.client.has_account => no(NO_ACCOUNT),
            "activate" => Ok(()),
            _ if target.operation == "backup" => no(BY_ITSELF),
            _ if !self.client.paths.has(Op::Revalidate) => no(GUESSED),
            _ => match target.phase {
                Phase::Failed | Phase::Uncertain | Phase::Unknown => Ok(()),
                phase if phase.is_live() => no("the restore has not ended"),
                _ => no("only a restore that failed is checked again"),
            },
        }
    }

    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let draft = match intent.action {
            "activate" => self.draft_activate(intent).await?,
            "revalidate" => self.draft_revalidate(intent).await?,
            other => {
                return Err(Fault::new(
                    FaultKind::NotOffered,
                    format!("there is no action '{other}'"),
                    "",
                    "This is a mistake in keepwatch: please report it.",
                ));
            }
        };
        let (plan, effect, warnings, danger) = draft;
        Ok(Prepared {
            intent: intent.clone(),
            requests: vec![self.client.preview(&plan.call).await?],
            effect,
            warnings,
            danger,
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(&plan).unwrap_or_default(),
        })
    }

    async fn draft_activate(
        &self,
        intent: &Intent,
    ) -> Result<(Plan, String, Vec<String>, Danger), Fault> {
        if !self.client.has_account {
            return Err(refused(
                NO_ACCOUNT,
                "",
                "Set it to your Atlassian account id.",
            ));
        }
        let id = intent.target.id.as_str();
        let reply = self.client.ask(Op::Policy, &self.policy_call(id)?).await?;
        let row: PolicyRow<'_> = list::parse(list::record(&reply, "policy")?, &reply.place)?;
        if word::enabled(row.status.as_str()) == Some(true) {
            return Err(refused(
                "the policy is active already",
                &reply.place,
                "Look at it again: somebody has activated it.",
            ));
        }
        let mut warnings = vec![
            "No call is published that turns it off again: that is done in Atlassian Administration, by removing the schedule."
                .to_owned(),
        ];
        let when = match row.interval() {
            None => {
                warnings.push("The policy tells of no schedule: without one it makes no backups. Give it one in Atlassian Administration first.".to_owned());
                "by its schedule, once it has one".to_owned()
            }
            Some(interval) => {
                let over = row
                    .start()
                    .is_some_and(|start| start < self.client.session().service_now());
                if interval == Interval::Once && over {
                    warnings.push("Its one-time schedule has passed: the policy may run no more. Give it another date in Atlassian Administration.".to_owned());
                }
                row.schedule_words()
            }
        };
        if word::enabled(row.status.as_str()).is_none() {
            warnings.push(format!(
                "Its status \"{}\" is none of the words that keepwatch knows.",
                row.status.as_str()
            ));
        }
        let what = row
            .device_ref()
            .map_or_else(|| "its product".to_owned(), |device| device.name);
        let effect = format!(
            "Switches the policy \"{}\" on: Atlassian then backs up {what} {when}, each run at a time of its own choice. Nothing runs at once. The request carries the configured account id in X-Atl-Account-Id.",
            row.name()
        );
        let plan = Plan {
            call: self.client.call(Op::Activate, &[id])?,
            status: row.status.owned(),
            changed: None,
        };
        Ok((plan, effect, warnings, Danger::Confirm))
    }

    async fn draft_revalidate(
        &self,
        intent: &Intent,
    ) -> Result<(Plan, String, Vec<String>, Danger), Fault> {
        let id = intent.target.id.as_str();
        let call = self.client.call(Op::Revalidate, &[id])?;
        let task = match self.look(id).await? {
            TaskLook::Found(task) if task.operation == "restore" => task,
            TaskLook::Found(_) => {
                return Err(refused("this is no restore", "", "Choose a restore."));
            }
            TaskLook::Gone | TaskLook::NotOffered => {
                return Err(refused(
                    "the service knows no such restore",
                    "",
                    "Look at the list of restores again.",
                ));
            }
        };
        if task.phase.is_live() {
            return Err(refused(
                "the restore has not ended",
                "",
                "Wait until it has.",
            ));
        }
        let effect = format!(
            "Asks Atlassian to revalidate this restore of {}, which stands at \"{}\".",
            task.device
                .as_ref()
                .map_or("a product", crate::model::Ref::label),
            task.native_status
        );
        let warnings = vec![
            "Atlassian publishes this call's name and limit (five a minute and user) and not what it does. Most likely the checks before the restore are made again; the restore may go on from there and write into the site.".to_owned(),
            "The path is the one that your configuration gives.".to_owned(),
        ];
        let plan = Plan {
            call,
            status: task.native_status.clone(),
            changed: task.updated_at.map(Timestamp::millis),
        };
        Ok((plan, effect, warnings, Danger::TypeName))
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
        let target = &prepared.intent.target;
        if prepared.intent.action == "revalidate" {
            let follow = Follow {
                task_ids: vec![target.id.clone()],
                expects_task: true,
                ..Follow::default()
            };
            return self.client.act(Op::Revalidate, &plan.call, follow).await;
        }
        let follow = Follow {
            policy_id: target.id.clone(),
            ..Follow::default()
        };
        let outcome = self.client.act(Op::Activate, &plan.call, follow).await;
        if matches!(outcome, SendOutcome::Accepted { .. }) {
            // the answer is said to be a list of backups, which may be a slip of the document: the policy tells
            progress(match self.policy_status(&target.id).await {
                Ok(status) => format!("the policy now says {status}"),
                Err(fault) => format!("accepted; the policy can't be read again: {}", fault.what),
            });
        }
        outcome
    }

    async fn policy_status(&self, id: &str) -> Result<String, Fault> {
        let reply = self.client.ask(Op::Policy, &self.policy_call(id)?).await?;
        let row: PolicyRow<'_> = list::parse(list::record(&reply, "policy")?, &reply.place)?;
        Ok(row.status.owned())
    }

    /// Looks for signs that a lost request was carried out.
    pub(super) async fn seek(&self, prepared: &Prepared) -> Result<Found, Fault> {
        let plan: Plan = prepared.own_plan()?;
        let id = prepared.intent.target.id.as_str();
        if prepared.intent.action == "activate" {
            let status = self.policy_status(id).await?;
            return Ok(match word::enabled(&status) {
                Some(true) => Found::Done {
                    task_ids: Vec::new(),
                    seen: format!("the policy says {status}; before it said {}", plan.status),
                },
                _ => Found::Nothing {
                    looked_at: format!("the policy: it says {status}"),
                },
            });
        }
        Ok(match self.look(id).await? {
            TaskLook::Found(task) => {
                let changed = task.updated_at.map(Timestamp::millis);
                if task.native_status != plan.status || changed != plan.changed {
                    Found::Done {
                        task_ids: vec![id.to_owned()],
                        seen: format!(
                            "the restore has changed since: it says {}",
                            task.native_status
                        ),
                    }
                } else {
                    Found::Nothing {
                        looked_at: format!("the restore: it still says {}", task.native_status),
                    }
                }
            }
            TaskLook::Gone | TaskLook::NotOffered => Found::CannotTell {
                why: "the restore can't be read".into(),
            },
        })
    }
}
