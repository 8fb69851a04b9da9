//! Runs of jobs: the very states, in the very order, that the real scheduler walked through.

use serde_json::{Map, Value, json};

use crate::sim_support::Client;
use crate::{CLIENT, bare, event, fixture, job, make, until};

/// A job's schedule part without what differs from run to run.
fn normal(schedule: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in schedule.as_object().expect("an object") {
        match key.as_str() {
            // The process id appears when the process does, a moment into the run.
            "current_pid" => continue,
            _ if key.starts_with("time_") => {
                let known = value != &json!(-1);
                out.insert(key.clone(), if known { "a time" } else { "-1" }.into());
            }
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    out
}

/// The recorded states of a job, in order.
fn recorded(title: &str) -> Vec<Map<String, Value>> {
    let folder = format!("{}/tests/fixtures/freezer", env!("CARGO_MANIFEST_DIR"));
    let prefix = format!("job-{title}-");
    let mut states: Vec<(u32, Map<String, Value>)> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .filter_map(|entry| {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text");
            let (number, _) = name.strip_prefix(&prefix)?.split_once('-')?;
            let body = fixture(name.strip_suffix(".json")?);
            Some((number.parse().ok()?, normal(&body["job_schedule"])))
        })
        .collect();
    states.sort_by_key(|(number, _)| *number);
    assert!(states.len() > 2, "{title}");
    states.into_iter().map(|(_, state)| state).collect()
}

/// Walks a job to the end second by second, sending each event when the job is in that status, and compares.
async fn walks(client: &Client, id: &str, title: &str, mut asks: Vec<(&str, &str)>) {
    let expected = recorded(title);
    let mut seen: Vec<Map<String, Value>> = Vec::new();
    for _ in 0..1800 {
        let now = normal(&job(client, id).await["job_schedule"]);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        if seen.len() >= expected.len() {
            break;
        }
        let status = seen
            .last()
            .and_then(|state| state.get("status"))
            .cloned()
            .unwrap_or_default();
        let result = seen
            .last()
            .and_then(|state| state.get("result"))
            .cloned()
            .unwrap_or_default();
        if let Some((when, what)) = asks.first().copied()
            && (status == when
                || format!(
                    "{}/{}",
                    status.as_str().unwrap_or(""),
                    result.as_str().unwrap_or("")
                ) == when)
        {
            assert_eq!(event(client, id, what).await, "success");
            asks.remove(0);
            continue;
        }
        client.advance(1);
    }
    assert_eq!(seen, expected, "{title}");
}

#[tokio::test]
async fn a_good_job_a_broken_one_and_its_repeat() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({})).await;
    walks(&client, &id, "good", vec![("completed", "stop")]).await;
    let id = make(&client, "/not/there", json!({})).await;
    walks(&client, &id, "broken", vec![]).await;
    assert_eq!(event(&client, &id, "start").await, "success");
    walks(&client, &id, "broken-again", vec![]).await;
    // Nowhere a reason: only the scheduler's own log has one.
    let body = job(&client, &id).await.to_string();
    assert!(!body.contains("does not exist"), "{body}");
    let journal = client.control("GET", "journal", Value::Null);
    let log: Vec<&Value> = journal
        .as_array()
        .expect("a list")
        .iter()
        .filter(|line| line["what"] == "freezer.log")
        .collect();
    assert_eq!(log.len(), 2);
    // The folder comes back, and the same job works.
    client.control(
        "POST",
        &format!("folders/{CLIENT}"),
        json!({"add": {"/not/there": 5}}),
    );
    event(&client, &id, "start").await;
    until(&client, &id, "running").await;
    assert_eq!(
        until(&client, &id, "completed").await["job_schedule"]["result"],
        "success"
    );
}

#[tokio::test]
async fn an_abort_is_accepted_and_ignored_unless_mended() {
    let client = bare().await;
    let id = make(&client, "/srv/archive", json!({})).await;
    walks(&client, &id, "long", vec![("running", "abort")]).await;
    let id = make(&client, "/srv/archive", json!({})).await;
    until(&client, &id, "running").await;
    assert_eq!(event(&client, &id, "abort").await, "success");
    assert_eq!(
        event(&client, &id, "abort").await,
        "abort already requested"
    );
    client.advance(60);
    let now = job(&client, &id).await;
    assert_eq!(
        (
            &now["job_schedule"]["status"],
            &now["job_schedule"]["event"]
        ),
        (&json!("running"), &json!("abort"))
    );

    client.switch("freezer.abort", "works");
    let id = make(&client, "/srv/archive", json!({})).await;
    walks(&client, &id, "aborted", vec![("running", "abort")]).await;
    let id = make(
        &client,
        "/srv/archive",
        json!({"schedule_interval": "20 seconds"}),
    )
    .await;
    walks(&client, &id, "aborted-interval", vec![("running", "abort")]).await;
}

#[tokio::test]
async fn jobs_on_an_interval_come_again_until_they_are_stopped() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({"schedule_interval": "20 seconds"})).await;
    walks(
        &client,
        &id,
        "interval",
        vec![("scheduled/success", "stop")],
    )
    .await;
    client.advance(300);
    assert_eq!(job(&client, &id).await["job_schedule"]["status"], "stop");
    let id = make(&client, "/etc", json!({"schedule_interval": "20 seconds"})).await;
    walks(
        &client,
        &id,
        "interval-stopped-running",
        vec![("running", "stop")],
    )
    .await;
    let id = make(&client, "/etc", json!({"status": "stop"})).await;
    let first = crate::runs::normal(&job(&client, &id).await["job_schedule"]);
    assert_eq!(first["status"], "stop");
    event(&client, &id, "start").await;
    until(&client, &id, "running").await;
    assert_eq!(
        until(&client, &id, "completed").await["job_schedule"]["result"],
        "success"
    );
}

#[tokio::test]
async fn starting_what_is_scheduled_does_not_run_it() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({"schedule_interval": "1 hours"})).await;
    until(&client, &id, "scheduled").await;
    assert_eq!(event(&client, &id, "start").await, "success");
    // Until the scheduler looks the record says nothing but the wish.
    assert_eq!(job(&client, &id).await["job_schedule"]["status"], "");
    client.advance(60);
    let now = job(&client, &id).await;
    assert_eq!(
        (
            &now["job_schedule"]["status"],
            &now["job_schedule"]["time_started"]
        ),
        (&json!("scheduled"), &json!(-1))
    );
}

#[tokio::test]
async fn a_scheduler_that_is_down_leaves_wishes_and_runs_as_they_are() {
    let client = bare().await;
    let id = make(&client, "/srv/archive", json!({})).await;
    until(&client, &id, "running").await;
    client.server(CLIENT, json!({"state": "stopped"}));
    client.advance(3600);
    // Long over, and still "running": nobody is there to say otherwise.
    let now = job(&client, &id).await;
    assert_eq!(
        (
            &now["job_schedule"]["status"],
            &now["job_schedule"]["time_ended"]
        ),
        (&json!("running"), &json!(-1))
    );
    let other = make(&client, "/etc", json!({})).await;
    client.advance(3600);
    assert!(
        job(&client, &other).await["job_schedule"]
            .get("status")
            .is_none()
    );
    client.server(CLIENT, json!({"state": "active"}));
    assert_eq!(
        until(&client, &other, "completed").await["job_schedule"]["result"],
        "success"
    );
    // The scheduler starts a run that it finds half done once more.
    assert_eq!(
        until(&client, &id, "completed").await["job_schedule"]["result"],
        "success"
    );
    assert_eq!(client.counted("freezer.run.started"), 3);
}

#[tokio::test]
async fn a_broken_disk_and_a_missing_backup_fail_for_their_reasons() {
    let client = bare().await;
    client.server(CLIENT, json!({"volumes": [{"index": 0, "broken": true}]}));
    let id = make(&client, "/etc", json!({})).await;
    until(&client, &id, "running").await;
    assert_eq!(
        until(&client, &id, "completed").await["job_schedule"]["result"],
        "fail"
    );
    client.server(CLIENT, json!({"volumes": [{"index": 0, "broken": false}]}));
    let mut body = crate::job_body("no-such-backup", "/etc", json!({}));
    body["job_actions"][0]["freezer_action"]["action"] = "restore".into();
    let (_, made) = client.call("POST", "/jobs", body.clone()).await;
    let restore = made["job_id"].as_str().expect("an id");
    assert_eq!(
        until(&client, restore, "completed").await["job_schedule"]["result"],
        "fail"
    );
    body["job_actions"][0]["freezer_action"]["backup_name"] = "a-job".into();
    event(&client, &id, "start").await;
    until(&client, &id, "running").await;
    until(&client, &id, "completed").await;
    let (_, made) = client.call("POST", "/jobs", body).await;
    let restore = made["job_id"].as_str().expect("an id");
    assert_eq!(
        until(&client, restore, "completed").await["job_schedule"]["result"],
        "success"
    );
}
