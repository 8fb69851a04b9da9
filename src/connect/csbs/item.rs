//! A `checkpoint_item` (the backup of one server) as it comes, and the tasks that it tells of.

use serde::Deserialize;

use crate::connect::decode::{Flag, Float, Int, Loose, Raw, Text, Time, raw_text};
use crate::model::{CodeRef, Phase, Ref, Task, Timestamp};

/// The single answer.
#[derive(Deserialize)]
pub(super) struct OneItem<'a> {
    #[serde(borrow)]
    pub checkpoint_item: Raw<'a>,
}

/// A row of the list (API reference, querying all backups).
#[derive(Deserialize)]
pub(super) struct Item<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub checkpoint_id: Text<'a>,
    #[serde(borrow, default)]
    pub name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub resource_id: Text<'a>,
    #[serde(borrow, default)]
    pub resource_type: Text<'a>,
    #[serde(default)]
    pub created_at: Time,
    #[serde(default)]
    protected_at: Time,
    #[serde(default)]
    pub updated_at: Time,
    #[serde(default)]
    expired_at: Time,
    #[serde(default)]
    progress: Int,
    #[serde(borrow, default)]
    extend_info: Loose<Extend<'a>>,
    #[serde(borrow, default)]
    backup_data: Loose<BackupData<'a>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Extend<'a> {
    #[serde(default)]
    pub auto_trigger: Flag,
    #[serde(default)]
    average_speed: Float,
    #[serde(borrow, default)]
    copy_status: Text<'a>,
    #[serde(borrow, default)]
    fail_code: Loose<FailCode<'a>>,
    #[serde(borrow, default)]
    fail_op: Text<'a>,
    #[serde(borrow, default)]
    fail_reason: Text<'a>,
    #[serde(default)]
    incremental: Flag,
    #[serde(default)]
    progress: Int,
    #[serde(borrow, default)]
    pub resource_az: Text<'a>,
    #[serde(borrow, default)]
    pub resource_name: Text<'a>,
    #[serde(borrow, default)]
    resource_type: Text<'a>,
    #[serde(default)]
    size: Float,
    #[serde(default)]
    finished_at: Time,
    #[serde(borrow, default)]
    pub supported_restore_mode: Text<'a>,
    #[serde(borrow, default)]
    pub volume_backups: Loose<Vec<Loose<VolumeBackup<'a>>>>,
}

/// `{}` when all is well; its keys are capitalised, its code is a number or a text.
#[derive(Deserialize, Default)]
struct FailCode<'a> {
    #[serde(borrow, default, rename = "Code", alias = "code")]
    code: Text<'a>,
    #[serde(borrow, default, rename = "Description", alias = "description")]
    description: Text<'a>,
}

#[derive(Deserialize, Default)]
struct BackupData<'a> {
    #[serde(borrow, default)]
    eip: Text<'a>,
    #[serde(borrow, default)]
    private_ip: Text<'a>,
    #[serde(default)]
    ram: Int,
    #[serde(default)]
    vcpus: Int,
}

/// The backup of one disk.
#[derive(Deserialize)]
pub(super) struct VolumeBackup<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub source_volume_id: Text<'a>,
    #[serde(borrow, default)]
    pub source_volume_name: Text<'a>,
    /// In GB.
    #[serde(default)]
    pub source_volume_size: Float,
}

/// What is done to an item: one task each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Facet {
    Backup,
    Restore,
    Delete,
    Copy,
}

impl Facet {
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::Copy => "copy",
        }
    }

    /// The task's id for an item.
    pub(super) fn task_id(self, item_id: &str) -> String {
        match self {
            Self::Backup => item_id.to_owned(),
            other => format!("{item_id}@{}", other.operation()),
        }
    }

    /// Item id and facet behind a task's id.
    pub(super) fn of_task(task_id: &str) -> (&str, Self) {
        for facet in [Self::Restore, Self::Delete, Self::Copy] {
            if let Some(item) = task_id
                .strip_suffix(facet.operation())
                .and_then(|rest| rest.strip_suffix('@'))
            {
                return (item, facet);
            }
        }
        (task_id, Self::Backup)
    }
}

impl<'a> Item<'a> {
    pub(super) fn extend(&self) -> &Extend<'a> {
        static NONE: std::sync::LazyLock<Extend<'static>> =
            std::sync::LazyLock::new(Extend::default);
        self.extend_info.0.as_ref().unwrap_or(&NONE)
    }

    /// Nova server, Ironic server …; the API's default where the record says nothing.
    pub(super) fn kind(&self) -> &str {
        self.resource_type
            .or(self.extend().resource_type.or(super::act::SERVER))
    }

    /// The disks, in order.
    pub(super) fn volumes(&self) -> impl Iterator<Item = &VolumeBackup<'a>> {
        self.extend()
            .volume_backups
            .0
            .iter()
            .flatten()
            .filter_map(|v| v.0.as_ref())
    }

    /// Which of its tasks the status tells of now.
    pub(super) fn facet(&self) -> Facet {
        match self.status.as_str() {
            "restoring" | "waiting_restore" => Facet::Restore,
            "deleting" | "waiting_delete" | "deleted" => Facet::Delete,
            "error" => match self.extend().fail_op.as_str() {
                "restore" => Facet::Restore,
                "delete" => Facet::Delete,
                "copy" => Facet::Copy,
                _ => Facet::Backup,
            },
            _ => Facet::Backup,
        }
    }

    /// Every task that the record tells of now: the one of the status, and a restore, deletion or copy that
    /// failed and left the backup available with its mark.
    pub(super) fn facets(&self) -> impl Iterator<Item = Facet> {
        let first = self.facet();
        let marked = self.mark().filter(|f| *f != first);
        std::iter::once(first).chain(marked)
    }

    /// The operation whose failure an available backup is marked with.
    fn mark(&self) -> Option<Facet> {
        if self.status.as_str() != "available" {
            return None;
        }
        let facet = match self.extend().fail_op.as_str() {
            "restore" => Facet::Restore,
            "delete" => Facet::Delete,
            "copy" => Facet::Copy,
            _ => return None,
        };
        self.failure(facet).is_some().then_some(facet)
    }

    /// Our reading of the status for one of its tasks.
    fn phase(&self, facet: Facet) -> Phase {
        let status = self.status.as_str();
        let failed = status == "error" && self.facet() == facet
            || facet != Facet::Backup && self.mark() == Some(facet);
        match (facet, status) {
            _ if failed => Phase::Failed,
            (Facet::Backup, "waiting_protect")
            | (Facet::Restore, "waiting_restore")
            | (Facet::Delete, "waiting_delete") => Phase::Queued,
            (Facet::Backup, "protecting")
            | (Facet::Restore, "restoring")
            | (Facet::Delete, "deleting") => Phase::Running,
            (Facet::Delete, "deleted") => Phase::Succeeded,
            (Facet::Backup, "available" | "waiting_restore" | "restoring") => Phase::Succeeded,
            // What is being deleted had come out well or not: only what the record still says counts.
            (Facet::Backup, "waiting_delete" | "deleting" | "deleted") => {
                if self.failure(Facet::Backup).is_some() {
                    Phase::Failed
                } else {
                    Phase::Succeeded
                }
            }
            // A backup whose restore or deletion failed did once come out well; whether it is still good is
            // not told.
            (Facet::Backup, "error") => Phase::Uncertain,
            // A backup that is available again ends a restore well or badly: the API tells no difference. The
            // same goes for a deletion after which the backup is still there.
            (
                Facet::Restore | Facet::Delete | Facet::Copy,
                "available" | "error" | "waiting_restore" | "restoring" | "waiting_delete"
                | "deleting" | "waiting_protect" | "protecting" | "deleted",
            ) => Phase::Uncertain,
            _ => Phase::Unknown,
        }
    }

    fn failure(&self, facet: Facet) -> Option<CodeRef> {
        let e = self.extend();
        let (code, text) = e
            .fail_code
            .0
            .as_ref()
            .map_or(("", ""), |f| (f.code.as_str(), f.description.as_str()));
        let operation = e.fail_op.as_str();
        let own = operation.is_empty() || operation == facet.operation() || operation == "verify";
        let message = match (text, e.fail_reason.as_str()) {
            (t, "") => t.to_owned(),
            ("", r) => r.to_owned(),
            (t, r) if t == r => t.to_owned(),
            (t, r) => format!("{t} ({r})"),
        };
        // A code of 0 stands for "none" where the field is a number.
        let code = if code == "0" { "" } else { code };
        if !own || (code.is_empty() && message.is_empty()) {
            return None;
        }
        let mut failure = CodeRef::new(full_code(code), message);
        failure.operation = facet.operation().to_owned();
        Some(failure)
    }

    /// When the backup was finished, for a backup that is good.
    pub(super) fn good_at(&self) -> Option<Timestamp> {
        matches!(self.phase(Facet::Backup), Phase::Succeeded)
            .then(|| self.extend().finished_at.0.or(self.created_at.0))
            .flatten()
    }

    /// One of its tasks. `policy` is the policy that its run belongs to, where that is known; the records of those
    /// that began before `from` and need nobody are not wanted.
    pub(super) fn task(
        &self,
        facet: Facet,
        raw: Raw<'_>,
        policy: Option<Ref>,
        from: Option<Timestamp>,
    ) -> Task {
        let e = self.extend();
        let phase = self.phase(facet);
        let own_backup = facet == Facet::Backup;
        // when a restore or a deletion began is not told
        let began = self.created_at.0.filter(|_| own_backup);
        let is_spared =
            !phase.concerns_people() && began.zip(from).is_some_and(|(began, from)| began < from);
        let (facts, record) = if is_spared {
            (Vec::new(), String::new())
        } else {
            (self.facts(facet, phase), raw_text(raw))
        };
        let progress = e.progress.percent().or(self.progress.percent());
        let ended_at = if !phase.is_over() {
            None
        } else if own_backup {
            e.finished_at.0.or(self.updated_at.0)
        } else {
            self.updated_at.0
        };
        Task {
            id: facet.task_id(self.id.as_str()),
            device: (!self.resource_id.is_empty()).then(|| {
                Ref::new(
                    self.resource_id.as_str(),
                    e.resource_name.or(self.resource_id.as_str()),
                )
            }),
            policy,
            operation: facet.operation().to_owned(),
            native_status: self.status.owned(),
            phase,
            // A restore starts with the figure that the backup ended with.
            progress: progress.filter(|p| phase.is_live() && (own_backup || *p < 100)),
            started_at: began,
            updated_at: self.updated_at.0.or(self.created_at.0),
            ended_at,
            failure: matches!(phase, Phase::Failed | Phase::Uncertain)
                .then(|| self.failure(facet))
                .flatten(),
            facts,
            raw: record,
            ..Task::default()
        }
    }

    /// `fail_code` where it is given as a bare number.
    fn bare_code(&self) -> Option<&str> {
        let code = self.extend().fail_code.0.as_ref()?.code.as_str();
        is_bare(code).then_some(code)
    }

    fn facts(&self, facet: Facet, phase: Phase) -> Vec<(&'static str, String)> {
        let e = self.extend();
        let mut facts: Vec<(&'static str, String)> = Vec::with_capacity(12);
        if phase == Phase::Uncertain && facet == Facet::Restore {
            facts.push((
                "Outcome",
                "CSBS shows a failed restore like a good one: check the server itself".into(),
            ));
        }
        let mut add = |label, value: String| {
            if !value.is_empty() {
                facts.push((label, value));
            }
        };
        if let Some(code) = self.bare_code() {
            add(
                "Code as given",
                format!("{code}, read as {}", full_code(code)),
            );
        }
        add("Backup", self.name.owned());
        add("Backup id", self.id.owned());
        add("Run (checkpoint)", self.checkpoint_id.owned());
        add("Description", self.description.owned());
        add(
            "Started by",
            match e.auto_trigger.0 {
                Some(true) => "the policy's schedule".into(),
                Some(false) => "hand".into(),
                None => String::new(),
            },
        );
        add(
            "Sort",
            match e.incremental.0 {
                Some(true) => "incremental".into(),
                Some(false) => "full".into(),
                None => String::new(),
            },
        );
        add(
            "Size",
            e.size
                .0
                .filter(|n| *n > 0.0)
                .map_or_else(String::new, |n| format!("{n} MB")),
        );
        add(
            "Speed",
            e.average_speed
                .0
                .filter(|n| *n > 0.0)
                .map_or_else(String::new, |n| format!("{n} kB/s")),
        );
        add("Zone", e.resource_az.owned());
        if !matches!(e.copy_status.as_str(), "" | "na") {
            add("Copy to another region", e.copy_status.owned());
        }
        add(
            "Protected at",
            self.protected_at
                .0
                .map_or_else(String::new, Timestamp::rfc3339),
        );
        add(
            "Expires",
            self.expired_at
                .0
                .map_or_else(String::new, Timestamp::rfc3339),
        );
        if let Some(data) = &self.backup_data.0 {
            if let (Some(cpus), Some(ram)) = (data.vcpus.0, data.ram.0) {
                add("Server", format!("{cpus} vCPU, {ram} MB"));
            }
            add("Private address", data.private_ip.owned());
            add("Public address", data.eip.owned());
        }
        for v in self.volumes() {
            let mut text = v
                .source_volume_name
                .or(v.source_volume_id.as_str())
                .to_owned();
            if let Some(gb) = v.source_volume_size.0 {
                text.push_str(&format!(", {gb} GB"));
            }
            if !v.status.is_empty() {
                text.push_str(", ");
                text.push_str(v.status.as_str());
            }
            add("Disk", text);
        }
        facts
    }
}

/// Four digits: the API reference types the code as a number, while its error table writes `CSBS.6005`.
fn is_bare(code: &str) -> bool {
    code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit())
}

/// The code as the error table has it.
fn full_code(code: &str) -> String {
    if is_bare(code) {
        format!("CSBS.{code}")
    } else {
        code.to_owned()
    }
}
