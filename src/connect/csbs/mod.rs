//! Cloud Server Backup Service (CSBS) of Huawei Cloud, Open Telekom Cloud and Orange Flexible Engine.
//!
//! Facts are those of the CSBS API reference (backup, policy, resource, restoration and quota management), with
//! what captured bodies in the vendor's and the Go SDK's tests show. A backup of one server is a
//! `checkpoint_item`; one run (`checkpoint`) holds one or more. Tasks are what happens to an item, read off its
//! status: its backup has the item's id, a restore, deletion or copy the id with `@restore`, `@delete`, `@copy`.
//! CSBS publishes no job list, no cancel and no dismiss.

mod act;
mod checks;
mod draft;
mod item;
mod known;
mod policy;
mod poll;
mod restore;
mod rows;
mod runs;
mod seek;
mod switch;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::http::{Call, PageMemory};
use super::{
    Capabilities, Connector, Covers, Driver, FeedSpec, PageSink, Place, PollContext, PollReport,
    Progress, Session, Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, Fault, FaultKind, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind.
pub const KIND: Kind = Kind("csbs");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "Cloud Server Backup Service (CSBS)",
    open,
};

/// The one provider of CSBS (every page of the API reference).
const PROVIDER: &str = "fc4d5750-22e7-4798-8a46-f48f62c4c1da";

const PLACE: Place = Place {
    types: &["data-protect", "csbs"],
    version: "v1",
    with_project: true,
    rate_per_minute: 300,
};

/// Rows a page: the service's own default and largest.
const PAGE_SIZE: usize = 1000;

static FEEDS: [FeedSpec; 6] = [
    FeedSpec {
        id: "running",
        idle_ms: 15_000,
        busy_ms: 4_000,
        covers: Covers {
            live: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: "failed",
        idle_ms: 30_000,
        busy_ms: 15_000,
        covers: Covers {
            failed: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: "recent",
        idle_ms: 30_000,
        busy_ms: 10_000,
        covers: Covers::NOTHING,
    },
    FeedSpec {
        id: "policies",
        idle_ms: 60_000,
        busy_ms: 30_000,
        covers: Covers {
            policies: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: "policy-runs",
        idle_ms: 120_000,
        busy_ms: 30_000,
        covers: Covers::NOTHING,
    },
    FeedSpec {
        id: "last-good",
        idle_ms: 900_000,
        busy_ms: 900_000,
        covers: Covers::NOTHING,
    },
];

static CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Partly(
        "CSBS lists no servers: these are the ones in its policies and in its backups",
    ),
    policies: Support::Yes,
    running: Support::Partly("read off the backups' own states: CSBS publishes no job list"),
    failed: Support::Partly(
        "failed backups; a failed restore may leave its backup available and show in the vendor's console only",
    ),
    history: Support::Partly("backups that still exist: a deleted one leaves no trace"),
    progress: Support::Yes,
    reasons: Support::Yes,
    trigger: Support::Yes,
    cancel: Support::No("CSBS publishes no call that cancels a task"),
    retry: Support::Partly(
        "backs the server up again; the failed backup stays until it is deleted",
    ),
    clear: Support::Partly(
        "CSBS publishes no call that dismisses a failed job; deleting the failed backup takes it off the list",
    ),
    enable: Support::Yes,
    restore: Support::Yes,
    delete: Support::Yes,
};

/// A CSBS service.
#[derive(Debug)]
pub struct Csbs {
    session: Session,
    memory: Mutex<PageMemory<rows::Next>>,
    known: Mutex<known::Known>,
    page_size: usize,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    let page_size = settings
        .options
        .get("page_size")
        .and_then(|n| n.parse().ok())
        .filter(|n| (1..=PAGE_SIZE).contains(n))
        .unwrap_or(PAGE_SIZE);
    Ok(Arc::new(Csbs {
        session: Session::open(settings, PLACE)?,
        memory: Mutex::default(),
        known: Mutex::default(),
        page_size,
    }))
}

impl Csbs {
    /// Runs `f` on what is known; a poisoned lock is used as it is: nothing in it can be half-done.
    fn known<R>(&self, f: impl FnOnce(&mut known::Known) -> R) -> R {
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut known)
    }

    /// The item with this id, or `None` when the service says that there is none.
    async fn item_reply(&self, item_id: &str) -> Result<Option<super::http::Reply>, Fault> {
        let call = Call::get(&["checkpoint_items", item_id]);
        match self.session.ask(&call).await {
            Ok(reply) => Ok(Some(reply)),
            Err(fault) if is_missing(&fault) => Ok(None),
            Err(fault) => Err(moved(fault)),
        }
    }
}

/// HTTP 404, or the codes for a missing policy and backup whatever status they come with.
fn is_missing(fault: &Fault) -> bool {
    fault.code.as_ref().is_some_and(|c| {
        c.http_status == Some(404) && !c.code.starts_with("APIGW")
            || matches!(c.code.as_str(), "CSBS.3000" | "CSBS.3001")
    })
}

/// A project that was moved to CBR answers every call with one of two codes: asking again changes nothing.
fn moved(mut fault: Fault) -> Fault {
    let is_moved = fault
        .code
        .as_ref()
        .is_some_and(|c| matches!(c.code.as_str(), "BackupService.4003" | "BackupService.4008"));
    if is_moved {
        fault.kind = FaultKind::NotOffered;
        fault.what = "this project is no longer served by CSBS".into();
        fault.advice = "Its backups are in Cloud Backup and Recovery: configure this service with kind = \"cbr\".".into();
        fault.retry_after_ms = None;
    }
    fault
}

#[async_trait]
impl Connector for Csbs {
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
        self.read_feed(feed, context, sink).await.map_err(moved)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    fn looks_up_at_once(&self) -> usize {
        poll::LOOKS
    }

    async fn look_up_many(&self, task_ids: &[String]) -> Result<Vec<(String, TaskLook)>, Fault> {
        self.look_many(task_ids).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.plan(intent).await.map_err(moved)
    }

    async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome {
        self.carry_out(prepared, progress).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared, sent_at).await
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }

    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        let quotas = self.quotas().await.map_err(moved);
        vec![("read quotas".to_owned(), quotas)]
    }
}
