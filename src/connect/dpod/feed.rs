//! The inbox as far as it was read, and what it adds up to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::board::{Board, Patience};
use super::event;
use super::inbox::Inbox;
use super::reader::Reader;
use crate::connect::decode::bad_row;
use crate::model::{BadRow, Timestamp};

/// Damaged lines that are kept for showing.
const BAD_KEPT: usize = 200;
/// How often old tasks are let go, in milliseconds.
const FORGET_EVERY_MS: i64 = 3_600_000;

/// The inbox as far as it was read, and what it adds up to.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    /// What the events add up to.
    pub board: Board,
    /// Lines that could not be read, the newest of them.
    pub bad: Vec<BadRow>,
    /// True when there is a damaged line that was not handed over.
    pub bad_news: bool,
    /// False while no script has ever reported.
    pub exists: bool,
    patience: Patience,
    /// How far back ended tasks are wanted.
    pub history_from: Option<Timestamp>,
    forgotten: Option<Timestamp>,
}

impl Feed {
    /// Nothing read so far.
    pub fn new(inbox: Inbox, patience: Patience) -> Self {
        Self {
            reader: Reader::new(inbox),
            board: Board::new(patience),
            bad: Vec::new(),
            bad_news: false,
            exists: false,
            patience,
            history_from: None,
            forgotten: None,
        }
    }

    /// Reads what was added and gives up on what should have been heard of by `now`.
    ///
    /// # Errors
    /// The folder or a file can't be read.
    pub fn catch_up(&mut self, now: Timestamp) -> std::io::Result<()> {
        let mut batch = self.reader.read_new()?;
        if batch.reset {
            let history_from = self.history_from;
            *self = Self::new(self.reader.inbox().clone(), self.patience);
            self.history_from = history_from;
            self.bad_news = true;
            batch = self.reader.read_new()?;
        }
        self.exists = batch.exists;
        let mut bad = batch.bad;
        for record in batch.records {
            let at = record.at;
            let raw = serde_json::to_string(&record).unwrap_or_default();
            match event::read(record) {
                Ok(event) => self.board.fold(event),
                Err(why) => {
                    let place = format!("inbox, event of {}", Timestamp(at).rfc3339());
                    bad.push(bad_row(&place, why, &raw));
                }
            }
        }
        if !bad.is_empty() {
            self.bad_news = true;
            self.bad.append(&mut bad);
            let extra = self.bad.len().saturating_sub(BAD_KEPT);
            self.bad.drain(..extra);
        }
        self.board.tick(now);
        // looking through everything is worth it once in a while only
        if let Some(from) = self.history_from
            && self
                .forgotten
                .is_none_or(|at| now.since(at) > FORGET_EVERY_MS)
        {
            self.forgotten = Some(now);
            self.board.forget_before(from);
        }
        Ok(())
    }
}

/// The lock, also after a thread broke while it held it: nothing in it is left half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
