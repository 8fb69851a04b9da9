//! Saved views: a list's filter and order under a name.

use super::super::effect::{Effect, SavedView};
use super::super::layout::Layout;
use super::super::state::layer::{Choice, Pick, PickItem, PickKind};
use super::super::state::{Layer, Pane, PaneId, State, Tone};
use super::super::word::Word;
use super::push;

/// Asks for the name under which the list's filter and order are kept.
pub(super) fn ask_name(state: &mut State) {
    let items = forgettable(state);
    push(
        state,
        Layer::Pick(Pick::new(PickKind::SaveView, "Save this view as", items)),
    );
}

/// The views of the list in focus, to be forgotten.
fn forgettable(state: &State) -> Vec<PickItem> {
    let here = state.focus.word();
    let views = state.views.iter().filter(|v| v.list.pane == here);
    views
        .map(|view| PickItem {
            label: format!("forget {}", view.name),
            about: view.list.filter.clone(),
            aside: String::new(),
            blocked: None,
            choice: Choice::ForgetView(view.name.clone()),
        })
        .collect()
}

/// The name has changed: it stands first, to be taken.
pub(super) fn typed(pick: &mut Pick) {
    pick.items
        .retain(|i| !matches!(i.choice, Choice::SaveView(_)));
    let name = pick.line.text().trim().to_owned();
    if name.is_empty() {
        return;
    }
    let item = PickItem {
        label: name.clone(),
        about: "save under this name".into(),
        aside: String::new(),
        blocked: None,
        choice: Choice::SaveView(name),
    };
    pick.items.insert(0, item);
}

/// Keeps the filter and the order of the list in focus; a view of this name is replaced.
pub(super) fn save(state: &mut State, name: String) -> Vec<Effect> {
    let Some(list) = state.pane().map(Pane::to_save) else {
        return Vec::new();
    };
    state
        .views
        .retain(|v| v.name != name || v.list.pane != list.pane);
    state.say(
        format!("View {name} of {} is saved.", list.pane),
        Tone::Good,
    );
    state.views.push(SavedView { name, list });
    vec![Effect::SaveUi(Box::new(state.to_save()))]
}

/// Forgets a view of the list in focus.
pub(super) fn forget(state: &mut State, name: &str) -> Vec<Effect> {
    let here = state.focus.word();
    state
        .views
        .retain(|v| v.name != name || v.list.pane != here);
    state.say(format!("View {name} is forgotten."), Tone::Plain);
    vec![Effect::SaveUi(Box::new(state.to_save()))]
}

/// The saved views as lines of the palette.
pub(super) fn items(state: &State) -> impl Iterator<Item = PickItem> {
    state.views.iter().enumerate().map(|(at, view)| PickItem {
        label: format!("view {}", view.name),
        about: format!("{} {}", view.list.pane, view.list.filter),
        aside: String::new(),
        blocked: None,
        choice: Choice::View(at),
    })
}

/// Shows a saved view.
pub(super) fn show(state: &mut State, at: usize) {
    let Some(view) = state.views.get(at).cloned() else {
        return;
    };
    if let Some(id) = PaneId::named(&view.list.pane) {
        super::go::pane(state, id);
        apply(state, &view);
    }
}

fn apply(state: &mut State, view: &SavedView) {
    let height = Layout::of(state).rows(state.focus);
    let now = state.now;
    let Some(pane) = state.panes.get_mut(state.focus) else {
        return;
    };
    pane.set_sort(None);
    pane.restore(&view.list);
    pane.refilter(&state.store, now, height);
}

/// Goes to the next or the previous view of the list in focus; the list without a filter is one of them.
pub(super) fn turn(state: &mut State, word: Word) {
    let here = state.focus.word();
    let mut views: Vec<SavedView> = vec![SavedView::default()];
    views.extend(state.views.iter().filter(|v| v.list.pane == here).cloned());
    if views.len() == 1 {
        let key = state
            .keymap
            .label(super::words::base_place(state), Word::SaveView, false);
        state.say(
            format!("There is no saved view of {here}; {key} saves one."),
            Tone::Plain,
        );
        return;
    }
    let current = state.pane().and_then(|pane| {
        let now = pane.to_save();
        views
            .iter()
            .position(|v| v.list.filter == now.filter && !v.name.is_empty())
    });
    let at = current.unwrap_or(0);
    let next = match word {
        Word::PreviousView => (at + views.len() - 1) % views.len(),
        _ => (at + 1) % views.len(),
    };
    if let Some(view) = views.get(next) {
        apply(state, view);
    }
}
