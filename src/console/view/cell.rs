//! What stands in one cell of a list.

use std::borrow::Cow;

use crate::model::{Asked, Phase, Timestamp};
use crate::store::{DeviceRow, PolicyRow, Stats, TaskRow};

use super::super::card::{Card, advice_word};
use super::super::text::{cut_end, cut_middle, span};
use super::super::theme::Role;
use super::super::thing::Thing;
use super::brush::Text;
use super::columns::Col;
use super::cx::Cx;

/// The sign of a thing and its role.
#[must_use]
pub fn sign(cx: &Cx<'_>, thing: Thing) -> (&'static str, Role) {
    let g = cx.glyphs;
    match thing {
        Thing::Task(row) => {
            let task = cx.state.store.task(row);
            if task.is_acknowledged() {
                (g.taken, Role::Off)
            } else {
                (g.phase(task.phase()), cx.role_of(task.phase()))
            }
        }
        Thing::Device(row) => {
            let device = cx.state.store.device(row);
            standing(cx, &device.stats(), device.faulty())
        }
        Thing::Policy(row) => {
            let policy = cx.state.store.policy(row);
            let stats = policy.stats();
            if policy.enabled() == Some(false) {
                (g.off, Role::Off)
            } else {
                let overdue = policy.overdue_since(cx.state.now).is_some();
                standing(cx, &stats, policy.faulty() || overdue)
            }
        }
    }
}

/// How a device or policy stands: its newest attempt first, then whether it is well at all.
fn standing(cx: &Cx<'_>, stats: &Stats, faulty: bool) -> (&'static str, Role) {
    let g = cx.glyphs;
    match stats.last_attempt_phase {
        Some(Phase::Failed) => (g.failed, Role::Failed),
        Some(Phase::Uncertain) => (g.uncertain, Role::Uncertain),
        _ if faulty => (g.warning, Role::Warning),
        _ if !stats.ever_succeeded() && stats.tasks > 0 && stats.running == 0 => {
            (g.warning, Role::Warning)
        }
        _ if stats.running > 0 => (g.running, Role::Running),
        _ if stats.ever_succeeded() => (g.good, Role::Good),
        _ => (g.none, Role::Off),
    }
}

/// The cell of a thing in a column, at most `width` columns wide.
#[must_use]
pub fn cell<'s>(cx: &Cx<'s>, thing: Thing, col: Col, width: usize) -> Text<'s> {
    match (col, thing) {
        (Col::Name, _) => name(cx, thing.name(&cx.state.store), width),
        (Col::Service, _) => {
            let text = cut_middle(thing.service_name(&cx.state.store), width, cx.glyphs.more);
            Text::of(text, cx.style(Role::Dim))
        }
        (_, Thing::Task(row)) => task(cx, row, col, width),
        (_, Thing::Device(row)) => device(cx, row, col, width),
        (_, Thing::Policy(row)) => policy(cx, row, col, width),
    }
}

fn name<'s>(cx: &Cx<'s>, text: &'s str, width: usize) -> Text<'s> {
    Text::of(
        cut_middle(text, width, cx.glyphs.more),
        cx.style(Role::Text),
    )
}

fn plain<'s>(cx: &Cx<'_>, text: impl Into<Cow<'s, str>>, role: Role, width: usize) -> Text<'s> {
    let text = text.into();
    let text = match cut_end(&text, width, cx.glyphs.more) {
        Cow::Borrowed(kept) if kept.len() == text.len() => text,
        cut => Cow::Owned(cut.into_owned()),
    };
    Text::of(text, cx.style(role))
}

/// Something that isn't there.
fn none<'s>(cx: &Cx<'_>) -> Text<'s> {
    Text::of("-", cx.style(Role::Dim))
}

fn ago<'s>(cx: &Cx<'_>, t: Option<Timestamp>, role: Role) -> Text<'s> {
    match t {
        Some(t) => Text::of(cx.ago(t), cx.style(role)),
        None => none(cx),
    }
}

fn number<'s>(cx: &Cx<'_>, n: u32, role: Role) -> Text<'s> {
    match n {
        0 => none(cx),
        n => Text::of(n.to_string(), cx.style(role)),
    }
}

// ---- devices and policies

fn last_good<'s>(cx: &Cx<'_>, stats: &Stats, overdue: bool) -> Text<'s> {
    match stats.last_good {
        _ if stats.good_now => Text::of("now", cx.style(Role::Text)),
        Some(t) => Text::of(
            cx.ago(t),
            cx.style(if stats.streak > 0 || overdue {
                Role::Warning
            } else {
                Role::Text
            }),
        ),
        None if stats.tasks == 0 && !overdue => none(cx),
        None => Text::of("never", cx.style(Role::Failed)),
    }
}

fn recent<'s>(cx: &Cx<'_>, stats: &Stats, width: usize) -> Text<'s> {
    let mut text = Text::new();
    // oldest at the left, as on a time line
    let newest: Vec<Phase> = stats.recent().take(width).collect();
    for phase in newest.into_iter().rev() {
        text.push(cx.glyphs.phase(phase), cx.style(cx.role_of(phase)));
    }
    if text.is_empty() { none(cx) } else { text }
}

fn fails<'s>(cx: &Cx<'_>, stats: &Stats) -> Text<'s> {
    let role = if stats.streak > 2 {
        Role::Failed
    } else {
        Role::Text
    };
    number(cx, stats.streak, role)
}

fn last_try<'s>(cx: &Cx<'_>, stats: &Stats) -> Text<'s> {
    match (stats.last_attempt_phase, stats.last_attempt) {
        (Some(phase), at) => {
            let style = cx.style(cx.role_of(phase));
            let mut text = Text::of(cx.glyphs.phase(phase), style);
            if let Some(at) = at {
                text.push(format!(" {}", cx.ago(at)), cx.style(Role::Text));
            }
            text
        }
        _ => none(cx),
    }
}

fn device<'s>(cx: &Cx<'s>, row: DeviceRow, col: Col, width: usize) -> Text<'s> {
    let device = cx.state.store.device(row);
    let stats = device.stats();
    match col {
        Col::LastGood => last_good(cx, &stats, false),
        Col::Recent => recent(cx, &stats, width),
        Col::Fails => fails(cx, &stats),
        Col::LastTry => last_try(cx, &stats),
        Col::Live => number(cx, stats.running, Role::Running),
        Col::Tasks => number(cx, stats.tasks, Role::Dim),
        Col::Status => {
            let role = if device.faulty() {
                Role::Warning
            } else {
                Role::Dim
            };
            plain(cx, device.native_status(), role, width)
        }
        Col::Place => plain(cx, device.place(), Role::Dim, width),
        Col::What => plain(cx, device.what(), Role::Dim, width),
        _ => Text::new(),
    }
}

fn policy<'s>(cx: &Cx<'s>, row: PolicyRow, col: Col, width: usize) -> Text<'s> {
    let policy = cx.state.store.policy(row);
    let stats = policy.stats();
    match col {
        Col::Next if policy.next_run().is_none() && is_silent(cx, row) => {
            Text::of("silent", cx.style(Role::Warning))
        }
        Col::Next => next(cx, policy.enabled(), policy.next_run()),
        Col::LastGood => last_good(cx, &stats, policy.overdue_since(cx.state.now).is_some()),
        Col::Recent => recent(cx, &stats, width),
        Col::Fails => fails(cx, &stats),
        Col::LastTry => last_try(cx, &stats),
        Col::Live => number(cx, stats.running, Role::Running),
        Col::Tasks => number(cx, stats.tasks, Role::Dim),
        Col::Status => {
            let role = if policy.faulty() {
                Role::Warning
            } else {
                Role::Dim
            };
            plain(cx, policy.native_status(), role, width)
        }
        Col::Schedule => plain(cx, policy.schedule(), Role::Dim, width),
        Col::What => plain(cx, policy.what(), Role::Dim, width),
        _ => Text::new(),
    }
}

/// Whether the schedule stopped firing; judged once a minute, so that it doesn't change between two frames.
fn is_silent(cx: &Cx<'_>, row: PolicyRow) -> bool {
    const STEP_MS: i64 = 60_000;
    let now = cx.state.now.millis();
    let step = Timestamp(now - now.rem_euclid(STEP_MS));
    cx.changes_in(step.plus(STEP_MS).since(cx.state.now));
    cx.state.store.silent(row, step).is_some()
}

/// When a policy fires next; a time that has passed by more than a while is a schedule that stopped.
fn next<'s>(cx: &Cx<'_>, enabled: Option<bool>, at: Option<Timestamp>) -> Text<'s> {
    const LATE_MS: i64 = 10 * 60_000;
    match (enabled, at) {
        (Some(false), _) => Text::of("off", cx.style(Role::Off)),
        (_, None) => none(cx),
        (_, Some(at)) if cx.state.now.since(at) > LATE_MS => {
            Text::of(format!("late {}", cx.ago(at)), cx.style(Role::Warning))
        }
        (_, Some(at)) => match cx.until(at).as_str() {
            "now" => Text::of("now", cx.style(Role::Text)),
            wait => Text::of(format!("in {wait}"), cx.style(Role::Text)),
        },
    }
}

// ---- tasks

fn task<'s>(cx: &Cx<'s>, row: TaskRow, col: Col, width: usize) -> Text<'s> {
    let task = cx.state.store.task(row);
    match col {
        Col::Policy => {
            let text = cut_middle(task.policy_label(), width, cx.glyphs.more);
            Text::of(text, cx.style(Role::Text))
        }
        Col::Operation => plain(cx, task.operation(), Role::Text, width),
        Col::Status => plain(cx, task.native_status(), cx.role_of(task.phase()), width),
        Col::Step => step(cx, row, width),
        Col::Progress => progress(cx, task.progress(), width),
        Col::Elapsed => elapsed(cx, row),
        Col::Took => elapsed(cx, row),
        Col::Left => left(cx, row),
        Col::Started => match task.started_at() {
            Some(t) => plain(
                cx,
                cx.state.look.zone.near(t, cx.state.now),
                Role::Text,
                width,
            ),
            None => none(cx),
        },
        Col::Ended => ago(cx, task.ended_at().or(task.updated_at()), Role::Text),
        Col::Updated => ago(
            cx,
            task.ended_at().or(task.updated_at()).or(task.started_at()),
            Role::Text,
        ),
        Col::Code => code(cx, row, width),
        Col::Http => match task.http_status() {
            Some(n) => Text::of(n.to_string(), cx.style(Role::Text)),
            None => Text::new(),
        },
        Col::Meaning => {
            let card = Card::of(&cx.state.catalog, &cx.state.store, row);
            let device = cx.state.store.task(row).device_row();
            let flaps = device.is_some_and(|d| cx.state.store.device(d).stats().is_flapping());
            let text = if flaps {
                format!("{} {}", cx.glyphs.flapping, card.short_meaning())
            } else {
                card.short_meaning()
            };
            plain(cx, text, Role::Text, width)
        }
        Col::Retry => {
            let card = Card::of(&cx.state.catalog, &cx.state.store, row);
            match card.advice() {
                Some(advice) => plain(cx, advice_word(advice), Role::Dim, width),
                None => none(cx),
            }
        }
        _ => Text::new(),
    }
}

/// The step, or what was asked and has not happened, or that it is lost.
fn step<'s>(cx: &Cx<'s>, row: TaskRow, width: usize) -> Text<'s> {
    let task = cx.state.store.task(row);
    if task.lost() {
        return plain(
            cx,
            "lost: it vanished at the service",
            Role::Uncertain,
            width,
        );
    }
    let asked = match task.asked() {
        Some(Asked::Cancel) => "cancel asked, still runs",
        Some(Asked::Start) => "start asked",
        None => "",
    };
    if !asked.is_empty() {
        return plain(cx, asked, Role::Warning, width);
    }
    let store = &cx.state.store;
    let now = cx.step_of_rhythm(row);
    if let Some(stuck) = store.stuck(row, now) {
        let text = format!("stuck for {}", cx.live(stuck.since));
        return plain(cx, text, Role::Warning, width);
    }
    if let Some(usual) = store.slow(row, now) {
        let text = format!("slow, usual {}", span(usual.ms));
        return plain(cx, text, Role::Warning, width);
    }
    // what has ended is at no step: the last one is told where it is another word than the status
    let text = match task.step() {
        step if !task.phase().is_live() && step == task.native_status() => "",
        "" if !task.phase().is_live() => "",
        "" => task.native_status(),
        step => step,
    };
    let role = match task.phase() {
        Phase::Waiting | Phase::Queued => Role::Waiting,
        _ => Role::Text,
    };
    plain(cx, text, role, width)
}

/// A bar with its number; where the service tells nothing the cell says so.
#[must_use]
pub fn progress<'s>(cx: &Cx<'_>, percent: Option<u8>, width: usize) -> Text<'s> {
    let Some(percent) = percent else {
        return Text::of("unknown", cx.style(Role::Dim));
    };
    let percent = percent.min(100);
    let figure = format!("{percent:>3}%");
    let room = width.saturating_sub(figure.len() + 1);
    let done = room * usize::from(percent) / 100;
    let mut text = Text::of(cx.glyphs.bar_done.repeat(done), cx.style(Role::BarDone));
    text.push(
        cx.glyphs.bar_left.repeat(room - done),
        cx.style(Role::BarLeft),
    );
    text.push(format!(" {figure}"), cx.style(Role::Text));
    text
}

fn elapsed<'s>(cx: &Cx<'_>, row: TaskRow) -> Text<'s> {
    let task = cx.state.store.task(row);
    match (task.started_at(), task.ended_at()) {
        (Some(from), Some(to)) => Text::of(span(to.since(from)), cx.style(Role::Text)),
        (Some(from), None) if task.phase().is_live() => {
            Text::of(cx.live(from), cx.style(Role::Text))
        }
        _ => none(cx),
    }
}

/// What is left, estimated from how much is done in how long. Below a few percent nothing can be said.
#[must_use]
pub fn estimate(started: Option<Timestamp>, percent: Option<u8>, now: Timestamp) -> Option<i64> {
    let (started, percent) = (started?, i64::from(percent?));
    // in the steps of the label of what has elapsed, so that both change together
    let step = if now.since(started) < 60_000 {
        1_000
    } else {
        10_000
    };
    let elapsed = now.since(started) / step * step;
    if !(5..100).contains(&percent) || elapsed < 10_000 {
        return None;
    }
    Some((elapsed / percent).saturating_mul(100 - percent))
}

fn left<'s>(cx: &Cx<'_>, row: TaskRow) -> Text<'s> {
    let task = cx.state.store.task(row);
    if !task.phase().is_live() {
        return none(cx);
    }
    if let Some(started) = task.started_at() {
        // the estimate changes with what has elapsed, whether that is in sight or not
        let _ = cx.live(started);
    }
    match estimate(task.started_at(), task.progress(), cx.state.now) {
        Some(ms) => Text::of(rough(ms), cx.style(Role::Text)),
        None => Text::of("unknown", cx.style(Role::Dim)),
    }
}

/// An estimate, no finer than it deserves: `~40s`, `~3m`, `~2h`.
#[must_use]
pub fn rough(ms: i64) -> String {
    match ms {
        ..60_000 => format!("~{}s", (ms / 10_000 + 1) * 10),
        60_000..5_400_000 => format!("~{}m", ms.saturating_add(30_000) / 60_000),
        _ => format!("~{}h", ms.saturating_add(1_800_000) / 3_600_000),
    }
}

fn code<'s>(cx: &Cx<'s>, row: TaskRow, width: usize) -> Text<'s> {
    let task = cx.state.store.task(row);
    let role = cx.role_of(task.phase());
    if !task.code().is_empty() {
        return Text::of(
            cut_middle(task.code(), width, cx.glyphs.more),
            cx.style(role),
        );
    }
    if task.phase().needs_person() {
        // without a code the status is what it goes by
        let text = cut_middle(task.native_status(), width, cx.glyphs.more);
        return Text::of(text, cx.style(role));
    }
    // what did not fail has none to miss
    Text::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_come_from_progress_and_time_only() {
        let now = Timestamp(1_000_000);
        let started = Some(now.plus(-120_000));
        assert_eq!(estimate(started, Some(50), now), Some(120_000));
        assert_eq!(estimate(started, Some(3), now), None);
        assert_eq!(estimate(started, None, now), None);
        assert_eq!(estimate(None, Some(50), now), None);
        assert_eq!(estimate(started, Some(100), now), None);
        for (ms, text) in [(4_000, "~10s"), (119_000, "~2m"), (7_200_000, "~2h")] {
            assert_eq!(rough(ms), text);
        }
    }
}
