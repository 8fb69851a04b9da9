//! Traps of the interface that no other test of the connector stands for, and the items of prechecks; the whole
//! list of traps is in `assets/docs/traps.md`.

use super::*;
use crate::connect::TaskLook;

/// Everything that the connector sends in a life: both lists, a look, every action that can be prepared.
async fn everything(server: &Scripted, dialect: &str) {
    let c = connector(server, dialect);
    poll(c.as_ref(), PLANS).await;
    poll(c.as_ref(), TASKS).await;
    c.look_up("restore:dbs1:r1").await.unwrap();
    for action in c.actions() {
        let mut wish = intent(action.id, action.target, "running");
        wish.target.object = "restore".to_owned();
        wish.target.id = match action.target {
            TargetKind::Task => "restore:dbs1:r1".to_owned(),
            _ => "dbs1".to_owned(),
        };
        let prepared = c
            .prepare(&wish)
            .await
            .unwrap_or_else(|f| panic!("{}: {f}", action.id));
        c.send(&prepared, &|_| {}).await;
        c.find(&prepared, Timestamp::now()).await.unwrap();
    }
}

/// The older form answers XML unless told otherwise: every call of it says JSON, and XML that comes all the same
/// is no empty list.
#[tokio::test]
async fn the_older_form_always_asks_for_json() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    everything(&server, "rpc").await;
    let seen = server.seen();
    assert!(seen.len() > 20, "{}", seen.len());
    for call in &seen {
        assert_eq!(
            call.query("Format").as_deref(),
            Some("JSON"),
            "{}",
            call.target
        );
    }
    let xml = Scripted::start(|_, _| {
        Say::Reply(
            200,
            vec![("Content-Type", "text/xml".into())],
            b"<DescribeBackupPlanListResponse><Items/></DescribeBackupPlanListResponse>".to_vec(),
        )
    })
    .await;
    let fault = connector(&xml, "rpc")
        .poll(PLANS, PollContext::default(), &mut Kept::default())
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled, "{fault}");
}

/// A blank is `%20` in what is signed, so it is on the wire as well: a plus would be signed as something else.
#[tokio::test]
async fn what_is_encoded_for_the_signature_is_what_is_sent() {
    let server = Scripted::start(|seen, _| world(seen)).await;
    for dialect in ["", "rpc"] {
        let c = connector(&server, dialect);
        let mut wish = intent("pause", TargetKind::Policy, "running");
        wish.target.id = "a b+c*~/é".to_owned();
        let prepared = c.prepare(&wish).await.unwrap();
        c.send(&prepared, &|_| {}).await;
        let sent = server.seen().pop().unwrap();
        assert!(
            sent.target.contains("BackupPlanId=a%20b%2Bc%2A~%2F%C3%A9"),
            "{}",
            sent.target
        );
        assert_eq!(sent.query("BackupPlanId").as_deref(), Some("a b+c*~/é"));
    }
}

/// The list of gateways needs a region. Documents spell some regions in two ways, so it goes out as it was
/// configured; a refusal costs the gateways alone, and without a region nothing is asked.
#[tokio::test]
async fn gateways_are_asked_for_the_region_as_it_is_configured() {
    let server = Scripted::start(|seen, _| match action(seen).as_str() {
        "DescribeBackupGatewayList" => Say::json(
            400,
            r#"{"Code":"InvalidParameterValid","Message":"The specified Region is invalid.","RequestId":"R"}"#,
        ),
        _ => world(seen),
    })
    .await;
    let open = |region: &str| {
        let mut settings = settings(KIND, Some(server.url.clone()));
        settings.auth = access_key("", region, "");
        (DRIVER.open)(&settings).unwrap()
    };
    let (Kept { rows, .. }, report) = poll(open("cn-shanghai-finance-1").as_ref(), PLANS).await;
    assert_eq!(rows.policies.len(), 2, "plans come all the same");
    assert!(!report.complete, "gateways must not be taken for gone");
    assert_eq!(report.partial.len(), 1);
    let asked = server.seen().pop().unwrap();
    assert_eq!(
        asked.query("Region").as_deref(),
        Some("cn-shanghai-finance-1")
    );

    let before = server.seen().len();
    let (_, report) = poll(open("").as_ref(), PLANS).await;
    assert!(report.complete, "{:?}", report.partial);
    assert!(
        server.seen()[before..]
            .iter()
            .all(|s| action(s) != "DescribeBackupGatewayList")
    );
}

/// Restores and prechecks take one of two ids and refuse both; keepwatch never sends both. Of the newer
/// interface, where one call wants an id without its first letters, nothing is sent; and no filter of time, for
/// its unit is not settled.
#[tokio::test]
async fn only_what_is_documented_without_doubt_is_sent() {
    // the actions of version 2019-03-06 that the connector needs
    const ACTIONS: [&str; 12] = [
        "DescribeBackupPlanList",
        "DescribeBackupGatewayList",
        "DescribeFullBackupList",
        "DescribeIncrementBackupList",
        "DescribeRestoreTaskList",
        "DescribeBackupSetDownloadTaskList",
        "DescribeJobErrorCode",
        "DescribeBackupPlanBilling",
        "DescribePreCheckProgressList",
        "StartBackupPlan",
        "StopBackupPlan",
        "StartRestoreTask",
    ];
    let server = Scripted::start(|seen, _| checked(seen)).await;
    for dialect in ["", "rpc"] {
        everything(&server, dialect).await;
    }
    let mut checks = 0;
    for seen in server.seen() {
        let name = action(&seen);
        assert!(
            ACTIONS.contains(&name.as_str()) || name == "ReleaseBackupPlan",
            "{name}"
        );
        let version = seen.header("x-acs-version").to_owned();
        let version = if version.is_empty() {
            seen.query("Version").unwrap_or_default()
        } else {
            version
        };
        assert_eq!(version, "2019-03-06", "{name}");
        let both = seen.query("BackupPlanId").is_some() && seen.query("RestoreTaskId").is_some();
        assert!(!both, "{}", seen.target);
        checks += usize::from(name == "DescribePreCheckProgressList");
        for filter in ["StartTimestamp", "EndTimestamp"] {
            assert_eq!(seen.query(filter), None, "{name}");
        }
        if name == "DescribeJobErrorCode" {
            assert_eq!(
                seen.query("Language").as_deref(),
                Some("en"),
                "neither zh nor en-US"
            );
        }
    }
    assert!(checks >= 4, "{checks} prechecks were asked for");
}

/// A plan and a restore whose prechecks failed.
fn checked(seen: &Seen) -> Say {
    let item = |item: &str, state: &str, text: &str| {
        json!({"JobId": "1", "Item": item, "Names": format!("{item}_DETAIL"), "OrderNum": "1", "State": state,
               "ErrMsg": text, "BootTime": 1676887128000_i64, "FinishTime": 1676887129000_i64})
    };
    match action(seen).as_str() {
        "DescribeBackupPlanList" => good(json!({"Items": {"BackupPlanDetail": [
            {"BackupPlanId": "dbs1", "BackupPlanName": "orders", "BackupPlanStatus": "init",
             "ErrMessage": "Describe preCheck progress failed."},
            {"BackupPlanId": "dbs2", "BackupPlanName": "users", "BackupPlanStatus": "init"}]}, "TotalElements": 2})),
        "DescribeRestoreTaskList" if seen.query("BackupPlanId").as_deref() == Some("dbs1") => {
            good(json!({"Items": {"RestoreTaskDetail": [
                {"RestoreTaskId": "r1", "RestoreStatus": "init", "ErrMessage": "no route"},
                {"RestoreTaskId": "r2", "RestoreStatus": "init"}]}}))
        }
        "DescribePreCheckProgressList" => {
            good(json!({"Status": "failed", "Progress": 100, "Items": {
            "PreCheckProgressDetail": [
                item("CHECK_BINLOG_ON", "failed", "java.lang.IllegalStateException: binlog is off"),
                item("CHECK_SOURCE", "finish", ""),
                item("CHECK_RIGHTS", "catched", "NULL"),
                item("CHECK_SPACE", "warning", "little is left")]}}))
        }
        _ => world(seen),
    }
}

#[tokio::test]
async fn a_failed_precheck_names_the_items_that_did_not_pass_and_is_asked_once() {
    let server = Scripted::start(|seen, _| checked(seen)).await;
    let c = connector(&server, "");
    let asked = || {
        server
            .seen()
            .iter()
            .filter(|s| action(s) == "DescribePreCheckProgressList")
            .count()
    };
    let items = |task: &crate::model::Task| -> Vec<String> {
        let items = task.facts.iter().filter(|(label, _)| *label == "precheck");
        items.map(|(_, text)| text.clone()).collect()
    };
    let expected = [
        "CHECK_BINLOG_ON failed: java.lang.IllegalStateException: binlog is off",
        "CHECK_RIGHTS catched",
        "CHECK_SPACE warning: little is left",
    ];
    let (Kept { rows, .. }, _) = poll(c.as_ref(), PLANS).await;
    let [task] = rows.tasks.as_slice() else {
        panic!(
            "a plan that was never started has not failed: {:?}",
            rows.tasks
        )
    };
    assert_eq!(
        (task.operation.as_str(), task.phase),
        ("precheck", Phase::Failed)
    );
    assert_eq!(items(task), expected);
    assert_eq!(asked(), 1);

    let (Kept { rows, .. }, _) = poll(c.as_ref(), TASKS).await;
    let by_id = |id: &str| rows.tasks.iter().find(|t| t.id == id).unwrap();
    let failed = by_id("restore:dbs1:r1");
    assert_eq!((failed.phase, items(failed).len()), (Phase::Failed, 3));
    assert_eq!(failed.failure.as_ref().unwrap().message, "no route");
    assert_eq!(
        by_id("restore:dbs1:r2").phase,
        Phase::Waiting,
        "not started"
    );
    assert_eq!(asked(), 2);

    poll(c.as_ref(), PLANS).await;
    poll(c.as_ref(), TASKS).await;
    let TaskLook::Found(looked) = c.look_up("restore:dbs1:r1").await.unwrap() else {
        panic!("found")
    };
    assert_eq!(items(&looked), expected);
    assert_eq!(asked(), 2, "each precheck is asked about once");
    let codes = server
        .seen()
        .iter()
        .filter(|s| action(s) == "DescribeJobErrorCode")
        .count();
    assert_eq!(codes, 1, "of s2 alone: a precheck has no job's code");
}

/// A precheck that can't be asked about is asked again at the next round, and its row comes all the same.
#[tokio::test]
async fn a_precheck_that_can_not_be_read_costs_its_items_only() {
    let server = Scripted::start(|seen, n| match action(seen).as_str() {
        "DescribePreCheckProgressList" if n < 3 => {
            Say::json(503, r#"{"Code":"ServiceUnavailable"}"#)
        }
        _ => checked(seen),
    })
    .await;
    let c = connector(&server, "");
    for expected in [0, 3] {
        let (Kept { rows, .. }, _) = poll(c.as_ref(), PLANS).await;
        let facts = &rows.tasks[0].facts;
        let items = facts
            .iter()
            .filter(|(label, _)| *label == "precheck")
            .count();
        assert_eq!(items, expected);
    }
}

/// One product under two names: jobs and addresses of backup sets still carry the older one.
#[tokio::test]
async fn the_older_name_of_the_product_in_a_row_changes_nothing() {
    let server = Scripted::start(|seen, _| match action(seen).as_str() {
        "DescribeBackupSetDownloadTaskList" => good(json!({"Items": {"BackupSetDownloadTaskDetail": [
            {"BackupSetDownloadTaskId": "d1", "BackupSetDownloadStatus": "stop", "BackupSetJobType": "cbs_backup_sub_full",
             "BackupSetCode": "cbs-1"}]}})),
        _ => world(seen),
    })
    .await;
    let (Kept { rows, .. }, report) = poll(connector(&server, "").as_ref(), TASKS).await;
    assert!(report.complete);
    let task = rows
        .tasks
        .iter()
        .find(|t| t.id.starts_with("download:dbs1:"))
        .unwrap();
    assert_eq!(
        (task.phase, task.operation.as_str()),
        (Phase::Failed, "download")
    );
}

/// A page of plans that did not change still tells its plans: a plan that is new on another page is asked for its
/// tasks at once.
#[tokio::test]
async fn a_new_plan_on_a_second_page_is_asked_for_its_tasks() {
    let more = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let grown = std::sync::Arc::clone(&more);
    let server = Scripted::start(move |seen, _| {
        if action(seen) != "DescribeBackupPlanList" {
            return good(json!({"Items": {}}));
        }
        let page: usize = seen.query("PageNum").unwrap().parse().unwrap();
        let last = if grown.load(std::sync::atomic::Ordering::SeqCst) {
            102
        } else {
            101
        };
        let rows: Vec<Value> = (page * 100..last.min((page + 1) * 100))
            .map(|n| json!({"BackupPlanId": format!("p{n}"), "BackupPlanStatus": "running"}))
            .collect();
        good(json!({"Items": {"BackupPlanDetail": rows}}))
    })
    .await;
    let c = connector(&server, "");
    poll(c.as_ref(), PLANS).await;
    more.store(true, std::sync::atomic::Ordering::SeqCst);
    let (kept, _) = poll(c.as_ref(), PLANS).await;
    assert_eq!(kept.same, 1, "the first page came as it was");
    poll(c.as_ref(), TASKS).await;
    let asked = server.seen().iter().any(|s| {
        action(s) == "DescribeFullBackupList" && s.query("BackupPlanId").as_deref() == Some("p101")
    });
    assert!(asked);
}

/// What a plan backs up is JSON inside a text: the row is read, and its record keeps the text letter for letter.
#[tokio::test]
async fn json_inside_a_text_stays_a_text() {
    let objects = r#"[{"DBName":"a","TableIncludes":[{"TableName":"t\"1"}]}]"#;
    let server = Scripted::start(move |seen, _| match action(seen).as_str() {
        "DescribeBackupPlanList" => good(json!({"Items": {"BackupPlanDetail": [
            {"BackupPlanId": "dbs1", "BackupPlanStatus": "running", "BackupObjects": objects}]}})),
        _ => good(json!({"Items": {}})),
    })
    .await;
    let (Kept { rows, .. }, _) = poll(connector(&server, "").as_ref(), PLANS).await;
    assert_eq!(rows.bad, []);
    let record: Value = serde_json::from_str(&rows.policies[0].raw).unwrap();
    assert_eq!(record["BackupObjects"], objects);
}
