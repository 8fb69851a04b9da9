//! `keepwatch codes`: the whole catalog.

use std::path::Path;

use crate::catalog::EntryJson;

use super::cli::{CodesArgs, TableOrJson};
use super::{Exit, output, site};

/// Carries out `keepwatch codes`.
#[must_use]
pub fn run(args: &CodesArgs, config: Option<&Path>) -> Exit {
    let catalog = site::catalog(config);
    if !site::check_kind(&catalog, args.kind.as_deref()) {
        return Exit::Usage;
    }
    let entries = catalog.entries(args.kind.as_deref());
    if args.form.output == TableOrJson::Json {
        let all: Vec<EntryJson<'_>> = entries.iter().map(|e| e.json()).collect();
        return output::print_json(&all);
    }
    let mut out = String::new();
    let widest = |of: &dyn Fn(&crate::catalog::Entry) -> usize, head: usize| {
        entries.iter().map(|e| of(e)).max().unwrap_or(0).max(head)
    };
    let kind_width = widest(&|e| e.kind.len(), 4);
    let code_width = widest(&|e| e.code.len(), 4);
    let which_width = widest(&|e| e.distinction().chars().count(), 5).min(34);
    let mut line = |kind: &str, code: &str, which: &str, severity: &str, retry: &str, meaning| {
        output::pad(&mut out, kind, kind_width + 2);
        output::pad(&mut out, code, code_width + 2);
        output::pad(&mut out, &output::cut(which, which_width), which_width + 2);
        output::pad(&mut out, severity, 10);
        output::pad(&mut out, retry, 24);
        out.push_str(meaning);
        out.push('\n');
    };
    line("KIND", "CODE", "WHICH", "SEVERITY", "RETRY", "MEANING");
    for e in &entries {
        line(
            &e.kind,
            &e.code,
            &e.distinction(),
            e.severity.word(),
            e.retry_advice.word(),
            &e.meaning,
        );
    }
    output::print(&out)
}
