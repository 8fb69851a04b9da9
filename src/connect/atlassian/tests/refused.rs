//! The error table: codes told apart by operation, thirteen HTTP statuses, and bodies that say nothing.

use super::*;
use crate::connect::atlassian::Atlassian;
use crate::connect::atlassian::paths::Op;
use crate::model::CodeRef;

/// What the service refuses, when `path` answers so.
async fn refusal(path: &'static str, status: u16, body: &str, feed: &'static str) -> Fault {
    let body = body.to_owned();
    let server =
        serve(move |_, asked| (asked == path).then(|| Say::json(status, body.clone()))).await;
    let (report, _) = poll(&connect(&server), feed).await;
    match report {
        Ok(mut report) => report.partial.remove(0),
        Err(fault) => fault,
    }
}

#[tokio::test]
async fn all_nineteen_published_errors_keep_code_status_operation_and_text() {
    let rows: Vec<Value> = serde_json::from_str(ERRORS).unwrap();
    assert_eq!(rows.len(), 19);
    // by their wording; the page's own headings are lost
    let operations = [
        Op::Policies,
        Op::Policies,
        Op::Backup,
        Op::Revalidate,
        Op::Restore,
        Op::Storages,
        Op::Storages,
        Op::Storages,
        Op::Storages,
        Op::Storages,
        Op::Backup,
        Op::Backup,
        Op::Backup,
        Op::Backup,
        Op::Backup,
        Op::ImportDetails,
        Op::ImportDetails,
        Op::ImportDetails,
        Op::Report,
    ];
    let server = serve({
        let rows = rows.clone();
        move |seen, _| {
            let n: usize = seen.query("row").unwrap().parse().unwrap();
            let status = u16::try_from(rows[n]["status"].as_u64().unwrap()).unwrap();
            Some(Say::json(status, rows[n]["body"].to_string()))
        }
    })
    .await;
    let atlassian = Atlassian::open(&configure(&server)).unwrap();
    for (n, (row, op)) in rows.iter().zip(operations).enumerate() {
        let call = crate::connect::http::Call::get(&["anything"]).with("row", n.to_string());
        let fault = atlassian.client.ask(op, &call).await.unwrap_err();
        let expected = CodeRef {
            code: row["body"]["errorCode"].as_str().unwrap().into(),
            http_status: row["status"].as_u64().map(|s| s as u16),
            operation: op.known().operation.into(),
            message: row["body"]["errorMessage"].as_str().unwrap().into(),
        };
        assert_eq!(fault.code, Some(expected));
        let busy =
            ["131", "137", "140", "143"].contains(&row["body"]["errorCode"].as_str().unwrap());
        assert_eq!(fault.what.contains("busy"), busy, "{fault}");
        assert_eq!(fault.kind, FaultKind::Refused);
    }
    assert_eq!(
        Op::ImportDetails.known().operation,
        "import",
        "the word by which the catalog parts the twins"
    );
}

#[tokio::test]
async fn every_documented_status_ends_in_words() {
    for (status, kind, said) in [
        (400, FaultKind::Refused, "refused the request (HTTP 400)"),
        // worded "not authorized" by the vendor: it need not be the password
        (401, FaultKind::Auth, "does not accept this caller"),
        (403, FaultKind::Auth, "may not do this"),
        (404, FaultKind::Refused, "knows nothing at policies"),
        (409, FaultKind::Refused, "refused the request (HTTP 409)"),
        (422, FaultKind::Refused, "refused the request (HTTP 422)"),
        (429, FaultKind::Limited, "rate limit is used up"),
        (500, FaultKind::Server, "failed (HTTP 500)"),
        (503, FaultKind::Server, "not available (HTTP 503)"),
        (504, FaultKind::Server, "not available (HTTP 504)"),
    ] {
        for body in ["", "<html><title>Oops</title></html>", r#"{"oops":1}"#] {
            let fault = refusal("policies", status, body, POLICIES).await;
            assert_eq!(fault.kind, kind, "{status}");
            assert!(fault.what.contains(said), "{status}: {fault}");
            assert_eq!(fault.code.as_ref().unwrap().operation, "list policies");
        }
    }
    for status in [200, 201, 202] {
        let body = json!({"policies": [policy("p1", "ACTIVE")], "totalItems": 1}).to_string();
        let server =
            serve(move |_, path| (path == "policies").then(|| Say::json(status, body.clone())))
                .await;
        assert_eq!(
            read(&connect(&server), POLICIES).await.policies.len(),
            1,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_401_names_all_its_causes_and_stops_everything() {
    let server = serve(|_, path| (path == "restores").then(|| Say::json(401, ""))).await;
    let (report, _) = poll(&connect(&server), TASKS).await;
    let fault = report.unwrap_err();
    assert!(
        fault.advice.contains("API token first")
            && fault.advice.contains("organisation admin")
            && fault.advice.contains("OAuth"),
        "{fault}"
    );
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies/p1/backups")),
        0
    );
}

#[tokio::test]
async fn a_missing_right_on_one_product_costs_that_product_only() {
    let server = serve(|_, path| match path {
        "policies" => Some(listed(
            "policies",
            &[policy("p1", "ACTIVE"), policy("p2", "ACTIVE")],
        )),
        "policies/p1/backups" => Some(Say::json(403, "")),
        "policies/p2/backups" => Some(listed(
            "backups",
            &[backup("b1", "COMPLETED", "2026-11-20T02:00:00Z", "")],
        )),
        _ => None,
    })
    .await;
    let (report, rows) = poll(&connect(&server), TASKS).await;
    let report = report.unwrap();
    assert!(!report.complete);
    assert_eq!(report.partial.len(), 1);
    assert!(
        report.partial[0]
            .what
            .starts_with("backups of p1 nightly: "),
        "{}",
        report.partial[0]
    );
    assert_eq!(rows.tasks.len(), 1);
}

#[tokio::test]
async fn a_wrong_path_is_told_once_and_named_as_a_guess() {
    let list: Vec<Value> = (0..9).map(|n| policy(&format!("p{n}"), "ACTIVE")).collect();
    let server = serve(move |_, path| match path {
        "policies" => Some(listed("policies", &list)),
        path if path.ends_with("/backups") || path == "restores" => Some(Say::json(404, "")),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    let (report, _) = poll(&atlassian, TASKS).await;
    let said: Vec<String> = report
        .unwrap()
        .partial
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].contains("at restores")
            && said[0].contains("inferred")
            && said[0].contains("path_restores")
    );
    assert!(said[1].contains("at policies/{policyId}/backups") && said[1].contains("path_backups"));
    assert_eq!(server.seen().len(), 3, "nine policies, one question");

    let atlassian = connect_with(
        &server,
        &[("path_restores", "restore-jobs"), ("path_backups", "")],
    );
    let (report, _) = poll(&atlassian, TASKS).await;
    let said: Vec<String> = report
        .unwrap()
        .partial
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains("at restore-jobs") && said[0].contains("the configuration's"),
        "{}",
        said[0]
    );
}

#[tokio::test]
async fn a_limit_without_a_time_is_waited_out_for_a_minute() {
    for (with, expected) in [(None, 60_000), (Some("3600"), 3_600_000)] {
        let server = serve(move |_, path| {
            (path == "restores").then(|| match with {
                None => Say::json(429, ""),
                Some(after) => Say::json(429, "").with("Retry-After", after),
            })
        })
        .await;
        let atlassian = connect(&server);
        let (report, _) = poll(&atlassian, TASKS).await;
        assert_eq!(report.unwrap_err().retry_after_ms, Some(expected));
        // the other list keeps away as well, without a request
        let before = server.seen().len();
        let (report, _) = poll(&atlassian, POLICIES).await;
        let fault = report.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Limited);
        let left = fault.retry_after_ms.unwrap();
        assert!(left > 0 && left <= expected, "{left}");
        assert_eq!(server.seen().len(), before);
    }
}

#[tokio::test]
async fn one_broken_policy_does_not_hide_the_others_and_many_end_the_round() {
    let list: Vec<Value> = (0..6).map(|n| policy(&format!("p{n}"), "ACTIVE")).collect();
    let count = |broken: &'static [&'static str]| {
        let list = list.clone();
        serve(move |_, path| match path {
            "policies" => Some(listed("policies", &list)),
            path => broken
                .iter()
                .any(|id| path == format!("policies/{id}/backups"))
                .then(|| Say::json(500, "")),
        })
    };
    let server = count(&["p2"]).await;
    let report = poll(&connect(&server), TASKS).await.0.unwrap();
    assert_eq!((report.complete, report.partial.len()), (false, 1));
    assert_eq!(server.seen().len(), 2 + 6);

    let server = count(&["p1", "p2", "p3", "p4", "p5"]).await;
    let atlassian = connect(&server);
    let fault = poll(&atlassian, TASKS).await.0.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Server);
    let asked = |server: &Scripted| -> Vec<String> {
        server
            .seen()
            .iter()
            .map(below)
            .filter(|p| p.ends_with("/backups"))
            .collect()
    };
    assert_eq!(asked(&server).len(), 4, "p0 and three that broke");
    let _ = poll(&atlassian, TASKS).await;
    assert_eq!(
        asked(&server)[4],
        "policies/p3/backups",
        "it goes on where it was broken off"
    );
}

#[tokio::test]
async fn a_policy_that_is_gone_is_told_and_the_rest_comes() {
    let server = serve(|_, path| match path {
        "policies/p2" => Some(Say::json(404, "")),
        _ => None,
    })
    .await;
    let atlassian = connect_with(&server, &[("policy_ids", "p1, p2")]);
    let (report, rows) = poll(&atlassian, POLICIES).await;
    let report = report.unwrap();
    assert!(
        !report.complete,
        "a policy that can't be read may still be there"
    );
    assert_eq!((report.partial.len(), rows.policies.len()), (1, 1));
    assert!(
        !report.partial[0].what.contains("inferred"),
        "this path is documented"
    );
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies")),
        0,
        "the list is not needed"
    );
    // its backups are asked for all the same
    let _ = poll(&atlassian, TASKS).await.0.unwrap();
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies/p2/backups")),
        1
    );
}
