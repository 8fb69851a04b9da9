//! The CBR connector over a scripted server: bodies in the shape of captured ones, and each trap that the
//! interface sets.

mod acting;
mod protectable;
mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{DRIVER, KIND};
use crate::connect::scripted::{Pages, Say, Scripted, Seen, settings};
use crate::connect::{Connector, PollContext, PollReport};
use crate::model::{Intent, Phase, Ref, Rows, ServiceId, Target};

fn connect(server: &Scripted) -> Arc<dyn Connector> {
    connect_with(server, &[])
}

fn connect_with(server: &Scripted, options: &[(&str, &str)]) -> Arc<dyn Connector> {
    let mut s = settings(KIND, Some(format!("{}/v3/p1", server.url)));
    for (key, value) in options {
        s.options.insert((*key).into(), (*value).into());
    }
    (DRIVER.open)(&s).unwrap()
}

async fn poll(c: &Arc<dyn Connector>, feed: &'static str) -> (Pages, PollReport) {
    let mut pages = Pages::default();
    let report = c
        .poll(feed, PollContext::default(), &mut pages)
        .await
        .unwrap();
    (pages, report)
}

async fn read(c: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let (pages, report) = poll(c, feed).await;
    assert!(report.complete, "{report:?}");
    let rows = pages.rows();
    assert_eq!(rows.bad, []);
    rows
}

fn log(id: &str, operation: &str, status: &str) -> Value {
    json!({"id": id, "status": status, "operation_type": operation, "provider_id": "0daac4c5",
        "checkpoint_id": format!("run-{id}"), "policy_id": null, "vault_id": "v1", "vault_name": "vault-e380",
        "project_id": "p1", "created_at": "2025-03-25T06:23:27.304116", "started_at": "2025-03-25T06:23:28.304116",
        "updated_at": "2025-03-25T06:33:27.304116", "ended_at": "2025-03-25T06:32:31.057153",
        "error_info": {"code": "", "message": ""},
        "extra_info": {"common": {"progress": 40, "request_id": "req-1"},
            "resource": {"id": "srv-1", "type": "OS::Nova::Server", "name": "ecs-x"},
            "backup": {"backup_id": "b1", "backup_name": "manualbk_1234", "incremental": "\"true\""}}})
}

fn vault(id: &str, status: &str, resources: &Value) -> Value {
    json!({"id": id, "name": format!("vault-{id}"), "description": null, "created_at": "2025-03-22T02:59:06.548293",
        "auto_bind": false, "bind_rules": {}, "locked": true,
        "billing": {"status": status, "size": 100, "allocated": 50, "used": 17048, "object_type": "server",
            "protect_type": "backup", "frozen_scene": null},
        "resources": resources})
}

fn resource(id: &str) -> Value {
    json!({"id": id, "type": "OS::Nova::Server", "name": "ecs-x", "protect_status": "available", "size": 50,
        "backup_size": 17048, "backup_count": 2, "extra_info": {}})
}

fn policy(id: &str, vaults: &Value) -> Value {
    json!({"id": id, "name": "policy001", "enabled": true, "operation_type": "backup",
        "operation_definition": {"retention_duration_days": 30, "max_backups": -1, "timezone": "UTC+01:00"},
        "trigger": {"type": "time", "properties": {
            "pattern": ["FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=14;BYMINUTE=00"], "start_time": "2025-03-25 07:59:52"}},
        "associated_vaults": vaults})
}

fn backup(status: &str) -> Value {
    json!({"backup": {"id": "b1", "name": "manualbk_1234", "status": status, "resource_id": "srv-1",
        "resource_name": "ecs-x", "resource_type": "OS::Nova::Server", "extend_info": {"supported_restore_mode": "backup"},
        "children": [{"id": "c1", "resource_id": "vol-1", "resource_name": "system"},
                     {"id": "c2", "resource_id": "vol-2", "resource_name": "data"}]}})
}

/// A service with one vault, one policy and one backup; `logs` are its tasks.
fn world(seen: &Seen, logs: &Value) -> Say {
    let one = json!([{"vault_id": "v1", "destination_vault_id": null}]);
    let answer = match (seen.method.as_str(), seen.path()) {
        ("GET", "/v3/p1/policies") => {
            json!({"policies": [policy("pol-1", &one)], "count": 1, "limit": 1000})
        }
        ("GET", "/v3/p1/policies/pol-1") => json!({"policy": policy("pol-1", &one)}),
        ("GET", "/v3/p1/vaults") => {
            json!({"vaults": [vault("v1", "available", &json!([resource("srv-1")]))], "count": 1})
        }
        ("GET", "/v3/p1/vaults/v1") => {
            json!({"vault": vault("v1", "available", &json!([resource("srv-1")]))})
        }
        ("GET", "/v3/p1/operation-logs") => {
            json!({"operation_logs": logs, "count": logs.as_array().map(Vec::len)})
        }
        ("GET", "/v3/p1/backups/b1") => backup("available"),
        ("POST", "/v3/p1/checkpoints") => {
            return checkpoint(&json!([resource("srv-1")]), &json!([]));
        }
        ("POST", "/v3/p1/backups/b1/restore") => return Say::json(202, r#"{"job_id":"log-r"}"#),
        ("PUT", _) => json!({}),
        ("DELETE", _) => return Say::Reply(204, vec![], vec![]),
        _ => {
            return Say::json(
                404,
                r#"{"error_code":"BackupService.6500","error_msg":"gone"}"#,
            );
        }
    };
    Say::json(200, answer.to_string())
}

/// The answer to a requested backup: sizes and counts are texts here.
fn checkpoint(resources: &Value, skipped: &Value) -> Say {
    Say::json(
        200,
        json!({"checkpoint": {"id": "run-new", "status": "protecting", "extra_info": {"retention_duration": -1},
            "vault": {"id": "v1", "name": "vault-v1", "resources": resources, "skipped_resources": skipped}}})
        .to_string(),
    )
}

fn intent(c: &Arc<dyn Connector>, action: &str, id: &str) -> Intent {
    let spec = c.action(action).unwrap();
    Intent {
        service: ServiceId(0),
        action: spec.id,
        target: Target {
            device: Ref::new("srv-1", "ecs-x"),
            ..Target::new(spec.target, id, "ecs-x")
        },
        inputs: BTreeMap::new(),
    }
}

/// What was sent that changes something.
fn sent(server: &Scripted) -> Vec<Seen> {
    server
        .seen()
        .into_iter()
        .filter(|s| s.method != "GET")
        .collect()
}
