//! Pages to read: help, actions of this session, services.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::connect::Capabilities;
use crate::model::{Health, Kind, Service};
use crate::operate::{ActionRecord, Stage};
use crate::store::ServiceState;
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
        let label = age_of(cx, health);
        cx.changes_in(label.stays_ms);
        let mut line = Text::of(&*service.name, cx.style(Role::Strong))
            .with(format!(" {}  ", service.kind), dim)
            .with(cx.glyphs.health(health), cx.style(role_of(health)));
        // most labels begin with the word
        if !label.text.starts_with(health.word()) {
            line.push(format!(" {}", health.word()), cx.style(role_of(health)));
        }
        line.push(format!(" {}", label.text), cx.style(role_of(health)));
        if service.embedded {
            line.push("  embedded demo", dim);
        }
        if service.read_only {
            line.push("  read-only", cx.style(Role::Warning));
        }
        let counts = cx.state.store.counts_of(service.id, cx.state.now);
        let text = format!(
            "{} failed, {} running",
            count(counts.failed as usize),
            count(counts.live as usize)
        );
        if line.width() + 2 + text.len() <= width {
            out.push(line.with(format!("  {text}"), dim));
        } else {
            out.push(line);
            say(cx, &mut out, width, "  ", &text, Role::Dim);
        }
        faults(cx, &mut out, width, state);
        if let Some(off) = state.clock_offset_ms.filter(|_| state.is_clock_off()) {
            let side = if off > 0 { "ahead of" } else { "behind" };
            let text = format!("its clock is {} {side} ours", span(off.abs()));
            say(cx, &mut out, width, "  ", &text, Role::Warning);
        }
        for (_, bad) in state.bad_rows() {
            let text = format!("a row could not be read, {}: {}", bad.place, bad.why);
            say(cx, &mut out, width, "  ", &text, Role::Warning);
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
    offers(cx, &mut out, width);
    out
}

/// What is wrong with a service: each fault once, with the lists that it keeps from being read.
fn faults<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, width: usize, state: &ServiceState) {
    let whole = match &state.health {
        Health::Down { fault, .. } => Some(fault.to_string()),
        _ => None,
    };
    if let Some(fault) = &whole {
        let text = format!("{} {fault}", cx.glyphs.failed);
        say(cx, out, width, "  ", &text, Role::Failed);
    }
    let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
    for (feed, fault) in state.partial() {
        let fault = fault.to_string();
        if whole.as_ref() == Some(&fault) {
            continue;
        }
        match parts.iter_mut().find(|(said, _)| *said == fault) {
            Some((_, feeds)) if feeds.contains(&feed) => {}
            Some((_, feeds)) => feeds.push(feed),
            None => parts.push((fault, vec![feed])),
        }
    }
    for (fault, feeds) in parts {
        let text = format!("{} {}: {fault}", cx.glyphs.warning, feeds.join(", "));
        say(cx, out, width, "  ", &text, Role::Warning);
    }
}

/// What each service can do at all; those of one product mostly can do the same, and are told together.
fn offers<'s>(cx: &Cx<'s>, out: &mut Vec<Text<'s>>, width: usize) {
    /// Columns before the remarks.
    const INDENT: usize = 18;
    let dim = cx.style(Role::Dim);
    let mut alike: Vec<(Kind, &Capabilities, Vec<&str>)> = Vec::new();
    for state in cx.state.store.services() {
        let Service { id, kind, name, .. } = &state.service;
        let Some(can) = cx.state.operator.capabilities(*id) else {
            continue;
        };
        match alike.iter_mut().find(|(k, c, _)| k == kind && *c == can) {
            Some((_, _, names)) => names.push(name),
            None => alike.push((*kind, can, vec![name])),
        }
    }
    for (kind, can, names) in alike {
        out.push(Text::new());
        let who = format!("{kind}: what {} can do", names.join(", "));
        say(cx, out, width, "", &who, Role::Strong);
        for (what, support) in can.rows() {
            let (sign, role) = if support.is_offered() {
                (cx.glyphs.good, Role::Good)
            } else {
                (cx.glyphs.off, Role::Off)
            };
            let mut line = Text::of(format!("  {sign} "), cx.style(role));
            line.push(format!("{what:<14}"), cx.style(Role::Text));
            // the reasons are what one comes here for: none is cut
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
