//! Reading TOML that people write by hand: the configuration, a site's catalog, themes, keymaps.
//!
//! Every complaint names file, line, column, what is wrong and what is expected, and all complaints of a
//! file come together, so that a person mends it in one go. A [`Reader`] holds one file, a [`Fields`] one
//! table of it; whatever key nobody asked for by the time of [`Fields::finish`] is unknown and is named
//! with the nearest known one.

mod fields;
mod words;

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::ops::Range;

use toml::de::DeTable;

pub use fields::Fields;
pub use words::{nearest, one_of, parse_duration_ms};

/// How many mistakes of one file are kept; the rest follows from these as a rule.
const MAX_MISTAKES: usize = 40;

/// Something wrong in a file that a person wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The file as the person knows it.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant (it can't be read).
    pub line: usize,
    /// Column in characters, from 1; 0 like the line.
    pub column: usize,
    /// What is wrong, one sentence without a full stop.
    pub what: String,
    /// What is expected or can be done; may be empty.
    pub help: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.what)?;
        if !self.help.is_empty() {
            write!(f, ". {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistake {}

/// One file being read, and what was found wrong in it.
#[derive(Debug)]
pub struct Reader<'i> {
    file: String,
    text: &'i str,
    /// Where each line begins, once somebody asks for a place: the catalog's files ask hundreds of times.
    lines: OnceCell<Vec<usize>>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'i> Reader<'i> {
    /// Begins to read `text`, which came from `file`.
    pub fn new(file: impl Into<String>, text: &'i str) -> Self {
        Self {
            file: file.into(),
            text,
            lines: OnceCell::new(),
            mistakes: RefCell::new(Vec::new()),
        }
    }

    /// The top table; `None` when the text is not TOML at all (each place is noted).
    pub fn parse(&self) -> Option<DeTable<'i>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            return Some(table.into_inner());
        }
        let mut last_line = 0;
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let (line, _) = self.position(span.start);
            // one slip often upsets the rest of its line
            if line == last_line {
                continue;
            }
            last_line = line;
            self.note(&span, format!("not TOML: {}", error.message()), "");
        }
        None
    }

    /// Notes a mistake at a byte range of the text.
    pub fn note(&self, span: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        let (line, column) = self.position(span.start);
        let mut mistakes = self.mistakes.borrow_mut();
        if mistakes.len() < MAX_MISTAKES {
            mistakes.push(Mistake {
                file: self.file.clone(),
                line,
                column,
                what: what.into(),
                help: help.into(),
            });
        }
    }

    /// How many mistakes were noted so far: to see whether a step found any.
    pub fn count(&self) -> usize {
        self.mistakes.borrow().len()
    }

    /// What was found wrong, in the order of the file.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        let mut all = self.mistakes.into_inner();
        all.sort_by_key(|m| (m.line, m.column));
        all
    }

    /// Line and column, both from 1, of a byte of the text.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let lines = self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(ends.map(|end| end + 1)).collect()
        });
        let line = lines.partition_point(|begin| *begin <= byte);
        let begin = line.checked_sub(1).and_then(|n| lines.get(n)).copied();
        let before = self.text.get(begin.unwrap_or(0)..byte).unwrap_or_default();
        let column = before.chars().count() + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str, read: impl Fn(&Fields<'_, '_>)) -> Vec<String> {
        let reader = Reader::new("f.toml", text);
        if let Some(table) = reader.parse() {
            let top = Fields::top(&reader, &table);
            read(&top);
            top.finish();
        }
        reader
            .into_mistakes()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn several_mistakes_come_together_with_their_places() {
        let found = mistakes(
            "name = 3\ncolour = \"red\"\n\"röd\" = 1\n\n  limit = 99\n",
            |t| {
                t.text("name");
                t.word("color", &["red", "blue"]);
                t.whole("limit", 1..=10);
            },
        );
        assert_eq!(
            found,
            [
                "f.toml:1:8: \"name\" is a number. Expected a text in quotes",
                "f.toml:2:1: unknown key \"colour\". Did you mean \"color\"? Known here: color, limit, name",
                "f.toml:3:1: unknown key \"röd\". Known here: color, limit, name",
                "f.toml:5:11: \"limit\" is 99. Expected a whole number from 1 to 10",
            ]
        );
    }

    #[test]
    fn what_is_not_toml_is_named_once_a_line() {
        let found = mistakes("a = = 3\nb = 1\nc = [1,\n", |_| {});
        assert!(found[0].starts_with("f.toml:1:5: not TOML"), "{found:?}");
        assert!(found.len() >= 2, "{found:?}");
    }

    #[test]
    fn spans_of_time_have_units() {
        assert_eq!(parse_duration_ms("30"), Some(30_000));
        assert_eq!(parse_duration_ms("250ms"), Some(250));
        assert_eq!(parse_duration_ms("2 d"), Some(172_800_000));
        assert_eq!(parse_duration_ms("2w"), None);
        assert_eq!(parse_duration_ms(""), None);
        assert_eq!(parse_duration_ms("99999999999999999999h"), None);
    }
}
