//! One message in, the state changed, effects out. No clock, no I/O, no waiting: the time comes as a
//! message, everything else goes out as a value.

mod ack;
mod act;
pub(super) mod causes;
mod data;
mod deed;
mod filter;
mod go;
mod keys;
mod layers;
mod list;
mod palette;
mod past;
mod then;
mod views;
mod words;

use super::effect::Effect;
use super::layout::Layout;
use super::message::Message;
use super::state::{Layer, PaneId, State, Tone};

/// Folds a message into the state and brings what is on screen up to date.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = fold(state, message);
    effects.extend(settle(state));
    effects
}

/// Folds a message into the state without bringing the lists up to date: for a burst of messages that
/// ends with one [`settle`].
pub fn fold(state: &mut State, message: Message) -> Vec<Effect> {
    then::fold(state, message)
}

/// The same for the present, or for the past alone.
fn fold_one(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => {
            state.dirty = true;
            keys::key(state, key)
        }
        Message::Paste(text) => {
            state.dirty = true;
            keys::paste(state, &text);
            Vec::new()
        }
        Message::Resize(columns, rows) => {
            state.dirty |= state.size != (columns, rows);
            state.size = (columns, rows);
            list::keep_in_sight(state);
            Vec::new()
        }
        Message::Focus(on) => {
            state.attended = on;
            Vec::new()
        }
        Message::Now(now) => {
            state.now = now;
            Vec::new()
        }
        Message::Tick(now) => {
            state.now = now;
            state.dirty = true;
            if state
                .toast
                .as_ref()
                .and_then(|t| t.until)
                .is_some_and(|until| until <= now)
            {
                state.toast = None;
            }
            Vec::new()
        }
        Message::Watch(event) => data::take(state, event),
        Message::Lot(events) => events
            .into_iter()
            .flat_map(|event| data::take(state, event))
            .collect(),
        Message::Action(event) => deed::take(state, event),
        Message::Known(known) => past::known(state, *known),
        Message::Earlier(records) => past::earlier(state, records),
        Message::History(health) => past::health(state, *health),
        Message::Remarks(remarks) => {
            ack::known(state, remarks);
            Vec::new()
        }
        Message::Remarked { what, fault } => {
            ack::kept(state, what, fault);
            Vec::new()
        }
        Message::Timeline { subject, result } => {
            go::told_past(state, &subject, result);
            Vec::new()
        }
        Message::Then { at, result } => {
            then::show(state, at, result);
            Vec::new()
        }
        Message::Prepared { ask, result } => act::prepared(state, ask, result),
        Message::Copied { what, how } => {
            match how {
                Ok(way) => state.say(format!("Copied {what} {way}."), Tone::Good),
                Err(why) => state.say(format!("{what} was not copied: {why}."), Tone::Warning),
            }
            Vec::new()
        }
        Message::Notice(text) => {
            state.say(text, Tone::Warning);
            Vec::new()
        }
        Message::Resumed => {
            state.dirty = true;
            vec![Effect::Repaint]
        }
        Message::Terminate => quit(state),
    }
}

/// Brings the lists in sight up to date with the store, and the actions on their way with the tasks that
/// they became.
pub fn settle(state: &mut State) -> Vec<Effect> {
    if let Some(mut past) = state.past.take() {
        // nothing there goes out
        let _ = settle_one(&mut past);
        state.past = Some(past);
    }
    settle_one(state)
}

fn settle_one(state: &mut State) -> Vec<Effect> {
    state.store.run_out(state.now);
    let generation = state.store.generation();
    let changed = generation != state.seen_generation;
    let layout = Layout::of(state);
    for id in PaneId::ALL {
        let Some(height) = layout.pane(id).map(|_| layout.rows(id)) else {
            continue;
        };
        let now = state.now;
        if let Some(pane) = state.panes.get_mut(id)
            && pane.is_behind(generation, now)
        {
            pane.refresh(&state.store, now, height);
            state.dirty = true;
        }
    }
    state.seen_generation = generation;
    if changed || state.counts_until.is_some_and(|t| t <= state.now) {
        state.counts = state.store.counts(state.now);
        let ends = state.store.next_run_out();
        let overdue = state.store.next_overdue(state.now);
        state.counts_until = [ends, overdue].into_iter().flatten().min();
    }
    if !changed {
        return Vec::new();
    }
    state.dirty = true;
    list::refresh_record(state);
    let mut effects = deed::observe(state);
    effects.extend(go::refresh_past(state));
    effects
}

/// Ends the program; what the operator arranged is kept.
fn quit(state: &State) -> Vec<Effect> {
    vec![Effect::SaveUi(Box::new(state.to_save())), Effect::Quit]
}

/// Puts a layer on top.
fn push(state: &mut State, layer: Layer) {
    state.chord.clear();
    state.layers.push(layer);
    state.dirty = true;
}
