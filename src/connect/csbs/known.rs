//! What the connector remembers between answers: CSBS tells of a server, and of the policy behind a run, in
//! bits and pieces.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use super::item::{Facet, Item};
use super::runs::Runs;
use crate::connect::empties::Empties;
use crate::model::{Device, Phase, Ref, Task, Timestamp};

/// How many sent actions are remembered.
const SENT: usize = 64;
/// How many live deletions are remembered; of one more nobody would know how it ended.
const DELETIONS: usize = 100_000;

/// Servers, runs of policies and deletions as far as answers told of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    devices: HashMap<String, Device>,
    pub runs: Runs,
    /// Lists of one transitional status each.
    pub empties: Empties,
    /// Live deletions by item id: when the item is gone, nothing else tells whose it was. Boxed: a map of them moves
    /// its rows as it grows.
    deletions: HashMap<String, Box<Task>>,
    /// Policies by id and name, from the newest list.
    policies: Vec<Ref>,
    /// What each page of the policy list held, and the earliest next run on it.
    pages: BTreeMap<u32, (Vec<Bound>, Option<Timestamp>)>,
    is_bound: bool,
    /// The newest actions that were sent, in their order.
    sent: VecDeque<Sent>,
    /// Servers that changed and were not handed over since.
    fresh: Vec<String>,
    /// Counts changes of the servers.
    revision: u64,
    /// The state of the servers that was handed over as a whole last.
    told: Option<u64>,
}

impl Known {
    fn device(&mut self, id: &str) -> &mut Device {
        self.devices.entry_ref(id).or_insert_with(|| Device {
            id: id.to_owned(),
            name: id.to_owned(),
            what: "server",
            ..Device::default()
        })
    }

    /// Takes in what an item tells of its server, and where it is listed.
    pub(super) fn meet(&mut self, item: &Item<'_>) {
        self.empties.met(item.status.as_str());
        let id = item.resource_id.as_str();
        if id.is_empty() {
            return;
        }
        let e = item.extend();
        let good = item.good_at();
        let mut changed = false;
        let device = self.device(id);
        if !e.resource_name.is_empty() && device.name != e.resource_name.as_str() {
            device.name = e.resource_name.owned();
            changed = true;
        }
        if !e.resource_az.is_empty() && device.place != e.resource_az.as_str() {
            device.place = e.resource_az.owned();
            changed = true;
        }
        if good > device.last_success {
            device.last_success = good;
            changed = true;
        }
        if device.raw.is_empty() {
            changed = true;
            device.raw = serde_json::json!({
                "id": id, "type": item.kind(), "name": e.resource_name.as_str(),
            })
            .to_string();
            device.facts = vec![("Type", item.kind().to_owned())];
        }
        if changed {
            self.revision += 1;
            self.fresh.push(id.to_owned());
        }
    }

    /// The servers that changed since this was asked last, as they are known now. No list of CSBS is the whole
    /// truth about servers, so that one which did not change need not be told again.
    pub(super) fn fresh(&mut self) -> Vec<Device> {
        let mut ids = std::mem::take(&mut self.fresh);
        ids.sort_unstable();
        ids.dedup();
        ids.iter()
            .filter_map(|id| self.devices.get(id).cloned())
            .collect()
    }

    /// Keeps what one page of the policy list holds; see [`Known::bind`].
    pub(super) fn policy_page(
        &mut self,
        number: u32,
        policies: Vec<Bound>,
        due: Option<Timestamp>,
    ) {
        self.pages.insert(number, (policies, due));
    }

    /// True when a policy's next run has passed, so that the list has to be read anew although the service's
    /// answer may be the same.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.pages
            .values()
            .any(|(_, due)| due.is_some_and(|d| d <= now))
    }

    /// The list of policies was read to its end, `pages` pages of it: servers are in these policies and no
    /// others.
    pub(super) fn bind(&mut self, pages: u32) {
        self.pages.retain(|number, _| *number < pages);
        self.is_bound = true;
        let policies: Vec<Bound> = self
            .pages
            .values()
            .flat_map(|(p, _)| p.iter().cloned())
            .collect();
        let before = self.devices.clone();
        for device in self.devices.values_mut() {
            device.policy_ids.clear();
        }
        for policy in &policies {
            for server in &policy.servers {
                let device = self.device(&server.id);
                if !server.name.is_empty() && device.name == device.id {
                    device.name.clone_from(&server.name);
                }
                if !device.policy_ids.contains(&policy.policy.id) {
                    device.policy_ids.push(policy.policy.id.clone());
                }
                device.raw.clone_from(&server.raw);
                device.facts = vec![("Type", server.kind.clone())];
            }
        }
        self.policies = policies.iter().map(|p| p.policy.clone()).collect();
        if before != self.devices {
            self.revision += 1;
        }
    }

    /// Every server, when something changed since this was told last.
    pub(super) fn news(&self) -> Option<(Vec<Device>, u64)> {
        if self.told == Some(self.revision) {
            return None;
        }
        let mut all: Vec<Device> = self.devices.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Some((all, self.revision))
    }

    /// The servers of this state were handed over.
    pub(super) const fn told(&mut self, revision: u64) {
        self.told = Some(revision);
    }

    /// True once a whole list of policies was read.
    pub(super) const fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// How many servers have no good backup that we know of.
    pub(super) fn without_good(&self) -> usize {
        self.devices
            .values()
            .filter(|d| d.last_success.is_none())
            .count()
    }

    /// The policies of the newest list.
    pub(super) fn policies(&self) -> Vec<Ref> {
        self.policies.clone()
    }

    /// Remembers an action that is being sent.
    pub(super) fn note_sent(&mut self, sent: Sent) {
        if self.sent.len() >= SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
    }

    /// When this action was sent that went out at `ours` by our clock, and when the same was sent next, both by the
    /// service's clock: the same action may be sent again before it is known what became of the first.
    pub(super) fn sent_at(
        &self,
        plan: &str,
        ours: Timestamp,
    ) -> Option<(Timestamp, Option<Timestamp>)> {
        let same = || self.sent.iter().filter(|s| s.plan == plan);
        let (n, sent) = same()
            .enumerate()
            .min_by_key(|(_, s)| s.ours.since(ours).abs())?;
        Some((sent.at, same().nth(n + 1).map(|s| s.at)))
    }

    /// Remembers a deletion while it lives.
    pub(super) fn note_deletion(&mut self, item: &Item<'_>, task: &Task) {
        if item.facet() != Facet::Delete || !task.phase.is_live() {
            return;
        }
        let held = self.deletions.get_mut(item.id.as_str());
        if let Some(held) = held {
            if task.policy.is_some() && held.policy != task.policy {
                held.policy.clone_from(&task.policy);
            }
            return;
        }
        if self.deletions.len() >= DELETIONS {
            return;
        }
        // the record and what it says besides are held with the task by whoever was told of it
        let kept = Task {
            id: task.id.clone(),
            device: task.device.clone(),
            policy: task.policy.clone(),
            operation: task.operation.clone(),
            native_status: task.native_status.clone(),
            phase: task.phase,
            started_at: task.started_at,
            updated_at: task.updated_at,
            ..Task::default()
        };
        self.deletions.insert(item.id.owned(), Box::new(kept));
    }

    /// The deletion of an item that is gone now, ended.
    pub(super) fn deleted(&mut self, item_id: &str) -> Option<Task> {
        let mut task = *self.deletions.remove(item_id)?;
        task.native_status = "deleted".into();
        task.phase = Phase::Succeeded;
        task.progress = None;
        Some(task)
    }
}

/// An action that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// What it does, as text.
    pub plan: String,
    /// When, by the service's clock.
    pub at: Timestamp,
    /// When, by ours.
    pub ours: Timestamp,
}

/// A policy with the servers in it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub policy: Ref,
    pub servers: Vec<BoundServer>,
}

/// A server as a policy names it.
#[derive(Clone, Debug)]
pub(super) struct BoundServer {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub raw: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_action_sent_twice_is_told_apart_by_when() {
        let mut known = Known::default();
        // the service's clock is an hour ahead
        let at = |ms: i64| Timestamp(ms).plus(3_600_000);
        for (plan, ms) in [("back-up", 10_000), ("other", 20_000), ("back-up", 70_000)] {
            known.note_sent(Sent {
                plan: plan.to_owned(),
                at: at(ms),
                ours: Timestamp(ms),
            });
        }
        let sent = |ms| known.sent_at("back-up", Timestamp(ms));
        assert_eq!(sent(9_400), Some((at(10_000), Some(at(70_000)))));
        assert_eq!(sent(69_000), Some((at(70_000), None)));
        assert_eq!(known.sent_at("delete", Timestamp(10_000)), None);
    }
}
