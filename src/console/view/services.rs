//! The line of services: each with its health and how old what is shown of it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Health, Timestamp};
use crate::store::ServiceState;

use super::super::text::{Label, ago, cut_middle};
use super::super::theme::Role;
use super::brush::Text;
use super::cx::Cx;

/// The age of what a service last answered, or what it waits for; and for how long that holds.
#[must_use]
pub fn age_label(health: &Health, now: Timestamp) -> Label {
    let forever = |text: &str| Label {
        text: text.to_owned(),
        stays_ms: i64::from(u32::MAX),
    };
    let in_tens = |t: Timestamp| {
        // a wait is told in tens of seconds: the exact second helps nobody and costs a frame each
        let ms = t.since(now).max(0);
        let (text, step) = if ms < 60_000 {
            (format!("{}s", (ms / 10_000 + 1) * 10), 10_000)
        } else {
            (format!("{}m", ms / 60_000), 60_000)
        };
        Label {
            text,
            stays_ms: ms % step + 1,
        }
    };
    match health {
        Health::Connecting => forever("connecting"),
        Health::Fresh { since } => ago(now.since(*since)),
        Health::Stale { since } => {
            let age = ago(now.since(*since));
            Label {
                text: format!("stale {}", age.text),
                ..age
            }
        }
        Health::Limited { .. } if health.quiet_ms(now).is_none() => forever("limited, asking"),
        Health::Limited { until, .. } => {
            let wait = in_tens(*until);
            Label {
                text: format!("limited {}", wait.text),
                ..wait
            }
        }
        Health::Down {
            since, next_try, ..
        } => {
            let down = ago(now.since(*since));
            match next_try {
                None => Label {
                    text: format!("down {}, needs you", down.text),
                    ..down
                },
                Some(at) if *at <= now => Label {
                    text: format!("down {}, asking", down.text),
                    ..down
                },
                Some(at) => {
                    let wait = in_tens(*at);
                    Label {
                        text: format!("down {}, next {}", down.text, wait.text),
                        stays_ms: down.stays_ms.min(wait.stays_ms),
                    }
                }
            }
        }
    }
}

/// The same on the screen: on the board of an earlier time nobody is connecting.
pub fn age_of(cx: &Cx<'_>, health: &Health) -> Label {
    let now = cx.state.now;
    match health {
        Health::Connecting if cx.state.then.is_some() => Label {
            text: "no record then".to_owned(),
            stays_ms: i64::from(u32::MAX),
        },
        // what was known then had the age that it had
        Health::Stale { since } if cx.state.then.is_some() => ago(now.since(*since)),
        _ => age_label(health, now),
    }
}

/// The role of a health's colour.
#[must_use]
pub const fn role_of(health: &Health) -> Role {
    match health {
        Health::Connecting => Role::Dim,
        Health::Fresh { .. } => Role::Good,
        Health::Stale { .. } | Health::Limited { .. } => Role::Warning,
        Health::Down { .. } => Role::Failed,
    }
}

/// How much is said of each service; what doesn't fit says less.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Name, kind, sign, age.
    Full,
    /// Name, sign, age.
    NoKind,
    /// The same with names of at most so many columns, and no age for what is fresh.
    Short(usize),
}

/// The longest name where there is room, and where there is none.
const NAME: usize = 24;
const SHORT_NAME: usize = 10;

/// Draws the line.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let width = usize::from(rect.width);
    let line = [Detail::Full, Detail::NoKind]
        .into_iter()
        .chain([NAME, 16, 13, SHORT_NAME].map(Detail::Short))
        .map(|detail| line(cx, detail))
        .find(|line| line.width() <= width)
        .unwrap_or_else(|| worst(cx, width));
    line.draw(buf, rect, rect.x, rect.y, cx.glyphs.more);
}

/// All of them.
fn line(cx: &Cx<'_>, detail: Detail) -> Text<'static> {
    let mut line = Text::of(" ", cx.style(Role::Text));
    for state in cx.state.store.services() {
        line.append(one(cx, state, detail));
    }
    line
}

/// Those that are not fresh or lack a list, the worst first and as many as there is room for; the others are counted.
fn worst(cx: &Cx<'_>, width: usize) -> Text<'static> {
    let mut bad: Vec<&ServiceState> = cx
        .state
        .store
        .services()
        .iter()
        .filter(|s| !is_well(s))
        .collect();
    bad.sort_by_key(|s| match s.health {
        // these come back by themselves, that one doesn't
        Health::Down { next_try: None, .. } => 0,
        Health::Down { .. } => 1,
        Health::Limited { .. } => 2,
        Health::Stale { .. } => 3,
        Health::Fresh { .. } => 4,
        Health::Connecting => 5,
    });
    let fresh = cx.state.store.services().len() - bad.len();
    let end = |hidden: usize| {
        let mut end = Text::default();
        if hidden > 0 {
            let role = bad
                .get(bad.len() - hidden)
                .map_or(Role::Dim, |state| role_shown(state));
            end.push(format!("+{hidden} more  "), cx.style(role));
        }
        if fresh > 0 {
            let text = format!("{} {fresh} fresh", cx.glyphs.good);
            end.push(text, cx.style(Role::Good));
        }
        end
    };
    let mut line = Text::of(" ", cx.style(Role::Text));
    for (n, state) in bad.iter().enumerate() {
        let next = one(cx, state, Detail::Short(SHORT_NAME));
        let left = bad.len() - n;
        if line.width() + next.width() + end(left - 1).width() > width {
            line.append(end(left));
            return line;
        }
        line.append(next);
    }
    line.append(end(0));
    line
}

/// Fresh, and no list of it failed when it was asked last: what such a list would show may be missing.
fn is_well(state: &ServiceState) -> bool {
    matches!(state.health, Health::Fresh { .. }) && state.partial().next().is_none()
}

fn role_shown(state: &ServiceState) -> Role {
    match role_of(&state.health) {
        Role::Good if !is_well(state) => Role::Warning,
        role => role,
    }
}

fn one(cx: &Cx<'_>, state: &ServiceState, detail: Detail) -> Text<'static> {
    let service = &state.service;
    let health = &state.health;
    let role = role_of(health);
    let dim = cx.style(Role::Dim);
    let fresh = matches!(health, Health::Fresh { .. });
    let (short, longest) = match detail {
        Detail::Short(longest) => (true, longest),
        Detail::Full | Detail::NoKind => (false, NAME),
    };
    let name = cut_middle(&service.name, longest, cx.glyphs.more).into_owned();
    let mut text = Text::of(name, cx.style(Role::Text));
    if detail == Detail::Full {
        text.push(format!(" {}", service.kind), dim);
    }
    text.push(format!(" {}", cx.glyphs.health(health)), cx.style(role));
    if !(fresh && short) {
        let label = age_of(cx, health);
        cx.changes_in(label.stays_ms);
        text.push(
            format!(" {}", label.text),
            if fresh { dim } else { cx.style(role) },
        );
    }
    if fresh && !is_well(state) {
        let mark = if short { "" } else { " list missing" };
        text.push(
            format!(" {}{mark}", cx.glyphs.warning),
            cx.style(Role::Warning),
        );
    }
    text.push(if short { "  " } else { "   " }, dim);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fault, FaultKind};

    #[test]
    fn ages_are_honest() {
        let now = Timestamp(1_000_000);
        let down = |next_try| Health::Down {
            since: now.plus(-125_000),
            last_ok: None,
            next_try,
            fault: Fault::new(FaultKind::Unreachable, "", "", ""),
        };
        for (health, text) in [
            (Health::Connecting, "connecting"),
            (
                Health::Fresh {
                    since: now.plus(-2_000),
                },
                "now",
            ),
            (
                Health::Fresh {
                    since: now.plus(-25_000),
                },
                "20s",
            ),
            (
                Health::Stale {
                    since: now.plus(-300_000),
                },
                "stale 5m",
            ),
            (
                Health::Limited {
                    last_ok: None,
                    until: now.plus(18_000),
                },
                "limited 20s",
            ),
            (down(Some(now.plus(12_000))), "down 2m, next 20s"),
            // it was asked and has not answered yet
            (down(Some(now)), "down 2m, asking"),
            (
                Health::Limited {
                    last_ok: None,
                    until: now.plus(-1),
                },
                "limited, asking",
            ),
            (down(None), "down 2m, needs you"),
        ] {
            assert_eq!(age_label(&health, now).text, text);
        }
    }
}
