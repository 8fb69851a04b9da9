//! Actions that were confirmed together: how far they are, what came of them, what is left to do.

use std::collections::BTreeMap;

use crate::model::Verb;
use crate::operate::{ActionId, ActionRecord, Ledger, Stage};

use super::super::thing::Thing;

/// Many actions behind one yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// What menus call the action.
    pub label: String,
    /// What it is for.
    pub verb: Verb,
    /// The actions in the order of the list, each with the thing it is applied to.
    pub deeds: Vec<(ActionId, Thing)>,
    /// What was left out at the confirmation, and why.
    pub left_out: Vec<(String, String)>,
    /// The operator was told how it ended.
    pub told: bool,
}

/// How many of a batch stand where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// All of them.
    pub total: usize,
    /// Not sent yet.
    pub waiting: usize,
    /// Sent, no answer yet, or being looked for.
    pub under_way: usize,
    /// Taken by the service, whatever became of it since.
    pub accepted: usize,
    /// Refused by the service.
    pub refused: usize,
    /// Held back or failed before it was sent.
    pub not_sent: usize,
    /// The answer was lost and no look could tell.
    pub unknown: usize,
}

impl Progress {
    /// True when every action was sent or given up, and answered or looked for.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.waiting == 0 && self.under_way == 0
    }

    /// True when each was taken by its service.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.accepted == self.total
    }

    /// "37 accepted, 2 refused, 1 outcome unknown".
    #[must_use]
    pub fn in_words(&self) -> String {
        let parts = [
            (self.waiting, "waiting"),
            (self.under_way, "under way"),
            (self.accepted, "accepted"),
            (self.refused, "refused"),
            (self.not_sent, "not sent"),
            (self.unknown, "outcome unknown"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        parts.join(", ")
    }
}

impl Batch {
    /// Where its actions stand.
    #[must_use]
    pub fn progress(&self, ledger: &Ledger) -> Progress {
        let mut all = Progress {
            total: self.deeds.len(),
            ..Progress::default()
        };
        for record in self.records(ledger) {
            let slot = match record.stage() {
                Stage::Confirmed => &mut all.waiting,
                Stage::Sending { .. } | Stage::Unknown { .. } | Stage::Looking { .. } => {
                    &mut all.under_way
                }
                Stage::Refused { .. } => &mut all.refused,
                Stage::NotSent { .. } => &mut all.not_sent,
                Stage::FoundNothing { .. } | Stage::CannotTell { .. } => &mut all.unknown,
                Stage::Accepted { .. }
                | Stage::FoundDone { .. }
                | Stage::Observed { .. }
                | Stage::NothingFollowed => &mut all.accepted,
            };
            *slot += 1;
        }
        all
    }

    /// The codes with which services refused, the most frequent first.
    #[must_use]
    pub fn refusals(&self, ledger: &Ledger) -> Vec<(String, usize)> {
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for record in self.records(ledger) {
            if let Stage::Refused { code, .. } = record.stage() {
                *codes.entry(&code.code).or_default() += 1;
            }
        }
        let mut codes: Vec<_> = codes.into_iter().map(|(c, n)| (c.to_owned(), n)).collect();
        codes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        codes
    }

    /// What is known not to have been done: refused or not sent. An action whose outcome is unknown is
    /// never among them.
    pub fn rest<'a>(&'a self, ledger: &'a Ledger) -> impl Iterator<Item = (ActionId, Thing)> + 'a {
        self.deeds.iter().copied().filter(|(id, _)| {
            ledger.get(*id).is_some_and(|record| {
                matches!(
                    record.stage(),
                    Stage::Refused { .. } | Stage::NotSent { .. }
                )
            })
        })
    }

    fn records<'a>(&'a self, ledger: &'a Ledger) -> impl Iterator<Item = &'a ActionRecord> {
        self.deeds.iter().filter_map(|(id, _)| ledger.get(*id))
    }
}
