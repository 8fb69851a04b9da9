//! An action on everything that a filter finds: one list, one yes, a few at a time, a sum at the end.

use std::collections::{BTreeMap, HashMap, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use crate::model::{Danger, ServiceId, Target, TargetKind, Timestamp, Verb};
use crate::operate::{ActionEvent, ActionId, Confirmed, Operator, Stage};
use crate::query::{Noun, Query};
use crate::store::{DeviceRow, PolicyRow, Store, TaskRow, View};

use super::act::{Wanted, ask, choose, intent};
use super::cli::TextOrJson;
use super::outcome::{Outcome, Planned, argument, preview_line};
use super::target::{self, Found};
use super::{Exit, output};

/// How many requests are under way at the same time; the services' rate budgets pace them further.
const AT_ONCE: usize = 4;

/// What a filter found: ready to be sent, and what is left out with the reason.
#[derive(Default)]
pub(super) struct Plan {
    pub ready: Vec<Planned>,
    pub left_out: Vec<(String, String)>,
}

/// Finds and prepares. Nothing is changed at any service.
pub(super) async fn plan(
    store: &Store,
    operator: &Operator,
    wanted: &Wanted<'_>,
    query: Query,
    inputs: &BTreeMap<String, String>,
) -> Plan {
    let mut plan = Plan::default();
    let noun = noun(wanted.verb, wanted.sort);
    let view = View::found(noun, query, store, Timestamp::now());
    for row in view.slice(0..view.len()) {
        let found = found(store, view.noun(), *row);
        let label = found.label(store);
        match prepare(operator, wanted, inputs, &found).await {
            Ok(prepared) => {
                let twin = plan.ready.iter().find(|p| {
                    p.prepared.intent.service == prepared.intent.service
                        && p.prepared.requests == prepared.requests
                });
                match twin {
                    Some(twin) => {
                        let name = &twin.prepared.intent.target.name;
                        let why = format!("the same request as for {name}");
                        plan.left_out.push((label, why));
                    }
                    None => plan.ready.push(Planned::new(store, prepared)),
                }
            }
            Err(why) => plan.left_out.push((label, why)),
        }
    }
    plan
}

/// Which list the filter runs over.
fn noun(verb: Verb, sort: Option<TargetKind>) -> Noun {
    match (sort, verb) {
        (Some(TargetKind::Device), _) => Noun::Devices,
        (Some(TargetKind::Policy), _) => Noun::Policies,
        (_, Verb::Cancel) => Noun::Running,
        (_, Verb::Retry | Verb::Clear) => Noun::Failed,
        (Some(TargetKind::Task), _) | (None, Verb::Restore | Verb::Delete) => Noun::Tasks,
        (None, Verb::Trigger | Verb::Enable | Verb::Disable) => Noun::Policies,
    }
}

fn found(store: &Store, noun: Noun, row: u32) -> Found {
    match noun {
        Noun::Devices => {
            let row = DeviceRow(row);
            let service = store.device(row).service_id();
            of(service, target::device(store, row))
        }
        Noun::Policies => {
            let row = PolicyRow(row);
            let service = store.policy(row).service_id();
            of(service, target::policy(store, row))
        }
        Noun::Running | Noun::Failed | Noun::Tasks => {
            let row = TaskRow(row);
            let service = store.task(row).service_id();
            of(service, target::task(store, row))
        }
    }
}

const fn of(service: ServiceId, target: Target) -> Found {
    Found { service, target }
}

async fn prepare(
    operator: &Operator,
    wanted: &Wanted<'_>,
    inputs: &BTreeMap<String, String>,
    found: &Found,
) -> Result<crate::model::Prepared, String> {
    let spec = choose(operator, wanted, found)?;
    let intent = intent(found, &spec, inputs)?;
    operator.prepare(&intent).await.map_err(|fault| {
        let code = fault.code.as_ref().filter(|c| !c.code.is_empty());
        let code = code.map_or_else(String::new, |c| format!(" ({})", c.code));
        format!("{}{code}", fault.what)
    })
}

/// Shows what would be sent: a line each, and what is left out.
pub(super) fn show(plan: &Plan, verb: Verb) -> String {
    let width = output::width();
    let mut out = String::new();
    let wanted = plan.ready.len() + plan.left_out.len();
    output::wrap(
        &mut out,
        &format!("{} {} of {wanted}:", verb.word(), plan.ready.len()),
        width,
        "",
        "  ",
    );
    for planned in &plan.ready {
        output::wrap(&mut out, &preview_line(planned), width, "  ", "    ");
    }
    // what holds for many is said once
    let mut warnings: BTreeMap<&str, usize> = BTreeMap::new();
    for warning in plan.ready.iter().flat_map(|p| &p.prepared.warnings) {
        *warnings.entry(warning).or_default() += 1;
    }
    for (warning, n) in warnings {
        let on = if n > 1 {
            format!(" ({n})")
        } else {
            String::new()
        };
        output::wrap(&mut out, &format!("{warning}{on}"), width, "! ", "  ");
    }
    if !plan.left_out.is_empty() {
        out.push_str(&format!("left out, {}:\n", plan.left_out.len()));
        for (name, why) in &plan.left_out {
            output::wrap(&mut out, &format!("{name}: {why}"), width, "  ", "    ");
        }
    }
    out
}

/// Turns the plan into what may be sent. What wants a name typed wants verb and number for many.
pub(super) fn confirm(
    operator: &Operator,
    wanted: &Wanted<'_>,
    plan: &Plan,
    at_terminal: bool,
) -> Result<Vec<Confirmed>, Exit> {
    let (verb, args) = (wanted.verb, wanted.args);
    let danger = plan.ready.iter().map(|p| p.prepared.danger).max();
    let phrase = format!("{} {}", verb.word(), plan.ready.len());
    let given = match danger {
        Some(Danger::TypeName) => args.confirm.contains(&phrase),
        _ => args.yes,
    };
    if !given {
        output::complain(show(plan, verb).trim_end());
        if !at_terminal {
            output::complain(&match danger {
                Some(Danger::TypeName) => {
                    format!("nothing was sent; add --confirm '{phrase}' to send these")
                }
                _ => "nothing was sent; add --yes to send these".to_owned(),
            });
            return Err(Exit::Usage);
        }
        let wanted = if danger == Some(Danger::TypeName) {
            phrase.as_str()
        } else {
            "yes"
        };
        if ask(wanted)? != wanted {
            output::complain("nothing was sent");
            return Err(Exit::Failure);
        }
    }
    let mut confirmed = Vec::new();
    for planned in &plan.ready {
        // the phrase that was typed for many stands for each of their names
        let name = Operator::name_to_type(&planned.prepared).to_owned();
        let typed = (planned.prepared.danger == Danger::TypeName).then_some(name.as_str());
        match operator.confirm(planned.prepared.clone(), typed) {
            Ok(one) => confirmed.push(one),
            Err(e) => {
                output::complain(&format!("nothing was sent: {e}"));
                return Err(Exit::Usage);
            }
        }
    }
    Ok(confirmed)
}

/// Sends a few at a time, each once. Ctrl-C holds back what was not sent yet; what is under way is
/// followed until its fate is known.
pub(super) async fn send(
    operator: &Operator,
    confirmed: Vec<Confirmed>,
    stages: &mut mpsc::UnboundedReceiver<ActionEvent>,
    form: TextOrJson,
) -> Vec<Outcome> {
    let total = confirmed.len();
    let places: HashMap<ActionId, usize> = confirmed
        .iter()
        .enumerate()
        .map(|(n, c)| (c.id(), n))
        .collect();
    let mut outcomes = vec![Outcome::default(); total];
    let mut waiting: VecDeque<Confirmed> = confirmed.into();
    let mut under_way = FuturesUnordered::new();
    let mut answered = 0;
    let mut stopped = false;
    loop {
        while !stopped
            && under_way.len() < AT_ONCE
            && let Some(next) = waiting.pop_front()
        {
            under_way.push(operator.send(next));
        }
        if under_way.is_empty() {
            break;
        }
        tokio::select! {
            Some(()) = under_way.next() => {
                answered += 1;
                if form == TextOrJson::Text {
                    output::progress(&format!("{answered} of {total} answered"));
                }
            }
            Some(event) = stages.recv() => take(&mut outcomes, &places, event),
            _ = tokio::signal::ctrl_c(), if !stopped => {
                stopped = true;
                output::complain(&format!(
                    "stopped: {} not sent; waiting for the answers of {}",
                    waiting.len(),
                    under_way.len()
                ));
            }
        }
    }
    while let Ok(event) = stages.try_recv() {
        take(&mut outcomes, &places, event);
    }
    outcomes
}

fn take(outcomes: &mut [Outcome], places: &HashMap<ActionId, usize>, event: ActionEvent) {
    if let Some(outcome) = places.get(&event.id).and_then(|n| outcomes.get_mut(*n)) {
        outcome.take(event);
    }
}

/// How many came to what, and how to ask again for the rest. What may have been carried out is not
/// among it.
pub(super) fn sum(wanted: &Wanted<'_>, plan: &Plan, outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rest = Vec::new();
    for (planned, outcome) in plan.ready.iter().zip(outcomes) {
        let word = outcome.stage().map_or("not sent", Stage::word);
        *counts.entry(word).or_default() += 1;
        if outcome.was_surely_not_done() {
            rest.push(planned.target_argument());
        }
    }
    let counts: Vec<String> = counts.iter().map(|(w, n)| format!("{n} {w}")).collect();
    let mut out = format!(
        "{} on {}: {}\n",
        wanted.verb.word(),
        outcomes.len(),
        counts.join(", ")
    );
    if !rest.is_empty() {
        let mut command = wanted.command.clone();
        if let Some(on) = wanted.args.sort {
            command.push_str(&format!(" --on {}", on.kind().word()));
        }
        for input in &wanted.args.inputs {
            command.push_str(&format!(" --input {}", argument(input)));
        }
        out.push_str(&format!(
            "again for the rest: keepwatch {command} {}\n",
            rest.join(" ")
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::command::cli::{Cli, Command};
    use crate::model::{Intent, Kind, Policy, Prepared, Rows, Service};

    #[test]
    fn the_rest_is_asked_for_with_all_that_was_said() {
        let mut store = Store::new(vec![Service {
            id: ServiceId(0),
            name: "eu".into(),
            kind: Kind("csbs"),
            embedded: false,
            read_only: false,
        }]);
        let policies = ["p1", "p2"].map(|id| Policy {
            id: id.to_owned(),
            ..Policy::default()
        });
        let rows = Rows {
            policies: policies.into(),
            ..Rows::default()
        };
        store.apply(ServiceId(0), "policies", 0, rows, Timestamp(0));
        let prepared = |id: &str| Prepared {
            intent: Intent {
                service: ServiceId(0),
                action: "enable",
                target: {
                    let row = store.find_policy(ServiceId(0), id).expect("listed");
                    target::policy(&store, row)
                },
                inputs: BTreeMap::new(),
            },
            requests: Vec::new(),
            effect: String::new(),
            warnings: Vec::new(),
            danger: Danger::Confirm,
            acts_on: None,
            retry_advice: None,
            idempotency_token: None,
            plan: serde_json::Value::Null,
        };
        let plan = Plan {
            ready: ["p1", "p2"]
                .map(|id| Planned::new(&store, prepared(id)))
                .into(),
            left_out: Vec::new(),
        };
        let line = ["keepwatch", "enable", "--where", "x", "--on", "policy"];
        let cli = Cli::try_parse_from(line.into_iter().chain(["--input", "size=a b"]));
        let Some(Command::Enable(args)) = cli.expect("a command line").command else {
            panic!("another command");
        };
        let wanted = Wanted {
            verb: Verb::Enable,
            action: None,
            sort: Some(TargetKind::Policy),
            args: &args.on,
            command: "enable".to_owned(),
        };
        let outcomes = vec![Outcome::default(); 2];
        let said = sum(&wanted, &plan, &outcomes);
        let again = "keepwatch enable --on policy --input 'size=a b' eu/p1 eu/p2";
        assert!(said.contains(again), "{said}");
        // as it is written it can be given
        assert!(Cli::try_parse_from(["keepwatch", "enable", "--on", "policy", "eu/p1"]).is_ok());
    }
}
