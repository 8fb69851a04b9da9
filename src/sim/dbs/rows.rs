//! The jobs of all plans: full backups, increments, restores, downloads.

use super::plan::{Endpoint, Precheck};
use super::reasons::Reason;

/// `BackupStatus` of a full backup; restores share the words but for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetStatus {
    /// Waits for its turn.
    Schedule,
    Running,
    Finish,
    /// Failed.
    Stop,
    /// Stopped by a person, with its plan.
    Pause,
}

impl SetStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Running => "running",
            Self::Finish => "finish",
            Self::Stop => "stop",
            Self::Pause => "pause",
        }
    }

    pub fn under_way(self) -> bool {
        matches!(self, Self::Schedule | Self::Running)
    }
}

/// A full backup. Times are milliseconds since 1970; 0 is "not yet".
#[derive(Debug, Clone)]
pub(super) struct FullSet {
    pub plan: u32,
    pub status: SetStatus,
    pub created: i64,
    pub started: i64,
    /// When its present step ends.
    pub due: i64,
    pub ended: i64,
    pub bytes: u64,
    pub reason: Option<Reason>,
    /// A word shown instead of the real status.
    pub odd: Option<Box<str>>,
}

impl FullSet {
    /// Share of the running step that is over, 0 to 100.
    pub fn percent(&self, now: i64) -> i64 {
        match self.status {
            SetStatus::Schedule => 0,
            SetStatus::Finish => 100,
            _ => {
                let until = if self.ended > 0 { self.ended } else { now };
                percent(self.started, self.due, until)
            }
        }
    }
}

/// How much of a time is over at `now`, 0 to 99.
pub(super) fn percent(from: i64, to: i64, now: i64) -> i64 {
    let whole = (to - from).max(1);
    ((now - from).saturating_mul(100) / whole).clamp(0, 99)
}

/// An incremental (log) backup.
#[derive(Debug, Clone)]
pub(super) struct Increment {
    pub number: u64,
    pub from: i64,
    /// When it was closed; 0 while it is open.
    pub to: i64,
    pub bytes: u64,
    /// Whether it holds all of its time.
    pub whole: bool,
}

impl Increment {
    /// `BackupStatus`; none of the words says "failed".
    pub fn word(&self, now: i64) -> &'static str {
        match (self.to, self.whole) {
            (0, _) if now - self.from < 60_000 => "INIT",
            (0, _) => "FILLING",
            (_, true) => "COMPLETED",
            (_, false) => "UNCOMPLETED",
        }
    }
}

/// `RestoreStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestoreStatus {
    /// Not started, or its precheck failed.
    Init,
    CheckPass,
    Running,
    Pause,
    /// Failed.
    Stop,
    /// Done; the word for it is not documented and a switch.
    Done,
}

/// A restore.
#[derive(Debug, Clone)]
pub(super) struct Restore {
    pub plan: u32,
    pub name: String,
    pub status: RestoreStatus,
    pub created: i64,
    pub started: i64,
    pub due: i64,
    pub ended: i64,
    pub set: Option<u64>,
    /// The point in time that is wanted, where no set is.
    pub point: i64,
    pub objects: String,
    pub dir: String,
    pub mode: String,
    pub to: Endpoint,
    pub precheck: Precheck,
    pub reason: Option<Reason>,
    pub odd: Option<Box<str>>,
}

/// A download of a set.
#[derive(Debug, Clone)]
pub(super) struct Download {
    pub plan: u32,
    pub name: String,
    /// Text of the set's id.
    pub set: String,
    pub full: bool,
    pub format: String,
    pub auto: bool,
    pub created: i64,
    pub due: i64,
    pub ended: i64,
    pub bytes: u64,
    pub reason: Option<Reason>,
}

impl Download {
    /// `BackupSetDownloadStatus`: a walk by the clock until it ends.
    pub fn word(&self, now: i64) -> &'static str {
        if self.ended > 0 {
            return if self.reason.is_some() {
                "stop"
            } else {
                "finish"
            };
        }
        match now - self.created {
            ..10_000 => "checking",
            10_000..12_000 => "check_pass",
            12_000..15_000 => "schedule",
            _ => "running",
        }
    }
}
