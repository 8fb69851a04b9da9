use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::model::{
    CodeRef, Danger, Device, Intent, Phase, Policy, Prepared, Ref, RequestPreview, ServiceId,
    Target, TargetKind, Task, Transition, Verb,
};
use crate::store::history::{
    ActionHead, ActionStep, Happened, How, KeptAction, PartySeen, PartyState, RemarkKind, Sort,
    TaskSeen,
};

/// A night, in UTC milliseconds; minutes are added to it.
const NIGHT: i64 = 1_784_000_000_000;

fn at(minute: i64) -> Timestamp {
    Timestamp(NIGHT + minute * 60_000)
}

fn eu() -> crate::store::history::ServiceKey {
    crate::store::history::ServiceKey::new("eu", "csbs")
}

fn task(id: &str, status: &str, phase: Phase) -> Task {
    Task {
        id: id.to_owned(),
        device: Some(Ref::new("ecs-1", "web")),
        policy: Some(Ref::new("p-1", "nightly")),
        operation: "backup".to_owned(),
        native_status: status.to_owned(),
        phase,
        ..Task::default()
    }
}

fn seen(task: Task, minute: i64) -> Event {
    Event::Task(Box::new(TaskSeen {
        service: eu(),
        task,
        cleared: false,
        lost: false,
        feeds: vec!["failed"],
        transitions: Vec::new(),
        at: at(minute),
    }))
}

/// From what, to what, at which minute.
type Step = (Option<(&'static str, Phase)>, &'static str, Phase, i64);

fn moved(task: Task, steps: &[Step], minute: i64) -> Event {
    let Event::Task(mut told) = seen(task, minute) else {
        unreachable!("a task was told")
    };
    told.transitions = steps
        .iter()
        .map(|(from, to, phase, minute)| Transition {
            from: from.map(|f| f.0.to_owned()),
            from_phase: from.map(|f| f.1),
            to: (*to).to_owned(),
            to_phase: *phase,
            seen_at: at(*minute),
            reported_at: None,
        })
        .collect();
    Event::Task(told)
}

fn open(path: &Path) -> Sqlite {
    Sqlite::open(Options::file(path))
}

fn saved(history: &Sqlite, events: Vec<Event>) {
    history.save(events).wait().expect("saved");
}

fn everything() -> Window {
    Window {
        limit: usize::MAX,
        ..Window::default()
    }
}

fn statuses(history: &Sqlite, id: &str) -> Vec<String> {
    let subject = Subject::new("eu", Sort::Task, id);
    let entries = history
        .timeline(&subject, &everything())
        .expect("a timeline");
    entries
        .into_iter()
        .filter_map(|e| match e.happened {
            Happened::Moved { transition, .. } => Some(format!(
                "{}>{}",
                transition.from.unwrap_or_default(),
                transition.to
            )),
            _ => None,
        })
        .collect()
}

fn prepared() -> Prepared {
    Prepared {
        intent: Intent {
            service: ServiceId(0),
            action: "back-up-now",
            target: Target {
                kind: TargetKind::Policy,
                id: "p-1".to_owned(),
                name: "nightly".to_owned(),
                native_status: "suspended".to_owned(),
                phase: Phase::Unknown,
                operation: String::new(),
                object: String::new(),
                device: Ref::default(),
                policy: Ref::new("p-1", "nightly"),
                failure: Some(CodeRef::new("CSBS.6027", "no zone").with_http(400)),
                raw: "{}".to_owned(),
            },
            inputs: [("db_password".to_owned(), "pa55".to_owned())].into(),
        },
        requests: vec![RequestPreview {
            method: "POST".to_owned(),
            url: "https://csbs.example/v1/policies/p-1/run".to_owned(),
            body: r#"{"password":"pa55","name":"x"}"#.to_owned(),
            then: String::new(),
        }],
        effect: "Runs it.".to_owned(),
        warnings: vec!["careful".to_owned()],
        danger: Danger::Confirm,
        acts_on: None,
        retry_advice: None,
        idempotency_token: Some("t-1".to_owned()),
        plan: json!({"path": "p-1", "secret": "pa55"}),
    }
}

fn confirmed(id: uuid::Uuid, minute: i64) -> Vec<Event> {
    vec![
        Event::Action(Box::new(ActionHead {
            id,
            at: at(minute),
            service: eu(),
            action: KeptAction::of(&prepared(), Verb::Trigger),
        })),
        step(id, "sending", false, minute),
    ]
}

fn step(action: uuid::Uuid, stage: &str, over: bool, minute: i64) -> Event {
    Event::Step(ActionStep {
        action,
        at: at(minute),
        stage: stage.to_owned(),
        detail: String::new(),
        over,
        data: json!({"task_id": "t9"}),
    })
}

/// Waits for something that another thread does.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not in a minute");
        std::thread::yield_now();
    }
}

#[test]
fn a_task_leaves_one_entry_a_change_and_its_last_state() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("deep/history.db");
    let history = open(&path);
    history.record(vec![seen(task("t1", "waiting", Phase::Waiting), 0)]);
    history.record(vec![seen(task("t1", "waiting", Phase::Waiting), 1)]);
    let steps = [
        (
            Some(("waiting", Phase::Waiting)),
            "running",
            Phase::Running,
            2,
        ),
        (Some(("running", Phase::Running)), "error", Phase::Failed, 3),
    ];
    let mut failed = task("t1", "error", Phase::Failed);
    failed.failure = Some(CodeRef::new("CSBS.6027", "no zone").with_http(400));
    failed.facts = vec![("zone", "eu-2".to_owned())];
    history.record(vec![moved(failed.clone(), &steps, 3)]);
    saved(&history, Vec::new());
    drop(history);

    let history = open(&path);
    assert_eq!(
        statuses(&history, "t1"),
        [">waiting", "waiting>running", "running>error"]
    );
    let board = history.board(None, at(-60), 10).expect("a board");
    assert_eq!(board.tasks.len(), 1);
    assert_eq!(board.tasks[0].task, failed);
    assert_eq!(board.tasks[0].feeds, ["failed"]);
    // what happened while nobody looked is told by the next look
    saved(
        &history,
        vec![seen(task("t1", "available", Phase::Succeeded), 30)],
    );
    assert_eq!(
        statuses(&history, "t1").last().map(String::as_str),
        Some("error>available")
    );
    let of_device = history
        .timeline(&Subject::new("eu", Sort::Device, "ecs-1"), &everything())
        .expect("a timeline");
    assert_eq!(of_device.len(), 4);
    let newest = Window {
        limit: 2,
        ..everything()
    };
    let cut = history
        .timeline(&Subject::new("eu", Sort::Policy, "p-1"), &newest)
        .expect("a timeline");
    assert_eq!(cut, of_device[2..]);
}

#[test]
fn what_need_not_be_durable_is_gathered_and_written_all_the_same() {
    let history = Sqlite::open(Options::memory());
    // each told by itself, as the console does; nothing is saved on purpose
    let steps = ["waiting", "running", "closing"];
    for (minute, status) in (0..).zip(steps) {
        for n in 0..20 {
            let id = format!("t{n}");
            history.record(vec![seen(task(&id, status, Phase::Running), minute)]);
        }
    }
    let mut changes = Vec::new();
    until("every change is written", || {
        changes = history.happened(&everything()).expect("entries");
        changes.len() >= 20 * steps.len()
    });
    let one = [">waiting", "waiting>running", "running>closing"];
    for n in 0..20 {
        assert_eq!(statuses(&history, &format!("t{n}")), one);
    }
    assert_eq!(changes.len(), 60);
    let board = history.board(None, at(-60), 100).expect("a board");
    assert_eq!(board.tasks.len(), 20);
    until("nothing waits", || history.waiting() == 0);
    assert_eq!(history.shared.waiting_bytes.load(Ordering::Relaxed), 0);
    assert_eq!(history.health().lost, 0);
}

#[test]
fn what_waits_is_bounded_by_its_bytes() {
    let dir = TempDir::new().expect("a directory");
    let place = dir.path().join("state");
    fs::write(&place, "a file stands where the directory should be").expect("written");
    let history = open(&place.join("history.db"));
    let mut failed = task("t1", "error", Phase::Failed);
    failed.failure = Some(CodeRef::new("CSBS.6027", "x".repeat(1 << 20)));
    for n in 0..80 {
        failed.id = format!("t{n}");
        history.record(vec![seen(failed.clone(), 0)]);
    }
    let health = history.health();
    assert_eq!(health.waiting as u64 + health.lost, 80);
    assert!((40..64).contains(&health.waiting), "{}", health.waiting);
}

#[test]
fn a_task_keeps_what_a_later_telling_leaves_out_and_is_found_by_what_changed() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let history = open(&path);
    let mut told = task("t1", "running", Phase::Running);
    told.object = "disk-1".to_owned();
    told.started_at = Some(at(0));
    saved(&history, vec![seen(told.clone(), 0)]);
    // a list that tells less
    told.device = None;
    told.policy = None;
    told.object = String::new();
    told.started_at = None;
    told.native_status = "closing".to_owned();
    saved(&history, vec![seen(told.clone(), 1)]);
    let held = |history: &Sqlite| {
        let board = history.board(None, at(-60), 10).expect("a board");
        board.tasks[0].task.clone()
    };
    let mut expected = task("t1", "closing", Phase::Running);
    expected.object = "disk-1".to_owned();
    expected.started_at = Some(at(0));
    assert_eq!(held(&history), expected);
    // another policy, and a phase that another index holds
    told.policy = Some(Ref::new("p-2", "weekly"));
    told.native_status = "available".to_owned();
    told.phase = Phase::Succeeded;
    saved(&history, vec![seen(told.clone(), 2)]);
    expected.policy = Some(Ref::new("p-2", "weekly"));
    expected.native_status = "available".to_owned();
    expected.phase = Phase::Succeeded;
    assert_eq!(held(&history), expected);
    // only the phase
    told.phase = Phase::Failed;
    saved(&history, vec![seen(told, 3)]);
    expected.phase = Phase::Failed;
    assert_eq!(held(&history), expected);
    let of = |sort, id| {
        let subject = Subject::new("eu", sort, id);
        history.timeline(&subject, &everything()).expect("entries")
    };
    assert_eq!(of(Sort::Policy, "p-1"), []);
    assert_eq!(of(Sort::Policy, "p-2"), of(Sort::Device, "ecs-1"));
    assert_eq!(of(Sort::Device, "ecs-1").len(), 4);
    drop(history);
    let sound: String = rusqlite::Connection::open(&path)
        .and_then(|c| c.query_row("PRAGMA integrity_check", [], |r| r.get(0)))
        .expect("a verdict");
    assert_eq!(sound, "ok");
}

#[test]
fn the_board_goes_back_in_time() {
    let history = Sqlite::open(Options::memory());
    let mut told_later = task("t2", "available", Phase::Succeeded);
    told_later.started_at = Some(at(5));
    told_later.ended_at = Some(at(15));
    let mut before = task("t3", "available", Phase::Succeeded);
    before.started_at = Some(at(-600));
    before.ended_at = Some(at(-590));
    let policy = |enabled| {
        Event::Party(Box::new(PartySeen {
            service: eu(),
            state: PartyState::Policy(Policy {
                id: "p-1".to_owned(),
                name: "nightly".to_owned(),
                enabled: Some(enabled),
                what: "policy",
                ..Policy::default()
            }),
            feeds: vec!["policies"],
            at: at(if enabled { 0 } else { 20 }),
        }))
    };
    saved(
        &history,
        vec![
            Event::Answered {
                service: eu(),
                at: at(0),
            },
            policy(true),
            seen(task("t1", "running", Phase::Running), 0),
            seen(task("t1", "error", Phase::Failed), 10),
            policy(false),
            seen(told_later, 30),
            seen(before, 30),
            Event::Party(Box::new(PartySeen {
                service: eu(),
                state: PartyState::Device(Device {
                    id: "ecs-1".to_owned(),
                    name: "web".to_owned(),
                    ..Device::default()
                }),
                feeds: vec![],
                at: at(30),
            })),
            Event::Answered {
                service: eu(),
                at: at(30),
            },
        ],
    );
    let then = |minute| {
        history
            .board(Some(at(minute)), at(minute - 60), 10)
            .expect("a board")
    };
    let shown = |minute| -> Vec<(String, Phase, How)> {
        let mut all: Vec<_> = then(minute)
            .tasks
            .into_iter()
            .map(|t| (t.task.id, t.task.phase, t.how))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(shown(-30), []);
    assert_eq!(
        shown(8),
        [
            ("t1".to_owned(), Phase::Running, How::Seen),
            ("t2".to_owned(), Phase::Running, How::ToldLater),
        ]
    );
    assert_eq!(
        shown(16),
        [
            ("t1".to_owned(), Phase::Failed, How::Seen),
            ("t2".to_owned(), Phase::Succeeded, How::ToldLater),
        ]
    );
    assert_eq!(then(10).policies[0].policy.enabled, Some(true));
    assert_eq!(then(21).policies[0].policy.enabled, Some(false));
    assert_eq!(then(21).devices, []);
    assert_eq!(then(31).devices.len(), 1);
    // thirty minutes without an answer are a break: at minute 10 the newest one was ten minutes old
    assert_eq!(then(10).services[0].answered_at, Some(at(0)));
    assert_eq!(then(40).services[0].answered_at, Some(at(30)));
}

#[test]
fn an_action_is_kept_step_by_step_without_secrets_and_never_changed() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let id = crate::store::history::new_id();
    let history = open(&path);
    saved(&history, confirmed(id, 0));
    saved(&history, confirmed(id, 1));
    saved(&history, vec![step(id, "accepted", true, 2)]);
    let stories = history.actions(&ActionQuery::default()).expect("actions");
    assert_eq!(stories.len(), 1);
    let story = &stories[0];
    let stages: Vec<&str> = story.steps.iter().map(|s| s.step.stage.as_str()).collect();
    assert_eq!(stages, ["sending", "sending", "accepted"]);
    assert!(story.is_over());
    assert_eq!(story.operator, history.identity().operator);
    let again = story.action.prepared(ServiceId(3), "back-up-now");
    let mut expected = prepared();
    expected.intent.service = ServiceId(3);
    expected.intent.target.raw = String::new();
    expected.intent.inputs = [("db_password".to_owned(), "***".to_owned())].into();
    expected.requests[0].body = r#"{"name":"x","password":"***"}"#.to_owned();
    expected.plan = json!({"path": "p-1", "secret": "***"});
    assert_eq!(again, expected);
    drop(history);
    let bytes = fs::read(&path).expect("the file");
    assert!(!bytes.windows(4).any(|w| w == b"pa55"), "a secret is kept");
    let raw = rusqlite::Connection::open(&path).expect("a connection");
    for sql in [
        "UPDATE action_step SET stage = 'x'",
        "UPDATE action SET at = 0",
    ] {
        let refused = raw.execute(sql, []).expect_err("append-only");
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

/// A history with an action in it that is not over, its id, and another program's view of the same file.
fn left_open(path: &Path) -> (Sqlite, uuid::Uuid, Sqlite) {
    let id = crate::store::history::new_id();
    let first = open(path);
    saved(&first, confirmed(id, 0));
    (first, id, open(path))
}

#[test]
fn what_a_run_left_open_is_taken_over_once_it_is_gone() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let (first, id, second) = left_open(&path);
    assert_eq!(second.claim_open_actions().expect("claims"), []);
    drop(first);
    let claimed = second.claim_open_actions().expect("claims");
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].id, id);
    let third = open(&path);
    assert_eq!(third.claim_open_actions().expect("claims"), []);
    saved(&second, vec![step(id, "was carried out", true, 9)]);
    drop(second);
    assert_eq!(third.claim_open_actions().expect("claims"), []);
}

#[test]
fn what_is_open_is_told_while_another_program_writes() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let (first, id, second) = left_open(&path);
    assert_eq!(second.open_actions().expect("an answer"), [], "it lives");
    drop(first);
    let writing = rusqlite::Connection::open(&path).expect("a connection");
    writing
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it is held");
    let open_now = second.open_actions().expect("an answer");
    assert_eq!(open_now.len(), 1);
    assert_eq!(open_now[0].id, id);
    writing.execute_batch("ROLLBACK").expect("it is let go");
    let runs = fs::read_dir(super::open::beside(&path, ".runs")).expect("a directory");
    assert_eq!(runs.count(), 0, "who only asks shows no run of its own");
    let third = open(&path);
    let claimed = third.claim_open_actions().expect("claims");
    assert_eq!(claimed.len(), 1, "being told of it takes nothing over");
    assert_eq!(second.open_actions().expect("an answer"), []);
}

#[test]
fn a_remark_holds_until_it_runs_out_or_is_taken_back() {
    let history = Sqlite::open(Options::memory());
    let subject = Subject::new("eu", Sort::Task, "t1");
    let ack = Remark::new(RemarkKind::Acknowledged, subject.clone(), "known", at(0))
        .until(at(60))
        .while_status("error");
    let note = Remark::new(
        RemarkKind::Note,
        subject.clone(),
        "ask the platform team",
        at(1),
    );
    let back = note.withdrawal("", at(30));
    for remark in [&ack, &note, &back] {
        saved(&history, vec![Event::Remark(Box::new(remark.clone()))]);
    }
    let holding = |minute| -> Vec<String> {
        let query = RemarkQuery {
            holding_at: Some(at(minute)),
            ..RemarkQuery::default()
        };
        let found = history.remarks(&query).expect("remarks");
        found.into_iter().map(|r| r.text).collect()
    };
    assert_eq!(holding(10), ["known", "ask the platform team"]);
    assert_eq!(holding(40), ["known"]);
    assert_eq!(holding(61), Vec::<String>::new());
    let all = history
        .remarks(&RemarkQuery {
            subject: Some(subject.clone()),
            ..RemarkQuery::default()
        })
        .expect("remarks");
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].operator, history.identity().operator);
    assert_eq!(
        Remark {
            operator: String::new(),
            host: String::new(),
            ..all[0].clone()
        },
        ack
    );
    let timeline = history.timeline(&subject, &everything()).expect("entries");
    assert_eq!(timeline.len(), 3);
}

#[test]
fn two_programs_that_see_the_same_change_make_one_entry() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let (a, b) = (open(&path), open(&path));
    let waiting = || seen(task("t1", "waiting", Phase::Waiting), 0);
    saved(&a, vec![waiting()]);
    saved(&b, vec![waiting()]);
    let wait = Some(("waiting", Phase::Waiting));
    let run = Some(("running", Phase::Running));
    let began = [(wait, "running", Phase::Running, 1)];
    let both = [began[0], (run, "error", Phase::Failed, 2)];
    let ended = [both[1]];
    // a tells step by step, b only later and all at once
    saved(
        &a,
        vec![moved(task("t1", "running", Phase::Running), &began, 1)],
    );
    saved(
        &a,
        vec![moved(task("t1", "error", Phase::Failed), &ended, 2)],
    );
    // what b saw before a's newest state changes nothing
    saved(&b, vec![seen(task("t1", "running", Phase::Running), 1)]);
    saved(
        &b,
        vec![moved(task("t1", "error", Phase::Failed), &both, 2)],
    );
    assert_eq!(
        statuses(&a, "t1"),
        [">waiting", "waiting>running", "running>error"]
    );
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a directory")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_no_history_is_set_aside_and_named() {
    let foreign = |path: &Path| {
        let other = rusqlite::Connection::open(path).expect("a database");
        other
            .execute_batch("CREATE TABLE song (name TEXT); INSERT INTO song VALUES ('la')")
            .expect("a table");
    };
    let garbage = |path: &Path| fs::write(path, vec![b'x'; 9_000]).expect("written");
    for reason in ["foreign", "damaged"] {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("history.db");
        if reason == "foreign" {
            foreign(&path);
        } else {
            garbage(&path);
        }
        let before = fs::read(&path).expect("the file");
        let history = open(&path);
        saved(&history, vec![seen(task("t1", "error", Phase::Failed), 0)]);
        assert_eq!(statuses(&history, "t1"), [">error"]);
        let notices = history.health().notices;
        assert_eq!(notices.len(), 1, "{reason}");
        let aside = files(dir.path())
            .into_iter()
            .find(|n| n.contains(&format!(".{reason}-")))
            .expect("set aside");
        assert!(notices[0].contains(&aside), "{notices:?}");
        // nothing in it was touched
        assert_eq!(fs::read(dir.path().join(&aside)).expect("the file"), before);
    }
}

#[test]
fn a_file_that_turns_out_damaged_in_use_is_set_aside_too() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let history = open(&path);
    let many = (0..2_000)
        .map(|n| seen(task(&format!("t{n}"), "error", Phase::Failed), 0))
        .collect();
    saved(&history, many);
    drop(history);
    // damage that shows only when the last rows are read
    let page: i64 = rusqlite::Connection::open(&path)
        .and_then(|c| {
            c.query_row(
                "SELECT pageno FROM dbstat WHERE name = 'task' AND pagetype = 'leaf' ORDER BY path DESC LIMIT 1",
                [],
                |r| r.get(0),
            )
        })
        .expect("a page");
    let page = usize::try_from(page).expect("a page");
    let mut bytes = fs::read(&path).expect("the file");
    bytes[(page - 1) * 4096..page * 4096].fill(0xAA);
    fs::write(&path, bytes).expect("written");
    let history = open(&path);
    assert_eq!(history.health().notices, Vec::<String>::new());
    let again = (0..2_000)
        .map(|n| seen(task(&format!("t{n}"), "available", Phase::Succeeded), 5))
        .collect();
    saved(&history, again);
    assert_eq!(history.health().notices.len(), 1);
    assert_eq!(statuses(&history, "t7"), [">available"]);
    assert!(files(dir.path()).iter().any(|n| n.contains(".damaged-")));
}

#[test]
fn what_is_told_and_asked_before_the_file_is_open_waits_for_it() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    drop(open(&path));
    // another program is looking whether the file is fit: nobody opens it meanwhile
    let turn = fs::File::create(super::open::beside(&path, ".lock")).expect("a file");
    turn.lock().expect("it is held");
    let history = Sqlite::begin(Options::file(&path));
    history.record(vec![seen(task("t1", "error", Phase::Failed), 0)]);
    let id = crate::store::history::new_id();
    let saving = history.save(confirmed(id, 0));
    assert_eq!(history.waiting(), 1);
    assert!(history.shared.opened.get().is_none());
    drop(turn);
    saving.wait().expect("saved");
    assert_eq!(statuses(&history, "t1"), [">error"]);
    assert_eq!(history.waiting(), 0);
    // what is wrong with a file is told once it was looked at
    drop(history);
    fs::write(&path, vec![b'x'; 9_000]).expect("written");
    // out of it the file would be mended
    fs::remove_file(super::open::beside(&path, "-wal")).expect("a small log was left");
    let history = Sqlite::begin(Options::file(&path));
    history.board(None, at(-60), 10).expect("a board");
    assert_eq!(history.health().notices.len(), 1);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    drop(open(&path));
    rusqlite::Connection::open(&path)
        .and_then(|c| c.pragma_update(None, "user_version", 99))
        .expect("a newer version");
    let history = open(&path);
    saved(&history, vec![seen(task("t1", "error", Phase::Failed), 0)]);
    assert!(history.health().notices[0].contains("newer keepwatch"));
    let version: i32 = rusqlite::Connection::open(&path)
        .and_then(|c| c.pragma_query_value(None, "user_version", |r| r.get(0)))
        .expect("a version");
    assert_eq!(version, 99);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_once_there_is_room() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    // the tables alone take about fifty pages
    let history = Sqlite::open(Options {
        max_pages: Some(70),
        ..Options::file(&path)
    });
    let storm = |from: usize| -> Vec<Event> {
        (from..from + 3_000)
            .map(|n| seen(task(&format!("t{n}"), "error", Phase::Failed), 0))
            .collect()
    };
    history.record(storm(0));
    let refused = history
        .save(vec![step(
            crate::store::history::new_id(),
            "sending",
            false,
            0,
        )])
        .wait()
        .expect_err("no room");
    assert!(refused.full, "{refused}");
    assert!(
        refused.to_string().contains("the disk is full"),
        "{refused}"
    );
    let health = history.health();
    assert!(health.is_failing());
    assert_eq!((health.waiting, health.lost), (3_000, 0));
}

#[test]
fn what_could_not_be_written_is_written_as_soon_as_it_can() {
    let dir = TempDir::new().expect("a directory");
    let place = dir.path().join("state");
    // a file stands where the directory should be
    fs::write(&place, "x").expect("written");
    let history = open(&place.join("history.db"));
    let health = history.health();
    assert!(health.is_failing(), "{health:?}");
    history.record(vec![seen(task("t1", "error", Phase::Failed), 0)]);
    let id = crate::store::history::new_id();
    history
        .save(confirmed(id, 0))
        .wait()
        .expect_err("nowhere to write");
    fs::remove_file(&place).expect("removed");
    let mut changes = history.health_changes();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime
        .block_on(changes.wait_for(|h| !h.is_failing()))
        .expect("it works again");
    assert_eq!(statuses(&history, "t1"), [">error"]);
    // what was refused is not written behind the caller's back
    assert_eq!(
        history.actions(&ActionQuery::default()).expect("actions"),
        []
    );
    let told = history.happened(&everything()).expect("entries");
    assert!(
        told.iter()
            .any(|e| matches!(&e.happened, Happened::Incident(what) if what.contains("could not be written"))),
        "{told:?}"
    );
}

#[test]
fn what_an_older_program_kept_is_found_again() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let old = rusqlite::Connection::open(&path).expect("a connection");
    for step in [
        include_str!("schema_1.sql"),
        include_str!("schema_2.sql"),
        include_str!("schema_3.sql"),
    ] {
        old.execute_batch(step).expect("the form of then");
    }
    old.execute_batch(&format!(
        "PRAGMA application_id = {};
         PRAGMA user_version = 3;
         INSERT INTO writer VALUES (1, x'00112233445566778899aabbccddeeff', 'ann', 'ops1', 7, 'keepwatch 0.1.0', 0);
         INSERT INTO word (id, text) VALUES (1, ''), (2, 'running'), (3, 'backup');
         INSERT INTO service VALUES (1, '{}', '{}');
         INSERT INTO task (id, service, native, device_id, device_name, policy_id, policy_name, operation, object,
                           status, phase, step, code, code_operation, message, has_failure, facts, flags, feeds,
                           first_seen, seen_at, seen_by, seen_hour)
             VALUES (5, 1, 't5', 1, 1, 1, 1, 3, 1, 2, {running}, 1, 1, 1, '', 0, '', 0, 1, {at}, {at}, 1, 0),
                    (8, 1, 't8', 1, 1, 1, 1, 3, 1, 2, {running}, 1, 1, 1, '', 0, '', 0, 1, {at}, {at}, 1, 0);
         INSERT INTO transition (writer, n, task, seen_at, to_status, to_phase, code)
             VALUES (1, 1, 5, {at}, 2, {running}, 1), (1, 2, 8, {at}, 2, {running}, 1);",
        schema::APPLICATION_ID,
        eu().name,
        eu().kind,
        running = Phase::Running as u8,
        at = at(0).0,
    ))
    .expect("what was kept then");
    drop(old);
    let history = open(&path);
    assert_eq!(statuses(&history, "t8"), [">running"]);
    saved(
        &history,
        vec![seen(task("t8", "available", Phase::Succeeded), 9)],
    );
    assert_eq!(history.health().notices, Vec::<String>::new());
    assert_eq!(statuses(&history, "t8"), [">running", "running>available"]);
    assert_eq!(statuses(&history, "t5"), [">running"]);
    let board = history.board(None, at(-60), 9).expect("a board");
    assert_eq!(board.tasks.len(), 2, "none is there twice");
}

#[test]
fn it_keeps_within_its_size_and_its_age() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let history = open(&path);
    let now = Timestamp::now();
    let day = 86_400_000;
    let told = |n: usize, days_ago: i64| {
        let Event::Task(mut seen) = seen(task(&format!("t{n}"), "available", Phase::Succeeded), 0)
        else {
            unreachable!("a task was told")
        };
        seen.at = now.plus(-days_ago * day);
        Event::Task(seen)
    };
    saved(&history, (0..6_000).map(|n| told(n, 100)).collect());
    saved(&history, (6_000..12_000).map(|n| told(n, 1)).collect());
    drop(history);
    let options = |max_bytes| Options {
        max_bytes,
        ..Options::file(&path)
    };
    let mut connection = rusqlite::Connection::open(&path).expect("a connection");
    let count = |c: &rusqlite::Connection| -> i64 {
        c.query_row("SELECT count(*) FROM task", [], |r| r.get(0))
            .expect("a count")
    };
    let tidy = |c: &mut rusqlite::Connection, options: &Options| {
        let mut keeper = limits::Keeper::new(options, std::time::Instant::now());
        loop {
            keeper.step(c, options).expect("a step");
            if keeper.due().is_none() {
                break;
            }
        }
    };
    tidy(&mut connection, &options(u64::MAX));
    assert_eq!(count(&connection), 6_000, "a hundred days are too old");
    let used = limits::used(&connection).expect("a size");
    tidy(&mut connection, &options(used / 4 * 3));
    let after = limits::used(&connection).expect("a size");
    assert!(after <= used / 4 * 3, "{after} bytes of {used} are left");
    let left = count(&connection);
    assert!(left > 0 && left < 6_000, "{left}");
    let orphans: i64 = connection
        .query_row(
            "SELECT count(*) FROM transition WHERE task NOT IN (SELECT id FROM task)",
            [],
            |r| r.get(0),
        )
        .expect("a count");
    assert_eq!(orphans, 0);
    let count = |name| -> i64 {
        connection
            .pragma_query_value(None, name, |r| r.get(0))
            .expect("a count")
    };
    let (free, pages) = (count("freelist_count"), count("page_count"));
    assert!(free <= pages / 8, "{free} freed pages of {pages} were kept");
}

#[test]
fn a_short_run_leaves_a_small_log_and_one_that_tells_nothing_changes_nothing() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("history.db");
    let log = open::beside(&path, "-wal");
    let some = |from: usize, to: usize| {
        (from..to)
            .map(|n| seen(task(&format!("t-{n}"), "error", Phase::Failed), 1))
            .collect()
    };
    let held = |history: &Sqlite| {
        let board = history.board(None, at(-60), usize::MAX);
        board.expect("a board").tasks.len()
    };
    {
        let history = open(&path);
        saved(&history, some(0, 1));
        assert_eq!(held(&history), 1);
    }
    assert!(fs::metadata(&log).expect("it is left").len() > 0);
    let before = (
        fs::read(&path).expect("read"),
        fs::read(&log).expect("read"),
    );
    {
        let history = open(&path);
        assert_eq!(history.health().state, HistoryState::Writing);
        assert_eq!(held(&history), 1);
    }
    let after = (
        fs::read(&path).expect("read"),
        fs::read(&log).expect("read"),
    );
    assert!(before == after, "opening it was written down");
    {
        let history = open(&path);
        saved(&history, some(0, 5_000));
        // a question was asked, too
        assert_eq!(held(&history), 5_000);
    }
    assert!(!log.exists(), "much is copied into the file");
    assert_eq!(held(&open(&path)), 5_000);
}
