//! Never twice, also when keepwatch itself is killed: many actions behind one yes through a service that loses answers
//! before and after it acted, SIGKILL in the middle, and the next start finds out what became of each.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keepwatch::sim::{SimOptions, csbs};
use keepwatch::store::history::{ActionQuery, ActionStory, History, Options, Sqlite};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::keepwatch;
use crate::sim_support::{Client, calm};

/// After how many backups of a round the program is killed.
const KILLED_AFTER: [u64; 4] = [3, 70, 8, 90];
/// What happens to answers of a round: two sorts after the service acted or may have, the others before.
const FAULTS: [(&str, u64); 5] = [
    ("reset_before", 4),
    ("reset_after", 4),
    ("truncated", 4),
    ("status", 4),
    ("garbage", 2),
];
/// The longest wait for the program to get somewhere.
const PATIENCE: Duration = Duration::from_secs(120);

/// The clock stands still while a round goes on: nothing but the program begins any.
fn begun(client: &Client) -> u64 {
    client.counted("csbs.backup.started")
}

fn spawn(home: &Path, config: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_keepwatch"))
        .arg("--config")
        .arg(config)
        .args(["run", "--where", "", "--on", "device", "--yes"])
        .env("HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env_remove("KEEPWATCH_HISTORY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Waits until the service has begun so many backups, or the program is over.
async fn until(client: &Client, program: &mut Child, count: u64) {
    let give_up = Instant::now() + PATIENCE;
    while begun(client) < count && program.try_wait().expect("a state").is_none() {
        assert!(Instant::now() < give_up, "{} of {count}", begun(client));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What was asked for and sent, as the file has it.
fn sent(file: &Path) -> Vec<ActionStory> {
    let history = Sqlite::open(Options::file(file));
    let mut stories = history.actions(&ActionQuery::default()).expect("actions");
    stories.retain(|story| has(story, "sending"));
    stories
}

fn has(story: &ActionStory, stage: &str) -> bool {
    story.steps.iter().any(|s| s.step.stage == stage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_client_never_makes_anything_run_twice_and_its_next_start_explains_the_rest() {
    let client = Client::start(
        SimOptions {
            devices: 120,
            tasks: 400,
            furnished: true,
            speed: 0.0,
            ..calm()
        },
        csbs::ENTRY,
    )
    .await;
    client.control(
        "POST",
        "quotas",
        json!({"name": "csbs.backups", "limit": -1}),
    );
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path();
    let config = home.join("config.toml");
    let file = home.join("history.db");
    let services = client.running.config_toml();
    fs::write(
        &config,
        format!("[actions]\nlook_for = \"1s\"\n[history]\npath = \"history.db\"\n{services}"),
    )
    .expect("written");

    let mut items = HashSet::new();
    let mut known: HashSet<Uuid> = HashSet::new();
    let (mut lost_by_kill, mut total) = (0, 0);
    let mut words: HashMap<&str, u64> = HashMap::new();
    for (round, count) in KILLED_AFTER.into_iter().enumerate() {
        client.started_of(&mut items);
        let before = begun(&client);
        let mut program = spawn(home, &config);
        // everything is prepared when the first one runs
        until(&client, &mut program, before + 1).await;
        for (fault, times) in FAULTS {
            let rule = json!({"fault": fault, "method": "POST", "times": times, "status": 502});
            client.control("POST", "faults", rule);
        }
        let slow = json!({"fault": "slow", "method": "POST", "times": 0, "delay_ms": 150});
        client.control("POST", "faults", slow);
        until(&client, &mut program, before + count).await;
        program.kill().expect("killed");
        program.wait().expect("it is over");
        client.control("DELETE", "faults", Value::Null);

        let of_round = |all: Vec<ActionStory>| -> Vec<ActionStory> {
            all.into_iter().filter(|s| !known.contains(&s.id)).collect()
        };
        let left: Vec<ActionStory> = of_round(sent(&file));
        let open =
            |s: &&ActionStory| matches!(s.stage(), "sending" | "outcome unknown" | "looking");
        let lost = left.iter().filter(open).count();
        // a list says so and follows nothing; the next action looks, and the audit when it is asked to
        let listed = keepwatch(home, Some(&config), &["list", "running"]);
        let says = listed.err.contains("audit --open shows");
        assert_eq!(says, lost > 0, "round {round}: {}", listed.err);
        let (next, look) = (
            &["disable", "hourly-app", "--dry-run"],
            &["audit", "--open", "--look-up"],
        );
        let args = if round % 2 == 0 { look } else { next };
        let done = keepwatch(home, Some(&config), args);
        assert_eq!(done.exit, 0, "{}", done.err);
        let said = done.err.matches("an earlier run sent it").count();
        assert_eq!(said, lost, "round {round}: {}", done.err);
        lost_by_kill += lost;

        let started = client.started_of(&mut items);
        let after = of_round(sent(&file));
        assert_eq!(after.len(), left.len(), "looking sends nothing");
        let mut sends: HashMap<&str, u64> = HashMap::new();
        for story in &after {
            let server = story.action.target.id.as_str();
            *sends.entry(server).or_default() += 1;
            let executions = started.get(server).copied().unwrap_or(0);
            let (word, possible) = if has(story, "accepted") {
                ("accepted", 1..=1)
            } else if has(story, "was carried out") {
                ("was carried out", 1..=1)
            } else if has(story, "refused") || has(story, "not sent") {
                ("refused", 0..=0)
            } else if has(story, "no sign of it") {
                ("no sign of it", 0..=0)
            } else if has(story, "can't tell") {
                ("can't tell", 0..=1)
            } else {
                panic!("round {round}: left without an end: {story:?}");
            };
            assert!(
                possible.contains(&executions),
                "round {round}: {server} ran {executions} times, yet: {story:?}"
            );
            *words.entry(word).or_default() += 1;
        }
        for (server, executions) in &started {
            let confirmed = sends.get(server.as_str()).copied().unwrap_or(0);
            assert!(*executions <= confirmed, "round {round}: {server}");
        }
        total += after.len();
        known.extend(after.iter().map(|s| s.id));
        // the backups end before the next round
        client.advance(24 * 3600);
    }
    assert!(lost_by_kill > 0, "no kill met a request on its way");
    assert!(total >= 150, "{total}: {words:?}");
    for word in ["accepted", "was carried out", "no sign of it"] {
        assert!(words.get(word).is_some_and(|n| *n > 5), "{word}: {words:?}");
    }
}
