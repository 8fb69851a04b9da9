//! How a service answers.

use std::fmt;
use std::str::FromStr;

use super::{CodeRef, Timestamp};

/// What keepwatch knows of a service's reachability. Ages are computed by the faces from these instants.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Health {
    /// No answer yet since the start.
    #[default]
    Connecting,
    /// The last round of questions was answered.
    Fresh {
        /// When the last answer came.
        since: Timestamp,
    },
    /// Answered once, but the newest round is overdue.
    Stale {
        /// When the last answer came.
        since: Timestamp,
    },
    /// The service asked us to slow down.
    Limited {
        /// When the last answer came, if any ever did.
        last_ok: Option<Timestamp>,
        /// When we ask again.
        until: Timestamp,
    },
    /// Questions fail.
    Down {
        /// Since when.
        since: Timestamp,
        /// When the last answer came, if any ever did.
        last_ok: Option<Timestamp>,
        /// When we try again; `None` when only a person can mend it (wrong password).
        next_try: Option<Timestamp>,
        /// What is wrong.
        fault: Fault,
    },
}

impl Health {
    /// One word: connecting, fresh, stale, limited, down.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Fresh { .. } => "fresh",
            Self::Stale { .. } => "stale",
            Self::Limited { .. } => "limited",
            Self::Down { .. } => "down",
        }
    }

    /// The same, with the last good answer of an earlier run where none came in this one.
    #[must_use]
    pub fn with_last_ok(mut self, known: Option<Timestamp>) -> Self {
        if let Self::Limited { last_ok, .. } | Self::Down { last_ok, .. } = &mut self {
            *last_ok = last_ok.or(known);
        }
        self
    }

    /// How long the service still wants quiet, in milliseconds; `None` when it may be asked.
    #[must_use]
    pub fn quiet_ms(&self, now: Timestamp) -> Option<i64> {
        match self {
            Self::Limited { until, .. } => Some(until.since(now)).filter(|ms| *ms > 0),
            _ => None,
        }
    }

    /// When the last good answer came.
    #[must_use]
    pub const fn last_ok(&self) -> Option<Timestamp> {
        match self {
            Self::Connecting => None,
            Self::Fresh { since } | Self::Stale { since } => Some(*since),
            Self::Limited { last_ok, .. } | Self::Down { last_ok, .. } => *last_ok,
        }
    }
}

/// The sorts of failure that a person handles differently.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FaultKind {
    /// The name does not resolve, the port is closed, the connection broke.
    Unreachable,
    /// TLS: certificate, host name, protocol.
    Tls,
    /// No answer within the time allowed.
    Timeout,
    /// User, password, key, project, rights: asking again changes nothing.
    Auth,
    /// The service throttles.
    Limited,
    /// The service answered 5xx.
    Server,
    /// The service refused this one request (4xx).
    Refused,
    /// The answer is not what the interface promises: HTML, cut short, too large, wrong shape.
    Garbled,
    /// Our own configuration is wrong for this service.
    Config,
    /// The service does not offer it.
    NotOffered,
}

impl FaultKind {
    /// Every sort.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Tls,
        Self::Timeout,
        Self::Auth,
        Self::Limited,
        Self::Server,
        Self::Refused,
        Self::Garbled,
        Self::Config,
        Self::NotOffered,
    ];

    /// The word for it, as in JSON output.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Auth => "auth",
            Self::Limited => "limited",
            Self::Server => "server error",
            Self::Refused => "refused",
            Self::Garbled => "garbled answer",
            Self::Config => "configuration",
            Self::NotOffered => "not offered",
        }
    }
}

impl FromStr for FaultKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|k| k.word() == word).ok_or(())
    }
}

/// A failed question: what failed, where, and what the person can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The sort of failure.
    pub kind: FaultKind,
    /// What failed, in one sentence, without secrets.
    pub what: String,
    /// Where: method and URL (no secrets), or file and line.
    pub place: String,
    /// What the person can do.
    pub advice: String,
    /// The service's own code and text, when it gave any.
    pub code: Option<CodeRef>,
    /// Milliseconds after which the service wants to be asked again (`Retry-After`).
    pub retry_after_ms: Option<u64>,
    /// True when the request may have been carried out although no answer came.
    pub maybe_done: bool,
}

impl Fault {
    /// A fault with its sentence, its place and the advice.
    pub fn new(
        kind: FaultKind,
        what: impl Into<String>,
        place: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            place: place.into(),
            advice: advice.into(),
            code: None,
            retry_after_ms: None,
            maybe_done: false,
        }
    }

    /// The same with the service's own code.
    #[must_use]
    pub fn with_code(mut self, code: CodeRef) -> Self {
        self.code = Some(code);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        if let Some(code) = &self.code
            && !code.is_silent()
        {
            let said = format!("{} {}", code.code, code.message);
            let said = said.trim();
            // the service's own sentence has its own end
            let end = if self.advice.is_empty() {
                None
            } else {
                said.strip_suffix('.')
            };
            write!(f, ": {}", end.unwrap_or(said))?;
        }
        if !self.advice.is_empty() {
            write!(f, ". {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_whole_sentences() {
        let fault = |code: &str, said: &str, advice: &str| {
            Fault::new(FaultKind::Auth, "no login", "POST http://x", advice)
                .with_code(CodeRef::new(code, said))
                .to_string()
        };
        assert_eq!(
            fault("", "It requires authentication.", "Correct the password."),
            "no login (POST http://x): It requires authentication. Correct the password."
        );
        assert_eq!(fault("X.1", "no", ""), "no login (POST http://x): X.1 no");
        assert_eq!(fault("X.1", "No.", ""), "no login (POST http://x): X.1 No.");
        assert_eq!(fault("", "", "Look."), "no login (POST http://x). Look.");
    }
}
