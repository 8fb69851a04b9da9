//! The demo world: alive, believable, repeatable, and as large as asked for.

use std::collections::BTreeSet;

use keepwatch::sim::SimOptions;
use serde_json::Value;

use crate::sim_support::calm;
use crate::{Dpod, bare};

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        speed: 0.0,
        switches: bare().switches,
        // As in the demo, where eight services share the rate.
        change_rate: SimOptions::default().change_rate / 8.0,
        ..SimOptions::default()
    }
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let dpod = Dpod::start(demo()).await;
    let twin = Dpod::start(demo()).await;
    dpod.advance(60);
    let words: BTreeSet<String> = dpod
        .told()
        .iter()
        .map(|args| format!("{} {}", args[0], args[1]))
        .collect();
    for word in ["BACKUP-PLAN PRE", "BACKUP-TASK PRE", "BACKUP-TASK POST"] {
        assert!(words.contains(word), "within a minute: {words:?}");
    }
    dpod.advance(4 * 3600 - 60);
    twin.advance(4 * 3600);
    assert_eq!(dpod.executions(), twin.executions());
    let (good, bad) = (
        dpod.counted("dpod.task.succeeded"),
        dpod.counted("dpod.task.failed"),
    );
    assert!(
        good > 60 && bad > 5 && good > bad * 2,
        "{good} good, {bad} failed"
    );
    assert!(dpod.counted("dpod.task.skipped") > 0);
    let plans = dpod.plans("backupplan").await;
    assert!((8..40).contains(&plans.len()));
    let catalog = include_str!("../../assets/catalog/dpod.toml");
    let mut failures = BTreeSet::new();
    for run in dpod.executions() {
        for task in run["tasks"].as_array().expect("tasks") {
            for code in task["trail"].as_array().expect("codes") {
                assert!(catalog.contains(&format!("code = {code}")), "{code}");
            }
            if task["over"] == true && task["status"] != "SUCCESS" {
                failures.insert(task["status"].to_string());
            }
        }
    }
    assert!(failures.len() >= 4, "{failures:?}");
}

#[tokio::test]
async fn as_many_gateways_and_changes_as_asked_for() {
    let dpod = Dpod::start(SimOptions {
        devices: 2000,
        change_rate: 600.0,
        ..demo()
    })
    .await;
    let state = dpod.control("GET", "dpod", Value::Null);
    assert_eq!(state["devices"].as_array().map(Vec::len), Some(500));
    assert!(dpod.plans("backupplan").await.len() > 300);
    dpod.advance(60);
    assert!(
        dpod.counted("dpod.task.started") > 150,
        "{}",
        dpod.counted("dpod.task.started")
    );
    let nothing = Dpod::start(SimOptions {
        devices: 0,
        ..demo()
    })
    .await;
    nothing.advance(3600);
    assert!(nothing.plans("backupplan").await.is_empty());
}

#[tokio::test]
async fn the_nights_before_were_told_as_nights_are() {
    let dpod = Dpod::start(demo()).await;
    let calls = &dpod.running.past_calls;
    let start = calm().start.expect("a start");
    assert!(calls.is_sorted_by_key(|call| call.at));
    assert!(
        calls
            .iter()
            .all(|call| call.at < start && call.service == "gateways")
    );
    let catalog = include_str!("../../assets/catalog/dpod.toml");
    let (mut numbers, mut codes) = (Vec::new(), BTreeSet::new());
    let told = |first: &str, second: &str| {
        calls
            .iter()
            .filter(|call| call.args[..2] == [first, second])
            .map(|call| call.args.clone())
            .collect::<Vec<_>>()
    };
    for run in told("BACKUP-PLAN", "POST") {
        for task in run[8].trim_end_matches(',').split('~') {
            let fields: Vec<&str> = task.trim_end_matches(',').split(',').collect();
            let [number, _, _, _, code] = fields[..] else {
                panic!("{task}");
            };
            numbers.push(number.parse::<u64>().expect("a number"));
            assert!(catalog.contains(&format!("code = \"{code}\"")), "{code}");
            codes.insert(code.to_owned());
        }
    }
    let most = SimOptions::default().tasks;
    assert!(
        (most..most + 60).contains(&numbers.len()),
        "{}",
        numbers.len()
    );
    assert!(codes.len() >= 5 && codes.contains("SUCCESS"), "{codes:?}");
    let (begun, ended) = (told("BACKUP-TASK", "PRE"), told("BACKUP-TASK", "POST"));
    assert!(begun.len() == ended.len() && begun.len() > numbers.len() / 2);
    // every task has a number of its own, and what runs now goes on from there
    let unique: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len());
    dpod.advance(60);
    let now = dpod.last()["tasks"][0]["id"].as_u64().expect("a number");
    assert!(unique.iter().all(|number| *number < now), "{now}");

    let quiet = Dpod::start(bare()).await;
    assert!(quiet.running.past_calls.is_empty());
}

#[tokio::test]
async fn whatever_the_hour_something_went_wrong_and_something_well() {
    for hours in (0..7 * 24).step_by(5) {
        let start = calm().start.expect("a start") + chrono::TimeDelta::hours(hours);
        let dpod = Dpod::start(SimOptions {
            start: Some(start),
            tasks: 60,
            furnished: true,
            ..demo()
        })
        .await;
        let calls = dpod.running.past_calls.iter();
        let tasks: Vec<String> = calls
            .filter(|call| call.args[..2] == ["BACKUP-PLAN", "POST"])
            .map(|call| call.args[8].clone())
            .collect();
        let some = |code: &str| tasks.iter().any(|run| run.contains(code));
        assert!(some("SUCCESS"), "{start}");
        assert!(some("EXECUTION_"), "{start}: {tasks:?}");
    }
}
