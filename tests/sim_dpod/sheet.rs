//! The documents' tables row by row: six calls with their answers, fifty-three statuses. Each row is held against the
//! embedded service and, over it, against the connector; no public client of DPOD exists that could judge them.

use std::collections::BTreeMap;
use std::sync::Arc;

use keepwatch::catalog::Catalog;
use keepwatch::connect::dpod::{DRIVER, KIND};
use keepwatch::connect::{
    AuthSettings, Connector, Page, PageSink, PollContext, Secret, Settings, TlsSettings,
};
use keepwatch::model::{
    CodeRef, Intent, Phase, Policy, SendOutcome, ServiceId, Target, TargetKind,
};

use crate::{Dpod, furnished};

/// What each status of a task means: the classification of the published list. "uncertain" is a task that was given
/// up and may still run.
const STATUSES: [(&str, &str); 53] = [
    ("WAITING_FOR_PRE_VALIDATION", "queued"),
    ("SKIPPED_APIC_DOMAIN", "skipped"),
    ("SKIPPED_DEVICE_NOT_AVAILABLE", "skipped"),
    ("SKIPPED_NO_DEVICES_MATCHING_PATTERN", "skipped"),
    ("DEVICE_NOT_IN_DR_MODE", "skipped"),
    ("NOT_ENOUGH_FREE_SPACE_ON_DEVICE", "skipped"),
    ("CERT_DOESNT_EXIST_ON_DEVICE", "skipped"),
    ("SKIPPED_BECAUSE_ERROR_POLICY", "skipped"),
    ("EXECUTION_CANCELED_BECAUSE_ERROR_POLICY", "cancelled"),
    ("PLAN_FAILED_PRE_SCRIPT", "cancelled"),
    ("EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED", "cancelled"),
    ("EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW", "cancelled"),
    ("READY_FOR_EXECUTION", "queued"),
    ("SENT_TO_MDB", "running"),
    ("EXECUTION_STARTED", "running"),
    ("EXECUTION_PRE_CHECKS_STARTED", "running"),
    (
        "EXECUTION_PRE_CHECKS_FOUND_QUIESCED_DOMAIN_IN_DEVICE",
        "failed",
    ),
    ("EXECUTION_PRE_CHECKS_DOMAIN_IS_ALREADY_QUIESCED", "failed"),
    ("EXECUTION_PRE_CHECKS_NFS_OUT_OF_SPACE", "failed"),
    ("EXECUTION_PRE_CHECKS_NFS_DIRECTORY_NOT_FOUND", "failed"),
    ("EXECUTION_PRE_CHECKS_DEVICE_NOT_AVAILABLE", "failed"),
    (
        "EXECUTION_CHECK_MANIFEST_WAITING_FOR_ANOTHER_BACKUP",
        "waiting",
    ),
    (
        "EXECUTION_CHECK_MANIFEST_ANOTHER_SECURE_BACKUP_IS_RUNNING_CHECK_DEVICE",
        "uncertain",
    ),
    ("EXECUTION_WAITING_FOR_PRE_SCRIPT", "waiting"),
    ("EXECUTION_PRE_SCRIPT_ERROR", "failed"),
    ("EXECUTION_QUIESCE_STARTED", "running"),
    ("EXECUTION_QUIESCE_WAITING_FOR_QUIESCE", "waiting"),
    ("EXECUTION_QUIESCE_TIMEOUT_OCCURRED", "failed"),
    ("EXECUTION_EXPORT_DOMAIN_PERSISTED_STARTED", "running"),
    ("EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_STARTED", "running"),
    ("EXECUTION_EXPORT_DOMAIN_PERSISTED_SOMA_ERROR", "failed"),
    ("EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_SOMA_ERROR", "failed"),
    ("EXECUTION_EXPORT_DOMAIN_PERSISTED_EMPTY_FILE", "failed"),
    ("EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_EMPTY_FILE", "failed"),
    (
        "EXECUTION_EXPORT_DOMAIN_PERSISTED_SAVEFILE_EXCEPTION",
        "failed",
    ),
    (
        "EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_SAVEFILE_EXCEPTION",
        "failed",
    ),
    ("EXECUTION_EXPORT_DOMAIN_PERSISTED_DONE", "running"),
    ("EXECUTION_EXPORT_DOMAIN_NON_PERSISTED_DONE", "running"),
    ("EXECUTION_SECURE_BACKUP_STARTED", "running"),
    ("EXECUTION_SECURE_BACKUP_UNSUCCESSFUL", "failed"),
    ("EXECUTION_SECURE_BACKUP_WRONG_FILE_HASH", "failed"),
    ("EXECUTION_SECURE_BACKUP_WRONG_FILE_SIZE", "failed"),
    ("EXECUTION_SECURE_BACKUP_EMPTY_FILE", "failed"),
    ("EXECUTION_UNQUIESCE_STARTED", "running"),
    ("EXECUTION_UNQUIESCE_ON_ERROR_STARTED", "running"),
    ("EXECUTION_UNQUIESCE_WAITING_FOR_UNQUIESCE", "waiting"),
    (
        "EXECUTION_UNQUIESCE_ON_ERROR_WAITING_FOR_UNQUIESCE",
        "waiting",
    ),
    ("EXECUTION_UNQUIESCE_TIMEOUT_OCCURRED", "failed"),
    ("EXECUTION_UNQUIESCE_ON_ERROR_TIMEOUT_OCCURRED", "failed"),
    ("EXECUTION_FAILED_WITH_INTERNAL_EXCEPTION", "failed"),
    ("EXECUTION_FAILED_LONG_RUNNING", "uncertain"),
    ("FAILED_NO_FILES_DOWNLOADED", "failed"),
    ("SUCCESS", "succeeded"),
];

/// Each family: the path's word, what it is called in the policy's id, the answer to an execution, and the beginning
/// and end of the answer for a reference that is unknown.
const FAMILIES: [(&str, &str, &str, &str); 3] = [
    (
        "backupplan",
        "backup",
        "Backup plan added to execution queue",
        "Backup Plan with API Ref",
    ),
    (
        "syncplan",
        "sync",
        "Sync plan added to execution queue",
        "Sync Plan with API Ref",
    ),
    (
        "firmwareupgradeplan",
        "firmware upgrade",
        "Firmware upgrade plan added to execution queue",
        "Firmware upgrade plan with API Ref",
    ),
];

#[derive(Default)]
struct Policies(Vec<Policy>);

#[async_trait::async_trait]
impl PageSink for Policies {
    async fn page(&mut self, _: u32, page: Page) -> bool {
        if let Page::Rows(rows) = page {
            self.0.extend(rows.policies);
        }
        true
    }
}

fn connect(dpod: &Dpod, inbox: &str) -> Arc<dyn Connector> {
    let settings = Settings {
        id: ServiceId(0),
        name: "gateways".into(),
        kind: KIND,
        endpoint: Some(dpod.root.clone()),
        auth: AuthSettings::Basic {
            username: "operator".into(),
            password: Secret::new("demo-password"),
        },
        tls: TlsSettings::default(),
        region: String::new(),
        rate_per_minute: Some(60_000),
        timeout_ms: 5_000,
        max_body: 1024 * 1024,
        history_hours: 24,
        options: BTreeMap::from([("inbox".to_owned(), inbox.to_owned())]),
    };
    (DRIVER.open)(&settings).expect("opens")
}

fn target(policy: &Policy) -> Target {
    Target {
        native_status: policy.native_status.clone(),
        object: policy.what.to_owned(),
        raw: policy.raw.clone(),
        ..Target::new(TargetKind::Policy, &policy.id, &policy.name)
    }
}

#[tokio::test]
async fn every_call_of_the_table_is_served_asked_and_read_as_printed() {
    let dpod = Dpod::start(furnished()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let connector = connect(&dpod, folder.path().to_str().expect("text"));
    let mut seen = Policies::default();
    for feed in connector.feeds() {
        let told = connector
            .poll(feed.id, PollContext::default(), &mut seen)
            .await;
        assert!(told.is_ok(), "{}: {told:?}", feed.id);
    }
    for (path, family, queued, not_found) in FAMILIES {
        // the list
        let listed = dpod.plans(path).await;
        let mine: Vec<&Policy> = seen
            .0
            .iter()
            .filter(|p| p.id.starts_with(&format!("{family}/")))
            .collect();
        assert_eq!(mine.len(), listed.len(), "{path}");
        for (plan, policy) in listed.iter().zip(&mine) {
            assert_eq!(plan["name"], policy.name.as_str());
            let record: serde_json::Value = serde_json::from_str(&policy.raw).expect("a record");
            assert_eq!(&record, plan, "the record is the service's own");
        }
        // executed
        let spec = connector
            .actions()
            .iter()
            .find(|a| {
                a.target == TargetKind::Policy && connector.available(a, &target(mine[0])).is_ok()
            })
            .expect("an action");
        let wish = |target: Target| Intent {
            service: ServiceId(0),
            action: spec.id,
            target,
            inputs: BTreeMap::new(),
        };
        let prepared = connector
            .prepare(&wish(target(mine[0])))
            .await
            .expect("prepared");
        let told = connector.send(&prepared, &|_| {}).await;
        let SendOutcome::Accepted { answer, .. } = told else {
            panic!("{path}: {told:?}")
        };
        assert!(answer.body.contains(queued), "{path}: {}", answer.body);
        // a reference that is unknown, whichever HTTP status says so
        let mut stranger = target(mine[0]);
        let uri = format!("/op/api/v1/{path}/no such ref");
        stranger.raw =
            serde_json::json!({"name": "x", "description": "", "URI": uri, "lastUpdateTime": 1})
                .to_string();
        stranger.id = format!("{family}/no such ref");
        for status in ["200", "404"] {
            dpod.switch("not_found_status", status);
            let prepared = connector
                .prepare(&wish(stranger.clone()))
                .await
                .expect("prepared");
            let told = connector.send(&prepared, &|_| {}).await;
            let SendOutcome::Refused { code, .. } = told else {
                panic!("{path}: {told:?}")
            };
            let expected = CodeRef {
                code: "PLAN_NOT_FOUND".into(),
                http_status: code.http_status,
                operation: code.operation.clone(),
                message: format!("{not_found} no such ref was not found"),
            };
            assert_eq!(code, expected, "{path} with HTTP {status}");
        }
        dpod.switch("not_found_status", "200");
    }
}

/// The catalog is what both the embedded service and the connector hold their statuses to, each in a test of its own.
#[test]
fn every_status_of_the_table_is_read_as_it_is_classified() {
    let catalog = Catalog::built_in();
    let entries = catalog.entries(Some("dpod"));
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for (code, phase) in STATUSES {
        let entry = entries
            .iter()
            .find(|e| e.code == code && e.operation == "task");
        let entry = entry.unwrap_or_else(|| panic!("{code} is not in the catalog"));
        assert_eq!(entry.phase.map(Phase::word), Some(phase), "{code}");
        *totals.entry(phase).or_default() += 1;
    }
    let expected = [
        ("queued", 2),
        ("skipped", 7),
        ("cancelled", 4),
        ("running", 11),
        ("waiting", 5),
        ("failed", 21),
        ("uncertain", 2),
        ("succeeded", 1),
    ];
    assert_eq!(totals, BTreeMap::from(expected));
    let tasks = entries.iter().filter(|e| e.operation == "task").count();
    assert_eq!(tasks, STATUSES.len(), "a status that no row has");
}
