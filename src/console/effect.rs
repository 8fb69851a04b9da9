//! What goes out: everything that the console wants done, as values.

use std::time::Duration;

use crate::model::{Intent, ServiceId, Timestamp};
use crate::operate::{ActionEvent, Confirmed};
use crate::store::Store;
use crate::store::history::{Remark, Subject};

use super::message::Message;

/// The number of a question to a connector, so that a late answer finds its dialog or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AskId(pub u64);

/// Something for the runtime to carry out, once each.
#[derive(Debug)]
pub enum Effect {
    /// Ask the connector what exactly would be sent; answered by [`Message::Prepared`].
    Prepare {
        /// The number of the question.
        ask: AskId,
        /// What the operator wants.
        intent: Box<Intent>,
    },
    /// Send a confirmed action; answered by [`Message::Action`] until its end.
    Send(Box<Confirmed>),
    /// Keep this stage of an action, which the console observed itself.
    Note {
        /// The stage.
        event: Box<ActionEvent>,
        /// Whether the action goes on as a task after it was accepted.
        expects_task: bool,
    },
    /// Tell everything that happened to this, before an instant where one is given; answered by
    /// [`Message::Timeline`].
    Timeline {
        /// To what.
        subject: Subject,
        /// Before when.
        until: Option<Timestamp>,
    },
    /// Tell what was known at this instant; answered by [`Message::Then`].
    GoBack(Timestamp),
    /// Tell what was known at the nearest transition before or after this instant; answered by
    /// [`Message::Then`].
    Step {
        /// From where.
        from: Timestamp,
        /// True for the next one, false for the one before.
        on: bool,
    },
    /// Leave the past for the present.
    Now,
    /// Ask this service now, out of turn.
    PollNow(ServiceId),
    /// Whether the service has live work, and so is worth asking more often.
    Busy(ServiceId, bool),
    /// Read one task as it is now; answered by [`crate::watch::WatchEvent::Looked`].
    LookUp {
        /// Which service.
        service: ServiceId,
        /// Which task.
        task: String,
        /// A person waits for it: it comes before what lists no longer have.
        first: bool,
    },
    /// Put this text on the operator's clipboard; answered by [`Message::Copied`].
    Copy {
        /// What it is, in a few words.
        what: String,
        /// The text.
        text: String,
    },
    /// Keep what the operator said; answered by [`Message::Remarks`] and [`Message::Remarked`].
    Remark {
        /// What was said.
        remarks: Vec<Remark>,
        /// The same in a sentence.
        what: String,
    },
    /// Draw everything anew: the screen was written to by something else.
    Repaint,
    /// Stop the program as Ctrl-Z does; answered by [`Message::Resumed`] when it goes on.
    Suspend,
    /// Keep what the operator arranged for the next start.
    SaveUi(Box<SavedUi>),
    /// End the program.
    Quit,
}

/// What the operator arranged and finds again at the next start.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SavedUi {
    /// The pane in focus, by its word.
    pub focus: String,
    /// The theme, by its name; empty for the default.
    pub theme: String,
    /// The notice about the embedded services was put away.
    pub notice_put_away: bool,
    /// Each pane's filter and sort.
    pub panes: Vec<SavedPane>,
    /// Filters used before, newest last.
    pub filters: Vec<String>,
    /// Filters and orders that were given names, in their order.
    pub views: Vec<SavedView>,
}

/// A list's filter and order under a name.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SavedView {
    /// The name.
    pub name: String,
    /// Which list, and how.
    pub list: SavedPane,
}

/// One pane's filter and sort.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SavedPane {
    /// The pane, by its word.
    pub pane: String,
    /// The filter's text.
    pub filter: String,
    /// The column that it is sorted by, by its word; empty for the pane's own order.
    pub sort: String,
    /// Sorted from the largest down.
    pub descending: bool,
    /// Failed jobs that somebody took are left out. It belongs to the list, not to a view of it.
    pub hides_taken: bool,
}

/// Carries out the effects that reach beyond the terminal. The loop does the rest itself
/// ([`Effect::Copy`], [`Effect::Repaint`], [`Effect::Suspend`], [`Effect::Quit`]).
///
/// `perform` returns at once: the work happens elsewhere and its answers come back as [`Message`]s
/// through the channel that the loop reads.
pub trait Backend: Send {
    /// Takes an effect.
    fn perform(&mut self, effect: Effect);

    /// Hands a part of what changed in the store on to history, in no time worth a mention; gives when to do so
    /// again, where there is more.
    fn keep(&mut self, _store: &Store, _now: Timestamp) -> Option<Duration> {
        None
    }

    /// Hands on to history what it was not told yet: the program ends.
    fn keep_rest(&mut self, _store: &Store, _now: Timestamp) {}

    /// Something happened that somebody may be waiting for: nothing is to be held back for a while.
    fn stirred(&mut self) {}

    /// True when nothing happened for a while.
    fn is_calm(&self) -> bool {
        false
    }
}

impl<F: FnMut(Effect) + Send> Backend for F {
    fn perform(&mut self, effect: Effect) {
        self(effect);
    }
}

/// Where answers come from.
pub type Inbox = tokio::sync::mpsc::Receiver<Message>;
