//! The board as history knew it at an instant.

use super::ask;
use crate::command::{Exit, output};
use crate::config::Config;
use crate::model::{Kind, Service, ServiceId, Timestamp};
use crate::store::Store;
use crate::store::history::lasting;

/// At most so many tasks, the newest.
const MOST: usize = 200_000;
/// Ended tasks are shown for so long, in milliseconds, where no service is asked for a longer past.
const REACH_MS: i64 = 7 * 86_400_000;

/// What was known at the time that `text` names, of the services named `only` or of all, with the instant.
///
/// # Errors
/// A time that is none or lies ahead, a history that can't be read; it was said.
pub fn board(text: &str, only: &[String], settings: &Config) -> Result<(Store, Timestamp), Exit> {
    let now = Timestamp::now();
    let at = ask::moment("--at", text, now)?;
    if at > now {
        output::complain(&format!("--at {text}: that lies ahead"));
        return Err(Exit::Usage);
    }
    let history = ask::open_configured(settings)?;
    let asked = settings.services.iter();
    let reach = asked.map(|s| i64::from(s.history_hours) * 3_600_000).max();
    let since = at.plus(-reach.unwrap_or(REACH_MS));
    let mut board = history.board(Some(at), since, MOST).map_err(|e| {
        output::complain(&e.to_string());
        Exit::Failure
    })?;
    let known = |n: usize| {
        board.tasks.iter().any(|t| t.service == n)
            || board.devices.iter().any(|d| d.service == n)
            || board.policies.iter().any(|p| p.service == n)
    };
    let mut services = Vec::new();
    for (number, found) in board.services.iter().enumerate() {
        let name = &found.service.name;
        let wanted = only.is_empty() || only.iter().any(|o| **o == **name);
        if wanted && (found.answered_at.is_some() || known(number)) {
            services.push(Service {
                id: ServiceId(u16::try_from(services.len()).unwrap_or(u16::MAX)),
                name: name.clone(),
                kind: Kind(lasting(&found.service.kind)),
                embedded: false,
                read_only: true,
            });
        }
    }
    let when = at.rfc3339();
    if services.is_empty() {
        output::complain(&format!("history knows nothing of {when}"));
        return Err(Exit::Failure);
    }
    output::complain(&format!("as it was known at {when}; no service was asked"));
    if board.cut {
        output::complain(&format!("the newest {MOST} tasks are taken"));
    }
    board.at = Some(at);
    let mut store = Store::new(services);
    store.remember(board, &[]);
    Ok((store, at))
}
