//! The last nights of a device or policy: which were good, which were not, and how long its backups take.

use chrono::{Days, NaiveDate};

use super::rhythm::median;
use super::tasks::{self, at};
use super::{Party, Store};
use crate::model::{Phase, Timestamp};

/// So many nights are told.
pub const NIGHTS: usize = 14;
/// A night goes from noon to noon, so that what begins before midnight and what begins after it are one.
const NOON_MS: i64 = 12 * 3_600_000;

/// One night.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Night {
    /// The day on which it begins, in the operator's zone.
    pub date: NaiveDate,
    /// Good backups.
    pub good: u32,
    /// Failed and uncertain ones.
    pub bad: u32,
}

impl Night {
    /// How it went: the worst counts, `None` when nothing ended that is known.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        match (self.good, self.bad) {
            (_, 1..) => Some(Phase::Failed),
            (1.., 0) => Some(Phase::Succeeded),
            (0, 0) => None,
        }
    }
}

/// The last nights and what they add up to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nights {
    /// The oldest first; the last one is the night that goes on or has just ended.
    pub nights: Vec<Night>,
    /// Good backups of these nights.
    pub good: u32,
    /// Bad ones.
    pub bad: u32,
    /// The middle duration of the good ones, in milliseconds.
    pub usual_ms: Option<i64>,
    /// The duration of the newest good one.
    pub last_ms: Option<i64>,
}

impl Nights {
    /// Good backups of a hundred; `None` when none is known.
    #[must_use]
    pub const fn percent(&self) -> Option<u32> {
        let all = self.good + self.bad;
        if all == 0 {
            return None;
        }
        Some(self.good * 100 / all)
    }

    /// One letter a night, the oldest first: `+` good, `x` bad, `.` nothing known.
    #[must_use]
    pub fn letters(&self) -> String {
        let letter = |night: &Night| match night.phase() {
            Some(Phase::Succeeded) => '+',
            Some(_) => 'x',
            None => '.',
        };
        self.nights.iter().map(letter).collect()
    }
}

/// The date of the night of an instant.
fn night_of(t: Timestamp) -> Option<NaiveDate> {
    t.plus(-NOON_MS).local().map(|t| t.date_naive())
}

impl Store {
    /// The last [`NIGHTS`] nights of a device or policy, as far as its tasks are held. Only what protects data
    /// counts.
    #[must_use]
    pub fn nights(&self, party: Party, now: Timestamp) -> Nights {
        let tonight = night_of(now).unwrap_or_default();
        let first = |n: usize| {
            let back = Days::new((NIGHTS - 1 - n) as u64);
            tonight.checked_sub_days(back).unwrap_or(tonight)
        };
        let mut nights: Vec<Night> = (0..NIGHTS)
            .map(|n| Night {
                date: first(n),
                good: 0,
                bad: 0,
            })
            .collect();
        let rows: Vec<u32> = match party {
            Party::Device(row) => self.devices.tasks(row.0).collect(),
            Party::Policy(row) => self.policies.tasks(row.0).collect(),
        };
        // earlier than all nights, clocks set forward or back included: no date has to be found for it
        let oldest = now.plus(-(NIGHTS as i64 + 1) * 86_400_000).0;
        let mut took: Vec<(i64, i64)> = Vec::new();
        let (mut good, mut bad) = (0, 0);
        for row in rows {
            let held = self.tasks.row(row);
            let protects = self.protecting.get(&held.operation).copied();
            if !protects.unwrap_or(true) {
                continue;
            }
            let begun = at(&self.tasks.when, row, tasks::NEVER);
            if begun < oldest {
                continue;
            }
            let Some(date) = night_of(Timestamp(begun)) else {
                continue;
            };
            let Some(night) = nights.iter_mut().find(|n| n.date == date) else {
                continue;
            };
            if held.phase == Phase::Succeeded {
                night.good += 1;
                good += 1;
                if held.started != tasks::NEVER && held.ended >= held.started {
                    took.push((begun, held.ended - held.started));
                }
            } else if held.phase.needs_person() {
                night.bad += 1;
                bad += 1;
            }
        }
        took.sort_unstable();
        let last_ms = took.last().map(|(_, ms)| *ms);
        let durations = took.into_iter().map(|(_, ms)| ms).collect();
        Nights {
            nights,
            good,
            bad,
            usual_ms: median(durations),
            last_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Ref, Rows, Service, ServiceId, Task};

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_night_is_bad_when_one_backup_of_it_was_and_restores_do_not_count() {
        let s = ServiceId(0);
        let mut store = Store::new(vec![Service {
            id: s,
            name: "otc-eu".into(),
            kind: Kind("csbs"),
            embedded: false,
            read_only: false,
        }]);
        let now = Timestamp::from_secs(1_700_000_000);
        let task = |n: usize, operation: &str, phase, days: i64, hours: i64| {
            let started = now.plus(-days * 24 * HOUR);
            Task {
                id: n.to_string(),
                device: Some(Ref::new("d", "d")),
                operation: operation.into(),
                phase,
                started_at: Some(started),
                ended_at: Some(started.plus(hours * HOUR)),
                ..Task::default()
            }
        };
        use Phase::*;
        let tasks = vec![
            task(0, "backup", Succeeded, 0, 3),
            task(1, "backup", Succeeded, 1, 1),
            task(2, "backup", Failed, 1, 1),
            task(3, "restore", Failed, 2, 1),
            task(4, "backup", Skipped, 3, 1),
            task(5, "backup", Succeeded, 13, 2),
            task(6, "backup", Failed, 14, 1),
        ];
        let rows = Rows {
            tasks,
            ..Rows::default()
        };
        store.apply(s, "tasks", 0, rows, now);
        let row = store
            .tasks()
            .next()
            .and_then(|t| store.task(t).device_row());
        let nights = store.nights(Party::Device(row.expect("a device")), now);
        assert_eq!(nights.letters(), "+...........x+");
        assert_eq!(
            (nights.good, nights.bad, nights.percent()),
            (3, 1, Some(75))
        );
        assert_eq!(
            (nights.usual_ms, nights.last_ms),
            (Some(2 * HOUR), Some(3 * HOUR))
        );
    }
}
