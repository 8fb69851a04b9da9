//! What happened, as sentences for people.

use super::{Entry, Happened, RemarkKind, Sort};
use crate::model::Phase;

impl Entry {
    /// One sentence. `alone`: it stands among entries of one task alone, so that the task is not named.
    #[must_use]
    pub fn sentence(&self, alone: bool) -> String {
        match &self.happened {
            Happened::Moved {
                task,
                operation,
                device,
                policy,
                transition: t,
                code,
            } => {
                let mut text = String::new();
                if !alone {
                    let mut words = vec![if operation.is_empty() {
                        "task"
                    } else {
                        operation
                    }];
                    match (device.as_str(), policy.as_str()) {
                        ("", "") => words.push(task),
                        ("", policy) => words.extend(["by", policy]),
                        (device, "") => words.extend(["of", device]),
                        (device, policy) => words.extend(["of", device, "by", policy]),
                    }
                    text = format!("{}: ", words.join(" "));
                }
                match &t.from {
                    Some(from) if *from == t.to => text.push_str(&t.to),
                    Some(from) => text.push_str(&format!("{from} → {}", t.to)),
                    None => text.push_str(&format!("first seen: {}", t.to)),
                }
                if t.to_phase != Phase::Unknown && t.to_phase.word() != t.to {
                    text.push_str(&format!(" ({})", t.to_phase));
                }
                if !code.is_empty() {
                    text.push_str(&format!(" {code}"));
                }
                text
            }
            Happened::Changed {
                sort,
                id,
                name,
                from,
                to,
            } => {
                let name = if name.is_empty() { id } else { name };
                match from {
                    Some(from) => format!("{sort} {name}: {from} → {to}"),
                    None => format!("{sort} {name}: first seen: {to}"),
                }
            }
            Happened::Acted {
                what,
                operator,
                stage,
                detail,
                ..
            } => {
                let mut text = format!("{} on {} by {operator}", what.action, what.target.name);
                text.push_str(&format!(": {stage}"));
                if !detail.is_empty() {
                    text.push_str(&format!(", {detail}"));
                }
                text
            }
            Happened::Remarked(remark) => {
                let verb = match remark.kind {
                    RemarkKind::Acknowledged => "acknowledged",
                    RemarkKind::Note => "noted",
                    RemarkKind::Withdrawn => "taken back",
                };
                let about = match remark.subject.sort {
                    Sort::Task if alone => String::new(),
                    sort => format!(" ({sort} {})", remark.subject.id),
                };
                let words = if remark.text.is_empty() {
                    String::new()
                } else {
                    format!(": {}", remark.text)
                };
                format!("{verb} by {}{about}{words}", remark.operator)
            }
            Happened::Incident(what) => what.clone(),
        }
    }

    /// The phase that it led to, where it is a task's transition.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match &self.happened {
            Happened::Moved { transition, .. } => Some(transition.to_phase),
            _ => None,
        }
    }

    /// What sort of entry it is, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match &self.happened {
            Happened::Moved { .. } => "transition",
            Happened::Changed { .. } => "change",
            Happened::Acted { .. } => "action",
            Happened::Remarked(_) => "remark",
            Happened::Incident(_) => "incident",
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{Timestamp, Transition};
    use crate::store::history::{EventId, KeptAction, WriterId};

    fn entry(happened: Happened) -> Entry {
        Entry {
            id: EventId {
                writer: WriterId(Uuid::nil()),
                number: 1,
            },
            at: Timestamp(0),
            service: "eu".to_owned(),
            happened,
        }
    }

    #[test]
    fn every_entry_is_a_sentence_of_its_own() {
        let moved = |from: Option<&str>, code: &str| {
            entry(Happened::Moved {
                task: "t-1".to_owned(),
                operation: "backup".to_owned(),
                device: "web".to_owned(),
                policy: String::new(),
                transition: Transition {
                    from: from.map(str::to_owned),
                    to: "error".to_owned(),
                    from_phase: None,
                    to_phase: Phase::Failed,
                    seen_at: Timestamp(0),
                    reported_at: None,
                },
                code: code.to_owned(),
            })
        };
        let first = moved(None, "");
        assert_eq!(first.sentence(true), "first seen: error (failed)");
        let next = moved(Some("protecting"), "CSBS.6027");
        assert_eq!(
            next.sentence(false),
            "backup of web: protecting → error (failed) CSBS.6027"
        );
        let mut what = KeptAction {
            action: "retry".to_owned(),
            ..KeptAction::default()
        };
        what.target.name = "web".to_owned();
        let acted = entry(Happened::Acted {
            action: Uuid::nil(),
            what: Box::new(what),
            operator: "eve".to_owned(),
            stage: "accepted".to_owned(),
            detail: "HTTP 202".to_owned(),
        });
        assert_eq!(
            acted.sentence(false),
            "retry on web by eve: accepted, HTTP 202"
        );
        assert_eq!((next.word(), acted.word()), ("transition", "action"));
    }
}
