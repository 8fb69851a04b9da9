//! The tests of a query that look into texts, made ready for the columns.

use super::bits::Bits;
use super::changed::FieldSet;
use super::plan::{Tests, keep};
use super::slots::{NOWHERE, Slots};
use super::symbols::{Class, Sym, Symbols};
use super::tasks::at;
use super::{Store, TaskRow};
use crate::model::Phase;
use crate::query::{Field, Record, TextTest};

/// A text term: which texts pass, and in which columns they count.
pub(super) struct TextLeaf {
    /// Empty: any text that is not empty passes.
    tests: Tests,
    fields: FieldSet,
    /// Symbols that pass.
    symbols: Bits,
    /// How many symbols were looked at in their order, and of which age of the table.
    looked_at: (usize, u64),
    /// The columns in which a passing symbol stands.
    classes: Class,
    classes_age: u64,
    failures: Bits,
    failures_seen: usize,
    devices: Bits,
    policies: Bits,
    /// Counts and renames of devices and policies when their sets were made.
    parties_age: Option<[u64; 5]>,
    services: Bits,
    phases: u16,
}

impl TextLeaf {
    pub(super) fn new(tests: Tests, fields: FieldSet) -> Self {
        Self {
            tests,
            fields,
            symbols: Bits::default(),
            looked_at: (0, 0),
            classes: Class::NONE,
            classes_age: 0,
            failures: Bits::default(),
            failures_seen: 0,
            devices: Bits::default(),
            policies: Bits::default(),
            parties_age: None,
            services: Bits::default(),
            phases: 0,
        }
    }

    /// Passes where the field has any text.
    pub(super) fn not_empty(field: Field) -> Self {
        Self::new(Vec::new(), FieldSet::of(field))
    }

    pub(super) fn cost(&self) -> u32 {
        if self.fields.has(Field::Id) { 20 } else { 3 }
    }

    fn passes(&self, text: &str) -> bool {
        !text.is_empty() && (self.tests.is_empty() || self.tests.iter().any(|t| t.passes(text)))
    }

    fn passes_folded(&self, text: &str, low: &str) -> bool {
        !text.is_empty()
            && (self.tests.is_empty() || self.tests.iter().any(|t| t.passes_folded(text, low)))
    }

    pub(super) fn prepare(&mut self, store: &Store) {
        let symbols = &store.symbols;
        if self.looked_at.1 != symbols.age() {
            self.symbols = Bits::default();
            self.failures = Bits::default();
            (self.looked_at, self.failures_seen) = ((0, symbols.age()), 0);
            self.parties_age = None;
            self.classes_age = u64::MAX;
        }
        if self.looked_at.0 < symbols.order().len() {
            self.look_at_symbols(symbols);
            self.classes_age = u64::MAX;
        }
        if self.classes_age != symbols.classes_age() {
            self.classes = self
                .symbols
                .iter()
                .fold(Class::NONE, |set, n| set.and(symbols.class(Sym(n))));
            self.classes_age = symbols.classes_age();
        }
        let failures = &store.tasks.failures.rows;
        for (n, f) in failures.iter().enumerate().skip(self.failures_seen) {
            let hit = (self.fields.has(Field::Code) && self.symbols.has(f.code.0))
                || (self.fields.has(Field::Message) && self.symbols.has(f.message.0));
            if hit {
                self.failures.insert(n as u32);
            }
        }
        self.failures_seen = failures.len();
        let age = [
            store.devices.rows.len() as u64,
            store.devices.renames,
            store.policies.rows.len() as u64,
            store.policies.renames,
            store.services.len() as u64,
        ];
        if self.parties_age != Some(age) {
            self.parties_age = Some(age);
            self.devices = self.parties(&store.devices, Field::Device);
            self.policies = self.parties(&store.policies, Field::Policy);
            self.services = Bits::from_fn(store.services.len(), |n| {
                store.services.get(n as usize).is_some_and(|s| {
                    (self.fields.has(Field::Service) && self.passes(&s.service.name))
                        || (self.fields.has(Field::Kind) && self.passes(s.service.kind.name()))
                })
            });
            self.phases = 0;
            if self.fields.has(Field::Phase) {
                for phase in Phase::ALL {
                    self.phases |= u16::from(self.passes(phase.word())) << phase as u16;
                }
            }
        }
    }

    /// Looks into the texts that are new since the last time.
    fn look_at_symbols(&mut self, symbols: &Symbols) {
        let from = self.looked_at.0;
        self.looked_at.0 = symbols.order().len();
        if from == 0
            && let [TextTest::Contains(needle)] = &*self.tests
        {
            let found = &mut self.symbols;
            symbols.search(needle.finder(), |n| found.insert(n));
            return;
        }
        for &n in symbols.order().get(from..).unwrap_or(&[]) {
            let sym = Sym(n);
            if self.passes_folded(symbols.get(sym), symbols.low(sym)) {
                self.symbols.insert(n);
            }
        }
    }

    /// The devices or policies whose name or id passes.
    fn parties<T>(&self, slots: &Slots<T>, field: Field) -> Bits {
        let any = self.fields.has(field);
        // a task's name is its device's
        let name = field == Field::Device && self.fields.has(Field::Name);
        if !any && !name {
            return Bits::default();
        }
        Bits::from_fn(slots.rows.len(), |row| {
            let Some(slot) = slots.get(slots.shown(row)) else {
                return false;
            };
            let by_name = self.symbols.has(slot.name.0);
            let by_id = self.symbols.has(slot.id.0);
            (any && (by_name || by_id)) || (name && (by_name || (by_id && slot.name == Sym::EMPTY)))
        })
    }

    fn in_column(&self, class: Class, field: Field) -> bool {
        self.fields.has(field) && self.classes.meets(class)
    }

    pub(super) fn row(&self, store: &Store, row: u32) -> bool {
        let t = &store.tasks;
        let in_sym = |column: &[Sym]| self.symbols.has(at(column, row, Sym::EMPTY).0);
        (self.in_column(Class::STATUS, Field::Status) && in_sym(&t.status))
            || (self.in_column(Class::OPERATION, Field::Operation) && in_sym(&t.operation))
            || (self.in_column(Class::STEP, Field::Step) && in_sym(&t.step))
            || (self.in_column(Class::OBJECT, Field::Object) && in_sym(&t.object))
            || self.failures.has(at(&t.failure, row, 0))
            || self.in_party(&self.devices, at(&t.device, row, NOWHERE))
            || self.in_party(&self.policies, at(&t.policy, row, NOWHERE))
            || self.services.has(u32::from(at(&t.service, row, u16::MAX)))
            || self.phases >> (at(&t.phase, row, Phase::Unknown) as u16) & 1 != 0
            || (self.fields.has(Field::Id) && self.id_passes(store, row))
    }

    fn in_party(&self, set: &Bits, row: u32) -> bool {
        row != NOWHERE && set.has(row)
    }

    fn id_passes(&self, store: &Store, row: u32) -> bool {
        match &*self.tests {
            [TextTest::Contains(needle)] if !store.tasks.ids.is_outside(row) => {
                needle.is_in_folded(store.tasks.ids.low(row))
            }
            _ => store
                .task(TaskRow(row))
                .any_text(Field::Id, &mut |id| self.passes(id)),
        }
    }

    pub(super) fn among(&self, store: &Store, candidates: Bits) -> Bits {
        let t = &store.tasks;
        let mut out = Bits::default();
        out.words_mut().resize(candidates.words().len(), 0);
        let syms: [(Class, Field, &[Sym]); 4] = [
            (Class::STATUS, Field::Status, &t.status),
            (Class::OPERATION, Field::Operation, &t.operation),
            (Class::STEP, Field::Step, &t.step),
            (Class::OBJECT, Field::Object, &t.object),
        ];
        if self.phases != 0 {
            gather(&mut out, &candidates, &t.phase, |p| {
                u64::from(self.phases >> (p as u16) & 1)
            });
        }
        if !self.services.is_empty() {
            gather(&mut out, &candidates, &t.service, |s| {
                self.services.bit(u32::from(s))
            });
        }
        for (class, field, column) in syms {
            if self.in_column(class, field) {
                gather(&mut out, &candidates, column, |s| self.symbols.bit(s.0));
            }
        }
        for (set, column) in [
            (&self.failures, &t.failure),
            (&self.devices, &t.device),
            (&self.policies, &t.policy),
        ] {
            if !set.is_empty() {
                gather(&mut out, &candidates, column, |n| set.bit(n));
            }
        }
        if self.fields.has(Field::Id) {
            self.among_ids(store, &candidates, &mut out);
        }
        out
    }

    fn among_ids(&self, store: &Store, candidates: &Bits, out: &mut Bits) {
        let ids = &store.tasks.ids;
        let mut left = candidates.clone();
        left.subtract(out);
        let few = left.count() < store.tasks.len() / 16;
        match &*self.tests {
            [TextTest::Contains(needle)] if !few => {
                let mut found = Bits::default();
                ids.search(needle.finder(), |row| found.insert(row));
                // what is cut or written in another way is looked at on its own
                for row in ids.outside() {
                    if self.id_passes(store, row) {
                        found.insert(row);
                    }
                }
                for ((o, l), f) in out
                    .words_mut()
                    .iter_mut()
                    .zip(left.words())
                    .zip(found.words())
                {
                    *o |= l & f;
                }
            }
            _ => out.join(&keep(left, |row| self.id_passes(store, row))),
        }
    }
}

/// Sets the bits of the candidates whose value in the column passes.
fn gather<T: Copy>(out: &mut Bits, candidates: &Bits, column: &[T], test: impl Fn(T) -> u64) {
    let words = out.words_mut().iter_mut().zip(candidates.words());
    for ((word, &wanted), block) in words.zip(column.chunks(64)) {
        let wanted = wanted & !*word;
        if wanted == 0 {
            continue;
        }
        let mut bits = 0u64;
        for (i, value) in block.iter().enumerate() {
            bits |= test(*value) << i;
        }
        *word |= bits & wanted;
    }
}
