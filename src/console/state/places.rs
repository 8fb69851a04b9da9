//! Where the operator was: a way back from what is related.

use super::super::thing::Thing;
use super::detail::Tab;
use super::panes::PaneId;

/// The most steps that are remembered.
const MOST: usize = 50;

/// Somewhere in the console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The pane.
    pub pane: PaneId,
    /// Its filter.
    pub filter: String,
    /// The row under the cursor.
    pub cursor: Option<u32>,
    /// The pane took the whole screen.
    pub expanded: bool,
    /// An opened row.
    pub opened: Option<(Thing, Tab)>,
}

/// The way back and forth.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    back: Vec<Spot>,
    forward: Vec<Spot>,
}

impl Places {
    /// Leaves `from` for somewhere new.
    pub fn leave(&mut self, from: Spot) {
        if self.back.len() == MOST {
            self.back.remove(0);
        }
        self.back.push(from);
        self.forward.clear();
    }

    /// One step back from `here`.
    pub fn back(&mut self, here: Spot) -> Option<Spot> {
        let to = self.back.pop()?;
        self.forward.push(here);
        Some(to)
    }

    /// One step forward from `here`.
    pub fn forward(&mut self, here: Spot) -> Option<Spot> {
        let to = self.forward.pop()?;
        self.back.push(here);
        Some(to)
    }

    /// True when there is a way back.
    #[must_use]
    pub fn has_back(&self) -> bool {
        !self.back.is_empty()
    }

    /// True when there is a way forward.
    #[must_use]
    pub fn has_forward(&self) -> bool {
        !self.forward.is_empty()
    }
}
