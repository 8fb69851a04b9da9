//! What the scripts are told, argument by argument.

use serde_json::json;

use crate::{Dpod, bare, furnished};

fn call(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn a_run_is_told_in_order_and_word_for_word() {
    let dpod = Dpod::start(bare()).await;
    dpod.switch("parallel", "1");
    dpod.add_all(
        "two gateways",
        false,
        json!([
            {"action": "exportDomain", "devices": "dpgw-fra-01", "domains": "default"},
            {"action": "secureBackup", "devices": "dpgw-nyc-01"},
            {"action": "secureBackup", "devices": "dpgw-lab-01"},
        ]),
    );
    dpod.device("dpgw-nyc-01", json!({"soma": false}));
    dpod.execute("two gateways").await;
    let run = dpod.until_over();
    let id = |at: usize| run["tasks"][at]["id"].to_string();
    let plan = "3";
    let name = "two gateways";
    let failed = "EXECUTION_SECURE_BACKUP_UNSUCCESSFUL";
    let why = run["tasks"][1]["error"].as_str().expect("text");
    // The published example has a comma before each tilde.
    let list = format!(
        "{},exportDomain,dpgw-fra-01,default,SUCCESS,~{},secureBackup,dpgw-nyc-01,ALL,{failed},~\
         {},secureBackup,dpgw-lab-01,ALL,DEVICE_NOT_IN_DR_MODE",
        id(0),
        id(1),
        id(2)
    );
    assert_eq!(
        dpod.told(),
        [
            call(&["BACKUP-PLAN", "PRE", plan, name]),
            call(&[
                "BACKUP-TASK",
                "PRE",
                &id(0),
                name,
                "exportDomain",
                "dpgw-fra-01",
                "10.20.0.11",
                "5550",
                "default"
            ]),
            call(&[
                "BACKUP-TASK",
                "POST",
                &id(0),
                name,
                "SUCCESS",
                "NONE",
                "FFU",
                "FFU"
            ]),
            call(&[
                "BACKUP-TASK",
                "PRE",
                &id(1),
                name,
                "secureBackup",
                "dpgw-nyc-01",
                "10.20.1.11",
                "5550",
                "ALL"
            ]),
            call(&[
                "BACKUP-TASK",
                "POST",
                &id(1),
                name,
                failed,
                why,
                "FFU",
                "FFU"
            ]),
            call(&[
                "BACKUP-PLAN",
                "POST",
                plan,
                name,
                "SUCCESS",
                "NONE",
                "FFU",
                "FFU",
                &list
            ]),
        ]
    );
    dpod.switch("task_list", "flat");
    dpod.switch("plan_status", "SOME_TASKS_FAILED");
    dpod.execute("two gateways").await;
    dpod.until_over();
    let last = dpod.told().pop().expect("a call");
    assert!(
        !last[8].contains('~') && last[8].matches(',').count() == 14,
        "{last:?}"
    );
    assert_eq!(last[4], "SOME_TASKS_FAILED");
}

#[tokio::test]
async fn who_is_told_what_is_as_the_plan_says() {
    let dpod = Dpod::start(bare()).await;
    dpod.add("one", "exportDomain", "dpgw-fra-01", "default", false);
    let words = |from: usize| -> Vec<String> {
        dpod.told()[from..]
            .iter()
            .map(|args| format!("{} {}", args[0], args[1]))
            .collect()
    };
    // Only on failure: silence is no proof of success.
    dpod.plan("one", json!({"post_always": false}));
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(
        words(0),
        ["BACKUP-PLAN PRE", "BACKUP-TASK PRE", "BACKUP-PLAN POST"]
    );
    dpod.device("dpgw-fra-01", json!({"soma": false}));
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(
        words(3),
        [
            "BACKUP-PLAN PRE",
            "BACKUP-TASK PRE",
            "BACKUP-TASK POST",
            "BACKUP-PLAN POST"
        ]
    );
    // No script of the task's own before it: what failed its checks never had one.
    dpod.device("dpgw-fra-01", json!({"soma": true}));
    dpod.execute("one").await;
    dpod.until("READY_FOR_EXECUTION");
    dpod.site(json!({"full": true}));
    dpod.until_over();
    assert_eq!(
        words(7),
        ["BACKUP-PLAN PRE", "BACKUP-TASK POST", "BACKUP-PLAN POST"]
    );
    dpod.site(json!({"full": false}));
    // A script before the plan that fails: its tasks are in the list only, unless a switch says otherwise.
    dpod.plan("one", json!({"pre_script": false}));
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(words(10), ["BACKUP-PLAN PRE", "BACKUP-PLAN POST"]);
    assert!(dpod.told()[11][8].ends_with(",PLAN_FAILED_PRE_SCRIPT"));
    dpod.switch("skipped_scripts", "on");
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(
        words(12),
        ["BACKUP-PLAN PRE", "BACKUP-TASK POST", "BACKUP-PLAN POST"]
    );
    // All skipped: the plan stops without a word, unless a switch says otherwise.
    dpod.device("dpgw-fra-01", json!({"up": false}));
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(words(15), Vec::<String>::new());
    dpod.switch("post_plan_on_stop", "on");
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(words(15), ["BACKUP-PLAN POST"]);
    // Without scripts nothing is told at all.
    dpod.device("dpgw-fra-01", json!({"up": true}));
    dpod.plan(
        "one",
        json!({"scripts": false, "task_scripts": false, "pre_script": true}),
    );
    dpod.execute("one").await;
    dpod.until_over();
    assert_eq!(words(16), Vec::<String>::new());
}

#[tokio::test]
async fn firmware_plans_have_scripts_of_their_own_and_syncs_none() {
    let dpod = Dpod::start(furnished()).await;
    for name in ["lab-firmware-10.5.0.12", "fra-firmware-back-10.5.0.8"] {
        let plans = dpod.plans("firmwareupgradeplan").await;
        let plan = plans
            .iter()
            .find(|plan| plan["name"] == name)
            .expect("there");
        let uri = plan["URI"].as_str().expect("a path");
        assert_eq!(
            uri.rsplit('/').next().map(str::to_uppercase).as_deref(),
            uri.rsplit('/').next()
        );
        dpod.call("POST", &format!("{uri}/execute")).await;
        dpod.until_over();
    }
    let uri = dpod.plans("syncplan").await[0]["URI"].clone();
    dpod.call(
        "POST",
        &format!("{}/execute", uri.as_str().expect("a path")),
    )
    .await;
    dpod.until_over();
    let told = dpod.told();
    assert_eq!(told.len(), 4);
    assert_eq!(told[0][..2], ["FIRMWARE-UPGRADE-PLAN", "PRE"]);
    assert_eq!(told[1].len(), 9);
    let tasks: Vec<&str> = told[1][8].split('~').collect();
    assert_eq!(tasks.len(), 2);
    assert!(
        tasks[0].ends_with(",dpgw-lab-01,10.5.0.11,10.5.0.12,SUCCESS"),
        "{}",
        tasks[0]
    );
    assert!(
        told[3][8].ends_with(",dpgw-fra-01,10.5.0.11,10.5.0.11,ERROR_DOWNGRADE_NOT_SUPPORTED"),
        "{}",
        told[3][8]
    );
}
