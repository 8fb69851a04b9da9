//! Plans as DPOD lists them, and its answer to execute.
//!
//! Source: Appliance Backup, Configuration Sync and Firmware Upgrade REST API (1.0.8.5 to 1.0.22). A plan in
//! the list is name, description, URI and the date of its *definition*: no schedule, no state, no last run.

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::board::PlanKey;
use super::event::Family;
use crate::connect::decode::{Epoch, Raw, Text, raw_text};
use crate::connect::http::{Call, Reply};
use crate::model::{CodeRef, Policy, clean};

/// One of the three sorts of plans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    /// As script arguments have it, in lower case with blanks.
    pub family: &'static str,
    /// The path segment.
    pub segment: &'static str,
    /// What a plan of it is.
    pub what: &'static str,
    /// How the catalog names an execute of it.
    pub execute: &'static str,
}

/// The three sorts.
pub const SORTS: [Sort; 3] = [
    Sort {
        family: "backup",
        segment: "backupplan",
        what: "backup plan",
        execute: "execute backup plan",
    },
    Sort {
        family: "sync",
        segment: "syncplan",
        what: "sync plan",
        execute: "execute sync plan",
    },
    Sort {
        family: "firmware upgrade",
        segment: "firmwareupgradeplan",
        what: "firmware upgrade plan",
        execute: "execute firmware plan",
    },
];

impl Sort {
    /// The sort with this family's word.
    pub fn of(family: &str) -> Option<Self> {
        SORTS.into_iter().find(|sort| sort.family == family)
    }

    /// The call that lists its plans; its address ends in a slash.
    pub fn list(self, below: &[&str], slash: bool) -> Call {
        Call {
            trailing_slash: slash,
            ..Call::get(&[below, &[self.segment]].concat())
        }
    }

    /// The call that puts a plan into the queue. It has no body.
    pub fn run(self, below: &[&str], reference: &str) -> Call {
        Call::new(
            "POST",
            &[below, &[self.segment, reference, "execute"]].concat(),
        )
    }
}

/// A plan as listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Our id: `backup/REFERENCE`.
    pub id: String,
    /// Its sort.
    pub sort: Sort,
    /// The API reference, decoded; empty where the list gives none.
    pub reference: String,
    /// Its name.
    pub name: String,
    /// How many plans of the list have the same reference.
    pub twins: usize,
}

impl Plan {
    /// The key that scripts know it by.
    pub fn key(&self) -> PlanKey {
        (Family(self.sort.family.to_owned()), self.name.clone())
    }
}

/// The list. There is no envelope; an error would come in that of execute.
#[derive(Deserialize)]
pub struct Listed<'a> {
    /// The plans.
    #[serde(borrow)]
    pub plans: Option<Vec<Raw<'a>>>,
}

/// One row of the list.
#[derive(Deserialize)]
pub struct PlanRow<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default, rename = "URI", alias = "uri")]
    uri: Text<'a>,
    #[serde(default, rename = "lastUpdateTime")]
    last_update_time: Epoch,
}

impl PlanRow<'_> {
    /// The plan, and the policy that it is. `seen` counts the rows before it that had the same reference.
    ///
    /// # Errors
    /// Neither a name nor a reference.
    pub fn plan(
        &self,
        sort: Sort,
        raw: Raw<'_>,
        seen: impl Fn(&str) -> usize,
    ) -> Result<(Plan, Policy), String> {
        let reference = reference(self.uri.as_str(), sort);
        if reference.is_empty() && self.name.is_empty() {
            return Err("the plan has neither a name nor a URI".to_owned());
        }
        let key = if reference.is_empty() {
            format!("name:{}", self.name.as_str())
        } else {
            reference.clone()
        };
        let twins = seen(&reference);
        let id = match twins {
            0 => format!("{}/{key}", sort.family),
            n => format!("{}/{key}#{}", sort.family, n + 1),
        };
        let mut facts = Vec::new();
        if !self.description.is_empty() {
            facts.push(("Description", self.description.owned()));
        }
        facts.push(("API reference", clean(&reference).into_owned()));
        if let Some(at) = self.last_update_time.0 {
            facts.push(("Definition changed", at.rfc3339()));
        }
        if twins > 0 {
            facts.push((
                "Note",
                "another plan of the list has the same API reference: which of them an execute runs, nobody says"
                    .to_owned(),
            ));
        }
        let name = self.name.or(&reference).to_owned();
        let plan = Plan {
            id: id.clone(),
            sort,
            reference,
            name: name.clone(),
            twins,
        };
        Ok((
            plan,
            Policy {
                id,
                name,
                what: sort.what,
                facts,
                raw: raw_text(raw),
                ..Policy::default()
            },
        ))
    }
}

/// The API reference: what stands after the sort's segment in the URI. People may write it themselves, so it
/// can hold anything, blanks and slashes too.
pub fn reference(uri: &str, sort: Sort) -> String {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let mark = format!("/{}/", sort.segment);
    let text = match path.find(&mark) {
        Some(at) => path.get(at + mark.len()..).unwrap_or_default(),
        None => path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default(),
    };
    let text = text.trim_end_matches('/');
    percent_decode_str(text)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// DPOD's answer to execute.
#[derive(Deserialize)]
struct Executed<'a> {
    #[serde(borrow, default, rename = "resultCode")]
    result: Text<'a>,
    #[serde(borrow, default, rename = "resultErrorCode")]
    error: Text<'a>,
    #[serde(borrow, default, rename = "resultMessage")]
    message: Text<'a>,
}

/// What the answer to execute says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is in the queue: this is what DPOD said.
    Queued(String),
    /// It was refused.
    Refused(CodeRef),
    /// The answer is none that execute is known to give.
    Unclear(String),
}

/// Reads the answer to execute by its result code: the HTTP status of a refusal is documented nowhere.
pub fn verdict(reply: &Reply, sort: Sort) -> Verdict {
    let Ok(answer) = reply.json::<Executed<'_>>() else {
        return if (400..500).contains(&reply.status) {
            Verdict::Refused(with_operation(reply.code(), sort))
        } else {
            Verdict::Unclear("the answer is not one of DPOD's".to_owned())
        };
    };
    match (answer.result.as_str(), reply.is_success()) {
        ("SUCCESS", true) => Verdict::Queued(answer.message.or("SUCCESS").to_owned()),
        ("", _) | ("SUCCESS", false) if !(400..500).contains(&reply.status) => {
            Verdict::Unclear("the answer holds no result code that could be believed".to_owned())
        }
        ("ERROR", _) => Verdict::Refused(CodeRef {
            code: answer.error.owned(),
            http_status: Some(reply.status),
            operation: sort.execute.to_owned(),
            message: answer.message.owned(),
        }),
        _ if (400..500).contains(&reply.status) => {
            let mut code = with_operation(reply.code(), sort);
            if code.message.is_empty() || !answer.message.is_empty() {
                code.message = answer.message.owned();
            }
            Verdict::Refused(code)
        }
        (other, _) => Verdict::Unclear(format!(
            "DPOD answered with the result code \"{other}\", which is not documented: {}",
            answer.message.as_str()
        )),
    }
}

fn with_operation(mut code: CodeRef, sort: Sort) -> CodeRef {
    sort.execute.clone_into(&mut code.operation);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_any_text_and_keeps_its_case() {
        let backup = SORTS[0];
        let of = |uri: &str| reference(uri, backup);
        assert_eq!(of("/op/api/v1/backupplan/5F0C-A"), "5F0C-A");
        assert_eq!(of("/op/api/v1/backupplan/5f0c-a/"), "5f0c-a");
        assert_eq!(of("/op/api/v1/backupplan/my plan"), "my plan");
        assert_eq!(of("/op/api/v1/backupplan/my%20plan%2Fx"), "my plan/x");
        assert_eq!(of("/op/api/v1/backupplan/a/b"), "a/b");
        assert_eq!(of("https://evil.example/op/api/v1/backupplan/x"), "x");
        assert_eq!(of("/elsewhere/9"), "9");
        assert_eq!(of(""), "");
    }
}
