//! The values of an action being typed.

use ratatui::buffer::Buffer;

use super::super::layout::Layout;
use super::super::state::layer::Form;
use super::super::state::layer::form::expected;
use super::super::theme::Role;
use super::brush::Text;
use super::cx::Cx;
use super::fields;
use super::frame::Edge;

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
    let inputs = form.spec.inputs.iter();
    let lines = inputs
        .zip(&form.lines)
        .map(|(input, line)| (input.ask, expected(input), line));
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
