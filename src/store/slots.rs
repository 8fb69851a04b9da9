//! Devices and policies by dense number: those that a service lists, and those that only a task or a
//! policy refers to.

use hashbrown::HashMap;

use super::bits::Bits;
use super::changed::FieldSet;
use super::outcomes::{Outcome, Stats, Tally};
use super::sweep::is_used;
use super::symbols::Sym;
use crate::model::{ServiceId, Timestamp};

/// No row.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A device or policy.
pub(super) struct Slot<T> {
    pub(super) service: ServiceId,
    /// The service's own id; empty where tasks only know a name.
    pub(super) id: Sym,
    /// The name people use, by the newest record that tells one.
    pub(super) name: Sym,
    /// The record, while the service lists it.
    pub(super) listed: Option<Box<T>>,
    /// The last record of what is no longer listed.
    pub(super) gone: Option<Box<T>>,
    /// Its tasks, in no order.
    pub(super) tasks: Vec<u32>,
    /// What is shown.
    pub(super) stats: Stats,
    pub(super) tally: Tally,
    /// The row that means the same: tasks that know only the name, and the one listed thing of that name.
    pub(super) partner: u32,
    pub(super) changed: FieldSet,
    pub(super) changed_at: Timestamp,
    /// Rows of the other noun that belong to it.
    pub(super) related: Vec<u32>,
    dirty: bool,
}

/// All of one noun. Rows are never given to something else.
pub(super) struct Slots<T> {
    pub(super) rows: Vec<Slot<T>>,
    by_id: HashMap<(u16, Sym), u32>,
    /// Rows that tasks know by name only.
    by_name: HashMap<(u16, Sym), u32>,
    /// Listed rows of a name.
    listed_names: HashMap<(u16, Sym), Vec<u32>>,
    /// Rows whose statistics have to be made anew.
    dirty: Vec<u32>,
    /// How often a name changed that other rows show.
    pub(super) renames: u64,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self {
            rows: Vec::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            listed_names: HashMap::new(),
            dirty: Vec::new(),
            renames: 0,
        }
    }

    pub(super) fn get(&self, row: u32) -> Option<&Slot<T>> {
        self.rows.get(row as usize)
    }

    pub(super) fn get_mut(&mut self, row: u32) -> Option<&mut Slot<T>> {
        self.rows.get_mut(row as usize)
    }

    pub(super) fn find(&self, service: ServiceId, id: Sym) -> Option<u32> {
        self.by_id.get(&(service.0, id)).copied()
    }

    fn push(&mut self, service: ServiceId, id: Sym, name: Sym) -> u32 {
        let row = self.rows.len() as u32;
        self.rows.push(Slot {
            service,
            id,
            name,
            listed: None,
            gone: None,
            tasks: Vec::new(),
            stats: Stats::default(),
            tally: Tally::default(),
            partner: NOWHERE,
            changed: FieldSet::NONE,
            changed_at: Timestamp::default(),
            related: Vec::new(),
            dirty: false,
        });
        row
    }

    /// A new row for an id that has none.
    pub(super) fn add(&mut self, service: ServiceId, id: Sym) -> u32 {
        let row = self.push(service, id, Sym::EMPTY);
        self.by_id.insert((service.0, id), row);
        row
    }

    /// The row of a reference. Without an id it stands for the name alone.
    pub(super) fn refer(&mut self, service: ServiceId, id: Sym, name: Sym) -> u32 {
        if id == Sym::EMPTY {
            if let Some(&row) = self.by_name.get(&(service.0, name)) {
                return row;
            }
            let row = self.push(service, Sym::EMPTY, name);
            self.by_name.insert((service.0, name), row);
            self.pair(service, name);
            return row;
        }
        if let Some(row) = self.find(service, id) {
            if name != Sym::EMPTY
                && let Some(slot) = self.get(row)
                && slot.listed.is_none()
            {
                self.rename(row, name);
            }
            return row;
        }
        let row = self.push(service, id, name);
        self.by_id.insert((service.0, id), row);
        row
    }

    /// Notes that a row is listed under this name from now on, or no longer under any.
    pub(super) fn list(&mut self, row: u32, name: Option<Sym>) {
        let Some(slot) = self.rows.get(row as usize) else {
            return;
        };
        let (service, before) = (slot.service, slot.name);
        if let Some(rows) = self.listed_names.get_mut(&(service.0, before)) {
            rows.retain(|r| *r != row);
        }
        self.pair(service, before);
        if let Some(name) = name {
            self.rename(row, name);
            self.listed_names
                .entry((service.0, name))
                .or_default()
                .push(row);
            self.pair(service, name);
        }
    }

    /// Joins tasks that know only the name with the listed row of that name, when there is just one.
    fn pair(&mut self, service: ServiceId, name: Sym) {
        let key = (service.0, name);
        let Some(&named) = self.by_name.get(&key) else {
            return;
        };
        let only = match self.listed_names.get(&key).map(Vec::as_slice) {
            Some([one]) => *one,
            _ => NOWHERE,
        };
        let before = self.get(named).map_or(NOWHERE, |s| s.partner);
        if before == only {
            return;
        }
        for (row, partner) in [(before, NOWHERE), (only, named), (named, only)] {
            if let Some(slot) = self.get_mut(row) {
                slot.partner = partner;
                self.touch(row);
            }
        }
        self.renames += 1;
    }

    fn rename(&mut self, row: u32, name: Sym) {
        let Some(slot) = self.rows.get_mut(row as usize) else {
            return;
        };
        if slot.name != name {
            slot.name = name;
            if !slot.tasks.is_empty() || !slot.related.is_empty() {
                self.renames += 1;
            }
        }
    }

    /// The row that shows what is known of this one: the listed partner of a mere name.
    pub(super) fn shown(&self, row: u32) -> u32 {
        match self.get(row) {
            Some(slot) if slot.listed.is_none() && slot.partner != NOWHERE => slot.partner,
            _ => row,
        }
    }

    /// Marks the statistics of a row as changed; the tasks have to be gone through again.
    pub(super) fn touch(&mut self, row: u32) {
        self.tell(row, |tally| tally.spoil());
    }

    /// Marks the statistics of a row as changed by what its own record tells; its tasks count as they did.
    pub(super) fn reckon(&mut self, row: u32) {
        self.tell(row, |_| ());
    }

    /// Counts a task that is new to the row.
    pub(super) fn count(&mut self, row: u32, outcome: &Outcome) {
        self.tell(row, |tally| tally.add(outcome));
    }

    /// Counts a task that is no longer held.
    pub(super) fn uncount(&mut self, row: u32, outcome: &Outcome) {
        self.tell(row, |tally| tally.remove(outcome));
    }

    /// Counts a change of one of the row's tasks.
    pub(super) fn recount(&mut self, row: u32, before: &Outcome, after: &Outcome) {
        if before != after {
            self.tell(row, |tally| tally.change(before, after));
        }
    }

    fn tell(&mut self, row: u32, what: impl FnOnce(&mut Tally)) {
        let row = self.shown(row);
        if let Some(slot) = self.rows.get_mut(row as usize) {
            what(&mut slot.tally);
            if !slot.dirty {
                slot.dirty = true;
                self.dirty.push(row);
            }
        }
    }

    /// The rows marked since the last call.
    pub(super) fn take_dirty(&mut self) -> Vec<u32> {
        let dirty = std::mem::take(&mut self.dirty);
        for &row in &dirty {
            if let Some(slot) = self.get_mut(row) {
                slot.dirty = false;
            }
        }
        dirty
    }

    /// Drops what is kept by names that are no longer used, before their numbers are given away again.
    pub(super) fn forget_names(&mut self, used: &Bits) {
        self.listed_names
            .retain(|(_, name), rows| !rows.is_empty() && is_used(used, *name));
    }

    /// The tasks of a row and of its partner, in no order.
    pub(super) fn tasks(&self, row: u32) -> impl Iterator<Item = u32> + '_ {
        let slot = self.get(row);
        let partner = slot.and_then(|s| self.get(s.partner));
        slot.into_iter()
            .chain(partner)
            .flat_map(|s| s.tasks.iter().copied())
    }
}
