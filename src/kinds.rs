//! The registry: one line a kind. Nothing else in the crate lists the products.
//!
#![doc = include_str!("../assets/docs/adding-a-kind.md")]

use crate::connect::{self, Driver};
use crate::model::Kind;
use crate::sim;
use crate::sim::dialect::DialectEntry;

/// Every kind, in the order of lists and help: how it is watched, and the embedded service that stands for it.
static KINDS: &[(Driver, DialectEntry)] = &[
    (connect::csbs::DRIVER, sim::csbs::ENTRY),
    (connect::sdrs::DRIVER, sim::sdrs::ENTRY),
    (connect::dpod::DRIVER, sim::dpod::ENTRY),
    (connect::freezer::DRIVER, sim::freezer::ENTRY),
    (connect::dbs::DRIVER, sim::dbs::ENTRY),
    (connect::atlassian::DRIVER, sim::atlassian::ENTRY),
    (connect::cbr::DRIVER, sim::cbr::ENTRY),
    (connect::karbor::DRIVER, sim::karbor::ENTRY),
];

/// Every kind that keepwatch can watch, in the order of lists and help.
pub fn drivers() -> impl Iterator<Item = &'static Driver> {
    KINDS.iter().map(|(driver, _)| driver)
}

/// The driver of a kind by its short name.
#[must_use]
pub fn driver(kind: Kind) -> Option<&'static Driver> {
    drivers().find(|d| d.kind == kind)
}

/// The embedded service of every kind. Keystone runs besides them, always.
#[must_use]
pub fn dialects() -> Vec<DialectEntry> {
    KINDS.iter().map(|(_, dialect)| *dialect).collect()
}
