//! Reading the lists.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::StreamExt;
use serde::Deserialize;

use super::look::moving_id;
use super::wire::{FailureJob, Object, Resource, going_on};
use super::{FAILED, RESOURCES, Sdrs};
use crate::connect::decode::{self, Int, Raw, raw_text};
use crate::connect::http::{Call, Reply, in_flight};
use crate::connect::{Page, PageSink, PollReport};
use crate::model::{Fault, FaultKind, Phase, Ref, Rows, Task, Timestamp};

/// Rows a page. The interface documents 0 to 1000 and refuses 1000 in one of its texts, so stay well inside.
const LIMIT: usize = 500;
/// Pages of one list: what lies beyond is another list's range of page numbers.
const RANGE: u32 = 10_000;
/// Lists of failed tasks asked for at the same time.
const AT_ONCE: usize = 8;

/// One list in whatever envelope.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Listed<'a> {
    #[serde(borrow)]
    server_groups: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    protected_instances: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    replications: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    disaster_recovery_drills: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    failure_jobs: Option<Vec<Raw<'a>>>,
    count: Int,
}

impl<'a> Listed<'a> {
    fn rows(&mut self, object: Object) -> Option<Vec<Raw<'a>>> {
        match object {
            Object::Group => self.server_groups.take(),
            Object::Instance => self.protected_instances.take(),
            Object::Pair => self.replications.take(),
            Object::Drill => self.disaster_recovery_drills.take(),
        }
    }
}

/// A page of failed tasks that was read and not yet handed over.
pub(super) struct ReadPage {
    number: u32,
    pub(super) page: Page,
    body: Bytes,
    rows: usize,
}

/// A group and what its failed tasks came to; without a group those of groups themselves.
type GroupRead = (Option<Ref>, Result<Vec<ReadPage>, Fault>);

/// Whether a page with this many rows is followed by another. `count` is the whole number by one page of
/// the reference and the page's own by another, so it can only add a page, never end the list early.
fn goes_on(rows: usize, offset: usize, count: Option<i64>) -> bool {
    rows > 0
        && (rows >= LIMIT
            || count
                .and_then(|n| usize::try_from(n).ok())
                .is_some_and(|n| n > offset + rows))
}

impl Sdrs {
    /// Groups, instances, pairs and drills.
    pub(super) async fn poll_resources(
        &self,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let firsts = Object::ALL.map(|object| self.list_page(object, 0).boxed());
        let mut replies = in_flight(firsts.len(), firsts.into());
        for (index, object) in (0_u32..).zip(Object::ALL) {
            let read = match replies.next().await {
                Some(Ok(first)) => {
                    self.poll_list(object, first, index * RANGE, sink, &mut report)
                        .await
                }
                Some(Err(fault)) => Err(fault),
                None => break,
            };
            match read {
                Ok(true) => {}
                Ok(false) => {
                    report.complete = false;
                    return Ok(report);
                }
                // groups are the spine; one of the other lists may be forbidden or broken alone
                Err(fault) if object != Object::Group && stands_alone(&fault) => {
                    report.complete = false;
                    report.partial.push(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(report)
    }

    async fn list_page(&self, object: Object, offset: usize) -> Result<Reply, Fault> {
        let call = Call::get(&[object.path()])
            .with("limit", LIMIT.to_string())
            .with("offset", offset.to_string());
        self.session.read(&call).await
    }

    /// One list whose first page is already here; false when nobody wants more.
    async fn poll_list(
        &self,
        object: Object,
        first: Reply,
        first_page: u32,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> Result<bool, Fault> {
        let mut offset = 0;
        let mut ids = HashSet::new();
        let mut all_read = true;
        let mut ready = Some(first);
        for page in 0..RANGE {
            let number = first_page + page;
            let reply = match ready.take() {
                Some(reply) => reply,
                None => self.list_page(object, offset).await?,
            };
            let same = self.pages().same(RESOURCES, number, &reply.body);
            // a list in which something moves is read anew even when its bytes are the same: jobs that
            // were started here come and go beside it
            let (handed, rows, count) = match same {
                Some(rows) if self.known().own.is_empty() => {
                    all_read = false;
                    (Page::Same, rows, None)
                }
                _ => {
                    let (page, rows, count) = self.read_list(object, &reply, offset, &mut ids)?;
                    (Page::Rows(page), rows, count)
                }
            };
            if !sink.page(number, handed).await {
                return Ok(false);
            }
            self.pages().keep(RESOURCES, number, &reply.body, rows);
            report.pages += 1;
            if !goes_on(rows, offset, count) {
                break;
            }
            offset += rows;
        }
        if all_read {
            self.known().keep_only(object, &ids);
        }
        Ok(true)
    }

    fn read_list(
        &self,
        object: Object,
        reply: &Reply,
        first: usize,
        ids: &mut HashSet<String>,
    ) -> Result<(Rows, usize, Option<i64>), Fault> {
        let mut listed: Listed<'_> = reply.json()?;
        let count = listed.count.0;
        let raws = listed
            .rows(object)
            .ok_or_else(|| missing(reply, object.word()))?;
        let now = self.session.service_now();
        let mut rows = Rows::default();
        let mut bad = Vec::new();
        decode::each::<Resource<'_>>(object.word(), first, &raws, &mut bad, |row, raw| {
            if row.id.is_empty() {
                return Err("the id is missing".to_owned());
            }
            ids.insert(row.id.owned());
            let task = self.moving(object, &row, raw, now);
            rows.tasks.extend(task);
            match object {
                Object::Group => rows.policies.push(row.policy(raw)),
                Object::Instance => rows.devices.push(row.device(raw)),
                Object::Pair => {}
                Object::Drill => rows.tasks.extend(self.drill(&row, raw)),
            }
            Ok(())
        });
        rows.bad = bad;
        Ok((rows, raws.len(), count))
    }

    /// The running task that a transitional status stands for.
    fn moving(
        &self,
        object: Object,
        row: &Resource<'_>,
        raw: Raw<'_>,
        now: Timestamp,
    ) -> Option<Task> {
        let operation = going_on(row.status.as_str());
        let mut known = self.known();
        let begun = known.note(object, row, operation.is_some(), now);
        let operation = operation?;
        if known.is_ours(object, row.id.as_str()) {
            return None;
        }
        let seen = known.get(object, row.id.as_str())?.clone();
        let (device, policy) = known.belongs(object, row.id.as_str(), &seen);
        Some(Task {
            id: moving_id(
                object,
                row.id.as_str(),
                row.status.as_str(),
                begun.unwrap_or(now),
            ),
            device,
            policy,
            operation: operation.to_owned(),
            native_status: row.status.owned(),
            phase: Phase::Running,
            progress: row.progress.percent().filter(|p| *p > 0),
            started_at: begun,
            object: object.word().to_owned(),
            facts: vec![(object.name(), row.name.or(row.id.as_str()).to_owned())],
            raw: raw_text(raw),
            ..Task::default()
        })
    }

    /// A drill that stands: it was made, and somebody has to end it.
    fn drill(&self, row: &Resource<'_>, raw: Raw<'_>) -> Option<Task> {
        if row.status.as_str() != "available" {
            return None;
        }
        let known = self.known();
        let policy = known.reference(Object::Group, row.server_group_id.as_str());
        Some(Task {
            id: format!("{}:{}", Object::Drill.word(), row.id.as_str()),
            policy,
            operation: "drill".to_owned(),
            native_status: row.status.owned(),
            phase: Phase::Succeeded,
            started_at: row.created_at.0,
            updated_at: row.updated_at.0,
            ended_at: row.updated_at.0,
            object: Object::Drill.word().to_owned(),
            facts: vec![
                ("DR drill", row.name.or(row.id.as_str()).to_owned()),
                ("drill VPC", row.drill_vpc_id.owned()),
            ],
            raw: raw_text(raw),
            ..Task::default()
        })
    }

    /// Failed tasks: those of groups themselves, then those inside each group.
    pub(super) async fn poll_failed(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let mut groups = self.known().groups();
        if groups.is_empty() {
            groups = self.list_groups().await?;
        }
        let jobs: Vec<BoxFuture<'_, GroupRead>> = (0_u32..)
            .zip(std::iter::once(None).chain(groups.into_iter().map(Some)))
            .map(|(n, group)| self.read_group(n * RANGE, group).boxed())
            .collect();
        let mut flight = in_flight(AT_ONCE, jobs);
        while let Some((group, read)) = flight.next().await {
            let read = match (group, read) {
                (_, Ok(pages)) => Ok(pages),
                (None, Err(fault)) => return Err(fault),
                (Some(group), Err(fault)) => Err((group, fault)),
            };
            match read {
                Ok(pages) => {
                    if !self.hand_over(pages, sink, &mut report).await {
                        return Ok(report);
                    }
                }
                // a group that went away between the two lists has no failed tasks
                Err((_, fault)) if is_gone(&fault) => {}
                Err((group, mut fault)) => {
                    fault.what = format!("failed tasks of group {}: {}", group.label(), fault.what);
                    if !stands_alone(&fault) {
                        return Err(fault);
                    }
                    report.complete = false;
                    report.partial.push(fault);
                }
            }
        }
        Ok(report)
    }

    async fn read_group(&self, first: u32, group: Option<Ref>) -> GroupRead {
        let read = self.read_failed(first, group.as_ref(), true).await;
        (group, read)
    }

    /// Every page of one list of failed tasks, not yet handed over. `briefly` allows [`Page::Same`].
    pub(super) async fn read_failed(
        &self,
        first_page: u32,
        group: Option<&Ref>,
        briefly: bool,
    ) -> Result<Vec<ReadPage>, Fault> {
        let mut pages = Vec::new();
        let mut offset = 0;
        for page in 0..RANGE {
            let number = first_page + page;
            let mut call = Call::get(&["task-center", "failure-jobs"])
                .with("limit", LIMIT.to_string())
                .with("offset", offset.to_string());
            if let Some(group) = group {
                call = call.with("server_group_id", group.id.clone());
            }
            let reply = self.session.read(&call).await?;
            let same = if briefly {
                self.pages().same(FAILED, number, &reply.body)
            } else {
                None
            };
            if let Some(rows) = same {
                pages.push(ReadPage {
                    number,
                    page: Page::Same,
                    body: reply.body,
                    rows,
                });
                if !goes_on(rows, offset, None) {
                    break;
                }
                offset += rows;
                continue;
            }
            let mut listed: Listed<'_> = reply.json()?;
            let count = listed.count.0;
            let raws = listed
                .failure_jobs
                .take()
                .ok_or_else(|| missing(&reply, "failure_jobs"))?;
            let mut rows = Rows::default();
            let mut bad = Vec::new();
            decode::each::<FailureJob<'_>>("failure_jobs", offset, &raws, &mut bad, |row, raw| {
                if row.job_id.is_empty() && row.resource_id.is_empty() {
                    return Err("neither job_id nor resource_id is there".to_owned());
                }
                rows.tasks.push(self.failed_task(&row, group, raw));
                Ok(())
            });
            rows.bad = bad;
            let n = raws.len();
            drop(raws);
            pages.push(ReadPage {
                number,
                page: Page::Rows(rows),
                body: reply.body,
                rows: n,
            });
            if !goes_on(n, offset, count) {
                break;
            }
            offset += n;
        }
        Ok(pages)
    }

    fn failed_task(&self, row: &FailureJob<'_>, group: Option<&Ref>, raw: Raw<'_>) -> Task {
        let mut task = row.task(group, raw);
        if task.device.is_none() && Object::read(row.resource_type.as_str()) == Some(Object::Pair) {
            let known = self.known();
            let instance = known
                .get(Object::Pair, row.resource_id.as_str())
                .map(|seen| seen.instance_id.clone())
                .unwrap_or_default();
            task.device = known.reference(Object::Instance, &instance);
        }
        task
    }

    /// Hands pages over and remembers each that was taken; false when nobody wants more.
    async fn hand_over(
        &self,
        pages: Vec<ReadPage>,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
    ) -> bool {
        for read in pages {
            if !sink.page(read.number, read.page).await {
                report.complete = false;
                return false;
            }
            self.pages()
                .keep(FAILED, read.number, &read.body, read.rows);
            report.pages += 1;
        }
        true
    }

    async fn list_groups(&self) -> Result<Vec<Ref>, Fault> {
        let mut groups = Vec::new();
        let mut offset = 0;
        loop {
            let call = Call::get(&[Object::Group.path()])
                .with("limit", LIMIT.to_string())
                .with("offset", offset.to_string());
            let reply = self.session.read(&call).await?;
            let mut listed: Listed<'_> = reply.json()?;
            let raws = listed
                .rows(Object::Group)
                .ok_or_else(|| missing(&reply, Object::Group.word()))?;
            let mut bad = Vec::new();
            decode::each::<Resource<'_>>("server_groups", offset, &raws, &mut bad, |row, _| {
                if row.id.is_empty() {
                    return Err("the id is missing".to_owned());
                }
                groups.push(Ref::new(row.id.owned(), row.name.owned()));
                Ok(())
            });
            if !goes_on(raws.len(), offset, listed.count.0) {
                return Ok(groups);
            }
            offset += raws.len();
        }
    }

    /// The jobs that were started here and have not ended.
    pub(super) async fn poll_jobs(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let own: Vec<String> = self.known().own.keys().cloned().collect();
        let mut rows = Rows::default();
        for id in own {
            match self.job(&id).await {
                Ok(Some(task)) => {
                    if task.phase.is_over() {
                        self.known().own.remove(&id);
                    }
                    rows.tasks.push(task);
                }
                Ok(None) => {
                    self.known().own.remove(&id);
                }
                Err(fault) => report.partial.push(fault),
            }
        }
        if !rows.is_empty() {
            report.pages = 1;
            sink.page(0, Page::Rows(rows)).await;
        }
        Ok(report)
    }
}

/// The resource does not exist: HTTP 404, or 400 with one of the codes that say so.
pub(super) fn is_gone(fault: &Fault) -> bool {
    const GONE: [&str; 4] = ["SDRS.1013", "SDRS.1320", "SDRS.1608", "SDRS.1902"];
    fault.kind == FaultKind::Refused
        && fault.code.as_ref().is_some_and(|c| {
            c.http_status == Some(404) && !c.code.starts_with("APIGW")
                || GONE.contains(&c.code.as_str())
        })
}

/// A fault of one list that says nothing about the others.
fn stands_alone(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Refused | FaultKind::Garbled | FaultKind::Server
    )
}

pub(super) fn missing(reply: &Reply, key: &str) -> Fault {
    Fault::new(
        FaultKind::Garbled,
        format!("the answer holds no \"{key}\""),
        reply.place.clone(),
        "Check that the endpoint is an SDRS address.",
    )
}
