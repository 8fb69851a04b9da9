//! One key as the console knows it, free of any terminal library, with the spelling that keymap files
//! and help use: `j`, `G`, `ctrl-d`, `alt-enter`, `f5`, `space`.

use std::fmt;
use std::str::FromStr;

/// Which key, without its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum KeyCode {
    /// A printable character, as typed (an upper-case letter stands for shift and the letter).
    Char(char),
    /// A function key, 1 to 24.
    F(u8),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// A key with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Held.
    pub ctrl: bool,
    /// Held.
    pub alt: bool,
    /// Held; never set for characters, which carry it in their case.
    pub shift: bool,
}

/// Keys with a name of their own, in the spelling of keymap files, and what help shows.
const NAMED: [(KeyCode, &str, &str); 18] = [
    (KeyCode::Enter, "enter", "⏎"),
    (KeyCode::Esc, "esc", "esc"),
    (KeyCode::Tab, "tab", "tab"),
    (KeyCode::BackTab, "backtab", "shift-tab"),
    (KeyCode::Backspace, "backspace", "backspace"),
    (KeyCode::Delete, "del", "del"),
    (KeyCode::Insert, "ins", "ins"),
    (KeyCode::Up, "up", "↑"),
    (KeyCode::Down, "down", "↓"),
    (KeyCode::Left, "left", "←"),
    (KeyCode::Right, "right", "→"),
    (KeyCode::Home, "home", "home"),
    (KeyCode::End, "end", "end"),
    (KeyCode::PageUp, "pgup", "pgup"),
    (KeyCode::PageDown, "pgdn", "pgdn"),
    (KeyCode::Char(' '), "space", "space"),
    (KeyCode::Char('-'), "minus", "-"),
    (KeyCode::Char('+'), "plus", "+"),
];

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with control held.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: true,
            alt: false,
            shift: false,
        }
    }

    /// The character that this key puts into a text, if it does.
    #[must_use]
    pub const fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// What help and hints show: arrows as arrows. `ascii` keeps to words.
    #[must_use]
    pub fn label(self, ascii: bool) -> String {
        let name = match NAMED.iter().find(|(code, ..)| *code == self.code) {
            Some((_, word, sign)) => {
                let signs = matches!(self.code, KeyCode::Char('-' | '+') | KeyCode::BackTab);
                String::from(if ascii && !signs { *word } else { *sign })
            }
            None => match self.code {
                KeyCode::Char(c) => c.to_string(),
                KeyCode::F(n) => format!("f{n}"),
                _ => String::new(),
            },
        };
        self.with_modifiers(name)
    }

    fn with_modifiers(self, name: String) -> String {
        let mut out = String::new();
        for (held, word) in [
            (self.ctrl, "ctrl-"),
            (self.alt, "alt-"),
            (self.shift, "shift-"),
        ] {
            if held {
                out.push_str(word);
            }
        }
        out.push_str(&name);
        out
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match NAMED.iter().find(|(code, ..)| *code == self.code) {
            Some((_, word, _)) => String::from(*word),
            None => match self.code {
                KeyCode::Char(c) => c.to_string(),
                KeyCode::F(n) => format!("f{n}"),
                _ => String::new(),
            },
        };
        f.pad(&self.with_modifiers(name))
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut key = Self::plain(KeyCode::Esc);
        let mut rest = text;
        loop {
            if let Some(r) = rest.strip_prefix("ctrl-") {
                key.ctrl = true;
                rest = r;
            } else if let Some(r) = rest.strip_prefix("alt-") {
                key.alt = true;
                rest = r;
            } else if let Some(r) = rest.strip_prefix("shift-") {
                key.shift = true;
                rest = r;
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            (None, _) => return Err(format!("{text:?} names no key")),
            _ => {
                let lower = rest.to_ascii_lowercase();
                if let Some((code, ..)) = NAMED.iter().find(|(_, word, _)| *word == lower) {
                    *code
                } else if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse().ok()) {
                    if !(1..=24).contains(&n) {
                        return Err(format!("{text:?}: function keys go from f1 to f24"));
                    }
                    KeyCode::F(n)
                } else {
                    return Err(format!(
                        "{text:?} is not a key; write one character, ctrl-x, alt-x, f1, or one of {}",
                        NAMED.map(|(_, word, _)| word).join(", ")
                    ));
                }
            }
        };
        if key.shift {
            // shift is part of a character's case, and shift-tab is a key of its own
            match key.code {
                KeyCode::Char(c) => {
                    key.shift = false;
                    key.code = KeyCode::Char(c.to_uppercase().next().unwrap_or(c));
                }
                KeyCode::Tab => {
                    key.shift = false;
                    key.code = KeyCode::BackTab;
                }
                _ => {}
            }
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_back_to_its_key() {
        for text in [
            "j",
            "G",
            "ctrl-d",
            "alt-enter",
            "f5",
            "f24",
            "space",
            "minus",
            "pgdn",
            "esc",
            "backtab",
            "ctrl-alt-x",
            "shift-up",
            "/",
            "?",
            ":",
            "ö",
        ] {
            let key: Key = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
        }
        assert_eq!("-".parse::<Key>().unwrap(), Key::char('-'));
        assert_eq!("shift-g".parse::<Key>().unwrap(), Key::char('G'));
        assert_eq!(
            "shift-tab".parse::<Key>().unwrap(),
            Key::plain(KeyCode::BackTab)
        );
    }

    #[test]
    fn a_wrong_spelling_is_said() {
        for text in ["", "ctrl-", "jj", "f0", "f25", "hyper-x"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        assert!("entr".parse::<Key>().unwrap_err().contains("enter"));
    }

    #[test]
    fn only_plain_characters_are_typed() {
        assert_eq!(Key::char('x').typed(), Some('x'));
        assert_eq!(Key::ctrl('x').typed(), None);
        assert_eq!(Key::plain(KeyCode::Enter).typed(), None);
    }
}
