//! Carrying out the operator's words.

use super::super::can::why_not;
use super::super::effect::Effect;
use super::super::keymap::Place;
use super::super::state::detail::Tab;
use super::super::state::layer::{PageKind, Showing};
use super::super::state::{Layer, PaneId, State, Tone};
use super::super::text::span;
use super::super::theme::Theme;
use super::super::thing::Thing;
use super::super::ticket::ticket;
use super::super::word::{Group, Word};
use super::{ack, act, causes, filter, go, layers, list, palette, quit, then, views};
use crate::store::By;

/// Carries out a word, or says why it can't be.
pub(super) fn word(state: &mut State, word: Word) -> Vec<Effect> {
    if !state.layers.is_empty() {
        return layers::word(state, word);
    }
    // looking about does not take back that the next action is to be seen first
    let previews = word.group() != Group::Move && std::mem::take(&mut state.previews);
    if previews {
        // what the key is for was said
        state.toast = None;
    }
    if previews && word == Word::Close {
        state.say("No preview.", Tone::Plain);
        return Vec::new();
    }
    if let Some(why) = why_not(state, word) {
        state.say(format!("{}: {why}.", word.name()), Tone::Warning);
        return Vec::new();
    }
    if let Some(id) = PaneId::of_word(word) {
        go::pane(state, id);
        return Vec::new();
    }
    match word {
        Word::Acknowledge => {
            ack::open(state, false);
            return Vec::new();
        }
        Word::Note => {
            ack::open(state, true);
            return Vec::new();
        }
        Word::Unacknowledge => return ack::give_back(state),
        // pressed twice, it is meant for what can be done here at all
        Word::Preview if previews => return act::begin(state, Word::Menu, Showing::First),
        Word::Preview => {
            act::preview_next(state);
            return Vec::new();
        }
        _ => {}
    }
    match word.group() {
        Group::Act => {
            let showing = if previews {
                Showing::FirstForReturn
            } else {
                Showing::IfDangerous
            };
            act::begin(state, word, showing)
        }
        Group::Mark => {
            list::mark(state, word);
            Vec::new()
        }
        Group::Go => {
            match word {
                Word::Back => go::back(state),
                Word::Forward => go::forward(state),
                _ => go::related(state, word),
            }
            Vec::new()
        }
        Group::Move => {
            match word {
                Word::Left => list::sideways(state, false),
                Word::Right => list::sideways(state, true),
                Word::Row => palette::rows(state),
                _ => list::step(state, word),
            }
            go::fetch_record(state)
        }
        Group::Find => find(state, word),
        Group::View => view(state, word),
        Group::Copy => copy(state, word),
        Group::Answer if word == Word::Close => list::close(state),
        // answers belong to layers
        Group::Answer => Vec::new(),
        Group::Program => program(state, word),
    }
}

fn find(state: &mut State, word: Word) -> Vec<Effect> {
    match word {
        Word::Filter => filter::open(state),
        Word::FilterClear => filter::clear(state),
        Word::FilterCode => return filter::by_code(state),
        Word::Sort => palette::sort(state),
        Word::SortReverse => palette::reverse(state),
        Word::SaveView => views::ask_name(state),
        Word::NextView | Word::PreviousView => views::turn(state, word),
        Word::Ended => {
            let mut on = false;
            list::with_pane(state, |pane| {
                on = !pane.also_ended();
                pane.set_also_ended(on);
            });
            let text = if on {
                "Skipped and cancelled tasks stand among the failed ones."
            } else {
                "Only failed and uncertain tasks."
            };
            state.say(text, Tone::Plain);
        }
        Word::Taken => {
            let mut hidden = false;
            list::with_pane(state, |pane| {
                hidden = !pane.hides_acknowledged();
                pane.set_hides_acknowledged(hidden);
            });
            let n = state.counts.acknowledged;
            let text = match (hidden, n) {
                (true, 0) => "Failed jobs that somebody takes will be hidden.".to_owned(),
                (true, n) => format!("{n} that somebody took are hidden."),
                (false, _) => "Failed jobs that somebody took are shown.".to_owned(),
            };
            state.say(text, Tone::Plain);
            return vec![Effect::SaveUi(Box::new(state.to_save()))];
        }
        _ => {}
    }
    Vec::new()
}

fn view(state: &mut State, word: Word) -> Vec<Effect> {
    match word {
        Word::NextPane => go::neighbour(state, 1),
        Word::PreviousPane => go::neighbour(state, -1),
        Word::Expand => {
            state.expanded = !state.expanded;
            list::keep_in_sight(state);
        }
        Word::Detail => return go::open(state, None),
        Word::Card => return go::open(state, Some(Tab::Card)),
        Word::Course => return go::open(state, Some(Tab::Course)),
        Word::Past => return go::open(state, Some(Tab::Past)),
        Word::Record => return go::open(state, Some(Tab::Record)),
        Word::Causes => causes::open(state, By::Code),
        Word::Backups => causes::backups(state),
        Word::At => then::ask(state),
        Word::StepBack | Word::StepOn | Word::MinutesBack | Word::MinutesOn => {
            return then::step(state, word);
        }
        Word::Deeds => layers::page(state, PageKind::Deeds),
        Word::Services => layers::page(state, PageKind::Services),
        _ => {}
    }
    go::fetch_record(state)
}

fn copy(state: &mut State, word: Word) -> Vec<Effect> {
    let Some(thing) = state.subject() else {
        return Vec::new();
    };
    let name = thing.name(&state.store).to_owned();
    let (what, text) = match word {
        Word::Ticket => {
            let marked = marked(state);
            if marked.len() > 1 {
                let texts: Vec<String> = marked.iter().map(|t| ticket(state, *t)).collect();
                (
                    format!("the ticket texts of {} rows", marked.len()),
                    texts.join("\n---\n\n"),
                )
            } else {
                (format!("the ticket text of {name}"), ticket(state, thing))
            }
        }
        Word::CopyRecord => (
            format!("the record of {name}"),
            thing.record(&state.store).unwrap_or_default().to_owned(),
        ),
        _ => {
            let id = thing.id(&state.store).to_owned();
            (format!("the id {id}"), id)
        }
    };
    vec![Effect::Copy { what, text }]
}

/// The marked things of the pane in focus, in the order of the list.
pub(super) fn marked(state: &State) -> Vec<Thing> {
    if state.detail.is_some() {
        return Vec::new();
    }
    state.pane().map_or_else(Vec::new, |pane| {
        pane.marked().iter().map(|row| pane.thing(*row)).collect()
    })
}

fn program(state: &mut State, word: Word) -> Vec<Effect> {
    match word {
        Word::Palette => palette::open(state),
        Word::Help => layers::page(state, PageKind::Help),
        Word::Poll => {
            if let Some(thing) = state.subject() {
                let id = thing.service(&state.store);
                let name = thing.service_name(&state.store).to_owned();
                if let Some(ms) = state.store.service(id).health.quiet_ms(state.now) {
                    let wait = span(ms);
                    state.say(
                        format!("{name} wants quiet for {wait} more, then it is asked by itself."),
                        Tone::Plain,
                    );
                    return Vec::new();
                }
                state.say(format!("Asking {name} now."), Tone::Plain);
                return vec![Effect::PollNow(id)];
            }
        }
        Word::PollAll => {
            let services = state.store.services();
            let (quiet, asked): (Vec<_>, Vec<_>) = services
                .iter()
                .partition(|s| s.health.quiet_ms(state.now).is_some());
            let said = match quiet.as_slice() {
                [] => "Asking every service now.".to_owned(),
                [one] => format!(
                    "Asking every service but {}, which wants quiet.",
                    one.service.name
                ),
                some => format!("Asking every service but {} that want quiet.", some.len()),
            };
            let effects = asked.iter().map(|s| Effect::PollNow(s.service.id));
            let effects = effects.collect();
            state.say(said, Tone::Plain);
            return effects;
        }
        Word::Theme => theme(state, Theme::after(&state.look.theme.name)),
        Word::Notice => {
            state.notice_put_away = !state.notice_put_away;
            list::keep_in_sight(state);
        }
        Word::Repaint => return vec![Effect::Repaint],
        Word::Suspend => return vec![Effect::Suspend],
        Word::Quit => return leave(state),
        _ => {}
    }
    Vec::new()
}

/// Takes another theme.
pub(super) fn theme(state: &mut State, name: &str) {
    if let Some(theme) = Theme::named(name) {
        state.look.theme = theme;
        state.say(format!("Theme {name}."), Tone::Plain);
    }
}

/// Ends the program; with requests under way only when it is asked for a second time.
pub(super) fn leave(state: &mut State) -> Vec<Effect> {
    const MEANT_MS: i64 = 10_000;
    let now = state.now;
    let meant = state.quit_warned.is_some_and(|at| now.since(at) < MEANT_MS);
    if !state.deeds.is_idle() && !meant {
        state.quit_warned = Some(now);
        state.say(
            "Actions are still on their way; quit again to leave them to the services.",
            Tone::Warning,
        );
        return Vec::new();
    }
    quit(state)
}

/// Where keys of lists hold, for the palette and the help.
pub(super) fn base_place(state: &State) -> Place {
    if state.detail.is_some() {
        Place::Detail
    } else if state.focus == PaneId::Feed {
        Place::Anywhere
    } else {
        Place::List
    }
}

/// A page closes and leaves what is beneath.
pub(super) fn close_layer(state: &mut State) {
    if let Some(layer) = list::take_layer(state)
        && let Layer::Filter(line) = layer
    {
        filter::set(state, &line.before);
    }
}
