//! What lies on top of the panes. The topmost layer takes the keys.

pub mod ack;
pub mod confirm;
pub mod filter;
pub mod form;
pub mod page;
pub mod pick;

use super::super::keymap::Place;

pub use ack::AckForm;
pub use confirm::{Confirm, Showing};
pub use filter::FilterLine;
pub use form::Form;
pub use page::{Page, PageKind};
pub use pick::{Choice, Pick, PickItem, PickKind};

/// Something on top.
#[derive(Debug)]
pub enum Layer {
    /// The filter of the pane in focus is being typed.
    Filter(FilterLine),
    /// One thing out of a list is being chosen: palette, sort, actions.
    Pick(Pick),
    /// Values that an action needs are being typed.
    Form(Form),
    /// Note and end of an acknowledgement are being typed.
    Ack(AckForm),
    /// An action waits for yes or no.
    Confirm(Confirm),
    /// Pages to read: help, actions of this session, services.
    Page(Page),
}

impl Layer {
    /// In which place its keys are looked up.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Filter(_) | Self::Form(_) | Self::Ack(_) => Place::Prompt,
            Self::Pick(_) => Place::Pick,
            Self::Confirm(confirm) if confirm.wants_typing() => Place::Prompt,
            Self::Confirm(_) | Self::Page(_) => Place::Dialog,
        }
    }
}
