//! One service being examined: the steps in order.

use std::sync::Arc;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::model::{Fault, Kind};

use super::step::{State, Step};

/// What an examination found.
#[derive(Serialize)]
pub struct Visit {
    name: Arc<str>,
    kind: &'static str,
    title: &'static str,
    embedded: bool,
    /// The address that is really asked, as far as it is known.
    pub endpoint: Option<String>,
    /// How all of it went.
    verdict: State,
    steps: Vec<Step>,
    #[serde(skip)]
    catalog: Arc<Catalog>,
    #[serde(skip)]
    of: Kind,
}

impl Visit {
    /// Before the first step.
    pub fn new(
        name: Arc<str>,
        kind: Kind,
        title: &'static str,
        embedded: bool,
        catalog: Arc<Catalog>,
    ) -> Self {
        Self {
            name,
            kind: kind.name(),
            title,
            embedded,
            endpoint: None,
            verdict: State::Ok,
            steps: Vec::new(),
            catalog,
            of: kind,
        }
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The product's short name.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The product's full name.
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// Whether it is a demo service of ours.
    pub const fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// [`State::Failed`] when any step failed, else [`State::Warning`] when any is worth a look, else
    /// [`State::Ok`].
    pub const fn verdict(&self) -> State {
        self.verdict
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many steps went so.
    pub fn count(&self, state: State) -> usize {
        self.steps.iter().filter(|s| s.state == state).count()
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.verdict = match (self.verdict, step.state) {
            (State::Failed, _) | (_, State::Failed) => State::Failed,
            (State::Warning, _) | (_, State::Warning) => State::Warning,
            (verdict, _) => verdict,
        };
        self.steps.push(step);
    }

    /// A step that failed, to be pushed.
    pub fn failure(&self, step: &'static str, name: impl Into<String>, fault: &Fault) -> Step {
        Step::failed(step, name, fault, &self.catalog, self.of)
    }

    /// Adds a step that failed.
    pub fn fail(&mut self, step: &'static str, name: impl Into<String>, fault: &Fault) {
        self.push(self.failure(step, name, fault));
    }

    /// Adds a step that was not looked at.
    pub fn skip(&mut self, step: &'static str, name: impl Into<String>, why: &str) {
        self.push(Step::new(step, name, State::Skipped, why));
    }
}
