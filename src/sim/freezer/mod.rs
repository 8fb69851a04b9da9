//! OpenStack Freezer: backups of folders by a scheduler and an agent on each client (freezer-api and freezer-scheduler
//! 19.0.0, as a real one answered).
//!
//! | file | what |
//! | --- | --- |
//! | `job`, `client`, `backup`, `session` | the nouns; the last three with their calls |
//! | `job_calls` | calls about jobs, events and actions |
//! | `schedule`, `agent`, `outcome` | when a job is due, what the scheduler makes of events, how a run goes |
//! | `search`, `refusal` | lists with a search in the body of a GET; errors |
//! | `populate`, `life`, `control` | the fleet to begin with, what happens by itself, the side path of tests |
//!
//! A job's record holds its last run only, in two fields (`status` and `result`), and nowhere a reason.

mod agent;
pub mod backup;
pub mod client;
mod control;
pub mod job;
mod job_calls;
mod life;
mod outcome;
mod populate;
mod refusal;
pub mod schedule;
mod search;
pub mod session;

use serde_json::json;

use self::backup::Backup;
use self::client::Client;
use self::job::{Job, JobAction};
use self::refusal::{Answer, Refusal};
use self::session::Session;
use super::dialect::{CatalogEntry, Dialect, DialectEntry, ServiceId};
use super::http::{Request, Response};
use super::keystone;
use super::queue::Event;
use super::switches::{NUMBER, SwitchSpec};
use super::table::{Row, Table};
use super::world::World;

/// Freezer's line in the list of dialects.
pub const ENTRY: DialectEntry = DialectEntry {
    kind: "freezer",
    name: "linux-files",
    path: "/v2/{project_id}",
    catalog: Some(CatalogEntry {
        service_type: "backup",
        name: "freezer",
        region: "eu-de",
        path: "",
    }),
    auth: keystone::login,
    switches: &[
        SwitchSpec {
            name: "freezer.abort",
            values: &["ignored", "works"],
            about: "an abort of a running job: accepted and not carried out, as 19.0.0 does, or carried out",
        },
        SwitchSpec {
            name: "freezer.poll_seconds",
            values: &["5", NUMBER],
            about: "how often schedulers look for jobs and events",
        },
    ],
    make: |world, service| Box::new(Freezer::new(world, service)),
};

/// Event: a scheduler looks at a job.
const POLL: u32 = 1;
/// Event: a job is due.
const FIRE: u32 = 2;
/// Event: a run is over.
const END: u32 = 3;
/// Event: something happens by itself.
const LIFE: u32 = 4;
/// Event: a folder is back.
const MEND: u32 = 5;

impl Row for JobAction {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The service with all that it keeps.
pub struct Freezer {
    service: ServiceId,
    /// Clients.
    pub clients: Table<Client>,
    /// Jobs.
    pub jobs: Table<Job>,
    /// Actions, also those of jobs.
    pub actions: Table<JobAction>,
    /// Backups.
    pub backups: Table<Backup>,
    /// Sessions.
    pub sessions: Table<Session>,
}

impl Freezer {
    fn new(world: &mut World, service: ServiceId) -> Self {
        let mut freezer = Self {
            service,
            clients: Table::default(),
            jobs: Table::default(),
            actions: Table::default(),
            backups: Table::default(),
            sessions: Table::default(),
        };
        freezer.populate(world);
        freezer.begin_life(world);
        freezer
    }

    /// `GET /`.
    fn versions(&self, world: &World) -> Response {
        let body = json!({"versions": [{
            "id": "v2", "status": "CURRENT", "updated": "2018-02-21T13:30:00",
            "links": [{"href": format!("{}/v2/", world.root(self.service)), "rel": "self"}],
        }]});
        Response::json(300, &body)
    }

    /// The calls below `/v2/{project_id}`.
    fn call(&mut self, world: &mut World, request: &Request, path: &[&str]) -> Answer {
        match (request.method.as_str(), path) {
            ("GET", ["jobs"]) => self.list_jobs(world, request),
            ("POST", ["jobs"]) => self.create_job(world, request),
            ("GET", ["jobs", id]) => self.show_job(world, id),
            ("PATCH", ["jobs", id]) => self.update_job(world, id, request),
            ("POST", ["jobs", id]) => self.replace_job(world, id, request),
            ("DELETE", ["jobs", id]) => self.delete_job(world, id),
            ("POST", ["jobs", id, "event"]) => self.job_event(world, id, request),
            ("GET", ["clients"]) => self.list_clients(world, request),
            ("POST", ["clients"]) => self.register_client(world, request),
            ("GET", ["clients", id]) => self.show_client(world, id),
            ("DELETE", ["clients", id]) => self.delete_client(id),
            ("GET", ["actions"]) => self.list_actions(world, request),
            ("POST", ["actions"]) => self.create_action(world, request),
            ("GET", ["actions", id]) => self.show_action(world, id),
            ("DELETE", ["actions", id]) => self.delete_action(id),
            ("GET", ["backups"]) => self.list_backups(world, request),
            ("POST", ["backups"]) => self.report_backup(world, request),
            ("GET", ["backups", id]) => self.show_backup(world, id),
            ("DELETE", ["backups", id]) => self.delete_backup(id),
            ("GET", ["sessions"]) => self.list_sessions(world, request),
            ("POST", ["sessions"]) => self.create_session(world, request),
            ("GET", ["sessions", id]) => self.show_session(world, id),
            ("PATCH", ["sessions", id]) => self.update_session(id, request),
            ("DELETE", ["sessions", id]) => self.delete_session(id),
            ("POST", ["sessions", id, "action"]) => self.session_action(world, id, request),
            ("PUT", ["sessions", id, "jobs", job]) => self.add_to_session(world, id, job),
            ("DELETE", ["sessions", id, "jobs", job]) => self.drop_from_session(world, id, job),
            (
                _,
                ["jobs" | "clients" | "actions" | "backups" | "sessions"]
                | ["jobs" | "clients" | "actions" | "backups" | "sessions", _]
                | ["jobs", _, "event"]
                | ["sessions", _, "action"]
                | ["sessions", _, "jobs", _],
            ) => Err(Refusal::method()),
            _ => Err(Refusal::path()),
        }
    }
}

/// The refusal of the middleware that checks tokens, which speaks Keystone's dialect and not the service's.
fn unauthorized(world: &World) -> Response {
    let body = json!({"error": {
        "code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }});
    Response::json(401, &body).with(
        "www-authenticate",
        format!("Keystone uri=\"{}\"", world.keystone_url()),
    )
}

impl Dialect for Freezer {
    fn handle(&mut self, world: &mut World, request: &Request) -> Response {
        let (method, path) = request.route();
        if (method, path.as_slice()) == ("GET", &[]) {
            return self.versions(world);
        }
        let token = request.header("x-auth-token");
        let scoped = world
            .tokens
            .check(token, world.now())
            .is_ok_and(|token| token.project_id.is_some());
        if !scoped {
            return unauthorized(world);
        }
        let answer = match path.as_slice() {
            ["v2", _project, path @ ..] => self.call(world, request, path),
            _ => Err(Refusal::path()),
        };
        answer
            .unwrap_or_else(Response::from)
            .with("x-openstack-request-id", format!("req-{}", request.id))
    }

    fn event(&mut self, world: &mut World, event: Event) {
        match event.what {
            POLL => self.poll(world, event.id),
            FIRE => self.fire(world, event.id),
            END => self.end(world, event.id),
            _ => self.live(world, event),
        }
    }

    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        self.steer(world, path, request)
    }

    fn fault(&self, _world: &World, _request: &Request, status: u16) -> Response {
        let title = match status {
            429 => "429 Too Many Requests",
            503 => "503 Service Unavailable",
            _ => "Internal Server Error",
        };
        Response::json(
            status,
            &json!({"title": title, "description": format!("injected HTTP {status}")}),
        )
    }
}
