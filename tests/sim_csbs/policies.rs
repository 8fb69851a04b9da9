//! Policies: what can be set, when they run, what they keep.

use crate::{PATTERN, PROVIDER, calm_csbs, execute, is, policy, policy_body};
use serde_json::{Value, json};

#[tokio::test]
async fn policies_are_made_shown_changed_and_deleted() {
    let client = calm_csbs().await;
    let made = policy(&client, "nightly", &["ecs-web-01", "ecs-web-02"]).await;
    assert_eq!(made["status"], "suspended");
    assert_eq!(made["project_id"], client.project.as_str());
    let operation = &made["scheduled_operations"][0];
    assert_eq!(operation["enabled"], true);
    assert_eq!(operation["operation_definition"]["max_backups"], 3);
    assert_eq!(operation["operation_definition"]["plan_id"], made["id"]);
    assert_eq!(operation["trigger"]["name"], "default");
    assert_eq!(operation["trigger"]["type"], "time");
    assert_eq!(operation["trigger"]["id"], operation["trigger_id"]);
    assert_eq!(operation["trigger"]["properties"]["pattern"], PATTERN);
    assert_eq!(
        operation["trigger"]["properties"]["start_time"],
        "2026-03-05 00:00:00"
    );
    client.switch("csbs.numbers", "text");
    let path = format!("/policies/{}", made["id"].as_str().expect("id"));
    let shown = client.get(&path).await;
    assert_eq!(
        shown["policy"]["scheduled_operations"][0]["operation_definition"]["max_backups"],
        "3"
    );
    client.switch("csbs.numbers", "typed");

    let update = |change: Value| json!({"policy": change});
    let disable = json!({"scheduled_operations": [{"id": operation["id"], "enabled": false}]});
    let (status, off) = client.call("PUT", &path, update(disable.clone())).await;
    assert_eq!(status, 200);
    let off = &off["policy"]["scheduled_operations"][0];
    assert_eq!(off["enabled"], false);
    assert!(off.get("trigger_id").is_none());
    assert_eq!(off["operation_definition"]["max_backups"], 3);
    let renamed = json!({"name": "renamed", "scheduled_operations": [{"id": operation["id"]}]});
    let (_, on) = client.call("PUT", &path, update(renamed)).await;
    assert_eq!(on["policy"]["name"], "renamed");
    assert_eq!(on["policy"]["scheduled_operations"][0]["enabled"], true);

    let server = client.id_of("ecs-web-01");
    is(
        &client
            .call("POST", "/policies", policy_body("renamed", &[]))
            .await,
        400,
        "CSBS.9007",
    );
    is(
        &client
            .call("POST", "/policies", policy_body("other", &[server]))
            .await,
        400,
        "CSBS.6004",
    );
    is(
        &client
            .call(
                "POST",
                "/policies",
                policy_body("other", &["nosuch".into()]),
            )
            .await,
        400,
        "CSBS.6000",
    );
    is(
        &client.call("GET", "/policies/nosuch", Value::Null).await,
        404,
        "CSBS.3000",
    );
    let wrong = json!({"scheduled_operations": [{"enabled": false}]});
    is(
        &client.call("PUT", &path, update(wrong)).await,
        400,
        "CSBS.9001",
    );
    client.switch("csbs.backend", "down");
    is(
        &client.call("PUT", &path, update(disable)).await,
        500,
        "CSBS.5001",
    );
    client.switch("csbs.backend", "up");
    for number in 0..31 {
        let (status, _) = client
            .call("POST", "/policies", policy_body(&format!("p{number}"), &[]))
            .await;
        assert_eq!(status, 200);
    }
    is(
        &client
            .call("POST", "/policies", policy_body("p32", &[]))
            .await,
        400,
        "CSBS.0001",
    );
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (200, Value::Null)
    );
    is(
        &client.call("DELETE", &path, Value::Null).await,
        404,
        "CSBS.3000",
    );
    let list = client.get("/policies?name=p3").await;
    assert_eq!(list["policies"].as_array().map(Vec::len), Some(1));
    let sorted = client
        .get("/policies?sort=name%3Aasc&limit=2&offset=1")
        .await;
    assert_eq!(sorted["policies"][0]["name"], "p1");
}

#[tokio::test]
async fn schedules_fire_in_virtual_time_and_keep_what_they_should() {
    let mut client = calm_csbs().await;
    let made = policy(&client, "twice-a-day", &["ecs-web-01", "ecs-rac-01"]).await;
    let id = made["id"].as_str().expect("id");
    let next = client.control("GET", &format!("csbs/policies/{id}"), Value::Null);
    assert_eq!(
        next,
        json!({"next": "2026-03-05T01:30:00Z", "running": false})
    );
    client.advance(5_400);
    let running = client.get("/checkpoint_items?status=protecting").await;
    assert_eq!(
        running["checkpoint_items"].as_array().map(Vec::len),
        Some(1)
    );
    let failed = client.get("/checkpoint_items?status=error").await;
    assert_eq!(
        failed["checkpoint_items"][0]["extend_info"]["fail_code"]["Code"],
        "CSBS.6010"
    );
    assert_eq!(
        failed["checkpoint_items"][0]["created_at"],
        "2026-03-05T01:30:00.000000"
    );
    is(&execute(&client, &made).await, 500, "CSBS.6030");
    // Ten days: twenty more runs, of which three good and ten failed backups are kept.
    client.advance(864_000);
    client.log_in().await;
    assert_eq!(client.counted("csbs.policy.run.auto"), 21);
    let path = format!("/checkpoint_items/count?policy_id={id}&status=");
    assert_eq!(
        client.get(&format!("{path}available")).await,
        json!({"count": 3})
    );
    assert_eq!(
        client.get(&format!("{path}error")).await,
        json!({"count": 10})
    );

    let operation = json!([{"id": made["scheduled_operations"][0]["id"], "enabled": false}]);
    let off = json!({"policy": {"scheduled_operations": operation}});
    client.call("PUT", &format!("/policies/{id}"), off).await;
    client.advance(864_000);
    assert_eq!(client.counted("csbs.policy.run.auto"), 21);
}

#[tokio::test]
async fn a_policy_runs_once_for_each_request_and_not_while_it_runs() {
    let client = calm_csbs().await;
    let made = policy(
        &client,
        "by-hand",
        &["ecs-web-01", "ecs-app-01", "ecs-pxe-01"],
    )
    .await;
    let (status, answer) = execute(&client, &made).await;
    assert_eq!(status, 200, "{answer}");
    let plan = &answer["checkpoint"]["protection_plan"];
    assert_eq!(plan["id"], made["id"]);
    assert_eq!(plan["name"], "by-hand");
    assert_eq!(
        answer["checkpoint"]["extra_info"],
        "{\"created_by\": \"manual\"}"
    );
    is(&execute(&client, &made).await, 500, "CSBS.1001");
    let delete = format!("/policies/{}", made["id"].as_str().expect("id"));
    is(
        &client.call("DELETE", &delete, Value::Null).await,
        400,
        "CSBS.2004",
    );
    let journal = client.control("GET", "journal", Value::Null);
    let started: Vec<&Value> = journal
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["what"] == "csbs.backup.started")
        .collect();
    assert_eq!(started.len(), 2);
    assert_eq!(started[0]["request_id"], started[1]["request_id"]);
    let checkpoint = answer["checkpoint"]["id"].as_str().expect("id");
    client.advance(600);
    let list = client
        .get(&format!(
            "/checkpoint_items?checkpoint_id={checkpoint}&sort=status:asc"
        ))
        .await;
    let statuses: Vec<&Value> = list["checkpoint_items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| &item["status"])
        .collect();
    assert_eq!(statuses, ["available", "available", "error"]);

    let only = json!({"checkpoint": {"plan_id": made["id"], "parameters": {"resources": [client.id_of("ecs-pxe-01")]}}});
    let path = format!("{PROVIDER}/checkpoints");
    is(&client.call("POST", &path, only).await, 500, "CSBS.6032");
    let empty = policy(&client, "empty", &[]).await;
    is(&execute(&client, &empty).await, 500, "CSBS.6032");
    is(
        &execute(&client, &json!({"id": "nosuch"})).await,
        404,
        "CSBS.3000",
    );
    let bare = json!({"checkpoint": {"plan_id": made["id"]}});
    is(&client.call("POST", &path, bare).await, 400, "CSBS.9001");
    client.switch("csbs.policy_bad_server", "skip");
    let (_, answer) = execute(&client, &made).await;
    let resources = answer["checkpoint"]["protection_plan"]["resources"].as_array();
    assert_eq!(resources.map(Vec::len), Some(2));
}

#[tokio::test]
async fn one_backup_of_a_running_policy_is_not_deleted() {
    let client = calm_csbs().await;
    let made = policy(&client, "pair", &["ecs-pxe-01", "ecs-web-01"]).await;
    let (_, answer) = execute(&client, &made).await;
    let checkpoint = answer["checkpoint"]["id"].as_str().expect("id");
    let failed = client
        .get(&format!(
            "/checkpoint_items?checkpoint_id={checkpoint}&status=error"
        ))
        .await;
    let item = failed["checkpoint_items"][0]["id"].as_str().expect("id");
    let path = format!("{PROVIDER}/checkpoints/{checkpoint}?checkpoint_items={item}");
    is(
        &client.call("DELETE", &path, Value::Null).await,
        400,
        "CSBS.2004",
    );
}
