//! Rows in the order in which they were made, found by number or by id.

use std::collections::{BTreeMap, HashMap};

/// What has an id.
pub trait Row {
    /// The id on the wire.
    fn id(&self) -> &str;
}

/// Rows by number (ours, never reused) and by id.
#[derive(Debug)]
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    by_id: HashMap<String, u64>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            by_id: HashMap::new(),
            next: 1,
        }
    }
}

impl<T: Row> Table<T> {
    /// Adds a row; answers its number.
    pub fn insert(&mut self, row: T) -> u64 {
        let key = self.next;
        self.next += 1;
        self.by_id.insert(row.id().to_owned(), key);
        self.rows.insert(key, row);
        key
    }

    /// The number of the row with that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    /// The row of that number.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&T> {
        self.rows.get(&key)
    }

    /// The same, to change it (all but its id).
    pub fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        self.rows.get_mut(&key)
    }

    /// Takes a row out.
    pub fn remove(&mut self, key: u64) -> Option<T> {
        let row = self.rows.remove(&key)?;
        self.by_id.remove(row.id());
        Some(row)
    }

    /// Takes the oldest row out that `may` go, of the first `look` ones.
    pub fn remove_oldest(&mut self, look: usize, may: impl Fn(&T) -> bool) -> Option<T> {
        let key = self
            .rows
            .iter()
            .take(look)
            .find_map(|(key, row)| may(row).then_some(*key))?;
        self.remove(key)
    }

    /// All rows with their numbers, newest first, as the service lists them.
    pub fn newest(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().rev().map(|(key, row)| (*key, row))
    }

    /// The number of any row.
    #[must_use]
    pub fn pick(&self, rng: &mut fastrand::Rng) -> Option<u64> {
        let (first, _) = self.rows.first_key_value()?;
        let (last, _) = self.rows.last_key_value()?;
        let at = rng.u64(*first..=*last);
        self.rows.range(at..).next().map(|(key, _)| *key)
    }

    /// The number of the first row after `key`, or of the first of all.
    #[must_use]
    pub fn after(&self, key: u64) -> Option<u64> {
        let mut later = self.rows.range(key.saturating_add(1)..);
        later
            .next()
            .or_else(|| self.rows.first_key_value())
            .map(|(key, _)| *key)
    }

    /// All rows with their numbers, oldest first.
    pub fn oldest(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().map(|(key, row)| (*key, row))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
