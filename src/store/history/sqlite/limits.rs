//! Keeping the file within an age and a size, a little at a time.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::schema::{SETTLED, UNSETTLED};
use super::{Options, keys};
use crate::model::Timestamp;

/// The first look comes so long after the first event, so that a short command is not held up by it.
const FIRST: Duration = Duration::from_secs(20);
/// The time between two looks while something is written.
const EVERY: Duration = Duration::from_secs(600);
/// The time between two small steps of one look.
const STEP: Duration = Duration::from_millis(50);
/// So many events written bring the next look forward.
const MANY: usize = 50_000;
/// So many tasks or entries go in one step: other writers wait no longer than for that.
const ROWS: i64 = 2_000;
/// So many tasks go in one step for want of room.
const FOR_ROOM: i64 = 1_000;
/// One page of so many may be free.
const FREE_SHARE: u64 = 8;
const DAY_MS: i64 = 86_400_000;

/// Decides when to look, and what goes.
pub(super) struct Keeper {
    due: Option<Instant>,
    written: usize,
    /// The newest entry of an earlier run, once looked up: what a wrong clock of now can't move.
    newest_before: Option<Option<i64>>,
    /// The clock of this run can't be trusted: nothing goes by its age.
    jumped: bool,
    /// In this look nothing was found any more that is too old.
    aged: bool,
    age: Duration,
    started: Instant,
}

impl Keeper {
    pub(super) fn new(options: &Options, now: Instant) -> Self {
        Self {
            due: None,
            written: 0,
            newest_before: None,
            jumped: false,
            aged: false,
            age: Duration::from_secs(u64::from(options.keep_days) * 86_400),
            started: now,
        }
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Events were written: a look is worth while some time from now.
    pub(super) fn wrote(&mut self, events: usize) {
        self.written += events;
        let now = Instant::now();
        let due = now
            + if now < self.started + FIRST {
                FIRST
            } else {
                EVERY
            };
        if self.written >= MANY {
            self.due = Some(now);
        } else if self.due.is_none() {
            self.due = Some(due);
        }
    }

    pub(super) fn put_off(&mut self, now: Instant) {
        self.due = Some(now + EVERY);
    }

    pub(super) const fn clock_jumped(&mut self) {
        self.jumped = true;
    }

    pub(super) const fn opened_anew(&mut self) {
        self.newest_before = None;
    }

    /// One small step; looks again soon when there is more to do, and not before something was written
    /// otherwise. Says whether tasks went that were not settled.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        options: &Options,
    ) -> rusqlite::Result<bool> {
        self.written = 0;
        let now = Timestamp::now();
        let before = match self.newest_before {
            Some(known) => known,
            None => {
                let newest = newest(connection, options)?;
                self.newest_before = Some(newest);
                newest
            }
        };
        let mut gone = 0;
        let mut unsettled = 0;
        let tx = Transaction::new(connection, TransactionBehavior::Immediate)?;
        if !self.jumped && !self.aged {
            let reference = reference(now.0, before, self.age);
            let cut = |days: u32| reference.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
            let oldest = cut(options.keep_days);
            unsettled = drop_tasks(&tx, &format!("{UNSETTLED} AND seen_at < ?1"), oldest, ROWS)?;
            gone += unsettled + by_age(&tx, oldest)?;
            gone += actions_by_age(&tx, cut(options.keep_actions_days))?;
            // of many steps for want of room only the first looks for what is too old
            self.aged = gone == 0;
        }
        if gone == 0 && used(&tx)? > options.max_bytes {
            gone = drop_for_room(&tx, SETTLED)?;
            if gone == 0 {
                unsettled = drop_for_room(&tx, UNSETTLED)?;
                gone = unsettled;
            }
        }
        tx.commit()?;
        let given_back = give_back(connection)?;
        let more = gone > 0 || given_back;
        self.due = more.then(|| Instant::now() + STEP);
        self.aged &= more;
        Ok(unsettled > 0)
    }
}

/// The instant that ages are counted from: the clock, yet no further ahead of what earlier runs wrote than half
/// of what is kept, so that one wrong clock does not empty the file.
fn reference(now: i64, newest_before: Option<i64>, age: Duration) -> i64 {
    let half = i64::try_from(age.as_millis() / 2).unwrap_or(i64::MAX);
    newest_before.map_or(now, |newest| now.min(newest.saturating_add(half)))
}

/// The newest entry of earlier runs.
fn newest(c: &Connection, options: &Options) -> rusqlite::Result<Option<i64>> {
    c.query_row(
        "SELECT max(until) FROM answered WHERE writer NOT IN (SELECT id FROM writer WHERE uuid = ?1)",
        [options.identity.writer.0.as_bytes().as_slice()],
        |row| row.get(0),
    )
    .optional()
    .map(Option::flatten)
}

/// Gives pages that were freed back to the file system, some at a time, where they are many: a few are soon in use
/// again, and each that goes has another one moved to its place. Says whether there may be more.
fn give_back(c: &Connection) -> rusqlite::Result<bool> {
    let free = number(c, "freelist_count")?;
    if free <= number(c, "page_count")? / FREE_SHARE {
        return Ok(false);
    }
    let mut some = c.prepare_cached("PRAGMA incremental_vacuum(1000)")?;
    let mut rows = some.query([])?;
    while rows.next()?.is_some() {}
    Ok(number(c, "freelist_count")? < free)
}

/// What SQLite counts of the file.
fn number(c: &Connection, name: &str) -> rusqlite::Result<u64> {
    let n: i64 = c.pragma_query_value(None, name, |row| row.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Bytes in use; pages that were freed don't count.
pub(super) fn used(c: &Connection) -> rusqlite::Result<u64> {
    let pages = number(c, "page_count")?.saturating_sub(number(c, "freelist_count")?);
    Ok(pages.saturating_mul(number(c, "page_size")?))
}

/// What is too old, but for tasks that are not settled.
fn by_age(c: &Connection, cut: i64) -> rusqlite::Result<usize> {
    let settled = format!("{SETTLED} AND seen_hour <= ?1 / 3600000 AND seen_at < ?1");
    let mut gone = drop_tasks(c, &settled, cut, ROWS)?;
    // of tasks that moved since, the last entry before stays: it tells where they stood
    gone += c
        .prepare_cached(
            "DELETE FROM transition WHERE seq IN (
                 SELECT x.seq FROM transition x WHERE x.seen_at < ?1
                   AND EXISTS (SELECT 1 FROM transition l
                               WHERE l.task = x.task AND l.seq > x.seq AND l.seen_at < ?1)
                 LIMIT ?2)",
        )?
        .execute((cut, ROWS))?;
    gone += c
        .prepare_cached(
            "DELETE FROM party_change WHERE seq IN (
                 SELECT x.seq FROM party_change x WHERE x.seen_at < ?1
                   AND EXISTS (SELECT 1 FROM party_change l
                               WHERE l.party = x.party AND l.seq > x.seq AND l.seen_at < ?1)
                 LIMIT ?2)",
        )?
        .execute((cut, ROWS))?;
    // devices and policies that were gone already by then
    let parties = c
        .prepare_cached(
            "DELETE FROM party WHERE seen_at < ?1 AND state IN (SELECT id FROM word WHERE text = '')",
        )?
        .execute([cut])?;
    if parties > 0 {
        c.prepare_cached("DELETE FROM party_change WHERE party NOT IN (SELECT id FROM party)")?
            .execute([])?;
    }
    gone += parties;
    gone += c
        .prepare_cached("DELETE FROM answered WHERE until < ?1")?
        .execute([cut])?;
    gone += c
        .prepare_cached("DELETE FROM incident WHERE at < ?1")?
        .execute([cut])?;
    Ok(gone)
}

fn actions_by_age(c: &Connection, cut: i64) -> rusqlite::Result<usize> {
    let mut gone = c
        .prepare_cached(
            "DELETE FROM action_step WHERE action IN (SELECT id FROM action WHERE at < ?1)
               AND action NOT IN (SELECT action FROM action_open)",
        )?
        .execute([cut])?;
    gone += c
        .prepare_cached(
            "DELETE FROM action WHERE at < ?1 AND id NOT IN (SELECT action FROM action_open)",
        )?
        .execute([cut])?;
    gone += c
        .prepare_cached("DELETE FROM remark WHERE at < ?1 AND coalesce(until, 0) < ?1")?
        .execute([cut])?;
    Ok(gone)
}

/// The oldest tasks of some phases with their entries, for want of room.
fn drop_for_room(c: &Connection, phases: &str) -> rusqlite::Result<usize> {
    let condition = format!("?1 = ?1 AND {phases} ORDER BY seen_hour");
    drop_tasks(c, &condition, 0, FOR_ROOM)
}

/// Drops some of the tasks of a condition with their entries.
fn drop_tasks(c: &Connection, condition: &str, value: i64, rows: i64) -> rusqlite::Result<usize> {
    c.execute_batch("CREATE TEMP TABLE IF NOT EXISTS going (id INTEGER PRIMARY KEY)")?;
    let sql = format!("INSERT INTO going SELECT id FROM task WHERE {condition} LIMIT {rows}");
    c.execute(&sql, [value])?;
    let mut going =
        c.prepare_cached("SELECT service, native FROM task WHERE id IN (SELECT id FROM going)")?;
    let mut rows = going.query([])?;
    while let Some(row) = rows.next()? {
        keys::drop_later(c, keys::hash(row.get(0)?, row.get_ref(1)?.as_str()?))?;
    }
    c.execute(
        "DELETE FROM transition WHERE task IN (SELECT id FROM going)",
        [],
    )?;
    let gone = c.execute("DELETE FROM task WHERE id IN (SELECT id FROM going)", [])?;
    c.execute("DELETE FROM going", [])?;
    Ok(gone)
}
