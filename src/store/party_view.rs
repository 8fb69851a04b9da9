//! Reading one device or one policy: what both have alike.

use super::changed::FieldSet;
use super::outcomes::Stats;
use super::slots::Slot;
use super::task_view::label;
use super::{DeviceRow, PolicyRow, Store};
use crate::model::{Device, Kind, Phase, Policy, Service, ServiceId, Timestamp};
use crate::query::Field;

/// A device or policy of the store: a handle, cheap to copy. One that only tasks or the other noun refer to has a
/// name and an id and is otherwise empty.
pub struct PartyView<'a, T: Listed> {
    pub(super) store: &'a Store,
    pub(super) row: T::Row,
    slot: Option<&'a Slot<T>>,
}

/// What a service lists besides tasks.
pub trait Listed {
    /// Its numbers.
    type Row: Copy;
    /// What sort of thing it is, in the service's words.
    fn what(&self) -> &'static str;
    /// The service's own status word.
    fn native_status(&self) -> &str;
    /// The service itself says that something is wrong with it.
    fn is_faulty(&self) -> bool;
    /// The service itself says that it is protected now.
    fn is_protected(&self) -> bool;
    /// Its last good backup, where the service itself tells it.
    fn last_success(&self) -> Option<Timestamp>;
    /// Labels and values.
    fn facts(&self) -> &[(&'static str, String)];
    /// The service's own record.
    fn raw(&self) -> &str;
}

macro_rules! listed {
    ($noun:ty, $row:ty) => {
        impl Listed for $noun {
            type Row = $row;

            fn what(&self) -> &'static str {
                self.what
            }

            fn native_status(&self) -> &str {
                &self.native_status
            }

            fn is_faulty(&self) -> bool {
                self.faulty
            }

            fn is_protected(&self) -> bool {
                self.protected_now
            }

            fn last_success(&self) -> Option<Timestamp> {
                self.last_success
            }

            fn facts(&self) -> &[(&'static str, String)] {
                &self.facts
            }

            fn raw(&self) -> &str {
                &self.raw
            }
        }
    };
}

listed!(Device, DeviceRow);
listed!(Policy, PolicyRow);

impl<T: Listed> Clone for PartyView<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Listed> Copy for PartyView<'_, T> {}

impl<'a, T: Listed> PartyView<'a, T> {
    /// `slot`: where what is known of it stands.
    pub(super) const fn new(store: &'a Store, row: T::Row, slot: Option<&'a Slot<T>>) -> Self {
        Self { store, row, slot }
    }

    /// Its number.
    #[must_use]
    pub const fn row(&self) -> T::Row {
        self.row
    }

    /// True when the service lists it; false when tasks or the other noun refer to it, or it is gone.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.record().is_some()
    }

    /// The record as the service told it, while it is listed.
    #[must_use]
    pub fn record(&self) -> Option<&'a T> {
        self.slot.and_then(|s| s.listed.as_deref())
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
        self.record().map_or("", T::what)
    }

    /// The service's own status word; may be empty.
    #[must_use]
    pub fn native_status(&self) -> &'a str {
        self.record().map_or("", T::native_status)
    }

    /// True when the service itself says that it is faulty or, of a device, that it can't be backed up now.
    #[must_use]
    pub fn faulty(&self) -> bool {
        self.record().is_some_and(T::is_faulty)
    }

    /// More facts for the detail pane.
    #[must_use]
    pub fn facts(&self) -> &'a [(&'static str, String)] {
        self.record().map_or(&[], T::facts)
    }

    /// The service's own record as JSON text.
    #[must_use]
    pub fn raw(&self) -> Option<&'a str> {
        self.record().map(T::raw).filter(|r| !r.is_empty())
    }

    /// How it, or its tasks, have fared.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.slot.map(|s| s.stats).unwrap_or_default();
        stats.good_now = self.record().is_some_and(T::is_protected);
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

    /// The phase of its last attempt.
    pub(super) fn last_phase(&self) -> Phase {
        self.stats().last_attempt_phase.unwrap_or(Phase::Unknown)
    }

    /// When something was last heard of its tasks.
    pub(super) fn last_heard(&self) -> Option<Timestamp> {
        let stats = self.stats();
        stats.last_attempt.max(stats.last_good)
    }

    /// The texts that both nouns have alike.
    pub(super) fn text(&self, field: Field) -> Option<&'a str> {
        Some(match field {
            Field::Service => self.service_name(),
            Field::Kind => self.kind().name(),
            Field::Name => self.name(),
            Field::Status => self.native_status(),
            Field::Phase => self.stats().last_attempt_phase?.word(),
            Field::Id => self.id(),
            Field::What => self.what(),
            _ => return None,
        })
    }

    /// The numbers that both nouns have alike.
    pub(super) fn count(&self, field: Field, now: Timestamp) -> Option<i64> {
        match field {
            Field::Streak => Some(i64::from(self.stats().streak)),
            Field::Running => Some(i64::from(self.stats().running)),
            Field::Tasks => Some(i64::from(self.stats().tasks)),
            Field::Age => self.last_heard().map(|t| now.since(t)),
            _ => None,
        }
    }
}
