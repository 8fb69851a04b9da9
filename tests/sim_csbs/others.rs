//! Tags, the gateway, the account, replication.

use crate::{PROVIDER, backed_up, calm_csbs, is, policy};
use serde_json::{Value, json};

#[tokio::test]
async fn tags_are_set_found_and_removed() {
    let client = calm_csbs().await;
    let item = backed_up(&client, &client.id_of("ecs-web-01")).await;
    let other = backed_up(&client, &client.id_of("ecs-web-02")).await;
    let id = item["id"].as_str().expect("id");
    let path = format!("/csbs_backup/{id}/tags");
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    for (key, value) in [("env", "test"), ("env", "prod")] {
        let body = json!({"tag": tag(key, value)});
        assert_eq!(client.call("POST", &path, body).await, (204, Value::Null));
    }
    let batch = json!({"action": "create", "tags": [tag("team", "db"), tag("tier", "1")]});
    assert_eq!(
        client
            .call("POST", &format!("{path}/action"), batch)
            .await
            .0,
        204
    );
    assert_eq!(
        client.get(&path).await,
        json!({"tags": [tag("env", "prod"), tag("team", "db"), tag("tier", "1")]})
    );
    let twice = json!({"action": "create", "tags": [tag("a", "1"), tag("a", "2")]});
    is(
        &client.call("POST", &format!("{path}/action"), twice).await,
        400,
        "CSBS.9001",
    );
    let many: Vec<Value> = (0..8).map(|n| tag(&format!("k{n}"), "v")).collect();
    let many = json!({"action": "create", "tags": many});
    is(
        &client.call("POST", &format!("{path}/action"), many).await,
        400,
        "CSBS.7000",
    );
    is(
        &client
            .call("POST", &path, json!({"tag": tag("a b", "c")}))
            .await,
        400,
        "CSBS.9001",
    );
    let delete = json!({"action": "delete", "tags": [{"key": "tier"}, {"key": "missing"}]});
    assert_eq!(
        client
            .call("POST", &format!("{path}/action"), delete)
            .await
            .0,
        204
    );
    is(
        &client
            .call("DELETE", &format!("{path}/tier"), Value::Null)
            .await,
        404,
        "CSBS.7001",
    );
    assert_eq!(
        client
            .call("DELETE", &format!("{path}/team"), Value::Null)
            .await,
        (204, Value::Null)
    );
    let body = json!({"tag": tag("env", "test")});
    let path = format!("/csbs_backup/{}/tags", other["id"].as_str().expect("id"));
    client.call("POST", &path, body).await;
    assert_eq!(
        client.get("/csbs_backup/tags").await,
        json!({"tags": [{"key": "env", "values": ["prod", "test"]}]})
    );

    let search = "/csbs_backup/resource_instances/action";
    let asked = json!({"action": "filter", "limit": "10", "offset": "0", "tags": [{"key": "env", "values": ["prod"]}]});
    let (_, found) = client.call("POST", search, asked).await;
    assert_eq!(found["total_count"], 1);
    assert_eq!(found["resources"][0]["resource_id"], id);
    assert_eq!(
        found["resources"][0]["resource_detail"]["status"],
        "available"
    );
    let asked = json!({"action": "count", "not_tags": [{"key": "env", "values": ["prod"]}]});
    assert_eq!(
        client.call("POST", search, asked).await,
        (200, json!({"total_count": 1}))
    );
    is(
        &client
            .call("POST", search, json!({"action": "count", "limit": "1"}))
            .await,
        400,
        "CSBS.9001",
    );
    is(
        &client
            .call("POST", search, json!({"action": "filter", "limit": 1}))
            .await,
        400,
        "CSBS.9001",
    );

    let made = policy(&client, "tagged", &[]).await;
    let path = format!(
        "/csbs_backup_policy/{}/tags",
        made["id"].as_str().expect("id")
    );
    assert_eq!(
        client
            .call("POST", &path, json!({"tag": tag("a", "")}))
            .await
            .0,
        204
    );
    assert_eq!(client.get(&path).await, json!({"tags": [tag("a", "")]}));
    is(
        &client
            .call("GET", "/csbs_backup_policy/x/tags", Value::Null)
            .await,
        404,
        "CSBS.3000",
    );
}

#[tokio::test]
async fn the_gateway_and_the_account_come_first() {
    let mut client = calm_csbs().await;
    let token = std::mem::take(&mut client.token);
    let refused = client.call("GET", "/policies", Value::Null).await;
    assert_eq!(refused.0, 401);
    assert_eq!(refused.1["error_code"], "APIGW.0301");
    assert!(refused.1["request_id"].is_string());
    client.token = token;
    for path in [
        "/nosuch",
        "/replication_capabilities",
        "/plans",
        "/protection_capabilities",
    ] {
        let answer = client.call("GET", path, Value::Null).await;
        assert_eq!(
            (answer.0, &answer.1["error_code"]),
            (404, &json!("APIGW.0101")),
            "{path}"
        );
    }
    let project = client.project.clone();
    client.base = client
        .base
        .replace(&project, "00000000000000000000000000000000");
    is(
        &client.call("GET", "/policies", Value::Null).await,
        400,
        "CSBS.9001",
    );
    client.base = client
        .base
        .replace("00000000000000000000000000000000", &project);
    for (account, status, code) in [
        ("migrated", 400, "BackupService.4003"),
        ("new", 400, "BackupService.4008"),
        ("unverified", 403, "CSBS.9009"),
    ] {
        client.switch("csbs.account", account);
        is(
            &client.call("GET", "/policies", Value::Null).await,
            status,
            code,
        );
    }
}

#[tokio::test]
async fn huawei_replicates() {
    let client = calm_csbs().await;
    client.switch("csbs.variant", "huawei");
    let regions = client.get("/replication_capabilities").await;
    assert_eq!(
        regions["regions"][0]["replication_destinations"][0],
        "cn-south-1"
    );
    let item = backed_up(&client, &client.id_of("ecs-web-01")).await;
    let id = item["id"].as_str().expect("id");
    let path = format!("{PROVIDER}/checkpoint_items/{id}/replicate");
    let body = |region: &str| json!({"replication": {"destination_region": region, "destination_project_id": "p"}});
    is(
        &client.call("POST", &path, body("mars")).await,
        500,
        "CSBS.8012",
    );
    let (status, answer) = client.call("POST", &path, body("cn-south-1")).await;
    assert_eq!(status, 200, "{answer}");
    is(
        &client.call("POST", &path, body("cn-south-1")).await,
        500,
        "CSBS.8015",
    );
    let delete = format!(
        "{PROVIDER}/checkpoints/{}",
        item["checkpoint_id"].as_str().expect("id")
    );
    let copying = client.call("DELETE", &delete, Value::Null).await;
    is(&copying, 500, "CSBS.5001");
    assert_eq!(copying.1["error_msg"], "copy executing");
    assert_eq!(client.get("/replication_records").await["count"], 0);
    client.advance(60);
    let records = client.get("/replication_records").await;
    assert_eq!(records["replication_records"][0]["status"], "success");
    assert_eq!(
        records["replication_records"][0]["id"],
        answer["replication"]["replication_record_id"]
    );
    let shown = client.get(&format!("/checkpoint_items/{id}")).await;
    assert_eq!(
        shown["checkpoint_item"]["extend_info"]["copy_status"],
        "success"
    );
}
