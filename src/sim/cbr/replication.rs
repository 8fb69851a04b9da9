//! Replicas of server backups in another region: by hand, for a whole vault, and by policy.

use serde_json::{Map, Value, json};

use super::backup::{Backup, Record, Status};
use super::codes::{self, Refusal};
use super::log::{Extra, Kind};
use super::query::{self, Answer, bad};
use super::resource::Sort;
use super::work::{Outcome, Plan};
use super::{Cbr, NONE, OTHER_REGION, REGION, checks, tag};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// Where to replicate to.
struct Target {
    region: String,
    project: String,
    vault: String,
}

impl Cbr {
    /// Reads the three keys that name a target.
    fn target(&self, given: &Map<String, Value>) -> Result<Target, Refusal> {
        let text = |key: &str| query::text(given, key).map(str::to_owned);
        let target = Target {
            region: text("destination_region")?,
            project: text("destination_project_id")?,
            vault: text("destination_vault_id")?,
        };
        if target.region != OTHER_REGION {
            return Err(codes::COPY_REGION.plain());
        }
        let remote = self
            .remotes
            .iter()
            .find(|remote| remote.id == target.vault)
            .ok_or_else(|| codes::NO_TARGET_VAULT.plain())?;
        if remote.project != target.project {
            return Err(codes::COPY_PROJECT.plain());
        }
        if !remote.replicas {
            return Err(codes::TARGET_VAULT_TYPE.plain());
        }
        if remote.used_mb >= remote.size_gb * 1024 {
            return Err(codes::TARGET_VAULT_FULL.plain());
        }
        Ok(target)
    }

    /// Whether a backup can be replicated to a region now.
    fn copyable(&self, world: &World, backup: &Backup, region: &str) -> Result<(), Refusal> {
        let saved = self
            .saved(backup.saved)
            .ok_or_else(|| codes::NO_RESOURCE.plain())?;
        let whole = saved.disks.iter().any(|disk| disk.bootable);
        if saved.sort != Sort::Server || !whole {
            return Err(match query::huawei(world) {
                true => codes::COPY_NOT_ECS.plain(),
                false => codes::COPY_TYPE.plain(),
            });
        }
        if backup.status != Status::Available {
            return Err(bad("only an available backup can be replicated"));
        }
        let there = |record: &&Record| record.region == region && record.status != "fail";
        match backup.records().iter().find(there) {
            None => Ok(()),
            Some(_) if query::huawei(world) => Err(codes::COPY_EXISTS.plain()),
            Some(record) if record.status == "success" => {
                Err(bad("the backup has a replica in that region"))
            }
            Some(_) => Err(codes::COPYING.plain()),
        }
    }

    /// `POST /backups/{id}/replicate`.
    pub(super) fn replicate_backup(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_backup(id)?;
        let given = query::inside(request, "replicate")?;
        query::known_keys(
            world,
            &given,
            &[
                "destination_region",
                "destination_project_id",
                "destination_vault_id",
                "name",
                "description",
            ],
            &["enable_acceleration", "cross_account_urn"],
        )?;
        let target = self.target(&given)?;
        let backup = self
            .backups
            .get(number)
            .ok_or_else(|| codes::NO_BACKUP.plain())?;
        self.copyable(world, backup, &target.region)?;
        let record = self.begin_copy(world, number, &target, false, NONE, &request.id);
        Ok(Response::json(
            200,
            &json!({"replication": {
                "backup_id": id, "replication_record_id": self.ids.uuid(tag::RECORD, record),
                "destination_region": target.region, "destination_project_id": target.project,
                "destination_vault_id": target.vault, "source_region": REGION,
                "provider_id": Sort::Server.provider(), "project_id": world.account.project_id,
            }}),
        ))
    }

    /// `POST /checkpoints/replicate`.
    pub(super) fn replicate_vault(&mut self, world: &mut World, request: &Request) -> Answer {
        let given = query::inside(request, "replicate")?;
        query::known_keys(
            world,
            &given,
            &[
                "vault_id",
                "destination_region",
                "destination_project_id",
                "destination_vault_id",
                "auto_trigger",
            ],
            &["enable_acceleration", "cross_account_urn"],
        )?;
        let id = query::text(&given, "vault_id")?;
        let vault = self.the_vault(id)?;
        let auto = query::flag(&given, "auto_trigger")?.unwrap_or(false);
        let fits = self
            .vaults
            .get(&vault)
            .is_some_and(|vault| vault.sort == Sort::Server && !vault.replicas);
        if !fits {
            return Err(codes::VAULT_NOT_COPIED.plain());
        }
        let target = self.target(&given)?;
        if self.vault_busy(vault, &[Kind::Replication]) {
            return Err(codes::COPYING.plain());
        }
        let numbers = self.copyable_in(world, vault, &target.region);
        if numbers.is_empty() {
            return Err(codes::NOTHING.plain());
        }
        let mut rows = Vec::new();
        for number in numbers {
            let record = self.begin_copy(world, number, &target, auto, NONE, &request.id);
            rows.push(json!({
                "backup_id": self.backup_id(number),
                "replication_record_id": self.ids.uuid(tag::RECORD, record),
            }));
        }
        Ok(Response::json(
            200,
            &json!({"replication": {
                "vault_id": id, "backups": rows, "destination_region": target.region,
                "destination_project_id": target.project, "destination_vault_id": target.vault,
                "source_region": REGION, "provider_id": Sort::Server.provider(),
                "project_id": world.account.project_id,
            }}),
        ))
    }

    /// The backups of a vault that have no replica in a region and can have one.
    fn copyable_in(&self, world: &World, vault: u64, region: &str) -> Vec<u64> {
        self.backups
            .oldest()
            .filter(|(_, backup)| backup.vault == vault)
            .filter(|(_, backup)| self.copyable(world, backup, region).is_ok())
            .map(|(number, _)| number)
            .collect()
    }

    /// A replication policy is due for a vault.
    pub(super) fn replicate_by_policy(&mut self, world: &mut World, vault: u64, policy: u64) {
        let wanted = self
            .vaults
            .get(&vault)
            .and_then(|vault| vault.policies.iter().find(|one| one.policy == policy))
            .and_then(|one| one.destination.as_deref());
        let mut remotes = self.remotes.iter().filter(|remote| remote.replicas);
        let remote = match wanted {
            Some(id) => remotes.find(|remote| remote.id == id),
            None => remotes.next(),
        };
        let Some(target) = remote.map(|remote| Target {
            region: OTHER_REGION.to_owned(),
            project: remote.project.clone(),
            vault: remote.id.clone(),
        }) else {
            return;
        };
        for number in self.copyable_in(world, vault, &target.region) {
            self.begin_copy(world, number, &target, true, policy, "");
        }
    }

    /// Begins to replicate a backup; the record's number.
    fn begin_copy(
        &mut self,
        world: &mut World,
        number: u64,
        target: &Target,
        auto: bool,
        policy: u64,
        request_id: &str,
    ) -> u64 {
        let record = self.next_serial();
        let seconds = world.switches.number("cbr.replicate_seconds") * (0.5 + world.rng.f64());
        let mut plan = Plan::new(Kind::Replication, NONE, seconds);
        plan.backup = number;
        plan.policy = policy;
        if let Some(backup) = self.backups.get(number) {
            plan.vault = backup.vault;
            plan.checkpoint = backup.checkpoint;
            plan.saved = backup.saved;
            plan.auto = backup.auto;
        }
        plan.extra = Some(Box::new(Extra {
            record: Some(record),
            ..Extra::default()
        }));
        let made = Record {
            number: record,
            status: "waiting_replicate",
            created: world.now().timestamp_micros(),
            region: target.region.clone(),
            project: target.project.clone(),
            vault: target.vault.clone(),
            auto,
            fail_code: "",
            fail_reason: String::new(),
            log: self.logs.range().end,
        };
        self.backups.change(number, |backup| {
            let records = &mut backup.extra_mut().records;
            records.retain(|old| old.region != made.region || old.status != "fail");
            records.push(made);
        });
        let log = self.begin(world, plan);
        self.note(world, "cbr.replication.started", request_id, log);
        record
    }

    /// Gives the record that a task makes another status.
    pub(super) fn set_record(&mut self, log: u64, status: &'static str, why: Option<&Refusal>) {
        let Some((backup, record)) = self
            .logs
            .get(log)
            .and_then(|log| Some((log.backup, log.extra.as_ref()?.record?)))
        else {
            return;
        };
        self.backups.change(backup, |backup| {
            let mut records = backup.extra_mut().records.iter_mut();
            if let Some(record) = records.find(|one| one.number == record) {
                record.status = status;
                if let Some(refusal) = why {
                    record.fail_code = refusal.code.code;
                    record.fail_reason.clone_from(&refusal.message);
                }
            }
        });
    }

    pub(super) fn end_replication(&mut self, world: &mut World, number: u64, overlong: bool) {
        let Some((backup, record)) = self
            .logs
            .get(number)
            .and_then(|log| Some((log.backup, log.extra.as_ref()?.record?)))
        else {
            return;
        };
        let (size_mb, vault) = self.backups.get(backup).map_or((0, None), |backup| {
            let mut records = backup.records().iter();
            let record = records.find(|one| one.number == record);
            (
                u64::from(backup.size_mb),
                record.map(|record| record.vault.clone()),
            )
        });
        let link_down = self.link_down;
        let remote = self
            .remotes
            .iter_mut()
            .find(|remote| Some(&remote.id) == vault.as_ref());
        let verdict = checks::backend(world, codes::UNKNOWN).and_then(|()| match remote {
            _ if link_down => Err(codes::COPY_IMPORT.plain()),
            None => Err(codes::NO_TARGET_VAULT.plain()),
            Some(remote) if remote.used_mb + size_mb > remote.size_gb * 1024 => {
                Err(codes::TARGET_VAULT_FULL.plain())
            }
            Some(remote) => {
                remote.used_mb += size_mb;
                Ok(())
            }
        });
        let outcome = if overlong {
            Outcome::Timeout
        } else {
            verdict.into()
        };
        match &outcome {
            Outcome::Success => self.set_record(number, "success", None),
            Outcome::Failed(refusal) => self.set_record(number, "fail", Some(refusal)),
            _ => self.set_record(number, "fail", None),
        }
        self.close(world, number, outcome);
    }
}
