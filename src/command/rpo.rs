//! The targets of the configuration, as the store takes them.

use crate::config::Rpo;
use crate::store::{Store, TargetRule};

/// Tells the store how old the last good backup of everything may be.
pub fn set(store: &mut Store, rpo: &Rpo) {
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    store.set_overdue_after(ms(rpo.default_ms));
    store.set_targets(
        rpo.rules
            .iter()
            .map(|rule| TargetRule {
                query: rule.query.clone(),
                within_ms: ms(rule.within_ms),
            })
            .collect(),
    );
}
