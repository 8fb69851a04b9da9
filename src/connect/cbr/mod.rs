//! Cloud Backup and Recovery (CBR) of Open Telekom Cloud and Huawei Cloud, the successor of CSBS.
//!
//! Facts are those of the CBR API reference (tasks, vaults, policies, restore points, backups) with what
//! captured answers and the vendors' own clients show. A vault holds resources and their backups; policies hang
//! on vaults, never on resources. So resources are devices, and both policies and vaults are policies here: a
//! policy says when, a vault is what a run works on. Operation logs are tasks.
//! CBR publishes no cancel, no retry and no dismiss.

mod act;
mod draft;
mod known;
mod log;
mod policy;
mod poll;
mod protectable;
mod restore;
mod seek;
mod started;
#[cfg(test)]
mod tests;
mod unprotected;
mod vault;

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
pub const KIND: Kind = Kind("cbr");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "Cloud Backup and Recovery (CBR)",
    open,
};

// CBR's own limits are not published; this stays well below what the gateway allows elsewhere.
const PLACE: Place = Place {
    types: &["cbr"],
    version: "v3",
    with_project: true,
    rate_per_minute: 300,
};

/// Rows a page: the service's own default and largest (CBR API reference, querying tasks).
const PAGE_SIZE: usize = 1000;

/// Policies with their vaults, vaults with their resources.
const RESOURCES: &str = "resources";
/// Tasks that run or wait.
const RUNNING: &str = "running";
/// Tasks that failed, ran out of time or were skipped.
const FAILED: &str = "failed";
/// Tasks that began lately, however they ended.
const RECENT: &str = "recent";
/// The newest good backup of each resource.
const LAST_GOOD: &str = "last-good";

static FEEDS: [FeedSpec; 5] = [
    FeedSpec {
        id: RUNNING,
        idle_ms: 15_000,
        busy_ms: 4_000,
        covers: Covers {
            live: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: FAILED,
        idle_ms: 30_000,
        busy_ms: 15_000,
        covers: Covers {
            failed: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: RECENT,
        idle_ms: 30_000,
        busy_ms: 10_000,
        covers: Covers::NOTHING,
    },
    // Before the resources, whose rows say what it found.
    FeedSpec {
        id: LAST_GOOD,
        idle_ms: 900_000,
        busy_ms: 900_000,
        covers: Covers::NOTHING,
    },
    FeedSpec {
        id: RESOURCES,
        idle_ms: 60_000,
        busy_ms: 30_000,
        covers: Covers {
            devices: true,
            policies: true,
            ..Covers::NOTHING
        },
    },
];

static CAPABILITIES: Capabilities = BASE;

/// Where the calls are published that Huawei Cloud alone documents.
static ON_HUAWEI: Capabilities = Capabilities {
    devices: Support::Yes,
    enable: Support::Yes,
    ..BASE
};

const BASE: Capabilities = Capabilities {
    devices: Support::Partly(
        "resources that are bound to a vault; unprotected ones only where the list of protectables is published (option cloud = \"huawei\")",
    ),
    policies: Support::Yes,
    running: Support::Yes,
    failed: Support::Yes,
    history: Support::Yes,
    progress: Support::Yes,
    reasons: Support::Partly("a task that ran out of time or was skipped may carry no code"),
    trigger: Support::Partly(
        "resources and vaults; a policy can't be run as such: each of its vaults is backed up",
    ),
    cancel: Support::No("the vendor states that a running backup or restore can't be stopped"),
    retry: Support::Partly(
        "CBR publishes no retry: the backup or deletion is requested anew from the task's record",
    ),
    clear: Support::No("CBR publishes no call that dismisses a task's record; old ones age out"),
    enable: Support::Partly(
        "policies; single resources only where set-resources is published (option cloud = \"huawei\")",
    ),
    restore: Support::Partly("servers and disks; CBR publishes no precheck"),
    delete: Support::Yes,
};

/// A CBR service.
#[derive(Debug)]
pub struct Cbr {
    session: Session,
    memory: Mutex<PageMemory<poll::Next>>,
    known: Mutex<known::Known>,
    page_size: usize,
    /// The service publishes what Huawei Cloud alone documents.
    huawei: bool,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    let page_size = settings
        .options
        .get("page_size")
        .and_then(|n| n.parse().ok())
        .filter(|n| (1..=PAGE_SIZE).contains(n))
        .unwrap_or(PAGE_SIZE);
    Ok(Arc::new(Cbr {
        session: Session::open(settings, PLACE)?,
        memory: Mutex::default(),
        known: Mutex::default(),
        page_size,
        huawei: settings
            .options
            .get("cloud")
            .is_some_and(|c| c.eq_ignore_ascii_case("huawei")),
    }))
}

impl Cbr {
    /// Runs `f` on what is known; a poisoned lock is used as it is: nothing in it can be half-done.
    fn known<R>(&self, f: impl FnOnce(&mut known::Known) -> R) -> R {
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut known)
    }

    /// One object's answer, or `None` when the service says that there is none.
    async fn one(&self, path: &[&str]) -> Result<Option<super::http::Reply>, Fault> {
        match self.session.ask(&Call::get(path)).await {
            Ok(reply) => Ok(Some(reply)),
            Err(fault) if is_missing(&fault) => Ok(None),
            Err(fault) => Err(clear_words(fault)),
        }
    }
}

/// The service says that there is no such object: HTTP 404 from CBR itself (a 404 of the gateway means that the
/// call is not published), or Karbor's 401 for an address that leads nowhere any more.
fn is_missing(fault: &Fault) -> bool {
    fault.code.as_ref().is_some_and(|c| {
        c.http_status == Some(404) && !c.code.starts_with("APIG") && !c.code.starts_with("APIC")
            || c.message.starts_with("Malformed request url")
    })
}

/// CBR reports one failed authentication as HTTP 500.
fn clear_words(mut fault: Fault) -> Fault {
    if fault
        .code
        .as_ref()
        .is_some_and(|c| c.code == "BackupService.9998")
    {
        fault.kind = FaultKind::Auth;
        fault.what = "the service could not authenticate us (it says so with HTTP 500)".into();
        fault.advice = "Check the credentials and the project of this service.".into();
    }
    fault
}

#[async_trait]
impl Connector for Cbr {
    fn kind(&self) -> Kind {
        KIND
    }

    fn capabilities(&self) -> &Capabilities {
        if self.huawei {
            &ON_HUAWEI
        } else {
            &CAPABILITIES
        }
    }

    fn feeds(&self) -> &[FeedSpec] {
        &FEEDS
    }

    fn actions(&self) -> &[ActionSpec] {
        &act::ACTIONS
    }

    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        self.fits(action, target)
    }

    async fn poll(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        self.read_feed(feed, context, sink)
            .await
            .map_err(clear_words)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.plan(intent).await.map_err(clear_words)
    }

    async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome {
        self.carry_out(prepared, progress).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared, sent_at).await.map_err(clear_words)
    }

    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        if !self.huawei {
            return Vec::new();
        }
        let listed = self.lists_protectables().await;
        vec![("list what is in no vault".to_owned(), listed)]
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }
}
