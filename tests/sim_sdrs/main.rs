//! The embedded SDRS from outside, over HTTP: shapes, moves, jobs, and failures that have a reason in the world.

mod actions;
mod auth;
mod demo;
mod failed_tasks;
mod fuzz;
mod jobs;
mod lists;
mod members;
#[path = "../sim_support/mod.rs"]
mod sim_support;
mod tags;

use keepwatch::sim::sdrs;
use serde_json::{Value, json};
use sim_support::{Client, calm};

async fn calm_sdrs() -> Client {
    Client::start(calm(), sdrs::ENTRY).await
}

/// The newest group in that status.
async fn group(client: &Client, status: &str) -> Value {
    let list = client
        .get(&format!("/server-groups?status={status}&limit=1"))
        .await;
    list["server_groups"][0].clone()
}

/// Id of a thing.
fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

async fn show(client: &Client, kind: &str, thing: &Value) -> Value {
    let path = format!("/{kind}/{}", id(thing));
    let body = client.get(&path).await;
    body.as_object()
        .expect("an object")
        .values()
        .next()
        .expect("one")
        .clone()
}

/// Sends an action to a group.
async fn act(client: &Client, group: &Value, body: Value) -> (u16, Value) {
    let path = format!("/server-groups/{}/action", id(group));
    client.call("POST", &path, body).await
}

/// The job that an answer names.
async fn job(client: &Client, answer: &(u16, Value)) -> Value {
    assert!(matches!(answer.0, 200 | 202), "{}", answer.1);
    let id = answer.1["job_id"].as_str().expect("a job id");
    client.get(&format!("/jobs/{id}")).await
}

/// Lets an accepted change come to its end; the finished job.
async fn done(client: &Client, answer: &(u16, Value)) -> Value {
    assert!(matches!(answer.0, 200 | 202), "{}", answer.1);
    client.advance(900);
    let job = job(client, answer).await;
    assert!(job["end_time"].is_string(), "{job}");
    job
}

/// The same for one that must succeed.
async fn succeeds(client: &Client, answer: (u16, Value)) -> Value {
    let job = done(client, &answer).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    job
}

/// The same for one that must fail with a code.
async fn fails(client: &Client, answer: (u16, Value), code: &str) -> Value {
    let job = done(client, &answer).await;
    assert_eq!(job["status"], "FAIL", "{job}");
    assert_eq!(job["error_code"], code, "{job}");
    assert!(
        job["fail_reason"]
            .as_str()
            .is_some_and(|text| text.contains("Task-fail:")),
        "{job}"
    );
    job
}

/// The answer must be this refusal.
fn is(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    assert_eq!(answer.1["error"]["code"], code, "{}", answer.1);
    assert!(
        answer.1["error"]["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

/// Switches the production servers of a group, which stand at its source site.
async fn power(client: &Client, group: &Value, state: &str) {
    for instance in members(client, "protected-instances", group).await {
        let server = instance["source_server"].as_str().expect("a server");
        client.server(server, json!({"state": state}));
    }
}

/// What of a kind belongs to a group.
async fn members(client: &Client, kind: &str, group: &Value) -> Vec<Value> {
    let list = client
        .get(&format!("/{kind}?server_group_id={}", id(group)))
        .await;
    let rows = list.as_object().expect("an object");
    let rows = rows.values().find(|value| value.is_array());
    rows.expect("a list").as_array().expect("a list").clone()
}

/// Failed tasks, of the groups themselves or inside one.
async fn failed(client: &Client, group: Option<&Value>) -> Vec<Value> {
    let path = match group {
        Some(group) => format!("/task-center/failure-jobs?server_group_id={}", id(group)),
        None => "/task-center/failure-jobs".to_owned(),
    };
    let list = client.get(&path).await;
    list["failure_jobs"].as_array().expect("a list").clone()
}

/// A server in the same zone as the group that nobody protects and that can be protected.
async fn free_server(client: &Client, group: &Value) -> Value {
    let list = client.get("/protected-instances").await;
    let taken: Vec<&Value> = list["protected_instances"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|instance| &instance["source_server"])
        .collect();
    let servers = client.control("GET", "servers", Value::Null);
    servers
        .as_array()
        .expect("a list")
        .iter()
        .find(|server| {
            let volumes = server["volumes"].as_array().expect("volumes");
            server["az"] == group["source_availability_zone"]
                && !taken.contains(&&server["id"])
                && !volumes.is_empty()
                && volumes
                    .iter()
                    .all(|it| it["encrypted"] == false && it["shared"] == false)
        })
        .expect("one is left free")
        .clone()
}

/// Asks to protect a server.
async fn protect(client: &Client, group: &Value, server: &Value) -> (u16, Value) {
    let body = json!({"protected_instance": {
        "server_group_id": group["id"], "server_id": server["id"], "name": "new-instance",
    }});
    client.call("POST", "/protected-instances", body).await
}
