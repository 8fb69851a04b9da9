//! Protected instances: a production server with its twin at the DR site.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::Sdrs;
use super::group::Station;
use super::status::{self, FAULT, INVALID, PROTECTED, Status};
use super::time::blank;
use crate::sim::fleet::ServerState;
use crate::sim::table::Row;
use crate::sim::world::World;

/// A network card that was added later; the primary one is not listed.
#[derive(Debug, Clone)]
pub struct Nic {
    /// Port id.
    pub id: String,
    /// Its address, when one was asked for.
    pub ip: Option<String>,
}

/// A protected instance.
#[derive(Debug)]
pub struct Instance {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// The user's words about it.
    pub description: Option<String>,
    /// Its group.
    pub group: u64,
    /// What the last operation left; see [`Sdrs::instance_status`] for what is shown.
    pub status: Status,
    /// The live site.
    pub station: Station,
    /// The production server: one of the world's.
    pub source_server: String,
    /// The DR server: this service's own.
    pub target_server: String,
    /// What the DR server is doing.
    pub target_state: ServerState,
    /// Flavors of production and DR server.
    pub flavors: [String; 2],
    /// Pairs with their device names.
    pub attachment: Vec<(u64, String)>,
    /// Tags in the order in which they were added.
    pub tags: Vec<(String, String)>,
    /// Network cards besides the primary one.
    pub nics: Vec<Nic>,
    /// The port id of the primary network card.
    pub primary_nic: String,
    /// Whether the account's arrears froze it.
    pub frozen: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// The job that moves it now.
    pub job: Option<u64>,
}

impl Row for Instance {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Instance {
    /// What the server at a site is doing; a server that nobody knows is gone.
    #[must_use]
    pub fn server_state(&self, world: &World, station: Station) -> ServerState {
        match station {
            Station::Source => world
                .fleet
                .get(&self.source_server)
                .map_or(ServerState::Deleted, |server| server.state),
            Station::Target => self.target_state,
        }
    }

    /// Whether one of its servers was deleted behind the service's back.
    #[must_use]
    pub fn lost_a_server(&self, world: &World) -> bool {
        [Station::Source, Station::Target]
            .into_iter()
            .any(|station| self.server_state(world, station) == ServerState::Deleted)
    }
}

impl Sdrs {
    /// The status as shown: a deleted server makes it invalid, a pair out of sync faulty.
    #[must_use]
    pub fn instance_status(&self, world: &World, instance: &Instance) -> Status {
        let settled = !status::moving(instance.status) && !instance.status.starts_with("error");
        if settled && instance.lost_a_server(world) {
            return INVALID;
        }
        let pairs = instance
            .attachment
            .iter()
            .filter_map(|(key, _)| self.pairs.get(*key));
        if instance.status == PROTECTED
            && pairs
                .into_iter()
                .any(|pair| self.pair_status(world, pair) == FAULT)
        {
            return FAULT;
        }
        instance.status
    }

    /// An instance as the service shows it.
    #[must_use]
    pub fn instance_json(&self, world: &World, instance: &Instance) -> Value {
        let attachment: Vec<Value> = instance
            .attachment
            .iter()
            .filter_map(|(key, device)| {
                let pair = self.pairs.get(*key)?;
                Some(json!({"replication": pair.id, "device": device}))
            })
            .collect();
        let mut metadata = Map::new();
        if instance.frozen {
            metadata.insert("__system__frozen".into(), "true".into());
        }
        json!({
            "id": instance.id,
            "name": instance.name,
            "description": instance.description,
            "server_group_id": self.groups.get(instance.group).map(|group| &group.id),
            "status": self.instance_status(world, instance),
            "progress": self.instance_progress(world, instance),
            "source_server": instance.source_server,
            "target_server": instance.target_server,
            "created_at": blank(instance.created),
            "updated_at": blank(instance.updated),
            "priority_station": instance.station.word(),
            "attachment": attachment,
            "tags": tags_json(&instance.tags),
            "metadata": metadata,
        })
    }

    fn instance_progress(&self, world: &World, instance: &Instance) -> i64 {
        let group = self.groups.get(instance.group);
        if let Some(progress) = self
            .job_progress(world, instance.job)
            .or_else(|| self.job_progress(world, group.and_then(|group| group.job)))
        {
            return progress;
        }
        if instance.status != PROTECTED {
            return 0;
        }
        let pairs = instance
            .attachment
            .iter()
            .filter_map(|(key, _)| self.pairs.get(*key));
        pairs
            .map(|pair| pair.synced(world.now()))
            .min()
            .unwrap_or(100)
    }
}

/// Tags as a list of key and value.
#[must_use]
pub fn tags_json(tags: &[(String, String)]) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}
