//! What services tell, and when a frame is worth drawing.

use super::*;
use crate::console::{Effect, Message, update};
use crate::model::{Asked, Fault, FaultKind, Health, Phase, ServiceId, Task};

#[test]
fn an_unchanged_poll_is_not_worth_a_frame() {
    let mut state = state();
    resize(&mut state, 120, 40);
    state.dirty = false;
    let again = failed(
        "c-5",
        "ecs-19",
        "nightly",
        ("EVS.2024", "created disk is in error"),
        540,
    );
    give_tasks(&mut state, 0, vec![again.clone()]);
    give_tasks(&mut state, 0, vec![again]);
    state.dirty = false;
    let again = failed(
        "c-5",
        "ecs-19",
        "nightly",
        ("EVS.2024", "created disk is in error"),
        540,
    );
    give_tasks(&mut state, 0, vec![again]);
    assert!(!state.dirty);
    health(
        &mut state,
        0,
        Health::Fresh {
            since: NOW.plus(-1_000),
        },
    );
    assert!(!state.dirty, "a newer answer changes nothing that is shown");
    health(
        &mut state,
        0,
        Health::Stale {
            since: NOW.plus(-1_000),
        },
    );
    assert!(state.dirty);
}

#[test]
fn time_alone_changes_nothing_until_a_label_is_due() {
    let mut state = state();
    state.dirty = false;
    update(&mut state, Message::Now(NOW.plus(1)));
    assert!(!state.dirty);
    update(&mut state, Message::Tick(NOW.plus(1_000)));
    assert!(state.dirty);
}

#[test]
fn the_next_label_is_due_within_two_seconds_of_what_it_changes() {
    /// Ages are brought up to date together: so late at most, in milliseconds.
    const LATE_MS: i64 = 2_000;
    let mut state = state();
    for size in [(80, 24), (120, 40), (200, 60)] {
        resize(&mut state, size.0, size.1);
        state.now = NOW;
        for _ in 0..30 {
            let before = screen(&state);
            let mut terminal =
                ratatui::Terminal::new(ratatui::backend::TestBackend::new(size.0, size.1)).unwrap();
            let mut due = crate::console::view::Due::default();
            terminal
                .draw(|f| due = crate::console::view(&state, f))
                .unwrap();
            let due = due.first().expect("a clock is always in sight");
            assert!(due > state.now);
            let early = due.plus(-LATE_MS - 1);
            if early > state.now {
                state.now = early;
                assert_eq!(
                    screen(&state),
                    before,
                    "nothing changes long before {due} at {size:?}"
                );
            }
            state.now = due;
            update(&mut state, Message::Tick(due));
        }
    }
}

#[test]
fn a_change_stands_out_for_three_seconds() {
    let mut state = state();
    resize(&mut state, 120, 40);
    give_tasks(
        &mut state,
        0,
        vec![Task {
            step: "protecting".into(),
            ..task("c-8", "ecs-8", "nightly", "protecting", Phase::Running, 30)
        }],
    );
    let flashes = |state: &State| {
        let mut terminal =
            ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
        terminal
            .draw(|f| {
                crate::console::view(state, f);
            })
            .unwrap();
        let buffer = terminal.backend().buffer();
        buffer
            .content()
            .iter()
            .filter(|c| c.modifier.contains(ratatui::style::Modifier::REVERSED))
            .count()
    };
    assert!(flashes(&state) > 5);
    state.now = NOW.plus(3_100);
    assert_eq!(flashes(&state), 0);
}

#[test]
fn a_service_that_is_down_says_so_and_its_rows_stand_back() {
    let mut state = state();
    resize(&mut state, 120, 40);
    assert!(line(&state, "jira").contains("✕ down 3m, next 20s"));
    health(
        &mut state,
        0,
        Health::Down {
            since: NOW,
            last_ok: Some(NOW.plus(-700_000)),
            next_try: None,
            fault: Fault::new(FaultKind::Auth, "wrong password", "", "Set a new one."),
        },
    );
    let shown = text(&state);
    assert!(shown.contains("needs you"), "{shown}");
    assert!(shown.contains("otc-eu 11m old"), "{shown}");
    assert!(shown.contains("CSBS.6027"), "the last data stays: {shown}");
}

#[test]
fn a_list_that_can_not_be_read_marks_its_service() {
    let mut state = silent();
    for (width, mark) in [(200, "! list missing"), (120, "!"), (80, "!")] {
        resize(&mut state, width, 40);
        for id in 0..4 {
            health(&mut state, id, Health::Fresh { since: NOW });
        }
        let well = line(&state, "otc-eu");
        assert!(!well.contains('!'), "{well}");
        let broken = Fault::new(FaultKind::Server, "query failed", "", "Ask again.");
        state
            .store
            .set_partial(ServiceId(1), "failed", vec![broken]);
        let shown = line(&state, "otc-eu");
        assert!(shown.contains(mark), "{width}: {shown}");
        state.store.set_partial(ServiceId(1), "failed", vec![]);
    }
}

#[test]
fn services_that_do_not_fit_are_counted() {
    let mut state = silent();
    resize(&mut state, 80, 24);
    for id in 0..3 {
        let down = Health::Down {
            since: NOW,
            last_ok: None,
            next_try: Some(NOW.plus(15_000)),
            fault: Fault::new(FaultKind::Unreachable, "no answer", "", "Look at it."),
        };
        health(&mut state, id, down);
    }
    health(&mut state, 3, Health::Fresh { since: NOW });
    let shown = line(&state, "otc-eu");
    assert!(
        shown.contains(
            "otc-eu ✕ down now, next 20s  dr-eu ✕ down now, next 20s  +1 more  ● 1 fresh"
        ),
        "{shown}"
    );
    // the one that a person has to mend goes before those that come back by themselves
    let locked = Health::Down {
        since: NOW,
        last_ok: None,
        next_try: None,
        fault: Fault::new(FaultKind::Auth, "wrong password", "", "Set a new one."),
    };
    health(&mut state, 2, locked);
    let shown = line(&state, "needs you");
    assert!(shown.contains("gateways ✕ down now, needs you"), "{shown}");
}

#[test]
fn silence_is_told_from_calm() {
    let mut state = silent();
    resize(&mut state, 120, 40);
    crate::console::update::settle(&mut state);
    let shown = text(&state);
    assert!(
        shown.contains("Asking otc-eu, dr-eu, gateways, jira"),
        "{shown}"
    );
    assert!(shown.contains("no data yet"), "{shown}");
    assert!(shown.contains("no answer yet"), "{shown}");
    assert!(!shown.contains("none failed"), "{shown}");
    for id in 0..4 {
        health(&mut state, id, Health::Fresh { since: NOW });
    }
    let shown = text(&state);
    assert!(
        shown.contains("No failed jobs.") && shown.contains("data now"),
        "{shown}"
    );
    assert!(shown.contains("none failed"), "{shown}");
}

#[test]
fn a_cancel_that_was_asked_shows_until_it_is_carried_out() {
    let mut state = state();
    resize(&mut state, 200, 60);
    assert!(
        line(&state, "ecs-9 ").contains("cancel asked, still runs"),
        "{}",
        text(&state)
    );
    let running = Task {
        asked: Some(Asked::Cancel),
        ..task("c-9", "ecs-9", "nightly", "cancelled", Phase::Cancelled, 0)
    };
    give_tasks(&mut state, 0, vec![running]);
    assert!(!text(&state).contains("cancel asked"), "{}", text(&state));
}

#[test]
fn a_live_task_that_is_missing_is_looked_up() {
    let mut state = state();
    give_tasks(
        &mut state,
        2,
        vec![task(
            "d-9",
            "gw-prod-09",
            "nightly-export",
            "EXECUTION_STARTED",
            Phase::Running,
            9,
        )],
    );
    end_round(&mut state, 2);
    give_tasks(&mut state, 2, Vec::new());
    let effects = update(
        &mut state,
        Message::Watch(crate::watch::WatchEvent::Round {
            service: ServiceId(2),
            feed: "tasks",
            round: Box::new(crate::watch::Round {
                covers: crate::connect::Covers {
                    live: true,
                    ..Default::default()
                },
                looks_up: 1,
                outcome: Ok(crate::connect::PollReport {
                    complete: true,
                    pages: 1,
                    ..Default::default()
                }),
            }),
            at: NOW,
        }),
    );
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::LookUp { task, .. } if task == "d-9")),
        "{effects:?}"
    );
}

#[test]
fn a_toast_goes_by_itself_and_a_lasting_one_with_a_key() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "R");
    assert!(text(&state).contains("Asking every service but"));
    update(&mut state, Message::Tick(NOW.plus(60_000)));
    assert!(!text(&state).contains("Asking every service but"));
}

#[test]
fn who_wants_quiet_is_not_asked_and_that_is_said() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let limited = Health::Limited {
        last_ok: Some(NOW),
        until: NOW.plus(90_000),
    };
    // one of the four wants quiet already
    assert_eq!(press(&mut state, "R").len(), 3);
    health(&mut state, 0, limited);
    assert_eq!(press(&mut state, "R").len(), 2);
    assert!(text(&state).contains("every service but 2 that want quiet"));
    assert_eq!(press(&mut state, "ctrl-r").len(), 0);
    let name = &state.store.service(ServiceId(0)).service.name;
    let said = format!("{name} wants quiet for 1m 30s more");
    assert!(text(&state).contains(&said));
    update(&mut state, Message::Tick(NOW.plus(90_000)));
    assert_eq!(press(&mut state, "R").len(), 4);
    assert!(text(&state).contains("limited, asking"));
}

#[test]
fn polling_now_asks_the_service_of_the_row() {
    let mut state = state();
    let effects = press(&mut state, "ctrl-r");
    assert!(
        matches!(effects.as_slice(), [Effect::PollNow(ServiceId(0))]),
        "{effects:?}"
    );
    assert_eq!(press(&mut state, "R").len(), 3, "all but the limited one");
}
