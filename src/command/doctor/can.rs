//! What the product offers and what the configuration leaves of it.

use serde_json::json;

use crate::connect::{Capabilities, Connector, Support};
use crate::model::{ServiceId, Verb};
use crate::operate::Guard;

use super::step::{State, Step};
use super::visit::Visit;

/// A step for each need of an operator: the lists first, then the actions.
pub fn steps(visit: &mut Visit, connector: &dyn Connector, guard: &Guard, id: ServiceId) {
    let capabilities = connector.capabilities();
    for (name, support) in reads(capabilities) {
        visit.push(offered("capability", name, support));
    }
    for verb in Verb::ALL {
        let specs: Vec<_> = connector
            .actions()
            .iter()
            .filter(|a| a.verb == verb)
            .collect();
        let mut step = offered("action", verb.word(), capabilities.of(verb));
        if step.state != State::NotOffered
            && let Some(Err(why)) = specs.first().map(|spec| guard.allows(id, spec))
        {
            step.state = State::Forbidden;
            step.detail = why.to_string();
        }
        let actions: Vec<_> = specs
            .iter()
            .map(|a| json!({"id": a.id, "label": a.label, "target": a.target.word()}))
            .collect();
        visit.push(step.with("actions", actions));
    }
}

/// The capabilities that are no action.
fn reads(capabilities: &Capabilities) -> impl Iterator<Item = (&'static str, Support)> {
    capabilities.rows().into_iter().filter(|(name, _)| {
        // disable shares the capability of enable, so that the verbs name every action
        !Verb::ALL.iter().any(|verb| verb.word() == *name)
    })
}

fn offered(step: &'static str, name: &str, support: Support) -> Step {
    let state = match support {
        Support::Yes => State::Ok,
        Support::Partly(_) => State::Partly,
        Support::No(_) => State::NotOffered,
    };
    Step::new(step, name, state, support.remark())
}
