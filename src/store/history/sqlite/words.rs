//! Texts that many rows share, each held once in the file.

use std::sync::Arc;

use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension};

/// So many are remembered by the writer.
const MOST: usize = 100_000;

/// Numbers of texts, for the writer.
#[derive(Default)]
pub(super) struct Words {
    known: HashMap<Box<str>, i64>,
}

impl Words {
    /// The number of a text, which is added when it is new.
    pub(super) fn put(&mut self, c: &Connection, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let id = match find(c, text)? {
            Some(id) => id,
            None => c
                .prepare_cached("INSERT INTO word (text) VALUES (?1)")?
                .insert([text])?,
        };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(text.into(), id);
        Ok(id)
    }

    /// Forgets everything: what was added may have been rolled back.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

/// The number of a text that is there.
pub(super) fn find(c: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT id FROM word WHERE text = ?1")?
        .query_row([text], |row| row.get(0))
        .optional()
}

/// Texts by their numbers, for one question.
pub(super) struct Texts<'c> {
    connection: &'c Connection,
    known: HashMap<i64, Arc<str>>,
}

impl<'c> Texts<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    /// The text with this number; empty for one that is not there.
    pub(super) fn get(&mut self, id: i64) -> rusqlite::Result<Arc<str>> {
        if let Some(text) = self.known.get(&id) {
            return Ok(Arc::clone(text));
        }
        let text: Option<String> = self
            .connection
            .prepare_cached("SELECT text FROM word WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let text: Arc<str> = text.unwrap_or_default().into();
        self.known.insert(id, Arc::clone(&text));
        Ok(text)
    }

    /// The same as an owned text.
    pub(super) fn owned(&mut self, id: i64) -> rusqlite::Result<String> {
        Ok((*self.get(id)?).to_owned())
    }
}
