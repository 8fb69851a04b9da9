//! Quotas of projects and of quota classes, for plans and checkpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fault::{Answer, Fault};
use super::list::integer;
use super::python::{is_uuid_like, text};
use super::schema::{QUOTA_CLASS_UPDATE, QUOTA_UPDATE, Schema};
use super::{Karbor, body};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// What is limited.
const RESOURCES: [&str; 2] = ["plans", "checkpoints"];

/// How much the project has of each; a reset of its quota forgets it, and then it may well be less than nothing.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub plans: i64,
    pub checkpoints: i64,
}

/// Limits that somebody set, by project or class and then by resource.
pub(super) type Limits = BTreeMap<String, BTreeMap<String, i64>>;

/// The name of a default limit among the world's quotas.
pub(super) fn default_name(resource: &str) -> String {
    format!("karbor.{resource}")
}

impl Karbor {
    fn used(&self, resource: &str) -> i64 {
        match resource {
            "plans" => self.usage.plans,
            _ => self.usage.checkpoints,
        }
    }

    fn limit(&self, world: &World, set: &Limits, owner: &str, resource: &str) -> i64 {
        let set = set
            .get(owner)
            .and_then(|limits| limits.get(resource))
            .copied();
        set.unwrap_or_else(|| world.quotas.get(&default_name(resource)).limit)
    }

    /// 413 when one more would be too many.
    pub(super) fn reserve(&self, world: &World, resource: &str) -> Result<(), Fault> {
        let limit = self.limit(world, &self.limits, &world.account.project_id, resource);
        if limit >= 0 && limit <= self.used(resource) {
            return Err(Fault::quota(resource, limit));
        }
        Ok(())
    }

    /// A quota as it is shown: limits, or limits with what is used of them.
    fn quota_json(&self, world: &World, project: &str, detail: bool) -> Value {
        let own = project == world.account.project_id;
        let mut quota = json!({});
        for resource in RESOURCES {
            let limit = self.limit(world, &self.limits, project, resource);
            let used = if own { self.used(resource) } else { 0 };
            quota[resource] = if detail {
                json!({"limit": limit, "in_use": used, "reserved": 0})
            } else {
                limit.into()
            };
        }
        quota
    }

    /// `GET /quotas/{project}`, `…/detail`.
    pub(super) fn show_quota(&self, world: &World, project: &str, detail: bool) -> Answer {
        project_id(project)?;
        if project != world.account.project_id && !self.is_admin(world) {
            return Err(Fault::denied());
        }
        let mut quota = self.quota_json(world, project, detail);
        quota["id"] = project.into();
        Ok(Response::json(200, &json!({"quota": quota})))
    }

    /// `GET /quotas/{project}/defaults`.
    pub(super) fn default_quota(&self, world: &World, project: &str) -> Answer {
        project_id(project)?;
        let mut quota = json!({"id": project});
        for resource in RESOURCES {
            quota[resource] = world.quotas.get(&default_name(resource)).limit.into();
        }
        Ok(Response::json(200, &json!({"quota": quota})))
    }

    /// `PUT /quotas/{project}`.
    pub(super) fn update_quota(
        &mut self,
        world: &World,
        project: &str,
        request: &Request,
    ) -> Answer {
        let body = body::read(request, QUOTA_UPDATE)?;
        project_id(project)?;
        if !self.is_admin(world) {
            return Err(Fault::policy("quota:update"));
        }
        set(&mut self.limits, project, &body["quota"])?;
        let quota = self.quota_json(world, project, false);
        Ok(Response::json(200, &json!({"quota": quota})))
    }

    /// `DELETE /quotas/{project}`: the limits go, and so does the count of what is used.
    pub(super) fn delete_quota(&mut self, world: &World, project: &str) -> Answer {
        project_id(project)?;
        if !self.is_admin(world) {
            return Err(Fault::policy("quota:delete"));
        }
        self.limits.remove(project);
        if project == world.account.project_id {
            self.usage = Usage::default();
        }
        Ok(body::nothing())
    }

    fn class_json(&self, world: &World, class: &str) -> Value {
        let mut quota = json!({});
        for resource in RESOURCES {
            quota[resource] = self
                .limit(world, &self.class_limits, class, resource)
                .into();
        }
        quota
    }

    /// `GET /quota_classes/{name}`.
    pub(super) fn show_class(&self, world: &World, class: &str) -> Answer {
        if !self.is_admin(world) {
            return Err(Fault::denied());
        }
        let mut quota = self.class_json(world, class);
        quota["id"] = class.into();
        Ok(Response::json(200, &json!({"quota_class": quota})))
    }

    /// `PUT /quota_classes/{name}`.
    pub(super) fn update_class(&mut self, world: &World, class: &str, request: &Request) -> Answer {
        let schema: Schema = QUOTA_CLASS_UPDATE;
        let body = body::read(request, schema)?;
        if !self.is_admin(world) {
            return Err(Fault::policy("quota_class:update"));
        }
        set(&mut self.class_limits, class, &body["quota_class"])?;
        let quota = self.class_json(world, class);
        Ok(Response::json(200, &json!({"quota_class": quota})))
    }
}

fn project_id(id: &str) -> Result<(), Fault> {
    if is_uuid_like(id) {
        Ok(())
    } else {
        Err(Fault::bad("Invalid project id provided."))
    }
}

/// Sets limits; names that limit nothing are passed over.
fn set(limits: &mut Limits, owner: &str, given: &Value) -> Result<(), Fault> {
    let given = given.as_object().ok_or_else(Fault::stumbled)?;
    let known = |name: &str| RESOURCES.contains(&name);
    let mut wanted = Vec::new();
    for (name, value) in given.iter().filter(|(name, _)| known(name)) {
        let number = match value {
            Value::Bool(flag) => Some(i64::from(*flag)),
            Value::String(words) => integer(words),
            other => other.as_i64(),
        };
        let Some(number) = number else {
            // An empty text is not even looked at before it is used.
            return Err(match value {
                Value::String(words) if words.is_empty() => Fault::stumbled(),
                other => Fault::bad(format!(
                    "Quota '{}' for {name} should be integer.",
                    text(other)
                )),
            });
        };
        wanted.push((name.clone(), number));
    }
    for (name, number) in wanted {
        if number < -1 {
            return Err(Fault::bad("Quota limit must be -1 or greater."));
        }
        limits
            .entry(owner.to_owned())
            .or_default()
            .insert(name, number);
    }
    Ok(())
}
