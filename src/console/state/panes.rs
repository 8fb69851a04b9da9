//! The panes by name and number.

use crate::query::Noun;

use super::super::word::Word;
use super::pane::Pane;

/// One of the console's panes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PaneId {
    /// What is protected.
    Devices,
    /// What says when and how.
    Policies,
    /// Live tasks.
    Running,
    /// Failed jobs.
    Failed,
    /// Every task.
    Tasks,
    /// Transitions as they happen.
    Feed,
}

impl PaneId {
    /// Every pane in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Devices,
        Self::Policies,
        Self::Running,
        Self::Failed,
        Self::Tasks,
        Self::Feed,
    ];

    /// The list that it shows; `None` for the feed.
    #[must_use]
    pub const fn noun(self) -> Option<Noun> {
        Some(match self {
            Self::Devices => Noun::Devices,
            Self::Policies => Noun::Policies,
            Self::Running => Noun::Running,
            Self::Failed => Noun::Failed,
            Self::Tasks => Noun::Tasks,
            Self::Feed => return None,
        })
    }

    /// Its name in words, saved views and the palette.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.as_word().name()
    }

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Devices => "Devices",
            Self::Policies => "Policies",
            Self::Running => "Running",
            Self::Failed => "Failed",
            Self::Tasks => "Tasks",
            Self::Feed => "Feed",
        }
    }

    /// The word that goes to it.
    #[must_use]
    pub const fn as_word(self) -> Word {
        match self {
            Self::Devices => Word::Devices,
            Self::Policies => Word::Policies,
            Self::Running => Word::Running,
            Self::Failed => Word::Failed,
            Self::Tasks => Word::Tasks,
            Self::Feed => Word::Feed,
        }
    }

    /// The pane of a name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }

    /// The pane that a word goes to.
    #[must_use]
    pub fn of_word(word: Word) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_word() == word)
    }

    /// The pane that shows a list.
    #[must_use]
    pub const fn of_noun(noun: Noun) -> Self {
        match noun {
            Noun::Devices => Self::Devices,
            Noun::Policies => Self::Policies,
            Noun::Running => Self::Running,
            Noun::Failed => Self::Failed,
            Noun::Tasks => Self::Tasks,
        }
    }

    /// The pane `by` places further on, around the end.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let n = Self::ALL.len();
        let at = Self::ALL.iter().position(|p| *p == self).unwrap_or(0);
        let to = (at + n).wrapping_add_signed(by) % n;
        Self::ALL.get(to).copied().unwrap_or(self)
    }
}

/// The panes with rows.
#[derive(Debug)]
pub struct Panes {
    panes: [Pane; 5],
}

impl Panes {
    /// All panes, empty.
    #[must_use]
    pub fn new() -> Self {
        Self {
            panes: Noun::ALL.map(Pane::new),
        }
    }

    /// One pane; `None` for the feed.
    #[must_use]
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        let noun = id.noun()?;
        self.panes.iter().find(|p| p.noun == noun)
    }

    /// One pane, to change; `None` for the feed.
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        let noun = id.noun()?;
        self.panes.iter_mut().find(|p| p.noun == noun)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Pane> {
        self.panes.iter()
    }
}

impl Default for Panes {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_go_round() {
        assert_eq!(PaneId::Feed.step(1), PaneId::Devices);
        assert_eq!(PaneId::Devices.step(-1), PaneId::Feed);
        for p in PaneId::ALL {
            assert_eq!(PaneId::named(p.word()), Some(p));
            assert_eq!(PaneId::of_word(p.as_word()), Some(p));
        }
    }
}
