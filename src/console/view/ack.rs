//! Taking failed jobs: note and end being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layout::Layout;
use super::super::state::layer::AckForm;
use super::super::state::layer::ack::ASKED;
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Draws the form; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, form: &AckForm, layout: &Layout) -> Option<(u16, u16)> {
    let on = match form.rows.as_slice() {
        [one] => Thing::Task(*one).name(&cx.state.store).to_owned(),
        many => format!("{} failed jobs", many.len()),
    };
    let edge = Edge {
        title: Text::of("Take", cx.style(Role::Strong))
            .with(format!(" {} {on}", cx.glyphs.dot), cx.style(Role::Dim)),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::over(cx, buf, layout.body, (76, 9), &edge);
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let mut cursor = None;
    let mut y = area.y;
    for (i, ((ask, expected), line)) in ASKED.iter().zip(&form.lines).enumerate() {
        if y + 1 >= area.bottom() {
            break;
        }
        let here = i == form.at;
        let head = if here { Role::Strong } else { Role::Text };
        Text::of(*ask, cx.style(head))
            .with(format!("  {expected}"), cx.style(Role::Dim))
            .draw(buf, area, area.x, y, cx.glyphs.more);
        let mark = if here { Role::Accent } else { Role::Dim };
        let x = put(buf, area, area.x, y + 1, "> ", cx.style(mark));
        put(buf, area, x, y + 1, line.text(), cx.style(Role::Text));
        if here {
            let at = x + u16::try_from(line.cursor_column()).unwrap_or(0);
            cursor = Some((at.min(area.right().saturating_sub(1)), y + 1));
        }
        y += 3;
    }
    if let Some(error) = &form.error
        && area.height > 0
    {
        let role = cx.style(Role::Failed);
        put(buf, area, area.x, area.bottom() - 1, error, role);
    }
    cursor
}
