//! Triggers and scheduled operations on the virtual clock.

use serde_json::{Value, json};

use super::{INFRA, NOOP, bare, cloud, logs, server, server_plan};
use crate::sim_support::Client;

fn calendar(rule: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR")
}

async fn trigger(client: &Client, rule: &str) -> String {
    let body = json!({"trigger_info": {"name": "t", "type": "time", "properties": {
        "format": "calendar", "pattern": calendar(rule), "window": 900,
    }}});
    let (status, body) = client.call("POST", "/triggers", body).await;
    assert_eq!(status, 200, "{body}");
    body["trigger_info"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn operation(client: &Client, kind: &str, trigger: &str, definition: Value) -> String {
    let body = json!({"scheduled_operation": {
        "name": "o", "operation_type": kind, "trigger_id": trigger, "operation_definition": definition,
    }});
    let (status, body) = client.call("POST", "/scheduled_operations", body).await;
    assert_eq!(status, 200, "{body}");
    body["scheduled_operation"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

const HOURLY: &str = "FREQ=HOURLY;BYMINUTE=0;BYSECOND=0";

#[tokio::test]
async fn a_trigger_fires_by_the_clock_until_its_operation_goes() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    let clock = trigger(&client, HOURLY).await;
    let definition = json!({"provider_id": NOOP, "plan_id": plan});
    let id = operation(&client, "protect", &clock, definition).await;
    client.advance(3 * 3600 + 60);
    let ran = logs(&client, "").await;
    assert_eq!(ran.len(), 3);
    // Nothing says that a schedule ran it.
    assert!(
        ran.iter()
            .all(|log| log["scheduled_operation_id"].is_null())
    );
    assert_eq!(ran[0]["started_at"], "2026-03-05T03:00:00");
    let (status, body) = client
        .call("DELETE", &format!("/triggers/{clock}"), Value::Null)
        .await;
    assert_eq!((status, &body["computeFault"]["code"]), (424, &json!(424)));
    let path = format!("/scheduled_operations/{id}");
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (200, Value::Null)
    );
    client.advance(7200);
    assert_eq!(logs(&client, "").await.len(), 3);
}

#[tokio::test]
async fn a_run_that_is_refused_leaves_no_trace() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    let clock = trigger(&client, HOURLY).await;
    operation(
        &client,
        "protect",
        &clock,
        json!({"provider_id": NOOP, "plan_id": plan}),
    )
    .await;
    client
        .call("DELETE", &format!("/plans/{plan}"), Value::Null)
        .await;
    client.advance(3700);
    assert!(logs(&client, "").await.is_empty());
    assert_eq!(client.counted("karbor.schedule.failed"), 1);
}

#[tokio::test]
async fn what_was_due_while_the_engine_stood_still_is_run_within_its_window_only() {
    let mut client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    let clock = trigger(&client, "FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0").await;
    operation(
        &client,
        "protect",
        &clock,
        json!({"provider_id": NOOP, "plan_id": plan}),
    )
    .await;
    for (late, runs) in [(600, 1), (3600, 1)] {
        cloud(&client, json!({"engine": false}));
        client.advance(2 * 3600 + late);
        cloud(&client, json!({"engine": true}));
        assert_eq!(logs(&client, "").await.len(), runs);
        client.advance(22 * 3600 - late);
        client.log_in().await;
    }
    assert_eq!(client.counted("karbor.schedule.missed"), 1);
    cloud(&client, json!({"engine": false}));
    let (status, body) = client
        .call("DELETE", &format!("/triggers/{clock}"), Value::Null)
        .await;
    assert_eq!(status, 424, "{body}");
    let body = json!({"trigger_info": {"name": "x", "type": "time", "properties": {
        "format": "calendar", "pattern": calendar(HOURLY)}}});
    let (status, body) = client.call("POST", "/triggers", body).await;
    assert_eq!(status, 500);
    assert!(body.to_string().contains("MessagingTimeout"));
}

#[tokio::test]
async fn retention_by_number_deletes_the_newest_where_the_bank_lists_the_oldest_first() {
    for (bank, kept_the_oldest) in [("swift", true), ("s3", true)] {
        let client = bare().await;
        client.switch("karbor.bank", bank);
        let plan = server_plan(&client, NOOP).await;
        let clock = trigger(&client, HOURLY).await;
        let definition = json!({"provider_id": NOOP, "plan_id": plan, "max_backups": 2});
        operation(&client, "retention_protect", &clock, definition).await;
        client.advance(5 * 3600 + 60);
        let list = client
            .get(&format!(
                "/providers/{NOOP}/checkpoints?sort=created_at:asc"
            ))
            .await;
        let left = list["checkpoints"].as_array().expect("a list");
        assert_eq!(left.len(), 2);
        let oldest = logs(&client, "sort=created_at:asc&limit=1").await[0]["checkpoint_id"].clone();
        assert_eq!(left[0]["id"] == oldest, kept_the_oldest);
    }
}

#[tokio::test]
async fn retention_by_days_deletes_what_is_older() {
    let mut client = bare().await;
    let (resource, _) = server(&client, "ecs-web-02");
    let plan = super::plan(&client, "p", INFRA, json!([resource])).await;
    let clock = trigger(&client, "FREQ=DAILY;BYHOUR=2;BYMINUTE=0;BYSECOND=0").await;
    let definition = json!({"provider_id": INFRA, "plan_id": plan, "retention_duration": 3});
    operation(&client, "retention_protect", &clock, definition).await;
    client.advance(8 * 86_400);
    client.log_in().await;
    let list = client.get(&format!("/providers/{INFRA}/checkpoints")).await;
    assert_eq!(list["checkpoints"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_change_that_the_engine_can_not_use_is_accepted_and_ignored() {
    let client = bare().await;
    let plan = server_plan(&client, NOOP).await;
    let clock = trigger(&client, HOURLY).await;
    operation(
        &client,
        "protect",
        &clock,
        json!({"provider_id": NOOP, "plan_id": plan}),
    )
    .await;
    let body = json!({"trigger_info": {"properties": {
        "format": "calendar", "pattern": calendar("FREQ=DAILY"), "window": 900,
        "start_time": "2026-01-01 00:00:00", "end_time": "2026-02-01 00:00:00",
    }}});
    let path = format!("/triggers/{clock}");
    let (status, body) = client.call("PUT", &path, body).await;
    assert_eq!(status, 200);
    assert_eq!(
        body["trigger_info"]["properties"]["end_time"],
        "2026-02-01 00:00:00"
    );
    client.advance(3700);
    assert_eq!(logs(&client, "").await.len(), 1, "it goes on as before");
}
