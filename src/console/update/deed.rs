//! What became of actions.

use crate::model::{Asked, Fault, FaultKind, Verb};
use crate::operate::{self, ActionEvent, ActionId, ActionRecord, Stage};

use super::super::card::first_sentence;
use super::super::effect::Effect;
use super::super::state::{State, Toast, Tone};
use super::super::thing::kind_of;
use super::super::ticket::capital;
use crate::catalog::Question;

/// Folds an event of an action.
pub(super) fn take(state: &mut State, event: ActionEvent) -> Vec<Effect> {
    state.dirty = true;
    let id = event.id;
    let stage = event.stage.clone();
    let known = state.ledger.get(id).map(|r| r.stage().clone());
    state.ledger.apply(event);
    if known.is_none() || known == Some(stage.clone()) {
        return Vec::new();
    }
    // of many the sum is told, once
    if state.deeds.batch_of(id).is_none_or(|batch| batch.told) {
        tell(state, id);
    }
    if matches!(stage, Stage::Confirmed | Stage::Sending { .. }) {
        return Vec::new();
    }
    state.deeds.done(id);
    tell_batch(state, id);
    let mut effects = release(state);
    if matches!(stage, Stage::Accepted { .. } | Stage::FoundDone { .. }) {
        effects.extend(accepted(state, id));
    }
    effects
}

/// The service took it: look at once, and show a cancel as asked until it is carried out.
fn accepted(state: &mut State, id: ActionId) -> Option<Effect> {
    let intent = &state.ledger.get(id)?.prepared.intent;
    let service = intent.service;
    if verb(state, id) == Some(Verb::Cancel)
        && let Some(row) = state.store.find_task(service, &intent.target.id)
        && state.store.task(row).phase().is_live()
    {
        state.store.ask(row, Some(Asked::Cancel));
    }
    Some(Effect::PollNow(service))
}

/// What an action is for, as its service's list of actions says.
fn verb(state: &State, id: ActionId) -> Option<Verb> {
    let intent = &state.ledger.get(id)?.prepared.intent;
    state
        .operator
        .offers(intent.service, &intent.target)
        .into_iter()
        .find(|o| o.action.as_ref().is_some_and(|a| a.id == intent.action))
        .map(|o| o.verb)
}

/// Sends those whose turn it is.
pub(super) fn release(state: &mut State) -> Vec<Effect> {
    state
        .deeds
        .release()
        .into_iter()
        .map(|confirmed| Effect::Send(Box::new(confirmed)))
        .collect()
}

/// What was not sent yet is not sent any more.
pub(super) fn withhold(state: &mut State) -> Vec<Effect> {
    let held = state.deeds.withhold();
    let text = match held.len() {
        0 => "Nothing is waiting to be sent.".to_owned(),
        1 => "One action was not sent.".to_owned(),
        n => format!("{n} actions were not sent."),
    };
    let mut effects = Vec::new();
    for id in held {
        let fault = Fault::new(
            FaultKind::Config,
            "you stopped it before it was sent",
            "",
            "",
        );
        let event = ActionEvent {
            id,
            at: state.now,
            stage: Stage::NotSent { fault },
            follow: None,
        };
        effects.push(note(state, &event));
        state.ledger.apply(event);
        tell_batch(state, id);
    }
    if state.toast.as_ref().is_none_or(|t| t.since != state.now) {
        state.say(text, Tone::Plain);
    }
    effects
}

/// Looks in the store for the tasks that actions became.
pub(super) fn observe(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for event in operate::observe(&state.ledger, &state.store, state.now) {
        effects.push(note(state, &event));
        effects.extend(take(state, event));
    }
    effects
}

/// Says how many came to what, when the last action of a batch was answered.
fn tell_batch(state: &mut State, id: ActionId) {
    let Some((batch, progress)) = state.deeds.settled_by(id, &state.ledger) else {
        return;
    };
    let mut text = format!(
        "{} on {}: {}.",
        batch.label,
        progress.total,
        progress.in_words()
    );
    if !progress.is_whole() {
        text.push_str(" A shows them.");
    }
    state.toast = Some(if progress.is_whole() {
        Toast::brief(text, Tone::Good, state.now)
    } else {
        Toast::lasting(text, Tone::Warning, state.now)
    });
}

/// Has a stage kept that no request's answer told.
fn note(state: &State, event: &ActionEvent) -> Effect {
    let record = state.ledger.get(event.id);
    let follow = record.and_then(|r| r.follow.as_ref());
    Effect::Note {
        event: Box::new(event.clone()),
        expects_task: follow.is_some_and(|f| f.expects_task),
    }
}

/// What an action is called in a sentence: "Retry failed backup on ecs-42".
#[must_use]
pub(in super::super) fn name_of(record: &ActionRecord) -> String {
    let intent = &record.prepared.intent;
    format!(
        "{} {}",
        capital(&intent.action.replace('-', " ")),
        intent.target.name
    )
}

/// Says what became of it, where that is news to a person.
fn tell(state: &mut State, id: ActionId) {
    let Some(record) = state.ledger.get(id) else {
        return;
    };
    let name = name_of(record);
    let expects = record.follow.as_ref().is_some_and(|f| f.expects_task);
    let kind = kind_of(&state.store, record.prepared.intent.service);
    let (text, tone, lasting) = match record.stage() {
        Stage::Accepted { .. } if expects => (
            format!("{name}: accepted, waiting for its task."),
            Tone::Good,
            false,
        ),
        Stage::Accepted { .. } => (format!("{name}: done."), Tone::Good, false),
        Stage::Refused { code, .. } => {
            let readings = state
                .catalog
                .explain(&Question::from_code(Some(kind.name()), code));
            let meaning = readings
                .first()
                .map_or(code.message.as_str(), |r| first_sentence(&r.entry.meaning));
            let http = code
                .http_status
                .map_or_else(String::new, |h| format!(" HTTP {h}"));
            (
                format!("{name}: refused. {}{http}: {meaning}.", code.code),
                Tone::Bad,
                true,
            )
        }
        Stage::NotSent { fault } => (format!("{name}: not sent. {fault}"), Tone::Warning, true),
        Stage::Unknown { fault } if record.was_looked_for() => (
            format!(
                "{name}: nobody knows whether it was carried out. {fault}. The next start of keepwatch looks again."
            ),
            Tone::Warning,
            true,
        ),
        Stage::Unknown { .. } => (
            format!(
                "{name}: the answer was lost. Keepwatch looks in the service; it sends nothing again."
            ),
            Tone::Warning,
            true,
        ),
        Stage::FoundDone { seen } => (
            format!("{name}: it was carried out: {seen}."),
            Tone::Good,
            true,
        ),
        Stage::FoundNothing { looked_at } => (
            format!("{name}: no sign of it ({looked_at}). Look yourself before you repeat it."),
            Tone::Warning,
            true,
        ),
        Stage::CannotTell { why } => (
            format!("{name}: nobody can tell whether it was carried out: {why}."),
            Tone::Warning,
            true,
        ),
        Stage::NothingFollowed => (
            format!("{name}: accepted, but no task was seen since."),
            Tone::Warning,
            true,
        ),
        Stage::Observed {
            phase,
            native_status,
            ..
        } if phase.is_over() => {
            let tone = if phase.needs_person() {
                Tone::Bad
            } else {
                Tone::Good
            };
            (
                format!("{name}: {phase} ({native_status})."),
                tone,
                tone == Tone::Bad,
            )
        }
        Stage::Confirmed
        | Stage::Sending { .. }
        | Stage::Looking { .. }
        | Stage::Observed { .. } => return,
    };
    state.toast = Some(if lasting {
        Toast::lasting(text, tone, state.now)
    } else {
        Toast::brief(text, tone, state.now)
    });
}
