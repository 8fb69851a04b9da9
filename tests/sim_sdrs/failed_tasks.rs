//! The task center: one query for the groups, one for each group, and four ways to clear.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::{act, calm_sdrs, failed, fails, group, id, is, members};

/// One failure of a group, and two inside it.
async fn three_failures(client: &Client) -> Value {
    let group = group(client, "protected").await;
    let reverse = json!({"reverse-server-group": {"priority_station": "target"}});
    for pair in members(client, "replications", &group).await.iter().take(2) {
        let disk = &pair["volume_ids"].as_str().expect("two ids")[..36];
        client.control("POST", &format!("disks/{disk}"), json!({"locked": true}));
        let path = format!("/replications/{}/action", id(pair));
        let answer = client
            .call(
                "POST",
                &path,
                json!({"extend-replication": {"new_size": 5000}}),
            )
            .await;
        fails(client, answer, "SDRS.1832").await;
        client.control("POST", &format!("disks/{disk}"), json!({"locked": false}));
    }
    fails(client, act(client, &group, reverse).await, "SDRS.1352").await;
    group
}

#[tokio::test]
async fn rows_have_exactly_ten_fields_and_two_spellings() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    let rows = failed(&client, Some(&group)).await;
    assert_eq!(rows.len(), 2);
    // Newest first.
    assert!(rows[0]["begin_time"].as_str() > rows[1]["begin_time"].as_str());
    for row in &rows {
        let mut keys: Vec<&str> = row
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "begin_time",
                "error_code",
                "fail_reason",
                "failure_status",
                "job_id",
                "job_status",
                "job_type",
                "resource_id",
                "resource_name",
                "resource_type"
            ]
        );
        assert_eq!(row["job_status"], "FAIL");
        assert_eq!(row["resource_type"], "replicationPair");
    }
    client.switch("sdrs.resource_type", "plural");
    let row = failed(&client, None).await[0].clone();
    assert_eq!(
        (row["resource_type"].as_str(), row["job_type"].as_str()),
        (Some("server_groups"), Some("reverseProtectionGroupNoCG"))
    );
}

#[tokio::test]
async fn rows_of_a_groups_actions_are_listed_where_the_switch_says() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    for (choice, outside, inside) in [("group", 1, 2), ("inside", 0, 3), ("both", 1, 3)] {
        client.switch("sdrs.group_actions_listed", choice);
        let counts = (
            failed(&client, None).await.len(),
            failed(&client, Some(&group)).await.len(),
        );
        assert_eq!(counts, (outside, inside), "{choice}");
    }
}

#[tokio::test]
async fn filters_and_pages_of_failed_tasks() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    let count = async |query: &str| {
        let path = format!(
            "/task-center/failure-jobs?server_group_id={}&{query}",
            id(&group)
        );
        client.get(&path).await["count"].clone()
    };
    assert_eq!(count("failure_status=expandFail").await, 2);
    assert_eq!(count("failure_status=createFail").await, 0);
    assert_eq!(count("resource_type=replications").await, 2);
    // Only the plural spelling filters.
    assert_eq!(count("resource_type=replicationPair").await, 0);
    assert_eq!(count("resource_name=replication-").await, 2);
    client.switch("sdrs.resource_name", "exact");
    assert_eq!(count("resource_name=replication-").await, 0);
    let path = format!(
        "/task-center/failure-jobs?server_group_id={}&limit=1&offset=1",
        id(&group)
    );
    let page = client.get(&path).await;
    assert_eq!(
        (
            page["count"].as_u64(),
            page["failure_jobs"].as_array().map(Vec::len)
        ),
        (Some(2), Some(1))
    );
    let unknown = "/task-center/failure-jobs?server_group_id=00000000-0000-4000-8000-000000000000";
    is(
        &client.call("GET", unknown, Value::Null).await,
        400,
        "SDRS.1013",
    );
}

async fn clear(client: &Client, what: &Value) -> (u16, Value) {
    let path = format!(
        "/task-center/failure-jobs/{}",
        what.as_str().expect("an id")
    );
    client.call("DELETE", &path, Value::Null).await
}

#[tokio::test]
async fn one_is_cleared_by_the_id_that_the_switch_says_and_204_proves_nothing() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    let left = async || failed(&client, Some(&group)).await;
    let rows = left().await;
    client.switch("sdrs.clear_id", "resource_id");
    assert_eq!(clear(&client, &rows[0]["job_id"]).await, (204, Value::Null));
    assert_eq!(left().await.len(), 2);
    assert_eq!(clear(&client, &rows[0]["resource_id"]).await.0, 204);
    assert_eq!(left().await.len(), 1);
    client.switch("sdrs.clear_id", "job_id");
    client.switch("sdrs.clear_unknown", "400");
    is(
        &clear(&client, &rows[1]["resource_id"]).await,
        400,
        "SDRS.0201",
    );
    client.switch("sdrs.clear_unknown", "404");
    assert_eq!(clear(&client, &rows[1]["resource_id"]).await.0, 404);
    client.switch("sdrs.clear_id", "either");
    assert_eq!(clear(&client, &rows[1]["resource_id"]).await.0, 204);
    assert!(left().await.is_empty());
    let own = failed(&client, None).await;
    assert_eq!(clear(&client, &own[0]["job_id"]).await.0, 204);
    assert!(failed(&client, None).await.is_empty());
}

#[tokio::test]
async fn many_are_cleared_at_group_level_or_inside_one_group() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    let delete = async |path: String| client.call("DELETE", &path, Value::Null).await;
    // Its title says all groups; its text says group level, and so it does.
    assert_eq!(
        delete("/task-center/failure-jobs/batch".into()).await,
        (204, Value::Null)
    );
    assert!(failed(&client, None).await.is_empty());
    assert_eq!(failed(&client, Some(&group)).await.len(), 2);
    let path = format!("/task-center/{}/failure-jobs/batch", id(&group));
    assert_eq!(delete(path).await, (204, Value::Null));
    assert!(failed(&client, Some(&group)).await.is_empty());
    let unknown = "/task-center/00000000-0000-4000-8000-000000000000/failure-jobs/batch";
    is(&delete(unknown.into()).await, 400, "SDRS.1013");
}

#[tokio::test]
async fn rows_stay_after_a_repeat_that_works_unless_switched() {
    let client = calm_sdrs().await;
    let group = three_failures(&client).await;
    let pair = members(&client, "replications", &group).await[0].clone();
    let path = format!("/replications/{}/action", id(&pair));
    let grow = json!({"extend-replication": {"new_size": 5000}});
    // The group itself is in error by now, which an expansion does not mind.
    crate::succeeds(&client, client.call("POST", &path, grow.clone()).await).await;
    assert_eq!(failed(&client, Some(&group)).await.len(), 2);
    client.switch("sdrs.clear_on_success", "on");
    let grow = json!({"extend-replication": {"new_size": 6000}});
    crate::succeeds(&client, client.call("POST", &path, grow).await).await;
    assert_eq!(failed(&client, Some(&group)).await.len(), 1);
}
