//! The entries of one kind, by code.

use std::collections::HashMap;
use std::sync::Arc;

use crate::tomlread::{Mistake, Reader};

use super::read::{self, Draft};
use super::{Class, Entry};

/// The entries of one kind, in the order of their file.
#[derive(Clone, Default, Debug)]
pub struct Table {
    /// The product's full name.
    pub title: String,
    entries: Vec<Arc<Entry>>,
    by_code: HashMap<String, Vec<usize>>,
}

impl Table {
    /// Reads a table that must stand on its own (the built-in ones). What is wrong is left out and told.
    pub fn read(file: &str, text: &str) -> (Self, Vec<Mistake>) {
        let reader = Reader::new(file, text);
        let sheet = read::sheet(&reader);
        let mut table = Self {
            title: sheet.title,
            ..Self::default()
        };
        let mut mistakes = reader.into_mistakes();
        for draft in sheet.drafts {
            let (code, line) = (draft.code.clone(), draft.line);
            match draft.complete() {
                Ok(entry) => table.push(entry),
                Err(missing) => mistakes.push(incomplete(file, line, &code, &missing)),
            }
        }
        (table, mistakes)
    }

    fn push(&mut self, entry: Entry) {
        self.by_code
            .entry(entry.code.clone())
            .or_default()
            .push(self.entries.len());
        self.entries.push(Arc::new(entry));
    }

    /// Every entry, in the order of the file; what the site added comes last.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The entries with this very code.
    pub fn with_code(&self, code: &str) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_code
            .get(code)
            .into_iter()
            .flatten()
            .filter_map(|n| self.entries.get(*n))
    }

    /// The entries with this code in any letter case.
    pub fn with_code_any_case(&self, code: &str) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries
            .iter()
            .filter(move |e| e.code.eq_ignore_ascii_case(code))
    }

    /// Adds what the site says of this kind: changes an entry, links a runbook, or adds a code.
    ///
    /// # Errors
    /// What is wrong with the draft; the table stays as it was.
    pub fn apply(&mut self, file: &str, mut draft: Draft) -> Result<(), Mistake> {
        let meant: Vec<usize> = self
            .by_code
            .get(&draft.code)
            .into_iter()
            .flatten()
            .copied()
            .filter(|n| self.entries.get(*n).is_some_and(|e| draft.means(e)))
            .collect();
        if meant.is_empty() {
            let (code, line) = (draft.code.clone(), draft.line);
            draft.source.get_or_insert_with(|| format!("Site: {file}"));
            let mut entry = draft
                .complete()
                .map_err(|missing| incomplete(file, line, &code, &missing))?;
            entry.from_site = true;
            self.push(entry);
            return Ok(());
        }
        if meant.len() > 1 && draft.changes_content() {
            return Err(Mistake {
                file: file.to_owned(),
                line: draft.line,
                column: 1,
                what: format!("{} has {} readings", draft.code, meant.len()),
                help: "Say which one is meant by http_status, operation or message_template; \
                       only a runbook may be linked to all at once"
                    .to_owned(),
            });
        }
        for n in meant {
            if let Some(slot) = self.entries.get_mut(n) {
                let mut entry = Entry::clone(slot);
                draft.change(&mut entry);
                *slot = Arc::new(entry);
            }
        }
        Ok(())
    }

    /// The reading of a status word. With an object, that object's; else one without object, else the only one.
    /// Where nobody documents how the service spells a word of that object, only its letters and digits count.
    pub fn status(&self, object: &str, word: &str) -> Option<&Arc<Entry>> {
        // files write the status that says nothing as two quotes, so that it can be seen
        let word = if word.is_empty() { "\"\"" } else { word };
        let mut plain = None;
        let mut only = None;
        let mut count = 0;
        for entry in self.with_code(word).filter(|e| e.class == Class::Status) {
            if !object.is_empty() && entry.operation == object {
                return Some(entry);
            }
            if entry.operation.is_empty() {
                plain = plain.or(Some(entry));
            }
            only = Some(entry);
            count += 1;
        }
        let spelled_otherwise = || {
            self.entries.iter().find(|e| {
                e.class == Class::Status
                    && e.undocumented
                    && !object.is_empty()
                    && e.operation == object
                    && letters(&e.code).eq(letters(word))
            })
        };
        plain
            .or_else(spelled_otherwise)
            .or_else(|| only.filter(|_| count == 1))
    }
}

/// Letters and digits, small: what is left of "In Progress", `IN_PROGRESS` and `InProgress` alike.
fn letters(word: &str) -> impl Iterator<Item = char> + '_ {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
}

fn incomplete(file: &str, line: usize, code: &str, missing: &[&str]) -> Mistake {
    Mistake {
        file: file.to_owned(),
        line,
        column: 1,
        what: format!("{code} is new here and lacks {}", missing.join(", ")),
        help: "A new code needs all of these; a known one may give only what changes".to_owned(),
    }
}
