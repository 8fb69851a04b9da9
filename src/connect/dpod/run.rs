//! One run of a plan: sent by a console, begun and ended by DPOD, with its tasks.

use std::collections::BTreeMap;

use super::board::{PlanKey, SLACK_MS};
use super::inbox::Sent;
use super::status::{self, Level};
use super::task::{TaskState, Told};
use crate::model::{CodeRef, Phase, Ref, Task, Timestamp, clean};

/// One run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Our id.
    pub id: String,
    /// The plan.
    pub key: PlanKey,
    /// The plan's number in script arguments; empty while unknown.
    pub plan_number: String,
    /// When a console had it queued, and what DPOD answered.
    pub sent: Option<(Timestamp, Sent)>,
    /// When its first sign was heard.
    pub begun: Option<Timestamp>,
    /// True when that sign was a task's, not the plan's own.
    pub by_tasks: bool,
    /// Its final status.
    pub ended: Option<Told>,
    /// Our ids of its tasks.
    pub tasks: Vec<String>,
    /// True when its end came with a list of tasks.
    pub listed: bool,
    /// What of that list could not be read.
    pub unread: String,
    /// When something of it was last heard.
    pub last: Timestamp,
    /// The arguments of the script before it.
    pub args: Vec<String>,
    /// The arguments of the script after it.
    pub end_args: Vec<String>,
    given_up: bool,
}

/// How the tasks of a run went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// All that are known.
    pub all: usize,
    /// Ended well.
    pub good: usize,
    /// Failed or uncertain.
    pub bad: usize,
    /// Skipped or cancelled.
    pub not_done: usize,
    /// Not ended.
    pub live: usize,
    /// When the last good one ended.
    pub last_good: Option<Timestamp>,
}

impl Tally {
    /// In words: `14 tasks: 13 succeeded, 1 failed`.
    pub fn words(&self) -> String {
        let tasks = if self.all == 1 { "task" } else { "tasks" };
        let parts: Vec<String> = [
            (self.good, "succeeded"),
            (self.bad, "failed or uncertain"),
            (self.not_done, "skipped or cancelled"),
            (self.live, "not ended"),
            (
                self.all - self.good - self.bad - self.not_done - self.live,
                "unknown",
            ),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
        format!("{} {tasks}: {}", self.all, parts.join(", "))
    }
}

impl Run {
    /// The id of the run of this plan whose first sign came at this time.
    pub fn id_of(key: &PlanKey, at: Timestamp) -> String {
        format!("run:{}:{}@{}", key.0.0, key.1, at.millis())
    }

    /// Nothing known but which.
    pub fn new(id: String, key: PlanKey) -> Self {
        Self {
            id,
            key,
            plan_number: String::new(),
            sent: None,
            begun: None,
            by_tasks: false,
            ended: None,
            tasks: Vec::new(),
            listed: false,
            unread: String::new(),
            last: Timestamp::default(),
            args: Vec::new(),
            end_args: Vec::new(),
            given_up: false,
        }
    }

    /// Sent, and nothing of it heard so far.
    pub const fn is_waiting(&self) -> bool {
        self.sent.is_some() && self.begun.is_none() && self.ended.is_none()
    }

    /// Sent before `at`, at most this long.
    pub fn sent_within(&self, at: Timestamp, ms: i64) -> bool {
        self.sent.as_ref().is_some_and(|(sent, _)| {
            let age = at.since(*sent);
            age >= -SLACK_MS && age <= ms
        })
    }

    /// When it was sent, or began.
    pub fn started(&self) -> Option<Timestamp> {
        self.begun.or(self.sent.as_ref().map(|(at, _)| *at))
    }

    /// Something of it was heard: it is not given up any more.
    pub fn heard(&mut self, at: Timestamp) {
        self.last = self.last.max(at);
        self.given_up = false;
    }

    /// How its tasks went.
    pub fn tally(&self, tasks: &BTreeMap<String, TaskState>) -> Tally {
        let mut tally = Tally::default();
        for task in self.tasks.iter().filter_map(|id| tasks.get(id)) {
            tally.all += 1;
            match task.phase() {
                Phase::Succeeded => {
                    tally.good += 1;
                    tally.last_good = tally.last_good.max(task.ended_at());
                }
                Phase::Failed | Phase::Uncertain => tally.bad += 1,
                Phase::Skipped | Phase::Cancelled => tally.not_done += 1,
                Phase::Queued | Phase::Waiting | Phase::Running => tally.live += 1,
                Phase::Unknown => {}
            }
        }
        tally
    }

    /// Where it stands.
    pub fn phase(&self, tasks: &BTreeMap<String, TaskState>) -> Phase {
        if let Some(end) = &self.ended {
            let phase = status::read(Level::Plan, &end.status).phase;
            return match phase {
                // the plan's word is about the plan: a run in which a task failed is no success
                Phase::Succeeded if self.tally(tasks).bad > 0 => Phase::Failed,
                Phase::Queued | Phase::Waiting | Phase::Running => Phase::Uncertain,
                other => other,
            };
        }
        match (self.begun, self.given_up) {
            (Some(_), false) => Phase::Running,
            (Some(_), true) => Phase::Unknown,
            // It may still start, within a day: a person looks before it is sent again.
            (None, true) => Phase::Uncertain,
            (None, false) => Phase::Queued,
        }
    }

    /// Gives up waiting for what should follow; true when that is news.
    pub fn give_up(&mut self, now: Timestamp, follow_ms: i64, silence_ms: i64) -> bool {
        if self.given_up || self.ended.is_some() {
            return false;
        }
        let due = if self.begun.is_some() {
            silence_ms
        } else {
            follow_ms
        };
        self.given_up = now.since(self.last) > due;
        self.given_up
    }

    /// As a row. `later` is when another run of the plan began after this one was sent and never seen.
    pub fn row(
        &self,
        policy: Ref,
        tasks: &BTreeMap<String, TaskState>,
        later: Option<Timestamp>,
    ) -> Task {
        let phase = self.phase(tasks);
        let tally = self.tally(tasks);
        let family = &self.key.0.0;
        let mut facts = Vec::new();
        let mut fact = |label: &'static str, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        if tally.all > 0 {
            fact("Tasks", tally.words());
        }
        fact("Plan number", self.plan_number.clone());
        if let Some((at, sent)) = &self.sent {
            fact("Sent", format!("{}: {}", at.rfc3339(), sent.answer));
            let joined = self.begun.is_some() || self.ended.is_some();
            fact(
                "Note",
                if joined {
                    "DPOD gives no id: this run was tied to what was sent by the plan's name and the time"
                } else {
                    "DPOD has only said that it is in the queue; a plan that is disabled or outside its window never runs"
                }
                .to_owned(),
            );
        }
        if self.ended.is_none() && self.given_up {
            fact(
                "Why",
                if self.begun.is_some() {
                    "it began, and its end was not reported: how it went is not known".to_owned()
                } else {
                    "it was taken into the queue and nothing followed. Look in the web console whether the plan is \
                     enabled, inside its window and not behind a hung task, and whether its scripts are set; it may \
                     still start within a day of being queued"
                        .to_owned()
                },
            );
        }
        if self.is_waiting()
            && let Some(later) = later
        {
            fact(
                "Note",
                format!(
                    "a run of this plan began at {}, too late to be sure that it is this one",
                    later.rfc3339()
                ),
            );
        }
        if let Some(end) = &self.ended
            && !status::read(Level::Plan, &end.status).known
        {
            fact(
                "Note",
                "this status is in no published list: it was read by its form alone".to_owned(),
            );
        }
        if !self.unread.is_empty() {
            fact(
                "Note",
                format!(
                    "a part of DPOD's list of tasks could not be read: {}",
                    self.unread
                ),
            );
        }
        Task {
            id: self.id.clone(),
            policy: Some(policy),
            operation: format!("{family} plan"),
            native_status: match (&self.ended, self.begun) {
                (Some(end), _) => end.status.clone(),
                (None, Some(_)) => {
                    let what = if self.by_tasks { "TASK" } else { "PLAN" };
                    format!("{}-{what} PRE", family.to_uppercase().replace(' ', "-"))
                }
                (None, None) => self
                    .sent
                    .as_ref()
                    .map(|(_, sent)| sent.answer.clone())
                    .unwrap_or_default(),
            },
            phase,
            step: match (&self.ended, self.begun) {
                (Some(end), _) => status::read(Level::Plan, &end.status).step,
                (None, Some(_)) if self.tasks.is_empty() => "plan pre-script",
                (None, Some(_)) => "tasks",
                (None, None) => "queue",
            }
            .to_owned(),
            started_at: self.started(),
            updated_at: Some(self.last),
            ended_at: self.ended.as_ref().map(|end| end.at),
            failure: self.failure(phase, tally, tasks),
            object: "plan".to_owned(),
            facts,
            raw: self.raw(),
            ..Task::default()
        }
    }

    /// Its own failure; or that of its tasks, where DPOD calls the plan a success all the same: whoever reads the
    /// run is led to the task, and both are one cause.
    fn failure(
        &self,
        phase: Phase,
        tally: Tally,
        tasks: &BTreeMap<String, TaskState>,
    ) -> Option<CodeRef> {
        let end = self.ended.as_ref()?;
        if !matches!(
            phase,
            Phase::Failed | Phase::Skipped | Phase::Cancelled | Phase::Uncertain
        ) {
            return None;
        }
        let own = end.status != status::SUCCESS;
        if !own && let Some(because) = self.because(tally, tasks) {
            return Some(because);
        }
        Some(CodeRef {
            code: if own {
                end.status.clone()
            } else {
                String::new()
            },
            http_status: None,
            operation: Level::Plan.word().to_owned(),
            message: if own || !end.error.is_empty() {
                end.error.clone()
            } else {
                tally.words()
            },
        })
    }

    /// The failure of its worst task, and whose it is.
    fn because(&self, tally: Tally, tasks: &BTreeMap<String, TaskState>) -> Option<CodeRef> {
        let bad = self.tasks.iter().filter_map(|id| tasks.get(id));
        let bad = bad.filter_map(|task| {
            let phase = task.phase();
            let failure = phase.needs_person().then(|| task.failure(phase))??;
            Some((task, failure))
        });
        // what may have left a gateway out of service outranks everything
        let (task, failure) =
            bad.min_by_key(|(task, f)| (!status::device_at_risk(&f.code), task.id.clone()))?;
        let domain = match task.domain.as_str() {
            "" => String::new(),
            domain => format!(" ({domain})"),
        };
        Some(CodeRef {
            message: format!(
                "DPOD calls the plan a success; of its {}. See {}{domain}: {}",
                tally.words(),
                task.device,
                failure.code
            ),
            ..failure
        })
    }

    fn raw(&self) -> String {
        let mut raw = serde_json::Map::new();
        if let Some((_, sent)) = &self.sent {
            raw.insert("answer".to_owned(), sent.answer.clone().into());
            raw.insert("reference".to_owned(), clean(&sent.reference).into());
        }
        for (key, args) in [("pre_plan", &self.args), ("post_plan", &self.end_args)] {
            if !args.is_empty() {
                raw.insert(key.to_owned(), args.clone().into());
            }
        }
        serde_json::Value::Object(raw).to_string()
    }
}
