//! Backups: shape, life, failures with their reasons; restores.

use serde_json::{Value, json};

use crate::{Atlassian, furnished, text};

#[tokio::test]
async fn a_backup_has_the_published_members() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policies().await.remove(0);
    let list = sim
        .get(&format!(
            "/policies/{}/backups?pageSize=1",
            text(&policy, "policyId")
        ))
        .await;
    assert!(list["totalItems"].as_u64().is_some_and(|n| n > 1));
    let backup = list["backups"][0].clone();
    for key in [
        "backupId",
        "name",
        "cloudId",
        "product",
        "status",
        "statusMessage",
        "accountId",
        "expiryTime",
        "createdAt",
        "lastUpdatedAt",
        "storageId",
    ] {
        assert!(backup[key].is_string(), "{key}");
    }
    assert_eq!(backup["cloudId"], policy["cloudInfo"]["cloudId"]);
    assert!(
        backup["selections"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("USERS")))
    );
    for key in [
        "usersSize",
        "dataSize",
        "attachmentsSize",
        "totalBackupSizeInGB",
    ] {
        assert!(backup["backupSize"][key].is_number(), "{key}");
    }
    let path = format!("/backups/{}", text(&backup, "backupId"));
    assert_eq!(sim.get(&path).await, backup);
    sim.switch("backup_path", "nested");
    assert_eq!(sim.call("GET", &path, Value::Null).await.status, 404);
    let nested = format!("/policies/{}{path}", text(&policy, "policyId"));
    assert_eq!(sim.get(&nested).await, backup);
    sim.switch("status_words", "title");
    assert_eq!(sim.get(&nested).await["status"], "Completed");
    sim.control(
        "POST",
        &format!("atlassian{path}"),
        json!({"status": "PAUSED"}),
    );
    assert_eq!(sim.get(&nested).await["status"], "PAUSED");
}

#[tokio::test]
async fn a_backup_expires_after_thirty_days() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policies().await.remove(0);
    sim.to_slot(&policy).await;
    let backup = sim.until_over(&policy).await;
    let path = format!("/backups/{}", text(&backup, "backupId"));
    sim.advance(29 * 86_400);
    assert_eq!(sim.get(&path).await["status"], "COMPLETED");
    sim.advance(86_400);
    assert_eq!(sim.get(&path).await["status"], "EXPIRED");
}

#[tokio::test]
async fn a_product_that_is_gone_fails_three_times_half_an_hour_apart() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policy("ridgeway-jira").await;
    sim.product("ridgeway", "JIRA", json!({"present": false}));
    let before = sim.backups(&policy).await.len();
    sim.to_slot(&policy).await;
    let failed = sim.until_over(&policy).await;
    assert_eq!(failed["status"], "FAILED");
    let cloud = text(&policy["cloudInfo"], "cloudId");
    let message = format!("JIRA is not present in cloud site {cloud}");
    assert_eq!(failed["statusMessage"], message);
    assert!(failed.get("backupSize").is_none());
    sim.switch("status_message", "code");
    let path = format!("/backups/{}", text(&failed, "backupId"));
    assert_eq!(
        sim.get(&path).await["statusMessage"],
        format!("103: {message}")
    );
    sim.advance(2 * 3600);
    assert_eq!(sim.backups(&policy).await.len(), before + 3);
    assert_eq!(sim.counted("atlassian.backup.failed"), 3);
    // It goes away with its reason.
    sim.product("ridgeway", "JIRA", json!({"present": true}));
    sim.to_slot(&policy).await;
    assert_eq!(sim.until_over(&policy).await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_failed_backup_is_repeated_and_may_succeed() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policy("ridgeway-jira").await;
    sim.product("ridgeway", "JIRA", json!({"present": false}));
    sim.to_slot(&policy).await;
    assert_eq!(sim.until_over(&policy).await["status"], "FAILED");
    sim.product("ridgeway", "JIRA", json!({"present": true}));
    sim.advance(31 * 60);
    assert_eq!(sim.until_over(&policy).await["status"], "COMPLETED");
    assert_eq!(sim.counted("atlassian.backup.completed"), 1);
}

#[tokio::test]
async fn roles_storages_and_rights_fail_in_their_own_words() {
    let sim = Atlassian::start(furnished()).await;
    // This site's backups go into the customer's own bucket.
    let policy = sim.policy("ridgeway-support-jira").await;
    sim.control(
        "POST",
        "atlassian/storages/ridgeway-backups-legal",
        json!({"role_fits": false}),
    );
    sim.to_slot(&policy).await;
    let backup = sim.until_over(&policy).await;
    assert_eq!(
        (text(&backup, "status"), text(&backup, "statusMessage")),
        (
            "FAILED",
            "Incorrect principalTag = ridgeway-backups or roleIdentifier = arn:aws:iam::111122223333:role/atlassian-backup"
        )
    );
    sim.control(
        "POST",
        "atlassian/storages/ridgeway-backups-legal",
        json!({"gone": true}),
    );
    sim.advance(31 * 60);
    let backup = sim.until_over(&policy).await;
    let storage = text(&backup, "storageId");
    assert_eq!(
        text(&backup, "statusMessage"),
        format!("Storage Details not found for storageId = {storage}")
    );
    let lost = sim.policy("ridgeway-jira").await;
    let id = text(&lost, "policyId");
    sim.control(
        "POST",
        &format!("atlassian/policies/{id}"),
        json!({"rights": false}),
    );
    sim.to_slot(&lost).await;
    assert_eq!(sim.until_over(&lost).await["status"], "INCOMPLETE");
    // Whoever updates the policy lends it their rights.
    assert_eq!(
        sim.call("PUT", &format!("/policies/{id}"), json!({}))
            .await
            .status,
        200
    );
    sim.to_slot(&lost).await;
    assert_eq!(sim.until_over(&lost).await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_restore_is_checked_and_runs_or_is_revalidated() {
    let sim = Atlassian::start(furnished()).await;
    sim.product("ridgeway", "JIRA", json!({"gb": 5}));
    let policy = sim.policy("ridgeway-jira").await;
    sim.to_slot(&policy).await;
    let backup = sim.until_over(&policy).await;
    let world = sim.world();
    let sites = world["sites"].as_array().expect("sites");
    let sandbox = sites.last().expect("one");
    let body = |cloud: &Value| json!({"backupId": backup["backupId"], "cloudId": cloud, "product": "JIRA"});
    let told = sim
        .call("POST", "/restores", body(&sandbox["cloudId"]))
        .await;
    assert_eq!(
        (told.status, &told.body["status"]),
        (202, &json!("CREATED"))
    );
    let path = format!("/restores/{}", text(&told.body, "restoreId"));
    sim.advance(20);
    assert_eq!(sim.get(&path).await["status"], "IN_PROGRESS");
    sim.advance(3600);
    assert_eq!(sim.get(&path).await["status"], "COMPLETED");
    sim.switch("restore_done", "SUCCESS");
    assert_eq!(sim.get(&path).await["status"], "SUCCESS");
    // The sandbox is not empty any more: a second one fails its checks until somebody empties it.
    let told = sim
        .call("POST", "/restores", body(&sandbox["cloudId"]))
        .await;
    let path = format!("/restores/{}", text(&told.body, "restoreId"));
    sim.advance(20);
    let failed = sim.get(&path).await;
    assert_eq!(failed["status"], "FAILED");
    assert!(!text(&failed, "statusMessage").is_empty());
    sim.product("ridgeway-sandbox", "JIRA", json!({"empty": true}));
    let told = sim
        .call("POST", &format!("{path}/revalidate"), Value::Null)
        .await;
    assert_eq!(told.status, 202);
    sim.advance(3600);
    assert_eq!(sim.get(&path).await["status"], "SUCCESS");
    assert_eq!(sim.get("/restores").await["totalItems"], 2);
    assert_eq!(
        sim.get("/restores?pageSize=1").await["restores"][0]["restoreId"],
        failed["restoreId"]
    );
}
