//! Whose run is whose: an item does not say which policy made it, a policy's list of items does.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::model::{Ref, Timestamp};

/// So many runs are remembered at least: a task that is known has its policy from then on, also when its run is
/// forgotten.
const MOST: usize = 100_000;

/// Runs of policies, by checkpoint id. One is forgotten when no list shows it any more and it is older than what is
/// asked for, or when there are too many.
///
/// The ids of many runs would take room: what stands for one is a keyed hash of 64 bits.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: HashMap<u64, Run>,
    /// Each policy once.
    policies: Vec<Ref>,
    /// The place of the one that a run was last learnt of: the runs of a policy come one after the other.
    latest: usize,
    /// The runs on each page of each feed that shows tasks.
    pages: BTreeMap<(&'static str, u32), Vec<u64>>,
    keys: DefaultHashBuilder,
}

#[derive(Debug)]
struct Run {
    /// Its place among the policies.
    policy: u32,
    /// The newest change of its items; `None` before a list has shown it.
    changed: Option<Timestamp>,
}

impl Runs {
    /// The policy that a run belongs to.
    pub(super) fn policy_of(&self, checkpoint_id: &str) -> Option<Ref> {
        let run = self.runs.get(&self.key(checkpoint_id))?;
        self.policies.get(run.policy as usize).cloned()
    }

    /// A run is one of this policy. `changed` is when its item last did; `None` where no list has shown it.
    pub(super) fn learn(&mut self, checkpoint_id: &str, policy: &Ref, changed: Option<Timestamp>) {
        if checkpoint_id.is_empty() {
            return;
        }
        let policy = self.place_of(policy);
        let key = self.key(checkpoint_id);
        let run = self.runs.entry(key).or_insert(Run { policy, changed });
        run.policy = policy;
        run.changed = run.changed.max(changed);
        if self.runs.len() > 2 * MOST {
            self.keep_newest(MOST);
        }
    }

    fn place_of(&mut self, policy: &Ref) -> u32 {
        if self.policies.get(self.latest) != Some(policy) {
            let known = self.policies.iter().position(|p| p == policy);
            self.latest = known.unwrap_or_else(|| {
                self.policies.push(policy.clone());
                self.policies.len() - 1
            });
        }
        u32::try_from(self.latest).unwrap_or(u32::MAX)
    }

    /// Notes which runs a page shows, by their [`Runs::key`].
    pub(super) fn page(&mut self, feed: &'static str, number: u32, mut shown: Vec<u64>) {
        shown.sort_unstable();
        shown.dedup();
        self.pages.insert((feed, number), shown);
    }

    /// What stands for a run on a page.
    pub(super) fn key(&self, checkpoint_id: &str) -> u64 {
        self.keys.hash_one(checkpoint_id)
    }

    /// The pages of a feed from `number` to before `limit` are no more.
    pub(super) fn end_between(&mut self, feed: &'static str, number: u32, limit: u32) {
        self.pages
            .retain(|(f, n), _| *f != feed || *n < number || *n >= limit);
    }

    /// Forgets the runs that no page shows, if a list has shown them before and they last changed before `since`;
    /// `None`: all times are asked for.
    pub(super) fn forget(&mut self, since: Option<Timestamp>) {
        let is_new = |run: &Run| {
            let changed = run.changed.zip(since);
            changed.is_none_or(|(at, since)| at >= since)
        };
        if self.runs.values().all(is_new) {
            return;
        }
        let shown: HashSet<u64> = self.pages.values().flatten().copied().collect();
        self.runs
            .retain(|key, run| is_new(run) || shown.contains(key));
    }

    /// Forgets all but about so many; those that no list has shown yet stay.
    fn keep_newest(&mut self, most: usize) {
        let Some(oldest) = self.oldest_of(most) else {
            return;
        };
        self.runs
            .retain(|_, run| run.changed.is_none_or(|at| at >= oldest));
    }

    /// When the oldest of the newest `most` runs changed, where there are more.
    fn oldest_of(&self, most: usize) -> Option<Timestamp> {
        let beyond = self.runs.len().checked_sub(most).filter(|n| *n > 0)?;
        let mut times: Vec<_> = self.runs.values().filter_map(|run| run.changed).collect();
        if beyond >= times.len() {
            return times.into_iter().max();
        }
        let (_, oldest, _) = times.select_nth_unstable(beyond);
        Some(*oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_runs_the_oldest_are_forgotten() {
        let mut runs = Runs::default();
        let policy = Ref::new("pol-1", "nightly");
        runs.learn("sent", &policy, None);
        for n in 0..10 {
            runs.learn(&format!("run-{n}"), &policy, Some(Timestamp(n)));
        }
        runs.keep_newest(6);
        let held = |runs: &Runs, ids: &[&str]| -> Vec<bool> {
            let of = |id: &&str| runs.policy_of(id).is_some();
            ids.iter().map(of).collect()
        };
        let ids = ["sent", "run-0", "run-4", "run-5", "run-9"];
        assert_eq!(held(&runs, &ids), [true, false, false, true, true]);
        runs.keep_newest(20);
        assert_eq!(runs.runs.len(), 6, "there is room");
        assert_eq!(Runs::default().oldest_of(0), None);
        assert_eq!(runs.policies, [policy]);
    }

    #[test]
    fn a_run_is_held_while_a_page_shows_it_or_its_time_is_asked_for() {
        let mut runs = Runs::default();
        let policy = Ref::new("pol-1", "nightly");
        for (id, changed) in [
            ("sent", None),
            ("shown", Some(1)),
            ("new", Some(9)),
            ("old", Some(2)),
        ] {
            runs.learn(id, &policy, changed.map(Timestamp));
        }
        runs.learn("renewed", &policy, Some(Timestamp(3)));
        runs.learn("renewed", &policy, Some(Timestamp(7)));
        runs.learn("renewed", &policy, None);
        let twice = vec![runs.key("shown"), runs.key("shown")];
        runs.page("failed", 0, twice);
        let old = vec![runs.key("old")];
        runs.page("recent", 4, old);
        runs.forget(Some(Timestamp(7)));
        assert_eq!(runs.runs.len(), 5, "the old one is shown");
        runs.end_between("failed", 1, 9);
        runs.end_between("recent", 1, 9);
        runs.forget(Some(Timestamp(7)));
        assert_eq!(runs.policy_of("old"), None);
        assert_eq!(runs.runs.len(), 4);
        for id in ["new", "renewed", "sent", "shown"] {
            assert_eq!(runs.policy_of(id).as_ref(), Some(&policy), "{id}");
        }
    }
}
