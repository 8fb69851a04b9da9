//! Values that an action needs and no record holds.

use std::collections::BTreeMap;

use crate::model::{ActionSpec, Input, InputKind};

use super::super::super::line::Line;
use super::super::super::thing::Thing;
use super::Showing;

/// The values of one action being typed.
#[derive(Debug)]
pub struct Form {
    /// The action.
    pub spec: ActionSpec,
    /// What it will be applied to.
    pub things: Vec<Thing>,
    /// What was left out and why, already known.
    pub left_out: Vec<(String, String)>,
    /// Whether its request is shown whatever its danger.
    pub showing: Showing,
    /// One line a value.
    pub lines: Vec<Line>,
    /// The line being typed.
    pub at: usize,
    /// What is wrong with the line being typed.
    pub error: Option<String>,
}

impl Form {
    /// Empty lines for every value of the action.
    #[must_use]
    pub fn new(
        spec: ActionSpec,
        things: Vec<Thing>,
        left_out: Vec<(String, String)>,
        showing: Showing,
    ) -> Self {
        let lines = spec.inputs.iter().map(|_| Line::default()).collect();
        Self {
            spec,
            things,
            left_out,
            showing,
            lines,
            at: 0,
            error: None,
        }
    }

    /// The value being typed.
    #[must_use]
    pub fn input(&self) -> Option<&'static Input> {
        self.spec.inputs.get(self.at)
    }

    /// Accepts the line being typed and goes on to the next; true when all are done.
    pub fn go_on(&mut self) -> bool {
        let (Some(input), Some(line)) = (self.spec.inputs.get(self.at), self.lines.get(self.at))
        else {
            return true;
        };
        match check(input, line.text().trim()) {
            Ok(()) => {
                self.error = None;
                if self.at + 1 == self.spec.inputs.len() {
                    return true;
                }
                self.at += 1;
            }
            Err(why) => self.error = Some(why),
        }
        false
    }

    /// The values as the connector takes them; what was left empty is left out.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        self.spec
            .inputs
            .iter()
            .zip(&self.lines)
            .map(|(input, line)| (input.name.to_owned(), normal(input, line.text().trim())))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

/// `y` and `n` are enough for yes and no.
fn normal(input: &Input, text: &str) -> String {
    match input.kind {
        InputKind::YesNo if text.eq_ignore_ascii_case("y") => "yes".into(),
        InputKind::YesNo if text.eq_ignore_ascii_case("n") => "no".into(),
        InputKind::YesNo => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }
}

/// What an input accepts, in a few words.
#[must_use]
pub fn expected(input: &Input) -> String {
    let what = match input.kind {
        InputKind::Text => "any text".to_owned(),
        InputKind::Number => "a whole number".to_owned(),
        InputKind::YesNo => "yes or no".to_owned(),
        InputKind::OneOf(words) => format!("one of {}", words.join(", ")),
    };
    if input.required {
        what
    } else {
        format!("{what}, or nothing")
    }
}

fn check(input: &Input, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return if input.required {
            Err(format!("{} is needed: {}", input.name, expected(input)))
        } else {
            Ok(())
        };
    }
    let fits = match input.kind {
        InputKind::Text => true,
        InputKind::Number => text.parse::<u64>().is_ok(),
        InputKind::YesNo => matches!(normal(input, text).as_str(), "yes" | "no"),
        InputKind::OneOf(words) => words.contains(&text),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("expected {}", expected(input)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_where_they_are_typed() {
        const fn input(kind: InputKind, required: bool) -> Input {
            Input {
                name: "size",
                ask: "How large?",
                kind,
                required,
            }
        }
        for (kind, text, fits) in [
            (InputKind::Number, "20", true),
            (InputKind::Number, "-1", false),
            (InputKind::Number, "", false),
            (InputKind::YesNo, "Y", true),
            (InputKind::YesNo, "maybe", false),
            (InputKind::OneOf(&["a", "b"]), "b", true),
            (InputKind::OneOf(&["a", "b"]), "c", false),
            (InputKind::Text, "x y", true),
        ] {
            assert_eq!(
                check(&input(kind, true), text).is_ok(),
                fits,
                "{kind:?} {text}"
            );
        }
        assert!(check(&input(InputKind::Number, false), "").is_ok());
        assert_eq!(normal(&input(InputKind::YesNo, true), "N"), "no");
    }
}
