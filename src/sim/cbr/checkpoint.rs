//! A checkpoint (restore point): one run on a vault.

use super::resource::Sort;
use super::rows::Row;

/// A resource that a run left out, and why.
#[derive(Debug, Clone)]
pub(super) struct Skipped {
    pub id: String,
    pub name: String,
    pub code: &'static str,
    pub reason: String,
}

/// A checkpoint. Its backups have the numbers from `first` on, one for each of its resources.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub created: i64,
    pub vault: u64,
    pub vault_name: String,
    pub sort: Sort,
    pub first: u64,
    pub count: u64,
    pub name: Option<String>,
    pub description: Option<String>,
    pub retention_days: Option<i64>,
    pub skipped: Vec<Skipped>,
    /// The one task of the whole run, where tasks are made so.
    pub log: Option<u64>,
}

impl Row for Checkpoint {
    fn gone(&self) -> bool {
        self.count == 0 && self.vault == super::NONE
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn slot(&self) -> Option<usize> {
        None
    }
}
