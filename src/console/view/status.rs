//! The two lines at the bottom: what just happened, and which keys do what.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::can::why_not;
use super::super::keymap::Place;
use super::super::layout::Layout;
use super::super::state::layer::{Layer, PageKind, PickKind, Showing};
use super::super::state::{PaneId, State, Tone};
use super::super::text::{count, width, wrap};
use super::super::theme::Role;
use super::super::ticket::capital;
use super::super::word::Word;
use super::brush::{Text, clear, put};
use super::course::stage_role;
use super::cx::Cx;
use super::feed::sentence;
use super::frame::{self, Edge};

/// Draws what just happened: a sentence for the operator, actions on their way, the newest transitions.
pub fn draw(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let mut line = Text::of(" ", cx.style(Role::Text));
    if let Some((sign, text, role)) = sentence_now(cx) {
        line.push(format!("{sign} {text}"), cx.style(role));
    } else if let Some(deeds) = deeds(cx) {
        line.append(deeds);
    } else {
        for (i, transition) in cx.state.store.log().newest_first().take(3).enumerate() {
            if i > 0 {
                line.push("     ", cx.style(Role::Dim));
            }
            line.append(sentence(cx, &transition));
        }
    }
    line.draw(buf, rect, rect.x, rect.y, cx.glyphs.more);
}

/// The sentence for the operator, if there is one: its sign, its words, its role.
fn sentence_now<'s>(cx: &Cx<'s>) -> Option<(&'static str, &'s str, Role)> {
    let toast = cx.state.toast.as_ref()?;
    let (sign, role) = match toast.tone {
        Tone::Good => (cx.glyphs.good, Role::Good),
        Tone::Plain => (cx.glyphs.dot, Role::Text),
        Tone::Warning => (cx.glyphs.warning, Role::Warning),
        Tone::Bad => (cx.glyphs.failed, Role::Failed),
    };
    Some((sign, &toast.text, role))
}

/// Draws a sentence that is too long for its line in a box above the line of keys.
pub fn draw_long(cx: &Cx<'_>, buf: &mut Buffer, layout: &Layout) {
    let Some((sign, text, role)) = sentence_now(cx) else {
        return;
    };
    let room = usize::from(layout.screen.width.saturating_sub(6));
    if !layout.status.is_empty() && width(text) + 3 <= usize::from(layout.status.width) {
        return;
    }
    let lines = wrap(text, room);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let bottom = layout.hints.y;
    let height = height.min(bottom.saturating_sub(1));
    let rect = Rect {
        y: bottom - height,
        height,
        ..layout.screen
    };
    clear(buf, rect, cx.style(Role::Text));
    let inner = frame::draw(cx, buf, rect, &Edge::default());
    put(buf, inner, inner.x + 1, inner.y, sign, cx.style(role));
    for (line, y) in lines.iter().zip(inner.y..inner.bottom()) {
        put(buf, inner, inner.x + 3, y, line, cx.style(role));
    }
}

/// The newest batch on its way, or the newest action and how many more there are.
fn deeds(cx: &Cx<'_>) -> Option<Text<'static>> {
    if let Some((batch, progress)) = cx.state.deeds.newest_open(&cx.state.ledger) {
        let line = Text::of(
            format!("{} on {}: ", batch.label, progress.total),
            cx.style(Role::Text),
        )
        .with(progress.in_words(), cx.style(Role::Running));
        return Some(line.with("   A shows them", cx.style(Role::Dim)));
    }
    let open: Vec<_> = cx.state.ledger.open().collect();
    let newest = open.last()?;
    let intent = &newest.prepared.intent;
    let stage = newest.stage();
    let mut line = Text::of(
        format!(
            "{} {} ",
            capital(&intent.action.replace('-', " ")),
            intent.target.name
        ),
        cx.style(Role::Text),
    );
    line.push(
        format!("{} {}", cx.glyphs.to, stage.word()),
        cx.style(stage_role(stage)),
    );
    let waiting = cx.state.deeds.waiting();
    let others = open.len() - 1;
    if others > 0 {
        let mut text = format!("   and {} more", count(others));
        if waiting > 0 {
            text.push_str(&format!(", {} waiting to be sent", count(waiting)));
        }
        line.push(text, cx.style(Role::Dim));
    }
    Some(line)
}

/// The keys worth a hint where the operator is.
fn hints(state: &State) -> (Place, &'static [Word]) {
    const LIST: &[Word] = &[
        Word::Trigger,
        Word::Cancel,
        Word::Retry,
        Word::Clear,
        Word::Acknowledge,
        Word::Menu,
        Word::Preview,
        Word::Mark,
        Word::Filter,
        Word::Detail,
        Word::Sort,
        Word::Expand,
        Word::Ticket,
        Word::Palette,
        Word::Help,
    ];
    const POLICIES: &[Word] = &[
        Word::Trigger,
        Word::Enable,
        Word::Disable,
        Word::Menu,
        Word::Preview,
        Word::Mark,
        Word::Filter,
        Word::Detail,
        Word::Sort,
        Word::Expand,
        Word::Palette,
        Word::Help,
    ];
    const FEED: &[Word] = &[
        Word::Detail,
        Word::Expand,
        Word::Palette,
        Word::Help,
        Word::Quit,
    ];
    const DETAIL: &[Word] = &[
        Word::Close,
        Word::NextPane,
        Word::Trigger,
        Word::Cancel,
        Word::Retry,
        Word::Clear,
        Word::Menu,
        Word::Preview,
        Word::Ticket,
        Word::CopyRecord,
        Word::Palette,
        Word::Help,
    ];
    const THEN: &[Word] = &[
        Word::Close,
        Word::StepBack,
        Word::StepOn,
        Word::MinutesBack,
        Word::MinutesOn,
        Word::At,
        Word::Detail,
        Word::Filter,
        Word::Palette,
        Word::Help,
    ];
    const PROMPT: &[Word] = &[Word::Accept, Word::Close, Word::Complete, Word::Earlier];
    const FORM: &[Word] = &[Word::Accept, Word::Close];
    const PICK: &[Word] = &[Word::Accept, Word::Close];
    const MENU: &[Word] = &[Word::Accept, Word::Preview, Word::Close];
    const CAUSES: &[Word] = &[Word::Accept, Word::NextPane, Word::Close];
    const DIALOG: &[Word] = &[Word::Yes, Word::Close];
    const RETURN: &[Word] = &[Word::Accept, Word::Yes, Word::Close];
    const PAGE: &[Word] = &[Word::Down, Word::Close];
    const DEEDS: &[Word] = &[Word::Down, Word::Withhold, Word::Retry, Word::Close];
    match state.layers.last() {
        Some(Layer::Filter(_)) => (Place::Prompt, PROMPT),
        Some(Layer::Form(_) | Layer::Ack(_)) => (Place::Prompt, FORM),
        Some(Layer::Pick(pick)) if matches!(pick.kind, PickKind::Causes(_)) => {
            (Place::Pick, CAUSES)
        }
        Some(Layer::Pick(pick)) if matches!(pick.kind, PickKind::Menu | PickKind::Palette) => {
            (Place::Pick, MENU)
        }
        Some(Layer::Pick(_)) => (Place::Pick, PICK),
        Some(Layer::Confirm(confirm)) if confirm.wants_typing() => (Place::Prompt, FORM),
        Some(Layer::Confirm(confirm)) if confirm.showing == Showing::FirstForReturn => {
            (Place::Dialog, RETURN)
        }
        Some(Layer::Confirm(_)) => (Place::Dialog, DIALOG),
        Some(Layer::Page(page)) if page.kind == PageKind::Deeds => (Place::Dialog, DEEDS),
        Some(Layer::Page(_)) => (Place::Dialog, PAGE),
        None if state.detail.is_some() => (Place::Detail, DETAIL),
        None if state.then.is_some() => (state.place(), THEN),
        None if state.focus == PaneId::Feed => (Place::Anywhere, FEED),
        None if state.focus == PaneId::Policies => (Place::List, POLICIES),
        None => (Place::List, LIST),
    }
}

/// A word's hint where its own is about something else.
const fn hint(word: Word, place: Place) -> &'static str {
    match (word, place) {
        (Word::Accept, Place::Dialog) => "send it",
        (Word::Preview, Place::Pick) => "see the request first",
        (Word::Accept, _) => "take it",
        (Word::Close, Place::Detail) => "back",
        (Word::Close, Place::List | Place::Anywhere) => "now",
        (Word::At, _) => "another time",
        (Word::Close, _) => "leave it",
        (Word::NextPane, Place::Pick) => "group by the next",
        (Word::NextPane, _) => "next tab",
        (Word::Complete, _) => "complete",
        (Word::Earlier, _) => "earlier",
        (Word::Yes, _) => "do it",
        (Word::Withhold, _) => "stop what waits",
        (Word::Retry, Place::Dialog) => "ask again for the rest",
        (Word::Down, _) => "scroll",
        (Word::CopyRecord, _) => "copy record",
        (Word::Quit, _) => "quit",
        _ => word.hint(),
    }
}

/// Draws the line of keys. What can't be done now stands back.
pub fn draw_hints(cx: &Cx<'_>, buf: &mut Buffer, rect: Rect) {
    if rect.is_empty() {
        return;
    }
    let (place, words) = hints(cx.state);
    let over = !cx.state.layers.is_empty();
    let piece = |word: Word| {
        let key = cx.state.keymap.label(place, word, cx.glyphs.ascii);
        if key.is_empty() {
            return Text::new();
        }
        let possible = over || why_not(cx.state, word).is_none();
        let (a, b) = if possible {
            (Role::Accent, Role::Text)
        } else {
            (Role::Off, Role::Off)
        };
        Text::of(key, cx.style(a)).with(format!(" {}  ", hint(word, place)), cx.style(b))
    };
    // the way to everything else stands at the right, always
    let mut last = Text::new();
    for word in words
        .iter()
        .filter(|w| matches!(w, Word::Palette | Word::Help))
    {
        last.append(piece(*word));
    }
    let last_at = rect
        .right()
        .saturating_sub(u16::try_from(last.width()).unwrap_or(0))
        + 1;
    let mut line = Text::of(" ", cx.style(Role::Text));
    for word in words
        .iter()
        .filter(|w| !matches!(w, Word::Palette | Word::Help))
    {
        let piece = piece(*word);
        // whole hints or none
        if line.width() + piece.width() > usize::from(last_at.saturating_sub(rect.x)) + 1 {
            break;
        }
        line.append(piece);
    }
    line.draw(buf, rect, rect.x, rect.y, "");
    if last_at >= rect.x {
        last.draw(buf, rect, last_at, rect.y, "");
    }
}
