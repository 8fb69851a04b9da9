//! The cursor belongs to its row; marks stay.

use super::*;
use crate::console::layout::Layout;
use crate::model::Phase;

fn line_of_cursor(state: &State) -> usize {
    let pane = state.pane().unwrap();
    pane.index().unwrap() - pane.top()
}

#[test]
fn rows_come_and_go_around_the_cursor_without_moving_it() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "j j");
    let (id, line) = (cursor(&state), line_of_cursor(&state));
    assert_eq!((id.as_str(), line), ("d-3", 2));
    // three newer failures enter above, where the newest stand
    for n in 0..3 {
        give_tasks(
            &mut state,
            0,
            vec![failed(
                &format!("new-{n}"),
                "ecs-50",
                "nightly",
                ("CSBS.1001", ""),
                1,
            )],
        );
        assert_eq!((cursor(&state), line_of_cursor(&state)), (id.clone(), line));
    }
    assert_eq!(ids(&state, PaneId::Failed)[3], "c-1");
    assert!(super::line(&state, "↑ 3").contains('╰'), "{}", text(&state));
    // one above leaves
    give_tasks(
        &mut state,
        0,
        vec![task(
            "new-1",
            "ecs-50",
            "nightly",
            "available",
            Phase::Succeeded,
            0,
        )],
    );
    assert_eq!((cursor(&state), line_of_cursor(&state)), (id.clone(), line));
    assert!(text(&state).contains("↑ 2"));
    press(&mut state, "g");
    assert_eq!(cursor(&state), "new-0");
    assert!(!text(&state).contains("↑ 2"));
}

#[test]
fn a_pane_that_nobody_has_touched_shows_its_top() {
    let mut state = state();
    resize(&mut state, 120, 40);
    give_tasks(
        &mut state,
        0,
        vec![failed("new", "ecs-50", "nightly", ("CSBS.1001", ""), 1)],
    );
    assert_eq!(cursor(&state), "new");
}

#[test]
fn a_row_that_leaves_the_list_stays_under_the_cursor_until_the_cursor_leaves_it() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "3 j");
    let id = cursor(&state);
    assert_eq!(id, "d-1");
    let before = ids(&state, PaneId::Running).len();
    give_tasks(
        &mut state,
        2,
        vec![task(
            "d-1",
            "gw-prod-07",
            "nightly-export",
            "EXECUTION_COMPLETED",
            Phase::Succeeded,
            0,
        )],
    );
    assert_eq!(cursor(&state), id);
    assert_eq!(line_of_cursor(&state), 1);
    let pane = state.panes.get(PaneId::Running).unwrap();
    assert_eq!((pane.count(), pane.len()), (before - 1, before));
    assert!(pane.is_ghost(pane.cursor().unwrap()));
    press(&mut state, "j");
    let pane = state.panes.get(PaneId::Running).unwrap();
    assert_eq!(pane.len(), before - 1);
    assert_eq!(cursor(&state), "d-2");
    assert_eq!(pane.index(), Some(1));
}

#[test]
fn moving_reaches_every_row_and_stays_in_sight() {
    for size in [(80, 24), (120, 40), (200, 60), (36, 9)] {
        let mut state = state();
        resize(&mut state, size.0, size.1);
        press(&mut state, "1");
        let height = Layout::of(&state).rows(PaneId::Devices);
        let count = state.pane().unwrap().len();
        assert!(count > 40);
        for (keys, at) in [
            ("G", count - 1),
            ("g", 0),
            ("j", 1),
            ("k k", 0),
            ("end home", 0),
            ("pgdn", height.max(2) - 1),
            ("pgup", 0),
        ] {
            press(&mut state, keys);
            let pane = state.pane().unwrap();
            assert_eq!(pane.index(), Some(at), "{keys} at {size:?}");
            assert!(
                pane.top() <= at && at < pane.top() + height,
                "{keys} at {size:?}"
            );
        }
        press(&mut state, ": 1 7 enter");
        assert_eq!(state.pane().unwrap().index(), Some(16), "{size:?}");
        press(&mut state, "# 3 enter");
        assert_eq!(state.pane().unwrap().index(), Some(2), "{size:?}");
        press(&mut state, "# 9 9 9 enter");
        assert!(
            !state.layers.is_empty(),
            "a row that isn't there is not gone to"
        );
    }
}

#[test]
fn marks_survive_refresh_filter_and_order() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "space space");
    let marked =
        |state: &State| -> Vec<u32> { state.pane().unwrap().marks().iter().copied().collect() };
    let before = marked(&state);
    assert_eq!(before.len(), 2);
    give_tasks(
        &mut state,
        0,
        vec![failed("new", "ecs-50", "nightly", ("CSBS.1001", ""), 1)],
    );
    press(&mut state, "/");
    type_in(&mut state, "gw-prod");
    press(&mut state, "enter");
    assert_eq!(marked(&state), before);
    assert!(
        text(&state).contains("2 marked, 2 not in this list"),
        "{}",
        text(&state)
    );
    press(&mut state, "\\ s down enter");
    assert_eq!(marked(&state), before);
    press(&mut state, "U");
    assert_eq!(marked(&state), Vec::<u32>::new());
}

#[test]
fn marks_by_range_all_inverted_and_by_code() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let n = |state: &State| state.pane().unwrap().marks().len();
    press(&mut state, "v j j v j");
    assert_eq!(n(&state), 3);
    press(&mut state, "~");
    assert_eq!(n(&state), state.pane().unwrap().count() - 3);
    press(&mut state, "*");
    assert_eq!(n(&state), state.pane().unwrap().count());
    press(&mut state, "U g M");
    assert_eq!(n(&state), 3, "three of CSBS.6027");
    press(&mut state, "v esc j j");
    assert_eq!(n(&state), 3, "a range that was ended marks no more");
}

#[test]
fn order_is_kept_and_can_be_turned_around() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let own = ids(&state, PaneId::Failed);
    press(&mut state, "s");
    type_in(&mut state, "device");
    press(&mut state, "enter");
    let by_device = ids(&state, PaneId::Failed);
    assert_ne!(by_device, own);
    assert!(
        line(&state, "DEVICE▴").contains("ENDED"),
        "{}",
        text(&state)
    );
    give_tasks(
        &mut state,
        0,
        vec![failed("new", "aaa", "nightly", ("CSBS.1001", ""), 1)],
    );
    assert_eq!(ids(&state, PaneId::Failed)[0], "new");
    press(&mut state, "S");
    assert_eq!(
        ids(&state, PaneId::Failed).last().map(String::as_str),
        Some("new")
    );
    press(&mut state, "s g enter");
    press(&mut state, "esc s enter");
    let saved = state.to_save();
    let failed = saved.panes.iter().find(|p| p.pane == "failed").unwrap();
    assert_eq!(failed.sort, "");
    assert_eq!(ids(&state, PaneId::Failed)[0], "new");
}
