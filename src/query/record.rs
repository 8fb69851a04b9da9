//! What a query is asked of.

use super::expr::{Expr, Term};
use super::{Field, Flag, Moment, Query};
use crate::model::{Phase, Timestamp};

/// A row that a query can be asked of.
pub trait Record {
    /// Hands every text that the field has (a policy may have several devices) to `test` until it says
    /// true; says whether it did. Empty texts need not be handed over.
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool;

    /// The phase; of a device or policy that of its last attempt.
    fn phase(&self) -> Phase;

    /// A number: percent, HTTP status, count, or milliseconds for a duration.
    fn number(&self, field: Field, now: Timestamp) -> Option<i64>;

    /// An instant.
    fn time(&self, field: Field) -> Option<Timestamp>;

    /// A property.
    fn is(&self, flag: Flag) -> bool;

    /// A property that may come or go with time.
    fn is_at(&self, flag: Flag, _now: Timestamp) -> bool {
        self.is(flag)
    }

    /// The last thing that is known to have happened to it.
    fn last_event(&self) -> Option<Timestamp>;
}

impl Query {
    /// Whether the row matches.
    #[must_use]
    pub fn matches(&self, record: &(impl Record + ?Sized), now: Timestamp) -> bool {
        matches(self.expr(), record, now)
    }
}

fn matches(expr: &Expr, r: &(impl Record + ?Sized), now: Timestamp) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(parts) => parts.iter().all(|p| matches(p, r, now)),
        Expr::Or(parts) => parts.iter().any(|p| matches(p, r, now)),
        Expr::Not(part) => !matches(part, r, now),
        Expr::Term(term) => term_matches(term, r, now),
    }
}

fn term_matches(term: &Term, r: &(impl Record + ?Sized), now: Timestamp) -> bool {
    match term {
        Term::Anywhere(test) => Field::searched(test)
            .iter()
            .any(|f| r.any_text(*f, &mut |text| test.passes(text))),
        Term::Text(field, tests) => {
            r.any_text(*field, &mut |text| tests.iter().any(|t| t.passes(text)))
        }
        Term::Phase(set) => set.has(r.phase()),
        Term::Number(field, ranges) => r.number(*field, now).is_some_and(|n| in_ranges(n, ranges)),
        Term::Age(field, compare, ms) => match r.time(*field) {
            Some(t) => compare.holds(distance(*field, t, now), *ms),
            None => never_counts(*field, *compare) && r.is(Flag::Never),
        },
        Term::When(field, compare, moment) => r
            .time(*field)
            .is_some_and(|t| when_holds(*field, *compare, *moment, t, now)),
        Term::On(field, moment) => r
            .time(*field)
            .is_some_and(|t| within(t, ahead_or_behind(*field, *moment, now))),
        Term::Since(moment) => r.last_event().is_some_and(|t| t >= moment.span(now).0),
        Term::Until(moment) => r.last_event().is_some_and(|t| t < moment.span(now).0),
        Term::Is(flags) => flags.iter().any(|f| r.is_at(*f, now)),
        Term::Missing(field) => is_missing(*field, r, now),
    }
}

fn is_missing(field: Field, r: &(impl Record + ?Sized), now: Timestamp) -> bool {
    use super::FieldType as T;
    match field.kind() {
        T::Text | T::Word | T::Flag => !r.any_text(field, &mut |text| !text.is_empty()),
        T::Number | T::Percent | T::Duration | T::YesNo => r.number(field, now).is_none(),
        T::Time => r.time(field).is_none(),
    }
}

/// True when the number lies in one of the ranges, ends included.
#[must_use]
pub fn in_ranges(n: i64, ranges: &[(i64, i64)]) -> bool {
    ranges.iter().any(|&(low, high)| low <= n && n <= high)
}

/// How far an instant is away: what is past by its age, what is planned by the time left.
#[must_use]
pub const fn distance(field: Field, t: Timestamp, now: Timestamp) -> i64 {
    match field {
        Field::NextRun => t.since(now),
        _ => now.since(t),
    }
}

/// A backup that never succeeded is older than any age (of rows that can have one at all).
#[must_use]
pub const fn never_counts(field: Field, compare: super::Compare) -> bool {
    matches!(field, Field::LastGood)
        && matches!(compare, super::Compare::More | super::Compare::AtLeast)
}

/// First and last-but-excluded instant of a moment as this field reads it.
#[must_use]
pub fn ahead_or_behind(field: Field, moment: Moment, now: Timestamp) -> (Timestamp, Timestamp) {
    match field {
        Field::NextRun => moment.span_ahead(now),
        _ => moment.span(now),
    }
}

/// True when `t` lies in the span: a day, or for a single instant the second that it names.
#[must_use]
pub const fn within(t: Timestamp, (from, to): (Timestamp, Timestamp)) -> bool {
    let to = if to.0 > from.0 {
        to.0
    } else {
        from.0.saturating_add(1_000)
    };
    from.0 <= t.0 && t.0 < to
}

/// Whether an instant compares so with a moment; a day is left behind only at its end.
#[must_use]
pub fn when_holds(
    field: Field,
    compare: super::Compare,
    moment: Moment,
    t: Timestamp,
    now: Timestamp,
) -> bool {
    compare.holds(t.0, boundary(field, compare, moment, now))
}

/// The instant in milliseconds with which [`when_holds`] compares.
#[must_use]
pub fn boundary(field: Field, compare: super::Compare, moment: Moment, now: Timestamp) -> i64 {
    let (from, to) = ahead_or_behind(field, moment, now);
    match compare {
        // "after the 3rd" starts with the 4th, "up to the 3rd" holds all of it
        super::Compare::More | super::Compare::AtMost if to > from => to.0.saturating_sub(1),
        _ => from.0,
    }
}
