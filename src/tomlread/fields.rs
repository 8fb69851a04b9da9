//! One table of a file: asking for its keys, and naming what nobody asked for.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use super::words::{duration_text, one_of, parse_duration_ms, parse_size};

/// One table of a file. Ask for its keys, then call [`Fields::finish`].
#[derive(Debug)]
pub struct Fields<'r, 'i> {
    reader: &'r Reader<'i>,
    table: &'r DeTable<'i>,
    span: Range<usize>,
    /// How messages name the table: `[[service]]`, `[ui]`; empty for the top.
    place: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 'i> Fields<'r, 'i> {
    /// The top table of a file.
    pub fn top(reader: &'r Reader<'i>, table: &'r DeTable<'i>) -> Self {
        Self::new(reader, table, 0..0, "")
    }

    fn new(
        reader: &'r Reader<'i>,
        table: &'r DeTable<'i>,
        span: Range<usize>,
        place: impl Into<String>,
    ) -> Self {
        Self {
            reader,
            table,
            span,
            place: place.into(),
            asked: RefCell::new(Vec::new()),
        }
    }

    /// Notes a mistake at the value of `key`, or at the table when the key is not there.
    pub fn wrong(&self, key: &str, what: impl Into<String>, help: impl Into<String>) {
        let span = self.span_of(key);
        self.reader.note(&span, what, help);
    }

    /// Notes a mistake at a byte range of the file.
    pub fn note(&self, span: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.reader.note(span, what, help);
    }

    /// Where the value of `key` stands; the table itself when it is not there.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table
            .get(key)
            .map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// The line of the table's head, from 1.
    pub fn line(&self) -> usize {
        self.reader.position(self.span.start).0
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the value of the key is a text.
    pub fn is_text(&self, key: &str) -> bool {
        matches!(
            self.table.get(key).map(Spanned::get_ref),
            Some(DeValue::String(_))
        )
    }

    /// Whether the value of the key is a list.
    pub fn is_list(&self, key: &str) -> bool {
        matches!(
            self.table.get(key).map(Spanned::get_ref),
            Some(DeValue::Array(_))
        )
    }

    /// Makes the key a known one without looking at it.
    pub fn asked(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    fn value(&self, key: &'static str) -> Option<&'r DeValue<'i>> {
        self.asked(key);
        self.table.get(key).map(Spanned::get_ref)
    }

    fn mismatch(&self, key: &str, got: &DeValue<'_>, expected: &str) {
        self.wrong(
            key,
            format!("{} is {}", self.name(key), sort_of(got)),
            format!("Expected {expected}"),
        );
    }

    /// How messages name a key of this table.
    pub fn name(&self, key: &str) -> String {
        if self.place.is_empty() {
            format!("\"{key}\"")
        } else {
            format!("\"{key}\" of {}", self.place)
        }
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            DeValue::String(s) => Some(s.to_string()),
            other => {
                self.mismatch(key, other, "a text in quotes");
                None
            }
        }
    }

    /// A text that must be there and not blank.
    pub fn needed_text(&self, key: &'static str, example: &str) -> Option<String> {
        if self.value(key).is_none() {
            self.wrong(
                key,
                format!("{} is missing", self.name(key)),
                format!("Add {key} = {example}"),
            );
            return None;
        }
        self.filled_text(key, example)
    }

    /// A text that may be absent but not blank.
    pub fn filled_text(&self, key: &'static str, example: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.wrong(
                key,
                format!("{} is empty", self.name(key)),
                format!("Write {key} = {example}, or leave it out where it may be absent"),
            );
            return None;
        }
        Some(text)
    }

    /// A whole number within a range.
    pub fn whole(&self, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        match self.value(key)? {
            DeValue::Integer(n) => {
                let number = i64::from_str_radix(n.as_str(), n.radix()).ok();
                match number {
                    Some(n) if range.contains(&n) => Some(n),
                    _ => {
                        self.wrong(
                            key,
                            format!("{} is {n}", self.name(key)),
                            format!("Expected {}", expected()),
                        );
                        None
                    }
                }
            }
            other => {
                self.mismatch(key, other, &expected());
                None
            }
        }
    }

    /// true or false.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            DeValue::Boolean(b) => Some(*b),
            other => {
                self.mismatch(key, other, "true or false, without quotes");
                None
            }
        }
    }

    /// A list of texts; a lone text counts as a list of one.
    pub fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        match self.value(key)? {
            DeValue::String(s) => Some(vec![s.to_string()]),
            DeValue::Array(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(s) => out.push(s.to_string()),
                        other => self.reader.note(
                            &item.span(),
                            format!("{} holds {}", self.name(key), sort_of(other)),
                            "Expected texts in quotes only",
                        ),
                    }
                }
                Some(out)
            }
            other => {
                self.mismatch(key, other, "a list of texts: [\"one\", \"two\"]");
                None
            }
        }
    }

    /// A span of time in milliseconds: `"500ms"`, `"30s"`, `"5m"`, `"12h"`, `"2d"`, or a number of seconds.
    pub fn duration_ms(&self, key: &'static str) -> Option<u64> {
        const EXPECTED: &str = "a span of time such as \"30s\", \"5m\", \"12h\" or \"2d\"";
        match self.value(key)? {
            DeValue::Integer(n) => {
                let seconds = u64::from_str_radix(n.as_str(), n.radix()).ok();
                if seconds.is_none() {
                    self.mismatch(key, &DeValue::Integer(n.clone()), EXPECTED);
                }
                seconds.map(|s| s.saturating_mul(1000))
            }
            DeValue::String(s) => {
                let parsed = parse_duration_ms(s);
                if parsed.is_none() {
                    self.wrong(
                        key,
                        format!("{} is \"{s}\"", self.name(key)),
                        format!("Expected {EXPECTED}"),
                    );
                }
                parsed
            }
            other => {
                self.mismatch(key, other, EXPECTED);
                None
            }
        }
    }

    /// A span of time within a range of milliseconds.
    pub fn duration_within(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let ms = self.duration_ms(key)?;
        if range.contains(&ms) {
            return Some(ms);
        }
        self.wrong(
            key,
            format!("{} is out of range", self.name(key)),
            format!(
                "Expected from {} to {}",
                duration_text(*range.start()),
                duration_text(*range.end())
            ),
        );
        None
    }

    /// A size in bytes within a range: `"64KiB"`, `"32MiB"`, `"1GiB"`, or a number of bytes.
    pub fn size_bytes(&self, key: &'static str, range: RangeInclusive<usize>) -> Option<usize> {
        const EXPECTED: &str = "a size such as \"64KiB\", \"32MiB\" or a number of bytes";
        let bytes = match self.value(key)? {
            DeValue::Integer(n) => usize::from_str_radix(n.as_str(), n.radix()).ok(),
            DeValue::String(s) => parse_size(s),
            other => {
                self.mismatch(key, other, EXPECTED);
                return None;
            }
        };
        match bytes {
            Some(n) if range.contains(&n) => Some(n),
            Some(_) => {
                self.wrong(
                    key,
                    format!("{} is out of range", self.name(key)),
                    format!("Expected from {} to {} bytes", range.start(), range.end()),
                );
                None
            }
            None => {
                self.wrong(
                    key,
                    format!("{} is no size", self.name(key)),
                    format!("Expected {EXPECTED}"),
                );
                None
            }
        }
    }

    /// One word out of a list; another word is named with the near one.
    pub fn word(&self, key: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(key)?;
        let found = words.iter().find(|w| **w == text).copied();
        if found.is_none() {
            self.wrong(
                key,
                format!("{} is \"{text}\"", self.name(key)),
                one_of(&text, words),
            );
        }
        found
    }

    /// A table under `key`. `place` is how messages name it.
    pub fn table(&self, key: &'static str, place: &str) -> Option<Fields<'r, 'i>> {
        match self.value(key)? {
            DeValue::Table(t) => Some(Fields::new(self.reader, t, self.span_of(key), place)),
            other => {
                self.mismatch(key, other, &format!("a table, written as {place}"));
                None
            }
        }
    }

    /// The tables of a list under `key`, as `[[key]]` writes them.
    pub fn tables(&self, key: &'static str, place: &str) -> Vec<Fields<'r, 'i>> {
        match self.value(key) {
            None => Vec::new(),
            Some(DeValue::Array(items)) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::Table(t) => {
                            out.push(Fields::new(self.reader, t, item.span(), place));
                        }
                        other => self.reader.note(
                            &item.span(),
                            format!("{} holds {}", self.name(key), sort_of(other)),
                            format!("Expected tables, each begun with {place}"),
                        ),
                    }
                }
                out
            }
            Some(DeValue::Table(_)) => {
                self.wrong(
                    key,
                    format!("{} is a single table", self.name(key)),
                    format!("Write {place} with double brackets"),
                );
                Vec::new()
            }
            Some(other) => {
                self.mismatch(key, other, &format!("tables, each begun with {place}"));
                Vec::new()
            }
        }
    }

    /// Every key of this table whose value is a text, number or flag, as texts: for free-form tables.
    pub fn free_texts(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for (key, value) in self.table.iter() {
            match value.get_ref() {
                DeValue::String(s) => out.push((key.get_ref().to_string(), s.to_string())),
                DeValue::Integer(n) => out.push((key.get_ref().to_string(), n.to_string())),
                DeValue::Float(n) => out.push((key.get_ref().to_string(), n.as_str().to_owned())),
                DeValue::Boolean(b) => out.push((key.get_ref().to_string(), b.to_string())),
                other => self.wrong(
                    key.get_ref(),
                    format!("{} is {}", self.name(key.get_ref()), sort_of(other)),
                    "Expected a text, a number, true or false",
                ),
            }
        }
        out
    }

    /// How many mistakes were noted in the file so far: to see whether a step found any.
    pub fn mistakes(&self) -> usize {
        self.reader.count()
    }

    /// Names every key that nobody asked for, with the near known one.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name = key.get_ref();
            if asked.iter().any(|a| a == name) {
                continue;
            }
            let whose = if self.place.is_empty() {
                String::new()
            } else {
                format!(" in {}", self.place)
            };
            self.reader.note(
                &key.span(),
                format!("unknown key \"{name}\"{whose}"),
                one_of(name, &asked),
            );
        }
    }
}

fn sort_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
