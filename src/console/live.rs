//! The console's connection to the world: effects go to the operator and the watchers, what they learn
//! comes back as messages through one bounded channel.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};
use tokio::sync::oneshot;

use super::effect::{Backend, Effect, SavedUi};
use super::message::{Known, Message};
use super::remarks;
use crate::model::Timestamp;
use crate::operate::{ActionEvent, Operator};
use crate::store::Store;
use crate::store::history::{
    Board, Entry, Happened, History, HistoryError, Recorder, Told, Window,
};
use crate::watch::{Calm, WatchEvent, WatchHandle};

/// How many messages may wait for the loop before their senders wait for it.
const QUEUE: usize = 256;
/// So many events are passed on at once.
const LOT: usize = 64;
/// So many rows are handed on to history at once.
const ROWS: usize = 256;
/// The time between two parts of a lot that history has to be told.
const SOON: Duration = Duration::from_millis(4);
/// The same while history is behind with its writing.
const LATER: Duration = Duration::from_millis(500);
/// The least time between two tellings of what changed: a row that changed twice in between is told once.
const GATHER: Duration = Duration::from_millis(200);
/// The end of the program waits for so long for a history that is behind with its writing.
const REST_WITHIN: Duration = Duration::from_secs(2);
/// So many known tasks are taken in at once, so that keys have their turn.
const PIECE: usize = 1_000;
/// What services tell waits for so long for what was known before.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);
/// At most so many tasks come out of history at the start; the newest.
const MOST_KNOWN: usize = 200_000;
/// So many transitions come out of history at the start.
const MOVES: usize = 500;
/// How far is looked for the nearest transition, in milliseconds, one after another: a minute, a quarter of an hour,
/// four hours, two days, two months.
const STEPS_MS: [i64; 5] = [60_000, 900_000, 14_400_000, 172_800_000, 5_184_000_000];
/// Transitions older than this are no news any more, in milliseconds.
const NEWS_MS: i64 = 12 * 3_600_000;

/// Carries out what the console wants done.
#[derive(Debug)]
pub struct Live {
    operator: Operator,
    watchers: WatchHandle,
    runtime: Handle,
    out: Sender<Message>,
    ui_file: Option<PathBuf>,
    past: Past,
    recorder: Recorder,
    /// When everything that had changed was told last.
    told: Option<Instant>,
    calm: Calm,
}

/// What comes in from the world.
#[derive(Debug)]
pub struct Incoming {
    /// What the watchers see.
    pub seen: Receiver<WatchEvent>,
    /// What becomes of actions.
    pub actions: UnboundedReceiver<ActionEvent>,
    /// Told by the loop when something happens.
    pub calm: Calm,
}

/// What the console has to do with history.
#[derive(Clone, Debug)]
pub struct Past {
    /// The log.
    pub history: Arc<dyn History>,
    /// The lists of each service, in the order of the services.
    pub feeds: Vec<Vec<&'static str>>,
    /// How far back ended tasks are shown at the start, in milliseconds.
    pub reach_ms: i64,
}

impl Live {
    /// Connects the console. `runtime` carries the requests; `ui_file` keeps what the operator arranged.
    #[must_use]
    pub fn connect(
        runtime: &Handle,
        operator: Operator,
        watchers: WatchHandle,
        incoming: Incoming,
        ui_file: Option<PathBuf>,
        past: Past,
    ) -> (Self, Receiver<Message>) {
        let (out, inbox) = mpsc::channel(QUEUE);
        let Incoming {
            seen,
            mut actions,
            calm,
        } = incoming;
        let known = past.tell(runtime, &out);
        runtime.spawn(forward(seen, known, out.clone(), calm.clone()));
        let forward = out.clone();
        runtime.spawn(async move {
            while let Some(event) = actions.recv().await {
                if forward.send(Message::Action(event)).await.is_err() {
                    return;
                }
            }
        });
        look_after(runtime, &operator, &out);
        remarks::follow(runtime, &past.history, &out);
        let live = Self {
            calm,
            past,
            recorder: Recorder::default(),
            told: None,
            operator,
            watchers,
            runtime: runtime.clone(),
            out,
            ui_file,
        };
        (live, inbox)
    }

    /// Another way in, for what is not learnt from services.
    #[must_use]
    pub fn sender(&self) -> Sender<Message> {
        self.out.clone()
    }

    fn save(&self, ui: SavedUi) {
        let Some(file) = self.ui_file.clone() else {
            return;
        };
        let out = self.out.clone();
        self.runtime.spawn_blocking(move || {
            if let Err(e) = write(&file, &ui) {
                let what = format!(
                    "the arrangement of the screen could not be kept in {}: {e}",
                    file.display()
                );
                // the loop may be gone already when the program ends
                let _ = out.blocking_send(Message::Notice(what));
            }
        });
    }
}

impl Past {
    /// Tells the console what history knows, and from then on whether it is written. What is given ends once all
    /// that is known was told.
    fn tell(&self, runtime: &Handle, out: &Sender<Message>) -> oneshot::Receiver<()> {
        let (past, tell) = (self.clone(), out.clone());
        let (told, known) = oneshot::channel();
        runtime.spawn_blocking(move || {
            // what can't be read is told as the health of history
            let _ = past.tell_known(&tell);
            // nobody waits for it any more when it took long
            let _ = told.send(());
        });
        let mut changes = self.history.health_changes();
        changes.mark_changed();
        let (history, tell) = (Arc::clone(&self.history), out.clone());
        runtime.spawn(async move {
            while changes.changed().await.is_ok() {
                let health = Box::new(history.health());
                if tell.send(Message::History(health)).await.is_err() {
                    return;
                }
            }
        });
        known
    }

    /// What was known at an instant, and the transitions before it.
    fn then(&self, at: Timestamp) -> Result<(Box<Board>, Vec<Entry>), HistoryError> {
        let since = at.plus(-self.reach_ms);
        let board = self.history.board(Some(at), since, MOST_KNOWN)?;
        let window = Window {
            from: Some(at.plus(-NEWS_MS)),
            // what was seen at this instant has happened
            until: Some(at.plus(1)),
            limit: MOVES,
        };
        Ok((Box::new(board), self.history.happened(&window)?))
    }

    /// When the nearest transition before or after an instant was seen.
    fn step(&self, from: Timestamp, on: bool) -> Result<Timestamp, HistoryError> {
        let moved = |e: &Entry| {
            matches!(
                e.happened,
                Happened::Moved { .. } | Happened::Changed { .. }
            )
        };
        // a window tells its newest entries: those that end here grow back, those that begin here must be short
        for reach in STEPS_MS {
            let window = if on {
                Window {
                    from: Some(from.plus(1)),
                    until: Some(from.plus(reach)),
                    limit: MOVES,
                }
            } else {
                Window {
                    from: Some(from.plus(-reach)),
                    until: Some(from),
                    limit: MOVES,
                }
            };
            let mut entries = self.history.happened(&window)?;
            // the newest fill the answer: what came before them is asked for until nothing is left out
            while let (true, Some(first)) = (on && entries.len() >= MOVES, entries.first()) {
                let until = first.at;
                if until <= from.plus(1) {
                    break;
                }
                let earlier = self.history.happened(&Window {
                    until: Some(until),
                    ..window
                })?;
                if earlier.is_empty() {
                    break;
                }
                entries = earlier;
            }
            let mut found = entries.into_iter().filter(moved);
            let found = if on { found.next() } else { found.next_back() };
            if let Some(entry) = found {
                return Ok(entry.at);
            }
        }
        let side = if on { "after" } else { "before" };
        Err(HistoryError::new(
            format!("history knows no transition {side} this"),
            "",
        ))
    }

    /// What was known, in pieces small enough to go between two frames.
    fn tell_known(&self, tell: &Sender<Message>) -> Result<(), HistoryError> {
        let now = Timestamp::now();
        let since = now.plus(-self.reach_ms);
        let mut board = self.history.board(None, since, MOST_KNOWN)?;
        let window = Window {
            from: Some(now.plus(-NEWS_MS)),
            until: None,
            limit: MOVES,
        };
        let moves = self.history.happened(&window)?;
        let mut tasks = std::mem::take(&mut board.tasks).into_iter();
        let services = board.services.clone();
        let mut piece = board;
        loop {
            piece.tasks = tasks.by_ref().take(PIECE).collect();
            let last = tasks.len() == 0;
            let known = Known {
                board: piece,
                feeds: self.feeds.clone(),
                moves: if last { moves.clone() } else { Vec::new() },
                last,
            };
            if tell.blocking_send(Message::Known(Box::new(known))).is_err() || last {
                return Ok(());
            }
            piece = Board {
                services: services.clone(),
                ..Board::default()
            };
        }
    }
}

/// Hands on what services tell, after what was known before: an answer replaces what is remembered, not the other way
/// round. It does not wait for ever for a disk that is slow. While nothing happens events gather on the way.
async fn forward(
    mut seen: Receiver<WatchEvent>,
    known: oneshot::Receiver<()>,
    out: Sender<Message>,
    calm: Calm,
) {
    let _ = tokio::time::timeout(KNOWN_WITHIN, known).await;
    let mut lot = Vec::with_capacity(LOT);
    while seen.recv_many(&mut lot, LOT).await > 0 {
        if calm.gather_events(&mut seen, &mut lot, QUEUE).await {
            let events = std::mem::take(&mut lot);
            if out.send(Message::Lot(events)).await.is_err() {
                return;
            }
        }
        for event in lot.drain(..) {
            if out.send(Message::Watch(event)).await.is_err() {
                return;
            }
        }
    }
}

/// Takes over what earlier runs left open, tells the console, and looks what became of it.
fn look_after(runtime: &Handle, operator: &Operator, out: &Sender<Message>) {
    let (operator, out) = (operator.clone(), out.clone());
    runtime.spawn(async move {
        let taker = operator.clone();
        let taken = tokio::task::spawn_blocking(move || taker.take_over()).await;
        // a history that can't be read is told as such
        let Ok(Ok(records)) = taken else { return };
        if records.is_empty() || out.send(Message::Earlier(records.clone())).await.is_err() {
            return;
        }
        let looks = records.iter().map(|record| operator.resolve(record));
        futures_util::future::join_all(looks).await;
    });
}

/// Written beside and moved into place, so that a crash leaves the old file or the new one.
fn write(file: &std::path::Path, ui: &SavedUi) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let text = toml::to_string(ui).map_err(std::io::Error::other)?;
    let beside = file.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}

/// What the operator arranged the last time; nothing when there is no file, and a sentence when it can't
/// be read.
#[must_use]
pub fn saved_ui(file: Option<&std::path::Path>) -> (SavedUi, Option<String>) {
    let Some(file) = file else {
        return (SavedUi::default(), None);
    };
    match std::fs::read_to_string(file) {
        Ok(text) => match toml::from_str(&text) {
            Ok(ui) => (ui, None),
            Err(e) => {
                let what = format!(
                    "{} can't be read and is not used: {}",
                    file.display(),
                    e.message()
                );
                (SavedUi::default(), Some(what))
            }
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => (SavedUi::default(), None),
        Err(e) => (
            SavedUi::default(),
            Some(format!("{} can't be read: {e}", file.display())),
        ),
    }
}

impl Backend for Live {
    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare { ask, intent } => {
                let operator = self.operator.clone();
                let out = self.out.clone();
                self.runtime.spawn(async move {
                    let result = operator.prepare(&intent).await.map(Box::new);
                    let _ = out.send(Message::Prepared { ask, result }).await;
                });
            }
            Effect::Send(confirmed) => {
                let operator = self.operator.clone();
                self.runtime
                    .spawn(async move { operator.send(*confirmed).await });
            }
            Effect::Note {
                event,
                expects_task,
            } => self.operator.note(&event, expects_task),
            Effect::Timeline { subject, until } => {
                let (past, out) = (self.past.clone(), self.out.clone());
                self.runtime.spawn_blocking(move || {
                    let window = Window {
                        until,
                        ..Window::default()
                    };
                    let result = past.history.timeline(&subject, &window);
                    let _ = out.blocking_send(Message::Timeline { subject, result });
                });
            }
            Effect::GoBack(at) => {
                let (past, out) = (self.past.clone(), self.out.clone());
                self.runtime.spawn_blocking(move || {
                    let result = past.then(at);
                    let _ = out.blocking_send(Message::Then { at, result });
                });
            }
            Effect::Step { from, on } => {
                let (past, out) = (self.past.clone(), self.out.clone());
                self.runtime.spawn_blocking(move || {
                    let (at, result) = match past.step(from, on) {
                        Ok(at) => (at, past.then(at)),
                        Err(error) => (from, Err(error)),
                    };
                    let _ = out.blocking_send(Message::Then { at, result });
                });
            }
            Effect::PollNow(service) => self.watchers.poll_now(service),
            Effect::Busy(service, busy) => self.watchers.set_busy(service, busy),
            Effect::LookUp {
                service,
                task,
                first,
            } => self.watchers.look_up(service, task, first),
            Effect::SaveUi(ui) => self.save(*ui),
            Effect::Remark { remarks, what } => {
                let history = &self.past.history;
                remarks::keep(&self.runtime, history, &self.out, remarks, what);
            }
            Effect::Copy { .. }
            | Effect::Repaint
            | Effect::Suspend
            | Effect::Now
            | Effect::Quit => {}
        }
    }

    fn keep(&mut self, store: &Store, now: Timestamp) -> Option<Duration> {
        if !self.past.history.keeps() || !self.recorder.is_behind(store) {
            return None;
        }
        let passed = self.told.map_or(GATHER, |told| told.elapsed());
        if passed < GATHER {
            return Some(GATHER - passed);
        }
        match self.recorder.tell(store, &*self.past.history, now, ROWS) {
            Told::All => {
                self.told = Some(Instant::now());
                None
            }
            Told::Part => Some(SOON),
            Told::HeldUp => Some(LATER),
        }
    }

    fn stirred(&mut self) {
        self.calm.stir();
    }

    fn is_calm(&self) -> bool {
        self.calm.holds()
    }

    fn keep_rest(&mut self, store: &Store, now: Timestamp) {
        self.recorder.end();
        let begun = Instant::now();
        while begun.elapsed() < REST_WITHIN {
            match self.recorder.tell(store, &*self.past.history, now, ROWS) {
                Told::All => return,
                Told::Part => {}
                Told::HeldUp => std::thread::sleep(SOON),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Health, ServiceId};

    #[tokio::test]
    async fn what_was_known_is_told_before_any_service_answers() {
        let (out, mut inbox) = mpsc::channel(8);
        let (tell, seen) = mpsc::channel(8);
        let (told, known) = oneshot::channel();
        let answer = WatchEvent::Health {
            service: ServiceId(0),
            health: Health::Connecting,
        };
        tell.send(answer).await.expect("room");
        let forwarding = tokio::spawn(forward(seen, known, out.clone(), Calm::default()));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        out.send(Message::Notice("known".to_owned()))
            .await
            .expect("room");
        told.send(()).expect("it is waited for");
        drop(tell);
        forwarding.await.expect("it ends with the watchers");
        assert!(matches!(inbox.recv().await, Some(Message::Notice(_))));
        assert!(matches!(inbox.recv().await, Some(Message::Watch(_))));
    }
}
