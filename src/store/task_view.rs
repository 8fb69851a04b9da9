//! Reading one task.

use super::changed::FieldSet;
use super::history::{Remark, RemarkKind, Sort, Subject};
use super::slots::{NOWHERE, Slots};
use super::symbols::Sym;
use super::tasks::{self, NO_PERCENT, at, unpack};
use super::{Ack, AckState, DeviceRow, PolicyRow, Store, TaskRow};
use crate::model::{
    Asked, CodeRef, Kind, Phase, Ref, Service, ServiceId, Task, Timestamp, Transition,
};
use crate::query::{Field, Flag, Record};

/// A task of the store: a handle, cheap to copy.
#[derive(Clone, Copy)]
pub struct TaskView<'a> {
    store: &'a Store,
    row: TaskRow,
}

impl<'a> TaskView<'a> {
    pub(super) const fn new(store: &'a Store, row: TaskRow) -> Self {
        Self { store, row }
    }

    fn text(&self, column: &[Sym]) -> &'a str {
        self.store.symbols.get(at(column, self.row.0, Sym::EMPTY))
    }

    fn flags(&self) -> u8 {
        at(&self.store.tasks.flags, self.row.0, tasks::DEAD)
    }

    /// Its number.
    #[must_use]
    pub const fn row(&self) -> TaskRow {
        self.row
    }

    /// The service's id within this run.
    #[must_use]
    pub fn service_id(&self) -> ServiceId {
        ServiceId(at(&self.store.tasks.service, self.row.0, u16::MAX))
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &'a Service {
        &self.store.service(self.service_id()).service
    }

    /// The user's name of the service.
    #[must_use]
    pub fn service_name(&self) -> &'a str {
        &self.service().name
    }

    /// The product.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.service().kind
    }

    /// The service's own id.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.store.tasks.ids.get(self.row.0)
    }

    /// The device it works on, listed or not.
    #[must_use]
    pub fn device_row(&self) -> Option<DeviceRow> {
        let row = at(&self.store.tasks.device, self.row.0, NOWHERE);
        (row != NOWHERE).then(|| DeviceRow(self.store.devices.shown(row)))
    }

    /// The policy it runs for, listed or not.
    #[must_use]
    pub fn policy_row(&self) -> Option<PolicyRow> {
        let row = at(&self.store.tasks.policy, self.row.0, NOWHERE);
        (row != NOWHERE).then(|| PolicyRow(self.store.policies.shown(row)))
    }

    fn party<T>(&self, slots: &'a Slots<T>, row: Option<u32>) -> (&'a str, &'a str) {
        row.and_then(|r| slots.get(r)).map_or(("", ""), |slot| {
            let symbols = &self.store.symbols;
            (symbols.get(slot.id), symbols.get(slot.name))
        })
    }

    /// Id and name of the device; both empty when it has none.
    #[must_use]
    pub fn device(&self) -> (&'a str, &'a str) {
        self.party(&self.store.devices, self.device_row().map(|r| r.0))
    }

    /// Id and name of the policy; both empty when it has none.
    #[must_use]
    pub fn policy(&self) -> (&'a str, &'a str) {
        self.party(&self.store.policies, self.policy_row().map(|r| r.0))
    }

    /// The name of the device, its id where it has no name; empty when it has none.
    #[must_use]
    pub fn device_label(&self) -> &'a str {
        label(self.device())
    }

    /// The name of the policy, its id where it has no name; empty when it has none.
    #[must_use]
    pub fn policy_label(&self) -> &'a str {
        label(self.policy())
    }

    /// What people call it: its device, or its policy where it has no device; its id where it has neither.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let names = [self.device_label(), self.policy_label(), self.id()];
        names.into_iter().find(|n| !n.is_empty()).unwrap_or("")
    }

    /// What a person says about it now. The words are cleaned as everything is that is shown.
    #[must_use]
    pub fn remark(&self, kind: RemarkKind, words: &str, at: Timestamp) -> Remark {
        let subject = Subject::new(self.service_name(), Sort::Task, self.id());
        Remark::new(kind, subject, crate::model::clean(words.trim()), at)
            .while_status(self.native_status())
    }

    /// What it does.
    #[must_use]
    pub fn operation(&self) -> &'a str {
        self.text(&self.store.tasks.operation)
    }

    /// The service's own status word.
    #[must_use]
    pub fn native_status(&self) -> &'a str {
        self.text(&self.store.tasks.status)
    }

    /// Our reading of it.
    #[must_use]
    pub fn phase(&self) -> Phase {
        at(&self.store.tasks.phase, self.row.0, Phase::Unknown)
    }

    /// Where inside the task it stands; may be empty.
    #[must_use]
    pub fn step(&self) -> &'a str {
        self.text(&self.store.tasks.step)
    }

    /// Percent done, 0 to 100.
    #[must_use]
    pub fn progress(&self) -> Option<u8> {
        let n = at(&self.store.tasks.progress, self.row.0, NO_PERCENT);
        (n != NO_PERCENT).then_some(n)
    }

    /// When it started, by the service's clock.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        unpack(at(&self.store.tasks.started, self.row.0, tasks::NEVER))
    }

    /// When the service last changed the record, by its clock.
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        unpack(at(&self.store.tasks.updated, self.row.0, tasks::NEVER))
    }

    /// When it ended, by the service's clock.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        unpack(at(&self.store.tasks.ended, self.row.0, tasks::NEVER))
    }

    /// How long it took, or has taken until now, in milliseconds.
    #[must_use]
    pub fn elapsed_ms(&self, now: Timestamp) -> Option<i64> {
        let start = self.started_at()?;
        let end = match self.ended_at() {
            Some(end) => end,
            None if self.phase().is_live() => now,
            None => return None,
        };
        Some(end.since(start).max(0))
    }

    fn failure_row(&self) -> Option<tasks::Failure> {
        let number = at(&self.store.tasks.failure, self.row.0, 0);
        (number != 0).then(|| self.store.tasks.failures.get(number))
    }

    /// True when the service gave a code, an HTTP status or a text about a failure.
    #[must_use]
    pub fn has_failure(&self) -> bool {
        self.failure_row().is_some()
    }

    /// The service's code; may be empty.
    #[must_use]
    pub fn code(&self) -> &'a str {
        self.failure_row()
            .map_or("", |f| self.store.symbols.get(f.code))
    }

    /// The HTTP status of the failure.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.failure_row().map(|f| f.http).filter(|&h| h != 0)
    }

    /// The service's own text about the failure; may be empty.
    #[must_use]
    pub fn message(&self) -> &'a str {
        self.failure_row()
            .map_or("", |f| self.store.symbols.get(f.message))
    }

    /// The operation that tells twins of the code apart; may be empty.
    #[must_use]
    pub fn code_operation(&self) -> &'a str {
        self.failure_row()
            .map_or("", |f| self.store.symbols.get(f.operation))
    }

    /// What went wrong, as the catalog is asked for it.
    #[must_use]
    pub fn failure(&self) -> Option<CodeRef> {
        self.has_failure().then(|| CodeRef {
            code: self.code().to_owned(),
            http_status: self.http_status(),
            operation: self.code_operation().to_owned(),
            message: self.message().to_owned(),
        })
    }

    /// What was asked of it and has not happened yet, by us or by the service's word.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        tasks::asked(self.flags())
    }

    /// What the service calls the object; may be empty.
    #[must_use]
    pub fn object(&self) -> &'a str {
        self.text(&self.store.tasks.object)
    }

    /// More facts, as far as the budget for records keeps them.
    #[must_use]
    pub fn facts(&self) -> &'a [(&'static str, String)] {
        self.store.attic.facts(self.row.0)
    }

    /// The service's own record as JSON text, as far as the budget for records keeps it.
    #[must_use]
    pub fn raw(&self) -> Option<&'a str> {
        self.store.attic.raw(self.row.0)
    }

    /// Its transitions, newest first, as far as they are held in memory.
    pub fn transitions(&self) -> impl Iterator<Item = Transition> + 'a {
        let store = self.store;
        let last = at(&store.tasks.transition, self.row.0, 0);
        store
            .log
            .of(self.row.0, last)
            .map(move |e| store.transition_of(e))
    }

    /// True when it vanished at the service while it was live.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.flags() & tasks::LOST != 0
    }

    /// True when it failed and was taken off the service's own list.
    #[must_use]
    pub fn cleared(&self) -> bool {
        self.flags() & tasks::CLEARED != 0
    }

    /// True when somebody took the failed task and that holds, or it resolved itself since.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.flags() & tasks::ACKED != 0
    }

    /// Who took it, and whether that holds.
    #[must_use]
    pub fn ack(&self) -> Option<(&'a Ack, AckState)> {
        self.store.ack(self.row)
    }

    /// What people noted about it, oldest first.
    #[must_use]
    pub fn notes(&self) -> &'a [Remark] {
        self.store.notes(self.service_id(), self.id())
    }

    /// True when the row holds no task (any more).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.flags() & tasks::DEAD != 0
    }

    /// When something visible last changed, by our clock; `None` when nothing did since the start.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        unpack(at(&self.store.tasks.changed_at, self.row.0, tasks::NEVER))
    }

    /// What changed then.
    #[must_use]
    pub fn changed(&self) -> FieldSet {
        at(&self.store.tasks.changed, self.row.0, FieldSet::NONE)
    }

    /// The task as plain data, with what is still held of its facts and without the service's own record, of which
    /// nobody who asks for this has a use.
    #[must_use]
    pub fn to_task(&self) -> Task {
        let reference = |(id, name): (&str, &str)| {
            (!id.is_empty() || !name.is_empty()).then(|| Ref::new(id, name))
        };
        Task {
            id: self.id().to_owned(),
            device: reference(self.device()),
            policy: reference(self.policy()),
            operation: self.operation().to_owned(),
            native_status: self.native_status().to_owned(),
            phase: self.phase(),
            step: self.step().to_owned(),
            progress: self.progress(),
            started_at: self.started_at(),
            updated_at: self.updated_at(),
            ended_at: self.ended_at(),
            failure: self.failure(),
            asked: self.asked(),
            object: self.object().to_owned(),
            facts: self.facts().to_vec(),
            raw: String::new(),
        }
    }
}

/// The name, or the id where there is none.
pub(super) fn label<'a>((id, name): (&'a str, &'a str)) -> &'a str {
    if name.is_empty() { id } else { name }
}

impl Record for TaskView<'_> {
    fn any_text(&self, field: Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut one = |text: &str| !text.is_empty() && test(text);
        match field {
            Field::Service => one(self.service_name()),
            Field::Kind => one(self.kind().name()),
            Field::Name => one(self.device_label()),
            Field::Device => {
                let (id, name) = self.device();
                one(name) || one(id)
            }
            Field::Policy => {
                let (id, name) = self.policy();
                one(name) || one(id)
            }
            Field::Operation => one(self.operation()),
            Field::Status => one(self.native_status()),
            Field::Phase => one(self.phase().word()),
            Field::Step => one(self.step()),
            Field::Code => one(self.code()),
            Field::Message => one(self.message()),
            Field::Id => one(self.id()),
            Field::Object => one(self.object()),
            _ => false,
        }
    }

    fn phase(&self) -> Phase {
        Self::phase(self)
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<i64> {
        match field {
            Field::Progress => self.progress().map(i64::from),
            Field::Http => self.http_status().map(i64::from),
            Field::Elapsed => self.elapsed_ms(now),
            Field::Age => self.last_event().map(|t| now.since(t)),
            Field::Ack => Some(i64::from(self.is_acknowledged())),
            _ => None,
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::Started => self.started_at(),
            Field::Updated => self.updated_at(),
            Field::Ended => self.ended_at(),
            _ => None,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        match flag {
            Flag::Live => self.phase().is_live(),
            Flag::Over => self.phase().is_over(),
            Flag::Failed => self.phase().needs_person(),
            Flag::Lost => self.lost(),
            Flag::Cleared => self.cleared(),
            Flag::Asked => self.asked().is_some(),
            Flag::Flapping => self
                .device_row()
                .is_some_and(|row| self.store.device(row).stats().is_flapping()),
            _ => false,
        }
    }

    fn is_at(&self, flag: Flag, now: Timestamp) -> bool {
        match flag {
            Flag::Stuck => self.store.stuck(self.row, now).is_some(),
            Flag::Slow => self.store.slow(self.row, now).is_some(),
            _ => self.is(flag),
        }
    }

    fn last_event(&self) -> Option<Timestamp> {
        self.started_at()
            .max(self.updated_at())
            .max(self.ended_at())
    }
}
