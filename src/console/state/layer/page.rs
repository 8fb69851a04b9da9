//! Pages to read.

/// What a page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageKind {
    /// Keys and words.
    Help,
    /// Actions of this session.
    Deeds,
    /// Services: health, faults, what each can do.
    Services,
}

/// A page and how far it is scrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// What it shows.
    pub kind: PageKind,
    /// Lines scrolled.
    pub scroll: usize,
}

impl Page {
    /// A page at its top.
    #[must_use]
    pub const fn new(kind: PageKind) -> Self {
        Self { kind, scroll: 0 }
    }
}
