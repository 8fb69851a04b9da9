//! How fast a service's traffic goes: its share of the world's change rate, dealt out in turns.

use chrono::TimeDelta;

use super::dialect::ServiceId;
use super::world::World;

/// Above this rate, in changes a virtual second, only the cheap and frequent things happen, and faster.
const BUSY: f64 = 20.0;

/// The pace, and what is left of it.
#[derive(Debug, Default)]
pub struct Pace {
    /// Changes a virtual second.
    rate: f64,
    /// Changes that are due and not yet made.
    budget: f64,
    /// Seconds between two turns.
    step: f64,
}

impl Pace {
    /// A service's share of the world's pace; `None` where nothing goes on by itself.
    #[must_use]
    pub fn of(world: &World) -> Option<Self> {
        let rate = world.change_rate_each();
        (rate > 0.0).then(|| Self {
            rate,
            budget: 0.0,
            step: (1.0 / rate).clamp(0.05, 10.0),
        })
    }

    /// Changes a virtual second.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether everything has to go faster than it would.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.rate > BUSY
    }

    /// How many milliseconds a step of a task takes in a world in a hurry: `shared` divided by the rate, within the
    /// bounds. `None` in a calm one.
    #[must_use]
    pub fn hurried(&self, shared: f64, least: f64, most: f64) -> Option<i64> {
        self.is_busy()
            .then(|| (shared / self.rate).clamp(least, most) as i64)
    }

    /// A turn has come: what is due since the last one is added.
    pub fn turn(&mut self) {
        self.budget += self.rate * self.step;
    }

    /// Whether one more change is due in this turn.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.budget >= 1.0
    }

    /// So many changes were made.
    pub fn made(&mut self, changes: f64) {
        self.budget -= changes;
    }

    /// Asks for the next turn.
    pub fn next_turn(&self, world: &mut World, service: ServiceId, what: u32) {
        let wait = TimeDelta::microseconds((self.step * 1e6) as i64);
        world.schedule_in(service, wait, what, 0);
    }
}
