//! What is live: every row that the services told, indexed, with its past, and views over it.
//!
//! One owner, no locks: the loop applies what comes and the faces read. Texts stand once
//! ([`symbols`](self)), tasks stand in columns, devices and policies in rows; a [`TaskRow`] is a dense
//! number that stays the same for the run. Every visible change moves [`Store::generation`]; an
//! unchanged poll moves nothing.

mod acks;
mod apply;
mod attic;
mod bits;
mod changed;
mod counts;
mod device_view;
mod drop_old;
mod fold;
mod groups;
pub mod history;
mod ids;
mod lines;
mod log;
mod log_view;
mod nights;
mod order;
mod outcomes;
mod parties;
mod party_view;
mod plan;
mod plan_text;
mod policy_view;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod random_world;
mod refresh;
mod relate;
mod remember;
mod rhythm;
mod rounds;
mod service_state;
mod slots;
mod sort;
mod sweep;
mod symbols;
mod targets;
mod task_view;
mod tasks;
#[cfg(test)]
mod tests;
mod view;

use crate::model::{Device, Health, Kind, Policy, RecordsFrom, Service, ServiceId, Timestamp};

pub use crate::query::Noun;
pub use acks::{Ack, AckState};
pub use apply::Part;
pub use changed::FieldSet;
pub use counts::Counts;
pub use device_view::DeviceView;
pub use groups::{By, Group};
pub use log_view::{FeedLog, Logged};
pub use nights::{NIGHTS, Night, Nights};
pub use outcomes::Stats;
pub use policy_view::PolicyView;
pub use remember::Remembered;
pub use rhythm::{Measure, Silent, Stuck, Usual};
pub use rounds::{Covered, RoundEnd};
pub use service_state::{FeedState, ServiceState};
pub use targets::{Party, Risk, Target, TargetFrom, TargetRule};
pub use task_view::TaskView;
pub use view::View;

/// The dense number of a task within one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskRow(pub u32);

/// The dense number of a device within one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DeviceRow(pub u32);

/// The dense number of a policy within one run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PolicyRow(pub u32);

/// What applying a page did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Rows that were not held before.
    pub new: usize,
    /// Rows of which something visible changed.
    pub changed: usize,
    /// Rows that are as they were.
    pub unchanged: usize,
    /// Transitions added to the log.
    pub transitions: usize,
}

/// Everything that is live.
pub struct Store {
    services: Vec<ServiceState>,
    /// Stands in for ids that are not of this run.
    nobody: ServiceState,
    symbols: symbols::Symbols,
    tasks: tasks::Tasks,
    devices: slots::Slots<Device>,
    policies: slots::Slots<Policy>,
    links: relate::Links,
    attic: attic::Attic,
    log: log::Log,
    acks: acks::Acks,
    /// Rows that hold a task.
    alive: bits::Bits,
    /// Tasks that are live.
    live: bits::Bits,
    /// Tasks that failed, are uncertain, skipped or cancelled, and were not cleared.
    attention: bits::Bits,
    /// Tasks that came out of history and are as they were.
    remembered: bits::Bits,
    /// Whether an operation protects data, by its text.
    protecting: hashbrown::HashMap<symbols::Sym, bool>,
    task_changes: changed::Changes,
    device_changes: changed::Changes,
    policy_changes: changed::Changes,
    generation: u64,
    /// Moves when a name changes that tasks show: their order by name is worth nothing then.
    names: u64,
    overdue_after_ms: i64,
    /// How old the last good backup of some may be; the first that fits counts.
    targets: Vec<TargetRule>,
    devices_by_rule: targets::ByRule,
    dropping: drop_old::Dropping,
    /// The newest instant the owner told.
    clock: Timestamp,
}

/// A device without a good backup for longer than this is counted, unless said otherwise: a day and
/// two hours, so that a nightly backup that takes a while is not.
pub const OVERDUE_AFTER_MS: i64 = 26 * 3_600_000;

impl Store {
    /// An empty store for these services, whose ids are their places in the list.
    #[must_use]
    pub fn new(services: Vec<Service>) -> Self {
        Self {
            services: services.into_iter().map(ServiceState::new).collect(),
            nobody: ServiceState::new(Service {
                id: ServiceId(u16::MAX),
                name: "".into(),
                kind: Kind(""),
                embedded: false,
                read_only: true,
            }),
            symbols: symbols::Symbols::new(),
            tasks: tasks::Tasks::new(),
            devices: slots::Slots::new(),
            policies: slots::Slots::new(),
            links: relate::Links::default(),
            attic: attic::Attic::new(attic::BUDGET),
            log: log::Log::default(),
            acks: acks::Acks::default(),
            alive: bits::Bits::default(),
            live: bits::Bits::default(),
            attention: bits::Bits::default(),
            remembered: bits::Bits::default(),
            protecting: hashbrown::HashMap::new(),
            task_changes: changed::Changes::default(),
            device_changes: changed::Changes::default(),
            policy_changes: changed::Changes::default(),
            generation: 0,
            names: 0,
            overdue_after_ms: OVERDUE_AFTER_MS,
            targets: Vec::new(),
            devices_by_rule: targets::ByRule::default(),
            dropping: drop_old::Dropping::new(drop_old::CAP),
            clock: Timestamp::default(),
        }
    }

    /// Keeps at most so many bytes of the services' own records.
    #[must_use]
    pub fn with_record_budget(mut self, bytes: usize) -> Self {
        self.attic = attic::Attic::new(bytes);
        self
    }

    /// Tells others from when on records are kept, through what they share.
    pub fn share_records_from(&mut self, from: RecordsFrom) {
        self.attic.from = from;
    }

    /// Counts a device as without a good backup when its last one is older than this and no rule says otherwise.
    pub fn set_overdue_after(&mut self, ms: i64) {
        if self.overdue_after_ms != ms {
            self.overdue_after_ms = ms;
            self.generation += 1;
        }
    }

    /// How old a last good backup may be, in milliseconds.
    #[must_use]
    pub const fn overdue_after_ms(&self) -> i64 {
        self.overdue_after_ms
    }

    /// All services, in the order of the configuration.
    #[must_use]
    pub fn services(&self) -> &[ServiceState] {
        &self.services
    }

    /// One service; one without a name for an id that is not of this run.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> &ServiceState {
        self.services.get(id.index()).unwrap_or(&self.nobody)
    }

    /// Moves with every visible change; the same number means that nothing has to be drawn anew.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Sets a service's health; true when it is another than before.
    pub fn set_health(&mut self, id: ServiceId, health: Health) -> bool {
        let Some(state) = self.services.get_mut(id.index()) else {
            return false;
        };
        let health = health.with_last_ok(state.known_at);
        if state.health == health {
            return false;
        }
        state.health = health;
        self.generation += 1;
        true
    }

    /// Notes what a service's clock showed when ours showed `ours`.
    pub fn note_clock(&mut self, id: ServiceId, theirs: Timestamp, ours: Timestamp) {
        let Some(state) = self.services.get_mut(id.index()) else {
            return;
        };
        let offset = theirs.since(ours);
        // HTTP dates have whole seconds: what differs by less is no news
        let news = state
            .clock_offset_ms
            .is_none_or(|before| before.abs_diff(offset) > 1_500);
        if news {
            let seen = state.is_clock_off();
            state.clock_offset_ms = Some(offset);
            // by how much it is off is written anew with every frame, but is no reason for one
            self.generation += u64::from(seen != state.is_clock_off());
        }
    }

    /// How many tasks are held.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.services
            .iter()
            .flat_map(|s| s.phases)
            .map(|n| n as usize)
            .sum()
    }

    /// The task with this id.
    #[must_use]
    pub fn find_task(&self, service: ServiceId, id: &str) -> Option<TaskRow> {
        self.tasks.find(service.0, id).map(TaskRow)
    }

    /// The listed device with this id.
    #[must_use]
    pub fn find_device(&self, service: ServiceId, id: &str) -> Option<DeviceRow> {
        let row = self.devices.find(service, self.symbols.find(id)?)?;
        self.devices
            .get(row)
            .is_some_and(|s| s.listed.is_some())
            .then_some(DeviceRow(row))
    }

    /// The listed policy with this id.
    #[must_use]
    pub fn find_policy(&self, service: ServiceId, id: &str) -> Option<PolicyRow> {
        let row = self.policies.find(service, self.symbols.find(id)?)?;
        self.policies
            .get(row)
            .is_some_and(|s| s.listed.is_some())
            .then_some(PolicyRow(row))
    }

    /// All listed devices, in the order in which they came.
    pub fn devices(&self) -> impl Iterator<Item = DeviceRow> + '_ {
        listed(&self.devices).map(DeviceRow)
    }

    /// All listed policies, in the order in which they came.
    pub fn policies(&self) -> impl Iterator<Item = PolicyRow> + '_ {
        listed(&self.policies).map(PolicyRow)
    }

    /// All tasks held, in the order in which they came.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRow> + '_ {
        self.alive.iter().map(TaskRow)
    }

    /// The tasks of a device, newest first; also those that came before the device did, and those that
    /// know only its name.
    pub fn tasks_of_device(&self, device: DeviceRow) -> impl Iterator<Item = TaskRow> + use<> {
        self.newest_first(self.devices.tasks(device.0))
    }

    /// The tasks of a policy, newest first.
    pub fn tasks_of_policy(&self, policy: PolicyRow) -> impl Iterator<Item = TaskRow> + use<> {
        self.newest_first(self.policies.tasks(policy.0))
    }

    fn newest_first<I: Iterator<Item = u32>>(&self, rows: I) -> std::vec::IntoIter<TaskRow> {
        let when = |row: u32| tasks::at(&self.tasks.when, row, tasks::NEVER);
        let mut keyed: Vec<(i64, u32)> = rows.map(|row| (when(row), row)).collect();
        keyed.sort_unstable_by(|a, b| b.cmp(a));
        let rows: Vec<TaskRow> = keyed.into_iter().map(|(_, row)| TaskRow(row)).collect();
        rows.into_iter()
    }

    /// The listed devices that a policy covers, by the word of either.
    pub fn devices_of_policy(&self, policy: PolicyRow) -> impl Iterator<Item = DeviceRow> + '_ {
        let rows = self.policies.get(policy.0).map_or(&[][..], |s| &s.related);
        rows.iter()
            .copied()
            .filter(|&d| self.devices.get(d).is_some_and(|s| s.listed.is_some()))
            .map(DeviceRow)
    }

    /// The listed policies that cover a device, by the word of either.
    pub fn policies_of_device(&self, device: DeviceRow) -> impl Iterator<Item = PolicyRow> + '_ {
        let rows = self.devices.get(device.0).map_or(&[][..], |s| &s.related);
        rows.iter()
            .copied()
            .filter(|&p| self.policies.get(p).is_some_and(|s| s.listed.is_some()))
            .map(PolicyRow)
    }

    /// A task; a row that is not there reads as empty.
    #[must_use]
    pub const fn task(&self, row: TaskRow) -> TaskView<'_> {
        TaskView::new(self, row)
    }

    /// A device; a row that is not there reads as empty.
    #[must_use]
    pub fn device(&self, row: DeviceRow) -> DeviceView<'_> {
        DeviceView::new(self, row, self.devices.get(self.devices.shown(row.0)))
    }

    /// A policy; a row that is not there reads as empty.
    #[must_use]
    pub fn policy(&self, row: PolicyRow) -> PolicyView<'_> {
        PolicyView::new(self, row, self.policies.get(self.policies.shown(row.0)))
    }

    /// The last transitions across all services.
    #[must_use]
    pub const fn log(&self) -> FeedLog<'_> {
        FeedLog::new(self)
    }
}

fn listed<T>(slots: &slots::Slots<T>) -> impl Iterator<Item = u32> + '_ {
    slots
        .rows
        .iter()
        .enumerate()
        .filter(|(_, s)| s.listed.is_some())
        .map(|(row, _)| row as u32)
}
