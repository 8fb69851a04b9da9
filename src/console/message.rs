//! What comes in: keys, time, data from the services, and what became of actions.

use crate::model::{Fault, Prepared, Timestamp};
use crate::operate::{ActionEvent, ActionRecord};
use crate::store::history::{Board, Entry, HistoryError, HistoryHealth, Remark, Subject};
use crate::watch::WatchEvent;

use super::effect::AskId;
use super::key::Key;

/// A piece of what history knew when the console was started.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// Services, devices, policies and tasks.
    pub board: Board,
    /// The lists of each service, in the order of the services.
    pub feeds: Vec<Vec<&'static str>>,
    /// The newest transitions, oldest first; with the last piece.
    pub moves: Vec<Entry>,
    /// True for the last piece.
    pub last: bool,
}

/// One thing that happened. [`super::update()`] folds it into the state.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted (bracketed paste); goes where text is being typed, nowhere else.
    Paste(String),
    /// The terminal has this size now: columns, rows.
    Resize(u16, u16),
    /// The terminal window has the focus, or lost it.
    Focus(bool),
    /// The time, for the messages that follow it. Alone it changes nothing visible.
    Now(Timestamp),
    /// A visible label is due to change.
    Tick(Timestamp),
    /// Something was learnt from a service.
    Watch(WatchEvent),
    /// Several of them, which gathered while nothing happened: the loop is woken once for all.
    Lot(Vec<WatchEvent>),
    /// Something became of an action.
    Action(ActionEvent),
    /// What history knew, a piece at a time; the last piece ends it.
    Known(Box<Known>),
    /// Actions that an earlier run left open and this one looks after.
    Earlier(Vec<ActionRecord>),
    /// Whether history is written changed, or there is something to know of it.
    History(Box<HistoryHealth>),
    /// Everything that people said about tasks, oldest first, as history knows it now.
    Remarks(Vec<Remark>),
    /// The answer to [`super::Effect::Remark`].
    Remarked {
        /// What was said, in a sentence.
        what: String,
        /// Why it could not be kept.
        fault: Option<String>,
    },
    /// The answer to [`super::Effect::Timeline`], oldest first.
    Timeline {
        /// What it is about.
        subject: Subject,
        /// What happened, or why nobody knows.
        result: Result<Vec<Entry>, HistoryError>,
    },
    /// The answer to [`super::Effect::GoBack`]: what was known then, and the transitions shortly before.
    Then {
        /// The instant.
        at: Timestamp,
        /// What was known, or why nobody knows.
        result: Result<(Box<Board>, Vec<Entry>), HistoryError>,
    },
    /// The answer to [`super::Effect::Prepare`].
    Prepared {
        /// The question it answers.
        ask: AskId,
        /// The exact requests, or why there are none.
        result: Result<Box<Prepared>, Fault>,
    },
    /// The answer to [`super::Effect::Copy`]: what was copied and the way it went, or why it didn't.
    Copied {
        /// What was copied, in a few words.
        what: String,
        /// The way it went ("through tmux"), or why it didn't.
        how: Result<String, String>,
    },
    /// A sentence for the operator that belongs to nothing else on screen (a damaged file set aside).
    Notice(String),
    /// The program was stopped (Ctrl-Z) and goes on.
    Resumed,
    /// The program is asked to end (SIGTERM, SIGHUP, SIGINT).
    Terminate,
}

impl Message {
    /// The message, or each of the several that it is, none of which takes long to fold.
    pub fn each(self) -> impl Iterator<Item = Self> {
        let (other, lot, one) = match self {
            Self::Lot(events) => (None, events, None),
            Self::Watch(event) => (None, Vec::new(), Some(event)),
            other => (Some(other), Vec::new(), None),
        };
        let events = one.into_iter().chain(lot);
        let pieces = events.flat_map(WatchEvent::pieces).map(Self::Watch);
        other.into_iter().chain(pieces)
    }
}

impl From<WatchEvent> for Message {
    fn from(event: WatchEvent) -> Self {
        Self::Watch(event)
    }
}

impl From<ActionEvent> for Message {
    fn from(event: ActionEvent) -> Self {
        Self::Action(event)
    }
}
