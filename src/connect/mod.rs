//! Turning one vendor's wire format into our model. This part alone knows vendor JSON, vendor paths
//! and vendor authentication.
//!
//! A connector implements [`Connector`]; what all share (HTTP with limits, Keystone tokens, request
//! signing, lenient decoding) stands once in [`http`], [`auth`] and [`decode`].

pub mod atlassian;
pub mod auth;
pub mod broken;
pub mod capability;
pub mod cbr;
pub mod csbs;
pub mod dbs;
pub mod decode;
mod disks;
pub mod dpod;
mod empties;
pub mod endpoint;
pub mod freezer;
pub mod grid;
pub mod http;
pub mod karbor;
pub mod page;
pub mod probe;
mod quota;
mod schedule;
#[cfg(test)]
pub(crate) mod scripted;
pub mod sdrs;
pub mod session;
pub mod settings;
#[cfg(test)]
mod tests;
mod way;

use std::sync::Arc;

use async_trait::async_trait;

pub use capability::{Capabilities, Support};
pub use endpoint::{Endpoint, Provenance};
pub use session::{Place, Session};
pub use settings::{AuthSettings, Secret, Settings, TlsSettings};
pub use way::Way;

use crate::model::{
    ActionSpec, Fault, Found, Health, Intent, Kind, Prepared, Rows, SendOutcome, Target, Task,
    Timestamp,
};

/// A list of a service that is asked as one: what it holds and how often it is worth asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedSpec {
    /// Unique within the kind: `running`, `failed`, `policies`.
    pub id: &'static str,
    /// Milliseconds between two rounds when nothing is going on.
    pub idle_ms: u64,
    /// Milliseconds between two rounds while the service has live tasks or an action is followed.
    pub busy_ms: u64,
    /// What a complete round of it is the whole truth about: a row of that sort which is absent is gone.
    pub covers: Covers,
}

/// A list of devices or policies changes seldom, and so does one whose own idle pace is at least this, in milliseconds,
/// where it carries neither live nor failed tasks.
const SELDOM_MS: u64 = 60_000;
/// Lists that change seldom follow a configured pace this much slower, down to their own.
const SELDOM_TIMES: u64 = 12;
/// So do lists of failed tasks alone whose own idle pace is at least this, in milliseconds: they are there for what
/// was cleared, as new failures come with what is new.
const RETOLD_MS: u64 = 30_000;
const RETOLD_TIMES: u64 = 3;

impl FeedSpec {
    /// Milliseconds between two rounds, with work going on or not, where the configuration says `every`.
    #[must_use]
    pub fn interval(&self, busy: bool, every: Option<u64>) -> u64 {
        let own = if busy { self.busy_ms } else { self.idle_ms };
        let Some(every) = every else {
            return own;
        };
        let Covers {
            devices,
            policies,
            live,
            failed,
        } = self.covers;
        let times = if live || failed && self.idle_ms < RETOLD_MS {
            1
        } else if failed {
            RETOLD_TIMES
        } else if devices || policies || self.idle_ms >= SELDOM_MS {
            SELDOM_TIMES
        } else {
            1
        };
        if times == 1 {
            every
        } else {
            own.min(every.saturating_mul(times)).max(every)
        }
    }
}

/// What a complete round of a feed is the whole truth about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Covers {
    /// All devices of the service that this feed carries.
    pub devices: bool,
    /// All policies of the service.
    pub policies: bool,
    /// Live tasks: one we hold as live and which is absent has ended or vanished and is looked up.
    pub live: bool,
    /// Failed tasks: one we hold from this feed and which is absent was cleared at the service.
    pub failed: bool,
}

impl Covers {
    /// A feed of news.
    pub const NOTHING: Self = Self {
        devices: false,
        policies: false,
        live: false,
        failed: false,
    };
}

/// What a poll is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PollContext {
    /// By the service's clock: rows that changed before this are known. `None` asks for everything.
    pub changed_since: Option<Timestamp>,
    /// How far back history is wanted on the first round, by our clock.
    pub history_from: Option<Timestamp>,
    /// A person asked, or an action has just been sent: nothing is spared because it seldom changes.
    pub called: bool,
}

/// One page of a poll, handed over as soon as it is decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// Rows, new or changed or not: the store finds out.
    Rows(Rows),
    /// The answer is byte for byte the one given last time for the page with this number.
    Same,
}

/// Where pages go. The number says which page of the feed it is (0, 1, 2 …; parallel lists use their own
/// ranges), so that [`Page::Same`] can refer to it.
///
/// Handing over a page waits while the reader is behind, so that a huge list never piles up in memory.
#[async_trait]
pub trait PageSink: Send {
    /// Takes a page. Returns false when nobody wants more (shutdown): stop asking.
    async fn page(&mut self, number: u32, page: Page) -> bool;

    /// Where a history is read for the first time: tasks that began before this, ended and need nobody, may come
    /// without their record and facts, which would not be kept. `None`: all are wanted.
    fn records_from(&self) -> Option<Timestamp> {
        None
    }
}

/// How a poll ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PollReport {
    /// True when the list was read to its end, so that absent rows are gone.
    pub complete: bool,
    /// How many pages the service gave. None: it was not asked, so that nothing is known of how it stands.
    pub pages: u32,
    /// The service's own clock (HTTP `Date`) and ours when that answer came, for noticing a wrong clock.
    pub clock: Option<(Timestamp, Timestamp)>,
    /// Parts that failed while the rest came (one group of many): shown, the rest is used.
    pub partial: Vec<Fault>,
}

/// What a look at one task found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaskLook {
    /// It is there.
    Found(Box<Task>),
    /// The service says that there is no such task.
    Gone,
    /// The service has no way to read one task.
    NotOffered,
}

/// Where progress of a multi-step action goes: one short sentence each.
pub type Progress<'a> = &'a (dyn Fn(String) + Send + Sync);

/// One service of one kind: asks, prepares, sends.
///
/// Every method that talks to the service goes through the shared [`http::Http`] client, which keeps
/// the rate budget, the limits and the secrets. Reads may be repeated by the caller; sends never are.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The product.
    fn kind(&self) -> Kind;

    /// What the service can do at all, with reasons for what it can't.
    fn capabilities(&self) -> &Capabilities;

    /// The lists worth polling.
    fn feeds(&self) -> &[FeedSpec];

    /// The actions it offers.
    fn actions(&self) -> &[ActionSpec];

    /// Whether `action` can be done on `target` as last seen; `Err` says why not, in one short sentence.
    ///
    /// # Errors
    /// The reason why the action is not possible now.
    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String>;

    /// Reads one feed, handing over pages as they come.
    ///
    /// # Errors
    /// What failed, when nothing or only a part could be read; pages handed over stay valid.
    async fn poll(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault>;

    /// Reads one task as it is now: for tasks that left the live list, and for the raw record.
    ///
    /// # Errors
    /// What failed.
    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault>;

    /// How many missing tasks are worth handing to [`Connector::look_up_many`] at a time; 1 where the service tells of
    /// many in no other way than of each.
    fn looks_up_at_once(&self) -> usize {
        1
    }

    /// What became of those among these tasks of which one answer tells; the others are looked up one by one.
    ///
    /// # Errors
    /// What failed.
    async fn look_up_many(&self, task_ids: &[String]) -> Result<Vec<(String, TaskLook)>, Fault> {
        let _ = task_ids;
        Ok(Vec::new())
    }

    /// Turns an intent into the exact requests, with the effect in words. May read, never changes anything.
    ///
    /// # Errors
    /// Why it can't be prepared: a missing input, a state that forbids it, a service that doesn't answer.
    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault>;

    /// Sends a confirmed action, once. Multi-step actions wait between their requests and tell
    /// `progress`; when a later step can't be done the outcome says what was and what wasn't done.
    async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome;

    /// After an unknown outcome: looks for signs that the action was carried out.
    ///
    /// # Errors
    /// What failed while looking; the caller may look again.
    async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault>;

    /// The calls it makes, with where each address comes from. Empty for a kind whose vendor publishes every
    /// address, so that there is nothing to tell apart.
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// Its client and its address, for `doctor`; `None` for a service that could not be opened.
    fn way(&self) -> Option<Way<'_>> {
        None
    }

    /// True for a feed that is read from this machine and asks the service nothing.
    fn is_local(&self, feed: &'static str) -> bool {
        let _ = feed;
        false
    }

    /// Puts the token of an earlier send of the same action in the place of a prepared one's, so that the service
    /// recognises a repeat. False where there is no such token.
    fn reuse_token(&self, _prepared: &mut Prepared, _token: &str) -> bool {
        false
    }

    /// The action with this id.
    fn action(&self, id: &str) -> Option<&ActionSpec> {
        self.actions().iter().find(|a| a.id == id)
    }

    /// What `doctor` asks besides the feeds (quotas, what was set up by hand): a name, and what came of it.
    /// Changes nothing, and tries no credentials that were refused.
    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        Vec::new()
    }
}

/// How a kind comes into the world: one line in [`crate::kinds`].
#[derive(Clone, Copy)]
pub struct Driver {
    /// The product.
    pub kind: Kind,
    /// Its full name, for lists and help.
    pub title: &'static str,
    /// Builds a connector from a service's settings.
    pub open: fn(&Settings) -> Result<Arc<dyn Connector>, Fault>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The worst of two states of health, for a service that is read through several feeds.
#[must_use]
pub fn worse(a: Health, b: Health) -> Health {
    const fn rank(h: &Health) -> u8 {
        match h {
            Health::Fresh { .. } => 0,
            Health::Stale { .. } => 1,
            Health::Connecting => 2,
            Health::Limited { .. } => 3,
            Health::Down { .. } => 4,
        }
    }
    if rank(&b) > rank(&a) { b } else { a }
}
