//! Waiting until something is on the disk.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::HistoryError;

/// Ends when what was handed over is on the disk, or can't be put there. Await it, or [`Saving::wait`] for it in a
/// thread that may wait. Dropping it changes nothing: the events are saved all the same.
#[derive(Debug)]
#[must_use = "nothing is known to be saved before this ends"]
pub struct Saving(State);

#[derive(Debug)]
enum State {
    Known(Option<Result<(), HistoryError>>),
    Waiting(oneshot::Receiver<Result<(), HistoryError>>),
}

/// The writer's end.
pub(super) type Done = oneshot::Sender<Result<(), HistoryError>>;

impl Saving {
    /// Already known.
    pub(super) const fn known(result: Result<(), HistoryError>) -> Self {
        Self(State::Known(Some(result)))
    }

    /// To be told.
    pub(super) fn pair() -> (Done, Self) {
        let (done, wait) = oneshot::channel();
        (done, Self(State::Waiting(wait)))
    }

    /// Waits. Must not be called from within an async task.
    ///
    /// # Errors
    /// Why it could not be saved.
    pub fn wait(self) -> Result<(), HistoryError> {
        match self.0 {
            State::Known(result) => result.unwrap_or_else(|| Err(ended())),
            State::Waiting(wait) => wait.blocking_recv().unwrap_or_else(|_| Err(ended())),
        }
    }
}

impl Future for Saving {
    type Output = Result<(), HistoryError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(result) => Poll::Ready(result.take().unwrap_or_else(|| Err(ended()))),
            State::Waiting(wait) => Pin::new(wait)
                .poll(cx)
                .map(|told| told.unwrap_or_else(|_| Err(ended()))),
        }
    }
}

fn ended() -> HistoryError {
    HistoryError::new("history ended before it was saved", "")
}
