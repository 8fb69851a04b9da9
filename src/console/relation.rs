//! From one thing to what is related to it.

use crate::model::ServiceId;
use crate::store::Store;

use super::state::PaneId;
use super::thing::{Thing, name_of};
use super::word::Word;

/// Where a relation leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// One row of a pane.
    Row(PaneId, Thing),
    /// The rows of a pane that a filter lets through.
    Rows(PaneId, String),
}

/// Where `word` leads from `thing`.
///
/// # Errors
/// Why it leads nowhere.
pub fn way(store: &Store, thing: Thing, word: Word) -> Result<Way, String> {
    let service = thing.service(store);
    match (word, thing) {
        (Word::GoDevice, Thing::Task(row)) => {
            let task = store.task(row);
            if task.device().0.is_empty() && task.device_label().is_empty() {
                return Err("the service doesn't say which device this task works on".into());
            }
            store
                .find_device(service, task.device().0)
                .map(|d| Way::Row(PaneId::Devices, Thing::Device(d)))
                .ok_or_else(|| format!("{} is not in the list of devices", task.device_label()))
        }
        (Word::GoPolicy, Thing::Task(row)) => {
            let task = store.task(row);
            if task.policy().0.is_empty() && task.policy_label().is_empty() {
                return Err("this task runs for no policy, as far as the service says".into());
            }
            store
                .find_policy(service, task.policy().0)
                .map(|p| Way::Row(PaneId::Policies, Thing::Policy(p)))
                .ok_or_else(|| format!("{} is not in the list of policies", task.policy_label()))
        }
        (Word::GoDevice, Thing::Device(_)) => Err("this is the device".into()),
        (Word::GoPolicy, Thing::Policy(_)) => Err("this is the policy".into()),
        (Word::GoDevice, Thing::Policy(_)) => way(store, thing, Word::GoDevices),
        (Word::GoPolicy, Thing::Device(_)) => way(store, thing, Word::GoPolicies),
        (Word::GoTasks, _) => of(store, thing, service, PaneId::Tasks),
        (Word::GoRunning, _) => of(store, thing, service, PaneId::Running),
        (Word::GoFailed, _) => of(store, thing, service, PaneId::Failed),
        (Word::GoDevices, Thing::Policy(row)) => {
            let mut devices = store.devices_of_policy(row);
            match (devices.next(), devices.next()) {
                (None, _) => Err("the service doesn't say which devices this policy covers".into()),
                (Some(only), None) => Ok(Way::Row(PaneId::Devices, Thing::Device(only))),
                _ => Ok(Way::Rows(
                    PaneId::Devices,
                    scoped(
                        store,
                        service,
                        "policy",
                        store.policy(row).name(),
                        store.policy(row).id(),
                    ),
                )),
            }
        }
        (Word::GoPolicies, Thing::Device(row)) => {
            let mut policies = store.policies_of_device(row);
            match (policies.next(), policies.next()) {
                (None, _) => Err("no policy is known to cover this device".into()),
                (Some(only), None) => Ok(Way::Row(PaneId::Policies, Thing::Policy(only))),
                _ => Ok(Way::Rows(
                    PaneId::Policies,
                    scoped(
                        store,
                        service,
                        "device",
                        store.device(row).name(),
                        store.device(row).id(),
                    ),
                )),
            }
        }
        (Word::GoDevices, _) => Err("only a policy leads to its devices".into()),
        (Word::GoPolicies, _) => Err("only a device leads to its policies".into()),
        _ => Err(format!("{} leads nowhere", word.name())),
    }
}

/// Tasks of a device or policy; of a task, those of its device, or else of its policy.
fn of(store: &Store, thing: Thing, service: ServiceId, pane: PaneId) -> Result<Way, String> {
    let (field, name, id) = match thing {
        Thing::Device(row) => ("device", store.device(row).name(), store.device(row).id()),
        Thing::Policy(row) => ("policy", store.policy(row).name(), store.policy(row).id()),
        Thing::Task(row) => {
            let task = store.task(row);
            if task.device().0.is_empty() && task.device_label().is_empty() {
                ("policy", task.policy_label(), task.policy().0)
            } else {
                ("device", task.device_label(), task.device().0)
            }
        }
    };
    if name.is_empty() && id.is_empty() {
        return Err("the service names neither a device nor a policy here".into());
    }
    Ok(Way::Rows(pane, scoped(store, service, field, name, id)))
}

/// A filter for one name; with the service where there are several, as names repeat between services.
fn scoped(store: &Store, service: ServiceId, field: &str, name: &str, id: &str) -> String {
    let value = quote(if name.is_empty() { id } else { name });
    let mut filter = format!("{field}={value}");
    if store.services().len() > 1 {
        filter.push_str(" service=");
        filter.push_str(&quote(name_of(store, service)));
    }
    filter
}

/// A value as the filter language takes it.
#[must_use]
pub fn quote(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
