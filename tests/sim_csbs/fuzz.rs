//! Input that nobody should send: every answer is still an answer, and the service goes on.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::sim_support::spoil::spoil;
use crate::{PROVIDER, TYPE, backed_up, calm_csbs, policy, policy_body, restore_body};

async fn call(client: &Client, method: &str, path: &str, body: &Value) {
    let (status, answer) = client.call(method, path, body.clone()).await;
    assert!((200..=599).contains(&status), "{method} {path} {body}");
    if status >= 400 {
        assert!(
            answer["error_code"].is_string(),
            "{method} {path} {body}: {answer}"
        );
    }
}

#[tokio::test]
async fn spoiled_bodies_get_answers() {
    let client = calm_csbs().await;
    client.switch("csbs.variant", "huawei");
    let mut rng = fastrand::Rng::with_seed(11);
    let server = client.server("ecs-web-01", json!({}));
    let id = server["id"].as_str().expect("id").to_owned();
    let item = backed_up(&client, &id).await;
    let made = policy(&client, "one", &["ecs-db-01"]).await;
    let policy_path = format!("/policies/{}", made["id"].as_str().expect("id"));
    let item_path = format!("/csbs_backup/{}/tags", item["id"].as_str().expect("id"));
    let targets =
        restore_body(&item, &server)["restore"]["parameters"]["targets"]["volumes"].clone();
    let calls = [
        (
            "POST",
            format!("{PROVIDER}/resources/{id}/action"),
            json!({"protect": {"backup_name": "a", "description": "b", "incremental": true, "resource_type": TYPE,
                "tags": [{"key": "k", "value": "v"}], "extra_info": {}}}),
        ),
        (
            "POST",
            format!("{PROVIDER}/resources/action"),
            json!({"check_protectable": [{"resource_id": id, "resource_type": TYPE}]}),
        ),
        (
            "POST",
            format!("{PROVIDER}/resources/action"),
            json!({"check_restorable": [{"checkpoint_item_id": item["id"],
                "target": {"resource_id": id, "resource_type": TYPE, "volumes": targets}}]}),
        ),
        (
            "POST",
            format!("{PROVIDER}/checkpoints"),
            json!({"checkpoint": {"plan_id": made["id"], "parameters": {"auto_trigger": false, "resources": [id]}}}),
        ),
        ("POST", "/restores".to_owned(), restore_body(&item, &server)),
        (
            "POST",
            "/policies".to_owned(),
            policy_body("two", std::slice::from_ref(&id)),
        ),
        (
            "PUT",
            policy_path,
            json!({"policy": {"name": "three", "resources": [], "scheduled_operations":
                [{"id": made["scheduled_operations"][0]["id"], "enabled": true,
                  "operation_definition": {"max_backups": 1, "day_backups": 1, "timezone": "UTC"},
                  "trigger": made["scheduled_operations"][0]["trigger"]}]}}),
        ),
        (
            "POST",
            item_path.clone(),
            json!({"tag": {"key": "a", "value": "b"}}),
        ),
        (
            "POST",
            format!("{item_path}/action"),
            json!({"action": "create", "tags": [{"key": "a", "value": "b"}]}),
        ),
        (
            "POST",
            "/csbs_backup/resource_instances/action".to_owned(),
            json!({"action": "filter", "limit": "1", "offset": "0", "tags": [{"key": "a", "values": ["b"]}],
                "matches": [{"key": "resource_name", "value": "x"}]}),
        ),
        (
            "POST",
            format!(
                "{PROVIDER}/checkpoint_items/{}/replicate",
                item["id"].as_str().expect("id")
            ),
            json!({"replication": {"destination_region": "cn-south-1", "destination_project_id": "p"}}),
        ),
        (
            "POST",
            format!("{PROVIDER}/checkpoints/replicate"),
            json!({"replication": {"policy_id": made["id"], "destination_region": "cn-south-1", "destination_project_id": "p"}}),
        ),
    ];
    for (method, path, body) in &calls {
        for _ in 0..60 {
            let mut body = body.clone();
            spoil(&mut body, &mut rng);
            call(&client, method, path, &body).await;
        }
    }
    // Whatever got through must not break what comes later.
    client.advance(200_000);
    let (status, _) = client.running.control("csbs", "GET", "csbs", &Value::Null);
    assert_eq!(status, 200);
}

#[tokio::test]
async fn spoiled_paths_and_queries_get_answers() {
    let client = calm_csbs().await;
    let mut rng = fastrand::Rng::with_seed(12);
    let words = [
        "checkpoint_items",
        "count",
        "policies",
        "providers",
        "restores",
        "quotas",
        "csbs_backup",
        "tags",
        "action",
        "resources",
        "fc4d5750-22e7-4798-8a46-f48f62c4c1da",
        "%00",
        "%FF%FE",
        "..",
        "a%2Fb",
        "\u{fc}",
    ];
    let keys = [
        "limit",
        "offset",
        "marker",
        "sort",
        "status",
        "name",
        "start_time",
        "end_time",
        "policy_id",
        "%",
    ];
    let values = [
        "",
        "-1",
        "0",
        "99999999999999999999",
        "x",
        "%F0%28",
        "a:b:c",
        ",",
        "2026-13-01T00:00:00",
    ];
    for _ in 0..400 {
        let mut path = String::new();
        for _ in 0..rng.usize(1..5) {
            path.push('/');
            path.push_str(rng.choice(words).expect("a word"));
        }
        for (index, _) in (0..rng.usize(0..3)).enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(rng.choice(keys).expect("a key"));
            path.push('=');
            path.push_str(rng.choice(values).expect("a value"));
        }
        let method = rng
            .choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
            .expect("a method");
        call(&client, method, &path, &Value::Null).await;
    }
}
