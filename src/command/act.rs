//! `keepwatch run`, `cancel`, `retry`, `clear`, `enable`, `disable` and `act`: actions without a screen, behind the same
//! guard and with the same preview as in the console.
//!
//! Everything is found and prepared first; when one target can't be, nothing is sent at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::catalog::{Catalog, Question};
use crate::config::Config;
use crate::model::{
    ActionSpec, CodeRef, Danger, InputKind, Intent, Kind, TargetKind, Timestamp, Verb,
};
use crate::operate::{Confirmed, Operator, Stage};
use crate::query::Query;
use crate::store::Store;
use crate::watch::{Want, collect};

use super::cli::{ActArgs, ActionArgs, Common, On, TextOrJson, VerbArgs};
use super::history::resume;
use super::list::{complain_of, states};
use super::outcome::{Outcome, Planned, argument, preview};
use super::services::Services;
use super::target::{Found, find};
use super::{Exit, bulk, explain, history, output, runtime, site};

/// What the command line asks to be done.
pub(super) struct Wanted<'a> {
    /// What for.
    pub verb: Verb,
    /// Which action, where that was said.
    pub action: Option<&'a str>,
    /// Which sort of thing the targets are, where that is known.
    pub sort: Option<TargetKind>,
    /// On what, and how.
    pub args: &'a ActArgs,
    /// How the command begins, to be written again for the rest.
    pub command: String,
}

/// Carries out a verb.
#[must_use]
pub fn by_verb(verb: Verb, args: &VerbArgs, common: &Common) -> Exit {
    run(&args.on, common, |_| {
        let word = match verb {
            Verb::Trigger => "run",
            _ => verb.word(),
        };
        let action = args.action.as_deref();
        let which = action.map_or_else(String::new, |id| format!(" --action {}", argument(id)));
        Ok(Wanted {
            verb,
            action,
            sort: args.on.sort.map(On::kind),
            args: &args.on,
            command: format!("{word}{which}"),
        })
    })
}

/// Carries out an action by its id.
#[must_use]
pub fn by_id(args: &ActionArgs, common: &Common) -> Exit {
    run(&args.on, common, |services| {
        let (verb, sort) = meaning(services, &args.id)?;
        Ok(Wanted {
            verb,
            action: Some(&args.id),
            sort: args.on.sort.map(On::kind).or(sort),
            args: &args.on,
            command: format!("act {}", argument(&args.id)),
        })
    })
}

/// What this id means on the services: its verb, and which sort of thing it is for where that is the same everywhere.
/// Complains when nothing is called so, and when it is for one thing on one service and for another on the next.
fn meaning(services: &Services, id: &str) -> Result<(Verb, Option<TargetKind>), Exit> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut verbs: Vec<(Verb, &str)> = Vec::new();
    let mut sorts: Vec<TargetKind> = Vec::new();
    for watched in &services.watched {
        for spec in watched.connector.actions() {
            known.insert(spec.id);
            if spec.id != id {
                continue;
            }
            if !verbs.iter().any(|(verb, _)| *verb == spec.verb) {
                verbs.push((spec.verb, &watched.service.name));
            }
            if !sorts.contains(&spec.target) {
                sorts.push(spec.target);
            }
        }
    }
    match verbs.as_slice() {
        [(verb, _)] => {
            let sort = match sorts.as_slice() {
                [one] => Some(*one),
                _ => None,
            };
            return Ok((*verb, sort));
        }
        [] => {
            let known: Vec<&str> = known.into_iter().collect();
            output::complain(&format!(
                "{id}: no service has an action of this id; keepwatch actions lists them. {}",
                crate::tomlread::one_of(id, &known)
            ));
        }
        several => {
            let means = several
                .iter()
                .map(|(verb, on)| format!("{} on {on}", verb.word()));
            output::complain(&format!(
                "{id} is to {}: choose with --service",
                means.collect::<Vec<_>>().join(", ")
            ));
        }
    }
    Err(Exit::Usage)
}

fn run<'a>(
    args: &'a ActArgs,
    common: &Common,
    wanted: impl FnOnce(&Services) -> Result<Wanted<'a>, Exit>,
) -> Exit {
    let catalog = Arc::new(site::catalog(common.config.as_deref()));
    let settings = match history::settings(common) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    runtime()
        .and_then(|runtime| {
            runtime.block_on(act(args, common.read_only, settings, catalog, wanted))
        })
        .unwrap_or_else(|exit| exit)
}

async fn act<'a>(
    args: &'a ActArgs,
    read_only: bool,
    settings: Config,
    catalog: Arc<Catalog>,
    wanted: impl FnOnce(&Services) -> Result<Wanted<'a>, Exit>,
) -> Result<Exit, Exit> {
    let inputs = inputs(&args.inputs)?;
    // a mistake is said before any service is asked
    let filter = args.filter.as_deref().map(query).transpose()?;
    let services = Services::open(settings, &args.asked.service, read_only).await?;
    let wanted = wanted(&services)?;
    services.say_if_embedded();
    let wait = args.asked.patience.limit();
    let store = collect(&services.watched, Want::All, wait).await;
    let kept = history::open(&services.config.history, services.embedded.is_some());
    history::say_notices(&*kept);
    let store = resume::keep(store, &kept).await?;
    let (events, mut stages) = mpsc::unbounded_channel();
    let operator = services.operator(&catalog, events, kept);
    resume::look_after(&operator, &store, &mut stages).await;
    if let Some(query) = filter {
        let plan = bulk::plan(&store, &operator, &wanted, query, &inputs).await;
        complain_of(&states(&store, Timestamp::now()));
        return many(&operator, &wanted, plan, &mut stages).await;
    }
    let mut planned = Vec::new();
    let mut problems = false;
    for text in &args.targets {
        let prepared = match resolve(&services, &store, &operator, &wanted, text) {
            Ok((found, spec)) => match intent(&found, &spec, &inputs) {
                Ok(intent) => operator.prepare(&intent).await.map_err(|fault| {
                    let kind = store.service(found.service).service.kind;
                    let name = &found.target.name;
                    format!(
                        "{name}: {fault}{}",
                        why(&catalog, kind, fault.code.as_ref())
                    )
                }),
                Err(why) => Err(why),
            },
            Err(why) => Err(why),
        };
        match prepared {
            Ok(prepared) => planned.push(Planned::new(&store, prepared)),
            Err(why) => {
                problems = true;
                output::complain(&why);
            }
        }
    }
    if problems {
        let all = states(&store, Timestamp::now());
        complain_of(&all);
        if args.targets.len() > 1 {
            output::complain("nothing was sent");
        }
        return Err(Exit::Failure);
    }
    if args.dry_run {
        return Ok(write(args, true, &planned, &[]));
    }
    let confirmed = confirm(&operator, args, &planned)?;
    let mut outcomes = Vec::new();
    for confirmed in confirmed {
        let kind = confirmed.prepared().intent.service;
        let kind = store.service(kind).service.kind;
        let outcome = send(&operator, confirmed, &mut stages, args.form.output).await;
        let explained = why(&catalog, kind, outcome.refusal());
        if args.form.output == TextOrJson::Text && !explained.is_empty() {
            output::complain(&format!("refused:{explained}"));
        }
        outcomes.push(outcome);
    }
    let written = write(args, false, &planned, &outcomes);
    if written != Exit::Ok {
        return Ok(written);
    }
    Ok(outcomes.iter().map(Outcome::exit).max().unwrap_or(Exit::Ok))
}

fn query(text: &str) -> Result<Query, Exit> {
    Query::parse(text).map_err(|e| {
        output::complain(&format!("--where: {e}"));
        Exit::Usage
    })
}

/// Everything that a filter found, behind one yes.
async fn many(
    operator: &Operator,
    wanted: &Wanted<'_>,
    plan: bulk::Plan,
    stages: &mut mpsc::UnboundedReceiver<crate::operate::ActionEvent>,
) -> Result<Exit, Exit> {
    let (verb, args) = (wanted.verb, wanted.args);
    let text = args.form.output == TextOrJson::Text;
    if plan.ready.is_empty() {
        let shown = bulk::show(&plan, verb);
        output::complain(if plan.left_out.is_empty() {
            "the filter finds nothing"
        } else {
            shown.trim_end()
        });
        return Err(Exit::Failure);
    }
    if args.dry_run {
        if text {
            return Ok(output::print(&format!(
                "{}\nNothing was sent.\n",
                bulk::show(&plan, verb)
            )));
        }
        return Ok(write(args, true, &plan.ready, &[]));
    }
    let at_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let confirmed = bulk::confirm(operator, wanted, &plan, at_terminal)?;
    let outcomes = bulk::send(operator, confirmed, stages, args.form.output).await;
    let written = write(args, false, &plan.ready, &outcomes);
    if text {
        output::complain(bulk::sum(wanted, &plan, &outcomes).trim_end());
    }
    if written != Exit::Ok {
        return Ok(written);
    }
    Ok(outcomes.iter().map(Outcome::exit).max().unwrap_or(Exit::Ok))
}

fn inputs(pairs: &[String]) -> Result<BTreeMap<String, String>, Exit> {
    let mut all = BTreeMap::new();
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            output::complain(&format!("--input {pair}: expected NAME=VALUE"));
            return Err(Exit::Usage);
        };
        all.insert(name.trim().to_owned(), value.to_owned());
    }
    Ok(all)
}

/// The one thing that `text` means and the one action for it; or the sentence that says why there is none.
fn resolve(
    services: &Services,
    store: &Store,
    operator: &Operator,
    wanted: &Wanted<'_>,
    text: &str,
) -> Result<(Found, ActionSpec), String> {
    let verb = wanted.verb;
    let sorts = |id| -> Vec<TargetKind> {
        let Some(watched) = services.watched.iter().find(|w| w.service.id == id) else {
            return Vec::new();
        };
        let specs = watched.connector.actions().iter();
        specs
            .filter(|a| a.verb == verb && wanted.sort.is_none_or(|sort| sort == a.target))
            .map(|a| a.target)
            .collect()
    };
    let mut found = find(store, text, verb, sorts);
    if found.len() > 1 {
        let mut all: Vec<String> = found.iter().take(5).map(|f| f.label(store)).collect();
        if found.len() > all.len() {
            all.push(format!("and {} more", found.len() - all.len()));
        }
        return Err(format!(
            "{text}: {} things are called so; give the id, --service or --on: {}",
            found.len(),
            all.join("; ")
        ));
    }
    let Some(found) = found.pop() else {
        return Err(nothing_found(services, verb, text));
    };
    let spec = choose(operator, wanted, &found).map_err(|why| {
        format!(
            "{text}: can't {} {}: {why}",
            wanted.action.unwrap_or(verb.word()),
            found.label(store)
        )
    })?;
    Ok((found, spec))
}

/// The one action of the verb that can be done on this now; or why there is none.
pub(super) fn choose(
    operator: &Operator,
    wanted: &Wanted<'_>,
    found: &Found,
) -> Result<ActionSpec, String> {
    let offers = operator.offers(found.service, &found.target);
    let offers: Vec<_> = offers
        .into_iter()
        .filter(|o| {
            o.verb == wanted.verb
                && wanted
                    .action
                    .is_none_or(|id| o.action.as_ref().is_some_and(|a| a.id == id))
        })
        .collect();
    let (possible, blocked): (Vec<_>, Vec<_>) = offers
        .into_iter()
        .partition(|o| o.blocked.is_none() && o.action.is_some());
    match possible.as_slice() {
        [one] => one.action.clone().ok_or_else(|| "not offered".to_owned()),
        [] => {
            let why: Vec<String> = blocked.into_iter().filter_map(|o| o.blocked).collect();
            Err(if why.is_empty() {
                "no such action".to_owned()
            } else {
                why.join("; ")
            })
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .filter_map(|o| Some(format!("{} ({})", o.action.as_ref()?.id, o.label)))
                .collect();
            Err(format!(
                "several actions fit; choose one with --action: {}",
                ids.join(", ")
            ))
        }
    }
}

/// Nothing is called so: because no service offers the verb at all, or because the name is wrong.
fn nothing_found(services: &Services, verb: Verb, text: &str) -> String {
    let mut reasons = Vec::new();
    for watched in &services.watched {
        let support = watched.connector.capabilities().of(verb);
        if support.is_offered() {
            return format!(
                "{text}: nothing called so that one could {}; see keepwatch list for names and ids",
                verb.word()
            );
        }
        reasons.push(format!("{}: {}", watched.service.name, support.remark()));
    }
    format!("{text}: can't {} ({})", verb.word(), reasons.join("; "))
}

/// What is wanted, with the inputs checked.
pub(super) fn intent(
    found: &Found,
    spec: &ActionSpec,
    inputs: &BTreeMap<String, String>,
) -> Result<Intent, String> {
    let mut own = BTreeMap::new();
    for input in spec.inputs {
        let value = inputs.get(input.name);
        match value {
            None if input.required => {
                return Err(format!(
                    "{} needs --input {}={}: {}",
                    spec.id,
                    input.name,
                    accepted(input.kind),
                    input.ask
                ));
            }
            None => {}
            Some(value) if accepts(input.kind, value) => {
                own.insert(input.name.to_owned(), value.clone());
            }
            Some(value) => {
                return Err(format!(
                    "--input {}={value}: expected {}",
                    input.name,
                    accepted(input.kind)
                ));
            }
        }
    }
    if let Some(unknown) = inputs.keys().find(|k| !own.contains_key(*k)) {
        let known: Vec<&str> = spec.inputs.iter().map(|i| i.name).collect();
        return Err(format!(
            "--input {unknown}: {} takes no such input. {}",
            spec.id,
            crate::tomlread::one_of(unknown, &known)
        ));
    }
    Ok(Intent {
        service: found.service,
        action: spec.id,
        target: found.target.clone(),
        inputs: own,
    })
}

/// What the catalog says of a refusal, on lines of its own; empty when there is no code.
fn why(catalog: &Catalog, kind: Kind, code: Option<&CodeRef>) -> String {
    let Some(code) = code.filter(|c| !c.code.is_empty()) else {
        return String::new();
    };
    let question = Question::from_code(Some(kind.name()), code);
    let mut out = String::new();
    for reading in catalog.explain(&question) {
        out.push('\n');
        explain::card(&mut out, &reading.entry, output::width());
    }
    out
}

/// What an input accepts, as on the command line.
pub(super) fn accepted(kind: InputKind) -> String {
    match kind {
        InputKind::Text => "TEXT".to_owned(),
        InputKind::Number => "NUMBER".to_owned(),
        InputKind::YesNo => "yes|no".to_owned(),
        InputKind::OneOf(words) => words.join("|"),
    }
}

fn accepts(kind: InputKind, value: &str) -> bool {
    match kind {
        InputKind::Text => true,
        InputKind::Number => value.parse::<u64>().is_ok(),
        InputKind::YesNo => matches!(value, "yes" | "no"),
        InputKind::OneOf(words) => words.contains(&value),
    }
}

/// Turns the plan into what may be sent: by --yes and --confirm, or by asking the person at the terminal.
fn confirm(
    operator: &Operator,
    args: &ActArgs,
    planned: &[Planned],
) -> Result<Vec<Confirmed>, Exit> {
    let at_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let asks = |p: &Planned| match p.prepared.danger {
        Danger::None => false,
        Danger::Confirm => !args.yes,
        Danger::TypeName => !args
            .confirm
            .iter()
            .any(|name| name == Operator::name_to_type(&p.prepared)),
    };
    let mut confirmed = Vec::new();
    let mut said_yes = args.yes;
    for p in planned {
        let name = Operator::name_to_type(&p.prepared).to_owned();
        let mut typed = args.confirm.iter().find(|c| **c == name).cloned();
        if asks(p) && !(said_yes && p.prepared.danger == Danger::Confirm) {
            let mut err = std::io::stderr().lock();
            // whoever confirms has to have seen what is sent
            let _ = err.write_all(preview(p, output::width()).as_bytes());
            drop(err);
            if !at_terminal {
                output::complain(&match p.prepared.danger {
                    Danger::TypeName => {
                        format!("nothing was sent; add --confirm {name} to send this")
                    }
                    _ => "nothing was sent; add --yes to send this".to_owned(),
                });
                return Err(Exit::Usage);
            }
            let answer = ask(match p.prepared.danger {
                Danger::TypeName => &name,
                _ => "yes",
            })?;
            match p.prepared.danger {
                Danger::TypeName => typed = Some(answer),
                _ if answer == "yes" => said_yes = planned.len() == 1,
                _ => {
                    output::complain("nothing was sent");
                    return Err(Exit::Failure);
                }
            }
        }
        match operator.confirm(p.prepared.clone(), typed.as_deref()) {
            Ok(one) => confirmed.push(one),
            Err(e) => {
                output::complain(&format!("nothing was sent: {e}"));
                return Err(Exit::Usage);
            }
        }
    }
    Ok(confirmed)
}

/// Asks the person at the terminal to type this; gives what was typed.
pub(super) fn ask(wanted: &str) -> Result<String, Exit> {
    let mut err = std::io::stderr().lock();
    let question = format!("Type {wanted} to send this: ");
    let _ = err
        .write_all(question.as_bytes())
        .and_then(|()| err.flush());
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(_) => Ok(line.trim().to_owned()),
        Err(e) => {
            output::complain(&format!("the answer can't be read: {e}; nothing was sent"));
            Err(Exit::Failure)
        }
    }
}

/// Sends one action and gives what came of it; a lost answer is looked into before this ends.
async fn send(
    operator: &Operator,
    confirmed: Confirmed,
    stages: &mut mpsc::UnboundedReceiver<crate::operate::ActionEvent>,
    form: TextOrJson,
) -> Outcome {
    let mut outcome = Outcome::default();
    let sending = operator.send(confirmed);
    tokio::pin!(sending);
    loop {
        tokio::select! {
            () = &mut sending => break,
            Some(event) = stages.recv() => note(&mut outcome, event, form),
        }
    }
    while let Ok(event) = stages.try_recv() {
        note(&mut outcome, event, form);
    }
    outcome
}

fn note(outcome: &mut Outcome, event: crate::operate::ActionEvent, form: TextOrJson) {
    if form == TextOrJson::Text {
        match &event.stage {
            Stage::Sending { step } if !step.is_empty() => output::complain(step),
            Stage::Unknown { fault } => {
                output::complain(&format!(
                    "the answer was lost ({fault}); looking for signs of it"
                ));
            }
            _ => {}
        }
    }
    outcome.take(event);
}

fn write(args: &ActArgs, dry_run: bool, planned: &[Planned], outcomes: &[Outcome]) -> Exit {
    match args.form.output {
        TextOrJson::Json => super::outcome::write_json(dry_run, planned, outcomes),
        TextOrJson::Text => super::outcome::write_text(dry_run, planned, outcomes),
    }
}
