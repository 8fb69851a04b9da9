//! Jobs: what an accepted change becomes. Asked for one by one by its id; nothing lists them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::Sdrs;
use super::status::Status;
use super::time::zulu;
use super::work::{Resource, Work};
use crate::sim::table::Row;
use crate::sim::world::World;

/// How long a job stays `INIT`.
const INIT: TimeDelta = TimeDelta::seconds(2);

/// Why a job or a part of it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The code; it may be another service's.
    pub code: &'static str,
    /// `TASK-fail:…`.
    pub reason: String,
}

/// One part of a job, done after the one before it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Id, type and entities when it shows as a sub-job.
    pub shown: Option<(String, &'static str, Value)>,
    /// How long it takes, in virtual seconds.
    pub seconds: i64,
    /// When it began.
    pub begin: Option<DateTime<Utc>>,
    /// When it ended.
    pub end: Option<DateTime<Utc>>,
    /// How it failed.
    pub failed: Option<Failed>,
}

impl Step {
    /// A part that does not show.
    #[must_use]
    pub fn hidden(seconds: i64) -> Self {
        Self {
            shown: None,
            seconds,
            begin: None,
            end: None,
            failed: None,
        }
    }

    /// A part that shows as a sub-job.
    #[must_use]
    pub fn sub_job(id: String, job_type: &'static str, entities: Value, seconds: i64) -> Self {
        Self {
            shown: Some((id, job_type, entities)),
            ..Self::hidden(seconds)
        }
    }
}

/// A job.
#[derive(Debug)]
pub struct Job {
    /// 32 hex digits.
    pub id: String,
    /// What it does.
    pub work: Work,
    /// When it was asked for.
    pub begin: DateTime<Utc>,
    /// When it ended.
    pub end: Option<DateTime<Utc>>,
    /// How it failed.
    pub failed: Option<Failed>,
    /// Its own entities, besides sub-jobs.
    pub entities: Map<String, Value>,
    /// Its parts in order.
    pub steps: Vec<Step>,
    /// Which part runs.
    pub at: usize,
    /// The jobs that a batch waits for.
    pub children: Vec<u64>,
    /// The batch that waits for it.
    pub parent: Option<u64>,
    /// What it moves, with the state before: these go back to it where the failure is not theirs.
    pub before: Vec<(Resource, u64, Status)>,
}

impl Row for Job {
    fn id(&self) -> &str {
        &self.id
    }
}

/// `INIT`, `RUNNING`, `SUCCESS` or `FAIL`.
fn status(
    now: DateTime<Utc>,
    begin: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    failed: bool,
) -> &'static str {
    match (begin, end) {
        (_, Some(_)) if failed => "FAIL",
        (_, Some(_)) => "SUCCESS",
        (Some(begin), None) if now >= begin + INIT => "RUNNING",
        _ => "INIT",
    }
}

impl Job {
    /// How far it is in per cent of the time that it is to take.
    #[must_use]
    pub fn progress(&self, now: DateTime<Utc>) -> i64 {
        let total: i64 = self.steps.iter().map(|step| step.seconds).sum();
        let gone = (now - self.begin).num_seconds();
        (gone * 100 / total.max(1)).clamp(0, 99)
    }
}

impl Sdrs {
    /// How far the job of that number is; `None` when there is none that runs.
    #[must_use]
    pub fn job_progress(&self, world: &World, job: Option<u64>) -> Option<i64> {
        let job = self.jobs.get(job?)?;
        job.end.is_none().then(|| job.progress(world.now()))
    }

    /// A job as the service shows it.
    #[must_use]
    pub fn job_json(&self, world: &World, job: &Job) -> Value {
        let now = world.now();
        let mut entities = job.entities.clone();
        let subs: Vec<Value> = job
            .steps
            .iter()
            .filter_map(|step| {
                let (id, job_type, entities) = step.shown.as_ref()?;
                let mut sub = self.json_of(
                    world,
                    id,
                    job_type,
                    status(now, step.begin, step.end, step.failed.is_some()),
                    [step.begin, step.end],
                    step.failed.as_ref(),
                );
                sub["entities"] = entities.clone();
                Some(sub)
            })
            .chain(
                job.children
                    .iter()
                    .filter_map(|key| self.jobs.get(*key))
                    .map(|child| self.job_json(world, child)),
            )
            .collect();
        if !subs.is_empty() {
            entities.insert("sub_jobs".into(), subs.into());
        }
        let mut body = self.json_of(
            world,
            &job.id,
            job.work.job_type(),
            status(now, Some(job.begin), job.end, job.failed.is_some()),
            [Some(job.begin), job.end],
            job.failed.as_ref(),
        );
        body["entities"] = entities.into();
        body
    }

    fn json_of(
        &self,
        world: &World,
        id: &str,
        job_type: &str,
        status: &str,
        [begin, end]: [Option<DateTime<Utc>>; 2],
        failed: Option<&Failed>,
    ) -> Value {
        let mut body = json!({
            "status": status,
            "job_id": id,
            "job_type": job_type,
            "begin_time": begin.map(zulu),
            "end_time": end.map(zulu),
            "error_code": failed.map(|failed| failed.code),
            "fail_reason": failed.map(|failed| &failed.reason),
        });
        if end.is_none()
            && world.switches.get("sdrs.job_end_time") == "absent"
            && let Some(body) = body.as_object_mut()
        {
            body.remove("end_time");
        }
        body
    }

    /// A new job id: fixed parts, the time in milliseconds and a counter, as the service's own ids read.
    pub fn job_id(&mut self, now: DateTime<Utc>) -> String {
        self.job_count = self.job_count.wrapping_add(1);
        let millis = now.timestamp_millis().unsigned_abs();
        format!(
            "ff808082{:08x}{:012x}{:04x}",
            self.job_key,
            millis & 0xFFFF_FFFF_FFFF,
            self.job_count
        )
    }
}
