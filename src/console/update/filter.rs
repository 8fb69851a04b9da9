//! The filter: read at every key, an error shown at its place, the last good result kept.

use crate::query::{Query, complete};

use super::super::effect::Effect;
use super::super::layout::Layout;
use super::super::relation::quote;
use super::super::state::layer::FilterLine;
use super::super::state::{Layer, State};
use super::super::thing::Thing;
use super::push;

/// How many filters are remembered.
const REMEMBERED: usize = 50;
/// How many values of a field are offered.
const VALUES: usize = 50;

/// Opens the filter line.
pub(super) fn open(state: &mut State) {
    if let Some(pane) = state.pane_mut() {
        pane.touch();
        let line = FilterLine::new(pane.filter());
        push(state, Layer::Filter(line));
    }
}

/// The text has changed. The list follows once for all keys that came together: when it is drawn next, or
/// when the filter is taken.
pub(super) fn typed(state: &mut State) {
    let Some(Layer::Filter(line)) = state.layers.last() else {
        return;
    };
    let text = line.line.text().to_owned();
    let cursor = line.line.cursor();
    let Some(pane) = state.panes.get_mut(state.focus) else {
        return;
    };
    let error = pane.set_filter(&text).err();
    let noun = pane.noun;
    let completions = complete(&text, cursor, noun, &|field| {
        state.store.values(noun, field, VALUES)
    });
    if let Some(Layer::Filter(line)) = state.layers.last_mut() {
        line.error = error;
        line.completions = completions;
    }
}

/// Takes the filter; one that can't be read is left as it was before.
pub(super) fn accept(state: &mut State) {
    let Some(Layer::Filter(line)) = state.layers.pop() else {
        return;
    };
    if line.error.is_some() {
        // the line stays open at the mistake
        state.layers.push(Layer::Filter(line));
        return;
    }
    follow(state);
    let text = line.line.text().trim().to_owned();
    if !text.is_empty() {
        state.filters.retain(|f| *f != text);
        state.filters.push(text);
        let over = state.filters.len().saturating_sub(REMEMBERED);
        state.filters.drain(..over);
    }
}

/// Has the list follow a filter that was typed: whatever the next key does, it does to the row that the
/// operator will see under the cursor.
fn follow(state: &mut State) {
    let height = Layout::of(state).rows(state.focus);
    let now = state.now;
    if let Some(pane) = state.panes.get_mut(state.focus)
        && pane.is_asked()
    {
        pane.refilter(&state.store, now, height);
    }
}

/// Leaves the line; the filter is what it was before.
pub(super) fn leave(state: &mut State) {
    if let Some(Layer::Filter(line)) = state.layers.pop() {
        set(state, &line.before);
    }
}

/// Takes the filter off.
pub(super) fn clear(state: &mut State) {
    set(state, "");
}

/// Sets the filter of the pane in focus.
pub(super) fn set(state: &mut State, text: &str) {
    let height = Layout::of(state).rows(state.focus);
    let now = state.now;
    if let Some(pane) = state.panes.get_mut(state.focus)
        && pane.set_filter(text).is_ok()
    {
        pane.refilter(&state.store, now, height);
    }
}

/// Puts in the next completion.
pub(super) fn complete_next(state: &mut State) {
    let Some(Layer::Filter(line)) = state.layers.last_mut() else {
        return;
    };
    let at = line.chosen.map_or(0, |i| i + 1) % line.completions.len().max(1);
    let Some(completion) = line.completions.get(at) else {
        return;
    };
    // going through them replaces what the one before put in
    let len = match line.chosen.and_then(|i| line.completions.get(i)) {
        Some(before) => before.insert.len(),
        None => completion.len,
    };
    let (from, insert) = (completion.at, completion.insert.clone());
    line.line.replace(from, len, &insert);
    let only = line.completions.len() == 1;
    let kept = std::mem::take(&mut line.completions);
    typed(state);
    if let Some(Layer::Filter(line)) = state.layers.last_mut()
        && !only
    {
        line.completions = kept;
        line.chosen = Some(at);
    }
}

/// An earlier or later filter.
pub(super) fn recall(state: &mut State, earlier: bool) {
    let count = state.filters.len();
    let Some(Layer::Filter(line)) = state.layers.last_mut() else {
        return;
    };
    line.recalled = match (line.recalled, earlier) {
        (None, true) if count > 0 => Some(0),
        (Some(n), true) => Some((n + 1).min(count - 1)),
        (Some(0) | None, _) => None,
        (Some(n), false) => Some(n - 1),
    };
    let text = match line.recalled {
        Some(n) => state.filters.get(count - 1 - n).cloned(),
        None => Some(line.before.clone()),
    };
    line.line.set(&text.unwrap_or_default());
    line.chosen = None;
    typed(state);
}

/// Adds the code of the row under the cursor to the filter, or takes it out again.
pub(super) fn by_code(state: &mut State) -> Vec<Effect> {
    let Some(Thing::Task(row)) = state.under_cursor() else {
        return Vec::new();
    };
    let term = format!("code={}", quote(state.store.task(row).code()));
    let now = state.pane().map_or("", |p| p.filter()).to_owned();
    let text = if let Some(rest) = now.strip_suffix(&term) {
        rest.trim_end().to_owned()
    } else {
        // an "or" must not swallow the new term
        let or = Query::parse(&now).is_ok_and(|q| matches!(q.expr(), crate::query::Expr::Or(_)));
        let now = if or { format!("({now})") } else { now };
        format!("{now} {term}").trim().to_owned()
    };
    set(state, &text);
    Vec::new()
}
