//! Restoring a backup over a server's disks.

use serde_json::json;

use super::act::{Plan, gone, refused, unreadable};
use super::draft::Draft;
use super::item::{Facet, Item, OneItem};
use super::{Csbs, PROVIDER};
use crate::connect::disks;
use crate::connect::http::Call;
use crate::model::{Danger, Fault, Input, InputKind, Intent, clean};

/// What no record holds.
pub(super) static INPUTS: [Input; 3] = [
    Input {
        name: "power_on",
        ask: "Start the server after the restore?",
        kind: InputKind::YesNo,
        required: true,
    },
    Input {
        name: "server",
        ask: "Id of the server to restore to (empty: the one that was backed up)",
        kind: InputKind::Text,
        required: false,
    },
    Input {
        name: "volumes",
        ask: "Disks as backup=disk,… (empty: each back to the disk it came from)",
        kind: InputKind::Text,
        required: false,
    },
];

impl Csbs {
    pub(super) async fn draft_restore(&self, intent: &Intent) -> Result<Draft, Fault> {
        let input = |name: &str| intent.inputs.get(name).map_or("", |v| v.trim());
        let power_on = match input("power_on").to_ascii_lowercase().as_str() {
            "yes" | "true" | "y" => true,
            "no" | "false" | "n" => false,
            _ => {
                return Err(refused(
                    "it is not said whether the server is started afterwards",
                    "power_on",
                    "Answer yes or no.",
                ));
            }
        };
        let (item_id, _) = Facet::of_task(&intent.target.id);
        let reply = self.item_reply(item_id).await?.ok_or_else(gone)?;
        let one: OneItem<'_> = reply.json()?;
        let item: Item<'_> =
            serde_json::from_str(one.checkpoint_item.get()).map_err(|e| unreadable(&e, &reply))?;
        if item.status.as_str() != "available" {
            return Err(refused(
                format!(
                    "the backup is {}: only an available one can be restored",
                    item.status.as_str()
                ),
                &reply.place,
                "Wait until it is available, or choose another backup.",
            ));
        }
        if item.extend().supported_restore_mode.as_str() == "na" {
            return Err(refused(
                "the record says that this backup can't be restored (supported_restore_mode na)",
                &reply.place,
                "Choose another backup.",
            ));
        }
        let given = disks::pairs(input("volumes"))?;
        let server = match input("server") {
            "" => item.resource_id.owned(),
            other => other.to_owned(),
        };
        let elsewhere = server != item.resource_id.as_str();
        if elsewhere && given.is_empty() {
            return Err(refused(
                "restoring to another server needs its disks named",
                "volumes",
                "Give volumes as backup=disk for every disk of the backup.",
            ));
        }
        let mut volumes = Vec::new();
        let mut words = Vec::new();
        for v in item.volumes() {
            let backup = v.id.as_str();
            let disk = given.iter().find(|(b, _)| b == backup).map_or_else(
                || {
                    if elsewhere || !given.is_empty() {
                        ""
                    } else {
                        v.source_volume_id.as_str()
                    }
                },
                |(_, d)| d.as_str(),
            );
            if disk.is_empty() {
                return Err(refused(
                    format!(
                        "no disk is named for the backup {backup}, and CSBS restores all disks or none (CSBS.6018)"
                    ),
                    "volumes",
                    "Name a disk for each of the backup's disks.",
                ));
            }
            volumes.push(json!({"backup_id": backup, "volume_id": disk}));
            words.push(format!(
                "{} ({disk})",
                v.source_volume_name.or(v.source_volume_id.as_str())
            ));
        }
        if let Some((unknown, _)) = given
            .iter()
            .find(|(b, _)| !item.volumes().any(|v| v.id.as_str() == b))
        {
            return Err(refused(
                format!(
                    "the backup has no disk backup '{}' (CSBS.6017)",
                    clean(unknown)
                ),
                "volumes",
                "Take the ids of the disk backups from the raw record.",
            ));
        }
        if volumes.is_empty() {
            return Err(refused(
                "the record names no disks (CSBS.6020)",
                &reply.place,
                "Look at the raw record.",
            ));
        }
        // The same things have other names here than in the restore itself.
        let check = json!({"check_restorable": [{
            "checkpoint_item_id": item_id,
            "target": {"resource_id": server, "resource_type": item.kind(), "volumes": volumes},
        }]});
        let warning = self.check_restorable(check).await?;
        let call = Call::post(
            &["restores"],
            json!({"restore": {
                "provider_id": PROVIDER,
                "checkpoint_id": item.checkpoint_id.as_str(),
                "parameters": {
                    "checkpoint_item_id": item_id,
                    "power_on": power_on,
                    "targets": {"server_id": server, "volumes": volumes},
                },
            }}),
        );
        let mut warnings = vec![
            "The server is stopped and its disks are overwritten: everything newer than the backup is lost.".to_owned(),
            "CSBS does not tell whether a restore came out well: check the server afterwards.".to_owned(),
        ];
        warnings.extend(warning);
        let whose = if elsewhere {
            format!("server {}", clean(&server))
        } else {
            format!("server \"{}\"", item.extend().resource_name.or(&server))
        };
        Ok(Draft {
            plan: Plan {
                call: Some(call),
                item: item_id.to_owned(),
                server,
                ..Plan::default()
            },
            effect: format!(
                "Writes backup \"{}\" of {} over the disks of {whose}: {}. The server is {} afterwards.",
                item.name.or(item_id),
                item.created_at
                    .0
                    .map_or_else(|| "unknown date".into(), |t| t.rfc3339()),
                words.join(", "),
                if power_on { "started" } else { "left off" },
            ),
            warnings,
            danger: Danger::TypeName,
        })
    }
}
