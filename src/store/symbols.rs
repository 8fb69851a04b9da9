//! Every text once: names, statuses, codes and messages become small numbers.
//!
//! A million tasks share a few thousand texts. Kept once each, they are compared and filtered as
//! numbers, and looked into once per text instead of once per row.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use memchr::memmem::Finder;

use super::bits::Bits;
use super::lines;
use crate::query::fold;

/// The number of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(super) struct Sym(pub(super) u32);

impl Sym {
    /// The empty text.
    pub(super) const EMPTY: Self = Self(0);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The columns of tasks in which a text stands, or stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Class(u8);

impl Class {
    pub(super) const NONE: Self = Self(0);
    pub(super) const STATUS: Self = Self(1);
    pub(super) const OPERATION: Self = Self(2);
    pub(super) const STEP: Self = Self(4);
    pub(super) const OBJECT: Self = Self(8);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Where a text stands in the arenas.
#[derive(Clone, Copy, Default)]
struct Span {
    at: u32,
    len: u32,
    low_at: u32,
    low_len: u32,
}

/// The texts. Number 0 is always the empty one.
pub(super) struct Symbols {
    text: String,
    /// The texts in lower case, one after another with a line end behind each, for searching.
    low: String,
    /// The texts' numbers in the order of the arenas: the order in which they came.
    order: Vec<u32>,
    spans: Vec<Span>,
    classes: Vec<Class>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    age: u64,
    classes_age: u64,
    /// Bytes of text after the last sweep.
    swept: usize,
}

/// An arena that would outgrow its 32-bit places takes no more text.
const FULL: usize = u32::MAX as usize - (1 << 20);
/// A sweep is worth it when this much text came since the last.
const WORTH_SWEEPING: usize = 4 << 20;

fn slice(text: &str, at: u32, len: u32) -> &str {
    text.get(at as usize..at as usize + len as usize)
        .unwrap_or("")
}

impl Symbols {
    pub(super) fn new() -> Self {
        let mut symbols = Self {
            text: String::new(),
            low: String::new(),
            order: Vec::new(),
            spans: Vec::new(),
            classes: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            age: 0,
            classes_age: 0,
            swept: 0,
        };
        symbols.intern("");
        symbols
    }

    /// Numbers run below this.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The numbers in the order in which their texts came since the table was last swept.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Moves when numbers were freed: what was kept about numbers is worth nothing then.
    pub(super) const fn age(&self) -> u64 {
        self.age
    }

    /// Moves when a text comes to stand in another column.
    pub(super) const fn classes_age(&self) -> u64 {
        self.classes_age
    }

    fn span(&self, n: u32) -> Span {
        self.spans.get(n as usize).copied().unwrap_or_default()
    }

    /// The text.
    pub(super) fn get(&self, sym: Sym) -> &str {
        let span = self.span(sym.0);
        slice(&self.text, span.at, span.len)
    }

    /// The text in lower case.
    pub(super) fn low(&self, sym: Sym) -> &str {
        let span = self.span(sym.0);
        slice(&self.low, span.low_at, span.low_len)
    }

    /// The columns in which the text stands, or stood.
    pub(super) fn class(&self, sym: Sym) -> Class {
        self.classes.get(sym.index()).copied().unwrap_or_default()
    }

    /// The number of a text, where it has one.
    pub(super) fn find(&self, text: &str) -> Option<Sym> {
        let hash = self.hasher.hash_one(text);
        self.index
            .find(hash, |&n| self.get(Sym(n)) == text)
            .map(|&n| Sym(n))
    }

    /// The number of a text; a new one when it is new.
    pub(super) fn intern(&mut self, text: &str) -> Sym {
        if let Some(sym) = self.find(text) {
            return sym;
        }
        if self.low.len().max(self.text.len()) + 4 * text.len() > FULL {
            return Sym::EMPTY;
        }
        let low = fold(text);
        let span = Span {
            at: self.text.len() as u32,
            len: text.len() as u32,
            low_at: self.low.len() as u32,
            low_len: low.len() as u32,
        };
        let n = match self.free.pop() {
            Some(n) => {
                super::tasks::set(&mut self.spans, n, span);
                super::tasks::set(&mut self.classes, n, Class::NONE);
                n
            }
            None => {
                self.spans.push(span);
                self.classes.push(Class::NONE);
                self.spans.len() as u32 - 1
            }
        };
        self.text.push_str(text);
        // a line end within a text would tear it apart for the search
        if low.contains('\n') {
            self.low.push_str(&low.replace('\n', " "));
        } else {
            self.low.push_str(&low);
        }
        self.low.push('\n');
        self.order.push(n);
        let (text, spans, hasher) = (&self.text, &self.spans, &self.hasher);
        let hash_of = |n: &u32| {
            let span = spans.get(*n as usize).copied().unwrap_or_default();
            hasher.hash_one(slice(text, span.at, span.len))
        };
        self.index.insert_unique(hash_of(&n), n, hash_of);
        Sym(n)
    }

    /// Keeps `sym` when the text is the same, without hashing it; the number of the new text otherwise.
    pub(super) fn keep_or_intern(&mut self, sym: Sym, text: &str) -> Sym {
        if self.get(sym) == text {
            sym
        } else {
            self.intern(text)
        }
    }

    /// [`Symbols::keep_or_intern`] for a text of a column of tasks.
    pub(super) fn keep_or_intern_in(&mut self, sym: Sym, text: &str, class: Class) -> Sym {
        if self.get(sym) == text {
            return sym;
        }
        let sym = self.intern(text);
        if let Some(held) = self.classes.get_mut(sym.index())
            && !held.meets(class)
        {
            *held = held.and(class);
            self.classes_age += 1;
        }
        sym
    }

    /// Calls `hit` with the number of every text in which the needle stands, in any case.
    pub(super) fn search(&self, finder: &Finder<'_>, hit: impl FnMut(u32)) {
        let start = |n: u32| self.span(n).low_at as usize;
        lines::search(&self.low, finder, &self.order, start, hit);
    }

    /// True when so much text came since the last sweep that another may be worth its time.
    pub(super) const fn wants_sweep(&self) -> bool {
        self.text.len() > 2 * self.swept + WORTH_SWEEPING
    }

    /// Frees the numbers of texts that are no longer used.
    pub(super) fn sweep(&mut self, used: &Bits) {
        let order = std::mem::take(&mut self.order);
        let (text, low) = (
            std::mem::take(&mut self.text),
            std::mem::take(&mut self.low),
        );
        self.index.clear();
        for n in order {
            let span = self.span(n);
            if n != 0 && !used.has(n) {
                super::tasks::set(&mut self.spans, n, Span::default());
                super::tasks::set(&mut self.classes, n, Class::NONE);
                self.free.push(n);
                continue;
            }
            let kept = slice(&text, span.at, span.len);
            let moved = Span {
                at: self.text.len() as u32,
                low_at: self.low.len() as u32,
                ..span
            };
            super::tasks::set(&mut self.spans, n, moved);
            self.text.push_str(kept);
            self.low.push_str(slice(&low, span.low_at, span.low_len));
            self.low.push('\n');
            self.order.push(n);
            let hash = self.hasher.hash_one(kept);
            let (text, spans, hasher) = (&self.text, &self.spans, &self.hasher);
            self.index.insert_unique(hash, n, |n| {
                let span = spans.get(*n as usize).copied().unwrap_or_default();
                hasher.hash_one(slice(text, span.at, span.len))
            });
        }
        self.age += 1;
        self.swept = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number() {
        let mut s = Symbols::new();
        assert_eq!(s.intern(""), Sym::EMPTY);
        let a = s.intern("Größe");
        assert_eq!(s.intern("Größe"), a);
        assert_ne!(s.intern("größe"), a);
        assert_eq!((s.get(a), s.low(a)), ("Größe", "größe"));
        assert_eq!(s.find("nothing"), None);
        for n in 0..10_000 {
            s.intern(&n.to_string());
        }
        assert_eq!(s.find("Größe"), Some(a));
        assert_eq!(s.get(s.find("9999").expect("interned")), "9999");
        let mut found = Vec::new();
        s.search(&Finder::new("öß"), |n| found.push(s.get(Sym(n))));
        assert_eq!(found, ["Größe", "größe"]);
    }

    #[test]
    fn a_sweep_keeps_the_used_and_gives_the_other_numbers_away_again() {
        let mut s = Symbols::new();
        let all: Vec<Sym> = (0..100).map(|n| s.intern(&format!("Text {n}"))).collect();
        let mut used = Bits::default();
        all.iter().step_by(2).for_each(|n| used.insert(n.0));
        let (age, len) = (s.age(), s.len());
        s.sweep(&used);
        assert!(s.age() > age);
        for (n, sym) in all.iter().enumerate() {
            let text = format!("Text {n}");
            let kept = n % 2 == 0;
            assert_eq!(s.find(&text), kept.then_some(*sym));
            assert_eq!(s.get(*sym), if kept { &*text } else { "" });
        }
        let again = s.intern("another");
        assert_eq!(s.len(), len, "a freed number is used first");
        assert_eq!(s.get(again), "another");
        let mut found = Vec::new();
        s.search(&Finder::new("text 4"), |n| found.push(s.get(Sym(n))));
        assert_eq!(
            found,
            [
                "Text 4", "Text 40", "Text 42", "Text 44", "Text 46", "Text 48"
            ]
        );
        assert_eq!(s.intern(""), Sym::EMPTY);
    }
}
