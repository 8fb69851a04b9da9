//! What the connector remembers between answers: plans, their schedules and resources, servers, and whose run is whose.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect::empties::Empties;
use crate::model::{BadRow, Device, Ref, Timestamp};

/// A scheduled operation of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Schedule {
    pub enabled: Option<bool>,
    /// When it fires.
    pub when: String,
    /// The next time it does, where that is known.
    pub next: Option<Timestamp>,
    /// Name, sort and time.
    pub words: String,
}

/// A plan as tasks need it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Brief {
    pub name: String,
    pub devices: Vec<Device>,
}

/// What the connector remembers between answers.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Schedules by plan.
    pub schedules: BTreeMap<String, Vec<Schedule>>,
    /// Plans by page of their list.
    pages: BTreeMap<u32, BTreeMap<String, Brief>>,
    /// Servers that could be protected, whether or not a plan covers them.
    pub servers: Vec<Device>,
    /// The devices that were handed over last, and the bad rows of triggers and schedules.
    pub told: Option<(Vec<Device>, Vec<BadRow>)>,
    /// The last run of each plan that ended well.
    good: BTreeMap<String, Good>,
    /// Plan and resource, where we saw the resource come into a plan that we knew without it; and when.
    joined: BTreeMap<(String, String), Timestamp>,
    /// Lists of one live status each.
    pub empties: Empties,
    /// Plan by checkpoint: restores and verifications name the checkpoint only.
    pub runs: BTreeMap<String, String>,
}

/// A run that ended well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Good {
    pub began: Timestamp,
    pub ended: Timestamp,
}

impl Known {
    /// Keeps the plans of one page of their list.
    pub(super) fn plans_page(
        &mut self,
        number: u32,
        plans: BTreeMap<String, Brief>,
        now: Timestamp,
    ) {
        for (id, plan) in &plans {
            let Some(before) = self.plan(id) else {
                continue;
            };
            let ids = |plan: &Brief| -> BTreeSet<String> {
                plan.devices.iter().map(|d| d.id.clone()).collect()
            };
            let (before, now_in) = (ids(before), ids(plan));
            for device in before.difference(&now_in) {
                self.joined.remove(&(id.clone(), device.clone()));
            }
            for device in now_in.difference(&before) {
                self.joined.insert((id.clone(), device.clone()), now);
            }
        }
        self.pages.insert(number, plans);
    }

    /// The list of plans was read to its end, before this page.
    pub(super) fn end_plans(&mut self, number: u32) {
        self.pages.retain(|n, _| *n < number);
        let pages = &self.pages;
        self.joined
            .retain(|(plan, _), _| pages.values().any(|page| page.contains_key(plan)));
    }

    fn plan(&self, id: &str) -> Option<&Brief> {
        self.pages.values().find_map(|page| page.get(id))
    }

    /// The name of a plan, or its id.
    pub(super) fn plan_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.plan(id).map_or(id, |p| p.name.as_str())
    }

    /// The plan behind a checkpoint; empty when no log has told it.
    pub(super) fn plan_of(&self, checkpoint: &str) -> &str {
        self.runs.get(checkpoint).map_or("", String::as_str)
    }

    /// The resource of a plan that has one only.
    pub(super) fn only_device(&self, plan: &str) -> Option<Ref> {
        match self.plan(plan)?.devices.as_slice() {
            [one] => Some(Ref::new(one.id.as_str(), one.name.as_str())),
            _ => None,
        }
    }

    /// A run of a plan ended well.
    pub(super) fn note_good(&mut self, plan: &str, run: Good) {
        let newest = self.good.entry(plan.to_owned()).or_insert(run);
        if newest.ended < run.ended {
            *newest = run;
        }
    }

    /// When a resource of a plan was backed up last. A run backs up everything in its plan (Karbor source, protection
    /// flow); what that was, no log tells, and a plan may be changed while it is `suspended`, as all stay that nobody
    /// calls otherwise (the same, plans controller). That it was what is in the plan now is our reading, save where we
    /// saw the resource come in later.
    fn backed_up(&self, plan: &str, device: &str) -> Option<Timestamp> {
        let run = self.good.get(plan)?;
        let joined = self.joined.get(&(plan.to_owned(), device.to_owned()));
        joined
            .is_none_or(|joined| *joined <= run.began)
            .then_some(run.ended)
    }

    /// Every resource of every plan once, with all the plans that cover it, and the servers that none covers.
    pub(super) fn devices(&self) -> Vec<Device> {
        let mut all: BTreeMap<&str, Device> = BTreeMap::new();
        for device in self
            .pages
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|p| &p.devices)
        {
            match all.get_mut(device.id.as_str()) {
                Some(known) => known.policy_ids.extend(device.policy_ids.iter().cloned()),
                None => {
                    all.insert(&device.id, device.clone());
                }
            }
        }
        for device in all.values_mut() {
            let plans = device.policy_ids.iter();
            device.last_success = plans.filter_map(|p| self.backed_up(p, &device.id)).max();
        }
        for server in &self.servers {
            all.entry(&server.id)
                .and_modify(|known| known.place.clone_from(&server.place))
                .or_insert_with(|| server.clone());
        }
        all.into_values().collect()
    }
}
