//! Bodies: what is taken from a request, and how values are kept and written.

use serde_json::Value;

use super::fault::Fault;
use super::python;
use super::schema::{self, Schema};
use crate::sim::http::{Request, Response};

/// A request's body where it counts: it must call itself JSON.
pub(super) fn given(request: &Request) -> bool {
    let json = request.header("content-type").is_some_and(|kind| {
        kind.split(';').next().unwrap_or_default().trim() == "application/json"
    });
    json && !request.body.is_empty()
}

/// The body of a call that needs one, checked.
///
/// # Errors
/// 500 without a body, as the service stumbles over its absence; 400 for what breaks the schema.
pub(super) fn read(request: &Request, schema: Schema) -> Result<Value, Fault> {
    let body = any(request)?.ok_or_else(Fault::stumbled)?;
    schema::check(schema, &body)?;
    Ok(body)
}

/// The body of a call that checks nothing, if there is one.
///
/// # Errors
/// 400 when it is no JSON.
pub(super) fn any(request: &Request) -> Result<Option<Value>, Fault> {
    if !given(request) {
        return Ok(None);
    }
    request
        .json()
        .map(Some)
        .map_err(|_| Fault::bad("Malformed request body"))
}

/// 200 that calls itself JSON and holds nothing: what a deletion answers.
pub(super) fn nothing() -> Response {
    Response::raw(200, "application/json", "")
}

/// A value as a column of texts keeps it; `None` when it can't.
pub(super) fn kept(value: &Value) -> Option<String> {
    match value {
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Some(python::text(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value as Python's own JSON writes it: a blank after each comma and colon.
pub(super) fn dumps(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(dumps).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), dumps(value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A text in quotes, with nothing but ASCII inside.
fn quoted(text: &str) -> String {
    let plain = Value::from(text).to_string();
    if plain.is_ascii() {
        return plain;
    }
    let mut out = String::new();
    for c in plain.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_spaced_as_python_spaces_it() {
        assert_eq!(
            dumps(&json!([{"0x0": ["t", null]}, []])),
            r#"[{"0x0": ["t", null]}, []]"#
        );
        assert_eq!(dumps(&json!("ü😀")), r#""\u00fc\ud83d\ude00""#);
        assert_eq!(kept(&json!(true)).as_deref(), Some("True"));
        assert_eq!(kept(&json!([])), None);
    }
}
