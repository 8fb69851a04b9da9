//! A Freezer job as it comes, and what it says as a policy and as a task.

use serde::Deserialize;

use crate::connect::decode::{Epoch, Int, Loose, Raw, Text, raw_text};
use crate::model::{Asked, Device, Phase, Policy, Ref, Task, Timestamp};

/// A client as `GET /clients` gives it.
#[derive(Deserialize)]
pub(super) struct ClientRow<'a> {
    #[serde(borrow)]
    client: Client<'a>,
}

#[derive(Deserialize)]
struct Client<'a> {
    #[serde(borrow)]
    client_id: Text<'a>,
    #[serde(borrow, default)]
    hostname: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    supported_modes: Loose<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    supported_storages: Loose<Vec<Text<'a>>>,
}

impl ClientRow<'_> {
    pub(super) fn device(&self, raw: Raw<'_>) -> Result<Device, String> {
        let c = &self.client;
        if c.client_id.is_empty() {
            return Err("client_id is missing".into());
        }
        let mut facts = Vec::new();
        let list = |v: &Loose<Vec<Text<'_>>>| {
            v.0.iter()
                .flatten()
                .map(Text::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        for (label, value) in [
            ("Description", c.description.owned()),
            ("Modes", list(&c.supported_modes)),
            ("Storages", list(&c.supported_storages)),
        ] {
            if !value.is_empty() {
                facts.push((label, value));
            }
        }
        Ok(Device {
            id: c.client_id.owned(),
            name: c.client_id.owned(),
            what: "client",
            place: c.hostname.owned(),
            facts,
            raw: raw_text(raw),
            ..Device::default()
        })
    }
}

/// A job as `GET /jobs` and `GET /jobs/{id}` give it.
#[derive(Deserialize)]
pub(super) struct Job<'a> {
    #[serde(borrow)]
    pub job_id: Text<'a>,
    #[serde(borrow, default)]
    pub project_id: Text<'a>,
    #[serde(borrow, default)]
    pub client_id: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    session_id: Text<'a>,
    #[serde(borrow, default)]
    job_schedule: Loose<Schedule<'a>>,
    #[serde(borrow, default)]
    job_actions: Loose<Vec<Loose<ActionRow<'a>>>>,
}

/// When and how it runs, and how its last run went.
#[derive(Deserialize, Default)]
pub(super) struct Schedule<'a> {
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub result: Text<'a>,
    #[serde(borrow, default)]
    pub event: Text<'a>,
    #[serde(default)]
    pub time_started: Epoch,
    #[serde(default)]
    pub time_ended: Epoch,
    #[serde(default)]
    time_created: Epoch,
    #[serde(default)]
    current_pid: Int,
    #[serde(borrow, default)]
    schedule_date: Text<'a>,
    #[serde(borrow, default)]
    schedule_interval: Text<'a>,
    #[serde(borrow, default)]
    schedule_start_date: Text<'a>,
    #[serde(borrow, default)]
    schedule_end_date: Text<'a>,
    #[serde(borrow, default)]
    schedule_year: Text<'a>,
    #[serde(borrow, default)]
    schedule_month: Text<'a>,
    #[serde(borrow, default)]
    schedule_day: Text<'a>,
    #[serde(borrow, default)]
    schedule_week: Text<'a>,
    #[serde(borrow, default)]
    schedule_day_of_week: Text<'a>,
    #[serde(borrow, default)]
    schedule_hour: Text<'a>,
    #[serde(borrow, default)]
    schedule_minute: Text<'a>,
    #[serde(borrow, default)]
    schedule_second: Text<'a>,
}

#[derive(Deserialize)]
struct ActionRow<'a> {
    #[serde(borrow, default)]
    freezer_action: Loose<FreezerAction<'a>>,
}

#[derive(Deserialize, Default)]
struct FreezerAction<'a> {
    #[serde(borrow, default)]
    action: Text<'a>,
    #[serde(borrow, default)]
    mode: Text<'a>,
    #[serde(borrow, default)]
    backup_name: Text<'a>,
    #[serde(borrow, default)]
    path_to_backup: Text<'a>,
    #[serde(borrow, default)]
    storage: Text<'a>,
    #[serde(borrow, default)]
    container: Text<'a>,
    #[serde(borrow, default)]
    engine_name: Text<'a>,
}

/// What the record says of the last run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LastRun {
    /// The job has not run, or a start that was asked for has wiped the last run's result.
    Untold,
    /// It stands like this.
    Told(Phase),
}

impl Schedule<'_> {
    /// True when the job runs by itself; otherwise only on a start.
    pub(super) fn is_scheduled_job(&self) -> bool {
        !self.schedule_date.is_empty()
            || !self.schedule_interval.is_empty()
            || self.cron().next().is_some()
    }

    fn cron(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("year", &self.schedule_year),
            ("month", &self.schedule_month),
            ("day", &self.schedule_day),
            ("week", &self.schedule_week),
            ("day of week", &self.schedule_day_of_week),
            ("hour", &self.schedule_hour),
            ("minute", &self.schedule_minute),
            ("second", &self.schedule_second),
        ]
        .into_iter()
        .filter(|(_, v)| !v.is_empty())
        .map(|(k, v)| (k, v.as_str()))
    }

    /// The schedule in words.
    fn words(&self) -> String {
        let mut text = if !self.schedule_interval.is_empty() {
            match self.schedule_interval.as_str() {
                "continuous" => "continuously".to_owned(),
                every => format!("every {every}"),
            }
        } else if !self.schedule_date.is_empty() {
            format!("once at {}", self.schedule_date.as_str())
        } else {
            let cron: Vec<String> = self.cron().map(|(k, v)| format!("{k} {v}")).collect();
            if cron.is_empty() {
                return "on demand".to_owned();
            }
            format!("when {}", cron.join(", "))
        };
        for (word, date) in [
            ("from", &self.schedule_start_date),
            ("until", &self.schedule_end_date),
        ] {
            if !date.is_empty() {
                text.push_str(&format!(" {word} {}", date.as_str()));
            }
        }
        text
    }

    /// Milliseconds between two runs of an interval job.
    fn interval_ms(&self) -> Option<i64> {
        let (n, unit) = self.schedule_interval.as_str().split_once(' ')?;
        let n: i64 = n.parse().ok()?;
        let unit = match unit.trim() {
            "seconds" => 1_000,
            "minutes" => 60_000,
            "hours" => 3_600_000,
            "days" => 86_400_000,
            "weeks" => 604_800_000,
            _ => return None,
        };
        n.checked_mul(unit).filter(|ms| *ms > 0)
    }

    /// When it fires next, where the record lets us tell: an interval after the last start.
    fn next_run(&self) -> Option<Timestamp> {
        if self.status.as_str() != "scheduled" {
            return None;
        }
        // Without a result the schedule was turned on after the last start, and counts from there.
        self.time_started
            .0
            .filter(|_| !self.result.is_empty())
            .zip(self.interval_ms())
            .map(|(last, every)| last.plus(every))
            .or_else(|| crate::connect::decode::time(self.schedule_date.as_str()))
    }

    /// Our reading of the last run.
    ///
    /// `start` wipes status and result at once and leaves the last run's times (freezer-api, job events), so a
    /// record without a result tells nothing of that run unless it is running. A run whose end was never
    /// written although the job no longer runs is what a scheduler leaves that was restarted in between.
    pub(super) fn last_run(&self) -> LastRun {
        if self.time_started.0.is_none() {
            return LastRun::Untold;
        }
        let result = self.result.as_str();
        LastRun::Told(match (self.status.as_str(), result) {
            ("running" | "aborting", _) => Phase::Running,
            (_, "success") => Phase::Succeeded,
            (_, "fail") => Phase::Failed,
            (_, "aborted") => Phase::Cancelled,
            ("", "") => return LastRun::Untold,
            ("scheduled" | "stop" | "completed" | "removed", "") => {
                if self.time_ended.0.is_none() {
                    Phase::Uncertain
                } else {
                    return LastRun::Untold;
                }
            }
            _ => Phase::Unknown,
        })
    }

    /// The word that tells of the last run. `status` is the job's (`scheduled`: it waits for its next time), `result`
    /// the last run's; while one runs the result is that of the run before, or empty. Answers also which of both it is,
    /// as the catalog calls them.
    pub(super) fn run_status(&self) -> (&'static str, &str) {
        match (self.status.as_str(), self.result.as_str()) {
            (status @ ("running" | "aborting"), _) | (status, "") => ("job.status", status),
            (_, result) => ("job.result", result),
        }
    }
}

impl Job<'_> {
    pub(super) fn schedule(&self) -> &Schedule<'_> {
        static NONE: std::sync::LazyLock<Schedule<'static>> =
            std::sync::LazyLock::new(Schedule::default);
        self.job_schedule.0.as_ref().unwrap_or(&NONE)
    }

    fn actions(&self) -> impl Iterator<Item = &FreezerAction<'_>> {
        self.job_actions
            .0
            .iter()
            .flatten()
            .filter_map(|row| row.0.as_ref()?.freezer_action.0.as_ref())
    }

    /// The name people use: the description, the backup's name, the id.
    pub(super) fn name(&self) -> String {
        if !self.description.is_empty() {
            return self.description.owned();
        }
        self.actions()
            .map(|a| a.backup_name.as_str())
            .find(|n| !n.is_empty())
            .unwrap_or(self.job_id.as_str())
            .to_owned()
    }

    /// `job_id@seconds` of its last run; `None` when it never ran.
    pub(super) fn run_id(&self) -> Option<String> {
        let started = self.schedule().time_started.0?;
        Some(format!("{}@{}", self.job_id.as_str(), started.0 / 1000))
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        for action in self.actions() {
            for (label, value) in [
                ("Backs up", &action.path_to_backup),
                ("Into", &action.container),
                ("Storage", &action.storage),
                ("Mode", &action.mode),
                ("Engine", &action.engine_name),
            ] {
                if !value.is_empty() {
                    facts.push((label, value.owned()));
                }
            }
        }
        if !self.session_id.is_empty() {
            facts.push(("Session", self.session_id.owned()));
        }
        facts
    }

    /// The job as a policy.
    pub(super) fn policy(&self, raw: Raw<'_>) -> Result<Policy, String> {
        if self.job_id.is_empty() {
            return Err("job_id is missing".into());
        }
        let s = self.schedule();
        let enabled = s.is_scheduled_job().then(|| {
            !matches!(s.status.as_str(), "stop" | "completed" | "removed")
                && s.event.as_str() != "stop"
        });
        let mut native_status = s.status.owned();
        if !s.event.is_empty() {
            if !native_status.is_empty() {
                native_status.push(' ');
            }
            native_status.push_str("event=");
            native_status.push_str(s.event.as_str());
        }
        let mut facts = self.facts();
        if !s.result.is_empty() {
            facts.push(("Result of the last run", s.result.owned()));
        }
        if let Some(created) = s.time_created.0 {
            facts.push(("Created", created.rfc3339()));
        }
        Ok(Policy {
            id: self.job_id.owned(),
            name: self.name(),
            what: "job",
            native_status,
            enabled,
            faulty: false,
            protected_now: false,
            schedule: s.words(),
            next_run: s.next_run(),
            device_ids: if self.client_id.is_empty() {
                Vec::new()
            } else {
                vec![self.client_id.owned()]
            },
            facts,
            raw: raw_text(raw),
            ..Policy::default()
        })
    }

    /// Its last run as a task, where the record tells of one. `even_untold` makes one of a record that no longer
    /// says how the run went.
    pub(super) fn task(&self, raw: Raw<'_>, even_untold: bool) -> Option<Task> {
        let s = self.schedule();
        let phase = match s.last_run() {
            LastRun::Told(phase) => phase,
            LastRun::Untold if even_untold => Phase::Unknown,
            LastRun::Untold => return None,
        };
        let started = s.time_started.0?;
        let id = self.run_id()?;
        let ended = s.time_ended.0.filter(|_| phase.is_over());
        let mut facts = self.facts();
        if let Some(pid) = s.current_pid.0.filter(|p| *p > 0 && phase.is_live()) {
            facts.push(("Process on the client", pid.to_string()));
        }
        if phase.is_live() && s.event.as_str() == "stop" {
            facts.push((
                "Asked",
                "stop: no further runs; this one goes on to its end".to_owned(),
            ));
        }
        let mut operations = self.actions().map(|a| a.action.as_str());
        let first = operations.next().filter(|a| !a.is_empty());
        let (object, status) = s.run_status();
        Some(Task {
            id,
            device: (!self.client_id.is_empty())
                .then(|| Ref::new(self.client_id.as_str(), self.client_id.as_str())),
            policy: Some(Ref::new(self.job_id.as_str(), self.name())),
            operation: first.unwrap_or("backup").to_lowercase(),
            native_status: status.to_owned(),
            object: object.to_owned(),
            phase,
            started_at: Some(started),
            updated_at: ended.or(Some(started)),
            ended_at: ended,
            // Freezer's API gives no reason for a failure anywhere.
            failure: None,
            asked: (phase.is_live()
                && (s.event.as_str() == "abort" || s.status.as_str() == "aborting"))
                .then_some(Asked::Cancel),
            facts,
            raw: raw_text(raw),
            ..Task::default()
        })
    }
}
