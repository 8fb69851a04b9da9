//! Reading Karbor's lists page by page; the operation logs among them.

use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;

use super::known::Good;
use super::record::{LogRow, One, Restore};
use super::{FAILED, Karbor, PLANS, RECENT, RUNNING};
use crate::connect::decode::{Raw, each};
use crate::connect::empties::or_spared;
use crate::connect::http::{Call, Reply, in_flight};
use crate::connect::page::{Book, Turned};
use crate::connect::{PageSink, PollContext, PollReport, TaskLook};
use crate::model::{CodeRef, Fault, FaultKind, Phase, Rows, Task, Timestamp, clean};

/// Each of several lists read as one feed numbers its pages from here on.
const LIST_PAGES: u32 = 100_000;
/// The page on which the resources of all plans are handed over.
pub(super) const DEVICES_PAGE: u32 = 50_000;
/// How far back news are read again, in milliseconds: the list is sorted by when a task began.
const OVERLAP_MS: i64 = 3_600_000;

/// The statuses of a log in which something is going on.
const LIVE: [&str; 5] = [
    "protecting",
    "deleting",
    "in_progress",
    "copying",
    "wait_copying",
];

/// One list of a feed.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub call: &'a Call,
    /// The one live status that its rows have.
    pub status: Option<&'static str>,
    /// Number of its first page.
    pub first: u32,
    /// Rows that changed before this need not be read; `None` reads to the end.
    pub until: Option<Timestamp>,
}

/// What a page tells for the next question.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Next {
    pub rows: usize,
    /// Id of the last row.
    pub marker: String,
    pub oldest: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Logs<'a> {
    #[serde(borrow)]
    operation_logs: Vec<Raw<'a>>,
}

pub(super) fn paged(call: &Call, limit: usize, marker: &str) -> Call {
    let call = call.clone().with("limit", limit.to_string());
    if marker.is_empty() {
        call
    } else {
        call.with("marker", marker)
    }
}

pub(super) fn stuck(place: &str) -> Fault {
    Fault::new(
        FaultKind::Garbled,
        "the list does not go on: the service gives the same page for the next marker",
        place,
        "Rows beyond it are not shown. Report it to the service's owner.",
    )
}

impl Karbor {
    pub(super) async fn read_feed(
        &self,
        feed: &'static str,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        match feed {
            RUNNING => {
                let (asked, spared) = self.known(|k| k.empties.begin(&LIVE, context.called));
                let read = self.read_logs(feed, &asked, None, sink).await;
                let others = self.read_logs(feed, &spared, None, sink);
                or_spared(read, spared.is_empty(), others).await
            }
            FAILED => {
                let lists = [(0, "error"), (1, "fail"), (2, "error-deleting")];
                self.read_logs(feed, &lists, None, sink).await
            }
            RECENT => {
                let until = context
                    .changed_since
                    .map(|t| t.plus(-OVERLAP_MS))
                    .or(context.history_from);
                self.read_logs(feed, &[(0, "")], until, sink).await
            }
            PLANS => self.read_plans(sink).await,
            other => Err(Fault::new(
                FaultKind::NotOffered,
                format!("Karbor has no feed '{other}'"),
                "",
                "This is a mistake in keepwatch: please report it.",
            )),
        }
    }

    pub(super) const fn book(&self, feed: &'static str) -> Book<'_, Next> {
        Book {
            session: &self.session,
            memory: &self.memory,
            feed,
        }
    }

    /// Reads a list by marker: Karbor's own links to the next page are wrong for some collections. False when
    /// nobody wants more.
    pub(super) async fn walk(
        &self,
        feed: &'static str,
        list: &List<'_>,
        mut ready: Option<Reply>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let book = self.book(feed);
        let (mut marker, mut seen, mut number) = (String::new(), 0, list.first);
        loop {
            let reply = match ready.take() {
                Some(reply) => reply,
                None => self.ask_page(list.call, &marker).await?,
            };
            let decode = |reply: &Reply| {
                if feed == PLANS {
                    self.plans_page(reply, seen, number)
                } else {
                    self.logs_page(reply, seen)
                }
            };
            let next = match book.take(number, &reply, sink, decode).await? {
                Turned::Enough => return Ok(false),
                Turned::Next(next) => next,
            };
            if let Some(status) = list.status
                && number == list.first
            {
                self.known(|known| known.empties.found(status, next.rows == 0));
            }
            number += 1;
            report.pages += 1;
            let known = list
                .until
                .zip(next.oldest)
                .is_some_and(|(until, oldest)| oldest < until);
            if next.rows < self.page_size || known {
                break;
            }
            if next.marker.is_empty() || next.marker == marker {
                return Err(stuck(&reply.place));
            }
            seen += next.rows;
            marker = next.marker;
        }
        book.end_between(number, list.first + DEVICES_PAGE);
        if feed == PLANS {
            self.known(|known| known.end_plans(number));
        }
        Ok(true)
    }

    async fn ask_page(&self, call: &Call, marker: &str) -> Result<Reply, Fault> {
        let call = paged(call, self.page_size, marker);
        self.session.read(&call).await
    }

    /// Logs of several statuses, one list each, the first pages asked side by side. A list that fails costs itself.
    /// Each has a range of page numbers of its own.
    async fn read_logs(
        &self,
        feed: &'static str,
        lists: &[(u32, &'static str)],
        until: Option<Timestamp>,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport::default();
        let mut wanted = true;
        let calls: Vec<Call> = lists
            .iter()
            .map(|(_, status)| {
                let call = Call::get(&["operation_logs"]);
                if status.is_empty() {
                    call
                } else {
                    call.with("status", *status)
                }
            })
            .collect();
        let asks = calls.iter().map(|call| self.ask_page(call, "").boxed());
        let mut replies = in_flight(calls.len(), asks.collect());
        for (call, (range, status)) in calls.iter().zip(lists) {
            let list = List {
                call,
                status: (feed == RUNNING).then_some(*status),
                first: range * LIST_PAGES,
                until,
            };
            let read = match replies.next().await {
                Some(Ok(reply)) => self.walk(feed, &list, Some(reply), sink, &mut report).await,
                Some(Err(fault)) => Err(fault),
                None => break,
            };
            match read {
                Ok(true) => {}
                Ok(false) => {
                    wanted = false;
                    break;
                }
                Err(fault) => report.partial.push(super::named(fault)),
            }
        }
        report.complete = wanted && report.partial.is_empty();
        report.clock = self.session.clock();
        if report.partial.len() == lists.len() {
            // The first one was told by the service; the others may be echoes of it.
            return Err(report.partial.swap_remove(0));
        }
        Ok(report)
    }

    fn logs_page(&self, reply: &Reply, seen: usize) -> Result<(Rows, Next), Fault> {
        let page: Logs<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut next = Next {
            rows: page.operation_logs.len(),
            ..Next::default()
        };
        // Newest first: a restore stands before the backup that tells its plan.
        self.known(|known| {
            for raw in &page.operation_logs {
                if let Ok(log) = serde_json::from_str::<LogRow<'_>>(raw.get())
                    && !log.plan_id.is_empty()
                {
                    let (run, plan) = (log.checkpoint_id.owned(), log.plan_id.owned());
                    known.runs.insert(run, plan);
                }
            }
        });
        each::<LogRow<'_>>(
            "operation_logs",
            seen,
            &page.operation_logs,
            &mut bad,
            |log, raw| {
                if log.id.is_empty() {
                    return Err("the id is missing".into());
                }
                next.marker = log.id.owned();
                if let Some(at) = log.started_at.0 {
                    next.oldest = Some(next.oldest.map_or(at, |o| o.min(at)));
                }
                let task = self.known(|known| {
                    known.empties.met(log.status.as_str());
                    let task = log.task(raw, known);
                    if let Some((plan, run)) = good_run(&task) {
                        known.note_good(plan, run);
                    }
                    task
                });
                rows.tasks.push(task);
                Ok(())
            },
        );
        rows.bad = bad;
        Ok((rows, next))
    }

    /// One log as it is now; for a failed restore with what the restore itself says.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let Some(reply) = self.one(&["operation_logs", task_id]).await? else {
            return Ok(TaskLook::Gone);
        };
        let one: One<'_> = reply.json()?;
        let garbled = |why: &str| {
            Fault::new(
                FaultKind::Garbled,
                format!("the task's record can't be read: {}", clean(why)),
                reply.place.clone(),
                "Look at the raw record.",
            )
        };
        let raw = one
            .operation_log
            .ok_or_else(|| garbled("operation_log is missing"))?;
        let log: LogRow<'_> =
            serde_json::from_str(raw.get()).map_err(|e| garbled(&e.to_string()))?;
        let mut task = self.known(|known| {
            known.empties.met(log.status.as_str());
            log.task(raw, known)
        });
        if log.status.as_str() == "fail"
            && !log.restore_id.is_empty()
            && let Some(reply) = self.one(&["restores", log.restore_id.as_str()]).await?
        {
            let one: One<'_> = reply.json()?;
            let why = one
                .restore
                .0
                .as_ref()
                .map(Restore::reasons)
                .unwrap_or_default();
            if !why.is_empty() {
                let mut failure = CodeRef::new("", why);
                failure.operation.clone_from(&task.operation);
                task.failure = Some(failure);
            }
        }
        Ok(TaskLook::Found(Box::new(task)))
    }
}

/// The plan that a task backed up, and when, where it did.
fn good_run(task: &Task) -> Option<(&str, Good)> {
    let plan = task.policy.as_ref()?;
    let ended = task.ended_at.or(task.started_at)?;
    let began = task.started_at.unwrap_or(ended);
    (task.phase == Phase::Succeeded && task.operation == "backup")
        .then_some((&*plan.id, Good { began, ended }))
}
