//! Protectables: the types of resources, and what the cloud has of each.

use serde_json::{Value, json};

use super::Karbor;
use super::fault::{Answer, Fault};
use super::flow::{PROJECT, SERVER, VOLUME, named};
use super::list::Page;
use super::plan::Resource;
use super::python::Literal;
use crate::sim::fleet::ServerState;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The types in the order in which the service loads their plugins, each with the service of the cloud behind it.
const TYPES: [(&str, &str); 8] = [
    ("OS::Trove::Instance", "trove"),
    ("OS::Glance::Image", "glance"),
    ("OS::Neutron::Network", "neutron"),
    ("OS::Kubernetes::Pod", "k8s"),
    (PROJECT, "keystone"),
    (SERVER, "nova"),
    ("OS::Manila::Share", "manila"),
    (VOLUME, "cinder"),
];
/// How many restored things are remembered.
const KEPT: usize = 500;

/// What may hang on a resource of a type.
fn dependent(kind: &str) -> Vec<&'static str> {
    match kind {
        PROJECT => TYPES
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != PROJECT)
            .collect(),
        SERVER => vec!["OS::Glance::Image", VOLUME],
        "OS::Kubernetes::Pod" => vec![VOLUME],
        _ => Vec::new(),
    }
}

/// A thing of the cloud, with the zone that the disk service tells of a disk.
type Instance = (Resource, Option<String>);

impl Karbor {
    /// `GET /protectables`.
    pub(super) fn list_types() -> Answer {
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        Ok(Response::json(200, &json!({"protectable_type": names})))
    }

    /// `GET /protectables/{type}`.
    pub(super) fn show_type(kind: &str) -> Answer {
        service(kind)?;
        let body = json!({"protectable_type": {"name": kind, "dependent_types": dependent(kind)}});
        Ok(Response::json(200, &body))
    }

    /// `GET /protectables/{type}/instances`: all of them, whatever the limit and the marker say.
    pub(super) fn list_instances(&self, world: &World, kind: &str, request: &Request) -> Answer {
        let page = Page::read(request)?;
        settings(request)?;
        let instances = self.instances(world, kind)?;
        let rows = instances
            .iter()
            .map(|instance| self.instance_json(world, instance))
            .collect();
        let keys = ("instances", "instances");
        let answer = page.answer(request, keys, &self.base(world), rows);
        Ok(Response::json(200, &answer))
    }

    /// `GET /protectables/{type}/instances/{id}`.
    pub(super) fn show_instance(
        &self,
        world: &World,
        kind: &str,
        id: &str,
        request: &Request,
    ) -> Answer {
        settings(request)?;
        let service = service(kind)?;
        let missing = |why: String| {
            Fault::missing(format!(
                "The resource {id} of type {kind} could not be found: {why}"
            ))
        };
        if kind == PROJECT {
            // Any id will do.
            let instance = (named(PROJECT, id, &world.account.project), None);
            let body = json!({"instance": self.instance_json(world, &instance)});
            return Ok(Response::json(200, &body));
        }
        let all = self
            .instances(world, kind)
            .map_err(|_| missing(no_endpoint(service)))?;
        let found = all.into_iter().find(|(it, _)| it.id == id);
        if let Some(instance) = found {
            let body = json!({"instance": self.instance_json(world, &instance)});
            return Ok(Response::json(200, &body));
        }
        let broken = world
            .fleet
            .get(id)
            .is_some_and(|it| kind == SERVER && it.state == ServerState::Error);
        if broken {
            return Err(Fault::server(format!(
                "The resource {id} of type {kind} has a invalid status: ERROR"
            )));
        }
        let what = if kind == SERVER { "Instance" } else { "Volume" };
        Err(missing(format!(
            "{what} {id} could not be found. (HTTP 404) (Request-ID: req-{})",
            request.id
        )))
    }

    /// What the cloud has of a type.
    fn instances(&self, world: &World, kind: &str) -> Result<Vec<Instance>, Fault> {
        let service = service(kind)?;
        let servers = || world.fleet.servers().iter();
        let restored = self.restored.iter().filter(|it| it.kind == kind).cloned();
        let zone = || servers().next().map(|server| server.az.clone());
        match kind {
            PROJECT => Ok(vec![(
                named(PROJECT, &world.account.project_id, &world.account.project),
                None,
            )]),
            SERVER if world.switches.on("karbor.nova") => Ok(servers()
                .filter(|it| Self::is_listed(it))
                .map(|it| (named(SERVER, &it.id, &it.name), None))
                .chain(restored.map(|it| (it, None)))
                .collect()),
            VOLUME if self.has_cinder(world) => Ok(servers()
                .filter(|it| it.state != ServerState::Deleted)
                .flat_map(|it| it.volumes.iter().map(move |volume| (it, volume)))
                .filter(|(_, volume)| !volume.broken)
                .map(|(it, volume)| (named(VOLUME, &volume.id, &volume.name), Some(it.az.clone())))
                .chain(restored.map(|it| (it, zone())))
                .collect()),
            _ => Err(Fault::server(format!(
                "List protectable resources of type {kind} failed: {}",
                no_endpoint(service)
            ))),
        }
    }

    fn instance_json(&self, world: &World, (it, zone): &Instance) -> Value {
        let dependents: Vec<Value> = self
            .dependents(world, it)
            .iter()
            .map(|(it, zone)| {
                json!({"type": it.kind, "id": it.id, "name": it.name, "extra_info": extra(zone.as_deref())})
            })
            .collect();
        json!({
            "id": it.id, "type": it.kind, "name": it.name, "extra_info": extra(zone.as_deref()),
            "dependent_resources": dependents,
        })
    }

    /// A restore made something.
    pub(super) fn keep(&mut self, kind: &str, id: String, name: String) {
        self.restored.push(named(kind, &id, &name));
        if self.restored.len() > KEPT {
            self.restored.remove(0);
        }
    }
}

fn extra(zone: Option<&str>) -> Value {
    zone.map_or(Value::Null, |zone| json!({"availability_zone": zone}))
}

fn no_endpoint(service: &str) -> String {
    format!("Couldn't find the endpoint of service({service})")
}

/// The service behind a type.
fn service(kind: &str) -> Result<&'static str, Fault> {
    TYPES
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, service)| *service)
        .ok_or_else(|| Fault::input("Invalid protectable type provided."))
}

/// Refuses settings for the plugin that are no dictionary; the others play no part.
fn settings(request: &Request) -> Result<(), Fault> {
    match request.param("parameters").map(Literal::read) {
        None | Some(Literal::Dict | Literal::Null) => Ok(()),
        Some(_) => Err(Fault::input("The parameters must be a dict.")),
    }
}
