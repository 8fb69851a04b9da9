//! Reading one policy.

use super::party_view::PartyView;
use crate::model::{Phase, Policy, Timestamp};
use crate::query::{Field, Flag, Record};

/// A policy of the store.
pub type PolicyView<'a> = PartyView<'a, Policy>;

impl<'a> PolicyView<'a> {
    /// Whether its schedule is on; `None` where the service has no such notion.
    #[must_use]
    pub fn enabled(&self) -> Option<bool> {
        self.record().and_then(|p| p.enabled)
    }

    /// Since when a good backup is due and has not come: its schedule is on and tells how often one has to come.
    /// `None` while all is in order, and where the schedule tells nothing.
    #[must_use]
    pub fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        let listed = self
            .record()
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
        self.record().map_or("", |p| &p.schedule)
    }

    /// The next time it fires.
    #[must_use]
    pub fn next_run(&self) -> Option<Timestamp> {
        self.record().and_then(|p| p.next_run)
    }
}

impl Record for PolicyView<'_> {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut one = |text: &str| !text.is_empty() && test(text);
        match field {
            Field::Policy => one(self.name()) || one(self.id()),
            Field::Device => self.store.devices_of_policy(self.row).any(|d| {
                let device = self.store.device(d);
                one(device.name()) || one(device.id())
            }),
            Field::Schedule => one(self.schedule()),
            _ => self.text(field).is_some_and(one),
        }
    }

    fn phase(&self) -> Phase {
        self.last_phase()
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<i64> {
        match field {
            Field::Enabled => self.enabled().map(i64::from),
            _ => self.count(field, now),
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
        self.last_heard()
    }
}
