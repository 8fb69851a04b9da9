//! The store from outside, case by case.

use std::collections::BTreeSet;

use super::*;
use crate::model::{CodeRef, Kind, Phase, Ref, Rows, Task};
use crate::query::{Field, Query};

const S: ServiceId = ServiceId(0);
const LIVE: Covered = Covered {
    devices: false,
    policies: false,
    live: true,
    failed: false,
};
const FAILED: Covered = Covered {
    devices: false,
    policies: false,
    live: false,
    failed: true,
};
const PARTIES: Covered = Covered {
    devices: true,
    policies: true,
    live: false,
    failed: false,
};

fn store() -> Store {
    let service = |n: u16, name: &str| Service {
        id: ServiceId(n),
        name: name.into(),
        kind: Kind("csbs"),
        embedded: false,
        read_only: false,
    };
    Store::new(vec![service(0, "otc-eu"), service(1, "dr-eu")])
}

fn at(n: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + n)
}

fn task(id: &str, phase: Phase, status: &str) -> Task {
    Task {
        id: id.into(),
        device: Some(Ref::new("d1", "ecs-1")),
        policy: Some(Ref::new("p1", "nightly")),
        operation: "backup".into(),
        native_status: status.into(),
        phase,
        started_at: Some(at(0)),
        raw: format!("{{\"id\":\"{id}\"}}"),
        ..Task::default()
    }
}

fn tasks(tasks: &[Task]) -> Rows {
    Rows {
        tasks: tasks.to_vec(),
        ..Rows::default()
    }
}

fn device(id: &str, name: &str) -> Device {
    Device {
        id: id.into(),
        name: name.into(),
        ..Device::default()
    }
}

fn round(
    store: &mut Store,
    feed: &'static str,
    rows: Rows,
    covers: Covered,
    now: Timestamp,
) -> RoundEnd {
    store.apply(S, feed, 0, rows, now);
    store.finish_round(S, feed, covers, true, now)
}

#[test]
fn the_start_is_no_news_and_an_unchanged_poll_is_none_either() {
    let mut s = store();
    let rows = tasks(&[
        task("a", Phase::Running, "protecting"),
        task("b", Phase::Failed, "error"),
    ]);
    round(&mut s, "all", rows.clone(), LIVE, at(1));
    assert!(s.log().is_empty(), "the start does not flood the feed");
    assert_eq!(s.task_changes.next(), 2, "a new row is noted once");
    let generation = s.generation();
    let applied = s.apply(S, "all", 0, rows, at(2));
    assert_eq!(
        applied,
        Applied {
            unchanged: 2,
            ..Applied::default()
        }
    );
    s.finish_round(S, "all", LIVE, true, at(2));
    assert_eq!(s.generation(), generation);
    s.apply(
        S,
        "all",
        0,
        tasks(&[task("c", Phase::Queued, "waiting_protect")]),
        at(3),
    );
    assert_eq!(s.log().len(), 1, "a task that comes later is news");
    assert!(s.generation() > generation);
}

#[test]
fn a_change_is_logged_once_with_its_columns() {
    let mut s = store();
    round(
        &mut s,
        "all",
        tasks(&[task("a", Phase::Running, "protecting")]),
        LIVE,
        at(1),
    );
    let row = s.find_task(S, "a").expect("held");
    assert_eq!(s.task(row).changed_at(), None);
    let mut done = task("a", Phase::Failed, "error");
    done.failure =
        Some(CodeRef::new("CSBS.6027", "The AZ where the resource is located …").with_http(400));
    let applied = s.apply(S, "all", 0, tasks(&[done.clone()]), at(5));
    assert_eq!((applied.changed, applied.transitions), (1, 1));
    let view = s.task(row);
    assert_eq!(view.changed_at(), Some(at(5)));
    assert!(view.changed().has(Field::Phase) && view.changed().has(Field::Code));
    assert!(!view.changed().has(Field::Operation));
    let log: Vec<_> = s
        .log()
        .newest_first()
        .map(|l| (l.seq, l.row(), l.transition()))
        .collect();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].2.from.as_deref(), Some("protecting"));
    assert_eq!(
        (log[0].2.to.as_str(), log[0].2.to_phase),
        ("error", Phase::Failed)
    );
    assert_eq!(view.transitions().count(), 1);
    // progress alone is a change and no transition
    done.progress = Some(50);
    let applied = s.apply(S, "all", 0, tasks(&[done]), at(6));
    assert_eq!((applied.changed, applied.transitions), (1, 0));
    assert_eq!(s.task(row).raw(), Some("{\"id\":\"a\"}"));
    assert_eq!(
        s.task(row).failure().map(|f| f.code),
        Some("CSBS.6027".into())
    );
}

#[test]
fn what_left_the_live_list_is_looked_up_and_never_dropped() {
    let mut s = store();
    let both = [
        task("a", Phase::Running, "x"),
        task("b", Phase::Running, "x"),
    ];
    round(&mut s, "running", tasks(&both), LIVE, at(1));
    let end = round(&mut s, "running", tasks(&both[..1]), LIVE, at(2));
    assert_eq!(end.missing_live, ["b"]);
    let b = s.find_task(S, "b").expect("still held");
    assert_eq!(s.task(b).phase(), Phase::Running);
    // an incomplete round says nothing about what is absent
    s.apply(S, "running", 0, Rows::default(), at(3));
    assert_eq!(
        s.finish_round(S, "running", LIVE, false, at(3)),
        RoundEnd::default()
    );
    s.apply_task(S, task("b", Phase::Succeeded, "available"), at(4));
    assert_eq!(s.task(b).phase(), Phase::Succeeded);
    assert!(s.task_vanished(S, "a", at(5)));
    let a = s.find_task(S, "a").expect("still held");
    assert!(s.task(a).lost() && s.task(a).phase() == Phase::Unknown);
    assert_eq!(s.log().len(), 2);
    assert!(
        !s.task_vanished(S, "a", at(6)),
        "only what is live can vanish"
    );
    s.apply(S, "running", 0, tasks(&both[..1]), at(7));
    assert!(!s.task(a).lost());
}

#[test]
fn statistics_that_are_reckoned_at_the_start_did_not_change() {
    let mut s = store();
    let listed = Rows {
        devices: vec![device("d1", "ecs-1")],
        policies: vec![Policy {
            id: "p1".into(),
            name: "nightly".into(),
            ..Policy::default()
        }],
        ..Rows::default()
    };
    round(&mut s, "devices", listed.clone(), PARTIES, at(1));
    // the tasks come page by page, and the device and the policy are as good as the newest page says
    for (page, id) in (0..).zip(["a", "b", "c"]) {
        let mut good = task(id, Phase::Succeeded, "available");
        good.ended_at = Some(at(100 + i64::from(page)));
        s.apply(S, "all", page, tasks(&[good]), at(2));
    }
    s.finish_round(S, "all", LIVE, true, at(2));
    round(&mut s, "devices", listed, PARTIES, at(3));
    let d = s.find_device(S, "d1").expect("listed");
    let p = s.find_policy(S, "p1").expect("listed");
    assert_eq!(s.device(d).stats().last_good, Some(at(102)));
    assert_eq!(
        (s.device(d).changed_at(), s.policy(p).changed_at()),
        (None, None)
    );
    // what comes later is news
    s.apply(
        S,
        "all",
        0,
        tasks(&[task("d", Phase::Failed, "error")]),
        at(200),
    );
    assert_eq!(s.device(d).changed_at(), Some(at(200)));
    assert_eq!(s.policy(p).changed_at(), Some(at(200)));
    assert!(s.device(d).changed().has(Field::Streak));
    assert!(!s.device(d).changed().has(Field::LastGood));
}

#[test]
fn missing_tasks_that_nobody_can_look_up_stand_before_no_others() {
    let mut s = store();
    let running = |from: usize, to: usize| -> Vec<Task> {
        (from..to)
            .map(|n| task(&format!("t{n:03}"), Phase::Running, "x"))
            .collect()
    };
    let names = |from: usize, to: usize| -> BTreeSet<String> {
        running(from, to).into_iter().map(|t| t.id).collect()
    };
    round(&mut s, "running", tasks(&running(0, 150)), LIVE, at(1));
    // all are gone, and no look-up succeeds
    let mut named = BTreeSet::new();
    for second in 2..5 {
        let end = round(&mut s, "running", Rows::default(), LIVE, at(second));
        assert_eq!(end.missing_live.len(), 64, "so many requests and no more");
        named.extend(end.missing_live);
    }
    assert_eq!(named, names(0, 150));
    // newer ones go missing as well while the old ones still can't be looked up
    round(&mut s, "running", tasks(&running(150, 160)), LIVE, at(5));
    named.clear();
    for second in 6..9 {
        named.extend(round(&mut s, "running", Rows::default(), LIVE, at(second)).missing_live);
    }
    assert_eq!(named, names(0, 160));
    // once the others were found, the few that are left are named each time
    for done in running(2, 160) {
        let id = done.id.clone();
        s.apply_task(S, task(&id, Phase::Succeeded, "available"), at(9));
    }
    for second in 10..12 {
        let end = round(&mut s, "running", Rows::default(), LIVE, at(second));
        assert_eq!(BTreeSet::from_iter(end.missing_live), names(0, 2));
    }
}

#[test]
fn the_same_page_keeps_its_rows() {
    let mut s = store();
    let rows = Rows {
        devices: vec![device("d1", "ecs-1")],
        tasks: vec![task("a", Phase::Running, "x")],
        ..Rows::default()
    };
    let covers = Covered {
        live: true,
        ..PARTIES
    };
    round(&mut s, "all", rows, covers, at(1));
    let generation = s.generation();
    assert!(s.apply_same(S, "all", 0, at(2)));
    assert_eq!(
        s.finish_round(S, "all", covers, true, at(2)),
        RoundEnd::default()
    );
    assert_eq!(s.generation(), generation);
    assert!(!s.apply_same(S, "all", 7, at(3)));
    let end = s.finish_round(S, "all", covers, true, at(3));
    assert_eq!((end.removed, end.missing_live.len()), (1, 1));
    assert_eq!(s.find_device(S, "d1"), None);
    // the page comes back as it was
    assert!(s.apply_same(S, "all", 0, at(4)));
    assert!(s.find_device(S, "d1").is_some());
}

#[test]
fn cleared_jobs_leave_the_failed_list_and_stay_held() {
    let mut s = store();
    let all = [
        task("a", Phase::Failed, "error"),
        task("b", Phase::Failed, "error"),
    ];
    round(&mut s, "failed", tasks(&all), FAILED, at(1));
    round(&mut s, "history", tasks(&all), Covered::default(), at(1));
    assert_eq!(s.counts(at(1)).failed, 2);
    let end = round(&mut s, "failed", tasks(&all[..1]), FAILED, at(2));
    assert_eq!(end.cleared, 1);
    // the history goes on showing it
    round(&mut s, "history", tasks(&all), Covered::default(), at(3));
    let mut failed = View::new(Noun::Failed);
    failed.refresh(&s, at(3));
    assert_eq!(failed.len(), 1);
    let mut every = View::new(Noun::Tasks);
    every.set_query(Query::parse("is:cleared").expect("a query"));
    every.refresh(&s, at(3));
    assert_eq!(every.len(), 1);
    assert!(s.log().is_empty(), "clearing is no transition");
    round(&mut s, "failed", tasks(&all), FAILED, at(4));
    assert_eq!(s.counts(at(4)).failed, 2, "listed again, it counts again");
}

#[test]
fn a_device_may_come_after_its_tasks() {
    let mut s = store();
    let mut by_name = task("b", Phase::Failed, "error");
    by_name.device = Some(Ref::new("", "ecs-1"));
    by_name.started_at = Some(at(10));
    round(
        &mut s,
        "all",
        tasks(&[task("a", Phase::Succeeded, "available"), by_name]),
        LIVE,
        at(20),
    );
    let a = s.find_task(S, "a").expect("held");
    assert_eq!(s.task(a).device(), ("d1", "ecs-1"));
    assert_eq!(s.find_device(S, "d1"), None);
    let row = s.task(a).device_row().expect("referred to");
    assert!(!s.device(row).is_listed());
    let devices = Rows {
        devices: vec![device("d1", "ecs-1")],
        ..Rows::default()
    };
    round(&mut s, "devices", devices, PARTIES, at(21));
    assert_eq!(s.find_device(S, "d1"), Some(row));
    let of: Vec<&str> = s.tasks_of_device(row).map(|t| s.task(t).id()).collect();
    assert_eq!(
        of,
        ["b", "a"],
        "newest first, also the one that knows only the name"
    );
    let stats = s.device(row).stats();
    assert_eq!(
        (stats.streak, stats.tasks, stats.ever_succeeded()),
        (1, 2, true)
    );
    // a second device of that name: nobody knows whose the task is
    let devices = Rows {
        devices: vec![device("d1", "ecs-1"), device("d2", "ecs-1")],
        ..Rows::default()
    };
    round(&mut s, "devices", devices, PARTIES, at(22));
    assert_eq!(s.device(row).stats().streak, 0);
    let b = s.find_task(S, "b").expect("held");
    assert_eq!(s.task(b).device_label(), "ecs-1");
}

#[test]
fn what_was_asked_shows_until_the_task_changes() {
    let mut s = store();
    round(
        &mut s,
        "all",
        tasks(&[task("a", Phase::Running, "x")]),
        LIVE,
        at(1),
    );
    let a = s.find_task(S, "a").expect("held");
    s.ask(a, Some(crate::model::Asked::Cancel));
    s.apply(S, "all", 0, tasks(&[task("a", Phase::Running, "x")]), at(2));
    assert_eq!(s.task(a).asked(), Some(crate::model::Asked::Cancel));
    s.apply(S, "all", 0, tasks(&[task("a", Phase::Running, "y")]), at(3));
    assert_eq!(s.task(a).asked(), None);
}

#[test]
fn an_unknown_status_is_never_a_success() {
    let mut s = store();
    let rows = Rows {
        devices: vec![device("d1", "ecs-1")],
        tasks: vec![task("a", Phase::Unknown, "RESTING")],
        ..Rows::default()
    };
    round(&mut s, "all", rows, PARTIES, at(1));
    let d = s.find_device(S, "d1").expect("listed");
    let stats = s.device(d).stats();
    assert!(!stats.ever_succeeded());
    assert_eq!(
        (stats.streak, stats.last_attempt_phase),
        (0, Some(Phase::Unknown))
    );
    assert_eq!(s.counts(at(1)).never_good, 1);
}

#[test]
fn devices_come_worst_first() {
    let mut s = store();
    let names = ["fine", "long", "never", "none"];
    let mut all = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let mut add = |id: String, phase, when| {
            let mut t = task(&id, phase, "x");
            t.device = Some(Ref::new(*name, *name));
            t.started_at = Some(at(when));
            all.push(t);
        };
        match n {
            0 => add("f".into(), Phase::Succeeded, 0),
            1 => {
                add("l".into(), Phase::Succeeded, 0);
                (1..9).for_each(|i| add(format!("l{i}"), Phase::Failed, i));
            }
            2 => add("n".into(), Phase::Uncertain, 0),
            _ => {}
        }
    }
    let devices = names.iter().map(|n| device(n, n)).collect();
    round(
        &mut s,
        "all",
        Rows {
            devices,
            tasks: all,
            ..Rows::default()
        },
        PARTIES,
        at(1),
    );
    let mut view = View::new(Noun::Devices);
    view.refresh(&s, at(1));
    let order: Vec<&str> = view
        .slice(0..9)
        .iter()
        .map(|&r| s.device(DeviceRow(r)).name())
        .collect();
    assert_eq!(order, ["never", "long", "none", "fine"]);
}

#[test]
fn a_policy_that_is_on_owes_a_backup_when_its_schedule_says_so() {
    use crate::model::Due;
    const DAY: i64 = 86_400;
    let mut store = store();
    let policy = |enabled, last: Option<i64>| Policy {
        id: "p1".into(),
        name: "nightly".into(),
        enabled,
        last_success: last.map(at),
        due: Some(Due {
            within_ms: 2 * DAY * 1_000,
            from: Some(at(0)),
        }),
        ..Policy::default()
    };
    let mut put = |policy| {
        let rows = Rows {
            policies: vec![policy],
            ..Rows::default()
        };
        round(&mut store, "policies", rows, PARTIES, at(1));
        let row = store.find_policy(S, "p1").unwrap();
        let view = store.policy(row);
        (
            view.stats().last_good,
            view.overdue_since(at(2 * DAY)),
            view.overdue_since(at(9 * DAY)),
        )
    };
    // none is known: it counts from when the policy was made
    let never = put(policy(Some(true), None));
    assert_eq!(never, (None, None, Some(at(2 * DAY))));
    // the service tells of one
    let told = put(policy(Some(true), Some(DAY)));
    assert_eq!(told, (Some(at(DAY)), None, Some(at(3 * DAY))));
    // its schedule is off, or nobody says how often one is due
    assert_eq!(put(policy(Some(false), Some(DAY))).2, None);
    assert_eq!(put(policy(None, Some(DAY))).2, None);
    let no_rhythm = Policy {
        due: None,
        ..policy(Some(true), Some(DAY))
    };
    assert_eq!(put(no_rhythm).2, None);
    // a backup that was seen counts as well
    store.apply(
        S,
        "tasks",
        0,
        tasks(&[Task {
            ended_at: Some(at(8 * DAY)),
            started_at: Some(at(8 * DAY - 60)),
            ..task("t1", Phase::Succeeded, "COMPLETED")
        }]),
        at(8 * DAY),
    );
    store.apply(
        S,
        "policies",
        0,
        Rows {
            policies: vec![policy(Some(true), Some(DAY))],
            ..Rows::default()
        },
        at(8 * DAY),
    );
    let view = store.policy(store.find_policy(S, "p1").unwrap());
    assert_eq!(view.overdue_since(at(9 * DAY)), None);
    assert_eq!(view.overdue_since(at(11 * DAY)), Some(at(10 * DAY)));
}

#[test]
fn a_clock_that_goes_wrong_is_news_once() {
    let mut s = store();
    let off = |s: &Store| s.service(S).clock_offset_ms;
    s.note_clock(S, at(1), at(1));
    let generation = s.generation();
    s.note_clock(S, at(1), at(2));
    assert_eq!((off(&s), s.generation()), (Some(0), generation));
    s.note_clock(S, at(1), at(50));
    assert_eq!((off(&s), s.generation()), (Some(-49_000), generation + 1));
    // how far it is off is kept up to date without a frame for it
    s.note_clock(S, at(1), at(60));
    assert_eq!((off(&s), s.generation()), (Some(-59_000), generation + 1));
    s.note_clock(S, at(60), at(61));
    assert_eq!((off(&s), s.generation()), (Some(-1_000), generation + 2));
}

#[test]
fn a_good_backup_of_long_ago_that_turns_up_did_not_happen_just_now() {
    let mut s = store();
    let told = |good: Option<Timestamp>| {
        let mut one = device("d1", "ecs-1");
        one.last_success = good;
        Rows {
            devices: vec![one],
            ..Rows::default()
        }
    };
    let hour = |n: i64| Timestamp(at(0).0 + n * 3_600_000);
    round(&mut s, "devices", told(None), PARTIES, hour(50));
    round(&mut s, "devices", told(None), PARTIES, hour(51));
    round(&mut s, "devices", told(Some(hour(2))), PARTIES, hour(52));
    let d = s.find_device(S, "d1").expect("listed");
    assert_eq!(s.device(d).stats().last_good, Some(hour(2)));
    assert_eq!(s.device(d).changed_at(), None);
    let just = hour(53).plus(-60_000);
    round(&mut s, "devices", told(Some(just)), PARTIES, hour(53));
    assert_eq!(s.device(d).changed_at(), Some(hour(53)));
}

#[test]
fn a_failure_is_dropped_only_after_a_good_backup_of_the_same_device() {
    let mut s = store().with_task_cap(4);
    let of = |id: &str, device: &str, operation: &str, phase: Phase, n: i64| Task {
        device: Some(Ref::new(device, device)),
        operation: operation.to_owned(),
        started_at: Some(at(n)),
        ended_at: (!phase.is_live()).then(|| at(n + 1)),
        ..task(id, phase, "x")
    };
    let told = [
        of("older", "d1", "backup", Phase::Succeeded, 9),
        of("made-good", "d1", "backup", Phase::Failed, 10),
        of("good", "d1", "backup", Phase::Succeeded, 20),
        of("again", "d1", "backup", Phase::Failed, 30),
        of("restore", "d1", "restore", Phase::Failed, 11),
        of("never-good", "d2", "backup", Phase::Failed, 12),
        of("live", "d2", "backup", Phase::Running, 13),
    ];
    let listed = Rows {
        devices: vec![device("d1", "ecs-1")],
        ..tasks(&told)
    };
    round(&mut s, "all", listed, LIVE, at(100));
    let held =
        |s: &Store| -> BTreeSet<String> { s.tasks().map(|t| s.task(t).id().to_owned()).collect() };
    let open = ["good", "again", "restore", "never-good", "live"].map(str::to_owned);
    assert_eq!(held(&s), BTreeSet::from(open.clone()));
    let d1 = s.find_device(S, "d1").expect("known");
    assert_eq!(s.device(d1).stats().last_good, Some(at(21)));
    // told again, it is not taken in again
    s.apply(S, "all", 1, tasks(&told), at(101));
    assert_eq!(held(&s), BTreeSet::from(open));
}

#[test]
fn where_little_can_be_dropped_it_is_not_looked_for_at_every_page() {
    let mut s = store().with_task_cap(32);
    let of = |from: usize, to: usize, phase: Phase| -> Vec<Task> {
        (from..to)
            .map(|n| Task {
                operation: "restore".to_owned(),
                ..task(&format!("t{n}"), phase, "x")
            })
            .collect()
    };
    // failed tasks stay, however many
    round(
        &mut s,
        "all",
        tasks(&of(0, 100, Phase::Failed)),
        LIVE,
        at(1),
    );
    assert_eq!(s.task_count(), 100);
    // what ended well goes again, when there is enough of it
    s.apply(S, "all", 1, tasks(&of(100, 101, Phase::Succeeded)), at(2));
    assert_eq!(s.task_count(), 101);
    s.apply(S, "all", 2, tasks(&of(101, 110, Phase::Succeeded)), at(3));
    assert_eq!(s.task_count(), 100);
}

#[test]
fn tasks_dropped_a_few_at_a_time_leave_lists_and_statistics_as_they_are_found_anew() {
    const CAP: usize = 2_048;
    let mut s = store().with_task_cap(CAP);
    let mut rng = fastrand::Rng::with_seed(9);
    let (mut view, mut failed) = (View::new(Noun::Tasks), View::new(Noun::Failed));
    let mut most_dropped = 0;
    for n in 0..300 {
        let now = at(10_000 + 60 * n);
        let page: Vec<Task> = (0..32)
            .map(|k| {
                let (device, policy) = (rng.u8(0..40), rng.u8(0..4));
                let phase = match rng.u8(0..12) {
                    0 => Phase::Failed,
                    1 => Phase::Cancelled,
                    _ => Phase::Succeeded,
                };
                let began = at(10_000 + 60 * n - rng.i64(0..600));
                Task {
                    device: Some(Ref::new(format!("d{device}"), format!("ecs-{device}"))),
                    policy: Some(Ref::new(format!("p{policy}"), format!("plan-{policy}"))),
                    started_at: Some(began),
                    ended_at: Some(began.plus(30_000)),
                    ..task(&format!("t-{n}-{k}"), phase, "x")
                }
            })
            .collect();
        let before = s.task_count();
        s.apply(S, "recent", 0, tasks(&page), now);
        most_dropped = most_dropped.max((before + 32).saturating_sub(s.task_count()));
        for view in [&mut view, &mut failed] {
            view.refresh(&s, now);
            let mut anew = View::new(view.noun());
            anew.refresh(&s, now);
            assert_eq!(view.rows, anew.rows, "{:?} after page {n}", view.noun());
        }
        let told: Vec<Stats> = s.devices.rows.iter().map(|d| d.stats).collect();
        let by_policy: Vec<Stats> = s.policies.rows.iter().map(|p| p.stats).collect();
        for row in 0..s.devices.rows.len() as u32 {
            s.devices.touch(row);
        }
        for row in 0..s.policies.rows.len() as u32 {
            s.policies.touch(row);
        }
        s.settle_stats(false);
        let anew: Vec<Stats> = s.devices.rows.iter().map(|d| d.stats).collect();
        assert_eq!(told, anew, "after page {n}");
        let anew: Vec<Stats> = s.policies.rows.iter().map(|p| p.stats).collect();
        assert_eq!(by_policy, anew, "after page {n}");
    }
    assert!((CAP..CAP + 64).contains(&s.task_count()));
    assert!((1..CAP / 16).contains(&most_dropped), "{most_dropped}");
}
