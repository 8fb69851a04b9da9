//! A service that could not be opened: every question is answered with the reason.
//!
//! A missing password or a certificate file that is not there concerns one service. It is shown as down
//! with that reason, in the same places as a service that does not answer, and the others go on.

use async_trait::async_trait;

use super::{
    Capabilities, Connector, Covers, FeedSpec, PageSink, PollContext, PollReport, Progress,
    Support, TaskLook,
};
use crate::model::{
    ActionSpec, Fault, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

const NO: Support = Support::No("the service could not be opened; its state says why");

static CAPABILITIES: Capabilities = Capabilities {
    devices: NO,
    policies: NO,
    running: NO,
    failed: NO,
    history: NO,
    progress: NO,
    reasons: NO,
    trigger: NO,
    cancel: NO,
    retry: NO,
    clear: NO,
    enable: NO,
    restore: NO,
    delete: NO,
};

/// Asked seldom: only a change of the configuration or of the environment, and a new start, mends it.
static FEEDS: [FeedSpec; 1] = [FeedSpec {
    id: "everything",
    idle_ms: 3_600_000,
    busy_ms: 3_600_000,
    covers: Covers {
        devices: true,
        policies: true,
        live: true,
        failed: true,
    },
}];

/// The connector of a service that could not be opened.
#[derive(Clone, Debug)]
pub struct Broken {
    kind: Kind,
    fault: Fault,
}

impl Broken {
    /// Stands in for a service of `kind`; `fault` says why it could not be opened.
    #[must_use]
    pub const fn new(kind: Kind, fault: Fault) -> Self {
        Self { kind, fault }
    }
}

#[async_trait]
impl Connector for Broken {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn feeds(&self) -> &[FeedSpec] {
        &FEEDS
    }

    fn actions(&self) -> &[ActionSpec] {
        &[]
    }

    fn available(&self, _: &ActionSpec, _: &Target) -> Result<(), String> {
        Err(self.fault.what.clone())
    }

    async fn poll(
        &self,
        _: &'static str,
        _: PollContext,
        _: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        Err(self.fault.clone())
    }

    async fn look_up(&self, _: &str) -> Result<TaskLook, Fault> {
        Err(self.fault.clone())
    }

    async fn prepare(&self, _: &Intent) -> Result<Prepared, Fault> {
        Err(self.fault.clone())
    }

    async fn send(&self, _: &Prepared, _: Progress<'_>) -> SendOutcome {
        SendOutcome::NotSent {
            fault: self.fault.clone(),
        }
    }

    async fn find(&self, _: &Prepared, _: Timestamp) -> Result<Found, Fault> {
        Err(self.fault.clone())
    }
}
