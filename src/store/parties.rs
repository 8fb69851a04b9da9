//! Folding devices and policies into the store, and their statistics.

use hashbrown::HashMap;

use super::Store;
use super::apply::Fate;
use super::changed::{Changes, FieldSet};
use super::outcomes::{self, Outcome, Stats, Tally};
use super::party_view::Listed;
use super::slots::Slots;
use super::symbols::{Sym, Symbols};
use super::tasks::{NEVER, Row, Tasks};
use crate::model::{Device, Phase, Policy, ServiceId, Timestamp};
use crate::query::Field;

/// What differs between two statistics.
fn stats_differ(a: &Stats, b: &Stats) -> Option<FieldSet> {
    let pairs = [
        (a.last_good != b.last_good, Field::LastGood),
        (a.last_good.is_some() != b.last_good.is_some(), Field::Is),
        (a.last_attempt != b.last_attempt, Field::LastAttempt),
        (a.last_attempt_phase != b.last_attempt_phase, Field::Phase),
        (a.last_attempt_phase != b.last_attempt_phase, Field::Is),
        (a.streak != b.streak, Field::Streak),
        (a.running != b.running, Field::Running),
        (a.tasks != b.tasks, Field::Tasks),
        (
            a.last_attempt != b.last_attempt || a.last_good != b.last_good,
            Field::Age,
        ),
    ];
    differing(&pairs, a != b)
}

fn note<T>(slots: &mut Slots<T>, row: u32, fields: FieldSet, now: Timestamp) {
    if let Some(slot) = slots.get_mut(row) {
        slot.changed = fields;
        slot.changed_at = now;
    }
}

/// The name people use; the id where there is none.
fn shown_name(symbols: &mut Symbols, name: &str, id: &str) -> Sym {
    symbols.intern(if name.is_empty() { id } else { name })
}

impl Store {
    pub(super) fn put_device(
        &mut self,
        id: ServiceId,
        device: Device,
        now: Timestamp,
    ) -> (u32, Fate) {
        let sym = self.symbols.intern(&device.id);
        let row = match self.devices.find(id, sym) {
            Some(row) => row,
            None => self.devices.add(id, sym),
        };
        let held = self.devices.get_mut(row).and_then(|s| s.listed.take());
        let Some(mut held) = held else {
            let name = shown_name(&mut self.symbols, &device.name, &device.id);
            self.relate_device(id, row, &[], &device.policy_ids);
            if let Some(slot) = self.devices.get_mut(row) {
                slot.listed = Some(Box::new(device));
                slot.gone = None;
            }
            self.devices.list(row, Some(name));
            self.devices.touch(row);
            self.device_changes.note(row, FieldSet::ALL);
            return (row, Fate::New);
        };
        let fields = device_differs(&held, &device);
        if let Some(fields) = fields {
            let renamed = held.name != device.name;
            self.relate_device(id, row, &held.policy_ids, &device.policy_ids);
            *held = device;
            let good = held.last_success;
            let name = renamed.then(|| shown_name(&mut self.symbols, &held.name, &held.id));
            if let Some(slot) = self.devices.get_mut(row) {
                slot.listed = Some(held);
            }
            if name.is_some() {
                self.devices.list(row, name);
            }
            self.devices.reckon(row);
            note_told(&mut self.devices, row, fields, good, now);
            self.device_changes.note(row, fields);
            return (row, Fate::Changed);
        }
        if held.raw != device.raw {
            held.raw = device.raw;
        }
        if let Some(slot) = self.devices.get_mut(row) {
            slot.listed = Some(held);
        }
        (row, Fate::Same)
    }

    pub(super) fn put_policy(
        &mut self,
        id: ServiceId,
        policy: Policy,
        now: Timestamp,
    ) -> (u32, Fate) {
        let sym = self.symbols.intern(&policy.id);
        let row = match self.policies.find(id, sym) {
            Some(row) => row,
            None => self.policies.add(id, sym),
        };
        let held = self.policies.get_mut(row).and_then(|s| s.listed.take());
        let Some(mut held) = held else {
            let name = shown_name(&mut self.symbols, &policy.name, &policy.id);
            self.relate_policy(id, row, &[], &policy.device_ids);
            if let Some(slot) = self.policies.get_mut(row) {
                slot.listed = Some(Box::new(policy));
                slot.gone = None;
            }
            self.policies.list(row, Some(name));
            self.policies.touch(row);
            self.policy_changes.note(row, FieldSet::ALL);
            return (row, Fate::New);
        };
        let fields = policy_differs(&held, &policy);
        if let Some(fields) = fields {
            let renamed = held.name != policy.name;
            self.relate_policy(id, row, &held.device_ids, &policy.device_ids);
            *held = policy;
            let good = held.last_success;
            let name = renamed.then(|| shown_name(&mut self.symbols, &held.name, &held.id));
            if let Some(slot) = self.policies.get_mut(row) {
                slot.listed = Some(held);
            }
            if name.is_some() {
                self.policies.list(row, name);
            }
            self.policies.reckon(row);
            note_told(&mut self.policies, row, fields, good, now);
            self.policy_changes.note(row, fields);
            return (row, Fate::Changed);
        }
        if held.raw != policy.raw {
            held.raw = policy.raw;
        }
        if let Some(slot) = self.policies.get_mut(row) {
            slot.listed = Some(held);
        }
        (row, Fate::Same)
    }

    /// Brings the statistics of the devices and policies up to date whose tasks changed. They show as changed when
    /// that is news.
    pub(super) fn settle_stats(&mut self, news: bool) {
        let (tasks, protecting, clock) = (&self.tasks, &self.protecting, self.clock);
        let of = |number| outcome(tasks, protecting, number);
        settle(&mut self.devices, &mut self.device_changes, of, news, clock);
        settle(
            &mut self.policies,
            &mut self.policy_changes,
            of,
            news,
            clock,
        );
    }

    /// Learns whether an operation protects data.
    pub(super) fn learn_operation(&mut self, operation: Sym) {
        let symbols = &self.symbols;
        self.protecting
            .entry(operation)
            .or_insert_with(|| outcomes::protects(symbols.get(operation)));
    }
}

/// What happened longer ago than this is no change that was just seen, in milliseconds.
const LATE_MS: i64 = 3_600_000;

/// A good backup of long ago that turns up in a list of statistics did not happen just now.
fn is_late(good: Option<Timestamp>, now: Timestamp) -> bool {
    good.is_some_and(|at| now.since(at) > LATE_MS)
}

/// Notes what a service told anew of a row, with its last good backup.
fn note_told<T>(
    slots: &mut Slots<T>,
    row: u32,
    fields: FieldSet,
    good: Option<Timestamp>,
    now: Timestamp,
) {
    if fields != FieldSet::of(Field::LastGood) || !is_late(good, now) {
        note(slots, row, fields, now);
    }
}

/// Brings the statistics of one noun up to date.
fn settle<T: Listed>(
    slots: &mut Slots<T>,
    changes: &mut Changes,
    of: impl Fn(u32) -> Outcome,
    news: bool,
    clock: Timestamp,
) {
    for row in slots.take_dirty() {
        let mut stats = fresh_stats(slots, row, &of);
        let Some(slot) = slots.get_mut(row) else {
            continue;
        };
        if let Some(told) = slot.listed.as_ref().and_then(|l| l.last_success()) {
            stats.heed(told);
        }
        let fields = stats_differ(&slot.stats, &stats);
        let late = slot.stats.last_good != stats.last_good && is_late(stats.last_good, clock);
        slot.stats = stats;
        if let (Some(fields), true) = (fields, slot.listed.is_some()) {
            if news && !late {
                note(slots, row, fields, clock);
            }
            changes.note_reckoned(row, fields);
        }
    }
}

/// The statistics of a row, from its tasks where keeping count was not enough.
fn fresh_stats<T>(slots: &mut Slots<T>, row: u32, of: impl Fn(u32) -> Outcome) -> Stats {
    let sound = slots.get(row).is_some_and(|s| s.tally.is_sound());
    if !sound {
        let tally = Tally::gather(slots.tasks(row).map(of));
        if let Some(slot) = slots.get_mut(row) {
            slot.tally = tally;
        }
    }
    slots.get(row).map(|s| s.tally.stats).unwrap_or_default()
}

/// A task as the statistics see it.
pub(super) fn outcome(tasks: &Tasks, protecting: &HashMap<Sym, bool>, number: u32) -> Outcome {
    outcome_of(number, &tasks.row(number), protecting)
}

/// A task's row as the statistics see it.
pub(super) fn outcome_of(number: u32, row: &Row, protecting: &HashMap<Sym, bool>) -> Outcome {
    let ended = [row.ended, row.updated, row.started]
        .into_iter()
        .find(|t| *t != NEVER)
        .unwrap_or(row.when);
    Outcome {
        when: row.when,
        row: number,
        phase: row.phase,
        // only the end of a success is shown: what a live task tells meanwhile is no news
        ended: if row.phase == Phase::Succeeded {
            ended
        } else {
            NEVER
        },
        protects: protecting.get(&row.operation).copied().unwrap_or(true),
    }
}

/// What differs that a person sees; `None` when nothing does.
fn device_differs(a: &Device, b: &Device) -> Option<FieldSet> {
    let pairs = [
        (a.name != b.name, Field::Name),
        (a.name != b.name, Field::Device),
        (a.what != b.what, Field::What),
        (a.native_status != b.native_status, Field::Status),
        (a.faulty != b.faulty, Field::Is),
        (a.place != b.place, Field::Place),
        (a.policy_ids != b.policy_ids, Field::Policy),
        (a.last_success != b.last_success, Field::LastGood),
    ];
    differing(&pairs, a.facts != b.facts)
}

/// What differs that a person sees; `None` when nothing does.
fn policy_differs(a: &Policy, b: &Policy) -> Option<FieldSet> {
    let pairs = [
        (a.name != b.name, Field::Name),
        (a.name != b.name, Field::Policy),
        (a.what != b.what, Field::What),
        (a.native_status != b.native_status, Field::Status),
        (a.enabled != b.enabled, Field::Enabled),
        (a.enabled != b.enabled, Field::Is),
        (a.faulty != b.faulty, Field::Is),
        (a.last_success != b.last_success, Field::LastGood),
        (a.due != b.due, Field::Is),
        (a.schedule != b.schedule, Field::Schedule),
        (a.next_run != b.next_run, Field::NextRun),
        (a.device_ids != b.device_ids, Field::Device),
    ];
    differing(&pairs, a.facts != b.facts)
}

fn differing(pairs: &[(bool, Field)], facts: bool) -> Option<FieldSet> {
    let set = pairs
        .iter()
        .filter(|(differs, _)| *differs)
        .fold(FieldSet::NONE, |set, (_, field)| set.with(*field));
    (facts || !set.is_empty()).then_some(set)
}
