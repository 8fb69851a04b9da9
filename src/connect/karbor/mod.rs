//! OpenStack Karbor, the API that CSBS grew out of: plans are policies, operation logs are tasks, the resources
//! of plans are devices.
//!
//! Facts are those of the Karbor API reference v1 and source, and of the recorded answers of a real Karbor 1.6.0.
//! Karbor gives no reason for any failure (`error_info` is never written), logs a deletion as `protect` and
//! answers a restore that could not begin with 200 and the status `fail`.
//!
//! | an operator needs | here |
//! | --- | --- |
//! | devices | servers of `protectables`, and the resources of all plans |
//! | whether a device can be backed up | not offered: Karbor lists what it could protect and checks nothing before a run |
//! | policies | `plans` with their `scheduled_operations` and `triggers`, and the next run |
//! | backups of a device | the logs of the plans that cover it; checkpoints can be listed by plan only, and of those only the one acted upon is read |
//! | running tasks | `operation_logs` by status, one list each |
//! | failed tasks with codes | the same; the status is all there is |
//! | back up one device | not offered: only whole plans run |
//! | run a policy now | `POST …/checkpoints` with the plan's own provider |
//! | cancel, dismiss | not offered: no such calls |
//! | retry | a new run of the plan; the failed checkpoint stays and can be deleted |
//! | clear an error mark (`os-resetState`) | not offered: a broken checkpoint would look good |
//! | enable, disable | not offered: a scheduled operation can only be deleted and made anew |
//! | bind, unbind a resource | not offered: the request replaces the whole list of resources, so that two people at once leave one out without a word |
//! | restore, delete a backup | `POST /restores`, `DELETE …/checkpoints/{id}`, after a look at the checkpoint |
//! | quotas | not read: one that is used up is told by the refusal (`overLimit`) |
//! | copies | not offered: of the plugins that come with Karbor none makes any, and a copy then waits for ever; those begun elsewhere show as tasks |
//! | search by tag | not offered: Karbor has no tags |

mod act;
mod known;
mod plans;
mod poll;
mod record;
mod seek;
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
    ActionSpec, CodeRef, Fault, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind.
pub const KIND: Kind = Kind("karbor");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "OpenStack Karbor",
    open,
};

const PLACE: Place = Place {
    types: &["data-protect"],
    version: "v1",
    with_project: true,
    rate_per_minute: 300,
};

/// Rows a page: what the service gives at most (Karbor source, paging).
const PAGE_SIZE: usize = 1000;

const PLANS: &str = "plans";
const RUNNING: &str = "running";
const FAILED: &str = "failed";
const RECENT: &str = "recent";

static FEEDS: [FeedSpec; 4] = [
    FeedSpec {
        id: RUNNING,
        idle_ms: 10_000,
        busy_ms: 3_000,
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
    FeedSpec {
        id: PLANS,
        idle_ms: 60_000,
        busy_ms: 30_000,
        covers: Covers {
            devices: true,
            policies: true,
            ..Covers::NOTHING
        },
    },
];

static CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Partly(
        "the resources of the plans, and all servers where Karbor has a Nova to ask and the user may list them",
    ),
    policies: Support::Yes,
    running: Support::Yes,
    failed: Support::Yes,
    history: Support::Yes,
    progress: Support::No("Karbor tells no progress"),
    reasons: Support::No(
        "Karbor gives no reason for a failure; look into the log of karbor-protection",
    ),
    trigger: Support::Partly("whole plans only"),
    cancel: Support::No("Karbor publishes no call that stops a task"),
    retry: Support::Partly("runs the plan again; the failed checkpoint stays"),
    clear: Support::No(
        "an operation log can't be dismissed; resetting a checkpoint's state would only make a broken one look good",
    ),
    enable: Support::No(
        "a scheduled operation can't be changed: delete it and make it anew with the karbor client",
    ),
    restore: Support::Yes,
    delete: Support::Yes,
};

/// A Karbor service.
#[derive(Debug)]
pub struct Karbor {
    session: Session,
    memory: Mutex<PageMemory<poll::Next>>,
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
    Ok(Arc::new(Karbor {
        session: Session::open(settings, PLACE)?,
        memory: Mutex::default(),
        known: Mutex::default(),
        page_size,
    }))
}

impl Karbor {
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
            Err(fault) if fault.code.as_ref().and_then(|c| c.http_status) == Some(404) => Ok(None),
            Err(fault) => Err(named(fault)),
        }
    }
}

/// Karbor's errors carry the HTTP status once more and a name of their own around it, which depends on the status
/// alone (Karbor source, faults). The name is what the catalog knows. A 401 comes from Keystone's middleware.
fn name_of(code: &mut CodeRef) {
    if !code.code.is_empty() || code.message.is_empty() {
        return;
    }
    let name = match code.http_status {
        Some(400) => "badRequest",
        Some(403) => "forbidden",
        Some(404) => "itemNotFound",
        Some(405) => "badMethod",
        Some(409) => "conflictingRequest",
        Some(413) => "overLimit",
        Some(415) => "badMediaType",
        Some(501) => "notImplemented",
        Some(503) => "serviceUnavailable",
        Some(424 | 500) => "computeFault",
        _ => return,
    };
    code.code = name.to_owned();
}

fn named(mut fault: Fault) -> Fault {
    if let Some(code) = &mut fault.code {
        name_of(code);
        if code.message.starts_with("Malformed request url") {
            fault.advice =
                "The project in the address is not the one of the credentials: check project_id and the endpoint."
                    .into();
        }
    }
    fault
}

#[async_trait]
impl Connector for Karbor {
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
        self.read_feed(feed, context, sink).await.map_err(named)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await.map_err(named)
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.plan(intent).await.map_err(named)
    }

    async fn send(&self, prepared: &Prepared, _progress: Progress<'_>) -> SendOutcome {
        self.carry_out(prepared).await
    }

    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared, sent_at).await.map_err(named)
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(&self.session))
    }
}
