//! What is kept of an action: what was confirmed, by whom, and every step of it, with secrets out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::scrub::{scrub_json, scrub_text};
use super::{EventId, ServiceKey, Sort, Subject, WriterId};
use crate::model::{
    CodeRef, Danger, Intent, Phase, Prepared, Ref, RequestPreview, RetryAdvice, ServiceId, Target,
    TargetKind, Timestamp, Verb,
};

/// An action at the moment it is proposed or confirmed.
#[derive(Clone, PartialEq, Debug)]
pub struct ActionHead {
    /// Its id, unique across machines. The same head may be told twice; the first one counts.
    pub id: Uuid,
    /// When, by our clock.
    pub at: Timestamp,
    /// On which service.
    pub service: ServiceKey,
    /// What would be sent.
    pub action: KeptAction,
}

/// A step in an action's life.
#[derive(Clone, PartialEq, Debug)]
pub struct ActionStep {
    /// Which action.
    pub action: Uuid,
    /// When, by our clock.
    pub at: Timestamp,
    /// The stage, in a word or two.
    pub stage: String,
    /// What there is to say of it, in a sentence without secrets; may be empty.
    pub detail: String,
    /// True when nothing more will come: no later run has to look after it.
    pub over: bool,
    /// The rest for programs: `http_status`, `request_id`, `answer`, `code`, `message`, `task_id`, `phase`,
    /// `native_status`, and what the teller needs to go on from here.
    pub data: Value,
}

/// A step as it was kept.
#[derive(Clone, PartialEq, Debug)]
pub struct ToldStep {
    /// Its id, unique across machines.
    pub id: EventId,
    /// Who told it: the run that sent the action, or a later one that looked after it.
    pub operator: String,
    /// The step.
    pub step: ActionStep,
}

/// An action with all its steps.
#[derive(Clone, PartialEq, Debug)]
pub struct ActionStory {
    /// Its id.
    pub id: Uuid,
    /// When it was proposed or confirmed.
    pub at: Timestamp,
    /// Who.
    pub operator: String,
    /// On which machine.
    pub host: String,
    /// In which run.
    pub writer: WriterId,
    /// In which process.
    pub pid: u32,
    /// On which service.
    pub service: ServiceKey,
    /// What was to be sent.
    pub action: KeptAction,
    /// Its steps, oldest first.
    pub steps: Vec<ToldStep>,
}

impl ActionStory {
    /// True when nothing more will come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.steps.last().is_none_or(|s| s.step.over)
    }

    /// The stage that it reached; empty when no step was kept.
    #[must_use]
    pub fn stage(&self) -> &str {
        self.steps.last().map_or("", |s| &s.step.stage)
    }
}

/// Which actions are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActionQuery {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only on this service.
    pub service: Option<String>,
    /// Only on this device, policy or task; a device or policy includes actions on its tasks.
    pub subject: Option<Subject>,
    /// Only begun at or after this instant.
    pub from: Option<Timestamp>,
    /// Only begun before this instant.
    pub until: Option<Timestamp>,
    /// At most so many, the newest; `None` for all.
    pub limit: Option<usize>,
}

/// What was to be sent, in plain owned data.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptAction {
    /// What it is for: `trigger`, `retry` …
    pub verb: String,
    /// The connector's action.
    pub action: String,
    /// On what.
    pub target: KeptTarget,
    /// What the operator supplied.
    pub inputs: BTreeMap<String, String>,
    /// The exact requests, secrets hidden.
    pub requests: Vec<KeptRequest>,
    /// What it does, in words.
    pub effect: String,
    /// What was warned of.
    pub warnings: Vec<String>,
    /// What stood between the operator and the request: `none`, `confirm`, `type the name`.
    pub danger: String,
    /// The retry advice of the failure that it answers.
    pub retry_advice: Option<String>,
    /// A token by which the service recognises a repeat.
    pub token: Option<String>,
    /// The connector's own notes; it alone reads them.
    pub plan: Value,
}

/// What an action was applied to, as last seen before it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptTarget {
    /// `device`, `policy` or `task`.
    pub kind: String,
    /// The service's own id.
    pub id: String,
    /// The name people use.
    pub name: String,
    /// The service's own status.
    pub native_status: String,
    /// The phase of a task.
    pub phase: String,
    /// The operation of a task.
    pub operation: String,
    /// What the service calls the object of a task.
    pub object: String,
    /// The device's id and name.
    pub device: (String, String),
    /// The policy's id and name.
    pub policy: (String, String),
    /// The failure that a retry answers: code, HTTP status, operation, text.
    pub failure: Option<(String, Option<u16>, String, String)>,
}

/// One request as it was shown.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRequest {
    /// `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The body.
    pub body: String,
    /// What happens between this request and the next.
    pub then: String,
}

const DANGERS: [(Danger, &str); 3] = [
    (Danger::None, "none"),
    (Danger::Confirm, "confirm"),
    (Danger::TypeName, "type the name"),
];

impl KeptAction {
    /// What is kept of a prepared action.
    #[must_use]
    pub fn of(prepared: &Prepared, verb: Verb) -> Self {
        let intent = &prepared.intent;
        let t = &intent.target;
        let pair = |r: &Ref| (r.id.clone(), r.name.clone());
        let request = |r: &RequestPreview| KeptRequest {
            method: r.method.clone(),
            url: r.url.clone(),
            body: scrub_text(&r.body),
            then: r.then.clone(),
        };
        let hidden =
            |(name, value): (&String, &String)| (name.clone(), super::scrub::input(name, value));
        Self {
            verb: verb.word().to_owned(),
            action: intent.action.to_owned(),
            target: KeptTarget {
                kind: t.kind.word().to_owned(),
                id: t.id.clone(),
                name: t.name.clone(),
                native_status: t.native_status.clone(),
                phase: t.phase.word().to_owned(),
                operation: t.operation.clone(),
                object: t.object.clone(),
                device: pair(&t.device),
                policy: pair(&t.policy),
                failure: t.failure.as_ref().map(|f| {
                    let message = scrub_text(&f.message);
                    (f.code.clone(), f.http_status, f.operation.clone(), message)
                }),
            },
            inputs: intent.inputs.iter().map(hidden).collect(),
            requests: prepared.requests.iter().map(request).collect(),
            effect: prepared.effect.clone(),
            warnings: prepared.warnings.clone(),
            danger: DANGERS
                .iter()
                .find(|(d, _)| *d == prepared.danger)
                .map_or("", |(_, word)| word)
                .to_owned(),
            retry_advice: prepared.retry_advice.map(|a| a.word().to_owned()),
            token: prepared.idempotency_token.clone(),
            plan: scrub_json(prepared.plan.clone()),
        }
    }

    /// The prepared action again, to look for what became of it. `action` is the connector's own constant of
    /// the same name. Never to be sent: secrets are out of it.
    #[must_use]
    pub fn prepared(&self, service: ServiceId, action: &'static str) -> Prepared {
        let t = &self.target;
        let kinds = [TargetKind::Device, TargetKind::Policy, TargetKind::Task];
        Prepared {
            intent: Intent {
                service,
                action,
                target: Target {
                    kind: kinds
                        .into_iter()
                        .find(|k| k.word() == t.kind)
                        .unwrap_or(TargetKind::Task),
                    id: t.id.clone(),
                    name: t.name.clone(),
                    native_status: t.native_status.clone(),
                    phase: t.phase.parse().unwrap_or(Phase::Unknown),
                    operation: t.operation.clone(),
                    object: t.object.clone(),
                    device: Ref::new(&t.device.0, &t.device.1),
                    policy: Ref::new(&t.policy.0, &t.policy.1),
                    failure: t
                        .failure
                        .as_ref()
                        .map(|(code, http, operation, message)| CodeRef {
                            code: code.clone(),
                            http_status: *http,
                            operation: operation.clone(),
                            message: message.clone(),
                        }),
                    raw: String::new(),
                },
                inputs: self.inputs.clone(),
            },
            requests: self
                .requests
                .iter()
                .map(|r| RequestPreview {
                    method: r.method.clone(),
                    url: r.url.clone(),
                    body: r.body.clone(),
                    then: r.then.clone(),
                })
                .collect(),
            effect: self.effect.clone(),
            warnings: self.warnings.clone(),
            danger: DANGERS
                .iter()
                .find(|(_, word)| *word == self.danger)
                .map_or(Danger::TypeName, |(d, _)| *d),
            acts_on: None,
            retry_advice: self
                .retry_advice
                .as_ref()
                .and_then(|word| word.parse::<RetryAdvice>().ok()),
            idempotency_token: self.token.clone(),
            plan: self.plan.clone(),
        }
    }

    /// What it was applied to.
    #[must_use]
    pub fn subject(&self, service: &str) -> Subject {
        let sort = self.target.kind.parse().unwrap_or(Sort::Task);
        Subject::new(service, sort, &self.target.id)
    }
}
