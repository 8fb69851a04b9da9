//! `keepwatch list`: one round over the services, filtered and sorted as in the console.

use serde::Serialize;

use crate::catalog::Catalog;
use crate::config::paths;
use crate::console::live::saved_ui;
use crate::console::state::PaneId;
use crate::console::text::span;
use crate::model::{Health, Phase, Timestamp};
use crate::query::{Noun, Query};
use crate::store::history::History;
use crate::store::{self, DeviceRow, PolicyRow, Store, TaskRow, View};
use crate::watch::Want;

use super::cli::{Common, ListArgs, ListWhat, TableOrJson};
use super::item::{AckJson, Item, NoteJson, Party, filled, instant};
use super::services::Round;
use super::table::{Table, when};
use super::{Exit, groups, history, output, past, rpo, site};

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.list.1";

/// Carries out `keepwatch list`.
#[must_use]
pub fn run(args: &ListArgs, common: &Common) -> Exit {
    let filter = match &args.view {
        None => args.filter.clone(),
        Some(name) => match saved_view(args.what.noun(), name) {
            Ok(filter) => Some(filter),
            Err(why) => {
                output::complain(&why);
                return Exit::Usage;
            }
        },
    };
    let query = match filter.as_deref().map(Query::parse).transpose() {
        Ok(query) => query.unwrap_or_default(),
        Err(e) => {
            output::complain(&format!("--where: {e}"));
            return Exit::Usage;
        }
    };
    let catalog = site::catalog(common.config.as_deref());
    let settings = match history::settings(common) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    if args.by.is_some() && args.what != ListWhat::Failed {
        output::complain("--by goes with failed: only failed jobs are grouped");
        return Exit::Usage;
    }
    let utc = settings.ui.utc;
    if let Some(text) = &args.at {
        return match history::at::board(text, &args.asked.service, &settings) {
            Ok((mut store, at)) => {
                rpo::set(&mut store, &settings.rpo);
                let services = states_then(&store, at);
                show(args, &store, &catalog, query, &services, (at, true), utc)
            }
            Err(exit) => exit,
        };
    }
    let kept = settings.history.clone();
    let mut round = match Round::go(settings, &args.asked, want(args)) {
        Ok(round) => round,
        Err(exit) => return exit,
    };
    let opened = &round.services;
    let now = Timestamp::now();
    let services = states(&round.store, now);
    rpo::set(&mut round.store, &opened.config.rpo);
    let embedded = opened.embedded.is_some();
    let history = (!embedded || kept.named).then(|| history::open(&kept, embedded));
    if let Some(history) = &history {
        history::say_notices(&**history);
        match args.what {
            ListWhat::Tasks => past::take_remarks(&mut round.store, &**history, now),
            ListWhat::Failed => past::take_in(&mut round.store, opened, &**history, now, |task| {
                // whether a job that was taken has succeeded since
                task.phase == Phase::Succeeded
            }),
            _ => past::take_in(&mut round.store, opened, &**history, now, |_| true),
        }
    }
    let written = show(
        args,
        &round.store,
        &catalog,
        query,
        &services,
        (now, false),
        utc,
    );
    if let Some(history) = &history {
        history::resume::say_open(&**history);
    }
    keep(history.as_deref(), &round.store, args);
    partial(written, &services)
}

/// Writes the rows. `now`: the instant that they are of, and whether it is one of the past.
fn show(
    args: &ListArgs,
    store: &Store,
    catalog: &Catalog,
    query: Query,
    services: &[StateJson],
    (now, past): (Timestamp, bool),
    utc: bool,
) -> Exit {
    let noun = args.what.noun();
    let found: Vec<Item>;
    let total;
    if args.what == ListWhat::Backups {
        let all = by_risk(store, &query, now);
        total = all.len();
        let shown = all.into_iter().take(args.limit.unwrap_or(usize::MAX));
        found = shown
            .map(|party| match party {
                store::Party::Device(row) => device(store, row, now),
                store::Party::Policy(row) => policy(store, row, now),
            })
            .collect();
    } else {
        let mut view = View::new(noun);
        view.set_query(query);
        view.include_skipped_cancelled(args.skipped);
        view.refresh(store, now);
        if let Some(by) = args.by {
            let rows = view.slice(0..view.len()).iter().map(|row| TaskRow(*row));
            let groups = store.groups(rows, by.by());
            return groups::print(store, catalog, &groups, services, args, utc, now);
        }
        total = view.len();
        found = view
            .slice(0..args.limit.unwrap_or(usize::MAX).min(total))
            .iter()
            .map(|row| item(store, catalog, noun, *row, now))
            .collect();
    }
    let items = found;
    match args.form.output {
        TableOrJson::Json => output::print_json(&ListJson {
            schema: SCHEMA,
            generated_at: Timestamp::now().rfc3339(),
            at: past.then(|| now.rfc3339()),
            services,
            items: &items,
        }),
        TableOrJson::Table => {
            let text = match args.what {
                ListWhat::Backups => backups(&items, utc),
                _ => table(noun, &items, utc),
            };
            let written = output::print(&text);
            if total > items.len() {
                output::complain(&format!("{} of {total} shown", items.len()));
            }
            complain_of(services);
            written
        }
    }
}

/// Writes down what the round saw; the answer is out, so that it holds nobody up.
fn keep(history: Option<&dyn History>, store: &Store, args: &ListArgs) {
    if let Some(history) = history {
        history::keep_all(store, history, want(args) == Want::All);
        history.close();
    }
}

/// The exit code when something was written and not every service was read whole.
#[must_use]
pub fn partial(written: Exit, services: &[StateJson]) -> Exit {
    if written == Exit::Ok && services.iter().any(StateJson::is_partial) {
        return Exit::SomeUnreachable;
    }
    written
}

/// The filter that was saved in the console under this name for this list.
fn saved_view(noun: Noun, name: &str) -> Result<String, String> {
    let (saved, fault) = saved_ui(paths::ui_file().as_deref());
    if let Some(fault) = fault {
        return Err(fault);
    }
    let list = PaneId::of_noun(noun).word();
    let of_list = || saved.views.iter().filter(|v| v.list.pane == list);
    match of_list().find(|v| v.name == name) {
        Some(view) => Ok(view.list.filter.clone()),
        None => {
            let known: Vec<&str> = of_list().map(|v| v.name.as_str()).collect();
            let then = if known.is_empty() {
                "None is saved yet: the console's W saves one".to_owned()
            } else {
                crate::tomlread::one_of(name, &known)
            };
            Err(format!(
                "--view {name}: no view of {list} is saved under this name. {then}"
            ))
        }
    }
}

/// Devices and policies that the filter finds, the worst off first.
fn by_risk(store: &Store, query: &Query, now: Timestamp) -> Vec<store::Party> {
    let fits = |party: &store::Party| match *party {
        store::Party::Device(row) => query.matches(&store.device(row), now),
        store::Party::Policy(row) => query.matches(&store.policy(row), now),
    };
    let all = store.by_risk(now).into_iter().map(|(party, _)| party);
    all.filter(fits).collect()
}

/// What the services have to be asked for.
const fn want(args: &ListArgs) -> Want {
    match args.what {
        ListWhat::Failed if !args.skipped => Want::Failed,
        ListWhat::Running => Want::Live,
        _ => Want::All,
    }
}

#[derive(Serialize)]
struct ListJson<'a> {
    schema: &'static str,
    generated_at: String,
    /// The instant of the past that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    services: &'a [StateJson],
    items: &'a [Item],
}

/// How a service answered, for JSON.
#[derive(Serialize, Debug)]
pub struct StateJson {
    name: String,
    kind: &'static str,
    health: &'static str,
    /// Whole seconds since the last answer; null when there never was one.
    age_s: Option<i64>,
    /// Why it, or a part of it, could not be read.
    error: Option<String>,
}

impl StateJson {
    /// The user's name of the service.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The product.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// How it stands, in a word.
    #[must_use]
    pub const fn health(&self) -> &'static str {
        self.health
    }

    /// Why it, or a part of it, could not be read.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// True when it, or a part of it, could not be read.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.error.is_some()
    }
}

/// How every service answered.
pub fn states(store: &Store, now: Timestamp) -> Vec<StateJson> {
    store
        .services()
        .iter()
        .map(|s| {
            let down = match &s.health {
                Health::Down { fault, .. } => Some(fault.to_string()),
                Health::Limited { .. } => Some("the service asks to slow down".to_owned()),
                Health::Connecting => Some("no answer in time".to_owned()),
                Health::Fresh { .. } | Health::Stale { .. } => None,
            };
            let partial = || {
                let (feed, fault) = s.partial().next()?;
                let more = s.partial().count() - 1;
                let more = match more {
                    0 => String::new(),
                    n => format!(" (and {n} more)"),
                };
                Some(format!("a part of {feed} is missing: {fault}{more}"))
            };
            let unreadable = || match s.bad_rows().count() {
                0 => None,
                n => {
                    let (feed, row) = s.bad_rows().next()?;
                    Some(format!(
                        "{n} rows of {feed} can't be read; {}: {}",
                        row.place, row.why
                    ))
                }
            };
            StateJson {
                name: s.service.name.to_string(),
                kind: s.service.kind.name(),
                health: s.health.word(),
                age_s: s.health.last_ok().map(|at| now.since(at).max(0) / 1000),
                error: down.or_else(partial).or_else(unreadable),
            }
        })
        .collect()
}

/// How old what was known of every service was then.
fn states_then(store: &Store, at: Timestamp) -> Vec<StateJson> {
    let states = states(store, at);
    let known = |state: StateJson| StateJson {
        error: None,
        ..state
    };
    states.into_iter().map(known).collect()
}

/// Names every service that was not read whole on standard error.
pub fn complain_of(services: &[StateJson]) {
    for s in services {
        if let Some(error) = &s.error {
            output::complain(&format!("{} ({}) is {}: {error}", s.name, s.kind, s.health));
        }
    }
}

/// A row of a list with what the catalog says of it.
pub fn item(store: &Store, catalog: &Catalog, noun: Noun, row: u32, now: Timestamp) -> Item {
    match noun {
        Noun::Devices => device(store, DeviceRow(row), now),
        Noun::Policies => policy(store, PolicyRow(row), now),
        Noun::Running | Noun::Failed | Noun::Tasks => task(store, catalog, TaskRow(row), now),
    }
}

fn task(store: &Store, catalog: &Catalog, row: TaskRow, now: Timestamp) -> Item {
    let t = store.task(row);
    let mut item = Item {
        id: t.id().to_owned(),
        service: t.service_name().to_owned(),
        kind: t.kind().name().to_owned(),
        device: filled(t.device_label()),
        policy: filled(t.policy_label()),
        operation: filled(t.operation()),
        native_status: filled(t.native_status()),
        phase: Some(t.phase().word()),
        step: filled(t.step()),
        progress: t.progress(),
        started_at: instant(t.started_at()),
        updated_at: instant(t.updated_at()),
        ended_at: instant(t.ended_at()),
        ack: AckJson::of(&t),
        notes: NoteJson::of(&t),
        stuck_since: instant(store.stuck(row, now).map(|s| s.since)),
        slow_usual_s: store.slow(row, now).map(|usual| usual.ms / 1000),
        ..Item::default()
    };
    let failure = t.failure();
    item.explain(
        catalog,
        t.kind(),
        t.object(),
        t.native_status(),
        failure.as_ref(),
    );
    item
}

fn device(store: &Store, row: DeviceRow, now: Timestamp) -> Item {
    let d = store.device(row);
    let policies: Vec<&str> = store
        .policies_of_device(row)
        .map(|p| store.policy(p).name())
        .collect();
    let mut party = Party {
        name: d.name().to_owned(),
        what: d.what(),
        place: filled(d.place()),
        ..Party::default()
    };
    party.protection(store, store::Party::Device(row), now);
    Item {
        id: d.id().to_owned(),
        service: d.service_name().to_owned(),
        kind: d.kind().name().to_owned(),
        device: filled(d.name()),
        policy: filled(&policies.join(", ")),
        native_status: filled(d.native_status()),
        phase: d.stats().last_attempt_phase.map(Phase::word),
        party: Some(party),
        ..Item::default()
    }
}

fn policy(store: &Store, row: PolicyRow, now: Timestamp) -> Item {
    let p = store.policy(row);
    let mut party = Party {
        name: p.name().to_owned(),
        what: p.what(),
        enabled: p.enabled(),
        schedule: filled(p.schedule()),
        next_run_at: instant(p.next_run()),
        overdue_since: instant(p.overdue_since(now)),
        ..Party::default()
    };
    party.protection(store, store::Party::Policy(row), now);
    Item {
        id: p.id().to_owned(),
        service: p.service_name().to_owned(),
        kind: p.kind().name().to_owned(),
        policy: filled(p.name()),
        native_status: filled(p.native_status()),
        phase: p.stats().last_attempt_phase.map(Phase::word),
        party: Some(party),
        ..Item::default()
    }
}

/// Devices and policies by risk, for people.
fn backups(items: &[Item], utc: bool) -> String {
    let mut table = Table::new(&[
        "",
        "SERVICE",
        "WHAT",
        "NAME",
        "LAST GOOD",
        "TARGET",
        "FAILED IN A ROW",
        "14 NIGHTS",
        "GOOD",
        "USUALLY",
        "LAST TOOK",
        "REMARK",
    ]);
    let took = |s: Option<i64>| s.map_or_else(String::new, |s| span(s * 1000));
    for i in items {
        let Some(p) = &i.party else { continue };
        let mut remarks = Vec::new();
        if p.flapping {
            remarks.push("good and bad by turns".to_owned());
        }
        if let Some(due) = &p.silent_since {
            remarks.push(format!("did not fire at {}", when(Some(due), utc)));
        }
        table.row(vec![
            if p.overdue { "!" } else { "" }.to_owned(),
            i.service.clone(),
            if i.device.is_some() {
                "device"
            } else {
                "policy"
            }
            .to_owned(),
            p.name.clone(),
            last_good(p, utc),
            p.target_s.map_or_else(String::new, |s| span(s * 1000)),
            p.failures_in_a_row.to_string(),
            p.nights.clone(),
            p.good_percent.map_or_else(String::new, |n| format!("{n}%")),
            took(p.usual_s),
            took(p.last_took_s),
            remarks.join("; "),
        ]);
    }
    table.finish()
}

fn last_good(party: &Party, utc: bool) -> String {
    match party.last_good_at.as_deref() {
        _ if party.protected_now == Some(true) => "now".to_owned(),
        Some(t) => when(Some(t), utc),
        None => "never".to_owned(),
    }
}

/// The list for people.
fn table(noun: Noun, items: &[Item], utc: bool) -> String {
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let at = |t: &Option<String>| when(t.as_deref(), utc);
    let mut table = match noun {
        Noun::Devices => Table::new(&[
            "SERVICE",
            "DEVICE",
            "STATUS",
            "LAST GOOD",
            "LAST ATTEMPT",
            "PHASE",
            "FAILED IN A ROW",
            "POLICY",
        ]),
        Noun::Policies => Table::new(&[
            "SERVICE",
            "POLICY",
            "STATUS",
            "SCHEDULE",
            "NEXT",
            "LAST GOOD",
            "LAST ATTEMPT",
            "PHASE",
            "FAILED IN A ROW",
        ]),
        Noun::Failed => Table::new(&[
            "ENDED", "SERVICE", "DEVICE", "POLICY", "STATUS", "CODE", "RETRY", "TAKEN BY",
            "MEANING",
        ]),
        Noun::Running | Noun::Tasks => Table::new(&[
            "STARTED",
            "SERVICE",
            "DEVICE",
            "POLICY",
            "OPERATION",
            "PHASE",
            "STATUS",
            "STEP",
            "DONE",
            "ENDED",
            "CODE",
            "REMARK",
        ]),
    };
    for i in items {
        let party = i.party.as_ref();
        let good = party.map_or_else(String::new, |p| last_good(p, utc));
        let attempt = party.map_or_else(String::new, |p| at(&p.last_attempt_at));
        let streak = party.map_or_else(String::new, |p| p.failures_in_a_row.to_string());
        let phase = i.phase.unwrap_or("").to_owned();
        table.row(match noun {
            Noun::Devices => vec![
                i.service.clone(),
                text(&i.device),
                text(&i.native_status),
                good,
                attempt,
                phase,
                streak,
                text(&i.policy),
            ],
            Noun::Policies => vec![
                i.service.clone(),
                text(&i.policy),
                text(&i.native_status),
                match party.and_then(|p| p.enabled) {
                    Some(true) => "on".to_owned(),
                    Some(false) => "off".to_owned(),
                    None => String::new(),
                },
                party.map_or_else(String::new, |p| at(&p.next_run_at)),
                good,
                attempt,
                phase,
                streak,
            ],
            Noun::Failed => vec![
                at(&i.ended_at.clone().or_else(|| i.updated_at.clone())),
                i.service.clone(),
                text(&i.device),
                text(&i.policy),
                text(&i.native_status),
                text(&i.code),
                i.retry_advice.unwrap_or("").to_owned(),
                match &i.ack {
                    Some(ack) if ack.acknowledged => ack.by.clone(),
                    Some(ack) => format!("{} ({})", ack.by, ack.state),
                    None => String::new(),
                },
                i.meaning
                    .clone()
                    .or_else(|| i.message.clone())
                    .unwrap_or_else(|| "the service gives no reason".to_owned()),
            ],
            Noun::Running | Noun::Tasks => vec![
                at(&i.started_at),
                i.service.clone(),
                text(&i.device),
                text(&i.policy),
                text(&i.operation),
                phase,
                text(&i.native_status),
                text(&i.step),
                i.progress.map_or_else(String::new, |p| format!("{p}%")),
                at(&i.ended_at),
                text(&i.code),
                match (&i.stuck_since, i.slow_usual_s) {
                    (Some(since), _) => format!("stuck since {}", when(Some(since), utc)),
                    (None, Some(s)) => format!("slow, usually {}", span(s * 1000)),
                    (None, None) => String::new(),
                },
            ],
        });
    }
    table.finish()
}
