//! The four actions on a group: from which states, through which, to which, and for what reasons they fail.

use serde_json::{Value, json};

use crate::{act, calm_sdrs, failed, fails, group, id, is, members, power, show, succeeds};

fn start() -> Value {
    json!({"start-server-group": {}})
}

fn stop() -> Value {
    json!({"stop-server-group": {}})
}

fn failover() -> Value {
    json!({"failover-server-group": {}})
}

fn reverse(to: &str) -> Value {
    json!({"reverse-server-group": {"priority_station": to}})
}

#[tokio::test]
async fn actions_are_refused_in_the_wrong_state_and_leave_nothing() {
    let client = calm_sdrs().await;
    let available = group(&client, "available").await;
    let protected = group(&client, "protected").await;
    for body in [stop(), reverse("target"), failover()] {
        is(&act(&client, &available, body).await, 400, "SDRS.1002");
    }
    is(&act(&client, &protected, start()).await, 400, "SDRS.1002");
    is(
        &act(&client, &protected, json!({"cancel": {}})).await,
        400,
        "SDRS.0206",
    );
    is(&act(&client, &protected, json!({})).await, 400, "SDRS.0206");
    for to in ["source", "nowhere"] {
        is(
            &act(&client, &protected, reverse(to)).await,
            400,
            "SDRS.0201",
        );
    }
    assert_eq!(client.counted("sdrs.job.begun"), 0);
    assert!(failed(&client, None).await.is_empty());
    // Two at once: the second finds the group moving.
    assert_eq!(act(&client, &available, start()).await.0, 200);
    for body in [start(), stop()] {
        is(&act(&client, &available, body).await, 400, "SDRS.1002");
    }
}

#[tokio::test]
async fn protection_goes_on_copies_and_can_be_stopped_once_in_sync() {
    let client = calm_sdrs().await;
    let group = group(&client, "available").await;
    assert_eq!(act(&client, &group, start()).await.0, 200);
    let pair = members(&client, "replications", &group).await[0].clone();
    assert_eq!(pair["status"], "starting");
    client.control("POST", "clock", json!({"advance_s": 5}));
    for _ in 0..200 {
        if show(&client, "server-groups", &group).await["status"] == "protected" {
            break;
        }
        client.advance(1);
    }
    let pair = show(&client, "replications", &pair).await;
    assert_eq!(
        (pair["status"].as_str(), pair["replication_status"].as_str()),
        (Some("protected"), Some("copying"))
    );
    // Still copying: the job finds that out, and says so in the task center.
    let job = fails_soon(&client, &group, stop(), "SDRS.1830").await;
    assert_eq!(job["job_type"], "stopProtectionGroupNoCG");
    let now = show(&client, "server-groups", &group).await;
    assert_eq!(now["status"], "error-stopping");
    client.advance(2000);
    succeeds(&client, act(&client, &group, stop()).await).await;
    assert_eq!(
        show(&client, "server-groups", &group).await["status"],
        "available"
    );
    assert_eq!(
        show(&client, "replications", &pair).await["replication_status"],
        "inactive"
    );
}

/// An action that must fail before the copying is over.
async fn fails_soon(
    client: &crate::sim_support::Client,
    group: &Value,
    body: Value,
    code: &str,
) -> Value {
    let answer = act(client, group, body).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    client.advance(6);
    let job = crate::job(client, &answer).await;
    assert_eq!(
        (job["status"].as_str(), job["error_code"].as_str()),
        (Some("FAIL"), Some(code)),
        "{job}"
    );
    job
}

#[tokio::test]
async fn a_planned_failover_needs_stopped_production_servers() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let answer = act(&client, &group, reverse("target")).await;
    let job = fails(&client, answer, "SDRS.1352").await;
    assert_eq!(job["job_type"], "reverseProtectionGroupNoCG");
    let now = show(&client, "server-groups", &group).await;
    assert_eq!(
        (now["status"].as_str(), now["priority_station"].as_str()),
        (Some("error-reversing"), Some("source"))
    );
    // The row of the group stands among those of the groups, with the same job.
    let rows = failed(&client, None).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["failure_status"], "reverseFail");
    assert_eq!(rows[0]["job_id"], job["job_id"]);
    assert_eq!(rows[0]["error_code"], job["error_code"]);
    assert_eq!(rows[0]["fail_reason"], job["fail_reason"]);
    assert!(failed(&client, Some(&group)).await.is_empty());
    // The instance whose server runs shows it too; the others are as before.
    let states: Vec<Value> = members(&client, "protected-instances", &group)
        .await
        .iter()
        .map(|instance| instance["status"].clone())
        .collect();
    assert_eq!(
        states
            .iter()
            .filter(|state| **state == "error-reversing")
            .count(),
        1
    );

    client.switch("sdrs.not_stopped", "SDRS.1319");
    fails(
        &client,
        act(&client, &group, reverse("target")).await,
        "SDRS.1319",
    )
    .await;
    power(&client, &group, "stopped").await;
    succeeds(&client, act(&client, &group, reverse("target")).await).await;
    let now = show(&client, "server-groups", &group).await;
    assert_eq!(
        (now["status"].as_str(), now["priority_station"].as_str()),
        (Some("protected"), Some("target"))
    );
    assert!(
        members(&client, "replications", &group)
            .await
            .iter()
            .all(|pair| pair["priority_station"] == "target")
    );
    let zone = now["target_availability_zone"].as_str().expect("a zone");
    let found = client
        .get(&format!(
            "/server-groups?availability_zone={zone}&name={}",
            now["name"].as_str().expect("a name")
        ))
        .await;
    assert_eq!(found["count"], 1);
    // The rows of the failed attempts stay until they are cleared.
    assert_eq!(failed(&client, None).await.len(), 2);
    // And back again: DR servers are stopped all the while.
    succeeds(&client, act(&client, &group, reverse("source")).await).await;
}

#[tokio::test]
async fn checks_of_the_world_can_refuse_the_call_instead() {
    let client = calm_sdrs().await;
    client.switch("sdrs.world_checks", "call");
    let group = group(&client, "protected").await;
    is(
        &act(&client, &group, reverse("target")).await,
        400,
        "SDRS.1352",
    );
    assert_eq!(client.counted("sdrs.job.begun"), 0);
    assert!(failed(&client, None).await.is_empty());
}

#[tokio::test]
async fn a_failover_stops_the_old_site_and_is_protected_again_by_the_same_call() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    succeeds(&client, act(&client, &group, failover()).await).await;
    let now = show(&client, "server-groups", &group).await;
    assert_eq!(
        (now["status"].as_str(), now["priority_station"].as_str()),
        (Some("failed-over"), Some("target"))
    );
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let server = instance["source_server"].as_str().expect("a server");
    assert_eq!(client.server(server, json!({}))["state"], "stopped");
    let path = format!("instances/{}", id(&instance));
    assert_eq!(
        client.control("GET", &path, Value::Null)["target_state"],
        "active"
    );
    let pair = members(&client, "replications", &group).await[0].clone();
    assert_eq!(pair["replication_status"], "active-stopped");

    // Protect again has no name of its own; somebody started a server at what is now the DR site.
    client.server(server, json!({"state": "active"}));
    let job = fails(&client, act(&client, &group, start()).await, "SDRS.1342").await;
    assert_eq!(job["job_type"], "reprotectProtectionGroupNoCG");
    assert_eq!(
        show(&client, "server-groups", &group).await["status"],
        "error-reprotecting"
    );
    assert_eq!(
        failed(&client, None).await[0]["failure_status"],
        "reprotectFail"
    );
    client.server(server, json!({"state": "stopped"}));
    let job = succeeds(&client, act(&client, &group, start()).await).await;
    assert_eq!(job["job_type"], "reprotectProtectionGroupNoCG");
    assert_eq!(
        show(&client, "server-groups", &group).await["status"],
        "protected"
    );
}

#[tokio::test]
async fn a_broken_disk_stops_the_start_until_it_is_mended() {
    let client = calm_sdrs().await;
    let group = group(&client, "available").await;
    let pair = members(&client, "replications", &group).await[0].clone();
    let disks = pair["volume_ids"].as_str().expect("two ids").to_owned();
    for disk in disks.split(',') {
        client.control("POST", &format!("disks/{disk}"), json!({"broken": true}));
        fails(&client, act(&client, &group, start()).await, "EVS.2024").await;
        assert_eq!(
            show(&client, "server-groups", &group).await["status"],
            "error-starting"
        );
        assert_eq!(
            show(&client, "replications", &pair).await["status"],
            "error-starting"
        );
        client.control("POST", &format!("disks/{disk}"), json!({"broken": false}));
    }
    client.control(
        "POST",
        &format!("disks/{}", &disks[..36]),
        json!({"locked": true}),
    );
    let job = fails(&client, act(&client, &group, start()).await, "SDRS.1831").await;
    // The inner service's body stands inside the reason, with its own spelling and a number for the code.
    let reason = job["fail_reason"].as_str().expect("text");
    let (_, body) = reason.split_once("Client error : ").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["badRequest"]["code"], 400);
    client.control(
        "POST",
        &format!("disks/{}", &disks[..36]),
        json!({"locked": false}),
    );
    succeeds(&client, act(&client, &group, start()).await).await;
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "protected"
    );
}

#[tokio::test]
async fn faults_show_on_pairs_and_a_broken_link_forbids_the_failover() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let pair = members(&client, "replications", &group).await[0].clone();
    let disk = &pair["volume_ids"].as_str().expect("two ids")[..36];
    client.control("POST", &format!("disks/{disk}"), json!({"broken": true}));
    let now = show(&client, "replications", &pair).await;
    assert_eq!(
        (now["status"].as_str(), now["fault_level"].as_str()),
        (Some("fault"), Some("2"))
    );
    let instance = json!({"id": now["attachment"][0]["protected_instance"]});
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "fault"
    );
    let abnormal = client
        .get("/protected-instances?query_type=status_abnormal")
        .await;
    assert_eq!(abnormal["count"], 1);
    // The production disk is gone: switching over is impossible, failing over is the way.
    power(&client, &group, "stopped").await;
    fails(
        &client,
        act(&client, &group, reverse("target")).await,
        "SDRS.1823",
    )
    .await;
    client.control("POST", "site", json!({"link_down": true}));
    assert_eq!(
        show(
            &client,
            "replications",
            &members(&client, "replications", &group).await[1]
        )
        .await["fault_level"],
        "5"
    );
    fails(&client, act(&client, &group, failover()).await, "SDRS.1824").await;
    assert_eq!(
        show(&client, "server-groups", &group).await["status"],
        "error-failing-over"
    );
    client.control("POST", "site", json!({"link_down": false}));
    succeeds(&client, act(&client, &group, failover()).await).await;
}

#[tokio::test]
async fn a_deleted_server_makes_the_instance_invalid() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let server = instance["source_server"].as_str().expect("a server");
    client.server(server, json!({"state": "deleted"}));
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "invalid"
    );
    fails(&client, act(&client, &group, failover()).await, "SDRS.1314").await;
    // Deleting it is allowed, and then the rest can go on.
    let path = format!("/protected-instances/{}", id(&instance));
    succeeds(&client, client.call("DELETE", &path, Value::Null).await).await;
    succeeds(&client, act(&client, &group, failover()).await).await;
}
