//! Tags: one call for adding and deleting, a search, and the one real 404.

use serde_json::{Value, json};

use crate::{calm_sdrs, group, id, is, members};

#[tokio::test]
async fn tags_are_added_overwritten_deleted_and_limited() {
    let client = calm_sdrs().await;
    let group = group(&client, "protected").await;
    let instance = members(&client, "protected-instances", &group).await[0].clone();
    let base = format!("/protected-instances/{}/tags", id(&instance));
    let post = async |path: &str, body: Value| client.call("POST", path, body).await;
    let tag = |key: &str, value: &str| json!({"tag": {"key": key, "value": value}});
    assert_eq!(post(&base, tag("a", "1")).await, (204, Value::Null));
    assert_eq!(post(&base, tag("a", "2")).await.0, 204);
    let tags = client.get(&base).await["tags"].clone();
    assert_eq!(
        tags.as_array().expect("a list").last(),
        Some(&json!({"key": "a", "value": "2"}))
    );
    let action = format!("{base}/action");
    for (body, code) in [
        (
            json!({"action": "drop", "tags": [{"key": "a"}]}),
            "SDRS.2201",
        ),
        (json!({"action": "create", "tags": []}), "SDRS.2202"),
        (
            json!({"action": "create", "tags": [{"key": " ", "value": "x"}]}),
            "SDRS.2205",
        ),
        (
            json!({"action": "create", "tags": [{"key": "a", "value": null}]}),
            "SDRS.2208",
        ),
        (
            json!({"action": "create", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
            "SDRS.2209",
        ),
    ] {
        is(&post(&action, body).await, 400, code);
    }
    let many = |count: usize| {
        let tags: Vec<Value> = (0..count)
            .map(|n| json!({"key": format!("k{n}"), "value": "v"}))
            .collect();
        json!({"action": "create", "tags": tags})
    };
    is(&post(&action, many(21)).await, 400, "SDRS.2203");
    is(&post(&action, many(20)).await, 400, "SDRS.2203");
    assert_eq!(post(&action, many(17)).await.0, 204);
    // Deleting in a batch does not mind what isn't there; deleting one does, with a real 404.
    assert_eq!(
        post(
            &action,
            json!({"action": "delete", "tags": [{"key": "nosuch"}, {"key": "k1"}]})
        )
        .await
        .0,
        204
    );
    let one = format!("{base}/k2");
    assert_eq!(client.call("DELETE", &one, Value::Null).await.0, 204);
    is(
        &client.call("DELETE", &one, Value::Null).await,
        404,
        "SDRS.2206",
    );
    assert_eq!(post(&base, tag("a b", "1")).await.0, 204);
    assert_eq!(
        client
            .call("DELETE", &format!("{base}/a%20b"), Value::Null)
            .await
            .0,
        204
    );
}

#[tokio::test]
async fn the_search_by_tags_filters_and_counts() {
    let client = calm_sdrs().await;
    let search = async |body: Value| {
        client
            .call(
                "POST",
                "/protected-instances/resource_instances/action",
                body,
            )
            .await
    };
    let all = client.get("/protected-instances").await["count"].clone();
    let (status, count) = search(json!({"action": "count"})).await;
    assert_eq!((status, count), (200, json!({"total_count": all})));
    let (_, found) = search(json!({"action": "filter", "limit": "2", "offset": "1", "tags": [{"key": "env", "values": ["*ro"]}]})).await;
    assert_eq!(found["resources"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["total_count"], all);
    assert_eq!(
        found["resources"][0]["resource_detail"]["id"],
        found["resources"][0]["resource_id"]
    );
    let total = async |body: Value| search(body).await.1["total_count"].as_u64();
    let web = json!([{"key": "role", "values": ["web"]}]);
    let webs = total(json!({"action": "count", "tags": web})).await;
    assert!(webs > Some(0));
    assert_eq!(
        total(json!({"action": "count", "not_tags_any": web})).await,
        all.as_u64().zip(webs).map(|(all, webs)| all - webs)
    );
    assert_eq!(
        total(
            json!({"action": "count", "matches": [{"key": "resource_name", "value": "ECS-WEB"}]})
        )
        .await,
        webs
    );
    for (body, code) in [
        (json!({"action": "find"}), "SDRS.2210"),
        (json!({"action": "count", "limit": "1"}), "SDRS.2211"),
        (json!({"action": "filter", "limit": "0"}), "SDRS.2220"),
        (
            json!({"action": "filter", "matches": [{"key": "id", "value": "x"}]}),
            "SDRS.2214",
        ),
    ] {
        is(&search(body).await, 400, code);
    }
}
