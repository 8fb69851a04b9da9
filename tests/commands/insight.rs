//! Failed jobs by cause, and what has no good backup, without a screen.

use serde_json::Value;

use crate::{Sim, items};

#[test]
fn failed_jobs_are_grouped_and_every_group_names_its_filter() {
    let sim = Sim::start();
    let failed = items(&sim.run(&["list", "failed", "--output", "json"]));
    for by in ["code", "device", "policy", "service"] {
        let done = sim.run(&["list", "failed", "--by", by, "--output", "json"]);
        assert_eq!(done.exit, 0, "{}", done.err);
        let json = done.json();
        assert_eq!(
            (&json["schema"], &json["by"]),
            (&"keepwatch.groups.1".into(), &by.into())
        );
        let groups = json["groups"].as_array().expect("groups");
        let jobs = groups.iter().map(|g| g["jobs"].as_u64().expect("a count"));
        assert_eq!(jobs.clone().sum::<u64>(), failed.len() as u64);
        assert!(
            jobs.is_sorted_by(|a, b| a >= b),
            "the largest first: {groups:?}"
        );
        let first = &groups[0];
        let filter = first["filter"].as_str().expect("a filter");
        let found = items(&sim.run(&["list", "failed", "--where", filter, "--output", "json"]));
        assert_eq!(found.len() as u64, first["jobs"], "{filter}");
        let explained = by == "code";
        assert_eq!(first["remedy"].is_array(), explained, "{first}");
    }
    let table = sim.run(&["list", "failed", "--by", "code"]);
    assert!(
        table.out.starts_with("JOBS  OPEN  DEVICES"),
        "{}",
        table.out
    );
    let wrong = sim.run(&["list", "tasks", "--by", "code"]);
    assert_eq!(wrong.exit, 2);
    assert!(
        wrong.err.contains("only failed jobs are grouped"),
        "{}",
        wrong.err
    );
}

#[test]
fn backups_stand_by_risk_and_the_configured_target_decides() {
    let sim = Sim::start();
    let list = |path: &std::path::Path| {
        let args = ["list", "backups", "--output", "json"];
        let done = crate::keepwatch(sim.dir.path(), Some(path), &args);
        assert_eq!(done.exit, 0, "{}", done.err);
        items(&done)
    };
    let overdue = |all: &[Value]| all.iter().filter(|i| i["overdue"] == true).count();
    let all = list(&sim.config());
    assert!(all.iter().any(|i| i["device"].is_string()));
    // a policy without a rule whose schedule tells nothing owes nothing
    assert!(all.iter().all(|i| i["device"].is_string()));
    let states: Vec<bool> = all.iter().map(|i| i["overdue"] == true).collect();
    assert!(
        states.is_sorted_by(|a, b| a >= b),
        "those overdue first: {states:?}"
    );
    assert!(
        all.iter()
            .all(|i| i["nights"].as_str().is_some_and(|n| n.len() == 14))
    );
    let before = overdue(&all);
    assert!(before > 0, "the world stands years ago");
    // the services' world stands still in another year: only a long target is kept
    let text = std::fs::read_to_string(sim.config()).expect("a configuration");
    let path = sim.dir.path().join("long.toml");
    let rules = "[[rpo]]\nwithin = \"3650d\"\n";
    std::fs::write(&path, format!("{rules}{text}")).expect("written");
    let some = list(&path);
    let nightly = "[[rpo]]\nwhere = \"policy:nightly*\"\nwithin = \"25h\"\n";
    std::fs::write(&path, format!("{nightly}{text}")).expect("written");
    let policies = list(&path);
    let policy = policies.iter().find(|i| i["device"].is_null());
    let policy = policy.expect("a rule gives policies a target");
    assert_eq!(policy["target_from"], "rule policy:nightly*");
    assert!(overdue(&some) < before, "{some:?}");
    let device = some
        .iter()
        .find(|i| i["device"].is_string() && !i["last_good_at"].is_null())
        .expect("a device with a good backup");
    assert_eq!(
        (&device["overdue"], &device["target_from"]),
        (&false.into(), &"default".into())
    );
    let name = device["name"].as_str().expect("a name");
    let rule = format!("{rules}[[rpo]]\nwhere = \"device={name}\"\nwithin = \"1h\"\n");
    std::fs::write(&path, format!("{rule}{text}")).expect("written");
    let more = list(&path);
    let same = more
        .iter()
        .find(|i| i["id"] == device["id"])
        .expect("the device");
    assert_eq!(same["overdue"], true, "{same}");
    assert_eq!(same["target_s"], 3_600);
    assert_eq!(same["target_from"], format!("rule device={name}"));
}

fn failed(sim: &Sim, filter: &str) -> Vec<Value> {
    items(&sim.run(&["list", "failed", "--where", filter, "--output", "json"]))
}

#[test]
fn a_taken_job_is_known_to_the_next_command_until_it_is_given_back() {
    let sim = Sim::start();
    let all = failed(&sim, "");
    let id = all[0]["id"].as_str().expect("an id");
    let done = sim.run(&[
        "ack",
        id,
        "--note",
        "INC-7 | storage",
        "--until",
        "4h",
        "--output",
        "json",
    ]);
    assert_eq!(done.exit, 0, "{}", done.err);
    let json = done.json();
    assert_eq!(
        (&json["schema"], &json["did"]),
        (&"keepwatch.ack.1".into(), &"taken".into())
    );
    assert_eq!(json["jobs"].as_array().map(Vec::len), Some(1));
    let taken = failed(&sim, "ack:yes");
    assert_eq!(taken.len(), 1, "{taken:?}");
    let ack = &taken[0]["ack"];
    assert_eq!(
        (&taken[0]["id"], &ack["note"]),
        (&id.into(), &"INC-7 | storage".into())
    );
    assert_eq!(
        (&ack["state"], &ack["by"]),
        (&"holding".into(), &json["by"])
    );
    assert_eq!(failed(&sim, "ack:no").len(), all.len() - 1);
    assert_eq!(failed(&sim, "").len(), all.len(), "it stays failed");

    let done = sim.run(&["unack", id]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(failed(&sim, "ack:yes").is_empty());
    let again = sim.run(&["unack", id]);
    assert_eq!(again.exit, 1);
    assert!(again.err.contains("nobody took"), "{}", again.err);

    let code = all[0]["code"].as_str().expect("a code");
    let filter = format!("code={code}");
    let group = failed(&sim, &filter).len();
    let done = sim.run(&["ack", "--where", &filter, "--note", "one cause"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), group);
    assert_eq!(failed(&sim, "ack:yes").len(), group);

    let other = failed(&sim, "ack:no");
    let device = other[0]["device"].as_str().expect("a device");
    let done = sim.run(&["ack", device, "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(failed(&sim, &format!("device={device} ack:no")).is_empty());
}

#[test]
fn what_can_not_be_taken_says_why() {
    let sim = Sim::start();
    for (args, exit, says) in [
        (&["ack", "no-such-job"][..], 1, "no-such-job"),
        (
            &["ack", "--where", "code:NO.SUCH"],
            1,
            "finds no failed job",
        ),
        (
            &["ack", "x", "--until", "soon"],
            2,
            "--until: \"soon\" is no time",
        ),
        (&["ack", "--where", "colour:red"], 2, "--where"),
        (&["--no-history", "ack", "x"], 2, "history is off"),
        (
            &["report", "--since", "soon"],
            2,
            "--since: \"soon\" is no time",
        ),
    ] {
        let done = sim.run(args);
        assert_eq!(done.exit, exit, "{args:?} {}", done.err);
        assert!(done.err.contains(says), "{args:?} {}", done.err);
    }
}

#[test]
fn the_report_tells_what_failed_what_was_done_and_what_is_open() {
    let sim = Sim::start();
    let all = failed(&sim, "");
    let id = all[0]["id"].as_str().expect("an id");
    assert_eq!(sim.run(&["ack", id, "--note", "<INC-7>"]).exit, 0);
    assert_eq!(sim.run(&["run", "ecs-app-01", "--yes"]).exit, 0);
    // the world stands still in the spring; the actions are of today
    let report = |form: &str| {
        let done = sim.run(&["report", "--since", "2026-01-01", "--output", form]);
        assert_eq!(done.exit, 0, "{}", done.err);
        done
    };
    let json = report("json").json();
    assert_eq!(json["schema"], "keepwatch.report.1");
    assert_eq!(json["failed"].as_array().map(Vec::len), Some(all.len()));
    let s = &json["summary"];
    let sum = |names: &[&str]| {
        names
            .iter()
            .map(|n| s[*n].as_u64().expect("a count"))
            .sum::<u64>()
    };
    assert_eq!(
        sum(&["recovered", "taken", "open"]),
        all.len() as u64,
        "{s}"
    );
    assert_eq!(s["actions"], 1, "{s}");
    let deed = &json["done"][0];
    assert_eq!(
        (&deed["verb"], &deed["target"]),
        (&"trigger".into(), &"ecs-app-01".into())
    );
    assert!(!deed["operator"].as_str().expect("a name").is_empty());
    assert_eq!(json["said"][0]["text"], "<INC-7>");
    assert!(!json["backups"].as_array().expect("a list").is_empty());
    let markdown = report("markdown").out;
    for part in [
        "# Backup handover",
        "## What is open",
        "## What was done",
        "\\<INC-7\\>",
    ] {
        assert!(markdown.contains(part), "{part}\n{markdown}");
    }
    let html = report("html").out;
    assert!(
        html.contains("&lt;INC-7&gt;") && !html.contains("<INC-7>"),
        "{html}"
    );
    let code = all[0]["code"].as_str().expect("a code");
    assert!(markdown.contains(code) && html.contains(code));
    // a period in which nothing happened
    let today = sim.run(&["report", "--since", "1h"]);
    assert!(
        today.out.contains("**Nothing failed**") || today.out.contains("Nothing failed in this"),
        "{}",
        today.out
    );
}
