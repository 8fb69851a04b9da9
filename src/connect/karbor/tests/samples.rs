//! The sample answers of the API reference, read by the connector as if a service gave them.

use serde_json::{Value, json};

use super::{connect, intent, read, sent};
use crate::connect::TaskLook;
use crate::connect::scripted::{Say, Scripted, Seen};
use crate::model::{Phase, SendOutcome, Timestamp};

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../tests/fixtures/karbor/doc-",
            $name,
            ".json"
        ))
    };
}

const CHECKPOINT: &str = "dcb20606-ad71-40a3-80e4-ef0fafdad0c3";
const VOLUME: &str = "25336116-f38e-4c22-81ad-e9b7bd71ba51";

fn published(seen: &Seen) -> Say {
    let last = seen.path().rsplit('/').next().unwrap();
    let body = match (seen.method.as_str(), last) {
        ("GET", "plans") => sample!("plans"),
        ("GET", "triggers") => sample!("triggers"),
        ("GET", "scheduled_operations") => sample!("scheduled-operations"),
        ("GET", "instances") => sample!("protectable-instances"),
        ("GET", "operation_logs") => sample!("operation-logs"),
        ("GET", "7a16c731-0658-47dd-aa3b-98ee21830e23") => sample!("operation-log"),
        ("GET", "9e5475d2-6425-4986-9136-a4f09642297f") => sample!("plan"),
        ("POST", "checkpoints") | ("GET", CHECKPOINT) => sample!("checkpoint-made"),
        ("POST", "restores") => sample!("restore-made"),
        ("DELETE", _) => sample!("checkpoint-deleted"),
        _ => return Say::json(404, "{}"),
    };
    Say::json(200, body)
}

async fn reference() -> Scripted {
    Scripted::start(|seen, _| published(seen)).await
}

#[tokio::test]
async fn plans_and_protectable_instances() {
    let rows = read(&connect(&reference().await), "plans").await;
    assert_eq!(rows.policies.len(), 1);
    let plan = &rows.policies[0];
    assert_eq!(plan.name, "My 3 tier application");
    assert_eq!(plan.native_status, "suspended");
    assert_eq!(plan.device_ids.len(), 4);
    assert_eq!(rows.devices.len(), 4, "those of the plan, each once");
    let volume = rows.devices.iter().find(|d| d.id == VOLUME).unwrap();
    assert_eq!(
        (volume.what, volume.place.as_str()),
        ("volume", "az1"),
        "the plan's resource with the zone that the instance tells"
    );
    assert_eq!(volume.policy_ids, std::slice::from_ref(&plan.id));
}

#[tokio::test]
async fn triggers_and_scheduled_operations_are_wrapped_once_more_there() {
    // the sample's operation is of another plan and another trigger than the other samples
    let wrapped = |text: &str, inner: &str, key: &str, id: &str| {
        let mut body: Value = serde_json::from_str(text).unwrap();
        let rows = body.as_object_mut().unwrap().values_mut().next().unwrap();
        let field = rows[0][inner].pointer_mut(key).unwrap();
        *field = json!(id);
        body.to_string()
    };
    let operations = wrapped(
        sample!("scheduled-operations"),
        "scheduled_operation",
        "/trigger_id",
        "2a9ce1f3-cc1a-4516-9435-0ebb13caa398",
    );
    let plans = sample!("plans").replace(
        "9e5475d2-6425-4986-9136-a4f09642297f",
        "2a9ce1f3-cc1a-4516-9435-0ebb13caa398",
    );
    let server = Scripted::start(move |seen, _| match seen.path() {
        "/v1/p1/scheduled_operations" => Say::json(200, operations.clone()),
        "/v1/p1/plans" => Say::json(200, plans.clone()),
        _ => published(seen),
    })
    .await;
    let rows = read(&connect(&server), "plans").await;
    let plan = &rows.policies[0];
    assert_eq!(plan.enabled, Some(true), "written as 1");
    assert!(
        plan.schedule.contains("FREQ=HOURLY;INTERVAL=1"),
        "{}",
        plan.schedule
    );
    assert!(
        plan.facts
            .iter()
            .any(|(label, text)| *label == "Scheduled operation"
                && text.contains("My scheduled operation (protect"))
    );
}

#[tokio::test]
async fn operation_logs() {
    let c = connect(&reference().await);
    let tasks = read(&c, "recent").await.tasks;
    let told: Vec<(&str, &str, Phase)> = tasks
        .iter()
        .map(|t| (t.operation.as_str(), t.native_status.as_str(), t.phase))
        .collect();
    assert_eq!(
        told,
        [
            ("delete", "deleted", Phase::Succeeded),
            ("restore", "success", Phase::Succeeded),
            ("backup", "available", Phase::Succeeded),
        ]
    );
    let plan = "d58ffd3e-f64e-4b67-9bb0-b86d3483e7d0";
    assert!(
        tasks
            .iter()
            .all(|t| t.policy.as_ref().is_some_and(|p| p.id == plan)),
        "the restore names none: it is that of its checkpoint"
    );
    let TaskLook::Found(task) = c
        .look_up("7a16c731-0658-47dd-aa3b-98ee21830e23")
        .await
        .unwrap()
    else {
        panic!("found")
    };
    assert_eq!(
        task.ended_at.map(Timestamp::rfc3339).as_deref(),
        Some("2017-07-28T08:43:22.000Z")
    );
}

#[tokio::test]
async fn checkpoints_and_restores() {
    let server = reference().await;
    let c = connect(&server);
    let plan = "9e5475d2-6425-4986-9136-a4f09642297f";
    let prepared = c.prepare(&intent(&c, "run-plan", plan)).await.unwrap();
    assert!(
        prepared.effect.contains("4 resources"),
        "{}",
        prepared.effect
    );
    for action in ["run-plan", "restore", "delete-checkpoint"] {
        let mut wish = intent(&c, action, plan);
        wish.target.raw = json!({
            "plan_id": plan, "checkpoint_id": CHECKPOINT,
            "provider_id": "cf56bd3e-97a7-4078-b6d5-f36246333fd9",
        })
        .to_string();
        let prepared = c.prepare(&wish).await.unwrap();
        let outcome = c.send(&prepared, &|_| {}).await;
        assert!(
            matches!(outcome, SendOutcome::Accepted { .. }),
            "{action}: {outcome:?}"
        );
    }
    assert_eq!(sent(&server).len(), 3);
}

#[tokio::test]
async fn a_failed_restore_whose_reason_stands_under_the_name_of_the_reference() {
    let restores: Value = serde_json::from_str(sample!("restores")).unwrap();
    let restore = json!({"restore": restores["restores"][0]}).to_string();
    let log = sample!("operation-log")
        .replace("\"available\"", "\"fail\"")
        .replace("\"restore_id\": null", "\"restore_id\": \"r\"")
        .replace("\"protect\"", "\"restore\"");
    let server = Scripted::start(move |seen, _| match seen.path() {
        "/v1/p1/restores/r" => Say::json(200, restore.clone()),
        _ => Say::json(200, log.clone()),
    })
    .await;
    let TaskLook::Found(task) = connect(&server).look_up("l").await.unwrap() else {
        panic!("found")
    };
    let failure = task.failure.unwrap();
    assert!(failure.message.contains("Backup not found"), "{failure:?}");
}
