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
