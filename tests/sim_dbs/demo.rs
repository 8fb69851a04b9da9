//! The demo world, the size that was asked for, and input that nobody should send.

use keepwatch::sim::SimOptions;
use serde_json::Value;

use crate::client::{Dbs, id};
use crate::sim_support::calm;

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    }
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let one = Dbs::start(demo()).await;
    let twin = Dbs::start(demo()).await;
    for dbs in [&one, &twin] {
        dbs.advance(3 * 3_600);
    }
    let plans = one.plans().await;
    assert_eq!(plans, twin.plans().await);
    assert!(plans.len() > 10);
    let mut words = std::collections::BTreeSet::new();
    for plan in &plans {
        for set in one.sets(&id(plan, "BackupPlanId")).await {
            words.insert(id(&set, "BackupStatus"));
            if set["BackupStatus"] == "stop" {
                let error = one
                    .good(
                        "DescribeJobErrorCode",
                        &[("TaskId", &id(&set, "BackupSetId"))],
                    )
                    .await;
                assert_eq!(error["Item"]["ErrorCode"], "failed");
                assert!(
                    error["Item"]["ErrorMessage"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty())
                );
            }
        }
    }
    assert!(
        words.contains("finish") && words.contains("stop"),
        "{words:?}"
    );
    for counter in [
        "dbs.full.done",
        "dbs.increment.done",
        "dbs.plan.fired",
        "dbs.restore.done",
        "dbs.traffic.source_down",
    ] {
        assert!(one.counted(counter) > 0, "{counter}");
    }
}

#[tokio::test]
async fn as_many_devices_and_tasks_as_asked_for() {
    let dbs = Dbs::start(SimOptions {
        tasks: 20_000,
        devices: 400,
        ..demo()
    })
    .await;
    let state = dbs.control("GET", "dbs", Value::Null);
    let number = |name: &str| state[name].as_u64().expect("a number");
    assert!(number("plans") > 150, "{}", number("plans"));
    assert!(number("full") >= 14_000);
    assert!(
        (18_000..=21_000).contains(&(number("full") + number("increments") + number("restores")))
    );
}

#[tokio::test]
async fn a_high_change_rate_keeps_the_number_of_backups() {
    let dbs = Dbs::start(SimOptions {
        tasks: 2000,
        change_rate: 600.0,
        ..demo()
    })
    .await;
    let before = dbs.counted("dbs.full.started");
    dbs.advance(30);
    let started = dbs.counted("dbs.full.started") - before;
    assert!((3_000..8_000).contains(&started), "{started}");
    let state = dbs.control("GET", "dbs", Value::Null);
    assert!(
        state["full"].as_u64().is_some_and(|full| full <= 3_000),
        "{}",
        state["full"]
    );
    assert!(
        state["running"]
            .as_u64()
            .is_some_and(|running| running > 50),
        "{}",
        state["running"]
    );
}

#[tokio::test]
async fn odd_input_gets_answers() {
    let dbs = Dbs::start(demo()).await;
    let fields: Value =
        serde_json::from_str(include_str!("../fixtures/dbs/fields.json")).expect("JSON");
    let plan = id(&dbs.plans().await[0], "BackupPlanId");
    let mut rng = fastrand::Rng::with_seed(5);
    let long = "x".repeat(5000);
    let odd = [
        "",
        "-1",
        "0",
        "99999999999999999999",
        "\u{202e}\u{0}",
        "[]",
        "[{}]",
        "null",
        "True",
        "é",
        long.as_str(),
        "Monday,",
        "25:61",
    ];
    for (action, about) in fields.as_object().expect("actions") {
        let params: Vec<&String> = about["request"]
            .as_object()
            .expect("parameters")
            .keys()
            .collect();
        for _ in 0..12 {
            let mut given: Vec<(&str, &str)> = Vec::new();
            for name in &params {
                let value = match rng.u8(0..4) {
                    0 => continue,
                    1 if *name == "BackupPlanId" => plan.as_str(),
                    _ => *rng.choice(&odd).expect("a value"),
                };
                given.push((name, value));
            }
            let (status, body) = dbs.call(action, &given).await;
            assert!(
                status == 200 || body["Code"].is_string(),
                "{action} {given:?}: {status} {body}"
            );
        }
    }
    dbs.advance(200_000);
    dbs.good("DescribeRegions", &[]).await;
}
