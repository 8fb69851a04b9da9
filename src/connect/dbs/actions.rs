//! The actions that DBS takes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Dbs;
use super::client::Action;
use super::poll::is_unknown_plan;
use super::wire::{Sort, task_id};
use crate::connect::grid;
use crate::connect::http::Priority;
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Found, Intent, Prepared, RequestPreview,
    SendOutcome, Target, TargetKind, Timestamp, Verb,
};

const fn spec(
    id: &'static str,
    verb: Verb,
    label: &'static str,
    target: TargetKind,
    danger: Danger,
) -> ActionSpec {
    ActionSpec {
        id,
        verb,
        label,
        target,
        danger,
        safe_to_repeat: false,
        inputs: &[],
    }
}

/// Every action.
pub const ACTIONS: &[ActionSpec] = &[
    spec(
        "start",
        Verb::Trigger,
        "Start the plan now",
        TargetKind::Policy,
        Danger::Confirm,
    ),
    spec(
        "stop-all",
        Verb::Cancel,
        "Stop the plan and all its jobs",
        TargetKind::Policy,
        Danger::TypeName,
    ),
    spec(
        "stop-plan-of-task",
        Verb::Cancel,
        "Stop this task's plan and all its jobs",
        TargetKind::Task,
        Danger::TypeName,
    ),
    spec(
        "retry",
        Verb::Retry,
        "Start the plan again",
        TargetKind::Task,
        Danger::Confirm,
    ),
    spec(
        "resume",
        Verb::Enable,
        "Resume the schedule",
        TargetKind::Policy,
        Danger::Confirm,
    ),
    ActionSpec {
        safe_to_repeat: true,
        ..spec(
            "pause",
            Verb::Disable,
            "Pause the schedule",
            TargetKind::Policy,
            Danger::Confirm,
        )
    },
    spec(
        "start-restore",
        Verb::Restore,
        "Start the restore that passed its precheck",
        TargetKind::Task,
        Danger::TypeName,
    ),
    spec(
        "release",
        Verb::Delete,
        "Release the plan for good",
        TargetKind::Policy,
        Danger::TypeName,
    ),
];

/// Whether the action fits the target as last seen.
pub fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    let status = target.native_status.as_str();
    let only = |legal: &[&str]| {
        if legal.contains(&status) {
            Ok(())
        } else {
            Err(format!(
                "the plan is {status}; allowed when {}",
                legal.join(" or ")
            ))
        }
    };
    match action.id {
        "start" => only(&["running", "pause", "check_pass", "stop", "init"]),
        "stop-all" | "pause" => only(&["running"]),
        "resume" => only(&["pause", "check_pass"]),
        "release" => Ok(()),
        "stop-plan-of-task" => {
            if target.phase.is_live() {
                Ok(())
            } else {
                Err("the task is over".to_owned())
            }
        }
        "retry" => match target.object.as_str() {
            _ if !target.phase.needs_person() => {
                Err("only a failed task can be repeated".to_owned())
            }
            "restore" => Err(
                "DBS documents no call that repeats a failed restore: make a new one".to_owned(),
            ),
            "download" => Err("make a new download: DBS repeats none".to_owned()),
            _ => Ok(()),
        },
        "start-restore" => {
            if target.object == "restore" && status == "check_pass" {
                Ok(())
            } else {
                Err("only a restore whose precheck passed can be started".to_owned())
            }
        }
        other => Err(format!("DBS has no action \"{other}\"")),
    }
}

/// The parameter by which the service recognises a repeat; at most 64 ASCII characters.
const TOKEN: &str = "ClientToken";

/// What `send` needs.
#[derive(Serialize, Deserialize)]
struct SendPlan {
    action: Action,
    plan_id: String,
}

impl Dbs {
    pub(super) async fn prepare_action(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let target = &intent.target;
        let plan_id = match target.kind {
            TargetKind::Policy => target.id.clone(),
            _ => target.policy.id.clone(),
        };
        if plan_id.is_empty() {
            return Err(refused("the record does not say which plan it belongs to"));
        }
        let name = match target.kind {
            TargetKind::Policy => target.name.as_str(),
            _ => target.policy.label(),
        };
        let mut warnings = Vec::new();
        let mut danger = Danger::Confirm;
        let (call, effect) = match intent.action {
            "start" | "resume" | "retry" => {
                if intent.action == "start" && target.native_status == "running" {
                    warnings.push(
                        "The plan runs already. The vendor does not document whether starting it makes one more full backup.".to_owned(),
                    );
                }
                if intent.action == "retry" {
                    warnings
                        .push("DBS repeats no single task: the whole plan is started.".to_owned());
                }
                (
                    Action::new("StartBackupPlan"),
                    format!("Starts plan {name}: its schedule runs and a full backup begins."),
                )
            }
            "stop-all" | "stop-plan-of-task" => {
                danger = Danger::TypeName;
                warnings.push("Restores of this plan are stopped too.".to_owned());
                (
                    Action::new("StopBackupPlan").with("StopMethod", "ALL"),
                    format!(
                        "Pauses plan {name} and every full, incremental and restore job of it, until it is started again."
                    ),
                )
            }
            "pause" => (
                Action::new("StopBackupPlan").with("StopMethod", "PLAN"),
                format!(
                    "Pauses the schedule of plan {name}; jobs that run go on. No new backups until it is started again."
                ),
            ),
            "release" => {
                danger = Danger::TypeName;
                self.refuse_subscription(&plan_id).await?;
                warnings.push(
                    "This can't be undone: the plan stops serving and its backups go with it."
                        .to_owned(),
                );
                (
                    Action::new("ReleaseBackupPlan"),
                    format!("Releases plan {name} for good."),
                )
            }
            "start-restore" => {
                danger = Danger::TypeName;
                let own = target.id.rsplit(':').next().unwrap_or_default();
                (
                    Action::new("StartRestoreTask").with("RestoreTaskId", own),
                    format!("Starts the restore {own} of plan {name} into its destination."),
                )
            }
            other => return Err(refused(&format!("DBS has no action \"{other}\""))),
        };
        // one token for one wish: the service recognises a repeat by it, and keepwatch keeps it
        let token = Uuid::new_v4().to_string();
        let action = match intent.action {
            "start-restore" => call,
            _ => call.with("BackupPlanId", plan_id.clone()),
        }
        .with(TOKEN, token.clone());
        // more than the task stops
        let whole = intent.action == "stop-plan-of-task";
        let acts_on = (whole && !name.is_empty()).then(|| name.to_owned());
        Ok(Prepared {
            intent: intent.clone(),
            requests: vec![self.preview(&action)],
            effect,
            warnings,
            danger,
            acts_on,
            retry_advice: None,
            idempotency_token: Some(token),
            plan: serde_json::to_value(SendPlan { action, plan_id }).unwrap_or_default(),
        })
    }

    fn preview(&self, action: &Action) -> RequestPreview {
        RequestPreview {
            method: "POST".to_owned(),
            url: self.client.shown(action),
            body: String::new(),
            then: String::new(),
        }
    }

    /// Puts an earlier token in the place of a prepared action's.
    pub(super) fn reuse(&self, prepared: &mut Prepared, token: &str) -> bool {
        let Ok(mut plan) = prepared.own_plan::<SendPlan>() else {
            return false;
        };
        let Some((_, held)) = plan.action.parameters.iter_mut().find(|(n, _)| n == TOKEN) else {
            return false;
        };
        token.clone_into(held);
        prepared.requests = vec![self.preview(&plan.action)];
        prepared.idempotency_token = Some(token.to_owned());
        prepared.plan = serde_json::to_value(plan).unwrap_or_default();
        true
    }

    /// Only pay-as-you-go plans can be released.
    async fn refuse_subscription(&self, plan_id: &str) -> Result<(), Fault> {
        let action = Action::new("DescribeBackupPlanBilling").with("BackupPlanId", plan_id);
        let reply = self.client.read(&action, Priority::Operator).await?;
        let body: Value = reply.json()?;
        match body.pointer("/Item/BuyChargeType").and_then(Value::as_str) {
            Some("PREPAY") => Err(refused(
                "the plan is a subscription: only pay-as-you-go plans can be released",
            )),
            _ => Ok(()),
        }
    }

    pub(super) async fn send_action(&self, prepared: &Prepared) -> SendOutcome {
        let plan: SendPlan = match prepared.own_plan() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        let starts = plan.action.name == "StartBackupPlan";
        // also when the answer is lost: what it did shows in these lists
        self.known().acted.insert(plan.plan_id.clone(), grid::now());
        let restore = prepared.intent.action == "start-restore";
        let follow = Follow {
            task_ids: if restore {
                vec![prepared.intent.target.id.clone()]
            } else {
                Vec::new()
            },
            device_id: String::new(),
            policy_id: plan.plan_id.clone(),
            operations: vec![if restore { "restore" } else { "full backup" }.to_owned()],
            since: Some(self.client.service_now()),
            // resuming may only wake the schedule
            expects_task: restore || (starts && prepared.intent.action != "resume"),
        };
        match self.client.act(&plan.action, follow).await {
            SendOutcome::Accepted { answer, mut follow } => {
                if starts && let Some(set) = created_set(&answer.body) {
                    follow.task_ids = vec![task_id(Sort::Full.word(), &plan.plan_id, &set)];
                    follow.expects_task = true;
                }
                SendOutcome::Accepted { answer, follow }
            }
            other => other,
        }
    }

    pub(super) async fn find_action(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let plan: SendPlan = prepared.own_plan()?;
        let list = Action::new("DescribeBackupPlanList")
            .with("BackupPlanId", plan.plan_id.clone())
            .with("PageNum", "0")
            .with("PageSize", "30");
        let status = match self.client.read(&list, Priority::Operator).await {
            Ok(reply) => {
                let body: Value = reply.json()?;
                body.pointer("/Items/BackupPlanDetail/0/BackupPlanStatus")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            }
            Err(fault) if is_unknown_plan(&fault) => None,
            Err(fault) => return Err(fault),
        };
        let done = |seen: String| Found::Done {
            task_ids: Vec::new(),
            seen,
        };
        let nothing = |looked_at: String| Found::Nothing { looked_at };
        let before = prepared.intent.target.native_status.as_str();
        Ok(match (prepared.intent.action, status.as_deref()) {
            ("release", None) => done("the plan is gone".to_owned()),
            ("release", Some(now)) => nothing(format!("the plan is still there ({now})")),
            (_, None) => nothing("the plan is not listed".to_owned()),
            ("stop-all" | "pause" | "stop-plan-of-task", Some("pause")) => {
                done("the plan is paused".to_owned())
            }
            ("start-restore", Some(_)) => {
                return Ok(match self.look(&prepared.intent.target.id).await? {
                    crate::connect::TaskLook::Found(task) if task.native_status != "check_pass" => {
                        done(format!("the restore is {}", task.native_status))
                    }
                    _ => nothing("the restore still waits to be started".to_owned()),
                });
            }
            ("start" | "resume" | "retry", Some(now)) => {
                match self.new_set(&plan.plan_id, sent_at).await? {
                    Some(id) => Found::Done {
                        task_ids: vec![id],
                        seen: "a full backup began after it was sent".to_owned(),
                    },
                    None if now == "running"
                        && prepared.intent.action == "resume"
                        && before != "running" =>
                    {
                        done("the plan runs".to_owned())
                    }
                    None => nothing(format!("the plan is {now} and no full backup began since")),
                }
            }
            (_, Some(now)) => nothing(format!("the plan is still {now}")),
        })
    }

    /// The full backup of the plan that began after `sent_at`, by the service's clock.
    async fn new_set(&self, plan_id: &str, sent_at: Timestamp) -> Result<Option<String>, Fault> {
        let list = Action::new("DescribeFullBackupList")
            .with("BackupPlanId", plan_id)
            .with("PageNum", "0")
            .with("PageSize", "100");
        let body: Value = self.client.read(&list, Priority::Operator).await?.json()?;
        let skew = self
            .client
            .clock()
            .map_or(0, |(theirs, ours)| theirs.since(ours));
        let rows = body
            .pointer("/Items/FullBackupFile")
            .and_then(Value::as_array);
        Ok(rows.into_iter().flatten().find_map(|row| {
            let begun = row.get("CreateTime").and_then(Value::as_i64)?;
            let id = row.get("BackupSetId").and_then(Value::as_str)?;
            (Timestamp(begun).since(sent_at.plus(skew)) >= -1_000)
                .then(|| task_id(Sort::Full.word(), plan_id, id))
        }))
    }
}

fn created_set(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    let id = answer.get("CreatedFullBackupsetId")?.as_str()?;
    if id.is_empty() {
        None
    } else {
        Some(id.to_owned())
    }
}

fn refused(what: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, "", "")
}
