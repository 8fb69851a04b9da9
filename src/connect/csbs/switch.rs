//! Turning a policy's schedule on and off.

use serde_json::{Value, json};

use super::act::{Plan, refused};
use super::draft::Draft;
use super::{Csbs, is_missing};
use crate::connect::http::{Call, Reply};
use crate::model::{Danger, Fault, Intent};

impl Csbs {
    pub(super) async fn draft_switch(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let on = intent.action == "enable";
        let reply = self.policy_reply(&target.id).await?;
        let one: Value = reply.json()?;
        let operation = one
            .pointer("/policy/scheduled_operations/0")
            .filter(|o| {
                o.get("id")
                    .and_then(Value::as_str)
                    .is_some_and(|id| !id.is_empty())
            })
            .ok_or_else(|| {
                refused(
                    "the policy has no schedule that could be turned on or off",
                    &reply.place,
                    "Look at the raw record.",
                )
            })?;
        let call = Call::put(
            &["policies", &target.id],
            json!({"policy": {"scheduled_operations": [switched(operation, on)]}}),
        );
        Ok(Draft {
            plan: Plan {
                call: Some(call),
                policy: target.id.clone(),
                enabled: Some(on),
                ..Plan::default()
            },
            effect: if on {
                format!("Policy \"{}\" backs its servers up by its schedule again.", target.name)
            } else {
                format!(
                    "Policy \"{}\" backs nothing up by itself any more. A run that is going on is not affected.",
                    target.name
                )
            },
            warnings: vec!["Whether CSBS keeps what an update leaves out is not documented, so the schedule's other fields are sent along unchanged.".into()],
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn policy_reply(&self, id: &str) -> Result<Reply, Fault> {
        self.session
            .ask(&Call::get(&["policies", id]))
            .await
            .map_err(|fault| {
                if is_missing(&fault) {
                    refused(
                        "the policy is gone",
                        &fault.place,
                        "Somebody has deleted it.",
                    )
                } else {
                    super::moved(fault)
                }
            })
    }
}

/// The operation as an update takes it (API reference, updating a backup policy), with `enabled` set. It is
/// always sent: left out it means true.
fn switched(operation: &Value, on: bool) -> Value {
    let mut out = json!({"id": operation["id"], "enabled": on});
    for field in ["name", "description"] {
        if let Some(text) = operation.get(field).filter(|v| v.is_string()) {
            out[field] = text.clone();
        }
    }
    if let Some(definition) = operation
        .get("operation_definition")
        .and_then(Value::as_object)
    {
        let typed: serde_json::Map<String, Value> = definition
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), typed(k, v)))
            .collect();
        out["operation_definition"] = Value::Object(typed);
    }
    if let Some(pattern) = operation.pointer("/trigger/properties/pattern") {
        out["trigger"] = json!({"properties": {"pattern": pattern}});
    }
    out
}

/// A field of the definition in the type that requests have: answers may give numbers and truth values as text.
fn typed(key: &str, value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    match key {
        "max_backups"
        | "retention_duration_days"
        | "day_backups"
        | "week_backups"
        | "month_backups"
        | "year_backups" => text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| value.clone(), Value::from),
        "permanent" => match text.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}
