//! What the two sites offer: active-active domains, networks, free disks, storage and the link between them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::sim::fleet::{Server, Storage, Volume};
use crate::sim::world::World;

/// Two zones that can stand in for each other.
#[derive(Debug)]
pub struct Domain {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its two zones.
    pub zones: [&'static str; 2],
}

/// A disk that no server uses.
#[derive(Debug, Clone)]
pub struct FreeDisk {
    /// Where it is.
    pub az: String,
    /// The disk.
    pub volume: Volume,
}

/// Both sites.
#[derive(Debug)]
pub struct Site {
    /// The domains, in the order in which they are listed.
    pub domains: Vec<Domain>,
    /// The VPC of nearly all servers.
    pub vpc: String,
    /// The VPC of the servers at the edge.
    pub edge_vpc: String,
    /// VPCs made for drills; they stay when the drill goes.
    pub drill_vpcs: BTreeSet<String>,
    /// Disks that no server uses, by id.
    pub disks: BTreeMap<String, FreeDisk>,
    /// Zones where new disks end in error.
    pub broken_storage: BTreeSet<String>,
    /// Whether the replication link between the sites is down.
    pub link_down: bool,
}

/// The most VPCs an account may have, as the world's quotas name it.
pub const VPC_QUOTA: &str = "vpc.vpcs";

impl Site {
    /// Both sites of the world, with a few free disks.
    #[must_use]
    pub fn new(world: &mut World) -> Self {
        let mut domain = |name: &str, zones| Domain {
            id: world.uuid(),
            name: name.to_owned(),
            zones,
        };
        let domains = vec![
            domain("domain_eu-de-01_eu-de-02", ["eu-de-01", "eu-de-02"]),
            domain("domain_eu-de-01_eu-de-03", ["eu-de-01", "eu-de-03"]),
        ];
        world.quotas.declare(VPC_QUOTA, 20);
        world.quotas.take(VPC_QUOTA, 2);
        let mut site = Self {
            domains,
            vpc: world.uuid(),
            edge_vpc: world.uuid(),
            drill_vpcs: BTreeSet::new(),
            disks: BTreeMap::new(),
            broken_storage: BTreeSet::new(),
            link_down: false,
        };
        for (az, size, name) in [
            ("eu-de-01", 100, "archive-01"),
            ("eu-de-02", 200, "archive-02"),
            ("eu-de-01", 500, "archive-03"),
            ("eu-de-02", 1000, "archive-04"),
        ] {
            site.add_disk(world, az, size, name);
        }
        site
    }

    /// Makes a free disk; answers its id.
    pub fn add_disk(&mut self, world: &mut World, az: &str, size_gb: u32, name: &str) -> String {
        let id = world.uuid();
        let disk = FreeDisk {
            az: az.to_owned(),
            volume: Volume {
                id: id.clone(),
                name: name.to_owned(),
                size_gb,
                filled: 40,
                volume_type: "SAS",
                bootable: false,
                shared: false,
                encrypted: false,
                storage: Storage::Common,
                broken: false,
                locked: false,
            },
        };
        self.disks.insert(id.clone(), disk);
        id
    }

    /// Whether a zone takes part in disaster recovery.
    #[must_use]
    pub fn offers(&self, world: &World, az: &str) -> bool {
        world.fleet.zone_supports(az, "sdrs")
            && self.domains.iter().any(|domain| domain.zones.contains(&az))
    }

    /// In which VPC a server is.
    #[must_use]
    pub fn vpc_of(&self, server: &Server) -> &str {
        if server.name.starts_with("ecs-edge") {
            &self.edge_vpc
        } else {
            &self.vpc
        }
    }

    /// Whether the project has such a VPC.
    #[must_use]
    pub fn has_vpc(&self, id: &str) -> bool {
        id == self.vpc || id == self.edge_vpc || self.drill_vpcs.contains(id)
    }

    /// The domains as the service lists them; sold out when one of the zones takes nobody.
    #[must_use]
    pub fn domains_json(&self, world: &World) -> Value {
        self.domains
            .iter()
            .map(|domain| {
                let [local, remote] = domain.zones;
                let open = domain
                    .zones
                    .iter()
                    .all(|zone| world.fleet.zone_supports(zone, "sdrs"));
                json!({
                    "id": domain.id,
                    "name": domain.name,
                    "description": format!("{local} and {remote}"),
                    "sold_out": !open,
                    "local_replication_cluster": {"availability_zone": local},
                    "remote_replication_cluster": {"availability_zone": remote},
                })
            })
            .collect()
    }
}
