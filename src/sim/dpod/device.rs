//! The gateways that DPOD knows, where it keeps backups, and what can be wrong with both.

use serde_json::{Value, json};

use crate::sim::world::World;

/// What went wrong with files on their way from a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// Their content.
    Hash,
    /// Their size.
    Size,
    /// They are empty.
    Empty,
}

/// A domain of a gateway.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    /// Its name.
    pub name: String,
    /// Whether it is one of API Connect's, which DPOD can't back up.
    pub apic: bool,
    /// Whether it has changes that were not saved.
    pub unsaved: bool,
    /// Whether it takes no traffic.
    pub quiesced: bool,
}

/// A gateway.
#[derive(Debug, Clone)]
pub(super) struct Device {
    /// Its name in DPOD.
    pub name: String,
    /// Its address.
    pub host: String,
    /// The port of its management interface (SOMA).
    pub port: u16,
    /// Its domains, `default` first.
    pub domains: Vec<Domain>,
    /// Its firmware.
    pub version: String,
    /// Whether DPOD reaches it.
    pub up: bool,
    /// Whether it was set up for disaster recovery, as secure backups ask for.
    pub dr_mode: bool,
    /// Whether its temporary storage is full.
    pub temp_full: bool,
    /// Whether it has the certificate for secure backups.
    pub cert: bool,
    /// Whether its management interface does what DPOD asks.
    pub soma: bool,
    /// What happens to files on their way.
    pub damage: Option<Damage>,
    /// Whether it never gets quiet.
    pub quiesce_sticks: bool,
    /// Whether it never goes back into service by itself.
    pub unquiesce_sticks: bool,
    /// Whether its work never ends.
    pub hangs: bool,
    /// Whether a secure backup runs on it of which DPOD lost track.
    pub lost_backup: bool,
    /// The task that is at work on it.
    pub work: Option<u64>,
}

impl Device {
    /// The troubles that can be switched, by name. `damage` is set by its own word.
    pub fn flags(&mut self) -> [(&'static str, &mut bool); 9] {
        [
            ("up", &mut self.up),
            ("dr_mode", &mut self.dr_mode),
            ("temp_full", &mut self.temp_full),
            ("cert", &mut self.cert),
            ("soma", &mut self.soma),
            ("quiesce_sticks", &mut self.quiesce_sticks),
            ("unquiesce_sticks", &mut self.unquiesce_sticks),
            ("hangs", &mut self.hangs),
            ("lost_backup", &mut self.lost_backup),
        ]
    }

    /// Whether any of its domains takes no traffic.
    #[must_use]
    pub fn is_quiesced(&self) -> bool {
        self.domains.iter().any(|domain| domain.quiesced)
    }

    /// Takes a domain (`ALL`: the gateway but for `default`, as the gateway itself does it) out of service or back.
    pub fn set_quiesced(&mut self, domain: &str, quiesced: bool) {
        for it in &mut self.domains {
            if it.name == domain || (domain == super::task::ALL && it.name != "default") {
                it.quiesced = quiesced;
            }
        }
    }

    /// As `/_sim/dpod` shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let domains: Vec<Value> = self
            .domains
            .iter()
            .map(|it| {
                json!({"name": it.name, "apic": it.apic, "unsaved": it.unsaved, "quiesced": it.quiesced})
            })
            .collect();
        json!({
            "name": self.name, "host": self.host, "port": self.port, "up": self.up, "version": self.version,
            "work": self.work, "lost_backup": self.lost_backup, "domains": domains,
        })
    }
}

/// Everything outside of plans that decides how they go.
#[derive(Debug)]
pub(super) struct Site {
    /// The gateways.
    pub devices: Vec<Device>,
    /// Whether the backup destination is mounted.
    pub mounted: bool,
    /// Whether the destination is full.
    pub full: bool,
    /// Whether files can be written there.
    pub writable: bool,
    /// Whether backups are allowed at all.
    pub allowed: bool,
    /// Whether the queue is worked off.
    pub alive: bool,
    /// Whether DPOD itself stumbles over everything.
    pub broken: bool,
    /// When DPOD was restarted last, in milliseconds since 1970.
    pub restarted: i64,
}

impl Site {
    /// The site's own troubles, by name.
    pub fn flags(&mut self) -> [(&'static str, &mut bool); 6] {
        [
            ("mounted", &mut self.mounted),
            ("full", &mut self.full),
            ("writable", &mut self.writable),
            ("allowed", &mut self.allowed),
            ("alive", &mut self.alive),
            ("broken", &mut self.broken),
        ]
    }
}

/// Data centres; further ones are numbered.
pub(super) const CENTRES: [&str; 3] = ["fra", "nyc", "lab"];
/// Gateways of a data centre.
const EACH: usize = 3;
const DOMAINS: [&str; 5] = ["payments", "orders", "partners", "mobile-api", "claims"];

/// The name of a data centre.
pub(super) fn centre(number: usize) -> String {
    match CENTRES.get(number) {
        Some(name) => (*name).to_owned(),
        None => format!("dc{:03}", number + 1),
    }
}

/// A gateway for every four servers of the fleet, three to a data centre.
pub(super) fn site(world: &mut World) -> Site {
    let count = world.fleet.servers().len().div_ceil(4);
    let devices = (0..count)
        .map(|index| {
            let centre = centre(index / EACH);
            let mut names = vec!["default"];
            let first = world.rng.usize(0..DOMAINS.len());
            names.extend((0..world.rng.usize(2..4)).filter_map(|it| DOMAINS.get((first + it) % 5)));
            let mut domains: Vec<Domain> = names
                .into_iter()
                .map(|name| Domain {
                    name: name.to_owned(),
                    apic: false,
                    unsaved: world.rng.u8(0..5) == 0,
                    quiesced: false,
                })
                .collect();
            if index % EACH == 1 {
                domains.push(Domain {
                    name: "apiconnect".to_owned(),
                    apic: true,
                    unsaved: false,
                    quiesced: false,
                });
            }
            Device {
                name: format!("dpgw-{centre}-{:02}", index % EACH + 1),
                host: format!("10.20.{}.{}", index / EACH % 256, 11 + index % EACH),
                port: 5550,
                domains,
                version: "10.5.0.11".to_owned(),
                up: true,
                // The lab's gateways were never set up for it.
                dr_mode: centre != "lab",
                temp_full: false,
                cert: true,
                soma: true,
                damage: None,
                quiesce_sticks: false,
                unquiesce_sticks: false,
                hangs: false,
                lost_backup: false,
                work: None,
            }
        })
        .collect();
    Site {
        devices,
        mounted: true,
        full: false,
        writable: true,
        allowed: true,
        alive: true,
        broken: false,
        restarted: 0,
    }
}
