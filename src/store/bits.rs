//! Sets of dense row numbers.

/// A set of row numbers, one bit each.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Adds a row.
    pub(super) fn insert(&mut self, row: u32) {
        let at = row as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= 1 << (row % 64);
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// True when the row is in the set.
    pub(super) fn has(&self, row: u32) -> bool {
        self.words
            .get(row as usize / 64)
            .is_some_and(|w| w & (1 << (row % 64)) != 0)
    }

    /// A set of the rows below `len` for which the test holds.
    pub(super) fn from_fn(len: usize, mut test: impl FnMut(u32) -> bool) -> Self {
        let mut set = Self::default();
        for row in 0..len as u32 {
            if test(row) {
                set.insert(row);
            }
        }
        set
    }

    /// The words of the set, 64 rows each.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words of the set, to be written.
    pub(super) fn words_mut(&mut self) -> &mut Vec<u64> {
        &mut self.words
    }

    /// 1 when the row is in the set, for loops that gather bits.
    #[inline]
    pub(super) fn bit(&self, row: u32) -> u64 {
        self.words
            .get(row as usize / 64)
            .map_or(0, |w| w >> (row % 64) & 1)
    }

    /// True when no row is in the set.
    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Takes out every row of the other set.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= !b;
        }
    }

    /// Empties the set and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// How many rows are in the set.
    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The rows, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(i as u32 * 64 + bit)
            })
        })
    }

    /// Takes in every row of the other set.
    pub(super) fn join(&mut self, other: &Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
    }

    /// The rows of this set that are not in the other, ascending.
    pub(super) fn minus<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u32> + 'a {
        self.iter().filter(|&row| !other.has(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order() {
        let mut a = Bits::default();
        for row in [700, 0, 63, 64, 5] {
            a.insert(row);
        }
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 5, 63, 64, 700]);
        a.remove(63);
        assert!(!a.has(63) && a.has(64) && !a.has(100_000));
        let mut b = Bits::default();
        b.insert(64);
        assert_eq!(a.minus(&b).collect::<Vec<_>>(), [0, 5, 700]);
        b.join(&a);
        assert_eq!(b.count(), 4);
        b.clear();
        assert_eq!(b.count(), 0);
    }
}
