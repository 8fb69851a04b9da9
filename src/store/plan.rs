//! A query made ready for the columns of the tasks.
//!
//! Text is looked into once per distinct text, not once per row: a term becomes a set of matching
//! symbols, and a row is tested by looking its numbers up in that set. Whole columns are answered 64 rows
//! at a time.

use super::bits::Bits;
use super::changed::FieldSet;
use super::plan_text::TextLeaf;
use super::tasks::{self, NEVER, NO_PERCENT, at};
use super::{Store, TaskRow};
use crate::model::{Phase, Timestamp};
use crate::query::{
    Compare, Expr, Field, FieldType, Flag, Record, Term, TextTest, ahead_or_behind, boundary,
    in_ranges, within,
};

/// A query for the columns, for one instant.
pub(super) enum Plan {
    All,
    Nothing,
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    Leaf(Leaf),
}

/// A single test of a row.
pub(super) enum Leaf {
    Text(Box<TextLeaf>),
    /// The phase is one of these, or one of these flags is set.
    State(u16, u8),
    /// The instant lies between these, ends included.
    Between(Field, i64, i64),
    /// The last event lies between these, ends included.
    Latest(i64, i64),
    /// The percentage lies in one of these ranges.
    Progress(Vec<(i64, i64)>),
    /// A number that has to be worked out.
    Worked(Field, Vec<(i64, i64)>, Timestamp),
    /// The HTTP status lies in one of these ranges.
    Http(Vec<(i64, i64)>),
    /// One of these properties, which have to be worked out.
    Property(Vec<Flag>, Timestamp),
}

const LOWEST: i64 = NEVER + 1;

impl Plan {
    /// Makes a query ready as of `now`.
    pub(super) fn new(expr: &Expr, now: Timestamp) -> Self {
        match expr {
            Expr::All => Self::All,
            Expr::And(parts) => {
                let mut parts: Vec<Self> = parts.iter().map(|p| Self::new(p, now)).collect();
                // cheap tests first: they leave less to the dear ones
                parts.sort_by_key(Self::cost);
                Self::And(parts)
            }
            Expr::Or(parts) => {
                let mut parts: Vec<Self> = parts.iter().map(|p| Self::new(p, now)).collect();
                parts.sort_by_key(Self::cost);
                Self::Or(parts)
            }
            Expr::Not(part) => Self::Not(Box::new(Self::new(part, now))),
            Expr::Term(term) => Self::term(term, now),
        }
    }

    fn cost(&self) -> u32 {
        match self {
            Self::All | Self::Nothing => 0,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).sum(),
            Self::Not(part) => part.cost(),
            Self::Leaf(Leaf::Text(text)) => text.cost(),
            Self::Leaf(Leaf::Worked(..)) => 8,
            Self::Leaf(Leaf::Property(..)) => 100,
            Self::Leaf(_) => 1,
        }
    }

    fn term(term: &Term, now: Timestamp) -> Self {
        let leaf = match term {
            Term::Anywhere(test) => {
                let fields = FieldSet::from_slice(Field::searched(test));
                Leaf::Text(Box::new(TextLeaf::new(vec![test.clone()], fields)))
            }
            Term::Text(field, tests) => {
                Leaf::Text(Box::new(TextLeaf::new(tests.clone(), FieldSet::of(*field))))
            }
            Term::Phase(set) => Leaf::State(set.0, 0),
            Term::Number(field, ranges) => match field {
                Field::Progress => Leaf::Progress(ranges.clone()),
                Field::Http => Leaf::Http(ranges.clone()),
                Field::Elapsed | Field::Age => Leaf::Worked(*field, ranges.clone(), now),
                Field::Ack => return Self::acknowledged(ranges),
                _ => return Self::Nothing,
            },
            Term::Age(field, compare, ms) => {
                // the age is at most ms when the instant is at least now - ms, and so on
                let edge = now.0.saturating_sub(*ms);
                let (low, high) = match compare {
                    Compare::Less => (edge.saturating_add(1), i64::MAX),
                    Compare::AtMost => (edge, i64::MAX),
                    Compare::More => (LOWEST, edge.saturating_sub(1)),
                    Compare::AtLeast => (LOWEST, edge),
                };
                return Self::between(*field, low, high);
            }
            Term::When(field, compare, moment) => {
                let edge = boundary(*field, *compare, *moment, now);
                let (low, high) = match compare {
                    Compare::Less => (LOWEST, edge.saturating_sub(1)),
                    Compare::AtMost => (LOWEST, edge),
                    Compare::More => (edge.saturating_add(1), i64::MAX),
                    Compare::AtLeast => (edge.max(LOWEST), i64::MAX),
                };
                return Self::between(*field, low, high);
            }
            Term::On(field, moment) => {
                let span = ahead_or_behind(*field, *moment, now);
                let (from, mut to) = (span.0.0, span.1.0);
                // a single instant names its second, as in query::within
                debug_assert!(within(span.0, span));
                if to <= from {
                    to = from.saturating_add(1_000);
                }
                return Self::between(*field, from, to.saturating_sub(1));
            }
            Term::Since(moment) => Leaf::Latest(moment.span(now).0.0.max(LOWEST), i64::MAX),
            Term::Until(moment) => Leaf::Latest(LOWEST, moment.span(now).0.0.saturating_sub(1)),
            Term::Is(flags) => {
                let (phases, mask) = flags.iter().fold((0, 0), |(phases, mask), flag| {
                    let (p, m) = state_of(*flag);
                    (phases | p, mask | m)
                });
                let state = Leaf::State(phases, mask);
                let worked: Vec<Flag> = flags.iter().copied().filter(|f| is_worked(*f)).collect();
                if worked.is_empty() {
                    state
                } else {
                    let worked = Self::Leaf(Leaf::Property(worked, now));
                    return Self::Or(vec![Self::Leaf(state), worked]);
                }
            }
            Term::Missing(field) => return Self::missing(*field, now),
        };
        Self::Leaf(leaf)
    }

    fn acknowledged(wanted: &[(i64, i64)]) -> Self {
        let yes = || Self::Leaf(Leaf::State(0, tasks::ACKED));
        match (in_ranges(1, wanted), in_ranges(0, wanted)) {
            (true, true) => Self::All,
            (true, false) => yes(),
            (false, true) => Self::Not(Box::new(yes())),
            (false, false) => Self::Nothing,
        }
    }

    fn between(field: Field, low: i64, high: i64) -> Self {
        match field {
            Field::Started | Field::Updated | Field::Ended => {
                Self::Leaf(Leaf::Between(field, low, high))
            }
            _ => Self::Nothing,
        }
    }

    fn missing(field: Field, now: Timestamp) -> Self {
        let any = vec![(i64::MIN, i64::MAX)];
        let present = match field.kind() {
            FieldType::Text | FieldType::Word => {
                Self::Leaf(Leaf::Text(Box::new(TextLeaf::not_empty(field))))
            }
            FieldType::Time => Self::between(field, LOWEST, i64::MAX),
            FieldType::Flag => return Self::All,
            _ => match field {
                Field::Progress => Self::Leaf(Leaf::Progress(any)),
                Field::Http => Self::Leaf(Leaf::Http(any)),
                Field::Elapsed | Field::Age => Self::Leaf(Leaf::Worked(field, any, now)),
                // every task is one or the other
                Field::Ack => Self::All,
                _ => Self::Nothing,
            },
        };
        Self::Not(Box::new(present))
    }

    /// Takes in what the store learned since: new texts, names, failures.
    pub(super) fn prepare(&mut self, store: &Store) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|p| p.prepare(store)),
            Self::Not(part) => part.prepare(store),
            Self::Leaf(Leaf::Text(text)) => text.prepare(store),
            _ => {}
        }
    }

    /// Whether a row matches; [`Plan::prepare`] has to be called before.
    pub(super) fn row(&self, store: &Store, row: u32) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::And(parts) => parts.iter().all(|p| p.row(store, row)),
            Self::Or(parts) => parts.iter().any(|p| p.row(store, row)),
            Self::Not(part) => !part.row(store, row),
            Self::Leaf(leaf) => leaf.row(store, row),
        }
    }

    /// Those of the candidates that match; [`Plan::prepare`] has to be called before.
    pub(super) fn among(&self, store: &Store, candidates: Bits) -> Bits {
        match self {
            Self::All => candidates,
            Self::Nothing => Bits::default(),
            Self::And(parts) => parts.iter().fold(candidates, |left, p| {
                if left.is_empty() {
                    left
                } else {
                    p.among(store, left)
                }
            }),
            Self::Or(parts) => {
                let mut left = candidates;
                let mut out = Bits::default();
                for part in parts {
                    let found = part.among(store, left.clone());
                    left.subtract(&found);
                    out.join(&found);
                }
                out
            }
            Self::Not(part) => {
                let mut left = candidates.clone();
                left.subtract(&part.among(store, candidates));
                left
            }
            Self::Leaf(leaf) => leaf.among(store, candidates),
        }
    }
}

/// The phases and flags of a property.
fn state_of(flag: Flag) -> (u16, u8) {
    let phases = |test: fn(Phase) -> bool| {
        Phase::ALL
            .into_iter()
            .filter(|p| test(*p))
            .fold(0, |set, p| set | 1 << p as u16)
    };
    match flag {
        Flag::Live => (phases(Phase::is_live), 0),
        Flag::Over => (phases(Phase::is_over), 0),
        Flag::Failed => (phases(Phase::needs_person), 0),
        Flag::Lost => (0, tasks::LOST),
        Flag::Cleared => (0, tasks::CLEARED),
        Flag::Asked => (0, tasks::ASKED),
        _ => (0, 0),
    }
}

/// True for a property of tasks that follows from other tasks.
const fn is_worked(flag: Flag) -> bool {
    matches!(flag, Flag::Stuck | Flag::Slow | Flag::Flapping)
}

/// Keeps of each word of candidates the rows for which the test holds.
pub(super) fn keep(mut candidates: Bits, test: impl Fn(u32) -> bool) -> Bits {
    for (i, word) in candidates.words_mut().iter_mut().enumerate() {
        let mut left = *word;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if !test(i as u32 * 64 + bit) {
                *word &= !(1 << bit);
            }
        }
    }
    candidates
}

/// Keeps of each word of candidates the rows whose value in the column passes.
fn keep_column<T: Copy>(mut candidates: Bits, column: &[T], test: impl Fn(T) -> bool) -> Bits {
    let words = candidates.words_mut();
    let blocks = column.chunks(64);
    words.truncate(blocks.len());
    for (word, block) in words.iter_mut().zip(blocks) {
        if *word == 0 {
            continue;
        }
        let mut bits = 0u64;
        for (i, value) in block.iter().enumerate() {
            bits |= u64::from(test(*value)) << i;
        }
        *word &= bits;
    }
    candidates
}

impl Leaf {
    fn row(&self, store: &Store, row: u32) -> bool {
        let t = &store.tasks;
        match self {
            Self::Text(text) => text.row(store, row),
            Self::State(phases, mask) => {
                phases >> (at(&t.phase, row, Phase::Unknown) as u16) & 1 != 0
                    || at(&t.flags, row, 0) & mask != 0
            }
            Self::Between(field, low, high) => {
                let n = at(column(store, *field), row, NEVER);
                *low <= n && n <= *high
            }
            Self::Latest(low, high) => {
                let n = latest(store, row);
                *low <= n && n <= *high
            }
            Self::Progress(ranges) => {
                let n = at(&t.progress, row, NO_PERCENT);
                n != NO_PERCENT && in_ranges(i64::from(n), ranges)
            }
            Self::Worked(field, ranges, now) => store
                .task(TaskRow(row))
                .number(*field, *now)
                .is_some_and(|n| in_ranges(n, ranges)),
            Self::Property(flags, now) => {
                let task = store.task(TaskRow(row));
                flags.iter().any(|flag| task.is_at(*flag, *now))
            }
            Self::Http(ranges) => {
                let http = t.failures.get(at(&t.failure, row, 0)).http;
                http != 0 && in_ranges(i64::from(http), ranges)
            }
        }
    }

    fn among(&self, store: &Store, candidates: Bits) -> Bits {
        let t = &store.tasks;
        match self {
            Self::Text(text) => text.among(store, candidates),
            Self::State(phases, 0) => {
                keep_column(candidates, &t.phase, |p| phases >> (p as u16) & 1 != 0)
            }
            Self::State(0, mask) => keep_column(candidates, &t.flags, |f| f & mask != 0),
            Self::Between(field, low, high) => {
                keep_column(candidates, column(store, *field), |n| {
                    *low <= n && n <= *high
                })
            }
            _ => keep(candidates, |row| self.row(store, row)),
        }
    }
}

fn column(store: &Store, field: Field) -> &[i64] {
    match field {
        Field::Started => &store.tasks.started,
        Field::Updated => &store.tasks.updated,
        _ => &store.tasks.ended,
    }
}

/// The last thing that is known to have happened to a task.
pub(super) fn latest(store: &Store, row: u32) -> i64 {
    let t = &store.tasks;
    at(&t.started, row, NEVER)
        .max(at(&t.updated, row, NEVER))
        .max(at(&t.ended, row, NEVER))
}

/// The tests of a term that looks for text.
pub(super) type Tests = Vec<TextTest>;
