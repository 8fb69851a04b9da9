//! Where everything stands on a screen of a given size.
//!
//! Three shapes: one pane with tabs and the card under it (or beside it where the screen is wide and low);
//! the board with four panes over the card; and the large board with the feed as a pane beside the card.

use ratatui::layout::Rect;

use super::state::{PaneId, State};

/// Below this size there is only room for a note.
const SMALLEST: (u16, u16) = (36, 9);
/// From this size on there is room for the board.
const BOARD: (u16, u16) = (110, 28);
/// From this size on the feed is a pane of the board.
const LARGE: (u16, u16) = (160, 45);

/// The shape of a screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Only a note fits.
    TooSmall,
    /// One pane at a time.
    Single,
    /// Four panes.
    Board,
    /// Four panes and the feed.
    Large,
}

/// Where everything stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The shape.
    pub shape: Shape,
    /// The whole screen.
    pub screen: Rect,
    /// Name, counts, clock.
    pub header: Rect,
    /// Services with health and age; may be empty.
    pub services: Rect,
    /// The notice about embedded services; may be empty.
    pub notice: Rect,
    /// Everything between those and the lines at the bottom.
    pub body: Rect,
    /// The panes in sight.
    pub panes: Vec<(PaneId, Rect)>,
    /// The card of the row under the cursor; may be empty.
    pub card: Rect,
    /// The opened row; may be empty.
    pub detail: Rect,
    /// Toasts, actions on their way, the newest transition; may be empty.
    pub status: Rect,
    /// Keys.
    pub hints: Rect,
}

impl Layout {
    /// Where everything stands for this state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let (w, h) = state.size;
        let screen = Rect::new(0, 0, w, h);
        let shape = shape(w, h);
        let mut layout = Self {
            shape,
            screen,
            header: Rect::ZERO,
            services: Rect::ZERO,
            notice: Rect::ZERO,
            body: Rect::ZERO,
            panes: Vec::new(),
            card: Rect::ZERO,
            detail: Rect::ZERO,
            status: Rect::ZERO,
            hints: Rect::ZERO,
        };
        if shape == Shape::TooSmall {
            return layout;
        }
        let mut rest = screen;
        layout.header = take_top(&mut rest, 1);
        if h >= 14 {
            layout.services = take_top(&mut rest, 1);
        }
        let demo = h >= 20 && state.has_embedded() && !state.notice_put_away;
        if demo || state.then.is_some() {
            layout.notice = take_top(&mut rest, 1);
        }
        layout.hints = take_bottom(&mut rest, 1);
        if h >= 12 {
            layout.status = take_bottom(&mut rest, 1);
        }
        layout.body = rest;
        if state.detail.is_some() {
            layout.detail = rest;
        } else if state.expanded {
            layout.panes.push((state.focus, rest));
        } else if shape == Shape::Single {
            layout.single(state.focus);
        } else {
            layout.board(state.focus);
        }
        layout
    }

    fn single(&mut self, focus: PaneId) {
        let mut rest = self.body;
        if rest.width >= 120 && rest.height < 20 {
            self.card = take_right(&mut rest, self.body.width * 2 / 5);
        } else if rest.height >= 15 {
            let card = (rest.height * 2 / 5).clamp(7, 14);
            self.card = take_bottom(&mut rest, card);
        }
        self.panes.push((focus, rest));
    }

    fn board(&mut self, focus: PaneId) {
        let mut rest = self.body;
        let height = (self.screen.height / 4).clamp(8, 15);
        let mut bottom = take_bottom(&mut rest, height);
        if self.shape == Shape::Large {
            let feed = take_right(&mut bottom, self.screen.width * 2 / 5);
            self.panes.push((PaneId::Feed, feed));
        }
        self.card = bottom;
        let alone = focus == PaneId::Tasks || (focus == PaneId::Feed && self.shape != Shape::Large);
        if alone {
            self.panes.push((focus, rest));
            return;
        }
        let left_width = (rest.width * 33 / 100).clamp(40, 70);
        let mut right = rest;
        let mut left = take_left(&mut right, left_width);
        let upper = rest.height / 2;
        self.panes
            .push((PaneId::Devices, take_top(&mut left, upper)));
        self.panes.push((PaneId::Policies, left));
        self.panes
            .push((PaneId::Running, take_top(&mut right, upper)));
        self.panes.push((PaneId::Failed, right));
    }

    /// Where a pane stands; `None` when it is out of sight.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<Rect> {
        self.panes
            .iter()
            .find(|(p, _)| *p == id)
            .map(|(_, rect)| *rect)
    }

    /// How many rows of a pane are in sight: without border and headings. A pane out of sight counts as
    /// the body would hold it.
    #[must_use]
    pub fn rows(&self, id: PaneId) -> usize {
        let height = self.pane(id).unwrap_or(self.body).height;
        let around = if id == PaneId::Feed { 2 } else { 3 };
        usize::from(height.saturating_sub(around)).max(1)
    }

    /// Lines of an opened row or a page in sight.
    #[must_use]
    pub fn page_rows(&self) -> usize {
        usize::from(self.body.height.saturating_sub(3)).max(1)
    }
}

fn shape(w: u16, h: u16) -> Shape {
    if w < SMALLEST.0 || h < SMALLEST.1 {
        Shape::TooSmall
    } else if w >= LARGE.0 && h >= LARGE.1 {
        Shape::Large
    } else if w >= BOARD.0 && h >= BOARD.1 {
        Shape::Board
    } else {
        Shape::Single
    }
}

fn take_top(rest: &mut Rect, n: u16) -> Rect {
    let n = n.min(rest.height);
    let taken = Rect { height: n, ..*rest };
    rest.y += n;
    rest.height -= n;
    taken
}

fn take_bottom(rest: &mut Rect, n: u16) -> Rect {
    let n = n.min(rest.height);
    rest.height -= n;
    Rect {
        y: rest.y + rest.height,
        height: n,
        ..*rest
    }
}

fn take_left(rest: &mut Rect, n: u16) -> Rect {
    let n = n.min(rest.width);
    let taken = Rect { width: n, ..*rest };
    rest.x += n;
    rest.width -= n;
    taken
}

fn take_right(rest: &mut Rect, n: u16) -> Rect {
    let n = n.min(rest.width);
    rest.width -= n;
    Rect {
        x: rest.x + rest.width,
        width: n,
        ..*rest
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::state;
    use super::*;

    fn at(w: u16, h: u16, change: impl Fn(&mut State)) -> Layout {
        let mut state = state();
        state.size = (w, h);
        change(&mut state);
        Layout::of(&state)
    }

    #[test]
    fn shapes_follow_the_size() {
        for (w, h, shape, panes) in [
            (20, 6, Shape::TooSmall, 0),
            (80, 24, Shape::Single, 1),
            (120, 20, Shape::Single, 1),
            (120, 40, Shape::Board, 4),
            (200, 60, Shape::Large, 5),
            (109, 60, Shape::Single, 1),
        ] {
            let layout = at(w, h, |_| {});
            assert_eq!(layout.shape, shape, "{w}x{h}");
            assert_eq!(layout.panes.len(), panes, "{w}x{h}");
        }
    }

    #[test]
    fn nothing_overlaps_and_everything_is_on_the_screen() {
        let mut state = state();
        for w in (1..230).step_by(7) {
            for h in 1..70 {
                for focus in PaneId::ALL {
                    state.size = (w, h);
                    state.focus = focus;
                    let layout = Layout::of(&state);
                    let mut all: Vec<Rect> = layout.panes.iter().map(|(_, r)| *r).collect();
                    all.extend([
                        layout.header,
                        layout.services,
                        layout.notice,
                        layout.card,
                        layout.status,
                        layout.hints,
                    ]);
                    all.retain(|r| !r.is_empty());
                    for (i, a) in all.iter().enumerate() {
                        assert_eq!(a.intersection(layout.screen), *a, "{w}x{h} {focus:?}");
                        for b in all.iter().skip(i + 1) {
                            assert!(!a.intersects(*b), "{w}x{h} {focus:?} {a} {b}");
                        }
                    }
                    if layout.shape != Shape::TooSmall {
                        assert!(layout.pane(focus).is_some(), "{w}x{h} {focus:?}");
                        let covered: u32 = all.iter().map(|r| r.area()).sum();
                        assert_eq!(covered, u32::from(w) * u32::from(h), "{w}x{h} {focus:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn expanding_and_opening_take_the_body() {
        let layout = at(120, 40, |s| s.expanded = true);
        assert_eq!(layout.panes, [(PaneId::Failed, layout.body)]);
        assert!(layout.card.is_empty());
    }
}
