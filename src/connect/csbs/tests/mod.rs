//! The CSBS connector over a scripted server: the sources' own sample bodies, and what is known to be odd.

mod acting;
mod looking;
mod reading;
mod samples;
mod traps;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{DRIVER, KIND};
use crate::connect::scripted::{Pages, Scripted, settings};
use crate::connect::{Connector, PollContext};
use crate::model::{Fault, Intent, Phase, Ref, Rows, ServiceId, Target};

fn connect(server: &Scripted) -> Arc<dyn Connector> {
    connect_with(server, &[])
}

fn connect_with(server: &Scripted, options: &[(&str, &str)]) -> Arc<dyn Connector> {
    let mut s = settings(KIND, Some(format!("{}/v1/p1", server.url)));
    for (key, value) in options {
        s.options.insert((*key).into(), (*value).into());
    }
    (DRIVER.open)(&s).unwrap()
}

async fn poll(
    connector: &Arc<dyn Connector>,
    feed: &'static str,
    context: PollContext,
) -> Result<Pages, Fault> {
    let mut pages = Pages::default();
    let report = connector.poll(feed, context, &mut pages).await?;
    assert!(report.complete, "{report:?}");
    Ok(pages)
}

async fn read(connector: &Arc<dyn Connector>, feed: &'static str) -> Rows {
    let rows = poll(connector, feed, PollContext::default())
        .await
        .unwrap()
        .rows();
    assert_eq!(rows.bad, []);
    rows
}

/// An item in a state, with what a captured one has.
fn item(id: &str, status: &str) -> Value {
    json!({
        "id": id, "checkpoint_id": format!("run-{id}"), "name": format!("manualbk_{id}"), "status": status,
        "resource_id": "srv-1", "resource_type": "OS::Nova::Server", "description": "",
        "created_at": "2026-11-20T01:00:00.123456", "updated_at": "2026-11-20T01:05:00.654321", "tags": [],
        "backup_data": {"vcpus": 4, "ram": 8192, "private_ip": "192.168.0.9", "eip": "", "disk": 0},
        "extend_info": {
            "auto_trigger": false, "average_speed": 19, "copy_from": null, "copy_status": "na",
            "fail_code": {}, "fail_op": "", "fail_reason": "", "image_type": "backup", "incremental": false,
            "progress": 100, "resource_az": "eu-de-02", "resource_name": "ecs-web-1", "size": 146184,
            "finished_at": "2026-11-20T01:04:59.000000", "supported_restore_mode": "backup",
            "volume_backups": [
                {"id": "vb-1", "status": "available", "bootable": true, "source_volume_id": "vol-1",
                 "source_volume_name": "system", "source_volume_size": 24, "size": 47960},
                {"id": "vb-2", "status": "available", "bootable": false, "source_volume_id": "vol-2",
                 "source_volume_name": "data", "source_volume_size": 100, "size": 98224}]
        }
    })
}

fn failed_item(id: &str, code: &Value, op: &str) -> Value {
    let mut row = item(id, "error");
    row["extend_info"]["fail_code"] =
        json!({"Code": code, "Description": "Quota exceeded for resources: backups"});
    row["extend_info"]["fail_op"] = json!(op);
    row["extend_info"]["progress"] = json!("62");
    row
}

fn intent(connector: &Arc<dyn Connector>, action: &str, id: &str) -> Intent {
    let spec = connector.action(action).unwrap();
    Intent {
        service: ServiceId(0),
        action: spec.id,
        target: Target::new(spec.target, id, "ecs-web-1"),
        inputs: BTreeMap::new(),
    }
}
