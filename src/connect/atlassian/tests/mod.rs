//! The Atlassian connector over a scripted server: the published samples, every trap of the interface, and what is
//! said where nothing is published.

mod acting;
mod configured;
mod paging;
mod rate;
mod reading;
mod refused;
mod standing;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{DRIVER, KIND, POLICIES, TASKS};
use crate::connect::scripted::{Pages, Say, Scripted, Seen, settings};
use crate::connect::{AuthSettings, Connector, PollContext, PollReport, Secret, Settings};
use crate::model::{
    ActionSpec, Fault, FaultKind, Intent, Phase, Ref, Rows, ServiceId, Target, TargetKind,
    Timestamp,
};

const POLICY: &str = include_str!("../../../../tests/fixtures/atlassian/policy.json");
const ACTIVATE: &str = include_str!("../../../../tests/fixtures/atlassian/activate.json");
const ERRORS: &str = include_str!("../../../../tests/fixtures/atlassian/errors.json");

/// Where everything stands below the server.
const BASE: &str = "/public/backup-management/v2/orgs/org-1";

fn configure(server: &Scripted) -> Settings {
    let mut s = settings(KIND, Some(server.url.clone()));
    s.auth = AuthSettings::Basic {
        username: "admin@example.org".into(),
        password: Secret::new("api-token"),
    };
    s.options.insert("org_id".into(), "org-1".into());
    s.options.insert("account_id".into(), "acc-7".into());
    s
}

fn open(settings: &Settings) -> Arc<dyn Connector> {
    (DRIVER.open)(settings).unwrap()
}

fn connect(server: &Scripted) -> Arc<dyn Connector> {
    open(&configure(server))
}

fn connect_with(server: &Scripted, options: &[(&str, &str)]) -> Arc<dyn Connector> {
    let mut s = configure(server);
    for (name, value) in options {
        s.options.insert((*name).into(), (*value).into());
    }
    open(&s)
}

/// The path of a request below the organisation.
fn below(seen: &Seen) -> String {
    seen.path()
        .strip_prefix(BASE)
        .unwrap_or("elsewhere")
        .trim_start_matches('/')
        .to_owned()
}

async fn poll(
    connector: &Arc<dyn Connector>,
    feed: &'static str,
) -> (Result<PollReport, Fault>, Rows) {
    let mut pages = Pages::default();
    let report = connector
        .poll(feed, PollContext::default(), &mut pages)
        .await;
    (report, pages.rows())
}

/// A round that has to be whole; its rows.
async fn read(connector: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let (report, rows) = poll(connector, feed).await;
    let report = report.unwrap_or_else(|fault| panic!("{feed}: {fault}"));
    assert!(report.complete, "{feed}: {report:?}");
    assert_eq!(report.partial, [], "{feed}");
    assert_eq!(rows.bad, [], "{feed}");
    rows
}

fn listed(key: &str, rows: &[Value]) -> Say {
    Say::json(
        200,
        json!({key: rows, "totalItems": rows.len()}).to_string(),
    )
}

/// Of a policy what its list and its record tell alike.
fn policy(id: &str, status: &str) -> Value {
    json!({"policyId": id, "policyName": format!("{id} nightly"),
        "cloudInfo": {"cloudId": "c1", "cloudUrl": "https://acme.atlassian.net", "cloudName": "acme"},
        "productType": "JIRA", "status": status,
        "details": {"storageId": "s1",
            "scheduleDetails": {"interval": "DAILY", "startDate": "2026-11-01", "scheduleSlot": "02:30"}},
        "createdAt": "2026-10-30T08:00:00Z", "createdBy": "acc-7"})
}

/// A policy with its backups as the record tells them on request.
fn policy_told(id: &str, last: &str, available: i64) -> Value {
    let mut policy = policy(id, "ACTIVE");
    policy["details"]["backupDetails"] =
        json!({"lastBackupTime": last, "totalAvailableBackups": available});
    policy
}

fn backup(id: &str, status: &str, created: &str, changed: &str) -> Value {
    json!({"backupId": id, "name": format!("backup {id}"), "cloudId": "c1", "product": "JIRA",
        "status": status, "createdAt": created, "lastUpdatedAt": changed})
}

/// A server of one active policy `p1`: the script answers what follows the organisation's id, and what it leaves
/// out is an empty list.
async fn serve(script: impl Fn(&Seen, &str) -> Option<Say> + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |seen, _| {
        let path = below(seen);
        script(seen, &path).unwrap_or_else(|| match path.as_str() {
            "policies" => listed("policies", &[policy("p1", "ACTIVE")]),
            "policies/p1" => Say::json(200, policy("p1", "ACTIVE").to_string()),
            "restores" => listed("restores", &[]),
            "storages" => listed("storages", &[]),
            path if path.ends_with("/backups") => listed("backups", &[]),
            _ => Say::json(404, ""),
        })
    })
    .await
}

fn spec(connector: &Arc<dyn Connector>, id: &str) -> ActionSpec {
    connector.action(id).unwrap().clone()
}

fn target(kind: TargetKind, id: &str, status: &str, phase: Phase, operation: &str) -> Target {
    Target {
        native_status: status.into(),
        phase,
        operation: operation.into(),
        object: operation.into(),
        ..Target::new(kind, id, id)
    }
}

fn on_policy(id: &str, status: &str) -> Intent {
    Intent {
        service: ServiceId(0),
        action: "activate",
        target: target(TargetKind::Policy, id, status, Phase::Unknown, ""),
        inputs: std::collections::BTreeMap::new(),
    }
}

fn on_task(id: &str, status: &str, phase: Phase, operation: &str) -> Intent {
    Intent {
        action: "revalidate",
        target: target(TargetKind::Task, id, status, phase, operation),
        ..on_policy(id, status)
    }
}

fn at(text: &str) -> Timestamp {
    crate::connect::decode::time(text).unwrap()
}
