//! The confirmation: what it will do, the exact request, what to look at first, yes or no.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Prepared, url_path};

use super::super::card::advice_sentence;
use super::super::keymap::Place;
use super::super::layout::Layout;
use super::super::state::layer::confirm::Item;
use super::super::state::layer::{Confirm, Showing};
use super::super::text::{cut_middle, width, wrap};
use super::super::theme::Role;
use super::super::thing::{kind_of, name_of};
use super::super::word::Word;
use super::brush::{Text, put};
use super::cx::Cx;
use super::frame::{self, Edge};

/// Draws the dialog; the answer is where the cursor stands, when something has to be typed.
pub fn draw(
    cx: &Cx<'_>,
    buf: &mut Buffer,
    confirm: &Confirm,
    layout: &Layout,
) -> Option<(u16, u16)> {
    let wide = layout.body.width.saturating_sub(4).min(86);
    let columns = usize::from(wide.saturating_sub(4));
    let body = content(cx, confirm, columns);
    let height = u16::try_from(body.len() + 4).unwrap_or(u16::MAX).max(7);
    let edge = Edge {
        title: title(cx, confirm),
        focus: true,
        ..Edge::default()
    };
    let inner = frame::over(cx, buf, layout.body, (wide, height), &edge);
    if inner.height < 3 {
        return None;
    }
    let area = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let text = Rect {
        height: area.height - 2,
        ..area
    };
    let most = body.len().saturating_sub(usize::from(text.height));
    super::card::lines(cx, buf, text, &body, confirm.scroll.min(most));
    answer(cx, buf, area, confirm)
}

fn title(cx: &Cx<'_>, confirm: &Confirm) -> Text<'static> {
    let dim = cx.style(Role::Dim);
    let mut title = Text::of(confirm.label.clone(), cx.style(Role::Strong));
    match confirm.items.as_slice() {
        _ if !confirm.is_ready() => {
            title.push(format!(" {} asking what it would be …", cx.glyphs.dot), dim);
        }
        [one] => {
            let service = one.prepared.intent.service;
            let (on, kind) = (
                name_of(&cx.state.store, service),
                kind_of(&cx.state.store, service),
            );
            title.push(
                format!(" {} {} on {on} ({kind})", cx.glyphs.dot, one.name),
                dim,
            );
        }
        many => title.push(
            format!(" {} {} of {}", cx.glyphs.dot, many.len(), confirm.wanted),
            dim,
        ),
    }
    if confirm.showing != Showing::IfDangerous {
        title.push(format!(" {} nothing is sent yet", cx.glyphs.dot), dim);
    }
    title
}

fn say<'t>(cx: &Cx<'_>, out: &mut Vec<Text<'t>>, columns: usize, text: &str, role: Role) {
    for line in wrap(text, columns) {
        out.push(Text::of(line.to_owned(), cx.style(role)));
    }
}

fn content<'t>(cx: &Cx<'_>, confirm: &Confirm, columns: usize) -> Vec<Text<'t>> {
    let mut out = Vec::new();
    if !confirm.is_ready() {
        let open = confirm.queue.len() + confirm.asked.len();
        let text = format!(
            "Asking for the exact request, {open} of {} to go.",
            confirm.wanted
        );
        say(cx, &mut out, columns, &text, Role::Dim);
        return out;
    }
    match confirm.items.as_slice() {
        [one] => single(cx, &mut out, &one.prepared, columns),
        many => several(cx, &mut out, many, confirm.left_out.len(), columns),
    }
    if !confirm.left_out.is_empty() {
        out.push(Text::new());
        let n = confirm.left_out.len();
        say(
            cx,
            &mut out,
            columns,
            &format!("Left out, {n}:"),
            Role::Warning,
        );
        for (name, why) in &confirm.left_out {
            for (i, line) in wrap(&format!("{name}: {why}"), columns.saturating_sub(2))
                .into_iter()
                .enumerate()
            {
                let indent = if i == 0 { "  " } else { "    " };
                out.push(Text::of(format!("{indent}{line}"), cx.style(Role::Dim)));
            }
        }
    }
    out
}

/// What an action does without the name of what it does it to: that of many is often the same.
fn nameless(cx: &Cx<'_>, item: &Item) -> String {
    /// Shorter names may be words of the sentence.
    const SHORTEST: usize = 4;
    let effect = &item.prepared.effect;
    let target = &item.prepared.intent.target;
    let mut out = effect.clone();
    for name in [target.name.as_str(), target.id.as_str()] {
        if name.len() >= SHORTEST {
            out = without(&out, name, cx.glyphs.more);
        }
    }
    out
}

/// A text with something else in the place of a name, where it stands by itself.
fn without(text: &str, name: &str, instead: &str) -> String {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in text.match_indices(name) {
        let end = at + name.len();
        if !text[..at].ends_with(part) && !text[end..].starts_with(part) {
            out.push_str(&text[from..at]);
            out.push_str(instead);
            from = end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// Many actions: what they do once, where it is the same, and a line for each.
fn several<'t>(
    cx: &Cx<'_>,
    out: &mut Vec<Text<'t>>,
    many: &[Item],
    left_out: usize,
    columns: usize,
) {
    let first = many
        .first()
        .map_or_else(String::new, |item| nameless(cx, item));
    let same = many.iter().all(|item| nameless(cx, item) == first);
    if same {
        say(cx, out, columns, &first, Role::Text);
    }
    if left_out > 0 {
        let text = format!("{left_out} more are left out; why stands below.");
        say(cx, out, columns, &text, Role::Warning);
    }
    if !out.is_empty() {
        out.push(Text::new());
    }
    let wide = many.iter().map(|item| width(&item.name)).max();
    let wide = wide.unwrap_or(0).min(columns / 3);
    for item in many {
        let request = item.prepared.requests.first();
        let line = request.map_or_else(String::new, |r| {
            format!("{} {}", r.method, url_path(&r.url))
        });
        // the ends of paths tell them apart
        let line = cut_middle(&line, columns.saturating_sub(wide + 2), cx.glyphs.more);
        let name = cut_middle(&item.name, wide, cx.glyphs.more);
        let pad = wide.saturating_sub(width(&name));
        out.push(
            Text::of(format!("{name}{}", " ".repeat(pad)), cx.style(Role::Strong))
                .with(format!("  {line}"), cx.style(Role::Dim)),
        );
        if !same {
            for line in wrap(&item.prepared.effect, columns.saturating_sub(2)) {
                out.push(Text::of(format!("  {line}"), cx.style(Role::Text)));
            }
        }
        advice(cx, out, &item.prepared, columns, false);
    }
}

fn single<'t>(cx: &Cx<'_>, out: &mut Vec<Text<'t>>, prepared: &Prepared, columns: usize) {
    say(cx, out, columns, &prepared.effect, Role::Text);
    out.push(Text::new());
    for (n, request) in prepared.requests.iter().enumerate() {
        let number = if prepared.requests.len() > 1 {
            format!("{}  ", n + 1)
        } else {
            String::new()
        };
        for (i, line) in wrap(
            &request.url,
            columns.saturating_sub(request.method.len() + 1 + number.len()),
        )
        .into_iter()
        .enumerate()
        {
            let text = if i == 0 {
                Text::of(
                    format!("{number}{} ", request.method),
                    cx.style(Role::Accent),
                )
            } else {
                Text::of(
                    " ".repeat(number.len() + request.method.len() + 1),
                    cx.style(Role::Text),
                )
            };
            out.push(text.with(line.to_owned(), cx.style(Role::Text)));
        }
        for line in request.body.lines() {
            say(
                cx,
                out,
                columns,
                &format!("{}{line}", " ".repeat(number.len())),
                Role::Dim,
            );
        }
        if !request.then.is_empty() {
            say(
                cx,
                out,
                columns,
                &format!("{}then: {}", " ".repeat(number.len()), request.then),
                Role::Text,
            );
        }
    }
    advice(cx, out, prepared, columns, true);
}

/// The failure that it answers, and what to look at first.
fn advice<'t>(
    cx: &Cx<'_>,
    out: &mut Vec<Text<'t>>,
    prepared: &Prepared,
    columns: usize,
    blank: bool,
) {
    let indent = if blank { "" } else { "  " };
    let failure = prepared
        .intent
        .target
        .failure
        .as_ref()
        .filter(|f| !f.code.is_empty());
    let mut lines = Vec::new();
    if failure.is_some() || prepared.retry_advice.is_some() {
        let code = failure.map_or("no code", |f| f.code.as_str());
        let advice = prepared
            .retry_advice
            .map_or_else(|| "no advice".to_owned(), |a| advice_sentence(a).to_owned());
        lines.push((
            format!("{indent}Last failure: {code} {} {advice}.", cx.glyphs.dot),
            Role::Text,
        ));
    }
    for warning in &prepared.warnings {
        lines.push((
            format!("{indent}{} {warning}", cx.glyphs.warning),
            Role::Warning,
        ));
    }
    if blank && !lines.is_empty() {
        out.push(Text::new());
    }
    for (line, role) in lines {
        say(cx, out, columns, &line, role);
    }
}

/// The last line: yes or no, or the name to type.
fn answer(cx: &Cx<'_>, buf: &mut Buffer, area: Rect, confirm: &Confirm) -> Option<(u16, u16)> {
    let y = area.bottom() - 1;
    let dim = cx.style(Role::Dim);
    let key = |word: Word, place: Place| cx.state.keymap.label(place, word, cx.glyphs.ascii);
    let leave =
        Text::of(key(Word::Close, Place::Dialog), cx.style(Role::Accent)).with("  leave it", dim);
    let width = u16::try_from(leave.width()).unwrap_or(0);
    let leave_at = area.right().saturating_sub(width);
    if confirm.is_ready() && confirm.items.is_empty() {
        put(
            buf,
            area,
            area.x,
            y,
            "Nothing can be sent.",
            cx.style(Role::Warning),
        );
        leave.draw(buf, area, leave_at, y, "");
        return None;
    }
    let Some(wanted) = confirm.to_type().filter(|_| confirm.is_ready()) else {
        if confirm.is_ready() {
            let send = match confirm.items.len() {
                1 => "  send it".to_owned(),
                n => format!("  send all {n}"),
            };
            let mut keys = key(Word::Yes, Place::Dialog);
            if confirm.showing == Showing::FirstForReturn {
                keys = format!("{} {keys}", key(Word::Accept, Place::Dialog));
            }
            Text::of(keys, cx.style(Role::Accent))
                .with(send, cx.style(Role::Text))
                .draw(buf, area, area.x, y, "");
        }
        leave.draw(buf, area, leave_at, y, "");
        return None;
    };
    if let Some(error) = &confirm.error {
        put(buf, area, area.x, y - 1, error, cx.style(Role::Failed));
    }
    let x = Text::of("Type ", cx.style(Role::Text))
        .with(wanted, cx.style(Role::Strong))
        .with(" to go on: ", cx.style(Role::Text))
        .draw(buf, area, area.x, y, cx.glyphs.more);
    let end = put(
        buf,
        area,
        x,
        y,
        confirm.typed.text(),
        cx.style(Role::Accent),
    );
    if end + 2 < leave_at {
        leave.draw(buf, area, leave_at, y, "");
    }
    let at = x + u16::try_from(confirm.typed.cursor_column()).unwrap_or(0);
    Some((at.min(area.right().saturating_sub(1)), y))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_name_is_left_out_only_where_it_stands_by_itself() {
        let of = |text| without(text, "mail", "…");
        assert_eq!(of("Backs up mail now."), "Backs up … now.");
        assert_eq!(of("mail, \"mail\" and mail"), "…, \"…\" and …");
        let other = "Sends an email for webmail, mail-2 and mail_old.";
        assert_eq!(of(other), other);
        assert_eq!(of("mailmail mail"), "mailmail …");
    }
}
