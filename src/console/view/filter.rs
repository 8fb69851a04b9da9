//! The filter line, in the lower border of its pane, with what is wrong and what could follow above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::super::layout::Layout;
use super::super::state::layer::FilterLine;
use super::super::text::cut::head_width;
use super::super::text::width;
use super::super::theme::Role;
use super::brush::{Text, clear, put};
use super::cx::Cx;

/// How many ways to go on are listed.
const WAYS: usize = 6;

/// Draws the line; the answer is where the cursor stands.
pub fn draw(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    line: &FilterLine,
    layout: &Layout,
) -> Option<(u16, u16)> {
    let pane = layout.pane(cx.state.focus)?;
    if pane.height < 3 || pane.width < 12 {
        return None;
    }
    let y = pane.bottom() - 1;
    let area = Rect::new(pane.x + 2, y, pane.width - 4, 1);
    clear(buf, area, cx.style(Role::Text));
    let from = put(buf, area, area.x, y, "/", cx.style(Role::Accent));
    let text = line.line.text();
    // the end stays in sight while a long filter is typed
    let cursor = line.line.cursor_column();
    let room = usize::from(area.right().saturating_sub(from + 1));
    let hidden = cursor.saturating_sub(room);
    let shown = skip_columns(text, hidden);
    put(buf, area, from, y, shown, cx.style(Role::Text));
    let column = |at: usize| {
        let at = head_width(text, at).saturating_sub(hidden);
        from.saturating_add(u16::try_from(at).unwrap_or(u16::MAX))
            .min(area.right())
    };
    let count = cx.state.pane().map_or(0, super::super::state::Pane::count);
    let found = format!(" {} ", super::super::text::count(count));
    let found_at = area
        .right()
        .saturating_sub(u16::try_from(width(&found)).unwrap_or(0));
    if column(text.len()) + 1 < found_at {
        put(buf, area, found_at, y, &found, cx.style(Role::Dim));
    }
    let above = Rect::new(pane.x + 1, pane.y + 1, pane.width - 2, pane.height - 2);
    if let Some(error) = &line.error {
        let (a, b) = (column(error.at), column(error.at + error.len.max(1)));
        let wrong = Rect::new(
            a,
            y,
            b.saturating_sub(a)
                .max(1)
                .min(area.right().saturating_sub(a)),
            1,
        );
        buf.set_style(
            wrong,
            cx.style(Role::Failed).add_modifier(Modifier::UNDERLINED),
        );
        let mut said = format!("{} {}", cx.glyphs.warning, error.what);
        if !error.expected.is_empty() {
            said.push_str(&format!("; expected {}", error.expected));
        }
        let line_y = above.bottom() - 1;
        let strip = Rect {
            y: line_y,
            height: 1,
            ..above
        };
        clear(buf, strip, cx.style(Role::Text));
        Text::of(format!(" {said}"), cx.style(Role::Failed)).draw(
            buf,
            strip,
            strip.x,
            line_y,
            cx.glyphs.more,
        );
    } else if !line.completions.is_empty() {
        ways(
            cx,
            buf,
            line,
            above,
            column(line.completions.first().map_or(0, |c| c.at)),
        );
    }
    let x = column(line.line.cursor());
    Some((x, y))
}

fn skip_columns(text: &str, columns: usize) -> &str {
    if columns == 0 {
        return text;
    }
    text.char_indices()
        .find(|(at, _)| head_width(text, *at) >= columns)
        .map_or("", |(at, _)| text.get(at..).unwrap_or(""))
}

/// The ways to go on, above the place where they would stand.
fn ways(cx: &Cx<'_>, buf: &mut Buffer, line: &FilterLine, above: Rect, x: u16) {
    let chosen = line.chosen.unwrap_or(usize::MAX);
    let first = if chosen == usize::MAX {
        0
    } else {
        chosen.saturating_sub(WAYS - 1)
    };
    let ways: Vec<_> = line
        .completions
        .iter()
        .enumerate()
        .skip(first)
        .take(WAYS)
        .collect();
    let label = ways.iter().map(|(_, c)| width(&c.label)).max().unwrap_or(0);
    let wide = ways
        .iter()
        .map(|(_, c)| label + 2 + width(c.help))
        .max()
        .unwrap_or(0);
    let w = u16::try_from(wide + 2).unwrap_or(u16::MAX).min(above.width);
    let h = u16::try_from(ways.len()).unwrap_or(0).min(above.height);
    let x = x.min(above.right().saturating_sub(w)).max(above.x);
    let rect = Rect::new(x, above.bottom() - h, w, h);
    clear(buf, rect, cx.style(Role::CursorAway));
    for ((at, way), y) in ways.iter().zip(rect.y..rect.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..rect
        };
        Text::of(format!(" {:<label$}  ", way.label), cx.style(Role::Text))
            .with(way.help, cx.style(Role::Dim))
            .draw(buf, row, row.x, y, cx.glyphs.more);
        if *at == chosen {
            buf.set_style(row, cx.style(Role::Cursor).remove_modifier(Modifier::DIM));
        }
    }
}
