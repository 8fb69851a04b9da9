//! Logging in, staying logged in, and giving up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{KIND, PLACE, get, post};
use crate::connect::http::Call;
use crate::connect::scripted::{
    Say, Scripted, Seen, access_key, keystone_password, settings, token_answer,
};
use crate::connect::session::{Place, Session};
use crate::model::{FaultKind, SendOutcome};

const WRONG: &str = r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#;

/// A Keystone and a service on one port. `tokens` decides what a login gets, `service` what a call gets.
async fn with_keystone(
    life_s: i64,
    service: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
) -> Scripted {
    let logins = AtomicUsize::new(0);
    let own: Arc<std::sync::OnceLock<String>> = Arc::default();
    let known = Arc::clone(&own);
    let server = Scripted::start(move |seen, n| {
        if seen.path() == "/v3/auth/tokens" {
            let n = logins.fetch_add(1, Ordering::SeqCst) + 1;
            let url = known.get().cloned().unwrap_or_default();
            token_answer(n, life_s, "data-protect", &format!("{url}/v1/p1"))
        } else {
            service(seen, n)
        }
    })
    .await;
    own.set(server.url.clone()).unwrap();
    server
}

fn keystone_session(server: &Scripted) -> Session {
    let mut s = settings(KIND, None);
    s.auth = keystone_password(&server.url);
    Session::open(
        &s,
        Place {
            with_project: true,
            ..PLACE
        },
    )
    .unwrap()
}

#[tokio::test]
async fn a_login_finds_the_service_in_the_catalog() {
    let server = with_keystone(3600, |_, _| Say::json(200, "[]")).await;
    let session = keystone_session(&server);
    get(&session).await.unwrap();
    let seen = server.seen();
    assert_eq!(
        seen[0].json(),
        json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
            {"name": "admin", "password": "s3cret-pw", "domain": {"name": "Default"}}}},
            "scope": {"project": {"name": "demo", "domain": {"name": "Default"}}}}})
    );
    assert_eq!(seen[1].target, "/v1/p1/things");
    assert_eq!(seen[1].header("x-auth-token"), "tok-1");
    let preview = session
        .preview(&Call::post(&["x"], json!({})), "")
        .await
        .unwrap();
    assert!(!format!("{preview:?}").contains("tok-1"));
    assert!(!format!("{session:?}").contains("s3cret"));
    assert!(!format!("{session:?}").contains("tok-1"));
}

#[tokio::test]
async fn many_questions_at_once_cost_one_login() {
    let server = with_keystone(3600, |_, _| Say::json(200, "[]")).await;
    let session = keystone_session(&server);
    let all = futures_util::future::join_all((0..20).map(|_| get(&session))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.count("POST", "/v3/auth/tokens"), 1);
}

#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    let server = with_keystone(3600, |seen, _| {
        if seen.header("x-auth-token") == "tok-1" {
            Say::json(401, WRONG)
        } else {
            Say::json(200, "[]")
        }
    })
    .await;
    let session = keystone_session(&server);
    get(&session).await.unwrap();
    assert_eq!(server.count("POST", "/v3/auth/tokens"), 2);
    get(&session).await.unwrap();
    assert_eq!(server.count("POST", "/v3/auth/tokens"), 2);
    let outcome = post(&session).await;
    assert!(matches!(outcome, SendOutcome::Accepted { .. }));
}

#[tokio::test]
async fn a_service_that_refuses_fresh_tokens_is_not_stormed() {
    let server = with_keystone(3600, |_, _| Say::json(401, WRONG)).await;
    let session = keystone_session(&server);
    for _ in 0..5 {
        let fault = get(&session).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(fault.retry_after_ms.is_some(), "it may come round");
    }
    assert_eq!(server.count("POST", "/v3/auth/tokens"), 2);
    let outcome = post(&session).await;
    assert!(
        matches!(outcome, SendOutcome::Refused { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_token_is_renewed_before_it_dies() {
    // A life of zero seconds: dead on arrival, so that every question logs in anew.
    let server = with_keystone(0, |_, _| Say::json(200, "[]")).await;
    let session = keystone_session(&server);
    get(&session).await.unwrap();
    get(&session).await.unwrap();
    assert!(server.count("POST", "/v3/auth/tokens") >= 2);
    assert_eq!(
        server
            .seen()
            .last()
            .map(|s| s.header("x-auth-token") == "tok-1"),
        Some(false)
    );
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let server = Scripted::start(|_, _| Say::json(401, WRONG)).await;
    let session = keystone_session(&server);
    let all = futures_util::future::join_all((0..5).map(|_| get(&session))).await;
    for result in all {
        let fault = result.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(fault.what.contains("user and password"), "{fault}");
        assert_eq!(fault.retry_after_ms, None, "only a person can mend it");
        assert!(!fault.to_string().contains("s3cret"), "{fault}");
    }
    let SendOutcome::NotSent { fault } = post(&session).await else {
        panic!("without a token nothing is sent");
    };
    assert_eq!(fault.kind, FaultKind::Auth);
    assert_eq!(server.seen().len(), 1, "one try in all");
}

#[tokio::test]
async fn an_unreachable_identity_service_is_tried_again_by_the_next_round_only() {
    let server = Scripted::start(|_, n| match n {
        0 => Say::json(503, ""),
        _ => Say::json(401, WRONG),
    })
    .await;
    let session = keystone_session(&server);
    let all = futures_util::future::join_all((0..4).map(|_| get(&session))).await;
    assert!(
        all.iter()
            .all(|r| r.as_ref().is_err_and(|f| f.kind == FaultKind::Server))
    );
    assert_eq!(server.seen().len(), 1, "those who waited share the failure");
    assert_eq!(get(&session).await.unwrap_err().kind, FaultKind::Auth);
}

#[tokio::test]
async fn a_catalog_without_the_service_says_what_it_holds() {
    let server = Scripted::start(|_, _| token_answer(1, 60, "backup", "http://127.0.0.1:1")).await;
    let fault = get(&keystone_session(&server)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.what.contains("data-protect"), "{fault}");
    assert!(fault.what.contains("it holds backup"), "{fault}");
}

#[tokio::test]
async fn a_given_endpoint_wins_and_takes_the_project() {
    let server = with_keystone(3600, |_, _| Say::json(200, "[]")).await;
    for (given, target) in [
        ("", "/v1/p1/things"),
        ("/v1", "/v1/p1/things"),
        ("/v1/{project_id}", "/v1/p1/things"),
        ("/base/v1/other", "/base/v1/other/things"),
    ] {
        let mut s = settings(KIND, Some(format!("{}{given}", server.url)));
        s.auth = keystone_password(&server.url);
        let place = Place {
            with_project: true,
            ..PLACE
        };
        let session = Session::open(&s, place).unwrap();
        get(&session).await.unwrap();
        assert_eq!(server.seen().last().unwrap().target, target, "{given}");
    }
}

#[tokio::test]
async fn a_signature_is_dated_by_the_services_clock_when_ours_is_off() {
    let server = Scripted::start(|seen, _| {
        if seen.header("x-sdk-date").starts_with("20100101T") {
            Say::json(200, "[]")
        } else {
            Say::json(
                401,
                r#"{"error_code":"APIGW.0301","error_msg":"timestamp","request_id":"r"}"#,
            )
            .with("Date", "Fri, 01 Jan 2010 10:00:00 GMT")
        }
    })
    .await;
    let mut s = settings(KIND, Some(server.url.clone()));
    s.auth = access_key("p9", "", "");
    let session = Session::open(
        &s,
        Place {
            with_project: true,
            ..PLACE
        },
    )
    .unwrap();
    get(&session).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[1].path(), "/v1/p9/things");
}

/// Answers of a real Keystone 30.
#[tokio::test]
async fn a_real_keystones_answers_are_read() {
    macro_rules! recorded {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/keystone/", $name, ".json"))
        };
    }
    for body in [
        recorded!("token"),
        recorded!("token-by-token"),
        recorded!("token-domain-by-name"),
    ] {
        let server = Scripted::start(move |seen, _| {
            assert_eq!(seen.path(), "/v3/auth/tokens");
            Say::json(201, body).with("X-Subject-Token", "tok")
        })
        .await;
        let mut s = settings(KIND, None);
        s.auth = keystone_password(&server.url);
        let place = Place {
            types: &["backup"],
            version: "v2",
            with_project: true,
            ..PLACE
        };
        let session = Session::open(&s, place).unwrap();
        let base = session.base().await.unwrap();
        let project = session.project_id().await.unwrap();
        assert!(base.path() == format!("/v2/{project}"), "{base}");
    }
    for body in [
        recorded!("unknown-project"),
        recorded!("unknown-user"),
        recorded!("wrong-password"),
    ] {
        let server = Scripted::start(move |_, _| Say::json(401, body)).await;
        let fault = get(&keystone_session(&server)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(fault.what.contains("no such project"), "{fault}");
        assert_eq!(
            fault.code.unwrap().message,
            "The request you have made requires authentication."
        );
    }
    let server = Scripted::start(|_, _| Say::json(400, recorded!("bad-body"))).await;
    let fault = get(&keystone_session(&server)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
}
