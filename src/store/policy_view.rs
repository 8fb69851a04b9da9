//! Reading one policy.

use super::changed::FieldSet;
use super::device_view::stats_number;
use super::outcomes::Stats;
use super::slots::Slot;
use super::task_view::label;
use super::{PolicyRow, Store};
use crate::model::{Kind, Phase, Policy, Service, ServiceId, Timestamp};
use crate::query::{Field, Flag, Record};

/// A policy of the store: a handle, cheap to copy. A policy that only tasks refer to has a name and an
/// id and is otherwise empty.
#[derive(Clone, Copy)]
pub struct PolicyView<'a> {
    store: &'a Store,
    row: PolicyRow,
    slot: Option<&'a Slot<Policy>>,
}

impl<'a> PolicyView<'a> {
    pub(super) fn new(store: &'a Store, row: PolicyRow) -> Self {
        let slot = store.policies.get(store.policies.shown(row.0));
        Self { store, row, slot }
    }

    fn listed(&self) -> Option<&'a Policy> {
        self.slot.and_then(|s| s.listed.as_deref())
    }

    /// Its number.
    #[must_use]
    pub const fn row(&self) -> PolicyRow {
        self.row
    }

    /// True when the service lists it; false when tasks or devices refer to it, or it is gone.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.listed().is_some()
    }

    /// The record as the service told it, while it is listed.
    #[must_use]
    pub fn record(&self) -> Option<&'a Policy> {
        self.listed()
    }

    /// The service's id within this run.
    #[must_use]
    pub fn service_id(&self) -> ServiceId {
        self.slot.map_or(ServiceId(u16::MAX), |s| s.service)
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &'a Service {
        &self.store.service(self.service_id()).service
    }

    /// The user's name of the service.
    #[must_use]
    pub fn service_name(&self) -> &'a str {
        &self.service().name
    }

    /// The product.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.service().kind
    }

    /// The service's own id; empty where tasks only know a name.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.slot.map_or("", |s| self.store.symbols.get(s.id))
    }

    /// The name people use; the id where there is none.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let name = self.slot.map_or("", |s| self.store.symbols.get(s.name));
        label((self.id(), name))
    }

    /// What sort of thing it is, in the service's words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.listed().map_or("", |p| p.what)
    }

    /// The service's own status word; may be empty.
    #[must_use]
    pub fn native_status(&self) -> &'a str {
        self.listed().map_or("", |p| &p.native_status)
    }

    /// Whether its schedule is on; `None` where the service has no such notion.
    #[must_use]
    pub fn enabled(&self) -> Option<bool> {
        self.listed().and_then(|p| p.enabled)
    }

    /// True when the service itself reports it in a faulty state.
    #[must_use]
    pub fn faulty(&self) -> bool {
        self.listed().is_some_and(|p| p.faulty)
    }

    /// Since when a good backup is due and has not come: its schedule is on and tells how often one has to come.
    /// `None` while all is in order, and where the schedule tells nothing.
    #[must_use]
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        let listed = self
            .listed()
            .filter(|p| p.enabled == Some(true) && !p.protected_now)?;
        let within_ms = self.store.target_of_policy(self.row)?.within_ms;
        let from = listed.due.and_then(|d| d.from);
        // without any backup it is owed since the policy was made, or since it was first tried
        let stats = self.stats();
        let counted = stats.last_good.or(from).or(stats.last_attempt)?;
        let latest = counted.plus(within_ms);
        (now > latest).then_some(latest)
    }

    /// When it fires, in words; may be empty.
    #[must_use]
    pub fn schedule(&self) -> &'a str {
        self.listed().map_or("", |p| &p.schedule)
    }

    /// The next time it fires.
    #[must_use]
    pub fn next_run(&self) -> Option<Timestamp> {
        self.listed().and_then(|p| p.next_run)
    }

    /// More facts for the detail pane.
    #[must_use]
    pub fn facts(&self) -> &'a [(&'static str, String)] {
        self.listed().map_or(&[], |p| &p.facts)
    }

    /// The service's own record as JSON text.
    #[must_use]
    pub fn raw(&self) -> Option<&'a str> {
        self.listed().map(|p| &*p.raw).filter(|r| !r.is_empty())
    }

    /// How its tasks have fared.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.slot.map(|s| s.stats).unwrap_or_default();
        stats.good_now = self.listed().is_some_and(|p| p.protected_now);
        stats
    }

    /// When something visible last changed, by our clock; `None` when nothing did since it appeared.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.slot
            .filter(|s| !s.changed.is_empty())
            .map(|s| s.changed_at)
    }

    /// What changed then.
    #[must_use]
    pub fn changed(&self) -> FieldSet {
        self.slot.map_or(FieldSet::NONE, |s| s.changed)
    }
}

impl Record for PolicyView<'_> {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut one = |text: &str| !text.is_empty() && test(text);
        match field {
            Field::Service => one(self.service_name()),
            Field::Kind => one(self.kind().name()),
            Field::Name => one(self.name()),
            Field::Policy => one(self.name()) || one(self.id()),
            Field::Device => self.store.devices_of_policy(self.row).any(|d| {
                let device = self.store.device(d);
                one(device.name()) || one(device.id())
            }),
            Field::Status => one(self.native_status()),
            Field::Phase => self
                .stats()
                .last_attempt_phase
                .is_some_and(|p| one(p.word())),
            Field::Id => one(self.id()),
            Field::What => one(self.what()),
            Field::Schedule => one(self.schedule()),
            _ => false,
        }
    }

    fn phase(&self) -> Phase {
        self.stats().last_attempt_phase.unwrap_or(Phase::Unknown)
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<i64> {
        match field {
            Field::Enabled => self.enabled().map(i64::from),
            _ => stats_number(&self.stats(), field, now),
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::NextRun => self.next_run(),
            Field::LastGood => self.stats().last_good,
            Field::LastAttempt => self.stats().last_attempt,
            _ => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        match flag {
            Flag::Failed => self.phase().needs_person(),
            Flag::Faulty => self.faulty(),
            Flag::Enabled => self.enabled() == Some(true),
            Flag::Disabled => self.enabled() == Some(false),
            Flag::Never => !self.stats().ever_succeeded(),
            Flag::Flapping => self.stats().is_flapping(),
            _ => false,
        }
    }

    fn is_at(&self, flag: Flag, now: Timestamp) -> bool {
        match flag {
            Flag::Overdue => self.overdue_since(now).is_some(),
            Flag::Silent => self.store.silent(self.row, now).is_some(),
            _ => self.is(flag),
        }
    }

    fn last_event(&self) -> Option<Timestamp> {
        self.stats().last_attempt.max(self.stats().last_good)
    }
}
