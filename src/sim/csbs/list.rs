//! Listing, counting, filtering, sorting and paging of backups.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDateTime};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::Csbs;
use super::backups::{Backup, Status};
use super::codes::{self, Refusal};
use super::item::{self, Item};
use super::policy::tag;
use crate::sim::http::{Request, Response};
use crate::sim::world::World;

/// The default and the most rows of a page.
const MOST: usize = 1000;

/// What a request says about order and page.
#[derive(Debug)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
    /// Id of the last row of the page before.
    pub marker: Option<String>,
    /// Keys, the most important first, each with whether it descends.
    pub sort: Vec<(String, bool)>,
}

impl Page {
    /// Reads limit, offset, marker and sort.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let bad = |why: &str| codes::BAD_PARAMETER.saying(why.to_owned());
        let number = |key: &str| {
            request.param(key).map_or(Ok(None), |text| {
                let number = text.parse::<usize>().map(Some);
                number.map_err(|_| bad("limit and offset are whole numbers of 0 or more"))
            })
        };
        let limit = number("limit")?.unwrap_or(MOST);
        if limit == 0 {
            return Err(bad("limit is a positive number"));
        }
        let sort = request.param("sort").unwrap_or_default();
        if sort.len() > 255 {
            return Err(bad("sort takes up to 255 characters"));
        }
        let sort = sort
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| match part.split_once(':') {
                None => Ok((part.to_owned(), true)),
                Some((key, "desc")) => Ok((key.to_owned(), true)),
                Some((key, "asc")) => Ok((key.to_owned(), false)),
                Some(_) => Err(bad("a sort direction is asc or desc")),
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Self {
            limit: limit.min(MOST),
            offset: number("offset")?.unwrap_or(0),
            marker: request.param("marker").map(str::to_owned),
            sort,
        })
    }

    /// Cuts this page out of all rows in order; says whether the page is full.
    pub fn cut<T: PartialEq>(
        &self,
        rows: impl IntoIterator<Item = T>,
        marker: Option<T>,
    ) -> (Vec<T>, bool) {
        let mut rows = rows.into_iter();
        if let Some(marker) = marker {
            rows.by_ref().find(|row| *row == marker);
        }
        let page: Vec<T> = rows.skip(self.offset).take(self.limit).collect();
        let full = page.len() == self.limit;
        (page, full)
    }

    /// `[{"rel":"next","href"}]` for the page after the row of that id.
    pub fn next_link(&self, root: &str, request: &Request, last_id: &str) -> Value {
        let mut query = String::new();
        for (key, value) in &request.query {
            if key != "marker" && key != "offset" {
                let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
                query.push_str(&format!("{key}={value}&"));
            }
        }
        json!([{"rel": "next", "href": format!("{root}{}?{query}marker={last_id}", request.raw_path)}])
    }
}

/// What rows are wanted. Unknown query keys are ignored, as the service does.
struct Filter {
    statuses: Option<Vec<Status>>,
    name: Option<String>,
    /// For each snapshot whether it fits; `None` when nothing asks about servers.
    snapshots: Option<Vec<bool>>,
    policy: Option<u32>,
    checkpoint: Option<u64>,
    from: i64,
    until: i64,
    /// A condition that nothing fulfils (an id or word that nobody knows).
    nothing: bool,
}

impl Filter {
    fn read(csbs: &Csbs, request: &Request) -> Result<Self, Refusal> {
        let mut nothing = false;
        let words: Vec<&str> = request.params("status").collect();
        let statuses: Vec<Status> = words
            .iter()
            .filter_map(|word| Status::from_word(word))
            .collect();
        nothing |= statuses.is_empty() && !words.is_empty();
        let policy = request.param("policy_id").map(|id| csbs.policy_number(id));
        nothing |= policy == Some(None);
        let checkpoint = request
            .param("checkpoint_id")
            .map(|id| csbs.ids.number(tag::CHECKPOINT, id));
        nothing |= checkpoint == Some(None);
        nothing |= request
            .param("image_type")
            .is_some_and(|word| word != "backup");
        let time = |key: &str, default: i64| request.param(key).map_or(Ok(default), instant);
        Ok(Self {
            statuses: (!words.is_empty()).then_some(statuses),
            name: request.param("name").map(str::to_owned),
            snapshots: snapshots(csbs, request),
            policy: policy.flatten(),
            checkpoint: checkpoint.flatten(),
            from: time("start_time", i64::MIN)?,
            until: time("end_time", i64::MAX)?,
            nothing,
        })
    }

    fn fits(&self, number: u64, backup: &Backup) -> bool {
        self.statuses
            .as_ref()
            .is_none_or(|list| list.contains(&backup.status))
            && self.policy.is_none_or(|policy| policy == backup.policy)
            && self
                .snapshots
                .as_ref()
                .is_none_or(|fits| fits.get(backup.snap as usize).copied().unwrap_or(false))
            && (self.from..=self.until).contains(&backup.created)
            && self
                .name
                .as_ref()
                .is_none_or(|part| item::name(backup, number).contains(part.as_str()))
    }

    /// The numbers below `below` that may fit, newest first.
    fn candidates<'a>(&'a self, csbs: &'a Csbs, below: u64) -> Box<dyn Iterator<Item = u64> + 'a> {
        if self.nothing {
            return Box::new(std::iter::empty());
        }
        if let Some(first) = self.checkpoint {
            let numbers = csbs.backups.checkpoint(first).into_iter().rev();
            return Box::new(numbers.filter(move |number| *number < below));
        }
        if let Some(statuses) = &self.statuses
            && !statuses.contains(&Status::Available)
        {
            if let [only] = statuses.as_slice() {
                return Box::new(csbs.backups.with_status_below(*only, below).rev());
            }
            let mut numbers: Vec<u64> = statuses
                .iter()
                .flat_map(|status| csbs.backups.with_status_below(*status, below))
                .collect();
            numbers.sort_unstable_by(|a, b| b.cmp(a));
            numbers.dedup();
            return Box::new(numbers.into_iter());
        }
        let range = csbs.backups.range();
        let start = match self.from {
            i64::MIN => range.start,
            from => csbs.backups.made_from(from),
        };
        let end = match self.until {
            i64::MAX => range.end,
            until => csbs.backups.made_from(until.saturating_add(1)),
        };
        Box::new((start..end.min(below)).rev())
    }

    /// The numbers that fit, newest first.
    fn matches<'a>(&'a self, csbs: &'a Csbs) -> impl Iterator<Item = u64> + 'a {
        self.matches_below(csbs, u64::MAX)
    }

    /// Those of them below `below`: what follows it on the pages of this order.
    fn matches_below<'a>(&'a self, csbs: &'a Csbs, below: u64) -> impl Iterator<Item = u64> + 'a {
        self.candidates(csbs, below).filter(|number| {
            csbs.backups
                .get(*number)
                .is_some_and(|backup| self.fits(*number, backup))
        })
    }
}

/// Which server snapshots the request's conditions on servers let pass.
fn snapshots(csbs: &Csbs, request: &Request) -> Option<Vec<bool>> {
    let keys = ["az", "resource_id", "resource_name", "resource_type", "ip"];
    if !keys.iter().any(|key| request.param(key).is_some()) {
        return None;
    }
    let fits = |key: &str, test: &dyn Fn(&str) -> bool| {
        let mut wanted = request.params(key).peekable();
        wanted.peek().is_none() || wanted.any(test)
    };
    let all = csbs.backups.snapshots.iter();
    Some(
        all.map(|saved| {
            fits("az", &|value| saved.az == value)
                && fits("resource_id", &|value| saved.server_id == value)
                && fits("resource_name", &|value| saved.name.contains(value))
                && fits("resource_type", &|value| saved.resource_type == value)
                && fits("ip", &|value| saved.private_ip == value)
        })
        .collect(),
    )
}

/// A time of a query, with or without zone and fraction; UTC when no zone is given.
fn instant(text: &str) -> Result<i64, Refusal> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
    let zoneless = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|time| time.and_utc().timestamp_micros())
    };
    zoned
        .ok()
        .or_else(zoneless)
        .ok_or_else(|| codes::BAD_PARAMETER.saying(format!("{text:?} is not a time")))
}

/// A list in its order, kept for its next page: sorting a million rows for each of a thousand pages takes minutes.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// The query without its page.
    asked: Vec<(String, String)>,
    /// That of the backups when it was made.
    revision: u64,
    numbers: Vec<u64>,
}

#[derive(Serialize)]
struct Listed<'a> {
    checkpoint_items: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_items_links: Option<Value>,
}

impl Csbs {
    /// `GET /checkpoint_items`.
    pub(super) fn list_items(&self, world: &World, request: &Request) -> Result<Response, Refusal> {
        let page = Page::read(request)?;
        let filter = Filter::read(self, request)?;
        let marker = match &page.marker {
            None => None,
            Some(id) => Some(
                self.item_number(id)
                    .ok_or_else(|| codes::NO_BACKUP.with(&[id]))?,
            ),
        };
        let newest_first =
            matches!(page.sort.as_slice(), []) || page.sort == [("created_at".to_owned(), true)];
        let (numbers, more) = match marker {
            // Numbers descend in this order: no need to look for the marker among a million rows.
            Some(marker) if newest_first => page.cut(filter.matches_below(self, marker), None),
            None if newest_first => page.cut(filter.matches(self), None),
            marker => {
                let asked = request
                    .query
                    .iter()
                    .filter(|(key, _)| !["marker", "limit", "offset"].contains(&key.as_str()));
                let asked: Vec<(String, String)> = asked.cloned().collect();
                let mut sorted = self.sorted.borrow_mut();
                if sorted.revision != self.backups.revision() || sorted.asked != asked {
                    let mut numbers: Vec<u64> = filter.matches(self).collect();
                    self.sort(&mut numbers, &page.sort)?;
                    *sorted = Sorted {
                        asked,
                        revision: self.backups.revision(),
                        numbers,
                    };
                }
                page.cut(sorted.numbers.iter().copied(), marker)
            }
        };
        let root = world.root(self.service);
        let listed = Listed {
            checkpoint_items: numbers
                .iter()
                .filter_map(|number| self.item(world, *number))
                .collect(),
            checkpoint_items_links: numbers
                .last()
                .filter(|_| more && world.switches.on("csbs.links"))
                .map(|last| page.next_link(&root, request, &self.item_id(*last))),
        };
        let body = serde_json::to_vec(&listed).unwrap_or_default();
        Ok(Response::raw(200, "application/json", body))
    }

    /// `GET /checkpoint_items/count`.
    pub(super) fn count_items(&self, request: &Request) -> Result<Response, Refusal> {
        let filter = Filter::read(self, request)?;
        let count = filter.matches(self).count();
        Ok(Response::json(200, &json!({"count": count})))
    }

    /// Sorts by the keys asked for; rows that tie stay newest first.
    fn sort(&self, numbers: &mut [u64], keys: &[(String, bool)]) -> Result<(), Refusal> {
        const KEYS: [&str; 6] = [
            "created_at",
            "updated_at",
            "name",
            "status",
            "protected_at",
            "id",
        ];
        if keys.iter().any(|(key, _)| !KEYS.contains(&key.as_str())) {
            return Err(codes::BAD_PARAMETER.saying(format!("sort takes {}", KEYS.join(", "))));
        }
        let compare = |key: &str, a: u64, b: u64| {
            let (Some(x), Some(y)) = (self.backups.get(a), self.backups.get(b)) else {
                return Ordering::Equal;
            };
            match key {
                "updated_at" => x.ends.cmp(&y.ends),
                "name" => item::name(x, a).cmp(&item::name(y, b)),
                "status" => x.status.word().cmp(y.status.word()),
                "protected_at" => x.finished.cmp(&y.finished),
                "id" => self.item_id(a).cmp(&self.item_id(b)),
                _ => a.cmp(&b),
            }
        };
        let full = |a: u64, b: u64| {
            keys.iter()
                .map(|(key, descending)| {
                    let order = compare(key, a, b);
                    if *descending { order.reverse() } else { order }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        let Some((first @ ("name" | "id"), descending)) = keys
            .first()
            .map(|(key, descending)| (key.as_str(), *descending))
        else {
            numbers.sort_by(|a, b| full(*a, *b));
            return Ok(());
        };
        // Names and ids are made when they are asked for: make each once, not at every comparison.
        let mut named: Vec<(String, u64)> = numbers
            .iter()
            .map(|number| match (first, self.backups.get(*number)) {
                ("name", Some(backup)) => (item::name(backup, *number).into_owned(), *number),
                _ => (self.item_id(*number), *number),
            })
            .collect();
        named.sort_by(|(a, x), (b, y)| {
            let order = if descending { b.cmp(a) } else { a.cmp(b) };
            order.then_with(|| full(*x, *y))
        });
        for (place, (_, number)) in numbers.iter_mut().zip(named) {
            *place = number;
        }
        Ok(())
    }
}
