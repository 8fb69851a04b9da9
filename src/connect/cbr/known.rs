//! What the connector remembers between answers: which policy hangs on which vault, and what is in each vault.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::model::{Ref, Timestamp};

/// A vault as policies need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Holder {
    pub id: String,
    pub name: String,
    /// Ids of the resources in it.
    pub devices: Vec<String>,
}

/// Policies, vaults and last good backups as far as answers told of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    policies: BTreeMap<String, String>,
    /// Vault id to ids of the policies on it.
    links: BTreeMap<String, Vec<String>>,
    /// The vaults by page of their list.
    pages: BTreeMap<u32, Vec<Holder>>,
    /// The vaults that the policies were last handed over with.
    told: Option<BTreeMap<u32, Vec<Holder>>>,
    /// The earliest next run of a policy.
    due: Option<Timestamp>,
    good: HashMap<String, Timestamp>,
    good_changed: bool,
    unprotected: Unprotected,
}

/// What the lists of protectable resources told.
#[derive(Debug, Default)]
struct Unprotected {
    /// When they were last read whole, and which vaults there were.
    read: Option<(Timestamp, BTreeMap<u32, Vec<Holder>>)>,
    /// The pages that were handed over.
    pages: BTreeSet<u32>,
    /// The service does not publish the lists.
    absent: bool,
    /// Ids of the disks of servers, by page.
    disks: BTreeMap<u32, Vec<String>>,
}

impl Known {
    /// True when the protectable resources have to be asked for: `every` milliseconds are over, or what is in the
    /// vaults has changed.
    pub(super) fn unprotected_due(&self, now: Timestamp, every: i64) -> bool {
        let read = self.unprotected.read.as_ref();
        !self.unprotected.absent
            && read.is_none_or(|(at, vaults)| now.since(*at) >= every || *vaults != self.pages)
    }

    /// The service does not publish the lists: they are not asked for again.
    pub(super) const fn nothing_is_protectable(&mut self) {
        self.unprotected.absent = true;
    }

    /// The pages of protectable resources that were handed over, from `first` to before `end`.
    pub(super) fn unprotected_pages(&self, first: u32, end: u32) -> Vec<u32> {
        self.unprotected.pages.range(first..end).copied().collect()
    }

    /// Notes which pages between `first` and `end` were handed over.
    pub(super) fn unprotected_handed(&mut self, first: u32, end: u32, pages: &[u32]) {
        let held = &mut self.unprotected;
        held.pages.retain(|n| !(first..end).contains(n));
        held.pages.extend(pages);
        held.disks
            .retain(|n, _| !(first..end).contains(n) || pages.contains(n));
    }

    /// All lists of protectable resources were read to their ends, or not.
    pub(super) fn unprotected_read(&mut self, now: Timestamp, whole: bool) {
        self.unprotected.read = whole.then(|| (now, self.pages.clone()));
    }

    /// Keeps the disks of the servers on one page.
    pub(super) fn note_disks(&mut self, number: u32, disks: Vec<String>) {
        self.unprotected.disks.insert(number, disks);
    }

    /// True for a disk that is backed up, or not, with its server.
    pub(super) fn belongs_to_a_server(&self, disk: &str) -> bool {
        self.unprotected.disks.values().flatten().any(|d| d == disk)
    }

    /// Takes in the list of policies. True when the vaults' rows have to be made anew, because what they say of
    /// policies or good backups has changed.
    pub(super) fn learn_policies(
        &mut self,
        policies: BTreeMap<String, String>,
        links: BTreeMap<String, Vec<String>>,
    ) -> bool {
        let changed = self.policies != policies
            || self.links != links
            || std::mem::take(&mut self.good_changed);
        self.policies = policies;
        self.links = links;
        changed
    }

    /// Keeps what one page of the vaults' list holds.
    pub(super) fn vault_page(&mut self, number: u32, holders: Vec<Holder>) {
        self.pages.insert(number, holders);
    }

    /// The vaults' list was read to its end, before this page.
    pub(super) fn end_vaults(&mut self, number: u32) {
        self.pages.retain(|n, _| *n < number);
    }

    /// True when the policies' rows have to be made anew although their answer may be the same: the vaults have
    /// changed, or a next run has passed.
    pub(super) fn policies_are_old(&self, now: Timestamp) -> bool {
        self.told.as_ref() != Some(&self.pages) || self.due.is_some_and(|d| d <= now)
    }

    /// The policies were handed over.
    pub(super) fn policies_told(&mut self) {
        self.told = Some(self.pages.clone());
    }

    pub(super) const fn set_due(&mut self, due: Option<Timestamp>) {
        self.due = due;
    }

    /// Whether any list of the vaults was read.
    pub(super) fn knows_vaults(&self) -> bool {
        !self.pages.is_empty()
    }

    /// A vault by its id.
    pub(super) fn vault(&self, id: &str) -> Option<&Holder> {
        self.pages.values().flatten().find(|v| v.id == id)
    }

    /// The policies on a vault.
    pub(super) fn policies_on(&self, vault: &str) -> Vec<Ref> {
        self.links
            .get(vault)
            .into_iter()
            .flatten()
            .map(|id| self.policy(id))
            .collect()
    }

    /// A policy by its id, with its name where that is known.
    pub(super) fn policy(&self, id: &str) -> Ref {
        Ref::new(id, self.policies.get(id).map_or("", String::as_str))
    }

    /// A good backup of a resource was seen.
    pub(super) fn note_good(&mut self, resource: &str, at: Timestamp) {
        let newest = self.good.get(resource).is_none_or(|known| *known < at);
        if newest {
            self.good.insert(resource.to_owned(), at);
            self.good_changed = true;
        }
    }

    pub(super) fn good(&self, resource: &str) -> Option<Timestamp> {
        self.good.get(resource).copied()
    }

    /// How many known resources have no known good backup.
    pub(super) fn without_good(&self) -> usize {
        self.pages
            .values()
            .flatten()
            .flat_map(|v| &v.devices)
            .filter(|d| !self.good.contains_key(d.as_str()))
            .count()
    }
}
