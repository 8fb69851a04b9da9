//! When a policy runs: the part of iCalendar that the service documents (FREQ DAILY or WEEKLY, BYDAY, BYHOUR,
//! BYMINUTE), and INTERVAL, which its console offers.

use chrono::{DateTime, NaiveDate, Utc};

use crate::sim::rrule::{self, Rule};

/// The points in time of one pattern, in UTC: its rules together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule(Rule);

/// The longest documented pattern.
const LONGEST: usize = 10_240;

impl Schedule {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is not understood or not allowed.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LONGEST {
            return Err("pattern is longer than 10240 characters".into());
        }
        let mut whole: Option<Rule> = None;
        for line in pattern.lines().map(str::trim) {
            let Some(text) = line.strip_prefix("RRULE:") else {
                continue;
            };
            let rule = Rule::parse(text)?;
            match &mut whole {
                None => whole = Some(rule),
                Some(whole) => {
                    whole.days.extend(rule.days);
                    whole.times.extend(rule.times);
                    whole.interval = rule.interval;
                }
            }
        }
        let mut rule = whole.ok_or("there is no RRULE")?;
        rule.times.sort_unstable();
        rule.times.dedup();
        rrule::allowed(&rule.times)?;
        Ok(Self(rule))
    }

    /// The first point after `after`; `first_day` is the day from which an interval counts.
    pub fn next(&self, after: DateTime<Utc>, first_day: NaiveDate) -> Option<DateTime<Utc>> {
        self.0.next(after, first_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(rule: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn points(rule: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(&pattern(rule)).expect("valid");
        let mut at: DateTime<Utc> = from.parse().expect("time");
        let first = at.date_naive();
        (0..count)
            .map(|_| {
                at = schedule.next(at, first).expect("there is a next");
                at.format("%a %d %H:%M").to_string()
            })
            .collect()
    }

    #[test]
    fn weekly_daily_and_every_few_days() {
        // 5 March 2026 is a Thursday.
        assert_eq!(
            points(
                "FREQ=WEEKLY;BYDAY=TH,MO;BYHOUR=12;BYMINUTE=27",
                "2026-03-05T12:27:00Z",
                3
            ),
            ["Mon 09 12:27", "Thu 12 12:27", "Mon 16 12:27"]
        );
        assert_eq!(
            points(
                "FREQ=DAILY;BYHOUR=2,20;BYMINUTE=5",
                "2026-03-05T03:00:00Z",
                3
            ),
            ["Thu 05 20:05", "Fri 06 02:05", "Fri 06 20:05"]
        );
        assert_eq!(
            points(
                "FREQ=DAILY;INTERVAL=3;BYHOUR=1;BYMINUTE=0",
                "2026-03-05T00:00:00Z",
                3
            ),
            ["Thu 05 01:00", "Sun 08 01:00", "Wed 11 01:00"]
        );
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        for rule in [
            "FREQ=HOURLY;BYMINUTE=0",
            "BYHOUR=1",
            "FREQ=DAILY;BYHOUR=24",
            "FREQ=DAILY;BYMINUTE=0,30",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=3",
            "FREQ=DAILY;BYHOUR=",
        ] {
            assert!(Schedule::parse(&pattern(rule)).is_err(), "{rule}");
        }
        assert!(Schedule::parse("").is_err());
        assert!(Schedule::parse(&"x".repeat(20_000)).is_err());
    }
}
