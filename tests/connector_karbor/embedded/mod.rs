//! The embedded Karbor by itself.

mod demo;
mod lists;
mod runs;
mod schedules;
mod shapes;

use keepwatch::sim::karbor;
use serde_json::{Value, json};

use crate::sim_support::{Client, calm};

pub const NOOP: &str = "b766f37c-d011-4026-8228-28730d734a3f";
pub const INFRA: &str = "cf56bd3e-97a7-4078-b6d5-f36246333fd9";
pub const NOBODY: &str = "11111111-1111-1111-1111-111111111111";

/// Nothing but the fleet and what the test itself makes.
async fn bare() -> Client {
    Client::start(calm(), karbor::ENTRY).await
}

/// A server of the fleet as a plan names it, with the ids of its disks.
fn server(client: &Client, name: &str) -> (Value, Vec<String>) {
    let server = client.server(name, json!({}));
    let disks = server["volumes"].as_array().expect("disks");
    (
        json!({"id": server["id"], "type": "OS::Nova::Server", "name": name}),
        disks
            .iter()
            .map(|disk| disk["id"].as_str().expect("an id").to_owned())
            .collect(),
    )
}

async fn plan(client: &Client, name: &str, provider: &str, resources: Value) -> String {
    let body = json!({"plan": {
        "name": name, "provider_id": provider, "resources": resources, "parameters": {},
    }});
    let (status, body) = client.call("POST", "/plans", body).await;
    assert_eq!(status, 200, "{body}");
    body["plan"]["id"].as_str().expect("an id").to_owned()
}

/// A plan over one server of the fleet.
async fn server_plan(client: &Client, provider: &str) -> String {
    let (resource, _) = server(client, "ecs-web-01");
    plan(client, "web", provider, json!([resource])).await
}

/// Runs a plan; the checkpoint's id.
async fn run(client: &Client, provider: &str, plan: &str) -> String {
    let path = format!("/providers/{provider}/checkpoints");
    let body = json!({"checkpoint": {"plan_id": plan}});
    let (status, body) = client.call("POST", &path, body).await;
    assert_eq!(status, 200, "{body}");
    body["checkpoint"]["id"].as_str().expect("an id").to_owned()
}

async fn checkpoint(client: &Client, provider: &str, id: &str) -> Value {
    let body = client
        .get(&format!("/providers/{provider}/checkpoints/{id}"))
        .await;
    body["checkpoint"].clone()
}

/// Lets time go by until a checkpoint has that status; fails after a day.
async fn until(client: &Client, provider: &str, id: &str, status: &str) -> Value {
    for _ in 0..8640 {
        let now = checkpoint(client, provider, id).await;
        if now["status"] == status {
            return now;
        }
        client.advance(10);
    }
    panic!("{id} never became {status}");
}

async fn delete(client: &Client, provider: &str, id: &str) -> (u16, Value) {
    let path = format!("/providers/{provider}/checkpoints/{id}");
    client.call("DELETE", &path, Value::Null).await
}

async fn restore(client: &Client, provider: &str, checkpoint: &str) -> Value {
    let body = json!({"restore": {
        "provider_id": provider, "checkpoint_id": checkpoint, "parameters": {},
    }});
    let (status, body) = client.call("POST", "/restores", body).await;
    assert_eq!(status, 200, "{body}");
    body["restore"].clone()
}

/// The lines of the log that a filter finds, newest first.
async fn logs(client: &Client, filter: &str) -> Vec<Value> {
    let body = client.get(&format!("/operation_logs?{filter}")).await;
    body["operation_logs"].as_array().expect("a list").clone()
}

fn cloud(client: &Client, change: Value) {
    client.control("POST", "cloud", change);
}

/// The last reason in the service's own log file.
fn reason(client: &Client) -> String {
    let journal = client.control("GET", "journal", Value::Null);
    let lines = journal.as_array().expect("a list");
    let last = lines.iter().rev().find(|line| line["what"] == "karbor.log");
    last.map_or(String::new(), |line| line["error"].to_string())
}
