//! The CSBS connector against the embedded CSBS: two readings of the same documents, written apart.

mod faults;
#[path = "../sim_support/mod.rs"]
mod sim_support;
mod storm;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use keepwatch::catalog::{Catalog, Question};
use keepwatch::connect::{
    AuthSettings, Connector, Page, PageSink, PollContext, Secret, Settings, TaskLook, TlsSettings,
};
use keepwatch::kinds;
use keepwatch::model::{
    Found, Intent, Kind, Phase, Prepared, Rows, SendOutcome, ServiceId, Target, Task, Timestamp,
};
use keepwatch::sim::{SimOptions, csbs};
use serde_json::{Value, json};
use sim_support::{Client, calm};

const KIND: Kind = Kind("csbs");

/// Collects what a round shows; an unchanged page shows what it showed last time, as in the store.
#[derive(Default)]
struct Pages {
    rows: Rows,
    of: Option<(usize, &'static str)>,
}

type Held = HashMap<(usize, &'static str, u32), Rows>;

static HELD: LazyLock<Mutex<Held>> = LazyLock::new(Mutex::default);

#[async_trait::async_trait]
impl PageSink for Pages {
    async fn page(&mut self, number: u32, page: Page) -> bool {
        let mut held = HELD.lock().expect("no test panics in here");
        let key = self.of.map(|(connector, feed)| (connector, feed, number));
        let rows = match (page, key) {
            (Page::Rows(rows), None) => rows,
            (Page::Rows(rows), Some(key)) => {
                held.insert(key, rows.clone());
                rows
            }
            (Page::Same, key) => {
                let key = key.expect("the first round of a connector knows no page");
                held.get(&key)
                    .cloned()
                    .expect("a page that was shown before")
            }
        };
        self.rows.devices.extend(rows.devices);
        self.rows.policies.extend(rows.policies);
        self.rows.tasks.extend(rows.tasks);
        self.rows.bad.extend(rows.bad);
        true
    }
}

fn settings(client: &Client) -> Settings {
    Settings {
        id: ServiceId(0),
        name: "otc-eu".into(),
        kind: KIND,
        endpoint: None,
        auth: AuthSettings::KeystonePassword {
            url: client.running.keystone.endpoint.clone(),
            username: "operator".into(),
            password: Secret::new("demo-password"),
            user_domain: "Default".into(),
            project: "backup-demo".into(),
            project_domain: String::new(),
            project_id: String::new(),
        },
        tls: TlsSettings::default(),
        region: "eu-de".into(),
        rate_per_minute: Some(100_000),
        timeout_ms: 10_000,
        max_body: 32 * 1024 * 1024,
        history_hours: 24,
        options: BTreeMap::new(),
    }
}

fn open(settings: &Settings) -> Arc<dyn Connector> {
    let driver = kinds::driver(KIND).expect("csbs is registered");
    (driver.open)(settings).expect("opens")
}

async fn start(options: SimOptions) -> (Client, Arc<dyn Connector>) {
    let client = Client::start(options, csbs::ENTRY).await;
    let connector = open(&settings(&client));
    (client, connector)
}

async fn read(connector: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let of = Arc::as_ptr(connector).cast::<()>().addr();
    let mut pages = Pages {
        of: Some((of, feed)),
        ..Pages::default()
    };
    let report = connector
        .poll(feed, PollContext::default(), &mut pages)
        .await
        .unwrap_or_else(|fault| panic!("{feed}: {fault}"));
    assert!(report.complete, "{feed}: {report:?}");
    assert_eq!(pages.rows.bad, [], "{feed}");
    pages.rows
}

fn target(connector: &Arc<dyn Connector>, action: &str, id: &str, name: &str) -> Intent {
    let spec = connector.action(action).expect("an action");
    Intent {
        service: ServiceId(0),
        action: spec.id,
        target: Target::new(spec.target, id, name),
        inputs: BTreeMap::new(),
    }
}

fn on_task(connector: &Arc<dyn Connector>, action: &str, task: &Task) -> Intent {
    let mut intent = target(connector, action, &task.id, "x");
    let t = &mut intent.target;
    t.native_status.clone_from(&task.native_status);
    t.phase = task.phase;
    t.operation.clone_from(&task.operation);
    t.device = task.device.clone().unwrap_or_default();
    t.policy = task.policy.clone().unwrap_or_default();
    t.failure.clone_from(&task.failure);
    t.raw.clone_from(&task.raw);
    let spec = connector.action(action).expect("an action");
    connector
        .available(spec, &intent.target)
        .unwrap_or_else(|why| panic!("{action}: {why}"));
    intent
}

async fn prepare(connector: &Arc<dyn Connector>, intent: &Intent) -> Prepared {
    connector
        .prepare(intent)
        .await
        .unwrap_or_else(|fault| panic!("{}: {fault}", intent.action))
}

/// Sends and gives the ids of the tasks that it became.
async fn send(connector: &Arc<dyn Connector>, prepared: &Prepared) -> Vec<String> {
    match connector.send(prepared, &|_| {}).await {
        SendOutcome::Accepted { follow, .. } => follow.task_ids,
        other => panic!("{other:?}"),
    }
}

async fn look(connector: &Arc<dyn Connector>, id: &str) -> Task {
    match connector.look_up(id).await.expect("answers") {
        TaskLook::Found(task) => *task,
        other => panic!("{id}: {other:?}"),
    }
}

/// Backs a server up to the end; its task.
async fn backed_up(client: &Client, connector: &Arc<dyn Connector>, server: &str) -> Task {
    let id = client.id_of(server);
    let prepared = prepare(connector, &target(connector, "back-up", &id, server)).await;
    let tasks = send(connector, &prepared).await;
    assert_eq!(tasks.len(), 1);
    client.advance(600);
    look(connector, &tasks[0]).await
}

#[tokio::test]
async fn the_whole_demo_world_is_read_and_explained() {
    let options = SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    };
    let (client, csbs) = start(options).await;
    client.advance(3_600);
    let policies = read(&csbs, "policies").await;
    assert!(policies.policies.len() > 8);
    assert!(policies.devices.len() > 8);
    for policy in &policies.policies {
        assert!(
            policy.enabled.is_some() && !policy.schedule.is_empty(),
            "{policy:?}"
        );
        assert_eq!(
            policy.next_run.is_some(),
            policy.enabled == Some(true),
            "{policy:?}"
        );
    }
    let running = read(&csbs, "running").await;
    assert!(running.tasks.iter().all(|t| t.phase.is_live()));
    assert!(running.tasks.iter().any(|t| t.progress.is_some()));
    let all = read(&csbs, "recent").await;
    assert!(all.tasks.len() > 300, "{}", all.tasks.len());
    let known = all.tasks.iter().map(|t| t.phase);
    assert!(known.clone().any(|p| p == Phase::Succeeded));
    assert!(known.clone().all(|p| p != Phase::Unknown));
    let runs = read(&csbs, "policy-runs").await;
    assert!(runs.tasks.len() > 50 && runs.tasks.iter().all(|t| t.policy.is_some()));
    let good = read(&csbs, "last-good").await;
    // a server is told again only when something new is known of it
    let told = [
        &policies.devices,
        &running.devices,
        &all.devices,
        &runs.devices,
        &good.devices,
    ];
    let mut told = told.into_iter().flatten();
    assert!(told.any(|d| d.last_success.is_some()));
    let failed = read(&csbs, "failed").await;
    assert!(failed.tasks.len() > 5);
    let catalog = Catalog::built_in();
    for task in &failed.tasks {
        assert_eq!(task.phase, Phase::Failed);
        let failure = task.failure.as_ref().expect("a reason");
        let readings = catalog.explain(&Question::from_code(Some("csbs"), failure));
        assert!(!readings.is_empty(), "{failure:?}");
    }
}

#[tokio::test]
async fn odd_shapes_are_read_the_same() {
    let options = SimOptions {
        start: calm().start,
        speed: 0.0,
        ..SimOptions::default()
    };
    let (client, plain) = start(options).await;
    let key = |rows: Rows| {
        let mut keys: Vec<_> = rows
            .tasks
            .into_iter()
            .map(|t| {
                (
                    t.id,
                    t.phase,
                    t.started_at,
                    t.failure.map(|f| (f.code, f.message)),
                )
            })
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        keys
    };
    let shape = |rows: Rows| {
        let mut policies: Vec<_> = rows
            .policies
            .into_iter()
            .map(|p| (p.id, p.enabled, p.schedule, p.device_ids, p.facts))
            .collect();
        policies.sort();
        policies
    };
    let expected = key(read(&plain, "recent").await);
    let policies = shape(read(&plain, "policies").await);
    for switch in [
        ("csbs.adversarial", "on"),
        ("csbs.numbers", "text"),
        ("csbs.fail_code", "number"),
        ("csbs.fail_code", "digits"),
        ("csbs.links", "on"),
        ("csbs.policy_status", "documented"),
        ("csbs.variant", "huawei"),
    ] {
        client.switch(switch.0, switch.1);
        let mut small = settings(&client);
        small.options.insert("page_size".into(), "50".into());
        let csbs = open(&small);
        assert_eq!(key(read(&csbs, "recent").await), expected, "{switch:?}");
        assert_eq!(shape(read(&csbs, "policies").await), policies, "{switch:?}");
    }
}

#[tokio::test]
async fn a_backup_by_hand_is_seen_from_its_start_to_its_end() {
    let (client, csbs) = start(calm()).await;
    let id = client.id_of("ecs-web-01");
    let mut intent = target(&csbs, "back-up", &id, "ecs-web-01");
    intent
        .inputs
        .insert("backup_name".into(), "before-update".into());
    let prepared = prepare(&csbs, &intent).await;
    let tasks = send(&csbs, &prepared).await;
    client.advance(20);
    let running = read(&csbs, "running").await;
    assert_eq!(running.tasks[0].id, tasks[0]);
    assert!(running.tasks[0].progress.is_some_and(|p| p > 0 && p < 100));
    assert_eq!(running.devices[0].name, "ecs-web-01");
    client.advance(600);
    assert_eq!(read(&csbs, "running").await.tasks, []);
    let task = look(&csbs, &tasks[0]).await;
    assert_eq!(
        (task.phase, task.native_status.as_str()),
        (Phase::Succeeded, "available")
    );
    assert!(
        task.facts
            .iter()
            .any(|(k, v)| *k == "Backup" && v == "before-update")
    );
    assert_eq!(client.counted("csbs.backup.started"), 1);
}

#[tokio::test]
async fn a_refusal_is_told_before_anything_is_sent_and_ends_with_its_reason() {
    let (client, csbs) = start(calm()).await;
    let id = client.id_of("ecs-web-01");
    let intent = target(&csbs, "back-up", &id, "ecs-web-01");
    client.server("ecs-web-01", json!({"volumes": [{"shared": true}]}));
    let fault = csbs.prepare(&intent).await.expect_err("a shared disk");
    assert_eq!(fault.code.map(|c| c.code).as_deref(), Some("CSBS.6010"));
    client.server("ecs-web-01", json!({"volumes": [{"shared": false}]}));
    let prepared = prepare(&csbs, &intent).await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "csbs.backups", "limit": 0}),
    );
    let SendOutcome::Refused { code, .. } = csbs.send(&prepared, &|_| {}).await else {
        panic!("the quota is full");
    };
    assert_eq!(
        (code.code.as_str(), code.http_status),
        ("CSBS.9006", Some(400))
    );
    assert_eq!(client.counted("csbs.backup.started"), 0);
}

#[tokio::test]
async fn a_failed_backup_is_repeated_and_then_deleted() {
    let (client, csbs) = start(calm()).await;
    client.switch("csbs.backend", "down");
    let failed = backed_up(&client, &csbs, "ecs-web-01").await;
    assert_eq!(failed.phase, Phase::Failed);
    assert_eq!(
        failed.failure.as_ref().map(|f| f.code.as_str()),
        Some("CSBS.9999")
    );
    let listed = read(&csbs, "failed").await.tasks;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0].id, &listed[0].failure),
        (&failed.id, &failed.failure)
    );
    client.switch("csbs.backend", "up");
    let again = prepare(&csbs, &on_task(&csbs, "back-up-again", &failed)).await;
    let tasks = send(&csbs, &again).await;
    client.advance(600);
    assert_eq!(look(&csbs, &tasks[0]).await.phase, Phase::Succeeded);
    assert_eq!(
        read(&csbs, "failed").await.tasks.len(),
        1,
        "the failed one stays"
    );
    let clear = prepare(&csbs, &on_task(&csbs, "delete-failed", &failed)).await;
    let tasks = send(&csbs, &clear).await;
    assert_eq!(read(&csbs, "running").await.tasks[0].id, tasks[0]);
    client.advance(600);
    assert_eq!(look(&csbs, &tasks[0]).await.phase, Phase::Succeeded);
    assert_eq!(read(&csbs, "failed").await.tasks, []);
}

#[tokio::test]
async fn what_a_restore_left_is_told_as_far_as_it_can_be() {
    for (leaves, phase) in [
        ("marked", Phase::Failed),
        ("error", Phase::Failed),
        ("silent", Phase::Uncertain),
    ] {
        let (client, csbs) = start(calm()).await;
        client.switch("csbs.failed_restore", leaves);
        let backup = backed_up(&client, &csbs, "ecs-web-01").await;
        let mut intent = on_task(&csbs, "restore", &backup);
        intent.inputs.insert("power_on".into(), "yes".into());
        let tasks = send(&csbs, &prepare(&csbs, &intent).await).await;
        let running = read(&csbs, "running").await.tasks;
        assert_eq!(running[0].id, tasks[0]);
        assert_eq!(running[0].operation, "restore");
        client.switch("csbs.backend", "down");
        client.advance(3_600);
        let ended = look(&csbs, &tasks[0]).await;
        assert_eq!(ended.phase, phase, "{leaves}: {ended:?}");
        assert_eq!(ended.failure.is_some(), phase == Phase::Failed, "{leaves}");
        let listed = read(&csbs, "recent").await.tasks;
        let shown = listed.iter().find(|t| t.id == tasks[0]).map(|t| t.phase);
        assert_eq!(
            shown,
            (leaves != "silent").then_some(Phase::Failed),
            "{leaves}"
        );
    }
}

async fn make_policy(client: &Client, servers: &[&str]) -> String {
    let resources: Vec<Value> = servers
        .iter()
        .map(|s| json!({"id": client.id_of(s), "type": "OS::Nova::Server", "name": s}))
        .collect();
    let pattern = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:FREQ=DAILY;BYHOUR=1;BYMINUTE=30\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (status, body) = client
        .call("POST", "/policies", json!({"policy": {
            "name": "daily", "provider_id": "fc4d5750-22e7-4798-8a46-f48f62c4c1da", "parameters": {"common": {}},
            "resources": resources, "scheduled_operations": [{"name": "op", "enabled": true, "operation_type": "backup",
                "operation_definition": {"max_backups": 3, "retention_duration_days": -1},
                "trigger": {"properties": {"pattern": pattern}}}]}}))
        .await;
    assert_eq!(status, 200, "{body}");
    body["policy"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_policy_is_run_and_its_runs_are_known_as_its_own() {
    let (client, csbs) = start(calm()).await;
    let id = make_policy(&client, &["ecs-web-01", "ecs-web-02"]).await;
    let policies = read(&csbs, "policies").await;
    assert_eq!(policies.policies[0].schedule, "daily 01:30 UTC");
    assert_eq!(
        policies.policies[0]
            .next_run
            .map(Timestamp::rfc3339)
            .as_deref(),
        Some("2026-03-05T01:30:00.000Z")
    );
    assert_eq!(policies.devices.len(), 2);
    let prepared = prepare(&csbs, &target(&csbs, "run-policy", &id, "daily")).await;
    let tasks = send(&csbs, &prepared).await;
    assert_eq!(tasks.len(), 2);
    let running = read(&csbs, "running").await.tasks;
    assert!(
        running
            .iter()
            .all(|t| t.policy.as_ref().is_some_and(|p| p.id == id)),
        "{running:?}"
    );
    // A second run while the first goes on is refused with HTTP 500, and it is a refusal all the same.
    let SendOutcome::Refused { code, .. } = csbs.send(&prepared, &|_| {}).await else {
        panic!("busy");
    };
    assert_eq!(
        (code.code.as_str(), code.http_status),
        ("CSBS.1001", Some(500))
    );
    client.advance(2 * 3_600);
    let fresh = open(&settings(&client));
    let runs = read(&fresh, "policy-runs").await.tasks;
    assert_eq!(runs.len(), 4, "by hand and by the schedule");
    assert!(
        runs.iter()
            .all(|t| t.policy.as_ref().is_some_and(|p| p.name == "daily"))
    );
    assert_eq!(
        read(&csbs, "policies").await.policies[0]
            .next_run
            .map(Timestamp::rfc3339)
            .as_deref(),
        Some("2026-03-06T01:30:00.000Z"),
        "although the service's answer is the same as before"
    );
}

#[tokio::test]
async fn a_schedule_is_switched_without_losing_anything() {
    for missing in ["keep", "reset"] {
        let (client, csbs) = start(calm()).await;
        client.switch("csbs.put_missing", missing);
        let id = make_policy(&client, &["ecs-web-01"]).await;
        let before = client.get(&format!("/policies/{id}")).await;
        for (action, on) in [("disable", false), ("enable", true)] {
            let prepared = prepare(&csbs, &target(&csbs, action, &id, "daily")).await;
            send(&csbs, &prepared).await;
            assert_eq!(read(&csbs, "policies").await.policies[0].enabled, Some(on));
            let found = csbs
                .find(&prepared, Timestamp::now())
                .await
                .expect("answers");
            assert!(matches!(found, Found::Done { .. }), "{found:?}");
        }
        let mut after = client.get(&format!("/policies/{id}")).await;
        for operation in ["operation_definition", "name", "enabled"] {
            let path = format!("/policy/scheduled_operations/0/{operation}");
            assert_eq!(
                after.pointer(&path),
                before.pointer(&path),
                "{missing} {operation}"
            );
        }
        let pattern = "/policy/scheduled_operations/0/trigger/properties/pattern";
        assert_eq!(after.pointer(pattern), before.pointer(pattern));
        assert_eq!(
            after["policy"]["resources"].take(),
            before["policy"]["resources"]
        );
    }
}
