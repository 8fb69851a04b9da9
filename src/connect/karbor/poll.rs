//! Reading Karbor's lists: plans with their schedules, and operation logs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::record::{LogRow, One, OperationRow, PlanRow, Restore, TriggerRow};
use super::{FAILED, Karbor, PLANS, RECENT, RUNNING};
use crate::connect::decode::{Loose, Raw, Text, each};
use crate::connect::http::{Call, Reply};
use crate::connect::page::{Book, Turned};
use crate::connect::{Page, PageSink, PollContext, PollReport, TaskLook};
use crate::model::{CodeRef, Device, Fault, FaultKind, Ref, Rows, Timestamp, clean};

/// Each of several lists read as one feed numbers its pages from here on.
const LIST_PAGES: u32 = 100_000;
/// The page on which the resources of all plans are handed over.
const DEVICES_PAGE: u32 = 50_000;
/// How far back news are read again, in milliseconds: the list is sorted by when a task began.
const OVERLAP_MS: i64 = 3_600_000;

/// What a page tells for the next question.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Next {
    rows: usize,
    /// Id of the last row.
    marker: String,
    oldest: Option<Timestamp>,
}

/// A scheduled operation of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Schedule {
    pub enabled: Option<bool>,
    /// When it fires.
    pub when: String,
    /// Name, sort and time.
    pub words: String,
}

/// A plan as tasks need it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Brief {
    name: String,
    devices: Vec<Device>,
}

/// What the connector remembers between answers.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Schedules by plan.
    schedules: BTreeMap<String, Vec<Schedule>>,
    /// Plans by page of their list.
    pages: BTreeMap<u32, BTreeMap<String, Brief>>,
    /// The devices that were handed over last.
    told: Option<Vec<Device>>,
    /// Plan by checkpoint: restores and verifications name the checkpoint only.
    runs: BTreeMap<String, String>,
}

impl Known {
    fn plan(&self, id: &str) -> Option<&Brief> {
        self.pages.values().find_map(|page| page.get(id))
    }

    /// The name of a plan, or its id.
    pub(super) fn plan_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.plan(id).map_or(id, |p| p.name.as_str())
    }

    /// The plan behind a checkpoint; empty when no log has told it.
    pub(super) fn plan_of(&self, checkpoint: &str) -> &str {
        self.runs.get(checkpoint).map_or("", String::as_str)
    }

    /// The resource of a plan that has one only.
    pub(super) fn only_device(&self, plan: &str) -> Option<Ref> {
        match self.plan(plan)?.devices.as_slice() {
            [one] => Some(Ref::new(one.id.as_str(), one.name.as_str())),
            _ => None,
        }
    }

    /// Every resource of every plan once, with all the plans that cover it.
    fn devices(&self) -> Vec<Device> {
        let mut all: BTreeMap<&str, Device> = BTreeMap::new();
        for device in self
            .pages
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|p| &p.devices)
        {
            match all.get_mut(device.id.as_str()) {
                Some(known) => known.policy_ids.extend(device.policy_ids.iter().cloned()),
                None => {
                    all.insert(&device.id, device.clone());
                }
            }
        }
        all.into_values().collect()
    }
}

#[derive(Deserialize)]
struct Plans<'a> {
    #[serde(borrow)]
    plans: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Logs<'a> {
    #[serde(borrow)]
    operation_logs: Vec<Raw<'a>>,
}

/// Two lists that are read whole; the scheduled operations stand under `operations`.
#[derive(Deserialize)]
struct Side<'a> {
    #[serde(borrow, default)]
    triggers: Loose<Vec<Raw<'a>>>,
    #[serde(borrow, default)]
    operations: Loose<Vec<Raw<'a>>>,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
}

fn paged(call: &Call, limit: usize, marker: &str) -> Call {
    let call = call.clone().with("limit", limit.to_string());
    if marker.is_empty() {
        call
    } else {
        call.with("marker", marker)
    }
}

fn stuck(place: &str) -> Fault {
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
                let statuses = [
                    "protecting",
                    "deleting",
                    "in_progress",
                    "copying",
                    "wait_copying",
                ];
                self.read_logs(feed, &statuses, None, sink).await
            }
            FAILED => {
                let statuses = ["error", "fail", "error-deleting"];
                self.read_logs(feed, &statuses, None, sink).await
            }
            RECENT => {
                let until = context
                    .changed_since
                    .map(|t| t.plus(-OVERLAP_MS))
                    .or(context.history_from);
                self.read_logs(feed, &[""], until, sink).await
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

    const fn book(&self, feed: &'static str) -> Book<'_, Next> {
        Book {
            session: &self.session,
            memory: &self.memory,
            feed,
        }
    }

    /// Reads a list by marker: Karbor's own links to the next page are wrong for some collections. False when
    /// nobody wants more.
    async fn walk(
        &self,
        feed: &'static str,
        call: &Call,
        first: u32,
        until: Option<Timestamp>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let book = self.book(feed);
        let (mut marker, mut seen, mut number) = (String::new(), 0, first);
        loop {
            let reply = self
                .session
                .read(&paged(call, self.page_size, &marker))
                .await?;
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
            number += 1;
            report.pages += 1;
            let known = until
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
        book.end_between(number, first + DEVICES_PAGE);
        if feed == PLANS {
            self.known(|known| known.pages.retain(|n, _| *n < number));
        }
        Ok(true)
    }

    /// Logs of several statuses, one list each. A list that fails costs itself.
    async fn read_logs(
        &self,
        feed: &'static str,
        statuses: &[&str],
        until: Option<Timestamp>,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport::default();
        let mut wanted = true;
        for (status, n) in statuses.iter().zip(0u32..) {
            let mut call = Call::get(&["operation_logs"]);
            if !status.is_empty() {
                call = call.with("status", *status);
            }
            match self
                .walk(feed, &call, n * LIST_PAGES, until, sink, &mut report)
                .await
            {
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
        if report.partial.len() == statuses.len() {
            // The first one was told by the service; the others may be echoes of it.
            return Err(report.partial.swap_remove(0));
        }
        Ok(report)
    }

    /// Schedules first, since the plans' rows tell of them; the resources of all plans last.
    async fn read_plans(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let schedules = self.schedules().await?;
        let book = self.book(PLANS);
        if self.known(|known| {
            let changed = known.schedules != schedules;
            known.schedules = schedules;
            changed
        }) {
            book.end(0);
        }
        let mut report = PollReport::default();
        let call = Call::get(&["plans"]);
        if !self.walk(PLANS, &call, 0, None, sink, &mut report).await? {
            return Ok(report);
        }
        let devices = self.known(|known| known.devices());
        let page = if self.known(|known| known.told.as_ref() == Some(&devices)) {
            Page::Same
        } else {
            Page::Rows(Rows {
                devices: devices.clone(),
                ..Rows::default()
            })
        };
        report.pages += 1;
        report.complete = sink.page(DEVICES_PAGE, page).await;
        if report.complete {
            self.known(|known| known.told = Some(devices));
        }
        report.clock = self.session.clock();
        Ok(report)
    }

    /// The scheduled operations of each plan, with the times of their triggers.
    async fn schedules(&self) -> Result<BTreeMap<String, Vec<Schedule>>, Fault> {
        let mut times = BTreeMap::new();
        self.side("triggers", |raw| {
            if let Ok(row) = serde_json::from_str::<TriggerRow<'_>>(raw.get()) {
                times.insert(row.id.owned(), row.words());
            }
        })
        .await?;
        let mut schedules: BTreeMap<String, Vec<Schedule>> = BTreeMap::new();
        self.side("scheduled_operations", |raw| {
            let Ok(row) = serde_json::from_str::<OperationRow<'_>>(raw.get()) else {
                return;
            };
            let Some(definition) = &row.operation_definition.0 else {
                return;
            };
            let when = times
                .get(row.trigger_id.as_str())
                .cloned()
                .unwrap_or_default();
            let state = match row.enabled.0 {
                Some(true) => "on",
                Some(false) => "off",
                None => "not told whether on",
            };
            schedules
                .entry(definition.plan_id.owned())
                .or_default()
                .push(Schedule {
                    enabled: row.enabled.0,
                    words: format!(
                        "{} ({}, {when}, {state})",
                        row.name.or(row.id.as_str()),
                        row.operation_type.as_str()
                    ),
                    when,
                });
        })
        .await?;
        Ok(schedules)
    }

    /// Reads a whole list row by row without handing it over.
    async fn side(&self, list: &str, mut take: impl FnMut(Raw<'_>) + Send) -> Result<(), Fault> {
        let mut marker = String::new();
        loop {
            let call = paged(&Call::get(&[list]), self.page_size, &marker);
            let reply = self.session.read(&call).await?;
            let page: Side<'_> = reply.json()?;
            let rows = page.triggers.0.or(page.operations.0).unwrap_or_default();
            rows.iter().for_each(|raw| take(raw));
            if rows.len() < self.page_size {
                return Ok(());
            }
            let last = rows
                .last()
                .and_then(|raw| serde_json::from_str::<Id<'_>>(raw.get()).ok())
                .map(|row| row.id.owned())
                .unwrap_or_default();
            if last.is_empty() || last == marker {
                return Err(stuck(&reply.place));
            }
            marker = last;
        }
    }

    fn plans_page(&self, reply: &Reply, seen: usize, number: u32) -> Result<(Rows, Next), Fault> {
        let page: Plans<'_> = reply.json()?;
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        let mut plans = BTreeMap::new();
        let mut marker = String::new();
        each::<PlanRow<'_>>("plans", seen, &page.plans, &mut bad, |row, raw| {
            if row.id.is_empty() {
                return Err("the id is missing".into());
            }
            marker = row.id.owned();
            let policy = self.known(|known| {
                let schedules = known.schedules.get(row.id.as_str());
                row.policy(raw, schedules.map_or(&[], Vec::as_slice))
            });
            let plan = Brief {
                name: row.label().to_owned(),
                devices: row.devices(),
            };
            plans.insert(row.id.owned(), plan);
            rows.policies.push(policy);
            Ok(())
        });
        rows.bad = bad;
        self.known(|known| known.pages.insert(number, plans));
        let next = Next {
            rows: page.plans.len(),
            marker,
            oldest: None,
        };
        Ok((rows, next))
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
                rows.tasks.push(self.known(|known| log.task(raw, known)));
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
        let mut task = self.known(|known| log.task(raw, known));
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
