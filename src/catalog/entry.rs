//! One code or status of one kind: what it means and what to do next.

use std::str::FromStr;

use serde::Serialize;

use crate::model::{Phase, RetryAdvice, Severity};

/// What sort of word the code is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Class {
    /// An error code.
    Error,
    /// A status of a task, a policy, a device or another object.
    Status,
    /// An HTTP status.
    Http,
}

impl Class {
    /// Every class, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Error, Self::Status, Self::Http];

    /// The word for it, as in catalog files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Status => "status",
            Self::Http => "http",
        }
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|c| c.word() == word).ok_or(())
    }
}

/// One entry of the catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The kind whose table holds it (`csbs`); `http` for what HTTP itself says.
    pub kind: String,
    /// What sort of word the code is.
    pub class: Class,
    /// The code, letter for letter as on the wire.
    pub code: String,
    /// The HTTP status it comes with, where the document tells.
    pub http_status: Option<u16>,
    /// The operation that tells twins apart; for a status, the object that it belongs to. May be empty.
    pub operation: String,
    /// The part of the service that the document names; may be empty.
    pub module: String,
    /// The service's literal text with holes (`%s`, `{}`); empty where the document gives none.
    pub message_template: String,
    /// How bad it is.
    pub severity: Severity,
    /// What happened and what that means for the backup.
    pub meaning: String,
    /// What to do next, step by step.
    pub remedy: Vec<String>,
    /// Whether and when repeating can help.
    pub retry_advice: RetryAdvice,
    /// The document it comes from.
    pub source: String,
    /// For a status: our reading of it.
    pub phase: Option<Phase>,
    /// For a status: where inside the task it stands; may be empty.
    pub step: String,
    /// For a status: whether the object stays in it.
    pub terminal: Option<bool>,
    /// The other service that the code belongs to (`evs`), where it is only passed on. May be empty.
    pub related_kind: String,
    /// Seen on a real server or in a client, but not in the vendor's list.
    pub undocumented: bool,
    /// The site's own runbook; empty where it has none.
    pub runbook: String,
    /// True when the site's own file added or changed it.
    pub from_site: bool,
}

/// An entry as JSON output shows it: the fields of a code, and for a status three more.
#[derive(Serialize, Debug)]
pub struct EntryJson<'e> {
    kind: &'e str,
    code: &'e str,
    http_status: Option<u16>,
    operation: Option<&'e str>,
    message_template: Option<&'e str>,
    severity: &'static str,
    meaning: &'e str,
    remedy: &'e [String],
    retry_advice: &'static str,
    source: &'e str,
    #[serde(flatten)]
    status: Option<StatusJson<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<&'e str>,
}

#[derive(Serialize, Debug)]
struct StatusJson<'e> {
    phase: &'static str,
    step: Option<&'e str>,
    terminal: bool,
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl Entry {
    /// The entry for JSON output.
    #[must_use]
    pub fn json(&self) -> EntryJson<'_> {
        EntryJson {
            kind: &self.kind,
            code: &self.code,
            http_status: self.http_status,
            operation: filled(&self.operation),
            message_template: filled(&self.message_template),
            severity: self.severity.word(),
            meaning: &self.meaning,
            remedy: &self.remedy,
            retry_advice: self.retry_advice.word(),
            source: &self.source,
            status: (self.class == Class::Status).then(|| StatusJson {
                phase: self.phase.unwrap_or(Phase::Unknown).word(),
                step: filled(&self.step),
                terminal: self.terminal.unwrap_or(false),
            }),
            runbook: filled(&self.runbook),
        }
    }

    /// What tells this entry from its twins, in words: `HTTP 403, export`; empty when nothing does.
    #[must_use]
    pub fn distinction(&self) -> String {
        let mut parts = Vec::new();
        if let Some(http) = self.http_status
            && self.class != Class::Http
        {
            parts.push(format!("HTTP {http}"));
        }
        if !self.operation.is_empty() {
            parts.push(self.operation.clone());
        }
        parts.join(", ")
    }
}
