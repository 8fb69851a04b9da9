//! The hook: a program for each event, in order, one at a time, none lost.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use keepwatch::sim::{Hook, SimOptions};
use serde_json::Value;

use crate::{Dpod, bare, furnished};

fn hook(program: &str, args: &[&str]) -> Option<Hook> {
    Some(Hook {
        program: program.into(),
        args: args.iter().map(Into::into).collect(),
        loud: false,
    })
}

/// Waits until so many events were handed to the program.
async fn until_run(dpod: &Dpod, count: u64) {
    for _ in 0..6_000 {
        if dpod.counted("hook.run") + dpod.counted("hook.failed") >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!(
        "only {} of {count} events were handed on",
        dpod.counted("hook.run")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_comes_through_in_order_and_one_at_a_time() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("hook.sh");
    // A folder can be made once only: whoever finds it there ran beside another.
    fs::write(
        &script,
        "mkdir \"$1/lock\" || echo overlap >> \"$1/told\"\necho \"$*\" >> \"$1/told\"\nrmdir \"$1/lock\"\n",
    )
    .expect("written");
    let folder = dir.path().to_str().expect("text");
    let dpod = Dpod::start(SimOptions {
        hook: hook("sh", &[script.to_str().expect("text"), folder]),
        ..furnished()
    })
    .await;
    for name in [
        "fra-domains-nightly",
        "nyc-domains-nightly",
        "payments-everywhere",
        "fra-secure-nightly",
    ] {
        dpod.execute(name).await;
    }
    // The world does not wait: all is over long before the programs are.
    dpod.advance(7200);
    let told = dpod.told();
    assert!(told.len() > 50, "{}", told.len());
    until_run(&dpod, told.len() as u64).await;
    let lines = fs::read_to_string(dir.path().join("told")).expect("told");
    let expected: Vec<String> = told
        .iter()
        .map(|args| format!("{folder} {}", args.join(" ")))
        .collect();
    assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
    assert_eq!(dpod.counted("hook.failed"), 0);
}

#[tokio::test]
async fn a_program_that_is_not_there_stops_nothing() {
    let dpod = Dpod::start(SimOptions {
        hook: hook("/nonexistent/program", &[]),
        ..bare()
    })
    .await;
    dpod.add("one", "exportDomain", "dpgw-fra-01", "default", false);
    dpod.execute("one").await;
    assert_eq!(dpod.until_over()["status"], "SUCCESS");
    until_run(&dpod, 4).await;
    assert_eq!(dpod.counted("hook.failed"), 4);
}

#[tokio::test]
async fn events_happen_in_time_though_nobody_asks() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("told");
    let script = format!("echo \"$*\" >> {}", file.display());
    let dpod = Dpod::start(SimOptions {
        speed: 200.0,
        hook: hook("sh", &["-c", &script, "hook"]),
        ..bare()
    })
    .await;
    dpod.add("one", "exportDomain", "dpgw-fra-01", "default", false);
    dpod.execute("one").await;
    // From here on nothing is asked: the world goes on by itself.
    for _ in 0..6_000 {
        if fs::read_to_string(&file).is_ok_and(|text| text.contains("BACKUP-PLAN POST")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the script after the plan was never called");
}

/// The whole way: the simulated DPOD calls the very program that real scripts call, and the connector reads what that
/// wrote down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_events_come_out_as_tasks() {
    let dir = tempfile::tempdir().expect("a folder");
    let inbox = dir.path().join("inbox");
    let keepwatch = env!("CARGO_BIN_EXE_keepwatch");
    let inbox_text = inbox.to_str().expect("text");
    let dpod = Dpod::start(SimOptions {
        // Over TLS, as the product does, and in the present, which is when the program records things.
        switches: Vec::new(),
        start: None,
        hook: hook(
            keepwatch,
            &[
                "record",
                "dpod",
                "--service",
                "gateways",
                "--inbox",
                inbox_text,
                "--",
            ],
        ),
        ..furnished()
    })
    .await;
    let config = dir.path().join("config.toml");
    let options = format!("[service.options]\ninbox = \"{inbox_text}\"\n");
    fs::write(&config, dpod.running.config_toml() + &options).expect("written");
    dpod.control(
        "POST",
        "dpod/devices/dpgw-fra-02",
        serde_json::json!({"soma": false}),
    );
    let run = keepwatch_on(
        &config,
        &[
            "run",
            "fra-secure-nightly",
            "--yes",
            "--confirm",
            "fra-secure-nightly",
        ],
    )
    .await;
    assert_eq!(dpod.counted("dpod.execute"), 1, "{run}");
    dpod.advance(3600);
    until_run(&dpod, dpod.told().len() as u64).await;
    assert_eq!(dpod.counted("hook.failed"), 0);
    let out = keepwatch_on(&config, &["list", "tasks", "--output", "json"]).await;
    let out: Value = serde_json::from_str(&out).expect("JSON");
    let text = out.to_string();
    for word in [
        "dpgw-fra-01",
        "dpgw-fra-02",
        "dpgw-fra-03",
        "EXECUTION_SECURE_BACKUP_UNSUCCESSFUL",
        // whole, as it is a part of the one before
        "\"SUCCESS\"",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let out = keepwatch_on(&config, &["list", "failed", "--output", "json"]).await;
    assert!(
        out.contains("EXECUTION_SECURE_BACKUP_UNSUCCESSFUL"),
        "{out}"
    );
}

async fn keepwatch_on(config: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepwatch"));
    command
        .arg("--config")
        .arg(config)
        .args(args)
        .env("HOME", config.parent().expect("a folder"))
        .env_remove("KEEPWATCH_INBOX");
    let done = tokio::task::spawn_blocking(move || command.output()).await;
    let output = done.expect("ran").expect("ran");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
