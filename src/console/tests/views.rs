//! Filters under names.

use super::*;
use crate::console::Effect;

#[test]
fn a_filter_is_saved_under_a_name_and_comes_back_as_a_tab_and_in_the_palette() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4 /");
    type_in(&mut state, "code:CSBS.6027");
    press(&mut state, "enter W");
    type_in(&mut state, "zone");
    let effects = press(&mut state, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::SaveUi(ui)] if ui.views.len() == 1),
        "{effects:?}"
    );
    let narrowed = state.pane().unwrap().len();
    assert!(line(&state, "4 Failed").contains("all"), "{}", text(&state));
    assert!(
        line(&state, "4 Failed").contains("zone"),
        "{}",
        text(&state)
    );
    press(&mut state, ">");
    assert!(state.pane().unwrap().len() > narrowed);
    press(&mut state, "<");
    assert_eq!(state.pane().unwrap().filter(), "code:CSBS.6027");
    // another filter shows itself, not the tabs
    press(&mut state, "/");
    type_in(&mut state, " ecs");
    press(&mut state, "enter");
    assert!(
        line(&state, "4 Failed").contains("/code:CSBS.6027 ecs"),
        "{}",
        text(&state)
    );
    // from another list by name
    press(&mut state, "1 :");
    type_in(&mut state, "view zone");
    press(&mut state, "enter");
    assert_eq!(state.focus, PaneId::Failed);
    assert_eq!(state.pane().unwrap().filter(), "code:CSBS.6027");
    // and away again
    press(&mut state, "W down");
    press(&mut state, "up enter");
    assert!(state.views.is_empty(), "{:?}", state.views);
}
