//! What stands on screens of each size.

use super::*;
use crate::console::glyphs::ASCII;
use crate::console::theme::{BUILT_IN, Theme};
use crate::model::{CodeRef, Phase, Task};

#[test]
fn the_counts_stand_on_every_screen() {
    for size in [(80, 24), (120, 40), (200, 60), (60, 15), (40, 10)] {
        for keys in ["1", "5", "6", "enter", "?", "i", "A", "a", "s", ":", "z"] {
            let mut state = state();
            resize(&mut state, size.0, size.1);
            press(&mut state, keys);
            let first = screen(&state)[0].clone();
            assert!(first.contains("✖ 7 failed"), "{keys} at {size:?}: {first}");
            if size.0 >= 80 {
                assert!(
                    first.contains("▶ 5 running") && first.contains("! 14"),
                    "{keys} at {size:?}: {first}"
                );
                assert!(
                    first.contains("02:31 +01:00"),
                    "{keys} at {size:?}: {first}"
                );
            }
        }
    }
}

#[test]
fn the_small_screen_has_one_pane_with_tabs_and_the_card_below() {
    let mut state = state();
    resize(&mut state, 80, 24);
    let shown = screen(&state);
    let tabs = line(&state, "1 Devices 55");
    for tab in ["2 Policies 4", "3 Running 5", "4 Failed 7"] {
        assert!(tabs.contains(tab), "{tabs}");
    }
    assert!(
        shown
            .iter()
            .any(|l| l.contains("CSBS.6027") && l.contains("after a fix"))
    );
    assert!(
        shown
            .iter()
            .any(|l| l.starts_with('╭') && l.contains("ecs-42 · weekly-full · backup"))
    );
    assert!(
        text(&state).contains("1  Note the zone"),
        "{}",
        text(&state)
    );
    press(&mut state, "3");
    let shown = text(&state);
    assert!(
        shown.contains("export persisted") && shown.contains("62%") && shown.contains("3m 10s"),
        "{shown}"
    );
}

#[test]
fn the_board_has_four_panes_the_card_and_the_services() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let shown = text(&state);
    for said in [
        "1 Devices 55",
        "2 Policies 4",
        "3 Running 5",
        "4 Failed 7",
        "otc-eu csbs ● now",
        "gateways dpod ◔ limited 20s",
        "demo services",
        "3 failures in a row · last good 3d 01h ago",
        "service says: The AZ",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    assert!(
        line(&state, "ecs-42").contains("3d 01h"),
        "last good: {shown}"
    );
}

#[test]
fn the_large_board_has_the_feed_as_a_pane() {
    let mut state = state();
    resize(&mut state, 200, 60);
    give_tasks(
        &mut state,
        0,
        vec![task(
            "c-8",
            "ecs-8",
            "nightly",
            "protecting",
            Phase::Running,
            0,
        )],
    );
    let shown = text(&state);
    assert!(shown.contains("6 Feed"), "{shown}");
    assert!(
        line(&state, "waiting_protect → ▶ protecting").contains("02:31:07"),
        "{shown}"
    );
    for head in ["SERVICE", "MEANING", "DOES", "LAST TRY"] {
        assert!(shown.contains(head), "{head} in\n{shown}");
    }
}

#[test]
fn codes_are_never_cut_where_the_card_is_open() {
    let long = "EXECUTION_QUIESCE_TIMEOUT_OCCURRED_WHILE_WAITING_FOR_THE_GATEWAY";
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = state();
        resize(&mut state, size.0, size.1);
        give_tasks(
            &mut state,
            2,
            vec![failed(
                "long",
                "gw-prod-01",
                "nightly-export",
                (long, ""),
                1,
            )],
        );
        let at = screen(&state)
            .iter()
            .position(|l| l.contains("gw-prod-01 · nightly-export"))
            .unwrap();
        assert!(
            screen(&state)[at + 1].contains(long),
            "{size:?}\n{}",
            text(&state)
        );
    }
}

#[test]
fn twins_that_can_not_be_told_apart_are_both_shown() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "CSBS.5001");
    press(&mut state, "enter enter");
    let shown = text(&state);
    assert!(
        shown.contains("Reading 1") && shown.contains("Reading 2"),
        "{shown}"
    );
}

#[test]
fn what_nobody_explains_is_said_to_be_so() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "CSBS.7777");
    press(&mut state, "enter enter");
    let shown = text(&state);
    assert!(
        shown.contains("not in the catalog") && shown.contains("nobody has ever seen"),
        "{shown}"
    );
    let silent = Task {
        failure: Some(CodeRef::default()),
        ..task("mute", "ecs-50", "nightly", "stop/fail", Phase::Failed, 1)
    };
    give_tasks(&mut state, 3, vec![silent]);
    press(&mut state, "esc \\ g enter");
    let shown = text(&state);
    assert!(shown.contains("gives no reason"), "{shown}");
}

#[test]
fn progress_elapsed_and_the_estimate_stand_on_the_card_of_a_running_task() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "3 j");
    let shown = text(&state);
    assert!(
        shown.contains("left ~2m") && shown.contains("for 3m 10s"),
        "{shown}"
    );
    press(&mut state, "j");
    assert!(
        text(&state).contains("progress unknown") && text(&state).contains("left unknown"),
        "{}",
        text(&state)
    );
}

#[test]
fn ascii_screens_are_ascii() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for keys in ["4", "1", "6", "?", "i", ":", "/", "o", "enter"] {
            let mut state = state();
            state.look.glyphs = &ASCII;
            resize(&mut state, size.0, size.1);
            press(&mut state, keys);
            let shown = text(&state);
            let odd: Vec<char> = shown.chars().filter(|c| !c.is_ascii()).collect();
            // the catalog's own sentences may hold more
            assert!(
                odd.iter().all(|c| "…’–—".contains(*c)),
                "{keys} {size:?}: {odd:?}\n{shown}"
            );
        }
    }
}

#[test]
fn every_theme_says_the_same_words() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let plain = text(&state);
    for (name, _) in BUILT_IN {
        state.look.theme = Theme::named(name).unwrap();
        assert_eq!(text(&state), plain, "{name}");
    }
}

#[test]
fn wide_and_long_names_break_nothing() {
    let mut state = state();
    let name = "データベース-バックアップ-本番-07-😀".repeat(4);
    give_tasks(
        &mut state,
        0,
        vec![failed("wide", &name, &name, ("CSBS.1001", &name), 1)],
    );
    for size in [(36, 9), (80, 24), (120, 40), (200, 60)] {
        resize(&mut state, size.0, size.1);
        for (y, line) in screen(&state).iter().enumerate() {
            assert_eq!(
                crate::console::text::width(line),
                usize::from(size.0),
                "line {y} at {size:?}: {line}"
            );
        }
    }
}

#[test]
fn a_screen_too_small_says_so() {
    let mut state = state();
    for size in [(20, 6), (1, 1), (35, 30), (200, 8)] {
        resize(&mut state, size.0, size.1);
        let shown = screen(&state).concat();
        if size.0 >= 20 {
            assert!(shown.contains("too small"), "{size:?}: {shown}");
        }
    }
}

#[test]
fn the_notice_about_demo_services_can_be_put_away_but_the_page_still_says_it() {
    let mut state = state();
    resize(&mut state, 120, 40);
    assert!(text(&state).contains("~/.config/keepwatch/config.toml"));
    press(&mut state, "N");
    assert!(!text(&state).contains("demo services"));
    assert!(state.to_save().notice_put_away);
    press(&mut state, "i");
    assert!(text(&state).contains("embedded demo"));
}
