//! Creating, changing and deleting groups, instances, pairs and drills.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::{
    calm_sdrs, failed, fails, free_server, group, id, is, members, protect, show, succeeds,
};

async fn new_group(client: &Client, change: Value) -> (u16, Value) {
    let domains = client.get("/active-domains").await;
    let site = client.control("GET", "site", Value::Null);
    let mut body = json!({
        "name": "new-group", "description": "for the test",
        "source_availability_zone": "eu-de-01", "target_availability_zone": "eu-de-02",
        "domain_id": domains["domains"][0]["id"], "source_vpc_id": site["vpc"], "dr_type": "migration",
    });
    for (key, value) in change.as_object().expect("an object") {
        body[key] = value.clone();
    }
    client
        .call("POST", "/server-groups", json!({"server_group": body}))
        .await
}

async fn delete(client: &Client, kind: &str, thing: &Value, body: Value) -> (u16, Value) {
    client
        .call("DELETE", &format!("/{kind}/{}", id(thing)), body)
        .await
}

#[tokio::test]
async fn groups_are_made_renamed_and_deleted_when_empty() {
    let client = calm_sdrs().await;
    let used = client.get("/sdrs/quotas").await["quotas"]["resources"][0]["used"].as_i64();
    let job = succeeds(&client, new_group(&client, json!({})).await).await;
    let made = json!({"id": job["entities"]["server_group_id"]});
    let now = show(&client, "server-groups", &made).await;
    assert_eq!(
        (
            now["status"].as_str(),
            now["protected_instance_num"].as_i64()
        ),
        (Some("available"), Some(0))
    );
    let quotas = client.get("/sdrs/quotas").await;
    assert_eq!(
        quotas["quotas"]["resources"][0]["used"].as_i64(),
        used.map(|used| used + 1)
    );
    let path = format!("/server-groups/{}", id(&made));
    let (_, renamed) = client
        .call(
            "PUT",
            &path,
            json!({"server_group": {"name": "other.name"}}),
        )
        .await;
    assert_eq!(renamed["server_group"]["name"], "other.name");
    for name in ["", "a b", "<x>", &"x".repeat(65)] {
        let body = json!({"server_group": {"name": name}});
        is(&client.call("PUT", &path, body).await, 400, "SDRS.0202");
    }
    // An empty group can't be protected.
    let start = json!({"start-server-group": {}});
    is(&crate::act(&client, &made, start).await, 400, "SDRS.1002");
    succeeds(
        &client,
        delete(&client, "server-groups", &made, Value::Null).await,
    )
    .await;
    is(
        &client.call("GET", &path, Value::Null).await,
        400,
        "SDRS.1013",
    );
    let full = group(&client, "protected").await;
    is(
        &delete(&client, "server-groups", &full, Value::Null).await,
        400,
        "SDRS.1001",
    );
}

#[tokio::test]
async fn a_group_needs_zones_that_offer_it_a_domain_a_network_and_quota() {
    let client = calm_sdrs().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (change, code) in [
        (json!({"target_availability_zone": "mars"}), "SDRS.0203"),
        (json!({"target_availability_zone": "eu-de-01"}), "SDRS.0203"),
        (json!({"target_availability_zone": "eu-de-03"}), "SDRS.0203"),
        (json!({"domain_id": unknown}), "SDRS.0205"),
        (json!({"source_vpc_id": unknown}), "SDRS.0204"),
        (json!({"name": "no blanks"}), "SDRS.0202"),
        (json!({"description": "<b>"}), "SDRS.0212"),
        (json!({"dr_type": "other"}), "SDRS.0217"),
    ] {
        is(&new_group(&client, change).await, 400, code);
    }
    let zone = |supported| json!({"name": "eu-de-02", "kind": "sdrs", "supported": supported});
    client.control("POST", "zones", zone(false));
    is(&new_group(&client, json!({})).await, 400, "SDRS.0203");
    assert_eq!(
        client.get("/active-domains").await["domains"][0]["sold_out"],
        true
    );
    client.control("POST", "zones", zone(true));
    let quota = |limit| json!({"name": "sdrs.server_groups", "limit": limit});
    client.control("POST", "quotas", quota(1));
    is(&new_group(&client, json!({})).await, 400, "SDRS.0305");
    client.control("POST", "quotas", quota(-1));
    succeeds(&client, new_group(&client, json!({})).await).await;
    // Made only while the sites can talk to each other; what fails is a task of the groups.
    client.control("POST", "site", json!({"link_down": true}));
    let job = fails(&client, new_group(&client, json!({})).await, "SDRS.1011").await;
    let made = json!({"id": job["entities"]["server_group_id"]});
    assert_eq!(
        show(&client, "server-groups", &made).await["status"],
        "error"
    );
    let rows = failed(&client, None).await;
    assert_eq!(
        (
            rows[0]["failure_status"].as_str(),
            rows[0]["resource_id"].clone()
        ),
        (Some("createFail"), made["id"].clone())
    );
    fails(
        &client,
        delete(&client, "server-groups", &made, Value::Null).await,
        "SDRS.1016",
    )
    .await;
    assert_eq!(
        show(&client, "server-groups", &made).await["status"],
        "error-deleting"
    );
    client.control("POST", "site", json!({"link_down": false}));
    succeeds(
        &client,
        delete(&client, "server-groups", &made, Value::Null).await,
    )
    .await;
    assert_eq!(failed(&client, None).await.len(), 2);
}

#[tokio::test]
async fn an_instance_fails_for_its_servers_disks_and_works_once_they_are_right() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let server = free_server(&client, &group).await;
    let name = id(&server);
    let dr_zone = group["target_availability_zone"].clone();
    for (wrong, right, code) in [
        (
            json!({"encrypted": true}),
            json!({"encrypted": false}),
            "SDRS.1802",
        ),
        (
            json!({"shared": true}),
            json!({"shared": false}),
            "SDRS.1806",
        ),
        (
            json!({"broken": true}),
            json!({"broken": false}),
            "EVS.2024",
        ),
        (
            json!({"locked": true}),
            json!({"locked": false}),
            "SDRS.1831",
        ),
    ] {
        let set = |mut change: Value| {
            change["index"] = 0.into();
            client.server(name, json!({"volumes": [change]}));
        };
        set(wrong);
        let job = fails(&client, protect(&client, &group, &server).await, code).await;
        set(right);
        let left = json!({"id": job["entities"]["protected_instance_id"]});
        assert_eq!(
            show(&client, "protected-instances", &left).await["status"],
            "error"
        );
        let rows = failed(&client, Some(&group)).await;
        assert_eq!(rows[0]["resource_type"], "protectedInstance");
        assert_eq!(rows[0]["job_type"], "createProtectedInstance");
        assert_eq!(rows[0]["error_code"], code);
        assert!(failed(&client, None).await.is_empty());
        // A repeat is delete and create: what is left holds the server.
        is(&protect(&client, &group, &server).await, 400, "SDRS.1305");
        succeeds(
            &client,
            delete(
                &client,
                "protected-instances",
                &left,
                json!({"delete_target_server": true}),
            )
            .await,
        )
        .await;
    }
    client.control("POST", "site", json!({"broken_storage": [dr_zone]}));
    let job = fails(&client, protect(&client, &group, &server).await, "EVS.2024").await;
    assert_eq!(
        job["fail_reason"],
        "SdrsGenerateNativeServerParamsTask-fail:volume is error!"
    );
    client.control("POST", "site", json!({"broken_storage": []}));
    let left = json!({"id": job["entities"]["protected_instance_id"]});
    succeeds(
        &client,
        delete(&client, "protected-instances", &left, Value::Null).await,
    )
    .await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "sdrs.replications", "limit": 1}),
    );
    let job = fails(
        &client,
        protect(&client, &group, &server).await,
        "SDRS.0306",
    )
    .await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "sdrs.replications", "limit": -1}),
    );
    let left = json!({"id": job["entities"]["protected_instance_id"]});
    succeeds(
        &client,
        delete(&client, "protected-instances", &left, Value::Null).await,
    )
    .await;
    succeeds(&client, protect(&client, &group, &server).await).await;
}

#[tokio::test]
async fn what_can_be_seen_of_a_server_at_once_refuses_the_call() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let server = free_server(&client, &group).await;
    let name = id(&server);
    let unknown = json!({"id": "00000000-0000-4000-8000-000000000000"});
    is(
        &protect(&client, &group, &json!({"id": "x"})).await,
        400,
        "SDRS.0210",
    );
    is(&protect(&client, &group, &unknown).await, 400, "SDRS.1326");
    client.server(name, json!({"az": "eu-de-03"}));
    is(&protect(&client, &group, &server).await, 400, "SDRS.1303");
    client.server(name, json!({"az": server["az"], "state": "migrating"}));
    is(&protect(&client, &group, &server).await, 400, "SDRS.1333");
    client.server(name, json!({"state": "active"}));
    let edge = client.server("ecs-edge-01", json!({"az": server["az"]}));
    is(&protect(&client, &group, &edge).await, 400, "SDRS.1304");
    let pxe = client.server("ecs-pxe-01", json!({"az": server["az"]}));
    is(&protect(&client, &group, &pxe).await, 400, "SDRS.1321");
    assert_eq!(client.counted("sdrs.job.begun"), 0);
}

#[tokio::test]
async fn pairs_come_from_free_disks_and_are_attached_expanded_detached_and_deleted() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let zone = group["source_availability_zone"].clone();
    let disk = client.control(
        "POST",
        "disks",
        json!({"az": zone, "size_gb": 50, "name": "data"}),
    );
    let body = json!({"replication": {"server_group_id": group["id"], "volume_id": disk["id"], "name": "data-pair"}});
    let create = async || client.call("POST", "/replications", body.clone()).await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "sdrs.replications", "limit": 1}),
    );
    is(&create().await, 400, "SDRS.0306");
    client.control(
        "POST",
        "quotas",
        json!({"name": "sdrs.replications", "limit": -1}),
    );
    let job = succeeds(&client, create().await).await;
    let pair = json!({"id": job["entities"]["replication_pair_id"]});
    is(&create().await, 400, "SDRS.1811");
    let made = show(&client, "replications", &pair).await;
    assert_eq!(
        (made["status"].as_str(), made["attachment"].clone()),
        (Some("protected"), json!([]))
    );

    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let attach = format!("/protected-instances/{}/attachreplication", id(&instance));
    let with = |device: &str| json!({"replicationAttachment": {"replication_id": pair["id"], "device": device}});
    is(
        &client.call("POST", &attach, with("/dev/vda")).await,
        400,
        "SDRS.1603",
    );
    succeeds(
        &client,
        client.call("POST", &attach, with("/dev/vdz")).await,
    )
    .await;
    // Others see the disk at the server now.
    let server = instance["source_server"].as_str().expect("a server");
    let volumes = client.server(server, json!({}))["volumes"].clone();
    assert!(
        volumes
            .as_array()
            .is_some_and(|list| list.iter().any(|it| it["id"] == disk["id"]))
    );

    let path = format!("/replications/{}/action", id(&pair));
    let grow = |size: Value| json!({"extend-replication": {"new_size": size}});
    is(
        &client.call("POST", &path, grow(json!(50))).await,
        400,
        "SDRS.0201",
    );
    let disk_path = format!("disks/{}", disk["id"].as_str().expect("an id"));
    client.control("POST", &disk_path, json!({"locked": true}));
    fails(
        &client,
        client.call("POST", &path, grow(json!(60))).await,
        "SDRS.1832",
    )
    .await;
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "error-extending"
    );
    let row = failed(&client, Some(&group)).await[0].clone();
    assert_eq!(row["failure_status"], "expandFail");
    client.control("POST", &disk_path, json!({"locked": false}));
    // Decimals are cut off.
    succeeds(&client, client.call("POST", &path, grow(json!(60.9))).await).await;
    let now = show(&client, "replications", &pair).await;
    assert_eq!(
        (
            now["status"].as_str(),
            now["record_metadata"]["volume_size"].as_u64()
        ),
        (Some("protected"), Some(60))
    );

    let wrapped = json!({"replication": {"delete_target_volume": false}});
    is(
        &delete(&client, "replications", &pair, wrapped.clone()).await,
        400,
        "SDRS.1605",
    );
    let detach = format!(
        "/protected-instances/{}/detachreplication/{}",
        id(&instance),
        id(&pair)
    );
    succeeds(&client, client.call("DELETE", &detach, Value::Null).await).await;
    is(
        &client.call("DELETE", &detach, Value::Null).await,
        400,
        "SDRS.1604",
    );
    // The wrapper must be there, though all in it is optional.
    is(
        &delete(&client, "replications", &pair, Value::Null).await,
        400,
        "SDRS.0201",
    );
    is(
        &delete(
            &client,
            "replications",
            &pair,
            json!({"replication": {"server_group_id": "x"}}),
        )
        .await,
        400,
        "SDRS.1611",
    );
    succeeds(
        &client,
        delete(&client, "replications", &pair, wrapped).await,
    )
    .await;
    is(
        &client
            .call("GET", &format!("/replications/{}", id(&pair)), Value::Null)
            .await,
        400,
        "SDRS.1608",
    );
}

#[tokio::test]
async fn a_pair_whose_attaching_failed_must_be_detached_first() {
    let client = calm_sdrs().await;
    let group = group(&client, "available").await;
    let disk = client.control(
        "POST",
        "disks",
        json!({"az": group["source_availability_zone"]}),
    );
    let body = json!({"replication": {"server_group_id": group["id"], "volume_id": disk["id"], "name": "p"}});
    let job = succeeds(&client, client.call("POST", "/replications", body).await).await;
    let pair = json!({"id": job["entities"]["replication_pair_id"]});
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let attach = format!("/protected-instances/{}/attachreplication", id(&instance));
    let body =
        json!({"replicationAttachment": {"replication_id": pair["id"], "device": "/dev/vdy"}});
    let set = |broken: bool| {
        let path = format!("disks/{}", disk["id"].as_str().expect("an id"));
        client.control("POST", &path, json!({"broken": broken}));
    };
    set(true);
    fails(
        &client,
        client.call("POST", &attach, body.clone()).await,
        "SDRS.1821",
    )
    .await;
    set(false);
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "error-attaching"
    );
    is(
        &client.call("POST", &attach, body.clone()).await,
        400,
        "SDRS.0214",
    );
    let detach = format!(
        "/protected-instances/{}/detachreplication/{}",
        id(&instance),
        id(&pair)
    );
    succeeds(&client, client.call("DELETE", &detach, Value::Null).await).await;
    succeeds(&client, client.call("POST", &attach, body).await).await;
}

#[tokio::test]
async fn a_system_disk_is_detached_only_from_a_stopped_server() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let pair = json!({"id": instance["attachment"][0]["replication"]});
    let detach = format!(
        "/protected-instances/{}/detachreplication/{}",
        id(&instance),
        id(&pair)
    );
    fails(
        &client,
        client.call("DELETE", &detach, Value::Null).await,
        "SDRS.1316",
    )
    .await;
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "error-detaching"
    );
    assert_eq!(
        failed(&client, Some(&group)).await[0]["failure_status"],
        "detachFail"
    );
    client.server(
        instance["source_server"].as_str().expect("a server"),
        json!({"state": "stopped"}),
    );
    succeeds(&client, client.call("DELETE", &detach, Value::Null).await).await;
    // error-detaching is missing among the states from which a pair may be deleted, but this one is at rest again.
    assert_eq!(
        show(&client, "replications", &pair).await["status"],
        "protected"
    );
}

#[tokio::test]
async fn cards_and_flavors_change_and_a_failed_card_leaves_no_row() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let base = format!("/protected-instances/{}", id(&instance));
    let nic = format!("{base}/nic");
    let answer = client
        .call(
            "POST",
            &nic,
            json!({"subnet_id": "s", "security_groups": [{"id": "g"}]}),
        )
        .await;
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "nic-creating"
    );
    let job = succeeds(&client, answer).await;
    let card = job["entities"]["nic_id"].clone();
    is(
        &client
            .call("POST", &nic, json!({"subnet_id": "s", "ip_address": "x"}))
            .await,
        400,
        "SDRS.0219",
    );
    is(
        &client
            .call(
                "POST",
                &nic,
                json!({"subnet_id": "s", "ip_address": "10.0.0.1"}),
            )
            .await,
        400,
        "SDRS.1334",
    );
    let gone = format!("{base}/nic/delete");
    let control = client.control("GET", &format!("instances/{}", id(&instance)), Value::Null);
    is(
        &client
            .call("POST", &gone, json!({"nic_id": control["primary_nic"]}))
            .await,
        400,
        "SDRS.1311",
    );
    succeeds(
        &client,
        client.call("POST", &gone, json!({"nic_id": card})).await,
    )
    .await;
    is(
        &client.call("POST", &gone, json!({"nic_id": card})).await,
        400,
        "SDRS.1310",
    );

    let resize = format!("{base}/resize");
    let to = |flavor: &str| json!({"resize": {"flavorRef": flavor}});
    let same = control["flavors"][0].as_str().expect("a flavor");
    is(
        &client.call("POST", &resize, to(same)).await,
        400,
        "SDRS.1341",
    );
    fails(
        &client,
        client.call("POST", &resize, to("s3.huge")).await,
        "SDRS.1316",
    )
    .await;
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "error-resizing"
    );
    assert_eq!(
        failed(&client, Some(&group)).await[0]["failure_status"],
        "resizeFail"
    );
    client.server(
        instance["source_server"].as_str().expect("a server"),
        json!({"state": "stopped"}),
    );
    succeeds(&client, client.call("POST", &resize, to("s3.huge")).await).await;
    assert_eq!(
        show(&client, "protected-instances", &instance).await["status"],
        "protected"
    );
}

#[tokio::test]
async fn drills_keep_their_network_and_use_it_up() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let create = async |vpc: Value| {
        let body = json!({"disaster_recovery_drill": {"server_group_id": group["id"], "name": "drill", "drill_vpc_id": vpc}});
        client.call("POST", "/disaster-recovery-drills", body).await
    };
    is(
        &create(group["source_vpc_id"].clone()).await,
        400,
        "SDRS.1907",
    );
    is(
        &create(json!("00000000-0000-4000-8000-000000000000")).await,
        400,
        "SDRS.1928",
    );
    let job = succeeds(&client, create(Value::Null).await).await;
    let drill = json!({"id": job["entities"]["disaster_recovery_drill_id"]});
    let made = show(&client, "disaster-recovery-drills", &drill).await;
    assert_eq!(made["status"], "available");
    let servers = made["drill_servers"].as_array().expect("a list").len();
    assert_eq!(
        show(&client, "server-groups", &group).await["protected_instance_num"],
        servers
    );
    is(
        &create(made["drill_vpc_id"].clone()).await,
        400,
        "SDRS.1921",
    );
    succeeds(
        &client,
        delete(&client, "disaster-recovery-drills", &drill, Value::Null).await,
    )
    .await;
    is(
        &delete(&client, "disaster-recovery-drills", &drill, Value::Null).await,
        400,
        "SDRS.1902",
    );
    // The network stays, and is free again.
    client.control("POST", "quotas", json!({"name": "vpc.vpcs", "limit": 3}));
    fails(&client, create(Value::Null).await, "SDRS.1929").await;
    succeeds(&client, create(made["drill_vpc_id"].clone()).await).await;
    client.control(
        "POST",
        "site",
        json!({"broken_storage": [group["target_availability_zone"]]}),
    );
    client.control("POST", "quotas", json!({"name": "vpc.vpcs", "limit": -1}));
    let job = fails(&client, create(Value::Null).await, "SDRS.1905").await;
    let left = json!({"id": job["entities"]["disaster_recovery_drill_id"]});
    assert_eq!(
        show(&client, "disaster-recovery-drills", &left).await["status"],
        "error"
    );
    let rows = failed(&client, Some(&group)).await;
    assert_eq!(rows[0]["resource_type"], "disasterRecoveryDrill");
    let answer = delete(&client, "disaster-recovery-drills", &left, Value::Null).await;
    is(
        &delete(&client, "disaster-recovery-drills", &left, Value::Null).await,
        400,
        "SDRS.1913",
    );
    succeeds(&client, answer).await;
}
