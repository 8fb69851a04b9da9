//! One type for instants.

use std::fmt;

use chrono::{DateTime, Local, SecondsFormat, Utc};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, always UTC.
///
/// Services write instants in a dozen ways; connectors turn each into this one type on entry, and only
/// the faces turn it into the operator's zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The machine's clock now. Only the runtime calls this: `update` and `view` get the time as data.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().timestamp_millis())
    }

    /// From whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved by `ms` milliseconds.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// As a date and time in UTC; `None` outside chrono's range.
    #[must_use]
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// As a date and time in the operator's zone; `None` outside chrono's range.
    #[must_use]
    pub fn local(self) -> Option<DateTime<Local>> {
        self.utc().map(|t| t.with_timezone(&Local))
    }

    /// RFC 3339 with milliseconds and `Z`, as in all JSON output.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.utc().map_or_else(String::new, |t| {
            t.to_rfc3339_opts(SecondsFormat::Millis, true)
        })
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}
