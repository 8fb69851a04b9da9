//! Restores: what is checked, the walk, and what a failed one leaves.

use crate::{PROVIDER, TYPE, backed_up, calm_csbs, is, protect, restore_body};
use serde_json::{Value, json};

#[tokio::test]
async fn restores_are_checked_walk_and_leave_a_trace_when_they_fail() {
    let client = calm_csbs().await;
    let server = client.server("ecs-web-01", json!({}));
    let id = server["id"].as_str().expect("id");
    let item = backed_up(&client, id).await;
    let body = restore_body(&item, &server);
    let change = |pointer: &str, value: Value| {
        let mut body = body.clone();
        *body
            .pointer_mut(&format!("/restore{pointer}"))
            .expect("is there") = value;
        body
    };
    let volumes = "/parameters/targets/volumes";
    let (disk, volume) = (
        &item["extend_info"]["volume_backups"][0]["id"],
        &server["volumes"][0]["id"],
    );
    let refusals = [
        (change("/provider_id", json!("x")), 400, "CSBS.9001"),
        (
            change("/parameters/checkpoint_item_id", json!("x")),
            404,
            "CSBS.3001",
        ),
        (change("/checkpoint_id", json!("x")), 404, "CSBS.3001"),
        (
            change("/parameters/targets/server_id", json!("x")),
            400,
            "CSBS.6000",
        ),
        (change(volumes, json!([])), 400, "CSBS.6018"),
        (
            change(volumes, json!([{"backup_id": "x", "volume_id": volume}])),
            400,
            "CSBS.6017",
        ),
        (
            change(volumes, json!([{"backup_id": disk, "volume_id": "x"}])),
            400,
            "CSBS.6014",
        ),
    ];
    for (body, status, code) in refusals {
        is(&client.call("POST", "/restores", body).await, status, code);
    }
    let reasons = [
        (json!({"state": "migrating"}), 400, "CSBS.6015"),
        (json!({"az": "eu-de-03"}), 400, "CSBS.6025"),
        (json!({"volumes": [{"shared": true}]}), 400, "CSBS.6021"),
        (json!({"volumes": [{"size_gb": 1}]}), 400, "CSBS.6024"),
    ];
    let fine = json!({"state": "active", "az": "eu-de-01", "volumes": [{"shared": false, "size_gb": 500}]});
    for (change, status, code) in reasons {
        client.server("ecs-web-01", change);
        is(
            &client.call("POST", "/restores", body.clone()).await,
            status,
            code,
        );
        let target = &body["restore"]["parameters"]["targets"];
        let asked = json!({"check_restorable": [{"checkpoint_item_id": item["id"],
            "target": {"resource_id": id, "resource_type": TYPE, "volumes": target["volumes"]}}]});
        let (_, checked) = client
            .call("POST", &format!("{PROVIDER}/resources/action"), asked)
            .await;
        assert_eq!(checked["restorable"][0]["error_code"], code);
        client.server("ecs-web-01", fine.clone());
    }
    assert_eq!(client.counted("csbs.restore.started"), 0);

    let (status, answer) = client.call("POST", "/restores", body.clone()).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["restore"]["status"], "in_progress");
    assert_eq!(
        answer["restore"]["parameters"],
        body["restore"]["parameters"]
    );
    let path = format!("/checkpoint_items/{}", item["id"].as_str().expect("id"));
    assert_eq!(
        client.get(&path).await["checkpoint_item"]["status"],
        "restoring"
    );
    is(
        &client.call("POST", "/restores", body.clone()).await,
        400,
        "CSBS.4000",
    );
    is(&protect(&client, id).await, 400, "CSBS.6005");
    client.advance(600);
    assert_eq!(
        client.get(&path).await["checkpoint_item"]["status"],
        "available"
    );
    // power_on was false.
    assert_eq!(client.server("ecs-web-01", json!({}))["state"], "stopped");

    client.call("POST", "/restores", body.clone()).await;
    client.server("ecs-web-01", json!({"state": "error"}));
    client.advance(600);
    let after = client.get(&path).await["checkpoint_item"].clone();
    assert_eq!(after["status"], "available");
    assert_eq!(after["extend_info"]["fail_op"], "restore");
    assert_eq!(after["extend_info"]["fail_code"]["Code"], "CSBS.6015");
    assert_eq!(client.server("ecs-web-01", json!({}))["held_by"], json!([]));
}

#[tokio::test]
async fn data_disks_are_not_restored_over_system_disks() {
    let client = calm_csbs().await;
    let servers = client.control("GET", "servers", Value::Null);
    let server = servers
        .as_array()
        .expect("a list")
        .iter()
        .find(|server| {
            server["volumes"]
                .as_array()
                .is_some_and(|volumes| volumes.len() == 2)
        })
        .expect("one with two disks");
    let item = backed_up(&client, server["id"].as_str().expect("id")).await;
    let mut body = restore_body(&item, server);
    let volumes = body
        .pointer_mut("/restore/parameters/targets/volumes")
        .expect("volumes");
    let first = volumes[0]["volume_id"].take();
    volumes[0]["volume_id"] = volumes[1]["volume_id"].take();
    volumes[1]["volume_id"] = first;
    is(
        &client.call("POST", "/restores", body).await,
        500,
        "CSBS.6023",
    );
}
