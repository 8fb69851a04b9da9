//! Taking failed jobs, giving them back, and leaving notes.

use crate::store::TaskRow;
use crate::store::history::Remark;

use super::super::effect::Effect;
use super::super::state::layer::AckForm;
use super::super::state::{Layer, State, Tone};
use super::super::thing::Thing;
use super::super::word::Word;
use super::{list, push, words};

/// The marked jobs, or the one under the cursor, that the word can be about.
fn rows(state: &State, fits: impl Fn(&State, TaskRow) -> bool) -> Vec<TaskRow> {
    let marked = words::marked(state);
    let things = if marked.is_empty() {
        state.subject().into_iter().collect()
    } else {
        marked
    };
    things
        .into_iter()
        .filter_map(|thing| match thing {
            Thing::Task(row) => Some(row),
            _ => None,
        })
        .filter(|row| fits(state, *row))
        .collect()
}

/// Asks for note and end, or for the note alone.
pub(super) fn open(state: &mut State, only_note: bool) {
    list::with_pane(state, super::super::state::Pane::touch);
    let rows = rows(state, |s, row| s.store.task(row).phase().needs_person());
    if rows.is_empty() {
        state.say("None of these has failed.", Tone::Warning);
        return;
    }
    push(state, Layer::Ack(AckForm::new(rows, only_note)));
}

/// Gives back what was taken.
pub(super) fn give_back(state: &mut State) -> Vec<Effect> {
    list::with_pane(state, super::super::state::Pane::touch);
    let rows = rows(state, |s, row| s.store.task(row).ack().is_some());
    let now = state.now;
    let remarks: Vec<Remark> = rows
        .iter()
        .filter_map(|row| state.store.task(*row).ack().map(|(ack, _)| ack.id))
        .filter_map(|id| state.remarks.iter().find(|r| r.id == id))
        .map(|remark| remark.withdrawal("", now))
        .collect();
    if remarks.is_empty() {
        state.say("Nobody took any of these.", Tone::Warning);
        return Vec::new();
    }
    let what = said(state, "Given back", &rows);
    vec![Effect::Remark { remarks, what }]
}

fn said(state: &State, did: &str, rows: &[TaskRow]) -> String {
    match rows {
        [one] => format!("{did}: {}.", Thing::Task(*one).name(&state.store)),
        many => format!("{did}: {} failed jobs.", many.len()),
    }
}

/// Carries out a word in the form.
pub(super) fn word(state: &mut State, word: Word) -> Vec<Effect> {
    let Some(Layer::Ack(form)) = state.layers.last_mut() else {
        return Vec::new();
    };
    match word {
        Word::Close => {
            state.layers.pop();
        }
        Word::Earlier => form.at = form.at.saturating_sub(1),
        Word::Later | Word::Complete => form.at = (form.at + 1).min(form.asked().len() - 1),
        Word::Accept if form.at + 1 < form.lines.len() => form.at += 1,
        Word::Accept => {
            let now = state.now;
            match form.remarks(&state.store, now) {
                Ok(remarks) => {
                    let rows = form.rows.clone();
                    let did = if form.only_note { "Noted" } else { "Taken" };
                    state.layers.pop();
                    let numbers: Vec<u32> = rows.iter().map(|r| r.0).collect();
                    list::with_pane(state, |pane| pane.unmark(&numbers));
                    let what = said(state, did, &rows);
                    return vec![Effect::Remark { remarks, what }];
                }
                Err(why) => form.error = Some(why),
            }
        }
        _ => {}
    }
    Vec::new()
}

/// What is known of acknowledgements and notes.
pub(super) fn known(state: &mut State, remarks: Vec<Remark>) {
    let before = state.store.generation();
    state.store.set_remarks(&remarks, state.now);
    state.remarks = remarks;
    state.dirty |= before != state.store.generation();
}

/// A remark was kept, or could not be.
pub(super) fn kept(state: &mut State, what: String, fault: Option<String>) {
    match fault {
        None => state.say(what, Tone::Good),
        Some(why) => {
            let text = format!("This could not be written down and holds nowhere: {why}");
            state.toast = Some(super::super::state::Toast::lasting(
                text,
                Tone::Bad,
                state.now,
            ));
            state.dirty = true;
        }
    }
}
