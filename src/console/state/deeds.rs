//! Actions on their way: sent a few at a time, the rest waits and can be held back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::operate::{ActionId, Confirmed, Ledger};

use super::super::thing::Thing;
use super::batch::{Batch, Progress};

/// How many requests are under way at the same time; the services' rate budgets pace them further.
const AT_ONCE: usize = 4;

/// Confirmed actions that wait for their turn, and those under way.
#[derive(Debug, Default)]
pub struct Deeds {
    waiting: VecDeque<Confirmed>,
    under_way: BTreeSet<ActionId>,
    batches: Vec<Batch>,
    /// The batch of each action that was confirmed together with others.
    batch_of: BTreeMap<ActionId, usize>,
}

impl Deeds {
    /// Puts a confirmed action at the end of the queue.
    pub fn push(&mut self, confirmed: Confirmed) {
        self.waiting.push_back(confirmed);
    }

    /// The actions whose turn it is.
    pub fn release(&mut self) -> Vec<Confirmed> {
        let mut out = Vec::new();
        while self.under_way.len() < AT_ONCE
            && let Some(next) = self.waiting.pop_front()
        {
            self.under_way.insert(next.id());
            out.push(next);
        }
        out
    }

    /// The fate of a request is known: another may go.
    pub fn done(&mut self, id: ActionId) {
        self.under_way.remove(&id);
    }

    /// Takes every waiting action out of the queue: they are not sent.
    pub fn withhold(&mut self) -> Vec<ActionId> {
        self.waiting.drain(..).map(|c| c.id()).collect()
    }

    /// Notes that these were confirmed together.
    pub fn together(&mut self, batch: Batch) {
        let number = self.batches.len();
        for (id, _) in &batch.deeds {
            self.batch_of.insert(*id, number);
        }
        self.batches.push(batch);
    }

    /// What was confirmed together, oldest first.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// The batch of an action, if it has one.
    #[must_use]
    pub fn batch_of(&self, id: ActionId) -> Option<&Batch> {
        self.batches.get(*self.batch_of.get(&id)?)
    }

    /// The newest batch that is still being sent.
    #[must_use]
    pub fn newest_open(&self, ledger: &Ledger) -> Option<(&Batch, Progress)> {
        let open = self.batches.iter().rev().filter(|b| !b.told);
        open.map(|b| (b, b.progress(ledger)))
            .find(|(_, progress)| !progress.is_settled())
    }

    /// The action was the last of its batch to be answered: the batch, once.
    pub fn settled_by(&mut self, id: ActionId, ledger: &Ledger) -> Option<(&Batch, Progress)> {
        let batch = self.batches.get_mut(*self.batch_of.get(&id)?)?;
        if batch.told {
            return None;
        }
        let progress = batch.progress(ledger);
        batch.told = progress.is_settled();
        batch.told.then_some((&*batch, progress))
    }

    /// The newest batch of which something is known not to have been done, with what that is. What was
    /// taken up again in a later batch is not named twice.
    #[must_use]
    pub fn rest(&self, ledger: &Ledger) -> Option<(&Batch, Vec<(ActionId, Thing)>)> {
        let mut later: Vec<Thing> = Vec::new();
        for batch in self.batches.iter().rev() {
            if !batch.progress(ledger).is_settled() {
                return None;
            }
            let rest: Vec<_> = batch
                .rest(ledger)
                .filter(|(_, thing)| !later.contains(thing))
                .collect();
            if !rest.is_empty() {
                return Some((batch, rest));
            }
            later.extend(batch.deeds.iter().map(|(_, thing)| *thing));
        }
        None
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// True when nothing waits and nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }
}
