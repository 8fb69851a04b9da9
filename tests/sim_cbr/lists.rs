//! Lists, pages, filters, and the shapes that switches choose between.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::{NOBODY, back_up, backed_up, calm_cbr, is, logs, show, text, vault};

async fn ids(client: &Client, path: &str, key: &str) -> Vec<String> {
    let body = client.get(path).await;
    let rows = body[key].as_array().expect("a list").iter();
    rows.map(|row| text(&row["id"]).to_owned()).collect()
}

async fn with_history() -> (Client, String) {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01", "ecs-mail-01"]).await;
    for round in 0..3 {
        if round == 1 {
            client.server("ecs-db-01", json!({"state": "error"}));
        }
        assert_eq!(back_up(&client, &id, &[]).await.0, 200);
        client.advance(600);
    }
    (client, id)
}

#[tokio::test]
async fn tasks_are_filtered_counted_and_paged() {
    let (client, id) = with_history().await;
    let all = ids(&client, "/operation-logs", "operation_logs").await;
    assert_eq!(all.len(), 9);
    let page = client.get("/operation-logs?limit=4&offset=2").await;
    assert_eq!(
        (
            page["count"].as_u64(),
            page["limit"].as_u64(),
            page["offset"].as_u64()
        ),
        (Some(9), Some(4), Some(2))
    );
    let pages = ids(
        &client,
        "/operation-logs?limit=4&offset=2",
        "operation_logs",
    )
    .await;
    assert_eq!(pages, all[2..6]);
    let after = format!("/operation-logs?limit=3&marker={}", all[2]);
    assert_eq!(ids(&client, &after, "operation_logs").await, all[3..6]);
    client.switch("cbr.marker", "ignored");
    assert_eq!(ids(&client, &after, "operation_logs").await, all[..3]);
    client.switch("cbr.log_order", "oldest");
    let mut turned = ids(&client, "/operation-logs", "operation_logs").await;
    turned.reverse();
    assert_eq!(turned, all);
    client.switch("cbr.log_order", "newest");

    let web = client.id_of("ecs-web-01");
    for (query, count) in [
        (format!("resource_id={web}"), 3),
        ("resource_name=ecs-db-01&status=skipped".to_owned(), 2),
        ("status=success".to_owned(), 7),
        ("status=success&status=skipped".to_owned(), 9),
        ("status=nosuch".to_owned(), 0),
        (format!("vault_id={id}"), 9),
        (format!("vault_id={NOBODY}"), 0),
        ("vault_name=v".to_owned(), 9),
        ("vault_name=w".to_owned(), 0),
        ("operation_type=restore".to_owned(), 0),
        (
            "provider_id=0daac4c5-6707-4851-97ba-169e36266b66".to_owned(),
            9,
        ),
        (
            "start_time=2026-03-05T00:10:00Z&end_time=2026-03-05T00:19:00Z".to_owned(),
            3,
        ),
        ("nosuch=1".to_owned(), 9),
    ] {
        assert_eq!(logs(&client, &query).await.len(), count, "{query}");
    }
    client.switch("cbr.repeated_status", "last");
    assert_eq!(
        logs(&client, "status=success&status=skipped").await.len(),
        2
    );
    client.switch("cbr.unknown_query", "refuse");
    is(
        &client
            .call("GET", "/operation-logs?nosuch=1", Value::Null)
            .await,
        400,
        "BackupService.9900",
    );
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "offset=-1",
        "start_time=yesterday",
    ] {
        is(
            &client
                .call("GET", &format!("/operation-logs?{query}"), Value::Null)
                .await,
            400,
            "BackupService.9900",
        );
    }
    let unknown = format!("/operation-logs/{NOBODY}");
    is(
        &client.call("GET", &unknown, Value::Null).await,
        404,
        "BackupService.6500",
    );
    is(
        &client.call("GET", "/operation-logs/x", Value::Null).await,
        400,
        "BackupService.9900",
    );
    // There is no way to end, repeat or dismiss a task.
    for (method, path) in [
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("PUT", ""),
    ] {
        let path = format!("/operation-logs/{}{path}", all[0]);
        is(
            &client.call(method, &path, Value::Null).await,
            404,
            "APIGW.0101",
        );
    }
}

#[tokio::test]
async fn backups_and_vaults_are_filtered_sorted_and_paged() {
    let (client, id) = with_history().await;
    let web = client.id_of("ecs-web-01");
    let all = ids(&client, "/backups", "backups").await;
    assert_eq!(all.len(), 7);
    for (query, count) in [
        (format!("resource_id={web}"), 3),
        ("resource_name=ecs-db-01".to_owned(), 1),
        ("resource_type=OS::Cinder::Volume".to_owned(), 0),
        ("status=available&status=error".to_owned(), 7),
        ("status=error".to_owned(), 0),
        (format!("vault_id={id}"), 7),
        ("own_type=shared".to_owned(), 0),
        ("own_type=all_granted".to_owned(), 7),
        ("image_type=replication".to_owned(), 0),
        ("incremental=true".to_owned(), 4),
        ("used_percent=100".to_owned(), 0),
        ("used_percent=1".to_owned(), 7),
        ("resource_az=eu-de-01".to_owned(), 4),
        ("start_time=2026-03-05T00:10:00Z".to_owned(), 4),
    ] {
        let found = ids(&client, &format!("/backups?{query}"), "backups").await;
        assert_eq!(found.len(), count, "{query}");
    }
    let latest = client
        .get(&format!(
            "/backups?resource_id={web}&sort=created_at:desc&limit=1"
        ))
        .await;
    assert_eq!(
        (
            latest["count"].as_u64(),
            latest["backups"].as_array().map(Vec::len)
        ),
        (Some(3), Some(1))
    );
    let mut names: Vec<String> = Vec::new();
    let sorted = client.get("/backups?sort=name:asc").await;
    for row in sorted["backups"].as_array().expect("a list") {
        assert_eq!(
            row["children"],
            json!([]),
            "parts are in the single answer only"
        );
        names.push(text(&row["name"]).to_owned());
    }
    assert!(names.is_sorted());
    is(
        &client
            .call("GET", "/backups?sort=colour", Value::Null)
            .await,
        400,
        "BackupService.9900",
    );
    let marker = format!("/backups?limit=2&marker={}", all[1]);
    assert_eq!(ids(&client, &marker, "backups").await, all[2..4]);
    let whole = show(&client, "backups", &json!(all[0])).await;
    let parts = ids(
        &client,
        &format!("/backups?parent_id={}", all[0]),
        "backups",
    )
    .await;
    let children = whole["children"].as_array().expect("parts");
    assert_eq!(parts.len(), children.len());
    assert_eq!(
        show(&client, "backups", &json!(parts[0])).await["parent_id"],
        all[0].as_str()
    );
    is(
        &client
            .call("DELETE", &format!("/backups/{}", parts[0]), Value::Null)
            .await,
        400,
        "BackupService.6201",
    );

    let other = vault(&client, "w", &[]).await;
    assert_eq!(
        ids(&client, "/vaults", "vaults").await,
        [other.clone(), id.clone()]
    );
    for (query, wanted) in [
        (format!("id={id}"), vec![&id]),
        (format!("id={id}&id={other}"), vec![&other, &id]),
        ("name=w".to_owned(), vec![&other]),
        (format!("resource_ids={web}"), vec![&id]),
        ("object_type=disk".to_owned(), vec![]),
        (
            "status=available&protect_type=backup&cloud_type=public".to_owned(),
            vec![&other, &id],
        ),
        ("status=lock".to_owned(), vec![]),
        ("limit=1&offset=1".to_owned(), vec![&id]),
        (format!("limit=1&marker={other}"), vec![&id]),
    ] {
        let found = ids(&client, &format!("/vaults?{query}"), "vaults").await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query}");
    }
    is(
        &client.call("GET", "/vaults/x", Value::Null).await,
        400,
        "BackupService.9900",
    );
    is(
        &client
            .call("GET", &format!("/vaults/{NOBODY}"), Value::Null)
            .await,
        404,
        "BackupService.6105",
    );
}

#[tokio::test]
async fn switches_choose_between_the_shapes_that_were_seen() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    assert!(
        backup["parent_id"].is_null()
            && backup
                .as_object()
                .expect("an object")
                .contains_key("parent_id")
    );
    client.switch("cbr.empty", "absent");
    let bare = show(&client, "backups", &backup["id"]).await;
    assert!(
        !bare
            .as_object()
            .expect("an object")
            .contains_key("parent_id")
    );
    for (value, time) in [
        ("offset", "2026-03-05T00:00:00.000+00:00"),
        ("zulu", "2026-03-05T00:00:00Z"),
    ] {
        client.switch("cbr.times", value);
        assert_eq!(
            show(&client, "vaults", &json!(id)).await["created_at"],
            time
        );
    }
    client.switch("cbr.times", "micros");
    let unknown = format!("/backups/{NOBODY}");
    client.switch("cbr.unknown_id", "karbor");
    let (status, body) = client.call("GET", &unknown, Value::Null).await;
    assert_eq!(
        (status, body["unauthorized"]["message"].as_str()),
        (401, Some("Malformed request url"))
    );
    client.switch("cbr.checkpoint_sizes", "number");
    let (_, body) = back_up(&client, &id, &[]).await;
    assert!(body["checkpoint"]["vault"]["resources"][0]["resource_size"].is_u64());
    client.advance(5);
    client.server("ecs-web-01", json!({"state": "error"}));
    client.advance(600);
    client.switch("cbr.failed_log", "no_message");
    assert_eq!(
        logs(&client, "status=failed").await[0]["error_info"]["message"],
        ""
    );
    client.switch("cbr.failed_log", "no_resource");
    assert!(
        logs(&client, "status=failed").await[0]["extra_info"]
            .get("resource")
            .is_none()
    );
    client.switch("cbr.auth_failure", "service");
    let bad = Client {
        token: "nonsense".into(),
        ..client
    };
    is(
        &bad.call("GET", "/vaults", Value::Null).await,
        500,
        "BackupService.9998",
    );
    bad.switch("cbr.auth_failure", "gateway");
    is(
        &bad.call("GET", "/vaults", Value::Null).await,
        401,
        "APIGW.0301",
    );
}

#[tokio::test]
async fn old_tasks_are_dropped_after_a_month() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let log = logs(&client, "").await[0].clone();
    client.advance(29 * 86_400);
    assert_eq!(
        show(&client, "operation-logs", &log["id"]).await["id"],
        log["id"]
    );
    client.advance(2 * 86_400);
    assert_eq!(logs(&client, "").await.len(), 0);
    let path = format!("/operation-logs/{}", text(&log["id"]));
    is(
        &client.call("GET", &path, Value::Null).await,
        404,
        "BackupService.6500",
    );
    assert_eq!(
        show(&client, "backups", &backup["id"]).await["status"],
        "available"
    );
    assert_eq!(
        show(&client, "checkpoints", &backup["checkpoint_id"]).await["status"],
        "available"
    );
}
