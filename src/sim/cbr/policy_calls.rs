//! The calls on policies.

use serde_json::{Value, json};

use super::codes::{self, Refusal};
use super::policy::{self, Policy};
use super::query::{self, Answer, bad};
use super::{Cbr, QUOTA_POLICIES, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Cbr {
    fn the_policy(&self, id: &str) -> Result<u64, Refusal> {
        query::known_id(self.policy_number(id), id, "policy_id", codes::NO_POLICY)
    }

    fn policy_json(&self, world: &World, number: u64) -> Option<Value> {
        let policy = self.policies.get(&number)?;
        let now = world.now().timestamp_micros();
        let vaults: Vec<Value> = self
            .vaults
            .iter()
            .flat_map(|(vault, row)| row.shown_policies(now).map(move |one| (vault, one)))
            .filter(|(_, (applied, _))| *applied == number)
            .map(|(vault, (_, destination))| {
                json!({"vault_id": self.vault_id(*vault), "destination_vault_id": destination})
            })
            .collect();
        let id = self.ids.uuid(tag::POLICY, number);
        let trigger = self.ids.uuid(tag::TRIGGER, number);
        Some(policy.to_json(world, &id, &trigger, vaults))
    }

    /// `GET /policies`: all at once, newest first.
    pub(super) fn list_policies(&self, world: &World, request: &Request) -> Answer {
        query::known_query(
            world,
            request,
            &["operation_type", "vault_id", "enterprise_project_id"],
        )?;
        let replication = match request.param("operation_type") {
            None | Some("") => None,
            Some("backup") => Some(false),
            Some("replication") => Some(true),
            Some(_) => return Err(codes::POLICY_TYPE.plain()),
        };
        let now = world.now().timestamp_micros();
        let of_vault: Option<Vec<u64>> = match request.param("vault_id").filter(|id| !id.is_empty())
        {
            None => None,
            Some(id) => {
                let vault = self.the_vault(id)?;
                let shown = self.vaults.get(&vault).into_iter();
                Some(
                    shown
                        .flat_map(|vault| vault.shown_policies(now))
                        .map(|(policy, _)| policy)
                        .collect(),
                )
            }
        };
        let rows: Vec<Value> = self
            .policies
            .iter()
            .rev()
            .filter(|(number, policy)| {
                replication.is_none_or(|wanted| wanted == policy.replication)
                    && of_vault.as_ref().is_none_or(|list| list.contains(number))
            })
            .filter_map(|(number, _)| self.policy_json(world, *number))
            .collect();
        let mut body = json!({"policies": rows, "count": rows.len()});
        if query::huawei(world) {
            body["limit"] = 1000.into();
            body["offset"] = 0.into();
        }
        Ok(Response::json(200, &body))
    }

    /// `GET /policies/{id}`.
    pub(super) fn show_policy(&self, world: &World, id: &str) -> Answer {
        let number = self.the_policy(id)?;
        Ok(Response::json(
            200,
            &json!({"policy": self.policy_json(world, number)}),
        ))
    }

    /// `POST /policies`.
    pub(super) fn create_policy(&mut self, world: &mut World, request: &Request) -> Answer {
        let given = query::inside(request, "policy")?;
        let keys = [
            "name",
            "enabled",
            "operation_type",
            "operation_definition",
            "trigger",
        ];
        query::known_keys(world, &given, &keys, &[])?;
        let replication = policy::operation_type(&given)?;
        let (pattern, schedule) = policy::trigger(world, given.get("trigger"))?;
        let definition = policy::definition(world, given.get("operation_definition"), replication)?;
        let region = definition.get("destination_region").and_then(Value::as_str);
        if replication && region != Some(super::OTHER_REGION) {
            return Err(codes::COPY_REGION.plain());
        }
        let made = Policy {
            name: query::name(&given)?,
            enabled: query::flag(&given, "enabled")?.unwrap_or(true),
            replication,
            definition,
            pattern,
            schedule,
            created: world.now().timestamp_micros(),
            generation: 0,
        };
        if !world.quotas.get(quota(replication)).fits(1) {
            return Err(codes::POLICY_LIMIT.plain());
        }
        let number = self.add_policy(world, made);
        let id = self.ids.uuid(tag::POLICY, number);
        world.note(json!({"what": "cbr.policy.created", "request_id": request.id, "policy": id}));
        Ok(Response::json(
            200,
            &json!({"policy": self.policy_json(world, number)}),
        ))
    }

    /// Takes a policy in and schedules its first run; its number.
    pub(super) fn add_policy(&mut self, world: &mut World, policy: Policy) -> u64 {
        let number = self.next_policy;
        self.next_policy += 1;
        world.quotas.take(quota(policy.replication), 1);
        self.policies.insert(number, policy);
        self.schedule_next(world, number);
        number
    }

    /// `PUT /policies/{id}`.
    pub(super) fn update_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_policy(id)?;
        let given = query::inside(request, "policy")?;
        let keys = ["name", "enabled", "operation_definition", "trigger"];
        query::known_keys(world, &given, &keys, &[])?;
        let mut changed = self
            .policies
            .get(&number)
            .cloned()
            .ok_or_else(|| codes::NO_POLICY.plain())?;
        if given.contains_key("name") {
            changed.name = query::name(&given)?;
        }
        changed.enabled = match query::flag(&given, "enabled")? {
            Some(enabled) => enabled,
            None => changed.enabled || world.switches.get("cbr.put_enabled") == "reset",
        };
        if let Some(definition) = given.get("operation_definition") {
            let definition = policy::definition(world, Some(definition), changed.replication)?;
            let key = "destination_region";
            let applied = self
                .vaults
                .values()
                .any(|vault| vault.policies.iter().any(|one| one.policy == number));
            if applied && definition.get(key) != changed.definition.get(key) {
                return Err(codes::REGION_FIXED.plain());
            }
            changed.definition = definition;
        }
        if let Some(trigger) = given.get("trigger") {
            (changed.pattern, changed.schedule) = policy::trigger(world, Some(trigger))?;
        }
        changed.generation = changed.generation.wrapping_add(1);
        self.policies.insert(number, changed);
        self.schedule_next(world, number);
        world.note(json!({"what": "cbr.policy.updated", "request_id": request.id, "policy": id}));
        Ok(Response::json(
            200,
            &json!({"policy": self.policy_json(world, number)}),
        ))
    }

    /// `DELETE /policies/{id}`: its backups stay.
    pub(super) fn delete_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_policy(id)?;
        let policy = self
            .policies
            .remove(&number)
            .ok_or_else(|| bad("the policy is gone"))?;
        world.quotas.take(quota(policy.replication), -1);
        for vault in self.vaults.values_mut() {
            vault.policies.retain(|one| one.policy != number);
        }
        world.note(json!({"what": "cbr.policy.deleted", "request_id": request.id, "policy": id}));
        Ok(Response::empty(204))
    }
}

fn quota(replication: bool) -> &'static str {
    let [backup, copy] = QUOTA_POLICIES;
    if replication { copy } else { backup }
}
