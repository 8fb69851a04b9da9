//! SDRS: storage disaster recovery between two availability zones (SDRS API reference).
//!
//! | file | what |
//! | --- | --- |
//! | `group`, `instance`, `pair`, `drill` | the four nouns and how they look on the wire |
//! | `status`, `codes`, `time`, `switches` | words, error codes, time formats, undocumented choices |
//! | `site` | zones, networks, free disks and the link between the sites |
//! | `work`, `job`, `run`, `effect` | what jobs are about, what they are, how they run, what they do |
//! | `trouble` | why jobs fail |
//! | `task_center` | failed tasks |
//! | `*_calls`, `query` | the HTTP calls, and what they read alike |
//! | `populate`, `life` | the fleet to begin with, and what happens by itself |
//! | `control` | the side path of tests |
//!
//! All 49 calls of the API are answered but one: `GET /resource/rpo-statistics` (a trend of Huawei Cloud only, which
//! no console needs) says 501.

mod batch_calls;
mod change_calls;
pub mod codes;
mod control;
pub mod drill;
mod drill_calls;
mod effect;
pub mod group;
mod group_calls;
pub mod instance;
mod instance_calls;
pub mod job;
mod life;
pub mod pair;
mod pair_calls;
mod populate;
mod query;
mod run;
pub mod site;
pub mod status;
mod switches;

mod tag_calls;
mod task_calls;
pub mod task_center;
pub mod time;
mod trouble;
pub mod work;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::codes::{Code, Refusal};
use self::drill::Drill;
use self::group::Group;
use self::instance::Instance;
use self::job::Job;
use self::pair::Pair;
use self::query::Answer;
use self::site::Site;
use self::task_center::TaskCenter;
use super::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::queue::Event;
use super::world::World;
use super::{gateway, keystone};
use crate::sim::table::Table;

/// SDRS's line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "sdrs",
    name: "otc-dr",
    path: "/v1/{project_id}",
    catalog: Some(CatalogEntry {
        service_type: "sdrs",
        name: "sdrs",
        region: "eu-de",
        path: "/v1/{project_id}",
    }),
    auth: keystone::login,
    switches: switches::SWITCHES,
    make: |world, service| Box::new(Sdrs::new(world, service)),
};

/// Event: the running step of a job is due.
const STEP: u32 = 1;
/// Event: something happens by itself.
const LIFE: u32 = 2;
/// Event: what was out of order is put right.
const CURE: u32 = 3;
/// Event: the next scheduled drill is due.
const DRILL: u32 = 4;
/// Event: a scheduled drill is over.
const DRILL_OVER: u32 = 5;
/// Event: somebody looks after a group in error.
const ATTEND: u32 = 6;

/// The quota of groups among the world's.
const GROUP_QUOTA: &str = "sdrs.server_groups";
/// The quota of pairs among the world's.
const PAIR_QUOTA: &str = "sdrs.replications";

/// The service with all that it keeps.
pub struct Sdrs {
    service: ServiceId,
    /// Protection groups.
    pub groups: Table<Group>,
    /// Protected instances.
    pub instances: Table<Instance>,
    /// Replication pairs.
    pub pairs: Table<Pair>,
    /// DR drills.
    pub drills: Table<Drill>,
    /// Jobs, also those that ended.
    pub jobs: Table<Job>,
    /// Failed tasks.
    pub task_center: TaskCenter,
    /// What the sites offer.
    pub site: Site,
    /// Production servers that some instance has.
    used_servers: BTreeSet<String>,
    /// Production disks that some pair has.
    used_disks: BTreeSet<String>,
    job_key: u32,
    job_count: u16,
    life: life::Life,
}

impl Sdrs {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut sdrs = Self {
            service,
            groups: Table::default(),
            instances: Table::default(),
            pairs: Table::default(),
            drills: Table::default(),
            jobs: Table::default(),
            task_center: TaskCenter::default(),
            site: Site::new(world),
            used_servers: BTreeSet::new(),
            used_disks: BTreeSet::new(),
            job_key: world.rng.u32(..),
            job_count: 0,
            life: life::Life::default(),
        };
        sdrs.populate(world);
        sdrs.begin_life(world);
        sdrs
    }

    /// The number behind an id.
    ///
    /// # Errors
    /// One code for what is no id, another for one that nobody has (as a 404 where the switch says so).
    fn key(
        &self,
        world: &World,
        key: Option<u64>,
        id: &str,
        malformed: &'static Code,
        unknown: &'static Code,
    ) -> Result<u64, Refusal> {
        match key {
            Some(key) => Ok(key),
            None if !query::well_formed(id) => Err(malformed.into()),
            None if world.switches.get("sdrs.not_found") == "404" => Err(Refusal {
                http: 404,
                wrapper: "itemNotFound",
                ..unknown.into()
            }),
            None => Err(unknown.into()),
        }
    }

    /// The answer to an accepted change.
    fn accept(&self, status: u16, job: u64) -> Answer {
        let job = self.jobs.get(job).ok_or(codes::PARAMETER)?;
        Ok(query::accepted(status, &job.id))
    }

    /// `GET /jobs/{id}`. A job that failed is a 200 as well.
    fn show_job(&self, world: &World, id: &str) -> Answer {
        let found = self.jobs.find(id).and_then(|key| self.jobs.get(key));
        match found {
            Some(job) => Ok(Response::json(200, &self.job_json(world, job))),
            // A part of a job can be asked for by its own id as well.
            None => self.show_sub_job(world, id).ok_or_else(|| {
                if world.switches.get("sdrs.unknown_job") == "404" {
                    Refusal {
                        http: 404,
                        wrapper: "itemNotFound",
                        ..codes::PARAMETER.into()
                    }
                } else {
                    codes::PARAMETER.into()
                }
            }),
        }
    }

    fn show_sub_job(&self, world: &World, id: &str) -> Option<Response> {
        let owns = |job: &&Job| {
            job.steps.iter().any(|step| {
                step.shown
                    .as_ref()
                    .is_some_and(|(sub_job, ..)| sub_job == id)
            })
        };
        let job = self.jobs.newest().map(|(_, job)| job).find(owns)?;
        let body = self.job_json(world, job);
        let parts = body.pointer("/entities/sub_jobs")?.as_array()?;
        let part = parts.iter().find(|part| part["job_id"] == id)?;
        Some(Response::json(200, part))
    }

    /// `GET /sdrs/quotas`: an object that holds a list.
    fn quotas(world: &World) -> Value {
        let line = |name: &str, key: &str| {
            let quota = world.quotas.get(key);
            json!({"type": name, "used": quota.used, "quota": quota.limit, "min": 0, "max": -1})
        };
        json!({"quotas": {"resources": [
            line("server_groups", GROUP_QUOTA), line("replications", PAIR_QUOTA),
        ]}})
    }

    /// `GET /` and `GET /v1`.
    fn version(&self, world: &World) -> Value {
        json!({
            "id": "v1", "version": "", "min_version": "", "status": "CURRENT",
            "updated": "2018-05-30T15:00:00Z",
            "links": [{"rel": "self", "href": format!("{}/v1", world.root(self.service))}],
        })
    }

    /// The calls below `/v1/{project_id}`, literal paths before those with ids in the same place.
    fn call(&mut self, world: &mut World, request: &Request, path: &[&str]) -> Option<Answer> {
        const INSTANCES: &str = "protected-instances";
        const GROUPS: &str = "server-groups";
        const DRILLS: &str = "disaster-recovery-drills";
        Some(match (request.method.as_str(), path) {
            ("GET", ["jobs", id]) => self.show_job(world, id),
            ("GET", ["active-domains"]) => Ok(Response::json(
                200,
                &json!({"domains": self.site.domains_json(world)}),
            )),
            ("GET", ["sdrs", "quotas"]) => Ok(Response::json(200, &Self::quotas(world))),
            ("GET", ["resource", "rpo-statistics"]) => Err(Refusal {
                http: 501,
                code: "501".into(),
                message: "Not Implemented".into(),
                wrapper: "error",
            }),
            ("POST", [GROUPS]) => self.create_group(world, request),
            ("GET", [GROUPS]) => self.list_groups(world, request),
            ("GET", [GROUPS, id]) => self.show_group(world, id),
            ("PUT", [GROUPS, id]) => self.rename_group(world, id, request),
            ("DELETE", [GROUPS, id]) => self.delete_group(world, id),
            ("POST", [GROUPS, id, "action"]) => self.act_on_group(world, id, request),
            ("POST", [INSTANCES, "batch"]) => self.create_instances(world, request),
            ("POST", [INSTANCES, "delete"]) => self.delete_instances(world, request),
            ("GET", [INSTANCES, "tags"]) => self.project_tags(),
            ("POST", [INSTANCES, "resource_instances", "action"]) => {
                self.search_by_tags(world, request)
            }
            ("POST", [INSTANCES]) => self.create_instance(world, request),
            ("GET", [INSTANCES]) => self.list_instances(world, request),
            ("GET", [INSTANCES, id]) => self.show_instance(world, id),
            ("PUT", [INSTANCES, id]) => self.rename_instance(world, id, request),
            ("DELETE", [INSTANCES, id]) => self.delete_instance(world, id, request),
            ("POST", [INSTANCES, id, "attachreplication"]) => self.attach_pair(world, id, request),
            ("DELETE", [INSTANCES, id, "detachreplication", pair]) => {
                self.detach_pair(world, id, pair)
            }
            ("POST", [INSTANCES, id, "nic"]) => self.add_nic(world, id, request),
            ("POST", [INSTANCES, id, "nic", "delete"]) => self.delete_nic(world, id, request),
            ("POST", [INSTANCES, id, "resize"]) => self.resize(world, id, request),
            ("POST", [INSTANCES, id, "tags"]) => self.add_tag(world, id, request),
            ("GET", [INSTANCES, id, "tags"]) => self.show_tags(world, id),
            ("POST", [INSTANCES, id, "tags", "action"]) => self.change_tags(world, id, request),
            ("DELETE", [INSTANCES, id, "tags", key]) => self.delete_tag(world, id, key),
            ("POST", ["replications"]) => self.create_pair(world, request),
            ("GET", ["replications"]) => self.list_pairs(world, request),
            ("GET", ["replications", id]) => self.show_pair(world, id),
            ("PUT", ["replications", id]) => self.rename_pair(world, id, request),
            ("DELETE", ["replications", id]) => self.delete_pair(world, id, request),
            ("POST", ["replications", id, "action"]) => self.act_on_pair(world, id, request),
            ("POST", [DRILLS]) => self.create_drill(world, request),
            ("GET", [DRILLS]) => self.list_drills(world, request),
            ("GET", [DRILLS, id]) => self.show_drill(world, id),
            ("PUT", [DRILLS, id]) => self.rename_drill(world, id, request),
            ("DELETE", [DRILLS, id]) => self.delete_drill(world, id),
            ("GET", ["task-center", "failure-jobs"]) => self.list_failed(world, request),
            ("DELETE", ["task-center", "failure-jobs", "batch"]) => {
                self.clear_all_failed(world, None)
            }
            ("DELETE", ["task-center", "failure-jobs", id]) => self.clear_failed(world, id),
            ("DELETE", ["task-center", id, "failure-jobs", "batch"]) => {
                self.clear_all_failed(world, Some(id))
            }
            _ => return None,
        })
    }
}

impl Dialect for Sdrs {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let (method, path) = request.route();
        match (method, path.as_slice()) {
            ("GET", []) => {
                return Response::json(200, &json!({"versions": [self.version(world)]}));
            }
            ("GET", ["v1"]) => {
                return Response::json(200, &json!({"version": self.version(world)}));
            }
            _ => {}
        }
        if let Err(refusal) = gateway::authorize(world, request) {
            return refusal;
        }
        let ["v1", project, path @ ..] = path.as_slice() else {
            return gateway::not_published(request);
        };
        let answer = if *project == world.account.project_id {
            self.call(world, request, path)
        } else if world.switches.get("sdrs.project_mismatch") == "403" {
            Some(Err(Refusal {
                http: 403,
                ..codes::PERMISSION.into()
            }))
        } else {
            Some(Err(codes::PROJECT.into()))
        };
        match answer {
            Some(Ok(response)) => response,
            Some(Err(mut refusal)) => {
                if refusal.http == 400 && world.switches.get("sdrs.error_wrapper") != "error" {
                    refusal.wrapper = "badrequest";
                }
                Response::json(refusal.http, &refusal.to_json())
            }
            None => gateway::not_published(request),
        }
    }

    fn event(&mut self, world: &mut World, event: Event) {
        match event.what {
            STEP => self.step(world, event.id),
            _ => self.live(world, event),
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.steer(world, path, request)
    }
}
