//! A failure as text for a ticket: what, where, when, code, meaning, remedy, tried so far.

use std::fmt::Write;

use crate::store::{Store, TaskRow};

use super::card::{Card, advice_sentence};
use super::state::State;
use super::text::span;
use super::thing::{Thing, kind_of};

/// The ticket text of a thing; for a device or policy of its newest failure and its record.
#[must_use]
pub fn ticket(state: &State, thing: Thing) -> String {
    match thing {
        Thing::Task(row) => of_task(state, row),
        Thing::Device(row) => {
            let failed = newest_failed(&state.store, state.store.tasks_of_device(row));
            of_other(state, thing, failed)
        }
        Thing::Policy(row) => {
            let failed = newest_failed(&state.store, state.store.tasks_of_policy(row));
            of_other(state, thing, failed)
        }
    }
}

fn newest_failed(store: &Store, mut rows: impl Iterator<Item = TaskRow>) -> Option<TaskRow> {
    rows.find(|row| store.task(*row).phase().needs_person())
}

fn of_task(state: &State, row: TaskRow) -> String {
    let task = state.store.task(row);
    let card = Card::of(&state.catalog, &state.store, row);
    let zone = state.look.zone;
    let mut out = String::new();
    let device = or_unknown(task.device_label());
    let _ = writeln!(
        out,
        "{} of {device} {} on {} ({})",
        capital(or(task.operation(), "task")),
        task.phase(),
        task.service_name(),
        task.kind(),
    );
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "{:<10}{value}", format!("{label}:"));
        }
    };
    line("Device", with_id(task.device().1, task.device().0));
    line("Policy", with_id(task.policy().1, task.policy().0));
    line("Task", task.id().to_owned());
    line("Status", task.native_status().to_owned());
    line("Step", task.step().to_owned());
    for (label, at) in [("Started", task.started_at()), ("Ended", task.ended_at())] {
        line(label, at.map_or_else(String::new, |t| zone.full(t)));
    }
    if let (Some(from), Some(to)) = (task.started_at(), task.ended_at()) {
        line("Took", span(to.since(from)));
    }
    let mut code = card.code.clone();
    if let Some(http) = card.http {
        let _ = write!(code, " (HTTP {http})");
    }
    line("Code", code);
    line(
        "It says",
        if card.silent {
            "nothing: the service gives no reason".to_owned()
        } else {
            card.says.clone()
        },
    );
    for (n, entry) in card.entries().enumerate() {
        let label = if n == 0 { "Meaning" } else { "or" };
        line(label, entry.meaning.clone());
        for (i, step) in entry.remedy.iter().enumerate() {
            line(
                if i == 0 { "Remedy" } else { "" },
                format!("{}. {step}", i + 1),
            );
        }
        line("Runbook", entry.runbook.clone());
        line("Source", entry.source.clone());
    }
    if card.readings.is_empty() && card.bad {
        line("Meaning", "not in the catalog".to_owned());
    }
    line(
        "Retry",
        card.advice()
            .map_or_else(String::new, |a| advice_sentence(a).to_owned()),
    );
    out.push_str("Course:\n");
    let mut transitions: Vec<_> = task.transitions().collect();
    transitions.reverse();
    for t in transitions {
        let at = t.reported_at.unwrap_or(t.seen_at);
        let from = t.from.as_deref().unwrap_or("(first seen)");
        let _ = writeln!(out, "  {}  {from} -> {}", zone.full(at), t.to);
    }
    tried(state, Thing::Task(row), &mut out);
    let _ = writeln!(out, "Written {} by keepwatch.", zone.full(state.now));
    out
}

fn of_other(state: &State, thing: Thing, failed: Option<TaskRow>) -> String {
    let store = &state.store;
    let stats = match thing {
        Thing::Device(row) => store.device(row).stats(),
        Thing::Policy(row) => store.policy(row).stats(),
        Thing::Task(row) => return of_task(state, row),
    };
    let zone = state.look.zone;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {} on {} ({})",
        capital(thing.kind().word()),
        with_id(thing.name(store), thing.id(store)),
        thing.service_name(store),
        kind_of(store, thing.service(store)),
    );
    let _ = writeln!(
        out,
        "Last good backup: {}",
        stats
            .last_good
            .map_or_else(|| "none known".to_owned(), |t| zone.full(t))
    );
    let _ = writeln!(out, "Failures in a row: {}", stats.streak);
    if let Some(row) = failed {
        out.push_str("\nNewest failure:\n");
        out.push_str(&of_task(state, row));
    }
    out
}

/// What was done about it in this run.
fn tried(state: &State, thing: Thing, out: &mut String) {
    let store = &state.store;
    let (service, id) = (thing.service(store), thing.id(store));
    let mut any = false;
    for record in state.ledger.records() {
        let intent = &record.prepared.intent;
        if intent.service != service || intent.target.id != id {
            continue;
        }
        if !any {
            out.push_str("Tried so far:\n");
            any = true;
        }
        let _ = writeln!(
            out,
            "  {}  {}: {}",
            state.look.zone.full(record.confirmed_at()),
            intent.action,
            record.stage().word()
        );
    }
    if !any {
        out.push_str("Tried so far: nothing with keepwatch in this session.\n");
    }
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn or_unknown(text: &str) -> &str {
    or(text, "an unnamed device")
}

fn with_id(name: &str, id: &str) -> String {
    match (name.is_empty(), id.is_empty() || id == name) {
        (true, _) => id.to_owned(),
        (_, true) => name.to_owned(),
        _ => format!("{name} ({id})"),
    }
}

/// The word with a capital letter, for the beginning of a sentence.
#[must_use]
pub fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
