//! Why a job fails: always for something in the world, so that it works once that is put right.

use super::Sdrs;
use super::codes::{self, Code};
use super::group::Group;
use super::group::Station::{self, Source, Target};
use super::instance::Instance;
use super::job::Failed;
use super::pair::Pair;
use super::site::VPC_QUOTA;
use super::work::{Action, Resource, Work};
use crate::sim::fleet::ServerState;
use crate::sim::world::World;

/// What stands in a job's way.
#[derive(Debug)]
pub struct Trouble {
    /// The code.
    pub code: &'static Code,
    /// The one among a group's members that causes it.
    pub culprit: Option<(Resource, u64)>,
    /// Whether an inner service refused, whose body is then quoted.
    inner: bool,
}

impl Trouble {
    /// A code that needs no further telling.
    #[must_use]
    pub fn of(code: &'static Code) -> Self {
        Self {
            code,
            culprit: None,
            inner: false,
        }
    }

    fn by(mut self, resource: Resource, key: u64) -> Self {
        self.culprit = Some((resource, key));
        self
    }

    /// The same, as an inner service's refusal.
    #[must_use]
    pub fn inner(mut self) -> Self {
        self.inner = true;
        self
    }

    /// As jobs and failed tasks tell it: `TASK-fail:TEXT`, or with the inner service's own body.
    #[must_use]
    pub fn failed(&self, work: &Work) -> Failed {
        let task = match (work, self.code.code) {
            (Work::InstanceCreate(..), "EVS.2024") => "SdrsGenerateNativeServerParamsTask".into(),
            _ => task_name(work.job_type()),
        };
        let Code { code, message, .. } = self.code;
        let reason = if self.inner {
            format!(
                "{task}-fail:{code}:Client error : {{\"badRequest\": {{\"message\": \"{message}\", \"code\": 400}}}}"
            )
        } else {
            format!("{task}-fail:{message}")
        };
        Failed {
            code: self.code.code,
            reason,
        }
    }
}

/// `startProtectionGroupNoCG` is done by `SdrsStartProtectionGroupTask`.
fn task_name(job_type: &str) -> String {
    let short = job_type.trim_end_matches("NoCG").trim_end_matches("New");
    let mut letters = short.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.as_str();
    format!("Sdrs{}{rest}Task", first.unwrap_or_default())
}

fn runs(state: ServerState) -> bool {
    !matches!(state, ServerState::Stopped | ServerState::Deleted)
}

impl Sdrs {
    /// What stands in the way of a job at this moment.
    #[must_use]
    pub fn trouble(&self, world: &World, work: &Work) -> Option<Trouble> {
        match work {
            Work::GroupCreate(_) => self.link(codes::DOMAIN_QUERY),
            Work::GroupDelete(_) => self.link(codes::GROUP_DELETE),
            Work::Group(key, action) => {
                let group = self.groups.get(*key)?;
                self.group_trouble(world, group, *action)
            }
            Work::InstanceCreate(key, _) => self.creation_trouble(world, self.instances.get(*key)?),
            Work::InstanceDelete(key) => {
                let instance = self.instances.get(*key)?;
                self.pairs_of(instance)
                    .find(|(_, pair)| self.disks(world, pair).locked)
                    .map(|_| Trouble::of(codes::DISK_LOCKED).inner())
            }
            Work::Resize(key, flavors) => {
                let instance = self.instances.get(*key)?;
                self.resize_trouble(world, instance, flavors)
            }
            Work::Attach(_, key, _) => self.pair_trouble(world, *key, codes::ATTACH),
            Work::Detach(instance, key) => {
                let instance = self.instances.get(*instance)?;
                let system = self.pairs.get(*key).is_some_and(|pair| pair.bootable);
                if system && runs(instance.server_state(world, instance.station)) {
                    return Some(Trouble::of(codes::SERVER_RUNS));
                }
                self.pair_trouble(world, *key, codes::DETACH)
            }
            Work::PairCreate(key) => {
                let pair = self.pairs.get(*key)?;
                let group = self.groups.get(pair.group)?;
                if self.site.broken_storage.contains(group.dr_az()) {
                    return Some(Trouble::of(codes::DISK_ERROR));
                }
                self.pair_trouble(world, *key, codes::DISK_ERROR)
            }
            Work::PairDelete(key) => {
                let pair = self.pairs.get(*key)?;
                let locked = self.disks(world, pair).locked;
                locked.then(|| Trouble::of(codes::DISK_LOCKED).inner())
            }
            Work::Expand(key, _) => self.expand_trouble(world, self.pairs.get(*key)?),
            Work::DrillCreate(key) => {
                let drill = self.drills.get(*key)?;
                self.drill_trouble(world, self.groups.get(drill.group)?, &drill.vpc)
            }
            Work::NicAdd(..) | Work::NicDelete(..) | Work::DrillDelete(_) | Work::Batch(_) => None,
        }
    }

    fn link(&self, code: &'static Code) -> Option<Trouble> {
        self.site.link_down.then(|| Trouble::of(code))
    }

    /// An instance's pairs.
    pub fn pairs_of<'a>(&'a self, instance: &'a Instance) -> impl Iterator<Item = (u64, &'a Pair)> {
        instance
            .attachment
            .iter()
            .filter_map(|(key, _)| Some((*key, self.pairs.get(*key)?)))
    }

    fn group_trouble(&self, world: &World, group: &Group, action: Action) -> Option<Trouble> {
        let instances = || {
            group
                .instances
                .iter()
                .filter_map(|key| Some((*key, self.instances.get(*key)?)))
        };
        let pairs = || {
            group
                .pairs
                .iter()
                .filter_map(|key| Some((*key, self.pairs.get(*key)?)))
        };
        if let Some((key, _)) = instances().find(|(_, instance)| instance.lost_a_server(world)) {
            let trouble = Trouble::of(codes::INSTANCE_ABNORMAL);
            return Some(trouble.by(Resource::Instance, key));
        }
        // The servers that must be stopped: the live ones to be switched over, the others to be protected again.
        let stopped = match action {
            Action::Reverse => Some((group.station, self.not_stopped(world))),
            Action::Reprotect => Some((group.station.other(), codes::DR_SERVER_RUNS)),
            _ => None,
        };
        if let Some((station, code)) = stopped
            && let Some((key, _)) =
                instances().find(|(_, instance)| runs(instance.server_state(world, station)))
        {
            return Some(Trouble::of(code).by(Resource::Instance, key));
        }
        let synchronizing = pairs().find(|(_, pair)| pair.synchronizing(world.now()));
        if let (Action::Stop | Action::Reverse, Some((key, _))) = (action, synchronizing) {
            return Some(Trouble::of(codes::SYNCHRONIZING).by(Resource::Pair, key));
        }
        if let Some(trouble) = match action {
            Action::Start => self.link(codes::START),
            Action::Reprotect => self.link(codes::REPROTECT),
            Action::Reverse => self.link(codes::REVERSE),
            Action::Failover => self.link(codes::SYSTEM_ERROR_LINK),
            Action::Stop => None,
        } {
            return Some(trouble);
        }
        for (key, pair) in pairs() {
            let disks = self.disks(world, pair);
            let code = match action {
                // The live disk is gone: only a failover helps.
                Action::Reverse if disks.broken() => Some(Trouble::of(codes::SYSTEM_ERROR)),
                Action::Start | Action::Reprotect if disks.broken() => {
                    Some(Trouble::of(codes::DISK_ERROR))
                }
                Action::Failover => {
                    let standby = match group.station.other() {
                        Station::Source => disks.source_broken,
                        Station::Target => disks.target_broken,
                    };
                    standby.then(|| Trouble::of(codes::FAILOVER))
                }
                Action::Stop => None,
                _ => disks
                    .locked
                    .then(|| Trouble::of(codes::DISK_LOCKED).inner()),
            };
            if let Some(trouble) = code {
                return Some(trouble.by(Resource::Pair, key));
            }
        }
        None
    }

    fn not_stopped(&self, world: &World) -> &'static Code {
        match world.switches.get("sdrs.not_stopped") {
            "SDRS.1319" => codes::SITE_SERVER_RUNS,
            _ => codes::PRODUCTION_SERVER_RUNS,
        }
    }

    fn creation_trouble(&self, world: &World, instance: &Instance) -> Option<Trouble> {
        let group = self.groups.get(instance.group)?;
        let Some(server) = world
            .fleet
            .get(&instance.source_server)
            .filter(|server| server.state != ServerState::Deleted)
        else {
            return Some(Trouble::of(codes::NO_SERVER));
        };
        if server.volumes.iter().any(|volume| volume.shared) {
            return Some(Trouble::of(codes::DISK_TYPE));
        }
        if server.volumes.iter().any(|volume| volume.encrypted) {
            return Some(Trouble::of(codes::ENCRYPTED));
        }
        if server.volumes.iter().any(|volume| volume.broken)
            || self.site.broken_storage.contains(group.dr_az())
        {
            return Some(Trouble::of(codes::DISK_ERROR));
        }
        if server.volumes.iter().any(|volume| volume.locked) {
            return Some(Trouble::of(codes::DISK_LOCKED).inner());
        }
        let needed = i64::try_from(server.volumes.len()).unwrap_or(i64::MAX);
        let fits = world.quotas.get(super::PAIR_QUOTA).fits(needed);
        (!fits).then(|| Trouble::of(codes::PAIR_QUOTA))
    }

    fn resize_trouble(
        &self,
        world: &World,
        instance: &Instance,
        flavors: &[Option<String>; 2],
    ) -> Option<Trouble> {
        [Source, Target]
            .into_iter()
            .zip(flavors)
            .find(|(station, flavor)| {
                flavor.is_some() && runs(instance.server_state(world, *station))
            })
            .map(|(station, _)| {
                Trouble::of(if station == instance.station {
                    codes::SERVER_RUNS
                } else {
                    codes::DR_SERVER_RUNS
                })
            })
    }

    fn pair_trouble(&self, world: &World, key: u64, broken: &'static Code) -> Option<Trouble> {
        let disks = self.disks(world, self.pairs.get(key)?);
        if disks.broken() || disks.missing {
            return Some(Trouble::of(broken));
        }
        disks
            .locked
            .then(|| Trouble::of(codes::DISK_LOCKED).inner())
    }

    fn expand_trouble(&self, world: &World, pair: &Pair) -> Option<Trouble> {
        let disks = self.disks(world, pair);
        let group = self.groups.get(pair.group)?;
        if disks.locked {
            return Some(Trouble::of(codes::EXPAND_LOCKED).inner());
        }
        if disks.broken() || disks.missing {
            return Some(Trouble::of(codes::DISK_GONE));
        }
        let storage = [&group.source_az, &group.target_az]
            .into_iter()
            .any(|az| self.site.broken_storage.contains(az));
        storage.then(|| Trouble::of(codes::EXPAND).inner())
    }

    fn drill_trouble(&self, world: &World, group: &Group, vpc: &str) -> Option<Trouble> {
        if !self.site.has_vpc(vpc) && !world.quotas.get(VPC_QUOTA).fits(1) {
            return Some(Trouble::of(codes::VPC_QUOTA));
        }
        if self.site.broken_storage.contains(group.dr_az()) {
            return Some(Trouble::of(codes::SNAPSHOT));
        }
        let mut pairs = group.pairs.iter().filter_map(|key| self.pairs.get(*key));
        pairs
            .any(|pair| pair.target_locked)
            .then(|| Trouble::of(codes::DISK_LOCKED).inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_in_the_published_samples() {
        let create = Work::InstanceCreate(1, Vec::new());
        let failed = Trouble::of(codes::DISK_ERROR).failed(&create);
        assert_eq!(failed.code, "EVS.2024");
        assert_eq!(
            failed.reason,
            "SdrsGenerateNativeServerParamsTask-fail:volume is error!"
        );
        let failed = Trouble::of(codes::EXPAND)
            .inner()
            .failed(&Work::Expand(1, 2));
        assert_eq!(
            failed.reason,
            "SdrsExpandReplicationPairTask-fail:SDRS.1820:Client error : \
             {\"badRequest\": {\"message\": \"Failed to expand the capacity\", \"code\": 400}}"
        );
    }
}
