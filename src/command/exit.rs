//! What the program's exit code says.

use std::process::ExitCode;

/// How a run ended, for scripts. The numbers are a promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// Everything asked for was done.
    Ok = 0,
    /// Something failed; standard error says what.
    Failure = 1,
    /// The command line or the configuration is wrong; nothing was asked of any service.
    Usage = 2,
    /// A code is in no table of the catalog.
    UnknownCode = 3,
    /// At least one service could not be read; the others' items were given.
    SomeUnreachable = 4,
    /// An action was sent and its outcome is not known: look before you repeat it.
    OutcomeUnknown = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  something failed (standard error says what)
  2  wrong command line or configuration; nothing was sent
  3  a code is not in the catalog
  4  a service could not be read; the others' items were given
  5  an action was sent and its outcome is not known";
