//! Whatever is pressed, told or resized, nothing panics and what was arranged holds together.

use super::*;
use crate::console::{Effect, Key, KeyCode, Message, update};
use crate::model::{Danger, Fault, FaultKind, Health, Phase, Task, Timestamp};
use crate::operate::{ActionEvent, Stage};

fn any_key(rng: &mut fastrand::Rng) -> Key {
    const CODES: [KeyCode; 16] = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::F(1),
        KeyCode::Insert,
    ];
    let letters: Vec<char> =
        "abcdefghijklmnopqrstuvwxyzADGIJMNRSTUY0123456789/:?#=*~[]\\ \"!()<>ö日"
            .chars()
            .collect();
    let code = if rng.u8(0..4) == 0 {
        CODES[rng.usize(0..CODES.len())]
    } else {
        KeyCode::Char(letters[rng.usize(0..letters.len())])
    };
    Key {
        ctrl: rng.u8(0..12) == 0,
        alt: rng.u8(0..40) == 0,
        ..Key::plain(code)
    }
}

fn any_task(rng: &mut fastrand::Rng) -> Task {
    let phase = Phase::ALL[rng.usize(0..Phase::ALL.len())];
    let n = rng.u8(0..40);
    let mut t = match rng.u8(0..3) {
        0 => failed(
            &format!("t-{n}"),
            &format!("ecs-{}", rng.u8(0..60)),
            "nightly",
            ("CSBS.6027", "x \u{1b}[2J"),
            rng.i64(-100..100_000),
        ),
        _ => task(
            &format!("c-{n}"),
            &format!("ecs-{}", rng.u8(0..60)),
            "weekly-full",
            phase.word(),
            phase,
            rng.i64(-100..100_000),
        ),
    };
    if rng.bool() {
        t.progress = Some(rng.u8(..));
    }
    if rng.u8(0..9) == 0 {
        t.device = None;
        t.policy = None;
        t.started_at = Some(Timestamp(i64::MAX));
    }
    if rng.u8(0..9) == 0 {
        t.ended_at = Some(Timestamp(i64::MIN));
    }
    t
}

fn answer(state: &mut State, effects: Vec<Effect>, rng: &mut fastrand::Rng, depth: u8) {
    for effect in effects {
        let more = match effect {
            Effect::Prepare { ask, intent } => {
                let danger = [Danger::None, Danger::Confirm, Danger::TypeName][rng.usize(0..3)];
                let result = if rng.bool() {
                    Ok(Box::new(prepared(*intent, danger)))
                } else {
                    Err(Fault::new(FaultKind::Timeout, "no answer", "", ""))
                };
                update(state, Message::Prepared { ask, result })
            }
            Effect::Send(confirmed) => {
                let fault = Fault::new(FaultKind::Timeout, "lost", "", "");
                let stage = [
                    Stage::Sending { step: "x".into() },
                    Stage::Unknown { fault },
                    Stage::NothingFollowed,
                ][rng.usize(0..3)]
                .clone();
                let event = ActionEvent {
                    id: confirmed.id(),
                    at: state.now,
                    stage,
                    follow: None,
                };
                update(state, Message::Action(event))
            }
            _ => continue,
        };
        if depth < 20 {
            answer(state, more, rng, depth + 1);
        }
    }
}

#[test]
fn nothing_panics() {
    for seed in 0..24 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut state = state();
        for step in 0..250 {
            let message = match rng.u8(0..20) {
                0 => Message::Resize(rng.u16(0..240), rng.u16(0..80)),
                1 => Message::Tick(state.now.plus(rng.i64(-5_000..50_000))),
                2 => Message::Paste("a b\n\u{7}c".into()),
                3 => Message::Terminate,
                4 => Message::Now(Timestamp(rng.i64(..))),
                5 => {
                    let tasks = (0..rng.usize(0..6)).map(|_| any_task(&mut rng)).collect();
                    give_tasks(&mut state, rng.u16(0..4), tasks);
                    continue;
                }
                6 => {
                    end_round(&mut state, rng.u16(0..4));
                    continue;
                }
                7 => {
                    let h = if rng.bool() {
                        Health::Connecting
                    } else {
                        Health::Stale {
                            since: Timestamp(rng.i64(..)),
                        }
                    };
                    health(&mut state, rng.u16(0..4), h);
                    continue;
                }
                _ => Message::Key(any_key(&mut rng)),
            };
            let effects = update(&mut state, message);
            answer(&mut state, effects, &mut rng, 0);
            if let Some(pane) = state.pane() {
                assert_eq!(
                    pane.cursor().is_some(),
                    !pane.is_empty(),
                    "seed {seed} step {step}"
                );
                if let Some(at) = pane.index() {
                    assert_eq!(pane.row(at), pane.cursor(), "seed {seed} step {step}");
                }
            }
            if step % 13 == 0 && state.size.0 > 0 && state.size.1 > 0 {
                screen(&state);
            }
        }
    }
}
