//! A made-up estate of many services, devices and policies with a history of tasks: the same every time.

use keepwatch::model::{
    CodeRef, Device, Kind, Phase, Policy, Ref, Rows, Service, ServiceId, Task, Timestamp,
};
use keepwatch::store::Store;

/// The instant at which it is looked at.
pub const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// Tasks on a page.
pub const PAGE: usize = 1_000;
/// The feed that tells them.
pub const FEED: &str = "recent";

const SERVICES: [(&str, &str); 8] = [
    ("otc-eu", "csbs"),
    ("otc-dr", "sdrs"),
    ("otc-nl", "csbs"),
    ("linux-files", "freezer"),
    ("dbs-hangzhou", "dbs"),
    ("dbs-berlin", "dbs"),
    ("otc-cbr", "cbr"),
    ("cloud-app", "karbor"),
];
const ROLES: [&str; 12] = [
    "web", "app", "db", "cache", "queue", "mail", "file", "auth", "edge", "vault", "build", "proxy",
];
const OPERATIONS: [&str; 6] = [
    "backup",
    "backup",
    "backup",
    "full backup",
    "restore",
    "delete",
];
const GOOD: [&str; 4] = ["available", "FINISHED", "success", "completed"];
const CODES: [(&str, &str); 6] = [
    (
        "CSBS.6027",
        "The AZ where the resource is located does not support backup.",
    ),
    ("CSBS.5001", "The server is busy."),
    ("EVS.2024", "The disk was created and is in error."),
    ("SDRS.1313", "The capacity quota is exceeded."),
    ("CSBS.9009", "Access to the vault was refused."),
    ("429", "Too many requests."),
];

/// Rows by the page, as connectors hand them over.
pub struct Estate {
    rng: fastrand::Rng,
    devices: usize,
    policies: usize,
    told: usize,
    tasks: usize,
}

impl Estate {
    /// An estate with so many tasks, over one device for every 200 of them.
    pub fn new(tasks: usize) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(7),
            devices: (tasks / 200).max(32),
            policies: (tasks / 5_000).max(8),
            told: 0,
            tasks,
        }
    }

    /// Its services.
    pub fn services() -> Vec<Service> {
        (0..)
            .zip(SERVICES)
            .map(|(n, (name, kind))| Service {
                id: ServiceId(n),
                name: name.into(),
                kind: Kind(kind),
                embedded: false,
                read_only: false,
            })
            .collect()
    }

    fn device_ref(&self, n: usize) -> Ref {
        let role = ROLES[n % ROLES.len()];
        Ref::new(
            format!("{:08x}-5c1e-4f0b-9d3a-{n:012x}", n * 2_654_435_761),
            format!("ecs-{role}-{:05}", n / ROLES.len()),
        )
    }

    fn policy_ref(&self, n: usize) -> Ref {
        let role = ROLES[n % ROLES.len()];
        Ref::new(
            format!("p{n:07x}"),
            format!("nightly-{role}-{:03}", n / ROLES.len()),
        )
    }

    /// The devices and policies of every service, first.
    pub fn parties(&self) -> Vec<(ServiceId, Rows)> {
        (0..SERVICES.len())
            .map(|s| {
                let ours = |n: &usize| n % SERVICES.len() == s;
                let devices = (0..self.devices).filter(ours).map(|n| {
                    let Ref { id, name } = self.device_ref(n);
                    Device {
                        id,
                        name,
                        what: "server",
                        native_status: "ACTIVE".into(),
                        place: "eu-de-01".into(),
                        ..Device::default()
                    }
                });
                let policies = (0..self.policies).filter(ours).map(|n| {
                    let Ref { id, name } = self.policy_ref(n);
                    Policy {
                        id,
                        name,
                        what: "policy",
                        enabled: Some(true),
                        schedule: "daily 01:00 UTC".into(),
                        ..Policy::default()
                    }
                });
                let rows = Rows {
                    devices: devices.collect(),
                    policies: policies.collect(),
                    ..Rows::default()
                };
                (ServiceId(u16::try_from(s).unwrap_or(0)), rows)
            })
            .collect()
    }

    fn task(&mut self, number: usize, service: usize) -> Task {
        let step = SERVICES.len();
        let device = self.rng.usize(0..self.devices / step) * step + service;
        let policy = self.rng.usize(0..self.policies / step) * step + service;
        let rng = &mut self.rng;
        let back = 30 * 86_400_000 / self.tasks as i64 * (self.tasks - number) as i64;
        let started = NOW.plus(-back - rng.i64(0..5_000));
        let ended = started.plus(30_000 + rng.i64(0..600_000));
        let live = number + 50 >= self.tasks;
        let failed = !live && rng.u8(0..32) == 0;
        let phase = match (live, failed) {
            (true, _) => Phase::Running,
            (_, true) => Phase::Failed,
            _ => Phase::Succeeded,
        };
        let id = format!("{:032x}", rng.u128(..));
        let id = format!(
            "{}-{}-{}-{}-{}",
            &id[..8],
            &id[8..12],
            &id[12..16],
            &id[16..20],
            &id[20..]
        );
        let failure = failed.then(|| {
            let (code, text) = CODES[rng.usize(0..CODES.len())];
            // one text in four names what it happened to, as services do
            let text = match rng.u8(0..4) {
                0 => format!("{text} ({})", &id[..8]),
                _ => text.to_owned(),
            };
            CodeRef::new(code, text)
        });
        Task {
            operation: OPERATIONS[rng.usize(0..OPERATIONS.len())].into(),
            native_status: match phase {
                Phase::Running => "protecting".into(),
                Phase::Failed => "error".into(),
                _ => GOOD[rng.usize(0..GOOD.len())].into(),
            },
            phase,
            progress: live.then(|| rng.u8(0..100)),
            started_at: Some(started),
            updated_at: Some(if live { started } else { ended }),
            ended_at: (!live).then_some(ended),
            failure,
            id,
            device: Some(self.device_ref(device)),
            policy: Some(self.policy_ref(policy)),
            ..Task::default()
        }
    }

    /// The next page of tasks, of one service.
    pub fn page(&mut self) -> Option<(ServiceId, u32, Rows)> {
        if self.told >= self.tasks {
            return None;
        }
        let page = self.told / PAGE;
        let service = page % SERVICES.len();
        let end = (self.told + PAGE).min(self.tasks);
        let tasks = (self.told..end).map(|n| self.task(n, service)).collect();
        self.told = end;
        let rows = Rows {
            tasks,
            ..Rows::default()
        };
        Some((
            ServiceId(u16::try_from(service).unwrap_or(0)),
            u32::try_from(page).unwrap_or(0),
            rows,
        ))
    }

    /// A store that was told all of it.
    pub fn store(tasks: usize) -> Store {
        let mut estate = Self::new(tasks);
        let mut store = Store::new(Self::services());
        for (service, rows) in estate.parties() {
            store.apply(service, "parties", 0, rows, NOW);
        }
        while let Some((service, page, rows)) = estate.page() {
            store.apply(service, FEED, page, rows, NOW);
        }
        for service in Self::services() {
            let covers = keepwatch::store::Covered::default();
            store.finish_round(service.id, FEED, covers, true, NOW);
        }
        store
    }
}
