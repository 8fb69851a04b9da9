//! Writing what operators do and say.

use super::writer::Batch;
use crate::store::history::{ActionHead, ActionStep, Remark, Sort};

impl Batch<'_> {
    pub(super) fn put_action(&mut self, head: &ActionHead) -> rusqlite::Result<()> {
        let service = self.service(&head.service)?;
        let target = &head.action.target;
        let sort: Sort = target.kind.parse().unwrap_or(Sort::Task);
        let body = serde_json::to_string(&head.action)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        // told again at its confirmation after it was proposed: the first one counts
        self.c
            .prepare_cached(
                "INSERT INTO action (id, writer, at, service, target_sort, target_id, device_id, policy_id, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute((
                head.id.as_bytes().as_slice(),
                self.writer,
                head.at.0,
                service,
                sort as u8,
                &target.id,
                &target.device.0,
                &target.policy.0,
                body,
            ))?;
        Ok(())
    }

    pub(super) fn put_step(&mut self, step: &ActionStep) -> rusqlite::Result<()> {
        let n = self.number();
        let id = step.action.as_bytes().as_slice();
        self.c
            .prepare_cached(
                "INSERT INTO action_step (writer, n, action, at, stage, detail, over, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                self.writer,
                n,
                id,
                step.at.0,
                &step.stage,
                &step.detail,
                step.over,
                step.data.to_string(),
            ))?;
        if step.over {
            self.c
                .prepare_cached("DELETE FROM action_open WHERE action = ?1")?
                .execute([id])?;
        } else {
            self.c
                .prepare_cached(
                    "INSERT INTO action_open (action, writer) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET writer = excluded.writer",
                )?
                .execute((id, self.writer))?;
        }
        Ok(())
    }

    pub(super) fn put_remark(&mut self, remark: &Remark) -> rusqlite::Result<()> {
        let n = self.number();
        let who = &self.shared.options.identity;
        let or = |text: &str, other: &str| {
            if text.is_empty() {
                other.to_owned()
            } else {
                text.to_owned()
            }
        };
        self.c
            .prepare_cached(
                "INSERT INTO remark (writer, n, id, at, operator, host, service, sort, subject, kind, text, until,
                                     status, takes_back)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute((
                self.writer,
                n,
                remark.id.as_bytes().as_slice(),
                remark.at.0,
                or(&remark.operator, &who.operator),
                or(&remark.host, &who.host),
                &remark.subject.service,
                remark.subject.sort as u8,
                &remark.subject.id,
                remark.kind as u8,
                &remark.text,
                remark.until.map(|t| t.0),
                &remark.status,
                remark
                    .takes_back
                    .map(|id| id.as_bytes().to_vec()),
            ))?;
        Ok(())
    }
}
