//! When to ask again.

use tokio::time::sleep_until;

use crate::connect::{Covers, FeedSpec, grid};
use crate::model::{Fault, FaultKind};

/// The first wait after a failure, in milliseconds.
const FIRST_RETRY_MS: u64 = 2_000;
/// The longest wait after failures in a row, in milliseconds.
const LONGEST_RETRY_MS: u64 = 60_000;
/// The wait when a service throttles and names no time, in milliseconds.
const DEFAULT_LIMIT_MS: u64 = 30_000;

/// A feed that is the whole truth about nothing and whose own interval is longer than this, in milliseconds, waits
/// at the start until the others of its service were read once: what runs and what failed comes onto the screen
/// before statistics do.
const PATIENT_MS: u64 = 60_000;
/// Whether a feed comes after the others at the start.
pub fn is_patient(feed: &FeedSpec) -> bool {
    feed.idle_ms > PATIENT_MS && feed.covers == Covers::default()
}

/// When the round begins that follows one of `asked_ms`, for a feed that is asked every `interval_ms`: on a multiple of
/// its interval, counted from when watching began, so that the machine is woken for the feeds of all services together
/// and sleeps in between. The first wait may be up to an eighth longer than the interval, or shorter; all others are
/// the interval.
pub fn on_grid(asked_ms: u64, interval_ms: u64) -> u64 {
    let interval = interval_ms.max(1);
    // an eighth, so that a round that began a little early is not asked twice
    let latest = asked_ms
        .saturating_add(interval)
        .saturating_add(interval / 8);
    let due = latest / interval * interval;
    // what is not asked many times a second stands on the slots of the timers, too
    if interval < grid::SLOT_MS * 2 {
        return due;
    }
    due.next_multiple_of(grid::SLOT_MS)
}

/// Milliseconds without an answer after which what is known of a service is old: three missed rounds of the quickest
/// of its feeds, and room for one slow answer. A feed that covers nothing may have nothing to ask for.
pub fn overdue_after(feeds: &[FeedSpec], every: Option<u64>) -> u64 {
    let quickest = feeds
        .iter()
        .filter(|feed| feed.covers != Covers::NOTHING)
        .map(|feed| feed.interval(false, every))
        .min()
        .unwrap_or(5_000);
    quickest.saturating_mul(3).saturating_add(5_000)
}

/// Of a list of live tasks with very many rows so many are read each second, on average.
const ROWS_A_SECOND: u64 = 4_000;

/// Milliseconds between two rounds of a list of live tasks that brought so many `rows` last time: nobody follows tens
/// of thousands one by one, and what begins and ends among them is told by the list of what is new. Several times its
/// `interval`, and not slower than when nothing is going on (`idle_ms`).
pub fn with_rows(interval: u64, idle_ms: u64, rows: u64) -> u64 {
    let worth = interval.saturating_mul(ROWS_A_SECOND) / 1_000;
    let times = rows.div_ceil(worth.max(1)).max(1);
    let slowed = interval.saturating_mul(times);
    slowed
        .min(idle_ms / interval.max(1) * interval)
        .max(interval)
}

/// Waits about so many milliseconds, until rounds begin.
pub async fn pause(ms: u64) {
    sleep_until(grid::at(on_grid(grid::now(), ms))).await;
}

/// Milliseconds until the next try after `failures` in a row (1 for the first), the last being `fault`.
/// `None`: asking again changes nothing until a person mends it.
pub fn after_failure(fault: &Fault, failures: u32) -> Option<u64> {
    if let Some(ms) = fault.retry_after_ms {
        return Some(ms.max(1_000));
    }
    match fault.kind {
        FaultKind::Auth | FaultKind::Config | FaultKind::NotOffered => None,
        FaultKind::Limited => Some(DEFAULT_LIMIT_MS),
        _ => {
            let doubled = FIRST_RETRY_MS.saturating_mul(1 << failures.saturating_sub(1).min(8));
            let base = doubled.min(LONGEST_RETRY_MS);
            // a quarter of jitter, so that ten consoles do not knock at the same moment
            Some(base - base / 8 + fastrand::u64(0..=base / 4))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "x", "y", "z")
    }

    #[test]
    fn a_very_long_list_of_live_tasks_is_read_less_often() {
        for (rows, interval) in [
            (0, 4_000),
            (16_000, 4_000),
            (16_001, 8_000),
            (40_000, 12_000),
            (1_000_000, 12_000),
        ] {
            assert_eq!(with_rows(4_000, 15_000, rows), interval, "{rows}");
        }
        // one that is asked as seldom as when nothing is going on
        assert_eq!(with_rows(30_000, 30_000, 1_000_000), 30_000);
        assert_eq!(with_rows(15_000, 4_000, 1_000_000), 15_000);
    }

    #[test]
    fn rounds_of_all_services_begin_together_and_keep_their_interval() {
        // asked at the start by services that took their time to open, or a little before the step
        for asked in [0, 3, 900, 4_990, 5_030] {
            let next = if asked < 4_000 { 5_056 } else { 10_048 };
            assert_eq!(on_grid(asked, 5_000), next, "{asked}");
        }
        // each step of the slower is one of the quicker
        assert_eq!(on_grid(45_056, 15_000), on_grid(55_040, 5_000));
        assert_eq!(on_grid(7, 0), 8);
        for interval in [50, 1_000, 2_000, 5_000, 15_000, 60_000, 900_000] {
            let mut asked = on_grid(123_456, interval);
            assert!(asked > 123_456 && asked <= 123_456 + interval + interval / 8 + grid::SLOT_MS);
            for _ in 0..100 {
                // the timer fires a moment late
                let next = on_grid(asked + 2, interval);
                assert!(next > asked && (next - asked).abs_diff(interval) <= grid::SLOT_MS);
                asked = next;
            }
        }
    }

    #[test]
    fn what_is_asked_only_now_and_then_makes_nothing_overdue() {
        let feed = |idle_ms, live| FeedSpec {
            id: "x",
            idle_ms,
            busy_ms: idle_ms,
            covers: Covers {
                live,
                ..Covers::NOTHING
            },
        };
        let feeds = [feed(5_000, false), feed(15_000, true), feed(60_000, true)];
        assert_eq!(overdue_after(&feeds, None), 50_000);
        assert_eq!(overdue_after(&feeds, Some(2_000)), 11_000);
    }

    #[test]
    fn statistics_wait_for_what_runs() {
        let feed = |idle_ms, covers| FeedSpec {
            id: "x",
            idle_ms,
            busy_ms: idle_ms,
            covers,
        };
        let policies = Covers {
            policies: true,
            ..Covers::default()
        };
        assert!(is_patient(&feed(120_000, Covers::default())));
        assert!(!is_patient(&feed(60_000, Covers::default())));
        assert!(!is_patient(&feed(300_000, policies)));
    }

    #[test]
    fn waits_grow_and_are_capped() {
        let first = after_failure(&fault(FaultKind::Unreachable), 1);
        assert!(
            first.is_some_and(|ms| (1_750..=2_250).contains(&ms)),
            "{first:?}"
        );
        let tenth = after_failure(&fault(FaultKind::Server), 10);
        assert!(
            tenth.is_some_and(|ms| (52_500..=67_500).contains(&ms)),
            "{tenth:?}"
        );
    }

    #[test]
    fn the_services_own_word_wins_and_a_wrong_password_waits_for_a_person() {
        let mut limited = fault(FaultKind::Limited);
        limited.retry_after_ms = Some(7_000);
        assert_eq!(after_failure(&limited, 3), Some(7_000));
        assert_eq!(
            after_failure(&fault(FaultKind::Limited), 1),
            Some(DEFAULT_LIMIT_MS)
        );
        assert_eq!(after_failure(&fault(FaultKind::Auth), 1), None);
    }
}
