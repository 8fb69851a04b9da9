//! Pages to read: help, actions of this session, services.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Fault, Health, Phase};
use crate::operate::{ActionRecord, Stage};
use crate::store::history::{HistoryState, Place};

use super::super::layout::Layout;
use super::super::state::layer::{Page, PageKind};
use super::super::state::{Batch, State};
use super::super::text::{count, span, wrap};
use super::super::theme::Role;
use super::super::thing::name_of;
use super::super::ticket::capital;
use super::brush::{Text, clear};
use super::course::stage_role;
use super::cx::Cx;
use super::frame::{self, Edge};
use super::help;
use super::services::{age_of, role_of};

/// Draws the page; pages have no cursor.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, page: Page, layout: &Layout) -> Option<(u16, u16)> {
    let rect = layout.body;
    clear(buf, rect, cx.style(Role::Text));
    let edge = Edge {
        title: Text::of(title(page.kind), cx.style(Role::Strong)),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let lines = content(cx, page.kind, usize::from(area.width));
    let most = lines.len().saturating_sub(usize::from(area.height));
    super::card::lines(cx, buf, area, &lines, page.scroll.min(most));
    None
}

const fn title(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Help => "Keys and words",
        PageKind::Deeds => "Actions of this session",
        PageKind::Services => "Services",
    }
}

/// How many lines a page has.
#[must_use]
pub fn line_count(state: &State, kind: PageKind) -> usize {
    let width = Layout::of(state).body.width.saturating_sub(4);
    content(&Cx::new(state), kind, usize::from(width)).len()
}

fn content<'s>(cx: &Cx<'s>, kind: PageKind, width: usize) -> Vec<Text<'s>> {
    match kind {
        PageKind::Help => help::content(cx, width),
        PageKind::Deeds => deeds(cx, width),
        PageKind::Services => services(cx, width),
    }
}

fn say<'s>(
    cx: &Cx<'_>,
    out: &mut Vec<Text<'s>>,
    width: usize,
    indent: &str,
    text: &str,
    role: Role,
) {
    for line in wrap(text, width.saturating_sub(indent.len())) {
        out.push(Text::of(format!("{indent}{line}"), cx.style(role)));
    }
}

// ---- actions

fn deeds<'s>(cx: &Cx<'s>, width: usize) -> Vec<Text<'s>> {
    let mut out = Vec::new();
    let waiting = cx.state.deeds.waiting();
    if waiting > 0 {
        let text = format!("{} wait to be sent; w stops them.", count(waiting));
        say(cx, &mut out, width, "", &text, Role::Warning);
        out.push(Text::new());
    }
    for batch in cx.state.deeds.batches().iter().rev() {
        sum(cx, &mut out, batch, width);
        out.push(Text::new());
    }
    for record in cx.state.ledger.records().iter().rev() {
        deed(cx, &mut out, record, width);
    }
    if out.is_empty() {
        say(
            cx,
            &mut out,
            width,
            "",
            "Nothing was sent in this session.",
            Role::Dim,
        );
    }
    out
}

/// So many of what a batch left out are named; the confirmation named them all.
const LEFT_OUT: usize = 3;

/// What came of many actions behind one yes.
fn sum(cx: &Cx<'_>, out: &mut Vec<Text<'_>>, batch: &Batch, width: usize) {
    let ledger = &cx.state.ledger;
    let progress = batch.progress(ledger);
    let role = match progress {
        p if !p.is_settled() => Role::Running,
        p if p.is_whole() => Role::Good,
        _ => Role::Warning,
    };
    out.push(
        Text::of(
            format!("{} on {}: ", batch.label, count(progress.total)),
            cx.style(Role::Strong),
        )
        .with(progress.in_words(), cx.style(role)),
    );
    for (code, n) in batch.refusals(ledger) {
        let code = if code.is_empty() { "no code" } else { &code };
        say(
            cx,
            out,
            width,
            "  ",
            &format!("{n} refused with {code}"),
            Role::Text,
        );
    }
    for (name, why) in batch.left_out.iter().take(LEFT_OUT) {
        say(
            cx,
            out,
            width,
            "  ",
            &format!("left out, {name}: {why}"),
            Role::Dim,
        );
    }
    if batch.left_out.len() > LEFT_OUT {
        let text = format!(
            "and {} more left out",
            count(batch.left_out.len() - LEFT_OUT)
        );
        say(cx, out, width, "  ", &text, Role::Dim);
    }
    let rest = batch.rest(ledger).count();
    if progress.is_settled() && rest > 0 {
        let text = format!("r asks again for the {} refused or not sent", count(rest));
        say(cx, out, width, "  ", &text, Role::Dim);
    }
    if progress.unknown > 0 {
        let text =
            "What has an unknown outcome may have been carried out: look before you repeat it.";
        say(cx, out, width, "  ", text, Role::Warning);
    }
}

fn deed<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, record: &'s ActionRecord, width: usize) {
    let intent = &record.prepared.intent;
    let stage = record.stage();
    let dim = cx.style(Role::Dim);
    let service = name_of(&cx.state.store, intent.service);
    let at = cx.state.look.zone.near(record.confirmed_at(), cx.state.now);
    out.push(
        Text::of(format!("{at}  "), dim)
            .with(
                capital(&intent.action.replace('-', " ")),
                cx.style(Role::Text),
            )
            .with(format!(" {}", intent.target.name), cx.style(Role::Strong))
            .with(format!(" on {service}"), dim)
            .with(format!("  {} ", cx.glyphs.to), dim)
            .with(stage.word(), cx.style(stage_role(stage))),
    );
    let more = match stage {
        Stage::Accepted { answer } => format!("HTTP {} {}", answer.http_status, answer.request_id),
        Stage::Refused { code, .. } => format!("{} {}", code.code, code.message),
        Stage::NotSent { fault } | Stage::Unknown { fault } => fault.to_string(),
        Stage::FoundDone { seen } => seen.clone(),
        Stage::FoundNothing { looked_at } => format!("looked at {looked_at}"),
        Stage::CannotTell { why } => why.clone(),
        Stage::Observed {
            task_id,
            native_status,
            ..
        } => format!("task {task_id}: {native_status}"),
        Stage::Sending { step } => step.clone(),
        Stage::Looking { look } => format!("look number {look}"),
        Stage::Confirmed | Stage::NothingFollowed => String::new(),
    };
    if !more.trim().is_empty() {
        say(cx, out, width, "          ", &more, Role::Dim);
    }
}

// ---- services

fn services<'s>(cx: &Cx<'s>, width: usize) -> Vec<Text<'s>> {
    let mut out = Vec::new();
    let dim = cx.style(Role::Dim);
    for state in cx.state.store.services() {
        let service = &state.service;
        let health = &state.health;
        if !out.is_empty() {
            out.push(Text::new());
        }
        let label = age_of(cx, health);
        cx.changes_in(label.stays_ms);
        let mut line = Text::of(&*service.name, cx.style(Role::Strong))
            .with(format!(" {}  ", service.kind), dim)
            .with(
                format!("{} {}", cx.glyphs.health(health), health.word()),
                cx.style(role_of(health)),
            );
        if label.text != health.word() {
            line.push(format!("  {}", label.text), dim);
        }
        if service.embedded {
            line.push("  embedded demo", dim);
        }
        if service.read_only {
            line.push("  read-only", cx.style(Role::Warning));
        }
        out.push(line);
        let of = |wanted: fn(Phase) -> bool| -> usize {
            let phases = Phase::ALL.into_iter().filter(|p| wanted(*p));
            phases.map(|p| state.in_phase(p) as usize).sum()
        };
        let (failed, live) = (of(Phase::needs_person), of(Phase::is_live));
        let text = format!("{} failed, {} running", count(failed), count(live));
        say(cx, &mut out, width, "  ", &text, Role::Text);
        if let Health::Down { fault, .. } = health {
            say_fault(cx, &mut out, width, fault, Role::Failed);
        }
        for (_, fault) in state.partial() {
            say_fault(cx, &mut out, width, fault, Role::Warning);
        }
        let off = state.clock_offset_ms.unwrap_or(0);
        if off.abs() > 30_000 {
            let side = if off > 0 { "ahead of" } else { "behind" };
            let text = format!("its clock is {} {side} ours", span(off.abs()));
            say(cx, &mut out, width, "  ", &text, Role::Warning);
        }
        for (_, bad) in state.bad_rows() {
            let text = format!("a row could not be read, {}: {}", bad.place, bad.why);
            say(cx, &mut out, width, "  ", &text, Role::Warning);
        }
        if let Some(capabilities) = cx.state.operator.capabilities(service.id) {
            for (what, support) in capabilities.rows() {
                let (sign, role) = if support.is_offered() {
                    (cx.glyphs.good, Role::Good)
                } else {
                    (cx.glyphs.off, Role::Off)
                };
                let mut line = Text::of(format!("  {sign} "), cx.style(role));
                line.push(format!("{what:<14}"), cx.style(Role::Text));
                // the reasons are what one comes here for: none is cut
                const INDENT: usize = 18;
                let mut parts = wrap(support.remark(), width.saturating_sub(INDENT)).into_iter();
                if let Some(first) = parts.next() {
                    line.push(first, dim);
                }
                out.push(line);
                for part in parts {
                    out.push(Text::of(" ".repeat(INDENT), dim).with(part, dim));
                }
            }
        }
    }
    if out.is_empty() {
        say(
            cx,
            &mut out,
            width,
            "",
            "No services are configured.",
            Role::Dim,
        );
    }
    history(cx, &mut out, width);
    out
}

/// Where the past is kept, and whether it is.
fn history<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, width: usize) {
    let Some(health) = &cx.state.history else {
        return;
    };
    out.push(Text::new());
    out.push(Text::of("History", cx.style(Role::Strong)));
    let place = match &health.place {
        Place::File(path) => format!("kept in {}", path.display()),
        Place::Memory => "kept in memory, for this run only".to_owned(),
        Place::Off(why) => format!("switched off: {why}"),
    };
    say(cx, out, width, "  ", &place, Role::Text);
    if let HistoryState::Failing { since, error } = &health.state {
        let text = format!(
            "{} not written for {}: {error}",
            cx.glyphs.failed,
            cx.ago(*since)
        );
        say(cx, out, width, "  ", &text, Role::Failed);
        let text = format!("{} changes wait to be written", count(health.waiting));
        say(cx, out, width, "  ", &text, Role::Warning);
    }
    if health.lost > 0 {
        let text = format!("{} changes were lost", health.lost);
        say(cx, out, width, "  ", &text, Role::Warning);
    }
    for notice in &health.notices {
        say(cx, out, width, "  ", notice, Role::Warning);
    }
}

fn say_fault<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, width: usize, fault: &Fault, role: Role) {
    let sign = if role == Role::Failed {
        cx.glyphs.failed
    } else {
        cx.glyphs.warning
    };
    say(cx, out, width, "  ", &format!("{sign} {fault}"), role);
}
