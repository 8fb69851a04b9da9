//! A table for people: columns as wide as they need to be, the last one as it is.

use chrono::{DateTime, Local, Utc};
use unicode_width::UnicodeWidthStr;

use super::output;

/// No column but the last grows beyond this.
const WIDEST: usize = 40;

/// A table being filled.
#[derive(Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|h| (*h).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table's text; columns that are empty in every row are left out.
    #[must_use]
    pub fn finish(self) -> String {
        let columns = self.head.len();
        let used: Vec<bool> = (0..columns)
            .map(|c| {
                self.rows.is_empty()
                    || self
                        .rows
                        .iter()
                        .any(|r| r.get(c).is_some_and(|t| !t.is_empty()))
            })
            .collect();
        let last = used.iter().rposition(|u| *u).unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                let cells = self.rows.iter().filter_map(|r| r.get(c));
                cells
                    .chain(self.head.get(c))
                    .map(|t| t.width())
                    .max()
                    .unwrap_or(0)
                    .min(WIDEST)
            })
            .collect();
        let mut out = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (c, cell) in row.iter().enumerate() {
                if !used.get(c).copied().unwrap_or(false) {
                    continue;
                }
                if c == last {
                    out.push_str(cell);
                    break;
                }
                let width = widths.get(c).copied().unwrap_or(0);
                output::pad(&mut out, &output::cut(cell, width), width + 2);
            }
            while out.ends_with(' ') {
                out.pop();
            }
            out.push('\n');
        }
        out
    }
}

/// An instant of JSON in the operator's zone, or in UTC with its mark; empty for none.
#[must_use]
pub fn when(instant: Option<&str>, utc: bool) -> String {
    let Some(at) = instant.and_then(|t| t.parse::<DateTime<Utc>>().ok()) else {
        return String::new();
    };
    if utc {
        at.format("%Y-%m-%d %H:%M:%SZ").to_string()
    } else {
        at.with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_cells_and_empty_ones_go() {
        let mut table = Table::new(&["A", "EMPTY", "LAST"]);
        table.row(vec!["日本".into(), String::new(), "x".into()]);
        table.row(vec!["b".into(), String::new(), String::new()]);
        assert_eq!(table.finish(), "A     LAST\n日本  x\nb\n");
        assert_eq!(Table::new(&["A", "B"]).finish(), "A  B\n");
    }

    #[test]
    fn instants_are_shown_in_utc_when_asked() {
        assert_eq!(
            when(Some("2026-11-21T02:03:04.500Z"), true),
            "2026-11-21 02:03:04Z"
        );
        assert_eq!(when(None, true), "");
        assert_eq!(when(Some("soon"), true), "");
    }
}
