//! Turning a wish into the exact request, after asking the service what it thinks of it.

use serde::Deserialize;
use serde_json::json;

use super::act::{Plan, SERVER, gone, refused, unreadable};
use super::item::{Facet, Item, OneItem};
use super::policy::{OnePolicy, PolicyRow};
use super::{Csbs, PROVIDER};
use crate::connect::decode::Text;
use crate::connect::http::Call;
use crate::model::{Danger, Fault, Intent, clean};

/// A plan with the words for its confirmation.
pub(super) struct Draft {
    pub plan: Plan,
    pub effect: String,
    pub warnings: Vec<String>,
    pub danger: Danger,
}

/// The type that a server's record names.
fn kind_of(raw: &str) -> String {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Text<'a>,
        #[serde(borrow, default)]
        resource_type: Text<'a>,
    }
    serde_json::from_str::<Record<'_>>(raw).map_or_else(
        |_| SERVER.to_owned(),
        |r| r.kind.or(r.resource_type.or(SERVER)).to_owned(),
    )
}

/// A backup's name as the API takes it: 1 to 255 letters, digits, `_` and `-`.
fn good_name(name: &str) -> Result<&str, Fault> {
    let ok = name.len() <= 255
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if ok {
        Ok(name)
    } else {
        Err(refused(
            format!("'{}' can't be a backup's name", clean(name)),
            "backup_name",
            "Use up to 255 letters, digits, - and _.",
        ))
    }
}

impl Csbs {
    /// The body and path of a backup of one server.
    fn protect(server: &str, kind: &str, name: &str) -> Call {
        let mut body = json!({"resource_type": kind});
        if !name.is_empty() {
            body["backup_name"] = json!(name);
        }
        Call::post(
            &["providers", PROVIDER, "resources", server, "action"],
            json!({"protect": body}),
        )
    }

    pub(super) async fn draft_back_up(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let name = good_name(intent.inputs.get("backup_name").map_or("", |n| n.trim()))?;
        let kind = kind_of(&target.raw);
        let warning = self.check_protectable(&target.id, &kind).await?;
        Ok(Draft {
            plan: Plan {
                call: Some(Self::protect(&target.id, &kind, name)),
                server: target.id.clone(),
                name: name.to_owned(),
                ..Plan::default()
            },
            effect: format!(
                "Backs up all disks of server \"{}\" now, outside its policy. CSBS never deletes such a backup by itself.",
                target.name
            ),
            warnings: warning.into_iter().collect(),
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn draft_run(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let reply = self.policy_reply(&target.id).await?;
        let one: OnePolicy<'_> = reply.json()?;
        let bound = serde_json::from_str::<PolicyRow<'_>>(one.policy.get())
            .map(|p| p.bound())
            .map_err(|e| unreadable(&e, &reply))?;
        let mut warnings = Vec::new();
        if bound.servers.is_empty() {
            warnings.push(
                "The policy holds no server: the service will refuse (CSBS.6032).".to_owned(),
            );
        }
        let names: Vec<&str> = bound
            .servers
            .iter()
            .take(10)
            .map(|s| {
                if s.name.is_empty() {
                    s.id.as_str()
                } else {
                    s.name.as_str()
                }
            })
            .collect();
        let more = bound.servers.len().saturating_sub(names.len());
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Ok(Draft {
            plan: Plan {
                call: Some(run_call(&target.id, None)),
                policy: target.id.clone(),
                policy_name: target.name.clone(),
                ..Plan::default()
            },
            effect: format!(
                "Backs up the {} servers of policy \"{}\" now: {}{tail}.",
                bound.servers.len(),
                target.name,
                names.join(", ")
            ),
            warnings,
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn draft_again(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let server = target.device.id.as_str();
        let kind = kind_of(&target.raw);
        let mut warnings: Vec<String> = self
            .check_protectable(server, &kind)
            .await?
            .into_iter()
            .collect();
        warnings.push(
            "The failed backup stays on the list: delete it separately once the new one is good."
                .into(),
        );
        let (call, how) = if target.policy.id.is_empty() {
            (
                Self::protect(server, &kind, ""),
                "outside its policy".to_owned(),
            )
        } else {
            (
                run_call(&target.policy.id, Some(server)),
                format!("as a run of policy \"{}\"", target.policy.label()),
            )
        };
        Ok(Draft {
            plan: Plan {
                call: Some(call),
                server: server.to_owned(),
                policy: target.policy.id.clone(),
                policy_name: target.policy.name.clone(),
                ..Plan::default()
            },
            effect: format!(
                "Backs up server \"{}\" again, {how}. CSBS has no retry: this is a new backup.",
                target.device.label()
            ),
            warnings,
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn draft_delete(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let (item_id, _) = Facet::of_task(&target.id);
        let reply = self.item_reply(item_id).await?.ok_or_else(gone)?;
        let one: OneItem<'_> = reply.json()?;
        let item: Item<'_> =
            serde_json::from_str(one.checkpoint_item.get()).map_err(|e| unreadable(&e, &reply))?;
        let failed_only = intent.action == "delete-failed";
        match item.status.as_str() {
            "error" => {}
            "available" if failed_only => {
                return Err(refused(
                    "the backup is available now, not failed",
                    &reply.place,
                    "Delete it as a backup if it is really not needed.",
                ));
            }
            "available" => {}
            busy => {
                return Err(refused(
                    format!(
                        "the backup is {busy}: the service deletes none that is busy (CSBS.2003)"
                    ),
                    &reply.place,
                    "Wait until it has ended.",
                ));
            }
        }
        if item.checkpoint_id.is_empty() {
            return Err(refused(
                "the record names no run (checkpoint), and deleting goes by it",
                &reply.place,
                "Look at the raw record.",
            ));
        }
        let name = item.name.or(item_id);
        let server = item.extend().resource_name.or(item.resource_id.as_str());
        let call = Call::delete(&[
            "providers",
            PROVIDER,
            "checkpoints",
            item.checkpoint_id.as_str(),
        ])
        .with("checkpoint_items", item_id);
        Ok(Draft {
            plan: Plan {
                call: Some(call),
                item: item_id.to_owned(),
                server: item.resource_id.owned(),
                ..Plan::default()
            },
            effect: if item.status.as_str() == "error" {
                format!(
                    "Deletes the failed backup \"{name}\" of server \"{server}\", which takes it off the list of failed jobs."
                )
            } else {
                format!(
                    "Deletes the good backup \"{name}\" of server \"{server}\". It can't be brought back."
                )
            },
            warnings: vec![
                "Deletions are queued, five at a time, and may take half an hour each.".into(),
            ],
            danger: if failed_only {
                Danger::Confirm
            } else {
                Danger::TypeName
            },
        })
    }
}

/// The request that runs a policy, for one of its servers or all.
fn run_call(policy: &str, server: Option<&str>) -> Call {
    let mut parameters = json!({"auto_trigger": false});
    if let Some(server) = server {
        parameters["resources"] = json!([server]);
    }
    Call::post(
        &["providers", PROVIDER, "checkpoints"],
        json!({"checkpoint": {"plan_id": policy, "parameters": parameters}}),
    )
}
