//! What does this code mean, what now: the built-in tables of every kind and the site's own remedies.
//!
//! The tables are the files under `assets/catalog`, one a kind, compiled in and read when first asked
//! for. A site adds or changes entries and links runbooks in `catalog.d/*.toml` beside its configuration
//! ([`Catalog::with_site`]).
//!
//! Codes have twins: one code with several meanings. [`Catalog::explain`] gives every reading that the
//! HTTP status, the operation and the message leave possible, and never picks one by guessing.

mod ask;
mod entry;
mod near;
mod read;
pub mod recognise;
mod site;
mod table;
pub mod template;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use include_dir::{Dir, include_dir};

use crate::tomlread::Mistake;

pub use ask::{Fit, Question, Reading};
pub use entry::{Class, Entry, EntryJson};

use site::Site;
use table::Table;

/// The kind name of what HTTP itself says, whatever the service.
pub const HTTP: &str = "http";

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/catalog");

/// All tables. Cheap to make: a table is read when somebody first asks for it.
#[derive(Default, Debug)]
pub struct Catalog {
    slots: Vec<Slot>,
}

/// One kind's table, read or not.
#[derive(Debug)]
struct Slot {
    kind: String,
    /// The built-in file's text; empty for a kind that only the site knows.
    text: &'static str,
    table: OnceLock<Table>,
}

impl Slot {
    fn table(&self) -> &Table {
        self.table
            .get_or_init(|| Table::read(&format!("{}.toml", self.kind), self.text).0)
    }

    /// Whether the code can be in the table at all, found out without reading it.
    fn may_hold(&self, code: &str) -> bool {
        self.table.get().is_some()
            || memchr::memmem::find(self.text.as_bytes(), code.as_bytes()).is_some()
    }
}

impl Catalog {
    /// The built-in tables alone.
    #[must_use]
    pub fn built_in() -> Self {
        let mut slots: Vec<Slot> = FILES
            .files()
            .filter_map(|file| {
                let kind = file.path().file_name()?.to_str()?.strip_suffix(".toml")?;
                Some(Slot {
                    kind: kind.to_owned(),
                    text: file.contents_utf8()?,
                    table: OnceLock::new(),
                })
            })
            .collect();
        slots.sort_by(|a, b| a.kind.cmp(&b.kind));
        Self { slots }
    }

    /// The built-in tables with the site's files of `dir` over them, and what is wrong in those files.
    /// Only the kinds that the site speaks of are read.
    #[must_use]
    pub fn with_site(dir: &Path) -> (Self, Vec<Mistake>) {
        Self::built_in().over(Site::read(dir))
    }

    /// The built-in tables with one text in the form of a site's file over them.
    #[must_use]
    pub fn with_text(file: &str, text: &str) -> (Self, Vec<Mistake>) {
        let mut site = Site::default();
        site.add(file, text);
        Self::built_in().over(site)
    }

    /// Reads every built-in table and gives what is wrong in them: nothing, or the build is faulty.
    #[must_use]
    pub fn check(&self) -> Vec<Mistake> {
        self.slots
            .iter()
            .filter(|slot| !slot.text.is_empty())
            .flat_map(|slot| Table::read(&format!("{}.toml", slot.kind), slot.text).1)
            .collect()
    }

    fn over(mut self, site: Site) -> (Self, Vec<Mistake>) {
        let mut mistakes = site.mistakes;
        for (file, draft) in site.drafts {
            let at = self.slots.iter().position(|s| s.kind == draft.kind);
            let at = at.unwrap_or_else(|| {
                self.slots.push(Slot {
                    kind: draft.kind.clone(),
                    text: "",
                    table: OnceLock::new(),
                });
                self.slots.len() - 1
            });
            let Some(slot) = self.slots.get_mut(at) else {
                continue;
            };
            slot.table();
            if let Some(table) = slot.table.get_mut()
                && let Err(mistake) = table.apply(&file, draft)
            {
                mistakes.push(mistake);
            }
        }
        mistakes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        (self, mistakes)
    }

    /// The kinds that have a table, sorted; [`HTTP`] among them.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|s| s.kind.as_str())
    }

    /// The product's full name.
    #[must_use]
    pub fn title(&self, kind: &str) -> Option<&str> {
        Some(self.table(kind)?.title.as_str())
    }

    /// Every entry of one kind, or of all.
    #[must_use]
    pub fn entries(&self, kind: Option<&str>) -> Vec<Arc<Entry>> {
        self.tables(kind)
            .flat_map(|t| t.entries().iter().cloned())
            .collect()
    }

    fn table(&self, kind: &str) -> Option<&Table> {
        self.slots.iter().find(|s| s.kind == kind).map(Slot::table)
    }

    fn tables<'c>(&'c self, kind: Option<&'c str>) -> impl Iterator<Item = &'c Table> {
        self.slots
            .iter()
            .filter(move |s| kind.is_none_or(|k| k == s.kind))
            .map(Slot::table)
    }

    /// The reading of a status word of a kind. `object` says whose status it is where a kind has the
    /// same word for several (`replications`, `full_backup`); it may be empty. Letter for letter: a word
    /// that the table does not hold is unknown.
    #[must_use]
    pub fn status(&self, kind: &str, object: &str, word: &str) -> Option<Arc<Entry>> {
        self.table(kind)?.status(object, word).cloned()
    }

    /// What an HTTP status means for a kind, or in general where the kind's documents say nothing.
    #[must_use]
    pub fn http(&self, kind: Option<&str>, status: u16) -> Option<Arc<Entry>> {
        let of = |kind: &str, status: u16| {
            self.table(kind)?
                .entries()
                .iter()
                .find(|e| e.class == Class::Http && e.http_status == Some(status))
                .cloned()
        };
        // RFC 9110, section 15: a status that one does not know is treated as the first of its hundred
        kind.and_then(|k| of(k, status))
            .or_else(|| of(HTTP, status))
            .or_else(|| of(HTTP, status / 100 * 100).filter(|_| status >= 400))
    }

    /// Codes that look like this one: kind and code, best first, at most `limit`.
    #[must_use]
    pub fn near(&self, code: &str, kind: Option<&str>, limit: usize) -> Vec<(String, String)> {
        near::near(
            code,
            self.tables(kind)
                .flat_map(|t| t.entries().iter())
                .map(|e| (e.kind.as_str(), e.code.as_str())),
            limit,
        )
    }
}

#[cfg(test)]
mod tests;
