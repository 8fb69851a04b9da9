//! Reading CBR's lists: what lives, what failed, what is new, vaults and policies, the last good backups.

use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;

use super::log::{Log, OneLog};
use super::policy::{self, Policies, PolicyRow};
use super::vault::VaultRow;
use super::{Cbr, FAILED, LAST_GOOD, RECENT, RESOURCES, RUNNING};
use crate::connect::decode::{Int, Raw, Text, Time, each};
use crate::connect::empties::or_spared;
use crate::connect::http::{Call, Reply, in_flight};
use crate::connect::page::{Book, Turned};
use crate::connect::{PageSink, PollContext, PollReport, TaskLook};
use crate::model::{Fault, FaultKind, Rows, Timestamp, clean};

/// Each of several lists read as one feed numbers its pages from here on.
pub(super) const LIST_PAGES: u32 = 100_000;
/// Page of the policies; the vaults' pages come after it.
const POLICIES_PAGE: u32 = 0;
/// How far back news are read again, in milliseconds: the list is asked by when a task began, and how long one
/// may wait before it begins is not documented.
const OVERLAP_MS: i64 = 3_600_000;
/// How many pages are read at most in search of each resource's last good backup.
const GOOD_PAGES: u32 = 50;

/// What a page tells for the next question.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Next {
    pub rows: usize,
    /// Rows of the whole list, where the answer tells.
    pub count: Option<i64>,
    /// Id of the first row.
    pub first: String,
}

impl Next {
    /// Whether the list goes on after `seen` rows: by its count, or because the page was full.
    fn more(&self, seen: usize, limit: usize) -> bool {
        let missing = self
            .count
            .map_or(self.rows >= limit, |all| all > seen as i64);
        self.rows > 0 && missing
    }
}

/// The statuses of a task in which something is going on.
const LIVE: [&str; 2] = ["running", "waiting"];

/// What the rows of a list are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Tasks,
    Vaults,
    Backups,
    Protectables,
}

/// One list of a feed.
pub(super) struct List {
    pub call: Call,
    /// The one live status that its rows have.
    pub status: Option<&'static str>,
    pub sort: Sort,
    /// Number of its first page.
    pub first: u32,
    /// Pages read at most.
    pub pages: u32,
    /// Rows a page.
    pub limit: usize,
}

impl List {
    fn page(&self, offset: usize) -> Call {
        let call = self.call.clone().with("limit", self.limit.to_string());
        if offset == 0 {
            call
        } else {
            call.with("offset", offset.to_string())
        }
    }
}

#[derive(Deserialize)]
struct Logs<'a> {
    #[serde(borrow)]
    operation_logs: Vec<Raw<'a>>,
    #[serde(default)]
    count: Int,
}

#[derive(Deserialize)]
pub(super) struct Vaults<'a> {
    #[serde(borrow)]
    pub vaults: Vec<Raw<'a>>,
    #[serde(default)]
    count: Int,
}

#[derive(Deserialize)]
struct Backups<'a> {
    #[serde(borrow)]
    backups: Vec<Raw<'a>>,
    #[serde(default)]
    count: Int,
}

#[derive(Deserialize)]
struct BackupBrief<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(borrow, default)]
    resource_id: Text<'a>,
    #[serde(default)]
    created_at: Time,
    #[serde(default)]
    protected_at: Time,
}

/// As the API reference writes times in filters: whole seconds, UTC.
pub(super) fn filter_time(at: Timestamp) -> String {
    at.utc()
        .map_or_else(String::new, |t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

impl Cbr {
    pub(super) async fn read_feed(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        match feed {
            // A filter takes one status: running is not waiting, failed neither timeout nor skipped.
            RUNNING => {
                let (asked, spared) = self.known(|k| k.empties.begin(&LIVE, context.called));
                let read = self.read_tasks(feed, &asked, sink).await;
                let other = self.read_tasks(feed, &spared, sink);
                or_spared(read, spared.is_empty(), other).await
            }
            FAILED => {
                let lists = [(0, "failed"), (1, "timeout"), (2, "skipped")];
                self.read_tasks(feed, &lists, sink).await
            }
            RECENT => {
                let since = context
                    .changed_since
                    .map(|t| t.plus(-OVERLAP_MS))
                    .or(context.history_from);
                let mut call = Call::get(&["operation-logs"]);
                if let Some(since) = since {
                    call = call.with("start_time", filter_time(since));
                }
                self.read_one(feed, &self.tasks(call, 0), sink).await
            }
            RESOURCES => self.read_resources(sink).await,
            LAST_GOOD => {
                self.learn_holders().await?;
                let list = List {
                    call: Call::get(&["backups"])
                        .with("status", "available")
                        .with("sort", "created_at:desc"),
                    status: None,
                    sort: Sort::Backups,
                    first: 0,
                    pages: GOOD_PAGES,
                    limit: self.page_size,
                };
                self.read_one(feed, &list, sink).await
            }
            other => Err(Fault::new(
                FaultKind::NotOffered,
                format!("CBR has no feed '{other}'"),
                "",
                "This is a mistake in keepwatch: please report it.",
            )),
        }
    }

    const fn tasks(&self, call: Call, first: u32) -> List {
        List {
            call,
            status: None,
            sort: Sort::Tasks,
            first,
            pages: LIST_PAGES,
            limit: self.page_size,
        }
    }

    fn vaults(&self) -> List {
        List {
            call: Call::get(&["vaults"]),
            status: None,
            sort: Sort::Vaults,
            first: POLICIES_PAGE + 1,
            pages: LIST_PAGES,
            limit: self.page_size,
        }
    }

    pub(super) const fn book(&self, feed: &'static str) -> Book<'_, Next> {
        Book {
            session: &self.session,
            memory: &self.memory,
            feed,
        }
    }

    async fn read_one(
        &self,
        feed: &'static str,
        list: &List,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport::default();
        report.complete = self.walk(feed, list, None, sink, &mut report).await?;
        report.clock = self.session.clock();
        Ok(report)
    }

    /// Reads a list from its beginning, or from `ready`, an answer that is already here. True when it was read
    /// to its end.
    pub(super) async fn walk(
        &self,
        feed: &'static str,
        list: &List,
        ready: Option<Reply>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let book = self.book(feed);
        let mut ready = ready;
        let mut seen = 0;
        let mut page = 0;
        let mut before = String::new();
        let whole = loop {
            let reply = match ready.take() {
                Some(reply) => reply,
                None => self.session.read(&list.page(seen)).await?,
            };
            let number = list.first + page;
            let decode = |reply: &Reply| self.page(list.sort, reply, seen, number);
            let next = match book.take(number, &reply, sink, decode).await? {
                Turned::Enough => return Ok(false),
                Turned::Next(next) => next,
            };
            page += 1;
            report.pages += 1;
            if let Some(status) = list.status
                && page == 1
            {
                // rows that are counted and do not come are no empty list
                let is_empty = next.rows == 0 && next.count.is_none_or(|all| all <= 0);
                self.known(|known| known.empties.found(status, is_empty));
            }
            if page > 1 && next.rows > 0 && next.first == before {
                return Err(Fault::new(
                    FaultKind::Garbled,
                    "the list does not go on: the service gives the same page for the next offset",
                    reply.place,
                    "Rows beyond it are not shown. Report it to the service's owner.",
                ));
            }
            seen += next.rows;
            if !next.more(seen, list.limit) {
                // a page without rows before the count was reached is no end
                break next.count.is_none_or(|all| all <= seen as i64);
            }
            let found = matches!(list.sort, Sort::Backups) && self.known(|k| k.without_good()) == 0;
            if found || page >= list.pages {
                break matches!(list.sort, Sort::Backups);
            }
            before = next.first;
        };
        book.end_between(list.first + page, list.first + LIST_PAGES);
        if matches!(list.sort, Sort::Vaults) {
            self.known(|known| known.end_vaults(list.first + page));
        }
        Ok(whole)
    }

    /// Tasks of several statuses, one list each, the first pages asked side by side. A list that fails costs
    /// itself. Each has a range of page numbers of its own.
    async fn read_tasks(
        &self,
        feed: &'static str,
        lists: &[(u32, &'static str)],
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let lists: Vec<List> = lists
            .iter()
            .map(|(range, status)| {
                let call = Call::get(&["operation-logs"]).with("status", *status);
                List {
                    status: (feed == RUNNING).then_some(*status),
                    ..self.tasks(call, range * LIST_PAGES)
                }
            })
            .collect();
        let mut report = PollReport::default();
        let asks = lists
            .iter()
            .map(|list| self.read_page(list.page(0)).boxed())
            .collect();
        let mut replies = in_flight(lists.len(), asks);
        let mut whole = true;
        for list in &lists {
            let result = match replies.next().await {
                Some(Ok(reply)) => self.walk(feed, list, Some(reply), sink, &mut report).await,
                Some(Err(fault)) => Err(fault),
                None => break,
            };
            match result {
                Ok(read) => whole &= read,
                Err(fault) => report.partial.push(fault),
            }
        }
        report.complete = whole && report.partial.is_empty();
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

    /// Which resources there are, where no list of the vaults has told yet: only so the search for their last
    /// good backups knows when it has found them all.
    async fn learn_holders(&self) -> Result<(), Fault> {
        if self.known(|known| known.knows_vaults()) {
            return Ok(());
        }
        let vaults = self.vaults();
        let mut seen = 0;
        for page in 0..vaults.pages {
            let reply = self.session.read(&vaults.page(seen)).await?;
            let (_, next) = self.vaults_page(&reply, seen, vaults.first + page)?;
            seen += next.rows;
            if !next.more(seen, vaults.limit) {
                break;
            }
        }
        Ok(())
    }

    /// The policies say on which vaults they hang, the vaults what is in them: each is needed for the other's
    /// rows, so the policies are asked first and handed over last.
    async fn read_resources(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut reply = self.session.read(&Call::get(&["policies"])).await?;
        let (names, links) = match policy::links(&reply) {
            Ok(read) => read,
            Err(fault) => {
                reply = reply.mended().ok_or(fault)?;
                policy::links(&reply)?
            }
        };
        let now = self.session.service_now();
        let book = self.book(RESOURCES);
        if self.known(|known| known.learn_policies(names, links)) {
            book.end(0);
        }
        let mut report = PollReport::default();
        let vaults = self.vaults();
        let whole = self
            .walk(RESOURCES, &vaults, None, sink, &mut report)
            .await?
            && self.read_unprotected(now, sink, &mut report).await;
        if self.known(|known| known.policies_are_old(now)) {
            book.end_between(POLICIES_PAGE, POLICIES_PAGE + 1);
        }
        let decode = |reply: &Reply| self.policies_page(reply, now);
        report.pages += 1;
        match book.take(POLICIES_PAGE, &reply, sink, decode).await? {
            Turned::Enough => {}
            Turned::Next(next) => {
                self.known(super::known::Known::policies_told);
                let all = next.count.is_none_or(|n| n <= next.rows as i64);
                report.complete = whole && all;
            }
        }
        report.clock = self.session.clock();
        Ok(report)
    }

    fn policies_page(&self, reply: &Reply, now: Timestamp) -> Result<(Rows, Next), Fault> {
        let page: Policies<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        each::<PolicyRow<'_>>("policies", 0, &page.policies, &mut bad, |row, raw| {
            let policy = self.known(|known| row.policy(raw, known, now))?;
            rows.policies.push(policy);
            Ok(())
        });
        rows.bad = bad;
        let due = rows.policies.iter().filter_map(|p| p.next_run).min();
        self.known(|known| known.set_due(due));
        let next = Next {
            rows: page.policies.len(),
            count: page.count.0,
            ..Next::default()
        };
        Ok((rows, next))
    }

    fn page(
        &self,
        sort: Sort,
        reply: &Reply,
        seen: usize,
        number: u32,
    ) -> Result<(Rows, Next), Fault> {
        match sort {
            Sort::Tasks => self.tasks_page(reply, seen),
            Sort::Vaults => self.vaults_page(reply, seen, number),
            Sort::Backups => self.backups_page(reply, seen),
            Sort::Protectables => self.protectables_page(reply, seen, number),
        }
    }

    fn tasks_page(&self, reply: &Reply, seen: usize) -> Result<(Rows, Next), Fault> {
        let page: Logs<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut next = Next {
            rows: page.operation_logs.len(),
            count: page.count.0,
            ..Next::default()
        };
        rows.tasks.reserve(next.rows);
        each::<Log<'_>>(
            "operation_logs",
            seen,
            &page.operation_logs,
            &mut bad,
            |log, raw| {
                if log.id.is_empty() {
                    return Err("the id is missing".into());
                }
                if next.first.is_empty() {
                    next.first = log.id.owned();
                }
                rows.tasks.push(self.known(|known| {
                    known.empties.met(log.status.as_str());
                    log.task(raw, known)
                }));
                Ok(())
            },
        );
        rows.bad = bad;
        Ok((rows, next))
    }

    fn vaults_page(&self, reply: &Reply, seen: usize, number: u32) -> Result<(Rows, Next), Fault> {
        let page: Vaults<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut holders = Vec::new();
        let mut next = Next {
            rows: page.vaults.len(),
            count: page.count.0,
            ..Next::default()
        };
        each::<VaultRow<'_>>("vaults", seen, &page.vaults, &mut bad, |vault, raw| {
            if vault.id.is_empty() {
                return Err("the id is missing".into());
            }
            if next.first.is_empty() {
                next.first = vault.id.owned();
            }
            holders.push(vault.holder());
            self.known(|known| {
                rows.policies.push(vault.policy(raw, known));
                if !vault.takes_copies_only() {
                    rows.devices.extend(vault.devices(known));
                }
            });
            Ok(())
        });
        rows.bad = bad;
        self.known(|known| known.vault_page(number, holders));
        Ok((rows, next))
    }

    /// Backups tell when each resource was last backed up; the next round of the vaults says so.
    fn backups_page(&self, reply: &Reply, seen: usize) -> Result<(Rows, Next), Fault> {
        let page: Backups<'_> = reply.json()?;
        let mut bad = Vec::new();
        let mut next = Next {
            rows: page.backups.len(),
            count: page.count.0,
            ..Next::default()
        };
        each::<BackupBrief<'_>>("backups", seen, &page.backups, &mut bad, |b, _| {
            if next.first.is_empty() {
                next.first = b.id.owned();
            }
            if b.status.as_str() == "available"
                && let Some(at) = b.protected_at.0.or(b.created_at.0)
            {
                self.known(|known| known.note_good(b.resource_id.as_str(), at));
            }
            Ok(())
        });
        let rows = Rows {
            bad,
            ..Rows::default()
        };
        Ok((rows, next))
    }

    /// One task as it is now.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let Some(reply) = self.one(&["operation-logs", task_id]).await? else {
            return Ok(TaskLook::Gone);
        };
        let one: OneLog<'_> = reply.json()?;
        let log: Log<'_> = serde_json::from_str(one.operation_log.get()).map_err(|e| {
            Fault::new(
                FaultKind::Garbled,
                format!("the task's record can't be read: {}", clean(&e.to_string())),
                reply.place.clone(),
                "Look at the raw record.",
            )
        })?;
        let task = self.known(|known| {
            known.empties.met(log.status.as_str());
            log.task(one.operation_log, known)
        });
        Ok(TaskLook::Found(Box::new(task)))
    }
}
