//! History as commands use it: opened as configured, told what a round saw, and read.

pub mod ask;
pub mod at;
pub mod audit;
pub mod resume;
pub mod timeline;

use std::sync::Arc;

use crate::config::{Config, HistoryConfig};
use crate::model::Timestamp;
use crate::store::Store;
use crate::store::history::{Event, History, HistoryState, Off, Options, Place, Recorder, Sqlite};

use super::cli::Common;
use super::services::configured;
use super::{Exit, output};

/// So many rows are told at once.
const AT_ONCE: usize = 4_000;

/// The configuration, with what the command line says of history on top.
///
/// # Errors
/// [`Exit::Usage`] when it is faulty.
pub fn settings(common: &Common) -> Result<Config, Exit> {
    let mut config = configured(common.config.as_deref())?;
    if common.no_history {
        config.history.off = true;
        config.history.off_by_flag = true;
    }
    if let Some(file) = &common.history {
        config.history.off = false;
        config.history.path = Some(file.clone());
        config.history.named = true;
    }
    Ok(config)
}

/// Opens the history that is configured. The demo services' past is made up anew at every start: it is kept in
/// memory and never mixes with the real one, unless a file was named on the command line.
pub fn open(config: &HistoryConfig, embedded: bool) -> Arc<dyn History> {
    match options(config, embedded) {
        Some(options) => Arc::new(Sqlite::open(options)),
        None => Arc::new(Off::because(config.why_off())),
    }
}

/// The same without waiting for the disk.
pub fn begin(config: &HistoryConfig, embedded: bool) -> Arc<dyn History> {
    match options(config, embedded) {
        Some(options) => Arc::new(Sqlite::begin(options)),
        None => Arc::new(Off::because(config.why_off())),
    }
}

/// Where history is kept and how much of it; `None` when it is switched off.
fn options(config: &HistoryConfig, embedded: bool) -> Option<Options> {
    if config.off {
        return None;
    }
    let place = match config.file() {
        Some(file) if !embedded || config.named => Place::File(file),
        _ => Place::Memory,
    };
    Some(Options {
        place,
        keep_days: config.keep_days,
        keep_actions_days: config.keep_actions_days,
        max_bytes: config.max_size,
        ..Options::memory()
    })
}

/// Says on standard error what the person has to know of it.
pub fn say_notices(history: &dyn History) {
    let health = history.health();
    for notice in health.notices {
        output::complain(&notice);
    }
    if let HistoryState::Failing { error, .. } = health.state {
        output::complain(&error.to_string());
    }
}

/// Tells history everything that one round saw, and says when it can't be written. `whole`: the round asked for
/// everything; after another one the rest is as old as it was. Must not be called from within the runtime.
pub fn keep_all(store: &Store, history: &dyn History, whole: bool) {
    let mut recorder = Recorder::default();
    let now = Timestamp::now();
    loop {
        let mut events = recorder.take(store, now, AT_ONCE);
        if events.is_empty() {
            return;
        }
        events.retain(|event| whole || !matches!(event, Event::Answered { .. }));
        if let Err(error) = history.save(events).wait() {
            output::complain(&error.to_string());
            return;
        }
    }
}
