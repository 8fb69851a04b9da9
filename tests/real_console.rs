//! The console on a real Keystone and a real Freezer, through a real pseudo-terminal.
//!
//! Run by `tests/real/run.sh`, which starts the servers; alone it is ignored.

mod support;

use std::env;

use support::{ENTER, ESC, Terminal, home};

fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/real/run.sh"))
}

#[test]
#[ignore = "needs real servers: tests/real/run.sh starts them"]
fn a_trigger_is_confirmed_sent_and_followed_to_its_end_on_a_real_freezer() {
    let home = home();
    let config = home.path().join("keepwatch.toml");
    let text = format!(
        r#"
[[service]]
name = "files"
kind = "freezer"
endpoint = "{endpoint}"
[service.auth]
method = "keystone"
url = "{url}"
username = "{user}"
password = {{ env = "REAL_TEST_PASSWORD" }}
user_domain = "{domain}"
project = "{project}"
project_domain = "{domain}"
"#,
        endpoint = setting("REAL_FREEZER_URL"),
        url = setting("REAL_AUTH_URL"),
        user = setting("REAL_USERNAME"),
        domain = setting("REAL_DOMAIN"),
        project = setting("REAL_PROJECT"),
    );
    std::fs::write(&config, text).expect("a configuration");
    let path = config.display().to_string();
    let password = setting("REAL_PASSWORD");
    let mut terminal = Terminal::start_with(
        120,
        40,
        home.path(),
        &["--config", &path],
        &[("REAL_TEST_PASSWORD", &password)],
    );
    terminal.wait_until("the failed job", |screen| screen.contains("broken-path"));
    terminal.press("4");
    terminal.wait_until("that the service gives no reason", |screen| {
        screen.to_lowercase().contains("no reason")
    });
    terminal.press("2/on-demand");
    terminal.press(ENTER);
    terminal.wait_for("on-demand");
    terminal.press("t");
    terminal.wait_for("POST");
    terminal.press("y");
    terminal.wait_gone("POST");
    // other runs may have succeeded before this one: its own line is among the actions of this console
    terminal.press("A");
    terminal.wait_until("the run as it ends", |screen| {
        screen
            .lines()
            .any(|line| line.contains("on-demand on files") && line.contains("→ succeeded"))
    });
    // escape and q in one go would be read as alt-q
    terminal.press(ESC);
    terminal.wait_gone("on-demand on files");
    terminal.press("q");
    assert!(terminal.wait_end().success());
}
