//! What a task or policy usually does, and whether it still does: slower than its own past, stuck, a schedule
//! that stopped firing.

use super::slots::NOWHERE;
use super::tasks::{self, at};
use super::{PolicyRow, Store, TaskRow};
use crate::model::{Phase, Timestamp};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// So many past runs are needed before they are a usual.
const ENOUGH: usize = 3;
/// So many past runs are looked at, the newest.
const MOST: usize = 30;
/// A run that takes so many times as long as usual is slow.
const SLOW: i64 = 2;
/// No run is slow before this, in milliseconds: short runs differ for no reason.
const SLOW_FROM: i64 = 5 * MINUTE;
/// A running task may stand still for so long whatever its past, in milliseconds.
const STILL: i64 = 15 * MINUTE;
/// The same for a task that waits for its turn.
const QUEUED: i64 = 2 * HOUR;
/// A task without a past may stand still for so long.
const NO_PAST: i64 = 6 * HOUR;
/// A schedule may be late by so much: services start what is due in batches.
const LATE: i64 = 30 * MINUTE;
/// A schedule without a told next run is silent after so many halves of its usual distance.
const HALVES: i64 = 5;

/// Whose past a measure comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Measure {
    /// Earlier runs on the same device for the same policy.
    OwnPast,
    /// Earlier runs of the policy on any device.
    Policy,
    /// None is known: a general limit.
    General,
}

impl Measure {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OwnPast => "its own past runs",
            Self::Policy => "the policy's past runs",
            Self::General => "no past run to compare with",
        }
    }
}

/// How long a task usually takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usual {
    /// The middle one of its past durations, in milliseconds.
    pub ms: i64,
    /// Of so many runs.
    pub runs: usize,
    /// Whose.
    pub measure: Measure,
}

/// A live task in which nothing happens any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// When something last happened.
    pub since: Timestamp,
    /// For so long nothing may happen, in milliseconds.
    pub allowed_ms: i64,
    /// Where that comes from.
    pub measure: Measure,
}

/// A schedule that is on and does not fire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Silent {
    /// When it should have fired.
    pub due: Timestamp,
    /// When it last did, where that is known.
    pub last: Option<Timestamp>,
    /// True when the service named the instant; false when it follows from when it used to fire.
    pub told: bool,
}

/// The middle one.
pub(super) fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

impl Store {
    /// How long tasks like this one took that ended well before it.
    #[must_use]
    pub fn usual(&self, row: TaskRow) -> Option<Usual> {
        let held = self.tasks.row(row.0);
        let before = |other: u32| {
            let o = self.tasks.row(other);
            let took = (o.started != tasks::NEVER && o.ended != tasks::NEVER)
                .then(|| o.ended.saturating_sub(o.started));
            (other != row.0
                && o.phase == Phase::Succeeded
                && o.operation == held.operation
                && o.when < held.when)
                .then(|| Some((o.when, o.policy, took.filter(|ms| *ms >= 0)?)))
                .flatten()
        };
        let newest = |mut all: Vec<(i64, u32, i64)>, measure| {
            if all.len() < ENOUGH {
                return None;
            }
            all.sort_unstable_by(|a, b| b.cmp(a));
            all.truncate(MOST);
            let runs = all.len();
            let ms = median(all.into_iter().map(|(_, _, ms)| ms).collect())?;
            Some(Usual { ms, runs, measure })
        };
        let own = || {
            let all: Vec<_> = self
                .devices
                .tasks(held.device)
                .filter_map(before)
                .filter(|(_, policy, _)| *policy == held.policy)
                .collect();
            newest(all, Measure::OwnPast)
        };
        let policy = || {
            let all: Vec<_> = self
                .policies
                .tasks(held.policy)
                .filter_map(before)
                .collect();
            newest(all, Measure::Policy)
        };
        let own = (held.device != NOWHERE).then(own).flatten();
        own.or_else(|| (held.policy != NOWHERE).then(policy).flatten())
    }

    /// The usual duration of a live task that already takes much longer.
    #[must_use]
    pub fn slow(&self, row: TaskRow, now: Timestamp) -> Option<Usual> {
        let task = self.task(row);
        if task.phase() != Phase::Running {
            return None;
        }
        let elapsed = task.elapsed_ms(now).filter(|ms| *ms >= SLOW_FROM)?;
        self.usual(row)
            .filter(|usual| elapsed > usual.ms.saturating_mul(SLOW))
    }

    /// Since when nothing happens in a live task, where that is longer than its past, its policy's or, without
    /// either, a general limit allows.
    #[must_use]
    pub fn stuck(&self, row: TaskRow, now: Timestamp) -> Option<Stuck> {
        let task = self.task(row);
        if !task.phase().is_live() {
            return None;
        }
        let since = [task.started_at(), task.updated_at(), task.changed_at()]
            .into_iter()
            .flatten()
            .filter(|t| *t <= now)
            .max()?;
        let still = now.since(since);
        // nothing allows less than this: most tasks end here
        if still <= STILL {
            return None;
        }
        let least = if task.phase() == Phase::Running {
            STILL
        } else {
            QUEUED
        };
        let (allowed_ms, measure) = match self.usual(row) {
            Some(usual) => (usual.ms.saturating_mul(SLOW).max(least), usual.measure),
            None => (NO_PAST, Measure::General),
        };
        (still > allowed_ms).then_some(Stuck {
            since,
            allowed_ms,
            measure,
        })
    }

    /// Whether a schedule that is on has stopped firing: a told instant has passed and nothing began since, or
    /// nothing began for much longer than usual.
    #[must_use]
    pub fn silent(&self, row: PolicyRow, now: Timestamp) -> Option<Silent> {
        let policy = self.policy(row);
        let stats = policy.stats();
        if policy.enabled() != Some(true) || stats.good_now || stats.running > 0 {
            return None;
        }
        // most schedules end here
        if policy.next_run().is_some_and(|due| now.since(due) <= LATE) {
            return None;
        }
        let mut starts: Vec<i64> = self
            .policies
            .tasks(row.0)
            .map(|task| at(&self.tasks.when, task, tasks::NEVER))
            .filter(|when| *when != tasks::NEVER && *when <= now.0)
            .collect();
        starts.sort_unstable_by(|a, b| b.cmp(a));
        // one run works on many devices: what begins together is one firing
        starts.dedup_by(|older, newer| newer.abs_diff(*older) < LATE.unsigned_abs());
        let last = starts.first().map(|t| Timestamp(*t));
        if let Some(due) = policy.next_run() {
            let fired = last.is_some_and(|t| t.plus(LATE) >= due);
            return (!fired).then_some(Silent {
                due,
                last,
                told: true,
            });
        }
        if starts.len() <= ENOUGH {
            return None;
        }
        let distances = starts
            .iter()
            .take(MOST)
            .zip(starts.iter().skip(1))
            .map(|(newer, older)| newer - older)
            .collect();
        let usual = median(distances)?;
        let last = last?;
        let limit = usual.saturating_mul(HALVES) / 2;
        (now.since(last) > limit.max(LATE)).then_some(Silent {
            due: last.plus(usual),
            last: Some(last),
            told: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Policy, Ref, Rows, Service, ServiceId, Task};

    const S: ServiceId = ServiceId(0);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + minutes * 60)
    }

    fn store(policy: Policy, tasks: Vec<Task>) -> Store {
        let mut store = Store::new(vec![Service {
            id: S,
            name: "otc-eu".into(),
            kind: Kind("csbs"),
            embedded: false,
            read_only: false,
        }]);
        let rows = Rows {
            policies: vec![policy],
            tasks,
            ..Rows::default()
        };
        store.apply(S, "all", 0, rows, at(0));
        store
    }

    fn nightly() -> Policy {
        Policy {
            id: "p1".into(),
            name: "nightly".into(),
            enabled: Some(true),
            ..Policy::default()
        }
    }

    fn run(id: &str, device: &str, start: i64, took: Option<i64>) -> Task {
        Task {
            id: id.into(),
            device: Some(Ref::new(device, device)),
            policy: Some(Ref::new("p1", "nightly")),
            operation: "backup".into(),
            native_status: "x".into(),
            phase: if took.is_some() {
                Phase::Succeeded
            } else {
                Phase::Running
            },
            started_at: Some(at(start)),
            ended_at: took.map(|ms| at(start + ms)),
            ..Task::default()
        }
    }

    fn row(store: &Store, id: &str) -> TaskRow {
        store.find_task(S, id).expect("a task")
    }

    #[test]
    fn a_run_is_measured_by_its_own_past_then_by_its_policys() {
        let mut tasks: Vec<Task> = [(0, 10), (100, 12), (200, 30)]
            .iter()
            .map(|(start, took)| run(&format!("a{start}"), "d1", *start, Some(*took)))
            .collect();
        tasks.push(run("live", "d1", 300, None));
        tasks.push(run("new", "d2", 300, None));
        let store = store(nightly(), tasks);
        let usual = store.usual(row(&store, "live")).expect("a past");
        assert_eq!((usual.ms, usual.runs), (12 * MINUTE, 3));
        assert_eq!(usual.measure, Measure::OwnPast);
        let other = store.usual(row(&store, "new")).expect("the policy's past");
        assert_eq!((other.ms, other.measure), (12 * MINUTE, Measure::Policy));
        let live = row(&store, "live");
        assert_eq!(store.slow(live, at(300 + 24)), None);
        assert!(store.slow(live, at(300 + 25)).is_some());
        assert_eq!(store.stuck(live, at(300 + 24)), None);
        let stuck = store.stuck(live, at(300 + 25)).expect("nothing happens");
        assert_eq!((stuck.since, stuck.allowed_ms), (at(300), 24 * MINUTE));
    }

    #[test]
    fn without_a_past_only_a_general_limit_holds_and_a_sign_of_life_counts() {
        let mut store = store(nightly(), vec![run("live", "d1", 0, None)]);
        let live = row(&store, "live");
        assert_eq!(store.usual(live), None);
        assert_eq!(store.stuck(live, at(6 * 60)), None);
        let stuck = store.stuck(live, at(6 * 60 + 1)).expect("too long");
        assert_eq!(stuck.measure, Measure::General);
        let mut moved = run("live", "d1", 0, None);
        moved.step = "export".into();
        store.apply_task(S, moved, at(6 * 60));
        assert_eq!(store.stuck(live, at(6 * 60 + 1)), None);
    }

    #[test]
    fn a_schedule_that_is_due_and_does_not_fire_is_silent() {
        let told = Policy {
            next_run: Some(at(100)),
            ..nightly()
        };
        let silent = |store: &Store, minute| {
            let policy = store.find_policy(S, "p1").expect("a policy");
            store.silent(policy, at(minute))
        };
        let quiet = store(told.clone(), vec![run("a", "d1", 0, Some(5))]);
        assert_eq!(silent(&quiet, 130), None, "not late enough");
        let found = silent(&quiet, 131).expect("it did not fire");
        assert_eq!(
            (found.due, found.last, found.told),
            (at(100), Some(at(0)), true)
        );
        let fired = store(told.clone(), vec![run("a", "d1", 102, Some(5))]);
        assert_eq!(silent(&fired, 131), None, "the list is only old");
        let off = Policy {
            enabled: Some(false),
            ..told
        };
        assert_eq!(silent(&store(off, Vec::new()), 500), None);
    }

    #[test]
    fn a_schedule_that_tells_nothing_is_known_by_when_it_used_to_fire() {
        let day = 24 * 60;
        let runs = (0..5)
            .flat_map(|n| {
                [
                    run(&format!("a{n}"), "d1", n * day, Some(5)),
                    run(&format!("b{n}"), "d2", n * day + 3, Some(5)),
                ]
            })
            .collect();
        let store = store(nightly(), runs);
        let policy = store.find_policy(S, "p1").expect("a policy");
        assert_eq!(store.silent(policy, at(6 * day)), None);
        let found = store
            .silent(policy, at(7 * day))
            .expect("two nights without");
        assert!(!found.told);
        assert_eq!(found.due, at(5 * day + 3));
    }
}
