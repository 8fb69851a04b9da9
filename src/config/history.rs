//! `[history]`: what is kept of the past, where, and how much.

use std::path::{Path, PathBuf};

use super::paths;
use crate::tomlread::Fields;

const DAY_MS: u64 = 86_400_000;

/// `[history]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryConfig {
    /// Nothing is kept.
    pub off: bool,
    /// The command line says so, not the file.
    pub off_by_flag: bool,
    /// The file; `None`: `history.db` in the user's data directory.
    pub path: Option<PathBuf>,
    /// The file was named on the command line: it serves whatever is watched, the demo services too.
    pub named: bool,
    /// Days for which tasks, transitions, devices and policies are kept.
    pub keep_days: u32,
    /// Days for which actions, acknowledgements and notes are kept.
    pub keep_actions_days: u32,
    /// About the largest size of the file, in bytes.
    pub max_size: u64,
    /// An action that can't be written down is not sent.
    pub required: bool,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self {
            off: false,
            off_by_flag: false,
            path: None,
            named: false,
            keep_days: 90,
            keep_actions_days: 730,
            max_size: 512 << 20,
            required: true,
        }
    }
}

impl HistoryConfig {
    /// What switched it off; to be asked when it is.
    #[must_use]
    pub const fn why_off(&self) -> &'static str {
        if self.off_by_flag {
            "--no-history was given"
        } else {
            "[history] off = true"
        }
    }

    /// What to do to have one all the same; to be asked when it is off.
    #[must_use]
    pub const fn way_on(&self) -> &'static str {
        if self.off_by_flag {
            "leave out --no-history"
        } else {
            "take off = true out of [history], or name a file with --history"
        }
    }

    /// Reads the table; mistakes are noted at their places.
    pub fn read(fields: &Fields<'_, '_>, base: &Path) -> Self {
        let mut it = Self::default();
        let days = |key| {
            let ms = fields.duration_within(key, DAY_MS..=3_660 * DAY_MS)?;
            u32::try_from(ms.div_ceil(DAY_MS)).ok()
        };
        it.off = fields.flag("off").unwrap_or(it.off);
        it.path = fields
            .filled_text("path", "\"history.db\"")
            .map(|p| paths::resolve(&p, base));
        it.keep_days = days("keep").unwrap_or(it.keep_days);
        it.keep_actions_days = days("keep_actions").unwrap_or(it.keep_actions_days);
        if let Some(bytes) = fields.size_bytes("max_size", (8 << 20)..=(1 << 40)) {
            it.max_size = bytes as u64;
        }
        it.required = fields.flag("required").unwrap_or(it.required);
        fields.finish();
        it
    }

    /// The file: the one that was named, or the user's own; `None` without a home.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        self.path
            .clone()
            .or_else(|| Some(paths::data_dir()?.join("history.db")))
    }
}
