//! The calls on backups: list, show, rename, delete, restore.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::backup::{Backup, Status};
use super::checks::{self, Restore};
use super::codes::{self, Refusal};
use super::log::{Extra, Kind};
use super::query::{self, Answer, Page, bad};
use super::resource::Sort;
use super::vault::State;
use super::work::Plan;
use super::{Cbr, show, tag, time};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

const KEYS: &[&str] = &[
    "checkpoint_id",
    "vault_id",
    "parent_id",
    "resource_id",
    "resource_name",
    "resource_type",
    "resource_az",
    "name",
    "status",
    "image_type",
    "start_time",
    "end_time",
    "own_type",
    "member_status",
    "used_percent",
    "dec",
    "sort",
    "limit",
    "offset",
    "marker",
    "enterprise_project_id",
    "show_replication",
    "incremental",
    "existed_quantity_based_retention_backups",
];

/// What a list may be sorted by.
const SORT_KEYS: [&str; 6] = [
    "created_at",
    "updated_at",
    "name",
    "status",
    "protected_at",
    "id",
];

/// Reads `sort`: keys, the most important first, each with whether it descends.
fn sort_keys(request: &Request) -> Result<Vec<(&str, bool)>, Refusal> {
    let text = request.param("sort").unwrap_or_default();
    if text.len() > 255 {
        return Err(bad("sort takes up to 255 characters"));
    }
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, direction) = part.split_once(':').unwrap_or((part, "desc"));
            match (SORT_KEYS.contains(&key), direction) {
                (true, "desc") => Ok((key, true)),
                (true, "asc") => Ok((key, false)),
                (true, _) => Err(bad("a sort direction is asc or desc")),
                (false, _) => Err(bad(format!("sort takes {}", SORT_KEYS.join(", ")))),
            }
        })
        .collect()
}

impl Cbr {
    fn wanted(&self, request: &Request) -> Result<impl Fn(u64, &Backup) -> bool, Refusal> {
        let text = |key: &str| {
            let value = request.param(key).filter(|text| !text.is_empty());
            value.map(str::to_owned)
        };
        let words: Vec<&str> = request.params("status").collect();
        let statuses: Vec<Status> = words
            .iter()
            .filter_map(|word| Status::from_word(word))
            .collect();
        let any_status = words.is_empty();
        let number = |key: &str, tag: u8| text(key).map(|id| self.ids.number(tag, &id));
        let checkpoint = number("checkpoint_id", tag::CHECKPOINT);
        let vault = number("vault_id", tag::VAULT);
        let time =
            |key: &str, default: i64| text(key).map_or(Ok(default), |text| time::read(&text));
        let (from, until) = (time("start_time", i64::MIN)?, time("end_time", i64::MAX)?);
        // Whatever was shared with this project would be listed here; nobody else has a project in this world.
        let nothing = text("own_type").is_some_and(|word| word == "shared")
            || text("image_type").is_some_and(|word| word != "backup");
        let percent = match text("used_percent") {
            None => None,
            Some(text) => Some(
                text.parse::<u64>()
                    .ok()
                    .filter(|percent| (1..=100).contains(percent))
                    .ok_or_else(|| bad("used_percent is 1 to 100"))?,
            ),
        };
        let full: Vec<u64> = self
            .vaults
            .iter()
            .filter(|(_, vault)| {
                percent.is_some_and(|percent| vault.used_mb * 100 >= vault.size_gb * 1024 * percent)
            })
            .map(|(number, _)| *number)
            .collect();
        let incremental = text("incremental").map(|word| word == "true");
        let (resource_id, resource_name) = (text("resource_id"), text("resource_name"));
        let (resource_type, az, name) = (text("resource_type"), text("resource_az"), text("name"));
        Ok(move |number: u64, backup: &Backup| {
            let of = |wanted: &Option<String>, real: fn(&super::resource::Saved) -> &str| {
                wanted.as_ref().is_none_or(|wanted| {
                    self.saved(backup.saved)
                        .is_some_and(|saved| real(saved) == wanted)
                })
            };
            !nothing
                && (any_status || statuses.contains(&backup.status))
                && checkpoint.is_none_or(|wanted| wanted == Some(backup.checkpoint))
                && vault.is_none_or(|wanted| wanted == Some(backup.vault))
                && (from..=until).contains(&backup.created)
                && (percent.is_none() || full.contains(&backup.vault))
                && incremental.is_none_or(|wanted| wanted == backup.incremental)
                && of(&resource_id, |saved| &saved.id)
                && of(&resource_name, |saved| &saved.name)
                && of(&resource_type, |saved| saved.sort.resource_type())
                && of(&az, |saved| &saved.az)
                && name
                    .as_ref()
                    .is_none_or(|part| show::name(backup, number).contains(part.as_str()))
        })
    }

    /// `GET /backups`.
    pub(super) fn list_backups(&self, world: &World, request: &Request) -> Answer {
        query::known_query(world, request, KEYS)?;
        let page = Page::read(request)?;
        if let Some(parent) = request.param("parent_id").filter(|id| !id.is_empty()) {
            return self.list_parts(world, parent, &page);
        }
        let wanted = self.wanted(request)?;
        let mut numbers: Vec<u64> = self
            .backups
            .newest()
            .filter(|(number, backup)| wanted(*number, backup))
            .map(|(number, _)| number)
            .collect();
        self.sort(&mut numbers, &sort_keys(request)?);
        let marker = page
            .marker
            .as_deref()
            .map(|id| query::known_id(self.backup_number(id), id, "marker", codes::NO_BACKUP))
            .transpose()?;
        let (numbers, count) = page.cut(numbers.into_iter(), marker.as_ref());
        let rows: Vec<Value> = numbers
            .iter()
            .filter_map(|number| self.backup_json(world, *number, false))
            .collect();
        Ok(Response::json(
            200,
            &json!({"backups": rows, "count": count, "limit": page.limit, "offset": page.offset}),
        ))
    }

    /// The backups of the disks of a server backup.
    fn list_parts(&self, world: &World, parent: &str, page: &Page) -> Answer {
        let number = self.backup_number(parent);
        let disks = number
            .and_then(|number| self.saved(self.backups.get(number)?.saved))
            .filter(|saved| saved.sort == Sort::Server)
            .map_or(0, |saved| saved.disks.len());
        let (parts, count) = page.cut(0..disks, None);
        let rows: Vec<Value> = parts
            .into_iter()
            .filter_map(|disk| self.disk_json(world, number?, disk))
            .collect();
        Ok(Response::json(
            200,
            &json!({"backups": rows, "count": count, "limit": page.limit, "offset": page.offset}),
        ))
    }

    /// Sorts by the keys asked for; rows that tie stay newest first.
    fn sort(&self, numbers: &mut [u64], keys: &[(&str, bool)]) {
        let compare = |key: &str, a: u64, b: u64| {
            let (Some(x), Some(y)) = (self.backups.get(a), self.backups.get(b)) else {
                return Ordering::Equal;
            };
            match key {
                "updated_at" => x.updated.cmp(&y.updated),
                "name" => show::name(x, a).cmp(&show::name(y, b)),
                "status" => x.status.word().cmp(y.status.word()),
                "protected_at" => x.protected.cmp(&y.protected),
                "id" => self.backup_id(a).cmp(&self.backup_id(b)),
                _ => x.created.cmp(&y.created),
            }
        };
        if keys.is_empty() {
            return;
        }
        numbers.sort_by(|a, b| {
            keys.iter()
                .map(|(key, descending)| {
                    let order = compare(key, *a, *b);
                    if *descending { order.reverse() } else { order }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
    }

    /// `GET /backups/{id}`; the id may be that of a disk's part.
    pub(super) fn show_backup(&self, world: &World, id: &str) -> Answer {
        let backup = match self.backup_number(id) {
            Some(number) => self.backup_json(world, number, true),
            None => self.ids.number(tag::DISK, id).and_then(|part| {
                let disk = usize::try_from(part & 0xFF).ok()?;
                self.disk_json(world, part >> 8, disk)
            }),
        };
        let backup = query::known_id(backup, id, "backup_id", codes::NO_BACKUP)?;
        Ok(Response::json(200, &json!({"backup": backup})))
    }

    /// The backup that a call is about.
    pub(super) fn the_backup(&self, id: &str) -> Result<u64, Refusal> {
        query::known_id(self.backup_number(id), id, "backup_id", codes::NO_BACKUP)
    }

    /// `PUT /backups/{id}`: a new name.
    pub(super) fn rename_backup(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_backup(id)?;
        let given = query::inside(request, "backup")?;
        query::known_keys(world, &given, &["name"], &[])?;
        let name = query::name(&given)?;
        self.backups
            .change(number, |backup| backup.extra_mut().name = Some(name));
        let backup = self.backup_json(world, number, true);
        Ok(Response::json(200, &json!({"backup": backup})))
    }

    /// `DELETE /backups/{id}`.
    pub(super) fn delete_backup(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        if self.ids.number(tag::DISK, id).is_some() {
            return Err(codes::NOT_DELETED.plain());
        }
        let number = self.the_backup(id)?;
        self.deletable(number)?;
        let plan = self.delete_plan(world, number);
        let log = self.begin_delete(world, plan);
        self.note(world, "cbr.delete.started", &request.id, log);
        Ok(Response::empty(204))
    }

    fn deletable(&self, number: u64) -> Result<(), Refusal> {
        let backup = self
            .backups
            .get(number)
            .ok_or_else(|| codes::NO_BACKUP.plain())?;
        match backup.status {
            Status::Available | Status::Error => {}
            Status::WaitingProtect | Status::Protecting => return Err(codes::BACKING_UP.plain()),
            _ => return Err(codes::IN_USE.plain()),
        }
        if backup.image().is_some() {
            return Err(codes::HAS_IMAGE.plain());
        }
        if backup.copying() {
            return Err(codes::IN_USE.plain());
        }
        let Some(vault) = self.vaults.get(&backup.vault) else {
            return Ok(());
        };
        if vault.state == State::Deleting {
            return Err(codes::VAULT_STATUS.plain());
        }
        if vault.locked && backup.auto {
            return Err(codes::LOCKED.plain());
        }
        let saved = self.saved(backup.saved);
        if let Some(bound) = saved.and_then(|saved| vault.bound(&saved.id)) {
            if bound.removing {
                return Err(codes::REMOVING.plain());
            }
            // While the next backup is being made, it builds on the newest one.
            if bound.protecting > 0
                && backup.protected > 0
                && self.newest_of(&bound.id) == Some(number)
            {
                return Err(codes::BACKING_UP.plain());
            }
        }
        Ok(())
    }

    /// The newest good backup of a resource.
    fn newest_of(&self, id: &str) -> Option<u64> {
        let mut good = self
            .backups
            .newest()
            .filter(|(_, backup)| backup.protected > 0);
        good.find(|(_, backup)| self.saved(backup.saved).is_some_and(|saved| saved.id == id))
            .map(|(number, _)| number)
    }

    /// `POST /backups/{id}/restore`.
    pub(super) fn restore(&mut self, world: &mut World, request: &Request, id: &str) -> Answer {
        let number = self.the_backup(id)?;
        let given = query::inside(request, "restore")?;
        query::known_keys(
            world,
            &given,
            &["server_id", "power_on", "mappings", "volume_id"],
            &["resource_id", "details"],
        )?;
        let saved = self.backups.get(number).map(|backup| backup.saved);
        let sort = saved
            .and_then(|saved| self.saved(saved))
            .map_or(Sort::Server, |saved| saved.sort);
        let target = match sort {
            Sort::Server => query::text(&given, "server_id")?,
            Sort::Disk => query::text(&given, "volume_id")?,
            Sort::Turbo => query::optional(&given, "resource_id")?.unwrap_or_default(),
        };
        if sort != Sort::Turbo && !query::well_formed(target) {
            return Err(bad(format!("{target:?} is not an id")));
        }
        let mut mappings = Vec::new();
        for pair in query::list(&given, "mappings")? {
            let pair = pair
                .as_object()
                .ok_or_else(|| bad("mappings is not a list of objects"))?;
            let disk_backup = query::text(pair, "backup_id")?.to_owned();
            mappings.push((disk_backup, query::text(pair, "volume_id")?.to_owned()));
        }
        if sort == Sort::Server && mappings.is_empty() {
            return Err(bad("mappings is missing"));
        }
        let restore = Restore {
            backup: number,
            target: target.to_owned(),
            mappings,
            power_on: query::flag(&given, "power_on")?.unwrap_or(true),
        };
        let name = checks::restorable(world, self, &restore)?;
        let log = self.begin_restore(world, restore, name);
        self.note(world, "cbr.restore.started", &request.id, log);
        if world.switches.get("cbr.restore_answer") == "empty" {
            return Ok(Response::empty(202));
        }
        Ok(Response::json(202, &json!({"job_id": self.log_id(log)})))
    }

    /// Begins a restore that was checked before.
    pub(super) fn begin_restore(
        &mut self,
        world: &mut World,
        restore: Restore,
        name: String,
    ) -> u64 {
        let seconds = world.switches.number("cbr.restore_seconds") * (0.5 + world.rng.f64());
        let mut plan = Plan::new(Kind::Restore, super::NONE, seconds);
        plan.backup = restore.backup;
        let mut backup_name = None;
        if let Some(backup) = self.backups.get(restore.backup) {
            plan.vault = backup.vault;
            plan.checkpoint = backup.checkpoint;
            plan.saved = backup.saved;
            plan.auto = backup.auto;
            backup_name = backup.extra.as_ref().and_then(|extra| extra.name.clone());
        }
        let now = world.now().timestamp_micros();
        self.backups.change(restore.backup, |backup| {
            backup.status = Status::WaitingRestore;
            backup.updated = now;
        });
        let target = restore.target;
        plan.extra = Some(Box::new(Extra {
            backup_name,
            target: Some((target.clone(), name, restore.power_on)),
            ..Extra::default()
        }));
        self.restoring.insert(target.clone());
        self.mark_restoring(&target, true);
        // The server is held from the first moment, though the task may still wait.
        let holder = self.holder(self.logs.range().end);
        if let Some(server) = world.fleet.get_mut(&target) {
            server.held_by.push(holder);
        }
        self.begin(world, plan)
    }
}
