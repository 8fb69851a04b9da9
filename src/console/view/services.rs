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
    /// The same with short names, and no age for what is fresh.
    Short,
    /// Only those that are not fresh.
    Bad,
}

/// Draws the line.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let line = [Detail::Full, Detail::NoKind, Detail::Short, Detail::Bad]
        .into_iter()
        .map(|detail| line(cx, detail))
        .find(|line| line.width() <= usize::from(rect.width))
        .unwrap_or_else(|| line(cx, Detail::Bad));
    line.draw(buf, rect, rect.x, rect.y, cx.glyphs.more);
}

fn line(cx: &Cx<'_>, detail: Detail) -> Text<'static> {
    let mut line = Text::of(" ", cx.style(Role::Text));
    let mut fresh = 0;
    for state in cx.state.store.services() {
        let is_fresh = matches!(state.health, Health::Fresh { .. });
        if is_fresh && detail == Detail::Bad {
            fresh += 1;
            continue;
        }
        line.append(one(cx, state, detail));
    }
    if fresh > 0 {
        line.push(
            format!("{} {fresh} fresh", cx.glyphs.good),
            cx.style(Role::Good),
        );
    }
    line
}

fn one(cx: &Cx<'_>, state: &ServiceState, detail: Detail) -> Text<'static> {
    let service = &state.service;
    let health = &state.health;
    let role = role_of(health);
    let dim = cx.style(Role::Dim);
    let fresh = matches!(health, Health::Fresh { .. });
    let short = matches!(detail, Detail::Short | Detail::Bad);
    let name = cut_middle(&service.name, if short { 10 } else { 24 }, cx.glyphs.more).into_owned();
    let mut text = Text::of(name, cx.style(Role::Text));
    if detail == Detail::Full {
        text.push(format!(" {}", service.kind), dim);
    }
    text.push(format!(" {}", cx.glyphs.health(health)), cx.style(role));
    if !(fresh && short) {
        let label = age_label(health, cx.state.now);
        cx.wake_at(cx.state.now.plus(label.stays_ms));
        text.push(
            format!(" {}", label.text),
            if fresh { dim } else { cx.style(role) },
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
            (down(None), "down 2m, needs you"),
        ] {
            assert_eq!(age_label(&health, now).text, text);
        }
    }
}
