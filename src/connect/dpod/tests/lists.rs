//! The lists of plans: shape, addresses, oddities, and one try a password.

use super::*;
use crate::connect::TaskLook;
use crate::model::{Fault, FaultKind, Verb};

const PUBLISHED: &str = include_str!("../../../../tests/fixtures/dpod/plans.json");

async fn fails(connector: &dyn Connector, feed: &'static str) -> Fault {
    connector
        .poll(feed, PollContext::default(), &mut Kept::default())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn three_families_are_policies_and_the_date_is_the_definitions() {
    let site = Site::usual().await;
    let c = site.connect();
    let (kept, report) = poll(c.as_ref(), PLANS).await;
    assert!(report.complete && report.partial.is_empty());
    let rows: Vec<_> = kept
        .rows
        .policies
        .iter()
        .map(|p| (p.id.as_str(), p.what))
        .collect();
    assert_eq!(
        rows,
        [
            ("backup/ref-1", "backup plan"),
            ("sync/ref-2", "sync plan"),
            ("firmware upgrade/REF-3", "firmware upgrade plan"),
        ],
        "references keep their case"
    );
    let nightly = &kept.rows.policies[0];
    assert_eq!(
        (nightly.enabled, nightly.next_run),
        (None, None),
        "the list tells neither"
    );
    assert!(
        nightly
            .facts
            .contains(&("Definition changed", "2023-11-14T22:13:20.000Z".into()))
    );
    let seen = &site.server.seen()[0];
    assert_eq!(seen.header("authorization"), "Basic b3BlcmF0b3I6cHc=");
    let (again, _) = poll(c.as_ref(), PLANS).await;
    assert_eq!((again.same, again.rows.len()), (3, 0));
}

#[tokio::test]
async fn two_plans_with_one_uri_are_both_shown_and_said() {
    let site = Site::new(|seen| match seen.path() {
        "/op/api/v1/backupplan/" => Say::json(200, PUBLISHED),
        _ => Say::json(200, r#"{"plans":[]}"#),
    })
    .await;
    let c = site.connect();
    let (kept, _) = poll(c.as_ref(), PLANS).await;
    let [first, second] = kept.rows.policies.as_slice() else {
        panic!("{:?}", kept.rows)
    };
    assert_ne!(first.id, second.id);
    for policy in [first, second] {
        assert!(
            policy
                .facts
                .iter()
                .any(|(k, v)| *k == "Note" && v.contains("same API reference"))
        );
    }
    let wish = intent(
        "execute",
        Target::new(TargetKind::Policy, &second.id, "weekly-lab"),
    );
    let prepared = c.prepare(&wish).await.unwrap();
    assert!(
        prepared.requests[0].url.ends_with("000000000001/execute"),
        "{}",
        prepared.requests[0].url
    );
    assert!(
        prepared.warnings.iter().any(|w| w.contains("nobody says")),
        "{:?}",
        prepared.warnings
    );
}

#[tokio::test]
async fn an_endpoint_may_stop_at_any_part_of_the_path() {
    for tail in ["", "/", "/op", "/op/", "/op/api/v1/"] {
        let site = Site::usual().await;
        let mut s = settings(KIND, Some(format!("{}{tail}", site.server.url)));
        s.options
            .insert("inbox".into(), site.dir.path().to_str().unwrap().into());
        let c = (DRIVER.open)(&s).unwrap();
        let (kept, _) = poll(c.as_ref(), PLANS).await;
        assert_eq!(kept.rows.policies.len(), 3, "{tail}");
    }
}

#[tokio::test]
async fn a_list_without_the_slash_at_its_end_is_found_and_remembered() {
    let site = Site::new(|seen| match seen.path().strip_suffix("plan") {
        Some(_) => Say::json(200, r#"{"plans":[{"name":"a","URI":"/x/backupplan/r"}]}"#),
        None => Say::Reply(404, vec![], vec![]),
    })
    .await;
    let c = site.connect();
    assert_eq!(poll(c.as_ref(), PLANS).await.0.rows.policies.len(), 3);
    poll(c.as_ref(), PLANS).await;
    let missed = site
        .server
        .seen()
        .iter()
        .filter(|s| s.path().ends_with('/'))
        .count();
    assert_eq!(missed, 1);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let site = Site::new(|_| Say::Reply(401, vec![], b"<html>no</html>".to_vec())).await;
    let c = site.connect();
    for _ in 0..5 {
        let fault = fails(c.as_ref(), PLANS).await;
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(fault.advice.contains("locks"), "{fault}");
    }
    let wish = intent(
        "execute",
        Target::new(TargetKind::Policy, "backup/ref-1", "nightly"),
    );
    if let Ok(prepared) = c.prepare(&wish).await {
        let outcome = c.send(&prepared, &|_| {}).await;
        assert!(
            matches!(outcome, crate::model::SendOutcome::NotSent { .. }),
            "{outcome:?}"
        );
    }
    c.check().await;
    assert_eq!(site.server.seen().len(), 1, "{:?}", site.server.seen());
    // what the scripts report is still read
    assert!(poll(c.as_ref(), EVENTS).await.1.complete);
}

#[tokio::test]
async fn a_401_to_execute_alone_means_the_role_and_does_not_end_the_watching() {
    let site = Site::new(|seen| match seen.method.as_str() {
        "POST" => Say::Reply(401, vec![], vec![]),
        _ => usual(seen),
    })
    .await;
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    let wish = intent(
        "execute",
        Target::new(TargetKind::Policy, "backup/ref-1", "nightly"),
    );
    let prepared = c.prepare(&wish).await.unwrap();
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, crate::model::SendOutcome::Refused { .. }),
        "{outcome:?}"
    );
    assert!(poll(c.as_ref(), PLANS).await.1.complete);
}

#[tokio::test]
async fn one_family_that_fails_costs_that_family() {
    let site = Site::new(|seen| match seen.path() {
        "/op/api/v1/syncplan/" | "/op/api/v1/syncplan" => Say::Reply(404, vec![], vec![]),
        "/op/api/v1/firmwareupgradeplan/" => Say::json(
            200,
            r#"{"plans":[{"name":"ok","URI":"/op/api/v1/firmwareupgradeplan/X","lastUpdateTime":"soon","extra":{}},7,{}]}"#,
        ),
        _ => usual(seen),
    })
    .await;
    let (kept, report) = poll(site.connect().as_ref(), PLANS).await;
    assert_eq!(kept.rows.policies.len(), 2);
    assert_eq!(kept.rows.bad.len(), 2);
    assert!(!report.complete, "absent plans must not be taken for gone");
    assert_eq!(report.partial.len(), 1);
}

#[tokio::test]
async fn what_is_no_dpod_is_said() {
    let site = Site::new(|_| {
        Say::Reply(
            200,
            vec![("Content-Type", "text/html".into())],
            b"<title>Sign in</title>".to_vec(),
        )
    })
    .await;
    assert!(
        fails(site.connect().as_ref(), PLANS)
            .await
            .what
            .contains("Sign in")
    );
    let site = Site::new(|_| Say::json(200, r#"{"resultCode":"ERROR"}"#)).await;
    assert!(
        fails(site.connect().as_ref(), PLANS)
            .await
            .what
            .contains("no list of plans")
    );
}

#[tokio::test]
async fn nothing_is_asked_that_dpod_does_not_offer() {
    let site = Site::usual().await;
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    poll(c.as_ref(), EVENTS).await;
    assert_eq!(c.look_up("task:backup:13").await.unwrap(), TaskLook::Gone);
    c.check().await;
    for seen in site.server.seen() {
        let path = seen.path();
        assert!(
            seen.method == "GET" && path.starts_with("/op/api/v1/") && path.ends_with("plan/"),
            "{} {path}: no list of tasks, no devices call with a password in its query",
            seen.method
        );
    }
    let capabilities = c.capabilities();
    for verb in Verb::ALL {
        let offered = c.actions().iter().any(|a| a.verb == verb);
        assert_eq!(
            capabilities.of(verb).is_offered(),
            offered,
            "{}",
            verb.word()
        );
    }
    for (name, support) in capabilities.rows() {
        assert!(
            name == "reasons" || !support.remark().is_empty(),
            "{name} says no reason"
        );
    }
}

#[tokio::test]
async fn a_bad_option_is_named() {
    let mut s = settings(KIND, Some("http://127.0.0.1:1".into()));
    s.options.insert("inbox".into(), "relative".into());
    let fault = (DRIVER.open)(&s).map(|_| ()).unwrap_err();
    assert!(fault.what.contains("whole path"), "{fault}");
    s.options.insert("inbox".into(), "/tmp".into());
    s.options.insert("follow_minutes".into(), "soon".into());
    let fault = (DRIVER.open)(&s).map(|_| ()).unwrap_err();
    assert!(fault.what.contains("follow_minutes"), "{fault}");
}
