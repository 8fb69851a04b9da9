//! OpenStack Freezer: clients are devices, jobs are policies, runs of jobs are tasks.
//!
//! Facts are those of freezer-api and freezer-scheduler 19.0.0. A job's record holds its *last* run only
//! (`job_schedule`: status, result, event, times in seconds), so a task's id is `job_id@time_started`. What
//! an operator asks for is written into `event` and carried out when the scheduler on the client polls next.

mod act;
mod job;
mod poll;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::http::PageMemory;
use super::{
    Capabilities, Connector, Covers, Driver, FeedSpec, PageSink, Place, PollContext, PollReport,
    Progress, Session, Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, Fault, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind.
pub const KIND: Kind = Kind("freezer");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "OpenStack Freezer",
    open,
};

const PLACE: Place = Place {
    types: &["backup", "freezer"],
    version: "v2",
    with_project: true,
    rate_per_minute: 300,
};

/// Rows a page; the service's own default is 10.
const PAGE_SIZE: usize = 500;

static FEEDS: [FeedSpec; 2] = [
    FeedSpec {
        id: "jobs",
        idle_ms: 10_000,
        busy_ms: 2_000,
        // A run that is no longer told of was replaced by the job's next one: its failure did happen.
        covers: Covers {
            policies: true,
            live: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: "clients",
        idle_ms: 60_000,
        busy_ms: 60_000,
        covers: Covers {
            devices: true,
            ..Covers::NOTHING
        },
    },
];

static CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Yes,
    policies: Support::Yes,
    running: Support::Yes,
    failed: Support::Partly("a job's record tells of its last run only"),
    history: Support::Partly("a job's record tells of its last run only"),
    progress: Support::No("Freezer tells no progress"),
    reasons: Support::No(
        "Freezer gives no reason for a failure; look into the scheduler's log on the client",
    ),
    trigger: Support::Partly("jobs without a schedule only: a scheduled job can't be run early"),
    cancel: Support::Partly(
        "abort is a wish that the client's scheduler carries out, or not: 19.0.0 often doesn't",
    ),
    retry: Support::Partly("starts the job again; a scheduled job runs again by its schedule"),
    clear: Support::No("Freezer keeps no list of failed runs: the job's next run replaces it"),
    enable: Support::Yes,
    restore: Support::No("a Freezer restore is a job of its own: make one with freezer job-create"),
    delete: Support::No("Freezer's delete removes the record and leaves the data in the storage"),
};

/// A Freezer service.
#[derive(Debug)]
pub struct Freezer {
    session: Session,
    memory: Mutex<PageMemory<usize>>,
    page_size: usize,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    let page_size = settings
        .options
        .get("page_size")
        .and_then(|n| n.parse().ok())
        .filter(|n| *n > 0)
        .unwrap_or(PAGE_SIZE);
    Ok(Arc::new(Freezer {
        session: Session::open(settings, PLACE)?,
        memory: Mutex::default(),
        page_size,
    }))
}

#[async_trait]
impl Connector for Freezer {
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
        _context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        self.read_list(feed, sink).await
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

    async fn find(&self, prepared: &Prepared, _sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared).await
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }
}
