//! Checkpoints, backups and tasks as they look on the wire.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::backup::{Backup, Member, Record, Status};
use super::log::{Kind, Log};
use super::resource::{Saved, SavedDisk, Sort};
use super::{Cbr, NONE, REGION, disk_number, query, tag, time};
use crate::sim::ids::mix;
use crate::sim::world::World;

/// The name that the service makes up for a backup.
pub(super) fn usual_name(auto: bool, number: u64) -> String {
    let prefix = if auto { "autobk" } else { "manualbk" };
    format!("{prefix}_{:04x}", mix(number) & 0xffff)
}

/// The name that was given, or the one that the service makes up.
pub(super) fn name(backup: &Backup, number: u64) -> Cow<'_, str> {
    let given = backup
        .extra
        .as_ref()
        .and_then(|extra| extra.name.as_deref());
    match given {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(usual_name(backup.auto, number)),
    }
}

impl Cbr {
    /// A backup; with its parts where one alone is shown.
    pub(super) fn backup_json(&self, world: &World, number: u64, whole: bool) -> Option<Value> {
        let backup = self.backups.get(number)?;
        let saved = self.saved(backup.saved)?;
        let disks: Vec<Value> = if whole && saved.sort == Sort::Server {
            (0..saved.disks.len())
                .filter_map(|disk| self.disk_json(world, number, disk))
                .collect()
        } else {
            Vec::new()
        };
        let mut row = self.backup_row(world, number, backup, saved, None);
        row["children"] = disks.into();
        row["replication_records"] = backup
            .records()
            .iter()
            .map(|record| self.record_json(world, number, backup, record))
            .collect();
        Some(query::dress(world, row))
    }

    /// The backup of a disk, which is a part of a server's.
    pub(super) fn disk_json(&self, world: &World, number: u64, disk: usize) -> Option<Value> {
        let backup = self.backups.get(number)?;
        let saved = self.saved(backup.saved)?;
        let part = saved.disks.get(disk)?;
        let mut row = self.backup_row(world, number, backup, saved, Some((disk, part)));
        row["children"] = json!([]);
        Some(query::dress(world, row))
    }

    /// A backup without its parts; `part` makes it that of one disk of a server.
    fn backup_row(
        &self,
        world: &World,
        number: u64,
        backup: &Backup,
        saved: &Saved,
        part: Option<(usize, &SavedDisk)>,
    ) -> Value {
        let extra = backup.extra.as_deref();
        let whole_name = name(backup, number);
        let sort = if part.is_some() {
            Sort::Disk
        } else {
            saved.sort
        };
        let size = part.map_or(saved.size_gb, |(_, disk)| disk.size_gb);
        let odd = extra.and_then(|extra| extra.odd_status.as_deref());
        let mut row = json!({
            "id": match part {
                Some((disk, _)) => self.disk_id(number, disk),
                None => self.backup_id(number),
            },
            "parent_id": part.map(|_| self.backup_id(number)),
            "name": match part {
                Some((_, disk)) => format!("{whole_name}_{}", disk.name),
                None => whole_name.into_owned(),
            },
            "checkpoint_id": self.ids.uuid(tag::CHECKPOINT, backup.checkpoint),
            "vault_id": self.vault_id(backup.vault),
            "description": extra.and_then(|extra| extra.description.as_deref()).unwrap_or(""),
            "status": odd.unwrap_or(backup.status.word()),
            "image_type": "backup", "provider_id": sort.provider(),
            "resource_id": part.map_or(saved.id.as_str(), |(_, disk)| &disk.id),
            "resource_name": part.map_or(saved.name.as_str(), |(_, disk)| &disk.name),
            "resource_type": sort.resource_type(), "resource_size": size, "resource_az": saved.az,
            "created_at": time::show(world, backup.created), "updated_at": time::show(world, backup.updated),
            "protected_at": time::show_or_null(world, backup.protected),
            "expired_at": time::show_or_null(world, backup.expires),
            "project_id": world.account.project_id, "incremental": backup.incremental, "version": 3,
            "extend_info": self.extend_info(number, backup, saved, part),
        });
        if query::huawei(world) {
            row["enterprise_project_id"] = "0".into();
        }
        row
    }

    fn extend_info(
        &self,
        number: u64,
        backup: &Backup,
        saved: &Saved,
        part: Option<(usize, &SavedDisk)>,
    ) -> Value {
        let disk = part.or_else(|| {
            let own = saved.disks.first().filter(|_| saved.sort == Sort::Disk);
            own.map(|disk| (0, disk))
        });
        let good = backup.protected > 0;
        let images = backup
            .image()
            .map_or(Value::Null, |image| json!([{"image_id": image}]));
        json!({
            "auto_trigger": backup.auto, "support_lld": true,
            "supported_restore_mode": if good && saved.sort != Sort::Turbo { "backup" } else { "na" },
            "contain_system_disk": match (part, saved.sort) {
                (None, Sort::Server) => json!(saved.disks.iter().any(|disk| disk.bootable)),
                _ => Value::Null,
            },
            "bootable": disk.map(|(_, disk)| disk.bootable),
            "system_disk": disk.is_some_and(|(_, disk)| disk.bootable),
            "encrypted": disk.is_some_and(|(_, disk)| disk.encrypted),
            "snapshot_id": disk
                .filter(|_| good)
                .map(|(at, _)| self.ids.uuid(tag::SNAPSHOT, disk_number(number, at))),
            "progress": if good { json!(100) } else { Value::Null },
            "os_images_data": images, "architecture": "x86_64",
            "app_consistency": {
                "app_consistency": "0", "app_consistency_status": "0", "app_consistency_error_code": "0",
                "app_consistency_error_message": "",
            },
        })
    }

    fn record_json(&self, world: &World, number: u64, backup: &Backup, record: &Record) -> Value {
        let percent = self
            .logs
            .get(record.log)
            .map_or(100, |log| log.percent(world.now()));
        json!({
            "id": self.ids.uuid(tag::RECORD, record.number), "status": record.status,
            "created_at": time::show(world, record.created),
            "source_backup_id": self.backup_id(number),
            "source_checkpoint_id": self.ids.uuid(tag::CHECKPOINT, backup.checkpoint),
            "source_project_id": world.account.project_id, "source_region": REGION,
            "destination_backup_id": self.ids.uuid(tag::REPLICA, record.number << 1),
            "destination_checkpoint_id": self.ids.uuid(tag::REPLICA, record.number << 1 | 1),
            "destination_project_id": record.project, "destination_region": record.region,
            "destination_vault_id": record.vault, "vault_id": self.vault_id(backup.vault),
            "extra_info": {
                "progress": percent, "fail_code": record.fail_code, "fail_reason": record.fail_reason,
                "auto_trigger": record.auto, "destination_vault_id": record.vault,
            },
        })
    }

    /// Somebody that a backup is shared with.
    pub(super) fn member_json(&self, world: &World, backup: u64, member: &Member) -> Value {
        query::dress(
            world,
            json!({
                "id": self.ids.uuid(tag::MEMBER, member.number), "backup_id": self.backup_id(backup),
                "dest_project_id": member.project, "status": member.status, "vault_id": member.vault,
                "image_id": null, "created_at": time::show(world, member.created),
                "updated_at": time::show_or_null(world, member.updated),
            }),
        )
    }

    /// A checkpoint.
    pub(super) fn checkpoint_json(&self, world: &World, number: u64) -> Option<Value> {
        let point = self.checkpoints.get(number)?;
        let texts = world.switches.get("cbr.checkpoint_sizes") != "number";
        let numbers = || point.first..point.first + point.count;
        let statuses: Vec<Status> = numbers()
            .filter_map(|number| self.backups.get(number).map(|backup| backup.status))
            .collect();
        let any = |wanted: &[Status]| statuses.iter().any(|status| wanted.contains(status));
        let status = if any(&[Status::WaitingProtect, Status::Protecting]) {
            "protecting"
        } else if any(&[Status::WaitingDelete, Status::Deleting]) {
            "deleting"
        } else if any(&[Status::Error]) {
            "error"
        } else if statuses.is_empty() && point.count > 0 {
            "deleted"
        } else {
            "available"
        };
        let vault = self.vaults.get(&point.vault);
        let resources: Vec<Value> = numbers()
            .filter_map(|number| self.saved(self.backups.get(number)?.saved))
            .filter_map(|saved| vault?.bound(&saved.id))
            .map(|bound| bound.in_checkpoint(point.sort, texts))
            .collect();
        let skipped: Vec<Value> = point
            .skipped
            .iter()
            .map(|one| {
                json!({
                    "id": one.id, "name": one.name, "type": point.sort.resource_type(), "code": one.code,
                    "reason": one.reason,
                })
            })
            .collect();
        let extra = if texts {
            json!({
                "name": point.name.as_deref().unwrap_or(""),
                "description": point.description.as_deref().unwrap_or(""),
                "retention_duration": point.retention_days.unwrap_or(-1),
            })
        } else {
            Value::Null
        };
        Some(query::dress(
            world,
            json!({
                "id": self.ids.uuid(tag::CHECKPOINT, number), "status": status,
                "project_id": world.account.project_id, "created_at": time::show(world, point.created),
                "extra_info": extra,
                "vault": {
                    "id": self.vault_id(point.vault), "name": point.vault_name, "resources": resources,
                    "skipped_resources": skipped,
                },
            }),
        ))
    }

    /// A task.
    pub(super) fn log_json(&self, world: &World, number: u64) -> Option<Value> {
        let log = self.logs.get(number)?;
        let adversarial = world.switches.on("cbr.adversarial");
        let chance = mix(number ^ 0x10C5);
        let left_out = world.switches.get("cbr.failed_log");
        let saved = self.saved(log.saved);
        let vault_named = log.vault != NONE && !(adversarial && chance & 1 == 1);
        let percent = log.percent(world.now());
        let or_none = |known: bool, value: Value| if known { value } else { Value::Null };
        let now = world.now().timestamp_micros();
        let updated = match log.status.live() {
            true => now.min(log.ends),
            false => log.ends,
        };
        let waiting = log.status == super::log::Status::Waiting;
        let mut extra = self.log_extra(world, log);
        extra.insert(
            "common".into(),
            json!({
                "progress": if adversarial && chance & 2 == 2 { json!(percent.to_string()) } else { json!(percent) },
                "request_id": format!("req-{}", self.ids.uuid(tag::REQUEST, number)),
                "task_id": self.ids.uuid(tag::REQUEST, number),
            }),
        );
        if let Some(saved) = saved
            && !(log.failure().is_some() && left_out == "no_resource")
        {
            let resource = json!({
                "id": saved.id, "type": saved.sort.resource_type(), "name": saved.name, "extra_info": {},
            });
            extra.insert("resource".into(), resource);
        }
        let provider = saved.map(|saved| saved.sort).or_else(|| {
            let vault = self.vaults.get(&log.vault);
            vault.map(|vault| vault.sort)
        });
        let error = match log.failure() {
            Some(refusal) => json!({
                "code": refusal.code.code,
                "message": if left_out == "no_message" { "" } else { refusal.message.as_str() },
            }),
            None if adversarial && chance & 4 == 4 => Value::Null,
            None => json!({"code": "", "message": ""}),
        };
        Some(query::dress(
            world,
            json!({
                "id": self.log_id(number), "status": log.status.word(), "operation_type": log.kind.word(),
                "provider_id": provider.unwrap_or(Sort::Server).provider(),
                "checkpoint_id": or_none(
                    log.checkpoint != NONE, self.ids.uuid(tag::CHECKPOINT, log.checkpoint).into()),
                "policy_id": or_none(log.policy != NONE, self.ids.uuid(tag::POLICY, log.policy).into()),
                "vault_id": or_none(vault_named, self.vault_id(log.vault).into()),
                "vault_name": or_none(vault_named, json!(self.vault_name(log.vault))),
                "project_id": world.account.project_id,
                "created_at": time::show(world, log.created),
                "started_at": time::show(world, if waiting { log.created } else { log.started }),
                "updated_at": time::show(world, updated.max(log.created)),
                "ended_at": or_none(!log.status.live(), time::show(world, log.ends).into()),
                "error_info": error, "extra_info": extra,
            }),
        ))
    }

    /// The member of `extra_info` that a task of its kind has.
    fn log_extra(&self, world: &World, log: &Log) -> Map<String, Value> {
        let more = log.extra.as_deref();
        let given = more.and_then(|extra| extra.backup_name.clone());
        let backup_name = given.unwrap_or_else(|| usual_name(log.auto, log.backup));
        let backup_id = self.backup_id(log.backup);
        let (fails, total) = more.map_or((0, 0), |extra| (extra.fail_count, extra.total_count));
        let resources = |extra: &super::log::Extra| -> Value {
            let sort = self
                .vaults
                .get(&log.vault)
                .map_or(Sort::Server, |vault| vault.sort);
            let rows = extra.resources.iter();
            rows.map(|(id, name)| json!({"id": id, "name": name, "type": sort.resource_type(), "extra_info": {}}))
                .collect()
        };
        let (key, value) = match log.kind {
            Kind::Backup if log.backup == NONE => return Map::new(),
            Kind::Backup => (
                "backup",
                json!({
                    "backup_id": backup_id, "backup_name": backup_name,
                    "incremental": log.incremental.to_string(),
                }),
            ),
            Kind::Delete => (
                "delete",
                json!({"backup_id": backup_id, "backup_name": backup_name}),
            ),
            Kind::Restore => {
                let (target, name, _) = more
                    .and_then(|extra| extra.target.clone())
                    .unwrap_or_default();
                (
                    "restore",
                    json!({
                        "backup_id": backup_id, "backup_name": backup_name, "target_resource_id": target,
                        "target_resource_name": name,
                    }),
                )
            }
            Kind::RemoveResource => (
                "remove_resources",
                json!({"fail_count": fails, "total_count": total, "resources": more.map(resources)}),
            ),
            Kind::VaultDelete => (
                "vault_delete",
                if world.switches.get("cbr.vault_delete_keys") == "delete_count" {
                    json!({"fail_delete_count": fails, "total_delete_count": total})
                } else {
                    json!({"fail_count": fails, "total_count": total})
                },
            ),
            Kind::Replication => ("replication", self.replication_extra(world, log)),
            Kind::UpdateExpiration => (
                "update_expiration_time",
                json!({
                    "affected_backups_count": total,
                    "expiration_day": more.map_or("", |extra| &extra.expiration_day),
                }),
            ),
            Kind::MigrateResources => return Map::new(),
        };
        Map::from_iter([(key.to_owned(), value)])
    }

    fn replication_extra(&self, world: &World, log: &Log) -> Value {
        let wanted = log.extra.as_ref().and_then(|extra| extra.record);
        let Some((backup, record)) = self.backups.get(log.backup).and_then(|backup| {
            let mut records = backup.records().iter();
            let record = records.find(|record| Some(record.number) == wanted)?;
            Some((backup, record))
        }) else {
            return json!({"source_backup_id": self.backup_id(log.backup), "source_region": REGION});
        };
        let whole = self.record_json(world, log.backup, backup, record);
        let name = name(backup, log.backup);
        let mut extra = json!({"source_backup_name": name, "destination_backup_name": name});
        for key in [
            "source_backup_id",
            "source_checkpoint_id",
            "source_project_id",
            "source_region",
            "destination_backup_id",
            "destination_checkpoint_id",
            "destination_project_id",
            "destination_region",
        ] {
            extra[key] = whole[key].clone();
        }
        extra
    }
}
