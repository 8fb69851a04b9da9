//! A backup: one row for each resource of a run. The disks of a server backup are not rows; they follow from it.

use super::rows::Row;

/// A backup's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    WaitingProtect,
    Protecting,
    Available,
    WaitingRestore,
    Restoring,
    Error,
    WaitingDelete,
    Deleting,
    /// Not on the wire: the backup is there no more.
    Deleted,
}

impl Status {
    pub const ALL: [Self; 8] = [
        Self::WaitingProtect,
        Self::Protecting,
        Self::Available,
        Self::WaitingRestore,
        Self::Restoring,
        Self::Error,
        Self::WaitingDelete,
        Self::Deleting,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::WaitingProtect => "waiting_protect",
            Self::Protecting => "protecting",
            Self::Available => "available",
            Self::WaitingRestore => "waiting_restore",
            Self::Restoring => "restoring",
            Self::Error => "error",
            Self::WaitingDelete => "waiting_delete",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Its index, see [`Row::slot`].
    pub fn slot(self) -> Option<usize> {
        match self {
            Self::Available | Self::Deleted => None,
            Self::WaitingProtect => Some(0),
            Self::Protecting => Some(1),
            Self::WaitingRestore => Some(2),
            Self::Restoring => Some(3),
            Self::Error => Some(4),
            Self::WaitingDelete => Some(5),
            Self::Deleting => Some(6),
        }
    }
}

/// Somebody that a backup is shared with.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub number: u64,
    pub project: String,
    pub status: &'static str,
    pub vault: Option<String>,
    pub created: i64,
    pub updated: i64,
}

/// One replica of a backup, or the attempt at one.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub number: u64,
    /// `waiting_replicate`, `replicating`, `success` or `fail`.
    pub status: &'static str,
    pub created: i64,
    pub region: String,
    pub project: String,
    pub vault: String,
    pub auto: bool,
    pub fail_code: &'static str,
    pub fail_reason: String,
    /// The task that makes it.
    pub log: u64,
}

/// What only few backups have.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub name: Option<String>,
    pub description: Option<String>,
    /// Registered image, which forbids deleting.
    pub image: Option<String>,
    /// A status word set from `/_sim`, instead of the real one.
    pub odd_status: Option<String>,
    pub members: Vec<Member>,
    pub records: Vec<Record>,
}

/// A backup. Times are microseconds since 1970, UTC; 0 is never.
#[derive(Debug, Clone)]
pub(super) struct Backup {
    pub created: i64,
    pub updated: i64,
    /// When the backup itself was complete.
    pub protected: i64,
    pub expires: i64,
    pub checkpoint: u64,
    pub vault: u64,
    /// Index of the resource as it was.
    pub saved: u32,
    pub size_mb: u32,
    pub status: Status,
    pub auto: bool,
    pub incremental: bool,
    pub extra: Option<Box<Extra>>,
}

impl Backup {
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    /// The registered image, if any.
    pub fn image(&self) -> Option<&str> {
        self.extra.as_ref()?.image.as_deref()
    }

    /// Its replicas.
    pub fn records(&self) -> &[Record] {
        self.extra.as_ref().map_or(&[], |extra| &extra.records)
    }

    /// Those it is shared with.
    pub fn members(&self) -> &[Member] {
        self.extra.as_ref().map_or(&[], |extra| &extra.members)
    }

    /// Whether it is being replicated.
    pub fn copying(&self) -> bool {
        self.records()
            .iter()
            .any(|record| matches!(record.status, "waiting_replicate" | "replicating"))
    }
}

impl Row for Backup {
    fn gone(&self) -> bool {
        self.status == Status::Deleted
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
    fn a_row_stays_small() {
        assert!(size_of::<Backup>() <= 80, "{}", size_of::<Backup>());
    }

    /// Sim and catalog were written apart from each other: they must know the same words.
    #[test]
    fn every_word_is_in_the_catalog() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/cbr.toml")
            .parse()
            .expect("TOML");
        let known = |operation: &str, word: &str| {
            let mut entries = catalog["entry"].as_array().expect("entries").iter();
            entries.any(|entry| {
                entry.get("operation").and_then(toml::Value::as_str) == Some(operation)
                    && entry.get("code").and_then(toml::Value::as_str) == Some(word)
            })
        };
        for status in Status::ALL {
            assert!(known("backup", status.word()), "{status:?}");
        }
        for state in super::super::vault::State::ALL {
            assert!(known("vault", state.word()), "{state:?}");
        }
        for status in super::super::log::Status::ALL {
            assert!(known("task", status.word()), "{status:?}");
        }
        for word in ["waiting_replicate", "replicating", "success", "fail"] {
            assert!(known("replication_record", word), "{word}");
        }
    }
}
