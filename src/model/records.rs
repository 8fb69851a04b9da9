//! From when on the services' own records are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Timestamp;

/// Says, while a history is read, from when on the records and further facts of tasks are still wanted: there is room
/// for a part of a long history only, and what would not be kept need not be copied. Shared between the store, which
/// knows, and those that decode. Concerns only tasks that nobody has to look after.
#[derive(Clone, Debug)]
pub struct RecordsFrom(Arc<AtomicI64>);

/// Everything is wanted.
const ALL: i64 = i64::MIN;

impl Default for RecordsFrom {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(ALL)))
    }
}

impl RecordsFrom {
    /// Records of tasks that began before this are not kept; `None` while there is room.
    #[must_use]
    pub fn get(&self) -> Option<Timestamp> {
        let from = self.0.load(Ordering::Relaxed);
        (from != ALL).then_some(Timestamp(from))
    }

    /// Says from when on they are kept.
    pub fn set(&self, from: Option<Timestamp>) {
        self.0.store(from.map_or(ALL, |t| t.0), Ordering::Relaxed);
    }
}
