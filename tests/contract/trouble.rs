//! Wrong credentials, lost tokens, throttling, broken answers: each has its word, costs no data and passes.

use std::time::Duration;

use keepwatch::connect::{AuthSettings, Secret};
use keepwatch::model::{Fault, FaultKind, Health, RecordsFrom};
use keepwatch::watch::{WatchEvent, Watched, spawn};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bench::{Bench, world};
use crate::everywhere;

fn uses_tokens(bench: &Bench) -> bool {
    matches!(
        bench.settings.auth,
        AuthSettings::KeystonePassword { .. } | AuthSettings::KeystoneToken { .. }
    )
}

/// A fault that a person can work with: what, where, what to do, and nothing said to be half done.
fn is_clear(bench: &Bench, fault: &Fault) {
    assert!(
        !fault.what.is_empty() && !fault.advice.is_empty(),
        "{fault:?}"
    );
    assert!(fault.place.contains("://127.0.0.1:"), "where? {fault:?}");
    assert!(!fault.maybe_done, "a question changes nothing: {fault:?}");
    let shown = format!("{fault:?}");
    for secret in ["demo-password", "keepwatch-demo-secret-key"] {
        assert!(!shown.contains(secret), "{}: {shown}", bench.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_and_not_shown_again() {
    everywhere(|entry| async move {
        let bench = Bench::start_with(entry, world(), |settings| {
            let wrong = Secret::new("not-the-secret");
            match &mut settings.auth {
                AuthSettings::KeystonePassword { password, .. }
                | AuthSettings::Basic { password, .. } => *password = wrong,
                AuthSettings::KeystoneToken { token, .. } | AuthSettings::Bearer { token } => {
                    *token = wrong;
                }
                AuthSettings::AccessKey { secret_key, .. } => *secret_key = wrong,
                AuthSettings::None => panic!("a service that anybody may ask"),
            }
        })
        .await;
        let watched = Watched {
            service: bench.service(),
            connector: bench.connector.clone(),
            history_ms: 86_400_000,
            every_ms: None,
            records_from: RecordsFrom::default(),
        };
        let (watchers, mut events) = spawn(&[watched]);
        let mut waiting = bench.remote();
        let mut last = None;
        while !waiting.is_empty() || last.is_none() {
            let event = timeout(Duration::from_secs(60), events.recv()).await;
            match event.expect("an event").expect("the watchers live") {
                WatchEvent::Round { feed, round, .. } => {
                    if let Err(fault) = round.outcome {
                        assert_eq!(fault.kind, FaultKind::Auth, "{feed}: {fault}");
                        is_clear(&bench, &fault);
                        waiting.retain(|f| *f != feed);
                    } else {
                        // a list that had nothing to ask was read without credentials
                        waiting.retain(|f| *f != feed);
                    }
                }
                WatchEvent::Health {
                    health:
                        Health::Down {
                            next_try, fault, ..
                        },
                    ..
                } => {
                    assert_eq!(fault.kind, FaultKind::Auth, "{fault}");
                    assert_eq!(next_try, None, "only a person can mend it");
                    last = Some(fault);
                }
                _ => {}
            }
        }
        drop(watchers);
        if uses_tokens(&bench) {
            assert_eq!(bench.counted("keystone.login.refused"), 1);
            assert_eq!(bench.asked(), 0, "nothing without a token");
        } else {
            let most = bench.remote().len();
            assert!(bench.asked() <= most, "{} questions", bench.asked());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_midway_is_renewed_once() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        let held = bench.settled().await;
        if !uses_tokens(&bench) {
            return;
        }
        let issued = bench.counted("keystone.token.issued");
        bench.control("POST", "tokens/revoke", Value::Null);
        bench.whole_round().await;
        assert_eq!(bench.counted("keystone.token.issued"), issued + 1);
        // the token goes while a list is being read
        for feed in bench.remote() {
            bench.fault(json!({"fault": "expired_token"}));
            let read = bench.read(feed).await;
            assert!(read.outcome.is_ok(), "{feed}: {:?}", read.outcome);
        }
        bench.mend();
        bench.held().is(&held, "after it");
        let renewed = bench.counted("keystone.token.issued") - issued;
        assert!(renewed > 1, "no token went while a list was read");
        assert!(
            renewed <= 1 + bench.remote().len() as u64,
            "{renewed} logins"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_for_quiet_gets_it() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        let held = bench.settled().await;
        let feed = asking(&mut bench).await;
        bench.fault(json!({"fault": "rate_limit", "retry_after": 70}));
        let read = bench.read(feed).await;
        let fault = told(&read.outcome);
        assert_eq!(fault.kind, FaultKind::Limited, "{fault}");
        assert_eq!(fault.retry_after_ms, Some(70_000), "{fault:?}");
        is_clear(&bench, &fault);
        let sent = bench.sent();
        for feed in bench.remote() {
            let read = bench.read(feed).await;
            if let Err(fault) = read.outcome {
                assert_eq!(fault.kind, FaultKind::Limited, "{feed}: {fault}");
                let left = fault.retry_after_ms.expect("how long it still lasts");
                assert!(left <= 70_000, "{left}");
            }
        }
        assert_eq!(bench.sent(), sent, "asked while it wanted quiet");
        bench.held().is(&held, "after it");
    })
    .await;
}

/// A feed that asks the service something.
async fn asking(bench: &mut Bench) -> &'static str {
    for feed in bench.remote() {
        let before = bench.sent();
        bench.read(feed).await;
        if bench.sent() > before {
            return feed;
        }
    }
    panic!("no feed asks anything");
}

/// The fault of a round: of the whole list, or of the part that failed.
fn told(outcome: &Result<keepwatch::connect::PollReport, Fault>) -> Fault {
    match outcome {
        Err(fault) => fault.clone(),
        Ok(report) => {
            assert!(!report.complete, "a list with a hole is called whole");
            report.partial.first().expect("a word about it").clone()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_have_a_name_cost_no_data_and_pass() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        let held = bench.settled().await;
        for (fault, kind) in [
            (
                json!({"fault": "status", "status": 500, "times": 0}),
                FaultKind::Server,
            ),
            (
                json!({"fault": "status", "status": 503, "times": 0}),
                FaultKind::Server,
            ),
            (json!({"fault": "html", "times": 0}), FaultKind::Garbled),
            (json!({"fault": "garbage", "times": 0}), FaultKind::Garbled),
            (
                json!({"fault": "truncated", "times": 0}),
                FaultKind::Garbled,
            ),
            (
                json!({"fault": "huge", "bytes": 6_000_000, "times": 0}),
                FaultKind::Garbled,
            ),
            (
                json!({"fault": "reset_before", "times": 0}),
                FaultKind::Unreachable,
            ),
            (
                json!({"fault": "reset_after", "times": 0}),
                FaultKind::Unreachable,
            ),
        ] {
            for feed in bench.remote() {
                let before = bench.sent();
                bench.fault(fault.clone());
                let read = bench.read(feed).await;
                bench.mend();
                if bench.sent() == before {
                    assert!(read.outcome.is_ok(), "{feed}: nothing was asked");
                    continue;
                }
                let got = told(&read.outcome);
                assert_eq!(got.kind, kind, "{feed} {fault}: {got}");
                is_clear(&bench, &got);
                bench.held().is(&held, &format!("{feed} {fault}"));
            }
            bench.whole_round().await;
            bench.held().is(&held, &format!("after {fault}"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_costs_no_data_and_passes() {
    everywhere(|entry| async move {
        let mut bench = Bench::start(entry).await;
        let held = bench.settled().await;
        bench.fault(json!({"fault": "refused"}));
        bench.listening(false).await;
        let mut told = 0;
        for feed in bench.remote() {
            if let Err(fault) = bench.read(feed).await.outcome {
                assert_eq!(fault.kind, FaultKind::Unreachable, "{feed}: {fault}");
                is_clear(&bench, &fault);
                told += 1;
            }
        }
        assert!(told > 0, "nobody noticed");
        bench.held().is(&held, "while it is away");
        bench.control_of("keystone", "DELETE", "faults?service=*", Value::Null);
        bench.listening(true).await;
        bench.whole_round().await;
        bench.held().is(&held, "when it is back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_the_middle_of_a_list_keeps_what_is_held() {
    everywhere(|entry| async move {
        let mut bench = Bench::start_with(entry, world(), |settings| {
            settings.options.insert("page_size".into(), "5".into());
        })
        .await;
        let held = bench.settled().await;
        let mut judged = 0;
        for feed in bench.remote() {
            let before = bench.sent();
            bench.read(feed).await;
            let pages = bench.sent() - before;
            if pages < 2 {
                continue;
            }
            judged += 1;
            // every answer but the first is lost
            bench.fault(json!({"fault": "slow", "delay_ms": 0}));
            bench.fault(json!({"fault": "status", "status": 500, "times": 0}));
            let read = bench.read(feed).await;
            bench.mend();
            let got = told(&read.outcome);
            assert_eq!(got.kind, FaultKind::Server, "{feed}: {got}");
            bench.held().is(&held, feed);
        }
        assert!(judged > 0, "no list is read by several requests");
    })
    .await;
}
