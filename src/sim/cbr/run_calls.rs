//! Checkpoints: backing a vault up now, and looking at such a run.

use serde_json::{Map, Value, json};

use super::codes::{self, Refusal};
use super::query::{self, Answer, bad};
use super::run::Order;
use super::{Cbr, NONE, checks, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Cbr {
    /// `POST /checkpoints`.
    pub(super) fn back_up(&mut self, world: &mut World, request: &Request) -> Answer {
        let given = query::inside(request, "checkpoint")?;
        query::known_keys(world, &given, &["vault_id", "parameters"], &[])?;
        let id = query::text(&given, "vault_id")?;
        let number = query::known_id(self.vault_number(id), id, "vault_id", codes::NO_VAULT)?;
        let empty = Map::new();
        let parameters = match given.get("parameters") {
            None | Some(Value::Null) => &empty,
            Some(Value::Object(parameters)) => parameters,
            Some(_) => return Err(bad("parameters is not an object")),
        };
        let mut order = self.order(world, parameters)?;
        order.request_id.clone_from(&request.id);
        let vault = self
            .vaults
            .get(&number)
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        checks::vault_takes_backups(vault)?;
        if let Some(only) = &order.only
            && only.iter().any(|id| vault.bound(id).is_none())
        {
            return Err(codes::NOT_IN_VAULT.plain());
        }
        if vault.full() && world.switches.get("cbr.vault_full") == "refuse" {
            return Err(codes::VAULT_FULL.plain());
        }
        let wanted = vault.resources.iter().filter(|bound| {
            order
                .only
                .as_ref()
                .is_none_or(|only| only.contains(&bound.id))
        });
        let (mut any, mut busy) = (false, false);
        for bound in wanted {
            busy |= bound.protecting > 0;
            any |= self.may_begin(world, vault, bound, false).is_ok();
        }
        match world.switches.get("cbr.busy_resource") {
            "6125" if busy => return Err(codes::TASK_RUNNING.plain()),
            "1001" if busy => return Err(codes::VAULT_RUNNING.plain()),
            _ => {}
        }
        if !any {
            return Err(codes::NOTHING.plain());
        }
        let checkpoint = self
            .run_vault(world, number, &order)
            .and_then(|checkpoint| self.checkpoint_json(world, checkpoint))
            .ok_or_else(|| codes::UNKNOWN.plain())?;
        Ok(Response::json(200, &json!({"checkpoint": checkpoint})))
    }

    /// Reads `parameters`.
    fn order(&self, world: &World, given: &Map<String, Value>) -> Result<Order, Refusal> {
        query::known_keys(
            world,
            given,
            &[
                "auto_trigger",
                "incremental",
                "name",
                "description",
                "resources",
                "resource_details",
            ],
            &["policy_id", "retention_duration_days"],
        )?;
        let auto = query::flag(given, "auto_trigger")?.unwrap_or(false);
        let days = query::number(given, "retention_duration_days", -1..=36_500)?;
        if days == Some(0) || days.is_some() && auto {
            return Err(bad(
                "retention_duration_days is -1 or 1 to 36500, and not for automatic backups",
            ));
        }
        let policy = match query::optional(given, "policy_id")? {
            None => NONE,
            Some(id) => query::known_id(self.policy_number(id), id, "policy_id", codes::NO_POLICY)?,
        };
        let mut only: Vec<String> = match query::list(given, "resources")? {
            [] => Vec::new(),
            _ => query::ids(given, "resources")?,
        };
        for detail in query::list(given, "resource_details")? {
            let Some(detail) = detail.as_object() else {
                return Err(bad("resource_details is not a list of objects"));
            };
            only.push(query::text(detail, "id")?.to_owned());
            query::text(detail, "type")?;
        }
        if let Some(id) = only.iter().find(|id| !query::well_formed(id)) {
            return Err(bad(format!("{id} is not a resource id")));
        }
        Ok(Order {
            policy,
            auto,
            incremental: query::flag(given, "incremental")?.unwrap_or(true),
            name: query::optional(given, "name")?
                .map(|_| query::name(given))
                .transpose()?,
            description: query::description(given, 255)?,
            retention_days: days,
            only: (!only.is_empty()).then_some(only),
            ..Order::default()
        })
    }

    /// `GET /checkpoints/{id}`.
    pub(super) fn show_checkpoint(&self, world: &World, id: &str) -> Answer {
        let number = self.ids.number(tag::CHECKPOINT, id);
        let checkpoint = number.and_then(|number| self.checkpoint_json(world, number));
        let checkpoint = query::known_id(checkpoint, id, "checkpoint_id", codes::NO_CHECKPOINT)?;
        Ok(Response::json(200, &json!({"checkpoint": checkpoint})))
    }
}
