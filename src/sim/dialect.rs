//! What a dialect is: one vendor's way of speaking HTTP about the shared world.
//!
//! A dialect keeps its own things (backups, policies, groups, jobs) and shares through [`World`] what more than one
//! service can see: servers and disks, availability zones, quotas, tokens, the clock. To add one: write a file (or
//! folder) with a type that implements [`Dialect`] and a `pub const ENTRY: DialectEntry`, then name it in the
//! crate's registry of kinds.
//!
//! Time: never read the real clock. Use [`World::now`]; to have something happen later, call [`World::schedule`] and
//! wait for [`Dialect::event`]. The engine delivers the events of all services in order of time and sets `now` to
//! each event's own instant, also when a test jumps thirty days at once. What is only looked at (a progress in per
//! cent) is best worked out from the times when it is asked for.

use super::http::{Request, Response};
use super::queue::Event;
use super::service::AuthLine;
use super::switches::SwitchSpec;
use super::world::World;
use super::{control, gateway};

/// The number of a service within one running simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(pub usize);

/// One service's behaviour. Calls never overlap: everything happens under one lock, so nothing here may block.
pub trait Dialect: Send {
    /// Answers one request, faithfully: wrong input gets the vendor's own error, never a panic.
    fn handle(&mut self, world: &mut World, request: &Request) -> Response;

    /// Something that was scheduled for this service is due; [`World::now`] is its instant.
    fn event(&mut self, world: &mut World, event: Event) {
        let _ = (world, event);
    }

    /// Answers a request under `/_sim/` that the general controls don't know (see [`control`]): ways for tests and
    /// the demo to change or count what only this dialect has. `path` is what follows `/_sim`.
    fn control(&mut self, world: &mut World, path: &[&str], request: &Request) -> Response {
        let _ = (world, request);
        control::unknown(path)
    }

    /// The service's own words for a failure that is switched on from outside (429, 500, 503 …). The default is the
    /// API gateway's shape, `{"error_code","error_msg","request_id"}`.
    fn fault(&self, world: &World, request: &Request, status: u16) -> Response {
        let _ = world;
        gateway::fault(request, status)
    }

    /// The same answer, saying when to ask again: `after` is seconds or a date, as it was asked for. The default is
    /// the header of HTTP itself.
    fn retry_after(&self, response: Response, after: &str) -> Response {
        response.with("retry-after", after)
    }
}

/// How a service stands in the Keystone catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CatalogEntry {
    /// The service type, e.g. `data-protect`.
    pub service_type: &'static str,
    /// The service's name in the catalogue.
    pub name: &'static str,
    /// The region its endpoint is listed under.
    pub region: &'static str,
    /// The path of the listed URL; `{project_id}` stands for the token's project.
    pub path: &'static str,
}

/// All that the core must know to run a dialect.
#[derive(Debug, Clone, Copy)]
pub struct DialectEntry {
    /// The kind (`csbs`, `sdrs` …).
    pub kind: &'static str,
    /// The name under which the service appears, believable as a user's own.
    pub name: &'static str,
    /// The path of the endpoint, as a client should be configured; `{project_id}` is left for the client to fill.
    pub path: &'static str,
    /// Its place in the Keystone catalogue, if any.
    pub catalog: Option<CatalogEntry>,
    /// How a client logs in.
    pub auth: fn(&World) -> AuthLine,
    /// The choices that nobody documented, each with its default.
    pub switches: &'static [SwitchSpec],
    /// Makes the dialect with its part of the world (the fleet exists already) and schedules its first events.
    pub make: fn(&mut World, ServiceId) -> Box<dyn Dialect>,
}
