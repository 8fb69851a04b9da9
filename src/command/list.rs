//! `keepwatch list`: one round over the services, filtered and sorted as in the console.

use std::time::Duration;

use serde::Serialize;

use crate::catalog::Catalog;
use crate::config::{Config, paths};
use crate::console::live::saved_ui;
use crate::console::state::PaneId;
use crate::model::{Health, Phase, Timestamp};
use crate::query::{Noun, Query};
use crate::store::{DeviceRow, PolicyRow, Store, TaskRow, View};
use crate::watch::{Want, collect};

use super::cli::{Common, ListArgs, ListWhat, TableOrJson};
use super::item::{Item, Party, filled, instant};
use super::services::Services;
use super::table::{Table, when};
use super::{Exit, history, output, runtime, site};

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
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(e) => {
            output::complain(&e);
            return Exit::Failure;
        }
    };
    let utc = settings.ui.utc;
    let kept = settings.history.clone();
    let (store, embedded) = match runtime.block_on(gather(settings, args)) {
        Ok(gathered) => gathered,
        Err(exit) => return exit,
    };
    let now = Timestamp::now();
    let mut view = View::new(args.what.noun());
    view.set_query(query);
    view.include_skipped_cancelled(args.skipped);
    view.refresh(&store, now);
    let shown = args.limit.unwrap_or(usize::MAX).min(view.len());
    let items: Vec<Item> = view
        .slice(0..shown)
        .iter()
        .map(|row| item(&store, &catalog, args.what.noun(), *row))
        .collect();
    let services = states(&store, now);
    let written = match args.output {
        TableOrJson::Json => output::print_json(&ListJson {
            schema: SCHEMA,
            generated_at: now.rfc3339(),
            services: &services,
            items: &items,
        }),
        TableOrJson::Table => {
            let written = output::print(&table(args.what.noun(), &items, utc));
            if view.len() > shown {
                output::complain(&format!("{shown} of {} shown", view.len()));
            }
            complain_of(&services);
            written
        }
    };
    // the answer is out: writing it down holds nobody up
    if !embedded || kept.named {
        let history = history::open(&kept, embedded);
        history::say_notices(&*history);
        history::keep_all(&store, &*history, want(args) == Want::All);
        history.close();
    }
    if written == Exit::Ok && services.iter().any(|s| s.error.is_some()) {
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

/// One round; and whether the services are the embedded ones.
async fn gather(settings: Config, args: &ListArgs) -> Result<(Store, bool), Exit> {
    let services = Services::open(settings, &args.service, true).await?;
    services.say_if_embedded();
    let store = collect(
        &services.watched,
        want(args),
        Duration::from_secs(args.timeout),
    )
    .await;
    Ok((store, services.embedded.is_some()))
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

/// Names every service that was not read whole on standard error.
pub fn complain_of(services: &[StateJson]) {
    for s in services {
        if let Some(error) = &s.error {
            output::complain(&format!("{} ({}) is {}: {error}", s.name, s.kind, s.health));
        }
    }
}

/// A row of a list with what the catalog says of it.
pub fn item(store: &Store, catalog: &Catalog, noun: Noun, row: u32) -> Item {
    match noun {
        Noun::Devices => device(store, DeviceRow(row)),
        Noun::Policies => policy(store, PolicyRow(row)),
        Noun::Running | Noun::Failed | Noun::Tasks => task(store, catalog, TaskRow(row)),
    }
}

fn task(store: &Store, catalog: &Catalog, row: TaskRow) -> Item {
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

fn device(store: &Store, row: DeviceRow) -> Item {
    let d = store.device(row);
    let stats = d.stats();
    let policies: Vec<&str> = store
        .policies_of_device(row)
        .map(|p| store.policy(p).name())
        .collect();
    Item {
        id: d.id().to_owned(),
        service: d.service_name().to_owned(),
        kind: d.kind().name().to_owned(),
        device: filled(d.name()),
        policy: filled(&policies.join(", ")),
        native_status: filled(d.native_status()),
        phase: stats.last_attempt_phase.map(Phase::word),
        party: Some(Party {
            name: d.name().to_owned(),
            what: d.what(),
            place: filled(d.place()),
            last_good_at: instant(stats.last_good),
            last_attempt_at: instant(stats.last_attempt),
            failures_in_a_row: stats.streak,
            protected_now: stats.good_now.then_some(true),
            ..Party::default()
        }),
        ..Item::default()
    }
}

fn policy(store: &Store, row: PolicyRow) -> Item {
    let p = store.policy(row);
    let stats = p.stats();
    Item {
        id: p.id().to_owned(),
        service: p.service_name().to_owned(),
        kind: p.kind().name().to_owned(),
        policy: filled(p.name()),
        native_status: filled(p.native_status()),
        phase: stats.last_attempt_phase.map(Phase::word),
        party: Some(Party {
            name: p.name().to_owned(),
            what: p.what(),
            enabled: p.enabled(),
            schedule: filled(p.schedule()),
            next_run_at: instant(p.next_run()),
            last_good_at: instant(stats.last_good),
            last_attempt_at: instant(stats.last_attempt),
            failures_in_a_row: stats.streak,
            protected_now: stats.good_now.then_some(true),
            overdue_since: instant(p.overdue_since(Timestamp::now())),
            ..Party::default()
        }),
        ..Item::default()
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
            "ENDED", "SERVICE", "DEVICE", "POLICY", "STATUS", "CODE", "RETRY", "MEANING",
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
        ]),
    };
    for i in items {
        let party = i.party.as_ref();
        let good = party.map_or_else(String::new, |p| match p.last_good_at.as_deref() {
            _ if p.protected_now == Some(true) => "now".to_owned(),
            Some(t) => when(Some(t), utc),
            None => "never".to_owned(),
        });
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
            ],
        });
    }
    table.finish()
}
