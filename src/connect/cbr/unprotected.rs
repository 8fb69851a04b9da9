//! What the lists of protectable resources told, and when each has to be asked again.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use crate::model::{Fault, Timestamp};

/// How often a list is read when nothing in the vaults has changed, in milliseconds: many small pages.
const EVERY: i64 = 900_000;

/// The lists, each by the number of its first page.
#[derive(Debug, Default)]
pub(super) struct Unprotected {
    /// The service does not publish the lists.
    pub absent: bool,
    readings: BTreeMap<u32, Reading>,
    /// The pages that were handed over.
    pages: BTreeSet<u32>,
    /// Ids of the disks of servers, by page.
    disks: BTreeMap<u32, HashSet<String>>,
    /// They are others than when this was asked last.
    other_disks: bool,
}

/// How a list was answered last.
#[derive(Debug)]
struct Reading {
    at: Timestamp,
    /// Which state of the vaults was known then.
    vaults: u64,
    /// The service's refusal, which lasts as long.
    refusal: Option<Fault>,
}

impl Unprotected {
    /// True when the list has to be asked for: its time is over, or what is in the vaults has changed.
    pub(super) fn is_due(&self, list: u32, now: Timestamp, vaults: u64) -> bool {
        self.readings
            .get(&list)
            .is_none_or(|read| now.since(read.at) >= EVERY || read.vaults != vaults)
    }

    /// The list was read whole, or the service refused it.
    pub(super) fn answered(
        &mut self,
        list: u32,
        now: Timestamp,
        vaults: u64,
        refusal: Option<Fault>,
    ) {
        let reading = Reading {
            at: now,
            vaults,
            refusal,
        };
        self.readings.insert(list, reading);
    }

    /// The list has to be asked for at the next round.
    pub(super) fn ask_again(&mut self, list: u32) {
        self.readings.remove(&list);
    }

    /// Why the list could not be read when it was asked for last.
    pub(super) fn refusal(&self, list: u32) -> Option<Fault> {
        self.readings.get(&list)?.refusal.clone()
    }

    /// The pages that were handed over, from `first` to before `end`.
    pub(super) fn pages(&self, first: u32, end: u32) -> Vec<u32> {
        self.pages.range(first..end).copied().collect()
    }

    /// Notes which pages between `first` and `end` were handed over.
    pub(super) fn handed_over(&mut self, first: u32, end: u32, pages: &[u32]) {
        self.pages.retain(|n| !(first..end).contains(n));
        self.pages.extend(pages);
        let before = self.disks.len();
        self.disks
            .retain(|n, _| !(first..end).contains(n) || pages.contains(n));
        self.other_disks |= self.disks.len() != before;
    }

    /// Keeps the disks of the servers on one page.
    pub(super) fn note_disks(&mut self, number: u32, disks: HashSet<String>) {
        let other = if disks.is_empty() {
            self.disks.remove(&number).is_some()
        } else {
            let held = self.disks.entry(number).or_default();
            let other = *held != disks;
            *held = disks;
            other
        };
        self.other_disks |= other;
    }

    /// True for a disk that is backed up, or not, with its server.
    pub(super) fn is_a_servers(&self, disk: &str) -> bool {
        self.disks.values().any(|page| page.contains(disk))
    }

    /// Whether servers have other disks than when this was asked last.
    pub(super) const fn take_other_disks(&mut self) -> bool {
        std::mem::replace(&mut self.other_disks, false)
    }
}
