//! The world's event queue: what is due when, in order of time and then of asking.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

use super::dialect::ServiceId;

/// Something that becomes due in a dialect. What the numbers mean is the dialect's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Whose event it is.
    pub service: ServiceId,
    /// What is to be done (the dialect's own numbering).
    pub what: u32,
    /// To which of its things.
    pub id: u64,
}

/// Events by due time; two of the same instant come out in the order in which they went in.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<(DateTime<Utc>, u64, Event)>>,
    next: u64,
}

impl Queue {
    /// Adds an event.
    pub fn push(&mut self, at: DateTime<Utc>, event: Event) {
        self.next += 1;
        self.heap.push(Reverse((at, self.next, event)));
    }

    /// Takes the earliest event that is due at or before `until`.
    pub fn pop_due(&mut self, until: DateTime<Utc>) -> Option<(DateTime<Utc>, Event)> {
        let Reverse((at, _, _)) = self.heap.peek()?;
        if *at > until {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_out_by_time_then_by_order() {
        let at = |s| DateTime::from_timestamp(s, 0).expect("valid");
        let event = |id| Event {
            service: ServiceId(0),
            what: 0,
            id,
        };
        let mut queue = Queue::default();
        queue.push(at(5), event(1));
        queue.push(at(3), event(9));
        queue.push(at(3), event(2));
        let ids: Vec<u64> = std::iter::from_fn(|| queue.pop_due(at(4)))
            .map(|(_, e)| e.id)
            .collect();
        assert_eq!(ids, [9, 2]);
        assert_eq!(queue.next_due(), Some(at(5)));
    }
}
