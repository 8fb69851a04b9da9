//! Connections for questions.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::{Shared, fault, open};
use crate::store::history::HistoryError;

/// So many connections are kept open between questions.
const KEPT: usize = 4;

/// Connections that wait for the next question, with the epoch of their file.
#[derive(Debug, Default)]
pub(super) struct Readers {
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl Readers {
    /// Closes those that nobody uses.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.clear();
    }

    /// Asks something within one transaction, so that all of the answer is of the same moment.
    pub(super) fn read<T>(
        &self,
        shared: &Shared,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        shared.opened.wait();
        let (target, epoch) = {
            let target = shared.target.lock().unwrap_or_else(PoisonError::into_inner);
            (target.clone(), shared.epoch.load(Ordering::Acquire))
        };
        let explain = |e: rusqlite::Error| fault::explain(&e, &target);
        let held = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|(of, _)| *of == epoch);
            idle.pop()
        };
        let connection = match held {
            Some((_, connection)) => connection,
            None => open::reader(&target).map_err(explain)?,
        };
        let answer = {
            let tx = connection.unchecked_transaction().map_err(explain)?;
            let answer = ask(&tx).map_err(explain)?;
            drop(tx);
            answer
        };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((epoch, connection));
        }
        Ok(answer)
    }
}
