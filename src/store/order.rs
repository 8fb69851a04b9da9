//! The order of two rows: by a field, then so that equal rows never change places.

use std::cmp::Ordering;

use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{Failure, NEVER, at};
use super::{DeviceRow, Noun, PolicyRow, Stats, Store, TaskRow};
use crate::model::Timestamp;
use crate::query::{Field, FieldType, Record, fold};

/// How the rows of a view are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Order {
    pub(super) noun: Noun,
    pub(super) field: Field,
    pub(super) descending: bool,
    pub(super) now: Timestamp,
}

/// Case-blind first, then letter for letter.
pub(super) fn compare_text(a: &str, b: &str) -> Ordering {
    fold(a).cmp(&fold(b)).then_with(|| a.cmp(b))
}

/// The value by which a row of devices or policies is sorted, worked out once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Text(String, String),
    Number(i64),
    /// Comes last in either direction.
    None,
}

impl Value {
    fn text(text: &str) -> Self {
        if text.is_empty() {
            Self::None
        } else {
            Self::Text(fold(text).into_owned(), text.to_owned())
        }
    }

    fn number(n: Option<i64>) -> Self {
        n.map_or(Self::None, Self::Number)
    }

    /// The order of two values; what has none comes last in either direction.
    pub(super) fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::None, Self::None) => return Ordering::Equal,
            (Self::None, _) => return Ordering::Greater,
            (_, Self::None) => return Ordering::Less,
            (Self::Text(a, x), Self::Text(b, y)) => a.cmp(b).then_with(|| x.cmp(y)),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(..)) => Ordering::Less,
            (Self::Text(..), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

fn value_of(record: &impl Record, stats: Option<Stats>, field: Field, now: Timestamp) -> Value {
    if let (Field::Streak, Some(stats)) = (field, stats) {
        return Value::Number(i64::try_from(stats.badness()).unwrap_or(i64::MAX));
    }
    match field.kind() {
        FieldType::Time => Value::number(record.time(field).map(|t| t.0)),
        _ if field == Field::Phase => Value::Number(record.phase() as i64),
        FieldType::Text | FieldType::Word | FieldType::Flag => {
            let mut value = Value::None;
            record.any_text(field, &mut |text| {
                value = Value::text(text);
                true
            });
            value
        }
        _ => Value::number(record.number(field, now)),
    }
}

impl Order {
    /// The value by which a row is sorted.
    pub(super) fn value(&self, store: &Store, row: u32) -> Value {
        match self.noun {
            Noun::Devices => {
                let device = store.device(DeviceRow(row));
                // a device whose last attempt is not known sorts as having none
                if self.field == Field::Phase && device.stats().last_attempt_phase.is_none() {
                    return Value::None;
                }
                value_of(&device, Some(device.stats()), self.field, self.now)
            }
            Noun::Policies => {
                let policy = store.policy(PolicyRow(row));
                if self.field == Field::Phase && policy.stats().last_attempt_phase.is_none() {
                    return Value::None;
                }
                value_of(&policy, Some(policy.stats()), self.field, self.now)
            }
            _ => value_of(&store.task(TaskRow(row)), None, self.field, self.now),
        }
    }

    /// The order of two rows of the same value.
    pub(super) fn tie(&self, store: &Store, x: u32, y: u32) -> Ordering {
        match self.noun {
            Noun::Devices => {
                let (a, b) = (store.device(DeviceRow(x)), store.device(DeviceRow(y)));
                a.service_id()
                    .cmp(&b.service_id())
                    .then_with(|| compare_text(a.name(), b.name()))
                    .then_with(|| a.id().cmp(b.id()))
            }
            Noun::Policies => {
                let (a, b) = (store.policy(PolicyRow(x)), store.policy(PolicyRow(y)));
                a.service_id()
                    .cmp(&b.service_id())
                    .then_with(|| compare_text(a.name(), b.name()))
                    .then_with(|| a.id().cmp(b.id()))
            }
            _ => tie_of_tasks(store, x, y),
        }
        .then_with(|| x.cmp(&y))
    }

    /// The order of two rows.
    pub(super) fn compare(&self, store: &Store, x: u32, y: u32) -> Ordering {
        if x == y {
            return Ordering::Equal;
        }
        let order = if self.noun.is_of_tasks() {
            self.compare_tasks(store, x, y)
        } else {
            self.value(store, x)
                .compare(&self.value(store, y), self.descending)
        };
        order.then_with(|| self.tie(store, x, y))
    }

    /// The order of two tasks by the field alone; works out no text.
    fn compare_tasks(&self, store: &Store, x: u32, y: u32) -> Ordering {
        let t = &store.tasks;
        let symbols = |column: &[Sym]| {
            self.compare_symbols(store, at(column, x, Sym::EMPTY), at(column, y, Sym::EMPTY))
        };
        let failures = |pick: fn(&Failure) -> Sym| {
            let of = |row| pick(&t.failures.get(at(&t.failure, row, 0)));
            self.compare_symbols(store, of(x), of(y))
        };
        match self.field {
            Field::Status => symbols(&t.status),
            Field::Operation => symbols(&t.operation),
            Field::Step => symbols(&t.step),
            Field::Object => symbols(&t.object),
            Field::Code => failures(|f| f.code),
            Field::Message => failures(|f| f.message),
            Field::Device | Field::Name => {
                let of = |row| label_of(&store.devices, at(&t.device, row, NOWHERE));
                self.compare_symbols(store, of(x), of(y))
            }
            Field::Policy => {
                let of = |row| label_of(&store.policies, at(&t.policy, row, NOWHERE));
                self.compare_symbols(store, of(x), of(y))
            }
            _ => self
                .value(store, x)
                .compare(&self.value(store, y), self.descending),
        }
    }

    fn compare_symbols(&self, store: &Store, a: Sym, b: Sym) -> Ordering {
        match (a, b) {
            _ if a == b => Ordering::Equal,
            (Sym::EMPTY, _) => Ordering::Greater,
            (_, Sym::EMPTY) => Ordering::Less,
            _ if self.descending => compare_names(store, b, a),
            _ => compare_names(store, a, b),
        }
    }
}

/// The text that stands for a device or policy: its name, or its id where it has none.
pub(super) fn label_of<T>(slots: &Slots<T>, row: u32) -> Sym {
    slots.get(slots.shown(row)).map_or(Sym::EMPTY, |slot| {
        if slot.name == Sym::EMPTY {
            slot.id
        } else {
            slot.name
        }
    })
}

fn compare_names(store: &Store, a: Sym, b: Sym) -> Ordering {
    let symbols = &store.symbols;
    symbols
        .low(a)
        .cmp(symbols.low(b))
        .then_with(|| symbols.get(a).cmp(symbols.get(b)))
}

/// The order of two ids: case-blind first.
pub(super) fn compare_ids(store: &Store, x: u32, y: u32) -> Ordering {
    let ids = &store.tasks.ids;
    ids.low(x)
        .cmp(ids.low(y))
        .then_with(|| compare_text(ids.get(x), ids.get(y)))
}

/// Newest first; then by service, device and id.
pub(super) fn tie_of_tasks(store: &Store, x: u32, y: u32) -> Ordering {
    let t = &store.tasks;
    let when = |row| at(&t.when, row, NEVER);
    let service = |row| at(&t.service, row, u16::MAX);
    when(y)
        .cmp(&when(x))
        .then_with(|| service(x).cmp(&service(y)))
        .then_with(|| {
            let of = |row| label_of(&store.devices, at(&t.device, row, NOWHERE));
            let (a, b) = (of(x), of(y));
            if a == b {
                Ordering::Equal
            } else {
                compare_names(store, a, b)
            }
        })
        .then_with(|| compare_ids(store, x, y))
        .then_with(|| x.cmp(&y))
}
