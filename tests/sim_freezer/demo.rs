//! The demo world: alive, believable, repeatable.

use keepwatch::sim::{SimOptions, freezer};
use serde_json::Value;

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
    let client = Client::start(demo(), freezer::ENTRY).await;
    let twin = Client::start(demo(), freezer::ENTRY).await;
    let jobs = client.get("/jobs?limit=-1").await;
    let jobs = jobs["jobs"].as_array().expect("a list");
    assert!(jobs.len() >= 20, "{}", jobs.len());
    let have = |status: &str, result: &str| {
        jobs.iter().any(|job| {
            job["job_schedule"]["status"] == status && job["job_schedule"]["result"] == result
        })
    };
    assert!(have("scheduled", "success") && have("scheduled", "fail"));
    let servers = client.control("GET", "servers", Value::Null);
    for job in jobs {
        let client_id = &job["client_id"];
        assert!(
            servers
                .as_array()
                .expect("a list")
                .iter()
                .any(|server| server["name"] == *client_id)
        );
    }
    assert!(
        client.get("/backups?limit=-1").await["backups"]
            .as_array()
            .is_some_and(|list| list.len() == 400)
    );
    client.advance(7200);
    twin.advance(7200);
    for path in ["/jobs?limit=-1", "/backups?limit=-1", "/sessions"] {
        assert_eq!(client.get(path).await, twin.get(path).await, "{path}");
    }
    for what in [
        "freezer.run.success",
        "freezer.run.fail",
        "freezer.event.abort",
        "freezer.event.stop",
        "freezer.event.start",
    ] {
        assert!(client.counted(what) > 0, "{what}");
    }
    let (good, bad) = (
        client.counted("freezer.run.success"),
        client.counted("freezer.run.fail"),
    );
    assert!(good > bad, "{good} succeeded, {bad} failed");
    let catalog: toml::Table = include_str!("../../assets/catalog/freezer.toml")
        .parse()
        .expect("TOML");
    let known: Vec<&str> = catalog["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["code"].as_str())
        .collect();
    for job in client.get("/jobs?limit=-1").await["jobs"]
        .as_array()
        .expect("a list")
    {
        for field in ["status", "result", "event"] {
            let word = job["job_schedule"][field].as_str().unwrap_or("");
            assert!(word.is_empty() || known.contains(&word), "{field} {word}");
        }
    }
}

#[tokio::test]
async fn a_large_fleet_starts_and_answers() {
    let client = Client::start(
        SimOptions {
            devices: 10_000,
            tasks: 1_000_000,
            ..demo()
        },
        freezer::ENTRY,
    )
    .await;
    let page = client.get("/jobs?limit=1000&offset=9000").await;
    assert_eq!(page["jobs"].as_array().map(Vec::len), Some(1000));
    client.advance(600);
    assert!(client.counted("freezer.run.started") > 100);
}
