//! A small estate for tests: four services, devices, policies, tasks in every phase.

mod estate;
mod pretend;

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::connect::{Connector, Covers, Page, PollReport};
use crate::model::*;
use crate::operate::{Guard, Operator};
use crate::watch::{Round, WatchEvent};

use super::state::Look;
use super::*;

pub use estate::{failed, task};
pub use pretend::prepared;

use estate::{csbs, dpod};
use pretend::Pretend;

/// 2026-11-21T01:31:07Z.
pub const NOW: Timestamp = Timestamp(1_795_224_667_000);

const SERVICES: [(&str, &str); 4] = [
    ("otc-eu", "csbs"),
    ("dr-eu", "sdrs"),
    ("gateways", "dpod"),
    ("jira", "atlassian"),
];

/// An empty console with four services, nothing answered yet.
pub fn silent() -> State {
    silent_with(SavedUi::default())
}

/// The same as its operator left it.
pub fn silent_with(saved: SavedUi) -> State {
    let services: Vec<Service> = SERVICES
        .iter()
        .enumerate()
        .map(|(i, (name, kind))| Service {
            id: ServiceId(i as u16),
            name: Arc::from(*name),
            kind: Kind(kind),
            embedded: true,
            read_only: false,
        })
        .collect();
    // read once for all tests
    static CATALOG: std::sync::OnceLock<Arc<Catalog>> = std::sync::OnceLock::new();
    let catalog = Arc::clone(CATALOG.get_or_init(|| Arc::new(Catalog::built_in())));
    let (events, _) = tokio::sync::mpsc::unbounded_channel();
    let connectors = services
        .iter()
        .map(|s| (s.clone(), Arc::new(Pretend(s.kind)) as Arc<dyn Connector>))
        .collect();
    let operator = Operator::new(connectors, Guard::default(), Arc::clone(&catalog), events);
    State::new(Setup {
        services,
        catalog,
        operator,
        keymap: Keymap::load(None).0,
        look: Look {
            zone: text::Zone::Fixed(chrono::FixedOffset::east_opt(3600).unwrap()),
            ..Look::default()
        },
        saved,
        config_path: "~/.config/keepwatch/config.toml".into(),
        notices: Vec::new(),
        now: NOW,
    })
}

/// Rows of a service, as if they had been polled.
pub fn give(state: &mut State, service: u16, rows: Rows) {
    update(
        state,
        Message::Watch(WatchEvent::Page {
            service: ServiceId(service),
            feed: "all",
            number: 0,
            page: Page::Rows(rows),
        }),
    );
}

/// Tasks of a service, on a page of their own.
pub fn give_tasks(state: &mut State, service: u16, tasks: Vec<Task>) {
    update(
        state,
        Message::Watch(WatchEvent::Page {
            service: ServiceId(service),
            feed: "tasks",
            number: 0,
            page: Page::Rows(Rows {
                tasks,
                ..Rows::default()
            }),
        }),
    );
}

/// A complete round of the feed of tasks: what it did not show is gone.
pub fn end_round(state: &mut State, service: u16) {
    update(
        state,
        Message::Watch(WatchEvent::Round {
            service: ServiceId(service),
            feed: "tasks",
            round: Box::new(Round {
                covers: Covers {
                    live: true,
                    ..Covers::default()
                },
                looks_up: 1,
                outcome: Ok(PollReport {
                    complete: true,
                    pages: 1,
                    ..PollReport::default()
                }),
            }),
            at: state.now,
        }),
    );
}

/// Health of a service.
pub fn health(state: &mut State, service: u16, health: Health) {
    update(
        state,
        Message::Watch(WatchEvent::Health {
            service: ServiceId(service),
            health,
        }),
    );
}

/// The estate at NOW: four services, one limited, one down.
pub fn state() -> State {
    let mut state = silent();
    state.now = NOW.plus(-60_000);
    give(&mut state, 0, csbs());
    give(&mut state, 2, dpod());
    state.now = NOW;
    health(
        &mut state,
        0,
        Health::Fresh {
            since: NOW.plus(-2_000),
        },
    );
    health(
        &mut state,
        1,
        Health::Fresh {
            since: NOW.plus(-4_000),
        },
    );
    health(
        &mut state,
        2,
        Health::Limited {
            last_ok: Some(NOW.plus(-20_000)),
            until: NOW.plus(18_000),
        },
    );
    health(
        &mut state,
        3,
        Health::Down {
            since: NOW.plus(-185_000),
            last_ok: Some(NOW.plus(-200_000)),
            next_try: Some(NOW.plus(12_000)),
            fault: Fault::new(
                FaultKind::Unreachable,
                "connection refused",
                "GET https://jira.example/",
                "Check that the site is up.",
            ),
        },
    );
    state
}

/// The screen as text, one line each.
pub fn screen(state: &State) -> Vec<String> {
    let (w, h) = state.size;
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(w, h)).unwrap();
    terminal
        .draw(|f| {
            view(state, f);
        })
        .unwrap();
    let buffer = terminal.backend().buffer();
    (0..h)
        .map(|y| {
            let mut line = String::new();
            let mut x = 0;
            while x < w {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (text::width(symbol) as u16).max(1);
            }
            line
        })
        .collect()
}

/// Gives the terminal a size.
pub fn resize(state: &mut State, columns: u16, rows: u16) {
    update(state, Message::Resize(columns, rows));
}

/// Presses keys, written as in a keymap file.
pub fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.split(' ')
        .flat_map(|key| update(state, Message::Key(key.parse().unwrap())))
        .collect()
}

/// Types a text, letter by letter.
pub fn type_in(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|c| update(state, Message::Key(Key::char(c))))
        .collect()
}

#[test]
#[ignore = "prints screens to look at"]
fn look() {
    let size = std::env::var("SIZE").unwrap_or_else(|_| "120x40".into());
    let (w, h) = size.split_once('x').unwrap();
    let mut state = state();
    resize(&mut state, w.parse().unwrap(), h.parse().unwrap());
    if let Ok(keys) = std::env::var("KEYS") {
        for effect in press(&mut state, &keys) {
            if let Effect::Prepare { ask, intent } = effect {
                let danger = if intent.action == "run-now" {
                    Danger::TypeName
                } else {
                    Danger::Confirm
                };
                update(
                    &mut state,
                    Message::Prepared {
                        ask,
                        result: Ok(Box::new(prepared(*intent, danger))),
                    },
                );
            }
        }
    }
    for line in screen(&state) {
        println!("{line}");
    }
}
