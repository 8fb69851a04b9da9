//! What Karbor does that a client would not expect, one case each; more stand among the tests of the parent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{GOOD, PLAN, connect, intent, poll, read, recorded, sent};
use crate::connect::PollContext;
use crate::connect::scripted::{Pages, Say, Scripted};
use crate::model::{FaultKind, Found, Phase, Policy, SendOutcome, Timestamp};

#[tokio::test]
async fn a_quota_that_is_used_up_is_413_and_no_throttling() {
    let server = Scripted::start(|seen, _| match seen.method.as_str() {
        "POST" => Say::json(
            413,
            r#"{"overLimit": {"code": 413, "message": "Quota exceeded", "retryAfter": "0"}}"#,
        )
        .with("Retry-After", "0"),
        _ => recorded(seen),
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "run-plan", PLAN)).await.unwrap();
    let SendOutcome::Refused { code, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("refused")
    };
    assert_eq!(
        (code.code.as_str(), code.http_status),
        ("overLimit", Some(413))
    );
    read(&c, "plans").await;
}

#[tokio::test]
async fn a_state_that_is_not_allowed_is_answered_with_500_and_looked_into() {
    let server = Scripted::start(|seen, _| match seen.method.as_str() {
        "DELETE" => Say::json(
            500,
            r#"{"computeFault": {"code": 500, "message": "Invalid status for checkpoint"}}"#,
        ),
        _ => recorded(seen),
    })
    .await;
    let c = connect(&server);
    let wish = intent(&c, "delete-checkpoint", "l1");
    let prepared = c.prepare(&wish).await.unwrap();
    let SendOutcome::Unknown { fault, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("nobody can tell from a 500 alone")
    };
    assert_eq!(fault.code.unwrap().code, "computeFault");
    let found = c.find(&prepared, Timestamp::now()).await.unwrap();
    let Found::Nothing { looked_at } = found else {
        panic!("{found:?}")
    };
    assert!(looked_at.contains("available"), "{looked_at}");
    assert_eq!(sent(&server).len(), 1);
}

#[tokio::test]
async fn a_scheduled_run_looks_like_one_by_hand_and_a_dropped_filter_adds_no_others() {
    // an administrator can turn filters off: Karbor drops those it does not know without a word
    let young = Timestamp::now().plus(60_000).rfc3339();
    let log = |id: &str, plan: &str| {
        json!({"id": id, "operation_type": "protect", "status": "protecting", "started_at": young,
            "plan_id": plan, "scheduled_operation_id": null})
    };
    let logs = json!({"operation_logs": [log("one", PLAN), log("other", GOOD), log("two", PLAN)]});
    let server = Scripted::start(move |seen, _| match seen.path() {
        "/v1/p1/operation_logs" => Say::json(200, logs.to_string()),
        _ => recorded(seen),
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "run-plan", PLAN)).await.unwrap();
    let Found::Done { seen, task_ids } = c.find(&prepared, Timestamp::now()).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(task_ids, ["one", "two"]);
    assert!(seen.contains("does not tell"), "{seen}");
}

#[tokio::test]
async fn a_status_filter_that_is_dropped_makes_no_task_what_it_is_not() {
    let logs = json!({"operation_logs": [
        {"id": "1", "operation_type": "protect", "status": "available"},
        {"id": "2", "operation_type": "protect", "status": "error"},
        {"id": "3", "operation_type": "protect", "status": "protecting"},
    ]})
    .to_string();
    let server = Scripted::start(move |_, _| Say::json(200, logs.clone())).await;
    for task in read(&connect(&server), "failed").await.tasks {
        let phase = match task.id.as_str() {
            "1" => Phase::Succeeded,
            "2" => Phase::Failed,
            _ => Phase::Running,
        };
        assert_eq!(task.phase, phase);
    }
}

/// The one plan, with a trigger of these properties.
async fn scheduled(properties: Value) -> Policy {
    let server = Scripted::start(move |seen, _| {
        let body = match seen.path() {
            "/v1/p1/triggers" => json!({"triggers": [{"id": "t", "properties": properties}]}),
            "/v1/p1/scheduled_operations" => json!({"operations": [{"id": "o", "trigger_id": "t",
                "operation_type": "protect", "enabled": true, "operation_definition": {"plan_id": "p"}}]}),
            "/v1/p1/plans" => json!({"plans": [{"id": "p", "name": "p", "status": "suspended"}]}),
            _ => return recorded(seen),
        };
        Say::json(200, body.to_string())
    })
    .await;
    read(&connect(&server), "plans").await.policies.remove(0)
}

fn calendar(rule: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR")
}

#[tokio::test]
async fn the_next_run_keeps_to_the_start_the_end_and_the_seconds_of_the_start() {
    let daily = calendar("FREQ=DAILY;BYHOUR=2;BYMINUTE=5");
    for (start, expected) in [
        ("2090-01-01 00:00:07", Some("2090-01-01T02:05:07.000Z")),
        ("2090-01-01T03:00:00", Some("2090-01-02T02:05:00.000Z")),
    ] {
        let policy =
            scheduled(json!({"format": "calendar", "pattern": daily, "start_time": start})).await;
        assert_eq!(policy.schedule, "daily 02:05 UTC");
        assert_eq!(policy.next_run.map(Timestamp::rfc3339).as_deref(), expected);
    }
    let start = "2090-01-01 00:00:00";
    for (format, pattern, end) in [
        ("calendar", daily.as_str(), "2090-01-01 01:00:00"),
        ("calendar", &calendar("FREQ=MONTHLY;BYHOUR=2"), ""),
        ("crontab", "5 2 * * *", ""),
    ] {
        let policy = scheduled(
            json!({"format": format, "pattern": pattern, "start_time": start, "end_time": end}),
        )
        .await;
        assert_eq!(policy.next_run, None, "{pattern}");
        assert!(!policy.schedule.is_empty());
    }
    // what counts from the start fires at its second, as a real one did
    let every = calendar("FREQ=MINUTELY;INTERVAL=20;");
    let policy = scheduled(
        json!({"format": "calendar", "pattern": every, "start_time": "2015-12-17 08:30:47"}),
    )
    .await;
    assert_eq!(policy.schedule, "every 20 minutes");
    let next = policy.next_run.expect("it counts from its start");
    let now = Timestamp::now();
    assert!(next > now && next.since(now) <= 20 * 60_000, "{next:?}");
    let told = next.rfc3339();
    assert!(
        [":10:47.000Z", ":30:47.000Z", ":50:47.000Z"]
            .iter()
            .any(|end| told.ends_with(end)),
        "{told}"
    );
    for (rule, words) in [
        ("FREQ=HOURLY", "every hour"),
        ("FREQ=DAILY;INTERVAL=2", "every 2 days"),
    ] {
        let ahead = json!({"format": "calendar", "pattern": calendar(rule), "start_time": "2090-01-01 00:00:07"});
        let policy = scheduled(ahead).await;
        assert_eq!(policy.schedule, words);
        assert_eq!(
            policy.next_run.map(Timestamp::rfc3339).as_deref(),
            Some("2090-01-01T00:00:07.000Z"),
            "not before its start"
        );
        let unknown = json!({"format": "calendar", "pattern": calendar(rule)});
        assert_eq!(scheduled(unknown).await.next_run, None);
    }
    let past = json!({"format": "calendar", "pattern": daily, "start_time": "2015-12-17 08:30:00", "window": "3600"});
    assert!(scheduled(past).await.next_run > Some(Timestamp::now()));
}

/// A run names its plan only: that it went well is told of everything in the plan.
#[tokio::test]
async fn what_a_plan_covers_was_backed_up_when_its_last_run_ended_well() {
    let server = Scripted::start(|seen, _| recorded(seen)).await;
    let c = connect(&server);
    let before = read(&c, "plans").await.devices;
    assert!(before.iter().all(|d| d.last_success.is_none()));
    let logs = read(&c, "recent").await.tasks;
    let devices = read(&c, "plans").await.devices;
    let mut told = 0;
    for device in devices {
        let good = logs.iter().filter(|t| {
            let plan = t.policy.as_ref().map_or("", |p| p.id.as_str());
            t.operation == "backup"
                && t.phase == Phase::Succeeded
                && device.policy_ids.iter().any(|p| p == plan)
        });
        assert_eq!(
            device.last_success,
            good.filter_map(|t| t.ended_at).max(),
            "{}",
            device.name
        );
        told += usize::from(device.last_success.is_some());
    }
    assert!(told > 0, "no plan of the recorded ones went well");
}

/// A plan may be changed after a run, and no log tells what the run backed up.
#[tokio::test]
async fn what_came_into_a_plan_after_its_last_run_was_not_backed_up_by_it() {
    let state = Arc::new(Mutex::new((vec!["old"], Timestamp::now().plus(-3_600_000))));
    let now = Arc::clone(&state);
    let server = Scripted::start(move |seen, _| {
        let (disks, began) = now.lock().unwrap().clone();
        let disks: Vec<Value> = disks
            .iter()
            .map(|id| json!({"id": id, "name": id, "type": "OS::Cinder::Volume"}))
            .collect();
        let body = match seen.path() {
            "/v1/p1/plans" => json!({"plans": [
                {"id": "p", "name": "p", "status": "suspended", "resources": disks}]}),
            "/v1/p1/operation_logs" => json!({"operation_logs": [
                {"id": "l", "operation_type": "protect", "plan_id": "p", "checkpoint_id": "c", "status": "available",
                 "started_at": began.rfc3339(), "ended_at": began.plus(1_000).rfc3339()}]}),
            _ => return recorded(seen),
        };
        Say::json(200, body.to_string())
    })
    .await;
    let c = connect(&server);
    let good = async || {
        read(&c, "recent").await;
        let devices = read(&c, "plans").await.devices;
        let of = |id: &str| devices.iter().find(|d| d.id == id)?.last_success;
        (of("old").is_some(), of("new").is_some())
    };
    assert_eq!(good().await, (true, false));
    state.lock().unwrap().0.push("new");
    assert_eq!(good().await, (true, false), "the run was before");
    state.lock().unwrap().1 = Timestamp::now().plus(3_600_000);
    assert_eq!(good().await, (true, true), "a run that began since then");
}

#[tokio::test]
async fn servers_that_no_plan_covers_are_devices_where_karbor_can_ask_for_them() {
    let instance = |id: &str| {
        json!({"id": id, "type": "OS::Nova::Server", "name": format!("srv-{id}"),
            "extra_info": {"availability_zone": "az-1"},
            "dependent_resources": [{"id": "v", "type": "OS::Cinder::Volume", "name": "disk"}]})
    };
    let round = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&round);
    let server = Scripted::start(move |seen, _| {
        if !seen.path().ends_with("/instances") {
            return recorded(seen);
        }
        match now.load(Ordering::SeqCst) {
            0 => Say::json(
                200,
                json!({"instances": [instance("s1"), 7, instance("s2")]}).to_string(),
            ),
            1 => Say::json(503, "{}"),
            2 => Say::json(500, fixture!("protectable-instances.json")),
            _ => Say::json(403, r#"{"forbidden": {"code": 403, "message": "no"}}"#),
        }
    })
    .await;
    let c = connect(&server);
    let servers = |pages: &Pages| -> Vec<String> {
        let rows = pages.rows();
        let mut of = rows.devices;
        of.retain(|d| d.what == "server");
        of.iter()
            .map(|d| format!("{} {}", d.name, d.place))
            .collect()
    };
    let (first, _) = poll(&c, "plans").await;
    assert_eq!(servers(&first), ["srv-s1 az-1", "srv-s2 az-1"]);
    assert_eq!(first.rows().bad.len(), 1, "one bad row costs one row");
    let again = || async {
        round.fetch_add(1, Ordering::SeqCst);
        let mut pages = Pages::default();
        let report = c.poll("plans", PollContext::default(), &mut pages).await;
        (pages, report.unwrap())
    };
    // not now: what is known stays, and the round is not whole
    let (pages, report) = again().await;
    assert!(!report.complete);
    assert_eq!(report.partial[0].kind, FaultKind::Server);
    assert!(pages.all_same(), "nothing is taken away");
    // not at all: the plans' resources are what there is
    for _ in 0..2 {
        let (pages, report) = again().await;
        assert!(report.complete, "{report:?}");
        assert_eq!(servers(&pages), Vec::<String>::new());
    }
}
