//! Taking failed jobs, hiding them, giving them back.

use super::*;
use crate::console::{Effect, Message, update};
use crate::store::history::{Remark, RemarkKind};

/// What the console wanted kept, as history gives it back.
fn kept(effects: Vec<Effect>) -> (Vec<Remark>, String) {
    let [Effect::Remark { remarks, what }] = <[Effect; 1]>::try_from(effects).expect("one effect")
    else {
        panic!("another effect");
    };
    let named = |r: Remark| Remark {
        operator: "anna".into(),
        ..r
    };
    (remarks.into_iter().map(named).collect(), what)
}

#[test]
fn a_failed_job_is_taken_with_note_and_end_and_can_be_hidden() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4");
    let job = cursor(&state);
    let open = state.counts.open();
    press(&mut state, "K");
    assert!(
        text(&state).contains("Note for the others"),
        "{}",
        text(&state)
    );
    type_in(&mut state, "INC-7");
    press(&mut state, "enter");
    type_in(&mut state, "soon");
    assert!(press(&mut state, "enter").is_empty(), "a wrong time stays");
    assert!(
        text(&state).contains("\"soon\" is no time"),
        "{}",
        text(&state)
    );
    for _ in 0..4 {
        press(&mut state, "backspace");
    }
    type_in(&mut state, "4h");
    let (remarks, what) = kept(press(&mut state, "enter"));
    assert_eq!(remarks.len(), 1);
    assert_eq!(remarks[0].subject.id, job);
    assert_eq!(remarks[0].until, Some(NOW.plus(4 * 3_600_000)));
    assert_eq!(state.counts.open(), open, "not before it is kept");
    update(&mut state, Message::Remarks(remarks.clone()));
    update(&mut state, Message::Remarked { what, fault: None });
    assert_eq!(state.counts.open(), open - 1);
    let shown = text(&state);
    assert!(shown.contains("1 taken"), "{shown}");
    assert!(shown.contains("taken by anna"), "{shown}");
    assert!(shown.contains("INC-7"), "{shown}");
    assert!(ids(&state, PaneId::Failed).contains(&job));
    press(&mut state, "H j");
    assert!(!ids(&state, PaneId::Failed).contains(&job));
    press(&mut state, "H");
    assert!(ids(&state, PaneId::Failed).contains(&job));
    // its time runs out while nobody does anything
    state.now = NOW.plus(4 * 3_600_000);
    let now = state.now;
    update(&mut state, Message::Tick(now));
    assert_eq!(state.counts.acknowledged, 0);
}

#[test]
fn a_note_is_left_and_the_job_stays_open() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4");
    let (job, open) = (cursor(&state), state.counts.open());
    press(&mut state, "n");
    assert!(press(&mut state, "enter").is_empty(), "an empty one stays");
    assert!(text(&state).contains("says something"), "{}", text(&state));
    type_in(&mut state, "disk team asked\u{7}");
    let (remarks, what) = kept(press(&mut state, "enter"));
    assert!(what.starts_with("Noted: "), "{what}");
    let [note] = remarks.as_slice() else {
        panic!("{remarks:?}")
    };
    assert_eq!((note.kind, &note.subject.id), (RemarkKind::Note, &job));
    assert!(!note.text.contains('\u{7}'));
    update(&mut state, Message::Remarks(remarks));
    assert_eq!(state.counts.open(), open);
    assert!(
        text(&state).contains("note by anna, just now: disk team asked"),
        "{}",
        text(&state)
    );
    press(&mut state, "1 n");
    assert!(
        text(&state).contains("only what has failed can be noted"),
        "{}",
        text(&state)
    );
}

#[test]
fn what_hides_taken_jobs_is_kept_for_the_next_start() {
    let mut before = state();
    press(&mut before, "4");
    let effects = press(&mut before, "H");
    let [Effect::SaveUi(saved)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let text = toml::to_string(&**saved).expect("it is written");
    let read = toml::from_str(&text).expect("it is read");
    let mut after = silent_with(read);
    assert!(
        after
            .panes
            .get(PaneId::Failed)
            .unwrap()
            .hides_acknowledged()
    );
    assert!(!after.panes.get(PaneId::Tasks).unwrap().hides_acknowledged());
    // a saved view says nothing of it
    press(&mut after, "4 /");
    type_in(&mut after, "ecs");
    press(&mut after, "enter W");
    type_in(&mut after, "mine");
    press(&mut after, "enter H > >");
    assert!(!after.pane().unwrap().hides_acknowledged());
}

#[test]
fn marked_jobs_are_taken_together_and_given_back() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4 *");
    let n = ids(&state, PaneId::Failed).len();
    press(&mut state, "K enter");
    let (remarks, what) = kept(press(&mut state, "enter"));
    assert_eq!(remarks.len(), n);
    assert!(what.contains(&format!("{n} failed jobs")), "{what}");
    assert!(remarks.iter().all(|r| r.until.is_none()));
    update(&mut state, Message::Remarks(remarks.clone()));
    assert_eq!(state.counts.open(), 0);
    press(&mut state, "*");
    let (back, _) = kept(press(&mut state, "alt-k"));
    assert_eq!(back.len(), n);
    let all = remarks.into_iter().chain(back).collect();
    update(&mut state, Message::Remarks(all));
    assert_eq!(state.counts.acknowledged, 0);
}

#[test]
fn what_can_not_be_kept_is_said_and_holds_nowhere() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "4 K enter enter");
    update(
        &mut state,
        Message::Remarked {
            what: "Taken: x.".into(),
            fault: Some("the disk is full".into()),
        },
    );
    let shown = text(&state);
    assert!(shown.contains("could not be written down"), "{shown}");
    assert_eq!(state.counts.acknowledged, 0);
    press(&mut state, "1 K");
    assert!(text(&state).contains("only what has failed can be taken"));
}
