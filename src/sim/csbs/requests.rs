//! The calls that back up, check, restore and delete.

use serde_json::{Value, json};

use super::backups::{Copy, Status};
use super::checks::{self, Restore};
use super::codes::{self, Refusal};
use super::policy::{self, PROVIDER, tag};
use super::run::Order;
use super::{Csbs, QUOTA_BACKUPS, QUOTA_CAPACITY, body, tags};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Csbs {
    /// `GET /checkpoint_items/{id}`.
    pub(super) fn show_item(&self, world: &World, id: &str) -> Result<Response, Refusal> {
        let item = self
            .item_number(id)
            .and_then(|number| self.item(world, number))
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        Ok(Response::json(200, &json!({"checkpoint_item": item})))
    }

    /// `POST /providers/{p}/resources/{id}/action`: back up one server now.
    pub(super) fn protect(
        &mut self,
        world: &mut World,
        request: &Request,
        server: &str,
    ) -> Result<Response, Refusal> {
        let body = body(request)?;
        let Some(given) = body.get("protect").filter(|value| value.is_object()) else {
            return Err(codes::BAD_PARAMETER.saying("protect is missing"));
        };
        let name = match given.get("backup_name") {
            None | Some(Value::Null) => None,
            Some(value) => Some(policy::name(value)?),
        };
        let description =
            Some(policy::description(given.get("description"))?).filter(|text| !text.is_empty());
        let resource_type = given
            .get("resource_type")
            .and_then(Value::as_str)
            .unwrap_or("OS::Nova::Server");
        let order = Order {
            incremental: given
                .get("incremental")
                .and_then(Value::as_bool)
                .unwrap_or(true),
            name,
            description,
            tags: tags::read(given.get("tags"))?,
            request_id: request.id.clone(),
            ..Order::default()
        };
        checks::protectable(world, server, resource_type)?;
        self.may_begin(world, server)?;
        let first = self.begin_backups(world, &[server.to_owned()], &order);
        Ok(Response::json(
            200,
            &self.checkpoint_json(world, first, None),
        ))
    }

    /// `POST /providers/{p}/resources/action`: the two capability checks.
    pub(super) fn check(&self, world: &World, request: &Request) -> Result<Response, Refusal> {
        let body = body(request)?;
        let verdict = |result: Result<(), Refusal>, id: &str, resource_type: &str| {
            let mut row = json!({"resource_id": id, "resource_type": resource_type, "result": result.is_ok()});
            if let Err(refusal) = result {
                row["error_code"] = refusal.code.code.into();
                row["error_msg"] = refusal.message.into();
            }
            row
        };
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        if let Some(list) = body.get("check_protectable").and_then(Value::as_array) {
            let rows: Vec<Value> = list
                .iter()
                .map(|asked| {
                    let (id, kind) = (text(asked, "resource_id"), text(asked, "resource_type"));
                    let busy = self.busy.contains_key(&id);
                    let result = checks::protectable(world, &id, &kind).and_then(|()| {
                        if busy {
                            Err(codes::SERVER_BUSY.with(&[&id]))
                        } else {
                            Ok(())
                        }
                    });
                    verdict(result, &id, &kind)
                })
                .collect();
            return Ok(Response::json(200, &json!({"protectable": rows})));
        }
        if let Some(list) = body.get("check_restorable").and_then(Value::as_array) {
            let rows: Vec<Value> = list
                .iter()
                .map(|asked| {
                    let target = asked.get("target").unwrap_or(&Value::Null);
                    let result = Restore::read(
                        self,
                        &text(asked, "checkpoint_item_id"),
                        target,
                        "resource_id",
                    )
                    .and_then(|restore| checks::restorable(world, self, &restore));
                    verdict(
                        result,
                        &text(target, "resource_id"),
                        &text(target, "resource_type"),
                    )
                })
                .collect();
            return Ok(Response::json(200, &json!({"restorable": rows})));
        }
        Err(codes::BAD_PARAMETER.saying("check_protectable or check_restorable is missing"))
    }

    /// `POST /restores`.
    pub(super) fn restore(
        &mut self,
        world: &mut World,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let body = body(request)?;
        let given = body.get("restore").unwrap_or(&Value::Null);
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        super::provider(&text(given, "provider_id"))?;
        let parameters = given.get("parameters").unwrap_or(&Value::Null);
        let item = text(parameters, "checkpoint_item_id");
        let targets = parameters.get("targets").unwrap_or(&Value::Null);
        let restore = Restore::read(self, &item, targets, "server_id")?;
        let checkpoint = text(given, "checkpoint_id");
        let belongs = self
            .backups
            .get(restore.item)
            .is_some_and(|backup| self.checkpoint_id(restore.item, backup) == checkpoint);
        if !belongs {
            return Err(codes::NO_BACKUP.with(&[&checkpoint]));
        }
        self.not_copying(restore.item)?;
        checks::restorable(world, self, &restore)?;
        let power_on = parameters
            .get("power_on")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        self.restores += 1;
        let id = self.ids.uuid(tag::RESTORE, self.restores);
        self.begin_restore(world, restore.item, &restore.server_id, power_on);
        world.note(json!({
            "what": "csbs.restore.started", "request_id": request.id, "restore": id, "item": item,
            "server": restore.server_id,
        }));
        Ok(Response::json(
            200,
            &json!({"restore": {
                "id": id, "project_id": world.account.project_id, "provider_id": PROVIDER,
                "checkpoint_id": checkpoint, "restore_target": given.get("restore_target"),
                "status": "in_progress", "parameters": parameters,
                "resources_status": {}, "resources_reason": {},
            }}),
        ))
    }

    /// `DELETE /providers/{p}/checkpoints/{id}[?checkpoint_items=…]`.
    pub(super) fn delete(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Result<Response, Refusal> {
        let all = self
            .ids
            .number(tag::CHECKPOINT, id)
            .map(|first| self.backups.checkpoint(first))
            .filter(|all| !all.is_empty())
            .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?;
        // How several ids are separated is not documented; a comma and a repeated key both work here.
        let wanted: Vec<&str> = request
            .params("checkpoint_items")
            .flat_map(|value| value.split(','))
            .filter(|value| !value.is_empty())
            .collect();
        let mut chosen = Vec::new();
        for item in &wanted {
            let number = self.item_number(item).filter(|number| all.contains(number));
            chosen.push(number.ok_or_else(|| codes::NO_BACKUP.with(&[item]))?);
        }
        if wanted.is_empty() {
            chosen.clone_from(&all);
        }
        for number in &chosen {
            self.deletable(*number, &all)?;
        }
        for number in chosen {
            self.begin_delete(world, number, true);
            world.note(json!({
                "what": "csbs.delete.started", "request_id": request.id, "item": self.item_id(number),
            }));
        }
        Ok(Response::json(200, &json!({})))
    }

    fn deletable(&self, number: u64, checkpoint: &[u64]) -> Result<(), Refusal> {
        let Some(backup) = self.backups.get(number) else {
            return Ok(());
        };
        if backup.status.busy() {
            return Err(codes::ITEM_BUSY.plain());
        }
        let protecting = |number: &u64| {
            let status = self.backups.get(*number).map(|backup| backup.status);
            matches!(status, Some(Status::Protecting | Status::WaitingProtect))
        };
        if checkpoint.iter().any(protecting) {
            return Err(codes::PLAN_BUSY.plain());
        }
        self.not_copying(number)?;
        if backup
            .extra
            .as_ref()
            .is_some_and(|extra| extra.image.is_some())
        {
            return Err(codes::HAS_IMAGE.with(&[&self.item_id(number)]));
        }
        Ok(())
    }

    fn not_copying(&self, number: u64) -> Result<(), Refusal> {
        match self.backups.get(number).map(|backup| backup.copy) {
            Some(Copy::Waiting | Copy::Copying) => Err(codes::COPYING.plain()),
            _ => Ok(()),
        }
    }

    /// `GET /quotas`.
    pub(super) fn quotas(&self, world: &World) -> Response {
        let (capacity, backups) = (
            world.quotas.get(QUOTA_CAPACITY),
            world.quotas.get(QUOTA_BACKUPS),
        );
        Response::json(
            200,
            &json!({"quotas": {"resources": [
                {"type": "backup_capacity", "unit": "GB", "quota": capacity.limit, "used": capacity.used},
                {"type": "backups", "quota": backups.limit, "used": backups.used},
            ]}}),
        )
    }
}
