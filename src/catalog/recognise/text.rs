//! What is not clean JSON: an HTTP answer with its head, JSON among other text, HTML, XML, log lines.

use serde_json::Value;

use super::super::{Catalog, Question};
use super::Finding;
use super::fail_reason::looks_like_code;

/// The status of the HTTP answer that `input` shows, and what follows its head.
///
/// Understands a whole answer (`HTTP/1.1 400 Bad Request`, headers, empty line, body), the same with the
/// marks of a verbose client in front, and `HTTP 400` or a bare `400` before the body.
pub(super) fn status_line(input: &str) -> (Option<u16>, &str) {
    let is_answer = unmarked(input).starts_with("HTTP/");
    let mut status = None;
    let mut at = 0;
    for line in input.split_inclusive('\n').take(100) {
        let text = unmarked(line);
        if is_answer && text.is_empty() {
            // the head is over; another one may follow (a redirect, `100 Continue`)
            let rest = input.get(at + line.len()..).unwrap_or("").trim_start();
            if !unmarked(rest).starts_with("HTTP/") {
                return (status, rest.trim());
            }
        }
        if text.starts_with(['{', '[']) {
            break;
        }
        status = status_of(text).or(status);
        at += line.len();
    }
    (
        status,
        if is_answer && at >= input.len() {
            ""
        } else {
            input
        },
    )
}

/// A line without the marks that a verbose client puts before it.
fn unmarked(line: &str) -> &str {
    let line = line.trim();
    match line.as_bytes() {
        [b'<' | b'>' | b'*'] => "",
        [b'<' | b'>' | b'*', b' ', ..] => line.get(2..).unwrap_or("").trim(),
        _ => line,
    }
}

/// `HTTP/1.1 400 Bad Request`, `HTTP 400: …`, `503 Service Unavailable`.
fn status_of(line: &str) -> Option<u16> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let is_named = first
        .get(..4)
        .is_some_and(|w| w.eq_ignore_ascii_case("http"));
    let word = if is_named { words.next()? } else { first };
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let lowest = if is_named { 100 } else { 400 };
    digits.parse().ok().filter(|n| (lowest..=599).contains(n))
}

/// Every JSON object or list that stands in the text: the whole of it, one a line, or the first one
/// among other words.
pub(super) fn json_values(text: &str) -> Vec<Value> {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return match value {
            Value::Object(_) | Value::Array(_) => vec![value],
            _ => Vec::new(),
        };
    }
    let lines: Vec<Value> = text
        .lines()
        .filter(|line| line.trim_start().starts_with(['{', '[']))
        .filter_map(|line| serde_json::from_str(line.trim()).ok())
        .collect();
    if !lines.is_empty() {
        return lines;
    }
    // at most a handful of places, so that a megabyte of brackets costs no more than a few tries
    text.match_indices(['{', '['])
        .take(16)
        .find_map(|(at, _)| {
            let tail = text.get(at..)?;
            let first = serde_json::Deserializer::from_str(tail)
                .into_iter::<Value>()
                .next()?
                .ok()?;
            match &first {
                Value::Object(o) if !o.is_empty() => Some(first),
                Value::Array(a) if a.iter().any(Value::is_object) => Some(first),
                _ => None,
            }
        })
        .into_iter()
        .collect()
}

/// The words of a text that are codes or statuses of the catalog, or look like codes.
pub(super) fn scan(
    catalog: &Catalog,
    text: &str,
    http: Option<u16>,
    was_json: bool,
) -> Vec<Finding> {
    if let Some(finding) = xml_error(text, http) {
        return vec![finding];
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    for word in text.split(|c| !is_part(c)) {
        let word = word.trim_matches(['.', '-']);
        let telling = is_shouted(word) || (word.contains('.') && looks_worth_a_look(word));
        if word.len() < 4 || word.len() > 120 || !telling || seen.contains(&word) {
            continue;
        }
        if seen.len() >= 4_000 || found.len() >= super::MAX_FINDINGS {
            break;
        }
        seen.push(word);
        let known = catalog.holds(word);
        if known || looks_like_code(word) {
            found.push(Finding::new(
                "code in a text",
                Question {
                    code: word.to_owned(),
                    kind: catalog.owner_of(word),
                    http,
                    ..Question::default()
                },
            ));
        }
    }
    if !found.is_empty() {
        return found;
    }
    let lower = text.get(..2_000).unwrap_or(text).to_ascii_lowercase();
    if lower.contains("<html") || lower.contains("<!doctype html") {
        return vec![
            Finding::new(
                "HTML page",
                Question {
                    http,
                    message: html_title(text).unwrap_or_default(),
                    ..Question::default()
                },
            )
            .with_note(
                "No backup service answers in HTML: this is a proxy, a login page or a load balancer in front of it.",
            ),
        ];
    }
    let what = match (was_json, text.is_empty()) {
        (true, _) => "JSON without a code that keepwatch recognises",
        (false, true) => "HTTP answer without a body",
        (false, false) => "text",
    };
    let message = text.chars().take(500).collect::<String>();
    vec![Finding::new(
        what,
        Question {
            http,
            message: if was_json { String::new() } else { message },
            ..Question::default()
        },
    )]
}

/// `EXECUTION_PRE_SCRIPT_ERROR`: words that nobody writes by chance.
fn is_shouted(word: &str) -> bool {
    word.contains('_')
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// A dotted word that may be a code, and not a file name, a version, an address or a host.
fn looks_worth_a_look(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) || looks_like_code(word)
}

/// `<Error><Code>…</Code><Message>…</Message></Error>`, as Alibaba's gateway writes XML.
fn xml_error(text: &str, http: Option<u16>) -> Option<Finding> {
    let code = between(text, "<Code>", "</Code>")?;
    Some(Finding::new(
        "Alibaba Cloud error body (XML)",
        Question {
            code: code.to_owned(),
            kind: Some("dbs".to_owned()),
            http,
            operation: String::new(),
            message: between(text, "<Message>", "</Message>")
                .unwrap_or("")
                .to_owned(),
        },
    ))
}

fn html_title(text: &str) -> Option<String> {
    between(text, "<title>", "</title>")
        .or_else(|| between(text, "<TITLE>", "</TITLE>"))
        .map(|t| t.trim().to_owned())
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(from)?;
    let (inner, _) = after.split_once(to)?;
    (inner.len() < 2_000).then_some(inner.trim())
}

impl Catalog {
    /// Whether any table holds this very code.
    #[must_use]
    pub fn holds(&self, code: &str) -> bool {
        self.slots
            .iter()
            .any(|s| s.may_hold(code) && s.table().with_code(code).next().is_some())
    }
}
