//! An opened row: its meaning, its course, its record.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layout::Layout;
use super::super::state::State;
use super::super::state::detail::{Detail, Tab};
use super::super::theme::Role;
use super::brush::Text;
use super::card::{both, heading, lines, meaning, sides};
use super::course;
use super::cx::Cx;
use super::frame::{self, Edge};
use crate::store::history::HistoryState;

/// From this width on meaning and course stand side by side.
const TWO_COLUMNS: u16 = 100;

/// Draws the opened row.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    let Some(detail) = cx.state.detail.as_ref().filter(|_| !rect.is_empty()) else {
        return;
    };
    let mut tabs = Text::new();
    for tab in Tab::ALL {
        let role = if tab == detail.tab {
            Role::Accent
        } else {
            Role::Dim
        };
        if !tabs.is_empty() {
            tabs.push(format!(" {} ", cx.glyphs.dot), cx.style(Role::Border));
        }
        tabs.push(tab.title(), cx.style(role));
    }
    let edge = Edge {
        title: heading(cx, detail.thing),
        aside: tabs,
        focus: true,
        ..Edge::default()
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let from = detail.scrolled();
    if detail.tab == Tab::Card && area.width >= TWO_COLUMNS {
        let (left, right) = sides(area, TWO_COLUMNS, 55);
        both(cx, buf, detail.thing, area, left, right, from);
        return;
    }
    lines(cx, buf, area, &content(cx, detail, area.width), from);
}

/// The lines of the tab in sight, in one column.
fn content<'s>(cx: &Cx<'s>, detail: &'s Detail, width: u16) -> Vec<Text<'s>> {
    let columns = usize::from(width);
    match detail.tab {
        Tab::Card if width >= TWO_COLUMNS => {
            // the longer of the two columns decides how far it scrolls
            let left = meaning(cx, detail.thing, columns * 55 / 100);
            let right = course::beside(cx, detail.thing, columns - columns * 55 / 100 - 3);
            if left.len() >= right.len() {
                left
            } else {
                right
            }
        }
        Tab::Card => {
            let mut out = meaning(cx, detail.thing, columns);
            out.push(Text::new());
            out.extend(course::beside(cx, detail.thing, columns));
            out
        }
        Tab::Course => course::whole(cx, detail.thing, columns),
        Tab::Past => past(cx, detail, columns),
        Tab::Record => record(cx, detail),
    }
}

/// Everything that happened to it, the newest first.
fn past<'s>(cx: &Cx<'_>, detail: &'s Detail, width: usize) -> Vec<Text<'s>> {
    let dim = cx.style(Role::Dim);
    let off = cx
        .state
        .history
        .as_ref()
        .is_some_and(|h| h.state == HistoryState::Off);
    let told = match &detail.past.told {
        None => return vec![Text::of("Asking history …", dim)],
        Some(Err(why)) => return vec![Text::of(why.as_str(), cx.style(Role::Failed))],
        Some(Ok(told)) => told,
    };
    if told.is_empty() {
        let why = if off {
            "History is switched off: nothing is kept."
        } else {
            "History knows nothing of it yet."
        };
        return vec![Text::of(why, dim)];
    }
    let mut out = Vec::new();
    for line in told.iter().rev() {
        let role = match line.phase {
            Some(phase) => cx.role_of(phase),
            None if line.by_hand => Role::Accent,
            None => Role::Text,
        };
        let sign = match line.phase {
            Some(phase) => cx.glyphs.phase(phase),
            None if line.by_hand => cx.glyphs.to,
            None => cx.glyphs.dot,
        };
        let at = format!("{:<11}", cx.state.look.zone.near(line.at, cx.state.now));
        let room = width.saturating_sub(at.chars().count() + 5).max(20);
        for (n, part) in super::super::text::wrap(&line.text, room)
            .iter()
            .enumerate()
        {
            let mut text = if n == 0 {
                Text::of(format!("{at}  "), dim).with(format!("{sign} "), cx.style(role))
            } else {
                Text::of(" ".repeat(at.chars().count() + 4), dim)
            };
            text.push((*part).to_owned(), cx.style(role));
            out.push(text);
        }
    }
    out
}

fn record<'s>(cx: &Cx<'_>, detail: &'s Detail) -> Vec<Text<'s>> {
    if detail.record.is_empty() {
        let text = if detail.asking {
            "Asking the service for its record …"
        } else {
            "The service's own record is not held, and the service offers no way to read it again."
        };
        return vec![Text::of(text, cx.style(Role::Dim))];
    }
    detail
        .record
        .iter()
        .map(|line| match line.split_once("\": ") {
            // fields stand back, values stand out
            Some((field, value)) => Text::of(format!("{field}\": "), cx.style(Role::Dim))
                .with(value, cx.style(Role::Text)),
            None => Text::of(line.as_str(), cx.style(Role::Text)),
        })
        .collect()
}

/// How many lines the tab in sight has.
#[must_use]
pub fn line_count(state: &State) -> usize {
    let Some(detail) = &state.detail else {
        return 0;
    };
    let cx = Cx::new(state);
    let width = Layout::of(state).body.width.saturating_sub(4);
    content(&cx, detail, width).len()
}
