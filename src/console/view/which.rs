//! What could follow the keys pressed so far.

use ratatui::buffer::Buffer;

use super::super::can::why_not;
use super::super::keymap::{Found, label};
use super::super::layout::Layout;
use super::super::theme::Role;
use super::brush::{Text, clear};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Draws the keys that go on, those that lead nowhere now with the reason.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, layout: &Layout) {
    let chord = &cx.state.chord;
    if chord.is_empty() {
        return;
    }
    let Found::Prefix(next) = cx.state.keymap.find(cx.state.place(), chord) else {
        return;
    };
    let mut lines: Vec<Text<'_>> = Vec::new();
    for (key, word) in next {
        let why = why_not(cx.state, word);
        let (a, b) = if why.is_none() {
            (Role::Accent, Role::Text)
        } else {
            (Role::Off, Role::Off)
        };
        let mut line = Text::of(format!(" {:<3}", key.label(cx.glyphs.ascii)), cx.style(a))
            .with(word.says(), cx.style(b));
        if let Some(why) = why {
            line.push(format!("  {} {why}", cx.glyphs.dot), cx.style(Role::Off));
        }
        lines.push(line);
    }
    let width = lines.iter().map(Text::width).max().unwrap_or(0) + 4;
    let width = u16::try_from(width)
        .unwrap_or(u16::MAX)
        .max(24)
        .min(layout.body.width);
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(layout.body.height);
    let rect = ratatui::layout::Rect::new(
        layout.body.right() - width,
        layout.body.bottom() - height,
        width,
        height,
    );
    clear(buf, rect, cx.style(Role::Text));
    let edge = Edge {
        title: Text::of(label(chord, cx.glyphs.ascii), cx.style(Role::Accent)),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    for (line, y) in lines.iter().zip(inner.y..inner.bottom()) {
        line.draw(buf, inner, inner.x, y, cx.glyphs.more);
    }
}
