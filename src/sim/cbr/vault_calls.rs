//! The calls on vaults themselves: list, show, create, change, delete.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::backup::Status;
use super::codes::{self, Refusal};
use super::log::Kind;
use super::query::{self, Answer, Page, bad};
use super::resource::Sort;
use super::vault::{Applied, State, Vault};
use super::work::Plan;
use super::{Cbr, QUOTA_VAULTS, tag, tags, what};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The largest vault, in GB.
const LARGEST: i64 = 10_485_760;
/// The smallest one.
const SMALLEST: i64 = 10;

const KEYS: &[&str] = &[
    "id",
    "name",
    "status",
    "object_type",
    "protect_type",
    "cloud_type",
    "policy_id",
    "resource_ids",
    "limit",
    "offset",
    "marker",
    "enterprise_project_id",
    "availability_zone",
];

impl Cbr {
    /// The vault that a call is about.
    pub(super) fn the_vault(&self, id: &str) -> Result<u64, Refusal> {
        query::known_id(self.vault_number(id), id, "vault_id", codes::NO_VAULT)
    }

    pub(super) fn vault_json(&self, world: &World, number: u64) -> Option<Value> {
        let vault = self.vaults.get(&number)?;
        Some(vault.to_json(world, &self.vault_id(number)))
    }

    fn fits(&self, world: &World, request: &Request, number: u64, vault: &Vault) -> bool {
        let one = |key: &str, real: &str| {
            let mut wanted = request
                .params(key)
                .filter(|text| !text.is_empty())
                .peekable();
            wanted.peek().is_none() || wanted.any(|text| text == real)
        };
        let policy = request.param("policy_id").is_none_or(|id| {
            let wanted = self.ids.number(tag::POLICY, id);
            let now = world.now().timestamp_micros();
            vault
                .shown_policies(now)
                .any(|(policy, _)| Some(policy) == wanted)
        });
        let resources = request
            .param("resource_ids")
            .is_none_or(|ids| ids.split(',').any(|id| vault.bound(id.trim()).is_some()));
        one("id", &self.vault_id(number))
            && one("status", vault.state.word())
            && one("object_type", vault.sort.object_type())
            && one(
                "protect_type",
                if vault.replicas {
                    "replication"
                } else {
                    "backup"
                },
            )
            && one("cloud_type", "public")
            && request
                .param("name")
                .is_none_or(|name| vault.name.contains(name))
            && policy
            && resources
    }

    /// `GET /vaults`.
    pub(super) fn list_vaults(&self, world: &World, request: &Request) -> Answer {
        query::known_query(world, request, KEYS)?;
        let page = Page::read(request)?;
        let numbers = self
            .vaults
            .iter()
            .rev()
            .filter(|(number, vault)| self.fits(world, request, **number, vault))
            .map(|(number, _)| *number);
        let marker = page
            .marker
            .as_deref()
            .filter(|_| world.switches.get("cbr.marker") == "honoured")
            .map(|id| query::known_id(self.vault_number(id), id, "marker", codes::NO_VAULT))
            .transpose()?;
        let (numbers, count) = page.cut(numbers, marker.as_ref());
        let rows: Vec<Value> = numbers
            .into_iter()
            .filter_map(|number| self.vault_json(world, number))
            .collect();
        Ok(Response::json(
            200,
            &json!({"vaults": rows, "count": count, "limit": page.limit, "offset": page.offset}),
        ))
    }

    /// `GET /vaults/{id}`.
    pub(super) fn show_vault(&self, world: &World, id: &str) -> Answer {
        let number = self.the_vault(id)?;
        Ok(Response::json(
            200,
            &json!({"vault": self.vault_json(world, number)}),
        ))
    }

    /// `POST /vaults`.
    pub(super) fn create_vault(&mut self, world: &mut World, request: &Request) -> Answer {
        let given = query::inside(request, "vault")?;
        query::known_keys(
            world,
            &given,
            &[
                "name",
                "resources",
                "billing",
                "description",
                "backup_policy_id",
                "tags",
                "auto_bind",
                "bind_rules",
                "auto_expand",
                "smn_notify",
                "threshold",
                "locked",
                "enterprise_project_id",
            ],
            &[
                "backup_name_prefix",
                "demand_billing",
                "sys_lock_source_service",
                "availability_zone",
            ],
        )?;
        let Some(Value::Object(billing)) = given.get("billing") else {
            return Err(bad("billing is missing"));
        };
        let mut vault = self.billed(world, billing)?;
        vault.name = query::name(&given)?;
        vault.description = query::description(&given, 64)?;
        if !given.get("resources").is_some_and(Value::is_array) {
            return Err(bad("resources is missing"));
        }
        let policy = match query::optional(&given, "backup_policy_id")? {
            None => None,
            Some(id) => Some(query::known_id(
                self.policy_number(id),
                id,
                "backup_policy_id",
                codes::NO_POLICY,
            )?),
        };
        vault.tags = tags::read(&given)?;
        vault.prefix = query::optional(&given, "backup_name_prefix")?.map(str::to_owned);
        change(&mut vault, &given)?;
        if !world.quotas.get(QUOTA_VAULTS).fits(1) {
            return Err(codes::VAULT_LIMIT.plain());
        }
        let resources = self.read_resources(world, &given, &vault, None)?;
        vault.resources = resources;
        if let Some(policy) = policy {
            let fitting = self
                .policies
                .get(&policy)
                .is_some_and(|policy| !policy.replication);
            if !fitting || vault.replicas {
                return Err(codes::POLICY_MISFIT.plain());
            }
            vault.policies.push(Applied {
                policy,
                destination: None,
                shown_from: vault.created,
            });
        }
        let number = self.add_vault(world, vault);
        world.note(json!({"what": "cbr.vault.created", "request_id": request.id, "vault": self.vault_id(number)}));
        Ok(Response::json(
            200,
            &json!({"vault": self.vault_json(world, number)}),
        ))
    }

    /// Takes a vault in; its number.
    pub(super) fn add_vault(&mut self, world: &mut World, vault: Vault) -> u64 {
        let number = self.next_vault;
        self.next_vault += 1;
        self.vaults.insert(number, vault);
        world.quotas.take(QUOTA_VAULTS, 1);
        number
    }

    /// A vault as `billing` describes it, without a name.
    fn billed(&self, world: &World, billing: &Map<String, Value>) -> Result<Vault, Refusal> {
        query::known_keys(
            world,
            billing,
            &[
                "consistent_level",
                "object_type",
                "protect_type",
                "size",
                "charging_mode",
                "cloud_type",
                "is_auto_renew",
                "is_auto_pay",
                "console_url",
                "period_type",
                "period_num",
                "extra_info",
            ],
            &["is_multi_az"],
        )?;
        let sort = Sort::of_vault(query::text(billing, "object_type")?)
            .ok_or_else(|| codes::RESOURCE_TYPE.plain())?;
        let size = billing
            .get("size")
            .and_then(Value::as_i64)
            .filter(|size| (SMALLEST..=LARGEST).contains(size))
            .ok_or_else(|| codes::CAPACITY.plain())?;
        let app_consistent = consistent_level(world, query::text(billing, "consistent_level")?)?;
        let replicas = match query::text(billing, "protect_type")? {
            "backup" => false,
            "replication" => true,
            _ => return Err(bad("protect_type is backup or replication")),
        };
        match query::optional(billing, "charging_mode")? {
            None | Some("post_paid") => {}
            // Yearly and monthly vaults go through the billing centre, which this world has none of.
            _ => return Err(bad("charging_mode is post_paid")),
        }
        let now = world.now().timestamp_micros();
        let mut vault = Vault::new(String::new(), sort, size.unsigned_abs(), now);
        vault.replicas = replicas;
        vault.app_consistent = app_consistent;
        Ok(vault)
    }

    /// `PUT /vaults/{id}`.
    pub(super) fn update_vault(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let given = query::inside(request, "vault")?;
        query::known_keys(
            world,
            &given,
            &[
                "name",
                "billing",
                "auto_bind",
                "bind_rules",
                "auto_expand",
                "smn_notify",
                "threshold",
                "locked",
            ],
            &[],
        )?;
        let mut vault = self
            .vaults
            .get(&number)
            .cloned()
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        if given.contains_key("name") {
            vault.name = query::name(&given)?;
        }
        if query::flag(&given, "locked")? == Some(false) && vault.locked {
            return Err(bad("a locked vault cannot be unlocked"));
        }
        change(&mut vault, &given)?;
        if let Some(billing) = given.get("billing") {
            let billing = billing
                .as_object()
                .ok_or_else(|| bad("billing is not an object"))?;
            query::known_keys(world, billing, &["size", "consistent_level"], &[])?;
            if let Some(level) = query::optional(billing, "consistent_level")? {
                vault.app_consistent = consistent_level(world, level)?;
            }
            if let Some(size) = billing.get("size") {
                let size = size
                    .as_i64()
                    .filter(|size| (SMALLEST..=LARGEST).contains(size))
                    .ok_or_else(|| codes::CAPACITY.plain())?
                    .unsigned_abs();
                self.resize(world, number, &mut vault, size)?;
            }
        }
        if !matches!(vault.state, State::Available | State::Lock | State::Error) {
            return Err(codes::VAULT_STATUS.plain());
        }
        self.vaults.insert(number, vault);
        world.note(json!({"what": "cbr.vault.updated", "request_id": request.id, "vault": id}));
        Ok(Response::json(
            200,
            &json!({"vault": self.vault_json(world, number)}),
        ))
    }

    fn resize(
        &self,
        world: &mut World,
        number: u64,
        vault: &mut Vault,
        size: u64,
    ) -> Result<(), Refusal> {
        if size == vault.size_gb {
            return Ok(());
        }
        if size * 1024 < vault.used_mb {
            return Err(codes::CAPACITY.plain());
        }
        match vault.state {
            State::Available => {}
            State::Lock => return Err(codes::EXPANDING.plain()),
            _ => return Err(codes::VAULT_STATUS.plain()),
        }
        vault.size_gb = size;
        vault.state = State::Lock;
        let seconds = world.switches.number("cbr.expand_seconds").max(0.0);
        let wait = TimeDelta::microseconds(super::time::micros(seconds));
        world.schedule_in(self.service, wait, what::EXPANDED, number);
        Ok(())
    }

    /// A vault's new size has come into force.
    pub(super) fn expanded(&mut self, number: u64) {
        if let Some(vault) = self.vaults.get_mut(&number)
            && vault.state == State::Lock
        {
            vault.state = State::Available;
        }
    }

    /// `PUT /vaults/batch-update`: the notifications of all vaults.
    pub(super) fn update_all_vaults(&mut self, world: &World, request: &Request) -> Answer {
        let given = query::inside(request, "vault")?;
        query::known_keys(world, &given, &["smn_notify", "threshold"], &[])?;
        let mut ids = Vec::new();
        let numbers: Vec<u64> = self.vaults.keys().copied().collect();
        for number in numbers {
            if let Some(vault) = self.vaults.get_mut(&number) {
                change(vault, &given)?;
                ids.push(self.vault_id(number));
            }
        }
        Ok(Response::json(200, &json!({"updated_vaults_id": ids})))
    }

    /// `DELETE /vaults/{id}`: with all its backups.
    pub(super) fn delete_vault(
        &mut self,
        world: &mut World,
        request: &Request,
        id: &str,
    ) -> Answer {
        let number = self.the_vault(id)?;
        let vault = self
            .vaults
            .get(&number)
            .ok_or_else(|| codes::NO_VAULT.plain())?;
        if !matches!(vault.state, State::Available | State::Error) {
            return Err(codes::VAULT_STATUS.plain());
        }
        if self.vault_busy(number, &[Kind::Backup]) {
            return Err(codes::BACKING_UP.plain());
        }
        if vault.resources.iter().any(|bound| bound.removing) {
            return Err(codes::REMOVING.plain());
        }
        if self.vault_busy(number, &[Kind::Restore, Kind::MigrateResources]) {
            return Err(codes::VAULT_STATUS.plain());
        }
        if vault.locked && self.automatic_in(number) {
            return Err(codes::LOCKED.plain());
        }
        if let Some(vault) = self.vaults.get_mut(&number) {
            vault.state = State::Deleting;
        }
        let seconds = world.switches.number("cbr.delete_seconds") * (0.5 + world.rng.f64());
        let log = self.begin(world, Plan::new(Kind::VaultDelete, number, seconds));
        self.note(world, "cbr.vault_delete.started", &request.id, log);
        Ok(Response::empty(204))
    }

    /// Whether a vault holds automatic backups.
    pub(super) fn automatic_in(&self, vault: u64) -> bool {
        self.backups.newest().any(|(_, backup)| {
            backup.vault == vault && backup.auto && backup.status != Status::Error
        })
    }
}

fn consistent_level(world: &World, word: &str) -> Result<bool, Refusal> {
    match word {
        "crash_consistent" => Ok(false),
        "app_consistent" if query::huawei(world) => Ok(true),
        _ => Err(bad("consistent_level is crash_consistent")),
    }
}

/// The settings that creating and changing a vault share.
fn change(vault: &mut Vault, given: &Map<String, Value>) -> Result<(), Refusal> {
    let flag = |key: &str| query::flag(given, key);
    vault.auto_bind = flag("auto_bind")?.unwrap_or(vault.auto_bind);
    vault.auto_expand = flag("auto_expand")?.unwrap_or(vault.auto_expand);
    vault.smn_notify = flag("smn_notify")?.unwrap_or(vault.smn_notify);
    vault.locked |= flag("locked")?.unwrap_or(false);
    vault.threshold = query::number(given, "threshold", 1..=100)?.unwrap_or(vault.threshold);
    if let Some(Value::Object(rules)) = given.get("bind_rules") {
        vault.bind_tags = tags::read(rules)?;
        if vault.bind_tags.len() > 5 {
            return Err(bad("bind_rules takes up to 5 tags"));
        }
    }
    Ok(())
}
