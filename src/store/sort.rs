//! Sorting up to a million tasks: every value becomes a number first, then the numbers are sorted.

use super::bits::Bits;
use super::order::{Order, compare_ids, compare_text, label_of, tie_of_tasks};
use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{NEVER, NO_PERCENT, at};
use super::{Store, TaskRow};
use crate::model::Phase;
use crate::query::{Field, Record, fold};

/// Sorts after everything else.
const LAST: u64 = u64::MAX;
/// Runs of equal numbers up to this length are sorted by comparing.
const SHORT: usize = 32;

/// The rows of tasks in the order of [`Order::compare`].
pub(super) fn sort_tasks(store: &Store, order: &Order, rows: &[u32]) -> Vec<u32> {
    if order.field == Field::Id {
        return by_id(store, order.descending, rows);
    }
    let keys = keys(store, order, rows);
    let number = Range::of(keys.iter().copied());
    let ages = Ages::of(store, rows);
    let row_bits = row_bits(rows);
    let (number_bits, low_bits) = (number.bits(), ages.bits() + row_bits);
    if number_bits + low_bits <= 64 {
        // value, age and row in one number: sorted at one go
        let pack =
            |key, row| number.place(key) << low_bits | ages.place(row) << row_bits | row_of(row);
        let mut packed: Vec<u64> = keys.iter().zip(rows).map(|(k, r)| pack(*k, *r)).collect();
        radix(&mut packed, row_bits, number_bits + low_bits);
        return unpacked(&packed, row_bits, |run| settle(store, run, Tie::Device));
    }
    if number_bits + row_bits <= 64 {
        let pack = |key, row| number.place(key) << row_bits | row_of(row);
        let mut packed: Vec<u64> = keys.iter().zip(rows).map(|(k, r)| pack(*k, *r)).collect();
        radix(&mut packed, row_bits, number_bits + row_bits);
        return unpacked(&packed, row_bits, |run| settle(store, run, Tie::Age));
    }
    // values too far apart to leave room for a row beside them
    let mut keyed: Vec<(u64, u32)> = keys.into_iter().zip(rows.iter().copied()).collect();
    keyed.sort_by_key(|e| e.0);
    let mut sorted: Vec<u32> = keyed.iter().map(|e| e.1).collect();
    for_runs(
        &keyed,
        |e| e.0,
        &mut sorted,
        |run| settle(store, run, Tie::Age),
    );
    sorted
}

const fn row_of(row: u32) -> u64 {
    row as u64
}

/// Bits needed for numbers up to this one.
const fn bits(highest: u64) -> u32 {
    u64::BITS - highest.leading_zeros()
}

fn row_bits(rows: &[u32]) -> u32 {
    bits(row_of(rows.iter().copied().max().unwrap_or(0))).max(1)
}

/// From where to where numbers go, [`LAST`] apart.
#[derive(Clone, Copy)]
struct Range {
    low: u64,
    high: u64,
}

impl Range {
    fn of(numbers: impl Iterator<Item = u64>) -> Self {
        let (mut low, mut high) = (LAST, 0);
        for n in numbers.filter(|n| *n != LAST) {
            low = low.min(n);
            high = high.max(n);
        }
        Self {
            low: low.min(high),
            high,
        }
    }

    /// Bits of [`Range::place`].
    const fn bits(self) -> u32 {
        bits((self.high - self.low).saturating_add(1))
    }

    /// The number from 0 on; what sorts last follows right behind the rest, to keep the numbers small.
    const fn place(self, n: u64) -> u64 {
        if n == LAST {
            (self.high - self.low).saturating_add(1)
        } else {
            n - self.low
        }
    }
}

/// Ages of rows as numbers, the newest first.
struct Ages<'a> {
    when: &'a [i64],
    range: Range,
}

impl<'a> Ages<'a> {
    fn of(store: &'a Store, rows: &[u32]) -> Self {
        let when = &*store.tasks.when;
        let range = Range::of(rows.iter().map(|&row| biased(at(when, row, NEVER))));
        Self { when, range }
    }

    const fn bits(&self) -> u32 {
        bits(self.range.high - self.range.low)
    }

    fn place(&self, row: u32) -> u64 {
        self.range
            .high
            .saturating_sub(biased(at(self.when, row, NEVER)))
    }
}

/// The rows of packed numbers; every run of two or more equal numbers is handed to `settle`.
fn unpacked(packed: &[u64], row_bits: u32, settle: impl FnMut(&mut [u32])) -> Vec<u32> {
    let mask = (1 << row_bits) - 1;
    let mut rows: Vec<u32> = packed.iter().map(|p| (p & mask) as u32).collect();
    for_runs(packed, |p| p >> row_bits, &mut rows, settle);
    rows
}

/// Calls `settle` with the rows of every run of two or more equal numbers.
fn for_runs<T>(
    sorted: &[T],
    number: impl Fn(&T) -> u64,
    rows: &mut [u32],
    mut settle: impl FnMut(&mut [u32]),
) {
    let mut from = 0;
    let mut run = |from: usize, to: usize| {
        if to > from + 1
            && let Some(run) = rows.get_mut(from..to)
        {
            settle(run);
        }
    };
    for (i, pair) in sorted.windows(2).enumerate() {
        if let [a, b] = pair
            && number(a) != number(b)
        {
            run(from, i + 1);
            from = i + 1;
        }
    }
    run(from, sorted.len());
}

/// By what rows of one value are sorted, one after another.
#[derive(Clone, Copy)]
enum Tie {
    Age,
    Device,
    Id,
}

/// Puts rows of one value into their own order, that of [`tie_of_tasks`].
fn settle(store: &Store, run: &mut [u32], tie: Tie) {
    if run.len() <= SHORT {
        run.sort_unstable_by(|a, b| tie_of_tasks(store, *a, *b));
        return;
    }
    let t = &store.tasks;
    let row_bits = row_bits(run);
    let (numbers, next): (Vec<u64>, Tie) = match tie {
        Tie::Age => {
            let ages = Ages::of(store, run);
            (
                run.iter().map(|&row| ages.place(row)).collect(),
                Tie::Device,
            )
        }
        Tie::Device => {
            let ranks = ranks_of_slots(store, &store.devices, run, &t.device);
            let number = |row| {
                let rank = at(&ranks, at(&t.device, row, NOWHERE), 0);
                u64::from(at(&t.service, row, u16::MAX)) << 32 | u64::from(rank)
            };
            (run.iter().map(|&row| number(row)).collect(), Tie::Id)
        }
        Tie::Id => {
            run.copy_from_slice(&by_id(store, false, run));
            return;
        }
    };
    let range = Range::of(numbers.iter().copied());
    if range.bits() + row_bits > 64 {
        run.sort_unstable_by(|a, b| tie_of_tasks(store, *a, *b));
        return;
    }
    let pack = |(n, row): (&u64, &u32)| range.place(*n) << row_bits | row_of(*row);
    let mut packed: Vec<u64> = numbers.iter().zip(run.iter()).map(pack).collect();
    radix(&mut packed, row_bits, range.bits() + row_bits);
    let sorted = unpacked(&packed, row_bits, |same| settle(store, same, next));
    run.copy_from_slice(&sorted);
}

/// A signed number so that the order of unsigned ones is its order.
const fn biased(n: i64) -> u64 {
    (n as u64) ^ (1 << 63)
}

/// Numbers whose order is that of the rows' values in the direction asked for.
fn keys(store: &Store, order: &Order, rows: &[u32]) -> Vec<u64> {
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
        each(rows, |row| ranked(&ranks, at(column, row, Sym::EMPTY).0))
    };
    let failures = |pick: fn(&super::tasks::Failure) -> Sym| {
        let of = |row| pick(&t.failures.get(at(&t.failure, row, 0)));
        let ranks = ranks_of_symbols(store, rows.iter().map(|&row| of(row)));
        each(rows, |row| ranked(&ranks, of(row).0))
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
            each(rows, |row| ranked(&ranks, at(&t.device, row, NOWHERE)))
        }
        Field::Policy => {
            let ranks = ranks_of_slots(store, &store.policies, rows, &t.policy);
            each(rows, |row| ranked(&ranks, at(&t.policy, row, NOWHERE)))
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
            each(rows, |row| {
                ranked(&ranks, u32::from(at(&t.service, row, u16::MAX)))
            })
        }
        Field::Phase => each(rows, |row| {
            number(Some(at(&t.phase, row, Phase::Unknown) as i64))
        }),
        Field::Progress => each(rows, |row| {
            let n = at(&t.progress, row, NO_PERCENT);
            number((n != NO_PERCENT).then_some(i64::from(n)))
        }),
        Field::Http => each(rows, |row| {
            let http = t.failures.get(at(&t.failure, row, 0)).http;
            number((http != 0).then_some(i64::from(http)))
        }),
        Field::Ack => each(rows, |row| {
            let taken = at(&t.flags, row, 0) & super::tasks::ACKED != 0;
            number(Some(i64::from(taken)))
        }),
        Field::Started => each(rows, |row| time(at(&t.started, row, NEVER))),
        Field::Updated => each(rows, |row| time(at(&t.updated, row, NEVER))),
        Field::Ended => each(rows, |row| time(at(&t.ended, row, NEVER))),
        Field::Elapsed | Field::Age => each(rows, |row| {
            number(store.task(TaskRow(row)).number(order.field, order.now))
        }),
        _ => each(rows, |_| LAST),
    }
}

fn each(rows: &[u32], key: impl Fn(u32) -> u64) -> Vec<u64> {
    rows.iter().map(|&row| key(row)).collect()
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

/// So few of all rows are sorted by comparing their ids; more are worth going through all of them.
const FEW: usize = 16;
/// So many letters of an id are looked at to sort it; ids that share them are compared.
const LETTERS: usize = 12;
/// More bits than this tell nearly all ids apart.
const ENOUGH: u32 = 44;

/// Rows sorted by their ids, those without one last; equal ids of two services in their own order.
fn by_id(store: &Store, descending: bool, rows: &[u32]) -> Vec<u32> {
    let ids = &store.tasks.ids;
    let compare = |a: &u32, b: &u32| {
        let order = compare_ids(store, *a, *b);
        let order = if descending { order.reverse() } else { order };
        order.then_with(|| tie_of_tasks(store, *a, *b))
    };
    let (mut named, mut nameless): (Vec<u32>, Vec<u32>) =
        rows.iter().partition(|row| !ids.low(**row).is_empty());
    nameless.sort_unstable_by(|a, b| tie_of_tasks(store, *a, *b));
    if named.len() < store.tasks.len() / FEW || named.len() < 2_048 {
        named.sort_unstable_by(compare);
    } else {
        named = by_letters(store, descending, &named, compare);
    }
    named.extend(nameless);
    named
}

/// Sorts by the first letters of the ids as numbers. Going through the ids in the order in which they stand
/// in memory, and giving each letter only as many bits as there are different ones at its place, makes
/// numbers of a few dozen bits that tell nearly all ids apart.
fn by_letters(
    store: &Store,
    descending: bool,
    rows: &[u32],
    compare: impl Fn(&u32, &u32) -> std::cmp::Ordering,
) -> Vec<u32> {
    let mut wanted = Bits::default();
    rows.iter().for_each(|row| wanted.insert(*row));
    let ids = &store.tasks.ids;
    let letter = |id: &[u8], at: usize| id.get(at).map_or(0, |b| usize::from(*b) + 1);
    let mut codes = [[0u8; 257]; LETTERS];
    for (row, id) in ids.in_order() {
        if wanted.has(row) {
            for (at, seen) in codes.iter_mut().enumerate() {
                if let Some(seen) = seen.get_mut(letter(id, at)) {
                    *seen = 1;
                }
            }
        }
    }
    let row_bits = row_bits(rows);
    let (mut width, mut depth) = ([0; LETTERS], 0);
    let mut all = 0;
    for (seen, width) in codes.iter_mut().zip(&mut width) {
        let mut next = 0u8;
        for code in seen.iter_mut().filter(|seen| **seen == 1) {
            *code = next;
            next = next.saturating_add(1);
        }
        *width = bits(u64::from(next.saturating_sub(1)));
        if all + *width > 64 - row_bits || all >= ENOUGH {
            break;
        }
        all += *width;
        depth += 1;
    }
    let number = |id: &[u8]| {
        let used = codes.iter().zip(&width).take(depth).enumerate();
        used.fold(0u64, |n, (at, (codes, width))| {
            n << width | u64::from(codes.get(letter(id, at)).copied().unwrap_or(0))
        })
    };
    let turn = if descending { (1 << all) - 1 } else { 0 };
    let mut packed: Vec<u64> = Vec::with_capacity(rows.len());
    for (row, id) in ids.in_order() {
        if wanted.has(row) {
            packed.push((number(id) ^ turn) << row_bits | row_of(row));
        }
    }
    radix(&mut packed, row_bits, all + row_bits);
    unpacked(&packed, row_bits, |run| run.sort_unstable_by(&compare))
}

/// Digits of this many bits are sorted at a time.
const DIGIT: u32 = 11;
const BUCKETS: usize = 1 << DIGIT;

/// Sorts by the bits from `from` up to `to`, stable, least digit first.
fn radix(numbers: &mut Vec<u64>, from: u32, to: u32) {
    if numbers.len() < 2_048 {
        // a stable sort for few; what stands below `from` is in order where it matters
        numbers.sort_by_key(|n| n >> from);
        return;
    }
    let mut other: Vec<u64> = vec![0; numbers.len()];
    let mut digit = from;
    while digit < to {
        let place = |n: u64| (n >> digit) as usize & (BUCKETS - 1);
        let mut counts = [0u32; BUCKETS];
        for n in numbers.iter() {
            if let Some(count) = counts.get_mut(place(*n)) {
                *count += 1;
            }
        }
        let whole = numbers.len() as u32;
        if !counts.contains(&whole) {
            let mut sum = 0;
            for n in &mut counts {
                sum += std::mem::replace(n, sum);
            }
            for &n in numbers.iter() {
                if let Some(at) = counts.get_mut(place(n)) {
                    if let Some(slot) = other.get_mut(*at as usize) {
                        *slot = n;
                    }
                    *at += 1;
                }
            }
            std::mem::swap(numbers, &mut other);
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
        for (from, to) in [(0, 64), (21, 22), (21, 32), (20, 33), (20, 64), (1, 64)] {
            for len in [100, 5_000] {
                let mut numbers: Vec<u64> = (0..len).map(|_| rng.u64(..) >> (64 - to)).collect();
                let mut expected = numbers.clone();
                expected.sort_by_key(|n| n >> from);
                radix(&mut numbers, from, to);
                assert_eq!(numbers, expected, "{from} to {to}");
            }
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
