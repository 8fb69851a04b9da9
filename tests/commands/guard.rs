//! What stands between a person and a dangerous request, against services that really take it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::support::{Terminal, home};
use crate::{Sim, keepwatch};

/// What each of these would send.
fn planned(sim: &Sim, args: &[&str]) -> Vec<Value> {
    let args = [args, &["--dry-run", "--output", "json"]].concat();
    let done = sim.run(&args);
    assert_eq!(done.exit, 0, "{args:?}: {}", done.err);
    let actions = done.json()["actions"].as_array().expect("actions").clone();
    assert!(!actions.is_empty(), "{args:?}");
    actions
}

fn warns(action: &Value, of: &str) -> bool {
    let warnings = action["warnings"].as_array().expect("warnings");
    warnings
        .iter()
        .any(|w| w.as_str().is_some_and(|w| w.contains(of)))
}

#[test]
fn a_retry_that_repeats_more_than_what_failed_says_so_and_wants_the_name() {
    let sim = Sim::start_kinds("dpod");
    for again in planned(&sim, &["retry", "--where", "", "--service", "gateways"]) {
        let effect = again["effect"].as_str().expect("an effect");
        assert!(effect.contains("the whole"), "{effect}");
        assert_eq!(again["danger"], "type the name", "{again:#}");
        let plan = again["confirm"].as_str().expect("a name to type");
        assert!(effect.contains(&format!("\"{plan}\"")), "{effect}");
    }
}

#[test]
fn a_failover_wants_the_groups_name_and_yes_is_not_enough() {
    let sim = Sim::start_kinds("sdrs");
    let groups = crate::items(&sim.run(&["list", "policies", "--output", "json"]));
    let group = groups
        .iter()
        .find(|g| {
            let id = g["id"].as_str().expect("an id");
            let dry = sim.run(&["run", id, "--action", "fail-over", "--dry-run"]);
            dry.exit == 0
        })
        .expect("a group that can fail over");
    let (id, name) = (
        group["id"].as_str().expect("an id"),
        group["name"].as_str().expect("a name"),
    );
    let plan = &planned(&sim, &["run", id, "--action", "fail-over"])[0];
    assert_eq!(plan["danger"], "type the name");
    assert!(warns(plan, "there is no undo"), "{plan:#}");
    let status = |sim: &Sim| {
        let all = crate::items(&sim.run(&["list", "policies", "--output", "json"]));
        let same = all.into_iter().find(|g| g["id"] == id).expect("the group");
        same["native_status"].clone()
    };
    let before = status(&sim);
    for extra in [&["--yes"][..], &["--yes", "--confirm", "another"]] {
        let args = [&["run", id, "--action", "fail-over"], extra].concat();
        let done = sim.run(&args);
        assert_eq!(done.exit, 2, "{}", done.err);
        assert!(
            done.err.contains(&format!("--confirm {name}")),
            "{}",
            done.err
        );
        assert!(done.err.contains("failover-server-group"), "{}", done.err);
    }
    assert_eq!(status(&sim), before, "nothing was sent");
    let done = sim.run(&["run", id, "--action", "fail-over", "--confirm", name]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert_ne!(status(&sim), before);
}

/// Limits that forbid everything but a retry: for all services or for each of them, and the reason given.
const FORBIDDEN: [(&str, bool, &str); 4] = [
    ("read_only = true", true, "read-only"),
    ("read_only = true", false, "this service is read-only"),
    ("allow = [\"retry\"]", false, "not in the allow list"),
    ("allow = []", false, "not in the allow list"),
];

/// Runs the program with a configuration that has this line, at its top or in every service.
fn limited(sim: &Sim, line: &str, all: bool, args: &[&str]) -> crate::Done {
    let text = fs::read_to_string(sim.config()).expect("a configuration");
    let path = sim.dir.path().join("limited.toml");
    let text = if all {
        format!("{line}\n{text}")
    } else {
        text.replace("[[service]]\n", &format!("[[service]]\n{line}\n"))
    };
    fs::write(&path, text).expect("written");
    keepwatch(sim.dir.path(), Some(&path), args)
}

#[test]
fn every_action_is_reached_by_its_id() {
    let sim = Sim::start_kinds("csbs,sdrs,dpod,freezer,dbs,cbr,karbor,atlassian");
    let listed = sim.run(&["actions", "--output", "json"]);
    assert_eq!(listed.exit, 0, "{}", listed.err);
    let actions = listed.json()["actions"]
        .as_array()
        .expect("actions")
        .clone();
    let text = |a: &Value, field: &str| a[field].as_str().expect("a text").to_owned();
    let mut verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for a in &actions {
        verbs
            .entry(text(a, "id"))
            .or_default()
            .insert(text(a, "verb"));
    }
    // where an id means two things, the service decides and nothing is guessed
    let several: Vec<&String> = verbs
        .iter()
        .filter(|(_, verbs)| verbs.len() > 1)
        .map(|(id, _)| id)
        .collect();
    assert!(!several.is_empty(), "no id means two things");
    for id in several {
        let done = sim.run(&["act", id, "x", "--yes"]);
        assert_eq!(done.exit, 2, "{id}: {}", done.err);
        assert!(done.err.contains("choose with --service"), "{}", done.err);
    }
    let kinds: BTreeSet<String> = actions.iter().map(|a| text(a, "kind")).collect();
    assert_eq!(kinds.len(), 8, "{kinds:?}");
    // what no verb of the command line is for
    let mut tried = 0;
    for a in &actions {
        if !["restore", "delete"].contains(&&*text(a, "verb")) {
            continue;
        }
        tried += 1;
        let service = text(&a["services"][0], "name");
        let id = text(a, "id");
        let done = sim.run(&["act", &id, "no-such-thing", "--service", &service, "--yes"]);
        assert_eq!(done.exit, 1, "{id}: {}", done.err);
        assert!(done.err.contains("nothing called so"), "{id}: {}", done.err);
    }
    assert!(tried > 5, "{tried}");
    let done = sim.run(&["act", "relese", "x"]);
    assert_eq!(done.exit, 2, "{}", done.err);
    assert!(done.err.contains("release"), "{}", done.err);
    let table = sim.run(&["--read-only", "actions"]);
    assert!(table.out.contains("(forbidden)"), "{}", table.out);
}

#[test]
fn a_plan_is_released_by_its_typed_name_alone_and_only_where_that_is_allowed() {
    let sim = Sim::start_kinds("dbs");
    let plans = |sim: &Sim| crate::items(&sim.run(&["list", "policies", "--output", "json"]));
    let all = plans(&sim);
    let plan = all.iter().find(|p| {
        let id = p["id"].as_str().expect("an id");
        sim.run(&["act", "release", id, "--dry-run"]).exit == 0
    });
    let plan = plan.expect("a plan that can be released");
    let (id, name) = (
        plan["id"].as_str().expect("an id"),
        plan["name"].as_str().expect("a name"),
    );
    let shown = &planned(&sim, &["act", "release", id])[0];
    assert_eq!(shown["danger"], "type the name");
    assert_eq!(shown["confirm"], name);
    assert!(warns(shown, "can't be undone"), "{shown:#}");
    let status = |sim: &Sim| {
        let plan = plans(sim).into_iter().find(|p| p["id"] == id);
        plan.map(|p| p["native_status"].clone())
    };
    let before = status(&sim);
    for extra in [&[][..], &["--yes"], &["--yes", "--confirm", "another"]] {
        let args = [&["act", "release", id], extra].concat();
        let done = sim.run(&args);
        assert_eq!(done.exit, 2, "{}", done.err);
        let wanted = format!("--confirm {name}");
        assert!(done.err.contains(&wanted), "{}", done.err);
        assert!(done.err.contains("ReleaseBackupPlan"), "{}", done.err);
    }
    // for many it is the verb and their number
    let many = [
        "act",
        "release",
        "--where",
        &format!("id={id}"),
        "--confirm",
    ];
    let done = sim.run(&[&many[..], &[name]].concat());
    assert_eq!(done.exit, 2, "{}", done.err);
    assert!(done.err.contains("--confirm 'delete 1'"), "{}", done.err);
    let args = ["act", "release", id, "--confirm", name];
    for (line, all, why) in FORBIDDEN {
        let done = limited(&sim, line, all, &args);
        assert_ne!(done.exit, 0, "{line}");
        assert!(done.err.contains(why), "{line}: {}", done.err);
    }
    assert_eq!(status(&sim), before, "nothing was sent");
    let done = limited(&sim, "allow = [\"delete\"]", false, &args);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert_ne!(status(&sim), before);
}

#[test]
fn read_only_and_allow_lists_hold_for_all_or_for_one_service() {
    let sim = Sim::start();
    let with = |line, all| limited(&sim, line, all, &["disable", "hourly-app", "--yes"]);
    for (line, all, why) in FORBIDDEN {
        let done = with(line, all);
        assert_ne!(done.exit, 0, "{line}");
        assert!(done.err.contains(why), "{line}: {}", done.err);
    }
    assert_eq!(with("allow = [\"disable\"]", false).exit, 0);
}

#[test]
fn at_a_terminal_the_request_is_shown_and_only_the_word_itself_sends_it() {
    let sim = Sim::start();
    let home = home();
    let config = sim.config().display().to_string();
    let start = |args: &[&str]| {
        let args = [&["--config", &config], args].concat();
        Terminal::start(100, 40, home.path(), &args)
    };
    let enabled = || {
        let filter = ["list", "policies", "--where", "policy=hourly-app"];
        let list = sim.run(&[&filter[..], &["--output", "json"]].concat());
        crate::items(&list)[0]["enabled"] == true
    };
    for no in ["y", "no", ""] {
        let mut terminal = start(&["disable", "hourly-app"]);
        let shown = terminal.wait_for("Type yes to send this");
        assert!(shown.contains("PUT http"), "{shown}");
        terminal.press(&format!("{no}\r"));
        terminal.wait_for("nothing was sent");
        assert_eq!(terminal.wait_end().exit_code(), 1);
    }
    // the end of the input is no yes
    let mut terminal = start(&["disable", "hourly-app"]);
    terminal.wait_for("Type yes to send this");
    terminal.press("\u{4}");
    terminal.wait_for("nothing was sent");
    assert_eq!(terminal.wait_end().exit_code(), 1);
    assert!(enabled());
    let mut terminal = start(&["disable", "hourly-app", "--dry-run"]);
    terminal.wait_for("Nothing was sent.");
    assert_eq!(terminal.wait_end().exit_code(), 0);
    assert!(enabled());
    let mut terminal = start(&["disable", "hourly-app"]);
    terminal.wait_for("Type yes to send this");
    terminal.press("yes\r");
    terminal.wait_for("accepted");
    assert_eq!(terminal.wait_end().exit_code(), 0);
    assert!(!enabled());
    let mut terminal = start(&["enable", "--where", "policy=hourly-app", "--yes"]);
    let shown = terminal.wait_for("enable on 1: 1 accepted");
    assert!(!shown.contains("to send this"), "{shown}");
    assert_eq!(terminal.wait_end().exit_code(), 0);
    assert!(enabled());
}

#[test]
fn at_a_terminal_a_name_is_typed_and_without_one_it_is_given() {
    let sim = Sim::start_kinds("sdrs");
    let home = home();
    let config = sim.config().display().to_string();
    let groups = crate::items(&sim.run(&["list", "policies", "--output", "json"]));
    let offers = |action: &str| {
        let group = groups.iter().find(|g| {
            let id = g["id"].as_str().expect("an id");
            let more: &[&str] = if action == "drill" {
                &["--input", "name=dr-1"]
            } else {
                &[]
            };
            let args = [&["act", action, id, "--dry-run"], more].concat();
            sim.run(&args).exit == 0
        });
        let group = group.unwrap_or_else(|| panic!("a group for {action}"));
        let text = |field: &str| group[field].as_str().expect("a text").to_owned();
        (text("id"), text("name"))
    };
    let (id, name) = offers("fail-over");
    let start = |more: &[&str]| {
        let args = [&["--config", &config, "act", "fail-over", &id], more].concat();
        Terminal::start(120, 50, home.path(), &args)
    };
    // a yes is not enough, and another name neither
    let mut terminal = start(&["--yes"]);
    let shown = terminal.wait_for(&format!("Type {name} to send this"));
    assert!(shown.contains("failover-server-group"), "{shown}");
    terminal.press("yes\r");
    terminal.wait_for("nothing was sent");
    assert_eq!(terminal.wait_end().exit_code(), 2);
    let mut terminal = start(&[]);
    terminal.wait_for(&format!("Type {name} to send this"));
    terminal.press(&format!("{name}\r"));
    terminal.wait_for("accepted");
    assert_eq!(terminal.wait_end().exit_code(), 0);
    // a value that is needed is asked for by name, before anything is sent
    let (id, _) = offers("drill");
    let done = sim.run(&["act", "drill", &id, "--yes"]);
    assert_eq!(done.exit, 1, "{}", done.err);
    assert!(done.err.contains("--input name=TEXT"), "{}", done.err);
    let done = sim.run(&["act", "drill", &id, "--input", "name=dr-1"]);
    assert_eq!(done.exit, 2, "{}", done.err);
    assert!(done.err.contains("add --yes"), "{}", done.err);
}
