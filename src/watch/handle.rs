//! Starting the watchers and talking to them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Watched;
use super::event::WatchEvent;
use super::feed::{FeedWatch, Shared};
use super::look_ups::LookUps;
use crate::model::ServiceId;

/// How many messages may wait for the owner of the store before the watchers wait for it.
const QUEUE: usize = 64;

/// The way to the watchers of all services. Dropping it ends them.
#[derive(Debug)]
pub struct WatchHandle {
    services: Vec<ServiceHandle>,
}

#[derive(Debug)]
struct ServiceHandle {
    id: ServiceId,
    shared: Arc<Shared>,
    busy: watch::Sender<bool>,
    look_ups: Arc<LookUps>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl WatchHandle {
    /// Whether the service has live tasks or followed actions: its feeds are then asked more often.
    pub fn set_busy(&self, id: ServiceId, busy: bool) {
        if let Some(service) = self.service(id) {
            service
                .busy
                .send_if_modified(|now| std::mem::replace(now, busy) != busy);
        }
    }

    /// Asks every feed of the service now, also one that gave up after a refused login.
    pub fn poll_now(&self, id: ServiceId) {
        if let Some(service) = self.service(id) {
            service.shared.wake_all();
        }
    }

    /// Asks every feed of every service now.
    pub fn poll_all(&self) {
        for service in &self.services {
            service.shared.wake_all();
        }
    }

    /// Reads one task as it is now; the answer comes as [`WatchEvent::Looked`].
    pub fn look_up(&self, id: ServiceId, task_id: String) {
        if let Some(service) = self.service(id) {
            service.look_ups.ask(task_id);
        }
    }

    fn service(&self, id: ServiceId) -> Option<&ServiceHandle> {
        self.services.iter().find(|s| s.id == id)
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        for service in &self.services {
            for task in &service.tasks {
                task.abort();
            }
        }
    }
}

/// Starts watching. Must be called inside a tokio runtime; messages come out of the receiver.
#[must_use]
pub fn spawn(watched: &[Watched]) -> (WatchHandle, mpsc::Receiver<WatchEvent>) {
    let (out, events) = mpsc::channel(QUEUE);
    let begun = Instant::now();
    let services = watched.iter().map(|w| start(w, &out, begun)).collect();
    (WatchHandle { services }, events)
}

fn start(watched: &Watched, out: &mpsc::Sender<WatchEvent>, begun: Instant) -> ServiceHandle {
    let id = watched.service.id;
    let (busy, busy_seen) = watch::channel(false);
    let look_ups = Arc::new(LookUps::default());
    let feeds = watched.connector.feeds();
    let shared = Arc::new(Shared::new(id, out.clone(), feeds, begun));
    let mut tasks: Vec<_> = feeds
        .iter()
        .enumerate()
        .map(|(index, spec)| {
            let feed = FeedWatch::new(
                watched,
                *spec,
                index,
                Arc::clone(&shared),
                busy_seen.clone(),
            );
            tokio::spawn(feed.run())
        })
        .collect();
    // three missed rounds of the quickest feed, and room for one slow answer
    let quickest = feeds
        .iter()
        .map(|f| watched.every_ms.unwrap_or(f.idle_ms))
        .min()
        .unwrap_or(5_000);
    let after = Duration::from_millis(quickest.saturating_mul(3).saturating_add(5_000));
    let ageing = Arc::clone(&shared);
    tasks.push(tokio::spawn(async move { ageing.watch_age(after).await }));
    tasks.push(tokio::spawn(answer_look_ups(
        watched.clone(),
        Arc::clone(&shared),
        Arc::clone(&look_ups),
    )));
    ServiceHandle {
        id,
        shared,
        busy,
        look_ups,
        tasks,
    }
}

/// Looks tasks up one after the other: a burst of tasks that end together must not become a burst of
/// requests beside the polls.
async fn answer_look_ups(watched: Watched, shared: Arc<Shared>, wanted: Arc<LookUps>) {
    loop {
        let task_id = wanted.next().await;
        let look = watched.connector.look_up(&task_id).await;
        let event = WatchEvent::Looked {
            service: watched.service.id,
            task_id: task_id.clone(),
            look: Box::new(look),
        };
        if !shared.tell(event).await {
            return;
        }
        wanted.done(&task_id);
    }
}
