//! Restores of servers and disks, and what file systems do not offer.

use serde_json::{Value, json};

use crate::{
    DISK, NOBODY, back_up, backed_up, calm_cbr, is, logs, restore_body, show, text, vault,
    vault_body,
};

#[tokio::test]
async fn a_restore_goes_through_its_states_and_a_failed_one_leaves_the_backup_available() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let server = client.server("ecs-web-01", json!({}));
    let web = text(&server["id"]).to_owned();
    let backup = backed_up(&client, &id, &web).await;
    let path = format!("/backups/{}/restore", text(&backup["id"]));
    let body = restore_body(&backup, &server);
    let (status, answer) = client.call("POST", &path, body.clone()).await;
    assert_eq!(status, 202);
    let job = answer["job_id"].clone();
    assert_eq!(
        show(&client, "backups", &backup["id"]).await["status"],
        "waiting_restore"
    );
    client.advance(10);
    assert_eq!(
        show(&client, "backups", &backup["id"]).await["status"],
        "restoring"
    );
    assert_eq!(client.server("ecs-web-01", json!({}))["state"], "stopped");
    let shown = show(&client, "vaults", &json!(id)).await;
    assert_eq!(shown["resources"][0]["protect_status"], "restoring");
    is(
        &client.call("POST", &path, body.clone()).await,
        400,
        "BackupService.2005",
    );
    is(&back_up(&client, &id, &[]).await, 400, "BackupService.0001");
    let delete = format!("/backups/{}", text(&backup["id"]));
    is(
        &client.call("DELETE", &delete, Value::Null).await,
        400,
        "BackupService.6216",
    );
    client.advance(200);
    let log = show(&client, "operation-logs", &job).await;
    assert_eq!(
        (log["status"].as_str(), log["operation_type"].as_str()),
        (Some("success"), Some("restore"))
    );
    assert_eq!(
        log["extra_info"]["restore"]["target_resource_id"],
        web.as_str()
    );
    assert_eq!(
        log["extra_info"]["restore"]["target_resource_name"],
        "ecs-web-01"
    );
    assert_eq!(client.server("ecs-web-01", json!({}))["state"], "active");

    client.switch("cbr.restore_answer", "empty");
    assert_eq!(client.call("POST", &path, body).await, (202, Value::Null));
    client.advance(10);
    client.server("ecs-web-01", json!({"state": "error"}));
    client.advance(200);
    let log = &logs(
        &client,
        &format!("operation_type=restore&resource_id={web}&limit=1"),
    )
    .await[0];
    assert_eq!(
        (log["status"].as_str(), text(&log["error_info"]["code"])),
        (Some("failed"), "BackupService.2008")
    );
    assert_eq!(
        show(&client, "backups", &backup["id"]).await["status"],
        "available"
    );
}

#[tokio::test]
async fn restores_are_refused_for_what_is_wrong_with_the_target() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let server = client.server("ecs-web-01", json!({}));
    let backup = backed_up(&client, &id, text(&server["id"])).await;
    let path = format!("/backups/{}/restore", text(&backup["id"]));
    let good = restore_body(&backup, &server);
    let refused = async |body: Value, code: &str| {
        is(
            &client.call("POST", &path, body).await,
            if code.ends_with("7100") { 404 } else { 400 },
            code,
        );
    };
    let mut other = good.clone();
    other["restore"]["server_id"] = json!(NOBODY);
    refused(other, "BackupService.7100").await;
    let mut none = good.clone();
    none["restore"]["mappings"] = json!([]);
    refused(none, "BackupService.9900").await;
    for (ill, well, code) in [
        (
            json!({"state": "migrating"}),
            json!({"state": "active"}),
            "BackupService.2008",
        ),
        (
            json!({"volumes": [{"index": 0, "size_gb": 1}]}),
            json!({"volumes": [{"index": 0, "size_gb": server["volumes"][0]["size_gb"]}]}),
            "BackupService.2001",
        ),
        (
            json!({"volumes": [{"index": 0, "locked": true}]}),
            json!({"volumes": [{"index": 0, "locked": false}]}),
            "BackupService.2011",
        ),
    ] {
        client.server("ecs-web-01", ill);
        refused(good.clone(), code).await;
        client.server("ecs-web-01", well);
    }
    client.control(
        "POST",
        &format!("cbr/vaults/{id}"),
        json!({"status": "frozen"}),
    );
    refused(good.clone(), "BackupService.6202").await;
    is(&back_up(&client, &id, &[]).await, 400, "BackupService.6113");
    client.control(
        "POST",
        &format!("cbr/vaults/{id}"),
        json!({"status": "available"}),
    );
    let elsewhere = client.server("ecs-db-01", json!({}));
    let mut foreign = good.clone();
    foreign["restore"]["mappings"][0]["volume_id"] = elsewhere["volumes"][0]["id"].clone();
    refused(foreign, "BackupService.7201").await;
    assert_eq!(back_up(&client, &id, &[]).await.0, 200);
    refused(good.clone(), "BackupService.2002").await;
    client.advance(600);
    assert_eq!(client.call("POST", &path, good).await.0, 202);
}

#[tokio::test]
async fn disks_and_file_systems_have_vaults_of_their_own() {
    let client = calm_cbr().await;
    let server = client.server("ecs-db-01", json!({}));
    let disk = text(&server["volumes"][0]["id"]).to_owned();
    let resources = [json!({"id": disk, "type": DISK})];
    is(
        &client
            .call("POST", "/vaults", vault_body("wrong", "server", &resources))
            .await,
        400,
        "BackupService.6102",
    );
    let (status, body) = client
        .call("POST", "/vaults", vault_body("d", "disk", &resources))
        .await;
    assert_eq!(status, 200, "{body}");
    let id = text(&body["vault"]["id"]).to_owned();
    let backup = backed_up(&client, &id, &disk).await;
    assert_eq!(backup["resource_type"], DISK);
    assert_eq!(
        backup["provider_id"],
        "d1603440-187d-4516-af25-121250c7cc97"
    );
    let path = format!("/backups/{}/restore", text(&backup["id"]));
    let restore = json!({"restore": {"volume_id": disk}});
    is(
        &client.call("POST", &path, restore.clone()).await,
        400,
        "BackupService.2011",
    );
    client.server("ecs-db-01", json!({"state": "stopped"}));
    assert_eq!(client.call("POST", &path, restore).await.0, 202);

    let shares = client.control("GET", "cbr/shares", Value::Null);
    let share = text(&shares[0]["id"]).to_owned();
    let resources = [json!({"id": share, "type": "OS::Sfs::Turbo"})];
    let (status, body) = client
        .call("POST", "/vaults", vault_body("t", "turbo", &resources))
        .await;
    assert_eq!(status, 200, "{body}");
    let id = text(&body["vault"]["id"]).to_owned();
    let backup = backed_up(&client, &id, &share).await;
    let path = format!("/backups/{}/restore", text(&backup["id"]));
    is(
        &client.call("POST", &path, json!({"restore": {}})).await,
        400,
        "BackupService.9900",
    );
    client.control(
        "POST",
        &format!("cbr/shares/{share}"),
        json!({"status": "unavailable"}),
    );
    is(&back_up(&client, &id, &[]).await, 400, "BackupService.0001");
    let log = &logs(&client, "status=skipped&limit=1").await;
    assert!(log.is_empty(), "a refused request leaves no task: {log:?}");
}
