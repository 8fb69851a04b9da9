//! Where the addresses of a connector's calls come from.

use crate::connect::{Connector, Endpoint, Provenance};

use super::step::{State, Step};
use super::visit::Visit;

/// A step for each call of a kind whose vendor does not publish every address.
pub fn steps(visit: &mut Visit, connector: &dyn Connector) {
    for endpoint in connector.endpoints() {
        visit.push(step(&endpoint));
    }
}

fn step(endpoint: &Endpoint) -> Step {
    let address = format!("{} {}", endpoint.method, endpoint.path);
    let with_remark = |text: String| {
        if endpoint.remark.is_empty() {
            text
        } else {
            format!("{text}: {}", endpoint.remark)
        }
    };
    let (state, detail) = match endpoint.provenance {
        Provenance::Documented => (State::Ok, String::new()),
        Provenance::Configured => (
            State::Ok,
            with_remark(format!("{address} (from the configuration)")),
        ),
        Provenance::Inferred => (State::Inferred, with_remark(address)),
        Provenance::Unknown => (
            State::Unknown,
            with_remark("no document gives its address".to_owned()),
        ),
    };
    let mut step = Step::new("path", endpoint.capability, state, detail)
        .with("method", endpoint.method)
        .with("path", endpoint.path.as_str())
        .with("provenance", endpoint.provenance.word())
        .with("option", endpoint.option);
    if state != State::Ok && !endpoint.option.is_empty() {
        step = step.with_remedy(match state {
            State::Unknown => format!(
                "Give the address as option {} of this service, and the call is made.",
                endpoint.option
            ),
            _ => format!(
                "If it is not found, give the right one as option {} of this service.",
                endpoint.option
            ),
        });
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(provenance: Provenance, option: &'static str) -> Step {
        step(&Endpoint {
            capability: "Get all backup policies",
            method: "GET",
            path: "policies".into(),
            provenance,
            option,
            remark: "modelled on the others",
        })
    }

    #[test]
    fn a_guess_is_called_one_and_says_how_to_correct_it() {
        let guessed = of(Provenance::Inferred, "path_policies");
        assert_eq!(guessed.state.word(), "inferred");
        assert_eq!(guessed.detail, "GET policies: modelled on the others");
        assert!(guessed.remedy[0].contains("option path_policies"));
        let unknown = of(Provenance::Unknown, "path_policies");
        assert_eq!(unknown.state.word(), "unknown");
        assert!(unknown.remedy[0].contains("path_policies"));
        assert_eq!(of(Provenance::Inferred, "").remedy, Vec::<String>::new());
        let documented = of(Provenance::Documented, "path_policies");
        assert_eq!(
            (documented.state, documented.detail.as_str()),
            (State::Ok, "")
        );
    }
}
