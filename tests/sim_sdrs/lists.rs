//! Queries: envelopes, pages, filters, fields, and the odd ids.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::{calm_sdrs, group, id, is, members, show};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn every_noun_has_the_documented_fields() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    assert_eq!(keys(&group).len(), 25);
    for empty in [
        "protected_status",
        "replication_status",
        "health_status",
        "test_vpc_id",
    ] {
        assert_eq!(group[empty], Value::Null);
    }
    assert_eq!(group["progress"], 100);
    // A blank instead of a T, and no zone.
    let created = group["created_at"].as_str().expect("text");
    assert!(chrono::NaiveDateTime::parse_from_str(created, "%Y-%m-%d %H:%M:%S%.f").is_ok());

    let instance = &members(&client, "protected-instances", &group).await[0];
    assert_eq!(
        keys(instance),
        [
            "attachment",
            "created_at",
            "description",
            "id",
            "metadata",
            "name",
            "priority_station",
            "progress",
            "server_group_id",
            "source_server",
            "status",
            "tags",
            "target_server",
            "updated_at"
        ]
    );
    assert_eq!(instance["metadata"], json!({}));
    assert_eq!(instance["attachment"][0]["device"], "/dev/vda");

    let pair = show(
        &client,
        "replications",
        &json!({"id": instance["attachment"][0]["replication"]}),
    )
    .await;
    assert_eq!(pair["attachment"][0]["protected_instance"], instance["id"]);
    assert_eq!(pair["fault_level"], "0");
    assert_eq!(
        pair["volume_ids"]
            .as_str()
            .expect("text")
            .split(',')
            .count(),
        2
    );
    assert!(pair["record_metadata"]["volume_size"].is_u64());
    assert!(pair.get("failure_detail").is_none());
    // Pairs write their times in a way of their own.
    assert!(pair["created_at"].as_str().expect("text").contains('T'));
    client.switch("sdrs.fault_level", "number");
    client.switch("sdrs.pair_time", "blank");
    let pair = show(&client, "replications", &pair).await;
    assert_eq!(pair["fault_level"], 0);
    assert!(!pair["created_at"].as_str().expect("text").contains('T'));

    let quotas = client.get("/sdrs/quotas").await;
    assert!(quotas["quotas"].is_object());
    let types: Vec<&Value> = quotas["quotas"]["resources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| &line["type"])
        .collect();
    assert_eq!(types, ["server_groups", "replications"]);
    let domains = client.get("/active-domains").await;
    assert_eq!(keys(&domains), ["domains"]);
    assert_eq!(domains["domains"][0]["sold_out"], false);
}

#[tokio::test]
async fn pages_by_offset_cover_every_row_once_and_end_empty() {
    let client = calm_sdrs().await;
    for (kind, envelope) in [
        ("server-groups", "server_groups"),
        ("protected-instances", "protected_instances"),
        ("replications", "replications"),
    ] {
        let all = client.get(&format!("/{kind}")).await;
        let total = all["count"].as_u64().expect("a count");
        let mut seen = Vec::new();
        let mut offset = 0;
        loop {
            let page = client
                .get(&format!("/{kind}?limit=3&offset={offset}"))
                .await;
            assert_eq!(page["count"], total);
            let rows = page[envelope].as_array().expect("a list").clone();
            if rows.is_empty() {
                break;
            }
            offset += rows.len();
            seen.extend(rows);
        }
        assert_eq!(seen, *all[envelope].as_array().expect("a list"));
        assert_eq!(seen.len() as u64, total);
    }
    client.switch("sdrs.count", "page");
    assert_eq!(client.get("/replications?limit=3").await["count"], 3);
}

#[tokio::test]
async fn limits_and_offsets_out_of_range_are_refused() {
    let client = calm_sdrs().await;
    let ask = async |query: &str| {
        let path = format!("/server-groups?{query}");
        client.call("GET", &path, Value::Null).await
    };
    for query in ["limit=1001", "limit=-1", "limit=x"] {
        is(&ask(query).await, 400, "SDRS.0221");
    }
    for query in ["offset=-1", "offset=x"] {
        is(&ask(query).await, 400, "SDRS.0222");
    }
    for query in [
        "limit=1",
        "limit=999",
        "limit=1000",
        "limit=5&offset=100000",
    ] {
        assert_eq!(ask(query).await.0, 200, "{query}");
    }
    let empty = ask("limit=0").await;
    assert_eq!(empty.1["server_groups"], json!([]));
    client.switch("sdrs.limit_zero", "refuse");
    is(&ask("limit=0").await, 400, "SDRS.0221");
}

#[tokio::test]
async fn filters_narrow() {
    let client = calm_sdrs().await;
    let all = client.get("/server-groups").await["count"].as_u64();
    let one = group(&client, "protected").await;
    let name = one["name"].as_str().expect("a name");
    let part = &name[3..name.len() - 1];
    let found = client.get(&format!("/server-groups?name={part}")).await;
    assert_eq!(found["server_groups"][0]["name"], one["name"]);
    let zone = |zone: &str| format!("/server-groups?availability_zone={zone}");
    let (a, b) = (
        client.get(&zone("eu-de-01")).await,
        client.get(&zone("eu-de-02")).await,
    );
    assert_eq!(
        a["count"]
            .as_u64()
            .zip(b["count"].as_u64())
            .map(|(a, b)| a + b),
        all
    );
    let stopped = client.get("/server-groups?query_type=stop_protected").await;
    assert!(stopped["server_groups"].as_array().is_some_and(|list| {
        !list.is_empty() && list.iter().all(|group| group["status"] == "available")
    }));
    assert_eq!(
        client
            .get("/server-groups?query_type=status_abnormal")
            .await["count"],
        0
    );
    assert_eq!(
        client.get("/server-groups?query_type=general").await["count"].as_u64(),
        all
    );
}

#[tokio::test]
async fn id_lists_come_as_one_literal_or_repeated_and_skip_unknown_ids() {
    let client = calm_sdrs().await;
    let groups = client.get("/server-groups?limit=2").await;
    let (one, two) = (
        id(&groups["server_groups"][0]),
        id(&groups["server_groups"][1]),
    );
    let count = async |query: String| {
        client.get(&format!("/protected-instances?{query}")).await["count"].clone()
    };
    let both = count(format!("server_group_ids=%5B%22{one}%22%2C%22{two}%22%5D")).await;
    assert_eq!(
        both,
        count(format!("server_group_ids=%5B%27{one}%27,%27{two}%27%5D")).await
    );
    assert_eq!(
        both,
        count(format!("server_group_ids={one}&server_group_ids={two}")).await
    );
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        both,
        count(format!(
            "server_group_ids=%5B%22{one}%22,%22{two}%22,%22{unknown}%22%5D"
        ))
        .await
    );
    // The list wins over the single one, and a group filter over ids of instances.
    assert_eq!(
        count(format!(
            "server_group_ids=%5B%22{one}%22%5D&server_group_id={two}"
        ))
        .await,
        count(format!("server_group_id={one}")).await
    );
    let instance = &members(&client, "protected-instances", &groups["server_groups"][1]).await[0];
    let ids = format!("protected_instance_ids=%5B%22{}%22%5D", id(instance));
    assert_eq!(count(ids.clone()).await, 1);
    assert_eq!(
        count(format!("{ids}&server_group_id={one}")).await,
        count(format!("server_group_id={one}")).await
    );
    let many = vec![format!("%22{one}%22"); 31].join(",");
    let answer = client
        .call(
            "GET",
            &format!("/replications?server_group_ids=%5B{many}%5D"),
            Value::Null,
        )
        .await;
    is(&answer, 400, "SDRS.0226");
}

async fn refusal(client: &Client, path: &str) -> (u16, Value) {
    client.call("GET", path, Value::Null).await
}

#[tokio::test]
async fn what_is_not_there_is_a_400_unless_switched() {
    let client = calm_sdrs().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (kind, malformed, code) in [
        ("server-groups", "SDRS.0207", "SDRS.1013"),
        ("protected-instances", "SDRS.0208", "SDRS.1320"),
        ("replications", "SDRS.0213", "SDRS.1608"),
        ("disaster-recovery-drills", "SDRS.1900", "SDRS.1902"),
    ] {
        is(
            &refusal(&client, &format!("/{kind}/x-y")).await,
            400,
            malformed,
        );
        is(
            &refusal(&client, &format!("/{kind}/{unknown}")).await,
            400,
            code,
        );
        client.switch("sdrs.not_found", "404");
        let (status, body) = refusal(&client, &format!("/{kind}/{unknown}")).await;
        assert_eq!((status, &body["itemNotFound"]["code"]), (404, &json!(code)));
        client.switch("sdrs.not_found", "400");
    }
    client.switch("sdrs.error_wrapper", "badrequest");
    let (_, body) = refusal(&client, &format!("/server-groups/{unknown}")).await;
    assert_eq!(body["badrequest"]["code"], "SDRS.1013");
}

#[tokio::test]
async fn literal_routes_win_over_ids() {
    let client = calm_sdrs().await;
    let tags = client.get("/protected-instances/tags").await;
    assert!(
        tags["tags"]
            .as_array()
            .is_some_and(|tags| tags.iter().any(|tag| tag["key"] == "env"))
    );
    // `batch` is no failed task's id: the call clears all and never looks for one.
    assert_eq!(
        client
            .call("DELETE", "/task-center/failure-jobs/batch", Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(client.counted("sdrs.failed_task.clear_all"), 1);
    assert_eq!(client.counted("sdrs.failed_task.clear"), 0);
    let (status, body) = client
        .call("GET", "/resource/rpo-statistics", Value::Null)
        .await;
    assert_eq!(status, 501);
    assert!(body["error"]["message"].is_string());
    // There is no list of jobs, no cancel and no retry.
    for (method, path) in [
        ("GET", "/jobs"),
        ("DELETE", "/jobs/x"),
        ("POST", "/jobs/x/cancel"),
        ("GET", "/nosuch"),
    ] {
        let (status, body) = client.call(method, path, Value::Null).await;
        assert_eq!(
            (status, &body["error_code"]),
            (404, &json!("APIGW.0101")),
            "{method} {path}"
        );
    }
}
