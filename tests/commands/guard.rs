//! What stands between a person and a dangerous request, against services that really take it.

use std::fs;

use serde_json::Value;

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

#[test]
fn read_only_and_allow_lists_hold_for_all_or_for_one_service() {
    let sim = Sim::start();
    let text = fs::read_to_string(sim.config()).expect("a configuration");
    let with = |line: &str, all: bool| {
        let path = sim.dir.path().join("limited.toml");
        let text = if all {
            format!("{line}\n{text}")
        } else {
            text.replace("[[service]]\n", &format!("[[service]]\n{line}\n"))
        };
        fs::write(&path, text).expect("written");
        let args = ["disable", "hourly-app", "--yes"];
        keepwatch(sim.dir.path(), Some(&path), &args)
    };
    for (line, all, why) in [
        ("read_only = true", true, "read-only"),
        ("read_only = true", false, "this service is read-only"),
        ("allow = [\"retry\"]", false, "not in the allow list"),
        ("allow = []", false, "not in the allow list"),
    ] {
        let done = with(line, all);
        assert_ne!(done.exit, 0, "{line}");
        assert!(done.err.contains(why), "{line}: {}", done.err);
    }
    assert_eq!(with("allow = [\"disable\"]", false).exit, 0);
}
