//! An operation log: one task, as far as the service tells.

use chrono::{DateTime, Utc};

use super::codes::Refusal;
use super::rows::Row;
use super::{NO_SAVED, NONE};

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Backup,
    Restore,
    Delete,
    VaultDelete,
    RemoveResource,
    Replication,
    MigrateResources,
    UpdateExpiration,
}

impl Kind {
    /// `operation_type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Delete => "delete",
            Self::VaultDelete => "vault_delete",
            Self::RemoveResource => "remove_resource",
            Self::Replication => "replication",
            Self::MigrateResources => "migrate_resources",
            Self::UpdateExpiration => "update_expiration_time",
        }
    }
}

/// A task's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Skipped,
    Failed,
    Running,
    Timeout,
    Waiting,
    /// Not on the wire: the record was dropped.
    Dropped,
}

impl Status {
    pub const ALL: [Self; 6] = [
        Self::Success,
        Self::Skipped,
        Self::Failed,
        Self::Running,
        Self::Timeout,
        Self::Waiting,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Timeout => "timeout",
            Self::Waiting => "waiting",
            Self::Dropped => "dropped",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Its index, see [`Row::slot`].
    pub fn slot(self) -> Option<usize> {
        match self {
            Self::Success | Self::Dropped => None,
            Self::Skipped => Some(0),
            Self::Failed => Some(1),
            Self::Running => Some(2),
            Self::Timeout => Some(3),
            Self::Waiting => Some(4),
        }
    }

    /// Whether the task is not over.
    pub fn live(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// What only some tasks have.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub failure: Option<Refusal>,
    /// The backup's name, where it is not the usual one; it outlives the backup.
    pub backup_name: Option<String>,
    /// A restore's target, and whether to start it afterwards.
    pub target: Option<(String, String, bool)>,
    /// Ids and names of the resources that are removed or moved.
    pub resources: Vec<(String, String)>,
    /// The vault that resources move to.
    pub to_vault: Option<u64>,
    pub fail_count: u64,
    pub total_count: u64,
    /// The day that backups expire on now.
    pub expiration_day: String,
    /// Number of the record of a replication.
    pub record: Option<u64>,
    /// The task of the whole run that stands for this one, which is not shown itself.
    pub hidden_behind: Option<u64>,
    /// Parts of the whole run that are not over.
    pub parts: u64,
    /// The service deletes for itself.
    pub unseen: bool,
}

/// One task. Times are microseconds since 1970, UTC; 0 is never.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub kind: Kind,
    pub status: Status,
    /// How far it had come when it failed, in per cent.
    pub progress: u8,
    pub incremental: bool,
    /// Whether a schedule was the cause.
    pub auto: bool,
    /// It takes longer than the service allows.
    pub overlong: bool,
    pub created: i64,
    pub started: i64,
    /// When it ended, or will.
    pub ends: i64,
    pub checkpoint: u64,
    pub vault: u64,
    pub policy: u64,
    pub backup: u64,
    /// Index of the resource as it was.
    pub saved: u32,
    pub extra: Option<Box<Extra>>,
}

impl Log {
    /// A task that began at once and belongs to nothing yet; times in microseconds since 1970.
    pub const fn of(kind: Kind, status: Status, created: i64) -> Self {
        Self {
            kind,
            status,
            progress: 0,
            incremental: false,
            auto: false,
            overlong: false,
            created,
            started: created,
            ends: created,
            checkpoint: NONE,
            vault: NONE,
            policy: NONE,
            backup: NONE,
            saved: NO_SAVED,
            extra: None,
        }
    }

    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    /// Why it failed or was skipped.
    pub fn failure(&self) -> Option<&Refusal> {
        self.extra.as_ref()?.failure.as_ref()
    }

    /// Whether the service shows it.
    pub fn shown(&self) -> bool {
        self.extra
            .as_ref()
            .is_none_or(|extra| extra.hidden_behind.is_none() && !extra.unseen)
    }

    /// Progress in per cent at `now`.
    pub fn percent(&self, now: DateTime<Utc>) -> u8 {
        match self.status {
            Status::Waiting | Status::Skipped | Status::Dropped => 0,
            Status::Success => 100,
            Status::Failed | Status::Timeout => self.progress,
            Status::Running => {
                let total = self.ends.saturating_sub(self.started).max(1);
                let gone = (now.timestamp_micros() - self.started).clamp(0, total);
                u8::try_from(gone.saturating_mul(100) / total).map_or(99, |percent| percent.min(99))
            }
        }
    }
}

impl Row for Log {
    fn gone(&self) -> bool {
        self.status == Status::Dropped
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn slot(&self) -> Option<usize> {
        self.status.slot()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_small_and_progress_follows_time() {
        assert!(size_of::<Log>() <= 96, "{}", size_of::<Log>());
        let at = |micros| DateTime::from_timestamp_micros(micros).expect("valid");
        let mut log = Log {
            started: 1000,
            ends: 1100,
            ..Log::of(Kind::Backup, Status::Running, 900)
        };
        assert_eq!(log.percent(at(0)), 0);
        assert_eq!(log.percent(at(1050)), 50);
        assert_eq!(log.percent(at(99_999)), 99);
        log.status = Status::Success;
        assert_eq!(log.percent(at(0)), 100);
    }
}
