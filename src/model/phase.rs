//! Our reading of a service's own status word.

use std::fmt;
use std::str::FromStr;

/// Where a task stands, in one vocabulary for all services.
///
/// The order is the order of attention: what needs a person first comes last.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
#[repr(u8)]
pub enum Phase {
    /// A status that no table knows; shown as it came, never taken for a success.
    #[default]
    Unknown = 0,
    /// Ended well.
    Succeeded = 1,
    /// Accepted by the service, not started.
    Queued = 2,
    /// Held up by something else: another task, a quiesce, a script.
    Waiting = 3,
    /// Work is going on.
    Running = 4,
    /// The service decided not to do it.
    Skipped = 5,
    /// Ended on somebody's word.
    Cancelled = 6,
    /// The service gave up on it, yet the work may still be going on. Never retried without a look.
    Uncertain = 7,
    /// Ended badly.
    Failed = 8,
}

impl Phase {
    /// Every phase, in order of attention.
    pub const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Succeeded,
        Self::Queued,
        Self::Waiting,
        Self::Running,
        Self::Skipped,
        Self::Cancelled,
        Self::Uncertain,
        Self::Failed,
    ];

    /// The word for it, as shown, filtered and written to JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Uncertain => "uncertain",
            Self::Failed => "failed",
        }
    }

    /// The phase with this discriminant; [`Phase::Unknown`] for any other number.
    #[must_use]
    pub const fn from_u8(n: u8) -> Self {
        match n {
            1 => Self::Succeeded,
            2 => Self::Queued,
            3 => Self::Waiting,
            4 => Self::Running,
            5 => Self::Skipped,
            6 => Self::Cancelled,
            7 => Self::Uncertain,
            8 => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// Queued, waiting or running: it has not ended.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Waiting | Self::Running)
    }

    /// The task has ended as far as the service is concerned.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Skipped | Self::Cancelled | Self::Uncertain | Self::Failed
        )
    }

    /// Needs a person: a failed job without asking for more.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Failed | Self::Uncertain)
    }

    /// Somebody may have to look at it: it is under way, needs a person, or stands in a status that no table knows.
    #[must_use]
    pub const fn concerns_people(self) -> bool {
        self.is_live() || self.needs_person() || matches!(self, Self::Unknown)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Phase {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|p| p.word().eq_ignore_ascii_case(word))
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Phase;

    #[test]
    fn words_and_numbers_lead_back_to_the_phase() {
        for p in Phase::ALL {
            assert_eq!(p.word().parse(), Ok(p));
            assert_eq!(Phase::from_u8(p as u8), p);
        }
        assert_eq!("resting".parse::<Phase>(), Err(()));
        assert_eq!(Phase::from_u8(200), Phase::Unknown);
    }
}
