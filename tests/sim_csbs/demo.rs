//! The demo world: alive, believable, repeatable, and fast when asked to be.

use crate::sim_support::{Client, calm};
use keepwatch::sim::{SimOptions, csbs};
use serde_json::Value;

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let demo = SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    };
    let client = Client::start(demo.clone(), csbs::ENTRY).await;
    let twin = Client::start(demo, csbs::ENTRY).await;
    assert!(
        client.get("/policies").await["policies"]
            .as_array()
            .is_some_and(|list| list.len() > 8)
    );
    let running = client
        .get("/checkpoint_items/count?status=protecting")
        .await;
    assert!(running["count"].as_u64().is_some_and(|count| count >= 2));
    client.advance(3_600);
    twin.advance(3_600);
    let page = client.get("/checkpoint_items?limit=500").await;
    assert_eq!(page, twin.get("/checkpoint_items?limit=500").await);
    for counter in [
        "csbs.backup.done",
        "csbs.backup.failed",
        "csbs.restore.done",
        "csbs.delete.done",
        "csbs.policy.run.auto",
        "csbs.traffic.server_down",
    ] {
        assert!(client.counted(counter) > 0, "{counter}");
    }
    let catalog: toml::Table = include_str!("../../assets/catalog/csbs.toml")
        .parse()
        .expect("TOML");
    let codes: Vec<&str> = catalog["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["code"].as_str())
        .collect();
    let failed = client.get("/checkpoint_items?status=error").await;
    for item in failed["checkpoint_items"].as_array().expect("a list") {
        let code = item["extend_info"]["fail_code"]["Code"]
            .as_str()
            .expect("a code");
        assert!(codes.contains(&code), "{code}");
        assert!(
            item["extend_info"]["fail_reason"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
}

#[tokio::test]
async fn a_high_change_rate_keeps_the_number_of_backups() {
    let client = Client::start(
        SimOptions {
            start: calm().start,
            speed: 0.0,
            tasks: 3000,
            change_rate: 2000.0,
            ..SimOptions::default()
        },
        csbs::ENTRY,
    )
    .await;
    let state = |client: &Client| client.control("GET", "csbs", Value::Null);
    let before = client.counted("csbs.backup.started");
    client.advance(30);
    let started = client.counted("csbs.backup.started") - before;
    assert!((10_000..20_000).contains(&started), "{started}");
    let now = state(&client);
    let backups = now["backups"].as_u64().expect("a number");
    assert!((2500..9000).contains(&backups), "{now}");
    assert!(
        now["statuses"]["protecting"]
            .as_u64()
            .is_some_and(|count| count > 100),
        "{now}"
    );
}
