//! What has to be told to history after the live store changed.
//!
//! The store notes which rows changed; the recorder goes after them in small steps, so that its work never shows.
//! What came out of history and was not changed since is not told again.

use hashbrown::{HashMap, HashSet};

use super::{Event, History, PartySeen, PartyState, ServiceKey, TaskSeen};
use crate::model::{Device, Health, Policy, ServiceId, Timestamp, Transition};
use crate::store::changed::Changes;
use crate::store::symbols::Sym;
use crate::store::{DeviceRow, FeedState, PolicyRow, Store, TaskRow};

/// The recorder waits while history has more than this still to write.
const ENOUGH: usize = 8_192;
/// An answer that comes so soon after the last one that was told is not told, in milliseconds: the age of what
/// is known after a program was killed is right to within this. Then all services' answers are told at once, so
/// that they make one write.
const ANSWERS_EVERY_MS: i64 = 30_000;

/// How far the changes of one noun were followed.
#[derive(Debug, Default)]
struct Place {
    /// The number of the next change.
    next: u64,
    /// While every row is gone through, because changes were forgotten: the next row.
    pass: Option<u32>,
}

impl Place {
    /// The next rows, each once; empty when nothing is left.
    fn rows(&mut self, changes: &Changes, end: u32, most: usize) -> Vec<u32> {
        if self.pass.is_none() && changes.kept_since(self.next).is_none() {
            // too far behind: everything is told, and history finds out what is new
            self.pass = Some(0);
            self.next = changes.next();
        }
        if let Some(from) = self.pass {
            let to = end.min(from.saturating_add(u32::try_from(most).unwrap_or(u32::MAX)));
            self.pass = (to < end).then_some(to);
            return (from..to).collect();
        }
        let mut seen = HashSet::new();
        let mut rows = Vec::new();
        for kept in changes.kept_since(self.next).into_iter().flatten() {
            if rows.len() >= most {
                break;
            }
            self.next += 1;
            // what is reckoned from other rows is reckoned anew from them when it is read
            if let Some(row) = kept
                && seen.insert(row)
            {
                rows.push(row);
            }
        }
        rows
    }

    fn is_behind(&self, changes: &Changes) -> bool {
        self.pass.is_some() || self.next < changes.next()
    }
}

/// How much of what changed was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// All of it.
    All,
    /// There is more; go on soon.
    Part,
    /// History is behind with its writing; go on after a while.
    HeldUp,
}

/// Follows a store and tells history what is new.
#[derive(Debug, Default)]
pub struct Recorder {
    services: Vec<ServiceKey>,
    tasks: Place,
    devices: Place,
    policies: Place,
    /// Transitions up to this number were taken over.
    seq: u64,
    /// Transitions of tasks whose turn has not come.
    moves: HashMap<u32, Vec<Transition>>,
    /// The last answer that was told, one a service.
    answered: Vec<i64>,
}

impl Recorder {
    /// Tells history at most about `most` rows of what changed. Nothing is told while history is far behind with
    /// its writing.
    pub fn tell(
        &mut self,
        store: &Store,
        history: &dyn History,
        now: Timestamp,
        most: usize,
    ) -> Told {
        if !history.keeps() || !self.is_behind(store) {
            return Told::All;
        }
        if history.waiting() > ENOUGH {
            return Told::HeldUp;
        }
        history.record(self.take(store, now, most));
        if self.is_behind(store) {
            Told::Part
        } else {
            Told::All
        }
    }

    /// True when something changed that was not told yet.
    pub fn is_behind(&self, store: &Store) -> bool {
        self.tasks.is_behind(&store.task_changes)
            || self.devices.is_behind(&store.device_changes)
            || self.policies.is_behind(&store.policy_changes)
            || self.answers(store).next().is_some()
    }

    /// Answers that were not told yet: service and instant. None while all of them are new enough as they were told.
    fn answers<'s>(&'s self, store: &'s Store) -> impl Iterator<Item = (usize, Timestamp)> + 's {
        // also after the clock was set back
        let due = self
            .newer(store)
            .any(|(_, at, told)| told.is_none_or(|t| (at.0 - t).abs() >= ANSWERS_EVERY_MS));
        self.newer(store)
            .filter(move |_| due)
            .map(|(n, at, _)| (n, at))
    }

    /// Services whose last answer is another than was told: its instant, and the one that was told.
    fn newer<'s>(
        &'s self,
        store: &'s Store,
    ) -> impl Iterator<Item = (usize, Timestamp, Option<i64>)> + 's {
        store
            .services()
            .iter()
            .enumerate()
            .filter_map(|(n, state)| {
                let Health::Fresh { since } = &state.health else {
                    return None;
                };
                let told = self.answered.get(n).copied();
                (told != Some(since.0)).then_some((n, *since, told))
            })
    }

    /// Lets the next telling tell every service's last answer: the program ends.
    pub fn end(&mut self) {
        self.answered.fill(i64::MIN / 2);
    }

    /// The next events: at most about `most` rows of each noun.
    pub fn take(&mut self, store: &Store, now: Timestamp, most: usize) -> Vec<Event> {
        if self.services.is_empty() {
            self.services = store
                .services()
                .iter()
                .map(|s| ServiceKey::from(&s.service))
                .collect();
            self.answered = vec![i64::MIN / 2; self.services.len()];
        }
        self.take_over_moves(store);
        let mut events = Vec::new();
        let answers: Vec<_> = self.answers(store).collect();
        for (n, at) in answers {
            if let (Some(told), Some(service)) = (self.answered.get_mut(n), self.services.get(n)) {
                *told = at.0;
                events.push(Event::Answered {
                    service: service.clone(),
                    at,
                });
            }
        }
        let end = store.devices.rows.len() as u32;
        for row in self.devices.rows(&store.device_changes, end, most) {
            events.extend(self.device(store, row, now));
        }
        let end = store.policies.rows.len() as u32;
        for row in self.policies.rows(&store.policy_changes, end, most) {
            events.extend(self.policy(store, row, now));
        }
        let end = store.tasks.phase.len() as u32;
        for row in self.tasks.rows(&store.task_changes, end, most) {
            events.extend(self.task(store, row, now));
        }
        if !self.tasks.is_behind(&store.task_changes) {
            // rows that are gone by now
            self.moves.clear();
        }
        events
    }

    fn take_over_moves(&mut self, store: &Store) {
        let last = store.log.count();
        // what came out of history is known there
        self.seq = self.seq.max(store.log.remembered);
        for number in self.seq + 1..=last {
            // numbers that are no longer held are jumped over: the last state still tells where they led
            if let Some(entry) = store.log.get(number) {
                self.moves
                    .entry(entry.row)
                    .or_default()
                    .push(store.transition_of(entry));
            }
        }
        self.seq = last;
    }

    fn key(&self, id: ServiceId) -> Option<ServiceKey> {
        self.services.get(id.index()).cloned()
    }

    fn task(&mut self, store: &Store, row: u32, now: Timestamp) -> Option<Event> {
        let transitions = self.moves.remove(&row).unwrap_or_default();
        let view = store.task(TaskRow(row));
        if view.is_gone() || store.remembered.has(row) {
            return None;
        }
        let feeds = feeds(store, view.service_id(), |f| f.tasks.has(row));
        Some(Event::Task(Box::new(TaskSeen {
            service: self.key(view.service_id())?,
            task: view.to_task(),
            cleared: view.cleared(),
            lost: view.lost(),
            feeds,
            transitions,
            at: now,
        })))
    }

    fn device(&self, store: &Store, row: u32, now: Timestamp) -> Option<Event> {
        let slot = store.devices.get(row)?;
        let view = store.device(DeviceRow(row));
        if slot.id == Sym::EMPTY {
            return None;
        }
        let state = match view.record() {
            Some(record) => PartyState::Device(kept_device(record)),
            None if slot.gone.is_some() => PartyState::DeviceGone(view.id().to_owned()),
            None => return None,
        };
        let feeds = feeds(store, slot.service, |f| f.devices.has(row));
        Some(Event::Party(Box::new(PartySeen {
            service: self.key(slot.service)?,
            state,
            feeds,
            at: now,
        })))
    }

    fn policy(&self, store: &Store, row: u32, now: Timestamp) -> Option<Event> {
        let slot = store.policies.get(row)?;
        let view = store.policy(PolicyRow(row));
        if slot.id == Sym::EMPTY {
            return None;
        }
        let state = match view.record() {
            Some(record) => PartyState::Policy(kept_policy(record)),
            None if slot.gone.is_some() => PartyState::PolicyGone(view.id().to_owned()),
            None => return None,
        };
        let feeds = feeds(store, slot.service, |f| f.policies.has(row));
        Some(Event::Party(Box::new(PartySeen {
            service: self.key(slot.service)?,
            state,
            feeds,
            at: now,
        })))
    }
}

/// A device as history keeps it; the service's own text is long and never kept.
fn kept_device(d: &Device) -> Device {
    Device {
        id: d.id.clone(),
        name: d.name.clone(),
        what: d.what,
        native_status: d.native_status.clone(),
        faulty: d.faulty,
        place: d.place.clone(),
        policy_ids: d.policy_ids.clone(),
        protected_now: d.protected_now,
        last_success: d.last_success,
        facts: d.facts.clone(),
        raw: String::new(),
    }
}

/// A policy as history keeps it.
fn kept_policy(p: &Policy) -> Policy {
    Policy {
        id: p.id.clone(),
        name: p.name.clone(),
        what: p.what,
        native_status: p.native_status.clone(),
        enabled: p.enabled,
        faulty: p.faulty,
        protected_now: p.protected_now,
        last_success: p.last_success,
        due: p.due,
        schedule: p.schedule.clone(),
        next_run: p.next_run,
        device_ids: p.device_ids.clone(),
        facts: p.facts.clone(),
        raw: String::new(),
    }
}

/// The lists of a service that show something, in one order.
fn feeds(store: &Store, id: ServiceId, shows: impl Fn(&FeedState) -> bool) -> Vec<&'static str> {
    let all = store.service(id).feeds.iter();
    let mut names: Vec<&'static str> = all.filter(|f| shows(f)).map(|f| f.id).collect();
    names.sort_unstable();
    names
}
