//! A site's own remedies: `catalog.d/*.toml` beside its configuration.
//!
//! Files are read in the order of their names. A faulty file or entry is told with its line and reason;
//! everything else still counts.

use std::fs;
use std::path::Path;

use crate::tomlread::{Mistake, Reader};

use super::read::{self, Draft};

/// What the site's files say, each draft with the name of its file.
#[derive(Default, Debug)]
pub struct Site {
    /// Readable entries in order.
    pub drafts: Vec<(String, Draft)>,
    /// What is wrong.
    pub mistakes: Vec<Mistake>,
}

impl Site {
    /// Reads every `*.toml` of a directory. A directory that is not there is no mistake.
    #[must_use]
    pub fn read(dir: &Path) -> Self {
        let mut site = Self::default();
        let mut files = Vec::new();
        match fs::read_dir(dir) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    let path = entry.path();
                    if path.extension().is_some_and(|e| e == "toml") {
                        files.push(path);
                    }
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => site.mistakes.push(unreadable(dir, &e)),
        }
        files.sort();
        for path in files {
            match fs::read_to_string(&path) {
                Ok(text) => site.add(&path.display().to_string(), &text),
                Err(e) => site.mistakes.push(unreadable(&path, &e)),
            }
        }
        site
    }

    /// Reads one file's text.
    pub fn add(&mut self, file: &str, text: &str) {
        let reader = Reader::new(file, text);
        let sheet = read::sheet(&reader);
        self.drafts
            .extend(sheet.drafts.into_iter().map(|d| (file.to_owned(), d)));
        self.mistakes.extend(reader.into_mistakes());
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Mistake {
    Mistake {
        file: path.display().to_string(),
        line: 0,
        column: 0,
        what: format!("can't be read: {error}"),
        help: "Check that it exists, is UTF-8 text and may be read by you".to_owned(),
    }
}
