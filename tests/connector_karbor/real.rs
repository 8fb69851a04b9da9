//! The connector on a real Karbor: what its table of the console's needs says, row by row.
//!
//! `tests/real/run.sh` starts the server and runs this; alone it is ignored.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keepwatch::config::Config;
use keepwatch::connect::{Connector, Page, PageSink, PollContext, PollReport, TaskLook};
use keepwatch::kinds;
use keepwatch::model::{
    Fault, FaultKind, Found, Intent, Phase, Policy, Prepared, Ref, Rows, SendOutcome, ServiceId,
    Target, TargetKind, Task, Timestamp,
};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::sim_support::http;

const VOLUME: &str = "OS::Cinder::Volume";

/// How long the slowest machine may take for one run of a plan.
const PATIENCE: Duration = Duration::from_secs(180);

fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/real/run.sh"))
}

/// All pages of one round.
#[derive(Default)]
struct Pages(Rows);

#[async_trait::async_trait]
impl PageSink for Pages {
    async fn page(&mut self, _: u32, page: Page) -> bool {
        if let Page::Rows(rows) = page {
            self.0.devices.extend(rows.devices);
            self.0.policies.extend(rows.policies);
            self.0.tasks.extend(rows.tasks);
            self.0.bad.extend(rows.bad);
        }
        true
    }
}

fn open(endpoint: &str, page_size: usize) -> Arc<dyn Connector> {
    let known: Vec<_> = kinds::drivers().map(|d| d.kind).collect();
    let text = format!(
        r#"
[[service]]
name = "bank"
kind = "karbor"
endpoint = "{endpoint}"
[service.auth]
method = "keystone"
url = "{url}"
username = "{user}"
password = {{ env = "REAL_PASSWORD" }}
user_domain = "{domain}"
project = "{project}"
project_domain = "{domain}"
[service.options]
page_size = "{page_size}"
"#,
        url = setting("REAL_AUTH_URL"),
        user = setting("REAL_USERNAME"),
        domain = setting("REAL_DOMAIN"),
        project = setting("REAL_PROJECT"),
    );
    let config = Config::parse(&text, "real", Path::new("."), &known).expect("a configuration");
    let settings = config.services[0].settings(ServiceId(0)).expect("settings");
    let driver = kinds::driver(settings.kind).expect("it is registered");
    (driver.open)(&settings).expect("it opens")
}

/// One round of a feed by a connector that has shown nothing yet.
async fn fresh(
    endpoint: &str,
    page_size: usize,
    feed: &'static str,
) -> Result<(Rows, PollReport), Fault> {
    let mut pages = Pages::default();
    let report = open(endpoint, page_size)
        .poll(feed, PollContext::default(), &mut pages)
        .await?;
    Ok((pages.0, report))
}

/// A real Karbor with a few plans of our own in it.
struct Real {
    client: reqwest::Client,
    endpoint: String,
    token: String,
    connector: Arc<dyn Connector>,
    mark: String,
}

impl Real {
    async fn connect() -> Self {
        let client = http();
        let domain = json!({"name": setting("REAL_DOMAIN")});
        let answer = client
            .post(format!("{}/auth/tokens", setting("REAL_AUTH_URL")))
            .json(&json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": setting("REAL_USERNAME"), "password": setting("REAL_PASSWORD"), "domain": domain}}},
                "scope": {"project": {"name": setting("REAL_PROJECT"), "domain": domain}}}}))
            .send()
            .await
            .expect("Keystone answers");
        let token = answer.headers()["x-subject-token"]
            .to_str()
            .expect("text")
            .to_owned();
        let body: Value = answer.json().await.expect("JSON");
        let project = body["token"]["project"]["id"].as_str().expect("an id");
        let endpoint = format!("{}/v1/{project}", setting("REAL_KARBOR_URL"));
        Self {
            client,
            token,
            connector: open(&endpoint, 1000),
            endpoint,
            mark: Uuid::new_v4().simple().to_string(),
        }
    }

    /// One call of the setting up, which has to succeed.
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let mut request = self
            .client
            .request(
                method.parse().expect("a method"),
                format!("{}{path}", self.endpoint),
            )
            .header("x-auth-token", &self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("Karbor answers");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A plan over made-up things; its id.
    async fn plan(&self, name: &str, provider: &str, kind: &str) -> String {
        let resources: Vec<Value> = (0..2)
            .map(|n| json!({"id": Uuid::new_v4().to_string(), "type": kind, "name": format!("{name}-{n}")}))
            .collect();
        let body = json!({"plan": {"name": format!("{name}-{}", self.mark), "provider_id": setting(provider),
            "resources": resources, "parameters": {}}});
        text(&self.call("POST", "/plans", body).await["plan"]["id"])
    }

    /// A whole round of a feed.
    async fn read(&self, feed: &'static str) -> Rows {
        let (rows, report) = fresh(&self.endpoint, 1000, feed).await.expect(feed);
        assert!(
            report.complete && report.partial.is_empty(),
            "{feed}: {report:?}"
        );
        assert_eq!(rows.bad, [], "{feed}");
        rows
    }

    async fn policy(&self, plan: &str) -> Policy {
        let policies = self.read("plans").await.policies;
        policies
            .into_iter()
            .find(|p| p.id == plan)
            .expect("the plan")
    }

    /// Every task of a plan, the newest first.
    async fn tasks(&self, plan: &str) -> Vec<Task> {
        let mut tasks = self.read("recent").await.tasks;
        tasks.retain(|t| t.policy.as_ref().is_some_and(|p| p.id == plan));
        tasks
    }

    async fn prepared(&self, action: &str, target: Target) -> Result<Prepared, Fault> {
        let spec = self.connector.action(action).expect("an action");
        if let Err(why) = self.connector.available(spec, &target) {
            panic!("{action}: {why}");
        }
        let intent = Intent {
            service: ServiceId(0),
            action: spec.id,
            target,
            inputs: BTreeMap::new(),
        };
        self.connector.prepare(&intent).await
    }

    /// Why an action is not offered on this.
    fn refusal(&self, action: &str, target: &Target) -> String {
        let spec = self.connector.action(action).expect("an action");
        self.connector.available(spec, target).expect_err(action)
    }

    /// Does it, and follows the one task that it became to its end.
    async fn done(&self, action: &str, target: Target) -> Task {
        let prepared = self.prepared(action, target).await.expect(action);
        let sent_at = Timestamp::now();
        let outcome = self.connector.send(&prepared, &|_| {}).await;
        let SendOutcome::Accepted { follow, .. } = outcome else {
            panic!("{action}: {outcome:?}");
        };
        let [id] = follow.task_ids.as_slice() else {
            panic!("{action}: not one task: {follow:?}");
        };
        // what would be found had the answer been lost
        let found = self
            .connector
            .find(&prepared, sent_at)
            .await
            .expect("an answer");
        let Found::Done { task_ids, .. } = found else {
            panic!("{action}: {found:?}");
        };
        // a run that failed moments ago is among what was found
        assert!(
            task_ids.is_empty() || task_ids.contains(id),
            "{action}: {task_ids:?}"
        );
        let since = Instant::now();
        loop {
            let TaskLook::Found(task) = self.connector.look_up(id).await.expect("an answer") else {
                panic!("{action}: its log is gone");
            };
            if task.phase.is_over() {
                return *task;
            }
            assert!(since.elapsed() < PATIENCE, "{action} never ends: {task:?}");
            sleep(Duration::from_millis(500)).await;
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn on_policy(policy: &Policy) -> Target {
    Target {
        policy: Ref::new(policy.id.as_str(), policy.name.as_str()),
        raw: policy.raw.clone(),
        ..plain(
            TargetKind::Policy,
            &policy.id,
            &policy.name,
            &policy.native_status,
        )
    }
}

fn on_task(task: &Task) -> Target {
    Target {
        phase: task.phase,
        operation: task.operation.clone(),
        device: task.device.clone().unwrap_or_default(),
        policy: task.policy.clone().unwrap_or_default(),
        failure: task.failure.clone(),
        raw: task.raw.clone(),
        ..plain(TargetKind::Task, &task.id, "", &task.native_status)
    }
}

fn plain(kind: TargetKind, id: &str, name: &str, native_status: &str) -> Target {
    Target {
        native_status: native_status.to_owned(),
        ..Target::new(kind, id, name)
    }
}

#[tokio::test]
#[ignore = "needs a real Karbor: tests/real/run.sh starts one"]
async fn plans_schedules_and_devices_are_read_whatever_the_size_of_a_page() {
    let real = Real::connect().await;
    let plan = real.plan("nightly", "REAL_KARBOR_GOOD", VOLUME).await;
    let unscheduled = real.plan("by-hand", "REAL_KARBOR_GOOD", VOLUME).await;
    let pattern = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY;BYHOUR=2;BYMINUTE=5;BYSECOND=0\r\nEND:VEVENT\r\nEND:VCALENDAR";
    let body = json!({"trigger_info": {"name": "daily", "type": "time",
        "properties": {"format": "calendar", "pattern": pattern, "window": 30, "start_time": "2090-01-01 00:00:00"}}});
    let trigger = text(&real.call("POST", "/triggers", body).await["trigger_info"]["id"]);
    let body = json!({"scheduled_operation": {"name": "nightly", "operation_type": "protect", "trigger_id": trigger,
        "operation_definition": {"provider_id": setting("REAL_KARBOR_GOOD"), "plan_id": plan}}});
    let operation = real.call("POST", "/scheduled_operations", body).await;
    let operation = text(&operation["scheduled_operation"]["id"]);

    let rows = real.read("plans").await;
    let of = |id: &str| rows.policies.iter().find(|p| p.id == id).expect("the plan");
    let policy = of(&plan);
    assert_eq!(policy.native_status, "suspended");
    assert_eq!(policy.enabled, Some(true));
    assert_eq!(policy.schedule, "daily 02:05 UTC");
    assert_eq!(
        policy.next_run.map(Timestamp::rfc3339).as_deref(),
        Some("2090-01-01T02:05:00.000Z")
    );
    assert_eq!(
        (of(&unscheduled).enabled, of(&unscheduled).next_run),
        (None, None)
    );
    assert_eq!(policy.device_ids.len(), 2);
    for id in &policy.device_ids {
        let device = rows.devices.iter().find(|d| d.id == *id).expect("the disk");
        assert_eq!(
            (device.what, device.policy_ids.as_slice()),
            ("volume", [plan.clone()].as_slice())
        );
    }
    let (small, report) = fresh(&real.endpoint, 1, "plans")
        .await
        .expect("pages of one row");
    assert!(report.complete);
    assert!(report.pages > 2, "the list goes on after a full page");
    // the other tests come and go with plans of their own
    for plan in [&plan, &unscheduled] {
        let same = small.policies.iter().filter(|p| p.id == *plan);
        assert_eq!(same.collect::<Vec<_>>(), [of(plan)]);
    }

    real.call(
        "DELETE",
        &format!("/scheduled_operations/{operation}"),
        Value::Null,
    )
    .await;
    real.call("DELETE", &format!("/triggers/{trigger}"), Value::Null)
        .await;
    assert_eq!(real.policy(&plan).await.enabled, None);
    for id in [plan, unscheduled] {
        real.call("DELETE", &format!("/plans/{id}"), Value::Null)
            .await;
    }
}

#[tokio::test]
#[ignore = "needs a real Karbor: tests/real/run.sh starts one"]
async fn a_plan_is_run_restored_and_its_checkpoint_deleted() {
    let real = Real::connect().await;
    let plan = real.plan("good", "REAL_KARBOR_GOOD", VOLUME).await;
    let backup = real
        .done("run-plan", on_policy(&real.policy(&plan).await))
        .await;
    assert_eq!(
        (backup.native_status.as_str(), backup.phase),
        ("available", Phase::Succeeded)
    );
    assert_eq!(backup.operation, "backup");
    assert!(backup.started_at.is_some() && backup.ended_at >= backup.started_at);
    let told = real.tasks(&plan).await;
    assert_eq!(told.len(), 1, "it ran once: {told:?}");
    assert_eq!(told[0].id, backup.id);
    assert!(
        real.refusal("run-again", &on_task(&backup))
            .contains("good")
    );

    let restore = real.done("restore", on_task(&backup)).await;
    assert_eq!(
        (restore.operation.as_str(), restore.native_status.as_str()),
        ("restore", "success")
    );

    let deletion = real.done("delete-checkpoint", on_task(&backup)).await;
    assert_eq!(
        (deletion.operation.as_str(), deletion.native_status.as_str()),
        ("delete", "deleted")
    );
    // a deleted checkpoint can still be asked for, and is seen to be one
    let fault = real
        .prepared("restore", on_task(&backup))
        .await
        .expect_err("it is gone");
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.what.contains("deleted"), "{fault}");
    real.call("DELETE", &format!("/plans/{plan}"), Value::Null)
        .await;
    let fault = real.prepared("run-plan", {
        let mut gone = plain(TargetKind::Policy, &plan, "good", "suspended");
        gone.policy = Ref::new(plan.as_str(), "good");
        gone
    });
    assert!(fault.await.expect_err("it is gone").what.contains("gone"));
}

#[tokio::test]
#[ignore = "needs a real Karbor: tests/real/run.sh starts one"]
async fn a_failure_has_no_reason_is_repeated_and_can_be_deleted() {
    let real = Real::connect().await;
    let plan = real.plan("broken", "REAL_KARBOR_BROKEN", VOLUME).await;
    let failed = real
        .done("run-plan", on_policy(&real.policy(&plan).await))
        .await;
    assert_eq!(
        (failed.native_status.as_str(), failed.phase),
        ("error", Phase::Failed)
    );
    assert_eq!(failed.failure, None);
    assert!(
        failed
            .facts
            .iter()
            .any(|(label, text)| *label == "Reason" && text.contains("gives none"))
    );
    assert!(
        real.read("failed")
            .await
            .tasks
            .iter()
            .any(|t| t.id == failed.id)
    );
    assert!(
        real.refusal("restore", &on_task(&failed))
            .contains("available")
    );
    let again = real.done("run-again", on_task(&failed)).await;
    assert_eq!(again.phase, Phase::Failed);
    assert_ne!(again.id, failed.id, "a run of its own");
    // there is no Cinder to delete anything from
    let deletion = real.done("delete-failed", on_task(&failed)).await;
    assert_eq!(
        (deletion.operation.as_str(), deletion.native_status.as_str()),
        ("delete", "error-deleting")
    );
    assert_eq!(deletion.phase, Phase::Failed);
    real.call("DELETE", &format!("/plans/{plan}"), Value::Null)
        .await;
}

#[tokio::test]
#[ignore = "needs a real Karbor: tests/real/run.sh starts one"]
async fn what_karbor_refuses_is_told_in_its_words() {
    let real = Real::connect().await;
    let plan = real
        .plan(
            "unprotectable",
            "REAL_KARBOR_BROKEN",
            "OS::Keystone::Project",
        )
        .await;
    let target = on_policy(&real.policy(&plan).await);
    let prepared = real
        .prepared("run-plan", target)
        .await
        .expect("a plan like any other");
    let outcome = real.connector.send(&prepared, &|_| {}).await;
    let SendOutcome::Refused { code, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (code.code.as_str(), code.http_status),
        ("badRequest", Some(400))
    );
    assert!(
        code.message
            .contains("Protection Plugin for OS::Keystone::Project could not be found"),
        "{code:?}"
    );
    // it leaves a run behind that never ends
    let running = real.read("running").await.tasks;
    let left = running
        .iter()
        .find(|t| t.policy.as_ref().is_some_and(|p| p.id == plan))
        .expect("among the running ones");
    assert_eq!(
        (left.native_status.as_str(), left.phase),
        ("protecting", Phase::Running)
    );
    assert!(
        real.refusal("run-again", &on_task(left))
            .contains("not ended")
    );
    real.call("DELETE", &format!("/plans/{plan}"), Value::Null)
        .await;
    assert_eq!(
        real.connector.look_up(&plan).await.expect("an answer"),
        TaskLook::Gone
    );
    let other = format!(
        "{}/v1/{}",
        setting("REAL_KARBOR_URL"),
        Uuid::new_v4().simple()
    );
    let fault = fresh(&other, 1000, "plans")
        .await
        .expect_err("another project");
    assert_eq!(
        fault.code.as_ref().map(|c| c.code.as_str()),
        Some("badRequest"),
        "{fault}"
    );
    assert!(fault.advice.contains("project"), "{fault}");
}
