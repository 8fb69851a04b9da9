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
    // a second console beside the first one knows the same
    let mut second = Terminal::start(120, 40, home, &["--config", &config]);
    second.wait_until("what was known, and that the service is down", known);
    for console in [&mut first, &mut second] {
        console.press("q");
        assert!(console.wait_end().success());
    }
}
