//! What is wrong by cause, what stands still, and who has no good backup.

use super::*;
use crate::console::{Message, update};
use crate::model::{Phase, Task};
use crate::query::Query;
use crate::store::TargetRule;

const HOUR: i64 = 3_600_000;

/// The chosen line of a list, without its edges.
fn chosen(state: &State) -> String {
    let Some(crate::console::state::Layer::Pick(pick)) = state.layers.last() else {
        panic!("no list in\n{}", text(state));
    };
    let item = pick.item().expect("a chosen line");
    format!("{} {} {}", item.label, item.about, item.aside)
}

#[test]
fn one_cause_is_one_line_with_what_to_do_and_leads_to_its_jobs_marked() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = state();
        resize(&mut state, size.0, size.1);
        press(&mut state, "1 F");
        type_in(&mut state, "6027");
        let line = chosen(&state);
        assert!(line.contains("3 × CSBS.6027"), "{line}");
        assert!(
            line.contains("1 device") && line.contains("otc-eu"),
            "{line}"
        );
        assert!(line.contains("first 2d 00h ago, last 2m 00s ago"), "{line}");
        let shown = text(&state);
        assert!(shown.contains("1  Note the zone"), "{size:?}\n{shown}");
        press(&mut state, "enter");
        assert_eq!(state.focus, PaneId::Failed);
        assert_eq!(ids(&state, PaneId::Failed), ["c-1", "c-2", "c-3"]);
        assert_eq!(state.pane().expect("a pane").marks().len(), 3);
        press(&mut state, "U [");
        assert_eq!(state.focus, PaneId::Devices, "back leads to where it began");
    }
}

#[test]
fn failed_jobs_are_grouped_by_what_is_asked_for() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "F tab");
    assert!(
        text(&state).contains("failed jobs by device"),
        "{}",
        text(&state)
    );
    type_in(&mut state, "ecs-42");
    assert!(chosen(&state).contains("3 × ecs-42"), "{}", chosen(&state));
    press(&mut state, "esc F tab tab");
    type_in(&mut state, "nightly");
    assert!(chosen(&state).contains("3 × nightly"), "{}", chosen(&state));
    press(&mut state, "esc F tab tab tab");
    type_in(&mut state, "otc");
    assert!(chosen(&state).contains("6 × otc-eu"), "{}", chosen(&state));
    press(&mut state, "enter");
    assert_eq!(state.pane().expect("a pane").count(), 6);
}

#[test]
fn a_task_in_which_nothing_happens_is_said_to_be_stuck() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "3");
    assert!(!text(&state).contains("stuck"), "{}", text(&state));
    let later = NOW.plus(7 * HOUR);
    update(&mut state, Message::Tick(later));
    assert!(
        line(&state, "ecs-7").contains("stuck for 7h 00m"),
        "{}",
        text(&state)
    );
    press(&mut state, "F");
    type_in(&mut state, "stuck");
    assert!(chosen(&state).contains("! 5 stuck"), "{}", chosen(&state));
    press(&mut state, "enter");
    assert_eq!(state.focus, PaneId::Running);
    assert_eq!(state.pane().expect("a pane").count(), 5);
    // a sign of life
    let moved = Task {
        step: "unquiesce".into(),
        ..task(
            "c-7",
            "ecs-7",
            "weekly-full",
            "protecting",
            Phase::Running,
            -7 * 3_600,
        )
    };
    give_tasks(&mut state, 0, vec![moved]);
    assert_eq!(state.pane().expect("a pane").count(), 4, "{}", text(&state));
}

#[test]
fn a_backup_that_takes_twice_as_long_as_usual_is_marked_while_it_runs() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let ago = |n: i64| 86_400 * n;
    let past = (1..=4)
        .map(|n| Task {
            started_at: Some(NOW.plus(-(ago(n) + 600) * 1000)),
            ..task(
                &format!("p-{n}"),
                "ecs-7",
                "weekly-full",
                "available",
                Phase::Succeeded,
                ago(n),
            )
        })
        .collect();
    give_tasks(&mut state, 0, past);
    press(&mut state, "3");
    let slow = |state: &State| line(state, "ecs-7 ").contains("slow, usual 10m 00s");
    update(&mut state, Message::Tick(NOW.plus(19 * 60_000)));
    give_tasks(
        &mut state,
        0,
        vec![Task {
            started_at: Some(NOW.plus(-44_000)),
            progress: Some(60),
            ..task(
                "c-7",
                "ecs-7",
                "weekly-full",
                "protecting",
                Phase::Running,
                -18 * 60,
            )
        }],
    );
    assert!(!slow(&state), "{}", text(&state));
    update(&mut state, Message::Tick(NOW.plus(20 * 60_000)));
    assert!(slow(&state), "{}", text(&state));
}

#[test]
fn who_has_no_good_backup_stands_first_and_the_rules_decide() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "P");
    let first = chosen(&state);
    assert!(
        first.starts_with("!") && first.contains("never within"),
        "{first}"
    );
    type_in(&mut state, "ecs-19");
    assert!(chosen(&state).contains("over 1d 02h"), "{}", chosen(&state));
    let shown = text(&state);
    assert!(
        shown.contains("14 nights") && shown.contains("50 % good"),
        "{shown}"
    );
    press(&mut state, "enter");
    assert_eq!(
        (state.focus, cursor(&state)),
        (PaneId::Devices, "id-ecs-19".to_owned())
    );
    let rule = TargetRule {
        query: Query::parse("device=ecs-19").expect("a filter"),
        within_ms: 48 * HOUR,
    };
    state.store.set_targets(vec![rule]);
    press(&mut state, "P");
    type_in(&mut state, "ecs-19");
    assert!(chosen(&state).contains("of 2d 00h"), "{}", chosen(&state));
    assert!(
        text(&state).contains("the rule device=ecs-19"),
        "{}",
        text(&state)
    );
}

#[test]
fn good_and_bad_by_turns_is_called_flapping() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let turns = (1..=4)
        .map(|n| {
            let (status, phase) = if n % 2 == 0 {
                ("available", Phase::Succeeded)
            } else {
                ("error", Phase::Failed)
            };
            task(
                &format!("f-{n}"),
                "ecs-8",
                "nightly",
                status,
                phase,
                86_400 * n,
            )
        })
        .collect();
    give_tasks(&mut state, 0, turns);
    press(&mut state, "4");
    assert!(
        line(&state, "1d 00h  ecs-8").contains("≈ "),
        "{}",
        text(&state)
    );
    press(&mut state, "j j j j j");
    assert!(text(&state).contains("≈ flapping"), "{}", text(&state));
    press(&mut state, "F");
    type_in(&mut state, "flapping");
    assert!(chosen(&state).contains("1 flapping"), "{}", chosen(&state));
    press(&mut state, "enter");
    assert_eq!(ids(&state, PaneId::Devices), ["id-ecs-8"]);
    assert!(
        text(&state).contains("good and bad by turns"),
        "{}",
        text(&state)
    );
}
