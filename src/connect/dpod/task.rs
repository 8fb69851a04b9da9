//! One task as the scripts tell of it.

use super::event::{Family, Listed, TaskId};
use super::status::{self, Reading};
use crate::model::{CodeRef, Phase, Ref, Task, Timestamp, clean};

/// How many words of one task are kept.
const WORDS_KEPT: usize = 8;

/// A status that was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The status code, letter for letter.
    pub status: String,
    /// The error text; empty for none.
    pub error: String,
}

/// One task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskState {
    /// Our id.
    pub id: String,
    /// The sort of its plan.
    pub family: Family,
    /// The plan's name.
    pub plan: String,
    /// The gateway's name; empty while no script has named it.
    pub device: String,
    /// `exportDomain`, `secureBackup` …
    action: String,
    /// The domain, `ALL`, or the versions of a firmware upgrade.
    pub domain: String,
    /// When its first script was called.
    pub begun: Option<Timestamp>,
    /// Its statuses in order of time.
    told: Vec<Told>,
    /// When something of it was last heard.
    pub last: Timestamp,
    /// Our id of the run it belongs to.
    pub run: Option<String>,
    /// When that run ended.
    pub run_ended: Option<Timestamp>,
    /// True when the list that ended the run did not name it.
    pub left_out: bool,
    given_up: bool,
    number: String,
    begin_args: Vec<String>,
    end_args: Vec<String>,
    list_item: String,
}

impl TaskState {
    /// The id of a task; `again` is its time when its number was used before.
    pub fn id_of(task: &TaskId, again: Option<Timestamp>) -> String {
        let base = format!("task:{}:{}", task.family.0, task.id);
        match again {
            Some(at) => format!("{base}@{}", at.millis()),
            None => base,
        }
    }

    /// Nothing known but who it is.
    pub fn new(id: String, task: &TaskId) -> Self {
        Self {
            id,
            family: task.family.clone(),
            plan: task.plan.clone(),
            device: String::new(),
            action: String::new(),
            domain: String::new(),
            begun: None,
            told: Vec::new(),
            last: Timestamp::default(),
            run: None,
            run_ended: None,
            left_out: false,
            given_up: false,
            number: task.id.clone(),
            begin_args: Vec::new(),
            end_args: Vec::new(),
            list_item: String::new(),
        }
    }

    /// Its first script was called.
    pub fn begins(&mut self, at: Timestamp, args: Vec<String>) {
        self.begun = Some(self.begun.map_or(at, |b| b.min(at)));
        self.begin_args = args;
    }

    /// Notes what it does, as far as this event tells.
    pub fn describe(&mut self, action: &str, device: &str, domain: &str) {
        for (held, told) in [
            (&mut self.action, action),
            (&mut self.device, device),
            (&mut self.domain, domain),
        ] {
            if !told.is_empty() {
                told.clone_into(held);
            }
        }
    }

    /// Its last script was called.
    pub fn tell(&mut self, told: Told, args: Vec<String>) {
        self.end_args = args;
        self.add(told);
    }

    /// The list that ends its plan names it. The same word as before is no news.
    pub fn listed(&mut self, told: Told, item: &Listed) {
        self.list_item = format!(
            "{},{},{},{},{}",
            item.id, item.action, item.device, item.domain, item.status
        );
        self.left_out = false;
        if self.told.last().is_none_or(|t| t.status != told.status) {
            self.add(told);
        }
    }

    fn add(&mut self, told: Told) {
        if self.told.contains(&told) {
            return;
        }
        let place = self.told.partition_point(|t| t.at <= told.at);
        self.told.insert(place, told);
        if self.told.len() > WORDS_KEPT {
            // the first error stays: it is the cause
            self.told.remove(1);
        }
    }

    /// Something of it was heard: it is not given up any more.
    pub fn heard(&mut self, at: Timestamp) {
        self.last = self.last.max(at);
        self.given_up = false;
    }

    fn read(&self, told: &Told) -> Reading {
        status::read(self.family.task_level(), &told.status)
    }

    /// The word that is held against it although a later one may sound better.
    fn risk(&self) -> Option<&Told> {
        self.told.iter().find(|t| status::device_at_risk(&t.status))
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        let Some(last) = self.told.last() else {
            return if self.given_up || self.left_out {
                Phase::Unknown
            } else {
                Phase::Running
            };
        };
        let phase = self.read(last).phase;
        match phase {
            // the backup may be good, yet nobody has said that the gateway is back in service
            Phase::Succeeded if self.risk().is_some() => Phase::Uncertain,
            // nothing follows a success: a worse word on either side of it counts
            Phase::Queued | Phase::Waiting | Phase::Running if self.given_up => Phase::Uncertain,
            other => other,
        }
    }

    /// When it ended: the first status that is an end.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.told
            .iter()
            .find(|t| self.read(t).phase.is_over() || self.read(t).phase == Phase::Unknown)
            .map(|t| t.at)
    }

    /// When it ended, if it was a backup that ended well.
    pub fn good_backup(&self) -> Option<Timestamp> {
        let is_backup = self.family.0 == "backup";
        (is_backup && self.phase() == Phase::Succeeded)
            .then(|| self.ended_at())
            .flatten()
    }

    /// Gives up waiting for its end; true when that is news.
    pub fn give_up(&mut self, now: Timestamp, follow_ms: i64, silence_ms: i64) -> bool {
        if self.given_up || !self.phase().is_live() {
            return false;
        }
        // its own last script has run, or the whole run is over: a last word is due soon
        let due = if self.told.is_empty() && self.run_ended.is_none() {
            silence_ms
        } else {
            follow_ms
        };
        self.given_up = now.since(self.last) > due;
        self.given_up
    }

    /// What an operator should know beside the status.
    fn remarks(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let mut say = |text: String| out.push(("Note", text));
        let last = self.told.last();
        if let Some(last) = last
            && !self.read(last).known
        {
            say("this status is in no published list: it was read by its form alone".to_owned());
        }
        if let Some(risk) = self.risk() {
            let later = last.filter(|l| l.status != risk.status);
            say(match later {
                Some(later) => format!(
                    "DPOD told {} at {} and {} later: the gateway may still be out of service, look at it now",
                    risk.status,
                    risk.at.rfc3339(),
                    later.status
                ),
                None => {
                    "the gateway may be out of service or still at work: look at it now".to_owned()
                }
            });
        }
        if self.told.is_empty() && self.left_out {
            say(
                "the list that ended the run does not name this task: how it went is not known"
                    .to_owned(),
            );
        } else if self.told.is_empty() && self.given_up {
            say(
                "it began and nothing more was heard: how it went is not known. A script after each task that is set \
                 to run always would tell"
                    .to_owned(),
            );
        } else if self.given_up {
            say("DPOD's last word on it is an interim status and nothing followed: look at the gateway".to_owned());
        }
        if self.begun.is_none() && self.end_args.is_empty() {
            say(
                "known from the list that ended the run only: its own times were not reported"
                    .to_owned(),
            );
        }
        let words: Vec<&str> = self.told.iter().map(|t| t.status.as_str()).collect();
        if words.len() > 1 {
            out.push(("Statuses", words.join(", then ")));
        }
        out
    }

    /// As a row.
    pub fn row(&self, policy: Ref) -> Task {
        let last = self.told.last();
        let phase = self.phase();
        let reading = last.map(|t| self.read(t));
        let mut facts = Vec::new();
        let firmware = self.family.task_level() == status::Level::Firmware;
        for (label, value) in [
            ("Task number", self.number.clone()),
            (
                if firmware { "Versions" } else { "Domain" },
                self.domain.clone(),
            ),
        ] {
            if !value.is_empty() {
                facts.push((label, value));
            }
        }
        facts.extend(self.remarks());
        let failure = self.failure(phase);
        Task {
            id: self.id.clone(),
            device: (!self.device.is_empty())
                .then(|| Ref::new(self.device.clone(), self.device.clone())),
            policy: Some(policy),
            operation: match self.action.as_str() {
                "exportDomain" => "export domain".to_owned(),
                "secureBackup" => "secure backup".to_owned(),
                "" => self.family.0.clone(),
                other => other.to_lowercase(),
            },
            native_status: last.map_or_else(
                || {
                    format!(
                        "{}-TASK PRE",
                        self.family.0.to_uppercase().replace(' ', "-")
                    )
                },
                |t| t.status.clone(),
            ),
            phase,
            step: match reading {
                Some(reading) => reading.step.to_owned(),
                None if phase.is_live() => "pre-script".to_owned(),
                None => String::new(),
            },
            started_at: self.begun,
            updated_at: Some(self.last),
            ended_at: if phase.is_live() {
                None
            } else {
                self.ended_at()
            },
            failure,
            object: if firmware {
                String::new()
            } else {
                self.domain.clone()
            },
            facts,
            raw: self.raw(),
            ..Task::default()
        }
    }

    /// What made it fail, as it stands in this phase.
    pub fn failure(&self, phase: Phase) -> Option<CodeRef> {
        let told = match phase {
            Phase::Failed | Phase::Skipped | Phase::Cancelled => self.told.last(),
            Phase::Uncertain => self.risk().or_else(|| self.told.last()),
            _ => None,
        }?;
        let error = self
            .told
            .iter()
            .rev()
            .find(|t| !t.error.is_empty())
            .map_or("", |t| t.error.as_str());
        Some(CodeRef {
            code: told.status.clone(),
            http_status: None,
            operation: self.family.task_level().word().to_owned(),
            message: error.to_owned(),
        })
    }

    fn raw(&self) -> String {
        let mut raw = serde_json::Map::new();
        for (key, args) in [
            ("pre_task", &self.begin_args),
            ("post_task", &self.end_args),
        ] {
            if !args.is_empty() {
                raw.insert(key.to_owned(), args.clone().into());
            }
        }
        if !self.list_item.is_empty() {
            let item = clean(&self.list_item).into_owned();
            raw.insert("post_plan_item".to_owned(), item.into());
        }
        serde_json::Value::Object(raw).to_string()
    }
}
