//! Creating and deleting many protected instances at once, as Huawei Cloud offers it: answered with 202.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Sdrs;
use super::codes::{self, Refusal};
use super::instance_calls::Wish;
use super::query::{self, Answer};
use super::tag_calls::read_tags;
use super::work::Work;
use crate::sim::http::Request;
use crate::sim::world::World;

/// How many servers one call creates instances for.
const CREATE: usize = 5;
/// How many instances one call deletes.
const DELETE: usize = 20;

impl Sdrs {
    /// `POST /protected-instances/batch`.
    pub fn create_instances(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::object(request, "protected_instances")?;
        let prefix = query::text(&body, "name_prefix", codes::NAME)?.to_owned();
        if prefix.len() > 59 {
            return Err(codes::NAME.into());
        }
        let description = query::description(&body)?;
        let group = query::text(&body, "server_group_id", codes::GROUP_ID)?;
        let group = self.group_key(world, group)?;
        let tags = match body.get("tags") {
            None | Some(Value::Null) => Vec::new(),
            Some(tags) => read_tags(tags, true, 10)?,
        };
        let servers = body
            .get("servers")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty())
            .ok_or(codes::PARAMETER)?;
        if servers.len() > CREATE {
            return Err(codes::BATCH_LONG.into());
        }
        let mut seen = BTreeSet::new();
        let mut wishes = Vec::new();
        for (index, server) in servers.iter().enumerate() {
            let id = server.get("server_id").and_then(Value::as_str);
            let id = id.ok_or(codes::BATCH_SERVER)?;
            if !seen.insert(id) {
                return Err(codes::BATCH_TWICE.into());
            }
            if world.fleet.get(id).is_none() {
                return Err(codes::BATCH_SERVER.into());
            }
            wishes.push(Wish {
                group,
                server: id.to_owned(),
                name: format!("{prefix}-{:04}", index + 1),
                description: description.clone(),
                flavor: server
                    .get("flavorRef")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                tags: tags.clone(),
            });
        }
        self.batch(world, true, wishes, |sdrs, world, wish| {
            sdrs.make_instance(world, wish, codes::BATCH_SERVER)
        })
    }

    /// `POST /protected-instances/delete`.
    pub fn delete_instances(&mut self, world: &mut World, request: &Request) -> Answer {
        let body = query::body(request)?;
        query::flag(&body, "delete_target_server")?;
        query::flag(&body, "delete_target_eip")?;
        let list = body
            .get("protected_instances")
            .and_then(Value::as_array)
            .filter(|list| (1..=DELETE).contains(&list.len()))
            .ok_or(codes::PARAMETER)?;
        let mut keys = Vec::new();
        for item in list {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let key = self.instance_key(world, id)?;
            if keys.contains(&key) {
                return Err(codes::BATCH_DELETE_TWICE.into());
            }
            keys.push(key);
        }
        let groups: BTreeSet<u64> = keys
            .iter()
            .filter_map(|key| self.instances.get(*key))
            .map(|instance| instance.group)
            .collect();
        if groups.len() > 1 {
            return Err(codes::BATCH_GROUPS.into());
        }
        self.batch(world, false, keys, Self::drop_instance)
    }

    /// Starts a job for each of `things` and one that waits for them. When one is refused those before it go on:
    /// the service documents no taking back.
    fn batch<T>(
        &mut self,
        world: &mut World,
        creates: bool,
        things: Vec<T>,
        start: impl Fn(&mut Self, &mut World, T) -> Result<u64, Refusal>,
    ) -> Answer {
        let mut children = Vec::new();
        for thing in things {
            children.push(start(self, world, thing)?);
        }
        let batch = self.begin(world, Work::Batch(creates), Map::new(), Vec::new())?;
        for child in &children {
            if let Some(job) = self.jobs.get_mut(*child) {
                job.parent = Some(batch);
            }
        }
        if let Some(job) = self.jobs.get_mut(batch) {
            job.children = children;
        }
        self.accept(202, batch)
    }
}
