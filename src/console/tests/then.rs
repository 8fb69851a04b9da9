//! The past: what happened to a row, and the board of an earlier time over the live one.

use super::*;
use crate::console::{Effect, Message, update};
use crate::model::{Phase, Ref, Timestamp, Transition};
use crate::query::Query;
use crate::store::TargetRule;
use crate::store::history::{
    Board, BoardService, BoardTask, Entry, EventId, Happened, HistoryError, How, KeptAction,
    ServiceKey, Subject, WriterId,
};

/// Four hours before.
const THEN: Timestamp = NOW.plus(-4 * 3_600_000);

fn board() -> Board {
    let mut then = task(
        "c-old",
        "ecs-then",
        "nightly",
        "error",
        Phase::Failed,
        15_000,
    );
    then.device = Some(Ref::new("d-then", "ecs-then"));
    Board {
        at: Some(THEN),
        services: vec![BoardService {
            service: ServiceKey::new("otc-eu", "csbs"),
            answered_at: Some(THEN.plus(-2_000)),
        }],
        tasks: vec![BoardTask {
            service: 0,
            task: then,
            cleared: false,
            lost: false,
            feeds: Vec::new(),
            how: How::Seen,
        }],
        ..Board::default()
    }
}

fn entry(number: u64, happened: Happened) -> Entry {
    Entry {
        id: EventId {
            writer: WriterId(uuid::Uuid::nil()),
            number,
        },
        at: NOW.plus(-60_000),
        service: "otc-eu".to_owned(),
        happened,
    }
}

fn show_then(state: &mut State) {
    let message = Message::Then {
        at: THEN,
        result: Ok((Box::new(board()), Vec::new())),
    };
    update(state, message);
}

fn at_120() -> State {
    let mut state = state();
    resize(&mut state, 120, 40);
    state
}

#[test]
fn the_past_is_judged_by_the_same_targets() {
    let mut state = at_120();
    let rule = TargetRule {
        query: Query::parse("service:otc-eu").expect("a filter"),
        within_ms: 48 * 3_600_000,
    };
    state.store.set_overdue_after(7_000);
    state.store.set_targets(vec![rule.clone()]);
    show_then(&mut state);
    let past = state.past.as_deref().expect("the past");
    assert_eq!(past.store.targets(), [rule]);
    assert_eq!(past.store.overdue_after_ms(), 7_000);
}

#[test]
fn a_time_leads_back_and_is_marked_and_esc_leads_to_now_again() {
    let mut state = at_120();
    press(&mut state, "@");
    let effects = type_in(&mut state, "4h");
    assert!(effects.is_empty(), "{effects:?}");
    assert!(text(&state).contains("or how long ago"), "{}", text(&state));
    let effects = press(&mut state, "enter");
    assert!(
        matches!(effects[..], [Effect::GoBack(at)] if at == THEN),
        "{effects:?}"
    );
    let live = state.store.task_count();
    show_then(&mut state);
    let screen = text(&state);
    for part in ["THE PAST", "4h", "ecs-then", "1 failed"] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    // the present goes on underneath, unseen
    let new = failed("c-new", "ecs-new", "nightly", ("EVS.2024", "error"), 1);
    give_tasks(&mut state, 0, vec![new]);
    assert!(state.store.task_count() > live);
    assert!(!text(&state).contains("ecs-new"));
    press(&mut state, "esc");
    let screen = text(&state);
    assert!(
        !screen.contains("THE PAST") && screen.contains("ecs-new"),
        "{screen}"
    );
    assert!(screen.contains("This is now again"), "{screen}");
}

#[test]
fn single_keys_step_through_time_and_lead_back_to_now() {
    let mut state = at_120();
    let why = |state: &mut State, key| {
        assert!(press(state, key).is_empty());
        assert!(text(state).contains("this is now"), "{}", text(state));
    };
    why(&mut state, ".");
    why(&mut state, ")");
    let minutes = |n: i64| n * 60_000;
    let effects = press(&mut state, "(");
    assert!(
        matches!(effects[..], [Effect::GoBack(at)] if at == NOW.plus(minutes(-5))),
        "{effects:?}"
    );
    show_then(&mut state);
    let shown = text(&state);
    for said in [
        ", step back",
        ". step on",
        "( 5 min back",
        "esc now",
        "dr-eu sdrs",
        "no record then",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    for wrong in ["connecting", "ot answered yet", "stale"] {
        assert!(!shown.contains(wrong), "{wrong} in\n{shown}");
    }
    for (key, wanted) in [(",", false), (".", true)] {
        let effects = press(&mut state, key);
        assert!(
            matches!(effects[..], [Effect::Step { from: THEN, on }] if on == wanted),
            "{effects:?}"
        );
    }
    let effects = press(&mut state, ")");
    assert!(
        matches!(effects[..], [Effect::GoBack(at)] if at == THEN.plus(minutes(5))),
        "{effects:?}"
    );
    let late = Message::Then {
        at: NOW.plus(minutes(-2)),
        result: Ok((Box::new(board()), Vec::new())),
    };
    update(&mut state, late);
    assert!(press(&mut state, ")").is_empty());
    assert!(state.past.is_none());
    assert!(
        text(&state).contains("This is now again"),
        "{}",
        text(&state)
    );
}

#[test]
fn nothing_is_sent_from_the_past_and_the_reason_is_said() {
    let mut state = at_120();
    show_then(&mut state);
    for key in ["4", "r", "R", "ctrl-r", "a", "t"] {
        let effects = press(&mut state, key);
        assert!(effects.is_empty(), "{key}: {effects:?}");
        if key != "4" {
            let screen = text(&state);
            assert!(screen.contains("nothing is sent"), "{key}:\n{screen}");
        }
    }
    // opening a row asks no service for it
    press(&mut state, "enter");
    assert!(press(&mut state, "b").is_empty());
    // q leaves the past, not the program
    press(&mut state, "esc");
    assert!(press(&mut state, "q").is_empty());
    assert!(state.past.is_none());
}

#[test]
fn an_unknown_time_and_a_history_that_fails_leave_the_board_as_it_is() {
    let mut state = at_120();
    for (result, said) in [
        (
            Ok((Box::new(Board::default()), Vec::new())),
            "knows nothing",
        ),
        (
            Err(HistoryError::new("the history can't be read", "")),
            "can't be read",
        ),
    ] {
        update(&mut state, Message::Then { at: THEN, result });
        assert!(state.past.is_none());
        let screen = text(&state);
        assert!(screen.contains(said), "{screen}");
    }
    press(&mut state, ":");
    type_in(&mut state, "at 2999-01-01T00:00Z");
    assert!(press(&mut state, "enter").is_empty());
    assert!(text(&state).contains("that lies ahead"));
}

#[test]
fn everything_that_happened_to_a_row_stands_in_its_past() {
    let mut state = at_120();
    press(&mut state, "4");
    let id = cursor(&state);
    let opened = press(&mut state, "enter");
    assert!(!opened.iter().any(|e| matches!(e, Effect::Timeline { .. })));
    let effects = press(&mut state, "p");
    let Some(Effect::Timeline {
        subject,
        until: None,
    }) = effects.first()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(*subject.id, *id);
    assert!(text(&state).contains("Asking history"));
    let moved = Happened::Moved {
        task: id.clone(),
        operation: "backup".to_owned(),
        device: "x".to_owned(),
        policy: String::new(),
        transition: Transition {
            from: Some("protecting".to_owned()),
            to: "error".to_owned(),
            from_phase: Some(Phase::Running),
            to_phase: Phase::Failed,
            seen_at: NOW,
            reported_at: None,
        },
        code: "EVS.2024".to_owned(),
    };
    let acted = Happened::Acted {
        action: uuid::Uuid::nil(),
        what: Box::new(KeptAction {
            action: "retry".to_owned(),
            ..KeptAction::default()
        }),
        operator: "eve".to_owned(),
        stage: "accepted".to_owned(),
        detail: String::new(),
    };
    let result = Ok(vec![entry(1, moved), entry(2, acted)]);
    let other = Subject::new("otc-eu", subject.sort, "another");
    let told = |subject: &Subject, result| Message::Timeline {
        subject: subject.clone(),
        result,
    };
    update(&mut state, told(&other, Ok(Vec::new())));
    assert!(
        text(&state).contains("Asking history"),
        "that was another row's"
    );
    update(&mut state, told(subject, result));
    let screen = text(&state);
    let place = |part: &str| {
        screen
            .find(part)
            .unwrap_or_else(|| panic!("{part}:\n{screen}"))
    };
    let newest = place("by eve: accepted");
    assert!(newest < place("protecting → error (failed) EVS.2024"));
}
