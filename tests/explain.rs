//! `keepwatch explain` and `keepwatch codes`, from outside.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(args: &[&str], input: &str, dir: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keepwatch"))
        .args(args)
        .env("HOME", dir)
        .env("XDG_CONFIG_HOME", dir)
        .env_remove("KEEPWATCH_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn plain(args: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    texts(&run(args, "", dir.path()))
}

fn texts(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    )
}

fn json(args: &[&str], input: &str) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let (exit, out, err) = texts(&run(args, input, dir.path()));
    (
        exit,
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out} {err}")),
    )
}

#[test]
fn twins_give_both_readings_and_the_http_status_tells_them_apart() {
    let (exit, both) = json(&["explain", "CSBS.5001", "--output", "json"], "");
    assert_eq!(exit, 0);
    assert_eq!(both["query"], "CSBS.5001");
    assert_eq!(both["readings"].as_array().unwrap().len(), 2);
    let (exit, one) = json(
        &["explain", "CSBS.9009", "--http", "403", "--output", "json"],
        "",
    );
    assert_eq!(exit, 0);
    let readings = one["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0]["message_template"], "User is unverified.");
    for key in [
        "kind",
        "code",
        "http_status",
        "operation",
        "message_template",
        "severity",
        "meaning",
        "remedy",
        "retry_advice",
        "source",
    ] {
        assert!(readings[0].get(key).is_some(), "{key} is missing");
    }
    let (exit, text, _) = plain(&["explain", "CSBS.5001"]);
    assert_eq!(exit, 0);
    assert!(text.contains("2 readings") && text.contains("copy executing"));
    assert!(text.contains("\n  1  ") && text.contains("retry: wait"));
}

#[test]
fn several_codes_give_a_list() {
    let (exit, list) = json(
        &["explain", "CSBS.6027", "EVS.2024", "--output", "json"],
        "",
    );
    assert_eq!(exit, 0);
    let queries: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["query"].as_str().unwrap())
        .collect();
    assert_eq!(queries, ["CSBS.6027", "EVS.2024"]);
}

#[test]
fn an_unknown_code_ends_with_3_and_names_the_near_ones() {
    let (exit, out, err) = plain(&["explain", "CSBS.627"]);
    assert_eq!(exit, 3);
    assert_eq!(out, "");
    assert!(err.contains("CSBS.627: not in the catalog"), "{err}");
    assert!(err.contains("CSBS.6027"), "{err}");
    let (exit, answer) = json(
        &["explain", "NOPE.1", "--http", "503", "--output", "json"],
        "",
    );
    assert_eq!(exit, 3);
    assert_eq!(answer["readings"].as_array().unwrap().len(), 0);
    assert_eq!(answer["http"]["code"], "503");
    assert!(answer["near"].is_array());
    // one unknown among known ones still says so
    let (exit, _, _) = plain(&["explain", "CSBS.6027", "NOPE.1"]);
    assert_eq!(exit, 3);
}

#[test]
fn a_raw_body_on_standard_input_is_recognised() {
    let (exit, answer) = json(
        &["explain", "-", "--output", "json"],
        "HTTP/1.1 403 Forbidden\r\n\r\n{\"error_code\":\"CSBS.9009\",\"error_msg\":\"User is unverified.\"}",
    );
    assert_eq!(exit, 0);
    assert_eq!(answer["query"], "CSBS.9009");
    assert_eq!(answer["recognised"]["kind"], "csbs");
    assert_eq!(answer["recognised"]["http_status"], 403);
    assert_eq!(answer["readings"].as_array().unwrap().len(), 1);

    let (exit, rows) = json(
        &["explain", "-", "--output", "json"],
        r#"{"failure_jobs":[{"failure_status":"createFail","job_type":"createProtectedInstance","error_code":"EVS.2024","fail_reason":"X-fail:volume is error!"}]}"#,
    );
    assert_eq!(exit, 0);
    assert_eq!(rows[0]["query"], "EVS.2024");
    assert_eq!(rows[1]["readings"][0]["phase"], "failed");

    let dir = tempfile::tempdir().unwrap();
    let (exit, _, err) = texts(&run(&["explain", "-"], "", dir.path()));
    assert_eq!(exit, 2);
    assert!(err.contains("standard input is empty"), "{err}");
    let (exit, _, err) = texts(&run(&["explain", "-"], "nothing of worth", dir.path()));
    assert_eq!(exit, 3);
    assert!(err.contains("no code"), "{err}");
}

#[test]
fn the_whole_catalog_is_listed() {
    let (exit, all) = json(&["codes", "--output", "json"], "");
    assert_eq!(exit, 0);
    let all = all.as_array().unwrap();
    let has = |kind: &str, code: &str| all.iter().any(|e| e["kind"] == kind && e["code"] == code);
    assert!(has("csbs", "CSBS.6027"));
    assert!(has("sdrs", "SDRS.1013"));
    let (exit, some) = json(&["codes", "--kind", "csbs", "--output", "json"], "");
    assert_eq!(exit, 0);
    let some = some.as_array().unwrap();
    assert!(!some.is_empty() && some.len() < all.len());
    assert!(some.iter().all(|e| e["kind"] == "csbs"));
    let (exit, table, _) = plain(&["codes", "--kind", "csbs"]);
    assert_eq!(exit, 0);
    assert_eq!(table.lines().count(), some.len() + 1);
}

#[test]
fn a_wrong_kind_or_option_ends_with_2() {
    let (exit, _, err) = plain(&["codes", "--kind", "cbss"]);
    assert_eq!(exit, 2);
    assert!(err.contains("Did you mean \"csbs\""), "{err}");
    let (exit, _, _) = plain(&["explain"]);
    assert_eq!(exit, 2);
    let (exit, _, _) = plain(&["explain", "CSBS.1001", "--http", "9000"]);
    assert_eq!(exit, 2);
}

#[test]
fn the_sites_own_remedies_lie_beside_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("catalog.d");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(
        site.join("10-ours.toml"),
        "kind = \"csbs\"\n[[entry]]\ncode = \"CSBS.6027\"\nrunbook = \"wiki/zones\"\n",
    )
    .unwrap();
    std::fs::write(
        site.join("20-bad.toml"),
        "kind = \"csbs\"\n[[entry]]\nkode = 1\n",
    )
    .unwrap();
    let config = dir.path().join("any.toml");
    let config = config.to_str().unwrap();
    let (exit, out, err) = texts(&run(
        &["explain", "CSBS.6027", "--config", config],
        "",
        dir.path(),
    ));
    assert_eq!(exit, 0);
    assert!(out.contains("Runbook: wiki/zones"), "{out}");
    assert!(
        err.contains("20-bad.toml:3:1: unknown key \"kode\""),
        "{err}"
    );
    let (_, out, _) = texts(&run(
        &[
            "--config",
            config,
            "explain",
            "CSBS.6027",
            "--output",
            "json",
        ],
        "",
        dir.path(),
    ));
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["readings"][0]["runbook"], "wiki/zones");
}

#[test]
fn hostile_codes_reach_the_terminal_as_marks() {
    let (exit, _, err) = plain(&["explain", "\u{1b}[2J"]);
    assert_eq!(exit, 3);
    assert!(!err.contains('\u{1b}'), "{err:?}");
}
