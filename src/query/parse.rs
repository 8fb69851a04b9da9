//! Reading a query.
//!
//! ```text
//! query  = all { "or" all }
//! all    = not { ["and"] not }
//! not    = ("!" | "not ") not | term
//! term   = "(" query ")" | field op value { "," value } | text
//! text   = word | "phrase" | ~fuzzy | /regex/
//! op     = ":" | "=" | "!=" | ">" | ">=" | "<" | "<="
//! ```

use regex::RegexBuilder;

use super::expr::{Expr, Term, TextTest};
use super::terms::{self, Op, Value};
use super::text::{Needle, fold};
use super::{Field, QueryError};

/// How deep parentheses and `!` may nest.
const DEEPEST: usize = 64;
/// How much memory a compiled expression may take, in bytes.
const REGEX_LIMIT: usize = 1 << 20;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
    open: usize,
}

type Parsed<T> = Result<T, QueryError>;

/// The query as a tree.
pub(super) fn parse(text: &str) -> Parsed<Expr> {
    let mut p = Parser {
        text,
        at: 0,
        depth: 0,
        open: 0,
    };
    p.skip_blanks();
    if p.rest().is_empty() {
        return Ok(Expr::All);
    }
    let expr = p.any()?;
    p.skip_blanks();
    if p.rest().is_empty() {
        Ok(expr)
    } else {
        Err(p.error(
            p.at,
            1,
            "this parenthesis closes nothing",
            "a ( before it, or quotes around it",
        ))
    }
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn error(
        &self,
        at: usize,
        len: usize,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> QueryError {
        QueryError {
            text: self.text.to_owned(),
            at,
            len,
            what: what.into(),
            expected: expected.into(),
        }
    }

    /// The bare word that starts here, when it is this one on its own.
    fn keyword(&self, word: &str) -> bool {
        let rest = self.rest();
        rest.get(..word.len())
            .is_some_and(|w| w.eq_ignore_ascii_case(word))
            && rest.get(word.len()..).is_some_and(|r| {
                r.chars()
                    .next()
                    .is_none_or(|c| c.is_whitespace() || c == '(' || c == ')')
            })
    }

    fn deeper(&mut self, at: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(
                at,
                1,
                "nested too deeply",
                format!("at most {DEEPEST} levels"),
            ));
        }
        Ok(())
    }

    fn any(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.all()?];
        loop {
            self.skip_blanks();
            if !self.keyword("or") {
                break;
            }
            self.at += 2;
            parts.push(self.all()?);
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Expr::Or(parts)
            }
            None => Expr::All,
        })
    }

    fn all(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.not()?];
        loop {
            self.skip_blanks();
            if self.keyword("and") {
                self.at += 3;
                parts.push(self.not()?);
                continue;
            }
            match self.peek() {
                None => break,
                Some(')') if self.open > 0 => break,
                Some(')') => {
                    let what = "this parenthesis closes nothing";
                    return Err(self.error(self.at, 1, what, "a ( before it, or quotes around it"));
                }
                Some(_) if self.keyword("or") => break,
                Some(_) => parts.push(self.not()?),
            }
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Expr::And(parts)
            }
            None => Expr::All,
        })
    }

    fn not(&mut self) -> Parsed<Expr> {
        self.skip_blanks();
        let start = self.at;
        let step = if self.keyword("not") {
            3
        } else if self.peek() == Some('!') {
            1
        } else {
            return self.term();
        };
        self.at += step;
        self.deeper(start)?;
        self.skip_blanks();
        let what = "there is nothing to turn around";
        if self.peek().is_none_or(|c| c == ')') {
            return Err(self.error(start, step, what, "a term after it"));
        }
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Expr::Not(Box::new(inner)))
    }

    fn term(&mut self) -> Parsed<Expr> {
        self.skip_blanks();
        let start = self.at;
        match self.peek() {
            None => Err(self.error(
                self.text.trim_end().len(),
                0,
                "the query stops here",
                "a word, \"a phrase\" or field:value",
            )),
            Some(')') => {
                Err(self.error(start, 1, "there is nothing inside", "a term before the )"))
            }
            Some('(') => {
                self.at += 1;
                self.deeper(start)?;
                self.open += 1;
                self.skip_blanks();
                let inner = self.any()?;
                self.skip_blanks();
                if self.peek() != Some(')') {
                    return Err(self.error(
                        start,
                        1,
                        "this parenthesis stays open",
                        "a ) to close it",
                    ));
                }
                self.at += 1;
                self.open -= 1;
                self.depth -= 1;
                Ok(inner)
            }
            Some(_) if self.keyword("or") || self.keyword("and") => {
                let len = if self.keyword("or") { 2 } else { 3 };
                let word = self.text.get(start..start + len).unwrap_or("");
                Err(self.error(
                    start,
                    len,
                    format!("\"{word}\" joins two terms and one is missing"),
                    "a term here; quote the word to look for it",
                ))
            }
            Some(_) => match self.field_and_op()? {
                Some((field, len, op)) => self.compare(start, field, len, op),
                None => Ok(Expr::Term(Term::Anywhere(self.text_test(false)?))),
            },
        }
    }

    /// `name op` where a field is compared; leaves the place before it when none is.
    fn field_and_op(&mut self) -> Parsed<Option<(Option<Field>, usize, Op)>> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let len = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(len);
        let Some(op) = Op::at(after) else {
            return Ok(None);
        };
        // since and until are no fields but read like some
        let special = terms::special(name).is_some();
        let field = Field::named(name);
        if field.is_none() && !special {
            let what = format!("no field is called \"{name}\"");
            return Err(self.error(self.at, len, what, terms::near_fields(name)));
        }
        self.at += len + op.len();
        Ok(Some((field, len, op)))
    }

    fn compare(&mut self, start: usize, field: Option<Field>, len: usize, op: Op) -> Parsed<Expr> {
        let name = self.text.get(start..start + len).unwrap_or("");
        let mut values = Vec::new();
        loop {
            values.push(self.value(field, op)?);
            if self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        match field {
            Some(field) => terms::compare(self, field, op, &values, start),
            None => terms::special_term(self, name, op, &values, start),
        }
    }

    /// One value: a word up to a comma, a phrase, `~fuzzy` or `/regex/`.
    fn value(&mut self, field: Option<Field>, op: Op) -> Parsed<Value> {
        let at = self.at;
        let expected = field.map_or("a time as in 03:00 or an age as in 2h", |f| {
            f.kind().expected()
        });
        let missing = |p: &Self| {
            let place = p.text.get(..at).map_or(at, |t| t.trim_end().len());
            let sign = op.word();
            Err(p.error(place, 0, format!("nothing follows the {sign}"), expected))
        };
        match self.peek() {
            None | Some(',' | ')') => return missing(self),
            Some(c) if c.is_whitespace() => return missing(self),
            _ => {}
        }
        let literal = !matches!(self.peek(), Some('~' | '/' | '"'));
        if literal {
            let word = self.word(true);
            return Ok(Value {
                at,
                len: word.len(),
                test: TextTest::Contains(Needle::new(word)),
                text: word.to_owned(),
                bare: true,
            });
        }
        let test = self.text_test(true)?;
        let text = match &test {
            TextTest::Contains(_) => self
                .text
                .get(at + 1..self.at - 1)
                .unwrap_or("")
                .replace("\\\"", "\"")
                .replace("\\\\", "\\"),
            _ => String::new(),
        };
        Ok(Value {
            at,
            len: self.at - at,
            bare: false,
            test,
            text,
        })
    }

    /// A word, a phrase, `~fuzzy` or `/regex/`; within a value list a comma ends it.
    fn text_test(&mut self, in_list: bool) -> Parsed<TextTest> {
        let start = self.at;
        match self.peek() {
            Some('"') => Ok(TextTest::Contains(Needle::new(&self.phrase()?))),
            Some('~') => {
                self.at += 1;
                let letters = if self.peek() == Some('"') {
                    self.phrase()?
                } else {
                    self.word(in_list).to_owned()
                };
                let letters: String = letters.chars().filter(|c| !c.is_whitespace()).collect();
                if letters.is_empty() {
                    let what = "no letters follow the ~";
                    return Err(self.error(
                        start,
                        1,
                        what,
                        "letters of a name in their order, as in ~ngtexp",
                    ));
                }
                Ok(TextTest::Fuzzy(fold(&letters).into()))
            }
            Some('/') => match self.regex(in_list)? {
                Some(test) => Ok(test),
                None => Ok(TextTest::Contains(Needle::new(self.word(in_list)))),
            },
            _ => Ok(TextTest::Contains(Needle::new(self.word(in_list)))),
        }
    }

    /// A phrase in double quotes; `\"` and `\\` stand for themselves.
    fn phrase(&mut self) -> Parsed<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        let mut escaped = false;
        for (i, c) in self.rest().char_indices() {
            if escaped {
                if c != '"' && c != '\\' {
                    out.push('\\');
                }
                out.push(c);
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                self.at += i + 1;
                if out.is_empty() {
                    return Err(self.error(
                        start,
                        2,
                        "these quotes are empty",
                        "a text inside them",
                    ));
                }
                return Ok(out);
            } else {
                out.push(c);
            }
        }
        Err(self.error(start, 1, "this quote stays open", "a \" to close it"))
    }

    /// `/expression/`; `None` (and nothing taken) when it is a path instead.
    fn regex(&mut self, in_list: bool) -> Parsed<Option<TextTest>> {
        let start = self.at;
        let rest = self.rest().get(1..).unwrap_or("");
        let mut escaped = false;
        let mut close = None;
        for (i, c) in rest.char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '/' {
                close = Some(i);
                break;
            }
        }
        let Some(close) = close else {
            let what = "this expression stays open";
            return Err(self.error(
                start,
                1,
                what,
                "a / to close it; quote a path to look for it",
            ));
        };
        let after = rest.get(close + 1..).and_then(|r| r.chars().next());
        if after.is_some_and(|c| !(c.is_whitespace() || c == ')' || (in_list && c == ','))) {
            return Ok(None);
        }
        let pattern = rest.get(..close).unwrap_or("");
        if pattern.is_empty() {
            return Err(self.error(start, 2, "this expression is empty", "a regular expression"));
        }
        match RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(REGEX_LIMIT)
            .dfa_size_limit(2 * REGEX_LIMIT)
            .build()
        {
            Ok(regex) => {
                self.at = start + close + 2;
                Ok(Some(TextTest::Regex(Box::new(regex))))
            }
            Err(e) => {
                let why = e.to_string();
                let why = why
                    .lines()
                    .last()
                    .unwrap_or("")
                    .trim_start_matches("error: ")
                    .to_owned();
                Err(self.error(
                    start + 1,
                    close,
                    format!("this expression can't be read ({why})"),
                    "a regular expression; quote the text to look for it as it stands",
                ))
            }
        }
    }

    /// The word that starts here. Parentheses inside a word belong to it as long as they are even.
    fn word(&mut self, in_list: bool) -> &'a str {
        let rest = self.rest();
        let mut inner = 0usize;
        let mut end = rest.len();
        for (i, c) in rest.char_indices() {
            let stops = match c {
                c if c.is_whitespace() => true,
                ',' => in_list,
                '(' => {
                    inner += 1;
                    false
                }
                ')' if inner > 0 => {
                    inner -= 1;
                    false
                }
                ')' => true,
                _ => false,
            };
            if stops {
                end = i;
                break;
            }
        }
        self.at += end;
        rest.get(..end).unwrap_or("")
    }
}
