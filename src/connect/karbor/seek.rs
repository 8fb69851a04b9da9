//! Looking for what became of an action whose answer was lost.

use serde::Deserialize;

use super::Karbor;
use super::act::Plan;
use super::record::{LogRow, One};
use crate::connect::decode::Raw;
use crate::connect::http::{Call, Reply};
use crate::model::{Fault, Found, Prepared, Timestamp};

/// How far the clocks may disagree after their difference was taken out, in milliseconds.
const SLACK_MS: i64 = 3_000;

/// What looking needs of a log.
pub(super) struct Brief {
    pub id: String,
    pub run: String,
    pub restore: String,
    pub plan: String,
    pub operation: String,
    status: String,
    began: Option<Timestamp>,
}

/// The logs of a list.
pub(super) fn briefs(reply: &Reply) -> Result<Vec<Brief>, Fault> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        operation_logs: Vec<Raw<'a>>,
    }
    let list: List<'_> = reply.json()?;
    Ok(list
        .operation_logs
        .iter()
        .filter_map(|raw| serde_json::from_str::<LogRow<'_>>(raw.get()).ok())
        .map(|log| Brief {
            id: log.id.owned(),
            run: log.checkpoint_id.owned(),
            restore: log.restore_id.owned(),
            plan: log.plan_id.owned(),
            operation: log.operation(),
            status: log.status.owned(),
            began: log.started_at.0,
        })
        .collect())
}

impl Karbor {
    pub(super) async fn seek(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let plan: Plan = prepared.own_plan()?;
        // The service dates its logs by its own clock.
        let since = self.session.by_service(sent_at).plus(-SLACK_MS);
        let (filter, id, operation) = match prepared.intent.action {
            "run-plan" | "run-again" => ("plan_id", plan.plan_id.as_str(), "backup"),
            "restore" => ("checkpoint_id", plan.checkpoint.as_str(), "restore"),
            _ => {
                let status = match self.checkpoint(&plan.provider, &plan.checkpoint).await? {
                    None => "gone".to_owned(),
                    Some(reply) => {
                        let one: One<'_> = reply.json()?;
                        one.checkpoint
                            .0
                            .map(|c| c.status.owned())
                            .unwrap_or_default()
                    }
                };
                // A deleted checkpoint can still be asked for by its id.
                return Ok(match status.as_str() {
                    "gone" | "deleting" | "deleted" | "error-deleting" => Found::Done {
                        task_ids: vec![],
                        seen: format!("the checkpoint is {status}"),
                    },
                    _ => Found::Nothing {
                        looked_at: format!("the checkpoint: it is {status}"),
                    },
                });
            }
        };
        let call = Call::get(&["operation_logs"])
            .with(filter, id)
            .with("limit", self.page_size.to_string());
        let reply = self.session.ask(&call).await?;
        // An administrator of Karbor may have turned the filter off: it is dropped then, without a word.
        let ours = |log: &Brief| log.plan == id || log.run == id;
        let young: Vec<Brief> = briefs(&reply)?
            .into_iter()
            .filter(|log| log.operation == operation && ours(log))
            .filter(|log| log.began.is_some_and(|t| t >= since))
            .collect();
        Ok(match young.first() {
            Some(first) => Found::Done {
                seen: format!(
                    "{} {operation}(s) begun since then, the newest {}; whether by hand or by a schedule the log does not tell",
                    young.len(),
                    first.status
                ),
                task_ids: young.into_iter().map(|log| log.id).collect(),
            },
            None => Found::Nothing {
                looked_at: format!(
                    "the operation logs: no {operation} has begun since {}",
                    since.rfc3339()
                ),
            },
        })
    }
}
