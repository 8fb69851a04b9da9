//! After a lost answer: looking for signs that an action was carried out.

use serde::Deserialize;

use super::Csbs;
use super::act::Plan;
use super::item::{Facet, Item, OneItem};
use super::policy::{OnePolicy, PolicyRow};
use crate::connect::decode::Raw;
use crate::connect::http::{Call, Reply};
use crate::model::{Fault, Found, Prepared, Timestamp};

/// How far the clocks may disagree after their difference was taken out, in milliseconds.
const SLACK_MS: i64 = 3_000;

/// What looking needs of an item.
pub(super) struct Brief {
    pub id: String,
    pub checkpoint_id: String,
    name: String,
    created_at: Option<Timestamp>,
    by_schedule: bool,
}

/// The items of a list.
pub(super) fn items(reply: &Reply) -> Result<Vec<Brief>, Fault> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        checkpoint_items: Vec<Raw<'a>>,
    }
    let list: List<'_> = reply.json()?;
    Ok(list
        .checkpoint_items
        .iter()
        .filter_map(|raw| serde_json::from_str::<Item<'_>>(raw.get()).ok())
        .map(|item| Brief {
            id: item.id.owned(),
            checkpoint_id: item.checkpoint_id.owned(),
            name: item.name.owned(),
            created_at: item.created_at.0,
            by_schedule: item.extend().auto_trigger.is_true(),
        })
        .collect())
}

impl Csbs {
    pub(super) async fn seek(
        &self,
        prepared: &Prepared,
        sent_at: Timestamp,
    ) -> Result<Found, Fault> {
        let plan: Plan = prepared.own_plan()?;
        // The service dates its backups by its own clock.
        let noted = self.known(|known| known.sent_at(&prepared.plan.to_string(), sent_at));
        let (since, again) = noted.unwrap_or_else(|| (self.session.by_service(sent_at), None));
        let since = since.plus(-SLACK_MS);
        // what began after the same was sent again is that one's
        let ours = |at: Timestamp| at >= since && again.is_none_or(|again| at < again);
        match prepared.intent.action {
            "back-up" | "back-up-again" | "run-policy" => {
                let call = Call::get(&["checkpoint_items"])
                    .with("sort", "created_at:desc")
                    .with("limit", "50");
                let (call, whose) = if plan.server.is_empty() {
                    (call.with("policy_id", plan.policy.as_str()), "policy")
                } else {
                    (call.with("resource_id", plan.server.as_str()), "server")
                };
                let reply = self.session.ask(&call).await?;
                let young: Vec<Brief> = items(&reply)?
                    .into_iter()
                    .filter(|i| i.created_at.is_some_and(ours) && !i.by_schedule)
                    .filter(|i| plan.name.is_empty() || i.name == plan.name)
                    .collect();
                Ok(match young.first().and_then(|i| i.created_at) {
                    Some(at) => Found::Done {
                        seen: format!(
                            "{} backup(s) of this {whose} begun by hand since then, the newest at {}",
                            young.len(),
                            at.rfc3339()
                        ),
                        task_ids: young.into_iter().map(|i| i.id).collect(),
                    },
                    None => Found::Nothing {
                        looked_at: format!(
                            "the newest backups of this {whose}: none was begun by hand since {}",
                            since.rfc3339()
                        ),
                    },
                })
            }
            "delete-failed" | "delete-backup" => {
                let task = Facet::Delete.task_id(&plan.item);
                let Some(reply) = self.item_reply(&plan.item).await? else {
                    return Ok(Found::Done {
                        task_ids: vec![],
                        seen: "the backup is gone".into(),
                    });
                };
                self.item_says(&reply, Facet::Delete, task)
            }
            "restore" => {
                let task = Facet::Restore.task_id(&plan.item);
                match self.item_reply(&plan.item).await? {
                    Some(reply) => self.item_says(&reply, Facet::Restore, task),
                    None => Ok(Found::CannotTell {
                        why: "the backup is gone".into(),
                    }),
                }
            }
            _ => {
                let reply = self.policy_reply(&plan.policy).await?;
                let one: OnePolicy<'_> = reply.json()?;
                let on = serde_json::from_str::<PolicyRow<'_>>(one.policy.get())
                    .ok()
                    .and_then(|p| p.enabled());
                let words = |on| if on { "on" } else { "off" };
                Ok(match on {
                    Some(on) if Some(on) == plan.enabled => Found::Done {
                        task_ids: vec![],
                        seen: format!("the policy's schedule is {}", words(on)),
                    },
                    Some(on) => Found::Nothing {
                        looked_at: format!("the policy: its schedule is {}", words(on)),
                    },
                    None => Found::CannotTell {
                        why: "the policy's record doesn't say whether its schedule is on".into(),
                    },
                })
            }
        }
    }

    fn item_says(&self, reply: &Reply, facet: Facet, task: String) -> Result<Found, Fault> {
        let one: OneItem<'_> = reply.json()?;
        let item: Item<'_> = serde_json::from_str(one.checkpoint_item.get())
            .map_err(|e| super::act::unreadable(&e, reply))?;
        Ok(if item.facet() == facet {
            Found::Done {
                task_ids: vec![task],
                seen: format!("the backup is {}", item.status.as_str()),
            }
        } else if facet == Facet::Restore {
            Found::CannotTell {
                why: format!(
                    "the backup is {}: a restore may not have begun or may be over already",
                    item.status.as_str()
                ),
            }
        } else {
            Found::Nothing {
                looked_at: format!("the backup: it is {}", item.status.as_str()),
            }
        })
    }
}
