//! What the watchers tell.

use crate::connect::{Covers, Page, PollReport, TaskLook};
use crate::model::{Fault, Health, Rows, ServiceId, Timestamp};
use crate::store::Part;

/// The end of one round of one feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// What a complete round is the whole truth about.
    pub covers: Covers,
    /// How many missing tasks the connector looks up at once.
    pub looks_up: usize,
    /// How it ended.
    pub outcome: Result<PollReport, Fault>,
}

/// One message from the watchers to the owner of the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WatchEvent {
    /// A page of a feed.
    Page {
        /// Whose.
        service: ServiceId,
        /// Which list.
        feed: &'static str,
        /// Which page of it.
        number: u32,
        /// What it holds.
        page: Page,
    },
    /// A part of a long page: the rest follows at once.
    Part {
        /// Whose.
        service: ServiceId,
        /// Which list.
        feed: &'static str,
        /// Which page of it.
        number: u32,
        /// What this part holds.
        rows: Rows,
        /// Which tasks of the page these are.
        part: Part,
    },
    /// A round ended.
    Round {
        /// Whose.
        service: ServiceId,
        /// Which list.
        feed: &'static str,
        /// How.
        round: Box<Round>,
        /// When, by our clock.
        at: Timestamp,
    },
    /// Looks at single tasks ended.
    Looked {
        /// Whose.
        service: ServiceId,
        /// Which tasks, and what was found.
        looks: Vec<(String, Result<TaskLook, Fault>)>,
    },
    /// A service's health changed, or its newest answer is newer.
    Health {
        /// Whose.
        service: ServiceId,
        /// What it is now.
        health: Health,
    },
}

/// So many tasks are folded in at once.
pub(super) const AT_ONCE: usize = 256;

impl WatchEvent {
    /// The event, in pieces that take no longer to fold in than an eye takes to notice.
    pub fn pieces(self) -> impl Iterator<Item = Self> {
        let (short, long) = match self {
            Self::Page {
                service,
                feed,
                number,
                page: Page::Rows(rows),
            } if rows.tasks.len() > AT_ONCE => (None, Some((service, feed, number, rows))),
            other => (Some(other), None),
        };
        let parts = long.into_iter().flat_map(|(service, feed, number, rows)| {
            let Rows {
                devices,
                policies,
                tasks,
                bad,
            } = rows;
            let all = tasks.len();
            let mut first = Rows {
                devices,
                policies,
                bad,
                ..Rows::default()
            };
            let mut tasks = tasks.into_iter();
            (0..all).step_by(AT_ONCE).map(move |from| {
                let mut rows = std::mem::take(&mut first);
                rows.tasks = tasks.by_ref().take(AT_ONCE).collect();
                let is_last = from + AT_ONCE >= all;
                Self::Part {
                    service,
                    feed,
                    number,
                    rows,
                    part: Part { from, is_last },
                }
            })
        });
        short.into_iter().chain(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Device, Task};

    #[test]
    fn a_long_page_comes_in_pieces_and_nothing_is_lost() {
        let rows = |n: usize| Rows {
            devices: vec![Device::default()],
            tasks: (0..n)
                .map(|i| Task {
                    id: i.to_string(),
                    ..Task::default()
                })
                .collect(),
            ..Rows::default()
        };
        let page = |n| WatchEvent::Page {
            service: ServiceId(3),
            feed: "recent",
            number: 7,
            page: Page::Rows(rows(n)),
        };
        let short: Vec<_> = page(AT_ONCE).pieces().collect();
        assert_eq!(short, [page(AT_ONCE)]);
        let all = AT_ONCE * 2 + 1;
        let mut told = Rows::default();
        let mut ends = Vec::new();
        for piece in page(all).pieces() {
            let WatchEvent::Part {
                service: ServiceId(3),
                feed: "recent",
                number: 7,
                rows,
                part,
            } = piece
            else {
                panic!("{piece:?}");
            };
            assert_eq!(part.from, told.tasks.len());
            assert!(rows.tasks.len() <= AT_ONCE);
            told.devices.extend(rows.devices);
            told.tasks.extend(rows.tasks);
            ends.push(part.is_last);
        }
        assert_eq!(told, rows(all));
        assert_eq!(ends, [false, false, true]);
    }
}
