//! The groups, instances and pairs that are there when the simulation starts, and the failures of the past month.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Map;

use super::codes;
use super::drill::Drill;
use super::effect::device;
use super::group::{Group, Station};
use super::instance::Instance;
use super::job::{Job, Step};
use super::pair::Pair;
use super::status::{self, Status};
use super::task_center::FailedTask;
use super::trouble::Trouble;
use super::work::{Action, Resource, Work};
use super::{GROUP_QUOTA, PAIR_QUOTA, Sdrs};
use crate::sim::fleet::{Server, ServerState};
use crate::sim::world::World;

/// What the groups are for.
const NAMES: &[&str] = &[
    "shop",
    "billing",
    "intranet",
    "crm",
    "erp",
    "portal",
    "reporting",
    "identity",
    "logistics",
    "warehouse",
    "payroll",
    "archive",
];

impl Sdrs {
    /// Protects most of the servers that can be, in groups of a few.
    pub fn populate(&mut self, world: &mut World) {
        let mut by_zone: BTreeMap<String, Vec<Server>> = BTreeMap::new();
        let fit = world.fleet.servers().iter().filter(|server| {
            server.state == ServerState::Active
                && self.site.offers(world, &server.az)
                && self.site.vpc_of(server) == self.site.vpc
                && !server.volumes.is_empty()
                && !server.volumes.iter().any(|it| it.shared || it.encrypted)
        });
        for (index, server) in fit.enumerate() {
            // Every fifth is left for an operator to protect.
            if index % 5 != 4 {
                let zone = by_zone.entry(server.az.clone()).or_default();
                zone.push(server.clone());
            }
        }
        let mut made = 0;
        let mut chunks: Vec<Vec<Server>> = Vec::new();
        for servers in by_zone.into_values() {
            let mut rest = servers.as_slice();
            while !rest.is_empty() {
                let (group, later) = rest.split_at(world.rng.usize(2..=4).min(rest.len()));
                chunks.push(group.to_vec());
                rest = later;
            }
        }
        // Both zones take turns, so that a small fleet has every kind of group too.
        chunks.sort_by_key(|servers| servers.first().map(|server| server.name.clone()));
        for servers in chunks {
            self.populate_group(world, made, &servers);
            made += 1;
        }
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (groups, pairs) = (number(self.groups.len()), number(self.pairs.len()));
        world.quotas.declare(GROUP_QUOTA, (groups * 2).max(50));
        world.quotas.declare(PAIR_QUOTA, (pairs * 2).max(100));
        world.quotas.take(GROUP_QUOTA, groups);
        world.quotas.take(PAIR_QUOTA, pairs);
        self.remember_failures(world);
    }

    fn populate_group(&mut self, world: &mut World, number: usize, servers: &[Server]) {
        let Some(source_az) = servers.first().map(|server| server.az.clone()) else {
            return;
        };
        let other = self
            .site
            .domains
            .iter()
            .enumerate()
            .find_map(|(at, domain)| {
                let [one, two] = domain.zones;
                match source_az.as_str() {
                    az if az == one => Some((at, two)),
                    az if az == two => Some((at, one)),
                    _ => None,
                }
            });
        let Some((domain, target_az)) = other else {
            return;
        };
        let status = match number % 12 {
            3 => status::AVAILABLE,
            _ => status::PROTECTED,
        };
        let name = NAMES.get(number % NAMES.len()).copied().unwrap_or("group");
        let name = match number / NAMES.len() {
            0 => format!("dr-{name}-prod"),
            cycle => format!("dr-{name}-{cycle:02}"),
        };
        let created = past(world, 30, 400);
        let group = Group {
            id: world.uuid(),
            name,
            description: None,
            status,
            station: Station::Source,
            source_az,
            target_az: target_az.to_owned(),
            domain,
            vpc: self.site.vpc.clone(),
            created,
            updated: past(world, 1, 29),
            job: None,
            instances: BTreeSet::new(),
            pairs: BTreeSet::new(),
            drills: BTreeSet::new(),
            last_drill: (number % 3 != 2).then(|| past(world, 1, 80)),
        };
        let group = self.groups.insert(group);
        for server in servers {
            self.populate_instance(world, group, status, created, server);
        }
    }

    fn populate_instance(
        &mut self,
        world: &mut World,
        group_key: u64,
        status: Status,
        created: DateTime<Utc>,
        server: &Server,
    ) {
        let key = self
            .instances
            .insert(new_instance(world, group_key, status, created, server));
        self.used_servers.insert(server.id.clone());
        for (index, volume) in server.volumes.iter().enumerate() {
            let pair = Pair {
                id: world.uuid(),
                name: format!("replication-{}", volume.name),
                description: None,
                group: group_key,
                status,
                station: Station::Source,
                instance: Some(key),
                source_disk: volume.id.clone(),
                target_disk: world.uuid(),
                target_broken: false,
                target_locked: false,
                size_gb: volume.size_gb,
                volume_type: volume.volume_type,
                bootable: volume.bootable,
                copying: (status == status::PROTECTED).then_some((created, created)),
                failure_detail: None,
                created,
                updated: created,
                job: None,
            };
            self.used_disks.insert(volume.id.clone());
            let pair = self.pairs.insert(pair);
            if let Some(group) = self.groups.get_mut(group_key) {
                group.pairs.insert(pair);
            }
            if let Some(instance) = self.instances.get_mut(key) {
                instance.attachment.push((pair, device(index)));
            }
        }
        if let Some(group) = self.groups.get_mut(group_key) {
            group.instances.insert(key);
        }
    }

    /// Leaves the failed tasks of the past 30 days, and what the last ones left behind. Without a past all is well.
    fn remember_failures(&mut self, world: &mut World) {
        let share = world.switches.number("sdrs.failed_share").clamp(0.0, 100.0);
        let count = (world.options.tasks as f64 * share / 100.0).ceil() as usize;
        for _ in 0..count {
            self.past_failure(world);
        }
        if count > 0 {
            self.fresh_failures(world);
        }
    }

    /// A failure that was put right since, of something that is there or was.
    fn past_failure(&mut self, world: &mut World) {
        let begin = past(world, 0, 30);
        let Some(pair) = self.pairs.pick(&mut world.rng) else {
            return;
        };
        let Some((group, instance)) = self
            .pairs
            .get(pair)
            .map(|pair| (pair.group, pair.instance.unwrap_or_default()))
        else {
            return;
        };
        let (work, trouble) = match world.rng.u32(0..10) {
            0 | 1 => (
                Work::Group(group, Action::Start),
                Trouble::of(codes::DISK_ERROR),
            ),
            2 => (
                Work::Group(group, Action::Reverse),
                Trouble::of(codes::PRODUCTION_SERVER_RUNS),
            ),
            3 => (
                Work::Group(group, Action::Stop),
                Trouble::of(codes::SYNCHRONIZING),
            ),
            4 | 5 => (Work::Expand(pair, 0), Trouble::of(codes::EXPAND).inner()),
            6 => (
                Work::Detach(instance, pair),
                Trouble::of(codes::SERVER_RUNS),
            ),
            7 => (
                Work::InstanceDelete(instance),
                Trouble::of(codes::DISK_LOCKED).inner(),
            ),
            8 => (Work::DrillCreate(0), Trouble::of(codes::SNAPSHOT)),
            _ => (
                Work::InstanceCreate(0, Vec::new()),
                Trouble::of(codes::DISK_ERROR),
            ),
        };
        let named = work.subject().and_then(|(resource, key)| {
            let (id, name, _) = self.named(resource, key)?;
            Some((id, name))
        });
        // What was deleted since leaves only its name.
        let named = named.unwrap_or_else(|| {
            let id = world.uuid();
            let tail = id.get(..4).unwrap_or_default().to_owned();
            match work {
                Work::DrillCreate(_) => (id, format!("drill-{tail}")),
                _ => (id, format!("Protected-Instance-{tail}")),
            }
        });
        self.record(world, begin, group, work, &trouble, named);
    }

    /// Puts a job that failed and its failed task on record.
    fn record(
        &mut self,
        world: &mut World,
        begin: DateTime<Utc>,
        group: u64,
        work: Work,
        trouble: &Trouble,
        (resource_id, resource_name): (String, String),
    ) {
        let (Some((resource, _)), Some(failure_status), Some(group)) = (
            work.subject(),
            work.failure_status(),
            self.groups.get(group).map(|group| group.id.clone()),
        ) else {
            return;
        };
        let failed = trouble.failed(&work);
        let end = begin + TimeDelta::seconds(world.rng.i64(10..120));
        let mut step = Step::hidden(60);
        step.begin = Some(begin);
        step.end = Some(end);
        step.failed = Some(failed.clone());
        let id = self.job_id(begin);
        self.task_center.add(FailedTask {
            job_id: id.clone(),
            job_type: work.job_type(),
            resource,
            resource_id,
            resource_name,
            failure_status,
            begin,
            code: failed.code,
            reason: failed.reason.clone(),
            group,
        });
        self.jobs.insert(Job {
            id,
            work,
            begin,
            end: Some(end.min(world.now())),
            failed: Some(failed),
            entities: Map::new(),
            steps: vec![step],
            at: 0,
            children: Vec::new(),
            parent: None,
            before: Vec::new(),
        });
    }

    /// What went wrong within the last hours and still stands: a group that did not start for a broken DR disk, a
    /// pair that was not expanded, an instance that was not made, and a drill.
    fn fresh_failures(&mut self, world: &mut World) {
        let keys: Vec<u64> = self.groups.newest().map(|(key, _)| key).take(4).collect();
        let mut keys = keys.into_iter();
        if let Some(group) = keys.next()
            && let Some(pair) = self.first_pair(group)
        {
            self.all_members(world, group, status::AVAILABLE);
            if let Some(it) = self.pairs.get_mut(pair) {
                it.target_broken = true;
            }
            self.set_status(world, Resource::Group, group, status::ERROR_STARTING);
            self.set_status(world, Resource::Pair, pair, status::ERROR_STARTING);
            let work = Work::Group(group, Action::Start);
            self.fresh(world, group, work, &Trouble::of(codes::DISK_ERROR));
        }
        if let Some(group) = keys.next()
            && let Some(pair) = self.first_pair(group)
        {
            self.set_status(world, Resource::Pair, pair, status::ERROR_EXTENDING);
            let trouble = Trouble::of(codes::EXPAND_LOCKED).inner();
            self.fresh(world, group, Work::Expand(pair, 0), &trouble);
        }
        if let Some(group) = keys.next() {
            self.failed_instance(world, group);
        }
        if let Some(group) = keys.next() {
            let at = past(world, 0, 1);
            let drill = Drill {
                id: world.uuid(),
                name: "quarterly-drill".into(),
                group,
                status: status::ERROR,
                vpc: world.uuid(),
                servers: Vec::new(),
                created: at,
                updated: at,
                job: None,
                by_schedule: false,
            };
            let drill = self.drills.insert(drill);
            if let Some(group) = self.groups.get_mut(group) {
                group.drills.insert(drill);
            }
            let trouble = Trouble::of(codes::SNAPSHOT);
            self.fresh(world, group, Work::DrillCreate(drill), &trouble);
        }
    }

    fn failed_instance(&mut self, world: &mut World, group_key: u64) {
        let Some(zone) = self
            .groups
            .get(group_key)
            .map(|group| group.production_az().to_owned())
        else {
            return;
        };
        let free = world.fleet.servers().iter().find(|server| {
            server.az == zone
                && !server.volumes.is_empty()
                && !self.used_servers.contains(&server.id)
                && !server.volumes.iter().any(|it| it.shared || it.encrypted)
        });
        let Some(server) = free.cloned() else { return };
        let at = past(world, 0, 1);
        let instance = new_instance(world, group_key, status::ERROR, at, &server);
        self.used_servers.insert(server.id);
        let key = self.instances.insert(instance);
        if let Some(group) = self.groups.get_mut(group_key) {
            group.instances.insert(key);
        }
        let work = Work::InstanceCreate(key, Vec::new());
        self.fresh(world, group_key, work, &Trouble::of(codes::DISK_ERROR));
    }

    fn fresh(&mut self, world: &mut World, group: u64, work: Work, trouble: &Trouble) {
        let begin = world.now() - TimeDelta::minutes(world.rng.i64(3..150));
        let named = work.subject().and_then(|(resource, key)| {
            let (id, name, _) = self.named(resource, key)?;
            Some((id, name))
        });
        if let Some(named) = named {
            self.record(world, begin, group, work, trouble, named);
        }
    }

    /// Any pair of a group that hangs on an instance.
    #[must_use]
    pub fn first_pair(&self, group: u64) -> Option<u64> {
        let group = self.groups.get(group)?;
        let mut pairs = group.pairs.iter();
        pairs
            .find(|key| {
                self.pairs
                    .get(**key)
                    .is_some_and(|it| it.instance.is_some())
            })
            .copied()
    }

    fn all_members(&mut self, world: &World, group: u64, status: Status) {
        let Some(group) = self.groups.get(group) else {
            return;
        };
        let members: Vec<(Resource, u64)> = group
            .instances
            .iter()
            .map(|key| (Resource::Instance, *key))
            .chain(group.pairs.iter().map(|key| (Resource::Pair, *key)))
            .collect();
        for (resource, key) in members {
            self.set_status(world, resource, key, status);
            if let (Resource::Pair, Some(pair)) = (resource, self.pairs.get_mut(key)) {
                pair.copying = None;
            }
        }
    }
}

fn new_instance(
    world: &mut World,
    group: u64,
    status: Status,
    created: DateTime<Utc>,
    server: &Server,
) -> Instance {
    let flavor = format!("s3.{}c.{}g", server.vcpus, server.ram_mb / 1024);
    let role = server.name.split('-').nth(1).unwrap_or("app").to_owned();
    Instance {
        id: world.uuid(),
        name: format!("pi-{}", server.name),
        description: None,
        group,
        status,
        station: Station::Source,
        source_server: server.id.clone(),
        target_server: world.uuid(),
        target_state: ServerState::Stopped,
        flavors: [flavor.clone(), flavor],
        attachment: Vec::new(),
        tags: vec![("env".into(), "prod".into()), ("role".into(), role)],
        nics: Vec::new(),
        primary_nic: world.uuid(),
        frozen: false,
        created,
        updated: created,
        job: None,
    }
}

/// Some instant between so many days ago.
fn past(world: &mut World, from: i64, to: i64) -> DateTime<Utc> {
    let seconds = world.rng.i64(from * 86_400..to.max(from + 1) * 86_400);
    let millis = world.rng.i64(0..1000);
    world.now() - TimeDelta::seconds(seconds) - TimeDelta::milliseconds(millis)
}
