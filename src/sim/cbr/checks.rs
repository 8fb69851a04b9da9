//! What the world has to say about a backup or a restore: may it be done, and if not, why.
//!
//! The same checks refuse requests, leave resources out of a run, answer the protectability queries, and decide when
//! a task ends whether it succeeded; so a failure always has a reason in the world, and goes away with it.

use super::backup::Status;
use super::codes::{self, Refusal};
use super::resource::{self, Saved, Share, Sort};
use super::vault::{State, Vault};
use super::{Cbr, QUOTA_SNAPSHOTS, query};
use crate::sim::fleet::{Server, ServerState, Storage, Volume};
use crate::sim::world::World;

/// Whether the resource as it is now can be backed up, whatever else is going on.
pub(super) fn protectable(
    world: &World,
    shares: &[Share],
    sort: Sort,
    id: &str,
    exclude: &[String],
) -> Result<(), Refusal> {
    match sort {
        Sort::Server => server_protectable(world, id, exclude),
        Sort::Disk => {
            let (_, volume) = resource::disk(world, id).ok_or_else(|| codes::NO_DISK.plain())?;
            if volume.storage == Storage::Dess {
                return Err(codes::DESS_DISK.plain());
            }
            volume_ready(volume)
        }
        Sort::Turbo => match shares.iter().find(|share| share.id == id) {
            None => Err(codes::NO_RESOURCE.plain()),
            Some(share) if share.status == "available" => Ok(()),
            Some(_) => Err(codes::RESOURCE_STATUS.plain()),
        },
    }
}

fn server_protectable(world: &World, id: &str, exclude: &[String]) -> Result<(), Refusal> {
    let server = world
        .fleet
        .get(id)
        .filter(|server| server.state != ServerState::Deleted)
        .ok_or_else(|| codes::NO_SERVER.plain())?;
    match server.state {
        ServerState::Active if server.held_by.is_empty() => {}
        ServerState::Stopped if server.held_by.is_empty() => {
            if world.switches.get("cbr.stopped_server") == "7102" {
                return Err(codes::SERVER_STOPPED.plain());
            }
        }
        _ => return Err(codes::SERVER_STATUS.plain()),
    }
    let volumes: Vec<&Volume> = server
        .volumes
        .iter()
        .filter(|volume| !exclude.contains(&volume.id))
        .collect();
    if volumes.is_empty() {
        return Err(codes::NO_DISKS.plain());
    }
    let shared = volumes.iter().filter(|volume| volume.shared).count();
    if shared > 0 && world.switches.get("cbr.shared_disks") == "7106" {
        return Err(codes::SHARED_DISK.plain());
    }
    if shared > 10 {
        return Err(codes::SHARED_DISKS.plain());
    }
    if volumes.iter().any(|volume| volume.storage == Storage::Dess) {
        return Err(codes::DESS_SERVER.plain());
    }
    volumes.into_iter().try_for_each(volume_ready)
}

fn volume_ready(volume: &Volume) -> Result<(), Refusal> {
    if volume.broken || volume.locked {
        Err(codes::DISK_STATUS.plain())
    } else {
        Ok(())
    }
}

/// Whether a vault takes backups now.
pub(super) fn vault_takes_backups(vault: &Vault) -> Result<(), Refusal> {
    if vault.replicas {
        return Err(codes::NO_BACKUP_VAULT.plain());
    }
    match vault.state {
        State::Available | State::Lock => Ok(()),
        _ => Err(codes::NOT_IN_THIS_STATUS.plain()),
    }
}

/// Whether there is room for so many more snapshots.
pub(super) fn snapshots(world: &World, more: usize) -> Result<(), Refusal> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if world.quotas.get(QUOTA_SNAPSHOTS).fits(more) {
        Ok(())
    } else {
        Err(codes::SNAPSHOTS.plain())
    }
}

/// Whether the service itself works.
pub(super) fn backend(world: &World, otherwise: &'static codes::Code) -> Result<(), Refusal> {
    if world.switches.get("cbr.backend") == "down" {
        return Err(otherwise.plain());
    }
    Ok(())
}

/// What a restore asks for.
#[derive(Debug)]
pub(super) struct Restore {
    pub backup: u64,
    /// The server or disk to restore to.
    pub target: String,
    /// Backup of a disk, and the disk to write it to.
    pub mappings: Vec<(String, String)>,
    pub power_on: bool,
}

/// Whether a restore could begin now; the target's name.
pub(super) fn restorable(world: &World, cbr: &Cbr, restore: &Restore) -> Result<String, Refusal> {
    let backup = cbr
        .backups
        .get(restore.backup)
        .ok_or_else(|| codes::NO_BACKUP.plain())?;
    if backup.status != Status::Available {
        return Err(codes::BACKUP_STATUS.plain());
    }
    let vault_ready = cbr
        .vaults
        .get(&backup.vault)
        .is_some_and(|vault| matches!(vault.state, State::Available | State::Lock));
    if !vault_ready {
        return Err(codes::RESTORE_VAULT_STATUS.plain());
    }
    let saved = cbr
        .saved(backup.saved)
        .ok_or_else(|| codes::NO_RESOURCE.plain())?;
    for bound in cbr.bounds_of(&restore.target) {
        if bound.protecting > 0 {
            return Err(codes::TARGET_BACKED_UP.plain());
        }
        if bound.restoring > 0 {
            return Err(codes::RESTORING.saying(format!("Resource {} is restoring.", bound.id)));
        }
    }
    if cbr.restoring.contains(&restore.target) {
        let words = format!("Resource {} is restoring.", restore.target);
        return Err(codes::RESTORING.saying(words));
    }
    match saved.sort {
        Sort::Server => server_restorable(world, cbr, restore, saved),
        Sort::Disk => disk_restorable(world, restore, saved),
        Sort::Turbo => Err(query::bad(
            "a file system backup cannot be restored to a file system; create a new one from it",
        )),
    }
}

fn server_restorable(
    world: &World,
    cbr: &Cbr,
    restore: &Restore,
    saved: &Saved,
) -> Result<String, Refusal> {
    let server = world
        .fleet
        .get(&restore.target)
        .ok_or_else(|| codes::NO_SERVER.plain())?;
    server_ready(server, None)?;
    if server.id != saved.id && world.switches.get("cbr.other_server") == "2003" {
        return Err(codes::OTHER_SERVER.plain());
    }
    let mut done = vec![false; saved.disks.len()];
    for (disk_backup, volume_id) in &restore.mappings {
        let index = (0..saved.disks.len())
            .find(|index| cbr.disk_id(restore.backup, *index) == *disk_backup)
            .ok_or_else(|| {
                query::bad(format!("backup {disk_backup} is not a part of the backup"))
            })?;
        let (Some(disk), Some(mark)) = (saved.disks.get(index), done.get_mut(index)) else {
            continue;
        };
        if std::mem::replace(mark, true) {
            return Err(query::bad(format!("backup {disk_backup} is mapped twice")));
        }
        let volume = server.volumes.iter().find(|volume| volume.id == *volume_id);
        let volume = match volume {
            Some(volume) => volume,
            None if resource::disk(world, volume_id).is_some() => {
                return Err(codes::NOT_ATTACHED.plain());
            }
            None => return Err(codes::NO_DISK.plain()),
        };
        volume_takes(volume, disk.size_gb)?;
        if volume.bootable && !disk.bootable {
            return Err(codes::DATA_TO_SYSTEM.plain());
        }
    }
    if done.iter().all(|done| *done) {
        Ok(server.name.clone())
    } else {
        Err(codes::SOME_DISKS.plain())
    }
}

fn disk_restorable(world: &World, restore: &Restore, saved: &Saved) -> Result<String, Refusal> {
    let (server, volume) =
        resource::disk(world, &restore.target).ok_or_else(|| codes::NO_DISK.plain())?;
    if volume.id != saved.id && !query::huawei(world) {
        return Err(codes::SOME_DISKS.plain());
    }
    let stopped = server.state == ServerState::Stopped;
    if !stopped && world.switches.get("cbr.disk_restore") == "stopped" {
        return Err(codes::TARGET_DISK_STATUS.plain());
    }
    volume_takes(volume, saved.size_gb)?;
    Ok(volume.name.clone())
}

/// Whether a disk takes a backup of that size.
fn volume_takes(volume: &Volume, size_gb: u32) -> Result<(), Refusal> {
    if volume.broken || volume.locked {
        return Err(codes::TARGET_DISK_STATUS.plain());
    }
    if volume.storage == Storage::Dess {
        return Err(codes::TARGET_DISK_TYPE.plain());
    }
    if volume.size_gb < size_gb {
        return Err(codes::TARGET_SMALL.plain());
    }
    Ok(())
}

/// Whether a server is in a state that allows a restore to it; `holder` is who may hold it.
pub(super) fn server_ready(server: &Server, holder: Option<&str>) -> Result<(), Refusal> {
    let held = server
        .held_by
        .iter()
        .any(|other| Some(other.as_str()) != holder);
    match server.state {
        ServerState::Active | ServerState::Stopped if !held => Ok(()),
        ServerState::Deleted => Err(codes::TARGET_TERMINATED.plain()),
        _ => Err(codes::TARGET_STATUS.plain()),
    }
}
