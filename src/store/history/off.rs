//! No history: everything is taken and nothing is kept.

use tokio::sync::watch;

use super::{
    ActionQuery, ActionStory, Board, Entry, Event, History, HistoryError, HistoryHealth,
    HistoryState, Identity, Place, Remark, RemarkQuery, Saving, Subject, Window,
};
use crate::model::Timestamp;

/// A history that keeps nothing, for those who switched it off.
#[derive(Debug)]
pub struct Off {
    identity: Identity,
    health: watch::Sender<HistoryHealth>,
}

impl Default for Off {
    fn default() -> Self {
        Self::because("nothing was named to keep it in")
    }
}

impl Off {
    /// Switched off for this reason.
    #[must_use]
    pub fn because(why: &'static str) -> Self {
        let health = HistoryHealth {
            place: Place::Off(why),
            state: HistoryState::Off,
            waiting: 0,
            saved_at: None,
            lost: 0,
            notices: Vec::new(),
        };
        Self {
            identity: Identity::of_this_process(),
            health: watch::Sender::new(health),
        }
    }
}

impl History for Off {
    fn record(&self, _: Vec<Event>) {}

    fn save(&self, _: Vec<Event>) -> Saving {
        Saving::known(Ok(()))
    }

    fn keeps(&self) -> bool {
        false
    }

    fn waiting(&self) -> usize {
        0
    }

    fn health(&self) -> HistoryHealth {
        self.health.borrow().clone()
    }

    fn health_changes(&self) -> watch::Receiver<HistoryHealth> {
        self.health.subscribe()
    }

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn timeline(&self, _: &Subject, _: &Window) -> Result<Vec<Entry>, HistoryError> {
        Ok(Vec::new())
    }

    fn happened(&self, _: &Window) -> Result<Vec<Entry>, HistoryError> {
        Ok(Vec::new())
    }

    fn board(&self, at: Option<Timestamp>, _: Timestamp, _: usize) -> Result<Board, HistoryError> {
        Ok(Board {
            at,
            ..Board::default()
        })
    }

    fn actions(&self, _: &ActionQuery) -> Result<Vec<ActionStory>, HistoryError> {
        Ok(Vec::new())
    }

    fn open_actions(&self) -> Result<Vec<ActionStory>, HistoryError> {
        Ok(Vec::new())
    }

    fn claim_open_actions(&self) -> Result<Vec<ActionStory>, HistoryError> {
        Ok(Vec::new())
    }

    fn remarks(&self, _: &RemarkQuery) -> Result<Vec<Remark>, HistoryError> {
        Ok(Vec::new())
    }

    fn close(&self) {}
}
