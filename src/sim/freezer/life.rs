//! What happens by itself besides the jobs' own schedules: people start, stop and abort, and folders go missing.

use chrono::TimeDelta;

use super::client::Folder;
use super::job::{State, word};
use super::{Freezer, LIFE, MEND};
use crate::sim::queue::Event;
use crate::sim::world::World;

/// The folder that goes missing now and then.
const MISLAID: (&str, i64) = ("/srv/data", 45);

impl Freezer {
    /// Lets life begin, unless the world is to stand still.
    pub fn begin_life(&mut self, world: &mut World) {
        if world.change_rate_each() > 0.0 {
            self.next_change(world);
        }
    }

    fn next_change(&mut self, world: &mut World) {
        let rate = world.change_rate_each();
        let millis = -(1.0 - world.rng.f64()).ln() / rate * 1000.0;
        let after = TimeDelta::milliseconds((millis as i64).clamp(1, 86_400_000));
        world.schedule_in(self.service, after, LIFE, 0);
    }

    /// Something of life's own is due.
    pub fn live(&mut self, world: &mut World, event: Event) {
        match event.what {
            LIFE => {
                self.change(world);
                self.next_change(world);
            }
            MEND => {
                let (path, seconds) = MISLAID;
                if let Some(client) = self.clients.get_mut(event.id) {
                    client.folders.insert(path.to_owned(), Folder { seconds });
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, world: &mut World) {
        let Some(key) = self.jobs.pick(&mut world.rng) else {
            return;
        };
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let repeats = job.agent.next.is_some();
        let event = match (job.agent.state, world.rng.u32(0..100)) {
            (State::Running, 0..30) => "abort",
            (State::Running, _) => return,
            (State::Stopped, _) => "start",
            // A job on a schedule is made to run now: stopped, and soon started again by whoever comes by.
            (State::Scheduled, 0..12) if repeats => "stop",
            (State::Scheduled, 12..20) => return self.mislay(world, key),
            (State::Scheduled, _) => return self.run_once(world, key),
        };
        let pending = word(&job.schedule, "event").to_owned();
        if pending.is_empty() {
            self.ask(world, key, event);
        }
    }

    /// A run out of turn, as an administrator starts it at the client itself.
    fn run_once(&mut self, world: &mut World, key: u64) {
        let now = world.now();
        let Some(job) = self.jobs.get_mut(key) else {
            return;
        };
        if job.agent.next.is_some() {
            job.agent.next = Some(now);
            self.fire(world, key);
        }
    }

    fn mislay(&mut self, world: &mut World, key: u64) {
        let client = self.jobs.get(key).map(|job| job.client.clone());
        let Some(client) = client.and_then(|id| self.clients.find(&id)) else {
            return;
        };
        if let Some(it) = self.clients.get_mut(client)
            && it.folders.remove(MISLAID.0).is_some()
        {
            let minutes = world.rng.i64(10..40);
            world.schedule_in(self.service, TimeDelta::minutes(minutes), MEND, client);
        }
    }
}
