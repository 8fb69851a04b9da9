//! Sorting up to a million tasks: every value becomes a number first, then the numbers are sorted.

use super::bits::Bits;
use super::order::{Order, compare_ids, compare_text, label_of, tie_of_tasks};
use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{NEVER, NO_PERCENT, at};
use super::{Store, TaskRow};
use crate::model::Phase;
use crate::query::{Field, Record, fold};

/// A row with the number it is sorted by.
type Keyed = (u64, u32);

/// Sorts after everything else.
const LAST: u64 = u64::MAX;
/// Runs of equal keys up to this length are sorted by comparing.
const SHORT: usize = 96;

/// The rows of tasks in the order of [`Order::compare`].
pub(super) fn sort_tasks(store: &Store, order: &Order, rows: &[u32]) -> Vec<u32> {
    let mut keyed = if order.field == Field::Id {
        by_id(store, order.descending, rows)
    } else {
        let mut keyed = keys(store, order, rows);
        radix(&mut keyed);
        keyed
    };
    for_runs(&mut keyed, |run| settle_run(store, run, Tie::Age));
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Calls `settle` for every run of two or more equal keys.
fn for_runs(keyed: &mut [Keyed], mut settle: impl FnMut(&mut [Keyed])) {
    let mut rest = keyed;
    while let Some(&(key, _)) = rest.first() {
        let run = rest.iter().take_while(|e| e.0 == key).count();
        let Some((run, after)) = rest.split_at_mut_checked(run) else {
            return;
        };
        if run.len() > 1 {
            settle(run);
        }
        rest = after;
    }
}

/// By what rows of one value are sorted, one after another.
#[derive(Clone, Copy)]
enum Tie {
    Age,
    Device,
    Id,
}

/// Puts rows of one value into their own order, that of [`tie_of_tasks`].
fn settle_run(store: &Store, run: &mut [Keyed], tie: Tie) {
    if run.len() <= SHORT {
        run.sort_unstable_by(|a, b| tie_of_tasks(store, a.1, b.1));
        return;
    }
    let t = &store.tasks;
    let rows: Vec<u32> = run.iter().map(|e| e.1).collect();
    let mut sorted: Vec<Keyed> = match tie {
        Tie::Age => keyed(&rows, |row| !biased(at(&t.when, row, NEVER))),
        Tie::Device => {
            let ranks = ranks_of_slots(store, &store.devices, &rows, &t.device);
            keyed(&rows, |row| {
                let rank = at(&ranks, at(&t.device, row, NOWHERE), 0);
                u64::from(at(&t.service, row, u16::MAX)) << 32 | u64::from(rank)
            })
        }
        Tie::Id => by_id(store, false, &rows),
    };
    match tie {
        Tie::Age => {
            radix(&mut sorted);
            for_runs(&mut sorted, |same| settle_run(store, same, Tie::Device));
        }
        Tie::Device => {
            radix(&mut sorted);
            for_runs(&mut sorted, |same| settle_run(store, same, Tie::Id));
        }
        Tie::Id => {}
    }
    for (slot, (_, row)) in run.iter_mut().zip(sorted) {
        slot.1 = row;
    }
}

/// A signed number so that the order of unsigned ones is its order.
const fn biased(n: i64) -> u64 {
    (n as u64) ^ (1 << 63)
}

/// Numbers whose order is that of the rows' values in the direction asked for.
fn keys(store: &Store, order: &Order, rows: &[u32]) -> Vec<Keyed> {
    let t = &store.tasks;
    let descending = order.descending;
    let number = |n: Option<i64>| match n {
        None => LAST,
        Some(n) if descending => (!biased(n)).min(LAST - 1),
        Some(n) => biased(n).min(LAST - 1),
    };
    let time = |n: i64| number((n != NEVER).then_some(n));
    let ranked = |ranks: &[u32], n: u32| match ranks.get(n as usize).copied().unwrap_or(0) {
        0 => LAST,
        rank if descending => u64::from(u32::MAX - rank),
        rank => u64::from(rank),
    };
    let symbols = |column: &[Sym]| {
        let ranks = ranks_of_symbols(store, rows.iter().map(|&row| at(column, row, Sym::EMPTY)));
        keyed(rows, |row| ranked(&ranks, at(column, row, Sym::EMPTY).0))
    };
    let failures = |pick: fn(&super::tasks::Failure) -> Sym| {
        let of = |row| pick(&t.failures.get(at(&t.failure, row, 0)));
        let ranks = ranks_of_symbols(store, rows.iter().map(|&row| of(row)));
        keyed(rows, |row| ranked(&ranks, of(row).0))
    };
    match order.field {
        Field::Status => symbols(&t.status),
        Field::Operation => symbols(&t.operation),
        Field::Step => symbols(&t.step),
        Field::Object => symbols(&t.object),
        Field::Code => failures(|f| f.code),
        Field::Message => failures(|f| f.message),
        Field::Device | Field::Name => {
            let ranks = ranks_of_slots(store, &store.devices, rows, &t.device);
            keyed(rows, |row| ranked(&ranks, at(&t.device, row, NOWHERE)))
        }
        Field::Policy => {
            let ranks = ranks_of_slots(store, &store.policies, rows, &t.policy);
            keyed(rows, |row| ranked(&ranks, at(&t.policy, row, NOWHERE)))
        }
        Field::Service | Field::Kind => {
            let texts: Vec<&str> = store
                .services
                .iter()
                .map(|s| match order.field {
                    Field::Service => &*s.service.name,
                    _ => s.service.kind.name(),
                })
                .collect();
            let all = (0..texts.len() as u32).map(|n| (n, at(&texts, n, "")));
            let ranks = rank(texts.len(), all.collect());
            keyed(rows, |row| {
                ranked(&ranks, u32::from(at(&t.service, row, u16::MAX)))
            })
        }
        Field::Phase => keyed(rows, |row| {
            number(Some(at(&t.phase, row, Phase::Unknown) as i64))
        }),
        Field::Progress => keyed(rows, |row| {
            let n = at(&t.progress, row, NO_PERCENT);
            number((n != NO_PERCENT).then_some(i64::from(n)))
        }),
        Field::Http => keyed(rows, |row| {
            let http = t.failures.get(at(&t.failure, row, 0)).http;
            number((http != 0).then_some(i64::from(http)))
        }),
        Field::Started => keyed(rows, |row| time(at(&t.started, row, NEVER))),
        Field::Updated => keyed(rows, |row| time(at(&t.updated, row, NEVER))),
        Field::Ended => keyed(rows, |row| time(at(&t.ended, row, NEVER))),
        Field::Elapsed | Field::Age => keyed(rows, |row| {
            number(store.task(TaskRow(row)).number(order.field, order.now))
        }),
        _ => keyed(rows, |_| LAST),
    }
}

fn keyed(rows: &[u32], key: impl Fn(u32) -> u64) -> Vec<Keyed> {
    rows.iter().map(|&row| (key(row), row)).collect()
}

/// Ranks from 1 by number; equal texts share one, empty ones have 0.
fn rank<'a>(numbers: usize, texts: Vec<(u32, &'a str)>) -> Vec<u32> {
    let mut ranks = vec![0; numbers];
    let mut sorted: Vec<(u64, u32, &'a str)> = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(n, text)| (prefix(text), n, text))
        .collect();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare_text(a.2, b.2)));
    let mut rank = 0;
    let mut last = "";
    for (_, n, text) in sorted {
        if text != last {
            rank += 1;
            last = text;
        }
        super::tasks::set(&mut ranks, n, rank);
    }
    ranks
}

/// The first eight bytes of a text in lower case, so that most texts compare as numbers.
fn prefix(text: &str) -> u64 {
    let mut first = [0u8; 8];
    if text.is_ascii() {
        for (slot, b) in first.iter_mut().zip(text.bytes()) {
            *slot = b.to_ascii_lowercase();
        }
    } else {
        for (slot, b) in first.iter_mut().zip(fold(text).bytes()) {
            *slot = b;
        }
    }
    u64::from_be_bytes(first)
}

fn ranks_of_symbols(store: &Store, used: impl Iterator<Item = Sym>) -> Vec<u32> {
    let mut set = Bits::default();
    for sym in used {
        set.insert(sym.0);
    }
    let texts = set.iter().map(|n| (n, store.symbols.get(Sym(n)))).collect();
    rank(store.symbols.len(), texts)
}

fn ranks_of_slots<T>(store: &Store, slots: &Slots<T>, rows: &[u32], column: &[u32]) -> Vec<u32> {
    let mut set = Bits::default();
    for &row in rows {
        let slot = at(column, row, NOWHERE);
        if slot != NOWHERE {
            set.insert(slot);
        }
    }
    let text = |row| store.symbols.get(label_of(slots, row));
    rank(slots.rows.len(), set.iter().map(|n| (n, text(n))).collect())
}

/// Rows sorted by their ids; the key is the place, equal for equal ids of two services.
fn by_id(store: &Store, descending: bool, rows: &[u32]) -> Vec<Keyed> {
    let ids = &store.tasks.ids;
    let mut sorted = keyed(rows, |row| {
        let low = ids.low(row);
        if low.is_empty() { LAST } else { prefix(low) }
    });
    radix(&mut sorted);
    for_runs(&mut sorted, |run| {
        run.sort_by(|a, b| compare_ids(store, a.1, b.1).then(a.1.cmp(&b.1)))
    });
    let mut place = 0;
    let mut last = None;
    for (key, row) in &mut sorted {
        if last.is_none_or(|l| compare_ids(store, l, *row).is_ne()) {
            place += 1;
        }
        last = Some(*row);
        if *key != LAST {
            *key = place;
        }
    }
    if descending {
        let named = sorted.partition_point(|e| e.0 != LAST);
        if let Some(named) = sorted.get_mut(..named) {
            named.reverse();
            for (key, _) in named {
                *key = place - *key;
            }
        }
    }
    sorted
}

/// Digits of this many bits are sorted at a time.
const DIGIT: u32 = 11;
const BUCKETS: usize = 1 << DIGIT;

/// Sorts by the key, stable, least digit first; only as many digits as the keys differ in.
fn radix(keyed: &mut Vec<Keyed>) {
    if keyed.len() < 2_048 {
        keyed.sort_by_key(|e| e.0);
        return;
    }
    let present = || keyed.iter().map(|e| e.0).filter(|k| *k != LAST);
    let (Some(low), Some(high)) = (present().min(), present().max()) else {
        return;
    };
    // what sorts last follows right behind the rest, to keep the number of digits small
    let shifted = |key: u64| {
        if key == LAST {
            (high - low).saturating_add(1)
        } else {
            key - low
        }
    };
    let bits = 64 - (high - low).saturating_add(1).leading_zeros();
    let mut other: Vec<Keyed> = vec![(0, 0); keyed.len()];
    let mut digit = 0;
    while digit < bits {
        let place = |key: u64| (shifted(key) >> digit) as usize & (BUCKETS - 1);
        let mut counts = [0u32; BUCKETS];
        for (key, _) in keyed.iter() {
            if let Some(n) = counts.get_mut(place(*key)) {
                *n += 1;
            }
        }
        let whole = keyed.len() as u32;
        if !counts.contains(&whole) {
            let mut sum = 0;
            for n in &mut counts {
                sum += std::mem::replace(n, sum);
            }
            for &entry in keyed.iter() {
                if let Some(n) = counts.get_mut(place(entry.0)) {
                    if let Some(slot) = other.get_mut(*n as usize) {
                        *slot = entry;
                    }
                    *n += 1;
                }
            }
            std::mem::swap(keyed, &mut other);
        }
        digit += DIGIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radix_is_a_stable_sort() {
        let mut rng = fastrand::Rng::with_seed(5);
        for bits in [1, 11, 12, 33, 64] {
            let mut keyed: Vec<Keyed> = (0..5_000u32)
                .map(|row| {
                    let key = if rng.u8(0..10) == 0 {
                        LAST
                    } else {
                        rng.u64(..) >> (64 - bits)
                    };
                    (key, row)
                })
                .collect();
            let mut expected = keyed.clone();
            expected.sort_by_key(|e| e.0);
            radix(&mut keyed);
            assert_eq!(keyed, expected, "{bits} bits");
        }
    }

    #[test]
    fn ranks_follow_the_text() {
        let texts = vec![
            (0, ""),
            (1, "beta"),
            (2, "Alpha"),
            (3, "alpha"),
            (4, "beta"),
            (5, "alphabetical order"),
        ];
        assert_eq!(rank(7, texts), [0, 4, 1, 2, 4, 3, 0]);
    }
}
