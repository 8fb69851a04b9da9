//! An opened row: its tabs, each with its own scroll.

use super::super::thing::Thing;
use crate::model::{Phase, Timestamp};
use crate::store::history::{Entry, Happened};

/// What an opened row shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Tab {
    /// What it means and what to do.
    #[default]
    Card,
    /// Its transitions, or for devices and policies its tasks.
    Course,
    /// Everything that happened to it, out of history.
    Past,
    /// The service's own record.
    Record,
}

impl Tab {
    /// Every tab in order.
    pub const ALL: [Self; 4] = [Self::Card, Self::Course, Self::Past, Self::Record];

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Card => "Meaning",
            Self::Course => "Course",
            Self::Past => "Past",
            Self::Record => "Record",
        }
    }

    /// The tab `by` places further, around the end.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let n = Self::ALL.len();
        let to = (self as usize + n).wrapping_add_signed(by) % n;
        Self::ALL.get(to).copied().unwrap_or(self)
    }
}

/// An opened row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// What is open.
    pub thing: Thing,
    /// Which tab.
    pub tab: Tab,
    /// Lines scrolled, one a tab.
    pub scroll: [usize; 4],
    /// The record, made readable, one line each; empty where none is held.
    pub record: Vec<String>,
    /// The record is being asked for.
    pub asking: bool,
    /// What history told of it.
    pub past: Past,
}

/// What history told of an opened row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Past {
    /// When it was asked the last time.
    pub asked: Option<Timestamp>,
    /// What happened, oldest first, or why nobody knows; `None` before the answer.
    pub told: Option<Result<Vec<PastLine>, String>>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastLine {
    /// When: by the service's own clock where it told, else when it was seen.
    pub at: Timestamp,
    /// The phase that it led to, where it is a task's transition.
    pub phase: Option<Phase>,
    /// Somebody did or said it.
    pub by_hand: bool,
    /// It, in a sentence.
    pub text: String,
}

impl PastLine {
    /// An entry of history as a line; `alone`: among those of one task.
    #[must_use]
    pub fn of(entry: &Entry, alone: bool) -> Self {
        let reported = match &entry.happened {
            Happened::Moved { transition, .. } => transition.reported_at,
            _ => None,
        };
        Self {
            at: reported.unwrap_or(entry.at),
            phase: entry.phase(),
            by_hand: matches!(
                entry.happened,
                Happened::Acted { .. } | Happened::Remarked(_)
            ),
            text: entry.sentence(alone),
        }
    }
}

impl Detail {
    /// An opened row at its first tab.
    #[must_use]
    pub fn new(thing: Thing) -> Self {
        Self {
            thing,
            tab: Tab::Card,
            scroll: [0; 4],
            record: Vec::new(),
            asking: false,
            past: Past::default(),
        }
    }

    /// Lines scrolled in the tab in sight.
    #[must_use]
    pub fn scrolled(&self) -> usize {
        self.scroll.get(self.tab as usize).copied().unwrap_or(0)
    }

    /// Scrolls the tab in sight.
    pub fn scroll_to(&mut self, line: usize) {
        if let Some(slot) = self.scroll.get_mut(self.tab as usize) {
            *slot = line;
        }
    }
}

/// A service's record, made readable: JSON is indented with its fields in the service's own order,
/// anything else stands as it came.
#[must_use]
pub fn readable(raw: &str) -> Vec<String> {
    if serde_json::from_str::<serde::de::IgnoredAny>(raw).is_err() {
        return raw
            .lines()
            .map(|line| crate::model::clean(line).into_owned())
            .collect();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    let mut chars = raw.chars().peekable();
    let mut end = |line: &mut String, depth: usize| {
        lines.push(crate::model::clean(line).into_owned());
        line.clear();
        line.push_str(&"  ".repeat(depth));
    };
    while let Some(c) = chars.next() {
        if quoted {
            line.push(c);
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                quoted = true;
                line.push(c);
            }
            '{' | '[' => {
                line.push(c);
                while chars.peek().is_some_and(char::is_ascii_whitespace) {
                    chars.next();
                }
                if let Some(&close) = chars.peek()
                    && matches!(close, '}' | ']')
                {
                    line.push(close);
                    chars.next();
                } else {
                    depth += 1;
                    end(&mut line, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                end(&mut line, depth);
                line.push(c);
            }
            ',' => {
                line.push(c);
                end(&mut line, depth);
            }
            ':' => line.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => line.push(c),
        }
    }
    end(&mut line, 0);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_indented_and_cleaned() {
        assert_eq!(
            readable("{\"z\":[1],\n \"a\": {}, \"t\":\"x, \\\"{y\"}"),
            [
                "{",
                "  \"z\": [",
                "    1",
                "  ],",
                "  \"a\": {},",
                "  \"t\": \"x, \\\"{y\"",
                "}"
            ]
        );
        assert_eq!(readable("plain \u{1b}[2J"), ["plain ␛[2J"]);
        assert_eq!(readable(""), Vec::<String>::new());
        assert_eq!(Tab::Record.step(1), Tab::Card);
    }
}
