//! The shortest escape sequences from one style to the next and from one place to another.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What the terminal writes with now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pen {
    /// Colour of letters.
    pub fg: Color,
    /// Colour behind them.
    pub bg: Color,
    /// Bold, dim, underline …
    pub modifier: Modifier,
}

impl Default for Pen {
    fn default() -> Self {
        Self {
            fg: Color::Reset,
            bg: Color::Reset,
            modifier: Modifier::empty(),
        }
    }
}

/// The modifiers that the console uses, with the codes that turn them on and off.
const MODIFIERS: [(Modifier, &str, &str); 5] = [
    (Modifier::BOLD, "1", "22"),
    (Modifier::DIM, "2", "22"),
    (Modifier::ITALIC, "3", "23"),
    (Modifier::UNDERLINED, "4", "24"),
    (Modifier::REVERSED, "7", "27"),
];

impl Pen {
    /// What a cell is written with.
    #[must_use]
    pub const fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// True when a blank of this pen looks like one of `other`.
    #[must_use]
    pub fn blank_like(self, other: Self) -> bool {
        let seen = Modifier::REVERSED | Modifier::UNDERLINED;
        // reversed, the colour of letters is the one behind them
        self.bg == other.bg
            && self.modifier & seen == other.modifier & seen
            && (!self.modifier.intersects(seen) || self.fg == other.fg)
    }

    /// True when a blank cell of this pen looks like an erased one.
    #[must_use]
    pub fn erases(self) -> bool {
        self.bg == Color::Reset
            && !self
                .modifier
                .intersects(Modifier::REVERSED | Modifier::UNDERLINED)
    }

    /// Appends what turns `self` into `next`; nothing when they are the same.
    pub fn change(self, next: Self, out: &mut Vec<u8>) {
        if self == next {
            return;
        }
        let stepwise = self.codes_to(next);
        let mut anew = vec![String::from("0")];
        anew.extend(Self::default().codes_to(next));
        let (stepwise, anew) = (stepwise.join(";"), anew.join(";"));
        out.extend_from_slice(b"\x1b[");
        // a bare "m" is the shortest way back to the default
        out.extend_from_slice(
            match (next == Self::default(), stepwise.len() <= anew.len()) {
                (true, _) => b"",
                (_, true) => stepwise.as_bytes(),
                _ => anew.as_bytes(),
            },
        );
        out.push(b'm');
    }

    fn codes_to(self, next: Self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        let gone = self.modifier - next.modifier;
        let mut held = self.modifier;
        for (m, _, off) in MODIFIERS {
            if gone.contains(m) && held.contains(m) {
                codes.push(off.into());
                held -= m;
                if off == "22" {
                    // bold and dim are turned off together
                    held -= Modifier::BOLD | Modifier::DIM;
                }
            }
        }
        for (m, on, _) in MODIFIERS {
            if next.modifier.contains(m) && !held.contains(m) {
                codes.push(on.into());
            }
        }
        if self.fg != next.fg {
            codes.push(colour(next.fg, 30));
        }
        if self.bg != next.bg {
            codes.push(colour(next.bg, 40));
        }
        codes
    }
}

/// The code of a colour; `base` is 30 for letters and 40 for what is behind them.
fn colour(c: Color, base: u8) -> String {
    let n = match c {
        Color::Reset => 9,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(i) => return format!("{};5;{i}", base + 8),
        Color::Rgb(r, g, b) => return format!("{};2;{r};{g};{b}", base + 8),
    };
    (base + n).to_string()
}

/// Appends the shortest way to column `x` of line `y` (both from 0), coming from `at` where that is known.
pub fn go(at: Option<(u16, u16)>, x: u16, y: u16, out: &mut Vec<u8>) {
    if at == Some((x, y)) {
        return;
    }
    let far = format!("\x1b[{};{}H", y + 1, x + 1);
    let near = match at {
        Some((from, line)) if line == y && x > from => {
            let n = x - from;
            Some(if n == 1 {
                "\x1b[C".to_owned()
            } else {
                format!("\x1b[{n}C")
            })
        }
        Some((_, line)) if line == y && x == 0 => Some("\r".to_owned()),
        Some((_, line)) if line + 1 == y && x == 0 => Some("\r\n".to_owned()),
        _ => None,
    };
    let way = match near {
        Some(near) if near.len() < far.len() => near,
        _ => far,
    };
    out.extend_from_slice(way.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(a: Pen, b: Pen) -> String {
        let mut out = Vec::new();
        a.change(b, &mut out);
        String::from_utf8(out).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn styles_change_with_few_bytes() {
        let plain = Pen::default();
        let red = Pen {
            fg: Color::Red,
            ..plain
        };
        let loud = Pen {
            modifier: Modifier::BOLD,
            ..red
        };
        let quiet = Pen {
            modifier: Modifier::DIM,
            ..red
        };
        assert_eq!(change(plain, plain), "");
        assert_eq!(change(plain, red), "^[31m");
        assert_eq!(change(loud, plain), "^[m");
        assert_eq!(change(red, loud), "^[1m");
        assert_eq!(change(loud, quiet), "^[22;2m");
        assert_eq!(
            change(
                plain,
                Pen {
                    bg: Color::Rgb(1, 2, 3),
                    ..plain
                }
            ),
            "^[48;2;1;2;3m"
        );
        assert_eq!(
            change(
                red,
                Pen {
                    fg: Color::White,
                    ..plain
                }
            ),
            "^[97m"
        );
    }

    #[test]
    fn ways_are_short() {
        let way = |at, x, y| {
            let mut out = Vec::new();
            go(at, x, y, &mut out);
            String::from_utf8(out).unwrap().replace('\x1b', "^")
        };
        assert_eq!(way(Some((3, 4)), 3, 4), "");
        assert_eq!(way(Some((3, 4)), 4, 4), "^[C");
        assert_eq!(way(Some((3, 4)), 9, 4), "^[6C");
        assert_eq!(way(Some((3, 4)), 0, 5), "\r\n");
        assert_eq!(way(Some((3, 4)), 0, 4), "\r");
        assert_eq!(way(None, 0, 0), "^[1;1H");
    }
}
