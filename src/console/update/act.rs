//! From a word to a confirmed action: choose it, give it its values, see the request, say yes.

use std::collections::BTreeMap;

use crate::model::{ActionSpec, Danger, Fault, Intent, Prepared, Verb};

use super::super::can::offers;
use super::super::effect::{AskId, Effect};
use super::super::keymap::Place;
use super::super::state::layer::{Choice, Confirm, Form, Pick, PickItem, PickKind, Showing};
use super::super::state::{Batch, Layer, State, Tone};
use super::super::thing::Thing;
use super::super::word::Word;
use super::{deed, list, push, words};

/// What an action is to be applied to: the marked rows, or the one under the cursor.
fn subjects(state: &State) -> Vec<Thing> {
    let marked = words::marked(state);
    if marked.is_empty() {
        state.subject().into_iter().collect()
    } else {
        marked
    }
}

/// The next action is shown before it is sent.
pub(super) fn preview_next(state: &mut State) {
    state.previews = true;
    let place = words::base_place(state);
    let ascii = state.look.glyphs.ascii;
    let keys: Vec<String> = Word::ALL
        .iter()
        .filter(|w| w.verb().is_some() || **w == Word::Menu)
        .map(|w| state.keymap.label(place, *w, ascii))
        .filter(|key| !key.is_empty())
        .collect();
    let text = format!(
        "Preview: press the action's key ({}); its request is shown and nothing is sent.",
        keys.join(" ")
    );
    state.say(text, Tone::Plain);
}

/// Begins an action by its verb, or shows all actions.
pub(super) fn begin(state: &mut State, word: Word, showing: Showing) -> Vec<Effect> {
    list::with_pane(state, super::super::state::Pane::touch);
    let things = subjects(state);
    let specs = specs(state, &things, word.verb());
    match (word.verb(), specs.as_slice()) {
        (Some(_), [only]) => {
            let id = only.id;
            chosen(state, id, showing)
        }
        _ => {
            menu(state, &things, word.verb(), showing);
            Vec::new()
        }
    }
}

/// The actions of a verb that at least one of the things offers now.
fn specs(state: &State, things: &[Thing], verb: Option<Verb>) -> Vec<ActionSpec> {
    let mut out: Vec<ActionSpec> = Vec::new();
    for thing in things {
        for offer in offers(state, *thing) {
            if verb.is_some_and(|v| v != offer.verb) || offer.blocked.is_some() {
                continue;
            }
            if let Some(spec) = offer.action
                && !out.iter().any(|s| s.id == spec.id)
            {
                out.push(spec);
            }
        }
    }
    out
}

/// Opens the list of actions, those that can't be done now with their reasons.
fn menu(state: &mut State, things: &[Thing], verb: Option<Verb>, showing: Showing) {
    let mut items: Vec<(PickItem, usize)> = Vec::new();
    let place = words::base_place(state);
    for thing in things {
        for offer in offers(state, *thing) {
            if verb.is_some_and(|v| v != offer.verb) {
                continue;
            }
            let possible = usize::from(offer.blocked.is_none());
            let choice = offer
                .action
                .as_ref()
                .map_or(Choice::Nothing, |spec| Choice::Action(spec.id));
            let known = items
                .iter_mut()
                .find(|(i, _)| i.choice == choice && i.label == offer.label);
            if let Some((item, n)) = known {
                *n += possible;
                if possible == 1 {
                    item.blocked = None;
                }
                continue;
            }
            let word = Word::of_verb(offer.verb);
            items.push((
                PickItem {
                    label: offer.label,
                    about: String::new(),
                    aside: state.keymap.label(place, word, state.look.glyphs.ascii),
                    blocked: offer.blocked,
                    choice,
                },
                possible,
            ));
        }
    }
    let previews = showing != Showing::IfDangerous;
    let what = if previews {
        "What would be sent: actions"
    } else {
        "Actions"
    };
    let title = match things {
        [] => what.to_owned(),
        [one] => format!("{what} on {}", one.name(&state.store)),
        many => format!("{what} on {} marked rows", many.len()),
    };
    let many = things.len() > 1;
    // what can be done stands first, in the order of the verbs
    items.sort_by_key(|(item, _)| item.blocked.is_some());
    let items = items
        .into_iter()
        .map(|(mut item, n)| {
            if many && n > 0 {
                item.about = format!("{n} of {}", things.len());
            }
            item
        })
        .collect();
    let pick = Pick {
        previews,
        ..Pick::new(PickKind::Menu, title, items)
    };
    push(state, Layer::Pick(pick));
}

/// What an action can be applied to, and what not.
struct Sorted {
    spec: Option<ActionSpec>,
    things: Vec<Thing>,
    left_out: Vec<(String, String)>,
}

/// Sorts out what an action can be applied to.
fn sort_out(state: &State, id: &'static str, wanted: Vec<Thing>) -> Sorted {
    let mut sorted = Sorted {
        spec: None,
        things: Vec::new(),
        left_out: Vec::new(),
    };
    for thing in wanted {
        let mut why = "its service does not offer this".to_owned();
        let mut possible = false;
        for offer in offers(state, thing) {
            if offer.action.as_ref().is_some_and(|s| s.id == id) {
                match offer.blocked {
                    None => possible = true,
                    Some(reason) => why = reason,
                }
                sorted.spec = sorted.spec.take().or(offer.action);
            }
        }
        if possible {
            sorted.things.push(thing);
        } else {
            let name = thing.name(&state.store).to_owned();
            sorted.left_out.push((name, why));
        }
    }
    sorted
}

/// An action was chosen: sort out what it can be applied to, ask for its values or go on.
pub(super) fn chosen(state: &mut State, id: &'static str, showing: Showing) -> Vec<Effect> {
    let sorted = sort_out(state, id, subjects(state));
    go_on(state, sorted, None, showing)
}

/// Asks for the values, unless they are known, and then for the requests.
fn go_on(
    state: &mut State,
    sorted: Sorted,
    inputs: Option<BTreeMap<String, String>>,
    showing: Showing,
) -> Vec<Effect> {
    let Sorted {
        spec: Some(spec),
        things,
        left_out,
    } = sorted
    else {
        return Vec::new();
    };
    if things.is_empty() {
        let why = left_out.first().map_or("", |(_, why)| why.as_str());
        state.say(format!("{}: {why}.", spec.label), Tone::Warning);
        return Vec::new();
    }
    if let Some(inputs) = inputs {
        confirm(state, &spec, &things, left_out, &inputs, showing)
    } else if spec.inputs.is_empty() {
        let none = BTreeMap::new();
        confirm(state, &spec, &things, left_out, &none, showing)
    } else {
        let form = Form::new(spec, things, left_out, showing.after_return());
        push(state, Layer::Form(form));
        Vec::new()
    }
}

/// Asks the connectors what exactly would be sent.
fn confirm(
    state: &mut State,
    spec: &ActionSpec,
    things: &[Thing],
    left_out: Vec<(String, String)>,
    inputs: &BTreeMap<String, String>,
    showing: Showing,
) -> Vec<Effect> {
    let store = &state.store;
    let intents = things
        .iter()
        .map(|thing| {
            let intent = Intent {
                service: thing.service(store),
                action: spec.id,
                target: thing.target(store),
                inputs: inputs.clone(),
            };
            (*thing, thing.name(store).to_owned(), intent)
        })
        .collect();
    let bulk = things.len() + left_out.len() > 1;
    let label = spec.label.to_owned();
    let layer = Confirm::new(spec.verb, label, intents, left_out, bulk, showing);
    push(state, Layer::Confirm(layer));
    ask_next(state)
}

fn ask_next(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Confirm(mut confirm)) = state.layers.pop() else {
        return Vec::new();
    };
    let questions = confirm.next(|| state.ask());
    state.layers.push(Layer::Confirm(confirm));
    questions
        .into_iter()
        .map(|(ask, intent)| Effect::Prepare {
            ask,
            intent: Box::new(intent),
        })
        .collect()
}

/// A connector has answered.
pub(super) fn prepared(
    state: &mut State,
    ask: AskId,
    result: Result<Box<Prepared>, Fault>,
) -> Vec<Effect> {
    let Some(at) = state
        .layers
        .iter()
        .position(|l| matches!(l, Layer::Confirm(c) if c.asked.iter().any(|(a, ..)| *a == ask)))
    else {
        // the dialog was left; nothing was sent, nothing is
        return Vec::new();
    };
    state.dirty = true;
    let Some(Layer::Confirm(confirm)) = state.layers.get_mut(at) else {
        return Vec::new();
    };
    confirm.take(ask, result);
    if !confirm.is_ready() {
        return ask_next(state);
    }
    if confirm.items.is_empty() {
        let why = match confirm.left_out.as_slice() {
            [(name, why)] => format!("{} on {name}: {why}", confirm.label),
            many => format!("{}: none of {} can be done", confirm.label, many.len()),
        };
        // one reason is a sentence, several stay to be read
        if confirm.left_out.len() == 1 {
            state.layers.remove(at);
        }
        state.say(super::go::capital_stop(&why), Tone::Warning);
        return Vec::new();
    }
    if confirm.goes_at_once() {
        return send(state);
    }
    Vec::new()
}

/// Carries out a word in the dialog.
pub(super) fn confirm_word(state: &mut State, word: Word) -> Vec<Effect> {
    let Some(Layer::Confirm(confirm)) = state.layers.last_mut() else {
        return Vec::new();
    };
    match word {
        Word::Close => {
            let label = confirm.label.clone();
            state.layers.pop();
            state.say(format!("{label}: left, nothing was sent."), Tone::Plain);
        }
        Word::Yes if !confirm.wants_typing() => return send(state),
        Word::Accept if confirm.wants_typing() => return send(state),
        Word::Accept if confirm.showing == Showing::FirstForReturn => return send(state),
        Word::Accept => {
            // it may have been meant for something else
            let ascii = state.look.glyphs.ascii;
            let yes = state.keymap.label(Place::Dialog, Word::Yes, ascii);
            state.say(format!("{yes} sends it."), Tone::Plain);
        }
        Word::Down | Word::Later => confirm.scroll += 1,
        Word::Up | Word::Earlier => confirm.scroll = confirm.scroll.saturating_sub(1),
        Word::PageDown => confirm.scroll += 10,
        Word::PageUp => confirm.scroll = confirm.scroll.saturating_sub(10),
        _ => {}
    }
    Vec::new()
}

/// Sends what was confirmed, once.
fn send(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Confirm(mut confirm)) = state.layers.pop() else {
        return Vec::new();
    };
    if !confirm.is_ready() || confirm.items.is_empty() {
        state.layers.push(Layer::Confirm(confirm));
        return Vec::new();
    }
    if let Some(wanted) = confirm.to_type()
        && confirm.typed.text().trim() != wanted
    {
        confirm.error = Some(format!(
            "type {wanted} letter for letter, or leave it with esc"
        ));
        state.layers.push(Layer::Confirm(confirm));
        return Vec::new();
    }
    let now = state.now;
    let mut rows = Vec::new();
    let mut deeds = Vec::new();
    let mut refused = None;
    for item in confirm.items {
        // the phrase that was typed for many stands for each of their names
        let name = crate::operate::Operator::name_to_type(&item.prepared).to_owned();
        let typed = (item.prepared.danger == Danger::TypeName).then_some(name.as_str());
        match state.operator.confirm((*item.prepared).clone(), typed) {
            Ok(confirmed) => {
                let id = confirmed.id();
                state.ledger.begin(id, *item.prepared, now);
                state.deeds.push(confirmed);
                rows.push(item.thing.row());
                deeds.push((id, item.thing));
            }
            Err(why) => refused = Some(why.to_string()),
        }
    }
    if confirm.bulk {
        list::with_pane(state, |pane| pane.unmark(&rows));
    }
    if deeds.len() > 1 {
        // how far they are stands where sentences stand
        state.toast = None;
        state.deeds.together(Batch {
            label: confirm.label.clone(),
            verb: confirm.verb,
            deeds,
            left_out: confirm.left_out,
            told: false,
        });
    }
    if let Some(why) = refused {
        state.say(super::go::capital_stop(&why), Tone::Warning);
    }
    deed::release(state)
}

/// Asks again for what is left of the newest batch. What may have been carried out is left out.
pub(super) fn again(state: &mut State) -> Vec<Effect> {
    let Some((batch, rest)) = state.deeds.rest(&state.ledger) else {
        state.say(
            "Nothing is left to ask for again: only what was refused or not sent can be.",
            Tone::Plain,
        );
        return Vec::new();
    };
    let Some(intent) = rest
        .first()
        .and_then(|(id, _)| state.ledger.get(*id))
        .map(|record| &record.prepared.intent)
    else {
        return Vec::new();
    };
    let (id, inputs) = (intent.action, intent.inputs.clone());
    let unknown = batch.progress(&state.ledger).unknown;
    let things: Vec<Thing> = rest.into_iter().map(|(_, thing)| thing).collect();
    let mut sorted = sort_out(state, id, things);
    if unknown > 0 {
        let what = format!("{unknown} whose outcome is unknown");
        let why = "they may have been carried out; look in the service first";
        sorted.left_out.push((what, why.to_owned()));
    }
    go_on(state, sorted, Some(inputs), Showing::IfDangerous)
}

/// Carries out a word in the form.
pub(super) fn form_word(state: &mut State, word: Word) -> Vec<Effect> {
    let Some(Layer::Form(form)) = state.layers.last_mut() else {
        return Vec::new();
    };
    match word {
        Word::Close => {
            state.layers.pop();
        }
        Word::Earlier => form.at = form.at.saturating_sub(1),
        Word::Accept | Word::Later | Word::Complete => {
            if form.go_on()
                && word == Word::Accept
                && let Some(Layer::Form(form)) = state.layers.pop()
            {
                let values = form.values();
                let showing = form.showing;
                return confirm(
                    state,
                    &form.spec,
                    &form.things,
                    form.left_out,
                    &values,
                    showing,
                );
            }
        }
        _ => {}
    }
    Vec::new()
}
