//! Choosing one thing out of a list, narrowed by typing.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::model::Timestamp;
use crate::query::Field;
use crate::store::By;

use super::super::super::line::Line;
use super::super::super::thing::Thing;
use super::super::super::word::Word;
use super::super::PaneId;

/// What is being chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PickKind {
    /// Views and actions by name.
    Palette,
    /// The column to sort by.
    Sort,
    /// An action for one or more things.
    Menu,
    /// A row's number.
    Row,
    /// The name of a view.
    SaveView,
    /// What is wrong, failed jobs grouped so.
    Causes(By),
    /// Devices and policies by the risk of their last good backup.
    Backups,
    /// The time of a board of the past.
    At,
}

/// What a line stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A word.
    Word(Word),
    /// An action of the service, by its id.
    Action(&'static str),
    /// A field to sort by; `None` for the list's own order.
    Sort(Option<Field>),
    /// A row by its place.
    Row(usize),
    /// A theme by its name.
    Theme(&'static str),
    /// A saved view by its place.
    View(usize),
    /// This name for a view to be saved.
    SaveView(String),
    /// A saved view to be forgotten, by its name.
    ForgetView(String),
    /// The rows of a pane that a filter lets through.
    Rows {
        /// The pane.
        pane: PaneId,
        /// The filter.
        filter: String,
        /// Marks them as well.
        mark: bool,
        /// More about them, shown while the line is chosen.
        more: Vec<String>,
    },
    /// One row of a pane.
    Go {
        /// The pane.
        pane: PaneId,
        /// The thing.
        thing: Thing,
        /// More about it, shown while the line is chosen.
        more: Vec<String>,
    },
    /// The board of this instant.
    At(Timestamp),
    /// A line that says something and can't be chosen.
    Nothing,
}

impl Choice {
    /// More about it, a line each.
    #[must_use]
    pub fn more(&self) -> &[String] {
        match self {
            Self::Rows { more, .. } | Self::Go { more, .. } => more,
            _ => &[],
        }
    }
}

/// One line of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PickItem {
    /// What it is called.
    pub label: String,
    /// More about it, in a few words.
    pub about: String,
    /// What stands at its right: a key, a sign.
    pub aside: String,
    /// Why it can't be chosen now.
    pub blocked: Option<String>,
    /// What it stands for.
    pub choice: Choice,
}

/// A list to choose from.
#[derive(Debug)]
pub struct Pick {
    /// What is being chosen.
    pub kind: PickKind,
    /// The title.
    pub title: String,
    /// The actions chosen here are shown before they are sent, whatever their danger.
    pub previews: bool,
    /// What is typed to narrow it.
    pub line: Line,
    /// Every line.
    pub items: Vec<PickItem>,
    /// Lines in sight, best first: their place and the letters that were found.
    pub shown: Vec<(usize, Vec<u32>)>,
    /// The chosen one of those in sight.
    pub chosen: usize,
}

impl Pick {
    /// A list, nothing typed yet. The first line that can be chosen is.
    #[must_use]
    pub fn new(kind: PickKind, title: impl Into<String>, items: Vec<PickItem>) -> Self {
        let mut pick = Self {
            kind,
            title: title.into(),
            previews: false,
            line: Line::default(),
            items,
            shown: Vec::new(),
            chosen: 0,
        };
        pick.narrow();
        pick
    }

    /// The chosen line.
    #[must_use]
    pub fn item(&self) -> Option<&PickItem> {
        let (at, _) = self.shown.get(self.chosen)?;
        self.items.get(*at)
    }

    /// Moves the choice, without going round.
    pub fn step(&mut self, by: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
    }

    /// Puts in sight what fits the text typed.
    pub fn narrow(&mut self) {
        let text = self.line.text().trim();
        if text.is_empty() {
            self.shown = (0..self.items.len()).map(|at| (at, Vec::new())).collect();
            self.chosen = self
                .items
                .iter()
                .position(|i| i.blocked.is_none() && i.choice != Choice::Nothing)
                .unwrap_or(0);
            return;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let mut letters = Vec::new();
        let mut found: Vec<(u32, usize, Vec<u32>)> = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let mut indices = Vec::new();
            let name = Utf32Str::new(&item.label, &mut letters);
            // a name that fits counts more than an explanation that does
            if let Some(score) = pattern.indices(name, &mut matcher, &mut indices) {
                indices.sort_unstable();
                indices.dedup();
                found.push((score.saturating_mul(2), at, indices));
                continue;
            }
            let both = format!("{} {}", item.label, item.about);
            let both = Utf32Str::new(&both, &mut letters);
            if let Some(score) = pattern.score(both, &mut matcher) {
                found.push((score, at, Vec::new()));
            }
        }
        found.sort_by_key(|(score, at, _)| (std::cmp::Reverse(*score), *at));
        // letters scattered over a sentence are no answer beside a name that was meant
        let best = found.first().map_or(0, |(score, ..)| *score);
        found.retain(|(score, ..)| score.saturating_mul(4) >= best);
        self.shown = found.into_iter().map(|(_, at, i)| (at, i)).collect();
        self.chosen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(label: &str, about: &str, blocked: bool) -> PickItem {
        PickItem {
            label: label.into(),
            about: about.into(),
            aside: String::new(),
            blocked: blocked.then(|| "no".to_owned()),
            choice: Choice::Word(Word::Help),
        }
    }

    #[test]
    fn typing_narrows_by_name_first_then_by_explanation() {
        let mut pick = Pick::new(
            PickKind::Palette,
            "x",
            vec![
                item("cancel", "stop the running task", true),
                item("running", "live tasks", false),
                item("retry", "repeat what failed", false),
            ],
        );
        assert_eq!(pick.item().unwrap().label, "running");
        for c in "run".chars() {
            pick.line.key(super::super::super::super::key::Key::char(c));
        }
        pick.narrow();
        let labels: Vec<&str> = pick
            .shown
            .iter()
            .map(|(at, _)| pick.items[*at].label.as_str())
            .collect();
        assert_eq!(labels, ["running", "cancel"]);
        assert_eq!(pick.shown[0].1, [0, 1, 2]);
        pick.step(9);
        assert_eq!(pick.item().unwrap().label, "cancel");
        pick.line.set("zzz");
        pick.narrow();
        assert!(pick.item().is_none());
    }
}
