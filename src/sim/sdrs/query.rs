//! What all calls read alike: pages, lists of ids, names, bodies.

use serde_json::{Map, Value, json};

use super::codes::{self, Code, Refusal};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// What most calls answer with.
pub type Answer = Result<Response, Refusal>;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows at most.
    pub limit: usize,
    /// How many rows to leave out.
    pub offset: usize,
}

impl Page {
    /// Reads `limit` (0 to 1000, 1000 by default) and `offset` (0 by default).
    ///
    /// # Errors
    /// SDRS.0221 or SDRS.0222.
    pub fn of(world: &World, request: &Request) -> Result<Self, Refusal> {
        let number = |name, default, code: &'static Code| match request.param(name) {
            None | Some("") => Ok(default),
            Some(text) => text.parse::<usize>().map_err(|_| Refusal::from(code)),
        };
        let limit = number("limit", 1000, codes::LIMIT)?;
        let refused = limit == 0 && world.switches.get("sdrs.limit_zero") == "refuse";
        if limit > 1000 || refused {
            return Err(codes::LIMIT.into());
        }
        let offset = number("offset", 0, codes::OFFSET)?;
        Ok(Self { limit, offset })
    }

    /// Cuts the page out of all rows that match, and counts them.
    pub fn list<T>(
        self,
        world: &World,
        name: &str,
        rows: impl Iterator<Item = T>,
        show: impl Fn(T) -> Value,
    ) -> Response {
        let mut total = 0;
        let mut shown = Vec::new();
        for row in rows {
            if total >= self.offset && shown.len() < self.limit {
                shown.push(show(row));
            }
            total += 1;
        }
        let count = match world.switches.get("sdrs.count") {
            "page" => shown.len(),
            _ => total,
        };
        Response::json(200, &json!({name: shown, "count": count}))
    }
}

/// Reads a list of ids: one value that holds a list literal with either kind of quotes, or the key repeated.
/// `None` when the key is not there.
///
/// # Errors
/// SDRS.0226 for more than 30 ids.
pub fn id_list(request: &Request, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    if request.param(name).is_none() {
        return Ok(None);
    }
    let mut ids = Vec::new();
    for value in request.params(name) {
        let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
        let parts = inner.split(',').map(|part| {
            part.trim()
                .trim_matches(|quote| quote == '"' || quote == '\'')
        });
        ids.extend(parts.filter(|id| !id.is_empty()).map(str::to_owned));
    }
    if ids.len() > 30 {
        return Err(codes::TOO_MANY_IDS.into());
    }
    Ok(Some(ids))
}

/// Whether an id has the form of one: a UUID or 32 hex digits.
#[must_use]
pub fn well_formed(id: &str) -> bool {
    let digits = id.bytes().filter(|byte| *byte != b'-').count();
    digits == 32
        && id
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The object under `key` of a body.
///
/// # Errors
/// SDRS.0201 when the body is not JSON or has no such object.
pub fn object(request: &Request, key: &str) -> Result<Map<String, Value>, Refusal> {
    match body(request)?.remove(key) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(codes::PARAMETER.into()),
    }
}

/// The body, which must be an object.
///
/// # Errors
/// SDRS.0201.
pub fn body(request: &Request) -> Result<Map<String, Value>, Refusal> {
    match request.json() {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(codes::PARAMETER.into()),
    }
}

/// A text field that must be there.
///
/// # Errors
/// The given code.
pub fn text<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    code: &'static Code,
) -> Result<&'a str, Refusal> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| code.into())
}

/// A text field that may be missing or null.
///
/// # Errors
/// The given code when it is there and not a text.
pub fn optional<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    code: &'static Code,
) -> Result<Option<&'a str>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(code.into()),
    }
}

/// A flag that is false when it is missing; texts of flags are taken too.
///
/// # Errors
/// SDRS.0201 for anything else.
pub fn flag(object: &Map<String, Value>, key: &str) -> Result<bool, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(Value::String(text)) if text == "true" => Ok(true),
        Some(Value::String(text)) if text == "false" => Ok(false),
        Some(_) => Err(codes::PARAMETER.into()),
    }
}

/// The `name` of a body: 1 to 64 bytes, letters, digits and `._-`; other letters as well, as Huawei Cloud takes them.
///
/// # Errors
/// SDRS.0202.
pub fn name(object: &Map<String, Value>) -> Result<String, Refusal> {
    let name = text(object, "name", codes::NAME)?;
    let ok = name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if ok {
        Ok(name.to_owned())
    } else {
        Err(codes::NAME.into())
    }
}

/// The `description` of a body: up to 64 bytes without angle brackets.
///
/// # Errors
/// SDRS.0212.
pub fn description(object: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(text) = optional(object, "description", codes::DESCRIPTION)? else {
        return Ok(None);
    };
    if text.len() > 64 || text.contains(['<', '>']) {
        return Err(codes::DESCRIPTION.into());
    }
    Ok(Some(text.to_owned()))
}

/// The `name` filter of the lists: any part of the name fits.
#[must_use]
pub fn name_fits(request: &Request, name: &str) -> bool {
    request.param("name").is_none_or(|part| name.contains(part))
}

/// A filter on one value: absent or empty fits all.
#[must_use]
pub fn fits(request: &Request, key: &str, value: &str) -> bool {
    request
        .param(key)
        .is_none_or(|wanted| wanted.is_empty() || wanted == value)
}

/// `{"job_id"}`, as every accepted change is answered.
#[must_use]
pub fn accepted(status: u16, job_id: &str) -> Response {
    Response::json(status, &json!({"job_id": job_id}))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::HeaderMap;

    use super::*;

    fn get(query: &str) -> Request {
        let target = format!("/x?{query}");
        Request::new(
            "GET",
            &target,
            HeaderMap::new(),
            Bytes::new(),
            String::new(),
        )
    }

    #[test]
    fn id_lists_in_every_spelling() {
        let ids = |query: &str| id_list(&get(query), "ids").map(Option::unwrap_or_default);
        let both = Ok(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(ids("ids=%5B%22a%22%2C%22b%22%5D"), both);
        assert_eq!(ids("ids=%5B%27a%27,+%27b%27%5D"), both);
        assert_eq!(ids("ids=a&ids=b"), both);
        assert_eq!(ids("ids=%5B%5D"), Ok(vec![]));
        assert_eq!(id_list(&get("x=1"), "ids"), Ok(None));
        let many = vec!["x"; 31].join(",");
        assert!(ids(&format!("ids={many}")).is_err());
    }

    #[test]
    fn ids_are_uuids_or_hex() {
        assert!(well_formed("17984002-ad8a-438b-8ba6-b850224634c5"));
        assert!(well_formed("17984002ad8a438b8ba6b850224634c5"));
        for id in [
            "",
            "x",
            "17984002-ad8a-438b-8ba6-b850224634c",
            "zz984002-ad8a-438b-8ba6-b850224634c5",
        ] {
            assert!(!well_formed(id), "{id}");
        }
    }
}
