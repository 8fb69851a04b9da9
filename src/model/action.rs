//! Something sent to a service on an operator's word.
//!
//! An action's life: an [`Intent`] (what the operator wants) is turned by the connector into a
//! [`Prepared`] (the exact requests, the effect in words, the danger), shown, confirmed, sent once, and
//! ends in a [`SendOutcome`]; a lost answer is looked into and ends in a [`Found`].

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{CodeRef, Fault, FaultKind, Phase, RetryAdvice, ServiceId, Timestamp};

/// What an action is for, in one vocabulary for all services.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Verb {
    /// Run a policy or back up a device now.
    Trigger,
    /// Stop a live task.
    Cancel,
    /// Repeat what failed.
    Retry,
    /// Take a failed job off the service's own list.
    Clear,
    /// Turn a policy's schedule on.
    Enable,
    /// Turn a policy's schedule off.
    Disable,
    /// Bring data back.
    Restore,
    /// Remove a backup or a resource.
    Delete,
}

impl Verb {
    /// Every verb, in the order of menus.
    pub const ALL: [Self; 8] = [
        Self::Trigger,
        Self::Cancel,
        Self::Retry,
        Self::Clear,
        Self::Enable,
        Self::Disable,
        Self::Restore,
        Self::Delete,
    ];

    /// The word for it, as in the keymap, the command line and the allow-list of the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Clear => "clear",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Restore => "restore",
            Self::Delete => "delete",
        }
    }
}

/// How much stands between a key and the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Danger {
    /// Sent at once (nothing changes on the service's side but a list).
    None,
    /// The request is shown and confirmed.
    Confirm,
    /// The target's name has to be typed.
    TypeName,
}

impl Danger {
    /// The word for it, as in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Confirm => "confirm",
            Self::TypeName => "type the name",
        }
    }
}

/// What an action is applied to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum TargetKind {
    /// A device.
    Device,
    /// A policy.
    Policy,
    /// A task (running, failed or any other).
    Task,
}

impl TargetKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Policy => "policy",
            Self::Task => "task",
        }
    }
}

/// One action that a connector offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionSpec {
    /// Unique within the kind, kebab-case: `back-up-now`, `fail-over`.
    pub id: &'static str,
    /// What it is for.
    pub verb: Verb,
    /// What menus show: "Back up this server now".
    pub label: &'static str,
    /// What it is applied to.
    pub target: TargetKind,
    /// What stands between a key and the request.
    pub danger: Danger,
    /// True when sending it twice does no more than sending it once (clear, enable, disable).
    pub safe_to_repeat: bool,
    /// What the operator has to supply because no record holds it.
    pub inputs: &'static [Input],
}

/// A value that the operator supplies before an action can be prepared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its name, as on the command line (`--input new_size=20`).
    pub name: &'static str,
    /// What to ask.
    pub ask: &'static str,
    /// What is accepted.
    pub kind: InputKind,
    /// False when it may be left empty.
    pub required: bool,
}

/// What an input accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputKind {
    /// Any text.
    Text,
    /// A whole number, zero or more.
    Number,
    /// yes or no; never guessed.
    YesNo,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// What an action is applied to, with what the store knows of it (so that a connector need not ask again).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The sort of thing.
    pub kind: TargetKind,
    /// The service's own id.
    pub id: String,
    /// The name people use.
    pub name: String,
    /// The service's own status as last seen.
    pub native_status: String,
    /// For a task: its phase as last seen. [`Phase::Unknown`] for devices and policies.
    pub phase: Phase,
    /// For a task: its operation. Empty otherwise.
    pub operation: String,
    /// For a task: what the service calls the object. Empty otherwise.
    pub object: String,
    /// The device the target is or belongs to: id, name; empty where unknown.
    pub device: super::Ref,
    /// The policy the target is or belongs to; empty where unknown.
    pub policy: super::Ref,
    /// The failure that a retry answers.
    pub failure: Option<CodeRef>,
    /// The service's own record as JSON text, where it is still held.
    pub raw: String,
}

impl Target {
    /// Something of which nothing but its id and name is known.
    #[must_use]
    pub fn new(kind: TargetKind, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            name: name.into(),
            native_status: String::new(),
            phase: Phase::Unknown,
            operation: String::new(),
            object: String::new(),
            device: super::Ref::default(),
            policy: super::Ref::default(),
            failure: None,
            raw: String::new(),
        }
    }
}

/// What an operator wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// On which service.
    pub service: ServiceId,
    /// Which action ([`ActionSpec::id`]).
    pub action: &'static str,
    /// On what.
    pub target: Target,
    /// Values for the action's inputs.
    pub inputs: BTreeMap<String, String>,
}

/// A URL without its scheme and host, for lists.
#[must_use]
pub fn url_path(url: &str) -> &str {
    url.split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
        .unwrap_or(url)
}

/// One HTTP request as it would be sent, with secrets hidden.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestPreview {
    /// `POST`.
    pub method: String,
    /// The whole URL, secrets hidden.
    pub url: String,
    /// The body as pretty JSON or form text; empty when there is none.
    pub body: String,
    /// What happens between this request and the next ("wait until the group is gone"); empty for the last.
    pub then: String,
}

/// An action ready to be confirmed: exactly what would be sent and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// What the operator wanted.
    pub intent: Intent,
    /// The requests in order.
    pub requests: Vec<RequestPreview>,
    /// What it will do, in words.
    pub effect: String,
    /// What to look at first; shown in the warning colour.
    pub warnings: Vec<String>,
    /// What stands between the operator and the request; may be higher than the spec's.
    pub danger: Danger,
    /// What the requests really run, by the name people use, where that is more than the target: the whole plan
    /// of a task. It is what has to be typed then.
    pub acts_on: Option<String>,
    /// The retry advice of the failure that this answers, where the catalog holds one.
    pub retry_advice: Option<RetryAdvice>,
    /// A token by which the service recognises a repeat, where it offers one.
    pub idempotency_token: Option<String>,
    /// The connector's own notes for sending it (it alone reads them).
    pub plan: serde_json::Value,
}

impl Prepared {
    /// The connector's own notes, read back.
    ///
    /// # Errors
    /// A [`FaultKind::Config`] fault: they are not what this connector writes.
    pub fn own_plan<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(&self.plan).map_err(|e| {
            Fault::new(
                FaultKind::Config,
                format!("the prepared action can't be read: {e}"),
                "",
                "Prepare it again.",
            )
        })
    }
}

/// What the service answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub http_status: u16,
    /// The service's request id, where it gives one.
    pub request_id: String,
    /// The body, cleaned and cut.
    pub body: String,
}

/// How to recognise what an accepted action became.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Follow {
    /// Ids of the tasks it became, where the answer tells.
    pub task_ids: Vec<String>,
    /// Otherwise: any task of this device …
    pub device_id: String,
    /// … or policy …
    pub policy_id: String,
    /// … with one of these operations (empty: any) …
    pub operations: Vec<String>,
    /// … that started or changed after this instant of the service's clock.
    pub since: Option<Timestamp>,
    /// False when nothing can be followed (an enable, a clear): the acceptance is the end.
    pub expects_task: bool,
}

/// How sending ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendOutcome {
    /// The service took it.
    Accepted {
        /// Its answer.
        answer: Answer,
        /// How to recognise what it became.
        follow: Follow,
    },
    /// The service refused it; nothing was done.
    Refused {
        /// Code, HTTP status, text.
        code: CodeRef,
        /// The answer as it came.
        answer: Answer,
    },
    /// Nothing was sent: the connection could not be made, or the preparation no longer holds.
    NotSent {
        /// Why.
        fault: Fault,
    },
    /// It was sent and no answer came: it may or may not have been carried out. Never repeated by itself.
    Unknown {
        /// What was lost.
        fault: Fault,
        /// How to recognise it if it was carried out.
        follow: Follow,
    },
}

/// What a look at the service found after an unknown outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It was carried out: the tasks it became, or the state it left.
    Done {
        /// Task ids, where there are any.
        task_ids: Vec<String>,
        /// What was seen, in words.
        seen: String,
    },
    /// The service was asked and shows nothing of it so far.
    Nothing {
        /// What was looked at, in words.
        looked_at: String,
    },
    /// The service gives no way to tell.
    CannotTell {
        /// Why.
        why: String,
    },
}
