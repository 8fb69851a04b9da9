//! What the scripts tell, folded into tasks, runs and gateways.

use super::*;
use crate::connect::scripted::Pages;
use crate::connect::{Page, TaskLook};

const FFU: [&str; 2] = ["FFU", "FFU"];

fn post_task<'a>(id: &'a str, status: &'a str) -> Vec<&'a str> {
    vec![
        "BACKUP-TASK",
        "POST",
        id,
        "nightly",
        status,
        "NONE",
        "FFU",
        "FFU",
    ]
}

fn pre_task<'a>(id: &'a str, device: &'a str) -> Vec<&'a str> {
    vec![
        "BACKUP-TASK",
        "PRE",
        id,
        "nightly",
        "exportDomain",
        device,
        "10.0.0.1",
        "5550",
        "web",
    ]
}

fn post_plan<'a>(status: &'a str, list: &'a str) -> Vec<&'a str> {
    [
        ["BACKUP-PLAN", "POST", "5", "nightly", status, "NONE"].as_slice(),
        &FFU,
        &[list],
    ]
    .concat()
}

#[tokio::test]
async fn a_night_as_the_four_scripts_tell_it() {
    let site = Site::usual().await;
    site.report(ago(30), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    site.report(ago(29), &pre_task("13", "gw-1"));
    let c = site.connect();
    poll(c.as_ref(), PLANS).await;
    let rows = tasks(c.as_ref()).await;
    let (run, task) = (the_run(&rows), by_id(&rows, "task:backup:13"));
    assert_eq!(
        (run.phase, run.operation.as_str()),
        (Phase::Running, "backup plan")
    );
    assert_eq!(run.native_status, "BACKUP-PLAN PRE");
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Running, "BACKUP-TASK PRE")
    );
    assert_eq!(task.policy, Some(Ref::new("backup/ref-1", "nightly")));
    assert_eq!(task.device, Some(Ref::new("gw-1", "gw-1")));
    assert_eq!(
        (task.operation.as_str(), task.object.as_str()),
        ("export domain", "web")
    );

    let mut failed = post_task("13", "EXECUTION_EXPORT_DOMAIN_PERSISTED_SOMA_ERROR");
    failed[5] = "SOMA says no";
    site.report(ago(28), &failed);
    site.report(ago(27), &pre_task("14", "gw-2"));
    site.report(ago(26), &post_task("14", "SUCCESS"));
    site.report(
        ago(25),
        &post_plan(
            "SUCCESS",
            "13,exportDomain,gw-1,web,EXECUTION_EXPORT_DOMAIN_PERSISTED_SOMA_ERROR,~14,exportDomain,gw-2,web,SUCCESS,~15,exportDomain,gw-3,web,SKIPPED_DEVICE_NOT_AVAILABLE,",
        ),
    );
    let (kept, _) = poll(c.as_ref(), EVENTS).await;
    let rows = kept.rows.tasks;
    let bad = by_id(&rows, "task:backup:13");
    assert_eq!(
        (bad.phase, bad.step.as_str()),
        (Phase::Failed, "export-domain (persisted)")
    );
    let failure = bad.failure.clone().unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        (
            "EXECUTION_EXPORT_DOMAIN_PERSISTED_SOMA_ERROR",
            "SOMA says no"
        )
    );
    assert_eq!(failure.operation, "task");
    assert!(
        bad.ended_at.unwrap() < ago(27),
        "when its own script was called"
    );
    assert_eq!(by_id(&rows, "task:backup:14").phase, Phase::Succeeded);
    let skipped = by_id(&rows, "task:backup:15");
    assert_eq!(skipped.phase, Phase::Skipped);
    assert!(says(skipped, "only"), "{:?}", skipped.facts);
    let run = the_run(&rows);
    assert_eq!(
        run.phase,
        Phase::Failed,
        "the plan's SUCCESS is no success of its tasks"
    );
    assert!(
        says(
            run,
            "3 tasks: 1 succeeded, 1 failed or uncertain, 1 skipped"
        ),
        "{:?}",
        run.facts
    );
    // the run leads to the task, and is the same cause
    let because = run.failure.as_ref().unwrap();
    assert_eq!(
        (&because.code, &*because.operation),
        (&failure.code, "task")
    );
    assert!(
        because.message.contains("calls the plan a success")
            && because
                .message
                .contains(&format!("See {}", bad.device.as_ref().unwrap().name)),
        "{because:?}"
    );

    let gateways: Vec<_> = kept
        .rows
        .devices
        .iter()
        .map(|d| (d.id.as_str(), d.last_success.is_some()))
        .collect();
    assert_eq!(gateways, [("gw-1", false), ("gw-2", true), ("gw-3", false)]);
    assert_eq!(kept.rows.devices[0].place, "10.0.0.1");
    assert_eq!(kept.rows.devices[0].policy_ids, ["backup/ref-1"]);
}

#[tokio::test]
async fn each_of_the_53_codes_shows_as_its_table_says() {
    let site = Site::usual().await;
    let text = include_str!("../../../../assets/catalog/dpod.toml");
    let catalog: toml::Table = text.parse().unwrap();
    let codes: Vec<(String, String)> = catalog["entry"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e.get("operation").and_then(toml::Value::as_str) == Some("task"))
        .map(|e| {
            (
                e["code"].as_str().unwrap().into(),
                e["phase"].as_str().unwrap().into(),
            )
        })
        .collect();
    assert_eq!(codes.len(), 53);
    for (n, (code, _)) in codes.iter().enumerate() {
        site.report(ago(2), &post_task(&format!("{}", 100 + n), code));
    }
    let list: Vec<String> = codes
        .iter()
        .enumerate()
        .map(|(n, (code, _))| format!("{},exportDomain,gw-{n},web,{code},", 500 + n))
        .collect();
    site.report(ago(1), &post_plan("SUCCESS", &list.join("~")));
    let rows = tasks(site.connect().as_ref()).await;
    for (n, (code, phase)) in codes.iter().enumerate() {
        for id in [100 + n, 500 + n] {
            let task = by_id(&rows, &format!("task:backup:{id}"));
            assert_eq!(
                (task.native_status.as_str(), task.phase.word()),
                (code.as_str(), phase.as_str())
            );
        }
    }
}

#[tokio::test]
async fn an_interim_word_that_nothing_follows_is_uncertain_never_good() {
    let site = Site::usual().await;
    site.report(
        ago(40),
        &post_task("13", "EXECUTION_EXPORT_DOMAIN_PERSISTED_DONE"),
    );
    site.report(
        ago(40),
        &post_task("14", "EXECUTION_UNQUIESCE_ON_ERROR_STARTED"),
    );
    let rows = tasks(site.connect().as_ref()).await;
    for id in ["task:backup:13", "task:backup:14"] {
        let task = by_id(&rows, id);
        assert_eq!(task.phase, Phase::Uncertain);
        assert!(says(task, "interim"), "{:?}", task.facts);
    }
}

#[tokio::test]
async fn a_code_that_nobody_knows_is_kept_and_never_good() {
    let site = Site::usual().await;
    site.report(ago(5), &post_task("13", "EXECUTION_FROBNICATED_WELL"));
    site.report(ago(5), &post_task("14", "EXECUTION_NEW_STEP_EXCEPTION"));
    let rows = tasks(site.connect().as_ref()).await;
    let odd = by_id(&rows, "task:backup:13");
    assert_eq!(
        (odd.phase, odd.native_status.as_str()),
        (Phase::Unknown, "EXECUTION_FROBNICATED_WELL")
    );
    assert!(says(odd, "no published list"));
    assert_eq!(by_id(&rows, "task:backup:14").phase, Phase::Failed);
}

#[tokio::test]
async fn words_of_two_levels_are_read_on_their_own() {
    let site = Site::usual().await;
    site.report(
        ago(5),
        &post_plan("PRE_VALIDATION_STORE_IS_NOT_MOUNTED", ""),
    );
    let rows = tasks(site.connect().as_ref()).await;
    let run = the_run(&rows);
    assert_eq!(run.phase, Phase::Failed);
    let failure = run.failure.clone().unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.operation.as_str()),
        ("PRE_VALIDATION_STORE_IS_NOT_MOUNTED", "plan")
    );
}

#[tokio::test]
async fn silence_is_no_success() {
    let site = Site::usual().await;
    // a script after tasks that is set to run only on failure says nothing when all went well, and nothing
    // when DPOD was stopped
    site.report(ago(240), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    site.report(ago(239), &pre_task("13", "gw-1"));
    site.report(ago(30), &pre_task("14", "gw-2"));
    let c = site.connect();
    let rows = tasks(c.as_ref()).await;
    let silent = by_id(&rows, "task:backup:13");
    assert_eq!(silent.phase, Phase::Unknown);
    assert!(says(silent, "nothing more was heard"), "{:?}", silent.facts);
    assert_eq!(by_id(&rows, "task:backup:14").phase, Phase::Running);
    // a late word still counts
    site.report(ago(0), &post_task("13", "SUCCESS"));
    assert_eq!(
        by_id(&tasks(c.as_ref()).await, "task:backup:13").phase,
        Phase::Succeeded
    );
}

#[tokio::test]
async fn a_task_that_the_list_at_the_end_leaves_out_is_unknown() {
    let site = Site::usual().await;
    site.report(ago(30), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    site.report(ago(29), &pre_task("13", "gw-1"));
    site.report(
        ago(28),
        &post_plan("SUCCESS", "14,exportDomain,gw-2,web,SUCCESS"),
    );
    let rows = tasks(site.connect().as_ref()).await;
    let left = by_id(&rows, "task:backup:13");
    assert_eq!(left.phase, Phase::Unknown);
    assert!(says(left, "does not name"), "{:?}", left.facts);
}

#[tokio::test]
async fn a_gateway_at_risk_stays_uncertain_whatever_is_said_later() {
    let site = Site::usual().await;
    site.report(ago(30), &pre_task("13", "gw-1"));
    site.report(
        ago(29),
        &post_task("13", "EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED"),
    );
    site.report(
        ago(28),
        &post_plan("SUCCESS", "13,exportDomain,gw-1,web,SUCCESS"),
    );
    let (kept, _) = poll(site.connect().as_ref(), EVENTS).await;
    let task = by_id(&kept.rows.tasks, "task:backup:13");
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Uncertain, "SUCCESS")
    );
    assert!(says(task, "out of service"), "{:?}", task.facts);
    assert_eq!(
        task.failure.as_ref().unwrap().code,
        "EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED"
    );
    assert_eq!(kept.rows.devices[0].last_success, None);
}

#[tokio::test]
async fn a_number_that_begins_again_is_another_task() {
    let site = Site::usual().await;
    site.report(ago(90), &pre_task("13", "gw-1"));
    site.report(ago(89), &post_task("13", "SUCCESS"));
    site.report(ago(9), &pre_task("13", "gw-2"));
    let rows = tasks(site.connect().as_ref()).await;
    assert_eq!(by_id(&rows, "task:backup:13").phase, Phase::Succeeded);
    let second = rows
        .iter()
        .find(|t| t.id.starts_with("task:backup:13@"))
        .unwrap();
    assert_eq!(second.phase, Phase::Running);
    assert_eq!(second.device, Some(Ref::new("gw-2", "gw-2")));
}

#[tokio::test]
async fn only_what_changed_is_handed_over_again() {
    let site = Site::usual().await;
    site.report(ago(30), &post_task("13", "SUCCESS"));
    site.report(ago(29), &post_task("14", "SUCCESS"));
    let c = site.connect();
    assert_eq!(tasks(c.as_ref()).await.len(), 2);
    let since = Some(ago(29));
    let (kept, report) = poll_since(c.as_ref(), EVENTS, since).await;
    assert_eq!((kept.same, kept.rows.len()), (2, 0));
    assert!(report.complete);
    site.report(ago(28), &post_task("15", "SUCCESS"));
    let (kept, _) = poll_since(c.as_ref(), EVENTS, since).await;
    let ids: Vec<_> = kept.rows.tasks.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["task:backup:15"]);
    assert_eq!(
        tasks(c.as_ref()).await.len(),
        3,
        "asked for everything, everything comes"
    );
    let TaskLook::Found(task) = c.look_up("task:backup:14").await.unwrap() else {
        panic!("found")
    };
    assert_eq!(task.phase, Phase::Succeeded);
}

#[tokio::test]
async fn old_tasks_are_let_go_but_not_what_they_say_of_the_gateway() {
    let site = Site::usual().await;
    let old = 60 * 24 * 40;
    site.report(ago(old), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    site.report(ago(old), &pre_task("1", "gw-1"));
    site.report(ago(old), &post_task("1", "SUCCESS"));
    site.report(
        ago(old),
        &post_plan("SUCCESS", "1,exportDomain,gw-1,web,SUCCESS"),
    );
    site.report(ago(30), &["BACKUP-PLAN", "PRE", "5", "nightly"]);
    site.report(ago(29), &pre_task("2", "gw-2"));
    let c = site.connect();
    let mut kept = Kept::default();
    let context = PollContext {
        history_from: Some(ago(60 * 24)),
        ..PollContext::default()
    };
    c.poll(EVENTS, context, &mut kept).await.unwrap();
    let ids: Vec<_> = kept.rows.tasks.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    let gateway = kept.rows.devices.iter().find(|d| d.id == "gw-1").unwrap();
    assert!(
        gateway
            .last_success
            .is_some_and(|at| at < ago(60 * 24 * 39))
    );
}

#[tokio::test]
async fn a_damaged_line_costs_that_line_and_is_counted() {
    let site = Site::usual().await;
    site.report(ago(9), &post_task("13", "SUCCESS"));
    site.report(ago(8), &["hello"]);
    let dir = Inbox::of(site.dir.path(), "test");
    let file = std::fs::read_dir(dir.dir())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend(b"\n00ff {\"v\":1,\n");
    std::fs::write(&file, bytes).unwrap();
    site.report(ago(7), &post_task("14", "SUCCESS"));
    let c = site.connect();
    let (kept, report) = poll(c.as_ref(), EVENTS).await;
    assert_eq!(kept.rows.tasks.len(), 2);
    assert_eq!(kept.rows.bad.len(), 2, "{:?}", kept.rows.bad);
    assert!(report.complete && report.partial.is_empty());
    // they stay known while other events come
    site.report(ago(6), &post_task("15", "SUCCESS"));
    let (kept, _) = poll_since(c.as_ref(), EVENTS, Some(ago(7))).await;
    assert_eq!((kept.rows.tasks.len(), kept.rows.bad.len()), (1, 2));
}

#[tokio::test]
async fn without_any_script_that_is_said() {
    let site = Site::usual().await;
    let c = site.connect();
    let (kept, report) = poll(c.as_ref(), EVENTS).await;
    assert!(report.complete && kept.rows.is_empty());
    assert_eq!(report.partial.len(), 1);
    assert!(
        report.partial[0]
            .what
            .contains("none of its scripts has reported")
    );
    let steps = c.check().await;
    let (_, inbox) = steps.last().unwrap();
    assert!(inbox.is_err());
    site.report(ago(1), &post_task("13", "SUCCESS"));
    assert_eq!(poll(c.as_ref(), EVENTS).await.1.partial, []);
    let steps = c.check().await;
    let said = steps.last().unwrap().1.clone().unwrap();
    assert!(
        said.contains("before plans never") && said.contains("after tasks last at"),
        "{said}"
    );
}

#[tokio::test]
async fn live_tasks_stand_on_the_page_that_every_round_shows() {
    let site = Site::usual().await;
    site.report(ago(1), &pre_task("9000", "gw"));
    let inbox = Inbox::of(site.dir.path(), "test");
    let many: Vec<u8> = (0..3_000)
        .flat_map(|n| {
            let args = post_task(&n.to_string(), "SUCCESS")
                .iter()
                .map(|a| (*a).to_owned())
                .collect();
            Record::script(ago(2), args).line().unwrap()
        })
        .collect();
    std::fs::write(inbox.dir().join("2020-01.other.events"), many).unwrap();
    let c = site.connect();
    let mut pages = Pages::default();
    c.poll(EVENTS, PollContext::default(), &mut pages)
        .await
        .unwrap();
    let told: Vec<_> = pages
        .0
        .iter()
        .map(|(number, page)| {
            let Page::Rows(rows) = page else {
                panic!("the first round")
            };
            let live = rows.tasks.iter().filter(|t| t.phase.is_live()).count();
            (*number, rows.tasks.len(), live)
        })
        .collect();
    let [first, second, gateways] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((first.0, first.2), (0, 1));
    assert_eq!((first.1 + second.1, second.2), (3_001, 0));
    assert_eq!(gateways.1, 0);
}

#[tokio::test]
async fn names_are_cleaned_on_entry() {
    let site = Site::usual().await;
    site.report(ago(1), &pre_task("13", "gw\u{1b}[2J\u{202e}x"));
    let rows = tasks(site.connect().as_ref()).await;
    let task = by_id(&rows, "task:backup:13");
    assert_eq!(task.device.as_ref().unwrap().name, "gw␛[2J‹U+202E›x");
    assert!(!task.raw.contains('\u{202e}') && !task.raw.contains('\u{1b}'));
}
