//! Reading one device.

use super::changed::FieldSet;
use super::outcomes::Stats;
use super::slots::Slot;
use super::task_view::label;
use super::{DeviceRow, Store};
use crate::model::{Device, Kind, Phase, Service, ServiceId, Timestamp};
use crate::query::{Field, Flag, Record};

/// A device of the store: a handle, cheap to copy. A device that only tasks refer to has a name and an
/// id and is otherwise empty.
#[derive(Clone, Copy)]
pub struct DeviceView<'a> {
    store: &'a Store,
    row: DeviceRow,
    slot: Option<&'a Slot<Device>>,
}

impl<'a> DeviceView<'a> {
    pub(super) fn new(store: &'a Store, row: DeviceRow) -> Self {
        let slot = store.devices.get(store.devices.shown(row.0));
        Self { store, row, slot }
    }

    fn listed(&self) -> Option<&'a Device> {
        self.slot.and_then(|s| s.listed.as_deref())
    }

    /// Its number.
    #[must_use]
    pub const fn row(&self) -> DeviceRow {
        self.row
    }

    /// True when the service lists it; false when tasks or policies refer to it, or it is gone.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.listed().is_some()
    }

    /// The record as the service told it, while it is listed.
    #[must_use]
    pub fn record(&self) -> Option<&'a Device> {
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
        self.listed().map_or("", |d| d.what)
    }

    /// The service's own status word; may be empty.
    #[must_use]
    pub fn native_status(&self) -> &'a str {
        self.listed().map_or("", |d| &d.native_status)
    }

    /// True when the service itself says that it is faulty or can't be backed up now.
    #[must_use]
    pub fn faulty(&self) -> bool {
        self.listed().is_some_and(|d| d.faulty)
    }

    /// Zone, site or host; may be empty.
    #[must_use]
    pub fn place(&self) -> &'a str {
        self.listed().map_or("", |d| &d.place)
    }

    /// More facts for the detail pane.
    #[must_use]
    pub fn facts(&self) -> &'a [(&'static str, String)] {
        self.listed().map_or(&[], |d| &d.facts)
    }

    /// The service's own record as JSON text.
    #[must_use]
    pub fn raw(&self) -> Option<&'a str> {
        self.listed().map(|d| &*d.raw).filter(|r| !r.is_empty())
    }

    /// How it has fared.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.slot.map(|s| s.stats).unwrap_or_default();
        stats.good_now = self.listed().is_some_and(|d| d.protected_now);
        stats
    }

    /// True when no good backup is known, or the last one is older than its target.
    #[must_use]
    pub fn lacks_good(&self, now: Timestamp) -> bool {
        let stats = self.stats();
        !stats.good_now
            && stats
                .last_good
                .is_none_or(|t| now.since(t) > self.store.target_of_device(self.row).within_ms)
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

impl Record for DeviceView<'_> {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut one = |text: &str| !text.is_empty() && test(text);
        match field {
            Field::Service => one(self.service_name()),
            Field::Kind => one(self.kind().name()),
            Field::Name => one(self.name()),
            Field::Device => one(self.name()) || one(self.id()),
            Field::Policy => self.store.policies_of_device(self.row).any(|p| {
                let policy = self.store.policy(p);
                one(policy.name()) || one(policy.id())
            }),
            Field::Status => one(self.native_status()),
            Field::Phase => self
                .stats()
                .last_attempt_phase
                .is_some_and(|p| one(p.word())),
            Field::Id => one(self.id()),
            Field::What => one(self.what()),
            Field::Place => one(self.place()),
            _ => false,
        }
    }

    fn phase(&self) -> Phase {
        self.stats().last_attempt_phase.unwrap_or(Phase::Unknown)
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<i64> {
        stats_number(&self.stats(), field, now)
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::LastGood => self.stats().last_good,
            Field::LastAttempt => self.stats().last_attempt,
            _ => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        match flag {
            Flag::Failed => self.phase().needs_person(),
            Flag::Faulty => self.faulty(),
            Flag::Never => !self.stats().ever_succeeded(),
            Flag::Flapping => self.stats().is_flapping(),
            _ => false,
        }
    }

    fn is_at(&self, flag: Flag, now: Timestamp) -> bool {
        match flag {
            Flag::Overdue => self.lacks_good(now),
            _ => self.is(flag),
        }
    }

    fn last_event(&self) -> Option<Timestamp> {
        self.stats().last_attempt.max(self.stats().last_good)
    }
}

/// The numbers that devices and policies have alike.
pub(super) fn stats_number(stats: &Stats, field: Field, now: Timestamp) -> Option<i64> {
    match field {
        Field::Streak => Some(i64::from(stats.streak)),
        Field::Running => Some(i64::from(stats.running)),
        Field::Tasks => Some(i64::from(stats.tasks)),
        Field::Age => stats
            .last_attempt
            .max(stats.last_good)
            .map(|t| now.since(t)),
        _ => None,
    }
}
