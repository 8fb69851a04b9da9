//! Tags of backups and policies: the calls under `/csbs_backup…` and `/csbs_backup_policy…`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::codes::{self, Refusal};
use super::policy::View;
use super::{Csbs, item};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// A resource carries at most so many.
const MOST: usize = 10;

/// `[{"key","value"}]`.
pub(super) fn to_json(tags: &[(String, String)]) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

/// Reads `[{"key","value"}]` of a create call: unique keys, at most ten.
pub(super) fn read(value: Option<&Value>) -> Result<Vec<(String, String)>, Refusal> {
    let Some(list) = value.and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    if list.len() > MOST {
        return Err(codes::TOO_MANY_TAGS.with(&["10"]));
    }
    let mut seen = BTreeSet::new();
    let mut tags = Vec::new();
    for value in list {
        let tag = one(value)?;
        if !seen.insert(tag.0.clone()) {
            return Err(codes::BAD_PARAMETER.saying("tag keys must be unique"));
        }
        tags.push(tag);
    }
    Ok(tags)
}

fn one(value: &Value) -> Result<(String, String), Refusal> {
    let text = |key: &str, range: std::ops::RangeInclusive<usize>| {
        value
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| {
                range.contains(&text.chars().count())
                    && text
                        .chars()
                        .all(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_')
            })
            .map(str::to_owned)
            .ok_or_else(|| {
                codes::BAD_PARAMETER.saying(format!("tag {key} is missing or not allowed"))
            })
    };
    Ok((text("key", 1..=36)?, text("value", 0..=43)?))
}

fn put(tags: &mut Vec<(String, String)>, tag: (String, String)) {
    match tags.iter_mut().find(|(key, _)| *key == tag.0) {
        Some(old) => old.1 = tag.1,
        None => tags.push(tag),
    }
}

/// Whether a path begins with one of the two kinds of tagged resources.
pub(super) fn kind(segment: &str) -> Option<bool> {
    match segment {
        "csbs_backup" => Some(false),
        "csbs_backup_policy" => Some(true),
        _ => None,
    }
}

impl Csbs {
    /// Answers the tag calls; `path` is what follows the kind.
    pub(super) fn tag_call(
        &mut self,
        world: &mut World,
        request: &Request,
        policies: bool,
        path: &[&str],
    ) -> Option<Result<Response, Refusal>> {
        Some(match (request.method.as_str(), path) {
            ("GET", ["tags"]) => Ok(self.project_tags(policies)),
            ("POST", ["resource_instances", "action"]) => self.search(world, request, policies),
            ("GET", [id, "tags"]) => self
                .tags_of(policies, id)
                .map(|tags| Response::json(200, &json!({"tags": to_json(tags)}))),
            ("POST", [id, "tags"]) => self.add_tag(request, policies, id),
            ("POST", [id, "tags", "action"]) => self.batch(request, policies, id),
            ("DELETE", [id, "tags", key]) => self.remove_tag(policies, id, key),
            _ => return None,
        })
    }

    fn tags_of(&mut self, policies: bool, id: &str) -> Result<&mut Vec<(String, String)>, Refusal> {
        if policies {
            let number = self.policy_number(id);
            return number
                .and_then(|number| self.policies.get_mut(&number))
                .map(|policy| &mut policy.tags)
                .ok_or_else(|| codes::NO_POLICY.plain());
        }
        let number = self.item_number(id);
        number
            .and_then(|number| self.backups.get_mut(number))
            .map(|backup| &mut backup.extra_mut().tags)
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))
    }

    fn add_tag(
        &mut self,
        request: &Request,
        policies: bool,
        id: &str,
    ) -> Result<Response, Refusal> {
        let body = super::body(request)?;
        let tags = self.tags_of(policies, id)?;
        let tag = one(body.get("tag").unwrap_or(&Value::Null))?;
        if tags.len() >= MOST && tags.iter().all(|(key, _)| *key != tag.0) {
            return Err(codes::TOO_MANY_TAGS.with(&["10"]));
        }
        put(tags, tag);
        Ok(Response::empty(204))
    }

    fn batch(&mut self, request: &Request, policies: bool, id: &str) -> Result<Response, Refusal> {
        let body = super::body(request)?;
        let tags = self.tags_of(policies, id)?;
        match body.get("action").and_then(Value::as_str) {
            Some("create") => {
                let mut changed = tags.clone();
                for tag in read(body.get("tags"))? {
                    put(&mut changed, tag);
                }
                if changed.len() > MOST {
                    return Err(codes::TOO_MANY_TAGS.with(&["10"]));
                }
                *tags = changed;
            }
            Some("delete") => {
                let list = body.get("tags").and_then(Value::as_array);
                for given in list.into_iter().flatten() {
                    let text = |key: &str| given.get(key).and_then(Value::as_str);
                    let key = text("key").filter(|key| key.chars().count() <= 127);
                    let key = key.ok_or_else(|| {
                        codes::BAD_PARAMETER.saying("tag key is missing or too long")
                    })?;
                    tags.retain(|(k, v)| k != key || text("value").is_some_and(|value| value != v));
                }
            }
            _ => return Err(codes::BAD_PARAMETER.saying("action must be create or delete")),
        }
        Ok(Response::empty(204))
    }

    fn remove_tag(&mut self, policies: bool, id: &str, key: &str) -> Result<Response, Refusal> {
        let tags = self.tags_of(policies, id)?;
        let before = tags.len();
        tags.retain(|(k, _)| k != key);
        if tags.len() == before {
            return Err(codes::NO_TAG.plain());
        }
        Ok(Response::empty(204))
    }

    /// The numbers of all tagged resources of a kind with their tags.
    fn tagged(&self, policies: bool) -> Vec<(u64, &[(String, String)])> {
        if policies {
            return self
                .policies
                .iter()
                .map(|(number, policy)| (u64::from(*number), policy.tags.as_slice()))
                .collect();
        }
        self.backups
            .range()
            .rev()
            .filter_map(|number| Some((number, self.backups.get(number)?.tags())))
            .collect()
    }

    fn project_tags(&self, policies: bool) -> Response {
        let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, tags) in self.tagged(policies) {
            for (key, value) in tags {
                all.entry(key).or_default().insert(value);
            }
        }
        let list: Vec<Value> = all
            .into_iter()
            .map(|(key, values)| json!({"key": key, "values": values}))
            .collect();
        Response::json(200, &json!({"tags": list}))
    }

    /// `resource_instances/action`: filter or count.
    fn search(
        &self,
        world: &World,
        request: &Request,
        policies: bool,
    ) -> Result<Response, Refusal> {
        let body = super::body(request)?;
        let bad = |why: &str| codes::BAD_PARAMETER.saying(why);
        let count_only = match body.get("action").and_then(Value::as_str) {
            Some("filter") => false,
            Some("count") => true,
            _ => return Err(bad("action must be filter or count")),
        };
        let number = |key: &str, default: usize| match body.get(key) {
            None => Ok(default),
            Some(_) if count_only => Err(bad("limit and offset do not go with count")),
            Some(Value::String(text)) => text
                .parse::<usize>()
                .map_err(|_| bad("limit and offset are numbers in texts")),
            Some(_) => Err(bad("limit and offset are texts")),
        };
        let (limit, offset) = (number("limit", 1000)?, number("offset", 0)?);
        if !(1..=1000).contains(&limit) {
            return Err(bad("limit takes 1 to 1000"));
        }
        let found: Vec<u64> = self
            .tagged(policies)
            .into_iter()
            .filter(|(number, tags)| {
                tags_match(&body, tags) && name_matches(&body, &self.tagged_name(policies, *number))
            })
            .map(|(number, _)| number)
            .collect();
        if count_only {
            return Ok(Response::json(200, &json!({"total_count": found.len()})));
        }
        let resources: Vec<Value> = found
            .iter()
            .skip(offset)
            .take(limit)
            .filter_map(|number| self.tagged_row(world, policies, *number))
            .collect();
        Ok(Response::json(
            200,
            &json!({"resources": resources, "total_count": found.len()}),
        ))
    }

    fn tagged_name(&self, policies: bool, number: u64) -> String {
        if policies {
            let policy = u32::try_from(number)
                .ok()
                .and_then(|number| self.policies.get(&number));
            return policy.map_or_else(String::new, |policy| policy.name.clone());
        }
        let backup = self.backups.get(number);
        backup.map_or_else(String::new, |backup| {
            item::name(backup, number).into_owned()
        })
    }

    fn tagged_row(&self, world: &World, policies: bool, number: u64) -> Option<Value> {
        let (id, detail, tags) = if policies {
            let number = u32::try_from(number).ok()?;
            let policy = self.policies.get(&number)?;
            let detail = policy.to_json(world, self.ids, number, View::Full);
            (self.policy_id(number), detail, policy.tags.as_slice())
        } else {
            let detail = serde_json::to_value(self.item(world, number)?).ok()?;
            (
                self.item_id(number),
                detail,
                self.backups.get(number)?.tags(),
            )
        };
        Some(json!({
            "resource_id": id, "resource_name": self.tagged_name(policies, number),
            "resource_detail": detail, "tags": to_json(tags),
        }))
    }
}

/// `tags` (all of them), `tags_any`, `not_tags`, `not_tags_any`; an empty list of values takes any value.
fn tags_match(body: &Value, tags: &[(String, String)]) -> bool {
    let has = |wanted: &Value| {
        let key = wanted
            .get("key")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let values: Vec<&str> = wanted
            .get("values")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        tags.iter()
            .any(|(k, v)| k == key && (values.is_empty() || values.contains(&v.as_str())))
    };
    let list = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
    };
    list("tags").is_none_or(|all| all.iter().all(has))
        && list("tags_any").is_none_or(|any| any.iter().any(has))
        && list("not_tags").is_none_or(|all| !all.iter().all(has))
        && list("not_tags_any").is_none_or(|any| !any.iter().any(has))
}

/// `matches` by `resource_name`, a part of the name.
fn name_matches(body: &Value, name: &str) -> bool {
    let list = body.get("matches").and_then(Value::as_array);
    list.into_iter().flatten().all(|wanted| {
        let text = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
        text("key") != "resource_name" || name.contains(text("value"))
    })
}
