//! Policies: shapes, paging, schedules, activation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Atlassian, NOBODY, furnished, text};

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn get_policy_has_the_published_members_and_flags() {
    let sim = Atlassian::start(furnished()).await;
    let policies = sim.policies().await;
    assert!(policies.len() >= 10);
    let mut encrypted = 0;
    for policy in &policies {
        let path = format!("/policies/{}", text(policy, "policyId"));
        let bare = sim.get(&path).await;
        assert_eq!(&bare, policy, "the list's row is the policy");
        let whole = sim
            .get(&format!("{path}?backupDetails=true&storageDetails=true"))
            .await;
        assert_eq!(
            keys(&whole),
            BTreeSet::from([
                "policyId",
                "policyName",
                "cloudInfo",
                "productType",
                "status",
                "includeAttachments",
                "includePersonalSpaces",
                "includeUsersAndGroups",
                "details",
                "createdAt",
                "createdBy",
            ])
        );
        assert!(
            bare["details"].get("backupDetails").is_none()
                && bare["details"].get("storageId").is_none()
        );
        assert!(whole["details"]["storageId"].is_string());
        let details = &whole["details"]["backupDetails"];
        assert!(details["totalAvailableBackups"].is_u64());
        let schedule = &whole["details"]["scheduleDetails"];
        if !schedule.is_null() {
            assert_eq!(
                keys(schedule),
                BTreeSet::from(["interval", "startDate", "scheduleSlot"])
            );
        }
        let cloud = &whole["cloudInfo"];
        encrypted += usize::from(cloud["encryptionType"] == "CMK");
        for key in ["cloudId", "cloudUrl", "cloudName"] {
            assert!(cloud[key].is_string());
        }
        assert!(["JIRA", "CONFLUENCE"].contains(&text(&whole, "productType")));
        assert!(["ACTIVE", "INACTIVE"].contains(&text(&whole, "status")));
    }
    assert!((1..policies.len()).contains(&encrypted));
    let path = format!("/policies/{}", text(&policies[0], "policyId"));
    assert_eq!(
        sim.call("GET", &format!("{path}?backupDetails=yes"), Value::Null)
            .await
            .status,
        400
    );
    assert_eq!(
        sim.call("GET", &format!("/policies/{NOBODY}"), Value::Null)
            .await
            .status,
        404
    );
    sim.switch("list_details", "on");
    assert!(sim.policies().await[0]["details"]["storageId"].is_string());
}

#[tokio::test]
async fn start_is_a_page_number_and_newest_come_first() {
    let sim = Atlassian::start(furnished()).await;
    let all = sim.policies().await;
    let ids = |list: &Value| -> Vec<String> {
        let rows = list["policies"].as_array().expect("a list");
        rows.iter()
            .map(|row| text(row, "policyId").to_owned())
            .collect()
    };
    let mut newest: Vec<String> = all
        .iter()
        .map(|row| text(row, "policyId").to_owned())
        .collect();
    newest.reverse();
    let page = sim.get("/policies?start=1&pageSize=4").await;
    assert_eq!(ids(&page), newest[4..8]);
    assert_eq!(page["totalItems"], all.len());
    let page = sim
        .get("/policies?start=0&pageSize=3&sortOrder=ASC&sortBy=createdAt")
        .await;
    assert_eq!(ids(&page)[0], newest[newest.len() - 1]);
    assert_eq!(
        ids(&sim.get("/policies?start=99").await),
        Vec::<String>::new()
    );
    sim.switch("first_page", "1");
    for start in [0, 1] {
        assert_eq!(
            ids(&sim
                .get(&format!("/policies?start={start}&pageSize=4"))
                .await),
            newest[..4]
        );
    }
    assert_eq!(
        ids(&sim.get("/policies?start=2&pageSize=4").await),
        newest[4..8]
    );
    sim.switch("page_size", "2");
    sim.switch("page_most", "3");
    assert_eq!(ids(&sim.get("/policies").await).len(), 2);
    assert_eq!(ids(&sim.get("/policies?pageSize=50").await).len(), 3);
    for query in [
        "start=-1",
        "start=x",
        "pageSize=0",
        "pageSize=-2",
        "sortOrder=up",
    ] {
        let told = sim
            .call("GET", &format!("/policies?{query}"), Value::Null)
            .await;
        assert_eq!(told.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_policy_is_made_activated_runs_once_and_is_inactive_again() {
    let sim = Atlassian::start(furnished()).await;
    let world = sim.world();
    let sandbox = world["sites"]
        .as_array()
        .expect("sites")
        .last()
        .expect("one")
        .clone();
    let cloud = text(&sandbox, "cloudId");
    let body = json!({
        "policyName": "sandbox", "cloudId": cloud, "productType": "JIRA", "includeAttachments": false,
        "scheduleDetails": {"interval": "ONCE", "startDate": "2026-03-05"},
    });
    let told = sim.call("POST", "/policies", body).await;
    assert_eq!(told.status, 201, "{}", told.text);
    let policy = told.body;
    assert_eq!(
        (text(&policy, "status"), text(&policy, "createdBy")),
        ("INACTIVE", sim.account.as_str())
    );
    assert_eq!(policy["includeAttachments"], false);
    let path = format!("/policies/{}", text(&policy, "policyId"));
    // Saved and not activated it never runs.
    sim.advance(100_000);
    assert!(sim.backups(&policy).await.is_empty());
    let told = sim
        .call("PUT", &format!("{path}/activate"), Value::Null)
        .await;
    assert_eq!(
        (told.status, &told.body),
        (200, &json!({"backups": [], "totalItems": 0}))
    );
    assert_eq!(sim.get(&path).await["status"], "ACTIVE");
    sim.to_slot(&policy).await;
    assert_eq!(sim.backups(&policy).await[0]["status"], "CREATED");
    let backup = sim.until_over(&policy).await;
    assert_eq!(backup["status"], "COMPLETED");
    let after = sim.get(&format!("{path}?backupDetails=true")).await;
    assert_eq!(after["status"], "INACTIVE");
    assert_eq!(
        after["details"]["backupDetails"]["totalAvailableBackups"],
        1
    );
    assert_eq!(
        after["details"]["backupDetails"]["lastBackupTime"],
        backup["createdAt"]
    );
    // Activated again it gets another slot.
    let told = sim
        .call("PUT", &format!("{path}/activate"), Value::Null)
        .await;
    assert_eq!(told.body["totalItems"], 1);
    sim.to_slot(&policy).await;
    assert_eq!(sim.backups(&policy).await.len(), 2);
    sim.switch("activate_active", "409");
    assert_eq!(
        sim.call("PUT", &format!("{path}/activate"), Value::Null)
            .await
            .status,
        409
    );
}

#[tokio::test]
async fn schedules_fire_on_the_virtual_clock_until_they_are_removed() {
    let sim = Atlassian::start(furnished()).await;
    let policy = sim.policies().await.remove(0);
    assert_eq!(policy["details"]["scheduleDetails"]["interval"], "DAILY");
    let path = format!("/policies/{}", text(&policy, "policyId"));
    let before = sim.backups(&policy).await.len();
    sim.advance(3 * 86_400);
    assert_eq!(sim.backups(&policy).await.len(), before + 3);
    let told = sim
        .call("PUT", &path, json!({"scheduleDetails": null}))
        .await;
    assert_eq!(
        (told.status, &told.body["status"]),
        (200, &json!("INACTIVE"))
    );
    assert!(told.body["details"].get("scheduleDetails").is_none());
    sim.advance(3 * 86_400);
    assert_eq!(sim.backups(&policy).await.len(), before + 3);
    // Without a schedule there is nothing to activate.
    let activate = format!("{path}/activate");
    assert_eq!(sim.call("PUT", &activate, Value::Null).await.status, 422);
    let weekly = json!({"policyName": "renamed", "scheduleDetails": {"interval": "WEEKLY", "startDate": "2026-03-20"}});
    let told = sim.call("PUT", &path, weekly).await;
    assert_eq!(
        told.body["details"]["scheduleDetails"]["startDate"],
        "2026-03-20"
    );
    assert_eq!(told.body["policyName"], "renamed");
    assert_eq!(sim.call("PUT", &activate, Value::Null).await.status, 200);
    sim.advance(20 * 86_400);
    let runs = sim.backups(&policy).await;
    assert!(
        (before + 4..=before + 6).contains(&runs.len()),
        "{}",
        runs.len()
    );
    for body in [
        json!({"policyName": 7}),
        json!({"scheduleDetails": {"interval": "HOURLY"}}),
        json!({"scheduleDetails": {"interval": "DAILY", "startDate": "soon"}}),
        json!({"includeAttachments": "yes"}),
        json!([]),
    ] {
        assert_eq!(
            sim.call("PUT", &path, body.clone()).await.status,
            400,
            "{body}"
        );
    }
    sim.switch("activate_answer", "policy");
    assert_eq!(
        sim.call("PUT", &activate, Value::Null).await.body["policyName"],
        "renamed"
    );
}
