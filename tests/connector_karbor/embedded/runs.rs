//! Runs, deletions, restores and verifications: their statuses, and why they fail.

use serde_json::{Value, json};

use super::{
    INFRA, NOOP, bare, checkpoint, cloud, delete, logs, plan, reason, restore, run, server,
    server_plan, until,
};

#[tokio::test]
async fn a_run_is_seen_to_begin_and_to_end() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let id = run(&client, INFRA, &plan).await;
    let now = checkpoint(&client, INFRA, &id).await;
    assert_eq!(now["status"], "protecting");
    // The server's disks hang on it, though the plan names none.
    let (_, disks) = server(&client, "ecs-web-01");
    let graph = now["resource_graph"].as_str().expect("a text");
    assert!(disks.iter().all(|disk| graph.contains(disk.as_str())));
    let log = &logs(&client, "limit=1").await[0];
    assert_eq!(
        (&log["status"], &log["ended_at"]),
        (&json!("protecting"), &Value::Null)
    );
    until(&client, INFRA, &id, "available").await;
    let log = &logs(&client, "limit=1").await[0];
    assert_eq!(
        (&log["status"], &log["error_info"]),
        (&json!("available"), &Value::Null)
    );
    assert!(log["ended_at"].as_str() > log["started_at"].as_str());
}

#[tokio::test]
async fn failures_have_a_reason_in_the_world_and_go_away_with_it() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let (_, disks) = server(&client, "ecs-web-01");
    for (break_it, mend_it, why) in [
        (
            json!({"volumes": [{"index": 0, "broken": true}]}),
            json!({"volumes": [{"index": 0, "broken": false}]}),
            "errorneous state",
        ),
        (
            json!({"state": "deleted"}),
            json!({"state": "active"}),
            "could not be found",
        ),
    ] {
        client.server("ecs-web-01", break_it);
        let id = run(&client, INFRA, &plan).await;
        until(&client, INFRA, &id, "error").await;
        assert!(reason(&client).contains(why), "{}", reason(&client));
        client.server("ecs-web-01", mend_it);
        let id = run(&client, INFRA, &plan).await;
        until(&client, INFRA, &id, "available").await;
    }
    // A service that goes away in the middle takes the run with it.
    let id = run(&client, INFRA, &plan).await;
    cloud(&client, json!({"cinder": false}));
    until(&client, INFRA, &id, "error").await;
    assert!(reason(&client).contains("cinder"));
    cloud(&client, json!({"cinder": true}));
    let quota = json!({"name": "cinder.backup_gigabytes", "limit": 1});
    client.control("POST", "quotas", quota);
    let id = run(&client, INFRA, &plan).await;
    until(&client, INFRA, &id, "error").await;
    assert!(reason(&client).contains("quota"), "{}", reason(&client));
    assert_eq!(logs(&client, "status=error").await.len(), 4);
    assert!(
        logs(&client, "status=error")
            .await
            .iter()
            .all(|log| log["error_info"].is_null())
    );
    let gone = format!("instances/{}/gone", disks[0]);
    client.control("POST", &gone, Value::Null);
    assert!(
        !client.server("ecs-web-01", json!({}))["volumes"]
            .to_string()
            .contains(&disks[0])
    );
}

#[tokio::test]
async fn a_deleted_checkpoint_leaves_the_list_and_a_failed_one_can_not_be_deleted() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let id = run(&client, INFRA, &plan).await;
    let (status, body) = delete(&client, INFRA, &id).await;
    assert_eq!(status, 500, "while it is being made");
    assert!(body.to_string().contains("can not be deleted"));
    until(&client, INFRA, &id, "available").await;
    assert_eq!(delete(&client, INFRA, &id).await, (200, json!({})));
    assert_eq!(checkpoint(&client, INFRA, &id).await["status"], "deleting");
    until(&client, INFRA, &id, "deleted").await;
    let list = client.get(&format!("/providers/{INFRA}/checkpoints")).await;
    assert_eq!(list["checkpoints"], json!([]));
    // The deletion calls itself a protection.
    let log = &logs(&client, "limit=1").await[0];
    assert_eq!(
        (&log["operation_type"], &log["status"]),
        (&json!("protect"), &json!("deleted"))
    );
    client.server(
        "ecs-web-01",
        json!({"volumes": [{"index": 0, "broken": true}]}),
    );
    let id = run(&client, INFRA, &plan).await;
    until(&client, INFRA, &id, "error").await;
    assert_eq!(delete(&client, INFRA, &id).await.0, 200);
    until(&client, INFRA, &id, "error-deleting").await;
    assert_eq!(
        delete(&client, INFRA, &id).await.0,
        500,
        "and it stays for good"
    );
    let path = format!("/providers/{INFRA}/checkpoints/{id}");
    let reset = json!({"os-resetState": {"state": "error"}});
    assert_eq!(client.call("PUT", &path, reset).await.0, 400);
}

#[tokio::test]
async fn a_run_that_no_plugin_can_do_protects_for_good() {
    let client = bare().await;
    let whole = json!([{"id": client.project, "type": "OS::Keystone::Project", "name": "all"}]);
    let plan = plan(&client, "whole", INFRA, whole).await;
    let path = format!("/providers/{INFRA}/checkpoints");
    let body = json!({"checkpoint": {"plan_id": plan}});
    let (status, body) = client.call("POST", &path, body).await;
    assert_eq!(status, 400);
    assert!(body["badRequest"]["message"].as_str().is_some_and(|text| {
        text.ends_with("Protection Plugin for OS::Keystone::Project could not be found.")
    }));
    client.advance(40_000);
    let log = &logs(&client, "limit=1").await[0];
    assert_eq!(
        (&log["status"], &log["ended_at"]),
        (&json!("protecting"), &Value::Null)
    );
}

#[tokio::test]
async fn a_restore_answers_200_even_when_it_fails_at_once() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let id = run(&client, INFRA, &plan).await;
    assert_eq!(
        restore(&client, INFRA, &id).await["status"],
        "fail",
        "too early"
    );
    until(&client, INFRA, &id, "available").await;
    let made = restore(&client, INFRA, &id).await;
    assert_eq!(made["status"], "in_progress");
    let path = format!("/restores/{}", made["id"].as_str().expect("an id"));
    client.advance(20_000);
    let now = client.get(&path).await["restore"].clone();
    assert_eq!(now["status"], "success");
    let statuses = now["resources_status"].as_object().expect("an object");
    assert!(statuses.values().all(|status| status == "available"));
    assert!(
        statuses
            .keys()
            .any(|key| key.starts_with("OS::Nova::Server#"))
    );
    // What it made is there.
    let servers = client.get("/protectables/OS::Nova::Server/instances").await;
    assert!(servers.to_string().contains("karbor-restore-server"));
    let made = restore(&client, INFRA, &id).await;
    cloud(&client, json!({"cinder": false}));
    client.advance(20_000);
    let path = format!("/restores/{}", made["id"].as_str().expect("an id"));
    let now = client.get(&path).await["restore"].clone();
    assert_eq!(now["status"], "fail");
    assert!(
        now["resources_reason"]
            .to_string()
            .contains("Error creating volume")
    );
    assert_eq!(
        logs(&client, "status=fail").await.len(),
        1,
        "of the one that had begun"
    );
}

#[tokio::test]
async fn verifications_succeed_where_the_plugins_can() {
    let client = bare().await;
    for (provider, at_once, later) in [(INFRA, "in_progress", "success"), (NOOP, "fail", "fail")] {
        let plan = server_plan(&client, provider).await;
        let id = run(&client, provider, &plan).await;
        until(&client, provider, &id, "available").await;
        let body = json!({"verification": {"provider_id": provider, "checkpoint_id": id}});
        let (status, body) = client.call("POST", "/verifications", body).await;
        assert_eq!(
            (status, &body["verification"]["status"]),
            (200, &json!(at_once))
        );
        client.advance(60);
        let path = format!(
            "/verifications/{}",
            body["verification"]["id"].as_str().expect("an id")
        );
        assert_eq!(client.get(&path).await["verification"]["status"], later);
    }
    // The line of the one that could not begin stays open.
    let open = logs(&client, "status=in_progress").await;
    assert_eq!((open.len(), &open[0]["ended_at"]), (1, &Value::Null));
}

#[tokio::test]
async fn processes_that_are_down_forget_and_refuse() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let id = run(&client, INFRA, &plan).await;
    cloud(&client, json!({"protection": false}));
    client.advance(20_000);
    let body = json!({"checkpoint": {"plan_id": plan}});
    let path = format!("/providers/{INFRA}/checkpoints");
    let (status, body) = client.call("POST", &path, body).await;
    assert_eq!(status, 400);
    assert!(body.to_string().contains("Timed out waiting for a reply"));
    cloud(&client, json!({"protection": true}));
    client.advance(20_000);
    assert_eq!(
        checkpoint(&client, INFRA, &id).await["status"],
        "protecting"
    );
    cloud(&client, json!({"bank": false}));
    assert_eq!(client.call("GET", &path, Value::Null).await.0, 500);
}

#[tokio::test]
async fn copies_wait_for_good_unless_a_plugin_can_make_them() {
    let client = bare().await;
    let plan = server_plan(&client, INFRA).await;
    let id = run(&client, INFRA, &plan).await;
    until(&client, INFRA, &id, "available").await;
    let path = format!("/providers/{INFRA}/checkpoints/action");
    let body = json!({"copy": {"plan_id": plan, "parameters": {}}});
    assert_eq!(client.call("POST", &path, body.clone()).await.0, 500);
    client.advance(3_600);
    assert_eq!(logs(&client, "status=wait_copying").await.len(), 1);
    client.switch("karbor.copy", "works");
    let (status, answer) = client.call("POST", &path, body).await;
    assert_eq!(status, 200);
    let copies = answer["copy"]["checkpoint_id"].as_array().expect("a list");
    assert_eq!(copies[0]["checkpoint_protect_id"], id);
    let copy = copies[0]["checkpoint_copy_id"].as_str().expect("an id");
    let now = until(&client, INFRA, copy, "available").await;
    assert_eq!(now["extra_info"], r#"{"copy_status": "finished"}"#);
}

#[tokio::test]
async fn quotas_hold_until_an_administrator_changes_them() {
    let client = bare().await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "karbor.plans", "limit": 1}),
    );
    let plan = server_plan(&client, NOOP).await;
    let (resource, _) = server(&client, "ecs-web-01");
    let another = json!({"plan": {"name": "b", "provider_id": NOOP, "resources": [resource], "parameters": {}}});
    let (status, body) = client.call("POST", "/plans", another.clone()).await;
    assert_eq!(status, 413);
    assert_eq!(
        body["overLimit"],
        json!({"code": 413, "message": "Maximum number of plans allowed (1) exceeded", "retryAfter": "0"})
    );
    let path = format!("/quotas/{}", client.project);
    let more = json!({"quota": {"plans": 2, "checkpoints": 0}});
    assert_eq!(client.call("PUT", &path, more.clone()).await.0, 403);
    client.switch("karbor.role", "admin");
    assert_eq!(client.call("PUT", &path, more).await.0, 200);
    assert_eq!(client.call("POST", "/plans", another).await.0, 200);
    let body = json!({"checkpoint": {"plan_id": plan}});
    let path = format!("/providers/{NOOP}/checkpoints");
    assert_eq!(client.call("POST", &path, body).await.0, 413);
}
