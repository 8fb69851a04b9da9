//! One service's health out of the results of its feeds.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Fault, FaultKind, Health, Timestamp};

/// The newest result of each feed of one service.
#[derive(Debug, Default)]
pub struct Pulse {
    feeds: BTreeMap<&'static str, Last>,
    last_ok: Option<Timestamp>,
    down_since: Option<Timestamp>,
    overdue: bool,
    /// Feeds of which broken answers came since the last good answer of any.
    broken: BTreeSet<&'static str>,
    /// When the others were asked out of turn the last time.
    doubted: Option<Timestamp>,
}

/// So long lies between two rounds out of turn, in milliseconds.
const DOUBTS_MS: i64 = 60_000;

/// How the newest round of a feed ended.
#[derive(Debug)]
enum Last {
    Ok,
    Failed {
        fault: Fault,
        next_try: Option<Timestamp>,
    },
}

impl Pulse {
    /// A round of `feed` was answered at `at`.
    pub fn answered(&mut self, feed: &'static str, at: Timestamp) {
        self.feeds.insert(feed, Last::Ok);
        self.overdue = false;
        self.broken.clear();
        self.last_ok = Some(self.last_ok.map_or(at, |t| t.max(at)));
    }

    /// A round of `feed` had nothing to ask the service for: nothing is known of how that went.
    pub fn unasked(&mut self, feed: &'static str) {
        self.feeds.remove(feed);
    }

    /// A round of `feed` failed at `at`; the next try is at `next_try`.
    pub fn failed(
        &mut self,
        feed: &'static str,
        fault: Fault,
        at: Timestamp,
        next_try: Option<Timestamp>,
    ) {
        if is_broken(&fault) {
            self.broken.insert(feed);
        }
        self.feeds.insert(feed, Last::Failed { fault, next_try });
        self.down_since.get_or_insert(at);
    }

    /// Feeds whose newest round failed.
    pub fn failing(&self) -> Vec<&'static str> {
        let failed = |l: &Last| matches!(l, Last::Failed { .. });
        let failing = self.feeds.iter().filter(|(_, l)| failed(l));
        failing.map(|(feed, _)| *feed).collect()
    }

    /// Feeds to be asked now, out of their turn: when broken answers came of two others and no good one since, it is
    /// soon to be known whether the whole service is broken or a part of it.
    pub fn doubts(&mut self, at: Timestamp) -> Vec<&'static str> {
        let lately = self.doubted.is_some_and(|t| at.since(t) < DOUBTS_MS);
        if self.broken.len() < 2 || lately {
            return Vec::new();
        }
        let good = self.feeds.iter().filter(|(_, l)| matches!(l, Last::Ok));
        let good: Vec<_> = good.map(|(feed, _)| *feed).collect();
        if !good.is_empty() {
            self.doubted = Some(at);
        }
        good
    }

    /// Answers should have come by now: so long after the last one several rounds were missed.
    pub fn overdue(&mut self) {
        self.overdue = true;
    }

    /// Fresh or stale, or connecting before the first answer.
    fn calm(&self) -> Health {
        match self.last_ok {
            None => Health::Connecting,
            Some(since) if self.overdue => Health::Stale { since },
            Some(since) => Health::Fresh { since },
        }
    }

    /// The service's health: fresh while any feed is answered, limited when the service throttles,
    /// down when every feed that was asked failed. One refused list beside good ones is no outage: it is
    /// told as a fault of that list. When nothing but broken answers came for a while, feeds that are asked
    /// seldom and were answered before do not speak for the service.
    pub fn health(&mut self) -> Health {
        let mut worst: Option<(&Fault, Option<Timestamp>)> = None;
        let mut answered = 0_usize;
        let mut limited_until: Option<Timestamp> = None;
        let mut soonest: Option<Timestamp> = None;
        for last in self.feeds.values() {
            match last {
                Last::Ok => answered += 1,
                Last::Failed { fault, next_try } => {
                    soonest = soonest.into_iter().chain(*next_try).min();
                    if fault.kind == FaultKind::Limited {
                        limited_until = limited_until.max(*next_try);
                    }
                    let heavier = worst.is_none_or(|(w, _)| weight(fault.kind) > weight(w.kind));
                    if heavier {
                        worst = Some((fault, *next_try));
                    }
                }
            }
        }
        let Some((fault, next_try)) = worst else {
            self.down_since = None;
            return self.calm();
        };
        if let Some(until) = limited_until {
            return Health::Limited {
                last_ok: self.last_ok,
                until,
            };
        }
        // a fault that concerns the whole service outweighs feeds that were answered a moment before
        let whole = matches!(
            fault.kind,
            FaultKind::Unreachable | FaultKind::Tls | FaultKind::Timeout | FaultKind::Auth
        );
        let only_broken = self.overdue && is_broken(fault);
        if answered > 0 && !whole && !only_broken {
            self.down_since = None;
            return self.calm();
        }
        Health::Down {
            since: self.down_since.or(self.last_ok).unwrap_or_default(),
            last_ok: self.last_ok,
            // any answer tells that it is back, unless nothing is tried until a person mends it
            next_try: next_try.and(soonest),
            fault: fault.clone(),
        }
    }
}

/// The service was reached, and what it said is no answer.
const fn is_broken(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Server | FaultKind::Garbled)
}

/// Which of several faults tells the person most.
const fn weight(kind: FaultKind) -> u8 {
    match kind {
        FaultKind::Auth => 9,
        FaultKind::Tls => 8,
        FaultKind::Unreachable => 7,
        FaultKind::Timeout => 6,
        FaultKind::Server => 5,
        FaultKind::Garbled => 4,
        FaultKind::Limited => 3,
        FaultKind::Refused => 2,
        FaultKind::Config => 1,
        FaultKind::NotOffered => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "x", "", "")
    }

    #[test]
    fn connecting_until_the_first_answer() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.health(), Health::Connecting);
        pulse.answered("running", Timestamp(5));
        assert_eq!(
            pulse.health(),
            Health::Fresh {
                since: Timestamp(5)
            }
        );
    }

    #[test]
    fn an_overdue_answer_makes_it_stale_until_the_next_one() {
        let mut pulse = Pulse::default();
        pulse.answered("running", Timestamp(5));
        pulse.overdue();
        assert_eq!(
            pulse.health(),
            Health::Stale {
                since: Timestamp(5)
            }
        );
        pulse.answered("running", Timestamp(9));
        assert_eq!(
            pulse.health(),
            Health::Fresh {
                since: Timestamp(9)
            }
        );
    }

    #[test]
    fn one_refused_list_is_no_outage_but_a_closed_port_is() {
        let mut pulse = Pulse::default();
        pulse.answered("running", Timestamp(5));
        pulse.failed("failed", fault(FaultKind::Refused), Timestamp(6), None);
        assert_eq!(
            pulse.health(),
            Health::Fresh {
                since: Timestamp(5)
            }
        );
        pulse.failed(
            "running",
            fault(FaultKind::Unreachable),
            Timestamp(9),
            Some(Timestamp(11)),
        );
        let Health::Down {
            since,
            last_ok,
            next_try,
            ..
        } = pulse.health()
        else {
            unreachable!("the port is closed");
        };
        assert_eq!(
            (since, last_ok, next_try),
            (Timestamp(9), Some(Timestamp(5)), Some(Timestamp(11)))
        );
    }

    #[test]
    fn a_service_of_which_only_broken_answers_come_is_down_whatever_was_answered_before() {
        for (kind, is_down) in [
            (FaultKind::Server, true),
            (FaultKind::Garbled, true),
            (FaultKind::Refused, false),
        ] {
            let mut pulse = Pulse::default();
            pulse.answered("policies", Timestamp(5));
            pulse.answered("running", Timestamp(6));
            pulse.failed("running", fault(kind), Timestamp(9), Some(Timestamp(11)));
            assert!(matches!(pulse.health(), Health::Fresh { .. }));
            pulse.overdue();
            let down = matches!(pulse.health(), Health::Down { .. });
            assert_eq!(down, is_down, "{kind:?}");
            pulse.answered("policies", Timestamp(30));
            assert!(matches!(pulse.health(), Health::Fresh { .. }));
        }
    }

    #[test]
    fn two_broken_feeds_make_the_others_be_asked_once_in_a_while() {
        let mut pulse = Pulse::default();
        for feed in ["running", "failed", "policies", "devices"] {
            pulse.answered(feed, Timestamp(5));
        }
        pulse.failed("running", fault(FaultKind::Server), Timestamp(6), None);
        assert_eq!(pulse.doubts(Timestamp(6)), Vec::<&str>::new());
        // another sort of trouble says more of that list than of the service
        pulse.failed("policies", fault(FaultKind::Refused), Timestamp(7), None);
        assert_eq!(pulse.doubts(Timestamp(7)), Vec::<&str>::new());
        pulse.failed("failed", fault(FaultKind::Garbled), Timestamp(8), None);
        assert_eq!(pulse.doubts(Timestamp(8)), ["devices"]);
        assert_eq!(pulse.doubts(Timestamp(9)), Vec::<&str>::new());
        pulse.failed("devices", fault(FaultKind::Server), Timestamp(10), None);
        assert!(matches!(pulse.health(), Health::Down { .. }));
        // a good answer in between: one more list that breaks says nothing
        pulse.answered("devices", Timestamp(70_000));
        pulse.failed("running", fault(FaultKind::Server), Timestamp(70_001), None);
        assert_eq!(pulse.doubts(Timestamp(70_002)), Vec::<&str>::new());
        pulse.failed("failed", fault(FaultKind::Server), Timestamp(70_003), None);
        assert_eq!(pulse.doubts(Timestamp(70_003)), ["devices"]);
    }

    #[test]
    fn the_next_try_is_the_soonest_of_any_feed() {
        let mut pulse = Pulse::default();
        let server = || fault(FaultKind::Server);
        pulse.failed("a", server(), Timestamp(10), Some(Timestamp(60)));
        pulse.failed("b", server(), Timestamp(11), Some(Timestamp(20)));
        let next = |pulse: &mut Pulse| match pulse.health() {
            Health::Down { next_try, .. } => next_try,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(next(&mut pulse), Some(Timestamp(20)));
        assert_eq!(pulse.failing(), ["a", "b"]);
        // a refused login waits for a person
        pulse.failed("a", fault(FaultKind::Auth), Timestamp(12), None);
        assert_eq!(next(&mut pulse), None);
    }

    #[test]
    fn throttling_is_said_with_its_end() {
        let mut pulse = Pulse::default();
        pulse.answered("running", Timestamp(5));
        pulse.failed(
            "failed",
            fault(FaultKind::Limited),
            Timestamp(6),
            Some(Timestamp(36)),
        );
        assert_eq!(
            pulse.health(),
            Health::Limited {
                last_ok: Some(Timestamp(5)),
                until: Timestamp(36)
            }
        );
    }

    #[test]
    fn down_since_is_kept_over_repeated_failures_and_forgotten_after_an_answer() {
        let mut pulse = Pulse::default();
        pulse.failed("a", fault(FaultKind::Server), Timestamp(10), None);
        pulse.failed("a", fault(FaultKind::Server), Timestamp(20), None);
        assert!(matches!(
            pulse.health(),
            Health::Down {
                since: Timestamp(10),
                ..
            }
        ));
        pulse.answered("a", Timestamp(30));
        let _ = pulse.health();
        pulse.failed("a", fault(FaultKind::Server), Timestamp(40), None);
        assert!(matches!(
            pulse.health(),
            Health::Down {
                since: Timestamp(40),
                ..
            }
        ));
    }
}
