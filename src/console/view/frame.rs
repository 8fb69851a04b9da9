//! Boxes: thin rounded borders with something written into them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::theme::Role;
use super::brush::{Text, clear, put};
use super::cx::Cx;

/// What stands in the border of a box.
#[derive(Debug, Default)]
pub struct Edge<'t> {
    /// Upper left.
    pub title: Text<'t>,
    /// Upper right.
    pub aside: Text<'t>,
    /// Lower left.
    pub foot: Text<'t>,
    /// Lower right.
    pub foot_aside: Text<'t>,
    /// It has the focus.
    pub focus: bool,
}

/// Draws a box; the answer is what is inside.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect, edge: &Edge<'_>) -> Rect {
    if rect.width < 2 || rect.height < 2 {
        return Rect::ZERO;
    }
    let g = cx.glyphs;
    let style = cx.style(if edge.focus {
        Role::BorderFocus
    } else {
        Role::Border
    });
    let (left, right) = (rect.x, rect.right() - 1);
    let (top, bottom) = (rect.y, rect.bottom() - 1);
    let line = g.line.repeat(usize::from(rect.width) - 2);
    let [upper_left, upper_right, lower_left, lower_right] = g.corners;
    for (y, first, last) in [
        (top, upper_left, upper_right),
        (bottom, lower_left, lower_right),
    ] {
        put(buf, rect, left, y, first, style);
        put(buf, rect, left + 1, y, &line, style);
        put(buf, rect, right, y, last, style);
    }
    for y in top + 1..bottom {
        put(buf, rect, left, y, g.rule, style);
        put(buf, rect, right, y, g.rule, style);
    }
    write(cx, buf, rect, top, &edge.title, &edge.aside);
    write(cx, buf, rect, bottom, &edge.foot, &edge.foot_aside);
    Rect::new(rect.x + 1, rect.y + 1, rect.width - 2, rect.height - 2)
}

/// Writes into one line of the border: one text at its left, one at its right where there is room.
fn write(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect, y: u16, left: &Text<'_>, right: &Text<'_>) {
    let room = Rect::new(rect.x + 1, y, rect.width.saturating_sub(2), 1);
    let mut end = room.x;
    if !left.is_empty() {
        let blank = Text::of(" ", cx.style(Role::Border));
        end = blank.draw(buf, room, room.x, y, "");
        let inside = Rect {
            width: room.width.saturating_sub(1),
            ..room
        };
        end = left.draw(buf, inside, end, y, cx.glyphs.more);
        end = blank.draw(buf, room, end, y, "");
    }
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    if width > 0 && end.saturating_add(width + 3) <= room.right() {
        let at = room.right() - width - 2;
        put(buf, room, at, y, " ", cx.style(Role::Border));
        let behind = right.draw(buf, room, at + 1, y, "");
        put(buf, room, behind, y, " ", cx.style(Role::Border));
    }
}

/// A box on top of everything, in the middle of the screen or as near as it fits.
pub fn over(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    within: Rect,
    size: (u16, u16),
    edge: &Edge<'_>,
) -> Rect {
    let (w, h) = (size.0.min(within.width), size.1.min(within.height));
    let rect = Rect::new(
        within.x + (within.width - w) / 2,
        within.y + (within.height - h) / 3,
        w,
        h,
    );
    clear(buf, rect, cx.style(Role::Text));
    draw(cx, buf, rect, edge)
}
