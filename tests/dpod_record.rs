//! `keepwatch record dpod` and the ready-made scripts from outside: many at once, odd arguments, and never
//! an exit code that would stop a backup.

#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A home with a configuration that names one DPOD service, which nobody serves.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(
            home.config(),
            r#"
[[service]]
name = "gateways"
kind = "dpod"
endpoint = "https://127.0.0.1:9"
timeout = "2s"
[service.auth]
method = "basic"
username = "operator"
password = { env = "PATH" }
"#,
        )
        .unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("config.toml")
    }

    fn inbox(&self) -> PathBuf {
        self.path().join("data/keepwatch/inbox")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.inbox().join("record.log")).unwrap_or_default()
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("KEEPWATCH_CONFIG", self.config())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn keepwatch(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_keepwatch"))
    }

    fn record(&self, args: &[&str]) -> Output {
        self.keepwatch()
            .args(["record", "dpod", "--service", "gateways", "--"])
            .args(args)
            .output()
            .unwrap()
    }

    /// What `list tasks` shows, by native status.
    fn tasks(&self) -> Vec<Value> {
        let output = self
            .keepwatch()
            .args(["list", "tasks", "--output", "json"])
            .output()
            .unwrap();
        let listed: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        listed["items"].as_array().unwrap().clone()
    }
}

fn assert_well(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn many_at_once_lose_nothing() {
    let home = Home::new();
    let long = "x".repeat(9_000);
    let children: Vec<Child> = (0..48)
        .map(|n| {
            // long texts, so that a line is larger than any buffer
            home.keepwatch()
                .args([
                    "record",
                    "dpod",
                    "--service",
                    "gateways",
                    "--",
                    "BACKUP-TASK",
                    "POST",
                ])
                .args([
                    &n.to_string(),
                    "nightly",
                    "SUCCESS",
                    &format!("{n} {long}"),
                    "FFU",
                    "FFU",
                ])
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        assert_well(&child.wait_with_output().unwrap());
    }
    let tasks = home.tasks();
    assert_eq!(tasks.len(), 48);
    assert!(
        tasks
            .iter()
            .all(|t| t["phase"] == "succeeded" && t["kind"] == "dpod")
    );
    assert_eq!(home.log(), "");
}

#[test]
fn a_cut_line_costs_that_line_and_the_next_event_is_whole() {
    let home = Home::new();
    for id in ["1", "2"] {
        assert_well(&home.record(&[
            "BACKUP-TASK",
            "POST",
            id,
            "nightly",
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
        ]));
    }
    let dir = home.inbox().join("gateways");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    let whole = fs::metadata(&file).unwrap().len();
    // as a machine that lost its power leaves it
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(whole - 20)
        .unwrap();
    assert_well(&home.record(&[
        "BACKUP-TASK",
        "POST",
        "3",
        "nightly",
        "FAILED_NO_FILES_DOWNLOADED",
        "NONE",
    ]));
    let mut ids: Vec<_> = home
        .tasks()
        .iter()
        .map(|t| t["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    assert_eq!(ids, ["task:backup:1", "task:backup:3"]);
}

#[test]
fn writers_that_are_killed_cost_nobody_elses_event() {
    let home = Home::new();
    let long = "x".repeat(60_000);
    let mut children: Vec<Child> = (0..32)
        .map(|n| {
            home.keepwatch()
                .args(["record", "dpod", "--service", "gateways", "--"])
                .args(["BACKUP-TASK", "POST", &n.to_string(), "nightly", "SUCCESS"])
                .args([&long, "FFU", "FFU"])
                .spawn()
                .unwrap()
        })
        .collect();
    // every second one, wherever it stands just now
    for child in children.iter_mut().step_by(2) {
        child.kill().unwrap();
    }
    let mut kept = Vec::new();
    for (n, mut child) in children.into_iter().enumerate() {
        let status = child.wait().unwrap();
        if n % 2 == 1 {
            assert_eq!(status.code(), Some(0), "{n}");
        }
        if status.success() {
            kept.push(format!("task:backup:{n}"));
        }
    }
    assert!(kept.len() >= 16);
    assert_well(&home.record(&[
        "BACKUP-TASK",
        "POST",
        "99",
        "nightly",
        "SUCCESS",
        "NONE",
        "FFU",
        "FFU",
    ]));
    kept.push("task:backup:99".to_owned());
    let tasks = home.tasks();
    for id in kept {
        let task = tasks.iter().find(|t| t["id"] == *id);
        assert_eq!(
            task.unwrap_or_else(|| panic!("{id} is lost"))["phase"],
            "succeeded"
        );
    }
}

#[test]
fn an_inbox_that_never_answers_holds_nobody_up_for_long() {
    let home = Home::new();
    let event = ["BACKUP-PLAN", "PRE", "5", "nightly"];
    assert_well(&home.record(&event));
    let dir = home.inbox().join("gateways");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&file).unwrap();
    // whoever opens this to write waits for a reader for ever
    let made = Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    let output = home.record(&event);
    assert_well(&output);
    assert!(
        stderr(&output).contains("did not answer within 5 s"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn whatever_goes_wrong_it_ends_well_and_says_so() {
    let home = Home::new();
    // wrong on the command line
    for args in [
        vec!["record"],
        vec!["record", "dpod"],
        vec!["record", "dpod", "--service"],
        vec![
            "record",
            "dpod",
            "--service",
            "gateways",
            "--bogus",
            "--",
            "x",
        ],
        vec!["record", "dpod", "--service", "gateways", "BACKUP-PLAN"],
    ] {
        let output = home.keepwatch().args(&args).output().unwrap();
        assert_well(&output);
        assert!(
            stderr(&output).contains("nothing was recorded"),
            "{args:?}: {}",
            stderr(&output)
        );
    }
    assert!(home.log().contains("--bogus"), "{}", home.log());
    let output = home
        .keepwatch()
        .args(["record", "csbs", "--service", "gateways", "--", "x"])
        .output()
        .unwrap();
    assert_well(&output);
    assert!(stderr(&output).contains("only dpod"));
    // arguments that are none of DPOD's are kept, and said
    let output = home.record(&["hello"]);
    assert_well(&output);
    assert!(stderr(&output).contains("can't be read as an event"));
    // a service that nobody configured: kept under its name
    let output = home
        .keepwatch()
        .args([
            "record",
            "dpod",
            "--service",
            "Gateways",
            "--",
            "BACKUP-PLAN",
            "PRE",
            "5",
            "nightly",
        ])
        .output()
        .unwrap();
    assert_well(&output);
    assert!(stderr(&output).contains("no service named Gateways"));
    assert!(home.inbox().join("Gateways").is_dir());
    // a broken configuration
    fs::write(home.config(), "[[service]\n").unwrap();
    let output = home.record(&["BACKUP-PLAN", "PRE", "5", "nightly"]);
    assert_well(&output);
    assert!(stderr(&output).contains("the configuration can't be used"));
    fs::remove_file(home.config()).unwrap();
    assert_well(&home.record(&["BACKUP-PLAN", "PRE", "5", "nightly"]));
}

#[test]
fn an_inbox_that_can_not_be_written_to_ends_well() {
    let home = Home::new();
    fs::write(home.path().join("data"), "a file where a folder should be").unwrap();
    let output = home.record(&["BACKUP-PLAN", "PRE", "5", "nightly"]);
    assert_well(&output);
    assert!(
        stderr(&output).contains("the event is lost"),
        "{}",
        stderr(&output)
    );
}

const EVENT: [&str; 4] = ["BACKUP-PLAN", "PRE", "5", "nightly"];

/// The command line of one event, run by a shell that first does `before`.
fn after(home: &Home, before: &str) -> Command {
    let mut command = home.command("sh");
    command
        .args([
            "-c",
            &format!("{before}\nexec \"$0\" record dpod --service gateways -- \"$@\""),
        ])
        .arg(env!("CARGO_BIN_EXE_keepwatch"))
        .args(EVENT);
    command
}

#[test]
fn a_full_disk_and_a_limit_on_files_end_well_and_the_next_event_is_whole() {
    let home = Home::new();
    assert_well(&home.record(&EVENT));
    let dir = home.inbox().join("gateways");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    let aside = home.path().join("aside");
    fs::rename(&file, &aside).unwrap();
    // whatever is written to this device finds the disk full
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let output = home.record(&EVENT);
    assert_well(&output);
    assert!(
        stderr(&output).contains("the event is lost"),
        "{}",
        stderr(&output)
    );
    assert!(home.log().contains("the event is lost"), "{}", home.log());
    fs::remove_file(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    // the signal that comes with such a limit would end the program
    let limited = after(&home, "ulimit -f 0").output().unwrap();
    assert_well(&limited);
    assert!(
        stderr(&limited).contains("the event is lost"),
        "{}",
        stderr(&limited)
    );
    assert_well(&home.record(&["BACKUP-TASK", "POST", "3", "nightly", "SUCCESS", "NONE"]));
    let tasks = home.tasks();
    assert!(
        tasks.iter().any(|t| t["id"] == "task:backup:3"),
        "{tasks:?}"
    );
}

#[test]
fn closed_and_broken_streams_lose_nothing() {
    let home = Home::new();
    for before in ["exec <&-", "exec <&- >&-", "exec <&- >&- 2>&-"] {
        let output = after(&home, before).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{before}: {output:?}");
    }
    // nobody reads what it complains about
    let mut child = home
        .keepwatch()
        .args(["record", "dpod", "--service", "nobody", "--"])
        .args(EVENT)
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines = |service: &str| {
        let folder = fs::read_dir(home.inbox().join(service)).unwrap();
        let texts = folder.map(|e| fs::read_to_string(e.unwrap().path()).unwrap());
        texts.map(|t| t.matches("\"v\":1").count()).sum::<usize>()
    };
    assert_eq!((lines("gateways"), lines("nobody")), (3, 1));
}

#[test]
fn a_signal_ends_nothing_before_its_time() {
    let home = Home::new();
    assert_well(&home.record(&EVENT));
    let dir = home.inbox().join("gateways");
    let file = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    let child = home
        .keepwatch()
        .args(["record", "dpod", "--service", "gateways", "--"])
        .args(EVENT)
        .spawn()
        .unwrap();
    // it listens to signals before it opens the inbox, where it hangs: /proc tells when it does
    let caught = format!("/proc/{}/status", child.id());
    let term = 1_u64 << (libc::SIGTERM - 1);
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(Instant::now() < until, "it listens to no signal");
        let status = fs::read_to_string(&caught).unwrap();
        let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
        let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
        if mask & term != 0 {
            break;
        }
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert_well(&child.wait_with_output().unwrap());
}

#[test]
fn the_inbox_may_lie_elsewhere() {
    let home = Home::new();
    let [by_env, by_option, by_flag] = ["env", "option", "flag"].map(|n| home.path().join(n));
    let event = ["BACKUP-PLAN", "PRE", "5", "nightly"];
    let record = |home: &Home| {
        let mut command = home.keepwatch();
        command.env("KEEPWATCH_INBOX", &by_env);
        command.args(["record", "dpod", "--service", "gateways"]);
        command
    };
    assert_well(&record(&home).arg("--").args(event).output().unwrap());
    assert!(by_env.join("gateways").is_dir());
    let mut config = fs::read_to_string(home.config()).unwrap();
    config.push_str(&format!("[service.options]\ninbox = {by_option:?}\n"));
    fs::write(home.config(), config).unwrap();
    assert_well(&record(&home).arg("--").args(event).output().unwrap());
    assert!(by_option.join("gateways").is_dir());
    assert_well(
        &record(&home)
            .arg("--inbox")
            .arg(&by_flag)
            .arg("--")
            .args(event)
            .output()
            .unwrap(),
    );
    assert!(by_flag.join("gateways").is_dir());
    // the console looks where the option says
    assert_eq!(home.tasks().len(), 1);
}

fn hooks() -> [PathBuf; 4] {
    ["pre-plan", "post-plan", "pre-task", "post-task"].map(|name| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/hooks/dpod/{name}.sh"))
    })
}

#[test]
fn the_ready_made_scripts_hand_odd_names_on_letter_for_letter() {
    let home = Home::new();
    let [pre_plan, post_plan, pre_task, post_task] = hooks();
    let plan = "all \"of\" it; $(touch pwned) *";
    let run = |script: &Path, args: &[OsString]| {
        let output = home
            .command("sh")
            .arg(script)
            .args(args)
            .env("KEEPWATCH_PROGRAM", env!("CARGO_BIN_EXE_keepwatch"))
            .current_dir(home.path())
            .output()
            .unwrap();
        assert_well(&output);
        assert_eq!(stderr(&output), "");
    };
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    run(&pre_plan, &words(&["BACKUP-PLAN", "PRE", "5", plan]));
    let mut begins = words(&[
        "BACKUP-TASK",
        "PRE",
        "13",
        plan,
        "secureBackup",
        "",
        "10.0.0.1",
        "5550",
        "ALL",
    ]);
    // a name that is no text
    begins[5] = OsString::from_vec(b"gw\xff one".to_vec());
    run(&pre_task, &begins);
    run(
        &post_task,
        &words(&[
            "BACKUP-TASK",
            "POST",
            "13",
            plan,
            "EXECUTION_FAILED_LONG_RUNNING",
            "too\nlong",
            "FFU",
            "FFU",
        ]),
    );
    run(
        &post_plan,
        &words(&[
            "BACKUP-PLAN",
            "POST",
            "5",
            plan,
            "SUCCESS",
            "NONE",
            "FFU",
            "FFU",
            "13,secureBackup,gw,ALL,EXECUTION_FAILED_LONG_RUNNING,",
        ]),
    );
    assert!(!home.path().join("pwned").exists());
    let tasks = home.tasks();
    let task = tasks.iter().find(|t| t["id"] == "task:backup:13").unwrap();
    assert_eq!(task["policy"], plan);
    assert_eq!(
        (task["phase"].as_str(), task["message"].as_str()),
        (Some("uncertain"), Some("too long"))
    );
    assert!(
        tasks
            .iter()
            .any(|t| t["phase"] == "failed" && t["operation"] == "backup plan"),
        "{tasks:?}"
    );
    assert_eq!(home.log(), "");
}

#[test]
fn the_ready_made_scripts_never_veto() {
    let home = Home::new();
    let broken = home.path().join("broken");
    fs::write(&broken, "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    for script in hooks() {
        let text = fs::read_to_string(&script).unwrap();
        assert!(fs::metadata(&script).unwrap().permissions().mode() & 0o111 != 0);
        assert!(text.starts_with("#!/bin/sh\n"));
        for program in [
            home.path().join("missing"),
            broken.clone(),
            home.path().to_owned(),
        ] {
            let output = home
                .command("sh")
                // also where a shell is strict
                .args(["-eu"])
                .arg(&script)
                .args(["BACKUP-PLAN", "PRE", "5", "nightly"])
                .env("KEEPWATCH_PROGRAM", program)
                .output()
                .unwrap();
            assert_eq!(
                output.status.code(),
                Some(0),
                "{}: {output:?}",
                script.display()
            );
        }
    }
}
