//! Questions with a line each to type the answer into.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layout::Layout;
use super::super::line::Line;
use super::super::text::width;
use super::super::theme::Role;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Columns of the box.
const WIDE: u16 = 86;
/// Lines of a question: the question, its answer, a gap or what is accepted where that doesn't fit beside it.
const LINES: u16 = 3;

/// Draws questions, each with what is accepted and the line of its answer, in a box; the answer is where the
/// cursor stands. `does`, `on`: the title, what is done and on what. `at`: the one being typed. `error`: what
/// is wrong with it.
pub fn draw<'l>(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    layout: &Layout,
    (does, on): (&str, &str),
    lines: impl ExactSizeIterator<Item = (&'static str, String, &'l Line)>,
    at: usize,
    error: Option<&str>,
) -> Option<(u16, u16)> {
    let height = lines.len() * usize::from(LINES) + 4;
    let size = (WIDE, u16::try_from(height).unwrap_or(u16::MAX));
    let edge = Edge {
        title: Text::of(does, cx.style(Role::Strong))
            .with(format!(" {} {on}", cx.glyphs.dot), cx.style(Role::Dim)),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::over(cx, buf, layout.body, size, &edge);
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let mut cursor = None;
    let mut y = area.y;
    // the line being typed stays in sight
    let first = if height > usize::from(area.height) + 2 {
        at
    } else {
        0
    };
    for (i, (ask, expected, line)) in lines.enumerate().skip(first) {
        if y + 1 >= area.bottom() {
            break;
        }
        let here = i == at;
        let head = if here { Role::Strong } else { Role::Text };
        let dim = cx.style(Role::Dim);
        let mut line_of_ask = Text::of(ask, cx.style(head));
        if width(ask) + 2 + width(&expected) <= usize::from(area.width) {
            line_of_ask.push(format!("  {expected}"), dim);
        } else if y + 2 < area.bottom() {
            Text::of(format!("  {expected}"), dim).draw(buf, area, area.x, y + 2, cx.glyphs.more);
        }
        line_of_ask.draw(buf, area, area.x, y, cx.glyphs.more);
        let mark = if here { Role::Accent } else { Role::Dim };
        let x = put(buf, area, area.x, y + 1, "> ", cx.style(mark));
        put(buf, area, x, y + 1, line.text(), cx.style(Role::Text));
        if here {
            let column = x + u16::try_from(line.cursor_column()).unwrap_or(0);
            cursor = Some((column.min(area.right().saturating_sub(1)), y + 1));
        }
        y += LINES;
    }
    if let Some(error) = error.filter(|_| area.height > 0) {
        let role = cx.style(Role::Failed);
        put(buf, area, area.x, area.bottom() - 1, error, role);
    }
    cursor
}
