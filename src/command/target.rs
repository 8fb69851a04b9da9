//! Finding what a person means by a name or an id on the command line.

use crate::model::{Ref, ServiceId, Target, TargetKind, Verb};
use crate::store::{DeviceRow, PolicyRow, Store, TaskRow};

/// Something an action can be applied to, on its service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The service.
    pub service: ServiceId,
    /// The thing, as the store knows it.
    pub target: Target,
}

impl Found {
    /// How it is named among others: `otc-eu/ecs-42 (device 8f3…)`.
    #[must_use]
    pub fn label(&self, store: &Store) -> String {
        let service = &store.service(self.service).service.name;
        let target = &self.target;
        let mut label = format!("{service}/{}", target.name);
        if target.id != target.name {
            label.push_str(&format!(" ({} {})", target.kind.word(), target.id));
        }
        if target.kind == TargetKind::Task {
            label.push_str(&format!(" {}", target.native_status));
        }
        label
    }
}

/// Everything called `text` to which `verb` can be applied at all: by id, else by name, else the tasks of the
/// device of that name which the verb is for (live ones to cancel, failed ones to retry and clear).
///
/// `text` may begin with a service's name and a slash. `sorts` says which sorts of things a service has
/// an action for.
pub fn find(
    store: &Store,
    text: &str,
    verb: Verb,
    sorts: impl Fn(ServiceId) -> Vec<TargetKind>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for state in store.services() {
        let id = state.service.id;
        let prefix = format!("{}/", state.service.name);
        let name = text.strip_prefix(&prefix).unwrap_or(text);
        let others = store
            .services()
            .iter()
            .any(|s| s.service.id != id && text.starts_with(&format!("{}/", s.service.name)));
        if others && name == text {
            continue;
        }
        find_in(store, id, name, verb, &sorts(id), &mut found);
    }
    found
}

fn find_in(
    store: &Store,
    service: ServiceId,
    name: &str,
    verb: Verb,
    sorts: &[TargetKind],
    found: &mut Vec<Found>,
) {
    let mut push = |target| found.push(Found { service, target });
    let mut by_id = false;
    if sorts.contains(&TargetKind::Device)
        && let Some(row) = store.find_device(service, name)
    {
        by_id = true;
        push(device(store, row));
    }
    if sorts.contains(&TargetKind::Policy)
        && let Some(row) = store.find_policy(service, name)
    {
        by_id = true;
        push(policy(store, row));
    }
    if sorts.contains(&TargetKind::Task)
        && let Some(row) = store.find_task(service, name)
    {
        by_id = true;
        push(task(store, row));
    }
    if by_id {
        return;
    }
    if sorts.contains(&TargetKind::Device) {
        let rows = store.devices().filter(|r| {
            let d = store.device(*r);
            d.service_id() == service && d.name() == name
        });
        rows.for_each(|row| push(device(store, row)));
    }
    if sorts.contains(&TargetKind::Policy) {
        let rows = store.policies().filter(|r| {
            let p = store.policy(*r);
            p.service_id() == service && p.name() == name
        });
        rows.for_each(|row| push(policy(store, row)));
    }
    if sorts.contains(&TargetKind::Task) {
        let rows = store.tasks().filter(|r| {
            let t = store.task(*r);
            let meant = match verb {
                Verb::Cancel => t.phase().is_live(),
                Verb::Retry | Verb::Clear => t.phase().needs_person(),
                _ => false,
            };
            let (id, label) = t.device();
            meant && t.service_id() == service && (label == name || id == name)
        });
        rows.for_each(|row| push(task(store, row)));
    }
}

/// A device as the target of an action.
pub fn device(store: &Store, row: DeviceRow) -> Target {
    let d = store.device(row);
    Target {
        device: Ref::new(d.id(), d.name()),
        raw: d.raw().unwrap_or("").to_owned(),
        ..plain(TargetKind::Device, d.id(), d.name(), d.native_status())
    }
}

/// A policy as the target of an action.
pub fn policy(store: &Store, row: PolicyRow) -> Target {
    let p = store.policy(row);
    Target {
        policy: Ref::new(p.id(), p.name()),
        raw: p.raw().unwrap_or("").to_owned(),
        ..plain(TargetKind::Policy, p.id(), p.name(), p.native_status())
    }
}

/// A task as the target of an action; people call it by its device, or by its policy where it has none.
pub fn task(store: &Store, row: TaskRow) -> Target {
    let t = store.task(row);
    let name = t.name();
    let (device_id, device_name) = t.device();
    let (policy_id, policy_name) = t.policy();
    Target {
        phase: t.phase(),
        operation: t.operation().to_owned(),
        object: t.object().to_owned(),
        device: Ref::new(device_id, device_name),
        policy: Ref::new(policy_id, policy_name),
        failure: t.failure(),
        raw: t.raw().unwrap_or("").to_owned(),
        ..plain(TargetKind::Task, t.id(), name, t.native_status())
    }
}

fn plain(kind: TargetKind, id: &str, name: &str, native_status: &str) -> Target {
    Target {
        kind,
        id: id.to_owned(),
        name: name.to_owned(),
        native_status: native_status.to_owned(),
        phase: crate::model::Phase::Unknown,
        operation: String::new(),
        object: String::new(),
        device: Ref::default(),
        policy: Ref::default(),
        failure: None,
        raw: String::new(),
    }
}
