//! Asking each service on its own schedule and telling what came of it.
//!
//! Every feed of every service is a task of its own: a slow history never delays what runs now, and a
//! service that is down costs the others nothing. Pages and results go through one bounded channel to
//! whoever owns the [`Store`](crate::store::Store); [`fold()`] puts them there, the same way for both faces.

mod calm;
mod collect;
mod event;
mod feed;
mod fold;
mod handle;
mod health;
mod look_ups;
mod pace;

use std::sync::Arc;

pub use calm::Calm;
pub use collect::{Want, collect};
pub use event::{Round, WatchEvent};
pub use fold::{Folded, fold};
pub use handle::{WatchHandle, spawn};
pub use pace::pause;

use crate::connect::Connector;
use crate::model::{RecordsFrom, Service};

/// A configured service with its connector.
#[derive(Clone)]
pub struct Watched {
    /// Name, kind, number.
    pub service: Service,
    /// The way to it.
    pub connector: Arc<dyn Connector>,
    /// How far back history is wanted on the first round, in milliseconds.
    pub history_ms: i64,
    /// Milliseconds between rounds: replaces every feed's own intervals where given.
    pub every_ms: Option<u64>,
    /// From when on the store keeps records of tasks.
    pub records_from: RecordsFrom,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
