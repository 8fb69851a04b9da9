//! Calls about replication pairs.

use serde_json::{Value, json};

use super::codes::{self, Refusal};
use super::group_calls::one;
use super::job::Step;
use super::pair::Pair;
use super::query::{self, Answer, Page};
use super::status::{self, ERROR_EXTENDING};
use super::work::Work;
use super::{PAIR_QUOTA, Sdrs};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// How many pairs of a group may hang on no instance.
const UNATTACHED: usize = 20;

impl Sdrs {
    /// `GET /replications`.
    pub fn list_pairs(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let groups = self.group_filter(world, request)?;
        let instances = match query::id_list(request, "protected_instance_ids")? {
            Some(ids) => Some(
                ids.iter()
                    .filter_map(|id| self.instances.find(id))
                    .collect::<Vec<u64>>(),
            ),
            None => match request.param("protected_instance_id") {
                None | Some("") => None,
                Some(id) => Some(vec![self.instance_key(world, id)?]),
            },
        };
        let rows: Box<dyn Iterator<Item = &Pair>> = match (groups, instances) {
            (Some(groups), _) => Box::new(
                groups
                    .into_iter()
                    .filter_map(|key| self.groups.get(key))
                    .flat_map(|group| group.pairs.iter().rev())
                    .filter_map(|key| self.pairs.get(*key)),
            ),
            (None, Some(instances)) => Box::new(
                instances
                    .into_iter()
                    .filter_map(|key| self.instances.get(key))
                    .flat_map(|instance| self.pairs_of(instance))
                    .map(|(_, pair)| pair),
            ),
            (None, None) => Box::new(self.pairs.newest().map(|(_, pair)| pair)),
        };
        let rows = rows.filter(|pair| {
            let state = self.pair_status(world, pair);
            let group = self.groups.get(pair.group);
            (request.param("query_type") != Some("status_abnormal") || status::abnormal(state))
                && query::name_fits(request, &pair.name)
                && query::fits(request, "status", state)
                && query::fits(
                    request,
                    "availability_zone",
                    group.map_or("", |group| group.production_az()),
                )
        });
        Ok(page.list(world, "replications", rows, |pair| {
            self.pair_json(world, pair)
        }))
    }

    /// The number of the pair with that id.
    ///
    /// # Errors
    /// SDRS.0213 for what is no id, SDRS.1608 for one that nobody has.
    pub fn pair_key(&self, world: &World, id: &str) -> Result<u64, Refusal> {
        self.key(
            world,
            self.pairs.find(id),
            id,
            codes::PAIR_ID,
            codes::NO_PAIR,
        )
    }

    fn pair_answer(&self, world: &World, key: u64) -> Answer {
        let pair = self.pairs.get(key).ok_or(codes::NO_PAIR)?;
        let body = json!({"replication": self.pair_json(world, pair)});
        Ok(Response::json(200, &body))
    }

    /// `GET /replications/{id}`.
    pub fn show_pair(&self, world: &World, id: &str) -> Answer {
        self.pair_answer(world, self.pair_key(world, id)?)
    }

    /// `PUT /replications/{id}`.
    pub fn rename_pair(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.pair_key(world, id)?;
        let name = query::name(&query::object(request, "replication")?)?;
        if let Some(pair) = self.pairs.get_mut(key) {
            pair.name = name;
            pair.updated = world.now();
        }
        self.pair_answer(world, key)
    }

    /// `POST /replications`: from a disk that no server uses.
    pub fn create_pair(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::object(request, "replication")?;
        let name = query::name(&body)?;
        let description = query::description(&body)?;
        let group = query::text(&body, "server_group_id", codes::GROUP_ID)?;
        let group_key = self.group_key(world, group)?;
        let disk = query::text(&body, "volume_id", codes::DISK_ID)?;
        if !query::well_formed(disk) {
            return Err(codes::DISK_ID.into());
        }
        let group = self.groups.get(group_key).ok_or(codes::NO_GROUP)?;
        if !status::CALM.contains(&group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        if self.used_disks.contains(disk) {
            return Err(codes::DISK_USED.into());
        }
        // A disk in use is not available; one that nobody knows is no disk of the project.
        let in_use = || {
            let mut servers = world.fleet.servers().iter();
            servers.any(|server| server.volumes.iter().any(|volume| volume.id == disk))
        };
        let Some(free) = self.site.disks.get(disk) else {
            return Err(if in_use() {
                codes::DISK_STATUS.into()
            } else {
                codes::DISK_ID.into()
            });
        };
        if free.volume.encrypted {
            return Err(codes::ENCRYPTED.into());
        }
        if free.az != group.production_az() {
            return Err(codes::DISK_ZONE.into());
        }
        if self.unattached(group_key) >= UNATTACHED {
            return Err(codes::TOO_MANY_PAIRS.into());
        }
        if !world.quotas.get(PAIR_QUOTA).fits(1) {
            return Err(codes::PAIR_QUOTA.into());
        }
        let (volume, station, now) = (free.volume.clone(), group.station, world.now());
        let pair = Pair {
            id: world.uuid(),
            name,
            description,
            group: group_key,
            status: status::CREATING,
            station,
            instance: None,
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
        let mut entities = one("replication_pair_id", &pair.id);
        let volumes = format!("{},{}", pair.source_disk, pair.target_disk);
        entities.insert("volume_ids".into(), volumes.into());
        self.used_disks.insert(pair.source_disk.clone());
        let key = self.pairs.insert(pair);
        if let Some(group) = self.groups.get_mut(group_key) {
            group.pairs.insert(key);
        }
        world.quotas.take(PAIR_QUOTA, 1);
        let steps = vec![Step::hidden(10), Step::hidden(20)];
        let job = self.begin(world, Work::PairCreate(key), entities, steps)?;
        self.accept(200, job)
    }

    /// `DELETE /replications/{id}` with `{"replication": {…}}`, which must be there.
    pub fn delete_pair(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.pair_key(world, id)?;
        let body = query::object(request, "replication")?;
        query::flag(&body, "delete_target_volume")?;
        let pair = self.pairs.get(key).ok_or(codes::NO_PAIR)?;
        let group = self.groups.get(pair.group).ok_or(codes::NO_GROUP)?;
        if let Some(named) = query::optional(&body, "server_group_id", codes::GROUP_ID)?
            && named != group.id
        {
            return Err(codes::OTHER_GROUP.into());
        }
        if pair.instance.is_some() {
            return Err(codes::PAIR_ATTACHED.into());
        }
        if !status::GROUP_FOR_PAIR_DELETE.contains(&group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        if !status::PAIR_DELETABLE.contains(&self.pair_status(world, pair)) {
            return Err(codes::PAIR_STATUS.into());
        }
        let entities = one("replication_pair_id", id);
        let steps = vec![Step::hidden(5), Step::hidden(8)];
        let job = self.begin(world, Work::PairDelete(key), entities, steps)?;
        self.accept(200, job)
    }

    /// `POST /replications/{id}/action`.
    pub fn act_on_pair(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.pair_key(world, id)?;
        let body = query::body(request)?;
        let Some(Value::Object(settings)) = body.get("extend-replication") else {
            return Err(codes::ACTION.into());
        };
        // Decimals are cut off, not refused.
        let size = settings
            .get("new_size")
            .and_then(Value::as_f64)
            .filter(|size| (0.0..=32_768.0).contains(size))
            .map(|size| size as u32)
            .ok_or(codes::PARAMETER)?;
        let job = self.expand_pair(world, key, size)?;
        self.accept(200, job)
    }

    /// Starts to expand a pair; answers the job's number.
    ///
    /// # Errors
    /// The state, or a size that is not larger.
    pub fn expand_pair(&mut self, world: &mut World, key: u64, size: u32) -> Result<u64, Refusal> {
        let pair = self.pairs.get(key).ok_or(codes::NO_PAIR)?;
        let state = self.pair_status(world, pair);
        let group = self.groups.get(pair.group);
        let group_moves = group.is_some_and(|group| status::moving(group.status));
        if !(status::CALM.contains(&state) || state == ERROR_EXTENDING) || group_moves {
            return Err(codes::PAIR_STATUS.into());
        }
        if size <= pair.size_gb {
            return Err(codes::PARAMETER.into());
        }
        let entities = one("replication_pair_id", &pair.id);
        let steps = vec![Step::hidden(6), Step::hidden(18)];
        self.begin(world, Work::Expand(key, size), entities, steps)
    }
}
