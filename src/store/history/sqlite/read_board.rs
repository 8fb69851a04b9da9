//! What was known at an instant.

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension};

use super::put_party::{Body, Shape};
use super::read_task::{COLUMNS, Raw, phase};
use super::schema::{SETTLED, UNSETTLED};
use super::words::Texts;
use crate::model::{CodeRef, Phase, Task, Timestamp};
use crate::store::history::{
    Board, BoardDevice, BoardPolicy, BoardService, BoardTask, How, ServiceKey, Sort,
};

pub(super) fn board(
    c: &Connection,
    at: Option<Timestamp>,
    since: Timestamp,
    limit: usize,
) -> rusqlite::Result<Board> {
    let mut board = Board {
        at,
        ..Board::default()
    };
    let mut texts = Texts::new(c);
    let index = services(c, &mut board)?;
    parties(c, &mut board, &index, &mut texts)?;
    tasks(c, &mut board, &index, &mut texts, since, limit)?;
    Ok(board)
}

fn services(c: &Connection, board: &mut Board) -> rusqlite::Result<HashMap<i64, usize>> {
    let at = board.at.map_or(i64::MAX, |t| t.0);
    let mut index = HashMap::new();
    let mut all = c.prepare_cached(
        "SELECT id, name, kind,
                (SELECT max(min(until, ?1)) FROM answered a WHERE a.service = s.id AND a.since <= ?1)
         FROM service s ORDER BY id",
    )?;
    let mut rows = all.query([at])?;
    while let Some(row) = rows.next()? {
        index.insert(row.get::<_, i64>(0)?, board.services.len());
        board.services.push(BoardService {
            service: ServiceKey::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?),
            answered_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        });
    }
    Ok(index)
}

fn parties(
    c: &Connection,
    board: &mut Board,
    index: &HashMap<i64, usize>,
    texts: &mut Texts<'_>,
) -> rusqlite::Result<()> {
    let at = board.at.map_or(i64::MAX, |t| t.0);
    let mut all = c.prepare_cached(
        "SELECT id, service, sort, native, name, state, body, feeds FROM party WHERE first_seen <= ?1 ORDER BY id",
    )?;
    let mut then = c.prepare_cached(
        "SELECT to_state FROM party_change WHERE party = ?1 AND seen_at <= ?2 ORDER BY seq DESC LIMIT 1",
    )?;
    let mut rows = all.query([at])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let mut state: i64 = row.get(5)?;
        if board.at.is_some() {
            let held: Option<i64> = then.query_row((id, at), |r| r.get(0)).optional()?;
            state = held.unwrap_or(state);
        }
        let (Some(&service), Some(shape)) = (
            index.get(&row.get::<_, i64>(1)?),
            Shape::read(&texts.get(state)?),
        ) else {
            continue;
        };
        let (native, name): (String, String) = (row.get(3)?, row.get(4)?);
        let body = Body::read(row.get_ref(6)?.as_str().unwrap_or_default());
        let feeds = texts
            .get(row.get(7)?)?
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        match Sort::from_number(row.get(2)?) {
            Some(Sort::Device) => {
                let mut device = body.device(native, name, shape);
                // what was told later was not known then
                device.last_success = device.last_success.filter(|t| t.0 <= at);
                if board.at.is_some() {
                    device.facts.clear();
                }
                board.devices.push(BoardDevice {
                    service,
                    device,
                    feeds,
                });
            }
            Some(Sort::Policy) => {
                let mut policy = body.policy(native, name, shape);
                policy.last_success = policy.last_success.filter(|t| t.0 <= at);
                if board.at.is_some() {
                    policy.facts.clear();
                    policy.next_run = None;
                }
                board.policies.push(BoardPolicy {
                    service,
                    policy,
                    feeds,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn tasks(
    c: &Connection,
    board: &mut Board,
    index: &HashMap<i64, usize>,
    texts: &mut Texts<'_>,
    since: Timestamp,
    limit: usize,
) -> rusqlite::Result<()> {
    // two searches by index: what calls for attention at any age, and what moved since
    let sql = format!(
        "SELECT {COLUMNS} FROM (
             SELECT * FROM task WHERE {UNSETTLED}
             UNION ALL
             SELECT * FROM task WHERE {SETTLED} AND seen_hour >= ?1 / 3600000 AND seen_at >= ?1) t
         ORDER BY coalesce(t.started, t.updated, t.ended, t.first_seen) DESC, t.id DESC"
    );
    let mut all = c.prepare_cached(&sql)?;
    let mut past = Past::prepare(c)?;
    let mut rows = all.query([since.0])?;
    while let Some(row) = rows.next()? {
        let raw = Raw::read(row)?;
        let Some(&service) = index.get(&raw.service) else {
            continue;
        };
        let (task, how) = match board.at {
            None => (raw.task(texts)?, How::Seen),
            Some(at) => match past.task(&raw, at, since, texts)? {
                Some(known) => known,
                None => continue,
            },
        };
        if board.tasks.len() == limit {
            board.cut = true;
            break;
        }
        let now = board.at.is_none();
        board.tasks.push(BoardTask {
            service,
            task,
            cleared: now && raw.cleared(),
            lost: now && raw.lost(),
            feeds: raw.feeds(texts)?,
            how,
        });
    }
    Ok(())
}

/// What a task looked like before.
struct Past<'c> {
    last: rusqlite::CachedStatement<'c>,
    first_after: rusqlite::CachedStatement<'c>,
}

/// A state that stood at an instant.
struct Stood {
    status: i64,
    phase: Phase,
    code: i64,
    since: i64,
    /// It is still the newest one.
    newest: bool,
}

impl<'c> Past<'c> {
    fn prepare(c: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            last: c.prepare_cached(
                "SELECT to_status, to_phase, code, seen_at,
                        NOT EXISTS (SELECT 1 FROM transition l WHERE l.task = ?1 AND l.seq > t.seq)
                 FROM transition t WHERE task = ?1 AND seen_at <= ?2 ORDER BY seq DESC LIMIT 1",
            )?,
            first_after: c.prepare_cached(
                "SELECT from_status, from_phase FROM transition
                 WHERE task = ?1 AND seen_at > ?2 AND from_status IS NOT NULL ORDER BY seq LIMIT 1",
            )?,
        })
    }

    fn task(
        &mut self,
        raw: &Raw,
        at: Timestamp,
        since: Timestamp,
        texts: &mut Texts<'_>,
    ) -> rusqlite::Result<Option<(Task, How)>> {
        let known = match self.seen(raw, at)? {
            Some(stood) => Some((stood, How::Seen)),
            None => self.told_later(raw, at)?.map(|s| (s, How::ToldLater)),
        };
        let Some((stood, how)) = known else {
            return Ok(None);
        };
        let ended = raw.ended.filter(|e| *e <= at.0);
        let recent = ended.unwrap_or(stood.since) >= since.0;
        if stood.phase.is_over() && !stood.phase.needs_person() && !recent {
            return Ok(None);
        }
        let mut task = raw.task(texts)?;
        let not_after = |t: Option<Timestamp>| t.filter(|t| *t <= at);
        task.native_status = texts.owned(stood.status)?;
        task.phase = stood.phase;
        task.started_at = not_after(task.started_at);
        task.updated_at = not_after(task.updated_at);
        task.ended_at = if stood.phase.is_live() {
            None
        } else {
            not_after(task.ended_at)
        };
        task.asked = None;
        task.facts.clear();
        if !stood.newest {
            task.step = String::new();
            task.progress = None;
            let code = texts.owned(stood.code)?;
            task.failure = (!code.is_empty()).then(|| CodeRef::new(code, ""));
        }
        Ok(Some((task, how)))
    }

    /// The state that keepwatch had seen by then.
    fn seen(&mut self, raw: &Raw, at: Timestamp) -> rusqlite::Result<Option<Stood>> {
        if raw.first_seen > at.0 {
            return Ok(None);
        }
        let held = self
            .last
            .query_row((raw.id, at.0), |row| {
                Ok(Stood {
                    status: row.get(0)?,
                    phase: phase(row.get(1)?),
                    code: row.get(2)?,
                    since: row.get(3)?,
                    newest: row.get(4)?,
                })
            })
            .optional()?;
        if held.is_some() {
            return Ok(held);
        }
        // entries that old were given up: the next one tells what it came from
        self.first_after
            .query_row((raw.id, at.0), |row| {
                Ok(Stood {
                    status: row.get(0)?,
                    phase: phase(row.get(1)?),
                    code: 0,
                    since: raw.first_seen,
                    newest: false,
                })
            })
            .optional()
    }

    /// The state by the service's own times, of a task that keepwatch learnt of later.
    fn told_later(&self, raw: &Raw, at: Timestamp) -> rusqlite::Result<Option<Stood>> {
        let stood = |status, phase, since, newest| {
            Some(Stood {
                status,
                phase,
                code: 0,
                since,
                newest,
            })
        };
        if let Some(ended) = raw.ended.filter(|e| *e <= at.0) {
            return Ok(if raw.phase.is_over() {
                stood(raw.status, raw.phase, ended, true)
            } else {
                None
            });
        }
        let Some(started) = raw.started.filter(|s| *s <= at.0) else {
            return Ok(None);
        };
        // nobody knows when it ended that says no time of its own: then only that it had begun is known, and
        // that it still went on is not
        let went_on = raw.phase.is_live() || raw.ended.is_some();
        let by_change = raw.updated.is_some_and(|u| u <= at.0) && raw.phase.is_over();
        if by_change {
            return Ok(stood(
                raw.status,
                raw.phase,
                raw.updated.unwrap_or(started),
                true,
            ));
        }
        Ok(if went_on || raw.updated.is_some() {
            stood(0, Phase::Running, started, false)
        } else {
            None
        })
    }
}
