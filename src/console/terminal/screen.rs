//! What ratatui draws on: cells that changed become bytes, bytes become one write a frame inside a
//! synchronized update (DEC 2026), and a frame that changes nothing writes nothing.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::super::text::width;
use super::link::{Link, QUESTION};
use super::pen::{Pen, go};

/// Begins a synchronized update.
const BEGIN: &[u8] = b"\x1b[?2026h";
/// Ends it.
const END: &[u8] = b"\x1b[?2026l";
/// From this many blanks on, erasing them and going over them is shorter than writing them.
const ERASE_FROM: u16 = 9;
/// The same where the cursor needs not go over them.
const ERASE_LAST_FROM: u16 = 5;

/// A terminal screen behind a writer.
#[derive(Debug)]
pub struct Screen<W: Write> {
    out: W,
    size: Size,
    /// What the terminal shows, line by line; a cell without a symbol is not known.
    cells: Vec<Cell>,
    bytes: Vec<u8>,
    pen: Pen,
    /// Where the terminal's cursor stands, as far as we know.
    at: Option<(u16, u16)>,
    /// Whether the terminal shows its cursor.
    shown: bool,
    /// Where the cursor is wanted, if it is.
    wanted: Option<Position>,
    /// Frames that were written.
    frames: u64,
    /// Bytes that were written.
    written: u64,
    /// How long the last write took: a slow link blocks.
    blocked: Duration,
    link: Link,
}

impl<W: Write> Screen<W> {
    /// A screen of this size; its cells are blank and the cursor is hidden.
    pub fn new(out: W, size: Size) -> Self {
        let mut screen = Self {
            out,
            size,
            cells: Vec::new(),
            bytes: BEGIN.to_vec(),
            pen: Pen::default(),
            at: None,
            shown: false,
            wanted: None,
            frames: 0,
            written: 0,
            blocked: Duration::ZERO,
            link: Link::default(),
        };
        screen.cells_are(&Cell::default());
        screen
    }

    /// The terminal has another size now.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
        self.at = None;
        self.cells_are(&unknown());
    }

    /// Somebody else wrote to the terminal: nothing is known of its pen and cursor.
    pub fn forget(&mut self) {
        self.at = None;
        self.pen = Pen::default();
        self.shown = false;
        self.cells_are(&unknown());
        self.bytes.truncate(BEGIN.len());
        self.bytes.extend_from_slice(b"\x1b[m\x1b[?25l");
    }

    /// Appends bytes that are no cells (an OSC 52 sequence); they go out with the next flush.
    pub fn append(&mut self, raw: &[u8]) {
        self.bytes.extend_from_slice(raw);
    }

    /// Frames and bytes written so far.
    #[must_use]
    pub const fn totals(&self) -> (u64, u64) {
        (self.frames, self.written)
    }

    /// What is on its way.
    pub const fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// The same, to look at.
    #[must_use]
    pub const fn on_its_way(&self) -> &Link {
        &self.link
    }

    /// How long the last write took.
    #[must_use]
    pub const fn blocked(&self) -> Duration {
        self.blocked
    }

    /// Writes blanks of the present pen: from where, on which line, how many. `adjoining` says that the next cell
    /// stands right behind them.
    fn blanks(&mut self, held: Option<(u16, u16, u16)>, adjoining: bool) {
        let Some((x, y, n)) = held else { return };
        if !self.write_up_to(x, y) {
            go(self.at, x, y, &mut self.bytes);
        }
        self.at = Some((x, y));
        let erase_from = if adjoining {
            ERASE_FROM
        } else {
            ERASE_LAST_FROM
        };
        if n >= erase_from && self.pen.erases() {
            self.bytes
                .extend_from_slice(format!("\x1b[{n}X").as_bytes());
        } else {
            self.bytes.extend(std::iter::repeat_n(b' ', usize::from(n)));
            self.step(n);
        }
    }

    /// Writes again what stands between the cursor and this place where that is shorter than a jump over it and
    /// needs no other pen. False when it is not.
    fn write_up_to(&mut self, x: u16, y: u16) -> bool {
        let Some((from, line)) = self.at else {
            return false;
        };
        // "ESC [ C", "ESC [ n C"
        let jump = if x == from + 1 { 3 } else { 4 };
        if line != y || x <= from || x - from > jump {
            return false;
        }
        let begun = self.bytes.len();
        for x in from..x {
            let fits = self.shows(x, y).is_some_and(|cell| {
                let pen = Pen::of(cell);
                let symbol = cell.symbol();
                symbol.len() == 1
                    && (pen == self.pen || (symbol == " " && pen.blank_like(self.pen)))
            });
            match self.shows(x, y) {
                Some(cell) if fits => {
                    let byte = cell.symbol().as_bytes().first().copied().unwrap_or(b' ');
                    self.bytes.push(byte);
                }
                _ => {
                    self.bytes.truncate(begun);
                    return false;
                }
            }
        }
        true
    }

    /// Everything between these columns looks like a blank of the present pen already.
    fn is_blank_between(&self, from: u16, to: u16, y: u16) -> bool {
        (from..to).all(|x| {
            self.shows(x, y)
                .is_some_and(|cell| cell.symbol() == " " && Pen::of(cell).blank_like(self.pen))
        })
    }

    /// What the terminal shows there, where that is known.
    fn shows(&self, x: u16, y: u16) -> Option<&Cell> {
        let known = (x < self.size.width).then(|| self.place(x, y))?;
        self.cells
            .get(known)
            .filter(|cell| !cell.symbol().is_empty())
    }

    fn show(&mut self, x: u16, y: u16, cell: &Cell) {
        let place = self.place(x, y);
        let wide = width(cell.symbol()) > 1;
        if let Some(known) = self.cells.get_mut(place) {
            known.clone_from(cell);
        }
        // the other half of a wide character is no cell that could be written again
        if wide && let Some(half) = self.cells.get_mut(place + 1) {
            half.set_symbol("");
        }
    }

    fn place(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.width) + usize::from(x)
    }

    /// All cells are erased, or nothing is known of any.
    fn cells_are(&mut self, cell: &Cell) {
        let count = usize::from(self.size.width) * usize::from(self.size.height);
        self.cells.clear();
        self.cells.resize(count, cell.clone());
    }

    /// The cursor went on by `n` columns; at the right edge terminals differ in where it stands then.
    fn step(&mut self, n: u16) {
        self.at = self.at.and_then(|(x, y)| {
            let x = x + n;
            (x < self.size.width).then_some((x, y))
        });
    }
}

/// A cell of which nothing is known.
fn unknown() -> Cell {
    let mut cell = Cell::default();
    cell.set_symbol("");
    cell
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // blanks are held back until it is known how many there are
        let mut held: Option<(u16, u16, u16)> = None;
        for (x, y, cell) in content {
            let mut pen = Pen::of(cell);
            let symbol = cell.symbol();
            let blank = symbol == " ";
            if let Some((hx, hy, n)) = held {
                let same = pen.blank_like(self.pen);
                if blank && same && hy == y && self.is_blank_between(hx + n, x, y) {
                    self.show(x, y, cell);
                    held = Some((hx, hy, x - hx + 1));
                    continue;
                }
                let adjoining = (hx + n, hy) == (x, y);
                self.blanks(held.take(), adjoining);
            }
            self.show(x, y, cell);
            if blank {
                // the colour of letters, and whether they are bold, don't matter where there are none
                if pen.blank_like(self.pen) {
                    pen = self.pen;
                }
                self.pen.change(pen, &mut self.bytes);
                self.pen = pen;
                held = Some((x, y, 1));
                continue;
            }
            if !self.write_up_to(x, y) {
                go(self.at, x, y, &mut self.bytes);
            }
            self.at = Some((x, y));
            self.pen.change(pen, &mut self.bytes);
            self.pen = pen;
            self.bytes.extend_from_slice(symbol.as_bytes());
            self.step(u16::try_from(width(symbol)).unwrap_or(1));
            if !symbol.is_ascii() && width(symbol) != 1 {
                // terminals disagree on the width of such characters
                self.at = None;
            }
        }
        self.blanks(held, false);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.wanted = self.wanted.or(Some(Position::ORIGIN));
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // never asked of the terminal: a terminal that doesn't answer would stall the program
        Ok(self.wanted.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        if self.wanted.is_some() {
            self.wanted = Some(position.into());
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.pen.change(Pen::default(), &mut self.bytes);
        self.pen = Pen::default();
        self.bytes.extend_from_slice(b"\x1b[2J");
        self.cells_are(&Cell::default());
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.wanted {
            Some(p) => {
                go(self.at, p.x, p.y, &mut self.bytes);
                self.at = Some((p.x, p.y));
                if !self.shown {
                    self.bytes.extend_from_slice(b"\x1b[?25h");
                    self.shown = true;
                }
            }
            None if self.shown => {
                self.bytes.extend_from_slice(b"\x1b[?25l");
                self.shown = false;
            }
            None => {}
        }
        if self.bytes.len() == BEGIN.len() {
            return Ok(());
        }
        self.bytes.extend_from_slice(END);
        let begun = Instant::now();
        self.link.give_up_late(begun);
        if self.link.asks(self.bytes.len(), begun) {
            self.bytes.extend_from_slice(QUESTION);
        }
        let result = self
            .out
            .write_all(&self.bytes)
            .and_then(|()| self.out.flush());
        self.blocked = begun.elapsed();
        self.frames += 1;
        self.written += self.bytes.len() as u64;
        self.bytes.truncate(BEGIN.len());
        // a frame of exceptional size must not hold its memory for ever
        self.bytes.shrink_to(64 * 1024);
        result
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::style::{Color, Style};

    use super::*;

    fn terminal(w: u16, h: u16) -> Terminal<Screen<Vec<u8>>> {
        Terminal::new(Screen::new(Vec::new(), Size::new(w, h))).unwrap()
    }

    fn taken(t: &mut Terminal<Screen<Vec<u8>>>) -> Vec<u8> {
        std::mem::take(&mut t.backend_mut().out)
    }

    #[test]
    fn a_frame_without_a_change_writes_nothing() {
        let mut t = terminal(40, 5);
        for round in 0..3 {
            t.draw(|f| f.render_widget("the same", f.area())).unwrap();
            let bytes = taken(&mut t);
            assert_eq!(bytes.is_empty(), round > 0, "{round}");
        }
        assert_eq!(t.backend().totals().0, 1);
    }

    #[test]
    fn a_frame_is_one_synchronized_update() {
        let mut t = terminal(40, 5);
        t.draw(|f| f.render_widget("x", f.area())).unwrap();
        let bytes = taken(&mut t);
        assert!(bytes.starts_with(BEGIN) && bytes.ends_with(END));
    }

    /// What a real terminal would show must be what ratatui meant, whatever was drawn before.
    #[test]
    fn random_frames_arrive_as_they_were_meant() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (w, h) = (33, 9);
        let mut t = terminal(w, h);
        let mut seen = vt100::Parser::new(h.try_into().unwrap(), w.try_into().unwrap(), 0);
        for round in 0..300 {
            if round % 50 == 49 {
                t.clear().unwrap();
            }
            let mut meant = Vec::new();
            t.draw(|f| {
                for _ in 0..rng.u16(0..12) {
                    let (x, y) = (rng.u16(0..w), rng.u16(0..h));
                    let style = Style::new()
                        .fg(*rng
                            .choice(&[Color::Reset, Color::Red, Color::Indexed(200)])
                            .unwrap())
                        .bg(*rng.choice(&[Color::Reset, Color::Blue]).unwrap())
                        .add_modifier(*rng.choice(&MODIFIERS).unwrap());
                    let text = *rng
                        .choice(&[
                            "a",
                            "word",
                            "             wide gap",
                            "ö…",
                            "                    ",
                        ])
                        .unwrap();
                    f.buffer_mut().set_string(x, y, text, style);
                }
                // wide characters keep to a line of their own: half of one covered by another text is
                // no cell that a widget of ours ever makes
                f.buffer_mut()
                    .set_string(0, h - 1, " ".repeat(usize::from(w)), Style::reset());
                let wide = Style::new().bg(if rng.bool() {
                    Color::Blue
                } else {
                    Color::Reset
                });
                f.buffer_mut()
                    .set_string(rng.u16(0..w - 8), h - 1, "x日本語y", wide);
                if rng.bool() {
                    f.set_cursor_position((rng.u16(0..w), rng.u16(0..h)));
                }
                meant = f.buffer_mut().content().to_vec();
            })
            .unwrap();
            seen.process(&taken(&mut t));
            for (i, cell) in meant.iter().enumerate() {
                let (x, y) = (i as u16 % w, i as u16 / w);
                let shown = seen.screen().cell(y, x).unwrap();
                if shown.is_wide_continuation() {
                    continue;
                }
                let symbol = if shown.has_contents() {
                    shown.contents()
                } else {
                    " "
                };
                assert_eq!(symbol, cell.symbol(), "{x} {y} in round {round}");
                if y == h - 1 {
                    // the half of a wide character that is left over has a colour of the terminal's choice
                    continue;
                }
                let bg = match cell.bg {
                    Color::Reset => vt100::Color::Default,
                    _ => vt100::Color::Idx(4),
                };
                assert_eq!(shown.bgcolor(), bg, "{x} {y} in round {round}");
                assert_eq!(
                    shown.inverse(),
                    cell.modifier.contains(Modifier::REVERSED),
                    "{x} {y} {cell:?} in round {round}"
                );
                assert_eq!(
                    shown.underline(),
                    cell.modifier.contains(Modifier::UNDERLINED)
                );
                if symbol != " " {
                    // the judge holds bold and dim for one thing; overlapping texts can have both
                    let both = cell.modifier.contains(Modifier::BOLD | Modifier::DIM);
                    assert_eq!(both || shown.bold(), cell.modifier.contains(Modifier::BOLD));
                    let fg = match cell.fg {
                        Color::Red => vt100::Color::Idx(1),
                        Color::Indexed(i) => vt100::Color::Idx(i),
                        _ => vt100::Color::Default,
                    };
                    assert_eq!(shown.fgcolor(), fg, "{x} {y} in round {round}");
                }
            }
        }
    }

    use ratatui::style::Modifier;

    const MODIFIERS: [Modifier; 5] = [
        Modifier::empty(),
        Modifier::BOLD.union(Modifier::UNDERLINED),
        Modifier::DIM,
        Modifier::REVERSED,
        Modifier::ITALIC.union(Modifier::BOLD),
    ];

    #[test]
    fn long_blanks_are_erased_not_written() {
        let mut t = terminal(120, 2);
        t.draw(|f| f.render_widget("x".repeat(120), f.area()))
            .unwrap();
        taken(&mut t);
        t.draw(|_| {}).unwrap();
        assert!(taken(&mut t).len() < 40);
    }
}
