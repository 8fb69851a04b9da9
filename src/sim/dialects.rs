//! The list of all embedded services: one line each.

use super::dialect::DialectEntry;

/// Every backup service that can be embedded. Keystone runs besides, always.
#[must_use]
pub fn all() -> Vec<DialectEntry> {
    vec![
        super::csbs::ENTRY,
        super::sdrs::ENTRY,
        super::dpod::ENTRY,
        super::freezer::ENTRY,
        super::dbs::ENTRY,
        super::atlassian::ENTRY,
        super::cbr::ENTRY,
        super::karbor::ENTRY,
    ]
}
