//! Starting, stopping and aborting Freezer jobs: all three are wishes written into the job's record.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Freezer;
use super::job::Job;
use crate::connect::http::Call;
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Found, Intent, Phase, Prepared, SendOutcome,
    Target, TargetKind, Timestamp, Verb,
};

pub(super) static ACTIONS: [ActionSpec; 5] = [
    spec(
        "start",
        Verb::Trigger,
        "Run this job now",
        TargetKind::Policy,
        false,
    ),
    spec(
        "start-again",
        Verb::Retry,
        "Run this job again",
        TargetKind::Task,
        false,
    ),
    spec(
        "abort",
        Verb::Cancel,
        "Ask to abort this run",
        TargetKind::Task,
        true,
    ),
    spec(
        "enable",
        Verb::Enable,
        "Start this job's schedule",
        TargetKind::Policy,
        true,
    ),
    spec(
        "disable",
        Verb::Disable,
        "Stop this job's schedule",
        TargetKind::Policy,
        true,
    ),
];

const fn spec(
    id: &'static str,
    verb: Verb,
    label: &'static str,
    target: TargetKind,
    safe_to_repeat: bool,
) -> ActionSpec {
    ActionSpec {
        id,
        verb,
        label,
        target,
        danger: Danger::Confirm,
        safe_to_repeat,
        inputs: &[],
    }
}

/// A new run begins at least this long after the last one's end, in milliseconds.
const FOLLOW_AFTER_MS: i64 = 2_001;

/// What sending and looking afterwards need to know.
#[derive(Serialize, Deserialize)]
struct Plan {
    call: Call,
    job_id: String,
    /// Start of the last run before the action, in milliseconds.
    last_start: Option<i64>,
    /// The latest time in the record before the action, in milliseconds.
    last_time: Option<i64>,
}

/// Whether `action` makes sense for a job in this state; the reason when not.
fn fits(action: &str, job: &Job<'_>) -> Result<(), String> {
    let s = job.schedule();
    let running = matches!(s.status.as_str(), "running" | "aborting");
    match action {
        "start" | "start-again" => {
            if s.event.as_str() == "start" {
                Err("a start is already asked for and waits for the client's scheduler".into())
            } else if running {
                Err("the job is running".into())
            } else if !s.is_scheduled_job()
                && s.status.as_str() == "scheduled"
                && s.result.is_empty()
            {
                Err("it is about to run: a start was taken and has not begun".into())
            } else if s.is_scheduled_job() && s.status.as_str() == "scheduled" {
                Err("its schedule is on, and Freezer doesn't run such a job early: it runs by itself".into())
            } else if s.is_scheduled_job() && action == "start" {
                Err(
                    "it has a schedule: starting it turns the schedule on and runs nothing now"
                        .into(),
                )
            } else {
                Ok(())
            }
        }
        "abort" if !running => Err("the run has ended".into()),
        "abort" if s.event.as_str() == "abort" => {
            Err("an abort is already asked for; Freezer has not carried it out".into())
        }
        "enable" | "disable" if !s.is_scheduled_job() => {
            Err("this job has no schedule: it runs only when it is started".into())
        }
        "enable" if s.status.as_str() == "scheduled" => Err("its schedule is on already".into()),
        "disable" if matches!(s.status.as_str(), "stop" | "completed" | "removed") => {
            Err("its schedule is off already".into())
        }
        "disable" if s.event.as_str() == "stop" => Err("a stop is already asked for".into()),
        _ => Ok(()),
    }
}

pub(super) fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    if action.verb == Verb::Cancel && !target.phase.is_live() {
        return Err("the run has ended".into());
    }
    if action.verb == Verb::Retry {
        match target.phase {
            Phase::Failed | Phase::Cancelled | Phase::Uncertain | Phase::Unknown => {}
            Phase::Succeeded | Phase::Skipped => {
                return Err("only a run that failed or was aborted is repeated".into());
            }
            Phase::Queued | Phase::Waiting | Phase::Running => {
                return Err("the run has not ended".into());
            }
        }
    }
    // Without the record, `prepare` asks the service and finds out.
    serde_json::from_str::<Job<'_>>(&target.raw)
        .ok()
        .map_or(Ok(()), |job| fits(action.id, &job))
}

fn refused(what: impl Into<String>, place: &str, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, place, advice)
}

impl Freezer {
    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        let target = &intent.target;
        let job_id = match target.kind {
            TargetKind::Task => target.id.rsplit_once('@').map_or("", |(job, _)| job),
            _ => target.id.as_str(),
        };
        let reply = self.job_reply(job_id).await?.ok_or_else(|| {
            refused(
                format!("the job {} is gone", target.name),
                "",
                "Refresh: somebody has deleted it.",
            )
        })?;
        let job: Job<'_> = reply.json()?;
        fits(intent.action, &job).map_err(|why| {
            refused(
                why,
                &reply.place,
                "Look at the job again: its state has changed.",
            )
        })?;
        if let Some(own) = self.session.project_id().await
            && !job.project_id.is_empty()
            && job.project_id.as_str() != own
        {
            return Err(refused(
                "the job belongs to another project, and Freezer takes events for its own only",
                &reply.place,
                "Configure a service for that project.",
            ));
        }
        if target.kind == TargetKind::Task
            && intent.action == "abort"
            && job.run_id().as_deref() != Some(target.id.as_str())
        {
            return Err(refused(
                "this run is over: the job is already in a newer one",
                &reply.place,
                "Choose the running run.",
            ));
        }
        let event = match intent.action {
            "abort" => "abort",
            "disable" => "stop",
            _ => "start",
        };
        let call = Call::post(&["jobs", job_id, "event"], json!({ event: null }));
        let name = job.name();
        let client = job.client_id.as_str();
        let effect = match intent.action {
            "abort" => format!(
                "Writes the wish to abort into job \"{name}\". The answer 202 says only that: the run ends when, and if, the scheduler on client {client} kills the process at its next poll."
            ),
            "disable" => format!(
                "Asks the scheduler on client {client} to run \"{name}\" no more. A run that is going on goes on to its end."
            ),
            "enable" => format!(
                "Asks the scheduler on client {client} to run \"{name}\" by its schedule again. Nothing runs at once."
            ),
            _ => format!(
                "Asks the scheduler on client {client} to run \"{name}\" once. It begins when the scheduler polls next; the record of the last run's result is wiped at once."
            ),
        };
        let mut warnings = Vec::new();
        if intent.action == "abort" {
            warnings.push("Freezer 19.0.0 is known to accept an abort and not carry it out. Watch whether the run really ends; what it left on the client is not cleaned up.".to_owned());
        }
        if intent.action == "start-again" {
            warnings.push("Freezer gives no reason for the failure: read the scheduler's log on the client before repeating.".to_owned());
            if job.schedule().is_scheduled_job() {
                warnings
                    .push("The job has a schedule that is off: this turns it on again.".to_owned());
            }
        }
        let plan = Plan {
            job_id: job_id.to_owned(),
            last_start: job.schedule().time_started.0.map(Timestamp::millis),
            last_time: job
                .schedule()
                .time_started
                .0
                .max(job.schedule().time_ended.0)
                .map(Timestamp::millis),
            call,
        };
        Ok(Prepared {
            intent: intent.clone(),
            requests: vec![self.session.preview(&plan.call, "").await?],
            effect,
            warnings,
            danger: Danger::Confirm,
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(&plan).unwrap_or_default(),
        })
    }

    pub(super) async fn carry_out(&self, prepared: &Prepared) -> SendOutcome {
        let plan = match prepared.own_plan::<Plan>() {
            Ok(plan) => plan,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        let target = &prepared.intent.target;
        let follow = match prepared.intent.action {
            "abort" => Follow {
                task_ids: vec![target.id.clone()],
                expects_task: true,
                ..Follow::default()
            },
            "start" | "start-again" => Follow {
                policy_id: plan.job_id.clone(),
                // The client's clock dates its runs: "after the last one" holds however wrong it is. A
                // start takes the scheduler two seconds at least.
                since: plan.last_time.map(|ms| Timestamp(ms).plus(FOLLOW_AFTER_MS)),
                expects_task: true,
                ..Follow::default()
            },
            _ => Follow {
                policy_id: plan.job_id.clone(),
                ..Follow::default()
            },
        };
        self.session.act(&plan.call, follow).await
    }

    /// Looks at the job for signs that a lost request was carried out.
    pub(super) async fn seek(&self, prepared: &Prepared) -> Result<Found, Fault> {
        let plan: Plan = prepared.own_plan()?;
        let Some(reply) = self.job_reply(&plan.job_id).await? else {
            return Ok(Found::CannotTell {
                why: "the job is gone".into(),
            });
        };
        let job: Job<'_> = reply.json()?;
        let s = job.schedule();
        let event = s.event.as_str();
        let done = |seen: String, task_ids: Vec<String>| Ok(Found::Done { task_ids, seen });
        let nothing = || {
            Ok(Found::Nothing {
                looked_at: format!(
                    "the job's record: status {:?}, result {:?}, event {event:?}",
                    s.status.as_str(),
                    s.result.as_str()
                ),
            })
        };
        match prepared.intent.action {
            "abort" if event == "abort" => done(
                "the wish to abort stands in the job's record".into(),
                vec![],
            ),
            "abort" if s.result.as_str() == "aborted" => done(
                "the run was aborted".into(),
                job.run_id().into_iter().collect(),
            ),
            "disable" if event == "stop" || s.status.as_str() == "stop" => {
                done("the job's record says stop".into(), vec![])
            }
            "enable" if event == "start" || s.status.as_str() == "scheduled" => {
                done("the job's schedule is on or about to be".into(), vec![])
            }
            "start" | "start-again" if event == "start" => done(
                "the wish to start stands in the job's record".into(),
                vec![],
            ),
            "start" | "start-again"
                if s.time_started.0.map(Timestamp::millis) > plan.last_start =>
            {
                done(
                    "a newer run of the job".into(),
                    job.run_id().into_iter().collect(),
                )
            }
            _ => nothing(),
        }
    }
}
