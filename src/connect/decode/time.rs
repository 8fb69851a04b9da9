//! Instants in the dozen ways that services write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use serde::de::{Deserialize, Deserializer};

use super::Text;
use crate::model::Timestamp;

/// Reads an instant written as text.
///
/// Taken are RFC 3339 with any fraction and zone, the same without a zone (read as UTC), a blank instead of
/// the `T`, no seconds (`2019-01-21 01:15`), a date alone (`2026-11-21`, its first moment), and an HTTP
/// date. Numbers are not: their unit depends on the service, see [`Epoch`].
#[must_use]
pub fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() < 8 || text.len() > 64 {
        return None;
    }
    if let Some(t) = usual(text.as_bytes()) {
        return Some(t);
    }
    if let Ok(t) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(t.timestamp_millis()));
    }
    for pattern in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(t) = NaiveDateTime::parse_from_str(text, pattern) {
            return Some(Timestamp(t.and_utc().timestamp_millis()));
        }
    }
    for pattern in [
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f %#z",
    ] {
        if let Ok(t) = DateTime::parse_from_str(text, pattern) {
            return Some(Timestamp(t.timestamp_millis()));
        }
    }
    if let Some(bare) = text.strip_suffix(['Z', 'z']) {
        return time(bare.trim_end());
    }
    for pattern in ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(t) = NaiveDateTime::parse_from_str(text, pattern) {
            return Some(Timestamp(t.and_utc().timestamp_millis()));
        }
    }
    if let Ok(d) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(Timestamp(
            d.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis(),
        ));
    }
    DateTime::parse_from_rfc2822(text)
        .ok()
        .map(|t| Timestamp(t.timestamp_millis()))
}

/// Days from the first day of the common era to 1970-01-01.
const EPOCH_FROM_CE: i64 = 719_163;

/// `YYYY-MM-DD`, a `T` or a blank, `HH:MM:SS`, any fraction, and perhaps a `Z`: what nearly every service
/// writes in nearly every row, read without a pattern. Everything else is `None`.
fn usual(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let (
        &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2],
        &[b'T' | b' ', h1, h2, b':', n1, n2, b':', s1, s2],
    ) = (date, clock)
    else {
        return None;
    };
    let mut whole = true;
    let mut number = |digits: &[u8]| {
        digits.iter().fold(0u32, |n, b| {
            whole &= b.is_ascii_digit();
            n * 10 + u32::from(b.wrapping_sub(b'0') & 15)
        })
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4]),
        number(&[m1, m2]),
        number(&[d1, d2]),
    );
    let (hour, minute, second) = (number(&[h1, h2]), number(&[n1, n2]), number(&[s1, s2]));
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    let mut ms = 0;
    if let Some((b'.', digits)) = rest.split_first() {
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        number(digits.get(3..).unwrap_or(&[]));
        let first = digits.get(..digits.len().min(3)).unwrap_or(&[]);
        ms = number(first) * [1, 100, 10, 1].get(first.len()).copied().unwrap_or(1);
    } else if !rest.is_empty() {
        return None;
    }
    // a leap second is left to those who know what to do with it
    if !whole || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let days = i64::from(day.num_days_from_ce()) - EPOCH_FROM_CE;
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(Timestamp(seconds * 1000 + i64::from(ms)))
}

/// An instant written as text; anything that is none reads as `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Time(pub Option<Timestamp>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(time(Text::deserialize(deserializer)?.as_str())))
    }
}

/// An instant as a number since 1970, also written as text; zero, negative numbers (Freezer's -1: no time)
/// and anything else read as `None`. Text that is a date is taken too.
///
/// Seconds and milliseconds tell themselves apart: seconds stay below 100 thousand million until the year
/// 5138, and milliseconds passed that mark in March 1973.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epoch(pub Option<Timestamp>);

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let text = text.as_str().trim();
        let Ok(n) = text.parse::<f64>() else {
            return Ok(Self(time(text)));
        };
        Ok(Self(if !n.is_finite() || n <= 0.0 || n > 1.0e15 {
            None
        } else if n < 1.0e11 {
            Some(Timestamp((n * 1000.0).round() as i64))
        } else {
            Some(Timestamp(n as i64))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_in_use_is_read() {
        let at = |text: &str| time(text).unwrap_or_else(|| panic!("{text}")).rfc3339();
        assert_eq!(at("2019-01-21T12:56:35.754Z"), "2019-01-21T12:56:35.754Z");
        assert_eq!(at("2019-05-23 03:51:58.256"), "2019-05-23T03:51:58.256Z");
        assert_eq!(at("2019-05-23 22:11:45.0"), "2019-05-23T22:11:45.000Z");
        assert_eq!(at("2019-05-23 01:40:00.74"), "2019-05-23T01:40:00.740Z");
        assert_eq!(at("2018-08-14T07:53:15.663766"), "2018-08-14T07:53:15.663Z");
        assert_eq!(at("2018-08-20 07:31:32"), "2018-08-20T07:31:32.000Z");
        assert_eq!(
            at("2026-11-21T03:40:40.000000Z"),
            "2026-11-21T03:40:40.000Z"
        );
        assert_eq!(at("2026-11-21"), "2026-11-21T00:00:00.000Z");
        assert_eq!(at("2019-01-21 01:15"), "2019-01-21T01:15:00.000Z");
        assert_eq!(at("2026-11-21T05:40:40+02:00"), "2026-11-21T03:40:40.000Z");
        assert_eq!(at("2026-11-21T05:40:40.5+0200"), "2026-11-21T03:40:40.500Z");
        assert_eq!(at("2019-05-23 03:51:58Z"), "2019-05-23T03:51:58.000Z");
        assert_eq!(
            at("Sat, 21 Nov 2026 02:40:41 GMT"),
            "2026-11-21T02:40:41.000Z"
        );
        for none in [
            "",
            "None",
            "-",
            "2019-13-45T00:00:00Z",
            "0000-00-00 00:00:00",
            "1795228090",
        ] {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let mut rng = fastrand::Rng::with_seed(4);
        for _ in 0..20_000 {
            let digits = |rng: &mut fastrand::Rng, n: usize| -> String {
                (0..n).map(|_| char::from(b'0' + rng.u8(0..10))).collect()
            };
            let fraction = rng.usize(0..11);
            let mut text = format!(
                "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}",
                rng.u32(0..4000),
                rng.u32(0..14),
                rng.u32(0..33),
                if rng.bool() { "T" } else { " " },
                rng.u32(0..26),
                rng.u32(0..62),
                rng.u32(0..61),
                if fraction == 0 {
                    String::new()
                } else {
                    format!(".{}", digits(&mut rng, fraction))
                },
                if rng.bool() { "Z" } else { "" },
            );
            if rng.u8(0..10) == 0 {
                let at = rng.usize(0..text.len());
                text.replace_range(at..=at, ["x", "-", ":", "9"][rng.usize(0..4)]);
            }
            let bare = text.strip_suffix('Z').unwrap_or(&text);
            let long = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
                .iter()
                .find_map(|p| NaiveDateTime::parse_from_str(bare, p).ok())
                .map(|t| Timestamp(t.and_utc().timestamp_millis()));
            if let Some(short) = usual(text.as_bytes()) {
                assert_eq!(Some(short), long, "{text}");
            }
            assert_eq!(
                time(&text).is_some(),
                long.is_some() || time(bare).is_some(),
                "{text}"
            );
        }
        assert!(usual(b"2019-01-21T12:56:35.754123Z").is_some());
        assert!(usual(b"2019-01-21 12:56:35").is_some());
    }

    #[test]
    fn numbers_since_1970() {
        let at = |json: &str| serde_json::from_str::<Epoch>(json).unwrap().0;
        assert_eq!(at("1795228090"), Some(Timestamp(1_795_228_090_000)));
        assert_eq!(at("\"1795228090\""), Some(Timestamp(1_795_228_090_000)));
        assert_eq!(at("1676887128000"), Some(Timestamp(1_676_887_128_000)));
        assert_eq!(at("1795228090.25"), Some(Timestamp(1_795_228_090_250)));
        for none in ["-1", "0", "null", "\"\"", "{}", "1e99"] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
