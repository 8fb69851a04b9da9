//! SQLite's errors as sentences for people.

use rusqlite::{Error, ErrorCode};

use super::open::Target;
use crate::store::history::HistoryError;

/// What a failure of SQLite means, and what can be done.
pub(super) fn explain(error: &Error, target: &Target) -> HistoryError {
    let code = error.sqlite_error_code();
    let (what, advice) = match code {
        Some(ErrorCode::DiskFull) => (
            "history can't be written: the disk is full".to_owned(),
            "Free some space; nothing is lost as long as keepwatch runs, and it tries again by itself",
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            format!("the history is damaged: {error}"),
            "It is set aside and a new one is begun",
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            "history can't be written: no permission".to_owned(),
            "Make the file and its directory writable for you, or name another file with [history] path",
        ),
        Some(ErrorCode::CannotOpen) => (
            format!("the history can't be opened: {error}"),
            "Make its directory writable for you, or name another file with [history] path",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            "history can't be written: another program holds the file".to_owned(),
            "Keepwatch tries again; find the program that keeps the file locked",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            format!("history can't be read or written: {error}"),
            "Check the disk, and whether it is full",
        ),
        _ => (format!("history failed: {error}"), ""),
    };
    let mut told = HistoryError::new(what, advice).at(target.shown());
    told.full = code == Some(ErrorCode::DiskFull);
    told.damaged = is_damage(error);
    told
}

/// True when the file is no database, or no whole one.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// True when the fault lies in what was to be written, not in the file: it would fail for ever.
pub(super) fn is_ours(error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ApiMisuse
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown
        ),
        None => true,
    }
}
