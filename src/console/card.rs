//! What a failure means and what to do next: the catalog's readings beside the service's own words.

use std::sync::Arc;

use crate::catalog::{Catalog, Entry, Fit, Question, Reading};
use crate::model::{Phase, RetryAdvice, Severity};
use crate::store::{Store, TaskRow};

/// What is known of a task's failure or status.
#[derive(Clone, PartialEq, Debug)]
pub struct Card {
    /// The service's code, or its status where it gives no code; may be empty.
    pub code: String,
    /// The HTTP status that came with it.
    pub http: Option<u16>,
    /// The service's own text; may be empty.
    pub says: String,
    /// Every reading that can't be ruled out.
    pub readings: Vec<Reading>,
    /// The service gave neither code nor text for a failure.
    pub silent: bool,
    /// It failed, or may have.
    pub bad: bool,
}

impl Card {
    /// The card of a task.
    #[must_use]
    pub fn of(catalog: &Catalog, store: &Store, row: TaskRow) -> Self {
        let task = store.task(row);
        let failure = task.failure();
        let kind = task.kind();
        let bad = task.phase().needs_person();
        let readings = match failure.as_ref().filter(|f| !f.code.is_empty()) {
            // a code that nobody knows is not explained by a status that everybody has
            Some(failure) => catalog.explain(&Question::from_code(Some(kind.name()), failure)),
            None => catalog.about_task(kind, task.object(), task.native_status(), failure.as_ref()),
        };
        let silent = failure
            .as_ref()
            .is_none_or(crate::model::CodeRef::is_silent)
            && bad;
        let (mut code, http, says) =
            failure.map_or_else(Default::default, |f| (f.code, f.http_status, f.message));
        if code.is_empty() && (bad || task.phase() == Phase::Skipped) {
            code = task.native_status().to_owned();
        }
        Self {
            code,
            http,
            says,
            readings,
            silent,
            bad,
        }
    }

    /// The entries of the readings.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.readings.iter().map(|r| &r.entry)
    }

    /// The worst severity among the readings.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.entries().map(|e| e.severity).max()
    }

    /// The retry advice, where all readings agree; the most careful one where they don't.
    #[must_use]
    pub fn advice(&self) -> Option<RetryAdvice> {
        self.entries().map(|e| e.retry_advice).max()
    }

    /// One line: what happened.
    #[must_use]
    pub fn meaning(&self) -> String {
        match self.readings.as_slice() {
            [one] if one.fit != Fit::HttpOnly => one.entry.meaning.clone(),
            [_] | [] if self.silent && self.readings.is_empty() => {
                "The service gives no reason.".to_owned()
            }
            [one] => format!(
                "{} (the code itself is not in the catalog)",
                one.entry.meaning
            ),
            [] if self.says.is_empty() => "Not in the catalog.".to_owned(),
            [] => format!("Not in the catalog. It says: {}", self.says),
            several => several
                .iter()
                .map(|r| first_sentence(&r.entry.meaning))
                .collect::<Vec<_>>()
                .join(", or: "),
        }
    }

    /// A few words for a column.
    #[must_use]
    pub fn short_meaning(&self) -> String {
        match self.readings.as_slice() {
            [one] if one.fit != Fit::HttpOnly => first_sentence(&one.entry.meaning).to_owned(),
            [] if self.silent => "gives no reason".to_owned(),
            [] if self.says.is_empty() => "not in the catalog".to_owned(),
            [] => self.says.clone(),
            _ => self.meaning(),
        }
    }
}

/// Up to the first full stop that ends a sentence.
#[must_use]
pub fn first_sentence(text: &str) -> &str {
    match text.find(". ") {
        Some(at) => text.get(..at).unwrap_or(text),
        None => text.strip_suffix('.').unwrap_or(text),
    }
}

/// Retry advice in the words of a column: short, and the careful ones say what to do.
#[must_use]
pub const fn advice_word(advice: RetryAdvice) -> &'static str {
    match advice {
        RetryAdvice::Now => "now",
        RetryAdvice::Once => "once",
        RetryAdvice::AfterAFix => "after a fix",
        RetryAdvice::Wait => "wait",
        RetryAdvice::CheckTheDeviceFirst => "look first",
        RetryAdvice::Never => "never",
    }
}

/// Retry advice as a sentence.
#[must_use]
pub const fn advice_sentence(advice: RetryAdvice) -> &'static str {
    match advice {
        RetryAdvice::Now => "retry now",
        RetryAdvice::Once => "retry once",
        RetryAdvice::AfterAFix => "retry after a fix",
        RetryAdvice::Wait => "wait, it resolves by itself",
        RetryAdvice::CheckTheDeviceFirst => "check the device before any retry",
        RetryAdvice::Never => "never retry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_their_stop() {
        assert_eq!(first_sentence("One. Two."), "One");
        assert_eq!(first_sentence("v1.2 is old."), "v1.2 is old");
        assert_eq!(first_sentence(""), "");
    }
}
