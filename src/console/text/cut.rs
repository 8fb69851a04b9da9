//! Texts made to fit a width in columns, without cutting a character in two.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        UnicodeWidthStr::width(text)
    }
}

/// Columns of the text before a byte.
#[must_use]
pub fn head_width(text: &str, at: usize) -> usize {
    width(text.get(..at).unwrap_or(text))
}

/// The longest beginning that takes at most `columns`, and what it takes.
fn head(text: &str, columns: usize) -> (&str, usize) {
    if text.is_ascii() {
        let n = text.len().min(columns);
        return (text.get(..n).unwrap_or(text), n);
    }
    let mut taken = 0;
    for (at, g) in text.grapheme_indices(true) {
        let w = width(g);
        if taken + w > columns {
            return (text.get(..at).unwrap_or(text), taken);
        }
        taken += w;
    }
    (text, taken)
}

/// The longest end that takes at most `columns`.
fn tail(text: &str, columns: usize) -> &str {
    if text.is_ascii() {
        let from = text.len().saturating_sub(columns);
        return text.get(from..).unwrap_or(text);
    }
    let mut taken = 0;
    for (at, g) in text.grapheme_indices(true).rev() {
        let w = width(g);
        if taken + w > columns {
            return text.get(at + g.len()..).unwrap_or("");
        }
        taken += w;
    }
    text
}

/// The text, its end replaced by the mark for "more" where it doesn't fit.
#[must_use]
pub fn cut_end<'t>(text: &'t str, columns: usize, more: &str) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(more));
    let (kept, _) = head(text, room);
    if columns < width(more) {
        return Cow::Borrowed(head(text, columns).0);
    }
    Cow::Owned(format!("{}{more}", kept.trim_end()))
}

/// The text, its middle replaced by the mark for "more" where it doesn't fit: names are told apart by
/// their ends as often as by their beginnings.
#[must_use]
pub fn cut_middle<'t>(text: &'t str, columns: usize, more: &str) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(more));
    if room < 4 {
        return cut_end(text, columns, more);
    }
    let (left, taken) = head(text, room.div_ceil(2));
    Cow::Owned(format!("{left}{more}{}", tail(text, room - taken)))
}

/// The text in lines of at most `columns`, broken between words where there are any.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim_end();
        if rest.is_empty() {
            lines.push("");
            continue;
        }
        while width(rest) > columns {
            let (fits, _) = head(rest, columns);
            // a word that ends exactly at the edge stays whole
            let ends_here = rest.get(fits.len()..).is_some_and(|r| r.starts_with(' '));
            let end = if ends_here {
                fits.len()
            } else {
                match fits.rfind(' ') {
                    Some(at) if at > 0 => at,
                    _ if fits.is_empty() => {
                        rest.graphemes(true).next().map_or(rest.len(), str::len)
                    }
                    _ => fits.len(),
                }
            };
            let (this, next) = rest.split_at(end);
            lines.push(this.trim_end());
            rest = next.trim_start();
        }
        if !rest.is_empty() {
            lines.push(rest);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_middle() {
        assert_eq!(cut_middle("gw-prod-07", 10, "…"), "gw-prod-07");
        assert_eq!(cut_middle("gateway-production-07", 11, "…"), "gatew…on-07");
        assert_eq!(cut_middle("gateway", 3, "…"), "ga…");
        assert_eq!(cut_middle("gateway", 0, "…"), "");
        assert_eq!(cut_middle("日本語バックアップ", 8, "…"), "日本…プ");
    }

    #[test]
    fn nothing_is_ever_wider_than_asked() {
        for text in [
            "",
            "a",
            "gateway-production-07",
            "日本語バックアップ",
            "e\u{301}e\u{301}👩‍👩‍👧x",
        ] {
            for columns in 0..24 {
                for more in ["…", ".."] {
                    assert!(
                        width(&cut_end(text, columns, more)) <= columns,
                        "{text} {columns}"
                    );
                    assert!(
                        width(&cut_middle(text, columns, more)) <= columns,
                        "{text} {columns}"
                    );
                }
            }
        }
    }

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(
            wrap("The zone of this server can't be backed up.", 16),
            ["The zone of this", "server can't be", "backed up."]
        );
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
        assert_eq!(wrap("", 4), Vec::<&str>::new());
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }
}
