//! Looking for what became of an action whose answer was lost.

use serde::Deserialize;

use super::Cbr;
use super::act::Plan;
use super::draft::OneBackup;
use super::log::Log;
use super::policy::OnePolicy;
use super::poll::filter_time;
use super::vault::OneVault;
use crate::connect::decode::Raw;
use crate::connect::http::{Call, Reply};
use crate::model::{Fault, Found, Prepared, Timestamp};

/// How far the clocks may disagree after their difference was taken out, in milliseconds.
const SLACK_MS: i64 = 3_000;

/// What looking needs of a task.
pub(super) struct Brief {
    pub id: String,
    pub run: String,
    name: String,
    status: String,
    operation: String,
    began: Option<Timestamp>,
}

/// The tasks of a list.
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
        .filter_map(|raw| serde_json::from_str::<Log<'_>>(raw.get()).ok())
        .map(|log| Brief {
            id: log.id.owned(),
            run: log.checkpoint_id.owned(),
            name: log.backup_name().to_owned(),
            status: log.status.owned(),
            operation: log.operation_type.owned(),
            began: log.began(),
        })
        .collect())
}

const fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl Cbr {
    pub(super) async fn seek(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let plan: Plan = prepared.own_plan()?;
        // The service dates its tasks by its own clock.
        let since = self.session.by_service(sent_at).plus(-SLACK_MS);
        match prepared.intent.action {
            "back-up" | "back-up-again" | "run" => self.seek_tasks(&plan, "backup", since).await,
            "restore" => self.seek_tasks(&plan, "restore", since).await,
            "delete-failed" | "delete-backup" | "delete-again" => {
                let Some(reply) = self.one(&["backups", &plan.backup]).await? else {
                    return Ok(Found::Done {
                        task_ids: vec![],
                        seen: "the backup is gone".into(),
                    });
                };
                let one: OneBackup<'_> = reply.json()?;
                let status = one.backup.status.as_str();
                Ok(if matches!(status, "deleting" | "waiting_delete") {
                    Found::Done {
                        task_ids: vec![],
                        seen: format!("the backup is {status}"),
                    }
                } else {
                    Found::Nothing {
                        looked_at: format!("the backup: it is {status}"),
                    }
                })
            }
            "resume-resource" | "pause-resource" => self.seek_pause(&plan).await,
            _ => {
                let reply = self.policy_reply(&plan.policy).await?;
                let one: OnePolicy<'_> = reply.json()?;
                Ok(switched(
                    one.policy.enabled.0,
                    plan.enabled,
                    "the policy's schedule",
                ))
            }
        }
    }

    /// Tasks of the resource or the vaults that began since then. The order of the list is not documented, so
    /// the time is a filter, and is checked here once more.
    async fn seek_tasks(
        &self,
        plan: &Plan,
        operation: &str,
        since: Timestamp,
    ) -> Result<Found, Fault> {
        let base = Call::get(&["operation-logs"])
            .with("operation_type", operation)
            .with("start_time", filter_time(since))
            .with("limit", self.page_size.to_string());
        let calls = if plan.device.is_empty() {
            let of = |(id, _): &(String, String)| base.clone().with("vault_id", id.as_str());
            plan.vaults.iter().map(of).collect()
        } else {
            vec![base.with("resource_id", plan.device.as_str())]
        };
        let mut young = Vec::new();
        for call in calls {
            let reply = self.session.ask(&call).await?;
            young.extend(briefs(&reply)?.into_iter().filter(|log| {
                log.operation == operation
                    && log.began.is_some_and(|t| t >= since)
                    // The service adds a number to the name when there are several.
                    && log.name.starts_with(&plan.name)
            }));
        }
        Ok(match young.first() {
            Some(first) => Found::Done {
                seen: format!(
                    "{} {operation} task(s) begun since then, one of them {}; whether by hand or by a policy the record does not tell",
                    young.len(),
                    first.status
                ),
                task_ids: young.iter().map(|log| log.id.clone()).collect(),
            },
            None => Found::Nothing {
                looked_at: format!(
                    "the {operation} tasks since {}: there is none",
                    since.rfc3339()
                ),
            },
        })
    }

    async fn seek_pause(&self, plan: &Plan) -> Result<Found, Fault> {
        let vault = plan.vaults.first().map_or("", |(id, _)| id.as_str());
        let reply = self.session.ask(&Call::get(&["vaults", vault])).await?;
        let one: OneVault<'_> = reply.json()?;
        let on = one
            .vault
            .resources()
            .find(|(r, _)| r.id.as_str() == plan.device)
            .and_then(|(r, _)| r.auto_protect.0);
        Ok(switched(
            on,
            plan.enabled,
            "the resource's automatic backup",
        ))
    }
}

fn switched(is: Option<bool>, wanted: Option<bool>, what: &str) -> Found {
    match is {
        Some(on) if Some(on) == wanted => Found::Done {
            task_ids: vec![],
            seen: format!("{what} is {}", on_off(on)),
        },
        Some(on) => Found::Nothing {
            looked_at: format!("{what}: it is {}", on_off(on)),
        },
        None => Found::CannotTell {
            why: format!("the record doesn't say whether {what} is on"),
        },
    }
}
