//! Questions to the history alone: opened to be read, times as people write them, things found by their names.

use std::sync::Arc;

use super::{open as open_history, say_notices, settings};
use crate::command::cli::{Common, On};
use crate::command::{Exit, output};
use crate::config::Config;
use crate::model::Timestamp;
use crate::query::Moment;
use crate::store::history::{Board, History, HistoryError, HistoryState, Sort, Subject, Window};

/// The history that is configured, and the configuration.
///
/// # Errors
/// A faulty configuration, history that is switched off or can't be read; it was said.
pub fn open(common: &Common) -> Result<(Arc<dyn History>, Config), Exit> {
    let settings = settings(common)?;
    Ok((open_configured(&settings)?, settings))
}

/// The history of this configuration.
///
/// # Errors
/// As [`open`], without a faulty configuration.
pub fn open_configured(settings: &Config) -> Result<Arc<dyn History>, Exit> {
    if settings.history.off {
        output::complain(&format!(
            "history is off ({}): there is nothing to tell; {}",
            settings.history.why_off(),
            settings.history.way_on()
        ));
        return Err(Exit::Usage);
    }
    if settings.services.is_empty() && !settings.history.named {
        output::complain(
            "no service is configured, and the past of the demo services is not kept. Name a file with --history, or \
             configure a service",
        );
        return Err(Exit::Usage);
    }
    let history = open_history(&settings.history, false);
    say_notices(&*history);
    if matches!(history.health().state, HistoryState::Failing { .. }) {
        return Err(Exit::Failure);
    }
    Ok(history)
}

/// A point in time as people write it.
///
/// # Errors
/// [`Exit::Usage`] when it is none; it was said.
pub fn moment(flag: &str, text: &str, now: Timestamp) -> Result<Timestamp, Exit> {
    match Moment::parse(text) {
        Some(moment) => Ok(moment.span(now).0),
        None => {
            output::complain(&format!(
                "{flag} {text}: expected a span (12h, 2d), a time (03:10), a date (2026-01-31) or both \
                 (2026-01-31T03:10, with Z for UTC)"
            ));
            Err(Exit::Usage)
        }
    }
}

/// What history knows under this name or id: subjects with the names people use. `text` may begin with a
/// service's name and a slash.
pub fn find(
    history: &dyn History,
    text: &str,
    on: Option<On>,
    only: &[String],
) -> Result<Vec<(Subject, String)>, HistoryError> {
    let now = Timestamp::now();
    // no tasks: they are found by their ids
    let board = history.board(None, now, 0)?;
    let mut found = Vec::new();
    for (number, known) in board.services.iter().enumerate() {
        let service = &*known.service.name;
        if !only.is_empty() && !only.iter().any(|name| name == service) {
            continue;
        }
        let prefix = format!("{service}/");
        let name = text.strip_prefix(&prefix).unwrap_or(text);
        parties(&board, number, name, on, &mut found);
        if on.is_none_or(|on| on == On::Task) {
            let subject = Subject::new(service, Sort::Task, name);
            let window = Window {
                limit: 1,
                ..Window::default()
            };
            if !history.timeline(&subject, &window)?.is_empty() {
                found.push((subject, name.to_owned()));
            }
        }
    }
    Ok(found)
}

fn parties(
    board: &Board,
    number: usize,
    name: &str,
    on: Option<On>,
    found: &mut Vec<(Subject, String)>,
) {
    let Some(service) = board.services.get(number).map(|s| &s.service.name) else {
        return;
    };
    let mut all: Vec<(Sort, &str, &str)> = Vec::new();
    if on.is_none_or(|on| on == On::Device) {
        let devices = board.devices.iter().filter(|d| d.service == number);
        all.extend(devices.map(|d| (Sort::Device, &*d.device.id, &*d.device.name)));
    }
    if on.is_none_or(|on| on == On::Policy) {
        let policies = board.policies.iter().filter(|p| p.service == number);
        all.extend(policies.map(|p| (Sort::Policy, &*p.policy.id, &*p.policy.name)));
    }
    let by_id = all.iter().any(|(_, id, _)| *id == name);
    for (sort, id, label) in all {
        if (by_id && id == name) || (!by_id && label == name) {
            found.push((Subject::new(&**service, sort, id), label.to_owned()));
        }
    }
}
