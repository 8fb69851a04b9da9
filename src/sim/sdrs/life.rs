//! What happens by itself: drills on a schedule, and other people at work on groups, disks and servers.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::codes::Refusal;
use super::group::Station;
use super::instance_calls::Wish;
use super::status;
use super::work::{Action, Resource, Work};
use super::{ATTEND, CURE, DRILL, DRILL_OVER, LIFE, Sdrs, codes};
use crate::sim::fleet::ServerState;
use crate::sim::queue::Event;
use crate::sim::world::World;

/// Every so many minutes one group has its drill.
const DRILL_EVERY: i64 = 20;
/// A scheduled drill is looked at for so many minutes.
const DRILL_FOR: i64 = 12;

/// What the life of this service remembers.
#[derive(Debug, Default)]
pub struct Life {
    /// Whether anything happens by itself at all.
    pub on: bool,
    /// The group of the last scheduled drill.
    last_drill: u64,
    /// How many things are out of order.
    ills: usize,
    /// What somebody is going to look at.
    attended: BTreeSet<u64>,
}

/// What of a pair is out of order, in the number of a [`CURE`] event.
#[derive(Debug, Clone, Copy)]
enum Ill {
    /// The DR disk is locked.
    Locked,
    /// The production disk is in error.
    Source,
    /// The DR disk is in error.
    Target,
    /// The storage of the pair's DR zone makes no disks.
    Storage,
    /// The link between the sites is down.
    Link,
}

impl Ill {
    const ALL: [Self; 5] = [
        Self::Locked,
        Self::Source,
        Self::Target,
        Self::Storage,
        Self::Link,
    ];
}

impl Sdrs {
    /// Lets life begin, unless the world is to stand still.
    pub fn begin_life(&mut self, world: &mut World) {
        self.life.on = world.change_rate_each() > 0.0;
        if self.life.on {
            self.next_change(world);
            world.schedule_in(self.service, TimeDelta::minutes(2), DRILL, 0);
            let in_error: Vec<u64> = self
                .groups
                .newest()
                .filter(|(_, group)| status::abnormal(group.status))
                .map(|(key, _)| key)
                .collect();
            for key in in_error {
                self.attend_later(world, Resource::Group, key, 30);
            }
        }
    }

    /// Something of life's own is due.
    pub fn live(&mut self, world: &mut World, event: Event) {
        match event.what {
            LIFE => {
                // Whatever the service refuses is not done: somebody tried at the wrong moment.
                let _ = self.change(world);
                self.next_change(world);
            }
            CURE => self.cure(world, event.id),
            DRILL => {
                let _ = self.scheduled_drill(world);
                let next = TimeDelta::minutes(DRILL_EVERY);
                world.schedule_in(self.service, next, DRILL, 0);
            }
            DRILL_OVER => {
                let Some(vpc) = self.drills.get(event.id).map(|drill| drill.vpc.clone()) else {
                    return;
                };
                if self.end_drill(world, event.id).is_err() {
                    world.schedule_in(self.service, TimeDelta::minutes(5), DRILL_OVER, event.id);
                } else if self.site.drill_vpcs.remove(&vpc) {
                    // Who drills by schedule also tidies the network up, which the service itself never does.
                    world.quotas.take(super::site::VPC_QUOTA, -1);
                }
            }
            ATTEND => {
                let _ = self.attend(world, event.id);
            }
            _ => {}
        }
    }

    fn next_change(&mut self, world: &mut World) {
        let rate = world.change_rate_each();
        let millis = -(1.0 - world.rng.f64()).ln() / rate * 1000.0;
        let after = TimeDelta::milliseconds((millis as i64).clamp(1, 86_400_000));
        world.schedule_in(self.service, after, LIFE, 0);
    }

    /// One change, of the kinds that people make in a month.
    fn change(&mut self, world: &mut World) -> Result<(), Refusal> {
        let group = self.groups.pick(&mut world.rng).ok_or(codes::NO_GROUP)?;
        let pair = self.pairs.pick(&mut world.rng).ok_or(codes::NO_PAIR)?;
        match world.rng.u32(0..100) {
            0..35 => {
                self.looks_well(world, &Work::Expand(pair, 0))?;
                self.grow(world, pair).map(drop)
            }
            35..50 => self.switch_protection(world, group).map(drop),
            50..62 => self.protect_or_drop(world, group).map(drop),
            62..72 => self.planned_failover(world, group),
            72..80 => {
                let drills = self.groups.get(group).map_or(0, |group| group.drills.len());
                if drills > 1 {
                    return Err(codes::GROUP_STATE.into());
                }
                let name = self.drill_name(world, group);
                let job = self.make_drill(world, group, name, None, true)?;
                self.end_later(world, job);
                Ok(())
            }
            80..90 => self.disturb(world, pair),
            _ => self.rename_somebody(world, group),
        }
    }

    /// People look before they act; one in ten does not.
    fn looks_well(&self, world: &mut World, work: &Work) -> Result<(), Refusal> {
        match self.trouble(world, work) {
            Some(trouble) if world.rng.u8(0..10) > 0 => Err(trouble.code.into()),
            _ => Ok(()),
        }
    }

    fn grow(&mut self, world: &mut World, pair: u64) -> Result<u64, Refusal> {
        let size = self.pairs.get(pair).ok_or(codes::NO_PAIR)?.size_gb;
        if size >= 2000 {
            return Err(codes::PARAMETER.into());
        }
        self.expand_pair(world, pair, size + 10)
    }

    /// Off where it is on now and then, on where it is off.
    fn switch_protection(&mut self, world: &mut World, key: u64) -> Result<u64, Refusal> {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        let action = match group.status {
            status::AVAILABLE => Action::Start,
            status::PROTECTED if world.rng.u8(0..3) == 0 => Action::Stop,
            status::FAILED_OVER => Action::Reprotect,
            _ => return Err(codes::GROUP_STATE.into()),
        };
        self.looks_well(world, &Work::Group(key, action))?;
        self.act(world, key, action)
    }

    /// The action, if the group's state allows it.
    fn act(&mut self, world: &mut World, key: u64, action: Action) -> Result<u64, Refusal> {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        if !action.from().contains(&group.status)
            || self.members_move(group)
            || group.pairs.is_empty()
        {
            return Err(codes::GROUP_STATE.into());
        }
        if action == Action::Stop {
            self.attend_later(world, Resource::Group, key, 3);
        }
        self.switch_group(world, key, action)
    }

    /// Protects a server that is free, or gives up a group's newest instance.
    fn protect_or_drop(&mut self, world: &mut World, key: u64) -> Result<u64, Refusal> {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        if group.instances.len() > 4 || group.instances.len() > 1 && world.rng.bool() {
            let newest = group.instances.last().copied().unwrap_or_default();
            return self.drop_instance(world, newest);
        }
        let zone = group.production_az();
        let free: Vec<(String, String)> = world
            .fleet
            .servers()
            .iter()
            .filter(|server| {
                server.az == zone
                    && !self.used_servers.contains(&server.id)
                    && !server.volumes.iter().any(|it| it.shared || it.encrypted)
            })
            .take(20)
            .map(|server| (server.id.clone(), server.name.clone()))
            .collect();
        let (server, name) = world
            .rng
            .choice(free)
            .ok_or_else(|| Refusal::from(codes::NO_SERVER))?;
        let wish = Wish {
            group: key,
            server,
            name: format!("pi-{name}"),
            description: None,
            flavor: None,
            tags: Vec::new(),
        };
        self.make_instance(world, wish, codes::SERVER_ID)
    }

    /// A switchover with its servers stopped first, as it should be done; now and then somebody forgets one.
    fn planned_failover(&mut self, world: &mut World, key: u64) -> Result<(), Refusal> {
        let away = self
            .groups
            .newest()
            .find(|(_, group)| group.station == Station::Target)
            .map(|(key, _)| key);
        // One group at a time is away from home, so that most servers keep running where they are.
        let key = away.unwrap_or(key);
        self.looks_well(world, &Work::Group(key, Action::Stop))?;
        let forgets = world.rng.u8(0..4) == 0;
        self.power(world, key, ServerState::Stopped, usize::from(forgets));
        self.attend_later(world, Resource::Group, key, 4);
        self.act(world, key, Action::Reverse).map(drop)
    }

    /// Starts or stops the servers at a group's live site, all but the first `but`.
    fn power(&mut self, world: &mut World, key: u64, state: ServerState, but: usize) {
        let Some(group) = self.groups.get(key) else {
            return;
        };
        for key in group.instances.iter().skip(but) {
            let Some(instance) = self.instances.get_mut(*key) else {
                continue;
            };
            let field = match group.station {
                Station::Target => Some(&mut instance.target_state),
                Station::Source => world
                    .fleet
                    .get_mut(&instance.source_server)
                    .map(|server| &mut server.state),
            };
            if let Some(field) = field
                && matches!(field, ServerState::Active | ServerState::Stopped)
            {
                *field = state;
            }
        }
    }

    fn rename_somebody(&mut self, world: &mut World, group: u64) -> Result<(), Refusal> {
        let group = self.groups.get_mut(group).ok_or(codes::NO_GROUP)?;
        let date = world.now().format("%m-%d").to_string();
        group.description = Some(format!("reviewed {date}"));
        group.updated = world.now();
        Ok(())
    }

    fn drill_name(&self, world: &World, group: u64) -> String {
        let name = self
            .groups
            .get(group)
            .map_or("group", |group| group.name.as_str());
        let stamp = world.now().format("%m%d-%H%M");
        format!("drill-{name}-{stamp}")
    }

    /// The next group in turn has its drill.
    fn scheduled_drill(&mut self, world: &mut World) -> Result<(), Refusal> {
        let key = self
            .groups
            .after(self.life.last_drill)
            .ok_or(codes::NO_GROUP)?;
        self.life.last_drill = key;
        let name = self.drill_name(world, key);
        let job = self.make_drill(world, key, name, None, true)?;
        self.end_later(world, job);
        Ok(())
    }

    fn end_later(&mut self, world: &mut World, job: u64) {
        let drill = self.jobs.get(job).and_then(|job| job.work.subject());
        if let Some((Resource::Drill, key)) = drill {
            let after = TimeDelta::minutes(DRILL_FOR);
            world.schedule_in(self.service, after, DRILL_OVER, key);
        }
    }

    /// Something goes out of order for some minutes, and often somebody stumbles over it.
    fn disturb(&mut self, world: &mut World, key: u64) -> Result<(), Refusal> {
        // Most of the time nearly everything is well, however fast the world turns.
        if self.life.ills > self.groups.len() / 30 {
            return self.grow(world, key).map(drop);
        }
        self.life.ills += 1;
        let which = match world.rng.u32(0..20) {
            0..8 => 0,
            8..11 => 1,
            11..14 => 2,
            14..19 => 3,
            _ => 4,
        };
        let ill = Ill::ALL.get(which).copied().unwrap_or(Ill::Locked);
        let group = self.pairs.get(key).ok_or(codes::NO_PAIR)?.group;
        self.set_ill(world, key, ill, true);
        let minutes = match ill {
            Ill::Link => 2,
            _ => world.rng.i64(4..15),
        };
        let id = key << 3 | which as u64;
        world.schedule_in(self.service, TimeDelta::minutes(minutes), CURE, id);
        match (ill, world.rng.u8(0..3)) {
            (_, 0) => Ok(()),
            (Ill::Locked, _) => self.grow(world, key).map(drop),
            (Ill::Source, _) => self.planned_failover(world, group),
            (Ill::Target, _) => self.act(world, group, Action::Start).map(drop),
            (Ill::Storage | Ill::Link, 1) => self.protect_or_drop(world, group).map(drop),
            (Ill::Storage | Ill::Link, _) => {
                let name = self.drill_name(world, group);
                let job = self.make_drill(world, group, name, None, true)?;
                self.end_later(world, job);
                Ok(())
            }
        }
    }

    fn set_ill(&mut self, world: &mut World, key: u64, ill: Ill, on: bool) {
        let Some(pair) = self.pairs.get_mut(key) else {
            // Zone and link must get well also when the pair is gone.
            if !on {
                self.site.link_down &= !matches!(ill, Ill::Link);
                if matches!(ill, Ill::Storage) {
                    self.site.broken_storage.clear();
                }
            }
            return;
        };
        match ill {
            Ill::Locked => pair.target_locked = on,
            Ill::Target => pair.target_broken = on,
            Ill::Source => {
                let instance = pair.instance.and_then(|key| self.instances.get(key));
                let server = instance.and_then(|it| world.fleet.get_mut(&it.source_server));
                let volume = server.and_then(|server| {
                    let mut volumes = server.volumes.iter_mut();
                    volumes.find(|volume| volume.id == pair.source_disk)
                });
                if let Some(volume) = volume {
                    volume.broken = on;
                }
            }
            Ill::Storage => {
                let zone = self
                    .groups
                    .get(pair.group)
                    .map(|group| group.dr_az().to_owned());
                match zone {
                    Some(zone) if on => {
                        self.site.broken_storage.insert(zone);
                    }
                    _ => self.site.broken_storage.clear(),
                }
            }
            Ill::Link => self.site.link_down = on,
        }
    }

    fn cure(&mut self, world: &mut World, id: u64) {
        self.life.ills = self.life.ills.saturating_sub(1);
        let which = usize::try_from(id & 7).unwrap_or(0);
        if let Some(ill) = Ill::ALL.get(which) {
            self.set_ill(world, id >> 3, *ill, false);
        }
    }

    /// Somebody will look at it in some minutes.
    pub fn attend_later(&mut self, world: &mut World, resource: Resource, key: u64, minutes: i64) {
        if !self.life.on {
            return;
        }
        let kind = match resource {
            Resource::Group => 0,
            Resource::Instance => 1,
            Resource::Pair => 2,
            Resource::Drill => 3,
        };
        let seconds = minutes * 60 + world.rng.i64(0..minutes * 60 + 1);
        let id = key << 2 | kind;
        if self.life.attended.insert(id) {
            world.schedule_in(self.service, TimeDelta::seconds(seconds), ATTEND, id);
        }
    }

    /// Somebody puts it right, so that nothing stays in error for ever.
    fn attend(&mut self, world: &mut World, id: u64) -> Result<(), Refusal> {
        self.life.attended.remove(&id);
        let key = id >> 2;
        match id & 3 {
            0 => self.attend_group(world, key),
            1 => {
                let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
                if status::abnormal(instance.status) {
                    self.drop_instance(world, key)?;
                }
                Ok(())
            }
            2 => {
                let pair = self.pairs.get(key).ok_or(codes::NO_PAIR)?;
                if pair.status == status::ERROR_EXTENDING {
                    self.grow(world, key)?;
                }
                Ok(())
            }
            _ => self.end_drill(world, key).map(drop),
        }
    }

    fn attend_group(&mut self, world: &mut World, key: u64) -> Result<(), Refusal> {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        if status::moving(group.status) {
            self.attend_later(world, Resource::Group, key, 2);
            return Ok(());
        }
        match group.status {
            status::AVAILABLE => self.act(world, key, Action::Start).map(drop),
            status::FAILED_OVER => self.act(world, key, Action::Reprotect).map(drop),
            status::PROTECTED => {
                self.power(world, key, ServerState::Active, 0);
                Ok(())
            }
            failed => {
                let pairs: Vec<u64> = group.pairs.iter().copied().collect();
                for pair in pairs {
                    for ill in [Ill::Locked, Ill::Source, Ill::Target] {
                        self.set_ill(world, pair, ill, false);
                    }
                }
                let action = match failed {
                    status::ERROR_STARTING => Action::Start,
                    status::ERROR_STOPPING => Action::Stop,
                    status::ERROR_REPROTECTING => Action::Reprotect,
                    status::ERROR_FAILING_OVER => Action::Failover,
                    status::ERROR_REVERSING => {
                        self.power(world, key, ServerState::Stopped, 0);
                        Action::Reverse
                    }
                    _ => return Ok(()),
                };
                self.attend_later(world, Resource::Group, key, 4);
                self.act(world, key, action).map(drop)
            }
        }
    }
}
