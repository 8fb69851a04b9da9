//! Writing to standard output and error: quiet on a closed pipe, wrapped for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::Exit;

/// Widest line for people when the terminal does not say less.
const WIDEST: usize = 100;

/// Writes a text to standard output.
#[must_use]
pub fn print(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Ok,
        Err(e) => write_failed(&e),
    }
}

/// Writes a value as pretty JSON with a line end.
#[must_use]
pub fn print_json(value: &impl Serialize) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(mut text) => {
            text.push('\n');
            print(&text)
        }
        Err(e) => {
            complain(&format!("the answer can't be written as JSON: {e}"));
            Exit::Failure
        }
    }
}

/// A reader that went away (`keepwatch codes | head`) is no failure; a full disk is.
#[must_use]
pub fn write_failed(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Ok;
    }
    complain(&format!("standard output can't be written: {error}"));
    Exit::Failure
}

/// Writes a line to standard error, with the program's name before it.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "keepwatch: {text}");
}

/// Writes how far something is to standard error: over itself at a terminal, nothing elsewhere.
pub fn progress(text: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[Kkeepwatch: {text}\r").and_then(|()| err.flush());
    }
}

/// How many columns a line for people may have.
#[must_use]
pub fn width() -> usize {
    if io::stdout().is_terminal() {
        crossterm::terminal::size().map_or(WIDEST, |(w, _)| usize::from(w).clamp(40, WIDEST))
    } else {
        WIDEST
    }
}

/// Appends `text` to `out`, broken at spaces to `width` columns: the first line after `first`, the others
/// after `rest`. A word longer than a line stays whole, so that codes and addresses can be copied.
pub fn wrap(out: &mut String, text: &str, width: usize, first: &str, rest: &str) {
    let mut line = String::from(first);
    let mut has_word = false;
    for word in text.split_whitespace() {
        let fits = line.width() + usize::from(has_word) + word.width() <= width;
        if has_word && !fits {
            out.push_str(line.trim_end());
            out.push('\n');
            line.clear();
            line.push_str(rest);
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// `text` cut to `width` columns, with `…` where it was cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    use unicode_width::UnicodeWidthChar;
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    out.push('…');
    out
}

/// Appends `text` filled with spaces to `width` columns.
pub fn pad(out: &mut String, text: &str, width: usize) {
    out.push_str(text);
    for _ in text.width()..width {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        let mut out = String::new();
        wrap(
            &mut out,
            "one two three EXECUTION_QUIESCE_STARTED x",
            12,
            "1  ",
            "   ",
        );
        assert_eq!(
            out,
            "1  one two\n   three\n   EXECUTION_QUIESCE_STARTED\n   x\n"
        );
    }

    #[test]
    fn a_cut_text_says_so_and_counts_wide_letters() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
