//! Actions on their way: sent a few at a time, the rest waits and can be held back.

use std::collections::{BTreeSet, VecDeque};

use crate::operate::{ActionId, Confirmed};

/// How many requests are under way at the same time; the services' rate budgets pace them further.
const AT_ONCE: usize = 4;

/// Confirmed actions that wait for their turn, and those under way.
#[derive(Debug, Default)]
pub struct Deeds {
    waiting: VecDeque<Confirmed>,
    under_way: BTreeSet<ActionId>,
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
