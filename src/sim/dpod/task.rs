//! Tasks: one operation on one gateway (and domain), made when a plan runs.

use serde_json::{Value, json};

use super::codes;
use super::plan::Action;

/// What stands for a whole gateway where a domain's name is expected.
pub(super) const ALL: &str = "ALL";

/// A task.
#[derive(Debug)]
pub(super) struct Task {
    /// The number that the scripts are given.
    pub id: u64,
    /// The run of the plan.
    pub execution: u64,
    /// Its activity's place in the plan.
    pub activity: usize,
    /// What.
    pub action: Action,
    /// Its gateway; `None` when no gateway fitted.
    pub device: Option<usize>,
    /// The gateway's name, or the pattern that none fitted.
    pub device_name: String,
    /// The domain, or [`ALL`].
    pub domain: String,
    /// Its status code.
    pub status: &'static str,
    /// When its present step ends, in milliseconds since 1970.
    pub due: i64,
    /// When it began to work.
    pub started: Option<i64>,
    /// What it says about a failure.
    pub error: String,
    /// Whether it has taken its gateway or domain out of service.
    pub quiesced: bool,
    /// Its first error, while it brings the gateway back into service.
    pub failing: Option<&'static str>,
    /// Whether it is over.
    pub over: bool,
    /// All its codes with their times.
    pub trail: Vec<(i64, &'static str)>,
}

/// What a task is to do.
pub(super) struct Goal {
    /// Its activity's place in the plan.
    pub activity: usize,
    /// What.
    pub action: Action,
    /// Its gateway; `None` when no gateway fitted.
    pub device: Option<usize>,
    /// The gateway's name, or the pattern that none fitted.
    pub device_name: String,
    /// The domain, or [`ALL`].
    pub domain: String,
}

impl Task {
    /// A new one, made at that time in milliseconds since 1970.
    #[must_use]
    pub fn new(id: u64, execution: u64, goal: Goal, now: i64) -> Self {
        Self {
            id,
            execution,
            activity: goal.activity,
            action: goal.action,
            device: goal.device,
            device_name: goal.device_name,
            domain: goal.domain,
            status: codes::WAITING,
            due: now,
            started: None,
            error: String::new(),
            quiesced: false,
            failing: None,
            over: false,
            trail: vec![(now, codes::WAITING)],
        }
    }

    /// Goes to a status.
    pub fn set(&mut self, status: &'static str, now: i64) {
        self.status = status;
        self.trail.push((now, status));
    }

    /// Whether it is at work on its gateway.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.started.is_some() && !self.over
    }

    /// Whether it waits to begin.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.over && (self.status == codes::WAITING || self.status == codes::READY)
    }

    /// As the list of the post-plan script shows it.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "{},{},{},{},{}",
            self.id,
            self.action.word(),
            self.device_name,
            self.domain,
            self.status
        )
    }

    /// As `/_sim/dpod/executions` shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let trail: Vec<&str> = self.trail.iter().map(|(_, code)| *code).collect();
        json!({
            "id": self.id, "action": self.action.word(), "device": self.device_name, "domain": self.domain,
            "status": self.status, "error": self.error, "over": self.over, "trail": trail,
        })
    }
}
