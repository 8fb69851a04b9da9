//! Going to panes, to what is related, and back.

use super::super::effect::Effect;
use super::super::layout::Layout;
use super::super::relation::{Way, way};
use super::super::state::detail::{PastLine, Tab};
use super::super::state::places::Spot;
use super::super::state::{Detail, PaneId, State, Tone};
use super::super::thing::Thing;
use super::super::word::Word;
use super::list;
use crate::store::history::{Entry, HistoryError, Sort, Subject};

/// Goes to a pane.
pub(super) fn pane(state: &mut State, id: PaneId) {
    state.detail = None;
    state.focus = id;
    list::keep_in_sight(state);
}

/// Goes to the next or previous pane, or in an opened row to the next or previous tab.
pub(super) fn neighbour(state: &mut State, by: isize) {
    if let Some(detail) = &mut state.detail {
        detail.tab = detail.tab.step(by);
        list::refresh_record(state);
    } else {
        pane(state, state.focus.step(by));
    }
}

/// Where the operator is.
fn here(state: &State) -> Spot {
    let pane = state.pane();
    Spot {
        pane: state.focus,
        filter: pane.map_or_else(String::new, |p| p.filter().to_owned()),
        cursor: pane.and_then(super::super::state::Pane::cursor),
        expanded: state.expanded,
        opened: state.detail.as_ref().map(|d| (d.thing, d.tab)),
    }
}

/// Opens the row under the cursor, or another tab of the one that is open.
pub(super) fn open(state: &mut State, tab: Option<Tab>) -> Vec<Effect> {
    let Some(thing) = state.subject() else {
        return Vec::new();
    };
    if let Some(pane) = state.pane_mut() {
        pane.touch();
    }
    let detail = state.detail.get_or_insert_with(|| Detail::new(thing));
    detail.tab = tab.unwrap_or(detail.tab);
    list::refresh_record(state);
    fetch_record(state)
}

/// What history knows of the opened row is asked for again at most this often, in milliseconds.
const PAST_AGAIN_MS: i64 = 2_000;

/// What history calls a thing.
fn subject_of(state: &State, thing: Thing) -> Subject {
    let sort = thing.kind().word().parse().unwrap_or(Sort::Task);
    let id = thing.id(&state.store);
    Subject::new(thing.service_name(&state.store), sort, id)
}

/// Asks history for what happened to the opened row.
fn ask_past(state: &mut State) -> Vec<Effect> {
    let Some(thing) = state.detail.as_ref().map(|d| d.thing) else {
        return Vec::new();
    };
    let subject = subject_of(state, thing);
    if let Some(detail) = &mut state.detail {
        detail.past.asked = Some(state.now);
    }
    vec![Effect::Timeline {
        subject,
        until: state.then.map(|then| then.at.plus(1)),
    }]
}

/// Something changed: what is in sight of the past is asked for again, now and then.
pub(super) fn refresh_past(state: &mut State) -> Vec<Effect> {
    let due = state.detail.as_ref().is_some_and(|d| {
        let asked = d.past.asked;
        d.tab == Tab::Past && asked.is_none_or(|at| state.now.since(at) >= PAST_AGAIN_MS)
    });
    if due { ask_past(state) } else { Vec::new() }
}

/// Takes what history told of a thing, where that is still open.
pub(super) fn told_past(
    state: &mut State,
    subject: &Subject,
    result: Result<Vec<Entry>, HistoryError>,
) {
    let open = state.detail.as_ref().map(|d| d.thing);
    if open.is_none_or(|thing| subject_of(state, thing) != *subject) {
        return;
    }
    let alone = subject.sort == Sort::Task;
    let told = result
        .map(|entries| entries.iter().map(|e| PastLine::of(e, alone)).collect())
        .map_err(|e| e.to_string());
    if let Some(detail) = &mut state.detail {
        detail.past.told = Some(told);
    }
    state.dirty = true;
    list::clamp_detail(state);
}

/// Asks the service for a record that is not held, when it is in sight; and history for the past.
pub(super) fn fetch_record(state: &mut State) -> Vec<Effect> {
    if let Some(detail) = &state.detail
        && detail.tab == Tab::Past
        && detail.past.asked.is_none()
    {
        return ask_past(state);
    }
    let past = state.then.is_some();
    let Some(detail) = state.detail.as_mut().filter(|_| !past) else {
        return Vec::new();
    };
    let Thing::Task(_) = detail.thing else {
        return Vec::new();
    };
    if detail.tab != Tab::Record || detail.asking || !detail.record.is_empty() {
        return Vec::new();
    }
    detail.asking = true;
    let thing = detail.thing;
    vec![Effect::LookUp {
        service: thing.service(&state.store),
        task: thing.id(&state.store).to_owned(),
        first: true,
    }]
}

/// Goes to what is related to the row under the cursor.
pub(super) fn related(state: &mut State, word: Word) {
    let Some(thing) = state.subject() else { return };
    match way(&state.store, thing, word) {
        Ok(way) => {
            let from = here(state);
            state.places.leave(from);
            follow(state, way);
        }
        Err(why) => state.say(capital_stop(&why), Tone::Warning),
    }
}

/// Goes to the rows of a pane that a filter lets through; back leads here again.
pub(super) fn leave_for_rows(state: &mut State, id: PaneId, filter: &str) {
    let from = here(state);
    state.places.leave(from);
    follow(state, Way::Rows(id, filter.to_owned()));
}

/// Goes to a row of a pane; back leads here again.
pub(super) fn leave_for_row(state: &mut State, id: PaneId, thing: Thing) {
    let from = here(state);
    state.places.leave(from);
    follow(state, Way::Row(id, thing));
}

fn follow(state: &mut State, way: Way) {
    state.detail = None;
    match way {
        Way::Row(id, thing) => {
            state.focus = id;
            show(state, |_| {}, Some(thing.row()));
            if state.under_cursor() != Some(thing) {
                // the filter there hides it
                show(state, |p| drop(p.set_filter("")), Some(thing.row()));
                state.say("The filter there was taken off to show it.", Tone::Plain);
            }
        }
        Way::Rows(id, filter) => {
            state.focus = id;
            show(state, |p| drop(p.set_filter(&filter)), None);
        }
    }
}

/// Changes the pane in focus, brings its list up to date and puts the cursor on a row.
fn show(state: &mut State, change: impl FnOnce(&mut super::super::state::Pane), row: Option<u32>) {
    let height = Layout::of(state).rows(state.focus);
    let now = state.now;
    if let Some(pane) = state.panes.get_mut(state.focus) {
        change(pane);
        pane.refilter(&state.store, now, height);
        match row {
            Some(row) => {
                pane.select(row, height);
            }
            None => pane.go(0, height),
        }
    }
}

/// Back to where the operator was.
pub(super) fn back(state: &mut State) {
    let from = here(state);
    if let Some(spot) = state.places.back(from) {
        restore(state, &spot);
    }
}

/// Forward again.
pub(super) fn forward(state: &mut State) {
    let from = here(state);
    if let Some(spot) = state.places.forward(from) {
        restore(state, &spot);
    }
}

fn restore(state: &mut State, spot: &Spot) {
    state.focus = spot.pane;
    state.expanded = spot.expanded;
    state.detail = spot.opened.map(|(thing, tab)| Detail {
        tab,
        ..Detail::new(thing)
    });
    show(state, |p| drop(p.set_filter(&spot.filter)), spot.cursor);
    list::refresh_record(state);
}

/// A reason as a sentence.
pub(super) fn capital_stop(why: &str) -> String {
    let mut text = super::super::ticket::capital(why);
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}
