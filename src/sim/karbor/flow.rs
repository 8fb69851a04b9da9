//! What the protection service does over time: a run backs its resources up, a deletion takes the backups away, a restore
//! makes new ones of them. Whether it works out depends on the disks, servers and services of the world; the reason stands
//! in the service's own log file only, which here is the journal (`karbor.log`).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::checkpoint::{Checkpoint, Graph, Node, Status};
use super::fault::Fault;
use super::log::{Log, Operation};
use super::plan::Resource;
use super::provider::Provider;
use super::{Karbor, WORK, tag};
use crate::sim::fleet::{Server, ServerState, Volume};
use crate::sim::world::World;

/// A disk.
pub(super) const VOLUME: &str = "OS::Cinder::Volume";
/// A server.
pub(super) const SERVER: &str = "OS::Nova::Server";
/// The whole project.
pub(super) const PROJECT: &str = "OS::Keystone::Project";
/// The limit on what the disk service keeps of backups, in GB.
pub(super) const GIGABYTES: &str = "cinder.backup_gigabytes";
/// How much of a disk a backup moves in a second, in GB.
const RATE: f64 = 0.5;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A checkpoint is made.
    Protect,
    /// A checkpoint is deleted.
    Delete,
    /// A restore makes the disks; its number.
    RestoreDisks(usize),
    /// A restore makes the servers over them.
    RestoreServers(usize),
    /// A verification looks at the backups; its number.
    Verify(usize),
    /// A copy begins.
    CopyBegins,
    /// A copy ends.
    CopyEnds,
}

/// Something under way.
#[derive(Debug)]
pub(super) struct Flow {
    /// What.
    pub work: Work,
    /// Of which checkpoint.
    pub checkpoint: usize,
    /// Its line in the operation log.
    pub log: usize,
    /// Why it has failed already, though nobody sees it yet.
    pub failed: Option<Trouble>,
}

/// Why something can't work out.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// In the plugin's words.
    pub why: String,
    /// Whether a backup is missing from the checkpoint for it, so that it can't be deleted either.
    pub lacking: bool,
}

impl Trouble {
    fn new(why: impl Into<String>, lacking: bool) -> Self {
        Self {
            why: why.into(),
            lacking,
        }
    }
}

impl Karbor {
    /// Whether the compute service lists a server.
    pub(super) fn is_listed(server: &Server) -> bool {
        !matches!(server.state, ServerState::Deleted | ServerState::Error)
    }

    /// Whether the disk service can be reached.
    pub(super) fn has_cinder(&self, world: &World) -> bool {
        world.switches.on("karbor.cinder") && self.cinder_up
    }

    /// A disk with the server that has it.
    pub(super) fn disk<'a>(world: &'a World, id: &str) -> Option<(&'a Server, &'a Volume)> {
        let mut servers = world.fleet.servers().iter();
        servers.find_map(|server| {
            let volume = server.volumes.iter().find(|volume| volume.id == id)?;
            (server.state != ServerState::Deleted).then_some((server, volume))
        })
    }

    /// A plan's resources with what hangs on them.
    ///
    /// # Errors
    /// The words of the one plugin that insists on an answer of its service, which this cloud does not have.
    pub(super) fn graph(&self, world: &World, resources: &[Resource]) -> Result<Graph, String> {
        if let Some(pod) = resources.iter().find(|it| it.kind == "OS::Kubernetes::Pod") {
            return Err(format!(
                "The resource {} of type OS::Kubernetes::Pod could not be found: unsupported operand type(s) for +: \
                 'NoneType' and 'str'",
                pod.id
            ));
        }
        let mut graph = Graph::default();
        let mut known = HashMap::new();
        for resource in resources {
            self.grow(world, &mut graph, &mut known, resource.clone(), None);
        }
        Ok(graph)
    }

    fn grow(
        &self,
        world: &World,
        graph: &mut Graph,
        known: &mut HashMap<(String, String, String), usize>,
        resource: Resource,
        zone: Option<String>,
    ) -> usize {
        let key = (
            resource.kind.clone(),
            resource.id.clone(),
            resource.name.clone(),
        );
        if let Some(index) = known.get(&key) {
            return *index;
        }
        let children: Vec<usize> = self
            .dependents(world, &resource)
            .into_iter()
            .map(|(child, zone)| self.grow(world, graph, known, child, zone))
            .collect();
        graph.0.push(Node {
            resource,
            zone,
            children,
        });
        known.insert(key, graph.0.len() - 1);
        graph.0.len() - 1
    }

    /// What hangs on a resource, with the zone of each disk. A service that can't be reached has nothing to say.
    pub(super) fn dependents(
        &self,
        world: &World,
        parent: &Resource,
    ) -> Vec<(Resource, Option<String>)> {
        let disks = |server: &Server| -> Vec<(Resource, Option<String>)> {
            if !self.has_cinder(world) {
                return Vec::new();
            }
            let row = |volume: &Volume| {
                (
                    named(VOLUME, &volume.id, &volume.name),
                    Some(server.az.clone()),
                )
            };
            server.volumes.iter().map(row).collect()
        };
        match parent.kind.as_str() {
            SERVER => {
                let server = world.fleet.get(&parent.id);
                let there = server.filter(|it| it.state != ServerState::Deleted);
                there.map(disks).unwrap_or_default()
            }
            PROJECT if world.switches.on("karbor.nova") => {
                let servers = || {
                    world
                        .fleet
                        .servers()
                        .iter()
                        .filter(|it| Self::is_listed(it))
                };
                servers()
                    .map(|server| (named(SERVER, &server.id, &server.name), None))
                    .chain(servers().flat_map(disks))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Makes a checkpoint of a plan and sets its run going; answers its number.
    ///
    /// # Errors
    /// 400 when the run can't begin. The checkpoint of a run that no plugin can do stays behind, protecting for good.
    pub(super) fn protect(&mut self, world: &mut World, plan: usize) -> Result<usize, Fault> {
        let refused = |why: String| Fault::bad(format!("Create checkpoint failed: {why}"));
        if !self.protection.up {
            let message = world.hex32();
            return Err(refused(format!(
                "Timed out waiting for a reply to message ID {message}"
            )));
        }
        if !self.bank_up {
            return Err(refused(
                "Flow: protect, Error: Error creating checkpoint".into(),
            ));
        }
        let plan = self
            .plans
            .get(plan)
            .ok_or_else(Fault::stumbled)?
            .now
            .clone();
        let provider = plan.provider;
        let graph = self.graph(world, &plan.resources);
        let number = self.add_checkpoint(Checkpoint {
            plan: plan.clone(),
            graph: None,
            created: world.now().timestamp_micros(),
            status: Status::Protecting,
            lacking: false,
            copy: false,
        });
        let graph = graph
            .map(Arc::new)
            .map_err(|why| refused(format!("Flow: protect, Error: {why}")))?;
        // The run before mostly held the very same: one copy will do.
        let before = self.checkpoints.iter().rev().take(64).find_map(|it| {
            let same = it.plan.plan == plan.plan && it.graph.as_ref() == Some(&graph);
            if same { it.graph.clone() } else { None }
        });
        let graph = before.unwrap_or(graph);
        if let Some(checkpoint) = self.checkpoints.get_mut(number) {
            checkpoint.graph = Some(graph.clone());
        }
        let log = self.begin_log(world, number, Operation::Protect);
        let odd = graph
            .0
            .iter()
            .find(|node| !provider.protects(&node.resource.kind));
        if let Some(node) = odd {
            return Err(refused(format!(
                "Flow: protect, Error: Protection Plugin for {} could not be found.",
                node.resource.kind
            )));
        }
        self.usage.checkpoints += 1;
        world.count("karbor.protect.started");
        let failed = self.trouble(world, provider, &graph);
        let wait = match &failed {
            Some(_) => self.moment(world, provider),
            None => self.backup_time(world, provider, &graph),
        };
        self.schedule(world, wait, Work::Protect, number, log, failed);
        Ok(number)
    }

    /// Adds a checkpoint; answers its number.
    pub(super) fn add_checkpoint(&mut self, checkpoint: Checkpoint) -> usize {
        let number = self.checkpoints.len();
        if checkpoint.status != Status::Deleted {
            self.alive.insert(number);
        }
        self.checkpoints.push(checkpoint);
        number
    }

    /// Begins a line of the log about a checkpoint.
    pub(super) fn begin_log(
        &mut self,
        world: &World,
        number: usize,
        operation: Operation,
    ) -> usize {
        let Some(checkpoint) = self.checkpoints.get(number) else {
            return self.logs.len();
        };
        let row = Log {
            operation,
            status: checkpoint.status,
            provider: checkpoint.plan.provider,
            checkpoint: super::small(number),
            plan: Some(super::small(checkpoint.plan.plan)),
            restore: None,
            started: world.now().timestamp_micros(),
            ended: None,
        };
        self.add_log(row)
    }

    pub(super) fn schedule(
        &mut self,
        world: &mut World,
        wait: TimeDelta,
        work: Work,
        checkpoint: usize,
        log: usize,
        failed: Option<Trouble>,
    ) {
        let id = self.next_flow;
        self.next_flow += 1;
        let flow = Flow {
            work,
            checkpoint,
            log,
            failed,
        };
        self.flows.insert(id, flow);
        world.schedule_in(self.service, wait, WORK, id);
    }

    /// How long something takes that only asks a service a question or two.
    pub(super) fn moment(&self, world: &mut World, provider: Provider) -> TimeDelta {
        let millis = world.rng.i64(100..400);
        match provider {
            Provider::Noop => TimeDelta::milliseconds(millis),
            Provider::Infra if !self.has_cinder(world) => TimeDelta::milliseconds(millis),
            Provider::Infra => TimeDelta::milliseconds(millis + self.poll(world)),
        }
    }

    /// How often the plugin looks at a disk, in milliseconds.
    fn poll(&self, world: &World) -> i64 {
        if self.traffic.in_a_hurry() {
            return 200;
        }
        (world.switches.number("karbor.backup_poll").max(0.1) * 1000.0) as i64
    }

    /// How long it takes to move all disks of a graph, which go side by side; the plugin looks every so often.
    pub(super) fn backup_time(
        &self,
        world: &mut World,
        provider: Provider,
        graph: &Graph,
    ) -> TimeDelta {
        if provider == Provider::Noop {
            return self.moment(world, provider);
        }
        let poll = self.poll(world);
        let largest = graph
            .of(VOLUME)
            .filter_map(|node| Self::disk(world, &node.resource.id))
            .map(|(_, volume)| f64::from(volume.size_gb) * f64::from(volume.filled) / 100.0)
            .fold(0.0, f64::max);
        let speed = if self.traffic.in_a_hurry() {
            RATE * 500.0
        } else {
            RATE
        };
        let moving = (largest / speed * 1000.0) as i64;
        // Looked at: the disk, its snapshot, its backup, and the snapshot's end.
        let millis = (moving / poll + 1) * poll + 3 * poll + world.rng.i64(200..900);
        TimeDelta::milliseconds(millis)
    }

    /// What stands in the way of backing a graph up now.
    pub(super) fn trouble(
        &self,
        world: &World,
        provider: Provider,
        graph: &Graph,
    ) -> Option<Trouble> {
        if provider == Provider::Noop {
            return None;
        }
        let mut size = 0;
        for node in &graph.0 {
            let id = &node.resource.id;
            match node.resource.kind.as_str() {
                VOLUME => {
                    if let Some(why) = self.no_cinder(world) {
                        return Some(Trouble::new(why, true));
                    }
                    let found = Self::disk(world, id).filter(|(_, volume)| !volume.broken);
                    let Some((_, volume)) = found else {
                        let why = format!(
                            "Create Volume Backup failed: Volume is in errorneous state, id={id}, type={VOLUME}"
                        );
                        return Some(Trouble::new(why, true));
                    };
                    size += i64::from(volume.size_gb);
                }
                SERVER => {
                    let lacking = graph.of(VOLUME).next().is_some() && !self.has_cinder(world);
                    if !world.switches.on("karbor.nova") {
                        let why = "Couldn't find the endpoint of service(nova)";
                        return Some(Trouble::new(why, lacking));
                    }
                    let there = world
                        .fleet
                        .get(id)
                        .is_some_and(|it| it.state != ServerState::Deleted);
                    if !there {
                        let why = format!(
                            "Create Server Backup failed: Instance {id} could not be found., id={id}, type={SERVER}"
                        );
                        return Some(Trouble::new(why, lacking));
                    }
                }
                kind => {
                    let why = format!("no service of this cloud has resources of type {kind}");
                    return Some(Trouble::new(why, true));
                }
            }
        }
        (!world.quotas.get(GIGABYTES).fits(size)).then(|| {
            let why = "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota";
            Trouble::new(why, true)
        })
    }

    /// Why the disk service can't be asked.
    pub(super) fn no_cinder(&self, world: &World) -> Option<&'static str> {
        if !world.switches.on("karbor.cinder") {
            Some("Couldn't find the endpoint of service(cinder)")
        } else if !self.cinder_up {
            Some("Unable to establish connection to cinder: Connection refused")
        } else {
            None
        }
    }

    /// Something under way has come to its next point. A service that is down forgets what it was about.
    pub(super) fn work(&mut self, world: &mut World, id: u64) {
        let Some(flow) = self.flows.remove(&id) else {
            return;
        };
        if !self.protection.up {
            return;
        }
        match flow.work {
            Work::Protect => self.protected(world, flow),
            Work::Delete => self.deleted(world, flow),
            Work::RestoreDisks(restore) => self.disks_restored(world, flow, restore),
            Work::RestoreServers(restore) => self.servers_restored(world, flow, restore),
            Work::Verify(verification) => self.verified(world, flow, verification),
            Work::CopyBegins => {
                self.mark(world, &flow, Status::Copying);
                let wait = TimeDelta::milliseconds(world.rng.i64(2_000..20_000));
                self.schedule(world, wait, Work::CopyEnds, flow.checkpoint, flow.log, None);
            }
            Work::CopyEnds => self.mark(world, &flow, Status::Available),
        }
    }

    fn protected(&mut self, world: &mut World, flow: Flow) {
        let Some(checkpoint) = self.checkpoints.get(flow.checkpoint) else {
            return;
        };
        let (provider, graph) = (checkpoint.plan.provider, checkpoint.graph.clone());
        let graph = graph.unwrap_or_default();
        let failed = flow
            .failed
            .clone()
            .or_else(|| self.trouble(world, provider, &graph));
        match failed {
            None => {
                let size = Self::size(world, provider, &graph);
                world.quotas.take(GIGABYTES, size);
                self.mark(world, &flow, Status::Available);
                world.count("karbor.protect.available");
            }
            Some(trouble) => {
                if let Some(checkpoint) = self.checkpoints.get_mut(flow.checkpoint) {
                    checkpoint.lacking = trouble.lacking;
                }
                self.mark(world, &flow, Status::Error);
                self.tell(world, "protect", flow.checkpoint, &trouble.why);
                world.count("karbor.protect.error");
            }
        }
    }

    fn deleted(&mut self, world: &mut World, flow: Flow) {
        let Some(checkpoint) = self.checkpoints.get(flow.checkpoint) else {
            return;
        };
        let provider = checkpoint.plan.provider;
        let graph = checkpoint.graph.clone().unwrap_or_default();
        let mut why = flow.failed.clone().map(|trouble| trouble.why);
        if provider == Provider::Infra && graph.of(VOLUME).next().is_some() {
            if checkpoint.lacking {
                why =
                    Some("Delete Volume Backup failed: Get Object metadata in Bank Failed".into());
            } else if let Some(reason) = self.no_cinder(world) {
                why = Some(format!("Delete Volume Backup failed: {reason}"));
            }
        }
        match why {
            None => {
                let size = Self::size(world, provider, &graph);
                world.quotas.take(GIGABYTES, -size);
                self.mark(world, &flow, Status::Deleted);
                world.count("karbor.delete.deleted");
            }
            Some(why) => {
                self.mark(world, &flow, Status::ErrorDeleting);
                self.tell(world, "delete", flow.checkpoint, &why);
                world.count("karbor.delete.error");
            }
        }
    }

    /// What the disks of a graph weigh at the disk service, in GB.
    fn size(world: &World, provider: Provider, graph: &Graph) -> i64 {
        if provider == Provider::Noop {
            return 0;
        }
        graph
            .of(VOLUME)
            .filter_map(|node| Self::disk(world, &node.resource.id))
            .map(|(_, volume)| i64::from(volume.size_gb))
            .sum()
    }

    /// Gives a checkpoint and its line of the log a new status; one that is final ends the line.
    fn mark(&mut self, world: &World, flow: &Flow, status: Status) {
        if let Some(checkpoint) = self.checkpoints.get_mut(flow.checkpoint) {
            checkpoint.status = status;
        }
        if status == Status::Deleted {
            self.alive.remove(&flow.checkpoint);
        }
        self.mark_log(world, flow.log, status);
    }

    /// The same for the line alone.
    pub(super) fn mark_log(&mut self, world: &World, log: usize, status: Status) {
        let Some(log) = self.logs.get_mut(log) else {
            return;
        };
        log.status = status;
        log.ended = (status != Status::Copying).then(|| world.now().timestamp_micros());
    }

    /// What the service writes into its own log file, and tells nobody.
    pub(super) fn tell(&self, world: &mut World, what: &str, checkpoint: usize, why: &str) {
        let id = self.ids.uuid(tag::CHECKPOINT, checkpoint as u64);
        world.note(json!({"what": "karbor.log", "flow": what, "checkpoint_id": id, "error": why}));
    }
}

/// A resource by its name alone.
pub(super) fn named(kind: &str, id: &str, name: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        extra: None,
    }
}
