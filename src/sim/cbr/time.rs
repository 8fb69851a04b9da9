//! Times on the wire: three shapes are documented or seen, and a fourth inside policies.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use super::codes::{self, Refusal};
use crate::sim::world::World;

/// A time in microseconds since 1970 as this service writes it.
pub(super) fn show(world: &World, micros: i64) -> String {
    let time = instant(micros);
    match world.switches.get("cbr.times") {
        "offset" => time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string(),
        "zulu" => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
    }
}

/// The same, null for 0.
pub(super) fn show_or_null(world: &World, micros: i64) -> Value {
    match micros {
        0 => Value::Null,
        _ => show(world, micros).into(),
    }
}

/// `start_time` of a policy's trigger, which has a blank where others have a `T`.
pub(super) fn start(world: &World, micros: i64) -> String {
    match world.switches.get("cbr.times") {
        "micros" => instant(micros).format("%Y-%m-%d %H:%M:%S").to_string(),
        _ => show(world, micros),
    }
}

/// The instant of so many microseconds; what is out of range never comes.
pub(super) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Microseconds, at least one, so that an operation never ends in the instant in which it began.
pub(super) fn micros(seconds: f64) -> i64 {
    ((seconds * 1e6) as i64).max(1)
}

/// A time of a query, with or without zone and fraction; UTC when no zone is given.
pub(super) fn read(text: &str) -> Result<i64, Refusal> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
    let zoneless = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|time| time.and_utc().timestamp_micros())
    };
    zoned
        .ok()
        .or_else(zoneless)
        .ok_or_else(|| codes::BAD_PARAMETER.saying(format!("{text:?} is not a time")))
}

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;
