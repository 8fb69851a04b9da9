//! The embedded CSBS from outside, over HTTP: shapes, state walks, and failures that have a reason in the world.

mod backups;
mod demo;
mod fuzz;
mod lists;
mod others;
mod policies;
mod restores;
#[path = "../sim_support/mod.rs"]
mod sim_support;

use keepwatch::sim::csbs;
use serde_json::{Value, json};
use sim_support::{Client, calm};

const PROVIDER: &str = "/providers/fc4d5750-22e7-4798-8a46-f48f62c4c1da";
const PATTERN: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY;BYHOUR=1,13;BYMINUTE=30\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const TYPE: &str = "OS::Nova::Server";

async fn calm_csbs() -> Client {
    Client::start(calm(), csbs::ENTRY).await
}

async fn protect(client: &Client, server: &str) -> (u16, Value) {
    let path = format!("{PROVIDER}/resources/{server}/action");
    client
        .call("POST", &path, json!({"protect": {"resource_type": TYPE}}))
        .await
}

/// Backs up a server and waits, in virtual time, until it is over. The backup as listed.
async fn backed_up(client: &Client, server: &str) -> Value {
    let (status, body) = protect(client, server).await;
    assert_eq!(status, 200, "{body}");
    client.advance(600);
    only_item(client, &body).await
}

async fn only_item(client: &Client, answer: &Value) -> Value {
    let checkpoint = answer["checkpoint"]["id"].as_str().expect("an id");
    let list = client
        .get(&format!("/checkpoint_items?checkpoint_id={checkpoint}"))
        .await;
    let items = list["checkpoint_items"].as_array().expect("a list");
    assert_eq!(items.len(), 1);
    items[0].clone()
}

fn policy_body(name: &str, servers: &[String]) -> Value {
    let resources: Vec<Value> = servers
        .iter()
        .map(|id| json!({"id": id, "type": TYPE, "name": "ecs"}))
        .collect();
    json!({"policy": {
        "name": name, "provider_id": "fc4d5750-22e7-4798-8a46-f48f62c4c1da", "parameters": {"common": {}},
        "resources": resources,
        "scheduled_operations": [{
            "enabled": true, "operation_type": "backup", "operation_definition": {"max_backups": 3},
            "trigger": {"properties": {"pattern": PATTERN}},
        }],
    }})
}

async fn policy(client: &Client, name: &str, servers: &[&str]) -> Value {
    let ids: Vec<String> = servers.iter().map(|server| client.id_of(server)).collect();
    let (status, body) = client
        .call("POST", "/policies", policy_body(name, &ids))
        .await;
    assert_eq!(status, 200, "{body}");
    body["policy"].clone()
}

async fn execute(client: &Client, policy: &Value) -> (u16, Value) {
    let body =
        json!({"checkpoint": {"plan_id": policy["id"], "parameters": {"auto_trigger": false}}});
    client
        .call("POST", &format!("{PROVIDER}/checkpoints"), body)
        .await
}

fn restore_body(item: &Value, server: &Value) -> Value {
    let disks = item["extend_info"]["volume_backups"]
        .as_array()
        .expect("disks");
    let volumes: Vec<Value> = disks
        .iter()
        .zip(server["volumes"].as_array().expect("volumes"))
        .map(|(disk, volume)| json!({"backup_id": disk["id"], "volume_id": volume["id"]}))
        .collect();
    json!({"restore": {
        "provider_id": "fc4d5750-22e7-4798-8a46-f48f62c4c1da", "checkpoint_id": item["checkpoint_id"],
        "parameters": {
            "checkpoint_item_id": item["id"], "power_on": false,
            "targets": {"server_id": server["id"], "volumes": volumes},
        },
    }})
}

fn is(answer: &(u16, Value), status: u16, code: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    assert_eq!(answer.1["error_code"], code, "{}", answer.1);
    assert!(
        answer.1["error_msg"]
            .as_str()
            .is_some_and(|text| !text.contains("%s"))
    );
}
