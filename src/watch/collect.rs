//! One round over every service, for the headless face.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::event::{Round, WatchEvent};
use super::health::Pulse;
use super::{Watched, fold};
use crate::connect::{FeedSpec, Page, PageSink, PollContext};
use crate::model::{Fault, FaultKind, ServiceId, Timestamp};
use crate::store::Store;

/// What the caller wants to know; feeds that carry none of it are not asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// Everything.
    All,
    /// Live tasks only, and what their policies are called.
    Live,
    /// Failed jobs only, and what their policies are called.
    Failed,
    /// Policies and what their tasks say of them.
    Policies,
}

impl Want {
    fn needs(self, spec: &FeedSpec) -> bool {
        match self {
            Self::All => true,
            Self::Live => spec.covers.live,
            Self::Failed => spec.covers.failed,
            Self::Policies => spec.covers.policies,
        }
    }
}

/// Asks each service once, all at the same time, and returns the filled store. A service that does not
/// answer within `deadline` is down in the store; the others' rows are there.
pub async fn collect(watched: &[Watched], want: Want, deadline: Duration) -> Store {
    let mut store = Store::new(watched.iter().map(|w| w.service.clone()).collect());
    let (out, mut events) = mpsc::channel(64);
    let asking = async move {
        join_all(
            watched
                .iter()
                .map(|w| ask_service(w, want, deadline, out.clone())),
        )
        .await;
        // the last sender goes with this block, which ends the fold
        drop(out);
    };
    let folding = async {
        while let Some(event) = events.recv().await {
            // nobody follows tasks in one round: wishes are dropped
            let _ = fold(&mut store, event, Timestamp::now());
        }
    };
    tokio::join!(asking, folding);
    store
}

async fn ask_service(
    watched: &Watched,
    want: Want,
    deadline: Duration,
    out: mpsc::Sender<WatchEvent>,
) {
    let service = watched.service.id;
    let feeds = watched.connector.feeds();
    let mut chosen: Vec<&FeedSpec> = feeds.iter().filter(|f| want.needs(f)).collect();
    // a kind that keeps no list of failures shows them where it shows what runs
    if chosen.is_empty() && want == Want::Failed {
        chosen = feeds.iter().filter(|f| f.covers.live).collect();
    }
    // a kind whose feeds do not part the tasks is asked for everything
    if chosen.is_empty() {
        chosen = feeds.iter().collect();
    }
    // tasks may name their policy by its id alone
    for feed in feeds.iter().filter(|f| f.covers.policies) {
        if !chosen.iter().any(|f| f.id == feed.id) {
            chosen.push(feed);
        }
    }
    let rounds = join_all(chosen.iter().map(|spec| {
        let out = out.clone();
        async move {
            let mut sink = Forward {
                service,
                feed: spec.id,
                out,
            };
            let context = PollContext {
                changed_since: None,
                history_from: Some(Timestamp::now().plus(-watched.history_ms)),
                called: true,
            };
            let asked = watched.connector.poll(spec.id, context, &mut sink);
            let outcome = timeout(deadline, asked)
                .await
                .unwrap_or_else(|_| Err(too_late(deadline)));
            (*spec, outcome)
        }
    }))
    .await;
    let mut pulse = Pulse::default();
    let at = Timestamp::now();
    for (spec, outcome) in rounds {
        match &outcome {
            Ok(report) if report.pages > 0 => pulse.answered(spec.id, at),
            Ok(_) => pulse.unasked(spec.id),
            Err(fault) => pulse.failed(spec.id, fault.clone(), at, None),
        }
        let round = Box::new(Round {
            covers: spec.covers,
            looks_up: watched.connector.looks_up_at_once(),
            outcome,
        });
        // nobody listens any more only when the whole command is ending
        let _ = out
            .send(WatchEvent::Round {
                service,
                feed: spec.id,
                round,
                at,
            })
            .await;
    }
    let _ = out
        .send(WatchEvent::Health {
            service,
            health: pulse.health(),
        })
        .await;
}

fn too_late(deadline: Duration) -> Fault {
    Fault::new(
        FaultKind::Timeout,
        format!(
            "the list was not read to its end within {} s",
            deadline.as_secs()
        ),
        "",
        "Allow more time with --timeout or ask for less (a filter, a shorter history); keepwatch doctor tells whether it \
         answers at all.",
    )
}

struct Forward {
    service: ServiceId,
    feed: &'static str,
    out: mpsc::Sender<WatchEvent>,
}

#[async_trait]
impl PageSink for Forward {
    async fn page(&mut self, number: u32, page: Page) -> bool {
        let event = WatchEvent::Page {
            service: self.service,
            feed: self.feed,
            number,
            page,
        };
        self.out.send(event).await.is_ok()
    }
}
