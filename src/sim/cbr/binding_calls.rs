//! What hangs on a vault: its resources and its policies.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::codes::{self, Refusal};
use super::log::{Extra, Kind};
use super::query::{self, Answer, bad};
use super::resource::{self, Sort};
use super::vault::{Applied, Bound, MOST_RESOURCES, State, Vault};
use super::work::Plan;
use super::{Cbr, checks};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// Codes that stand for a passing state: a resource may be bound in it, though not backed up.
const PASSING: [&codes::Code; 5] = [
    codes::SERVER_STATUS,
    codes::SERVER_STOPPED,
    codes::DISK_STATUS,
    codes::RESOURCE_STATUS,
    codes::NO_DISKS,
];

impl Cbr {
    /// Reads `resources` and checks that the vault takes them; `number` is the vault's, once it has one.
    pub(super) fn read_resources(
        &self,
        world: &World,
        given: &Map<String, Value>,
        vault: &Vault,
        number: Option<u64>,
    ) -> Result<Vec<Bound>, Refusal> {
        let list = query::list(given, "resources")?;
        if vault.replicas && !list.is_empty() {
            return Err(codes::WRONG_TYPE.plain());
        }
        if vault.resources.len() + list.len() > MOST_RESOURCES {
            return Err(codes::RESOURCE_LIMIT.plain());
        }
        let mut bounds: Vec<Bound> = Vec::new();
        for given in list {
            let given = given
                .as_object()
                .ok_or_else(|| bad("resources is not a list of objects"))?;
            let bound = self.read_resource(world, given, vault.sort)?;
            if bounds.iter().any(|other| other.id == bound.id) {
                return Err(codes::DUPLICATE.plain());
            }
            for (other, vault) in &self.vaults {
                if vault.bound(&bound.id).is_some() {
                    return Err(match (Some(*other) == number, vault.sort) {
                        (true, Sort::Server) => codes::SERVER_IN_VAULT.plain(),
                        (true, Sort::Disk) => codes::DISK_IN_VAULT.plain(),
                        _ => codes::IN_A_VAULT.plain(),
                    });
                }
                if Some(*other) != number && vault.sort == Sort::Server {
                    self.shares_no_disk(world, &bound, vault)?;
                }
            }
            bounds.push(bound);
        }
        Ok(bounds)
    }

    fn read_resource(
        &self,
        world: &World,
        given: &Map<String, Value>,
        sort: Sort,
    ) -> Result<Bound, Refusal> {
        query::known_keys(world, given, &["id", "type", "name", "extra_info"], &[])?;
        let id = query::text(given, "id")?;
        let of = Sort::of_resource(query::text(given, "type")?)
            .ok_or_else(|| codes::RESOURCE_TYPE.plain())?;
        if of != sort {
            return Err(codes::WRONG_TYPE.plain());
        }
        if !query::well_formed(id) {
            return Err(bad(format!("{id} is not a resource id")));
        }
        let exclude: Vec<String> = given
            .get("extra_info")
            .and_then(|info| info.get("exclude_volumes"))
            .and_then(Value::as_array)
            .map(|ids| {
                ids.iter()
                    .filter_map(|id| id.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default();
        match checks::protectable(world, &self.shares, sort, id, &exclude) {
            Err(refusal) if !PASSING.contains(&refusal.code) => return Err(refusal),
            _ => {}
        }
        let saved = resource::look(world, &self.shares, sort, id, &exclude)
            .ok_or_else(|| codes::NO_RESOURCE.plain())?;
        Ok(Bound::new(saved.id, saved.name, saved.size_gb, exclude))
    }

    /// A disk that two servers share is backed up in one vault only.
    fn shares_no_disk(&self, world: &World, bound: &Bound, other: &Vault) -> Result<(), Refusal> {
        let disks = |bound: &Bound| -> BTreeSet<&str> {
            let server = world.fleet.get(&bound.id).into_iter();
            server
                .flat_map(|server| &server.volumes)
                .filter(|volume| volume.shared && !bound.exclude.contains(&volume.id))
                .map(|volume| volume.id.as_str())
                .collect()
        };
        let own = disks(bound);
        let twice = !own.is_empty()
            && other
                .resources
                .iter()
                .any(|other| !own.is_disjoint(&disks(other)));
        if twice {
            Err(codes::TWO_VAULTS.plain())
        } else {
            Ok(())
        }
    }

    /// `POST /vaults/{id}/addresources`.
    pub(super) fn add_resources(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(world, &given, &["resources"], &[])?;
        let vault = self
            .vaults
            .get(&number)
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        if !matches!(vault.state, State::Available | State::Lock) {
            return Err(codes::VAULT_STATUS.plain());
        }
        let bounds = self.read_resources(world, &given, vault, Some(number))?;
        if bounds.is_empty() {
            return Err(bad("resources is missing"));
        }
        let ids: Vec<String> = bounds.iter().map(|bound| bound.id.clone()).collect();
        if let Some(vault) = self.vaults.get_mut(&number) {
            vault.resources.extend(bounds);
        }
        world.note(json!({"what": "cbr.resources.added", "request_id": request.id, "vault": id, "resources": ids}));
        Ok(Response::json(200, &json!({"add_resource_ids": ids})))
    }

    /// Ids and names of resources of a vault that a call names, all of them at rest.
    fn resting(&self, number: u64, ids: &[String]) -> Result<Vec<(String, String)>, Refusal> {
        let vault = self
            .vaults
            .get(&number)
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        ids.iter()
            .map(|id| {
                let bound = vault.bound(id).ok_or_else(|| codes::NOT_IN_VAULT.plain())?;
                if bound.removing {
                    return Err(codes::REMOVING.plain());
                }
                if bound.protecting > 0 {
                    return Err(codes::TASK_RUNNING.plain());
                }
                if bound.restoring > 0 {
                    let words = format!("Resource {id} is restoring.");
                    return Err(codes::RESTORING.saying(words));
                }
                Ok((bound.id.clone(), bound.name.clone()))
            })
            .collect()
    }

    /// `POST /vaults/{id}/removeresources`: with all their backups.
    pub(super) fn remove_resources(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(world, &given, &["resource_ids"], &[])?;
        let ids = query::ids(&given, "resource_ids")?;
        let resources = self.resting(number, &ids)?;
        let Some(vault) = self.vaults.get_mut(&number) else {
            return Err(codes::NO_VAULT.plain());
        };
        if !matches!(vault.state, State::Available | State::Lock | State::Error) {
            return Err(codes::VAULT_STATUS.plain());
        }
        if vault.locked && self.automatic_in(number) {
            return Err(codes::LOCKED.plain());
        }
        if let Some(vault) = self.vaults.get_mut(&number) {
            for id in &ids {
                if let Some(bound) = vault.bound_mut(id) {
                    bound.removing = true;
                }
            }
        }
        let seconds = world.switches.number("cbr.delete_seconds") * (0.5 + world.rng.f64());
        let mut plan = Plan::new(Kind::RemoveResource, number, seconds);
        plan.extra = Some(Box::new(Extra {
            resources,
            ..Extra::default()
        }));
        let log = self.begin(world, plan);
        self.note(world, "cbr.remove_resource.started", &request.id, log);
        Ok(Response::json(200, &json!({"remove_resource_ids": ids})))
    }

    /// `POST /vaults/{id}/migrateresources`: with all their backups to another vault.
    pub(super) fn migrate_resources(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(
            world,
            &given,
            &["destination_vault_id", "resource_ids"],
            &[],
        )?;
        let ids = query::ids(&given, "resource_ids")?;
        let other = query::text(&given, "destination_vault_id")?;
        let to = query::known_id(
            self.vault_number(other),
            other,
            "destination_vault_id",
            codes::NO_TARGET_VAULT,
        )?;
        let resources = self.resting(number, &ids)?;
        let (Some(from), Some(target)) = (self.vaults.get(&number), self.vaults.get(&to)) else {
            return Err(codes::NO_TARGET_VAULT.plain());
        };
        if to == number {
            return Err(bad("the vaults are the same"));
        }
        if from.sort != target.sort || from.replicas != target.replicas {
            return Err(codes::WRONG_TYPE.plain());
        }
        let ready = |vault: &Vault| matches!(vault.state, State::Available | State::Lock);
        if !ready(from) || !ready(target) {
            return Err(codes::VAULT_STATUS.plain());
        }
        if self.vault_busy(number, &[]) || self.vault_busy(to, &[]) {
            return Err(codes::TASK_RUNNING.plain());
        }
        if target.resources.len() + ids.len() > MOST_RESOURCES {
            return Err(codes::RESOURCE_LIMIT.plain());
        }
        let moved: u64 = ids
            .iter()
            .filter_map(|id| from.bound(id))
            .map(|bound| bound.backup_mb)
            .sum();
        if target.used_mb + moved > target.size_gb * 1024 {
            return Err(codes::TARGET_VAULT_FULL.plain());
        }
        let seconds = world.switches.number("cbr.delete_seconds") * (0.5 + world.rng.f64());
        let mut plan = Plan::new(Kind::MigrateResources, number, seconds);
        plan.extra = Some(Box::new(Extra {
            resources,
            to_vault: Some(to),
            // The Open Telekom Cloud documents no such task.
            unseen: !query::huawei(world),
            ..Extra::default()
        }));
        let log = self.begin(world, plan);
        self.note(world, "cbr.migrate_resources.started", &request.id, log);
        Ok(Response::json(200, &json!({"migrated_resources": ids})))
    }

    /// `PUT /vaults/{id}/set-resources`: automatic backups of some resources paused or resumed.
    pub(super) fn set_resources(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(world, &given, &["resource_ids", "action"], &[])?;
        let on = match query::text(&given, "action")? {
            "suspend" => false,
            "unsuspend" => true,
            _ => return Err(bad("action is suspend or unsuspend")),
        };
        let ids = query::ids(&given, "resource_ids")?;
        let Some(vault) = self.vaults.get_mut(&number) else {
            return Err(codes::NO_VAULT.plain());
        };
        for id in &ids {
            let bound = vault.bound(id).ok_or_else(|| codes::NOT_IN_VAULT.plain())?;
            if bound.removing {
                return Err(codes::REMOVING.plain());
            }
        }
        for id in &ids {
            if let Some(bound) = vault.bound_mut(id) {
                bound.auto_protect = on;
            }
        }
        world.note(
            json!({"what": "cbr.resources.set", "request_id": request.id, "vault": id, "on": on}),
        );
        Ok(Response::json(200, &json!({"set_resource_ids": ids})))
    }

    /// `POST /vaults/{id}/associatepolicy`.
    pub(super) fn apply_policy(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(
            world,
            &given,
            &["policy_id", "destination_vault_id"],
            &["add_policy_ids"],
        )?;
        let several = query::list(&given, "add_policy_ids")?;
        let ids: Vec<&str> = match (query::optional(&given, "policy_id")?, several) {
            (Some(id), []) => vec![id],
            (None, [_, ..]) => several.iter().filter_map(Value::as_str).collect(),
            _ => return Err(bad("exactly one of policy_id and add_policy_ids is given")),
        };
        let destination = query::optional(&given, "destination_vault_id")?.map(str::to_owned);
        let mut policies = Vec::new();
        for id in ids {
            let policy =
                query::known_id(self.policy_number(id), id, "policy_id", codes::NO_POLICY)?;
            self.policy_fits(world, number, policy, destination.as_deref())?;
            policies.push((policy, id.to_owned()));
        }
        let now = world.now().timestamp_micros();
        let late = (world.switches.number("cbr.binding_delay").max(0.0) * 1e6) as i64;
        let mut last = String::new();
        for (policy, id) in policies {
            let replication = self.is_replication(policy);
            let same_kind: Vec<u64> = self
                .vaults
                .get(&number)
                .into_iter()
                .flat_map(|vault| &vault.policies)
                .map(|one| one.policy)
                .filter(|other| self.is_replication(*other) == replication)
                .collect();
            if let Some(vault) = self.vaults.get_mut(&number) {
                vault
                    .policies
                    .retain(|one| !same_kind.contains(&one.policy));
                vault.policies.push(Applied {
                    policy,
                    destination: destination.clone().filter(|_| replication),
                    shown_from: now + late,
                });
            }
            last = id;
        }
        world.note(json!({"what": "cbr.policy.applied", "request_id": request.id, "vault": id, "policy": last}));
        let mut answer = json!({"vault_id": id, "policy_id": last});
        if let Some(destination) = destination {
            answer["destination_vault_id"] = destination.into();
        }
        Ok(Response::json(200, &json!({"associate_policy": answer})))
    }

    pub(super) fn is_replication(&self, policy: u64) -> bool {
        self.policies
            .get(&policy)
            .is_some_and(|policy| policy.replication)
    }

    fn policy_fits(
        &self,
        world: &World,
        number: u64,
        policy: u64,
        destination: Option<&str>,
    ) -> Result<(), Refusal> {
        let vault = self
            .vaults
            .get(&number)
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        let replication = self.is_replication(policy);
        if vault.replicas || replication && vault.sort != Sort::Server {
            return Err(codes::POLICY_MISFIT.plain());
        }
        if replication {
            match destination.map(|id| self.remotes.iter().find(|remote| remote.id == id)) {
                Some(None) => return Err(codes::NO_TARGET_VAULT.plain()),
                Some(Some(remote)) if !remote.replicas => {
                    return Err(codes::TARGET_VAULT_TYPE.plain());
                }
                None if query::huawei(world) => return Err(bad("destination_vault_id is missing")),
                _ => {}
            }
        }
        let other = vault
            .policies
            .iter()
            .any(|one| one.policy != policy && self.is_replication(one.policy) == replication);
        if other && world.switches.get("cbr.second_policy") == "refuse" {
            return Err(codes::POLICY_MISFIT.plain());
        }
        Ok(())
    }

    /// `POST /vaults/{id}/dissociatepolicy`.
    pub(super) fn lift_policy(&mut self, world: &mut World, request: &Request, id: &str) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::body(request)?;
        query::known_keys(world, &given, &["policy_id"], &[])?;
        let policy_id = query::text(&given, "policy_id")?;
        let policy = query::known_id(
            self.policy_number(policy_id),
            policy_id,
            "policy_id",
            codes::NO_POLICY,
        )?;
        let now = world.now().timestamp_micros();
        let late = (world.switches.number("cbr.binding_delay").max(0.0) * 1e6) as i64;
        let Some(vault) = self.vaults.get_mut(&number) else {
            return Err(codes::NO_VAULT.plain());
        };
        let before = vault.policies.len();
        vault.policies.retain(|one| one.policy != policy);
        if vault.policies.len() == before {
            return Err(codes::NOT_APPLIED.plain());
        }
        vault.fading.retain(|(_, until)| *until > now);
        vault.fading.push((policy, now + late));
        world.note(json!({"what": "cbr.policy.lifted", "request_id": request.id, "vault": id, "policy": policy_id}));
        Ok(Response::json(
            200,
            &json!({"dissociate_policy": {"vault_id": id, "policy_id": policy_id}}),
        ))
    }
}
