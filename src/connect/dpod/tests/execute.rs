//! Executing a plan: queued is not run, nothing is sent twice, and what follows is tied to it.

use super::*;
use crate::model::{Danger, Found, Prepared, SendOutcome};

const NIGHTLY: &str = "backup/ref-1";

async fn prepared(c: &Arc<dyn Connector>, id: &str, name: &str) -> Prepared {
    let wish = intent("execute", Target::new(TargetKind::Policy, id, name));
    c.prepare(&wish).await.unwrap_or_else(|f| panic!("{f}"))
}

/// Executes `nightly` and gives back the id of the row that it is.
async fn execute(c: &Arc<dyn Connector>) -> String {
    let prepared = prepared(c, NIGHTLY, "nightly").await;
    match c.send(&prepared, &|_| {}).await {
        SendOutcome::Accepted { follow, .. } => follow.task_ids[0].clone(),
        other => panic!("{other:?}"),
    }
}

fn posts(site: &Site) -> usize {
    site.server
        .seen()
        .iter()
        .filter(|s| s.method == "POST")
        .count()
}

#[tokio::test]
async fn success_means_queued() {
    let site = Site::usual().await;
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    let prepared = prepared(&c, NIGHTLY, "nightly").await;
    assert!(
        prepared.requests[0]
            .url
            .ends_with("/op/api/v1/backupplan/ref-1/execute")
    );
    assert_eq!(prepared.requests[0].body, "");
    assert!(
        prepared.effect.contains("only that it is in the queue"),
        "{}",
        prepared.effect
    );
    let SendOutcome::Accepted { answer, follow } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert!(answer.body.contains("added to execution queue") && follow.expects_task);
    let rows = tasks(c.as_ref()).await;
    let row = by_id(&rows, &follow.task_ids[0]);
    assert_eq!(row.phase, Phase::Queued);
    assert_eq!(row.native_status, "Backup plan added to execution queue");
    assert_eq!(row.policy, Some(Ref::new(NIGHTLY, "nightly")));
    // another console, or this one after a restart, knows it from the inbox
    let other = tasks(site.connect().as_ref()).await;
    assert_eq!(by_id(&other, &row.id).phase, Phase::Queued);
}

#[tokio::test]
async fn what_follows_is_tied_to_it_by_name_and_time() {
    let site = Site::usual().await;
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    let id = execute(&c).await;
    let now = Timestamp::now();
    site.report(now, &["BACKUP-PLAN", "PRE", "9", "another"]);
    assert_eq!(
        by_id(&tasks(c.as_ref()).await, &id).phase,
        Phase::Queued,
        "another plan's run"
    );
    site.report(now, &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    let rows = tasks(c.as_ref()).await;
    let row = by_id(&rows, &id);
    assert_eq!(
        (row.phase, row.native_status.as_str()),
        (Phase::Running, "BACKUP-PLAN PRE")
    );
    assert!(says(row, "DPOD gives no id"), "{:?}", row.facts);
    site.report(
        now,
        &[
            "BACKUP-PLAN",
            "POST",
            "5",
            "nightly",
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
            "13,exportDomain,gw-1,web,SUCCESS,",
        ],
    );
    let rows = tasks(c.as_ref()).await;
    assert_eq!(by_id(&rows, &id).phase, Phase::Succeeded);
    assert_eq!(rows.iter().filter(|t| t.object == "plan").count(), 2);
}

#[tokio::test]
async fn a_task_is_a_sign_of_the_run_where_only_tasks_report() {
    let site = Site::usual().await;
    let c = site.connect();
    let id = execute(&c).await;
    let now = Timestamp::now();
    site.report(
        now,
        &[
            "BACKUP-TASK",
            "PRE",
            "13",
            "nightly",
            "secureBackup",
            "gw-1",
            "10.0.0.1",
            "5550",
            "ALL",
        ],
    );
    let rows = tasks(c.as_ref()).await;
    assert_eq!(by_id(&rows, &id).phase, Phase::Running);
    assert_eq!(the_run(&rows).id, id);
}

#[tokio::test]
async fn when_nothing_follows_that_is_said_and_is_no_success() {
    let site = Site::usual().await;
    let sent = super::super::inbox::Sent {
        family: "backup".into(),
        reference: "ref-1".into(),
        plan: "nightly".into(),
        answer: "Backup plan added to execution queue".into(),
    };
    let record = Record::sent(ago(20), sent);
    Inbox::of(site.dir.path(), "test").append(&record).unwrap();
    let c = site.connect();
    let rows = tasks(c.as_ref()).await;
    let row = the_run(&rows);
    assert_eq!(row.phase, Phase::Uncertain);
    assert!(
        says(row, "nothing followed") && says(row, "enabled"),
        "{:?}",
        row.facts
    );
    // a run that begins too late is not taken for it, and said
    site.report(ago(2), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    let rows = tasks(c.as_ref()).await;
    let row = by_id(&rows, &row.id);
    assert_eq!(row.phase, Phase::Uncertain);
    assert!(says(row, "too late to be sure"), "{:?}", row.facts);
    // sending it again says that the first may still start
    let wish = intent("execute-again", target_of(row));
    let prepared = c.prepare(&wish).await.unwrap();
    assert!(
        prepared
            .warnings
            .iter()
            .any(|w| w.contains("may still start")),
        "{:?}",
        prepared.warnings
    );

    let patient = site.connect_with(&[("follow_minutes", "60")]);
    assert_ne!(
        by_id(&tasks(patient.as_ref()).await, &row.id).phase,
        Phase::Uncertain
    );
}

#[tokio::test]
async fn two_that_were_sent_are_tied_to_two_runs_in_order() {
    let site = Site::usual().await;
    let inbox = Inbox::of(site.dir.path(), "test");
    for minutes in [10, 9] {
        let sent = super::super::inbox::Sent {
            family: "backup".into(),
            plan: "nightly".into(),
            ..Default::default()
        };
        inbox.append(&Record::sent(ago(minutes), sent)).unwrap();
    }
    site.report(ago(8), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    let c = site.connect();
    let phases = |rows: &[Task]| {
        let mut runs: Vec<_> = rows
            .iter()
            .filter(|t| t.object == "plan")
            .map(|t| (t.id.clone(), t.phase))
            .collect();
        runs.sort();
        runs.into_iter().map(|(_, phase)| phase).collect::<Vec<_>>()
    };
    assert_eq!(
        phases(&tasks(c.as_ref()).await),
        [Phase::Running, Phase::Queued]
    );
    site.report(
        ago(7),
        &[
            "BACKUP-PLAN",
            "POST",
            "5",
            "nightly",
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
            "",
        ],
    );
    site.report(ago(6), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    assert_eq!(
        phases(&tasks(c.as_ref()).await),
        [Phase::Succeeded, Phase::Running]
    );
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_is_never_sent_again() {
    let site = Site::new(|seen| match seen.method.as_str() {
        "POST" => Say::Drop,
        _ => usual(seen),
    })
    .await;
    let c = site.connect();
    let prepared = prepared(&c, NIGHTLY, "nightly").await;
    let sent_at = Timestamp::now();
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    assert_eq!(posts(&site), 1);
    let found = c.find(&prepared, sent_at).await.unwrap();
    assert!(
        matches!(found, Found::CannotTell { .. }),
        "no script reports: {found:?}"
    );
    site.report(ago(60), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    let found = c.find(&prepared, sent_at).await.unwrap();
    assert!(
        matches!(found, Found::Nothing { .. }),
        "an older run is no sign: {found:?}"
    );
    site.report(Timestamp::now(), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    let found = c.find(&prepared, sent_at).await.unwrap();
    let Found::Done { task_ids, .. } = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        by_id(&tasks(c.as_ref()).await, &task_ids[0]).phase,
        Phase::Running
    );
    assert_eq!(posts(&site), 1);
}

async fn outcome_of(say: Say) -> SendOutcome {
    let site = Site::new(move |seen| match seen.method.as_str() {
        "POST" => say.clone(),
        _ => usual(seen),
    })
    .await;
    let c = site.connect();
    let prepared = prepared(&c, NIGHTLY, "nightly").await;
    c.send(&prepared, &|_| {}).await
}

#[tokio::test]
async fn an_unknown_reference_is_refused_whatever_the_http_status() {
    let body = r#"{"resultCode":"ERROR","resultErrorCode":"PLAN_NOT_FOUND","resultMessage":"Backup Plan with API Ref ref-1 was not found"}"#;
    for status in [200, 404] {
        let SendOutcome::Refused { code, .. } = outcome_of(Say::json(status, body)).await else {
            panic!("refused")
        };
        assert_eq!(
            (code.code.as_str(), code.operation.as_str()),
            ("PLAN_NOT_FOUND", "execute backup plan")
        );
        assert_eq!(code.http_status, Some(status));
        assert!(code.message.contains("was not found"));
    }
}

#[tokio::test]
async fn only_dpods_own_success_is_believed() {
    let odd = [
        Say::json(200, r#"{"resultCode":"OK"}"#),
        Say::json(200, "{}"),
        Say::json(200, r#"{"resultCode":"WARNING","resultMessage":"hm"}"#),
        Say::Reply(
            200,
            vec![("Content-Type", "text/html".into())],
            b"<title>Sign in</title>".to_vec(),
        ),
        Say::json(500, r#"{"resultCode":"SUCCESS"}"#),
        Say::Reply(504, vec![], vec![]),
    ];
    for say in odd {
        let outcome = outcome_of(say.clone()).await;
        assert!(
            matches!(outcome, SendOutcome::Unknown { .. }),
            "{say:?}: {outcome:?}"
        );
    }
    let outcome = outcome_of(Say::Reply(404, vec![], vec![])).await;
    assert!(
        matches!(outcome, SendOutcome::Refused { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_reference_of_the_users_own_stays_one_segment() {
    let site = Site::new(|seen| match seen.path() {
        "/op/api/v1/backupplan/" => Say::json(
            200,
            json!({"plans": [plan("odd", "/op/api/v1/backupplan/my plan/ü?x")]}).to_string(),
        ),
        "/op/api/v1/backupplan/my%20plan%2F%C3%BC/execute" => usual(seen),
        path if path.ends_with("/execute") => Say::Reply(404, vec![], vec![]),
        _ => Say::json(200, r#"{"plans":[]}"#),
    })
    .await;
    let c = site.connect();
    let (kept, _) = poll(c.as_ref(), PLANS).await;
    let id = kept.rows.policies[0].id.clone();
    let prepared = prepared(&c, &id, "odd").await;
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?} {:?}",
        site.server.seen()
    );
}

#[tokio::test]
async fn the_uri_never_leads_to_another_host() {
    let site = Site::new(|seen| match seen.path() {
        "/op/api/v1/backupplan/" => Say::json(
            200,
            json!({"plans": [plan("x", "https://evil.example/op/api/v1/backupplan/r")]})
                .to_string(),
        ),
        _ => usual(seen),
    })
    .await;
    let c = site.connect();
    let (kept, _) = poll(c.as_ref(), PLANS).await;
    let prepared = prepared(&c, &kept.rows.policies[0].id, "x").await;
    assert!(prepared.requests[0].url.starts_with(&site.server.url));
}

#[tokio::test]
async fn a_repeat_says_that_it_repeats_what_had_succeeded() {
    let site = Site::usual().await;
    site.report(ago(30), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    for (id, device, status) in [
        ("11", "gw-1", "SUCCESS"),
        ("12", "gw-2", "SUCCESS"),
        ("13", "gw-2", "EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED"),
    ] {
        site.report(
            ago(29),
            &[
                "BACKUP-TASK",
                "PRE",
                id,
                "nightly",
                "exportDomain",
                device,
                "h",
                "5550",
                "web",
            ],
        );
        site.report(
            ago(28),
            &[
                "BACKUP-TASK",
                "POST",
                id,
                "nightly",
                status,
                "NONE",
                "FFU",
                "FFU",
            ],
        );
    }
    site.report(
        ago(27),
        &[
            "BACKUP-PLAN",
            "POST",
            "5",
            "nightly",
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
        ],
    );
    let c = site.connect();
    let rows = tasks(c.as_ref()).await;
    let bad = by_id(&rows, "task:backup:13");
    assert_eq!(
        bad.policy.as_ref().unwrap().id,
        "",
        "no list was read so far"
    );
    let again = c.action("execute-again").unwrap();
    assert!(
        c.available(again, &target_of(by_id(&rows, "task:backup:11")))
            .is_err()
    );
    let wish = intent("execute-again", target_of(bad));
    assert!(c.available(again, &wish.target).is_ok());
    let prepared = c.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    // the plan is what runs, not the gateway on which the task failed
    assert_eq!(prepared.acts_on.as_deref(), Some("nightly"));
    let effect = &prepared.effect;
    assert!(effect.contains("whole backup plan \"nightly\""), "{effect}");
    assert!(
        effect.contains("3 tasks: 2 succeeded, 1 failed") && effect.contains("2 gateways"),
        "{effect}"
    );
    assert!(
        effect.contains("The 2 that succeeded") && effect.contains("are repeated too"),
        "{effect}"
    );
    assert!(effect.contains("quiesce go out of service"), "{effect}");
    assert!(
        prepared.warnings[0].contains("gw-2 is back in service"),
        "{:?}",
        prepared.warnings
    );
    assert!(
        prepared.requests[0]
            .url
            .ends_with("/backupplan/ref-1/execute")
    );
}

#[tokio::test]
async fn firmware_and_sync_take_a_typed_name() {
    let site = Site::usual().await;
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    for (id, name, danger) in [
        ("sync/ref-2", "to-dr", Danger::TypeName),
        ("firmware upgrade/REF-3", "to-10.5", Danger::TypeName),
        (NIGHTLY, "nightly", Danger::Confirm),
    ] {
        assert_eq!(prepared(&c, id, name).await.danger, danger, "{name}");
    }
    let url = &prepared(&c, "firmware upgrade/REF-3", "to-10.5")
        .await
        .requests[0]
        .url;
    assert!(url.ends_with("/firmwareupgradeplan/REF-3/execute"), "{url}");
}

#[tokio::test]
async fn several_plans_of_one_name_are_not_guessed_among() {
    let site = Site::new(|seen| match seen.path() {
        "/op/api/v1/backupplan/" => Say::json(
            200,
            json!({"plans": [plan("nightly", "/op/api/v1/backupplan/a"), plan("nightly", "/op/api/v1/backupplan/b")]})
                .to_string(),
        ),
        _ => usual(seen),
    })
    .await;
    site.report(
        ago(5),
        &[
            "BACKUP-TASK",
            "POST",
            "13",
            "nightly",
            "FAILED_NO_FILES_DOWNLOADED",
            "NONE",
            "FFU",
            "FFU",
        ],
    );
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    let rows = tasks(c.as_ref()).await;
    let wish = intent("execute-again", target_of(&rows[0]));
    let fault = c.prepare(&wish).await.unwrap_err();
    assert!(fault.what.contains("several"), "{fault}");
}

#[tokio::test]
async fn an_inbox_that_can_not_be_written_to_costs_only_its_memory() {
    let site = Site::usual().await;
    // a file stands where the folder should be
    std::fs::write(site.dir.path().join("test"), "in the way").unwrap();
    let c = site.connect();
    let mut kept = Kept::default();
    assert!(
        c.poll(EVENTS, PollContext::default(), &mut kept)
            .await
            .is_err()
    );
    let prepared = prepared(&c, NIGHTLY, "nightly").await;
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    assert_eq!(posts(&site), 1);
}
