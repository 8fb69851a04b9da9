//! The demo world: alive, believable, repeatable, and fast when asked to be.

use std::collections::BTreeSet;

use keepwatch::sim::{SimOptions, cbr};
use serde_json::Value;

use crate::sim_support::Client;
use crate::{calm, logs, text};

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        switches: calm().switches,
        speed: 0.0,
        ..SimOptions::default()
    }
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let client = Client::start(demo(), cbr::ENTRY).await;
    let twin = Client::start(demo(), cbr::ENTRY).await;
    let all = client.get("/operation-logs").await;
    let count = all["count"].as_u64().expect("a number");
    assert!((395..=410).contains(&count), "{count}");
    let rows = all["operation_logs"].as_array().expect("a list");
    let statuses: BTreeSet<&str> = rows.iter().map(|log| text(&log["status"])).collect();
    assert!(
        ["success", "failed", "skipped", "waiting"]
            .iter()
            .all(|word| statuses.contains(word)),
        "{statuses:?}"
    );
    let times: Vec<&str> = rows.iter().map(|log| text(&log["created_at"])).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    let good = rows.iter().filter(|log| log["status"] == "success").count();
    assert!(good * 10 > rows.len() * 7, "{good} of {}", rows.len());
    let vaults = client.get("/vaults").await;
    for vault in vaults["vaults"].as_array().expect("a list") {
        let (used, size) = (
            vault["billing"]["used"].as_u64(),
            vault["billing"]["size"].as_u64(),
        );
        let full = used > size.map(|size| size * 1024);
        assert_eq!(full, vault["name"] == "vault-file", "{vault}");
    }
    assert!(
        client.get("/policies").await["count"]
            .as_u64()
            .is_some_and(|count| count >= 8)
    );
    client.advance(3 * 3600);
    twin.advance(3 * 3600);
    let page = client.get("/operation-logs?limit=500").await;
    assert_eq!(page, twin.get("/operation-logs?limit=500").await);
    for counter in [
        "cbr.backup.done",
        "cbr.backup.failed",
        "cbr.backup.skipped",
        "cbr.restore.done",
        "cbr.delete.done",
        "cbr.policy.run",
        "cbr.traffic.server_moves",
    ] {
        assert!(client.counted(counter) > 0, "{counter}");
    }
    let catalog: toml::Table = include_str!("../../assets/catalog/cbr.toml")
        .parse()
        .expect("TOML");
    let entries = catalog["entry"].as_array().expect("entries").iter();
    let codes: Vec<&str> = entries.filter_map(|entry| entry["code"].as_str()).collect();
    let full = logs(&client, "status=failed&vault_name=vault-file").await;
    assert!(
        full.iter()
            .any(|log| log["error_info"]["code"] == "BackupService.6114")
    );
    for log in logs(&client, "status=failed&status=skipped").await {
        assert!(codes.contains(&text(&log["error_info"]["code"])), "{log}");
        assert!(!text(&log["error_info"]["message"]).is_empty());
    }
}

#[tokio::test]
async fn an_estate_of_hundreds_of_servers_is_spread_over_vaults() {
    let options = SimOptions {
        devices: 500,
        tasks: 5000,
        change_rate: 0.0,
        ..demo()
    };
    let client = Client::start(options, cbr::ENTRY).await;
    let vaults = client.get("/vaults").await;
    let vaults = vaults["vaults"].as_array().expect("a list");
    let bound: usize = vaults
        .iter()
        .map(|vault| vault["resources"].as_array().map_or(0, Vec::len))
        .sum();
    assert!(vaults.len() > 12 && bound > 400, "{} {bound}", vaults.len());
    let count = client.get("/operation-logs?limit=1").await["count"].clone();
    assert!(
        count
            .as_u64()
            .is_some_and(|count| (4950..=5050).contains(&count)),
        "{count}"
    );
    // Every policy that is on runs at its next point.
    client.advance(86_400);
    assert_eq!(
        client.control("GET", "cbr", Value::Null)["operation_logs"]["running"],
        0
    );
    assert!(client.counted("cbr.policy.run") > 100);
    assert!(client.counted("cbr.replication.done") > 0);
}

#[tokio::test]
async fn a_high_change_rate_keeps_the_number_of_backups() {
    let options = SimOptions {
        tasks: 3000,
        change_rate: 2000.0,
        ..demo()
    };
    let client = Client::start(options, cbr::ENTRY).await;
    let before = client.counted("cbr.backup.done");
    client.advance(30);
    let done = client.counted("cbr.backup.done") - before;
    assert!((5_000..20_000).contains(&done), "{done}");
    let now = client.control("GET", "cbr", Value::Null);
    let backups = now["backups"]["available"].as_u64().expect("a number");
    assert!((500..9000).contains(&backups), "{now}");
    let tasks = now["operation_logs"]["all"].as_u64().expect("a number");
    assert!(tasks < 20_000, "{now}");
    assert!(
        now["operation_logs"]["running"]
            .as_u64()
            .is_some_and(|count| count > 100),
        "{now}"
    );
}
