//! Readings, twins, statuses, HTTP's last resort, and the site's own files.

use super::*;
use crate::model::{CodeRef, Kind, Phase, RetryAdvice};

const TWINS: &str = r#"
kind = "toy"
title = "Toy"

[[entry]]
class = "error"
code = "T.1"
http_status = 500
operation = "backup"
message_template = "copy of %s executing"
severity = "warning"
meaning = "A copy runs."
remedy = ["Wait."]
retry_advice = "wait"
source = "Toy"

[[entry]]
class = "error"
code = "T.1"
http_status = 500
operation = "policy"
message_template = "status can't be set"
severity = "error"
meaning = "The policy stays."
remedy = ["Look at the policy."]
retry_advice = "after a fix"
source = "Toy"

[[entry]]
class = "error"
code = "T.1"
http_status = 403
severity = "error"
meaning = "Not verified."
remedy = ["Verify."]
retry_advice = "after a fix"
source = "Toy"

[[entry]]
class = "status"
code = "error"
operation = "disk"
severity = "error"
meaning = "The disk failed."
remedy = ["Look."]
retry_advice = "after a fix"
source = "Toy"
phase = "failed"
step = "attach"
terminal = true

[[entry]]
class = "status"
code = "error"
operation = "server"
severity = "error"
meaning = "The server failed."
remedy = ["Look."]
retry_advice = "after a fix"
source = "Toy"
phase = "failed"
terminal = true

[[entry]]
class = "status"
code = "idle"
operation = "server"
severity = "info"
meaning = "Nothing runs."
remedy = ["Nothing to do."]
retry_advice = "never"
source = "Toy"
phase = "succeeded"
terminal = true
"#;

fn toy() -> Catalog {
    let (catalog, mistakes) = Catalog::with_text("toy.toml", TWINS);
    assert_eq!(mistakes, []);
    catalog
}

fn meanings(readings: &[Reading]) -> Vec<&str> {
    readings.iter().map(|r| r.entry.meaning.as_str()).collect()
}

#[test]
fn twins_are_told_apart_by_http_operation_and_message_and_else_all_given() {
    let catalog = toy();
    let ask = |q: Question| {
        catalog
            .explain(&q)
            .iter()
            .map(|r| r.entry.meaning.clone())
            .collect::<Vec<_>>()
    };
    let t1 = || Question::code("T.1").with_kind("toy");
    assert_eq!(
        ask(t1()),
        ["A copy runs.", "The policy stays.", "Not verified."]
    );
    assert_eq!(ask(t1().with_http(403)), ["Not verified."]);
    assert_eq!(
        ask(t1().with_http(500)),
        ["A copy runs.", "The policy stays."]
    );
    assert_eq!(ask(t1().with_operation("policy")), ["The policy stays."]);
    assert_eq!(
        ask(t1().with_operation("disable policy")),
        ["The policy stays."]
    );
    assert_eq!(
        ask(t1().with_message("copy of b-1 executing")),
        ["A copy runs."]
    );
    // what fits nothing narrows nothing
    assert_eq!(ask(t1().with_http(418)).len(), 3);
    assert_eq!(
        ask(t1().with_http(500).with_message("another text")).len(),
        2
    );
    // the entry without a text of its own is the general one
    assert_eq!(ask(t1().with_message("another text")), ["Not verified."]);
    assert_eq!(ask(t1().with_operation("restore")).len(), 3);
    // any letter case when nothing fits letter for letter
    assert_eq!(ask(Question::code("t.1")).len(), 3);
}

#[test]
fn an_unknown_code_gets_only_what_http_says_and_says_so() {
    let catalog = toy();
    let question = Question::code("T.9").with_kind("toy");
    assert_eq!(catalog.explain(&question), []);
    let readings = catalog.explain(&question.clone().with_http(503));
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].fit, Fit::HttpOnly);
    assert_eq!(readings[0].entry.kind, HTTP);
    // an HTTP status that nobody lists is read as the first of its hundred
    let readings = catalog.explain(&question.with_http(599));
    assert_eq!(readings[0].entry.code, "500");
    assert_eq!(catalog.http(None, 299), None);
}

#[test]
fn a_code_that_names_its_owner_is_found_from_another_kind_but_a_bare_word_is_not() {
    let catalog = toy();
    let readings = catalog.explain(&Question::code("T.1").with_kind("other"));
    assert_eq!(readings.len(), 3);
    assert!(readings.iter().all(|r| r.fit == Fit::OtherKind));
    assert_eq!(
        catalog.explain(&Question::code("idle").with_kind("other")),
        []
    );
}

#[test]
fn a_code_of_another_service_that_no_table_holds_is_explained_as_its() {
    let catalog = Catalog::built_in();
    for (code, owner, word) in [
        ("EVS.9876", "evs", "disk service"),
        ("IMS.0115", "ims", "image service"),
        ("Ecs.0013", "ecs", "server service"),
    ] {
        for kind in [None, Some("sdrs"), Some("cbr")] {
            let mut question = Question::code(code).with_http(500);
            question.kind = kind.map(ToOwned::to_owned);
            let readings = catalog.explain(&question);
            assert_eq!(readings.len(), 1, "{code}");
            let Reading { entry, fit } = &readings[0];
            assert_eq!(*fit, Fit::Owner, "{code} is not said to be known");
            assert_eq!((entry.code.as_str(), entry.kind.as_str()), (code, owner));
            assert!(entry.meaning.contains(word) && entry.meaning.contains("passes it on"));
        }
    }
    // one that a table holds is known for itself
    let known = catalog.explain(&Question::code("EVS.2071").with_kind("sdrs"));
    assert_eq!(known[0].fit, Fit::OtherKind);
    // a service's own unknown code is nobody else's
    for code in ["CSBS.9876", "SDRS.98765", "IMS.", "IMS", "IMSX.1"] {
        assert_eq!(catalog.explain(&Question::code(code)), [], "{code}");
    }
}

/// CBR spreads one idea over several codes and statuses: whichever comes, the advice is the same.
#[test]
fn what_is_busy_in_cbr_is_waited_for_whatever_its_code() {
    let catalog = Catalog::built_in();
    for number in [
        "0002", "1001", "2002", "2010", "6125", "6130", "6134", "6203", "6216", "7302",
    ] {
        let code = format!("BackupService.{number}");
        let readings = catalog.explain(&Question::code(&code).with_kind("cbr"));
        assert!(!readings.is_empty(), "{code}");
        for reading in readings {
            assert_eq!(reading.entry.retry_advice, RetryAdvice::Wait, "{code}");
        }
    }
    // an image that is there already is never overcome by waiting
    for number in ["6204", "6210", "6211"] {
        let code = format!("BackupService.{number}");
        for reading in catalog.explain(&Question::code(&code).with_kind("cbr")) {
            assert!(
                matches!(
                    reading.entry.retry_advice,
                    RetryAdvice::AfterAFix | RetryAdvice::Never
                ),
                "{code}"
            );
        }
    }
}

/// CSBS answers with codes of its successor's name that the successor's own list lacks.
#[test]
fn the_codes_of_a_migration_are_found_from_cbr_too() {
    let catalog = Catalog::built_in();
    for code in ["BackupService.4003", "BackupService.4008"] {
        let readings = catalog.explain(&Question::code(code).with_kind("cbr"));
        assert_eq!(readings[0].fit, Fit::OtherKind, "{code}");
        assert_eq!(readings[0].entry.kind, "csbs");
        assert_eq!(readings[0].entry.retry_advice, RetryAdvice::Never);
    }
}

#[test]
fn a_text_alone_finds_its_code_when_it_is_the_whole_template() {
    let catalog = toy();
    let found =
        |text: &str| catalog.explain(&Question::default().with_kind("toy").with_message(text));
    let readings = found("Copy of 42 executing");
    assert_eq!(meanings(&readings), ["A copy runs."]);
    assert_eq!(readings[0].fit, Fit::Text);
    assert_eq!(found("the copy of 42 executing now"), []);
}

#[test]
fn a_status_is_read_for_its_object_and_never_guessed() {
    let catalog = toy();
    let meaning = |object: &str, word: &str| {
        catalog
            .status("toy", object, word)
            .map(|e| e.meaning.clone())
    };
    assert_eq!(
        meaning("server", "error").as_deref(),
        Some("The server failed.")
    );
    assert_eq!(
        meaning("disk", "error").as_deref(),
        Some("The disk failed.")
    );
    assert_eq!(meaning("", "error"), None);
    assert_eq!(meaning("", "idle").as_deref(), Some("Nothing runs."));
    assert_eq!(meaning("server", "ERROR"), None);
    assert_eq!(catalog.status("nobody", "", "idle"), None);
    let entry = catalog.status("toy", "disk", "error").unwrap();
    assert_eq!(
        (entry.phase, entry.step.as_str()),
        (Some(Phase::Failed), "attach")
    );
}

#[test]
fn a_task_is_explained_by_its_failure_or_else_by_its_status() {
    let catalog = toy();
    let kind = Kind("toy");
    let failure = CodeRef::new("T.1", "status can't be set");
    let by_code = catalog.about_task(kind, "disk", "error", Some(&failure));
    assert_eq!(meanings(&by_code), ["The policy stays."]);
    let silent = CodeRef::default();
    let by_status = catalog.about_task(kind, "disk", "error", Some(&silent));
    assert_eq!(meanings(&by_status), ["The disk failed."]);
    assert_eq!(catalog.about_task(kind, "disk", "odd", None), []);
}

#[test]
fn a_site_links_a_runbook_changes_a_remedy_and_adds_a_code() {
    let site = format!(
        "{TWINS}\n\
         [[entry]]\ncode = \"T.1\"\nrunbook = \"wiki/t1\"\n\
         [[entry]]\ncode = \"T.1\"\nhttp_status = 403\nremedy = [\"Call Eva.\"]\n\
         [[entry]]\ncode = \"T.2\"\nseverity = \"error\"\nmeaning = \"Ours.\"\nremedy = [\"Do it.\"]\nretry_advice = \"once\"\n"
    );
    let (catalog, mistakes) = Catalog::with_text("site.toml", &site);
    assert_eq!(mistakes, []);
    let twins = catalog.explain(&Question::code("T.1"));
    assert!(
        twins
            .iter()
            .all(|r| r.entry.runbook == "wiki/t1" && r.entry.from_site)
    );
    assert_eq!(twins[2].entry.remedy, ["Call Eva."]);
    assert_eq!(twins[2].entry.meaning, "Not verified.");
    let ours = catalog.explain(&Question::code("T.2"));
    assert_eq!(ours[0].entry.retry_advice, RetryAdvice::Once);
    assert_eq!(ours[0].entry.source, "Site: site.toml");
}

#[test]
fn a_site_may_change_a_built_in_entry() {
    let (catalog, mistakes) = Catalog::with_text(
        "site.toml",
        "kind = \"http\"\n[[entry]]\ncode = \"503\"\nrunbook = \"wiki/503\"\n",
    );
    assert_eq!(mistakes, []);
    let readings = catalog.explain(&Question::code("503").with_kind(HTTP));
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0].entry.runbook, "wiki/503");
    assert!(!readings[0].entry.remedy.is_empty());
}

#[test]
fn faulty_entries_are_named_and_the_rest_loads() {
    let site = "\
kind = \"toy\"
[[entry]]
code = \"T.5\"
meaning = \"Lacks the rest.\"

[[entry]]
code = \"T.6\"
severity = \"eror\"
meaning = \"\"
remedi = [\"x\"]

[[entry]]
code = \"T.7\"
severity = \"info\"
meaning = \"Fine.\"
remedy = [\"Nothing to do.\"]
retry_advice = \"never\"
";
    let (catalog, mistakes) = Catalog::with_text("site.toml", site);
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(
        lines[0]
            .starts_with("site.toml:2:1: T.5 is new here and lacks severity, remedy, retry_advice"),
        "{lines:#?}"
    );
    assert!(
        lines[1].contains(":8:12:") && lines[1].contains("Did you mean \"error\""),
        "{lines:#?}"
    );
    assert!(
        lines[2].contains(":9:") && lines[2].contains("empty"),
        "{lines:#?}"
    );
    assert!(
        lines[3].contains("unknown key \"remedi\"") && lines[3].contains("\"remedy\""),
        "{lines:#?}"
    );
    assert_eq!(catalog.explain(&Question::code("T.7")).len(), 1);
    assert_eq!(catalog.explain(&Question::code("T.6")), []);
}

#[test]
fn a_change_that_does_not_say_which_twin_is_refused() {
    let site = format!("{TWINS}\n[[entry]]\ncode = \"T.1\"\nmeaning = \"Which?\"\n");
    let (_, mistakes) = Catalog::with_text("site.toml", &site);
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].what.contains("3 readings"), "{}", mistakes[0]);
}

#[test]
fn a_directory_of_site_files_loads_around_a_broken_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.toml"), "kind = \"toy").unwrap();
    std::fs::write(dir.path().join("b.toml"), TWINS).unwrap();
    std::fs::write(dir.path().join("c.toml"), [0xff, 0xfe, 0x00]).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not a table").unwrap();
    let (catalog, mistakes) = Catalog::with_site(dir.path());
    assert_eq!(mistakes.len(), 2, "{mistakes:#?}");
    assert!(mistakes[0].file.ends_with("a.toml") && mistakes[0].line == 1);
    assert!(mistakes[1].file.ends_with("c.toml"));
    assert_eq!(catalog.explain(&Question::code("T.1")).len(), 3);
    let (_, none) = Catalog::with_site(&dir.path().join("nowhere"));
    assert_eq!(none, []);
}

#[test]
fn json_of_an_entry_has_the_promised_fields() {
    let catalog = toy();
    let json = |object: &str| {
        let entry = catalog.status("toy", object, "error").unwrap();
        serde_json::to_value(entry.json()).unwrap()
    };
    let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&json("disk")),
        [
            "code",
            "http_status",
            "kind",
            "meaning",
            "message_template",
            "operation",
            "phase",
            "remedy",
            "retry_advice",
            "severity",
            "source",
            "step",
            "terminal"
        ]
    );
    assert_eq!(json("disk")["step"], "attach");
    let code = &catalog.explain(&Question::code("T.1").with_http(403))[0];
    let code = serde_json::to_value(code.entry.json()).unwrap();
    assert_eq!(
        keys(&code),
        [
            "code",
            "http_status",
            "kind",
            "meaning",
            "message_template",
            "operation",
            "remedy",
            "retry_advice",
            "severity",
            "source"
        ]
    );
    assert_eq!(code["http_status"], 403);
    assert!(code["operation"].is_null());
}

#[test]
fn a_status_of_two_fields_is_read_by_its_result() {
    let catalog = Catalog::built_in();
    let kind = crate::model::Kind("freezer");
    let code = |status: &str| {
        catalog
            .about_task(kind, "", status, None)
            .first()
            .map(|r| r.entry.code.clone())
    };
    assert_eq!(code("completed/fail").as_deref(), Some("fail"));
    assert_eq!(code("running/").as_deref(), Some("running"));
    assert_eq!(code("resting/well"), None);
    let asked = Question::code("completed/fail").with_kind("freezer");
    assert_eq!(catalog.explain(&asked)[0].entry.code, "fail");
}

/// DPOD's list of statuses calls the error policy Fail, all its other pages call it Halt: the person reads Halt.
#[test]
fn dpods_error_policy_is_called_halt() {
    let catalog = Catalog::built_in();
    let all = catalog.entries(Some("dpod"));
    let meanings = all.iter().map(|e| e.meaning.as_str());
    let named: Vec<&str> = meanings.filter(|m| m.contains("error policy")).collect();
    assert!(named.len() >= 2, "{named:?}");
    for meaning in named {
        assert!(meaning.contains("Halt"), "{meaning}");
    }
}
