//! One recurrence rule of iCalendar, the part of it that the clouds' schedules take: FREQ DAILY or WEEKLY, BYDAY,
//! BYHOUR, BYMINUTE, and INTERVAL, which their consoles offer for every few days.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// The points in time of one rule, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Days of the week; all when empty.
    pub days: Vec<Weekday>,
    /// Every so many days, counted from the first day.
    pub interval: i64,
    /// Times of the day, ascending.
    pub times: Vec<NaiveTime>,
}

/// How far ahead the next point is looked for, in days: an interval of 30 days and a day of the week meet within.
const AHEAD: u32 = 217;

impl Rule {
    /// Reads a rule, `FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=14;BYMINUTE=00`.
    ///
    /// # Errors
    /// What is not understood or not offered.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            days: Vec::new(),
            interval: 1,
            times: Vec::new(),
        };
        let (mut hours, mut minutes) = (vec![0], vec![0]);
        let mut weekly = None;
        for part in text.split(';').filter(|part| !part.is_empty()) {
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
                        rule.days.push(weekday(day)?);
                    }
                }
                "BYHOUR" => hours = numbers(value, 23)?,
                "BYMINUTE" => minutes = numbers(value, 59)?,
                "INTERVAL" => {
                    rule.interval = value
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
            Some(true) if rule.interval != 1 => return Err("INTERVAL goes with DAILY only".into()),
            Some(_) => {}
        }
        for hour in &hours {
            for minute in &minutes {
                rule.times
                    .extend(NaiveTime::from_hms_opt(*hour, *minute, 0));
            }
        }
        rule.times.sort_unstable();
        rule.times.dedup();
        Ok(rule)
    }

    /// The first point after `after`; `first_day` is the day from which an interval counts.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>, first_day: NaiveDate) -> Option<DateTime<Utc>> {
        let mut day = after.date_naive();
        for _ in 0..=AHEAD {
            let counted = (day - first_day)
                .num_days()
                .rem_euclid(self.interval.max(1))
                == 0;
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

/// Whether these times of one day, ascending, are what the services allow: up to 24, an hour or more apart.
///
/// # Errors
/// Which of the two they break.
pub fn allowed(times: &[NaiveTime]) -> Result<(), String> {
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
    Ok(())
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
