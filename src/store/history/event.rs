//! What can be told to history.

use std::fmt;

use super::{ActionHead, ActionStep, Remark, ServiceKey, WriterId};
use crate::model::{Device, Policy, Task, Timestamp, Transition};

/// An event's id, unique across machines: who wrote it and its number there, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventId {
    /// The run that wrote it.
    pub writer: WriterId,
    /// Its number in that run.
    pub number: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.writer.0, self.number)
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A service answered.
    Answered {
        /// Which.
        service: ServiceKey,
        /// When, by our clock.
        at: Timestamp,
    },
    /// A task as it is now. History finds out what is new in it.
    Task(Box<TaskSeen>),
    /// A device or policy as it is now.
    Party(Box<PartySeen>),
    /// An action at the moment of its confirmation.
    Action(Box<ActionHead>),
    /// A step in an action's life.
    Step(ActionStep),
    /// An acknowledgement or a note, or the end of one.
    Remark(Box<Remark>),
    /// Something about the record itself that a reader has to know: a clock that jumped, events lost.
    Incident {
        /// When, by our clock.
        at: Timestamp,
        /// What, in a sentence.
        what: String,
    },
}

impl Event {
    /// About how many bytes of memory it holds while it waits to be written.
    pub(super) fn bytes(&self) -> usize {
        let own = match self {
            Self::Task(seen) => seen.bytes(),
            Self::Party(seen) => seen.bytes(),
            Self::Incident { what, .. } => what.len(),
            Self::Action(_) | Self::Remark(_) => EACH * 4,
            Self::Answered { .. } | Self::Step(_) => 0,
        };
        size_of::<Self>() + own
    }
}

/// What a piece of memory costs besides what stands in it.
const EACH: usize = 32;

fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> usize {
    let one = |text: &str| {
        if text.is_empty() {
            0
        } else {
            text.len() + EACH
        }
    };
    texts.into_iter().map(one).sum()
}

fn facts(facts: &[(&'static str, String)]) -> usize {
    size_of_val(facts) + texts(facts.iter().map(|(_, value)| value.as_str()))
}

impl TaskSeen {
    pub(super) fn bytes(&self) -> usize {
        let t = &self.task;
        let names = t.device.iter().chain(&t.policy);
        let failures = t.failure.iter();
        let moves = self.transitions.iter();
        size_of::<Self>()
            + texts([&*t.id, &t.operation, &t.native_status, &t.step, &t.object])
            + texts(names.flat_map(|n| [&*n.id, &*n.name]))
            + texts(failures.flat_map(|f| [&*f.code, &*f.operation, &*f.message]))
            + facts(&t.facts)
            + size_of_val(&*self.transitions)
            + texts(moves.flat_map(|m| [m.from.as_deref().unwrap_or_default(), &*m.to]))
    }
}

impl PartySeen {
    fn bytes(&self) -> usize {
        let own = match &self.state {
            PartyState::Device(d) => {
                texts([&*d.id, &d.name, &d.native_status, &d.place])
                    + texts(d.policy_ids.iter().map(String::as_str))
                    + facts(&d.facts)
            }
            PartyState::Policy(p) => {
                texts([&*p.id, &p.name, &p.native_status, &p.schedule])
                    + texts(p.device_ids.iter().map(String::as_str))
                    + facts(&p.facts)
            }
            PartyState::DeviceGone(id) | PartyState::PolicyGone(id) => id.len(),
        };
        size_of::<Self>() + own
    }
}

/// A task as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskSeen {
    /// On which service.
    pub service: ServiceKey,
    /// The task; its record ([`Task::raw`]) is not kept.
    pub task: Task,
    /// It failed and was taken off the service's own list.
    pub cleared: bool,
    /// It was under way and is gone at the service: nobody knows how it ended.
    pub lost: bool,
    /// The lists of the service that show it.
    pub feeds: Vec<&'static str>,
    /// The changes since it was told the last time, oldest first, as far as they were seen one by one. What
    /// lies between the last known state and this one is told by history itself otherwise.
    pub transitions: Vec<Transition>,
    /// When this was so, by our clock.
    pub at: Timestamp,
}

/// A device or policy as it is now.
#[derive(Clone, PartialEq, Debug)]
pub struct PartySeen {
    /// On which service.
    pub service: ServiceKey,
    /// What it is now; the record ([`Device::raw`], [`Policy::raw`]) is not kept.
    pub state: PartyState,
    /// The lists of the service that show it.
    pub feeds: Vec<&'static str>,
    /// When this was so, by our clock.
    pub at: Timestamp,
}

/// A device or policy, there or gone.
#[derive(Clone, PartialEq, Debug)]
pub enum PartyState {
    /// A device that the service lists.
    Device(Device),
    /// A policy that the service lists.
    Policy(Policy),
    /// A device, by its id, that the service no longer lists.
    DeviceGone(String),
    /// A policy, by its id, that the service no longer lists.
    PolicyGone(String),
}
