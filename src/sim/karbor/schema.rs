//! Checks a request's body as the service does: JSON Schema draft 4, the first mistake in the order of the schema wins, and
//! is told in the validator's own words.

use serde_json::Value;

use super::fault::Fault;
use super::python::{is_uuid_like, repr, text};

/// One keyword of a schema.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// `type`: one of these.
    Type(&'static [&'static str]),
    /// `maxLength`.
    MaxLength(usize),
    /// `format: name`.
    Name,
    /// `format: uuid`.
    Uuid,
    /// `pattern`: nothing but printable characters.
    Printable,
    /// `enum` of texts.
    Enum(&'static [&'static str]),
    /// `properties`, in the order of the schema.
    Properties(&'static [(&'static str, Schema)]),
    /// `patternProperties` of the one pattern that the service uses, for names.
    Named(Schema),
    /// `required`.
    Required(&'static [&'static str]),
    /// `additionalProperties: false`, besides those named; `true` as its value where names follow the pattern.
    Closed(&'static [&'static str]),
    /// The same beside [`Rule::Named`].
    ClosedToOddNames,
    /// `items`.
    Items(Schema),
}

/// A schema.
pub(super) type Schema = &'static [Rule];

/// The pattern for names, as it is quoted.
const NAMES: &str = "^[a-zA-Z0-9-_:.# ]{1,255}$";

/// Where in the body, and what is wrong there.
struct Mistake {
    at: Vec<String>,
    value: Value,
    message: String,
    /// Told on its own, without place and value.
    alone: bool,
}

/// Checks a body.
///
/// # Errors
/// 400 with the first mistake.
pub(super) fn check(schema: Schema, body: &Value) -> Result<(), Fault> {
    let Err(mistake) = walk(schema, body, &mut Vec::new()) else {
        return Ok(());
    };
    Err(Fault::bad(match mistake.at.last() {
        Some(place) if !mistake.alone => format!(
            "Invalid input for field/attribute {place}. Value: {}. {}",
            text(&mistake.value),
            mistake.message
        ),
        _ => mistake.message,
    }))
}

fn walk(schema: Schema, value: &Value, at: &mut Vec<String>) -> Result<(), Mistake> {
    for rule in schema {
        if let Some(message) = broken(rule, value) {
            return Err(Mistake {
                at: at.clone(),
                value: value.clone(),
                message,
                alone: matches!(rule, Rule::Name),
            });
        }
        match (rule, value) {
            (Rule::Properties(properties), Value::Object(map)) => {
                for (name, schema) in *properties {
                    if let Some(inner) = map.get(*name) {
                        at.push((*name).to_owned());
                        walk(schema, inner, at)?;
                        at.pop();
                    }
                }
            }
            (Rule::Named(schema), Value::Object(map)) => {
                for (name, inner) in map.iter().filter(|(name, _)| is_name(name)) {
                    at.push(name.clone());
                    walk(schema, inner, at)?;
                    at.pop();
                }
            }
            (Rule::Items(schema), Value::Array(list)) => {
                for (index, inner) in list.iter().enumerate() {
                    at.push(index.to_string());
                    walk(schema, inner, at)?;
                    at.pop();
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a single keyword has against a value itself.
fn broken(rule: &Rule, value: &Value) -> Option<String> {
    match (rule, value) {
        (Rule::Type(types), value) => {
            let fits = types.iter().any(|kind| is(kind, value));
            let listed: Vec<String> = types.iter().map(|kind| format!("'{kind}'")).collect();
            (!fits).then(|| format!("{} is not of type {}", repr(value), listed.join(", ")))
        }
        (Rule::MaxLength(most), Value::String(text)) => {
            (text.chars().count() > *most).then(|| format!("{} is too long", repr(value)))
        }
        (Rule::Name, value) => {
            let why = match value {
                Value::Null => "can not be None.",
                Value::String(text) if text.is_empty() => "can not be None.",
                Value::String(text) if text.trim().is_empty() => "can not be empty.",
                _ => return None,
            };
            Some(format!(
                "An invalid 'name' value was provided. The 'name' {why}"
            ))
        }
        (Rule::Uuid, Value::String(text)) => {
            (!is_uuid_like(text)).then(|| format!("{} is not a 'uuid'", repr(value)))
        }
        (Rule::Printable, Value::String(text)) => text
            .chars()
            .any(char::is_control)
            // The real pattern lists every printable character there is, over ten thousand of them.
            .then(|| format!("{} does not match '^[\\\\ -\\\\~…]*$'", repr(value))),
        (Rule::Enum(words), value) => {
            let fits = value.as_str().is_some_and(|word| words.contains(&word));
            let listed: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            (!fits).then(|| format!("{} is not one of [{}]", repr(value), listed.join(", ")))
        }
        (Rule::Required(names), Value::Object(map)) => names
            .iter()
            .find(|name| !map.contains_key(**name))
            .map(|name| format!("'{name}' is a required property")),
        (Rule::Closed(names), Value::Object(map)) => {
            let extra: Vec<String> = map
                .keys()
                .filter(|key| !names.contains(&key.as_str()))
                .map(|key| repr(&Value::from(key.as_str())))
                .collect();
            let verb = if extra.len() == 1 { "was" } else { "were" };
            (!extra.is_empty()).then(|| {
                format!(
                    "Additional properties are not allowed ({} {verb} unexpected)",
                    extra.join(", ")
                )
            })
        }
        (Rule::ClosedToOddNames, Value::Object(map)) => {
            let odd: Vec<String> = map
                .keys()
                .filter(|key| !is_name(key))
                .map(|key| repr(&Value::from(key.as_str())))
                .collect();
            let verb = if odd.len() == 1 { "does" } else { "do" };
            (!odd.is_empty()).then(|| {
                format!(
                    "{} {verb} not match any of the regexes: '{NAMES}'",
                    odd.join(", ")
                )
            })
        }
        _ => None,
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_:.# ".contains(c);
    (1..=255).contains(&text.chars().count()) && text.chars().all(fits)
}

const TEXT: Schema = &[Rule::Type(&["string"])];
const ID: Schema = &[Rule::Type(&["string"]), Rule::Uuid];
const NAME: Schema = &[
    Rule::Type(&["string", "null"]),
    Rule::MaxLength(255),
    Rule::Name,
];
const DESCRIPTION: Schema = &[
    Rule::Type(&["string", "null"]),
    Rule::MaxLength(255),
    Rule::Printable,
];
const METADATA: Schema = &[
    Rule::Type(&["object", "null"]),
    Rule::Named(&[Rule::Type(&["boolean", "string", "integer"])]),
    Rule::ClosedToOddNames,
];
const PARAMETERS: Schema = &[
    Rule::Type(&["object"]),
    Rule::Named(METADATA),
    Rule::ClosedToOddNames,
];
const RESOURCES: Schema = &[
    Rule::Type(&["array"]),
    Rule::Items(&[Rule::Type(&["object"])]),
];
const TRIGGER_PROPERTIES: &[(&str, Schema)] = &[
    ("format", TEXT),
    ("pattern", TEXT),
    ("start_time", TEXT),
    ("end_time", TEXT),
    ("window", &[Rule::Type(&["integer"])]),
];
const TRIGGER_KEYS: &[&str] = &["format", "pattern", "start_time", "end_time", "window"];

/// A body with one object in it.
macro_rules! wrapped {
    ($key:literal, $inner:expr) => {
        &[
            Rule::Type(&["object"]),
            Rule::Properties(&[($key, $inner)]),
            Rule::Required(&[$key]),
            Rule::Closed(&[$key]),
        ]
    };
}

/// `POST /plans`.
pub(super) const PLAN_CREATE: Schema = wrapped!(
    "plan",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("name", NAME),
            ("description", DESCRIPTION),
            ("provider_id", ID),
            ("parameters", PARAMETERS),
            ("resources", RESOURCES),
        ]),
        Rule::Required(&["provider_id", "parameters"]),
        Rule::Closed(&[
            "name",
            "description",
            "provider_id",
            "parameters",
            "resources"
        ]),
    ]
);

/// `PUT /plans/{id}`.
pub(super) const PLAN_UPDATE: Schema = wrapped!(
    "plan",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("name", NAME),
            ("status", &[Rule::Type(&["string", "null"])]),
            ("resources", RESOURCES),
            ("description", DESCRIPTION),
        ]),
        Rule::Closed(&["name", "status", "resources", "description"]),
    ]
);

/// `POST /triggers`.
pub(super) const TRIGGER_CREATE: Schema = wrapped!(
    "trigger_info",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("name", TEXT),
            ("type", TEXT),
            (
                "properties",
                &[
                    Rule::Type(&["object"]),
                    Rule::Properties(TRIGGER_PROPERTIES),
                    Rule::Required(&["format", "pattern"]),
                    Rule::Closed(TRIGGER_KEYS),
                ]
            ),
        ]),
        Rule::Required(&["name", "type", "properties"]),
        Rule::Closed(&["name", "type", "properties"]),
    ]
);

/// `PUT /triggers/{id}`.
pub(super) const TRIGGER_UPDATE: Schema = wrapped!(
    "trigger_info",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("name", TEXT),
            ("type", TEXT),
            (
                "properties",
                &[
                    Rule::Type(&["object"]),
                    Rule::Properties(TRIGGER_PROPERTIES),
                    Rule::Closed(TRIGGER_KEYS),
                ]
            ),
        ]),
        Rule::Closed(&["name", "type", "properties"]),
    ]
);

/// `POST /scheduled_operations`.
pub(super) const OPERATION_CREATE: Schema = wrapped!(
    "scheduled_operation",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("name", NAME),
            ("description", DESCRIPTION),
            ("operation_type", TEXT),
            ("trigger_id", ID),
            (
                "operation_definition",
                &[
                    Rule::Type(&["object"]),
                    Rule::Properties(&[("provider_id", ID), ("plan_id", ID)]),
                    Rule::Required(&["provider_id", "plan_id"]),
                ]
            ),
        ]),
        Rule::Required(&["operation_type", "trigger_id", "operation_definition"]),
        Rule::Closed(&[
            "name",
            "description",
            "operation_type",
            "trigger_id",
            "operation_definition"
        ]),
    ]
);

/// `POST /providers/{id}/checkpoints`.
pub(super) const CHECKPOINT_CREATE: Schema = wrapped!(
    "checkpoint",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[("plan_id", ID), ("extra-info", METADATA)]),
        Rule::Required(&["plan_id"]),
        Rule::Closed(&["plan_id", "extra-info"]),
    ]
);

/// `PUT /providers/{id}/checkpoints/{id}`.
pub(super) const CHECKPOINT_UPDATE: Schema = wrapped!(
    "os-resetState",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[(
            "state",
            &[Rule::Type(&["string"]), Rule::Enum(&["available", "error"])]
        )]),
        Rule::Required(&["state"]),
        Rule::Closed(&["state"]),
    ]
);

/// `POST /providers/{id}/checkpoints/action`.
pub(super) const COPY_CREATE: Schema = wrapped!(
    "copy",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[("plan_id", ID), ("parameters", PARAMETERS)]),
        Rule::Required(&["plan_id"]),
        Rule::Closed(&["plan_id", "parameters"]),
    ]
);

/// `POST /restores`.
pub(super) const RESTORE_CREATE: Schema = wrapped!(
    "restore",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("provider_id", ID),
            ("checkpoint_id", ID),
            ("restore_target", &[Rule::Type(&["string", "null"])]),
            ("restore_auth", METADATA),
            ("parameters", PARAMETERS),
        ]),
        Rule::Required(&["provider_id", "checkpoint_id", "parameters"]),
        Rule::Closed(&[
            "provider_id",
            "checkpoint_id",
            "restore_target",
            "restore_auth",
            "parameters"
        ]),
    ]
);

/// `POST /verifications`.
pub(super) const VERIFICATION_CREATE: Schema = wrapped!(
    "verification",
    &[
        Rule::Type(&["object"]),
        Rule::Properties(&[
            ("provider_id", ID),
            ("checkpoint_id", ID),
            ("parameters", PARAMETERS),
        ]),
        Rule::Required(&["provider_id", "checkpoint_id"]),
        Rule::Closed(&["provider_id", "checkpoint_id", "parameters"]),
    ]
);

/// `PUT /quotas/{id}`.
pub(super) const QUOTA_UPDATE: Schema = wrapped!("quota", METADATA);

/// `PUT /quota_classes/{name}`.
pub(super) const QUOTA_CLASS_UPDATE: Schema = wrapped!("quota_class", METADATA);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(schema: Schema, body: &Value) -> String {
        match check(schema, body) {
            Ok(()) => String::new(),
            Err(fault) => fault.message().to_owned(),
        }
    }

    #[test]
    fn mistakes_are_told_as_a_real_karbor_told_them() {
        let told = |body: &Value| words(PLAN_CREATE, body);
        assert_eq!(told(&json!({})), "'plan' is a required property");
        assert_eq!(told(&Value::Null), "None is not of type 'object'");
        assert_eq!(
            told(&json!({"plan": {"colour": "red"}})),
            "Invalid input for field/attribute plan. Value: {'colour': 'red'}. 'provider_id' is a required property"
        );
        let id = "b766f37c-d011-4026-8228-28730d734a3f";
        let plan = |extra: Value| {
            let mut plan = json!({"provider_id": id, "parameters": {}});
            for (key, value) in extra.as_object().expect("an object") {
                plan[key] = value.clone();
            }
            json!({"plan": plan})
        };
        assert_eq!(told(&plan(json!({}))), "");
        assert_eq!(
            told(&plan(json!({"name": null}))),
            "An invalid 'name' value was provided. The 'name' can not be None."
        );
        assert_eq!(
            told(&plan(json!({"name": 5}))),
            "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string', 'null'"
        );
        assert_eq!(
            told(&plan(json!({"parameters": {"a b!": {}}}))),
            "Invalid input for field/attribute parameters. Value: {'a b!': {}}. 'a b!' does not match any of the \
             regexes: '^[a-zA-Z0-9-_:.# ]{1,255}$'"
        );
        assert_eq!(
            told(&plan(json!({"parameters": {"x": {"a": [1]}}}))),
            "Invalid input for field/attribute a. Value: [1]. [1] is not of type 'boolean', 'string', 'integer'"
        );
        assert_eq!(
            told(&plan(json!({"resources": ["a"]}))),
            "Invalid input for field/attribute 0. Value: a. 'a' is not of type 'object'"
        );
        assert!(
            told(&plan(json!({"a": 1, "b": 2}))).ends_with("('a', 'b' were unexpected)"),
            "two names"
        );
        let state = json!({"os-resetState": {"state": "deleted"}});
        assert_eq!(
            words(CHECKPOINT_UPDATE, &state),
            "Invalid input for field/attribute state. Value: deleted. 'deleted' is not one of ['available', 'error']"
        );
        let window = json!({"trigger_info": {"name": "n", "type": "time", "properties": {
            "format": "calendar", "pattern": "p", "window": 10.0}}});
        assert!(words(TRIGGER_CREATE, &window).ends_with("10.0 is not of type 'integer'"));
    }
}
