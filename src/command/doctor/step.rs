//! One step of an examination: how it went and what to do about it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::catalog::{Catalog, Question};
use crate::console::glyphs::Glyphs;
use crate::model::{Fault, Kind};

/// How a step went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It works.
    Ok,
    /// It works in part or in a roundabout way.
    Partly,
    /// The address of a call is not documented and was inferred.
    Inferred,
    /// The address of a call is not known at all.
    Unknown,
    /// It works, and is worth a look.
    Warning,
    /// It does not work.
    Failed,
    /// Not looked at, because of what failed before.
    Skipped,
    /// The product does not offer it.
    NotOffered,
    /// The configuration forbids it.
    Forbidden,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partly => "partly",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotOffered => "not offered",
            Self::Forbidden => "forbidden",
        }
    }

    /// The sign for it, one column wide.
    pub const fn sign(self, glyphs: &'static Glyphs) -> &'static str {
        match self {
            Self::Ok => glyphs.good,
            Self::Partly => glyphs.limited,
            Self::Inferred => glyphs.uncertain,
            Self::Unknown => glyphs.unknown,
            Self::Warning => glyphs.warning,
            Self::Failed => glyphs.failed,
            Self::Skipped => glyphs.none,
            Self::NotOffered | Self::Forbidden => glyphs.off,
        }
    }
}

/// One step.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Step {
    /// Which, for programs: `login`, `feed`, `action` …
    pub step: &'static str,
    /// Which, for people.
    pub name: String,
    /// How it went.
    pub state: State,
    /// What was seen, or what failed and where.
    pub detail: String,
    /// What to do about it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedy: Vec<String>,
    /// The service's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The HTTP status of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Figures and names for programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<&'static str, Value>,
}

impl Step {
    /// A step.
    pub fn new(
        step: &'static str,
        name: impl Into<String>,
        state: State,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            step,
            name: name.into(),
            state,
            detail: detail.into(),
            remedy: Vec::new(),
            code: None,
            http_status: None,
            facts: BTreeMap::new(),
        }
    }

    /// A step that failed: what, where, the service's own words, and what to do by the fault and by the catalog.
    pub fn failed(
        step: &'static str,
        name: impl Into<String>,
        fault: &Fault,
        catalog: &Catalog,
        kind: Kind,
    ) -> Self {
        let mut detail = fault.what.clone();
        if !fault.place.is_empty() {
            detail.push_str(&format!(" ({})", fault.place));
        }
        let mut made = Self::new(step, name, State::Failed, detail);
        if !fault.advice.is_empty() {
            made.remedy.push(fault.advice.clone());
        }
        let Some(code) = &fault.code else {
            return made;
        };
        if !code.is_silent() {
            let words = format!("{} {}", code.code, code.message);
            made.detail.push_str(&format!(": {}", words.trim()));
        }
        made.http_status = code.http_status;
        if !code.code.is_empty() {
            made.code = Some(code.code.clone());
            let readings = catalog.explain(&Question::from_code(Some(kind.name()), code));
            if let [only] = readings.as_slice() {
                made.remedy.extend(only.entry.remedy.iter().cloned());
            }
        }
        made
    }

    /// The same with what to do.
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy.push(remedy.into());
        self
    }

    /// The same with a fact.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.insert(name, value.into());
        self
    }
}
