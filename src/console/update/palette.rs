//! Lists to choose from: the palette, the columns to sort by, rows by number.

use crate::query::{Field, FieldType};

use super::super::can::{offers, why_not};
use super::super::effect::Effect;
use super::super::keymap::Place;
use super::super::state::layer::{Choice, Pick, PickItem, PickKind, Showing};
use super::super::state::{Layer, State, Tone};
use super::super::theme::BUILT_IN;
use super::super::view::columns::columns;
use super::super::word::{Group, Word};
use super::{act, causes, list, push, then, views, words};

/// Opens the palette.
pub(super) fn open(state: &mut State) {
    let mut items = actions(state);
    let place = words::base_place(state);
    for group in Group::ALL {
        if group == Group::Answer {
            continue;
        }
        for word in Word::ALL.iter().filter(|w| w.group() == group) {
            if word.verb().is_some() && !items.is_empty() {
                // the service's own names for it stand above
                continue;
            }
            items.push(word_item(state, place, *word));
        }
    }
    items.extend(views::items(state));
    for (name, _) in BUILT_IN {
        items.push(PickItem {
            label: format!("theme {name}"),
            about: String::new(),
            aside: if state.look.theme.name == name {
                "in use".into()
            } else {
                String::new()
            },
            blocked: None,
            choice: Choice::Theme(name),
        });
    }
    push(
        state,
        Layer::Pick(Pick::new(PickKind::Palette, "Command", items)),
    );
}

fn word_item(state: &State, place: Place, word: Word) -> PickItem {
    PickItem {
        label: word.name().to_owned(),
        about: word.says().to_owned(),
        aside: state.keymap.label(place, word, state.look.glyphs.ascii),
        blocked: why_not(state, word),
        choice: Choice::Word(word),
    }
}

/// The actions for the row under the cursor, in the service's own names.
fn actions(state: &State) -> Vec<PickItem> {
    let Some(thing) = state.subject() else {
        return Vec::new();
    };
    let place = words::base_place(state);
    offers(state, thing)
        .into_iter()
        .map(|offer| {
            let word = Word::of_verb(offer.verb);
            PickItem {
                label: offer.label,
                about: format!("{} {}", word.name(), thing.name(&state.store)),
                aside: state.keymap.label(place, word, state.look.glyphs.ascii),
                blocked: offer.blocked,
                choice: match offer.action {
                    Some(spec) => Choice::Action(spec.id),
                    None => Choice::Word(word),
                },
            }
        })
        .collect()
}

/// Asks for a row's number.
pub(super) fn rows(state: &mut State) {
    let count = state.pane().map_or(0, super::super::state::Pane::len);
    let title = format!("Row, 1 to {count}");
    push(
        state,
        Layer::Pick(Pick::new(PickKind::Row, title, Vec::new())),
    );
}

/// Opens the list of columns to sort by.
pub(super) fn sort(state: &mut State) {
    let Some(pane) = state.pane() else { return };
    let now = pane.sort();
    let g = state.look.glyphs;
    let mut items = vec![PickItem {
        label: "own order".into(),
        about: own_order(pane.noun).into(),
        aside: if now.is_none() {
            "in use".into()
        } else {
            String::new()
        },
        blocked: None,
        choice: Choice::Sort(None),
    }];
    let mut fields: Vec<(Field, &str)> = Vec::new();
    for column in columns(pane.noun) {
        if let Some(field) = column.sort
            && !fields.iter().any(|(f, _)| *f == field)
        {
            fields.push((field, column.head));
        }
    }
    for (field, head) in fields {
        let aside = match now {
            Some((f, true)) if f == field => g.descending.to_owned(),
            Some((f, false)) if f == field => g.ascending.to_owned(),
            _ => String::new(),
        };
        items.push(PickItem {
            label: head.to_lowercase(),
            about: field.help().into(),
            aside,
            blocked: None,
            choice: Choice::Sort(Some(field)),
        });
    }
    push(
        state,
        Layer::Pick(Pick::new(PickKind::Sort, "Sort by", items)),
    );
}

const fn own_order(noun: crate::query::Noun) -> &'static str {
    use crate::query::Noun;
    match noun {
        Noun::Devices => "worst first: never a good backup, then failures in a row",
        Noun::Policies => "by name",
        Noun::Running => "longest running first",
        Noun::Failed => "newest first",
        Noun::Tasks => "what needs a person first, then the newest",
    }
}

/// Turns the order around.
pub(super) fn reverse(state: &mut State) {
    let Some(pane) = state.pane_mut() else { return };
    match pane.sort() {
        Some((field, descending)) => pane.set_sort(Some((field, !descending))),
        None => state.say("Choose a column with s first.", Tone::Plain),
    }
}

/// The text of a list to choose from has changed.
pub(super) fn typed(state: &mut State) {
    let rows = state.pane().map_or(0, super::super::state::Pane::len);
    let Some(Layer::Pick(pick)) = state.layers.last_mut() else {
        return;
    };
    pick.items.retain(|i| !matches!(i.choice, Choice::Row(_)));
    if matches!(pick.kind, PickKind::Palette | PickKind::Row)
        && let Ok(n) = pick.line.text().trim().parse::<usize>()
    {
        let fits = (1..=rows).contains(&n);
        pick.items.push(PickItem {
            label: format!("{n}"),
            about: "go to this row".into(),
            aside: String::new(),
            blocked: (!fits).then(|| format!("there are {rows} rows")),
            choice: Choice::Row(n.saturating_sub(1)),
        });
    }
    if pick.kind == PickKind::SaveView {
        views::typed(pick);
    }
    then::typed(state);
    if let Some(Layer::Pick(pick)) = state.layers.last_mut() {
        pick.narrow();
    }
}

/// Carries out a word in a list to choose from.
pub(super) fn word(state: &mut State, word: Word) -> Vec<Effect> {
    let Some(Layer::Pick(pick)) = state.layers.last_mut() else {
        return Vec::new();
    };
    let kind = pick.kind.clone();
    match word {
        Word::NextPane if let PickKind::Causes(by) = kind => {
            state.layers.pop();
            causes::open(state, by.next());
        }
        Word::Down | Word::NextPane => pick.step(1),
        Word::Up | Word::PreviousPane => pick.step(-1),
        Word::PageDown => pick.step(8),
        Word::PageUp => pick.step(-8),
        Word::Close => {
            state.layers.pop();
        }
        Word::Accept => {
            let showing = if pick.previews {
                Showing::First
            } else {
                Showing::IfDangerous
            };
            return accept(state, showing);
        }
        Word::Preview => return preview(state),
        _ => {}
    }
    Vec::new()
}

/// Shows what the chosen action would send.
fn preview(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Pick(pick)) = state.layers.last() else {
        return Vec::new();
    };
    let acts = pick.item().is_some_and(|item| match item.choice {
        Choice::Action(_) => true,
        Choice::Word(word) => word.verb().is_some(),
        // why it can't be chosen is said as for return
        _ => item.blocked.is_some(),
    });
    if acts {
        return accept(state, Showing::FirstForReturn);
    }
    state.say("Only an action sends something.", Tone::Plain);
    Vec::new()
}

fn accept(state: &mut State, showing: Showing) -> Vec<Effect> {
    let Some(Layer::Pick(pick)) = list::take_layer(state) else {
        return Vec::new();
    };
    let Some(item) = pick.item() else {
        state.layers.push(Layer::Pick(pick));
        return Vec::new();
    };
    if let Some(why) = &item.blocked {
        let text = format!("{}: {why}.", item.label);
        state.layers.push(Layer::Pick(pick));
        state.say(text, Tone::Warning);
        return Vec::new();
    }
    match item.choice.clone() {
        Choice::Word(word) => {
            state.previews = showing != Showing::IfDangerous;
            return words::word(state, word);
        }
        Choice::Action(id) => return act::chosen(state, id, showing),
        Choice::Sort(field) => sort_by(state, field),
        Choice::Row(at) => {
            let height = list::height(state);
            list::with_pane(state, |pane| pane.go(at, height));
        }
        Choice::Theme(name) => words::theme(state, name),
        Choice::At(at) => return vec![Effect::GoBack(at)],
        Choice::View(at) => views::show(state, at),
        Choice::SaveView(name) => return views::save(state, name),
        Choice::ForgetView(name) => return views::forget(state, &name),
        choice @ (Choice::Rows { .. } | Choice::Go { .. }) => causes::follow(state, choice),
        Choice::Nothing => state.layers.push(Layer::Pick(pick)),
    }
    Vec::new()
}

/// Sorts by a field; by the one in use the other way round.
fn sort_by(state: &mut State, field: Option<Field>) {
    list::with_pane(state, |pane| {
        let sort = field.map(|field| match pane.sort() {
            Some((f, descending)) if f == field => (field, !descending),
            // the newest, the longest and the most are what one sorts for
            _ => (
                field,
                !matches!(
                    field.kind(),
                    FieldType::Text | FieldType::Word | FieldType::YesNo
                ) && field != Field::NextRun,
            ),
        });
        pane.set_sort(sort);
        pane.touch();
    });
}
