//! Signs: one set for terminals with Unicode, one in ASCII. Each sign has a meaning of its own, so that a
//! screen without colours reads the same.

use crate::model::{Health, Phase};

/// A set of signs.
#[derive(PartialEq, Eq, Debug)]
pub struct Glyphs {
    /// Failed; needs a person.
    pub failed: &'static str,
    /// May still be going on; look first.
    pub uncertain: &'static str,
    /// Worth a look.
    pub warning: &'static str,
    /// Going on.
    pub running: &'static str,
    /// Queued or held up.
    pub waiting: &'static str,
    /// Ended well.
    pub good: &'static str,
    /// Skipped, cancelled, disabled.
    pub off: &'static str,
    /// A status that nobody knows.
    pub unknown: &'static str,
    /// Nothing known yet.
    pub none: &'static str,
    /// A service that slows us down.
    pub limited: &'static str,
    /// A service whose newest data is overdue.
    pub stale: &'static str,
    /// A service that doesn't answer.
    pub down: &'static str,
    /// A failed job that somebody took.
    pub taken: &'static str,
    /// Good and bad by turns.
    pub flapping: &'static str,
    /// A marked row.
    pub mark: &'static str,
    /// The row under the cursor.
    pub cursor: &'static str,
    /// More text than fits.
    pub more: &'static str,
    /// Rows out of sight above.
    pub above: &'static str,
    /// Rows out of sight below.
    pub below: &'static str,
    /// From one status to the next.
    pub to: &'static str,
    /// Between two things in a line.
    pub dot: &'static str,
    /// Sorted, smallest first.
    pub ascending: &'static str,
    /// Sorted, largest first.
    pub descending: &'static str,
    /// The part of a bar that is done.
    pub bar_done: &'static str,
    /// The part of a bar that is left.
    pub bar_left: &'static str,
    /// A thin upright line between columns.
    pub rule: &'static str,
    /// A thin level line.
    pub line: &'static str,
    /// Corners of a box: upper left, upper right, lower left, lower right.
    pub corners: [&'static str; 4],
    /// True for the ASCII set.
    pub ascii: bool,
}

/// Signs for terminals with Unicode.
pub static UNICODE: Glyphs = Glyphs {
    failed: "✖",
    uncertain: "?",
    warning: "!",
    running: "▶",
    waiting: "◷",
    good: "●",
    off: "‖",
    unknown: "¿",
    none: "○",
    limited: "◔",
    stale: "◌",
    down: "✕",
    taken: "✓",
    flapping: "≈",
    mark: "◆",
    cursor: "▌",
    more: "…",
    above: "↑",
    below: "↓",
    to: "→",
    dot: "·",
    ascending: "▴",
    descending: "▾",
    bar_done: "━",
    bar_left: "─",
    rule: "│",
    line: "─",
    corners: ["╭", "╮", "╰", "╯"],
    ascii: false,
};

/// Signs for terminals without.
pub static ASCII: Glyphs = Glyphs {
    failed: "x",
    uncertain: "?",
    warning: "!",
    running: ">",
    waiting: "~",
    good: "o",
    off: "-",
    unknown: "u",
    none: ".",
    limited: "%",
    stale: "s",
    down: "X",
    taken: "a",
    flapping: "~",
    mark: "*",
    cursor: ">",
    more: "..",
    above: "^",
    below: "v",
    to: "->",
    dot: "-",
    ascending: "^",
    descending: "v",
    bar_done: "#",
    bar_left: "-",
    rule: "|",
    line: "-",
    corners: ["+", "+", "+", "+"],
    ascii: true,
};

impl Glyphs {
    /// The sign of a phase.
    #[must_use]
    pub const fn phase(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Unknown => self.unknown,
            Phase::Succeeded => self.good,
            Phase::Queued | Phase::Waiting => self.waiting,
            Phase::Running => self.running,
            Phase::Skipped | Phase::Cancelled => self.off,
            Phase::Uncertain => self.uncertain,
            Phase::Failed => self.failed,
        }
    }

    /// The sign of a service's health.
    #[must_use]
    pub const fn health(&self, health: &Health) -> &'static str {
        match health {
            Health::Connecting => self.none,
            Health::Fresh { .. } => self.good,
            Health::Stale { .. } => self.stale,
            Health::Limited { .. } => self.limited,
            Health::Down { .. } => self.down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_states_are_all_different_and_one_column_wide() {
        for g in [&UNICODE, &ASCII] {
            let states = [
                g.failed,
                g.uncertain,
                g.warning,
                g.running,
                g.waiting,
                g.good,
                g.off,
                g.unknown,
                g.none,
                g.limited,
                g.stale,
                g.down,
                g.taken,
            ];
            for (i, a) in states.iter().enumerate() {
                assert_eq!(super::super::text::width(a), 1, "{a}");
                assert!(!states.iter().skip(i + 1).any(|b| a == b), "{a}");
            }
        }
    }
}
