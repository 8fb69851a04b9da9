//! Lists, and what their rows become.

use super::*;
use crate::connect::TaskLook;
use crate::connect::scripted::{keystone_password, token_answer};
use crate::model::{FaultKind, Timestamp};

async fn with_logs(logs: Value) -> Scripted {
    Scripted::start(move |seen, _| world(seen, &logs)).await
}

#[tokio::test]
async fn vaults_tie_policies_to_resources_and_state_room_in_one_unit() {
    let server = with_logs(json!([])).await;
    let c = connect(&server);
    let rows = read(&c, "resources").await;
    let [device] = rows.devices.as_slice() else {
        panic!("{:?}", rows.devices)
    };
    assert_eq!((device.id.as_str(), device.what), ("srv-1", "server"));
    assert_eq!(device.policy_ids, ["pol-1", "v1"], "through its vault");
    let vault = rows.policies.iter().find(|p| p.what == "vault").unwrap();
    assert_eq!(
        vault.native_status, "available",
        "from billing, not from the top"
    );
    assert_eq!(vault.schedule, "by policy policy001");
    let room = vault.facts.iter().find(|(l, _)| *l == "Room").unwrap();
    assert_eq!(
        room.1, "16.6 of 100 GB used (17 %)",
        "use is in MB, size in GB"
    );
    assert!(
        vault
            .facts
            .iter()
            .any(|(l, v)| *l == "Locked" && v.contains("for ever"))
    );
    let policy = rows.policies.iter().find(|p| p.what == "policy").unwrap();
    assert_eq!(policy.device_ids, ["srv-1"]);
    assert_eq!(
        policy.schedule, "weekly MO, TU 14:00 UTC",
        "hours are UTC whatever the timezone beside them"
    );
    assert_eq!(policy.enabled, Some(true));
    assert!(policy.next_run.is_some());

    let (again, report) = poll(&c, "resources").await;
    assert!(again.all_same() && report.complete, "nothing changed");
}

#[tokio::test]
async fn a_policy_that_moves_to_another_vault_changes_rows_whose_own_answer_is_the_same() {
    let server = Scripted::start(|seen, n| {
        if seen.path() == "/v3/p1/policies" && n > 1 {
            return Say::json(
                200,
                json!({"policies": [policy("pol-1", &Value::Null)], "count": 1}).to_string(),
            );
        }
        world(seen, &json!([]))
    })
    .await;
    let c = connect(&server);
    read(&c, "resources").await;
    let rows = read(&c, "resources").await;
    assert_eq!(rows.devices[0].policy_ids, ["v1"]);
    let vault = rows.policies.iter().find(|p| p.what == "vault").unwrap();
    assert!(vault.schedule.contains("by hand only"));
}

#[tokio::test]
async fn faulty_vaults_make_faulty_resources_and_copies_are_no_devices() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v3/p1/vaults" => {
            let mut copies = vault("v2", "available", &json!([resource("srv-2")]));
            copies["billing"]["protect_type"] = json!("replication");
            let frozen = vault("v1", "frozen", &json!([resource("srv-1")]));
            Say::json(
                200,
                json!({"vaults": [frozen, copies], "count": 2}).to_string(),
            )
        }
        _ => world(seen, &json!([])),
    })
    .await;
    let rows = read(&connect(&server), "resources").await;
    assert_eq!(rows.devices.len(), 1);
    assert!(rows.devices[0].faulty);
    assert!(rows.policies.iter().any(|p| p.id == "v1" && p.faulty));
}

#[tokio::test]
async fn each_status_is_a_question_of_its_own() {
    let server = with_logs(json!([])).await;
    let c = connect(&server);
    read(&c, "running").await;
    read(&c, "failed").await;
    let asked: Vec<String> = server
        .seen()
        .iter()
        .filter_map(|s| s.query("status"))
        .collect();
    for status in ["running", "waiting", "failed", "timeout", "skipped"] {
        assert_eq!(asked.iter().filter(|a| *a == status).count(), 1, "{status}");
    }
    // both were empty: the one that was asked longer ago has its turn
    read(&c, "running").await;
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn tasks_carry_code_progress_and_what_they_belong_to() {
    let mut failed = log("l1", "backup", "failed");
    failed["error_info"] = json!({"code": "BackupService.6114", "message": "vault full"});
    failed["policy_id"] = json!("pol-1");
    let logs = json!([
        failed,
        log("l2", "backup", "running"),
        log("l3", "migrate_resources", "dreaming"),
        log("l4", "backup", "timeout"),
        log("l5", "backup", "waiting"),
        log("l6", "restore", "skipped")
    ]);
    let server = with_logs(logs).await;
    let rows = read(&connect(&server), "recent").await;
    let [failed, running, odd, timeout, waiting, skipped] = rows.tasks.as_slice() else {
        panic!("{:?}", rows.tasks)
    };
    let failure = failed.failure.as_ref().unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.operation.as_str()),
        ("BackupService.6114", "backup")
    );
    assert_eq!(failed.policy.as_ref().unwrap().id, "pol-1");
    assert_eq!(failed.progress, None);
    assert_eq!(
        failed.started_at.map(Timestamp::rfc3339).as_deref(),
        Some("2025-03-25T06:23:28.304Z")
    );
    assert!(
        failed.facts.contains(&("Sort", "incremental".into())),
        "the quotes are part of the text"
    );
    assert_eq!(
        (running.phase, running.progress, running.ended_at),
        (Phase::Running, Some(40), None)
    );
    assert_eq!(running.failure, None, "empty code and text are no failure");
    assert_eq!(
        running.policy.as_ref().unwrap().label(),
        "vault-e380",
        "the vault stands in"
    );
    assert_eq!(
        (odd.phase, odd.operation.as_str()),
        (Phase::Unknown, "migrate resources")
    );
    assert_eq!(
        (timeout.phase, waiting.phase, skipped.phase),
        (Phase::Failed, Phase::Queued, Phase::Skipped)
    );
}

#[tokio::test]
async fn a_task_may_name_neither_resource_nor_vault_nor_error() {
    let mut bare = log("l1", "vault_delete", "failed");
    bare["vault_id"] = Value::Null;
    bare["vault_name"] = Value::Null;
    bare["error_info"] = Value::Null;
    bare["extra_info"] =
        json!({"vault_delete": {"fail_delete_count": 1, "total_delete_count": "3"}});
    let mut to = log("l2", "restore", "success");
    to["extra_info"] = json!({"restore": {"backup_id": "b1", "target_resource_id": "srv-9", "target_resource_name": "new"}});
    let server = with_logs(json!([bare, to, {"status": "failed"}])).await;
    let (pages, _) = poll(&connect(&server), "recent").await;
    let rows = pages.rows();
    assert_eq!(rows.bad.len(), 1, "a row without an id costs itself only");
    assert_eq!(
        (
            &rows.tasks[0].device,
            &rows.tasks[0].policy,
            &rows.tasks[0].failure
        ),
        (&None, &None, &None)
    );
    assert!(
        rows.tasks[0]
            .facts
            .contains(&("Not removed", "1 of 3".into()))
    );
    assert_eq!(rows.tasks[1].device, Some(Ref::new("srv-9", "new")));
}

#[tokio::test]
async fn every_form_of_time_is_read() {
    let forms = [
        "2025-03-25T06:23:28.304116",
        "2025-03-25T06:23:28.304+00:00",
        "2025-03-25T06:23:28Z",
        "2025-03-25 06:23:28",
    ];
    let logs: Vec<Value> = forms
        .iter()
        .map(|form| {
            let mut row = log(form, "backup", "success");
            row["started_at"] = json!(form);
            row
        })
        .collect();
    let server = with_logs(json!(logs)).await;
    for task in read(&connect(&server), "recent").await.tasks {
        assert_eq!(
            task.started_at.unwrap().millis() / 1000,
            1_742_883_808,
            "{}",
            task.id
        );
    }
}

#[tokio::test]
async fn the_total_ends_a_list_and_a_missing_row_is_not_taken_for_gone() {
    let server = Scripted::start(|seen, _| {
        let offset: usize = seen.query("offset").map_or(0, |o| o.parse().unwrap());
        // The service gives fewer rows than asked for, and one less than it counts.
        let rows: Vec<Value> = (offset..7.min(offset + 3))
            .map(|n| {
                log(
                    &format!("{}-{n}", seen.query("status").unwrap()),
                    "backup",
                    "failed",
                )
            })
            .collect();
        let count = if seen.query("status").as_deref() == Some("skipped") {
            8
        } else {
            7
        };
        Say::json(
            200,
            json!({"operation_logs": rows, "count": count}).to_string(),
        )
    })
    .await;
    let (pages, report) = poll(&connect(&server), "failed").await;
    assert_eq!(pages.rows().tasks.len(), 21);
    assert!(!report.complete);
    assert!(
        server
            .seen()
            .iter()
            .all(|s| s.query("offset").as_deref() != Some("0") && s.query("marker").is_none())
    );
}

#[tokio::test]
async fn a_service_that_ignores_the_offset_is_noticed() {
    let server = Scripted::start(|_, _| {
        Say::json(
            200,
            json!({"operation_logs": [log("a", "backup", "success")], "count": 5}).to_string(),
        )
    })
    .await;
    let fault = connect(&server)
        .poll("recent", PollContext::default(), &mut Pages::default())
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn news_are_asked_by_time_in_the_form_of_the_reference() {
    let server = with_logs(json!([])).await;
    let context = PollContext {
        changed_since: Some(Timestamp(1_742_883_808_304)),
        ..PollContext::default()
    };
    connect(&server)
        .poll("recent", context, &mut Pages::default())
        .await
        .unwrap();
    assert_eq!(
        server.seen()[0].query("start_time").as_deref(),
        Some("2025-03-25T05:23:28Z")
    );
}

#[tokio::test]
async fn the_last_good_backup_reaches_the_device() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v3/p1/backups" => Say::json(
            200,
            json!({"backups": [{"id": "b1", "status": "available", "resource_id": "srv-1",
                "created_at": "2025-03-25T06:00:00", "protected_at": "2025-03-25T06:32:31.057153"}], "count": 1})
            .to_string(),
        ),
        _ => world(seen, &json!([])),
    })
    .await;
    let c = connect(&server);
    assert_eq!(read(&c, "resources").await.devices[0].last_success, None);
    read(&c, "last-good").await;
    let rows = read(&c, "resources").await;
    assert_eq!(
        rows.devices[0]
            .last_success
            .map(Timestamp::rfc3339)
            .as_deref(),
        Some("2025-03-25T06:32:31.057Z")
    );
}

#[tokio::test]
async fn a_task_is_looked_up_and_an_unpublished_call_is_not_a_missing_task() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v3/p1/operation-logs/l1" => Say::json(
            200,
            json!({"operation_log": log("l1", "backup", "success")}).to_string(),
        ),
        "/v3/p1/operation-logs/l2" => Say::json(
            404,
            r#"{"error_code":"BackupService.6500","error_msg":"x"}"#,
        ),
        _ => Say::json(
            404,
            r#"{"error_msg":"The API does not exist","error_code":"APIGW.0101","request_id":"r"}"#,
        ),
    })
    .await;
    let c = connect(&server);
    let TaskLook::Found(task) = c.look_up("l1").await.unwrap() else {
        panic!("found")
    };
    assert_eq!(task.phase, Phase::Succeeded);
    assert_eq!(c.look_up("l2").await.unwrap(), TaskLook::Gone);
    assert_eq!(
        c.look_up("l3").await.unwrap_err().code.unwrap().code,
        "APIGW.0101"
    );
}

#[tokio::test]
async fn a_401_about_the_address_costs_no_login_and_means_gone() {
    let server = Scripted::start(|seen, n| {
        if seen.path().ends_with("/auth/tokens") {
            return token_answer(n, 3600, "cbr", "unused");
        }
        Say::json(
            401,
            r#"{"unauthorized":{"code":"401","message":"Malformed request url"}}"#,
        )
    })
    .await;
    let mut s = settings(KIND, Some(format!("{}/v3/p1", server.url)));
    s.auth = keystone_password(&server.url);
    let c = (DRIVER.open)(&s).unwrap();
    assert_eq!(c.look_up("l1").await.unwrap(), TaskLook::Gone);
    assert_eq!(server.count("POST", "/v3/auth/tokens"), 1);
}

#[tokio::test]
async fn an_authentication_failure_with_http_500_is_called_one() {
    let server = Scripted::start(|_, _| {
        Say::json(
            500,
            r#"{"error_code":"BackupService.9998","error_msg":"x"}"#,
        )
    })
    .await;
    let fault = connect(&server)
        .poll("resources", PollContext::default(), &mut Pages::default())
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth);
}

#[tokio::test]
async fn access_keys_sign_and_name_the_project() {
    let server = with_logs(json!([])).await;
    let mut s = settings(KIND, Some(server.url.clone()));
    s.auth = crate::connect::scripted::access_key("p1", "", "");
    let c = (DRIVER.open)(&s).unwrap();
    read(&c, "resources").await;
    let seen = server.seen();
    assert_eq!(
        seen[0].path(),
        "/v3/p1/policies",
        "version and project are added"
    );
    assert!(
        seen[0]
            .header("authorization")
            .starts_with("SDK-HMAC-SHA256 Access=AK,")
    );
}
