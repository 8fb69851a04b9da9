//! The times of a trigger as CSBS, Karbor and CBR write them: an iCalendar recurrence rule, in words and when it fires
//! next.
//!
//! The cloud's two take four parts of RFC 2445 only (CSBS API reference, creating a backup policy): FREQ (WEEKLY or
//! DAILY), BYDAY, BYHOUR and BYMINUTE. Their console also offers "every N days", hence INTERVAL. Karbor takes the
//! whole of it; what is beyond these parts is shown as it came.

use chrono::{Datelike, Days, NaiveTime, Weekday};

use crate::model::{Timestamp, clean};

const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

/// When something fires.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Schedule {
    /// A rule that was understood.
    Rule(Rule),
    /// Anything else, cleaned.
    Text(String),
}

impl Schedule {
    /// Reads a calendar with one event, whatever its line ends, or a rule alone.
    pub(super) fn read(pattern: &str) -> Self {
        let rule = rule(pattern).unwrap_or(pattern).trim();
        Rule::read(rule).map_or_else(|| Self::Text(clean(rule).into_owned()), Self::Rule)
    }

    /// In words; the rule itself where it is not understood.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Rule(rule) => rule.words(),
            Self::Text(text) => text.clone(),
        }
    }

    /// The first instant after `now`; `None` where that is not known.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rule(rule) => rule.next(now),
            Self::Text(_) => None,
        }
    }
}

/// The rule of a calendar with one event, whatever its line ends.
pub(super) fn rule(pattern: &str) -> Option<&str> {
    let mut lines = pattern.split(['\r', '\n']);
    lines.find_map(|line| line.trim().strip_prefix("RRULE:"))
}

/// A rule that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rule {
    daily: bool,
    interval: u32,
    days: Vec<Weekday>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
}

impl Rule {
    /// `None` when it is no rule of the known sort.
    fn read(rule: &str) -> Option<Self> {
        let mut read = Self {
            daily: false,
            interval: 1,
            days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
        };
        let mut has_frequency = false;
        for part in rule.split(';').filter(|p| !p.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let numbers = |max: u32| -> Option<Vec<u32>> {
                value
                    .split(',')
                    .map(|n| n.trim().parse().ok().filter(|n| *n <= max))
                    .collect()
            };
            match key.trim() {
                "FREQ" => {
                    has_frequency = true;
                    read.daily = match value.trim() {
                        "DAILY" => true,
                        "WEEKLY" => false,
                        _ => return None,
                    };
                }
                "INTERVAL" => read.interval = value.trim().parse().ok().filter(|n| *n > 0)?,
                "BYDAY" => {
                    read.days = value
                        .split(',')
                        .map(|d| DAYS.iter().find(|(n, _)| *n == d.trim()).map(|(_, w)| *w))
                        .collect::<Option<_>>()?;
                }
                "BYHOUR" => read.hours = numbers(23)?,
                "BYMINUTE" => read.minutes = numbers(59)?,
                "BYSECOND" if value.trim() == "0" => {}
                _ => return None,
            }
        }
        (has_frequency && !read.hours.is_empty()).then(|| {
            if read.minutes.is_empty() {
                read.minutes.push(0);
            }
            read
        })
    }

    fn times(&self) -> Vec<(u32, u32)> {
        let mut times: Vec<(u32, u32)> = self
            .hours
            .iter()
            .flat_map(|h| self.minutes.iter().map(move |m| (*h, *m)))
            .collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// "daily 01:00, 13:00 UTC", "weekly MO, TH 12:27 UTC", "every 3 days 02:00 UTC".
    fn words(&self) -> String {
        let times: Vec<String> = self
            .times()
            .iter()
            .map(|(h, m)| format!("{h:02}:{m:02}"))
            .collect();
        let days: Vec<&str> = DAYS
            .iter()
            .filter(|(_, w)| self.days.contains(w))
            .map(|(n, _)| *n)
            .collect();
        let often = match (self.daily, self.interval) {
            (true, 1) => "daily".to_owned(),
            (true, n) => format!("every {n} days"),
            (false, 1) => "weekly".to_owned(),
            (false, n) => format!("every {n} weeks"),
        };
        let text = if days.is_empty() {
            format!("{often} {} UTC", times.join(", "))
        } else {
            format!("{often} {} {} UTC", days.join(", "), times.join(", "))
        };
        clean(&text).into_owned()
    }

    /// The first instant after `now`; `None` where the rule counts from a day that it doesn't name.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if self.interval != 1 || (!self.daily && self.days.is_empty()) {
            return None;
        }
        let start = now.utc()?;
        for ahead in 0..=7 {
            let day = start.date_naive().checked_add_days(Days::new(ahead))?;
            if !self.days.is_empty() && !self.days.contains(&day.weekday()) {
                continue;
            }
            for (h, m) in self.times() {
                let at = day.and_time(NaiveTime::from_hms_opt(h, m, 0)?).and_utc();
                if at > start {
                    return Some(at.into());
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::decode::time;

    fn pattern(rule: &str, end: &str) -> String {
        format!(
            "BEGIN:VCALENDAR{end}BEGIN:VEVENT{end}RRULE:{rule}{end}END:VEVENT{end}END:VCALENDAR{end}"
        )
    }

    fn next(rule: &str, now: &str) -> Option<String> {
        Schedule::read(&pattern(rule, "\r\n"))
            .next(time(now)?)
            .map(Timestamp::rfc3339)
    }

    #[test]
    fn the_next_run_is_after_now() {
        // 2026-11-21 is a Saturday.
        let at = |t: &str| Some(format!("{t}:00.000Z"));
        assert_eq!(
            next(
                "FREQ=WEEKLY;BYDAY=TH;BYHOUR=12;BYMINUTE=27",
                "2026-11-21T00:00:00Z"
            ),
            at("2026-11-26T12:27")
        );
        assert_eq!(
            next(
                "FREQ=WEEKLY;BYDAY=SA;BYHOUR=12;BYMINUTE=27",
                "2026-11-21T12:27:00Z"
            ),
            at("2026-11-28T12:27")
        );
        assert_eq!(
            next(
                "FREQ=DAILY;BYHOUR=1,13;BYMINUTE=0,30",
                "2026-11-21T01:00:00Z"
            ),
            at("2026-11-21T01:30")
        );
        assert_eq!(
            next("FREQ=DAILY;BYHOUR=1", "2026-11-21T22:00:00Z"),
            at("2026-11-22T01:00")
        );
        assert_eq!(
            next("FREQ=DAILY;INTERVAL=3;BYHOUR=1", "2026-11-21T22:00:00Z"),
            None
        );
    }

    #[test]
    fn line_ends_do_not_matter_and_unknown_rules_are_not_guessed() {
        for end in ["\r\n", "\n", "\r"] {
            let schedule = Schedule::read(&pattern(
                "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=12;BYMINUTE=27;BYSECOND=0",
                end,
            ));
            assert_eq!(schedule.words(), "weekly MO, TH 12:27 UTC");
        }
        assert_eq!(
            Schedule::read("FREQ=DAILY;INTERVAL=3;BYHOUR=2;BYMINUTE=0").words(),
            "every 3 days 02:00 UTC"
        );
        for odd in [
            "FREQ=MONTHLY;BYHOUR=1",
            "FREQ=DAILY;BYHOUR=25",
            "FREQ=DAILY;BYHOUR=1;BYSECOND=30",
            "FREQ=DAILY",
            "BYHOUR=1",
            "nonsense",
        ] {
            let schedule = Schedule::read(&pattern(odd, "\n"));
            assert_eq!(schedule, Schedule::Text(odd.into()));
            assert_eq!(schedule.next(Timestamp(0)), None);
        }
    }
}
