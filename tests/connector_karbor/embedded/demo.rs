//! The demo world: alive, believable, repeatable.

use std::collections::BTreeSet;

use keepwatch::sim::{SimOptions, karbor};
use serde_json::Value;

use super::logs;
use crate::sim_support::{Client, calm};

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    }
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let client = Client::start(demo(), karbor::ENTRY).await;
    let twin = Client::start(demo(), karbor::ENTRY).await;
    let before = logs(&client, "").await;
    assert!((380..=450).contains(&before.len()), "{}", before.len());
    let with = |status: &str| before.iter().filter(|log| log["status"] == status).count();
    assert!(with("available") > 2 * with("error") && with("error") > 5);
    assert!(with("error-deleting") > 0 && with("fail") > 0 && with("protecting") > 0);
    let plans = client.get("/plans").await;
    assert!(
        plans["plans"]
            .as_array()
            .is_some_and(|plans| plans.len() >= 10)
    );
    client.advance(20 * 3600);
    twin.advance(20 * 3600);
    for path in [
        "/operation_logs",
        "/plans",
        "/restores",
        "/scheduled_operations",
    ] {
        let (mut one, mut other) = (client.get(path).await, twin.get(path).await);
        for body in [&mut one, &mut other] {
            // The link to the next page names the port.
            let body = body.as_object_mut().expect("an object");
            body.retain(|key, _| !key.ends_with("_links"));
        }
        assert!(one == other, "{path} differs");
    }
    for what in [
        "karbor.protect.available",
        "karbor.protect.error",
        "karbor.delete.deleted",
        "karbor.restore.success",
        "karbor.schedule.run",
        "karbor.schedule.failed",
        "karbor.traffic.away",
    ] {
        assert!(client.counted(what) > 0, "{what}");
    }
    let catalog: toml::Table = include_str!("../../../assets/catalog/karbor.toml")
        .parse()
        .expect("TOML");
    let known: BTreeSet<&str> = catalog["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["code"].as_str())
        .collect();
    for log in logs(&client, "").await {
        let status = log["status"].as_str().expect("a word");
        assert!(known.contains(status), "{status}");
    }
}

#[tokio::test]
async fn a_large_fleet_starts_and_answers() {
    let options = SimOptions {
        devices: 3_000,
        tasks: 300_000,
        ..demo()
    };
    let client = Client::start(options, karbor::ENTRY).await;
    let page = client.get("/operation_logs?limit=1000&offset=200000").await;
    assert_eq!(page["operation_logs"].as_array().map(Vec::len), Some(1000));
    assert!(!logs(&client, "status=error&limit=10").await.is_empty());
    client.advance(600);
    let services = client.call("GET", "/os-services", Value::Null).await;
    assert_eq!(services.0, 403);
}
