//! Writing styled text into cells, never outside the place that it was given.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::text::{cut_end, width};

/// Writes `text` at `x`, `y` as far as `area` goes; the answer is the column behind it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    buf.set_stringn(x, y, text, room, style).0
}

/// A line of pieces, each with a style.
#[derive(Clone, Debug, Default)]
pub struct Text<'t> {
    pieces: Vec<(Cow<'t, str>, Style)>,
}

impl<'t> Text<'t> {
    /// An empty line.
    #[must_use]
    pub const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    /// A line of one piece.
    #[must_use]
    pub fn of(text: impl Into<Cow<'t, str>>, style: Style) -> Self {
        Self::new().with(text, style)
    }

    /// The same with another piece.
    #[must_use]
    pub fn with(mut self, text: impl Into<Cow<'t, str>>, style: Style) -> Self {
        self.push(text, style);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, text: impl Into<Cow<'t, str>>, style: Style) {
        let text = text.into();
        if !text.is_empty() {
            self.pieces.push((text, style));
        }
    }

    /// Adds another line's pieces.
    pub fn append(&mut self, other: Text<'t>) {
        self.pieces.extend(other.pieces);
    }

    /// Columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(t, _)| width(t)).sum()
    }

    /// True when there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The same cut to `most` columns and filled up to `least`.
    #[must_use]
    pub fn fitted(self, most: usize, least: usize) -> Self {
        let mut out = Self::new();
        let mut taken = 0;
        for (text, style) in self.pieces {
            let room = most.saturating_sub(taken);
            let piece = match cut_end(&text, room, "") {
                Cow::Borrowed(kept) if kept.len() == text.len() => text,
                cut => Cow::Owned(cut.into_owned()),
            };
            taken += width(&piece);
            out.push(piece, style);
        }
        if taken < least {
            out.push(" ".repeat(least - taken), Style::new());
        }
        out
    }

    /// Writes it at `x`, `y`, cut at the edge of `area` with the mark for "more"; the answer is the column
    /// behind it.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, x: u16, y: u16, more: &str) -> u16 {
        let mut at = x;
        let mut left = usize::from(area.right().saturating_sub(x));
        let fits = self.width() <= left;
        for (i, (text, style)) in self.pieces.iter().enumerate() {
            let last = i + 1 == self.pieces.len();
            let w = width(text);
            // the mark for "more" needs room of its own when more pieces follow
            let room = if fits || last {
                left
            } else {
                left.saturating_sub(width(more))
            };
            if w <= room {
                at = put(buf, area, at, y, text, *style);
                left -= w;
            } else {
                let mut cut = cut_end(text, left.min(room + width(more)), more).into_owned();
                if !cut.ends_with(more) {
                    cut.push_str(more);
                }
                return put(buf, area, at, y, &cut, *style);
            }
        }
        at
    }
}

/// Blanks a place, for what lies on top.
pub fn clear(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
}
