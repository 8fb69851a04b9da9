//! The findings for people and for programs.

use serde::Serialize;

use crate::command::{Exit, output};
use crate::console::glyphs::Glyphs;
use crate::model::Timestamp;

use super::step::{State, Step};
use super::visit::Visit;

/// The form of the JSON answer; the number changes when a field goes or changes its meaning.
const SCHEMA: &str = "keepwatch.doctor.1";

/// The column of a step's detail: two blanks, sign, word, name.
const WORD: usize = 13;
const NAME: usize = 22;

#[derive(Serialize)]
struct AllJson<'a> {
    schema: &'static str,
    generated_at: String,
    services: &'a [Visit],
}

/// Writes all findings for programs.
pub fn json(visits: &[Visit]) -> Exit {
    output::print_json(&AllJson {
        schema: SCHEMA,
        generated_at: Timestamp::now().rfc3339(),
        services: visits,
    })
}

/// One service's findings for people.
pub fn text(visit: &Visit, glyphs: &'static Glyphs, width: usize) -> String {
    let mut out = String::new();
    let verdict = match visit.verdict() {
        State::Failed => format!("{} failed", visit.count(State::Failed)),
        State::Warning => format!("works; {} to look at", visit.count(State::Warning)),
        _ => "works".to_owned(),
    };
    let demo = if visit.is_embedded() {
        ", embedded demo service"
    } else {
        ""
    };
    let head = format!(
        "{} {}: {verdict} ({}, {}{demo})",
        visit.verdict().sign(glyphs),
        visit.name(),
        visit.kind(),
        visit.title()
    );
    output::wrap(&mut out, &head, width, "", "  ");
    let mut merged = Vec::new();
    let mut said: &[String] = &[];
    for step in visit.steps() {
        let Some((what, _)) = group(step) else {
            // several lists fail for one reason: what to do is said once
            let again = !step.remedy.is_empty() && step.remedy == said;
            if again {
                let alone = Step {
                    remedy: Vec::new(),
                    ..step.clone()
                };
                line(&mut out, &alone, &step.name, glyphs, width);
            } else {
                line(&mut out, step, &step.name, glyphs, width);
            }
            said = &step.remedy;
            continue;
        };
        if merged.contains(&step.step) {
            if !is_plain(step) {
                line(&mut out, step, &step.name, glyphs, width);
            }
            continue;
        }
        // what is all right and has no remark needs no line of its own: it stands in the first one of its group
        merged.push(step.step);
        let all = plain(visit, step.step);
        if !all.detail.is_empty() {
            line(&mut out, &all, what, glyphs, width);
        }
        if !is_plain(step) {
            line(&mut out, step, &step.name, glyphs, width);
        }
    }
    out
}

/// The line that stands for the plain steps of a group, and whether it names them.
fn group(step: &Step) -> Option<(&'static str, bool)> {
    match step.step {
        "capability" => Some(("offers", true)),
        "action" => Some(("actions", true)),
        "path" => Some(("paths", false)),
        _ => None,
    }
}

fn is_plain(step: &Step) -> bool {
    group(step).is_some() && step.state == State::Ok && step.detail.is_empty()
}

/// All plain steps of a group in one.
fn plain(visit: &Visit, of: &'static str) -> Step {
    let steps = || visit.steps().iter().filter(|s| s.step == of && is_plain(s));
    let named = steps().next().and_then(group).is_some_and(|g| g.1);
    let detail = match steps().count() {
        0 => String::new(),
        n if !named => format!("{n} documented by the vendor"),
        _ => {
            let names: Vec<&str> = steps().map(|s| s.name.as_str()).collect();
            names.join(", ")
        }
    };
    Step::new(of, "", State::Ok, detail)
}

fn line(out: &mut String, step: &Step, name: &str, glyphs: &'static Glyphs, width: usize) {
    let mut first = format!("  {} ", step.state.sign(glyphs));
    output::pad(&mut first, step.state.word(), WORD);
    output::pad(&mut first, name, NAME);
    if name.len() >= NAME {
        first.push(' ');
    }
    let rest = " ".repeat(4 + WORD + NAME);
    output::wrap(out, &step.detail, width, &first, &rest);
    for remedy in &step.remedy {
        let to = format!("{rest}{} ", glyphs.to);
        let under = " ".repeat(rest.len() + glyphs.to.chars().count() + 1);
        output::wrap(out, remedy, width, &to, &under);
    }
}

/// The last line: how many services are well.
pub fn summary(visits: &[Visit]) -> String {
    let count = |state| visits.iter().filter(|v| v.verdict() == state).count();
    let services = if visits.len() == 1 {
        "1 service".to_owned()
    } else {
        format!("{} services", visits.len())
    };
    format!(
        "\n{services}: {} ok, {} with warnings, {} failed. Nothing was changed.\n",
        count(State::Ok),
        count(State::Warning),
        count(State::Failed)
    )
}
