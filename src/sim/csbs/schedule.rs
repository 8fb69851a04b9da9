//! When a policy runs: the part of iCalendar that the service documents (FREQ DAILY or WEEKLY, BYDAY, BYHOUR,
//! BYMINUTE), and INTERVAL, which its console offers.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// The points in time of one pattern, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Days of the week; all when empty.
    days: Vec<Weekday>,
    /// Every so many days, counted from the first day.
    interval: i64,
    /// Times of the day, ascending.
    times: Vec<NaiveTime>,
}

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
        let mut times = Vec::new();
        let mut days = Vec::new();
        let mut interval = 1;
        let mut rules = 0;
        for line in pattern.lines().map(str::trim) {
            let Some(rule) = line.strip_prefix("RRULE:") else {
                continue;
            };
            rules += 1;
            let (mut hours, mut minutes) = (vec![0], vec![0]);
            let mut weekly = None;
            for part in rule.split(';').filter(|part| !part.is_empty()) {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                match key {
                    "FREQ" => {
                        weekly = Some(match value {
                            "WEEKLY" => true,
                            "DAILY" => false,
                            _ => return Err(format!("FREQ {value} is not supported")),
                        });
                    }
                    "BYDAY" => {
                        for day in value.split(',') {
                            days.push(weekday(day)?);
                        }
                    }
                    "BYHOUR" => hours = numbers(value, 23)?,
                    "BYMINUTE" => minutes = numbers(value, 59)?,
                    "INTERVAL" => {
                        interval = value
                            .parse()
                            .ok()
                            .filter(|days| (1..=30).contains(days))
                            .ok_or_else(|| format!("INTERVAL {value} is not 1 to 30"))?;
                    }
                    _ => return Err(format!("{key} is not supported")),
                }
            }
            match weekly {
                None => return Err("FREQ is missing".into()),
                Some(true) if interval != 1 => {
                    return Err("INTERVAL goes with DAILY only".into());
                }
                Some(_) => {}
            }
            for hour in &hours {
                for minute in &minutes {
                    times.extend(NaiveTime::from_hms_opt(*hour, *minute, 0));
                }
            }
        }
        if rules == 0 {
            return Err("there is no RRULE".into());
        }
        times.sort_unstable();
        times.dedup();
        if times.len() > 24 {
            return Err("more than 24 points a day".into());
        }
        let close = times
            .iter()
            .zip(times.iter().skip(1))
            .any(|(a, b)| *b - *a < TimeDelta::hours(1));
        if close {
            return Err("points are less than an hour apart".into());
        }
        Ok(Self {
            days,
            interval,
            times,
        })
    }

    /// The first point after `after`; `first_day` is the day from which an interval counts.
    pub fn next(&self, after: DateTime<Utc>, first_day: NaiveDate) -> Option<DateTime<Utc>> {
        let mut day = after.date_naive();
        for _ in 0..=70 {
            let counted = (day - first_day).num_days().rem_euclid(self.interval) == 0;
            if counted && (self.days.is_empty() || self.days.contains(&day.weekday())) {
                let point = self
                    .times
                    .iter()
                    .map(|time| day.and_time(*time).and_utc())
                    .find(|point| *point > after);
                if point.is_some() {
                    return point;
                }
            }
            day = day.succ_opt()?;
        }
        None
    }
}

fn weekday(text: &str) -> Result<Weekday, String> {
    Ok(match text {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return Err(format!("BYDAY {text} is not a day")),
    })
}

fn numbers(text: &str, most: u32) -> Result<Vec<u32>, String> {
    text.split(',')
        .map(|part| {
            part.parse()
                .ok()
                .filter(|number| *number <= most)
                .ok_or_else(|| format!("{part} is not 0 to {most}"))
        })
        .collect()
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
