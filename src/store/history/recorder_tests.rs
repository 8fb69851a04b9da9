use super::sqlite::{Options, Sqlite};
use super::*;
use crate::model::{
    CodeRef, Device, Health, Kind, Phase, Policy, Ref, Rows, Service, ServiceId, Task,
};
use crate::store::{Covered, Store};

const EU: ServiceId = ServiceId(0);

fn at(second: i64) -> Timestamp {
    Timestamp(1_784_000_000_000 + second * 1_000)
}

fn store() -> Store {
    Store::new(vec![Service {
        id: EU,
        name: "eu".into(),
        kind: Kind("csbs"),
        embedded: false,
        read_only: false,
    }])
}

fn task(id: &str, status: &str, phase: Phase) -> Task {
    Task {
        id: id.to_owned(),
        device: Some(Ref::new("d-1", "web")),
        policy: Some(Ref::new("p-1", "nightly")),
        operation: "backup".to_owned(),
        native_status: status.to_owned(),
        phase,
        started_at: Some(at(-100)),
        failure: (phase == Phase::Failed).then(|| CodeRef::new("CSBS.6027", "no zone")),
        facts: vec![("zone", "eu-2".to_owned())],
        raw: "{}".to_owned(),
        ..Task::default()
    }
}

fn round(store: &mut Store, tasks: Vec<Task>, now: Timestamp) {
    let rows = Rows {
        devices: vec![Device {
            id: "d-1".to_owned(),
            name: "web".to_owned(),
            what: "server",
            facts: vec![("disks", "3".to_owned())],
            ..Device::default()
        }],
        policies: vec![Policy {
            id: "p-1".to_owned(),
            name: "nightly".to_owned(),
            what: "policy",
            enabled: Some(true),
            ..Policy::default()
        }],
        tasks,
        bad: Vec::new(),
    };
    store.apply(EU, "all", 0, rows, now);
    let covers = Covered {
        devices: true,
        policies: true,
        live: true,
        failed: true,
    };
    store.finish_round(EU, "all", covers, true, now);
    store.set_health(EU, Health::Fresh { since: now });
}

fn tell_all(recorder: &mut Recorder, store: &Store, history: &Sqlite, now: Timestamp) {
    while recorder.tell(store, history, now, 2) != Told::All {}
    history.save(Vec::new()).wait().expect("saved");
}

fn moves(history: &Sqlite, id: &str) -> Vec<String> {
    let subject = Subject::new("eu", Sort::Task, id);
    let entries = history.timeline(&subject, &Window::default());
    entries
        .expect("a timeline")
        .into_iter()
        .filter_map(|e| match e.happened {
            Happened::Moved { transition, .. } => Some(transition.to),
            _ => None,
        })
        .collect()
}

#[test]
fn how_far_a_task_is_at_every_poll_is_told_with_what_changes_next() {
    let mut store = store();
    let mut recorder = Recorder::default();
    let mut running = task("t1", "protecting", Phase::Running);
    let mut told = |recorder: &mut Recorder, running: &Task, second: i64| -> Vec<Task> {
        round(&mut store, vec![running.clone()], at(second));
        let events = recorder.take(&store, at(second), 100);
        assert!(!recorder.is_behind(&store));
        let task = |e: Event| match e {
            Event::Task(seen) => Some(seen.task),
            _ => None,
        };
        events.into_iter().filter_map(task).collect()
    };
    assert_eq!(told(&mut recorder, &running, 0).len(), 1);
    running.progress = Some(40);
    running.updated_at = Some(at(4));
    assert_eq!(told(&mut recorder, &running, 4), []);
    running.step = "disk 2 of 3".to_owned();
    let next = told(&mut recorder, &running, 8);
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].progress, Some(40));
}

#[test]
fn the_next_run_begins_with_what_this_one_knew() {
    let history = Sqlite::open(Options::memory());
    let mut first = store();
    let mut recorder = Recorder::default();
    let tasks = |running: &str, phase| {
        vec![
            task("t1", "error", Phase::Failed),
            task("t2", running, phase),
            task("t3", "available", Phase::Succeeded),
        ]
    };
    round(&mut first, tasks("waiting", Phase::Waiting), at(0));
    tell_all(&mut recorder, &first, &history, at(0));
    // two changes between two looks of the recorder: both are told
    round(&mut first, tasks("protecting", Phase::Running), at(40));
    round(&mut first, tasks("closing", Phase::Running), at(80));
    tell_all(&mut recorder, &first, &history, at(80));
    assert_eq!(moves(&history, "t2"), ["waiting", "protecting", "closing"]);

    let mut second = store();
    let board = history.board(None, at(-3_600), 100).expect("a board");
    let window = Window::default();
    let entries = history.happened(&window).expect("entries");
    let taken = second.remember(board, &[vec!["all"]]);
    second.remember_moves(&entries);
    assert_eq!((taken.tasks, taken.devices, taken.policies), (3, 1, 1));
    assert_eq!(taken.oldest, Some(at(80)));
    assert_eq!(second.service(EU).health, Health::Stale { since: at(80) });
    for row in second.tasks() {
        let known = second.task(row);
        let before = first.task(first.find_task(EU, known.id()).expect("the task"));
        let mut expected = before.to_task();
        if !expected.phase.needs_person() {
            expected.facts.clear();
        }
        assert_eq!(known.to_task(), expected);
        assert_eq!(known.changed_at(), None, "nothing happened in this run");
    }
    assert_eq!(second.log().len(), 2, "the news of before are still news");
    let device = second.find_device(EU, "d-1").expect("the device");
    assert_eq!(second.device(device).facts(), [("disks", "3".to_owned())]);
    // what came out of history does not go in again
    let mut next = Recorder::default();
    let events = next.take(&second, at(90), 1_000);
    let told = events.iter().filter(|e| matches!(e, Event::Task(_)));
    assert_eq!(told.count(), 0);
    // a service that is down still shows how old its data are
    let fault = crate::model::Fault::new(crate::model::FaultKind::Timeout, "x", "", "");
    second.set_health(
        EU,
        Health::Down {
            since: at(91),
            last_ok: None,
            next_try: None,
            fault,
        },
    );
    assert_eq!(second.service(EU).health.last_ok(), Some(at(80)));
    // the first answer: one ended meanwhile, one was cleared, one is looked up
    let rest = vec![task("t3", "available", Phase::Succeeded)];
    second.apply(
        EU,
        "all",
        0,
        Rows {
            tasks: rest,
            ..Rows::default()
        },
        at(100),
    );
    let covers = Covered {
        live: true,
        failed: true,
        devices: true,
        policies: true,
    };
    let end = second.finish_round(EU, "all", covers, true, at(100));
    assert_eq!(end.missing_live, ["t2"]);
    assert_eq!((end.cleared, end.removed), (1, 2));
    second.apply_task(EU, task("t2", "available", Phase::Succeeded), at(101));
    tell_all(&mut next, &second, &history, at(101));
    assert_eq!(
        moves(&history, "t2"),
        ["waiting", "protecting", "closing", "available"]
    );
    assert_eq!(moves(&history, "t3"), ["available"], "nothing new");
    let board = history.board(None, at(-3_600), 100).expect("a board");
    assert_eq!((board.devices.len(), board.policies.len()), (0, 0));
    let cleared: Vec<_> = board.tasks.iter().filter(|t| t.cleared).collect();
    assert_eq!(cleared.len(), 1);
    assert_eq!(cleared[0].task.id, "t1");
}

#[test]
fn a_recorder_that_fell_behind_tells_everything_once() {
    let history = Sqlite::open(Options::memory());
    let mut store = store();
    let mut recorder = Recorder::default();
    let many = |status: &str, phase| -> Vec<Task> {
        (0..22_000)
            .map(|n| task(&format!("t{n}"), status, phase))
            .collect()
    };
    for (n, status) in ["a", "b", "c"].into_iter().enumerate() {
        round(&mut store, many(status, Phase::Running), at(n as i64));
    }
    while recorder.tell(&store, &history, at(9), 4_000) != Told::All {
        std::thread::yield_now();
    }
    history.save(Vec::new()).wait().expect("saved");
    assert_eq!(history.health().lost, 0);
    let board = history
        .board(None, at(-3_600), usize::MAX)
        .expect("a board");
    assert_eq!(board.tasks.len(), 22_000);
    assert!(board.tasks.iter().all(|t| t.task.native_status == "c"));
}

/// What the recorder tells of devices and policies, and with which lists.
fn parties(events: &[Event]) -> Vec<String> {
    let one = |event: &Event| match event {
        Event::Party(seen) => {
            let id = match &seen.state {
                PartyState::Device(d) => &d.id,
                PartyState::Policy(p) => &p.id,
                PartyState::DeviceGone(id) | PartyState::PolicyGone(id) => id,
            };
            Some(format!("{id} {:?}", seen.feeds))
        }
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

#[test]
fn what_is_reckoned_from_tasks_is_not_told_with_every_task() {
    let mut store = store();
    let mut recorder = Recorder::default();
    round(
        &mut store,
        vec![task("t1", "waiting", Phase::Waiting)],
        at(0),
    );
    let told = parties(&recorder.take(&store, at(0), 1_000));
    assert_eq!(told, [r#"d-1 ["all"]"#, r#"p-1 ["all"]"#]);
    // the device's and the policy's statistics move: their records are as they were
    round(
        &mut store,
        vec![
            task("t1", "error", Phase::Failed),
            task("t2", "available", Phase::Succeeded),
        ],
        at(40),
    );
    let device = store.find_device(EU, "d-1").expect("the device");
    assert_eq!(store.device(device).stats().tasks, 2);
    let events = recorder.take(&store, at(40), 1_000);
    assert_eq!(parties(&events), Vec::<String>::new());
    let tasks = events.iter().filter(|e| matches!(e, Event::Task(_)));
    assert_eq!(tasks.count(), 2);
    // so does an acknowledgement, which has a place of its own in history
    let remark = Remark::new(
        RemarkKind::Acknowledged,
        Subject::new("eu", Sort::Task, "t1"),
        "mine",
        at(41),
    );
    store.set_remarks(&[remark], at(41));
    let row = store.find_task(EU, "t1").expect("the task");
    assert!(store.ack(row).is_some());
    assert_eq!(recorder.take(&store, at(41), 1_000), []);
    // what the service itself tells of the device is told
    let rows = Rows {
        devices: vec![Device {
            id: "d-1".to_owned(),
            name: "web".to_owned(),
            what: "server",
            faulty: true,
            facts: vec![("disks", "3".to_owned())],
            ..Device::default()
        }],
        ..Rows::default()
    };
    store.apply(EU, "more", 0, rows, at(50));
    let told = parties(&recorder.take(&store, at(50), 1_000));
    assert_eq!(told, [r#"d-1 ["all", "more"]"#]);
}

#[test]
fn one_more_list_that_shows_a_row_is_told() {
    let history = Sqlite::open(Options::memory());
    let mut store = store();
    let mut recorder = Recorder::default();
    let failed = || vec![task("t1", "error", Phase::Failed)];
    round(&mut store, failed(), at(0));
    tell_all(&mut recorder, &store, &history, at(0));
    let rows = || Rows {
        tasks: failed(),
        policies: vec![Policy {
            id: "p-1".to_owned(),
            name: "nightly".to_owned(),
            what: "policy",
            enabled: Some(true),
            ..Policy::default()
        }],
        ..Rows::default()
    };
    let generation = store.generation();
    store.apply(EU, "failed", 0, rows(), at(5));
    assert_eq!(store.generation(), generation, "nothing to see");
    tell_all(&mut recorder, &store, &history, at(5));
    let board = history.board(None, at(-3_600), 100).expect("a board");
    assert_eq!(board.tasks[0].feeds, ["all", "failed"]);
    assert_eq!(board.policies[0].feeds, ["all", "failed"]);
    assert_eq!(moves(&history, "t1"), ["error"]);
    // shown again, it is no news
    store.apply(EU, "failed", 0, rows(), at(10));
    assert_eq!(recorder.take(&store, at(10), 100), []);
}

#[test]
fn answers_of_all_services_are_told_together_and_not_often() {
    let service = |n: u16, name: &str| Service {
        id: ServiceId(n),
        name: name.into(),
        kind: Kind("csbs"),
        embedded: false,
        read_only: false,
    };
    let mut store = Store::new(vec![service(0, "eu"), service(1, "us")]);
    let mut recorder = Recorder::default();
    let mut told = |store: &mut Store, second: [i64; 2], ends: bool| -> Vec<String> {
        for (id, second) in [0, 1].into_iter().zip(second) {
            store.set_health(ServiceId(id), Health::Fresh { since: at(second) });
        }
        if ends {
            recorder.end();
        }
        let events = recorder.take(store, at(second[0]), 100);
        let name = |e| match e {
            Event::Answered { service, at } => format!("{} {}", service.name, at.rfc3339()),
            other => format!("{other:?}"),
        };
        events.into_iter().map(name).collect()
    };
    let both = |second: [i64; 2]| {
        let [eu, us] = second.map(|s| at(s).rfc3339());
        [format!("eu {eu}"), format!("us {us}")]
    };
    assert_eq!(told(&mut store, [0, 3], false), both([0, 3]));
    assert_eq!(told(&mut store, [5, 8], false), Vec::<String>::new());
    assert_eq!(told(&mut store, [29, 28], false), Vec::<String>::new());
    assert_eq!(told(&mut store, [30, 29], false), both([30, 29]));
    assert_eq!(told(&mut store, [35, 34], false), Vec::<String>::new());
    assert_eq!(told(&mut store, [40, 39], true), both([40, 39]));
    assert_eq!(told(&mut store, [45, 44], false), Vec::<String>::new());
}

#[test]
fn what_is_dropped_for_want_of_room_is_not_told() {
    let mut store = store().with_task_cap(64);
    let mut recorder = Recorder::default();
    let page = |n: i64| -> Vec<Task> {
        (0..32)
            .map(|k| Task {
                started_at: Some(at(60 * n + k)),
                ..task(&format!("t-{n}-{k}"), "available", Phase::Succeeded)
            })
            .collect()
    };
    let mut told = 0;
    for n in 0..20 {
        round(&mut store, page(n), at(60 * n));
        let events = recorder.take(&store, at(60 * n), 10_000);
        told += events
            .iter()
            .filter(|e| matches!(e, Event::Task(_)))
            .count();
    }
    assert!(store.task_count() < 100);
    assert_eq!(told, 20 * 32, "each once");
}
