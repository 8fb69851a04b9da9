//! Which calls a connector makes, and how well each address is founded.
//!
//! Most vendors publish every path. Where one doesn't, a connector works with addresses that were inferred, and
//! says so here, so that a self-test can tell "the service is down" from "that path was a guess".

/// Where the address of a call comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Provenance {
    /// The vendor publishes it.
    Documented,
    /// The operator's configuration gives it.
    Configured,
    /// Inferred from the shape of published ones; it may be wrong.
    Inferred,
    /// The vendor offers the operation and no document at hand gives its address: not called until the
    /// configuration gives one.
    Unknown,
}

impl Provenance {
    /// The word for it, as shown and written to JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Configured => "configured",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }
    }
}

/// One call that a connector makes, or would make if it knew the address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// What it is for, in the vendor's words ("Get all backup policies").
    pub capability: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the service's base address, ids as `{name}`; empty where it is unknown.
    pub path: String,
    /// Where the path comes from.
    pub provenance: Provenance,
    /// The key of `[service.options]` that changes the path; empty where nothing does.
    pub option: &'static str,
    /// What to know of it in one sentence; may be empty.
    pub remark: &'static str,
}
