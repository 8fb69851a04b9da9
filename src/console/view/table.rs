//! A list in its box: headings, the rows in sight and no others, and in the border what can't be seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::model::Health;
use crate::query::Noun;

use super::super::layout::{Layout, Shape};
use super::super::state::{Pane, PaneId};
use super::super::text::{ago, count, cut_end, wrap};
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::{Text, put};
use super::cell::{cell, sign};
use super::columns::{Column, GAP, fit};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Columns before the first column: cursor or mark, sign, blank.
const GUTTER: u16 = 3;

/// Draws a pane with rows.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect, id: PaneId, layout: &Layout) {
    let Some(pane) = cx.state.panes.get(id) else {
        return;
    };
    let focus = cx.state.focus == id;
    let edge = Edge {
        title: title(cx, id, layout),
        aside: filter_chip(cx, pane),
        foot: foot(cx, pane, layout.rows(id)),
        foot_aside: age(cx),
        focus,
    };
    let inner = frame::draw(cx, buf, rect, &edge);
    if inner.height < 2 || inner.width < GUTTER + 4 {
        return;
    }
    let fitted = fit(
        pane.noun,
        inner.width - GUTTER - 1,
        pane.columns_from,
        cx.state.look.several_services,
    );
    headings(cx, buf, inner, pane, &fitted);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if pane.is_empty() {
        empty(cx, buf, body, pane);
        return;
    }
    for (line, y) in (body.y..body.bottom()).enumerate() {
        let at = pane.top() + line;
        let Some(row) = pane.row(at) else { break };
        let area = Rect {
            y,
            height: 1,
            ..body
        };
        draw_row(cx, buf, area, pane, row, &fitted, focus);
    }
}

fn draw_row(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    area: Rect,
    pane: &Pane,
    row: u32,
    fitted: &[(Column, u16)],
    focus: bool,
) {
    let thing = pane.thing(row);
    let g = cx.glyphs;
    let cursor = pane.cursor() == Some(row);
    if pane.marks().contains(&row) {
        put(buf, area, area.x, area.y, g.mark, cx.style(Role::Mark));
    } else if cursor {
        put(buf, area, area.x, area.y, g.cursor, cx.style(Role::Accent));
    }
    let (glyph, role) = sign(cx, thing);
    put(buf, area, area.x + 1, area.y, glyph, cx.style(role));
    let news = thing
        .changed(&cx.state.store)
        .filter(|(at, _)| cx.is_news(*at))
        .map(|(_, fields)| fields);
    let mut x = area.x + GUTTER;
    for (column, width) in fitted {
        let text = cell(cx, thing, column.col, usize::from(*width));
        let place = Rect {
            x,
            width: *width,
            ..area
        };
        let taken = u16::try_from(text.width()).unwrap_or(*width).min(*width);
        let from = if column.right { x + width - taken } else { x };
        text.draw(buf, place, from, area.y, g.more);
        if news.is_some_and(|fields| column.col.shows(fields)) {
            let flash = Rect {
                x: from,
                width: taken,
                ..area
            };
            buf.set_style(flash, cx.style(Role::Flash));
        }
        x += width + GAP;
    }
    let taken = matches!(thing, Thing::Task(row) if cx.state.store.task(row).is_acknowledged());
    if taken || pane.is_ghost(row) || cx.is_old(thing.service(&cx.state.store)) {
        buf.set_style(area, cx.style(Role::Dim));
    }
    if cursor {
        let role = if focus {
            Role::Cursor
        } else {
            Role::CursorAway
        };
        buf.set_style(area, cx.style(role).remove_modifier(Modifier::DIM));
    }
}

fn headings(cx: &Cx<'_>, buf: &mut Buffer, inner: Rect, pane: &Pane, fitted: &[(Column, u16)]) {
    let g = cx.glyphs;
    let mut x = inner.x + GUTTER;
    let style = cx.style(Role::Heading);
    for (column, width) in fitted {
        let sorted = pane.sort().filter(|(field, _)| column.sort == Some(*field));
        let mut head = column.head.to_owned();
        if let Some((_, descending)) = sorted {
            head.push_str(if descending {
                g.descending
            } else {
                g.ascending
            });
        }
        let room = usize::from(*width) + usize::from(GAP) - 1;
        let head = cut_end(&head, room, "");
        let taken = u16::try_from(super::super::text::width(&head)).unwrap_or(*width);
        let from = if column.right {
            (x + width).saturating_sub(taken).max(x)
        } else {
            x
        };
        let style = if sorted.is_some() {
            cx.style(Role::Accent)
        } else {
            style
        };
        put(buf, inner, from, inner.y, &head, style);
        x += width + GAP;
    }
}

/// The title with its number; on a screen with one pane at a time, the tabs of all.
pub fn title(cx: &Cx<'_>, id: PaneId, layout: &Layout) -> Text<'static> {
    if layout.shape != Shape::Single {
        return tab(cx, id, id == cx.state.focus);
    }
    let mut tabs = Text::new();
    let room = usize::from(layout.screen.width);
    for (i, other) in PaneId::ALL.into_iter().enumerate() {
        let here = other == cx.state.focus;
        if i > 0 {
            tabs.push(format!(" {} ", cx.glyphs.line), cx.style(Role::Border));
        }
        let text = tab(cx, other, here);
        if here || tabs.width() + text.width() + 24 < room {
            tabs.append(text);
        } else {
            let n = PaneId::ALL.iter().position(|p| *p == other).unwrap_or(0) + 1;
            tabs.push(n.to_string(), cx.style(Role::Dim));
        }
    }
    tabs
}

fn tab(cx: &Cx<'_>, id: PaneId, here: bool) -> Text<'static> {
    let number = PaneId::ALL.iter().position(|p| *p == id).unwrap_or(0) + 1;
    let counts = cx.state.counts;
    let shown = cx.state.panes.get(id).filter(|p| !p.filter().is_empty());
    let n = match (id, shown) {
        (_, Some(pane)) => pane.count(),
        (PaneId::Devices, _) => counts.devices as usize,
        (PaneId::Policies, _) => counts.policies as usize,
        (PaneId::Running, _) => counts.live as usize,
        (PaneId::Failed, _) => cx
            .state
            .panes
            .get(id)
            .filter(|p| p.also_ended() || p.hides_acknowledged())
            .map_or(counts.failed as usize, Pane::count),
        (PaneId::Tasks, _) => cx.state.store.task_count(),
        (PaneId::Feed, _) => 0,
    };
    let name = if here { Role::Strong } else { Role::Text };
    let mut text = Text::of(
        number.to_string(),
        cx.style(if here { Role::Accent } else { Role::Dim }),
    );
    text.push(format!(" {}", id.title()), cx.style(name));
    if n > 0 {
        let role = match id {
            PaneId::Failed => Role::Failed,
            _ => Role::Dim,
        };
        text.push(format!(" {}", count(n)), cx.style(role));
    }
    text
}

fn filter_chip(cx: &Cx<'_>, pane: &Pane) -> Text<'static> {
    let mut chip = Text::new();
    if pane.also_ended() {
        chip.push("with skipped and cancelled", cx.style(Role::Dim));
    }
    if pane.hides_acknowledged() {
        if !chip.is_empty() {
            chip.push(", ", cx.style(Role::Dim));
        }
        chip.push("without taken ones", cx.style(Role::Dim));
    }
    if let Some(tabs) = view_tabs(cx, pane) {
        if !chip.is_empty() {
            chip.push(" ", cx.style(Role::Border));
        }
        chip.append(tabs);
    } else if !pane.filter().is_empty() {
        if !chip.is_empty() {
            chip.push(" ", cx.style(Role::Border));
        }
        let text = cut_end(pane.filter(), 40, cx.glyphs.more).into_owned();
        chip.push("/", cx.style(Role::Dim));
        chip.push(text, cx.style(Role::Accent));
    }
    chip
}

/// The saved views of this list as tabs, while one of them or the whole list is shown; a filter of another
/// kind shows itself.
fn view_tabs(cx: &Cx<'_>, pane: &Pane) -> Option<Text<'static>> {
    let here = PaneId::of_noun(pane.noun).word();
    let now = pane.filter();
    let views: Vec<_> = cx
        .state
        .views
        .iter()
        .filter(|v| v.list.pane == here)
        .collect();
    let known = now.is_empty() || views.iter().any(|v| v.list.filter == now);
    if views.is_empty() || !known {
        return None;
    }
    let mut tabs = Text::new();
    let names = std::iter::once(("all", "")).chain(
        views
            .iter()
            .map(|v| (v.name.as_str(), v.list.filter.as_str())),
    );
    for (i, (name, filter)) in names.enumerate() {
        if i > 0 {
            tabs.push(format!(" {} ", cx.glyphs.line), cx.style(Role::Border));
        }
        let role = if filter == now {
            Role::Accent
        } else {
            Role::Dim
        };
        tabs.push(
            cut_end(name, 20, cx.glyphs.more).into_owned(),
            cx.style(role),
        );
    }
    Some(tabs)
}

/// Marks, and rows out of sight.
fn foot(cx: &Cx<'_>, pane: &Pane, height: usize) -> Text<'static> {
    let g = cx.glyphs;
    let dim = cx.style(Role::Dim);
    let mut foot = Text::new();
    let marks = pane.marks().len();
    if marks > 0 {
        foot.push(
            format!("{} {} marked", g.mark, count(marks)),
            cx.style(Role::Mark),
        );
        let hidden = pane.marked_out_of_sight();
        if hidden > 0 {
            foot.push(format!(", {hidden} not in this list"), dim);
        }
        if pane.in_range() {
            foot.push(", moving marks", cx.style(Role::Accent));
        }
        foot.push("  ", dim);
    }
    let (above, len) = (pane.top(), pane.len());
    let below = len.saturating_sub(above + height);
    if above > 0 {
        foot.push(format!("{} {}", g.above, count(above)), dim);
    }
    if below > 0 {
        let gap = if above > 0 { "  " } else { "" };
        foot.push(format!("{gap}{} {}", g.below, count(below)), dim);
    }
    foot
}

/// How old the oldest data in sight may be, and whose it is.
fn age(cx: &Cx<'_>) -> Text<'static> {
    let mut oldest: Option<(i64, &str)> = None;
    let mut waiting = 0;
    for state in cx.state.store.services() {
        match state.health.last_ok() {
            Some(t) => {
                let age = cx.state.now.since(t);
                if oldest.is_none_or(|(o, _)| age > o) {
                    oldest = Some((age, &state.service.name));
                }
            }
            None => waiting += 1,
        }
    }
    let dim = cx.style(Role::Dim);
    match oldest {
        None => Text::of("no data yet", dim),
        Some((ms, name)) => {
            let label = ago(ms);
            cx.changes_in(label.stays_ms);
            let old = if ms < 60_000 {
                Text::of(format!("data {}", label.text), dim)
            } else {
                Text::of(
                    format!("{name} {} old", label.text),
                    cx.style(Role::Warning),
                )
            };
            if waiting > 0 {
                old.with(
                    format!(", {waiting} {}", unanswered(cx).to_lowercase()),
                    dim,
                )
            } else {
                old
            }
        }
    }
}

/// A list without rows says why it has none.
fn empty(cx: &Cx<'_>, buf: &mut Buffer, body: Rect, pane: &Pane) {
    let services = cx.state.store.services();
    let waiting: Vec<&str> = services
        .iter()
        .filter(|s| s.health.last_ok().is_none())
        .map(|s| &*s.service.name)
        .collect();
    let down = services
        .iter()
        .filter(|s| matches!(s.health, Health::Down { .. }))
        .count();
    let text = if !pane.filter().is_empty() {
        let filter = pane.filter();
        let mut text = format!("Nothing here fits {filter}. \\ takes the filter off.");
        if let Some((_, code)) = filter.split_once("code:") {
            // a job that failed without a code shows its status in that column
            let word = code.split([' ', ')', '"']).next().unwrap_or_default();
            if !word.is_empty() {
                text.push_str(&format!(
                    " Where a job has no code, its status stands there: status:{word}."
                ));
            }
        }
        text
    } else if services.is_empty() {
        "No services are configured.".to_owned()
    } else if waiting.len() == services.len() && cx.state.then.is_some() {
        "No service has a record of then.".to_owned()
    } else if waiting.len() == services.len() && down == 0 {
        format!("Asking {} …", waiting.join(", "))
    } else if waiting.len() == services.len() {
        "No service has answered yet. i shows what is wrong with each.".to_owned()
    } else {
        let what = match pane.noun {
            Noun::Devices => "No devices.",
            Noun::Policies => "No policies.",
            Noun::Running => "Nothing runs.",
            Noun::Failed => "No failed jobs.",
            Noun::Tasks => "No tasks.",
        };
        if waiting.is_empty() {
            what.to_owned()
        } else {
            format!("{what} {}: {}.", unanswered(cx), waiting.join(", "))
        }
    };
    let area = Rect {
        x: body.x + GUTTER,
        width: body.width.saturating_sub(GUTTER + 1),
        ..body
    };
    for (line, y) in wrap(&text, usize::from(area.width))
        .iter()
        .zip(area.y + 1..area.bottom())
    {
        put(buf, area, area.x, y, line, cx.style(Role::Dim));
    }
}

/// What is said of services that nothing is known of.
const fn unanswered(cx: &Cx<'_>) -> &'static str {
    if cx.state.then.is_some() {
        "No record then"
    } else {
        "Not answered yet"
    }
}
