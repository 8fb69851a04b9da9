//! Atlassian Backup management APIs, version 2: backups of Jira and Confluence in the cloud.
//!
//! Devices are pairs of a site and a product (no call lists them: they are taken from the policies), policies are
//! backup policies, tasks are their backups and the organisation's restores.
//!
//! Little of the interface is published: two calls whole, the others by name, method and rate limit. What is
//! inferred stands in one table (`paths.rs`) and can be changed by configuration; of words and shapes see `word.rs` and
//! `list.rs`. With the option `policy_ids` everything that documented calls alone can tell is told without a guess:
//! whether a policy is active, and when it last backed up.

mod act;
mod client;
mod known;
mod list;
mod look;
mod paths;
mod policy;
mod poll;
mod settings;
mod task;
#[cfg(test)]
mod tests;
mod walk;
mod word;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::client::Client;
use self::known::Known;
use self::list::Turn;
use self::paths::Op;
use self::settings::{ORG_GETS_A_MINUTE, Own};
use super::http::PageMemory;
use super::{
    Capabilities, Connector, Covers, Driver, Endpoint, FeedSpec, PageSink, PollContext, PollReport,
    Progress, Settings, Support, TaskLook, Way,
};
use crate::model::{
    ActionSpec, Fault, FaultKind, Found, Intent, Kind, Prepared, SendOutcome, Target, Timestamp,
};

/// The kind.
pub const KIND: Kind = Kind("atlassian");

/// The registry's line.
pub const DRIVER: Driver = Driver {
    kind: KIND,
    title: "Atlassian Backup management APIs",
    open,
};

const POLICIES: &str = "policies";
const TASKS: &str = "tasks";

/// A round of policies costs a request for each, one of tasks as well: they share what the organisation may ask.
static FEEDS: [FeedSpec; 2] = [
    FeedSpec {
        id: POLICIES,
        idle_ms: 300_000,
        busy_ms: 300_000,
        covers: Covers {
            devices: true,
            policies: true,
            ..Covers::NOTHING
        },
    },
    FeedSpec {
        id: TASKS,
        idle_ms: 60_000,
        busy_ms: 30_000,
        // how long a backup stays in its policy's list is not published: an absent failure did happen
        covers: Covers {
            live: true,
            ..Covers::NOTHING
        },
    },
];

const CAPABILITIES: Capabilities = Capabilities {
    devices: Support::Partly("no call lists sites or products: shown are those that have a policy"),
    policies: Support::Yes,
    running: Support::Partly(
        "there is no list of tasks: restores, and every policy's backups, are asked for; imports and exports are in no list",
    ),
    failed: Support::Partly(
        "no list takes a filter: failures are picked from all backups and restores",
    ),
    history: Support::Partly(
        "backups of policies and restores that are listed; how long they stay in their lists is not published",
    ),
    progress: Support::No("Atlassian tells no progress of a backup or restore"),
    reasons: Support::Partly("a backup has a text (statusMessage) and no code"),
    trigger: Support::No(
        "the current API lists no call that starts a backup; nearest is a policy with a one-time schedule, made in Atlassian Administration and activated here",
    ),
    cancel: Support::No("Atlassian offers no way to stop a backup or restore"),
    retry: Support::Partly(
        "a failed restore can be revalidated once the option path_revalidate is set; Atlassian repeats a failed backup by itself, three times, 30 minutes apart",
    ),
    clear: Support::No("Atlassian keeps no list of failed jobs that could be cleared"),
    enable: Support::Partly(
        "a policy can be activated; turning one off means removing its schedule, and what that request holds is not published",
    ),
    restore: Support::No(
        "what a request to restore holds is not published: start it in Atlassian Administration",
    ),
    delete: Support::No("Atlassian's API deletes no policy, backup or storage"),
};

/// One organisation.
#[derive(Debug)]
struct Atlassian {
    client: Client,
    own: Own,
    capabilities: Capabilities,
    pages: Mutex<PageMemory<Turn>>,
    known: Mutex<Known>,
    /// Who holds it lists the policies: two rounds that begin together ask once.
    listing: tokio::sync::Mutex<()>,
}

fn open(settings: &Settings) -> Result<Arc<dyn Connector>, Fault> {
    Ok(Arc::new(Atlassian::open(settings)?))
}

impl Atlassian {
    fn open(settings: &Settings) -> Result<Self, Fault> {
        let own = Own::read(settings)?;
        let whole = settings::complete(settings)?;
        let client = Client::open(&whole)?;
        let mut capabilities = CAPABILITIES;
        if client.paths.has(Op::Revalidate) {
            capabilities.retry = Support::Partly(
                "a failed restore can be revalidated; Atlassian repeats a failed backup by itself, three times, 30 minutes apart",
            );
        }
        Ok(Self {
            client,
            own,
            capabilities,
            pages: Mutex::default(),
            known: Mutex::default(),
            listing: tokio::sync::Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, PageMemory<Turn>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connector for Atlassian {
    fn kind(&self) -> Kind {
        KIND
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn feeds(&self) -> &[FeedSpec] {
        &FEEDS
    }

    fn actions(&self) -> &[ActionSpec] {
        &act::ACTIONS
    }

    fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
        self.can(action, target)
    }

    async fn poll(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = match feed {
            POLICIES => self.poll_policies(sink).await,
            _ => self.poll_tasks(context, sink).await,
        }?;
        report.clock = self.client.clock();
        Ok(report)
    }

    async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.look(task_id).await
    }

    async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
        self.plan(intent).await
    }

    async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome {
        self.carry_out(prepared, progress).await
    }

    async fn find(&self, prepared: &Prepared, _sent_at: Timestamp) -> Result<Found, Fault> {
        self.seek(prepared).await
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.client.paths.endpoints()
    }

    fn way(&self) -> Option<Way<'_>> {
        Some(Way::Session(self.client.session()))
    }

    async fn check(&self) -> Vec<(String, Result<String, Fault>)> {
        let rate = self.client.session().http().rate_per_minute();
        let share = if rate <= ORG_GETS_A_MINUTE {
            Ok(format!(
                "at most {rate} of its {ORG_GETS_A_MINUTE} reads a minute"
            ))
        } else {
            Err(Fault::new(
                FaultKind::Config,
                format!(
                    "rate_per_minute is {rate}, and the whole organisation may read {ORG_GETS_A_MINUTE} times a minute"
                ),
                "",
                "Lower rate_per_minute, or take it out and set the option share.",
            ))
        };
        let account = if self.client.has_account {
            "configured"
        } else {
            "none: policies can be activated once the option account_id is set"
        };
        vec![
            ("share of the organisation's limit".to_owned(), share),
            ("account id for writes".to_owned(), Ok(account.to_owned())),
        ]
    }
}
