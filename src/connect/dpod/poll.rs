//! Reading: the lists of plans over HTTP, and what the scripts left in the inbox.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::board::{Board, PlanKey};
use super::feed::lock;
use super::plans::{Listed, Plan, PlanRow, SORTS, Sort};
use super::{Dpod, PLANS};
use crate::connect::decode::each;
use crate::connect::http::Reply;
use crate::connect::page::{Book, Turned};
use crate::connect::{Page, PageSink, PollContext, PollReport, TaskLook};
use crate::model::{Device, Fault, FaultKind, Policy, Ref, Rows, Task, Timestamp};

/// Tasks on one page of the first round.
const TASKS_A_PAGE: usize = 2_000;
/// The page that holds the gateways.
const GATEWAYS_PAGE: u32 = 1_000_000;

impl Dpod {
    /// Reads the inbox up to now, off the threads that serve others: its folder may be on a network.
    pub(super) async fn catch_up(&self, history_from: Option<Timestamp>) -> Result<(), Fault> {
        let feed = Arc::clone(&self.feed);
        let turn = Arc::clone(&self.turn);
        let now = self.session.service_now();
        // One reads at a time; a folder that hangs holds up one thread, not one for each question.
        let read = async move {
            let turn = turn.lock_owned().await;
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let mut feed = lock(&feed);
                feed.history_from = history_from.or(feed.history_from);
                feed.catch_up(now)
            })
            .await
        };
        let wrong = |kind, what: String| {
            Err(Fault::new(
                kind,
                what,
                self.inbox.dir().display().to_string(),
                "Check that the folder is there, mounted, and may be read by this user.",
            ))
        };
        match tokio::time::timeout(self.timeout, read).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(e))) => wrong(
                FaultKind::Unreachable,
                format!("the inbox can't be read: {e}"),
            ),
            Ok(Err(e)) => wrong(
                FaultKind::Garbled,
                format!("reading the inbox broke off: {e}"),
            ),
            Err(_) => wrong(
                FaultKind::Timeout,
                format!(
                    "the inbox's folder did not answer within {:.0} s",
                    self.timeout.as_secs_f64()
                ),
            ),
        }
    }

    /// What the scripts have left.
    pub(super) async fn poll_events(
        &self,
        context: PollContext,
        sink: &mut dyn PageSink,
    ) -> Result<PollReport, Fault> {
        self.catch_up(context.history_from).await?;
        let everything = context.changed_since.is_none();
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let (tasks, bad, devices, done) = {
            let feed = lock(&self.feed);
            let board = &feed.board;
            if !feed.exists {
                report.partial.push(self.nothing_yet());
            }
            let news = everything || feed.bad_news || !board.dirty.is_empty();
            // what has not ended stands on the first page, which is shown in every round
            let tasks = news.then(|| {
                let mut rows = self.task_rows(board, everything);
                rows.sort_by_key(|row| !row.phase.is_live());
                rows
            });
            let devices = (everything || board.gateways_dirty).then(|| self.devices(board));
            (tasks, feed.bad.clone(), devices, board.dirty.clone())
        };
        match tasks {
            None => {
                report.complete &= sink.page(0, Page::Same).await;
                report.pages += 1;
            }
            Some(mut rows) => {
                let mut number = 0;
                let live = rows.iter().filter(|row| row.phase.is_live()).count();
                let mut size = TASKS_A_PAGE.max(live);
                loop {
                    let rest = rows.split_off(rows.len().min(size));
                    size = TASKS_A_PAGE;
                    let page = Rows {
                        tasks: rows,
                        bad: if number == 0 { bad.clone() } else { Vec::new() },
                        ..Rows::default()
                    };
                    if !sink.page(number, Page::Rows(page)).await {
                        report.complete = false;
                        return Ok(report);
                    }
                    report.pages += 1;
                    number += 1;
                    rows = rest;
                    if rows.is_empty() {
                        break;
                    }
                }
                let mut feed = lock(&self.feed);
                feed.bad_news = false;
                // what changed while the pages were taken stays for the next round
                feed.board.dirty.retain(|id| !done.contains(id));
            }
        }
        let page = match devices {
            Some(devices) => Page::Rows(Rows {
                devices,
                ..Rows::default()
            }),
            None => Page::Same,
        };
        if !sink.page(GATEWAYS_PAGE, page).await {
            report.complete = false;
            return Ok(report);
        }
        lock(&self.feed).board.gateways_dirty = false;
        report.pages += 1;
        Ok(report)
    }

    /// All tasks and runs, or those that changed and those that have not ended: what has not ended is shown in
    /// every round.
    fn task_rows(&self, board: &Board, everything: bool) -> Vec<Task> {
        let wanted = |id: &str, live: bool| everything || live || board.dirty.contains(id);
        let mut rows = Vec::new();
        for (id, task) in &board.tasks {
            if wanted(id, task.phase().is_live()) {
                rows.push(task.row(self.policy(&(task.family.clone(), task.plan.clone()))));
            }
        }
        for (id, run) in &board.runs {
            if wanted(id, run.phase(&board.tasks).is_live()) {
                rows.push(self.run_row(board, run));
            }
        }
        rows
    }

    pub(super) fn run_row(&self, board: &Board, run: &super::run::Run) -> Task {
        let later = run.is_waiting().then(|| {
            board
                .runs_of(&run.key)
                .filter(|other| other.id != run.id)
                .filter_map(|other| other.begun)
                .filter(|begun| run.started().is_some_and(|sent| *begun > sent))
                .min()
        });
        run.row(self.policy(&run.key), &board.tasks, later.flatten())
    }

    /// The plan that scripts know by this name, as far as the list of plans tells which it is.
    pub(super) fn policy(&self, key: &PlanKey) -> Ref {
        let plans = lock(&self.plans);
        let mut fits = plans.iter().filter(|plan| plan.key() == *key);
        match (fits.next(), fits.next()) {
            (Some(plan), None) => Ref::new(plan.id.clone(), plan.name.clone()),
            _ => Ref::new("", key.1.clone()),
        }
    }

    fn devices(&self, board: &Board) -> Vec<Device> {
        let mut good: std::collections::HashMap<&str, Timestamp> = std::collections::HashMap::new();
        for task in board.tasks.values() {
            if let Some(at) = task.good_backup() {
                let newest = good.entry(task.device.as_str()).or_insert(at);
                *newest = (*newest).max(at);
            }
        }
        board
            .gateways
            .iter()
            .map(|(name, gateway)| {
                let mut policy_ids: Vec<String> = gateway
                    .plans
                    .iter()
                    .map(|key| self.policy(key).id)
                    .filter(|id| !id.is_empty())
                    .collect();
                policy_ids.sort();
                policy_ids.dedup();
                let mut facts = Vec::new();
                for (label, value) in [
                    ("SOMA port", gateway.port.clone()),
                    (
                        "Domains exported",
                        gateway
                            .domains
                            .iter()
                            .cloned()
                            .collect::<Vec<_>>()
                            .join(", "),
                    ),
                    ("Last named by a script", gateway.seen.rfc3339()),
                ] {
                    if !value.is_empty() {
                        facts.push((label, value));
                    }
                }
                Device {
                    id: name.clone(),
                    name: name.clone(),
                    what: "gateway",
                    place: gateway.host.clone(),
                    policy_ids,
                    last_success: good.get(name.as_str()).copied().max(gateway.good_before),
                    facts,
                    ..Device::default()
                }
            })
            .collect()
    }

    fn nothing_yet(&self) -> Fault {
        Fault::new(
            FaultKind::NotOffered,
            "DPOD has no call that lists tasks, and none of its scripts has reported to keepwatch yet",
            self.inbox.dir().display().to_string(),
            "Set the four scripts of assets/hooks/dpod in DPOD's plans, as assets/docs/dpod.md says; until then only \
             plans are seen.",
        )
    }

    /// The three lists of plans.
    pub(super) async fn poll_plans(&self, sink: &mut dyn PageSink) -> Result<PollReport, Fault> {
        let mut report = PollReport {
            complete: true,
            ..PollReport::default()
        };
        let mut all = Vec::new();
        for (number, sort) in (0_u32..).zip(SORTS) {
            match self.list(sort, number, sink).await {
                Ok(Some(plans)) => {
                    report.pages += 1;
                    all.extend(plans);
                }
                Ok(None) => {
                    report.complete = false;
                    return Ok(report);
                }
                // the first may be wrong for all; after that one family may be missing in an old version, or
                // not allowed to this user
                Err(fault) if number > 0 && stands_alone(&fault) => {
                    report.complete = false;
                    report.partial.push(fault);
                    let held = lock(&self.plans);
                    all.extend(held.iter().filter(|p| p.sort == sort).cloned());
                }
                Err(fault) => return Err(fault),
            }
        }
        let changed = {
            let mut held = lock(&self.plans);
            let changed = *held != all;
            *held = all;
            changed
        };
        if changed {
            // tasks and gateways name plans by their ids
            let mut feed = lock(&self.feed);
            let board = &mut feed.board;
            board.gateways_dirty = true;
            board.dirty.extend(board.tasks.keys().cloned());
            board.dirty.extend(board.runs.keys().cloned());
        }
        report.clock = self.session.clock();
        Ok(report)
    }

    /// One list; `None` when nobody wants more.
    async fn list(
        &self,
        sort: Sort,
        number: u32,
        sink: &mut dyn PageSink,
    ) -> Result<Option<Vec<Plan>>, Fault> {
        let reply = self.ask_list(sort).await?;
        let book = Book {
            session: &self.session,
            memory: &self.memory,
            feed: PLANS,
        };
        let turned = book
            .take(number, &reply, sink, |reply| decode(reply, sort))
            .await?;
        Ok(match turned {
            Turned::Next(plans) => Some(plans),
            Turned::Enough => None,
        })
    }

    /// The plans of one sort, asked for now.
    pub(super) async fn plans_of(&self, sort: Sort) -> Result<Vec<Plan>, Fault> {
        let reply = self.ask_list(sort).await?;
        decode(&reply, sort).map(|(_, plans)| plans)
    }

    /// One list's answer: asked once with the credentials we have, with and without the slash at its end.
    pub(super) async fn ask_list(&self, sort: Sort) -> Result<Reply, Fault> {
        self.gate.pass()?;
        let below = self.below().await?;
        let priority = crate::connect::http::Priority::Poll;
        let slash = !self.bare.load(Ordering::Relaxed);
        let mut reply = self
            .session
            .exchange(&sort.list(below, slash), priority)
            .await?;
        if reply.status == 404 {
            let other = self
                .session
                .exchange(&sort.list(below, !slash), priority)
                .await?;
            if other.is_success() {
                self.bare.store(slash, Ordering::Relaxed);
            }
            if other.status != 404 {
                reply = other;
            }
        }
        self.gate.note(&reply);
        if reply.status == 401 {
            return Err(self.gate.refuse(&reply));
        }
        reply.accept()
    }

    /// The path segments that the configured endpoint leaves out.
    pub(super) async fn below(&self) -> Result<&'static [&'static str], Fault> {
        const WHOLE: &[&str] = &["op", "api", "v1"];
        let base = self.session.base().await?;
        let segments: Vec<&str> = base
            .path_segments()
            .map(|s| s.filter(|s| !s.is_empty()).collect())
            .unwrap_or_default();
        let given = (0..=WHOLE.len())
            .rev()
            .find(|n| WHOLE.get(..*n).is_some_and(|part| segments.ends_with(part)))
            .unwrap_or(0);
        Ok(WHOLE.get(given..).unwrap_or_default())
    }

    /// One task or run as it is now.
    pub(super) async fn look(&self, task_id: &str) -> Result<TaskLook, Fault> {
        self.catch_up(None).await?;
        let feed = lock(&self.feed);
        let board = &feed.board;
        let row = board
            .tasks
            .get(task_id)
            .map(|task| task.row(self.policy(&(task.family.clone(), task.plan.clone()))))
            .or_else(|| board.runs.get(task_id).map(|run| self.run_row(board, run)));
        Ok(row.map_or(TaskLook::Gone, |task| TaskLook::Found(Box::new(task))))
    }

    /// What the self-test says about the inbox.
    pub(super) async fn check_inbox(&self) -> Result<String, Fault> {
        self.catch_up(None).await?;
        let feed = lock(&self.feed);
        if !feed.exists {
            return Err(self.nothing_yet());
        }
        let heard = feed.board.heard;
        let scripts = [
            ("before plans", heard.plan_begins),
            ("after plans", heard.plan_ends),
            ("before tasks", heard.task_begins),
            ("after tasks", heard.task_ends),
        ]
        .map(|(which, at)| match at {
            Some(at) => format!("{which} last at {}", at.rfc3339()),
            None => format!("{which} never"),
        })
        .join(", ");
        Ok(format!(
            "{}: {scripts}; {} damaged lines",
            self.inbox.dir().display(),
            feed.bad.len()
        ))
    }
}

/// Plans out of a list's answer.
fn decode(reply: &Reply, sort: Sort) -> Result<(Rows, Vec<Plan>), Fault> {
    let listed: Listed<'_> = reply.json()?;
    let raws = listed.plans.ok_or_else(|| {
        let mut fault = Fault::new(
            FaultKind::Garbled,
            "the answer holds no list of plans",
            reply.place.clone(),
            "Check that the endpoint is DPOD's web console.",
        );
        fault.code = Some(reply.code());
        fault
    })?;
    let mut rows = Rows::default();
    let mut plans: Vec<Plan> = Vec::new();
    let mut bad = Vec::new();
    each::<PlanRow<'_>>(sort.segment, 0, &raws, &mut bad, |row, raw| {
        let seen = |reference: &str| plans.iter().filter(|p| p.reference == reference).count();
        let (plan, policy) = row.plan(sort, raw, seen)?;
        let twin = (plan.twins > 0).then(|| plan.reference.clone());
        plans.push(plan);
        rows.policies.push(policy);
        if let Some(reference) = twin {
            mark_twins(&mut plans, &mut rows.policies, &reference);
        }
        Ok(())
    });
    rows.bad = bad;
    Ok((rows, plans))
}

/// Says it on the first of two plans with one reference too.
fn mark_twins(plans: &mut [Plan], policies: &mut [Policy], reference: &str) {
    let note = policies.last().and_then(|p| p.facts.last()).cloned();
    for (plan, policy) in plans.iter_mut().zip(policies) {
        if plan.reference == reference && plan.twins == 0 {
            plan.twins = 1;
            policy.facts.extend(note.clone());
        }
    }
}

/// A fault that concerns one list alone.
fn stands_alone(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::Refused | FaultKind::Server | FaultKind::Garbled | FaultKind::Auth
    )
}

/// The longest that the inbox's folder may take to answer.
pub(super) const fn patience_for(timeout_ms: u64) -> Duration {
    let ms = if timeout_ms < 1_000 {
        1_000
    } else {
        timeout_ms
    };
    Duration::from_millis(ms)
}
