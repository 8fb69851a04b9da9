//! What history tells: what was known, what earlier runs left open, and whether it is written.

use crate::operate::ActionRecord;
use crate::store::history::{HistoryHealth, HistoryState};

use super::super::effect::Effect;
use super::super::message::Known;
use super::super::state::{State, Toast, Tone};
use super::super::text::ago;

/// Takes in a piece of what was known.
pub(super) fn known(state: &mut State, known: Known) -> Vec<Effect> {
    let taken = state.store.remember(known.board, &known.feeds);
    state.known_at = match (state.known_at, taken.oldest.filter(|_| !taken.is_empty())) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    state.dirty |= !taken.is_empty();
    if !known.last {
        return Vec::new();
    }
    state.store.remember_moves(&known.moves);
    if let Some(at) = state.known_at
        && state.toast.is_none()
    {
        let age = ago(state.now.since(at)).text;
        let text = if age == "now" {
            "Shown is what was known a moment ago, until the services answer.".to_owned()
        } else {
            format!("Shown is what was known {age} ago, until the services answer.")
        };
        state.say(text, Tone::Plain);
    }
    Vec::new()
}

/// Takes over actions that an earlier run left open.
pub(super) fn earlier(state: &mut State, records: Vec<ActionRecord>) -> Vec<Effect> {
    let lost = records.iter().filter(|r| r.is_lost()).count();
    let open = records.len() - lost;
    state.ledger.take_over(records);
    let mut parts = Vec::new();
    if lost > 0 {
        parts.push(format!(
            "{lost} sent by an earlier run that saw no answer: keepwatch looks what became of {}, and sends nothing \
             again.",
            if lost == 1 { "it" } else { "them" }
        ));
    }
    if open > 0 {
        parts.push(format!("{open} of an earlier run still under way."));
    }
    if !parts.is_empty() {
        let text = format!("Actions: {}", parts.join(" "));
        state.toast = Some(Toast::lasting(text, Tone::Warning, state.now));
        state.dirty = true;
    }
    Vec::new()
}

/// Notes whether history is written, and says what is new about that.
pub(super) fn health(state: &mut State, health: HistoryHealth) -> Vec<Effect> {
    let before = state.history.replace(health);
    let Some(health) = &state.history else {
        return Vec::new();
    };
    let told = before.as_ref().map_or(0, |b| b.notices.len());
    let mut text: Vec<String> = health.notices.iter().skip(told).cloned().collect();
    let failed = before.as_ref().is_some_and(HistoryHealth::is_failing);
    match &health.state {
        HistoryState::Failing { error, .. } if !failed => text.push(format!("{error}.")),
        HistoryState::Writing if failed => text.push("History is written again.".to_owned()),
        _ => {}
    }
    state.dirty = true;
    if !text.is_empty() {
        let tone = if health.is_failing() {
            Tone::Bad
        } else {
            Tone::Warning
        };
        state.toast = Some(Toast::lasting(text.join("  "), tone, state.now));
    }
    Vec::new()
}
