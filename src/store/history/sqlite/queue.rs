//! What was taken and is not written yet.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::model::Transition;
use crate::store::history::{Event, TaskSeen};

/// Events in their order. A task stands in it once: its newest state, with everything that it went through.
#[derive(Default)]
pub(super) struct Queue {
    events: VecDeque<Event>,
    /// How many events left it at the front.
    gone: u64,
    /// Places of tasks, counted from the first event ever, by a sum over service and id.
    tasks: HashMap<u64, u64>,
    hasher: DefaultHashBuilder,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event. When it was taken in by one of the same task, so that the queue is as long as before, this
    /// gives how many bytes fewer the two hold.
    pub(super) fn push(&mut self, event: Event) -> Option<usize> {
        let Event::Task(seen) = event else {
            self.events.push_back(event);
            return None;
        };
        let sum = self.sum(&seen);
        if let Some(&place) = self.tasks.get(&sum)
            && let Ok(at) = usize::try_from(place.wrapping_sub(self.gone))
            && let Some(Event::Task(held)) = self.events.get_mut(at)
            && held.task.id == seen.task.id
            && held.service == seen.service
        {
            let before = held.bytes() + seen.bytes() + size_of::<Event>();
            join(held, *seen);
            return Some(before.saturating_sub(held.bytes()));
        }
        let place = self.gone.wrapping_add(self.events.len() as u64);
        self.tasks.insert(sum, place);
        self.events.push_back(Event::Task(seen));
        None
    }

    /// Takes the first events out.
    pub(super) fn take(&mut self, most: usize) -> Vec<Event> {
        let count = self.events.len().min(most);
        let taken: Vec<Event> = self.events.drain(..count).collect();
        if self.events.is_empty() {
            self.tasks.clear();
        } else {
            // only the places of these: the whole map, once a transaction, would take long while much waits
            for (n, event) in (0..).zip(&taken) {
                let Event::Task(seen) = event else { continue };
                let sum = self.sum(seen);
                if self.tasks.get(&sum) == Some(&self.gone.wrapping_add(n)) {
                    self.tasks.remove(&sum);
                }
            }
        }
        self.gone = self.gone.wrapping_add(count as u64);
        taken
    }

    /// Puts events back that were just taken out.
    pub(super) fn put_back(&mut self, taken: Vec<Event>) {
        for event in taken.into_iter().rev() {
            self.gone = self.gone.wrapping_sub(1);
            if let Event::Task(seen) = &event {
                let sum = self.sum(seen);
                self.tasks.insert(sum, self.gone);
            }
            self.events.push_front(event);
        }
    }

    fn sum(&self, seen: &TaskSeen) -> u64 {
        self.hasher.hash_one((&seen.service, &seen.task.id))
    }
}

/// Takes a newer state of a task into an older one that is not written yet: the state in between becomes one more
/// of those that it went through.
fn join(held: &mut TaskSeen, newer: TaskSeen) {
    let mut past = std::mem::take(&mut held.transitions);
    let stood = &held.task;
    let told = past
        .last()
        .is_some_and(|t| t.to == stood.native_status && t.to_phase == stood.phase);
    if !told {
        past.push(Transition {
            from: None,
            from_phase: None,
            to: stood.native_status.clone(),
            to_phase: stood.phase,
            seen_at: held.at,
            reported_at: stood.updated_at.or(stood.ended_at).or(stood.started_at),
        });
    }
    past.extend(newer.transitions);
    *held = TaskSeen {
        transitions: past,
        ..newer
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Phase, Task, Timestamp};
    use crate::store::history::ServiceKey;

    fn seen(id: &str, status: &str, at: i64) -> Event {
        Event::Task(Box::new(TaskSeen {
            service: ServiceKey::new("eu", "csbs"),
            task: Task {
                id: id.to_owned(),
                native_status: status.to_owned(),
                phase: Phase::Running,
                ..Task::default()
            },
            cleared: false,
            lost: false,
            feeds: Vec::new(),
            transitions: Vec::new(),
            at: Timestamp(at),
        }))
    }

    fn shown(events: &[Event]) -> Vec<String> {
        let one = |e: &Event| match e {
            Event::Task(t) => {
                let past: Vec<&str> = t.transitions.iter().map(|t| t.to.as_str()).collect();
                format!("{} {} {past:?}", t.task.id, t.task.native_status)
            }
            other => format!("{other:?}"),
        };
        events.iter().map(one).collect()
    }

    #[test]
    fn a_task_waits_once_with_all_it_went_through() {
        let mut queue = Queue::default();
        assert!(queue.push(seen("a", "1", 1)).is_none());
        assert!(queue.push(seen("b", "1", 1)).is_none());
        assert!(queue.push(seen("a", "2", 2)).is_some());
        let first = queue.take(1);
        assert_eq!(shown(&first), [r#"a 2 ["1"]"#]);
        // what was taken is being written: what comes now waits for the next time
        assert!(queue.push(seen("a", "3", 3)).is_none());
        assert!(queue.push(seen("b", "2", 3)).is_some());
        assert_eq!(shown(&queue.take(9)), [r#"b 2 ["1"]"#, "a 3 []"]);
        assert!(queue.is_empty());
        // it could not be written
        queue.push(seen("c", "1", 4));
        let taken = queue.take(9);
        queue.put_back(taken);
        assert!(queue.push(seen("c", "1", 5)).is_some());
        assert!(queue.push(seen("c", "2", 6)).is_some());
        assert_eq!(queue.len(), 1);
        assert_eq!(shown(&queue.take(9)), [r#"c 2 ["1"]"#]);
    }
}
