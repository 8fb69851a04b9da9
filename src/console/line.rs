//! One line of text being typed.

use tui_input::{Input, InputRequest};

use super::key::{Key, KeyCode};
use super::text::cut::head_width;

/// One line of text with its cursor.
#[derive(Clone, Debug, Default)]
pub struct Line {
    input: Input,
}

impl Line {
    /// A line with a text, the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The cursor in bytes.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.text()
            .char_indices()
            .nth(self.input.cursor())
            .map_or(self.text().len(), |(at, _)| at)
    }

    /// Columns left of the cursor.
    #[must_use]
    pub fn cursor_column(&self) -> usize {
        head_width(self.text(), self.cursor())
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
    }

    /// Replaces `len` bytes from `at`; the cursor goes behind them.
    pub fn replace(&mut self, at: usize, len: usize, with: &str) {
        let text = self.text();
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + len..)) else {
            return;
        };
        let cursor = before.chars().count() + with.chars().count();
        self.input = Input::new(format!("{before}{with}{after}")).with_cursor(cursor);
    }

    /// Takes a key that edits; says whether it did.
    pub fn key(&mut self, key: Key) -> bool {
        let request = match key.code {
            KeyCode::Char(c) if !key.ctrl && !key.alt => InputRequest::InsertChar(c),
            KeyCode::Char('a') if key.ctrl => InputRequest::GoToStart,
            KeyCode::Char('e') if key.ctrl => InputRequest::GoToEnd,
            KeyCode::Char('u') if key.ctrl => InputRequest::DeleteFromStart,
            KeyCode::Char('k') if key.ctrl => InputRequest::DeleteTillEnd,
            KeyCode::Char('w') if key.ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char('h') if key.ctrl => InputRequest::DeletePrevChar,
            KeyCode::Char('d') if key.ctrl => InputRequest::DeleteNextChar,
            KeyCode::Char('b') if key.alt => InputRequest::GoToPrevWord,
            KeyCode::Char('f') if key.alt => InputRequest::GoToNextWord,
            KeyCode::Backspace if key.ctrl || key.alt => InputRequest::DeletePrevWord,
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Delete => InputRequest::DeleteNextChar,
            KeyCode::Left if key.ctrl => InputRequest::GoToPrevWord,
            KeyCode::Right if key.ctrl => InputRequest::GoToNextWord,
            KeyCode::Left => InputRequest::GoToPrevChar,
            KeyCode::Right => InputRequest::GoToNextChar,
            KeyCode::Home => InputRequest::GoToStart,
            KeyCode::End => InputRequest::GoToEnd,
            _ => return false,
        };
        self.input.handle(request);
        true
    }

    /// Takes pasted text: line ends become blanks, control characters are dropped.
    pub fn paste(&mut self, text: &str) {
        for c in text.trim_end_matches(['\n', '\r']).chars().take(4096) {
            let c = if c.is_whitespace() { ' ' } else { c };
            if !c.is_control() {
                self.input.handle(InputRequest::InsertChar(c));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited() {
        let mut line = Line::new("ecs größe");
        assert_eq!((line.cursor(), line.cursor_column()), (11, 9));
        for key in ["ctrl-w", "x", "left", "ö", "home", "del"] {
            assert!(line.key(key.parse().unwrap()));
        }
        assert_eq!(line.text(), "cs öx");
        assert!(!line.key("ctrl-x".parse().unwrap()));
        line.replace(0, 2, "device");
        assert_eq!((line.text(), line.cursor()), ("device öx", 6));
        line.paste("a\nb\u{1b}c\n");
        assert_eq!(line.text(), "devicea bc öx");
        line.replace(90, 2, "lost");
        assert_eq!(line.text(), "devicea bc öx");
    }
}
