//! The connector against a scripted server: the published bodies, paging, the 1 + N failed lists, what a
//! change that ended became, and each trap that the interface sets.

mod checks;
mod traps;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{DRIVER, FAILED, JOBS, KIND, RESOURCES};
use crate::connect::scripted::{Say, Scripted, Seen, poll, settings};
use crate::connect::{Connector, TaskLook};
use crate::model::{
    Danger, Found, Intent, Phase, Prepared, Ref, SendOutcome, ServiceId, Target, TargetKind,
    Timestamp,
};

const GROUPS: &str = include_str!("../../../../tests/fixtures/sdrs/server_groups.json");
const INSTANCES: &str = include_str!("../../../../tests/fixtures/sdrs/protected_instances.json");
const FAILURES: &str = include_str!("../../../../tests/fixtures/sdrs/failure_jobs.json");
const PLURAL: &str = include_str!("../../../../tests/fixtures/sdrs/failure_jobs_plural.json");
const JOB: &str = include_str!("../../../../tests/fixtures/sdrs/job_stop.json");

/// The list of failed tasks, of one group where it is asked so.
const FAILURE_JOBS: &str = "/v1/p1/task-center/failure-jobs";

/// What a failed task may be called, whatever it is of.
const FAILURES_OF_ALL: [&str; 11] = [
    "createFail",
    "deleteFail",
    "attachFail",
    "detachFail",
    "expandFail",
    "resizeFail",
    "startFail",
    "stopFail",
    "reverseFail",
    "failoverFail",
    "reprotectFail",
];

const GROUP: &str = "decf224d-87fe-403a-8721-037a1a45c287";

fn connector(server: &Scripted) -> Arc<dyn Connector> {
    (DRIVER.open)(&settings(KIND, Some(format!("{}/v1/p1", server.url)))).unwrap()
}

fn empty(seen: &Seen) -> Say {
    let key = match seen.path().trim_start_matches("/v1/p1/") {
        "server-groups" => "server_groups",
        "protected-instances" => "protected_instances",
        "replications" => "replications",
        "disaster-recovery-drills" => "disaster_recovery_drills",
        _ => "failure_jobs",
    };
    Say::json(200, json!({key: [], "count": 0}).to_string())
}

/// The published lists.
fn published(seen: &Seen) -> Say {
    match seen.path() {
        "/v1/p1/server-groups" => Say::json(200, GROUPS),
        "/v1/p1/protected-instances" => Say::json(200, INSTANCES),
        FAILURE_JOBS => match seen.query("server_group_id").as_deref() {
            Some(GROUP) => Say::json(200, FAILURES),
            Some(_) => Say::json(200, PLURAL),
            None => empty(seen),
        },
        _ => empty(seen),
    }
}

fn error(status: u16, code: &str) -> Say {
    Say::json(
        status,
        json!({"error": {"code": code, "message": "text"}}).to_string(),
    )
}

fn target(kind: TargetKind, id: &str, status: &str) -> Target {
    Target {
        native_status: status.to_owned(),
        ..Target::new(kind, id, "web")
    }
}

fn intent(action: &'static str, target: Target, inputs: &[(&str, &str)]) -> Intent {
    let inputs: BTreeMap<String, String> = inputs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Intent {
        service: ServiceId(0),
        action,
        target,
        inputs,
    }
}

fn failed(status: &str, object: &str, resource_id: &str) -> Target {
    Target {
        object: object.to_owned(),
        phase: Phase::Failed,
        raw: json!({"resource_id": resource_id, "job_id": "j1"}).to_string(),
        ..target(TargetKind::Task, "j1", status)
    }
}

#[tokio::test]
async fn the_published_lists_become_policies_devices_and_running_tasks() {
    let server = Scripted::start(|seen, _| published(seen)).await;
    let c = connector(&server);
    let (kept, report) = poll(c.as_ref(), RESOURCES).await;
    assert!(report.complete && report.partial.is_empty());
    let [first, second] = kept.rows.policies.as_slice() else {
        panic!("two groups")
    };
    assert_eq!(first.name, "Protection-Group-690d");
    assert_eq!((first.enabled, first.faulty), (Some(true), false));
    assert_eq!(second.native_status, "starting");
    let [good, broken] = kept.rows.devices.as_slice() else {
        panic!("two instances")
    };
    assert!(good.protected_now && !good.faulty);
    assert_eq!(good.policy_ids, [GROUP]);
    assert!(broken.faulty && !broken.protected_now);
    let [task] = kept.rows.tasks.as_slice() else {
        panic!("one change goes on")
    };
    assert_eq!(task.operation, "enable protection");
    assert_eq!((task.phase, task.progress), (Phase::Running, Some(43)));
    assert_eq!(
        task.policy.as_ref().map(Ref::label),
        Some("Protection-Group-7a1c")
    );
    assert_eq!(
        task.started_at.map(Timestamp::rfc3339).as_deref(),
        Some("2019-05-23T01:40:00.740Z")
    );
    assert!(kept.rows.bad.is_empty());

    let (again, _) = poll(c.as_ref(), RESOURCES).await;
    assert_eq!(
        (again.same, again.rows.len()),
        (4, 0),
        "the same bytes are not decoded again"
    );
}

#[tokio::test]
async fn failed_tasks_need_one_call_and_one_for_each_group() {
    let server = Scripted::start(|seen, _| published(seen)).await;
    let c = connector(&server);
    let (kept, report) = poll(c.as_ref(), FAILED).await;
    assert!(report.complete);
    let path = FAILURE_JOBS;
    assert_eq!(server.count("GET", path), 3, "group level and two groups");
    let [first, second, pair] = kept.rows.tasks.as_slice() else {
        panic!("{:?}", kept.rows.tasks)
    };
    assert_eq!(first.id, "ff808082686f229a0168707beaab014e");
    assert_eq!(first.native_status, "createFail");
    assert_eq!(
        first.object, "protected_instances",
        "the singular spelling is read"
    );
    assert_eq!(
        first.device.as_ref().map(Ref::label),
        Some("Protected-Instance-ab14")
    );
    assert_eq!(first.policy.as_ref().map(|p| p.id.as_str()), Some(GROUP));
    let failure = first.failure.as_ref().unwrap();
    assert_eq!(failure.code, "EVS.2024");
    assert_eq!(
        failure.message,
        "SdrsGenerateNativeServerParamsTask-fail:volume is error!"
    );
    assert_eq!(second.phase, Phase::Failed);
    assert_eq!(
        (pair.object.as_str(), pair.operation.as_str()),
        ("replications", "expand")
    );
}

#[tokio::test]
async fn a_list_is_read_by_offset_and_a_count_of_the_page_does_not_end_it() {
    let server = Scripted::start(|seen, _| {
        if seen.path() != "/v1/p1/server-groups" {
            return empty(seen);
        }
        let offset: usize = seen.query("offset").unwrap().parse().unwrap();
        let limit: usize = seen.query("limit").unwrap().parse().unwrap();
        let rows: Vec<Value> = (offset..1_234.min(offset + limit))
            .map(|n| json!({"id": format!("g{n}"), "name": format!("n{n}"), "status": "available"}))
            .collect();
        Say::json(
            200,
            json!({"count": rows.len(), "server_groups": rows}).to_string(),
        )
    })
    .await;
    let (kept, report) = poll(connector(&server).as_ref(), RESOURCES).await;
    assert_eq!(kept.rows.policies.len(), 1_234);
    assert!(report.complete);
}

#[tokio::test]
async fn one_bad_row_and_one_forbidden_list_cost_only_themselves() {
    let server = Scripted::start(|seen, _| match seen.path() {
        "/v1/p1/server-groups" => Say::json(
            200,
            r#"{"server_groups":[{"name":"no id"},{"id":"g","status":"resting","fault_level":"x"}],"count":"2"}"#,
        ),
        "/v1/p1/replications" => error(400, "SDRS.0201"),
        _ => empty(seen),
    })
    .await;
    let (kept, report) = poll(connector(&server).as_ref(), RESOURCES).await;
    assert_eq!(kept.rows.policies.len(), 1);
    assert_eq!(kept.rows.bad.len(), 1);
    assert_eq!(kept.rows.bad[0].place, "server_groups[0]");
    assert!(!report.complete, "absent pairs must not be taken for gone");
    assert_eq!(report.partial.len(), 1);
    assert_eq!(report.partial[0].code.as_ref().unwrap().code, "SDRS.0201");
}

#[tokio::test]
async fn a_change_that_ended_is_looked_up() {
    let state = Arc::new(Mutex::new("starting"));
    let shown = Arc::clone(&state);
    let server = Scripted::start(move |seen, _| {
        let group = json!({"id": "g1", "name": "web", "status": *shown.lock().unwrap(), "progress": 10,
                           "updated_at": "2026-11-21 03:00:00.5"});
        match seen.path() {
            "/v1/p1/server-groups" => Say::json(200, json!({"server_groups": [group], "count": 1}).to_string()),
            "/v1/p1/server-groups/g1" => match *shown.lock().unwrap() {
                "gone" => error(400, "SDRS.1013"),
                _ => Say::json(200, json!({"server_group": group}).to_string()),
            },
            FAILURE_JOBS => Say::json(
                200,
                json!({"count": 1, "failure_jobs": [{"job_status": "FAIL", "resource_id": "g1", "resource_name": "web",
                    "resource_type": "server_groups", "failure_status": "startFail", "job_id": "j9",
                    "job_type": "startProtectionGroupNoCG", "begin_time": "2026-11-21T03:00:01.000Z",
                    "error_code": "SDRS.1830", "fail_reason": "x"}]}).to_string(),
            ),
            _ => empty(seen),
        }
    })
    .await;
    let c = connector(&server);
    let (kept, _) = poll(c.as_ref(), RESOURCES).await;
    let id = kept.rows.tasks[0].id.clone();
    let set = |s| *state.lock().unwrap() = s;

    set("protected");
    let TaskLook::Found(task) = c.look_up(&id).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(
        (task.id.as_str(), task.phase),
        (id.as_str(), Phase::Succeeded)
    );
    assert_eq!(task.native_status, "protected");

    set("error-starting");
    let TaskLook::Found(task) = c.look_up(&id).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(
        (task.id.as_str(), task.phase),
        ("j9", Phase::Failed),
        "the task center's record takes its place"
    );
    assert_eq!(task.failure.unwrap().code, "SDRS.1830");

    set("gone");
    assert_eq!(
        c.look_up(&id).await.unwrap(),
        TaskLook::Gone,
        "not found is HTTP 400 here"
    );
}

#[tokio::test]
async fn a_job_without_an_id_of_its_own_is_read_through_its_sub_jobs() {
    let server = Scripted::start(|_, _| Say::json(200, JOB)).await;
    let TaskLook::Found(task) = connector(&server)
        .look_up("ff8080826b0d8e3c016b5028e7920238")
        .await
        .unwrap()
    else {
        panic!("found")
    };
    assert_eq!(
        (task.phase, task.operation.as_str()),
        (Phase::Succeeded, "disable protection")
    );
    assert_eq!(
        task.ended_at.map(Timestamp::rfc3339).as_deref(),
        Some("2019-06-13T09:41:01.946Z")
    );
    assert!(task.failure.is_none());
}

fn one_group(
    status: &'static str,
    pairs: Value,
) -> impl Fn(&Seen, usize) -> Say + Send + Sync + 'static {
    move |seen, _| {
        match (seen.method.as_str(), seen.path()) {
        ("GET", "/v1/p1/server-groups/g1") => Say::json(
            200,
            json!({"server_group": {"id": "g1", "name": "web", "status": status, "priority_station": "source",
                                    "replication_num": 1}}).to_string(),
        ),
        ("GET", "/v1/p1/replications") => Say::json(200, json!({"replications": pairs, "count": 1}).to_string()),
        ("POST", "/v1/p1/server-groups/g1/action") => Say::json(200, r#"{"job_id":"j1"}"#),
        ("GET", "/v1/p1/jobs/j1") => Say::json(
            200,
            json!({"job_id": "j1", "job_type": "reverseProtectionGroupNoCG", "status": "RUNNING",
                   "begin_time": "2026-11-21T03:00:00.000Z", "entities": {"sub_jobs": [
                       {"status": "SUCCESS", "job_type": "a"}, {"status": "RUNNING", "job_type": "b"}]}}).to_string(),
        ),
        _ => error(404, "SDRS.0201"),
    }
    }
}

async fn prepare(c: &dyn Connector, intent: &Intent) -> Prepared {
    c.prepare(intent).await.unwrap_or_else(|f| panic!("{f}"))
}

#[tokio::test]
async fn a_switch_over_names_the_other_side_and_its_job_is_followed() {
    let server = Scripted::start(one_group("protected", json!([]))).await;
    let c = connector(&server);
    let wish = intent(
        "switch-over",
        target(TargetKind::Policy, "g1", "protected"),
        &[],
    );
    let prepared = prepare(c.as_ref(), &wish).await;
    assert_eq!(prepared.danger, Danger::TypeName);
    assert!(
        prepared.requests[0]
            .body
            .contains("\"priority_station\": \"target\""),
        "{}",
        prepared.requests[0].body
    );
    let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert_eq!(follow.task_ids, ["j1"]);
    let (kept, _) = poll(c.as_ref(), JOBS).await;
    let task = &kept.rows.tasks[0];
    assert_eq!(
        (task.operation.as_str(), task.phase),
        ("planned failover", Phase::Running)
    );
    assert_eq!((task.progress, task.step.as_str()), (Some(50), "b"));
    assert_eq!(task.policy.as_ref().map(|p| p.id.as_str()), Some("g1"));
}

#[tokio::test]
async fn a_failover_is_refused_while_the_replication_link_is_down() {
    let wish = intent(
        "fail-over",
        target(TargetKind::Policy, "g1", "protected"),
        &[],
    );
    for level in [json!("5"), json!(5)] {
        let pairs = json!([{"name": "disk-a", "fault_level": level}]);
        let server = Scripted::start(one_group("protected", pairs)).await;
        let fault = connector(&server).prepare(&wish).await.unwrap_err();
        assert!(fault.what.contains("disk-a"), "{fault}");
    }
    let server = Scripted::start(one_group(
        "protected",
        json!([{"name": "disk-a", "fault_level": "2"}]),
    ))
    .await;
    assert_eq!(
        prepare(connector(&server).as_ref(), &wish).await.danger,
        Danger::TypeName
    );
}

#[tokio::test]
async fn an_action_that_the_group_no_longer_allows_is_not_prepared() {
    let server = Scripted::start(one_group("starting", json!([]))).await;
    let wish = intent("enable", target(TargetKind::Policy, "g1", "available"), &[]);
    let fault = connector(&server).prepare(&wish).await.unwrap_err();
    assert!(fault.what.contains("the group is starting now"), "{fault}");
    assert_eq!(
        server.seen().iter().filter(|s| s.method != "GET").count(),
        0
    );
}

#[tokio::test]
async fn deleting_again_never_guesses_what_else_to_delete() {
    let server = Scripted::start(|seen, _| match seen.method.as_str() {
        "GET" => Say::json(
            200,
            r#"{"protected_instance":{"id":"i1","name":"web","status":"error-deleting"}}"#,
        ),
        _ => Say::json(200, r#"{"job_id":"j2"}"#),
    })
    .await;
    let c = connector(&server);
    let wish = intent(
        "retry-delete-instance",
        failed("deleteFail", "protectedInstance", "i1"),
        &[
            ("delete_target_server", "no"),
            ("delete_target_eip", "maybe"),
        ],
    );
    let prepared = prepare(c.as_ref(), &wish).await;
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    let sent = server.seen().pop().unwrap();
    assert_eq!(
        (sent.method.as_str(), sent.path()),
        ("DELETE", "/v1/p1/protected-instances/i1")
    );
    assert_eq!(
        sent.json(),
        json!({"delete_target_server": false, "delete_target_eip": false})
    );
}

/// A group that could not be made whole.
const HALF_MADE: &str = r#"{"server_group":{"id":"g1","name":"web","status":"error","domain_id":"d","source_vpc_id":"v",
    "source_availability_zone":"a","target_availability_zone":"b","replication_num":0}}"#;

/// Making it again: it is deleted first.
async fn retry_of_group(c: &dyn Connector) -> Prepared {
    let task = failed("createFail", "server_groups", "g1");
    let retry = c
        .actions()
        .iter()
        .find(|a| a.id.starts_with("retry") && c.available(a, &task).is_ok())
        .expect("a retry");
    prepare(c, &intent(retry.id, task, &[])).await
}

#[tokio::test]
async fn what_was_taken_in_part_is_never_called_not_sent() {
    let deleted = Arc::new(Mutex::new(false));
    let flag = Arc::clone(&deleted);
    let server = Scripted::start(move |seen, _| match seen.method.as_str() {
        "DELETE" => {
            *flag.lock().unwrap() = true;
            Say::json(200, r#"{"job_id":"j2"}"#)
        }
        // whether it is gone can't be seen any more
        "GET" if *flag.lock().unwrap() => error(403, "SDRS.0203"),
        _ => Say::json(200, HALF_MADE),
    })
    .await;
    let c = connector(&server);
    let prepared = retry_of_group(c.as_ref()).await;
    let outcome = c.send(&prepared, &|_| {}).await;
    let SendOutcome::Unknown { fault, .. } = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(fault.what.contains("step 1 of 2 was taken"), "{fault}");
    assert!(*deleted.lock().unwrap());
    assert!(server.seen().iter().all(|s| s.method != "POST"));
}

#[tokio::test]
async fn what_the_first_of_several_steps_did_is_not_taken_for_the_whole() {
    let deleted = Arc::new(Mutex::new(false));
    let flag = Arc::clone(&deleted);
    let server = Scripted::start(move |_, _| {
        if *flag.lock().unwrap() {
            return error(404, "SDRS.1013");
        }
        Say::json(200, HALF_MADE)
    })
    .await;
    let c = connector(&server);
    let prepared = retry_of_group(c.as_ref()).await;
    // the answer to the deletion was lost, and nothing was created
    *deleted.lock().unwrap() = true;
    let found = c.find(&prepared, Timestamp::now()).await;
    assert!(matches!(found, Ok(Found::CannotTell { .. })), "{found:?}");
}

#[tokio::test]
async fn every_failure_status_has_its_retry_or_a_reason() {
    let c = connector(&Scripted::start(|seen, _| empty(seen)).await);
    for status in FAILURES_OF_ALL {
        let object = match status {
            "attachFail" | "detachFail" | "expandFail" => "replications",
            "resizeFail" => "protected_instances",
            _ => "server_groups",
        };
        let task = failed(status, object, "r");
        let fits: Vec<&str> = c
            .actions()
            .iter()
            .filter(|a| a.id.starts_with("retry") && c.available(a, &task).is_ok())
            .map(|a| a.id)
            .collect();
        assert_eq!(fits.len(), 1, "{status}: {fits:?}");
    }
}

#[tokio::test]
async fn clearing_does_not_believe_a_204_and_tries_the_other_id() {
    let gone = Arc::new(Mutex::new(false));
    let flag = Arc::clone(&gone);
    let server = Scripted::start(move |seen, _| match seen.method.as_str() {
        "DELETE" => {
            if seen.path().ends_with("/res-1") {
                *flag.lock().unwrap() = true;
            }
            Say::Reply(204, vec![], vec![])
        }
        _ if *flag.lock().unwrap() => empty(seen),
        _ => Say::json(
            200,
            json!({"failure_jobs": [{"job_id": "j1", "resource_id": "res-1"}], "count": 1})
                .to_string(),
        ),
    })
    .await;
    let c = connector(&server);
    let wish = intent("clear", failed("startFail", "server_groups", "res-1"), &[]);
    let prepared = prepare(c.as_ref(), &wish).await;
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    let deleted: Vec<String> = server
        .seen()
        .iter()
        .filter(|s| s.method == "DELETE")
        .map(|s| s.path().to_owned())
        .collect();
    assert_eq!(
        deleted,
        [
            "/v1/p1/task-center/failure-jobs/j1",
            "/v1/p1/task-center/failure-jobs/res-1"
        ]
    );
    assert!(*gone.lock().unwrap());
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_a_look_tells_what_became_of_it() {
    let status = Arc::new(Mutex::new("available"));
    let shown = Arc::clone(&status);
    let server = Scripted::start(move |seen, _| {
        if seen.method == "POST" {
            *shown.lock().unwrap() = "starting";
            return Say::Drop;
        }
        Say::json(
            200,
            json!({"server_group": {"id": "g1", "name": "web", "status": *shown.lock().unwrap(),
                                    "replication_num": 1}})
            .to_string(),
        )
    })
    .await;
    let c = connector(&server);
    let wish = intent("enable", target(TargetKind::Policy, "g1", "available"), &[]);
    let prepared = prepare(c.as_ref(), &wish).await;
    let before = c.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(matches!(before, Found::Nothing { .. }), "{before:?}");
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    assert_eq!(
        server.seen().iter().filter(|s| s.method == "POST").count(),
        1,
        "never sent twice"
    );
    let after = c.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(matches!(after, Found::Done { .. }), "{after:?}");
}

/// The path that is asked for one failed task's removal carries one of two ids; which one is not documented.
#[tokio::test]
async fn a_failed_task_is_cleared_by_its_job_and_if_it_still_stands_there_by_its_resource() {
    for taken in ["j1", "r1"] {
        let cleared = Arc::new(Mutex::new(false));
        let gone = Arc::clone(&cleared);
        let server = Scripted::start(move |seen, _| match seen.method.as_str() {
            "DELETE" => {
                // a 204 alone says nothing: it comes for the wrong id too
                *gone.lock().unwrap() |= seen.path().ends_with(taken);
                Say::json(204, "")
            }
            _ if *gone.lock().unwrap() => empty(seen),
            _ => Say::json(
                200,
                json!({"count": 1, "failure_jobs": [{"job_id": "j1", "resource_id": "r1", "resource_name": "web",
                    "resource_type": "server_groups", "failure_status": "startFail"}]})
                .to_string(),
            ),
        })
        .await;
        let c = connector(&server);
        let wish = intent("clear", failed("startFail", "server_groups", "r1"), &[]);
        let prepared = c.prepare(&wish).await.unwrap();
        let outcome = c.send(&prepared, &|_| {}).await;
        assert!(
            matches!(outcome, SendOutcome::Accepted { .. }),
            "{outcome:?}"
        );
        assert!(*cleared.lock().unwrap(), "{taken}");
        let asked: Vec<String> = server
            .seen()
            .iter()
            .filter(|s| s.method == "DELETE")
            .map(|s| s.path().rsplit('/').next().unwrap().to_owned())
            .collect();
        let expected: &[&str] = if taken == "j1" {
            &["j1"]
        } else {
            &["j1", "r1"]
        };
        assert_eq!(asked, expected);
    }
}

/// Nulls, numbers as texts and texts as numbers, a singular where a plural is documented, times without a zone.
#[tokio::test]
async fn drifting_types_cost_nothing() {
    let server = Scripted::start(|seen, _| {
        let page = match seen.path().trim_start_matches("/v1/p1/") {
            "server-groups" => json!({"count": 1, "server_groups": [{"id": "g1", "name": "web", "description": null,
                "status": "protected", "protected_status": null, "replication_status": null, "health_status": null,
                "fault_level": 5, "replication_model": null, "test_vpc_id": null, "progress": "0",
                "protected_instance_num": "1", "created_at": "2019-05-23 01:40:00.7"}]}),
            "protected-instances" => json!({"count": "1", "protected_instances": [{"id": "i1", "name": "db",
                "server_group_id": "g1", "status": "protected", "fault_level": "0", "progress": 0,
                "metadata": {"__system__frozen": true}, "tags": null, "attachment": null}]}),
            "replications" => json!({"count": 1, "replications": [{"id": "r1", "name": "d", "status": "protected",
                "volume_ids": "v1,v2", "size": "10", "fault_level": 2, "attachment": null,
                "protected_instance_id": null}]}),
            "disaster-recovery-drills" => json!({"disaster_recovery_drills": [], "count": 0}),
            _ => json!({"count": 1, "failure_jobs": [{"job_id": "j1", "resource_id": "i1", "resource_name": "db",
                "resource_type": "protectedInstance", "failure_status": "createFail", "error_code": 1013,
                "job_type": "createProtectedInstance", "begin_time": "2019-01-21T12:56:35Z", "fail_reason": null}]}),
        };
        Say::json(200, page.to_string())
    })
    .await;
    let c = connector(&server);
    let (kept, report) = poll(c.as_ref(), RESOURCES).await;
    assert!(report.complete, "{:?}", report.partial);
    assert_eq!(kept.rows.bad, []);
    assert_eq!((kept.rows.policies.len(), kept.rows.devices.len()), (1, 1));
    let (kept, report) = poll(c.as_ref(), FAILED).await;
    assert!(report.complete, "{:?}", report.partial);
    let task = &kept.rows.tasks[0];
    assert_eq!(task.object, "protected_instances");
    assert_eq!(task.failure.as_ref().unwrap().code, "1013");
    // the documents disagree on the ends of the range: between 1 and 999 all of them hold
    for seen in server.seen() {
        if let Some(limit) = seen.query("limit") {
            let limit: u32 = limit.parse().unwrap();
            assert!((1..1000).contains(&limit), "{}", seen.target);
        }
        if let Some(sort) = seen.query("resource_type") {
            assert!(sort.ends_with('s'), "only the plural is sent: {sort}");
        }
    }
}

/// A job that failed comes with HTTP 200, a refusal with 400 and without a job.
#[tokio::test]
async fn a_failed_job_is_a_good_answer_and_keeps_its_code() {
    let server = Scripted::start(|_, _| {
        Say::json(
            200,
            json!({"job_id": "j7", "job_type": "startProtectionGroupNoCG", "status": "FAIL",
                "begin_time": "2019-06-13T09:40:00.000Z", "end_time": "2019-06-13T09:41:00.000Z",
                "error_code": "EVS.2024", "fail_reason": "volume is error!", "entities": {}})
            .to_string(),
        )
    })
    .await;
    let TaskLook::Found(task) = connector(&server).look_up("j7").await.unwrap() else {
        panic!("found")
    };
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Failed, "FAIL")
    );
    assert_eq!(task.failure.unwrap().code, "EVS.2024");
}
