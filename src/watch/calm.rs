//! Whether anything happens that somebody could be waiting for.
//!
//! A round over eight services is more than a hundred answers, one after the other within a moment. While
//! things happen each is taken in as it comes. While nothing does, answers may gather: the machine is then
//! woken a few times for a whole round instead of several times for each answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tokio::time::sleep_until;

use crate::connect::{grid, http::is_waiting};

/// So long after the last stir nobody waits for anything, in milliseconds.
const AFTER_MS: u64 = 3_000;
/// So long answers gather at the sockets: far below what an eye could tell of a list that is asked for every
/// few seconds, far above the time between two answers.
const AT_SOCKETS: Duration = Duration::from_millis(30);
/// So long events gather at least before the owner of the store is woken for them, in milliseconds.
const AT_OWNER_MS: u64 = 200;

/// Known to the loop, which tells when something happens, and to those that would wake the machine.
#[derive(Clone, Debug)]
pub struct Calm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Instant,
    /// The last stir, in milliseconds since `begun`.
    stirred: AtomicU64,
}

impl Default for Calm {
    /// Begins with a stir: at the start everything is news.
    fn default() -> Self {
        Self(Arc::new(Inner {
            begun: Instant::now(),
            stirred: AtomicU64::new(0),
        }))
    }
}

impl Calm {
    /// Something happened: a key, a change, an action.
    pub fn stir(&self) {
        self.0.stirred.store(self.now(), Ordering::Relaxed);
    }

    /// Nothing happened for a while.
    #[must_use]
    pub fn holds(&self) -> bool {
        let quiet = self
            .now()
            .saturating_sub(self.0.stirred.load(Ordering::Relaxed));
        quiet >= AFTER_MS
    }

    /// Lets answers gather, by making this thread sleep for a moment while all is calm and some are waited for. For
    /// the thread that serves the sockets, when it has nothing left to do.
    pub fn gather(&self) {
        if is_waiting() && self.holds() {
            std::thread::sleep(AT_SOCKETS);
        }
    }

    /// Adds to a lot what comes within a moment, by the clock on which rounds begin; false when something happens, so
    /// that nothing may wait. What comes is taken in at once: a full queue would hold up the rounds.
    pub async fn gather_events<T>(
        &self,
        seen: &mut Receiver<T>,
        lot: &mut Vec<T>,
        most: usize,
    ) -> bool {
        if !self.holds() {
            return false;
        }
        let end = sleep_until(grid::slot_after(AT_OWNER_MS));
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return true,
                came = seen.recv(), if lot.len() < most => match came {
                    Some(event) => lot.push(event),
                    None => return true,
                },
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(ms: u64) -> Calm {
        let begun = Instant::now().checked_sub(Duration::from_millis(ms));
        Calm(Arc::new(Inner {
            begun: begun.expect("the machine runs for longer"),
            stirred: AtomicU64::new(0),
        }))
    }

    #[tokio::test]
    async fn what_comes_in_the_meantime_holds_nobody_up() {
        // a queue with less room than what comes
        let (tell, mut seen) = tokio::sync::mpsc::channel(1);
        let teller = tokio::spawn(async move {
            for n in 1..100 {
                tell.send(n).await.expect("somebody who listens");
            }
        });
        let mut lot = vec![0];
        assert!(
            ago(AFTER_MS + 1)
                .gather_events(&mut seen, &mut lot, 1_000)
                .await
        );
        assert_eq!(lot, (0..100).collect::<Vec<_>>());
        teller.await.expect("all told");
        // while something happens nothing waits
        assert!(
            !Calm::default()
                .gather_events(&mut seen, &mut lot, 1_000)
                .await
        );
    }

    #[test]
    fn a_start_and_every_stir_end_the_calm() {
        assert!(!Calm::default().holds());
        let calm = ago(AFTER_MS + 1);
        assert!(calm.holds());
        calm.clone().stir();
        assert!(!calm.holds(), "all clones are one");
    }
}
