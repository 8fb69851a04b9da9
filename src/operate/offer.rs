//! What can be done on a target, and why the rest can't.

use crate::connect::Connector;
use crate::model::{ActionSpec, ServiceId, Target, Verb};

use super::Guard;

/// One line of an action menu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What it is for.
    pub verb: Verb,
    /// The action; `None` when the kind has none for this verb and sort of target.
    pub action: Option<ActionSpec>,
    /// What the menu shows.
    pub label: String,
    /// Why it can't be done now; `None` when it can.
    pub blocked: Option<String>,
}

/// Every verb on `target`: the connector's actions with their state, and for verbs without one the reason.
pub fn offers(
    connector: &dyn Connector,
    guard: &Guard,
    service: ServiceId,
    target: &Target,
) -> Vec<Offer> {
    let capabilities = connector.capabilities();
    let mut offers = Vec::new();
    for verb in Verb::ALL {
        let mut any = false;
        for spec in connector
            .actions()
            .iter()
            .filter(|a| a.verb == verb && a.target == target.kind)
        {
            any = true;
            let blocked = guard
                .allows(service, spec)
                .map_err(|e| e.to_string())
                .and_then(|()| connector.available(spec, target))
                .err();
            offers.push(Offer {
                verb,
                action: Some(spec.clone()),
                label: spec.label.to_owned(),
                blocked,
            });
        }
        if !any {
            let support = capabilities.of(verb);
            let why = if support.is_offered() {
                elsewhere(connector, verb, target)
            } else {
                support.remark().to_owned()
            };
            offers.push(Offer {
                verb,
                action: None,
                label: title(verb),
                blocked: Some(why),
            });
        }
    }
    offers
}

/// The verb is offered, but not on this sort of thing: say where.
fn elsewhere(connector: &dyn Connector, verb: Verb, target: &Target) -> String {
    let mut places: Vec<&str> = connector
        .actions()
        .iter()
        .filter(|a| a.verb == verb)
        .map(|a| a.target.word())
        .collect();
    places.dedup();
    if places.is_empty() {
        format!(
            "not offered by {} for a {}",
            connector.kind(),
            target.kind.word()
        )
    } else {
        format!(
            "not on a {}: choose a {}",
            target.kind.word(),
            places.join(" or a ")
        )
    }
}

fn title(verb: Verb) -> String {
    let word = verb.word();
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
