//! Executing a plan: the one thing that DPOD can be asked to do.

use serde::{Deserialize, Serialize};

use super::Dpod;
use super::board::{Board, PlanKey, SLACK_MS};
use super::event::{Event, What};
use super::feed::lock;
use super::inbox::{Record, Sent};
use super::plans::{Plan, SORTS, Sort, Verdict, reference, verdict};
use super::run::Run;
use super::status;
use crate::connect::http::{Call, Priority};
use crate::model::{
    ActionSpec, Danger, Fault, FaultKind, Follow, Found, Intent, Phase, Prepared, SendOutcome,
    Target, TargetKind, Timestamp, Verb,
};

pub(super) static ACTIONS: [ActionSpec; 2] = [
    ActionSpec {
        id: "execute",
        verb: Verb::Trigger,
        label: "Execute this plan now",
        target: TargetKind::Policy,
        danger: Danger::Confirm,
        safe_to_repeat: false,
        inputs: &[],
    },
    ActionSpec {
        id: "execute-again",
        verb: Verb::Retry,
        label: "Execute the whole plan again",
        target: TargetKind::Task,
        danger: Danger::TypeName,
        safe_to_repeat: false,
        inputs: &[],
    },
];

/// What sending and looking afterwards need to know.
#[derive(Serialize, Deserialize)]
struct Script {
    call: Call,
    family: String,
    policy_id: String,
    reference: String,
    name: String,
}

impl Script {
    fn key(&self) -> PlanKey {
        (super::event::Family(self.family.clone()), self.name.clone())
    }
}

pub(super) fn available(action: &ActionSpec, target: &Target) -> Result<(), String> {
    if action.verb == Verb::Trigger {
        return Ok(());
    }
    match target.phase {
        Phase::Queued | Phase::Waiting | Phase::Running => Err("it has not ended".into()),
        Phase::Succeeded => Err("only what did not succeed is repeated".into()),
        _ if target.policy.id.is_empty() && target.policy.name.is_empty() => {
            Err("no script has told which plan it belongs to".into())
        }
        _ => Ok(()),
    }
}

fn refused(what: impl Into<String>, advice: &str) -> Fault {
    Fault::new(FaultKind::Refused, what, "", advice)
}

impl Dpod {
    pub(super) async fn plan(&self, intent: &Intent) -> Result<Prepared, Fault> {
        // The inbox tells what a repeat repeats; without it the action is still possible.
        let unread = self.catch_up(None).await.err();
        let plan = self.plan_of(&intent.target).await?;
        if plan.reference.is_empty() {
            return Err(refused(
                format!("DPOD lists the plan {} without an API reference", plan.name),
                "Give it one in DPOD's web console.",
            ));
        }
        let call = plan.sort.run(self.below().await?, &plan.reference);
        let key = plan.key();
        let again = intent.action == "execute-again";
        let (mut effect, mut warnings) = {
            let feed = lock(&self.feed);
            (
                effect(&plan, &feed.board, again),
                warnings(&plan, &feed.board, &intent.target, again),
            )
        };
        effect.push_str(
            " DPOD answers only that it is in the queue: a plan that is disabled or outside its window never runs.",
        );
        if !lock(&self.feed).exists || unread.is_some() {
            warnings.push(
                "No script of this DPOD has reported so far: what becomes of it will be seen in DPOD's web console only."
                    .to_owned(),
            );
        }
        let danger = if again || plan.sort.family != "backup" {
            Danger::TypeName
        } else {
            Danger::Confirm
        };
        // it is the plan that runs, whatever task or gateway led to it
        let acts_on = (intent.target.name != plan.name).then(|| plan.name.clone());
        let script = Script {
            family: key.0.0,
            policy_id: plan.id,
            reference: plan.reference,
            name: plan.name,
            call,
        };
        Ok(Prepared {
            intent: intent.clone(),
            requests: vec![self.session.preview(&script.call, "").await?],
            effect,
            warnings,
            danger,
            acts_on,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::to_value(&script).unwrap_or_default(),
        })
    }

    /// The plan behind a target: by id, by its own record, by name.
    async fn plan_of(&self, target: &Target) -> Result<Plan, Fault> {
        let id = match target.kind {
            TargetKind::Policy => target.id.as_str(),
            _ => target.policy.id.as_str(),
        };
        if let Some(plan) = lock(&self.plans)
            .iter()
            .find(|p| p.id == id && !id.is_empty())
        {
            return Ok(plan.clone());
        }
        // nothing was listed so far (a command without a console): the record or the id hold the reference
        let sort = id
            .split_once('/')
            .and_then(|(family, rest)| Some((Sort::of(family)?, rest)));
        if let Some((sort, rest)) = sort {
            let uri = serde_json::from_str::<serde_json::Value>(&target.raw)
                .ok()
                .filter(|_| target.kind == TargetKind::Policy)
                .and_then(|raw| raw.get("URI")?.as_str().map(|uri| reference(uri, sort)));
            let reference = uri.unwrap_or_else(|| rest.to_owned());
            let name = match target.kind {
                TargetKind::Policy => target.name.clone(),
                _ => target.policy.name.clone(),
            };
            return Ok(Plan {
                id: id.to_owned(),
                sort,
                reference,
                name,
                twins: 0,
            });
        }
        self.plan_by_name(target).await
    }

    /// A task knows its plan by name; the list tells which plan that is.
    async fn plan_by_name(&self, target: &Target) -> Result<Plan, Fault> {
        let name = &target.policy.name;
        let family = target
            .id
            .split(':')
            .nth(1)
            .and_then(Sort::of)
            .unwrap_or(SORTS[0]);
        let listed = lock(&self.plans).clone();
        let plans = if listed.is_empty() {
            self.plans_of(family).await?
        } else {
            listed
        };
        let mut fits = plans.iter().filter(|p| p.sort == family && p.name == *name);
        match (fits.next(), fits.next()) {
            (Some(plan), None) => Ok(plan.clone()),
            (None, _) => Err(refused(
                format!("DPOD lists no {} named {name} any more", family.what),
                "Look at the plans: it may have been renamed since.",
            )),
            (Some(_), Some(_)) => Err(refused(
                format!(
                    "DPOD lists several {}s named {name}, and the task tells the name only",
                    family.what
                ),
                "Choose the right one among the policies and execute that.",
            )),
        }
    }

    pub(super) async fn carry_out(&self, prepared: &Prepared) -> SendOutcome {
        let script = match prepared.own_plan::<Script>() {
            Ok(script) => script,
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        if let Err(fault) = self.gate.pass() {
            return SendOutcome::NotSent { fault };
        }
        let sort = Sort::of(&script.family).unwrap_or(SORTS[0]);
        let reply = match self
            .session
            .exchange(&script.call, Priority::Operator)
            .await
        {
            Ok(reply) => reply,
            Err(fault) if fault.maybe_done => {
                let follow = self.follow(&script, None);
                return SendOutcome::Unknown { fault, follow };
            }
            Err(fault) => return SendOutcome::NotSent { fault },
        };
        self.gate.note(&reply);
        if reply.status == 401 && !self.gate.was_accepted() {
            // remembered: the next question must not be another wrong password
            let _ = self.gate.refuse(&reply);
        }
        match verdict(&reply, sort) {
            Verdict::Queued(message) => {
                let at = self.session.service_now();
                let id = self.note_sent(&script, at, &message).await;
                SendOutcome::Accepted {
                    answer: reply.answer(),
                    follow: self.follow(&script, Some((at, id))),
                }
            }
            Verdict::Refused(code) => SendOutcome::Refused {
                code,
                answer: reply.answer(),
            },
            Verdict::Unclear(what) => {
                let mut fault = reply.fault();
                if reply.is_success() {
                    fault = Fault::new(
                        FaultKind::Garbled,
                        what,
                        reply.place.clone(),
                        "Look in DPOD's web console whether the plan is in the queue before you send it again.",
                    );
                }
                fault.maybe_done = true;
                SendOutcome::Unknown {
                    fault,
                    follow: self.follow(&script, None),
                }
            }
        }
    }

    fn follow(&self, script: &Script, sent: Option<(Timestamp, String)>) -> Follow {
        let now = self.session.service_now();
        Follow {
            policy_id: script.policy_id.clone(),
            since: Some(sent.as_ref().map_or(now, |(at, _)| *at)),
            task_ids: sent.into_iter().map(|(_, id)| id).collect(),
            expects_task: true,
            ..Follow::default()
        }
    }

    /// Writes down what was sent, beside the events that will follow it, so that every console ties the two
    /// together, this one after a restart too. Returns the id of the row that it is.
    async fn note_sent(&self, script: &Script, at: Timestamp, answer: &str) -> String {
        let sent = Sent {
            family: script.family.clone(),
            reference: script.reference.clone(),
            plan: script.name.clone(),
            answer: answer.to_owned(),
        };
        let record = Record::sent(at, sent.clone());
        let inbox = self.inbox.clone();
        let write = tokio::task::spawn_blocking(move || inbox.append(&record));
        // An inbox that can't be written to costs only the memory of it: this console knows it anyway.
        let _ = tokio::time::timeout(self.timeout, write).await;
        lock(&self.feed).board.fold(Event {
            at,
            what: What::Sent(sent),
            args: Vec::new(),
        });
        Run::id_of(&script.key(), at)
    }

    /// Looks for signs of an execute whose answer was lost.
    pub(super) async fn seek(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let script: Script = prepared.own_plan()?;
        self.catch_up(None).await?;
        let from = self.session.by_service(sent_at).plus(-SLACK_MS);
        let feed = lock(&self.feed);
        let seen = feed
            .board
            .runs_of(&script.key())
            .filter(|run| run.begun.is_some_and(|begun| begun >= from))
            .min_by_key(|run| run.begun);
        if let Some(run) = seen {
            return Ok(Found::Done {
                task_ids: vec![run.id.clone()],
                seen: format!(
                    "a run of {} began at {}; DPOD gives no id, so another's is possible",
                    script.name,
                    run.begun.unwrap_or_default().rfc3339()
                ),
            });
        }
        let task = feed.board.tasks.values().find(|task| {
            (&task.family, &task.plan) == (&script.key().0, &script.name)
                && task.begun.is_some_and(|begun| begun >= from)
        });
        if let Some(task) = task {
            return Ok(Found::Done {
                task_ids: vec![task.id.clone()],
                seen: format!("a task of {} began afterwards", script.name),
            });
        }
        Ok(if feed.exists {
            Found::Nothing {
                looked_at:
                    "what DPOD's scripts have reported; what only waits in its queue is not told"
                        .into(),
            }
        } else {
            Found::CannotTell {
                why: "DPOD has no call that tells, and none of its scripts reports to keepwatch"
                    .into(),
            }
        })
    }
}

/// What executing the plan does, in words.
fn effect(plan: &Plan, board: &Board, again: bool) -> String {
    let name = &plan.name;
    let mut text = if again {
        format!(
            "Runs the whole {} \"{name}\" again, not this task alone",
            plan.sort.what
        )
    } else {
        format!(
            "Puts the whole {} \"{name}\" into DPOD's queue",
            plan.sort.what
        )
    };
    let last = board
        .runs_of(&plan.key())
        .filter(|run| !run.tasks.is_empty())
        .max_by_key(|run| run.last);
    match last {
        Some(run) => {
            let tally = run.tally(&board.tasks);
            let mut gateways: Vec<&str> = run
                .tasks
                .iter()
                .filter_map(|id| board.tasks.get(id))
                .map(|task| task.device.as_str())
                .filter(|device| !device.is_empty())
                .collect();
            gateways.sort_unstable();
            gateways.dedup();
            let on = match gateways.as_slice() {
                [] => String::new(),
                [one] => format!(" on {one}"),
                many => format!(" on {} gateways", many.len()),
            };
            text.push_str(&format!(": its last run had {}{on}.", tally.words()));
            if let Some(good) = tally.last_good {
                text.push_str(&format!(
                    " The {} that succeeded, the last of them at {}, {} too.",
                    tally.good,
                    good.rfc3339(),
                    if again { "are repeated" } else { "run again" }
                ));
            }
        }
        None => text.push_str(
            ". How many tasks it has is not known: no script has reported a run of it yet.",
        ),
    }
    text.push_str(match plan.sort.family {
        "backup" => " Gateways and domains whose activities ask for a quiesce go out of service again while they are backed up.",
        "sync" => " It imports configuration into its target gateways.",
        _ => " It upgrades the firmware of its gateways.",
    });
    text
}

/// What to look at first.
fn warnings(plan: &Plan, board: &Board, target: &Target, again: bool) -> Vec<String> {
    let mut out = Vec::new();
    let code = target.failure.as_ref().map_or("", |f| f.code.as_str());
    if again && status::device_at_risk(code) {
        let name = match target.device.label() {
            "" => "the gateway",
            name => name,
        };
        out.push(format!(
            "{code}: check first that {name} is back in service and that nothing runs on it any more."
        ));
    }
    if again && code.contains("MAINTENANCE_WINDOW") {
        out.push("Outside the maintenance window a repeat ends the same way.".to_owned());
    }
    for run in board.runs_of(&plan.key()) {
        let phase = run.phase(&board.tasks);
        let at = run.started().map(Timestamp::rfc3339).unwrap_or_default();
        if phase == Phase::Queued {
            out.push(format!(
                "It was put into the queue at {at} and has not begun: this adds a second run."
            ));
        } else if phase == Phase::Running {
            out.push(format!("A run of it has been going on since {at}."));
        } else if run.is_waiting() {
            out.push(format!(
                "It was put into the queue at {at} and nothing followed: DPOD may still start that one within a day."
            ));
        }
    }
    if plan.twins > 0 {
        out.push(
            "Another plan has the same API reference: which of them will run, nobody says."
                .to_owned(),
        );
    }
    out
}
