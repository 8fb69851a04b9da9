//! What history knew, taken into a round that a command made.

use crate::model::{Health, Task, Timestamp};
use crate::store::history::{Board, History, HistoryError, Remark, RemarkQuery, Sort};
use crate::store::{NIGHTS, Store};

use super::output;
use super::services::Services;

/// At most so many tasks come out of history, the newest.
const MOST: usize = 200_000;
const DAY_MS: i64 = 86_400_000;

/// How far back is looked for the nights that are shown.
pub const REACH_MS: i64 = (NIGHTS as i64 + 1) * DAY_MS;

/// Everything that was said about tasks, oldest first.
///
/// # Errors
/// When history can't be read.
pub fn remarks(history: &dyn History) -> Result<Vec<Remark>, HistoryError> {
    history.remarks(&RemarkQuery {
        sort: Some(Sort::Task),
        ..RemarkQuery::default()
    })
}

/// Tells the store what people said about tasks; complains when that can't be read.
pub fn take_remarks(store: &mut Store, history: &dyn History, now: Timestamp) {
    match remarks(history) {
        Ok(remarks) => store.set_remarks(&remarks, now),
        Err(e) => output::complain(&format!("acknowledgements and notes are not known: {e}")),
    }
}

/// Tells the store what ended in the last nights and no service lists any more, what services that don't answer
/// had, and what people said. `wanted`: which of the tasks. Must not be called from within the runtime.
pub fn take_in(
    store: &mut Store,
    services: &Services,
    history: &dyn History,
    now: Timestamp,
    wanted: impl Fn(&Task) -> bool,
) {
    match history.board(None, now.plus(-REACH_MS), MOST) {
        Ok(board) => {
            let feeds: Vec<Vec<&'static str>> = services
                .watched
                .iter()
                .map(|w| w.connector.feeds().iter().map(|f| f.id).collect())
                .collect();
            let mut board = of_the_past(board, store);
            board.tasks.retain(|t| wanted(&t.task));
            store.remember(board, &feeds);
        }
        Err(e) => output::complain(&format!("the past is not known: {e}")),
    }
    take_remarks(store, history, now);
}

/// Without what may have changed since: what was under way, and what services list that answered now.
fn of_the_past(mut board: Board, store: &Store) -> Board {
    let answered: Vec<bool> = board
        .services
        .iter()
        .map(|known| {
            let mut all = store.services().iter();
            let state = all.find(|s| *s.service.name == *known.service.name);
            state.is_none_or(|s| matches!(s.health, Health::Fresh { .. }))
        })
        .collect();
    let silent = |n: usize| answered.get(n) == Some(&false);
    board.tasks.retain(|t| t.task.phase.is_over());
    board.devices.retain(|d| silent(d.service));
    board.policies.retain(|p| silent(p.service));
    board
}
