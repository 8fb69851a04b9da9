//! Tags of vaults. Their paths say `vault`, not `vaults`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Cbr;
use super::codes::{self, Refusal};
use super::query::{self, Answer, bad};
use super::vault::Vault;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

type Tags = Vec<(String, String)>;

/// A vault has at most so many tags.
const MOST: usize = 20;

/// Reads a list of tags under `tags`, of which each key may come once.
pub(super) fn read(given: &Map<String, Value>) -> Result<Tags, Refusal> {
    let mut tags: Tags = Vec::new();
    for tag in query::list(given, "tags")? {
        let tag = one(Some(tag))?;
        if tags.iter().any(|(key, _)| *key == tag.0) {
            return Err(bad(format!("tag {} is given twice", tag.0)));
        }
        tags.push(tag);
    }
    if tags.len() > MOST {
        return Err(codes::TOO_MANY_TAGS.plain());
    }
    Ok(tags)
}

fn one(given: Option<&Value>) -> Result<(String, String), Refusal> {
    let Some(Value::Object(given)) = given else {
        return Err(bad("tag is not an object"));
    };
    let key = query::text(given, "key")?;
    let value = query::optional(given, "value")?.unwrap_or_default();
    let fine = |text: &str, most: usize| {
        text.chars().count() <= most
            && !text.contains(['=', '*', '<', '>', '\\', ',', '|', '/'])
            && !text.contains(char::is_control)
    };
    if fine(key, 36) && fine(value, 43) {
        Ok((key.to_owned(), value.to_owned()))
    } else {
        Err(bad(format!(
            "tag {key} has characters or a length that tags do not take"
        )))
    }
}

/// A condition on tags: a key with the values that it may have; any, when there are none.
struct Wanted {
    key: String,
    values: Vec<String>,
}

impl Wanted {
    fn list(given: &Map<String, Value>, name: &str) -> Result<Vec<Self>, Refusal> {
        query::list(given, name)?
            .iter()
            .map(|row| {
                let row = row
                    .as_object()
                    .ok_or_else(|| bad(format!("{name} is not a list of objects")))?;
                let values = query::list(row, "values")?.iter();
                Ok(Self {
                    key: query::text(row, "key")?.to_owned(),
                    values: values
                        .filter_map(|v| v.as_str().map(str::to_owned))
                        .collect(),
                })
            })
            .collect()
    }

    fn fits(&self, vault: &Vault) -> bool {
        vault.tags.iter().any(|(key, value)| {
            *key == self.key && (self.values.is_empty() || self.values.contains(value))
        })
    }
}

impl Cbr {
    /// The calls below `/vault`; `None` for a path that nobody published.
    pub(super) fn tag_call(
        &mut self,
        world: &mut World,
        request: &Request,
        path: &[&str],
    ) -> Option<Answer> {
        Some(match (request.method.as_str(), path) {
            ("GET", ["tags"]) => Ok(self.all_tags()),
            ("POST", ["resource_instances", "action"]) => self.search(world, request),
            ("GET", [id, "tags"]) => self.show_tags(world, id),
            ("POST", [id, "tags"]) => self.add_tag(request, id),
            ("POST", [id, "tags", "action"]) => self.change_tags(request, id),
            ("DELETE", [id, "tags", key]) => self.delete_tag(id, key),
            _ => return None,
        })
    }

    fn all_tags(&self) -> Response {
        let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, value) in self.vaults.values().flat_map(|vault| &vault.tags) {
            all.entry(key).or_default().insert(value);
        }
        let rows: Vec<Value> = all
            .into_iter()
            .map(|(key, values)| json!({"key": key, "values": values}))
            .collect();
        Response::json(200, &json!({"tags": rows}))
    }

    fn show_tags(&self, world: &World, id: &str) -> Answer {
        let number = self.the_vault(id)?;
        let vault = self.vault_json(world, number);
        let tags = vault.as_ref().and_then(|vault| vault.get("tags"));
        let mut body = json!({"tags": tags});
        if query::huawei(world) {
            body["sys_tags"] = json!([]);
        }
        Ok(Response::json(200, &body))
    }

    fn tags_of(&mut self, id: &str) -> Result<&mut Tags, Refusal> {
        let number = self.the_vault(id)?;
        let vault = self.vaults.get_mut(&number);
        Ok(&mut vault.ok_or_else(|| codes::NO_VAULT.plain())?.tags)
    }

    fn add_tag(&mut self, request: &Request, id: &str) -> Answer {
        let given = query::body(request)?;
        let tag = one(given.get("tag"))?;
        put(self.tags_of(id)?, tag)?;
        Ok(Response::empty(204))
    }

    fn change_tags(&mut self, request: &Request, id: &str) -> Answer {
        let given = query::body(request)?;
        let tags = read(&given)?;
        let action = query::text(&given, "action")?.to_owned();
        let own = self.tags_of(id)?;
        if tags.is_empty() {
            return Err(bad("tags is missing"));
        }
        let mut changed = own.clone();
        match action.as_str() {
            "create" => tags
                .into_iter()
                .try_for_each(|tag| put(&mut changed, tag))?,
            "delete" => changed.retain(|(key, _)| !tags.iter().any(|(gone, _)| gone == key)),
            _ => return Err(bad("action is create or delete")),
        }
        *own = changed;
        Ok(Response::empty(204))
    }

    fn delete_tag(&mut self, id: &str, key: &str) -> Answer {
        let tags = self.tags_of(id)?;
        let at = tags
            .iter()
            .position(|(own, _)| own == key)
            .ok_or_else(|| codes::NO_TAG.plain())?;
        tags.remove(at);
        Ok(Response::empty(204))
    }

    fn tagged(&self, world: &World, number: u64) -> Option<Value> {
        let vault = self.vault_json(world, number)?;
        Some(json!({
            "resource_id": vault["id"], "resource_name": vault["name"], "tags": vault["tags"],
            "resource_detail": {"vault": vault}, "sys_tags": [],
        }))
    }

    /// `POST /vault/resource_instances/action`.
    fn search(&self, world: &World, request: &Request) -> Answer {
        let given = query::body(request)?;
        let all = Wanted::list(&given, "tags")?;
        let any = Wanted::list(&given, "tags_any")?;
        let not_all = Wanted::list(&given, "not_tags")?;
        let not_any = Wanted::list(&given, "not_tags_any")?;
        let untagged = query::flag(&given, "without_any_tag")?.unwrap_or(false);
        let sort = query::optional(&given, "object_type")?;
        let mut names = Vec::new();
        for pair in query::list(&given, "matches")? {
            if pair.get("key").and_then(Value::as_str) != Some("resource_name") {
                return Err(bad("matches takes resource_name"));
            }
            names.push(
                pair.get("value")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            );
        }
        // Numbers are texts in this call.
        let number = |key: &str, default: usize| match given.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::String(text)) => text
                .parse()
                .map_err(|_| bad(format!("{key} is a whole number"))),
            Some(_) => Err(bad(format!("{key} is a text"))),
        };
        let (limit, offset) = (number("limit", 1000)?, number("offset", 0)?);
        let found: Vec<u64> = self
            .vaults
            .iter()
            .rev()
            .filter(|(_, vault)| {
                let fits = |list: &[Wanted]| list.iter().all(|wanted| wanted.fits(vault));
                let hits = |list: &[Wanted]| list.iter().any(|wanted| wanted.fits(vault));
                fits(&all)
                    && (any.is_empty() || hits(&any))
                    && (not_all.is_empty() || !fits(&not_all))
                    && !hits(&not_any)
                    && (!untagged || vault.tags.is_empty())
                    && sort.is_none_or(|sort| sort == vault.sort.object_type())
                    && names.iter().all(|name| vault.name.contains(name))
            })
            .map(|(number, _)| *number)
            .collect();
        let mut body = json!({"total_count": found.len()});
        match query::text(&given, "action")? {
            "count" => {}
            "filter" => {
                body["resources"] = found
                    .into_iter()
                    .skip(offset)
                    .take(limit)
                    .filter_map(|number| self.tagged(world, number))
                    .collect();
            }
            _ => return Err(bad("action is filter or count")),
        }
        Ok(Response::json(200, &body))
    }
}

/// Sets a tag; a key that is there gets the new value.
fn put(tags: &mut Tags, (key, value): (String, String)) -> Result<(), Refusal> {
    if let Some(own) = tags.iter_mut().find(|(own, _)| *own == key) {
        own.1 = value;
    } else if tags.len() >= MOST {
        return Err(codes::TOO_MANY_TAGS.plain());
    } else {
        tags.push((key, value));
    }
    Ok(())
}
