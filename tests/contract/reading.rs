//! Lists are read to their end, once changed is told once, and one bad row costs one row.

use std::collections::BTreeSet;

use keepwatch::connect::Capabilities;
use keepwatch::model::{Phase, Rows};
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
        let mut good = Bench::start(entry).await;
        let expected = good.whole_round().await;
        let mut judged = 0;
        for whole in &expected {
            if good.connector.is_local(whole.feed) {
                continue;
            }
            let feed = whole.feed;
            let mut bench = Bench::start(entry).await;
            // what other lists told has to be known already
            bench.whole_round().await;
            bench.connector = crate::bench::open(&bench.settings);
            bench.fault(json!({"fault": "bad_row"}));
            let read = bench.read(feed).await;
            bench.mend();
            let report = match &read.outcome {
                Ok(report) => report,
                Err(fault) => panic!("{feed}: one bad row costs the whole list: {fault}"),
            };
            let missing = lost(&whole.rows, &read.rows);
            if read.rows.bad.is_empty() && report.partial.is_empty() {
                // its first answer held no rows
                assert_eq!(missing, 0, "{feed} lost rows and says nothing of it");
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
            // a policy that can't be read takes its own tasks along, and no other's; of news a second look brings fewer
            let spec = bench.connector.feeds().iter().find(|f| f.id == feed);
            let covers = spec.expect("its feed").covers;
            let news = !(covers.live || covers.failed || covers.policies || covers.devices);
            let owners = owners_of_lost(&whole.rows, &read.rows);
            assert!(
                missing <= 1 || owners.len() == 1 || news,
                "{feed} lost {missing} rows, tasks of {owners:?}"
            );
            let policies = whole.rows.policies.len() - read.rows.policies.len();
            assert!(policies <= 1, "{feed} lost {policies} policies");
            // the store keeps what it held of the row
            let again = bench.read(feed).await;
            assert_eq!(again.rows.bad, [], "{feed}");
        }
        assert!(judged > 0, "no list of it has rows in its first answer");
    })
    .await;
}

/// The policies of the tasks that are missing.
fn owners_of_lost<'a>(whole: &'a Rows, read: &Rows) -> BTreeSet<&'a str> {
    let lost = whole
        .tasks
        .iter()
        .filter(|task| read.tasks.iter().all(|t| t.id != task.id));
    lost.map(|task| task.policy.as_ref().map_or("", |p| p.id.as_str()))
        .collect()
}

/// How many policies and tasks are missing.
fn lost(whole: &Rows, read: &Rows) -> usize {
    (whole.policies.len() + whole.tasks.len())
        .saturating_sub(read.policies.len() + read.tasks.len())
}
