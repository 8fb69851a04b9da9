//! What was learnt from a service.

use crate::model::{Health, ServiceId};
use crate::watch::{self, WatchEvent};

use super::super::effect::Effect;
use super::super::state::State;
use super::super::view::services::age_label;
use super::list;

/// Folds an event of the watchers into the store.
pub(super) fn take(state: &mut State, event: WatchEvent) -> Vec<Effect> {
    let health_of = match &event {
        WatchEvent::Health { service, .. } => Some(*service),
        WatchEvent::Looked { .. } => {
            if let Some(detail) = &mut state.detail {
                detail.asking = false;
            }
            state.dirty = true;
            None
        }
        _ => None,
    };
    let before = health_of.map(|id| shown(state, id));
    let generation = state.store.generation();
    let folded = watch::fold(&mut state.store, event, state.now);
    // a record that comes late is no change of the task, yet the opened row waits for it
    list::refresh_record(state);
    match (before, health_of) {
        (Some(before), Some(id)) => {
            // an answer that only makes the newest one newer is not worth a frame
            state.dirty |= before != shown(state, id);
            // nor does it move a row
            state.skip(generation, state.store.generation());
        }
        _ if generation != state.store.generation() => {
            state.dirty = true;
            state.stirred = true;
        }
        _ => {}
    }
    let mut effects: Vec<Effect> = folded
        .look_up
        .into_iter()
        .map(|(service, task)| Effect::LookUp {
            service,
            task,
            first: false,
        })
        .collect();
    effects.extend(folded.busy.map(|(id, busy)| Effect::Busy(id, busy)));
    effects
}

/// What the screen shows of a service's health.
fn shown(state: &State, id: ServiceId) -> (&'static str, String, Option<String>) {
    let health = &state.store.service(id).health;
    let fault = match health {
        Health::Down { fault, .. } => Some(fault.to_string()),
        _ => None,
    };
    (health.word(), age_label(health, state.now).text, fault)
}
