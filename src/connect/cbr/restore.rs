//! Restoring a backup over the disks of a server, or over one disk.

use serde_json::json;

use super::Cbr;
use super::act::{Plan, refused};
use super::draft::{BackupRow, Draft, OneBackup, yes_no};
use crate::connect::disks;
use crate::connect::http::Call;
use crate::model::{Danger, Fault, Input, InputKind, Intent, clean};

/// What no record holds.
pub(super) static INPUTS: [Input; 3] = [
    Input {
        name: "power_on",
        ask: "For a server: start it after the restore?",
        kind: InputKind::YesNo,
        required: false,
    },
    Input {
        name: "target",
        ask: "Id of the server or disk to restore to (empty: the one that was backed up)",
        kind: InputKind::Text,
        required: false,
    },
    Input {
        name: "volumes",
        ask: "For a server: disks as backup=disk,… (empty: each back to the disk it came from)",
        kind: InputKind::Text,
        required: false,
    },
];

impl Cbr {
    pub(super) async fn draft_restore(&self, intent: &Intent) -> Result<Draft, Fault> {
        let id = self.backup_of(&intent.target).await?;
        let reply = self.backup_reply(&id).await?;
        let one: OneBackup<'_> = reply.json()?;
        let b = &one.backup;
        if b.status.as_str() != "available" {
            return Err(refused(
                format!(
                    "the backup is {}: only an available one can be restored",
                    b.status.as_str()
                ),
                &reply.place,
                "Wait until it is available, or choose another backup.",
            ));
        }
        let target = match intent.inputs.get("target").map_or("", |v| v.trim()) {
            "" => b.resource_id.owned(),
            other => other.to_owned(),
        };
        if target.is_empty() {
            return Err(refused(
                "the backup's record doesn't say what it was made of",
                "target",
                "Give the id of the server or disk.",
            ));
        }
        let (body, over) = match b.resource_type.as_str() {
            "OS::Nova::Server" => self.server(intent, b, &target)?,
            "OS::Cinder::Volume" => (
                json!({"volume_id": target}),
                format!("the whole of disk {target}"),
            ),
            other => {
                return Err(refused(
                    format!("how a backup of {other} is restored is not documented"),
                    &reply.place,
                    "Restore it in the vendor's console.",
                ));
            }
        };
        let mut warnings = vec![
            "What was written since the backup is lost. CBR publishes no precheck, and a failed restore leaves the backup available: only its task tells.".to_owned(),
        ];
        let mode = b
            .extend_info
            .0
            .as_ref()
            .map(|e| e.supported_restore_mode.as_str());
        if mode == Some("na") {
            warnings.push("The record names no way to restore it (supported_restore_mode na): the service may refuse.".into());
        }
        Ok(Draft {
            plan: Plan {
                calls: vec![Call::post(
                    &["backups", &id, "restore"],
                    json!({ "restore": body }),
                )],
                device: target.clone(),
                backup: id.clone(),
                ..Plan::default()
            },
            effect: format!(
                "Overwrites {over} with backup \"{}\" of \"{}\".",
                b.name.or(&id),
                b.resource()
            ),
            warnings,
            danger: Danger::TypeName,
        })
    }

    /// The body for a server, and what is overwritten.
    fn server(
        &self,
        intent: &Intent,
        b: &BackupRow<'_>,
        target: &str,
    ) -> Result<(serde_json::Value, String), Fault> {
        let power_on = yes_no(&intent.inputs, "power_on")?.ok_or_else(|| {
            refused(
                "it is not said whether the server is started afterwards",
                "power_on",
                "Answer yes or no.",
            )
        })?;
        let given = disks::pairs(intent.inputs.get("volumes").map_or("", |v| v.trim()))?;
        let elsewhere = target != b.resource_id.as_str();
        if elsewhere && given.is_empty() {
            return Err(refused(
                "restoring to another server needs its disks named",
                "volumes",
                "Give volumes as backup=disk for every disk of the backup.",
            ));
        }
        let children: Vec<&BackupRow<'_>> = b
            .children
            .0
            .iter()
            .flatten()
            .filter_map(|c| c.0.as_ref())
            .collect();
        if let Some((unknown, _)) = given
            .iter()
            .find(|(id, _)| !children.iter().any(|c| c.id.as_str() == id))
        {
            return Err(refused(
                format!("the backup has no disk backup '{}'", clean(unknown)),
                "volumes",
                "Take the ids of the disk backups from the backup's record.",
            ));
        }
        let mut mappings = Vec::new();
        let mut words = Vec::new();
        for child in children {
            let own = child.id.as_str();
            let disk = if given.is_empty() {
                child.resource_id.as_str()
            } else {
                given
                    .iter()
                    .find(|(id, _)| id == own)
                    .map_or("", |(_, disk)| disk.as_str())
            };
            if disk.is_empty() {
                return Err(refused(
                    format!("no disk is named for the disk backup {own}"),
                    "volumes",
                    "Name a disk for each of the backup's disks.",
                ));
            }
            mappings.push(json!({"backup_id": own, "volume_id": disk}));
            words.push(format!("{} ({disk})", child.resource()));
        }
        if mappings.is_empty() {
            return Err(refused(
                "the backup's record names no disks",
                "",
                "Look at the backup in the vendor's console.",
            ));
        }
        let after = if power_on {
            "starts it afterwards"
        } else {
            "leaves it off"
        };
        Ok((
            json!({"server_id": target, "power_on": power_on, "mappings": mappings}),
            format!(
                "the disks {} of server {target}, {after},",
                words.join(", ")
            ),
        ))
    }
}
