//! One filter language for the console's filter, `--where`, saved views and backup targets.
//!
//! | write | to find |
//! | --- | --- |
//! | `vault failed` | both words, anywhere, in any case |
//! | `"zone does not"` | the phrase |
//! | `status:error` | the text inside that field; phases and kinds want the whole word |
//! | `status=error` `status!=error` | exactly that text, or anything but it |
//! | `phase:failed,uncertain` | one of them |
//! | `http:4xx` `progress>50` `streak>=3` | numbers |
//! | `elapsed>1h30m` | lengths of time |
//! | `ended<2h` `last_good>1d` `next<30m` | less than two hours ago, more than a day ago or never, due in half an hour |
//! | `started>=03:00` `ended:2026-01-31` `ended:yesterday` | times of the operator's zone |
//! | `since:03:00` `until:2h` | rows to which something happened since, or nothing since |
//! | `is:lost` `is:never` `is:overdue` | properties |
//! | `policy:night*` | texts that begin so; `*` stands for any letters |
//! | `ack:no` | failed jobs that nobody took |
//! | `code:none` `code:any` | rows without, or with, a value |
//! | `!term` `a or b` `(a or b) c` | not, or, and |
//! | `~ngtexp` | the letters in that order, close together |
//! | `/quota.*exceeded/` | a regular expression; also `message:/…/` |

mod complete;
mod error;
mod expr;
mod field;
mod noun;
mod parse;
mod record;
mod terms;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use complete::{Completion, complete, quoted};
pub use error::QueryError;
pub use expr::{Compare, Expr, PhaseSet, Term, TextTest};
pub use field::{Field, FieldType, Flag};
pub use noun::Noun;
pub use record::{
    Record, ahead_or_behind, boundary, distance, in_ranges, never_counts, when_holds, within,
};
pub use text::{Needle, fold, is_fuzzy_in};
pub use value::{Moment, ahead, duration};

/// A query that was read; cheap to clone.
#[derive(Clone, Debug)]
pub struct Query {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: String,
    expr: Expr,
    moves: bool,
}

impl Query {
    /// Reads a query; an empty text matches everything.
    ///
    /// # Errors
    /// What is wrong, where, and what was expected.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let expr = parse::parse(text)?;
        let moves = expr.depends_on_time();
        Ok(Self {
            inner: Arc::new(Inner {
                text: text.to_owned(),
                expr,
                moves,
            }),
        })
    }

    /// The query that matches everything.
    #[must_use]
    pub fn all() -> Self {
        Self {
            inner: Arc::new(Inner {
                text: String::new(),
                expr: Expr::All,
                moves: false,
            }),
        }
    }

    /// The query as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// True when it matches everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self.inner.expr, Expr::All)
    }

    /// The query taken apart.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.inner.expr
    }

    /// True when a term of it is about this field.
    #[must_use]
    pub fn names(&self, field: Field) -> bool {
        self.inner.expr.names(field)
    }

    /// True when a row can come to match, or cease to, by the passing of time alone (`ended<2h`).
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        self.inner.moves
    }
}

impl Default for Query {
    fn default() -> Self {
        Self::all()
    }
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.inner.text == other.inner.text
    }
}

impl Eq for Query {}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse(text)
    }
}
