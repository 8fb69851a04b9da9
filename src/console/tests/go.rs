//! Panes, details, relations, pages.

use super::*;
use crate::console::Effect;
use crate::console::thing::Thing;
use crate::model::{Fault, FaultKind, Phase, Rows, ServiceId};
use crate::store::Covered;

#[test]
fn numbers_tab_and_sideways_choose_panes() {
    let mut state = state();
    resize(&mut state, 120, 40);
    for (keys, focus) in [
        ("1", PaneId::Devices),
        ("tab", PaneId::Policies),
        ("backtab backtab", PaneId::Feed),
        ("4", PaneId::Failed),
        ("h", PaneId::Policies),
        ("l", PaneId::Failed),
        ("3 h", PaneId::Devices),
    ] {
        press(&mut state, keys);
        assert_eq!(state.focus, focus, "{keys}");
    }
}

#[test]
fn a_task_leads_to_its_device_and_the_device_to_its_tasks_and_back() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "o d");
    assert_eq!(state.focus, PaneId::Devices);
    assert_eq!(cursor(&state), "id-ecs-42");
    press(&mut state, "o t");
    assert_eq!(state.focus, PaneId::Tasks);
    assert_eq!(
        state.pane().unwrap().filter(),
        "device=ecs-42 service=otc-eu"
    );
    let mut tasks = ids(&state, PaneId::Tasks);
    tasks.sort();
    assert_eq!(tasks, ["c-1", "c-2", "c-3", "c-4"]);
    press(&mut state, "[");
    assert_eq!(
        (state.focus, cursor(&state).as_str()),
        (PaneId::Devices, "id-ecs-42")
    );
    press(&mut state, "[");
    assert_eq!(
        (state.focus, cursor(&state).as_str()),
        (PaneId::Failed, "c-1")
    );
    press(&mut state, "]");
    assert_eq!(state.focus, PaneId::Devices);
    press(&mut state, "[ o p");
    assert_eq!(
        (state.focus, cursor(&state).as_str()),
        (PaneId::Policies, "id-weekly-full")
    );
    press(&mut state, "o f");
    assert_eq!(ids(&state, PaneId::Failed), ["c-1", "c-2", "c-3"]);
}

#[test]
fn a_filter_that_hides_the_device_is_taken_off_and_said() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "1 /");
    type_in(&mut state, "gw-");
    press(&mut state, "enter 4 o d");
    assert_eq!(cursor(&state), "id-ecs-42");
    assert_eq!(state.pane().unwrap().filter(), "");
    assert!(
        text(&state).contains("filter there was taken off"),
        "{}",
        text(&state)
    );
    press(&mut state, "[ 1");
}

#[test]
fn what_leads_nowhere_is_listed_with_its_reason() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "o");
    let shown = text(&state);
    assert!(
        shown.contains("The device") && shown.contains("only a policy leads to its devices"),
        "{shown}"
    );
    press(&mut state, "D");
    assert!(text(&state).contains("only a policy leads to its devices"));
    assert_eq!(state.focus, PaneId::Failed);
    press(&mut state, "o x");
    assert!(
        text(&state).contains("o x means nothing here"),
        "{}",
        text(&state)
    );
}

#[test]
fn a_row_opens_with_its_tabs_and_closes_again() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "enter");
    let shown = text(&state);
    assert!(shown.contains("Ask the cloud administrator"), "{shown}");
    press(&mut state, "tab");
    let shown = text(&state);
    assert!(
        shown.contains("c-1") && shown.contains("2026-11-21 02:29:07 +01:00"),
        "{shown}"
    );
    press(&mut state, "tab");
    assert!(text(&state).contains("Asking history"), "{}", text(&state));
    press(&mut state, "tab");
    assert!(
        text(&state).contains("\"status\": \"error\""),
        "{}",
        text(&state)
    );
    press(&mut state, "esc");
    assert!(state.detail.is_none());
    assert_eq!(cursor(&state), "c-1");
}

#[test]
fn a_record_that_is_not_held_is_asked_for() {
    let mut state = state();
    let mut bare = failed("bare", "ecs-50", "nightly", ("CSBS.1001", ""), 1);
    bare.raw.clear();
    give_tasks(&mut state, 0, vec![bare]);
    let effects = press(&mut state, "enter b");
    assert!(
        matches!(effects.as_slice(), [Effect::LookUp { task, .. }] if task == "bare"),
        "{effects:?}"
    );
    assert!(
        text(&state).contains("Asking the service"),
        "{}",
        text(&state)
    );
    give_tasks(
        &mut state,
        0,
        vec![failed("bare", "ecs-50", "nightly", ("CSBS.1001", ""), 1)],
    );
    assert!(
        text(&state).contains("\"id\": \"bare\""),
        "{}",
        text(&state)
    );
}

#[test]
fn a_pane_takes_the_whole_screen_and_gives_it_back() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "z");
    let shown = text(&state);
    assert!(
        shown.contains("SERVICE") && !shown.contains("1 Devices"),
        "{shown}"
    );
    press(&mut state, "esc");
    assert!(text(&state).contains("1 Devices"));
}

#[test]
fn the_palette_finds_words_and_carries_them_out() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, ":");
    type_in(&mut state, "policies");
    press(&mut state, "enter");
    assert_eq!(state.focus, PaneId::Policies);
    press(&mut state, ":");
    type_in(&mut state, "theme mono");
    press(&mut state, "enter");
    assert_eq!(state.look.theme.name, "mono");
}

#[test]
fn the_palette_says_why_something_can_not_be_done() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, ":");
    type_in(&mut state, "cancel");
    let shown = line(&state, "Cancel");
    assert!(shown.contains("publishes no call that cancels"), "{shown}");
    press(&mut state, "enter");
    assert_eq!(state.layers.len(), 1);
    assert!(text(&state).contains("publishes no call that cancels"));
}

#[test]
fn help_is_made_from_the_keymap() {
    let mut state = state();
    resize(&mut state, 200, 60);
    state.keymap = crate::console::Keymap::load(Some(("site", "[list]\nfilter = [\"ctrl-x\"]"))).0;
    press(&mut state, "?");
    let shown = line(&state, "Filter as you type");
    assert!(shown.contains("ctrl-x"), "{shown}");
    for word in [
        "Retry what failed",
        "Copy a text for the ticket",
        "regular expression",
    ] {
        let mut found = false;
        for _ in 0..40 {
            found |= text(&state).contains(word);
            press(&mut state, "pgdn");
        }
        press(&mut state, "pgup pgup pgup pgup");
        assert!(found, "{word}");
    }
}

#[test]
fn the_page_of_services_says_what_is_wrong_and_what_each_can_do() {
    let mut state = state();
    resize(&mut state, 120, 60);
    let fault = || Fault::new(FaultKind::Refused, "not for you", "", "Ask for the right");
    for feed in ["tasks", "plans"] {
        state
            .store
            .set_partial(ServiceId(0), feed, vec![fault(), fault()]);
    }
    // what was cleared is no failed job any more, here as in the header
    let failed = |state: &State| state.store.counts_of(ServiceId(0), state.now).failed;
    let before = failed(&state);
    let covers = Covered {
        failed: true,
        ..Covered::default()
    };
    let cleared = task("c-0", "ecs-0", "nightly", "error", Phase::Failed, 0);
    let rows = Rows {
        tasks: vec![cleared],
        ..Rows::default()
    };
    state
        .store
        .apply(ServiceId(0), "failed", 0, rows, state.now);
    for _ in 0..2 {
        let end = state
            .store
            .finish_round(ServiceId(0), "failed", covers, true, state.now);
        assert!(end.missing_live.is_empty());
    }
    assert_eq!(failed(&state), before);
    press(&mut state, "i");
    let mut shown = text(&state);
    let head = shown
        .lines()
        .find(|l| l.contains("otc-eu csbs  "))
        .expect("its head");
    assert!(head.contains(&format!("{before} failed")), "{head}");
    // how each stands comes before what any of them can do, and the same is said once
    let heads = shown.split("can do").next().unwrap_or_default();
    assert!(heads.contains("jira"), "{shown}");
    assert!(
        heads.contains("! tasks, plans: not for you. Ask"),
        "{shown}"
    );
    assert_eq!(shown.matches("not for you").count(), 1, "{shown}");
    for _ in 0..6 {
        press(&mut state, "pgdn");
        shown.push_str(&text(&state));
    }
    for said in [
        "connection refused",
        "Check that the site is up",
        "publishes no call that cancels",
        "embedded demo",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
}

#[test]
fn the_feed_goes_back_in_time_and_opens_the_task() {
    let mut state = state();
    resize(&mut state, 120, 40);
    for (n, status) in ["protecting", "available"].iter().enumerate() {
        let phase = if n == 0 {
            crate::model::Phase::Running
        } else {
            crate::model::Phase::Succeeded
        };
        give_tasks(
            &mut state,
            0,
            vec![task("c-8", "ecs-8", "nightly", status, phase, 0)],
        );
    }
    press(&mut state, "6");
    let shown = text(&state);
    assert!(shown.contains("waiting_protect → ▶ protecting"), "{shown}");
    press(&mut state, "j enter");
    let thing = state.detail.as_ref().unwrap().thing;
    assert!(matches!(thing, Thing::Task(_)));
    assert_eq!(thing.id(&state.store), "c-8");
}

#[test]
fn escape_goes_one_step_back_at_a_time() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "/");
    type_in(&mut state, "ecs");
    press(&mut state, "enter z enter ?");
    for left in ["?", "detail", "z", "filter"] {
        press(&mut state, "esc");
        match left {
            "?" => assert!(state.layers.is_empty() && state.detail.is_some()),
            "detail" => assert!(state.detail.is_none() && state.expanded),
            "z" => assert!(!state.expanded && state.pane().unwrap().filter() == "ecs"),
            _ => assert_eq!(state.pane().unwrap().filter(), ""),
        }
    }
}
