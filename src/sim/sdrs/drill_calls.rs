//! Calls about DR drills.

use serde_json::json;

use super::Sdrs;
use super::codes::{self, Refusal};
use super::drill::Drill;
use super::group_calls::one;
use super::job::Step;
use super::query::{self, Answer, Page};
use super::status;
use super::work::Work;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

impl Sdrs {
    /// `GET /disaster-recovery-drills`.
    pub fn list_drills(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let group = match request.param("server_group_id") {
            None | Some("") => None,
            Some(id) => Some(self.group_key(world, id)?),
        };
        let rows = self
            .drills
            .newest()
            .map(|(_, drill)| drill)
            .filter(|drill| {
                group.is_none_or(|group| group == drill.group)
                    && query::name_fits(request, &drill.name)
                    && query::fits(request, "status", drill.status)
                    && query::fits(request, "drill_vpc_id", &drill.vpc)
            });
        Ok(page.list(world, "disaster_recovery_drills", rows, |drill| {
            self.drill_json(drill)
        }))
    }

    fn drill_key(&self, world: &World, id: &str) -> Result<u64, Refusal> {
        self.key(
            world,
            self.drills.find(id),
            id,
            codes::DRILL_ID,
            codes::NO_DRILL,
        )
    }

    fn drill_answer(&self, key: u64) -> Answer {
        let drill = self.drills.get(key).ok_or(codes::NO_DRILL)?;
        let body = json!({"disaster_recovery_drill": self.drill_json(drill)});
        Ok(Response::json(200, &body))
    }

    /// `GET /disaster-recovery-drills/{id}`.
    pub fn show_drill(&self, world: &World, id: &str) -> Answer {
        self.drill_answer(self.drill_key(world, id)?)
    }

    /// `PUT /disaster-recovery-drills/{id}`.
    pub fn rename_drill(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.drill_key(world, id)?;
        let name = query::name(&query::object(request, "disaster_recovery_drill")?)?;
        if let Some(drill) = self.drills.get_mut(key) {
            drill.name = name;
            drill.updated = world.now();
        }
        self.drill_answer(key)
    }

    /// `POST /disaster-recovery-drills`.
    pub fn create_drill(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::object(request, "disaster_recovery_drill")?;
        let name = query::name(&body)?;
        let group = query::text(&body, "server_group_id", codes::GROUP_ID)?;
        let group = self.group_key(world, group)?;
        let vpc = query::optional(&body, "drill_vpc_id", codes::VPC)?
            .filter(|vpc| !vpc.is_empty())
            .map(str::to_owned);
        let job = self.make_drill(world, group, name, vpc, false)?;
        self.accept(200, job)
    }

    /// Starts a drill; answers the job's number.
    ///
    /// # Errors
    /// The state of the group, or a VPC that won't do.
    pub fn make_drill(
        &mut self,
        world: &mut World,
        group_key: u64,
        name: String,
        vpc: Option<String>,
        by_schedule: bool,
    ) -> Result<u64, Refusal> {
        let group = self.groups.get(group_key).ok_or(codes::NO_GROUP)?;
        if !status::GROUP_FOR_DRILL.contains(&group.status) || self.members_move(group) {
            return Err(codes::GROUP_STATE.into());
        }
        if let Some(vpc) = &vpc {
            if *vpc == group.vpc {
                return Err(codes::DRILL_VPC.into());
            }
            if !self.site.has_vpc(vpc) {
                return Err(codes::NO_VPC.into());
            }
            if self.drills.newest().any(|(_, drill)| drill.vpc == *vpc) {
                return Err(codes::DRILL_VPC_USED.into());
            }
        }
        let servers = i64::try_from(group.instances.len()).unwrap_or(20).min(20);
        let now = world.now();
        let drill = Drill {
            id: world.uuid(),
            name,
            group: group_key,
            status: status::CREATING,
            vpc: vpc.unwrap_or_else(|| world.uuid()),
            servers: Vec::new(),
            created: now,
            updated: now,
            job: None,
            by_schedule,
        };
        let entities = one("disaster_recovery_drill_id", &drill.id);
        let key = self.drills.insert(drill);
        if let Some(group) = self.groups.get_mut(group_key) {
            group.drills.insert(key);
        }
        let steps = vec![Step::hidden(15), Step::hidden(30 + servers * 15)];
        self.begin(world, Work::DrillCreate(key), entities, steps)
    }

    /// `DELETE /disaster-recovery-drills/{id}`.
    pub fn delete_drill(&mut self, world: &mut World, id: &str) -> Answer {
        let key = self.drill_key(world, id)?;
        let job = self.end_drill(world, key)?;
        self.accept(200, job)
    }

    /// Starts to take a drill down; answers the job's number.
    ///
    /// # Errors
    /// SDRS.1913 while it moves.
    pub fn end_drill(&mut self, world: &mut World, key: u64) -> Result<u64, Refusal> {
        let drill = self.drills.get(key).ok_or(codes::NO_DRILL)?;
        if status::moving(drill.status) {
            return Err(codes::DRILL_DELETE_STATE.into());
        }
        let entities = one("disaster_recovery_drill_id", &drill.id);
        let steps = vec![Step::hidden(10), Step::hidden(20)];
        self.begin(world, Work::DrillDelete(key), entities, steps)
    }
}
