//! Going back in time: the board as history knew it, over the live one, which goes on underneath.

use crate::model::Timestamp;
use crate::query::Moment;
use crate::store::history::{Board, Entry, HistoryError};

use super::super::effect::Effect;
use super::super::message::Message;
use super::super::state::layer::{Choice, Pick, PickItem, PickKind};
use super::super::state::{Layer, Setup, State, Then, Tone};
use super::super::word::Word;
use super::{fold_one, push};

const MINUTE_MS: i64 = 60_000;
/// Stands beside a time that was typed.
const TYPED: &str = "time";

/// Asks for the time.
pub(super) fn ask(state: &mut State) {
    let mut items = Vec::new();
    let mut add = |label: &str, at: Timestamp| items.push(item(state, label, at));
    if let Some(then) = &state.then {
        let steps = [
            ("an hour earlier", -60),
            ("10 minutes earlier", -10),
            ("a minute earlier", -1),
            ("a minute later", 1),
            ("10 minutes later", 10),
            ("an hour later", 60),
        ];
        for (label, minutes) in steps {
            add(label, then.at.plus(minutes * MINUTE_MS));
        }
    } else {
        for (label, minutes) in [
            ("15 minutes ago", 15),
            ("an hour ago", 60),
            ("3 hours ago", 180),
            ("6 hours ago", 360),
            ("12 hours ago", 720),
            ("yesterday at this time", 1_440),
        ] {
            add(label, state.now.plus(-minutes * MINUTE_MS));
        }
    }
    let title = "The board as it was at: a time (03:10), or how long ago (2h)";
    push(state, Layer::Pick(Pick::new(PickKind::At, title, items)));
}

/// How far the board of the past goes with one key, in minutes.
const STEP: i64 = 5;

/// Goes to a board a step earlier or later, from now or from the one that is shown.
pub(super) fn step(state: &mut State, word: Word) -> Vec<Effect> {
    let from = state.then.map_or(state.now, |then| then.at);
    let on = matches!(word, Word::StepOn | Word::MinutesOn);
    if matches!(word, Word::StepBack | Word::StepOn) {
        return vec![Effect::Step { from, on }];
    }
    let minutes = if on { STEP } else { -STEP };
    let at = from.plus(minutes * MINUTE_MS);
    if at >= state.real_now() {
        return vec![Effect::Now];
    }
    vec![Effect::GoBack(at)]
}

fn item(state: &State, label: &str, at: Timestamp) -> PickItem {
    let ahead = at > state.real_now();
    PickItem {
        label: label.to_owned(),
        about: state.look.zone.full(at),
        aside: String::new(),
        blocked: ahead.then(|| "that lies ahead".to_owned()),
        choice: Choice::At(at),
    }
}

/// What is typed may be a time: it stands first, to be taken. In the palette it follows the word `at`.
pub(super) fn typed(state: &mut State) {
    let Some(Layer::Pick(pick)) = state.layers.last() else {
        return;
    };
    let text = pick.line.text().trim().to_owned();
    let time = match pick.kind {
        PickKind::At => Some(text.as_str()),
        PickKind::Palette => text.strip_prefix("at ").map(str::trim),
        _ => return,
    };
    let read = time.and_then(Moment::parse);
    let new = read.map(|moment| item(state, &text, moment.span(state.real_now()).0));
    if let Some(Layer::Pick(pick)) = state.layers.last_mut() {
        pick.items.retain(|i| i.aside != TYPED);
        if let Some(new) = new {
            let aside = TYPED.to_owned();
            pick.items.insert(0, PickItem { aside, ..new });
        }
    }
}

/// A message while the past is in sight: keys belong to it, everything else to the present.
pub(super) fn fold(state: &mut State, message: Message) -> Vec<Effect> {
    let Some(mut past) = state.past.take() else {
        return fold_one(state, message);
    };
    match message {
        Message::Key(_) | Message::Paste(_) => {
            // its clock stands still: a sentence goes with the next key
            past.toast = None;
            let effects = fold_one(&mut past, message);
            state.dirty = true;
            sift(state, past, effects)
        }
        Message::Timeline { .. } | Message::Copied { .. } => {
            let effects = fold_one(&mut past, message);
            state.dirty = true;
            sift(state, past, effects)
        }
        Message::Resize(columns, rows) => {
            let _ = fold_one(&mut past, Message::Resize(columns, rows));
            state.past = Some(past);
            fold_one(state, message)
        }
        Message::Then { .. } => {
            // another time, or why there is none
            state.past = Some(past);
            fold_one(state, message)
        }
        other => {
            if let (Message::Now(now), Some(then)) = (&other, &mut past.then) {
                then.real_now = *now;
            }
            state.past = Some(past);
            fold_one(state, other)
        }
    }
}

/// What the past may ask for: nothing that goes to a service.
fn sift(state: &mut State, past: Box<State>, effects: Vec<Effect>) -> Vec<Effect> {
    let mut out = Vec::new();
    let mut leave = false;
    let mut save = false;
    for effect in effects {
        match effect {
            Effect::Now | Effect::Quit => leave = true,
            Effect::SaveUi(_) => save = true,
            Effect::Copy { .. }
            | Effect::Repaint
            | Effect::Suspend
            | Effect::Timeline { .. }
            | Effect::GoBack(_)
            | Effect::Step { .. } => out.push(effect),
            Effect::Prepare { .. }
            | Effect::Send(_)
            | Effect::Note { .. }
            | Effect::Remark { .. }
            | Effect::PollNow(_)
            | Effect::Busy(..)
            | Effect::LookUp { .. } => {}
        }
    }
    // what the operator arranged there holds here too
    state.views.clone_from(&past.views);
    state.filters.clone_from(&past.filters);
    state.look = past.look.clone();
    if leave {
        state.say("This is now again.", Tone::Plain);
    } else {
        state.past = Some(past);
    }
    if save && !leave {
        out.push(Effect::SaveUi(Box::new(state.to_save())));
    }
    out
}

/// Shows the board of another time, or says why not.
pub(super) fn show(
    state: &mut State,
    at: Timestamp,
    result: Result<(Box<Board>, Vec<Entry>), HistoryError>,
) {
    let when = state.look.zone.full(at);
    let refuse = |state: &mut State, text: String| {
        match &mut state.past {
            Some(past) => past.say(text, Tone::Warning),
            None => state.say(text, Tone::Warning),
        }
        state.dirty = true;
    };
    let (board, moves) = match result {
        Ok(known) => known,
        Err(e) => return refuse(state, format!("{e}.")),
    };
    let from = state.past.as_deref().unwrap_or(state);
    let services = state.store.services().iter();
    let mut past = State::new(Setup {
        services: services.map(|s| s.service.clone()).collect(),
        catalog: std::sync::Arc::clone(&state.catalog),
        operator: state.operator.clone(),
        keymap: state.keymap.clone(),
        look: state.look.clone(),
        saved: from.to_save(),
        config_path: state.config_path.clone(),
        notices: Vec::new(),
        now: at,
    });
    past.expanded = from.expanded;
    past.size = state.size;
    past.then = Some(Then {
        at,
        real_now: state.now,
    });
    past.store.judge_like(&state.store);
    let cut = board.cut;
    if past.store.remember(*board, &[]).is_empty() {
        return refuse(state, format!("History knows nothing of {when}."));
    }
    past.store.remember_moves(&moves);
    let said = state.remarks.iter().filter(|r| r.at <= at);
    past.remarks = said.cloned().collect();
    past.store.set_remarks(&past.remarks, at);
    if cut {
        past.say("Only the newest tasks of then are shown.", Tone::Warning);
    }
    state.past = Some(Box::new(past));
    state.dirty = true;
}
