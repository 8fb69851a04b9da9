//! Protection groups: what an operator switches on, off and over.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Sdrs;
use super::status::{PROTECTED, Status};
use super::time::blank;
use crate::sim::table::Row;
use crate::sim::world::World;

/// Which of the two sites is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Station {
    /// The production site as it was at creation.
    Source,
    /// The DR site as it was at creation.
    Target,
}

impl Station {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

/// A protection group.
#[derive(Debug)]
pub struct Group {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// The user's words about it.
    pub description: Option<String>,
    /// Its status.
    pub status: Status,
    /// The live site.
    pub station: Station,
    /// Production AZ as created.
    pub source_az: String,
    /// DR AZ as created.
    pub target_az: String,
    /// Its active-active domain, by position.
    pub domain: usize,
    /// The VPC that its servers are in.
    pub vpc: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// The job that moves it now.
    pub job: Option<u64>,
    /// Its instances.
    pub instances: BTreeSet<u64>,
    /// Its pairs.
    pub pairs: BTreeSet<u64>,
    /// Its drills.
    pub drills: BTreeSet<u64>,
    /// When its last drill was made.
    pub last_drill: Option<DateTime<Utc>>,
}

impl Row for Group {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Group {
    /// The AZ that is live now.
    #[must_use]
    pub fn production_az(&self) -> &str {
        match self.station {
            Station::Source => &self.source_az,
            Station::Target => &self.target_az,
        }
    }

    /// The AZ that stands by now.
    #[must_use]
    pub fn dr_az(&self) -> &str {
        match self.station {
            Station::Source => &self.target_az,
            Station::Target => &self.source_az,
        }
    }
}

impl Sdrs {
    /// A group as the service shows it.
    #[must_use]
    pub fn group_json(&self, world: &World, group: &Group) -> Value {
        let domain = self.site.domains.get(group.domain);
        json!({
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "source_availability_zone": group.source_az,
            "target_availability_zone": group.target_az,
            "domain_id": domain.map(|domain| &domain.id),
            "domain_name": domain.map(|domain| &domain.name),
            "status": group.status,
            "protected_status": null,
            "replication_status": null,
            "health_status": null,
            "progress": self.group_progress(world, group),
            "priority_station": group.station.word(),
            "protected_instance_num": group.instances.len(),
            "replication_num": group.pairs.len(),
            "disaster_recovery_drill_num": group.drills.len(),
            "source_vpc_id": group.vpc,
            "target_vpc_id": group.vpc,
            "test_vpc_id": null,
            "dr_type": "migration",
            "server_type": "ECS",
            "created_at": blank(group.created),
            "updated_at": blank(group.updated),
            "protection_type": "replication-pair",
            "replication_model": null,
        })
    }

    /// How far the running job is, or how far the data is in sync, in per cent.
    fn group_progress(&self, world: &World, group: &Group) -> i64 {
        if let Some(progress) = self.job_progress(world, group.job) {
            return progress;
        }
        if group.status != PROTECTED {
            return 0;
        }
        let pairs = group.pairs.iter().filter_map(|key| self.pairs.get(*key));
        let (sum, count) = pairs.fold((0, 0), |(sum, count), pair| {
            (sum + pair.synced(world.now()), count + 1)
        });
        if count == 0 { 100 } else { sum / count }
    }
}
