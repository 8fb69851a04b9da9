//! Starting, stopping, aborting, and looking for what a lost request did.

use std::collections::BTreeMap;

use super::*;
use crate::model::{Found, Intent, SendOutcome, ServiceId, Target};

fn intent(freezer: &Arc<dyn Connector>, action: &str, id: &str, phase: Phase, raw: &str) -> Intent {
    let spec = freezer.action(action).unwrap();
    Intent {
        service: ServiceId(0),
        action: spec.id,
        target: Target {
            phase,
            raw: raw.into(),
            ..Target::new(spec.target, id, "nightly")
        },
        inputs: BTreeMap::new(),
    }
}

fn why(
    freezer: &Arc<dyn Connector>,
    action: &str,
    phase: Phase,
    schedule: Value,
) -> Option<String> {
    let raw = job("j1", schedule).to_string();
    let intent = intent(freezer, action, "j1@1", phase, &raw);
    let spec = freezer.action(action).unwrap();
    freezer.available(spec, &intent.target).err()
}

#[tokio::test]
async fn what_can_not_be_done_now_says_why() {
    let server = with_job(json!({})).await;
    let f = connect(&server, 10);
    let idle = json!({"status": "completed", "result": "fail", "time_started": 1});
    let scheduled = json!({"status": "scheduled", "result": "fail", "schedule_interval": "1 days", "time_started": 1});
    let running = json!({"status": "running", "time_started": 1});
    let aborting = json!({"status": "running", "event": "abort", "time_started": 1});
    assert_eq!(why(&f, "start", Phase::Unknown, idle.clone()), None);
    assert!(
        why(&f, "start", Phase::Unknown, running.clone())
            .unwrap()
            .contains("running")
    );
    assert!(
        why(&f, "start", Phase::Unknown, scheduled.clone())
            .unwrap()
            .contains("early")
    );
    assert_eq!(why(&f, "start-again", Phase::Failed, idle.clone()), None);
    assert!(why(&f, "start-again", Phase::Succeeded, idle.clone()).is_some());
    assert!(
        why(&f, "start-again", Phase::Failed, scheduled.clone())
            .unwrap()
            .contains("early")
    );
    assert_eq!(why(&f, "abort", Phase::Running, running), None);
    assert!(
        why(&f, "abort", Phase::Running, aborting)
            .unwrap()
            .contains("already")
    );
    assert!(
        why(&f, "abort", Phase::Failed, idle.clone())
            .unwrap()
            .contains("ended")
    );
    assert_eq!(why(&f, "disable", Phase::Unknown, scheduled.clone()), None);
    assert!(
        why(&f, "enable", Phase::Unknown, scheduled)
            .unwrap()
            .contains("on already")
    );
    assert!(
        why(&f, "disable", Phase::Unknown, idle)
            .unwrap()
            .contains("no schedule")
    );
}

#[tokio::test]
async fn an_abort_says_what_it_really_is_and_is_sent_once() {
    let server = with_job(job(
        "j1",
        json!({"status": "running", "time_started": 1_795_228_000}),
    ))
    .await;
    let freezer = connect(&server, 10);
    let intent = intent(&freezer, "abort", "j1@1795228000", Phase::Running, "");
    let prepared = freezer.prepare(&intent).await.unwrap();
    assert!(
        prepared.effect.contains("202 says only that"),
        "{}",
        prepared.effect
    );
    assert_eq!(
        prepared.requests[0].url,
        format!("{}/v2/p1/jobs/j1/event", server.url)
    );
    let outcome = freezer.send(&prepared, &|_| {}).await;
    let SendOutcome::Accepted { answer, follow } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(answer.http_status, 202);
    assert_eq!(follow.task_ids, ["j1@1795228000"]);
    let sent: Vec<_> = server
        .seen()
        .into_iter()
        .filter(|s| s.method == "POST")
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].json(), json!({"abort": null}));
}

#[tokio::test]
async fn a_start_is_followed_past_the_last_run() {
    let server = with_job(job(
        "j1",
        json!({"status": "completed", "result": "fail",
        "time_started": 1_795_228_000, "time_ended": 1_795_228_100}),
    ))
    .await;
    let freezer = connect(&server, 10);
    let intent = intent(&freezer, "start-again", "j1@1795228000", Phase::Failed, "");
    let prepared = freezer.prepare(&intent).await.unwrap();
    assert!(prepared.warnings[0].contains("no reason"));
    let SendOutcome::Accepted { follow, .. } = freezer.send(&prepared, &|_| {}).await else {
        panic!("accepted");
    };
    assert_eq!(follow.policy_id, "j1");
    assert!(follow.since.unwrap() > Timestamp::from_secs(1_795_228_102));
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_in_the_record() {
    let state = Arc::new(std::sync::Mutex::new(
        json!({"status": "completed", "result": "fail",
        "event": "", "time_started": 1_795_228_000, "time_ended": 1_795_228_100}),
    ));
    let shown = Arc::clone(&state);
    let server = Scripted::start(move |seen, _| {
        if seen.method == "POST" {
            return Say::Drop;
        }
        Say::json(200, job("j1", shown.lock().unwrap().clone()).to_string())
    })
    .await;
    let freezer = connect(&server, 10);
    let intent = intent(&freezer, "start", "j1", Phase::Unknown, "");
    let prepared = freezer.prepare(&intent).await.unwrap();
    let outcome = freezer.send(&prepared, &|_| {}).await;
    assert!(
        matches!(outcome, SendOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    let sent_at = Timestamp::now();
    let found = freezer.find(&prepared, sent_at).await.unwrap();
    assert!(matches!(found, Found::Nothing { .. }), "{found:?}");
    state.lock().unwrap()["event"] = json!("start");
    let found = freezer.find(&prepared, sent_at).await.unwrap();
    assert!(matches!(found, Found::Done { .. }), "{found:?}");
    *state.lock().unwrap() = json!({"status": "running", "time_started": 1_795_229_000});
    let found = freezer.find(&prepared, sent_at).await.unwrap();
    assert_eq!(
        found,
        Found::Done {
            task_ids: vec!["j1@1795229000".into()],
            seen: "a newer run of the job".into()
        }
    );
}
