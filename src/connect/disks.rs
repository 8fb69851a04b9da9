//! Which disk a restored one becomes, as a person types it.

use crate::model::{Fault, FaultKind, clean};

/// Reads `backup=disk` pairs, separated by commas.
///
/// # Errors
/// A part is no pair.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, Fault> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.split_once('=')
                .map(|(backup, disk)| (backup.trim().to_owned(), disk.trim().to_owned()))
                .filter(|(backup, disk)| !backup.is_empty() && !disk.is_empty())
                .ok_or_else(|| {
                    Fault::new(
                        FaultKind::Refused,
                        format!("'{}' is not backup=disk", clean(part)),
                        "volumes",
                        "Write the ids as backup=disk, separated by commas.",
                    )
                })
        })
        .collect()
}
