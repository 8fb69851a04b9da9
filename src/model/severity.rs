//! How bad a code is, and whether trying again makes sense.

use std::fmt;
use std::str::FromStr;

/// How much a code matters to the person on call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing is wrong.
    Info,
    /// Worth a look, the backup itself may be fine.
    Warning,
    /// A backup did not happen.
    Error,
    /// Something may be left out of service, or data is at risk.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.word() == word).ok_or(())
    }
}

/// Whether and when repeating the task can help.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RetryAdvice {
    /// Repeat at once; nothing needs mending.
    Now,
    /// One more try is reasonable; if it fails again, stop.
    Once,
    /// Repeating is useless until the cause is removed.
    AfterAFix,
    /// It resolves by itself; repeat later.
    Wait,
    /// The device may be in a bad state or the work may still run: look first.
    CheckTheDeviceFirst,
    /// Repeating cannot help, or there is nothing to repeat.
    Never,
}

impl RetryAdvice {
    /// Every advice, most permissive first.
    pub const ALL: [Self; 6] = [
        Self::Now,
        Self::Once,
        Self::AfterAFix,
        Self::Wait,
        Self::CheckTheDeviceFirst,
        Self::Never,
    ];

    /// The words for it, as in catalog files and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Once => "once",
            Self::AfterAFix => "after a fix",
            Self::Wait => "wait",
            Self::CheckTheDeviceFirst => "check the device first",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for RetryAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for RetryAdvice {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.word() == word).ok_or(())
    }
}
