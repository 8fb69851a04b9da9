//! Atlassian's Backup management API, version 2: policies for the products of an organisation's sites, their backups
//! and restores.
//!
//! | file | what |
//! | --- | --- |
//! | `org` | the organisation: people, sites, products |
//! | `policy`, `backup`, `storage`, `restore`, `transfer` | the nouns; all but the first with their calls |
//! | `policy_calls` | calls on policies |
//! | `codes`, `budget`, `page` | refusals; the published quotas; paging |
//! | `switches` | the choices that the documents leave open |
//! | `seed`, `traffic`, `control` | what it starts with, what others do meanwhile, its part of `/_sim/` |
//!
//! How far the documents go: *get policy* and *activate policy* are published whole, the other calls by name, method
//! and quota, the errors by code and status. Everything else is a stand-in whose shapes are those of the two published
//! bodies; each such place says so. Not offered, as far as the documents go: to start a backup at once, to cancel, to
//! delete anything, to list what runs.

mod backup;
mod budget;
mod codes;
mod control;
mod org;
mod page;
mod policy;
mod policy_calls;
mod restore;
mod seed;
mod storage;
mod switches;
mod traffic;
mod transfer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use self::backup::Backups;
use self::budget::{Budget, Quota};
use self::codes::{Answer, Refusal, uncoded};
use self::org::{ORG, PEOPLE, Person, Site};
use self::policy::Policy;
use self::restore::Restore;
use self::storage::Storage;
use self::transfer::{Direction, Transfer};
use super::dialect::{Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::ids::Ids;
use super::queue::Event;
use super::service::AuthLine;
use super::world::World;

/// The line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "atlassian",
    name: "jira-cloud",
    path: "",
    catalog: None,
    auth: |_| {
        let [admin, _] = &PEOPLE;
        AuthLine::new("basic")
            .text("username", admin.email)
            .secret("password", admin.token)
            .option("org_id", ORG)
            .option("account_id", admin.account)
    },
    switches: switches::ALL,
    make: |world, service| Box::new(Atlassian::new(world, service)),
};

/// What a due event asks for; see [`Event::what`].
mod what {
    pub const SLOT: u32 = 0;
    pub const STEP: u32 = 1;
    pub const AGAIN: u32 = 2;
    pub const RESTORE: u32 = 3;
    pub const EXPORT: u32 = 4;
    pub const IMPORT: u32 = 5;
    pub const TRAFFIC: u32 = 6;
    pub const EMPTIED: u32 = 7;
    pub const PRODUCT_BACK: u32 = 8;
    pub const ROLE_BACK: u32 = 9;
}

/// Sorts of ids. Jobs share one space, so that a restore's id is well formed where a backup's is asked for.
mod tag {
    pub const POLICY: u8 = 0;
    pub const BACKUP: u8 = 1;
    pub const RESTORE: u8 = 2;
    pub const EXPORT: u8 = 3;
    pub const IMPORT: u8 = 4;
    pub const STORAGE: u8 = 5;
}

/// The service.
struct Atlassian {
    service: ServiceId,
    ids: Ids,
    budget: Budget,
    sites: Vec<Site>,
    policies: Vec<Policy>,
    backups: Backups,
    restores: Vec<Restore>,
    storages: Vec<Storage>,
    exports: Vec<Transfer>,
    imports: Vec<Transfer>,
    traffic: traffic::Traffic,
}

/// One operation with its row in the rate table.
struct Operation<'a> {
    name: &'static str,
    quota: Quota,
    call: Call<'a>,
}

/// What is to be done.
enum Call<'a> {
    ListPolicies,
    CreatePolicy,
    ShowPolicy(&'a str),
    UpdatePolicy(&'a str),
    Activate(&'a str),
    ListBackups(&'a str),
    ShowBackup(&'a str),
    CreateRestore,
    Revalidate(&'a str),
    ListRestores,
    ShowRestore(&'a str),
    CreateStorage,
    ListStorages,
    ShowStorage(&'a str),
    Regions,
    CreateExport,
    CreateImport,
    ShowTransfer(Direction, &'a str),
    ShowExportOf(&'a str),
    ShowReport(&'a str),
}

impl<'a> Operation<'a> {
    /// The operation at a path below the organisation. Paths are inferred but for *get policy* and *activate*.
    fn at(world: &World, method: &str, path: &[&'a str]) -> Result<Self, Refusal> {
        let switches = &world.switches;
        let nested = switches.get("atlassian.backup_path") == "nested";
        let unlisted = switches.on("atlassian.unlisted_calls");
        let regions = switches.get("atlassian.regions_method");
        let operation = |name, quota, call| Self { name, quota, call };
        Ok(match (method, path) {
            ("GET", ["policies"]) => {
                operation("Get all backup policies", Quota::Read, Call::ListPolicies)
            }
            ("POST", ["policies"]) => {
                operation("Create backup policy", Quota::Create, Call::CreatePolicy)
            }
            ("GET", ["policies", id]) => operation(
                "Get backup policy details",
                Quota::Read,
                Call::ShowPolicy(id),
            ),
            ("PUT", ["policies", id]) => operation(
                "Update backup policy",
                Quota::Update,
                Call::UpdatePolicy(id),
            ),
            ("PUT", ["policies", id, "activate"]) => operation(
                "Activate the backup policy",
                Quota::Activate,
                Call::Activate(id),
            ),
            ("GET", ["policies", id, "backups"]) => operation(
                "Get backups part of backup policy",
                Quota::Read,
                Call::ListBackups(id),
            ),
            ("GET", ["backups", id]) if !nested => {
                operation("Get backup details", Quota::Read, Call::ShowBackup(id))
            }
            ("GET", ["policies", _, "backups", id]) if nested => {
                operation("Get backup details", Quota::Read, Call::ShowBackup(id))
            }
            ("POST", ["restores"]) => {
                operation("Create restore", Quota::Restore, Call::CreateRestore)
            }
            ("POST", ["restores", id, "revalidate"]) => {
                operation("Revalidate restore", Quota::Restore, Call::Revalidate(id))
            }
            ("GET", ["restores"]) => operation("Get all restores", Quota::Read, Call::ListRestores),
            ("GET", ["restores", id]) => {
                operation("Get restore details", Quota::Read, Call::ShowRestore(id))
            }
            ("POST", ["storages"]) => {
                operation("Create storage", Quota::Create, Call::CreateStorage)
            }
            ("GET", ["storages"]) => operation("Get all storages", Quota::Read, Call::ListStorages),
            (method, ["storages", "regions"]) if method == regions => {
                let quota = if method == "GET" {
                    Quota::Read
                } else {
                    Quota::Create
                };
                operation("Get supported regions for org", quota, Call::Regions)
            }
            (_, ["storages", "regions"]) => return Err(wrong_method()),
            ("GET", ["storages", id]) => {
                operation("Get storage details", Quota::Read, Call::ShowStorage(id))
            }
            ("POST", ["exports"]) if unlisted => {
                operation("Initiate export", Quota::Create, Call::CreateExport)
            }
            ("GET", ["exports", id]) if unlisted => operation(
                "Get export by id",
                Quota::Read,
                Call::ShowTransfer(Direction::Export, id),
            ),
            ("GET", ["backups", id, "export"]) if unlisted => {
                operation("Get export details", Quota::Read, Call::ShowExportOf(id))
            }
            ("POST", ["imports"]) if unlisted => {
                operation("Initiate import", Quota::Create, Call::CreateImport)
            }
            ("GET", ["imports", id]) if unlisted => operation(
                "Get import details",
                Quota::Read,
                Call::ShowTransfer(Direction::Import, id),
            ),
            ("GET", ["reports", id]) if unlisted => operation(
                "Get post operation report",
                Quota::Read,
                Call::ShowReport(id),
            ),
            (
                _,
                ["policies" | "restores" | "storages"]
                | ["policies" | "restores" | "storages", _]
                | ["policies", _, "activate" | "backups"]
                | ["restores", _, "revalidate"],
            ) => return Err(wrong_method()),
            _ => return Err(Refusal::ours(404, "Not found")),
        })
    }

    /// Whether `X-Atl-Account-Id` has to be there: documented for *activate*, inferred for *update*.
    fn needs_account(&self, world: &World) -> bool {
        let wanted = world.switches.get("atlassian.account_header");
        match self.call {
            Call::Activate(_) => true,
            Call::UpdatePolicy(_) => wanted != "activate",
            _ => wanted == "writes" && self.quota != Quota::Read,
        }
    }
}

fn wrong_method() -> Refusal {
    Refusal::ours(405, "Method not allowed")
}

impl Atlassian {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut atlassian = Self {
            service,
            ids: Ids::new(world.rng.u64(..)),
            budget: Budget::default(),
            sites: org::sites(world),
            policies: Vec::new(),
            backups: Backups::default(),
            restores: Vec::new(),
            storages: Vec::new(),
            exports: Vec::new(),
            imports: Vec::new(),
            traffic: traffic::Traffic::default(),
        };
        atlassian.seed(world);
        atlassian.start_traffic(world);
        atlassian
    }

    fn answer(&mut self, world: &mut World, request: &Request) -> Result<Answer, Response> {
        let person = log_in(world, request).ok_or_else(|| uncoded(world, 401, "Unauthorized"))?;
        let (method, path) = request.route();
        let ["public", "backup-management", "v2", "orgs", org, rest @ ..] = path.as_slice() else {
            return Ok(Err(Refusal::ours(404, "Not found")));
        };
        // Another organisation and missing rights: that it is 403 is inferred from the status page.
        if *org != ORG || !person.admin {
            return Err(uncoded(world, 403, "Forbidden"));
        }
        let operation = match Operation::at(world, method, rest) {
            Ok(operation) => operation,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.budget
            .take(world, operation.quota, operation.name, person.account)?;
        let account = request
            .header("x-atl-account-id")
            .filter(|id| !id.is_empty());
        if account.is_none() && operation.needs_account(world) {
            // Required by the documents; what its absence gives is not said.
            return Ok(Err(Refusal::field(
                "X-Atl-Account-Id",
                "header is required",
            )));
        }
        let account = account.unwrap_or(person.account);
        Ok(match operation.call {
            Call::ListPolicies => self.list_policies(world, request),
            Call::CreatePolicy => self.create_policy(world, request, account),
            Call::ShowPolicy(id) => self.show_policy(world, request, id),
            Call::UpdatePolicy(id) => self.update_policy(world, request, id, account),
            Call::Activate(id) => self.activate_policy(world, request, id),
            Call::ListBackups(id) => self.list_backups(world, request, id),
            Call::ShowBackup(id) => self.show_backup(world, id),
            Call::CreateRestore => self.create_restore(world, request, account),
            Call::Revalidate(id) => self.revalidate_restore(world, id),
            Call::ListRestores => self.list_restores(world, request),
            Call::ShowRestore(id) => self.show_restore(world, id),
            Call::CreateStorage => self.create_storage(world, request),
            Call::ListStorages => self.list_storages(world, request),
            Call::ShowStorage(id) => self.show_storage(id),
            Call::Regions => self.list_regions(),
            Call::CreateExport => self.create_export(world, request),
            Call::CreateImport => self.create_import(world, request),
            Call::ShowTransfer(direction, id) => self.show_transfer(world, request, direction, id),
            Call::ShowExportOf(id) => self.show_export_of(world, id),
            Call::ShowReport(id) => self.show_report(world, id),
        })
    }
}

/// Who asks: Basic with e-mail and API token, as both authorization guides say.
fn log_in(world: &World, request: &Request) -> Option<&'static Person> {
    let (scheme, rest) = request.header("authorization")?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        let taken = world.switches.get("atlassian.bearer") == "accepted";
        return PEOPLE
            .iter()
            .find(|person| taken && person.token == rest.trim());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    let (email, token) = text.split_once(':')?;
    PEOPLE
        .iter()
        .find(|person| person.email == email && person.token == token)
}

/// A body that must be an object (400 is documented for fields that are missing, the words are ours).
fn object(request: &Request) -> Result<Map<String, Value>, Refusal> {
    match request.json() {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Refusal::field("The body", "must be an object")),
        Err(_) => Err(Refusal::field("The body", "is not JSON")),
    }
}

impl Dialect for Atlassian {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        match self.answer(world, request) {
            Ok(Ok(response)) | Err(response) => response,
            Ok(Err(refusal)) => refusal.response(world),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        let number = usize::try_from(event.id).unwrap_or(usize::MAX);
        match event.what {
            what::SLOT => self.slot(world, number),
            what::STEP => self.backup_step(world, event.id),
            what::AGAIN => self.again(world, event.id),
            what::RESTORE => self.restore_step(world, number),
            what::EXPORT => self.transfer_ends(Direction::Export, number),
            what::IMPORT => self.transfer_ends(Direction::Import, number),
            what::TRAFFIC => self.make_traffic(world),
            what::EMPTIED => self.emptied(event.id),
            what::PRODUCT_BACK => self.product_back(event.id),
            what::ROLE_BACK => self.role_back(event.id),
            _ => {}
        }
    }

    fn control(&mut self, _world: &mut World, path: &[&str], request: &Request) -> Response {
        self.control_call(path, request)
    }

    fn fault(&self, world: &World, _request: &Request, status: u16) -> Response {
        uncoded(world, status, &format!("injected HTTP {status}"))
    }
}

/// A time as the service writes it (that it is ISO 8601 is inferred).
fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The same from milliseconds since 1970.
fn stamp_millis(millis: i64) -> String {
    stamp(instant(millis))
}

/// The instant of so many milliseconds since 1970.
fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// A duration around the mean of a switch, in milliseconds.
fn around(world: &mut World, switch: &str) -> i64 {
    let mean = world.switches.number(switch).clamp(0.0, 1e9);
    (mean * 1000.0 * (0.6 + 0.8 * world.rng.f64())) as i64
}
