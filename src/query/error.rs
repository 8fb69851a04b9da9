//! What is wrong with a query, and where.

use std::fmt;

/// A query that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryError {
    /// The whole query as it was typed.
    pub text: String,
    /// Where the trouble starts, in bytes.
    pub at: usize,
    /// How many bytes it covers; 0 at the end of the text.
    pub len: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub expected: String,
}

impl QueryError {
    /// How many columns stand before the trouble, and how many it covers (one at least).
    #[must_use]
    pub fn columns(&self) -> (usize, usize) {
        use unicode_width::UnicodeWidthStr;
        let before = self.text.get(..self.at).map_or(0, UnicodeWidthStr::width);
        let there = self
            .text
            .get(self.at..self.at + self.len)
            .map_or(1, UnicodeWidthStr::width);
        (before, there.max(1))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, there) = self.columns();
        write!(
            f,
            "{}; expected {}\n  {}\n  {:before$}{:^<there$}",
            self.what, self.expected, self.text, "", ""
        )
    }
}

impl std::error::Error for QueryError {}
