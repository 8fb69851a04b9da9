//! The demo world: alive, believable, repeatable, and large when asked to be.

use keepwatch::sim::{SimOptions, sdrs};
use serde_json::Value;

use crate::failed;
use crate::sim_support::{Client, calm};

fn demo() -> SimOptions {
    SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    }
}

async fn rows(client: &Client, path: &str) -> Vec<Value> {
    let body = client.get(path).await;
    let list = body
        .as_object()
        .expect("an object")
        .values()
        .find(|value| value.is_array());
    list.expect("a list").as_array().expect("a list").clone()
}

/// 1 + N queries: the failed tasks of the groups and of each group.
async fn all_failed(client: &Client) -> Vec<Value> {
    let mut all = failed(client, None).await;
    for group in rows(client, "/server-groups").await {
        all.extend(failed(client, Some(&group)).await);
    }
    all
}

#[tokio::test]
async fn the_demo_is_alive_believable_and_the_same_for_the_same_seed() {
    let client = Client::start(demo(), sdrs::ENTRY).await;
    let twin = Client::start(demo(), sdrs::ENTRY).await;
    let groups = rows(&client, "/server-groups").await;
    assert!(groups.len() >= 5, "{}", groups.len());
    for status in ["protected", "available", "error-starting"] {
        assert!(
            groups.iter().any(|group| group["status"] == status),
            "{status}"
        );
    }
    let before = all_failed(&client).await;
    assert!(before.len() >= 10, "{}", before.len());
    // What is still in error has its row, whose job can be asked for.
    for row in &before {
        let job = client
            .get(&format!("/jobs/{}", row["job_id"].as_str().expect("an id")))
            .await;
        assert_eq!(
            (&job["status"], &job["error_code"]),
            (&Value::from("FAIL"), &row["error_code"])
        );
    }
    client.advance(2 * 3600);
    twin.advance(2 * 3600);
    for path in [
        "/server-groups",
        "/protected-instances",
        "/replications",
        "/disaster-recovery-drills",
    ] {
        assert_eq!(client.get(path).await, twin.get(path).await, "{path}");
    }
    let journal = client.control("GET", "journal", Value::Null);
    let seen = |what: &str, job_type: &str| {
        journal
            .as_array()
            .expect("a list")
            .iter()
            .any(|line| line["what"] == what && line["job_type"] == job_type)
    };
    for job_type in [
        "createDisasterRecoveryDrill",
        "deleteDisasterRecoveryDrill",
        "expandReplicationPairNew",
        "startProtectionGroupNoCG",
        "createProtectedInstanceNoCG",
        "reverseProtectionGroupNoCG",
    ] {
        assert!(seen("sdrs.job.succeeded", job_type), "{job_type}");
    }
    let (good, bad) = (
        client.counted("sdrs.job.succeeded"),
        client.counted("sdrs.job.failed"),
    );
    let mut why = std::collections::BTreeMap::new();
    for line in journal.as_array().expect("a list") {
        if line["what"] == "sdrs.job.failed" {
            *why.entry((line["job_type"].to_string(), line["code"].to_string()))
                .or_insert(0) += 1;
        }
    }
    assert!(
        bad > 3 && good > bad * 4,
        "{good} succeeded, {bad} failed: {why:?}"
    );
    let catalog: toml::Table = [
        include_str!("../../assets/catalog/sdrs.toml"),
        include_str!("../../assets/catalog/evs.toml"),
    ]
    .iter()
    .map(|text| text.parse::<toml::Table>().expect("TOML"))
    .reduce(|mut one, two| {
        let more = two["entry"].as_array().expect("entries").clone();
        one["entry"].as_array_mut().expect("entries").extend(more);
        one
    })
    .expect("two");
    let codes: Vec<&str> = catalog["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|entry| entry["code"].as_str())
        .collect();
    for row in all_failed(&client).await {
        for field in ["error_code", "failure_status"] {
            assert!(codes.contains(&row[field].as_str().expect("text")), "{row}");
        }
    }
}

#[tokio::test]
async fn nothing_stays_in_error_or_on_the_way_for_ever() {
    // As much as happens to each of eight services.
    let options = SimOptions {
        change_rate: 0.06,
        ..demo()
    };
    let client = Client::start(options, sdrs::ENTRY).await;
    client.advance(80_000);
    let groups = rows(&client, "/server-groups").await;
    let calm = groups
        .iter()
        .filter(|group| group["status"] == "protected")
        .count();
    let words: Vec<&Value> = groups.iter().map(|group| &group["status"]).collect();
    assert!(calm * 2 > groups.len(), "{words:?}");
    let drills = rows(&client, "/disaster-recovery-drills").await;
    assert!(drills.len() < 12, "{}", drills.len());
    let now = client.control("GET", "clock", Value::Null)["now"]
        .as_str()
        .expect("a time")
        .to_owned();
    let now: chrono::DateTime<chrono::Utc> = now.parse().expect("a time");
    for kind in [
        "server-groups",
        "protected-instances",
        "replications",
        "disaster-recovery-drills",
    ] {
        for row in rows(&client, &format!("/{kind}")).await {
            let status = row["status"].as_str().expect("text");
            let text = row["updated_at"].as_str().expect("text").replace('T', " ");
            let updated = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f")
                .expect("a time")
                .and_utc();
            let moving = status.ends_with("ing") && !status.starts_with("error");
            assert!(
                !moving || now - updated < chrono::TimeDelta::hours(1),
                "{kind} {row}"
            );
        }
    }
}

#[tokio::test]
async fn a_large_fleet_starts_and_answers() {
    let client = Client::start(
        SimOptions {
            devices: 4000,
            tasks: 100_000,
            ..demo()
        },
        sdrs::ENTRY,
    )
    .await;
    let page = client
        .get("/protected-instances?limit=1000&offset=1000")
        .await;
    assert!(
        page["count"].as_u64().is_some_and(|count| count > 2000),
        "{}",
        page["count"]
    );
    let all = client.get("/server-groups").await["count"].as_u64();
    assert!(all > Some(500));
    let own = client.get("/task-center/failure-jobs?limit=5").await;
    assert!(own["count"].as_u64() > Some(1000), "{}", own["count"]);
}
