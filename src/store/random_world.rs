//! Random polls of two services, with a plain model of what the store has to make of them.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Asked, CodeRef, Phase, Ref, Rows, Task};

const SERVICES: usize = 2;

/// A task as last told, with what the store adds.
#[derive(Clone)]
struct Held {
    task: Task,
    lost: bool,
    cleared: bool,
    ours: Option<Asked>,
    when: i64,
}

pub(super) struct World {
    pub(super) rng: fastrand::Rng,
    pub(super) store: Store,
    model: BTreeMap<(u16, String), Held>,
    devices: BTreeMap<(u16, String), Device>,
    transitions: u64,
    pub(super) now: Timestamp,
    held_failed: [Vec<String>; SERVICES],
}

fn words(rng: &mut fastrand::Rng, from: &[&str]) -> String {
    from[rng.usize(0..from.len())].to_owned()
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let services = (0..SERVICES as u16)
            .map(|n| Service {
                id: ServiceId(n),
                name: if n == 0 { "OTC-eu" } else { "dr" }.into(),
                kind: Kind(if n == 0 { "csbs" } else { "sdrs" }),
                embedded: false,
                read_only: false,
            })
            .collect();
        Self {
            rng: fastrand::Rng::with_seed(seed),
            store: Store::new(services),
            model: BTreeMap::new(),
            devices: BTreeMap::new(),
            transitions: 0,
            now: Timestamp(1_700_000_000_000),
            held_failed: Default::default(),
        }
    }

    pub(super) fn task(&mut self, id: &str) -> Task {
        let now = self.now;
        let rng = &mut self.rng;
        let phase = Phase::from_u8(rng.u8(0..9));
        let status = words(
            rng,
            &[
                "protecting",
                "ERROR",
                "available",
                "Größe",
                "stop",
                "waiting_protect",
            ],
        );
        let minutes = |rng: &mut fastrand::Rng| now.plus(-60_000 * rng.i64(0..50));
        let reference = |rng: &mut fastrand::Rng, letter: &str| {
            let n = rng.u8(0..6);
            match n {
                0 => None,
                1 => Some(Ref::new("", format!("{letter}-name-1"))),
                _ => Some(Ref::new(
                    format!("{letter}{n}"),
                    format!("{letter}-name-{n}"),
                )),
            }
        };
        Task {
            id: id.into(),
            device: reference(rng, "d"),
            policy: reference(rng, "P"),
            operation: words(rng, &["backup", "restore", "delete"]),
            native_status: status,
            phase,
            step: words(rng, &["quiesce", "Export", "download"]),
            progress: Some(rng.u8(0..=100)),
            started_at: Some(minutes(rng)),
            updated_at: Some(minutes(rng)),
            ended_at: (!phase.is_live()).then(|| minutes(rng)),
            failure: phase.needs_person().then(|| CodeRef {
                code: words(rng, &["CSBS.6027", "csbs.5001", ""]),
                http_status: [None, Some(400), Some(500)][rng.usize(0..3)],
                operation: String::new(),
                message: words(rng, &["Quota exceeded", "the zone", ""]),
            }),
            asked: (rng.u8(0..8) == 0).then_some(Asked::Cancel),
            object: words(rng, &["server", "Volume"]),
            facts: Vec::new(),
            raw: String::new(),
        }
    }

    /// What one told task makes of the model.
    fn tell(&mut self, service: u16, task: &Task, news: bool, lists_failed: bool) {
        let before = self.model.get(&(service, task.id.clone())).cloned();
        let moved = before.as_ref().is_none_or(|b| {
            b.task.native_status != task.native_status || b.task.phase != task.phase
        });
        self.transitions += u64::from(moved && (before.is_some() || news));
        let mut task = task.clone();
        if let Some(b) = &before {
            // what is left out does not erase what is known
            task.device = task.device.or(b.task.device.clone());
            task.policy = task.policy.or(b.task.policy.clone());
            if !moved {
                task.failure = task.failure.or(b.task.failure.clone());
            }
        }
        let cleared = before.as_ref().is_some_and(|b| b.cleared) && !moved && !lists_failed;
        let ours = before.and_then(|b| b.ours).filter(|_| !moved);
        let when = task.started_at.expect("always told").0;
        let held = Held {
            lost: false,
            cleared,
            ours,
            when,
            task,
        };
        self.model.insert((service, held.task.id.clone()), held);
    }

    pub(super) fn step(&mut self) {
        self.now = self.now.plus(self.rng.i64(1_000..5_000));
        let service = self.rng.u16(0..SERVICES as u16);
        let id = ServiceId(service);
        match self.rng.u8(0..12) {
            0..=6 => self.poll(service),
            7 => {
                let name = format!("t{}", self.rng.u8(0..60));
                let task = self.task(&name);
                self.tell(service, &task, true, false);
                self.store.apply_task(id, task, self.now);
            }
            8 => {
                let name = format!("T{}", self.rng.u8(0..30));
                let live = self
                    .model
                    .get(&(service, name.clone()))
                    .is_some_and(|h| h.task.phase.is_live());
                assert_eq!(self.store.task_vanished(id, &name, self.now), live);
                if let Some(h) = self.model.get_mut(&(service, name)).filter(|_| live) {
                    h.task.phase = Phase::Unknown;
                    h.task.asked = None;
                    (h.lost, h.ours) = (true, None);
                    self.transitions += 1;
                }
            }
            9 => {
                let name = format!("t{}", self.rng.u8(0..60));
                let asked = self.rng.bool().then_some(Asked::Cancel);
                if let Some(row) = self.store.find_task(id, &name) {
                    self.store.ask(row, asked);
                    self.model
                        .get_mut(&(service, name))
                        .expect("held alike")
                        .ours = asked;
                }
            }
            _ => self.poll_devices(service),
        }
    }

    fn poll(&mut self, service: u16) {
        let id = ServiceId(service);
        let failed_feed = self.rng.u8(0..3) == 0;
        let feed = if failed_feed { "failed" } else { "all" };
        let mut tasks = Vec::new();
        for _ in 0..self.rng.usize(0..25) {
            let name = format!(
                "{}{}",
                if self.rng.bool() { "t" } else { "T" },
                self.rng.u8(0..60)
            );
            if tasks.iter().any(|t: &Task| t.id == name) {
                continue;
            }
            let known = self
                .model
                .get(&(service, name.clone()))
                .map(|h| h.task.clone());
            let task = match known {
                Some(known) if self.rng.bool() => known,
                _ => self.task(&name),
            };
            tasks.push(task);
        }
        let state = self.store.service(id).feed(feed);
        let news = state.is_some_and(|f| f.last_complete.is_some() || f.rounds >= 2);
        let lists_failed = failed_feed
            && self
                .store
                .service(id)
                .feed(feed)
                .is_some_and(|f| f.lists_failed);
        for task in &tasks {
            self.tell(service, task, news, lists_failed);
        }
        let before = self.store.generation();
        let page = |tasks: &[Task]| Rows {
            tasks: tasks.to_vec(),
            ..Rows::default()
        };
        let (a, b) = tasks.split_at(tasks.len() / 2);
        let mut told = page(a);
        let rest = told.tasks.split_off(told.tasks.len() / 2);
        let halves = Part {
            is_last: false,
            ..Part::WHOLE
        };
        self.store.apply_part(id, feed, 0, told, halves, self.now);
        let second = Part {
            from: a.len() / 2,
            is_last: true,
        };
        let rest = Rows {
            tasks: rest,
            ..Rows::default()
        };
        self.store.apply_part(id, feed, 0, rest, second, self.now);
        self.store.apply(id, feed, 1, page(b), self.now);
        // once more: nothing may change, not even by a generation
        let settled = self.store.generation();
        assert!(settled >= before);
        self.store.apply(id, feed, 1, page(b), self.now);
        assert!(self.store.apply_same(id, feed, 0, self.now));
        assert_eq!(self.store.generation(), settled);
        let covers = Covered {
            live: !failed_feed,
            failed: failed_feed,
            ..Covered::default()
        };
        let complete = self.rng.u8(0..4) > 0;
        let end = self
            .store
            .finish_round(id, feed, covers, complete, self.now);
        let shown = |name: &str| tasks.iter().any(|t| t.id == name);
        if complete && !failed_feed {
            let mut missing: Vec<&String> = self
                .model
                .iter()
                .filter(|((s, name), h)| *s == service && h.task.phase.is_live() && !shown(name))
                .map(|((_, name), _)| name)
                .collect();
            missing.sort();
            let mut told: Vec<&String> = end.missing_live.iter().collect();
            told.sort();
            assert_eq!(told, missing);
        }
        if failed_feed {
            let held = &mut self.held_failed[service as usize];
            if complete {
                for name in held.drain(..).filter(|n| !shown(n)) {
                    let h = self.model.get_mut(&(service, name)).expect("held alike");
                    h.cleared |= h.task.phase.needs_person();
                }
            }
            held.extend(tasks.iter().map(|t| t.id.clone()));
        }
    }

    fn poll_devices(&mut self, service: u16) {
        let id = ServiceId(service);
        self.devices.retain(|(s, _), _| *s != service);
        let mut rows = Rows::default();
        for n in 0..8 {
            if self.rng.u8(0..3) == 0 {
                continue;
            }
            let device = Device {
                id: format!("d{n}"),
                // two devices may share the name that tasks know
                name: format!("d-name-{}", if self.rng.u8(0..4) == 0 { 1 } else { n }),
                place: words(&mut self.rng, &["eu-de-01", "", "EU-de-02"]),
                ..Device::default()
            };
            self.devices
                .insert((service, device.id.clone()), device.clone());
            rows.devices.push(device);
        }
        self.store.apply(id, "devices", 0, rows, self.now);
        let covers = Covered {
            devices: true,
            ..Covered::default()
        };
        self.store
            .finish_round(id, "devices", covers, true, self.now);
    }

    pub(super) fn check(&self) {
        let s = &self.store;
        assert_eq!(s.task_count(), self.model.len());
        assert_eq!(s.log().last_seq(), self.transitions);
        for ((service, name), h) in &self.model {
            let row = s
                .find_task(ServiceId(*service), name)
                .expect("never dropped");
            let v = s.task(row);
            let t = &h.task;
            assert_eq!(v.id(), name);
            assert_eq!(
                (v.phase(), v.native_status(), v.operation()),
                (t.phase, &*t.native_status, &*t.operation)
            );
            assert_eq!(
                (v.started_at(), v.updated_at(), v.ended_at()),
                (t.started_at, t.updated_at, t.ended_at)
            );
            assert_eq!(
                (v.step(), v.object(), v.progress()),
                (&*t.step, &*t.object, t.progress)
            );
            assert_eq!(v.failure(), t.failure, "{name}");
            assert_eq!((v.lost(), v.cleared()), (h.lost, h.cleared), "{name}");
            assert_eq!(v.asked(), t.asked.or(h.ours));
            let told = t.device.as_ref().map_or("", |d| &d.name);
            match t
                .device
                .as_ref()
                .and_then(|d| self.devices.get(&(*service, d.id.clone())))
            {
                Some(d) => assert_eq!(v.device_label(), d.name),
                None if t.device.as_ref().is_some_and(|d| d.id.is_empty()) => {
                    assert_eq!(v.device_label(), told)
                }
                None => assert!(v.device_label().starts_with("d-name-") || told.is_empty()),
            }
        }
        self.check_counts();
        self.check_stats();
    }

    fn check_counts(&self) {
        let counts = self.store.counts(self.now);
        let failed = self
            .model
            .values()
            .filter(|h| h.task.phase.needs_person() && !h.cleared)
            .count();
        let live = self
            .model
            .values()
            .filter(|h| h.task.phase.is_live())
            .count();
        assert_eq!(
            (counts.failed as usize, counts.live as usize),
            (failed, live)
        );
        assert_eq!(counts.devices as usize, self.devices.len());
        for phase in Phase::ALL {
            let n = self
                .model
                .values()
                .filter(|h| h.task.phase == phase)
                .count();
            assert_eq!(counts.in_phase(phase) as usize, n);
        }
    }

    fn check_stats(&self) {
        for ((service, id), device) in &self.devices {
            let row = self
                .store
                .find_device(ServiceId(*service), id)
                .expect("listed");
            assert_eq!(self.store.device(row).name(), device.name);
            let alone = self
                .devices
                .iter()
                .filter(|((s, _), d)| s == service && d.name == device.name)
                .count()
                == 1;
            let mut mine: Vec<(&Held, u32)> = self
                .model
                .iter()
                .filter(|((s, _), h)| {
                    let of = h.task.device.as_ref();
                    s == service
                        && of.is_some_and(|d| {
                            d.id == *id || (d.id.is_empty() && alone && d.name == device.name)
                        })
                })
                .map(|((_, name), h)| {
                    (
                        h,
                        self.store
                            .find_task(ServiceId(*service), name)
                            .expect("held")
                            .0,
                    )
                })
                .collect();
            mine.sort_by_key(|(h, row)| std::cmp::Reverse((h.when, *row)));
            let listed: Vec<u32> = self.store.tasks_of_device(row).map(|t| t.0).collect();
            assert_eq!(listed, mine.iter().map(|m| m.1).collect::<Vec<_>>(), "{id}");
            let stats = self.store.device(row).stats();
            let backups: Vec<&Held> = mine
                .iter()
                .map(|m| m.0)
                .filter(|h| h.task.operation == "backup")
                .collect();
            let good = backups
                .iter()
                .position(|h| h.task.phase == Phase::Succeeded);
            let streak = backups[..good.unwrap_or(backups.len())]
                .iter()
                .filter(|h| h.task.phase.needs_person())
                .count();
            assert_eq!(stats.streak as usize, streak);
            assert_eq!(stats.last_good, good.and_then(|g| backups[g].task.ended_at));
            assert_eq!(
                stats.last_attempt_phase,
                backups.first().map(|h| h.task.phase)
            );
            assert_eq!(stats.tasks as usize, mine.len());
            let recent: Vec<Phase> = backups
                .iter()
                .map(|h| h.task.phase)
                .filter(|p| !p.is_live())
                .take(8)
                .collect();
            assert_eq!(stats.recent().collect::<Vec<_>>(), recent);
        }
    }
}
