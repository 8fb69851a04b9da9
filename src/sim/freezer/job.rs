//! Jobs: the record that the API keeps, and what the scheduler on the client makes of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::sim::table::Row;

/// One action of a job.
#[derive(Debug, Clone)]
pub struct JobAction {
    /// 32 hex digits.
    pub id: String,
    /// What is to be done.
    pub freezer_action: Arc<Value>,
    /// How often it is tried again after a failure.
    pub max_retries: i64,
    /// Seconds between tries.
    pub max_retries_interval: i64,
    /// Whether it is done though an earlier one failed.
    pub mandatory: bool,
}

/// What the scheduler takes a job for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It waits for somebody to start it.
    #[default]
    Stopped,
    /// It waits for its time.
    Scheduled,
    /// Its actions run.
    Running,
}

/// A run under way.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// When it will end.
    pub end: DateTime<Utc>,
    /// Whether its process was killed.
    pub killed: bool,
}

/// The scheduler's own view of a job.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    /// Whether it has seen the job since it was started.
    pub known: bool,
    /// What it takes the job for.
    pub state: State,
    /// When the job is due next.
    pub next: Option<DateTime<Utc>>,
    /// What runs.
    pub run: Option<Run>,
    /// When it looks at the job next because something changed.
    pub poll: Option<DateTime<Utc>>,
    /// The schedule part as the scheduler has it; what it pushes replaces the API's.
    pub schedule: Map<String, Value>,
}

/// A job.
#[derive(Debug)]
pub struct Job {
    /// 32 hex digits.
    pub id: String,
    /// The client that runs it.
    pub client: String,
    /// The user's words, or null.
    pub description: Value,
    /// The session that it is in; empty for none.
    pub session: String,
    /// Which round of the session it took part in last.
    pub session_tag: i64,
    /// `job_schedule`: schedule, status, result, event and times together.
    pub schedule: Map<String, Value>,
    /// What it does, in order.
    pub actions: Vec<JobAction>,
    /// The scheduler's view.
    pub agent: Agent,
}

impl Row for Job {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A text of a schedule part; empty when it is missing.
#[must_use]
pub fn word<'a>(schedule: &'a Map<String, Value>, key: &str) -> &'a str {
    schedule.get(key).and_then(Value::as_str).unwrap_or("")
}

/// Sets a text of a schedule part.
pub fn set(schedule: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    schedule.insert(key.to_owned(), value.into());
}

impl Job {
    /// The job as the service shows it.
    #[must_use]
    pub fn to_json(&self, project: &str, user: &str) -> Value {
        let actions: Vec<Value> = self
            .actions
            .iter()
            .map(|action| {
                json!({
                    "project_id": project,
                    "action_id": action.id,
                    "user_id": user,
                    "max_retries": action.max_retries,
                    "max_retries_interval": action.max_retries_interval,
                    "freezer_action": *action.freezer_action,
                })
            })
            .collect();
        json!({
            "job_id": self.id,
            "project_id": project,
            "user_id": user,
            "job_schedule": self.schedule,
            "client_id": self.client,
            "session_id": self.session,
            "session_tag": self.session_tag,
            "description": self.description,
            "job_actions": actions,
        })
    }

    /// Carries what the scheduler thinks into the API's record.
    pub fn push(&mut self) {
        self.schedule.clone_from(&self.agent.schedule);
    }
}

impl JobAction {
    /// The action as the list of actions shows it.
    #[must_use]
    pub fn to_json(&self, project: &str, user: &str, whole: bool) -> Value {
        let mut body = json!({
            "project_id": project,
            "user_id": user,
            "max_retries_interval": self.max_retries_interval,
            "max_retries": self.max_retries,
            "action_id": self.id,
            "freezer_action": *self.freezer_action,
        });
        if whole {
            body["timeout"] = Value::Null;
            body["mandatory"] = self.mandatory.into();
        }
        body
    }

    /// Reads an action of a job; a missing id is made by `id`.
    ///
    /// # Errors
    /// What is wrong with it, in the validator's words.
    pub fn read(value: &Value, id: impl FnOnce() -> String) -> Result<Self, String> {
        let number = |key: &str, default: i64| match value.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(number) => number
                .as_i64()
                .ok_or_else(|| format!("{number} is not of type 'integer'")),
        };
        let mut action = match value.get("freezer_action") {
            Some(Value::Object(action)) => action.clone(),
            None | Some(Value::Null) => Map::new(),
            Some(other) => return Err(format!("{other} is not of type 'object'")),
        };
        for (key, known) in [("action", ACTIONS), ("mode", MODES)] {
            match action.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(word)) if known.contains(&word.as_str()) => {}
                Some(other) => return Err(format!("{other} is not one of {known:?}")),
            }
        }
        for key in ["timeout", "priority", "log_file"] {
            action.entry(key).or_insert(Value::Null);
        }
        Ok(Self {
            id: value
                .get("action_id")
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty())
                .map_or_else(id, str::to_owned),
            freezer_action: Arc::new(Value::Object(action)),
            max_retries: number("max_retries", 0)?,
            max_retries_interval: number("max_retries_interval", 60)?,
            mandatory: value.get("mandatory").and_then(Value::as_bool) == Some(true),
        })
    }

    /// A text of what is to be done.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.freezer_action
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
    }
}

/// What a client can do.
pub const ACTIONS: &[&str] = &["backup", "restore", "info", "admin", "exec"];
/// What it can back up.
pub const MODES: &[&str] = &[
    "fs",
    "mongo",
    "mysql",
    "sqlserver",
    "cinder",
    "glance",
    "cindernative",
    "nova",
];
