//! The embedded CBR from outside, over HTTP: shapes, state walks, and failures that have a reason in the world.

mod bindings;
mod demo;
mod fuzz;
mod lists;
mod others;
mod policies;
mod restores;
mod runs;
#[path = "../sim_support/mod.rs"]
mod sim_support;

use keepwatch::sim::SimOptions;
use keepwatch::sim::cbr;
use serde_json::{Value, json};
use sim_support::Client;

const SERVER: &str = "OS::Nova::Server";
const DISK: &str = "OS::Cinder::Volume";
/// An id that nobody has.
const NOBODY: &str = "11111111-2222-4333-8444-555555555555";

/// A calm world in which a login lasts for months.
fn calm() -> SimOptions {
    SimOptions {
        switches: vec![("keystone.token_ttl".to_owned(), "31536000".to_owned())],
        ..sim_support::calm()
    }
}

async fn calm_cbr() -> Client {
    Client::start(calm(), cbr::ENTRY).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn vault_body(name: &str, object_type: &str, resources: &[Value]) -> Value {
    json!({"vault": {
        "name": name, "resources": resources,
        "billing": {"consistent_level": "crash_consistent", "object_type": object_type, "protect_type": "backup",
            "size": 5000, "charging_mode": "post_paid", "cloud_type": "public"},
    }})
}

fn servers(client: &Client, names: &[&str]) -> Vec<Value> {
    let ids = names.iter().map(|name| client.id_of(name));
    ids.map(|id| json!({"id": id, "type": SERVER})).collect()
}

/// A vault with these servers.
async fn vault(client: &Client, name: &str, names: &[&str]) -> String {
    let body = vault_body(name, "server", &servers(client, names));
    let (status, answer) = client.call("POST", "/vaults", body).await;
    assert_eq!(status, 200, "{answer}");
    text(&answer["vault"]["id"]).to_owned()
}

/// Asks for a backup of a vault, or of some of its resources.
async fn back_up(client: &Client, vault: &str, only: &[&str]) -> (u16, Value) {
    let mut body = json!({"checkpoint": {"vault_id": vault, "parameters": {}}});
    if !only.is_empty() {
        body["checkpoint"]["parameters"]["resources"] = json!(only);
    }
    client.call("POST", "/checkpoints", body).await
}

/// The backups of a checkpoint, as listed.
async fn backups_of(client: &Client, checkpoint: &Value) -> Vec<Value> {
    let path = format!(
        "/backups?checkpoint_id={}&sort=name:asc",
        text(&checkpoint["id"])
    );
    client.get(&path).await["backups"]
        .as_array()
        .expect("a list")
        .clone()
}

/// Backs a server of a vault up and waits, in virtual time, until it is over. The backup on its own.
async fn backed_up(client: &Client, vault: &str, server: &str) -> Value {
    let (status, body) = back_up(client, vault, &[server]).await;
    assert_eq!(status, 200, "{body}");
    client.advance(600);
    let rows = backups_of(client, &body["checkpoint"]).await;
    assert_eq!(rows.len(), 1);
    show(client, "backups", &rows[0]["id"]).await
}

/// One backup, vault, policy or task by its id.
async fn show(client: &Client, what: &str, id: &Value) -> Value {
    let body = client.get(&format!("/{what}/{}", text(id))).await;
    let object = body.as_object().expect("an object");
    object.values().next().expect("a member").clone()
}

/// The tasks of that query, newest first.
async fn logs(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/operation-logs?{query}")).await["operation_logs"]
        .as_array()
        .expect("a list")
        .clone()
}

/// A restore of a whole server backup to its own disks.
fn restore_body(backup: &Value, server: &Value) -> Value {
    let parts = backup["children"].as_array().expect("parts");
    let volumes = server["volumes"].as_array().expect("volumes");
    let mappings: Vec<Value> = parts
        .iter()
        .zip(volumes)
        .map(|(part, volume)| json!({"backup_id": part["id"], "volume_id": volume["id"]}))
        .collect();
    json!({"restore": {"server_id": server["id"], "mappings": mappings, "power_on": true}})
}

fn is(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    assert_eq!(answer.1["error_code"], code, "{}", answer.1);
    assert!(
        answer.1["error_msg"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}
