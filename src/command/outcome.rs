//! What an action would send and what came of it, for people and for programs.

use serde::Serialize;

use crate::model::{CodeRef, Danger, Phase, Prepared, RequestPreview, Timestamp, url_path};
use crate::operate::{ActionEvent, Operator, Stage};
use crate::store::Store;

use super::{Exit, output};

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.action.1";

/// An action ready to be confirmed, with the names of what it concerns.
pub struct Planned {
    /// What would be sent.
    pub prepared: Prepared,
    service: String,
    kind: &'static str,
}

impl Planned {
    /// Adds the names that a person knows.
    pub fn new(store: &Store, prepared: Prepared) -> Self {
        let service = store
            .services()
            .iter()
            .find(|s| s.service.id == prepared.intent.service);
        Self {
            service: service.map_or_else(String::new, |s| s.service.name.to_string()),
            kind: service.map_or("", |s| s.service.kind.name()),
            prepared,
        }
    }
}

impl Planned {
    /// How the command line names its target without doubt.
    pub fn target_argument(&self) -> String {
        argument(&format!(
            "{}/{}",
            self.service, self.prepared.intent.target.id
        ))
    }
}

/// A text as one argument of a shell.
pub fn argument(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// What came of an action.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    last: Option<Stage>,
    task_ids: Vec<String>,
}

impl Outcome {
    /// Takes in one stage of its life.
    pub fn take(&mut self, event: ActionEvent) {
        if let Some(follow) = event.follow
            && !follow.task_ids.is_empty()
        {
            self.task_ids = follow.task_ids;
        }
        self.last = Some(event.stage);
    }

    /// What it means for the program's exit code.
    pub fn exit(&self) -> Exit {
        match &self.last {
            Some(Stage::Accepted { .. } | Stage::FoundDone { .. }) => Exit::Ok,
            Some(Stage::Observed { phase, .. }) if !phase.needs_person() => Exit::Ok,
            Some(
                Stage::Unknown { .. }
                | Stage::Looking { .. }
                | Stage::FoundNothing { .. }
                | Stage::CannotTell { .. },
            ) => Exit::OutcomeUnknown,
            _ => Exit::Failure,
        }
    }

    /// Where it stands; `None` when it was never sent.
    pub const fn stage(&self) -> Option<&Stage> {
        self.last.as_ref()
    }

    /// True when the service has refused it, or it never went out.
    pub const fn was_surely_not_done(&self) -> bool {
        matches!(
            self.last,
            None | Some(Stage::Confirmed | Stage::Refused { .. } | Stage::NotSent { .. })
        )
    }

    /// The code with which the service refused it.
    pub const fn refusal(&self) -> Option<&CodeRef> {
        match &self.last {
            Some(Stage::Refused { code, .. }) => Some(code),
            _ => None,
        }
    }

    /// What came of it, in a sentence.
    pub fn sentence(&self) -> String {
        let Some(stage) = &self.last else {
            return "not sent".to_owned();
        };
        match stage {
            Stage::Accepted { answer } => {
                let mut text = format!("accepted (HTTP {})", answer.http_status);
                if !self.task_ids.is_empty() {
                    text.push_str(&format!("; task {}", self.task_ids.join(", ")));
                }
                text
            }
            Stage::Refused { code, answer } => format!(
                "refused (HTTP {}): {} {}",
                answer.http_status, code.code, code.message
            ),
            Stage::NotSent { fault } => format!("not sent: {fault}"),
            Stage::Unknown { fault } => format!("outcome unknown: {fault}"),
            Stage::FoundDone { seen } => {
                format!("the answer was lost, but it was carried out: {seen}")
            }
            Stage::FoundNothing { looked_at } => format!(
                "the answer was lost and there is no sign of it so far (looked at: {looked_at}); \
                 look again before you repeat it"
            ),
            Stage::CannotTell { why } => {
                format!("the answer was lost and the service can't tell: {why}")
            }
            other => other.word().to_owned(),
        }
    }

    fn json(&self) -> OutcomeJson {
        let mut json = OutcomeJson {
            stage: self.last.as_ref().map_or("unknown", Stage::word),
            sentence: self.sentence(),
            task_ids: self.task_ids.clone(),
            http_status: None,
            request_id: None,
            code: None,
            message: None,
        };
        let answer = match &self.last {
            Some(Stage::Accepted { answer }) => Some(answer),
            Some(Stage::Refused { code, answer }) => {
                json.code = super::item::filled(&code.code);
                json.message = super::item::filled(&code.message);
                Some(answer)
            }
            _ => None,
        };
        if let Some(answer) = answer {
            json.http_status = Some(answer.http_status);
            json.request_id = super::item::filled(&answer.request_id);
        }
        json
    }
}

/// One line for a list of many: the thing and its first request.
pub fn preview_line(planned: &Planned) -> String {
    let target = &planned.prepared.intent.target;
    let request = planned.prepared.requests.first();
    let request = request.map_or_else(String::new, |r| {
        format!(": {} {}", r.method, url_path(&r.url))
    });
    format!("{}/{}{request}", planned.service, target.name)
}

/// The preview for people: exactly what would be sent, what it does, what to look at first.
pub fn preview(planned: &Planned, width: usize) -> String {
    let p = &planned.prepared;
    let target = &p.intent.target;
    let mut out = String::new();
    let head = format!(
        "{} · {} {} · {} ({})",
        p.intent.action,
        target.kind.word(),
        target.name,
        planned.service,
        planned.kind
    );
    output::wrap(&mut out, &head, width, "", "  ");
    output::wrap(&mut out, &p.effect, width, "  ", "  ");
    for request in &p.requests {
        out.push('\n');
        out.push_str(&format!("  {} {}\n", request.method, request.url));
        for line in request.body.lines() {
            out.push_str(&format!("    {line}\n"));
        }
        if !request.then.is_empty() {
            output::wrap(
                &mut out,
                &format!("then: {}", request.then),
                width,
                "  ",
                "  ",
            );
        }
    }
    for warning in &p.warnings {
        out.push('\n');
        output::wrap(&mut out, warning, width, "  ! ", "    ");
    }
    if let Some(advice) = p.retry_advice {
        out.push_str(&format!("\n  retry advice of the failure: {advice}\n"));
    }
    if p.danger == Danger::TypeName {
        let name = Operator::name_to_type(p);
        out.push_str(&format!("\n  to be confirmed by its name: {name}\n"));
    }
    out
}

/// Writes plan and outcome for people.
pub fn write_text(dry_run: bool, planned: &[Planned], outcomes: &[Outcome]) -> Exit {
    let mut out = String::new();
    if dry_run {
        for (n, p) in planned.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            out.push_str(&preview(p, output::width()));
        }
        out.push_str("\nNothing was sent.\n");
        return output::print(&out);
    }
    for (p, outcome) in planned.iter().zip(outcomes) {
        let line = format!(
            "{}/{}: {}",
            p.service,
            p.prepared.intent.target.name,
            outcome.sentence()
        );
        output::wrap(&mut out, &line, output::width(), "", "  ");
    }
    output::print(&out)
}

#[derive(Serialize)]
struct AllJson<'a> {
    schema: &'static str,
    generated_at: String,
    dry_run: bool,
    actions: Vec<ActionJson<'a>>,
}

#[derive(Serialize)]
struct ActionJson<'a> {
    service: &'a str,
    kind: &'static str,
    action: &'static str,
    target: TargetJson<'a>,
    effect: &'a str,
    warnings: &'a [String],
    danger: &'static str,
    confirm: Option<&'a str>,
    retry_advice: Option<&'static str>,
    requests: Vec<RequestJson<'a>>,
    outcome: Option<OutcomeJson>,
}

#[derive(Serialize)]
struct TargetJson<'a> {
    kind: &'static str,
    id: &'a str,
    name: &'a str,
    native_status: &'a str,
    phase: Option<&'static str>,
}

#[derive(Serialize)]
struct RequestJson<'a> {
    method: &'a str,
    url: &'a str,
    body: Option<serde_json::Value>,
    then: Option<String>,
}

#[derive(Serialize)]
struct OutcomeJson {
    stage: &'static str,
    sentence: String,
    task_ids: Vec<String>,
    http_status: Option<u16>,
    request_id: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

/// Writes plan and outcome for programs.
pub fn write_json(dry_run: bool, planned: &[Planned], outcomes: &[Outcome]) -> Exit {
    let actions = planned
        .iter()
        .enumerate()
        .map(|(n, p)| {
            let prepared = &p.prepared;
            let target = &prepared.intent.target;
            ActionJson {
                service: &p.service,
                kind: p.kind,
                action: prepared.intent.action,
                target: TargetJson {
                    kind: target.kind.word(),
                    id: &target.id,
                    name: &target.name,
                    native_status: &target.native_status,
                    phase: (target.phase != Phase::Unknown).then(|| target.phase.word()),
                },
                effect: &prepared.effect,
                warnings: &prepared.warnings,
                danger: prepared.danger.word(),
                confirm: (prepared.danger == Danger::TypeName)
                    .then(|| Operator::name_to_type(prepared)),
                retry_advice: prepared.retry_advice.map(|a| a.word()),
                requests: prepared.requests.iter().map(request).collect(),
                outcome: outcomes.get(n).map(Outcome::json),
            }
        })
        .collect();
    output::print_json(&AllJson {
        schema: SCHEMA,
        generated_at: Timestamp::now().rfc3339(),
        dry_run,
        actions,
    })
}

fn request(r: &RequestPreview) -> RequestJson<'_> {
    RequestJson {
        method: &r.method,
        url: &r.url,
        body: (!r.body.is_empty()).then(|| {
            serde_json::from_str(&r.body)
                .unwrap_or_else(|_| serde_json::Value::String(r.body.clone()))
        }),
        then: super::item::filled(&r.then),
    }
}
