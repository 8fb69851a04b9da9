//! A query taken apart: terms joined by and, or and not.

use regex::Regex;

use super::text::{Needle, fold, is_fuzzy_in};
use super::{Field, Flag, Moment};
use crate::model::Phase;

/// A query as a tree.
#[derive(Clone, Debug)]
pub enum Expr {
    /// Matches everything.
    All,
    /// Every part matches.
    And(Vec<Expr>),
    /// One part matches at least.
    Or(Vec<Expr>),
    /// The part does not match.
    Not(Box<Expr>),
    /// A single term.
    Term(Term),
}

/// A single term.
#[derive(Clone, Debug)]
pub enum Term {
    /// Any of the searched fields has a text like this.
    Anywhere(TextTest),
    /// This field has a text like one of these.
    Text(Field, Vec<TextTest>),
    /// The phase is one of these.
    Phase(PhaseSet),
    /// The number lies in one of these ranges, both ends included.
    Number(Field, Vec<(i64, i64)>),
    /// The time that has passed (or for what lies ahead: will pass) compares so with this many milliseconds.
    Age(Field, Compare, i64),
    /// The instant compares so with this point in time.
    When(Field, Compare, Moment),
    /// The instant lies within this point in time (a day) or is it.
    On(Field, Moment),
    /// Something happened to the row at or after this point in time.
    Since(Moment),
    /// The last thing that happened to the row lies before this point in time.
    Until(Moment),
    /// It has one of these properties.
    Is(Vec<Flag>),
    /// The field has no value at all.
    Missing(Field),
}

/// A set of phases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PhaseSet(pub u16);

impl PhaseSet {
    /// The same with this phase.
    #[must_use]
    pub const fn with(self, phase: Phase) -> Self {
        Self(self.0 | 1 << phase as u16)
    }

    /// True when the phase is in the set.
    #[must_use]
    pub const fn has(self, phase: Phase) -> bool {
        self.0 & 1 << phase as u16 != 0
    }
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Compare {
    /// Whether `a` compares so with `b`.
    #[must_use]
    pub const fn holds(self, a: i64, b: i64) -> bool {
        match self {
            Self::More => a > b,
            Self::AtLeast => a >= b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
        }
    }
}

/// A test of one text; case never matters.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// It holds this.
    Contains(Needle),
    /// It is this.
    Equals(Needle),
    /// It has these letters in this order, close together.
    Fuzzy(Box<str>),
    /// It matches this expression.
    Regex(Box<Regex>),
}

impl TextTest {
    /// Whether the text passes; `low` is the same text folded.
    #[must_use]
    pub fn passes_folded(&self, text: &str, low: &str) -> bool {
        match self {
            Self::Contains(needle) => needle.is_in_folded(low),
            Self::Equals(needle) => needle.as_str() == low,
            Self::Fuzzy(needle) => is_fuzzy_in(needle, low),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether the text passes.
    #[must_use]
    pub fn passes(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            _ => self.passes_folded(text, &fold(text)),
        }
    }
}

impl Expr {
    /// True when a term is about this field.
    #[must_use]
    pub fn names(&self, field: Field) -> bool {
        match self {
            Self::All => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|p| p.names(field)),
            Self::Not(part) => part.names(field),
            Self::Term(term) => match term {
                Term::Text(f, _)
                | Term::Number(f, _)
                | Term::Age(f, ..)
                | Term::When(f, ..)
                | Term::On(f, _)
                | Term::Missing(f) => *f == field,
                Term::Phase(_) => field == Field::Phase,
                Term::Is(_) => field == Field::Is,
                Term::Anywhere(_) | Term::Since(_) | Term::Until(_) => false,
            },
        }
    }

    /// True when the answer for a row can change by the passing of time alone.
    #[must_use]
    pub fn depends_on_time(&self) -> bool {
        match self {
            Self::All => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::depends_on_time),
            Self::Not(part) => part.depends_on_time(),
            Self::Term(term) => match term {
                Term::Age(..) => true,
                Term::Is(flags) => flags.iter().any(|f| f.moves()),
                Term::Number(f, _) => matches!(f, Field::Elapsed | Field::Age),
                Term::When(_, _, m) | Term::On(_, m) | Term::Since(m) | Term::Until(m) => m.moves(),
                _ => false,
            },
        }
    }
}
