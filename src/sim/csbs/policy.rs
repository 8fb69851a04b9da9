//! One backup policy: what a client may set, and how it is shown.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};

use super::codes::{self, Refusal};
use super::schedule::Schedule;
use super::tags;
use crate::sim::ids::Ids;
use crate::sim::world::World;

/// The provider that stands for this service, everywhere and always.
pub(super) const PROVIDER: &str = "fc4d5750-22e7-4798-8a46-f48f62c4c1da";
/// A policy protects at most so many servers.
const MOST_SERVERS: usize = 64;

/// A server bound to a policy.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub id: String,
    pub resource_type: String,
    pub name: String,
    pub extra_info: Value,
}

/// Backups that a policy has begun and that are not over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub left: u32,
    pub auto: bool,
}

/// A policy with its one scheduled operation and trigger.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub name: String,
    pub description: String,
    pub created: DateTime<Utc>,
    pub parameters: Value,
    pub resources: Vec<Resource>,
    pub tags: Vec<(String, String)>,
    pub operation: Operation,
    pub run: Option<Run>,
    /// Changes with every change of the schedule, so that old events are known as such.
    pub generation: u32,
}

/// A policy's scheduled operation.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub name: String,
    pub description: String,
    pub enabled: bool,
    pub definition: Map<String, Value>,
    pub pattern: String,
    pub schedule: Schedule,
    pub start_time: DateTime<Utc>,
}

impl Operation {
    /// The day from which an interval counts.
    pub fn first_day(&self) -> NaiveDate {
        self.start_time.date_naive()
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.definition
            .get(key)
            .and_then(Value::as_i64)
            .filter(|number| *number > 0)
    }

    fn permanent(&self) -> bool {
        self.definition.get("permanent").and_then(Value::as_bool) == Some(true)
    }

    /// How many automatic backups of a server are kept, if limited.
    pub fn max_backups(&self) -> Option<i64> {
        self.number("max_backups").filter(|_| !self.permanent())
    }

    /// For how many days automatic backups are kept, if limited.
    pub fn retention_days(&self) -> Option<i64> {
        self.number("retention_duration_days")
            .filter(|_| !self.permanent())
    }
}

/// Sorts of ids, for [`Ids`].
pub(super) mod tag {
    pub const ITEM: u8 = 0;
    pub const CHECKPOINT: u8 = 1;
    pub const POLICY: u8 = 2;
    pub const OPERATION: u8 = 3;
    pub const TRIGGER: u8 = 4;
    pub const DISK: u8 = 5;
    pub const DISK_SNAPSHOT: u8 = 6;
    pub const TASK: u8 = 7;
    pub const RESTORE: u8 = 8;
    pub const RECORD: u8 = 9;
}

/// Which answer a policy is shown in; they differ in small ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Full,
    Updated,
}

impl Policy {
    /// The policy as the service shows it.
    pub fn to_json(&self, world: &World, ids: Ids, number: u32, view: View) -> Value {
        let id = ids.uuid(tag::POLICY, number.into());
        let operation = &self.operation;
        let text = world.switches.get("csbs.numbers") == "text";
        let mut definition: Map<String, Value> = operation
            .definition
            .iter()
            .map(|(key, value)| {
                (
                    key.clone(),
                    if text { as_text(value) } else { value.clone() },
                )
            })
            .collect();
        definition.insert("plan_id".into(), id.as_str().into());
        definition.insert("provider_id".into(), PROVIDER.into());
        let mut trigger = json!({"properties": {
            "pattern": operation.pattern, "format": "ical",
            "start_time": operation.start_time.format("%Y-%m-%d %H:%M:%S").to_string(),
        }});
        let mut scheduled = json!({
            "id": ids.uuid(tag::OPERATION, number.into()), "name": operation.name,
            "description": operation.description, "enabled": operation.enabled,
            "operation_type": "backup", "operation_definition": definition,
        });
        let mut policy = json!({
            "id": id, "name": self.name, "description": self.description,
            "project_id": world.account.project_id, "provider_id": PROVIDER,
            "created_at": super::item::time(self.created.timestamp_micros()),
            "status": self.status(world), "parameters": self.parameters,
            "resources": self.resources.iter().map(|resource| json!({
                "id": resource.id, "type": resource.resource_type, "name": resource.name,
                "extra_info": resource.extra_info,
            })).collect::<Vec<_>>(),
            "tags": tags::to_json(&self.tags),
        });
        let trigger_id = ids.uuid(tag::TRIGGER, number.into());
        if view == View::Full {
            trigger["id"] = trigger_id.as_str().into();
            trigger["name"] = "default".into();
            trigger["type"] = "time".into();
            scheduled["trigger_id"] = trigger_id.into();
        } else {
            policy["user_id"] = Value::Null;
        }
        scheduled["trigger"] = trigger;
        policy["scheduled_operations"] = json!([scheduled]);
        if world.switches.on("csbs.adversarial")
            && number.is_multiple_of(2)
            && let Some(policy) = policy.as_object_mut()
        {
            policy.remove("tags");
        }
        policy
    }

    /// Real services say `suspended` whatever the schedule does; the documents say otherwise.
    fn status(&self, world: &World) -> &'static str {
        match (
            world.switches.get("csbs.policy_status"),
            self.operation.enabled,
        ) {
            ("documented", true) => "enabled",
            ("documented", false) => "disabled",
            _ => "suspended",
        }
    }
}

fn as_text(value: &Value) -> Value {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

fn bad(why: impl Into<String>) -> Refusal {
    codes::BAD_PARAMETER.saying(why)
}

/// Checks a name: 1 to 255 letters, digits, `_` or `-`.
pub(super) fn name(value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().ok_or_else(|| bad("name is missing"))?;
    let fine = (1..=255).contains(&text.chars().count())
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-');
    if fine {
        Ok(text.to_owned())
    } else {
        Err(bad("name takes 1 to 255 letters, digits, _ and -"))
    }
}

/// Checks a description: up to 255 characters without `<` and `>`; empty when left out.
pub(super) fn description(value: Option<&Value>) -> Result<String, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) if text.chars().count() <= 255 && !text.contains(['<', '>']) => {
            Ok(text.clone())
        }
        Some(_) => Err(bad(
            "description takes up to 255 characters without < and >",
        )),
    }
}

/// Reads the list of servers of a policy; whether they exist and are free is asked elsewhere.
pub(super) fn resources(value: &Value) -> Result<Vec<Resource>, Refusal> {
    let list = value
        .as_array()
        .ok_or_else(|| bad("resources is missing"))?;
    if list.len() > MOST_SERVERS {
        return Err(bad("a policy takes at most 64 resources"));
    }
    let text = |value: &Value, key: &str| {
        let text = value.get(key).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| bad(format!("resources: {key} is missing")))
    };
    list.iter()
        .map(|value| {
            Ok(Resource {
                id: text(value, "id")?,
                resource_type: text(value, "type")?,
                name: text(value, "name")?,
                extra_info: value
                    .get("extra_info")
                    .cloned()
                    .unwrap_or_else(|| json!({})),
            })
        })
        .collect()
}

/// Reads what a client may set of the scheduled operation. Without `old` everything required must be there; with it
/// (an update) what is left out keeps its old value, or its default when `reset` is set.
pub(super) fn operation(
    value: &Value,
    old: Option<&Operation>,
    reset: bool,
    now: DateTime<Utc>,
) -> Result<Operation, Refusal> {
    let kept = old.filter(|_| !reset);
    let required = |key: &str| {
        value
            .get(key)
            .filter(|value| !value.is_null())
            .ok_or_else(|| bad(format!("scheduled_operations: {key} is missing")))
    };
    if old.is_none() && required("operation_type")?.as_str() != Some("backup") {
        return Err(bad("operation_type must be backup"));
    }
    // Left out of an update it means true: documented, and a trap.
    let enabled = match value.get("enabled") {
        None if old.is_some() => true,
        None => return Err(bad("scheduled_operations: enabled is missing")),
        Some(value) => flag(value).ok_or_else(|| bad("enabled must be true or false"))?,
    };
    let definition = match (value.get("operation_definition"), kept) {
        (Some(given), _) => definition(given)?,
        (None, Some(old)) => old.definition.clone(),
        (None, None) if old.is_some() => Map::new(),
        (None, None) => return Err(bad("scheduled_operations: operation_definition is missing")),
    };
    let pattern = value
        .pointer("/trigger/properties/pattern")
        .and_then(Value::as_str);
    let (pattern, start_time) = match (pattern, old) {
        (Some(pattern), _) => (pattern.to_owned(), now),
        (None, Some(old)) => (old.pattern.clone(), old.start_time),
        (None, None) => return Err(bad("scheduled_operations: trigger pattern is missing")),
    };
    let text = |key: &str, old: Option<&String>| match value.get(key).and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => old.cloned().unwrap_or_default(),
    };
    Ok(Operation {
        name: text("name", kept.map(|old| &old.name)),
        description: text("description", kept.map(|old| &old.description)),
        enabled,
        definition,
        schedule: Schedule::parse(&pattern).map_err(bad)?,
        pattern,
        start_time,
    })
}

/// A boolean, also written as a text in any case.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Reads `operation_definition`; numbers may come as texts.
fn definition(given: &Value) -> Result<Map<String, Value>, Refusal> {
    let given = given
        .as_object()
        .ok_or_else(|| bad("operation_definition must be an object"))?;
    let mut out = Map::new();
    let mut by_calendar = false;
    for (key, value) in given {
        let number = || match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let clean: Value = match key.as_str() {
            "max_backups" | "retention_duration_days" => number()
                .filter(|number| (-1..=99_999).contains(number))
                .ok_or_else(|| bad(format!("{key} takes -1 or 0 to 99999")))?
                .into(),
            "day_backups" | "week_backups" | "month_backups" | "year_backups" => {
                by_calendar = true;
                number()
                    .filter(|number| (0..=100).contains(number))
                    .ok_or_else(|| bad(format!("{key} takes 0 to 100")))?
                    .into()
            }
            "permanent" => flag(value)
                .ok_or_else(|| bad("permanent must be true or false"))?
                .into(),
            "timezone" => value.clone(),
            // plan_id and provider_id may be sent back as they came; anything else is dropped.
            _ => continue,
        };
        out.insert(key.clone(), clean);
    }
    if by_calendar && !out.contains_key("timezone") {
        return Err(bad(
            "timezone is required with day, week, month or year backups",
        ));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERN: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY;BYHOUR=1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn given() -> Value {
        json!({
            "enabled": false, "operation_type": "backup",
            "operation_definition": {"max_backups": "20", "permanent": "False", "plan_id": "x", "odd": 1},
            "trigger": {"properties": {"pattern": PATTERN}},
        })
    }

    #[test]
    fn what_is_left_out_of_an_update_is_kept_but_enabled() {
        let now = Utc::now();
        let made = operation(&given(), None, false, now).expect("valid");
        assert!(!made.enabled);
        assert_eq!(made.max_backups(), Some(20));
        assert_eq!(made.definition.len(), 2);
        let update = json!({"id": "x", "name": "renamed"});
        let updated = operation(&update, Some(&made), false, now).expect("valid");
        assert!(updated.enabled);
        assert_eq!(updated.definition, made.definition);
        let reset = operation(&update, Some(&made), true, now).expect("valid");
        assert!(reset.definition.is_empty());
        assert_eq!(reset.pattern, PATTERN);
    }

    #[test]
    fn missing_and_wrong_values_are_refused() {
        for (key, value) in [
            ("enabled", Value::Null),
            ("operation_type", json!("restore")),
            ("operation_definition", json!({"max_backups": 100_000})),
            ("operation_definition", json!({"day_backups": 3})),
            (
                "trigger",
                json!({"properties": {"pattern": "RRULE:FREQ=YEARLY"}}),
            ),
            ("trigger", json!({})),
        ] {
            let mut given = given();
            given[key] = value;
            let refused = operation(&given, None, false, Utc::now()).expect_err(key);
            assert_eq!(refused.code, codes::BAD_PARAMETER);
        }
        assert!(name(&json!("a b")).is_err());
        assert!(name(&json!("")).is_err());
        assert!(description(Some(&json!("<b>"))).is_err());
    }
}
