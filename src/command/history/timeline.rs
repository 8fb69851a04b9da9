//! `keepwatch timeline`: everything that happened to a task, device or policy. Reads the history alone.

use serde::Serialize;

use super::ask;
use crate::command::cli::{Common, TableOrJson, TimelineArgs};
use crate::command::item::{filled, instant};
use crate::command::table::{Table, when};
use crate::command::{Exit, output};
use crate::model::{Phase, Timestamp};
use crate::store::history::{Entry, Happened, Sort, Subject, Window};

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.timeline.1";

/// Carries out `keepwatch timeline`.
pub fn run(args: &TimelineArgs, common: &Common) -> Exit {
    let now = Timestamp::now();
    let time = |flag, text: &Option<String>| {
        let at = text.as_deref().map(|t| ask::moment(flag, t, now));
        at.transpose()
    };
    let (from, until) = match (time("--since", &args.since), time("--until", &args.until)) {
        (Ok(from), Ok(until)) => (from, until),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let (history, settings) = match ask::open(common) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let failed = |e: &dyn std::fmt::Display| {
        output::complain(&e.to_string());
        Exit::Failure
    };
    let mut found = match ask::find(&*history, &args.target, args.on, &args.service) {
        Ok(found) => found,
        Err(e) => return failed(&e),
    };
    if found.len() > 1 {
        let all: Vec<String> = found.iter().take(5).map(|(s, _)| s.to_string()).collect();
        return failed(&format!(
            "{}: {} things are called so; give the id, --service or --on: {}",
            args.target,
            found.len(),
            all.join("; ")
        ));
    }
    let Some((subject, name)) = found.pop() else {
        return failed(&format!(
            "{}: history knows nothing called so; see keepwatch list for names and ids",
            args.target
        ));
    };
    let window = Window {
        from,
        until,
        limit: args.limit,
    };
    let entries = match history.timeline(&subject, &window) {
        Ok(entries) => entries,
        Err(e) => return failed(&e),
    };
    match args.form.output {
        TableOrJson::Json => output::print_json(&TimelineJson {
            schema: SCHEMA,
            generated_at: now.rfc3339(),
            service: &subject.service,
            sort: subject.sort.word(),
            id: &subject.id,
            name: &name,
            entries: entries.iter().map(EntryJson::of).collect(),
        }),
        TableOrJson::Table => {
            let written = output::print(&table(&entries, &subject, settings.ui.utc));
            if entries.len() == args.limit {
                output::complain(&format!("the newest {} are shown; see --limit", args.limit));
            }
            written
        }
    }
}

fn table(entries: &[Entry], subject: &Subject, utc: bool) -> String {
    let mut table = Table::new(&["SEEN", "REPORTED", "WHAT", "PHASE", ""]);
    for entry in entries {
        let reported = match &entry.happened {
            Happened::Moved { transition, .. } => transition.reported_at,
            _ => None,
        };
        table.row(vec![
            when(Some(&entry.at.rfc3339()), utc),
            when(instant(reported).as_deref(), utc),
            entry.word().to_owned(),
            entry
                .phase()
                .filter(|p| *p != Phase::Unknown)
                .map_or_else(String::new, |p| p.word().to_owned()),
            entry.sentence(subject.sort == Sort::Task),
        ]);
    }
    table.finish()
}

#[derive(Serialize)]
struct TimelineJson<'a> {
    schema: &'static str,
    generated_at: String,
    service: &'a str,
    sort: &'static str,
    id: &'a str,
    name: &'a str,
    entries: Vec<EntryJson<'a>>,
}

/// An entry; what does not apply is null.
#[derive(Serialize, Default)]
struct EntryJson<'a> {
    id: String,
    at: String,
    what: &'static str,
    sentence: String,
    task: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    phase: Option<&'static str>,
    reported_at: Option<String>,
    code: Option<String>,
    action_id: Option<String>,
    action: Option<&'a str>,
    operator: Option<&'a str>,
    stage: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    fn of(entry: &'a Entry) -> Self {
        let json = Self {
            id: entry.id.to_string(),
            at: entry.at.rfc3339(),
            what: entry.word(),
            sentence: entry.sentence(false),
            ..Self::default()
        };
        match &entry.happened {
            Happened::Moved {
                task,
                transition,
                code,
                ..
            } => Self {
                task: Some(task),
                from: transition.from.as_deref(),
                to: Some(&transition.to),
                phase: Some(transition.to_phase.word()),
                reported_at: instant(transition.reported_at),
                code: filled(code),
                ..json
            },
            Happened::Changed { from, to, .. } => Self {
                from: from.as_deref(),
                to: Some(to),
                ..json
            },
            Happened::Acted {
                action,
                what,
                operator,
                stage,
                ..
            } => Self {
                action_id: Some(action.to_string()),
                action: Some(&what.action),
                operator: Some(operator),
                stage: Some(stage),
                ..json
            },
            Happened::Remarked(remark) => Self {
                operator: Some(&remark.operator),
                ..json
            },
            Happened::Incident(_) => json,
        }
    }
}
