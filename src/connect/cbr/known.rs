//! What the connector remembers between answers: which policy hangs on which vault, and what is in each vault.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::unprotected::Unprotected;
use crate::connect::empties::Empties;
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
    /// Counts changes of the vaults.
    version: u64,
    /// The state of the vaults that the policies were last handed over with.
    told: Option<u64>,
    /// The earliest next run of a policy.
    due: Option<Timestamp>,
    good: HashMap<String, Timestamp>,
    good_changed: bool,
    pub unprotected: Unprotected,
    /// Lists of one live status each.
    pub empties: Empties,
}

impl Known {
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
        if self.pages.get(&number) != Some(&holders) {
            self.pages.insert(number, holders);
            self.version += 1;
        }
    }

    /// The vaults' list was read to its end, before this page.
    pub(super) fn end_vaults(&mut self, number: u32) {
        if !self.pages.split_off(&number).is_empty() {
            self.version += 1;
        }
    }

    /// Which state of the vaults is known: another number after each change.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// True when the policies' rows have to be made anew although their answer may be the same: the vaults have
    /// changed, or a next run has passed.
    pub(super) fn policies_are_old(&self, now: Timestamp) -> bool {
        self.told != Some(self.version) || self.due.is_some_and(|d| d <= now)
    }

    /// The policies were handed over.
    pub(super) const fn policies_told(&mut self) {
        self.told = Some(self.version);
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
