//! Instants in the operator's zone, with the zone named.

use chrono::{DateTime, FixedOffset, Local, Offset, Utc};

use crate::model::Timestamp;

/// The zone in which times are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    /// The machine's own, as it holds at each instant (summer time included).
    #[default]
    Local,
    /// UTC.
    Utc,
    /// A fixed distance from UTC, for tests and for screens that are compared.
    Fixed(FixedOffset),
}

impl Zone {
    fn at(self, t: Timestamp) -> Option<DateTime<FixedOffset>> {
        let utc = t.utc()?;
        Some(match self {
            Self::Local => utc.with_timezone(&Local).fixed_offset(),
            Self::Utc => utc.with_timezone(&Utc.fix()),
            Self::Fixed(offset) => utc.with_timezone(&offset),
        })
    }

    fn format(self, t: Timestamp, how: &str) -> String {
        self.at(t)
            .map_or_else(|| "?".to_owned(), |d| d.format(how).to_string())
    }

    /// `02:31`.
    #[must_use]
    pub fn minute(self, t: Timestamp) -> String {
        self.format(t, "%H:%M")
    }

    /// `02:31:07`.
    #[must_use]
    pub fn second(self, t: Timestamp) -> String {
        self.format(t, "%H:%M:%S")
    }

    /// `02:31:07` on the same day as `now`, else `11-20 02:31`, in another year `2025-11-20`.
    #[must_use]
    pub fn near(self, t: Timestamp, now: Timestamp) -> String {
        match (self.at(t), self.at(now)) {
            (Some(a), Some(b)) if a.date_naive() == b.date_naive() => self.second(t),
            (Some(a), Some(b)) if a.format("%Y").to_string() == b.format("%Y").to_string() => {
                self.format(t, "%m-%d %H:%M")
            }
            _ => self.format(t, "%Y-%m-%d"),
        }
    }

    /// `Sat 02:31` within six days of `now`, `10 Nov 02:31` within its year, else `2025-11-20`.
    #[must_use]
    pub fn weekday(self, t: Timestamp, now: Timestamp) -> String {
        if t.since(now).abs() < 6 * 86_400_000 {
            return self.format(t, "%a %H:%M");
        }
        match (self.at(t), self.at(now)) {
            (Some(a), Some(b)) if a.format("%Y").to_string() == b.format("%Y").to_string() => {
                self.format(t, "%-d %b %H:%M")
            }
            _ => self.format(t, "%Y-%m-%d"),
        }
    }

    /// `2026-11-21 02:31:07 +01:00`: everything, for tickets and details.
    #[must_use]
    pub fn full(self, t: Timestamp) -> String {
        format!("{} {}", self.format(t, "%Y-%m-%d %H:%M:%S"), self.name(t))
    }

    /// The zone's name at an instant: `UTC` or `+01:00`.
    #[must_use]
    pub fn name(self, t: Timestamp) -> String {
        match self.at(t) {
            Some(d) if d.offset().local_minus_utc() == 0 => "UTC".into(),
            Some(d) => d.format("%:z").to_string(),
            None => "?".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_name_their_zone() {
        let t = Timestamp::from_secs(1_795_224_667); // 2026-11-21T01:31:07Z
        let cet = Zone::Fixed(FixedOffset::east_opt(3600).unwrap());
        assert_eq!(cet.full(t), "2026-11-21 02:31:07 +01:00");
        assert_eq!(Zone::Utc.full(t), "2026-11-21 01:31:07 UTC");
        assert_eq!(cet.near(t, t.plus(60_000)), "02:31:07");
        assert_eq!(cet.near(t, t.plus(86_400_000)), "11-21 02:31");
        assert_eq!(cet.near(t, t.plus(90 * 86_400_000)), "2026-11-21");
        assert_eq!(cet.weekday(t, t.plus(86_400_000)), "Sat 02:31");
        assert_eq!(cet.weekday(t, t.plus(9 * 86_400_000)), "21 Nov 02:31");
        assert_eq!(cet.weekday(t, t.plus(90 * 86_400_000)), "2026-11-21");
        assert_eq!(Zone::Utc.minute(Timestamp(i64::MAX)), "?");
    }
}
