//! Requests a minute as a budget: polling waits for it, an operator never does.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::connect::grid;
use crate::model::{Fault, FaultKind};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Priority {
    /// The schedule: waits its turn.
    #[default]
    Poll,
    /// A person: goes at once and may overdraw; polling pays it back.
    Operator,
}

/// A token bucket. It refills with four fifths of the rate and holds one fifth at most, so that no
/// minute ever sees more than the rate, a burst at its beginning included.
#[derive(Debug)]
pub struct Budget {
    state: Mutex<State>,
    /// Pollers stand in line here, so that the first to come is the first to go.
    line: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// Tokens gained each second.
    per_second: f64,
    /// Tokens held at most.
    full: f64,
    tokens: f64,
    at: Instant,
    hold: Option<Instant>,
}

/// What a poller is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    Go,
    /// Nothing left: come back after this time.
    Wait(Duration),
    /// The service asked for quiet, for this long.
    Quiet(Duration),
}

impl State {
    fn new(per_minute: u32, now: Instant) -> Self {
        let rate = f64::from(per_minute.max(1));
        let full = (rate * 0.2).max(1.0);
        Self {
            per_second: rate * 0.8 / 60.0,
            full,
            tokens: full,
            at: now,
            hold: None,
        }
    }

    fn take(&mut self, priority: Priority, now: Instant) -> Turn {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.full);
        self.at = now;
        if priority == Priority::Operator {
            self.tokens = (self.tokens - 1.0).max(-self.full);
            return Turn::Go;
        }
        if let Some(until) = self.hold {
            let left = until.saturating_duration_since(now);
            if !left.is_zero() {
                return Turn::Quiet(left);
            }
            self.hold = None;
            // what was saved up meanwhile would come down on it all at once
            self.tokens = self.tokens.min(1.0);
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Turn::Go;
        }
        let wait = (1.0 - self.tokens) / self.per_second;
        Turn::Wait(Duration::from_secs_f64(wait.clamp(0.001, 60.0)))
    }
}

/// When those that wait for this time go on: at whole seconds of a clock that all services share. The tokens of a
/// second are spent together, and the machine sleeps in between. The bucket holds several seconds' worth, so no turn
/// is lost.
fn turn_after(wait: Duration) -> Instant {
    const STEP_MS: u64 = 1_000;
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let past = grid::now().saturating_add(wait).saturating_add(1);
    grid::at(past.next_multiple_of(STEP_MS))
}

impl Budget {
    /// A full bucket for `per_minute` requests (at least one).
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self {
            state: Mutex::new(State::new(per_minute, Instant::now())),
            line: tokio::sync::Mutex::new(()),
        }
    }

    /// Takes one request out of the budget, waiting where the priority says so.
    ///
    /// # Errors
    /// [`FaultKind::Limited`] for polling while the service has asked us to wait; `place` names the request.
    pub async fn take(&self, priority: Priority, place: impl Fn() -> String) -> Result<(), Fault> {
        if priority == Priority::Operator {
            self.turn(priority);
            return Ok(());
        }
        let _line = self.line.lock().await;
        loop {
            match self.turn(priority) {
                Turn::Go => return Ok(()),
                Turn::Wait(time) => tokio::time::sleep_until(turn_after(time)).await,
                Turn::Quiet(left) => {
                    let mut fault = Fault::new(
                        FaultKind::Limited,
                        "the service asked us to wait before the next question",
                        place(),
                        "Nothing to do: polling goes on by itself. Lower rate_per_minute if it happens often.",
                    );
                    fault.retry_after_ms =
                        Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
                    return Err(fault);
                }
            }
        }
    }

    /// Keeps polling away for this long.
    pub fn hold(&self, time: Duration) {
        if let Ok(mut state) = self.state.lock() {
            let until = Instant::now() + time;
            if state.hold.is_none_or(|h| h < until) {
                state.hold = Some(until);
            }
        }
    }

    fn turn(&self, priority: Priority) -> Turn {
        self.state
            .lock()
            .map_or(Turn::Go, |mut state| state.take(priority, Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long `n` polls take, by the bucket's own word.
    fn spend(state: &mut State, now: &mut Instant, n: usize) -> Duration {
        let start = *now;
        for _ in 0..n {
            while let Turn::Wait(time) = state.take(Priority::Poll, *now) {
                *now += time;
            }
        }
        now.saturating_duration_since(start)
    }

    #[test]
    fn polling_never_exceeds_the_rate_in_any_minute() {
        let mut now = Instant::now();
        let mut state = State::new(100, now);
        assert!(spend(&mut state, &mut now, 20).is_zero());
        let hundred = spend(&mut state, &mut now, 81);
        assert!(hundred >= Duration::from_secs(60), "{hundred:?}");
    }

    #[test]
    fn an_operator_goes_at_once_and_polling_pays() {
        let mut now = Instant::now();
        let mut state = State::new(60, now);
        spend(&mut state, &mut now, 12);
        for _ in 0..5 {
            assert_eq!(state.take(Priority::Operator, now), Turn::Go);
        }
        assert!(spend(&mut state, &mut now, 1) > Duration::from_secs(5));
    }

    #[test]
    fn a_hold_refuses_polling_until_it_ends() {
        let now = Instant::now();
        let mut state = State::new(60, now);
        state.hold = Some(now + Duration::from_secs(7));
        assert_eq!(
            state.take(Priority::Poll, now),
            Turn::Quiet(Duration::from_secs(7))
        );
        assert_eq!(state.take(Priority::Operator, now), Turn::Go);
        let later = now + Duration::from_secs(7);
        assert_eq!(state.take(Priority::Poll, later), Turn::Go);
    }
}
