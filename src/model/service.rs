//! One configured account on one backup product.

use std::sync::Arc;

use super::Kind;

/// The dense number of a service within one run, in the order of the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ServiceId(pub u16);

impl ServiceId {
    /// As an index into lists kept in configuration order.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the user called it and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// The dense number within this run.
    pub id: ServiceId,
    /// The user's name for it, unique in the configuration.
    pub name: Arc<str>,
    /// The product.
    pub kind: Kind,
    /// True for the services that keepwatch itself serves on loopback.
    pub embedded: bool,
    /// True when actions may be sent at all (the configuration's allow-list is finer).
    pub read_only: bool,
}
