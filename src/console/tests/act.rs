//! From a key to an action and to its end.

use super::*;
use crate::console::effect::AskId;
use crate::console::state::Layer;
use crate::console::{Effect, Message, update};
use crate::model::{
    Answer, CodeRef, Danger, Fault, FaultKind, Follow, Intent, Phase, Prepared, ServiceId,
};
use crate::operate::{ActionEvent, ActionId, Stage};

/// Answers every question with what the connector would prepare; hands on the other effects.
fn answer(state: &mut State, effects: Vec<Effect>, danger: Danger) -> Vec<Effect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            Effect::Prepare { ask, intent } => {
                let result = Ok(Box::new(prepared(*intent, danger)));
                let more = update(state, Message::Prepared { ask, result });
                rest.extend(answer(state, more, danger));
            }
            other => rest.push(other),
        }
    }
    rest
}

fn sent(effects: &[Effect]) -> Vec<(ActionId, Prepared)> {
    effects
        .iter()
        .filter_map(|e| match e {
            Effect::Send(confirmed) => Some((confirmed.id(), confirmed.prepared().clone())),
            _ => None,
        })
        .collect()
}

fn stage(state: &mut State, id: ActionId, stage: Stage, follow: Option<Follow>) -> Vec<Effect> {
    let at = state.now;
    update(
        state,
        Message::Action(ActionEvent {
            id,
            at,
            stage,
            follow,
        }),
    )
}

#[test]
fn a_retry_is_shown_confirmed_sent_once_and_followed_to_its_end() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let effects = press(&mut state, "r");
    assert!(
        matches!(effects.as_slice(), [Effect::Prepare { .. }]),
        "{effects:?}"
    );
    let effects = answer(&mut state, effects, Danger::Confirm);
    assert!(
        effects.is_empty(),
        "nothing is sent before a yes: {effects:?}"
    );
    let shown = text(&state);
    for said in [
        "Retry this backup",
        "ecs-42 on otc-eu (csbs)",
        "Backs up ecs-42 again",
        "POST https://csbs.otc.example/v1/5ae0/providers/c-1",
        "\"replication\": true",
        "CSBS.6027",
        "retry after a fix",
        "Check first that ecs-42 is back in service",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    // return is not a yes: it may have been meant for something else
    assert!(press(&mut state, "enter").is_empty());
    let effects = press(&mut state, "y");
    let sent = sent(&effects);
    assert_eq!(sent.len(), 1);
    let (id, what) = &sent[0];
    assert_eq!(what.intent.target.id, "c-1");
    assert!(
        super::act::sent(&press(&mut state, "y")).is_empty(),
        "a second y sends nothing"
    );
    assert!(text(&state).contains("confirmed"), "{}", text(&state));
    let follow = Follow {
        task_ids: vec!["c-99".into()],
        expects_task: true,
        ..Follow::default()
    };
    let effects = stage(
        &mut state,
        *id,
        Stage::Accepted {
            answer: Answer::default(),
        },
        Some(follow),
    );
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::PollNow(ServiceId(0)))),
        "{effects:?}"
    );
    assert!(text(&state).contains("accepted"), "{}", text(&state));
    give_tasks(
        &mut state,
        0,
        vec![task(
            "c-99",
            "ecs-42",
            "weekly-full",
            "protecting",
            Phase::Running,
            1,
        )],
    );
    assert_eq!(state.ledger.get(*id).unwrap().task_id(), Some("c-99"));
    give_tasks(
        &mut state,
        0,
        vec![task(
            "c-99",
            "ecs-42",
            "weekly-full",
            "available",
            Phase::Succeeded,
            0,
        )],
    );
    assert!(
        text(&state).contains("succeeded (available)"),
        "{}",
        text(&state)
    );
    press(&mut state, "A");
    assert!(
        text(&state).contains("task c-99: available"),
        "{}",
        text(&state)
    );
}

#[test]
fn leaving_the_dialog_sends_nothing_and_late_answers_find_nobody() {
    let mut state = state();
    let effects = press(&mut state, "r");
    press(&mut state, "esc");
    assert!(answer(&mut state, effects, Danger::Confirm).is_empty());
    assert!(state.layers.is_empty());
    assert!(state.ledger.records().is_empty());
    let stray = Message::Prepared {
        ask: AskId(99),
        result: Err(Fault::new(FaultKind::Timeout, "x", "", "")),
    };
    assert!(update(&mut state, stray).is_empty());
}

#[test]
fn a_dangerous_action_wants_its_name_typed() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let effects = press(&mut state, "2 j t");
    answer(&mut state, effects, Danger::TypeName);
    assert!(
        text(&state).contains("Type nightly to go on"),
        "{}",
        text(&state)
    );
    type_in(&mut state, "nightl");
    assert!(sent(&press(&mut state, "enter")).is_empty());
    assert!(
        text(&state).contains("letter for letter"),
        "{}",
        text(&state)
    );
    update(&mut state, Message::Paste("y".into()));
    assert!(
        sent(&press(&mut state, "enter")).is_empty(),
        "a paste doesn't type the name"
    );
    type_in(&mut state, "y");
    assert_eq!(sent(&press(&mut state, "enter")).len(), 1);
}

#[test]
fn what_can_not_be_prepared_is_said_and_nothing_is_sent() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let effects = press(&mut state, "r");
    let [Effect::Prepare { ask, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let fault = Fault::new(
        FaultKind::Refused,
        "the task is running again",
        "task c-1",
        "Wait for its end.",
    );
    update(
        &mut state,
        Message::Prepared {
            ask: *ask,
            result: Err(fault),
        },
    );
    assert!(state.layers.is_empty());
    assert!(
        text(&state).contains("the task is running again"),
        "{}",
        text(&state)
    );
}

#[test]
fn an_action_without_danger_needs_no_dialog() {
    let mut state = state();
    let effects = press(&mut state, "x");
    let effects = answer(&mut state, effects, Danger::None);
    assert_eq!(sent(&effects).len(), 1);
    assert!(state.layers.is_empty());
}

#[test]
fn an_action_without_danger_is_shown_first_where_that_is_asked_for_by_key() {
    let mut state = state();
    resize(&mut state, 120, 40);
    assert!(press(&mut state, "V").is_empty());
    assert!(text(&state).contains("nothing is sent"), "{}", text(&state));
    let effects = press(&mut state, "x");
    let effects = answer(&mut state, effects, Danger::None);
    assert!(sent(&effects).is_empty(), "{effects:?}");
    let shown = text(&state);
    for said in ["nothing is sent yet", "POST https://", "send it"] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    press(&mut state, "esc");
    assert!(state.layers.is_empty() && state.ledger.records().is_empty());
    // seen once more, and return sends it, once
    let effects = press(&mut state, "V x");
    answer(&mut state, effects, Danger::None);
    assert_eq!(sent(&press(&mut state, "enter")).len(), 1);
    assert!(sent(&press(&mut state, "enter")).is_empty());
    // it holds for one action, and not after esc
    let effects = press(&mut state, "V esc x");
    let effects = answer(&mut state, effects, Danger::None);
    assert_eq!(sent(&effects).len(), 1);
}

#[test]
fn the_menu_and_the_palette_show_what_would_be_sent() {
    for open in ["a", ":"] {
        let mut state = state();
        resize(&mut state, 120, 40);
        press(&mut state, open);
        assert!(
            text(&state).contains("see the request first"),
            "{}",
            text(&state)
        );
        type_in(&mut state, "clear this");
        let effects = press(&mut state, "ctrl-v");
        let effects = answer(&mut state, effects, Danger::None);
        assert!(sent(&effects).is_empty());
        assert!(text(&state).contains("POST https://"), "{}", text(&state));
        assert_eq!(sent(&press(&mut state, "enter")).len(), 1);
    }
}

#[test]
fn a_preview_that_return_opened_is_not_sent_by_return() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "V a");
    assert!(
        text(&state).contains("What would be sent: actions on ecs-42"),
        "{}",
        text(&state)
    );
    type_in(&mut state, "clear this");
    let effects = press(&mut state, "enter");
    let effects = answer(&mut state, effects, Danger::None);
    assert!(sent(&effects).is_empty());
    assert!(sent(&press(&mut state, "enter")).is_empty());
    assert!(text(&state).contains("y sends it"), "{}", text(&state));
    assert_eq!(sent(&press(&mut state, "y")).len(), 1);
    // a name is typed here as everywhere
    let effects = press(&mut state, "2 j V t");
    answer(&mut state, effects, Danger::TypeName);
    assert!(sent(&press(&mut state, "enter")).is_empty());
    assert!(
        text(&state).contains("letter for letter"),
        "{}",
        text(&state)
    );
}

#[test]
fn a_verb_with_two_actions_asks_which_and_an_action_with_values_asks_for_them() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "1 t");
    let shown = text(&state);
    assert!(
        shown.contains("Back up this device now") && shown.contains("Back up into a vault"),
        "{shown}"
    );
    type_in(&mut state, "vault");
    press(&mut state, "enter");
    assert!(text(&state).contains("Which vault?"), "{}", text(&state));
    press(&mut state, "enter");
    assert!(text(&state).contains("vault is needed"), "{}", text(&state));
    type_in(&mut state, "v-7");
    press(&mut state, "enter");
    type_in(&mut state, "y");
    let effects = press(&mut state, "enter");
    let [Effect::Prepare { intent, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(intent.action, "back-up-into");
    assert_eq!(intent.inputs["vault"], "v-7");
    assert_eq!(intent.inputs["full"], "yes");
}

#[test]
fn the_menu_lists_everything_with_reasons() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "a");
    let shown = text(&state);
    for said in [
        "Retry this backup",
        "publishes no call that cancels",
        "restores are not part",
        "not on a task",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    press(&mut state, "esc 3 r");
    assert!(
        text(&state).contains("only a failed task can be retried"),
        "{}",
        text(&state)
    );
}

#[test]
fn marked_rows_are_confirmed_together_and_what_is_left_out_is_said() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "5 *");
    let marked = state.pane().unwrap().marks().len();
    assert!(marked > 40);
    let effects = press(&mut state, "r");
    let rest = answer(&mut state, effects, Danger::Confirm);
    assert!(rest.is_empty());
    let shown = text(&state);
    assert!(shown.contains(&format!("7 of {marked}")), "{shown}");
    assert!(shown.contains("send all 7"), "{shown}");
    for _ in 0..3 {
        press(&mut state, "pgdn");
    }
    assert!(
        text(&state).contains("only a failed task can be retried"),
        "{}",
        text(&state)
    );
    let effects = press(&mut state, "y");
    let first = sent(&effects);
    assert_eq!(first.len(), 4, "a few at a time");
    assert_eq!(state.deeds.waiting(), 3);
    // the fate of one is known: the next goes
    let effects = stage(
        &mut state,
        first[0].0,
        Stage::Accepted {
            answer: Answer::default(),
        },
        None,
    );
    assert_eq!(sent(&effects).len(), 1);
    // the rest is stopped in the middle
    press(&mut state, "A w");
    assert_eq!(state.deeds.waiting(), 0);
    let effects = stage(
        &mut state,
        first[1].0,
        Stage::Accepted {
            answer: Answer::default(),
        },
        None,
    );
    assert!(sent(&effects).is_empty());
    let not_sent = state
        .ledger
        .records()
        .iter()
        .filter(|r| matches!(r.stage(), Stage::NotSent { .. }))
        .count();
    assert_eq!(not_sent, 2);
    press(&mut state, "esc");
    assert_eq!(
        state.pane().unwrap().marks().len(),
        marked - 7,
        "what was sent is no longer marked"
    );
}

#[test]
fn many_are_summed_up_and_only_what_was_surely_not_done_is_asked_for_again() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "5 *");
    let effects = press(&mut state, "r");
    answer(&mut state, effects, Danger::Confirm);
    let mut open = sent(&press(&mut state, "y"));
    assert!(text(&state).contains("on 7: 7 waiting"), "{}", text(&state));
    let refused = Stage::Refused {
        code: CodeRef::new("CSBS.6010", "A shared disk is attached"),
        answer: Answer::default(),
    };
    let lost = Stage::CannotTell {
        why: "the list does not tell".to_owned(),
    };
    let accepted = Stage::Accepted {
        answer: Answer::default(),
    };
    // each ends as far as it can be known; what still waits after two is held back
    for end in [refused, lost] {
        let (id, _) = open.remove(0);
        open.extend(sent(&stage(&mut state, id, end, None)));
    }
    press(&mut state, "A w esc");
    for (id, _) in open {
        stage(&mut state, id, accepted.clone(), None);
    }
    let shown = text(&state);
    let sum = state.deeds.batches()[0].progress(&state.ledger);
    assert!(sum.is_settled() && !sum.is_whole(), "{sum:?}");
    assert_eq!((sum.refused, sum.unknown), (1, 1));
    assert_eq!(sum.accepted + sum.not_sent, 5);
    assert!(sum.not_sent > 0, "{sum:?}");
    assert!(
        shown.contains("1 refused, 1 not sent, 1 outcome unknown. A shows them"),
        "{shown}"
    );
    press(&mut state, "A");
    let shown = text(&state);
    for said in [
        "1 refused with CSBS.6010",
        "1 outcome unknown",
        "left out, ",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    let effects = press(&mut state, "r");
    assert_eq!(effects.len(), 1 + sum.not_sent, "{effects:?}");
    let more = answer(&mut state, effects, Danger::Confirm);
    assert!(more.is_empty(), "asking again is asking first: {more:?}");
    let shown = text(&state);
    assert!(shown.contains("whose outcome is unknown"), "{shown}");
    press(&mut state, "y");
    press(&mut state, "A");
    let effects = press(&mut state, "r");
    assert!(effects.is_empty(), "nothing is taken up twice: {effects:?}");
}

#[test]
fn the_same_request_is_sent_once_for_all() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "space space");
    let effects = press(&mut state, "r");
    let mut asks: Vec<(AskId, Intent)> = Vec::new();
    for effect in effects {
        if let Effect::Prepare { ask, intent } = effect {
            asks.push((ask, *intent));
        }
    }
    assert_eq!(asks.len(), 2);
    let same = prepared(asks[0].1.clone(), Danger::Confirm).requests;
    for (ask, intent) in asks {
        let mut p = prepared(intent, Danger::Confirm);
        p.requests.clone_from(&same);
        update(
            &mut state,
            Message::Prepared {
                ask,
                result: Ok(Box::new(p)),
            },
        );
    }
    assert!(
        text(&state).contains("the same request as for ecs-42"),
        "{}",
        text(&state)
    );
    assert_eq!(sent(&press(&mut state, "y")).len(), 1);
}

#[test]
fn many_dangerous_actions_want_verb_and_number_typed() {
    let mut state = state();
    resize(&mut state, 120, 40);
    press(&mut state, "2 *");
    let effects = press(&mut state, "t");
    answer(&mut state, effects, Danger::TypeName);
    assert!(
        text(&state).contains("Type trigger 4 to go on"),
        "{}",
        text(&state)
    );
    type_in(&mut state, "trigger 4");
    assert_eq!(sent(&press(&mut state, "enter")).len(), 4);
}

#[test]
fn a_lost_answer_is_never_taken_for_a_failure_or_a_success() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let effects = press(&mut state, "r");
    answer(&mut state, effects, Danger::Confirm);
    let sent = sent(&press(&mut state, "y"));
    let id = sent[0].0;
    let fault = Fault::new(FaultKind::Timeout, "no answer within 20 s", "POST …", "");
    let effects = stage(
        &mut state,
        id,
        Stage::Unknown { fault },
        Some(Follow::default()),
    );
    assert!(super::act::sent(&effects).is_empty());
    assert!(
        text(&state).contains("sends nothing again"),
        "{}",
        text(&state)
    );
    stage(
        &mut state,
        id,
        Stage::FoundNothing {
            looked_at: "3 tasks of ecs-42".into(),
        },
        None,
    );
    assert!(text(&state).contains("no sign of it"), "{}", text(&state));
    assert!(state.deeds.is_idle());
}

#[test]
fn a_refusal_is_explained() {
    let mut state = state();
    resize(&mut state, 200, 60);
    let effects = press(&mut state, "r");
    answer(&mut state, effects, Danger::Confirm);
    let id = sent(&press(&mut state, "y"))[0].0;
    let code = CodeRef::new("CSBS.1001", "The policy is executing backup.").with_http(500);
    stage(
        &mut state,
        id,
        Stage::Refused {
            code,
            answer: Answer::default(),
        },
        None,
    );
    let shown = text(&state);
    assert!(
        shown.contains("refused. CSBS.1001 HTTP 500: The run was refused because"),
        "{shown}"
    );
}

#[test]
fn quitting_waits_for_a_second_word_while_something_is_on_its_way() {
    let mut state = state();
    let effects = press(&mut state, "r");
    answer(&mut state, effects, Danger::Confirm);
    press(&mut state, "y");
    let quits = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Quit));
    assert!(!quits(&press(&mut state, "q")));
    assert!(quits(&press(&mut state, "q")));
    let mut other = super::state();
    assert!(quits(&press(&mut other, "ctrl-c")));
}

#[test]
fn the_ticket_text_holds_everything_and_is_copied() {
    let mut state = state();
    resize(&mut state, 120, 40);
    let effects = press(&mut state, "r");
    answer(&mut state, effects, Danger::Confirm);
    let id = sent(&press(&mut state, "y"))[0].0;
    let code = CodeRef::new("CSBS.1001", "busy");
    stage(
        &mut state,
        id,
        Stage::Refused {
            code,
            answer: Answer::default(),
        },
        None,
    );
    let effects = press(&mut state, "y");
    let [Effect::Copy { what, text }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert!(what.contains("ecs-42"));
    for said in [
        "Backup of ecs-42 failed on otc-eu (csbs)",
        "ecs-42 (id-ecs-42)",
        "weekly-full",
        "2026-11-21 02:29:07 +01:00",
        "CSBS.6027",
        "does not support backup",
        "Backups are not offered in the availability zone",
        "1. ",
        "retry after a fix",
        "Tried so far:",
        "retry: refused",
    ] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    update(
        &mut state,
        Message::Copied {
            what: what.clone(),
            how: Ok("through tmux".into()),
        },
    );
    assert!(super::text(&state).contains("through tmux"));
}

#[test]
fn the_dialog_asks_only_a_few_questions_at_a_time() {
    let mut state = state();
    press(&mut state, "5 /");
    type_in(&mut state, "is:failed");
    press(&mut state, "enter *");
    let effects = press(&mut state, "r");
    assert_eq!(effects.len(), 6);
    assert!(matches!(state.layers.last(), Some(Layer::Confirm(c)) if c.queue.len() == 1));
}
