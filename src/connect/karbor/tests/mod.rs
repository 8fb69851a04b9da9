//! The Karbor connector over a scripted server that gives the recorded answers of a real Karbor 1.6.0.

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/karbor/", $name))
    };
}

mod samples;
mod traps;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{DRIVER, KIND};
use crate::connect::scripted::{Pages, Say, Scripted, Seen, settings};
use crate::connect::{Connector, PollContext, PollReport, TaskLook};
use crate::model::{
    Danger, Found, Intent, Phase, Rows, SendOutcome, ServiceId, Target, Task, Timestamp,
};

const PLAN: &str = "e9fbbd11-2954-4940-9f71-45eaeaf9facd";
const GOOD: &str = "9b464011-3ac9-477a-8285-41ed78c60bf9";
const PROVIDER: &str = "b766f37c-d011-4026-8228-28730d734a3f";

/// The recorded answers; a list filtered by status is empty unless it is that of errors.
fn recorded(seen: &Seen) -> Say {
    let last = seen.path().rsplit('/').next().unwrap();
    let body = match (seen.method.as_str(), last) {
        ("GET", "plans") => fixture!("plans.json"),
        ("GET", "triggers") => fixture!("triggers.json"),
        ("GET", "scheduled_operations") => fixture!("scheduled-operations.json"),
        ("GET", "operation_logs") => match seen.query("status").as_deref() {
            None => fixture!("operation-logs.json"),
            Some("error") => fixture!("operation-logs-error.json"),
            Some(_) => r#"{"operation_logs": []}"#,
        },
        ("GET", PLAN) => fixture!("plan.json"),
        ("GET", GOOD) => fixture!("checkpoint-good-1-available.json"),
        ("GET", "8ca7528d-22cd-4c0d-a2f2-9f84c765ff4f") => fixture!("operation-log.json"),
        ("POST", "checkpoints") => fixture!("checkpoint-made.json"),
        ("POST", "restores") => fixture!("restore-made.json"),
        ("DELETE", _) => fixture!("checkpoint-deleted.json"),
        _ => return Say::json(404, fixture!("operation-log-unknown.json")),
    };
    Say::json(200, body)
}

async fn real() -> Scripted {
    Scripted::start(|seen, _| recorded(seen)).await
}

fn connect(server: &Scripted) -> Arc<dyn Connector> {
    (DRIVER.open)(&settings(KIND, Some(format!("{}/v1/p1", server.url)))).unwrap()
}

async fn poll(c: &Arc<dyn Connector>, feed: &'static str) -> (Pages, PollReport) {
    let mut pages = Pages::default();
    let report = c
        .poll(feed, PollContext::default(), &mut pages)
        .await
        .unwrap();
    assert!(report.complete, "{report:?}");
    (pages, report)
}

async fn read(c: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let rows = poll(c, feed).await.0.rows();
    assert_eq!(rows.bad, []);
    rows
}

fn intent(c: &Arc<dyn Connector>, action: &str, id: &str) -> Intent {
    let spec = c.action(action).unwrap();
    Intent {
        service: ServiceId(0),
        action: spec.id,
        target: Target {
            operation: "backup".into(),
            raw: json!({"id": id, "plan_id": PLAN, "provider_id": PROVIDER, "checkpoint_id": GOOD})
                .to_string(),
            ..Target::new(spec.target, id, "nightly")
        },
        inputs: BTreeMap::new(),
    }
}

fn sent(server: &Scripted) -> Vec<Seen> {
    let mut seen = server.seen();
    seen.retain(|s| s.method != "GET");
    seen
}

#[tokio::test]
async fn plans_carry_their_schedules_and_a_suspended_one_is_in_order() {
    let server = real().await;
    let c = connect(&server);
    let rows = read(&c, "plans").await;
    let plan = rows.policies.iter().find(|p| p.id == PLAN).unwrap();
    assert_eq!(plan.native_status, "suspended");
    assert_eq!(
        (plan.enabled, plan.faulty),
        (Some(true), false),
        "the list's key is operations"
    );
    assert_eq!(plan.schedule, "every minute");
    assert_eq!(plan.device_ids.len(), 8);
    let unscheduled = rows
        .policies
        .iter()
        .find(|p| p.name == "broken-volumes")
        .unwrap();
    assert_eq!(unscheduled.enabled, None);
    let device = rows
        .devices
        .iter()
        .find(|d| plan.device_ids.contains(&d.id))
        .unwrap();
    assert_eq!(
        (device.what, device.policy_ids.as_slice()),
        ("volume", [PLAN.to_owned()].as_slice())
    );
    assert!(poll(&c, "plans").await.0.all_same());
}

#[tokio::test]
async fn recorded_logs_become_tasks_and_a_deletion_logged_as_protect_is_a_deletion() {
    let server = real().await;
    let c = connect(&server);
    read(&c, "plans").await;
    let tasks = read(&c, "recent").await.tasks;
    let of = |operation: &str| -> Vec<&Task> {
        tasks.iter().filter(|t| t.operation == operation).collect()
    };
    let deleted = of("delete");
    assert_eq!(deleted.len(), 3);
    assert!(
        deleted
            .iter()
            .all(|t| t.native_status == "deleted" && t.phase == Phase::Succeeded)
    );
    let restore = of("restore")[0];
    assert_eq!(restore.phase, Phase::Succeeded);
    assert_eq!(
        restore.policy.as_ref().unwrap().label(),
        "nightly-volumes",
        "found through its checkpoint"
    );
    let backup = of("backup")[0];
    assert_eq!(
        backup.started_at.map(Timestamp::rfc3339).as_deref(),
        Some("2026-11-21T05:47:13.539Z")
    );
    assert!(
        of("verify")[0]
            .facts
            .iter()
            .any(|(l, v)| *l == "Note" && v.contains("for ever"))
    );
}

#[tokio::test]
async fn failures_have_no_reason_and_say_so() {
    let server = real().await;
    let c = connect(&server);
    let tasks = read(&c, "failed").await.tasks;
    assert_eq!(tasks.len(), 3);
    for task in &tasks {
        assert_eq!((task.phase, &task.failure), (Phase::Failed, &None));
        assert!(
            task.facts
                .iter()
                .any(|(l, v)| *l == "Reason" && v.contains("gives none"))
        );
    }
    let asked: Vec<String> = server
        .seen()
        .iter()
        .filter_map(|s| s.query("status"))
        .collect();
    assert_eq!(asked, ["error", "fail", "error-deleting"], "with a hyphen");
    assert!(!c.capabilities().reasons.is_offered());
}

#[tokio::test]
async fn statuses_are_read_as_the_source_means_them() {
    let rows: Vec<Value> = ["protecting", "error-deleting", "in_progress", "finished", "dreaming"]
        .iter()
        .map(|s| json!({"id": s, "operation_type": "protect", "status": s, "started_at": "2026-11-21T05:47:13.5"}))
        .collect();
    let body = json!({ "operation_logs": rows }).to_string();
    let server = Scripted::start(move |_, _| Say::json(200, body.clone())).await;
    let tasks = read(&connect(&server), "recent").await.tasks;
    let read: Vec<(Phase, &str)> = tasks
        .iter()
        .map(|t| (t.phase, t.operation.as_str()))
        .collect();
    assert_eq!(
        read,
        [
            (Phase::Running, "backup"),
            (Phase::Failed, "delete"),
            (Phase::Running, "backup"),
            (Phase::Succeeded, "backup"),
            (Phase::Unknown, "backup")
        ]
    );
}

#[tokio::test]
async fn a_full_page_is_followed_by_marker_and_links_are_left_alone() {
    let server = Scripted::start(|seen, _| {
        let from = seen.query("marker").map_or(0, |m| m.parse::<usize>().unwrap() + 1);
        let rows: Vec<Value> = (from..4.min(from + 2))
            .map(|n| json!({"id": n.to_string(), "status": "available", "operation_type": "protect"}))
            .collect();
        let links = json!([{"rel": "next", "href": "http://127.0.0.1:1/wrong"}]);
        Say::json(200, json!({"operation_logs": rows, "operation_logs_links": links}).to_string())
    })
    .await;
    let mut s = settings(KIND, Some(format!("{}/v1/p1", server.url)));
    s.options.insert("page_size".into(), "2".into());
    let c = (DRIVER.open)(&s).unwrap();
    assert_eq!(read(&c, "recent").await.tasks.len(), 4);
    assert_eq!(
        server.seen().len(),
        3,
        "a full last page points at an empty one"
    );
}

#[tokio::test]
async fn faults_get_the_name_that_the_catalog_knows() {
    let server = Scripted::start(|_, _| Say::json(400, fixture!("project-other.json"))).await;
    let fault = connect(&server)
        .poll("plans", PollContext::default(), &mut Pages::default())
        .await
        .unwrap_err();
    assert_eq!(fault.code.as_ref().unwrap().code, "badRequest");
    assert!(fault.advice.contains("project"), "{fault}");
}

#[tokio::test]
async fn one_task_is_looked_up_and_a_failed_restore_tells_what_it_can() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v1/p1/operation_logs/l9" => Say::json(
            200,
            json!({"operation_log": {"id": "l9", "operation_type": "restore", "status": "fail", "restore_id": "r9"}})
                .to_string(),
        ),
        "/v1/p1/restores/r9" => Say::json(
            200,
            json!({"restore": {"id": "r9", "status": "fail", "resources_reason": {"OS::Cinder::Volume#v": "no room"}}})
                .to_string(),
        ),
        _ => recorded(seen),
    })
    .await;
    let c = connect(&server);
    let TaskLook::Found(task) = c.look_up("l9").await.unwrap() else {
        panic!("found")
    };
    assert!(task.failure.unwrap().message.contains("no room"));
    let found = c
        .look_up("8ca7528d-22cd-4c0d-a2f2-9f84c765ff4f")
        .await
        .unwrap();
    assert!(matches!(found, TaskLook::Found(_)));
    assert_eq!(c.look_up("nobody").await.unwrap(), TaskLook::Gone);
}

#[tokio::test]
async fn a_plan_runs_with_its_own_provider_and_its_log_is_followed() {
    let server = real().await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "run-plan", PLAN)).await.unwrap();
    assert!(sent(&server).is_empty());
    let outcome = c.send(&prepared, &|_| {}).await;
    let SendOutcome::Accepted { follow, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(follow.policy_id, PLAN);
    assert_eq!(
        follow.task_ids.len(),
        1,
        "the log of its checkpoint, not that of the deletion: {follow:?}"
    );
    let sent = sent(&server);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].path(),
        format!("/v1/p1/providers/{PROVIDER}/checkpoints")
    );
    assert_eq!(sent[0].json(), json!({"checkpoint": {"plan_id": PLAN}}));
}

#[tokio::test]
async fn a_restore_answered_with_200_and_fail_is_a_refusal() {
    let server = Scripted::start(|seen, _| match seen.method.as_str() {
        "POST" => Say::json(200, fixture!("restore-of-error.json")),
        _ => recorded(seen),
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "restore", "l1")).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    let SendOutcome::Refused { code, answer } = c.send(&prepared, &|_| {}).await else {
        panic!("refused")
    };
    assert_eq!((code.code.as_str(), answer.http_status), ("fail", 200));
    assert_eq!(
        sent(&server)[0].json(),
        json!({"restore": {"provider_id": PROVIDER, "checkpoint_id": GOOD, "parameters": {}}})
    );
}

#[tokio::test]
async fn a_lost_answer_is_looked_into_and_never_sent_twice() {
    let server = Scripted::start(|seen, _| {
        if seen.method != "GET" {
            return Say::Drop;
        }
        if seen.path().ends_with("operation_logs") {
            let young = Timestamp::now().plus(1_000).rfc3339();
            return Say::json(
                200,
                json!({"operation_logs": [
                    {"id": "young", "operation_type": "protect", "status": "protecting", "plan_id": PLAN, "started_at": young},
                    {"id": "gone", "operation_type": "protect", "status": "deleted", "plan_id": PLAN, "started_at": young},
                    {"id": "old", "operation_type": "protect", "status": "available", "plan_id": PLAN, "started_at": "2026-01-01T00:00:00.0"}]})
                .to_string(),
            );
        }
        recorded(seen)
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "run-plan", PLAN)).await.unwrap();
    let at = Timestamp::now();
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    let Found::Done { task_ids, .. } = c.find(&prepared, at).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(task_ids, ["young"]);
    assert_eq!(sent(&server).len(), 1);
}

#[tokio::test]
async fn a_deleted_checkpoint_can_still_be_asked_for() {
    let server = Scripted::start(|seen, n| {
        if seen.method == "GET" && seen.path().ends_with(GOOD) && n > 1 {
            return Say::json(200, fixture!("checkpoint-deleted-1-deleted.json"));
        }
        recorded(seen)
    })
    .await;
    let c = connect(&server);
    let mut wish = intent(&c, "delete-failed", "l1");
    let fault = c.prepare(&wish).await.unwrap_err();
    assert!(fault.what.contains("available now"), "{fault}");
    wish.action = "delete-checkpoint";
    let again = real().await;
    let deleting = connect(&again);
    let prepared = deleting.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    assert!(matches!(
        deleting.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    assert_eq!(
        sent(&again)[0].path(),
        format!("/v1/p1/providers/{PROVIDER}/checkpoints/{GOOD}")
    );
    let looked = deleting.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(
        matches!(looked, Found::Nothing { .. }),
        "it is there yet: {looked:?}"
    );
    c.look_up("x").await.unwrap();
    let Found::Done { seen, .. } = c.find(&prepared, Timestamp::now()).await.unwrap() else {
        panic!("done")
    };
    assert!(seen.contains("deleted"));
}

#[tokio::test]
async fn lists_of_what_runs_are_spared_while_they_are_empty() {
    let server = real().await;
    let c = connect(&server);
    read(&c, "running").await;
    assert_eq!(server.seen().len(), 5);
    read(&c, "running").await;
    assert_eq!(server.seen().len(), 6);
}
