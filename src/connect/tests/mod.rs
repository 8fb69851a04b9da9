//! What the shared client does when a service misbehaves, over a real loopback connection.

mod login;
mod tls;

use futures_util::{FutureExt, StreamExt};
use serde_json::json;

use super::http::{Call, Priority, Reply};
use super::scripted::{Say, Scripted, settings};
use super::session::{Place, Session};
use crate::model::{Fault, FaultKind, Follow, Kind, SendOutcome};

const KIND: Kind = Kind("csbs");
const PLACE: Place = Place {
    types: &["data-protect"],
    version: "v1",
    with_project: false,
    rate_per_minute: 60_000,
};

async fn open_at(server: &Scripted) -> Session {
    Session::open(&settings(KIND, Some(server.url.clone())), PLACE).unwrap()
}

async fn get(session: &Session) -> Result<Reply, Fault> {
    session.read(&Call::get(&["things"])).await
}

async fn post(session: &Session) -> SendOutcome {
    session
        .act(&Call::post(&["things"], json!({"a": 1})), Follow::default())
        .await
}

#[tokio::test]
async fn a_plain_answer_is_read_with_its_clock() {
    let server = Scripted::start(|_, _| {
        Say::json(200, "[1, 2]").with("Date", "Sat, 21 Nov 2026 02:40:41 GMT")
    })
    .await;
    let session = open_at(&server).await;
    let call = Call::get(&["things"]).with("name", "a&b c");
    let reply = session.read(&call).await.unwrap();
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [1, 2]);
    let (theirs, _) = session.clock().unwrap();
    assert_eq!(theirs.rfc3339(), "2026-11-21T02:40:41.000Z");
    assert_eq!(server.seen()[0].path(), "/v1/things");
    assert_eq!(server.seen()[0].query("name").as_deref(), Some("a&b c"));
}

#[tokio::test]
async fn html_a_cut_body_and_a_wrong_shape_are_told_apart() {
    let server = Scripted::start(|_, n| match n {
        0 => Say::Reply(
            200,
            vec![("Content-Type", "text/html".into())],
            b"<html><title>Proxy login</title>".to_vec(),
        ),
        1 => Say::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[1,".to_vec()),
        2 => Say::json(200, "[1, 2"),
        _ => Say::json(200, r#"{"oh": "no"}"#),
    })
    .await;
    let session = open_at(&server).await;
    let fault = get(&session).await.unwrap().json::<Vec<u8>>().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert!(fault.what.contains("Proxy login"), "{fault}");
    let fault = get(&session).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert!(
        fault.what.contains("cut short after 3 of 500 bytes"),
        "{fault}"
    );
    assert!(!fault.maybe_done);
    let fault = get(&session).await.unwrap().json::<Vec<u8>>().unwrap_err();
    assert!(fault.what.contains("ends in the middle"), "{fault}");
    let fault = get(&session).await.unwrap().json::<Vec<u8>>().unwrap_err();
    assert!(fault.what.contains("invalid type: map"), "{fault}");
    assert!(fault.place.starts_with("GET http://127.0.0.1"), "{fault}");
}

#[tokio::test]
async fn a_flood_ends_at_the_limit() {
    let server = Scripted::start(|_, _| Say::Flood(50)).await;
    let session = open_at(&server).await;
    let fault = get(&session).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert!(fault.what.contains("larger than 32 MB"), "{fault}");
}

#[tokio::test]
async fn a_long_body_announced_is_not_even_read() {
    let server = Scripted::start(|_, _| {
        Say::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n".to_vec())
    })
    .await;
    let fault = get(&open_at(&server).await).await.unwrap_err();
    assert!(fault.what.contains("larger than 32 MB"), "{fault}");
}

#[tokio::test]
async fn a_packed_body_counts_unpacked() {
    // `[2,4]` and 20,000 blanks, packed with gzip.
    let packed = hex::decode(concat!(
        "1f8b0800000000000203edc1411100000400b02a0278396d9cfe35d4f0d83695",
        "bd01000000000000000000000000000000000000c00b07df39e59c254e0000",
    ))
    .unwrap();
    let server = Scripted::start(move |_, _| {
        Say::Reply(
            200,
            vec![("Content-Encoding", "gzip".into())],
            packed.clone(),
        )
    })
    .await;
    let reply = get(&open_at(&server).await).await.unwrap();
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [2, 4]);
    let mut small = settings(KIND, Some(server.url.clone()));
    small.max_body = 4096;
    let fault = get(&Session::open(&small, PLACE).unwrap())
        .await
        .unwrap_err();
    assert!(fault.what.contains("larger than 4 kB"), "{fault}");
}

#[tokio::test]
async fn throttling_is_obeyed_by_polling_and_not_by_people() {
    let server = Scripted::start(|seen, n| match (seen.method.as_str(), n) {
        (_, 0) => Say::json(429, r#"{"error_code":"APIGW.0308","error_msg":"slow"}"#)
            .with("Retry-After", "30"),
        _ => Say::json(200, "{}"),
    })
    .await;
    let session = open_at(&server).await;
    let fault = get(&session).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Limited);
    assert_eq!(fault.retry_after_ms, Some(30_000));
    assert_eq!(fault.code.unwrap().code, "APIGW.0308");
    let again = get(&session).await.unwrap_err();
    assert_eq!(again.kind, FaultKind::Limited);
    assert_eq!(
        server.seen().len(),
        1,
        "nothing is sent while we were asked to wait"
    );
    assert!(matches!(post(&session).await, SendOutcome::Accepted { .. }));
}

#[tokio::test]
async fn a_retry_date_is_read_by_the_services_own_clock() {
    let server = Scripted::start(|_, _| {
        Say::json(503, "{}")
            .with("Date", "Sat, 21 Nov 2026 02:00:00 GMT")
            .with("Retry-After", "Sat, 21 Nov 2026 02:01:30 GMT")
    })
    .await;
    let fault = get(&open_at(&server).await).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Server);
    assert_eq!(fault.retry_after_ms, Some(90_000));
}

#[tokio::test]
async fn a_lost_answer_to_an_action_is_unknown_and_never_repeated() {
    for say in [
        Say::Drop,
        Say::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{".to_vec()),
        Say::Raw(b"garbage\r\n\r\n".to_vec()),
        Say::json(502, "<html><title>Bad Gateway</title></html>"),
        Say::json(504, ""),
        Say::json(500, "<html>oops</html>"),
    ] {
        let shown = format!("{say:?}");
        let server = Scripted::start(move |_, _| say.clone()).await;
        let session = open_at(&server).await;
        let outcome = post(&session).await;
        let SendOutcome::Unknown { fault, .. } = outcome else {
            panic!("{shown}: {outcome:?}");
        };
        assert!(fault.maybe_done);
        assert_eq!(server.seen().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_silent_service_times_out_and_leaves_the_outcome_open() {
    let server = Scripted::start(|_, _| Say::Hang).await;
    let mut s = settings(KIND, Some(server.url.clone()));
    s.timeout_ms = 100;
    let session = Session::open(&s, PLACE).unwrap();
    let fault = get(&session).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(!fault.maybe_done);
    assert!(matches!(post(&session).await, SendOutcome::Unknown { .. }));
}

#[tokio::test]
async fn a_refusal_is_a_refusal() {
    for (status, code) in [(400, "CSBS.6004"), (500, "CSBS.1001"), (503, "")] {
        let server = Scripted::start(move |_, _| {
            Say::json(
                status,
                json!({"error_code": code, "error_msg": "no"}).to_string(),
            )
        })
        .await;
        let outcome = post(&open_at(&server).await).await;
        let SendOutcome::Refused { code: c, .. } = outcome else {
            panic!("{status}: {outcome:?}");
        };
        assert_eq!(c.code, code);
        assert_eq!(c.http_status, Some(status));
    }
}

#[tokio::test]
async fn a_closed_port_means_nothing_was_sent() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let s = settings(KIND, Some(format!("http://127.0.0.1:{port}")));
    let session = Session::open(&s, PLACE).unwrap();
    let SendOutcome::NotSent { fault } = post(&session).await else {
        panic!("a refused connection carries nothing");
    };
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(!fault.maybe_done);
    assert!(!get(&session).await.unwrap_err().maybe_done);
}

#[tokio::test]
async fn a_dead_kept_connection_costs_a_read_nothing() {
    let server = Scripted::start(|_, n| match n {
        1 => Say::Drop,
        _ => Say::json(200, "[]"),
    })
    .await;
    let session = open_at(&server).await;
    get(&session).await.unwrap();
    get(&session).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn secrets_go_to_no_other_host() {
    let elsewhere = Scripted::start(|_, _| Say::json(200, "[]")).await;
    let target = elsewhere.url.clone();
    let server = Scripted::start(move |_, _| {
        Say::json(302, "").with("Location", format!("{target}/v1/things?token=abc"))
    })
    .await;
    let mut s = settings(KIND, Some(server.url.clone()));
    s.auth = super::AuthSettings::Bearer {
        token: super::Secret::new("hush"),
    };
    let session = Session::open(&s, PLACE).unwrap();
    let fault = get(&session).await.unwrap_err();
    assert!(fault.what.contains("elsewhere"), "{fault}");
    assert!(!fault.to_string().contains("abc"), "{fault}");
    let outcome = post(&session).await;
    assert!(
        matches!(outcome, SendOutcome::Refused { .. }),
        "{outcome:?}"
    );
    assert!(elsewhere.seen().is_empty());
    assert_eq!(server.seen()[0].header("authorization"), "Bearer hush");
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_by_reads() {
    let server = Scripted::start(|seen, _| {
        if seen.path() == "/v1/things" {
            Say::json(307, "").with("Location", "/v1/moved")
        } else {
            Say::json(200, "[7]")
        }
    })
    .await;
    let reply = get(&open_at(&server).await).await.unwrap();
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [7]);
}

#[tokio::test]
async fn plain_http_leaves_this_machine_only_when_allowed() {
    let mut s = settings(KIND, Some("http://backup.example.net/v1/p".into()));
    let fault = Session::open(&s, PLACE).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.advice.contains("allow_plain_http"), "{fault}");
    s.options.insert("allow_plain_http".into(), "yes".into());
    assert!(Session::open(&s, PLACE).is_ok());
}

#[tokio::test]
async fn bad_pins_and_authority_files_are_named() {
    let mut s = settings(KIND, Some("https://127.0.0.1:1".into()));
    s.tls.pin_sha256 = Some("12:34".into());
    assert_eq!(
        Session::open(&s, PLACE).unwrap_err().kind,
        FaultKind::Config
    );
    s.tls.pin_sha256 = None;
    s.tls.ca_file = Some("/nonexistent/ca.pem".into());
    let fault = Session::open(&s, PLACE).unwrap_err();
    assert_eq!(fault.place, "/nonexistent/ca.pem");
}

#[tokio::test]
async fn pages_in_flight_come_in_order_and_stop_on_request() {
    let jobs = (0..10).map(|n| async move { n }.boxed()).collect();
    let mut flight = super::http::in_flight(4, jobs);
    let mut taken = Vec::new();
    while let Some(n) = flight.next().await {
        taken.push(n);
        if n == 6 {
            break;
        }
    }
    assert_eq!(taken, [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn an_operators_call_passes_a_waiting_line() {
    let server = Scripted::start(|_, _| Say::json(200, "[]")).await;
    let mut s = settings(KIND, Some(server.url.clone()));
    s.rate_per_minute = Some(5);
    let session = Session::open(&s, PLACE).unwrap();
    get(&session).await.unwrap();
    let call = Call::get(&["things"]);
    // Polling has nothing left for about fifteen seconds: its future must not be ready …
    let mut waiting = Box::pin(session.exchange(&call, Priority::Poll));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    // … while the operator's question is answered.
    session.exchange(&call, Priority::Operator).await.unwrap();
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_configured_pace_is_for_what_changes() {
    let feed = |idle_ms, live| super::FeedSpec {
        id: "x",
        idle_ms,
        busy_ms: idle_ms / 2,
        covers: super::Covers {
            live,
            ..super::Covers::default()
        },
    };
    assert_eq!(feed(60_000, true).interval(false, None), 60_000);
    assert_eq!(feed(60_000, true).interval(true, None), 30_000);
    // what runs, and what is new
    assert_eq!(feed(60_000, true).interval(false, Some(5_000)), 5_000);
    assert_eq!(feed(30_000, false).interval(true, Some(5_000)), 5_000);
    // failed tasks alone: at their own pace, or a third of the configured one
    let mut failed = feed(30_000, false);
    failed.covers.failed = true;
    assert_eq!(failed.interval(false, Some(4_000)), 12_000);
    assert_eq!(failed.interval(true, Some(6_000)), 15_000);
    assert_eq!(failed.interval(true, Some(40_000)), 40_000);
    // but where nothing else tells of new failures
    failed.idle_ms = 20_000;
    assert_eq!(failed.interval(false, Some(5_000)), 5_000);
    // statistics: at their own pace, or a twelfth of the configured one
    assert_eq!(feed(900_000, false).interval(false, Some(5_000)), 60_000);
    assert_eq!(feed(120_000, false).interval(false, Some(20_000)), 120_000);
    assert_eq!(feed(120_000, false).interval(true, Some(20_000)), 60_000);
    // and never more often than the rest
    assert_eq!(feed(60_000, false).interval(false, Some(600_000)), 600_000);
}
