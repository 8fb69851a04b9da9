//! The filter as it is typed.

use super::*;
use crate::console::Key;

#[test]
fn the_list_follows_every_letter() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    let mut seen = Vec::new();
    for c in "ecs-42".chars() {
        press(&mut state, &Key::char(c).to_string());
        seen.push(state.pane().unwrap().count());
    }
    assert_eq!(*seen.last().unwrap(), 3);
    assert!(seen.is_sorted_by(|a, b| a >= b), "{seen:?}");
    assert!(line(&state, "/ecs-42").contains('3'), "{}", text(&state));
    press(&mut state, "enter");
    assert_eq!(state.pane().unwrap().filter(), "ecs-42");
    assert!(
        line(&state, "4 Failed 3").contains("/ecs-42"),
        "{}",
        text(&state)
    );
}

#[test]
fn fields_and_not_find_what_they_say() {
    for (filter, count) in [
        ("code:CSBS", 5),
        ("!code:CSBS", 2),
        ("code=CSBS.6027", 3),
        ("phase:uncertain", 1),
        ("service=gateways", 1),
        ("device:ecs-1", 3),
        ("ended<2h !ecs-12", 4),
    ] {
        let mut state = state();
        resize(&mut state, 120, 40);
        press(&mut state, "/");
        type_in(&mut state, filter);
        press(&mut state, "enter");
        assert_eq!(state.pane().unwrap().count(), count, "{filter}");
    }
}

#[test]
fn a_mistake_is_shown_at_its_place_and_the_last_good_result_stays() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "ecs-42 (");
    assert_eq!(state.pane().unwrap().count(), 3, "{}", text(&state));
    assert!(text(&state).contains("expected"), "{}", text(&state));
    press(&mut state, "enter");
    assert_eq!(
        state.layers.len(),
        1,
        "a filter that can't be read is not taken"
    );
    press(&mut state, "esc");
    assert_eq!(state.pane().unwrap().filter(), "");
    assert_eq!(state.pane().unwrap().count(), 7);
}

#[test]
fn a_code_that_nothing_has_may_be_a_status() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4 /");
    type_in(&mut state, "code:uncompl");
    let shown = text(&state);
    assert!(shown.contains("Nothing here fits code:uncompl."), "{shown}");
    assert!(shown.contains("status:uncompl."), "{shown}");
    press(&mut state, "esc /");
    type_in(&mut state, "nowhere");
    assert!(!text(&state).contains("stands there"));
}

#[test]
fn earlier_filters_come_back() {
    let mut state = state();
    for filter in ["ecs-42", "EVS"] {
        press(&mut state, "/ ctrl-u");
        type_in(&mut state, filter);
        press(&mut state, "enter");
    }
    press(&mut state, "esc / up");
    assert_eq!(state.pane().unwrap().filter(), "EVS");
    press(&mut state, "up");
    assert_eq!(state.pane().unwrap().filter(), "ecs-42");
    press(&mut state, "down down enter");
    assert_eq!(state.pane().unwrap().filter(), "");
    assert_eq!(state.to_save().filters, ["ecs-42", "EVS"]);
}

#[test]
fn fields_and_values_are_completed() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "serv");
    press(&mut state, "tab");
    assert!(text(&state).contains("/service:"), "{}", text(&state));
    type_in(&mut state, "gat");
    press(&mut state, "tab enter");
    assert_eq!(state.pane().unwrap().count(), 1, "{}", text(&state));
}

#[test]
fn a_code_is_one_key_away() {
    let mut state = state();
    press(&mut state, "=");
    assert_eq!(state.pane().unwrap().filter(), "code=CSBS.6027");
    assert_eq!(state.pane().unwrap().count(), 3);
    press(&mut state, "=");
    assert_eq!(state.pane().unwrap().filter(), "");
}

#[test]
fn each_pane_keeps_its_own_filter_and_they_are_kept_for_the_next_start() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "EVS");
    press(&mut state, "enter 1 /");
    type_in(&mut state, "gw-");
    press(&mut state, "enter 4");
    assert_eq!(state.pane().unwrap().count(), 1);
    press(&mut state, "1");
    assert_eq!(state.pane().unwrap().count(), 9);
    let saved = state.to_save();
    assert_eq!(saved.focus, "devices");
    let filters: Vec<&str> = saved.panes.iter().map(|p| p.filter.as_str()).collect();
    assert_eq!(filters, ["gw-", "", "", "EVS", ""]);
}

#[test]
fn pasted_text_is_text() {
    let mut state = state();
    press(&mut state, "/");
    crate::console::update(&mut state, crate::console::Message::Paste("EVS\nq".into()));
    assert_eq!(state.pane().unwrap().filter(), "EVS q");
    press(&mut state, "esc");
    crate::console::update(&mut state, crate::console::Message::Paste("q".into()));
    assert!(
        text(&state).contains("no place"),
        "a paste is never taken for keys"
    );
}
