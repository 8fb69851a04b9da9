//! What is left of a project's quotas, as CSBS and SDRS answer it alike: an object that holds a list.
//!
//! Source: CSBS API reference, querying quotas; SDRS API reference, tenant quota management. −1 is no limit.

use serde::Deserialize;

use super::decode::{Int, Text};
use super::http::Reply;
use crate::model::Fault;

#[derive(Deserialize)]
struct Quotas<'a> {
    #[serde(borrow)]
    quotas: Resources<'a>,
}

#[derive(Deserialize)]
struct Resources<'a> {
    #[serde(borrow)]
    resources: Vec<Quota<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Quota<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    /// Missing for counts.
    #[serde(borrow)]
    unit: Text<'a>,
    used: Int,
    quota: Int,
}

impl Quota<'_> {
    fn in_words(&self) -> String {
        let number = |n: Option<i64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let used = number(self.used.0);
        let unit = [" ", self.unit.as_str()].concat();
        let (kind, unit) = (self.kind.or("?"), unit.trim_end());
        match self.quota.0 {
            Some(-1) => format!("{kind}: {used}{unit} used, no limit"),
            limit => format!("{kind}: {used} of {}{unit} used", number(limit)),
        }
    }
}

/// The quotas of an answer; `?` stands for what it does not tell.
///
/// # Errors
/// The answer holds no list of them.
pub fn in_words(reply: &Reply) -> Result<String, Fault> {
    let answer: Quotas<'_> = reply.json()?;
    let words: Vec<_> = answer
        .quotas
        .resources
        .iter()
        .map(Quota::in_words)
        .collect();
    Ok(words.join("; "))
}
