//! Policies: their schedules fire on the virtual clock, they keep what they say, and they are applied to vaults.

use serde_json::{Value, json};

use crate::sim_support::Client;
use crate::{NOBODY, calm_cbr, is, logs, show, text, vault};

fn policy_body(name: &str, pattern: &[&str], keep: &Value) -> Value {
    json!({"policy": {
        "name": name, "operation_type": "backup", "operation_definition": keep,
        "trigger": {"properties": {"pattern": pattern}},
    }})
}

async fn policy(client: &Client, name: &str, pattern: &[&str], keep: Value) -> Value {
    let (status, body) = client
        .call("POST", "/policies", policy_body(name, pattern, &keep))
        .await;
    assert_eq!(status, 200, "{body}");
    body["policy"].clone()
}

async fn apply(client: &Client, vault: &str, policy: &Value) -> (u16, Value) {
    let path = format!("/vaults/{vault}/associatepolicy");
    client
        .call("POST", &path, json!({"policy_id": policy["id"]}))
        .await
}

#[tokio::test]
async fn a_schedule_fires_in_utc_and_a_disabled_policy_does_not() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01", "ecs-db-01"]).await;
    let pattern = ["FREQ=DAILY;BYHOUR=3;BYMINUTE=30"];
    let keep = json!({"max_backups": -1, "retention_duration_days": -1, "timezone": "UTC+08:00"});
    let made = policy(&client, "nightly", &pattern, keep).await;
    assert_eq!(
        (made["enabled"].as_bool(), made["trigger"]["type"].as_str()),
        (Some(true), Some("time"))
    );
    assert_eq!(made["trigger"]["properties"]["pattern"], json!(pattern));
    assert_eq!(
        made["trigger"]["properties"]["start_time"],
        "2026-03-05 00:00:00"
    );
    let (status, body) = apply(&client, &id, &made).await;
    assert_eq!(
        (status, &body["associate_policy"]["policy_id"]),
        (200, &made["id"])
    );
    let shown = show(&client, "policies", &made["id"]).await;
    assert_eq!(shown["associated_vaults"][0]["vault_id"], id.as_str());
    let of_vault = client.get(&format!("/policies?vault_id={id}")).await;
    assert_eq!(of_vault["count"], 1);
    client.advance(3 * 3600 + 29 * 60);
    assert_eq!(logs(&client, "").await.len(), 0);
    client.advance(120);
    let rows = logs(&client, "").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|log| log["policy_id"] == made["id"]));
    assert!(text(&rows[0]["created_at"]).starts_with("2026-03-05T03:30:00"));
    client.advance(86_400);
    assert_eq!(logs(&client, "status=success").await.len(), 4);
    let path = format!("/policies/{}", text(&made["id"]));
    let (_, off) = client
        .call("PUT", &path, json!({"policy": {"enabled": false}}))
        .await;
    assert_eq!(off["policy"]["enabled"], false);
    client.advance(5 * 86_400);
    assert_eq!(logs(&client, "").await.len(), 4);
    // What is left out of an update stays as it is.
    let (_, named) = client
        .call("PUT", &path, json!({"policy": {"name": "other"}}))
        .await;
    assert_eq!(
        (
            named["policy"]["enabled"].as_bool(),
            named["policy"]["name"].as_str()
        ),
        (Some(false), Some("other"))
    );
    client.switch("cbr.put_enabled", "reset");
    let (_, on) = client
        .call("PUT", &path, json!({"policy": {"name": "third"}}))
        .await;
    assert_eq!(on["policy"]["enabled"], true);
    client.advance(86_400);
    assert_eq!(logs(&client, "").await.len(), 6);
    assert_eq!(
        client.call("DELETE", &path, Value::Null).await,
        (204, Value::Null)
    );
    is(
        &client.call("GET", &path, Value::Null).await,
        404,
        "BackupService.6000",
    );
    assert_eq!(client.get("/backups?status=available").await["count"], 6);
}

#[tokio::test]
async fn retention_takes_automatic_backups_only() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let web = client.id_of("ecs-web-01");
    crate::backed_up(&client, &id, &web).await;
    let few = policy(
        &client,
        "few",
        &["FREQ=DAILY;BYHOUR=3;BYMINUTE=0"],
        json!({"max_backups": 2}),
    )
    .await;
    assert_eq!(apply(&client, &id, &few).await.0, 200);
    client.advance(5 * 86_400);
    let left = client.get("/backups").await;
    assert_eq!(left["count"], 3, "two automatic ones and the one by hand");
    assert_eq!(client.counted("cbr.delete.done"), 3);
    assert_eq!(
        logs(&client, "operation_type=delete").await.len(),
        0,
        "nobody asked for these"
    );
    let days = policy(
        &client,
        "days",
        &["FREQ=DAILY;BYHOUR=21;BYMINUTE=0"],
        json!({"retention_duration_days": 1}),
    )
    .await;
    assert_eq!(apply(&client, &id, &days).await.0, 200);
    assert_eq!(
        show(&client, "policies", &few["id"]).await["associated_vaults"],
        json!([]),
        "replaced"
    );
    client.advance(86_400);
    let newest = &client.get("/backups?sort=created_at:desc&limit=1").await["backups"][0];
    assert!(
        text(&newest["created_at"]).starts_with("2026-03-10T21:00:00"),
        "{newest}"
    );
    let expires = text(&newest["expired_at"]).to_owned();
    assert!(expires.starts_with("2026-03-11T21:00:00"), "{expires}");
    let path = format!("/backups/{}", text(&newest["id"]));
    // It expires at 21:00, and goes in the next batch, from 08:00 on.
    client.control(
        "POST",
        "clock",
        json!({"advance_to": "2026-03-12T07:30:00Z"}),
    );
    assert_eq!(client.call("GET", &path, Value::Null).await.0, 200);
    client.control(
        "POST",
        "clock",
        json!({"advance_to": "2026-03-12T08:30:00Z"}),
    );
    is(
        &client.call("GET", &path, Value::Null).await,
        404,
        "BackupService.6200",
    );
}

#[tokio::test]
async fn at_most_ten_failed_automatic_backups_are_kept() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &["ecs-web-01"]).await;
    let made = policy(
        &client,
        "p",
        &["FREQ=DAILY;BYHOUR=0,2,4,6,8,10,12,14,16,18,20,22"],
        json!({}),
    )
    .await;
    assert_eq!(apply(&client, &id, &made).await.0, 200);
    client.switch("cbr.backend", "down");
    client.advance(86_400 + 600);
    client.switch("cbr.backend", "up");
    client.advance(2 * 3600);
    let failed = client.get("/backups?status=error").await["count"]
        .as_u64()
        .expect("a number");
    // Those that could not even be deleted while the service was down stand there still, until the next one goes.
    assert!((10..=12).contains(&failed), "{failed}");
    client.advance(32 * 86_400);
    assert_eq!(
        client.get("/backups?status=error").await["count"],
        0,
        "a month later"
    );
}

#[tokio::test]
async fn what_a_policy_does_not_take_is_refused() {
    let client = calm_cbr().await;
    let daily = ["FREQ=DAILY;BYHOUR=1"];
    for (pattern, keep) in [
        (
            &["FREQ=DAILY;BYHOUR=1", "FREQ=DAILY;BYHOUR=1;BYMINUTE=30"][..],
            json!({}),
        ),
        (&["BEGIN:VCALENDAR"][..], json!({})),
        (&daily[..], json!({"max_backups": 0})),
        (
            &daily[..],
            json!({"max_backups": 3, "retention_duration_days": 3}),
        ),
        (&daily[..], json!({"day_backups": 3})),
        (&daily[..], json!({"max_backups": "3"})),
    ] {
        let answer = client
            .call("POST", "/policies", policy_body("p", pattern, &keep))
            .await;
        is(&answer, 400, "BackupService.9900");
    }
    let mut odd = policy_body("p", &daily, &json!({}));
    odd["policy"]["operation_type"] = json!("juggling");
    is(
        &client.call("POST", "/policies", odd).await,
        400,
        "BackupService.6117",
    );
    let zoned = json!({"max_backups": 3, "day_backups": 3, "timezone": "UTC+01:00"});
    let made = policy(&client, "p", &daily, zoned).await;
    for number in 1..32 {
        policy(&client, &format!("p{number}"), &daily, json!({})).await;
    }
    let answer = client
        .call("POST", "/policies", policy_body("last", &daily, &json!({})))
        .await;
    is(&answer, 400, "BackupService.6001");
    let id = vault(&client, "v", &[]).await;
    let lift = format!("/vaults/{id}/dissociatepolicy");
    let body = json!({"policy_id": made["id"]});
    is(
        &client.call("POST", &lift, body.clone()).await,
        404,
        "BackupService.6002",
    );
    is(
        &client
            .call("POST", &lift, json!({"policy_id": NOBODY}))
            .await,
        404,
        "BackupService.6000",
    );
    assert_eq!(apply(&client, &id, &made).await.0, 200);
    client.switch("cbr.second_policy", "refuse");
    let other = client.get("/policies").await["policies"][0].clone();
    is(
        &apply(&client, &id, &other).await,
        400,
        "BackupService.6127",
    );
    let (status, answer) = client.call("POST", &lift, body).await;
    assert_eq!(
        (status, &answer["dissociate_policy"]["vault_id"]),
        (200, &json!(id))
    );
}

#[tokio::test]
async fn reads_may_lag_behind_a_binding() {
    let client = calm_cbr().await;
    let id = vault(&client, "v", &[]).await;
    let made = policy(&client, "p", &["FREQ=DAILY;BYHOUR=1"], json!({})).await;
    client.switch("cbr.binding_delay", "30");
    assert_eq!(apply(&client, &id, &made).await.0, 200);
    let count = async || client.get(&format!("/policies?vault_id={id}")).await["count"].clone();
    assert_eq!(count().await, 0);
    client.advance(31);
    assert_eq!(count().await, 1);
    let lift = format!("/vaults/{id}/dissociatepolicy");
    assert_eq!(
        client
            .call("POST", &lift, json!({"policy_id": made["id"]}))
            .await
            .0,
        200
    );
    assert_eq!(count().await, 1);
    client.advance(31);
    assert_eq!(count().await, 0);
}
