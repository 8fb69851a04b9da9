//! The scheduler on the clients: it looks at the API now and then, schedules and runs jobs, and writes back what it
//! thinks. Events of jobs are wishes until it has looked (freezer-scheduler 19.0.0, its states and their order).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::job::{Run, State, set, word};
use super::schedule::Schedule;
use super::{END, FIRE, Freezer, POLL};
use crate::sim::fleet::ServerState;
use crate::sim::world::World;

/// How often a scheduler that is down is looked for.
const AWAY: TimeDelta = TimeDelta::seconds(30);

impl Freezer {
    /// Whether the scheduler on a job's client runs: it does while its server does.
    fn is_up(&self, world: &World, client: &str) -> bool {
        self.clients
            .find(client)
            .and_then(|key| self.clients.get(key))
            .and_then(|client| world.fleet.get(&client.server))
            .is_some_and(|server| server.state == ServerState::Active)
    }

    /// Something about a job changed in the API: the scheduler sees it when it looks next.
    pub fn changed(&mut self, world: &mut World, key: u64) {
        let every = world.switches.number("freezer.poll_seconds").max(1.0) as i64;
        let now = world.now();
        let wait = every - now.timestamp().rem_euclid(every);
        self.poll_at(world, key, now + TimeDelta::seconds(wait));
    }

    fn poll_at(&mut self, world: &mut World, key: u64, at: DateTime<Utc>) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        if job.agent.poll.is_none() {
            job.agent.poll = Some(at);
            world.schedule(self.service, at, POLL, key);
        }
    }

    /// The scheduler looks at a job.
    pub fn poll(&mut self, world: &mut World, key: u64) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        job.agent.poll = None;
        // It asks only for jobs that are not completed.
        if word(&job.schedule, "status") == "completed" {
            return;
        }
        let client = job.client.clone();
        if !self.is_up(world, &client) {
            let at = world.now() + AWAY;
            self.poll_at(world, key, at);
            return;
        }
        let mends = world.switches.get("freezer.abort") == "works";
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let mut event = word(&job.schedule, "event").to_owned();
        if !job.agent.known {
            job.agent.known = true;
            job.agent.state = State::Stopped;
            job.agent.next = None;
            if event.is_empty() {
                let stopped = word(&job.schedule, "status") == "stop";
                event = if stopped { "stop" } else { "start" }.to_owned();
            }
        }
        if event == "abort"
            && mends
            && let Some(run) = &mut job.agent.run
        {
            // The agent's process is told to end and does so a moment later.
            run.killed = true;
            run.end = world.now() + TimeDelta::seconds(1);
            world.schedule(self.service, run.end, END, key);
        }
        self.process(world, key, &event);
    }

    /// One event in one state.
    fn process(&mut self, world: &mut World, key: u64, event: &str) {
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        match (job.agent.state, event) {
            (State::Stopped, "stop" | "abort") | (State::Scheduled, "abort") => {
                job.agent.schedule.clone_from(&job.schedule);
                set(&mut job.agent.schedule, "event", "");
                set(&mut job.agent.schedule, "status", "stop");
                job.push();
            }
            (State::Stopped, "start") => {
                job.agent.schedule.clone_from(&job.schedule);
                set(&mut job.agent.schedule, "event", "");
                self.arm(world, key);
            }
            (State::Scheduled, "stop") => {
                job.agent.next = None;
                job.agent.state = State::Stopped;
                set(&mut job.agent.schedule, "event", "");
                set(&mut job.agent.schedule, "status", "stop");
                job.push();
            }
            // Starting what is scheduled already changes nothing: it still waits for its time.
            (State::Scheduled | State::Running, "start") => {
                set(&mut job.agent.schedule, "event", "");
                job.push();
            }
            (State::Running, "stop") => set(&mut job.agent.schedule, "event", "stop"),
            (State::Running, "abort") => {
                set(&mut job.agent.schedule, "event", "abort");
                job.push();
            }
            _ => {}
        }
    }

    /// Gives a job its time; one whose schedule has no time left is completed.
    fn arm(&mut self, world: &mut World, key: u64) {
        let now = world.now();
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let next = Schedule::of(&job.agent.schedule, now).and_then(|it| it.next(now));
        job.agent.next = next;
        let (state, status) = match next {
            Some(at) => {
                world.schedule(self.service, at, FIRE, key);
                (State::Scheduled, "scheduled")
            }
            None => (State::Stopped, "completed"),
        };
        job.agent.state = state;
        set(&mut job.agent.schedule, "status", status);
        job.push();
    }

    /// A job's time has come.
    pub fn fire(&mut self, world: &mut World, key: u64) {
        let now = world.now();
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        if job.agent.next.is_none_or(|at| at > now) {
            return;
        }
        let client = job.client.clone();
        if !self.is_up(world, &client) {
            self.forget(world, key);
            return;
        }
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let schedule = Schedule::of(&job.agent.schedule, now).filter(Schedule::repeats);
        job.agent.next = schedule.and_then(|it| it.next(now));
        if let Some(at) = job.agent.next {
            world.schedule(self.service, at, FIRE, key);
        }
        // A job that still runs from last time is left alone.
        if job.agent.state == State::Running {
            return;
        }
        job.agent.state = State::Running;
        for (name, value) in [
            ("status", json!("running")),
            ("result", json!("")),
            ("time_started", json!(now.timestamp())),
            ("time_ended", json!(-1)),
            ("current_pid", json!(world.rng.u32(1_000..60_000))),
        ] {
            set(&mut job.agent.schedule, name, value);
        }
        let pid = job.agent.schedule.get("current_pid").cloned();
        world.note(json!({"what": "freezer.run.started", "job_id": job.id, "pid": pid}));
        job.push();
        self.session_start(world, key);
        let seconds = self.duration(world, key);
        let end = now + TimeDelta::seconds(seconds);
        if let Some(job) = self.jobs.get_mut(key) {
            job.agent.run = Some(Run { end, killed: false });
        }
        world.schedule(self.service, end, END, key);
    }

    /// The scheduler is gone with its server: what the API says of the job stays as it is until both are back.
    fn forget(&mut self, world: &mut World, key: u64) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.agent.known = false;
            job.agent.run = None;
            job.agent.next = None;
            job.agent.state = State::Stopped;
        }
        let at = world.now() + AWAY;
        self.poll_at(world, key, at);
    }

    /// A run's actions are over.
    pub fn end(&mut self, world: &mut World, key: u64) {
        let now = world.now();
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        let Some(run) = job.agent.run.filter(|run| run.end <= now) else {
            return;
        };
        let client = job.client.clone();
        if !self.is_up(world, &client) {
            self.forget(world, key);
            return;
        }
        let result = if run.killed {
            "aborted"
        } else {
            match self.outcome(world, key) {
                Ok(()) => "success",
                Err(why) => {
                    self.log(world, key, why);
                    "fail"
                }
            }
        };
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        job.agent.run = None;
        set(&mut job.agent.schedule, "result", result);
        set(&mut job.agent.schedule, "time_ended", now.timestamp());
        let asked = word(&job.agent.schedule, "event").to_owned();
        let status = if job.agent.next.is_none() {
            job.agent.state = State::Stopped;
            "completed"
        } else if asked == "stop" || asked == "abort" {
            job.agent.next = None;
            job.agent.state = State::Stopped;
            set(&mut job.agent.schedule, "event", "");
            "completed"
        } else {
            job.agent.state = State::Scheduled;
            "scheduled"
        };
        set(&mut job.agent.schedule, "status", status);
        job.push();
        world.note(json!({"what": format!("freezer.run.{result}"), "job_id": job.id}));
        self.session_end(world, key, result);
    }
}
