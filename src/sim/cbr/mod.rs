//! CBR, Cloud Backup and Recovery (CBR API reference v3 of the Open Telekom Cloud; with the switch `cbr.variant` also
//! what only Huawei Cloud documents): backups of servers, disks and file systems in vaults, by policy and by hand.
//!
//! | file | what |
//! | --- | --- |
//! | `vault`, `policy`, `checkpoint`, `backup`, `log` | the nouns |
//! | `resource` | what can be protected, and how it looked when it was |
//! | `rows` | tasks, backups and checkpoints in the order of time |
//! | `codes`, `switches`, `time`, `query` | error codes, undocumented choices, times, what all calls read alike |
//! | `checks` | what the world has to say about a backup or a restore |
//! | `vault_calls`, `binding_calls`, `policy_calls`, `backup_calls`, `run_calls`, `log_calls` | the calls |
//! | `tags`, `members`, `replication`, `usage` | the calls of those families |
//! | `show` | checkpoints, backups and tasks as they look on the wire |
//! | `work` | how tasks begin, run and end |
//! | `run`, `ending` | runs of vaults; what a task's end does |
//! | `retention`, `schedule` | what is kept; when policies are due |
//! | `seed`, `past`, `traffic` | the estate, its past, and what others do meanwhile |
//! | `control` | its part of `/_sim/` |
//!
//! What no console needs says 501: agents, organization policies, orders, features, migration from the older services,
//! synchronization of hybrid backups, metadata. There is no call to cancel, repeat or dismiss a task, and none here.

mod backup;
mod backup_calls;
mod binding_calls;
mod checkpoint;
mod checks;
mod codes;
mod control;
mod ending;
mod log;
mod log_calls;
mod members;
mod past;
mod policy;
mod policy_calls;
mod query;
mod replication;
mod resource;
mod retention;
mod rows;
mod run;
mod run_calls;
mod schedule;
mod seed;
mod show;
mod switches;
mod tags;
mod time;
mod traffic;
mod usage;
mod vault;
mod vault_calls;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::json;

use self::backup::Backup;
use self::checkpoint::Checkpoint;
use self::log::Log;
use self::policy::Policy;
use self::query::Answer;
use self::resource::{Saved, Share};
use self::rows::Rows;
use self::vault::{Bound, Vault};
use super::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::ids::Ids;
use super::queue::Event;
use super::world::World;
use super::{gateway, keystone};

/// CBR's line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "cbr",
    name: "otc-vaults",
    path: "/v3/{project_id}",
    catalog: Some(CatalogEntry {
        service_type: "cbr",
        name: "cbr",
        region: REGION,
        path: "/v3/{project_id}",
    }),
    auth: keystone::login,
    switches: switches::SWITCHES,
    make: |world, service| Box::new(Cbr::new(world, service)),
};

/// Where this service stands, and where it can replicate to.
const REGION: &str = "eu-de";
const OTHER_REGION: &str = "eu-nl";

/// The limits on policies of the two types (documented: 32 each), on vaults, and on snapshots of disks at one time.
const QUOTA_POLICIES: [&str; 2] = ["cbr.backup_policies", "cbr.replication_policies"];
const QUOTA_VAULTS: &str = "cbr.vaults";
const QUOTA_SNAPSHOTS: &str = "cbr.snapshots";

/// No such thing, where a number is kept.
const NONE: u64 = u64::MAX;
/// No resource.
const NO_SAVED: u32 = u32::MAX;

/// Sorts of ids, for [`Ids`].
mod tag {
    pub const VAULT: u8 = 0;
    pub const POLICY: u8 = 1;
    pub const TRIGGER: u8 = 2;
    pub const CHECKPOINT: u8 = 3;
    pub const BACKUP: u8 = 4;
    pub const DISK: u8 = 5;
    pub const SNAPSHOT: u8 = 6;
    pub const LOG: u8 = 7;
    pub const REQUEST: u8 = 8;
    pub const MEMBER: u8 = 9;
    pub const RECORD: u8 = 10;
    pub const REPLICA: u8 = 11;
    pub const IMAGE: u8 = 12;
}

/// What a due event asks for; see [`Event::what`].
mod what {
    pub const START: u32 = 0;
    pub const END: u32 = 1;
    pub const FIRE: u32 = 2;
    pub const EXPANDED: u32 = 3;
    pub const TIDY: u32 = 4;
    pub const TRAFFIC: u32 = 5;
    pub const CURE: u32 = 6;
}

/// A vault of another region, as far as this one knows it.
#[derive(Debug, Clone)]
struct Remote {
    id: String,
    name: String,
    project: String,
    size_gb: u64,
    used_mb: u64,
    /// Whether it takes replicas.
    replicas: bool,
}

/// The service.
struct Cbr {
    service: ServiceId,
    ids: Ids,
    vaults: BTreeMap<u64, Vault>,
    /// Names of the vaults that are gone; tasks still name them.
    gone_vaults: HashMap<u64, String>,
    next_vault: u64,
    policies: BTreeMap<u64, Policy>,
    next_policy: u64,
    checkpoints: Rows<Checkpoint>,
    backups: Rows<Backup>,
    logs: Rows<Log>,
    /// Backups that expire, by when.
    expiring: BTreeSet<(i64, u64)>,
    saved: Vec<Saved>,
    latest_saved: HashMap<String, u32>,
    /// Backups of each resource that are there, so that the first one is known to be full.
    chains: HashMap<String, u32>,
    /// Targets of restores under way.
    restoring: HashSet<String>,
    shares: Vec<Share>,
    remotes: Vec<Remote>,
    /// Whether the other region can't be reached.
    link_down: bool,
    /// The last number of a member or a record.
    serial: u64,
    traffic: traffic::Traffic,
}

impl Cbr {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut cbr = Self {
            service,
            ids: Ids::new(world.rng.u64(..)),
            vaults: BTreeMap::new(),
            gone_vaults: HashMap::new(),
            next_vault: 1,
            policies: BTreeMap::new(),
            next_policy: 1,
            checkpoints: Rows::default(),
            backups: Rows::default(),
            logs: Rows::default(),
            expiring: BTreeSet::new(),
            saved: Vec::new(),
            latest_saved: HashMap::new(),
            chains: HashMap::new(),
            restoring: HashSet::new(),
            shares: Vec::new(),
            remotes: Vec::new(),
            link_down: false,
            serial: 0,
            traffic: traffic::Traffic::default(),
        };
        cbr.seed(world);
        cbr.next_tidy(world);
        cbr.start_traffic(world);
        cbr
    }

    fn saved(&self, index: u32) -> Option<&Saved> {
        self.saved.get(index as usize)
    }

    fn vault_id(&self, number: u64) -> String {
        self.ids.uuid(tag::VAULT, number)
    }

    fn backup_id(&self, number: u64) -> String {
        self.ids.uuid(tag::BACKUP, number)
    }

    fn log_id(&self, number: u64) -> String {
        self.ids.uuid(tag::LOG, number)
    }

    /// Id of the backup of a disk inside a server backup.
    fn disk_id(&self, backup: u64, disk: usize) -> String {
        self.ids.uuid(tag::DISK, disk_number(backup, disk))
    }

    fn vault_number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(tag::VAULT, id)?;
        self.vaults.contains_key(&number).then_some(number)
    }

    fn policy_number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(tag::POLICY, id)?;
        self.policies.contains_key(&number).then_some(number)
    }

    fn backup_number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(tag::BACKUP, id)?;
        self.backups.get(number).map(|_| number)
    }

    /// The name of a vault, also of one that is gone.
    fn vault_name(&self, number: u64) -> Option<&str> {
        let there = self.vaults.get(&number).map(|vault| vault.name.as_str());
        there.or_else(|| self.gone_vaults.get(&number).map(String::as_str))
    }

    /// Everywhere that a resource is bound.
    fn bounds_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Bound> {
        self.vaults
            .values()
            .filter_map(move |vault| vault.bound(id))
    }

    /// A number for a member or a record.
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The calls below `/v3/{project_id}`; `None` for a path that nobody published.
    fn call(&mut self, world: &mut World, request: &Request, path: &[&str]) -> Option<Answer> {
        let method = request.method.as_str();
        Some(match (method, path) {
            ("GET", ["operation-logs"]) => self.list_logs(world, request),
            ("GET", ["operation-logs", id]) => self.show_log(world, id),
            ("GET", ["vaults"]) => self.list_vaults(world, request),
            ("POST", ["vaults"]) => self.create_vault(world, request),
            ("GET", ["vaults", "summary"]) if query::huawei(world) => Ok(self.summary()),
            ("GET", ["vaults", "external"]) if query::huawei(world) => {
                self.list_remotes(world, request)
            }
            ("PUT", ["vaults", "batch-update"]) if query::huawei(world) => {
                self.update_all_vaults(world, request)
            }
            ("GET", ["vaults", id]) => self.show_vault(world, id),
            ("PUT", ["vaults", id]) => self.update_vault(world, request, id),
            ("DELETE", ["vaults", id]) => self.delete_vault(world, request, id),
            ("POST", ["vaults", id, "addresources"]) => self.add_resources(world, request, id),
            ("POST", ["vaults", id, "removeresources"]) => {
                self.remove_resources(world, request, id)
            }
            ("POST", ["vaults", id, "migrateresources"]) => {
                self.migrate_resources(world, request, id)
            }
            ("POST", ["vaults", id, "associatepolicy"]) => self.apply_policy(world, request, id),
            ("POST", ["vaults", id, "dissociatepolicy"]) => self.lift_policy(world, request, id),
            ("PUT", ["vaults", id, "set-resources"]) if query::huawei(world) => {
                self.set_resources(world, request, id)
            }
            ("PUT", ["vaults", id, "update-backup-expiration-time"]) if query::huawei(world) => {
                self.update_expiration(world, request, id)
            }
            ("GET", ["policies"]) => self.list_policies(world, request),
            ("POST", ["policies"]) => self.create_policy(world, request),
            ("GET", ["policies", id]) => self.show_policy(world, id),
            ("PUT", ["policies", id]) => self.update_policy(world, request, id),
            ("DELETE", ["policies", id]) => self.delete_policy(world, request, id),
            ("POST", ["checkpoints"]) => self.back_up(world, request),
            ("POST", ["checkpoints", "replicate"]) => self.replicate_vault(world, request),
            ("GET", ["checkpoints", id]) => self.show_checkpoint(world, id),
            ("GET", ["backups"]) => self.list_backups(world, request),
            ("GET", ["backups", id]) => self.show_backup(world, id),
            ("PUT", ["backups", id]) if query::huawei(world) => {
                self.rename_backup(world, request, id)
            }
            ("DELETE", ["backups", id]) => self.delete_backup(world, request, id),
            ("POST", ["backups", id, "restore"]) => self.restore(world, request, id),
            ("POST", ["backups", id, "replicate"]) => self.replicate_backup(world, request, id),
            (_, ["backups", id, "members", rest @ ..]) => {
                return self.member_call(world, request, id, rest);
            }
            (_, ["vault", rest @ ..]) => return self.tag_call(world, request, rest),
            ("GET", ["replication-capabilities"]) => Ok(Response::json(
                200,
                &json!({"regions": [{"name": REGION, "replication_destinations": [OTHER_REGION]}]}),
            )),
            ("GET", ["protectables", sort, "instances"]) if query::huawei(world) => {
                self.list_protectables(world, request, sort)
            }
            ("GET", ["protectables", sort, "instances", id]) if query::huawei(world) => {
                self.show_protectable(world, sort, id)
            }
            ("GET", ["storage_usage"]) if query::huawei(world) => {
                self.storage_usage(world, request)
            }
            _ if query::huawei(world) && without_use(method, path) => Ok(not_offered()),
            _ => return None,
        })
    }

    /// An answer as it leaves, with the shape of refusals that older parts have.
    fn finish(&self, world: &World, path: &[&str], answer: Answer) -> Response {
        match answer {
            Ok(response) => response,
            Err(refusal) => {
                let gone = refusal.code == codes::NO_BACKUP || refusal.code == codes::NO_CHECKPOINT;
                let old_part = matches!(path, ["backups" | "checkpoints", ..]);
                if gone && old_part && world.switches.get("cbr.unknown_id") == "karbor" {
                    return Response::json(
                        401,
                        &json!({"unauthorized": {"code": "401", "message": "Malformed request url"}}),
                    );
                }
                refusal.into()
            }
        }
    }

    /// `GET /` and `GET /{vbs|csbs|cbr}`.
    fn versions(&self, world: &World) -> Response {
        let version = json!({
            "id": "v3", "status": "CURRENT",
            "links": [{"rel": "self", "href": format!("{}/v3", world.root(self.service))}],
        });
        Response::json(300, &json!({"versions": [version]}))
    }
}

/// What Huawei Cloud has besides and no console needs.
fn without_use(method: &str, path: &[&str]) -> bool {
    match path {
        [
            "agents" | "agent" | "organization-policies" | "orders" | "cbr-features",
            ..,
        ] => true,
        ["backups" | "checkpoints", "sync"] => method == "POST",
        ["backups", _, "metadata"] => method == "GET",
        ["vaults", "order" | "change-charge-mode"] => method == "POST",
        _ => false,
    }
}

/// A call that exists and is not embedded.
fn not_offered() -> Response {
    Response::json(
        501,
        &json!({"error_code": "501", "error_msg": "Not Implemented"}),
    )
}

/// One number for each disk of each backup.
fn disk_number(backup: u64, disk: usize) -> u64 {
    backup << 8 | (disk as u64 & 0xFF)
}

impl Dialect for Cbr {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let (method, path) = request.route();
        if let ("GET", [] | ["vbs" | "csbs" | "cbr"]) = (method, path.as_slice()) {
            return self.versions(world);
        }
        if let Err(refusal) = gateway::authorize(world, request) {
            return match world.switches.get("cbr.auth_failure") {
                "service" => codes::SIGN_IN.plain().into(),
                _ => refusal,
            };
        }
        match path.as_slice() {
            ["v3", "migrates" | "region-projects" | "domain", ..] if query::huawei(world) => {
                not_offered()
            }
            ["v3", project, path @ ..] if *project == world.account.project_id => {
                match self.call(world, request, path) {
                    Some(answer) => self.finish(world, path, answer),
                    None => gateway::not_published(request),
                }
            }
            ["v3", _, _, ..] => Response::json(
                401,
                &json!({"unauthorized": {"code": "401", "message": "Malformed request url"}}),
            ),
            _ => gateway::not_published(request),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        match event.what {
            what::START => self.start(world, event.id),
            what::END => self.end(world, event.id),
            what::FIRE => self.fire(world, event.id),
            what::EXPANDED => self.expanded(event.id),
            what::TIDY => self.tidy(world),
            what::TRAFFIC => self.make_traffic(world),
            what::CURE => self.cure(world, event.id),
            _ => {}
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.control_call(world, path, request)
    }

    fn fault(&self, world: &World, request: &Request, status: u16) -> Response {
        let _ = world;
        match status {
            500 => codes::UNKNOWN.plain().into(),
            _ => gateway::fault(request, status),
        }
    }
}
