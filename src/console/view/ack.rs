//! Taking failed jobs or noting them: note and end being typed.

use ratatui::buffer::Buffer;

use super::super::layout::Layout;
use super::super::state::layer::AckForm;
use super::super::thing::Thing;
use super::cx::Cx;
use super::fields;

/// Draws the form; the answer is where the cursor stands.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, form: &AckForm, layout: &Layout) -> Option<(u16, u16)> {
    let on = match form.rows.as_slice() {
        [one] => Thing::Task(*one).name(&cx.state.store).to_owned(),
        many => format!("{} failed jobs", many.len()),
    };
    let does = if form.only_note { "Note" } else { "Take" };
    let asked = form.asked().iter();
    let lines = asked
        .zip(&form.lines)
        .map(|((ask, expected), line)| (*ask, (*expected).to_owned(), line));
    let error = form.error.as_deref();
    fields::draw(cx, buf, layout, (does, &on), lines, form.at, error)
}
