//! What was: an append-only log of events behind a small trait, kept in SQLite.
//!
//! The faces hand [`Event`]s to a [`History`] and ask it questions. Taking an event never waits
//! ([`History::record`]); what has to be on the disk before something else may happen is handed over with
//! [`History::save`], whose [`Saving`] ends when it is. Questions may take a while and are asked from a
//! thread that may wait.
//!
//! Every event carries an [`EventId`] that is unique across machines: the writer's UUID and a counter. Nothing
//! in the trait knows SQLite, files or processes, so that the log can live elsewhere.
//!
//! | file | answers |
//! | --- | --- |
//! | `event` | what can be told |
//! | `subject`, `service` | of what |
//! | `action`, `scrub` | what is kept of an action, with secrets out |
//! | `remark` | acknowledgements and notes |
//! | `timeline`, `tell` | the past of one subject, and its sentences |
//! | `board` | what was known at an instant |
//! | `recorder` | what has to be told after the live store changed |
//! | `health`, `saving` | whether it is written, and since when |
//! | `sqlite` | the log in a file |
//! | `off` | no log at all |

mod action;
mod board;
mod event;
mod health;
mod identity;
mod off;
mod recorder;
#[cfg(test)]
mod recorder_tests;
mod remark;
mod saving;
mod scrub;
mod service;
mod sqlite;
mod subject;
mod tell;
mod timeline;
mod words;

use std::fmt;

use uuid::Uuid;

use crate::model::Timestamp;

pub use action::{
    ActionHead, ActionQuery, ActionStep, ActionStory, KeptAction, KeptRequest, KeptTarget, ToldStep,
};
pub use board::{Board, BoardDevice, BoardPolicy, BoardService, BoardTask, How};
pub use event::{Event, EventId, PartySeen, PartyState, TaskSeen};
pub use health::{HistoryError, HistoryHealth, HistoryState, Place};
pub use identity::{Identity, WriterId};
pub use off::Off;
pub use recorder::{Recorder, Told};
pub use remark::{Remark, RemarkKind, RemarkQuery};
pub use saving::Saving;
pub use scrub::{HIDDEN, scrub_json, scrub_text};
pub use service::ServiceKey;
pub use sqlite::{Options, Sqlite};
pub use subject::{Sort, Subject};
pub use timeline::{Entry, Happened, Window};
pub use words::lasting;

/// An append-only log of what happened, and questions to it.
///
/// Questions wait for the disk: ask them from a thread that may wait. They see everything that was saved when
/// they began, and nothing half written.
pub trait History: Send + Sync + fmt::Debug {
    /// Takes events in their order and returns at once; they are saved as soon as may be. What can't be saved
    /// is held and tried again; [`History::health`] tells.
    fn record(&self, events: Vec<Event>);

    /// Takes events that have to be saved before something else may happen: ends when they and everything taken
    /// before them are, what an operator did or said safe from a crash of the machine too. When they can't be saved
    /// now they are not taken at all.
    fn save(&self, events: Vec<Event>) -> Saving;

    /// False when nothing is kept, so that nothing need be told.
    fn keeps(&self) -> bool {
        true
    }

    /// How many events were taken and are not saved yet: who has many to tell waits while this is large.
    fn waiting(&self) -> usize;

    /// Whether what is taken is saved.
    fn health(&self) -> HistoryHealth;

    /// The same as a place to wait at: moves when the state, the losses or the notices change.
    fn health_changes(&self) -> tokio::sync::watch::Receiver<HistoryHealth>;

    /// Who writes here.
    fn identity(&self) -> &Identity;

    /// Everything that happened to a subject within a window, oldest first. For a device or policy that
    /// includes what happened to its tasks; for a service everything on it.
    ///
    /// # Errors
    /// When the history can't be read.
    fn timeline(&self, subject: &Subject, window: &Window) -> Result<Vec<Entry>, HistoryError>;

    /// What happened anywhere within a window, oldest first.
    ///
    /// # Errors
    /// When the history can't be read.
    fn happened(&self, window: &Window) -> Result<Vec<Entry>, HistoryError>;

    /// What was known at an instant (`None`: the newest): services with the time of their last answer,
    /// devices, policies, and the tasks that were under way, needed a person, or ended or changed after
    /// `since`; at most `limit` tasks, the newest. Tasks that keepwatch learnt of later are told as their
    /// service's own times say ([`How::ToldLater`]).
    ///
    /// # Errors
    /// When the history can't be read.
    fn board(
        &self,
        at: Option<Timestamp>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Board, HistoryError>;

    /// Actions with all their steps, oldest first.
    ///
    /// # Errors
    /// When the history can't be read.
    fn actions(&self, query: &ActionQuery) -> Result<Vec<ActionStory>, HistoryError>;

    /// Actions of earlier runs that were on their way when their program ended, and that no running program
    /// follows. Each is given to one caller only: whoever gets it follows it from here.
    ///
    /// # Errors
    /// When the history can't be read or written.
    fn claim_open_actions(&self) -> Result<Vec<ActionStory>, HistoryError>;

    /// The same actions without taking them over: to be told of, not followed.
    ///
    /// # Errors
    /// When the history can't be read.
    fn open_actions(&self) -> Result<Vec<ActionStory>, HistoryError>;

    /// Acknowledgements and notes, oldest first.
    ///
    /// # Errors
    /// When the history can't be read.
    fn remarks(&self, query: &RemarkQuery) -> Result<Vec<Remark>, HistoryError>;

    /// Ends writing: everything taken so far is saved, as far as it can be, within a few seconds. Events
    /// handed over later are lost. Dropping does the same.
    fn close(&self);
}

/// A new id that sorts by the time of its making.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
