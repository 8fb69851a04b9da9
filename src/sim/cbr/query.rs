//! What all calls read alike: pages, bodies, ids, names, tags.

use serde_json::{Map, Value};

use super::codes::{self, Refusal};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// What most calls answer with.
pub(super) type Answer = Result<Response, Refusal>;

/// The default and the most rows of a page.
const MOST: usize = 1000;

/// Whether the service speaks as Huawei Cloud's does.
pub(super) fn huawei(world: &World) -> bool {
    world.switches.get("cbr.variant") == "huawei"
}

/// 400 9900 with these words.
pub(super) fn bad(why: impl Into<String>) -> Refusal {
    codes::BAD_PARAMETER.saying(why)
}

/// A page of a list.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub limit: usize,
    pub offset: usize,
    /// Id of the last row of the page before.
    pub marker: Option<String>,
}

impl Page {
    /// Reads `limit` (1 to 1000, 1000 by default), `offset` and `marker`.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let number = |key: &str, default: usize| match request.param(key) {
            None | Some("") => Ok(default),
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| bad(format!("{key} is a whole number"))),
        };
        let limit = number("limit", MOST)?;
        if !(1..=MOST).contains(&limit) {
            return Err(bad("limit is 1 to 1000"));
        }
        Ok(Self {
            limit,
            offset: number("offset", 0)?,
            marker: request.param("marker").map(str::to_owned),
        })
    }

    /// Cuts the page out of all rows in order, and counts them all. `after` is the row that the marker names.
    pub fn cut<T: PartialEq>(
        &self,
        rows: impl Iterator<Item = T>,
        after: Option<&T>,
    ) -> (Vec<T>, usize) {
        let mut total = 0;
        let mut skip = self.offset;
        let mut begun = after.is_none();
        let mut page = Vec::new();
        for row in rows {
            total += 1;
            if !begun {
                begun = after == Some(&row);
            } else if skip > 0 {
                skip -= 1;
            } else if page.len() < self.limit {
                page.push(row);
            }
        }
        (page, total)
    }
}

/// Refuses query keys that nobody documented, where the switch says so.
pub(super) fn known_query(world: &World, request: &Request, keys: &[&str]) -> Result<(), Refusal> {
    if world.switches.get("cbr.unknown_query") != "refuse" {
        return Ok(());
    }
    match request
        .query
        .iter()
        .find(|(key, _)| !keys.contains(&key.as_str()))
    {
        Some((key, _)) => Err(bad(format!("invalid key {key}"))),
        None => Ok(()),
    }
}

/// The body, which must be an object.
pub(super) fn body(request: &Request) -> Result<Map<String, Value>, Refusal> {
    match request.json() {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(bad("the body is not a JSON object")),
    }
}

/// The object under `key` of a body that has nothing else.
pub(super) fn inside(request: &Request, key: &str) -> Result<Map<String, Value>, Refusal> {
    match body(request)?.remove(key) {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(bad(format!("{key} is missing"))),
    }
}

/// Refuses members that nobody documented; those of `huawei` count in that variant alone.
pub(super) fn known_keys(
    world: &World,
    object: &Map<String, Value>,
    keys: &[&str],
    of_huawei: &[&str],
) -> Result<(), Refusal> {
    if world.switches.get("cbr.unknown_body") == "ignore" {
        return Ok(());
    }
    let strange = |key: &&String| {
        let key = key.as_str();
        !(keys.contains(&key) || huawei(world) && of_huawei.contains(&key))
    };
    match object.keys().find(strange) {
        Some(key) => Err(bad(format!("invalid key {key}"))),
        None => Ok(()),
    }
}

/// Whether an id has the form of one: a UUID or 32 hex digits.
pub(super) fn well_formed(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok()
}

/// Tells a malformed id (400) from an unknown one.
pub(super) fn known_id<T>(
    found: Option<T>,
    id: &str,
    name: &str,
    unknown: &'static codes::Code,
) -> Result<T, Refusal> {
    match found {
        Some(found) => Ok(found),
        None if well_formed(id) => Err(unknown.plain()),
        None => Err(bad(format!("Invalid {name} provided."))),
    }
}

/// A text that must be there.
pub(super) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a str, Refusal> {
    optional(object, key)?.ok_or_else(|| bad(format!("{key} is missing")))
}

/// A text that may be missing, null or empty.
pub(super) fn optional<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> Result<Option<&'a str>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(bad(format!("{key} is not a text"))),
    }
}

/// A flag that may be missing.
pub(super) fn flag(object: &Map<String, Value>, key: &str) -> Result<Option<bool>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(bad(format!("{key} is not true or false"))),
    }
}

/// A whole number that may be missing, within bounds.
pub(super) fn number(
    object: &Map<String, Value>,
    key: &str,
    bounds: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .filter(|number| bounds.contains(number))
            .map(Some)
            .ok_or_else(|| {
                bad(format!(
                    "{key} is not {} to {}",
                    bounds.start(),
                    bounds.end()
                ))
            }),
    }
}

/// The elements of a list that may be missing.
pub(super) fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], Refusal> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(bad(format!("{key} is not a list"))),
    }
}

/// A list of texts that must not be empty.
pub(super) fn ids(object: &Map<String, Value>, key: &str) -> Result<Vec<String>, Refusal> {
    let ids: Vec<String> = list(object, key)?
        .iter()
        .map(|id| id.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| bad(format!("{key} is not a list of ids")))?;
    match ids.len() {
        1..=256 => Ok(ids),
        _ => Err(bad(format!("{key} takes 1 to 256 ids"))),
    }
}

/// A name: 1 to 64 letters, digits, `_` and `-`. Letters of every script count, as in the consoles.
pub(super) fn name(object: &Map<String, Value>) -> Result<String, Refusal> {
    let name = text(object, "name")?;
    let fine = name.chars().count() <= 64
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if fine {
        Ok(name.to_owned())
    } else {
        Err(bad("name takes 1 to 64 letters, digits, _ and -"))
    }
}

/// A description of up to `most` characters.
pub(super) fn description(
    object: &Map<String, Value>,
    most: usize,
) -> Result<Option<String>, Refusal> {
    match optional(object, "description")? {
        Some(text) if text.chars().count() > most => {
            Err(bad(format!("description takes up to {most} characters")))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Leaves members without a value out, where the switch says so; inner objects and lists alike.
pub(super) fn dress(world: &World, mut value: Value) -> Value {
    if world.switches.get("cbr.empty") == "absent" {
        strip(&mut value);
    }
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}
