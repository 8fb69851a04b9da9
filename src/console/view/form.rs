//! The values of an action being typed.

use ratatui::buffer::Buffer;

use super::super::layout::Layout;
use super::super::state::layer::Form;
use super::super::state::layer::form::expected;
use super::cx::Cx;
use super::fields;

/// Draws the form; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, form: &Form, layout: &Layout) -> Option<(u16, u16)> {
    let store = &cx.state.store;
    let on = match form.things.as_slice() {
        [one] => one.name(store).to_owned(),
        many => format!("{} rows", many.len()),
    };
    let inputs = form.spec.inputs.iter();
    let lines = inputs
        .zip(&form.lines)
        .map(|(input, line)| (input.ask, expected(input), line));
    let error = form.error.as_deref();
    fields::draw(
        cx,
        buf,
        layout,
        (form.spec.label, &on),
        lines,
        form.at,
        error,
    )
}
