//! A `checkpoint_item` as the service shows it.

use std::borrow::Cow;

use chrono::DateTime;
use serde::Serialize;
use serde_json::{Value, json};

use super::Csbs;
use super::backups::{Backup, NO_POLICY, SavedVolume, Snapshot, Status};
use super::policy::tag;
use super::tags;
use crate::sim::ids::mix;
use crate::sim::world::World;

/// One backup.
#[derive(Debug, Serialize)]
pub(super) struct Item<'a> {
    id: String,
    checkpoint_id: String,
    name: Cow<'a, str>,
    description: &'a str,
    status: &'a str,
    resource_id: &'a str,
    resource_type: &'a str,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Value>,
    backup_data: BackupData<'a>,
    extend_info: ExtendInfo<'a>,
}

#[derive(Debug, Serialize)]
struct BackupData<'a> {
    __openstack_region_name: &'a str,
    cloudservicetype: &'a str,
    disk: u32,
    imagetype: &'a str,
    ram: u32,
    vcpus: u32,
    eip: &'a str,
    private_ip: &'a str,
}

#[derive(Debug, Serialize)]
struct ExtendInfo<'a> {
    auto_trigger: bool,
    average_speed: Value,
    copy_from: Value,
    copy_status: &'a str,
    fail_code: Value,
    fail_op: &'a str,
    fail_reason: &'a str,
    image_type: &'a str,
    incremental: bool,
    progress: Value,
    resource_az: &'a str,
    resource_name: &'a str,
    resource_type: &'a str,
    size: u32,
    space_saving_ratio: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    supported_restore_mode: &'a str,
    support_lld: bool,
    taskid: String,
    hypervisor_type: &'a str,
    os_images_data: Value,
    volume_backups: Vec<DiskBackup<'a>>,
}

#[derive(Debug, Serialize)]
struct DiskBackup<'a> {
    id: String,
    name: &'a str,
    status: &'a str,
    bootable: bool,
    size: u32,
    average_speed: Value,
    space_saving_ratio: Value,
    incremental: bool,
    image_type: &'a str,
    snapshot_id: String,
    source_volume_id: &'a str,
    source_volume_name: &'a str,
    source_volume_size: u32,
}

/// `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC without saying so.
pub(super) fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%S%.6f")
        .to_string()
}

/// The name that was given, or the one that the service makes up.
pub(super) fn name(backup: &Backup, number: u64) -> Cow<'_, str> {
    match backup
        .extra
        .as_ref()
        .and_then(|extra| extra.name.as_deref())
    {
        Some(name) => Cow::Borrowed(name),
        None => {
            let prefix = if backup.auto { "autobk" } else { "manualbk" };
            Cow::Owned(format!("{prefix}_{:04x}", mix(number) & 0xffff))
        }
    }
}

impl Csbs {
    /// The backup of that number as it is shown now.
    pub(super) fn item<'a>(&'a self, world: &'a World, number: u64) -> Option<Item<'a>> {
        let backup = self.backups.get(number)?;
        let saved = self.backups.snapshot(backup)?;
        let adversarial = world.switches.on("csbs.adversarial");
        let progress = backup.progress(world.now());
        let chance = mix(number ^ 0x5EED);
        let extra = backup.extra.as_deref();
        let odd = extra.and_then(|extra| extra.odd_status.as_deref());
        let updated = backup
            .ends
            .min(world.now().timestamp_micros())
            .max(backup.since);
        let speed = 12_000 + chance % 40_000;
        let number_or_odd = |plain: u64, bit: u32| {
            if adversarial && chance >> bit & 1 == 1 {
                json!(plain as f64 + 0.9)
            } else {
                json!(plain)
            }
        };
        Some(Item {
            id: self.item_id(number),
            checkpoint_id: self.checkpoint_id(number, backup),
            name: name(backup, number),
            description: extra
                .and_then(|extra| extra.description.as_deref())
                .unwrap_or(""),
            status: odd.unwrap_or(backup.status.word()),
            resource_id: &saved.server_id,
            resource_type: saved.resource_type,
            created_at: time(backup.created),
            updated_at: time(updated),
            tags: (!adversarial || chance >> 40 & 1 == 0).then(|| tags::to_json(backup.tags())),
            backup_data: backup_data(saved),
            extend_info: ExtendInfo {
                auto_trigger: backup.auto,
                average_speed: number_or_odd(speed, 41),
                copy_from: match chance >> 42 & 1 {
                    1 if adversarial => "".into(),
                    _ => Value::Null,
                },
                copy_status: backup.copy.word(),
                fail_code: self.fail_code(world, backup),
                fail_op: backup.failure().map_or("", |failure| failure.op),
                fail_reason: backup.failure().map_or("", |failure| &failure.message),
                image_type: "backup",
                incremental: backup.incremental,
                progress: match chance >> 43 & 1 {
                    1 if adversarial => progress.to_string().into(),
                    _ => progress.into(),
                },
                resource_az: &saved.az,
                resource_name: &saved.name,
                resource_type: saved.resource_type,
                size: backup.size_mb,
                space_saving_ratio: number_or_odd(chance >> 8 & 31, 44),
                finished_at: (backup.finished > 0).then(|| time(backup.finished)),
                supported_restore_mode: if backup.finished > 0 { "backup" } else { "na" },
                support_lld: true,
                taskid: self.ids.uuid(tag::TASK, number),
                hypervisor_type: "QEMU",
                os_images_data: match extra.and_then(|extra| extra.image.as_deref()) {
                    Some(image) => json!([{"image_id": image}]),
                    None => json!([]),
                },
                volume_backups: self.disk_backups(backup, saved, number, &number_or_odd),
            },
        })
    }

    fn fail_code(&self, world: &World, backup: &Backup) -> Value {
        let Some(failure) = backup.failure() else {
            return json!({});
        };
        let digits = failure.code.code.rsplit('.').next().unwrap_or_default();
        let code: Value = match world.switches.get("csbs.fail_code") {
            "digits" => digits.into(),
            "number" => digits.parse::<u32>().map_or(Value::Null, Value::from),
            _ => failure.code.code.into(),
        };
        json!({"Code": code, "Description": &*failure.message})
    }

    fn disk_backups<'a>(
        &self,
        backup: &'a Backup,
        saved: &'a Snapshot,
        number: u64,
        odd: &dyn Fn(u64, u32) -> Value,
    ) -> Vec<DiskBackup<'a>> {
        let filled = |disk: &SavedVolume| u64::from(disk.size_gb) * u64::from(disk.filled);
        let total: u64 = saved.volumes.iter().map(filled).sum();
        let row = |(index, disk): (usize, &'a SavedVolume)| DiskBackup {
            id: self.disk_backup_id(number, index),
            name: &disk.name,
            status: match backup.status {
                Status::Protecting | Status::WaitingProtect => "creating",
                Status::Error => "error",
                _ => "available",
            },
            bootable: disk.bootable,
            size: u32::try_from(u64::from(backup.size_mb) * filled(disk) / total.max(1))
                .unwrap_or(u32::MAX),
            average_speed: odd(12 + mix(number ^ index as u64) % 40, 45),
            space_saving_ratio: odd(mix(number) & 15, 46),
            incremental: backup.incremental,
            image_type: "backup",
            snapshot_id: self
                .ids
                .uuid(tag::DISK_SNAPSHOT, disk_number(number, index)),
            source_volume_id: &disk.id,
            source_volume_name: &disk.name,
            source_volume_size: disk.size_gb,
        };
        saved.volumes.iter().enumerate().map(row).collect()
    }

    /// Id of the backup of a disk.
    pub(super) fn disk_backup_id(&self, number: u64, disk: usize) -> String {
        self.ids.uuid(tag::DISK, disk_number(number, disk))
    }

    /// Id of the checkpoint that a backup belongs to.
    pub(super) fn checkpoint_id(&self, number: u64, backup: &Backup) -> String {
        let first = number.saturating_sub(u64::from(backup.offset));
        self.ids.uuid(tag::CHECKPOINT, first)
    }

    /// The answer to a request that made backups: their checkpoint, and not the backups.
    pub(super) fn checkpoint_json(&self, world: &World, first: u64, info: Option<&str>) -> Value {
        let numbers = self.backups.checkpoint(first);
        let head = numbers.first().and_then(|number| self.backups.get(*number));
        let server = head
            .and_then(|backup| self.backups.snapshot(backup))
            .map_or("", |saved| saved.server_id.as_str());
        let policy = head.map_or(NO_POLICY, |backup| backup.policy);
        let (id, name) = match self.policies.get(&policy) {
            Some(plan) => (self.policy_id(policy), plan.name.clone()),
            None => (
                format!("fake_{}", self.ids.uuid(tag::POLICY, first | 1 << 40)),
                format!("server protect plan for {server}"),
            ),
        };
        let resources: Vec<Value> = numbers
            .iter()
            .filter_map(|number| self.backups.snapshot(self.backups.get(*number)?))
            .map(|saved| {
                json!({"type": saved.resource_type, "id": saved.server_id, "name": saved.name, "extra_info": "{}"})
            })
            .collect();
        json!({"checkpoint": {
            "id": self.ids.uuid(tag::CHECKPOINT, first), "status": "protecting",
            "created_at": time(world.now().timestamp_micros()), "resource_graph": null,
            "project_id": world.account.project_id, "extra_info": info,
            "protection_plan": {"id": id, "name": name, "resources": resources},
        }})
    }
}

/// One number for each disk of each backup.
fn disk_number(number: u64, disk: usize) -> u64 {
    number << 8 | (disk as u64 & 0xFF)
}

fn backup_data(saved: &Snapshot) -> BackupData<'_> {
    BackupData {
        __openstack_region_name: "",
        cloudservicetype: "QEMU",
        disk: 0,
        imagetype: "gold",
        ram: saved.ram_mb,
        vcpus: saved.vcpus,
        eip: "",
        private_ip: &saved.private_ip,
    }
}
