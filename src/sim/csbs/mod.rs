//! CSBS, the Cloud Server Backup Service: backups of servers by policy and by hand.
//!
//! | file | what |
//! | --- | --- |
//! | `codes` | the error codes with their templates |
//! | `backups`, `item` | the rows, and how one is shown |
//! | `list` | listing, counting, filtering, sorting, paging |
//! | `requests` | back up, check, restore, delete, quotas |
//! | `policy`, `policies`, `policy_runs`, `schedule` | one policy; the calls on policies; their runs; when they are due |
//! | `checks` | what the world has to say about it |
//! | `run` | how operations begin and end |
//! | `tags`, `replication` | the calls of those families |
//! | `seed`, `traffic` | the history it starts with, and what others do meanwhile |
//! | `control` | its part of `/_sim/` |

mod backups;
mod checks;
mod codes;
mod control;
mod item;
mod list;
mod policies;
mod policy;
mod policy_runs;
mod replication;
mod requests;
mod run;
mod schedule;
mod seed;
mod tags;
mod traffic;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::Value;

use backups::Backups;
use codes::Refusal;
use policy::{PROVIDER, Policy, tag};

use super::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::ids::Ids;
use super::queue::Event;
use super::switches::{NUMBER, OFF_ON, SwitchSpec};
use super::world::World;
use super::{gateway, keystone};

/// The limit on the number of backups.
const QUOTA_BACKUPS: &str = "csbs.backups";
/// The limit on their size, in GB.
const QUOTA_CAPACITY: &str = "csbs.backup_capacity";
/// The limit on the number of policies (documented: 32 a user).
const QUOTA_POLICIES: &str = "csbs.policies";

/// The line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "csbs",
    name: "otc-eu",
    path: "/v1/{project_id}",
    catalog: Some(CatalogEntry {
        service_type: "data-protect",
        name: "csbs",
        region: "eu-de",
        path: "/v1/{project_id}",
    }),
    auth: keystone::login,
    switches: SWITCHES,
    make: |world, service| Box::new(Csbs::new(world, service)),
};

const SWITCHES: &[SwitchSpec] = &[
    SwitchSpec {
        name: "csbs.variant",
        values: &["otc", "huawei"],
        about: "huawei adds bare metal servers and the replication calls",
    },
    SwitchSpec {
        name: "csbs.account",
        values: &["active", "migrated", "new", "unverified"],
        about: "any other value makes every call answer BackupService.4003, 4008 or CSBS.9009",
    },
    SwitchSpec {
        name: "csbs.backend",
        values: &["up", "down"],
        about: "down makes every operation that ends meanwhile fail with CSBS.9999",
    },
    SwitchSpec {
        name: "csbs.backup_seconds",
        values: &["60", NUMBER],
        about: "mean duration of a backup in virtual seconds",
    },
    SwitchSpec {
        name: "csbs.restore_seconds",
        values: &["45", NUMBER],
        about: "mean duration of a restore in virtual seconds",
    },
    SwitchSpec {
        name: "csbs.delete_seconds",
        values: &["8", NUMBER],
        about: "mean duration of a deletion in virtual seconds",
    },
    SwitchSpec {
        name: "csbs.waiting_seconds",
        values: &["0", NUMBER],
        about: "how long operations stay in a waiting_ state first (their place in the walk is not documented)",
    },
    SwitchSpec {
        name: "csbs.stopped_server",
        values: &["CSBS.6005", "CSBS.6001", "ok"],
        about: "what a backup of a server that is switched off answers",
    },
    SwitchSpec {
        name: "csbs.shared_disks",
        values: OFF_ON,
        about: "on allows servers with shared disks (one user guide says so, the error table does not)",
    },
    SwitchSpec {
        name: "csbs.policy_bad_server",
        values: &["error", "skip"],
        about: "what a run by hand makes of a server that can't be backed up while others can",
    },
    SwitchSpec {
        name: "csbs.failed_restore",
        values: &["marked", "silent", "error"],
        about: "what a failed restore leaves: available with fail_code, available without, or status error",
    },
    SwitchSpec {
        name: "csbs.fail_code",
        values: &["full", "digits", "number"],
        about: "fail_code.Code as \"CSBS.6005\", \"6005\" or 6005",
    },
    SwitchSpec {
        name: "csbs.numbers",
        values: &["typed", "text"],
        about: "whether operation_definition is shown typed or all in texts",
    },
    SwitchSpec {
        name: "csbs.policy_status",
        values: &["suspended", "documented"],
        about: "policy.status as seen (always suspended) or as documented (enabled, disabled)",
    },
    SwitchSpec {
        name: "csbs.put_missing",
        values: &["keep", "reset"],
        about: "what an update does to fields of the scheduled operation that it leaves out",
    },
    SwitchSpec {
        name: "csbs.links",
        values: OFF_ON,
        about: "on adds checkpoint_items_links and policies_links to full pages",
    },
    SwitchSpec {
        name: "csbs.keep_failed",
        values: &["10", NUMBER],
        about: "failed automatic backups kept for each server; 0 keeps all",
    },
    SwitchSpec {
        name: "csbs.adversarial",
        values: OFF_ON,
        about: "on shows some numbers as fractions or texts, leaves tags out, and varies null and empty",
    },
];

/// What a due event asks for; see [`Event::what`].
mod what {
    pub const END: u32 = 0;
    pub const LEAVE_QUEUE: u32 = 1;
    pub const FIRE: u32 = 2;
    pub const TRAFFIC: u32 = 3;
    pub const REVIVE: u32 = 4;
    pub const COPY: u32 = 5;
}

/// The service.
struct Csbs {
    service: ServiceId,
    ids: Ids,
    backups: Backups,
    /// The list that was sorted last, for its next page.
    sorted: RefCell<list::Sorted>,
    policies: BTreeMap<u32, Policy>,
    next_policy: u32,
    /// Servers with a backup under way, and how many.
    busy: HashMap<String, u32>,
    /// Servers that have a first, full backup.
    has_full: HashSet<String>,
    latest_snapshot: HashMap<String, u32>,
    /// Deletes that users asked for: under way, and waiting.
    deleting: usize,
    user_deletes: HashSet<u64>,
    delete_queue: VecDeque<u64>,
    restores: u64,
    records: BTreeMap<u64, replication::Record>,
    traffic: traffic::Traffic,
    /// Servers that the traffic has switched off, until it brings them back.
    asleep: BTreeSet<u64>,
}

impl Csbs {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut csbs = Self {
            service,
            ids: Ids::new(world.rng.u64(..)),
            backups: Backups::default(),
            sorted: RefCell::default(),
            policies: BTreeMap::new(),
            next_policy: 1,
            busy: HashMap::new(),
            has_full: HashSet::new(),
            latest_snapshot: HashMap::new(),
            deleting: 0,
            user_deletes: HashSet::new(),
            delete_queue: VecDeque::new(),
            restores: 0,
            records: BTreeMap::new(),
            traffic: traffic::Traffic::default(),
            asleep: BTreeSet::new(),
        };
        csbs.seed(world);
        csbs.start_traffic(world);
        csbs
    }

    /// Id of a backup.
    fn item_id(&self, number: u64) -> String {
        self.ids.uuid(tag::ITEM, number)
    }

    /// The number behind a backup's id, if there is such a backup.
    fn item_number(&self, id: &str) -> Option<u64> {
        let number = self.ids.number(tag::ITEM, id)?;
        self.backups.get(number).map(|_| number)
    }

    fn route(&mut self, world: &mut World, request: &Request) -> Result<Response, Refusal> {
        let (method, segments) = request.route();
        let not_published = Ok(gateway::not_published(request));
        let ["v1", project, path @ ..] = segments.as_slice() else {
            return not_published;
        };
        if *project != world.account.project_id {
            return Err(codes::BAD_PARAMETER.saying("Malformed request url"));
        }
        match world.switches.get("csbs.account") {
            "migrated" => return Err(codes::MIGRATED.plain()),
            "new" => return Err(codes::CLOSED.plain()),
            "unverified" => return Err(codes::UNVERIFIED.plain()),
            _ => {}
        }
        if let ["providers", id, ..] = path {
            provider(id)?;
        }
        match (method, path) {
            ("GET", ["checkpoint_items"]) => self.list_items(world, request),
            ("GET", ["checkpoint_items", "count"]) => self.count_items(request),
            ("GET", ["checkpoint_items", id]) => self.show_item(world, id),
            ("POST", ["providers", _, "resources", "action"]) => self.check(world, request),
            ("POST", ["providers", _, "resources", id, "action"]) => {
                self.protect(world, request, id)
            }
            ("POST", ["providers", _, "checkpoints"]) => self.execute_policy(world, request),
            ("DELETE", ["providers", _, "checkpoints", id]) => self.delete(world, request, id),
            ("POST", ["restores"]) => self.restore(world, request),
            ("GET", ["policies"]) => self.list_policies(world, request),
            ("POST", ["policies"]) => self.create_policy(world, request),
            ("GET", ["policies", id]) => self.show_policy(world, id),
            ("PUT", ["policies", id]) => self.update_policy(world, request, id),
            ("DELETE", ["policies", id]) => self.delete_policy(world, request, id),
            ("GET", ["quotas"]) => Ok(self.quotas(world)),
            (_, [first, rest @ ..]) => {
                if let Some(policies) = tags::kind(first)
                    && let Some(answer) = self.tag_call(world, request, policies, rest)
                {
                    return answer;
                }
                self.replication_call(world, request, path)
                    .unwrap_or(not_published)
            }
            _ => not_published,
        }
    }
}

impl Dialect for Csbs {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        if let Err(refusal) = gateway::authorize(world, request) {
            return refusal;
        }
        self.route(world, request).unwrap_or_else(Response::from)
    }

    fn event(&mut self, world: &mut World, event: Event) {
        match event.what {
            what::END => self.end(world, event.id),
            what::LEAVE_QUEUE => self.leave_queue(world, event.id),
            what::FIRE => self.fire(world, event.id),
            what::TRAFFIC => self.make_traffic(world),
            what::REVIVE => self.revive(world, event.id),
            what::COPY => self.copy_step(world, event.id),
            _ => {}
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.control_call(world, path, request)
    }

    fn fault(&self, world: &World, request: &Request, status: u16) -> Response {
        let _ = world;
        match status {
            500 => Response::json(500, &codes::INTERNAL.with(&["request"]).to_json()),
            503 => Response::json(503, &codes::UNAVAILABLE.plain().to_json()),
            _ => gateway::fault(request, status),
        }
    }
}

/// Checks a provider id: there is only one.
fn provider(id: &str) -> Result<(), Refusal> {
    if id == PROVIDER {
        Ok(())
    } else {
        Err(codes::BAD_PARAMETER.plain())
    }
}

/// The body as a JSON object.
fn body(request: &Request) -> Result<Value, Refusal> {
    request
        .json()
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| codes::BAD_PARAMETER.saying("the body is not a JSON object"))
}
