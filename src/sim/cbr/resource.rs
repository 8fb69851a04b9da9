//! What can be protected: servers and disks of the fleet, and file systems that only this service knows.

use serde_json::{Value, json};

use crate::sim::fleet::{Server, Volume};
use crate::sim::world::World;

/// The three sorts that vaults, resources and backups come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Server,
    Disk,
    Turbo,
}

impl Sort {
    pub const ALL: [Self; 3] = [Self::Server, Self::Disk, Self::Turbo];

    /// A vault's `object_type`.
    pub fn object_type(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Disk => "disk",
            Self::Turbo => "turbo",
        }
    }

    /// A resource's `type`.
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Server => "OS::Nova::Server",
            Self::Disk => "OS::Cinder::Volume",
            Self::Turbo => "OS::Sfs::Turbo",
        }
    }

    /// The provider that stands for this sort, everywhere and always.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Server => "0daac4c5-6707-4851-97ba-169e36266b66",
            Self::Disk => "d1603440-187d-4516-af25-121250c7cc97",
            Self::Turbo => "3f3c3220-245c-4805-b811-758870015881",
        }
    }

    /// The sort of a vault's `object_type`.
    pub fn of_vault(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|sort| sort.object_type() == word)
    }

    /// The sort of a resource's `type`.
    pub fn of_resource(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|sort| sort.resource_type() == word)
    }
}

/// What a resource looked like when it was backed up; shared by all backups made since it last changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saved {
    pub sort: Sort,
    pub id: String,
    pub name: String,
    pub az: String,
    pub size_gb: u32,
    /// The disks of a server, the disk itself, nothing for a file system.
    pub disks: Vec<SavedDisk>,
    /// How much data it held, in MB.
    pub data_mb: u64,
}

/// One disk in a [`Saved`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SavedDisk {
    pub id: String,
    pub name: String,
    pub size_gb: u32,
    pub filled: u32,
    pub bootable: bool,
    pub encrypted: bool,
}

impl From<&Volume> for SavedDisk {
    fn from(volume: &Volume) -> Self {
        Self {
            id: volume.id.clone(),
            name: volume.name.clone(),
            size_gb: volume.size_gb,
            filled: volume.filled,
            bootable: volume.bootable,
            encrypted: volume.encrypted,
        }
    }
}

impl SavedDisk {
    /// How much data it held, in MB.
    pub fn data_mb(&self) -> u64 {
        u64::from(self.size_gb) * 1024 * u64::from(self.filled) / 100
    }
}

impl Saved {
    fn of_disks(sort: Sort, id: &str, name: &str, az: &str, disks: Vec<SavedDisk>) -> Self {
        Self {
            sort,
            id: id.to_owned(),
            name: name.to_owned(),
            az: az.to_owned(),
            size_gb: disks.iter().map(|disk| disk.size_gb).sum(),
            data_mb: disks.iter().map(SavedDisk::data_mb).sum(),
            disks,
        }
    }

    /// A resource that is not there any more.
    pub fn lost(sort: Sort, id: &str, name: &str) -> Self {
        Self::of_disks(sort, id, name, "", Vec::new())
    }
}

/// An SFS Turbo file system.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub id: String,
    pub name: String,
    pub az: String,
    pub size_gb: u32,
    /// How full it is, in per cent.
    pub filled: u32,
    /// `available`, or any other word, which forbids backups.
    pub status: String,
}

impl Share {
    /// As `/_sim/cbr/shares` shows it.
    pub fn to_json(&self) -> Value {
        json!({"id": self.id, "name": self.name, "az": self.az, "size_gb": self.size_gb, "status": self.status})
    }

    fn saved(&self) -> Saved {
        Saved {
            sort: Sort::Turbo,
            id: self.id.clone(),
            name: self.name.clone(),
            az: self.az.clone(),
            size_gb: self.size_gb,
            disks: Vec::new(),
            data_mb: u64::from(self.size_gb) * 1024 * u64::from(self.filled) / 100,
        }
    }
}

/// The disk of that id, with the server that has it.
pub(super) fn disk<'a>(world: &'a World, id: &str) -> Option<(&'a Server, &'a Volume)> {
    world.fleet.servers().iter().find_map(|server| {
        let mut volumes = server.volumes.iter();
        volumes
            .find(|volume| volume.id == id)
            .map(|volume| (server, volume))
    })
}

/// The resource of that sort and id as it is now, without the disks that are left out.
pub(super) fn look(
    world: &World,
    shares: &[Share],
    sort: Sort,
    id: &str,
    exclude: &[String],
) -> Option<Saved> {
    match sort {
        Sort::Server => world.fleet.get(id).map(|server| {
            let disks = server
                .volumes
                .iter()
                .filter(|volume| !exclude.contains(&volume.id))
                .map(SavedDisk::from)
                .collect();
            Saved::of_disks(sort, id, &server.name, &server.az, disks)
        }),
        Sort::Disk => disk(world, id).map(|(server, volume)| {
            let disks = vec![SavedDisk::from(volume)];
            Saved::of_disks(sort, id, &volume.name, &server.az, disks)
        }),
        Sort::Turbo => shares.iter().find(|share| share.id == id).map(Share::saved),
    }
}
