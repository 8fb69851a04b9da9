//! The first line: is anything wrong, and what time is it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::store::history::HistoryHealth;

use super::super::state::Then;
use super::super::text::count;
use super::super::theme::Role;
use super::brush::{Text, put};
use super::cx::Cx;

/// Draws name, counts and clock.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let state = cx.state;
    let counts = state.counts;
    let g = cx.glyphs;
    let wide = rect.width >= 100;
    let gap = if wide { "     " } else { "  " };
    let dim = cx.style(Role::Dim);
    let mut line = Text::new();
    // silence is no good news
    let services = state.store.services();
    let is_heard = state.store.task_count() > 0
        || services.is_empty()
        || services.iter().any(|s| s.health.last_ok().is_some());
    let (failed, calm_failed) = match counts.acknowledged {
        0 if !is_heard => ("failed".to_owned(), "no answer yet".to_owned()),
        0 => ("failed".to_owned(), "none failed".to_owned()),
        n => (
            format!("failed, {n} taken"),
            format!("{n} failed, all taken"),
        ),
    };
    let mut figure = |n: usize, sign: &str, role: Role, words: &str, calm: &str| {
        let style = cx.style(if n > 0 { role } else { Role::Dim });
        if n == 0 && calm.is_empty() {
            return;
        }
        if n == 0 {
            line.push(calm.to_owned(), style);
        } else {
            line.push(
                format!("{sign} {}", count(n)),
                style.add_modifier(Modifier::BOLD),
            );
            line.push(format!(" {words}"), style);
        }
        line.push(gap, dim);
    };
    figure(
        counts.open() as usize,
        g.failed,
        Role::Failed,
        &failed,
        &calm_failed,
    );
    figure(
        counts.live as usize,
        g.running,
        Role::Running,
        "running",
        if is_heard { "none running" } else { "" },
    );
    let unwritten = state
        .history
        .as_ref()
        .is_some_and(HistoryHealth::is_failing);
    let (words, calm) = match (wide, unwritten) {
        (true, _) => ("without a good backup", "all have a good backup"),
        (false, false) => ("no good backup", "all backed up"),
        // there is more to say
        (false, true) => ("overdue", "backed up"),
    };
    // nothing known is no good news
    let calm = if counts.devices == 0 {
        "no devices known"
    } else {
        calm
    };
    figure(
        counts.without_good as usize,
        g.warning,
        Role::Warning,
        words,
        calm,
    );
    if unwritten {
        let text = if wide {
            "history is not written"
        } else {
            "no history"
        };
        line.push(format!("{} {text}", g.failed), cx.style(Role::Failed));
    }
    let now = state.now;
    let clock = format!(
        "{} {} ",
        state.look.zone.minute(now),
        state.look.zone.name(now)
    );
    cx.wake_at(now.plus(60_000 - now.millis().rem_euclid(60_000)));
    let at = rect
        .right()
        .saturating_sub(u16::try_from(clock.len()).unwrap_or(0));
    let room = Rect {
        width: at.saturating_sub(rect.x),
        ..rect
    };
    // figures before the name of the program
    let name = Text::of(" keepwatch", cx.style(Role::Strong)).with(gap, dim);
    let mut begins = rect.x;
    if name.width() + line.width() <= usize::from(room.width) {
        begins = name.draw(buf, room, rect.x, rect.y, "");
    } else {
        begins += 1;
    }
    let room = Rect {
        x: begins,
        width: room.right().saturating_sub(begins),
        ..room
    };
    line.draw(buf, room, begins, rect.y, g.more);
    put(buf, rect, at, rect.y, &clock, dim);
}

/// Says that this is the board of an earlier time.
fn draw_then(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect, then: &Then) {
    let state = cx.state;
    let style = cx
        .style(Role::Warning)
        .add_modifier(Modifier::BOLD | Modifier::REVERSED);
    let when = state.look.zone.full(then.at);
    let ago = super::super::text::ago(then.real_now.since(then.at)).text;
    let ago = match ago.as_str() {
        "now" => "just now".to_owned(),
        ago => format!("{ago} ago"),
    };
    let long = format!(
        " THE PAST: the board as it was known at {when}, {ago}. Nothing is sent from here. "
    );
    let short = format!(" THE PAST: {when}, {ago}. Nothing is sent from here. ");
    let text = if long.chars().count() <= usize::from(rect.width) {
        long
    } else {
        short
    };
    Text::of(text, style).draw(buf, rect, rect.x, rect.y, cx.glyphs.more);
}

/// Draws the notice about embedded services.
pub fn draw_notice(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let state = cx.state;
    if let Some(then) = &state.then {
        return draw_then(cx, buf, rect, then);
    }
    let path = &state.config_path;
    let n = state
        .store
        .services()
        .iter()
        .filter(|s| s.service.embedded)
        .count();
    let which = if n == state.store.services().len() {
        "These are"
    } else {
        "Some are"
    };
    let long = format!(
        "{which} embedded demo services: simulated on this machine, nothing real is touched. Add your own in {path} (keepwatch --help)."
    );
    let short = format!("{which} demo services, simulated here. Add your own in {path}.");
    let shortest = format!("{which} demo services. Add your own in {path}.");
    let fits = |text: &String| text.chars().count() + 2 <= usize::from(rect.width);
    let text = [long, short].into_iter().find(fits).unwrap_or(shortest);
    Text::of(" ", cx.style(Role::Notice))
        .with(text, cx.style(Role::Notice))
        .draw(buf, rect, rect.x, rect.y, cx.glyphs.more);
}
