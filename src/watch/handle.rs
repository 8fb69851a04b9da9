//! Starting the watchers and talking to them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Watched;
use super::event::{AT_ONCE, WatchEvent};
use super::feed::{FeedWatch, Shared};
use super::look_ups::LookUps;
use super::pace;
use crate::connect::TaskLook;
use crate::model::{Fault, ServiceId};

/// So many of the tasks that are looked up at once are looked up one by one where no answer tells of them together.
const ONE_BY_ONE: usize = 64;
/// Where more are missing at once, those of so long are looked up together.
const GATHER: Duration = Duration::from_secs(20);
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

    /// Reads one task as it is now; the answer comes as [`WatchEvent::Looked`]. `first`: before others that wait.
    pub fn look_up(&self, id: ServiceId, task_id: String, first: bool) {
        if let Some(service) = self.service(id) {
            service.look_ups.ask(task_id, first);
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
    let services = watched.iter().map(|w| start(w, &out)).collect();
    (WatchHandle { services }, events)
}

fn start(watched: &Watched, out: &mpsc::Sender<WatchEvent>) -> ServiceHandle {
    let id = watched.service.id;
    let (busy, busy_seen) = watch::channel(false);
    let look_ups = Arc::new(LookUps::new(watched.connector.looks_up_at_once()));
    let feeds = watched.connector.feeds();
    let shared = Arc::new(Shared::new(id, out.clone(), feeds));
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
    let after = Duration::from_millis(pace::overdue_after(feeds, watched.every_ms));
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

/// Looks tasks up, those of which one answer tells together, the others one after the other: a burst of tasks that end
/// together must not become a burst of requests beside the polls.
async fn answer_look_ups(watched: Watched, shared: Arc<Shared>, wanted: Arc<LookUps>) {
    let mut storm_over = Instant::now();
    loop {
        // very many are told of by reading long lists, and a few more seconds' worth by the same ones
        let mut waiting = wanted.next(ONE_BY_ONE, storm_over).await;
        let mut known = Vec::new();
        if waiting.len() > ONE_BY_ONE {
            storm_over = Instant::now() + GATHER;
        }
        if waiting.len() > 1 {
            // where that fails each of them is asked for
            let looks = watched.connector.look_up_many(&waiting).await;
            known = looks.unwrap_or_default();
            let told: HashSet<&str> = known.iter().map(|(id, _)| id.as_str()).collect();
            waiting.retain(|id| !told.contains(id.as_str()));
        }
        while !known.is_empty() {
            let some = known.drain(..known.len().min(AT_ONCE));
            let looks = some.map(|(id, look)| (id, Ok(look))).collect();
            if !tell_looks(&watched, &shared, &wanted, looks).await {
                return;
            }
        }
        // the rest of very many is told by lists meanwhile, or is still missing and asked for again
        for task_id in waiting.drain(waiting.len().min(ONE_BY_ONE)..) {
            wanted.done(&task_id);
        }
        for task_id in waiting {
            let look = watched.connector.look_up(&task_id).await;
            if !tell_looks(&watched, &shared, &wanted, vec![(task_id, look)]).await {
                return;
            }
        }
    }
}

/// False when nobody listens any more.
async fn tell_looks(
    watched: &Watched,
    shared: &Shared,
    wanted: &LookUps,
    looks: Vec<(String, Result<TaskLook, Fault>)>,
) -> bool {
    let ids: Vec<String> = looks.iter().map(|(id, _)| id.clone()).collect();
    let service = watched.service.id;
    let told = shared.tell(WatchEvent::Looked { service, looks }).await;
    for id in &ids {
        wanted.done(id);
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::connect::broken::Broken;
    use crate::connect::{
        Capabilities, Connector, Covers, FeedSpec, PageSink, PollContext, PollReport, Progress,
        TaskLook,
    };
    use crate::model::{
        ActionSpec, Fault, FaultKind, Found, Health, Intent, Kind, Prepared, SendOutcome, Service,
        Target, Timestamp,
    };

    static FEEDS: [FeedSpec; 2] = [
        FeedSpec {
            id: "statistics",
            idle_ms: 900_000,
            busy_ms: 900_000,
            covers: Covers::NOTHING,
        },
        FeedSpec {
            id: "devices",
            idle_ms: 60_000,
            busy_ms: 60_000,
            covers: Covers {
                devices: true,
                ..Covers::NOTHING
            },
        },
    ];

    /// Notes what is asked for, and answers it or refuses.
    struct Asked {
        asked: Mutex<Vec<&'static str>>,
        /// So many pages a round; `None` refuses.
        answers: Option<u32>,
        rest: Broken,
    }

    #[async_trait]
    impl Connector for Asked {
        fn kind(&self) -> Kind {
            self.rest.kind()
        }

        fn capabilities(&self) -> &Capabilities {
            self.rest.capabilities()
        }

        fn feeds(&self) -> &[FeedSpec] {
            &FEEDS
        }

        fn actions(&self) -> &[ActionSpec] {
            self.rest.actions()
        }

        fn available(&self, action: &ActionSpec, target: &Target) -> Result<(), String> {
            self.rest.available(action, target)
        }

        async fn poll(
            &self,
            feed: &'static str,
            context: PollContext,
            sink: &mut dyn PageSink,
        ) -> Result<PollReport, Fault> {
            self.asked.lock().unwrap().push(feed);
            match self.answers {
                Some(pages) => Ok(PollReport {
                    pages,
                    ..PollReport::default()
                }),
                None => self.rest.poll(feed, context, sink).await,
            }
        }

        async fn look_up(&self, task_id: &str) -> Result<TaskLook, Fault> {
            self.rest.look_up(task_id).await
        }

        async fn prepare(&self, intent: &Intent) -> Result<Prepared, Fault> {
            self.rest.prepare(intent).await
        }

        async fn send(&self, prepared: &Prepared, progress: Progress<'_>) -> SendOutcome {
            self.rest.send(prepared, progress).await
        }

        async fn find(&self, prepared: &Prepared, sent_at: Timestamp) -> Result<Found, Fault> {
            self.rest.find(prepared, sent_at).await
        }
    }

    /// What a service is asked for until nothing is left to do but wait, and whether it was called fresh.
    async fn asked_at_the_start(answers: Option<u32>) -> (Vec<&'static str>, bool) {
        let fault = Fault::new(FaultKind::Auth, "the password is wrong", "", "");
        let connector = Arc::new(Asked {
            asked: Mutex::default(),
            answers,
            rest: Broken::new(Kind("csbs"), fault),
        });
        let watched = Watched {
            service: Service {
                id: ServiceId(0),
                name: "x".into(),
                kind: Kind("csbs"),
                embedded: false,
                read_only: false,
            },
            connector: Arc::clone(&connector) as Arc<dyn Connector>,
            history_ms: 0,
            every_ms: None,
            records_from: crate::model::RecordsFrom::default(),
        };
        let (_watchers, mut events) = spawn(&[watched]);
        let mut fresh = false;
        for _ in 0..1_000 {
            while let Ok(event) = events.try_recv() {
                fresh |= matches!(
                    event,
                    WatchEvent::Health {
                        health: Health::Fresh { .. },
                        ..
                    }
                );
            }
            tokio::task::yield_now().await;
        }
        let asked = connector.asked.lock().unwrap();
        (asked.clone(), fresh)
    }

    #[tokio::test]
    async fn statistics_come_last_and_devices_are_asked_once_more_for_what_they_found() {
        let (asked, fresh) = asked_at_the_start(Some(1)).await;
        assert_eq!(asked, ["devices", "statistics", "devices"]);
        assert!(fresh);
    }

    #[tokio::test]
    async fn a_round_that_asked_the_service_nothing_says_nothing_of_its_health() {
        let (asked, fresh) = asked_at_the_start(Some(0)).await;
        assert!(!asked.is_empty() && !fresh);
    }

    #[tokio::test]
    async fn a_refused_login_is_not_tried_again_because_statistics_were_refused_too() {
        let (asked, fresh) = asked_at_the_start(None).await;
        assert_eq!(asked, ["devices", "statistics"]);
        assert!(!fresh);
    }
}
