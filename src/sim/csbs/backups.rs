//! All backups of one service: compact rows in the order of their making, with an index for every status but
//! `available`.
//!
//! A backup has a running number that never comes again; ids are scrambled numbers (see [`crate::sim::ids`]), so a
//! million rows need no table of ids. A row takes about 60 bytes; what only few rows have sits in a box.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::codes::Code;
use crate::sim::fleet::Volume;

/// `checkpoint_item.status`.
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
    Deleted,
}

impl Status {
    pub const ALL: [Self; 9] = [
        Self::WaitingProtect,
        Self::Protecting,
        Self::Available,
        Self::WaitingRestore,
        Self::Restoring,
        Self::Error,
        Self::WaitingDelete,
        Self::Deleting,
        Self::Deleted,
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

    /// Whether something is being done with the backup.
    pub fn busy(self) -> bool {
        !matches!(self, Self::Available | Self::Error | Self::Deleted)
    }
}

/// `copy_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    Na,
    Waiting,
    Copying,
    Success,
}

impl Copy {
    pub fn word(self) -> &'static str {
        match self {
            Self::Na => "na",
            Self::Waiting => "waiting_copy",
            Self::Copying => "copying",
            Self::Success => "success",
        }
    }
}

/// What a server looked like when it was backed up; shared by all backups made since it last changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    pub server_id: String,
    pub name: String,
    pub az: String,
    pub resource_type: &'static str,
    pub vcpus: u32,
    pub ram_mb: u32,
    pub private_ip: String,
    pub volumes: Vec<SavedVolume>,
}

/// One disk in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SavedVolume {
    pub id: String,
    pub name: String,
    pub size_gb: u32,
    pub filled: u32,
    pub bootable: bool,
}

impl From<&Volume> for SavedVolume {
    fn from(volume: &Volume) -> Self {
        Self {
            id: volume.id.clone(),
            name: volume.name.clone(),
            size_gb: volume.size_gb,
            filled: volume.filled,
            bootable: volume.bootable,
        }
    }
}

/// Why the last operation on a backup failed.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// `backup`, `restore` or `delete`.
    pub op: &'static str,
    pub code: &'static Code,
    pub message: Box<str>,
    /// How far it had come, in per cent.
    pub progress: u8,
}

/// What only few backups have.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
    /// Server that is being restored to, and whether to start it afterwards.
    pub restore: Option<(String, bool)>,
    /// Registered image, which forbids deleting.
    pub image: Option<String>,
    /// A status word set from `/_sim`, instead of the real one.
    pub odd_status: Option<String>,
    pub failure: Option<Failure>,
}

/// No policy.
pub(super) const NO_POLICY: u32 = u32::MAX;

/// One `checkpoint_item`. Times are microseconds since 1970, UTC.
#[derive(Debug, Clone)]
pub(super) struct Backup {
    pub created: i64,
    /// When the present (or last) operation began.
    pub since: i64,
    /// When the present operation will end, or the last one ended.
    pub ends: i64,
    /// When the backup itself was complete; 0 while it is not.
    pub finished: i64,
    /// Index of the [`Snapshot`].
    pub snap: u32,
    /// Number of the policy, or [`NO_POLICY`].
    pub policy: u32,
    pub size_mb: u32,
    /// How many numbers after the first backup of its checkpoint.
    pub offset: u16,
    pub status: Status,
    pub copy: Copy,
    pub auto: bool,
    pub incremental: bool,
    /// Whether it counts against the quota.
    pub counted: bool,
    pub extra: Option<Box<Extra>>,
}

impl Backup {
    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    pub fn failure(&self) -> Option<&Failure> {
        self.extra.as_ref().and_then(|extra| extra.failure.as_ref())
    }

    pub fn tags(&self) -> &[(String, String)] {
        self.extra.as_ref().map_or(&[], |extra| &extra.tags)
    }

    /// Progress of the present operation in per cent at `now`.
    pub fn progress(&self, now: DateTime<Utc>) -> u8 {
        match self.status {
            Status::WaitingProtect | Status::WaitingRestore | Status::WaitingDelete => 0,
            Status::Available | Status::Deleted => 100,
            Status::Error => self.failure().map_or(0, |failure| failure.progress),
            Status::Protecting | Status::Restoring | Status::Deleting => {
                let total = (self.ends - self.since).max(1);
                let gone = (now.timestamp_micros() - self.since).clamp(0, total);
                u8::try_from(gone.saturating_mul(100) / total).map_or(99, |percent| percent.min(99))
            }
        }
    }
}

/// All backups.
#[derive(Debug, Default)]
pub(super) struct Backups {
    rows: VecDeque<Backup>,
    /// Number of the first row.
    base: u64,
    live: usize,
    by_status: [BTreeSet<u64>; 9],
    pub snapshots: Vec<Snapshot>,
    /// Moves whenever a row may have changed.
    revision: u64,
}

impl Backups {
    /// How many there are.
    pub fn live(&self) -> usize {
        self.live
    }

    /// The numbers in use, some of which may be deleted.
    pub fn range(&self) -> Range<u64> {
        self.base..self.base + self.rows.len() as u64
    }

    /// While this stays the same, so do all rows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Adds a backup and says its number.
    pub fn push(&mut self, backup: Backup) -> u64 {
        self.revision += 1;
        let number = self.range().end;
        if let Some(set) = self.index(backup.status) {
            set.insert(number);
        }
        self.live += 1;
        self.rows.push_back(backup);
        number
    }

    fn index(&mut self, status: Status) -> Option<&mut BTreeSet<u64>> {
        match status {
            Status::Available | Status::Deleted => None,
            other => self.by_status.get_mut(other as usize),
        }
    }

    fn row(&self, number: u64) -> Option<&Backup> {
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.rows.get(index)
    }

    /// The backup of that number, unless it is deleted.
    pub fn get(&self, number: u64) -> Option<&Backup> {
        self.row(number).filter(|row| row.status != Status::Deleted)
    }

    /// The same, to change anything but its status.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Backup> {
        self.revision += 1;
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.rows
            .get_mut(index)
            .filter(|row| row.status != Status::Deleted)
    }

    /// Changes a status and keeps the index right.
    pub fn set_status(&mut self, number: u64, status: Status) {
        let Some(row) = self.get_mut(number) else {
            return;
        };
        let old = std::mem::replace(&mut row.status, status);
        if let Some(set) = self.index(old) {
            set.remove(&number);
        }
        if let Some(set) = self.index(status) {
            set.insert(number);
        }
        if status == Status::Deleted {
            self.live -= 1;
            if let Some(row) = self.row_mut(number) {
                row.extra = None;
            }
            while self
                .rows
                .front()
                .is_some_and(|row| row.status == Status::Deleted)
            {
                self.rows.pop_front();
                self.base += 1;
            }
        }
    }

    fn row_mut(&mut self, number: u64) -> Option<&mut Backup> {
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        self.rows.get_mut(index)
    }

    /// The numbers of one status other than `available` and `deleted`, oldest first.
    pub fn with_status(&self, status: Status) -> impl DoubleEndedIterator<Item = u64> {
        self.with_status_below(status, u64::MAX)
    }

    /// Those of them below `below`.
    pub fn with_status_below(
        &self,
        status: Status,
        below: u64,
    ) -> impl DoubleEndedIterator<Item = u64> {
        self.by_status
            .get(status as usize)
            .into_iter()
            .flat_map(move |numbers| numbers.range(..below))
            .copied()
    }

    /// How many have one status other than `available` and `deleted`.
    pub fn count(&self, status: Status) -> usize {
        self.by_status.get(status as usize).map_or(0, BTreeSet::len)
    }

    /// The numbers of a checkpoint's backups, given the number of its first one.
    pub fn checkpoint(&self, first: u64) -> Vec<u64> {
        (first..self.range().end)
            .take(usize::from(u16::MAX))
            .take_while(|number| match self.row(*number) {
                Some(row) => number - u64::from(row.offset) == first,
                // Rows that were dropped from the front may have belonged to it.
                None => *number < self.base,
            })
            .filter(|number| self.get(*number).is_some())
            .collect()
    }

    /// The first number that was made at or after `micros`.
    pub fn made_from(&self, micros: i64) -> u64 {
        self.base + self.rows.partition_point(|row| row.created < micros) as u64
    }

    pub fn snapshot(&self, backup: &Backup) -> Option<&Snapshot> {
        self.snapshots.get(backup.snap as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(created: i64, offset: u16) -> Backup {
        Backup {
            created,
            since: created,
            ends: created + 100,
            finished: 0,
            snap: 0,
            policy: NO_POLICY,
            size_mb: 1,
            offset,
            status: Status::Protecting,
            copy: Copy::Na,
            auto: false,
            incremental: false,
            counted: true,
            extra: None,
        }
    }

    #[test]
    fn a_row_stays_small() {
        assert!(size_of::<Backup>() <= 64, "{}", size_of::<Backup>());
    }

    #[test]
    fn index_and_front_follow_the_status() {
        let mut all = Backups::default();
        for n in 0..6 {
            all.push(backup(n * 10, u16::try_from(n % 3).expect("small")));
        }
        assert_eq!(all.with_status(Status::Protecting).count(), 6);
        assert_eq!(all.checkpoint(3), [3, 4, 5]);
        all.set_status(4, Status::Available);
        all.set_status(0, Status::Error);
        assert_eq!(
            all.with_status(Status::Protecting).collect::<Vec<_>>(),
            [1, 2, 3, 5]
        );
        all.set_status(1, Status::Deleted);
        assert_eq!(all.range(), 0..6);
        assert_eq!(all.checkpoint(0), [0, 2]);
        all.set_status(0, Status::Deleted);
        assert_eq!(all.range(), 2..6);
        assert_eq!(all.live(), 4);
        assert!(all.get(1).is_none());
        assert_eq!(all.checkpoint(0), [2]);
        assert_eq!(all.made_from(35), 4);
        assert_eq!(all.made_from(1000), 6);
    }

    /// Sim and catalog were written apart from each other: they must know the same words.
    #[test]
    fn every_status_is_in_the_catalog() {
        let catalog: toml::Table = include_str!("../../../assets/catalog/csbs.toml")
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
            assert!(known("checkpoint_item", status.word()), "{status:?}");
        }
        for copy in [Copy::Na, Copy::Waiting, Copy::Copying, Copy::Success] {
            assert!(known("copy", copy.word()), "{copy:?}");
        }
    }

    #[test]
    fn progress_follows_time() {
        let at = |micros| DateTime::from_timestamp_micros(micros).expect("valid");
        let mut row = backup(1000, 0);
        assert_eq!(row.progress(at(0)), 0);
        assert_eq!(row.progress(at(1050)), 50);
        assert_eq!(row.progress(at(99_999)), 99);
        row.status = Status::Available;
        assert_eq!(row.progress(at(0)), 100);
    }
}
