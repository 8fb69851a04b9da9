//! Backups, restores and deletions: how they walk, why they fail, and that they work again when the reason is gone.

use serde_json::{Value, json};

use crate::{DISK, back_up, backed_up, backups_of, calm_cbr, is, logs, show, text, vault};

#[tokio::test]
async fn a_run_walks_from_waiting_to_success_with_a_task_for_each_server() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let (status, body) = back_up(&client, &id, &[]).await;
    assert_eq!(status, 200);
    let point = &body["checkpoint"];
    assert_eq!(point["status"], "protecting");
    assert_eq!(point["vault"]["skipped_resources"], json!([]));
    // Sizes are texts here, and what is extra is JSON in a text.
    let resource = &point["vault"]["resources"][0];
    assert!(resource["resource_size"].is_string() && resource["extra_info"] == "{}");
    let waiting = logs(&client, "status=waiting").await;
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0]["extra_info"]["common"]["progress"], 0);
    assert_eq!(waiting[0]["ended_at"], Value::Null);
    client.advance(20);
    let running = logs(&client, &format!("status=running&vault_id={id}")).await;
    assert_eq!(running.len(), 2);
    let percent = running[0]["extra_info"]["common"]["progress"]
        .as_u64()
        .expect("a number");
    assert!((1..100).contains(&percent), "{percent}");
    assert_eq!(running[0]["checkpoint_id"], point["id"]);
    assert!(running[0]["vault_id"] == id.as_str() && running[0]["vault_name"] == "v");
    let shown = show(&client, "vaults", &json!(id)).await;
    assert_eq!(shown["resources"][0]["protect_status"], "protecting");
    client.advance(600);
    let done = logs(&client, "status=success").await;
    assert_eq!(done.len(), 2);
    let log = &done[0];
    assert_eq!(log["operation_type"], "backup");
    assert_eq!(log["error_info"], json!({"code": "", "message": ""}));
    assert_eq!(log["extra_info"]["common"]["progress"], 100);
    assert!(text(&log["extra_info"]["common"]["request_id"]).starts_with("req-"));
    assert_eq!(log["extra_info"]["backup"]["incremental"], "false");
    let time = text(&log["ended_at"]);
    assert!(time.len() == 26 && time.get(19..20) == Some("."), "{time}");
    let backup = show(
        &client,
        "backups",
        &log["extra_info"]["backup"]["backup_id"],
    )
    .await;
    assert_eq!(backup["status"], "available");
    assert_eq!(backup["name"], log["extra_info"]["backup"]["backup_name"]);
    let parts = backup["children"].as_array().expect("parts");
    assert!(!parts.is_empty() && parts.iter().all(|part| part["parent_id"] == backup["id"]));
    assert!(parts.iter().all(|part| part["resource_type"] == DISK));
    let shown = show(&client, "vaults", &json!(id)).await;
    assert!(
        shown["billing"]["used"]
            .as_u64()
            .is_some_and(|used| used > 0)
    );
    assert_eq!(shown["resources"][0]["backup_count"], 1);
    let again = show(&client, "checkpoints", &point["id"]).await;
    assert_eq!(again["status"], "available");
    // The second one builds on the first.
    let second = backed_up(&client, &id, text(&log["extra_info"]["resource"]["id"])).await;
    assert_eq!(second["incremental"], true);
}

#[tokio::test]
async fn servers_that_cannot_be_backed_up_are_left_out_with_the_reason() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let (web, db) = (client.id_of("ecs-web-01"), client.id_of("ecs-db-01"));
    let reasons = [
        (
            json!({"state": "migrating"}),
            json!({"state": "active"}),
            "BackupService.7101",
        ),
        (
            json!({"state": "error"}),
            json!({"state": "active"}),
            "BackupService.7101",
        ),
        (
            json!({"volumes": [{"index": 0, "broken": true}]}),
            json!({"volumes": [{"index": 0, "broken": false}]}),
            "BackupService.7003",
        ),
        (
            json!({"volumes": [{"index": 0, "storage": "dess"}]}),
            json!({"volumes": [{"index": 0, "storage": "common"}]}),
            "BackupService.7111",
        ),
    ];
    for (ill, well, code) in reasons {
        client.server("ecs-web-01", ill);
        let (status, body) = back_up(&client, &id, &[]).await;
        assert_eq!(status, 200, "{body}");
        let skipped = body["checkpoint"]["vault"]["skipped_resources"].clone();
        assert_eq!(
            (skipped[0]["id"].as_str(), skipped[0]["code"].as_str()),
            (Some(web.as_str()), Some(code))
        );
        assert!(!text(&skipped[0]["reason"]).is_empty());
        assert_eq!(skipped.as_array().map(Vec::len), Some(1));
        let log = &logs(&client, "status=skipped&limit=1").await[0];
        assert_eq!(log["error_info"]["code"], code);
        assert_eq!(log["extra_info"]["resource"]["id"], web.as_str());
        client.advance(600);
        // The one that can't be backed up alone: nothing is started, and the request says so.
        is(
            &back_up(&client, &id, &[&web]).await,
            400,
            "BackupService.0001",
        );
        client.server("ecs-web-01", well);
        let backup = backed_up(&client, &id, &web).await;
        assert_eq!(backup["status"], "available");
        client.advance(600);
    }
    // A server that is switched off can be backed up, unless the switch says otherwise.
    client.server("ecs-db-01", json!({"state": "stopped"}));
    assert_eq!(backed_up(&client, &id, &db).await["status"], "available");
    client.switch("cbr.stopped_server", "7102");
    is(
        &back_up(&client, &id, &[&db]).await,
        400,
        "BackupService.0001",
    );
    assert_eq!(logs(&client, "status=skipped&limit=1").await.len(), 1);
}

#[tokio::test]
async fn a_backup_fails_when_its_reason_comes_while_it_runs() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let web = client.id_of("ecs-web-01");
    let (_, body) = back_up(&client, &id, &[]).await;
    client.advance(10);
    client.server("ecs-web-01", json!({"state": "migrating"}));
    client.advance(600);
    let log = &logs(&client, "status=failed").await[0];
    assert_eq!(log["error_info"]["code"], "BackupService.7101");
    assert!(!text(&log["error_info"]["message"]).is_empty());
    let percent = log["extra_info"]["common"]["progress"]
        .as_u64()
        .expect("a number");
    assert!((1..100).contains(&percent), "{percent}");
    let rows = backups_of(&client, &body["checkpoint"]).await;
    assert_eq!(rows[0]["status"], "error");
    let shown = show(&client, "vaults", &json!(id)).await;
    assert_eq!(shown["resources"][0]["protect_status"], "error");
    assert_eq!(shown["billing"]["used"], 0);
    assert_eq!(
        show(&client, "checkpoints", &body["checkpoint"]["id"]).await["status"],
        "error"
    );
    client.server("ecs-web-01", json!({"state": "active"}));
    assert_eq!(backed_up(&client, &id, &web).await["status"], "available");
    let shown = show(&client, "vaults", &json!(id)).await;
    assert_eq!(shown["resources"][0]["protect_status"], "available");
    // What is in error must be deleted by hand, and can be.
    let path = format!("/backups/{}", text(&rows[0]["id"]));
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    client.advance(60);
    is(
        &client.call("GET", &path, Value::Null).await,
        404,
        "BackupService.6200",
    );
}

#[tokio::test]
async fn a_full_vault_refuses_until_it_is_enlarged_or_emptied() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let web = client.id_of("ecs-web-01");
    let path = format!("/vaults/{id}");
    client.control(
        "POST",
        &format!("cbr/vaults/{id}"),
        json!({"used_mb": 5000 * 1024}),
    );
    is(
        &back_up(&client, &id, &[&web]).await,
        400,
        "BackupService.6114",
    );
    client.switch("cbr.vault_full", "task");
    assert_eq!(back_up(&client, &id, &[&web]).await.0, 200);
    let log = &logs(&client, "status=failed").await[0];
    assert_eq!(log["error_info"]["code"], "BackupService.6114");
    let (status, body) = client
        .call("PUT", &path, json!({"vault": {"billing": {"size": 6000}}}))
        .await;
    assert_eq!(
        (status, body["vault"]["billing"]["status"].as_str()),
        (200, Some("lock"))
    );
    let larger = json!({"vault": {"billing": {"size": 7000}}});
    is(
        &client.call("PUT", &path, larger).await,
        400,
        "BackupService.6123",
    );
    client.advance(10);
    assert_eq!(
        show(&client, "vaults", &json!(id)).await["billing"]["status"],
        "available"
    );
    assert_eq!(backed_up(&client, &id, &web).await["status"], "available");
}

#[tokio::test]
async fn a_resource_that_is_busy_is_skipped_or_the_request_refused() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let web = client.id_of("ecs-web-01");
    assert_eq!(back_up(&client, &id, &[&web]).await.0, 200);
    is(
        &back_up(&client, &id, &[&web]).await,
        400,
        "BackupService.0001",
    );
    let (status, body) = back_up(&client, &id, &[]).await;
    assert_eq!(status, 200);
    let skipped = &body["checkpoint"]["vault"]["skipped_resources"][0];
    assert_eq!(skipped["code"], "BackupService.6125");
    for (value, code) in [
        ("6125", "BackupService.6125"),
        ("1001", "BackupService.1001"),
    ] {
        client.switch("cbr.busy_resource", value);
        is(&back_up(&client, &id, &[&web]).await, 400, code);
    }
    is(
        &client
            .call("DELETE", &format!("/vaults/{id}"), Value::Null)
            .await,
        400,
        "BackupService.6203",
    );
    let rows = backups_of(&client, &body["checkpoint"]).await;
    let path = format!("/backups/{}", text(&rows[0]["id"]));
    is(
        &client.call("DELETE", &path, Value::Null).await,
        400,
        "BackupService.6203",
    );
}

#[tokio::test]
async fn snapshots_backend_and_time_are_reasons_too() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let web = client.id_of("ecs-web-01");
    client.control(
        "POST",
        "quotas",
        json!({"name": "cbr.snapshots", "limit": 0}),
    );
    backed_up(&client, &id, &web).await;
    let code = async |status: &str| {
        let rows = logs(&client, &format!("status={status}&limit=1")).await;
        rows.first()
            .map(|log| text(&log["error_info"]["code"]).to_owned())
    };
    assert_eq!(code("failed").await.as_deref(), Some("BackupService.8300"));
    client.control(
        "POST",
        "quotas",
        json!({"name": "cbr.snapshots", "limit": 5}),
    );
    client.switch("cbr.backend", "down");
    backed_up(&client, &id, &web).await;
    assert_eq!(code("failed").await.as_deref(), Some("BackupService.9910"));
    client.switch("cbr.backend", "slow");
    assert_eq!(back_up(&client, &id, &[]).await.0, 200);
    client.advance(4000);
    // It took longer than the service allows: stopped, and no error.
    assert_eq!(code("timeout").await.as_deref(), Some(""));
    client.switch("cbr.backend", "up");
    assert_eq!(backed_up(&client, &id, &web).await["status"], "available");
    let used = client.control("GET", "quotas", Value::Null);
    let snapshots = used
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["name"] == "cbr.snapshots");
    assert_eq!(snapshots.map(|row| row["used"].clone()), Some(json!(0)));
}

#[tokio::test]
async fn deleting_respects_images_and_locked_vaults() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let path = format!("/backups/{}", text(&backup["id"]));
    let behind = format!("cbr/backups/{}", text(&backup["id"]));
    client.control("POST", &behind, json!({"image": true}));
    is(
        &client.call("DELETE", &path, Value::Null).await,
        400,
        "BackupService.6204",
    );
    assert!(
        show(&client, "backups", &backup["id"]).await["extend_info"]["os_images_data"].is_array()
    );
    client.control("POST", &behind, json!({"image": false}));
    client.switch("cbr.backend", "down");
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (204, Value::Null)
    );
    client.advance(60);
    let log = &logs(&client, "operation_type=delete").await[0];
    assert_eq!(
        (log["status"].as_str(), text(&log["error_info"]["code"])),
        (Some("failed"), "BackupService.6201")
    );
    assert_eq!(log["extra_info"]["delete"]["backup_name"], backup["name"]);
    client.switch("cbr.backend", "up");
    let auto = json!({"checkpoint": {"vault_id": id, "parameters": {"auto_trigger": true}}});
    let (_, body) = client.call("POST", "/checkpoints", auto).await;
    client.advance(600);
    let rows = backups_of(&client, &body["checkpoint"]).await;
    let locked = client
        .call(
            "PUT",
            &format!("/vaults/{id}"),
            json!({"vault": {"locked": true}}),
        )
        .await;
    assert_eq!(locked.1["vault"]["locked"], true);
    let automatic = format!("/backups/{}", text(&rows[0]["id"]));
    is(
        &client.call("DELETE", &automatic, Value::Null).await,
        400,
        "BackupService.6220",
    );
    let unlock = json!({"vault": {"locked": false}});
    is(
        &client.call("PUT", &format!("/vaults/{id}"), unlock).await,
        400,
        "BackupService.9900",
    );
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 204);
    client.advance(60);
    assert_eq!(
        logs(&client, "operation_type=delete&status=success")
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn one_task_for_a_whole_run_where_the_switch_says_so() {
    let client = calm_cbr().await;
    client.switch("cbr.logs_per_run", "vault");
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let (_, body) = back_up(&client, &id, &[]).await;
    let waiting = logs(&client, "status=waiting").await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["checkpoint_id"], body["checkpoint"]["id"]);
    assert!(waiting[0]["extra_info"].get("resource").is_none());
    client.advance(5);
    assert_eq!(logs(&client, "status=running").await.len(), 1);
    client.server("ecs-db-01", json!({"state": "error"}));
    client.advance(600);
    let all = logs(&client, "").await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        (
            all[0]["status"].as_str(),
            text(&all[0]["error_info"]["code"])
        ),
        (Some("failed"), "BackupService.7101")
    );
    let mut statuses: Vec<String> = backups_of(&client, &body["checkpoint"])
        .await
        .iter()
        .map(|row| text(&row["status"]).to_owned())
        .collect();
    statuses.sort();
    assert_eq!(statuses, ["available", "error"]);
}
