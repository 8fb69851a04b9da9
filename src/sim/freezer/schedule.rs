//! When a job's schedule is due: at a date, every so often, by cron fields, or (without any) in two seconds.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde_json::{Map, Value};

/// Cron fields from the largest to the smallest, each with its range.
const FIELDS: [(&str, u32, u32); 6] = [
    ("schedule_month", 1, 12),
    ("schedule_day", 1, 31),
    ("schedule_day_of_week", 0, 6),
    ("schedule_hour", 0, 23),
    ("schedule_minute", 0, 59),
    ("schedule_second", 0, 59),
];

/// A schedule as the agent understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Once, at this instant.
    Once(DateTime<Utc>),
    /// Every so many seconds.
    Every(i64),
    /// By cron fields; the sets of months, days, weekdays, hours, minutes and seconds.
    Cron(Vec<BTreeSet<u32>>),
}

impl Schedule {
    /// Reads a job's schedule; `None` when it says something that can't be.
    #[must_use]
    pub fn of(schedule: &Map<String, Value>, now: DateTime<Utc>) -> Option<Self> {
        let text = |key: &str| schedule.get(key).and_then(Value::as_str);
        if let Some(date) = text("schedule_date") {
            return date_of(date).map(Self::Once);
        }
        if let Some(interval) = text("schedule_interval") {
            return every(interval).map(Self::Every);
        }
        if !FIELDS.iter().any(|(name, ..)| text(name).is_some()) {
            return Some(Self::Once(now + TimeDelta::seconds(2)));
        }
        let mut sets = Vec::new();
        let mut named = false;
        for (name, low, high) in FIELDS {
            // Fields smaller than the smallest one given are at their lowest, larger ones at any.
            let default = if named && name != "schedule_day_of_week" && low == 0 {
                low.to_string()
            } else {
                "*".to_owned()
            };
            named |= text(name).is_some();
            sets.push(cron_field(text(name).unwrap_or(&default), low, high)?);
        }
        Some(Self::Cron(sets))
    }

    /// The next time after `now`; `None` when there is none.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Once(at) => (*at > now).then_some(*at),
            Self::Every(seconds) => now.checked_add_signed(TimeDelta::seconds(*seconds)),
            Self::Cron(sets) => next_cron(sets, now),
        }
    }

    /// Whether it comes again.
    #[must_use]
    pub fn repeats(&self) -> bool {
        !matches!(self, Self::Once(_))
    }
}

/// `2026-01-31T12:00:00` with or without a zone; without one it is UTC here.
fn date_of(text: &str) -> Option<DateTime<Utc>> {
    text.parse::<DateTime<Utc>>().ok().or_else(|| {
        let plain = text.trim_end_matches('Z');
        NaiveDateTime::parse_from_str(plain, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|time| time.and_utc())
    })
}

/// Whether a text is a date as the service takes it.
#[must_use]
pub fn is_date(text: &str) -> bool {
    date_of(text).is_some()
}

/// The seconds of `continuous` or `20 seconds`, `4 hours` …
#[must_use]
pub fn every(text: &str) -> Option<i64> {
    if text == "continuous" {
        return Some(1);
    }
    let (count, unit) = text.split_once(' ')?;
    let unit = match unit.trim() {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        "days" => 86_400,
        "weeks" => 604_800,
        _ => return None,
    };
    let count: i64 = count.parse().ok().filter(|count| *count >= 0)?;
    count.max(1).checked_mul(unit).filter(|all| *all < 1 << 40)
}

/// `*`, `*/5`, `3`, `1-5`, `1,2,3`, or names of days.
fn cron_field(text: &str, low: u32, high: u32) -> Option<BTreeSet<u32>> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let number = |text: &str| {
        let named = DAYS.iter().position(|day| text.eq_ignore_ascii_case(day));
        match named.and_then(|day| u32::try_from(day).ok()) {
            Some(day) => Some(day),
            None => text.parse().ok(),
        }
    };
    let mut set = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.trim().split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part.trim(), 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (low, high),
            None => (number(range)?, number(range)?),
        };
        if from < low || to > high || from > to {
            return None;
        }
        set.extend((from..=to).step_by(usize::try_from(step).ok()?));
    }
    Some(set)
}

fn next_cron(sets: &[BTreeSet<u32>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let [months, days, weekdays, hours, minutes, seconds] = sets else {
        return None;
    };
    let mut date = now.date_naive();
    for _ in 0..1500 {
        let fits = months.contains(&date.month())
            && days.contains(&date.day())
            && weekdays.contains(&date.weekday().num_days_from_monday());
        if fits {
            let today = date == now.date_naive();
            for hour in hours.iter().filter(|hour| !today || **hour >= now.hour()) {
                for minute in minutes {
                    for second in seconds {
                        let at = date.and_hms_opt(*hour, *minute, *second)?.and_utc();
                        if at > now {
                            return Some(at);
                        }
                    }
                }
            }
        }
        date = date.checked_add_days(Days::new(1))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn next(schedule: Value) -> Option<String> {
        let now: DateTime<Utc> = "2026-03-05T10:15:30Z".parse().expect("a time");
        let map = schedule.as_object().cloned().expect("an object");
        let at = Schedule::of(&map, now)?.next(now)?;
        Some(at.format("%Y-%m-%dT%H:%M:%S").to_string())
    }

    #[test]
    fn every_kind_of_schedule_finds_its_next_time() {
        for (schedule, expected) in [
            (json!({}), "2026-03-05T10:15:32"),
            (
                json!({"schedule_interval": "20 seconds"}),
                "2026-03-05T10:15:50",
            ),
            (
                json!({"schedule_interval": "1 days"}),
                "2026-03-06T10:15:30",
            ),
            (
                json!({"schedule_date": "2026-04-01T00:00:00"}),
                "2026-04-01T00:00:00",
            ),
            (
                json!({"schedule_hour": "2", "schedule_minute": "30"}),
                "2026-03-06T02:30:00",
            ),
            (json!({"schedule_minute": "*/10"}), "2026-03-05T10:20:00"),
            (
                json!({"schedule_day_of_week": "sun", "schedule_hour": "4"}),
                "2026-03-08T04:00:00",
            ),
            (
                json!({"schedule_day": "1", "schedule_hour": "0"}),
                "2026-04-01T00:00:00",
            ),
            (json!({"schedule_second": "0,15,45"}), "2026-03-05T10:15:45"),
        ] {
            assert_eq!(
                next(schedule.clone()).as_deref(),
                Some(expected),
                "{schedule}"
            );
        }
        for schedule in [
            json!({"schedule_date": "2020-01-01T00:00:00"}),
            json!({"schedule_interval": "often"}),
            json!({"schedule_hour": "25"}),
            json!({"schedule_minute": "x-y"}),
            json!({"schedule_month": "2", "schedule_day": "31"}),
        ] {
            assert_eq!(next(schedule.clone()), None, "{schedule}");
        }
    }
}
