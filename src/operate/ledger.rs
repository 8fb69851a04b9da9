//! The actions of this run, each with its whole life.

use super::{ActionEvent, ActionId, Stage};
use std::collections::HashMap;

use crate::model::{Follow, Prepared, Timestamp};

/// One action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionRecord {
    /// Its id.
    pub id: ActionId,
    /// What was confirmed.
    pub prepared: Prepared,
    /// Its stages with their times, oldest first.
    pub steps: Vec<(Timestamp, Stage)>,
    /// How to recognise what it became, once known.
    pub follow: Option<Follow>,
    /// When this run took it over from an earlier one; `None` for its own.
    pub taken_over_at: Option<Timestamp>,
}

impl ActionRecord {
    /// The newest stage.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        self.steps
            .last()
            .map_or(&Stage::Confirmed, |(_, stage)| stage)
    }

    /// When it was confirmed.
    #[must_use]
    pub fn confirmed_at(&self) -> Timestamp {
        self.steps.first().map_or(Timestamp(0), |(at, _)| *at)
    }

    /// When the service took it, or a look found that it had.
    #[must_use]
    pub fn taken_at(&self) -> Option<Timestamp> {
        self.steps.iter().rev().find_map(|(at, stage)| {
            matches!(stage, Stage::Accepted { .. } | Stage::FoundDone { .. }).then_some(*at)
        })
    }

    /// The task it became, where one was seen.
    #[must_use]
    pub fn task_id(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|(_, stage)| match stage {
            Stage::Observed { task_id, .. } => Some(task_id.as_str()),
            _ => None,
        })
    }

    /// True when it was sent and no answer is known, and the last look is not over.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(
            self.stage(),
            Stage::Sending { .. } | Stage::Unknown { .. } | Stage::Looking { .. }
        )
    }

    /// True when keepwatch has looked in the service for what became of it.
    #[must_use]
    pub fn was_looked_for(&self) -> bool {
        let is_look = |(_, stage): &(Timestamp, Stage)| matches!(stage, Stage::Looking { .. });
        self.steps.iter().any(is_look)
    }

    /// True when nothing more will come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.stage() {
            Stage::Accepted { .. } | Stage::FoundDone { .. } => {
                !self.follow.as_ref().is_some_and(|f| f.expects_task)
            }
            stage => stage.is_final(),
        }
    }
}

/// The actions of this run and those it took over, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    records: Vec<ActionRecord>,
    places: HashMap<ActionId, usize>,
}

impl Ledger {
    /// Adds an action at the moment of its confirmation, before it is sent.
    pub fn begin(&mut self, id: ActionId, prepared: Prepared, at: Timestamp) {
        self.places.insert(id, self.records.len());
        self.records.push(ActionRecord {
            id,
            prepared,
            steps: vec![(at, Stage::Confirmed)],
            follow: None,
            taken_over_at: None,
        });
    }

    /// Adds actions that an earlier run left open, before this run's own.
    pub fn take_over(&mut self, earlier: Vec<ActionRecord>) {
        let known = |record: &ActionRecord| self.places.contains_key(&record.id);
        let new: Vec<_> = earlier.into_iter().filter(|r| !known(r)).collect();
        self.records.splice(0..0, new);
        let places = self.records.iter().enumerate();
        self.places = places.map(|(at, record)| (record.id, at)).collect();
    }

    /// Takes a stage. Events of actions nobody began are ignored; a repeated confirmation is not noted twice.
    pub fn apply(&mut self, event: ActionEvent) {
        let at = self.places.get(&event.id);
        let Some(record) = at.and_then(|at| self.records.get_mut(*at)) else {
            return;
        };
        if event.follow.is_some() {
            record.follow = event.follow;
        }
        if event.stage != Stage::Confirmed {
            record.steps.push((event.at, event.stage));
        }
    }

    /// Every action, oldest first.
    #[must_use]
    pub fn records(&self) -> &[ActionRecord] {
        &self.records
    }

    /// One action.
    #[must_use]
    pub fn get(&self, id: ActionId) -> Option<&ActionRecord> {
        self.records.get(*self.places.get(&id)?)
    }

    /// Actions that may still change.
    pub fn open(&self) -> impl Iterator<Item = &ActionRecord> {
        self.records.iter().filter(|r| !r.is_over())
    }
}
