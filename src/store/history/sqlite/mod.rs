//! History in a file: SQLite, written by one thread of each program, read from any.
//!
//! WAL keeps readers and writers of several programs out of each other's way. What was committed survives the
//! death of the program in any case; commits that hold what an operator did or said are also synced to the disk
//! (`synchronous = FULL`), so that they survive the death of the machine. The rest is written with
//! `synchronous = NORMAL`: a power cut may cost its last moments, never the file.

mod claim;
mod fault;
mod filter;
mod keys;
mod limits;
mod open;
mod put_action;
mod put_party;
mod put_task;
mod queue;
mod read_actions;
mod read_board;
mod read_task;
mod read_timeline;
mod reader;
mod schema;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    ActionQuery, ActionStory, Board, Entry, Event, History, HistoryError, HistoryHealth,
    HistoryState, Identity, Place, Remark, RemarkQuery, Saving, Subject, Window,
};
use crate::model::Timestamp;
use writer::{Command, Writer};

/// More events than this are not held while they can't be saved, nor more bytes of them.
const MOST_WAITING: (usize, usize) = (200_000, 64 << 20);
/// How long the end of the program waits for the last events.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where history is kept, and how much of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// A file, or memory for this run only.
    pub place: Place,
    /// What happened to tasks, devices and policies is kept for so many days.
    pub keep_days: u32,
    /// Actions, acknowledgements and notes are kept for so many days.
    pub keep_actions_days: u32,
    /// The file grows to about so many bytes; then the oldest tasks go first. Actions, acknowledgements and
    /// notes don't go for want of room.
    pub max_bytes: u64,
    /// Who writes.
    pub identity: Identity,
    /// The largest file that SQLite itself allows, in pages; for tests of a full disk.
    pub max_pages: Option<u32>,
}

impl Options {
    /// In a file, with the defaults.
    #[must_use]
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self {
            place: Place::File(path.into()),
            ..Self::memory()
        }
    }

    /// In memory, for this run only.
    #[must_use]
    pub fn memory() -> Self {
        Self {
            place: Place::Memory,
            keep_days: 90,
            keep_actions_days: 730,
            max_bytes: 512 << 20,
            identity: Identity::of_this_process(),
            max_pages: None,
        }
    }
}

/// What the writer and the others share.
#[derive(Debug)]
struct Shared {
    options: Options,
    /// The file or the name in memory that is open now; moves with `epoch`.
    target: Mutex<open::Target>,
    /// Set once it was tried to open it.
    opened: OnceLock<()>,
    /// Moves when another file is opened in its place: connections of before are stale.
    epoch: AtomicU64,
    health: watch::Sender<HistoryHealth>,
    /// Events taken and not yet saved, and about how many bytes they hold.
    waiting: AtomicUsize,
    waiting_bytes: AtomicUsize,
    saved_at: AtomicI64,
}

/// History in SQLite.
#[derive(Debug)]
pub struct Sqlite {
    shared: Arc<Shared>,
    commands: Mutex<Option<Sender<Command>>>,
    thread: Mutex<Option<(JoinHandle<()>, mpsc::Receiver<()>)>>,
    readers: reader::Readers,
}

impl Sqlite {
    /// Opens the history, or begins it. This never fails as a whole: a damaged or foreign file is set aside, and
    /// when nothing can be written that is told by [`History::health`] and tried again.
    #[must_use]
    pub fn open(options: Options) -> Self {
        let history = Self::begin(options);
        history.shared.opened.wait();
        history
    }

    /// The same without waiting for the disk: the writer opens the file, and questions wait for that. What the
    /// person has to know of it is told by [`History::health_changes`].
    #[must_use]
    pub fn begin(options: Options) -> Self {
        let health = HistoryHealth {
            place: options.place.clone(),
            state: HistoryState::Writing,
            waiting: 0,
            saved_at: None,
            lost: 0,
            notices: Vec::new(),
        };
        let shared = Arc::new(Shared {
            target: Mutex::new(open::wanted(&options)),
            opened: OnceLock::new(),
            epoch: AtomicU64::new(0),
            health: watch::Sender::new(health),
            waiting: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            saved_at: AtomicI64::new(i64::MIN),
            options,
        });
        let (commands, inbox) = mpsc::channel();
        let (ended, end) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared));
        let spawned = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                crate::threads::give_way();
                writer.run(&inbox);
                // nobody waits for the end only when the program is gone already
                let _ = ended.send(());
            });
        let thread = match spawned {
            Ok(thread) => Some((thread, end)),
            Err(e) => {
                let error = HistoryError::new(
                    format!("history can't be written: no thread for it: {e}"),
                    "",
                );
                shared.failing(error);
                shared.opened.get_or_init(|| ());
                None
            }
        };
        Self {
            shared,
            commands: Mutex::new(Some(commands)),
            thread: Mutex::new(thread),
            readers: reader::Readers::default(),
        }
    }

    fn send(&self, command: Command) -> bool {
        let guard = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().is_some_and(|c| c.send(command).is_ok())
    }
}

impl Shared {
    /// What is open now.
    fn target(&self) -> open::Target {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes that writing fails; the first failure counts as the beginning.
    fn failing(&self, error: HistoryError) {
        self.health.send_if_modified(|health| {
            let since = match &health.state {
                HistoryState::Failing { error: held, .. } if *held == error => return false,
                HistoryState::Failing { since, .. } => *since,
                _ => Timestamp::now(),
            };
            health.state = HistoryState::Failing { since, error };
            true
        });
    }

    /// Since when writing fails, and why; `None` while it works.
    fn trouble(&self) -> Option<(Timestamp, HistoryError)> {
        match &self.health.borrow().state {
            HistoryState::Failing { since, error } => Some((*since, error.clone())),
            _ => None,
        }
    }

    /// Notes that writing works.
    fn working(&self) {
        self.health.send_if_modified(|health| {
            let failed = matches!(health.state, HistoryState::Failing { .. });
            if failed {
                health.state = HistoryState::Writing;
            }
            failed
        });
    }

    fn waits(&self, events: usize, bytes: usize) {
        self.waiting.fetch_add(events, Ordering::Relaxed);
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn waits_no_more(&self, events: usize, bytes: usize) {
        self.waiting.fetch_sub(events, Ordering::Relaxed);
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn notice(&self, notices: Vec<String>) {
        if !notices.is_empty() {
            self.health
                .send_modify(|health| health.notices.extend(notices));
        }
    }

    fn lost(&self, events: usize) {
        self.health
            .send_modify(|health| health.lost = health.lost.saturating_add(events as u64));
    }
}

/// These actions with their steps.
fn stories_of(c: &Connection, ids: &[Uuid]) -> rusqlite::Result<Vec<ActionStory>> {
    let mut all = Vec::new();
    for id in ids {
        let query = ActionQuery {
            id: Some(*id),
            ..ActionQuery::default()
        };
        all.extend(read_actions::stories(c, &query)?);
    }
    Ok(all)
}

impl History for Sqlite {
    fn record(&self, events: Vec<Event>) {
        let count = events.len();
        if count == 0 {
            return;
        }
        let bytes = events.iter().map(Event::bytes).sum();
        let waiting = self.shared.waiting.load(Ordering::Relaxed);
        let held = self.shared.waiting_bytes.load(Ordering::Relaxed);
        if waiting + count > MOST_WAITING.0 || held + bytes > MOST_WAITING.1 {
            self.shared.lost(count);
            return;
        }
        self.shared.waits(count, bytes);
        if !self.send(Command::Record(events)) {
            self.shared.waits_no_more(count, bytes);
            self.shared.lost(count);
        }
    }

    fn save(&self, events: Vec<Event>) -> Saving {
        let (done, saving) = Saving::pair();
        // without a writer the other end is dropped, which ends the wait with an error
        let _ = self.send(Command::Save(events, done));
        saving
    }

    fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    fn health(&self) -> HistoryHealth {
        let mut health = self.shared.health.borrow().clone();
        health.waiting = self.waiting();
        let saved = self.shared.saved_at.load(Ordering::Relaxed);
        health.saved_at = (saved != i64::MIN).then_some(Timestamp(saved));
        health
    }

    fn health_changes(&self) -> watch::Receiver<HistoryHealth> {
        self.shared.health.subscribe()
    }

    fn identity(&self) -> &Identity {
        &self.shared.options.identity
    }

    fn timeline(&self, subject: &Subject, window: &Window) -> Result<Vec<Entry>, HistoryError> {
        self.readers.read(&self.shared, |c| {
            read_timeline::of(c, Some(subject), window)
        })
    }

    fn happened(&self, window: &Window) -> Result<Vec<Entry>, HistoryError> {
        self.readers
            .read(&self.shared, |c| read_timeline::of(c, None, window))
    }

    fn board(
        &self,
        at: Option<Timestamp>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Board, HistoryError> {
        self.readers
            .read(&self.shared, |c| read_board::board(c, at, since, limit))
    }

    fn actions(&self, query: &ActionQuery) -> Result<Vec<ActionStory>, HistoryError> {
        self.readers
            .read(&self.shared, |c| read_actions::stories(c, query))
    }

    fn claim_open_actions(&self) -> Result<Vec<ActionStory>, HistoryError> {
        let (reply, answer) = mpsc::channel();
        self.send(Command::Claim(reply));
        let ids = answer
            .recv()
            .unwrap_or_else(|_| Err(HistoryError::new("history has ended", "")))?;
        self.readers.read(&self.shared, |c| stories_of(c, &ids))
    }

    fn open_actions(&self) -> Result<Vec<ActionStory>, HistoryError> {
        self.readers.read(&self.shared, |c| {
            let target = self.shared.target();
            let ids = claim::abandoned(c, &target, &self.shared.options.identity)?;
            stories_of(c, &ids)
        })
    }

    fn remarks(&self, query: &RemarkQuery) -> Result<Vec<Remark>, HistoryError> {
        self.readers
            .read(&self.shared, |c| read_actions::remarks(c, query))
    }

    fn close(&self) {
        // first: the last to be closed leaves the log as it is, and the writer may want to copy it into the file
        self.readers.close();
        drop(
            self.commands
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((thread, end)) = thread
            && end.recv_timeout(PATIENCE).is_ok()
        {
            // it is over or as good as: nothing to wait for any more
            let _ = thread.join();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}
