//! Every sample body of the sources is decoded.

use super::*;
use crate::connect::TaskLook;
use crate::connect::scripted::Say;
use crate::model::Timestamp;

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/csbs/", $name, ".json"))
    };
}

async fn serving(body: &'static str) -> Arc<dyn Connector> {
    let server = Scripted::start(move |_, _| Say::json(200, body)).await;
    connect(&server)
}

#[tokio::test]
async fn listed_backups() {
    for (body, id, server, size) in [
        (
            sample!("doc-list-backups"),
            "90c1d5fa-1b9f-4aeb-b2f4-81c806e98190",
            "karbor_02",
            None,
        ),
        (
            sample!("go-list-backups"),
            "7b99acfd-18c3-4f26-9d39-b4ebd2ea3e12",
            "ecs-ggao",
            Some("146184 MB"),
        ),
        (
            sample!("java-list"),
            "90c1d5fa-1b9f-4aeb-b2f4-81c806e98190",
            "karbor_02",
            None,
        ),
    ] {
        let rows = read(&serving(body).await, "failed").await;
        let task = &rows.tasks[0];
        assert_eq!(task.id, id);
        assert_eq!(
            (task.native_status.as_str(), task.phase),
            ("available", Phase::Succeeded)
        );
        assert_eq!(task.operation, "backup");
        assert_eq!(task.device.as_ref().unwrap().name, server);
        assert_eq!(task.failure, None);
        assert_eq!(rows.devices[0].name, server);
        let told = task
            .facts
            .iter()
            .find(|(k, _)| *k == "Size")
            .map(|(_, v)| v.as_str());
        assert_eq!(told, size);
        assert!(task.raw.contains("checkpoint_id"));
    }
}

#[tokio::test]
async fn single_backups() {
    for (body, id, disks) in [
        (
            sample!("doc-show-backup"),
            "90c1d5fa-1b9f-4aeb-b2f4-81c806e98190",
            2,
        ),
        (
            sample!("go-show-backup"),
            "7b99acfd-18c3-4f26-9d39-b4ebd2ea3e12",
            2,
        ),
    ] {
        let TaskLook::Found(task) = serving(body).await.look_up("any").await.unwrap() else {
            panic!("{id}");
        };
        assert_eq!(task.id, id);
        assert_eq!(task.phase, Phase::Succeeded);
        assert_eq!(
            task.facts.iter().filter(|(k, _)| *k == "Disk").count(),
            disks
        );
        assert!(task.started_at.is_some() && task.ended_at.is_some());
    }
}

#[tokio::test]
async fn a_row_of_a_tag_search_is_an_item_too() {
    let row: Value = serde_json::from_str(sample!("doc-backup-by-tag")).unwrap();
    let body = json!({"checkpoint_items": [row]}).to_string();
    let server = Scripted::start(move |_, _| Say::json(200, body.clone())).await;
    let rows = read(&connect(&server), "failed").await;
    assert_eq!(rows.tasks[0].id, "a6d04e0e-0121-41d1-8371-eaeab14482f8");
    assert!(
        rows.tasks[0]
            .facts
            .iter()
            .any(|(k, _)| *k == "Protected at")
    );
}

#[tokio::test]
async fn listed_policies() {
    for (body, status, enabled, servers) in [
        (sample!("doc-list-policies"), "disabled", true, 2),
        (sample!("go-list-policies"), "suspended", true, 1),
        (sample!("java-policies"), "suspended", true, 2),
    ] {
        let rows = read(&serving(body).await, "policies").await;
        let policy = &rows.policies[0];
        assert_eq!(policy.native_status, status);
        assert_eq!(
            policy.enabled,
            Some(enabled),
            "the schedule, not the status, says whether it is on"
        );
        assert!(!policy.faulty);
        assert_eq!(policy.schedule, "weekly TH 12:27 UTC");
        assert!(policy.next_run.unwrap() > Timestamp::now());
        assert_eq!(policy.device_ids.len(), servers);
        assert_eq!(rows.devices.len(), servers);
        assert_eq!(rows.devices[0].policy_ids, [policy.id.as_str()]);
        let keeps = policy.facts.iter().find(|(k, _)| *k == "Keeps").unwrap();
        assert!(keeps.1.ends_with("backups"), "{keeps:?}");
    }
}

#[tokio::test]
async fn single_policies_created_and_updated_ones_too() {
    for body in [
        sample!("doc-show-policy"),
        sample!("doc-create-policy"),
        sample!("doc-update-policy"),
        sample!("go-show-policy"),
        sample!("go-create-policy"),
        sample!("go-update-policy"),
        sample!("java-policy"),
    ] {
        let csbs = serving(body).await;
        let prepared = csbs
            .prepare(&intent(&csbs, "disable", "p-1"))
            .await
            .unwrap();
        let sent: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
        let operation = &sent["policy"]["scheduled_operations"][0];
        assert_eq!(operation["enabled"], false);
        assert!(operation["id"].is_string());
        let pattern = operation["trigger"]["properties"]["pattern"]
            .as_str()
            .unwrap();
        assert!(
            pattern.contains("\r\nRRULE:FREQ=WEEKLY;"),
            "the line ends are part of the format"
        );
        assert!(
            operation["operation_definition"]["max_backups"].is_i64(),
            "{operation}"
        );
    }
    let csbs = serving(sample!("doc-update-policy")).await;
    let prepared = csbs.prepare(&intent(&csbs, "enable", "p-1")).await.unwrap();
    let sent: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
    let definition = &sent["policy"]["scheduled_operations"][0]["operation_definition"];
    assert_eq!(definition["retention_duration_days"], -1);
    assert_eq!(definition["permanent"], false);
}

#[tokio::test]
async fn the_answers_to_a_backup_name_its_run() {
    for (body, run) in [
        (
            sample!("doc-back-up-server"),
            "4468f4b8-7c78-4222-a2ca-346b5d557dd2",
        ),
        (
            sample!("doc-execute-policy"),
            "14626f11-b54a-44ea-8e69-7463e527506a",
        ),
        (
            sample!("go-back-up-server"),
            "92dba83d-cc6f-4883-a20d-de6934510b7e",
        ),
        (
            sample!("java-checkpoint"),
            "4468f4b8-7c78-4222-a2ca-346b5d557dd2",
        ),
    ] {
        let server = Scripted::start(move |seen, _| match seen.path().rsplit('/').next() {
            Some("checkpoint_items") => {
                assert_eq!(seen.query("checkpoint_id").as_deref(), Some(run));
                let mut row = item("new", "protecting");
                row["checkpoint_id"] = json!(run);
                Say::json(200, json!({"checkpoint_items": [row]}).to_string())
            }
            _ if seen.body.contains("check_protectable") => {
                Say::json(200, sample!("go-check-protectable"))
            }
            _ => Say::json(200, body),
        })
        .await;
        let csbs = connect(&server);
        let prepared = csbs
            .prepare(&intent(&csbs, "back-up", "srv-1"))
            .await
            .unwrap();
        assert_eq!(prepared.warnings, [""; 0]);
        let outcome = csbs.send(&prepared, &|_| {}).await;
        let crate::model::SendOutcome::Accepted { follow, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(follow.task_ids, ["new"]);
    }
}

#[tokio::test]
async fn verdicts_and_quotas() {
    for body in [
        sample!("doc-check-protectable"),
        sample!("java-protectable"),
        sample!("doc-check-restorable"),
        sample!("java-restorable"),
    ] {
        let csbs = serving(body).await;
        let prepared = csbs
            .prepare(&intent(&csbs, "back-up", "srv-1"))
            .await
            .unwrap();
        assert_eq!(
            prepared.warnings, [""; 0],
            "an empty error text is no refusal"
        );
    }
    for (body, words) in [
        (
            sample!("doc-quotas"),
            "backup_capacity: 0 GB used, no limit; backups: 0 of 600 used",
        ),
        (sample!("java-quota"), "backup_capacity: 0 of 100 GB used"),
    ] {
        let steps = serving(body).await.check().await;
        let (_, quota) = steps
            .iter()
            .find(|(step, _)| step == "read quotas")
            .unwrap();
        assert_eq!(quota.as_deref(), Ok(words));
    }
}

#[tokio::test]
async fn the_answer_to_a_restore_is_an_acceptance() {
    let server = Scripted::start(|seen, _| match seen.path().rsplit('/').next() {
        Some("restores") => Say::json(200, sample!("doc-restore")),
        Some("action") => Say::json(200, sample!("doc-check-restorable")),
        _ => Say::json(200, sample!("go-show-backup")),
    })
    .await;
    let csbs = connect(&server);
    let mut wish = intent(&csbs, "restore", "7b99acfd-18c3-4f26-9d39-b4ebd2ea3e12");
    wish.inputs.insert("power_on".into(), "no".into());
    let prepared = csbs.prepare(&wish).await.unwrap();
    let outcome = csbs.send(&prepared, &|_| {}).await;
    let crate::model::SendOutcome::Accepted { follow, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        follow.task_ids,
        ["7b99acfd-18c3-4f26-9d39-b4ebd2ea3e12@restore"]
    );
}
