//! A clock that all who ask services share: what begins on its steps wakes the machine together with the rest.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
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
