//! What a page for people is made of, whatever it is written in.

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// What it says first, a paragraph each.
    pub lead: Vec<Line>,
    /// Its parts.
    pub sections: Vec<Section>,
    /// What stands below.
    pub foot: String,
}

/// A part of a page.
#[derive(Debug, Default)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A piece of a part.
#[derive(Debug)]
pub enum Block {
    /// A paragraph.
    Line(Line),
    /// A heading with sentences and numbered steps below it.
    Item {
        /// The heading.
        head: Line,
        /// Sentences, a paragraph each.
        text: Vec<Line>,
        /// What to do.
        steps: Vec<String>,
    },
    /// A table.
    Table {
        /// The heads of its columns.
        head: Vec<&'static str>,
        /// Its rows.
        rows: Vec<Vec<Line>>,
    },
}

/// A line of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Span>);

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub text: String,
    /// How it stands out.
    pub style: Style,
}

/// How text stands out; the words say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain.
    Plain,
    /// Strong.
    Strong,
    /// Letter for letter: a code, a status, a name for machines.
    Code,
    /// Needs a person.
    Bad,
    /// Needs a look.
    Warn,
    /// In order.
    Good,
    /// Less important.
    Dim,
}

impl Line {
    /// A plain line.
    pub fn of(text: impl Into<String>) -> Self {
        Self::default().plain(text)
    }

    /// With more text.
    pub fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Span { text, style });
        }
        self
    }

    /// With more plain text.
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::Plain, text)
    }
}
