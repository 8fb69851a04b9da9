//! The connector over a scripted server and an inbox in a temporary folder.

mod events;
mod execute;
mod lists;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::inbox::{Inbox, Record};
use super::{DRIVER, EVENTS, KIND, PLANS};
use crate::connect::scripted::{Kept, Say, Scripted, Seen, poll, settings};
use crate::connect::{AuthSettings, Connector, PollContext, PollReport, Secret};
use crate::model::{Intent, Phase, Ref, ServiceId, Target, TargetKind, Task, Timestamp};

/// A DPOD with plans and, in a folder of its own, the events of its scripts.
struct Site {
    server: Scripted,
    dir: tempfile::TempDir,
}

impl Site {
    async fn new(script: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Self {
        Self {
            server: Scripted::start(move |seen, _| script(seen)).await,
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// One that lists `nightly` and takes every execute.
    async fn usual() -> Self {
        Self::new(usual).await
    }

    fn connect_with(&self, options: &[(&str, &str)]) -> Arc<dyn Connector> {
        let mut s = settings(KIND, Some(self.server.url.clone()));
        s.auth = AuthSettings::Basic {
            username: "operator".into(),
            password: Secret::new("pw"),
        };
        s.options
            .insert("inbox".into(), self.dir.path().to_str().unwrap().to_owned());
        for (name, value) in options {
            s.options.insert((*name).into(), (*value).into());
        }
        (DRIVER.open)(&s).unwrap()
    }

    fn connect(&self) -> Arc<dyn Connector> {
        self.connect_with(&[])
    }

    /// A script reports at this time.
    fn report(&self, at: Timestamp, args: &[&str]) {
        let args = args.iter().map(|a| (*a).to_owned()).collect();
        Inbox::of(self.dir.path(), "test")
            .append(&Record::script(at, args))
            .unwrap();
    }
}

fn plan(name: &str, uri: &str) -> serde_json::Value {
    json!({"name": name, "description": "", "URI": uri, "lastUpdateTime": 1_700_000_000_000_i64})
}

fn usual(seen: &Seen) -> Say {
    let rows = match seen.path() {
        "/op/api/v1/backupplan/" => json!([plan("nightly", "/op/api/v1/backupplan/ref-1")]),
        "/op/api/v1/syncplan/" => json!([plan("to-dr", "/op/api/v1/syncplan/ref-2")]),
        "/op/api/v1/firmwareupgradeplan/" => {
            json!([plan("to-10.5", "/op/api/v1/firmwareupgradeplan/REF-3")])
        }
        path if seen.method == "POST" && path.ends_with("/execute") => {
            return Say::json(
                200,
                r#"{"resultCode":"SUCCESS","resultErrorCode":"SUCCESS","resultMessage":"Backup plan added to execution queue"}"#,
            );
        }
        _ => return Say::Reply(404, vec![], vec![]),
    };
    Say::json(200, json!({ "plans": rows }).to_string())
}

async fn poll_since(
    connector: &dyn Connector,
    feed: &'static str,
    changed_since: Option<Timestamp>,
) -> (Kept, PollReport) {
    let mut kept = Kept::default();
    let context = PollContext {
        changed_since,
        ..PollContext::default()
    };
    let report = connector.poll(feed, context, &mut kept).await.unwrap();
    (kept, report)
}

/// Everything that the inbox adds up to.
async fn tasks(connector: &dyn Connector) -> Vec<Task> {
    poll(connector, EVENTS).await.0.rows.tasks
}

fn by_id<'a>(tasks: &'a [Task], id: &str) -> &'a Task {
    tasks.iter().find(|t| t.id == id).unwrap_or_else(|| {
        panic!(
            "no {id} in {:?}",
            tasks.iter().map(|t| &t.id).collect::<Vec<_>>()
        )
    })
}

fn the_run(tasks: &[Task]) -> &Task {
    let runs: Vec<_> = tasks.iter().filter(|t| t.object == "plan").collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0]
}

fn says(task: &Task, part: &str) -> bool {
    task.facts.iter().any(|(_, value)| value.contains(part))
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now().plus(-minutes * 60_000)
}

fn intent(action: &'static str, target: Target) -> Intent {
    Intent {
        service: ServiceId(0),
        action,
        target,
        inputs: BTreeMap::new(),
    }
}

/// What the console would hand in for a task of the board.
fn target_of(task: &Task) -> Target {
    Target {
        native_status: task.native_status.clone(),
        phase: task.phase,
        operation: task.operation.clone(),
        object: task.object.clone(),
        device: task.device.clone().unwrap_or_default(),
        policy: task.policy.clone().unwrap_or_default(),
        failure: task.failure.clone(),
        raw: task.raw.clone(),
        ..Target::new(
            TargetKind::Task,
            &task.id,
            task.device.as_ref().map_or("", |d| d.label()),
        )
    }
}
