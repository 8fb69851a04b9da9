//! Jobs: their states, their parts, and where the ids stand.

use serde_json::{Value, json};

use crate::{act, calm_sdrs, free_server, group, id, is, job, protect, show, succeeds};

#[tokio::test]
async fn a_job_walks_from_init_to_success_while_its_group_moves() {
    let client = calm_sdrs().await;
    let group = group(&client, "available").await;
    let answer = act(&client, &group, json!({"start-server-group": {}})).await;
    let first = job(&client, &answer).await;
    assert_eq!(first["status"], "INIT");
    assert_eq!(first["job_type"], "startProtectionGroupNoCG");
    assert_eq!(first["end_time"], Value::Null);
    assert_eq!(first["job_id"].as_str().map(str::len), Some(32));
    // The parent holds no id at all: it stands in the part.
    assert_eq!(first["entities"].as_object().map(|map| map.len()), Some(1));
    assert_eq!(
        first["entities"]["sub_jobs"][0]["entities"]["server_group_id"],
        group["id"]
    );
    client.advance(3);
    let running = job(&client, &answer).await;
    assert_eq!(running["status"], "RUNNING");
    assert_eq!(running["entities"]["sub_jobs"][0]["status"], "INIT");
    let mut last = -1;
    let mut seen = Vec::new();
    loop {
        let now = show(&client, "server-groups", &group).await;
        if now["status"] != "starting" {
            break;
        }
        let progress = now["progress"].as_i64().expect("a number");
        assert!(progress >= last, "{progress} after {last}");
        last = progress;
        seen.push(progress);
        client.advance(4);
    }
    assert!(seen.len() > 3 && last > 50, "{seen:?}");
    let over = job(&client, &answer).await;
    assert_eq!(over["status"], "SUCCESS");
    assert!(
        over["begin_time"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    assert_eq!(over["error_code"], Value::Null);
    assert_eq!(over["entities"]["sub_jobs"][0]["status"], "SUCCESS");
    let now = show(&client, "server-groups", &group).await;
    assert_eq!(now["status"], "protected");
    client.switch("sdrs.job_end_time", "absent");
    assert!(over["end_time"].is_string());
}

#[tokio::test]
async fn a_part_can_be_asked_for_and_an_unknown_job_is_refused() {
    let client = calm_sdrs().await;
    let group = group(&client, "available").await;
    let answer = act(&client, &group, json!({"start-server-group": {}})).await;
    let part = job(&client, &answer).await["entities"]["sub_jobs"][0].clone();
    let path = format!("/jobs/{}", part["job_id"].as_str().expect("an id"));
    assert_eq!(client.get(&path).await, part);
    client.switch("sdrs.job_end_time", "absent");
    assert!(job(&client, &answer).await.get("end_time").is_none());
    let unknown = "/jobs/ff8080826adfae02016ae2d123fc05ed";
    is(
        &client.call("GET", unknown, Value::Null).await,
        400,
        "SDRS.0201",
    );
    client.switch("sdrs.unknown_job", "404");
    assert_eq!(client.call("GET", unknown, Value::Null).await.0, 404);
}

#[tokio::test]
async fn creating_an_instance_makes_a_pair_for_each_disk() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let server = free_server(&client, &group).await;
    let answer = protect(&client, &group, &server).await;
    let now = job(&client, &answer).await;
    let disks = server["volumes"].as_array().expect("volumes").len();
    let parts = now["entities"]["sub_jobs"].as_array().expect("parts");
    assert_eq!(parts.len(), disks);
    assert_eq!(parts[0]["job_type"], "createReplicationPairNoCG");
    let instance = json!({"id": now["entities"]["protected_instance_id"]});
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "creating"
    );
    // CSBS and whoever else looks sees that the server is in use.
    let held = client.server(id(&server), json!({}))["held_by"].clone();
    assert_eq!(held.as_array().map(Vec::len), Some(1));
    succeeds(&client, answer).await;
    let made = show(&client, "protected-instances", &instance).await;
    assert_eq!(made["status"], "protected");
    assert_eq!(made["attachment"].as_array().map(Vec::len), Some(disks));
    let pair = json!({"id": parts[0]["entities"]["replication_pair_id"]});
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "protected"
    );
    assert_eq!(client.server(id(&server), json!({}))["held_by"], json!([]));
    is(&protect(&client, &group, &server).await, 400, "SDRS.1305");
}

#[tokio::test]
async fn batches_answer_202_and_wait_for_their_parts() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let server = free_server(&client, &group).await;
    let body = json!({"protected_instances": {
        "name_prefix": "many", "server_group_id": group["id"], "servers": [{"server_id": server["id"]}],
    }});
    let answer = client
        .call("POST", "/protected-instances/batch", body.clone())
        .await;
    assert_eq!(answer.0, 202);
    assert_eq!(job(&client, &answer).await["status"], "INIT");
    let over = succeeds(&client, answer).await;
    let made = over["entities"]["sub_jobs"][0]["entities"]["protected_instance_id"].clone();
    let name = show(&client, "protected-instances", &json!({"id": made})).await["name"].clone();
    assert_eq!(name, "many-0001");
    let twice = json!({"protected_instances": {
        "name_prefix": "many", "server_group_id": group["id"],
        "servers": [{"server_id": server["id"]}, {"server_id": server["id"]}],
    }});
    is(
        &client
            .call("POST", "/protected-instances/batch", twice)
            .await,
        400,
        "SDRS.1361",
    );
    let body = json!({"protected_instances": [{"id": made}]});
    let answer = client
        .call("POST", "/protected-instances/delete", body.clone())
        .await;
    assert_eq!(answer.0, 202);
    succeeds(&client, answer).await;
    is(
        &client
            .call("POST", "/protected-instances/delete", body)
            .await,
        400,
        "SDRS.1320",
    );
}
