//! How much is on its way to the terminal. A terminal at the end of a slow link is far behind what was written:
//! buffers along the way take everything at once and hand it on at their own pace. So the terminal is asked a
//! question behind a frame now and then, and until the answer is back little more is sent: what happens meanwhile
//! becomes one frame, the newest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The question: primary device attributes, which every terminal answers (ECMA-48 DA).
pub const QUESTION: &[u8] = b"\x1b[c";
/// A question is asked after so many bytes.
const STRIDE: u64 = 512;
/// So many bytes may be on their way before a frame waits: at 2 kB/s, a second of it.
const WINDOW: u64 = 2_048;
/// How long an answer is waited for from a terminal that has answered before.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long at the end, when nothing more is to be drawn.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// How long from one that has not yet.
const FIRST_PATIENCE: Duration = Duration::from_millis(250);
/// After so many questions without any answer there will be none.
const MUTE: u32 = 8;

/// The bytes between us and the terminal.
#[derive(Debug, Default)]
pub struct Link {
    written: u64,
    /// Up to which byte the terminal is known to have read.
    read: u64,
    /// For every question that is not answered yet: the bytes written with it.
    open: VecDeque<u64>,
    /// When something was last asked or answered.
    heard: Option<Instant>,
    answers: bool,
    /// Questions in a row that were given up.
    given_up: u32,
}

impl Link {
    /// A frame of so many bytes is about to go out; true when [`QUESTION`] should follow it.
    pub fn asks(&mut self, bytes: usize, now: Instant) -> bool {
        self.written += bytes as u64;
        let asked = self.open.back().copied().unwrap_or(self.read);
        if self.given_up >= MUTE || self.written - asked < STRIDE {
            return false;
        }
        if self.open.is_empty() {
            self.heard = Some(now);
        }
        self.written += QUESTION.len() as u64;
        self.open.push_back(self.written);
        true
    }

    /// The terminal answered.
    pub fn answered(&mut self, now: Instant) {
        // more answers than questions: somebody else asked
        if let Some(read) = self.open.pop_front() {
            self.read = read;
        }
        self.heard = Some(now);
        self.answers = true;
        self.given_up = 0;
    }

    /// How long the next frame waits unless an answer comes; `None` when it needn't.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        if self.open.is_empty() || self.written - self.read <= WINDOW {
            return None;
        }
        let patience = if self.answers {
            PATIENCE
        } else {
            FIRST_PATIENCE
        };
        let waited = self
            .heard
            .map_or(patience, |at| now.saturating_duration_since(at));
        patience.checked_sub(waited).filter(|left| !left.is_zero())
    }

    /// How long an answer may still take to come; `None` when none is due.
    #[must_use]
    pub fn expected(&self, now: Instant) -> Option<Duration> {
        if self.open.is_empty() {
            return None;
        }
        let patience = if self.answers {
            LAST_PATIENCE
        } else {
            FIRST_PATIENCE
        };
        let waited = self
            .heard
            .map_or(patience, |at| now.saturating_duration_since(at));
        patience.checked_sub(waited).filter(|left| !left.is_zero())
    }

    /// A frame goes out although nothing was answered in time: what is asked is given up.
    pub fn give_up_late(&mut self, now: Instant) {
        if !self.open.is_empty() && self.written - self.read > WINDOW && self.wait(now).is_none() {
            self.forget();
            self.given_up += 1;
            self.answers = false;
        }
    }

    /// Nothing is known any more: the program was stopped, or somebody else used the terminal.
    pub fn forget(&mut self) {
        self.open.clear();
        self.read = self.written;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 3_000;

    #[test]
    fn small_frames_ask_nothing_and_wait_for_nothing() {
        let (mut link, now) = (Link::default(), Instant::now());
        assert!(!link.asks(60, now));
        assert_eq!(link.wait(now), None);
        let asked = (0..20).filter(|_| link.asks(60, now)).count();
        assert_eq!(asked, 2, "one question for every 512 bytes");
    }

    #[test]
    fn a_frame_waits_until_the_one_before_has_been_read() {
        let (mut link, now) = (Link::default(), Instant::now());
        assert!(link.asks(FRAME, now));
        assert_eq!(link.wait(now), Some(FIRST_PATIENCE));
        link.answered(now);
        assert_eq!(link.wait(now), None);
        assert!(link.asks(FRAME, now));
        assert_eq!(link.wait(now), Some(PATIENCE));
        let later = now + PATIENCE;
        assert_eq!(link.wait(later), None, "nothing waits for ever");
        link.give_up_late(later);
        assert_eq!(link.expected(later), None);
    }

    #[test]
    fn keys_are_answered_while_little_is_on_its_way() {
        let (mut link, now) = (Link::default(), Instant::now());
        link.asks(FRAME, now);
        link.answered(now);
        for _ in 0..3 {
            link.asks(600, now);
            assert_eq!(link.wait(now), None);
        }
        link.asks(600, now);
        assert!(link.wait(now).is_some());
        link.answered(now);
        assert_eq!(link.wait(now), None, "what is on its way has become less");
    }

    #[test]
    fn a_terminal_that_never_answers_is_asked_no_more() {
        let (mut link, mut now) = (Link::default(), Instant::now());
        let mut asked = 0;
        for _ in 0..100 {
            link.give_up_late(now);
            asked += u32::from(link.asks(FRAME, now));
            now += FIRST_PATIENCE;
        }
        assert_eq!(asked, MUTE);
        assert_eq!(link.wait(now), None);
        link.answered(now);
        assert!(link.asks(FRAME, now), "a late answer counts");
    }
}
