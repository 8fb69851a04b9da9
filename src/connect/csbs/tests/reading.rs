//! Reading the lists, odd values among them.

use std::sync::Mutex;

use super::*;
use crate::connect::scripted::{Say, Seen};
use crate::connect::{Page, PageSink};
use crate::model::{CodeRef, FaultKind, Timestamp};

fn list(rows: &[Value]) -> Say {
    Say::json(200, json!({"checkpoint_items": rows}).to_string())
}

/// A service that filters its items by status, policy and server, and pages by marker.
fn answer(seen: &Seen, all: &[Value]) -> Say {
    let wanted = |row: &&Value| {
        seen.query("status")
            .is_none_or(|s| row["status"] == s.as_str())
            && seen
                .query("policy_id")
                .is_none_or(|p| row["made_by"] == p.as_str())
            && seen
                .query("resource_id")
                .is_none_or(|r| row["resource_id"] == r.as_str())
    };
    let limit: usize = seen.query("limit").map_or(1000, |n| n.parse().unwrap());
    let rows: Vec<Value> = all.iter().filter(wanted).cloned().collect();
    let from = seen.query("marker").map_or(0, |m| {
        rows.iter().position(|r| r["id"] == m.as_str()).unwrap() + 1
    });
    let page: Vec<Value> = rows.into_iter().skip(from).take(limit).collect();
    list(&page)
}

async fn one(row: Value) -> crate::model::Task {
    let server = Scripted::start(move |_, _| list(std::slice::from_ref(&row))).await;
    read(&connect(&server), "failed").await.tasks.remove(0)
}

#[tokio::test]
async fn running_tasks_come_from_every_transitional_state() {
    let server = Scripted::start(|seen, _| {
        let status = seen.query("status").unwrap();
        let mut row = item(&format!("i-{status}"), &status);
        row["extend_info"]["progress"] = json!("42");
        list(&[row])
    })
    .await;
    let mut seen: Vec<_> = read(&connect(&server), "running")
        .await
        .tasks
        .into_iter()
        .map(|t| (t.id, t.operation, t.phase, t.progress))
        .collect();
    seen.sort();
    let row =
        |id: &str, operation: &str, phase| (id.to_owned(), operation.to_owned(), phase, Some(42));
    assert_eq!(
        seen,
        [
            row("i-deleting@delete", "delete", Phase::Running),
            row("i-protecting", "backup", Phase::Running),
            row("i-restoring@restore", "restore", Phase::Running),
            row("i-waiting_delete@delete", "delete", Phase::Queued),
            row("i-waiting_protect", "backup", Phase::Queued),
            row("i-waiting_restore@restore", "restore", Phase::Queued),
        ]
    );
}

#[tokio::test]
async fn empty_lists_are_spared_until_somebody_asks_or_a_row_of_theirs_is_met() {
    let server = Scripted::start(|seen, _| match seen.query("status").as_deref() {
        Some("protecting") => list(&[item("i-1", "protecting")]),
        Some(_) => list(&[]),
        None => list(&[item("i-2", "restoring"), item("i-1", "protecting")]),
    })
    .await;
    let csbs = connect(&server);
    let asked = |server: &Scripted| {
        let all = server.seen();
        let asked: Vec<_> = all.iter().filter_map(|s| s.query("status")).collect();
        asked
    };
    read(&csbs, "running").await;
    assert_eq!(asked(&server).len(), 6);
    read(&csbs, "running").await;
    assert_eq!(asked(&server)[6..], ["protecting"]);
    let called = PollContext {
        called: true,
        ..PollContext::default()
    };
    poll(&csbs, "running", called).await.unwrap();
    assert_eq!(asked(&server).len(), 13);
    // a restore stands in the list of what is new
    read(&csbs, "recent").await;
    read(&csbs, "running").await;
    assert_eq!(asked(&server)[13..], ["protecting", "restoring"]);
}

/// A sink that keeps records from a time on.
struct From(Pages, Timestamp);

#[async_trait::async_trait]
impl PageSink for From {
    async fn page(&mut self, number: u32, page: Page) -> bool {
        self.0.page(number, page).await
    }

    fn records_from(&self) -> Option<Timestamp> {
        Some(self.1)
    }
}

#[tokio::test]
async fn records_that_would_not_be_kept_are_left_out_of_a_first_reading() {
    let server = Scripted::start(|_, _| {
        let mut old = item("i-3", "available");
        old["created_at"] = json!("2026-11-01T01:00:00.000000");
        let mut failed = failed_item("i-2", &json!("CSBS.5001"), "backup");
        failed["created_at"] = json!("2026-11-02T01:00:00.000000");
        list(&[item("i-1", "available"), failed, old])
    })
    .await;
    let from = crate::connect::decode::time("2026-11-20T00:00:00Z").unwrap();
    let read = async |context: PollContext| {
        let mut sink = From(Pages::default(), from);
        let csbs = connect(&server);
        csbs.poll("recent", context, &mut sink).await.unwrap();
        let tasks = sink.0.rows().tasks;
        let bare = tasks
            .iter()
            .filter(|t| t.raw.is_empty() && t.facts.is_empty());
        bare.map(|t| t.id.clone()).collect::<Vec<_>>()
    };
    // what failed needs somebody, however old it is
    assert_eq!(read(PollContext::default()).await, ["i-3"]);
    let later = PollContext {
        changed_since: crate::connect::decode::time("2026-11-20T01:00:00Z"),
        ..PollContext::default()
    };
    assert_eq!(read(later).await, [""; 0]);
}

#[tokio::test]
async fn one_list_of_many_may_fail() {
    let server = Scripted::start(|seen, _| {
        if seen.query("status").unwrap() == "restoring" {
            Say::json(
                500,
                r#"{"error_code":"CSBS.9999","error_msg":"query failed"}"#,
            )
        } else if seen.query("status").unwrap() == "protecting" {
            list(&[item("i-1", "protecting")])
        } else {
            list(&[])
        }
    })
    .await;
    let mut pages = Pages::default();
    let report = connect(&server)
        .poll("running", PollContext::default(), &mut pages)
        .await
        .unwrap();
    assert!(
        !report.complete,
        "an absent row may be in the list that failed"
    );
    assert_eq!(report.partial.len(), 1);
    assert_eq!(report.partial[0].code.as_ref().unwrap().code, "CSBS.9999");
    assert_eq!(pages.rows().tasks.len(), 1);
}

#[tokio::test]
async fn one_list_that_fails_is_not_the_service_while_the_others_are_spared() {
    let server = Scripted::start(|seen, n| {
        // all are empty at first
        if n >= 6 && seen.query("status").unwrap() == "restoring" {
            Say::json(500, r#"{"error_code":"CSBS.9999","error_msg":"x"}"#)
        } else {
            list(&[])
        }
    })
    .await;
    let csbs = connect(&server);
    read(&csbs, "running").await;
    let asked = |server: &Scripted| {
        let all = server.seen();
        all.iter()
            .filter_map(|s| s.query("status"))
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(&server).len(), 6);
    // one list is asked in each round, in turn; the round that meets the broken one asks the rest, too
    let mut broken = None;
    for _ in 0..1_000 {
        let mut pages = Pages::default();
        let context = PollContext::default();
        let report = csbs.poll("running", context, &mut pages).await.unwrap();
        if !report.complete {
            broken = Some(report);
            break;
        }
        assert_eq!(report.pages, 1);
    }
    let broken = broken.expect("the broken list had its turn");
    assert_eq!((broken.partial.len(), broken.pages), (1, 5));
}

#[tokio::test]
async fn a_fail_code_is_taken_as_number_and_as_text() {
    for (code, read) in [
        (json!("CSBS.9006"), "CSBS.9006"),
        (json!(9006), "CSBS.9006"),
        (json!("9006"), "CSBS.9006"),
        (json!("VBS.0301"), "VBS.0301"),
        (json!(17), "17"),
    ] {
        let task = one(failed_item("i-1", &code, "backup")).await;
        assert_eq!(task.phase, Phase::Failed);
        let mut failure = CodeRef::new(read, "Quota exceeded for resources: backups");
        failure.operation = "backup".into();
        assert_eq!(task.failure, Some(failure));
        assert_eq!(task.progress, None, "62 % of a failed task is no progress");
    }
}

#[tokio::test]
async fn what_failed_decides_which_task_it_was() {
    let restore = one(failed_item("i-1", &json!("CSBS.6015"), "restore")).await;
    assert_eq!(
        (restore.id.as_str(), restore.phase),
        ("i-1@restore", Phase::Failed)
    );
    assert_eq!(restore.failure.unwrap().operation, "restore");
    let delete = one(failed_item("i-1", &json!("CSBS.8007"), "delete")).await;
    assert_eq!(
        (delete.id.as_str(), delete.operation.as_str()),
        ("i-1@delete", "delete")
    );
}

#[tokio::test]
async fn a_failed_restore_may_leave_the_backup_available_with_a_mark() {
    let mut row = failed_item("i-1", &json!(6015), "restore");
    row["status"] = json!("available");
    let server = Scripted::start(move |_, _| list(std::slice::from_ref(&row))).await;
    let tasks = read(&connect(&server), "recent").await.tasks;
    let seen: Vec<_> = tasks
        .iter()
        .map(|t| (t.id.as_str(), t.phase, t.failure.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            ("i-1", Phase::Succeeded, false),
            ("i-1@restore", Phase::Failed, true)
        ]
    );
    assert!(
        tasks[1]
            .facts
            .iter()
            .any(|(k, v)| *k == "Code as given" && v == "6015, read as CSBS.6015")
    );
}

#[tokio::test]
async fn a_failure_without_a_reason_has_none() {
    let task = one(item("i-1", "error")).await;
    assert_eq!((task.phase, task.failure), (Phase::Failed, None));
    let mut row = item("i-1", "error");
    row["extend_info"]["fail_reason"] = json!("The volume is gone\u{1b}[31m.");
    assert_eq!(
        one(row).await.failure.unwrap().message,
        "The volume is gone␛[31m."
    );
}

#[tokio::test]
async fn numbers_texts_and_nulls_stand_for_each_other() {
    let mut row = item("i-1", "available");
    row["extend_info"]["average_speed"] = json!(29.9);
    row["extend_info"]["space_saving_ratio"] = json!(6.5);
    row["extend_info"]["size"] = json!("146184");
    row["extend_info"]["copy_from"] = json!("");
    row["extend_info"]["auto_trigger"] = json!("False");
    row["extend_info"]["volume_backups"] = json!("");
    row["extend_info"]["fail_code"] = json!("");
    row["progress"] = json!(null);
    row["tags"] = json!(null);
    row["replication_records"] = json!({"later": 1});
    let task = one(row).await;
    assert_eq!(task.phase, Phase::Succeeded);
    let fact = |name: &str| {
        task.facts
            .iter()
            .find(|(k, _)| *k == name)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(fact("Speed"), Some("29.9 kB/s"));
    assert_eq!(fact("Size"), Some("146184 MB"));
    assert_eq!(fact("Started by"), Some("hand"));
}

#[tokio::test]
async fn a_row_with_half_its_fields_and_a_strange_status_survive() {
    let server = Scripted::start(|_, _| {
        list(&[
            json!({"status": "error"}),
            json!({"id": "bare"}),
            json!({"id": "odd", "status": "hibernating", "extend_info": null}),
            json!(17),
        ])
    })
    .await;
    let rows = poll(&connect(&server), "failed", PollContext::default())
        .await
        .unwrap()
        .rows();
    let seen: Vec<_> = rows
        .tasks
        .iter()
        .map(|t| (t.id.as_str(), t.native_status.as_str(), t.phase))
        .collect();
    assert_eq!(
        seen,
        [
            ("bare", "", Phase::Unknown),
            ("odd", "hibernating", Phase::Unknown)
        ]
    );
    let places: Vec<_> = rows.bad.iter().map(|b| b.place.as_str()).collect();
    assert_eq!(places, ["checkpoint_items[0]", "checkpoint_items[3]"]);
}

#[tokio::test]
async fn pages_follow_by_marker_also_when_only_the_link_says_so() {
    let all: Vec<Value> = (0..5).map(|n| item(&format!("i-{n}"), "error")).collect();
    let server = Scripted::start(move |seen, _| answer(seen, &all)).await;
    let csbs = connect_with(&server, &[("page_size", "2")]);
    assert_eq!(read(&csbs, "failed").await.tasks.len(), 5);
    let again = poll(&csbs, "failed", PollContext::default()).await.unwrap();
    assert!(again.all_same(), "{again:?}", again = again.0);
    let linked = Scripted::start(|seen, _| match seen.query("marker").as_deref() {
        None => Say::json(
            200,
            json!({"checkpoint_items": [item("i-1", "error")],
                "checkpoint_items_links": [{"rel": "next", "href": "https://elsewhere.example/"}]})
            .to_string(),
        ),
        Some("i-1") => list(&[item("i-2", "error")]),
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(read(&connect(&linked), "failed").await.tasks.len(), 2);
}

#[tokio::test]
async fn a_service_that_ignores_the_marker_does_not_trap_us() {
    let server = Scripted::start(|_, _| list(&[item("i-1", "error"), item("i-2", "error")])).await;
    let csbs = connect_with(&server, &[("page_size", "2")]);
    let mut pages = Pages::default();
    let fault = csbs
        .poll("failed", PollContext::default(), &mut pages)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbled);
    assert!(fault.what.contains("does not go on"), "{fault}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn news_are_read_only_until_they_are_known() {
    let all: Vec<Value> = (0..9)
        .map(|n| {
            let mut row = item(&format!("i-{n}"), "available");
            row["updated_at"] = json!(format!("2026-11-20T0{}:00:00.000000", 9 - n));
            row
        })
        .collect();
    let server = Scripted::start(move |seen, _| {
        assert_eq!(seen.query("sort").as_deref(), Some("updated_at:desc"));
        answer(seen, &all)
    })
    .await;
    let csbs = connect_with(&server, &[("page_size", "2")]);
    let context = |text: &str| PollContext {
        changed_since: crate::connect::decode::time(text),
        ..PollContext::default()
    };
    let news = poll(&csbs, "recent", context("2026-11-20T07:30:00Z"))
        .await
        .unwrap();
    assert_eq!(
        news.rows().tasks.len(),
        4,
        "two pages: the second holds 07:00 and 06:00"
    );
    let everything = poll(&csbs, "recent", PollContext::default()).await.unwrap();
    assert_eq!(everything.0.len(), 5);
    assert_eq!(everything.0[0], (0, Page::Same));
}

#[tokio::test]
async fn a_suspended_policy_is_healthy_and_its_schedule_decides() {
    let policy = |enabled: Value| {
        json!({"policies": [{"id": "p-1", "name": "daily", "status": "suspended",
            "resources": [{"id": "srv-1", "name": "ecs-web-1", "type": "OS::Nova::Server", "extra_info": "{}"}],
            "scheduled_operations": [{"id": "op-1", "enabled": enabled,
                "operation_definition": {"max_backups": "20", "permanent": "False"},
                "trigger": {"properties": {"pattern": "BEGIN:VCALENDAR\nRRULE:FREQ=DAILY;BYHOUR=1\nEND:VCALENDAR"}}}]}]})
    };
    for (enabled, is_on) in [(json!(true), true), (json!("False"), false)] {
        let body = policy(enabled).to_string();
        let server = Scripted::start(move |_, _| Say::json(200, body.clone())).await;
        let rows = read(&connect(&server), "policies").await;
        assert_eq!(rows.policies[0].enabled, Some(is_on));
        assert_eq!(rows.policies[0].next_run.is_some(), is_on);
        assert_eq!(rows.policies[0].schedule, "daily 01:00 UTC");
        assert!(!rows.policies[0].faulty);
    }
}

fn policies() -> Say {
    let policy = |id: &str, server: &str| {
        json!({"id": id, "name": format!("policy {id}"), "status": "suspended",
            "resources": [{"id": server, "name": server, "type": "OS::Nova::Server"}],
            "scheduled_operations": [{"id": "op", "enabled": true}]})
    };
    Say::json(
        200,
        json!({"policies": [policy("p-1", "srv-1"), policy("p-2", "srv-2")]}).to_string(),
    )
}

#[tokio::test]
async fn servers_are_those_of_policies_and_backups_together() {
    let server = Scripted::start(|seen, _| {
        if seen.path().ends_with("/policies") {
            return policies();
        }
        let mut other = item("i-2", "error");
        other["resource_id"] = json!("srv-9");
        // the newest list knows of a good backup of the first
        let newest = seen.target.contains("sort=");
        list(&[
            item("i-1", if newest { "available" } else { "error" }),
            other,
        ])
    })
    .await;
    let csbs = connect(&server);
    read(&csbs, "failed").await;
    let mut devices = read(&csbs, "policies").await.devices;
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    let seen: Vec<_> = devices
        .iter()
        .map(|d| {
            (
                d.id.as_str(),
                d.name.as_str(),
                d.place.as_str(),
                d.policy_ids.len(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("srv-1", "ecs-web-1", "eu-de-02", 1),
            ("srv-2", "srv-2", "", 1),
            ("srv-9", "ecs-web-1", "eu-de-02", 0),
        ]
    );
    let again = poll(&csbs, "policies", PollContext::default())
        .await
        .unwrap();
    assert!(again.all_same(), "{:?}", again.0);
    // An item page that comes after the policies keeps what they told; what did not change is not told again.
    let later = read(&csbs, "recent").await.devices;
    let ids: Vec<_> = later.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(ids, ["srv-1"]);
    assert_eq!(later[0].policy_ids, ["p-1"]);
    assert!(later[0].last_success.is_some());
}

#[tokio::test]
async fn runs_are_matched_to_their_policy_by_asking() {
    let mut of_policy = item("i-1", "available");
    of_policy["made_by"] = json!("p-1");
    let all = [of_policy, item("i-2", "available")];
    let server = Scripted::start(move |seen, _| {
        if seen.path().ends_with("/policies") {
            policies()
        } else {
            answer(seen, &all)
        }
    })
    .await;
    let csbs = connect(&server);
    let rows = read(&csbs, "policy-runs").await;
    assert_eq!(rows.tasks.len(), 1);
    assert_eq!(rows.tasks[0].policy, Some(Ref::new("p-1", "policy p-1")));
    let recent = read(&csbs, "recent").await;
    let policies: Vec<_> = recent
        .tasks
        .iter()
        .map(|t| t.policy.clone().map(|p| p.id))
        .collect();
    assert_eq!(
        policies,
        [Some("p-1".to_owned()), None],
        "what was learnt holds in every list"
    );
}

#[tokio::test]
async fn whose_run_it_is_stays_known_while_a_list_shows_it() {
    let all = Arc::new(Mutex::new(vec![]));
    let now = Arc::clone(&all);
    let server = Scripted::start(move |seen, _| {
        if seen.path().ends_with("/policies") {
            policies()
        } else {
            answer(seen, &now.lock().unwrap())
        }
    })
    .await;
    let csbs = connect(&server);
    let row = |id: &str, status: &str, policy: Option<&str>| {
        let mut row = item(id, status);
        row["made_by"] = json!(policy);
        row
    };
    let whose = async |feed: &'static str| -> Vec<String> {
        let history = PollContext {
            history_from: crate::connect::decode::time("2026-11-20T01:06:00Z"),
            ..PollContext::default()
        };
        let rows = poll(&csbs, feed, history).await.unwrap().rows();
        let policy = |t: &crate::model::Task| t.policy.clone().map_or_else(String::new, |p| p.id);
        rows.tasks.iter().map(policy).collect()
    };
    *all.lock().unwrap() = vec![
        row("i-1", "error", Some("p-1")),
        row("i-2", "available", Some("p-2")),
    ];
    assert_eq!(whose("policy-runs").await, ["p-1", "p-2"]);
    assert_eq!(whose("failed").await, ["p-1"]);
    // the policies' lists have moved on
    *all.lock().unwrap() = vec![row("i-1", "error", None)];
    assert_eq!(whose("policy-runs").await, [""; 0]);
    // both are shown again, in answers that have changed
    *all.lock().unwrap() = vec![row("i-1", "error", None), row("i-2", "error", None)];
    assert_eq!(whose("failed").await, ["p-1", ""]);
}

#[tokio::test]
async fn each_server_is_told_its_last_good_backup() {
    let all: Vec<Value> = (0..40)
        .map(|n| {
            let mut row = item(&format!("i-{n}"), "available");
            row["resource_id"] = json!(if n == 5 { "srv-2" } else { "srv-1" });
            row["extend_info"]["finished_at"] =
                json!(format!("2026-11-20T01:{:02}:00.000000", 59 - n));
            row
        })
        .collect();
    let server = Scripted::start(move |seen, _| {
        if seen.path().ends_with("/policies") {
            policies()
        } else {
            assert_eq!(seen.query("status").as_deref(), Some("available"));
            answer(seen, &all)
        }
    })
    .await;
    let csbs = connect_with(&server, &[("page_size", "4")]);
    let rows = read(&csbs, "last-good").await;
    assert_eq!(rows.tasks, []);
    let good = |id: &str| {
        rows.devices
            .iter()
            .rfind(|d| d.id == id)
            .unwrap()
            .last_success
    };
    assert_eq!(
        good("srv-1"),
        crate::connect::decode::time("2026-11-20T01:59:00Z")
    );
    assert_eq!(
        good("srv-2"),
        crate::connect::decode::time("2026-11-20T01:54:00Z")
    );
    assert_eq!(
        server.count("GET", "/v1/p1/checkpoint_items"),
        2,
        "no further than the last server that was looked for"
    );
}

#[tokio::test]
async fn a_project_that_moved_to_cbr_is_not_asked_for_ever() {
    for code in ["BackupService.4003", "BackupService.4008"] {
        let server = Scripted::start(move |_, _| {
            Say::json(
                400,
                json!({"error_code": code, "error_msg": "Go to the CBR console."}).to_string(),
            )
        })
        .await;
        let mut pages = Pages::default();
        let fault = connect(&server)
            .poll("recent", PollContext::default(), &mut pages)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotOffered);
        assert!(fault.advice.contains("cbr"), "{fault}");
        assert_eq!(fault.code.unwrap().code, code);
    }
}

#[tokio::test]
async fn times_without_a_zone_are_utc() {
    let task = one(item("i-1", "available")).await;
    assert_eq!(
        task.started_at.map(Timestamp::rfc3339).as_deref(),
        Some("2026-11-20T01:00:00.123Z")
    );
    assert_eq!(
        task.ended_at.map(Timestamp::rfc3339).as_deref(),
        Some("2026-11-20T01:04:59.000Z")
    );
}
