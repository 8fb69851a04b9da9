//! What is known of a service as a whole.

use super::bits::Bits;
use crate::model::{BadRow, Fault, Health, Phase, Service, Timestamp};

/// At most so many unreadable rows are kept of one service.
pub(super) const BAD_KEPT: usize = 100;

/// A clock that is this far off, in milliseconds, makes times of tasks misleading.
const CLOCK_OFF_MS: i64 = 30_000;

/// A service with its health and the state of its feeds.
#[derive(Debug)]
pub struct ServiceState {
    /// What the user called it and what it is.
    pub service: Service,
    /// How it answers.
    pub health: Health,
    /// Its last answer in an earlier run, where history knows one.
    pub known_at: Option<Timestamp>,
    /// How far its clock is ahead of ours, in milliseconds; `None` until an answer told.
    pub clock_offset_ms: Option<i64>,
    /// Its feeds, in the order in which they first answered.
    pub feeds: Vec<FeedState>,
    /// Tasks held of it, by phase (index: [`Phase`] as a number).
    pub phases: [u32; 9],
    /// Missing tasks of rows below this were named last, to be looked up.
    pub(super) named_below: u32,
    /// So many missing tasks are named in a round.
    pub(super) most_named: usize,
}

/// A feed of a service.
#[derive(Debug)]
pub struct FeedState {
    /// Its id.
    pub id: &'static str,
    /// When a round last ended.
    pub last_round: Option<Timestamp>,
    /// When a complete round last ended: what it covers is the whole truth as of then.
    pub last_complete: Option<Timestamp>,
    /// Parts that failed in the last round while the rest came.
    pub partial: Vec<Fault>,
    /// How many rounds have ended.
    pub(super) rounds: u32,
    /// True when its complete rounds are the whole truth about failed tasks.
    pub(super) lists_failed: bool,
    pub(super) pages: Vec<PageState>,
    pub(super) tasks: Seen,
    pub(super) devices: Seen,
    pub(super) policies: Seen,
}

/// A page of a feed as it came last.
#[derive(Debug, Default)]
pub(super) struct PageState {
    pub(super) number: u32,
    pub(super) seen: bool,
    pub(super) tasks: Vec<u32>,
    pub(super) devices: Vec<u32>,
    pub(super) policies: Vec<u32>,
    pub(super) bad: Vec<BadRow>,
}

/// Rows of one noun that a feed has shown.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// In this round.
    pub(super) now: Bits,
    /// In earlier rounds, and not missed since.
    pub(super) held: Bits,
}

impl Seen {
    /// The feed shows the row in this round; true when it did not show it before.
    pub(super) fn show(&mut self, row: u32) -> bool {
        let first = !self.has(row);
        self.now.insert(row);
        first
    }

    /// True when the feed shows the row, as far as is known.
    pub(super) fn has(&self, row: u32) -> bool {
        self.now.has(row) || self.held.has(row)
    }
}

impl FeedState {
    pub(super) fn new(id: &'static str) -> Self {
        Self {
            id,
            last_round: None,
            last_complete: None,
            partial: Vec::new(),
            rounds: 0,
            lists_failed: false,
            pages: Vec::new(),
            tasks: Seen::default(),
            devices: Seen::default(),
            policies: Seen::default(),
        }
    }

    /// True once what it shows for the first time is news, not the start.
    pub(super) const fn is_settled(&self) -> bool {
        self.last_complete.is_some() || self.rounds >= 2
    }

    /// The state of a page.
    pub(super) fn page(&mut self, number: u32) -> &mut PageState {
        let at = match self.pages.binary_search_by_key(&number, |p| p.number) {
            Ok(at) => at,
            Err(at) => {
                let page = PageState {
                    number,
                    ..PageState::default()
                };
                self.pages.insert(at, page);
                at
            }
        };
        &mut self.pages[at]
    }

    /// The unreadable rows of its last answers.
    pub fn bad_rows(&self) -> impl Iterator<Item = &BadRow> {
        self.pages.iter().flat_map(|p| &p.bad)
    }
}

impl ServiceState {
    pub(super) fn new(service: Service) -> Self {
        Self {
            service,
            health: Health::Connecting,
            known_at: None,
            clock_offset_ms: None,
            feeds: Vec::new(),
            phases: [0; 9],
            named_below: 0,
            most_named: super::rounds::MISSING,
        }
    }

    /// True when the service's clock is so far off that times of tasks mislead.
    #[must_use]
    pub fn is_clock_off(&self) -> bool {
        self.clock_offset_ms
            .is_some_and(|off| off.abs() > CLOCK_OFF_MS)
    }

    /// The feed with this id; a new one when it has not answered before.
    pub(super) fn feed_mut(&mut self, id: &'static str) -> &mut FeedState {
        let at = match self.feeds.iter().position(|f| f.id == id) {
            Some(at) => at,
            None => {
                self.feeds.push(FeedState::new(id));
                self.feeds.len() - 1
            }
        };
        &mut self.feeds[at]
    }

    /// The feed with this id, once it answered.
    #[must_use]
    pub fn feed(&self, id: &str) -> Option<&FeedState> {
        self.feeds.iter().find(|f| f.id == id)
    }

    /// How many tasks of it stand in this phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase) -> u32 {
        self.phases.get(phase as usize).copied().unwrap_or(0)
    }

    /// Rows that could not be read, with their feeds (at most a hundred are kept).
    pub fn bad_rows(&self) -> impl Iterator<Item = (&'static str, &BadRow)> {
        self.feeds
            .iter()
            .flat_map(|f| f.bad_rows().map(|b| (f.id, b)))
    }

    /// Parts that failed in the last rounds while the rest came, with their feeds.
    pub fn partial(&self) -> impl Iterator<Item = (&'static str, &Fault)> {
        self.feeds
            .iter()
            .flat_map(|f| f.partial.iter().map(|p| (f.id, p)))
    }
}
