//! Acknowledgements and notes.

use uuid::Uuid;

use super::{Sort, Subject};
use crate::model::Timestamp;

/// Something that a person said about a subject. Remarks are never changed: a withdrawal is a remark too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Its id ([`super::new_id`]), unique across machines.
    pub id: Uuid,
    /// When, by our clock.
    pub at: Timestamp,
    /// Who. Filled in from the [`super::Identity`] when it is written.
    pub operator: String,
    /// On which machine. Filled in likewise.
    pub host: String,
    /// About what.
    pub subject: Subject,
    /// What was said.
    pub kind: RemarkKind,
    /// The words; may be empty for an acknowledgement.
    pub text: String,
    /// Until when an acknowledgement holds; `None`: until it is withdrawn, or the subject changes.
    pub until: Option<Timestamp>,
    /// For an acknowledgement of a task, device or policy: its status word when it was acknowledged, so that
    /// a reader can tell that something changed since. Empty otherwise.
    pub status: String,
    /// For a withdrawal: which remark is taken back.
    pub takes_back: Option<Uuid>,
}

/// What a person said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum RemarkKind {
    /// "I have seen it": it no longer calls for attention while this holds.
    Acknowledged = 1,
    /// A note for the next one.
    Note = 2,
    /// An earlier remark is taken back.
    Withdrawn = 3,
}

impl RemarkKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Acknowledged, Self::Note, Self::Withdrawn];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Note => "note",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The kind with this number in a file.
    #[must_use]
    pub fn from_number(n: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|k| *k as i64 == n)
    }
}

impl Remark {
    /// A remark of now; who and where are filled in when it is written.
    #[must_use]
    pub fn new(kind: RemarkKind, subject: Subject, text: impl Into<String>, at: Timestamp) -> Self {
        Self {
            id: super::new_id(),
            at,
            operator: String::new(),
            host: String::new(),
            subject,
            kind,
            text: text.into(),
            until: None,
            status: String::new(),
            takes_back: None,
        }
    }

    /// The same, holding until an instant.
    #[must_use]
    pub const fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The same, made while the subject stood so.
    #[must_use]
    pub fn while_status(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// What takes this one back.
    #[must_use]
    pub fn withdrawal(&self, text: impl Into<String>, at: Timestamp) -> Self {
        Self {
            takes_back: Some(self.id),
            ..Self::new(RemarkKind::Withdrawn, self.subject.clone(), text, at)
        }
    }
}

/// Which remarks are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemarkQuery {
    /// Only about this subject.
    pub subject: Option<Subject>,
    /// Only about subjects of this sort.
    pub sort: Option<Sort>,
    /// Only of this kind.
    pub kind: Option<RemarkKind>,
    /// Only made from this instant on.
    pub from: Option<Timestamp>,
    /// Only those that hold at this instant: not run out, not taken back before it.
    pub holding_at: Option<Timestamp>,
}
