//! Tags, members, replicas, versions, and what only Huawei Cloud offers.

use serde_json::{Value, json};

use crate::{NOBODY, back_up, backed_up, calm_cbr, is, logs, show, text, vault, vault_body};

#[tokio::test]
async fn versions_need_no_login_and_the_region_can_replicate() {
    let client = calm_cbr().await;
    let root = client.base.split("/v3/").next().expect("a root").to_owned();
    for path in ["", "/cbr", "/csbs", "/vbs"] {
        let answer = client
            .http
            .get(format!("{root}{path}"))
            .send()
            .await
            .expect("answers");
        assert_eq!(answer.status().as_u16(), 300, "{path}");
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(
            (
                body["versions"][0]["id"].as_str(),
                body["versions"][0]["status"].as_str()
            ),
            (Some("v3"), Some("CURRENT"))
        );
    }
    let regions = client.get("/replication-capabilities").await;
    assert_eq!(
        regions["regions"][0]["replication_destinations"],
        json!(["eu-nl"])
    );
    let answer = client
        .http
        .get(format!("{}/vaults", client.base))
        .header("x-auth-token", &client.token)
        .send()
        .await;
    assert!(
        answer
            .expect("answers")
            .headers()
            .contains_key("x-request-id")
    );
}

#[tokio::test]
async fn tags_have_a_path_of_their_own() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &[]).await;
    let other = vault(&client, "w", &[]).await;
    let tags = format!("/vault/{id}/tags");
    let one = json!({"tag": {"key": "team", "value": "red"}});
    assert_eq!(client.call("POST", &tags, one).await, (204, Value::Null));
    let more =
        json!({"action": "create", "tags": [{"key": "tier", "value": "gold"}, {"key": "site"}]});
    assert_eq!(
        client.call("POST", &format!("{tags}/action"), more).await.0,
        204
    );
    assert_eq!(
        client.get(&tags).await["tags"].as_array().map(Vec::len),
        Some(3)
    );
    let fewer = json!({"action": "delete", "tags": [{"key": "site"}]});
    assert_eq!(
        client
            .call("POST", &format!("{tags}/action"), fewer)
            .await
            .0,
        204
    );
    assert_eq!(
        client
            .call("DELETE", &format!("{tags}/tier"), Value::Null)
            .await
            .0,
        204
    );
    is(
        &client
            .call("DELETE", &format!("{tags}/tier"), Value::Null)
            .await,
        404,
        "BackupService.6601",
    );
    is(
        &client.call("GET", "/vault/x/tags", Value::Null).await,
        400,
        "BackupService.9900",
    );
    assert_eq!(
        client.get("/vault/tags").await["tags"],
        json!([{"key": "team", "values": ["red"]}])
    );
    let search = async |body: Value| {
        client
            .call("POST", "/vault/resource_instances/action", body)
            .await
            .1
    };
    let found = search(json!({"action": "filter", "tags": [{"key": "team", "values": ["red"]}], "limit": "10", "offset": "0"})).await;
    assert_eq!(
        (
            found["total_count"].as_u64(),
            found["resources"][0]["resource_id"].as_str()
        ),
        (Some(1), Some(id.as_str()))
    );
    assert_eq!(
        found["resources"][0]["resource_detail"]["vault"]["name"],
        "v"
    );
    let found = search(json!({"action": "filter", "without_any_tag": true})).await;
    assert_eq!(found["resources"][0]["resource_id"], other.as_str());
    let count =
        search(json!({"action": "count", "not_tags": [{"key": "team", "values": []}]})).await;
    assert_eq!(count, json!({"total_count": 1}));
    let found =
        search(json!({"action": "filter", "matches": [{"key": "resource_name", "value": "w"}]}))
            .await;
    assert_eq!(found["total_count"], 1);
    let many: Vec<Value> = (0..20)
        .map(|n| json!({"key": format!("k{n}"), "value": ""}))
        .collect();
    let many = json!({"action": "create", "tags": many});
    is(
        &client.call("POST", &format!("{tags}/action"), many).await,
        400,
        "BackupService.6600",
    );
}

#[tokio::test]
async fn a_server_backup_can_be_shared() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let disks = client.server("ecs-web-01", json!({}))["volumes"]
        .as_array()
        .map_or(0, Vec::len);
    let plain: Vec<Value> = (0..disks)
        .map(|index| json!({"index": index, "encrypted": false}))
        .collect();
    client.server("ecs-web-01", json!({"volumes": plain}));
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let path = format!("/backups/{}/members", text(&backup["id"]));
    let project = "0605767b5780d5762fc5c0118072a564";
    let body = json!({"members": [project]});
    let (status, made) = client.call("POST", &path, body.clone()).await;
    assert_eq!(
        (status, made["members"][0]["status"].as_str()),
        (200, Some("pending"))
    );
    is(
        &client.call("POST", &path, body).await,
        400,
        "BackupService.6703",
    );
    is(
        &client.call("POST", &path, json!({"members": ["me"]})).await,
        400,
        "BackupService.6704",
    );
    let member = format!("{path}/{project}");
    is(
        &client
            .call("PUT", &member, json!({"status": "accepted"}))
            .await,
        400,
        "BackupService.6706",
    );
    let accept = json!({"status": "accepted", "vault_id": id});
    let (status, body) = client.call("PUT", &member, accept).await;
    assert_eq!(
        (status, body["member"]["status"].as_str()),
        (200, Some("accepted"))
    );
    assert_eq!(client.get(&path).await["count"], 1);
    assert_eq!(
        client.get(&format!("{path}?status=pending")).await["count"],
        0
    );
    assert_eq!(client.get(&member).await["member"]["vault_id"], id.as_str());
    assert_eq!(client.call("DELETE", &member, Value::Null).await.0, 204);
    is(
        &client.call("GET", &member, Value::Null).await,
        404,
        "BackupService.6705",
    );
    // An encrypted disk forbids it.
    client.server(
        "ecs-web-01",
        json!({"volumes": [{"index": 0, "encrypted": true}]}),
    );
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let path = format!("/backups/{}/members", text(&backup["id"]));
    is(
        &client
            .call("POST", &path, json!({"members": [project]}))
            .await,
        400,
        "BackupService.6709",
    );
}

#[tokio::test]
async fn replicas_are_made_in_the_other_region() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let backup = backed_up(&client, &id, &client.id_of("ecs-web-01")).await;
    let remotes = client.control("GET", "cbr/remotes", Value::Null);
    let remote = |replicas: bool| {
        let rows = remotes.as_array().expect("a list").iter();
        rows.clone()
            .find(|row| row["replicas"] == replicas)
            .expect("there")
            .clone()
    };
    let there = remote(true);
    let body = |region: &str, vault: &Value| {
        json!({"replicate": {"destination_region": region, "destination_vault_id": vault,
            "destination_project_id": there["project_id"]}})
    };
    let path = format!("/backups/{}/replicate", text(&backup["id"]));
    is(
        &client.call("POST", &path, body("mars", &there["id"])).await,
        500,
        "BackupService.1005",
    );
    is(
        &client
            .call("POST", &path, body("eu-nl", &json!(NOBODY)))
            .await,
        400,
        "BackupService.6120",
    );
    is(
        &client
            .call("POST", &path, body("eu-nl", &remote(false)["id"]))
            .await,
        400,
        "BackupService.6119",
    );
    client.control("POST", "cbr", json!({"link_down": true}));
    let (status, answer) = client
        .call("POST", &path, body("eu-nl", &there["id"]))
        .await;
    assert_eq!(
        (status, answer["replication"]["source_region"].as_str()),
        (200, Some("eu-de"))
    );
    is(
        &client
            .call("POST", &path, body("eu-nl", &there["id"]))
            .await,
        400,
        "BackupService.6130",
    );
    let delete = format!("/backups/{}", text(&backup["id"]));
    is(
        &client.call("DELETE", &delete, Value::Null).await,
        400,
        "BackupService.6216",
    );
    client.advance(600);
    let log = &logs(&client, "operation_type=replication").await[0];
    assert_eq!(
        (log["status"].as_str(), text(&log["error_info"]["code"])),
        (Some("failed"), "BackupService.1006")
    );
    let record = show(&client, "backups", &backup["id"]).await["replication_records"][0].clone();
    assert_eq!(
        (
            record["status"].as_str(),
            text(&record["extra_info"]["fail_code"])
        ),
        (Some("fail"), "BackupService.1006")
    );
    client.control("POST", "cbr", json!({"link_down": false}));
    let mut whole = body("eu-nl", &there["id"]);
    whole["replicate"]["vault_id"] = json!(id);
    let (status, answer) = client
        .call("POST", "/checkpoints/replicate", whole.clone())
        .await;
    assert_eq!(
        (status, &answer["replication"]["backups"][0]["backup_id"]),
        (200, &backup["id"])
    );
    client.advance(600);
    let record = show(&client, "backups", &backup["id"]).await["replication_records"][0].clone();
    assert_eq!(
        (
            record["status"].as_str(),
            record["extra_info"]["progress"].as_u64()
        ),
        (Some("success"), Some(100))
    );
    let log = &logs(&client, "operation_type=replication&status=success").await[0];
    assert_eq!(
        log["extra_info"]["replication"]["destination_region"],
        "eu-nl"
    );
    is(
        &client.call("POST", "/checkpoints/replicate", whole).await,
        400,
        "BackupService.0001",
    );
}

#[tokio::test]
async fn huawei_s_own_calls_are_404_at_the_gateway_until_the_variant_is_on() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-pxe-01"]).await;
    let web = client.id_of("ecs-web-01");
    let set = format!("/vaults/{id}/set-resources");
    for (method, path) in [
        ("GET", "/protectables/server/instances"),
        ("GET", "/storage_usage"),
        ("PUT", set.as_str()),
        ("GET", "/agents"),
        ("POST", "/backups/sync"),
    ] {
        is(
            &client.call(method, path, Value::Null).await,
            404,
            "APIGW.0101",
        );
    }
    client.switch("cbr.variant", "huawei");
    for (method, path) in [
        ("GET", "/agents"),
        ("POST", "/backups/sync"),
        ("GET", "/organization-policies"),
    ] {
        let (status, _) = client.call(method, path, Value::Null).await;
        assert_eq!(status, 501, "{path}");
    }
    let page = client.get("/protectables/server/instances?limit=50").await;
    let rows = page["instances"].as_array().expect("a list");
    let named = |name: &str| rows.iter().find(|row| row["name"] == name).expect("there");
    assert_eq!(named("ecs-web-01")["protectable"]["result"], true);
    assert_eq!(
        named("ecs-web-01")["protectable"]["vault"]["id"],
        id.as_str()
    );
    assert_eq!(
        named("ecs-pxe-01")["protectable"]["code"],
        "BackupService.7108"
    );
    assert!(!text(&named("ecs-pxe-01")["protectable"]["message"]).is_empty());
    assert_eq!(named("ecs-db-01")["protectable"]["vault"], Value::Null);
    is(
        &client
            .call(
                "GET",
                "/protectables/server/instances?limit=51",
                Value::Null,
            )
            .await,
        400,
        "BackupService.9900",
    );
    let one = client
        .get(&format!("/protectables/server/instances/{web}"))
        .await;
    assert_eq!(one["instance"]["status"], "ACTIVE");
    is(
        &client
            .call(
                "GET",
                &format!("/protectables/disk/instances/{NOBODY}"),
                Value::Null,
            )
            .await,
        404,
        "BackupService.7000",
    );
    let disks = client
        .get(&format!("/protectables/disk/instances?server_id={web}"))
        .await;
    assert_eq!(disks["instances"][0]["type"], "OS::Cinder::Volume");

    let backup = backed_up(&client, &id, &web).await;
    let summary = client.get("/vaults/summary").await;
    assert_eq!(
        (summary["size"].as_u64(), &summary["used_size"]),
        (
            Some(5000),
            &show(&client, "vaults", &json!(id)).await["billing"]["used"]
        )
    );
    let usage = client.get("/storage_usage").await;
    assert_eq!(
        (
            usage["resource_count"].as_u64(),
            usage["storage_usage"][0]["resource_id"].as_str()
        ),
        (Some(1), Some(web.as_str()))
    );
    let path = format!("/backups/{}", text(&backup["id"]));
    let (_, renamed) = client
        .call("PUT", &path, json!({"backup": {"name": "kept"}}))
        .await;
    assert_eq!(renamed["backup"]["name"], "kept");
    let (status, body) = client
        .call(
            "PUT",
            &set,
            json!({"resource_ids": [web], "action": "suspend"}),
        )
        .await;
    assert_eq!((status, body), (200, json!({"set_resource_ids": [web]})));
    assert_eq!(
        show(&client, "vaults", &json!(id)).await["resources"][0]["auto_protect"],
        false
    );
    let day = json!({"expect_expiration_date": "2026-06-01", "time_zone": "UTC+01:00"});
    let (status, body) = client
        .call(
            "PUT",
            &format!("/vaults/{id}/update-backup-expiration-time"),
            day,
        )
        .await;
    assert_eq!(
        (status, body["affected_backups_count"].as_u64()),
        (200, Some(0)),
        "kept for ever"
    );
    let kept =
        json!({"checkpoint": {"vault_id": id, "parameters": {"retention_duration_days": 3}}});
    assert_eq!(client.call("POST", "/checkpoints", kept).await.0, 200);
    client.advance(600);
    let newest = &client.get("/backups?limit=1").await["backups"][0];
    assert!(
        text(&newest["expired_at"]).starts_with("2026-03-08T"),
        "{newest}"
    );
    let external = client
        .get("/vaults/external?region_id=eu-nl&protect_type=replication")
        .await;
    assert_eq!(external["count"], 1);
    assert_eq!(back_up(&client, &id, &[]).await.0, 200);
    let mut app = vault_body("app", "server", &[]);
    app["vault"]["billing"]["consistent_level"] = json!("app_consistent");
    assert_eq!(
        client.call("POST", "/vaults", app).await.1["vault"]["billing"]["consistent_level"],
        "app_consistent"
    );
}
