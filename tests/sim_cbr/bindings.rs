//! Vaults and what hangs on them: creating, changing, deleting; binding, unbinding and moving resources.

use serde_json::{Value, json};

use crate::{
    NOBODY, back_up, backed_up, calm_cbr, is, logs, servers, show, text, vault, vault_body,
};

#[tokio::test]
async fn a_vault_is_made_shown_changed_and_deleted_with_its_backups() {
    let client = calm_cbr().await;
    let mut body = vault_body("v-1", "server", &servers(&client, &["ecs-web-01"]));
    body["vault"]["tags"] = json!([{"key": "team", "value": "red"}]);
    body["vault"]["description"] = json!("for tests");
    let (status, made) = client.call("POST", "/vaults", body).await;
    assert_eq!(status, 200, "{made}");
    let made = &made["vault"];
    let id = text(&made["id"]).to_owned();
    assert_eq!(made["billing"]["status"], "available");
    assert_eq!(made["billing"]["spec_code"], "vault.backup.server.normal");
    assert_eq!(made["provider_id"], "0daac4c5-6707-4851-97ba-169e36266b66");
    assert_eq!(made["billing"]["allocated"], made["resources"][0]["size"]);
    assert!(made.get("status").is_none(), "the status stands in billing");
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let path = format!("/vaults/{id}");
    let (_, changed) = client
        .call(
            "PUT",
            &path,
            json!({"vault": {"name": "v-2", "threshold": 50}}),
        )
        .await;
    assert_eq!(
        (
            changed["vault"]["name"].as_str(),
            changed["vault"]["threshold"].as_u64()
        ),
        (Some("v-2"), Some(50))
    );
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (204, Value::Null)
    );
    assert_eq!(
        show(&client, "vaults", &json!(id)).await["billing"]["status"],
        "deleting"
    );
    is(&back_up(&client, &id, &[]).await, 400, "BackupService.6113");
    client.advance(60);
    is(
        &client.call("GET", &path, Value::Null).await,
        404,
        "BackupService.6105",
    );
    let gone = format!("/backups/{}", text(&backup["id"]));
    is(
        &client.call("GET", &gone, Value::Null).await,
        404,
        "BackupService.6200",
    );
    let log = &logs(&client, "operation_type=vault_delete").await[0];
    assert_eq!(
        log["extra_info"]["vault_delete"],
        json!({"fail_count": 0, "total_count": 1})
    );
    assert_eq!(log["vault_name"], "v-2");
    assert!(log["extra_info"].get("resource").is_none());
}

#[tokio::test]
async fn what_a_vault_does_not_take_is_refused() {
    let client = calm_cbr().await;
    let refused = async |change: &dyn Fn(&mut Value), status: u16, code: &str| {
        let mut body = vault_body("v", "server", &servers(&client, &["ecs-web-01"]));
        change(&mut body["vault"]);
        is(&client.call("POST", "/vaults", body).await, status, code);
    };
    refused(
        &|vault| vault["billing"]["size"] = json!(5),
        400,
        "BackupService.6101",
    )
    .await;
    refused(
        &|vault| vault["billing"]["object_type"] = json!("moon"),
        400,
        "BackupService.6116",
    )
    .await;
    refused(
        &|vault| vault["name"] = json!("a b"),
        400,
        "BackupService.9900",
    )
    .await;
    refused(
        &|vault| vault["colour"] = json!("red"),
        400,
        "BackupService.9900",
    )
    .await;
    refused(
        &|vault| vault["resources"][0]["id"] = json!(NOBODY),
        404,
        "BackupService.7100",
    )
    .await;
    refused(
        &|vault| vault["backup_policy_id"] = json!(NOBODY),
        404,
        "BackupService.6000",
    )
    .await;
    refused(
        &|vault| {
            let twice = vault["resources"][0].clone();
            vault["resources"]
                .as_array_mut()
                .expect("a list")
                .push(twice);
        },
        400,
        "BackupService.6104",
    )
    .await;
    let first = vault(&client, "one", &["ecs-web-01"]).await;
    refused(&|_| {}, 400, "BackupService.6103").await;
    let path = format!("/vaults/{first}/addresources");
    let twice = json!({"resources": servers(&client, &["ecs-web-01"])});
    is(
        &client.call("POST", &path, twice).await,
        400,
        "BackupService.7116",
    );
    // Two servers that share a disk belong into one vault.
    vault(&client, "two", &["ecs-rac-01"]).await;
    let rac = json!({"resources": servers(&client, &["ecs-rac-02"])});
    is(
        &client.call("POST", &path, rac).await,
        500,
        "BackupService.6137",
    );
    client.switch("cbr.unknown_body", "ignore");
    let mut odd = vault_body("odd", "server", &[]);
    odd["vault"]["colour"] = json!("red");
    assert_eq!(client.call("POST", "/vaults", odd).await.0, 200);
}

#[tokio::test]
async fn unbinding_deletes_all_backups_of_the_resource() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let (web, db) = (client.id_of("ecs-web-01"), client.id_of("ecs-db-01"));
    let backup = backed_up(&client, &id, &web).await;
    let path = format!("/vaults/{id}/removeresources");
    is(
        &client
            .call("POST", &path, json!({"resource_ids": [NOBODY]}))
            .await,
        400,
        "BackupService.6135",
    );
    let behind = format!("cbr/backups/{}", text(&backup["id"]));
    client.control("POST", &behind, json!({"image": true}));
    let body = json!({"resource_ids": [web]});
    let (status, answer) = client.call("POST", &path, body.clone()).await;
    assert_eq!(
        (status, answer),
        (200, json!({"remove_resource_ids": [web]}))
    );
    assert_eq!(
        show(&client, "vaults", &json!(id)).await["resources"][0]["protect_status"],
        "removing"
    );
    is(
        &client.call("POST", &path, body.clone()).await,
        400,
        "BackupService.6134",
    );
    client.advance(60);
    // An image holds on to its backup; the resource stays until the image is gone.
    let log = &logs(&client, "operation_type=remove_resource").await[0];
    assert_eq!(
        (log["status"].as_str(), text(&log["error_info"]["code"])),
        (Some("failed"), "BackupService.6204")
    );
    assert_eq!(log["extra_info"]["remove_resources"]["fail_count"], 1);
    client.control("POST", &behind, json!({"image": false}));
    assert_eq!(client.call("POST", &path, body).await.0, 200);
    client.advance(60);
    let shown = show(&client, "vaults", &json!(id)).await;
    let left: Vec<&str> = shown["resources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| text(&row["id"]))
        .collect();
    assert_eq!(left, [db]);
    assert_eq!(shown["billing"]["used"], 0);
    let gone = format!("/backups/{}", text(&backup["id"]));
    is(
        &client.call("GET", &gone, Value::Null).await,
        404,
        "BackupService.6200",
    );
}

#[tokio::test]
async fn resources_move_to_another_vault_with_their_backups() {
    let client = calm_cbr().await;
    let from = vault(&client, "from", &["ecs-web-01"]).await;
    let to = vault(&client, "to", &[]).await;
    let web = client.id_of("ecs-web-01");
    let backup = backed_up(&client, &from, &web).await;
    let path = format!("/vaults/{from}/migrateresources");
    let body = |to: &str| json!({"resource_ids": [web], "destination_vault_id": to});
    is(
        &client.call("POST", &path, body(NOBODY)).await,
        400,
        "BackupService.6120",
    );
    client.control(
        "POST",
        &format!("cbr/vaults/{to}"),
        json!({"used_mb": 5000 * 1024}),
    );
    is(
        &client.call("POST", &path, body(&to)).await,
        400,
        "BackupService.6129",
    );
    client.control("POST", &format!("cbr/vaults/{to}"), json!({"used_mb": 0}));
    let (status, answer) = client.call("POST", &path, body(&to)).await;
    assert_eq!(
        (status, answer),
        (200, json!({"migrated_resources": [web]}))
    );
    client.advance(60);
    assert_eq!(
        show(&client, "backups", &backup["id"]).await["vault_id"],
        to.as_str()
    );
    let shown = show(&client, "vaults", &json!(to)).await;
    assert_eq!(shown["resources"][0]["id"], web.as_str());
    assert!(
        shown["billing"]["used"]
            .as_u64()
            .is_some_and(|used| used > 0)
    );
    assert_eq!(
        show(&client, "vaults", &json!(from)).await["billing"]["used"],
        0
    );
    // The Open Telekom Cloud documents no task of this kind, Huawei Cloud does.
    assert_eq!(
        logs(&client, "operation_type=migrate_resources")
            .await
            .len(),
        0
    );
    client.switch("cbr.variant", "huawei");
    let back = format!("/vaults/{to}/migrateresources");
    assert_eq!(client.call("POST", &back, body(&from)).await.0, 200);
    client.advance(60);
    assert_eq!(
        logs(&client, "operation_type=migrate_resources")
            .await
            .len(),
        1
    );
}
