//! How it came to this: a task's transitions, a device's or policy's tasks, and what was done about it.

use crate::operate::Stage;
use crate::store::TaskRow;

use super::super::card::Card;
use super::super::text::{span, wrap};
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::Text;
use super::card::{fact, facts};
use super::cx::Cx;

/// How many of a device's or policy's tasks are listed.
const TASKS: usize = 200;

/// What stands beside the meaning: the newest transitions, the standing of the device, the service's words.
#[must_use]
pub fn beside<'s>(cx: &Cx<'s>, thing: Thing, width: usize) -> Vec<Text<'s>> {
    let Thing::Task(row) = thing else {
        return tasks(cx, thing, 20);
    };
    let mut out = transitions(cx, row, 4);
    let store = &cx.state.store;
    let task = store.task(row);
    let service = task.service_id();
    if let Some(device) = store.find_device(service, task.device().0) {
        let stats = store.device(device).stats();
        let dim = cx.style(Role::Dim);
        let mut line = Text::new();
        if stats.streak > 1 {
            line.push(
                format!("{} failures in a row", stats.streak),
                cx.style(Role::Failed),
            );
            line.push(format!(" {} ", cx.glyphs.dot), dim);
        }
        match stats.last_good {
            Some(t) => line.push(format!("last good {}", cx.ago_said(t)), dim),
            None => line.push("no good backup known", cx.style(Role::Warning)),
        }
        out.push(line);
    }
    said(cx, row, width, &mut out);
    deeds(cx, thing, &mut out);
    out
}

/// The service's own text.
fn said<'s>(cx: &Cx<'_>, row: TaskRow, width: usize, out: &mut Vec<Text<'s>>) {
    let card = Card::of(&cx.state.catalog, &cx.state.store, row);
    if card.says.is_empty() {
        return;
    }
    for (i, line) in wrap(&format!("service says: {}", card.says), width)
        .into_iter()
        .enumerate()
    {
        let mut text = Text::new();
        match line.strip_prefix("service says: ").filter(|_| i == 0) {
            Some(rest) => {
                text.push("service says: ", cx.style(Role::Dim));
                text.push(rest.to_owned(), cx.style(Role::Text));
            }
            None => text.push(line.to_owned(), cx.style(Role::Text)),
        }
        out.push(text);
    }
}

/// The whole course, for the opened row.
#[must_use]
pub fn whole<'s>(cx: &Cx<'s>, thing: Thing, width: usize) -> Vec<Text<'s>> {
    let mut out = match thing {
        Thing::Task(row) => {
            let mut out = transitions(cx, row, usize::MAX);
            if out.is_empty() {
                let none = "Nothing was seen to change since keepwatch started.";
                out.push(Text::of(none, cx.style(Role::Dim)));
            }
            out.push(Text::new());
            times(cx, row, &mut out);
            said(cx, row, width, &mut out);
            facts(cx, thing, &mut out, width);
            out
        }
        _ => tasks(cx, thing, TASKS),
    };
    deeds(cx, thing, &mut out);
    out
}

/// The newest transitions, oldest of them first, with the time between them.
fn transitions<'s>(cx: &Cx<'s>, row: TaskRow, most: usize) -> Vec<Text<'s>> {
    let task = cx.state.store.task(row);
    let mut all: Vec<_> = task.transitions().collect();
    all.reverse();
    let hidden = all.len().saturating_sub(most);
    let dim = cx.style(Role::Dim);
    let mut out = Vec::new();
    let mut before = None;
    for t in all.into_iter().skip(hidden) {
        let at = t.reported_at.unwrap_or(t.seen_at);
        let mut line = Text::of(cx.state.look.zone.near(at, cx.state.now), dim);
        line.push("  ", dim);
        match &t.from {
            Some(from) => line.push(format!("{from} {} ", cx.glyphs.to), dim),
            None => line.push("first seen as ", dim),
        }
        line.push(t.to.clone(), cx.style(cx.role_of(t.to_phase)));
        if let Some(before) = before {
            line.push(format!("  after {}", span(at.since(before))), dim);
        }
        before = Some(at);
        out.push(line);
    }
    out
}

fn times<'s>(cx: &Cx<'_>, row: TaskRow, out: &mut Vec<Text<'s>>) {
    let task = cx.state.store.task(row);
    let zone = cx.state.look.zone;
    for (label, at) in [
        ("started", task.started_at()),
        ("changed", task.updated_at()),
        ("ended", task.ended_at()),
        ("seen to change", task.changed_at()),
    ] {
        if let Some(at) = at {
            out.push(fact(
                cx,
                label,
                Text::of(zone.full(at), cx.style(Role::Text)),
            ));
        }
    }
    if let (Some(from), Some(to)) = (task.started_at(), task.ended_at()) {
        out.push(fact(
            cx,
            "took",
            Text::of(span(to.since(from)), cx.style(Role::Text)),
        ));
    }
    out.push(fact(
        cx,
        "id",
        Text::of(task.id().to_owned(), cx.style(Role::Text)),
    ));
}

/// The newest tasks of a device or policy.
fn tasks<'s>(cx: &Cx<'s>, thing: Thing, most: usize) -> Vec<Text<'s>> {
    let store = &cx.state.store;
    let rows: Vec<TaskRow> = match thing {
        Thing::Device(row) => store.tasks_of_device(row).take(most).collect(),
        Thing::Policy(row) => store.tasks_of_policy(row).take(most).collect(),
        Thing::Task(_) => Vec::new(),
    };
    if rows.is_empty() {
        return vec![Text::of("No task of it is known.", cx.style(Role::Dim))];
    }
    rows.into_iter()
        .map(|row| {
            let task = store.task(row);
            let dim = cx.style(Role::Dim);
            let role = cx.role_of(task.phase());
            let at = task.ended_at().or(task.updated_at()).or(task.started_at());
            let at = at.map_or_else(|| "-".into(), |t| cx.state.look.zone.near(t, cx.state.now));
            let mut line = Text::of(format!("{at:<11}  "), dim);
            line.push(
                format!("{} ", cx.glyphs.phase(task.phase())),
                cx.style(role),
            );
            line.push(task.operation(), cx.style(Role::Text));
            line.push(format!("  {}", task.native_status()), cx.style(role));
            if !task.code().is_empty() {
                line.push(format!("  {}", task.code()), cx.style(Role::Text));
            }
            if let Thing::Policy(_) = thing {
                line.push(format!("  {}", task.device_label()), dim);
            }
            line
        })
        .collect()
}

/// What was done about it in this run.
fn deeds<'s>(cx: &Cx<'_>, thing: Thing, out: &mut Vec<Text<'s>>) {
    let store = &cx.state.store;
    let (service, id) = (thing.service(store), thing.id(store));
    for record in cx.state.ledger.records().iter().rev() {
        let intent = &record.prepared.intent;
        if intent.service != service || intent.target.id != id {
            continue;
        }
        let at = cx.state.look.zone.near(record.confirmed_at(), cx.state.now);
        out.push(
            Text::of(format!("{at}  you: "), cx.style(Role::Dim))
                .with(intent.action, cx.style(Role::Text))
                .with(
                    format!(", {}", record.stage().word()),
                    cx.style(stage_role(record.stage())),
                ),
        );
    }
}

/// The role of a stage's colour.
#[must_use]
pub const fn stage_role(stage: &Stage) -> Role {
    match stage {
        Stage::Confirmed | Stage::Sending { .. } | Stage::Looking { .. } => Role::Running,
        Stage::Accepted { .. } | Stage::FoundDone { .. } => Role::Good,
        Stage::Refused { .. } => Role::Failed,
        Stage::NotSent { .. } | Stage::NothingFollowed => Role::Warning,
        Stage::Unknown { .. } | Stage::FoundNothing { .. } | Stage::CannotTell { .. } => {
            Role::Uncertain
        }
        Stage::Observed { phase, .. } => {
            if phase.needs_person() {
                Role::Failed
            } else if phase.is_over() {
                Role::Good
            } else {
                Role::Running
            }
        }
    }
}
