//! Lost answers, lost tokens, broken answers, signatures.

use keepwatch::connect::{AuthSettings, PollContext, Secret};
use keepwatch::model::{FaultKind, Found, Phase, SendOutcome, Timestamp};
use keepwatch::sim::csbs;
use serde_json::{Value, json};

use crate::sim_support::{Client, calm};
use crate::{Pages, backed_up, open, prepare, read, settings, start, target};

#[tokio::test]
async fn a_lost_answer_is_found_and_nothing_is_sent_twice() {
    for (fault, carried_out) in [
        ("reset_after", true),
        ("truncated", true),
        ("reset_before", false),
    ] {
        let (client, csbs) = start(calm()).await;
        let id = client.id_of("ecs-web-01");
        backed_up(&client, &csbs, "ecs-web-01").await;
        client.advance(60);
        let prepared = prepare(&csbs, &target(&csbs, "back-up", &id, "ecs-web-01")).await;
        client.control("POST", "faults", json!({"fault": fault, "method": "POST"}));
        let sent_at = Timestamp::now();
        let outcome = csbs.send(&prepared, &|_| {}).await;
        let SendOutcome::Unknown { fault: lost, .. } = outcome else {
            panic!("{fault}: {outcome:?}");
        };
        assert!(lost.maybe_done);
        let found = csbs.find(&prepared, sent_at).await.expect("answers");
        assert_eq!(
            matches!(found, Found::Done { .. }),
            carried_out,
            "{fault}: {found:?}"
        );
        let expected = if carried_out { 2 } else { 1 };
        assert_eq!(client.counted("csbs.backup.started"), expected, "{fault}");
    }
}

#[tokio::test]
async fn revoked_tokens_cost_one_login() {
    let (client, csbs) = start(calm()).await;
    read(&csbs, "failed").await;
    client.control("POST", "tokens/revoke", Value::Null);
    read(&csbs, "failed").await;
    client.control("POST", "faults", json!({"fault": "expired_token"}));
    let backup = backed_up(&client, &csbs, "ecs-web-01").await;
    assert_eq!(backup.phase, Phase::Succeeded);
    assert_eq!(client.counted("csbs.backup.started"), 1);
}

#[tokio::test]
async fn faults_end_in_words_and_pass() {
    let (client, csbs) = start(calm()).await;
    for (fault, kind) in [
        (
            json!({"fault": "status", "status": 500, "times": 0}),
            FaultKind::Server,
        ),
        (json!({"fault": "html", "times": 0}), FaultKind::Garbled),
        (json!({"fault": "garbage", "times": 0}), FaultKind::Garbled),
        (
            json!({"fault": "truncated", "times": 0}),
            FaultKind::Garbled,
        ),
        (json!({"fault": "huge", "times": 0}), FaultKind::Garbled),
        (
            json!({"fault": "reset_before", "times": 0}),
            FaultKind::Unreachable,
        ),
        (json!({"fault": "refused"}), FaultKind::Unreachable),
    ] {
        client.control("POST", "faults", fault.clone());
        let mut pages = Pages::default();
        let got = csbs
            .poll("failed", PollContext::default(), &mut pages)
            .await
            .expect_err("a fault");
        assert_eq!(got.kind, kind, "{fault}: {got}");
        assert!(
            !got.what.is_empty() && !got.advice.is_empty() && !got.maybe_done,
            "{got:?}"
        );
        let (status, answer) =
            client
                .running
                .control("keystone", "DELETE", "faults?service=*", &Value::Null);
        assert_eq!(status, 200, "{answer}");
        if fault["fault"] != "refused" {
            read(&csbs, "failed").await;
        }
    }
}

#[tokio::test]
async fn throttling_is_obeyed() {
    let (client, csbs) = start(calm()).await;
    client.control(
        "POST",
        "faults",
        json!({"fault": "rate_limit", "retry_after": 7}),
    );
    let mut pages = Pages::default();
    let got = csbs
        .poll("failed", PollContext::default(), &mut pages)
        .await
        .expect_err("a fault");
    assert_eq!(
        (got.kind, got.retry_after_ms),
        (FaultKind::Limited, Some(7_000))
    );
    assert!(got.code.is_some_and(|c| c.code.starts_with("APIGW.0308")));
}

#[tokio::test]
async fn a_migrated_project_says_where_to_go() {
    let (client, csbs) = start(calm()).await;
    for account in ["migrated", "new"] {
        client.switch("csbs.account", account);
        let mut pages = Pages::default();
        let got = csbs
            .poll("policies", PollContext::default(), &mut pages)
            .await
            .expect_err("a fault");
        assert_eq!(got.kind, FaultKind::NotOffered, "{got}");
        assert!(got.advice.contains("cbr"));
    }
}

#[tokio::test]
async fn requests_may_be_signed_in_either_dialect() {
    let client = Client::start(calm(), csbs::ENTRY).await;
    for (key, secret, token) in [
        (
            "KEEPWATCHDEMOACCESS0",
            "keepwatch-demo-secret-key-opens-nothing",
            None,
        ),
        (
            "KEEPWATCHTEMPACCESS0",
            "keepwatch-demo-temporary-secret-key",
            Some("keepwatch-demo-security-token"),
        ),
    ] {
        for dialect in ["plain", "scoped"] {
            let mut signed = settings(&client);
            signed.endpoint = Some(client.base.clone());
            signed.auth = AuthSettings::AccessKey {
                access_key: key.into(),
                secret_key: Secret::new(secret),
                security_token: token.map(Secret::new),
                project_id: client.project.clone(),
                region: "eu-de".into(),
                dialect: dialect.into(),
            };
            let csbs = open(&signed);
            read(&csbs, "policies").await;
            let backup = backed_up(&client, &csbs, "ecs-web-01").await;
            assert_eq!(backup.phase, Phase::Succeeded);
        }
    }
}
