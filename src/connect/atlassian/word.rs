//! The service's words as we read them.
//!
//! Of each list only the first member is published: `CREATED` of a backup, `ACTIVE` of a policy, `ONCE` of a
//! schedule. The others are known as the admin console writes them ("In Progress"), so a word is compared without
//! its case and its separators, and what is not recognised stays unknown.
//!
//! No document says what the words mean. Ours is the reading that a backup is `CREATED` before it runs, that parts of
//! the data are missing in one that is "Incomplete", and that one which is "Expired" had been good.

use crate::model::Phase;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Letters and digits alone, small.
fn squashed(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A backup's or restore's status.
pub(super) fn phase(status: &str) -> Phase {
    match squashed(status).as_str() {
        // ours: it could as well be made already, but then nothing would be left for "completed"
        "created" => Phase::Queued,
        "inprogress" => Phase::Running,
        // ours: an expired backup was good and can't be restored any more
        "completed" | "expired" => Phase::Succeeded,
        // ours: parts of the data are not in an incomplete one, so a person has to look
        "failed" | "incomplete" => Phase::Failed,
        _ => Phase::Unknown,
    }
}

/// True for a backup whose time is over.
pub(super) fn is_expired(status: &str) -> bool {
    squashed(status) == "expired"
}

/// Whether a policy makes backups; `None` for a word that is not known.
pub(super) fn enabled(status: &str) -> Option<bool> {
    match squashed(status).as_str() {
        "active" => Some(true),
        "inactive" => Some(false),
        _ => None,
    }
}

/// How often a policy backs up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Interval {
    Once,
    Daily,
    Weekly,
    Other,
}

impl Interval {
    pub(super) fn read(word: &str) -> Self {
        match squashed(word).as_str() {
            "once" | "onetime" => Self::Once,
            "daily" => Self::Daily,
            "weekly" => Self::Weekly,
            _ => Self::Other,
        }
    }

    /// Milliseconds from one good backup within which the next has to come: a day of leeway, because a run takes
    /// up to most of a day and its time is the service's choice. `None` where none has to.
    pub(super) const fn due_within_ms(self) -> Option<i64> {
        match self {
            Self::Daily => Some(2 * DAY_MS),
            Self::Weekly => Some(8 * DAY_MS),
            Self::Once | Self::Other => None,
        }
    }
}

/// A schedule in words.
pub(super) fn schedule(interval: &str, start: &str, slot: &str) -> String {
    let mut text = match Interval::read(interval) {
        Interval::Once => "once".to_owned(),
        Interval::Daily => "daily".to_owned(),
        Interval::Weekly => "weekly".to_owned(),
        Interval::Other => interval.to_owned(),
    };
    let once = Interval::read(interval) == Interval::Once;
    for (word, value) in [
        (if once { "on" } else { "from" }, start),
        // the person chooses the date, Atlassian the time
        ("slot", slot),
    ] {
        if !value.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            text.push(' ');
            text.push_str(value);
        }
    }
    text
}
