//! Reading back what operators did and said.

use rusqlite::{Connection, Row, ToSql};
use uuid::Uuid;

use crate::model::Timestamp;
use crate::store::history::{
    ActionQuery, ActionStep, ActionStory, EventId, KeptAction, Remark, RemarkKind, RemarkQuery,
    ServiceKey, Sort, Subject, ToldStep, WriterId,
};

/// Conditions with their values, joined by AND.
#[derive(Default)]
pub(super) struct Where {
    parts: Vec<String>,
    pub(super) values: Vec<Box<dyn ToSql>>,
}

impl Where {
    /// Adds a condition; `?` in it is the value.
    pub(super) fn and(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        let number = format!("?{}", self.values.len());
        self.parts
            .push(format!("({})", condition.replace('?', &number)));
    }

    /// Adds a condition without a value.
    pub(super) fn also(&mut self, condition: &str) {
        self.parts.push(format!("({condition})"));
    }

    pub(super) fn sql(&self) -> String {
        if self.parts.is_empty() {
            "1".to_owned()
        } else {
            self.parts.join(" AND ")
        }
    }

    pub(super) fn params(&self) -> Vec<&dyn ToSql> {
        self.values.iter().map(|v| &**v).collect()
    }
}

fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// An event's id from its two columns, `at` the first of them.
pub(super) fn event_id(row: &Row<'_>, at: usize) -> rusqlite::Result<EventId> {
    Ok(EventId {
        writer: WriterId(uuid(row.get(at)?)),
        number: u64::try_from(row.get::<_, i64>(at + 1)?).unwrap_or(0),
    })
}

/// The condition under which an action of table `a` (with its service `s`) concerns a subject.
pub(super) fn concerns(w: &mut Where, subject: &Subject) {
    let id = subject.id.clone();
    match subject.sort {
        Sort::Task => w.and(
            "(a.target_sort = 1 AND a.target_id = ?)
             OR a.id IN (SELECT action FROM action_step WHERE json_extract(data, '$.task_id') = ?)",
            id,
        ),
        Sort::Device => w.and(
            "(a.target_sort = 2 AND a.target_id = ?) OR a.device_id = ?",
            id,
        ),
        Sort::Policy => w.and(
            "(a.target_sort = 3 AND a.target_id = ?) OR a.policy_id = ?",
            id,
        ),
        Sort::Service => {}
        Sort::Code | Sort::Group => w.also("0"),
    }
    w.and("s.name = ?", subject.service.clone());
}

pub(super) fn stories(c: &Connection, query: &ActionQuery) -> rusqlite::Result<Vec<ActionStory>> {
    let mut w = Where::default();
    if let Some(id) = query.id {
        w.and("a.id = ?", id.as_bytes().to_vec());
    }
    if let Some(service) = &query.service {
        w.and("s.name = ?", service.clone());
    }
    if let Some(subject) = &query.subject {
        concerns(&mut w, subject);
    }
    if let Some(from) = query.from {
        w.and("a.at >= ?", from.0);
    }
    if let Some(until) = query.until {
        w.and("a.at < ?", until.0);
    }
    let sql = format!(
        "SELECT a.id, a.at, w.operator, w.host, w.uuid, w.pid, s.name, s.kind, a.body
         FROM action a JOIN writer w ON w.id = a.writer JOIN service s ON s.id = a.service
         WHERE {} ORDER BY a.seq DESC LIMIT {}",
        w.sql(),
        query
            .limit
            .map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX))
    );
    let mut all = c.prepare(&sql)?;
    let mut rows = all.query(&*w.params())?;
    let mut stories = Vec::new();
    while let Some(row) = rows.next()? {
        let id = uuid(row.get(0)?);
        stories.push(ActionStory {
            id,
            at: Timestamp(row.get(1)?),
            operator: row.get(2)?,
            host: row.get(3)?,
            writer: WriterId(uuid(row.get(4)?)),
            pid: row.get(5)?,
            service: ServiceKey::new(row.get::<_, String>(6)?, row.get::<_, String>(7)?),
            action: kept(row, 8)?,
            steps: steps(c, id)?,
        });
    }
    stories.reverse();
    Ok(stories)
}

/// What was confirmed; one that a later program wrote in another way reads as far as it goes.
pub(super) fn kept(row: &Row<'_>, at: usize) -> rusqlite::Result<KeptAction> {
    Ok(serde_json::from_str(row.get_ref(at)?.as_str().unwrap_or_default()).unwrap_or_default())
}

fn steps(c: &Connection, action: Uuid) -> rusqlite::Result<Vec<ToldStep>> {
    c.prepare_cached(
        "SELECT w.uuid, p.n, w.operator, p.at, p.stage, p.detail, p.over, p.data
         FROM action_step p JOIN writer w ON w.id = p.writer WHERE p.action = ?1 ORDER BY p.seq",
    )?
    .query_map([action.as_bytes().as_slice()], |row| {
        Ok(ToldStep {
            id: event_id(row, 0)?,
            operator: row.get(2)?,
            step: ActionStep {
                action,
                at: Timestamp(row.get(3)?),
                stage: row.get(4)?,
                detail: row.get(5)?,
                over: row.get(6)?,
                data: serde_json::from_str(row.get_ref(7)?.as_str().unwrap_or_default())
                    .unwrap_or_default(),
            },
        })
    })?
    .collect()
}

/// The columns that [`remark`] reads, in its order.
pub(super) const REMARK: &str = "r.id, r.at, r.operator, r.host, r.service, r.sort, r.subject, r.kind, r.text, \
     r.until, r.status, r.takes_back";

/// A remark from its columns, `at` the first of them; `None` for one of a kind or sort that a later program
/// brought in.
pub(super) fn remark(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Remark>> {
    let (Some(sort), Some(kind)) = (
        Sort::from_number(row.get(at + 5)?),
        RemarkKind::from_number(row.get(at + 7)?),
    ) else {
        return Ok(None);
    };
    Ok(Some(Remark {
        id: uuid(row.get(at)?),
        at: Timestamp(row.get(at + 1)?),
        operator: row.get(at + 2)?,
        host: row.get(at + 3)?,
        subject: Subject {
            service: row.get(at + 4)?,
            sort,
            id: row.get(at + 6)?,
        },
        kind,
        text: row.get(at + 8)?,
        until: row.get::<_, Option<i64>>(at + 9)?.map(Timestamp),
        status: row.get(at + 10)?,
        takes_back: row.get::<_, Option<[u8; 16]>>(at + 11)?.map(uuid),
    }))
}

pub(super) fn remarks(c: &Connection, query: &RemarkQuery) -> rusqlite::Result<Vec<Remark>> {
    let mut w = Where::default();
    if let Some(subject) = &query.subject {
        w.and("r.service = ?", subject.service.clone());
        w.and("r.sort = ?", subject.sort as u8);
        w.and("r.subject = ?", subject.id.clone());
    }
    if let Some(sort) = query.sort {
        w.and("r.sort = ?", sort as u8);
    }
    if let Some(kind) = query.kind {
        w.and("r.kind = ?", kind as u8);
    }
    if let Some(from) = query.from {
        w.and("r.at >= ?", from.0);
    }
    if let Some(at) = query.holding_at {
        w.and(
            "r.at <= ? AND (r.until IS NULL OR r.until > ?) AND r.kind <> 3
             AND NOT EXISTS (SELECT 1 FROM remark b WHERE b.takes_back = r.id AND b.at <= ?)",
            at.0,
        );
    }
    let sql = format!(
        "SELECT {REMARK} FROM remark r WHERE {} ORDER BY r.seq",
        w.sql()
    );
    let mut all = c.prepare(&sql)?;
    let mut rows = all.query(&*w.params())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(remark(row, 0)?);
    }
    Ok(found)
}
