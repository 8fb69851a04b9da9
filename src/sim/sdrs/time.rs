//! The time formats of this service: four of them, as its documents and recorded answers show.

use chrono::{DateTime, Utc};

/// Jobs and failed tasks: `2019-01-21T12:56:35.754Z`.
#[must_use]
pub fn zulu(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Groups, instances and drills: `2019-05-30 01:40:00.74`, without a zone and with one to three digits.
#[must_use]
pub fn blank(time: DateTime<Utc>) -> String {
    let mut text = time.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    while text.ends_with('0') && !text.ends_with(".0") {
        text.pop();
    }
    text
}

/// Replication pairs: `2018-05-04T03:43:24.108526`, without a zone.
#[must_use]
pub fn micros(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_vary_as_in_the_wild() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        assert_eq!(
            blank(at("2019-05-30T01:40:00.740Z")),
            "2019-05-30 01:40:00.74"
        );
        assert_eq!(blank(at("2019-05-30T01:40:00Z")), "2019-05-30 01:40:00.0");
        assert_eq!(
            blank(at("2019-05-30T01:40:10.258Z")),
            "2019-05-30 01:40:10.258"
        );
        assert_eq!(zulu(at("2019-05-30T01:40:00Z")), "2019-05-30T01:40:00.000Z");
        assert_eq!(
            micros(at("2019-05-30T01:40:00.5Z")),
            "2019-05-30T01:40:00.500000"
        );
    }
}
