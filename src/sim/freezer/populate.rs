//! The clients, jobs and backups that are there when the simulation starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::backup::{Backup, MOST};
use super::client::{Client, Folder};
use super::job::{Agent, Job, JobAction, State, set};
use super::schedule::Schedule;
use super::session::Session;
use super::{FIRE, Freezer};
use crate::sim::world::World;

/// Folders with the seconds that their backup takes.
const FOLDERS: &[(&str, i64)] = &[
    ("/etc", 4),
    ("/home", 35),
    ("/var/lib/postgresql", 70),
    ("/var/log", 12),
    ("/srv/data", 45),
    ("/srv/archive", 210),
];

impl Freezer {
    /// Makes every second server of the world a client with a job or two.
    pub fn populate(&mut self, world: &mut World) {
        let servers: Vec<(String, String)> = world
            .fleet
            .servers()
            .iter()
            .step_by(2)
            .map(|server| (server.id.clone(), server.name.clone()))
            .collect();
        for (number, (server, name)) in servers.into_iter().enumerate() {
            let folders: BTreeMap<String, Folder> = FOLDERS
                .iter()
                .map(|(path, seconds)| {
                    let seconds = *seconds * world.rng.i64(7..14) / 10;
                    ((*path).to_owned(), Folder { seconds })
                })
                .collect();
            let uuid = world.hex32();
            self.clients.insert(Client {
                id: name.clone(),
                uuid,
                server,
                hostname: name.clone(),
                description: Value::Null,
                folders,
            });
            self.populate_jobs(world, number, &name);
        }
        self.populate_session(world);
        self.populate_backups(world);
    }

    fn populate_jobs(&mut self, world: &mut World, number: usize, client: &str) {
        let hour = format!("{}", 1 + number % 5);
        let minute = format!("{}", number * 7 % 60);
        let nightly = json!({"schedule_hour": hour, "schedule_minute": minute});
        let mut jobs = vec![("etc", "/etc", "gzip", nightly)];
        jobs.push(match number % 8 {
            0 => (
                "home",
                "/home",
                "gzip",
                json!({"schedule_interval": "4 hours"}),
            ),
            1 => (
                "database",
                "/var/lib/postgresql",
                "gzip",
                json!({"schedule_interval": "30 minutes"}),
            ),
            2 => (
                "data",
                "/srv/data",
                "gzip",
                json!({"schedule_interval": "1 hours"}),
            ),
            // Somebody moved the folder away and never told the job.
            3 => (
                "legacy-app",
                "/opt/legacy/data",
                "gzip",
                json!({"schedule_interval": "2 hours"}),
            ),
            4 => (
                "archive",
                "/srv/archive",
                "xz",
                json!({"schedule_day_of_week": "sun", "schedule_hour": "3"}),
            ),
            5 => ("before-patching", "/etc", "gzip", json!({"status": "stop"})),
            6 => (
                "logs",
                "/var/log",
                "bzip2",
                json!({"schedule_interval": "15 minutes"}),
            ),
            _ => (
                "data",
                "/srv/data",
                "gzip",
                json!({"schedule_interval": "12 hours"}),
            ),
        });
        for (what, path, compression, schedule) in jobs {
            let schedule = schedule.as_object().cloned().unwrap_or_default();
            let name = format!("{client}-{what}");
            let job = new_job(world, client, &name, path, compression, schedule);
            self.settle(world, job);
        }
    }

    /// Adds a job as it stands after a while of good order: its last run over, its next one due.
    fn settle(&mut self, world: &mut World, mut job: Job) {
        let now = world.now();
        let created = now - TimeDelta::days(world.rng.i64(20..300));
        set(&mut job.schedule, "time_created", created.timestamp());
        set(&mut job.schedule, "time_started", -1);
        set(&mut job.schedule, "time_ended", -1);
        set(&mut job.schedule, "event", "");
        job.agent.known = true;
        let stopped = job.schedule.get("status") == Some(&Value::from("stop"));
        let schedule = Schedule::of(&job.schedule, now).filter(Schedule::repeats);
        if let (false, Some(schedule)) = (stopped, schedule) {
            let (ago, next) = match schedule {
                // Jobs that come by the clock have their phase anywhere within it.
                Schedule::Every(seconds) => {
                    let phase = world.rng.i64(0..seconds);
                    (phase, Some(now + TimeDelta::seconds(seconds - phase)))
                }
                other => (world.rng.i64(3_600..80_000), other.next(now)),
            };
            set(&mut job.schedule, "status", "scheduled");
            job.agent.state = State::Scheduled;
            job.agent.next = next;
            if world.options.tasks > 0 {
                let missing = job.actions.iter().any(|action| {
                    !FOLDERS
                        .iter()
                        .any(|(path, _)| *path == action.text("path_to_backup"))
                });
                let started = now - TimeDelta::seconds(ago.max(300));
                let ended = started + TimeDelta::seconds(world.rng.i64(4..90));
                let result = if missing { "fail" } else { "success" };
                set(&mut job.schedule, "result", result);
                set(&mut job.schedule, "time_started", started.timestamp());
                set(&mut job.schedule, "time_ended", ended.timestamp());
                set(
                    &mut job.schedule,
                    "current_pid",
                    world.rng.u32(1_000..60_000),
                );
            }
        }
        job.agent.schedule.clone_from(&job.schedule);
        for action in &job.actions {
            self.actions.insert(action.clone());
        }
        let next = job.agent.next;
        let key = self.jobs.insert(job);
        if let Some(at) = next {
            world.schedule(self.service, at, FIRE, key);
        }
    }

    /// One session with the nightly jobs of the first two clients.
    fn populate_session(&mut self, world: &mut World) {
        let nightly: Vec<u64> = self
            .jobs
            .oldest()
            .filter(|(_, job)| {
                job.description
                    .as_str()
                    .is_some_and(|it| it.ends_with("-etc"))
            })
            .map(|(key, _)| key)
            .take(2)
            .collect();
        if nightly.len() < 2 {
            return;
        }
        let mut session = Session {
            id: world.hex32(),
            description: "nightly-configuration".into(),
            tag: 0,
            result: Value::Null,
            hold_off: 60,
            status: "active".to_owned(),
            time_start: -1,
            time_end: -1,
            schedule: Map::new(),
            jobs: Some(BTreeMap::new()),
        };
        set(&mut session.schedule, "schedule_hour", "0");
        set(&mut session.schedule, "schedule_minute", "30");
        for key in nightly {
            let Some(job) = self.jobs.get_mut(key) else {
                continue;
            };
            job.session.clone_from(&session.id);
            job.schedule.extend(session.schedule.clone());
            job.agent.schedule.clone_from(&job.schedule);
            let now = world.now();
            job.agent.next = Schedule::of(&job.schedule, now).and_then(|it| it.next(now));
            if let Some(at) = job.agent.next {
                world.schedule(self.service, at, FIRE, key);
            }
            let line = json!({
                "client_id": job.client, "status": "stop", "result": "", "time_started": -1, "time_ended": -1,
            });
            let jobs = session.jobs.get_or_insert_default();
            jobs.insert(job.id.clone(), line);
        }
        self.sessions.insert(session);
    }

    /// The backups of the past 30 days, as many as there are tasks to begin with (and room for).
    fn populate_backups(&mut self, world: &mut World) {
        let good: Vec<(String, String, Arc<Value>)> = self
            .jobs
            .oldest()
            .filter(|(_, job)| job.agent.next.is_some())
            .filter_map(|(_, job)| {
                let action = job.actions.first()?;
                let there = FOLDERS
                    .iter()
                    .any(|(path, _)| *path == action.text("path_to_backup"));
                let what = (
                    job.client.clone(),
                    job.id.clone(),
                    action.freezer_action.clone(),
                );
                there.then_some(what)
            })
            .collect();
        let count = world.options.tasks.min(MOST / 2);
        if good.is_empty() || count == 0 {
            return;
        }
        let step = 30 * 86_400 / i64::try_from(count).unwrap_or(1).max(1);
        let mut time = world.now().timestamp() - 30 * 86_400;
        for _ in 0..count {
            let Some((hostname, job_id, action)) = world.rng.choice(&good).cloned() else {
                return;
            };
            self.keep_backup(Backup {
                id: world.hex32(),
                hostname,
                job_id,
                action,
                time: time + world.rng.i64(0..step.max(1)),
                status: "available".to_owned(),
                metadata: None,
            });
            time += step;
        }
    }
}

fn new_job(
    world: &mut World,
    client: &str,
    name: &str,
    path: &str,
    compression: &str,
    schedule: Map<String, Value>,
) -> Job {
    let action = json!({
        "action": "backup", "mode": "fs", "storage": "local", "container": "/var/backups/freezer",
        "backup_name": name, "path_to_backup": path, "engine_name": "tar", "compression": compression,
        "timeout": null, "priority": null, "log_file": null,
    });
    Job {
        id: world.hex32(),
        client: client.to_owned(),
        description: name.into(),
        session: String::new(),
        session_tag: 0,
        schedule,
        actions: vec![JobAction {
            id: world.hex32(),
            freezer_action: Arc::new(action),
            max_retries: 0,
            max_retries_interval: 5,
            mandatory: false,
        }],
        agent: Agent::default(),
    }
}
