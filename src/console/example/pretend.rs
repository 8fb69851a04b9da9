//! A connector that offers a few actions and talks to nobody.

use async_trait::async_trait;

use crate::connect::{
    Capabilities, Connector, FeedSpec, PageSink, PollContext, PollReport, Progress, Support,
    TaskLook,
};
use crate::model::*;

const ALL: Support = Support::Yes;
static CAPABILITIES: Capabilities = Capabilities {
    devices: ALL,
    policies: ALL,
    running: ALL,
    failed: ALL,
    history: ALL,
    progress: Support::Partly("only for backups"),
    reasons: ALL,
    trigger: ALL,
    cancel: Support::No("this service publishes no call that cancels a task"),
    retry: ALL,
    clear: ALL,
    enable: ALL,
    restore: Support::No("restores are not part of keepwatch yet"),
    delete: Support::No("nothing is deleted from here"),
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

static ACTIONS: [ActionSpec; 7] = [
    spec(
        "back-up-now",
        Verb::Trigger,
        "Back up this device now",
        TargetKind::Device,
        Danger::Confirm,
    ),
    spec(
        "run-now",
        Verb::Trigger,
        "Run this policy now",
        TargetKind::Policy,
        Danger::TypeName,
    ),
    spec(
        "retry",
        Verb::Retry,
        "Retry this backup",
        TargetKind::Task,
        Danger::Confirm,
    ),
    spec(
        "clear",
        Verb::Clear,
        "Clear it from the list",
        TargetKind::Task,
        Danger::None,
    ),
    spec(
        "enable",
        Verb::Enable,
        "Turn the schedule on",
        TargetKind::Policy,
        Danger::Confirm,
    ),
    spec(
        "disable",
        Verb::Disable,
        "Turn the schedule off",
        TargetKind::Policy,
        Danger::Confirm,
    ),
    ActionSpec {
        id: "back-up-into",
        verb: Verb::Trigger,
        label: "Back up into a vault",
        target: TargetKind::Device,
        danger: Danger::Confirm,
        safe_to_repeat: false,
        inputs: &[
            Input {
                name: "vault",
                ask: "Which vault?",
                kind: InputKind::Text,
                required: true,
            },
            Input {
                name: "full",
                ask: "A full backup?",
                kind: InputKind::YesNo,
                required: false,
            },
        ],
    },
];

#[derive(Debug)]
pub struct Pretend(pub Kind);

#[async_trait]
impl Connector for Pretend {
    fn kind(&self) -> Kind {
        self.0
    }
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }
    fn feeds(&self) -> &[FeedSpec] {
        &[]
    }
    fn actions(&self) -> &[ActionSpec] {
        &ACTIONS
    }
    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        match action.verb {
            Verb::Retry | Verb::Clear if !target.phase.needs_person() => {
                Err("only a failed task can be retried or cleared".into())
            }
            _ => Ok(()),
        }
    }
    async fn poll(
        &self,
        _: &'static str,
        _: PollContext,
        _: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        Ok(PollReport::default())
    }
    async fn look_up(&self, _: &str) -> Result<TaskLook, Fault> {
        Ok(TaskLook::NotOffered)
    }
    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        Ok(prepared(intent.clone(), Danger::Confirm))
    }
    async fn send(&self, _: &Prepared, _: Progress<'_>) -> SendOutcome {
        SendOutcome::Accepted {
            answer: Answer::default(),
            follow: Follow::default(),
        }
    }
    async fn find(&self, _: &Prepared, _: Timestamp) -> Result<Found, Fault> {
        Ok(Found::CannotTell {
            why: "nobody knows".into(),
        })
    }
}

/// What the pretended connector makes of an intent.
pub fn prepared(intent: Intent, danger: Danger) -> Prepared {
    let name = &intent.target.name;
    Prepared {
        requests: vec![RequestPreview {
            method: "POST".into(),
            url: format!(
                "https://csbs.otc.example/v1/5ae0/providers/{}/resources/{name}/action",
                intent.target.id
            ),
            body: "{\n  \"protect\": { \"replication\": true }\n}".into(),
            then: String::new(),
        }],
        effect: format!("Backs up {name} again, all of its disks; the server keeps running."),
        warnings: vec![format!("Check first that {name} is back in service.")],
        danger,
        acts_on: None,
        retry_advice: Some(RetryAdvice::AfterAFix),
        idempotency_token: None,
        plan: serde_json::Value::Null,
        intent,
    }
}
