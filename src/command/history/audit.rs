//! `keepwatch audit`: who sent what, where, and what came of it. Reads the history; no service is asked, unless it
//! is to be looked up what became of what is open.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::ask;
use crate::command::cli::{AuditArgs, AuditForm, Common};
use crate::command::item::filled;
use crate::command::table::{Table, when};
use crate::command::{Exit, output, site};
use crate::model::{Timestamp, url_path};
use crate::store::history::{ActionQuery, ActionStory, KeptRequest, KeptTarget};

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.audit.1";

/// Carries out `keepwatch audit`.
pub fn run(args: &AuditArgs, common: &Common) -> Exit {
    let now = Timestamp::now();
    // what is open is told however old it is
    let since = args.since.as_deref().or((!args.open).then_some("7d"));
    let from = match since
        .map(|text| ask::moment("--since", text, now))
        .transpose()
    {
        Ok(from) => from,
        Err(exit) => return exit,
    };
    let (history, settings) = match ask::open(common) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let query = ActionQuery {
        from,
        service: args.service.clone(),
        ..ActionQuery::default()
    };
    let ask = || {
        history.actions(&query).map_err(|e| {
            output::complain(&e.to_string());
            Exit::Failure
        })
    };
    let confirmed = |s: &ActionStory| s.steps.iter().any(|s| s.step.stage == "confirmed");
    let asked = ask().and_then(|mut stories| {
        stories.retain(|s| args.proposed || confirmed(s));
        if !args.open {
            return Ok(stories);
        }
        stories.retain(|s| confirmed(s) && !s.is_over());
        if !args.look_up || stories.is_empty() {
            return Ok(stories);
        }
        let catalog = Arc::new(site::catalog(common.config.as_deref()));
        let only: Vec<String> = args.service.iter().cloned().collect();
        let patience = args.patience.limit();
        super::resume::look_up(settings.clone(), &only, patience, &catalog, &history)?;
        let open: Vec<Uuid> = stories.iter().map(|s| s.id).collect();
        let mut now = ask()?;
        now.retain(|s| open.contains(&s.id));
        Ok(now)
    });
    let stories = match asked {
        Ok(stories) => stories,
        Err(exit) => return exit,
    };
    if args.open && stories.is_empty() {
        output::complain("no action is open");
    }
    match args.output {
        AuditForm::Table => output::print(&table(&stories, settings.ui.utc)),
        AuditForm::Json => output::print_json(&AuditJson {
            schema: SCHEMA,
            generated_at: now.rfc3339(),
            actions: stories.iter().map(ActionJson::of).collect(),
        }),
        AuditForm::Csv => match csv(&stories) {
            Ok(text) => output::print(&text),
            Err(e) => {
                output::complain(&format!("the answer can't be written as CSV: {e}"));
                Exit::Failure
            }
        },
    }
}

/// The outcome and what there is to say of it.
fn outcome(story: &ActionStory) -> (&str, &str) {
    let last = story.steps.last();
    let detail = last.map_or("", |s| s.step.detail.as_str());
    (story.stage(), detail)
}

/// The last answer that came: status, request id, body.
fn answer(story: &ActionStory) -> Option<(u64, &str, &str)> {
    story.steps.iter().rev().find_map(|told| {
        let data = &told.step.data;
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = data.get("http_status")?.as_u64()?;
        Some((status, text("request_id"), text("answer")))
    })
}

fn requests(story: &ActionStory) -> String {
    let lines = story.action.requests.iter().map(|r| {
        format!("{} {} {}", r.method, r.url, r.body)
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn table(stories: &[ActionStory], utc: bool) -> String {
    let mut table = Table::new(&[
        "AT", "OPERATOR", "HOST", "SERVICE", "ACTION", "TARGET", "REQUEST", "HTTP", "OUTCOME", "",
    ]);
    for story in stories {
        let (stage, detail) = outcome(story);
        let request = story.action.requests.first();
        let request = request.map_or_else(String::new, |r| {
            format!("{} {}", r.method, url_path(&r.url))
        });
        table.row(vec![
            when(Some(&story.at.rfc3339()), utc),
            story.operator.clone(),
            story.host.clone(),
            story.service.name.to_string(),
            story.action.action.clone(),
            story.action.target.name.clone(),
            request,
            answer(story).map_or_else(String::new, |(status, _, _)| status.to_string()),
            stage.to_owned(),
            detail.to_owned(),
        ]);
    }
    table.finish()
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn csv(stories: &[ActionStory]) -> Result<String, String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = [
        "at",
        "id",
        "operator",
        "host",
        "pid",
        "service",
        "kind",
        "verb",
        "action",
        "target_kind",
        "target_id",
        "target_name",
        "requests",
        "http_status",
        "request_id",
        "answer",
        "outcome",
        "detail",
        "ended_at",
    ];
    out.write_record(head).map_err(|e| e.to_string())?;
    for story in stories {
        let (stage, detail) = outcome(story);
        let (status, request_id, body) = answer(story)
            .map_or((String::new(), "", ""), |(status, id, body)| {
                (status.to_string(), id, body)
            });
        let a = &story.action;
        let row = [
            &story.at.rfc3339(),
            &story.id.to_string(),
            &story.operator,
            &story.host,
            &story.pid.to_string(),
            &*story.service.name,
            &*story.service.kind,
            &a.verb,
            &a.action,
            &a.target.kind,
            &a.target.id,
            &a.target.name,
            &requests(story),
            &status,
            request_id,
            body,
            stage,
            detail,
            &story
                .steps
                .last()
                .map_or_else(String::new, |s| s.step.at.rfc3339()),
        ]
        .map(cell);
        out.write_record(&row).map_err(|e| e.to_string())?;
    }
    let bytes = out.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

#[derive(Serialize)]
struct AuditJson<'a> {
    schema: &'static str,
    generated_at: String,
    actions: Vec<ActionJson<'a>>,
}

#[derive(Serialize)]
struct ActionJson<'a> {
    id: String,
    at: String,
    operator: &'a str,
    host: &'a str,
    pid: u32,
    service: &'a str,
    kind: &'a str,
    verb: &'a str,
    action: &'a str,
    target: &'a KeptTarget,
    inputs: &'a std::collections::BTreeMap<String, String>,
    requests: &'a [KeptRequest],
    effect: &'a str,
    warnings: &'a [String],
    danger: &'a str,
    retry_advice: Option<&'a str>,
    /// A token by which the service recognises a repeat.
    token: Option<&'a str>,
    /// The stage that it reached.
    outcome: &'a str,
    /// True when nothing more will come of it.
    over: bool,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    id: String,
    at: String,
    /// Who told it: the run that sent the action, or a later one that looked after it.
    operator: &'a str,
    stage: &'a str,
    detail: Option<String>,
    http_status: Option<u64>,
    request_id: Option<&'a str>,
    answer: Option<&'a str>,
    code: Option<&'a str>,
    task_id: Option<&'a str>,
}

impl<'a> ActionJson<'a> {
    fn of(story: &'a ActionStory) -> Self {
        let a = &story.action;
        Self {
            id: story.id.to_string(),
            at: story.at.rfc3339(),
            operator: &story.operator,
            host: &story.host,
            pid: story.pid,
            service: &story.service.name,
            kind: &story.service.kind,
            verb: &a.verb,
            action: &a.action,
            target: &a.target,
            inputs: &a.inputs,
            requests: &a.requests,
            effect: &a.effect,
            warnings: &a.warnings,
            danger: &a.danger,
            retry_advice: a.retry_advice.as_deref(),
            token: a.token.as_deref(),
            outcome: story.stage(),
            over: story.is_over(),
            steps: story
                .steps
                .iter()
                .map(|told| {
                    let data = &told.step.data;
                    let text = |name: &str| {
                        let text = data.get(name).and_then(Value::as_str);
                        text.filter(|t| !t.is_empty())
                    };
                    StepJson {
                        id: told.id.to_string(),
                        at: told.step.at.rfc3339(),
                        operator: &told.operator,
                        stage: &told.step.stage,
                        detail: filled(&told.step.detail),
                        http_status: data.get("http_status").and_then(Value::as_u64),
                        request_id: text("request_id"),
                        answer: text("answer"),
                        code: text("code"),
                        task_id: text("task_id"),
                    }
                })
                .collect(),
        }
    }
}
