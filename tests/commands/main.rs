//! `keepwatch list` and the action verbs from outside, against the embedded services as a server.

mod doctor;
mod guard;
mod history;
mod insight;
mod killed;
#[path = "../sim_support/mod.rs"]
mod sim_support;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The embedded services in a process of their own, standing still unless told otherwise.
struct Sim {
    child: Child,
    dir: tempfile::TempDir,
}

impl Sim {
    fn start() -> Self {
        Self::start_kinds("csbs")
    }

    /// The same with other kinds, separated by commas.
    fn start_kinds(kinds: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_keepwatch"))
            .args(["sim", "--kinds", kinds, "--port", "0", "--speed", "0"])
            .args(["--tasks", "60", "--change-rate", "0"])
            .args(["--start", "2026-05-04T12:00:00Z", "--write-config"])
            .arg(dir.path().join("config.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // the ready lines come when everything listens and the configuration is written
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("keystone"));
        for _ in kinds.split(',') {
            let line = lines.next().unwrap().unwrap();
            assert!(kinds.split(',').any(|kind| line.contains(kind)), "{line}");
        }
        Self { child, dir }
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("config.toml")
    }

    fn run(&self, args: &[&str]) -> Done {
        keepwatch(self.dir.path(), Some(&self.config()), args)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Done {
    exit: i32,
    out: String,
    err: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.out, self.err))
    }
}

fn keepwatch(home: &Path, config: Option<&Path>, args: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepwatch"));
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .args(args)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_STATE_HOME", home)
        .env_remove("KEEPWATCH_HISTORY")
        .env("TZ", "UTC")
        .env_remove("KEEPWATCH_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done {
        exit: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

fn items(done: &Done) -> Vec<Value> {
    done.json()["items"].as_array().unwrap().clone()
}

#[test]
fn lists_have_the_promised_form_and_obey_filter_and_limit() {
    let sim = Sim::start();
    let done = sim.run(&["list", "failed", "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    let json = done.json();
    assert_eq!(json["schema"], "keepwatch.list.1");
    assert!(json["generated_at"].as_str().unwrap().ends_with('Z'));
    let service = &json["services"][0];
    assert_eq!(
        (&service["kind"], &service["health"]),
        (&"csbs".into(), &"fresh".into())
    );
    assert!(service["error"].is_null() && service["age_s"].is_i64());
    let failed = items(&done);
    assert!(!failed.is_empty());
    for item in &failed {
        assert_eq!(item["phase"], "failed");
        assert!(item["code"].as_str().unwrap().starts_with("CSBS."));
        assert!(!item["meaning"].as_str().unwrap().is_empty());
        assert!(!item["remedy"].as_array().unwrap().is_empty());
        assert!(item["retry_advice"].is_string());
    }
    let code = failed[0]["code"].as_str().unwrap().to_owned();
    let filter = format!("code={code}");
    let done = sim.run(&["list", "failed", "--where", &filter, "--output", "json"]);
    let some = items(&done);
    assert!(!some.is_empty() && some.len() <= failed.len());
    assert!(some.iter().all(|i| i["code"] == code.as_str()));
    let done = sim.run(&["list", "tasks", "--limit", "3", "--output", "json"]);
    assert_eq!(items(&done).len(), 3);
    let done = sim.run(&["list", "tasks", "--limit", "3"]);
    assert_eq!(done.out.lines().count(), 4, "{}", done.out);
    assert!(done.err.contains("3 of "), "{}", done.err);
    let devices = items(&sim.run(&["list", "devices", "--output", "json"]));
    assert!(devices[0].get("failures_in_a_row").is_some());
    let policies = items(&sim.run(&["list", "policies", "--output", "json"]));
    assert!(policies.iter().all(|p| p["enabled"].is_boolean()));
}

#[test]
fn a_wrong_filter_and_an_unknown_service_end_with_2() {
    let sim = Sim::start();
    let done = sim.run(&["list", "tasks", "--where", "colour:red"]);
    assert_eq!(done.exit, 2);
    assert!(done.err.contains("colour:red\n  ^^^^^^"), "{}", done.err);
    let done = sim.run(&["list", "tasks", "--service", "otc-uk"]);
    assert_eq!(done.exit, 2);
    assert!(done.err.contains("Did you mean \"otc-eu\""), "{}", done.err);
    let done = sim.run(&["list", "jobs"]);
    assert_eq!(done.exit, 2);
}

#[test]
fn a_service_that_cant_be_read_is_named_and_the_others_items_come() {
    let sim = Sim::start();
    let mut text = std::fs::read_to_string(sim.config()).unwrap();
    let services = text.find("[[service]]").unwrap();
    let other = text[services..]
        .replace("otc-eu", "gone")
        .replace("demo-password", "wrong-password");
    let unset = text[services..].replace("otc-eu", "unset").replace(
        "{ value = \"demo-password\" }",
        "{ env = \"KEEPWATCH_TEST_NOT_SET\" }",
    );
    text.push_str(&other);
    text.push_str(&unset);
    let path = sim.dir.path().join("three.toml");
    std::fs::write(&path, text).unwrap();
    let done = keepwatch(
        sim.dir.path(),
        Some(&path),
        &["list", "tasks", "--output", "json"],
    );
    assert_eq!(done.exit, 4, "{}", done.err);
    let json = done.json();
    let state = |n: usize| {
        (
            json["services"][n]["name"].clone(),
            json["services"][n]["health"].clone(),
        )
    };
    assert_eq!(state(0), ("otc-eu".into(), "fresh".into()));
    assert_eq!(state(1), ("gone".into(), "down".into()));
    assert_eq!(state(2), ("unset".into(), "down".into()));
    let error = |n: usize| json["services"][n]["error"].as_str().unwrap().to_owned();
    assert!(
        error(2).contains("KEEPWATCH_TEST_NOT_SET is not set"),
        "{}",
        error(2)
    );
    assert!(!error(1).contains("wrong-password"), "{}", error(1));
    assert!(!items(&done).is_empty());
    let table = keepwatch(sim.dir.path(), Some(&path), &["list", "tasks"]);
    assert_eq!(table.exit, 4);
    assert!(table.err.contains("unset (csbs) is down"), "{}", table.err);
}

#[test]
fn a_faulty_configuration_is_told_whole_and_nothing_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(
        &path,
        "[[service]]\nname = \"a\"\nkind = \"cbss\"\nendpont = \"x\"\n[service.auth]\nmethod = \"basic\"\nusername = \"u\"\npassword = \"hunter2\"\n",
    )
    .unwrap();
    let done = keepwatch(dir.path(), Some(&path), &["list", "tasks"]);
    assert_eq!(done.exit, 2);
    for part in [
        "config.toml:3:8: \"kind\" of [[service]] is \"cbss\"",
        "config.toml:4:1: unknown key \"endpont\"",
        "config.toml:8:12: \"password\" of [service.auth] is written out",
    ] {
        assert!(done.err.contains(part), "{part}\n{}", done.err);
    }
    assert!(!done.err.contains("hunter2"), "{}", done.err);
    std::fs::write(&path, "[ui\n").unwrap();
    let done = keepwatch(dir.path(), Some(&path), &["list", "tasks"]);
    assert_eq!(done.exit, 2);
    assert!(done.err.contains("config.toml:1:"), "{}", done.err);
    let done = keepwatch(
        dir.path(),
        Some(&dir.path().join("none.toml")),
        &["list", "tasks"],
    );
    assert_eq!(done.exit, 2);
    assert!(
        done.err
            .contains("none.toml: the configuration can't be read"),
        "{}",
        done.err
    );
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let sim = Sim::start();
    let before = items(&sim.run(&["list", "running", "--output", "json"])).len();
    let done = sim.run(&["run", "ecs-app-01", "--dry-run", "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    let action = done.json()["actions"][0].clone();
    assert_eq!(action["requests"][0]["method"], "POST");
    assert_eq!(
        action["requests"][0]["body"]["protect"]["resource_type"],
        "OS::Nova::Server"
    );
    assert!(!action["effect"].as_str().unwrap().is_empty());
    assert!(action["outcome"].is_null());
    let text = sim.run(&["run", "ecs-app-01", "--dry-run"]);
    assert!(
        text.out.contains("\n  POST http://127.0.0.1:") && text.out.contains("Nothing was sent.")
    );
    // without a terminal and without --yes nothing goes out either
    let done = sim.run(&["run", "ecs-app-01"]);
    assert_eq!(done.exit, 2);
    assert!(
        done.err.contains("POST http") && done.err.contains("--yes"),
        "{}",
        done.err
    );
    let after = items(&sim.run(&["list", "running", "--output", "json"])).len();
    assert_eq!(before, after);
}

#[test]
fn a_confirmed_run_starts_a_task_and_a_switch_is_read_back() {
    let sim = Sim::start();
    let done = sim.run(&["run", "ecs-app-01", "--yes", "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    let outcome = done.json()["actions"][0]["outcome"].clone();
    assert_eq!(outcome["stage"], "accepted");
    let task = outcome["task_ids"][0].as_str().unwrap().to_owned();
    let running = items(&sim.run(&["list", "running", "--output", "json"]));
    assert!(
        running.iter().any(|t| t["id"] == task.as_str()),
        "{running:#?}"
    );
    let enabled = |sim: &Sim| {
        let list = sim.run(&[
            "list",
            "policies",
            "--where",
            "policy=hourly-app",
            "--output",
            "json",
        ]);
        items(&list)[0]["enabled"].as_bool().unwrap()
    };
    assert!(enabled(&sim));
    assert_eq!(sim.run(&["disable", "hourly-app", "--yes"]).exit, 0);
    assert!(!enabled(&sim));
    let done = sim.run(&["--read-only", "enable", "hourly-app", "--yes"]);
    assert_eq!(done.exit, 1);
    assert!(done.err.contains("read-only"), "{}", done.err);
    assert!(!enabled(&sim));
}

#[test]
fn what_cant_be_done_says_why() {
    let sim = Sim::start();
    let done = sim.run(&["cancel", "ecs-app-01", "--yes"]);
    assert_eq!(done.exit, 1);
    assert!(
        done.err.contains("CSBS publishes no call that cancels"),
        "{}",
        done.err
    );
    let done = sim.run(&["enable", "no-such-policy", "--yes"]);
    assert_eq!(done.exit, 1);
    assert!(done.err.contains("nothing called so"), "{}", done.err);
    // one bad target holds everything back
    let done = sim.run(&["disable", "hourly-app", "no-such-policy", "--yes"]);
    assert_eq!(done.exit, 1);
    assert!(done.err.contains("nothing was sent"), "{}", done.err);
    // a refusal before sending is explained
    let done = sim.run(&["run", "ecs-pxe-01", "--yes"]);
    assert_eq!(done.exit, 1);
    assert!(
        done.err.contains("CSBS.6007") && done.err.contains("\n  1  "),
        "{}",
        done.err
    );
    let done = sim.run(&["run", "ecs-app-01", "--dry-run", "--input", "colour=red"]);
    assert_eq!(done.exit, 1);
    assert!(done.err.contains("--input colour"), "{}", done.err);
}

#[test]
fn nothing_configured_means_the_embedded_services_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let done = keepwatch(home.path(), None, &["list", "devices", "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(done.err.contains("embedded demo services"), "{}", done.err);
    assert!(!items(&done).is_empty());
}

#[test]
fn a_filter_stands_for_its_targets_behind_one_yes_and_says_what_it_leaves_out() {
    let sim = Sim::start();
    let on = |sim: &Sim| {
        let all = sim.run(&["list", "policies", "--where", "nightly", "--output", "json"]);
        let items = all.json()["items"].clone();
        let items = items.as_array().cloned().expect("a list");
        let on = items.iter().filter(|i| i["enabled"] != false).count();
        (items.len(), on)
    };
    let (nightly, before) = on(&sim);
    assert!(before > 2, "{before} of {nightly}");

    let asked = sim.run(&["disable", "--where", "nightly"]);
    assert_eq!(asked.exit, 2, "{}", asked.err);
    assert!(asked.err.contains("add --yes"), "{}", asked.err);
    assert!(asked.err.contains("PUT"), "{}", asked.err);
    assert_eq!(on(&sim), (nightly, before), "nothing was sent");

    let done = sim.run(&["disable", "--where", "nightly", "--yes"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(
        done.err
            .contains(&format!("disable on {before}: {before} accepted")),
        "{}",
        done.err
    );
    assert_eq!(on(&sim), (nightly, 0));

    // a shared disk stays shared: the service's precheck refuses each, and nothing is sent
    let refused = sim.run(&["retry", "--where", "code:CSBS.6010", "--yes"]);
    assert_eq!(refused.exit, 1, "{}", refused.err);
    assert!(refused.err.contains("left out"), "{}", refused.err);
    assert!(refused.err.contains("CSBS.6010"), "{}", refused.err);

    let mistaken = sim.run(&["retry", "--where", "ended<", "--yes"]);
    assert_eq!(mistaken.exit, 2, "{}", mistaken.err);
    assert!(mistaken.err.contains("--where"), "{}", mistaken.err);
    let both = sim.run(&["retry", "ecs-1", "--where", "nightly"]);
    assert_eq!(both.exit, 2, "{}", both.err);
}
