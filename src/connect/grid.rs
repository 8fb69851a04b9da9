//! A clock that all who ask services share: what begins on its steps wakes the machine together with the rest.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// Sleeps that end on a multiple of this wake the machine once: the timers of the runtime stand on a wheel with slots
/// of so many milliseconds, and what is due inside of a slot is looked at when the slot begins and again when it is due.
pub const SLOT_MS: u64 = 64;

/// Starts the clock. To be called right before the runtime is built, whose timers count from then.
pub fn begin() {
    origin();
}

/// The first instant at least `ms` from now for which a sleeper is woken once.
#[must_use]
pub fn slot_after(ms: u64) -> Instant {
    at((now() + ms).next_multiple_of(SLOT_MS))
}

/// Milliseconds of this clock now.
#[must_use]
pub fn now() -> u64 {
    // its beginning must not come after the instant that is read
    let origin = origin();
    let passed = origin.elapsed().as_millis();
    u64::try_from(passed).unwrap_or(u64::MAX)
}

/// The instant at which this clock shows so many milliseconds.
#[must_use]
pub fn at(ms: u64) -> Instant {
    origin() + Duration::from_millis(ms)
}
