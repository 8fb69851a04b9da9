//! Tasks that are to be looked up, each once, one after the other.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// More than so many don't wait: a task that is left out is still missing in the next round and is asked for then.
const MOST: usize = 256;

/// Who waits to be looked up.
#[derive(Debug, Default)]
pub struct LookUps {
    wanted: Mutex<Wanted>,
    come: Notify,
}

#[derive(Debug, Default)]
struct Wanted {
    order: VecDeque<String>,
    /// Those of `order`, and the one that is being looked up.
    known: HashSet<String>,
}

impl LookUps {
    /// Adds a task unless it waits already or is being looked up: each round tells again what is missing.
    pub fn ask(&self, task_id: String) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.order.len() >= MOST || !wanted.known.insert(task_id.clone()) {
            return;
        }
        wanted.order.push_back(task_id);
        drop(wanted);
        self.come.notify_one();
    }

    /// The next task; waits for one.
    pub async fn next(&self) -> String {
        loop {
            let next = {
                let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                wanted.order.pop_front()
            };
            match next {
                Some(task_id) => return task_id,
                None => self.come.notified().await,
            }
        }
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
        let wanted = LookUps::default();
        for _ in 0..3 {
            for id in ["a", "b"] {
                wanted.ask(id.to_owned());
            }
        }
        assert_eq!(wanted.next().await, "a");
        // it is on its way: the round that ends meanwhile still misses it
        wanted.ask("a".to_owned());
        wanted.done("a");
        assert_eq!(wanted.next().await, "b");
        wanted.done("b");
        wanted.ask("a".to_owned());
        assert_eq!(wanted.next().await, "a");
        wanted.done("a");
        for n in 0..2 * MOST {
            wanted.ask(n.to_string());
        }
        let held = wanted.wanted.lock().unwrap();
        assert_eq!((held.order.len(), held.known.len()), (MOST, MOST));
    }
}
