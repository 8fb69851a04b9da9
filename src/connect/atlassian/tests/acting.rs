//! Activating a policy, revalidating a restore, and lost answers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::model::{Danger, Found, SendOutcome, Verb};

/// A server whose policy `p1` is inactive until it is activated. `answer` is what activation answers; `works` says
/// whether it is carried out.
async fn inactive(answer: Say, works: bool) -> (Scripted, Arc<AtomicUsize>) {
    let activated = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&activated);
    let server = serve(move |seen, path| match (seen.method.as_str(), path) {
        ("PUT", "policies/p1/activate") => {
            count.fetch_add(usize::from(works), Ordering::SeqCst);
            Some(answer.clone())
        }
        (_, "policies/p1") => {
            let on = count.load(Ordering::SeqCst) > 0;
            let mut policy = policy("p1", if on { "ACTIVE" } else { "INACTIVE" });
            policy["details"]["scheduleDetails"]["startDate"] = json!("2099-01-01");
            Some(Say::json(200, policy.to_string()))
        }
        _ => None,
    })
    .await;
    (server, activated)
}

#[tokio::test]
async fn a_policy_is_activated_by_the_documented_call() {
    // the answer is said to be a list of backups; whatever it is, the policy is read again
    for answer in [
        Say::json(200, ACTIVATE),
        Say::json(202, ""),
        Say::json(200, "<html></html>"),
    ] {
        let (server, activated) = inactive(answer, true).await;
        let atlassian = connect(&server);
        let intent = on_policy("p1", "INACTIVE");
        let spec = spec(&atlassian, "activate");
        assert_eq!(
            (spec.verb, spec.danger, spec.safe_to_repeat),
            (Verb::Enable, Danger::Confirm, false)
        );
        assert_eq!(atlassian.available(&spec, &intent.target), Ok(()));
        let prepared = atlassian.prepare(&intent).await.unwrap();
        let request = &prepared.requests[0];
        assert_eq!(request.method, "PUT");
        assert!(
            request.url.ends_with("/orgs/org-1/policies/p1/activate"),
            "{}",
            request.url
        );
        assert_eq!(request.body, "");
        assert!(
            prepared.effect.contains("acme JIRA")
                && prepared.effect.contains("daily from 2099-01-01 slot 02:30"),
            "{}",
            prepared.effect
        );
        assert!(prepared.warnings[0].contains("No call is published that turns it off"));
        assert_eq!(prepared.warnings.len(), 1);
        assert!(!format!("{prepared:?}").contains("acc-7"));
        let said = std::sync::Mutex::new(Vec::new());
        let tell = |text: String| said.lock().unwrap().push(text);
        let outcome = atlassian.send(&prepared, &tell).await;
        let SendOutcome::Accepted { follow, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            !follow.expects_task,
            "it runs at a time of Atlassian's choice"
        );
        assert_eq!(*said.lock().unwrap(), ["the policy now says ACTIVE"]);
        assert_eq!(activated.load(Ordering::SeqCst), 1);
        let sent = server
            .seen()
            .into_iter()
            .find(|s| s.method == "PUT")
            .unwrap();
        assert_eq!(
            (sent.body.as_str(), sent.header("x-atl-account-id")),
            ("", "acc-7")
        );
        assert!(sent.header("authorization").starts_with("Basic "));
        assert!(
            server
                .seen()
                .iter()
                .filter(|s| s.method == "GET")
                .all(|s| s.header("x-atl-account-id").is_empty())
        );
    }
}

#[tokio::test]
async fn an_activation_is_refused_before_it_is_sent_where_that_is_known() {
    let (server, _) = inactive(Say::json(200, ""), true).await;
    let atlassian = connect(&server);
    let spec = spec(&atlassian, "activate");
    let active = on_policy("p1", "ACTIVE");
    assert!(
        atlassian
            .available(&spec, &active.target)
            .unwrap_err()
            .contains("active already")
    );
    // seen as inactive, activated by somebody else since
    let server = serve(|_, _| None).await;
    let fault = connect(&server)
        .prepare(&on_policy("p1", "INACTIVE"))
        .await
        .unwrap_err();
    assert!(fault.what.contains("active already"));
    // without an account id
    let atlassian = connect_with(&server, &[("account_id", " ")]);
    let inactive = on_policy("p1", "INACTIVE");
    assert!(
        atlassian
            .available(&spec, &inactive.target)
            .unwrap_err()
            .contains("account_id")
    );
    assert!(
        atlassian
            .prepare(&inactive)
            .await
            .unwrap_err()
            .what
            .contains("account_id")
    );
}

#[tokio::test]
async fn schedules_that_can_not_run_are_warned_of() {
    for (schedule, status, warning) in [
        (
            json!({"interval": "ONCE", "startDate": "2020-01-01"}),
            "INACTIVE",
            "one-time schedule has passed",
        ),
        (json!(null), "INACTIVE", "tells of no schedule"),
        (json!({"interval": "DAILY"}), "DRAFT", "none of the words"),
    ] {
        let mut held = policy("p1", status);
        held["details"]["scheduleDetails"] = schedule;
        let server =
            serve(move |_, path| (path == "policies/p1").then(|| Say::json(200, held.to_string())))
                .await;
        let prepared = connect(&server)
            .prepare(&on_policy("p1", status))
            .await
            .unwrap();
        assert!(
            prepared.warnings.iter().any(|w| w.contains(warning)),
            "{:?}",
            prepared.warnings
        );
    }
}

#[tokio::test]
async fn a_lost_answer_is_looked_into_and_nothing_is_sent_twice() {
    // after any 5xx it is open whether the work was done, also where a code came with it
    for (answer, works) in [
        (Say::Drop, true),
        (Say::Drop, false),
        (
            Say::json(500, r#"{"errorCode":"1","errorMessage":"x"}"#),
            true,
        ),
        (Say::json(503, ""), true),
        (Say::json(504, ""), false),
    ] {
        let (server, activated) = inactive(answer.clone(), works).await;
        let atlassian = connect(&server);
        let prepared = atlassian
            .prepare(&on_policy("p1", "INACTIVE"))
            .await
            .unwrap();
        let outcome = atlassian.send(&prepared, &|_| {}).await;
        let SendOutcome::Unknown { fault, .. } = outcome else {
            panic!("{answer:?}: {outcome:?}");
        };
        assert!(fault.maybe_done);
        let found = atlassian.find(&prepared, Timestamp::now()).await.unwrap();
        assert_eq!(matches!(found, Found::Done { .. }), works, "{found:?}");
        assert_eq!(activated.load(Ordering::SeqCst), usize::from(works));
        assert_eq!(
            server.count("PUT", &format!("{BASE}/policies/p1/activate")),
            1
        );
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_operation() {
    for (status, code) in [
        (400, "999"),
        (401, ""),
        (403, ""),
        (404, ""),
        (409, "127"),
        (422, "103"),
        (429, ""),
    ] {
        let body = json!({"errorCode": code, "errorMessage": "m"}).to_string();
        let (server, _) = inactive(Say::json(status, body), false).await;
        let atlassian = connect(&server);
        let prepared = atlassian
            .prepare(&on_policy("p1", "INACTIVE"))
            .await
            .unwrap();
        let outcome = atlassian.send(&prepared, &|_| {}).await;
        let SendOutcome::Refused { code: said, .. } = outcome else {
            panic!("{status}: {outcome:?}");
        };
        assert_eq!((said.code.as_str(), said.http_status), (code, Some(status)));
        assert_eq!(said.operation, "activate policy");
        assert_eq!(
            server.count("PUT", &format!("{BASE}/policies/p1/activate")),
            1
        );
    }
}

#[tokio::test]
async fn a_restore_is_revalidated_only_where_the_path_is_given() {
    let again = Arc::new(AtomicBool::new(false));
    let seen_again = Arc::clone(&again);
    let server = serve(move |seen, path| match (seen.method.as_str(), path) {
        ("POST", "restores/r1/again") => {
            seen_again.store(true, Ordering::SeqCst);
            Some(Say::json(202, ""))
        }
        (_, "backups/r1") => Some(Say::json(400, r#"{"errorCode":"108","errorMessage":"x"}"#)),
        (_, "restores/r1") => Some(Say::json(
            200,
            json!({"restoreId": "r1", "cloudId": "c1", "product": "JIRA",
            "status": if seen_again.load(Ordering::SeqCst) { "IN_PROGRESS" } else { "FAILED" }})
            .to_string(),
        )),
        _ => None,
    })
    .await;
    let failed = on_task("r1", "FAILED", Phase::Failed, "restore");
    let atlassian = connect(&server);
    let spec = spec(&atlassian, "revalidate");
    assert_eq!((spec.verb, spec.danger), (Verb::Retry, Danger::TypeName));
    let why = |atlassian: &Arc<dyn Connector>, intent: &Intent| {
        atlassian.available(&spec, &intent.target).unwrap_err()
    };
    assert!(why(&atlassian, &failed).contains("path_revalidate"));
    assert!(
        atlassian
            .prepare(&failed)
            .await
            .unwrap_err()
            .to_string()
            .contains("path_revalidate")
    );
    let backup = on_task("b1", "FAILED", Phase::Failed, "backup");
    assert!(why(&atlassian, &backup).contains("three times, 30 minutes apart"));

    let atlassian = connect_with(
        &server,
        &[("path_revalidate", "restores/{restoreId}/again")],
    );
    assert!(
        why(
            &atlassian,
            &on_task("r1", "IN_PROGRESS", Phase::Running, "restore")
        )
        .contains("not ended")
    );
    assert!(
        why(
            &atlassian,
            &on_task("r1", "COMPLETED", Phase::Succeeded, "restore")
        )
        .contains("failed")
    );
    assert!(why(&atlassian, &backup).contains("by itself"));
    assert_eq!(atlassian.available(&spec, &failed.target), Ok(()));
    let prepared = atlassian.prepare(&failed).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    assert!(prepared.warnings[0].contains("not what it does"));
    assert!(matches!(
        atlassian.find(&prepared, Timestamp::now()).await.unwrap(),
        Found::Nothing { .. }
    ));
    let outcome = atlassian.send(&prepared, &|_| {}).await;
    let SendOutcome::Accepted { follow, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (follow.task_ids, follow.expects_task),
        (vec!["r1".to_owned()], true)
    );
    assert!(matches!(
        atlassian.find(&prepared, Timestamp::now()).await.unwrap(),
        Found::Done { .. }
    ));
}
