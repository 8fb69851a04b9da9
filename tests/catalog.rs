//! The catalog's tables against the lists of codes in the vendors' documents, both ways.
//!
//! The lists are `tests/fixtures/catalog/KIND.tsv`, made from the documents: class, code, HTTP status,
//! operation (or a status's object) and message template.

use std::collections::BTreeSet;
use std::path::Path;

use keepwatch::catalog::{Catalog, Class, Entry};

type Key = (String, String, String, String, String);

fn fixtures() -> Vec<(String, Vec<Key>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/catalog");
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "tsv") {
            continue;
        }
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        assert!(
            lines.next().unwrap().starts_with("# "),
            "{kind}.tsv: the first line names the document"
        );
        let rows = lines
            .map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                let [class, code, http, operation, template] = fields.as_slice() else {
                    panic!("{kind}.tsv: five columns expected: {line}");
                };
                (
                    (*class).to_owned(),
                    (*code).to_owned(),
                    (*http).to_owned(),
                    (*operation).to_owned(),
                    (*template).to_owned(),
                )
            })
            .collect();
        out.push((kind, rows));
    }
    out.sort();
    out
}

fn key(e: &Entry) -> Key {
    (
        e.class.word().to_owned(),
        e.code.clone(),
        e.http_status.map(|s| s.to_string()).unwrap_or_default(),
        e.operation.clone(),
        e.message_template.clone(),
    )
}

#[test]
fn tables_and_documents_hold_the_same_codes() {
    let catalog = Catalog::built_in();
    let fixtures = fixtures();
    let listed: BTreeSet<&str> = fixtures.iter().map(|(kind, _)| kind.as_str()).collect();
    let tables: BTreeSet<&str> = catalog.kinds().collect();
    assert_eq!(
        tables, listed,
        "each table has a list of its document's codes"
    );
    let mut wrong = Vec::new();
    for (kind, rows) in &fixtures {
        let expected: BTreeSet<&Key> = rows.iter().collect();
        assert_eq!(expected.len(), rows.len(), "{kind}.tsv: a row stands twice");
        let entries: Vec<Key> = catalog.entries(Some(kind)).iter().map(|e| key(e)).collect();
        let held: BTreeSet<&Key> = entries.iter().collect();
        if held.len() != entries.len() {
            wrong.push(format!("{kind}: an entry stands twice"));
        }
        for missing in expected.difference(&held) {
            wrong.push(format!("{kind}: missing {missing:?}"));
        }
        for invented in held.difference(&expected) {
            wrong.push(format!("{kind}: not in the document {invented:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_reads_without_a_mistake_and_says_everything() {
    let catalog = Catalog::built_in();
    let mistakes = catalog.check();
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    for kind in catalog.kinds() {
        assert!(
            !catalog.title(kind).unwrap().trim().is_empty(),
            "{kind} has no title"
        );
    }
    for e in catalog.entries(None) {
        let name = format!("{} {}", e.kind, e.code);
        assert!(!e.meaning.trim().is_empty(), "{name}: no meaning");
        assert!(!e.source.trim().is_empty(), "{name}: no source");
        assert!((1..=4).contains(&e.remedy.len()), "{name}: 1 to 4 steps");
        for step in &e.remedy {
            assert!(step.trim().len() > 3, "{name}: empty step");
        }
        let is_status = e.class == Class::Status;
        assert_eq!(e.phase.is_some(), is_status, "{name}: phase");
        assert_eq!(e.terminal.is_some(), is_status, "{name}: terminal");
        if e.class == Class::Http {
            assert_eq!(
                e.http_status.map(|s| s.to_string()).as_deref(),
                Some(e.code.as_str())
            );
        }
    }
}

/// Every code is found by asking for it the way its document distinguishes it, and then alone unless the
/// document itself leaves twins.
#[test]
fn every_entry_is_found_by_what_its_document_says() {
    use keepwatch::catalog::Question;
    let catalog = Catalog::built_in();
    for e in catalog.entries(None) {
        let mut question = Question::code(&e.code)
            .with_kind(&e.kind)
            .with_operation(&e.operation)
            .with_message(&e.message_template);
        question.http = e.http_status;
        let readings = catalog.explain(&question);
        assert!(
            readings.iter().any(|r| r.entry == e),
            "{} {} {:?} {} is not found",
            e.kind,
            e.code,
            e.http_status,
            e.operation
        );
    }
}
