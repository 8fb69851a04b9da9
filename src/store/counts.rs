//! The counts that stand on every screen.

use super::Store;
use super::tasks::{self, at};
use crate::model::{Phase, ServiceId, Timestamp};

/// How many there are of what matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Tasks by phase (index: [`Phase`] as a number).
    pub phases: [u32; 9],
    /// Failed and uncertain tasks that were not cleared: what needs a person.
    pub failed: u32,
    /// Of those, what somebody took, or what resolved itself after that.
    pub acknowledged: u32,
    /// Queued, waiting and running tasks.
    pub live: u32,
    /// Listed devices.
    pub devices: u32,
    /// Listed policies.
    pub policies: u32,
    /// Listed devices without a good backup: none is known, or it is older than the threshold.
    pub without_good: u32,
    /// Of those, devices of which no good backup is known at all.
    pub never_good: u32,
}

impl Counts {
    /// Failed and uncertain tasks that nobody took yet.
    #[must_use]
    pub const fn open(&self) -> u32 {
        self.failed.saturating_sub(self.acknowledged)
    }

    /// How many tasks stand in this phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase) -> u32 {
        self.phases.get(phase as usize).copied().unwrap_or(0)
    }
}

impl Store {
    /// The counts over all services.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> Counts {
        self.count(None, now)
    }

    /// The counts of one service.
    #[must_use]
    pub fn counts_of(&self, service: ServiceId, now: Timestamp) -> Counts {
        self.count(Some(service), now)
    }

    fn count(&self, only: Option<ServiceId>, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        let wanted = |id: ServiceId| only.is_none_or(|o| o == id);
        for state in self.services.iter().filter(|s| wanted(s.service.id)) {
            for (sum, n) in counts.phases.iter_mut().zip(state.phases) {
                *sum += n;
            }
        }
        counts.live = [Phase::Queued, Phase::Waiting, Phase::Running]
            .map(|p| counts.in_phase(p))
            .iter()
            .sum();
        for row in self.attention.iter() {
            let service = ServiceId(at(&self.tasks.service, row, u16::MAX));
            let phase = at(&self.tasks.phase, row, Phase::Unknown);
            let counted = phase.needs_person() && wanted(service);
            counts.failed += u32::from(counted);
            let taken = at(&self.tasks.flags, row, 0) & tasks::ACKED != 0;
            counts.acknowledged += u32::from(counted && taken);
        }
        for row in self.devices() {
            let device = self.device(row);
            if wanted(device.service_id()) {
                counts.devices += 1;
                counts.without_good += u32::from(device.lacks_good(now));
                counts.never_good += u32::from(!device.stats().ever_succeeded());
            }
        }
        counts.policies = self
            .policies()
            .filter(|&row| wanted(self.policy(row).service_id()))
            .count() as u32;
        counts
    }

    /// The instant at which the next listed device comes to lack a good backup, if none succeeds before:
    /// until then [`Store::counts`] does not change by itself.
    #[must_use]
    pub fn next_overdue(&self, now: Timestamp) -> Option<Timestamp> {
        self.devices()
            .filter_map(|row| {
                let good = self.device(row).stats().last_good?;
                Some(good.plus(self.target_of_device(row).within_ms).plus(1))
            })
            .filter(|&due| due > now)
            .min()
    }

    /// Text values that a field has, the most frequent first, for completion; at most `most`.
    #[must_use]
    pub fn values(
        &self,
        noun: super::Noun,
        field: crate::query::Field,
        most: usize,
    ) -> Vec<String> {
        use crate::query::Record;
        let mut counted: hashbrown::HashMap<String, usize> = hashbrown::HashMap::new();
        let mut note = |text: &str| {
            if let Some(n) = counted.get_mut(text) {
                *n += 1;
            } else if counted.len() < 10_000 {
                counted.insert(text.to_owned(), 1);
            }
            // the first text is the one people use
            true
        };
        match noun {
            super::Noun::Devices => {
                for row in self.devices() {
                    self.device(row).any_text(field, &mut note);
                }
            }
            super::Noun::Policies => {
                for row in self.policies() {
                    self.policy(row).any_text(field, &mut note);
                }
            }
            _ => {
                // the newest are enough to know the words
                let first = (self.tasks.len() as u32).saturating_sub(20_000);
                for row in first..self.tasks.len() as u32 {
                    if at(&self.tasks.flags, row, tasks::DEAD) & tasks::DEAD == 0 {
                        self.task(super::TaskRow(row)).any_text(field, &mut note);
                    }
                }
            }
        }
        let mut all: Vec<(String, usize)> = counted.into_iter().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(most);
        all.into_iter().map(|(text, _)| text).collect()
    }
}
