//! The operator's clipboard, through the terminal (OSC 52): the only way that reaches the machine in
//! front of which the operator sits, also over SSH.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Terminals drop longer sequences without a word.
const LONGEST: usize = 74_000;

/// What stands between us and the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// Nothing that needs wrapping.
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Between {
    /// Found from the environment: `TMUX`, and a `TERM` that begins with `screen`.
    #[must_use]
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        if var("TMUX").is_some_and(|v| !v.is_empty()) {
            Self::Tmux
        } else if var("STY").is_some_and(|v| !v.is_empty()) {
            Self::Screen
        } else {
            Self::Nothing
        }
    }
}

/// The bytes that put `text` on the clipboard, and in words how.
///
/// # Errors
/// When the text is longer than terminals take.
pub fn copy(text: &str, between: Between) -> Result<(Vec<u8>, &'static str), String> {
    let coded = STANDARD.encode(text);
    if coded.len() > LONGEST {
        return Err(format!(
            "too long for the terminal's clipboard ({} kB, the most is {} kB)",
            text.len() / 1000,
            LONGEST * 3 / 4 / 1000
        ));
    }
    let osc = format!("\x1b]52;c;{coded}\x07");
    Ok(match between {
        Between::Nothing => (osc.into_bytes(), "through the terminal (OSC 52)"),
        Between::Tmux => (
            format!("\x1bPtmux;{}\x1b\\", osc.replace('\x1b', "\x1b\x1b")).into_bytes(),
            "through tmux (OSC 52; tmux needs allow-passthrough on)",
        ),
        Between::Screen => {
            // screen takes at most 768 bytes in one piece
            let mut out = Vec::new();
            for piece in osc.as_bytes().chunks(700) {
                out.extend_from_slice(b"\x1bP");
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\x1b\\");
            }
            (out, "through screen (OSC 52)")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_wrapped_for_what_stands_between() {
        let (plain, _) = copy("hi", Between::Nothing).unwrap();
        assert_eq!(plain, b"\x1b]52;c;aGk=\x07");
        let (tmux, how) = copy("hi", Between::Tmux).unwrap();
        assert_eq!(tmux, b"\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert!(how.contains("tmux"));
        let (screen, _) = copy(&"x".repeat(2000), Between::Screen).unwrap();
        assert!(screen.windows(2).filter(|w| w == b"\x1bP").count() > 3);
        assert!(copy(&"x".repeat(60_000), Between::Nothing).is_err());
    }

    #[test]
    fn the_environment_tells() {
        let env = |name: &'static str| move |n: &str| (n == name).then(|| "1".to_owned());
        assert_eq!(Between::from_env(env("TMUX")), Between::Tmux);
        assert_eq!(Between::from_env(env("STY")), Between::Screen);
        assert_eq!(Between::from_env(env("TERM")), Between::Nothing);
    }
}
