//! Keys and words where the operator is, made from the keymap: nothing is written twice.

use super::super::can::why_not;
use super::super::keymap::{Place, label};
use super::super::state::PaneId;
use super::super::text::width;
use super::super::theme::Role;
use super::super::word::{Group, Word};
use super::brush::Text;
use super::cx::Cx;

/// From this width on the words stand in two columns.
const TWO_COLUMNS: usize = 108;

/// The page, in lines of at most `columns` columns.
#[must_use]
pub fn content<'s>(cx: &Cx<'s>, columns: usize) -> Vec<Text<'s>> {
    let place = if cx.state.detail.is_some() {
        Place::Detail
    } else if cx.state.focus == PaneId::Feed {
        Place::Anywhere
    } else {
        Place::List
    };
    let groups: Vec<Vec<Text<'s>>> = Group::ALL
        .into_iter()
        .filter(|g| *g != Group::Answer)
        .map(|group| section(cx, place, group))
        .collect();
    let mut out = if columns >= TWO_COLUMNS {
        beside(groups, columns)
    } else {
        groups.into_iter().flatten().collect()
    };
    out.extend(language(cx));
    out
}

fn section<'s>(cx: &Cx<'s>, place: Place, group: Group) -> Vec<Text<'s>> {
    let mut out = vec![Text::of(group.title(), cx.style(Role::Strong))];
    for word in Word::ALL.iter().filter(|w| w.group() == group) {
        let keys: Vec<String> = cx
            .state
            .keymap
            .keys_of(place, *word)
            .into_iter()
            .take(3)
            .map(|k| label(k, cx.glyphs.ascii))
            .collect();
        let why = why_not(cx.state, *word);
        let (a, b) = if why.is_none() {
            (Role::Accent, Role::Text)
        } else {
            (Role::Off, Role::Off)
        };
        let keys = if keys.is_empty() {
            format!(":{}", word.name())
        } else {
            keys.join(" ")
        };
        let pad = " ".repeat(16_usize.saturating_sub(width(&keys)).max(1));
        let mut line =
            Text::of(format!("  {keys}{pad}"), cx.style(a)).with(word.says(), cx.style(b));
        if let Some(why) = why {
            line.push(format!(" {} {why}", cx.glyphs.dot), cx.style(Role::Off));
        }
        out.push(line);
    }
    out.push(Text::new());
    out
}

/// Two columns of about the same length; sections stay whole.
fn beside<'s>(groups: Vec<Vec<Text<'s>>>, columns: usize) -> Vec<Text<'s>> {
    let total: usize = groups.iter().map(Vec::len).sum();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for group in groups {
        if left.len() + group.len() / 2 <= total / 2 {
            left.extend(group);
        } else {
            right.extend(group);
        }
    }
    let half = columns / 2;
    let mut right = right.into_iter();
    let mut out: Vec<Text<'s>> = Vec::new();
    for mut line in left {
        if let Some(other) = right.next() {
            line = line.fitted(half.saturating_sub(2), half);
            line.append(other);
        }
        out.push(line);
    }
    for other in right {
        let mut line = Text::new().fitted(0, half);
        line.append(other);
        out.push(line);
    }
    out
}

fn language<'s>(cx: &Cx<'s>) -> Vec<Text<'s>> {
    const LINES: [(&str, &str); 11] = [
        ("vault failed", "both words, anywhere"),
        ("\"zone does not\"", "the phrase"),
        (
            "status:error",
            "the text inside a field; phase and kind want the whole word",
        ),
        ("code=CSBS.6027", "exactly this"),
        ("phase:failed,uncertain", "one of them"),
        ("progress>50  http:4xx", "numbers"),
        ("ended<2h  elapsed>30m", "ages and lengths of time"),
        ("since:03:00", "what has changed since"),
        ("!term  a or b  (a or b) c", "not, or, and"),
        ("~gwprd", "letters in this order, near each other"),
        ("/quota.*exceeded/", "a regular expression"),
    ];
    let mut out = vec![Text::of("The filter", cx.style(Role::Strong))];
    for (write, find) in LINES {
        out.push(
            Text::of(format!("  {write:<28}"), cx.style(Role::Accent))
                .with(find, cx.style(Role::Text)),
        );
    }
    out
}
