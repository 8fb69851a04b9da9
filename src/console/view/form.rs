//! The values of an action being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::layout::Layout;
use super::super::state::layer::Form;
use super::super::state::layer::form::expected;
use super::super::theme::Role;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Draws the form; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, form: &Form, layout: &Layout) -> Option<(u16, u16)> {
    let store = &cx.state.store;
    let on = match form.things.as_slice() {
        [one] => one.name(store).to_owned(),
        many => format!("{} rows", many.len()),
    };
    let edge = Edge {
        title: Text::of(form.spec.label, cx.style(Role::Strong))
            .with(format!(" {} {on}", cx.glyphs.dot), cx.style(Role::Dim)),
        focus: true,
        ..Edge::default()
    };
    let height = form.lines.len() * 3 + 4;
    let size = (72, u16::try_from(height).unwrap_or(u16::MAX));
    let inner = frame::over(cx, buf, layout.body, size, &edge);
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let mut cursor = None;
    let mut y = area.y;
    // the line being typed stays in sight
    let first = if height > usize::from(area.height) {
        form.at
    } else {
        0
    };
    for (i, (input, line)) in form
        .spec
        .inputs
        .iter()
        .zip(&form.lines)
        .enumerate()
        .skip(first)
    {
        if y + 1 >= area.bottom() {
            break;
        }
        let here = i == form.at;
        Text::of(
            input.ask,
            cx.style(if here { Role::Strong } else { Role::Text }),
        )
        .with(format!("  {}", expected(input)), cx.style(Role::Dim))
        .draw(buf, area, area.x, y, cx.glyphs.more);
        let x = put(
            buf,
            area,
            area.x,
            y + 1,
            "> ",
            cx.style(if here { Role::Accent } else { Role::Dim }),
        );
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
        put(
            buf,
            area,
            area.x,
            area.bottom() - 1,
            error,
            cx.style(Role::Failed),
        );
    }
    cursor
}
