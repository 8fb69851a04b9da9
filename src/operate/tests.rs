//! What is sent is on the disk before it leaves, and a later run looks instead of sending again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::catalog::Catalog;
use crate::connect::dbs::{DRIVER, KIND};
use crate::connect::scripted::{Say, Scripted, Seen, settings};
use crate::connect::{AuthSettings, Connector, Secret};
use crate::model::{
    Intent, Phase, Prepared, Ref, Service, ServiceId, Target, TargetKind, Timestamp,
};
use crate::store::history::{ActionQuery, ActionStory, History, HistoryState, Options, Sqlite};

fn connector(server: &Scripted) -> Arc<dyn Connector> {
    let mut settings = settings(KIND, Some(server.url.clone()));
    settings.auth = AuthSettings::AccessKey {
        access_key: "id".to_owned(),
        secret_key: Secret::new("secret"),
        security_token: None,
        project_id: String::new(),
        region: "cn-hangzhou".to_owned(),
        dialect: String::new(),
    };
    (DRIVER.open)(&settings).expect("a connector")
}

fn action(seen: &Seen) -> String {
    seen.header("x-acs-action").to_owned()
}

fn good(mut body: Value) -> Say {
    body["Success"] = json!(true);
    body["HttpStatusCode"] = json!(200);
    Say::json(200, body.to_string())
}

fn operator(
    server: &Scripted,
    history: Arc<dyn History>,
    required: bool,
) -> (Operator, UnboundedReceiver<ActionEvent>) {
    let (events, stages) = unbounded_channel();
    let service = Service {
        id: ServiceId(0),
        name: "mysql".into(),
        kind: KIND,
        embedded: false,
        read_only: false,
    };
    let operator = Operator::new(
        vec![(service, connector(server))],
        Guard::default(),
        Arc::new(Catalog::built_in()),
        events,
    );
    (operator.with_history(history, required), stages)
}

fn start_plan() -> Intent {
    Intent {
        service: ServiceId(0),
        action: "start",
        target: Target {
            kind: TargetKind::Policy,
            id: "dbs1".to_owned(),
            name: "orders".to_owned(),
            native_status: "pause".to_owned(),
            phase: Phase::Unknown,
            operation: String::new(),
            object: String::new(),
            device: Ref::default(),
            policy: Ref::new("dbs1", "orders"),
            failure: None,
            raw: String::new(),
        },
        inputs: BTreeMap::new(),
    }
}

fn open(path: &Path) -> Arc<dyn History> {
    Arc::new(Sqlite::open(Options::file(path)))
}

fn only_story(history: &dyn History) -> ActionStory {
    let mut stories = history.actions(&ActionQuery::default()).expect("actions");
    assert_eq!(stories.len(), 1);
    stories.remove(0)
}

fn stages_of(story: &ActionStory) -> Vec<&str> {
    story.steps.iter().map(|s| s.step.stage.as_str()).collect()
}

async fn until(stages: &mut UnboundedReceiver<ActionEvent>, word: &str) -> ActionEvent {
    loop {
        let event = stages.recv().await.expect("a stage");
        if event.stage.word() == word {
            return event;
        }
    }
}

async fn ready(operator: &Operator) -> Prepared {
    operator
        .prepare(&start_plan())
        .await
        .expect("it can be prepared")
}

/// The program of an earlier run, which was killed while its request was on its way.
async fn killed_while_sending(server: &Scripted, path: &Path) -> Option<String> {
    let history = open(path);
    let (operator, mut stages) = operator(server, Arc::clone(&history), true);
    let prepared = ready(&operator).await;
    let token = prepared.idempotency_token.clone();
    let confirmed = operator.confirm(prepared, None).expect("it is confirmed");
    let sending = operator.clone();
    let task = tokio::spawn(async move { sending.send(confirmed).await });
    until(&mut stages, "sending").await;
    while !server.seen().iter().any(|s| action(s) == "StartBackupPlan") {
        tokio::task::yield_now().await;
    }
    task.abort();
    let _ = task.await;
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_only_when_it_is_on_the_disk() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let reader = open(&path);
    let on_disk = Arc::clone(&reader);
    let server = Scripted::start(move |seen, _| {
        if action(seen) == "StartBackupPlan" {
            // what another program finds in the file at this very moment
            let story = only_story(&*on_disk);
            assert_eq!(stages_of(&story), ["proposed", "confirmed", "sending"]);
            return good(json!({"BackupPlanId": "dbs1", "CreatedFullBackupsetId": "s9"}));
        }
        good(json!({}))
    })
    .await;
    let history = open(&path);
    let (operator, mut stages) = operator(&server, Arc::clone(&history), true);
    let prepared = ready(&operator).await;
    let confirmed = operator.confirm(prepared, None).expect("it is confirmed");
    operator.send(confirmed).await;
    let accepted = until(&mut stages, "accepted").await;
    operator.note(
        &ActionEvent {
            stage: Stage::Observed {
                task_id: "full_backup:dbs1:s9".to_owned(),
                phase: Phase::Succeeded,
                native_status: "finish".to_owned(),
            },
            follow: None,
            ..accepted
        },
        true,
    );
    history.save(Vec::new()).await.expect("saved");
    let story = only_story(&*reader);
    assert_eq!(
        stages_of(&story),
        ["proposed", "confirmed", "sending", "accepted", "succeeded"]
    );
    assert!(story.is_over());
    let taken = &story.steps[3].step;
    assert!(!taken.over, "its task is still to come");
    assert_eq!(taken.data["http_status"], 200);
    assert!(
        taken.data["answer"]
            .as_str()
            .is_some_and(|a| a.contains("s9"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_written_down_is_not_sent_unless_that_was_chosen() {
    let dir = TempDir::new().expect("a directory");
    // the directory can't be made where a file stands
    std::fs::write(dir.path().join("state"), "x").expect("written");
    let path = dir.path().join("state/history.db");
    let server = Scripted::start(|_, _| good(json!({}))).await;
    let sent = || {
        let seen = server.seen();
        seen.iter()
            .filter(|s| action(s) == "StartBackupPlan")
            .count()
    };
    for (required, stage, count) in [(true, "not sent", 0), (false, "accepted", 1)] {
        let history = open(&path);
        assert!(matches!(
            history.health().state,
            HistoryState::Failing { .. }
        ));
        let (operator, mut stages) = operator(&server, history, required);
        let prepared = ready(&operator).await;
        let confirmed = operator.confirm(prepared, None).expect("it is confirmed");
        operator.send(confirmed).await;
        let event = until(&mut stages, stage).await;
        if let Stage::NotSent { fault } = event.stage {
            let text = fault.to_string();
            assert!(text.contains("written down"), "{text}");
            assert!(text.contains("required = false"), "{text}");
        }
        assert_eq!(sent(), count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_sent_is_looked_for_and_never_sent_again() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let began = Arc::new(AtomicI64::new(0));
    let shown = Arc::clone(&began);
    let server = Scripted::start(move |seen, _| match action(seen).as_str() {
        "StartBackupPlan" => Say::Hang,
        "DescribeBackupPlanList" => good(json!({"Items": {"BackupPlanDetail": [
            {"BackupPlanId": "dbs1", "BackupPlanName": "orders", "BackupPlanStatus": "running"}]},
            "TotalElements": 1})),
        "DescribeFullBackupList" => good(json!({"Items": {"FullBackupFile": [
            {"BackupSetId": "s9", "BackupStatus": "running",
             "CreateTime": shown.load(Ordering::SeqCst)}]}, "TotalElements": 1})),
        _ => good(json!({})),
    })
    .await;
    killed_while_sending(&server, &path).await;
    began.store(Timestamp::now().0, Ordering::SeqCst);

    let history = open(&path);
    let (operator, mut stages) = operator(&server, Arc::clone(&history), true);
    let records = operator.take_over().expect("taken over");
    assert_eq!(records.len(), 1);
    assert!(records[0].is_lost());
    assert_eq!(records[0].prepared.intent.target.id, "dbs1");
    operator.resolve(&records[0]).await;
    let unknown = until(&mut stages, "outcome unknown").await;
    assert_eq!(unknown.id, records[0].id);
    let found = until(&mut stages, "was carried out").await;
    assert_eq!(
        found.follow.clone().map(|f| (f.task_ids, f.expects_task)),
        Some((vec!["full_backup:dbs1:s9".to_owned()], true))
    );
    // beside an action of this run
    let mut ledger = Ledger::default();
    let own = ActionId::random();
    ledger.begin(own, records[0].prepared.clone(), Timestamp::now());
    ledger.take_over(records.clone());
    ledger.apply(found);
    let word = |id| ledger.get(id).map(|r| r.stage().word());
    assert_eq!(word(records[0].id), Some("was carried out"));
    assert_eq!(word(own), Some("confirmed"));
    let sent = server.seen();
    let sent = sent.iter().filter(|s| action(s) == "StartBackupPlan");
    assert_eq!(sent.count(), 1, "sent once, by the run that was killed");
    // a third run follows it on: its task is not over
    drop((history, operator));
    let third = open(&path);
    assert_eq!(third.claim_open_actions().expect("claims").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_lost_request_is_used_again_by_a_later_run() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let server = Scripted::start(|seen, n| match action(seen).as_str() {
        "StartBackupPlan" if n == 0 => Say::Hang,
        _ => good(json!({"BackupPlanId": "dbs1"})),
    })
    .await;
    let token = killed_while_sending(&server, &path).await;
    assert!(token.is_some());

    let history = open(&path);
    let (operator, mut stages) = operator(&server, Arc::clone(&history), true);
    let again = ready(&operator).await;
    assert_eq!(again.idempotency_token, token);
    let warned = again.warnings.iter().any(|w| w.contains("same token"));
    assert!(warned, "{:?}", again.warnings);
    let confirmed = operator.confirm(again, None).expect("it is confirmed");
    operator.send(confirmed).await;
    until(&mut stages, "accepted").await;
    let seen = server.seen();
    let tokens: Vec<_> = seen
        .iter()
        .filter(|s| action(s) == "StartBackupPlan")
        .map(|s| s.query("ClientToken"))
        .collect();
    assert_eq!(tokens, [token.clone(), token.clone()]);
    // now that one was answered, the next wish is a new one
    history.save(Vec::new()).await.expect("saved");
    let next = ready(&operator).await;
    assert_ne!(next.idempotency_token, token);
    let warned = next
        .warnings
        .iter()
        .any(|w| w.contains("already: accepted"));
    assert!(warned, "{:?}", next.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_an_uncertain_task_is_told_that_it_may_still_run() {
    let server = Scripted::start(|_, _| good(json!({}))).await;
    let (operator, _stages) = operator(
        &server,
        Arc::new(crate::store::history::Off::default()),
        false,
    );
    let warned = |prepared: &Prepared| {
        let warnings = prepared.warnings.iter();
        warnings
            .filter(|w| w.contains("may still be running"))
            .count()
    };
    assert_eq!(warned(&ready(&operator).await), 0);
    let mut intent = start_plan();
    intent.target.phase = Phase::Uncertain;
    let prepared = operator.prepare(&intent).await.expect("it can be prepared");
    assert_eq!(warned(&prepared), 1, "{:?}", prepared.warnings);
}
