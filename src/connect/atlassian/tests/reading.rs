//! Policies, backups, restores and storages as they come.

use super::*;
use crate::connect::TaskLook;
use crate::model::Due;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn the_published_policy_is_read_whole() {
    let server = serve(|_, path| (path == "policies/p1").then(|| Say::json(200, POLICY))).await;
    let atlassian = connect_with(&server, &[("policy_ids", "p1")]);
    let rows = read(&atlassian, POLICIES).await;
    let policy = &rows.policies[0];
    assert_eq!(policy.id, "<string>");
    assert_eq!(policy.native_status, "ACTIVE");
    assert_eq!(policy.enabled, Some(true));
    assert_eq!(policy.schedule, "once on <string> slot <string>");
    assert_eq!(policy.due, None, "a one-time schedule owes nothing");
    assert_eq!(policy.last_success, None, "\"<string>\" is no time");
    let fact = |label| {
        policy
            .facts
            .iter()
            .find(|(l, _)| *l == label)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(fact("Available backups"), Some("2154"));
    assert_eq!(fact("Last backup"), Some("<string>"), "as told");
    assert_eq!(fact("Encryption"), Some("CMK"));
    assert_eq!(fact("Attachments"), Some("yes"));
    // `productType` here, `product` in a backup
    assert_eq!(fact("Product"), Some("JIRA"));
    assert_eq!(rows.devices[0].name, "<string> JIRA");
    // both flags are asked for, by the documented call
    let seen = &server.seen();
    let asked = seen.iter().find(|s| below(s) == "policies/p1").unwrap();
    assert_eq!(asked.query("backupDetails").as_deref(), Some("true"));
    assert_eq!(asked.query("storageDetails").as_deref(), Some("true"));
    assert_eq!(asked.header("x-atl-account-id"), "", "reads do without");
}

#[tokio::test]
async fn the_published_list_of_backups_is_read_whole() {
    let server = serve(|_, path| {
        (path == "policies/p1/backups").then(|| {
            Say::json(
                200,
                ACTIVATE.replace("\"totalItems\": 2154", "\"totalItems\": 1"),
            )
        })
    })
    .await;
    let rows = read(&connect(&server), TASKS).await;
    let task = &rows.tasks[0];
    assert_eq!(task.native_status, "CREATED");
    assert_eq!(task.phase, Phase::Queued, "registered is not running yet");
    assert_eq!(
        (task.operation.as_str(), task.object.as_str()),
        ("backup", "backup")
    );
    assert_eq!(task.policy, Some(Ref::new("p1", "p1 nightly")));
    assert_eq!(task.started_at, None, "\"<string>\" is no time");
    let fact = |label| {
        task.facts
            .iter()
            .find(|(l, _)| *l == label)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(fact("Size"), Some("2154 GB"));
    assert_eq!(
        fact("Parts"),
        Some("users 2154, data 2154, attachments 2154 (unit not told)"),
        "only the total has a unit"
    );
    assert_eq!(fact("Holds"), Some("USERS"));
    assert_eq!(
        fact("Expires"),
        Some("<string>"),
        "each backup's own, no rule of days"
    );
    assert_eq!(fact("Created"), Some("<string>"));
    // a free text here, an enumeration under cloudInfo
    assert_eq!(fact("Encryption"), Some("<string>"));
}

#[tokio::test]
async fn words_are_read_in_any_spelling_and_unknown_ones_stay_unknown() {
    let rows = [
        "COMPLETED",
        "Completed",
        "FAILED",
        "INCOMPLETE",
        "IN_PROGRESS",
        "In Progress",
        "inProgress",
        "CREATED",
        "EXPIRED",
        "PAUSED",
        "",
    ];
    let expected = [
        Phase::Succeeded,
        Phase::Succeeded,
        Phase::Failed,
        Phase::Failed,
        Phase::Running,
        Phase::Running,
        Phase::Running,
        Phase::Queued,
        Phase::Succeeded,
        Phase::Unknown,
        Phase::Unknown,
    ];
    let list: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(n, status)| {
            backup(
                &format!("b{n}"),
                status,
                "2026-11-20T02:30:00Z",
                "2026-11-20T03:10:00.5+01:00",
            )
        })
        .collect();
    let server =
        serve(move |_, path| (path == "policies/p1/backups").then(|| listed("backups", &list)))
            .await;
    let tasks = read(&connect(&server), TASKS).await.tasks;
    let phases: Vec<Phase> = tasks.iter().map(|t| t.phase).collect();
    assert_eq!(phases, expected);
    for (task, status) in tasks.iter().zip(rows) {
        assert_eq!(task.native_status, status, "letter for letter");
    }
    assert_eq!(tasks[0].ended_at, Some(at("2026-11-20T02:10:00.5Z")));
    assert_eq!(tasks[4].ended_at, None, "it runs");
    // an expired one was last changed when its time was over
    assert_eq!((tasks[8].ended_at, tasks[8].updated_at), (None, None));
    assert_eq!(tasks[9].ended_at, None);
}

#[tokio::test]
async fn a_failed_backup_gives_its_reason_and_odd_rows_cost_themselves() {
    let mut failed = backup(
        "b1",
        "FAILED",
        "2026-11-20T02:30:00Z",
        "2026-11-20T02:40:00Z",
    );
    failed["statusMessage"] = json!("the \u{1b}[31mauthor\u{202e} has lost rights");
    failed["backupSize"] = json!({"totalBackupSizeInGB": 0.75, "usersSize": "12"});
    failed["selections"] = json!(null);
    failed["somethingNew"] = json!({"a": [1]});
    let mut running = backup("b2", "IN_PROGRESS", "2026-11-20T02:30:00Z", "");
    running["statusMessage"] = json!("copying");
    let rows = [failed, running, json!({"name": "no id"}), json!(7)];
    let server =
        serve(move |_, path| (path == "policies/p1/backups").then(|| listed("backups", &rows)))
            .await;
    let (report, rows) = poll(&connect(&server), TASKS).await;
    assert!(report.unwrap().complete);
    let why = rows.tasks[0].failure.as_ref().unwrap();
    assert_eq!(why.message, "the ␛[31mauthor‹U+202E› has lost rights");
    assert_eq!((why.code.as_str(), why.operation.as_str()), ("", "backup"));
    assert!(rows.tasks[0].facts.contains(&("Size", "0.75 GB".into())));
    assert_eq!(rows.tasks[1].failure, None);
    assert!(rows.tasks[1].facts.contains(&("Says", "copying".into())));
    let bad: Vec<&str> = rows.bad.iter().map(|b| b.place.as_str()).collect();
    assert_eq!(bad, ["backups[2]", "backups[3]"]);
    assert_eq!(rows.bad[0].why, "backupId is missing");
}

#[tokio::test]
async fn a_policy_tells_its_last_backup_and_how_often_one_is_due() {
    let list = [
        policy_told("p1", "2026-11-19T03:00:00Z", 12),
        policy_told("p2", "2026-11-19T03:00:00Z", 0),
        policy("p3", "INACTIVE"),
        policy("p4", "SUSPENDED"),
    ];
    let server =
        serve(move |_, path| (path == "policies").then(|| listed("policies", &list))).await;
    let rows = read(&connect(&server), POLICIES).await;
    let p = &rows.policies[0];
    assert_eq!(p.schedule, "daily from 2026-11-01 slot 02:30");
    assert_eq!(p.last_success, Some(at("2026-11-19T03:00:00Z")));
    assert_eq!(
        p.due,
        Some(Due {
            within_ms: 2 * DAY_MS,
            from: Some(at("2026-11-01T00:00:00Z"))
        }),
        "from the start of the schedule, which is later than the policy"
    );
    assert_eq!(
        p.next_run, None,
        "the slot is Atlassian's, and its form is not published"
    );
    assert_eq!(p.device_ids, ["c1/JIRA"]);
    assert_eq!(rows.policies[1].last_success, None, "none is available");
    let on: Vec<_> = rows.policies.iter().map(|p| p.enabled).collect();
    assert_eq!(on, [Some(true), Some(true), Some(false), None]);
    let device = &rows.devices[0];
    assert_eq!(
        (device.name.as_str(), device.place.as_str()),
        ("acme JIRA", "https://acme.atlassian.net")
    );
    assert_eq!(device.last_success, Some(at("2026-11-19T03:00:00Z")));
    assert_eq!(device.policy_ids, ["p1"]);
}

#[tokio::test]
async fn weekly_and_unheard_of_intervals() {
    let with = |interval: &str| {
        let mut policy = policy("p1", "ACTIVE");
        policy["details"]["scheduleDetails"] = json!({"interval": interval});
        policy["createdAt"] = json!("soon");
        policy
    };
    for (interval, words, within) in [
        ("WEEKLY", "weekly", Some(8 * DAY_MS)),
        ("Hourly", "Hourly", None),
        ("ONCE", "once", None),
        ("", "", None),
    ] {
        let policy = with(interval);
        let server = serve(move |_, path| {
            (path == "policies").then(|| listed("policies", std::slice::from_ref(&policy)))
        })
        .await;
        let rows = read(&connect(&server), POLICIES).await;
        assert_eq!(rows.policies[0].schedule, words);
        assert_eq!(
            rows.policies[0].due.map(|d| d.within_ms),
            within,
            "{interval}"
        );
        assert_eq!(rows.policies[0].due.and_then(|d| d.from), None);
    }
}

#[tokio::test]
async fn the_last_backup_that_a_policy_tells_is_not_a_failed_one() {
    let told = policy_told("p1", "2026-11-20T02:35:00Z", 3);
    let server = serve(move |_, path| match path {
        "policies" => Some(listed("policies", std::slice::from_ref(&told))),
        "policies/p1/backups" => Some(listed(
            "backups",
            &[
                backup(
                    "b2",
                    "FAILED",
                    "2026-11-20T02:30:00Z",
                    "2026-11-20T02:40:00Z",
                ),
                backup(
                    "b1",
                    "COMPLETED",
                    "2026-11-19T02:30:00Z",
                    "2026-11-19T02:40:00Z",
                ),
            ],
        )),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    let before = read(&atlassian, POLICIES).await;
    assert_eq!(
        before.policies[0].last_success,
        Some(at("2026-11-20T02:35:00Z"))
    );
    read(&atlassian, TASKS).await;
    // although the answer is the same as before
    let after = read(&atlassian, POLICIES).await;
    assert_eq!(after.policies[0].last_success, None);
    assert_eq!(after.devices[0].last_success, None);
}

#[tokio::test]
async fn details_are_read_once_where_backups_tell_more_and_always_where_they_can_not() {
    for (backups, each_round) in [(true, false), (false, true)] {
        let server = serve(move |_, path| match path {
            "policies" => {
                let mut bare = policy("p1", "ACTIVE");
                bare.as_object_mut().unwrap().remove("details");
                Some(listed("policies", &[bare]))
            }
            "policies/p1" => Some(Say::json(
                200,
                policy_told("p1", "2026-11-19T03:00:00Z", 2).to_string(),
            )),
            "policies/p1/backups" if !backups => Some(Say::json(404, "")),
            _ => None,
        })
        .await;
        let atlassian = connect(&server);
        let first = read(&atlassian, POLICIES).await;
        let seen: Vec<_> = first
            .policies
            .iter()
            .map(|p| p.last_success.is_some())
            .collect();
        assert_eq!(seen, [false, true], "from the list, then with its details");
        let second = poll(&atlassian, POLICIES).await;
        assert!(second.0.unwrap().complete);
        // what the details told is not forgotten when the list is read again
        assert!(second.1.policies.iter().all(|p| p.last_success.is_some()));
        let details = server.count("GET", &format!("{BASE}/policies/p1"));
        assert_eq!(details, 2, "again a few in a round ({each_round})");
        assert_eq!(
            server.count("GET", &format!("{BASE}/policies/p1/backups")),
            if backups { 1 } else { 2 }
        );
    }
}

#[tokio::test]
async fn many_policies_cost_few_requests() {
    let list: Vec<Value> = (0..40)
        .map(|n| policy(&format!("p{n}"), "ACTIVE"))
        .collect();
    let server = serve(move |_, path| match path {
        "policies" => Some(listed("policies", &list)),
        path if path.ends_with("/backups") => None,
        path => path
            .strip_prefix("policies/")
            .map(|id| Say::json(200, policy_told(id, "2026-11-19T03:00:00Z", 1).to_string())),
    })
    .await;
    let atlassian = connect(&server);
    let rows = read(&atlassian, POLICIES).await;
    assert_eq!(rows.policies.len(), 40);
    assert_eq!(
        server.seen().len(),
        3,
        "the list, one look whether backups can be read, the storages"
    );
    for _ in 0..8 {
        read(&atlassian, POLICIES).await;
    }
    for n in 0..40 {
        assert_eq!(
            server.count("GET", &format!("{BASE}/policies/p{n}")),
            1,
            "five a round, each in its turn"
        );
    }
}

#[tokio::test]
async fn storages_get_their_names_and_cost_nothing_else_when_they_can_not_be_read() {
    let server = serve(|_, path| match path {
        // the names of the first version's request, and of error 142
        "storages" => Some(listed("storages", &[
            json!({"storageId": "s1", "storageName": "acme-backups", "storageRegion": "eu-west-1", "storageType": "aws"}),
            json!({"storageId": "s2", "bucketName": "other"}),
            json!({"storageId": {}, "bucketName": "odd"}),
        ])),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    read(&atlassian, POLICIES).await;
    let rows = read(&atlassian, POLICIES).await;
    assert!(
        rows.policies[0]
            .facts
            .contains(&("Storage", "acme-backups, eu-west-1 (s1)".into())),
        "{:?}",
        rows.policies[0].facts
    );

    let server = serve(|_, path| {
        (path == "storages").then(|| Say::json(404, "<html><title>Not here</title></html>"))
    })
    .await;
    let (report, rows) = poll(&connect(&server), POLICIES).await;
    let report = report.unwrap();
    assert!(report.complete);
    assert_eq!(rows.policies.len(), 1);
    let said = report.partial[0].to_string();
    assert!(
        said.contains("inferred, not documented") && said.contains("path_storages"),
        "{said}"
    );
    assert!(rows.policies[0].facts.contains(&("Storage", "s1".into())));
}

#[tokio::test]
async fn restores_are_tasks_of_their_product() {
    let server = serve(|_, path| match path {
        "restores" => Some(listed("restores", &[
            json!({"restoreId": "r1", "backupId": "b1", "cloudId": "c1", "product": "JIRA", "status": "FAILED",
                "statusMessage": "the site is not empty", "createdAt": "2026-11-20T09:00:00Z", "lastUpdatedAt": "2026-11-20T09:05:00Z"}),
            json!({"restoreId": "r2", "cloudId": "c9", "productType": "CONFLUENCE", "status": "SOMETHING"}),
        ])),
        _ => None,
    })
    .await;
    let tasks = read(&connect(&server), TASKS).await.tasks;
    assert_eq!(
        (tasks[0].operation.as_str(), tasks[0].phase),
        ("restore", Phase::Failed)
    );
    assert_eq!(
        tasks[0].device,
        Some(Ref::new("c1/JIRA", "acme JIRA")),
        "by the name that the policies give it"
    );
    assert_eq!(tasks[0].policy, None);
    assert!(tasks[0].facts.contains(&("Backup", "b1".into())));
    assert_eq!(
        tasks[1].device,
        Some(Ref::new("c9/CONFLUENCE", "c9 CONFLUENCE"))
    );
    assert_eq!(tasks[1].phase, Phase::Unknown);
}

#[tokio::test]
async fn one_task_is_looked_up_by_its_call_or_in_its_list() {
    // ids share one space: a restore's id sent as a backup's gives 108 with HTTP 400
    let server = serve(|_, path| match path {
        "backups/b1" => Some(Say::json(200, backup("b1", "COMPLETED", "2026-11-20T02:30:00Z", "2026-11-20T02:40:00Z").to_string())),
        "backups/r1" => Some(Say::json(400, json!({"errorCode": "108", "errorMessage": "The backupId : r1 is invalid or does not belong to operation Backup"}).to_string())),
        "restores/r1" => Some(Say::json(200, json!({"restore": {"restoreId": "r1", "status": "COMPLETED"}}).to_string())),
        "backups/none" => Some(Say::json(400, json!({"errorCode": 108, "errorMessage": "x"}).to_string())),
        "restores/none" => Some(Say::json(400, json!({"errorCode": "120", "errorMessage": "x"}).to_string())),
        "backups/odd" => Some(Say::json(200, backup("b1", "COMPLETED", "", "").to_string())),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    let found = |look| match look {
        TaskLook::Found(task) => *task,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        found(atlassian.look_up("b1").await.unwrap()).phase,
        Phase::Succeeded
    );
    assert_eq!(
        found(atlassian.look_up("r1").await.unwrap()).operation,
        "restore"
    );
    assert_eq!(atlassian.look_up("none").await.unwrap(), TaskLook::Gone);
    assert!(
        atlassian
            .look_up("odd")
            .await
            .unwrap_err()
            .what
            .contains("another backup")
    );

    // the path of single backups is a guess: without it the policy's list is read
    let server = serve(|_, path| match path {
        "policies/p1/backups" => Some(listed(
            "backups",
            &[backup("b1", "IN_PROGRESS", "2026-11-20T02:30:00Z", "")],
        )),
        path if path.starts_with("backups/") => Some(Say::json(404, "<html></html>")),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    read(&atlassian, TASKS).await;
    let task = found(atlassian.look_up("b1").await.unwrap());
    assert_eq!(task.policy, Some(Ref::new("p1", "p1 nightly")));
    // never seen, and no list to look in
    assert_eq!(atlassian.look_up("b9").await.unwrap(), TaskLook::Gone);
}

#[tokio::test]
async fn a_report_is_read_where_its_path_is_given() {
    let server = serve(|_, path| match path {
        "backups/r1" | "backups/r2" => Some(Say::json(400, r#"{"errorCode":"108","errorMessage":"x"}"#)),
        "restores/r1" => Some(Say::json(200, r#"{"restoreId":"r1","status":"COMPLETED"}"#)),
        "restores/r2" => Some(Say::json(200, r#"{"restoreId":"r2","status":"COMPLETED"}"#)),
        "restores/r1/report" => Some(Say::json(404, r#"{"errorCode":"143","errorMessage":"Post operation report not available for migration = 9"}"#)),
        "restores/r2/report" => Some(Say::json(200, r#"{"skipped":3}"#)),
        _ => None,
    })
    .await;
    let atlassian = connect_with(&server, &[("path_report", "restores/{restoreId}/report")]);
    let report = async |id: &str| match atlassian.look_up(id).await.unwrap() {
        TaskLook::Found(task) => task
            .facts
            .iter()
            .find(|(l, _)| *l == "Report")
            .unwrap()
            .1
            .clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(report("r1").await, "not available, or not yet (143)");
    assert_eq!(report("r2").await, r#"{"skipped":3}"#);
}

#[tokio::test]
async fn inactive_policies_are_asked_for_their_backups_now_and_then() {
    let server = serve(|_, path| match path {
        "policies" => Some(listed(
            "policies",
            &[policy("p1", "ACTIVE"), policy("p2", "INACTIVE")],
        )),
        _ => None,
    })
    .await;
    let atlassian = connect(&server);
    for _ in 0..11 {
        read(&atlassian, TASKS).await;
    }
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies/p1/backups")),
        11
    );
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies/p2/backups")),
        2,
        "the first round and the eleventh"
    );
    assert_eq!(
        server.count("GET", &format!("{BASE}/policies")),
        1,
        "listed once for all rounds"
    );
}
