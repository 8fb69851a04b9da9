//! The card: what the row under the cursor means and what to do now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::catalog::Entry;
use crate::model::{Phase, Severity, Timestamp};
use crate::store::{AckState, DeviceRow, PolicyRow, Stats, TaskRow};

use super::super::card::{Card, advice_sentence};
use super::super::text::{span, wrap};
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::{Text, put};
use super::cell::{estimate, progress, rough, sign};
use super::course;
use super::cx::Cx;
use super::frame::{self, Edge};

/// From this width on the card has two columns.
const TWO_COLUMNS: u16 = 84;

/// Draws the card of the row under the cursor.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let thing = cx.state.under_cursor();
    let edge = Edge {
        title: thing.map_or_else(Text::new, |t| heading(cx, t)),
        ..Edge::default()
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    let Some(thing) = thing else {
        let line = "Nothing is chosen.";
        put(buf, inner, inner.x + 1, inner.y, line, cx.style(Role::Dim));
        return;
    };
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let (left, right) = sides(area, TWO_COLUMNS, 56);
    both(cx, buf, thing, area, left, right, 0);
}

/// Two columns where there is room for them; the second is empty where there isn't.
#[must_use]
pub fn sides(area: Rect, from: u16, percent: u16) -> (Rect, Rect) {
    if area.width < from {
        return (area, Rect::ZERO);
    }
    let left = Rect {
        width: area.width * percent / 100,
        ..area
    };
    let right = Rect {
        x: left.right() + 3,
        width: area.width - left.width - 3,
        ..area
    };
    (left, right)
}

/// Draws meaning and course side by side, from the line scrolled to. A verdict that is too long for its
/// column has the first line to itself: a code is never cut.
pub fn both(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    thing: Thing,
    area: Rect,
    mut left: Rect,
    mut right: Rect,
    from: usize,
) {
    let mut text = meaning(cx, thing, usize::from(left.width));
    let verdict = text.first().map_or(0, Text::width);
    if !right.is_empty() && verdict > usize::from(left.width) && from == 0 && area.height > 1 {
        text.remove(0)
            .draw(buf, area, area.x, area.y, cx.glyphs.more);
        for side in [&mut left, &mut right] {
            side.y += 1;
            side.height -= 1;
        }
    }
    lines(cx, buf, left, &text, from);
    if !right.is_empty() {
        lines(
            cx,
            buf,
            right,
            &course::beside(cx, thing, usize::from(right.width)),
            from,
        );
    }
}

/// Draws the lines that fit, from the one scrolled to.
pub fn lines(cx: &Cx<'_>, buf: &mut Buffer, area: Rect, lines: &[Text<'_>], from: usize) {
    for (line, y) in lines.iter().skip(from).zip(area.y..area.bottom()) {
        line.draw(buf, area, area.x, y, cx.glyphs.more);
    }
    let below = lines.len().saturating_sub(from + usize::from(area.height));
    if below > 0 && area.height > 0 {
        // what doesn't fit is said in the last line's corner
        let more = format!(" {} {below} more ", cx.glyphs.below);
        let width = u16::try_from(super::super::text::width(&more)).unwrap_or(0);
        if width < area.width {
            put(
                buf,
                area,
                area.right() - width,
                area.bottom() - 1,
                &more,
                cx.style(Role::Dim),
            );
        }
    }
}

/// The title: what, for which policy, doing what.
#[must_use]
pub fn heading<'s>(cx: &Cx<'s>, thing: Thing) -> Text<'s> {
    let store = &cx.state.store;
    let dim = cx.style(Role::Dim);
    let dot = format!(" {} ", cx.glyphs.dot);
    let mut text = Text::of(thing.name(store), cx.style(Role::Strong));
    let mut more = |part: &'s str| {
        if !part.is_empty() {
            text.push(dot.clone(), dim);
            text.push(part, dim);
        }
    };
    match thing {
        Thing::Task(row) => {
            let task = store.task(row);
            if !task.device_label().is_empty() {
                more(task.policy_label());
            }
            more(task.operation());
        }
        Thing::Device(row) => more(store.device(row).what()),
        Thing::Policy(row) => more(store.policy(row).what()),
    }
    more(thing.service_name(store));
    text
}

/// What it means and what to do, in lines of at most `width` columns.
#[must_use]
pub fn meaning<'s>(cx: &Cx<'s>, thing: Thing, width: usize) -> Vec<Text<'s>> {
    match thing {
        Thing::Task(row) => of_task(cx, row, width),
        Thing::Device(row) => of_device(cx, row, width),
        Thing::Policy(row) => of_policy(cx, row, width),
    }
}

fn severity_role(severity: Option<Severity>) -> Role {
    match severity {
        Some(Severity::Critical | Severity::Error) => Role::Failed,
        Some(Severity::Warning) => Role::Warning,
        _ => Role::Text,
    }
}

fn of_task<'s>(cx: &Cx<'s>, row: TaskRow, width: usize) -> Vec<Text<'s>> {
    let task = cx.state.store.task(row);
    let card = Card::of(&cx.state.catalog, &cx.state.store, row);
    let mut out = vec![verdict(cx, row, &card)];
    if task.phase().is_live() {
        out.push(going(cx, row, width));
        rhythm(cx, row, &mut out, width);
    }
    if task.lost() {
        say(
            cx,
            &mut out,
            width,
            "It vanished at the service while it was live; what became of it is not known.",
            Role::Uncertain,
        );
    }
    remarks(cx, row, &mut out, width);
    let device = task.device_row().map(|d| cx.state.store.device(d).stats());
    if card.bad && device.is_some_and(|stats| stats.is_flapping()) {
        let text = format!(
            "{} flapping: good and bad by turns, a retry is no cure",
            cx.glyphs.flapping
        );
        say(cx, &mut out, width, &text, Role::Warning);
    }
    if !card.bad && card.readings.is_empty() {
        return out;
    }
    let several = card.readings.len() > 1;
    for (n, entry) in card.entries().enumerate() {
        if several {
            let apart = entry.distinction();
            let apart = if apart.is_empty() {
                entry.message_template.clone()
            } else {
                apart
            };
            say(
                cx,
                &mut out,
                width,
                &format!("Reading {}: {apart}", n + 1),
                Role::Dim,
            );
        }
        remedy(cx, &mut out, entry, width);
    }
    if card.silent {
        say(
            cx,
            &mut out,
            width,
            "The service gives no reason for this failure.",
            Role::Warning,
        );
    } else if card.readings.is_empty() {
        say(
            cx,
            &mut out,
            width,
            "This code is not in the catalog.",
            Role::Warning,
        );
    }
    out
}

/// Who took it, whether that holds, and what was noted.
fn remarks<'s>(cx: &Cx<'_>, row: TaskRow, out: &mut Vec<Text<'s>>, width: usize) {
    let task = cx.state.store.task(row);
    let zone = &cx.state.look.zone;
    let g = cx.glyphs;
    if let Some((ack, state)) = task.ack() {
        let mut text = format!(
            "{} taken by {}, {}",
            g.taken,
            ack.operator,
            cx.ago_said(ack.at)
        );
        match state {
            AckState::Holding => {
                if let Some(until) = ack.until {
                    text.push_str(&format!(", until {}", zone.near(until, cx.state.now)));
                }
            }
            AckState::Resolved => text.push_str("; resolved, it succeeded since"),
            AckState::FailedAgain => text.push_str("; open again, it failed again since"),
            AckState::Changed => text.push_str("; open again, its status changed since"),
            AckState::RanOut => text.push_str("; open again, the time ran out"),
        }
        if !ack.text.is_empty() {
            text.push_str(&format!(": {}", ack.text));
        }
        let role = if state.is_acknowledged() {
            Role::Accent
        } else {
            Role::Warning
        };
        say(cx, out, width, &text, role);
    }
    for note in task.notes() {
        let text = format!(
            "note by {}, {}: {}",
            note.operator,
            cx.ago_said(note.at),
            note.text
        );
        say(cx, out, width, &text, Role::Accent);
    }
}

/// Sign, code, HTTP status, severity, retry advice: in one line, the code never cut.
fn verdict<'s>(cx: &Cx<'s>, row: TaskRow, card: &Card) -> Text<'s> {
    let task = cx.state.store.task(row);
    let (glyph, role) = sign(cx, Thing::Task(row));
    let style = cx.style(role);
    let dim = cx.style(Role::Dim);
    let dot = format!(" {} ", cx.glyphs.dot);
    let mut line = Text::of(format!("{glyph} "), style);
    if card.code.is_empty() {
        line.push(task.native_status(), style);
        if task.native_status() != task.phase().word() {
            line.push(format!("{dot}{}", task.phase()), dim);
        }
    } else {
        line.push(card.code.clone(), style.add_modifier(Modifier::BOLD));
        if task.phase() != Phase::Failed {
            line.push(format!("{dot}{}", task.phase()), style);
        }
    }
    if let Some(http) = card.http {
        line.push(format!("{dot}HTTP {http}"), dim);
    }
    if !card.bad {
        return line;
    }
    if let Some(severity) = card.severity() {
        line.push(dot.clone(), dim);
        line.push(severity.word(), cx.style(severity_role(Some(severity))));
    }
    if let Some(advice) = card.advice() {
        line.push(dot, dim);
        line.push(advice_sentence(advice), cx.style(Role::Strong));
    }
    line
}

/// How far a live task is.
fn going<'s>(cx: &Cx<'s>, row: TaskRow, width: usize) -> Text<'s> {
    let task = cx.state.store.task(row);
    let dim = cx.style(Role::Dim);
    let text = cx.style(Role::Text);
    let mut line = Text::new();
    if task.progress().is_some() {
        line.append(progress(cx, task.progress(), (width / 3).clamp(10, 30)));
        line.push("   ", dim);
    } else {
        line.push("progress ", dim);
        line.push("unknown", text);
        line.push("   ", dim);
    }
    if let Some(started) = task.started_at() {
        line.push("for ", dim);
        line.push(cx.live(started), text);
    }
    let left = estimate(task.started_at(), task.progress(), cx.state.now);
    line.push("   left ", dim);
    line.push(left.map_or_else(|| "unknown".to_owned(), rough), text);
    line
}

/// Whether it still does what it usually does.
fn rhythm<'s>(cx: &Cx<'_>, row: TaskRow, out: &mut Vec<Text<'s>>, width: usize) {
    let store = &cx.state.store;
    let now = cx.step_of_rhythm(row);
    if let Some(stuck) = store.stuck(row, now) {
        let text = format!(
            "{} stuck: nothing happens since {} ago; {} would allow {}",
            cx.glyphs.warning,
            cx.ago(stuck.since),
            stuck.measure.words(),
            span(stuck.allowed_ms),
        );
        say(cx, out, width, &text, Role::Warning);
    }
    if let Some(usual) = store.slow(row, now) {
        let text = format!(
            "{} slow: it usually takes {} ({}, {} of them)",
            cx.glyphs.warning,
            span(usual.ms),
            usual.measure.words(),
            usual.runs,
        );
        say(cx, out, width, &text, Role::Warning);
    }
}

fn say<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, width: usize, text: &str, role: Role) {
    for line in wrap(text, width) {
        out.push(Text::of(line.to_owned(), cx.style(role)));
    }
}

/// Meaning, numbered steps, runbook.
fn remedy<'s>(cx: &Cx<'_>, out: &mut Vec<Text<'s>>, entry: &Entry, width: usize) {
    say(cx, out, width, &entry.meaning, Role::Text);
    for (n, step) in entry.remedy.iter().enumerate() {
        for (i, line) in wrap(step, width.saturating_sub(3)).into_iter().enumerate() {
            let number = if i == 0 {
                format!("{:<3}", n + 1)
            } else {
                "   ".into()
            };
            out.push(
                Text::of(number, cx.style(Role::Accent))
                    .with(line.to_owned(), cx.style(Role::Text)),
            );
        }
    }
    if !entry.runbook.is_empty() {
        say(
            cx,
            out,
            width,
            &format!("runbook: {} (site)", entry.runbook),
            Role::Accent,
        );
    }
}

/// Label and value, the values in one column.
pub fn fact<'s>(cx: &Cx<'_>, label: &str, value: Text<'s>) -> Text<'s> {
    let mut line = Text::of(format!("{label:<17} "), cx.style(Role::Dim));
    line.append(value);
    line
}

fn when<'s>(cx: &Cx<'_>, t: Option<Timestamp>, never: &'static str, role: Role) -> Text<'s> {
    match t {
        Some(t) => Text::of(cx.ago_said(t), cx.style(Role::Text)).with(
            format!("  {}", cx.state.look.zone.near(t, cx.state.now)),
            cx.style(Role::Dim),
        ),
        None => Text::of(never, cx.style(role)),
    }
}

fn standing<'s>(cx: &Cx<'_>, stats: &Stats, out: &mut Vec<Text<'s>>) {
    out.push(fact(
        cx,
        "last good",
        when(cx, stats.last_good, "none known", Role::Warning),
    ));
    let mut attempt = when(cx, stats.last_attempt, "none known", Role::Dim);
    if let Some(phase) = stats.last_attempt_phase {
        attempt.push(
            format!("  {} {phase}", cx.glyphs.phase(phase)),
            cx.style(cx.role_of(phase)),
        );
    }
    out.push(fact(cx, "last attempt", attempt));
    if stats.streak > 0 {
        let text = match stats.streak {
            1 => "the last attempt failed".to_owned(),
            n => format!("{n} failures in a row"),
        };
        out.push(fact(cx, "in a row", Text::of(text, cx.style(Role::Failed))));
    }
}

/// Target, last nights, durations.
fn protection<'s>(cx: &Cx<'_>, thing: Thing, out: &mut Vec<Text<'s>>) {
    let Some(party) = thing.party() else { return };
    let overdue = cx.state.store.is_overdue(party, cx.state.now);
    for (label, text) in super::super::update::causes::protection(cx.state, party) {
        let role = match label {
            "target" if overdue => Role::Warning,
            "flapping" => Role::Warning,
            "target from" => Role::Dim,
            _ => Role::Text,
        };
        out.push(fact(cx, label, Text::of(text, cx.style(role))));
    }
}

fn of_device<'s>(cx: &Cx<'s>, row: DeviceRow, width: usize) -> Vec<Text<'s>> {
    let store = &cx.state.store;
    let device = store.device(row);
    let mut out = Vec::new();
    standing(cx, &device.stats(), &mut out);
    protection(cx, Thing::Device(row), &mut out);
    let policies: Vec<&str> = store
        .policies_of_device(row)
        .take(6)
        .map(|p| store.policy(p).name())
        .collect();
    let text = cx.style(Role::Text);
    if policies.is_empty() {
        out.push(fact(
            cx,
            "policies",
            Text::of("none known", cx.style(Role::Warning)),
        ));
    } else {
        out.push(fact(cx, "policies", Text::of(policies.join(", "), text)));
    }
    if !device.native_status().is_empty() {
        let role = if device.faulty() {
            Role::Warning
        } else {
            Role::Text
        };
        out.push(fact(
            cx,
            "status",
            Text::of(device.native_status(), cx.style(role)),
        ));
    }
    if !device.place().is_empty() {
        out.push(fact(cx, "place", Text::of(device.place(), text)));
    }
    facts(cx, Thing::Device(row), &mut out, width);
    out
}

fn of_policy<'s>(cx: &Cx<'s>, row: PolicyRow, width: usize) -> Vec<Text<'s>> {
    let store = &cx.state.store;
    let policy = store.policy(row);
    let text = cx.style(Role::Text);
    let mut out = Vec::new();
    standing(cx, &policy.stats(), &mut out);
    protection(cx, Thing::Policy(row), &mut out);
    if let Some(silent) = store.silent(row, cx.state.now) {
        let text = format!(
            "it should have fired {} ago and did not",
            cx.ago(silent.due)
        );
        out.push(fact(cx, "silent", Text::of(text, cx.style(Role::Warning))));
    }
    if let Some(due) = policy.overdue_since(cx.state.now) {
        let late = format!("a good backup was due {} ago", cx.ago(due));
        out.push(fact(cx, "overdue", Text::of(late, cx.style(Role::Warning))));
    }
    let fires = match (policy.enabled(), policy.next_run()) {
        (Some(false), _) => Text::of("its schedule is off", cx.style(Role::Warning)),
        (_, Some(at)) if at > cx.state.now => Text::of(format!("in {}", cx.until(at)), text).with(
            format!("  {}", cx.state.look.zone.near(at, cx.state.now)),
            cx.style(Role::Dim),
        ),
        (_, Some(at)) => Text::of(
            format!("was due {} ago and has not fired", cx.ago(at)),
            cx.style(Role::Warning),
        ),
        (_, None) => Text::of("not told", cx.style(Role::Dim)),
    };
    out.push(fact(cx, "fires next", fires));
    if !policy.schedule().is_empty() {
        out.push(fact(cx, "schedule", Text::of(policy.schedule(), text)));
    }
    let devices: Vec<&str> = store
        .devices_of_policy(row)
        .take(6)
        .map(|d| store.device(d).name())
        .collect();
    if !devices.is_empty() {
        out.push(fact(cx, "covers", Text::of(devices.join(", "), text)));
    }
    if !policy.native_status().is_empty() {
        let role = if policy.faulty() {
            Role::Warning
        } else {
            Role::Text
        };
        out.push(fact(
            cx,
            "status",
            Text::of(policy.native_status(), cx.style(role)),
        ));
    }
    facts(cx, Thing::Policy(row), &mut out, width);
    out
}

/// What else the service tells.
pub fn facts<'s>(cx: &Cx<'_>, thing: Thing, out: &mut Vec<Text<'s>>, width: usize) {
    for (label, value) in thing.facts(&cx.state.store) {
        for (i, line) in wrap(&value, width.saturating_sub(18))
            .into_iter()
            .enumerate()
        {
            let label = if i == 0 { label.as_str() } else { "" };
            out.push(fact(
                cx,
                label,
                Text::of(line.to_owned(), cx.style(Role::Text)),
            ));
        }
    }
}
