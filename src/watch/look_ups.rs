//! Tasks that are to be looked up, each once, in the order in which they were missed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashSet;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

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
    /// Those that somebody waits for.
    first: VecDeque<String>,
    order: VecDeque<String>,
    /// Those of both, and those that are being looked up.
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

    /// Adds a task unless it waits already or is being looked up: each round tells again what is missing. `first`:
    /// somebody waits for the answer, and it comes before the others.
    pub fn ask(&self, task_id: String, first: bool) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let new = !wanted.known.contains(&task_id);
        if first {
            if !new {
                let before = wanted.order.len();
                wanted.order.retain(|id| *id != task_id);
                if wanted.order.len() == before {
                    // it is being looked up, or is among the first already
                    return;
                }
            }
            wanted.first.push_back(task_id.clone());
        } else if !new || wanted.order.len() >= MOST.max(self.at_once) {
            return;
        } else {
            wanted.order.push_back(task_id.clone());
        }
        wanted.known.insert(task_id);
        drop(wanted);
        self.come.notify_one();
    }

    /// The next tasks, as many as are looked up at once; waits for one. More than `few` wait until `due`, except
    /// those that somebody waits for.
    pub async fn next(&self, few: usize, due: Instant) -> Vec<String> {
        loop {
            let waits = {
                let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(first) = wanted.first.pop_front() {
                    return vec![first];
                }
                let count = wanted.order.len().min(self.at_once);
                if count > 0 && (count <= few || due <= Instant::now()) {
                    return wanted.order.drain(..count).collect();
                }
                count > 0
            };
            if waits {
                // whichever comes first; either way what waits is looked at anew
                let _ = timeout_at(due, self.come.notified()).await;
            } else {
                self.come.notified().await;
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
    use std::time::Duration;

    use super::*;

    async fn next(wanted: &LookUps) -> Vec<String> {
        wanted.next(MOST, Instant::now()).await
    }

    #[tokio::test]
    async fn what_every_round_misses_is_asked_for_once() {
        let wanted = LookUps::new(1);
        for _ in 0..3 {
            for id in ["a", "b"] {
                wanted.ask(id.to_owned(), false);
            }
        }
        assert_eq!(next(&wanted).await, ["a"]);
        // it is on its way: the round that ends meanwhile still misses it
        wanted.ask("a".to_owned(), false);
        wanted.done("a");
        assert_eq!(next(&wanted).await, ["b"]);
        wanted.done("b");
        wanted.ask("a".to_owned(), false);
        assert_eq!(next(&wanted).await, ["a"]);
        wanted.done("a");
        for n in 0..2 * MOST {
            wanted.ask(n.to_string(), false);
        }
        let held = wanted.wanted.lock().unwrap();
        assert_eq!((held.order.len(), held.known.len()), (MOST, MOST));
    }

    #[tokio::test]
    async fn those_that_wait_are_handed_out_together_where_one_answer_tells_of_them() {
        let wanted = LookUps::new(3);
        for n in 0..4 {
            wanted.ask(n.to_string(), false);
        }
        assert_eq!(next(&wanted).await, ["0", "1", "2"]);
        assert_eq!(next(&wanted).await, ["3"]);
    }

    #[tokio::test]
    async fn very_many_are_gathered_and_who_is_waited_for_comes_first() {
        let wanted = LookUps::new(100);
        for n in 0..5 {
            wanted.ask(n.to_string(), false);
        }
        // one of those that wait, and one that nobody missed
        wanted.ask("3".to_owned(), true);
        wanted.ask("x".to_owned(), true);
        let late = Instant::now() + Duration::from_secs(3_600);
        assert_eq!(wanted.next(2, late).await, ["3"]);
        assert_eq!(wanted.next(2, late).await, ["x"]);
        // it is on its way
        wanted.ask("3".to_owned(), true);
        let too_many = tokio::time::timeout(Duration::from_millis(20), wanted.next(2, late));
        assert!(too_many.await.is_err(), "more are gathered");
        assert_eq!(wanted.next(2, Instant::now()).await, ["0", "1", "2", "4"]);
        wanted.ask("y".to_owned(), false);
        assert_eq!(wanted.next(2, late).await, ["y"], "few wait for nothing");
    }
}
