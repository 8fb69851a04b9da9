//! The world's virtual clock: UTC that starts where it is told, runs at a chosen speed, and can be pushed forward.
//!
//! `speed` is virtual seconds per real second. At 1 the virtual time is the real time (unless it was advanced), so that
//! what an operator sees has honest ages; at 0 it stands still and only [`Clock::advance`] moves it, which is how tests
//! drive it. It never goes back.

use chrono::{DateTime, TimeDelta, Utc};

/// Virtual UTC time = anchor + real time since the anchor was set × speed.
#[derive(Debug, Clone)]
pub struct Clock {
    anchor: DateTime<Utc>,
    /// The system's clock, not a stopwatch: after a suspended night the world is where the real one is.
    since: DateTime<Utc>,
    speed: f64,
}

impl Clock {
    /// A clock that shows `start` now. A speed that is negative or not a number counts as 0.
    #[must_use]
    pub fn new(start: DateTime<Utc>, speed: f64) -> Self {
        Self {
            anchor: start,
            since: Utc::now(),
            speed: clean(speed),
        }
    }

    /// The virtual time of this moment.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        if self.speed == 0.0 {
            return self.anchor;
        }
        let gone = Utc::now()
            .signed_duration_since(self.since)
            .max(TimeDelta::zero());
        let micros = gone.num_microseconds().unwrap_or(i64::MAX) as f64 * self.speed;
        // A float to integer cast saturates, and an addition out of range stays at the anchor: never a panic.
        let step = TimeDelta::microseconds(micros as i64);
        self.anchor.checked_add_signed(step).unwrap_or(self.anchor)
    }

    /// Virtual seconds per real second.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Changes the speed from now on.
    pub fn set_speed(&mut self, speed: f64) {
        self.anchor = self.now();
        self.since = Utc::now();
        self.speed = clean(speed);
    }

    /// Jumps forward by `by`; a negative step is ignored.
    pub fn advance(&mut self, by: TimeDelta) {
        let now = self.now();
        self.advance_to(now.checked_add_signed(by).unwrap_or(now));
    }

    /// Jumps forward to `to`; an instant in the past is ignored.
    pub fn advance_to(&mut self, to: DateTime<Utc>) {
        let now = self.now();
        self.anchor = now.max(to);
        self.since = Utc::now();
    }
}

fn clean(speed: f64) -> f64 {
    if speed.is_finite() && speed > 0.0 {
        speed
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_at_speed_zero_and_moves_only_forward() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).expect("valid");
        let mut clock = Clock::new(start, 0.0);
        assert_eq!(clock.now(), start);
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clock.now(), start + TimeDelta::seconds(90));
        clock.advance(TimeDelta::seconds(-1000));
        clock.advance_to(start);
        assert_eq!(clock.now(), start + TimeDelta::seconds(90));
    }

    #[test]
    fn odd_speeds_are_harmless() {
        let start = Utc::now();
        assert_eq!(Clock::new(start, f64::NAN).now(), start);
        assert_eq!(Clock::new(start, -3.0).speed(), 0.0);
        assert!(Clock::new(start, 1e300).now() >= start);
    }
}
