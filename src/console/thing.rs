//! A row of a list as the thing that it stands for.

use crate::model::{CodeRef, Kind, Phase, Ref, ServiceId, Target, TargetKind, Timestamp};
use crate::query::Noun;
use crate::store::{DeviceRow, FieldSet, Party, PolicyRow, Store, TaskRow};

/// A device, a policy or a task of the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Thing {
    /// A device.
    Device(DeviceRow),
    /// A policy.
    Policy(PolicyRow),
    /// A task.
    Task(TaskRow),
}

impl Thing {
    /// The thing behind a device or policy of the store.
    #[must_use]
    pub const fn of_party(party: Party) -> Self {
        match party {
            Party::Device(row) => Self::Device(row),
            Party::Policy(row) => Self::Policy(row),
        }
    }

    /// The device or policy; `None` for a task.
    #[must_use]
    pub const fn party(self) -> Option<Party> {
        match self {
            Self::Device(row) => Some(Party::Device(row)),
            Self::Policy(row) => Some(Party::Policy(row)),
            Self::Task(_) => None,
        }
    }

    /// The thing behind a row of a list.
    #[must_use]
    pub const fn of(noun: Noun, row: u32) -> Self {
        match noun {
            Noun::Devices => Self::Device(DeviceRow(row)),
            Noun::Policies => Self::Policy(PolicyRow(row)),
            Noun::Running | Noun::Failed | Noun::Tasks => Self::Task(TaskRow(row)),
        }
    }

    /// The number of the row in its lists.
    #[must_use]
    pub const fn row(self) -> u32 {
        match self {
            Self::Device(DeviceRow(n)) | Self::Policy(PolicyRow(n)) | Self::Task(TaskRow(n)) => n,
        }
    }

    /// What sort of thing it is.
    #[must_use]
    pub const fn kind(self) -> TargetKind {
        match self {
            Self::Device(_) => TargetKind::Device,
            Self::Policy(_) => TargetKind::Policy,
            Self::Task(_) => TargetKind::Task,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn service(self, store: &Store) -> ServiceId {
        match self {
            Self::Device(r) => store.device(r).service_id(),
            Self::Policy(r) => store.policy(r).service_id(),
            Self::Task(r) => store.task(r).service_id(),
        }
    }

    /// The user's name of the service whose it is.
    #[must_use]
    pub fn service_name(self, store: &Store) -> &str {
        name_of(store, self.service(store))
    }

    /// The service's own id.
    #[must_use]
    pub fn id(self, store: &Store) -> &str {
        match self {
            Self::Device(r) => store.device(r).id(),
            Self::Policy(r) => store.policy(r).id(),
            Self::Task(r) => store.task(r).id(),
        }
    }

    /// What people call it: a task by its device, or its policy where it has no device.
    #[must_use]
    pub fn name(self, store: &Store) -> &str {
        let name = match self {
            Self::Device(r) => store.device(r).name(),
            Self::Policy(r) => store.policy(r).name(),
            Self::Task(r) => store.task(r).name(),
        };
        if name.is_empty() {
            self.id(store)
        } else {
            name
        }
    }

    /// The service's own record, where it is held.
    #[must_use]
    pub fn record(self, store: &Store) -> Option<&str> {
        match self {
            Self::Device(r) => store.device(r).raw(),
            Self::Policy(r) => store.policy(r).raw(),
            Self::Task(r) => store.task(r).raw(),
        }
        .filter(|raw| !raw.is_empty())
    }

    /// More facts of the service: label and value.
    #[must_use]
    pub fn facts(self, store: &Store) -> Vec<(String, String)> {
        let facts = match self {
            Self::Device(r) => store.device(r).facts(),
            Self::Policy(r) => store.policy(r).facts(),
            Self::Task(r) => store.task(r).facts(),
        };
        facts
            .iter()
            .map(|(label, value)| ((*label).to_owned(), value.clone()))
            .collect()
    }

    /// When it last changed before our eyes, and in which fields.
    #[must_use]
    pub fn changed(self, store: &Store) -> Option<(Timestamp, FieldSet)> {
        let (at, fields) = match self {
            Self::Task(r) => (store.task(r).changed_at(), store.task(r).changed()),
            Self::Device(r) => (store.device(r).changed_at(), store.device(r).changed()),
            Self::Policy(r) => (store.policy(r).changed_at(), store.policy(r).changed()),
        };
        at.map(|at| (at, fields))
    }

    /// What a connector is told of it when something is to be done with it.
    #[must_use]
    pub fn target(self, store: &Store) -> Target {
        let id = self.id(store).to_owned();
        let name = self.name(store).to_owned();
        let raw = self.record(store).unwrap_or_default().to_owned();
        let me = Ref::new(id.clone(), name.clone());
        let (native_status, phase, device, policy) = match self {
            Self::Device(r) => (
                store.device(r).native_status().to_owned(),
                Phase::Unknown,
                me,
                Ref::default(),
            ),
            Self::Policy(r) => (
                store.policy(r).native_status().to_owned(),
                Phase::Unknown,
                Ref::default(),
                me,
            ),
            Self::Task(r) => {
                let task = store.task(r);
                (
                    task.native_status().to_owned(),
                    task.phase(),
                    Ref::new(task.device().0, task.device().1),
                    Ref::new(task.policy().0, task.policy().1),
                )
            }
        };
        let (operation, object, failure): (String, String, Option<CodeRef>) = match self {
            Self::Task(r) => {
                let task = store.task(r);
                (
                    task.operation().to_owned(),
                    task.object().to_owned(),
                    task.failure(),
                )
            }
            _ => Default::default(),
        };
        Target {
            kind: self.kind(),
            id,
            name,
            native_status,
            phase,
            operation,
            object,
            device,
            policy,
            failure,
            raw,
        }
    }
}

/// The user's name of a service; empty for one that is not of this run.
#[must_use]
pub fn name_of(store: &Store, id: ServiceId) -> &str {
    &store.service(id).service.name
}

/// The product behind a service.
#[must_use]
pub fn kind_of(store: &Store, id: ServiceId) -> Kind {
    store.service(id).service.kind
}
