//! The one thread that writes.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use uuid::Uuid;

use super::claim::RunLock;
use super::filter::Filter;
use super::keys;
use super::limits::Keeper;
use super::put_task::{Live, MoveRow};
use super::queue::Queue;
use super::words::Words;
use super::{Shared, fault, open};
use crate::model::Timestamp;
use crate::store::history::saving::Done;
use crate::store::history::{Event, HistoryError, ServiceKey};

/// So many events go into one transaction: readers and other writers are held up for no longer than that.
const BATCH: usize = 2_000;
/// What need not be on the disk at once is gathered for so long: what follows goes into the same transaction, and
/// a page of the file that several rows touch is written once.
const GATHER: Duration = Duration::from_millis(500);
/// The first wait after a failure, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Answers further apart than this belong to two stretches, in milliseconds.
const BREAK_MS: i64 = 15 * 60_000;
/// The clock jumped when it differs by so much from what has passed, in milliseconds.
const JUMP_MS: i64 = 60_000;

/// What the writer is asked.
pub(super) enum Command {
    /// Write these as soon as may be.
    Record(Vec<Event>),
    /// Write these now, and say when it is done.
    Save(Vec<Event>, Done),
    /// Take over what runs that are gone left open; where the answer goes.
    Claim(Sender<Result<Vec<Uuid>, HistoryError>>),
}

/// The stretch in which a service answers now.
#[derive(Clone, Copy)]
struct Stretch {
    since: i64,
    until: i64,
}

/// After so many events it is looked whether numbers of tasks should be worked in.
const LOOK_AFTER: usize = 8_192;

/// What is known of the file while it is open.
#[derive(Default)]
pub(super) struct Cache {
    pub(super) words: Words,
    pub(super) live: Live,
    pub(super) filter: Filter,
    services: HashMap<ServiceKey, i64>,
    /// This run's row.
    writer: Option<i64>,
    answers: HashMap<i64, Stretch>,
    /// Moves when somebody else wrote: `PRAGMA data_version`.
    version: i64,
}

/// One transaction's view: where rows go, and who writes them.
pub(super) struct Batch<'b> {
    pub(super) c: &'b Connection,
    pub(super) cache: &'b mut Cache,
    pub(super) shared: &'b Shared,
    pub(super) writer: i64,
    /// The number of the next event of this run.
    pub(super) next: &'b mut u64,
    /// Entries that are not written yet.
    pub(super) moves: Vec<MoveRow>,
}

/// The writer.
pub(super) struct Writer {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    cache: Cache,
    /// Taken and not yet saved.
    pending: Queue,
    /// When what is gathered is written.
    gathered: Option<Instant>,
    /// How far a commit of the connection reaches: `PRAGMA synchronous`.
    synced: Option<&'static str>,
    next: u64,
    retry: Option<(Instant, Duration)>,
    keeper: Keeper,
    /// Events written since what waits to be worked in was last counted.
    unmerged: usize,
    run_lock: Option<RunLock>,
    clock: (Instant, Timestamp),
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            keeper: Keeper::new(&shared.options, now),
            shared,
            connection: None,
            cache: Cache::default(),
            pending: Queue::default(),
            gathered: None,
            synced: None,
            next: 1,
            retry: None,
            unmerged: 0,
            run_lock: None,
            clock: (now, Timestamp::now()),
        }
    }

    /// Writes until nobody sends any more.
    pub(super) fn run(mut self, inbox: &Receiver<Command>) {
        if let Err(error) = self.open() {
            self.failed(error);
        }
        self.shared.opened.get_or_init(|| ());
        loop {
            let command = match self.wait() {
                Some(wait) => inbox.recv_timeout(wait),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(command) => {
                    self.take(command);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.is_due() && self.is_gathered() {
                self.flush_if_possible();
            }
            self.tidy();
        }
        self.end();
    }

    /// How long nothing has to be done unless somebody sends; `None` for ever.
    fn wait(&self) -> Option<Duration> {
        // while nothing can be written, what is gathered waits for the next try
        let write = self.retry.map(|(due, _)| due).or(self.gathered);
        let due = [write, self.keeper.due()].into_iter().flatten().min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// True when what waits has waited long enough, or there is as much of it as goes into one transaction.
    fn is_gathered(&self) -> bool {
        self.retry.is_some()
            || self.pending.len() >= BATCH
            || self.gathered.is_some_and(|due| due <= Instant::now())
    }

    /// True when writing may be tried: nothing failed, or long enough ago.
    fn is_due(&self) -> bool {
        self.retry.is_none_or(|(due, _)| due <= Instant::now())
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Record(events) => {
                let durable = events.iter().any(is_durable);
                for event in events {
                    if let Some(bytes) = self.pending.push(event) {
                        self.shared.waits_no_more(1, bytes);
                    }
                }
                if durable && self.is_due() {
                    self.flush_if_possible();
                } else if self.gathered.is_none() {
                    self.gathered = Some(Instant::now() + GATHER);
                }
            }
            Command::Save(events, done) => {
                let result = self.save(events);
                // whoever asked may have gone: it is saved all the same
                let _ = done.send(result);
            }
            Command::Claim(reply) => {
                let _ = reply.send(self.claim());
            }
        }
    }

    /// Writes everything that waits; what can't be written waits on.
    fn flush(&mut self) -> Result<(), HistoryError> {
        self.gathered = None;
        while !self.pending.is_empty() {
            let batch = self.pending.take(BATCH);
            match self.write(&batch, false) {
                Ok(()) => {
                    self.merge_keys(batch.len());
                    let bytes = batch.iter().map(Event::bytes).sum();
                    self.shared.waits_no_more(batch.len(), bytes);
                }
                Err(error) => {
                    self.pending.put_back(batch);
                    return Err(self.failed(error));
                }
            }
        }
        self.works()
    }

    /// Works the numbers of new tasks in where they became many. What can't be done now is done with the next ones:
    /// they are found where they are as well.
    fn merge_keys(&mut self, written: usize) {
        self.unmerged += written;
        if self.unmerged < LOOK_AFTER {
            return;
        }
        self.unmerged = 0;
        if let Some(connection) = self.connection.as_mut() {
            let _ = keys::merge_if_many(connection);
        }
    }

    /// The same, where nobody waits for it: what can't be written is tried again.
    fn flush_if_possible(&mut self) {
        let _ = self.flush();
    }

    fn save(&mut self, events: Vec<Event>) -> Result<(), HistoryError> {
        self.flush()?;
        match self.write(&events, true) {
            Ok(()) => {
                // what was asked for is saved, whatever becomes of telling the gap
                let _ = self.works();
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Notes why something could not be written, and when it is tried again. The error is given back.
    fn failed(&mut self, error: HistoryError) -> HistoryError {
        let wait = self
            .retry
            .map_or(RETRY.0, |(_, wait)| (wait * 2).min(RETRY.1));
        self.retry = Some((Instant::now() + wait, wait));
        self.shared.failing(error.clone());
        error
    }

    /// Notes that everything was written.
    fn works(&mut self) -> Result<(), HistoryError> {
        if let Some((since, error)) = self.shared.trouble() {
            let what = format!(
                "history could not be written from {since} on ({}); what changed in between was written when it could \
                 be again",
                error.what
            );
            let incident = Event::Incident {
                at: Timestamp::now(),
                what,
            };
            if let Err(error) = self.write(&[incident], false) {
                return Err(self.failed(error));
            }
        }
        self.shared
            .saved_at
            .store(Timestamp::now().0, Ordering::Relaxed);
        self.retry = None;
        // last, so that whoever waits for it finds the gap told
        self.shared.working();
        Ok(())
    }

    /// Writes events in one transaction. A damaged file is set aside once and they go into the new one.
    /// `whole`: all of them or none.
    fn write(&mut self, events: &[Event], whole: bool) -> Result<(), HistoryError> {
        let jump = self.clock_jump();
        if events
            .iter()
            .any(|e| matches!(e, Event::Action(_) | Event::Step(_)))
        {
            self.hold_lock();
        }
        for attempt in 0..2 {
            self.open()?;
            let result = self.transact(events, jump.as_ref(), whole);
            let Err(error) = result else {
                self.keeper.wrote(events.len());
                return Ok(());
            };
            self.cache.forget();
            if fault::is_damage(&error) && attempt == 0 {
                self.replace_damaged(&error)?;
            } else {
                let target = self.shared.target();
                return Err(fault::explain(&error, &target));
            }
        }
        Ok(())
    }

    fn transact(
        &mut self,
        events: &[Event],
        jump: Option<&Event>,
        whole: bool,
    ) -> rusqlite::Result<()> {
        let Some(connection) = self.connection.as_mut() else {
            return Ok(());
        };
        let durable = events.iter().any(is_durable);
        let level = if durable { "FULL" } else { "NORMAL" };
        if self.synced != Some(level) {
            connection.pragma_update(None, "synchronous", level)?;
            self.synced = Some(level);
        }
        let mut tx = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let before = self.next;
        let result = put_all(
            &tx,
            &mut self.cache,
            &self.shared,
            &mut self.next,
            jump.into_iter().chain(events),
        );
        if let Err(error) = result {
            self.next = before;
            if whole || !fault::is_ours(&error) {
                return Err(error);
            }
            // one event that can't be written must not hold up the others for ever: one by one
            drop(tx);
            self.cache.forget();
            let Some(connection) = self.connection.as_mut() else {
                return Ok(());
            };
            tx = Transaction::new(connection, TransactionBehavior::Immediate)?;
            let mut lost = 0;
            for event in events {
                let point = tx.savepoint()?;
                let one = std::iter::once(event);
                match put_all(&point, &mut self.cache, &self.shared, &mut self.next, one) {
                    Ok(()) => point.commit()?,
                    Err(e) if fault::is_ours(&e) => {
                        self.cache.forget();
                        lost += 1;
                    }
                    Err(e) => return Err(e),
                }
            }
            if lost > 0 {
                self.shared.lost(lost);
            }
        }
        tx.commit()
    }

    /// An incident when the clock was set: entries before and after don't follow each other by their times.
    fn clock_jump(&mut self) -> Option<Event> {
        let (then, told) = self.clock;
        let (now, clock) = (Instant::now(), Timestamp::now());
        self.clock = (now, clock);
        let passed = i64::try_from(now.duration_since(then).as_millis()).unwrap_or(i64::MAX);
        let off = clock.since(told.plus(passed));
        // a suspended machine looks like a jump ahead; what its clock shows then is right
        if off.abs() < JUMP_MS {
            return None;
        }
        self.keeper.clock_jumped();
        Some(Event::Incident {
            at: clock,
            what: format!(
                "this machine's clock jumped by {} s, or the machine slept: it showed {told}, and {} s later {clock}",
                off / 1000,
                passed / 1000
            ),
        })
    }

    /// Opens the file anew when it is not open.
    fn open(&mut self) -> Result<(), HistoryError> {
        if self.connection.is_some() {
            return Ok(());
        }
        let opened = open::open(&self.shared.options);
        self.shared.notice(opened.notices);
        let connection = opened.connection?;
        self.cache = Cache::default();
        self.synced = None;
        self.keeper.opened_anew();
        {
            let mut target = self
                .shared
                .target
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *target = opened.target;
            self.shared.epoch.fetch_add(1, Ordering::AcqRel);
        }
        self.connection = Some(connection);
        Ok(())
    }

    fn replace_damaged(&mut self, error: &rusqlite::Error) -> Result<(), HistoryError> {
        let target = self.shared.target();
        self.connection = None;
        self.cache = Cache::default();
        let notices = open::set_aside_if_damaged(&target, &error.to_string())?;
        self.shared.notice(notices);
        Ok(())
    }

    /// Shows other programs that this one still looks after its actions.
    fn hold_lock(&mut self) {
        if self.run_lock.is_none() {
            let target = self.shared.target();
            self.run_lock = RunLock::take(&target, self.shared.options.identity.writer);
        }
    }

    fn claim(&mut self) -> Result<Vec<Uuid>, HistoryError> {
        self.hold_lock();
        self.open()?;
        let target = self.shared.target();
        let Some(connection) = self.connection.as_mut() else {
            return Ok(Vec::new());
        };
        let claimed = Transaction::new(connection, TransactionBehavior::Immediate).and_then(|tx| {
            let writer = self.cache.writer(&tx, &self.shared)?;
            let who = &self.shared.options.identity;
            let ids = super::claim::abandoned(&tx, &target, who)?;
            super::claim::claim(&tx, writer, &ids)?;
            tx.commit()?;
            Ok(ids)
        });
        claimed.map_err(|e| {
            self.cache.forget();
            fault::explain(&e, &target)
        })
    }

    /// Keeps the file within its limits, a little at a time, when nothing else is to be done.
    fn tidy(&mut self) {
        if !self.keeper.is_due(Instant::now()) {
            return;
        }
        let Some(connection) = self.connection.as_mut() else {
            self.keeper.put_off(Instant::now());
            return;
        };
        let stepped = self.keeper.step(connection, &self.shared.options);
        if !matches!(stepped, Ok(false)) {
            // what went may be among what is remembered
            self.cache.live.forget();
        }
        if let Err(error) = stepped {
            let target = self.shared.target();
            self.keeper.put_off(Instant::now());
            if fault::is_damage(&error) && self.replace_damaged(&error).is_err() {
                self.failed(fault::explain(&error, &target));
            }
        }
    }

    /// Saves what is left and closes the file.
    fn end(&mut self) {
        self.flush_if_possible();
        if let Some(connection) = self.connection.take() {
            // a small log is left for the next start: copying it into the file waits for the disk several times
            let target = self.shared.target();
            let left = open::has_small_log(&target) && open::leave_log(&connection).is_ok();
            if !left {
                // the next start has less to read; both are done again then when they fail now
                let _ =
                    connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(PASSIVE);");
            }
        }
        if let Some(lock) = self.run_lock.take() {
            lock.release();
        }
    }
}

/// What an operator did or said is synced to the disk.
const fn is_durable(event: &Event) -> bool {
    matches!(event, Event::Action(_) | Event::Step(_) | Event::Remark(_))
}

fn put_all<'e>(
    c: &Connection,
    cache: &mut Cache,
    shared: &Shared,
    next: &mut u64,
    events: impl Iterator<Item = &'e Event>,
) -> rusqlite::Result<()> {
    let version = c.pragma_query_value(None, "data_version", |row| row.get(0))?;
    if cache.version != version {
        cache.version = version;
        cache.live.forget();
        cache.filter.forget();
    }
    let writer = cache.writer(c, shared)?;
    let mut batch = Batch {
        c,
        cache,
        shared,
        writer,
        next,
        moves: Vec::new(),
    };
    for event in events {
        batch.put(event)?;
    }
    batch.write_moves()
}

impl Cache {
    /// Forgets what may have been rolled back.
    fn forget(&mut self) {
        self.words.forget();
        self.live.forget();
        self.services.clear();
        self.writer = None;
    }

    /// This run's row, added with its first event.
    fn writer(&mut self, c: &Connection, shared: &Shared) -> rusqlite::Result<i64> {
        if let Some(writer) = self.writer {
            return Ok(writer);
        }
        let who = &shared.options.identity;
        let held: Option<i64> = c
            .prepare_cached("SELECT id FROM writer WHERE uuid = ?1")?
            .query_row([who.writer.0.as_bytes().as_slice()], |row| row.get(0))
            .optional()?;
        let id = match held {
            Some(id) => id,
            None => c
                .prepare_cached(
                    "INSERT INTO writer (uuid, operator, host, pid, program, started_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .insert((
                    who.writer.0.as_bytes().as_slice(),
                    &who.operator,
                    &who.host,
                    who.pid,
                    concat!("keepwatch ", env!("CARGO_PKG_VERSION")),
                    Timestamp::now().0,
                ))?,
        };
        self.writer = Some(id);
        Ok(id)
    }
}

impl Batch<'_> {
    fn put(&mut self, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Answered { service, at } => self.put_answer(service, *at),
            Event::Task(seen) => self.put_task(seen),
            Event::Party(seen) => self.put_party(seen),
            Event::Action(head) => self.put_action(head),
            Event::Step(step) => self.put_step(step),
            Event::Remark(remark) => self.put_remark(remark),
            Event::Incident { at, what } => {
                let n = self.number();
                self.c
                    .prepare_cached(
                        "INSERT INTO incident (writer, n, at, what) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((self.writer, n, at.0, what))?;
                Ok(())
            }
        }
    }

    /// The number of one more event of this run.
    pub(super) fn number(&mut self) -> i64 {
        let n = *self.next;
        *self.next += 1;
        i64::try_from(n).unwrap_or(i64::MAX)
    }

    pub(super) fn word(&mut self, text: &str) -> rusqlite::Result<i64> {
        self.cache.words.put(self.c, text)
    }

    pub(super) fn service(&mut self, key: &ServiceKey) -> rusqlite::Result<i64> {
        if let Some(id) = self.cache.services.get(key) {
            return Ok(*id);
        }
        let held: Option<i64> = self
            .c
            .prepare_cached("SELECT id FROM service WHERE name = ?1 AND kind = ?2")?
            .query_row((&*key.name, &*key.kind), |row| row.get(0))
            .optional()?;
        let id = match held {
            Some(id) => id,
            None => self
                .c
                .prepare_cached("INSERT INTO service (name, kind) VALUES (?1, ?2)")?
                .insert((&*key.name, &*key.kind))?,
        };
        self.cache.services.insert(key.clone(), id);
        Ok(id)
    }

    fn put_answer(&mut self, key: &ServiceKey, at: Timestamp) -> rusqlite::Result<()> {
        let service = self.service(key)?;
        let stretch = match self.cache.answers.get_mut(&service) {
            Some(s) if at.0 >= s.since && at.0 - s.until <= BREAK_MS => {
                s.until = s.until.max(at.0);
                *s
            }
            // a long silence, or a clock that was set back
            _ => {
                let new = Stretch {
                    since: at.0,
                    until: at.0,
                };
                self.cache.answers.insert(service, new);
                new
            }
        };
        self.c
            .prepare_cached(
                "INSERT INTO answered (service, writer, since, until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
            )?
            .execute((service, self.writer, stretch.since, stretch.until))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Sqlite};
    use super::*;

    #[test]
    fn each_try_in_vain_doubles_the_wait_once() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let place = dir.path().join("state");
        std::fs::write(&place, "a file stands where the directory should be").expect("written");
        let history = Sqlite::open(Options::file(place.join("history.db")));
        let mut writer = Writer::new(Arc::clone(&history.shared));
        let mut waits = Vec::new();
        for _ in 0..7 {
            writer.save(Vec::new()).expect_err("no place for it");
            waits.push(writer.retry.map(|(_, wait)| wait.as_secs()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30].map(Some));
        std::fs::remove_file(&place).expect("removed");
        writer.save(Vec::new()).expect("there is room now");
        assert!(writer.retry.is_none());
    }
}
