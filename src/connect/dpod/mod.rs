//! IBM DataPower Operations Dashboard (DPOD, by MonTier): gateways, their backup, sync and firmware plans.
//!
//! DPOD's REST interface lists plans and puts one into the execution queue; that is all (REST pages of 1.0.5 to
//! 1.0.23). What runs and how it ended is told to the scripts that a plan may call before and after itself
//! and each of its tasks. `keepwatch record` writes those calls into an [inbox], from which the tasks shown
//! here are put together. Gateways are those that the scripts name.

mod act;
mod board;
mod event;
#[cfg(test)]
mod event_tests;
mod feed;
mod gate;
pub mod inbox;
mod plans;
mod poll;
mod reader;
mod run;
mod status;
mod task;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use self::board::Patience;
use self::feed::Feed;
use self::gate::Gate;
use self::inbox::Inbox;
use self::plans::Plan;
use self::poll::patience_for;
use super::http::PageMemory;
use super::{
    Capabilities, Connector, Covers, Driver, FeedSpec, PageSink, Place, PollContext, PollReport,
    Progress, Session, Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, Fault, FaultKind, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind.
pub const KIND: Kind = Kind("dpod");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "IBM DataPower Operations Dashboard",
    open,
};

const PLACE: Place = Place {
    types: &[],
    version: "",
    with_project: false,
    rate_per_minute: 60,
};

const PLANS: &str = "plans";
const EVENTS: &str = "events";

static FEEDS: [FeedSpec; 2] = [
    FeedSpec {
        id: EVENTS,
        idle_ms: 3_000,
        busy_ms: 1_000,
        covers: Covers {
            devices: true,
            live: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: PLANS,
        idle_ms: 30_000,
        busy_ms: 30_000,
        covers: Covers {
            policies: true,
            ..Covers::NOTHING
        },
    },
];

static CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Partly(
        "DPOD has no call that lists gateways: shown are those that its scripts have named",
    ),
    policies: Support::Partly(
        "name, description and date of the definition; schedule, window and state are in the web console only",
    ),
    running: Support::Partly(
        "DPOD has no call that lists tasks: shown is what its scripts have reported",
    ),
    failed: Support::Partly(
        "DPOD has no call that lists tasks: shown is what its scripts have reported",
    ),
    history: Support::Partly("what the scripts have reported since they were set"),
    progress: Support::No("DPOD tells the steps of a task in its web console only"),
    reasons: Support::Yes,
    trigger: Support::Partly(
        "the whole plan, put into DPOD's queue: a plan that is disabled or outside its window never runs",
    ),
    cancel: Support::No(
        "DPOD can't stop a running task; before it starts, a script of the plan that ends with an error prevents it",
    ),
    retry: Support::Partly(
        "DPOD can't repeat one task: its whole plan runs again, tasks that had succeeded too",
    ),
    clear: Support::No("DPOD keeps no list of failed tasks to clear"),
    enable: Support::No(
        "DPOD's REST interface can't enable or disable a plan: use the web console",
    ),
    restore: Support::No("DPOD's REST interface restores nothing: use the gateway's own tools"),
    delete: Support::No(
        "backups are files below the plan's destination; DPOD's REST interface deletes none",
    ),
};

/// Whether a script's arguments can be read as an event.
///
/// # Errors
/// What is wrong with them.
pub fn understand(args: &[String]) -> Result<(), String> {
    event::read(inbox::Record::script(Timestamp::now(), args.to_vec())).map(|_| ())
}

/// One DPOD installation.
#[derive(Debug)]
pub(crate) struct Dpod {
    session: Session,
    gate: Gate,
    memory: Mutex<PageMemory<Vec<Plan>>>,
    plans: Mutex<Vec<Plan>>,
    inbox: Inbox,
    feed: Arc<Mutex<Feed>>,
    /// Who reads the inbox now.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The longest that the inbox's folder may take to answer.
    timeout: Duration,
    /// True for a DPOD that takes its lists without the slash at their end only.
    bare: AtomicBool,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    let place = format!("service {}", settings.name);
    let root = inbox::root(settings.options.get("inbox").map(String::as_str)).map_err(|why| {
        Fault::new(
            FaultKind::Config,
            why,
            place.clone(),
            "Name a folder for the events of DPOD's scripts in the option inbox of this service.",
        )
    })?;
    let inbox = Inbox::of(&root, &settings.name);
    let default = Patience::default();
    let patience = Patience {
        follow_ms: minutes(settings, "follow_minutes", &place)?.unwrap_or(default.follow_ms),
        silence_ms: minutes(settings, "silence_minutes", &place)?.unwrap_or(default.silence_ms),
    };
    Ok(Arc::new(Dpod {
        session: Session::open(settings, PLACE)?,
        gate: Gate::default(),
        memory: Mutex::default(),
        plans: Mutex::default(),
        feed: Arc::new(Mutex::new(Feed::new(inbox.clone(), patience))),
        inbox,
        turn: Arc::default(),
        timeout: patience_for(settings.timeout_ms),
        bare: AtomicBool::new(false),
    }))
}

/// An option in minutes, as milliseconds.
fn minutes(settings: &Settings, name: &str, place: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = settings.options.get(name).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    text.trim()
        .parse::<i64>()
        .ok()
        .filter(|n| (1..=100_000).contains(n))
        .map(|n| Some(n * 60_000))
        .ok_or_else(|| {
            Fault::new(
                FaultKind::Config,
                format!("the option {name} is \"{text}\", which is no number of minutes"),
                place,
                "Write a whole number of 1 or more.",
            )
        })
}

#[async_trait]
impl Connector for Dpod {
    fn kind(&self) -> Kind {
        KIND
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn feeds(&self) -> &[FeedSpec] {
        &FEEDS
    }

    fn actions(&self) -> &[ActionSpec] {
        &act::ACTIONS
    }

    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        act::available(action, target)
    }

    async fn poll(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        match feed {
            EVENTS => self.poll_events(context, sink).await,
            PLANS => self.poll_plans(sink).await,
            other => Err(Fault::new(
                FaultKind::NotOffered,
                format!("DPOD has no feed '{other}'"),
                "",
                "This is a mistake in keepwatch: please report it.",
            )),
        }
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.plan(intent).await
    }

    async fn send(&self, prepared: &Prepared, _progress: Progress<'_>) -> SendOutcome {
        self.carry_out(prepared).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared, sent_at).await
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }

    fn is_local(&self, feed: &'static str) -> bool {
        feed == EVENTS
    }

    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        vec![(
            "events of DPOD's scripts".to_owned(),
            self.check_inbox().await,
        )]
    }
}
