//! Actions: what is sent, what is refused, what is found after a lost answer.

use std::sync::Mutex;

use super::*;
use crate::connect::scripted::{Say, Seen};
use crate::model::{Danger, FaultKind, Found, SendOutcome, Timestamp, Verb};

const P: &str = "fc4d5750-22e7-4798-8a46-f48f62c4c1da";

/// A service that allows everything; `items` are what it lists and shows.
fn kind(seen: &Seen, items: &[Value]) -> Say {
    let last = seen.path().rsplit('/').next().unwrap();
    match (seen.method.as_str(), last) {
        ("POST", "action") if seen.path().ends_with("resources/action") => Say::json(
            200,
            r#"{"protectable": [{"result": true}], "restorable": [{"result": true}]}"#,
        ),
        ("GET", "checkpoint_items") => Say::json(200, json!({"checkpoint_items": items}).to_string()),
        ("GET", "policies") => Say::json(200, "{}"),
        ("GET", id) if seen.path().contains("/policies/") => Say::json(
            200,
            json!({"policy": {"id": id, "name": "daily", "status": "suspended",
                "resources": [{"id": "srv-1", "name": "ecs-web-1", "type": "OS::Nova::Server"}],
                "scheduled_operations": [{"id": "op-1", "name": "op", "description": null, "enabled": true,
                    "trigger_id": "t-1", "operation_type": "backup",
                    "operation_definition": {"max_backups": "20", "timezone": "UTC+08:00", "permanent": "False",
                        "plan_id": id, "provider_id": P, "day_backups": null},
                    "trigger": {"id": "t-1", "name": "default", "type": "time", "properties": {
                        "pattern": "BEGIN:VCALENDAR\r\nRRULE:FREQ=DAILY;BYHOUR=1\r\nEND:VCALENDAR\r\n",
                        "start_time": "2026-08-20 07:31:32", "format": "ical"}}}]}})
            .to_string(),
        ),
        ("GET", id) => match items.iter().find(|i| i["id"] == id) {
            Some(item) => Say::json(200, json!({"checkpoint_item": item}).to_string()),
            None => Say::json(404, r#"{"error_code":"CSBS.3001","error_msg":"not found"}"#),
        },
        _ => Say::json(200, r#"{"checkpoint": {"id": "run-new"}}"#),
    }
}

async fn with_items(items: Vec<Value>) -> Scripted {
    Scripted::start(move |seen, _| kind(seen, &items)).await
}

/// What was sent that changes something.
fn sent(server: &Scripted) -> Vec<Seen> {
    server
        .seen()
        .into_iter()
        .filter(|s| s.method != "GET" && !s.path().ends_with("resources/action"))
        .collect()
}

#[tokio::test]
async fn cancel_is_not_offered_and_says_why() {
    let server = with_items(vec![]).await;
    let csbs = connect(&server);
    assert!(csbs.actions().iter().all(|a| a.verb != Verb::Cancel));
    assert!(csbs.capabilities().cancel.remark().contains("no call"));
    assert!(!csbs.capabilities().cancel.is_offered());
}

#[tokio::test]
async fn a_backup_is_checked_first_and_the_refusal_is_shown() {
    let server = Scripted::start(|_, _| {
        Say::json(
            200,
            json!({"protectable": [{"resource_id": "srv-1", "resource_type": "OS::Nova::Server", "result": false,
                "error_code": "CSBS.6010", "error_msg": "Volume (v) attached to server (s) is shareable volume."}]})
            .to_string(),
        )
    })
    .await;
    let csbs = connect(&server);
    let fault = csbs
        .prepare(&intent(&csbs, "back-up", "srv-1"))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert_eq!(fault.code.as_ref().unwrap().code, "CSBS.6010");
    assert!(fault.to_string().contains("shareable"), "{fault}");
    assert_eq!(server.seen().len(), 1);
    assert_eq!(
        server.seen()[0].path(),
        format!("/v1/p1/providers/{P}/resources/action")
    );
    assert_eq!(
        server.seen()[0].json(),
        json!({"check_protectable": [{"resource_id": "srv-1", "resource_type": "OS::Nova::Server"}]})
    );
}

#[tokio::test]
async fn what_is_shown_is_what_is_sent() {
    let server = with_items(vec![]).await;
    let csbs = connect(&server);
    let mut wish = intent(&csbs, "back-up", "srv-1");
    wish.inputs
        .insert("backup_name".into(), "before-update".into());
    wish.target.raw = r#"{"id": "srv-1", "type": "OS::Ironic::BareMetalServer"}"#.into();
    let prepared = csbs.prepare(&wish).await.unwrap();
    assert!(sent(&server).is_empty(), "preparing changes nothing");
    let outcome = csbs.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Accepted { .. }),
        "{outcome:?}"
    );
    let sent = sent(&server);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        format!("{}{}", server.url, sent[0].target),
        prepared.requests[0].url
    );
    let shown: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
    assert_eq!(sent[0].json(), shown);
    assert_eq!(
        shown,
        json!({"protect": {"backup_name": "before-update", "resource_type": "OS::Ironic::BareMetalServer"}})
    );
    wish.inputs.insert("backup_name".into(), "no blanks".into());
    assert!(csbs.prepare(&wish).await.is_err());
}

#[tokio::test]
async fn http_500_with_a_code_is_a_refusal_not_a_breakdown() {
    for code in ["CSBS.1001", "CSBS.6030", "CSBS.6032"] {
        let server = Scripted::start(move |seen, _| {
            if seen.path().ends_with("checkpoints") {
                Say::json(
                    500,
                    json!({"error_code": code, "error_msg": "busy"}).to_string(),
                )
            } else {
                kind(seen, &[])
            }
        })
        .await;
        let csbs = connect(&server);
        let prepared = csbs
            .prepare(&intent(&csbs, "run-policy", "p-1"))
            .await
            .unwrap();
        let outcome = csbs.send(&prepared, &|_| {}).await;
        let SendOutcome::Refused { code: refused, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(
            (refused.code.as_str(), refused.http_status),
            (code, Some(500))
        );
        assert_eq!(sent(&server).len(), 1);
    }
}

#[tokio::test]
async fn a_policy_runs_with_its_servers_named() {
    let mut row = item("i-new", "protecting");
    row["checkpoint_id"] = json!("run-new");
    let server = with_items(vec![row, item("i-old", "available")]).await;
    let csbs = connect(&server);
    let prepared = csbs
        .prepare(&intent(&csbs, "run-policy", "p-1"))
        .await
        .unwrap();
    assert!(prepared.effect.contains("ecs-web-1"), "{}", prepared.effect);
    let outcome = csbs.send(&prepared, &|_| {}).await;
    let SendOutcome::Accepted { follow, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(follow.task_ids, ["i-new"], "only the items of this run");
    assert_eq!(
        sent(&server)[0].json(),
        json!({"checkpoint": {"plan_id": "p-1", "parameters": {"auto_trigger": false}}})
    );
    // The run is known as the policy's from now on.
    let rows = read(&csbs, "failed").await;
    let policy = rows
        .tasks
        .iter()
        .find(|t| t.id == "i-new")
        .unwrap()
        .policy
        .clone();
    assert_eq!(policy.unwrap().id, "p-1");
}

#[tokio::test]
async fn a_retry_is_a_new_backup_of_the_same_server_and_policy() {
    let server = with_items(vec![]).await;
    let csbs = connect(&server);
    let mut wish = intent(&csbs, "back-up-again", "i-1");
    wish.target.device = Ref::new("srv-1", "ecs-web-1");
    wish.target.operation = "backup".into();
    wish.target.phase = Phase::Failed;
    let spec = csbs.action("back-up-again").unwrap();
    assert_eq!(csbs.available(spec, &wish.target), Ok(()));
    let prepared = csbs.prepare(&wish).await.unwrap();
    assert!(
        prepared.warnings[0].contains("stays on the list"),
        "{:?}",
        prepared.warnings
    );
    assert!(
        prepared.requests[0]
            .url
            .ends_with("/resources/srv-1/action")
    );
    wish.target.policy = Ref::new("p-1", "daily");
    let prepared = csbs.prepare(&wish).await.unwrap();
    let body: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
    assert_eq!(
        body,
        json!({"checkpoint": {"plan_id": "p-1", "parameters": {"auto_trigger": false, "resources": ["srv-1"]}}})
    );
    wish.target.operation = "restore".into();
    assert!(csbs.available(spec, &wish.target).is_err());
    wish.target.operation = "backup".into();
    wish.target.phase = Phase::Running;
    assert!(csbs.available(spec, &wish.target).is_err());
}

#[tokio::test]
async fn deleting_goes_by_run_and_item() {
    let server = with_items(vec![
        failed_item("i-1", &json!(1), "backup"),
        item("i-2", "available"),
        item("i-3", "deleting"),
    ])
    .await;
    let csbs = connect(&server);
    let failed = csbs
        .prepare(&intent(&csbs, "delete-failed", "i-1"))
        .await
        .unwrap();
    assert_eq!(failed.danger, Danger::Confirm);
    assert_eq!(
        failed.requests[0].url,
        format!(
            "{}/v1/p1/providers/{P}/checkpoints/run-i-1?checkpoint_items=i-1",
            server.url
        )
    );
    let SendOutcome::Accepted { follow, .. } = csbs.send(&failed, &|_| {}).await else {
        panic!("accepted");
    };
    assert_eq!(follow.task_ids, ["i-1@delete"]);
    let good = csbs
        .prepare(&intent(&csbs, "delete-backup", "i-2"))
        .await
        .unwrap();
    assert_eq!(good.danger, Danger::TypeName);
    assert!(
        csbs.prepare(&intent(&csbs, "delete-failed", "i-2"))
            .await
            .is_err()
    );
    let busy = csbs
        .prepare(&intent(&csbs, "delete-backup", "i-3"))
        .await
        .unwrap_err();
    assert!(busy.what.contains("CSBS.2003"), "{busy}");
    let gone = csbs
        .prepare(&intent(&csbs, "delete-backup", "i-9"))
        .await
        .unwrap_err();
    assert!(gone.what.contains("gone"), "{gone}");
}

#[tokio::test]
async fn a_schedule_is_switched_with_its_other_fields_and_enabled_is_always_sent() {
    let server = with_items(vec![]).await;
    let csbs = connect(&server);
    for (action, on) in [("disable", false), ("enable", true)] {
        let prepared = csbs.prepare(&intent(&csbs, action, "p-1")).await.unwrap();
        let outcome = csbs.send(&prepared, &|_| {}).await;
        assert!(matches!(outcome, SendOutcome::Accepted { .. }));
        let put = sent(&server).pop().unwrap();
        assert_eq!(
            (put.method.as_str(), put.path()),
            ("PUT", "/v1/p1/policies/p-1")
        );
        assert_eq!(
            put.json(),
            json!({"policy": {"scheduled_operations": [{
                "id": "op-1", "enabled": on, "name": "op",
                "operation_definition": {"max_backups": 20, "timezone": "UTC+08:00", "permanent": false,
                    "plan_id": "p-1", "provider_id": P},
                "trigger": {"properties": {
                    "pattern": "BEGIN:VCALENDAR\r\nRRULE:FREQ=DAILY;BYHOUR=1\r\nEND:VCALENDAR\r\n"}}}]}})
        );
    }
    let mut target = intent(&csbs, "disable", "p-1").target;
    target.raw = r#"{"id": "p-1", "scheduled_operations": [{"enabled": "false"}]}"#.into();
    let spec = csbs.action("disable").unwrap();
    assert!(
        csbs.available(spec, &target)
            .unwrap_err()
            .contains("off already")
    );
}

#[tokio::test]
async fn a_restore_maps_every_disk_and_asks_the_service_first() {
    let server = with_items(vec![item("i-1", "available")]).await;
    let csbs = connect(&server);
    let mut wish = intent(&csbs, "restore", "i-1");
    let open = csbs.prepare(&wish).await.unwrap_err();
    assert_eq!(open.place, "power_on", "yes or no is never guessed");
    wish.inputs.insert("power_on".into(), "yes".into());
    let prepared = csbs.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    assert!(prepared.warnings[0].contains("overwritten"));
    let volumes = json!([{"backup_id": "vb-1", "volume_id": "vol-1"}, {"backup_id": "vb-2", "volume_id": "vol-2"}]);
    let check = server.seen().pop().unwrap();
    assert_eq!(
        check.json(),
        json!({"check_restorable": [{"checkpoint_item_id": "i-1", "target":
            {"resource_id": "srv-1", "resource_type": "OS::Nova::Server", "volumes": volumes}}]})
    );
    let body: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
    assert_eq!(
        body,
        json!({"restore": {"provider_id": P, "checkpoint_id": "run-i-1", "parameters": {
            "checkpoint_item_id": "i-1", "power_on": true,
            "targets": {"server_id": "srv-1", "volumes": volumes}}}})
    );
    wish.inputs
        .insert("volumes".into(), "vb-1=other-disk".into());
    let partial = csbs.prepare(&wish).await.unwrap_err();
    assert!(partial.what.contains("CSBS.6018"), "{partial}");
    wish.inputs
        .insert("volumes".into(), "vb-1=a, vb-2=b, vb-9=c".into());
    assert!(
        csbs.prepare(&wish)
            .await
            .unwrap_err()
            .what
            .contains("CSBS.6017")
    );
    wish.inputs.remove("volumes");
    wish.inputs.insert("server".into(), "srv-2".into());
    assert_eq!(csbs.prepare(&wish).await.unwrap_err().place, "volumes");
}

#[tokio::test]
async fn a_lost_backup_is_looked_for_among_the_servers_newest() {
    let items = Arc::new(Mutex::new(vec![item("i-old", "available")]));
    let shown = Arc::clone(&items);
    let server = Scripted::start(move |seen, _| {
        if seen.method == "POST" && !seen.path().ends_with("resources/action") {
            Say::Drop
        } else {
            kind(seen, &shown.lock().unwrap())
        }
    })
    .await;
    let csbs = connect(&server);
    let prepared = csbs
        .prepare(&intent(&csbs, "back-up", "srv-1"))
        .await
        .unwrap();
    let sent_at = Timestamp::now();
    let outcome = csbs.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    assert_eq!(sent(&server).len(), 1, "never twice");
    let found = csbs.find(&prepared, sent_at).await.unwrap();
    assert!(matches!(found, Found::Nothing { .. }), "{found:?}");
    let asked = server.seen().pop().unwrap();
    assert_eq!(asked.query("resource_id").as_deref(), Some("srv-1"));
    let mut scheduled = item("i-auto", "protecting");
    scheduled["created_at"] = json!(sent_at.plus(500).rfc3339());
    scheduled["extend_info"]["auto_trigger"] = json!(true);
    items.lock().unwrap().push(scheduled);
    let found = csbs.find(&prepared, sent_at).await.unwrap();
    assert!(
        matches!(found, Found::Nothing { .. }),
        "the schedule's own run is not ours: {found:?}"
    );
    let mut new = item("i-new", "protecting");
    new["created_at"] = json!(sent_at.plus(500).rfc3339());
    items.lock().unwrap().push(new);
    let found = csbs.find(&prepared, sent_at).await.unwrap();
    assert!(
        matches!(&found, Found::Done { task_ids, .. } if *task_ids == ["i-new"]),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_lost_deletion_and_a_lost_switch_show_in_the_state() {
    let items = Arc::new(Mutex::new(vec![item("i-1", "available")]));
    let shown = Arc::clone(&items);
    let server = Scripted::start(move |seen, _| kind(seen, &shown.lock().unwrap())).await;
    let csbs = connect(&server);
    let deletion = csbs
        .prepare(&intent(&csbs, "delete-backup", "i-1"))
        .await
        .unwrap();
    let switch = csbs
        .prepare(&intent(&csbs, "disable", "p-1"))
        .await
        .unwrap();
    let find = async |p| csbs.find(p, Timestamp::now()).await.unwrap();
    assert!(matches!(find(&deletion).await, Found::Nothing { .. }));
    items.lock().unwrap()[0] = item("i-1", "deleting");
    assert!(matches!(find(&deletion).await, Found::Done { .. }));
    items.lock().unwrap().clear();
    assert!(matches!(find(&deletion).await, Found::Done { .. }));
    assert!(
        matches!(find(&switch).await, Found::Nothing { .. }),
        "the policy is still on"
    );
}
