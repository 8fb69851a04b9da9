//! What could be typed next.

use super::terms::Op;
use super::{Field, FieldType, Flag, Noun};
use crate::model::Phase;

/// One way to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Where the replaced text starts, in bytes.
    pub at: usize,
    /// How many bytes are replaced.
    pub len: usize,
    /// What stands there instead.
    pub insert: String,
    /// What the list shows.
    pub label: String,
    /// A short remark; may be empty.
    pub help: &'static str,
}

/// At most so many ways are offered.
const MOST: usize = 50;

/// Where a term starts: after the last blank or parenthesis outside quotes and expressions.
fn term_start(head: &str) -> Option<usize> {
    let mut start = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (i, c) in head.char_indices() {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        } else if !quoted && (c.is_whitespace() || ((c == '(' || c == '!') && start == i)) {
            start = i + c.len_utf8();
        }
    }
    (!quoted).then_some(start)
}

/// Quoted where the language needs it.
#[must_use]
pub fn quoted(value: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with(['~', '/', '"', '(', '!'])
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '"'))
        && !["none", "never", "any", "-", "*"].contains(&value.to_ascii_lowercase().as_str());
    if plain {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// What could stand at the cursor (in bytes) of this query over this list. `values` gives the values
/// that a text field has in the store, most useful first.
#[must_use]
pub fn complete(
    text: &str,
    cursor: usize,
    noun: Noun,
    values: &dyn Fn(Field) -> Vec<String>,
) -> Vec<Completion> {
    let Some(head) = text.get(..cursor) else {
        return Vec::new();
    };
    let Some(start) = term_start(head) else {
        return Vec::new();
    };
    let term = head.get(start..).unwrap_or("");
    let name_len = term
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(term.len());
    let (name, rest) = term.split_at(name_len);
    if rest.is_empty() {
        return fields(name, start, noun);
    }
    let (Some(field), Some(op)) = (Field::named(name), Op::at(rest)) else {
        return Vec::new();
    };
    let list = rest.get(op.len()..).unwrap_or("");
    let typed = list.rsplit(',').next().unwrap_or("");
    if typed.starts_with(['~', '/', '"']) {
        return Vec::new();
    }
    values_of(field, op, typed, cursor - typed.len(), noun, values)
}

fn fields(typed: &str, at: usize, noun: Noun) -> Vec<Completion> {
    let low = typed.to_ascii_lowercase().replace('-', "_");
    let named = Field::ALL
        .into_iter()
        .filter(|f| f.fits(noun))
        .filter(|f| {
            f.name().starts_with(&low)
                || (!low.is_empty() && f.aliases().iter().any(|a| a.starts_with(&low)))
        })
        .map(|f| {
            let sign = match f.kind() {
                FieldType::Text | FieldType::Word | FieldType::YesNo | FieldType::Flag => ":",
                FieldType::Time | FieldType::Duration => "<",
                FieldType::Number | FieldType::Percent => ">",
            };
            (format!("{}{sign}", f.name()), f.help())
        });
    let special = [
        ("since:".to_owned(), "something happened since then"),
        ("until:".to_owned(), "nothing happened since then"),
    ]
    .into_iter()
    .filter(|(s, _)| s.starts_with(&low));
    named
        .chain(special)
        .map(|(insert, help)| Completion {
            at,
            len: typed.len(),
            label: insert.clone(),
            insert,
            help,
        })
        .collect()
}

fn values_of(
    field: Field,
    op: Op,
    typed: &str,
    at: usize,
    noun: Noun,
    values: &dyn Fn(Field) -> Vec<String>,
) -> Vec<Completion> {
    let owned = |words: &[&'static str]| {
        words
            .iter()
            .map(|w| ((*w).to_owned(), ""))
            .collect::<Vec<_>>()
    };
    let ordered = matches!(op, Op::Order(_));
    let offered: Vec<(String, &'static str)> = match field.kind() {
        FieldType::Flag => Flag::ALL
            .into_iter()
            .filter(|f| f.fits(noun))
            .map(|f| (f.word().to_owned(), f.help()))
            .collect(),
        FieldType::Word if field == Field::Phase => Phase::ALL
            .into_iter()
            .rev()
            .map(|p| (p.word().to_owned(), ""))
            .collect(),
        FieldType::Text | FieldType::Word => values(field)
            .into_iter()
            .map(|v| (quoted(&v), ""))
            .collect(),
        FieldType::YesNo => owned(&["yes", "no"]),
        FieldType::Number if field == Field::Http && !ordered => {
            let mut all = owned(&["4xx", "5xx"]);
            all.extend(values(field).into_iter().map(|v| (v, "")));
            all
        }
        FieldType::Number => Vec::new(),
        FieldType::Percent => owned(&["25", "50", "90"]),
        FieldType::Duration => owned(&["1m", "10m", "1h", "6h"]),
        FieldType::Time if ordered => owned(&["15m", "1h", "12h", "24h", "7d", "03:00"]),
        FieldType::Time => owned(&["today", "yesterday", "none"]),
    };
    let low = typed.to_lowercase();
    let matching = |begins: bool| {
        let low = &low;
        offered.iter().filter(move |(v, _)| {
            let v = v.trim_start_matches('"').to_lowercase();
            v != *low
                && if begins {
                    v.starts_with(low)
                } else {
                    !v.starts_with(low) && v.contains(low)
                }
        })
    };
    matching(true)
        .chain(matching(false))
        .take(MOST)
        .map(|(value, help)| Completion {
            at,
            len: typed.len(),
            insert: value.clone(),
            label: value.trim_matches('"').to_owned(),
            help,
        })
        .collect()
}
