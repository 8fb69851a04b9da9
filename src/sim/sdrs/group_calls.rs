//! Calls about protection groups: list, show, create, rename, delete, and the four actions.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::codes::{self, Refusal};
use super::group::{Group, Station};
use super::job::Step;
use super::query::{self, Answer, Page};
use super::status;
use super::work::{Action, Work};
use super::{GROUP_QUOTA, Sdrs};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// After this long without a drill a group counts as one.
const NO_DRILL: TimeDelta = TimeDelta::days(90);

impl Sdrs {
    /// `GET /server-groups`.
    pub fn list_groups(&self, world: &World, request: &Request) -> Answer {
        let page = Page::of(world, request)?;
        let overdue = world.now() - NO_DRILL;
        let rows = self
            .groups
            .newest()
            .map(|(_, group)| group)
            .filter(|group| {
                let by_type = match request.param("query_type") {
                    Some("status_abnormal") => status::abnormal(group.status),
                    Some("stop_protected") => group.status == status::AVAILABLE,
                    Some("period_no_dr_drill") => {
                        group.last_drill.unwrap_or(group.created) < overdue
                    }
                    _ => true,
                };
                by_type
                    && query::name_fits(request, &group.name)
                    && query::fits(request, "status", group.status)
                    && query::fits(request, "availability_zone", group.production_az())
            });
        Ok(page.list(world, "server_groups", rows, |group| {
            self.group_json(world, group)
        }))
    }

    /// The number of the group with that id.
    ///
    /// # Errors
    /// SDRS.0207 for what is no id, SDRS.1013 for one that nobody has.
    pub fn group_key(&self, world: &World, id: &str) -> Result<u64, Refusal> {
        self.key(
            world,
            self.groups.find(id),
            id,
            codes::GROUP_ID,
            codes::NO_GROUP,
        )
    }

    fn group_answer(&self, world: &World, key: u64) -> Answer {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        let body = self.group_json(world, group);
        Ok(Response::json(200, &json!({"server_group": body})))
    }

    /// `GET /server-groups/{id}`.
    pub fn show_group(&self, world: &World, id: &str) -> Answer {
        self.group_answer(world, self.group_key(world, id)?)
    }

    /// `PUT /server-groups/{id}`.
    pub fn rename_group(&mut self, world: &World, id: &str, request: &Request) -> Answer {
        let key = self.group_key(world, id)?;
        let name = query::name(&query::object(request, "server_group")?)?;
        if let Some(group) = self.groups.get_mut(key) {
            group.name = name;
            group.updated = world.now();
        }
        self.group_answer(world, key)
    }

    /// `POST /server-groups`.
    pub fn create_group(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::object(request, "server_group")?;
        let name = query::name(&body)?;
        let description = query::description(&body)?;
        let zone = |field| -> Result<String, Refusal> {
            let az = query::text(&body, field, codes::ZONE)?;
            if self.site.offers(world, az) {
                Ok(az.to_owned())
            } else {
                Err(codes::ZONE.into())
            }
        };
        let source_az = zone("source_availability_zone")?;
        let target_az = zone("target_availability_zone")?;
        let domain_id = query::text(&body, "domain_id", codes::DOMAIN)?;
        let (domain, zones) = self
            .site
            .domains
            .iter()
            .enumerate()
            .find(|(_, domain)| domain.id == domain_id)
            .map(|(index, domain)| (index, domain.zones))
            .ok_or(codes::DOMAIN)?;
        let in_domain = |az: &String| zones.iter().any(|zone| zone == az);
        if source_az == target_az || !in_domain(&source_az) || !in_domain(&target_az) {
            return Err(codes::ZONE.into());
        }
        let vpc = query::text(&body, "source_vpc_id", codes::VPC)?;
        if !self.site.has_vpc(vpc) {
            return Err(codes::VPC.into());
        }
        let vpc = vpc.to_owned();
        if !matches!(
            query::optional(&body, "dr_type", codes::DR_TYPE)?,
            None | Some("migration")
        ) {
            return Err(codes::DR_TYPE.into());
        }
        if !world.quotas.get(GROUP_QUOTA).fits(1) {
            return Err(codes::GROUP_QUOTA.into());
        }
        let now = world.now();
        let group = Group {
            id: world.uuid(),
            name,
            description,
            status: status::CREATING,
            station: Station::Source,
            source_az,
            target_az,
            domain,
            vpc,
            created: now,
            updated: now,
            job: None,
            instances: BTreeSet::new(),
            pairs: BTreeSet::new(),
            drills: BTreeSet::new(),
            last_drill: None,
        };
        let entities = one("server_group_id", &group.id);
        let key = self.groups.insert(group);
        world.quotas.take(GROUP_QUOTA, 1);
        let steps = vec![Step::hidden(8), Step::hidden(7)];
        let job = self.begin(world, Work::GroupCreate(key), entities, steps)?;
        self.accept(200, job)
    }

    /// `DELETE /server-groups/{id}`: only when it holds nothing.
    pub fn delete_group(&mut self, world: &mut World, id: &str) -> Answer {
        let key = self.group_key(world, id)?;
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        if status::moving(group.status) {
            return Err(codes::GROUP_STATE.into());
        }
        if !group.instances.is_empty() {
            return Err(codes::HAS_INSTANCE.into());
        }
        if !group.pairs.is_empty() {
            return Err(codes::HAS_PAIR.into());
        }
        if !group.drills.is_empty() {
            return Err(codes::HAS_DRILL.into());
        }
        let entities = one("server_group_id", &group.id);
        let steps = vec![Step::hidden(5), Step::hidden(5)];
        let job = self.begin(world, Work::GroupDelete(key), entities, steps)?;
        self.accept(200, job)
    }

    /// `POST /server-groups/{id}/action`: the body's one key names the action.
    pub fn act_on_group(&mut self, world: &mut World, id: &str, request: &Request) -> Answer {
        let key = self.group_key(world, id)?;
        let body = query::body(request)?;
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        let action = action(group, &body)?;
        if !action.from().contains(&group.status) || self.members_move(group) {
            return Err(codes::GROUP_STATE.into());
        }
        if group.pairs.is_empty() && action != Action::Stop {
            return Err(codes::GROUP_STATE.into());
        }
        let job = self.switch_group(world, key, action)?;
        self.accept(200, job)
    }

    /// Whether an instance or a pair of the group is busy on its own.
    #[must_use]
    pub fn members_move(&self, group: &Group) -> bool {
        let mut instances = group
            .instances
            .iter()
            .filter_map(|key| self.instances.get(*key));
        let mut pairs = group.pairs.iter().filter_map(|key| self.pairs.get(*key));
        instances.any(|it| status::moving(it.status)) || pairs.any(|it| status::moving(it.status))
    }

    /// Starts an action on a group whose state allows it; answers the job's number.
    ///
    /// # Errors
    /// As [`Sdrs::begin`].
    pub fn switch_group(
        &mut self,
        world: &mut World,
        key: u64,
        action: Action,
    ) -> Result<u64, Refusal> {
        let group = self.groups.get(key).ok_or(codes::NO_GROUP)?;
        let pairs = i64::try_from(group.pairs.len()).unwrap_or(100).min(100);
        let (each, part) = match action {
            Action::Start => (3, "startProtectionGroupRepNoCG"),
            Action::Reprotect => (4, "reprotectProtectionGroupRepNoCG"),
            Action::Stop => (1, "stopProtectionGroupRepNoCG"),
            Action::Reverse => (4, "reverseProtectionGroupRepNoCG"),
            Action::Failover => (3, "failoverProtectionGroupRepNoCG"),
        };
        let entities = json!({"server_group_id": group.id});
        let sub_job = self.job_id(world.now());
        let steps = vec![
            Step::hidden(5),
            Step::sub_job(sub_job, part, entities, 15 + pairs * each),
        ];
        // The answer of this kind of job holds the group only in its sub-job.
        self.begin(world, Work::Group(key, action), Map::new(), steps)
    }
}

/// Which action a body means for a group. Enable means protect again once the group has failed over.
fn action(group: &Group, body: &Map<String, Value>) -> Result<Action, Refusal> {
    let mut keys = body.iter();
    let (Some((name, settings)), None) = (keys.next(), keys.next()) else {
        return Err(codes::ACTION.into());
    };
    if !settings.is_object() && !settings.is_null() {
        return Err(codes::PARAMETER.into());
    }
    match name.as_str() {
        "start-server-group" if Action::Reprotect.from().contains(&group.status) => {
            Ok(Action::Reprotect)
        }
        "start-server-group" => Ok(Action::Start),
        "stop-server-group" => Ok(Action::Stop),
        "failover-server-group" => Ok(Action::Failover),
        "reverse-server-group" => {
            let wanted = settings.get("priority_station").and_then(Value::as_str);
            if wanted == Some(group.station.other().word()) {
                Ok(Action::Reverse)
            } else {
                Err(codes::PARAMETER.into())
            }
        }
        _ => Err(codes::ACTION.into()),
    }
}

/// The entities of a job about one thing.
#[must_use]
pub fn one(name: &str, id: &str) -> Map<String, Value> {
    let mut entities = Map::new();
    entities.insert(name.to_owned(), id.into());
    entities
}
