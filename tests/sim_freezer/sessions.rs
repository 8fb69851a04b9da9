//! Sessions: what joining one does to a job, and the rounds.

use serde_json::{Value, json};

use crate::{bare, fixture, job, make, shape, until};

#[tokio::test]
async fn a_job_in_a_session_takes_its_schedule_and_its_rounds() {
    let client = bare().await;
    let id = make(&client, "/etc", json!({"status": "stop"})).await;
    let body = json!({"description": "nightly-session", "hold_off": 1, "schedule": {"schedule_interval": "20 seconds"}});
    let (status, made) = client.call("POST", "/sessions", body).await;
    assert_eq!(
        (status, shape(&made)),
        (201, shape(&fixture("session-made")))
    );
    let session = format!("/sessions/{}", made["session_id"].as_str().expect("an id"));
    let member = format!("{session}/jobs/{id}");
    assert_eq!(
        client.call("PUT", &member, Value::Null).await,
        (204, Value::Null)
    );
    assert_eq!(shape(&client.get(&session).await)["status"], "text");
    let fresh = client.get(&session).await;
    let recorded = fixture("session-fresh");
    assert_eq!(
        (&fresh["status"], &fresh["result"], &fresh["session_tag"]),
        (
            &recorded["status"],
            &recorded["result"],
            &recorded["session_tag"]
        )
    );
    assert_eq!(
        job(&client, &id).await["job_schedule"],
        fixture("job-in-session-fresh")["job_schedule"]
    );
    until(&client, &id, "running").await;
    assert_eq!(client.get(&session).await["status"], "running");
    until(&client, &id, "scheduled").await;
    let ran = client.get(&session).await;
    let recorded = fixture("session-completed");
    for field in [
        "status",
        "result",
        "session_tag",
        "time_ended",
        "time_started",
    ] {
        assert_eq!(ran[field], recorded[field], "{field}");
    }
    assert!(ran["time_end"].as_i64() > ran["time_start"].as_i64());
    assert_eq!(ran["jobs"][&id]["result"], "success");
    let now = job(&client, &id).await;
    assert_eq!(
        (&now["session_tag"], shape(&now["job_schedule"])),
        (
            &json!(1),
            shape(&fixture("job-in-session-ran")["job_schedule"])
        )
    );
    assert_eq!(
        shape(
            &client.get("/sessions?limit=100").await["sessions"]
                .as_array()
                .and_then(|list| list.last())
                .cloned()
                .expect("one")
        )["hold_off"],
        "number"
    );
    // Taken out it keeps nothing of its schedule but the wish to stop.
    assert_eq!(client.call("DELETE", &member, Value::Null).await.0, 204);
    assert_eq!(
        job(&client, &id).await["job_schedule"],
        json!({"event": "stop"})
    );
    client.advance(120);
    assert_eq!(job(&client, &id).await["job_schedule"]["status"], "stop");
}

#[tokio::test]
async fn rounds_are_held_off_and_out_of_sync() {
    let client = bare().await;
    // Nobody but this test speaks for the client.
    client.server(crate::CLIENT, json!({"state": "stopped"}));
    let id = make(&client, "/etc", json!({"status": "stop"})).await;
    let body = json!({"description": "s", "hold_off": 60, "schedule": {}});
    let (_, made) = client.call("POST", "/sessions", body).await;
    let session = format!("/sessions/{}", made["session_id"].as_str().expect("an id"));
    client
        .call("PUT", &format!("{session}/jobs/{id}"), Value::Null)
        .await;
    let action = format!("{session}/action");
    let start = async |tag: i64| {
        let body = json!({"start": {"job_id": id, "current_tag": tag}});
        client.call("POST", &action, body).await
    };
    assert_eq!(
        start(0).await,
        (202, json!({"result": "success", "session_tag": 1}))
    );
    assert_eq!(
        start(1).await,
        (202, json!({"result": "hold-off", "session_tag": 1}))
    );
    client.advance(61);
    assert_eq!(
        start(0).await,
        (202, json!({"result": "out-of-sync", "session_tag": 1}))
    );
    assert_eq!(start(5).await.0, 400);
    let end = json!({"end": {"job_id": id, "result": "fail"}});
    assert_eq!(client.call("POST", &action, end).await.0, 202);
    assert_eq!(client.get(&session).await["result"], "fail");
    assert_eq!(
        client.call("POST", &action, json!({"dance": {}})).await.0,
        405
    );
    assert_eq!(client.call("POST", &action, json!({})).await.0, 400);
    assert_eq!(
        client
            .call("PUT", &format!("{session}/jobs/nobody"), Value::Null)
            .await
            .0,
        500
    );
}
