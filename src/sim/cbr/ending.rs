//! What the end of a task does to the backups, resources and vaults that it is about.

use super::backup::Status as BackupStatus;
use super::codes;
use super::log::Kind;
use super::resource::Sort;
use super::vault::State;
use super::work::Outcome;
use super::{Cbr, NONE, QUOTA_SNAPSHOTS, QUOTA_VAULTS, checks};
use crate::sim::fleet::ServerState;
use crate::sim::world::World;

impl Cbr {
    /// Whether a backup that has run its time is good.
    pub(super) fn backup_verdict(&self, world: &World, number: u64) -> Outcome {
        let Some(log) = self.logs.get(number) else {
            return Outcome::Success;
        };
        let Some(saved) = self.saved(log.saved) else {
            return Outcome::Failed(codes::NO_RESOURCE.plain());
        };
        let exclude = self
            .vaults
            .get(&log.vault)
            .and_then(|vault| vault.bound(&saved.id))
            .map(|bound| bound.exclude.clone())
            .unwrap_or_default();
        let verdict = checks::backend(world, codes::UNKNOWN).and_then(|()| {
            checks::protectable(world, &self.shares, saved.sort, &saved.id, &exclude)
        });
        verdict.into()
    }

    /// A backup ends; `ran` tells whether it had taken its snapshots.
    pub(super) fn end_backup(
        &mut self,
        world: &mut World,
        number: u64,
        outcome: Outcome,
        ran: bool,
    ) {
        let Some(log) = self.logs.get(number) else {
            return;
        };
        let (vault, policy, item, auto) = (log.vault, log.policy, log.backup, log.auto);
        let Some((id, disks)) = self
            .saved(log.saved)
            .map(|saved| (saved.id.clone(), saved.disks.len()))
        else {
            self.close(world, number, outcome);
            return;
        };
        if ran {
            let taken = i64::try_from(disks).unwrap_or(0);
            world.quotas.take(QUOTA_SNAPSHOTS, -taken);
        }
        let good = matches!(outcome, Outcome::Success);
        let now = world.now().timestamp_micros();
        let size_mb = self
            .backups
            .change(item, |backup| {
                backup.updated = now;
                if good {
                    backup.protected = now;
                    backup.status = BackupStatus::Available;
                } else {
                    backup.size_mb = 0;
                    backup.status = BackupStatus::Error;
                }
                u64::from(backup.size_mb)
            })
            .unwrap_or(0);
        if let Some(vault) = self.vaults.get_mut(&vault) {
            if let Some(bound) = vault.bound_mut(&id) {
                bound.protecting = bound.protecting.saturating_sub(1);
                bound.failed = !good;
                if good {
                    bound.backups += 1;
                    bound.backup_mb += size_mb;
                }
            }
            vault.used_mb += size_mb;
            if vault.auto_expand && vault.full() {
                vault.size_gb = vault.size_gb.saturating_mul(5).div_ceil(4);
            }
        }
        if good {
            *self.chains.entry(id.clone()).or_default() += 1;
            let expires = self
                .backups
                .get(item)
                .map_or(0, |backup| self.expiry(backup, policy));
            if expires > 0 {
                self.backups.change(item, |backup| backup.expires = expires);
                self.expiring.insert((expires, item));
            }
        }
        self.close(world, number, outcome);
        if good {
            self.keep_newest(world, vault, &id);
        } else if auto {
            self.forget_failed(world, vault, &id);
        }
    }

    /// Takes a backup out, with what it holds of its vault.
    pub(super) fn drop_backup(&mut self, number: u64) {
        let Some(backup) = self.backups.get(number) else {
            return;
        };
        let (vault, size_mb) = (backup.vault, u64::from(backup.size_mb));
        let (good, expires) = (backup.protected > 0, backup.expires);
        let id = self.saved(backup.saved).map(|saved| saved.id.clone());
        if let (true, Some(id)) = (good, &id)
            && let Some(left) = self.chains.get_mut(id)
        {
            *left = left.saturating_sub(1);
        }
        if let Some(vault) = self.vaults.get_mut(&vault)
            && good
        {
            vault.used_mb = vault.used_mb.saturating_sub(size_mb);
            if let Some(bound) = id.and_then(|id| vault.bound_mut(&id)) {
                bound.backups = bound.backups.saturating_sub(1);
                bound.backup_mb = bound.backup_mb.saturating_sub(size_mb);
            }
        }
        self.expiring.remove(&(expires, number));
        self.backups.change(number, |backup| {
            backup.status = BackupStatus::Deleted;
            backup.extra = None;
        });
    }

    pub(super) fn end_delete(&mut self, world: &mut World, number: u64, overlong: bool) {
        let Some(item) = self.logs.get(number).map(|log| log.backup) else {
            return;
        };
        let verdict = checks::backend(world, codes::NOT_DELETED);
        let outcome = if overlong {
            Outcome::Timeout
        } else {
            verdict.into()
        };
        if matches!(outcome, Outcome::Success) {
            self.drop_backup(item);
        } else {
            let now = world.now().timestamp_micros();
            self.backups.change(item, |backup| {
                backup.status = BackupStatus::Error;
                backup.updated = now;
            });
        }
        self.close(world, number, outcome);
    }

    pub(super) fn end_restore(&mut self, world: &mut World, number: u64, overlong: bool) {
        let holder = self.holder(number);
        let Some(log) = self.logs.get(number) else {
            return;
        };
        let item = log.backup;
        let (target, _, power_on) = log
            .extra
            .as_ref()
            .and_then(|extra| extra.target.clone())
            .unwrap_or_default();
        let sort = self
            .saved(log.saved)
            .map_or(Sort::Server, |saved| saved.sort);
        let verdict = checks::backend(world, codes::UNKNOWN).and_then(|()| match sort {
            Sort::Server => world
                .fleet
                .get(&target)
                .ok_or_else(|| codes::NO_SERVER.plain())
                .and_then(|server| checks::server_ready(server, Some(&holder))),
            _ => match super::resource::disk(world, &target) {
                None => Err(codes::NO_DISK.plain()),
                Some((_, disk)) if disk.broken => Err(codes::TARGET_DISK_STATUS.plain()),
                Some(_) => Ok(()),
            },
        });
        let outcome = if overlong {
            Outcome::Timeout
        } else {
            verdict.into()
        };
        if let Some(server) = world.fleet.get_mut(&target) {
            server.held_by.retain(|other| *other != holder);
            if matches!(outcome, Outcome::Success) && power_on {
                server.state = ServerState::Active;
            }
        }
        self.restoring.remove(&target);
        self.mark_restoring(&target, false);
        let now = world.now().timestamp_micros();
        self.backups.change(item, |backup| {
            backup.status = BackupStatus::Available;
            backup.updated = now;
        });
        self.close(world, number, outcome);
    }

    /// How a restore holds its server.
    pub(super) fn holder(&self, log: u64) -> String {
        format!("cbr: restore {}", self.log_id(log))
    }

    /// The target of a restore, wherever it is bound, shows that it is one, or no more.
    pub(super) fn mark_restoring(&mut self, target: &str, on: bool) {
        for vault in self.vaults.values_mut() {
            if let Some(bound) = vault.bound_mut(target) {
                bound.restoring = if on {
                    bound.restoring + 1
                } else {
                    bound.restoring.saturating_sub(1)
                };
            }
        }
    }

    /// Drops the backups of a vault that `which` names; how many went, and how many stay because of an image.
    fn drop_backups(&mut self, vault: u64, which: impl Fn(&str) -> bool) -> (u64, u64) {
        let numbers: Vec<(u64, bool)> = self
            .backups
            .oldest()
            .filter(|(_, backup)| {
                backup.vault == vault
                    && self
                        .saved(backup.saved)
                        .is_some_and(|saved| which(&saved.id))
            })
            .map(|(number, backup)| (number, backup.image().is_some()))
            .collect();
        let (mut gone, mut stay) = (0, 0);
        for (number, image) in numbers {
            if image {
                stay += 1;
            } else {
                gone += 1;
                self.drop_backup(number);
            }
        }
        (gone, stay)
    }

    pub(super) fn end_vault_delete(&mut self, world: &mut World, number: u64, overlong: bool) {
        let Some(vault) = self.logs.get(number).map(|log| log.vault) else {
            return;
        };
        let verdict = checks::backend(world, codes::VAULT_DELETE_FAILED);
        let mut outcome = if overlong {
            Outcome::Timeout
        } else {
            verdict.into()
        };
        if matches!(outcome, Outcome::Success) {
            let (gone, stay) = self.drop_backups(vault, |_| true);
            self.logs.change(number, |log| {
                let extra = log.extra_mut();
                extra.total_count = gone + stay;
                extra.fail_count = stay;
            });
            if stay > 0 {
                outcome = Outcome::Failed(codes::HAS_IMAGE.plain());
            }
        }
        if matches!(outcome, Outcome::Success) {
            self.lose_vault(world, vault);
        } else if let Some(vault) = self.vaults.get_mut(&vault) {
            vault.state = State::Error;
        }
        self.close(world, number, outcome);
    }

    fn lose_vault(&mut self, world: &mut World, number: u64) {
        if let Some(vault) = self.vaults.remove(&number) {
            self.gone_vaults.insert(number, vault.name);
            world.quotas.take(QUOTA_VAULTS, -1);
        }
    }

    pub(super) fn end_removal(&mut self, world: &mut World, number: u64, overlong: bool) {
        let Some(log) = self.logs.get(number) else {
            return;
        };
        let vault = log.vault;
        let resources = log
            .extra
            .as_ref()
            .map(|extra| extra.resources.clone())
            .unwrap_or_default();
        let verdict = checks::backend(world, codes::REMOVE_FAILED);
        let mut outcome = if overlong {
            Outcome::Timeout
        } else {
            verdict.into()
        };
        let works = matches!(outcome, Outcome::Success);
        let (mut total, mut failed) = (0, 0);
        for (id, _) in &resources {
            let kept = if works {
                let (gone, stay) = self.drop_backups(vault, |other| other == id);
                total += gone;
                stay > 0
            } else {
                true
            };
            let Some(vault) = self.vaults.get_mut(&vault) else {
                continue;
            };
            if kept {
                failed += 1;
                if let Some(bound) = vault.bound_mut(id) {
                    bound.removing = false;
                    bound.failed = true;
                }
            } else {
                vault.resources.retain(|bound| bound.id != *id);
            }
        }
        if works && failed > 0 {
            outcome = Outcome::Failed(codes::HAS_IMAGE.plain());
        }
        self.logs.change(number, |log| {
            let extra = log.extra_mut();
            extra.total_count = total;
            extra.fail_count = failed;
        });
        self.close(world, number, outcome);
    }

    pub(super) fn end_migration(&mut self, world: &mut World, number: u64, overlong: bool) {
        let Some(log) = self.logs.get(number) else {
            return;
        };
        let from = log.vault;
        let (resources, to) = log.extra.as_ref().map_or((Vec::new(), NONE), |extra| {
            (extra.resources.clone(), extra.to_vault.unwrap_or(NONE))
        });
        let ready = checks::backend(world, codes::UNKNOWN);
        let outcome = if overlong {
            Outcome::Timeout
        } else {
            ready.into()
        };
        let works = matches!(outcome, Outcome::Success) && self.vaults.contains_key(&to);
        for (id, _) in resources.iter().filter(|_| works) {
            let Some(source) = self.vaults.get_mut(&from) else {
                continue;
            };
            let Some(at) = source.resources.iter().position(|bound| bound.id == *id) else {
                continue;
            };
            let bound = source.resources.remove(at);
            source.used_mb = source.used_mb.saturating_sub(bound.backup_mb);
            if let Some(target) = self.vaults.get_mut(&to) {
                target.used_mb += bound.backup_mb;
                target.resources.push(bound);
            }
            let moved: Vec<u64> = self
                .backups
                .oldest()
                .filter(|(_, backup)| {
                    backup.vault == from
                        && self
                            .saved(backup.saved)
                            .is_some_and(|saved| saved.id == *id)
                })
                .map(|(number, _)| number)
                .collect();
            for backup in moved {
                self.backups.change(backup, |backup| backup.vault = to);
            }
        }
        self.close(world, number, outcome);
    }

    /// Whether any task of a vault is not over; of these kinds alone, if any are named.
    pub(super) fn vault_busy(&self, vault: u64, kinds: &[Kind]) -> bool {
        let live = [super::log::Status::Waiting, super::log::Status::Running];
        live.into_iter()
            .filter_map(super::log::Status::slot)
            .flat_map(|slot| self.logs.in_slot(slot))
            .filter_map(|number| self.logs.get(number))
            .any(|log| log.vault == vault && (kinds.is_empty() || kinds.contains(&log.kind)))
    }
}
