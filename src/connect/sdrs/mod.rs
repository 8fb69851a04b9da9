//! Huawei/OTC Storage Disaster Recovery Service (SDRS, also sold as BRS).
//!
//! Policies are protection groups, devices are protected instances. The interface lists no running and no
//! successful tasks, cancels nothing and retries nothing (SDRS API reference: the whole set of 49 calls).
//! So running tasks are read from resources in a transitional state and from the jobs that keepwatch itself
//! started, failed tasks need one call and one more for every group, and a retry repeats the failed
//! operation as `failure_status` names it.

mod actions;
mod checks;
mod job;
mod known;
mod look;
mod poll;
mod prepare;
mod retry;
mod send;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::known::Known;
use super::http::PageMemory;
use super::session::{Place, Session};
use super::{
    Capabilities, Connector, Covers, Driver, FeedSpec, PageSink, PollContext, PollReport, Progress,
    Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, Fault, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind's short name.
pub const KIND: Kind = Kind("sdrs");

/// The registry line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "Huawei/OTC Storage Disaster Recovery Service",
    open,
};

const PLACE: Place = Place {
    types: &["sdrs"],
    version: "v1",
    with_project: true,
    rate_per_minute: 120,
};

const CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Yes,
    policies: Support::Yes,
    running: Support::Partly(
        "SDRS lists no running tasks: shown are resources in a transitional state and the jobs started here",
    ),
    failed: Support::Yes,
    history: Support::No("SDRS keeps no list of tasks that ended well"),
    progress: Support::Partly("groups, instances and pairs carry a percentage while they change"),
    reasons: Support::Yes,
    trigger: Support::Yes,
    cancel: Support::No("SDRS has no call that cancels a job"),
    retry: Support::Partly("SDRS has no retry call: the failed operation is sent again"),
    clear: Support::Yes,
    enable: Support::Yes,
    restore: Support::No("SDRS keeps no backups; a failover is its way back"),
    delete: Support::Partly("DR drills can be ended"),
};

/// The lists: everything that is, what failed, and the jobs that keepwatch started.
const FEEDS: &[FeedSpec] = &[
    FeedSpec {
        id: RESOURCES,
        idle_ms: 15_000,
        busy_ms: 5_000,
        covers: Covers {
            devices: true,
            policies: true,
            live: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: FAILED,
        idle_ms: 20_000,
        busy_ms: 10_000,
        covers: Covers {
            failed: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: JOBS,
        idle_ms: 5_000,
        busy_ms: 3_000,
        covers: Covers::NOTHING,
    },
];

const RESOURCES: &str = "resources";
const FAILED: &str = "failed";
const JOBS: &str = "jobs";

/// One SDRS project.
#[derive(Debug)]
struct Sdrs {
    session: Session,
    /// Bodies of pages by their hash, with the number of rows on each.
    pages: Mutex<PageMemory<usize>>,
    known: Mutex<Known>,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Sdrs {
        session: Session::open(settings, PLACE)?,
        pages: Mutex::default(),
        known: Mutex::default(),
    }))
}

impl Sdrs {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, PageMemory<usize>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connector for Sdrs {
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
        _context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = match feed {
            RESOURCES => self.poll_resources(sink).await,
            FAILED => self.poll_failed(sink).await,
            _ => self.poll_jobs(sink).await,
        }?;
        report.clock = self.session.clock();
        Ok(report)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.prepare_action(intent).await
    }

    async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome {
        self.send_action(prepared, progress).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.find_action(prepared, sent_at).await
    }

    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        vec![
            ("read places".to_owned(), self.places().await),
            ("read quotas".to_owned(), self.quotas().await),
        ]
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }
}
