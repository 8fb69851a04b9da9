//! From a field, a sign and its values to a term, as the field's type allows.

use super::expr::{Compare, Expr, PhaseSet, Term, TextTest};
use super::parse::Parser;
use super::text::Needle;
use super::value::duration;
use super::{Field, FieldType, Flag, Moment, QueryError};
use crate::model::Phase;

/// The sign between a field and its values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Has,
    Is,
    IsNot,
    Order(Compare),
}

impl Op {
    /// The sign at the start of this text.
    pub(super) fn at(text: &str) -> Option<Self> {
        const SIGNS: [Op; 7] = [
            Op::IsNot,
            Op::Order(Compare::AtLeast),
            Op::Order(Compare::AtMost),
            Op::Order(Compare::More),
            Op::Order(Compare::Less),
            Op::Has,
            Op::Is,
        ];
        SIGNS.into_iter().find(|s| text.starts_with(s.word()))
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Order(Compare::More) => ">",
            Self::Order(Compare::AtLeast) => ">=",
            Self::Order(Compare::Less) => "<",
            Self::Order(Compare::AtMost) => "<=",
        }
    }

    pub(super) const fn len(self) -> usize {
        self.word().len()
    }
}

/// One value as it was written.
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) text: String,
    pub(super) test: TextTest,
    /// True for a plain word.
    pub(super) bare: bool,
}

impl Value {
    fn is_none(&self) -> bool {
        self.bare
            && ["none", "never", "-"]
                .iter()
                .any(|w| self.text.eq_ignore_ascii_case(w))
    }

    fn is_any(&self) -> bool {
        self.bare && (self.text == "*" || self.text.eq_ignore_ascii_case("any"))
    }
}

type Made = Result<Expr, QueryError>;

/// `since` and `until` read like fields; true for `since`.
pub(super) fn special(name: &str) -> Option<bool> {
    if name.eq_ignore_ascii_case("since") {
        Some(true)
    } else if name.eq_ignore_ascii_case("until") || name.eq_ignore_ascii_case("before") {
        Some(false)
    } else {
        None
    }
}

/// The fields whose names come near this one, in words.
pub(super) fn near_fields(name: &str) -> String {
    let low = name.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = Field::ALL
        .into_iter()
        .map(|f| {
            let best = std::iter::once(f.name())
                .chain(f.aliases().iter().copied())
                .map(|n| strsim::osa_distance(n, &low))
                .min()
                .unwrap_or(usize::MAX);
            (best, f.name())
        })
        .collect();
    near.sort_by_key(|&(d, _)| d);
    match near.first() {
        Some(&(d, best)) if d <= 2 => {
            format!("{best}? Quote the text when no field is meant")
        }
        _ => "a field such as status, device, policy, code or ended; quote the text when no field is meant".into(),
    }
}

fn turned(op: Op, expr: Expr) -> Expr {
    match op {
        Op::IsNot => Expr::Not(Box::new(expr)),
        _ => expr,
    }
}

/// `since:03:00`, `until:2h`.
pub(super) fn special_term(
    p: &Parser<'_>,
    name: &str,
    op: Op,
    values: &[Value],
    start: usize,
) -> Made {
    let expected = "a time as in 03:00, 2026-01-31 or yesterday, or an age as in 2h";
    let [value] = values else {
        return Err(p.error(start, p.at - start, "only one time can be given", expected));
    };
    if matches!(op, Op::Order(_) | Op::IsNot) {
        let what = format!("{name} can't be compared");
        return Err(p.error(
            start + name.len(),
            op.len(),
            what,
            "a colon, as in since:03:00",
        ));
    }
    let Some(moment) = Moment::parse(&value.text) else {
        let what = format!("\"{}\" is no time", shown(p, value));
        return Err(p.error(value.at, value.len, what, expected));
    };
    Ok(Expr::Term(if special(name) == Some(true) {
        Term::Since(moment)
    } else {
        Term::Until(moment)
    }))
}

fn shown<'a>(p: &'a Parser<'_>, v: &Value) -> &'a str {
    p.text.get(v.at..v.at + v.len).unwrap_or("")
}

/// A field compared with its values.
pub(super) fn compare(
    p: &Parser<'_>,
    field: Field,
    op: Op,
    values: &[Value],
    start: usize,
) -> Made {
    // none and any work for every field
    if let [one] = values {
        if one.is_none() && !matches!(op, Op::Order(_)) {
            return Ok(turned(op, Expr::Term(Term::Missing(field))));
        }
        if one.is_any() && !matches!(op, Op::Order(_)) {
            let missing = Expr::Term(Term::Missing(field));
            return Ok(match op {
                Op::IsNot => missing,
                _ => Expr::Not(Box::new(missing)),
            });
        }
    }
    if let (Op::Order(_), [_, second, ..]) = (op, values) {
        let what = "one value is enough for a comparison";
        return Err(p.error(second.at - 1, second.len + 1, what, "a single value"));
    }
    match field.kind() {
        FieldType::Text => text(p, field, op, values, start),
        FieldType::Word => word(p, field, op, values, start),
        FieldType::YesNo => yes_no(p, field, op, values, start),
        FieldType::Flag => flags(p, op, values, start),
        FieldType::Number | FieldType::Percent => numbers(p, field, op, values),
        FieldType::Duration => durations(p, field, op, values),
        FieldType::Time => times(p, field, op, values),
    }
}

fn no_order(p: &Parser<'_>, field: Field, op: Op, start: usize) -> Result<(), QueryError> {
    match op {
        Op::Order(_) => {
            let what = format!("{} can't be compared with {}", field.name(), op.word());
            let at = p
                .text
                .get(start..)
                .and_then(|t| t.find(['<', '>']))
                .map_or(start, |i| start + i);
            Err(p.error(at, op.len(), what, "a colon or ="))
        }
        _ => Ok(()),
    }
}

fn exactly(op: Op, v: &Value) -> TextTest {
    match (&v.test, op) {
        // night* of a plain word: the whole text, with anything in place of the stars
        (TextTest::Contains(_), _) if v.bare && v.text.contains('*') => {
            let parts: Vec<String> = v.text.split('*').map(regex::escape).collect();
            match regex::Regex::new(&format!("(?is)^{}$", parts.join(".*"))) {
                Ok(regex) => TextTest::Regex(Box::new(regex)),
                Err(_) => v.test.clone(),
            }
        }
        (TextTest::Contains(_), Op::Is | Op::IsNot) => TextTest::Equals(Needle::new(&v.text)),
        (test, _) => test.clone(),
    }
}

fn text(p: &Parser<'_>, field: Field, op: Op, values: &[Value], start: usize) -> Made {
    no_order(p, field, op, start)?;
    let tests = values.iter().map(|v| exactly(op, v)).collect();
    Ok(turned(op, Expr::Term(Term::Text(field, tests))))
}

fn word(p: &Parser<'_>, field: Field, op: Op, values: &[Value], start: usize) -> Made {
    no_order(p, field, op, start)?;
    if field == Field::Phase {
        let mut set = PhaseSet::default();
        for v in values {
            match &v.test {
                TextTest::Contains(_) => match v.text.parse::<Phase>() {
                    Ok(phase) => set = set.with(phase),
                    Err(()) => {
                        let what = format!("\"{}\" is no phase", v.text);
                        let words: Vec<&str> = Phase::ALL.iter().map(|p| p.word()).collect();
                        return Err(p.error(
                            v.at,
                            v.len,
                            what,
                            format!("one of {}", words.join(", ")),
                        ));
                    }
                },
                test => {
                    for phase in Phase::ALL {
                        if test.passes(phase.word()) {
                            set = set.with(phase);
                        }
                    }
                }
            }
        }
        return Ok(turned(op, Expr::Term(Term::Phase(set))));
    }
    let tests = values.iter().map(|v| exactly(Op::Is, v)).collect();
    Ok(turned(op, Expr::Term(Term::Text(field, tests))))
}

fn yes_no(p: &Parser<'_>, field: Field, op: Op, values: &[Value], start: usize) -> Made {
    no_order(p, field, op, start)?;
    let mut ranges = Vec::new();
    for v in values {
        let n = match v.text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => 1,
            "no" | "false" | "off" | "0" => 0,
            _ => {
                let what = format!("\"{}\" is neither yes nor no", shown(p, v));
                return Err(p.error(v.at, v.len, what, "yes or no"));
            }
        };
        ranges.push((n, n));
    }
    Ok(turned(op, Expr::Term(Term::Number(field, ranges))))
}

fn flags(p: &Parser<'_>, op: Op, values: &[Value], start: usize) -> Made {
    no_order(p, Field::Is, op, start)?;
    let mut flags = Vec::new();
    for v in values {
        let Some(flag) = Flag::ALL
            .into_iter()
            .find(|f| f.word().eq_ignore_ascii_case(&v.text))
        else {
            let what = format!("\"{}\" is nothing that a row can be", shown(p, v));
            let words: Vec<&str> = Flag::ALL.iter().map(|f| f.word()).collect();
            return Err(p.error(v.at, v.len, what, format!("one of {}", words.join(", "))));
        };
        flags.push(flag);
    }
    Ok(turned(op, Expr::Term(Term::Is(flags))))
}

const fn range(op: Op, n: i64) -> (i64, i64) {
    match op {
        Op::Order(Compare::More) => (n.saturating_add(1), i64::MAX),
        Op::Order(Compare::AtLeast) => (n, i64::MAX),
        Op::Order(Compare::Less) => (i64::MIN, n.saturating_sub(1)),
        Op::Order(Compare::AtMost) => (i64::MIN, n),
        _ => (n, n),
    }
}

fn numbers(p: &Parser<'_>, field: Field, op: Op, values: &[Value]) -> Made {
    let mut ranges = Vec::new();
    for v in values {
        let digits = v.text.trim_end_matches('%');
        let bad = |what: &str| {
            let what = format!("\"{}\" is {what}", shown(p, v));
            Err(p.error(v.at, v.len, what, field.kind().expected()))
        };
        // 4xx, as people write families of HTTP statuses
        if field == Field::Http
            && let [d @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] = digits.as_bytes()
        {
            let low = i64::from(d - b'0') * 100;
            if matches!(op, Op::Order(_)) {
                return bad("a family, not a number to compare with");
            }
            ranges.push((low, low + 99));
            continue;
        }
        match digits.parse::<i64>() {
            Ok(n) => ranges.push(range(op, n)),
            Err(_) => {
                // 400..499
                let ends = digits
                    .split_once("..")
                    .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                match ends {
                    Some(ends) if !matches!(op, Op::Order(_)) => ranges.push(ends),
                    _ => return bad("no number"),
                }
            }
        }
    }
    Ok(turned(op, Expr::Term(Term::Number(field, ranges))))
}

fn durations(p: &Parser<'_>, field: Field, op: Op, values: &[Value]) -> Made {
    let mut ranges = Vec::new();
    for v in values {
        let Some(ms) = duration(&v.text) else {
            let what = if v.text.parse::<f64>().is_ok() {
                format!("\"{}\" lacks a unit", v.text)
            } else {
                format!("\"{}\" is no length of time", shown(p, v))
            };
            let expected = "a number with s, m, h, d or w, as in 90s or 1h30m";
            return Err(p.error(v.at, v.len, what, expected));
        };
        ranges.push(match op {
            // "took 3m" means the whole minute's last second, not the millisecond
            Op::Has | Op::Is | Op::IsNot => (ms, ms.saturating_add(999)),
            _ => range(op, ms),
        });
    }
    Ok(turned(op, Expr::Term(Term::Number(field, ranges))))
}

fn times(p: &Parser<'_>, field: Field, op: Op, values: &[Value]) -> Made {
    let mut any = Vec::new();
    for v in values {
        let Some(moment) = Moment::parse(&v.text) else {
            let what = format!("\"{}\" is no time", shown(p, v));
            return Err(p.error(v.at, v.len, what, field.kind().expected()));
        };
        any.push(Expr::Term(match (op, moment) {
            (Op::Order(compare), Moment::Ago(ms)) if !v.text.eq_ignore_ascii_case("now") => {
                Term::Age(field, compare, ms)
            }
            (Op::Order(compare), moment) => Term::When(field, compare, moment),
            // ended:2h reads as "within the last two hours"
            (_, Moment::Ago(ms)) => Term::Age(field, Compare::AtMost, ms),
            (_, moment) => Term::On(field, moment),
        }));
    }
    Ok(turned(
        op,
        if any.len() == 1 {
            any.remove(0)
        } else {
            Expr::Or(any)
        },
    ))
}
