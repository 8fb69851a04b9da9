//! Tasks that are to be looked up, each once, in the order in which they were missed.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// More than so many don't wait, unless more are looked up at once: a task that is left out is still missing in the next round and is asked for then.
const MOST: usize = 256;

/// Who waits to be looked up.
#[derive(Debug)]
pub struct LookUps {
    wanted: Mutex<Wanted>,
    come: Notify,
    at_once: usize,
}

#[derive(Debug, Default)]
struct Wanted {
    order: VecDeque<String>,
    /// Those of `order`, and the one that is being looked up.
    known: HashSet<String>,
}

impl LookUps {
    /// Nobody waits; so many are looked up at once.
    pub fn new(at_once: usize) -> Self {
        Self {
            wanted: Mutex::default(),
            come: Notify::new(),
            at_once: at_once.max(1),
        }
    }

    /// Adds a task unless it waits already or is being looked up: each round tells again what is missing.
    pub fn ask(&self, task_id: String) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.order.len() >= MOST.max(self.at_once) || !wanted.known.insert(task_id.clone()) {
            return;
        }
        wanted.order.push_back(task_id);
        drop(wanted);
        self.come.notify_one();
    }

    /// The next tasks, as many as are looked up at once; waits for one.
    pub async fn next(&self) -> Vec<String> {
        loop {
            let next = self.more();
            if !next.is_empty() {
                return next;
            }
            self.come.notified().await;
        }
    }

    /// Those that came since, as many as are looked up at once.
    pub fn more(&self) -> Vec<String> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = wanted.order.len().min(self.at_once);
        wanted.order.drain(..count).collect()
    }

    /// The answer was handed over: the task may be asked for again.
    pub fn done(&self, task_id: &str) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.known.remove(task_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_every_round_misses_is_asked_for_once() {
        let wanted = LookUps::new(1);
        for _ in 0..3 {
            for id in ["a", "b"] {
                wanted.ask(id.to_owned());
            }
        }
        assert_eq!(wanted.next().await, ["a"]);
        // it is on its way: the round that ends meanwhile still misses it
        wanted.ask("a".to_owned());
        wanted.done("a");
        assert_eq!(wanted.next().await, ["b"]);
        wanted.done("b");
        wanted.ask("a".to_owned());
        assert_eq!(wanted.next().await, ["a"]);
        wanted.done("a");
        for n in 0..2 * MOST {
            wanted.ask(n.to_string());
        }
        let held = wanted.wanted.lock().unwrap();
        assert_eq!((held.order.len(), held.known.len()), (MOST, MOST));
    }

    #[tokio::test]
    async fn those_that_wait_are_handed_out_together_where_one_answer_tells_of_them() {
        let wanted = LookUps::new(3);
        for n in 0..4 {
            wanted.ask(n.to_string());
        }
        assert_eq!(wanted.next().await, ["0", "1", "2"]);
        assert_eq!(wanted.next().await, ["3"]);
    }
}
