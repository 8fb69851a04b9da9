//! Ages and lengths of time, two units at most, each with the moment at which its text changes.
//!
//! The loop sleeps until the earliest of those moments, so a label that says less is a label that wakes
//! less: an age is told in tens of seconds, then in minutes; only a length that has ended is told to the
//! second.

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What goes on for less than this is told to the second, each of which is to be seen; in milliseconds.
pub const SECONDS_BELOW: i64 = MINUTE;

/// A text about a length of time, and for how long it stays true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Milliseconds until the text has to change while time goes on.
    pub stays_ms: i64,
}

/// How long ago something was: `now` (under ten seconds), `20s`, `3m`, `1h 04m`, `3d 02h`, `41d`.
/// A negative length (a clock that is ahead) reads as `now`.
#[must_use]
pub fn ago(ms: i64) -> Label {
    if ms < 10 * SECOND {
        return Label {
            text: "now".into(),
            stays_ms: (10 * SECOND).saturating_sub(ms),
        };
    }
    let (text, step) = if ms < MINUTE {
        (format!("{}s", ms / (10 * SECOND) * 10), 10 * SECOND)
    } else if ms < HOUR {
        (format!("{}m", ms / MINUTE), MINUTE)
    } else {
        long(ms)
    };
    Label {
        text,
        stays_ms: step - ms % step,
    }
}

/// How long something has been going on: `44s`, `3m 10s` (in tens of seconds), `1h 04m`.
#[must_use]
pub fn live(ms: i64) -> Label {
    let ms = ms.max(0);
    let (text, step) = if ms < SECONDS_BELOW {
        (format!("{}s", ms / SECOND), SECOND)
    } else if ms < HOUR {
        let tens = ms % MINUTE / (10 * SECOND) * 10;
        (format!("{}m {tens:02}s", ms / MINUTE), 10 * SECOND)
    } else {
        long(ms)
    };
    Label {
        text,
        stays_ms: step - ms % step,
    }
}

/// A length of time that does not change: `44s`, `3m 12s`, `1h 04m`, `3d 02h`.
#[must_use]
pub fn span(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < MINUTE {
        format!("{}s", ms / SECOND)
    } else if ms < HOUR {
        format!("{}m {:02}s", ms / MINUTE, ms % MINUTE / SECOND)
    } else {
        long(ms).0
    }
}

/// From an hour on: the text and how often it changes.
fn long(ms: i64) -> (String, i64) {
    if ms < DAY {
        (format!("{}h {:02}m", ms / HOUR, ms % HOUR / MINUTE), MINUTE)
    } else if ms < 30 * DAY {
        (format!("{}d {:02}h", ms / DAY, ms % DAY / HOUR), HOUR)
    } else {
        (format!("{}d", ms / DAY), DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_at_most() {
        for (ms, text) in [
            (-5_000, "now"),
            (0, "now"),
            (9_999, "now"),
            (10_000, "10s"),
            (59_999, "50s"),
            (60_000, "1m"),
            (3_599_000, "59m"),
            (3_840_000, "1h 04m"),
            (3 * DAY + 2 * HOUR, "3d 02h"),
            (41 * DAY, "41d"),
        ] {
            assert_eq!(ago(ms).text, text, "{ms}");
        }
        assert_eq!(live(44_900).text, "44s");
        assert_eq!(live(192_000).text, "3m 10s");
        assert_eq!(span(192_000), "3m 12s");
    }

    #[test]
    fn a_label_changes_exactly_when_it_says() {
        for f in [ago, live] {
            for ms in [
                -12_345,
                0,
                1,
                999,
                9_999,
                10_000,
                59_999,
                60_001,
                599_000,
                3_599_999,
                3_600_000,
                86_399_999,
                86_400_000,
                2_591_999_999,
                2_592_000_000,
            ] {
                let label = f(ms);
                assert!(label.stays_ms > 0, "{ms}");
                assert_eq!(f(ms + label.stays_ms - 1).text, label.text, "{ms}");
                if ms >= 0 {
                    assert_ne!(f(ms + label.stays_ms).text, label.text, "{ms}");
                }
            }
        }
    }
}
