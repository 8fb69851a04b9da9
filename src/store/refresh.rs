//! Bringing a view up to date: by what changed, or anew.

use super::bits::Bits;
use super::changed::{Changes, FieldSet};
use super::order::Order;
use super::plan::{Plan, keep};
use super::tasks::at;
use super::{DeviceRow, Noun, PolicyRow, Store, View, sort};
use crate::model::{Phase, Timestamp};
use crate::query::Field;

/// Where a refresh left off.
pub(super) struct Place {
    /// The number of the next change.
    change: u64,
    names: u64,
    generation: u64,
    now: Timestamp,
    plan: Plan,
}

/// What depends on the clock is looked at anew this often, in milliseconds.
const CLOCK_STEP_MS: i64 = 1_000;
/// So many rows are put into place one by one at most; more are quicker sorted with all others.
const FEW: usize = 4_096;

impl Store {
    /// The changes of the rows of a noun.
    pub(super) const fn changes(&self, noun: Noun) -> &Changes {
        match noun {
            Noun::Devices => &self.device_changes,
            Noun::Policies => &self.policy_changes,
            _ => &self.task_changes,
        }
    }

    /// Moves when a row of the noun, or a name that its rows show, changed: while it stays the same, no
    /// list of this noun has to be looked at.
    #[must_use]
    pub const fn changed(&self, noun: Noun) -> u64 {
        self.changes(noun).next().wrapping_add(self.names)
    }
}

impl View {
    pub(super) fn bring_up_to_date(&mut self, store: &Store, now: Timestamp) -> bool {
        self.order.now = now;
        let Some(place) = self.place.take() else {
            return self.rebuild(store, now);
        };
        let clock_moved =
            self.depends_on_time() && now.0.abs_diff(place.now.0) >= CLOCK_STEP_MS.unsigned_abs();
        if clock_moved {
            return self.rebuild(store, now);
        }
        if place.generation == store.generation() {
            self.place = Some(place);
            return false;
        }
        if place.names != store.names {
            return self.rebuild(store, now);
        }
        let changes = store.changes(self.noun);
        let Some(changed) = changes.since(place.change) else {
            return self.rebuild(store, now);
        };
        let mut plan = place.plan;
        plan.prepare(store);
        let moved = self.take_in(store, &plan, changed);
        self.place = Some(Place {
            change: changes.next(),
            names: store.names,
            generation: store.generation(),
            // what depends on the clock was last looked at as a whole back then
            now: place.now,
            plan,
        });
        moved
    }

    fn depends_on_time(&self) -> bool {
        self.query.depends_on_time()
            || (self.order.field == Field::Elapsed && self.noun == Noun::Tasks)
    }

    /// The fields whose change can move a row within the order.
    fn order_reads(&self) -> FieldSet {
        let own = FieldSet::of(self.order.field);
        match (self.noun, self.order.field) {
            // the worst first: also by whether it ever succeeded
            (Noun::Devices | Noun::Policies, Field::Streak) => {
                own.with(Field::LastGood).with(Field::Name)
            }
            (Noun::Devices | Noun::Policies, _) => own.with(Field::Name),
            (_, Field::Name) => own.with(Field::Device).with(Field::Started),
            _ => own.with(Field::Started).with(Field::Name),
        }
    }

    fn is_base(&self, store: &Store, row: u32) -> bool {
        match self.noun {
            Noun::Devices => store.devices.get(row).is_some_and(|s| s.listed.is_some()),
            Noun::Policies => store.policies.get(row).is_some_and(|s| s.listed.is_some()),
            Noun::Running => store.live.has(row),
            Noun::Failed => {
                let phase = at(&store.tasks.phase, row, Phase::Unknown);
                let taken = at(&store.tasks.flags, row, 0) & super::tasks::ACKED != 0;
                store.attention.has(row)
                    && (self.all_ended_badly || phase.needs_person())
                    && !(self.hides_acknowledged && taken)
            }
            Noun::Tasks => store.alive.has(row),
        }
    }

    fn matches(&self, store: &Store, plan: &Plan, row: u32) -> bool {
        match self.noun {
            Noun::Devices => self
                .query
                .matches(&store.device(DeviceRow(row)), self.order.now),
            Noun::Policies => self
                .query
                .matches(&store.policy(PolicyRow(row)), self.order.now),
            _ => plan.row(store, row),
        }
    }

    /// Looks at everything.
    fn rebuild(&mut self, store: &Store, now: Timestamp) -> bool {
        let mut plan = if self.noun.is_of_tasks() {
            Plan::new(self.query.expr(), now)
        } else {
            Plan::All
        };
        plan.prepare(store);
        let members = match self.noun {
            Noun::Tasks => plan.among(store, store.alive.clone()),
            Noun::Running => plan.among(store, store.live.clone()),
            Noun::Failed => {
                let base = keep(store.attention.clone(), |row| self.is_base(store, row));
                plan.among(store, base)
            }
            Noun::Devices => Bits::from_fn(store.devices.rows.len(), |row| {
                self.is_base(store, row) && self.matches(store, &plan, row)
            }),
            Noun::Policies => Bits::from_fn(store.policies.rows.len(), |row| {
                self.is_base(store, row) && self.matches(store, &plan, row)
            }),
        };
        let rows: Vec<u32> = members.iter().collect();
        let rows = sorted(store, &self.order, rows);
        let moved = rows != self.rows;
        self.rows = rows;
        self.members = members;
        self.place = Some(Place {
            change: store.changes(self.noun).next(),
            names: store.names,
            generation: store.generation(),
            now,
            plan,
        });
        moved
    }

    /// Takes in single changes; true when rows came, went or moved.
    fn take_in(
        &mut self,
        store: &Store,
        plan: &Plan,
        changed: impl Iterator<Item = (u32, FieldSet)>,
    ) -> bool {
        let reads = self.order_reads();
        let mut seen = hashbrown::HashMap::new();
        for (row, fields) in changed {
            let all = seen.entry(row).or_insert(FieldSet::NONE);
            *all = all.and(fields);
        }
        let mut gone = Bits::default();
        let mut leaving = 0;
        let mut coming = Vec::new();
        for (row, fields) in seen {
            let was = self.members.has(row);
            let is = self.is_base(store, row) && self.matches(store, plan, row);
            let moves = was && is && fields.meets(reads);
            if was && (!is || moves) {
                gone.insert(row);
                leaving += 1;
            }
            if is && (!was || moves) {
                coming.push(row);
            }
        }
        if leaving == 0 && coming.is_empty() {
            return false;
        }
        if coming.len() > FEW && coming.len() > self.rows.len() / 32 {
            let now = self.order.now;
            return self.rebuild(store, now);
        }
        coming.sort_by(|&a, &b| self.order.compare(store, a, b));
        // a row that only might have moved often has not
        if coming.len() == 1
            && leaving == 1
            && let Some(&row) = coming.first()
            && gone.has(row)
            && let Some(place) = self.position(row)
            && self.is_in_place(store, row, place)
        {
            return false;
        }
        for row in gone.iter() {
            self.members.remove(row);
        }
        for &row in &coming {
            self.members.insert(row);
        }
        if leaving > 0 {
            self.rows.retain(|&row| !gone.has(row));
        }
        self.merge(store, &coming);
        true
    }

    /// Whether a row stands rightly between its neighbours.
    fn is_in_place(&self, store: &Store, row: u32, place: usize) -> bool {
        let before = place.checked_sub(1).and_then(|p| self.get(p));
        let after = self.get(place + 1);
        before.is_none_or(|b| self.order.compare(store, b, row).is_lt())
            && after.is_none_or(|a| self.order.compare(store, row, a).is_lt())
    }

    /// Puts sorted rows into their places: found by halving, then everything moves once.
    fn merge(&mut self, store: &Store, coming: &[u32]) {
        let order = self.order;
        let old = self.rows.len();
        let mut end = old;
        self.rows.resize(old + coming.len(), 0);
        for (n, &row) in coming.iter().enumerate().rev() {
            let held = self.rows.get(..end).unwrap_or(&[]);
            let at = held.partition_point(|&r| order.compare(store, r, row).is_lt());
            // n rows come before this one
            self.rows.copy_within(at..end, at + n + 1);
            if let Some(slot) = self.rows.get_mut(at + n) {
                *slot = row;
            }
            end = at;
        }
    }
}

/// The rows in order.
fn sorted(store: &Store, order: &Order, rows: Vec<u32>) -> Vec<u32> {
    if order.noun.is_of_tasks() {
        return sort::sort_tasks(store, order, &rows);
    }
    let mut valued: Vec<_> = rows
        .into_iter()
        .map(|row| (order.value(store, row), row))
        .collect();
    valued.sort_by(|a, b| {
        a.0.compare(&b.0, order.descending)
            .then_with(|| order.tie(store, a.1, b.1))
    });
    valued.into_iter().map(|(_, row)| row).collect()
}
