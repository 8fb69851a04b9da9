//! When a policy runs: a list of recurrence rules, in UTC whatever the policy's time zone says.

use chrono::{DateTime, NaiveDate, Utc, Weekday};

use crate::sim::rrule::{self, Rule};

/// The points in time of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule(Vec<Rule>);

/// The most rules of a policy.
const MOST: usize = 24;
const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

impl Schedule {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is not understood or not allowed.
    pub fn parse<'a>(pattern: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let rules: Vec<Rule> = pattern
            .into_iter()
            .take(MOST + 1)
            .map(Rule::parse)
            .collect::<Result<_, _>>()?;
        match rules.len() {
            0 => return Err("pattern holds no rule".into()),
            1..=MOST => {}
            _ => return Err(format!("pattern holds more than {MOST} rules")),
        }
        for day in WEEK {
            let of_day = |rule: &&Rule| rule.days.is_empty() || rule.days.contains(&day);
            let mut times: Vec<_> = rules
                .iter()
                .filter(of_day)
                .flat_map(|rule| rule.times.iter().copied())
                .collect();
            times.sort_unstable();
            times.dedup();
            rrule::allowed(&times)?;
        }
        Ok(Self(rules))
    }

    /// The first point after `after`; `first_day` is the day from which an interval counts.
    pub fn next(&self, after: DateTime<Utc>, first_day: NaiveDate) -> Option<DateTime<Utc>> {
        self.0
            .iter()
            .filter_map(|rule| rule.next(after, first_day))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_of_all_rules_is_next() {
        // 5 March 2026 is a Thursday.
        let schedule = Schedule::parse([
            "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=14;BYMINUTE=00",
            "FREQ=DAILY;INTERVAL=3;BYHOUR=1;BYMINUTE=30",
        ])
        .expect("valid");
        let mut at: DateTime<Utc> = "2026-03-05T14:00:00Z".parse().expect("a time");
        let first = at.date_naive();
        let mut points = Vec::new();
        for _ in 0..4 {
            at = schedule.next(at, first).expect("there is a next");
            points.push(at.format("%a %d %H:%M").to_string());
        }
        assert_eq!(
            points,
            [
                "Sun 08 01:30",
                "Mon 09 14:00",
                "Wed 11 01:30",
                "Thu 12 14:00"
            ]
        );
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        let refused = |pattern: &[&str]| Schedule::parse(pattern.iter().copied()).is_err();
        assert!(refused(&[]));
        assert!(refused(&["BEGIN:VCALENDAR"]));
        assert!(refused(&["FREQ=HOURLY;BYMINUTE=0"]));
        assert!(refused(&["FREQ=WEEKLY;INTERVAL=2;BYHOUR=1"]));
        let close = [
            "FREQ=DAILY;BYHOUR=1;BYMINUTE=0",
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=1;BYMINUTE=30",
        ];
        assert!(refused(&close));
        let apart = [
            "FREQ=WEEKLY;BYDAY=TU;BYHOUR=1",
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=1;BYMINUTE=30",
        ];
        assert!(!refused(&apart));
        assert!(refused(&["FREQ=DAILY"; 25]));
    }
}
