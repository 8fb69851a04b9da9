//! OpenStack Karbor, data protection as a service (1.6.0, the last one, as a real one answered and as its source does it):
//! plans say what to protect, checkpoints are what their runs leave behind, and an operation log says what ran when.
//!
//! | file | what |
//! | --- | --- |
//! | `fault`, `python`, `schema`, `body` | refusals and their words; how bodies are checked and kept |
//! | `list` | paging, sorting and filters of what the service keeps in its database |
//! | `provider`, `plan`, `log`, `daemon`, `quota`, `protectable` | the nouns with their calls |
//! | `checkpoint`, `bank`, `checkpoint_calls` | checkpoints, the order in which the bank lists them, their calls |
//! | `restore` | restores and verifications |
//! | `trigger`, `pattern`, `operation` | when scheduled operations are due, and what they run |
//! | `flow` | what runs, deletions, restores and verifications do over time, and why they fail |
//! | `switches`, `seed`, `traffic`, `control` | choices, what it starts with, what others do meanwhile, its part of `/_sim/` |
//!
//! Nothing here says why a run failed but the journal: the real service tells it nobody either. There is one project; what
//! an administrator asks of all of them is of this one.

mod bank;
mod body;
mod checkpoint;
mod checkpoint_calls;
mod control;
mod daemon;
mod fault;
mod flow;
mod list;
mod log;
mod operation;
mod pattern;
mod plan;
mod protectable;
mod provider;
mod python;
mod quota;
mod restore;
mod schema;
mod seed;
mod switches;
mod traffic;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use checkpoint::Checkpoint;
use daemon::Daemon;
use fault::{Answer, Fault};
use flow::Flow;
use log::Log;
use operation::Operation;
use plan::{Plan, Resource};
use python::Literal;
use quota::{Limits, Usage};
use restore::{Check, Sort};
use traffic::Traffic;
use trigger::Trigger;

use super::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::ids::Ids;
use super::keystone;
use super::queue::Event;
use super::world::World;

/// Karbor's line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "karbor",
    name: "private-cloud",
    path: "/v1/{project_id}",
    catalog: Some(CatalogEntry {
        service_type: "data-protect",
        name: "karbor",
        region: "eu-de",
        path: "/v1/{project_id}",
    }),
    auth: keystone::login,
    switches: switches::ALL,
    make: |world, service| Box::new(Karbor::new(world, service)),
};

/// Event: something under way comes to its next point.
const WORK: u32 = 1;
/// Event: the engine looks at a trigger.
const FIRE: u32 = 2;
/// Event: an operation with retention looks at what there is.
const RETAIN: u32 = 3;
/// Event: somebody does something.
const TRAFFIC: u32 = 4;
/// Event: what was away is back.
const MEND: u32 = 5;

/// Sorts of ids.
mod tag {
    pub const PLAN: u8 = 0;
    pub const CHECKPOINT: u8 = 1;
    pub const LOG: u8 = 2;
    pub const RESTORE: u8 = 3;
    pub const VERIFICATION: u8 = 4;
    pub const TRIGGER: u8 = 5;
    pub const OPERATION: u8 = 6;
}

/// The service with all that it keeps.
struct Karbor {
    service: ServiceId,
    ids: Ids,
    /// As they are answered.
    providers: Vec<Value>,
    plans: Vec<Plan>,
    triggers: Vec<Trigger>,
    operations: Vec<Operation>,
    checkpoints: Vec<Checkpoint>,
    /// Those that were not deleted.
    alive: BTreeSet<usize>,
    logs: Vec<Log>,
    restores: Vec<Check>,
    verifications: Vec<Check>,
    usage: Usage,
    limits: Limits,
    class_limits: Limits,
    protection: Daemon,
    engine: Daemon,
    /// Whether the bank can be reached.
    bank_up: bool,
    /// Whether the disk service can be reached.
    cinder_up: bool,
    /// What restores have made.
    restored: Vec<Resource>,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
    traffic: Traffic,
}

impl Karbor {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut karbor = Self {
            service,
            ids: Ids::new(world.rng.u64(..)),
            providers: Self::described(),
            plans: Vec::new(),
            triggers: Vec::new(),
            operations: Vec::new(),
            checkpoints: Vec::new(),
            alive: BTreeSet::new(),
            logs: Vec::new(),
            restores: Vec::new(),
            verifications: Vec::new(),
            usage: Usage::default(),
            limits: Limits::new(),
            class_limits: Limits::new(),
            protection: Daemon::new(1, "karbor-protection"),
            engine: Daemon::new(2, "karbor-operationengine"),
            bank_up: true,
            cinder_up: true,
            restored: Vec::new(),
            flows: BTreeMap::new(),
            next_flow: 0,
            traffic: Traffic::default(),
        };
        karbor.seed(world);
        karbor.start_traffic(world);
        karbor
    }

    /// Whether the project's user administers the service.
    fn is_admin(&self, world: &World) -> bool {
        world.switches.get("karbor.role") == "admin"
    }

    /// Where links to further pages begin.
    fn base(&self, world: &World) -> String {
        format!(
            "{}/v1/{}",
            world.root(self.service),
            world.account.project_id
        )
    }

    /// The calls below `/v1/{project_id}`; `None` for a path that nobody serves.
    fn call(&mut self, world: &mut World, request: &Request, path: &[&str]) -> Option<Answer> {
        let method = request.method.as_str();
        let route = routed(method, path)?;
        Some(self.dispatch(world, request, route, path))
    }

    fn dispatch(
        &mut self,
        world: &mut World,
        request: &Request,
        route: Route,
        path: &[&str],
    ) -> Answer {
        if route == Route::Missing {
            return Err(Fault::no_method());
        }
        // The body is read before anything is asked of it.
        let body = body::any(request)?;
        let project = request.segments.get(1).map(String::as_str);
        if project != Some(world.account.project_id.as_str()) {
            return Err(Fault::bad("Malformed request url"));
        }
        if route == Route::Read && body.is_some() {
            return Err(Fault::arguments());
        }
        match (request.method.as_str(), path) {
            ("GET", ["plans"]) => self.list_plans(world, request),
            ("POST", ["plans"]) => self.create_plan(world, request),
            ("GET", ["plans", id]) => self.show_plan(id),
            ("PUT", ["plans", id]) => self.update_plan(id, request),
            ("DELETE", ["plans", id]) => self.delete_plan(id),
            ("GET", ["providers"]) => self.list_providers(world, request),
            ("GET", ["providers", id]) => self.show_provider(id),
            ("POST", ["providers", id, "checkpoints", "action"]) => {
                self.copy_checkpoints(world, id, request)
            }
            ("GET", ["providers", id, "checkpoints"]) => self.list_checkpoints(world, id, request),
            ("POST", ["providers", id, "checkpoints"]) => {
                self.create_checkpoint(world, id, request)
            }
            ("GET", ["providers", p, "checkpoints", id]) => self.show_checkpoint(world, p, id),
            ("DELETE", ["providers", p, "checkpoints", id]) => self.delete_checkpoint(world, p, id),
            ("PUT", ["providers", p, "checkpoints", id]) => self.reset_checkpoint(p, id, request),
            ("GET", ["triggers"]) => self.list_triggers(world, request),
            ("POST", ["triggers"]) => self.create_trigger(world, request),
            ("GET", ["triggers", id]) => self.show_trigger(id),
            ("PUT", ["triggers", id]) => self.update_trigger(world, id, request),
            ("DELETE", ["triggers", id]) => self.delete_trigger(id),
            ("GET", ["scheduled_operations"]) => self.list_operations(world, request),
            ("POST", ["scheduled_operations"]) => self.create_operation(world, request),
            ("GET", ["scheduled_operations", id]) => self.show_operation(id),
            ("DELETE", ["scheduled_operations", id]) => self.delete_operation(id),
            ("GET", ["operation_logs"]) => self.list_logs(world, request),
            ("GET", ["operation_logs", id]) => self.show_log(id),
            ("GET", ["restores"]) => self.list_checks(world, Sort::Restore, request),
            ("POST", ["restores"]) => self.create_check(world, Sort::Restore, request),
            ("GET", ["restores", id]) => self.show_check(world, Sort::Restore, id),
            ("GET", ["verifications"]) => self.list_checks(world, Sort::Verification, request),
            ("POST", ["verifications"]) => self.create_check(world, Sort::Verification, request),
            ("GET", ["verifications", id]) => self.show_check(world, Sort::Verification, id),
            ("GET", ["protectables"]) => Self::list_types(),
            ("GET", ["protectables", kind]) => Self::show_type(kind),
            ("GET", ["protectables", kind, "instances"]) => {
                self.list_instances(world, kind, request)
            }
            ("GET", ["protectables", kind, "instances", id]) => {
                self.show_instance(world, kind, id, request)
            }
            ("GET", ["quotas", id]) => self.show_quota(world, id, false),
            ("GET", ["quotas", id, "detail"]) => self.show_quota(world, id, true),
            ("GET", ["quotas", id, "defaults"]) => self.default_quota(world, id),
            ("PUT", ["quotas", id]) => self.update_quota(world, id, request),
            ("DELETE", ["quotas", id]) => self.delete_quota(world, id),
            ("GET", ["quota_classes", id]) => self.show_class(world, id),
            ("PUT", ["quota_classes", id]) => self.update_class(world, id, request),
            ("GET", ["os-services"]) => self.list_services(world, request),
            ("PUT", ["os-services", id]) => self.update_service(world, id, request),
            _ => Err(Fault::no_method()),
        }
    }

    /// `GET /`, and every other path outside of `/v1`.
    fn versions(&self, world: &World, path: &[&str]) -> Response {
        if !path.is_empty() || world.switches.get("karbor.versions") == "fault" {
            return Response::raw(500, "text/plain", "");
        }
        let href = format!("{}/data-protect/v1/", world.root(self.service));
        let body = json!({"versions": [{
            "id": "v1.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}],
        }]});
        Response::json(300, &body)
    }
}

/// What the router makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// A call that takes no body.
    Read,
    /// A call that takes one.
    Write,
    /// A path whose controller has no such method.
    Missing,
}

/// The collections with the methods of the collection and of a member; those with a `+` also route actions of members.
const COLLECTIONS: &[(&str, &str, &str)] = &[
    ("plans", "GET POST", "GET PUT DELETE +"),
    ("restores", "GET POST", "GET +"),
    ("protectables", "GET", "GET"),
    ("providers", "GET", "GET"),
    ("triggers", "GET POST", "GET PUT DELETE +"),
    ("scheduled_operations", "GET POST", "GET DELETE +"),
    ("operation_logs", "GET", "GET"),
    ("verifications", "GET POST", "GET +"),
    ("os-services", "GET", "PUT +"),
    ("quotas", "", "GET PUT DELETE +"),
    ("quota_classes", "", "GET PUT +"),
];

/// Which route a path takes; `None` where there is none.
fn routed(method: &str, path: &[&str]) -> Option<Route> {
    let kind = match method {
        "GET" | "DELETE" => Route::Read,
        "POST" | "PUT" => Route::Write,
        _ => return None,
    };
    let (name, rest) = path.split_first()?;
    let (_, collection, member) = COLLECTIONS.iter().find(|(it, _, _)| it == name)?;
    let offered = |methods: &str| {
        let has = methods.split(' ').any(|it| it == method);
        Some(if has { kind } else { Route::Missing })
    };
    match (*name, rest) {
        (_, []) if matches!(method, "GET" | "POST") => offered(collection),
        // A page to make a new one is routed, as frameworks do, and is not there.
        (_, ["new"]) if method == "GET" => Some(Route::Missing),
        (_, [_]) if matches!(method, "GET" | "PUT" | "DELETE") => offered(member),
        (_, [_, "edit"]) if method == "GET" => Some(Route::Missing),
        (_, [_, "action"]) if method == "POST" && member.contains('+') => Some(Route::Missing),
        ("quotas", [_, "detail" | "defaults"]) if method == "GET" => Some(kind),
        ("protectables", [_, "instances"] | [_, "instances", _]) if method == "GET" => Some(kind),
        ("providers", [_, "checkpoints"]) if matches!(method, "GET" | "POST") => Some(kind),
        ("providers", [_, "checkpoints", "action"]) if method == "POST" => Some(kind),
        ("providers", [_, "checkpoints", _]) if matches!(method, "GET" | "PUT" | "DELETE") => {
            Some(kind)
        }
        _ => None,
    }
}

/// The number behind an id that is written exactly as it was given out.
fn exact(ids: Ids, tag: u8, id: &str) -> Option<usize> {
    let number = ids.number(tag, id)?;
    (ids.uuid(tag, number) == id)
        .then(|| usize::try_from(number).ok())
        .flatten()
}

/// A number that fits a log line.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads `all_tenants` out of the filters, where it is among them; a no stays there.
///
/// # Errors
/// 400 when it is neither yes nor no.
fn all_tenants(filters: &mut Vec<(String, Literal)>) -> Result<bool, Fault> {
    let Some(at) = filters.iter().position(|(key, _)| key == "all_tenants") else {
        return Ok(false);
    };
    let flag = filters.get(at).map(|(_, value)| value);
    let Some(yes) = flag.and_then(Literal::as_bool) else {
        let written = flag.and_then(Literal::as_text).unwrap_or_default();
        return Err(Fault::bad(format!(
            "Value {written} for all_tenants is not a boolean."
        )));
    };
    if yes {
        filters.remove(at);
    }
    Ok(yes)
}

impl Dialect for Karbor {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let (_, path) = request.route();
        let path = path.as_slice();
        let Some(("v1", path)) = path.split_first().map(|(first, rest)| (*first, rest)) else {
            return self.versions(world, path);
        };
        let id = format!("req-{}", hyphened(&request.id));
        let token = request.header("x-auth-token");
        let Ok(token) = world.tokens.check(token, world.now()) else {
            let refusal = fault::unauthorized(&world.keystone_url());
            return refusal.with("x-openstack-request-id", id);
        };
        if token.project_id.is_none() {
            return Response::from(Fault::stumbled()).with("x-openstack-request-id", id);
        }
        // A trailing slash is another path, and a format at the end is not part of one.
        let slash = request.raw_path.len() > 1 && request.raw_path.ends_with('/');
        let mut path: Vec<&str> = path.iter().skip(1).copied().collect();
        if let Some(last) = path.last_mut() {
            *last = last.strip_suffix(".json").unwrap_or(last);
        }
        let answer = if slash {
            None
        } else {
            self.call(world, request, &path)
        };
        match answer {
            None => fault::unrouted(request.header("accept")),
            Some(answer) => answer
                .unwrap_or_else(Response::from)
                .with("x-compute-request-id", id.clone()),
        }
        .with("x-openstack-request-id", id)
    }

    fn event(&mut self, world: &mut World, event: Event) {
        let number = usize::try_from(event.id).unwrap_or(usize::MAX);
        match event.what {
            WORK => self.work(world, event.id),
            FIRE => self.fire(world, number),
            RETAIN => self.retain(world, number),
            TRAFFIC => self.make_traffic(world),
            MEND => self.mend(event.id),
            _ => {}
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.steer(world, path, request)
    }

    fn fault(&self, world: &World, _request: &Request, status: u16) -> Response {
        match status {
            401 => fault::unauthorized(&world.keystone_url()),
            status => Fault::injected(status).into(),
        }
    }
}

/// An id of 32 digits as a UUID is written.
fn hyphened(id: &str) -> String {
    uuid::Uuid::try_parse(id).map_or_else(|_| id.to_owned(), |uuid| uuid.to_string())
}
