//! An action before it is sent: what exactly would be sent, what it means, yes or no.

use std::collections::VecDeque;

use crate::model::{Danger, Fault, Intent, Prepared, Verb};
use crate::operate::Operator;

use super::super::super::effect::AskId;
use super::super::super::line::Line;
use super::super::super::thing::Thing;

/// How many questions are asked of connectors at the same time.
const ASKED_AT_ONCE: usize = 6;

/// When an action is shown before it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Showing {
    /// When its danger asks for it, or when it is one of many.
    #[default]
    IfDangerous,
    /// Always: the operator wants to see it first.
    First,
    /// The same, and return sends it as yes does: it was not return that opened it.
    FirstForReturn,
}

impl Showing {
    /// The same after return was pressed on the way.
    #[must_use]
    pub const fn after_return(self) -> Self {
        match self {
            Self::IfDangerous => Self::IfDangerous,
            Self::First | Self::FirstForReturn => Self::First,
        }
    }
}

/// One thing to act on.
#[derive(Debug)]
pub struct Item {
    /// The thing.
    pub thing: Thing,
    /// Its name.
    pub name: String,
    /// The requests.
    pub prepared: Box<Prepared>,
}

/// A fault without the place where it happened: what failed, the service's code and words, the advice.
fn in_short(fault: &Fault) -> String {
    let mut parts = vec![fault.what.trim_end_matches('.').to_owned()];
    if let Some(code) = fault.code.as_ref().filter(|c| !c.is_silent()) {
        let text = format!("{} {}", code.code, code.message);
        parts.push(text.trim().trim_end_matches('.').to_owned());
    }
    let mut text = parts.join(": ");
    if !fault.advice.is_empty() {
        text.push_str(". ");
        text.push_str(&fault.advice);
    }
    text
}

/// An action waiting for yes or no.
#[derive(Debug)]
pub struct Confirm {
    /// What it is for.
    pub verb: Verb,
    /// What menus call it.
    pub label: String,
    /// The pane on which the things are marked, to take their marks off.
    pub bulk: bool,
    /// Whether it is shown whatever its danger.
    pub showing: Showing,
    /// Not yet asked.
    pub queue: VecDeque<(Thing, String, Intent)>,
    /// Asked, not yet answered.
    pub asked: Vec<(AskId, Thing, String)>,
    /// Ready to be sent, in the order of the list.
    pub items: Vec<Item>,
    /// What is left out and why.
    pub left_out: Vec<(String, String)>,
    /// How many things were wanted.
    pub wanted: usize,
    /// What is typed, where something has to be.
    pub typed: Line,
    /// What was typed is wrong.
    pub error: Option<String>,
    /// Lines scrolled.
    pub scroll: usize,
}

impl Confirm {
    /// A question about these intents.
    #[must_use]
    pub fn new(
        verb: Verb,
        label: String,
        intents: Vec<(Thing, String, Intent)>,
        left_out: Vec<(String, String)>,
        bulk: bool,
        showing: Showing,
    ) -> Self {
        Self {
            verb,
            label,
            bulk,
            showing,
            wanted: intents.len() + left_out.len(),
            queue: intents.into(),
            asked: Vec::new(),
            items: Vec::new(),
            left_out,
            typed: Line::default(),
            error: None,
            scroll: 0,
        }
    }

    /// The next questions to ask, within the number allowed at the same time.
    pub fn next(&mut self, mut fresh: impl FnMut() -> AskId) -> Vec<(AskId, Intent)> {
        let mut out = Vec::new();
        while self.asked.len() < ASKED_AT_ONCE
            && let Some((thing, name, intent)) = self.queue.pop_front()
        {
            let ask = fresh();
            self.asked.push((ask, thing, name));
            out.push((ask, intent));
        }
        out
    }

    /// Takes an answer; says whether the question was one of ours. The same request is never kept twice:
    /// two failed tasks of one plan are one retry of the plan.
    pub fn take(&mut self, ask: AskId, result: Result<Box<Prepared>, Fault>) -> bool {
        let Some(at) = self.asked.iter().position(|(a, ..)| *a == ask) else {
            return false;
        };
        let (_, thing, name) = self.asked.remove(at);
        match result {
            Ok(prepared) => {
                let twin = self.items.iter().find(|i| {
                    i.prepared.intent.service == prepared.intent.service
                        && i.prepared.requests == prepared.requests
                });
                match twin {
                    Some(twin) => self
                        .left_out
                        .push((name, format!("the same request as for {}", twin.name))),
                    None => self.items.push(Item {
                        thing,
                        name,
                        prepared,
                    }),
                }
            }
            Err(fault) => self.left_out.push((name, in_short(&fault))),
        }
        true
    }

    /// Every question was answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.queue.is_empty() && self.asked.is_empty()
    }

    /// The highest danger among what would be sent.
    #[must_use]
    pub fn danger(&self) -> Danger {
        self.items
            .iter()
            .map(|i| i.prepared.danger)
            .max()
            .unwrap_or(Danger::None)
    }

    /// True when it is sent as soon as the requests are known.
    #[must_use]
    pub fn goes_at_once(&self) -> bool {
        self.danger() == Danger::None && !self.bulk && self.showing == Showing::IfDangerous
    }

    /// What has to be typed before it is sent, if anything: the target's name, or for many the verb and
    /// their number.
    #[must_use]
    pub fn to_type(&self) -> Option<String> {
        if self.danger() < Danger::TypeName {
            return None;
        }
        match self.items.as_slice() {
            [] => None,
            [one] => Some(Operator::name_to_type(&one.prepared).to_owned()),
            many => Some(format!("{} {}", self.verb.word(), many.len())),
        }
    }

    /// True while keys go into the line.
    #[must_use]
    pub fn wants_typing(&self) -> bool {
        self.is_ready() && self.to_type().is_some()
    }
}
