//! Actions: what is sent, what is refused, what is found after a lost answer.

use super::*;
use crate::model::{Danger, Found, SendOutcome, Timestamp, Verb};

async fn plain() -> Scripted {
    Scripted::start(|seen, _| world(seen, &json!([]))).await
}

#[tokio::test]
async fn what_is_not_offered_says_why_and_nothing_empties_a_vault() {
    let server = plain().await;
    let c = connect(&server);
    assert!(!c.capabilities().cancel.is_offered() && !c.capabilities().clear.is_offered());
    assert!(
        c.actions()
            .iter()
            .all(|a| !matches!(a.verb, Verb::Cancel | Verb::Clear))
    );
    let pause = c.action("pause-resource").unwrap();
    let target = intent(&c, "pause-resource", "srv-1").target;
    assert!(c.available(pause, &target).unwrap_err().contains("Huawei"));
    let huawei = connect_with(&server, &[("cloud", "huawei")]);
    assert_eq!(huawei.available(pause, &target), Ok(()));
    let prepared = huawei
        .prepare(&intent(&c, "pause-resource", "srv-1"))
        .await
        .unwrap();
    assert!(
        prepared.requests[0]
            .url
            .ends_with("/vaults/v1/set-resources")
    );
    assert!(prepared.requests[0].body.contains("\"suspend\""));
}

#[tokio::test]
async fn a_resource_is_backed_up_through_its_vault_with_every_truth_value_said() {
    let logs =
        json!([{"id": "log-n", "checkpoint_id": "run-new"}, log("old", "backup", "success")]);
    let server = Scripted::start(move |seen, _| world(seen, &logs)).await;
    let c = connect(&server);
    let mut wish = intent(&c, "back-up", "srv-1");
    wish.inputs.insert("full".into(), "yes".into());
    wish.inputs
        .insert("backup_name".into(), "before-update".into());
    let prepared = c.prepare(&wish).await.unwrap();
    assert!(sent(&server).is_empty(), "preparing changes nothing");
    assert!(
        prepared.effect.contains("never deletes"),
        "{}",
        prepared.effect
    );
    let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert_eq!(follow.task_ids, ["log-n"], "the run's own tasks");
    let sent = sent(&server);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].json(),
        json!({"checkpoint": {"vault_id": "v1", "parameters": {"auto_trigger": false, "incremental": false,
            "name": "before-update", "resources": ["srv-1"]}}})
    );
    let shown: Value = serde_json::from_str(&prepared.requests[0].body).unwrap();
    assert_eq!(sent[0].json(), shown);
}

#[tokio::test]
async fn an_accepted_backup_that_started_nothing_is_a_refusal() {
    let server = Scripted::start(|seen, _| {
        if seen.method == "POST" {
            let skipped = json!([{"id": "srv-1", "name": "ecs-x", "code": "BackupService.6125", "reason": "busy"}]);
            return checkpoint(&json!([resource("srv-1")]), &skipped);
        }
        world(seen, &json!([]))
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "back-up", "srv-1")).await.unwrap();
    let SendOutcome::Refused { code, answer } = c.send(&prepared, &|_| {}).await else {
        panic!("refused")
    };
    assert_eq!(
        (code.code.as_str(), answer.http_status),
        ("BackupService.6125", 200)
    );
}

#[tokio::test]
async fn a_partly_skipped_run_is_accepted_and_the_rest_is_told() {
    let server = Scripted::start(|seen, _| {
        if seen.method == "POST" {
            let skipped = json!([{"id": "srv-2", "name": "ecs-y", "code": "BackupService.6125", "reason": "busy"}]);
            let mut taken = resource("srv-1");
            taken["resource_size"] = json!("100");
            return checkpoint(&json!([taken]), &skipped);
        }
        world(seen, &json!([]))
    })
    .await;
    let c = connect(&server);
    let mut wish = intent(&c, "run", "v1");
    wish.target.raw = vault("v1", "available", &json!([])).to_string();
    let prepared = c.prepare(&wish).await.unwrap();
    let told = std::sync::Mutex::new(Vec::new());
    let outcome = c
        .send(&prepared, &|words| told.lock().unwrap().push(words))
        .await;
    let SendOutcome::Accepted { follow, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(follow.policy_id, "v1");
    assert!(told.lock().unwrap()[0].contains("ecs-y (BackupService.6125 busy)"));
}

/// A policy on two vaults; the second one's backup ends as `say` tells.
async fn two_vaults(say: fn() -> Say) -> Scripted {
    Scripted::start(move |seen, _| {
        let id = seen.path().rsplit('/').next().unwrap();
        match (seen.method.as_str(), id) {
            ("GET", "pol-1") => {
                let on = json!([{"vault_id": "v1"}, {"vault_id": "v2"}]);
                Say::json(200, json!({"policy": policy("pol-1", &on)}).to_string())
            }
            ("GET", "v1" | "v2") => Say::json(
                200,
                json!({"vault": vault(id, "available", &json!([resource(id)]))}).to_string(),
            ),
            ("POST", _) if seen.json()["checkpoint"]["vault_id"] == "v2" => say(),
            _ => world(seen, &json!([])),
        }
    })
    .await
}

#[tokio::test]
async fn a_policy_runs_as_its_vaults_and_half_a_run_is_no_refusal() {
    let good = two_vaults(|| checkpoint(&json!([resource("x")]), &json!([]))).await;
    let c = connect(&good);
    let prepared = c.prepare(&intent(&c, "run", "pol-1")).await.unwrap();
    assert_eq!(prepared.requests.len(), 2);
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    assert_eq!(sent(&good).len(), 2);

    let busy = two_vaults(|| {
        Say::json(
            400,
            r#"{"error_code":"BackupService.1001","error_msg":"busy"}"#,
        )
    })
    .await;
    let c = connect(&busy);
    let prepared = c.prepare(&intent(&c, "run", "pol-1")).await.unwrap();
    let SendOutcome::Unknown { fault, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("neither accepted nor refused")
    };
    assert!(
        fault.what.contains("requested for vault-v1; for vault-v2") && fault.what.contains("1001"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_lost_answer_is_looked_into_and_never_sent_twice() {
    let server = Scripted::start(|seen, _| {
        if seen.method == "POST" {
            return Say::Drop;
        }
        let mut young = log("young", "backup", "running");
        young["started_at"] = json!(Timestamp::now().plus(1_000).rfc3339());
        world(seen, &json!([log("old", "backup", "success"), young]))
    })
    .await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "back-up", "srv-1")).await.unwrap();
    let at = Timestamp::now();
    let outcome = c.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    let Found::Done { task_ids, .. } = c.find(&prepared, at).await.unwrap() else {
        panic!("found")
    };
    assert_eq!(task_ids, ["young"], "an older task is not taken for it");
    assert_eq!(sent(&server).len(), 1);
}

#[tokio::test]
async fn a_lost_restore_is_judged_by_its_task_and_not_by_the_backup() {
    let server = Scripted::start(|seen, _| {
        if seen.method == "POST" {
            return Say::Reply(504, vec![], vec![]);
        }
        world(seen, &json!([]))
    })
    .await;
    let c = connect(&server);
    let mut wish = intent(&c, "restore", "l1");
    wish.target.raw = log("l1", "backup", "success").to_string();
    wish.inputs.insert("power_on".into(), "no".into());
    let prepared = c.prepare(&wish).await.unwrap();
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Unknown { .. }
    ));
    let found = c.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(
        matches!(found, Found::Nothing { .. }),
        "the backup is available either way: {found:?}"
    );
    let last = server.seen().pop().unwrap();
    assert_eq!(last.query("operation_type").as_deref(), Some("restore"));
    assert_eq!(last.query("resource_id").as_deref(), Some("srv-1"));
}

#[tokio::test]
async fn a_restore_maps_every_disk_and_says_whether_the_server_starts() {
    let server = plain().await;
    let c = connect(&server);
    let mut wish = intent(&c, "restore", "l1");
    wish.target.raw = log("l1", "backup", "success").to_string();
    assert_eq!(
        c.prepare(&wish).await.unwrap_err().place,
        "power_on",
        "never guessed"
    );
    wish.inputs.insert("power_on".into(), "no".into());
    let prepared = c.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert_eq!(follow.task_ids, ["log-r"]);
    assert_eq!(
        sent(&server)[0].json(),
        json!({"restore": {"server_id": "srv-1", "power_on": false, "mappings": [
            {"backup_id": "c1", "volume_id": "vol-1"}, {"backup_id": "c2", "volume_id": "vol-2"}]}})
    );
    wish.inputs.insert("volumes".into(), "c1=vol-9".into());
    assert!(
        c.prepare(&wish).await.unwrap_err().what.contains("c2"),
        "all disks or none"
    );
}

#[tokio::test]
async fn an_accepted_restore_without_a_body_is_followed_by_its_server() {
    let server = Scripted::start(|seen, _| match seen.method.as_str() {
        "POST" => Say::Reply(202, vec![], vec![]),
        _ => world(seen, &json!([])),
    })
    .await;
    let c = connect(&server);
    let mut wish = intent(&c, "restore", "l1");
    wish.target.raw = log("l1", "backup", "success").to_string();
    wish.inputs.insert("power_on".into(), "yes".into());
    let prepared = c.prepare(&wish).await.unwrap();
    let SendOutcome::Accepted { follow, .. } = c.send(&prepared, &|_| {}).await else {
        panic!("accepted")
    };
    assert_eq!(
        (follow.device_id.as_str(), follow.operations),
        ("srv-1", vec!["restore".to_owned()])
    );
}

#[tokio::test]
async fn a_switch_always_says_enabled() {
    let server = plain().await;
    let c = connect(&server);
    let prepared = c.prepare(&intent(&c, "disable", "pol-1")).await.unwrap();
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    assert_eq!(
        sent(&server)[0].json(),
        json!({"policy": {"enabled": false}})
    );
    let found = c.find(&prepared, Timestamp::now()).await.unwrap();
    assert!(
        matches!(found, Found::Nothing { .. }),
        "it is still on: {found:?}"
    );
    let disable = c.action("disable").unwrap();
    let mut target = prepared.intent.target;
    target.raw = vault("v1", "available", &json!([])).to_string();
    assert!(
        c.available(disable, &target)
            .unwrap_err()
            .contains("no schedule")
    );
}

#[tokio::test]
async fn a_good_backup_is_not_deleted_as_a_failed_one_and_a_gone_one_is_done() {
    let server = plain().await;
    let c = connect(&server);
    let mut wish = intent(&c, "delete-failed", "l1");
    wish.target.raw = log("l1", "backup", "failed").to_string();
    assert!(
        c.prepare(&wish)
            .await
            .unwrap_err()
            .what
            .contains("available now")
    );
    wish.action = "delete-backup";
    let mut prepared = c.prepare(&wish).await.unwrap();
    assert_eq!(prepared.danger, Danger::TypeName);
    assert!(matches!(
        c.send(&prepared, &|_| {}).await,
        SendOutcome::Accepted { .. }
    ));
    assert_eq!(sent(&server)[0].target, "/v3/p1/backups/b1");
    prepared.plan["backup"] = json!("b-gone");
    assert!(matches!(
        c.find(&prepared, Timestamp::now()).await.unwrap(),
        Found::Done { .. }
    ));
}
