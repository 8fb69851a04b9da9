//! `keepwatch explain`: what a code means and what to do next, with no service at hand.

use std::io::Read;
use std::path::Path;

use serde::Serialize;

use crate::catalog::recognise::{Finding, recognise};
use crate::catalog::{Catalog, Class, Entry, EntryJson, Fit, Question, Reading};
use crate::model::clean;

use super::cli::{ExplainArgs, TextOrJson};
use super::{Exit, output, site};

/// The most that is read from standard input, in bytes.
const MOST_INPUT: u64 = 16 * 1024 * 1024;

/// How many near codes are named.
const NEAR: usize = 5;

/// Carries out `keepwatch explain`.
#[must_use]
pub fn run(args: &ExplainArgs, config: Option<&Path>) -> Exit {
    let catalog = site::catalog(config);
    if !site::check_kind(&catalog, args.kind.as_deref()) {
        return Exit::Usage;
    }
    let mut answers = Vec::new();
    for code in &args.codes {
        if code != "-" {
            let question = asked(args, Question::code(clean(code.trim())));
            answers.push(Answer::to(&catalog, question, None));
            continue;
        }
        let found = match read_input() {
            Ok(text) => recognise(&catalog, &text),
            Err(e) => {
                output::complain(&format!("standard input can't be read: {e}"));
                return Exit::Failure;
            }
        };
        if found.is_empty() {
            output::complain(
                "standard input is empty; give an error body, a row of a list or a whole HTTP answer",
            );
            return Exit::Usage;
        }
        for finding in found {
            let question = asked(args, finding.question.clone());
            answers.push(Answer::to(&catalog, question, Some(finding)));
        }
    }
    let written = match args.form.output {
        TextOrJson::Json => write_json(&answers),
        TextOrJson::Text => write_text(&answers),
    };
    if written != Exit::Ok {
        written
    } else if answers.iter().any(|a| !a.is_explained()) {
        Exit::UnknownCode
    } else {
        Exit::Ok
    }
}

/// What the command line says goes before what was recognised.
fn asked(args: &ExplainArgs, mut question: Question) -> Question {
    if args.kind.is_some() {
        question.kind.clone_from(&args.kind);
    }
    if args.http.is_some() {
        question.http = args.http;
    }
    if let Some(operation) = &args.operation {
        question.operation.clone_from(operation);
    }
    if let Some(message) = &args.message {
        question.message.clone_from(message);
    }
    question
}

fn read_input() -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MOST_INPUT)
        .read_to_end(&mut bytes)?;
    // PowerShell and old tools pipe UTF-16; everything else is taken as UTF-8 with marks for what is not
    Ok(match bytes.get(..2) {
        Some([0xff, 0xfe]) => utf16(&bytes, u16::from_le_bytes),
        Some([0xfe, 0xff]) => utf16(&bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

fn utf16(bytes: &[u8], pair: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().skip(1).map(|p| pair(*p));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// One question with everything that is said about it.
struct Answer {
    question: Question,
    finding: Option<Finding>,
    readings: Vec<Reading>,
    /// The HTTP status's general meaning, when the code itself is unknown.
    http: Option<Reading>,
    near: Vec<(String, String)>,
}

impl Answer {
    fn to(catalog: &Catalog, question: Question, finding: Option<Finding>) -> Self {
        let mut readings = catalog.explain(&question);
        let mut http = None;
        if readings.iter().all(|r| r.fit == Fit::HttpOnly) && !question.code.is_empty() {
            http = readings.pop();
            readings.clear();
        }
        let near = if readings.is_empty() {
            catalog.near(&question.code, question.kind.as_deref(), NEAR)
        } else {
            Vec::new()
        };
        Self {
            question,
            finding,
            readings,
            http,
            near,
        }
    }

    fn is_explained(&self) -> bool {
        !self.readings.is_empty()
            || (self.question.code.is_empty()
                && self.finding.as_ref().is_some_and(|f| !f.note.is_empty()))
    }
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    query: &'a str,
    readings: Vec<EntryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recognised: Option<RecognisedJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<EntryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<Vec<NearJson<'a>>>,
}

#[derive(Serialize)]
struct RecognisedJson<'a> {
    what: &'a str,
    kind: Option<&'a str>,
    http_status: Option<u16>,
    operation: &'a str,
    message: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct NearJson<'a> {
    kind: &'a str,
    code: &'a str,
}

fn write_json(answers: &[Answer]) -> Exit {
    let all: Vec<AnswerJson<'_>> = answers.iter().map(Answer::json).collect();
    match all.as_slice() {
        [one] => output::print_json(one),
        many => output::print_json(&many),
    }
}

impl Answer {
    fn json(&self) -> AnswerJson<'_> {
        AnswerJson {
            query: &self.question.code,
            readings: self.readings.iter().map(|r| r.entry.json()).collect(),
            recognised: self.finding.as_ref().map(|f| RecognisedJson {
                what: &f.what,
                kind: self.question.kind.as_deref(),
                http_status: self.question.http,
                operation: &self.question.operation,
                message: &self.question.message,
                note: &f.note,
            }),
            http: self.http.as_ref().map(|r| r.entry.json()),
            near: self.readings.is_empty().then(|| {
                self.near
                    .iter()
                    .map(|(kind, code)| NearJson { kind, code })
                    .collect()
            }),
        }
    }
}

fn write_text(answers: &[Answer]) -> Exit {
    let width = output::width();
    let mut out = String::new();
    let mut problems = String::new();
    for answer in answers {
        let before = out.len();
        answer.text(&mut out, &mut problems, width);
        if out.len() > before {
            out.push('\n');
        }
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    let written = output::print(&out);
    for line in problems.lines() {
        output::complain(line);
    }
    written
}

impl Answer {
    fn text(&self, out: &mut String, problems: &mut String, width: usize) {
        if let Some(finding) = &self.finding {
            let mut head = format!("Found: {}", finding.what);
            if let Some(kind) = &self.question.kind {
                head.push_str(&format!(" · {kind}"));
            }
            if !self.question.code.is_empty() {
                head.push_str(&format!(" · {}", self.question.code));
            }
            if let Some(http) = self.question.http {
                head.push_str(&format!(" · HTTP {http}"));
            }
            output::wrap(out, &head, width, "", "  ");
            if !self.question.message.is_empty() {
                let said = format!("It says: {}", output::cut(&self.question.message, 600));
                output::wrap(out, &said, width, "  ", "  ");
            }
            if !finding.note.is_empty() {
                output::wrap(out, &finding.note, width, "  ", "  ");
            }
            out.push('\n');
        }
        let several = self.readings.len();
        if several > 1 {
            let head = format!(
                "{} has {several} readings{}:",
                self.question.code,
                what_tells(&self.readings)
            );
            output::wrap(out, &head, width, "", "");
            out.push('\n');
        }
        for (n, reading) in self.readings.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            card(out, &reading.entry, width);
            if reading.fit == Fit::Owner {
                let remark =
                    "The code itself is not in the catalog; its first letters say whose it is.";
                output::wrap(out, remark, width, "  ", "  ");
            }
            if reading.fit == Fit::OtherKind {
                let remark = format!(
                    "This code belongs to {}; {} passes it on.",
                    reading.entry.kind,
                    self.question.kind.as_deref().unwrap_or("the service")
                );
                output::wrap(out, &remark, width, "  ", "  ");
            }
        }
        if self.readings.is_empty() && !self.question.code.is_empty() {
            let place = self
                .question
                .kind
                .as_ref()
                .map_or_else(String::new, |k| format!(" of {k}"));
            problems.push_str(&format!(
                "{}: not in the catalog{place}\n",
                self.question.code
            ));
            if !self.near.is_empty() {
                let near: Vec<String> = self
                    .near
                    .iter()
                    .map(|(kind, code)| format!("{code} ({kind})"))
                    .collect();
                problems.push_str(&format!("near: {}\n", near.join(", ")));
            }
        } else if self.readings.is_empty() && !self.is_explained() {
            problems.push_str("no code was found that the catalog knows\n");
        }
        if let Some(http) = &self.http {
            let head = format!("HTTP {} in general:", http.entry.code);
            output::wrap(out, &head, width, "", "");
            card(out, &http.entry, width);
        }
    }
}

/// What differs between readings, for the person who has to tell which it is.
fn what_tells(readings: &[Reading]) -> String {
    fn differ<T: PartialEq>(readings: &[Reading], of: impl Fn(&Entry) -> T) -> bool {
        readings.windows(2).any(|pair| match pair {
            [a, b] => of(&a.entry) != of(&b.entry),
            _ => false,
        })
    }
    let mut parts = Vec::new();
    if differ(readings, |e| e.kind.clone()) {
        parts.push("the kind (--kind)");
    }
    if differ(readings, |e| e.http_status) {
        parts.push("the HTTP status (--http)");
    }
    if differ(readings, |e| e.operation.clone()) {
        parts.push("the operation (--operation)");
    }
    if differ(readings, |e| e.message_template.clone()) {
        parts.push("the service's text (--message)");
    }
    match parts.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} tells which"),
        [init @ .., last] => format!("; {} or {last} tells which", init.join(", ")),
    }
}

/// One reading for people.
pub(super) fn card(out: &mut String, entry: &Entry, width: usize) {
    let mut head = format!("{} · {}", entry.code, entry.kind);
    let which = entry.distinction();
    if !which.is_empty() {
        head.push_str(&format!(" · {which}"));
    }
    head.push_str(&format!(" · {}", entry.severity));
    if entry.class == Class::Status {
        if let Some(phase) = entry.phase {
            head.push_str(&format!(" · {phase}"));
        }
        if !entry.step.is_empty() {
            head.push_str(&format!(" in {}", entry.step));
        }
        if entry.terminal == Some(false) {
            head.push_str(" · not the end");
        }
    }
    head.push_str(&format!(" · retry: {}", entry.retry_advice));
    output::wrap(out, &head, width, "", "  ");
    output::wrap(out, &entry.meaning, width, "  ", "  ");
    for (n, step) in entry.remedy.iter().enumerate() {
        output::wrap(out, step, width, &format!("  {}  ", n + 1), "     ");
    }
    if !entry.message_template.is_empty() {
        let text = format!("The service's text: {}", entry.message_template);
        output::wrap(out, &text, width, "  ", "  ");
    }
    if !entry.runbook.is_empty() {
        let text = format!("Runbook: {} (site)", entry.runbook);
        output::wrap(out, &text, width, "  ", "  ");
    }
    let mut source = format!("Source: {}", entry.source);
    if entry.undocumented {
        source.push_str(" (not in the vendor's own list)");
    }
    if entry.from_site {
        source.push_str(" (changed by this site)");
    }
    output::wrap(out, &source, width, "  ", "  ");
}
