//! What the connector remembers between answers: plans, their schedules and resources, servers, and whose run is whose.

use std::collections::BTreeMap;

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
    pub pages: BTreeMap<u32, BTreeMap<String, Brief>>,
    /// Servers that could be protected, whether or not a plan covers them.
    pub servers: Vec<Device>,
    /// The devices that were handed over last, and the bad rows of triggers and schedules.
    pub told: Option<(Vec<Device>, Vec<BadRow>)>,
    /// When each plan last ended well.
    good: BTreeMap<String, Timestamp>,
    /// Plan by checkpoint: restores and verifications name the checkpoint only.
    pub runs: BTreeMap<String, String>,
}

impl Known {
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
    pub(super) fn note_good(&mut self, plan: &str, at: Timestamp) {
        let newest = self.good.entry(plan.to_owned()).or_insert(at);
        *newest = at.max(*newest);
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
        // a run backs up everything in its plan, and a plan that was once run can't be changed
        for device in all.values_mut() {
            let plans = device.policy_ids.iter();
            device.last_success = plans.filter_map(|p| self.good.get(p)).max().copied();
        }
        for server in &self.servers {
            all.entry(&server.id)
                .and_modify(|known| known.place.clone_from(&server.place))
                .or_insert_with(|| server.clone());
        }
        all.into_values().collect()
    }
}
