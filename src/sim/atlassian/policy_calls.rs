//! Calls on policies.

use serde_json::{Value, json};

use super::codes::{self, Answer, Refusal};
use super::org::ORG;
use super::page::Page;
use super::policy::Policy;
use super::{Atlassian, object};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The names of what may go along, in the order of [`Policy::includes`].
const INCLUDES: [&str; 3] = [
    "includeAttachments",
    "includePersonalSpaces",
    "includeUsersAndGroups",
];

/// A flag of the query. What a value that is none gives is not published: 400 is ours.
fn flag(request: &Request, name: &str) -> Result<bool, Refusal> {
    match request.param(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::field(name, "must be true or false")),
    }
}

impl Atlassian {
    /// `GET /policies` (path, paging and envelope inferred).
    pub(super) fn list_policies(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let whole = world.switches.on("atlassian.list_details");
        let rows: Vec<Value> = page
            .cut(0..self.policies.len())
            .into_iter()
            .map(|number| self.policy_json(world, number, whole, whole))
            .collect();
        Ok(Response::json(
            200,
            &json!({"policies": rows, "totalItems": self.policies.len()}),
        ))
    }

    /// `GET /policies/{policyId}` (documented whole).
    pub(super) fn show_policy(&self, world: &World, request: &Request, id: &str) -> Answer {
        let storage = flag(request, "storageDetails")?;
        let backups = flag(request, "backupDetails")?;
        let number = self.policy_number(id)?;
        Ok(Response::json(
            200,
            &self.policy_json(world, number, storage, backups),
        ))
    }

    /// `POST /policies` (path and body inferred: the names are those of the answer).
    pub(super) fn create_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        account: &str,
    ) -> Answer {
        let body = object(request)?;
        let text = |key: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .ok_or_else(|| Refusal::field(key, "must be a text"))
        };
        let name = text("policyName")?.to_owned();
        let cloud = text("cloudId")?;
        let word = text("productType")?;
        let site = self.site_number(cloud)?;
        let product = self
            .sites
            .get(site)
            .and_then(|site| {
                let product = site.product(word)?;
                site.products
                    .get(product)
                    .is_some_and(|product| product.present)
                    .then_some(product)
            })
            .ok_or_else(|| codes::NO_PRODUCT.with(&[word, cloud]))?;
        let taken = |policy: &Policy| (policy.site, policy.product) == (site, product);
        if self.policies.iter().any(taken) {
            return Err(codes::POLICY_EXISTS.with(&[ORG, cloud, word]));
        }
        let storage = match body.get("storageId") {
            None | Some(Value::Null) => 0,
            Some(id) => {
                let id = id.as_str().unwrap_or_default();
                self.storage_number(id)
                    .ok_or_else(|| codes::NO_STORAGE.with(&[id]))?
            }
        };
        let schedule = match body.get("scheduleDetails") {
            None | Some(Value::Null) => None,
            Some(wish) => Some(self.schedule_of(world, wish)?),
        };
        let mut includes = [true; 3];
        read_includes(&body, &mut includes)?;
        self.policies.push(Policy {
            name,
            site,
            product,
            storage,
            includes,
            schedule,
            active: false,
            rights: true,
            next: None,
            created: world.now(),
            author: account.to_owned(),
            backups: Default::default(),
        });
        world.count("atlassian.policy.created");
        let number = self.policies.len() - 1;
        Ok(Response::json(
            201,
            &self.policy_json(world, number, true, false),
        ))
    }

    /// `PUT /policies/{policyId}` (method documented, path and body inferred). `scheduleDetails: null` removes the
    /// schedule, which is how later runs are stopped; whoever updates a policy lends it their rights (documented).
    pub(super) fn update_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
        account: &str,
    ) -> Answer {
        let number = self.policy_number(id)?;
        let body = object(request)?;
        let name = match body.get("policyName") {
            None => None,
            Some(Value::String(name)) if !name.is_empty() => Some(name.clone()),
            Some(_) => return Err(Refusal::field("policyName", "must be a text")),
        };
        let schedule = match body.get("scheduleDetails") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(wish) => Some(Some(self.schedule_of(world, wish)?)),
        };
        let Some(policy) = self.policies.get_mut(number) else {
            return Err(Refusal::ours(404, "Backup policy was not found"));
        };
        read_includes(&body, &mut policy.includes)?;
        if let Some(name) = name {
            policy.name = name;
        }
        policy.rights = true;
        account.clone_into(&mut policy.author);
        let active = policy.active;
        if let Some(schedule) = schedule {
            policy.schedule = schedule;
            policy.next = None;
            if active {
                self.arm(world, number);
            }
        }
        world.count("atlassian.policy.updated");
        Ok(Response::json(
            200,
            &self.policy_json(world, number, true, false),
        ))
    }

    /// `PUT /policies/{policyId}/activate` (documented whole). Without a schedule there is nothing to activate; the
    /// refusal for that is ours.
    pub(super) fn activate_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.policy_number(id)?;
        let strict = world.switches.get("atlassian.activate_active") == "409";
        let Some(policy) = self.policies.get_mut(number) else {
            return Err(Refusal::ours(404, "Backup policy was not found"));
        };
        if policy.active && strict {
            return Err(Refusal::ours(409, "Backup policy is already active"));
        }
        if policy.schedule.is_none() {
            return Err(Refusal::ours(422, "Backup policy has no schedule"));
        }
        if !policy.active {
            policy.active = true;
            world.count("atlassian.policy.activated");
            self.arm(world, number);
        }
        if world.switches.get("atlassian.activate_answer") == "policy" {
            let body = self.policy_json(world, number, true, true);
            return Ok(Response::json(200, &body));
        }
        let page = Page::of(world, request)?;
        Ok(Response::json(200, &self.backups_of(world, number, page)))
    }
}

fn read_includes(
    body: &serde_json::Map<String, Value>,
    includes: &mut [bool; 3],
) -> Result<(), Refusal> {
    for (name, include) in INCLUDES.iter().zip(includes) {
        match body.get(*name) {
            None => {}
            Some(Value::Bool(value)) => *include = *value,
            Some(_) => return Err(Refusal::field(name, "must be true or false")),
        }
    }
    Ok(())
}
