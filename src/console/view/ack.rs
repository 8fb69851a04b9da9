//! Taking failed jobs or noting them: note and end being typed.

use ratatui::buffer::Buffer;

use super::super::layout::Layout;
use super::super::state::layer::AckForm;
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::Text;
use super::cx::Cx;
use super::fields;
use super::frame::Edge;

/// Draws the form; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, form: &AckForm, layout: &Layout) -> Option<(u16, u16)> {
    let on = match form.rows.as_slice() {
        [one] => Thing::Task(*one).name(&cx.state.store).to_owned(),
        many => format!("{} failed jobs", many.len()),
    };
    let does = if form.only_note { "Note" } else { "Take" };
    let edge = Edge {
        title: Text::of(does, cx.style(Role::Strong))
            .with(format!(" {} {on}", cx.glyphs.dot), cx.style(Role::Dim)),
        focus: true,
        ..Edge::default()
    };
    let asked = form.asked().iter();
    let lines = asked
        .zip(&form.lines)
        .map(|((ask, expected), line)| (*ask, (*expected).to_owned(), line));
    fields::draw(
        cx,
        buf,
        layout,
        &edge,
        lines,
        form.at,
        form.error.as_deref(),
    )
}
