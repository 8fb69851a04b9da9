//! Calls about tags of protected instances, and the search by tags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Sdrs;
use super::codes::{self, Refusal};
use super::instance::{Instance, tags_json};
use super::query::{self, Answer};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// How many tags an instance has at most, as the tag calls say (creation takes only ten).
const TAGS: usize = 20;
/// How many keys and values a search takes.
const SEARCH: usize = 20;

/// Reads `[{"key","value"}]`; values may be left out where tags are only named.
///
/// # Errors
/// The codes SDRS.2202 to SDRS.2209.
pub fn read_tags(
    tags: &Value,
    with_values: bool,
    most: usize,
) -> Result<Vec<(String, String)>, Refusal> {
    let Some(list) = tags.as_array().filter(|list| !list.is_empty()) else {
        return Err(codes::NO_TAGS.into());
    };
    if list.len() > most {
        return Err(codes::TOO_MANY_TAGS.into());
    }
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for tag in list {
        let key = tag.get("key").and_then(Value::as_str).unwrap_or_default();
        if key.trim().is_empty() {
            return Err(codes::TAG_KEY_EMPTY.into());
        }
        if key.chars().count() > 36 || key.contains(['=', '*', '<', '>', '\\', ',', '|', '/']) {
            return Err(codes::TAG_KEY.into());
        }
        if !seen.insert(key) {
            return Err(codes::TAG_TWICE.into());
        }
        let value = match tag.get("value") {
            Some(Value::String(value)) => value.clone(),
            None | Some(Value::Null) if !with_values => String::new(),
            None | Some(Value::Null) => return Err(codes::TAG_VALUE_NULL.into()),
            Some(_) => return Err(codes::TAG_VALUE.into()),
        };
        if value.chars().count() > 43 || value.contains(['=', '*', '<', '>', '\\', ',', '|', '/']) {
            return Err(codes::TAG_VALUE.into());
        }
        out.push((key.to_owned(), value));
    }
    Ok(out)
}

impl Sdrs {
    fn add_tags(&mut self, key: u64, tags: Vec<(String, String)>) -> Answer {
        let instance = self.instances.get_mut(key).ok_or(codes::NO_INSTANCE)?;
        let mut all = instance.tags.clone();
        for (name, value) in tags {
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some(tag) => tag.1 = value,
                None => all.push((name, value)),
            }
        }
        if all.len() > TAGS {
            return Err(codes::TOO_MANY_TAGS.into());
        }
        instance.tags = all;
        Ok(Response::empty(204))
    }

    /// `POST /protected-instances/{id}/tags`.
    pub fn add_tag(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let tag = query::object(request, "tag")?;
        let tags = read_tags(&json!([tag]), true, 1)?;
        self.add_tags(key, tags)
    }

    /// `POST /protected-instances/{id}/tags/action`: adds or takes away many.
    pub fn change_tags(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = query::body(request)?;
        let tags = body.get("tags").unwrap_or(&Value::Null);
        match body.get("action").and_then(Value::as_str) {
            Some("create") => {
                let tags = read_tags(tags, true, TAGS)?;
                self.add_tags(key, tags)
            }
            Some("delete") => {
                let tags = read_tags(tags, false, TAGS)?;
                let instance = self.instances.get_mut(key).ok_or(codes::NO_INSTANCE)?;
                instance
                    .tags
                    .retain(|(known, _)| !tags.iter().any(|(gone, _)| gone == known));
                Ok(Response::empty(204))
            }
            _ => Err(codes::TAG_ACTION.into()),
        }
    }

    /// `DELETE /protected-instances/{id}/tags/{key}`; one that isn't there is the only real 404 of this service.
    pub fn delete_tag(&mut self, world: &World, id: &str, name: &str) -> Answer {
        let key = self.instance_key(world, id)?;
        let instance = self.instances.get_mut(key).ok_or(codes::NO_INSTANCE)?;
        let before = instance.tags.len();
        instance.tags.retain(|(known, _)| known != name);
        if instance.tags.len() == before {
            return Err(codes::NO_TAG.into());
        }
        Ok(Response::empty(204))
    }

    /// `GET /protected-instances/{id}/tags`.
    pub fn show_tags(&self, world: &World, id: &str) -> Answer {
        let key = self.instance_key(world, id)?;
        let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
        Ok(Response::json(
            200,
            &json!({"tags": tags_json(&instance.tags)}),
        ))
    }

    /// `GET /protected-instances/tags`: every key of the project with all its values.
    pub fn project_tags(&self) -> Answer {
        let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, instance) in self.instances.newest() {
            for (key, value) in &instance.tags {
                all.entry(key).or_default().insert(value);
            }
        }
        let tags: Vec<Value> = all
            .into_iter()
            .map(|(key, values)| json!({"key": key, "values": values}))
            .collect();
        Ok(Response::json(200, &json!({"tags": tags})))
    }

    /// `POST /protected-instances/resource_instances/action`.
    pub fn search_by_tags(&self, world: &World, request: &Request) -> Answer {
        let body = query::body(request)?;
        let search = Search::read(&body)?;
        let found: Vec<&Instance> = self
            .instances
            .newest()
            .map(|(_, instance)| instance)
            .filter(|instance| search.finds(instance))
            .collect();
        if search.count {
            return Ok(Response::json(200, &json!({"total_count": found.len()})));
        }
        let rows: Vec<Value> = found
            .iter()
            .skip(search.offset)
            .take(search.limit)
            .map(|instance| {
                json!({
                    "resource_id": instance.id,
                    "resource_name": instance.name,
                    "resource_detail": self.instance_json(world, instance),
                    "tags": tags_json(&instance.tags),
                })
            })
            .collect();
        let body = json!({"resources": rows, "total_count": found.len()});
        Ok(Response::json(200, &body))
    }
}

/// Keys with the values that fit; no values fit any.
type Wanted = Vec<(String, Vec<String>)>;

/// A search by tags.
struct Search {
    count: bool,
    limit: usize,
    offset: usize,
    name: Option<String>,
    tags: Wanted,
    tags_any: Wanted,
    not_tags: Wanted,
    not_tags_any: Wanted,
}

impl Search {
    fn read(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let count = match body.get("action").and_then(Value::as_str) {
            Some("filter") => false,
            Some("count") => true,
            _ => return Err(codes::QUERY_ACTION.into()),
        };
        let paged = |key| body.get(key).is_some_and(|value| !value.is_null());
        if count && (paged("limit") || paged("offset")) {
            return Err(codes::COUNT_PAGED.into());
        }
        // Documented as texts; clients send numbers as well.
        let number = |key, default: usize, code| match body.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::String(text)) => text.parse().map_err(|_| Refusal::from(code)),
            Some(value) => value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .ok_or_else(|| Refusal::from(code)),
        };
        let limit = number("limit", 1000, codes::TAG_LIMIT)?;
        if !(1..=1000).contains(&limit) {
            return Err(codes::TAG_LIMIT.into());
        }
        Ok(Self {
            count,
            limit,
            offset: number("offset", 0, codes::OFFSET)?,
            name: name_match(body.get("matches"))?,
            tags: wanted(body.get("tags"))?,
            tags_any: wanted(body.get("tags_any"))?,
            not_tags: wanted(body.get("not_tags"))?,
            not_tags_any: wanted(body.get("not_tags_any"))?,
        })
    }

    fn finds(&self, instance: &Instance) -> bool {
        let has = |(key, values): &(String, Vec<String>)| {
            instance.tags.iter().any(|(name, value)| {
                name == key
                    && (values.is_empty()
                        || values.iter().any(|wanted| match wanted.strip_prefix('*') {
                            Some(part) => value.contains(part),
                            None => value == wanted,
                        }))
            })
        };
        let name = self.name.as_ref().is_none_or(|wanted| {
            if wanted.is_empty() {
                instance.name.is_empty()
            } else {
                let name = instance.name.to_lowercase();
                name.contains(&wanted.to_lowercase())
            }
        });
        name && self.tags.iter().all(has)
            && (self.tags_any.is_empty() || self.tags_any.iter().any(has))
            && (self.not_tags.is_empty() || !self.not_tags.iter().all(has))
            && !self.not_tags_any.iter().any(has)
    }
}

/// Reads `[{"key","values"}]`.
fn wanted(value: Option<&Value>) -> Result<Wanted, Refusal> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(codes::PARAMETER.into()),
    };
    if list.len() > SEARCH {
        return Err(codes::TOO_MANY_TAGS.into());
    }
    let mut out: Wanted = Vec::new();
    for tag in list {
        let key = tag.get("key").and_then(Value::as_str).unwrap_or_default();
        if key.trim().is_empty() {
            return Err(codes::TAG_KEY_EMPTY.into());
        }
        if out.iter().any(|(known, _)| known == key) {
            return Err(codes::TAG_TWICE.into());
        }
        let values: Vec<String> = tag
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        if values.len() > SEARCH {
            return Err(codes::TOO_MANY_VALUES.into());
        }
        if values.iter().collect::<BTreeSet<_>>().len() != values.len() {
            return Err(codes::VALUE_TWICE.into());
        }
        out.push((key.to_owned(), values));
    }
    Ok(out)
}

/// Reads `matches`, whose one key may be `resource_name`.
fn name_match(value: Option<&Value>) -> Result<Option<String>, Refusal> {
    let list = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(codes::PARAMETER.into()),
    };
    match list.as_slice() {
        [] => Err(codes::MATCHES_EMPTY.into()),
        [one] => match one.get("key").and_then(Value::as_str) {
            None | Some("") => Err(codes::MATCHES_KEY_EMPTY.into()),
            Some("resource_name") => match one.get("value").and_then(Value::as_str) {
                Some(name) => Ok(Some(name.to_owned())),
                None => Err(codes::MATCHES_NULL.into()),
            },
            Some(_) => Err(codes::MATCHES_KEY.into()),
        },
        _ => Err(codes::MATCHES_TWICE.into()),
    }
}
