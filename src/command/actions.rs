//! `keepwatch actions`: everything that the services offer to be done, by the ids that `keepwatch act` takes. No
//! service is asked.

use serde::Serialize;

use super::act::accepted;
use super::cli::{ActionsArgs, Common, TableOrJson};
use super::services::Services;
use super::table::Table;
use super::{Exit, history, output, runtime};
use crate::model::ActionSpec;

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.actions.1";

/// Carries out `keepwatch actions`.
#[must_use]
pub fn run(args: &ActionsArgs, common: &Common) -> Exit {
    let settings = match history::settings(common) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let opened = runtime().and_then(|runtime| {
        let services = Services::open(settings, &args.service, common.read_only);
        let services = runtime.block_on(services)?;
        services.say_if_embedded();
        Ok(list(&services))
    });
    let actions = match opened {
        Ok(actions) => actions,
        Err(exit) => return exit,
    };
    match args.form.output {
        TableOrJson::Json => output::print_json(&ActionsJson {
            schema: SCHEMA,
            actions: &actions,
        }),
        TableOrJson::Table => output::print(&table(&actions)),
    }
}

/// Every action of each kind once, with the services that have it.
fn list(services: &Services) -> Vec<Listed> {
    let mut all: Vec<Listed> = Vec::new();
    for watched in &services.watched {
        let kind = watched.connector.kind().name();
        for spec in watched.connector.actions() {
            let on = On {
                name: watched.service.name.to_string(),
                forbidden: services
                    .guard
                    .allows(watched.service.id, spec)
                    .err()
                    .map(|why| why.to_string()),
            };
            match all.iter_mut().find(|l| l.kind == kind && l.id == spec.id) {
                Some(listed) => listed.services.push(on),
                None => all.push(Listed::of(kind, spec, on)),
            }
        }
    }
    all
}

fn table(actions: &[Listed]) -> String {
    let mut table = Table::new(&[
        "ACTION", "KIND", "ON", "VERB", "CONFIRM", "INPUTS", "SERVICES", "WHAT",
    ]);
    for a in actions {
        let inputs = a.inputs.iter().map(|i| {
            let need = if i.required { "" } else { "?" };
            format!("{}{need}={}", i.name, i.accepts)
        });
        let services = a.services.iter().map(|s| match &s.forbidden {
            Some(_) => format!("{} (forbidden)", s.name),
            None => s.name.clone(),
        });
        table.row(vec![
            a.id.to_owned(),
            a.kind.to_owned(),
            a.on.to_owned(),
            a.verb.to_owned(),
            a.danger.to_owned(),
            inputs.collect::<Vec<_>>().join(" "),
            services.collect::<Vec<_>>().join(", "),
            a.label.to_owned(),
        ]);
    }
    table.finish()
}

#[derive(Serialize)]
struct ActionsJson<'a> {
    schema: &'static str,
    actions: &'a [Listed],
}

/// One action of a kind.
#[derive(Serialize)]
struct Listed {
    id: &'static str,
    kind: &'static str,
    on: &'static str,
    verb: &'static str,
    /// At the least: preparing it may ask for more.
    danger: &'static str,
    safe_to_repeat: bool,
    label: &'static str,
    inputs: Vec<InputJson>,
    services: Vec<On>,
}

impl Listed {
    fn of(kind: &'static str, spec: &ActionSpec, on: On) -> Self {
        let input = |i: &crate::model::Input| InputJson {
            name: i.name,
            ask: i.ask,
            accepts: accepted(i.kind),
            required: i.required,
        };
        Self {
            id: spec.id,
            kind,
            on: spec.target.word(),
            verb: spec.verb.word(),
            danger: spec.danger.word(),
            safe_to_repeat: spec.safe_to_repeat,
            label: spec.label,
            inputs: spec.inputs.iter().map(input).collect(),
            services: vec![on],
        }
    }
}

#[derive(Serialize)]
struct InputJson {
    name: &'static str,
    ask: &'static str,
    accepts: String,
    required: bool,
}

/// A service that has an action.
#[derive(Serialize)]
struct On {
    name: String,
    /// Why it is not sent there whatever the target; null where it may be.
    forbidden: Option<String>,
}
