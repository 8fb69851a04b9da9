//! Backing up: the walk, refusals and failures with a reason in the world, deletes.

use crate::{
    PROVIDER, TYPE, backed_up, calm_csbs, execute, is, only_item, policy, protect, restore_body,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_backup_walks_from_protecting_to_available() {
    let client = calm_csbs().await;
    let server = client.id_of("ecs-web-01");
    let (status, answer) = protect(&client, &server).await;
    assert_eq!(status, 200);
    let plan = &answer["checkpoint"]["protection_plan"];
    assert!(plan["id"].as_str().expect("id").starts_with("fake_"));
    assert_eq!(plan["name"], format!("server protect plan for {server}"));
    assert_eq!(plan["resources"][0]["extra_info"], "{}");
    assert_eq!(answer["checkpoint"]["status"], "protecting");

    let item = only_item(&client, &answer).await;
    assert_eq!(item["status"], "protecting");
    assert_eq!(item["extend_info"]["progress"], 0);
    assert_eq!(item["extend_info"]["fail_code"], json!({}));
    assert_eq!(item["created_at"], "2026-03-05T00:00:00.000000");
    client.advance(20);
    let item = only_item(&client, &answer).await;
    let progress = item["extend_info"]["progress"].as_u64().expect("a number");
    assert!((1..100).contains(&progress), "{progress}");
    client.advance(600);
    let id = item["id"].as_str().expect("id");
    let shown = client.get(&format!("/checkpoint_items/{id}")).await;
    let item = &shown["checkpoint_item"];
    assert_eq!(item["status"], "available");
    assert_eq!(item["extend_info"]["progress"], 100);
    assert!(item["extend_info"]["finished_at"].is_string());
    assert_eq!(item["extend_info"]["incremental"], false);
    assert_eq!(item["extend_info"]["resource_name"], "ecs-web-01");
    assert_eq!(client.counted("csbs.backup.started"), 1);
    assert_eq!(client.counted("csbs.backup.done"), 1);

    let second = backed_up(&client, &server).await;
    assert_eq!(second["extend_info"]["incremental"], true);
}

#[tokio::test]
async fn each_refusal_has_a_reason_in_the_world_and_ends_with_it() {
    let client = calm_csbs().await;
    let id = client.id_of("ecs-web-01");
    let refusals = [
        (json!({"state": "stopped"}), 400, "CSBS.6005"),
        (json!({"state": "migrating"}), 400, "CSBS.6005"),
        (json!({"state": "error"}), 400, "CSBS.6006"),
        (json!({"state": "deleted"}), 400, "CSBS.6001"),
        (json!({"az": "eu-de-03"}), 400, "CSBS.6027"),
        (json!({"volumes": [{"shared": true}]}), 400, "CSBS.6010"),
        (json!({"volumes": [{"storage": "dss"}]}), 400, "CSBS.6033"),
        (json!({"volumes": [{"storage": "dess"}]}), 400, "CSBS.6034"),
    ];
    let fine = json!({"state": "active", "az": "eu-de-01", "volumes": [{"shared": false, "storage": "common"}]});
    let check = format!("{PROVIDER}/resources/action");
    let asked = json!({"check_protectable": [{"resource_id": id, "resource_type": TYPE}]});
    for (change, status, code) in refusals {
        client.server("ecs-web-01", change.clone());
        let refused = protect(&client, &id).await;
        is(&refused, status, code);
        let (_, checked) = client.call("POST", &check, asked.clone()).await;
        let row = &checked["protectable"][0];
        assert_eq!(row["result"], false, "{change}");
        assert_eq!(row["error_code"], code);
        assert_eq!(row["error_msg"], refused.1["error_msg"]);
        client.server("ecs-web-01", fine.clone());
        let (_, checked) = client.call("POST", &check, asked.clone()).await;
        assert_eq!(
            checked["protectable"][0],
            json!({"resource_id": id, "resource_type": TYPE, "result": true})
        );
    }
    is(
        &protect(&client, "3e2f0b52-0000-4000-8000-000000000000").await,
        400,
        "CSBS.6000",
    );
    let path = format!("{PROVIDER}/resources/{id}/action");
    let typed = json!({"protect": {"resource_type": "OS::Cinder::Volume"}});
    is(&client.call("POST", &path, typed).await, 400, "CSBS.6003");
    let elsewhere = path.replace("fc4d5750", "c714180d");
    is(
        &client
            .call("POST", &elsewhere, json!({"protect": {}}))
            .await,
        400,
        "CSBS.9001",
    );
    is(
        &client
            .call("POST", &path, json!({"protect": {"backup_name": "a b"}}))
            .await,
        400,
        "CSBS.9001",
    );
    assert_eq!(client.counted("csbs.backup.started"), 0);

    client.control(
        "POST",
        "quotas",
        json!({"name": "csbs.backups", "limit": 1}),
    );
    backed_up(&client, &id).await;
    let full = protect(&client, &id).await;
    is(&full, 400, "CSBS.9006");
    assert_eq!(full.1["error_msg"], "Quota exceeded for resources: backups");
    client.control(
        "POST",
        "quotas",
        json!({"name": "csbs.backups", "limit": 2}),
    );
    assert_eq!(backed_up(&client, &id).await["status"], "available");

    client.server("ecs-web-01", json!({"no_volumes": true}));
    is(&protect(&client, &id).await, 400, "CSBS.6007");
}

#[tokio::test]
async fn a_server_that_goes_down_meanwhile_fails_its_backup_until_it_is_back() {
    let client = calm_csbs().await;
    let id = client.id_of("ecs-db-01");
    let (_, answer) = protect(&client, &id).await;
    is(&protect(&client, &id).await, 400, "CSBS.6005");
    client.server("ecs-db-01", json!({"state": "stopped"}));
    client.advance(600);
    let item = only_item(&client, &answer).await;
    assert_eq!(item["status"], "error");
    let info = &item["extend_info"];
    assert_eq!(info["fail_op"], "backup");
    assert_eq!(info["fail_code"]["Code"], "CSBS.6005");
    assert_eq!(
        info["fail_code"]["Description"],
        format!("Server ({id}) is already in service.")
    );
    assert_eq!(info["fail_reason"], info["fail_code"]["Description"]);
    assert!(info.get("finished_at").is_none());
    for (form, code) in [("digits", json!("6005")), ("number", json!(6005))] {
        client.switch("csbs.fail_code", form);
        assert_eq!(
            only_item(&client, &answer).await["extend_info"]["fail_code"]["Code"],
            code
        );
    }
    client.server("ecs-db-01", json!({"state": "active"}));
    assert_eq!(backed_up(&client, &id).await["status"], "available");

    client.switch("csbs.backend", "down");
    let item = backed_up(&client, &id).await;
    assert_eq!(item["extend_info"]["fail_reason"], "backup failed");
    client.switch("csbs.backend", "up");
    let list = client.get("/checkpoint_items?status=error").await;
    assert_eq!(list["checkpoint_items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn operations_wait_first_when_that_is_switched_on() {
    let client = calm_csbs().await;
    client.switch("csbs.waiting_seconds", "15");
    let server = client.server("ecs-web-01", json!({}));
    let (_, answer) = protect(&client, server["id"].as_str().expect("id")).await;
    assert_eq!(
        only_item(&client, &answer).await["status"],
        "waiting_protect"
    );
    client.advance(16);
    assert_eq!(only_item(&client, &answer).await["status"], "protecting");
    client.advance(600);
    let item = only_item(&client, &answer).await;
    assert_eq!(item["status"], "available");
    let (status, _) = client
        .call("POST", "/restores", restore_body(&item, &server))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        only_item(&client, &answer).await["status"],
        "waiting_restore"
    );
    client.advance(16);
    assert_eq!(only_item(&client, &answer).await["status"], "restoring");
    client.advance(600);
    let path = format!(
        "{PROVIDER}/checkpoints/{}",
        item["checkpoint_id"].as_str().expect("id")
    );
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (200, json!({}))
    );
    assert_eq!(
        only_item(&client, &answer).await["status"],
        "waiting_delete"
    );
    client.advance(600);
    let checkpoint = item["checkpoint_id"].as_str().expect("id");
    let gone = client
        .get(&format!("/checkpoint_items?checkpoint_id={checkpoint}"))
        .await;
    assert_eq!(gone["checkpoint_items"], json!([]));
}

#[tokio::test]
async fn deletes_are_refused_queued_and_carried_out() {
    let client = calm_csbs().await;
    let id = client.id_of("ecs-web-01");
    let (_, answer) = protect(&client, &id).await;
    let path = format!(
        "{PROVIDER}/checkpoints/{}",
        answer["checkpoint"]["id"].as_str().expect("id")
    );
    is(
        &client.call("DELETE", &path, Value::Null).await,
        400,
        "CSBS.2003",
    );
    client.advance(600);
    let item = only_item(&client, &answer).await;
    let item_id = item["id"].as_str().expect("id");
    client.control(
        "POST",
        &format!("csbs/items/{item_id}"),
        json!({"image": true}),
    );
    let refused = client.call("DELETE", &path, Value::Null).await;
    is(&refused, 400, "CSBS.8007");
    assert_eq!(
        refused.1["error_msg"],
        format!("The backup {item_id} has register to image, can't be delete")
    );
    client.control(
        "POST",
        &format!("csbs/items/{item_id}"),
        json!({"image": false}),
    );
    let one = format!("{path}?checkpoint_items={item_id}");
    assert_eq!(
        client.call("DELETE", &one, Value::Null).await,
        (200, json!({}))
    );
    assert_eq!(only_item(&client, &answer).await["status"], "deleting");
    is(
        &client.call("DELETE", &one, Value::Null).await,
        400,
        "CSBS.2003",
    );
    client.advance(600);
    is(
        &client
            .call("GET", &format!("/checkpoint_items/{item_id}"), Value::Null)
            .await,
        404,
        "CSBS.3001",
    );
    is(
        &client.call("DELETE", &one, Value::Null).await,
        404,
        "CSBS.3001",
    );
    let quotas = client.get("/quotas").await;
    assert_eq!(
        quotas["quotas"]["resources"][1],
        json!({"type": "backups", "quota": 600, "used": 0})
    );
    assert_eq!(quotas["quotas"]["resources"][0]["used"], 0);

    let names = [
        "ecs-web-01",
        "ecs-app-01",
        "ecs-db-01",
        "ecs-mail-01",
        "ecs-cache-01",
        "ecs-file-01",
        "ecs-erp-01",
    ];
    let made = policy(&client, "seven", &names).await;
    let (_, answer) = execute(&client, &made).await;
    let path = format!(
        "{PROVIDER}/checkpoints/{}",
        answer["checkpoint"]["id"].as_str().expect("id")
    );
    let all = client.get("/checkpoint_items").await;
    let first = all["checkpoint_items"][0]["id"]
        .as_str()
        .expect("id")
        .to_owned();
    client.server("ecs-web-01", json!({"state": "error"}));
    client.advance(600);
    client.server("ecs-web-01", json!({"state": "active"}));
    assert_eq!(client.call("DELETE", &path, Value::Null).await.0, 200);
    is(
        &client
            .call(
                "DELETE",
                &format!("{path}?checkpoint_items={first}"),
                Value::Null,
            )
            .await,
        400,
        "CSBS.2003",
    );
    client.advance(13);
    let left = client.get("/checkpoint_items/count?status=deleting").await;
    let left = left["count"].as_u64().expect("a number");
    assert!(
        (1..=6).contains(&left),
        "five at once, and then the next: {left}"
    );
    client.advance(60);
    assert_eq!(
        client.get("/checkpoint_items/count").await,
        json!({"count": 0})
    );
    assert_eq!(client.counted("csbs.delete.done"), 8);
}
