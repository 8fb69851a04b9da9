//! Input that nobody should send: every answer is still an answer, and the service goes on.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::sim_support::spoil::spoil;
use crate::{SERVER, backed_up, calm_cbr, restore_body, text, vault, vault_body};

async fn call(client: &Client, method: &str, path: &str, body: &Value) {
    let (status, answer) = client.call(method, path, body.clone()).await;
    assert!((200..=599).contains(&status), "{method} {path} {body}");
    if status >= 400 {
        assert!(
            answer["error_code"].is_string() || answer["unauthorized"].is_object(),
            "{method} {path} {body}: {answer}"
        );
    }
}

#[tokio::test]
async fn spoiled_bodies_get_answers() {
    let client = calm_cbr().await;
    client.switch("cbr.variant", "huawei");
    let mut rng = fastrand::Rng::with_seed(11);
    let server = client.server("ecs-web-01", json!({}));
    let web = text(&server["id"]).to_owned();
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let to = vault(&client, "w", &[]).await;
    let backup = backed_up(&client, &id, &web).await;
    let own = format!("/backups/{}", text(&backup["id"]));
    let policy = json!({"policy": {"name": "p", "enabled": true, "operation_type": "backup",
        "operation_definition": {"max_backups": 3, "day_backups": 1, "timezone": "UTC+01:00", "full_backup_interval": 3},
        "trigger": {"properties": {"pattern": ["FREQ=DAILY;BYHOUR=1;BYMINUTE=30"]}}}});
    let made = client.call("POST", "/policies", policy.clone()).await.1["policy"].clone();
    let mut whole = vault_body(
        "x",
        "server",
        &[json!({"id": client.id_of("ecs-mail-01"), "type": SERVER})],
    );
    whole["vault"]["tags"] = json!([{"key": "a", "value": "b"}]);
    whole["vault"]["bind_rules"] = json!({"tags": [{"key": "a", "value": "b"}]});
    whole["vault"]["threshold"] = json!(80);
    let remote = client.control("GET", "cbr/remotes", Value::Null)[0].clone();
    let calls = [
        ("POST", "/vaults".to_owned(), whole),
        (
            "PUT",
            format!("/vaults/{id}"),
            json!({"vault": {"name": "v", "billing": {"size": 6000}, "threshold": 3, "auto_bind": true}}),
        ),
        (
            "POST",
            format!("/vaults/{id}/addresources"),
            json!({"resources": [{"id": web, "type": SERVER,
            "extra_info": {"exclude_volumes": ["x"]}}]}),
        ),
        (
            "POST",
            format!("/vaults/{id}/removeresources"),
            json!({"resource_ids": [client.id_of("ecs-db-01")]}),
        ),
        (
            "POST",
            format!("/vaults/{id}/migrateresources"),
            json!({"resource_ids": [web], "destination_vault_id": to}),
        ),
        (
            "POST",
            format!("/vaults/{id}/associatepolicy"),
            json!({"policy_id": made["id"]}),
        ),
        (
            "POST",
            format!("/vaults/{id}/dissociatepolicy"),
            json!({"policy_id": made["id"]}),
        ),
        (
            "PUT",
            format!("/vaults/{id}/set-resources"),
            json!({"resource_ids": [web], "action": "suspend"}),
        ),
        (
            "PUT",
            format!("/vaults/{id}/update-backup-expiration-time"),
            json!({"expect_expiration_date": "2026-06-01", "time_zone": "UTC+01:00"}),
        ),
        ("POST", "/policies".to_owned(), policy.clone()),
        (
            "PUT",
            format!("/policies/{}", text(&made["id"])),
            json!({"policy": {"name": "q", "enabled": true,
            "operation_definition": {"retention_duration_days": 3}, "trigger": policy["policy"]["trigger"]}}),
        ),
        (
            "POST",
            "/checkpoints".to_owned(),
            json!({"checkpoint": {"vault_id": id, "parameters": {"name": "n",
            "description": "d", "resources": [web], "resource_details": [{"id": web, "type": SERVER}],
            "retention_duration_days": 36500, "incremental": false}}}),
        ),
        (
            "POST",
            format!("{own}/restore"),
            restore_body(&backup, &server),
        ),
        ("PUT", own.clone(), json!({"backup": {"name": "n"}})),
        (
            "POST",
            format!("{own}/members"),
            json!({"members": ["0605767b5780d5762fc5c0118072a564"]}),
        ),
        (
            "PUT",
            format!("{own}/members/0605767b5780d5762fc5c0118072a564"),
            json!({"status": "accepted", "vault_id": to}),
        ),
        (
            "POST",
            format!("{own}/replicate"),
            json!({"replicate": {"destination_region": "eu-nl",
            "destination_project_id": remote["project_id"], "destination_vault_id": remote["id"]}}),
        ),
        (
            "POST",
            format!("/vault/{id}/tags"),
            json!({"tag": {"key": "a", "value": "b"}}),
        ),
        (
            "POST",
            format!("/vault/{id}/tags/action"),
            json!({"action": "create", "tags": [{"key": "a", "value": "b"}]}),
        ),
        (
            "POST",
            "/vault/resource_instances/action".to_owned(),
            json!({"action": "filter", "limit": "1", "offset": "0",
            "tags": [{"key": "a", "values": ["b"]}], "matches": [{"key": "resource_name", "value": "x"}]}),
        ),
    ];
    for (method, path, body) in &calls {
        for _ in 0..40 {
            let mut body = body.clone();
            spoil(&mut body, &mut rng);
            call(&client, method, path, &body).await;
        }
    }
    // Whatever got through must not break what comes later.
    client.advance(200_000);
    client.control("GET", "cbr", Value::Null);
}

#[tokio::test]
async fn spoiled_paths_and_queries_get_answers() {
    let client = calm_cbr().await;
    client.switch("cbr.variant", "huawei");
    let mut rng = fastrand::Rng::with_seed(12);
    let words = [
        "operation-logs",
        "vaults",
        "vault",
        "tags",
        "action",
        "policies",
        "checkpoints",
        "replicate",
        "backups",
        "members",
        "restore",
        "protectables",
        "server",
        "instances",
        "storage_usage",
        "summary",
        "external",
        "%00",
        "%FF%FE",
        "..",
        "a%2Fb",
        "\u{fc}",
        "11111111-2222-4333-8444-555555555555",
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
        "vault_id",
        "resource_ids",
        "used_percent",
        "parent_id",
        "operation_type",
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
        for index in 0..rng.usize(0..3) {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(rng.choice(keys).expect("a key"));
            path.push('=');
            path.push_str(rng.choice(values).expect("a value"));
        }
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
        call(
            &client,
            rng.choice(methods).expect("a method"),
            &path,
            &Value::Null,
        )
        .await;
    }
}
