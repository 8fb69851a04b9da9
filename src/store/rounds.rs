//! Rounds of a feed: what was shown again, and what is gone.

use super::changed::FieldSet;
use super::slots::NOWHERE;
use super::tasks::{self, Row};
use super::{Store, TaskRow};
use crate::model::{Fault, ServiceId, Timestamp};

/// So many tasks at least are named as missing in one round, to be looked up with a request each. Of a storm of ends
/// most are told by the lists of what is new before the next round; what is still missing then is named then.
pub(super) const MISSING: usize = 64;

/// What a complete round of a feed is the whole truth about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Covered {
    /// All devices that this feed carries.
    pub devices: bool,
    /// All policies of the service.
    pub policies: bool,
    /// Live tasks.
    pub live: bool,
    /// Failed tasks that this feed carries.
    pub failed: bool,
}

/// What the end of a round brought to light.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoundEnd {
    /// Ids of tasks that we hold as live and that the feed no longer shows: they ended or vanished, and
    /// are to be looked up. Only the first where there are very many; the others follow in the next rounds.
    pub missing_live: Vec<String>,
    /// Devices and policies that are gone.
    pub removed: usize,
    /// Failed tasks that were taken off the service's own list.
    pub cleared: usize,
}

impl Store {
    /// The page is the one of last time: its rows stay seen. False when no such page was ever taken in.
    pub fn apply_same(
        &mut self,
        id: ServiceId,
        feed: &'static str,
        page: u32,
        now: Timestamp,
    ) -> bool {
        self.clock = self.clock.max(now);
        let Some(state) = self.services.get_mut(id.index()) else {
            return false;
        };
        let feed_state = state.feed_mut(feed);
        let Ok(at) = feed_state.pages.binary_search_by_key(&page, |p| p.number) else {
            return false;
        };
        let Some(page) = feed_state.pages.get_mut(at) else {
            return false;
        };
        page.seen = true;
        let held = std::mem::take(page);
        let lists_failed = feed_state.lists_failed;
        let news = feed_state.is_settled();
        let mut visible = false;
        for &row in held.tasks.iter().filter(|r| **r != NOWHERE) {
            feed_state.tasks.now.insert(row);
        }
        for &row in &held.devices {
            feed_state.devices.now.insert(row);
        }
        for &row in &held.policies {
            feed_state.policies.now.insert(row);
        }
        // a page that had gone for a while brings back what went with it
        for &row in held.tasks.iter().filter(|r| lists_failed && **r != NOWHERE) {
            let before = self.tasks.row(row);
            if before.flags & tasks::CLEARED != 0 {
                let flags = before.flags & !tasks::CLEARED;
                self.change(id, row, before, Row { flags, ..before }, None, now);
                visible = true;
            }
        }
        for &row in &held.devices {
            if let Some(gone) = self.devices.get_mut(row).and_then(|s| s.gone.take()) {
                self.put_device(id, *gone, now);
                visible = true;
            }
        }
        for &row in &held.policies {
            if let Some(gone) = self.policies.get_mut(row).and_then(|s| s.gone.take()) {
                self.put_policy(id, *gone, now);
                visible = true;
            }
        }
        if let Some(state) = self.services.get_mut(id.index())
            && let Some(slot) = state.feed_mut(feed).pages.get_mut(at)
        {
            *slot = held;
        }
        if visible {
            self.settle(true, news);
        }
        true
    }

    /// So many tasks of a service can be looked up at once: as many are named as missing in one round.
    pub fn name_missing(&mut self, id: ServiceId, at_once: usize) {
        if let Some(state) = self.services.get_mut(id.index()) {
            state.most_named = at_once.max(MISSING);
        }
    }

    /// Notes which parts of a feed failed while the rest came; true when that is another set than before.
    pub fn set_partial(&mut self, id: ServiceId, feed: &'static str, partial: Vec<Fault>) -> bool {
        let Some(state) = self.services.get_mut(id.index()) else {
            return false;
        };
        let feed = state.feed_mut(feed);
        if feed.partial == partial {
            return false;
        }
        feed.partial = partial;
        self.generation += 1;
        true
    }

    /// Ends a round of a feed. `complete`: the list was read to its end, so that what it covers and did
    /// not show is gone.
    pub fn finish_round(
        &mut self,
        id: ServiceId,
        feed: &'static str,
        covers: Covered,
        complete: bool,
        now: Timestamp,
    ) -> RoundEnd {
        let mut end = RoundEnd::default();
        self.clock = self.clock.max(now);
        let Some(state) = self.services.get_mut(id.index()) else {
            return end;
        };
        let feed_state = state.feed_mut(feed);
        let news = feed_state.is_settled();
        feed_state.last_round = Some(now);
        feed_state.rounds = feed_state.rounds.saturating_add(1);
        if !complete {
            for seen in [
                &mut feed_state.tasks,
                &mut feed_state.devices,
                &mut feed_state.policies,
            ] {
                seen.held.join(&seen.now);
                seen.now.clear();
            }
            for page in &mut feed_state.pages {
                page.seen = false;
            }
            return end;
        }
        feed_state.last_complete = Some(now);
        feed_state.lists_failed = covers.failed;
        let mut lost_bad = false;
        // pages that did not come stay known: they may come again "as last time"
        for page in feed_state.pages.iter_mut().filter(|p| !p.seen) {
            lost_bad |= !page.bad.is_empty();
            page.bad.clear();
        }
        let mut missing = [Vec::new(), Vec::new(), Vec::new()];
        for (seen, missing) in [
            &mut feed_state.tasks,
            &mut feed_state.devices,
            &mut feed_state.policies,
        ]
        .into_iter()
        .zip(&mut missing)
        {
            missing.extend(seen.held.minus(&seen.now));
        }
        for page in &mut feed_state.pages {
            page.seen = false;
        }
        let tasks_now = std::mem::take(&mut feed_state.tasks.now);
        let policies_now = std::mem::take(&mut feed_state.policies.now);
        let [missing_tasks, missing_devices, _] = missing;
        if covers.live {
            let missing: Vec<u32> = self
                .live
                .minus(&tasks_now)
                .filter(|&row| tasks::at(&self.tasks.service, row, u16::MAX) == id.0)
                .collect();
            let most = state.most_named;
            // each round goes on where the last one stopped: one that can't be looked up must not stand before others
            let (before, after) =
                missing.split_at(missing.partition_point(|row| *row < state.named_below));
            let named: Vec<u32> = after.iter().chain(before).copied().take(most).collect();
            state.named_below = named.last().map_or(0, |row| row + 1);
            end.missing_live = named
                .into_iter()
                .map(|row| self.tasks.ids.get(row).to_owned())
                .collect();
        }
        if covers.failed {
            for row in missing_tasks {
                end.cleared += usize::from(self.clear(id, row, now));
            }
        }
        if covers.devices {
            for row in missing_devices {
                end.removed += usize::from(self.remove_device(row));
            }
        }
        if covers.policies {
            let gone: Vec<u32> = super::listed(&self.policies)
                .filter(|&row| {
                    !policies_now.has(row)
                        && self.policies.get(row).is_some_and(|s| s.service == id)
                })
                .collect();
            for row in gone {
                end.removed += usize::from(self.remove_policy(row));
            }
        }
        if let Some(state) = self.services.get_mut(id.index()) {
            let feed_state = state.feed_mut(feed);
            // what was seen is held from now on; the other set is emptied and used for the next round
            let before = std::mem::replace(&mut feed_state.tasks.held, tasks_now);
            feed_state.tasks.now = before;
            feed_state.tasks.now.clear();
            let before = std::mem::replace(&mut feed_state.policies.held, policies_now);
            feed_state.policies.now = before;
            feed_state.policies.now.clear();
            let devices = &mut feed_state.devices;
            std::mem::swap(&mut devices.held, &mut devices.now);
            devices.now.clear();
        }
        self.settle(end.removed + end.cleared > 0 || lost_bad, news);
        self.sweep();
        end
    }

    /// Marks a failed task as taken off the service's own list.
    fn clear(&mut self, id: ServiceId, row: u32, now: Timestamp) -> bool {
        let before = self.tasks.row(row);
        if !before.phase.needs_person() || before.flags & (tasks::CLEARED | tasks::DEAD) != 0 {
            return false;
        }
        let after = Row {
            flags: before.flags | tasks::CLEARED,
            ..before
        };
        self.change(id, row, before, after, None, now);
        true
    }

    fn remove_device(&mut self, row: u32) -> bool {
        let Some(slot) = self.devices.get_mut(row) else {
            return false;
        };
        let (service, Some(gone)) = (slot.service, slot.listed.take()) else {
            return false;
        };
        self.relate_device(service, row, &gone.policy_ids, &[]);
        if let Some(slot) = self.devices.get_mut(row) {
            slot.gone = Some(gone);
        }
        self.devices.list(row, None);
        self.device_changes.note(row, FieldSet::ALL);
        true
    }

    fn remove_policy(&mut self, row: u32) -> bool {
        let Some(slot) = self.policies.get_mut(row) else {
            return false;
        };
        let (service, Some(gone)) = (slot.service, slot.listed.take()) else {
            return false;
        };
        self.relate_policy(service, row, &gone.device_ids, &[]);
        if let Some(slot) = self.policies.get_mut(row) {
            slot.gone = Some(gone);
        }
        self.policies.list(row, None);
        self.policy_changes.note(row, FieldSet::ALL);
        true
    }

    /// True while the row holds a task.
    #[must_use]
    pub fn is_task(&self, row: TaskRow) -> bool {
        tasks::at(&self.tasks.flags, row.0, tasks::DEAD) & tasks::DEAD == 0
    }
}
