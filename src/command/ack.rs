//! `keepwatch ack`, `unack` and `note`: taking failed jobs and leaving notes without a screen.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{TargetKind, Timestamp, Verb};
use crate::query::{Noun, Query, ahead};
use crate::store::history::{Event, History, Remark, RemarkKind};
use crate::store::{Store, TaskRow, View};
use crate::watch::Want;

use super::cli::{AckArgs, AckWhat, Common, NoteArgs, TextOrJson, UnackArgs};
use super::services::Round;
use super::{Exit, history, output, past, target};

/// The form of the JSON answer.
const SCHEMA: &str = "keepwatch.ack.1";

/// What was found for the command, with what is needed to go on.
struct Asked {
    store: Store,
    rows: Vec<TaskRow>,
    remarks: Vec<Remark>,
    history: Arc<dyn History>,
    now: Timestamp,
    /// Some service could not be read whole.
    partial: bool,
}

impl Asked {
    /// The same about each of the jobs.
    fn say(&self, kind: RemarkKind, words: &str) -> impl Iterator<Item = Remark> {
        let rows = self.rows.iter();
        rows.map(move |row| self.store.task(*row).remark(kind, words, self.now))
    }
}

/// Carries out `keepwatch ack`.
pub fn take(args: &AckArgs, common: &Common) -> Exit {
    let until = match args.until.as_deref().map(|t| ahead(t, Timestamp::now())) {
        None => None,
        Some(Ok(until)) => until,
        Some(Err(why)) => {
            output::complain(&format!("--until: {why}"));
            return Exit::Usage;
        }
    };
    let asked = match find(&args.what, common) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let taken = asked.say(RemarkKind::Acknowledged, &args.note);
    let said = taken.map(|remark| Remark { until, ..remark }).collect();
    tell(&asked, said, "taken", args.what.form.output)
}

/// Carries out `keepwatch note`.
pub fn note(args: &NoteArgs, common: &Common) -> Exit {
    if args.text.trim().is_empty() {
        output::complain("--text: a note says something");
        return Exit::Usage;
    }
    let asked = match find(&args.what, common) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let said = asked.say(RemarkKind::Note, &args.text).collect();
    tell(&asked, said, "noted", args.what.form.output)
}

/// Carries out `keepwatch unack`.
pub fn give_back(args: &UnackArgs, common: &Common) -> Exit {
    let asked = match find(&args.what, common) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let said: Vec<Remark> = asked
        .rows
        .iter()
        .filter_map(|row| asked.store.ack(*row))
        .filter_map(|(ack, _)| asked.remarks.iter().find(|r| r.id == ack.id))
        .map(|r| r.withdrawal(crate::model::clean(args.note.trim()), asked.now))
        .collect();
    if said.is_empty() {
        output::complain("nobody took any of these");
        return Exit::Failure;
    }
    tell(&asked, said, "given back", args.what.form.output)
}

fn find(what: &AckWhat, common: &Common) -> Result<Asked, Exit> {
    let query = match what.filter.as_deref().map(Query::parse).transpose() {
        Ok(query) => query,
        Err(e) => {
            output::complain(&format!("--where: {e}"));
            return Err(Exit::Usage);
        }
    };
    let settings = history::settings(common)?;
    if settings.history.off {
        output::complain(&format!(
            "history is off ({}), so that nobody would learn of it; {}",
            settings.history.why_off(),
            settings.history.way_on()
        ));
        return Err(Exit::Usage);
    }
    let round = Round::go(settings, &what.asked, Want::Failed)?;
    let (mut store, services) = (round.store, &round.services);
    let now = Timestamp::now();
    let kept = &services.config.history;
    let demo = services.embedded.is_some();
    if demo && !kept.named {
        output::complain(
            "the demo's history ends with this command: name a file with --history to keep it",
        );
    }
    let history = history::open(kept, demo);
    history::say_notices(&*history);
    let remarks = past::remarks(&*history).map_err(|e| {
        output::complain(&format!("acknowledgements are not known: {e}"));
        Exit::Failure
    })?;
    store.set_remarks(&remarks, now);
    let states = super::list::states(&store, now);
    super::list::complain_of(&states);
    let rows = match query {
        Some(query) => {
            let view = View::found(Noun::Failed, query, &store, now);
            view.slice(0..view.len())
                .iter()
                .map(|r| TaskRow(*r))
                .collect()
        }
        None => named(&store, &what.targets)?,
    };
    if rows.is_empty() {
        output::complain("the filter finds no failed job");
        return Err(Exit::Failure);
    }
    Ok(Asked {
        partial: states.iter().any(super::list::StateJson::is_partial),
        store,
        rows,
        remarks,
        history,
        now,
    })
}

/// The failed jobs of these names; one that means nothing holds everything back.
fn named(store: &Store, targets: &[String]) -> Result<Vec<TaskRow>, Exit> {
    let mut rows = Vec::new();
    let mut all_found = true;
    for text in targets {
        let found = target::find(store, text, Verb::Retry, |_| vec![TargetKind::Task]);
        let before = rows.len();
        for one in found {
            let row = store.find_task(one.service, &one.target.id);
            rows.extend(row.filter(|r| store.task(*r).phase().needs_person()));
        }
        if rows.len() == before {
            output::complain(&format!("{text}: no failed job is called so"));
            all_found = false;
        }
    }
    rows.sort_unstable();
    rows.dedup();
    if all_found {
        Ok(rows)
    } else {
        Err(Exit::Failure)
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    did: &'static str,
    by: &'a str,
    jobs: Vec<Job<'a>>,
}

#[derive(Serialize)]
struct Job<'a> {
    service: &'a str,
    id: &'a str,
    until: Option<String>,
}

fn tell(asked: &Asked, said: Vec<Remark>, did: &'static str, form: TextOrJson) -> Exit {
    let events = said.iter().map(|r| Event::Remark(Box::new(r.clone())));
    let saved = asked.history.save(events.collect()).wait();
    asked.history.close();
    if let Err(e) = saved {
        output::complain(&format!(
            "this could not be written down and holds nowhere: {e}"
        ));
        return Exit::Failure;
    }
    let by = &asked.history.identity().operator;
    let written = match form {
        TextOrJson::Json => output::print_json(&Answer {
            schema: SCHEMA,
            did,
            by,
            jobs: said
                .iter()
                .map(|r| Job {
                    service: &r.subject.service,
                    id: &r.subject.id,
                    until: super::item::instant(r.until),
                })
                .collect(),
        }),
        TextOrJson::Text => {
            let mut text = String::new();
            for remark in &said {
                let name = task_name(&asked.store, remark);
                text.push_str(&format!("{did} by {by}: {name}\n"));
            }
            output::print(&text)
        }
    };
    if written == Exit::Ok && asked.partial {
        return Exit::SomeUnreachable;
    }
    written
}

fn task_name(store: &Store, remark: &Remark) -> String {
    let subject = &remark.subject;
    let named = |s: &&crate::store::ServiceState| *s.service.name == *subject.service;
    let row = store
        .services()
        .iter()
        .find(named)
        .and_then(|s| store.find_task(s.service.id, &subject.id));
    let label = row.map_or("", |row| store.task(row).device_label());
    format!("{}/{label} (task {})", subject.service, subject.id)
}
