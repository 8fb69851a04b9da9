//! Input that nobody should send: every answer is still an answer, and the service goes on.

use serde_json::{Value, json};

use crate::sim_support::spoil::spoil;
use crate::{calm_sdrs, free_server, group, id, members};

#[tokio::test]
async fn spoiled_bodies_get_answers() {
    let client = calm_sdrs().await;
    let mut rng = fastrand::Rng::with_seed(7);
    let group = group(&client, "protected").await;
    let server = free_server(&client, &group).await;
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let pair = members(&client, "replications", &group).await[0].clone();
    let domain = client.get("/active-domains").await["domains"][0]["id"].clone();
    let one = format!("/protected-instances/{}", id(&instance));
    let calls = [
        (
            "POST",
            "/server-groups".to_owned(),
            json!({"server_group": {"name": "g", "description": "d",
            "source_availability_zone": "eu-de-01", "target_availability_zone": "eu-de-02", "domain_id": domain,
            "source_vpc_id": group["source_vpc_id"], "dr_type": "migration"}}),
        ),
        (
            "PUT",
            format!("/server-groups/{}", id(&group)),
            json!({"server_group": {"name": "g"}}),
        ),
        (
            "POST",
            format!("/server-groups/{}/action", id(&group)),
            json!({"reverse-server-group": {"priority_station": "target"}}),
        ),
        (
            "POST",
            "/protected-instances".to_owned(),
            json!({"protected_instance": {"name": "i", "server_group_id": group["id"],
            "server_id": server["id"], "primary_subnet_id": "s", "primary_ip_address": "10.9.9.9", "flavorRef": "f",
            "tags": [{"key": "k", "value": "v"}]}}),
        ),
        (
            "POST",
            "/protected-instances/batch".to_owned(),
            json!({"protected_instances": {"name_prefix": "i",
            "server_group_id": group["id"], "servers": [{"server_id": server["id"], "flavorRef": "f"}], "tags": []}}),
        ),
        (
            "POST",
            "/protected-instances/delete".to_owned(),
            json!({"protected_instances": [{"id": instance["id"]}], "delete_target_server": false}),
        ),
        (
            "DELETE",
            one.clone(),
            json!({"delete_target_server": false, "delete_target_eip": false}),
        ),
        (
            "POST",
            format!("{one}/nic"),
            json!({"subnet_id": "s", "security_groups": [{"id": "g"}], "ip_address": "10.8.8.8"}),
        ),
        ("POST", format!("{one}/nic/delete"), json!({"nic_id": "x"})),
        (
            "POST",
            format!("{one}/resize"),
            json!({"resize": {"flavorRef": "f", "dr_flavorRef": "g"}}),
        ),
        (
            "POST",
            format!("{one}/attachreplication"),
            json!({"replicationAttachment": {"replication_id": pair["id"], "device": "/dev/vdx"}}),
        ),
        (
            "POST",
            format!("{one}/tags"),
            json!({"tag": {"key": "k", "value": "v"}}),
        ),
        (
            "POST",
            format!("{one}/tags/action"),
            json!({"action": "create", "tags": [{"key": "k", "value": "v"}]}),
        ),
        (
            "POST",
            "/protected-instances/resource_instances/action".to_owned(),
            json!({"action": "filter", "limit": "1",
            "offset": "0", "tags": [{"key": "k", "values": ["v"]}], "matches": [{"key": "resource_name", "value": "x"}]}),
        ),
        (
            "POST",
            "/replications".to_owned(),
            json!({"replication": {"name": "p", "server_group_id": group["id"],
            "volume_id": "00000000-0000-4000-8000-000000000000"}}),
        ),
        (
            "DELETE",
            format!("/replications/{}", id(&pair)),
            json!({"replication": {"server_group_id": group["id"], "delete_target_volume": false}}),
        ),
        (
            "POST",
            format!("/replications/{}/action", id(&pair)),
            json!({"extend-replication": {"new_size": 4000}}),
        ),
        (
            "POST",
            "/disaster-recovery-drills".to_owned(),
            json!({"disaster_recovery_drill": {"name": "d",
            "server_group_id": group["id"], "drill_vpc_id": "v"}}),
        ),
    ];
    for round in 0..60 {
        for (method, path, body) in &calls {
            let mut body = body.clone();
            spoil(&mut body, &mut rng);
            let (status, answer) = client.call(method, path, body.clone()).await;
            assert!((200..=599).contains(&status), "{method} {path} {body}");
            let coded = answer["error"]["code"].is_string();
            assert!(status < 400 || coded, "{method} {path} {body}: {answer}");
        }
        client.advance(round * 7);
    }
    client.get("/server-groups").await;
    client.get("/protected-instances").await;
    client.get("/replications").await;
}

#[tokio::test]
async fn odd_paths_and_queries_get_answers() {
    let client = calm_sdrs().await;
    for path in [
        "/%ff",
        "/server-groups/%00",
        "/server-groups/../x",
        "/server-groups?limit=99999999999999999999",
        "/protected-instances?server_group_ids=%5B%5B%5B",
        "/task-center/failure-jobs?server_group_id=x",
        "/jobs/%F0%9F%92%A9",
        "/replications?protected_instance_ids=%22",
        "/server-groups?offset=18446744073709551615",
    ] {
        for method in ["GET", "DELETE", "PUT", "POST", "PATCH"] {
            let (status, _) = client.call(method, path, Value::Null).await;
            assert!((200..=599).contains(&status), "{method} {path}");
        }
    }
    for body in ["", "{", "[]", "null", "\"x\"", "{\"server_group\": [1]}"] {
        let answer = client
            .http
            .post(format!("{}/server-groups", client.base))
            .header("x-auth-token", &client.token)
            .body(body)
            .send()
            .await
            .expect("answers");
        assert_eq!(answer.status(), 400, "{body}");
    }
}
