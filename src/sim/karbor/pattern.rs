//! When a trigger is due: the recurrence rules of an iCalendar event (RFC 5545), read and walked as icalendar and dateutil
//! do it for the real service. `BYSETPOS` and `BYWEEKNO` are read and play no part.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};

/// The rules of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    rules: Vec<Rule>,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// It is no calendar.
    Calendar,
    /// There is no event in it.
    Event,
    /// The event has no rule that can be read.
    Rule,
    /// The rule can be read and means nothing.
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Freq {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    freq: Freq,
    interval: i64,
    count: Option<usize>,
    until: Option<NaiveDateTime>,
    months: Vec<i64>,
    month_days: Vec<i64>,
    year_days: Vec<i64>,
    /// Days of the week; with a number, that one of the month or year.
    days: Vec<(i64, Weekday)>,
    hours: Vec<i64>,
    minutes: Vec<i64>,
    seconds: Vec<i64>,
    week_start: Weekday,
}

/// How far ahead a point is looked for.
const DAYS_AHEAD: u64 = 366 * 30;
/// How many steps within days are looked at.
const STEPS: usize = 600_000;

impl Pattern {
    /// Reads a pattern; one with backslashes is taken as the inside of a JSON text.
    ///
    /// # Errors
    /// The first thing that the service would find wrong.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let unescaped = text
            .contains('\\')
            .then(|| serde_json::from_str::<String>(&format!("\"{text}\"")).ok())
            .flatten();
        let text = unescaped.as_deref().unwrap_or(text);
        let text = text
            .replace("\r\n ", "")
            .replace("\r\n\t", "")
            .replace("\n ", "")
            .replace("\n\t", "");
        let mut open: Vec<String> = Vec::new();
        let mut calendar = false;
        let mut events = 0;
        let mut rules: Vec<String> = Vec::new();
        for line in text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
        {
            let (name, value) = line.split_once(':').ok_or(Mistake::Calendar)?;
            let name = name
                .split(';')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            match name.as_str() {
                "BEGIN" => {
                    let part = value.trim().to_ascii_uppercase();
                    if part == "VCALENDAR" {
                        calendar = true;
                    }
                    if part == "VEVENT" {
                        events += 1;
                    }
                    open.push(part);
                }
                "END" => {
                    open.pop().ok_or(Mistake::Calendar)?;
                }
                _ if open.is_empty() => return Err(Mistake::Calendar),
                "RRULE" if events == 1 && open.last().is_some_and(|part| part == "VEVENT") => {
                    rules.push(value.to_owned());
                }
                _ => {}
            }
        }
        if !calendar || !open.is_empty() {
            return Err(Mistake::Calendar);
        }
        if events == 0 {
            return Err(Mistake::Event);
        }
        if rules.is_empty() {
            return Err(Mistake::Rule);
        }
        let rules: Result<Vec<Rule>, Mistake> =
            rules.iter().map(|rule| Rule::parse(rule)).collect();
        rules.map(|rules| Self { rules })
    }

    /// The first point after `after`; `start` is where the rules begin to count.
    pub fn next(&self, start: NaiveDateTime, after: NaiveDateTime) -> Option<NaiveDateTime> {
        self.rules
            .iter()
            .filter_map(|rule| rule.next(start, after))
            .min()
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, Mistake> {
        let mut freq = None;
        let mut rule = Self {
            freq: Freq::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            week_start: Weekday::Mon,
        };
        let mut zoned = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or(Mistake::Rule)?;
            let numbers = || -> Result<Vec<i64>, Mistake> {
                let each = value.split(',').map(|number| number.trim().parse());
                each.collect::<Result<_, _>>().map_err(|_| Mistake::Rule)
            };
            match key.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    freq = Some(match value.to_ascii_uppercase().as_str() {
                        "YEARLY" => Freq::Yearly,
                        "MONTHLY" => Freq::Monthly,
                        "WEEKLY" => Freq::Weekly,
                        "DAILY" => Freq::Daily,
                        "HOURLY" => Freq::Hourly,
                        "MINUTELY" => Freq::Minutely,
                        "SECONDLY" => Freq::Secondly,
                        _ => return Err(Mistake::Rule),
                    });
                }
                "INTERVAL" => rule.interval = value.parse().map_err(|_| Mistake::Rule)?,
                "COUNT" => rule.count = Some(value.parse().map_err(|_| Mistake::Rule)?),
                "UNTIL" => {
                    let plain = value.strip_suffix('Z');
                    zoned = plain.is_some();
                    let plain = plain.unwrap_or(value);
                    let moment = NaiveDateTime::parse_from_str(plain, "%Y%m%dT%H%M%S").ok();
                    let day = || NaiveDate::parse_from_str(plain, "%Y%m%d").ok();
                    let until = moment.or_else(|| day().map(|day| day.and_time(NaiveTime::MIN)));
                    rule.until = Some(until.ok_or(Mistake::Rule)?);
                }
                "BYMONTH" => rule.months = numbers()?,
                "BYMONTHDAY" => rule.month_days = numbers()?,
                "BYYEARDAY" => rule.year_days = numbers()?,
                "BYHOUR" => rule.hours = numbers()?,
                "BYMINUTE" => rule.minutes = numbers()?,
                "BYSECOND" => rule.seconds = numbers()?,
                "BYDAY" => {
                    for day in value.split(',') {
                        rule.days.push(numbered_day(day).ok_or(Mistake::Rule)?);
                    }
                }
                "WKST" => rule.week_start = weekday(value).ok_or(Mistake::Rule)?,
                _ => {}
            }
        }
        rule.freq = freq.ok_or(Mistake::Rule)?;
        let within = |list: &[i64], least: i64, most: i64| {
            list.iter().all(|number| (least..=most).contains(number))
        };
        let sound = within(&rule.hours, 0, 23)
            && within(&rule.minutes, 0, 59)
            && within(&rule.seconds, 0, 59)
            && within(&rule.months, 1, 12)
            && within(&rule.month_days, -31, 31)
            && rule.interval > 0
            // The time from which a rule counts has no zone; an end with one can't be compared with it.
            && !zoned;
        if sound { Ok(rule) } else { Err(Mistake::Value) }
    }

    fn next(&self, start: NaiveDateTime, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let in_time = |point: &NaiveDateTime| self.until.is_none_or(|until| *point <= until);
        let Some(count) = self.count else {
            let just_before = start.checked_sub_signed(TimeDelta::nanoseconds(1))?;
            return self.point(start, after.max(just_before)).filter(in_time);
        };
        let mut at = start.checked_sub_signed(TimeDelta::nanoseconds(1))?;
        for _ in 0..count.min(100_000) {
            at = self.point(start, at).filter(in_time)?;
            if at > after {
                return Some(at);
            }
        }
        None
    }

    /// The first point after `after`, which is not before `start`.
    fn point(&self, start: NaiveDateTime, after: NaiveDateTime) -> Option<NaiveDateTime> {
        if self.freq >= Freq::Hourly {
            return self.step(start, after);
        }
        let times = self.times(start);
        let mut day = after.date();
        for _ in 0..DAYS_AHEAD {
            if self.on_day(start.date(), day) {
                let found = times
                    .iter()
                    .map(|time| day.and_time(*time))
                    .find(|point| *point > after && *point >= start);
                if found.is_some() {
                    return found;
                }
            }
            day = day.succ_opt()?;
        }
        None
    }

    /// The same for rules that go by hours, minutes or seconds.
    fn step(&self, start: NaiveDateTime, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let unit = match self.freq {
            Freq::Hourly => 3600,
            Freq::Minutely => 60,
            _ => 1,
        };
        let width = self.interval.checked_mul(unit)?;
        let origin = floor(start, unit)?;
        let gone = (after.max(start) - origin).num_seconds();
        let mut at = origin + TimeDelta::try_seconds(gone / width * width)?;
        for _ in 0..STEPS {
            if !self.on_any_day(at.date()) {
                // Nothing today: go to the first step of the next day.
                let midnight = at
                    .date()
                    .checked_add_days(Days::new(1))?
                    .and_time(NaiveTime::MIN);
                let ahead = (midnight - origin).num_seconds();
                at = origin + TimeDelta::try_seconds((ahead + width - 1) / width * width)?;
                continue;
            }
            let fits = |list: &[i64], number: u32| list.is_empty() || list.contains(&number.into());
            if fits(&self.hours, at.hour())
                && (self.freq < Freq::Minutely || fits(&self.minutes, at.minute()))
                && (self.freq < Freq::Secondly || fits(&self.seconds, at.second()))
            {
                let found = self
                    .within(start, at)
                    .into_iter()
                    .find(|point| *point > after && *point >= start);
                if found.is_some() {
                    return found;
                }
            }
            at = at.checked_add_signed(TimeDelta::try_seconds(width)?)?;
        }
        None
    }

    /// The points of one hour, minute or second.
    fn within(&self, start: NaiveDateTime, at: NaiveDateTime) -> Vec<NaiveDateTime> {
        let or = |list: &[i64], number: u32| match list {
            [] => vec![i64::from(number)],
            list => list.to_vec(),
        };
        let minutes = match self.freq {
            Freq::Hourly => or(&self.minutes, start.minute()),
            _ => vec![at.minute().into()],
        };
        let seconds = match self.freq {
            Freq::Secondly => vec![at.second().into()],
            _ => or(&self.seconds, start.second()),
        };
        let mut points: Vec<NaiveDateTime> = minutes
            .iter()
            .flat_map(|minute| seconds.iter().map(move |second| (*minute, *second)))
            .filter_map(|(minute, second)| {
                at.date()
                    .and_hms_opt(at.hour(), small(minute), small(second))
            })
            .collect();
        points.sort_unstable();
        points
    }

    /// The times of a day, ascending.
    fn times(&self, start: NaiveDateTime) -> Vec<NaiveTime> {
        let or = |list: &[i64], number: u32| match list {
            [] => vec![i64::from(number)],
            list => list.to_vec(),
        };
        let mut times = Vec::new();
        for hour in or(&self.hours, start.hour()) {
            for minute in or(&self.minutes, start.minute()) {
                for second in or(&self.seconds, start.second()) {
                    times.extend(NaiveTime::from_hms_opt(
                        small(hour),
                        small(minute),
                        small(second),
                    ));
                }
            }
        }
        times.sort_unstable();
        times
    }

    /// Whether a day fits the rule's filters, whatever its rhythm.
    fn on_any_day(&self, day: NaiveDate) -> bool {
        let fits = |list: &[i64], number: i64, length: i64| {
            list.is_empty() || list.contains(&number) || list.contains(&(number - length - 1))
        };
        let month = self.months.is_empty() || self.months.contains(&day.month().into());
        let weekday = self.days.is_empty()
            || self.days.iter().any(|(nth, wanted)| {
                *wanted == day.weekday() && (*nth == 0 || self.is_nth(day, *nth))
            });
        month
            && weekday
            && fits(&self.month_days, day.day().into(), month_length(day))
            && fits(&self.year_days, day.ordinal().into(), year_length(day))
    }

    /// Whether a weekday is that one of its month (or of its year, where the rule goes by years alone).
    fn is_nth(&self, day: NaiveDate, nth: i64) -> bool {
        let (place, length) = if self.freq == Freq::Yearly && self.months.is_empty() {
            (i64::from(day.ordinal()), year_length(day))
        } else {
            (i64::from(day.day()), month_length(day))
        };
        if nth > 0 {
            (place - 1) / 7 + 1 == nth
        } else {
            (length - place) / 7 + 1 == -nth
        }
    }

    /// Whether a day is one of the rule, counted from the day of its start.
    fn on_day(&self, start: NaiveDate, day: NaiveDate) -> bool {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let week = |day: NaiveDate| {
            let back = day.weekday().days_since(self.week_start);
            (day - NaiveDate::default()).num_days() - i64::from(back)
        };
        let gone = match self.freq {
            Freq::Yearly => i64::from(day.year() - start.year()),
            Freq::Monthly => months(day) - months(start),
            Freq::Weekly => (week(day) - week(start)) / 7,
            _ => (day - start).num_days(),
        };
        if gone < 0 || gone % self.interval != 0 || !self.on_any_day(day) {
            return false;
        }
        if !(self.days.is_empty() && self.month_days.is_empty() && self.year_days.is_empty()) {
            return true;
        }
        match self.freq {
            Freq::Yearly => {
                let month = !self.months.is_empty() || day.month() == start.month();
                month && day.day() == start.day()
            }
            Freq::Monthly => day.day() == start.day(),
            Freq::Weekly => day.weekday() == start.weekday(),
            _ => true,
        }
    }
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn floor(at: NaiveDateTime, unit: i64) -> Option<NaiveDateTime> {
    let over = i64::from(at.num_seconds_from_midnight()) % unit;
    at.with_nanosecond(0)?
        .checked_sub_signed(TimeDelta::try_seconds(over)?)
}

fn month_length(day: NaiveDate) -> i64 {
    day.num_days_in_month().into()
}

fn year_length(day: NaiveDate) -> i64 {
    if day.leap_year() { 366 } else { 365 }
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.trim().to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

fn numbered_day(text: &str) -> Option<(i64, Weekday)> {
    let text = text.trim();
    let split = text.len().checked_sub(2)?;
    let number = match text.get(..split)? {
        "" => 0,
        number => number.parse().ok()?,
    };
    Some((number, weekday(text.get(split..)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(rule: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR")
    }

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time")
    }

    fn points(rule: &str, start: &str, after: &str, count: usize) -> Vec<String> {
        let pattern = Pattern::parse(&pattern(rule)).expect("a pattern");
        let mut now = at(after);
        (0..count)
            .map_while(|_| {
                now = pattern.next(at(start), now)?;
                Some(now.format("%a %Y-%m-%d %H:%M:%S").to_string())
            })
            .collect()
    }

    #[test]
    fn every_minute_hour_day_week_month_and_year() {
        let start = "2026-11-21 05:46:10";
        assert_eq!(
            points("FREQ=MINUTELY;INTERVAL=1", start, "2026-11-21 05:46:10", 2),
            ["Sat 2026-11-21 05:47:10", "Sat 2026-11-21 05:48:10"]
        );
        assert_eq!(
            points("FREQ=MINUTELY;INTERVAL=90", start, "2026-11-22 00:00:00", 2),
            ["Sun 2026-11-22 01:16:10", "Sun 2026-11-22 02:46:10"]
        );
        assert_eq!(
            points(
                "FREQ=HOURLY;BYMINUTE=0,30;BYSECOND=0",
                start,
                "2026-11-21 06:00:00",
                2
            ),
            ["Sat 2026-11-21 06:30:00", "Sat 2026-11-21 07:00:00"]
        );
        assert_eq!(
            points(
                "FREQ=HOURLY;INTERVAL=6;BYDAY=MO",
                start,
                "2026-11-21 06:00:00",
                2
            ),
            ["Mon 2026-11-23 05:46:10", "Mon 2026-11-23 11:46:10"]
        );
        assert_eq!(
            points(
                "FREQ=DAILY;BYHOUR=2;BYMINUTE=5;BYSECOND=0",
                start,
                "2026-11-21 02:05:00",
                2
            ),
            ["Sun 2026-11-22 02:05:00", "Mon 2026-11-23 02:05:00"]
        );
        assert_eq!(
            points("FREQ=DAILY;INTERVAL=3", start, start, 2),
            ["Tue 2026-11-24 05:46:10", "Fri 2026-11-27 05:46:10"]
        );
        assert_eq!(
            points(
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;BYHOUR=1",
                start,
                start,
                3
            ),
            [
                "Mon 2026-11-30 01:46:10",
                "Sat 2026-12-05 01:46:10",
                "Mon 2026-12-14 01:46:10"
            ]
        );
        assert_eq!(
            points("FREQ=MONTHLY;BYMONTHDAY=-1", start, start, 2),
            ["Mon 2026-11-30 05:46:10", "Thu 2026-12-31 05:46:10"]
        );
        assert_eq!(
            points("FREQ=MONTHLY;BYDAY=2SU,-1FR", start, start, 3),
            [
                "Fri 2026-11-27 05:46:10",
                "Sun 2026-12-13 05:46:10",
                "Fri 2026-12-25 05:46:10"
            ]
        );
        assert_eq!(
            points("FREQ=YEARLY", start, start, 1),
            ["Sun 2027-11-21 05:46:10"]
        );
    }

    #[test]
    fn a_rule_ends_and_begins_when_it_says() {
        let start = "2026-11-21 05:00:00";
        assert_eq!(
            points("FREQ=DAILY;COUNT=2", start, "2026-01-01 00:00:00", 9),
            ["Sat 2026-11-21 05:00:00", "Sun 2026-11-22 05:00:00"]
        );
        assert_eq!(
            points("FREQ=DAILY;UNTIL=20261122T060000", start, start, 9),
            ["Sun 2026-11-22 05:00:00"]
        );
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (text, mistake) in [
            ("x".to_owned(), Mistake::Calendar),
            (String::new(), Mistake::Calendar),
            (
                "BEGIN:VCALENDAR\r\nEND:VCALENDAR".to_owned(),
                Mistake::Event,
            ),
            (pattern("FREQ=FOO"), Mistake::Rule),
            (pattern("FREQ=DAILY;BYHOUR=25"), Mistake::Value),
            (pattern("FREQ=DAILY;UNTIL=20200101T000000Z"), Mistake::Value),
        ] {
            assert_eq!(Pattern::parse(&text), Err(mistake), "{text}");
        }
        let escaped = pattern("FREQ=DAILY")
            .replace('\r', "\\r")
            .replace('\n', "\\n");
        assert!(Pattern::parse(&escaped).is_ok());
    }
}
