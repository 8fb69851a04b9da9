//! Listing and showing tasks. No call cancels, repeats or dismisses one.

use serde_json::{Value, json};

use super::codes;
use super::log::{Log, Status};
use super::query::{self, Answer, Page};
use super::{Cbr, tag, time};
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

const KEYS: &[&str] = &[
    "status",
    "operation_type",
    "provider_id",
    "resource_id",
    "resource_name",
    "vault_id",
    "vault_name",
    "start_time",
    "end_time",
    "limit",
    "offset",
    "marker",
    "enterprise_project_id",
    "destination_region",
    "destination_project_id",
];

/// What tasks are wanted.
struct Filter<'a> {
    /// `None` for all; none of them for words that nobody knows.
    statuses: Option<Vec<Status>>,
    operation: Option<&'a str>,
    provider: Option<&'a str>,
    resource_name: Option<&'a str>,
    resource_id: Option<&'a str>,
    vault: Option<Option<u64>>,
    vault_name: Option<&'a str>,
    from: i64,
    until: i64,
}

impl<'a> Filter<'a> {
    fn read(cbr: &Cbr, world: &World, request: &'a Request) -> Result<Self, codes::Refusal> {
        let param = |key: &str| request.param(key).filter(|text| !text.is_empty());
        let words: Vec<&str> = match world.switches.get("cbr.repeated_status") {
            "last" => request.params("status").last().into_iter().collect(),
            _ => request.params("status").collect(),
        };
        let time = |key: &str, default: i64| param(key).map_or(Ok(default), time::read);
        Ok(Self {
            statuses: (!words.is_empty()).then(|| {
                words
                    .iter()
                    .filter_map(|word| Status::from_word(word))
                    .collect()
            }),
            operation: param("operation_type"),
            provider: param("provider_id"),
            resource_name: param("resource_name"),
            resource_id: param("resource_id"),
            vault: param("vault_id").map(|id| cbr.ids.number(tag::VAULT, id)),
            vault_name: param("vault_name"),
            from: time("start_time", i64::MIN)?,
            until: time("end_time", i64::MAX)?,
        })
    }

    fn fits(&self, cbr: &Cbr, log: &Log) -> bool {
        let saved = cbr.saved(log.saved);
        let statuses = self.statuses.as_ref();
        // The times of the query are the task's own: it starts after the one and ends before the other.
        let in_time = log.started >= self.from
            && (self.until == i64::MAX || !log.status.live() && log.ends <= self.until);
        log.shown()
            && in_time
            && statuses.is_none_or(|statuses| statuses.contains(&log.status))
            && self.operation.is_none_or(|word| word == log.kind.word())
            && self.vault.is_none_or(|vault| vault == Some(log.vault))
            && self
                .resource_id
                .is_none_or(|id| saved.is_some_and(|saved| saved.id == id))
            && self
                .resource_name
                .is_none_or(|name| saved.is_some_and(|saved| saved.name == name))
            && self
                .provider
                .is_none_or(|id| saved.is_some_and(|saved| saved.sort.provider() == id))
            && self
                .vault_name
                .is_none_or(|name| cbr.vault_name(log.vault) == Some(name))
    }

    /// The numbers of the tasks that fit, newest first.
    fn matches(&self, cbr: &Cbr) -> Vec<u64> {
        if let Some(statuses) = &self.statuses
            && !statuses.contains(&Status::Success)
        {
            let mut numbers: Vec<u64> = statuses
                .iter()
                .filter_map(|status| status.slot())
                .flat_map(|slot| cbr.logs.in_slot(slot))
                .filter(|number| cbr.logs.get(*number).is_some_and(|log| self.fits(cbr, log)))
                .collect();
            numbers.sort_unstable_by(|a, b| b.cmp(a));
            numbers.dedup();
            return numbers;
        }
        let rows = cbr.logs.newest().filter(|(_, log)| self.fits(cbr, log));
        rows.map(|(number, _)| number).collect()
    }
}

impl Cbr {
    /// `GET /operation-logs`.
    pub(super) fn list_logs(&self, world: &World, request: &Request) -> Answer {
        query::known_query(world, request, KEYS)?;
        let page = Page::read(request)?;
        let mut numbers = Filter::read(self, world, request)?.matches(self);
        if world.switches.get("cbr.log_order") == "oldest" {
            numbers.reverse();
        }
        let marker = page
            .marker
            .as_deref()
            .filter(|_| world.switches.get("cbr.marker") == "honoured")
            .map(|id| query::known_id(self.ids.number(tag::LOG, id), id, "marker", codes::NO_LOG))
            .transpose()?;
        let (numbers, count) = page.cut(numbers.into_iter(), marker.as_ref());
        let rows: Vec<Value> = numbers
            .iter()
            .filter_map(|number| self.log_json(world, *number))
            .collect();
        Ok(Response::json(
            200,
            &json!({"operation_logs": rows, "count": count, "limit": page.limit, "offset": page.offset}),
        ))
    }

    /// `GET /operation-logs/{id}`.
    pub(super) fn show_log(&self, world: &World, id: &str) -> Answer {
        let number = self.ids.number(tag::LOG, id);
        let log = number
            .filter(|number| self.logs.get(*number).is_some_and(Log::shown))
            .and_then(|number| self.log_json(world, number));
        let log = query::known_id(log, id, "operation_log_id", codes::NO_LOG)?;
        Ok(Response::json(200, &json!({"operation_log": log})))
    }
}
