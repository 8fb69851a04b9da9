//! What a job does when it succeeds.

use super::group::Station;
use super::instance::Nic;
use super::pair::Pair;
use super::site::VPC_QUOTA;
use super::status::{self, Status};
use super::work::{Action, Resource, Work};
use super::{GROUP_QUOTA, PAIR_QUOTA, Sdrs};
use crate::sim::fleet::ServerState;
use crate::sim::world::World;

impl Sdrs {
    /// Carries out what the job was for.
    pub fn succeed(&mut self, world: &mut World, work: &Work, before: &[(Resource, u64, Status)]) {
        let was = before.first().map_or(status::AVAILABLE, |(_, _, was)| *was);
        match work {
            Work::GroupCreate(key) => {
                self.set_status(world, Resource::Group, *key, status::AVAILABLE);
            }
            Work::GroupDelete(key) => self.group_gone(world, *key),
            Work::Group(key, action) => self.group_done(world, *key, *action, before),
            Work::InstanceCreate(key, ids) => self.instance_made(world, *key, ids),
            Work::InstanceDelete(key) => self.instance_gone(world, *key),
            Work::NicAdd(key, id, ip) => {
                let (id, ip) = (id.clone(), ip.clone());
                if let Some(instance) = self.instances.get_mut(*key) {
                    instance.nics.push(Nic { id, ip });
                }
                self.set_status(world, Resource::Instance, *key, was);
            }
            Work::NicDelete(key, id) => {
                if let Some(instance) = self.instances.get_mut(*key) {
                    instance.nics.retain(|nic| nic.id != *id);
                }
                self.set_status(world, Resource::Instance, *key, was);
            }
            Work::Resize(key, flavors) => {
                let group = self.instances.get_mut(*key).map(|instance| {
                    for (flavor, wanted) in instance.flavors.iter_mut().zip(flavors) {
                        if let Some(wanted) = wanted {
                            flavor.clone_from(wanted);
                        }
                    }
                    instance.group
                });
                let to = self.settled(was, group);
                self.set_status(world, Resource::Instance, *key, to);
            }
            Work::Attach(instance, pair, device) => {
                self.attach(world, *instance, *pair, device);
                self.pair_settles(world, *pair, was);
            }
            Work::Detach(instance, pair) => {
                self.detach(world, *instance, *pair);
                self.pair_settles(world, *pair, was);
            }
            Work::PairCreate(key) => self.pair_settles(world, *key, status::ERROR),
            Work::PairDelete(key) => self.pair_gone(world, *key),
            Work::Expand(key, size) => {
                self.expand(world, *key, *size);
                self.pair_settles(world, *key, was);
            }
            Work::DrillCreate(key) => self.drill_made(world, *key),
            Work::DrillDelete(key) => {
                if let Some(drill) = self.drills.remove(*key)
                    && let Some(group) = self.groups.get_mut(drill.group)
                {
                    group.drills.remove(key);
                }
            }
            Work::Batch(_) => {}
        }
        if world.switches.on("sdrs.clear_on_success")
            && let (Some(failure_status), Some((resource, key))) =
                (work.failure_status(), work.subject())
            && let Some((id, ..)) = self.named(resource, key)
        {
            self.task_center
                .remove(|task| task.resource_id == id && task.failure_status == failure_status);
        }
    }

    /// The state that a member comes to rest in: the one before unless that was an error.
    fn settled(&self, was: Status, group: Option<u64>) -> Status {
        if !was.starts_with(status::ERROR) && !status::moving(was) {
            return was;
        }
        let group = group.and_then(|key| self.groups.get(key));
        match group.map(|group| group.status) {
            Some(status::PROTECTED) => status::PROTECTED,
            Some(status::FAILED_OVER) => status::FAILED_OVER,
            _ => status::AVAILABLE,
        }
    }

    /// A pair comes to rest; a new one in a protected group starts to copy.
    fn pair_settles(&mut self, world: &mut World, key: u64, was: Status) {
        let group = self.pairs.get(key).map(|pair| pair.group);
        let to = self.settled(was, group);
        self.set_status(world, Resource::Pair, key, to);
        if let Some(pair) = self.pairs.get_mut(key)
            && to == status::PROTECTED
            && pair.copying.is_none()
        {
            pair.synchronize(world.now());
        }
    }

    fn group_gone(&mut self, world: &mut World, key: u64) {
        let Some(group) = self.groups.remove(key) else {
            return;
        };
        world.quotas.take(GROUP_QUOTA, -1);
        // Nobody could ask for what failed inside it any more.
        self.task_center
            .remove(|task| task.group == group.id && task.resource != Resource::Group);
    }

    fn group_done(
        &mut self,
        world: &mut World,
        key: u64,
        action: Action,
        members: &[(Resource, u64, Status)],
    ) {
        for (resource, key, _) in members {
            self.set_status(world, *resource, *key, action.done());
        }
        let Some(group) = self.groups.get_mut(key) else {
            return;
        };
        let switched = matches!(action, Action::Reverse | Action::Failover);
        if switched {
            group.station = group.station.other();
        }
        let (station, now) = (group.station, world.now());
        for key in &group.pairs {
            let Some(pair) = self.pairs.get_mut(*key) else {
                continue;
            };
            pair.station = station;
            match action {
                Action::Start | Action::Reprotect => pair.synchronize(now),
                Action::Stop | Action::Failover => pair.copying = None,
                Action::Reverse => {}
            }
        }
        let starts = world.switches.on("sdrs.failover_starts_servers");
        for key in &group.instances {
            let Some(instance) = self.instances.get_mut(*key) else {
                continue;
            };
            instance.station = station;
            if action != Action::Failover {
                continue;
            }
            // The site that was live is stopped by force, the other is made ready or started.
            let live = if starts {
                ServerState::Active
            } else {
                ServerState::Stopped
            };
            let (source, target) = match station {
                Station::Source => (live, ServerState::Stopped),
                Station::Target => (ServerState::Stopped, live),
            };
            instance.target_state = target;
            if let Some(server) = world.fleet.get_mut(&instance.source_server) {
                server.state = source;
            }
        }
    }

    fn instance_made(&mut self, world: &mut World, key: u64, ids: &[String]) {
        let Some((server_id, group_key)) = self
            .instances
            .get(key)
            .map(|instance| (instance.source_server.clone(), instance.group))
        else {
            return;
        };
        let volumes = world
            .fleet
            .get(&server_id)
            .map(|server| server.volumes.clone())
            .unwrap_or_default();
        let to = self.settled(status::CREATING, Some(group_key));
        let station = self
            .groups
            .get(group_key)
            .map_or(Station::Source, |group| group.station);
        let now = world.now();
        for (index, volume) in volumes.into_iter().enumerate() {
            let id = ids.get(index).cloned().unwrap_or_else(|| world.uuid());
            let mut pair = Pair {
                id,
                name: format!("replication-{}", volume.name),
                description: None,
                group: group_key,
                status: to,
                station,
                instance: Some(key),
                source_disk: volume.id,
                target_disk: world.uuid(),
                target_broken: false,
                target_locked: false,
                size_gb: volume.size_gb,
                volume_type: volume.volume_type,
                bootable: volume.bootable,
                copying: None,
                failure_detail: None,
                created: now,
                updated: now,
                job: None,
            };
            if to == status::PROTECTED {
                pair.synchronize(now);
            }
            self.used_disks.insert(pair.source_disk.clone());
            let pair_key = self.pairs.insert(pair);
            world.quotas.take(PAIR_QUOTA, 1);
            if let Some(group) = self.groups.get_mut(group_key) {
                group.pairs.insert(pair_key);
            }
            if let Some(instance) = self.instances.get_mut(key) {
                instance.attachment.push((pair_key, device(index)));
            }
        }
        self.set_status(world, Resource::Instance, key, to);
    }

    fn instance_gone(&mut self, world: &mut World, key: u64) {
        let Some(instance) = self.instances.remove(key) else {
            return;
        };
        self.used_servers.remove(&instance.source_server);
        if let Some(group) = self.groups.get_mut(instance.group) {
            group.instances.remove(&key);
        }
        for (pair, _) in instance.attachment {
            self.pair_gone(world, pair);
        }
    }

    fn pair_gone(&mut self, world: &mut World, key: u64) {
        let Some(pair) = self.pairs.remove(key) else {
            return;
        };
        self.used_disks.remove(&pair.source_disk);
        world.quotas.take(PAIR_QUOTA, -1);
        if let Some(group) = self.groups.get_mut(pair.group) {
            group.pairs.remove(&key);
        }
    }

    fn attach(&mut self, world: &mut World, instance: u64, pair_key: u64, device: &str) {
        let (Some(it), Some(pair)) = (
            self.instances.get_mut(instance),
            self.pairs.get_mut(pair_key),
        ) else {
            return;
        };
        pair.instance = Some(instance);
        it.attachment.push((pair_key, device.to_owned()));
        if let Some(disk) = self.site.disks.remove(&pair.source_disk)
            && let Some(server) = world.fleet.get_mut(&it.source_server)
        {
            server.volumes.push(disk.volume);
        }
    }

    fn detach(&mut self, world: &mut World, instance: u64, pair_key: u64) {
        let (Some(it), Some(pair)) = (
            self.instances.get_mut(instance),
            self.pairs.get_mut(pair_key),
        ) else {
            return;
        };
        pair.instance = None;
        it.attachment.retain(|(key, _)| *key != pair_key);
        let Some(server) = world.fleet.get_mut(&it.source_server) else {
            return;
        };
        let at = server
            .volumes
            .iter()
            .position(|volume| volume.id == pair.source_disk);
        if let Some(at) = at {
            let (az, volume) = (server.az.clone(), server.volumes.remove(at));
            let disk = super::site::FreeDisk { az, volume };
            self.site.disks.insert(pair.source_disk.clone(), disk);
        }
    }

    fn expand(&mut self, world: &mut World, key: u64, size_gb: u32) {
        let Some(pair) = self.pairs.get_mut(key) else {
            return;
        };
        pair.size_gb = size_gb;
        let volume = match pair.instance.and_then(|key| self.instances.get(key)) {
            Some(instance) => world
                .fleet
                .get_mut(&instance.source_server)
                .and_then(|server| {
                    let mut volumes = server.volumes.iter_mut();
                    volumes.find(|volume| volume.id == pair.source_disk)
                }),
            None => self
                .site
                .disks
                .get_mut(&pair.source_disk)
                .map(|disk| &mut disk.volume),
        };
        if let Some(volume) = volume {
            volume.size_gb = size_gb;
        }
    }

    fn drill_made(&mut self, world: &mut World, key: u64) {
        let Some(drill) = self.drills.get_mut(key) else {
            return;
        };
        if !self.site.has_vpc(&drill.vpc) {
            self.site.drill_vpcs.insert(drill.vpc.clone());
            world.quotas.take(VPC_QUOTA, 1);
        }
        if let Some(group) = self.groups.get_mut(drill.group) {
            group.last_drill = Some(world.now());
            drill.servers = group
                .instances
                .iter()
                .filter_map(|key| self.instances.get(*key))
                .map(|instance| (instance.id.clone(), world.uuid()))
                .collect();
        }
        self.set_status(world, Resource::Drill, key, status::AVAILABLE);
    }
}

/// The device name of a server's n-th disk.
#[must_use]
pub fn device(index: usize) -> String {
    let letter = u8::try_from(index)
        .ok()
        .and_then(|index| b'a'.checked_add(index))
        .filter(u8::is_ascii_lowercase)
        .unwrap_or(b'z');
    format!("/dev/vd{}", char::from(letter))
}
