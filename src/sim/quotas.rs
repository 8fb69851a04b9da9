//! Quotas of the world: named limits with what is used of them, shared by whoever draws on them.

use std::collections::BTreeMap;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limit; −1 means none.
    pub limit: i64,
    /// How much is used.
    pub used: i64,
}

impl Quota {
    /// Whether `more` would still fit.
    #[must_use]
    pub fn fits(self, more: i64) -> bool {
        self.limit < 0 || self.used.saturating_add(more) <= self.limit
    }
}

/// All limits by name (`csbs.backups`); the unit is the owner's.
#[derive(Debug, Default)]
pub struct Quotas(BTreeMap<String, Quota>);

impl Quotas {
    /// Declares a limit with nothing used; keeps one that is there.
    pub fn declare(&mut self, name: &str, limit: i64) {
        self.0
            .entry(name.to_owned())
            .or_insert(Quota { limit, used: 0 });
    }

    /// The limit of that name; one that nobody declared is unlimited.
    #[must_use]
    pub fn get(&self, name: &str) -> Quota {
        self.0
            .get(name)
            .copied()
            .unwrap_or(Quota { limit: -1, used: 0 })
    }

    /// Changes a limit; false when nobody declared it.
    pub fn set_limit(&mut self, name: &str, limit: i64) -> bool {
        self.0
            .get_mut(name)
            .map(|quota| quota.limit = limit)
            .is_some()
    }

    /// Takes `amount` (negative: gives back), whether it fits or not; ask [`Quota::fits`] first.
    pub fn take(&mut self, name: &str, amount: i64) {
        if let Some(quota) = self.0.get_mut(name) {
            quota.used = quota.used.saturating_add(amount).max(0);
        }
    }

    /// All by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quota)> {
        self.0.iter().map(|(name, quota)| (name.as_str(), *quota))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let mut quotas = Quotas::default();
        quotas.declare("a", 2);
        assert!(quotas.get("a").fits(2));
        quotas.take("a", 2);
        assert!(!quotas.get("a").fits(1));
        assert!(quotas.set_limit("a", -1));
        assert!(quotas.get("a").fits(i64::MAX));
        quotas.take("a", -10);
        assert_eq!(quotas.get("a").used, 0);
        assert!(!quotas.set_limit("b", 1));
        assert!(quotas.get("b").fits(1));
    }
}
