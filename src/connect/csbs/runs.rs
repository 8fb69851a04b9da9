//! Whose run is whose: an item does not say which policy made it, a policy's list of items does.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};

use crate::model::{Ref, Timestamp};

/// So many runs are remembered besides those that lists show: a task that is known has its policy from then on.
const MOST: usize = 100_000;

/// Runs of policies, by checkpoint id. One is forgotten when no list shows it any more and it is older than what is
/// asked for, or there are too many.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: HashMap<String, Run>,
    /// The runs on each page of each feed that shows tasks, by a keyed hash: of a million their ids would take room.
    pages: BTreeMap<(&'static str, u32), Vec<u64>>,
    keys: DefaultHashBuilder,
}

#[derive(Debug)]
struct Run {
    policy: Ref,
    /// The newest change of its items; `None` before a list has shown it.
    changed: Option<Timestamp>,
}

impl Runs {
    /// The policy that a run belongs to.
    pub(super) fn policy_of(&self, checkpoint_id: &str) -> Option<Ref> {
        self.runs.get(checkpoint_id).map(|run| run.policy.clone())
    }

    /// A run is one of this policy. `changed` is when its item last did; `None` where no list has shown it.
    pub(super) fn learn(&mut self, checkpoint_id: &str, policy: &Ref, changed: Option<Timestamp>) {
        if checkpoint_id.is_empty() {
            return;
        }
        let run = self.runs.entry_ref(checkpoint_id).or_insert_with(|| Run {
            policy: policy.clone(),
            changed,
        });
        if run.policy != *policy {
            run.policy.clone_from(policy);
        }
        run.changed = run.changed.max(changed);
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

    /// Forgets the runs that no page shows, if a list has shown them before and they last changed before `since`
    /// (`None`: all times are asked for), or are the oldest of too many.
    pub(super) fn forget(&mut self, since: Option<Timestamp>) {
        self.forget_beyond(MOST, since);
    }

    fn forget_beyond(&mut self, most: usize, since: Option<Timestamp>) {
        let since = since.max(self.oldest_of(most));
        let is_new = |run: &Run| {
            let changed = run.changed.zip(since);
            changed.is_none_or(|(at, since)| at >= since)
        };
        if self.runs.values().all(is_new) {
            return;
        }
        let shown: HashSet<u64> = self.pages.values().flatten().copied().collect();
        let keys = &self.keys;
        self.runs
            .retain(|id, run| is_new(run) || shown.contains(&keys.hash_one(id.as_str())));
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
        let shown = vec![runs.key("run-1")];
        runs.page("recent", 0, shown);
        runs.forget_beyond(6, None);
        let mut held: Vec<_> = runs.runs.keys().map(String::as_str).collect();
        held.sort_unstable();
        assert_eq!(
            held,
            ["run-1", "run-5", "run-6", "run-7", "run-8", "run-9", "sent"]
        );
        runs.forget_beyond(20, None);
        assert_eq!(runs.runs.len(), 7, "there is room");
        assert_eq!(Runs::default().oldest_of(0), None);
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
        let mut held: Vec<_> = runs.runs.keys().map(String::as_str).collect();
        held.sort_unstable();
        assert_eq!(held, ["new", "renewed", "sent", "shown"]);
    }
}
