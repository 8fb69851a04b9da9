//! The services' own ids of a million tasks: one arena, one index.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use memchr::memmem::Finder;

use super::bits::Bits;
use super::lines;
use super::tasks::set;
use crate::query::fold;

/// Longer ids stand outside the arena.
const LONGEST: usize = 512;
/// Set in a start whose id is kept outside the arena (upper case, or very long).
const OUTSIDE: u32 = 1 << 31;
/// One id of so many may be of a row that has none any more.
const GONE_SHARE: usize = 8;
/// The start of a row without an id.
const NO_START: u32 = OUTSIDE - 1;

/// Ids by row. The arena holds them in lower case with a line end behind each.
pub(super) struct Ids {
    arena: String,
    /// Rows in the order of the arena.
    order: Vec<u32>,
    /// Rows whose ids were taken away and still stand in the arena.
    gone: Bits,
    starts: Vec<u32>,
    outside: HashMap<u32, Box<str>>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

fn line(arena: &str, start: u32) -> &str {
    let rest = arena.as_bytes().get(start as usize..).unwrap_or(&[]);
    let end = memchr::memchr(b'\n', rest).unwrap_or(0);
    arena
        .get(start as usize..start as usize + end)
        .unwrap_or("")
}

fn id_of<'a>(
    arena: &'a str,
    starts: &[u32],
    outside: &'a HashMap<u32, Box<str>>,
    row: u32,
) -> &'a str {
    match starts.get(row as usize) {
        Some(&start) if start & OUTSIDE == 0 => line(arena, start),
        Some(_) => outside.get(&row).map_or("", |id| id),
        None => "",
    }
}

impl Ids {
    pub(super) fn new() -> Self {
        Self {
            arena: String::new(),
            order: Vec::new(),
            gone: Bits::default(),
            starts: Vec::new(),
            outside: HashMap::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// The id of a row as the service writes it.
    pub(super) fn get(&self, row: u32) -> &str {
        id_of(&self.arena, &self.starts, &self.outside, row)
    }

    /// The id in lower case as it stands in the arena (cut when it is very long).
    pub(super) fn low(&self, row: u32) -> &str {
        self.starts
            .get(row as usize)
            .map_or("", |&start| line(&self.arena, start & !OUTSIDE))
    }

    /// Rows with their ids in lower case (cut when very long), in the order in which they stand in memory; some are of
    /// rows that have no id any more.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let lines = memchr::memchr_iter(b'\n', self.arena.as_bytes());
        let mut start = 0;
        self.order.iter().zip(lines).map(move |(&row, end)| {
            let line = self.arena.as_bytes().get(start..end).unwrap_or(&[]);
            start = end + 1;
            (row, line)
        })
    }

    /// True when the arena does not hold the id as it is.
    pub(super) fn is_outside(&self, row: u32) -> bool {
        self.starts
            .get(row as usize)
            .is_some_and(|start| start & OUTSIDE != 0)
    }

    /// The rows whose ids the arena does not hold as they are.
    pub(super) fn outside(&self) -> impl Iterator<Item = u32> + '_ {
        self.outside.keys().copied()
    }

    /// Calls `hit` with every row in whose id, as the arena holds it, the needle stands; some are of rows that have no
    /// id any more.
    pub(super) fn search(&self, finder: &Finder<'_>, hit: impl FnMut(u32)) {
        let start = |row: u32| {
            let start = self.starts.get(row as usize).copied().unwrap_or(0);
            (start & !OUTSIDE) as usize
        };
        lines::search(&self.arena, finder, &self.order, start, hit);
    }

    /// The row of an id; `services` is the column of services by row.
    pub(super) fn find(&self, services: &[u16], service: u16, id: &str) -> Option<u32> {
        self.index
            .find(self.hasher.hash_one((service, id)), |&row| {
                services.get(row as usize) == Some(&service) && self.get(row) == id
            })
            .copied()
    }

    /// Gives a row its id; the row's service stands in `services` already.
    pub(super) fn put(&mut self, services: &[u16], row: u32, id: &str) {
        if self.gone.has(row) {
            self.compact();
        }
        if self.starts.len() <= row as usize {
            self.starts.resize(row as usize + 1, NO_START);
        }
        let low = fold(id);
        let mut cut = low.len().min(LONGEST);
        while !low.is_char_boundary(cut) {
            cut -= 1;
        }
        let kept = low.get(..cut).unwrap_or("");
        let fits = self.arena.len() + kept.len() + 1 < NO_START as usize;
        let plain = fits && kept == id && !id.contains('\n');
        let mut start = if fits {
            self.arena.len() as u32
        } else {
            NO_START
        };
        if fits {
            if kept.contains('\n') {
                self.arena.push_str(&kept.replace('\n', " "));
            } else {
                self.arena.push_str(kept);
            }
            self.arena.push('\n');
            self.order.push(row);
        }
        if !plain {
            self.outside.insert(row, id.into());
            start |= OUTSIDE;
        }
        set(&mut self.starts, row, start);
        let service = services.get(row as usize).copied().unwrap_or(0);
        let Self {
            arena,
            starts,
            outside,
            index,
            hasher,
            ..
        } = self;
        index.insert_unique(hasher.hash_one((service, id)), row, |&row| {
            let service = services.get(row as usize).copied().unwrap_or(0);
            hasher.hash_one((service, id_of(arena, starts, outside, row)))
        });
    }

    /// Takes a row's id away. It stands in the arena until many are gone, as moving all the others takes its time.
    pub(super) fn remove(&mut self, services: &[u16], row: u32) {
        let service = services.get(row as usize).copied().unwrap_or(0);
        let hash = self.hasher.hash_one((service, self.get(row)));
        if let Ok(entry) = self.index.find_entry(hash, |&r| r == row) {
            entry.remove();
            self.gone.insert(row);
        }
        self.outside.remove(&row);
    }

    /// Takes the ids that were removed out of the arena where they are one of a few.
    pub(super) fn compact_if_many(&mut self) {
        if self.gone.count() > self.order.len() / GONE_SHARE {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let arena = std::mem::take(&mut self.arena);
        let order = std::mem::take(&mut self.order);
        self.arena.reserve(arena.len());
        for row in order {
            let Some(start) = self.starts.get_mut(row as usize) else {
                continue;
            };
            if self.gone.has(row) {
                *start = NO_START;
                continue;
            }
            let id = line(&arena, *start & !OUTSIDE);
            *start = self.arena.len() as u32 | (*start & OUTSIDE);
            self.arena.push_str(id);
            self.arena.push('\n');
            self.order.push(row);
        }
        self.gone.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_all_sorts_are_found_again() {
        let mut ids = Ids::new();
        let mut services = Vec::new();
        let all = [
            (0, "5c0e-11".to_owned()),
            (1, "5c0e-11".to_owned()),
            (0, "ABC".to_owned()),
            (0, "abc".to_owned()),
            (0, "a\nb".to_owned()),
            (0, "é".repeat(2_000)),
            (0, String::new()),
        ];
        for (row, (service, id)) in all.iter().enumerate() {
            assert_eq!(ids.find(&services, *service, id), None);
            services.push(*service);
            ids.put(&services, row as u32, id);
        }
        for (row, (service, id)) in all.iter().enumerate() {
            assert_eq!(ids.find(&services, *service, id), Some(row as u32));
            assert_eq!(ids.get(row as u32), id);
        }
        assert_eq!(ids.low(2), "abc");
        ids.remove(&services, 1);
        ids.remove(&services, 5);
        assert_eq!(ids.find(&services, 1, "5c0e-11"), None);
        ids.compact_if_many();
        for (row, (service, id)) in all.iter().enumerate() {
            let gone = row == 1 || row == 5;
            assert_eq!(
                ids.find(&services, *service, id),
                (!gone).then_some(row as u32)
            );
        }
        let mut found = Vec::new();
        ids.search(&Finder::new("5c0e"), |row| found.push(row));
        assert_eq!(found, [0]);
        ids.put(&services, 1, "again");
        assert_eq!(ids.get(1), "again");
        // one of many goes, and its row comes again before the arena was put in order
        for row in all.len() as u32..100 {
            services.push(0);
            ids.put(&services, row, &format!("many-{row}"));
        }
        ids.remove(&services, 50);
        ids.compact_if_many();
        assert_eq!(ids.find(&services, 0, "many-50"), None);
        assert_eq!(ids.find(&services, 0, "many-51"), Some(51));
        ids.put(&services, 50, "new");
        assert_eq!(ids.find(&services, 0, "new"), Some(50));
        let mut found = Vec::new();
        ids.search(&Finder::new("many-5"), |row| found.push(row));
        assert_eq!(found, (51..60).collect::<Vec<_>>());
    }
}
