//! Reading one device.

use super::party_view::PartyView;
use crate::model::{Device, Phase, Timestamp};
use crate::query::{Field, Flag, Record};

/// A device of the store.
pub type DeviceView<'a> = PartyView<'a, Device>;

impl<'a> DeviceView<'a> {
    /// Zone, site or host; may be empty.
    #[must_use]
    pub fn place(&self) -> &'a str {
        self.record().map_or("", |d| &d.place)
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
}

impl Record for DeviceView<'_> {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut one = |text: &str| !text.is_empty() && test(text);
        match field {
            Field::Device => one(self.name()) || one(self.id()),
            Field::Policy => self.store.policies_of_device(self.row).any(|p| {
                let policy = self.store.policy(p);
                one(policy.name()) || one(policy.id())
            }),
            Field::Place => one(self.place()),
            _ => self.text(field).is_some_and(one),
        }
    }

    fn phase(&self) -> Phase {
        self.last_phase()
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<i64> {
        self.count(field, now)
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
        self.last_heard()
    }
}
