//! Calls about protected instances: list, show, create, rename, delete.

use serde_json::{Map, Value, json};

use super::Sdrs;
use super::codes::{self, Code, Refusal};
use super::group::Group;
use super::group_calls::one;
use super::instance::Instance;
use super::job::Step;
use super::query::{self, Answer, Page};
use super::status;
use super::tag_calls::read_tags;
use super::work::Work;
use crate::sim::fleet::{Server, ServerState};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// How many instances a group takes.
const GROUP_LIMIT: usize = 200;

/// What a new instance is to be like.
#[derive(Debug)]
pub struct Wish {
    /// Its group.
    pub group: u64,
    /// Its production server.
    pub server: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its DR server's flavor; that of the production server when absent.
    pub flavor: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl Sdrs {
    /// The groups that a list is limited to; a list of ids wins over a single one, ids that nobody has are left out.
    ///
    /// # Errors
    /// SDRS.0226, or the single group's SDRS.0207 or SDRS.1013.
    pub fn group_filter(
        &self,
        world: &World,
        request: &Request,
    ) -> Result<Option<Vec<u64>>, Refusal> {
        if let Some(ids) = query::id_list(request, "server_group_ids")? {
            let known = ids.iter().filter_map(|id| self.groups.find(id));
            return Ok(Some(known.collect()));
        }
        match request.param("server_group_id") {
            None | Some("") => Ok(None),
            Some(id) => Ok(Some(vec![self.group_key(world, id)?])),
        }
    }

    /// `GET /protected-instances`.
    pub fn list_instances(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let groups = self.group_filter(world, request)?;
        let ids = query::id_list(request, "protected_instance_ids")?;
        let rows: Box<dyn Iterator<Item = &Instance>> = match (groups, ids) {
            (Some(groups), _) => Box::new(
                groups
                    .into_iter()
                    .filter_map(|key| self.groups.get(key))
                    .flat_map(|group| group.instances.iter().rev())
                    .filter_map(|key| self.instances.get(*key)),
            ),
            (None, Some(ids)) => Box::new(
                ids.into_iter()
                    .filter_map(|id| self.instances.get(self.instances.find(&id)?)),
            ),
            (None, None) => Box::new(self.instances.newest().map(|(_, it)| it)),
        };
        let rows = rows.filter(|instance| {
            let state = self.instance_status(world, instance);
            let group = self.groups.get(instance.group);
            (request.param("query_type") != Some("status_abnormal") || status::abnormal(state))
                && query::name_fits(request, &instance.name)
                && query::fits(request, "status", state)
                && query::fits(
                    request,
                    "availability_zone",
                    group.map_or("", Group::production_az),
                )
        });
        Ok(page.list(world, "protected_instances", rows, |instance| {
            self.instance_json(world, instance)
        }))
    }

    /// The number of the instance with that id.
    ///
    /// # Errors
    /// SDRS.0208 for what is no id, SDRS.1320 for one that nobody has.
    pub fn instance_key(&self, world: &World, id: &str) -> Result<u64, Refusal> {
        let key = self.instances.find(id);
        self.key(world, key, id, codes::INSTANCE_ID, codes::NO_INSTANCE)
    }

    fn instance_answer(&self, world: &World, key: u64) -> Answer {
        let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
        let body = json!({"protected_instance": self.instance_json(world, instance)});
        Ok(Response::json(200, &body))
    }

    /// `GET /protected-instances/{id}`.
    pub fn show_instance(&self, world: &World, id: &str) -> Answer {
        self.instance_answer(world, self.instance_key(world, id)?)
    }

    /// `PUT /protected-instances/{id}`.
    pub fn rename_instance(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let name = query::name(&query::object(request, "protected_instance")?)?;
        if let Some(instance) = self.instances.get_mut(key) {
            instance.name = name;
            instance.updated = world.now();
        }
        self.instance_answer(world, key)
    }

    /// `POST /protected-instances`.
    pub fn create_instance(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::object(request, "protected_instance")?;
        let name = query::name(&body)?;
        let description = query::description(&body)?;
        let group = query::text(&body, "server_group_id", codes::GROUP_ID)?;
        let group = self.group_key(world, group)?;
        let server = query::text(&body, "server_id", codes::SERVER_ID)?.to_owned();
        let address = query::optional(&body, "primary_ip_address", codes::IP_ADDRESS)?;
        let subnet = query::optional(&body, "primary_subnet_id", codes::PARAMETER)?;
        if let Some(address) = address {
            if subnet.is_none() {
                return Err(codes::PARAMETER.into());
            }
            self.free_address(world, address)?;
        }
        let flavor = query::optional(&body, "flavorRef", codes::PARAMETER)?.map(str::to_owned);
        let tags = match body.get("tags") {
            None | Some(Value::Null) => Vec::new(),
            Some(tags) => read_tags(tags, true, 10)?,
        };
        let wish = Wish {
            group,
            server,
            name,
            description,
            flavor,
            tags,
        };
        let job = self.make_instance(world, wish, codes::SERVER_ID)?;
        self.accept(200, job)
    }

    /// An address that nobody has.
    ///
    /// # Errors
    /// SDRS.0219 for what is no address, SDRS.1334 for one in use.
    pub fn free_address(&self, world: &World, address: &str) -> Result<(), Refusal> {
        if address.parse::<std::net::Ipv4Addr>().is_err() {
            return Err(codes::IP_ADDRESS.into());
        }
        let mut servers = world.fleet.servers().iter();
        if servers.any(|server| server.private_ip == address) {
            return Err(codes::IP_TAKEN.into());
        }
        Ok(())
    }

    /// Starts to protect a server; answers the job's number.
    ///
    /// # Errors
    /// What of group and server can be seen at once. `malformed` is the code for a server id that is none.
    pub fn make_instance(
        &mut self,
        world: &mut World,
        wish: Wish,
        malformed: &'static Code,
    ) -> Result<u64, Refusal> {
        let group = self.groups.get(wish.group).ok_or(codes::NO_GROUP)?;
        if !status::CALM.contains(&group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        if group.instances.len() >= GROUP_LIMIT {
            return Err(codes::GROUP_FULL.into());
        }
        if !query::well_formed(&wish.server) {
            return Err(malformed.into());
        }
        let server = world.fleet.get(&wish.server).ok_or(codes::NO_SERVER)?;
        self.server_will_do(group, server)?;
        let (station, volumes) = (group.station, server.volumes.len());
        let own = format!("s3.{}c.{}g", server.vcpus, server.ram_mb / 1024);
        let size: u32 = server.volumes.iter().map(|volume| volume.size_gb).sum();
        let ids: Vec<String> = (0..volumes).map(|_| world.uuid()).collect();
        let now = world.now();
        let instance = Instance {
            id: world.uuid(),
            name: wish.name,
            description: wish.description,
            group: wish.group,
            status: status::CREATING,
            station,
            source_server: wish.server,
            target_server: world.uuid(),
            target_state: ServerState::Stopped,
            flavors: [own.clone(), wish.flavor.unwrap_or(own)],
            attachment: Vec::new(),
            tags: wish.tags,
            nics: Vec::new(),
            primary_nic: world.uuid(),
            frozen: false,
            created: now,
            updated: now,
            job: None,
        };
        let entities = one("protected_instance_id", &instance.id);
        self.used_servers.insert(instance.source_server.clone());
        let key = self.instances.insert(instance);
        if let Some(group) = self.groups.get_mut(wish.group) {
            group.instances.insert(key);
        }
        let mut steps = vec![Step::hidden(15)];
        for id in &ids {
            let sub_job = self.job_id(now);
            let each = i64::from(size / 50).clamp(5, 40);
            let entities = json!({"replication_pair_id": id});
            steps.push(Step::sub_job(
                sub_job,
                "createReplicationPairNoCG",
                entities,
                each,
            ));
        }
        steps.push(Step::hidden(10));
        self.begin(world, Work::InstanceCreate(key, ids), entities, steps)
    }

    /// Whether a server can be protected in a group, as far as can be seen at once.
    fn server_will_do(&self, group: &Group, server: &Server) -> Result<(), Refusal> {
        if server.state == ServerState::Deleted {
            return Err(codes::NO_SERVER.into());
        }
        if self.used_servers.contains(&server.id) {
            return Err(codes::SERVER_USED.into());
        }
        if server.az != group.production_az() {
            return Err(codes::SERVER_ZONE.into());
        }
        if self.site.vpc_of(server) != group.vpc {
            return Err(codes::SERVER_VPC.into());
        }
        if !matches!(server.state, ServerState::Active | ServerState::Stopped) {
            return Err(codes::SERVER_STATE.into());
        }
        if !server.held_by.is_empty() {
            return Err(codes::SERVER_LOCKED.into());
        }
        if server.volumes.is_empty() {
            return Err(codes::NO_DISK.into());
        }
        Ok(())
    }

    /// `DELETE /protected-instances/{id}` with an optional JSON body.
    pub fn delete_instance(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.instance_key(world, id)?;
        let body = match request.json() {
            Ok(Value::Null) => Map::new(),
            Ok(Value::Object(body)) => body,
            _ => return Err(codes::PARAMETER.into()),
        };
        query::flag(&body, "delete_target_server")?;
        query::flag(&body, "delete_target_eip")?;
        let job = self.drop_instance(world, key)?;
        self.accept(200, job)
    }

    /// Starts to delete an instance; answers the job's number.
    ///
    /// # Errors
    /// SDRS.1301 in a state that does not allow it, or while its group moves.
    pub fn drop_instance(&mut self, world: &mut World, key: u64) -> Result<u64, Refusal> {
        let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
        let state = self.instance_status(world, instance);
        let group = self.groups.get(instance.group);
        if !status::INSTANCE_DELETABLE.contains(&state)
            || group.is_some_and(|group| status::moving(group.status))
            || self
                .pairs_of(instance)
                .any(|(_, pair)| status::moving(pair.status))
        {
            return Err(codes::INSTANCE_DELETE_STATE.into());
        }
        let entities = one("protected_instance_id", &instance.id);
        let pairs: Vec<String> = self
            .pairs_of(instance)
            .map(|(_, pair)| pair.id.clone())
            .collect();
        let mut steps = vec![Step::hidden(5)];
        for id in pairs {
            let sub_job = self.job_id(world.now());
            let entities = json!({"replication_pair_id": id});
            steps.push(Step::sub_job(
                sub_job,
                "deleteReplicationPairNoCG",
                entities,
                6,
            ));
        }
        steps.push(Step::hidden(5));
        self.begin(world, Work::InstanceDelete(key), entities, steps)
    }

    /// An instance whose state and group's state are calm, as changes of it ask for.
    ///
    /// # Errors
    /// SDRS.1002 for the group, the given code for the instance.
    pub fn calm_instance(
        &self,
        world: &World,
        key: u64,
        also: &[status::Status],
        code: &'static Code,
    ) -> Result<&Instance, Refusal> {
        let instance = self.instances.get(key).ok_or(codes::NO_INSTANCE)?;
        let group = self.groups.get(instance.group).ok_or(codes::NO_GROUP)?;
        if !status::CALM.contains(&group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        let state = self.instance_status(world, instance);
        if status::CALM.contains(&state) || also.contains(&state) {
            Ok(instance)
        } else {
            Err(code.into())
        }
    }

    /// How many pairs of a group hang on no instance.
    #[must_use]
    pub fn unattached(&self, group: u64) -> usize {
        let group = self.groups.get(group);
        let pairs = group.into_iter().flat_map(|group| &group.pairs);
        pairs
            .filter_map(|key| self.pairs.get(*key))
            .filter(|pair| pair.instance.is_none())
            .count()
    }
}
