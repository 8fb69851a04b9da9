//! The past of a subject, or of everything.

use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::keys;
use super::put_party::Shape;
use super::read_actions::{REMARK, Where, concerns, event_id, kept, remark};
use super::read_task::phase;
use super::words::{Texts, find};
use crate::model::{Timestamp, Transition};
use crate::store::history::{Entry, Happened, Sort, Subject, Window};

/// Everything that happened to a subject, or to anything, oldest first.
pub(super) fn of(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
) -> rusqlite::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    moves(c, subject, window, &mut entries)?;
    changes(c, subject, window, &mut entries)?;
    acts(c, subject, window, &mut entries)?;
    remarks(c, subject, window, &mut entries)?;
    incidents(c, subject, window, &mut entries)?;
    // a clock that was set back must not turn the order of one writer's events around within a table, yet
    // between tables nothing but the clock orders them; the sort is stable
    entries.sort_by_key(|e| e.at);
    let more = entries.len().saturating_sub(window.limit);
    entries.drain(..more);
    Ok(entries)
}

fn within(w: &mut Where, column: &str, window: &Window) {
    if let Some(from) = window.from {
        w.and(&format!("{column} >= ?"), from.0);
    }
    if let Some(until) = window.until {
        w.and(&format!("{column} < ?"), until.0);
    }
}

fn limit(window: &Window) -> i64 {
    i64::try_from(window.limit).unwrap_or(i64::MAX)
}

/// Adds the entries that a question finds: it gives the newest first, and they are added oldest first.
fn read(
    c: &Connection,
    sql: &str,
    w: &Where,
    out: &mut Vec<Entry>,
    mut entry: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<Entry>>,
) -> rusqlite::Result<()> {
    let mut question = c.prepare(sql)?;
    let mut rows = question.query(&*w.params())?;
    let begin = out.len();
    while let Some(row) = rows.next()? {
        out.extend(entry(row)?);
    }
    if let Some(new) = out.get_mut(begin..) {
        new.reverse();
    }
    Ok(())
}

/// The condition under which a task `t` belongs to a subject.
fn tasks_of(c: &Connection, w: &mut Where, subject: &Subject) -> rusqlite::Result<()> {
    w.and(
        "t.service IN (SELECT id FROM service WHERE name = ?)",
        subject.service.clone(),
    );
    let (id, name, sort) = match subject.sort {
        Sort::Task => {
            let rows = keys::rows(c, &subject.service, &subject.id)?;
            let rows: Vec<String> = rows.iter().map(i64::to_string).collect();
            w.also(&format!("t.id IN ({})", rows.join(", ")));
            return Ok(());
        }
        Sort::Service => return Ok(()),
        Sort::Device => ("t.device_id", "t.device_name", 2),
        Sort::Policy => ("t.policy_id", "t.policy_name", 3),
        Sort::Code | Sort::Group => {
            w.also("0");
            return Ok(());
        }
    };
    // tasks that know only a name belong to the one thing of that name
    let empty = find(c, "")?.unwrap_or(-1);
    let word = find(c, &subject.id)?.unwrap_or(-1);
    w.and(
        &format!(
            "{id} = {word} OR ({id} = {empty} AND {name} <> {empty} AND {name} IN (
                 SELECT d.id FROM party p JOIN word d ON d.text = p.name
                 WHERE p.service = t.service AND p.sort = {sort} AND p.native = ?))"
        ),
        subject.id.clone(),
    );
    Ok(())
}

fn moves(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
    out: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    let mut w = Where::default();
    if let Some(subject) = subject {
        tasks_of(c, &mut w, subject)?;
    }
    within(&mut w, "x.seen_at", window);
    let sql = format!(
        "SELECT w.uuid, x.n, x.seen_at, s.name, t.native, t.operation, t.device_id, t.device_name, t.policy_id,
                t.policy_name, x.from_status, x.from_phase, x.to_status, x.to_phase, x.reported_at, x.code
         FROM transition x JOIN task t ON t.id = x.task JOIN service s ON s.id = t.service
         JOIN writer w ON w.id = x.writer
         WHERE {} ORDER BY x.seq DESC LIMIT {}",
        w.sql(),
        limit(window)
    );
    let mut texts = Texts::new(c);
    read(c, &sql, &w, out, |row| {
        let mut label = |id: i64, name: i64| -> rusqlite::Result<String> {
            let name = texts.owned(name)?;
            if name.is_empty() {
                texts.owned(id)
            } else {
                Ok(name)
            }
        };
        let device = label(row.get(6)?, row.get(7)?)?;
        let policy = label(row.get(8)?, row.get(9)?)?;
        let seen_at = Timestamp(row.get(2)?);
        let from: Option<i64> = row.get(10)?;
        let from = from.map(|id| texts.owned(id)).transpose()?;
        Ok(Some(Entry {
            id: event_id(row, 0)?,
            at: seen_at,
            service: row.get(3)?,
            happened: Happened::Moved {
                task: row.get(4)?,
                operation: texts.owned(row.get(5)?)?,
                device,
                policy,
                transition: Transition {
                    from,
                    to: texts.owned(row.get(12)?)?,
                    from_phase: row.get::<_, Option<i64>>(11)?.map(phase),
                    to_phase: phase(row.get(13)?),
                    seen_at,
                    reported_at: row.get::<_, Option<i64>>(14)?.map(Timestamp),
                },
                code: texts.owned(row.get(15)?)?,
            },
        }))
    })
}

fn changes(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
    out: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    let mut w = Where::default();
    match subject {
        None => {}
        Some(subject) => {
            w.and("s.name = ?", subject.service.clone());
            match subject.sort {
                Sort::Device | Sort::Policy => {
                    w.and("p.sort = ?", subject.sort as u8);
                    w.and("p.native = ?", subject.id.clone());
                }
                Sort::Service => {}
                Sort::Task | Sort::Code | Sort::Group => return Ok(()),
            }
        }
    }
    within(&mut w, "x.seen_at", window);
    let sql = format!(
        "SELECT w.uuid, x.n, x.seen_at, s.name, p.sort, p.native, p.name, x.from_state, x.to_state
         FROM party_change x JOIN party p ON p.id = x.party JOIN service s ON s.id = p.service
         JOIN writer w ON w.id = x.writer
         WHERE {} ORDER BY x.seq DESC LIMIT {}",
        w.sql(),
        limit(window)
    );
    let mut texts = Texts::new(c);
    read(c, &sql, &w, out, |row| {
        let Some(sort) = Sort::from_number(row.get(4)?) else {
            return Ok(None);
        };
        let from: Option<i64> = row.get(7)?;
        let from = from
            .map(|id| Ok::<_, rusqlite::Error>(Shape::words(&texts.get(id)?)))
            .transpose()?;
        Ok(Some(Entry {
            id: event_id(row, 0)?,
            at: Timestamp(row.get(2)?),
            service: row.get(3)?,
            happened: Happened::Changed {
                sort,
                id: row.get(5)?,
                name: row.get(6)?,
                from,
                to: Shape::words(&texts.get(row.get(8)?)?),
            },
        }))
    })
}

fn acts(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
    out: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    let mut w = Where::default();
    if let Some(subject) = subject {
        concerns(&mut w, subject);
    }
    within(&mut w, "x.at", window);
    let sql = format!(
        "SELECT w.uuid, x.n, x.at, s.name, a.id, a.body, w.operator, x.stage, x.detail
         FROM action_step x JOIN action a ON a.id = x.action JOIN service s ON s.id = a.service
         JOIN writer w ON w.id = x.writer
         WHERE {} ORDER BY x.seq DESC LIMIT {}",
        w.sql(),
        limit(window)
    );
    read(c, &sql, &w, out, |row| {
        Ok(Some(Entry {
            id: event_id(row, 0)?,
            at: Timestamp(row.get(2)?),
            service: row.get(3)?,
            happened: Happened::Acted {
                action: Uuid::from_bytes(row.get(4)?),
                what: Box::new(kept(row, 5)?),
                operator: row.get(6)?,
                stage: row.get(7)?,
                detail: row.get(8)?,
            },
        }))
    })
}

fn remarks(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
    out: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    let mut w = Where::default();
    let mut whole = limit(window);
    if let Some(subject) = subject {
        w.and("r.service = ?", subject.service.clone());
        match subject.sort {
            Sort::Service => {}
            sort @ (Sort::Device | Sort::Policy) => {
                // what was said of its tasks belongs to its past too; whose they are is looked up one by one, as
                // there are fewer remarks than tasks
                let said = format!("r.sort = {} AND r.subject = ?", sort as u8);
                w.and(&format!("({said}) OR r.sort = 1"), subject.id.clone());
                whole = i64::MAX;
            }
            sort => {
                w.and("r.sort = ?", sort as u8);
                w.and("r.subject = ?", subject.id.clone());
            }
        }
    }
    within(&mut w, "r.at", window);
    let sql = format!(
        "SELECT w.uuid, r.n, {REMARK} FROM remark r JOIN writer w ON w.id = r.writer
         WHERE {} ORDER BY r.seq DESC LIMIT {whole}",
        w.sql(),
    );
    read(c, &sql, &w, out, |row| {
        let Some(remark) = remark(row, 2)? else {
            return Ok(None);
        };
        if let Some(subject) = subject
            && remark.subject.sort == Sort::Task
            && !is_task_of(c, &remark.subject, subject)?
        {
            return Ok(None);
        }
        Ok(Some(Entry {
            id: event_id(row, 0)?,
            at: remark.at,
            service: remark.subject.service.clone(),
            happened: Happened::Remarked(Box::new(remark)),
        }))
    })
}

/// Whether a task belongs to a subject that tasks were looked for by.
fn is_task_of(c: &Connection, task: &Subject, subject: &Subject) -> rusqlite::Result<bool> {
    let column = match subject.sort {
        Sort::Device => "device_id",
        Sort::Policy => "policy_id",
        _ => return Ok(true),
    };
    let word = find(c, &subject.id)?.unwrap_or(-1);
    let sql = format!("SELECT 1 FROM task WHERE id = ?1 AND {column} = ?2");
    for row in keys::rows(c, &task.service, &task.id)? {
        if c.prepare_cached(&sql)?.exists((row, word))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What concerns the record itself is part of every past: a reader must know of a jumped clock.
fn incidents(
    c: &Connection,
    subject: Option<&Subject>,
    window: &Window,
    out: &mut Vec<Entry>,
) -> rusqlite::Result<()> {
    if subject.is_some_and(|s| s.sort != Sort::Service) && out.is_empty() {
        return Ok(());
    }
    let mut w = Where::default();
    within(&mut w, "x.at", window);
    // outside the past of the subject they mean nothing
    if subject.is_some() {
        let first = out.iter().map(|e| e.at.0).min().unwrap_or(i64::MAX);
        w.and("x.at >= ?", first);
    }
    let sql = format!(
        "SELECT w.uuid, x.n, x.at, x.what FROM incident x JOIN writer w ON w.id = x.writer
         WHERE {} ORDER BY x.seq DESC LIMIT {}",
        w.sql(),
        limit(window)
    );
    read(c, &sql, &w, out, |row| {
        Ok(Some(Entry {
            id: event_id(row, 0)?,
            at: Timestamp(row.get(2)?),
            service: String::new(),
            happened: Happened::Incident(row.get(3)?),
        }))
    })
}
