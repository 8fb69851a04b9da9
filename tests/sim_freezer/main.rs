//! The embedded Freezer from outside, over HTTP, held to what a real Freezer 19.0.0 answered (`tests/fixtures/freezer`).

mod demo;
mod lists;
mod runs;
mod sessions;
#[path = "../sim_support/mod.rs"]
mod sim_support;

use keepwatch::sim::freezer;
use serde_json::{Value, json};
use sim_support::{Client, calm};

const CLIENT: &str = "ecs-web-01";

/// Nothing but clients and what the test itself makes.
async fn bare() -> Client {
    let client = Client::start(calm(), freezer::ENTRY).await;
    client.switch("freezer.poll_seconds", "2");
    let jobs = client.get("/jobs?limit=-1").await;
    for job in jobs["jobs"].as_array().expect("a list") {
        let path = format!("/jobs/{}", job["job_id"].as_str().expect("an id"));
        assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    }
    client
}

fn job_body(name: &str, folder: &str, schedule: Value) -> Value {
    json!({
        "description": name, "client_id": CLIENT, "job_schedule": schedule,
        "job_actions": [{
            "freezer_action": {
                "action": "backup", "mode": "fs", "storage": "local", "container": "/srv/store",
                "backup_name": name, "path_to_backup": folder, "engine_name": "tar", "compression": "gzip",
            },
            "max_retries": 0, "max_retries_interval": 5,
        }],
    })
}

async fn make(client: &Client, folder: &str, schedule: Value) -> String {
    let (status, body) = client
        .call("POST", "/jobs", job_body("a-job", folder, schedule))
        .await;
    assert_eq!(status, 201, "{body}");
    body["job_id"].as_str().expect("an id").to_owned()
}

async fn job(client: &Client, id: &str) -> Value {
    client.get(&format!("/jobs/{id}")).await
}

/// Sends an event; what the service says to it.
async fn event(client: &Client, id: &str, event: &str) -> Value {
    let path = format!("/jobs/{id}/event");
    let (status, body) = client.call("POST", &path, json!({event: null})).await;
    assert_eq!(status, 202, "{body}");
    body["result"].clone()
}

/// Lets a second go by until a job has that status; fails after an hour.
async fn until(client: &Client, id: &str, status: &str) -> Value {
    for _ in 0..3600 {
        let now = job(client, id).await;
        if now["job_schedule"]["status"] == status {
            return now;
        }
        client.advance(1);
    }
    panic!("{id} never became {status}");
}

/// A recorded body.
fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/freezer/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

/// All keys of a value with the types of what they hold, so that shapes can be compared.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), shape(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list.first().map(shape).into_iter().collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "flag".into(),
        Value::Null => "null".into(),
    }
}
