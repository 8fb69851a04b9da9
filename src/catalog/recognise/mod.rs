//! Whose error is this? Takes whatever a person pasted (an error body, a row of a list, a whole HTTP
//! answer, a line of a log) and finds the kind, the codes, the texts and the HTTP status in it.
//!
//! Lenient on purpose: broken JSON is searched for known codes, HTML is called HTML, and nothing here
//! ever fails.

mod cloud;
mod fail_reason;
mod others;
mod text;

use serde_json::{Map, Value};

use crate::model::clean;

use super::{Catalog, Question};

pub use fail_reason::{FailReason, fail_reason};

/// More findings than a person can use are cut.
const MAX_FINDINGS: usize = 200;

/// One failure or status found in the input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finding {
    /// What it was found in: "CSBS error body", "SDRS failed task".
    pub what: String,
    /// What to ask the catalog.
    pub question: Question,
    /// What the reader has to know besides; empty as a rule.
    pub note: String,
}

impl Finding {
    fn new(what: &str, question: Question) -> Self {
        Self {
            what: what.to_owned(),
            question,
            note: String::new(),
        }
    }

    fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Finds failures and statuses in `input`. Empty only for blank input.
#[must_use]
pub fn recognise(catalog: &Catalog, input: &str) -> Vec<Finding> {
    let input = input.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if input.is_empty() {
        return Vec::new();
    }
    let (http, body) = text::status_line(input);
    let mut walk = Walk {
        catalog,
        http: http.filter(|status| *status >= 400),
        found: Vec::new(),
    };
    let values = text::json_values(body);
    for value in &values {
        walk.value(value, "", 0);
    }
    if walk.found.is_empty() {
        walk.found = text::scan(catalog, body, walk.http, !values.is_empty());
    }
    let mut found = walk.found;
    for finding in &mut found {
        tidy(&mut finding.question.code);
        tidy(&mut finding.question.message);
    }
    dedup(&mut found);
    found.truncate(MAX_FINDINGS);
    found
}

fn tidy(text: &mut String) {
    let cleaned = clean(text.trim()).into_owned();
    *text = cleaned;
}

fn dedup(found: &mut Vec<Finding>) {
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found.drain(..) {
        if !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    *found = kept;
}

/// One pass over a JSON value.
struct Walk<'c> {
    catalog: &'c Catalog,
    /// The status of the HTTP answer that the body came in.
    http: Option<u16>,
    found: Vec<Finding>,
}

/// What a shape's rule says of an object.
enum Verdict {
    /// Not this shape.
    No,
    /// This shape; there is nothing to look for inside.
    Done,
    /// This shape; the parts inside may hold more.
    LookInside,
}

/// Looks at one object, found under a key; says whether it knows the shape.
type Rule = fn(&mut Walk<'_>, &Map<String, Value>, &str) -> Verdict;

impl Walk<'_> {
    fn value(&mut self, value: &Value, key: &str, depth: u8) {
        if self.found.len() >= MAX_FINDINGS || depth > 60 {
            return;
        }
        match value {
            Value::Array(items) => {
                for item in items {
                    self.value(item, key, depth + 1);
                }
            }
            Value::Object(object) => {
                if matches!(self.object(object, key), Verdict::Done) {
                    return;
                }
                for (name, inner) in object {
                    self.value(inner, name, depth + 1);
                }
            }
            // `"fail_reason": "{\"badRequest\": …}"` and its like: JSON inside a text
            Value::String(text) if text.trim_start().starts_with('{') && depth < 8 => {
                if let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) {
                    self.value(&inner, key, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, key: &str) -> Verdict {
        const RULES: [Rule; 19] = [
            cloud::sdrs_job,
            cloud::gateway_or_csbs,
            cloud::wrapped_error,
            cloud::openstack_fault,
            others::atlassian_error,
            others::dbs_answer,
            others::alibaba_error,
            others::dpod_answer,
            cloud::freezer_job,
            cloud::operation_log,
            cloud::checkpoint_item,
            cloud::freezer_error,
            cloud::freezer_event,
            cloud::sdrs_resource,
            cloud::karbor_resource,
            others::atlassian_backup,
            others::dbs_row,
            others::plain_error,
            others::known_status,
        ];
        for rule in RULES {
            match rule(self, object, key) {
                Verdict::No => {}
                verdict => return verdict,
            }
        }
        Verdict::No
    }

    fn push(&mut self, finding: Finding) {
        if self.found.len() < MAX_FINDINGS {
            self.found.push(finding);
        }
    }

    /// A question about a code, its kind found out from the code unless `kind` says it.
    fn ask(&self, kind: Option<&str>, code: &str, message: &str) -> Question {
        Question {
            code: code.to_owned(),
            kind: kind
                .map(ToOwned::to_owned)
                .or_else(|| self.catalog.owner_of(code)),
            http: self.http,
            operation: String::new(),
            message: message.to_owned(),
        }
    }
}

/// A field as text: a text or a number; `None` when absent, null, empty or of another sort.
fn text_of(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(s) if !s.trim().is_empty() => Some(s.trim().to_owned()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The first of several fields that is there as text.
fn first_text(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|k| text_of(object, k))
}

/// A field as an object.
fn object_of<'v>(object: &'v Map<String, Value>, key: &str) -> Option<&'v Map<String, Value>> {
    object.get(key)?.as_object()
}

/// A code that is an HTTP status in disguise, as OpenStack writes it.
fn as_http(code: &str) -> Option<u16> {
    code.parse().ok().filter(|n| (100..=599).contains(n))
}

impl Catalog {
    /// The kind that a code belongs to: the only one whose table holds it, or the only one that has codes
    /// with the same prefix. `None` when the code does not tell.
    #[must_use]
    pub fn owner_of(&self, code: &str) -> Option<String> {
        let mut kinds: Vec<&str> = Vec::new();
        for slot in self.slots.iter().filter(|s| s.may_hold(code)) {
            if slot.table().with_code(code).next().is_some() {
                kinds.push(&slot.kind);
            }
        }
        if kinds.is_empty() {
            let (prefix, _) = code.split_once('.')?;
            let prefix = format!("{prefix}.");
            for slot in self.slots.iter().filter(|s| s.may_hold(&prefix)) {
                if slot
                    .table()
                    .entries()
                    .iter()
                    .any(|e| e.code.starts_with(&prefix))
                {
                    kinds.push(&slot.kind);
                }
            }
        }
        match kinds.as_slice() {
            [only] => Some((*only).to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
