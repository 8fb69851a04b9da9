//! Lists and single records, in the envelopes that they may come in.
//!
//! One envelope is published: `{"backups": […], "totalItems": n}`. The names of the other collections are not, so
//! the expected name is tried first, then the only list there is.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connect::decode::{Int, Raw};
use crate::connect::http::Reply;
use crate::model::{Fault, FaultKind};

/// What a page said of its list, kept with its hash.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Turn {
    /// How many rows it had.
    pub rows: usize,
    /// How many rows the whole list has, where it says.
    pub total: Option<usize>,
    /// The rows' ids, in order: a page that comes again is recognised by them.
    pub ids: Vec<String>,
    /// Those of which the list tells too little: their ids, and whether it tells their schedules at least.
    pub wanting: Vec<(String, bool)>,
    /// How many rows could not be read.
    pub bad: usize,
    /// When the oldest and the newest row were made, in milliseconds; `None` when a row does not say.
    pub made: Option<(i64, i64)>,
}

impl Turn {
    /// Notes a row.
    pub(super) fn note(&mut self, id: &str, made: Option<i64>) {
        self.made = match (self.made, made) {
            (_, Some(at)) if self.ids.is_empty() => Some((at, at)),
            (Some((old, new)), Some(at)) => Some((old.min(at), new.max(at))),
            _ => None,
        };
        self.ids.push(id.to_owned());
    }
}

type Members<'a> = std::collections::BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;

/// The rows of a list, and how many there are in all.
///
/// # Errors
/// The answer is no JSON, or holds no list.
pub(super) fn rows<'a>(
    reply: &'a Reply,
    key: &str,
) -> Result<(Vec<Raw<'a>>, Option<usize>), Fault> {
    let first = reply.body.iter().find(|b| !b.is_ascii_whitespace());
    if first == Some(&b'[') {
        return Ok((reply.json()?, None));
    }
    let members: Members<'a> = reply.json()?;
    let total = members
        .get("totalItems")
        .and_then(|raw| serde_json::from_str::<Int>(raw.get()).ok())
        .and_then(|n| n.0)
        .and_then(|n| usize::try_from(n).ok());
    let list = |raw: &&'a RawValue| serde_json::from_str::<Vec<Raw<'a>>>(raw.get()).ok();
    if let Some(named) = members.get(key) {
        // null for an empty list
        return Ok((list(named).unwrap_or_default(), total));
    }
    let mut lists = members.values().filter_map(list);
    match (lists.next(), lists.next(), total) {
        (Some(rows), None, _) => Ok((rows, total)),
        (None, _, Some(0)) => Ok((Vec::new(), total)),
        _ => Err(Fault::new(
            FaultKind::Garbled,
            format!("the answer holds no list called \"{key}\""),
            reply.place.clone(),
            "The vendor does not publish this list's shape: report the answer to keepwatch's authors.",
        )),
    }
}

/// A single record: the answer itself, or what stands under `key` in it.
///
/// # Errors
/// The answer is no JSON.
pub(super) fn record<'a>(reply: &'a Reply, key: &str) -> Result<Raw<'a>, Fault> {
    let body: &RawValue = reply.json()?;
    let inner = serde_json::from_str::<Members<'a>>(body.get())
        .ok()
        .and_then(|members| members.get(key).copied())
        .filter(|raw| raw.get().trim_start().starts_with('{'));
    Ok(inner.unwrap_or(body))
}

/// Reads a record's own type.
///
/// # Errors
/// The record is not one.
pub(super) fn parse<'a, T: Deserialize<'a>>(raw: Raw<'a>, place: &str) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|e| {
        Fault::new(
            FaultKind::Garbled,
            format!("the record is not what the service promises: {e}"),
            place,
            "Report the answer to keepwatch's authors.",
        )
    })
}
