//! Telling new tasks from known ones without asking the file.
//!
//! In a storm most tasks that are told are new, and looking for each in the file costs a page from anywhere in it. After
//! some of these a filter of all numbers is made (Bloom, 1970): what it does not know is not in the file.

use rusqlite::Connection;

use super::keys;

/// So many tasks are looked for in vain before the filter is worth its making.
const AFTER: usize = 4_096;
/// Bits for each number: of fifty unknown ones about one is taken for known, and is looked for.
const BITS: usize = 8;
/// Bits that are set for each number.
const PROBES: u64 = 4;
/// The filter takes no more than 8 MiB; of more numbers than these it would not tell enough.
const MOST: usize = 8 << 20;

/// The numbers of all tasks of the file, or nothing yet. True as long as nobody else writes.
#[derive(Default)]
pub(super) struct Filter {
    words: Vec<u64>,
    /// So many more numbers may be added.
    room: usize,
    missed: usize,
}

impl Filter {
    /// Forgets everything: another program wrote.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// False when no task of the file has this number.
    pub(super) fn may_have(&self, hash: i64) -> bool {
        let has = |place: usize| {
            let word = self.words.get(place / 64).copied().unwrap_or(0);
            word >> (place % 64) & 1 != 0
        };
        self.words.is_empty() || places(hash, self.words.len()).all(has)
    }

    /// Notes that a task was looked for in vain.
    pub(super) fn miss(&mut self, c: &Connection) -> rusqlite::Result<()> {
        self.missed += 1;
        if self.missed != AFTER {
            return Ok(());
        }
        let held = keys::number(
            c,
            "SELECT (SELECT count(*) FROM task_key) + (SELECT count(*) FROM task_key_young)",
        )?;
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        if held > MOST / 2 {
            return Ok(());
        }
        let room = (held + held / 2).next_power_of_two().max(1 << 16);
        let mut made = Self {
            words: vec![0; room * BITS / 64],
            room,
            missed: self.missed,
        };
        let mut all =
            c.prepare("SELECT hash FROM task_key UNION ALL SELECT hash FROM task_key_young")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            made.add(row.get(0)?);
        }
        // only a whole one: what a part of it does not know may be in the file
        *self = made;
        Ok(())
    }

    /// Notes a task that is in the file now.
    pub(super) fn add(&mut self, hash: i64) {
        if self.words.is_empty() {
            return;
        }
        if self.room == 0 {
            // too many for it: a larger one is made of what is left by then
            self.forget();
            return;
        }
        self.room -= 1;
        for place in places(hash, self.words.len()) {
            if let Some(word) = self.words.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
    }
}

/// A number's bits in so many words, a power of two: two halves of it make all of them (Kirsch and Mitzenmacher, 2006).
fn places(hash: i64, words: usize) -> impl Iterator<Item = usize> {
    let hash = hash.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let step = (hash << 32) | 1;
    let mask = (words as u64 * 64).saturating_sub(1);
    // the high bits are the well mixed ones
    (0..PROBES).map(move |n| ((hash.wrapping_add(step.wrapping_mul(n)) >> 32) & mask) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn what_is_in_the_file_is_never_taken_for_new() {
        let c = schema::in_memory();
        let key = |n: usize| keys::hash(1, &format!("task-{n}"));
        for n in 0..1_000 {
            keys::put(&c, key(n), 1).expect("noted");
        }
        let mut filter = Filter::default();
        assert!(filter.may_have(key(5_000)), "nothing is known yet");
        for _ in 0..AFTER {
            filter.miss(&c).expect("read");
        }
        for n in 1_000..60_000 {
            filter.add(key(n));
        }
        assert!((0..60_000).all(|n| filter.may_have(key(n))));
        let wrong = (100_000..200_000)
            .filter(|n| filter.may_have(key(*n)))
            .count();
        assert!(wrong < 5_000, "{wrong} of 100,000");
        // with more than it has room for it is given up
        for n in 60_000..70_000 {
            filter.add(key(n));
        }
        assert!(filter.may_have(key(150_000)) && filter.words.is_empty());
    }
}
