//! The Freezer connector over a scripted server: recorded answers, states seen on a real server, actions.

mod acting;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{DRIVER, KIND};
use crate::connect::scripted::{Pages, Say, Scripted, settings};
use crate::connect::{Connector, Page, PollContext, TaskLook};
use crate::model::{Asked, Fault, Phase, Policy, Ref, Rows, Task, Timestamp};

const JOBS: &str = include_str!("../../../../tests/fixtures/freezer/recorded-jobs.json");
const CLIENTS: &str = include_str!("../../../../tests/fixtures/freezer/recorded-clients.json");

fn connect(server: &Scripted, page_size: usize) -> Arc<dyn Connector> {
    let mut s = settings(KIND, Some(format!("{}/v2/p1", server.url)));
    s.options.insert("page_size".into(), page_size.to_string());
    (DRIVER.open)(&s).unwrap()
}

async fn read(connector: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let mut pages = Pages::default();
    let report = connector
        .poll(feed, PollContext::default(), &mut pages)
        .await
        .unwrap();
    assert!(report.complete);
    pages.rows()
}

fn job(id: &str, schedule: Value) -> Value {
    json!({"job_id": id, "project_id": "p1", "client_id": "device-1", "description": id,
        "job_schedule": schedule, "job_actions": [{"freezer_action": {"action": "backup", "mode": "fs"}}]})
}

/// A server that holds one job and serves it in the list and alone.
async fn with_job(job: Value) -> Scripted {
    Scripted::start(move |seen, _| {
        if seen.method == "POST" {
            return Say::json(202, r#"{"result": "success"}"#);
        }
        if seen.path().ends_with("/jobs") {
            Say::json(200, json!({"jobs": [job]}).to_string())
        } else {
            Say::json(200, job.to_string())
        }
    })
    .await
}

async fn states(schedule: Value) -> (Policy, Option<Task>) {
    let server = with_job(job("j1", schedule)).await;
    let mut rows = read(&connect(&server, 10), "jobs").await;
    assert_eq!(rows.bad, []);
    (rows.policies.remove(0), rows.tasks.pop())
}

#[tokio::test]
async fn the_recorded_jobs_are_policies_and_runs() {
    let server = Scripted::start(|seen, _| {
        Say::json(
            200,
            if seen.path().ends_with("/clients") {
                CLIENTS
            } else {
                JOBS
            },
        )
    })
    .await;
    let freezer = connect(&server, 10);
    let rows = read(&freezer, "jobs").await;
    assert_eq!(rows.bad, []);
    let seen: Vec<_> = rows
        .tasks
        .iter()
        .map(|t| {
            (
                t.policy.as_ref().unwrap().name.as_str(),
                t.native_status.as_str(),
                t.phase,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("nightly-files", "success", Phase::Succeeded),
            ("broken-path", "fail", Phase::Failed),
            ("to-cancel", "aborted", Phase::Cancelled),
        ]
    );
    let run = &rows.tasks[1];
    assert_eq!(run.id, "dc956c478f364bedacae988b2c0a22ba@1795228106");
    assert_eq!(run.ended_at, Some(Timestamp::from_secs(1_795_228_108)));
    assert_eq!(
        run.failure, None,
        "Freezer gives no reason, and none is made up"
    );
    assert_eq!(run.device, Some(Ref::new("device-1", "device-1")));
    assert!(run.raw.contains("/srv/demo/fresh/freezer/nope"));
    assert!(!freezer.capabilities().reasons.is_offered());
    let rows = read(&freezer, "clients").await;
    assert_eq!(rows.devices[0].id, "device-1");
    assert_eq!(rows.devices[0].place, "vm");
}

#[tokio::test]
async fn minus_one_is_no_time_and_a_job_that_never_ran_is_no_task() {
    let (policy, task) = states(json!({"status": null, "result": null, "event": "",
        "time_created": 1_795_228_087, "time_started": -1, "time_ended": -1}))
    .await;
    assert_eq!(task, None);
    assert_eq!(policy.native_status, "");
    assert_eq!(policy.enabled, None);
    assert_eq!(policy.schedule, "on demand");
}

#[tokio::test]
async fn an_abort_that_is_not_carried_out_shows_as_asked() {
    let (policy, task) = states(json!({"status": "running", "result": "", "event": "abort",
        "time_started": 1_795_228_090, "time_ended": -1, "current_pid": "77"}))
    .await;
    let task = task.unwrap();
    assert_eq!(task.phase, Phase::Running);
    assert_eq!(task.native_status, "running");
    assert_eq!(task.asked, Some(Asked::Cancel));
    assert_eq!(task.ended_at, None);
    assert_eq!(policy.native_status, "running event=abort");
}

#[tokio::test]
async fn a_stop_during_a_run_is_no_cancel_of_it() {
    let (policy, task) = states(json!({"status": "running", "result": "", "event": "stop",
        "time_started": 1_795_228_090, "time_ended": -1, "schedule_interval": "1 hours"}))
    .await;
    let task = task.unwrap();
    assert_eq!(task.asked, None);
    assert!(
        task.facts
            .iter()
            .any(|(k, v)| *k == "Asked" && v.starts_with("stop"))
    );
    assert_eq!(policy.enabled, Some(false));
}

#[tokio::test]
async fn an_interval_job_tells_its_schedule_and_its_last_run() {
    let (policy, task) = states(json!({"status": "scheduled", "result": "success", "event": "",
        "time_started": 1_795_228_000, "time_ended": 1_795_228_005, "schedule_interval": "20 seconds"}))
    .await;
    assert_eq!(policy.enabled, Some(true));
    assert_eq!(policy.schedule, "every 20 seconds");
    assert_eq!(policy.next_run, Some(Timestamp::from_secs(1_795_228_020)));
    assert_eq!(task.unwrap().phase, Phase::Succeeded);
}

#[tokio::test]
async fn a_start_wipes_the_result_and_invents_nothing() {
    // As the real server shows it between a start and the run: old times, no status, no result.
    let (policy, task) = states(json!({"status": "", "result": "", "event": "start",
        "time_started": 1_795_228_000, "time_ended": 1_795_228_005}))
    .await;
    assert_eq!(
        task, None,
        "the old run's failure must not turn into something else"
    );
    assert_eq!(policy.native_status, "event=start");
    let (_, task) = states(json!({"status": "scheduled", "result": "", "event": "",
        "time_started": 1_795_228_000, "time_ended": 1_795_228_005}))
    .await;
    assert_eq!(task, None);
}

#[tokio::test]
async fn a_run_whose_end_nobody_wrote_is_uncertain() {
    let (_, task) = states(json!({"status": "scheduled", "result": "", "event": "",
        "time_started": 1_795_228_000, "time_ended": -1}))
    .await;
    assert_eq!(task.unwrap().phase, Phase::Uncertain);
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_unknown() {
    let (_, task) = states(json!({"status": "pondering", "result": "", "event": "",
        "time_started": "1795228000", "time_ended": null}))
    .await;
    let task = task.unwrap();
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Unknown, "pondering")
    );
}

#[tokio::test]
async fn pages_follow_by_offset_and_unchanged_ones_are_not_decoded() {
    let all: Arc<Vec<Value>> = Arc::new(
        (0..5)
            .map(|n| {
                job(
                    &format!("j{n}"),
                    json!({"status": "completed", "result": "fail",
                "time_started": 1_795_228_000 + n, "time_ended": 1_795_228_100}),
                )
            })
            .collect(),
    );
    let changed = Arc::new(AtomicUsize::new(0));
    let marker = Arc::clone(&changed);
    let server = Scripted::start(move |seen, _| {
        let offset: usize = seen.query("offset").unwrap().parse().unwrap();
        let limit: usize = seen.query("limit").unwrap().parse().unwrap();
        let mut rows: Vec<Value> = all.iter().skip(offset).take(limit).cloned().collect();
        if offset == 2 && marker.load(Ordering::SeqCst) == 1 {
            rows[0]["description"] = json!("renamed");
        }
        Say::json(200, json!({"jobs": rows}).to_string())
    })
    .await;
    let freezer = connect(&server, 2);
    assert_eq!(read(&freezer, "jobs").await.policies.len(), 5);
    let mut again = Pages::default();
    freezer
        .poll("jobs", PollContext::default(), &mut again)
        .await
        .unwrap();
    assert_eq!(again.0, [(0, Page::Same), (1, Page::Same), (2, Page::Same)]);
    changed.store(1, Ordering::SeqCst);
    let mut third = Pages::default();
    freezer
        .poll("jobs", PollContext::default(), &mut third)
        .await
        .unwrap();
    assert_eq!(third.0[0], (0, Page::Same));
    assert!(matches!(&third.0[1], (1, Page::Rows(r)) if r.policies[0].name == "renamed"));
    assert_eq!(third.0[2], (2, Page::Same));
}

#[tokio::test]
async fn a_bad_row_costs_itself_and_hostile_text_is_cleaned() {
    let server = Scripted::start(|_, _| {
        Say::Reply(
            200,
            vec![],
            b"{\"jobs\": [{\"description\": \"no id\"}, {\"job_id\": \"j1\", \"description\": \"\x1b[2Jevil\", \
              \"job_schedule\": [], \"job_actions\": \"none\"}]}"
                .to_vec(),
        )
    })
    .await;
    let rows = read(&connect(&server, 10), "jobs").await;
    assert_eq!(rows.policies.len(), 1);
    assert_eq!(rows.policies[0].name, "␛[2Jevil");
    assert_eq!(rows.bad[0].place, "jobs[0]");
}

#[tokio::test]
async fn a_run_is_looked_up_until_a_newer_one_takes_its_place() {
    let server = with_job(job(
        "j1",
        json!({"status": "completed", "result": "fail",
        "time_started": 1_795_228_000, "time_ended": 1_795_228_100}),
    ))
    .await;
    let freezer = connect(&server, 10);
    let TaskLook::Found(task) = freezer.look_up("j1@1795228000").await.unwrap() else {
        panic!("the run is there");
    };
    assert_eq!(task.phase, Phase::Failed);
    assert_eq!(
        freezer.look_up("j1@1795220000").await.unwrap(),
        TaskLook::Gone
    );
    let gone = Scripted::start(|_, _| Say::Reply(404, vec![], Vec::new())).await;
    let look = connect(&gone, 10).look_up("j1@1795228000").await.unwrap();
    assert_eq!(look, TaskLook::Gone);
}

#[tokio::test]
async fn freezers_own_error_text_is_shown() {
    let server = Scripted::start(|_, _| {
        Say::json(
            400,
            r#"{"title": "Bad request format", "description": "Bad Action Method"}"#,
        )
    })
    .await;
    let mut pages = Pages::default();
    let fault: Fault = connect(&server, 10)
        .poll("jobs", PollContext::default(), &mut pages)
        .await
        .unwrap_err();
    assert!(
        fault
            .to_string()
            .contains("Bad request format: Bad Action Method"),
        "{fault}"
    );
}

/// One job in every state that a real Freezer 19.0.0 took it through. The files' names end in status, result
/// and event.
#[tokio::test]
async fn every_recorded_state_is_read_as_what_it_was() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freezer");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(parts) = name
            .strip_prefix("job-")
            .map(|n| n.split('-').collect::<Vec<_>>())
        else {
            continue;
        };
        let [.., step, status, result, event] = parts[..] else {
            continue;
        };
        if step.parse::<u8>().is_err() {
            continue;
        }
        seen += 1;
        let body = std::fs::read_to_string(&path).unwrap();
        let server =
            Scripted::start(move |_, _| Say::json(200, format!("{{\"jobs\": [{body}]}}"))).await;
        let rows = read(&connect(&server, 10), "jobs").await;
        assert_eq!(rows.bad, [], "{name}");
        let none = |word: &str| {
            if word == "none" {
                String::new()
            } else {
                word.to_owned()
            }
        };
        let native = match (none(status), none(result)) {
            (s, r) if r.is_empty() || s == "running" => s,
            (_, r) => r,
        };
        let expected = match (status, result) {
            ("running", _) => Some(Phase::Running),
            (_, "success") => Some(Phase::Succeeded),
            (_, "fail") => Some(Phase::Failed),
            (_, "aborted") => Some(Phase::Cancelled),
            _ => None,
        };
        let task = rows.tasks.first();
        assert_eq!(task.map(|t| t.phase), expected, "{name}");
        if let Some(task) = task {
            assert_eq!(task.native_status, native, "{name}");
            assert_eq!(task.failure, None, "{name}");
            let asked = status == "running" && event == "abort";
            assert_eq!(task.asked, asked.then_some(Asked::Cancel), "{name}");
        }
        let policy = &rows.policies[0];
        assert_eq!(
            policy.native_status.contains("event="),
            event != "none",
            "{name}"
        );
        assert_eq!(
            policy.enabled.is_some(),
            name.contains("interval"),
            "{name}"
        );
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn recorded_refusals_are_told_in_freezers_own_words() {
    for (status, body, words) in [
        (
            400,
            include_str!("../../../../tests/fixtures/freezer/bad-event-word.json"),
            "Bad Action Method",
        ),
        (
            422,
            include_str!("../../../../tests/fixtures/freezer/bad-job-unknown-client.json"),
            "Client not found with ID device-9",
        ),
        (
            753,
            include_str!("../../../../tests/fixtures/freezer/bad-json.json"),
            "Malformed JSON",
        ),
        (
            401,
            include_str!("../../../../tests/fixtures/freezer/token-expired.json"),
            "requires authentication",
        ),
    ] {
        let server = Scripted::start(move |_, _| Say::json(status, body)).await;
        let mut pages = Pages::default();
        let fault = connect(&server, 10)
            .poll("jobs", PollContext::default(), &mut pages)
            .await
            .unwrap_err();
        assert!(fault.to_string().contains(words), "{fault}");
    }
}
