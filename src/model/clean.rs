//! Hostile text made safe, once, on entry.
//!
//! Services hand us names and messages that other people wrote. A control character can drive a
//! terminal, a bidirectional override can make a line read backwards, a megabyte of text can fill a
//! screen. Every text passes through here before it reaches the model.

use std::borrow::Cow;

/// The longest text kept, in bytes; what is cut is said at the end.
pub const MAX_TEXT: usize = 16 * 1024;

/// A text that was cleaned: borrowed when nothing had to change.
pub type Cleaned<'a> = Cow<'a, str>;

/// True for a character that must not reach a terminal as it is.
fn is_hostile(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // C0, DEL, C1
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // bidirectional marks, embeddings, overrides and isolates; zero-width and invisible operators
        '\u{061c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        // tags and variation selectors beyond the first block carry hidden text
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// The text with every hostile character shown as a visible mark: control pictures (`␛`) for C0,
/// `‹U+202E›` for the rest. Line ends and tabs become one space each. Cut at 16 KiB.
#[must_use]
pub fn clean(text: &str) -> Cleaned<'_> {
    if text.len() <= MAX_TEXT {
        let plain = text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if plain || !text.chars().any(is_hostile) {
            return Cow::Borrowed(text);
        }
    }
    let mut out = String::with_capacity(text.len().min(MAX_TEXT) + 16);
    clean_into(text, &mut out);
    Cow::Owned(out)
}

/// [`clean`], appended to `out`.
pub fn clean_into(text: &str, out: &mut String) {
    let start = out.len();
    let mut previous_cr = false;
    for (at, c) in text.char_indices() {
        if out.len() - start >= MAX_TEXT {
            out.push_str("… (cut, ");
            out.push_str(&(text.len() - at).to_string());
            out.push_str(" bytes more)");
            return;
        }
        let was_cr = std::mem::replace(&mut previous_cr, c == '\r');
        match c {
            '\n' if was_cr => {}
            '\n' | '\r' | '\t' => out.push(' '),
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('␀')),
            '\u{7f}' => out.push('␡'),
            c if is_hostile(c) => {
                out.push('‹');
                out.push_str(&format!("U+{:04X}", c as u32));
                out.push('›');
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(clean("ecs-42 Größe 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_and_overrides_become_visible() {
        assert_eq!(clean("a\u{1b}[31mb"), "a␛[31mb");
        assert_eq!(clean("x\u{202e}y\u{7f}"), "x‹U+202E›y␡");
        assert_eq!(clean("one\r\ntwo\tthree"), "one two three");
        assert_eq!(clean("\u{9b}2J"), "‹U+009B›2J");
    }

    #[test]
    fn a_megabyte_is_cut_and_says_so() {
        let long = "é".repeat(600_000);
        let out = clean(&long);
        assert!(out.len() < MAX_TEXT + 64);
        assert!(out.ends_with("bytes more)"));
    }
}
