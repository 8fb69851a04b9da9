//! Freeing texts that nothing refers to any more: a step that counts bytes leaves one behind each second.

use super::Store;
use super::bits::Bits;
use super::slots::Slots;
use super::symbols::Sym;

impl Store {
    /// Sweeps the texts when enough came since the last time.
    pub(super) fn sweep(&mut self) {
        if !self.symbols.wants_sweep() {
            return;
        }
        let mut used = Bits::default();
        let mut failures = Bits::default();
        let t = &self.tasks;
        for column in [&t.operation, &t.status, &t.step, &t.object] {
            for sym in column {
                used.insert(sym.0);
            }
        }
        for &n in &t.failure {
            failures.insert(n);
        }
        for n in failures.iter() {
            let f = t.failures.get(n);
            for sym in [f.code, f.message, f.operation] {
                used.insert(sym.0);
            }
        }
        mark(&self.devices, &mut used);
        mark(&self.policies, &mut used);
        for (from, to) in self.log.symbols() {
            used.insert(from.0);
            used.insert(to.0);
        }
        self.protecting.retain(|sym, _| used.has(sym.0));
        self.tasks.failures.sweep(&failures);
        self.symbols.sweep(&used);
        self.devices.forget_names(&used);
        self.policies.forget_names(&used);
    }
}

fn mark<T>(slots: &Slots<T>, used: &mut Bits) {
    for slot in &slots.rows {
        used.insert(slot.id.0);
        used.insert(slot.name.0);
    }
}

/// True when a text is still used.
pub(super) fn is_used(used: &Bits, sym: Sym) -> bool {
    sym == Sym::EMPTY || used.has(sym.0)
}
