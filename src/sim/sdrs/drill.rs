//! DR drills: copies of the DR servers in a network of their own, to see whether they would start.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Sdrs;
use super::status::Status;
use super::time::blank;
use crate::sim::table::Row;

/// A DR drill.
#[derive(Debug)]
pub struct Drill {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Its group.
    pub group: u64,
    /// Its status.
    pub status: Status,
    /// The VPC that its servers are in.
    pub vpc: String,
    /// Instance id and drill server id.
    pub servers: Vec<(String, String)>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// The job that moves it now.
    pub job: Option<u64>,
    /// Whether the world's own life made it, and so ends it.
    pub by_schedule: bool,
}

impl Row for Drill {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Sdrs {
    /// A drill as the service shows it.
    #[must_use]
    pub fn drill_json(&self, drill: &Drill) -> Value {
        let servers: Vec<Value> = drill
            .servers
            .iter()
            .map(|(instance, server)| {
                json!({"protected_instance": instance, "drill_server_id": server})
            })
            .collect();
        json!({
            "id": drill.id,
            "name": drill.name,
            "status": drill.status,
            "server_group_id": self.groups.get(drill.group).map(|group| &group.id),
            "drill_vpc_id": drill.vpc,
            "created_at": blank(drill.created),
            "updated_at": blank(drill.updated),
            "drill_servers": servers,
        })
    }
}
