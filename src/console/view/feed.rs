//! The feed of transitions, newest on top.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::store::Logged;

use super::super::layout::Layout;
use super::super::state::PaneId;
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};
use super::table::title;

/// One transition in words: when, whose, from what to what.
#[must_use]
pub fn sentence<'s>(cx: &Cx<'s>, t: &Logged<'s>) -> Text<'s> {
    let store = &cx.state.store;
    let mut text = Text::of(cx.state.look.zone.second(t.seen_at()), cx.style(Role::Dim));
    text.push("  ", cx.style(Role::Dim));
    text.push(Thing::Task(t.row()).name(store), cx.style(Role::Text));
    if let Some(from) = t.from() {
        text.push(format!("  {from}"), cx.style(Role::Dim));
        text.push(format!(" {} ", cx.glyphs.to), cx.style(Role::Dim));
    } else {
        text.push("  ", cx.style(Role::Dim));
    }
    let role = cx.role_of(t.to_phase());
    text.push(
        format!("{} {}", cx.glyphs.phase(t.to_phase()), t.to()),
        cx.style(role),
    );
    text
}

/// Draws the feed.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect, layout: &Layout) {
    let focus = cx.state.focus == PaneId::Feed;
    let mut foot = Text::new();
    let newer = cx.state.feed.newer(&cx.state.store);
    if newer > 0 {
        foot.push(
            format!("{} {newer} newer", cx.glyphs.above),
            cx.style(Role::Dim),
        );
    }
    let edge = Edge {
        title: title(cx, PaneId::Feed, layout),
        foot,
        focus,
        ..Edge::default()
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    if inner.is_empty() {
        return;
    }
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let Some(cursor) = cx.state.feed.number(&cx.state.store) else {
        put(
            buf,
            area,
            area.x,
            area.y,
            "Nothing has changed yet.",
            cx.style(Role::Dim),
        );
        return;
    };
    // the cursor stands on top, what came before it below
    let older = cx
        .state
        .store
        .log()
        .newest_first()
        .skip_while(|t| t.seq > cursor);
    for (y, transition) in (inner.y..inner.bottom()).zip(older) {
        sentence(cx, &transition).draw(buf, area, area.x, y, cx.glyphs.more);
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        if cx.is_news(transition.seen_at()) {
            buf.set_style(
                line,
                ratatui::style::Style::new().add_modifier(Modifier::BOLD),
            );
        }
        if transition.seq == cursor && focus {
            put(
                buf,
                line,
                line.x,
                y,
                cx.glyphs.cursor,
                cx.style(Role::Accent),
            );
            buf.set_style(line, cx.style(Role::Cursor).remove_modifier(Modifier::DIM));
        }
    }
}
