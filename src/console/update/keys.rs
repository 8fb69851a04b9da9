//! From keys to words: the keymap decides, sequences are waited for, text goes where text is typed.

use super::super::effect::Effect;
use super::super::key::Key;
use super::super::keymap::{Found, Place, label};
use super::super::state::{Layer, State, Tone};
use super::{filter, layers, palette, words};

/// Takes a key.
pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    if state.toast.as_ref().is_some_and(|t| t.was_seen(state.now)) {
        state.toast = None;
    }
    let place = state.place();
    // while text is typed, what can be typed is text
    if matches!(place, Place::Prompt | Place::Pick)
        && key.typed().is_some()
        && state.chord.is_empty()
    {
        return typed(state, key);
    }
    state.chord.push(key);
    match state.keymap.find(place, &state.chord) {
        Found::Word(word) => {
            state.chord.clear();
            words::word(state, word)
        }
        Found::Prefix(_) => Vec::new(),
        Found::Nothing => {
            let keys = std::mem::take(&mut state.chord);
            state.previews = false;
            if keys.len() > 1 {
                let keys = label(&keys, state.look.glyphs.ascii);
                state.say(
                    format!("{keys} means nothing here; ? lists the keys"),
                    Tone::Plain,
                );
                return Vec::new();
            }
            match place {
                Place::Prompt | Place::Pick => typed(state, key),
                _ => {
                    let key = key.label(state.look.glyphs.ascii);
                    state.say(
                        format!("{key} means nothing here; ? lists the keys"),
                        Tone::Plain,
                    );
                    Vec::new()
                }
            }
        }
    }
}

/// A key that edits the text being typed.
fn typed(state: &mut State, key: Key) -> Vec<Effect> {
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            let edits = line.line.key(key);
            if edits {
                line.chosen = None;
                line.recalled = None;
                filter::typed(state);
            }
        }
        Some(Layer::Pick(pick)) => {
            let edits = pick.line.key(key);
            if edits {
                palette::typed(state);
            }
        }
        Some(Layer::Form(form)) => {
            if let Some(line) = form.lines.get_mut(form.at) {
                line.key(key);
                form.error = None;
            }
        }
        Some(Layer::Ack(form)) => {
            if let Some(line) = form.line() {
                line.key(key);
                form.error = None;
            }
        }
        Some(Layer::Confirm(confirm)) if confirm.wants_typing() => {
            confirm.typed.key(key);
            confirm.error = None;
        }
        _ => {}
    }
    Vec::new()
}

/// Text from the clipboard: it is text, never keys.
pub(super) fn paste(state: &mut State, text: &str) {
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            line.line.paste(text);
            filter::typed(state);
        }
        Some(Layer::Pick(pick)) => {
            pick.line.paste(text);
            palette::typed(state);
        }
        Some(Layer::Form(form)) => {
            if let Some(line) = form.lines.get_mut(form.at) {
                line.paste(text);
            }
        }
        Some(Layer::Ack(form)) => {
            if let Some(line) = form.line() {
                line.paste(text);
            }
        }
        // a name that has to be typed is typed
        Some(Layer::Confirm(_)) => layers::no_paste(state),
        _ => state.say(
            "Pasted text has no place here; / filters, : opens the palette",
            Tone::Plain,
        ),
    }
}
