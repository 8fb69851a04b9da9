//! A question to the catalog and its readings.

use std::sync::Arc;

use crate::model::{CodeRef, Kind};

use super::template::{self, Fit as TextFit};
use super::{Catalog, Class, Entry, HTTP};

/// What is known of a failure when it is looked up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// The code or status; may be empty when only an HTTP status or a text is known.
    pub code: String,
    /// The kind, where known; without one every kind is asked.
    pub kind: Option<String>,
    /// The HTTP status, where known.
    pub http: Option<u16>,
    /// The operation, or the object of a status; may be empty.
    pub operation: String,
    /// The service's own text; may be empty.
    pub message: String,
}

impl Question {
    /// Asks for a code of any kind.
    pub fn code(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            ..Self::default()
        }
    }

    /// Asks for a failure as a service words it.
    #[must_use]
    pub fn from_code(kind: Option<&str>, failure: &CodeRef) -> Self {
        Self {
            code: failure.code.clone(),
            kind: kind.map(ToOwned::to_owned),
            http: failure.http_status,
            operation: failure.operation.clone(),
            message: failure.message.clone(),
        }
    }

    /// The same for one kind.
    #[must_use]
    pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The same with an HTTP status.
    #[must_use]
    pub const fn with_http(mut self, status: u16) -> Self {
        self.http = Some(status);
        self
    }

    /// The same with an operation or object.
    #[must_use]
    pub fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// The same with the service's own text.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

/// How a reading was come by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fit {
    /// The code stands in the table of the kind.
    Code,
    /// The code stands in the table of another kind, from which this one passes it on.
    OtherKind,
    /// The code is in no table, but its first letters say which other service it belongs to.
    Owner,
    /// No code was given; the text is one that the documents print for this code.
    Text,
    /// The code is in no table; this is only what the HTTP status means in general.
    HttpOnly,
}

/// One possible meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The entry.
    pub entry: Arc<Entry>,
    /// How it was come by.
    pub fit: Fit,
}

impl Catalog {
    /// Every reading that fits the question, in the order of the tables. More than one means that what is
    /// known does not tell the twins apart. Empty means that the catalog knows nothing of it; when the
    /// code is unknown but an HTTP status is given, the one reading is that status's general meaning
    /// ([`Fit::HttpOnly`]).
    #[must_use]
    pub fn explain(&self, question: &Question) -> Vec<Reading> {
        let mut found = self.by_code(question);
        if found.is_empty() && question.code.trim().is_empty() {
            found = self.by_text(question);
        }
        if found.is_empty()
            && let Some(kind) = &question.kind
            && let Some(entry) = self.joined_status(kind, question.code.trim())
        {
            return vec![Reading {
                entry,
                fit: Fit::Code,
            }];
        }
        if found.is_empty() {
            return question
                .http
                .and_then(|status| self.http(question.kind.as_deref(), status))
                .map(|entry| Reading {
                    entry,
                    fit: Fit::HttpOnly,
                })
                .into_iter()
                .collect();
        }
        if let Some(http) = question.http {
            narrow(&mut found, |e| u8::from(e.http_status == Some(http)));
        }
        if !question.operation.is_empty() {
            narrow(&mut found, |e| {
                same_operation(&e.operation, &question.operation)
            });
        }
        if !question.message.is_empty() {
            // an entry without a text of its own is the general reading: it holds where no particular text does
            narrow(&mut found, |e| {
                match template::fit(&e.message_template, &question.message) {
                    TextFit::No => u8::from(e.message_template.is_empty()),
                    TextFit::Inside => 2,
                    TextFit::Whole => 3,
                }
            });
        }
        found
    }

    /// A status that was joined of two fields (`completed/fail`): what the second says counts for more,
    /// the first stands in where the second is empty or unknown.
    fn joined_status(&self, kind: &str, native_status: &str) -> Option<Arc<Entry>> {
        let (first, second) = native_status.split_once('/')?;
        let entries = self.entries(Some(kind));
        [(second, "result"), (first, "status")]
            .into_iter()
            .find_map(|(word, field)| {
                entries
                    .iter()
                    .find(|e| {
                        e.class == Class::Status && e.code == word && e.operation.ends_with(field)
                    })
                    .cloned()
            })
    }

    /// The readings of a task: of its failure where the service gives one, else of its status.
    #[must_use]
    pub fn about_task(
        &self,
        kind: Kind,
        object: &str,
        native_status: &str,
        failure: Option<&CodeRef>,
    ) -> Vec<Reading> {
        if let Some(failure) = failure {
            let readings = self.explain(&Question::from_code(Some(kind.name()), failure));
            if !readings.is_empty() {
                return readings;
            }
        }
        self.status(kind.name(), object, native_status)
            .or_else(|| self.joined_status(kind.name(), native_status))
            .map(|entry| Reading {
                entry,
                fit: Fit::Code,
            })
            .into_iter()
            .collect()
    }

    fn by_code(&self, question: &Question) -> Vec<Reading> {
        let code = question.code.trim();
        if code.is_empty() {
            return Vec::new();
        }
        let kind = question.kind.as_deref();
        let own = self.entries_with(code, |k| kind.is_none_or(|wanted| wanted == k));
        if !own.is_empty() {
            return readings(own, Fit::Code);
        }
        if kind.is_none() {
            return readings(self.by_owner(code), Fit::Owner);
        }
        // codes with a prefix (`EVS.2024`, `CSBS.2003`) name their owner, so another table may answer;
        // a bare number or word means something else in every kind
        if code.contains('.') {
            let other = self.entries_with(code, |k| kind.is_some_and(|wanted| wanted != k));
            if other.is_empty() {
                return readings(self.by_owner(code), Fit::Owner);
            }
            return readings(other, Fit::OtherKind);
        }
        readings(self.entries_with(code, |k| k == HTTP), Fit::HttpOnly)
    }

    /// What is known of a code by its first letters alone (`IMS.0115` by `IMS.*`): whose it is.
    fn by_owner(&self, code: &str) -> Vec<Arc<Entry>> {
        let Some((first, rest)) = code.split_once('.') else {
            return Vec::new();
        };
        if rest.is_empty() || rest == "*" {
            return Vec::new();
        }
        self.entries_with(&format!("{first}.*"), |_| true)
            .into_iter()
            .map(|entry| {
                let mut entry = Entry::clone(&entry);
                code.clone_into(&mut entry.code);
                if !entry.related_kind.is_empty() {
                    entry.kind.clone_from(&entry.related_kind);
                }
                Arc::new(entry)
            })
            .collect()
    }

    /// Entries with the code: letter for letter, and only when there is none in any letter case.
    fn entries_with(&self, code: &str, of: impl Fn(&str) -> bool) -> Vec<Arc<Entry>> {
        let exact: Vec<Arc<Entry>> = self
            .slots
            .iter()
            .filter(|s| of(&s.kind) && s.may_hold(code))
            .flat_map(|s| s.table().with_code(code))
            .cloned()
            .collect();
        if !exact.is_empty() {
            return exact;
        }
        self.slots
            .iter()
            .filter(|s| of(&s.kind))
            .flat_map(|s| s.table().with_code_any_case(code))
            .cloned()
            .collect()
    }

    /// Entries whose template the text fills from its first to its last letter; the weightiest only.
    fn by_text(&self, question: &Question) -> Vec<Reading> {
        if question.message.trim().is_empty() {
            return Vec::new();
        }
        let mut best = 12;
        let mut found: Vec<Arc<Entry>> = Vec::new();
        for table in self.tables(question.kind.as_deref()) {
            for entry in table.entries() {
                if entry.class != Class::Error
                    || template::fit(&entry.message_template, &question.message) != TextFit::Whole
                {
                    continue;
                }
                let weight = template::weight(&entry.message_template);
                if weight > best {
                    best = weight;
                    found.clear();
                }
                if weight == best {
                    found.push(Arc::clone(entry));
                }
            }
        }
        readings(found, Fit::Text)
    }
}

fn readings(entries: Vec<Arc<Entry>>, fit: Fit) -> Vec<Reading> {
    // what HTTP says in general only counts where no service says more
    let special = entries.iter().any(|e| e.kind != HTTP);
    entries
        .into_iter()
        .filter(|e| !special || e.kind != HTTP)
        .map(|entry| Reading { entry, fit })
        .collect()
}

/// Keeps the readings with the highest score, unless all score zero.
fn narrow(found: &mut Vec<Reading>, score: impl Fn(&Entry) -> u8) {
    let best = found.iter().map(|r| score(&r.entry)).max().unwrap_or(0);
    if best > 0 {
        found.retain(|r| score(&r.entry) == best);
    }
}

/// 2 for the same words, 1 when one of them holds the other ("initiate export" and "export").
fn same_operation(known: &str, asked: &str) -> u8 {
    let known = known.to_lowercase();
    let asked = asked.to_lowercase();
    if known.is_empty() {
        0
    } else if known == asked {
        2
    } else {
        let has_word = |long: &str, short: &str| {
            long.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == short)
        };
        u8::from(has_word(&known, &asked) || has_word(&asked, &known))
    }
}
