//! Durations and instants as people write them in a query.

use chrono::{DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

use crate::model::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A length of time in milliseconds from `90s`, `1h30m`, `1.5d`, `250ms`, `2w`; `None` when it is none.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|&n| n > 0)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, after) = tail.split_at(letters);
        let unit = match unit.to_ascii_lowercase().as_str() {
            "ms" => 1,
            "s" | "sec" | "secs" => SECOND,
            "m" | "min" | "mins" => MINUTE,
            "h" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            "w" | "week" | "weeks" => 7 * DAY,
            _ => return None,
        };
        let part = match number.parse::<i64>() {
            Ok(n) => n.checked_mul(unit)?,
            Err(_) => {
                let n: f64 = number.parse().ok()?;
                let ms = n * unit as f64;
                if !(0.0..1e15).contains(&ms) {
                    return None;
                }
                ms as i64
            }
        };
        total = total.checked_add(part)?;
        rest = after;
    }
    Some(total)
}

/// A point in time as it was written: some are only known once "now" is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// A fixed instant (`2026-01-31T03:00Z`).
    Instant(Timestamp),
    /// A time of day in the operator's zone, the last one before now (`03:00`).
    TimeOfDay(NaiveTime),
    /// A date and time in the operator's zone (`2026-01-31T03:00`).
    Local(NaiveDateTime),
    /// A whole day in the operator's zone (`2026-01-31`).
    Date(NaiveDate),
    /// A whole day, so many days before today (`today`, `yesterday`).
    DaysAgo(u32),
    /// So many milliseconds before now (`2h`).
    Ago(i64),
}

impl Moment {
    /// Reads a point in time; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "now" => return Some(Self::Ago(0)),
            "today" => return Some(Self::DaysAgo(0)),
            "yesterday" => return Some(Self::DaysAgo(1)),
            _ => {}
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Some(Self::Date(date));
        }
        for form in ["%H:%M:%S", "%H:%M"] {
            if let Ok(time) = NaiveTime::parse_from_str(text, form) {
                return Some(Self::TimeOfDay(time));
            }
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(Timestamp(at.timestamp_millis())));
        }
        // minutes are enough for people, RFC 3339 wants seconds
        if let Some(head) = text.strip_suffix(['Z', 'z'])
            && let Ok(at) = NaiveDateTime::parse_from_str(head, "%Y-%m-%dT%H:%M")
        {
            return Some(Self::Instant(Timestamp(at.and_utc().timestamp_millis())));
        }
        for form in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
            if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
                return Some(Self::Local(at));
            }
        }
        duration(text).map(Self::Ago)
    }

    /// First and last-but-excluded instant of it: a whole day for a date, else an instant (both equal).
    #[must_use]
    pub fn span(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let day = |date: NaiveDate| {
            let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
            (
                at_local(date.and_time(NaiveTime::MIN)),
                at_local(next.and_time(NaiveTime::MIN)),
            )
        };
        let one = |t: Timestamp| (t, t);
        match self {
            Self::Instant(t) => one(t),
            Self::Local(t) => one(at_local(t)),
            Self::Ago(ms) => one(now.plus(-ms)),
            Self::Date(date) => day(date),
            Self::DaysAgo(days) => {
                let today = now.local().map_or(NaiveDate::MIN, |t| t.date_naive());
                day(today
                    .checked_sub_days(Days::new(u64::from(days)))
                    .unwrap_or(today))
            }
            Self::TimeOfDay(time) => {
                let Some(today) = now.local().map(|t| t.date_naive()) else {
                    return one(now);
                };
                let at = at_local(today.and_time(time));
                if at <= now {
                    return one(at);
                }
                let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
                one(at_local(yesterday.and_time(time)))
            }
        }
    }

    /// The same for what lies ahead: a time of day is the next one, an age becomes a distance.
    #[must_use]
    pub fn span_ahead(self, now: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Self::Ago(ms) => (now.plus(ms), now.plus(ms)),
            Self::TimeOfDay(time) => {
                let (last, _) = self.span(now);
                let next = last
                    .local()
                    .and_then(|t| t.date_naive().checked_add_days(Days::new(1)))
                    .map_or(last, |day| at_local(day.and_time(time)));
                (next, next)
            }
            _ => self.span(now),
        }
    }

    /// True when the instant it means moves with the clock.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(self, Self::TimeOfDay(_) | Self::DaysAgo(_) | Self::Ago(_))
    }
}

/// An instant that lies ahead, as people write it: `4h`, `08:00`, `2026-01-31` (to the end of that day); `None` for
/// an empty text.
///
/// # Errors
/// Why it is none.
pub fn ahead(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let expected = "write 4h, 08:00, 2026-01-31 or 2026-01-31T08:00";
    let Some(moment) = Moment::parse(text) else {
        return Err(format!("\"{text}\" is no time; {expected}"));
    };
    let (_, end) = moment.span_ahead(now);
    if end <= now {
        return Err(format!("\"{text}\" is past; {expected}"));
    }
    Ok(Some(end))
}

/// A wall-clock time of the operator's zone as an instant. A time that a clock change skips is moved on
/// by an hour, one that occurs twice is the first of both.
fn at_local(wall: NaiveDateTime) -> Timestamp {
    Local
        .from_local_datetime(&wall)
        .earliest()
        .or_else(|| {
            let later = wall.checked_add_signed(chrono::TimeDelta::hours(1))?;
            Local.from_local_datetime(&later).earliest()
        })
        .map_or_else(
            || Timestamp(wall.and_utc().timestamp_millis()),
            |t| Timestamp(t.timestamp_millis()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("90s"), Some(90_000));
        assert_eq!(duration("1h30m"), Some(5_400_000));
        assert_eq!(duration("1.5d"), Some(129_600_000));
        assert_eq!(duration("250ms"), Some(250));
        assert_eq!(duration("2W"), Some(14 * DAY));
        for bad in [
            "",
            "90",
            "h",
            "2x",
            "1h3",
            "-2h",
            "99999999999999999w",
            "1..5h",
        ] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(
            Moment::parse("2026-01-31T03:00Z"),
            Some(Moment::Instant(Timestamp(1_769_828_400_000)))
        );
        assert_eq!(
            Moment::parse("2026-01-31T04:00:00+01:00"),
            Some(Moment::Instant(Timestamp(1_769_828_400_000)))
        );
        assert_eq!(Moment::parse("2h"), Some(Moment::Ago(2 * HOUR)));
        assert_eq!(Moment::parse("25:00"), None);
        assert_eq!(Moment::parse("soon"), None);
    }

    #[test]
    fn a_time_of_day_is_the_last_one_and_ahead_the_next() {
        let now = Timestamp(1_769_828_400_000);
        for hour in 0..24 {
            let time = NaiveTime::from_hms_opt(hour, 30, 0).expect("a time");
            let m = Moment::TimeOfDay(time);
            let (last, _) = m.span(now);
            let (next, _) = m.span_ahead(now);
            assert!(last <= now && now.since(last) < 26 * HOUR, "{hour}");
            assert!(next > now && next.since(now) < 26 * HOUR, "{hour}");
            assert_eq!(last.local().map(|t| t.time()), Some(time));
        }
    }

    #[test]
    fn what_lies_ahead_is_no_time_of_the_past() {
        let now = Timestamp(1_769_828_400_000);
        assert_eq!(ahead(" ", now), Ok(None));
        assert_eq!(ahead("4h", now), Ok(Some(now.plus(4 * HOUR))));
        assert!(ahead("08:00", now).is_ok_and(|t| t.is_some_and(|t| t > now)));
        for bad in ["yesterday", "2020-01-01", "soon", "now"] {
            assert!(ahead(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_has_an_end() {
        let (a, b) = Moment::DaysAgo(1).span(Timestamp(1_769_828_400_000));
        assert!((23 * HOUR..=25 * HOUR).contains(&b.since(a)));
    }
}
