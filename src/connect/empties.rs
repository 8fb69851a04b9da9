//! Lists of one status each: those that were empty are asked less often than those that hold something.

use hashbrown::HashMap;

use super::{PollReport, grid};
use crate::model::Fault;

/// A list that was empty is asked again after so long, in milliseconds, unless a row that belongs into it is met
/// before: what begins stands in the list of what is new, too.
const SPARED_MS: u64 = 9_000;

/// Lists by the live status of their rows, each with its place among all lists of its feed.
pub type Numbered = Vec<(u32, &'static str)>;

/// Which lists were empty.
#[derive(Debug, Default)]
pub struct Empties {
    /// When the round began in which each was found so, by the clock of [`grid`].
    since: HashMap<&'static str, u64>,
    /// When the last round began.
    round: u64,
}

impl Empties {
    /// Begins a round: the lists that are to be asked in it, and those that are spared. Never none is asked: that the
    /// service answers is known by nothing else.
    pub fn begin(&mut self, statuses: &[&'static str], all: bool) -> (Numbered, Numbered) {
        self.round = grid::now();
        let asked = self.due(statuses, all, self.round);
        (0..)
            .zip(statuses.iter().copied())
            .partition(|(_, status)| asked.contains(status))
    }

    fn due(&self, statuses: &[&'static str], all: bool, now: u64) -> Vec<&'static str> {
        let since = |status: &&'static str| self.since.get(*status).copied();
        let is_due =
            |status: &&&'static str| all || since(status).is_none_or(|at| at + SPARED_MS <= now);
        let mut asked: Vec<_> = statuses.iter().filter(is_due).copied().collect();
        if asked.is_empty() {
            asked.extend(statuses.iter().copied().min_by_key(since));
        }
        asked
    }

    /// Notes what a list held.
    pub fn found(&mut self, status: &'static str, is_empty: bool) {
        if is_empty {
            self.since.insert(status, self.round);
        } else {
            self.since.remove(status);
        }
    }

    /// Notes that a row was met which belongs into this list.
    pub fn met(&mut self, status: &str) {
        // in a storm none is empty
        if !self.since.is_empty() {
            self.since.remove(status);
        }
    }
}

/// What came of the lists that were asked; where they failed, of the `spared` ones, if there are any: one list that
/// fails is not the service.
///
/// # Errors
/// Those of the lists that were asked where none was spared, otherwise those of the spared ones.
pub async fn or_spared(
    asked: Result<PollReport, Fault>,
    none_spared: bool,
    spared: impl Future<Output = Result<PollReport, Fault>>,
) -> Result<PollReport, Fault> {
    match asked {
        Err(fault) if !none_spared => {
            let mut report = spared.await?;
            report.complete = false;
            report.partial.push(fault);
            Ok(report)
        }
        asked => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 3] = ["protecting", "restoring", "deleting"];

    #[test]
    fn empty_lists_are_spared_until_they_are_due_or_a_row_is_met() {
        let mut empties = Empties::default();
        assert_eq!(empties.due(&ALL, false, 0), ALL);
        empties
            .since
            .extend([("restoring", 100), ("deleting", 200)]);
        assert_eq!(empties.due(&ALL, false, 5_000), ["protecting"]);
        assert_eq!(empties.due(&ALL, true, 5_000), ALL);
        assert_eq!(empties.due(&ALL, false, 9_100), ["protecting", "restoring"]);
        empties.met("deleting");
        assert_eq!(empties.due(&ALL, false, 5_000), ["protecting", "deleting"]);
        empties.round = 7_000;
        empties.found("deleting", true);
        empties.found("restoring", false);
        assert!(!empties.since.contains_key("restoring"));
        assert_eq!(empties.since["deleting"], 7_000);
    }

    #[test]
    fn one_list_is_asked_where_all_are_empty() {
        let mut empties = Empties::default();
        empties
            .since
            .extend([("protecting", 300), ("restoring", 100), ("deleting", 200)]);
        assert_eq!(empties.due(&ALL, false, 5_000), ["restoring"]);
    }
}
