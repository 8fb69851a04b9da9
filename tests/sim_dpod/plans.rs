//! The six calls on plans, and that there are no others.

use keepwatch::sim::SimOptions;
use serde_json::{Value, json};

use crate::{Dpod, furnished};

const FAMILIES: [(&str, &str, &str); 3] = [
    (
        "backupplan",
        "Backup plan added to execution queue",
        "Backup Plan with API Ref",
    ),
    (
        "syncplan",
        "Sync plan added to execution queue",
        "Sync Plan with API Ref",
    ),
    (
        "firmwareupgradeplan",
        "Firmware upgrade plan added to execution queue",
        "Firmware upgrade plan with API Ref",
    ),
];

#[tokio::test]
async fn lists_have_four_members_a_plan_and_no_envelope() {
    let dpod = Dpod::start(furnished()).await;
    for (family, ..) in FAMILIES {
        let plans = dpod.plans(family).await;
        assert!(plans.len() >= 2, "{family}");
        for plan in &plans {
            let keys: Vec<&String> = plan.as_object().expect("an object").keys().collect();
            assert_eq!(keys.len(), 4, "{keys:?}");
            assert!(plan["name"].is_string() && plan["description"].is_string());
            let uri = plan["URI"].as_str().expect("a path");
            assert!(uri.starts_with(&format!("/op/api/v1/{family}/")), "{uri}");
            let millis = plan["lastUpdateTime"].as_i64().expect("a number");
            assert!(
                (1_500_000_000_000..1_800_000_000_000).contains(&millis),
                "{millis}"
            );
        }
        let bare = format!("/op/api/v1/{family}");
        assert_eq!(dpod.call("GET", &bare).await.0, 200);
        dpod.switch("bare_list", "404");
        assert_eq!(dpod.call("GET", &bare).await.0, 404);
        dpod.switch("bare_list", "served");
    }
    let listed = dpod.plans("backupplan").await.len();
    dpod.switch("disabled_listed", "off");
    assert_eq!(dpod.plans("backupplan").await.len(), listed - 1);
    dpod.switch("same_uri", "on");
    let plans = dpod.plans("backupplan").await;
    assert_eq!(plans[0]["URI"], plans[1]["URI"]);
    dpod.switch("extra_fields", "on");
    assert!(dpod.plans("syncplan").await[0]["owner"].is_object());
}

#[tokio::test]
async fn execute_answers_letter_for_letter() {
    let dpod = Dpod::start(furnished()).await;
    for (family, queued, not_found) in FAMILIES {
        let uri = dpod.plans(family).await[0]["URI"].clone();
        let path = format!("{}/execute", uri.as_str().expect("a path"));
        let expected =
            json!({"resultCode": "SUCCESS", "resultErrorCode": "SUCCESS", "resultMessage": queued});
        assert_eq!(dpod.call("POST", &path).await, (200, expected));
        let expected = json!({
            "resultCode": "ERROR", "resultErrorCode": "PLAN_NOT_FOUND",
            "resultMessage": format!("{not_found} no such ref was not found"),
        });
        let path = format!("/op/api/v1/{family}/no%20such%20ref/execute");
        assert_eq!(dpod.call("POST", &path).await, (200, expected.clone()));
        dpod.switch("not_found_status", "404");
        assert_eq!(dpod.call("POST", &path).await, (404, expected));
        dpod.switch("not_found_status", "200");
    }
    // A plan of one family is unknown to the others.
    let uri = dpod.plans("syncplan").await[0]["URI"].clone();
    let path = uri
        .as_str()
        .expect("a path")
        .replace("syncplan", "backupplan");
    let (_, body) = dpod.call("POST", &format!("{path}/execute")).await;
    assert_eq!(body["resultErrorCode"], "PLAN_NOT_FOUND");
}

#[tokio::test]
async fn success_means_queued_and_a_disabled_plan_never_runs() {
    let dpod = Dpod::start(furnished()).await;
    dpod.execute("quarterly-archive").await;
    assert!(dpod.executions().is_empty());
    dpod.execute("lab-domains-nightly").await;
    assert_eq!(dpod.last()["status"], "WAITING_FOR_PRE_VALIDATION");
    dpod.execute("lab-domains-nightly").await;
    assert_eq!(dpod.executions().len(), 2, "a second run is a second run");
    dpod.switch("queue_doubles", "off");
    dpod.execute("lab-domains-nightly").await;
    assert_eq!(dpod.executions().len(), 2);
    assert_eq!(dpod.until_over()["status"], "SUCCESS");
}

#[tokio::test]
async fn nothing_else_is_there() {
    let dpod = Dpod::start(furnished()).await;
    let uri = dpod.plans("backupplan").await[0]["URI"].clone();
    let uri = uri.as_str().expect("a path");
    for path in [
        uri,
        &format!("{uri}/executions"),
        &format!("{uri}/cancel"),
        "/op/api/v1/tasks/",
        "/op/api/v1/backupplan/tasks/1",
        "/op/api/v1/devices",
        "/op/api/v2/backupplan/",
        "/op/api/v1/",
        "/op/",
        "/",
    ] {
        for method in ["GET", "DELETE", "PUT", "POST"] {
            assert_eq!(dpod.call(method, path).await.0, 404, "{method} {path}");
        }
    }
    assert_eq!(dpod.call("POST", "/op/api/v1/backupplan/").await.0, 404);
    assert_eq!(dpod.call("GET", &format!("{uri}/execute")).await.0, 404);
}

#[tokio::test]
async fn references_may_hold_anything_and_names_may_come_twice() {
    let mut options: SimOptions = furnished();
    for name in ["dpod.odd_references", "dpod.duplicate_names"] {
        options.switches.push((name.into(), "on".into()));
    }
    let dpod = Dpod::start(options).await;
    let plans = dpod.plans("backupplan").await;
    let named =
        |name: &str| -> Vec<&Value> { plans.iter().filter(|plan| plan["name"] == name).collect() };
    assert_eq!(named("payments-everywhere").len(), 2);
    assert_eq!(
        named("with-slash")[0]["URI"],
        "/op/api/v1/backupplan/lab/nightly"
    );
    for reference in [
        "nightly%20of%20the%20lab",
        "lab%2Fnightly",
        "100%2525%20%3F%23%C3%BC",
    ] {
        let path = format!("/op/api/v1/backupplan/{reference}/execute");
        assert_eq!(
            dpod.call("POST", &path).await.1["resultCode"],
            "SUCCESS",
            "{reference}"
        );
    }
    assert_eq!(dpod.executions().len(), 3);
    dpod.switch("uri", "encoded");
    let plans = dpod.plans("backupplan").await;
    let slash = plans
        .iter()
        .find(|plan| plan["name"] == "with-slash")
        .expect("there");
    assert_eq!(slash["URI"], "/op/api/v1/backupplan/lab%2Fnightly");
}

#[tokio::test]
async fn schedules_fire_on_the_virtual_clock() {
    let dpod = Dpod::start(furnished()).await;
    dpod.advance(86_400);
    let runs = dpod.counted("dpod.plan.queued");
    // Each enabled plan with a schedule once; syncs count too.
    assert!((8..=12).contains(&runs), "{runs}");
    dpod.advance(86_400);
    assert_eq!(dpod.counted("dpod.plan.queued"), runs * 2);
    assert!(dpod.executions().len() <= 40);
}
