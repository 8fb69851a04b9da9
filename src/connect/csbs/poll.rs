//! Reading CSBS's lists: what lives, what failed, what is new, the policies and their runs.

use futures_util::{FutureExt, StreamExt};
use hashbrown::HashSet;

use super::Csbs;
use super::item::{Facet, Item, OneItem};
use super::known::Known;
use super::rows::{For, Next, Places};
use crate::connect::empties::or_spared;
use crate::connect::http::{Call, Reply, in_flight};
use crate::connect::page::{Book, Turned};
use crate::connect::{Page, PageSink, PollContext, PollReport, TaskLook};
use crate::model::{Fault, FaultKind, Rows, Timestamp};

/// The states of an item in which something is going on (API reference, querying all backups).
const TRANSITIONAL: [&str; 6] = [
    "protecting",
    "waiting_protect",
    "restoring",
    "waiting_restore",
    "deleting",
    "waiting_delete",
];

/// Each of several lists read as one feed numbers its pages from here on.
const LIST_PAGES: u32 = 100_000;
/// The page on which the servers are handed over as a whole.
const DEVICES_PAGE: u32 = 50_000;
/// How many tasks are looked for at once in the list of all items.
pub(super) const LOOKS: usize = 32_768;
/// So many tasks at least, for each page that the list of all items has, are looked for in it; fewer are looked up one
/// by one.
const SWEEP: usize = 32;
/// Lists read at the same time.
const WIDTH: usize = 4;
/// Rows on a page that only looks for news.
const NEWS_PAGE: usize = 100;
/// How far back from the newest change news are read again, in milliseconds: so late may a change be listed. One that
/// comes later is told by the lists of what goes on and of what failed.
const OVERLAP_MS: i64 = 5_000;
/// How many pages are read at most in search of each server's last good backup.
const GOOD_PAGES: u32 = 50;

/// One list of a feed.
struct List<'a> {
    call: Call,
    /// The one transitional status that its rows have.
    status: Option<&'static str>,
    /// Rows on its first page.
    limit: usize,
    /// Rows on each further page.
    further: usize,
    /// Number of its first page.
    first: u32,
    purpose: For<'a>,
    /// Rows that changed before this need not be read; `None` reads to the end.
    until: Option<Timestamp>,
    /// Pages read at most.
    pages: u32,
    /// It is read for the first time: records that would not be kept are left out.
    spares: bool,
}

impl<'a> List<'a> {
    const fn new(call: Call, limit: usize, purpose: For<'a>) -> Self {
        Self {
            call,
            status: None,
            limit,
            further: limit,
            first: 0,
            purpose,
            until: None,
            pages: LIST_PAGES,
            spares: false,
        }
    }

    fn page(&self, marker: &str) -> Call {
        let limit = self.limit_of(marker);
        let call = self.call.clone().with("limit", limit.to_string());
        if marker.is_empty() {
            call
        } else {
            call.with("marker", marker)
        }
    }

    /// Rows on the page after a marker.
    const fn limit_of(&self, marker: &str) -> usize {
        if marker.is_empty() {
            self.limit
        } else {
            self.further
        }
    }
}

fn items() -> Call {
    Call::get(&["checkpoint_items"])
}

impl Csbs {
    pub(super) async fn read_feed(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        match feed {
            "running" => self.read_running(context, sink).await,
            "failed" => {
                let call = items().with("status", "error");
                let list = List::new(call, self.page_size, For::Tasks);
                self.read_one(feed, &list, sink).await
            }
            "recent" => {
                let (limit, until) = self.window(context);
                let call = items().with("sort", "updated_at:desc");
                let list = List {
                    until,
                    spares: context.changed_since.is_none(),
                    // news that don't fit on a small page are many
                    further: self.page_size,
                    ..List::new(call, limit, For::Tasks)
                };
                self.read_one(feed, &list, sink).await
            }
            "policies" => self.read_policies(sink).await,
            "policy-runs" => self.read_runs(context, sink).await,
            "last-good" => self.read_last_good(sink).await,
            other => Err(Fault::new(
                FaultKind::NotOffered,
                format!("CSBS has no feed '{other}'"),
                "",
                "This is a mistake in keepwatch: please report it.",
            )),
        }
    }

    /// Page size and oldest change for a list that is read newest first.
    fn window(&self, context: PollContext) -> (usize, Option<Timestamp>) {
        match context.changed_since {
            Some(known) => (self.page_size.min(NEWS_PAGE), Some(known.plus(-OVERLAP_MS))),
            None => (self.page_size, context.history_from),
        }
    }

    const fn book(&self, feed: &'static str) -> Book<'_, Next> {
        Book {
            session: &self.session,
            memory: &self.memory,
            feed,
        }
    }

    async fn read_one(
        &self,
        feed: &'static str,
        list: &List<'_>,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport::default();
        let wanted = self.walk(feed, list, None, sink, &mut report).await?;
        report.complete = wanted;
        report.clock = self.session.clock();
        Ok(report)
    }

    /// Reads a list from its beginning, or from `first`, an answer that is already here. False when nobody
    /// wants more.
    async fn walk(
        &self,
        feed: &'static str,
        list: &List<'_>,
        first: Option<Reply>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let book = self.book(feed);
        let mut ready = first;
        let mut marker = String::new();
        let mut seen = 0;
        let mut page = 0;
        loop {
            let reply = match ready.take() {
                Some(reply) => reply,
                None => self.session.read(&list.page(&marker)).await?,
            };
            let number = list.first + page;
            let from = sink.records_from().filter(|_| list.spares);
            let decode =
                |reply: &Reply| self.items_page(reply, seen, list.purpose, (feed, number), from);
            let turned = book.take(number, &reply, sink, decode).await?;
            page += 1;
            report.pages += 1;
            let next = match turned {
                Turned::Enough => return Ok(false),
                Turned::Next(next) => next,
            };
            if let Some(status) = list.status
                && page == 1
            {
                self.known(|known| known.empties.found(status, next.rows == 0));
            }
            let more = next.linked || next.rows >= list.limit_of(&marker);
            let known = list
                .until
                .zip(next.oldest)
                .is_some_and(|(until, oldest)| oldest < until);
            let found =
                matches!(list.purpose, For::Servers) && self.known(|k| k.without_good()) == 0;
            if !more || known || found || next.rows == 0 || page >= list.pages {
                break;
            }
            if next.marker.is_empty() || next.marker == marker {
                return Err(Fault::new(
                    FaultKind::Garbled,
                    "the list does not go on: the service gives the same page for the next marker",
                    reply.place,
                    "Rows beyond it are not shown. Report it to the service's owner.",
                ));
            }
            seen += next.rows;
            marker = next.marker;
        }
        let (from, limit) = (list.first + page, list.first + LIST_PAGES);
        book.end_between(from, limit);
        self.known(|known| known.runs.end_between(feed, from, limit));
        Ok(true)
    }

    /// All transitional states, one list each (whether one question may name several is not documented).
    async fn read_running(
        &self,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let (asked, spared) = self.known(|k| k.empties.begin(&TRANSITIONAL, context.called));
        let read = self.read_states(&asked, sink).await;
        let others = self.read_states(&spared, sink);
        or_spared(read, spared.is_empty(), others).await
    }

    async fn read_states(
        &self,
        states: &[(u32, &'static str)],
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let lists: Vec<List<'_>> = states
            .iter()
            .map(|(n, status)| List {
                first: n * LIST_PAGES,
                status: Some(status),
                ..List::new(items().with("status", *status), self.page_size, For::Tasks)
            })
            .collect();
        self.read_lists("running", &lists, sink).await
    }

    /// Which of many tasks ended because their backups are gone: the list of all of them does not have them.
    pub(super) async fn look_many(
        &self,
        task_ids: &[String],
    ) -> Result<Vec<(String, TaskLook)>, Fault> {
        if task_ids.len() < SWEEP {
            return Ok(Vec::new());
        }
        let wanted = task_ids.iter().map(|id| Facet::of_task(id).0.to_owned());
        let Some(gone) = self.not_listed(wanted.collect()).await? else {
            return Ok(Vec::new());
        };
        let gone_of = |task_id: &String| {
            let (item_id, facet) = Facet::of_task(task_id);
            let look = || self.known(|known| look_of_gone(known, item_id, facet));
            gone.contains(item_id).then(|| (task_id.clone(), look()))
        };
        Ok(task_ids.iter().filter_map(gone_of).collect())
    }

    /// Those of the items that the list of all items does not have; `None` where reading it costs more than it saves.
    async fn not_listed(
        &self,
        mut wanted: HashSet<String>,
    ) -> Result<Option<HashSet<String>>, Fault> {
        // an item keeps its place in this order, whatever becomes of it
        let call = items().with("sort", "created_at:desc");
        let list = List::new(call, self.page_size, For::Servers);
        let mut marker = String::new();
        for _ in 0..=wanted.len() / SWEEP {
            let reply = self.session.read(&list.page(&marker)).await?;
            let page: Places<'_> = reply.json()?;
            for item in &page.checkpoint_items {
                wanted.remove(item.id.as_str());
            }
            let Some(last) = page.checkpoint_items.last() else {
                return Ok(Some(wanted));
            };
            if page.checkpoint_items.len() < list.limit && !page.has_next() {
                return Ok(Some(wanted));
            }
            if last.id.is_empty() || last.id.as_str() == marker {
                return Ok(None);
            }
            last.id.as_str().clone_into(&mut marker);
        }
        Ok(None)
    }

    /// Several lists as one feed, the first pages asked side by side. A list that fails costs itself.
    async fn read_lists(
        &self,
        feed: &'static str,
        lists: &[List<'_>],
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport::default();
        let asks = lists
            .iter()
            .map(|list| self.read_page(list.page("")).boxed())
            .collect();
        let mut replies = in_flight(WIDTH, asks);
        let mut wanted = true;
        for list in lists {
            let result = match replies.next().await {
                Some(Ok(reply)) => self.walk(feed, list, Some(reply), sink, &mut report).await,
                Some(Err(fault)) => Err(fault),
                None => break,
            };
            match result {
                Ok(true) => {}
                Ok(false) => {
                    wanted = false;
                    break;
                }
                Err(fault) => report.partial.push(fault),
            }
        }
        report.complete = wanted && report.partial.is_empty();
        report.clock = self.session.clock();
        if report.partial.len() == lists.len()
            && let Some(fault) = report.partial.pop()
        {
            return Err(fault);
        }
        Ok(report)
    }

    async fn read_page(&self, call: Call) -> Result<Reply, Fault> {
        self.session.read(&call).await
    }

    async fn read_policies(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut report = self.walk_policies(Some(&mut *sink)).await?;
        if !report.complete {
            return Ok(report);
        }
        let page = match self.known(|known| known.news()) {
            None => Page::Same,
            Some((devices, revision)) => {
                let rows = Rows {
                    devices,
                    ..Rows::default()
                };
                report.pages += 1;
                report.complete = sink.page(DEVICES_PAGE, Page::Rows(rows)).await;
                if report.complete {
                    self.known(|known| known.told(revision));
                }
                return Ok(report);
            }
        };
        report.pages += 1;
        report.complete = sink.page(DEVICES_PAGE, page).await;
        Ok(report)
    }

    /// Reads the whole list of policies, into the sink where there is one, and learns who is in which.
    async fn walk_policies(
        &self,
        mut sink: Option<&mut dyn PageSink>,
    ) -> Result<PollReport, Fault> {
        const FEED: &str = "policies";
        let book = self.book(FEED);
        let mut report = PollReport::default();
        let mut marker = String::new();
        let mut seen = 0;
        loop {
            let mut call = Call::get(&["policies"]).with("limit", self.page_size.to_string());
            if !marker.is_empty() {
                call = call.with("marker", marker.as_str());
            }
            let reply = self.session.read(&call).await?;
            let number = report.pages;
            // The answer has told the service's clock. Next runs that have passed are counted anew.
            let now = self.session.service_now();
            if number == 0 && self.known(|known| known.is_due(now)) {
                book.end(0);
            }
            let decode = |reply: &Reply| self.policies_page(reply, seen, number, now);
            let next = match sink.as_deref_mut() {
                Some(sink) => match book.take(number, &reply, sink, decode).await? {
                    Turned::Enough => return Ok(report),
                    Turned::Next(next) => next,
                },
                None => decode(&reply)?.1,
            };
            report.pages += 1;
            report.clock = self.session.clock();
            if !(next.linked || next.rows >= self.page_size)
                || next.marker.is_empty()
                || next.marker == marker
            {
                break;
            }
            seen += next.rows;
            marker = next.marker;
        }
        self.known(|known| known.bind(report.pages));
        if sink.is_some() {
            book.end_between(report.pages, DEVICES_PAGE);
        }
        report.complete = true;
        Ok(report)
    }

    /// An item doesn't say which policy made it; the list takes a policy as a filter.
    async fn read_runs(
        &self,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        const FEED: &str = "policy-runs";
        if !self.known(|known| known.is_bound()) {
            self.walk_policies(None).await?;
        }
        let policies = self.known(|known| known.policies());
        let (limit, until) = self.window(context);
        let lists: Vec<List<'_>> = policies
            .iter()
            .zip(0u32..)
            .map(|(policy, n)| List {
                first: n * LIST_PAGES,
                until,
                spares: context.changed_since.is_none(),
                ..List::new(
                    items()
                        .with("policy_id", policy.id.as_str())
                        .with("sort", "updated_at:desc"),
                    limit,
                    For::Runs(policy),
                )
            })
            .collect();
        if lists.is_empty() {
            return Ok(PollReport {
                complete: true,
                clock: self.session.clock(),
                ..PollReport::default()
            });
        }
        let report = self.read_lists(FEED, &lists, sink).await?;
        if report.complete {
            let end = (lists.len() as u32).saturating_mul(LIST_PAGES);
            self.known(|known| {
                known.runs.end_between(FEED, end, u32::MAX);
                known.runs.forget(context.history_from);
            });
        }
        Ok(report)
    }

    /// Goes back through the good backups until every known server has its last one.
    async fn read_last_good(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        if !self.known(|known| known.is_bound()) {
            self.walk_policies(None).await?;
        }
        let call = items()
            .with("status", "available")
            .with("sort", "created_at:desc");
        let list = List {
            pages: GOOD_PAGES,
            ..List::new(call, self.page_size, For::Servers)
        };
        self.read_one("last-good", &list, sink).await
    }

    /// The item behind a task, as it is now.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let (item_id, facet) = Facet::of_task(task_id);
        let Some(reply) = self.item_reply(item_id).await? else {
            return Ok(self.known(|known| look_of_gone(known, item_id, facet)));
        };
        let one: OneItem<'_> = reply.json()?;
        let item: Item<'_> = serde_json::from_str(one.checkpoint_item.get()).map_err(|e| {
            Fault::new(
                FaultKind::Garbled,
                format!(
                    "the backup's record can't be read: {}",
                    crate::model::clean(&e.to_string())
                ),
                reply.place.clone(),
                "Look at the raw record.",
            )
        })?;
        let policy = self.known(|known| {
            known.meet(&item);
            known.runs.policy_of(item.checkpoint_id.as_str())
        });
        Ok(TaskLook::Found(Box::new(item.task(
            facet,
            one.checkpoint_item,
            policy,
            None,
        ))))
    }
}

/// What became of a task whose backup is gone: a deletion is done, of anything else the end is not known.
fn look_of_gone(known: &mut Known, item_id: &str, facet: Facet) -> TaskLook {
    let ended = (facet == Facet::Delete).then(|| known.deleted(item_id));
    let found = |task| TaskLook::Found(Box::new(task));
    ended.flatten().map_or(TaskLook::Gone, found)
}
