//! A list to choose from: palette, sort, actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::super::layout::Layout;
use super::super::state::layer::{Pick, PickItem, PickKind};
use super::super::text::{cut_end, width, wrap};
use super::super::theme::Role;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Draws the list; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, pick: &Pick, layout: &Layout) -> Option<(u16, u16)> {
    let most = match pick.kind {
        PickKind::Palette => 18,
        PickKind::Menu => 20,
        PickKind::Sort => 14,
        PickKind::SaveView | PickKind::At => 8,
        PickKind::Row => 1,
        PickKind::Causes(_) | PickKind::Backups => 16,
    };
    let more: u16 = match pick.kind {
        PickKind::Causes(_) | PickKind::Backups => MORE.min(layout.body.height / 3),
        _ => 0,
    };
    // the size is that of the whole list, so that it doesn't jump while it is narrowed
    let rows = pick.items.len().clamp(1, most);
    let wide = match pick.kind {
        PickKind::Palette | PickKind::Menu => 92,
        PickKind::Sort | PickKind::SaveView => 64,
        PickKind::At => 76,
        PickKind::Row => 40,
        PickKind::Causes(_) | PickKind::Backups => 118,
    };
    let size = (wide, u16::try_from(rows + 4).unwrap_or(20) + more);
    let edge = Edge {
        title: Text::of(pick.title.clone(), cx.style(Role::Strong)),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::over(cx, buf, layout.body, size, &edge);
    if inner.height < 2 || inner.width < 8 {
        return None;
    }
    let area = Rect {
        x: inner.x + 1,
        width: inner.width - 2,
        ..inner
    };
    let from = put(buf, area, area.x, area.y, "> ", cx.style(Role::Accent));
    let end = put(
        buf,
        area,
        from,
        area.y,
        pick.line.text(),
        cx.style(Role::Text),
    );
    let column = from + u16::try_from(pick.line.cursor_column()).unwrap_or(0);
    let cursor = (column.min(area.right() - 1).min(end), area.y);
    let rule = cx.glyphs.line.repeat(usize::from(inner.width));
    put(
        buf,
        inner,
        inner.x,
        inner.y + 1,
        &rule,
        cx.style(Role::Border),
    );
    let list = Rect {
        y: inner.y + 2,
        height: inner.height.saturating_sub(2 + more),
        ..inner
    };
    if more > 1 {
        draw_more(cx, buf, inner, pick, more);
    }
    let height = usize::from(list.height).max(1);
    let top = pick.chosen.saturating_sub(height.saturating_sub(1));
    let label = pick
        .items
        .iter()
        .map(|i| width(&i.label))
        .max()
        .unwrap_or(0);
    let label = label.min(usize::from(list.width) * 3 / 5);
    for ((line, (at, letters)), y) in pick
        .shown
        .iter()
        .enumerate()
        .skip(top)
        .take(height)
        .zip(list.y..list.bottom())
    {
        let Some(item) = pick.items.get(*at) else {
            continue;
        };
        let row = Rect {
            y,
            height: 1,
            ..list
        };
        draw_item(cx, buf, row, item, letters, label);
        if line == pick.chosen {
            buf.set_style(row, cx.style(Role::Cursor).remove_modifier(Modifier::DIM));
        }
    }
    if pick.shown.is_empty() {
        let text = match pick.kind {
            PickKind::Row => "Type a number.",
            PickKind::SaveView => "Type a name.",
            _ => "Nothing by that name.",
        };
        put(buf, list, list.x + 1, list.y, text, cx.style(Role::Dim));
    }
    Some(cursor)
}

/// So many lines at most say more about the chosen line.
const MORE: u16 = 9;

/// More about the chosen line, below the list.
fn draw_more(cx: &Cx<'_>, buf: &mut Buffer, inner: Rect, pick: &Pick, height: u16) {
    let top = inner.bottom().saturating_sub(height);
    let rule = cx.glyphs.line.repeat(usize::from(inner.width));
    put(buf, inner, inner.x, top, &rule, cx.style(Role::Border));
    let Some(item) = pick.item() else { return };
    let area = Rect {
        x: inner.x + 1,
        y: top + 1,
        width: inner.width.saturating_sub(2),
        height: height - 1,
    };
    let mut lines: Vec<Text<'_>> = Vec::new();
    // what the list had to cut
    let about = matches!(pick.kind, PickKind::Causes(_)).then_some(&item.about);
    for line in about.into_iter().chain(item.choice.more()) {
        for part in wrap(line, usize::from(area.width)) {
            lines.push(Text::of(part.to_owned(), cx.style(Role::Text)));
        }
    }
    super::card::lines(cx, buf, area, &lines, 0);
}

fn draw_item(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    row: Rect,
    item: &PickItem,
    letters: &[u32],
    label: usize,
) {
    let possible = item.blocked.is_none();
    let role = if possible { Role::Text } else { Role::Off };
    let x = row.x + 1;
    let text = cut_end(&item.label, label, cx.glyphs.more);
    put(buf, row, x, row.y, &text, cx.style(role));
    for at in letters {
        // letters that were found; labels are in the main ASCII, so columns and letters agree
        let at = x.saturating_add(u16::try_from(*at).unwrap_or(u16::MAX));
        if at < row.right() && usize::from(at - x) < width(&text) {
            buf.set_style(Rect::new(at, row.y, 1, 1), cx.style(Role::Match));
        }
    }
    let aside = u16::try_from(width(&item.aside)).unwrap_or(0);
    let aside_at = row.right().saturating_sub(aside + 1);
    let about_at = x + u16::try_from(label + 2).unwrap_or(0);
    let about = match &item.blocked {
        Some(why) => why.as_str(),
        None => item.about.as_str(),
    };
    let room = Rect {
        width: aside_at.saturating_sub(1).saturating_sub(row.x),
        ..row
    };
    if about_at < room.right() {
        let about = cut_end(about, usize::from(room.right() - about_at), cx.glyphs.more);
        let role = if possible { Role::Dim } else { Role::Off };
        put(buf, room, about_at, row.y, &about, cx.style(role));
    }
    let role = if possible { Role::Accent } else { Role::Off };
    put(buf, row, aside_at, row.y, &item.aside, cx.style(role));
}
