//! The exact requests of an action, with the effect in words.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cbr;
use super::act::{Plan, is_vault, refused};
use super::log::{Log, OneLog};
use super::policy::{OnePolicy, PolicyRow};
use super::poll::Vaults;
use super::vault::{OneVault, VaultRow};
use crate::connect::decode::{Loose, Text};
use crate::connect::http::{Call, Reply};
use crate::model::{Danger, Fault, FaultKind, Intent, Target, clean};

/// A plan with the words for its confirmation.
pub(super) struct Draft {
    pub plan: Plan,
    pub effect: String,
    pub warnings: Vec<String>,
    pub danger: Danger,
}

/// A backup as a deletion or a restore needs it (CBR API reference, querying a backup).
#[derive(Deserialize)]
pub(super) struct BackupRow<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub resource_id: Text<'a>,
    #[serde(borrow, default)]
    pub resource_name: Text<'a>,
    #[serde(borrow, default)]
    pub resource_type: Text<'a>,
    #[serde(borrow, default)]
    pub extend_info: Loose<Extend<'a>>,
    /// The backups of a server's disks; filled only when one backup is asked for.
    #[serde(borrow, default)]
    pub children: Loose<Vec<Loose<BackupRow<'a>>>>,
}

#[derive(Deserialize)]
pub(super) struct Extend<'a> {
    #[serde(borrow, default)]
    pub supported_restore_mode: Text<'a>,
}

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OneBackup<'a> {
    #[serde(borrow)]
    pub backup: BackupRow<'a>,
}

impl BackupRow<'_> {
    pub(super) fn resource(&self) -> &str {
        self.resource_name.or(self.resource_id.as_str())
    }
}

/// yes or no as typed; `None` for nothing.
pub(super) fn yes_no(inputs: &BTreeMap<String, String>, name: &str) -> Result<Option<bool>, Fault> {
    match inputs
        .get(name)
        .map_or("", |v| v.trim())
        .to_ascii_lowercase()
        .as_str()
    {
        "" => Ok(None),
        "yes" | "true" | "y" => Ok(Some(true)),
        "no" | "false" | "n" => Ok(Some(false)),
        other => Err(refused(
            format!("'{}' is neither yes nor no", clean(other)),
            name,
            "Answer yes or no.",
        )),
    }
}

/// The parameters of a backup. Both truth values are always sent: left out they mean something.
fn parameters(
    inputs: &BTreeMap<String, String>,
    device: Option<&str>,
) -> Result<(Value, String), Fault> {
    let name = inputs.get("backup_name").map_or("", |n| n.trim());
    if name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(refused(
            format!("'{}' can't be a backup's name", clean(name)),
            "backup_name",
            "Use 1 to 64 characters.",
        ));
    }
    let full = yes_no(inputs, "full")?.unwrap_or(false);
    let mut parameters = json!({"auto_trigger": false, "incremental": !full});
    if !name.is_empty() {
        parameters["name"] = json!(name);
    }
    if let Some(device) = device {
        parameters["resources"] = json!([device]);
    }
    Ok((parameters, name.to_owned()))
}

fn checkpoint(vault: &str, parameters: &Value) -> Call {
    Call::post(
        &["checkpoints"],
        json!({"checkpoint": {"vault_id": vault, "parameters": parameters}}),
    )
}

/// What a vault's state means for a backup into it.
fn cautions(vault: &VaultRow<'_>) -> Vec<String> {
    let b = vault.billing();
    let mut out = Vec::new();
    if !matches!(b.status.as_str(), "" | "available") {
        out.push(format!(
            "The vault \"{}\" is in state {}: the service may refuse.",
            vault.label(),
            b.status.as_str()
        ));
    }
    if b.is_full() {
        out.push(format!(
            "The vault \"{}\" is full: the backup will fail until there is room (BackupService.6114).",
            vault.label()
        ));
    }
    out
}

const BY_HAND: &str = "CBR never deletes such a backup by itself.";

impl Cbr {
    pub(super) async fn draft_back_up(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let doubt = self.check_protectable(target).await?;
        let mut draft = self
            .one_resource(&target.id, &target.name, intent, "now")
            .await?;
        draft.warnings.extend(doubt);
        Ok(draft)
    }

    pub(super) async fn draft_again(&self, intent: &Intent) -> Result<Draft, Fault> {
        let device = &intent.target.device;
        let mut draft = self
            .one_resource(&device.id, device.label(), intent, "again")
            .await?;
        draft.warnings.push(
            "The failed backup stays in the vault: delete it separately. The task's record stays too; CBR has no way to dismiss it."
                .into(),
        );
        Ok(draft)
    }

    async fn one_resource(
        &self,
        id: &str,
        name: &str,
        intent: &Intent,
        when: &str,
    ) -> Result<Draft, Fault> {
        let (parameters, backup) = parameters(&intent.inputs, Some(id))?;
        // A record may not say its vault, and a resource may have moved since: the vaults are asked.
        let reply = self
            .session
            .ask(&Call::get(&["vaults"]).with("resource_ids", id))
            .await?;
        let list: Vaults<'_> = reply.json()?;
        let found = list.vaults.iter().find_map(|raw| {
            let vault: VaultRow<'_> = serde_json::from_str(raw.get()).ok()?;
            let row = vault.resources().find(|(r, _)| r.id.as_str() == id)?.0;
            (!vault.takes_copies_only()).then_some((vault, row))
        });
        let Some((vault, row)) = found else {
            return Err(refused(
                format!("\"{}\" is in no vault that takes backups", clean(name)),
                &reply.place,
                "Bind it to a vault first.",
            ));
        };
        let mut warnings = cautions(&vault);
        if matches!(
            row.protect_status.as_str(),
            "protecting" | "restoring" | "removing"
        ) {
            warnings.push(format!(
                "The resource is {}: the service will skip or refuse it.",
                row.protect_status.as_str()
            ));
        }
        Ok(Draft {
            plan: Plan {
                calls: vec![checkpoint(vault.id.as_str(), &parameters)],
                vaults: vec![(vault.id.owned(), vault.label().to_owned())],
                device: id.to_owned(),
                name: backup,
                ..Plan::default()
            },
            effect: format!(
                "Backs up \"{}\" {when}, into vault \"{}\". {BY_HAND}",
                clean(name),
                vault.label()
            ),
            warnings,
            danger: Danger::Confirm,
        })
    }

    /// Backs up a whole vault, or each vault of a policy: CBR runs no policy as such.
    pub(super) async fn draft_run(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let (parameters, name) = parameters(&intent.inputs, None)?;
        let mut warnings = Vec::new();
        let ids = if is_vault(&target.raw) {
            vec![target.id.clone()]
        } else {
            let reply = self.policy_reply(&target.id).await?;
            let one: OnePolicy<'_> = reply.json()?;
            if !matches!(one.policy.operation_type.as_str(), "" | "backup") {
                return Err(refused(
                    "this policy copies backups to another region and makes none",
                    &reply.place,
                    "Choose a backup policy or a vault.",
                ));
            }
            warnings.push("CBR can't run a policy: these count as backups by hand, and the policy's retention does not delete them.".to_owned());
            one.policy.vaults()
        };
        if ids.is_empty() {
            return Err(refused(
                "the policy hangs on no vault",
                "",
                "Apply it to a vault first.",
            ));
        }
        let mut plan = Plan {
            name,
            ..Plan::default()
        };
        let mut words = Vec::new();
        for id in &ids {
            let reply = self.one(&["vaults", id]).await?.ok_or_else(|| {
                refused(
                    format!("the vault {} is gone", clean(id)),
                    "",
                    "Refresh: somebody has deleted it.",
                )
            })?;
            let one: OneVault<'_> = reply.json()?;
            let count = one.vault.resources().count();
            if one.vault.takes_copies_only() {
                return Err(refused(
                    format!("the vault \"{}\" only takes copies", one.vault.label()),
                    &reply.place,
                    "Choose a backup vault.",
                ));
            }
            if count == 0 {
                warnings.push(format!("The vault \"{}\" is empty.", one.vault.label()));
            }
            warnings.extend(cautions(&one.vault));
            words.push(format!("\"{}\" ({count} resources)", one.vault.label()));
            plan.calls.push(checkpoint(id, &parameters));
            plan.vaults.push((id.clone(), one.vault.label().to_owned()));
        }
        Ok(Draft {
            plan,
            effect: format!(
                "Backs up everything in vault {} now. {BY_HAND}",
                words.join(", ")
            ),
            warnings,
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn draft_delete(&self, intent: &Intent) -> Result<Draft, Fault> {
        let failed_only = intent.action == "delete-failed";
        let id = self.backup_of(&intent.target).await?;
        let reply = self.backup_reply(&id).await?;
        let one: OneBackup<'_> = reply.json()?;
        let b = &one.backup;
        match b.status.as_str() {
            "error" => {}
            "available" if failed_only => {
                return Err(refused(
                    "the backup is available now, not failed",
                    &reply.place,
                    "Delete it as a backup if it is really not needed.",
                ));
            }
            "available" => {}
            busy => {
                return Err(refused(
                    format!("the backup is {busy}: only available and faulty ones can be deleted"),
                    &reply.place,
                    "Wait until it has ended.",
                ));
            }
        }
        let good = b.status.as_str() == "available";
        let name = b.name.or(&id);
        Ok(Draft {
            effect: if good {
                format!(
                    "Deletes the good backup \"{name}\" of \"{}\". It can't be brought back.",
                    b.resource()
                )
            } else {
                format!(
                    "Deletes the unusable backup \"{name}\" of \"{}\". The failed task's record stays.",
                    b.resource()
                )
            },
            plan: Plan {
                calls: vec![Call::delete(&["backups", &id])],
                device: b.resource_id.owned(),
                backup: id.clone(),
                ..Plan::default()
            },
            warnings: Vec::new(),
            danger: if good {
                Danger::TypeName
            } else {
                Danger::Confirm
            },
        })
    }

    pub(super) async fn draft_switch(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let on = intent.action == "enable";
        let reply = self.policy_reply(&target.id).await?;
        let one: OnePolicy<'_> = reply.json()?;
        let policy: &PolicyRow<'_> = &one.policy;
        let vaults = policy.vaults().len();
        Ok(Draft {
            plan: Plan {
                calls: vec![Call::put(
                    &["policies", &target.id],
                    json!({"policy": {"enabled": on}}),
                )],
                policy: target.id.clone(),
                enabled: Some(on),
                ..Plan::default()
            },
            effect: if on {
                format!(
                    "Policy \"{}\" works on its {vaults} vault(s) by its schedule again.",
                    policy.label()
                )
            } else {
                format!(
                    "Policy \"{}\" starts nothing on its {vaults} vault(s) by itself any more. A run that is going on is not affected.",
                    policy.label()
                )
            },
            warnings: Vec::new(),
            danger: Danger::Confirm,
        })
    }

    pub(super) async fn draft_pause(&self, intent: &Intent) -> Result<Draft, Fault> {
        let target = &intent.target;
        let on = intent.action == "resume-resource";
        let one = self
            .one_resource(&target.id, &target.name, intent, "")
            .await?;
        let (vault, name) = one.plan.vaults.into_iter().next().unwrap_or_default();
        Ok(Draft {
            plan: Plan {
                calls: vec![Call::put(
                    &["vaults", &vault, "set-resources"],
                    json!({"resource_ids": [target.id], "action": if on { "unsuspend" } else { "suspend" }}),
                )],
                vaults: vec![(vault, name.clone())],
                device: target.id.clone(),
                enabled: Some(on),
                ..Plan::default()
            },
            effect: if on {
                format!(
                    "The policies of vault \"{name}\" back \"{}\" up again.",
                    target.name
                )
            } else {
                format!(
                    "The policies of vault \"{name}\" leave \"{}\" out until it is resumed. Its backups stay.",
                    target.name
                )
            },
            warnings: Vec::new(),
            danger: Danger::Confirm,
        })
    }

    /// The backup that a task made, deletes or restores: from its record, asked for when we no longer hold it.
    pub(super) async fn backup_of(&self, target: &Target) -> Result<String, Fault> {
        let of = |text: &str| {
            serde_json::from_str::<Log<'_>>(text)
                .map(|log| log.backup_id().to_owned())
                .unwrap_or_default()
        };
        let mut id = of(&target.raw);
        if id.is_empty()
            && let Some(reply) = self.one(&["operation-logs", &target.id]).await?
        {
            let one: OneLog<'_> = reply.json()?;
            id = of(one.operation_log.get());
        }
        if id.is_empty() {
            return Err(refused(
                "the task's record names no backup",
                "",
                "Look for the backup in the vendor's console.",
            ));
        }
        Ok(id)
    }

    pub(super) async fn backup_reply(&self, id: &str) -> Result<Reply, Fault> {
        self.one(&["backups", id])
            .await?
            .ok_or_else(|| refused("the backup is gone", "", "Somebody has deleted it."))
    }

    pub(super) async fn policy_reply(&self, id: &str) -> Result<Reply, Fault> {
        self.one(&["policies", id]).await?.ok_or_else(|| {
            Fault::new(
                FaultKind::Refused,
                "the policy is gone",
                "",
                "Somebody has deleted it.",
            )
        })
    }
}
