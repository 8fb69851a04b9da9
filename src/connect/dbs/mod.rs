//! Alibaba Cloud Database Backup (DBS), interface version 2019-03-06.
//!
//! Policies are backup plans, devices are the databases that plans protect (there is no list of them) and the
//! backup gateways. There is no global list of tasks: each plan is asked for its full and incremental
//! backups, restores and downloads; a list in which nothing goes on is spared for a while. Nothing cancels
//! one task: StopBackupPlan pauses a whole plan.

mod actions;
mod client;
mod poll;
mod reasons;
pub mod sign;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::client::Client;
use self::wire::Sort;
use super::http::PageMemory;
use super::{
    Capabilities, Connector, Covers, Driver, FeedSpec, PageSink, PollContext, PollReport, Progress,
    Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, CodeRef, Fault, Found, Intent, Kind, Prepared, Ref, SendOutcome, Target, Timestamp,
};

/// The kind's short name.
pub const KIND: Kind = Kind("dbs");

/// The registry line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "Alibaba Cloud Database Backup",
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Partly(
        "DBS lists no databases: shown are those that a plan protects, and backup gateways",
    ),
    policies: Support::Yes,
    running: Support::Partly("DBS has no global list of tasks: every plan is asked for its own"),
    failed: Support::Yes,
    history: Support::Yes,
    progress: Support::Partly(
        "full backups and restores carry percentages, incremental backups none",
    ),
    reasons: Support::Partly(
        "full backups and restores have a code, prechecks their items; incremental backups and downloads have none",
    ),
    trigger: Support::Yes,
    cancel: Support::Partly(
        "DBS cancels no single task: stopping pauses the whole plan, restores included",
    ),
    retry: Support::Partly("DBS retries no single task: the plan is started again"),
    clear: Support::No("DBS has no call that takes a failed task off a list"),
    enable: Support::Yes,
    restore: Support::Partly(
        "a restore that passed its precheck can be started; making one needs the vendor's console",
    ),
    delete: Support::Partly("a pay-as-you-go plan can be released for good"),
};

const FEEDS: &[FeedSpec] = &[
    FeedSpec {
        id: PLANS,
        idle_ms: 60_000,
        busy_ms: 30_000,
        covers: Covers {
            devices: true,
            policies: true,
            live: false,
            failed: false,
        },
    },
    FeedSpec {
        id: TASKS,
        idle_ms: 60_000,
        busy_ms: 15_000,
        covers: Covers {
            devices: false,
            policies: false,
            live: true,
            failed: true,
        },
    },
];

const PLANS: &str = "plans";
const TASKS: &str = "tasks";

/// A list in which nothing goes on is asked again after so long, in milliseconds: four lists a plan would
/// otherwise take the place of those that change. Backups begin by themselves; a person begins the rest, and what is
/// begun here is followed. A little less than the time that is meant: rounds begin on steps.
const QUIET_BACKUPS_MS: u64 = 29_000;
const QUIET_MS: u64 = 59_000;
/// So long after an action its plan's lists are asked in every round, in milliseconds.
const ACTED_MS: u64 = 120_000;

/// One account.
#[derive(Debug)]
struct Dbs {
    client: Client,
    pages: Mutex<PageMemory<poll::Turn>>,
    known: Mutex<Known>,
}

/// What is remembered between polls.
#[derive(Debug, Default)]
struct Known {
    /// Plans with the databases that they protect.
    plans: Vec<(Ref, Ref)>,
    /// How many rows of the list of plans could not be read.
    unread_plans: usize,
    /// Why failed tasks failed, by task id: asked once for each.
    reasons: HashMap<String, CodeRef>,
    /// What did not pass in prechecks, by task id and the text that came with it.
    checks: HashMap<String, Vec<String>>,
    /// Lists of tasks in which nothing goes on, by plan and sort.
    quiet: HashMap<(String, Sort), Quiet>,
    /// Plans for which something was sent, and when by the clock of [`super::grid`].
    acted: HashMap<String, u64>,
}

/// A list of tasks that holds no live one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Quiet {
    /// When it was asked for, by the clock of [`super::grid`].
    asked: u64,
    /// Number of its first page, and how many pages it has.
    first: u32,
    pages: u32,
}

impl Known {
    /// What is known of a list that need not be asked yet, at `now` by the clock of [`super::grid`].
    fn spared(&self, plan: &str, sort: Sort, first: u32, now: u64) -> Option<Quiet> {
        let within = |at: u64, ms: u64| now.saturating_sub(at) < ms;
        if self.acted.get(plan).is_some_and(|at| within(*at, ACTED_MS)) {
            return None;
        }
        let quiet = self.quiet.get(&(plan.to_owned(), sort))?;
        let patience = match sort {
            Sort::Full | Sort::Increment => QUIET_BACKUPS_MS,
            Sort::Restore | Sort::Download => QUIET_MS,
        };
        (quiet.first == first && within(quiet.asked, patience)).then_some(*quiet)
    }
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Dbs {
        client: Client::open(settings)?,
        pages: Mutex::default(),
        known: Mutex::default(),
    }))
}

impl Dbs {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, PageMemory<poll::Turn>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connector for Dbs {
    fn kind(&self) -> Kind {
        KIND
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn feeds(&self) -> &[FeedSpec] {
        FEEDS
    }

    fn actions(&self) -> &[ActionSpec] {
        actions::ACTIONS
    }

    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        actions::available(action, target)
    }

    async fn poll(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = match feed {
            PLANS => self.poll_plans(sink).await,
            _ => self.poll_tasks(context, sink).await,
        }?;
        report.clock = self.client.clock();
        Ok(report)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.prepare_action(intent).await
    }

    async fn send(&self, prepared: &Prepared, _progress: Progress<'_>) -> SendOutcome {
        self.send_action(prepared).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.find_action(prepared, sent_at).await
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(self.client.way())
    }

    fn reuse_token(&self, prepared: &mut Prepared, token: &str) -> bool {
        self.reuse(prepared, token)
    }
}
