//! One sentence for the operator, for a few seconds.

use crate::model::Timestamp;

/// How long a sentence stands: long enough to be read.
const SHORTEST_MS: i64 = 4_000;
/// Each character adds so much.
const PER_CHAR_MS: i64 = 60;

/// A key pressed sooner than this was on its way before the sentence was there.
const SEEN_MS: i64 = 700;

/// What a sentence is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// It went well.
    Good,
    /// Worth knowing.
    Plain,
    /// It could not be done, or needs a look.
    Warning,
    /// It failed.
    Bad,
}

/// One sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// The sentence.
    pub text: String,
    /// What it is about.
    pub tone: Tone,
    /// When it was said.
    pub since: Timestamp,
    /// When it goes; `None` when only a key takes it away.
    pub until: Option<Timestamp>,
}

impl Toast {
    /// A sentence that goes by itself.
    pub fn brief(text: impl Into<String>, tone: Tone, now: Timestamp) -> Self {
        let text = text.into();
        let ms = SHORTEST_MS + PER_CHAR_MS * i64::try_from(text.chars().count()).unwrap_or(100);
        Self {
            text,
            tone,
            since: now,
            until: Some(now.plus(ms)),
        }
    }

    /// A sentence that stays until a key is pressed.
    pub fn lasting(text: impl Into<String>, tone: Tone, now: Timestamp) -> Self {
        Self {
            text: text.into(),
            tone,
            since: now,
            until: None,
        }
    }

    /// True once it has stood long enough to have been seen: a key may take it away then.
    #[must_use]
    pub fn was_seen(&self, now: Timestamp) -> bool {
        now.since(self.since) >= SEEN_MS
    }
}
