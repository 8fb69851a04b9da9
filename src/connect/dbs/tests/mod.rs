//! The connector against a scripted server: both error channels, 0-based pages, the words that mislead.

mod traps;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::wire::Sort;
use super::{DRIVER, KIND, Known, PLANS, Quiet, TASKS};
use crate::connect::scripted::{Kept, Say, Scripted, Seen, access_key, poll, settings};
use crate::connect::{Connector, PollContext};
use crate::model::{
    Danger, FaultKind, Found, Intent, Phase, Ref, SendOutcome, ServiceId, Target, TargetKind,
    Timestamp,
};

fn connector(server: &Scripted, dialect: &str) -> Arc<dyn Connector> {
    let mut settings = settings(KIND, Some(server.url.clone()));
    settings.auth = access_key("", "cn-hangzhou", dialect);
    (DRIVER.open)(&settings).unwrap()
}

fn action(seen: &Seen) -> String {
    let header = seen.header("x-acs-action");
    if header.is_empty() {
        seen.query("Action").unwrap_or_default()
    } else {
        header.to_owned()
    }
}

fn good(mut body: Value) -> Say {
    // success answers carry an error code in the vendor's own samples
    body["Success"] = json!(true);
    body["ErrCode"] = json!("Param.NotFound");
    body["HttpStatusCode"] = json!(200);
    Say::json(200, body.to_string())
}

fn plans() -> Value {
    json!({"Items": {"BackupPlanDetail": [
        {"BackupPlanId": "dbs1", "BackupPlanName": "orders", "BackupPlanStatus": "running", "BackupPeriod": "MONDAY",
         "BackupStartTime": "14:22", "SourceEndpointInstanceID": "rm-1", "DatabaseType": "MySQL", "BackupGatewayId": 0},
        {"BackupPlanId": "dbs2", "BackupPlanName": "users", "BackupPlanStatus": "stop", "ErrMessage": "java.lang.X",
         "SourceEndpointIpPort": "10.0.0.1:3306"}]},
        "PageNum": 0, "PageSize": 100, "TotalPages": 1, "TotalElements": 2})
}

fn world(seen: &Seen) -> Say {
    let plan = seen.query("BackupPlanId").unwrap_or_default();
    match action(seen).as_str() {
        "DescribeBackupPlanList" => good(plans()),
        "DescribeBackupGatewayList" => good(json!({"Items": {"BackupGateway": [
            {"BackupGatewayId": "77", "DisplayName": "gw", "BackupGatewayStatus": "OFFLINE", "Region": "cn-hangzhou"}]}})),
        "DescribeFullBackupList" if plan == "dbs1" => good(json!({"Items": {"FullBackupFile": [
            {"BackupSetId": "s1", "BackupStatus": "finish", "CreateTime": 1676887128000_i64, "FinishTime": 1676887228000_i64},
            {"BackupSetId": "s2", "BackupStatus": "stop", "ErrMessage": "NULL", "CreateTime": 1676887328000_i64},
            {"BackupSetId": "s3", "BackupStatus": "running", "LogicalStructureBackupProgress": 100,
             "LogicalFullBackupProgress": 40},
            {"BackupStatus": "running"}]}, "TotalElements": 4})),
        "DescribeIncrementBackupList" if plan == "dbs1" => {
            good(json!({"Items": {"IncrementBackupFile": [
            {"BackupSetId": "i1", "BackupSetJobId": "j1", "BackupStatus": "UNCOMPLETED"}]}}))
        }
        "DescribeJobErrorCode" => good(json!({"Item": {"JobState": "init", "ErrorCode": "failed",
            "ErrorMessage": "Describe preCheck progress failed.", "JobId": "s2", "Language": "en"}})),
        // the three forms of an empty list
        "DescribeRestoreTaskList" => good(json!({"Items": {}})),
        "DescribeBackupSetDownloadTaskList" => good(json!({"Items": null})),
        _ => good(json!({})),
    }
}

fn intent(action: &'static str, kind: TargetKind, status: &str) -> Intent {
    let target = Target {
        native_status: status.to_owned(),
        policy: Ref::new("dbs1", "orders"),
        ..Target::new(kind, "dbs1", "orders")
    };
    Intent {
        service: ServiceId(0),
        action,
        target,
        inputs: BTreeMap::new(),
    }
}

#[tokio::test]
async fn plans_become_policies_and_the_databases_they_protect() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    for dialect in ["", "rpc"] {
        let c = connector(&server, dialect);
        let (Kept { rows, .. }, report) = poll(c.as_ref(), PLANS).await;
        assert!(report.complete, "{:?}", report.partial);
        assert_eq!(rows.policies[0].schedule, "monday at 14:22 UTC");
        assert_eq!(
            (rows.policies[0].enabled, rows.policies[1].faulty),
            (Some(true), true)
        );
        let names: Vec<&str> = rows.devices.iter().map(|d| d.id.as_str()).collect();
        assert_eq!(names, ["rm-1", "10.0.0.1:3306", "gateway:77"]);
        assert!(rows.devices[2].faulty);
        let failed = &rows.tasks[0];
        assert_eq!(
            (failed.native_status.as_str(), failed.phase),
            ("stop", Phase::Failed)
        );
        assert_eq!(failed.failure.as_ref().unwrap().message, "java.lang.X");
    }
    let seen = server.seen();
    assert!(
        seen[0]
            .header("authorization")
            .starts_with("ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=")
    );
    let old = seen
        .iter()
        .find(|s| s.query("Signature").is_some())
        .unwrap();
    assert_eq!(
        old.query("Format").as_deref(),
        Some("JSON"),
        "the default would be XML"
    );
    assert_eq!(
        seen[0].query("PageNum").as_deref(),
        Some("0"),
        "pages count from 0"
    );
}

#[tokio::test]
async fn tasks_of_every_plan_with_the_reason_of_each_failed_one() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    let c = connector(&server, "");
    let (Kept { rows, .. }, report) = poll(c.as_ref(), TASKS).await;
    assert!(report.complete);
    let by_id = |id: &str| rows.tasks.iter().find(|t| t.id == id).unwrap();
    assert_eq!(by_id("full_backup:dbs1:s1").phase, Phase::Succeeded);
    let failed = by_id("full_backup:dbs1:s2");
    assert_eq!(failed.phase, Phase::Failed, "stop means failed");
    let reason = failed.failure.as_ref().unwrap();
    assert_eq!(
        (reason.code.as_str(), reason.message.as_str()),
        ("failed", "Describe preCheck progress failed.")
    );
    let running = by_id("full_backup:dbs1:s3");
    assert_eq!(
        (running.progress, running.step.as_str()),
        (Some(40), "data")
    );
    assert_eq!(by_id("increment_backup:dbs1:j1").phase, Phase::Uncertain);
    assert_eq!(rows.bad.len(), 1);

    let asked = |server: &Scripted| {
        server
            .seen()
            .iter()
            .filter(|s| action(s) == "DescribeJobErrorCode")
            .count()
    };
    assert_eq!(asked(&server), 1);
    poll(c.as_ref(), TASKS).await;
    assert_eq!(asked(&server), 1, "each failure is asked about once");
}

#[tokio::test]
async fn lists_in_which_nothing_goes_on_are_spared_for_half_a_minute() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    let c = connector(&server, "");
    let lists = || -> Vec<(String, String)> {
        let seen = server.seen();
        let lists = seen.iter().filter(|s| {
            let plan = s.query("BackupPlanId").unwrap_or_default();
            !plan.is_empty() && action(s) != "DescribePreCheckProgressList"
        });
        lists
            .map(|s| (s.query("BackupPlanId").unwrap_or_default(), action(s)))
            .collect()
    };
    let live = [("dbs1".to_owned(), "DescribeFullBackupList".to_owned())];
    poll(c.as_ref(), TASKS).await;
    let mut asked = lists().len();
    assert_eq!(asked, 8, "four lists of two plans");
    let (kept, report) = poll(c.as_ref(), TASKS).await;
    assert_eq!(lists()[asked..], live, "where something runs");
    // what was not asked for stands as it was
    assert!(report.complete);
    assert_eq!(kept.same, 8);
    asked += 1;
    let called = PollContext {
        called: true,
        ..PollContext::default()
    };
    c.poll(TASKS, called, &mut Kept::default()).await.unwrap();
    assert_eq!(lists().len(), asked + 8, "a person asks for all");
    asked += 8;
    // what was sent for a plan will show in its lists
    let prepared = c
        .prepare(&intent("start", TargetKind::Policy, "pause"))
        .await
        .unwrap();
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        !matches!(outcome, SendOutcome::NotSent { .. }),
        "{outcome:?}"
    );
    poll(c.as_ref(), TASKS).await;
    let after: Vec<_> = lists().split_off(asked);
    let of_plan = after
        .iter()
        .filter(|(plan, list)| plan == "dbs1" && list.ends_with("List"));
    assert_eq!(of_plan.count(), 4, "{after:?}");
    assert!(after.iter().all(|(plan, _)| plan == "dbs1"), "{after:?}");
}

#[test]
fn a_spared_list_has_its_turn_again() {
    let held = Quiet {
        asked: 1_000,
        first: 2_000,
        pages: 1,
    };
    let mut known = Known::default();
    known.quiet.insert(("dbs1".to_owned(), Sort::Restore), held);
    let spared = |known: &Known, first, now| known.spared("dbs1", Sort::Restore, first, now);
    assert_eq!(spared(&known, 2_000, 59_999), Some(held));
    assert_eq!(spared(&known, 2_000, 60_000), None);
    assert_eq!(spared(&known, 6_000, 30_999), None, "its pages moved");
    // backups begin by themselves
    known.quiet.insert(("dbs2".to_owned(), Sort::Full), held);
    let backups = |now| known.spared("dbs2", Sort::Full, 2_000, now);
    assert_eq!((backups(29_999), backups(30_000)), (Some(held), None));
    assert_eq!(known.spared("dbs1", Sort::Full, 2_000, 2_000), None);
    known.acted.insert("dbs1".to_owned(), 2_000);
    assert_eq!(spared(&known, 2_000, 30_999), None);
}

#[tokio::test]
async fn both_channels_of_errors_and_throttling_at_http_400() {
    let server = Scripted::start(|_, n| match n {
        0 => Say::json(
            200,
            r#"{"Success":"false","ErrCode":"InvalidParameter","ErrMessage":"no"}"#,
        ),
        1 => Say::json(
            404,
            r#"{"Code":"InvalidAccessKeyId.NotFound","Message":"who"}"#,
        ),
        2 => Say::json(
            403,
            r#"{"Code":"Request.Forbidden","Message":"Have no Permissions"}"#,
        ),
        _ => Say::json(
            400,
            r#"{"RequestId":"R","Code":"Throttling.User","Message":"slow"}"#,
        )
        .with("x-acs-retry-after", "3600000"),
    })
    .await;
    let c = connector(&server, "");
    let ask = async || {
        let mut kept = Kept::default();
        c.poll(PLANS, PollContext::default(), &mut kept)
            .await
            .unwrap_err()
    };
    let refused = ask().await;
    assert_eq!(
        (refused.kind, refused.code.unwrap().code.as_str()),
        (FaultKind::Refused, "InvalidParameter")
    );
    assert_eq!(ask().await.kind, FaultKind::Auth);
    let rights = ask().await;
    assert_eq!(rights.kind, FaultKind::Auth);
    assert_eq!(rights.code.unwrap().code, "Request.Forbidden");
    let limited = ask().await;
    assert_eq!(
        (limited.kind, limited.retry_after_ms),
        (FaultKind::Limited, Some(3_600_000))
    );
    assert_eq!(ask().await.kind, FaultKind::Limited);
    assert_eq!(server.seen().len(), 4, "asked while it wanted quiet");
}

#[tokio::test]
async fn items_of_another_shape_are_no_empty_list() {
    for items in [r#""none""#, r#"{"BackupPlanDetail": {"a": 1}}"#, "[1]"] {
        let body = format!(r#"{{"Success": true, "Items": {items}}}"#);
        let server = Scripted::start(move |_, _| Say::json(200, body.clone())).await;
        let mut kept = Kept::default();
        let fault = connector(&server, "")
            .poll(PLANS, PollContext::default(), &mut kept)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Garbled, "{items}: {fault}");
    }
}

#[tokio::test]
async fn starting_carries_a_client_token_and_is_followed_by_the_set_it_made() {
    let server = Scripted::start(|seen, _| match action(seen).as_str() {
        "StartBackupPlan" => good(json!({"BackupPlanId": "dbs1", "CreatedFullBackupsetId": "s9"})),
        _ => world(seen),
    })
    .await;
    let c = connector(&server, "");
    let prepared = c
        .prepare(&intent("start", TargetKind::Policy, "pause"))
        .await
        .unwrap();
    let token = prepared.idempotency_token.clone().unwrap();
    let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert_eq!(follow.task_ids, ["full_backup:dbs1:s9"]);
    let sent = server
        .seen()
        .into_iter()
        .find(|s| action(s) == "StartBackupPlan")
        .unwrap();
    assert_eq!(sent.query("ClientToken"), Some(token));
}

#[tokio::test]
async fn a_lost_start_is_unknown_and_looked_for_in_the_list() {
    let server = Scripted::start(|seen, _| match action(seen).as_str() {
        "StartBackupPlan" => Say::Drop,
        _ => world(seen),
    })
    .await;
    let c = connector(&server, "");
    let prepared = c
        .prepare(&intent("retry", TargetKind::Task, "stop"))
        .await
        .unwrap();
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Unknown { .. }
    ));
    assert_eq!(
        server
            .seen()
            .iter()
            .filter(|s| action(s) == "StartBackupPlan")
            .count(),
        1
    );
    let nothing = c.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(matches!(nothing, Found::Nothing { .. }), "{nothing:?}");
    let found = c.find(&prepared, Timestamp(1676887320000)).await.unwrap();
    assert_eq!(
        found,
        Found::Done {
            task_ids: vec!["full_backup:dbs1:s2".to_owned()],
            seen: "a full backup began after it was sent".to_owned()
        }
    );
}

#[tokio::test]
async fn only_a_pay_as_you_go_plan_is_released_and_only_by_its_name() {
    let server = Scripted::start(|seen, n| match action(seen).as_str() {
        "DescribeBackupPlanBilling" if n == 0 => good(json!({"Item": {"BuyChargeType": "PREPAY"}})),
        "DescribeBackupPlanBilling" => good(json!({"Item": {"BuyChargeType": "POSTPAY"}})),
        _ => world(seen),
    })
    .await;
    let c = connector(&server, "");
    let wish = intent("release", TargetKind::Policy, "running");
    let fault = c.prepare(&wish).await.unwrap_err();
    assert!(fault.what.contains("subscription"), "{fault}");
    let prepared = c.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
}

#[test]
fn stopping_one_task_is_not_offered_as_such() {
    let all = super::actions::ACTIONS;
    let stop = all.iter().find(|a| a.id == "stop-all").unwrap();
    assert_eq!(stop.danger, Danger::TypeName, "restores stop too");
}

/// `stop` is failed, `pause` is stopped by an operator, `init` is not started or a precheck that failed.
#[tokio::test]
async fn the_words_that_mislead_are_read_as_they_are_meant() {
    let server = Scripted::start(|seen, _| {
        let rows = |key: &str, rows: Value| good(json!({"Items": {key: rows}}));
        match action(seen).as_str() {
            "DescribeBackupPlanList" => rows(
                "BackupPlanDetail",
                json!([
                    {"BackupPlanId": "dbs1", "BackupPlanStatus": "pause"},
                    {"BackupPlanId": "dbs2", "BackupPlanStatus": "init"},
                    {"BackupPlanId": "dbs3", "BackupPlanStatus": "init", "ErrMessage": "precheck: no route"},
                    {"BackupPlanId": "dbs4", "BackupPlanStatus": "resting"}]),
            ),
            "DescribeRestoreTaskList" if seen.query("BackupPlanId").as_deref() == Some("dbs1") => rows(
                "RestoreTaskDetail",
                json!([
                    {"RestoreTaskId": "r1", "RestoreStatus": "init"},
                    {"RestoreTaskId": "r2", "RestoreStatus": "pause"},
                    {"RestoreTaskId": "r3", "RestoreStatus": "stop", "ErrMessage": "NULL"},
                    {"RestoreTaskId": "r4", "RestoreStatus": "finish"}]),
            ),
            _ => good(json!({})),
        }
    })
    .await;
    let c = connector(&server, "");
    let (Kept { rows, .. }, _) = poll(c.as_ref(), PLANS).await;
    let on: Vec<_> = rows
        .policies
        .iter()
        .map(|p| (p.enabled, p.faulty))
        .collect();
    assert_eq!(
        on,
        [
            (Some(false), false),
            (Some(false), true),
            (Some(false), true),
            (None, false)
        ]
    );
    let failed: Vec<&str> = rows.tasks.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(
        failed,
        ["plan:dbs3:"],
        "a plan that was never started has not failed"
    );
    let (Kept { rows, .. }, _) = poll(c.as_ref(), TASKS).await;
    let phases: Vec<_> = rows.tasks.iter().map(|t| t.phase).collect();
    // no document has the word of a restore that went well
    assert_eq!(
        phases,
        [
            Phase::Waiting,
            Phase::Cancelled,
            Phase::Failed,
            Phase::Unknown
        ]
    );
    let why = rows.tasks[2].failure.as_ref();
    assert!(
        why.is_none_or(|f| f.message.is_empty()),
        "the text NULL is none: {why:?}"
    );
}

/// Numbers as texts and texts as numbers, gateways by either, other letter case, fields that nobody heard of.
#[tokio::test]
async fn drifting_types_and_new_fields_cost_nothing() {
    let server = Scripted::start(|seen, _| match action(seen).as_str() {
        "DescribeBackupPlanList" => good(json!({"Items": {"BackupPlanDetail": [
            {"BackupPlanId": "dbs1", "BackupPlanStatus": "running", "BackupPeriod": "MONDAY", "BackupStartTime": "14:22",
             "BackupRetentionPeriod": "730", "BackupGatewayId": 160813, "EnableBackupLog": "true",
             "BackupPlanCreateTime": "1676887128000", "FieldOf2026": {"a": [1]}, "ErrMessage": null}]},
            "TotalElements": "1"})),
        "DescribeBackupGatewayList" => good(json!({"Items": {"BackupGateway": [
            {"BackupGatewayId": 160813, "BackupGatewayStatus": "ONLINE", "LastHeartbeatTime": 1676887128000_i64},
            {"BackupGatewayId": "160814", "BackupGatewayStatus": "UPGRADING"}]}})),
        "DescribeFullBackupList" => good(json!({"Items": {"FullBackupFile": [
            {"BackupSetId": "s1", "BackupStatus": "running", "CreateTime": "1676887128000", "BackupSize": "9",
             "LogicalStructureBackupProgress": "100", "LogicalFullBackupProgress": "7"}]}})),
        _ => good(json!({"Items": {}})),
    })
    .await;
    let c = connector(&server, "");
    let (Kept { rows, .. }, report) = poll(c.as_ref(), PLANS).await;
    assert!(
        report.complete && rows.bad.is_empty(),
        "{report:?} {:?}",
        rows.bad
    );
    let kept = rows.policies[0].facts.iter().find(|(l, _)| *l == "kept");
    assert_eq!(kept.map(|(_, v)| v.as_str()), Some("730 days"));
    let gateways: Vec<&str> = rows.devices.iter().skip(1).map(|d| d.id.as_str()).collect();
    assert_eq!(gateways, ["gateway:160813", "gateway:160814"]);
    let (Kept { rows, .. }, _) = poll(c.as_ref(), TASKS).await;
    assert_eq!(rows.bad, []);
    let task = &rows.tasks[0];
    assert_eq!(task.started_at, Some(Timestamp(1_676_887_128_000)));
    assert_eq!((task.progress, task.step.as_str()), (Some(7), "data"));
}

/// Stopping all of a plan stops its restores too, and no address that is shown holds a secret.
#[tokio::test]
async fn what_stopping_costs_is_said_and_no_address_shows_a_secret() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    for dialect in ["", "rpc"] {
        let c = connector(&server, dialect);
        let wish = intent("stop-all", TargetKind::Policy, "running");
        let prepared = c.prepare(&wish).await.unwrap();
        assert_eq!(prepared.danger, Danger::TypeName);
        assert!(
            prepared.warnings.iter().any(|w| w.contains("Restores")),
            "{:?}",
            prepared.warnings
        );
        let shown = format!("{prepared:?}");
        for secret in ["Signature=", "s3cret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        // one token for one wish, new for the next
        let next = c.prepare(&wish).await.unwrap();
        assert_ne!(prepared.idempotency_token, next.idempotency_token);
        let token = prepared.idempotency_token.as_deref().unwrap();
        assert!(token.is_ascii() && token.len() <= 64, "{token}");
        assert!(matches!(
            c.send(&prepared, &|_| {}).await,
            SendOutcome::Accepted { .. }
        ));
    }
    let sent: Vec<Seen> = server
        .seen()
        .into_iter()
        .filter(|s| action(s) == "StopBackupPlan")
        .collect();
    assert_eq!(sent.len(), 2);
    // the current signature has action and version in headers only
    assert_eq!(sent[0].query("Action"), None);
    assert_eq!(sent[0].header("x-acs-version"), "2019-03-06");
    assert_eq!(sent[1].query("Version").as_deref(), Some("2019-03-06"));
    for seen in &sent {
        assert_eq!(seen.query("StopMethod").as_deref(), Some("ALL"));
    }
}
