//! Reading a task's row back.

use rusqlite::Row;

use super::put_task::{CANCEL_ASKED, CLEARED, LOST, START_ASKED};
use super::words::Texts;
use crate::model::{Asked, CodeRef, Phase, Ref, Task, Timestamp};
use crate::store::history::words::lasting_facts;

/// The columns that [`Raw`] reads, in its order.
pub(super) const COLUMNS: &str = "t.id, t.service, t.native, t.device_id, t.device_name, t.policy_id, t.policy_name, \
     t.operation, t.object, t.status, t.phase, t.step, t.progress, t.started, t.updated, t.ended, t.code, \
     t.code_http, t.code_operation, t.message, t.has_failure, t.facts, t.flags, t.feeds, t.first_seen";

/// A row as it stands in the file.
pub(super) struct Raw {
    pub(super) id: i64,
    pub(super) service: i64,
    pub(super) native: String,
    device: (i64, i64),
    policy: (i64, i64),
    operation: i64,
    object: i64,
    pub(super) status: i64,
    pub(super) phase: Phase,
    step: i64,
    progress: Option<u8>,
    pub(super) started: Option<i64>,
    pub(super) updated: Option<i64>,
    pub(super) ended: Option<i64>,
    code: i64,
    code_http: Option<u16>,
    code_operation: i64,
    message: String,
    has_failure: bool,
    facts: String,
    flags: i64,
    feeds: i64,
    pub(super) first_seen: i64,
}

/// A phase from its number; unknown for any other.
pub(super) fn phase(n: i64) -> Phase {
    Phase::from_u8(u8::try_from(n).unwrap_or(0))
}

impl Raw {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            service: row.get(1)?,
            native: row.get(2)?,
            device: (row.get(3)?, row.get(4)?),
            policy: (row.get(5)?, row.get(6)?),
            operation: row.get(7)?,
            object: row.get(8)?,
            status: row.get(9)?,
            phase: phase(row.get(10)?),
            step: row.get(11)?,
            progress: row.get(12)?,
            started: row.get(13)?,
            updated: row.get(14)?,
            ended: row.get(15)?,
            code: row.get(16)?,
            code_http: row.get(17)?,
            code_operation: row.get(18)?,
            message: row.get(19)?,
            has_failure: row.get(20)?,
            facts: row.get(21)?,
            flags: row.get(22)?,
            feeds: row.get(23)?,
            first_seen: row.get(24)?,
        })
    }

    pub(super) const fn cleared(&self) -> bool {
        self.flags & CLEARED != 0
    }

    pub(super) const fn lost(&self) -> bool {
        self.flags & LOST != 0
    }

    /// The lists of the service that show it.
    pub(super) fn feeds(&self, texts: &mut Texts<'_>) -> rusqlite::Result<Vec<String>> {
        Ok(texts
            .get(self.feeds)?
            .split_whitespace()
            .map(str::to_owned)
            .collect())
    }

    /// The newest state.
    pub(super) fn task(&self, texts: &mut Texts<'_>) -> rusqlite::Result<Task> {
        let mut reference = |(id, name): (i64, i64)| -> rusqlite::Result<Option<Ref>> {
            let told = Ref::new(&*texts.get(id)?, &*texts.get(name)?);
            Ok((!told.id.is_empty() || !told.name.is_empty()).then_some(told))
        };
        let device = reference(self.device)?;
        let policy = reference(self.policy)?;
        let failure = if self.has_failure {
            Some(CodeRef {
                code: texts.owned(self.code)?,
                http_status: self.code_http,
                operation: texts.owned(self.code_operation)?,
                message: self.message.clone(),
            })
        } else {
            None
        };
        let facts: Vec<(String, String)> = serde_json::from_str(&self.facts).unwrap_or_default();
        Ok(Task {
            id: self.native.clone(),
            device,
            policy,
            operation: texts.owned(self.operation)?,
            native_status: texts.owned(self.status)?,
            phase: self.phase,
            step: texts.owned(self.step)?,
            progress: self.progress,
            started_at: self.started.map(Timestamp),
            updated_at: self.updated.map(Timestamp),
            ended_at: self.ended.map(Timestamp),
            failure,
            asked: if self.flags & CANCEL_ASKED != 0 {
                Some(Asked::Cancel)
            } else if self.flags & START_ASKED != 0 {
                Some(Asked::Start)
            } else {
                None
            },
            object: texts.owned(self.object)?,
            facts: lasting_facts(facts),
            raw: String::new(),
        })
    }
}
