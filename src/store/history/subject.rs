//! What something happened to, or what somebody said something about.

use std::fmt;
use std::str::FromStr;

/// A sort of subject.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Sort {
    /// One execution.
    Task = 1,
    /// What is protected.
    Device = 2,
    /// What says when and how.
    Policy = 3,
    /// A whole service; the id is empty.
    Service = 4,
    /// A code of a service ("this error is known here").
    Code = 5,
    /// A group of the user's own, across services; the service is empty.
    Group = 6,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 6] = [
        Self::Task,
        Self::Device,
        Self::Policy,
        Self::Service,
        Self::Code,
        Self::Group,
    ];

    /// The word for it, as on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Device => "device",
            Self::Policy => "policy",
            Self::Service => "service",
            Self::Code => "code",
            Self::Group => "group",
        }
    }

    /// The sort with this number in a file.
    #[must_use]
    pub fn from_number(n: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|s| *s as i64 == n)
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Sort {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.word() == word).ok_or(())
    }
}

/// One subject.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Subject {
    /// The user's name of the service; empty for what belongs to none.
    pub service: String,
    /// What sort of thing it is.
    pub sort: Sort,
    /// The service's own id, the code, or the group's name.
    pub id: String,
}

impl Subject {
    /// A subject.
    pub fn new(service: impl Into<String>, sort: Sort, id: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            sort,
            id: id.into(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sort)?;
        for part in [&self.service, &self.id] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        Ok(())
    }
}
