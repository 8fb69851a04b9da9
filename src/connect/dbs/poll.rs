//! Reading plans, gateways and, plan by plan, tasks.

use std::collections::{HashMap, HashSet};

use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::Action;
use super::wire::{Gateway, Plan, Run, Sort};
use super::{Dbs, Known, PLANS, Quiet, TASKS};
use crate::connect::decode::{self, Int, Raw};
use crate::connect::http::{Priority, Reply, in_flight};
use crate::connect::{Page, PageSink, PollContext, PollReport, TaskLook, grid};
use crate::model::{Fault, FaultKind, Ref, Rows};

/// Plans and restores take 1 to 100 rows a page, the other lists 30, 50 or 100.
const SIZE: usize = 100;
/// Pages of one list: what lies beyond is another list's range of page numbers.
const RANGE: u32 = 1_000;
/// Reasons of failed tasks asked for in one round: each is a call of its own.
const REASONS: usize = 40;
/// Prechecks asked for in one round, the same way.
const CHECKS: usize = 20;

/// Lists whose first pages are asked for at the same time.
const WIDTH: usize = 16;

/// One list of one plan.
#[derive(Clone, Copy)]
struct RunList<'a> {
    sort: Sort,
    plan: &'a Ref,
    source: &'a Ref,
    /// Number of its first page.
    first: u32,
    /// When the round began, by the clock of [`grid`].
    round: u64,
}

impl RunList<'_> {
    fn page(&self, page: u32) -> Action {
        Action::new(self.sort.list().0)
            .with("BackupPlanId", self.plan.id.clone())
            .with("PageNum", page.to_string())
            .with("PageSize", SIZE.to_string())
    }
}

/// What a page said about its list, kept with its hash.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    more: bool,
    /// On a page of tasks: one of them is live.
    live: bool,
    /// On a page of plans: each with the database that it protects.
    plans: Vec<(Ref, Ref)>,
    /// On a page of plans: rows that could not be read.
    unread: usize,
}

/// A list: `Items` holds the array under a name of its own; it may be missing or null when empty.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Listed<'a> {
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    total_elements: Int,
}

/// The rows of a list and whether more pages follow. Pages count from 0.
pub(super) fn rows_of<'a>(
    reply: &'a Reply,
    key: &str,
    page: u32,
) -> Result<(Vec<Raw<'a>>, Turn), Fault> {
    let listed: Listed<'a> = reply.json()?;
    let odd = |e: serde_json::Error| {
        // taken for an empty list, it would make everything seem gone
        Fault::new(
            FaultKind::Garbled,
            format!("Items of the answer hold no list {key}: {e}"),
            reply.place.clone(),
            "Check that the endpoint belongs to this kind of service; if it does, report the answer.",
        )
    };
    let rows: Vec<Raw<'a>> = match listed.items.map(RawValue::get) {
        None | Some("null" | "\"\"") => Vec::new(),
        Some(items) => {
            let mut lists: HashMap<&str, &RawValue> = serde_json::from_str(items).map_err(odd)?;
            lists
                .remove(key)
                .map(|list| serde_json::from_str::<Option<Vec<Raw<'a>>>>(list.get()))
                .transpose()
                .map_err(odd)?
                .flatten()
                .unwrap_or_default()
        }
    };
    let before = page as usize * SIZE;
    let total = listed
        .total_elements
        .0
        .and_then(|n| usize::try_from(n).ok());
    let more =
        !rows.is_empty() && (rows.len() >= SIZE || total.is_some_and(|t| t > before + rows.len()));
    let turn = Turn {
        more,
        ..Turn::default()
    };
    Ok((rows, turn))
}

impl Dbs {
    /// Plans with their databases, then gateways.
    pub(super) async fn poll_plans(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let mut plans = Vec::new();
        let mut unread = 0;
        let mut checks_left = CHECKS;
        for page in 0..RANGE {
            let reply = self.plan_page(page).await?;
            let same = self.pages().same(PLANS, page, &reply.body);
            let (handed, turn, keep) = if let Some(turn) = same {
                (Page::Same, turn, true)
            } else {
                let (mut rows, turn) = read_plans(&reply, page)?;
                let explained = self.explain_checks(&mut rows.tasks, &mut checks_left).await;
                (Page::Rows(rows), turn, explained)
            };
            if !keep {
                // the sink will hold something else than what is remembered
                self.pages().forget(PLANS, page);
            }
            if !sink.page(page, handed).await {
                report.complete = false;
                return Ok(report);
            }
            plans.extend(turn.plans.iter().cloned());
            unread += turn.unread;
            let more = turn.more;
            if keep {
                self.pages().keep(PLANS, page, &reply.body, turn);
            }
            report.pages += 1;
            if !more {
                break;
            }
        }
        self.learn(plans, unread);
        self.poll_gateways(sink, &mut report).await;
        Ok(report)
    }

    /// Gateways of the configured region; the call needs one.
    async fn poll_gateways(&self, sink: &mut dyn PageSink, report: &mut PollReport) {
        if self.client.region.is_empty() {
            return;
        }
        for page in 0..RANGE {
            let action = Action::new("DescribeBackupGatewayList")
                .with("Region", self.client.region.clone())
                .with("PageNum", page.to_string())
                .with("PageSize", SIZE.to_string());
            let read = self.client.read(&action, Priority::Poll).await;
            let rows = read.and_then(|reply| {
                let (raws, turn) = rows_of(&reply, "BackupGateway", page)?;
                let mut rows = Rows::default();
                let mut bad = Vec::new();
                decode::each::<Gateway<'_>>(
                    "BackupGateway",
                    page as usize * SIZE,
                    &raws,
                    &mut bad,
                    |row, raw| {
                        if row.backup_gateway_id.is_empty() {
                            return Err("BackupGatewayId is missing".to_owned());
                        }
                        rows.devices.push(row.device(raw));
                        Ok(())
                    },
                );
                rows.bad = bad;
                Ok((rows, turn))
            });
            match rows {
                Ok((rows, turn)) => {
                    if !sink.page(RANGE + page, Page::Rows(rows)).await || !turn.more {
                        return;
                    }
                    report.pages += 1;
                }
                // rights on gateways are given apart from those on plans
                Err(fault) => {
                    report.complete = false;
                    report.partial.push(fault);
                    return;
                }
            }
        }
    }

    /// The tasks of every plan.
    pub(super) async fn poll_tasks(
        &self,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        if self.known().plans.is_empty() {
            self.list_plans().await?;
        }
        let (plans, unread) = {
            let known = self.known();
            (known.plans.clone(), known.unread_plans)
        };
        if unread > 0 {
            report.complete = false;
            report.partial.push(Fault::new(
                FaultKind::Garbled,
                format!("{unread} plans can't be read, so that their tasks can't be asked for"),
                self.client.shown(&Action::new("DescribeBackupPlanList")),
                "Look at these rows in the list of plans, and report them.",
            ));
        }
        let round = grid::now();
        let lists: Vec<RunList<'_>> = (0_u32..)
            .zip(plans.iter().flat_map(|of| Sort::ALL.map(|sort| (sort, of))))
            .map(|(number, (sort, (plan, source)))| RunList {
                sort,
                plan,
                source,
                first: number * RANGE,
                round,
            })
            .collect();
        let mut spared: Vec<Option<Quiet>> = lists
            .iter()
            .map(|list| self.quiet(list).filter(|_| !context.called))
            .collect();
        if spared.iter().all(Option::is_some)
            // one list at least is asked: that the service answers is known by nothing else
            && let Some(oldest) = spared.iter_mut().min_by_key(|s| s.map(|quiet| quiet.asked))
        {
            *oldest = None;
        }
        let asks = lists
            .iter()
            .zip(&spared)
            .filter(|(_, spared)| spared.is_none())
            .map(|(list, _)| self.first_page(list).boxed());
        let mut replies = in_flight(WIDTH, asks.collect());
        let mut reasons_left = REASONS;
        for (list, spared) in lists.iter().zip(&spared) {
            if let Some(quiet) = spared {
                for page in 0..quiet.pages {
                    if !sink.page(quiet.first + page, Page::Same).await {
                        report.complete = false;
                        return Ok(report);
                    }
                }
                continue;
            }
            let read = match replies.next().await {
                Some(Ok(reply)) => {
                    self.poll_runs(list, reply, sink, &mut report, &mut reasons_left)
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
                // a plan released meanwhile answers an error, not an empty list
                Err(fault) if is_unknown_plan(&fault) => {}
                Err(mut fault) if fault.kind == FaultKind::Refused => {
                    fault.what = format!(
                        "{} of plan {}: {}",
                        list.sort.word(),
                        list.plan.label(),
                        fault.what
                    );
                    report.complete = false;
                    report.partial.push(fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(report)
    }

    /// What is known of a list that need not be asked yet.
    fn quiet(&self, list: &RunList<'_>) -> Option<Quiet> {
        self.known()
            .spared(&list.plan.id, list.sort, list.first, list.round)
    }

    async fn first_page(&self, list: &RunList<'_>) -> Result<Reply, Fault> {
        self.client.read(&list.page(0), Priority::Poll).await
    }

    /// Reads a list whose first page is already here. False when nobody wants more.
    async fn poll_runs(
        &self,
        list: &RunList<'_>,
        first: Reply,
        sink: &mut dyn PageSink,
        report: &mut PollReport,
        reasons_left: &mut usize,
    ) -> Result<bool, Fault> {
        let key = (list.plan.id.clone(), list.sort);
        self.known().quiet.remove(&key);
        let mut quiet = true;
        let mut ready = Some(first);
        for page in 0..RANGE {
            let reply = match ready.take() {
                Some(reply) => reply,
                None => self.client.read(&list.page(page), Priority::Poll).await?,
            };
            let number = list.first + page;
            let same = self.pages().same(TASKS, number, &reply.body);
            let (handed, turn, keep) = if let Some(turn) = same {
                (Page::Same, turn, true)
            } else {
                let key = list.sort.list().1;
                let source = Some(list.source);
                let (mut rows, mut turn) =
                    read_runs(&reply, key, page, list.sort, list.plan, source)?;
                turn.live = rows.tasks.iter().any(|task| task.phase.is_live());
                let mut explained = self.explain(list.sort, &mut rows.tasks, reasons_left).await;
                if list.sort == Sort::Restore {
                    explained &= self.explain_checks(&mut rows.tasks, reasons_left).await;
                }
                (Page::Rows(rows), turn, explained)
            };
            if !keep {
                // the sink will hold something else than what is remembered
                self.pages().forget(TASKS, number);
            }
            if !sink.page(number, handed).await {
                return Ok(false);
            }
            // a page with failures that are not explained yet is read again at the next round
            if keep {
                self.pages().keep(TASKS, number, &reply.body, turn.clone());
            }
            quiet &= keep && !turn.live;
            report.pages += 1;
            if !turn.more {
                if quiet {
                    let held = Quiet {
                        asked: list.round,
                        first: list.first,
                        pages: page + 1,
                    };
                    self.known().quiet.insert(key, held);
                }
                break;
            }
        }
        Ok(true)
    }

    /// Which plans there are, for a round of tasks that comes before the first round of plans.
    async fn list_plans(&self) -> Result<(), Fault> {
        let mut plans = Vec::new();
        let mut unread = 0;
        for page in 0..RANGE {
            let reply = self.plan_page(page).await?;
            let (_, turn) = read_plans(&reply, page)?;
            plans.extend(turn.plans);
            unread += turn.unread;
            if !turn.more {
                break;
            }
        }
        self.learn(plans, unread);
        Ok(())
    }

    /// Which plans there are, and how many rows of their list could not be read.
    fn learn(&self, plans: Vec<(Ref, Ref)>, unread: usize) {
        let mut known = self.known();
        let Known { quiet, acted, .. } = &mut *known;
        let held: HashSet<&str> = plans.iter().map(|(plan, _)| plan.id.as_str()).collect();
        quiet.retain(|(plan, _), _| held.contains(plan.as_str()));
        acted.retain(|plan, _| held.contains(plan.as_str()));
        known.plans = plans;
        known.unread_plans = unread;
    }

    async fn plan_page(&self, page: u32) -> Result<Reply, Fault> {
        let action = Action::new("DescribeBackupPlanList")
            .with("PageNum", page.to_string())
            .with("PageSize", SIZE.to_string());
        self.client.read(&action, Priority::Poll).await
    }

    /// One task: its plan's list of the sort is read until it is found.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        let mut parts = task_id.splitn(3, ':');
        let (Some(word), Some(plan), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return Ok(TaskLook::Gone);
        };
        let Some(sort) = Sort::read(word) else {
            return Ok(TaskLook::NotOffered);
        };
        let (plan, source) = {
            let known = self.known();
            let found = known.plans.iter().find(|(p, _)| p.id == plan).cloned();
            found.map_or_else(|| (Ref::new(plan, ""), None), |(p, s)| (p, Some(s)))
        };
        let (list, key) = sort.list();
        for page in 0..RANGE {
            let action = Action::new(list)
                .with("BackupPlanId", plan.id.clone())
                .with("PageNum", page.to_string())
                .with("PageSize", SIZE.to_string());
            let reply = match self.client.read(&action, Priority::Operator).await {
                Ok(reply) => reply,
                Err(fault) if is_unknown_plan(&fault) => return Ok(TaskLook::Gone),
                Err(fault) => return Err(fault),
            };
            let (mut rows, turn) = read_runs(&reply, key, page, sort, &plan, source.as_ref())?;
            if let Some(at) = rows.tasks.iter().position(|t| t.id == task_id) {
                let mut task = rows.tasks.swap_remove(at);
                let one = std::slice::from_mut(&mut task);
                self.explain(sort, one, &mut 1).await;
                self.explain_checks(one, &mut 1).await;
                return Ok(TaskLook::Found(Box::new(task)));
            }
            if !turn.more {
                break;
            }
        }
        Ok(TaskLook::Gone)
    }
}

/// Plans as policies, their databases, and those that failed as tasks.
fn read_plans(reply: &Reply, page: u32) -> Result<(Rows, Turn), Fault> {
    let (raws, mut turn) = rows_of(reply, "BackupPlanDetail", page)?;
    let mut rows = Rows::default();
    let mut bad = Vec::new();
    let mut sources = HashSet::new();
    let before = page as usize * SIZE;
    decode::each::<Plan<'_>>("BackupPlanDetail", before, &raws, &mut bad, |plan, raw| {
        if plan.backup_plan_id.is_empty() {
            return Err("BackupPlanId is missing".to_owned());
        }
        turn.plans.push((
            Ref::new(plan.backup_plan_id.owned(), plan.backup_plan_name.owned()),
            Ref::new(plan.source_id(), plan.source_id()),
        ));
        rows.policies.push(plan.policy(raw));
        if sources.insert(plan.source_id().to_owned()) {
            rows.devices.push(plan.device());
        }
        rows.tasks.extend(plan.failed_task(raw));
        Ok(())
    });
    turn.unread = bad.len();
    rows.bad = bad;
    Ok((rows, turn))
}

fn read_runs(
    reply: &Reply,
    key: &str,
    page: u32,
    sort: Sort,
    plan: &Ref,
    source: Option<&Ref>,
) -> Result<(Rows, Turn), Fault> {
    let (raws, turn) = rows_of(reply, key, page)?;
    let mut rows = Rows::default();
    let mut bad = Vec::new();
    decode::each::<Run<'_>>(key, page as usize * SIZE, &raws, &mut bad, |run, raw| {
        if run.id(sort).is_empty() {
            return Err("the id is missing".to_owned());
        }
        rows.tasks.push(run.task(sort, plan, source, raw));
        Ok(())
    });
    rows.bad = bad;
    Ok((rows, turn))
}

/// The service's way of saying that it knows no such plan (any more).
pub(super) fn is_unknown_plan(fault: &Fault) -> bool {
    fault
        .code
        .as_ref()
        .is_some_and(|c| matches!(c.code.as_str(), "InvalidParameterValid" | "InvalidJobId"))
}
