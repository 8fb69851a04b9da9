//! Each of the 53 codes of backup tasks has a way in the world that leads to it, and the ways are those of the
//! documented flow.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Dpod, bare};

const FRONT: [&str; 6] = [
    "WAITING_FOR_PRE_VALIDATION",
    "READY_FOR_EXECUTION",
    "SENT_TO_MDB",
    "EXECUTION_STARTED",
    "EXECUTION_PRE_CHECKS_STARTED",
    "EXECUTION_WAITING_FOR_PRE_SCRIPT",
];

fn trail(task: &Value) -> Vec<&str> {
    let codes = task["trail"].as_array().expect("codes");
    codes
        .iter()
        .map(|code| code.as_str().expect("text"))
        .collect()
}

/// A service with an export of one domain, quiesced, and a secure backup, quiesced, each of one gateway.
async fn two() -> Dpod {
    let dpod = Dpod::start(bare()).await;
    dpod.add("export", "exportDomain", "dpgw-fra-01", "default", true);
    dpod.add("secure", "secureBackup", "dpgw-fra-01", "", true);
    dpod.device(
        "dpgw-fra-01",
        json!({"domain": "default", "unsaved": false}),
    );
    dpod
}

#[tokio::test]
async fn good_tasks_go_the_documented_way() {
    let dpod = two().await;
    let all = |middle: &[&'static str]| -> Vec<&'static str> { [&FRONT, middle].concat() };
    let quiesce = [
        "EXECUTION_QUIESCE_STARTED",
        "EXECUTION_QUIESCE_WAITING_FOR_QUIESCE",
    ];
    let unquiesce = [
        "EXECUTION_UNQUIESCE_STARTED",
        "EXECUTION_UNQUIESCE_WAITING_FOR_UNQUIESCE",
        "SUCCESS",
    ];
    let export = [
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_STARTED",
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_DONE",
    ];
    let unsaved = [
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_STARTED",
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_DONE",
    ];
    dpod.execute("export").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        all(&[quiesce.as_slice(), &export, &unquiesce].concat())
    );
    dpod.device("dpgw-fra-01", json!({"domain": "default", "unsaved": true}));
    dpod.execute("export").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        all(&[quiesce.as_slice(), &export, &unsaved, &unquiesce].concat())
    );
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        all(&[
            quiesce.as_slice(),
            &["EXECUTION_SECURE_BACKUP_STARTED"],
            &unquiesce
        ]
        .concat())
    );
    assert_eq!(dpod.task()["domain"], "ALL");
    dpod.add("plain", "exportDomain", "dpgw-fra-01", "default", false);
    dpod.plan("plain", json!({"task_scripts": false}));
    dpod.execute("plain").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        [&FRONT[..5], &export, &unsaved, &["SUCCESS"]].concat()
    );
}

#[tokio::test]
async fn what_can_not_run_is_skipped() {
    for (plan, device, site, code) in [
        (
            "export",
            json!({"up": false}),
            json!({}),
            "SKIPPED_DEVICE_NOT_AVAILABLE",
        ),
        (
            "export",
            json!({"domain": "default", "apic": true}),
            json!({}),
            "SKIPPED_APIC_DOMAIN",
        ),
        (
            "secure",
            json!({"dr_mode": false}),
            json!({}),
            "DEVICE_NOT_IN_DR_MODE",
        ),
        (
            "secure",
            json!({"temp_full": true}),
            json!({}),
            "NOT_ENOUGH_FREE_SPACE_ON_DEVICE",
        ),
        (
            "secure",
            json!({"cert": false}),
            json!({}),
            "CERT_DOESNT_EXIST_ON_DEVICE",
        ),
    ] {
        let dpod = two().await;
        dpod.device("dpgw-fra-01", device);
        dpod.site(site);
        dpod.execute(plan).await;
        dpod.until_over();
        assert_eq!(trail(&dpod.task()), ["WAITING_FOR_PRE_VALIDATION", code]);
    }
    let dpod = two().await;
    dpod.add("nowhere", "secureBackup", "dpgw-gone-*", "", false);
    dpod.execute("nowhere").await;
    let run = dpod.until_over();
    assert_eq!(
        run["tasks"][0]["status"],
        "SKIPPED_NO_DEVICES_MATCHING_PATTERN"
    );
    assert_eq!(run["tasks"][0]["device"], "dpgw-gone-*");
}

#[tokio::test]
async fn checks_fail_for_what_changed_since_the_validation() {
    for (plan, device, site, code) in [
        (
            "export",
            json!({"up": false}),
            json!({}),
            "EXECUTION_PRE_CHECKS_DEVICE_NOT_AVAILABLE",
        ),
        (
            "export",
            json!({}),
            json!({"mounted": false}),
            "EXECUTION_PRE_CHECKS_NFS_DIRECTORY_NOT_FOUND",
        ),
        (
            "export",
            json!({}),
            json!({"full": true}),
            "EXECUTION_PRE_CHECKS_NFS_OUT_OF_SPACE",
        ),
        (
            "export",
            json!({"domain": "default", "quiesced": true}),
            json!({}),
            "EXECUTION_PRE_CHECKS_DOMAIN_IS_ALREADY_QUIESCED",
        ),
        (
            "secure",
            json!({"domain": "default", "quiesced": true}),
            json!({}),
            "EXECUTION_PRE_CHECKS_FOUND_QUIESCED_DOMAIN_IN_DEVICE",
        ),
        (
            "secure",
            json!({"lost_backup": true}),
            json!({}),
            "EXECUTION_CHECK_MANIFEST_ANOTHER_SECURE_BACKUP_IS_RUNNING_CHECK_DEVICE",
        ),
    ] {
        let dpod = two().await;
        dpod.execute(plan).await;
        dpod.until("READY_FOR_EXECUTION");
        dpod.device("dpgw-fra-01", device);
        dpod.site(site);
        dpod.until_over();
        let task = dpod.task();
        assert_eq!(trail(&task), [&FRONT[..5], &[code]].concat());
        assert!(
            task["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{task}"
        );
    }
}

#[tokio::test]
async fn work_fails_for_a_reason_and_the_gateway_goes_back_into_service() {
    const BACK: [&str; 2] = [
        "EXECUTION_UNQUIESCE_ON_ERROR_STARTED",
        "EXECUTION_UNQUIESCE_ON_ERROR_WAITING_FOR_UNQUIESCE",
    ];
    let export = "EXECUTION_EXPORT_DOMAIN_PERSISTED";
    let unsaved = "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED";
    let secure = "EXECUTION_SECURE_BACKUP";
    for (plan, during, device, site, code) in [
        (
            "export",
            export,
            json!({"soma": false}),
            json!({}),
            "_SOMA_ERROR",
        ),
        (
            "export",
            export,
            json!({"damage": "empty"}),
            json!({}),
            "_EMPTY_FILE",
        ),
        (
            "export",
            export,
            json!({}),
            json!({"writable": false}),
            "_SAVEFILE_EXCEPTION",
        ),
        (
            "export",
            unsaved,
            json!({"soma": false}),
            json!({}),
            "_SOMA_ERROR",
        ),
        (
            "export",
            unsaved,
            json!({"damage": "empty"}),
            json!({}),
            "_EMPTY_FILE",
        ),
        (
            "export",
            unsaved,
            json!({}),
            json!({"writable": false}),
            "_SAVEFILE_EXCEPTION",
        ),
        (
            "secure",
            secure,
            json!({"soma": false}),
            json!({}),
            "_UNSUCCESSFUL",
        ),
        (
            "secure",
            secure,
            json!({"damage": "hash"}),
            json!({}),
            "_WRONG_FILE_HASH",
        ),
        (
            "secure",
            secure,
            json!({"damage": "size"}),
            json!({}),
            "_WRONG_FILE_SIZE",
        ),
        (
            "secure",
            secure,
            json!({"damage": "empty"}),
            json!({}),
            "_EMPTY_FILE",
        ),
    ] {
        let dpod = two().await;
        dpod.device("dpgw-fra-01", json!({"domain": "default", "unsaved": true}));
        dpod.execute(plan).await;
        dpod.until(&format!("{during}_STARTED"));
        dpod.device("dpgw-fra-01", device);
        dpod.site(site);
        dpod.until_over();
        let code = format!("{during}{code}");
        let task = dpod.task();
        let trail = trail(&task);
        let tail = &trail[trail.len() - 4..];
        assert_eq!(tail, [code.as_str(), BACK[0], BACK[1], code.as_str()]);
        let state = dpod.control("GET", "dpod", Value::Null);
        let domains = state["devices"][0]["domains"]
            .as_array()
            .expect("domains")
            .clone();
        assert!(
            domains.iter().all(|domain| domain["quiesced"] == false),
            "{domains:?}"
        );
    }
    // Which code is kept in the end is a switch.
    let dpod = two().await;
    dpod.switch("final_status", "last");
    dpod.device("dpgw-fra-01", json!({"soma": false}));
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(dpod.task()["status"], BACK[1]);
}

#[tokio::test]
async fn quiesce_and_unquiesce_time_out_after_their_timeout_and_three_minutes() {
    let dpod = two().await;
    dpod.device("dpgw-fra-01", json!({"quiesce_sticks": true}));
    dpod.execute("secure").await;
    dpod.until("EXECUTION_QUIESCE_WAITING_FOR_QUIESCE");
    dpod.advance(235);
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_QUIESCE_WAITING_FOR_QUIESCE"
    );
    dpod.until_over();
    assert_eq!(dpod.task()["status"], "EXECUTION_QUIESCE_TIMEOUT_OCCURRED");
    assert!(trail(&dpod.task()).contains(&"EXECUTION_UNQUIESCE_ON_ERROR_STARTED"));
    dpod.device(
        "dpgw-fra-01",
        json!({"quiesce_sticks": false, "unquiesce_sticks": true}),
    );
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED"
    );
    // The gateway is still out of service, and the next run finds it so.
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_PRE_CHECKS_FOUND_QUIESCED_DOMAIN_IN_DEVICE"
    );
    let state = dpod.control("GET", "dpod", Value::Null);
    for domain in state["devices"][0]["domains"].as_array().expect("domains") {
        dpod.device(
            "dpgw-fra-01",
            json!({"domain": domain["name"], "quiesced": false}),
        );
    }
    dpod.device("dpgw-fra-01", json!({"soma": false}));
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_UNQUIESCE_ON_ERROR_TIMEOUT_OCCURRED"
    );
    let dpod = two().await;
    dpod.switch("unquiesce_timeout", "success");
    dpod.device("dpgw-fra-01", json!({"unquiesce_sticks": true}));
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(dpod.task()["status"], "SUCCESS");
}

#[tokio::test]
async fn hanging_tasks_are_given_up_and_may_go_on() {
    let dpod = two().await;
    dpod.device("dpgw-fra-01", json!({"hangs": true}));
    dpod.execute("secure").await;
    dpod.until("EXECUTION_SECURE_BACKUP_STARTED");
    dpod.advance(3500);
    assert_eq!(dpod.task()["status"], "EXECUTION_SECURE_BACKUP_STARTED");
    dpod.advance(200);
    assert_eq!(dpod.task()["status"], "EXECUTION_FAILED_LONG_RUNNING");
    let state = dpod.control("GET", "dpod", Value::Null);
    assert_eq!(state["devices"][0]["lost_backup"], true);
    let dpod = two().await;
    dpod.execute("export").await;
    dpod.until("EXECUTION_EXPORT_DOMAIN_PERSISTED_STARTED");
    dpod.site(json!({"broken": true}));
    dpod.until_over();
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_FAILED_WITH_INTERNAL_EXCEPTION"
    );
    let dpod = two().await;
    dpod.execute("secure").await;
    dpod.until("EXECUTION_SECURE_BACKUP_STARTED");
    dpod.site(json!({"restart": true}));
    dpod.until_over();
    assert_eq!(dpod.task()["status"], "FAILED_NO_FILES_DOWNLOADED");
    // The secure backup that was lost track of is in the next one's way.
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        dpod.task()["status"],
        "EXECUTION_CHECK_MANIFEST_ANOTHER_SECURE_BACKUP_IS_RUNNING_CHECK_DEVICE"
    );
}

#[tokio::test]
async fn one_task_a_gateway_and_two_at_a_time() {
    let dpod = Dpod::start(bare()).await;
    dpod.add("both", "exportDomain", "dpgw-fra-01", "*", false);
    dpod.execute("both").await;
    let run = dpod.until_over();
    let tasks = run["tasks"].as_array().expect("tasks");
    assert!(tasks.len() >= 3);
    let waited = |task: &&Value| {
        trail(task).contains(&"EXECUTION_CHECK_MANIFEST_WAITING_FOR_ANOTHER_BACKUP")
    };
    assert!(tasks.iter().filter(waited).count() >= 1);
    assert!(tasks.iter().all(|task| task["status"] == "SUCCESS"));
    dpod.add("many", "secureBackup", "dpgw-fra-*,dpgw-nyc-*", "", false);
    dpod.execute("many").await;
    let mut most = 0;
    while dpod.last()["over"] == false {
        dpod.advance(2);
        let running = dpod.control("GET", "dpod", Value::Null)["running"].clone();
        most = most.max(running.as_u64().expect("a number"));
    }
    assert_eq!(most, 2);
}

#[tokio::test]
async fn halt_cancels_what_waits_and_ignore_does_not() {
    for halt in [true, false] {
        let dpod = Dpod::start(bare()).await;
        dpod.switch("parallel", "1");
        dpod.add_all(
            "three",
            halt,
            json!([{"action": "secureBackup", "devices": "dpgw-fra-*"}]),
        );
        dpod.device("dpgw-fra-01", json!({"soma": false}));
        dpod.execute("three").await;
        let run = dpod.until_over();
        let statuses: Vec<&str> = (0..3)
            .map(|at| run["tasks"][at]["status"].as_str().expect("text"))
            .collect();
        let rest = if halt {
            "EXECUTION_CANCELED_BECAUSE_ERROR_POLICY"
        } else {
            "SUCCESS"
        };
        assert_eq!(
            statuses,
            ["EXECUTION_SECURE_BACKUP_UNSUCCESSFUL", rest, rest]
        );
        // A failed validation does the same to what was not validated yet.
        dpod.device("dpgw-fra-01", json!({"up": false, "soma": true}));
        dpod.execute("three").await;
        let run = dpod.until_over();
        let rest = if halt {
            "SKIPPED_BECAUSE_ERROR_POLICY"
        } else {
            "SUCCESS"
        };
        assert_eq!(run["tasks"][1]["status"], rest);
    }
    // An activity may be stricter than its plan.
    let dpod = Dpod::start(bare()).await;
    dpod.add_all(
        "strict",
        false,
        json!([
            {"action": "secureBackup", "devices": "dpgw-gone", "halt": true},
            {"action": "secureBackup", "devices": "dpgw-fra-01"},
        ]),
    );
    dpod.execute("strict").await;
    assert_eq!(
        dpod.until_over()["tasks"][1]["status"],
        "SKIPPED_BECAUSE_ERROR_POLICY"
    );
}

#[tokio::test]
async fn windows_days_and_scripts_keep_tasks_from_running() {
    // The clock starts at midnight.
    let dpod = two().await;
    dpod.plan("export", json!({"window": ["08:00", "09:00"]}));
    dpod.execute("export").await;
    let run = dpod.until_over();
    assert_eq!(
        (&run["status"], &run["tasks"]),
        (
            &json!("PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW"),
            &json!([])
        )
    );
    let dpod = Dpod::start(bare()).await;
    dpod.switch("parallel", "1");
    dpod.add("long", "secureBackup", "dpgw-fra-*,dpgw-nyc-*", "", true);
    dpod.plan("long", json!({"window": ["23:00", "00:02"]}));
    dpod.execute("long").await;
    let run = dpod.until_over();
    assert_eq!(
        run["tasks"][0]["status"], "SUCCESS",
        "what runs is never interrupted"
    );
    assert_eq!(
        run["tasks"][5]["status"],
        "EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW"
    );
    // Nothing works the queue off for a day.
    let dpod = two().await;
    dpod.execute("export").await;
    dpod.until("READY_FOR_EXECUTION");
    dpod.site(json!({"alive": false}));
    dpod.execute("secure").await;
    dpod.advance(86_500);
    let runs = dpod.executions();
    assert_eq!(
        runs[0]["tasks"][0]["status"],
        "EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED"
    );
    assert_eq!(
        runs[1]["status"],
        "PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED"
    );
    // Scripts that fail.
    let dpod = two().await;
    dpod.plan("export", json!({"pre_script": false}));
    dpod.execute("export").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        ["WAITING_FOR_PRE_VALIDATION", "PLAN_FAILED_PRE_SCRIPT"]
    );
    dpod.plan("secure", json!({"task_pre_script": false}));
    dpod.execute("secure").await;
    dpod.until_over();
    assert_eq!(
        trail(&dpod.task()),
        [&FRONT[..], &["EXECUTION_PRE_SCRIPT_ERROR"]].concat()
    );
}

#[tokio::test]
async fn plans_stop_before_their_tasks_for_the_documented_reasons() {
    for (site, switch, code) in [
        (json!({"allowed": false}), None, "BACKUPS_ARE_DISABLED"),
        (
            json!({"mounted": false}),
            None,
            "PRE_VALIDATION_STORE_IS_NOT_MOUNTED",
        ),
        (
            json!({"full": true}),
            None,
            "PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE",
        ),
        (
            json!({}),
            Some("59"),
            "PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT",
        ),
    ] {
        let dpod = two().await;
        dpod.site(site);
        if let Some(value) = switch {
            dpod.switch("quiesce_timeout_seconds", value);
        }
        dpod.execute("secure").await;
        let run = dpod.until_over();
        assert_eq!((&run["status"], &run["tasks"]), (&json!(code), &json!([])));
        assert!(
            dpod.told().is_empty(),
            "the script before the plan is not called when its validation fails"
        );
    }
}

#[test]
fn these_tests_name_every_code_of_the_list() {
    let list = include_str!("../fixtures/catalog/dpod.tsv");
    let here = include_str!("codes.rs");
    let suffixes: BTreeSet<&str> = [
        "_SOMA_ERROR",
        "_EMPTY_FILE",
        "_SAVEFILE_EXCEPTION",
        "_UNSUCCESSFUL",
        "_WRONG_FILE_HASH",
        "_WRONG_FILE_SIZE",
        "_STARTED",
    ]
    .into();
    let mut count = 0;
    for line in list
        .lines()
        .filter(|line| line.split('\t').nth(3) == Some("task"))
    {
        let code = line.split('\t').nth(1).expect("a code");
        count += 1;
        let whole = here.contains(&format!("\"{code}\""));
        let made = suffixes.iter().any(|suffix| {
            here.contains(&format!("\"{suffix}\""))
                && code
                    .strip_suffix(suffix)
                    .is_some_and(|rest| here.contains(&format!("\"{rest}\"")))
        });
        assert!(whole || made, "{code}");
    }
    assert_eq!(count, 53);
}
