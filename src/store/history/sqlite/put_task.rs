//! Writing a task: its last state, and an entry for each change of it.
//!
//! Several programs may watch the same services. Each tells what it saw; a change that another one told
//! already makes no second entry, and what was seen before another's newer state changes nothing.

use std::fmt::{self, Write};

use rusqlite::OptionalExtension;

use super::writer::Batch;
use crate::model::{Asked, CodeRef, Phase, Ref, Task, Timestamp};
use crate::store::history::TaskSeen;

/// Two programs see the same change within so long of each other, in milliseconds.
const SAME_MS: i64 = 120_000;

pub(super) const CLEARED: i64 = 1;
pub(super) const LOST: i64 = 2;
pub(super) const CANCEL_ASKED: i64 = 4;
pub(super) const START_ASKED: i64 = 8;

/// What the file holds of a task.
struct Held {
    id: i64,
    status: i64,
    phase: i64,
    updated: Option<i64>,
    seen_at: i64,
    seen_by: i64,
    digest: i64,
}

/// A sum over all that is kept of a task's state (FNV-1a); where it is the same nothing has to be written.
fn digest(seen: &TaskSeen) -> i64 {
    struct Sum(u64);
    impl fmt::Write for Sum {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            Ok(())
        }
    }
    let mut sum = Sum(0xcbf2_9ce4_8422_2325);
    let t = &seen.task;
    let parts = (
        (&t.device, &t.policy, &t.operation, &t.native_status),
        (t.phase, &t.step, t.progress),
        (t.started_at, t.updated_at, t.ended_at),
        (&t.failure, &t.object, facts_of(t), flags(seen), &seen.feeds),
    );
    // writing into a sum can't fail
    let _ = write!(sum, "{parts:?}");
    // 0 stands for "not known"
    (sum.0 as i64) | 1
}

/// The facts that are kept: those of tasks that somebody may have to look at.
fn facts_of(task: &Task) -> &[(&'static str, String)] {
    let wanted = task.phase.is_live() || task.phase.needs_person() || task.phase == Phase::Unknown;
    if wanted { &task.facts } else { &[] }
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

/// Instants that a service gives, within what SQLite and people can hold.
fn instant(t: Option<Timestamp>) -> Option<i64> {
    t.map(|t| t.0)
}

impl Batch<'_> {
    pub(super) fn put_task(&mut self, seen: &TaskSeen) -> rusqlite::Result<()> {
        let service = self.service(&seen.service)?;
        let held = self
            .c
            .prepare_cached(
                "SELECT id, status, phase, updated, seen_at, seen_by, digest FROM task WHERE service = ?1 AND native = ?2",
            )?
            .query_row((service, &seen.task.id), |row| {
                Ok(Held {
                    id: row.get(0)?,
                    status: row.get(1)?,
                    phase: row.get(2)?,
                    updated: row.get(3)?,
                    seen_at: row.get(4)?,
                    seen_by: row.get(5)?,
                    digest: row.get(6)?,
                })
            })
            .optional()?;
        let digest = digest(seen);
        if seen.transitions.is_empty() && held.as_ref().is_some_and(|h| h.digest == digest) {
            return Ok(());
        }
        let task = &seen.task;
        let now = (self.word(&task.native_status)?, i64::from(task.phase as u8));
        let reported = instant(task.updated_at.or(task.ended_at).or(task.started_at));
        let Some(held) = held else {
            let id = self.add(service, seen, now.0, digest)?;
            let mut last = None;
            for t in &seen.transitions {
                let from = match (&t.from, t.from_phase) {
                    (Some(from), Some(phase)) => Some((self.word(from)?, i64::from(phase as u8))),
                    _ => None,
                };
                let to = (self.word(&t.to)?, i64::from(t.to_phase as u8));
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
            if to == last || self.told_by_another(held.id, to, t.seen_at.0)? {
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
        self.replace(held.id, seen, now.0, digest)
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
        self.c
            .prepare_cached(
                "INSERT INTO transition (writer, n, task, seen_at, reported_at, from_status, from_phase,
                                         to_status, to_phase, code)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                self.writer,
                n,
                task,
                entry.seen_at,
                entry.reported_at,
                entry.from.map(|f| f.0),
                entry.from.map(|f| f.1),
                entry.to.0,
                entry.to.1,
                code,
            ))?;
        Ok(())
    }

    fn add(
        &mut self,
        service: i64,
        seen: &TaskSeen,
        status: i64,
        digest: i64,
    ) -> rusqlite::Result<i64> {
        let first = seen
            .transitions
            .first()
            .map_or(seen.at.0, |t| t.seen_at.0.min(seen.at.0));
        let empty = self.word("")?;
        let id = self
            .c
            .prepare_cached(
                "INSERT INTO task (service, native, device_id, device_name, policy_id, policy_name, operation,
                                   object, status, phase, step, code, code_operation, message, has_failure,
                                   facts, flags, feeds, first_seen, seen_at, seen_by)
                 VALUES (?1, ?2, ?7, ?7, ?7, ?7, ?7, ?7, ?3, 0, ?7, ?7, ?7, '', 0, '', 0, ?7, ?4, ?5, ?6)",
            )?
            .insert((
                service,
                &seen.task.id,
                status,
                first,
                seen.at.0,
                self.writer,
                empty,
            ))?;
        self.replace(id, seen, status, digest)?;
        Ok(id)
    }

    /// Writes the newest state.
    fn replace(
        &mut self,
        id: i64,
        seen: &TaskSeen,
        status: i64,
        digest: i64,
    ) -> rusqlite::Result<()> {
        let task = &seen.task;
        let empty = Ref::default();
        let device = task.device.as_ref().unwrap_or(&empty);
        let policy = task.policy.as_ref().unwrap_or(&empty);
        let silent = CodeRef::default();
        let failure = task.failure.as_ref().unwrap_or(&silent);
        let words = [
            self.word(&device.id)?,
            self.word(&device.name)?,
            self.word(&policy.id)?,
            self.word(&policy.name)?,
            self.word(&task.operation)?,
            self.word(&task.object)?,
            self.word(&task.step)?,
            self.word(&failure.code)?,
            self.word(&failure.operation)?,
            self.word(&seen.feeds.join(" "))?,
        ];
        // a list that tells less of a task (a command that asks for one list only) takes nothing away
        let empty = self.word("")?;
        let facts = facts_text(facts_of(task));
        self.c
            .prepare_cached(
                "UPDATE task SET
                     device_id = iif(?2 = ?26, device_id, ?2), device_name = iif(?3 = ?26, device_name, ?3),
                     policy_id = iif(?4 = ?26, policy_id, ?4), policy_name = iif(?5 = ?26, policy_name, ?5),
                     operation = iif(?6 = ?26, operation, ?6), object = iif(?7 = ?26, object, ?7), step = ?8, code = ?9, code_operation = ?10, feeds = ?11,
                     status = ?12, phase = ?13, progress = ?14, started = coalesce(?15, started), updated = coalesce(?16, updated), ended = ?17,
                     code_http = ?18, message = ?19, has_failure = ?20, facts = ?21, flags = ?22,
                     seen_at = ?23, seen_by = ?24, digest = ?25
                 WHERE id = ?1",
            )?
            .execute(rusqlite::params![
                id,
                words[0],
                words[1],
                words[2],
                words[3],
                words[4],
                words[5],
                words[6],
                words[7],
                words[8],
                words[9],
                status,
                task.phase as u8,
                task.progress,
                instant(task.started_at),
                instant(task.updated_at),
                instant(task.ended_at),
                failure.http_status,
                failure.message,
                task.failure.is_some(),
                facts,
                flags(seen),
                seen.at.0,
                self.writer,
                digest,
                empty,
            ])?;
        Ok(())
    }
}
