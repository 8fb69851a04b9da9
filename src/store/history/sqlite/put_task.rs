//! Writing a task: its last state, and an entry for each change of it.
//!
//! Several programs may watch the same services. Each tells what it saw; a change that another one told
//! already makes no second entry, and what was seen before another's newer state changes nothing.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use rusqlite::OptionalExtension;

use super::keys;
use super::writer::Batch;
use crate::model::{Asked, Ref, Task, Timestamp};
use crate::store::history::TaskSeen;

/// Two programs see the same change within so long of each other, in milliseconds.
const SAME_MS: i64 = 120_000;

pub(super) const CLEARED: i64 = 1;
pub(super) const LOST: i64 = 2;
pub(super) const CANCEL_ASKED: i64 = 4;
pub(super) const START_ASKED: i64 = 8;

/// So many tasks that go on are remembered by the writer.
const MOST_LIVE: usize = 131_072;

/// What the file holds of tasks that go on, by their numbers: they will change, and need not be read for it. True as
/// long as nobody else writes.
#[derive(Default)]
pub(super) struct Live {
    known: HashMap<i64, Held>,
}

impl Live {
    /// Forgets everything: it may have been rolled back, or changed by another program.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// What is held of a task, unless its number is another one's.
    fn of(&self, key: i64, service: i64, native: &str) -> Option<Held> {
        let held = self.known.get(&key)?;
        (held.service == service && *held.native == *native).then(|| held.clone())
    }

    /// Remembers a task as it stands in the file now, while it goes on.
    fn put(&mut self, key: i64, task: &Task, held: Held) {
        if !task.phase.is_live() {
            self.known.remove(&key);
            return;
        }
        if self.known.len() >= MOST_LIVE {
            self.known.clear();
        }
        self.known.insert(key, held);
    }
}

/// What the file holds of a task.
#[derive(Clone)]
struct Held {
    service: i64,
    native: Box<str>,
    id: i64,
    status: i64,
    phase: i64,
    updated: Option<i64>,
    seen_at: i64,
    seen_hour: i64,
    seen_by: i64,
    digest: i64,
    names: Names,
}

/// What a task works on and for, as numbers of words. Rows are found by some of these, so that writing one anew
/// costs a change of an index: it is done only where one differs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Names {
    device_id: i64,
    device_name: i64,
    policy_id: i64,
    policy_name: i64,
    operation: i64,
    object: i64,
}

impl Names {
    /// A list that tells less of a task (a command that asks for one list only) takes nothing away: what it
    /// leaves out, the number of the empty word, is as it was.
    fn or(self, before: Self, empty: i64) -> Self {
        let or = |told: i64, held: i64| if told == empty { held } else { told };
        Self {
            device_id: or(self.device_id, before.device_id),
            device_name: or(self.device_name, before.device_name),
            policy_id: or(self.policy_id, before.policy_id),
            policy_name: or(self.policy_name, before.policy_name),
            operation: or(self.operation, before.operation),
            object: or(self.object, before.object),
        }
    }
}

/// The rest of a task's words as numbers.
struct Words {
    status: i64,
    step: i64,
    code: i64,
    code_operation: i64,
    feeds: i64,
}

/// What is written of a task as it is.
struct Plain<'t> {
    http: Option<u16>,
    message: &'t str,
    has_failure: bool,
    facts: String,
    flags: i64,
}

impl<'t> Plain<'t> {
    fn of(seen: &'t TaskSeen) -> Self {
        let failure = seen.task.failure.as_ref();
        Self {
            http: failure.and_then(|f| f.http_status),
            message: failure.map_or("", |f| &f.message),
            has_failure: failure.is_some(),
            facts: facts_text(facts_of(&seen.task)),
            flags: flags(seen),
        }
    }
}

/// A sum over all that is kept of a task's state; where it is the same nothing has to be written. The sums stay
/// in the file: should another version of the hasher count otherwise, each task is written once more.
fn digest(seen: &TaskSeen) -> i64 {
    let mut sum = FixedState::default().build_hasher();
    let t = &seen.task;
    (&t.device, &t.policy, &t.operation, &t.native_status).hash(&mut sum);
    (t.phase, &t.step, t.progress).hash(&mut sum);
    (t.started_at, t.updated_at, t.ended_at).hash(&mut sum);
    (&t.failure, &t.object, facts_of(t)).hash(&mut sum);
    (flags(seen), &seen.feeds).hash(&mut sum);
    // 0 stands for "not known"
    (sum.finish() as i64) | 1
}

/// The facts that are kept: those of tasks that somebody may have to look at. What goes on tells them again with the
/// next poll; of a storm's tasks they would be most of what is written, for a few seconds each.
fn facts_of(task: &Task) -> &[(&'static str, String)] {
    if task.phase.concerns_people() && !task.phase.is_live() {
        &task.facts
    } else {
        &[]
    }
}

/// Writes what differs with nearly every change, and the columns that are named besides.
macro_rules! update {
    ($($more:literal)?) => {
        concat!(
            "UPDATE task SET status = ?2, step = ?3, code = ?4, code_operation = ?5, feeds = ?6, progress = ?7,
                 started = coalesce(?8, started), updated = coalesce(?9, updated), ended = ?10, code_http = ?11,
                 message = ?12, has_failure = ?13, facts = ?14, flags = ?15, seen_at = ?16, seen_by = ?17, digest = ?25,
                 room = CASE WHEN ?26 THEN zeroblob(8) END",
            $($more,)?
            " WHERE id = ?1"
        )
    };
}

/// So many entries are written with one statement.
const MOVES: usize = 32;

/// An entry as its row holds it, but for its number.
pub(super) type MoveRow = [Option<i64>; 10];

/// A statement that writes so many entries.
fn insert_moves(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!(
        "INSERT INTO transition (writer, n, task, seen_at, reported_at, from_status, from_phase, to_status, to_phase, \
         code) VALUES {values}"
    )
}

/// An entry to be made.
struct Move {
    from: Option<(i64, i64)>,
    to: (i64, i64),
    seen_at: i64,
    reported_at: Option<i64>,
}

fn flags(seen: &TaskSeen) -> i64 {
    let mut flags = 0;
    if seen.cleared {
        flags |= CLEARED;
    }
    if seen.lost {
        flags |= LOST;
    }
    flags
        | match seen.task.asked {
            Some(Asked::Cancel) => CANCEL_ASKED,
            Some(Asked::Start) => START_ASKED,
            None => 0,
        }
}

/// Labels and values as JSON; empty for none.
pub(super) fn facts_text(facts: &[(&'static str, String)]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    serde_json::to_string(facts).unwrap_or_default()
}

/// The hour by which a task is found: an index that an update seldom has to change.
const fn hour(at: Timestamp) -> i64 {
    at.0 / 3_600_000
}

/// Instants that a service gives, within what SQLite and people can hold.
fn instant(t: Option<Timestamp>) -> Option<i64> {
    t.map(|t| t.0)
}

impl Batch<'_> {
    /// What the file holds of a task in this row; nothing where another task is there.
    fn held(&self, id: i64, service: i64, seen: &TaskSeen) -> rusqlite::Result<Option<Held>> {
        self.c
            .prepare_cached(
                "SELECT id, status, phase, updated, seen_at, seen_by, digest,
                        device_id, device_name, policy_id, policy_name, operation, object, seen_hour
                 FROM task WHERE id = ?1 AND service = ?2 AND native = ?3",
            )?
            .query_row((id, service, &seen.task.id), |row| {
                Ok(Held {
                    service,
                    native: seen.task.id.as_str().into(),
                    id: row.get(0)?,
                    status: row.get(1)?,
                    phase: row.get(2)?,
                    updated: row.get(3)?,
                    seen_at: row.get(4)?,
                    seen_by: row.get(5)?,
                    digest: row.get(6)?,
                    names: Names {
                        device_id: row.get(7)?,
                        device_name: row.get(8)?,
                        policy_id: row.get(9)?,
                        policy_name: row.get(10)?,
                        operation: row.get(11)?,
                        object: row.get(12)?,
                    },
                    seen_hour: row.get(13)?,
                })
            })
            .optional()
    }

    pub(super) fn put_task(&mut self, seen: &TaskSeen) -> rusqlite::Result<()> {
        let service = self.service(&seen.service)?;
        let key = keys::hash(service, &seen.task.id);
        let mut held = self.cache.live.of(key, service, &seen.task.id);
        if held.is_none() && self.cache.filter.may_have(key) {
            match keys::find(self.c, key)? {
                Some(id) => held = self.held(id, service, seen)?,
                None => self.cache.filter.miss(self.c)?,
            }
        }
        let digest = digest(seen);
        if seen.transitions.is_empty() && held.as_ref().is_some_and(|h| h.digest == digest) {
            return Ok(());
        }
        let task = &seen.task;
        let now = (self.word(&task.native_status)?, i64::from(task.phase as u8));
        let reported = instant(task.updated_at.or(task.ended_at).or(task.started_at));
        let Some(held) = held else {
            let held = self.add(service, seen, now.0, digest)?;
            let id = held.id;
            keys::put(self.c, key, id)?;
            self.cache.filter.add(key);
            self.cache.live.put(key, task, held);
            let mut last = None;
            for t in &seen.transitions {
                let to = (self.word(&t.to)?, i64::from(t.to_phase as u8));
                if last == Some(to) {
                    continue;
                }
                let from = match (&t.from, t.from_phase) {
                    (Some(from), Some(phase)) => Some((self.word(from)?, i64::from(phase as u8))),
                    _ => last,
                };
                let entry = Move {
                    from,
                    to,
                    seen_at: t.seen_at.0,
                    reported_at: instant(t.reported_at),
                };
                self.put_move(id, &entry, task)?;
                last = Some(to);
            }
            if last != Some(now) {
                let entry = Move {
                    from: last,
                    to: now,
                    seen_at: seen.at.0,
                    reported_at: reported,
                };
                self.put_move(id, &entry, task)?;
            }
            return Ok(());
        };
        if self.is_old_news(&held, seen) {
            return Ok(());
        }
        let mut last = (held.status, held.phase);
        for t in &seen.transitions {
            let to = (self.word(&t.to)?, i64::from(t.to_phase as u8));
            let is_told =
                held.seen_by != self.writer && self.told_by_another(held.id, to, t.seen_at.0)?;
            if to == last || is_told {
                continue;
            }
            let from = match (&t.from, t.from_phase) {
                (Some(from), Some(phase)) => (self.word(from)?, i64::from(phase as u8)),
                _ => last,
            };
            let entry = Move {
                from: Some(from),
                to,
                seen_at: t.seen_at.0,
                reported_at: instant(t.reported_at),
            };
            self.put_move(held.id, &entry, task)?;
            last = to;
        }
        if last != now {
            let entry = Move {
                from: Some(last),
                to: now,
                seen_at: seen.at.0,
                reported_at: reported,
            };
            self.put_move(held.id, &entry, task)?;
        }
        let held = self.replace(held, seen, now.0, digest)?;
        self.cache.live.put(key, task, held);
        Ok(())
    }

    /// True when another program saw a newer state than this one.
    fn is_old_news(&self, held: &Held, seen: &TaskSeen) -> bool {
        if held.seen_by == self.writer {
            return false;
        }
        if let (Some(held), Some(told)) = (held.updated, instant(seen.task.updated_at))
            && held != told
        {
            return told < held;
        }
        // far apart the clocks are not the same one, and the newer teller is believed
        (1..=SAME_MS).contains(&(held.seen_at - seen.at.0))
    }

    /// True when another program told the same change just before.
    fn told_by_another(&self, task: i64, to: (i64, i64), seen_at: i64) -> rusqlite::Result<bool> {
        self.c
            .prepare_cached(
                "SELECT 1 FROM transition
                 WHERE task = ?1 AND to_status = ?2 AND to_phase = ?3 AND writer <> ?4
                   AND seen_at BETWEEN ?5 AND ?6
                 LIMIT 1",
            )?
            .exists((
                task,
                to.0,
                to.1,
                self.writer,
                seen_at.saturating_sub(SAME_MS),
                seen_at.saturating_add(SAME_MS),
            ))
    }

    fn put_move(&mut self, task: i64, entry: &Move, told: &Task) -> rusqlite::Result<()> {
        // the code belongs to the state that the record is in now
        let is_now = entry.to.1 == i64::from(told.phase as u8);
        let code = match &told.failure {
            Some(failure) if is_now => failure.code.as_str(),
            _ => "",
        };
        let code = self.word(code)?;
        let n = self.number();
        self.moves.push([
            Some(self.writer),
            Some(n),
            Some(task),
            Some(entry.seen_at),
            entry.reported_at,
            entry.from.map(|f| f.0),
            entry.from.map(|f| f.1),
            Some(entry.to.0),
            Some(entry.to.1),
            Some(code),
        ]);
        if self.moves.len() == MOVES {
            self.write_moves()?;
        }
        Ok(())
    }

    /// Writes the entries that were made, many with one statement: each statement has the number of the last entry read
    /// and written.
    pub(super) fn write_moves(&mut self) -> rusqlite::Result<()> {
        static MANY: LazyLock<String> = LazyLock::new(|| insert_moves(MOVES));
        static ONE: LazyLock<String> = LazyLock::new(|| insert_moves(1));
        let (sql, rows) = if self.moves.len() == MOVES {
            (MANY.as_str(), MOVES)
        } else {
            (ONE.as_str(), 1)
        };
        let mut insert = self.c.prepare_cached(sql)?;
        for rows in self.moves.chunks(rows) {
            for (value, place) in rows.iter().flatten().zip(1..) {
                insert.raw_bind_parameter(place, value)?;
            }
            insert.raw_execute()?;
        }
        self.moves.clear();
        Ok(())
    }

    /// The numbers of a task's words, added where they are new; that of its status is known.
    fn words(&mut self, seen: &TaskSeen, status: i64) -> rusqlite::Result<(Names, Words)> {
        let task = &seen.task;
        let empty = Ref::default();
        let device = task.device.as_ref().unwrap_or(&empty);
        let policy = task.policy.as_ref().unwrap_or(&empty);
        let failure = task.failure.as_ref();
        let names = Names {
            device_id: self.word(&device.id)?,
            device_name: self.word(&device.name)?,
            policy_id: self.word(&policy.id)?,
            policy_name: self.word(&policy.name)?,
            operation: self.word(&task.operation)?,
            object: self.word(&task.object)?,
        };
        let words = Words {
            status,
            step: self.word(&task.step)?,
            code: self.word(failure.map_or("", |f| &f.code))?,
            code_operation: self.word(failure.map_or("", |f| &f.operation))?,
            feeds: self.word(&seen.feeds.join(" "))?,
        };
        Ok((names, words))
    }

    /// Writes a task that was not known.
    fn add(
        &mut self,
        service: i64,
        seen: &TaskSeen,
        status: i64,
        digest: i64,
    ) -> rusqlite::Result<Held> {
        let task = &seen.task;
        let (names, words) = self.words(seen, status)?;
        let plain = Plain::of(seen);
        let first = seen
            .transitions
            .first()
            .map_or(seen.at.0, |t| t.seen_at.0.min(seen.at.0));
        let id = self
            .c
            .prepare_cached(
                "INSERT INTO task (service, native, device_id, device_name, policy_id, policy_name, operation, object,
                                   status, step, code, code_operation, feeds, phase, progress, started, updated, ended,
                                   code_http, message, has_failure, facts, flags, first_seen, seen_at, seen_by, digest,
                                   seen_hour, room)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
                         ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, CASE WHEN ?29 THEN zeroblob(8) END)",
            )?
            .insert(rusqlite::params![
                service,
                task.id,
                names.device_id,
                names.device_name,
                names.policy_id,
                names.policy_name,
                names.operation,
                names.object,
                words.status,
                words.step,
                words.code,
                words.code_operation,
                words.feeds,
                task.phase as u8,
                task.progress,
                instant(task.started_at),
                instant(task.updated_at),
                instant(task.ended_at),
                plain.http,
                plain.message,
                plain.has_failure,
                plain.facts,
                plain.flags,
                first,
                seen.at.0,
                self.writer,
                digest,
                hour(seen.at),
                task.phase.is_live(),
            ])?;
        Ok(Held {
            service,
            native: task.id.as_str().into(),
            id,
            status,
            phase: i64::from(task.phase as u8),
            updated: instant(task.updated_at),
            seen_at: seen.at.0,
            seen_hour: hour(seen.at),
            seen_by: self.writer,
            digest,
            names,
        })
    }

    /// Writes the newest state of a task that is known; gives what is held then.
    fn replace(
        &mut self,
        held: Held,
        seen: &TaskSeen,
        status: i64,
        digest: i64,
    ) -> rusqlite::Result<Held> {
        let task = &seen.task;
        let (told, words) = self.words(seen, status)?;
        let plain = Plain::of(seen);
        let names = told.or(held.names, self.word("")?);
        let sql = match (
            names != held.names,
            i64::from(task.phase as u8) != held.phase,
        ) {
            (false, false) => update!(),
            (false, true) => update!(", phase = ?18"),
            (true, false) => update!(
                ", device_id = ?19, device_name = ?20, policy_id = ?21, policy_name = ?22, operation = ?23, object = ?24"
            ),
            (true, true) => update!(
                ", phase = ?18, device_id = ?19, device_name = ?20, policy_id = ?21, policy_name = ?22, operation = ?23,
                   object = ?24"
            ),
        };
        self.c.prepare_cached(sql)?.execute(rusqlite::params![
            held.id,
            words.status,
            words.step,
            words.code,
            words.code_operation,
            words.feeds,
            task.progress,
            instant(task.started_at),
            instant(task.updated_at),
            instant(task.ended_at),
            plain.http,
            plain.message,
            plain.has_failure,
            plain.facts,
            plain.flags,
            seen.at.0,
            self.writer,
            task.phase as u8,
            names.device_id,
            names.device_name,
            names.policy_id,
            names.policy_name,
            names.operation,
            names.object,
            digest,
            task.phase.is_live(),
        ])?;
        let hour = hour(seen.at);
        if hour != held.seen_hour {
            self.c
                .prepare_cached("UPDATE task SET seen_hour = ?2 WHERE id = ?1")?
                .execute((held.id, hour))?;
        }
        Ok(Held {
            status,
            phase: i64::from(task.phase as u8),
            updated: instant(task.updated_at).or(held.updated),
            seen_at: seen.at.0,
            seen_hour: hour,
            seen_by: self.writer,
            digest,
            names,
            ..held
        })
    }
}
