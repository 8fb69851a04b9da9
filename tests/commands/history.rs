//! What keepwatch remembers, from outside: where it is kept, what happens to a file that can't be used, and what the
//! next start shows.

use std::fs;
use std::path::Path;

use crate::support::Terminal;
use crate::{Sim, keepwatch};

/// The same services without a place for history of their own.
fn plain_config(sim: &Sim) -> std::path::PathBuf {
    let text = fs::read_to_string(sim.config()).expect("a configuration");
    let services = text.find("[[service]]").expect("services");
    let path = sim.dir.path().join("plain.toml");
    fs::write(&path, &text[services..]).expect("written");
    path
}

fn is_history(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
}

#[test]
fn history_is_kept_where_it_was_asked_for_and_nowhere_when_switched_off() {
    let sim = Sim::start();
    let home = sim.dir.path();
    assert_eq!(sim.run(&["list", "failed"]).exit, 0);
    // the services' own configuration names a file beside it
    let named = home.join("history.db");
    assert!(is_history(&named));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&named).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else may read it: {mode:o}");
    }
    let plain = plain_config(&sim);
    let own = home.join("keepwatch/history.db");
    let list = |flags: &[&str]| {
        let args = [&["list", "failed"], flags].concat();
        let done = keepwatch(home, Some(&plain), &args);
        assert_eq!((done.exit, done.err.as_str()), (0, ""));
    };
    list(&["--no-history"]);
    assert!(!own.exists());
    let other = home.join("other/place.db");
    list(&["--history", &other.display().to_string()]);
    assert!(is_history(&other) && !own.exists());
    list(&[]);
    assert!(is_history(&own), "the user's data directory");
    let switched_off = home.join("off.toml");
    let text = fs::read_to_string(&plain).expect("a configuration");
    fs::write(&switched_off, format!("[history]\noff = true\n{text}")).expect("written");
    fs::remove_file(&own).expect("removed");
    let done = keepwatch(home, Some(&switched_off), &["list", "failed"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(!own.exists());
}

#[test]
fn a_file_that_is_no_history_is_set_aside_and_named_and_work_goes_on() {
    let sim = Sim::start();
    let file = sim.dir.path().join("history.db");
    fs::write(&file, "the diary of somebody else").expect("written");
    let done = sim.run(&["list", "failed"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(!done.out.is_empty());
    let kept = done
        .err
        .split_whitespace()
        .find(|word| word.contains("history.db.damaged-"))
        .unwrap_or_else(|| panic!("it is not named: {}", done.err));
    let text = fs::read_to_string(kept).expect("the file set aside");
    assert_eq!(text, "the diary of somebody else");
    assert!(is_history(&file), "a new one is begun");
    let again = sim.run(&["list", "failed"]);
    assert_eq!(again.err, "", "said once");
}

#[test]
fn what_cant_be_written_is_said_nothing_is_sent_and_reading_goes_on() {
    let sim = Sim::start();
    let blocked = sim.config().join("history.db").display().to_string();
    let done = sim.run(&["list", "failed", "--history", &blocked]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert!(!done.out.is_empty());
    assert!(
        done.err.contains("the directory of the history"),
        "{}",
        done.err
    );
    let done = sim.run(&["disable", "hourly-app", "--yes", "--history", &blocked]);
    assert_ne!(done.exit, 0);
    assert!(done.out.contains("not sent"), "{}{}", done.out, done.err);
    let config = sim.config().display().to_string();
    let mut console = Terminal::start(
        120,
        40,
        sim.dir.path(),
        &["--config", &config, "--history", &blocked],
    );
    console.wait_until("live rows and the remark", |screen| {
        screen.contains("CSBS.") && screen.contains("history is not written")
    });
    console.press("q");
    assert!(console.wait_end().success());
}

#[test]
fn the_console_begins_with_what_was_known_while_no_service_answers() {
    let mut sim = Sim::start();
    assert_eq!(sim.run(&["list", "tasks"]).exit, 0);
    sim.child.kill().expect("the services end");
    sim.child.wait().expect("the services end");
    let config = sim.config().display().to_string();
    let home = sim.dir.path();
    let mut first = Terminal::start(120, 40, home, &["--config", &config]);
    let known = |screen: &str| screen.contains("CSBS.") && screen.contains("down");
    first.wait_until("what was known, and that the service is down", known);
    // the board of this moment, and the past of a row of it
    first.press("@");
    first.wait_for("how long ago");
    first.press("now\r");
    first.wait_until("the board of then", |screen| {
        screen.contains("THE PAST") && screen.contains("CSBS.")
    });
    first.press("4\r");
    first.wait_for("Meaning");
    first.press("p");
    first.wait_for("first seen: ");
    first.press("\x1b");
    first.wait_gone("Meaning");
    first.press("\x1b");
    first.wait_gone("THE PAST");
    // a second console beside the first one knows the same
    let mut second = Terminal::start(120, 40, home, &["--config", &config]);
    second.wait_until("what was known, and that the service is down", known);
    for console in [&mut first, &mut second] {
        console.press("q");
        assert!(console.wait_end().success());
    }
}

/// A moment after everything that was written so far.
fn later() -> String {
    chrono::Utc::now().to_rfc3339()
}

#[test]
fn the_past_of_a_thing_and_the_board_of_an_earlier_time_are_told_with_no_service_at_hand() {
    let mut sim = Sim::start();
    assert_eq!(sim.run(&["list", "tasks"]).exit, 0);
    let before = later();
    let done = sim.run(&["run", "ecs-app-01", "--yes", "--output", "json"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    let task = done.json()["actions"][0]["outcome"]["task_ids"][0]
        .as_str()
        .expect("a task")
        .to_owned();
    assert_eq!(sim.run(&["list", "tasks"]).exit, 0);
    assert_eq!(sim.run(&["disable", "hourly-app", "--yes"]).exit, 0);
    assert_eq!(sim.run(&["list", "policies"]).exit, 0);
    sim.child.kill().expect("the services end");
    sim.child.wait().expect("the services end");

    let of_device = sim
        .run(&["timeline", "ecs-app-01", "--output", "json"])
        .json();
    let entries = of_device["entries"].as_array().expect("entries").clone();
    let stages: Vec<&str> = entries.iter().filter_map(|e| e["stage"].as_str()).collect();
    assert_eq!(
        stages[..4],
        ["proposed", "confirmed", "sending", "accepted"]
    );
    assert!(
        entries
            .iter()
            .any(|e| e["task"] == task.as_str() && e["from"].is_null())
    );
    let of_task = sim.run(&["timeline", &task]);
    assert_eq!(of_task.exit, 0, "{}", of_task.err);
    assert!(of_task.out.contains("first seen: "), "{}", of_task.out);
    let of_policy = sim.run(&["timeline", "hourly-app", "--on", "policy"]);
    assert!(of_policy.out.contains("disable"), "{}", of_policy.out);
    let nobody = sim.run(&["timeline", "ecs-nobody"]);
    assert_eq!(nobody.exit, 1);
    assert!(
        nobody.err.contains("ecs-nobody: history knows nothing"),
        "{}",
        nobody.err
    );

    // the services' clock stands in another month: by it the task began long before either time
    let ids = |at: &str| -> Vec<String> {
        let done = sim.run(&["list", "running", "--at", at, "--output", "json"]);
        assert_eq!(done.exit, 0, "{}", done.err);
        assert!(done.json()["at"].is_string());
        let items = crate::items(&done);
        let all = items
            .iter()
            .map(|i| i["id"].as_str().expect("an id").to_owned());
        all.collect()
    };
    assert!(ids(&later()).contains(&task));
    let policies = |at: &str| {
        let done = sim.run(&[
            "list",
            "policies",
            "--at",
            at,
            "--where",
            "policy=hourly-app",
            "--output",
            "json",
        ]);
        crate::items(&done)[0]["enabled"].as_bool()
    };
    assert_eq!(policies(&before), Some(true));
    assert_eq!(policies(&later()), Some(false));
    assert_eq!(sim.run(&["list", "failed", "--at", "soon"]).exit, 2);
    let empty = sim.run(&["list", "failed", "--at", "2001-01-01T00:00Z"]);
    assert!(empty.err.contains("knows nothing"), "{}", empty.err);
}

#[test]
fn the_audit_names_who_sent_what_where_and_what_came_of_it_without_secrets() {
    let sim = Sim::start();
    assert_eq!(sim.run(&["run", "ecs-app-01", "--yes"]).exit, 0);
    let refused = sim.run(&["--read-only", "enable", "hourly-app", "--yes"]);
    assert_eq!(refused.exit, 1);
    assert_eq!(sim.run(&["run", "ecs-app-02", "--dry-run"]).exit, 0);
    let audit = sim.run(&["audit", "--output", "json"]);
    assert_eq!(audit.exit, 0, "{}", audit.err);
    let json = audit.json();
    let actions = json["actions"].as_array().expect("actions");
    assert_eq!(actions.len(), 1, "only what was confirmed: {json:#}");
    let one = &actions[0];
    for field in ["operator", "host", "service", "kind", "id", "at"] {
        assert!(
            one[field].as_str().is_some_and(|t| !t.is_empty()),
            "{field}"
        );
    }
    assert_eq!(one["service"], "otc-eu");
    // the commands since then saw the task that it became
    assert_eq!(one["outcome"], "running", "{one:#}");
    assert_eq!(one["requests"][0]["method"], "POST");
    let steps = one["steps"].as_array().expect("steps");
    let accepted = steps
        .iter()
        .find(|s| s["stage"] == "accepted")
        .expect("its answer");
    assert!(accepted["http_status"].is_u64() && accepted["answer"].is_string());
    assert!(!audit.out.contains("demo-password"));
    let all = sim.run(&["audit", "--proposed", "--output", "json"]).json();
    assert_eq!(all["actions"].as_array().map(Vec::len), Some(2));
    let csv = sim.run(&["audit", "--output", "csv"]).out;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let head = rows.headers().expect("a head").clone();
    let row = rows.records().next().expect("a row").expect("a whole row");
    let cell = |name: &str| {
        let at = head.iter().position(|h| h == name);
        row.get(at.expect("a column")).expect("a cell").to_owned()
    };
    assert_eq!(
        (cell("target_name").as_str(), cell("outcome").as_str()),
        ("ecs-app-01", "running")
    );
    assert!(cell("requests").starts_with("POST http"));
    let table = sim.run(&["audit", "--since", "1h"]).out;
    assert!(
        table.contains("ecs-app-01") && table.contains("running"),
        "{table}"
    );
    assert_eq!(sim.run(&["audit", "--since", "soon"]).exit, 2);
    // what is open is told however old it is, unless a time is given
    let open = sim.run(&["audit", "--open"]);
    assert!(open.out.contains("ecs-app-01"), "{}{}", open.out, open.err);
    let open = sim.run(&["audit", "--open", "--since", "2099-01-01T00:00Z"]);
    assert!(open.err.contains("no action is open"), "{}", open.out);
    let idle = sim.run(&["audit", "--open", "--timeout", "5"]);
    assert_eq!(idle.exit, 2);
    assert!(idle.err.contains("--look-up"), "{}", idle.err);
    let off = sim.run(&["audit", "--no-history"]);
    assert_eq!(off.exit, 2);
    assert!(off.err.contains("--no-history was given"), "{}", off.err);
}
