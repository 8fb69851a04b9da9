//! Putting what the watchers tell into the store, the same way for both faces.

use super::{WatchEvent, WatchHandle};
use crate::connect::{Page, TaskLook};
use crate::model::{Phase, ServiceId, Timestamp};
use crate::store::{Covered, Store};

/// What folding one event asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folded {
    /// Tasks that left the live list without saying how they ended: to be looked up.
    pub look_up: Vec<(ServiceId, String)>,
    /// The service whose round ended, and whether it has live work.
    pub busy: Option<(ServiceId, bool)>,
}

impl Folded {
    /// Hands the wishes to the watchers.
    pub fn ask(self, watchers: &WatchHandle) {
        if let Some((service, busy)) = self.busy {
            watchers.set_busy(service, busy);
        }
        for (service, task_id) in self.look_up {
            watchers.look_up(service, task_id, false);
        }
    }
}

/// Folds one event into the store at `now`. Whether anything visible changed is told by
/// [`Store::generation`].
pub fn fold(store: &mut Store, event: WatchEvent, now: Timestamp) -> Folded {
    let mut folded = Folded::default();
    match event {
        WatchEvent::Page {
            service,
            feed,
            number,
            page: Page::Rows(rows),
        } => {
            store.apply(service, feed, number, rows, now);
        }
        WatchEvent::Part {
            service,
            feed,
            number,
            rows,
            part,
        } => {
            store.apply_part(service, feed, number, rows, part, now);
        }
        WatchEvent::Page {
            service,
            feed,
            number,
            page: Page::Same,
        } => {
            store.apply_same(service, feed, number, now);
        }
        WatchEvent::Round {
            service,
            feed,
            round,
            at,
        } => match round.outcome {
            Ok(report) => {
                let covers = Covered {
                    devices: round.covers.devices,
                    policies: round.covers.policies,
                    live: round.covers.live,
                    failed: round.covers.failed,
                };
                if let Some((theirs, ours)) = report.clock {
                    store.note_clock(service, theirs, ours);
                }
                store.name_missing(service, round.looks_up);
                let end = store.finish_round(service, feed, covers, report.complete, at);
                store.set_partial(service, feed, report.partial);
                folded.look_up = end
                    .missing_live
                    .into_iter()
                    .map(|id| (service, id))
                    .collect();
                folded.busy = Some((service, has_live(store, service)));
            }
            Err(fault) => {
                store.set_partial(service, feed, vec![fault]);
            }
        },
        WatchEvent::Looked { service, looks } => {
            for (task_id, look) in looks {
                match look {
                    Ok(TaskLook::Found(task)) => {
                        store.apply_task(service, *task, now);
                    }
                    Ok(TaskLook::Gone | TaskLook::NotOffered) => {
                        store.task_vanished(service, &task_id, now);
                    }
                    // the task is still missing at the next round and is looked up again then
                    Err(_) => {}
                }
            }
        }
        WatchEvent::Health { service, health } => {
            store.set_health(service, health);
        }
    }
    folded
}

fn has_live(store: &Store, service: ServiceId) -> bool {
    let state = store.service(service);
    Phase::ALL
        .into_iter()
        .any(|phase| phase.is_live() && state.in_phase(phase) > 0)
}
