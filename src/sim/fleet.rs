//! The shared fleet: servers with their disks, and the availability zones they stand in.
//!
//! Whatever one service (or a test, through `/_sim/servers`) does to a server is seen by all the others.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

/// What a server is doing, as far as any service cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// Runs.
    Active,
    /// Switched off.
    Stopped,
    /// Being moved or rebuilt: its state allows nothing now.
    Migrating,
    /// Broken.
    Error,
    /// Gone for good; kept so that old records can name it.
    Deleted,
}

impl ServerState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Stopped,
        Self::Migrating,
        Self::Error,
        Self::Deleted,
    ];

    /// The word used in `/_sim`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Stopped => "stopped",
            Self::Migrating => "migrating",
            Self::Error => "error",
            Self::Deleted => "deleted",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// On what kind of storage a disk lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Shared EVS pool.
    Common,
    /// Dedicated distributed storage (DSS).
    Dss,
    /// Dedicated enterprise storage (DESS).
    Dess,
}

/// A disk.
#[derive(Debug, Clone)]
pub struct Volume {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Size in GB.
    pub size_gb: u32,
    /// How full it is, in per cent of its size.
    pub filled: u32,
    /// `SATA`, `SAS` or `SSD`.
    pub volume_type: &'static str,
    /// Whether it holds the system.
    pub bootable: bool,
    /// Whether several servers may attach it.
    pub shared: bool,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Its storage pool.
    pub storage: Storage,
    /// Whether it can't be read or written any more.
    pub broken: bool,
    /// Whether another operation has locked it.
    pub locked: bool,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    /// UUID.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Availability zone.
    pub az: String,
    /// What it is doing.
    pub state: ServerState,
    /// `OS::Nova::Server`, or `OS::Ironic::BareMetalServer` for bare metal.
    pub resource_type: &'static str,
    /// CPUs.
    pub vcpus: u32,
    /// Memory in MB.
    pub ram_mb: u32,
    /// Address inside its network.
    pub private_ip: String,
    /// Its disks, the system disk first.
    pub volumes: Vec<Volume>,
    /// Who is busy with it (`csbs: restore …`), so that others keep away. A holder removes its own line.
    pub held_by: Vec<String>,
}

impl Server {
    /// As `/_sim/servers` shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "az": self.az, "state": self.state.word(),
            "resource_type": self.resource_type, "held_by": self.held_by,
            "volumes": self.volumes.iter().map(|volume| json!({
                "id": volume.id, "name": volume.name, "size_gb": volume.size_gb, "bootable": volume.bootable,
                "shared": volume.shared, "encrypted": volume.encrypted, "volume_type": volume.volume_type,
                "broken": volume.broken, "locked": volume.locked,
                "storage": match volume.storage {
                    Storage::Common => "common", Storage::Dss => "dss", Storage::Dess => "dess",
                },
            })).collect::<Vec<_>>(),
        })
    }
}

/// An availability zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// `eu-de-01` …
    pub name: String,
    /// Kinds of service that don't work in this zone.
    pub refuses: BTreeSet<String>,
}

/// All servers and zones.
#[derive(Debug, Default)]
pub struct Fleet {
    servers: Vec<Server>,
    by_id: HashMap<String, usize>,
    /// The zones, in order.
    pub zones: Vec<Zone>,
}

const ROLES: &[&str] = &[
    "web", "app", "db", "mail", "cache", "file", "erp", "ci", "mon", "auth", "queue", "search",
];

impl Fleet {
    /// Makes `count` servers with believable names. From eight servers on a few have something that makes a service
    /// refuse them: two that share a disk, one in a zone without CSBS, one without disks, one on dedicated storage.
    #[must_use]
    pub fn generate(count: usize, rng: &mut fastrand::Rng) -> Self {
        let mut fleet = Self {
            zones: ["eu-de-01", "eu-de-02", "eu-de-03"]
                .iter()
                .map(|name| Zone {
                    name: (*name).to_owned(),
                    refuses: BTreeSet::new(),
                })
                .collect(),
            ..Self::default()
        };
        for index in 0..count {
            let role = ROLES.get(index % ROLES.len()).copied().unwrap_or("web");
            let number = index / ROLES.len() + 1;
            let az = ["eu-de-01", "eu-de-02"].get(index % 2).copied();
            let server = server(
                &format!("ecs-{role}-{number:02}"),
                az.unwrap_or("eu-de-01"),
                index,
                rng,
            );
            fleet.add(server);
        }
        if count >= 8 {
            fleet.add_quirks(count);
        }
        fleet
    }

    /// Gives the last few servers the properties that services refuse.
    fn add_quirks(&mut self, count: usize) {
        let shared = self.servers.get(count - 1).and_then(|server| {
            let mut volume = server.volumes.first()?.clone();
            volume.id.replace_range(0..8, "5ba2ed00");
            volume.name = "rac-shared-data".to_owned();
            volume.bootable = false;
            volume.shared = true;
            Some(volume)
        });
        if let Some(zone) = self.zones.get_mut(2) {
            zone.refuses.insert("csbs".to_owned());
        }
        for (back, name) in [
            (1, "ecs-rac-02"),
            (2, "ecs-rac-01"),
            (3, "ecs-edge-01"),
            (4, "ecs-pxe-01"),
            (5, "ecs-sap-01"),
        ] {
            let Some(server) = self.servers.get_mut(count - back) else {
                continue;
            };
            name.clone_into(&mut server.name);
            match back {
                1 | 2 => server.volumes.extend(shared.clone()),
                3 => "eu-de-03".clone_into(&mut server.az),
                4 => server.volumes.clear(),
                _ => {
                    if let Some(volume) = server.volumes.last_mut() {
                        volume.storage = Storage::Dss;
                    }
                }
            }
        }
    }

    /// Adds a server.
    pub fn add(&mut self, server: Server) {
        self.by_id.insert(server.id.clone(), self.servers.len());
        self.servers.push(server);
    }

    /// The server of that id, deleted ones too.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Server> {
        self.by_id
            .get(id)
            .and_then(|index| self.servers.get(*index))
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Server> {
        self.by_id
            .get(id)
            .and_then(|index| self.servers.get_mut(*index))
    }

    /// The id of the server with that id or name.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<&Server> {
        self.get(id_or_name)
            .or_else(|| self.servers.iter().find(|server| server.name == id_or_name))
    }

    /// All servers, in the order in which they were made.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Whether a kind of service works in a zone; an unknown zone supports nothing.
    #[must_use]
    pub fn zone_supports(&self, az: &str, kind: &str) -> bool {
        self.zones
            .iter()
            .any(|zone| zone.name == az && !zone.refuses.contains(kind))
    }
}

fn server(name: &str, az: &str, index: usize, rng: &mut fastrand::Rng) -> Server {
    let size = |rng: &mut fastrand::Rng, sizes: &[u32]| rng.choice(sizes).copied().unwrap_or(40);
    let mut volumes = vec![volume(name, "system", size(rng, &[24, 40, 60]), rng)];
    for disk in 0..rng.usize(0..3) {
        volumes.push(volume(
            name,
            &format!("data-{:02}", disk + 1),
            size(rng, &[100, 200, 500, 1000]),
            rng,
        ));
    }
    Server {
        id: uuid(rng),
        name: name.to_owned(),
        az: az.to_owned(),
        state: ServerState::Active,
        resource_type: "OS::Nova::Server",
        vcpus: size(rng, &[2, 4, 8, 16]),
        ram_mb: size(rng, &[4096, 8192, 16384, 32768]),
        private_ip: format!(
            "10.{}.{}.{}",
            (index >> 16) & 255,
            (index >> 8) & 255,
            index & 255
        ),
        volumes,
        held_by: Vec::new(),
    }
}

fn volume(server: &str, role: &str, size_gb: u32, rng: &mut fastrand::Rng) -> Volume {
    Volume {
        id: uuid(rng),
        name: format!("{server}-{role}"),
        size_gb,
        filled: rng.u32(15..85),
        volume_type: rng.choice(["SATA", "SAS", "SSD"]).unwrap_or("SAS"),
        bootable: role == "system",
        shared: false,
        encrypted: rng.u8(0..8) == 0,
        storage: Storage::Common,
        broken: false,
        locked: false,
    }
}

/// A random (version 4) UUID from the world's own generator, so that a seed gives the same world again.
#[must_use]
pub fn uuid(rng: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes())
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_fleet() {
        let make = || Fleet::generate(30, &mut fastrand::Rng::with_seed(7));
        let (a, b) = (make(), make());
        assert_eq!(a.servers().len(), 30);
        for (x, y) in a.servers().iter().zip(b.servers()) {
            assert_eq!(x.to_json(), y.to_json());
        }
        let mut ids: Vec<&str> = a.servers().iter().map(|s| s.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 30);
    }

    #[test]
    fn quirks_are_there_and_names_are_unique() {
        for count in [8, 24, 500] {
            let fleet = Fleet::generate(count, &mut fastrand::Rng::with_seed(1));
            let mut names: Vec<&str> = fleet.servers().iter().map(|s| s.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
            let rac = |name| fleet.find(name).expect("there").volumes.last().cloned();
            let (one, two) = (rac("ecs-rac-01"), rac("ecs-rac-02"));
            assert!(one.as_ref().is_some_and(|v| v.shared));
            assert_eq!(one.map(|v| v.id), two.map(|v| v.id));
            assert!(
                fleet
                    .find("ecs-pxe-01")
                    .is_some_and(|s| s.volumes.is_empty())
            );
            assert!(!fleet.zone_supports("eu-de-03", "csbs"));
            assert!(fleet.zone_supports("eu-de-03", "sdrs"));
        }
        assert!(
            Fleet::generate(0, &mut fastrand::Rng::with_seed(1))
                .servers()
                .is_empty()
        );
    }
}
