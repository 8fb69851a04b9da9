//! Words for what lies on top.

use super::super::effect::Effect;
use super::super::state::layer::{Page, PageKind};
use super::super::state::{Layer, State, Tone};
use super::super::view::page::line_count;
use super::super::word::Word;
use super::{ack, act, deed, filter, palette, push, words};

/// Carries out a word for the topmost layer.
pub(super) fn word(state: &mut State, word: Word) -> Vec<Effect> {
    match state.layers.last() {
        Some(Layer::Filter(_)) => {
            match word {
                Word::Accept => filter::accept(state),
                Word::Close => filter::leave(state),
                Word::Complete => filter::complete_next(state),
                Word::Earlier => filter::recall(state, true),
                Word::Later => filter::recall(state, false),
                _ => {}
            }
            Vec::new()
        }
        Some(Layer::Pick(_)) => palette::word(state, word),
        Some(Layer::Form(_)) => act::form_word(state, word),
        Some(Layer::Ack(_)) => ack::word(state, word),
        Some(Layer::Confirm(_)) => act::confirm_word(state, word),
        Some(Layer::Page(_)) => page_word(state, word),
        None => Vec::new(),
    }
}

/// Opens a page.
pub(super) fn page(state: &mut State, kind: PageKind) {
    push(state, Layer::Page(Page::new(kind)));
}

fn page_word(state: &mut State, word: Word) -> Vec<Effect> {
    let height = super::super::layout::Layout::of(state).page_rows();
    let Some(Layer::Page(page)) = state.layers.last().map(|l| match l {
        Layer::Page(page) => Layer::Page(*page),
        _ => Layer::Page(Page::new(PageKind::Help)),
    }) else {
        return Vec::new();
    };
    let by = match word {
        Word::Down => 1,
        Word::Up => -1,
        Word::PageDown | Word::HalfDown => isize::try_from(height).unwrap_or(10),
        Word::PageUp | Word::HalfUp => -isize::try_from(height).unwrap_or(10),
        Word::Withhold if page.kind == PageKind::Deeds => return deed::withhold(state),
        Word::Retry if page.kind == PageKind::Deeds => return act::again(state),
        Word::Close | Word::Accept | Word::Quit => {
            words::close_layer(state);
            return Vec::new();
        }
        _ => return Vec::new(),
    };
    let most = line_count(state, page.kind).saturating_sub(height);
    if let Some(Layer::Page(page)) = state.layers.last_mut() {
        page.scroll = page.scroll.saturating_add_signed(by).min(most);
    }
    Vec::new()
}

/// A name that stands between a person and a dangerous action is typed by hand.
pub(super) fn no_paste(state: &mut State) {
    state.say("The name has to be typed.", Tone::Warning);
}
