//! Drawing a state. Nothing here changes anything: the same state is always the same screen.
//!
//! While it draws, the view notes the next moment at which a label in sight will read differently; the
//! loop sleeps until then.

pub mod ack;
pub mod brush;
pub mod card;
pub mod cell;
pub mod columns;
pub mod confirm;
pub mod course;
pub mod cx;
pub mod detail;
pub mod feed;
mod fields;
pub mod filter;
pub mod form;
pub mod frame;
pub mod header;
pub mod help;
pub mod page;
pub mod pick;
pub mod services;
pub mod status;
pub mod table;
pub mod which;

use ratatui::Frame;

use super::layout::{Layout, Shape};
use super::state::{Layer, PaneId, State};
use super::theme::Role;

pub use cx::{Cx, Due};

/// Draws the state. The answer is when a label in sight changes by itself, if any does.
pub fn view(state: &State, frame: &mut Frame<'_>) -> Due {
    if let Some(past) = &state.past {
        // its clock stands still: no label changes by itself
        let _ = view(past, frame);
        return Due::default();
    }
    let cx = Cx::new(state);
    let layout = Layout::of(state);
    let area = frame.area();
    let buf = frame.buffer_mut();
    buf.set_style(area, cx.style(Role::Text));
    if layout.shape == Shape::TooSmall || area.as_size() != layout.screen.as_size() {
        let (w, h) = (area.width, area.height);
        let note = format!("{w}x{h} is too small: 36x9 is the least");
        for (y, line) in super::text::wrap(&note, usize::from(w)).iter().enumerate() {
            if let Ok(y) = u16::try_from(y)
                && y < h
            {
                brush::put(buf, area, 0, y, line, cx.style(Role::Text));
            }
        }
        return Due::default();
    }
    header::draw(&cx, buf, layout.header);
    services::draw(&cx, buf, layout.services);
    header::draw_notice(&cx, buf, layout.notice);
    for (id, rect) in &layout.panes {
        match id {
            PaneId::Feed => feed::draw(&cx, buf, *rect, &layout),
            id => table::draw(&cx, buf, *rect, *id, &layout),
        }
    }
    card::draw(&cx, buf, layout.card);
    detail::draw(&cx, buf, layout.detail);
    status::draw(&cx, buf, layout.status);
    status::draw_hints(&cx, buf, layout.hints);
    let mut cursor = None;
    for layer in &state.layers {
        cursor = match layer {
            Layer::Filter(line) => filter::draw(&cx, buf, line, &layout),
            Layer::Pick(pick) => pick::draw(&cx, buf, pick, &layout),
            Layer::Form(form) => form::draw(&cx, buf, form, &layout),
            Layer::Ack(form) => ack::draw(&cx, buf, form, &layout),
            Layer::Confirm(confirm) => confirm::draw(&cx, buf, confirm, &layout),
            Layer::Page(page) => page::draw(&cx, buf, *page, &layout),
        };
    }
    which::draw(&cx, buf, &layout);
    status::draw_long(&cx, buf, &layout);
    if let Some((x, y)) = cursor
        && x < area.right()
        && y < area.bottom()
    {
        frame.set_cursor_position((x, y));
    }
    cx.wake()
}
