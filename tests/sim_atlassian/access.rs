//! Who gets in, how often, and what the answers without a published code look like.

use serde_json::{Value, json};

use crate::{Atlassian, NOBODY, furnished, text};

#[tokio::test]
async fn basic_with_a_token_is_the_only_way_in() {
    let sim = Atlassian::start(furnished()).await;
    assert_eq!(sim.call("GET", "/policies", Value::Null).await.status, 200);
    let url = format!("{}/policies", sim.base);
    let get = || sim.http.get(&url);
    for (request, status) in [
        (get(), 401),
        (get().basic_auth(&sim.user, Some("wrong")), 401),
        (
            get().basic_auth("nobody@example.com", Some(&sim.token)),
            401,
        ),
        (get().bearer_auth(&sim.token), 401),
        (get().header("authorization", "Basic !!!"), 401),
        // An account that is no admin of the organisation and its apps.
        (
            get().basic_auth("viewer@example.com", Some("keepwatch-demo-viewer-token")),
            403,
        ),
    ] {
        assert_eq!(Atlassian::send(request).await.status, status);
    }
    sim.switch("bearer", "accepted");
    let request = get().bearer_auth(&sim.token);
    assert_eq!(Atlassian::send(request).await.status, 200);
    // Another organisation's address.
    let base = sim.base.rsplit_once('/').expect("an organisation").0;
    let request = sim
        .http
        .get(format!("{base}/{NOBODY}/policies"))
        .basic_auth(&sim.user, Some(&sim.token));
    assert_eq!(Atlassian::send(request).await.status, 403);
}

#[tokio::test]
async fn activate_asks_for_the_account() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policies().await.remove(3);
    let id = text(&policy, "policyId");
    let put = |path: String| {
        sim.http
            .put(format!("{}{path}", sim.base))
            .basic_auth(&sim.user, Some(&sim.token))
    };
    let activate = format!("/policies/{id}/activate");
    assert_eq!(Atlassian::send(put(activate.clone())).await.status, 400);
    let update = || put(format!("/policies/{id}")).json(&json!({}));
    assert_eq!(Atlassian::send(update()).await.status, 400);
    sim.switch("account_header", "activate");
    assert_eq!(Atlassian::send(update()).await.status, 200);
    assert_eq!(sim.counted("atlassian.policy.activated"), 0);
    let with = put(activate).header("X-Atl-Account-Id", &sim.account);
    assert_eq!(Atlassian::send(with).await.status, 200);
    assert_eq!(sim.counted("atlassian.policy.activated"), 1);
}

#[tokio::test]
async fn the_quotas_are_the_published_ones() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policies().await.remove(0);
    let id = text(&policy, "policyId").to_owned();
    // One GET is gone; all rows of GETs share the hundred.
    for round in 1..100 {
        let path = ["/policies", "/restores", "/storages"][round % 3];
        assert_eq!(sim.call("GET", path, Value::Null).await.status, 200);
    }
    let told = sim.call("GET", "/policies", Value::Null).await;
    assert_eq!(told.status, 429);
    assert!(!told.headers.contains_key("retry-after"));
    // Other rows have quotas of their own: 10 for creates, 10 for updates, 5 for restores, none for activate.
    let update = format!("/policies/{id}");
    let activate = format!("/policies/{id}/activate");
    for (method, path, limit) in [
        ("POST", "/policies", 10),
        ("PUT", update.as_str(), 10),
        ("POST", "/restores", 5),
        ("PUT", activate.as_str(), 30),
    ] {
        for round in 0..30 {
            let status = sim.call(method, path, json!({})).await.status;
            assert_eq!(status == 429, round >= limit, "{method} {path} {round}");
        }
    }
    sim.advance(60);
    assert_eq!(sim.call("GET", "/policies", Value::Null).await.status, 200);
}

#[tokio::test]
async fn what_a_429_says_and_when_it_ends_are_switches() {
    let sim = Atlassian::start(furnished()).await;
    sim.switch("retry_after", "on");
    sim.switch("window", "sliding");
    sim.advance(50);
    let restore = || sim.call("POST", "/restores", json!({}));
    for _ in 0..5 {
        assert_eq!(restore().await.status, 400);
    }
    sim.advance(20);
    let told = restore().await;
    assert_eq!(told.status, 429);
    assert_eq!(told.headers["retry-after"], "41");
    // By the clock a new minute has begun.
    sim.switch("window", "fixed");
    assert_eq!(restore().await.status, 400);
    sim.switch("quota_scope", "operation");
    for path in ["/policies", "/restores"] {
        for _ in 0..60 {
            assert_eq!(sim.call("GET", path, Value::Null).await.status, 200);
        }
    }
}

#[tokio::test]
async fn answers_without_a_code_come_in_the_shape_that_is_asked_for() {
    let sim = Atlassian::start(furnished()).await;
    let path = format!("/policies/{NOBODY}");
    let told = sim.call("GET", &path, Value::Null).await;
    assert_eq!(told.status, 404);
    assert_eq!(told.body["code"], 404);
    sim.switch("uncoded_body", "empty");
    assert_eq!(sim.call("GET", &path, Value::Null).await.text, "");
    sim.switch("uncoded_body", "html");
    let told = sim.call("GET", &path, Value::Null).await;
    assert!(told.text.starts_with("<html>"), "{}", told.text);
    sim.switch("uncoded_body", "error");
    let told = sim.call("GET", &path, Value::Null).await;
    assert_eq!(told.body["errorCode"], "404");
    // The server's own troubles speak the same way.
    for status in [500, 503, 504] {
        sim.control(
            "POST",
            "faults",
            json!({"fault": "status", "status": status}),
        );
        let told = sim.call("GET", "/policies", Value::Null).await;
        assert_eq!(
            (told.status, &told.body["errorCode"]),
            (status, &json!(status.to_string()))
        );
    }
    for (method, path) in [
        ("DELETE", "/policies"),
        ("POST", path.as_str()),
        ("GET", "/restores/x/revalidate"),
    ] {
        assert_eq!(
            sim.call(method, path, Value::Null).await.status,
            405,
            "{method} {path}"
        );
    }
    // Nothing lists tasks, starts or cancels a backup.
    for path in ["/tasks", "/backups", "/policies/x/cancel", ""] {
        assert_eq!(
            sim.call("GET", path, Value::Null).await.status,
            404,
            "{path}"
        );
    }
}
