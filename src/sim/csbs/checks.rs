//! What the world has to say about a backup or a restore: may it be done, and if not, why.
//!
//! The same checks answer `check_protectable` and `check_restorable`, refuse requests, and decide when an operation
//! ends whether it succeeded; so a failure always has a reason in the world, and goes away with it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Csbs;
use super::backups::Status;
use super::codes::{self, Refusal};
use crate::sim::fleet::{Server, ServerState, Storage};
use crate::sim::world::World;

const SERVER: &str = "OS::Nova::Server";
const BARE_METAL: &str = "OS::Ironic::BareMetalServer";

/// Whether resources of that type can be backed up here (bare metal only in Huawei's variant).
fn type_known(world: &World, resource_type: &str) -> bool {
    resource_type == SERVER
        || (resource_type == BARE_METAL && world.switches.get("csbs.variant") == "huawei")
}

/// Finds the server that a request names.
pub(super) fn server<'a>(world: &'a World, id: &str) -> Result<&'a Server, Refusal> {
    match world.fleet.get(id) {
        None => Err(codes::NO_SERVER.plain()),
        Some(server) if server.state == ServerState::Deleted => Err(codes::SERVER_GONE.plain()),
        Some(server) => Ok(server),
    }
}

/// Whether the server as it is now can be backed up, whatever else is going on.
pub(super) fn protectable(world: &World, id: &str, resource_type: &str) -> Result<(), Refusal> {
    if !type_known(world, resource_type) {
        return Err(codes::PROTECT_TYPE.with(&[id, resource_type]));
    }
    let server = server(world, id)?;
    if server.resource_type != resource_type {
        return Err(codes::PROTECT_TYPE.with(&[id, server.resource_type]));
    }
    state_allows(world, server)?;
    if !world.fleet.zone_supports(&server.az, "csbs") {
        return Err(codes::ZONE.with(&[id]));
    }
    if server.volumes.is_empty() {
        return Err(codes::NO_DISK.with(&[id]));
    }
    for volume in &server.volumes {
        if volume.shared && !world.switches.on("csbs.shared_disks") {
            return Err(codes::SHARED_DISK.with(&[&volume.id, id]));
        }
        match volume.storage {
            Storage::Common => {}
            Storage::Dss => return Err(codes::DSS.with(&[&volume.id, id])),
            Storage::Dess => return Err(codes::DESS.with(&[&volume.id, id])),
        }
    }
    Ok(())
}

fn state_allows(world: &World, server: &Server) -> Result<(), Refusal> {
    let busy = || Err(codes::SERVER_BUSY.with(&[&server.id]));
    match server.state {
        ServerState::Active if server.held_by.is_empty() => Ok(()),
        ServerState::Active | ServerState::Migrating => busy(),
        ServerState::Stopped => match world.switches.get("csbs.stopped_server") {
            "ok" => Ok(()),
            "CSBS.6001" => Err(codes::SERVER_GONE.plain()),
            _ => busy(),
        },
        ServerState::Error => Err(codes::SERVER_STATUS.with(&[&server.id, server.state.word()])),
        ServerState::Deleted => Err(codes::SERVER_GONE.plain()),
    }
}

/// Whether there is room for `more` backups.
pub(super) fn room(world: &World, more: i64) -> Result<(), Refusal> {
    if !world.quotas.get(super::QUOTA_BACKUPS).fits(more) {
        return Err(codes::QUOTA.with(&["backups"]));
    }
    if !world.quotas.get(super::QUOTA_CAPACITY).fits(1) {
        return Err(codes::QUOTA.with(&["backup_capacity"]));
    }
    Ok(())
}

/// What a restore asks for.
#[derive(Debug)]
pub(super) struct Restore {
    pub item: u64,
    pub server_id: String,
    /// Backup of a disk, and the disk to write it to.
    pub volumes: Vec<(String, String)>,
}

impl Restore {
    /// Reads the target of `check_restorable` (`resource_id`) or of a restore (`server_id`).
    pub fn read(
        csbs: &Csbs,
        item: &str,
        target: &Value,
        server_key: &str,
    ) -> Result<Self, Refusal> {
        let number = csbs
            .item_number(item)
            .ok_or_else(|| codes::NO_BACKUP.with(&[item]))?;
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(|| codes::BAD_PARAMETER.saying(format!("{key} is missing")))
        };
        let volumes = target
            .get("volumes")
            .and_then(Value::as_array)
            .ok_or_else(|| codes::BAD_PARAMETER.saying("volumes is missing"))?;
        Ok(Self {
            item: number,
            server_id: text(target, server_key)?,
            volumes: volumes
                .iter()
                .map(|pair| Ok((text(pair, "backup_id")?, text(pair, "volume_id")?)))
                .collect::<Result<_, Refusal>>()?,
        })
    }
}

/// Whether a restore could begin now.
pub(super) fn restorable(world: &World, csbs: &Csbs, restore: &Restore) -> Result<(), Refusal> {
    let id = csbs.item_id(restore.item);
    let Some(backup) = csbs.backups.get(restore.item) else {
        return Err(codes::NO_BACKUP.with(&[&id]));
    };
    if backup.status != Status::Available {
        return Err(codes::NOT_RESTORABLE.plain());
    }
    let Some(saved) = csbs.backups.snapshot(backup) else {
        return Err(codes::NOT_RESTORABLE.plain());
    };
    let target = &restore.server_id;
    let server = server(world, target)?;
    if !type_known(world, server.resource_type) {
        return Err(codes::RESTORE_TYPE.with(&[target, server.resource_type]));
    }
    if server.resource_type != saved.resource_type {
        return Err(codes::OTHER_TYPE.with(&[
            &saved.server_id,
            saved.resource_type,
            target,
            server.resource_type,
        ]));
    }
    target_ready(world, server, &id)?;
    if server.volumes.is_empty() {
        return Err(codes::NO_DISK_RESTORE.with(&[target]));
    }
    let mut missing: BTreeSet<String> = (0..saved.volumes.len())
        .map(|disk| csbs.disk_backup_id(restore.item, disk))
        .collect();
    for (disk_backup, volume_id) in &restore.volumes {
        let disk = (0..saved.volumes.len())
            .find(|disk| csbs.disk_backup_id(restore.item, *disk) == *disk_backup)
            .and_then(|disk| saved.volumes.get(disk))
            .ok_or_else(|| codes::DISK_BACKUP_ELSEWHERE.with(&[disk_backup, &id]))?;
        missing.remove(disk_backup);
        let volume = server
            .volumes
            .iter()
            .find(|volume| volume.id == *volume_id)
            .ok_or_else(|| codes::DISK_ELSEWHERE.with(&[volume_id]))?;
        if volume.shared {
            return Err(codes::SHARED_DISK_RESTORE.with(&[volume_id, target]));
        }
        if volume.bootable && !disk.bootable {
            return Err(codes::DATA_TO_SYSTEM.with(&[target]));
        }
        if volume.size_gb < disk.size_gb {
            return Err(codes::DISK_TOO_SMALL.with(&[
                volume_id,
                &volume.size_gb.to_string(),
                disk_backup,
                &disk.size_gb.to_string(),
            ]));
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        let missing: Vec<String> = missing.into_iter().collect();
        Err(codes::PARTIAL_RESTORE.with(&[&missing.join(",")]))
    }
}

/// Whether the target of a restore is in a state and zone that allow it; asked again when the restore ends.
pub(super) fn target_ready(world: &World, server: &Server, item_id: &str) -> Result<(), Refusal> {
    let held = server
        .held_by
        .iter()
        .any(|holder| !holder.contains(item_id));
    match server.state {
        ServerState::Active | ServerState::Stopped if !held => {}
        ServerState::Deleted => return Err(codes::SERVER_GONE.plain()),
        _ => return Err(codes::SERVER_RESTORING.plain()),
    }
    if !world.fleet.zone_supports(&server.az, "csbs") {
        return Err(codes::ZONE_RESTORE.with(&[item_id, &server.id]));
    }
    Ok(())
}

/// Whether the service itself works; `what` names what failed if not.
pub(super) fn backend(world: &World, what: &str) -> Result<(), Refusal> {
    if world.switches.get("csbs.backend") == "down" {
        return Err(codes::INTERNAL.with(&[what]));
    }
    Ok(())
}
