//! The databases that plans protect, and the gateways before some of them.
//!
//! A self-managed database lives on a server of the shared fleet and is reached while that server runs; a managed
//! instance belongs to this service's own cloud.

use chrono::{DateTime, Utc};

use super::reasons::Reason;
use crate::sim::fleet::ServerState;
use crate::sim::world::World;

/// Regions that one endpoint serves together.
pub(super) const REGIONS: [&str; 6] = [
    "cn-hangzhou",
    "cn-shanghai",
    "cn-qingdao",
    "cn-beijing",
    "cn-shenzhen",
    "cn-hongkong",
];

/// The region of everything that has no other.
pub(super) const HOME: &str = "cn-hangzhou";

/// A database.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// `MySQL`, `PostgreSQL` …
    pub db_type: &'static str,
    /// `rds`, `dds`, `other`, `agent`.
    pub kind: &'static str,
    /// `rm-…`; empty for self-managed ones.
    pub instance: String,
    pub region: &'static str,
    pub host: String,
    pub port: u16,
    /// The database's own name.
    pub name: String,
    pub user: &'static str,
    /// The server in the fleet, for self-managed ones.
    pub server: Option<String>,
    /// The gateway it is reached through (`agent`).
    pub gateway: Option<usize>,
    pub bytes: u64,
    /// A managed instance that does not answer.
    pub down: bool,
    /// The backup user's password is wrong.
    pub denied: bool,
    pub binlog: bool,
}

/// A backup gateway: a program on a server of the user's.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub id: i64,
    pub identifier: String,
    pub name: String,
    pub region: &'static str,
    /// The server it runs on.
    pub server: String,
    pub created: DateTime<Utc>,
    /// A state set by hand (`UPGRADING`, `STOPPED`); else it follows from its server.
    pub set: Option<String>,
    /// When it was last heard of, once it is not online.
    pub last: Option<DateTime<Utc>>,
}

/// Sources and gateways.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub all: Vec<Source>,
    pub gateways: Vec<Gateway>,
}

const NAMES: [&str; 12] = [
    "orders",
    "billing",
    "crm",
    "inventory",
    "catalog",
    "payments",
    "sessions",
    "wiki",
    "hr",
    "analytics",
    "shipping",
    "loyalty",
];

impl Sources {
    /// Databases on the fleet's database servers, and about a quarter as many managed ones as there are servers.
    pub fn generate(world: &mut World) -> Self {
        let mut sources = Self::default();
        let servers: Vec<(String, String, String)> = world
            .fleet
            .servers()
            .iter()
            .map(|server| {
                (
                    server.id.clone(),
                    server.name.clone(),
                    server.private_ip.clone(),
                )
            })
            .collect();
        let created = world.now() - chrono::TimeDelta::days(120);
        for (index, (id, name, _)) in servers.iter().take(2).enumerate() {
            sources.gateways.push(Gateway {
                id: 16_000 + index as i64,
                identifier: format!("{name}-{}", id.split('-').next().unwrap_or_default()),
                name: format!("gateway-{name}"),
                region: REGIONS.get(index).copied().unwrap_or(HOME),
                server: id.clone(),
                created,
                set: None,
                last: None,
            });
        }
        for (id, name, address) in &servers {
            let role = name.split('-').nth(1).unwrap_or_default();
            if !matches!(role, "db" | "erp" | "rac" | "sap" | "auth") {
                continue;
            }
            let index = sources.all.len();
            let gateway = (index % 3 == 1 && !sources.gateways.is_empty())
                .then_some(index / 3 % sources.gateways.len().max(1));
            let (db_type, port) = match role {
                "rac" | "sap" => ("Oracle", 1521),
                "erp" => ("MSSQL", 1433),
                "auth" => ("PostgreSQL", 5432),
                _ => ("MySQL", 3306),
            };
            sources.all.push(Source {
                db_type,
                kind: if gateway.is_some() { "agent" } else { "other" },
                instance: String::new(),
                region: HOME,
                host: address.clone(),
                port,
                name: name.trim_start_matches("ecs-").replace('-', "_"),
                user: "dbs_backup",
                server: Some(id.clone()),
                gateway,
                bytes: world.rng.u64(2..400) << 30,
                down: false,
                denied: false,
                binlog: true,
            });
        }
        let managed = (servers.len() / 4).max(4);
        for index in 0..managed {
            let mongo = index % 5 == 4;
            let name = NAMES.get(index % NAMES.len()).copied().unwrap_or("orders");
            let instance = format!(
                "{}-bp1{:014x}",
                if mongo { "dds" } else { "rm" },
                world.rng.u64(..) & 0x00ff_ffff_ffff_ffff
            );
            sources.all.push(Source {
                db_type: match index % 5 {
                    4 => "MongoDB",
                    2 => "PostgreSQL",
                    _ => "MySQL",
                },
                kind: if mongo { "dds" } else { "rds" },
                host: format!("{instance}.mysql.rds.aliyuncs.com"),
                instance,
                region: REGIONS.get(index / 3 % 4).copied().unwrap_or(HOME),
                port: if mongo { 3717 } else { 3306 },
                name: match index / NAMES.len() {
                    0 => name.to_owned(),
                    more => format!("{name}_{more}"),
                },
                user: "dbs_backup",
                server: None,
                gateway: None,
                bytes: world.rng.u64(1..250) << 30,
                down: false,
                denied: false,
                binlog: true,
            });
        }
        sources
    }

    /// The database of that instance id, or else of that address.
    pub fn find(&self, instance: &str, host: &str, port: &str) -> Option<usize> {
        self.all.iter().position(|source| {
            if instance.is_empty() {
                source.host == host && (port.is_empty() || source.port.to_string() == port)
            } else {
                source.instance == instance
            }
        })
    }

    /// The state of a gateway.
    pub fn gateway_state<'a>(&'a self, world: &World, gateway: &'a Gateway) -> &'a str {
        match (&gateway.set, world.fleet.get(&gateway.server)) {
            (Some(set), _) => set,
            (None, Some(server)) if server.state == ServerState::Active => "ONLINE",
            (None, _) => "OFFLINE",
        }
    }

    /// What stands in the way of reading from a source now; `log` when its binary log is wanted.
    pub fn trouble(&self, world: &World, source: Option<usize>, log: bool) -> Option<Reason> {
        // An address that nobody has is one where nobody answers.
        let Some(source) = source.and_then(|source| self.all.get(source)) else {
            return Some(Reason::Unreachable);
        };
        if let Some(gateway) = source.gateway.and_then(|index| self.gateways.get(index))
            && self.gateway_state(world, gateway) != "ONLINE"
        {
            return Some(Reason::Gateway);
        }
        let runs = match &source.server {
            Some(server) => world
                .fleet
                .get(server)
                .is_some_and(|server| server.state == ServerState::Active),
            None => !source.down,
        };
        if !runs {
            Some(Reason::Unreachable)
        } else if source.denied {
            Some(Reason::Denied)
        } else if log && !source.binlog {
            Some(Reason::NoBinlog)
        } else {
            None
        }
    }
}
