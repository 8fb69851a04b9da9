//! An operation log (a task) as it comes.

use serde::Deserialize;

use super::known::Known;
use crate::connect::decode::{Int, Loose, Raw, Text, Time, raw_text};
use crate::model::{CodeRef, Phase, Ref, Task, Timestamp};

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OneLog<'a> {
    #[serde(borrow)]
    pub operation_log: Raw<'a>,
}

/// A row of the list (CBR API reference, querying tasks). Everything is optional here: required members are
/// missing on tasks that concern a whole vault.
#[derive(Deserialize)]
pub(super) struct Log<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub operation_type: Text<'a>,
    #[serde(borrow, default)]
    pub checkpoint_id: Text<'a>,
    #[serde(borrow, default)]
    policy_id: Text<'a>,
    #[serde(borrow, default)]
    pub vault_id: Text<'a>,
    #[serde(borrow, default)]
    vault_name: Text<'a>,
    #[serde(default)]
    pub created_at: Time,
    #[serde(default)]
    pub started_at: Time,
    #[serde(default)]
    updated_at: Time,
    #[serde(default)]
    ended_at: Time,
    #[serde(borrow, default)]
    error_info: Loose<ErrorInfo<'a>>,
    #[serde(borrow, default)]
    extra_info: Loose<Extra<'a>>,
}

#[derive(Deserialize, Default)]
struct ErrorInfo<'a> {
    #[serde(borrow, default)]
    code: Text<'a>,
    #[serde(borrow, default)]
    message: Text<'a>,
}

/// Which member is there depends on the operation.
#[derive(Deserialize, Default)]
pub(super) struct Extra<'a> {
    #[serde(borrow, default)]
    common: Loose<Common<'a>>,
    #[serde(borrow, default)]
    resource: Loose<Resource<'a>>,
    #[serde(borrow, default)]
    backup: Loose<Part<'a>>,
    #[serde(borrow, default)]
    delete: Loose<Part<'a>>,
    #[serde(borrow, default)]
    restore: Loose<Part<'a>>,
    #[serde(borrow, default)]
    remove_resources: Loose<Part<'a>>,
    #[serde(borrow, default)]
    vault_delete: Loose<Part<'a>>,
    #[serde(borrow, default)]
    sync: Loose<Part<'a>>,
    #[serde(borrow, default)]
    replication: Loose<Part<'a>>,
}

#[derive(Deserialize, Default)]
struct Common<'a> {
    #[serde(default)]
    progress: Int,
    #[serde(borrow, default)]
    request_id: Text<'a>,
}

#[derive(Deserialize, Default)]
pub(super) struct Resource<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
}

/// The fields of all members that depend on the operation.
#[derive(Deserialize, Default)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub backup_id: Text<'a>,
    #[serde(borrow, default)]
    pub backup_name: Text<'a>,
    #[serde(borrow, default)]
    incremental: Text<'a>,
    #[serde(borrow, default)]
    app_consistency_error_code: Text<'a>,
    #[serde(borrow, default)]
    app_consistency_error_message: Text<'a>,
    #[serde(borrow, default)]
    target_resource_id: Text<'a>,
    #[serde(borrow, default)]
    target_resource_name: Text<'a>,
    // The API reference names these without "delete"; one published client reads them with it.
    #[serde(default, alias = "fail_delete_count")]
    fail_count: Int,
    #[serde(default, alias = "total_delete_count")]
    total_count: Int,
    #[serde(default)]
    sync_backup_num: Int,
    #[serde(default)]
    delete_backup_num: Int,
    #[serde(default)]
    err_sync_backup_num: Int,
    #[serde(borrow, default)]
    destination_region: Text<'a>,
}

impl<'a> Log<'a> {
    fn extra(&self) -> &Extra<'a> {
        static NONE: std::sync::LazyLock<Extra<'static>> = std::sync::LazyLock::new(Extra::default);
        self.extra_info.0.as_ref().unwrap_or(&NONE)
    }

    /// The member for its operation.
    fn part(&self) -> Option<&Part<'a>> {
        let e = self.extra();
        [
            &e.backup,
            &e.delete,
            &e.restore,
            &e.remove_resources,
            &e.vault_delete,
            &e.sync,
            &e.replication,
        ]
        .into_iter()
        .find_map(|p| p.0.as_ref())
    }

    /// The backup that it made, deletes or restores.
    pub(super) fn backup_id(&self) -> &str {
        self.part().map_or("", |p| p.backup_id.as_str())
    }

    pub(super) fn backup_name(&self) -> &str {
        self.part().map_or("", |p| p.backup_name.as_str())
    }

    /// The resource that it works on: id and name.
    pub(super) fn device(&self) -> Option<Ref> {
        let own = self
            .extra()
            .resource
            .0
            .as_ref()
            .filter(|r| !r.id.is_empty());
        if let Some(r) = own {
            return Some(Ref::new(r.id.as_str(), r.name.or(r.id.as_str())));
        }
        let p = self.part().filter(|p| !p.target_resource_id.is_empty())?;
        let id = p.target_resource_id.as_str();
        Some(Ref::new(id, p.target_resource_name.or(id)))
    }

    pub(super) fn phase(&self) -> Phase {
        match self.status.as_str() {
            "waiting" => Phase::Queued,
            "running" => Phase::Running,
            "success" => Phase::Succeeded,
            "skipped" => Phase::Skipped,
            "failed" | "timeout" => Phase::Failed,
            _ => Phase::Unknown,
        }
    }

    /// `remove_resource` reads as "remove resource".
    pub(super) fn operation(&self) -> String {
        self.operation_type.as_str().replace('_', " ")
    }

    /// The task in the model's words.
    pub(super) fn task(&self, raw: Raw<'_>, known: &Known) -> Task {
        let phase = self.phase();
        let e = self.extra();
        let operation = self.operation();
        let failure = e_failure(self.error_info.0.as_ref(), &operation);
        let progress = e.common.0.as_ref().and_then(|c| c.progress.percent());
        Task {
            id: self.id.owned(),
            device: self.device(),
            policy: self.policy(known),
            native_status: self.status.owned(),
            phase,
            progress: progress.filter(|_| phase.is_live()),
            started_at: self.started_at.0.or(self.created_at.0),
            updated_at: self.updated_at.0.or(self.created_at.0),
            ended_at: if phase.is_over() {
                self.ended_at.0.or(self.updated_at.0)
            } else {
                None
            },
            failure: failure.filter(|_| phase != Phase::Succeeded),
            facts: self.facts(known),
            raw: raw_text(raw),
            operation,
            ..Task::default()
        }
    }

    /// The policy, else the vault: a task may name neither.
    fn policy(&self, known: &Known) -> Option<Ref> {
        if !self.policy_id.is_empty() {
            let policy = known.policy(self.policy_id.as_str());
            return Some(Ref::new(policy.id.as_str(), policy.label()));
        }
        let id = self.vault_id.as_str();
        (!id.is_empty()).then(|| Ref::new(id, self.vault(known)))
    }

    fn vault(&self, known: &Known) -> String {
        let id = self.vault_id.as_str();
        if !self.vault_name.is_empty() {
            return self.vault_name.owned();
        }
        known.vault(id).map_or(id, |v| v.name.as_str()).to_owned()
    }

    fn facts(&self, known: &Known) -> Vec<(&'static str, String)> {
        let e = self.extra();
        let mut facts: Vec<(&'static str, String)> = Vec::with_capacity(10);
        let mut add = |label, value: &str| {
            if !value.is_empty() {
                facts.push((label, value.to_owned()));
            }
        };
        add("Vault", &self.vault(known));
        if let Some(r) = &e.resource.0 {
            add("Type", r.kind.as_str());
        }
        add("Run (checkpoint)", self.checkpoint_id.as_str());
        if let Some(p) = self.part() {
            add("Backup", p.backup_name.as_str());
            add("Backup id", p.backup_id.as_str());
            // Documented with the quotes inside the text.
            match p.incremental.as_str().trim_matches('"') {
                "true" | "True" => add("Sort", "incremental"),
                "false" | "False" => add("Sort", "full"),
                _ => {}
            }
            if !matches!(p.app_consistency_error_code.as_str(), "" | "0") {
                add(
                    "Application consistency",
                    &format!(
                        "{} {}",
                        p.app_consistency_error_code.as_str(),
                        p.app_consistency_error_message.as_str()
                    ),
                );
            }
            add("Restored to", p.target_resource_name.as_str());
            if let (Some(failed), Some(all)) = (p.fail_count.0, p.total_count.0) {
                add("Not removed", &format!("{failed} of {all}"));
            }
            if let Some(n) = p.sync_backup_num.0 {
                let failed = p.err_sync_backup_num.0.unwrap_or_default();
                let gone = p.delete_backup_num.0.unwrap_or_default();
                add(
                    "Synchronised",
                    &format!("{n} backups, {gone} deleted, {failed} failed"),
                );
            }
            add("To region", p.destination_region.as_str());
        }
        if let Some(c) = &e.common.0 {
            add("Request id", c.request_id.as_str());
        }
        facts
    }

    /// When it began, as far as it tells.
    pub(super) fn began(&self) -> Option<Timestamp> {
        self.started_at.0.max(self.created_at.0)
    }
}

/// Code and text are both empty when all went well.
fn e_failure(info: Option<&ErrorInfo<'_>>, operation: &str) -> Option<CodeRef> {
    let info = info?;
    let mut failure = CodeRef::new(info.code.owned(), info.message.owned());
    failure.operation = operation.to_owned();
    (!failure.is_silent()).then_some(failure)
}
