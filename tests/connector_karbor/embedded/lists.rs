//! Paging, sorting and filters, as far as a bank of each kind heeds them.

use serde_json::Value;

use super::{NOBODY, NOOP, bare, logs, run, server_plan};
use crate::sim_support::Client;

async fn ids(client: &Client, query: &str) -> Vec<String> {
    let body = client
        .get(&format!("/providers/{NOOP}/checkpoints?{query}"))
        .await;
    let rows = body["checkpoints"].as_array().expect("a list");
    rows.iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn each_bank_pages_in_its_own_way() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(run(&client, NOOP, &plan).await);
        client.advance(10);
    }
    let middle = &made[2];
    // Newest first is what is asked for by default: oldest first is what comes, and all of it.
    assert_eq!(ids(&client, "limit=2").await, made);
    assert_eq!(
        ids(&client, &format!("limit=1&marker={middle}")).await,
        made[..2]
    );
    assert_eq!(ids(&client, "limit=2&sort=created_at:asc").await, made[..2]);
    let next = format!("limit=2&sort=created_at:asc&marker={middle}");
    assert_eq!(ids(&client, &next).await, made[3..]);
    client.switch("karbor.bank", "s3");
    assert_eq!(ids(&client, "limit=2").await, made[..2]);
    assert_eq!(
        ids(&client, &format!("limit=2&marker={middle}")).await,
        made[3..]
    );
    client.switch("karbor.bank", "file_system");
    let first = ids(&client, "limit=2").await;
    assert_eq!(
        ids(&client, &format!("limit=2&marker={}", first[1])).await,
        first,
        "for ever"
    );
    let mut all = ids(&client, "").await;
    all.sort();
    made.sort();
    assert_eq!(all, made);
    // The link leads to a path that nobody serves.
    let body = client
        .get(&format!("/providers/{NOOP}/checkpoints?limit=2"))
        .await;
    let href = body["checkpoints_links"][0]["href"]
        .as_str()
        .expect("a link");
    let path = href.strip_prefix(&client.base).expect("below the endpoint");
    assert!(path.starts_with("/checkpoints?"));
    let answer = client
        .http
        .get(href)
        .header("x-auth-token", &client.token)
        .send();
    assert_eq!(answer.await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn the_log_is_paged_to_its_end_by_its_own_links() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    for _ in 0..7 {
        run(&client, NOOP, &plan).await;
        client.advance(10);
    }
    let mut path = "/operation_logs?limit=3".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let body = client.get(&path).await;
        pages += 1;
        let rows = body["operation_logs"].as_array().expect("a list");
        seen.extend(rows.iter().map(|row| row["id"].clone()));
        let Some(href) = body["operation_logs_links"][0]["href"].as_str() else {
            break;
        };
        path = href.strip_prefix(&client.base).expect("ours").to_owned();
    }
    assert_eq!((seen.len(), pages), (7, 3));
    let all: Vec<Value> = logs(&client, "")
        .await
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(seen, all);
    // A full last page points at an empty one.
    let body = client.get("/operation_logs?limit=7").await;
    let href = body["operation_logs_links"][0]["href"]
        .as_str()
        .expect("a link");
    let path = href.strip_prefix(&client.base).expect("ours");
    assert_eq!(
        client.get(path).await["operation_logs"],
        serde_json::json!([])
    );
    let path = format!("/operation_logs?marker={NOBODY}");
    assert_eq!(client.call("GET", &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn unknown_filters_are_dropped_for_members_and_empty_the_list_for_administrators() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    run(&client, NOOP, &plan).await;
    for (role, unknown, all) in [("member", 1, 1), ("admin", 0, 0)] {
        client.switch("karbor.role", role);
        assert_eq!(logs(&client, "colour=red").await.len(), unknown);
        assert_eq!(logs(&client, "all_tenants=0").await.len(), all);
        assert_eq!(logs(&client, "all_tenants=1").await.len(), 1);
    }
    assert_eq!(logs(&client, "operation_type=protect").await.len(), 1);
    assert!(logs(&client, "operation_type=restore").await.is_empty());
}
