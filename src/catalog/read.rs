//! Reading catalog files: the built-in tables and a site's own ones share one schema.

use crate::model::{Phase, RetryAdvice, Severity};
use crate::tomlread::{Fields, Reader};

use super::{Class, Entry};

const CLASSES: [&str; 3] = ["error", "status", "http"];
const SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];
const PHASES: [&str; 9] = [
    "queued",
    "waiting",
    "running",
    "succeeded",
    "skipped",
    "cancelled",
    "failed",
    "uncertain",
    "unknown",
];
const ADVICE: [&str; 6] = [
    "now",
    "once",
    "after a fix",
    "wait",
    "check the device first",
    "never",
];

/// An entry as a file words it: a site's file may give only what it wants to change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    /// The line of the entry's head, from 1.
    pub line: usize,
    /// The kind of the file, or the entry's own.
    pub kind: String,
    /// The class, where given.
    pub class: Option<Class>,
    /// The code.
    pub code: String,
    /// The HTTP status, where given.
    pub http_status: Option<u16>,
    /// The operation or object, where given.
    pub operation: Option<String>,
    /// The document's module column, where given.
    pub module: Option<String>,
    /// The service's literal text, where given.
    pub message_template: Option<String>,
    /// Severity, where given.
    pub severity: Option<Severity>,
    /// Meaning, where given.
    pub meaning: Option<String>,
    /// Remedy, where given.
    pub remedy: Option<Vec<String>>,
    /// Retry advice, where given.
    pub retry_advice: Option<RetryAdvice>,
    /// Source, where given.
    pub source: Option<String>,
    /// Phase, where given.
    pub phase: Option<Phase>,
    /// Step, where given.
    pub step: Option<String>,
    /// Whether the object stays in the status, where given.
    pub terminal: Option<bool>,
    /// The other service the code belongs to, where given.
    pub related_kind: Option<String>,
    /// Seen on a real server but not in the vendor's list.
    pub undocumented: Option<bool>,
    /// The site's runbook, where given.
    pub runbook: Option<String>,
}

/// What a catalog file holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sheet {
    /// The full name of the product; empty when the file gives none.
    pub title: String,
    /// The entries that could be read.
    pub drafts: Vec<Draft>,
}

/// Reads a file. What is wrong is noted in `reader`; an entry with a mistake is left out, the rest stays.
pub fn sheet(reader: &Reader<'_>) -> Sheet {
    let Some(table) = reader.parse() else {
        return Sheet::default();
    };
    let top = Fields::top(reader, &table);
    let file_kind = top.filled_text("kind", "\"csbs\"");
    let title = top.text("title").unwrap_or_default();
    let mut drafts = Vec::new();
    for fields in top.tables("entry", "[[entry]]") {
        let before = reader.count();
        let draft = draft(fields, file_kind.as_deref());
        if reader.count() == before {
            drafts.push(draft);
        }
    }
    top.finish();
    Sheet { title, drafts }
}

fn draft(fields: Fields<'_, '_>, file_kind: Option<&str>) -> Draft {
    let mut draft = Draft {
        line: fields.line(),
        ..Draft::default()
    };
    let own_kind = fields.filled_text("kind", "\"csbs\"");
    match own_kind.as_deref().or(file_kind) {
        Some(kind) => draft.kind = kind.to_owned(),
        None => fields.wrong(
            "code",
            "the entry belongs to no kind",
            "Write kind = \"csbs\" (or another) at the top of the file",
        ),
    }
    draft.code = fields
        .needed_text("code", "\"CSBS.5001\"")
        .unwrap_or_default();
    draft.class = fields.word("class", &CLASSES).and_then(|w| w.parse().ok());
    draft.http_status = fields
        .whole("http_status", 100..=599)
        .and_then(|n| u16::try_from(n).ok());
    draft.operation = fields.filled_text("operation", "\"backup\"");
    draft.module = fields.filled_text("module", "\"Shared\"");
    draft.message_template = fields.filled_text("message_template", "\"copy executing\"");
    draft.severity = fields
        .word("severity", &SEVERITIES)
        .and_then(|w| w.parse().ok());
    draft.meaning = fields.filled_text("meaning", "\"What happened.\"");
    draft.remedy = fields.texts("remedy");
    if let Some(steps) = &draft.remedy {
        if steps.is_empty() {
            fields.wrong(
                "remedy",
                "\"remedy\" has no step",
                "Write at least one step",
            );
        }
        if steps.iter().any(|s| s.trim().is_empty()) {
            fields.wrong(
                "remedy",
                "\"remedy\" has an empty step",
                "Fill or remove it",
            );
        }
    }
    draft.retry_advice = fields
        .word("retry_advice", &ADVICE)
        .and_then(|w| w.parse().ok());
    draft.source = fields.filled_text("source", "\"Team wiki, backup errors\"");
    draft.phase = fields.word("phase", &PHASES).and_then(|w| w.parse().ok());
    draft.step = fields.filled_text("step", "\"pre-checks\"");
    draft.terminal = fields.flag("terminal");
    draft.related_kind = fields.filled_text("related_kind", "\"evs\"");
    draft.undocumented = fields.flag("undocumented");
    draft.runbook = fields.filled_text("runbook", "\"https://wiki.example/backup\"");
    fields.finish();
    draft
}

impl Draft {
    /// The whole entry, or the names of what is missing for one.
    ///
    /// # Errors
    /// The keys that an entry of its own needs and this draft lacks.
    pub fn complete(self) -> Result<Entry, Vec<&'static str>> {
        let class = self.class.unwrap_or(if self.phase.is_some() {
            Class::Status
        } else {
            Class::Error
        });
        let mut missing = Vec::new();
        let mut need = |there: bool, key: &'static str| {
            if !there {
                missing.push(key);
            }
        };
        need(self.severity.is_some(), "severity");
        need(self.meaning.is_some(), "meaning");
        need(self.remedy.is_some(), "remedy");
        need(self.retry_advice.is_some(), "retry_advice");
        need(self.source.is_some(), "source");
        if class == Class::Status {
            need(self.phase.is_some(), "phase");
            need(self.terminal.is_some(), "terminal");
        }
        match (
            self.severity,
            self.meaning,
            self.remedy,
            self.retry_advice,
            self.source,
        ) {
            (Some(severity), Some(meaning), Some(remedy), Some(retry_advice), Some(source))
                if missing.is_empty() =>
            {
                Ok(Entry {
                    kind: self.kind,
                    class,
                    code: self.code,
                    http_status: self.http_status,
                    operation: self.operation.unwrap_or_default(),
                    module: self.module.unwrap_or_default(),
                    message_template: self.message_template.unwrap_or_default(),
                    severity,
                    meaning,
                    remedy,
                    retry_advice,
                    source,
                    phase: self.phase,
                    step: self.step.unwrap_or_default(),
                    terminal: self.terminal,
                    related_kind: self.related_kind.unwrap_or_default(),
                    undocumented: self.undocumented.unwrap_or(false),
                    runbook: self.runbook.unwrap_or_default(),
                    from_site: false,
                })
            }
            _ => Err(missing),
        }
    }

    /// True when the draft says something besides which entry it means and its runbook.
    #[must_use]
    pub fn changes_content(&self) -> bool {
        self.severity.is_some()
            || self.meaning.is_some()
            || self.remedy.is_some()
            || self.retry_advice.is_some()
            || self.phase.is_some()
            || self.step.is_some()
            || self.terminal.is_some()
    }

    /// Whether an entry is the one (or one of those) that the draft speaks of.
    #[must_use]
    pub fn means(&self, entry: &Entry) -> bool {
        self.code == entry.code
            && self.class.is_none_or(|c| c == entry.class)
            && self
                .http_status
                .is_none_or(|h| entry.http_status == Some(h))
            && self
                .operation
                .as_ref()
                .is_none_or(|o| *o == entry.operation)
            && self
                .message_template
                .as_ref()
                .is_none_or(|t| *t == entry.message_template)
    }

    /// Writes what the draft says over an entry.
    pub fn change(&self, entry: &mut Entry) {
        fn set<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *place = value.clone();
            }
        }
        set(&mut entry.severity, self.severity.as_ref());
        set(&mut entry.meaning, self.meaning.as_ref());
        set(&mut entry.remedy, self.remedy.as_ref());
        set(&mut entry.retry_advice, self.retry_advice.as_ref());
        set(&mut entry.source, self.source.as_ref());
        set(&mut entry.step, self.step.as_ref());
        set(&mut entry.module, self.module.as_ref());
        set(&mut entry.runbook, self.runbook.as_ref());
        if self.phase.is_some() {
            entry.phase = self.phase;
        }
        if self.terminal.is_some() {
            entry.terminal = self.terminal;
        }
        entry.from_site = true;
    }
}
