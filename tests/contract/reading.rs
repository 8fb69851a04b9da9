//! Lists are read to their end, once changed is told once, and one bad row costs one row.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use keepwatch::connect::Capabilities;
use keepwatch::model::{Phase, Rows, Task};
use serde_json::json;

use crate::bench::{Bench, world};
use crate::everywhere;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_round_reads_everything_to_the_end_whatever_the_size_of_a_page() {
    everywhere(|entry| async move {
        let mut large = Bench::start(entry).await;
        large.whole_round().await;
        let held = large.held();
        let Capabilities {
            devices,
            policies,
            failed,
            history,
            ..
        } = *large.connector.capabilities();
        let some = |phase: fn(Phase) -> bool| held.tasks.values().any(|t| phase(t.phase));
        for (what, offered, seen) in [
            ("devices", devices, !held.devices.is_empty()),
            ("policies", policies, !held.policies.is_empty()),
            ("failed tasks", failed, some(Phase::needs_person)),
            ("history", history, some(|p| p == Phase::Succeeded)),
        ] {
            if offered.is_offered() {
                assert!(
                    seen,
                    "no {what} in a furnished world, though it offers them"
                );
            } else {
                assert!(!offered.remark().is_empty(), "{what}: no reason");
            }
        }
        let mut small = Bench::start_with(entry, world(), |settings| {
            settings.options.insert("page_size".into(), "3".into());
        })
        .await;
        small.whole_round().await;
        let ids = |held: crate::bench::Held| {
            let devices: BTreeSet<String> = held.devices.into_keys().collect();
            let policies: BTreeSet<String> = held.policies.into_keys().collect();
            let tasks: BTreeSet<String> = held.tasks.into_keys().collect();
            (devices, policies, tasks)
        };
        assert_eq!(ids(small.held()), ids(held));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_in_which_nothing_changed_changes_nothing() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        let held = bench.settled().await;
        // the simulation's clock stands still and ours does not: a round in which that was noticed says nothing
        for _ in 0..10 {
            let offset = bench.clock_offset();
            let generation = bench.store.generation();
            bench.whole_round().await;
            bench.held().is(&held, "a second look");
            if bench.clock_offset() == offset {
                assert_eq!(
                    bench.store.generation(),
                    generation,
                    "something visible moved"
                );
                return;
            }
        }
        panic!("the clocks drift apart in every round");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_costs_one_row() {
    everywhere(|entry| async move {
        let mut judged = 0;
        let mut bench = Bench::start(entry).await;
        let feeds = bench.remote();
        // a list may need what other lists tell: once that is known already, once it asks for it first
        for (feed, known) in feeds.iter().flat_map(|f| [(*f, true), (*f, false)]) {
            bench.begin_anew(known.then_some(feed)).await;
            let whole = bench.read(feed).await;
            bench.begin_anew(known.then_some(feed)).await;
            bench.fault(json!({"fault": "bad_row"}));
            let read = bench.read(feed).await;
            bench.mend();
            let report = match &read.outcome {
                Ok(report) => report,
                Err(fault) => panic!("{feed}: one bad row costs the whole list: {fault}"),
            };
            let lost = Lost::between(&whole.rows, &read.rows);
            if read.rows.bad.is_empty() && report.partial.is_empty() {
                // its first answer held no rows
                assert!(lost.is_nothing(), "{feed} says nothing of it: {lost:?}");
                continue;
            }
            judged += 1;
            if let Some(bad) = read.rows.bad.first() {
                assert_eq!(read.rows.bad.len(), 1, "{feed}: {report:?}");
                assert!(
                    !bad.place.is_empty() && !bad.why.is_empty() && bad.raw == "7",
                    "{bad:?}"
                );
            } else {
                assert!(
                    !report.complete,
                    "{feed}: what is missing is taken for gone"
                );
            }
            assert!(
                lost.is_one() || lost.is_one_policys(!report.partial.is_empty()),
                "{feed}: {lost:?}"
            );
            // the store keeps what it held of the row
            let again = bench.read(feed).await;
            assert_eq!(again.rows.bad, [], "{feed}");
        }
        assert!(judged > 0, "no list of it has rows in its first answer");
    })
    .await;
}

/// What one reading showed and another one doesn't.
#[derive(Debug)]
struct Lost<'a> {
    policies: BTreeSet<&'a str>,
    /// With the policy of each; empty where it names none.
    tasks: BTreeMap<&'a str, &'a str>,
    /// With the policies of each.
    devices: BTreeMap<&'a str, &'a [String]>,
}

impl<'a> Lost<'a> {
    fn between(whole: &'a Rows, read: &Rows) -> Self {
        let policies: HashSet<_> = read.policies.iter().map(|p| p.id.as_str()).collect();
        let tasks: HashSet<_> = read.tasks.iter().map(|t| t.id.as_str()).collect();
        let devices: HashSet<_> = read.devices.iter().map(|d| d.id.as_str()).collect();
        let policy = |t: &'a Task| t.policy.as_ref().map_or("", |p| p.id.as_str());
        Self {
            policies: whole
                .policies
                .iter()
                .map(|p| p.id.as_str())
                .filter(|id| !policies.contains(id))
                .collect(),
            tasks: whole
                .tasks
                .iter()
                .filter(|t| !tasks.contains(t.id.as_str()))
                .map(|t| (t.id.as_str(), policy(t)))
                .collect(),
            devices: whole
                .devices
                .iter()
                .filter(|d| !devices.contains(d.id.as_str()))
                .map(|d| (d.id.as_str(), d.policy_ids.as_slice()))
                .collect(),
        }
    }

    fn is_nothing(&self) -> bool {
        self.policies.is_empty() && self.tasks.is_empty() && self.devices.is_empty()
    }

    /// One row, of whatever sort.
    fn is_one(&self) -> bool {
        self.policies.len() + self.tasks.len() + self.devices.len() <= 1
    }

    /// A policy that can't be read takes along its own tasks and what it alone covers; where each policy's tasks are a
    /// list of their own, that list is missing `in_part`.
    fn is_one_policys(&self, in_part: bool) -> bool {
        let mut owners: BTreeSet<&str> = self.tasks.values().copied().collect();
        owners.extend(&self.policies);
        let [owner] = Vec::from_iter(owners)[..] else {
            return false;
        };
        let told = self.policies.contains(owner) || in_part && self.devices.is_empty();
        let its_own = |of: &&[String]| matches!(of, [one] if one == owner);
        !owner.is_empty() && told && self.devices.values().all(its_own)
    }
}
