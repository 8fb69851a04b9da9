//! Moving, marking and sorting in the pane in focus.

use super::super::effect::Effect;
use super::super::layout::Layout;
use super::super::state::detail::readable;
use super::super::state::{Layer, Pane, PaneId, State, Tone};
use super::super::thing::{Thing, kind_of};
use super::super::word::Word;

/// Rows of the pane in focus that are in sight.
pub(super) fn height(state: &State) -> usize {
    Layout::of(state).rows(state.focus)
}

/// After a change of size or shape: the cursor stays in sight.
pub(super) fn keep_in_sight(state: &mut State) {
    let layout = Layout::of(state);
    for id in PaneId::ALL {
        let height = layout.rows(id);
        if let Some(pane) = state.panes.get_mut(id) {
            pane.keep_in(height);
        }
    }
}

/// How far a moving word moves, for a window of `height` lines.
fn distance(word: Word, height: usize) -> Option<isize> {
    let page = isize::try_from(height.max(2) - 1).unwrap_or(10);
    Some(match word {
        Word::Down => 1,
        Word::Up => -1,
        Word::PageDown => page,
        Word::PageUp => -page,
        Word::HalfDown => (page / 2).max(1),
        Word::HalfUp => -(page / 2).max(1),
        Word::Top => isize::MIN,
        Word::Bottom => isize::MAX,
        _ => return None,
    })
}

/// Moves where the focus is: an opened row scrolls, a list moves its cursor.
pub(super) fn step(state: &mut State, word: Word) {
    let layout = Layout::of(state);
    if let Some(detail) = &mut state.detail {
        if let Some(by) = distance(word, layout.page_rows()) {
            detail.scroll_to(detail.scrolled().saturating_add_signed(by));
            clamp_detail(state);
        }
        return;
    }
    let height = layout.rows(state.focus);
    let Some(by) = distance(word, height) else {
        return;
    };
    match state.pane_mut() {
        Some(pane) => match word {
            Word::Top => pane.go(0, height),
            Word::Bottom => pane.go(usize::MAX, height),
            _ => pane.step(by, height),
        },
        // the newest transition stands on top, so down goes back in time
        None => match word {
            Word::Top => state.feed.last(),
            Word::Bottom => state.feed.first(&state.store),
            _ => state.feed.step(-by, &state.store),
        },
    }
}

/// Keeps the opened row from being scrolled beyond its end.
pub(super) fn clamp_detail(state: &mut State) {
    let lines = super::super::view::detail::line_count(state);
    let most = lines.saturating_sub(Layout::of(state).page_rows());
    if let Some(detail) = &mut state.detail {
        detail.scroll_to(detail.scrolled().min(most));
    }
}

/// Left and right: columns of a list that takes the whole screen, else the pane beside.
pub(super) fn sideways(state: &mut State, right: bool) {
    if let Some(detail) = &mut state.detail {
        detail.tab = detail.tab.step(if right { 1 } else { -1 });
        refresh_record(state);
        return;
    }
    let layout = Layout::of(state);
    let Some(here) = layout.pane(state.focus) else {
        return;
    };
    let beside = layout
        .panes
        .iter()
        .filter(|(id, rect)| {
            *id != state.focus
                && if right {
                    rect.x > here.x
                } else {
                    rect.x < here.x
                }
        })
        .min_by_key(|(_, rect)| {
            let apart = here.y.abs_diff(rect.y);
            (apart, here.x.abs_diff(rect.x))
        });
    if let Some((id, _)) = beside {
        state.focus = *id;
        return;
    }
    let alone = layout.panes.len() == 1;
    if let Some(pane) = state.pane_mut()
        && alone
    {
        pane.columns_from = if right {
            (pane.columns_from + 1).min(12)
        } else {
            pane.columns_from.saturating_sub(1)
        };
    }
}

/// Marks.
pub(super) fn mark(state: &mut State, word: Word) {
    let height = height(state);
    if word == Word::MarkCode {
        return mark_code(state);
    }
    let Some(pane) = state.pane_mut() else { return };
    match word {
        Word::Mark => pane.toggle_mark(height),
        Word::MarkRange => pane.toggle_range(),
        Word::MarkAll => pane.mark_all(),
        Word::MarkInvert => pane.invert_marks(),
        Word::MarkClear => pane.clear_marks(),
        _ => {}
    }
    if matches!(word, Word::MarkAll | Word::MarkInvert) {
        let n = pane.marks().len();
        state.say(format!("{n} marked."), Tone::Plain);
    }
}

/// Marks every row of the list with the code of the row under the cursor.
fn mark_code(state: &mut State) {
    let Some(Thing::Task(row)) = state.under_cursor() else {
        return;
    };
    let task = state.store.task(row);
    let (code, service) = (task.code(), task.service_id());
    let kind = kind_of(&state.store, service);
    let Some(pane) = state.panes.get(state.focus) else {
        return;
    };
    let same: Vec<u32> = pane
        .rows()
        .filter(|row| match pane.thing(*row) {
            Thing::Task(row) => {
                let other = state.store.task(row);
                other.code() == code && other.kind() == kind
            }
            _ => false,
        })
        .collect();
    let said = format!("{} marked with {code}.", same.len());
    if let Some(pane) = state.pane_mut() {
        pane.mark(same);
    }
    state.say(said, Tone::Plain);
}

/// One step back: a range ends, an opened row closes, the whole screen is given back, then the way that
/// the operator came, then the filter.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    if state.layers.pop().is_some() {
        return Vec::new();
    }
    if state.detail.take().is_some() {
        return Vec::new();
    }
    if let Some(pane) = state.pane_mut().filter(|p| p.in_range()) {
        pane.end_range();
    } else if state.expanded {
        state.expanded = false;
        keep_in_sight(state);
    } else if state.places.has_back() {
        super::go::back(state);
    } else if state.pane().is_some_and(|p| !p.filter().is_empty()) {
        super::filter::clear(state);
    } else if state.pane().is_some_and(|p| !p.marks().is_empty()) {
        state.say("Marks stay until U takes them off.", Tone::Plain);
    } else if state.then.is_some() {
        return vec![Effect::Now];
    }
    Vec::new()
}

/// Reads the record of the opened row anew where it is in sight.
pub(super) fn refresh_record(state: &mut State) {
    let Some(detail) = &state.detail else { return };
    if detail.tab == super::super::state::detail::Tab::Record {
        let record = readable(detail.thing.record(&state.store).unwrap_or_default());
        if let Some(detail) = &mut state.detail {
            detail.record = record;
        }
    }
    clamp_detail(state);
}

/// Takes what a layer hands over to the list: the pane that it is about.
pub(super) fn with_pane(state: &mut State, change: impl FnOnce(&mut Pane)) {
    if let Some(pane) = state.pane_mut() {
        change(pane);
    }
}

/// The topmost layer, taken off to be worked with.
pub(super) fn take_layer(state: &mut State) -> Option<Layer> {
    state.layers.pop()
}
