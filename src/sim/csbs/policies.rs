//! The calls on backup policies.

use serde_json::{Value, json};

use super::codes::{self, Refusal};
use super::policy::{self, Policy, Resource, View, tag};
use super::{Csbs, QUOTA_POLICIES, checks, list, tags};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Csbs {
    /// Id of a policy.
    pub(super) fn policy_id(&self, number: u32) -> String {
        self.ids.uuid(tag::POLICY, number.into())
    }

    /// The number behind a policy's id, if there is such a policy.
    pub(super) fn policy_number(&self, id: &str) -> Option<u32> {
        let number = u32::try_from(self.ids.number(tag::POLICY, id)?).ok()?;
        self.policies.contains_key(&number).then_some(number)
    }

    fn policy_json(&self, world: &World, number: u32, view: View) -> Option<Value> {
        let policy = self.policies.get(&number)?;
        Some(policy.to_json(world, self.ids, number, view))
    }

    /// `GET /policies`.
    pub(super) fn list_policies(
        &self,
        world: &World,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let page = list::Page::read(request)?;
        let mut numbers: Vec<u32> = self
            .policies
            .iter()
            .filter(|(_, policy)| request.param("name").is_none_or(|name| policy.name == name))
            .map(|(number, _)| *number)
            .collect();
        numbers.reverse();
        for (key, descending) in page.sort.iter().rev() {
            numbers.sort_by(|a, b| {
                let (Some(a), Some(b)) = (self.policies.get(a), self.policies.get(b)) else {
                    return std::cmp::Ordering::Equal;
                };
                let order = match key.as_str() {
                    "name" => a.name.cmp(&b.name),
                    "created_at" | "updated_at" => a.created.cmp(&b.created),
                    _ => std::cmp::Ordering::Equal,
                };
                if *descending { order.reverse() } else { order }
            });
        }
        let marker = match &page.marker {
            None => None,
            Some(id) => Some(
                self.policy_number(id)
                    .ok_or_else(|| codes::NO_POLICY.plain())?,
            ),
        };
        let (numbers, more) = page.cut(numbers, marker);
        let rows: Vec<Value> = numbers
            .iter()
            .filter_map(|number| self.policy_json(world, *number, View::Full))
            .collect();
        let mut body = json!({"policies": rows});
        if more
            && world.switches.on("csbs.links")
            && let Some(last) = numbers.last()
        {
            let root = world.root(self.service);
            body["policies_links"] = page.next_link(&root, request, &self.policy_id(*last));
        }
        Ok(Response::json(200, &body))
    }

    /// `GET /policies/{id}`.
    pub(super) fn show_policy(&self, world: &World, id: &str) -> Result<Response, Refusal> {
        let policy = self
            .policy_number(id)
            .and_then(|number| self.policy_json(world, number, View::Full))
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        Ok(Response::json(200, &json!({"policy": policy})))
    }

    /// `POST /policies`.
    pub(super) fn create_policy(
        &mut self,
        world: &mut World,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let body = super::body(request)?;
        let given = body.get("policy").unwrap_or(&Value::Null);
        super::provider(
            given
                .get("provider_id")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )?;
        if !given.get("parameters").is_some_and(Value::is_object) {
            return Err(codes::BAD_PARAMETER.saying("parameters is missing"));
        }
        let resources = policy::resources(given.get("resources").unwrap_or(&Value::Null))?;
        let operation = match given
            .get("scheduled_operations")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([one]) => policy::operation(one, None, false, world.now())?,
            Some(_) => {
                return Err(
                    codes::BAD_PARAMETER.saying("exactly one scheduled operation is supported")
                );
            }
            None => return Err(codes::BAD_PARAMETER.saying("scheduled_operations is missing")),
        };
        let made = Policy {
            name: policy::name(given.get("name").unwrap_or(&Value::Null))?,
            description: policy::description(given.get("description"))?,
            created: world.now(),
            parameters: given
                .get("parameters")
                .cloned()
                .unwrap_or_else(|| json!({})),
            tags: tags::read(given.get("tags"))?,
            resources,
            operation,
            run: None,
            generation: 0,
        };
        self.name_free(&made.name, None)?;
        self.servers_free(world, &made.resources, None)?;
        if !world.quotas.get(QUOTA_POLICIES).fits(1) {
            return Err(codes::POLICY_LIMIT.plain());
        }
        let number = self.add_policy(world, made);
        world.note(json!({"what": "csbs.policy.created", "request_id": request.id, "policy": self.policy_id(number)}));
        let policy = self.policy_json(world, number, View::Full);
        Ok(Response::json(200, &json!({"policy": policy})))
    }

    /// Takes a policy in and schedules its first run.
    pub(super) fn add_policy(&mut self, world: &mut World, policy: Policy) -> u32 {
        let number = self.next_policy;
        self.next_policy += 1;
        self.policies.insert(number, policy);
        world.quotas.take(QUOTA_POLICIES, 1);
        self.schedule_next(world, number);
        number
    }

    fn name_free(&self, name: &str, but: Option<u32>) -> Result<(), Refusal> {
        let taken = self
            .policies
            .iter()
            .any(|(number, policy)| Some(*number) != but && policy.name == name);
        if taken {
            Err(codes::DUPLICATE_NAME.plain())
        } else {
            Ok(())
        }
    }

    fn servers_free(
        &self,
        world: &World,
        resources: &[Resource],
        but: Option<u32>,
    ) -> Result<(), Refusal> {
        for resource in resources {
            let server = checks::server(world, &resource.id)?;
            if server.resource_type != resource.resource_type {
                return Err(codes::PROTECT_TYPE.with(&[&resource.id, &resource.resource_type]));
            }
            let bound = self.policies.iter().any(|(number, policy)| {
                Some(*number) != but && policy.resources.iter().any(|other| other.id == resource.id)
            });
            if bound {
                return Err(codes::SERVER_BOUND.with(&[&resource.id]));
            }
        }
        Ok(())
    }

    /// `PUT /policies/{id}`.
    pub(super) fn update_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Result<Response, Refusal> {
        let number = self
            .policy_number(id)
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        let body = super::body(request)?;
        let given = body.get("policy").unwrap_or(&Value::Null);
        let mut changed = self
            .policies
            .get(&number)
            .cloned()
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        if let Some(name) = given.get("name") {
            changed.name = policy::name(name)?;
            self.name_free(&changed.name, Some(number))?;
        }
        if given.get("description").is_some() {
            changed.description = policy::description(given.get("description"))?;
        }
        if let Some(resources) = given.get("resources") {
            changed.resources = policy::resources(resources)?;
            self.servers_free(world, &changed.resources, Some(number))?;
        }
        if let Some(operations) = given.get("scheduled_operations").and_then(Value::as_array) {
            let ours = self.ids.uuid(tag::OPERATION, number.into());
            let [one] = operations.as_slice() else {
                return Err(
                    codes::BAD_PARAMETER.saying("exactly one scheduled operation is supported")
                );
            };
            if one.get("id").and_then(Value::as_str) != Some(&ours) {
                return Err(codes::BAD_PARAMETER
                    .saying("scheduled_operations: id is missing or not of this policy"));
            }
            let reset = world.switches.get("csbs.put_missing") == "reset";
            let operation = policy::operation(one, Some(&changed.operation), reset, world.now())?;
            if !operation.enabled
                && changed.operation.enabled
                && checks::backend(world, "").is_err()
            {
                return Err(codes::CANT_STOP_POLICY.plain());
            }
            changed.operation = operation;
            changed.generation = changed.generation.wrapping_add(1);
        }
        self.policies.insert(number, changed);
        self.schedule_next(world, number);
        world.note(json!({"what": "csbs.policy.updated", "request_id": request.id, "policy": id}));
        let policy = self.policy_json(world, number, View::Updated);
        Ok(Response::json(200, &json!({"policy": policy})))
    }

    /// `DELETE /policies/{id}`.
    pub(super) fn delete_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Result<Response, Refusal> {
        let number = self
            .policy_number(id)
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        if self
            .policies
            .get(&number)
            .is_some_and(|policy| policy.run.is_some())
        {
            return Err(codes::PLAN_BUSY.plain());
        }
        self.policies.remove(&number);
        world.quotas.take(QUOTA_POLICIES, -1);
        world.note(json!({"what": "csbs.policy.deleted", "request_id": request.id, "policy": id}));
        Ok(Response::empty(200))
    }
}
