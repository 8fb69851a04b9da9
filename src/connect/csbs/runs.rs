//! Whose run is whose: an item does not say which policy made it, a policy's list of items does.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use crate::model::{Ref, Timestamp};

/// Runs of policies, by checkpoint id. One is forgotten when no list shows it any more and it is older than what is
/// asked for.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: HashMap<String, Run>,
    /// The runs on each page of each feed that shows tasks.
    pages: BTreeMap<(&'static str, u32), Vec<String>>,
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

    /// Notes which runs a page shows.
    pub(super) fn page(&mut self, feed: &'static str, number: u32, mut runs: Vec<String>) {
        runs.sort_unstable();
        runs.dedup();
        self.pages.insert((feed, number), runs);
    }

    /// The pages of a feed from `number` to before `limit` are no more.
    pub(super) fn end_between(&mut self, feed: &'static str, number: u32, limit: u32) {
        self.pages
            .retain(|(f, n), _| *f != feed || *n < number || *n >= limit);
    }

    /// Forgets the runs that no page shows, if a list has shown them before and they last changed before `since`
    /// (`None`: all times are asked for).
    pub(super) fn forget(&mut self, since: Option<Timestamp>) {
        let shown: HashSet<&str> = self.pages.values().flatten().map(String::as_str).collect();
        self.runs.retain(|id, run| {
            let changed = run.changed.zip(since);
            changed.is_none_or(|(at, since)| at >= since) || shown.contains(id.as_str())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        runs.page("failed", 0, vec!["shown".into(), "shown".into()]);
        runs.page("recent", 4, vec!["old".into()]);
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
