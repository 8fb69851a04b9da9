//! One feed of one service: ask, hand over, wait, ask again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::event::{Round, WatchEvent};
use super::health::Pulse;
use super::{Watched, pace};
use crate::connect::{FeedSpec, Page, PageSink, PollContext, PollReport, grid};
use crate::model::{Fault, Health, RecordsFrom, ServiceId, Timestamp};

/// What the feeds of one service share.
#[derive(Debug)]
pub struct Shared {
    id: ServiceId,
    out: mpsc::Sender<WatchEvent>,
    pulse: Mutex<(Pulse, Health)>,
    ids: Vec<&'static str>,
    wake: Vec<Arc<Notify>>,
    beat: Notify,
    /// Feeds that the patient ones wait for, which were not read to an end yet.
    urgent: watch::Sender<usize>,
    /// The feeds whose devices and policies may say what a patient one found.
    parties: Vec<Arc<Notify>>,
}

impl Shared {
    /// For one service; one wake-up call a feed.
    pub fn new(id: ServiceId, out: mpsc::Sender<WatchEvent>, feeds: &[FeedSpec]) -> Self {
        let urgent = feeds.iter().filter(|f| !pace::is_patient(f)).count();
        let wake: Vec<_> = feeds.iter().map(|_| Arc::new(Notify::new())).collect();
        let parties = feeds
            .iter()
            .zip(&wake)
            .filter(|(f, _)| f.covers.devices || f.covers.policies)
            .map(|(_, wake)| Arc::clone(wake))
            .collect();
        Self {
            id,
            out,
            urgent: watch::Sender::new(urgent),
            parties,
            pulse: Mutex::new((Pulse::default(), Health::Connecting)),
            ids: feeds.iter().map(|f| f.id).collect(),
            wake,
            beat: Notify::new(),
        }
    }

    /// Ends the wait of every feed.
    pub fn wake_all(&self) {
        for notify in &self.wake {
            notify.notify_one();
        }
    }

    /// Ends the wait of those feeds that may tell whether the whole service is broken.
    fn wake_in_doubt(&self, at: Timestamp) {
        let doubts = {
            let mut guard = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            guard.0.doubts(at)
        };
        self.wake(&doubts);
    }

    fn wake(&self, feeds: &[&str]) {
        for (id, notify) in self.ids.iter().zip(&self.wake) {
            if feeds.contains(id) {
                notify.notify_one();
            }
        }
    }

    /// Sends an event; false when nobody listens any more.
    pub async fn tell(&self, event: WatchEvent) -> bool {
        self.out.send(event).await.is_ok()
    }

    /// Tells once that the service is stale when no answer came for `after`; starts anew with each answer.
    pub async fn watch_age(&self, after: Duration) {
        let mut due: Option<Instant> = None;
        loop {
            let overdue = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.beat.notified() => due = Some(Instant::now() + after),
                () = overdue => {
                    due = None;
                    self.feel(Pulse::overdue).await;
                }
            }
        }
    }

    /// Changes the pulse and tells the health when it changed.
    async fn feel(&self, change: impl FnOnce(&mut Pulse)) {
        let (health, late) = {
            let mut guard = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut guard.0);
            let health = guard.0.health();
            if health == guard.1 {
                return;
            }
            let was = std::mem::replace(&mut guard.1, health.clone());
            let is_back =
                matches!(was, Health::Down { .. }) && matches!(health, Health::Fresh { .. });
            let late = if is_back {
                guard.0.failing()
            } else {
                Vec::new()
            };
            (health, late)
        };
        // it is back: the other lists need not wait for their next try
        self.wake(&late);
        self.tell(WatchEvent::Health {
            service: self.id,
            health,
        })
        .await;
    }
}

/// One feed's own state.
#[derive(Debug)]
pub struct FeedWatch {
    watched: Watched,
    spec: FeedSpec,
    index: usize,
    shared: Arc<Shared>,
    busy: watch::Receiver<bool>,
    failures: u32,
    newest: Option<Timestamp>,
    /// How many tasks the last round brought that were not the same page as before.
    rows: u64,
    /// The round to come was called for.
    called: bool,
}

impl FeedWatch {
    /// The watch over feed number `index` of the service.
    pub fn new(
        watched: &Watched,
        spec: FeedSpec,
        index: usize,
        shared: Arc<Shared>,
        busy: watch::Receiver<bool>,
    ) -> Self {
        Self {
            watched: watched.clone(),
            spec,
            index,
            shared,
            busy,
            failures: 0,
            newest: None,
            rows: 0,
            called: false,
        }
    }

    /// Asks for ever.
    pub async fn run(mut self) {
        let mut urgent = !pace::is_patient(&self.spec);
        let mut late = !urgent;
        if late {
            let mut left = self.shared.urgent.subscribe();
            // the sender lives in what both share
            let _ = left.wait_for(|left| *left == 0).await;
        }
        loop {
            let asked = grid::now();
            let outcome = self.round().await;
            let at = Timestamp::now();
            let wait = self.settle(&outcome, at).await;
            if late && outcome.is_ok() {
                late = false;
                for party in &self.shared.parties {
                    party.notify_one();
                }
            }
            let round = Box::new(Round {
                covers: self.spec.covers,
                looks_up: self.watched.connector.looks_up_at_once(),
                outcome,
            });
            if std::mem::take(&mut urgent) {
                self.shared.urgent.send_modify(|left| *left -= 1);
            }
            let event = WatchEvent::Round {
                service: self.watched.service.id,
                feed: self.spec.id,
                round,
                at,
            };
            if !self.shared.tell(event).await {
                return;
            }
            self.pause(asked, wait).await;
        }
    }

    async fn round(&mut self) -> Result<PollReport, Fault> {
        let context = PollContext {
            changed_since: self.newest,
            history_from: Some(Timestamp::now().plus(-self.watched.history_ms)),
            called: std::mem::take(&mut self.called),
        };
        let mut sink = Forward {
            service: self.watched.service.id,
            feed: self.spec.id,
            out: self.shared.out.clone(),
            newest: self.newest,
            rows: 0,
            records_from: self.watched.records_from.clone(),
        };
        let outcome = self
            .watched
            .connector
            .poll(self.spec.id, context, &mut sink)
            .await;
        self.rows = sink.rows;
        // only a whole round moves the mark: after a broken one the gap is asked for again
        if outcome.as_ref().is_ok_and(|report| report.complete) {
            self.newest = sink.newest;
        }
        outcome
    }

    /// Notes how the round ended; returns the wait before the next in milliseconds, `None` for "until called".
    async fn settle(&mut self, outcome: &Result<PollReport, Fault>, at: Timestamp) -> Option<u64> {
        let feed = self.spec.id;
        match outcome {
            Ok(report) => {
                self.failures = 0;
                if report.pages > 0 {
                    self.shared.feel(|pulse| pulse.answered(feed, at)).await;
                    self.shared.beat.notify_one();
                } else {
                    self.shared.feel(|pulse| pulse.unasked(feed)).await;
                }
                Some(self.interval())
            }
            Err(fault) => {
                self.failures = self.failures.saturating_add(1);
                let wait = pace::after_failure(fault, self.failures);
                let next_try = wait.map(|ms| at.plus(i64::try_from(ms).unwrap_or(i64::MAX)));
                let fault = fault.clone();
                self.shared
                    .feel(|pulse| pulse.failed(feed, fault, at, next_try))
                    .await;
                self.shared.wake_in_doubt(at);
                wait
            }
        }
    }

    fn interval(&self) -> u64 {
        let interval = self
            .spec
            .interval(*self.busy.borrow(), self.watched.every_ms);
        if self.spec.covers.live && self.watched.every_ms.is_none() {
            pace::with_rows(interval, self.spec.idle_ms, self.rows)
        } else {
            interval
        }
    }

    /// Waits until the next round is due, somebody calls, or work began on the service.
    async fn pause(&mut self, asked: u64, wait: Option<u64>) {
        let failed = self.failures > 0;
        let Some(notify) = self.shared.wake.get(self.index).map(Arc::clone) else {
            return;
        };
        loop {
            // after a success the interval counts from the question and follows "busy" as it changes;
            // after a failure it counts from now and nothing but a call shortens it
            let due = match (wait, failed) {
                (None, _) => None,
                (Some(ms), true) => Some(Instant::now() + Duration::from_millis(ms)),
                (Some(_), false) => {
                    let interval = self.interval();
                    Some(grid::at(pace::on_grid(asked, interval)))
                }
            };
            let sleep = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => return,
                () = notify.notified() => {
                    self.called = true;
                    return;
                }
                changed = self.busy.changed(), if !failed => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Passes pages on and remembers the newest change by the service's clock.
struct Forward {
    service: ServiceId,
    feed: &'static str,
    out: mpsc::Sender<WatchEvent>,
    newest: Option<Timestamp>,
    rows: u64,
    records_from: RecordsFrom,
}

#[async_trait]
impl PageSink for Forward {
    fn records_from(&self) -> Option<Timestamp> {
        self.records_from.get()
    }

    async fn page(&mut self, number: u32, page: Page) -> bool {
        if let Page::Rows(rows) = &page {
            self.rows += rows.tasks.len() as u64;
            let newest = rows
                .tasks
                .iter()
                .filter_map(|t| t.updated_at.max(t.ended_at))
                .max();
            self.newest = self.newest.max(newest);
        }
        let event = WatchEvent::Page {
            service: self.service,
            feed: self.feed,
            number,
            page,
        };
        self.out.send(event).await.is_ok()
    }
}
