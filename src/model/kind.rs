//! The product behind a service.

use std::fmt;

/// A backup product, by its short name (`csbs`, `sdrs`, `freezer` …).
///
/// The names are those of the connectors in [`crate::kinds`]; nothing else in the crate lists them,
/// so that a new kind is one registry line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Kind(pub &'static str);

impl Kind {
    /// The short name as users write it in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
