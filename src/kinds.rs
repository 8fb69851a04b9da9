//! The registry: one line a kind. Nothing else in the crate lists the products.
//!
#![doc = include_str!("../assets/docs/adding-a-kind.md")]

use crate::connect::{self, Driver};
use crate::model::Kind;

/// Every kind that keepwatch can watch, in the order of lists and help.
static DRIVERS: &[Driver] = &[
    connect::csbs::DRIVER,
    connect::sdrs::DRIVER,
    connect::dpod::DRIVER,
    connect::freezer::DRIVER,
    connect::dbs::DRIVER,
    connect::cbr::DRIVER,
    connect::karbor::DRIVER,
    connect::atlassian::DRIVER,
];

/// Every kind that keepwatch can watch, in the order of lists and help.
#[must_use]
pub fn drivers() -> &'static [Driver] {
    DRIVERS
}

/// The driver of a kind by its short name.
#[must_use]
pub fn driver(kind: Kind) -> Option<&'static Driver> {
    DRIVERS.iter().find(|d| d.kind == kind)
}
