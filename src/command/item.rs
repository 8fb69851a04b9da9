//! One row of a headless list: its JSON, and what the catalog says of it.

use serde::Serialize;

use crate::catalog::{Catalog, Fit, Reading};
use crate::model::{CodeRef, Kind, Phase, RetryAdvice, Timestamp};
use crate::store::{self, Store, TargetFrom};

/// One row. Every row has every field of a task; what does not apply is null. Devices and policies have
/// more fields after those.
#[derive(Serialize, Debug, Default)]
pub struct Item {
    /// The service's own id.
    pub id: String,
    /// The user's name of the service.
    pub service: String,
    /// The product.
    pub kind: String,
    /// The device, by the name people use.
    pub device: Option<String>,
    /// The policy, by the name people use.
    pub policy: Option<String>,
    /// What a task does.
    pub operation: Option<String>,
    /// The service's own word.
    pub native_status: Option<String>,
    /// Our reading of it; of a device or policy that of its last attempt.
    pub phase: Option<&'static str>,
    /// Where inside the task it stands.
    pub step: Option<String>,
    /// Percent done.
    pub progress: Option<u8>,
    /// RFC 3339, UTC.
    pub started_at: Option<String>,
    /// RFC 3339, UTC.
    pub updated_at: Option<String>,
    /// RFC 3339, UTC.
    pub ended_at: Option<String>,
    /// The service's error code.
    pub code: Option<String>,
    /// The HTTP status that came with the failure.
    pub http_status: Option<u16>,
    /// The service's own text.
    pub message: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
    /// What to do next, in order.
    pub remedy: Option<Vec<String>>,
    /// Whether repeating can help.
    pub retry_advice: Option<&'static str>,
    /// Who took the failed job, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<AckJson>,
    /// What people noted about it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteJson>,
    /// Since when nothing happens in a live task, where that is longer than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck_since: Option<String>,
    /// Seconds that a running task usually takes, where it already takes more than twice as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_usual_s: Option<i64>,
    /// What devices and policies have besides.
    #[serde(flatten)]
    pub party: Option<Party>,
}

/// Who took a failed job.
#[derive(Serialize, Clone, Debug, Default)]
pub struct AckJson {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// What was said.
    pub note: String,
    /// Until when.
    pub until: Option<String>,
    /// Whether it holds: `holding`, `resolved`, `failed again`, `changed since`, `ran out`.
    pub state: &'static str,
    /// True while the job needs nobody's attention.
    pub acknowledged: bool,
}

impl AckJson {
    /// Who took a task, where somebody did.
    #[must_use]
    pub fn of(task: &crate::store::TaskView<'_>) -> Option<Self> {
        let (ack, state) = task.ack()?;
        Some(Self {
            by: ack.operator.clone(),
            at: ack.at.rfc3339(),
            note: ack.text.clone(),
            until: instant(ack.until),
            state: state.word(),
            acknowledged: state.is_acknowledged(),
        })
    }
}

/// A note about a task.
#[derive(Serialize, Clone, Debug, Default)]
pub struct NoteJson {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// The words.
    pub text: String,
}

impl NoteJson {
    /// The notes about a task, oldest first.
    #[must_use]
    pub fn of(task: &crate::store::TaskView<'_>) -> Vec<Self> {
        let note = |remark: &crate::store::history::Remark| Self {
            by: remark.operator.clone(),
            at: remark.at.rfc3339(),
            text: remark.text.clone(),
        };
        task.notes().iter().map(note).collect()
    }
}

/// What devices and policies have besides.
#[derive(Serialize, Debug, Default)]
pub struct Party {
    /// The name people use.
    pub name: String,
    /// What sort of thing it is, in the service's words.
    pub what: &'static str,
    /// Zone, site or host of a device.
    pub place: Option<String>,
    /// Whether a policy's schedule is on.
    pub enabled: Option<bool>,
    /// When a policy fires, in words.
    pub schedule: Option<String>,
    /// When it fires next.
    pub next_run_at: Option<String>,
    /// The last good backup.
    pub last_good_at: Option<String>,
    /// The last attempt.
    pub last_attempt_at: Option<String>,
    /// Failures in a row since the last good backup.
    pub failures_in_a_row: u32,
    /// True for a device that the service protects all the time and says that this is in order.
    pub protected_now: Option<bool>,
    /// Since when a policy that is on owes a good backup, where its schedule tells how often one is due.
    pub overdue_since: Option<String>,
    /// True when no good backup is within the target.
    pub overdue: bool,
    /// How old the last good backup may be, in seconds; null where nothing says so.
    pub target_s: Option<i64>,
    /// Where the target comes from: `rule FILTER`, `schedule`, `default`.
    pub target_from: Option<String>,
    /// The last fourteen nights, the oldest first: `+` good, `x` bad, `.` nothing known.
    pub nights: String,
    /// Good backups of a hundred in these nights.
    pub good_percent: Option<u32>,
    /// How long good backups usually take, in seconds.
    pub usual_s: Option<i64>,
    /// How long the last good one took, in seconds.
    pub last_took_s: Option<i64>,
    /// Good and bad by turns.
    pub flapping: bool,
    /// When a schedule that is on should have fired and did not.
    pub silent_since: Option<String>,
}

impl Party {
    /// How it stands against its target, and its last nights.
    pub fn protection(&mut self, store: &Store, party: store::Party, now: Timestamp) {
        let (stats, target) = match party {
            store::Party::Device(row) => {
                (store.device(row).stats(), Some(store.target_of_device(row)))
            }
            store::Party::Policy(row) => {
                self.silent_since = instant(store.silent(row, now).map(|s| s.due));
                (store.policy(row).stats(), store.target_of_policy(row))
            }
        };
        let nights = store.nights(party, now);
        self.last_good_at = instant(stats.last_good);
        self.last_attempt_at = instant(stats.last_attempt);
        self.failures_in_a_row = stats.streak;
        self.protected_now = stats.good_now.then_some(true);
        self.flapping = stats.is_flapping();
        self.overdue = store.is_overdue(party, now);
        self.target_s = target.map(|t| t.within_ms / 1000);
        self.target_from = target.map(|t| match t.from {
            TargetFrom::Rule(n) => {
                let rule = store.targets().get(n).map_or("", |rule| rule.query.text());
                format!("rule {rule}")
            }
            TargetFrom::Schedule => "schedule".to_owned(),
            TargetFrom::Default => "default".to_owned(),
        });
        self.nights = nights.letters();
        self.good_percent = nights.percent();
        self.usual_s = nights.usual_ms.map(|ms| ms / 1000);
        self.last_took_s = nights.last_ms.map(|ms| ms / 1000);
    }
}

/// The text, or nothing for an empty one.
pub fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// An instant for JSON.
pub fn instant(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

impl Item {
    /// Adds the failure as the service words it, and what the catalog says of it or of the status.
    pub fn explain(
        &mut self,
        catalog: &Catalog,
        kind: Kind,
        object: &str,
        native_status: &str,
        failure: Option<&CodeRef>,
    ) {
        if let Some(failure) = failure {
            self.code = filled(&failure.code);
            self.http_status = failure.http_status;
            self.message = filled(&failure.message);
        }
        let readings = catalog.about_task(kind, object, native_status, failure);
        self.meaning = meaning(&readings);
        self.remedy = remedy(&readings);
        self.retry_advice = advice(&readings).map(RetryAdvice::word);
    }

    /// Our reading of the status.
    pub fn phase(&self) -> Phase {
        self.phase
            .and_then(|p| p.parse().ok())
            .unwrap_or(Phase::Unknown)
    }
}

/// The one meaning, or all that are possible.
fn meaning(readings: &[Reading]) -> Option<String> {
    match readings {
        [] => None,
        [one] if one.fit == Fit::HttpOnly => Some(format!(
            "Not in the catalog; HTTP {} in general: {}",
            one.entry.code, one.entry.meaning
        )),
        [one] => Some(one.entry.meaning.clone()),
        several => {
            let mut text = format!("One of {} readings.", several.len());
            for (n, reading) in several.iter().enumerate() {
                text.push_str(&format!(" ({}) {}", n + 1, reading.entry.meaning));
            }
            Some(text)
        }
    }
}

/// The steps; with several readings each step says to which it belongs.
fn remedy(readings: &[Reading]) -> Option<Vec<String>> {
    match readings {
        [] => None,
        [one] => Some(one.entry.remedy.clone()),
        several => Some(
            several
                .iter()
                .enumerate()
                .flat_map(|(n, r)| {
                    let steps = r.entry.remedy.iter();
                    steps.map(move |step| format!("({}) {step}", n + 1))
                })
                .collect(),
        ),
    }
}

/// The most careful advice of all readings.
fn advice(readings: &[Reading]) -> Option<RetryAdvice> {
    readings.iter().map(|r| r.entry.retry_advice).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSBS: Kind = Kind("csbs");

    fn explained(failure: &CodeRef) -> Item {
        let mut item = Item::default();
        item.explain(&Catalog::built_in(), CSBS, "", "error", Some(failure));
        item
    }

    #[test]
    fn a_task_item_has_the_promised_fields_and_no_more() {
        let json = serde_json::to_value(Item::default()).unwrap();
        let keys: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut promised = [
            "id",
            "service",
            "kind",
            "device",
            "policy",
            "operation",
            "native_status",
            "phase",
            "step",
            "progress",
            "started_at",
            "updated_at",
            "ended_at",
            "code",
            "http_status",
            "message",
            "meaning",
            "remedy",
            "retry_advice",
        ];
        promised.sort_unstable();
        assert_eq!(keys, promised);
    }

    #[test]
    fn twins_are_both_told_and_the_more_careful_advice_holds() {
        let item = explained(&CodeRef::new("CSBS.5001", ""));
        let meaning = item.meaning.unwrap();
        assert!(meaning.starts_with("One of 2 readings. (1) ") && meaning.contains(" (2) "));
        assert!(item.remedy.unwrap().iter().any(|s| s.starts_with("(2) ")));
        assert_eq!(item.retry_advice, Some("check the device first"));
        let item = explained(&CodeRef::new("CSBS.5001", "copy executing"));
        assert_eq!(item.retry_advice, Some("wait"));
    }

    #[test]
    fn what_only_http_says_is_not_given_as_the_codes_meaning() {
        let item = explained(&CodeRef::new("NEW.1", "odd").with_http(503));
        assert!(
            item.meaning
                .unwrap()
                .starts_with("Not in the catalog; HTTP 503 in general: ")
        );
        assert_eq!(item.message.as_deref(), Some("odd"));
    }
}
